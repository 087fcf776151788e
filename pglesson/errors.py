"""The error messages of the core, and the checks that raise them.

Each message says what was given, what is allowed and how to fix it. A function called `check_...` raises an error where
something is wrong; the others return the error to raise.
"""

from __future__ import annotations

import inspect
import re
import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parameter import is_lazy


def _short(value: object) -> str:
    return " ".join(reprlib.repr(value).split())


# --- environments -----------------------------------------------------------------------------------------------------


PACKAGES = {  # the module that registers such ids, for those that many learners ask for
    "ALE/": "ale_py",
    "MiniGrid-": "minigrid",
    "BabyAI-": "minigrid",
    "Fetch": "gymnasium_robotics",
    "AntMaze_": "gymnasium_robotics",
    "PointMaze_": "gymnasium_robotics",
    "Adroit": "gymnasium_robotics",
    "highway-": "highway_env",
    "MinAtar/": "minatar",
    "dm_control/": "shimmy",
    "mo-": "mo_gymnasium",
}


def unknown_environment(env: str, error: Exception) -> ValueError:
    words = f"No environment is registered as {env!r} ({error}). Give a Gymnasium id such as 'CartPole-v1', or register"
    words += " your own with gymnasium.register."
    if not re.search("deprecated|Did you mean|Malformed", str(error)):
        module = next((module for start, module in PACKAGES.items() if env.startswith(start)), "its_module")
        words += f" If a package registers it, install that and name its module: '{module}:{env.rpartition(':')[2]}'."
    return ValueError(words)


def is_about_options(error: TypeError, options: Mapping[str, Any]) -> bool:
    """Whether a TypeError is of the options that an environment was made with, and not of its own code."""
    words = str(error)
    unknown = "unexpected keyword argument" in words and any(f"argument '{name}'" in words for name in options)
    twice = "multiple values for" in words and any(f"argument '{name}'" in words for name in options)
    return unknown or twice or ("missing" in words and "required" in words and "__init__" in words)


def unknown_options(env: str, options: Mapping[str, Any], error: Exception) -> ValueError:
    return ValueError(
        f"{env} could not be made with the options {dict(options)} ({error}). Give env_options that it takes, as "
        "keyword arguments of its class."
    )


LARGEST_OBSERVATION = 1_000_000  # numbers; a network's first layer has as many rows


def check_spaces(
    env: str, observations: gymnasium.Space[Any], actions: gymnasium.Space[Any], size: int, unread: Sequence[str]
) -> None:
    """Raises ValueError unless the observations can be read as vectors, and the actions chosen by a distribution.

    size: the numbers of an encoded observation; unread: the parts of it that no vector can hold.
    """
    if not size:
        empty = "no numbers in them" if not unread else f"{', '.join(unread)} in them, which no vector can hold"
        raise ValueError(
            f"{env} has observations of the kind {observations}, with {empty}. Wrap it with "
            "gymnasium.wrappers.TransformObservation, so that it gives a Box, and register the result."
        )
    if size > LARGEST_OBSERVATION:
        raise ValueError(
            f"{env} has observations of the kind {observations}, which are vectors of {size:,} numbers here, one for "
            f"each state of a discrete space, and {LARGEST_OBSERVATION:,} is the most. Wrap it with "
            "gymnasium.wrappers.TransformObservation, so that it gives a Box of a few numbers, and register the result."
        )
    float_box = isinstance(actions, spaces.Box) and np.issubdtype(actions.dtype or float, np.floating)
    if not (float_box or isinstance(actions, (spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary))):
        raise ValueError(
            f"{env} has actions of the kind {actions}, but a policy here chooses Discrete, MultiDiscrete or "
            "MultiBinary actions (softmax), a Box of whole numbers with up to 1,000 options in all (the same), or a "
            "floating-point Box (Gaussian). Choose another environment, or wrap it with "
            "gymnasium.wrappers.TransformAction, whose action_space is one of those, and register the result."
        )
    if isinstance(actions, spaces.Box) and not bool((actions.low < actions.high).any()):
        raise ValueError(
            f"{env} has actions of the kind {actions}, whose low is its high: there is nothing to choose. Give its "
            "action_space a low that is below its high."
        )


def parts_left_out(env: str, unread: Sequence[str]) -> str:
    return (
        f"{env} has {', '.join(unread)} among its observations, which no vector can hold. The policy does not see it. "
        "If it matters, wrap the environment with gymnasium.wrappers.TransformObservation, so that it gives numbers."
    )


