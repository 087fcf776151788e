"""The notebooks and the widgets where people use them: JupyterLab in Chromium, with mouse and keyboard.

Run with PGLESSON_BROWSER=some, or all for every notebook and a more patient monkey. Needs `pip install
playwright axe-playwright-python` and a Chromium from the system; skipped, with the reason, where either is missing.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from folding import HIDE_INPUT, fold
from jupyter_page import APP, CHROMIUM, QUIET, NotebookPage, jupyter_lab, write_notebook
from rebuild_notebooks import KERNEL

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
ASKED = os.environ.get("PGLESSON_BROWSER")
if ASKED not in ("some", "all"):
    pytest.skip("takes six minutes or more: set PGLESSON_BROWSER to some, or all", allow_module_level=True)
if CHROMIUM is None:
    pytest.skip(
        "no Chromium is installed: apt-get install chromium, or another browser of its kind", allow_module_level=True
    )

FOLDER = Path(__file__).parents[2] / "notebooks"
ALL = ASKED == "all"
CHOSEN = "" if ALL else ("00", "08", "11")  # with a widget of each kind
PRESSES = 500 if ALL else 120
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb") if path.name.startswith(CHOSEN))
SIZES = [(1280, 720), (768, 1024), (640, 450)]  # a projector, a tablet, and a laptop at a zoom of 200 %
NOT_OURS = {"image-alt": "JupyterLab 4 gives a stored picture no words; a widget's own picture has them, see below"}
KINDS = "button.jupyter-button, select, input[type=range], input[type=checkbox], input[type=text], input[type=number]"
TRAINING = '<span role="status">Training. Move any knob: it counts from the next update on.</span>'
OPERABLE = "e => e.isConnected && e.checkVisibility() && !e.disabled"
CONTROLS = f".jp-OutputArea :is({KINDS})"
KIND = "e => e.matches('button') ? 'button' : e.matches('select') ? 'list' : e.type"

WATCH = """
import ipywidgets as widgets
from pglesson.widgets.elements import Control

KNOWN = (Control, widgets.Button, widgets.Dropdown, widgets.Checkbox, widgets.ToggleButton, widgets.Text,
         widgets.IntText)

def descendants(widget):
    return [widget] + [w for child in getattr(widget, "children", ()) for w in descendants(child)]

def watch(box, part=""):
    left = set()
    for w in descendants(box):
        if getattr(w, "options", None) is not None and len(w.options) < 2:
            continue  # nothing to choose yet
        if isinstance(w, KNOWN) and part in (w.description + (w.tooltip or "")) and w.layout.display != "none":
            name = f"{type(w).__name__} {w.description or w.tooltip}"
            left.add(name)
            if isinstance(w, widgets.Button):
                w.on_click(lambda _, name=name: left.discard(name))
            else:
                w.observe(lambda _, name=name: left.discard(name), "value")
    return left
"""
BOXES = {
    "dashboard": """
from pglesson import Settings
from pglesson.widgets.dashboard import Dashboard
box = Dashboard(Settings(runs=2, episodes=4, updates=100_000), microscope=True)
""",
    "playground": """
from pglesson import Settings
from pglesson.widgets.playground import Playground
box = Playground(Settings(runs=2, episodes=4, updates=100_000))
""",
    "clinic": """
from pglesson.widgets.clinic import Clinic
box = Clinic()
""",
    "explorer": """
