"""The error messages of the core, and the checks that raise them.

Each message says what was given, what is allowed and how to fix it. A function called `check_...` raises an error where
something is wrong; the others return the error to raise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from torch import Tensor, nn

# --- environments -----------------------------------------------------------------------------------------------------


def unknown_environment(env: str, error: Exception) -> ValueError:
    return ValueError(
        f"No environment is registered as {env!r} ({error}). Give a Gymnasium id such as 'CartPole-v1', "
        "or register your own with gymnasium.register."
    )


def unknown_options(env: str, options: Mapping[str, Any], error: Exception) -> ValueError:
    return ValueError(
        f"{env} could not be made with the options {dict(options)} ({error}). Give env_options that it takes, as "
        "keyword arguments of its class."
    )


def check_spaces(env: str, observations: gymnasium.Space[Any], actions: gymnasium.Space[Any]) -> None:
    """Raises ValueError unless both spaces are Discrete or (floating-point actions) Box."""
    if not isinstance(observations, (spaces.Box, spaces.Discrete)):
        raise ValueError(
            f"{env} has observations of the kind {observations}, but a policy here reads Box or Discrete ones. "
            "Wrap it with gymnasium.wrappers.FlattenObservation and register the result."
        )
    float_box = isinstance(actions, spaces.Box) and np.issubdtype(actions.dtype or float, np.floating)
    if not (isinstance(actions, spaces.Discrete) or float_box):
        raise ValueError(
            f"{env} has actions of the kind {actions}, but a policy here chooses Discrete actions (softmax) or "
            "floating-point Box ones (Gaussian). Choose another environment, or wrap its actions into one of those."
        )


def check_autoreset(env: str, mode: AutoresetMode) -> None:
    """Raises ValueError unless an episode that is over begins again at the next step, and not within the last."""
    if mode != AutoresetMode.NEXT_STEP:
        raise ValueError(
            f"{env} is a vectorized environment with the autoreset mode {mode.name}, but its last observation of an "
            "episode is read here, so the mode must be NEXT_STEP. Register the single environment instead, or set "
            "metadata['autoreset_mode'] and reset at the step after the end."
        )


def check_draws(env: str, render_modes: Sequence[str]) -> None:
    """Raises ValueError unless the environment can draw itself as an array of pixels."""
    if "rgb_array" not in render_modes:
        raise ValueError(
            f"{env} cannot draw itself: its render_modes are {list(render_modes)}, but watching needs 'rgb_array'."
        )


def check_finite(name: str, values: NDArray[Any], mask: NDArray[np.bool_], step: int, runs: int) -> None:
    """Raises ValueError where a value (runs * episodes, ...) that counts is not a finite number."""
    bad = mask & ~np.isfinite(values).reshape(len(values), -1).all(1)
    if bad.any():
        run, episode = divmod(int(bad.argmax()), len(values) // runs)
        raise ValueError(
            f"The environment gave a {name} that is not a finite number, in run {run}, episode {episode}, time "
            f"step {step}. Every {name} must be finite: look for a division by zero or an overflow in its step."
        )


def check_groups(baseline: str, normalization: str, env: str, episodes: int, size: int) -> None:
    """Raises ValueError where groups of episodes are to be compared that do not start alike, or are cut apart."""
    if baseline != "group_mean" and normalization != "group":
        return
    if size < 2:
        raise ValueError(
            f"baseline is {baseline!r} and normalization {normalization!r}, but {env} does not start its episodes in "
            "groups that are alike. Choose others, or an environment with a group_size."
        )
    if episodes % size:
        raise ValueError(
            f"episodes is {episodes}, but {env} starts them in groups of {size}. Set episodes to a multiple of {size}."
        )


# --- policies ---------------------------------------------------------------------------------------------------------


def check_policy(policy: object, runs: int) -> None:
    """Raises TypeError or ValueError for what cannot be trained as that many runs."""
    if not isinstance(policy, nn.Module):
        raise TypeError(
            f"The policy is {policy!r}, but it must be a torch.nn.Module; see pglesson.make_policy for one."
        )
    if not any(weight.requires_grad for weight in policy.parameters()):
        raise ValueError("The policy has no parameters to learn. Give it a layer, such as torch.nn.Linear.")
    own = getattr(policy, "runs", 1)
    if own != runs:
        raise ValueError(
            f"The policy serves {own} run(s), but settings.runs is {runs}. Set runs to {own}, "
            "or build the policy with pglesson.make_policy(settings)."
        )


def unreadable_observations(observations: Tensor, error: Exception) -> ValueError:
    _, number, size = observations.shape
    return ValueError(
        f"The policy could not read {number} observations of {size} numbers each ({error}). "
        f"Its first layer must take {size} inputs, of the type float32."
    )


def check_policy_output(output: Any, observations: Tensor, space: gymnasium.Space[Any]) -> None:
    """Raises ValueError unless logits or (mu, log_sigma) for observations (runs, n, size) fit the actions.

    Raises FloatingPointError where one is not finite: training has diverged.
    """
    runs, number, _ = observations.shape
    if isinstance(space, spaces.Discrete):
        width, wanted, pieces = int(space.n), "logits, one for each action", 1
    else:
        width, wanted, pieces = int(np.prod(space.shape or ())), "a tuple (mu, log_sigma)", 2
    given = output if isinstance(output, tuple) else (output,)
    shapes = [tuple(p.shape) if isinstance(p, Tensor) else type(p).__name__ for p in given]
    if shapes != [(runs, number, width)] * pieces:
        raise ValueError(
            f"For {number} observations in each of {runs} runs the policy gave {', '.join(map(str, shapes))}, but for "
            f"the actions {space} it must give {wanted}, of shape {(runs, number, width)} (a module of your own leaves "
            "the run axis out), or a torch.distributions.Distribution. Check the size of its last layer."
        )
    if not all(bool(p.isfinite().any(-1).all() and not p.isnan().any()) for p in given):
        raise diverged_policy()


def diverged_policy() -> FloatingPointError:
    return FloatingPointError(
        "The policy gave numbers that are not finite for finite observations. Its weights, or something that it "
        "computes, is NaN or infinite: begin again with a lower learning_rate, or fix its forward."
    )


def check_torch_distribution(
    distribution: torch.distributions.Distribution, actions: Tensor, number: int, space: gymnasium.Space[Any]
) -> None:
    """Raises ValueError unless a learner's distribution, and what it sampled (runs, number, ...), fit the actions.

    Raises FloatingPointError where it sampled what is not finite: training has diverged.
    """
    shape = (len(actions), number) + (() if isinstance(space, spaces.Discrete) else (int(np.prod(space.shape or ())),))
    if tuple(actions.shape) != shape:
        raise ValueError(
            f"The policy's distribution sampled actions of shape {tuple(actions.shape)} (with the run axis in front), "
            f"but for the actions {space} they must have the shape {shape}. Check the size of its last layer, and that "
            "the distribution has one entry for each observation."
        )
    highest = getattr(distribution.support, "upper_bound", None)  # of a Categorical
    if isinstance(space, spaces.Discrete) and isinstance(highest, int) and highest + 1 != space.n:
        raise ValueError(
            f"The policy's distribution chooses among {highest + 1} actions, but there are {space}. Give it one logit "
            "for each of them: check the size of its last layer."
        )
    if not bool(actions.isfinite().all()):
        raise diverged_policy()


def check_depends_on_weights(log_prob: Tensor) -> None:
    """Raises ValueError unless torch knows how the log-probabilities depend on the policy's weights."""
    if not log_prob.requires_grad:
        raise ValueError(
            "What the policy gives does not depend on its weights as far as torch knows, so there is no gradient. "
            "Leave .detach(), .numpy(), .item() and torch.no_grad() out of its forward."
        )


