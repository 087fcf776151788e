"""The project's files agree with each other, and the code keeps to its own style."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import metadata, packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
COMPILED = ("torch", "numpy", "matplotlib", "pillow", "pygame-ce")
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}  # where they differ from PyPI's


def workflow() -> dict[str, Any]:
    """The GitHub Actions workflow; PyYAML reads its key `on` as True."""
    return yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))


def pins(text: str) -> dict[str, str]:
    """Names without extras, and exact versions: "a[b]==1.0" or "  - a=1.0" -> {"a": "1.0"}."""
    return {m[1]: m[2] for m in re.finditer(r"^[\s-]*([\w-]+)(?:\[[\w-]+\])?==?([\d.]+)$", text, re.MULTILINE)}


def test_requirements_and_environment_name_the_same_versions():
    pip, conda = pins((ROOT / "requirements.txt").read_text()), pins((ROOT / "environment.yml").read_text())
    conda.pop("python")
    assert len(pip) == 23
    assert {CONDA_NAMES.get(name, name): version for name, version in pip.items()} == conda


def test_every_dependency_is_pinned_within_its_range():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pip = pins((ROOT / "requirements.txt").read_text())
    options = project["optional-dependencies"]
    declared = [*project["dependencies"], *options["lesson"], *options["site"]]
    for requirement in declared:
        name, least = re.fullmatch(r"([\w-]+)(?:\[[\w-]+\])?>=([\d.]+)", requirement).groups()
        assert [int(n) for n in pip[name].split(".")] >= [int(n) for n in least.split(".")]


def test_every_package_that_is_imported_is_declared():
    """Oracle: the import statements, wherever they stand, and which distribution each package came with."""
    imported = set()
    for path in (ROOT / "pglesson").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.partition(".")[0])
    came_with = packages_distributions()
    needed = {came_with[name][0].lower() for name in imported - sys.stdlib_module_names - {"pglesson"}}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.match(r"[\w-]+", requirement)[0] for requirement in project["dependencies"]}
    assert needed == declared


def test_the_readme_has_the_command_that_ci_runs():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    (command,) = [line for line in lines if line.endswith("-m pytest")]
    (opens,) = [line for line in lines if line.startswith("python3") and "jupyter lab" in line]
    assert command.startswith("python3 -m venv .venv && ") and opens.startswith("python3 -m venv .venv && ")
    assert "notebooks/00_start_here.ipynb" in opens
    for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", "\n".join(lines)):
        assert (ROOT / picture).is_file()


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "docs/instructors_guide.md", "docs/implementation_details.md"]
)
def test_links_and_paths_in_the_texts_exist(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert ((ROOT / name).parent / target).exists(), target
    for path in re.findall(r"\b(?:pglesson|tests|scripts|docs|notebooks)/[\w/.*]*[\w/]", text):
        is_environment = re.match(r"pglesson/[A-Z]", path)  # such as pglesson/TwoRooms-v0
        assert is_environment or list(ROOT.glob(path.replace("nbNN", "nb[0-9][0-9]"))), path


def found(tool: str) -> str:
    """The tool beside the running Python, where pip puts it in an environment that is not activated, or on the path."""
    folders = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return shutil.which(tool, path=folders) or pytest.skip(f"{tool} is not installed: python -m pip install {tool}")


def test_a_tool_beside_the_running_python_is_found_before_one_on_the_path(tmp_path, monkeypatch):
    tools = [tmp_path / folder / ("ruff.exe" if os.name == "nt" else "ruff") for folder in ("environment", "path")]
    for tool in tools:
        tool.parent.mkdir()
        tool.touch(0o755)
    monkeypatch.setenv("PATH", str(tools[1].parent))
    monkeypatch.setattr(sys, "executable", str(tools[0].parent / "python"))
    for tool in tools:
        assert Path(found("ruff")).parent == tool.parent
        tool.unlink()
    with pytest.raises(pytest.skip.Exception, match="ruff is not installed"):
        found("ruff")


def test_ruff_is_content():
    ruff = found("ruff")
    for arguments in (["check"], ["format", "--check"]):
        run = subprocess.run(
            [ruff, *arguments, "--no-cache", "pglesson", "tests", "scripts", "examples"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stdout


def test_mypy_is_content():
    mypy = found("mypy")
    run = subprocess.run(
        [mypy, "--python-executable", sys.executable, "--cache-dir", "/dev/null" if sys.platform != "win32" else "nul"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout


def test_every_pinned_package_supports_the_pythons_that_forks_test():
    """Oracle: what the installed packages say of themselves; compiled ones name each version they are built for."""
    matrix = workflow()["jobs"]["tests"]["strategy"]["matrix"]["python"]
    for name in pins((ROOT / "requirements.txt").read_text()):
        package = metadata(name)
        for python in matrix:
            assert SpecifierSet(package["Requires-Python"] or "").contains(f"{python}.0"), (name, python)
            if name in COMPILED:
                assert f"Programming Language :: Python :: {python}" in package.get_all("Classifier"), (name, python)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={matrix[0]}"


def test_the_code_is_the_oldest_pythons():
    for path in (
        path for folder in ("pglesson", "tests", "scripts", "examples") for path in (ROOT / folder).rglob("*.py")
    ):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 11))


def test_forks_run_the_commands_that_are_run_here():
    steps = workflow()["jobs"]["tests"]["steps"]
    unix, windows = (step["run"].split("\n") for step in steps if "run" in step)
    assert unix == [".ci/run"] and os.access(ROOT / ".ci" / "run", os.X_OK)
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    (command,) = [line for line in lines if line.endswith("-m pytest")]
    translated = command.replace("python3 -m venv", "python -m venv").replace(
        ".venv/bin/python", ".venv\\Scripts\\python"
    )
    assert [line for line in windows if line] == translated.split(" && ")
    systems = workflow()["jobs"]["tests"]["strategy"]["matrix"]["os"]
    assert {name.partition("-")[0] for name in systems} == {"ubuntu", "macos", "windows"}
    assert "requirements.txt" in next(step for step in steps if "cache" in step.get("uses", ""))["with"]["key"]