def not_seeded(names: Sequence[str]) -> str:
    return (
        f"The environment draws random numbers from {' and '.join(names)}, which the seed of a training does not "
        "decide: repeated with the same seed, it may differ, and other seeds may share random numbers. Let it draw "
        "from self.np_random, after super().reset(seed=seed) in its reset."
    )


def checked_autoreset(env: str, metadata: Mapping[str, Any]) -> AutoresetMode:
    """When a vectorized environment begins an episode anew. Raises ValueError where it does not say, or is not to."""
    try:
        mode = AutoresetMode(metadata.get("autoreset_mode"))
    except ValueError as error:
        raise ValueError(
            f"{env} is a vectorized environment that does not say when it begins an episode anew, but its last "
            "observation of an episode is read here. Set metadata['autoreset_mode'] of its class to "
            "gymnasium.vector.AutoresetMode.NEXT_STEP (or SAME_STEP, with infos['final_obs']), as it does, or register "
            "the single environment instead."
        ) from error
    if mode == AutoresetMode.DISABLED:
        raise ValueError(
            f"{env} is a vectorized environment with the autoreset mode DISABLED, but episodes that are over are "
            "stepped on here until the last one is. Give it the mode NEXT_STEP and reset at the step after the end, or "
            "register the single environment instead."
        )
    return mode


def check_number(env: str, made: int, wanted: int) -> None:
    """Raises ValueError where a vectorized environment has another number of copies than it was asked for."""
    if made != wanted:
        raise ValueError(
            f"{env} is a vectorized environment that made {made} copies, where {wanted} were asked for. Make num_envs "
            "of them, the first argument of its vector_entry_point."
        )


def checked_final_observation(infos: Mapping[str, Any], index: int) -> Any:
    """The last observation of an episode that began anew in the same step. Raises ValueError where it is not there."""
    found = infos.get("final_obs", infos.get("final_observation")) if isinstance(infos, Mapping) else None
    try:
        if isinstance(found, Mapping):
            return {key: values[index] for key, values in found.items()}
        final = None if found is None else found[index]
    except IndexError:  # with a row for those alone that ended
        final = None
    if final is None:
        raise ValueError(
            "A vectorized environment with the autoreset mode SAME_STEP ended an episode without "
            "infos['final_obs'], where its last observation must be, with a row for each copy. Add it, or reset at the "
            "step after the end, and say so in metadata['autoreset_mode']: AutoresetMode.NEXT_STEP."
        )
    return final


def check_step_form(error: ValueError) -> None:
    """Raises ValueError where five values were wanted of a step, by Gymnasium's wrappers or here, and others given."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__"))
    if module.split(".")[0] in ("gymnasium", "pglesson") and "values to unpack (expected 5" in str(error):
        given = re.search(r"got (\d+)", str(error))
        raise ValueError(
            f"The environment's step gave {given[1] if given else 'more'} values, but must give five: observation, "
            "reward, terminated, truncated, info. The older form with a single done is to be told apart: did the task "
            "end, or the time?"
        ) from error


def checked_reset(result: Any) -> Any:
    """The observation that reset gave. Raises ValueError for a result of another form."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise ValueError(
            f"The environment's reset gave {_short(result)}, but must give two values: observation, info. Info is a "
            "dict, such as {}."
        )
    return result[0]


def check_same_spaces(env: gymnasium.Env[Any, Any], first: gymnasium.Env[Any, Any]) -> None:
    """Raises ValueError for a copy with other spaces, which would be read as those of the first."""
    for name in ("observation_space", "action_space"):
        space, firsts = getattr(env, name), getattr(first, name)
        if space is not firsts and space != firsts:
            raise ValueError(
                f"Copies of the environment differ: the {name} of the first is {firsts}, of another {space}. One "
                "policy serves all of them, so give them the same spaces, such as by options."
            )


def checked_row(name: str, values: Any, number: int, kinds: str) -> NDArray[Any]:
    """What a vectorized environment gave for each of its copies. Raises ValueError unless it is a number or flag each.

    kinds: of NumPy's dtypes; 0 and 1 are flags too.
    """
    try:
        found = np.asarray(values)
    except Exception:  # such as a tensor with a gradient
        found = np.asarray(None)
    if kinds == "b" and found.dtype.kind in "iuf" and bool(((found == 0) | (found == 1)).all()):
        found = found.astype(bool)
    if found.shape != (number,) or found.dtype.kind not in kinds:
        raise ValueError(
            f"The vectorized environment gave {name} {_short(values)}, but must give one "
            f"{'True or False' if kinds == 'b' else 'real number'} for each copy: an array of shape ({number},). Fix "
            "its step."
        )
    return found


