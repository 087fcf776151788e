"""Runs a notebook to draw in advance what is live in it, and keeps the result for the next build."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import nbclient
import nbformat

WEBSITE = Path(__file__).parent
# modules of this folder on which no drawing depends
NOT_DRAWING = {"conf.py", "exercise_pages.py", "live_outputs.py", "pages.py", "stored_pictures.py"}
LIVE = (
    "<Clinic>",
    "<Dashboard>",
    "<Explorer: ",
    "<Microscope>",
    "<Playground>",
)  # what a stored output of a live widget begins with
STARTUP = """
import sys
sys.path.insert(0, {website!r})
import in_kernel
in_kernel.install({folder!r}, {prefix!r})
"""


def with_live_outputs(path: Path, pictures: Path, cache: Path) -> Any:
    """The stored notebook, with what is live as HTML, whose pictures are put into a folder.

    The outputs are read from the cache if neither the notebook's code nor the package nor this folder has changed.
    """
    stored = nbformat.read(path, as_version=4)
    if not any(live(output) for cell in stored.cells for output in cell.get("outputs", [])):
        return stored
    kept = cache / f"{path.stem}-{fingerprint(stored)}"
    if not kept.is_dir():
        for old in cache.glob(f"{path.stem}-*"):
            shutil.rmtree(old)
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as place:
            drawn = Path(place, "drawn")
            (drawn / "pictures").mkdir(parents=True)
            outputs = run(path, drawn / "pictures")
            (drawn / "outputs.json").write_text(json.dumps(outputs), encoding="utf-8")
            drawn.rename(kept)
    outputs = json.loads((kept / "outputs.json").read_text(encoding="utf-8"))
    for cell in stored.cells:
        if cell.id in outputs:
            fresh = [nbformat.from_dict(output) for output in outputs[cell.id]]
            cell.outputs = [output for output in cell.outputs if not live(output)] + fresh
    shutil.copytree(kept / "pictures", pictures, dirs_exist_ok=True)
    return stored


def live(output: Any) -> bool:
    """Whether an output shows a widget that answers in the page."""
    return "".join(output.get("data", {}).get("text/plain", "")).startswith(LIVE)


def fingerprint(notebook: Any) -> str:
    """Sixteen digits that change with whatever the live outputs depend on: code, and how it is drawn."""
    seen = hashlib.sha256("\0".join(cell.source for cell in notebook.cells if cell.cell_type == "code").encode())
    package = WEBSITE.parent / "pglesson"
    drawing = [path for path in WEBSITE.glob("*.py") if path.name not in NOT_DRAWING]
    for path in sorted([*package.rglob("*.py"), *package.rglob("*.mplstyle"), *drawing]):
        seen.update(path.read_bytes())
    return seen.hexdigest()[:16]


def run(path: Path, pictures: Path) -> dict[str, Any]:
    """Runs a notebook in a kernel that draws what is live into a folder; returns the outputs by the cells' ids."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as profile:
        startup = Path(profile, "profile_default", "startup")
        startup.mkdir(parents=True)
        source = STARTUP.format(website=str(WEBSITE), folder=str(pictures), prefix=path.stem[:2])
        (startup / "in_kernel.py").write_text(source, encoding="utf-8")
        client = nbclient.NotebookClient(
            notebook,
            timeout=1800,
            kernel_name="python3",
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": str(path.parent)}},
        )
        client.execute(env=os.environ | {"IPYTHONDIR": profile})
    shown = {cell.id: drawn(cell) for cell in notebook.cells}
    return {id_: outputs for id_, outputs in shown.items() if outputs}


def drawn(cell: Any) -> list[Any]:
    """A cell's live outputs as they were drawn. Raises ValueError if one was not: IPython only prints why."""
    outputs = cell.get("outputs", [])
    shown = [output for output in outputs if live(output)]
    if any("text/html" not in output.data for output in shown):
        printed = [output.get("text", "") or "\n".join(output.get("traceback", [])) for output in outputs]
        raise ValueError(f"what is live in the cell {cell.id!r} could not be drawn.\n" + "".join(printed))
    return shown
