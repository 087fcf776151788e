"""Whole agents are judged by what they do: right ones pass, and each mistake is known by its traces."""

from __future__ import annotations

import re
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Categorical, Independent, Normal

from pglesson.exercises import agents, traces
from pglesson.exercises.agents import LEVERS, SIGNALS, AgentTask, agent_judge
from pglesson.exercises.traces import watching


def agent(
    *,
    alpha: float = 0.01,
    batch: int = 1,
    stays: bool = False,
    sign: float = -1.0,
    clear: str = "zero_grad",
    logged: str = "sampled",
    clip: bool = True,
    log_sigma: str = "learned",
    scale: float = 1.0,
    longest: float | None = None,
    same_start: bool = False,
    weights: str = "to go",
) -> Any:
    """REINFORCE, softmax or Gaussian, right or with mistakes. clear: how gradients are set to zero; logged: the action
    whose log-probability is taken; batch: episodes a step; longest: gradients are clipped, in place, to this norm."""

    def train(env_id: str, episodes: int, seed: int) -> list[float]:
        torch.manual_seed(seed)
        env = gym.make(env_id)
        numbers, box = env.observation_space.shape[0], isinstance(env.action_space, gym.spaces.Box)
        network = nn.Sequential(
            nn.Linear(numbers, 16), nn.Tanh(), nn.Linear(16, env.action_space.shape[0] if box else 2)
        )
        width = nn.Parameter(torch.full((1 if log_sigma == "shared" else 2,), -0.1 if log_sigma == "sigma" else 0.0))
        learned = [*network.parameters(), *([width] if box and log_sigma != "fixed" else [])]
        optimizer = torch.optim.Adam(learned, lr=alpha)
        returns, losses = [], []
        for number in range(episodes):
            observation, over = env.reset(seed=seed if number == 0 or same_start else None)[0], False
            log_probs, rewards = [], []
            while not over:
                out = network(torch.as_tensor(observation))
                sigma = (width if log_sigma == "sigma" else width.exp()).expand(2)
                pi = Independent(Normal(out, sigma), 1) if box else Categorical(logits=out)
                action = pi.rsample() if logged == "rsample" else pi.sample()
                to_play = action.detach().numpy()
                to_play = to_play.clip(-1, 1) if box and clip else to_play
                of = torch.as_tensor(to_play) if logged == "clipped" else action
                log_probs.append(pi.log_prob(pi.sample() if logged == "again" else of))
                following, reward, terminated, truncated, _ = env.step(to_play)
                observation = observation if stays else following
                rewards.append(float(reward))
                over = terminated or truncated
            to_go = np.cumsum(rewards[::-1])[::-1]
            others = {"own": rewards, "past": np.cumsum(rewards), "turned": to_go[::-1], "none": np.ones(len(rewards))}
            G = np.array(others.get(weights, to_go)) / scale
            losses.append(sign * (torch.stack(log_probs) * torch.tensor(G, dtype=torch.float32)).sum())
            if len(losses) == batch:
                if clear == "zero_grad":
                    optimizer.zero_grad()
                if clear == "by autograd.grad":
                    for weight, gradient in zip(learned, torch.autograd.grad(sum(losses) / batch, learned)):
                        weight.grad = gradient
                else:
                    (sum(losses) / batch).backward()
                if longest:
                    nn.utils.clip_grad_norm_(learned, longest)
                optimizer.step()
                for weight in learned if clear == "by hand" else ():
                    weight.grad.zero_()
                losses = []
            returns.append(sum(rewards))
        return returns

    return train


SOFTMAX, GAUSSIAN = agent_judge(SIGNALS), agent_judge(LEVERS)
LOUD = agent_judge(AgentTask("pglesson/Signals-v0", 300, best=10, undecided=0, enough=6, reward_scale=1000))


