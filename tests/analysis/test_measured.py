"""What is printed of a measured number, and what is said when it leaves its range."""

from __future__ import annotations

import math
import re
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch

from pglesson.analysis import Measured

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
RANGES = """
share = [35, 46]
lead = {value = [0, 50], interval = [0, inf]}
loss = [-inf, 0]

["Return"]
"*"."mean" = [100, 300]
"none"."mean" = [0, 100]
"value"."lead" = {interval = [0, inf]}
"""


@pytest.fixture
def measured() -> Measured:
    made = Measured("a notebook without ranges")
    made.ranges = tomllib.loads(RANGES)
    return made


def sanitized(text: str) -> str:
    """As nbval compares it."""
    patterns = ConfigParser()
    patterns.read(ROOT / "tests" / "notebooks" / "sanitize.cfg", encoding="utf-8")
    for section in patterns.sections():
        text = re.sub(patterns[section]["regex"], patterns[section]["replace"], text)
    return text


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (41.234, "≈ 41.2"),
        (0.00041234, "≈ 4.1e-04"),
        (1.5e-7, "≈ 1.5e-07"),
        (10_868_011.4, "≈ 10,868,011"),
        (-3, "≈ -3"),
        (np.int64(24), "≈ 24"),
        (np.float32(9.999), "≈ 10.00"),
        (torch.tensor(0.5), "≈ 0.500"),
        (0.0, "≈ 0"),
        (math.nan, "≈ nan"),
        (-math.inf, "≈ -inf"),
        ("none", "none"),
        (None, "None"),
        ([1, 2], "[1, 2]"),
    ],
    ids=str,
)
def test_three_digits_of_whatever_is_given(value: Any, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    Measured("any")("label", value, "steps")
    assert capsys.readouterr().out == f"label: {printed} steps\n"


def test_an_interval_has_the_decimals_of_its_value(measured: Measured, capsys: pytest.CaptureFixture[str]) -> None:
    measured("lead", 27.3333, "steps", interval=(12.111, 43.999))
    measured("lead", 27.3333, interval=(12.111, 43.999), decimals=0)
    assert capsys.readouterr().out == "lead: ≈ 27.3 [12.1, 44.0] steps\nlead: ≈ 27 [12, 44]\n"


@pytest.mark.parametrize(
    ("label", "value", "interval", "note"),
    [
        ("share", 35, None, ""),
        ("share", 46.0, None, ""),
        ("share", 46.1, None, "  <- the text was written for 35 to 46"),
        ("share", math.nan, None, "  <- the text was written for 35 to 46"),
        ("share", [1, 2], None, "  <- the text was written for 35 to 46"),
        ("loss", 0.5, None, "  <- the text was written for 0 or less"),
        ("lead", 10.0, (1.0, 19.0), ""),
        ("lead", 10.0, (-1.0, 21.0), "  <- the text was written for an interval within 0 or more"),
        ("lead", 60.0, (50.0, 70.0), "  <- the text was written for 0 to 50"),
        ("lead", 10.0, None, "  <- the text was written for an interval within 0 or more"),
        ("of a learner's own", 1.0, None, ""),
    ],
    ids=str,
)
def test_a_number_out_of_its_range_is_noted(
    measured: Measured, label: str, value: Any, interval: Any, note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    measured(label, value, interval=interval)
    line = capsys.readouterr().out.rstrip("\n")
    assert line.endswith(note) and ("<-" in line) == bool(note)


def test_a_table_lines_up_and_notes_what_is_out_of_range(
    measured: Measured, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {"none": [201.26, ""], "value": [276.4, (75.0, (-1.0, 90.0))], "the same": ["-", "exact"]}
    measured.table("Return", ["mean", "lead"], rows)
    assert capsys.readouterr().out.splitlines() == [
        "Return",
        "           mean                 lead",
        "none      ≈ 201  <- mean: the text was written for 0 to 100",
        "value     ≈ 276  ≈ 75.0 [-1.0, 90.0]  <- lead: the text was written for an interval within 0 or more",
        "the same      -                exact",
    ]


def test_a_missing_range_is_said_where_the_tests_ask_for_it(
    measured: Measured, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGLESSON_RANGES", "required")
    measured("new", 1.0)
    measured.table("also new", ["column"], {"row": [1.0], "text": ["exact"]})
    out = capsys.readouterr().out.splitlines()
    assert [line.endswith("no range is stored") for line in out] == [True, False, False, True, False]


def test_nbval_compares_all_but_the_digits(measured: Measured, capsys: pytest.CaptureFixture[str]) -> None:
    def printed(share: float, low: float) -> str:
        measured("share", share, "%")
        measured("lead", 20.0 + low, interval=(low, 40.0))
        measured.table("Return", ["mean", "lead"], {"none": [share, "exact"], "value": [150.0 + share, ""]})
        return capsys.readouterr().out

    stored = sanitized(printed(40.0, 5.0))
    assert sanitized(printed(36.54, 11.25)) == stored  # other digits, other widths
    assert sanitized(printed(47.0, 5.0)) != stored and sanitized(printed(40.0, -1.0)) != stored  # out of range
    assert sanitized(printed(40.0, 5.0).replace("exact", "other")) != stored
    assert sanitized("12 of 24") == "12 of 24"  # a number that is not measured


def test_nbval_reads_the_sanitizing_file(request: pytest.FixtureRequest) -> None:
    assert (ROOT / request.config.option.nbval_sanitize_with).samefile(ROOT / "tests" / "notebooks" / "sanitize.cfg")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_stored_range_belongs_to_a_number_that_the_notebook_prints(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    lines = "\n".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])
    ).splitlines()

    def bounds(stored: Any) -> list[Any]:
        return [stored] if isinstance(stored, list) else [stored[key] for key in stored]

    for label, stored in Measured(path.stem).ranges.items():
        is_table = isinstance(stored, dict) and not stored.keys() <= {"value", "interval"}
        assert (label in lines) if is_table else any(line.startswith(f"{label}: ≈") for line in lines), label
        entries = [entry for row in stored.values() for entry in row.values()] if is_table else [stored]
        assert all(low <= high for entry in entries for low, high in bounds(entry)), label
    assert not [line for line in lines if "<- " in line and ("was written for" in line or "no range" in line)]
