"""The clinic: what it says of a patient is what the patient's training shows, and no cause can be mistaken."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import re

import numpy as np
import pytest
import torch

from pglesson.analysis.plots import run_series
from pglesson.settings import Settings
from pglesson.widgets.clinic import Clinic
from pglesson.widgets.patients import ARM, CAUSES, HEALTHY, PANELS, PATIENTS, TWINS, Patient, Training, explain

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


def signs_seen(training: Training, sick: Curves, twin: Training, health: Curves) -> dict[str, set[str]]:
    """The words that fit each panel, by thresholds that are written here alone. twin, health: without the mistake."""
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
        "no better than at the start": abs(gained / gain) < 0.3 and gained >= -0.25 * abs(start),
        "worse than at the start": gained < -0.25 * abs(start),
    }.items():
        if holds:
            fits["return"].add(word)
    left, usual = sick["entropy"] - sick["entropy"][0], health["entropy"] - health["entropy"][0]
    for word, holds in {
        HEALTHY: np.abs(left - usual).max() < 0.3,  # the luck of four runs
        "stuck where it began": np.abs(left).max() < 0.05,
        "gone within a few updates": sick["entropy"][5:].max() < 0.1 * sick["entropy"][0],
        "rising without end": (np.diff(sick["entropy"]) > 0).all() and left[-1] > 1,
        "lower and lower": (np.diff(sick["entropy"][::8]) < 0).all() and left[-1] < 3 * usual[-1] < 0,
    }.items():
        if holds:
            fits["entropy"].add(word)
    for panel, name in (("gradient norm", "gradient_norm"), ("policy change", "policy_change")):
        ratio = sick[name][0] / health[name][0]  # of the first update: both have played the same episodes
        growth = sick[name][-5:].mean() / max(sick[name][:5].mean(), 1e-12)
        for word, holds in {
            HEALTHY: 0.3 < ratio < 3 and growth < 10,
            "zero but for rounding": sick[name].max() < 1e-5 * health[name][0],
            "far smaller than in health": 1e-6 < ratio < 0.01,
            "far larger than in health": ratio > 20,
            "growing without end": growth > 30,
        }.items():
            if holds:
                fits[panel].add(word)
    returns, last = training.returns, training.last_reward  # the cross in the panel
    size = float(returns.abs().mean() / twin.returns.abs().mean())  # another seed's episode has another length
    back, falls = math.isclose(returns[-1], last, rel_tol=1e-5), abs(returns[0]) > 3 * abs(returns[-1])
    for word, holds in {
        HEALTHY: back and falls and 0.5 < size < 2,
        "flat, and lower only in the last few steps": back and 0 < returns.max() < 1.5 * last and len(returns) > 5,
        "several times nearer to 0 than in health": back and size < 0.4,
        "not back at the last reward when the episode ends": abs(returns[-1]) > 3 * abs(last),
        "a hundred times too large": back and math.isclose(last, 100 * twin.last_reward, rel_tol=1e-5),
    }.items():
        if holds:
            fits["returns G_t"].add(word)
    return fits


@pytest.mark.parametrize("number", range(len(PATIENTS)))
def test_every_sign_that_is_claimed_is_seen(number: int, trained: dict[Patient, tuple[Training, Curves]]) -> None:
    patient = PATIENTS[number]
    seen = signs_seen(*trained[patient], *trained[patient.without_mistake()])
    for panel, word in CAUSES[patient.cause].signs_in(patient.healthy["env"]).items():
        assert word is None or word in seen[panel], (patient.cause, panel, word, seen[panel])


def with_another_cause(twin: Patient, cause: str) -> Patient:
    """The mistake of a patient with this cause, in the task of `twin`; a rate is wrong by the same factor."""
    ill = next(patient for patient in PATIENTS if patient.cause == cause)
    changes = dict(ill.changes)
    if "learning_rate" in changes:
        usual = [Settings(**healthy).learning_rate for healthy in (twin.healthy, ill.healthy)]
        changes["learning_rate"] *= usual[0] / usual[1]
    return dataclasses.replace(ill, healthy=twin.healthy, changes=changes)


@pytest.fixture(scope="module")
def other_causes(trained: dict[Patient, tuple[Training, Curves]]) -> dict[tuple[str, str, str], dict[str, set[str]]]:
    """What would be seen of each cause in each task: (task, optimizer, cause) -> the words that fit each panel."""
    found = {}
    for twin in TWINS:
        for cause in CAUSES:
            if cause != "clipped log-probability" or twin.healthy["env"] == ARM["env"]:
                training = Training(with_another_cause(twin, cause))
                found[(*task_of(twin), cause)] = signs_seen(training, curves(training), *trained[twin])
    return found


def task_of(patient: Patient) -> tuple[str, str]:
    return patient.healthy["env"], patient.healthy.get("optimizer", "adam")


@pytest.mark.parametrize("number", range(len(PATIENTS)))
def test_every_patient_can_be_told_from_every_other_cause(
    number: int,
    trained: dict[Patient, tuple[Training, Curves]],
    other_causes: dict[tuple[str, str, str], dict[str, set[str]]],
) -> None:
    """The panel that a wrong guess is pointed to would show the sign that is named, and the patient's does not."""
    patient = PATIENTS[number]
    seen = signs_seen(*trained[patient], *trained[patient.without_mistake()])
    for guess in CAUSES:
        said = explain(patient, guess)
        if named := re.search("the panel “(.*)” would show: (.*?)\\. Look", said):
            panel, sign = named[1], named[2]
            assert sign not in seen[panel], (guess, panel, sign)
            assert sign in other_causes[(*task_of(patient), guess)][panel], (guess, panel, sign)
        else:
            assert guess in (patient.cause, "healthy", "clipped log-probability")
    assert set(CAUSES) == {patient.cause for patient in PATIENTS}


