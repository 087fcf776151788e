"""The command line of sweeps, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sweep_cases import oracle

from pglesson import Settings
from pglesson.sweeps import read_sweep, to_map
from pglesson.sweeps.cli import main

HELPERS = Path(__file__).parents[1] / "helpers"


def test_command_reads_settings_and_explains_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = str(tmp_path / "map")
    fixed = [f"--set={name}" for name in ("env=pglesson/CoinOrPrize-v0", "updates=2", "episodes=2", "optimizer=sgd")]
    axes = ["--grid=hidden=(),(4,)", "--grid=baseline=none,value", "--grid=max_grad_norm=1,inf"]
    assert main([store, *fixed, *axes]) == 0
    settings, grid, points = read_sweep(store)
    assert settings == Settings(env="pglesson/CoinOrPrize-v0", updates=2, episodes=2, optimizer="sgd")
    assert grid == {"hidden": [(), (4,)], "baseline": ["none", "value"], "max_grad_norm": [1, float("inf")]}
    lines = capsys.readouterr().out.splitlines()
    assert len(points) == len(lines) == 8
    assert lines[-1].startswith("8 of 8  hidden=(4,) baseline=value max_grad_norm=inf  mean score ")
    for wrong, words in (
        (["--grid", "gamma"], "NAME=VALUE"),
        (["--grid", "gamma=2"], "gamma was set to 2"),
        (["--grid", "gamma=0.9", "--workers=0"], "The number of workers was set to 0"),
        (
            ["--set", "updates=3", *fixed[:1], *axes],
            "other settings: episodes (2 there, 16 now), updates (2 there, 3 now)",
        ),
    ):
        with pytest.raises(SystemExit) as stop:
            main([store, *wrong])
        assert stop.value.code == 2 and words in " ".join(capsys.readouterr().err.split())


# Python runs this file at the start of each process. The first worker goes on; the second stays where it would import.
SITE = """
import sys, time
from pathlib import Path
if "--multiprocessing-fork" in sys.orig_argv:
    folder = Path(__file__).parent
    try:
        (folder / "first").touch(exist_ok=False)
    except FileExistsError:
        (folder / "second").touch()
        time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a group of processes")
def test_ctrl_c_keeps_finished_points_and_the_same_command_continues(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a terminal sends it, to all processes at once: while one worker trains, and the other still imports."""
    (tmp_path / "sitecustomize.py").write_text(SITE)
    store, gates = tmp_path / "map", [tmp_path / f"gate{number}" for number in range(4)]
    for gate in gates[:2]:  # one is for the worker that trains, and the other for the one that imports
        gate.touch()
    axis = "--grid=env_options=" + ",".join(repr({"gate": str(gate)}) for gate in gates)
    small = [f"--set={name}" for name in ("env=sweep_cases:Gate-v0", "hidden=()", "updates=2", "episodes=8", "runs=2")]
    command = [str(store), *small, axis]
    out, error = tmp_path / "out", tmp_path / "error"
    with out.open("w") as stdout, error.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "pglesson.sweeps", *command, "--workers=2"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(HELPERS)))},
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            # a shell starts what runs in the background with SIGINT ignored, and tests may run there
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        end = time.monotonic() + 60
        while not ((tmp_path / "second").exists() and list(tmp_path.glob("*.reached")) and "\n" in out.read_text()):
            assert time.monotonic() < end and process.poll() is None, error.read_text()
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) == 130
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    first, last = out.read_text().splitlines()
    assert first.startswith("1 of 4  env_options=") and error.read_text() == ""
    assert last == f"Stopped: 1 of 4 points are in {store}. The same command continues."
    before = store.read_bytes()
    assert len(read_sweep(store)[2]) == 1
    for gate in gates:
        gate.touch()
    assert main(command) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert store.read_bytes().startswith(before) and len(store.read_text().splitlines()) == 2 + 4
    settings, grid, points = read_sweep(store)
    np.testing.assert_array_equal(to_map(points, grid), oracle(grid, settings))