def check_entropy(entropy: Tensor, weight: float) -> None:
    """Raises ValueError where an entropy is weighted that torch cannot compute."""
    if weight and bool(entropy.isnan().any()):
        raise ValueError(
            f"entropy_weight is {weight:g}, but your policy's distribution has no entropy that torch can compute. Set "
            "entropy_weight to 0, or give the distribution an entropy()."
        )


def no_kl(kind: type) -> ValueError:
    return ValueError(
        f"Your policy's distribution, {kind.__name__}, has no KL divergence that torch can compute. Leave kl_weight at "
        "0 and measure_change at False, or register one with torch.distributions.register_kl."
    )


# --- settings, advantages and baselines -------------------------------------------------------------------------------


def check_settings(settings: object, kind: type) -> None:
    """Raises TypeError for what are no settings."""
    if not isinstance(settings, kind):
        raise TypeError(f"settings is {settings!r}, but must be a Settings, such as Settings(env='CartPole-v1').")


def fixed_settings_changed(names: Sequence[str]) -> ValueError:
    return ValueError(
        f"{', '.join(names)} changed while training was running, but a run keeps what shapes it from start to "
        "end. Set it back, or begin a new reinforce(settings)."
    )


def no_such_device(name: str, error: Exception) -> ValueError:
    return ValueError(
        f"device is {name!r}, but torch cannot compute there ({str(error).splitlines()[0]}). Set device to 'cpu', "
        "or to a GPU that torch sees on this machine."
    )