from pglesson.widgets.explorer import Explorer
controls = {"slope": (-1.0, 1.0, 0.0), "n": (1, 9, 3), "kind": ["a", "b"], "on": True}
box = Explorer(lambda axes, **values: axes.set_title(str(values)), **controls)
""",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the notebooks: JupyterLab saves what it shows."""
    copied = tmp_path_factory.mktemp("lab") / "notebooks"
    shutil.copytree(FOLDER, copied)
    for name, source in BOXES.items():
        write_notebook(copied / f"{name}.ipynb", WATCH, source, "left = watch(box)\nbox")
    return copied


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with jupyter_lab(folder) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Any]:
    """Opens notebooks by name, runs them, and closes them with their kernels after the test."""
    pages = []

    def run(name: str) -> NotebookPage:
        pages.append(NotebookPage(browser, address, name))
        pages[-1].run_all()
        return pages[-1]

    yield run
    for page in pages:
        page.close()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_and_shows_everything(name: str, opened: Any) -> None:
    """No console error, no request to elsewhere, no cell that raises, nothing cut off, nothing that axe-core finds."""
    notebook = opened(name)
    assert notebook.look_for_faults() == []
    for width, height in SIZES:
        notebook.resize(width, height)
        assert notebook.cut_off() == [], f"{width} x {height}"
    notebook.resize(*SIZES[0])
    shown = {"include": [[".jp-NotebookPanel .jp-OutputArea"], [".jp-NotebookPanel .jp-RenderedMarkdown"]]}
    rules = {"runOnly": ["wcag2a", "wcag2aa"]}
    violations = axe.Axe().run(notebook.page, context=shown, options=rules).response["violations"]
    found = [f"{v['id']}: {node['html'][:200]}" for v in violations if v["id"] not in NOT_OURS for node in v["nodes"]]
    assert found == []


def test_what_is_folded_opens_when_its_cell_is_run(browser: Any, address: str, folder: Path) -> None:
    """Beneath a prediction; collapsed code stays collapsed, and shows its first line."""
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    draw = nbformat.v4.new_code_cell("# Draws the answer\nprint('The answer is 42')", id="draw", execution_count=1)
    draw.metadata["tags"], draw.outputs = [HIDE_INPUT], [nbformat.v4.new_output("stream", text="The answer is 42\n")]
    notebook.cells = [nbformat.v4.new_markdown_cell("**Predict** the answer.", id="ask"), draw]
    fold(notebook)
    nbformat.write(notebook, folder / "folded.ipynb")
    opened = NotebookPage(browser, address, "folded.ipynb")
    answer = opened.page.get_by_text("The answer is 42")
    assert not answer.first.is_visible()
    assert opened.page.get_by_text("# Draws the answer").first.is_visible()
    opened.command("notebook:run-all-cells")
    opened.wait_until("document.querySelector('.jp-OutputArea-output')?.checkVisibility()", seconds=30)
    assert answer.first.is_visible() and opened.page.get_by_text("print(").count() == 0
    opened.close()


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
@pytest.mark.parametrize("name", BOXES)
def test_every_control_can_be_operated(name: str, by: str, opened: Any) -> None:
    """Oracle: the kernel, where each control strikes itself off a list when it hears of a press or of a new value."""
    notebook = opened(f"{name}.ipynb")
    assert len(notebook.ask("sorted(left)")) >= 3
    reached = 0
    controls = notebook.page.query_selector_all(CONTROLS)
    for tab in notebook.page.query_selector_all(".jp-OutputArea .lm-TabBar-tab") or [None]:
        if tab is not None:
            tab.click()
        while (control := next((each for each in controls if each.is_visible()), None)) is not None:
            controls.remove(control)
            if by == "keyboard":
                control.focus()
                assert control.evaluate("e => e === document.activeElement"), "the keyboard does not reach it"
            value = "e => e.options?.length > 1 || (e.type === 'range' && e.min < e.max) ? e.value : null"
            before = control.evaluate(value)
            operate(notebook, control, by, random.Random(0))
            assert before is None or control.evaluate(value) != before, "it stays where it was"
            if by == "keyboard" and control.evaluate("e => e.isConnected"):
                focused = notebook.page.evaluate("() => document.activeElement.outerHTML.slice(0, 300)")
                operated = control.evaluate("e => e.outerHTML.slice(0, 300)")
                assert control.evaluate("e => e === document.activeElement"), f"{operated} lost the focus to {focused}"
            reached += 1
    notebook.wait_until_asked("sorted(left)", [])
    if name == "playground":  # what a pinned run brings with it
        for part, selector in (
            ("which run to export", "select[title^='which run to']"),
            ("Remove", "button:has-text('Remove')"),
        ):
            number = notebook.ask(f"[box.step(), box.pin(), globals().update(left=watch(box, {part!r}))] and len(left)")
            operate(notebook, notebook.page.query_selector_all(f".jp-OutputArea {selector}")[-1], by, random.Random(0))
            notebook.wait_until_asked("len(left)", number - 1)
    assert reached >= 3 and notebook.look_for_faults() == []


