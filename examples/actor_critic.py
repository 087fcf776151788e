"""Actor-critic with generalized advantages (Schulman et al., 2016): python actor_critic.py [ENVIRONMENT [SEED]]"""

import sys
from collections import namedtuple

import gymnasium as gym
import torch
from torch import nn
from torch.distributions import Categorical, Independent, Normal

TUNED = {"Pendulum-v1": {"updates": 150, "episodes": 32, "gamma": 0.95, "lam": 0.95, "alpha": 0.01, "value_steps": 20}}
Episode = namedtuple("Episode", "observations actions rewards terminated")  # T + 1 observations of T steps


def network(inputs, outputs):
    layers = nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, outputs))
    nn.init.normal_(layers[-1].weight, std=0.01)  # at first all actions are about equally likely
    return layers


class Policy(nn.Module):
    """Observations (n, numbers) -> a distribution over n actions: softmax for a list of actions, else Gaussian."""

    def __init__(self, numbers, actions):
        super().__init__()
        self.discrete = isinstance(actions, gym.spaces.Discrete)
        self.network = network(numbers, int(actions.n) if self.discrete else actions.shape[0])
        self.log_sigma = None if self.discrete else nn.Parameter(torch.tensor(actions.high - actions.low).div(2).log())

    def forward(self, observations):
        out = self.network(observations)
        return Categorical(logits=out) if self.discrete else Independent(Normal(out, self.log_sigma.exp()), 1)


def play(env, policy):
    seen, actions, rewards = [torch.as_tensor(env.reset()[0]).float()], [], []
    while True:
        with torch.no_grad():
            actions.append(policy(seen[-1][None]).sample()[0])
        observation, reward, terminated, truncated, _ = env.step(actions[-1].numpy())
        seen.append(torch.as_tensor(observation).float())
        rewards.append(float(reward))
        if terminated or truncated:
            return Episode(torch.stack(seen), torch.stack(actions), torch.tensor(rewards), terminated)


def sums_to_go(x, gamma):
    G = x.clone()
    for t in reversed(range(len(x) - 1)):
        G[t] += gamma * G[t + 1]
    return G


def judge(value, episode, gamma, lam):  # -> advantages (T,), and what the value is to learn (T,)
    v = value(episode.observations)[:, 0].detach()
    v[-1] *= not episode.terminated  # nothing comes after an end; after a time-out, what the value expects
    A = sums_to_go(episode.rewards + gamma * v[1:] - v[:-1], gamma * lam)
    return A, A + v[:-1]


def descend(module, optimizer, loss, longest=float("inf")):
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(module.parameters(), longest)
    optimizer.step()


def update(policy, value, optimizer, value_optimizer, batch, gamma, lam, value_steps):
    A, targets = (torch.cat(x) for x in zip(*(judge(value, episode, gamma, lam) for episode in batch)))
    A = A.double()  # in float32, equal returns leave a rounding error that the division would blow up
    A = ((A - A.mean()) / (A.std(correction=0) + 1e-8)).float()
    observations, actions = torch.cat([e.observations[:-1] for e in batch]), torch.cat([e.actions for e in batch])
    loss = -(policy(observations).log_prob(actions) * A).sum() / len(batch)
    descend(policy, optimizer, loss, longest=0.5)
    for _ in range(value_steps):
        descend(value, value_optimizer, (targets - value(observations)[:, 0]).square().sum() / 2 / len(batch))


def train(env_id="CartPole-v1", seed=0, updates=40, episodes=16, gamma=0.99, lam=0.98, alpha=0.03, value_steps=10):
    torch.manual_seed(seed)
    env, returns = gym.make(env_id), []
    env.reset(seed=seed)
    policy = Policy(env.observation_space.shape[0], env.action_space)
    env = env if policy.discrete else gym.wrappers.ClipAction(env)  # log pi stays that of the sampled action
    value = network(env.observation_space.shape[0], 1)
    optimizers = torch.optim.Adam(policy.parameters(), lr=alpha), torch.optim.Adam(value.parameters(), lr=0.05)
    for number in range(updates):
        batch = [play(env, policy) for _ in range(episodes)]
        update(policy, value, *optimizers, batch, gamma, lam, value_steps)
        returns.append(sum(episode.rewards.sum().item() for episode in batch) / episodes)
        print(f"update {number + 1}: mean return {returns[-1]:.1f}", flush=True)
    return returns


if __name__ == "__main__":
    name, seed = [*sys.argv[1:], *("CartPole-v1", "0")[len(sys.argv) - 1 :]]
    train(name, int(seed), **TUNED.get(name, {}))