@pytest.mark.parametrize(
    ("judge", "answer"),
    [
        (SOFTMAX, agent()),
        (SOFTMAX, agent(clear="by hand")),
        (SOFTMAX, agent(clear="by autograd.grad")),
        (SOFTMAX, agent(batch=8, alpha=0.03, longest=1.0)),
        (LOUD, agent(scale=1000)),
        (GAUSSIAN, agent()),
        (GAUSSIAN, agent(batch=8, alpha=0.03, clear="by hand")),
    ],
)
def test_right_agents_pass(judge: Any, answer: Any) -> None:
    assert judge(answer) is None


@pytest.mark.parametrize(
    ("judge", "answer", "words"),
    [
        (SOFTMAX, agent(stays=True), "an observation that stays"),
        (SOFTMAX, agent(alpha=10.0), r"the learning rate is 10:.*Try 0\.01"),
        (SOFTMAX, agent(alpha=1e-6), r"the learning rate is 1e-06:.*hardly changes"),
        (SOFTMAX, agent(weights="own"), "reward of its own step alone"),
        (SOFTMAX, agent(weights="past", batch=4), "earned up to its step"),
        (SOFTMAX, agent(weights="turned"), "in the wrong order"),
        (SOFTMAX, agent(weights="none"), "the returns are not in it"),
        (GAUSSIAN, agent(weights="own"), "reward of its own step alone"),
        (SOFTMAX, agent(clear="never"), "never set to zero"),
        (SOFTMAX, agent(clear="never", longest=1.0), "never set to zero"),
        (SOFTMAX, agent(sign=1.0), "the returns \\*fall\\*"),
        (SOFTMAX, agent(logged="again"), "other actions than those that were played"),
        (LOUD, agent(alpha=10.0), "the learning rate is 10"),
        (GAUSSIAN, agent(logged="clipped"), "about the clipped action"),
        (GAUSSIAN, agent(logged="rsample"), "carries a gradient itself"),
        (GAUSSIAN, agent(clip=False), r"Clip what was sampled to the action space"),
        (GAUSSIAN, agent(log_sigma="fixed"), "sigma is 1 from the first step to the last"),
        (GAUSSIAN, agent(log_sigma="sigma", alpha=0.1), "Learn its logarithm"),
        (GAUSSIAN, agent(log_sigma="shared"), "share one sigma"),
        (SOFTMAX, agent(same_start=True), "begins with the same seed each time"),
        (GAUSSIAN, agent(stays=True), "an observation that stays"),
        (GAUSSIAN, agent(sign=1.0), "the returns \\*fall\\*"),
        (GAUSSIAN, agent(clear="never"), "never set to zero"),
    ],
)
def test_a_mistake_is_named_by_its_traces(judge: Any, answer: Any, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "SEEDS", (0,))
    said = judge(answer)
    assert said is not None and re.search(words, said.message), said


def test_a_mistake_that_shows_early_ends_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "SEEDS", (0,))
    watched, episodes = agent(clear="never"), []

    def train(env_id: str, number: int, seed: int) -> list[float]:
        try:
            return watched(env_id, number, seed)
        finally:
            episodes.append(len(traces.Watched.trace.episodes))

    assert "never set to zero" in SOFTMAX(train).message and episodes == [agents.EARLY]


def test_one_more_failure_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "SEEDS", (0,))
    judge = agent_judge(SIGNALS, lambda trace: f"{trace.steps} steps" if trace.steps > 100 else None)
    assert judge(agent()).message == "300 steps"


def test_a_trace_holds_what_happened() -> None:
    """Counted by hand: 4 episodes of 10 steps, one step of the optimizer every 2 of them."""
    with watching() as trace:
        agent(batch=2)(SIGNALS.watched_id, 4, 0)
    assert [len(episode) for episode in trace.episodes] == [10] * 4
    assert (trace.steps, trace.backwards, trace.never_cleared, trace.late) == (2, 2, False, 0) and trace.rates == {0.01}
    assert len(trace.sampled) == len(trace.log_probs) == 40
    assert [one.values.item() for one in trace.sampled] == trace.played.tolist()
