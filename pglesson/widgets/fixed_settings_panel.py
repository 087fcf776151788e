"""The controls of the settings that are fixed while a run goes on."""

from __future__ import annotations

from copy import deepcopy

import ipywidgets as widgets

from pglesson.settings import Settings
from pglesson.widgets.controls import field, format_setting, parse_setting

FIXED = tuple(name for name in Settings().fixed() if name != "env")  # the task has a list of its own


class FixedPanel:
    """One control for each of FIXED. `wanted` reads the settings for the next run from them, `show` sets them."""

    def __init__(self, settings: Settings) -> None:
        self.controls: dict[str, widgets.Widget] = {name: field(name, getattr(settings, name)) for name in FIXED}

    def show(self, settings: Settings) -> None:
        """Shows these settings."""
        for name, control in self.controls.items():
            control.value = format_setting(getattr(settings, name))

    def wanted(self, settings: Settings, *names: str) -> Settings:
        """A copy of the settings, with the fixed ones (or only these) as the controls show them.

        Raises ValueError for one that cannot be parsed, or that cannot have that value.
        """
        wanted = deepcopy(settings)
        for name in names or FIXED:
            shown = self.controls[name].value
            if shown != format_setting(getattr(wanted, name)):  # not every option can be written and parsed
                setattr(wanted, name, parse_setting(name, shown))
        return wanted
