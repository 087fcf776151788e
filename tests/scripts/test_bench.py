"""The benchmark's pieces run and count right, on tiny budgets; no time is judged."""

from __future__ import annotations

import bench_device
import bench_training
import pytest
import torch


def test_listing_plays_and_reports() -> None:
    with torch.random.fork_rng():
        row = bench_training.run_listing(60)
    assert row["rate"] > 0 and row["steady"] > 0 and row["to_bar"] is None and row["last"] >= 1


def test_engine_below_the_bar_reports_no_time() -> None:
    row = bench_training.run_engine(2, seed=0, updates=2)
    assert row["rate"] > 0 and row["steady"] is None and row["to_bar"] is None and row["each"] == [None, None]


def test_engine_waits_for_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a bar that any 100 episodes pass, every run reaches it at the seventh update of 16."""
    monkeypatch.setattr(bench_training, "BAR", 1.0)
    row = bench_training.run_engine(3, seed=0, updates=20, after=2)
    assert row["each"] == [row["to_bar"]] * 3 and row["steady"] > 0


def test_ceilings_step() -> None:
    assert bench_training.run_ceiling(4, 3) > 0 and bench_training.run_single_ceiling(50) > 0


def test_a_training_that_never_arrives_counts_as_the_longest() -> None:
    assert bench_training.median([1.0, None, 3.0]) == 3.0
    assert bench_training.median([1.0, None, None]) is None


def test_the_table_prints_what_is_missing_as_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    row = bench_training.summary("some", [{"rate": 1234.0, "steady": None, "to_bar": None}], None)
    bench_training.print_table([row])
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("some"))
    assert line.split()[:5] == ["some", "1,234", "-", "-", "-"]
    assert bench_training.ratio(None, 2.0) == "-" and bench_training.ratio(1.0, 2.0) == "0.50"


def test_the_device_table_counts_the_steps_of_a_device(capsys: pytest.CaptureFixture[str]) -> None:
    """CPU alone, so that it runs everywhere; a rate is steps over seconds, so it is above 0."""
    bench_device.main(["cpu"], runs=(2,), updates=3)
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == ["hidden", "runs", "cpu", "steps/s"] and len(rows) == len(bench_device.HIDDEN)
    assert all(float(row.split()[-1].replace(",", "")) > 0 for row in rows)
