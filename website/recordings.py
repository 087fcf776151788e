"""Trains a dashboard at a few settings, for a page without a kernel.

Each dashboard that a notebook shows is trained as recorded_settings.py says, with its own settings and seeds, and
becomes the HTML that recording.js plays.
"""

from __future__ import annotations

import hashlib
import html
import io
import itertools
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import frames
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from recorded_settings import CARTPOLE, RECORDED, Recipe

from pglesson.analysis.confidence import mean_interval
from pglesson.analysis.plots import COLORS, describe, label, lesson_style, merged_moves, new_figure, run_series, text
from pglesson.widgets.agent_view import FRAME, LAST_FRAME, AgentView
from pglesson.widgets.curves import RIVAL, TrainingCurves
from pglesson.widgets.main_loop import MainLoop
from pglesson.widgets.training_session import TrainingSession
from pglesson.widgets.training_view import SIZE, TrainingView

POINTS = 200  # updates whose numbers are kept, at most
AGENTS = 5  # of each recording, from the untrained one to the last: their films
FRAMES = 40  # of a film, at most, every second time step: as in a notebook while training runs
APART = 0.045  # of the axis: moves of knobs that are nearer to each other are one move
LEVELS = 3  # of a knob, beside the one where it starts: where nothing else is said


def usual_recipes(view: TrainingView) -> list[Recipe]:
    """What is recorded of a dashboard that is not listed: the first of its knobs, at a few of its levels."""
    name, control = next(iter(view.knobs.items()))
    others = [value for _, value in control.options if value != getattr(view.settings, name)]
    places = sorted({round(place) for place in np.linspace(0, len(others) - 1, min(LEVELS, len(others)))})
    return [{}, *({name: others[place]} for place in places)]


def train(view: TrainingView, recipe: Recipe) -> TrainingSession:
    """A finished training like the view's, with the recipe's settings. The view and all random numbers stay the same.

    Raises what the training raises: a page shows no run that broke down.
    """
    own = view.session
    session = TrainingSession(own.settings, policy=own.own_policy, baseline=own.own_baseline, watch=own.watch)
    session.set("baseline", own.settings.baseline)  # and not the learner's own, if another one is chosen
    for name, value in recipe.items():
        if isinstance(name, str):
            session.set(name, value)
    with torch.random.fork_rng():
        while True:
            for name, value in recipe.get(len(session.updates), {}).items():
                session.set(name, value)
            if session.step() is None:
                return session


def describe_recipes(view: TrainingView, recipes: Sequence[Recipe]) -> list[str]:
    """Each recipe in words: what it sets, and after how many updates; the first one names what the others change."""

    def words(settings: dict[str, Any]) -> str:
        return ", ".join(f"{label(name)} {text(value)}" for name, value in settings.items())

    names = dict.fromkeys(
        name for recipe in recipes for key in recipe for name in (recipe[key] if isinstance(key, int) else [key])
    )
    described = []
    for recipe in recipes:
        parts = [words({key: value for key, value in recipe.items() if isinstance(key, str)}) or "as it starts"]
        if not recipe:
            parts[0] += ": " + words({name: getattr(view.settings, name) for name in names})
        parts += [f"after update {key}: {words(value)}" for key, value in recipe.items() if isinstance(key, int)]
        described.append("; ".join(parts))
    return described


def store(view: TrainingView, recipes: Sequence[Recipe], seconds: float, folder: Path, name: str) -> dict[str, Any]:
    """Trains all recipes and stores NAME.webp, NAME.js and films in a folder; returns what recording.js has to know.

    NAME.webp is the first recipe's finished run; NAME.js has the numbers, loaded when the reader comes near; a film is
    named after its content, since several recordings may share one. seconds: of an update in the notebook.
    """
    sessions = [train(view, recipe) for recipe in recipes]
    figure = new_figure(*SIZE)
    curves = TrainingCurves(figure, sessions[0])
    curves.show()
    (folder / f"{name}.webp").write_bytes(frames.webp(picture_of(figure)))
    first, described = sessions[0].settings, describe(figure)
    looks = [
        {"title": plot.axes.get_title("left"), "y": plot.axes.get_ylabel(), "color": plot.color, "log": plot.log}
        for plot in curves.plots
    ]
    curves.rival = sessions[-1]  # for the words of the two panels where two runs are compared
    curves.rebuild()
    curves.show()
    left, right = figure.axes
    rival = {"title": left.get_title("left"), "y": right.get_ylabel(), "color": RIVAL}
    settings, numbers = [], []
    for session, words in zip(sessions, describe_recipes(view, recipes)):
        settings.append({"words": words} | summary(session))
        numbers.append({"series": series(session), "films": films(session, folder)})
    written = json.dumps(numbers, separators=(",", ":"), allow_nan=False)
    script = f"(window.recordings ??= {{}})[{json.dumps(name)}] = {written};\n"
    (folder / f"{name}.js").write_text(script, encoding="utf-8")
    return {
        "name": name,
        "seconds": seconds * first.updates,
        "runs": first.runs,
        "episodes": first.episodes,
        "updates": [int(index) + 1 for index in kept_updates(first.updates)],
        "quantile": student(first.runs),
        "plots": looks,
        "rival": rival,
        "move": COLORS["move"],
        "settings": settings,
        "film": {"frame": FRAME, "last": LAST_FRAME},
        "described": described,
    }


