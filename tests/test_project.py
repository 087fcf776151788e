"""The project's files agree with each other, and the code keeps to its own style."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}  # where they differ from PyPI's


def pins(text: str) -> dict[str, str]:
    """Names without extras, and exact versions: "a[b]==1.0" or "  - a=1.0" -> {"a": "1.0"}."""
    return {m[1]: m[2] for m in re.finditer(r"^[\s-]*([\w-]+)(?:\[[\w-]+\])?==?([\d.]+)$", text, re.MULTILINE)}


def test_requirements_and_environment_name_the_same_versions():
    pip, conda = pins((ROOT / "requirements.txt").read_text()), pins((ROOT / "environment.yml").read_text())
    conda.pop("python")
    assert len(pip) == 11
    assert {CONDA_NAMES.get(name, name): version for name, version in pip.items()} == conda


def test_every_dependency_is_pinned_within_its_range():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pip = pins((ROOT / "requirements.txt").read_text())
    declared = [*project["dependencies"], *project["optional-dependencies"]["lesson"]]
    for requirement in declared:
        name, least = re.fullmatch(r"([\w-]+)(?:\[[\w-]+\])?>=([\d.]+)", requirement).groups()
        assert [int(n) for n in pip[name].split(".")] >= [int(n) for n in least.split(".")]


def test_the_readme_has_the_command_that_ci_runs():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    (command,) = [line for line in lines if line.endswith("-m pytest")]
    (opens,) = [line for line in lines if line.startswith("python3") and "jupyter lab" in line]
    assert command.startswith("python3 -m venv .venv && ") and opens.startswith("python3 -m venv .venv && ")
    assert "notebooks/00_start_here.ipynb" in opens
    for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", "\n".join(lines)):
        assert (ROOT / picture).is_file()


def test_ruff_is_content():
    ruff = shutil.which("ruff") or pytest.skip("ruff is not installed: pip install ruff")
    for arguments in (["check"], ["format", "--check"]):
        run = subprocess.run(
            [ruff, *arguments, "--no-cache", "pglesson", "tests"], cwd=ROOT, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stdout


def test_mypy_is_content():
    mypy = shutil.which("mypy") or pytest.skip("mypy is not installed: pip install mypy")
    run = subprocess.run(
        [mypy, "--python-executable", sys.executable, "--cache-dir", "/dev/null" if sys.platform != "win32" else "nul"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout
