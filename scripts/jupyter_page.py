"""Runs a real JupyterLab on a free port of this machine, and operates its pages for tests and benchmarks."""

from __future__ import annotations

import ast
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbformat
from rebuild_notebooks import KERNEL

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [  # no requests to the network by the browser itself
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
APP = "(window.jupyterapp || window.jupyterlab)"
KERNEL_OF = "nb.sessionContext.session?.kernel"
IDLE = f"{KERNEL_OF}?.connectionStatus === 'connected' && {KERNEL_OF}.status === 'idle'"
SETTINGS = {  # of the extensions: no news, and every cell is in the page even while it is not visible
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
    "notebook-extension/tracker": '{"windowingMode": "none"}',
}


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@contextmanager
def jupyter_lab(folder: Path) -> Iterator[str]:
    """Runs JupyterLab in a folder, with its own settings; yields its address."""
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        for name, text in SETTINGS.items():
            path = Path(home, "settings", "@jupyterlab", f"{name}.jupyterlab-settings")
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
        own = {"CONFIG_DIR": home, "RUNTIME_DIR": f"{home}/runtime", "DATA_DIR": f"{home}/data"}
        lab = {"SETTINGS_DIR": f"{home}/settings", "WORKSPACES_DIR": f"{home}/workspaces"}
        environment = (
            dict(os.environ)
            | {f"JUPYTER_{k}": v for k, v in own.items()}
            | {f"JUPYTERLAB_{k}": v for k, v in lab.items()}
        )
        options = [
            "--no-browser",
            "--allow-root",
            "--ip=127.0.0.1",
            f"--port={port}",
            "--ServerApp.port_retries=0",
            "--IdentityProvider.token=",
            "--ServerApp.disable_check_xsrf=True",
            f"--ServerApp.root_dir={folder}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.news_url=",
        ]
        with open(Path(home, "log"), "w", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "jupyter", "lab", *options], stdout=log, stderr=log, env=environment
            )
            try:
                address = f"http://127.0.0.1:{port}"
                for _ in range(600):
                    if _answers(f"{address}/api"):
                        break
                    time.sleep(0.1)
                else:
                    raise RuntimeError(f"JupyterLab did not start: {Path(home, 'log').read_text(encoding='utf-8')}")
                yield address
            finally:
                process.terminate()
                process.wait(30)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=1):
            return True
    except OSError:
        return False