def operate(notebook: NotebookPage, control: Any, by: str, luck: random.Random) -> None:
    """Does with a control what a person does, to give it another value than it has."""
    kind = control.evaluate(KIND)
    page = notebook.page
    if by == "mouse":
        # by clicks that wait until the control stands still, and make sure that it was hit: others come and go above it
        if kind == "range":
            low, now, high = control.evaluate("e => [e.min, e.value, e.max].map(Number)")
            width, height = control.evaluate("e => [e.clientWidth, e.clientHeight]")
            control.click(position={"x": (0.85 if now < (low + high) / 2 else 0.15) * width, "y": height / 2})
        elif kind == "list":
            options, now = control.evaluate("e => [e.options.length, e.selectedIndex]")
            control.select_option(index=(now + 1 + luck.randrange(max(options - 1, 1))) % options)
        else:
            control.click()
        if kind in ("text", "number"):
            change_text(page, control, kind)
        return
    control.focus()
    if kind == "range":
        last = control.evaluate("e => Number(e.value) >= Number(e.max)")
        page.keyboard.press("ArrowLeft" if last else "ArrowRight")
    elif kind == "list":
        last = control.evaluate("e => e.selectedIndex === e.options.length - 1")
        for key in ("Space", "ArrowUp" if last else "ArrowDown", "Enter"):  # JupyterLab takes arrows outside a list
            page.keyboard.press(key)
            page.wait_for_timeout(150)
    elif kind in ("button", "checkbox"):
        page.keyboard.press("Space")
    else:
        change_text(page, control, kind)


def change_text(page: Any, control: Any, kind: str) -> None:
    """Types something that a field of its kind takes, or a word that it refuses in a sentence."""
    text = control.input_value()
    page.keyboard.press("Control+a")
    if control.evaluate("e => e.matches('.pglesson-number')"):
        typed = "2" if text == "1" else "1"
    else:
        typed = str(int(text) + 1) if kind == "number" else "(8,)" if text.startswith("(") else "CartPole-v1"
    page.keyboard.type(typed)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("name", ["dashboard", "playground"])
def test_a_monkey_does_no_harm(name: str, opened: Any) -> None:
    """Presses random controls while training runs; afterwards it still trains, and no exception was shown."""
    notebook, luck, pressed = opened(f"{name}.ipynb"), random.Random(1), 0
    notebook.page.set_default_timeout(3_000)  # for a control that a press before this one has just switched off
    for press in range(PRESSES):
        if press % 20 == 0:  # a monkey that pauses, or has trained to the end, would sit beside a quiet dashboard
            notebook.ask("box.start()")
        control = luck.choice(notebook.page.query_selector_all(CONTROLS))
        if not control.evaluate(OPERABLE):
            continue
        try:
            operate(notebook, control, luck.choice(["mouse", "keyboard"]), luck)
        except playwright.TimeoutError:
            continue
        except playwright.Error:  # or has taken it away
            if control.evaluate(OPERABLE):
                raise
            continue
        pressed += 1
    notebook.page.set_default_timeout(30_000)
    assert pressed > PRESSES / 2
    assert notebook.look_for_faults() == []
    notebook.ask("box.pause()")
    notebook.page.wait_for_timeout(3_000)  # the last press may be on its way, such as the choice of another task
    notebook.ask("box.choose('CartPole-v1')")
    for button in ("Reset", "Start"):
        notebook.click_button(button)
    notebook.wait_until_asked("[len(box.updates) > 2 and box.running, box.status.value]", [True, TRAINING])
    assert notebook.look_for_faults() == []


