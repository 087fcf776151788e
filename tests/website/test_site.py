"""The lesson as a static site: a small notebook is built twice, as scripts/build_site.py builds the lesson."""

from __future__ import annotations

import hashlib
import html
import json
import math
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import yaml
from build_site import CACHE, OUT, ROOT, WEBSITE
from PIL import Image
from rebuild_notebooks import KERNEL

from pglesson.analysis.plots import describe
from pglesson.exercises import Exercises
from pglesson.widgets import Explorer
from pglesson.widgets.patients import CAUSES, PATIENTS, explain

sys.path.insert(0, str(WEBSITE))
import exercise_pages  # noqa: F401  for the tests in the browser
import explorers
import formulas
import frames
import live_outputs
import microscopes

NAME = "02_softmax_policies"
SETUP = f"""from pglesson import Settings
from pglesson.exercises import Exercises
from pglesson.widgets import Clinic, Dashboard, Explorer, MicroscopeView
exercises = Exercises({NAME!r})"""
DRAW = """def draw(axes, mean=0.0, width=1.0, shape="round", filled=False):
    axes.set(xlim=(-3, 3), ylim=(-3, 3))
    axes.plot([mean - width, mean + width], [0, 1], "o" if shape == "round" else "s")
    axes.fill_between([mean - width, mean + width], [-1 if filled else 0] * 2)"""
GRID = "Explorer(draw, size=(3, 2), drag=lambda x, y: {'mean': x}, mean=(-2.0, 2.0, 0.5), shape=['round', 'square'])"
ALONE = (
    "Explorer(draw, size=(3, 2), mean=(-2.0, 2.0, 0.5), width=(1.0, 2.0, 1.5), filled=True, shape=['round', 'square'])"
)
PRESSED = (
    "Explorer(draw, size=(3, 2), drag=lambda x, y: {'mean': x, 'width': 1 + abs(y) / 3}, "
    "mean=(-2.0, 2.0, 0.5), width=(1.0, 2.0, 1.5), shape=['round', 'square'], filled=True)"
)
MICROSCOPE = (
    "MicroscopeView(Settings(env='pglesson/ShortCorridor-v0', episodes=8, max_steps=20), episodes=64, "
    "normalizations=('none',), baselines=('none', 'time_mean'))"
)
CLINIC = """import pglesson.widgets.clinic
pglesson.widgets.clinic.PATIENTS = pglesson.widgets.clinic.PATIENTS[:2]
Clinic()"""
DASHBOARD = "Dashboard(Settings(env='pglesson/RockPaperScissors-v0', hidden=(), runs=2, episodes=2, updates=2))"


def notebook() -> nbformat.NotebookNode:
    """Three explorers, one below a prediction, a microscope, a clinic, a dashboard, a formula, and two exercises."""
    made = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}})

    def text(id_: str, source: str) -> None:
        made.cells.append(nbformat.v4.new_markdown_cell(source, id=id_))

    def code(id_: str, source: str, result: str = "", *tags: str) -> None:
        outputs = [nbformat.v4.new_output("execute_result", {"text/plain": result})] if result else []
        metadata = nbformat.from_dict({"tags": list(tags)})
        made.cells.append(nbformat.v4.new_code_cell(source, id=id_, outputs=outputs, metadata=metadata))

    text("title", "# A small page\n\n**In about one minute you will be able to** see it. It has $\\pi(a)$.")
    code("setup", SETUP)
    code("draw", DRAW)
    code("grid", GRID, "<Explorer: mean, shape>")
    code("alone", f"# Draws a bar\n{ALONE}", "<Explorer: mean, width, filled, shape>", "hide-input", "hide-output")
    code("pressed", PRESSED, "<Explorer: mean, width, shape, filled>")
    code("microscope", MICROSCOPE, "<Microscope>")
    code("clinic", CLINIC, "<Clinic>")
    code("dashboard", DASHBOARD, "<Dashboard>")
    code("stored", "print(1)", "as it was stored")
    for name in ("predict", "log_policy"):
        code(f"exercise-{name.replace('_', '-')}", "answer = ...")
        code(f"exercise-{name.replace('_', '-')}-check", f"exercises.{name}.check(answer)", "Not attempted: ...")
    return made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    nbformat.write(notebook(), folder / f"{NAME}.ipynb")
    for out in ("once", "twice"):
        command = [sys.executable, str(ROOT / "scripts" / "build_site.py"), str(folder / f"{NAME}.ipynb")]
        places = ["--out", str(folder / out), "--cache", str(folder / f"{out}-drawn")]
        subprocess.run([*command, *places, "--repository", "https://github.com/someone/fork"], check=True)
    return folder


