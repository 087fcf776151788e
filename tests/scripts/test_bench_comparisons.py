"""The measurements of notebook 16 use its cells and write what it reads, on tiny budgets; no time is judged."""

import json
import math
from pathlib import Path
from typing import Any

import bench_comparisons
import bench_language
import pytest
import torch
from torch import nn

STORED = Path(__file__).parents[2] / "notebooks" / "data" / "comparisons.json"


@pytest.fixture(scope="module")
def own() -> dict[str, Any]:
    return bench_language.cells(*bench_comparisons.OWN, path=bench_comparisons.NOTEBOOK)


@pytest.fixture
def reference(own: dict[str, Any]) -> nn.Module:
    torch.manual_seed(0)
    policy: nn.Module = own["Transformer"](3)
    nn.init.normal_(policy.logits.weight, std=0.5)  # so that its answers differ in probability
    return policy


def test_log_prob_adds_up_what_writing_draws_from(own: dict[str, Any], reference: nn.Module) -> None:
    """Oracle: the policy, asked token by token."""
    prompts, answers = torch.tensor([[7, 2, 5], [0, 0, 9]]), torch.tensor([[2, 5, 7], [9, 1, 0]])
    with torch.no_grad():
        found, total = own["log_prob"](reference, prompts, answers), torch.zeros(2)
        for place in range(3):
            row = torch.full((2, 6), 11)
            row[:, :3], row[:, 3], row[:, 4 : 4 + place] = prompts, 10, answers[:, :place]
            total += reference(row).log_softmax(-1)[[0, 1], answers[:, place]]
    torch.testing.assert_close(found, total)
    assert own["right"](prompts, answers).tolist() == [3, 0]


def test_comparisons_are_those_of_bradley_and_terry(own: dict[str, Any], reference: nn.Module) -> None:
    """Oracle: the sigmoid of 1. Of some 4,000 pairs; five standard errors, by chance once in a million."""
    prompts, better, worse = own["compare"](reference, 20_000, torch.Generator().manual_seed(0))
    difference = own["right"](prompts, better) - own["right"](prompts, worse)
    ahead, behind = int((difference == 1).sum()), int((difference == -1).sum())
    p = 1 / (1 + math.exp(-1))
    assert abs(ahead / (ahead + behind) - p) < 5 * math.sqrt(p * (1 - p) / (ahead + behind))


def test_a_reward_model_learns_its_comparisons(own: dict[str, Any], reference: nn.Module) -> None:
    comparisons = own["compare"](reference, 200, torch.Generator().manual_seed(0))
    model, (prompts, better, worse) = own["fit"](comparisons, 0), comparisons
    other = (better != worse).any(1)
    assert (model(prompts, better) > model(prompts, worse))[other].double().mean() > 0.85


@pytest.mark.parametrize("kind", ["climb", "direct"])
def test_trainings_yield_policies_that_leave_the_reference_alone(
    own: dict[str, Any], reference: nn.Module, kind: str
) -> None:
    before = nn.utils.parameters_to_vector(reference.parameters()).clone()
    comparisons = own["compare"](reference, 50, torch.Generator().manual_seed(0))
    about = own["right"] if kind == "climb" else comparisons
    policies = list(own[kind](reference, about, 0.3, 0, 2))
    assert len(policies) == 2
    assert torch.equal(before, nn.utils.parameters_to_vector(reference.parameters()))
    assert not torch.equal(before, nn.utils.parameters_to_vector(policies[-1].parameters()))


def test_the_first_step_of_dpo_has_the_gradient_of_its_formula(own: dict[str, Any], reference: nn.Module) -> None:
    """Oracle: at the reference all differences are 0, so the gradient is -beta / 2 times that of the mean lead.

    The direction of Adam's first step is the sign of the gradient.
    """
    comparison = torch.tensor([[[7, 2, 5]], [[2, 5, 7]], [[7, 2, 5]]])
    prompt, better, worse = comparison
    (policy,) = own["direct"](reference, comparison, 0.3, 0, 1)
    lead = own["log_prob"](reference, prompt, better) - own["log_prob"](reference, prompt, worse)
    slopes = torch.cat([g.flatten() for g in torch.autograd.grad(lead.mean(), list(reference.parameters()))])
    moved = nn.utils.parameters_to_vector(policy.parameters()) - nn.utils.parameters_to_vector(reference.parameters())
    steep = slopes.abs() > 1e-4
    assert torch.equal(moved[steep].sign(), slopes[steep].sign())


def test_the_stored_file_has_the_shape_that_the_script_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_comparisons, "LOOK", 1)
    tiny = ["--seeds", "1", "--half-way", "1", "--updates", "1", "--steps", "1"]
    bench_comparisons.main([str(tmp_path / "f.json"), *tiny])
    fresh, stored = (json.loads(path.read_text()) for path in (tmp_path / "f.json", STORED))
    assert fresh.keys() == stored.keys() and fresh["runs"].keys() == stored["runs"].keys()
    for name, runs in stored["runs"].items():
        assert len(runs) == stored["seeds"] >= 5 and all(run.keys() == fresh["runs"][name][0].keys() for run in runs)
        assert len({len(values) for run in runs for values in run.values()}) == 1
        assert all(0 <= right <= 3 for run in runs for right in run["right"])