def test_a_restarted_kernel_recovers(opened: Any) -> None:
    """Restart while a dashboard trains, then run all cells: the new dashboard trains too."""
    notebook = opened("dashboard.ipynb")
    notebook.click_button("Start")
    notebook.wait_until_asked("len(box.updates) > 2", True)
    notebook.restart()
    notebook.run_all()
    assert notebook.ask("len(box.updates)") == 0
    notebook.click_button("Start")
    notebook.wait_until_asked("len(box.updates) > 2", True)
    # JupyterLab may look once more for what the old outputs showed
    assert [fault for fault in notebook.look_for_faults() if "widget model not found" not in fault] == []


@pytest.mark.skipif(not ALL, reason="a test without a browser holds the order, too: see test_background.py")
def test_buttons_act_in_the_order_of_their_presses(opened: Any) -> None:
    """Reset and Start, while the kernel is busy. JupyterLab delivers one in the main thread, the other beside it."""
    notebook = opened("dashboard.ipynb")
    for button in ("Start", "Pause", "Start", "Pause"):  # only later presses come beside
        notebook.click_button(button)
        notebook.page.wait_for_timeout(500)
    kernel = f"{APP}.shell.currentWidget.sessionContext.session.kernel"
    busy = f"() => void {kernel}.requestExecute({{code: 'import time; time.sleep(2)'}})"
    notebook.page.evaluate(busy)
    for button in ("Reset", "Start"):
        notebook.click_button(button)
    notebook.wait_until_asked("[box.running, box.status.value]", [True, TRAINING])


@pytest.mark.parametrize("name", ["dashboard", "playground"])
def test_one_screen_shows_controls_curves_and_agent(name: str, opened: Any) -> None:
    """At 1280 x 720, from the first button to the last control of the agent; narrower, they stack."""
    notebook = opened(f"{name}.ipynb")
    parts = (".jp-OutputArea button:has-text('Start')", ".pglesson-frame", ".pglesson-film img", "input[type=checkbox]")
    for (width, height), beside in zip(SIZES, (True, False, False)):
        notebook.resize(width, height)
        places = [notebook.page.locator(part).first.bounding_box() for part in parts]
        bottom = max(place["y"] + place["height"] for place in places)
        if beside:
            panel = notebook.page.locator(".jp-NotebookPanel .jp-Notebook").bounding_box()
            assert bottom - places[0]["y"] < panel["height"]
        assert (places[2]["x"] > places[1]["x"] + places[1]["width"]) == beside
        assert notebook.cut_off() == []
        height = (
            "all => Math.max(...all.map(e => e.getBoundingClientRect().height))"  # it keeps its place, of two lines
        )
        assert notebook.page.locator(".jp-OutputArea .pglesson-status").evaluate_all(height) < 60
    if name == "playground":
        notebook.resize(*SIZES[0])
        notebook.click_button("Large type")
        notebook.page.wait_for_timeout(1000)
        places = [notebook.page.locator(part).first.bounding_box() for part in parts]
        assert max(place["y"] + place["height"] for place in places) - places[0]["y"] < panel["height"]


def test_names_and_values_are_spoken_and_typed_numbers_count(opened: Any) -> None:
    """Oracles: the browser's own accessibility tree, and the kernel."""
    notebook = opened("dashboard.ipynb")
    page = notebook.page
    for name, value in (("alpha", "0.03"), ("clipping", "off"), ("update", "0")):
        slider = page.get_by_role("slider", name=name, exact=True)
        assert slider.count() == 1 and slider.get_attribute("aria-valuetext") == value and slider.get_attribute("title")
    for name in ("task", "baseline", "normalization", "run"):
        assert page.get_by_role("combobox", name=name, exact=True).first.get_attribute("title")
    assert page.locator(".pglesson-frame").first.get_attribute("aria-label").startswith("What the agent earns.")
    typed = page.get_by_role("textbox", name="alpha, typed")
    for text, kept in (("0.05", 0.05), ("much", 0.05), ("-1", 0.05), ("0.1", 0.1)):
        typed.fill(text)
        typed.press("Enter")
        notebook.wait_until_asked("box.settings.learning_rate", kept)
        page.wait_for_timeout(300)
        assert typed.input_value() == f"{kept:g}"