def page(site: Path) -> str:
    return (site / "once" / f"{NAME}.html").read_text(encoding="utf-8")


def data(site: Path, kind: str) -> list[dict[str, Any]]:
    """What the scripts of the page are given."""
    found = re.findall(rf'<div class="{kind}">.*?<script type="application/json">(.*?)</script>', page(site), re.DOTALL)
    return [json.loads(text) for text in found]


def pictures(site: Path, stored: dict[str, Any]) -> list[np.ndarray[Any, Any]]:
    """All pictures of an explorer or microscope, from its strips."""
    found, height, strips = [], stored["height"], range(math.ceil(len(stored["places"]) / stored["per_strip"]))
    for strip in strips:
        opened = Image.open(site / "once" / "frames" / f"{stored['name']}-{strip}.webp").convert("RGB")
        pixels = np.asarray(opened).astype(int)
        found += [pixels[top : top + height] for top in range(0, len(pixels), height)]
    assert len(found) == len(stored["places"])
    return found


def words(stored: dict[str, Any], number: int) -> str:
    return ". ".join(stored["sentences"][each] for each in stored["words"][number])


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_it_is_built_twice_with_the_same_bytes(site: Path) -> None:
    assert digests(site / "once") == digests(site / "twice")


def scope(source: str) -> dict[str, Any]:
    """What is defined after the notebook's setup and a line."""
    names: dict[str, Any] = {}
    exec(f"{SETUP}\n{DRAW}\n{source}", names)
    return names


def explorer(source: str) -> Explorer:
    return scope(f"shown = {source}")["shown"]


@pytest.mark.parametrize(("number", "source", "grid"), [(0, GRID, True), (1, ALONE, False), (2, PRESSED, False)])
def test_every_picture_is_what_the_notebook_draws_there(site: Path, number: int, source: str, grid: bool) -> None:
    """The oracle is an explorer whose controls are set to the words that the page shows beside them."""
    stored, live = data(site, "live frames")[number], explorer(source)
    drawn = pictures(site, stored)
    sizes = [len(control["shown"]) for control in stored["controls"]]
    expected = np.prod(sizes) if grid else sum(sizes) - len(sizes) + 1
    assert len(drawn) >= expected and len(set(map(tuple, stored["places"]))) == len(drawn)
    for picture in {0, *range(1, len(drawn), 7), len(drawn) - 1}:
        for control, choice, shown in zip(live.controls.values(), stored["places"][picture], stored["controls"]):
            word, kind = shown["shown"][choice], shown["kind"]
            control.value = float(word) if kind == "slider" else word == "yes" if kind == "box" else word
        assert np.abs(drawn[picture] - np.asarray(live.canvas.buffer_rgba())[..., :3]).max() <= frames.STEP / 2
        assert words(stored, picture) == describe(live.figure)


def test_the_first_picture_is_the_notebooks_own(site: Path) -> None:
    stored = data(site, "live frames")[0]
    first = np.asarray(Image.open(site / "once" / "frames" / f"{stored['name']}.webp").convert("RGB")).astype(int)
    assert np.abs(first - np.asarray(explorer(GRID).canvas.buffer_rgba())[..., :3]).max() <= frames.STEP / 2
    assert (first[:5, :5] == 255).all()  # the page's white


def test_a_press_in_the_picture_moves_the_control_to_the_nearest_position(site: Path) -> None:
    """Oracle: the axes run from -3 to 3, so a third from the left is at -1."""
    grid, alone, pressed = data(site, "live frames")[:3]
    mouse, control = grid["mouse"], grid["controls"][0]
    for share, value in ((1 / 3, -1.0), (0.5, 0.0), (2 / 3, 1.0), (0.99, 2.0)):
        place, other = mouse["places"][int(share * mouse["columns"])]
        shown = [float(word) for word in control["shown"]]
        assert abs(shown[place] - value) <= max(np.diff(shown)) / 2 + 6 / mouse["columns"] and other is None
    assert alone["mouse"] is None
    starts = [control["start"] for control in pressed["controls"]]
    for cell in pressed["mouse"]["places"]:
        assert [start if at is None else at for at, start in zip(cell, starts)] in pressed["places"]


