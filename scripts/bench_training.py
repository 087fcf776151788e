"""Training speed on CartPole-v1, side by side: `python scripts/bench_training.py [--quick] [--peer PYTHON]`.

Compared are the usual textbook listing (one environment, one update an episode), the package's engine with 1, 10 and 32
runs, bare stepping with random actions of as many environments, which is the ceiling, and, where they are installed,
two peers: the same algorithm compiled by JAX (bench_peer_jax.py, with the Python of --peer, or this one if it has
gymnax), and stable_baselines3's PPO and A2C with the settings tuned in rl-baselines3-zoo. The bar is a mean return of
475 over the last 100 episodes. Everything runs on one thread.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from torch import nn

from pglesson import Settings, reinforce
from pglesson.envs.factory import make_envs

ENV, BAR, WINDOW = "CartPole-v1", 475.0, 100
Row = dict[str, Any]


def peak_memory() -> float | None:
    """The peak memory of this process so far, in MiB; None where the system does not report it (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # bytes there, KiB elsewhere


class ListingPolicy(nn.Module):
    """Two hidden layers of 128 ReLU units, as in the listing."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))

    def choose(self, observation: Any) -> tuple[int, torch.Tensor]:
        chances = torch.distributions.Categorical(torch.softmax(self.layers(torch.as_tensor(observation)), -1))
        action = chances.sample()
        return int(action.item()), chances.log_prob(action)


def run_listing(steps: int, seed: int = 0) -> Row:
    """The listing's training for about `steps` environment steps; steady is the second half of them."""
    torch.manual_seed(seed)
    started = time.perf_counter()
    env, policy = gymnasium.make(ENV), ListingPolicy()
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.01)
    lengths, played, to_bar, half = list[int](), 0, None, (0, 0.0)
    while played < steps:
        observation, _ = env.reset(seed=seed if not lengths else None)
        log_probs, rewards, done = [], [], False
        while not done:
            action, log_prob = policy.choose(observation)
            observation, reward, terminated, truncated, _ = env.step(action)
            log_probs.append(log_prob)
            rewards.append(float(reward))
            done = terminated or truncated
        following, returns = 0.0, list[float]()
        for reward in reversed(rewards):
            following = reward + 0.99 * following
            returns.insert(0, following)
        weights = torch.tensor(returns)
        weights = (weights - weights.mean()) / (weights.std() + 1e-8)
        optimizer.zero_grad()
        (-(torch.stack(log_probs) * weights).sum()).backward()
        optimizer.step()
        lengths.append(len(rewards))
        played += len(rewards)
        now = time.perf_counter() - started
        if to_bar is None and len(lengths) >= WINDOW and statistics.mean(lengths[-WINDOW:]) >= BAR:
            to_bar = now
        if not half[0] and played >= steps / 2:
            half = (played, now)
    seconds = time.perf_counter() - started
    env.close()
    steady = (played - half[0]) / (seconds - half[1]) if played > half[0] else played / seconds
    last = statistics.mean(lengths[-WINDOW:])
    return {"rate": played / seconds, "steady": steady, "to_bar": to_bar, "last": last}


def run_engine(runs: int, seed: int, updates: int = 400, after: int = 10) -> Row:
    """The package's engine with its default settings until every run has reached the bar.

    steady is the speed over the `after` updates that follow, when episodes are long; None if the bar was not reached.
    """
    recent = [deque[float](maxlen=WINDOW) for _ in range(runs)]
    reached: list[float | None] = [None] * runs
    started = time.perf_counter()
    first, to_bar, steps, seconds, left = None, None, 0, 0.0, after
    for update in reinforce(Settings(env=ENV, runs=runs, seed=seed, updates=updates)):
        now = time.perf_counter() - started
        if to_bar is None:
            steps, seconds = update.steps, now
            for run in range(runs):
                recent[run].extend(update.returns[run].tolist())
                full = len(recent[run]) == WINDOW
                if reached[run] is None and full and statistics.fmean(recent[run]) >= BAR:
                    reached[run] = now
            if None not in reached:
                to_bar, first = now, update
        else:
            left -= 1
            if left <= 0:
                break
    steady = None
    if first is not None and update.number > first.number:
        steady = (update.steps - first.steps) / (update.seconds - first.seconds)
    return {"rate": steps / seconds, "steady": steady, "to_bar": to_bar, "each": reached}


