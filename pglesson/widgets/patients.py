"""The patients of the clinic: trainings with a mistake, what their curves show, and why a diagnosis is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from pglesson.advantages import returns_to_go
from pglesson.distributions import DiagGaussian
from pglesson.reinforce import Update, make_policy, reinforce
from pglesson.rollout import Episodes
from pglesson.settings import Settings

ReturnsFunction = Callable[[Episodes, float], Tensor]

CARTPOLE = {"env": "CartPole-v1", "runs": 4, "updates": 25, "max_steps": 200}
CARTPOLE_SGD = CARTPOLE | {"optimizer": "sgd", "learning_rate": 0.1}
ARM = {"env": "pglesson/PlanarArm-v0", "runs": 4, "updates": 40, "gamma": 0.9, "learning_rate": 0.02}


# --- mistakes in code, each of which replaces something that is right -------------------------------------------------


def episode_returns(episodes: Episodes, gamma: float) -> Tensor:
    """The right one: G_t within each episode, (runs, episodes, steps)."""
    return returns_to_go(episodes.rewards, gamma)


def carried_over_returns(episodes: Episodes, gamma: float) -> Tensor:
    """The running sum is not reset to 0 between episodes: it includes the return of the next episode."""
    returns = torch.zeros_like(episodes.rewards)
    for run, played in enumerate(episodes.mask > 0):  # a run's episodes, laid end to end
        returns[run][played] = returns_to_go(episodes.rewards[run][played], gamma)
    return returns


def flipped(advantages: Tensor) -> Tensor:
    """The loss with the wrong sign."""
    return -advantages


def summed_over_the_batch(advantages: Tensor) -> Tensor:
    """sum(log pi) * A instead of sum(log pi * A): every log-probability is weighted by the sum of all advantages.

    `reinforce` then normalizes this constant to 0, which is also the sum of normalized advantages.
    """
    return advantages.sum((1, 2), keepdim=True).expand_as(advantages)


class ClippedGaussian(DiagGaussian):
    """The sample is clipped before its log-probability is computed."""

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Clipped to the arm's bounds."""
        return super().sample(generator).clamp(-1, 1)


# --- causes, and their signs ------------------------------------------------------------------------------------------

PANELS = ("return", "entropy", "gradient norm", "policy change", "returns G_t")
HEALTHY = "as in health"


@dataclass(frozen=True)
class Cause:
    """signs: on CartPole, a word for each of PANELS; None where it varies. why: the explanation. fix: code, or words.

    on_the_arm: the signs that are others there, where rewards are negative and actions continuous.
    """

    name: str
    signs: Mapping[str, str | None]
    why: str
    fix: str
    on_the_arm: Mapping[str, str | None] = field(default_factory=dict)

    def signs_in(self, env: str) -> dict[str, str | None]:
        """The signs in a task."""
        return dict(self.signs) | (dict(self.on_the_arm) if env == ARM["env"] else {})


def _signs(*words: str | None) -> dict[str, str | None]:
    return dict(zip(PANELS, words))


