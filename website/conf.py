"""Sphinx's settings for the lesson as web pages. `python scripts/build_site.py` prepares the pages and runs Sphinx.

Sphinx with MyST-NB is the tool, since it needs no network, folds the cells with the tags `hide-input` and
`hide-output`, checks links between notebooks, and has a search that runs in the browser. Furo is its theme: light and
dark, and readable on a phone. formulas.py typesets formulas.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "Policy gradient methods"
html_title = "Policy gradients, a hands-on lesson"
extensions = ["myst_nb", "formulas"]
html_math_renderer = "typeset"
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
html_css_files = ["site.css", "formulas.css"]
html_copy_source = html_show_sourcelink = html_show_sphinx = html_use_index = False
html_show_copyright = html_show_search_summary = False  # a page that is opened as a file may not read others
html_theme_options = {"navigation_with_keys": True}
