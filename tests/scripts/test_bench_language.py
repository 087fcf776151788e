"""The measurements of notebook 14 use its transformer and write what it reads, on tiny budgets; no time is judged."""

import json
from pathlib import Path
from typing import Any

import bench_language
import numpy as np
import pytest
import torch

STORED = Path(__file__).parents[2] / "notebooks" / "data" / "language_models.json"


@pytest.fixture(scope="module")
def own() -> dict[str, Any]:
    return bench_language.cells(*bench_language.OWN)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_language, "SETTINGS", bench_language.SETTINGS | {"episodes": 8})
    monkeypatch.setattr(bench_language, "WINDOW", 2)
    monkeypatch.setattr(bench_language, "HALF_WAY", 2)


def test_the_transformer_is_causal_and_reads_the_last_written_position(own: dict[str, Any]) -> None:
    torch.manual_seed(0)
    policy, row = own["Transformer"](3), torch.tensor([[7.0, 2, 5, 10, 2, 11]])
    later, earlier = row.clone(), row.clone()
    later[0, 5], earlier[0, 1] = 4.0, 3.0
    everywhere = policy.answer(policy.read(row))[0]
    torch.testing.assert_close(policy(row)[0], everywhere[4])
    torch.testing.assert_close(policy.answer(policy.read(later))[0, :5], everywhere[:5])
    assert not torch.allclose(policy(earlier), policy(row))


def test_what_is_written_is_what_the_policy_says(own: dict[str, Any]) -> None:
    class Next(torch.nn.Module):
        """Writes the last token plus one; after the equals sign (10), a 1."""

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            last = rows[torch.arange(len(rows)), (rows < 11).sum(1) - 1].long()
            return 50.0 * torch.nn.functional.one_hot((last + 1) % 10, 10)

    prompts = torch.tensor([[4, 4, 4], [0, 9, 1]])
    for generator in (None, torch.Generator().manual_seed(0)):
        assert own["write"](Next(), prompts, generator).tolist() == [[1, 2, 3], [1, 2, 3]]


@pytest.mark.usefixtures("tiny")
def test_a_training_goes_on_until_the_bar(own: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def train(limit: float) -> dict[str, Any]:
        torch.manual_seed(0)
        return bench_language.train(own["Transformer"](3), "sort", 0, 4, limit)[0]

    assert len(train(0.0)["right"]) == 2 and train(0.0)["reached"] is None  # out of time
    monkeypatch.setattr(bench_language, "BAR", -0.1)
    assert train(1e9)["reached"] == 2 and len(train(1e9)["seconds"]) == 2  # reached, but not before its updates
    monkeypatch.setattr(bench_language, "BAR", 0.09)
    late = train(1e9)
    assert late["reached"] is not None and len(late["right"]) == max(2, -(-late["reached"] // 2))


@pytest.mark.usefixtures("tiny")
def test_gaming_leaves_the_agent_as_it_was(own: dict[str, Any]) -> None:
    torch.manual_seed(0)
    policy, prompts = own["Transformer"](3), torch.tensor([[1, 2, 3], [9, 0, 5]])
    before = torch.nn.utils.parameters_to_vector(policy.parameters()).clone()
    found = bench_language.game(policy, 0, 4, prompts, own["write"], kl_weight=0.1)
    assert len(found["right"]) == len(found["order"]) == 3
    assert torch.equal(before, torch.nn.utils.parameters_to_vector(policy.parameters()))


@pytest.mark.usefixtures("tiny")
def test_the_stored_file_has_the_shape_that_the_script_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench_language.main([str(tmp_path / "f.json"), "--seeds", "1", "--updates", "2", "--gaming", "2", "--limit", "0"])
    fresh, stored = (json.loads(path.read_text()) for path in (tmp_path / "f.json", STORED))
    monkeypatch.undo()
    assert fresh.keys() == stored.keys()
    assert stored["settings"] == bench_language.SETTINGS and stored["window"] == bench_language.WINDOW
    assert stored["estimators"] == fresh["estimators"] == bench_language.ESTIMATORS
    for task in bench_language.TASKS:
        for name in bench_language.ESTIMATORS:
            (tried,), runs = fresh["curves"][task][name], stored["curves"][task][name]
            assert len(runs) == 10 and all(run.keys() == tried.keys() for run in runs)
            assert all(len(run["right"]) >= stored["updates"] // stored["window"] for run in runs)
            assert all(len(run["right"]) == len(run["seconds"]) for run in runs)
            assert np.all([0 <= right <= 1 for run in runs for right in run["right"]])
    for start, prices in stored["gamed"].items():
        assert prices.keys() == fresh["gamed"][start].keys()
        assert all(len(runs) == 10 and len({len(run["right"]) for run in runs}) == 1 for runs in prices.values())
