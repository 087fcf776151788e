"""Once installed, the lesson needs no network: notebooks and engine run where there is none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# a namespace begins with its loopback down, over which a notebook talks to its kernel
ALONE = ["unshare", "-r", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


def cut_off_from_the_network() -> bool:
    """Whether this system lets a test make a namespace without a network."""
    if not shutil.which("unshare") or not shutil.which("ip"):
        return False
    return subprocess.run([*ALONE, "true"], capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not cut_off_from_the_network(), reason="unshare -n and ip are not there or not allowed")


def run_alone(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ALONE, sys.executable, *command], cwd=ROOT, capture_output=True, text=True)


def test_there_is_no_network_in_there() -> None:
    """The oracle for the test below: even an address, for which no name must be looked up, cannot be reached."""
    code = "import socket; socket.create_connection(('192.0.2.1', 80), 5)"
    found = run_alone("-c", code)
    assert found.returncode == 1 and "Network is unreachable" in found.stderr


def test_a_notebook_and_the_engine_run_without_a_network() -> None:
    tests = ("notebooks/02_softmax_policies.ipynb", "tests/test_reinforce.py::test_learns_to_balance_a_pole")
    found = run_alone("-m", "pytest", "-q", "-n", "0", *tests)
    assert found.returncode == 0, found.stdout + found.stderr
