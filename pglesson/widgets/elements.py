"""What ipywidgets lacks: sliders and lists that have a name for screen readers, and a picture with a description."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
from traitlets import Any as AnyTrait
from traitlets import Bool, Bytes, Float, Int, List, TraitError, Unicode, observe, validate

STATIC = Path(__file__).parent / "static"


class Control(anywidget.AnyWidget):
    """A value to choose: on a slider, with a number beside it that can be typed, or (kind "list") from a list.

    values: in order, for a slider; write: a value as its word. parse: the value that a typed text stands for; raises
    ValueError, whose sentence is shown. A slider's `value` may also be one between the others, which joins them.
    note: words below the name, which also mark the control.
    """

    _esm, _css = STATIC / "control.js", STATIC / "control.css"
    kind = Unicode().tag(sync=True)
    description = Unicode().tag(sync=True)
    note = Unicode().tag(sync=True)
    words = List(Unicode()).tag(sync=True)
    index = Int().tag(sync=True)
    value = AnyTrait()

    def __init__(
        self,
        name: str,
        values: Sequence[Any],
        value: Any,
        *,
        tooltip: str = "",
        kind: str = "slider",
        write: Callable[[Any], str] = str,
        parse: Callable[[str], Any] = float,
        **layout: Any,
    ) -> None:
        self._values, self._write, self._parse = list(values), write, parse
        super().__init__(description=name, tooltip=tooltip, kind=kind, words=[write(each) for each in values], **layout)
        self.value = value
        self.on_msg(self._read)

    @property
    def options(self) -> list[tuple[str, Any]]:
        """The values and their words."""
        return list(zip(self.words, self._values))

    def add(self, value: Any) -> None:
        """Adds a value to those to choose from, and stays where it is."""
        if value not in self._values:
            present = self._values[self.index] if self._values else value
            at = bisect.bisect(self._values, value) if self.kind == "slider" else len(self._values)
            self._values.insert(at, value)
            with self.hold_sync():
                self.words = [self._write(each) for each in self._values]
                self.index = self._values.index(present)

    def replace(self, values: Sequence[Any], value: Any) -> None:
        """Offers other values, and chooses one of them."""
        self._values = list(values)
        with self.hold_sync():
            self.words = [self._write(each) for each in values]
            self.index = self._values.index(value)
        self.value = value

    @validate("value")
    def _known(self, proposal: Any) -> Any:
        value = proposal["value"]
        if value not in self._values:
            if self.kind == "list":
                raise TraitError(f"{self.description} is {value!r}, but must be one of {self._values}.")
            self.add(value)
        return self._values[self._values.index(value)]

    @observe("value")
    def _move(self, change: Any) -> None:
        self.index = self._values.index(change["new"])

    @observe("index")
    def _choose(self, change: Any) -> None:
        if 0 <= change["new"] < len(self._values):
            self.value = self._values[change["new"]]

    def _read(self, _: Any, content: Any, buffers: Any) -> None:
        answer = {}
        try:
            self.value = self._parse(content["typed"].strip())
        except ValueError as error:
            answer = {"refused": str(error)}
        self.send(answer)

    def __repr__(self) -> str:
        return f"<{self.description}: {self._write(self.value)}>"


class Frame(anywidget.AnyWidget):
    """A picture, `width` pixels wide or as wide as the page; alt: its description.

    listens: whether `pointer` follows a mouse whose main button is down, as shares of width and height from the upper
    left corner, and the number of presses so far.
    """

    _esm, _css = STATIC / "frame.js", STATIC / "frame.css"
    value = Bytes().tag(sync=True)
    alt = Unicode().tag(sync=True)
    width = Int(300).tag(sync=True)
    listens = Bool(False).tag(sync=True)
    pointer = List(Float()).tag(sync=True)


class Film(anywidget.AnyWidget):
    """Pictures one after another, each with words beneath; `still` and `words` are what stands there without a film.

    reduced_motion: whether the browser asks for it.
    """

    _esm, _css = STATIC / "film.js", STATIC / "film.css"
    still = Bytes().tag(sync=True)
    words = Unicode().tag(sync=True)
    reduced_motion = Bool(False).tag(sync=True)

    def play(self, frames: Sequence[tuple[bytes, str, float]]) -> None:
        """Adds frames to those that wait to be shown: (PNG, words, seconds)."""
        content = [{"words": words, "hold": round(1000 * seconds)} for _, words, seconds in frames]
        self.send({"frames": content}, [png for png, _, _ in frames])

    def clear(self) -> None:
        """Drops the frames that wait."""
        self.send({"clear": True})