def observation_of_another_form(error: ValueError) -> ValueError:
    return ValueError(
        f"The environment gave an observation that does not fit its observation_space: {error} Fix what reset and step "
        "return, or the space."
    )


def checked_reward(reward: Any) -> float:
    """A reward as a float. Raises ValueError for what is not one number."""
    try:
        number = np.asarray(reward)
    except Exception:  # such as a tensor with a gradient
        number = np.asarray(None)
    if number.dtype.kind not in "biuf" or number.size != 1:
        raise ValueError(
            f"The environment gave the reward {reward!r}, but a reward must be one real number. Return a float from "
            "its step: of several rewards, a weighted sum."
        )
    return float(number.reshape(()))


def checked_flag(name: str, flag: Any) -> bool:
    """terminated or truncated as a bool. Raises ValueError for what is neither: 'False' would count as true."""
    found = np.asarray(flag)
    if found.dtype.kind not in "biuf" or found.size != 1 or float(found.reshape(())) not in (0, 1):
        raise ValueError(f"The environment gave {name} = {flag!r}, but it must be True or False. Fix its step.")
    return bool(found.reshape(()))


def not_closed(error: Exception) -> str:
    return f"The environment could not be closed ({type(error).__name__}: {error}). What was learned is not lost."


def check_draws(env: str, render_modes: Sequence[str]) -> None:
    """Raises ValueError unless the environment can draw itself as an array of pixels."""
    if "rgb_array" not in render_modes:
        raise ValueError(
            f"{env} cannot draw itself: its render_modes are {list(render_modes)}, but watching needs 'rgb_array'."
        )


def no_picture(rendered: Any) -> ValueError:
    given = f"an array of shape {rendered.shape}" if isinstance(rendered, np.ndarray) else repr(rendered)
    return ValueError(
        f"The environment drew {given}, but a picture is an array (height, width, 3) of numbers, 0 to 255. Fix its "
        "render for render_mode='rgb_array'."
    )


