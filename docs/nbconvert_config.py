"""For `jupyter nbconvert --config docs/nbconvert_config.py`: words for pictures, folded cells, slides that fit."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from nbconvert.preprocessors import Preprocessor, TagRemovePreprocessor

c = get_config()  # type: ignore[name-defined]  # noqa: F821


class AlternativeText(Preprocessor):
    """Writes each picture as an <img> with the words that are stored beside it, which the templates leave out."""

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        for output in cell.get("outputs", []):
            words = output.get("metadata", {}).get("image/png", {}).get("alt")
            if words and "image/png" in output.data:
                source = output.data.pop("image/png").replace("\n", "")
                output.data["text/html"] = f'<img alt="{html.escape(words)}" src="data:image/png;base64,{source}">'
        return cell, resources


class OutputsOnly(TagRemovePreprocessor):
    """Leaves out the code of cells with certain tags; a class of its own, since pages show that code."""


c.HTMLExporter.preprocessors = [AlternativeText]
# the slides' exporter inherits these, and has a template of its own
c.HTMLExporter.extra_template_basedirs = [str(Path(__file__).parent / "templates")]
c.HTMLExporter.template_name = "folded"
c.SlidesExporter.template_name = "reveal"
# a cell that only draws, or whose code is longer than a slide, shows there what it draws
c.SlidesExporter.preprocessors = [OutputsOnly, AlternativeText]
c.OutputsOnly.remove_input_tags = {"output-only", "hide-input"}
c.SlidesExporter.exclude_input_prompt = c.SlidesExporter.exclude_output_prompt = True
c.SlidesExporter.reveal_width, c.SlidesExporter.reveal_height = "1400", "860"
c.SlidesExporter.reveal_scroll = True
c.SlidesExporter.reveal_theme = "white"
c.SlidesExporter.reveal_transition = "none"
