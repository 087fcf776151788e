"""A progress bar for a loop in a cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import ipywidgets as widgets
from IPython.display import display

T = TypeVar("T")


class _Bar(widgets.IntProgress):  # type: ignore[misc]
    def __repr__(self) -> str:
        return f"<progress of {self.description}>"  # the same in every run, so that the stored output stays true


def progress(items: Iterable[T], total: int, name: str = "training") -> Iterator[T]:
    """Passes the items on, such as a training's updates, and shows how many of `total` are done."""
    bar = _Bar(max=total, description=name, layout=widgets.Layout(width="530px"), style={"description_width": "240px"})
    display(bar)
    for count, item in enumerate(items, start=1):
        yield item
        bar.value = count