def check_finite(
    name: str,
    values: NDArray[Any],
    mask: NDArray[np.bool_],
    step: int,
    runs: int,
    outside: Callable[[int], str] = lambda row: "",
) -> None:
    """Raises ValueError where a value (runs * episodes, ...) that counts is not a finite number.

    outside: says of a row which state its discrete space does not have, or "".
    """
    bad = mask & ~np.isfinite(values).reshape(len(values), -1).all(1)
    if bad.any():
        run, episode = divmod(int(bad.argmax()), len(values) // runs)
        where = f"in run {run}, episode {episode}, time step {step}"
        if found := outside(int(bad.argmax())):
            raise ValueError(
                f"The environment gave the observation {found}, {where}. Number the states as its observation_space "
                "does, from start on, or give the space more of them."
            )
        article = "an" if name == "observation" else "a"
        raise ValueError(
            f"The environment gave {article} {name} that is not a finite number, {where}. Every {name} must be finite "
            "(below 3e38): look for a division by zero or an overflow in its step."
        )


def cut_off(max_steps: int) -> str:
    return (
        f"Episodes were cut off after {max_steps} time steps, before they had ended: that is the default of max_steps. "
        "Set it higher if the task needs longer, or to a number of your own, which is not remarked on."
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
    if any(not is_lazy(weight) and weight.is_inference() for weight in policy.parameters()):
        raise ValueError(
            "The policy was made, or moved, under torch.inference_mode(), so its weights cannot learn. Make it outside."
        )
    own = getattr(policy, "runs", 1)
    if own != runs:
        raise ValueError(
            f"The policy serves {own} run(s), but settings.runs is {runs}. Set runs to {own}, "
            "or build the policy with pglesson.make_policy(settings)."
        )


def is_about_shapes(error: RuntimeError) -> bool:
    """Whether torch says that a tensor does not fit a layer. Other errors are of the policy's own code."""
    return bool(re.search(r"shape|size|dtype|scalar type|input", str(error)))


def unreadable_observations(observations: Tensor, error: Exception) -> ValueError:
    _, number, size = observations.shape
    return ValueError(
        f"The policy could not read {number} observations of {size} numbers each ({error}). "
        f"Its first layer must take {size} inputs. Observations come flattened: .reshape(len(x), ...) in its forward "
        "gives a picture its axes back."
    )


def probabilities_for_logits(space: gymnasium.Space[Any]) -> ValueError:
    last = "sigmoid" if isinstance(space, spaces.MultiBinary) else "softmax"
    return ValueError(
        f"The policy gives probabilities, but logits are needed: any real numbers, of which the {last} is taken here. "
        f"Taken for logits, probabilities could hardly tell one action from another. Leave the {last} at its end out, "
        "or give torch.distributions.Categorical(probs=...), or Bernoulli. If they are logits after all, say so with "
        "an attribute: distribution = pglesson.Categorical."
    )


def sigma_for_log_sigma() -> ValueError:
    return ValueError(
        "The second part of what the policy gives looks like sigma, which is positive, but (mu, log_sigma) is needed: "
        "its exponential is taken here. Give sigma.log(), or torch.distributions.Normal(mu, sigma). If it is log sigma "
        "after all, say so with an attribute: distribution = pglesson.DiagGaussian."
    )


def constant_log_sigma(number: float) -> str:
    return (
        f"The second part of what the policy gives is constant, such as {number:.3g}, and is taken for log sigma: "
        f"sigma is {np.exp(number):.3g}. If sigma itself is meant, give its logarithm; if not, say so with an "
        "attribute: distribution = pglesson.DiagGaussian."
    )


def read_as_log_sigma(name: str) -> str:
    return (
        f"The second part of what the policy gives, from {name!r}, is taken for log sigma. If it is a value, give (mu, "
        "log_sigma, value); if not, have 'log_sigma' in the name of its layer."
    )


def value_for_log_sigma() -> ValueError:
    return ValueError(
        "The second part of what the policy gives looks like a value, by the name of the layer that it comes from, but "
        "(mu, log_sigma) is needed, or (mu, log_sigma, value). Add log_sigma, such as a parameter. If it is log sigma "
        "after all, say so with an attribute: distribution = pglesson.DiagGaussian."
    )


def actions_out_of_reach(space: spaces.Box, entry: int) -> ValueError:
    return ValueError(
        f"The policy's actions lie beyond the bounds of {space} in entry {entry}, by five sigma and more, so all of "
        "them are cut to the same bound and nothing can be learned. Begin inside: add a constant to mu, and scale it "
        "and sigma, as pglesson.GaussianPolicy does."
    )


OTHER_AT_UPDATE = (
    "The update asks again for the log-probabilities of all time steps at once, in which it would be another policy "
    "than the one that played. "
)


def changes_in_training(name: str, kind: str) -> ValueError:
    return ValueError(
        f"The policy's layer {name!r} is a {kind}, whose output depends on chance or on the other rows of the batch. "
        f"{OTHER_AT_UPDATE}Leave it out (LayerNorm is fine), or call policy.eval() before training: it switches it off."
    )


def has_memory() -> ValueError:
    return ValueError(
        "The policy gives something else when it is asked for the same observations again, or changes numbers that it "
        f"keeps: chance (such as dropout), a hidden state, or running statistics decide. {OTHER_AT_UPDATE}Its output "
        "must be a function of the observation alone. Put what it must remember into the observation, such as with "
        "gymnasium.wrappers.FrameStackObservation, and fix statistics before training."
    )


def depends_on_other_rows() -> ValueError:
    return ValueError(
        "The policy gives something else for an observation when others are asked for beside it, or in another order: "
        "it mixes the rows of its batch, as BatchNorm, a mean over the batch, softmax over axis 0, or an LSTM do that "
        f"reads (n, size) as a sequence. {OTHER_AT_UPDATE}Each row must be read by itself, as by "
        "LayerNorm or softmax over axis -1."
    )


def changes_its_input() -> ValueError:
    return ValueError(
        "The policy changes the observations that it is given, in place. Compute new ones in its forward: x = x - 1, "
        "and not x -= 1."
    )


def pixels_unscaled() -> str:
    return (
        "The environment shows pixels of 0 to 255, and your policy's first layer reads them as they are, which learns "
        "badly. Divide by 255 in its forward."
    )


def check_policy_output(output: Any, observations: Tensor, space: gymnasium.Space[Any], width: int) -> None:
    """Raises ValueError unless logits or (mu, log_sigma) for observations (runs, n, size) fit the actions.

    width: how many logits, or entries of mu.

    Raises FloatingPointError where one is not finite: training has diverged.
    """
    runs, number, _ = observations.shape
    wanted, pieces = ("a tuple (mu, log_sigma)", 2) if isinstance(space, spaces.Box) else ("logits", 1)
    wanted += ", one for each action" if isinstance(space, spaces.Discrete) else ""
    given = output if isinstance(output, tuple) else (output,)
    shapes = [tuple(p.shape) if isinstance(p, Tensor) else type(p).__name__ for p in given]
    if shapes != [(runs, number, width)] * pieces:
        raise ValueError(
            f"For {number} observations in each of {runs} runs the policy gave {', '.join(map(str, shapes))}, but for "
            f"the actions {space} it must give {wanted}, of shape {(runs, number, width)} (a module of your own leaves "
            "the run axis out), or a torch.distributions.Distribution. Check the size of its last layer."
        )
    if not all(p.is_floating_point() for p in given):
        raise ValueError(
            f"The policy gave numbers of the type {', '.join(str(p.dtype) for p in given)}, but must give real ones, "
            "such as torch.float32, which have a gradient."
        )
    if not all(bool(p.isfinite().any(-1).all() and (p < torch.inf).all()) for p in given):
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
    if tuple(distribution.batch_shape) not in ((number,), (len(actions), number)):
        raise ValueError(
            f"The policy's distribution has the batch shape {tuple(distribution.batch_shape)} for {number} "
            "observations, but must have an entry for each of them. Of Independent, the last number counts the axes of "
            "an action: 1."
        )
    highest = getattr(distribution.support, "upper_bound", None)  # of a Categorical
    if isinstance(space, spaces.Discrete) and isinstance(highest, int) and highest + 1 != space.n:
        raise ValueError(
            f"The policy's distribution chooses among {highest + 1} actions, but there are {space}. Give it one logit "
            "for each of them: check the size of its last layer."
        )
    if not bool(actions.isfinite().all()):
        raise diverged_policy()


def check_choices(actions: NDArray[Any], options: Any) -> None:
    """Raises ValueError unless sampled actions are whole numbers from 0 on, below their number of options each."""
    if bool((wrong := (actions != np.floor(actions)) | (actions < 0) | (actions >= options)).any()):
        raise ValueError(
            f"The policy's distribution chose the action {actions[wrong][0]:g}, but must choose whole numbers from 0 "
            "on, one for each option, as torch.distributions.Categorical does."
        )


def checked_weights(policy: nn.Module, optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """A policy's parameters. Raises ValueError where the optimizer does not move all of them."""
    weights = list[Tensor](policy.parameters())
    known = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
    if not known.issuperset(map(id, weights)):
        raise ValueError(
            "The policy has other parameters than when training began, such as those of a layer that was replaced: the "
            "optimizer does not know them, so they would never learn. Change weights in place, with torch.no_grad(), "
            "or begin a new reinforce(settings, policy)."
        )
    return weights


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


def check_own_advantages(function: object) -> None:
    """Raises TypeError unless an advantages function can be called with three arguments."""
    words = "advantages(episodes, b, b_next): the episodes, the baseline, and that of the next state"
    if not callable(function):
        raise TypeError(f"advantages is {_short(function)}, but must be a function {words}.")
    try:
        inspect.signature(function).bind(None, None, None)
    except TypeError as error:
        raise TypeError(f"Your advantages function cannot be called ({error}). Let it be {words}.") from error
    except ValueError:  # a built-in one, whose arguments Python does not know
        pass


def checked_advantages(advantages: object, mask: Tensor) -> Tensor:
    """What a learner's function gave for advantages, 0 after an episode's end. Raises ValueError where it misfits."""
    if not isinstance(advantages, Tensor) or advantages.shape != mask.shape or advantages.is_complex():
        given = _short(advantages)
        if isinstance(advantages, Tensor):
            given = f"a tensor of shape {tuple(advantages.shape)} and type {advantages.dtype}"
        raise ValueError(
            f"Your advantages function gave {given}, but it must give a real tensor of shape {tuple(mask.shape)}: "
            "(runs, episodes, steps), like episodes.rewards."
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
    """Raises ValueError unless what a learner's baseline gave is finite and a number, or fits the shape, axis by axis.

    A tensor of fewer axes might fit at the wrong ones, where there are as many episodes as steps, or as runs.
    """
    numbers = torch.as_tensor(values) if isinstance(values, (Tensor, int, float, np.ndarray, np.number)) else None
    fits = numbers is not None and not numbers.is_complex() and (numbers.dim() in (0, len(shape)))
    if numbers is None or not fits or any(n not in (1, wanted) for n, wanted in zip(numbers.shape, shape)):
        given = _short(values) if numbers is None else f"shape {tuple(numbers.shape)} of type {numbers.dtype}"
        raise ValueError(
            f"Your baseline's {method} gave {given}, but must give a number or a real tensor of shape {tuple(shape)}: "
            f"{'(runs, episodes, steps), like returns' if len(shape) == 3 else '(runs, episodes)'}, of which an axis "
            "may have the length 1 (such as by keepdim=True)."
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
