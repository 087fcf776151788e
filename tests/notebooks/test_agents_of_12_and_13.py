"""The learner's agents of 12 and 13: cells and solutions are what the diffs lead to, and learn as the engine.

That the policy takes the engine's step is in test_agent_diffs.py.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from test_agent_diffs import CHAIN, GAMMA, blocks, patched
from test_agents_of_05_and_06 import Watched, ascent, code, defined, played, settings, weights

from pglesson import reinforce
from pglesson.exercises.by_notebook import nb06_variance_and_baselines as nb06
from pglesson.exercises.by_notebook import nb12_actor_critic as nb12
from pglesson.exercises.by_notebook import nb13_trust_regions_and_ppo as nb13
from pglesson.optimization import make_optimizer

FUNCTIONS = ("network", "play", "sums_to_go", "judge", "update", "train")
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
AGENTS = {"12_actor_critic": nb12.AGENT, "13_trust_regions_and_ppo": nb13.AGENT}


def after_the_diffs(notebook: str) -> str:
    source = nb06.AGENT.solution
    names = [name for name, _ in CHAIN]
    for name in names[1 : names.index(notebook) + 1]:
        *_, diff = blocks(name)
        source = patched(source, diff)
    return source


@pytest.mark.parametrize("notebook", AGENTS)
def test_cells_and_solution_are_what_the_diffs_lead_to(notebook: str) -> None:
    cells = {cell.id: cell.source for cell in nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells}
    agent = code(after_the_diffs(notebook), *FUNCTIONS)
    assert code(f"{cells['agent-parts']}\n{cells['agent-update']}", *FUNCTIONS) == agent
    assert code(AGENTS[notebook].solution, *FUNCTIONS) == agent


@pytest.mark.parametrize("notebook", AGENTS)
def test_the_value_takes_the_engines_step(notebook: str) -> None:
    """Four episodes, of which some are cut off. Oracle: the engine, whose step is longer by the mean length of an
    episode (see 06). Without the value of what comes after a time-out the step is another one."""
    agent: dict[str, Any] = defined("import torch\n" + AGENTS[notebook].solution)
    torch.manual_seed(0)
    policy, value = agent["network"](4, 2), agent["network"](4, 1)
    start, engines = weights(value), copy.deepcopy(value)
    baseline = Watched(engines, make_optimizer("sgd", engines))
    baseline.learning_rate, baseline.steps = 1.0, 1
    asked = settings(4)
    asked.gae_lambda, asked.max_steps = 0.95, 18
    list(reinforce(asked, copy.deepcopy(policy), baseline=baseline))
    batch = [agent["Episode"](*episode) for episode in played(baseline.seen)]
    assert {episode.terminated for episode in batch} == {True, False}
    step = (weights(engines) - start) * 4 / baseline.seen.mask.sum()
    for ends, same in ((False, True), (True, False)):
        learner = copy.deepcopy(value)
        seen = [episode._replace(terminated=episode.terminated or ends) for episode in batch]
        agent["update"](copy.deepcopy(policy), learner, ascent(policy), ascent(learner), seen, GAMMA, 1)
        close = torch.allclose(weights(learner) - start, step, rtol=1e-4, atol=1e-5 * step.norm().item())
        assert close == same
