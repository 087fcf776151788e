"""What the weights of an actor-critic tell: its own constants, and nothing of a right agent that chooses otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from plain_agents import GAMMA, gae, in_minibatches, with_pieces_of_episodes, with_two_heads

from pglesson.exercises.critic_weights import by_gae, said_of_critic, said_of_parts, said_of_policy
from pglesson.exercises.critics import see


@pytest.mark.parametrize(
    "answer",
    [
        in_minibatches(epochs=4, parts=2),
        in_minibatches(epochs=4, parts=2, cross_entropy=True),
        with_two_heads(4, 2),
        with_pieces_of_episodes,
    ],
)
def test_the_weights_tell_td_errors_and_ratios(answer: Any) -> None:
    """The oracle is what these agents are written with: r + 0.99 v' - v, and a clip ratio of 0.2. Three batches are
    looked at, with four passes in two parts each."""
    parts = by_gae(see(answer, light=0, timeout=True).batches())
    assert len(parts) == 24
    for part in parts:
        np.testing.assert_allclose(part.terms, [1, GAMMA, -1], atol=2e-3)
        pays = part.gains * (part.ratio - 1) > 0
        np.testing.assert_array_equal(part.cut, pays & (abs(part.ratio - 1) > 0.2))


@pytest.mark.parametrize(
    "answer",
    [
        in_minibatches(judged=lambda rewards, v: gae(rewards, v, 0.93 * GAMMA)),  # no lambda that is tried
        in_minibatches(judged=lambda rewards, v: gae(rewards / 10, v)),  # another unit
        in_minibatches(judged=lambda rewards, v: gae(rewards, v, GAMMA)),  # lambda = 1
        in_minibatches(judged=lambda rewards, v: gae(rewards, v).clamp(-1, 1)),
    ],
)
def test_nothing_is_said_of_other_choices(answer: Any) -> None:
    seen = see(answer, light=0, timeout=True)
    assert said_of_policy(seen.batches(), seen.batches(late=True)) is None
    assert said_of_critic(seen.batches()) is None


@pytest.mark.parametrize("parts", [2, 7])
def test_nothing_is_said_of_parts_of_other_sizes(parts: int) -> None:
    assert said_of_parts(see(in_minibatches(epochs=3, parts=parts), light=0).batches()) is None