def test_a_grid_is_as_fine_as_the_number_of_pictures_allows() -> None:
    def sizes(pictures: int = 169, **controls: Any) -> tuple[list[int], bool]:
        drawn = Explorer(lambda axes, **_: None, size=(1, 1), **controls)
        _, values, grid = explorers.positions(drawn, pictures)
        return [len(each) for each in values], grid

    assert sizes(a=(0.0, 1.0, 0.5), b=(0.0, 1.0, 0.5)) == ([13, 13], True)
    assert sizes(a=(0.0, 1.0, 0.5), b=(0.0, 1.0, 0.5), pictures=80) == ([8, 8], True)
    assert sizes(a=(0.0, 1.0, 0.5), b=(0.0, 1.0, 0.5), pictures=40) == ([20, 20], False)
    assert sizes(a=(0.0, 1.0, 0.5), b=["x", "y", "z"]) == ([51, 3], True)
    assert sizes(a=(0, 3, 1), b=(0, 3, 1), c=(0, 3, 1)) == ([4, 4, 4], True)
    assert sizes(a=(0.0, 1.0, 0.5)) == ([50], True)
    assert sizes(a=["x", "y", "z"], b=True, c=False) == ([3, 2, 2], True)
    assert sizes(a=["x", "y", "z"], b=True, c=False, pictures=11) == ([3, 2, 2], False)
    assert sizes(a=(0.0, 1.0, 0.5), b=(0.0, 1.0, 0.5), c=(0.0, 1.0, 0.5)) == ([25, 25, 25], False)


def test_an_explorer_keeps_its_limit_of_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first picture is empty, and all others are not; what was drawn too large leaves no file behind."""
    noise = np.random.default_rng(0).uniform(size=(40, 50))
    drawn = Explorer(
        lambda axes, full=0.0, more=0.0: axes.imshow(noise * (full > 0), vmin=0, vmax=1),
        size=(2, 2),
        full=(0.0, 1.0, 0.05),
        more=(0.0, 1.0, 0.05),
    )
    explorers.page(drawn, tmp_path, "free")
    free = {file.name: file.stat().st_size for file in tmp_path.iterdir()}
    monkeypatch.setattr(explorers, "BYTES", sum(free.values()) // 2)
    explorers.page(drawn, tmp_path, "held")
    held = {file.name: file.stat().st_size for file in tmp_path.glob("held*")}
    assert sum(free.values()) / 10 < sum(held.values()) <= sum(free.values()) // 2
    monkeypatch.setattr(explorers, "BYTES", 5_000)
    with pytest.raises(ValueError, match="more than 5000 bytes together"):
        explorers.page(drawn, tmp_path, "never")
    assert not list(tmp_path.glob("never*"))


def test_a_microscope_shows_all_choices_of_several_looks(site: Path) -> None:
    """The oracle is a microscope that looks as often, with the choices that the page shows."""
    stored, view = data(site, "live frames")[3], scope(f"shown = {MICROSCOPE}")["shown"]
    drawn, present = pictures(site, stored), 0
    for picture in (0, len(drawn) - 1):
        baseline, look = stored["places"][picture]
        for _ in range(look - present):
            view.look()
        present = look
        view.baseline.value = stored["controls"][0]["shown"][baseline].replace(" ", "_")
        view.redraw()
        assert np.abs(drawn[picture] - np.asarray(view.canvas.buffer_rgba())[..., :3]).max() <= frames.STEP / 2
        assert stored["status"][picture] == html.unescape(view.status.value)
    assert present == len(microscopes.LOOKS) - 1


def test_the_clinic_says_of_every_diagnosis_what_the_notebook_says(site: Path) -> None:
    (stored,) = data(site, "live clinic")
    assert stored["count"] == "0 of 2 diagnosed" and len(stored["causes"]) == len(CAUSES) + 1
    for shown, patient in zip(stored["patients"], PATIENTS):
        assert shown["said"] == {key: explain(patient, key) for key in CAUSES} | {
            "": "Choose a cause from the list first."
        }
        assert shown["right"] == patient.cause
        assert len(np.unique(Image.open(site / "once" / "frames" / shown["picture"]).convert("L"))) > 20


class Links(HTMLParser):
    """What a page loads: scripts, style sheets, pictures, frames."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "link" and given.get("rel") not in ("stylesheet", "icon"):
            return
        if tag in ("script", "img", "iframe", "source", "link"):
            self.loaded += [value for name in ("src", "href") if (value := given.get(name))]


def test_nothing_is_loaded_from_elsewhere_and_everything_is_there(site: Path) -> None:
    for path in (site / "once").glob("*.html"):
        links = Links()
        links.feed(path.read_text(encoding="utf-8"))
        assert links.loaded
        for link in links.loaded:
            assert not re.match(r"(https?:)?//", link), link
            assert link.startswith("data:") or (path.parent / link.partition("?")[0]).is_file(), link
    for path in (site / "once" / "_static").rglob("*.css"):
        assert not re.search(r"url\(['\"]?https?:|@import ['\"]?https?:", path.read_text(encoding="utf-8")), path


