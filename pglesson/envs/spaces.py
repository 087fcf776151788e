"""Observations of every kind as vectors that a network reads, and sampled actions as the environments take them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
from gymnasium import Space, spaces
from gymnasium.spaces.utils import flatdim, flatten
from numpy.typing import NDArray

from pglesson import errors

ARRAYS = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)  # one observation is one array

MOST_CHOICES = 1000  # of an action, over all its entries: logits of a policy


def parts(space: Space[Any]) -> Iterator[tuple[Any, Space[Any]]]:
    """The keys and spaces within a Dict or Tuple space."""
    assert isinstance(space, (spaces.Dict, spaces.Tuple))
    yield from space.spaces.items() if isinstance(space, spaces.Dict) else enumerate(space.spaces)


def observation_size(space: Space[Any]) -> int:
    """Length of the vector that a policy sees; 0 for what cannot be flattened, such as a graph.

    It is Gymnasium's `flatdim`: n for Discrete(n), the number of entries for Box, and the sum over a Dict or Tuple.
    """
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        return sum(observation_size(part) for _, part in parts(space))
    return _flat_size(space) or 0


def _flat_size(space: Space[Any]) -> int | None:
    try:
        return int(flatdim(space))
    except (NotImplementedError, ValueError):
        return None


def unread_parts(space: Space[Any], name: str = "") -> list[str]:
    """The parts of an observation that no vector can hold, each as its name and space."""
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        return [unread for key, part in parts(space) for unread in unread_parts(part, f"{name}[{key!r}]")]
    return [] if _flat_size(space) is not None else [f"{name} {space}".strip()]


def encode_observations(space: Space[Any], observations: Any) -> NDArray[np.float32]:
    """A batch of observations as (n, observation_size) float32, a copy: row for row Gymnasium's `flatten`.

    Discrete ones become one-hot vectors, and the parts of a Dict or Tuple stand side by side, without those that cannot
    be flattened. A state that a discrete space does not have becomes NaN.
    """
    if isinstance(space, (spaces.Box, spaces.MultiBinary)):
        # asarray first: of a tensor, array asks for more than it has
        return np.array(np.asarray(observations), dtype=np.float32, order="C").reshape(len(observations), -1)
    if isinstance(space, spaces.Discrete):
        return _one_hot(np.asarray(observations).reshape(len(observations)) - space.start, int(space.n))
    if isinstance(space, spaces.MultiDiscrete):
        states = np.asarray(observations).reshape(len(observations), -1) - space.start.ravel()
        return np.hstack([_one_hot(column, int(n)) for column, n in zip(states.T, space.nvec.ravel())])
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        read = [(key, part) for key, part in parts(space) if observation_size(part)]
        return np.hstack([encode_observations(part, observations[key]) for key, part in read])
    return np.array([flatten(space, row) for row in observations], dtype=np.float32)


@functools.cache
def _identity(number: int) -> NDArray[np.float32]:
    return np.eye(number, dtype=np.float32)


def _one_hot(states: NDArray[Any], number: int) -> NDArray[np.float32]:
    whole = np.clip(np.nan_to_num(states, nan=-1), -1, number) if states.dtype.kind == "f" else states
    whole = whole.astype(np.int64, copy=False)
    if whole.view(np.uint64).max() < number and (whole is states or np.array_equal(whole, states)):  # none is negative
        if number <= 256:
            return _identity(number)[whole]  # quick
        found = np.zeros((len(states), number), dtype=np.float32)
        found[np.arange(len(states)), whole] = 1
        return found
    found, rows = np.zeros((len(states), number), dtype=np.float32), np.arange(len(states))
    inside = (whole == states) & (whole >= 0) & (whole < number)
    found[rows[inside], whole[inside]] = 1
    found[~inside] = np.nan
    return found


def one_observation(space: Space[Any], observation: Any) -> Any:
    """A copy of a single observation, as arrays of the shapes that its space names; its type stays what it is.

    Raises ValueError where it does not fit: an environment's own vectorization would broadcast it, or cut it to size.
    """
    if type(observation) is np.ndarray and observation.shape == space.shape and observation.dtype.kind in "biuf":
        return observation.copy()  # quick
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        try:
            inside = {key: one_observation(part, observation[key]) for key, part in parts(space)}
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(f"{observation!r} has not the parts of {space}.") from error
        return inside if isinstance(space, spaces.Dict) else tuple(inside.values())
    if not isinstance(space, ARRAYS):
        return observation
    try:
        array = np.array(np.asarray(observation))
    except Exception as error:
        raise ValueError(f"{observation!r} is not an array, as of {space} ({error}).") from error
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{observation!r} is not a number or an array of numbers, as of {space}.")
    if array.shape != space.shape:
        if not _same_but_for_ones(array.shape, space.shape or ()):
            raise ValueError(f"an array of shape {array.shape} is not of {space}, whose shape is {space.shape}.")
        array = array.reshape(space.shape or ())
    return array


def _same_but_for_ones(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two shapes differ in axes of length 1 alone: any other reshaping would put numbers in other places."""
    return [n for n in a if n != 1] == [n for n in b if n != 1]