@pytest.mark.parametrize("seed", range(5))
def test_the_size_of_the_arms_returns_tells_gamma_in_any_episode(seed: int) -> None:
    """The healthy arm plays another episode than its grey curve: also then 0.3 and 0.9 are no matter of the seed."""
    sizes = []
    for gamma in (0.3, 0.9):
        training = Training(Patient("", ARM, {"gamma": gamma, "seed": seed}))
        training.step()
        sizes.append(training.returns.abs().mean() / abs(training.last_reward))
    assert sizes[0] < 3.5 < sizes[1]


def test_an_explanation_names_the_panel_that_speaks_against_it() -> None:
    patient = next(p for p in PATIENTS if p.cause == "rate too low")
    said = explain(patient, "entropy too large")
    assert said.startswith("Not an entropy weight that is too large: with that, the panel “policy change” would show")
    assert "none of them is clipped" in explain(patient, "clipped log-probability")
    for patient in PATIENTS:
        for guess in CAUSES:
            said = explain(patient, guess)
            assert said.startswith("Right: ") == (guess == patient.cause)
            assert (CAUSES[patient.cause].name in said) == (guess == patient.cause), "a wrong guess gives nothing away"
            signs, shared = (CAUSES[key].signs_in(patient.healthy["env"]) for key in (patient.cause, guess))
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

    def test_a_curve_below_its_panel_is_told_in_words(self, clinic: Clinic) -> None:
        clinic._open(6)
        clinic.step()
        clinic.draw()  # a step draws only if the last picture is some time ago
        words = [note.get_text() for note in clinic._notes]
        assert words[:2] == ["", ""] and all(re.fullmatch(r"▼ below the axis: \de-\d+", word) for word in words[2:])
        clinic._open(0)

    def test_choosing_a_patient_trains_it_in_the_background_once(self, clinic: Clinic) -> None:
        async def visit() -> None:
            clinic._main._loop = asyncio.get_running_loop()
            clinic.patient.value = 1
            first = clinic._task
            assert first is not None and clinic._present[0].updates == []
            assert clinic.status.value.endswith("diagnosed; training, update 0 of 25")
            clinic.patient.value = 2  # leaves patient 1 in the middle
            clinic.patient.value = 1
            assert clinic._task is not None
            await clinic._task
            assert first.cancelled()

        before = clinic.image.value
        asyncio.run(visit())
        assert len(clinic._present[0].updates) == 25 and clinic.image.value != before
        assert clinic.status.value.endswith("diagnosed")
        assert clinic._present[0].patient is PATIENTS[1] and clinic.diagnosis.value == ""
        twin = clinic._present[1]
        clinic._open(4)
        assert clinic._present[1] is twin, "patients of one task share the training in health"
