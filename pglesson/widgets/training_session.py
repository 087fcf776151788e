"""A training that can be stepped, changed and begun again: what dashboard and playground show, without any widget."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from pglesson.baselines import OwnBaseline
from pglesson.own_policies import copy_policy
from pglesson.reinforce import FloatArray, Update, make_policy, reinforce
from pglesson.settings import GROUPED, OWN, Settings
from pglesson.widgets.presets import OTHER, PRESETS

Watch = str | Callable[[nn.Module], ArrayLike]
KEPT = ("settings", "updates", "watched", "policy", "marks", "_generator")
MARKS = 20  # copies of the policy that a training keeps, about
MEASURED_BY = {"gradient_variance": "measure_variance", "policy_change": "measure_change"}  # quantity: setting


class TrainingSession:
    """One `reinforce` after another, with settings that may change in between.

    settings: where to begin; a session changes its own copy. policy, baseline: a learner's own module and baseline, of
    which each training gets a copy; settings.runs becomes the policy's `runs`, or else 1, and settings.baseline 'own'.
    watch: the name of a quantity that is to be measured, or a function of the policy, called after each update.

    updates: those of the present training; they stay when it fails, until the next one begins. watched: what the
    function to watch gave after each of them, (runs,). policy: the present one; None until one could be made. marks:
    copies of it from before the first update and from some twenty moments since, {updates made: policy}. on_begin:
    functions to call when a training has begun.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        policy: nn.Module | None = None,
        baseline: object = None,
        watch: Watch = "entropy",
    ) -> None:
        if settings is not None and not isinstance(settings, Settings):
            raise ValueError(f"settings is {settings!r}, but must be Settings, such as Settings(env='CartPole-v1').")
        self.settings = deepcopy(settings) if settings else Settings(**PRESETS["CartPole-v1"])
        if policy is not None:
            self.settings.runs = getattr(policy, "runs", 1)
        if baseline is not None:
            self.settings.baseline = OWN
        self.own_policy, self.own_baseline, self.watch = policy, baseline, watch
        self._measure_watched(self.settings)
        self.first_settings = deepcopy(self.settings)
        self.updates: list[Update] = []
        self.watched: list[FloatArray] = []
        self.policy: nn.Module | None = None
        self.marks: dict[int, nn.Module] = {}
        self.on_begin: list[Callable[[], object]] = []
        self._generator: Iterator[Update] | None = None
        torch.optim.SGD([torch.zeros(1)])  # the first optimizer of a process takes seconds: here, not in the first step

    @property
    def begun(self) -> bool:
        """Whether there is a training that `step` continues."""
        return self._generator is not None

    def begin(self) -> None:
        """Begins a new training. Raises what `make_policy` raises, and then keeps the updates there are."""
        self.end()
        self.policy = copy_policy(self.own_policy) if self.own_policy is not None else make_policy(self.settings)
        self.marks = {0: copy_policy(self.policy)}
        own = None if self.own_baseline is None else OwnBaseline(deepcopy(self.own_baseline))
        self._generator = reinforce(self.settings, self.policy, baseline=own)
        self.updates, self.watched = [], []
        for call in self.on_begin:
            call()

    def step(self) -> Update | None:
        """Makes the next update, or the first one of a new training if the last one failed; None after the last one.

        Raises what `reinforce` and the function to watch raise. This ends the training, but keeps the updates.
        """
        if self._generator is None:
            self.begin()
        assert self._generator is not None and self.policy is not None
        try:
            update = next(self._generator, None)
            if update is not None and callable(self.watch):
                self.watched.append(np.atleast_1d(np.asarray(self.watch(self.policy), dtype=float)))
        except BaseException:
            self.end()
            raise
        if update is not None:
            self.updates.append(update)
            self._mark(update.number)
        return update

    def agent_at(self, update: int) -> nn.Module:
        """The policy after that many updates, or at the last mark before them."""
        assert self.policy is not None
        return self.policy if update == len(self.updates) else self.marks[max(m for m in self.marks if m <= update)]

    def ranked_runs(self, update: int) -> NDArray[np.int64]:
        """The runs, best first, by what their agents earned in the update that followed that many, or in the last."""
        following = self.updates[update : update + 1] or self.updates[-1:]
        return np.argsort(-following[0].returns.mean(1), kind="stable") if following else np.arange(self.settings.runs)

    def _mark(self, number: int) -> None:
        assert self.policy is not None
        apart = max(1, self.settings.updates // MARKS)
        if number == 1 or number % apart == 0:
            self.marks[number] = copy_policy(self.policy)

    def leave(self) -> dict[str, Any]:
        """What `come_back` needs to go on with the present training after others; the next ones leave it alone."""
        kept = {name: getattr(self, name) for name in KEPT}
        self.settings, self.updates, self.watched, self._generator = deepcopy(self.settings), [], [], None
        return kept

    def come_back(self, kept: dict[str, Any]) -> None:
        """Goes on with a training that was left."""
        for name, value in kept.items():
            setattr(self, name, value)

    def end(self) -> None:
        """Ends the training: the next step begins a new one."""
        self._generator = None

    def set(self, name: str, value: Any) -> None:
        """Changes a setting; a live one counts from the next update on. Raises ValueError for an impossible value."""
        setattr(self.settings, name, value)

    def suited(self, env: str) -> Settings:
        """The settings that suit a task: its preset, or what the session began with, for that task.

        The device stays, and so do the runs of a learner's own policy and a chosen baseline of the learner's own.
        """
        first = self.first_settings
        fresh = deepcopy(first) if env == first.env else Settings(env=env, **PRESETS.get(env, OTHER))
        fresh.device = self.settings.device
        if self.own_policy is not None:
            fresh.runs = self.settings.runs
        if self.own_baseline is not None and self.settings.baseline == OWN:
            fresh.baseline = OWN
        return fresh

    def can_train(self, settings: Settings) -> Exception | None:
        """The error with which a training with these settings would fail in its first update, or None."""
        trial = deepcopy(settings)
        trial.updates = trial.max_steps = 1
        whole_batch = (*GROUPED, OWN)  # a group, or the learner's baseline, may need all the episodes
        if trial.baseline not in whole_batch and trial.normalization not in whole_batch:
            trial.episodes, trial.baseline, trial.normalization = 1, "none", "none"
        baseline = self.own_baseline if trial.baseline == OWN else None
        try:
            policy = None if self.own_policy is None else copy_policy(self.own_policy)
            next(reinforce(trial, policy, baseline=deepcopy(baseline)))
        except Exception as error:
            return error
        return None

    def take(self, fresh: Settings, *, keep: Collection[str] = ()) -> None:
        """Takes over all these settings, for the next training.

        keep: live settings that go back to their first value, instead of to a default. The quantity to watch is
        measured in any case.
        """
        self._measure_watched(fresh)
        live, defaults = fresh.live(), Settings().live()
        kept = {name: getattr(self.first_settings, name) for name in keep if live[name] == defaults[name]}
        for name, value in (fresh.fixed() | live | kept).items():
            setattr(self.settings, name, value)

    def _measure_watched(self, settings: Settings) -> None:
        if isinstance(self.watch, str) and self.watch in MEASURED_BY:
            setattr(settings, MEASURED_BY[self.watch], True)
