"""The agent of 06 becomes that of later notebooks by the diffs which they show, each with the engine's gradient.

The last block of each notebook in `CHAIN` that begins with ```diff is applied as a patch is: its other lines must stand
in the agent as they are, in one place only. The result must still learn, and on the same episodes, with the same
weights, its policy must take the step that the engine takes with the same settings: the engine is the oracle.
"""

from __future__ import annotations

import copy
from inspect import signature
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from pglesson import Baseline, Episodes, Settings, reinforce
from pglesson.exercises.by_notebook.nb06_variance_and_baselines import AGENT

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CHAIN: list[tuple[str, dict[str, Any]]] = [  # notebook, and what the engine is set to besides what came before
    ("06_variance_and_baselines", {"normalization": "none"}),  # where the chain begins: no diff
    ("07_normalization_and_advantages", {"normalization": "batch"}),
    ("08_entropy_and_exploration", {"entropy_weight": 0.1}),
    ("10_tuning_and_debugging", {"max_grad_norm": 1.0}),
    ("12_actor_critic", {"gae_lambda": 0.95}),
    ("13_trust_regions_and_ppo", {"policy_epochs": 4, "clip_ratio": 0.2}),
]
GAMMA = 0.99


def blocks(name: str) -> list[str]:
    """The diffs that a notebook shows."""
    cells = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells
    parts = [part for cell in cells if cell.cell_type == "markdown" for part in cell.source.split("```diff\n")[1:]]
    return [part.split("\n```")[0] for part in parts]


def patched(source: str, diff: str) -> str:
    """The source after a diff, whose unchanged and removed lines must stand in it in one place; hunks begin with @@."""
    for hunk in diff.split("@@\n"):
        lines = hunk.splitlines()
        assert all(line[:1] in " +-" for line in lines), hunk
        assert lines[0].startswith(" ") and lines[-1].startswith(" "), f"unchanged lines stand around:\n{hunk}"
        old = "\n".join(line[1:] for line in lines if line[:1] != "+")
        new = "\n".join(line[1:] for line in lines if line[:1] != "-")
        found = f"\n{source}\n".count(f"\n{old}\n")
        assert found == 1, f"{found} places in the agent have the lines of:\n{hunk}"
        source = f"\n{source}\n".replace(f"\n{old}\n", f"\n{new}\n")[1:-1]
    return source


def agent(length: int) -> dict[str, Any]:
    """What the agent's source defines after so many links of the chain."""
    source = AGENT.solution
    for name, _ in CHAIN[1:length]:
        *_, diff = blocks(name)
        source = patched(source, diff)
    defined: dict[str, Any] = {"torch": torch}
    exec(source, defined)
    return defined


class OfTheAgent(Baseline):
    """The agent's own value network, which learns nothing here."""

    is_critic = True

    def __init__(self, value: nn.Module) -> None:
        self.value = value
        self.seen: list[Episodes] = []

    def predict(self, episodes: Episodes, returns: Tensor) -> Tensor:
        self.seen.append(episodes)
        with torch.no_grad():
            return self.value(episodes.observations)[..., 0]

    def predict_final(self, episodes: Episodes) -> Tensor:
        with torch.no_grad():
            return torch.where(episodes.terminated, 0.0, self.value(episodes.final_observations)[..., 0])


def steps(defined: dict[str, Any], length: int) -> tuple[Tensor, Tensor]:
    """How one update moves the policy's weights, by the agent and by the engine: plain ascent, alpha 1."""
    torch.manual_seed(0)
    policy, value = defined["network"](4, 2), defined["network"](4, 1)
    start, ours = parameters_to_vector(policy.parameters()).detach().clone(), copy.deepcopy(policy)
    asked = {key: setting for _, settings in CHAIN[:length] for key, setting in settings.items()}
    settings = Settings(
        optimizer="sgd", learning_rate=1.0, episodes=5, updates=1, gamma=GAMMA, baseline="own", max_steps=30, **asked
    )
    oracle = OfTheAgent(value)
    list(reinforce(settings, ours, baseline=oracle))

    (episodes,) = oracle.seen
    batch = []
    for k, count in enumerate(episodes.mask[0].sum(1).int().tolist()):
        seen = torch.cat([episodes.observations[0, k, :count], episodes.final_observations[0, k][None]])
        played = episodes.actions[0, k, :count], episodes.rewards[0, k, :count]
        batch.append(defined["Episode"](seen, *played, bool(episodes.terminated[0, k])))
    optimizers = (torch.optim.SGD(module.parameters(), lr=1.0) for module in (policy, value))
    whole = {"parts": 1} if "parts" in signature(defined["update"]).parameters else {}  # the engine has no minibatches
    defined["update"](policy, value, *optimizers, batch, GAMMA, 0, **whole)
    return tuple(parameters_to_vector(module.parameters()).detach() - start for module in (policy, ours))


@pytest.mark.parametrize("length", range(1, len(CHAIN) + 1), ids=[name for name, _ in CHAIN])
def test_each_diff_of_the_agent_gives_the_gradient_of_the_engine_with_the_same_setting(length: int) -> None:
    by_agent, by_engine = steps(agent(length), length)
    torch.testing.assert_close(by_agent, by_engine, rtol=1e-4, atol=1e-5 * by_engine.norm().item())
    if length > 1:  # and without this diff it does not
        before, _ = steps(agent(length - 1), length)
        assert (before - by_engine).norm() > 0.005 * by_engine.norm()  # fifty times the tolerance


def test_the_agent_after_all_diffs_learns() -> None:
    """Signals, best return 10, undecided agents 0 ± 0.5: the median over three seeds of the last fifty episodes."""
    train = agent(len(CHAIN))["train"]
    means = [np.mean(train("pglesson/Signals-v0", 300, seed)[-50:]) for seed in range(3)]
    assert np.median(means) > 6, means


def test_a_diff_that_does_not_fit_is_refused() -> None:
    source = "def f(x):\n    y = x\n    return y"
    assert patched(source, " def f(x):\n-    y = x\n+    y = 2 * x\n     return y") == source.replace(
        "y = x", "y = 2 * x"
    )
    with pytest.raises(AssertionError, match="0 places"):
        patched(source, " def f(z):\n+    z = 1\n     y = x")
    with pytest.raises(AssertionError, match="2 places"):
        patched(f"{source}\n{source}", "     y = x\n+    y = 1\n     return y")
