"""The learner's agents of 05 and 06: steps as the engine's, and a diff in 06 that leads from one to the other.

That the policy of 06's agent takes the engine's step is in test_agent_diffs.py.
"""

from __future__ import annotations

import ast
import copy
from typing import Any

import torch
from test_agent_diffs import GAMMA, blocks
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from pglesson import Baseline, Episodes, Settings, reinforce
from pglesson.baselines import ValueBaseline
from pglesson.exercises.by_notebook import nb05_reinforce as nb05
from pglesson.exercises.by_notebook import nb06_variance_and_baselines as nb06
from pglesson.optimization import make_optimizer


def defined(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(source, names)
    return names


class Nothing(Baseline):
    """No baseline; it keeps the episodes."""

    def predict(self, episodes: Episodes, returns: Tensor) -> Tensor:
        self.seen = episodes
        return torch.zeros_like(returns)


class Watched(ValueBaseline):
    """The engine's own, which keeps the episodes."""

    def learn(self, episodes: Episodes, targets: Tensor) -> None:
        self.seen = episodes
        super().learn(episodes, targets)


def played(episodes: Episodes) -> list[tuple[Tensor, Tensor, Tensor, bool]]:
    """Of each episode the observations, the last one included, actions, rewards, and whether it terminated."""
    found = []
    for k, length in enumerate(episodes.mask[0].sum(1).int().tolist()):
        seen = torch.cat([episodes.observations[0, k, :length], episodes.final_observations[0, k][None]])
        steps = episodes.actions[0, k, :length], episodes.rewards[0, k, :length].float()
        found.append((seen, *steps, bool(episodes.terminated[0, k])))
    return found


def weights(module: nn.Module) -> Tensor:
    return parameters_to_vector(module.parameters()).detach().clone()


def ascent(module: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(module.parameters(), lr=1.0)


def settings(episodes: int) -> Settings:
    plain = {"optimizer": "sgd", "learning_rate": 1.0, "normalization": "none", "baseline": "own", "gamma": GAMMA}
    return Settings(**plain, episodes=episodes, updates=1)


def test_the_policy_of_05_takes_the_engines_step() -> None:
    """One episode without a baseline. Oracle: the engine."""
    agent, baseline = defined(nb05.AGENT.solution), Nothing()
    torch.manual_seed(0)
    policy = agent["network"](4, 2)
    start, engines = weights(policy), copy.deepcopy(policy)
    list(reinforce(settings(1), engines, baseline=baseline))
    ((seen, actions, rewards, _),) = played(baseline.seen)
    agent["update"](policy, ascent(policy), (seen[:-1], actions, rewards), GAMMA)
    step = weights(engines) - start
    assert step.norm() > 1
    torch.testing.assert_close(weights(policy) - start, step, rtol=1e-4, atol=1e-5 * step.norm().item())


def test_the_value_of_06_takes_the_engines_step() -> None:
    """Four episodes. Oracle: the engine, whose loss divides by the number of episodes, and the agent's by that of all
    time steps, so that its step is shorter by the mean length of an episode."""
    agent = defined(nb06.AGENT.solution)
    torch.manual_seed(0)
    policy, value = agent["network"](4, 2), agent["network"](4, 1)
    start, engines = weights(value), copy.deepcopy(value)
    baseline = Watched(engines, make_optimizer("sgd", engines))
    baseline.learning_rate, baseline.steps = 1.0, 1
    list(reinforce(settings(4), copy.deepcopy(policy), baseline=baseline))
    batch = [agent["Episode"](*episode) for episode in played(baseline.seen)]
    agent["update"](policy, value, ascent(policy), ascent(value), batch, GAMMA, 1)
    step = (weights(engines) - start) * 4 / baseline.seen.mask.sum()
    assert step.norm() > 1
    torch.testing.assert_close(weights(value) - start, step, rtol=1e-4, atol=1e-5 * step.norm().item())


def code(source: str, *names: str) -> list[str]:
    """Functions as Python reads them, without docstrings."""
    found = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    for node in found.values():
        node.body = node.body[1:] if ast.get_docstring(node) else node.body
    return [ast.unparse(found[name]) for name in names]


def test_the_diff_of_06_leads_from_the_agent_of_05_to_that_of_06() -> None:
    (diff,) = blocks("06_variance_and_baselines")
    old, new = ("\n".join(line[1:] for line in diff.splitlines() if line[:1] != sign) for sign in "+-")
    assert code(old, "update") == code(nb05.AGENT.solution, "update")
    assert code(new, "judge", "update") == code(nb06.AGENT.solution, "judge", "update")