def run_ceiling(environments: int, steps: int) -> float:
    """Steps a second of `environments` copies under random actions drawn beforehand, without a policy."""
    envs = make_envs(ENV, environments)
    actions = np.random.default_rng(0).integers(2, size=(64, environments))
    envs.reset(seed=0)
    started = time.perf_counter()
    for t in range(steps):
        envs.step(actions[t % 64])
    rate = steps * environments / (time.perf_counter() - started)
    envs.close()
    return rate


def run_single_ceiling(steps: int) -> float:
    """Steps a second of one ordinary environment under random actions, resets included: the listing's ceiling."""
    env = gymnasium.make(ENV)
    actions = np.random.default_rng(0).integers(2, size=steps).tolist()
    env.reset(seed=0)
    started = time.perf_counter()
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()
    rate = steps / (time.perf_counter() - started)
    env.close()
    return rate


def run_stable_baselines(name: str, seed: int, steps: int | None = None) -> Row:
    """stable_baselines3's PPO or A2C as tuned in rl-baselines3-zoo, until the bar or the end of its step budget."""
    from stable_baselines3 import A2C, PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env

    class Bar(BaseCallback):  # type: ignore[misc]
        """Stops at the bar, judged on the training episodes in the order in which they end."""

        recent: deque[float] = deque(maxlen=WINDOW)
        reached: float | None = None

        def _on_step(self) -> bool:
            self.recent.extend(info["episode"]["r"] for info in self.locals["infos"] if "episode" in info)
            if len(self.recent) == WINDOW and statistics.fmean(self.recent) >= BAR:
                self.reached = time.perf_counter() - started
            return self.reached is None

    started = time.perf_counter()
    envs, callback = make_vec_env(ENV, n_envs=8, seed=seed), Bar()
    callback.recent = deque(maxlen=WINDOW)
    if name == "PPO":
        model: Any = PPO(
            "MlpPolicy",
            envs,
            n_steps=32,
            batch_size=256,
            gae_lambda=0.8,
            gamma=0.98,
            n_epochs=20,
            ent_coef=0.0,
            learning_rate=lambda left: 0.001 * left,
            clip_range=lambda left: 0.2 * left,
            seed=seed,
            device="cpu",
        )
    else:
        model = A2C("MlpPolicy", envs, ent_coef=0.0, seed=seed, device="cpu")
    model.learn(steps or (100_000 if name == "PPO" else 500_000), callback=callback)
    seconds = time.perf_counter() - started
    envs.close()
    return {"rate": model.num_timesteps / seconds, "steady": None, "to_bar": callback.reached}


def run_peer(python: str, runs: Sequence[int] = (1, 10, 32)) -> list[Row]:
    """The compiled peer with each number of runs: rate, steady, to_bar and the seconds that compiling took."""
    command = [python, str(Path(__file__).with_name("bench_peer_jax.py")), *map(str, runs)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in found.stdout.splitlines()]


def median(values: Sequence[float | None]) -> float | None:
    """The median, where None, a training that did not reach the bar, counts as infinite; None if it is infinite."""
    middle = statistics.median([float("inf") if value is None else value for value in values])
    return None if middle == float("inf") else middle


def ratio(above: float | None, below: float | None) -> str:
    return "-" if above is None or below is None else f"{above / below:.2f}"


