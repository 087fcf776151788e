"""A microscope in a page: some of its looks, recorded, at all choices of its lists."""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterator
from pathlib import Path

import frames
import numpy as np

from pglesson.widgets import MicroscopeView

LOOKS = ("first", "second", "third")


def page(view: MicroscopeView, folder: Path, name: str) -> str:
    """Stores the pictures of a microscope in a folder, and returns its HTML. The looks are those that it takes next."""
    lists = [view.baseline, view.normalization][: 1 + (len(view.normalization.options) > 1)]
    controls = [frames.Control(each.description, "choice", list(each.words), each.index) for each in lists]
    controls.append(frames.Control(view.look_button.description, "choice", list(LOOKS), 0))
    places = [at[::-1] for at in itertools.product(*(range(len(each.shown)) for each in controls[::-1]))]

    def shots() -> Iterator[frames.Shot]:
        for number, at in enumerate(places):
            for control, place in zip(lists, at):
                control.value = control.options[place][1]
            if at[-1] and at[-1] != places[number - 1][-1]:
                view.look()
            else:
                view.redraw()
            picture = np.asarray(view.canvas.buffer_rgba())[..., :3].copy()
            yield frames.Shot(picture, view.image.alt, html.unescape(view.status.value))

    note = f"{len(LOOKS)} looks, recorded: each plays new episodes. In the notebook there are as many as you like."
    return frames.page(name, folder, controls, places, shots(), note)
