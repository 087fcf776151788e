"""The measurements of notebooks 12 and 13 write what they read, on tiny budgets; no time and no curve is judged."""

import json
from pathlib import Path

import bench_actor_critic
import pytest

STORED = Path(__file__).parents[2] / "notebooks" / "data" / "actor_critic.json"


def shape(found, runs, updates=None):
    """Raises AssertionError unless the file's groups are the script's, with a number for every update and run."""
    assert list(found) == list(bench_actor_critic.GROUPS)
    for group, (shared, variants) in bench_actor_critic.GROUPS.items():
        settings = {name: list(x) if isinstance(x, tuple) else x for name, x in shared.items()}
        assert found[group]["settings"] == {**settings, "runs": runs}
        assert found[group]["changes"] == variants
        assert list(found[group]["trainings"]) == list(variants)
        for name, training in found[group]["trainings"].items():
            number = updates or {**shared, **variants[name]}["updates"]
            assert set(training) == {"returns", "change", "seconds"}
            assert len(training["returns"]) == len(training["change"]) == number
            assert all(len(row) == runs for row in training["returns"])
            assert all(x >= 0 for x in training["change"])


def test_the_stored_file_is_the_scripts() -> None:
    shape(json.loads(STORED.read_text(encoding="utf-8")), runs=10)


def test_the_file_has_a_number_for_every_update_and_run(
    tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    groups = {
        group: ({**shared, "episodes": 2}, dict(list(variants.items())[-2:]))
        for group, (shared, variants) in bench_actor_critic.GROUPS.items()
    }
    monkeypatch.setattr(bench_actor_critic, "GROUPS", groups)
    file = tmp_path / "found.json"
    bench_actor_critic.main([str(file), "--runs", "2", "--updates", "1"])
    first = json.loads(file.read_text())
    shape(first, runs=2, updates=1)
    assert len(capsys.readouterr().out.splitlines()) == 2 * len(groups)

    bench_actor_critic.main([str(file), "--runs", "2", "--updates", "1", "--only", "cartpole, steps"])
    again = json.loads(file.read_text())
    before, after = first["cartpole, steps"]["trainings"], again["cartpole, steps"]["trainings"]
    returns = [[training["returns"] for training in trainings.values()] for trainings in (before, after)]
    assert returns[0] == returns[1] and list(again) == list(first)


def test_the_first_update_knows_nothing_of_lambda() -> None:
    """The same episodes, and another step from there on."""
    shared = {**bench_actor_critic.CARTPOLE, **bench_actor_critic.QUICK, "episodes": 2, "updates": 3, "runs": 2}
    low, high = (bench_actor_critic.measure({**shared, "gae_lambda": x})["returns"] for x in (0.0, 1.0))
    assert low[0] == high[0] and low != high


def test_rounding_keeps_so_many_digits() -> None:
    assert [bench_actor_critic.significant(x) for x in (0.012345, 123.45, 0.0, 1e-9)] == [0.012, 120.0, 0.0, 1e-9]
