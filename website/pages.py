"""What the site's pages say that the notebooks do not, and what they leave out."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import exercise_pages
import nbformat

from pglesson.exercises.framework import exercises_of
from pglesson.exercises.grading import cell_id, exercises_in

ROOT = Path(__file__).parents[1]


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
        if cell.source.strip() == "exercises.progress()":  # of a kernel
            cell.metadata["tags"] = [*tags, "remove-cell"]
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


def owner_of(repository: str) -> str:
    """The owner and the name of a repository on GitHub, from its address."""
    return repository.removeprefix("https://github.com/").strip("/")


def run_it_for_real(name: str, repository: str) -> Any:
    """The cell below a page's first one that says how the notebook is run."""
    links = ""
    if repository:
        binder = f"https://mybinder.org/v2/gh/{owner_of(repository)}/HEAD?labpath=notebooks%2F{name}.ipynb"
        colab = f"https://colab.research.google.com/github/{owner_of(repository)}/blob/HEAD/notebooks/{name}.ipynb"
        links = f" Or run it on [Binder]({binder}) or [Colab]({colab}), which needs a [first cell](index.md)."
    text = (
        "```{note}\nThis page shows a stored notebook. Its explorers answer here, and its dashboards replay recorded "
        f"trainings; to train agents and to change code, [run the lesson](index.md) on your computer.{links}"
        '<span class="narrow"> Turn your phone for larger figures.</span>\n```'
    )
    return nbformat.v4.new_markdown_cell(text, id="run-it-for-real")


def index(notebooks: dict[str, Any], repository: str) -> str:
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
        f"in its folder, and paste this command.\n\n{command}\n\n{on_colab(repository)}```{{toctree}}\n:hidden:\n\n"
        + "\n".join(notebooks)
        + "\n```\n"
    )


def on_colab(repository: str) -> str:
    """What to put into a first cell there, which starts without this project."""
    if not repository:
        return ""
    return (
        "**On Colab**, add this as the first cell of a notebook, and run it:\n\n```ipython3\n"
        f"!git clone -q https://github.com/{owner_of(repository)} lesson && pip install -q ./lesson\n"
        "%cd lesson/notebooks\nfrom google.colab import output\n\noutput.enable_custom_widget_manager()\n```\n\n"
    )
