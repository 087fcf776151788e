"""What an agent with a Gaussian policy leaves in its traces, if it is not as it should be."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from pglesson.exercises.traces import Asked, Trace

Numbers = NDArray[np.float32]
# how the names of operations begin in torch's graph that clip, and those that keep all values
CLIPS = ("Clamp", "Hardtanh", "Minimum", "Maximum")
KEPT = {"AccumulateGrad", "ExpandBackward0", "ViewBackward0", "UnsqueezeBackward0", "RepeatBackward0"}
AVERAGED = (
    "the loss takes a mean over the action dimensions. The log-probabilities of one action are added up: sum over the "
    "action axis first, as Independent(Normal(...), 1) does."
)
UNEQUAL = (
    "the log-probabilities of one action's dimensions have different weights in the loss. They are added up, and the "
    "action has one weight: sum over the action axis first, as Independent(Normal(...), 1) does."
)
DENSITY = "the loss weights the probability density itself, by exp() of log_prob. Weight its logarithm."
AT_MU = (
    "log_prob is asked about mu itself, where its slope by mu is zero: nothing says which actions were good. Ask about "
    "the action that was sampled."
)
ONE_MU = "mu is one number for all action dimensions. The network needs an output for each of them."
SIGMA_ITSELF = (
    "what is learned is sigma itself, without exp(). A step can take it below zero, where there is no distribution. "
    "Learn its logarithm, and take exp() of that."
)
VARIANCE = "sigma is exp(2 * log_std), the variance. Normal wants the standard deviation, log_std.exp()."


def gaussian_mistake(trace: Trace, bound: float) -> str | None:
    """What is wrong with an agent even where it learns. bound: real-valued actions go from -bound to bound."""
    asked = trace.log_probs or trace.sampled
    if not asked or asked[0].scale is None:
        return None
    if not trace.log_probs:  # who writes the density by hand draws by sample() all the same
        return _sigma_mistake(trace, asked)
    values = torch.cat([one.values.flatten() for one in asked])
    at_the_bound = (values.abs() == bound).sum().item()
    if at_the_bound > 10 and values.abs().max() == bound:
        return (
            f"{at_the_bound} of the {len(values)} numbers that log_prob was asked for lie exactly on the action "
            "space's bounds: it is asked about the clipped action. The density belongs to the action that was "
            "sampled; only the environment gets the clipped one."
        )
    by_clipping = [one for one in asked if any(name.startswith(CLIPS) for name in one.mean_by)]
    at_the_bound = sum(int(torch.eq(one.parameters.abs(), bound).sum()) for one in by_clipping)
    if at_the_bound > 10:
        return (
            f"mu is clipped: {at_the_bound} of the {len(values)} means that log_prob was asked with lie exactly on the "
            "action space's bounds. Only the environment clips, and what it clips is the sampled action."
        )
    if trace.averaged or trace.densities:
        return AVERAGED if trace.averaged else DENSITY
    return _sigma_mistake(trace, asked) or _other_actions(trace, bound)


def _sigma_mistake(trace: Trace, asked: list[Asked]) -> str | None:
    """What is wrong with sigma."""
    learned = [one for one in asked if one.scale_weight is not None]
    if learned and all(one.scale_by <= KEPT for one in learned):
        return SIGMA_ITSELF
    scales = torch.cat([one.scale.flatten() for one in asked if one.scale is not None])
    if trace.steps > 1 and (scales == scales[0]).all():
        return (
            f"sigma is {scales[0]:.3g} from the first step to the last: it is not learned. Make its logarithm an "
            "nn.Parameter of the policy, detach nothing of it, give the optimizer all of the policy's parameters, and "
            "call its step()."
        )
    if trace.steps > 1 and learned and all(one.is_scale(lambda weight: (2 * weight).exp()) for one in learned):
        return VARIANCE
    last = asked[-1].scale
    alike = last is not None and last.shape[-1:] == dimensions(trace) and not _apart(last)
    if not trace.reparameterized and trace.steps > 3 and alike and asked[-1].scale_weight is None:
        return "all action dimensions share one sigma. Give log_std an entry for each of them: they learn apart."
    return None


def _other_actions(trace: Trace, bound: float) -> str | None:
    """What is wrong with the actions, and with what the action dimensions have of their own."""
    size, played = dimensions(trace), trace.played
    asked = [
        one for one in trace.log_probs if one.values.shape == one.parameters.shape and one.values.shape[-1:] == size
    ]
    if not asked or trace.reparameterized or size in ((), (1,)):
        return None
    if all((one.values == one.parameters).all() for one in asked):
        return AT_MU
    if not any(_apart(one.parameters) for one in asked):
        return ONE_MU
    if any(_apart(one.weights) for one in asked if one.weights is not None):
        return UNEQUAL
    values, mus, sigmas = (
        torch.cat([x.flatten() for x in of]).numpy()
        for of in zip(*[(one.values, one.parameters, one.scale) for one in asked if one.scale is not None])
    )
    z = ((values - mus) / sigmas)[sigmas > 1e-4 * (1 + abs(mus))]  # float32 is too coarse for the others
    spread = float(np.square(z).mean()) if len(z) else 1.0
    if not 0.75 < spread < 1.33:
        return (
            "the actions that log_prob is asked about are not drawn from its distribution: the mean of "
            f"((a - mu) / sigma)^2 is {spread:.2f} over all of them, and not 1. Take what sample() gives, "
            "unchanged, and ask about it at the observation for which it was drawn."
        )
    return _not_clipped(values, played, bound) if len(values) == len(played) else None


def _not_clipped(values: Numbers, played: Numbers, bound: float) -> str | None:
    """What else than clipping to the action space was done to the sampled values before they were played."""
    away, (low, high) = abs(values.clip(-bound, bound) - played), (played.min(), played.max())
    if away.max() < 1e-4:
        return None
    if abs(values.clip(low, high) - played).max() < 1e-4:
        return (
            f"step() gets actions clipped to {low:g} and {high:g}. Clip to the action space: {-bound:g} to {bound:g}."
        )
    i = away.argmax()
    if np.diff(played[values.argsort()]).min() > -1e-4:
        return (
            f"step() gets {played[i]:.2f} where {values[i]:.2f} was sampled. Clip it to the action space, and change "
            "nothing else."
        )
    return None  # others were played


def dimensions(trace: Trace) -> tuple[int, ...]:
    """The size of the action axis; () for none."""
    return trace.episodes[0][0].action.shape[-1:] if trace.episodes else ()


def _apart(x: torch.Tensor) -> bool:
    """Whether numbers differ along the last axis."""
    return bool(((x != x[..., :1]) & ~x.isnan()).any())
