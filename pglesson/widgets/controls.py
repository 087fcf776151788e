"""The controls of dashboard and playground: one for each setting, the live ones with round values to choose from."""

from __future__ import annotations

import ast
import sysconfig
import traceback
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from pglesson.analysis.plots import label
from pglesson.settings import BASELINES, NORMALIZATIONS, Settings
from pglesson.widgets.elements import Control

LEVELS: dict[str, list[Any]] = {
    "baseline": list(BASELINES),
    "normalization": list(NORMALIZATIONS),
    "entropy_weight": [0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.7, 1.0, 2.0],
    "learning_rate": [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02, 0.03, 0.1, 0.3, 1.0],
    "gamma": [0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 1.0],
    "max_grad_norm": [0.1, 0.5, 1.0, 5.0, 20.0, float("inf")],
}
MORE_LEVELS: dict[str, list[Any]] = {
    "baseline_constant": [-1000.0, -100.0, -10.0, -1.0, 0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0],
    "value_learning_rate": [0.0001, 0.001, 0.003, 0.01, 0.02, 0.03, 0.1, 0.3],
    "value_steps": [1, 2, 5, 10, 20, 50],
    "gae_lambda": [0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 1.0],
    "policy_epochs": [1, 2, 5, 10, 20],
    "clip_ratio": [0.05, 0.1, 0.2, 0.5, 1.0, float("inf")],
    "kl_weight": [0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0],
}
LISTS = {"activation": ("tanh", "relu"), "optimizer": ("adam", "sgd")}  # fixed settings with a few names each


def choice(name: str, options: list[Any], value: Any, tooltip: str) -> Control:
    """A list from which to choose one of `options`."""
    return Control(name, options, value, tooltip=tooltip, kind="list", write=_spell)


def knob(name: str, value: Any, levels: Sequence[Any] = ()) -> widgets.Widget:
    """The control of one live setting, at `value`, which is added to the levels if it is not one of them.

    levels: its values to choose from, instead of the usual ones.
    """
    rules: Mapping[str, Any] = Settings.__dataclass_fields__[name].metadata
    if name in ("baseline", "normalization"):
        return choice(name, list(dict.fromkeys([*(levels or LEVELS[name]), value])), value, rules["effect"])
    if isinstance(value, bool):
        box = widgets.Checkbox(value=value, description=label(name), tooltip=rules["effect"], indent=False)
        box.layout.width = "260px"
        return box
    whole = isinstance(value, Integral)

    def parse(typed: str) -> Any:
        value = float("inf") if typed == "off" else _number(typed, name, whole)
        if not rules["accepts"](value):
            raise ValueError(f"{label(name)} must be {rules['allowed']}.")
        return value

    numbers = sorted({*(levels or (LEVELS | MORE_LEVELS)[name]), value})
    return Control(label(name), numbers, value, tooltip=rules["effect"], write=_spell, parse=parse)


def _number(typed: str, name: str, whole: bool) -> float | int:
    try:
        return int(typed) if whole else float(typed)
    except ValueError as error:
        raise ValueError(f"{label(name)} must be a {'whole ' * whole}number, not {typed!r}.") from error


def _spell(option: Any) -> str:
    """An option as it is shown: a number, or a name in words."""
    if isinstance(option, Real):
        return "off" if option == float("inf") else f"{option:g}"
    return str(option).removeprefix("pglesson/").replace("_", " ")


def knobs_for(settings: Settings, names: Iterable[str] | Mapping[str, Sequence[Any]]) -> dict[str, widgets.Widget]:
    """The controls of these live settings. names: or a mapping from them to their levels.

    Raises ValueError for a name that is not one of a live setting.
    """
    live = settings.live()
    if unknown := [name for name in names if name not in live]:
        known = ", ".join(map(repr, live))
        raise ValueError(f"knobs has {unknown[0]!r}, but each must be a live setting: {known}.")
    levels = names if isinstance(names, Mapping) else dict.fromkeys(names, ())
    return {name: knob(name, live[name], list(levels[name])) for name in levels}


