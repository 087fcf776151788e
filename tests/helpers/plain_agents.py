"""Agents with a critic as learners write them, right or with one mistake, for the exercises of notebooks 12 and 13."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

GAMMA, LAM = 0.99, 0.95


def clipped(ratio: torch.Tensor, A: torch.Tensor, low: float = 0.8, high: float = 1.2) -> torch.Tensor:
    return torch.minimum(ratio * A, ratio.clamp(low, high) * A)


GAINS = {  # from the new log-probabilities, the old ones, and the advantages
    "log": lambda now, old, A: now * A,
    "ratio": lambda now, old, A: (now - old).exp() * A,
    "bounded": lambda now, old, A: (now - old).exp().clamp(0.8, 1.2) * A,
    "minimum": lambda now, old, A: clipped((now - old).exp(), A),
    "maximum": lambda now, old, A: -clipped((now - old).exp(), -A),
    "quotient": lambda now, old, A: clipped(now / old, A),
    "sum": lambda now, old, A: clipped((now + old).exp(), A),
    "inverted": lambda now, old, A: clipped((old - now).exp(), A),
    "difference": lambda now, old, A: clipped(now - old, A),
    "exchanged": lambda now, old, A: clipped((now - old).exp(), A, 1.2, 0.8),
    "uneven": lambda now, old, A: clipped((now - old).exp(), A, 0.8, 1.4),
    "upper": lambda now, old, A: clipped((now - old).exp(), A, 0.0, 1.2),
    "probability": lambda now, old, A: now.exp() * A,
    "over A": lambda now, old, A: now / A,
    "positive": lambda now, old, A: now * A.clamp(min=0),
}


def sums_to_go(x: torch.Tensor, factor: float) -> torch.Tensor:
    sums = x.clone()
    for t in reversed(range(len(x) - 1)):
        sums[t] += factor * sums[t + 1]
    return sums


def gae(rewards: torch.Tensor, v: torch.Tensor, factor: float = GAMMA * LAM) -> torch.Tensor:
    return sums_to_go(rewards + GAMMA * v[1:] - v[:-1], factor)


def in_a_loop(rewards: torch.Tensor, v: torch.Tensor, steps: range, to: int = 1) -> torch.Tensor:
    """Sums of TD errors, to which each of these steps adds that of a neighbour."""
    A = gae(rewards, v, 0.0)
    for t in steps:
        A[t] += GAMMA * LAM * A[t + to]
    return A


def of_the_first(rewards: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """TD errors from which the first value is subtracted, at each step."""
    return sums_to_go(rewards + GAMMA * v[1:] - v[:1], GAMMA * LAM)


def twice(rewards: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Sums that begin with the last value."""
    return sums_to_go(torch.cat([rewards + GAMMA * v[1:] - v[:-1], v[-1:]]), GAMMA * LAM)[:-1]


