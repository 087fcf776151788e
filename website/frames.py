"""Pictures over the positions of some controls, stored for a page without a kernel, where frames.js shows them."""

from __future__ import annotations

import html
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PER_STRIP = 12  # pictures in one file: they differ little, and the format finds what they share
STEP = 4  # between the levels that a colour keeps: nobody sees the difference, and files are a third smaller


@dataclass(frozen=True)
class Control:
    """A control as a page shows it. shown: the words of its positions; start: the index of the first picture's."""

    label: str
    kind: str  # "slider", "choice" or "box"
    shown: list[str]
    start: int


class Shot(NamedTuple):
    """A picture (height, width, 3), what it shows in words, and the line below it that changes with it."""

    picture: NDArray[np.uint8]
    words: str
    status: str = ""


def webp(picture: NDArray[np.uint8]) -> bytes:
    """A picture, each colour to the nearest multiple of STEP, and white as it is."""
    rounded = ((picture.astype(int) + STEP // 2) // STEP * STEP).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(rounded).save(file, "WEBP", lossless=True, quality=60, method=4)
    return file.getvalue()


def page(
    name: str,
    folder: Path,
    controls: Sequence[Control],
    places: Sequence[tuple[int, ...]],
    shots: Iterable[Shot],
    note: str,
    mouse: dict[str, Any] | None = None,
) -> str:
    """Stores pictures in a folder, and returns the HTML that shows them. Without scripts, it shows the first one.

    places: for each picture the positions of all controls, as indices of their words; where all controls start must be
    one of them. The files are NAME.webp, that one, and NAME-0.webp, NAME-1.webp, ..., each with up to PER_STRIP
    pictures one below the other.
    """
    first = places.index(tuple(control.start for control in controls))
    strip: list[NDArray[np.uint8]] = []
    sentences: dict[str, int] = {}  # of all descriptions: most of them recur
    words, status, alt = [], [], ""
    for number, shot in enumerate(shots):
        strip.append(shot.picture)
        words.append([sentences.setdefault(each, len(sentences)) for each in shot.words.split(". ")])
        status.append(shot.status)
        if number == first:
            alt = shot.words
            (folder / f"{name}.webp").write_bytes(webp(shot.picture))
        if len(strip) == PER_STRIP or number == len(places) - 1:
            (folder / f"{name}-{number // PER_STRIP}.webp").write_bytes(webp(np.concatenate(strip)))
            strip.clear()
    height, width = shot.picture.shape[:2]
    data = {
        "name": name,
        "controls": [asdict(control) for control in controls],
        "places": places,
        "per_strip": PER_STRIP,
        "width": width,
        "height": height,
        "sentences": list(sentences),
        "words": words,
        "status": status if any(status) else None,
        "mouse": mouse,
    }
    return (
        f'<div class="live frames"><img src="frames/{name}.webp" width="{width}" height="{height}" '
        f'alt="{html.escape(alt)}" loading="lazy"><p class="live-note">{note}</p>{script(data)}</div>'
    )


def script(data: Any) -> str:
    """Data in a page, for a script to read."""
    written = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")  # which would end the script
    return f'<script type="application/json">{written}</script>'
