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
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).parents[1]
WEBSITE, OUT, CACHE = ROOT / "website", ROOT / "build" / "site", ROOT / "build" / "drawn"
sys.path.insert(0, str(WEBSITE))
import pages  # noqa: E402
import stored_pictures  # noqa: E402
from live_outputs import with_live_outputs  # noqa: E402


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
            pages.prepare(notebook)
            pages.bring_files(notebook, source)
            stored_pictures.bring(notebook, pictures, path.stem[:2])
            stored[path.stem] = notebook
        (source / "index.md").write_text(pages.index(stored, repository), encoding="utf-8")
        for path, notebook in zip(paths, notebooks):
            notebook.cells.insert(1, pages.run_it_for_real(path.stem, repository))
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
