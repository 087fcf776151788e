"""Sphinx's settings for the lesson as web pages. `python scripts/build_site.py` prepares the pages and runs Sphinx.

Sphinx with MyST-NB is the tool, since it needs no network, folds the cells with the tags `hide-input` and
`hide-output`, checks links between notebooks, and has a search that runs in the browser. Furo is its theme: light and
dark, and readable on a phone. MathJax comes from a package, with its fonts.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

project = "Policy gradient methods"
html_title = "Policy gradients, a hands-on lesson"
extensions = ["myst_nb"]
nb_execution_mode = "off"
nb_number_source_lines = False
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
html_theme = "furo"
SCRIPTS = [path.name for path in sorted(Path(__file__).parent.glob("*.js"))]
html_static_path = [*SCRIPTS, "site.css"]
html_js_files = [(name, {"defer": "defer"}) for name in SCRIPTS]
html_css_files = ["site.css"]
html_copy_source = html_show_sourcelink = html_show_sphinx = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}
mathjax_path = "mathjax/tex-chtml.js"
mathjax_options = {"defer": "defer"}


def copy_mathjax(app: Any, error: Exception | None) -> None:
    """Copies of MathJax what the pages ask for: one script, and its fonts."""
    if error is None:
        source = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"  # type: ignore[union-attr,arg-type]
        target = Path(app.outdir) / "_static" / "mathjax"
        fonts = Path("output", "chtml", "fonts", "woff-v2")
        shutil.copytree(source / fonts, target / fonts, dirs_exist_ok=True)
        shutil.copy(source / "tex-chtml.js", target)


def setup(app: Any) -> None:
    app.connect("build-finished", copy_mathjax)
