"""Turns the stored notebooks into a static site, whose explorers answer without a kernel: python scripts/build_site.py

    python scripts/build_site.py [--out FOLDER] [--repository ADDRESS] [--cache FOLDER] [NAME or FILE ...]

build/site, or the folder after --out, then holds a page for each notebook, to be opened as files or served by any
server. The notebooks are run, to draw what is live in them; all other outputs are the stored ones. What was drawn is
kept in build/drawn, or the folder after --cache, until the notebook's code, the package or website/ changes. ADDRESS,
also read from PGLESSON_REPOSITORY, is a fork's own on GitHub, for the links that run a notebook there.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat

from pglesson.exercises.framework import exercises_of
from pglesson.exercises.grading import cell_id, exercises_in

ROOT = Path(__file__).parents[1]
WEBSITE, OUT, CACHE = ROOT / "website", ROOT / "build" / "site", ROOT / "build" / "drawn"
sys.path.insert(0, str(WEBSITE))
import exercise_pages  # noqa: E402
import stored_pictures  # noqa: E402
from live_outputs import with_live_outputs  # noqa: E402


def prepare(notebook: Any) -> None:
    """Says what is folded, in a page's words, lets exercises be answered, and leaves out bars of progress."""
    name = exercises_in(notebook)
    known = {f"{cell_id(exercise.name)}-check": exercise for exercise in exercises_of(name)} if name else {}
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        title = cell.source.partition("\n")[0].lstrip("# ") if "hide-input" in tags else ""
        prompt = f"{title}: {{type}}" if title else "Output: open it after your prediction"
        if {"hide-input", "hide-output"} & set(tags):
            cell.metadata["mystnb"] = {"code_prompt_show": prompt, "code_prompt_hide": prompt}
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if not shows_progress(output)]
        if exercise := known.get(cell.id):
            cell.metadata["tags"] = [*tags, "remove-input"]
            data = {"text/html": exercise_pages.markup(exercise)}
            cell.outputs = [nbformat.v4.new_output("display_data", data)]


def shows_progress(output: Any) -> bool:
    return "".join(output.get("data", {}).get("text/plain", "")).startswith("<progress of ")


def bring_files(notebook: Any, source: Path) -> None:
    """Copies the project's files to which a notebook links beside the page."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for name in re.findall(r"\]\(\.\./([^)]+)\)", cell.source):
                (source / name).parent.mkdir(exist_ok=True)
                shutil.copy(ROOT / name, source / name)
            cell.source = cell.source.replace("](../", "](")


def run_it_for_real(name: str, repository: str) -> Any:
    """The cell below a page's first one that says how the notebook is run."""
    links = ""
    if repository:
        owner = repository.removeprefix("https://github.com/").strip("/")
        binder = f"https://mybinder.org/v2/gh/{owner}/HEAD?labpath=notebooks%2F{name}.ipynb"
        colab = f"https://colab.research.google.com/github/{owner}/blob/HEAD/notebooks/{name}.ipynb"
        links = f" Or run it on [Binder]({binder}) or [Colab]({colab})."
    text = (
        "```{note}\nThis page shows a stored notebook. Its explorers answer here, and its dashboards replay recorded "
        f"trainings; to train agents and to change code, [run the lesson](index.md) on your computer.{links}"
        '<span class="narrow"> Turn your phone for larger figures.</span>\n```'
    )
    return nbformat.v4.new_markdown_cell(text, id="run-it-for-real")


def index(notebooks: dict[str, Any]) -> str:
    """The first page: the map of the lesson, and how it is run for real, in the README's words."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    start = readme.index("**Open the lesson**")
    command = readme[start : readme.index("```", readme.index("```", start) + 3) + 3]
    rows = []
    for name, notebook in notebooks.items():
        title, _, promise = notebook.cells[0].source.partition("\n")
        rows.append(f"- [{title.lstrip('# ')}]({name}.ipynb): {' '.join(promise.split('**')[1:3])}".split("\n")[0])
    return (
        "# Policy gradient methods, hands on\n\nMove a slider and see the policy, the gradient or the learning curve "
        "answer at once. The pages show the lesson's notebooks; what needs a kernel answers from pictures that were "
        "drawn in advance.\n\n" + "\n".join(rows) + "\n\n## Run it for real\n\nDownload the lesson, open a terminal "
        f"in its folder, and paste this command.\n\n{command}\n\n```{{toctree}}\n:hidden:\n\n"
        + "\n".join(notebooks)
        + "\n```\n"
    )


def build(paths: list[Path], out: Path, repository: str, cache: Path, workers: int) -> None:
    """Builds the site of these notebooks into a folder, which is replaced."""
    with tempfile.TemporaryDirectory() as place:
        source = Path(place, "source")
        pictures = Path(place, "extra", "frames")
        source.mkdir()
        pictures.mkdir(parents=True)
        with ThreadPoolExecutor(workers) as pool:
            notebooks = list(pool.map(lambda path: with_live_outputs(path, pictures, cache), paths))
        stored: dict[str, Any] = {}
        for path, notebook in zip(paths, notebooks):
            prepare(notebook)
            bring_files(notebook, source)
            stored_pictures.bring(notebook, pictures, path.stem[:2])
            stored[path.stem] = notebook
        (source / "index.md").write_text(index(stored), encoding="utf-8")
        for path, notebook in zip(paths, notebooks):
            notebook.cells.insert(1, run_it_for_real(path.stem, repository))
            nbformat.write(notebook, source / path.name)
        built = Path(place, "site")
        command = [sys.executable, "-m", "sphinx", "-q", "-c", str(WEBSITE), "-d", str(Path(place, "doctrees"))]
        extra = ["-D", f"html_extra_path={pictures.parent}"]
        # a part of the lesson links to pages that are not there
        extra += (
            ["-W"]
            if len(paths) == len(list(path.parent.glob("*.ipynb")))
            else ["-D", "suppress_warnings=myst.xref_missing"]
        )
        subprocess.run([*command, *extra, str(source), str(built)], check=True)
        (built / ".buildinfo").unlink()  # holds the paths of this build
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(built, out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--repository", default=os.environ.get("PGLESSON_REPOSITORY", ""))
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    chosen = [
        path if (path := Path(name)).is_file() else ROOT / "notebooks" / f"{path.stem}.ipynb" for name in given.names
    ]
    build(
        chosen or sorted((ROOT / "notebooks").glob("*.ipynb")), given.out, given.repository, given.cache, given.workers
    )
