"""How fast the widgets answer in a real JupyterLab: `python scripts/bench_latency.py`.

Prints, as median and 95th percentile, the time from a key on a slider to the new picture, decoded in the browser, and
from a key on a knob, while training runs, to the end of the first update made with it. The targets are 50 and 100 ms. A
knob takes effect at the next update, so its time includes half an update of waiting and a whole one. Then the dashboard
of notebook 00: the seconds of its 60 updates, and the pictures a second. Needs what tests/widgets/test_browser.py
needs.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from jupyter_page import CHROMIUM, QUIET, NotebookPage, jupyter_lab, write_notebook
from playwright.sync_api import sync_playwright

PRESSES = 60
EXPLORER = """
import numpy as np
from pglesson.widgets import Explorer
x = np.linspace(-3, 3, 200)
def draw(axes, mu):
    axes[0].plot(x, np.exp(-((x - mu) ** 2)))
    axes[1].bar(range(3), [mu, 1, 2])
    axes[0].set_title(f"mu = {mu:.2f}")
"""
STILL = """
    axes[0].set(xlim=(-3, 3), ylim=(0, 1.1))
    axes[1].set_ylim(-3, 3)
"""
SHOW = "\nExplorer(draw, columns=2, mu=(-2.0, 2.0, -2.0))"
DASHBOARD = """
import time
import numpy as np
from pglesson import Settings
from pglesson.widgets import Dashboard
ended = []
def clock(policy):
    ended.append(1000 * time.time())
    return np.zeros(box.settings.runs)
box = Dashboard(Settings(updates=100_000, SETTINGS), watch=clock)
box
"""
FLAGSHIP = """
from pglesson import Settings
from pglesson.widgets import Dashboard
box = Dashboard(Settings(runs=10, updates=60))
box
"""
# resolves to the milliseconds until the first picture, which is decoded before it is drawn, has been drawn anew
PICTURE = """() => { const picture = document.querySelector('.jp-OutputArea .pglesson-frame');
    const begun = performance.now();
    window.answered = new Promise(done => { new MutationObserver((_, seen) => { seen.disconnect();
        done(performance.now() - begun); }).observe(picture, {attributes: true, attributeFilter: ['width']}); }); }"""


def slider_to_picture(notebook: NotebookPage) -> list[float]:
    """Milliseconds from a key on the slider to the picture that it asks for, for each of PRESSES keys."""
    handle, times = notebook.page.get_by_role("slider").first, []
    for _ in range(PRESSES):
        handle.focus()
        notebook.page.evaluate(PICTURE)
        notebook.page.keyboard.press("ArrowRight")
        times.append(float(notebook.page.evaluate("() => window.answered")))
        notebook.page.wait_for_timeout(150)
    return times


def knob_to_update(notebook: NotebookPage) -> list[float]:
    """Milliseconds from a key on the learning rate to the end of the first update with it, by one clock.

    A press that no update answers before the next press but one is left out; `main` says how many these were.
    """
    notebook.click_button("Start")
    notebook.wait_until_asked("len(box.updates) > 5", True)
    handle, pressed = notebook.page.get_by_role("slider", name="alpha", exact=True), []
    for press in range(PRESSES):
        handle.focus()
        pressed.append(notebook.page.evaluate("() => Date.now()"))
        notebook.page.keyboard.press("ArrowLeft" if press % 2 else "ArrowRight")
        notebook.page.wait_for_timeout(600)
    notebook.click_button("Pause")
    ended = notebook.ask("ended")
    rates = notebook.ask("[update.live['learning_rate'] for update in box.updates]")
    first, times = rates[0], []
    for press, key in enumerate(pressed):
        limit = pressed[press + 2] if press + 2 < PRESSES else float("inf")
        answers = (t for t, rate in zip(ended, rates) if key < t < limit and (rate == first) == bool(press % 2))
        times += [t - key for t in [next(answers, None)] if t is not None]
    return times


# counts the pictures that the dashboard has shown, and keeps when the last one came
COUNT = """() => { const picture = document.querySelector('.jp-OutputArea .pglesson-frame'); window.pictures = 0;
    new MutationObserver(() => { window.pictures += 1; window.last = Date.now(); })
        .observe(picture, {attributes: true, attributeFilter: ['width']}); }"""


def flagship(notebook: NotebookPage) -> str:
    """The dashboard of notebook 00 from Start to its last picture: seconds, and pictures a second."""
    notebook.page.evaluate(COUNT)
    started = notebook.page.evaluate("() => Date.now()")
    notebook.click_button("Start")
    notebook.wait_until_asked("len(box.updates) == 60 and not box.running", True, 120)
    notebook.page.wait_for_timeout(500)
    seconds = (notebook.page.evaluate("() => window.last") - started) / 1000
    return f"60 updates in {seconds:.1f} s, {notebook.page.evaluate('() => window.pictures') / seconds:.1f} pictures/s"


SCENES: dict[str, tuple[Callable[[NotebookPage], list[float]], str]] = {
    "slider to picture, scales stay": (slider_to_picture, EXPLORER + STILL + SHOW),
    "slider to picture, scales move": (slider_to_picture, EXPLORER + SHOW),
    "knob to update, two rooms": (
        knob_to_update,
        DASHBOARD.replace("SETTINGS", "env='pglesson/TwoRooms-v0', runs=10, hidden=()"),
    ),
    "knob to update, 10 x CartPole": (knob_to_update, DASHBOARD.replace("SETTINGS", "runs=10")),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, jupyter_lab(Path(folder)) as address, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        print(f"{'':32} {'median':>9} {'95 %':>9}")
        for number, (name, (measure, source)) in enumerate(SCENES.items()):
            write_notebook(Path(folder, f"{number}.ipynb"), source)
            notebook = NotebookPage(browser, address, f"{number}.ipynb")
            notebook.run_all()
            times = measure(notebook)
            late = statistics.quantiles(times, n=20)[-1]
            missing = f", {PRESSES - len(times)} of {PRESSES} presses without an update" * (len(times) < PRESSES)
            print(f"{name:32} {statistics.median(times):6.0f} ms {late:6.0f} ms{missing}", flush=True)
            notebook.close()
        write_notebook(Path(folder, "flagship.ipynb"), FLAGSHIP)
        notebook = NotebookPage(browser, address, "flagship.ipynb")
        notebook.run_all()
        print(f"{'dashboard of notebook 00':32} {flagship(notebook)}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
