"""The exercises of each notebook, in a file that bears its number."""
