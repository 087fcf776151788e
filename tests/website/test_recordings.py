"""The recordings of a dashboard: their numbers are those of the engine, their films those of its agents."""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from build_site import ROOT, WEBSITE
from PIL import Image

from pglesson import Settings, make_policy, reinforce
from pglesson.analysis import mean_interval, render_episode
from pglesson.reinforce import Update
from pglesson.widgets import Dashboard

sys.path.insert(0, str(WEBSITE))
import recordings
from recorded_settings import RECORDED

TINY = {"env": "CartPole-v1", "runs": 3, "episodes": 2, "updates": 4, "hidden": (), "seed": 5}
RECIPES: list[dict[Any, Any]] = [{}, {"baseline": "none"}, {"gamma": 0.5, 2: {"gamma": 0.9, "baseline": "none"}}]


def dashboard(**changes: Any) -> Dashboard:
    return Dashboard(Settings(**{**TINY, **changes}), watch="gradient_norm", environments=())


def numbers(folder: Path, name: str) -> Any:
    """What the script of the recordings gives to the page."""
    script = (folder / f"{name}.js").read_text(encoding="utf-8")
    return json.loads(re.fullmatch(r"\(window\.recordings \?\?= \{\}\)\[.*?\] = (.*);\n", script, re.DOTALL)[1])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("recordings")
    return folder, recordings.store(dashboard(), RECIPES, 1.0, folder, "tiny")


def trained(recipe: dict[Any, Any]) -> list[Update]:
    """The oracle: the engine itself, whose settings are moved by hand."""
    settings, updates = Settings(**TINY), list[Update]()
    for name, value in recipe.items():
        if isinstance(name, str):
            setattr(settings, name, value)
    for update in reinforce(settings):
        updates.append(update)
        for name, value in recipe.get(update.number, {}).items():
            setattr(settings, name, value)
    return updates


@pytest.mark.parametrize("number", range(len(RECIPES)))
def test_the_recorded_numbers_are_those_of_the_run(made: tuple[Path, dict[str, Any]], number: int) -> None:
    folder, stored = made
    updates = trained(RECIPES[number])
    returns, watched = numbers(folder, "tiny")[number]["series"]
    assert stored["updates"] == [1, 2, 3, 4] and stored["episodes"] == TINY["episodes"]
    np.testing.assert_allclose(returns, np.transpose([u.returns.mean(1) for u in updates]), rtol=1e-3)
    np.testing.assert_allclose(watched, np.transpose([u.gradient_norm for u in updates]), rtol=1e-3)
    mean, low, high = stored["settings"][number]["end"]
    assert stored["settings"][number]["watched"] == updates[-1].gradient_norm.mean()
    assert mean == updates[-1].returns.mean() and (low, high) == mean_interval(updates[-1].returns.mean(1))


def test_recipes_are_told_in_words_and_moves_are_marked(made: tuple[Path, dict[str, Any]]) -> None:
    first, none, moved = made[1]["settings"]
    assert first["words"] == "as it starts: baseline time mean, gamma 0.99" and first["moves"] == []
    assert none["words"] == "baseline none" and none["moves"] == []
    assert moved["words"] == "gamma 0.5; after update 2: gamma 0.9, baseline none"
    ((at, words),) = moved["moves"]
    assert at == 5.0  # two updates of two episodes, and half of the next one
    assert " ".join(words).replace("\u00a0", " ") == "gamma: 0.5 → 0.9 baseline: time mean → none"


def test_a_film_is_what_the_agent_plays(made: tuple[Path, dict[str, Any]]) -> None:
    """Oracle: an episode of the untrained policy. Each frame is nearer to its own picture than to any other one."""
    folder, _ = made
    before = numbers(folder, "tiny")[0]["films"][0]
    strip = np.asarray(Image.open(folder / before["file"]).convert("RGB")).astype(int)
    height = before["height"]
    assert before["update"] == 0 and len(strip) == height * len(before["words"])
    run = int(before["words"][0].partition("run ")[2].split()[0]) - 1
    played = list(render_episode("CartPole-v1", make_policy(Settings(**TINY)), seed=TINY["seed"], run=run))
    assert before["words"][-1].endswith(f"after {len(played) - 1} steps. Return: {played[-1][1]:.0f}")
    every_other = [Image.fromarray(picture).resize((before["width"], height)) for picture, _ in played[::2]]
    wanted = np.stack([np.asarray(picture).astype(int) for picture in every_other])
    shown = strip.reshape(-1, height, *strip.shape[1:])[: len(wanted)]
    apart = np.abs(shown[:, None] - wanted[None]).mean((2, 3, 4))
    assert np.allclose(apart.diagonal(), apart.min(1), atol=0.05) and apart.diagonal().max() < 1 < 10 * apart[0, -1]


def test_the_dashboard_and_the_random_numbers_stay_as_they_were(tmp_path: Path) -> None:
    view = dashboard()
    before = torch.get_rng_state().clone(), view.settings.snapshot()
    recordings.store(view, [{}, {"gamma": 0.5}], 1.0, tmp_path, "again")
    assert torch.equal(torch.get_rng_state(), before[0]) and view.settings == before[1] and view.updates == []


def test_of_a_long_training_every_few_updates_are_kept_with_the_last() -> None:
    kept = recordings.kept_updates(1500)
    assert len(kept) <= recordings.POINTS and kept[-1] == 1499 and set(np.diff(kept)) == {8}
    assert list(recordings.kept_updates(60)) == list(range(60))


def test_a_dashboard_that_is_not_listed_varies_its_first_knob() -> None:
    view = Dashboard(Settings(**TINY), knobs={"gamma": [0.0, 0.5, 0.9, 0.95, 0.99]}, environments=())
    assert recordings.usual_recipes(view) == [{}, {"gamma": 0.0}, {"gamma": 0.9}, {"gamma": 0.95}]


def test_every_dashboard_of_the_lesson_is_listed_with_settings_that_exist() -> None:
    found = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        texts = [
            output["data"].get("text/plain", "")
            for cell in cells
            for output in cell.get("outputs", [])
            if "data" in output
        ]
        if live := sum(text in ("<Dashboard>", "<Playground>") for text in texts):
            found[path.stem[:2]] = live
    assert {prefix: len(dashboards) for prefix, dashboards in RECORDED.items()} == found
    for dashboards in RECORDED.values():
        for seconds, recipes in dashboards:
            assert seconds > 0 and 2 <= len(recipes) <= 6 and recipes[0] == {}
            for recipe in recipes:
                for changes in (recipe, *(recipe[key] for key in recipe if isinstance(key, int))):
                    Settings(**{key: value for key, value in changes.items() if isinstance(key, str)})


def test_a_single_run_has_no_interval(tmp_path: Path) -> None:
    stored = recordings.store(dashboard(runs=1), [{}, {"gamma": 0.5}], 1.0, tmp_path, "one")
    assert stored["quantile"] is None and all(len(setting["end"]) == 1 for setting in stored["settings"])
    page = recordings.markup(stored).partition("<script")[0]
    assert "95 %" not in page and "one run" in page
    assert math.isclose(recordings.student(10), 2.262, rel_tol=1e-3)  # a table of Student's t
