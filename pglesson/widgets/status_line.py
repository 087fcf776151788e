"""A place of fixed height for what a training is doing, or what went wrong."""

from __future__ import annotations

import html

import ipywidgets as widgets


class StatusLine(widgets.HTML):  # type: ignore[misc]
    """A sentence, which screen readers read out; one about an error is bold, and they read it out at once."""

    def __init__(self) -> None:
        # two lines: what comes and goes in them moves nothing else
        layout = widgets.Layout(flex="1 1 300px", min_width="0", height="42px", margin="0 2px", overflow="auto")
        super().__init__(layout=layout)
        self.add_class("pglesson-status")

    def say(self, sentence: str) -> None:
        """Shows a sentence."""
        self.value = f'<span role="status">{html.escape(sentence)}</span>'

    def warn(self, sentence: str) -> None:
        """Shows a sentence about an error."""
        self.value = f'<span role="alert"><b>{html.escape(sentence)}</b></span>'
