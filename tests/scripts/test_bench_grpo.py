"""The measurements of notebook 17 use its cells and write what it reads, on tiny budgets; no time is judged."""

import itertools
import json
from pathlib import Path
from typing import Any

import bench_grpo
import bench_language
import pytest
import torch
from torch import nn

STORED = Path(__file__).parents[2] / "notebooks" / "data" / "grpo.json"
STOP = 10


@pytest.fixture(scope="module")
def own() -> dict[str, Any]:
    return bench_language.cells(*bench_grpo.OWN, path=bench_grpo.NOTEBOOK, itertools=itertools)


@pytest.fixture(scope="module")
def start(own: dict[str, Any]) -> nn.Module:
    policy: nn.Module = own["pretrain"](0, 20)
    return policy


def row(*tokens: int) -> list[int]:
    return [*tokens, *[3] * (9 - len(tokens))]


def test_right_answers_stop_and_may_repeat(own: dict[str, Any]) -> None:
    answers = [row(2, 5, 7, STOP), row(2, 2, 5, 7, 7, STOP), row(2, 5, STOP), row(5, 2, 7, STOP), [2] * 3 + [5] * 6]
    prompts = torch.tensor([[7, 2, 5]]).expand(5, 3)
    assert own["is_right"](prompts, torch.tensor(answers)).tolist() == [1, 1, 0, 0, 0]
    assert own["was_written"](torch.tensor(answers)).sum(1).tolist() == [4, 6, 3, 4, 9]
    assert own["is_right"](torch.tensor([[7, 7, 7]]), torch.tensor([row(7, STOP)])).tolist() == [1]


def test_tokens_have_the_probabilities_with_which_they_are_drawn(own: dict[str, Any], start: nn.Module) -> None:
    """Oracle: the policy, asked at each state."""
    prompts = torch.tensor([[7, 2, 5], [1, 1, 4]])
    answers = own["sample"](start, prompts, torch.Generator().manual_seed(0))
    found = own["log_probs"](start, prompts, answers)
    for t in range(9):
        state = torch.full((2, 12), 11)
        state[:, :3], state[:, 3], state[:, 4 : 4 + t] = prompts, STOP, answers[:, :t]
        before = start.answer(start.read(state))[:, 3 + t].log_softmax(-1)  # type: ignore[operator]
        torch.testing.assert_close(found[:, t], before[[0, 1], answers[:, t]])


def test_the_loss_is_that_of_the_formula_and_each_change_changes_it(own: dict[str, Any]) -> None:
    """Oracle: a loop over single tokens."""
    generator = torch.Generator().manual_seed(0)
    log_pi, log_old = -2 * torch.rand(2, 4, 9, generator=generator)
    A, lengths = torch.tensor([0.5, -1.0, 2.0, -1.5]), [2, 9, 4, 1]
    written = (torch.arange(9) < torch.tensor(lengths)[:, None]).float()

    def expected(high: float = 0.2) -> float:
        total = 0.0
        for i, length in enumerate(lengths):
            for t in range(length):
                ratio = float((log_pi[i, t] - log_old[i, t]).exp())
                total += min(ratio * float(A[i]), max(0.8, min(1 + high, ratio)) * float(A[i])) / length
        return -total / 4

    losses = {}
    for name, change in own["CHANGES"].items():
        known = {key: value for key, value in change.items() if key in ("ratios", "average", "high")}
        losses[name] = float(own["grpo_loss"](log_pi, log_old, A, written, **known))
    assert losses["GRPO"] == pytest.approx(expected()) and losses["clip higher"] == pytest.approx(expected(0.28))
    assert len({round(loss, 5) for name, loss in losses.items() if name != "mixed groups only"}) == 5


def test_mixed_groups_are_mixed_and_what_was_dropped_is_counted(own: dict[str, Any], start: nn.Module) -> None:
    *_, R, drawn = own["draw_groups"](start, torch.Generator().manual_seed(0), mixed_only=True)
    assert R.shape == (16, 8) and ((R.mean(1) > 0) & (R.mean(1) < 1)).all()
    assert len(drawn) % 16 == 0 and len(drawn) > 16
    *_, R, drawn = own["draw_groups"](start, torch.Generator().manual_seed(0))
    assert torch.equal(R, drawn)


def test_the_stored_file_has_the_shape_that_the_script_writes(tmp_path: Path) -> None:
    bench_grpo.main([str(tmp_path / "f.json"), "--seeds", "1", "--answers", "128", "--imitation", "60"])
    fresh, stored = (json.loads(path.read_text()) for path in (tmp_path / "f.json", STORED))
    assert fresh.keys() == stored.keys() and fresh["runs"].keys() == stored["runs"].keys()
    for name, runs in stored["runs"].items():
        assert len(runs) >= 5 and all(run.keys() == fresh["runs"][name][0].keys() for run in runs)
        assert all(run["answers"][-1] >= stored["answers"] > run["answers"][-2] for run in runs)
        assert all(0 <= right <= 1 for run in runs for right in run["right"])
