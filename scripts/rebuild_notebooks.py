"""Runs notebooks from top to bottom and stores them with their outputs: python scripts/rebuild_notebooks.py [NAME ...]

What depends on the machine or the time is left out: widget state, kernel versions, timings, paths. Cell ids are kept.
Each picture is stored with a description in words, each cell with its type of slide; what is to be collapsed is.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from folding import fold
from slides import lay_out

# run by the kernel before the first cell: stores a figure's description with its pixels
DESCRIBE = """
from IPython.core import pylabtools
from pglesson.analysis.plots import describe
_print_figure = pylabtools.print_figure
def _described(figure, *args, **options):
    png = _print_figure(figure, *args, **options)
    return (png[0], png[1] | {"alt": describe(figure)}) if isinstance(png, tuple) else (png, {"alt": describe(figure)})
pylabtools.print_figure = _described
"""
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def tidy(notebook: Any) -> None:
    """Removes what differs from run to run, and what a reader without a kernel cannot use."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            cell.outputs = _merge(cell.outputs)
        for output in cell.get("outputs", []):
            words = output.get("metadata", {}).get("image/png", {}).get("alt")
            if "metadata" in output:
                output["metadata"] = nbformat.from_dict({"image/png": {"alt": words}} if words else {})
            if "data" in output:  # without a kernel a widget shows an error: keep its picture or its name
                output["data"].pop("application/vnd.jupyter.widget-view+json", None)


def _merge(outputs: list[Any]) -> list[Any]:
    """Joins consecutive pieces of text: where the kernel splits them is random."""
    merged: list[Any] = []
    for output in outputs:
        before = merged[-1] if merged else {}
        if output["output_type"] == before.get("output_type") == "stream" and output["name"] == before["name"]:
            before["text"] += output["text"]
        else:
            merged.append(output)
    return merged


def rebuild(path: Path) -> float:
    """Executes one notebook in its folder and writes it back; returns the seconds it took."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        startup = Path(folder, "profile_default", "startup")
        startup.mkdir(parents=True)
        (startup / "describe.py").write_text(DESCRIBE, encoding="utf-8")
        client = nbclient.NotebookClient(
            notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
        )
        started = time.perf_counter()
        client.execute(
            env=os.environ | {"IPYTHONDIR": folder, "PGLESSON_RANGES": "required", "PGLESSON_STORED_SECONDS": "15"}
        )
        seconds = time.perf_counter() - started
    tidy(notebook)
    fold(notebook)
    lay_out(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
    return seconds


if __name__ == "__main__":
    chosen = [NOTEBOOKS / f"{Path(name).stem}.ipynb" for name in sys.argv[1:]] or sorted(NOTEBOOKS.glob("*.ipynb"))
    for notebook_path in chosen:
        print(f"{notebook_path.name}: {rebuild(notebook_path):.1f} s", flush=True)