def in_minibatches(
    *,
    epochs: int = 1,
    parts: int = 1,
    alpha: float = 0.02,
    sign: float = -1.0,
    judged: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = gae,  # advantages, by rewards and T + 1 values
    across: bool = False,  # whether what was judged is added up over the whole batch
    first: bool = False,  # whether the observation's first number stands for the value
    target: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = torch.add,  # what is learned, by A and v
    early: bool = False,  # whether the value learns before it judges
    flat: bool = True,  # whether the value's outputs have the targets' shape
    entropy: float = 0.0,  # its weight
    used: int | None = None,  # parts of each epoch
    ends: bool = True,  # whether the value after an end is 0
    cut: bool = True,  # whether an episode stops at a time-out
    timeouts: bool = True,  # whether that after a time-out is asked for
    detach: bool = True,
    old: str = "once",
    gain: str = "minimum",
    cross_entropy: bool = False,  # whether log-probabilities are minus that
    aligned: str = "yes",  # or no; whole: all of A beside a part's log-probabilities; play: A, or actions, as played
    seeded: bool = True,
    learns: bool = True,  # whether the value does
    shuffled: bool = True,
) -> Callable[[str, int, int], list[float]]:
    """Batches of ten episodes, two networks. old: once, again (with the policy as it is now), each
    epoch, or attached."""

    def played(env: Any, policy: nn.Module) -> Any:
        observation, _ = env.reset()
        seen, actions, rewards, over = [observation], [], [], False
        while not over:
            with torch.no_grad():
                actions.append(Categorical(logits=policy(torch.as_tensor(seen[-1]))).sample().item())
            observation, reward, terminated, truncated, _ = env.step(actions[-1])
            seen.append(observation)
            rewards.append(float(reward))
            over = terminated or (truncated and cut)
        return torch.as_tensor(np.array(seen)), torch.tensor(actions), torch.tensor(rewards), terminated

    def advantages(value: nn.Module, episode: Any) -> tuple[torch.Tensor, torch.Tensor]:
        seen, _, rewards, terminated = episode
        v = seen[:, 0] if first else value(seen)[:, 0]
        v = v.detach() if detach else v
        last = v[-1:] * float(not ((terminated and ends) or (not terminated and not timeouts)))
        v = torch.cat([v[:-1], last])
        A = judged(rewards, v)
        return A, target(A, v[:-1]).detach()

    def learn(value: nn.Module, optimizer: Any, seen: torch.Tensor, targets: torch.Tensor) -> None:
        for _ in range(5 * learns):
            optimizer.zero_grad()
            outputs = value(seen)
            (targets - (outputs[:, 0] if flat else outputs)).square().mean().backward()
            optimizer.step()

    def train(env_id: str, episodes: int, seed: int) -> list[float]:
        if seeded:
            torch.manual_seed(seed)
        env = gym.make(env_id)
        env.reset(seed=seed if seeded else None)
        numbers, actions = env.observation_space.shape[0], env.action_space.n
        policy = nn.Sequential(nn.Linear(numbers, 32), nn.Tanh(), nn.Linear(32, actions))
        value = nn.Sequential(nn.Linear(numbers, 32), nn.Tanh(), nn.Linear(32, 1))
        optimizer = torch.optim.Adam(policy.parameters(), lr=alpha)
        value_optimizer = torch.optim.Adam(value.parameters(), lr=0.05)
        returns: list[float] = []
        while len(returns) < episodes:
            batch = [played(env, policy) for _ in range(min(10, episodes - len(returns)))]
            seen, chosen = torch.cat([e[0][:-1] for e in batch]), torch.cat([e[1] for e in batch])
            if early:
                learn(value, value_optimizer, seen, torch.cat([sums_to_go(e[2], GAMMA) for e in batch]))
            A, targets = (torch.cat(x) for x in zip(*[advantages(value, episode) for episode in batch]))
            if across:
                A = sums_to_go(A, GAMMA * LAM)
            if detach:
                A = (A - A.mean()) / (A.std() + 1e-8)
            before = Categorical(logits=policy(seen)).log_prob(chosen)
            before = before if old == "attached" else before.detach()
            for _ in range(epochs):
                other = torch.randperm(len(A))
                if old == "each epoch":
                    before = Categorical(logits=policy(seen)).log_prob(chosen).detach()
                order = torch.randperm(len(A)) if shuffled else torch.arange(len(A))
                for k, i in enumerate(order.chunk(parts)[:used]):
                    others = {"no": A[other.chunk(parts)[k]], "whole": A, "play": A.chunk(parts)[k]}
                    pi = Categorical(logits=policy(seen[i]))
                    log_prob = pi.log_prob(chosen.chunk(parts)[k] if aligned == "actions" else chosen[i])
                    if cross_entropy:
                        log_prob = -nn.functional.cross_entropy(policy(seen[i]), chosen[i], reduction="none")
                    gains = GAINS[gain](
                        log_prob, log_prob.detach() if old == "again" else before[i], others.get(aligned, A[i])
                    )
                    optimizer.zero_grad()
                    (sign * (gains + entropy * pi.entropy()).mean() * len(A) / len(batch)).backward()
                    optimizer.step()
            learn(value, value_optimizer, seen, targets)
            returns += [e[2].sum().item() for e in batch]
        return returns

    return train


