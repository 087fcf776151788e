"""The measurements of notebook 09 count right and write what it reads, on tiny budgets; no time is judged."""

import json

import bench_pendulum
import numpy as np
import pytest


def test_the_bar_counts_from_the_last_update_of_the_window() -> None:
    run = {"seconds": [float(t) for t in range(20)], "returns": [-1000.0] * 5 + [-100.0] * 15}
    # k high updates of 10 average -1000 + 90 k: above -200 from the ninth on, which is update number 13 from 0
    assert bench_pendulum.reached(run) == 13.0
    assert bench_pendulum.reached({"seconds": [1.0] * 12, "returns": [-201.0] * 12}) is None
    assert bench_pendulum.reached({"seconds": [1.0], "returns": [0.0]}) is None


def test_a_training_stops_at_its_limit() -> None:
    assert bench_pendulum.train(0, 0.0, episodes=2)["returns"] == []
    run = bench_pendulum.train(3, 1e9, episodes=2, updates=2)
    assert run["seed"] == 3 and len(run["returns"]) == len(run["seconds"]) == 2


def test_the_file_holds_numbers_alone(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    bench_pendulum.main([str(tmp_path / "found.json"), "--seeds", "2", "--seconds", "0.2"])
    found = json.loads((tmp_path / "found.json").read_text())
    assert [[run["seed"] for run in found[name]] for name in ("sampled", "clipped")] == [[0, 1], [0, 1]]
    assert set(found) == {"settings", "limit", "bar", "window", "sampled", "clipped"} and found["limit"] == 0.2
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_the_mistake_is_another_training() -> None:
    right, wrong = (bench_pendulum.train(0, 1e9, clipped=clipped, episodes=2, updates=3) for clipped in (False, True))
    # the same luck and, to a torque, the same clipping in the environment: apart from the first step of learning on
    assert right["returns"][0] == wrong["returns"][0] and right["returns"] != wrong["returns"]


def test_the_agents_file_has_the_mean_return_of_each_update(
    tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the exercise's own solution: batches of as many episodes as it plays before each step."""
    monkeypatch.setattr(bench_pendulum, "EPISODES", 10)
    bench_pendulum.main([str(tmp_path / "agent.json"), "--agent", "--seeds", "2"])
    found = json.loads((tmp_path / "agent.json").read_text())
    assert [run["seed"] for run in found["runs"]] == [0, 1] and found["episodes"] == 10
    assert "batch_size=8" in bench_pendulum.GAUSSIAN_AGENT.solution and found["batch"] == 8
    scope: dict[str, object] = {}
    exec(bench_pendulum.GAUSSIAN_AGENT.solution, scope)
    first = scope["train"]("Pendulum-v1", 8, 0)
    assert found["runs"][0]["returns"][0] == pytest.approx(np.mean(first), abs=0.06)
    assert all(len(run["returns"]) == 2 for run in found["runs"])
    assert len(capsys.readouterr().out.splitlines()) == 2