STUCK, WORSE, SLOW = "no better than at the start", "worse than at the start", "slow to rise"
CAUSES = {
    "healthy": Cause(
        "no illness at all",
        _signs(HEALTHY, HEALTHY, HEALTHY, HEALTHY, HEALTHY),
        "All five panels go the way of the grey curves, up to the noise between runs. Not every patient has a fault.",
        "",
    ),
    "rate too high": Cause(
        "a learning rate that is too high",
        _signs(SLOW, "gone within a few updates", HEALTHY, "far larger than in health", HEALTHY),
        "The gradient is as long as in health, and yet the first update moves the policy far more. Within a "
        "few updates it is certain, and of something that one batch of noise has told it.",
        "learning_rate=0.03 instead of 1.0",
    ),
    "rate too low": Cause(
        "a learning rate that is too low",
        _signs(STUCK, "stuck where it began", HEALTHY, "far smaller than in health", HEALTHY),
        "The gradient is there, as long as in health, but the policy change is some ten thousand times smaller: it "
        "learns the right thing, in steps that nobody will live to see the end of.",
        "learning_rate=0.03 instead of 0.0003",
    ),
    "gamma too short": Cause(
        "a gamma that is too short",
        _signs(SLOW, None, None, HEALTHY, "flat, and lower only in the last few steps"),
        "With gamma = 0.3 the return of a step is that step's reward and little more: 1 + 0.3 + 0.09 + ... = 1.43, the "
        "same nearly everywhere. Only the last two or three steps before the fall look different, so it learns slowly "
        "what led there.",
        "gamma=0.99 instead of 0.3",
        {"return": None, "returns G_t": "several times nearer to 0 than in health"},
    ),
    "large rewards": Cause(
        "large rewards, not normalized",
        _signs(WORSE, "gone within a few updates", "far larger than in health", None, "a hundred times too large"),
        "Plain gradient ascent makes steps as long as the gradient, and the gradient is as large as the rewards. One "
        "step was enough to be certain for ever: afterwards the score, and with it the gradient, is zero. Adam would "
        "have hidden it, since it divides by the gradient's size.",
        'normalization="batch" instead of "none"; or rewards of 1 a step and a far lower learning rate',
    ),
    "sign flipped": Cause(
        "the sign of the loss, flipped",
        _signs(WORSE, None, HEALTHY, HEALTHY, HEALTHY),
        "Everything works, and works towards the worst: the return falls below what an untrained agent gets. An "
        "optimizer goes downhill, so the loss must be minus the objective.",
        "loss = -(log_prob * advantages).sum() instead of (log_prob * advantages).sum()",
    ),
    "clipped log-probability": Cause(
        "the log-probability of the clipped action",
        _signs(STUCK, "lower and lower", "growing without end", "growing without end", HEALTHY),
        "Many actions are recorded exactly at the bound. One that did worse than expected is made less likely, and a "
        "log-density has no floor: mu moves away from the bound and sigma shrinks, and each step makes the next one "
        "longer, since the score is (a - mu) / sigma². With the sampled action this cannot run away: the samples move "
        "along with mu (notebook 09). The environment gets the clipped action; the log-probability belongs to the "
        "sampled one.",
        "log_prob(action), then env.step(action.clip(low, high)); not log_prob(action.clip(low, high))",
    ),
    "returns not reset": Cause(
        "returns that are not reset between episodes",
        _signs(SLOW, None, None, HEALTHY, "not back at the last reward when the episode ends"),
        "Look at the last panel: at an episode's last step G_t must be that step's reward. Here the sum runs on into "
        "the next episode, which had nothing to do with these actions, so the fall hardly lowers it.",
        "G = 0.0 at the start of each episode, inside the loop over episodes",
    ),
    "entropy too large": Cause(
        "an entropy weight that is too large",
        _signs(STUCK, "stuck where it began", HEALTHY, HEALTHY, HEALTHY),
        "The first update moves the policy as far as in health, and yet the entropy stays where an undecided policy "
        "has it: whatever the returns teach, the bonus takes back.",
        "entropy_weight=0.0 instead of 3.0",
        {"return": HEALTHY, "entropy": "rising without end", "gradient norm": "far larger than in health"},
    ),
    "wrong axis": Cause(
        "the batch, summed over the wrong axis",
        _signs(STUCK, None, "zero but for rounding", None, HEALTHY),  # Adam makes full steps of rounding errors
        "Normalized advantages add up to zero. Summing the log-probabilities first weighs each of them with that sum, "
        "so nothing is left of the gradient but rounding, about 1e-7. (Adam divides by the gradient's size: it would "
        "make full steps of that, in a direction that means nothing.)",
        "(log_prob * advantages).sum() instead of log_prob.sum() * advantages.sum()",
    ),
}


