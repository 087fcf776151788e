"""One line of text that says what a training is doing, or what went wrong."""

from __future__ import annotations

import html

import ipywidgets as widgets


class StatusLine(widgets.HTML):  # type: ignore[misc]
    """A sentence; one about an error is bold, and screen readers read it out at once."""

    def say(self, sentence: str) -> None:
        """Shows a sentence."""
        self.value = f"<span>{html.escape(sentence)}</span>"

    def warn(self, sentence: str) -> None:
        """Shows a sentence about an error."""
        self.value = f'<span role="alert"><b>{html.escape(sentence)}</b></span>'