def summary(session: TrainingSession) -> dict[str, Any]:
    """What a page says of one recording before its numbers are loaded: axes, moves of knobs, and how it ended."""
    curves = TrainingCurves(new_figure(*SIZE), session)
    curves.show()
    episodes, returns = run_series(session.updates, "returns")
    end, watched = returns[-1], run_series(session.updates, curves.plots[1].quantity)[1][-1].mean()
    return {
        "seed": session.settings.seed,
        "limits": [plot.axes.get_ylim() for plot in curves.plots],
        "moves": merged_moves(session.updates, episodes, APART * episodes[-1]),
        "end": [float(end.mean()), *(mean_interval(end) if len(end) > 1 else ())],
        "watched": float(watched) if math.isfinite(watched) else None,
    }


def series(session: TrainingSession) -> list[list[list[float | None]]]:
    """What the panels show, (panels, runs, kept updates), to four digits; None where an update did not measure it."""
    kept = kept_updates(len(session.updates))
    found = [
        run_series(session.updates, plot.quantity)[1][kept].T for plot in TrainingCurves(new_figure(), session).plots
    ]
    return [[[float(f"{x:.4g}") if math.isfinite(x) else None for x in run] for run in values] for values in found]


def kept_updates(updates: int) -> NDArray[np.int64]:
    """The indices of the updates whose numbers are kept: evenly spaced, with the last one."""
    return np.arange(updates - 1, -1, -math.ceil(updates / POINTS))[::-1]


def student(runs: int) -> float | None:
    """Half the width of the 95 % interval of a mean over the runs, in standard errors; None for a single run."""
    from scipy import stats

    return float(stats.t.ppf(0.975, runs - 1)) if runs > 1 else None


def films(session: TrainingSession, folder: Path) -> list[dict[str, Any]]:
    """Episodes of a few of the kept agents, the median run of each, stored as strips; none if the task draws nothing.

    A strip has its frames one below the other. Of each: since which update the agent is shown, and each frame's words.
    """
    made, view = [], AgentView(session, MainLoop(), lambda: False)
    wanted = np.linspace(0, len(session.updates), AGENTS)
    for update in sorted({max(mark for mark in session.marks if mark <= place) for place in wanted}):
        view._open(update, stride=2, limit=FRAMES)
        shots = list(iter(view._next, None))
        if not shots:
            return []
        pictures = [np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) for png, _, _ in shots]
        strip = frames.webp(np.concatenate(pictures))
        name = f"film-{hashlib.sha256(strip).hexdigest()[:12]}.webp"
        (folder / name).write_bytes(strip)
        height, width = pictures[0].shape[:2]
        size = {"width": width, "height": height}
        made.append({"update": update, "file": name, "words": [words for _, words, _ in shots]} | size)
    return made


def picture_of(figure: Figure) -> NDArray[np.uint8]:
    """The figure's pixels, (height, width, 3)."""
    canvas = FigureCanvasAgg(figure)
    with lesson_style():
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def markup(stored: dict[str, Any]) -> str:
    """The recordings in a page. A reader without scripts has the words, a finished run, and how each one ended."""
    runs = stored["runs"]
    trained = "one run" if runs == 1 else f"{runs} runs side by side"
    titles = [
        "setting",
        "return of an episode" + ", mean of the runs [95 % interval]" * (runs > 1),
        stored["plots"][1]["y"],
    ]
    head = "".join(f"<th scope=col>{html.escape(title)}</th>" for title in titles)
    rows = "".join(
        f"<tr><th scope=row>{html.escape(setting['words'])}</th><td>{in_numbers(*setting['end'])}</td>"
        f"<td>{three_digits(setting['watched'])}</td></tr>"
        for setting in stored["settings"]
    )
    return (
        f'<div class="live recording"><p class="live-note"><b>A recording</b> of trainings with the dashboard\'s own '
        f"settings and seeds, {trained}, made when this page was built. In the notebook the dashboard trains live, and "
        f"every knob moves while it learns.</p>"
        f'<noscript><img src="frames/{stored["name"]}.webp" alt="{html.escape(stored["described"])}"></noscript>'
        f"<details><summary>How each recording ended, in numbers</summary><table><thead><tr>{head}"
        f"</tr></thead><tbody>{rows}</tbody></table></details>"
        f"{frames.script(stored)}</div>"
    )


def in_numbers(mean: float, low: float | None = None, high: float | None = None) -> str:
    """A return and its interval, as recording.js writes them too: decimals where they matter."""
    largest = max(map(abs, (mean, low or 0, high or 0)))
    digits = 0 if largest >= 100 else 1 if largest >= 10 else 2
    low_high = [] if low is None else [low, high]
    written, *interval = (f"{round(value, digits) + 0.0:.{digits}f}" for value in (mean, *low_high))  # no minus zero
    return (written + (f" [{', '.join(interval)}]" if interval else "")).replace("-", "\N{MINUS SIGN}")


def three_digits(value: float | None) -> str:
    """What is watched, in numbers; "" where it was not measured."""
    if value is None:
        return ""
    rounded = float(f"{value:.3g}")
    return (f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:g}").replace("-", "\N{MINUS SIGN}")


_NUMBERS = itertools.count()  # of the dashboards of this kernel's notebook


def page(view: TrainingView, folder: Path, name: str) -> str:
    """Trains a dashboard, stores the recordings in a folder, and returns the HTML that recording.js brings to life.

    name: of its files; it begins with the notebook's number.
    """
    number, known = next(_NUMBERS), RECORDED.get(name.partition("-")[0], [])
    seconds, recipes = known[number] if number < len(known) else (CARTPOLE, usual_recipes(view))
    return markup(store(view, recipes, seconds, folder, name))