class TwoHeads(nn.Module):
    """One network for the policy and the value, as in A2C."""

    def __init__(self, numbers: int, actions: int) -> None:
        super().__init__()
        self.body, self.actor, self.critic = nn.Linear(numbers, 32), nn.Linear(32, actions), nn.Linear(32, 1)

    def forward(self, observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.body(observations).tanh()
        return self.actor(hidden).log_softmax(-1), self.critic(hidden)[..., 0]


def with_two_heads(epochs: int = 1, parts: int = 1) -> Callable[[str, int, int], np.ndarray]:
    """One optimizer, GAE in NumPy, log-probabilities by hand, the ratio by a division and the clipping by where."""

    def train(env_id: str, episodes: int, seed: int) -> np.ndarray:
        torch.manual_seed(seed)
        env, found, rng = gym.make(env_id), np.zeros(episodes), np.random.default_rng(seed)
        net = TwoHeads(env.observation_space.shape[0], int(env.action_space.n))
        optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
        rows: list[tuple[np.ndarray, int, float, float]] = []

        def improve() -> None:
            seen, actions, A, targets = (torch.as_tensor(np.array(x)) for x in zip(*rows))
            A, targets = ((A - A.mean()) / (A.std() + 1e-8)).float(), targets.float()
            with torch.no_grad():
                before = net(seen)[0].gather(1, actions[:, None])[:, 0].exp()
            for _ in range(epochs):
                for i in np.array_split(rng.permutation(len(rows)), parts):
                    log_pi, v = net(seen[i])
                    ratio = log_pi.gather(1, actions[i][:, None])[:, 0].exp() / before[i]
                    outside = torch.where(A[i] > 0, ratio > 1.2, ratio < 0.8)
                    gain = torch.where(outside, ratio.detach(), ratio) * A[i]
                    optimizer.zero_grad()
                    (-gain.mean() + 0.5 * (targets[i] - v).square().mean()).backward()
                    optimizer.step()

        for number in range(episodes):
            observation, _ = env.reset(seed=seed if number == 0 else None)
            seen, actions, rewards, over = [observation], [], [], False
            while not over:
                with torch.no_grad():
                    p = net(torch.as_tensor(observation))[0].exp()
                actions.append(torch.multinomial(p, 1).item())
                observation, reward, terminated, truncated, _ = env.step(actions[-1])
                seen.append(observation)
                rewards.append(reward)
                over = terminated or truncated
            found[number] = sum(rewards)
            with torch.no_grad():
                v = net(torch.as_tensor(np.array(seen)))[1].double().numpy()
            v[-1] = 0.0 if terminated else v[-1]
            gae = 0.0
            for t in reversed(range(len(rewards))):
                gae = rewards[t] + GAMMA * v[t + 1] - v[t] + GAMMA * LAM * gae
                rows.append((seen[t], actions[t], gae, gae + v[t]))
            if (number + 1) % 5 == 0 or number + 1 == episodes:
                improve()
                rows.clear()
        return found

    return train


def with_pieces_of_episodes(env_id: str, episodes: int, seed: int) -> list[float]:
    """PPO as in many libraries: 100 steps at a time, cut wherever an episode is, log-probabilities kept while playing,
    and the larger one of two losses. A time-out's value is added to its reward."""
    torch.manual_seed(seed)
    env = gym.make(env_id)
    numbers, actions = env.observation_space.shape[0], int(env.action_space.n)
    policy = nn.Sequential(nn.Linear(numbers, 32), nn.ReLU(), nn.Linear(32, actions))
    value = nn.Sequential(nn.Linear(numbers, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam([*policy.parameters(), *value.parameters()], lr=0.01)
    observation, total, returns = torch.as_tensor(env.reset(seed=seed)[0]), 0.0, list[float]()
    while len(returns) < episodes:
        seen, chosen, kept, rewards, alive = [], [], [], [], []
        while len(seen) < 100 and len(returns) < episodes:
            pi = Categorical(logits=policy(observation))
            action = pi.sample()
            following, reward, terminated, truncated, _ = env.step(action.item())
            total, following = total + reward, torch.as_tensor(following)
            rewards.append(reward + (GAMMA * value(following).item() if truncated else 0.0))
            for column, x in ((seen, observation), (chosen, action), (kept, pi.log_prob(action))):
                column.append(x)
            alive.append(float(not (terminated or truncated)))
            if terminated or truncated:
                returns.append(total)
                total, following = 0.0, torch.as_tensor(env.reset()[0])
            observation = following
        seen, chosen, kept = torch.stack(seen), torch.stack(chosen), torch.stack(kept).detach()
        with torch.no_grad():
            v, later = value(seen)[:, 0], value(observation)
        A, gae = torch.zeros(len(seen)), 0.0
        for t in reversed(range(len(seen))):
            delta = rewards[t] + GAMMA * alive[t] * later - v[t]
            gae = delta + GAMMA * LAM * alive[t] * gae
            A[t], later = gae, v[t]
        targets = A + v
        for _ in range(4):
            for part in torch.randperm(len(seen)).split(50):
                pi = Categorical(logits=policy(seen[part]))
                ratio = torch.exp(pi.log_prob(chosen[part]) - kept[part])
                weight = (A[part] - A[part].mean()) / (A[part].std(correction=0) + 1e-8)
                losses = torch.max(-weight * ratio, -weight * torch.clamp(ratio, 0.8, 1.2))
                value_loss = nn.functional.mse_loss(value(seen[part])[:, 0], targets[part])
                optimizer.zero_grad()
                (losses.mean() + 0.5 * value_loss - 0.01 * pi.entropy().mean()).backward()
                nn.utils.clip_grad_norm_([*policy.parameters(), *value.parameters()], 0.5)
                optimizer.step()
    return returns
