"""The clinic: what it says of a patient is what the patient's training shows, and no cause can be mistaken."""

from __future__ import annotations

import asyncio
import math
from itertools import permutations

import numpy as np
import pytest
import torch

from pglesson.advantages import returns_to_go
from pglesson.analysis.plots import run_series
from pglesson.widgets.clinic import Clinic
from pglesson.widgets.patients import CAUSES, HEALTHY, PANELS, PATIENTS, TWINS, Patient, Training, explain

Curves = dict[str, np.ndarray]


def curves(training: Training) -> Curves:
    """The mean over runs of each panel's quantity, one number an update."""
    while training.step():
        pass
    fields = ("returns", "entropy", "gradient_norm", "policy_change")
    return {name: run_series(training.updates, name)[1].mean(1) for name in fields}


@pytest.fixture(scope="module")
def trained() -> dict[Patient, tuple[Training, Curves]]:
    return {patient: (t := Training(patient), curves(t)) for patient in (*PATIENTS, *TWINS)}


def signs_seen(sick: Curves, health: Curves, returns: torch.Tensor, rewards_end: float) -> dict[str, set[str]]:
    """The words that fit each panel, by thresholds that are written here alone."""
    end = len(health["returns"]) // 2
    start, gained, gain = (
        health["returns"][0],
        sick["returns"][end:].mean() - health["returns"][0],
        health["returns"][end:].mean() - health["returns"][0],
    )
    assert gain > 0, "a healthy training learns"
    fits: dict[str, set[str]] = {panel: set() for panel in PANELS}
    for word, holds in {
        HEALTHY: 0.7 < gained / gain < 1.4,
        "slow to rise": 0.05 < gained / gain < 0.6,
        "no better than at the start": abs(gained / gain) < 0.3,
        "worse than at the start": gained < -0.25 * abs(start),
    }.items():
        if holds:
            fits["return"].add(word)
    left, usual = sick["entropy"] - sick["entropy"][0], health["entropy"] - health["entropy"][0]
    for word, holds in {
        HEALTHY: np.abs(left - usual).max() < 0.3,  # the luck of four runs
        "stuck where it began": np.abs(left).max() < 0.05,
        "gone within a few updates": sick["entropy"][5:].max() < 0.1 * sick["entropy"][0],
        "lower and lower": (np.diff(sick["entropy"][::8]) < 0).all() and left[-1] < 3 * usual[-1] < 0,
    }.items():
        if holds:
            fits["entropy"].add(word)
    for panel, name in (("gradient norm", "gradient_norm"), ("policy change", "policy_change")):
        ratio = sick[name][0] / health[name][0]  # of the first update: both have played the same episodes
        growth = sick[name][-5:].mean() / sick[name][:5].mean()
        for word, holds in {
            HEALTHY: 0.3 < ratio < 3 and growth < 10,
            "zero but for rounding": sick[name].max() < 1e-5 * health[name][0],
            "far smaller than in health": 1e-6 < ratio < 0.01,
            "far larger than in health": ratio > 30,
            "growing without end": growth > 30,
        }.items():
            if holds:
                fits[panel].add(word)
    steps = len(returns)
    for word, holds in {
        HEALTHY: math.isclose(returns[-1], rewards_end, rel_tol=1e-5) and abs(returns[0]) > 3 * abs(returns[-1]),
        "flat, and lower only in the last few steps": returns.max() < 1.5 * rewards_end and steps > 5,
        "not back at the last reward when the episode ends": returns[-1] > 3 * rewards_end,
        "a hundred times too large": math.isclose(returns[-1], 100 * rewards_end, rel_tol=1e-5),
    }.items():
        if holds:
            fits["returns G_t"].add(word)
    return fits


@pytest.mark.parametrize("number", range(len(PATIENTS)))
def test_every_sign_that_is_claimed_is_seen(number: int, trained: dict[Patient, tuple[Training, Curves]]) -> None:
    patient = PATIENTS[number]
    training, sick = trained[patient]
    twin, health = trained[patient.without_mistake()]
    # the twin has played the same first episode, whose last G_t is its last reward; a healthy patient has its own
    last_reward = float((training if patient.cause == "healthy" else twin).returns[-1])
    seen = signs_seen(sick, health, training.returns, last_reward)
    for panel, word in CAUSES[patient.cause].signs.items():
        assert word is None or word in seen[panel], (patient.cause, panel, word, seen[panel])


