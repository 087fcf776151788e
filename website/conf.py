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
html_copy_source = html_show_sourcelink = html_show_sphinx = html_use_index = False
html_show_copyright = html_show_search_summary = False  # a page that is opened as a file may not read others
html_theme_options = {"navigation_with_keys": True}
MATHJAX = ["startup.js", "core.js", "input/tex.js", "output/chtml.js", "output/chtml/fonts/tex.js"]  # not its menu
mathjax_path = f"mathjax/{MATHJAX[0]}"
mathjax_options = {"defer": "defer"}
mathjax3_config = {"loader": {"load": [name.removesuffix(".js") for name in MATHJAX[1:4]]}}


def copy_mathjax(app: Any, error: Exception | None) -> None:
    """Copies of MathJax what the pages ask for: the scripts for formulas in TeX, and the fonts."""
    if error is None:
        source = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"  # type: ignore[union-attr,arg-type]
        fonts = sorted((source / "output" / "chtml" / "fonts" / "woff-v2").glob("*.woff"))
        for path in [*(source / name for name in MATHJAX), *fonts]:
            target = Path(app.outdir, "_static", "mathjax", path.relative_to(source))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)


def setup(app: Any) -> None:
    app.connect("build-finished", copy_mathjax)
