"""A learner's agent as a script: it runs alone, in a Python that does not find this package."""

from __future__ import annotations

import ast
import linecache
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pglesson.exercises.by_notebook import nb05_reinforce
from pglesson.exercises.framework import Exercises
from pglesson.exercises.script import script

WITHOUT_PACKAGE = "import sys; sys.modules['pglesson'] = None; import runpy; runpy.run_path({!r}, run_name='__main__')"


class Notebook:
    """Cells that are run one after another, as in a kernel."""

    def __init__(self, *cells: str) -> None:
        self.scope: dict[str, Any] = {"__name__": "__main__"}
        for number, source in enumerate(cells):
            self.run(source, f"<cell {id(self)} {number}>")

    def run(self, source: str, name: str) -> None:
        self.scope.setdefault("In", []).append(source)
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source.replace("%matplotlib inline", ""), name, "exec"), self.scope)

    def script(self, name: str = "train") -> str:
        return script(self.scope[name], "CartPole-v1", 3, (0, 1))


def output(source: str, folder: Path) -> str:
    """What a script prints where the package cannot be imported."""
    file = folder / "agent.py"
    file.write_text(source, encoding="utf-8")
    command = [sys.executable, "-W", "error", "-c", WITHOUT_PACKAGE.format(str(file))]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


PLAYS = """
def train(env_id, episodes, seed):
    return [float(seed + number) for number in range(episodes)]
"""
PRINTED = "seed 0: mean return of the last 3 of 3 episodes: 1.0\nseed 1: mean return of the last 3 of 3 episodes: 2.0\n"


def test_each_seed_is_trained_and_its_mean_return_printed(tmp_path: Path) -> None:
    assert output(Notebook(PLAYS).script(), tmp_path) == PRINTED


def test_it_holds_what_is_needed_from_any_cell_and_nothing_else(tmp_path: Path) -> None:
    notebook = Notebook(
        "%matplotlib inline\nimport math as m\nfrom collections import namedtuple\nimport torch\nfrom torch import nn\n"
        "from torch.distributions import Categorical as C\nSIZE = {'hidden': [2, 3]}\n"
        "unused = torch.ones(3)\nreturns = 5",
        "class Base(nn.Module):\n    def size(self):\n        return SIZE['hidden'][0] + m.floor(twice(0.5))\n",
        "def twice(x):\n    return 2 * x if x else half(x)\n\n\ndef half(x):\n    return twice(x) / 4\n",
        "Pair = namedtuple('Pair', 'one two')\nALPHA = torch.tensor(0.5)\n"
        "@torch.no_grad()\ndef mean(x):\n    return C(logits=torch.zeros(2)).probs.sum() * x\n\n"
        "class Policy(Base):\n    'of its own'\n\n    @property\n    def alpha(self):\n        return ALPHA\n\n"
        "def train(env_id, episodes, seed):\n    returns = []\n    for number in range(episodes):\n"
        "        pair = Pair(Policy().size(), Policy().alpha)\n"
        "        returns.append(mean(float(pair.one + number + seed - 3)).item())\n    return returns\n\n"
        "answer = train\nprint(answer('CartPole-v1', 1, 0))",
    )
    source = notebook.script()
    assert output(source, tmp_path) == PRINTED
    assert "unused" not in source and "answer" not in source and "returns = 5" not in source
    defined = [getattr(node, "name", None) for node in ast.parse(source).body if hasattr(node, "name")]
    assert defined.index("Base") < defined.index("Policy") < defined.index("train")
    assert source.count("import torch\n") == 1
    assert "from torch.distributions.categorical import Categorical as C" in source


HEAD = "def train(env_id, episodes, seed):\n    return"


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["import torch\nnetwork = torch.nn.Linear(1, 1)", f"{HEAD} network"], "uses network, a Linear"),
        (["from pglesson import reinforce", f"{HEAD} reinforce"], "uses reinforce, which is in pglesson"),
        (["import pglesson.envs", f"{HEAD} pglesson"], "uses pglesson, which is in pglesson"),
        (["train = lambda e, n, s: [1.0]"], "the source of <lambda> was not found"),
        (["class Agent:\n    def train(self, e, n, s): ...", "train = Agent().train"], "the answer is a method"),
    ],
)
def test_what_a_script_would_not_find_is_refused(cells: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Notebook(*cells).script()


def test_only_a_right_answer_is_saved_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    attempt = Exercises("05_reinforce").agent
    assert "solve the exercise agent first" in attempt.save_script("my_agent.py", "CartPole-v1", 3).message
    notebook = Notebook("import torch", nb05_reinforce.AGENT.solution)
    attempt.check(notebook.scope["answer"])
    Path("my_agent.py").write_text("mine", encoding="utf-8")
    for _ in range(2):
        assert repr(attempt.save_script("my_agent.py", "CartPole-v1", 3)).startswith("Saved: ")
    assert Path("my_agent_before.py").read_text(encoding="utf-8") == "mine"
    assert "import torch\n" in Path("my_agent.py").read_text(encoding="utf-8")


def saved_agents() -> list[Any]:
    """Every solution of an exercise whose notebook saves it as a script: (notebook, exercise, the call)."""
    import nbformat

    found = []
    for path in sorted(Path(__file__).parents[2].glob("notebooks/*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for call in re.finditer(r"exercises\.(\w+)\.save_script\((.*)\)", cell.source):
                found.append(pytest.param(path.stem, *call.groups(), id=f"{path.stem[:2]}-{call[1]}"))
    return found


@pytest.mark.parametrize(("notebook", "exercise", "arguments"), saved_agents())
def test_the_solutions_that_a_notebook_saves_run_alone(
    notebook: str, exercise: str, arguments: str, tmp_path: Path
) -> None:
    """With the notebook's own call, but for its number of episodes, and one seed."""
    (attempt,) = [attempt for attempt in Exercises(notebook) if attempt.exercise.name == exercise]
    cells = Notebook("import numpy as np\nimport torch", attempt.exercise.solution)
    call = ast.parse(f"f({arguments})").body[0].value  # type: ignore[attr-defined]
    env_id = ast.literal_eval(call.args[1])
    printed = output(script(cells.scope["answer"], env_id, 5, (0,)), tmp_path)
    assert re.fullmatch(r"seed 0: mean return of the last 5 of 5 episodes: -?\d+\.\d\n", printed)