def show_settings(knobs: Mapping[str, widgets.Widget], settings: Settings) -> None:
    """Moves the controls to these settings."""
    for name, control in knobs.items():
        value = getattr(settings, name)
        if isinstance(control, Control):
            control.add(value)
        control.value = value


def wrapping_row(children: Iterable[widgets.Widget]) -> widgets.HBox:
    """A row of widgets that goes on in the next line where the page is narrow."""
    return widgets.HBox(list(children), layout=widgets.Layout(flex_flow="row wrap"))


def control_grid(controls: Iterable[widgets.Widget]) -> widgets.GridBox:
    """Controls in as many columns as the page has room for."""
    columns = "repeat(auto-fit, minmax(275px, 1fr))"  # three, also in large type
    return widgets.GridBox(list(controls), layout=widgets.Layout(grid_template_columns=columns, max_width="1080px"))


def button(name: str, icon: str, tooltip: str, style: str = "") -> widgets.Button:
    """A button as wide as its name; icon: a Font Awesome name."""
    layout = widgets.Layout(width="auto", flex="0 0 auto")  # a narrow row wraps instead of clipping the name
    return widgets.Button(description=name, icon=icon, tooltip=tooltip, button_style=style, layout=layout)


def field(name: str, value: Any) -> widgets.Widget:
    """The control of one fixed setting: a list, a whole number, or a text in Python's notation."""
    rules = Settings.__dataclass_fields__[name].metadata
    how: dict[str, Any] = {
        "description": label(name),
        "tooltip": f"{rules['effect']}: {rules['allowed']}",
        "layout": widgets.Layout(width="235px"),
        "style": {"description_width": "95px"},
    }
    if name in LISTS:
        return choice(label(name), list(LISTS[name]), value, how["tooltip"])
    if isinstance(value, Integral):
        return widgets.IntText(value=value, continuous_update=False, **how)
    return widgets.Text(value=format_setting(value), continuous_update=False, **how)


def error_message(error: BaseException) -> str:
    """An error as a sentence: one of this package by its own text, any other by its type, text and learner's line."""
    line = _learners_line(error)
    own = isinstance(error, (ValueError, TypeError, FloatingPointError)) and str(error) and not line
    return str(error) if own else f"{type(error).__name__}: {error}".rstrip(": .") + (line or ".")


ELSEWHERE = ("site-packages", "dist-packages", "<frozen", sysconfig.get_path("stdlib"), str(Path(__file__).parents[1]))


def _learners_line(error: BaseException) -> str:
    """Where in a learner's own code an error was raised, in words; "" for one that this package raises."""
    steps = traceback.extract_tb(error.__traceback__)
    if not steps or steps[-1].filename.startswith(ELSEWHERE[-1]):
        return ""
    for step in reversed(steps):
        if not any(part in step.filename for part in ELSEWHERE):
            file = Path(step.filename).name
            place = "your cell" if "ipykernel" in step.filename or file.startswith("<ipython") else file
            return f", in line {step.lineno} of {place}: {step.line}"
    return _learners_line(error.__cause__) if error.__cause__ is not None else ""


def format_setting(value: Any) -> Any:
    """A fixed setting as its control shows it."""
    return repr(value) if isinstance(value, (tuple, Mapping)) else value


def parse_setting(name: str, shown: Any) -> Any:
    """The value of a fixed setting that its control shows. Raises ValueError for a text that cannot be parsed."""
    if name not in ("hidden", "env_options"):
        return shown
    allowed = Settings.__dataclass_fields__[name].metadata["allowed"]
    try:
        value = ast.literal_eval(shown.strip() or ("()" if name == "hidden" else "{}"))
    except (ValueError, SyntaxError, TypeError) as error:
        raise ValueError(f"{name} reads {shown!r}, which is not Python. Write {allowed}.") from error
    return (value,) if isinstance(value, int) and name == "hidden" else value