def test_a_formula_is_typeset_when_built_and_read_by_screen_readers(site: Path) -> None:
    """What is seen stands in the style sheet, by the codes of letters, so MathML is all that there is to read."""
    shown = re.search(r'<span class="math">(.*?)</mjx-container></span>', page(site), re.DOTALL)
    assert shown is not None and 'aria-hidden="true"' in shown[1]
    assert re.sub(r"<[^>]*>", "", shown[1]) == "π(a)" and "<mi>π</mi>" in shown[1]
    (code,) = re.findall(r'<mjx-c class="mjx-c(1D70B) TEX-I">', shown[1])
    assert chr(int(code, 16)) == "\N{MATHEMATICAL ITALIC SMALL PI}"
    styles = (site / "once" / "_static" / formulas.STYLES).read_text(encoding="utf-8")
    assert f"mjx-c.mjx-c{code}.TEX-I::before" in styles
    fonts = re.findall(r'url\("(.*?)"\)', styles)
    assert fonts and all((site / "once" / "_static" / font).is_file() for font in fonts)


def test_a_formula_that_cannot_be_read_stops_the_build() -> None:
    with pytest.raises(ValueError, match=r"cannot read the formula '\\\\frac\{1'"):
        formulas.MathJax().typeset(r"\frac{1", display=False)


def test_stored_outputs_stay_and_folded_cells_say_what_they_hold(site: Path) -> None:
    text = page(site)
    assert "as it was stored" in text and "Draws a bar: output" in text
    assert "mybinder.org/v2/gh/someone/fork/HEAD?labpath=notebooks%2F02_softmax_policies.ipynb" in text
    assert "colab.research.google.com/github/someone/fork/blob/HEAD/notebooks/02_softmax_policies.ipynb" in text
    index = (site / "once" / "index.html").read_text(encoding="utf-8")
    assert "A small page" in index and "see it." in index and "jupyter" in index


def test_a_dashboard_is_shown_by_its_recordings(site: Path) -> None:
    """test_recordings.py compares their numbers with the engine's."""
    (stored,) = data(site, "live recording")
    assert [setting["words"] for setting in stored["settings"]][:2] == ["as it starts: beta 0", "beta 0.1"]
    assert (site / "once" / "frames" / f"{stored['name']}.js").is_file() and "ended, in numbers" in page(site)


def test_a_widget_that_cannot_be_drawn_stops_the_build() -> None:
    """IPython shows its words instead, and prints the error: a page would be without the widget, silently."""
    shown = nbformat.v4.new_output("display_data", {"text/plain": "<Dashboard>"})
    error = nbformat.v4.new_output("stream", name="stderr", text="KeyError: 'gone'")
    with pytest.raises(ValueError, match=r"'curves' could not be drawn\.\nKeyError: 'gone'"):
        live_outputs.drawn(nbformat.v4.new_code_cell(id="curves", outputs=[error, shown]))


def test_an_exercise_has_what_its_check_needs(site: Path) -> None:
    number, code = data(site, "exercise")
    exercise = Exercises(NAME).predict.exercise
    assert number["why"] == exercise.why and all(html.escape(hint) in page(site) for hint in exercise.hints)
    assert exercise.judge(number["number"]["right"]) is None
    for value, message in number["number"]["mistakes"]:
        assert exercise.judge(value).message == message
    assert "number" not in code and "choice" not in code
    assert "asks for code" in page(site)


def test_the_workflow_for_forks_builds_and_publishes_the_folder_that_the_command_fills() -> None:
    """Oracles: GitHub's rules for Pages (two permissions, one environment), and the command's own defaults."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "pages.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}
    job = workflow["jobs"]["pages"]
    assert job["environment"]["name"] == "github-pages"
    steps = {step.get("name", step.get("uses")): step for step in job["steps"]}
    command = next(step for step in job["steps"] if "build_site.py" in step.get("run", ""))
    assert command["env"] == {"PGLESSON_REPOSITORY": "${{ github.server_url }}/${{ github.repository }}"}
    (upload,) = [step for name, step in steps.items() if name.startswith("actions/upload-pages-artifact")]
    assert str(OUT.relative_to(ROOT)) == upload["with"]["path"]
    (cache,) = [step for name, step in steps.items() if name.startswith("actions/cache")]
    assert str(CACHE.relative_to(ROOT)) == cache["with"]["path"] and cache["with"]["restore-keys"] == "drawn-"
    names = [step.get("uses", "") for step in job["steps"]]
    assert names[-1].startswith("actions/deploy-pages") and job["steps"][-1]["id"] == "deployment"