def test_every_cause_can_be_told_from_every_other() -> None:
    for one, other in permutations(CAUSES, 2):
        signs, others = CAUSES[one].signs, CAUSES[other].signs
        assert any(signs[p] and others[p] and signs[p] != others[p] for p in PANELS), (one, other)
    assert set(CAUSES) == {patient.cause for patient in PATIENTS}


def test_an_explanation_names_the_panel_that_speaks_against_it() -> None:
    patient = next(p for p in PATIENTS if p.cause == "rate too low")
    said = explain(patient, "entropy too large")
    assert said.startswith("Not an entropy weight that is too large: with that, the panel “policy change” would show")
    for patient in PATIENTS:
        for guess in CAUSES:
            said = explain(patient, guess)
            assert said.startswith("Right: ") == (guess == patient.cause)
            assert (CAUSES[patient.cause].name in said) == (guess == patient.cause), "a wrong guess gives nothing away"
            signs = CAUSES[patient.cause].signs
            shared = CAUSES[guess].signs
            told = [sign for panel, sign in signs.items() if sign and sign != shared[panel] and sign in said]
            assert guess == patient.cause or not told or HEALTHY in told, told


def test_the_mistakes_are_the_ones_that_are_named() -> None:
    """By hand, at gamma = 1: two episodes of rewards 1, 2 and 3, the second one step long."""
    from pglesson.rollout import Episodes
    from pglesson.widgets import patients

    mask = torch.tensor([[[1.0, 1.0], [1.0, 0.0]]])
    rewards = torch.tensor([[[1.0, 2.0], [3.0, 0.0]]])
    episodes = Episodes(
        torch.zeros(1, 2, 2, 1), torch.zeros(1, 2, 2), rewards, mask, torch.ones(1, 2), torch.zeros(1, 2, 1)
    )
    assert patients.episode_returns(episodes, 1.0).tolist() == [[[3.0, 2.0], [3.0, 0.0]]]
    assert patients.carried_over_returns(episodes, 1.0).tolist() == [[[6.0, 5.0], [3.0, 0.0]]]
    assert patients.hundredfold_returns(episodes, 1.0).equal(100 * returns_to_go(rewards, 1.0))
    assert patients.summed_over_the_batch(rewards).tolist() == [[[6.0, 6.0], [6.0, 6.0]]]


@pytest.fixture(scope="module")
def clinic() -> Clinic:
    return Clinic()


class TestOnScreen:
    def test_opens_with_a_trained_patient_and_gives_nothing_away(self, clinic: Clinic) -> None:
        assert len(clinic._present[0].updates) == clinic._present[0].settings.updates
        assert clinic.diagnosis.value == "" and clinic.answer.value == ""
        clinic.answer_button.click()
        assert clinic.answer.value == "Choose a cause from the list first."
        assert "0 of" in clinic.status.value

    def test_a_wrong_diagnosis_is_answered_and_a_right_one_counts_once(self, clinic: Clinic) -> None:
        clinic.diagnosis.value = "rate too low"
        clinic.answer_button.click()
        assert clinic.answer.value.startswith("Not a learning rate that is too low") and "0 of" in clinic.status.value
        clinic.diagnosis.value = "sign flipped"
        clinic.answer_button.click()
        clinic.answer_button.click()
        assert clinic.answer.value.startswith("Right: ") and f"1 of {len(PATIENTS)}" in clinic.status.value

    def test_choosing_a_patient_trains_it_in_the_background_once(self, clinic: Clinic) -> None:
        async def visit() -> None:
            clinic._main._loop = asyncio.get_running_loop()
            clinic.patient.value = 1
            first = clinic._task
            assert first is not None and clinic._present[0].updates == []
            clinic.patient.value = 2  # leaves patient 1 in the middle
            clinic.patient.value = 1
            assert clinic._task is not None
            await clinic._task
            assert first.cancelled()

        before = clinic.image.value
        asyncio.run(visit())
        assert len(clinic._present[0].updates) == 25 and clinic.image.value != before
        assert clinic._present[0].patient is PATIENTS[1] and clinic.diagnosis.value == ""
        twin = clinic._present[1]
        clinic._open(4)
        assert clinic._present[1] is twin, "patients of one task share the training in health"
