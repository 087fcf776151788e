"""An extension of Sphinx that typesets formulas while the site is built, by MathJax in a JavaScript engine.

A page holds what MathJax gives, so that it needs no script for its formulas, and loads no more than the fonts that it
uses and one style sheet. Each formula is there as MathML, too, which screen readers read.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import quickjs
from docutils import nodes

MATHJAX = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"  # type: ignore[union-attr,arg-type]
PARTS = ["adaptors/liteDOM", "core", "input/tex", "output/chtml", "output/chtml/fonts/tex", "a11y/assistive-mml"]
STYLES, FONTS = "formulas.css", "fonts"  # in the site's folder of static files
# an outer HTML is text in many pieces, which the engine hands over as one only as JSON
SCRIPT = """
var global = globalThis, settings = %s;
var MathJax = {
  loader: {paths: {mathjax: ""}, load: settings.parts, require: (name) => (0, eval)(read(name))},
  startup: {typeset: false},
  chtml: {fontURL: settings.fonts},
};
function typeset(tex, display) {
  return JSON.stringify(MathJax.startup.adaptor.outerHTML(MathJax.tex2chtml(tex, {display})));
}
function styles() {
  return JSON.stringify(MathJax.startup.adaptor.textContent(MathJax.chtmlStylesheet()));
}
"""


class MathJax:
    """MathJax without a browser."""

    def __init__(self) -> None:
        self._context = quickjs.Context()
        self._context.add_callable("read", lambda name: (MATHJAX / name.lstrip("/")).read_text(encoding="utf-8"))
        self._context.eval(SCRIPT % json.dumps({"parts": PARTS, "fonts": FONTS}))
        self._context.eval((MATHJAX / "startup.js").read_text(encoding="utf-8"))
        while self._context.execute_pending_job():
            pass

    def typeset(self, tex: str, display: bool) -> str:
        """A formula as HTML. Raises ValueError where MathJax cannot read it."""
        html: str = json.loads(self._context.get("typeset")(tex, display))
        if "<mjx-merror" in html:
            raise ValueError(f"MathJax cannot read the formula {tex!r}.")
        return html

    def styles(self) -> str:
        """The style sheet for all that has been typeset so far."""
        css: str = json.loads(self._context.get("styles")())
        return css


def setup(app: Any) -> None:
    """Called by Sphinx."""
    mathjax = MathJax()

    def inline(page: Any, node: nodes.math) -> None:
        page.body.append(f'<span class="math">{mathjax.typeset(node.astext(), False)}</span>')
        raise nodes.SkipNode

    def displayed(page: Any, node: nodes.math_block) -> None:
        page.body.append(f'<div class="math">{mathjax.typeset(node.astext(), True)}</div>\n')
        raise nodes.SkipNode

    def finish(app: Any, error: Exception | None) -> None:
        if error is None:
            static = Path(app.outdir, "_static")
            (static / STYLES).write_text(mathjax.styles(), encoding="utf-8")
            shutil.copytree(MATHJAX / "output" / "chtml" / "fonts" / "woff-v2", static / FONTS)

    app.add_html_math_renderer("typeset", (inline, None), (displayed, None))
    app.connect("build-finished", finish)