def test_a_film_is_off_where_the_system_asks_for_less_motion(browser: Any, address: str) -> None:
    notebook = NotebookPage(browser, address, "dashboard.ipynb")
    notebook.page.emulate_media(reduced_motion="reduce")
    notebook.run_all()
    notebook.wait_until_asked("box.agent.live.value", False)
    notebook.click_button("Start")
    notebook.wait_until_asked("len(box.updates) > 5", True)
    assert not notebook.ask("box.agent.playing")
    notebook.close()


def test_the_present_agent_moves_while_training_runs(opened: Any) -> None:
    """The film's picture changes at least five times in a second, and its words name an update."""
    notebook = opened("dashboard.ipynb")
    notebook.click_button("Start")
    notebook.wait_until_asked("len(box.updates) > 2", True)
    count = """async () => { const image = document.querySelector('.pglesson-film img'); let seen = 0;
        new MutationObserver(() => { seen += 1; }).observe(image, {attributes: true, attributeFilter: ['src']});
        await new Promise(done => setTimeout(done, 3000)); return seen; }"""
    assert notebook.page.evaluate(count) >= 15
    assert "After update" in notebook.page.locator(".pglesson-film div").first.inner_text()


def test_the_keyboard_goes_through_a_dashboard_without_a_trap(opened: Any) -> None:
    """Tab reaches a control after another, and leaves the output at last."""
    notebook, seen = opened("dashboard.ipynb"), []
    notebook.page.locator(".jp-OutputArea select").first.focus()
    for _ in range(60):
        notebook.page.keyboard.press("Tab")
        inside = "e => e.closest('.jp-OutputArea') ? (e.ariaLabel || e.id || e.title || e.textContent) : null"
        if (reached := notebook.page.evaluate(f"({inside})(document.activeElement)")) is None:
            break
        seen.append(reached)
    else:
        raise AssertionError("Tab does not leave the output")
    assert len(seen) == len(set(seen)) >= 20


def test_a_mouse_drags_the_point_of_an_explorer(browser: Any, address: str, folder: Path) -> None:
    """At a size at which the picture is shown smaller than it was drawn, too; then it is as fine as the screen."""
    draw = "def draw(axes, x, y):\n    axes.plot(x, y, 'o')\n    axes.set(xlim=(0, 10), ylim=(0, 10))\n"
    make = "box = Explorer(draw, drag=lambda x, y: {'x': x, 'y': y}, x=(0.0, 10.0, 5.0, 0.1), y=(0.0, 10.0, 5.0, 0.1))"
    write_notebook(folder / "drag.ipynb", f"from pglesson.widgets import Explorer\n{draw}\n{make}\nbox")
    notebook = NotebookPage(browser, address, "drag.ipynb", scale=2)
    notebook.run_all()
    for width in (1280, 640):
        notebook.resize(width, 720)
        image = notebook.page.locator(".pglesson-frame")
        image.scroll_into_view_if_needed()
        frame = image.bounding_box()
        left, bottom, right, top = notebook.ask("box.figure.axes[0].get_position().extents.tolist()")
        x = frame["x"] + frame["width"] * (left + 0.3 * (right - left))
        y = frame["y"] + frame["height"] * (1 - bottom - 0.7 * (top - bottom))
        notebook.page.mouse.move(x + 40, y + 20)
        notebook.page.mouse.down()
        notebook.page.mouse.move(x, y, steps=5)
        notebook.page.mouse.up()
        notebook.wait_until_asked(
            "abs(box.controls['x'].value - 3) < 0.2 and abs(box.controls['y'].value - 7) < 0.2", True
        )
        shown = "document.querySelector('.pglesson-frame')"
        notebook.page.wait_for_function(f"() => Math.abs({shown}.width - 2 * {shown}.clientWidth) < 2")
    assert notebook.look_for_faults() == []
    notebook.close()
