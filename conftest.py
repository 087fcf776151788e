"""For pytest, wherever it is started: each notebook is run once, as stored and with all its exercises solved."""

pytest_plugins = ["solved_notebooks"]  # tests/helpers/solved_notebooks.py
