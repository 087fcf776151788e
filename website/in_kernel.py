"""Run by a notebook's kernel while the site is built: what is live in a cell becomes HTML, drawn in advance."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import clinics
import explorers
import microscopes
import recordings

from pglesson.widgets import Clinic, Dashboard, Explorer, MicroscopeView, Playground

Page = Callable[[Any, Path, str], str]  # of a widget, the folder for its pictures, and a name for them: its HTML
PAGES: dict[type, Page] = {
    Clinic: clinics.page,
    Dashboard: recordings.page,
    Explorer: explorers.page,
    MicroscopeView: microscopes.page,
    Playground: recordings.page,
}


def install(folder: str, prefix: str) -> None:
    """From now on, a cell that shows one of these widgets stores its pictures in the folder, and shows HTML."""
    numbers = itertools.count(1)

    def shown_by(page: Page) -> Callable[..., Any]:
        def as_html(self: Any, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
            return {"text/html": page(self, Path(folder), f"{prefix}-{next(numbers)}"), "text/plain": repr(self)}, {}

        return as_html

    for kind, page in PAGES.items():
        kind._repr_mimebundle_ = shown_by(page)  # type: ignore[attr-defined]