def checked_advantages(advantages: object, mask: Tensor) -> Tensor:
    """What a learner's function gave for advantages, 0 after an episode's end. Raises ValueError where it misfits."""
    if not isinstance(advantages, Tensor) or advantages.shape != mask.shape:
        given = f"a tensor of shape {tuple(advantages.shape)}" if isinstance(advantages, Tensor) else repr(advantages)
        raise ValueError(
            f"Your advantages function gave {given}, but it must give a tensor of shape {tuple(mask.shape)}: (runs, "
            "episodes, steps), like episodes.rewards."
        )
    if not bool((advantages.isfinite() | (mask == 0)).all()):
        raise ValueError(
            "Your advantages function gave a number that is not finite. Look for a division by zero, such as a "
            "standard deviation of equal returns."
        )
    return torch.where(mask > 0, advantages.detach(), 0.0)


def check_own_baseline(baseline: object, chosen: str) -> None:
    """Raises TypeError or ValueError where a learner's baseline cannot be asked, or would not be."""
    if baseline is None:
        if chosen == "own":
            raise ValueError("baseline is 'own', but none was given. Give one: reinforce(settings, baseline=...).")
        return
    if isinstance(baseline, type) or not callable(getattr(baseline, "predict", None)):
        raise TypeError(
            f"The baseline is {baseline!r}, but it must be an object with a method predict(episodes, returns), and "
            "learn(episodes, targets) if it learns. Subclass pglesson.Baseline for one."
        )
    if chosen != "own":
        raise ValueError(
            f"A baseline of your own was given, but settings.baseline is {chosen!r}, so it would not be used. Set "
            "settings.baseline to 'own'."
        )


def check_baseline_values(values: object, shape: Sequence[int], method: str) -> None:
    """Raises ValueError unless what a learner's baseline gave is finite and fits the shape, or is a number."""
    numbers = torch.as_tensor(values) if isinstance(values, (Tensor, int, float, np.ndarray)) else None
    try:
        fits = numbers is not None and torch.broadcast_shapes(numbers.shape, tuple(shape)) == tuple(shape)
    except RuntimeError:  # shapes that do not meet
        fits = False
    if not fits or numbers is None:
        given = repr(values) if numbers is None else f"shape {tuple(numbers.shape)}"
        raise ValueError(
            f"Your baseline's {method} gave {given}, but must give a number or a tensor that fits {tuple(shape)}: "
            f"{'(runs, episodes, steps), like returns' if len(shape) == 3 else '(runs, episodes)'}."
        )
    if not bool(numbers.isfinite().all()):
        raise ValueError(
            f"Your baseline's {method} gave a number that is not finite. Look for a division by zero, such as the "
            "mean of no episode."
        )


def no_final_values(kind: type) -> ValueError:
    return ValueError(
        f"Your baseline {kind.__name__} says is_critic = True, but has no predict_final(episodes), which is what it "
        "expects after an episode's last step, (runs, episodes). Add it, or leave is_critic out."
    )


# --- training ---------------------------------------------------------------------------------------------------------


def diverged_gradient(run: int) -> FloatingPointError:
    return FloatingPointError(
        f"The gradient of run {run} is not a finite number, so this update was not made. Its weights, or those of "
        "the 'value' baseline, have grown too large: start again with a lower learning_rate (or "
        "value_learning_rate), or with max_grad_norm=1."
    )