def checked_batch(space: Space[Any], observations: Any, number: int) -> Any:
    """A batch of observations as a vectorized environment gave it. Raises ValueError where the rows do not fit."""
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        for key, part in parts(space):
            checked_batch(part, observations[key], number)
    elif isinstance(space, ARRAYS):
        found, wanted = np.shape(observations), (number, *(space.shape or ()))
        if found != wanted and (found[:1] != (number,) or not _same_but_for_ones(found, wanted)):
            raise ValueError(f"an array of shape {found} is not {number} of {space}, of shape {wanted}.")
    return observations


def batch(space: Space[Any], rows: list[Any]) -> Any:
    """Observations that `one_observation` gave, side by side, as a vectorized environment gives them."""
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        inside = {key: batch(part, [row[key] for row in rows]) for key, part in parts(space)}
        return inside if isinstance(space, spaces.Dict) else tuple(inside.values())
    return np.array(rows) if isinstance(space, ARRAYS) else tuple(rows)


def replace_row(space: Space[Any], observations: Any, row: int, final: Any) -> Any:
    """A batch of observations with another one in one row."""
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        inside = {key: replace_row(part, observations[key], row, final[key]) for key, part in parts(space)}
        return inside if isinstance(space, spaces.Dict) else tuple(inside.values())
    if isinstance(space, ARRAYS):
        found = np.array(observations)
        found[row] = final
        return found
    return (*observations[:row], final, *observations[row + 1 :])


def pixel_scale(space: Space[Any]) -> NDArray[np.float32] | None:
    """What brings pixels to 0 ... 1, a factor for each entry of the encoded vector; None where there are no pixels.

    Pixels are uint8, or lie between 0 and 255. Their factor is 1/high.
    """
    factors = _factors(space)
    return None if bool((factors == 1).all()) else factors


def _factors(space: Space[Any]) -> NDArray[np.float32]:
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        return np.concatenate([np.ones(0, dtype=np.float32), *(_factors(part) for _, part in parts(space))])
    if isinstance(space, spaces.Box):
        pixels = (space.dtype == np.uint8) | ((space.low == 0) & (space.high == 255))
        return np.where(pixels, 1 / np.maximum(space.high.astype(np.float64), 1), 1).ravel().astype(np.float32)
    return np.ones(observation_size(space), dtype=np.float32)


def as_choices(space: Space[Any]) -> spaces.MultiDiscrete | None:
    """A Box of few whole numbers as the choices that it leaves, one for each entry; None for another space."""
    if not isinstance(space, spaces.Box) or np.dtype(space.dtype).kind not in "biu":
        return None
    options = space.high.astype(np.float64) - space.low.astype(np.float64) + 1
    if options.sum() > MOST_CHOICES or bool((options == 1).all()):
        return None
    return spaces.MultiDiscrete(options.astype(np.int64), start=space.low.astype(np.int64))


def action_width(space: Space[Any]) -> int:
    """How many numbers a policy gives for an action: logits, or entries of mu."""
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    return int(space.nvec.sum() if isinstance(space, spaces.MultiDiscrete) else np.prod(space.shape or ()))


def decode_actions(space: Space[Any], actions: NDArray[Any]) -> NDArray[Any]:
    """Sampled actions (runs, n[, action_size]) as the environments take them (runs * n, ...), clipped to their bounds.

    Only the environment gets the clipped action: the log-probability is that of the sampled one.
    """
    if actions.dtype.kind == "f" and not isinstance(space, spaces.Box):  # of a distribution of torch's
        options = space.n if isinstance(space, spaces.Discrete) else getattr(space, "nvec", np.array(2)).ravel()
        errors.check_choices(actions, options)
    if isinstance(space, spaces.Discrete):
        whole = actions.reshape(-1).astype(np.int64, copy=False)
        return whole + space.start if space.start else whole
    if isinstance(space, spaces.Box):
        return np.clip(actions.reshape(-1, *space.shape), space.low, space.high).astype(space.dtype)
    assert isinstance(space, (spaces.MultiDiscrete, spaces.MultiBinary))
    start = space.start if isinstance(space, spaces.MultiDiscrete) else 0
    return (actions.reshape(-1, *space.shape) + start).astype(space.dtype)


def outside(space: Space[Any], observations: Any, row: int) -> str:
    """Which state in one row of a batch is none of its space's, in words; "" where all are."""
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        return "".join(outside(part, observations[key], row) for key, part in parts(space))
    if not isinstance(space, (spaces.Discrete, spaces.MultiDiscrete)):
        return ""
    state = np.asarray(observations[row])
    inside = state.dtype.kind in "biuf" and np.isfinite(encode_observations(space, state[None])).all()
    return "" if inside else f"{' '.join(str(state).split())}, which is none of {space}"