class NotebookPage:
    """One notebook in its own page, and the faults that the browser has reported."""

    def __init__(
        self, browser: Any, address: str, name: str, size: tuple[int, int] = (1280, 900), scale: float = 1
    ) -> None:
        self.faults: list[str] = []
        self.page = browser.new_page(viewport={"width": size[0], "height": size[1]}, device_scale_factor=scale)
        allowed = (address, address.replace("http", "ws"), "data:", "blob:")
        self.page.on("console", lambda m: self.faults.append(f"console: {m.text}") if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        self.page.on(
            "request", lambda r: None if r.url.startswith(allowed) else self.faults.append(f"left the machine: {r.url}")
        )
        # in a new workspace: the default one would reopen the notebooks of earlier pages
        self.page.goto(f"{address}/lab/workspaces/{uuid4()}/tree/{name}", wait_until="domcontentloaded", timeout=90_000)
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Notebook .jp-Cell", timeout=90_000)
        self.wait_until(IDLE)
        self.command("application:toggle-left-area")

    def wait_until(self, condition: str, seconds: float = 300) -> None:
        """Waits until a JavaScript expression of `nb`, the notebook's panel, has been true for half a second."""
        end, held = time.perf_counter() + seconds, 0
        while held < 5:
            assert time.perf_counter() < end, f"what was waited for did not happen: {condition}"
            self.page.wait_for_timeout(100)
            held = (
                held + 1
                if self.page.evaluate(f"() => {{ const nb = {APP}.shell.currentWidget; return {condition}; }}")
                else 0
            )

    def command(self, name: str) -> None:
        """Starts one of JupyterLab's commands."""
        self.page.evaluate(f"() => {{ void {APP}.commands.execute('{name}'); }}")

    def run_all(self) -> None:
        """Runs all cells and waits for the last, or for the first that raises, after which none runs."""
        self.command("notebook:clear-all-cell-outputs")
        self.wait_until("nb.content.widgets.every(c => !c.model.executionCount)")
        self.command("notebook:run-all-cells")
        code = "nb.content.widgets.map(c => c.model).filter(m => m.type === 'code')"
        raised = f"{code}.some(m => m.outputs?.toJSON().some(o => o.output_type === 'error'))"
        self.wait_until(f"({raised} || {code}.every(m => m.executionCount)) && {IDLE}")

    def ask(self, expression: str) -> Any:
        """The value of a Python expression in the kernel, through JSON."""
        asked = {"answer": f"__import__('json').dumps({expression})"}
        reply = self.page.evaluate(
            f"""async asked => {{ const nb = {APP}.shell.currentWidget;
                const reply = await {KERNEL_OF}.requestExecute({{code: '', user_expressions: asked}}).done;
                return reply.content.user_expressions.answer; }}""",
            asked,
        )
        assert reply["status"] == "ok", f"{reply.get('ename')}: {reply.get('evalue')}"
        return json.loads(ast.literal_eval(reply["data"]["text/plain"]))

    def wait_until_asked(self, expression: str, answer: Any, seconds: float = 60) -> None:
        """Asks the kernel until it gives that answer."""
        end = time.perf_counter() + seconds
        while (given := self.ask(expression)) != answer:
            assert time.perf_counter() < end, f"{expression} is {given!r}, not {answer!r}"
            self.page.wait_for_timeout(200)

    def click_button(self, name: str) -> None:
        """Clicks a widget's button of that name, once it is enabled."""
        self.page.locator(f".jp-OutputArea button:has-text('{name}'):not([disabled])").first.click()

    def resize(self, width: int, height: int) -> None:
        """Changes the size of the window, and waits for JupyterLab's layout."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.wait_for_timeout(700)

    def restart(self) -> None:
        """Restarts the kernel, and waits until it is idle."""
        self.page.evaluate(f"async () => {{ await {APP}.shell.currentWidget.sessionContext.restartKernel(); }}")
        self.wait_until(IDLE)

    def close(self) -> None:
        """Closes the page and shuts its kernel down, which frees its memory."""
        self.page.evaluate(f"async () => {{ await {APP}.shell.currentWidget.sessionContext.shutdown(); }}")
        self.page.close()

    def outputs(self) -> list[dict[str, Any]]:
        """The outputs of all code cells, as stored in a notebook."""
        return self.page.evaluate(  # type: ignore[no-any-return]
            f"""() => {{ const cells = {APP}.shell.currentWidget.content.model.cells;
                return [...Array(cells.length).keys()].map(i => cells.get(i)).filter(c => c.type === 'code')
                    .flatMap(c => c.outputs.toJSON()); }}"""
        )

    def look_for_faults(self) -> list[str]:
        """Errors of the browser, cells that raised, widgets that were not rendered, empty pictures."""
        raised = [f"{o['ename']}: {o['evalue']}" for o in self.outputs() if o["output_type"] == "error"]
        broken = self.page.locator(".jupyter-widgets-error-widget, .jp-RenderedHTMLCommon.jp-mod-error").count()
        empty = self.page.evaluate(f"() => [...document.querySelectorAll('.jp-OutputArea img')].filter({EMPTY}).length")
        return [
            *self.faults,
            *raised,
            *(["a widget was not rendered"] * broken),
            *(["a picture shows nothing"] * empty),
        ]

    def cut_off(self) -> list[str]:
        """Elements beyond the notebook's right edge, and labels that do not fit their place."""
        return self.page.evaluate(CUT_OFF)  # type: ignore[no-any-return]


EMPTY = "image => image.checkVisibility({visibilityProperty: true}) && image.complete && !image.naturalWidth"
CUT_OFF = """() => {
    const found = [], panel = document.querySelector('.jp-NotebookPanel .jp-Notebook').getBoundingClientRect();
    const scrolls = e => { for (; e && !e.matches('.jp-Cell'); e = e.parentElement)
        if (['auto', 'scroll'].includes(getComputedStyle(e).overflowX)) return true; return false; };
    const told = e => `${e.tagName} ${e.className}: ${(e.title || e.textContent || '').trim().slice(0, 60)}`;
    for (const area of document.querySelectorAll('.jp-OutputArea-child, .jp-RenderedMarkdown'))
        for (const e of area.querySelectorAll('*')) {
            const box = e.getBoundingClientRect();
            if (box.width > 0 && box.right > panel.right + 1 && !scrolls(e) && !e.closest('mjx-container, svg'))
                found.push(`beyond the edge by ${Math.round(box.right - panel.right)}: ${told(e)}`);
        }
    for (const e of document.querySelectorAll('.jp-OutputArea .widget-label, .jp-OutputArea .widget-readout, ' +
                                              '.jp-OutputArea button, .jp-OutputArea .widget-dropdown select'))
        if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0) found.push(`does not fit its place: ${told(e)}`);
    return found;
}"""


def write_notebook(path: Path, *sources: str) -> None:
    """A notebook with these code cells."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL}), path)
