"""What an agent multiplies its log-probabilities by, and what its value learns, is read from its gradients: mistakes in
it are told where the agent learns nevertheless, and other right choices are not called mistakes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from pglesson.exercises import agents
from pglesson.exercises.framework import RIGHT, WRONG, Attempt, Outcome, exercises_of

PLAIN, VALUE, NORMALIZED = "05_reinforce", "06_variance_and_baselines", "07_normalization_and_advantages"
IN_G, WEIGHTED, JUDGED = "G[t + 1]", "pi.log_prob(actions) * G", "return G - v, G"
LEARNS = "(targets - value(observations)[:, 0])"
FIVE_TIMES = "(targets - 5 * value(observations)[:, 0])"
STEP = "    pi = Categorical(logits=policy(observations))\n    loss"
BY_HAND = "policy(observations).log_softmax(-1)[range(len(actions)), actions]"
OF_NEXT = "u = value(episode.observations)[1:, 0].detach(); "
WHOLE_LOSS = "(pi.log_prob(actions) * A)"
LAST_EPISODE = "(Categorical(logits=policy(observations[-10:])).log_prob(actions[-10:]) * A[-10:])"
SIZES = "env.observation_space.shape[0], int(env.action_space.n)"
OF_ALL_ACTIONS = "pi.log_prob(torch.arange(2)[:, None]).T[range(len(actions)), actions]"
EACH_STEP = """    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
EACH_TENTH = """    loss.backward()
    update.played = getattr(update, "played", 0) + 1
    if update.played % 10 == 0:
        optimizer.step()
        optimizer.zero_grad()
"""
PER_BATCH = "(A - A.mean(dtype=torch.float64)) / (A.std(correction=0) + 1e-8)"
VALUE_STEPS = """    for _ in range(value_steps):
        value_loss = (targets - value(observations)[:, 0]).square().mean() / 2
        value_optimizer.zero_grad()
        value_loss.backward()
        value_optimizer.step()
"""
FIRST_THE_VALUE = f"""    targets = torch.cat([sums_to_go(episode.rewards, gamma) for episode in batch])
    observations = torch.cat([episode.observations[:-1] for episode in batch])
{VALUE_STEPS}    A, targets"""


def judged(notebook: str, changes: dict[str, str]) -> Outcome:
    """What is said of a solution in which these pieces are replaced."""
    exercise = next(exercise for exercise in exercises_of(notebook) if exercise.name == "agent")
    source = exercise.solution
    for old, new in changes.items():
        assert old in source
        source = source.replace(old, new)
    scope: dict[str, Any] = {"torch": torch, "np": np}
    exec(source, scope)
    return Attempt(exercise).check(scope["answer"])


