"""Stored pictures in a page: smaller files, loaded when the page comes near, with their descriptions and sizes."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path
from typing import Any

import frames
import numpy as np
from PIL import Image


def bring(notebook: Any, folder: Path, prefix: str) -> None:
    """Stores the PNG pictures of a notebook's outputs in a folder, and shows them from there."""
    for cell in notebook.cells:
        for number, output in enumerate(cell.get("outputs", [])):
            if "image/png" in output.get("data", {}):
                picture = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))).convert("RGB")
                name = f"{prefix}-{cell.id}-{number}.webp"
                (folder / name).write_bytes(frames.webp(np.asarray(picture)))
                alt = output.metadata.get("image/png", {}).get("alt", "")
                size = f'width="{picture.width}" height="{picture.height}"'
                image = f'<img src="frames/{name}" {size} alt="{html.escape(alt)}" loading="lazy" class="stored">'
                output.data = {"text/html": image}
