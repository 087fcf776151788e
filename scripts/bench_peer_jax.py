"""The peer of bench_training.py: the same REINFORCE on CartPole, compiled as a whole by JAX, with gymnax's CartPole.

    python scripts/bench_peer_jax.py 1 10 32        # numbers of runs

Needs jax, optax, flax, gymnax and six, best in an environment of their own. Prints one line of JSON for each number of
runs: seconds to compile, seconds until every run has reached the bar, steps/s up to then, and steps/s over ten more
updates. One core: XLA is told to use one thread.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import gymnax
import jax
import jax.numpy as jnp
import numpy as np
import optax

STEPS, EPISODES, HIDDEN, GAMMA, RATE, BAR = 500, 16, 32, 0.99, 0.03, 475.0  # Settings() of the package, and the bar
ENV, PARAMS = gymnax.make("CartPole-v1")
OPTIMIZER = optax.adam(RATE)


def first_weights(key: Any) -> dict[str, Any]:
    """A layer of 32 tanh units."""
    keys = jax.random.split(key)
    weights = [
        jax.random.uniform(k, shape, minval=-1, maxval=1) / np.sqrt(shape[0])
        for k, shape in zip(keys, ((4, HIDDEN), (HIDDEN, 2)))
    ]
    return {"w1": weights[0], "b1": jnp.zeros(HIDDEN), "w2": weights[1], "b2": jnp.zeros(2)}


def logits(weights: dict[str, Any], x: Any) -> Any:
    return jnp.tanh(x @ weights["w1"] + weights["b1"]) @ weights["w2"] + weights["b2"]


def play(weights: dict[str, Any], key: Any) -> tuple[Any, ...]:
    """Whole episodes that start together: observations, actions, rewards and mask, (steps, episodes, ...)."""
    key, start = jax.random.split(key)
    observation, state = jax.vmap(ENV.reset, (0, None))(jax.random.split(start, EPISODES), PARAMS)
    stored = (
        jnp.zeros((STEPS, EPISODES, 4)),
        jnp.zeros((STEPS, EPISODES), jnp.int32),
        *jnp.zeros((2, STEPS, EPISODES)),
    )

    def goes_on(carry: Any) -> Any:
        return jnp.logical_and(carry[4].any(), carry[3] < STEPS)

    def one_step(carry: Any) -> Any:
        key, observation, state, t, playing, stored = carry
        key, choosing, stepping = jax.random.split(key, 3)
        action = jax.random.categorical(choosing, logits(weights, observation))
        following, state, reward, done, _ = jax.vmap(ENV.step_env, (0, 0, 0, None))(
            jax.random.split(stepping, EPISODES), state, action, PARAMS
        )
        mask = playing.astype(jnp.float32)
        stored = tuple(
            x.at[t].set(value) for x, value in zip(stored, (observation, action, reward * mask, mask), strict=True)
        )
        return key, following, state, t + 1, playing & ~done.astype(bool), stored

    carry = (key, observation, state, 0, jnp.ones(EPISODES, bool), stored)
    return jax.lax.while_loop(goes_on, one_step, carry)[-1]


def update(weights: dict[str, Any], optimizer_state: Any, key: Any) -> tuple[Any, ...]:
    """One gradient step: time mean of the other episodes as the baseline, advantages normalized over the batch."""
    key, playing = jax.random.split(key)
    x, actions, rewards, mask = play(weights, playing)
    _, G = jax.lax.scan(lambda g, r: (r + GAMMA * g,) * 2, jnp.zeros(EPISODES), rewards, reverse=True)
    others, number = (G * mask).sum(1, keepdims=True) - G * mask, mask.sum(1, keepdims=True) - mask
    overall = others.sum(0) / jnp.maximum(number.sum(0), 1)
    A = (G - jnp.where(number > 0, others / jnp.maximum(number, 1), overall)) * mask
    A = (A - A.sum() / mask.sum()) * mask
    A = A / (jnp.sqrt((A**2).sum() / mask.sum()) + 1e-8)

    def loss(weights: dict[str, Any]) -> Any:
        log_pi = jax.nn.log_softmax(logits(weights, x))
        return -(jnp.take_along_axis(log_pi, actions[..., None], -1)[..., 0] * A).sum() / EPISODES

    step, optimizer_state = OPTIMIZER.update(jax.grad(loss)(weights), optimizer_state)
    return optax.apply_updates(weights, step), optimizer_state, key, rewards.sum(0)


def train(runs: int, seed: int = 0, updates: int = 400, after: int = 10) -> dict[str, Any]:
    """Until every run has a mean return of 475 over its last 100 episodes, and `after` updates more."""
    keys = jax.random.split(jax.random.PRNGKey(seed), runs)
    weights = jax.vmap(first_weights)(keys)
    state = jax.vmap(OPTIMIZER.init)(weights)
    started = time.perf_counter()
    compiled = jax.jit(jax.vmap(update)).lower(weights, state, keys).compile()
    compiling, started = time.perf_counter() - started, time.perf_counter()
    returns, steps, reached, solved = [], 0, np.zeros(runs, bool), None
    for _ in range(updates):
        weights, state, keys, found = compiled(weights, state, keys)
        returns.append(np.asarray(found))
        steps += int(returns[-1].sum())
        now = time.perf_counter() - started
        if solved is None:
            last = np.concatenate(returns[-7:], 1)[:, -100:]
            reached |= last.mean(1) >= BAR if last.shape[1] == 100 else False
            if reached.all():
                solved = (now, steps)
        else:
            after -= 1
            if after <= 0:
                break
    to_bar, rate = (solved[0], solved[1] / solved[0]) if solved else (None, steps / now)
    steady = (steps - solved[1]) / (now - solved[0]) if solved and steps > solved[1] else None
    return {"runs": runs, "compile": compiling, "to_bar": to_bar, "rate": rate, "steady": steady}


if __name__ == "__main__":
    for number in map(int, sys.argv[1:] or ("1", "10", "32")):
        print(json.dumps(train(number)), flush=True)