@pytest.mark.parametrize(
    ("notebook", "changes", "words"),
    [
        (PLAIN, {IN_G: "G[t - 1]"}, "of its own step and of the one before"),
        (PLAIN, {IN_G: "G[t + 0]"}, "the reward of its own step alone"),
        (PLAIN, {"reversed(range(len(x) - 1))": "range(len(x) - 1)"}, "by two rewards only"),
        (PLAIN, {"len(x) - 1": "len(x) - 2"}, "the last reward is in its own return alone"),
        (PLAIN, {"return G": "return G - x"}, "is missing in the weight of its own"),
        (PLAIN, {"return G": "return G.flip(0)"}, "in the wrong order"),
        (PLAIN, {"return G": "return x.cumsum(0)"}, "earned up to its step"),
        (PLAIN, {"return G": "return 1 / (G + 1e-9)"}, "divided by its return"),
        (PLAIN, {WEIGHTED: f"{BY_HAND} * rewards"}, "the reward of its own step alone"),
        (PLAIN, {WEIGHTED: "pi.log_prob(actions).exp() * G"}, "not log-probabilities"),
        (PLAIN, {WEIGHTED: "policy(observations).softmax(-1)[range(len(actions)), actions] * G"}, "Take the logarithm"),
        (
            PLAIN,
            {WEIGHTED: "pi.log_prob(actions) * (rewards - rewards.mean()) / (rewards.std() + 1e-8)"},
            "of its own step alone",
        ),
        (PLAIN, {WEIGHTED: "policy(observations).log_softmax(-1)[:, actions] * G"}, "by the returns of all steps"),
        (PLAIN, {WEIGHTED: "pi.log_prob(actions)[:, None] * G"}, "by the returns of all steps|meets all advantages"),
        (PLAIN, {"nn.Linear(32, outputs))": "nn.Linear(32, outputs), nn.Softmax(-1))"}, "are probabilities already"),
        (PLAIN, {SIZES: "int(env.action_space.n), env.observation_space.shape[0]"}, "stops where it has three"),
        (PLAIN, {"terminated or truncated": "terminated"}, "after an episode has ended"),
        (PLAIN, {EACH_STEP: EACH_TENTH}, "steps are made after 5 of 59 episodes"),
        (PLAIN, {"policy(observations))": "policy(observations).detach())"}, "The loss depends on no weight"),
        (VALUE, {WHOLE_LOSS: "(pi.log_prob(actions) * A / 0)"}, "The network gives NaN"),
        (VALUE, {WHOLE_LOSS: LAST_EPISODE}, "only 50 have their log-probability in the loss"),
        (VALUE, {JUDGED: "return episode.rewards - v, G"}, "the reward of its own step alone"),
        (VALUE, {JUDGED: "return episode.rewards.cumsum(0) - v, G"}, "earned up to its step"),
        (VALUE, {"gamma=0.99": "gamma=1.5"}, r"the discount is 1\.5:"),
        (
            VALUE,
            {STEP: f"    A += sums_to_go(torch.cat([b.rewards for b in batch]), gamma) - targets\n{STEP}"},
            "run on from one episode into the next",
        ),
        (VALUE, {JUDGED: "return G - v, G - v"}, "the value learns the advantages"),
        (VALUE, {JUDGED: "return G - v, episode.rewards"}, "the value learns the reward of the next step alone"),
        (VALUE, {JUDGED: "return G - v, G[0] + 0 * G"}, "the value learns the return of the whole episode"),
        (VALUE, {STEP: f"    targets = targets / targets.std()\n{STEP}"}, "in another unit than that of G"),
        (VALUE, {LEARNS: "(targets - value(observations))"}, "the value learns the mean return of the batch"),
        (VALUE, {"value_loss = (": "value_loss = -("}, "the value moves away from the returns"),
        (VALUE, {JUDGED: "return G, G"}, "it is not in the weights"),
        (VALUE, {JUDGED: "return G + v, G"}, "the value is added"),
        (VALUE, {JUDGED: "return G - v / 2, G"}, r"0\.5 times the value is subtracted"),
        (
            VALUE,
            {STEP: f"    A += targets / targets.std() - targets\n{STEP}"},
            "divided by another number in each batch",
        ),
        (VALUE, {STEP: f"    A = targets - targets.mean()\n{STEP}"}, "one and the same number is subtracted"),
        (VALUE, {"v = value(episode.observations[:-1])": "v = value(episode.observations[:1])"}, "first observation"),
        (VALUE, {JUDGED: f"{OF_NEXT}return G - u, G"}, r"value of the \*next\* observation"),
        (VALUE, {JUDGED: f"{OF_NEXT}return episode.rewards + gamma * u - v, G"}, "the error of one step"),
        (VALUE, {VALUE_STEPS: "", "    A, targets": FIRST_THE_VALUE}, "the value has learned from a batch before"),
        (NORMALIZED, {PER_BATCH: "A.float()"}, "are not normalized"),
        (NORMALIZED, {PER_BATCH: "A / A.std()"}, "but not the mean 0"),
        (NORMALIZED, {PER_BATCH: "(A - A.mean()) / A.var()"}, "but not the same standard deviation"),
        (NORMALIZED, {"+ 1e-8)": "+ 1)"}, "but not the same standard deviation"),
        (NORMALIZED, {JUDGED: "A = G - v; return (A - A.mean()) / A.std(), G"}, r"in each \*episode\* the weights"),
        (NORMALIZED, {JUDGED: "return G, G"}, "one and the same number is subtracted"),
    ],
)
def test_what_is_wrong_is_told(notebook: str, changes: dict[str, str], words: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(agents, "SEEDS", (0,))
    outcome = judged(notebook, changes)
    assert outcome.kind == WRONG and re.search(words, outcome.message), outcome


@pytest.mark.parametrize(
    ("notebook", "changes"),
    [
        (PLAIN, {WEIGHTED: f"{BY_HAND} * G"}),
        (PLAIN, {"return G": "return G[0] + 0 * G"}),
        (PLAIN, {WEIGHTED: f"{OF_ALL_ACTIONS} * G"}),
        (PLAIN, {"return G": "return (G - G.mean()) / (G.std() + 1e-8)"}),
        (PLAIN, {WEIGHTED: f"{WEIGHTED} * gamma ** torch.arange(len(G))"}),
        (VALUE, {"gamma=0.99": "gamma=0.97"}),
        (VALUE, {"sums_to_go(episode.rewards, gamma)": "sums_to_go(episode.rewards / 10, gamma)"}),
        (VALUE, {"value(episode.observations[:-1])": "5 * value(episode.observations[:-1])", LEARNS: FIVE_TIMES}),
        (VALUE, {STEP: f"    A = (A - A.mean()) / (A.std() + 1e-8)\n{STEP}"}),
    ],
)
def test_other_right_choices_pass(notebook: str, changes: dict[str, str]) -> None:
    assert judged(notebook, changes).kind == RIGHT