def text(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def summary(name: str, rows: Sequence[Row], ceiling: float | None) -> Row:
    """Medians over repeated trainings, and every single time to the bar."""
    return {
        "name": name,
        "rate": median([row["rate"] for row in rows]),
        "steady": median([row["steady"] for row in rows]),
        "ceiling": ceiling,
        "to_bar": median([row["to_bar"] for row in rows]),
        "all": [row["to_bar"] for row in rows],
        "memory": peak_memory(),
    }


def print_table(rows: Sequence[Row]) -> None:
    print(f"\n{'':22}{'steps/s':>12}{'steady':>12}{'ceiling':>12}{'to bar, s':>12}{'peak MiB':>12}")
    for row in rows:
        numbers = [text(row["rate"], 0), text(row["steady"], 0), text(row["ceiling"], 0), text(row["to_bar"])]
        print(f"{row['name']:22}" + "".join(f"{n:>12}" for n in [*numbers, text(row["memory"], 0)]))
    print(
        "\nsteps/s: up to the bar, or to the end where it is not reached. steady: once episodes are long (the listing:"
    )
    print("its second half). peak: of the whole process so far, so it only grows from row to row. - : not reached.")
    print("\nSeconds to the bar, each training (runs > 1: until every run has reached it):")
    for row in rows:
        print(f"  {row['name']:20}" + " ".join(text(value) for value in row["all"]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures everything and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="3 seeds instead of 10")
    has_peer = importlib.util.find_spec("gymnax") is not None
    parser.add_argument("--peer", metavar="PYTHON", default=sys.executable if has_peer else None, help="with gymnax")
    given = parser.parse_args(arguments)
    quick = given.quick
    seeds, repeats = range(3 if quick else 10), range(1 if quick else 3)
    torch.set_num_threads(1)
    next(reinforce(Settings(episodes=2)))  # a warm-up that is not measured

    listing = run_listing(10_000 if quick else 40_000)
    rows = [summary("listing", [listing], run_single_ceiling(20_000))]
    rows[0]["all"] = [listing["to_bar"]]
    for runs in (1, 10, 32):
        ceiling = run_ceiling(runs * Settings().episodes, 500)
        trainings = [run_engine(runs, seed) for seed in (seeds if runs == 1 else repeats)]
        rows.append(summary(f"engine, {runs} run{'s' * (runs > 1)}", trainings, ceiling))
    if given.peer is None:
        print("gymnax is not installed, so the compiled peer is left out: see bench_peer_jax.py and --peer.")
    else:
        for row in run_peer(given.peer):
            name = f"jax, {row['runs']} run{'s' * (row['runs'] > 1)}"
            rows.append(summary(name, [row], None) | {"memory": None})
            print(f"{name}: compiled in {row['compile']:.1f} s")
    try:
        import stable_baselines3
    except ImportError:
        print("stable_baselines3 is not installed, so PPO and A2C are left out.")
    else:
        print(f"stable_baselines3 {stable_baselines3.__version__}")
        rows += [
            summary(f"sb3 {name}", [run_stable_baselines(name, s) for s in seeds], None) for name in ("PPO", "A2C")
        ]
    print_table(rows)
    print(f"\nThe listing's mean return over its last {WINDOW} episodes: {listing['last']:.0f}")

    by_name = {row["name"]: row for row in rows}
    one, ten = by_name["engine, 1 run"], by_name["engine, 10 runs"]
    print("\nRatios")
    for row in rows[1:4]:
        print(f"  {row['name']} / listing, steps/s: {ratio(row['rate'], rows[0]['rate'])}", end="")
        print(f" (steady {ratio(row['steady'], rows[0]['steady'])})")
    print(f"  ten runs / one run, seconds to the bar: {ratio(ten['to_bar'], one['to_bar'])}")
    for row in rows[1:4]:
        print(f"  {row['name']} / ceiling, steps/s: {ratio(row['rate'], row['ceiling'])}", end="")
        print(f" (steady {ratio(row['steady'], row['ceiling'])})")
    for runs in ("1 run", "10 runs", "32 runs"):
        if f"jax, {runs}" in by_name:
            ours, theirs = by_name[f"engine, {runs}"], by_name[f"jax, {runs}"]
            print(f"  engine / jax, {runs}, steps/s: {ratio(ours['rate'], theirs['rate'])}", end="")
            print(f" (steady {ratio(ours['steady'], theirs['steady'])})")
    for name in ("PPO", "A2C"):
        if f"sb3 {name}" in by_name:
            print(f"  {name} / engine with one run, seconds to the bar: ", end="")
            print(ratio(by_name[f"sb3 {name}"]["to_bar"], one["to_bar"]))


if __name__ == "__main__":
    main()
