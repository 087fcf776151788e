"""How fast the widgets answer in a real JupyterLab: `python tests/bench_latency.py`.

Prints, as median and 95th percentile, the time from a key on a slider to the new picture, decoded in the browser, and
from a key on a knob, while training runs, to the first update made with it. Aims: 50 and 100 ms. Needs what
test_browser.py needs.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from lab import CHROMIUM, QUIET, NotebookPage, jupyter_lab, write_notebook
from playwright.sync_api import sync_playwright

PRESSES = 60
EXPLORER = """
import numpy as np
from pglesson.explorer import Explorer
x = np.linspace(-3, 3, 200)
def draw(axes, mu):
    axes[0].plot(x, np.exp(-((x - mu) ** 2)))
    axes[1].bar(range(3), [mu, 1, 2])
    axes[0].set_title(f"mu = {mu:.2f}")
Explorer(draw, columns=2, mu=(-2.0, 2.0, -2.0))
"""
DASHBOARD = """
from pglesson import Settings
from pglesson.dashboards import Dashboard
box = Dashboard(Settings(runs=10, updates=100_000))
box
"""
# resolves, with the milliseconds that passed, when the first picture of the notebook has changed and is decoded
PICTURE = """() => { const image = document.querySelector('.jp-OutputArea img.widget-image'), begun = performance.now();
    window.answered = new Promise(done => { new MutationObserver((_, seen) => { seen.disconnect();
        image.decode().then(() => done(performance.now() - begun)); }).observe(image, {attributes: true}); }); }"""


def slider_to_picture(notebook: NotebookPage) -> list[float]:
    """Milliseconds from a key on the slider to the picture that it asks for, for each of PRESSES keys."""
    handle, times = notebook.page.locator(".noUi-handle").first, []
    for _ in range(PRESSES):
        handle.focus()
        notebook.page.evaluate(PICTURE)
        notebook.page.keyboard.press("ArrowRight")
        times.append(float(notebook.page.evaluate("() => window.answered")))
        notebook.page.wait_for_timeout(150)
    return times


def knob_to_update(notebook: NotebookPage) -> list[float]:
    """Milliseconds from a key on the learning rate to an update with it, asked for over and over."""
    notebook.click_button("Start")
    notebook.wait_until_asked("len(box.updates) > 5", True)
    handle, times = notebook.page.locator(".jp-OutputArea .noUi-handle").nth(1), []
    for press in range(PRESSES):
        handle.focus()
        before, begun = notebook.ask("box.updates[-1].knobs['learning_rate']"), time.perf_counter()
        notebook.page.keyboard.press("ArrowLeft" if press % 2 else "ArrowRight")
        while notebook.ask("box.updates[-1].knobs['learning_rate']") == before:
            pass
        times.append(1000 * (time.perf_counter() - begun))
        notebook.page.wait_for_timeout(150)
    return times


def summary(name: str, times: list[float]) -> str:
    """A line of the table."""
    return f"{name:24} {statistics.median(times):6.0f} ms {statistics.quantiles(times, n=20)[-1]:6.0f} ms"


def main() -> None:
    measured: dict[str, Any] = {"slider to picture": slider_to_picture, "knob to update": knob_to_update}
    with tempfile.TemporaryDirectory() as folder, jupyter_lab(Path(folder)) as address, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        print(f"{'':24} {'median':>9} {'95 %':>9}")
        for (name, measure), source in zip(measured.items(), (EXPLORER, DASHBOARD)):
            write_notebook(Path(folder, "latency.ipynb"), source)
            notebook = NotebookPage(browser, address, "latency.ipynb")
            notebook.run_all()
            print(summary(name, measure(notebook)), flush=True)
            notebook.close()
        browser.close()


if __name__ == "__main__":
    main()
