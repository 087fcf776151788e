"""The learner's Gaussian agent of 09: steps as the engine's, and a diff that leads from 06's agent to it."""

from __future__ import annotations

import copy
import re

import gymnasium
import pytest
import torch
from test_agent_diffs import GAMMA, blocks, patched
from test_agents_of_05_and_06 import Watched, ascent, code, defined, played, weights

from pglesson import Settings, reinforce
from pglesson.exercises.by_notebook import nb06_variance_and_baselines as nb06
from pglesson.exercises.by_notebook import nb09_continuous_control as nb09
from pglesson.optimization import make_optimizer


@pytest.mark.parametrize("task", ["Pendulum-v1", "pglesson/Levers-v0"])
def test_the_policy_takes_the_engines_step(task: str) -> None:
    """Four episodes, with one action dimension and with two. Oracle: the engine. The clipped actions, which only the
    environment should see, give another step."""
    agent, spaces = defined(nb09.GAUSSIAN_AGENT.solution), gymnasium.make(task)
    (numbers,), (actions,) = spaces.observation_space.shape, spaces.action_space.shape
    torch.manual_seed(0)
    policy, value = agent["GaussianPolicy"](numbers, actions), agent["network"](numbers, 1)
    start, engines, critic = weights(policy), copy.deepcopy(policy), copy.deepcopy(value)
    baseline = Watched(critic, make_optimizer("sgd", critic))
    plain = {"optimizer": "sgd", "learning_rate": 1.0, "normalization": "none", "baseline": "own", "gamma": GAMMA}
    list(reinforce(Settings(env=task, episodes=4, updates=1, max_steps=30, **plain), engines, baseline=baseline))
    step = weights(engines) - start

    batch = [agent["Episode"](*episode) for episode in played(baseline.seen)]
    low, high = (torch.as_tensor(bound) for bound in (spaces.action_space.low, spaces.action_space.high))
    clipped = [episode._replace(actions=episode.actions.clamp(low, high)) for episode in batch]
    assert any((one.actions != other.actions).any() for one, other in zip(batch, clipped))
    for seen, same in ((batch, True), (clipped, False)):
        learner = copy.deepcopy(policy)
        agent["update"](learner, value, ascent(learner), ascent(value), seen, GAMMA, 0)
        close = torch.allclose(weights(learner) - start, step, rtol=1e-4, atol=1e-5 * step.norm().item())
        assert close == same


def test_the_diff_leads_from_the_agent_of_06_to_that_of_09() -> None:
    """But for the class, which the text describes, and for the settings, which are train's default arguments."""
    (diff,) = blocks("09_continuous_control")
    names = "network", "play", "sums_to_go", "judge", "update", "train"
    found = code(patched(nb06.AGENT.solution, diff), *names), code(nb09.GAUSSIAN_AGENT.solution, *names)
    one, other = (re.sub(r"=[\d.]+(?=[,)])", "", "\n".join(functions)) for functions in found)
    assert one == other