@dataclass(frozen=True, eq=False)
class Patient:
    """A training with at most one mistake. healthy: the right settings; the other fields are the mistake."""

    cause: str
    healthy: Mapping[str, Any]
    changes: Mapping[str, Any] = field(default_factory=dict)
    returns: ReturnsFunction = episode_returns
    reward_scale: float = 1.0
    weight_advantages: Callable[[Tensor], Tensor] | None = None
    distribution: type[DiagGaussian] | None = None

    def without_mistake(self) -> Patient:
        """The same training without the mistake."""
        return next(twin for twin in TWINS if twin.healthy == self.healthy)


TWINS = tuple(Patient("healthy", healthy) for healthy in (CARTPOLE, CARTPOLE_SGD, ARM))
PATIENTS = (
    Patient("sign flipped", CARTPOLE, weight_advantages=flipped),
    Patient("rate too low", CARTPOLE, {"learning_rate": 0.0003}),
    Patient("clipped log-probability", ARM, distribution=ClippedGaussian),
    Patient("large rewards", CARTPOLE_SGD, {"normalization": "none"}, reward_scale=100.0),
    Patient("gamma too short", CARTPOLE, {"gamma": 0.3}),
    Patient("healthy", ARM, {"seed": 1}),
    Patient("wrong axis", CARTPOLE_SGD, weight_advantages=summed_over_the_batch),
    Patient("rate too high", CARTPOLE, {"learning_rate": 1.0}),
    Patient("sign flipped", ARM, weight_advantages=flipped),
    Patient("returns not reset", CARTPOLE, returns=carried_over_returns),
    Patient("entropy too large", CARTPOLE, {"entropy_weight": 3.0}),
)


class Training:
    """A patient's training. updates: so far. returns: G_t of the first episode, (steps,); last_reward: its last one."""

    def __init__(self, patient: Patient) -> None:
        self.settings = Settings(**(dict(patient.healthy) | dict(patient.changes)), measure_change=True)
        self.patient, self.updates, self.returns = patient, list[Update](), torch.zeros(0)
        self.last_reward = 0.0
        policy = make_policy(self.settings)
        if patient.distribution is not None:
            policy.distribution = patient.distribution  # type: ignore[assignment]
        self._generator: Iterator[Update] = reinforce(self.settings, policy, advantages=self._advantages)

    def _advantages(self, episodes: Episodes, baseline: Tensor, _: Tensor) -> Tensor:
        returns = self.patient.reward_scale * self.patient.returns(episodes, self.settings.gamma)
        if not self.updates:
            played = episodes.mask[0, 0] > 0
            self.returns = returns[0, 0][played]
            self.last_reward = self.patient.reward_scale * float(episodes.rewards[0, 0][played][-1])
        advantages = (returns - baseline) * episodes.mask
        weight = self.patient.weight_advantages
        return advantages if weight is None else weight(advantages)

    def step(self) -> bool:
        """Makes one update; returns whether there was one left."""
        update = next(self._generator, None)
        if update is not None:
            self.updates.append(update)
        return update is not None


def explain(patient: Patient, guess: str) -> str:
    """The answer to the diagnosis `guess`, a key of CAUSES: why it is right, or what would be seen of it, and where.

    It does not say what is seen: a guess that was thrown away would buy the sign that decides.
    """
    cause, other, env = CAUSES[patient.cause], CAUSES[guess], patient.healthy["env"]
    if guess == patient.cause:
        return f"Right: {cause.name}. {cause.why}" + (f" What fixes it: {cause.fix}." if cause.fix else "")
    if guess == "clipped log-probability" and env != ARM["env"]:
        return f"Not {other.name}: the actions of this task are a few numbers, and none of them is clipped."
    for panel in reversed(PANELS):  # the further right, the nearer to the cause
        seen, expected = cause.signs_in(env)[panel], other.signs_in(env)[panel]
        if seen and expected and seen != expected:
            if guess == "healthy":
                return f"Something is wrong: the panel “{panel}” does not go the way of the grey curve. How does it go?"
            return (
                f"Not {other.name}: with that, the panel “{panel}” would show: {expected}. Look at it again, and "
                "say in words what it shows instead."
            )
    raise AssertionError(f"nothing tells {patient.cause} from {guess}")  # a test checks that this cannot happen
