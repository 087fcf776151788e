"""Learners' answers to the exercises of notebook 05."""

import math

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical


def loss_by_loop(logits, actions, weights):
    loss = 0.0
    for z, a, w in zip(logits, actions, weights):
        loss = loss - w * torch.log_softmax(z, 0)[a]
    return loss


def loss_of_all_actions(z, a, w):
    return sum(-w[t] * z.log_softmax(1)[t].sum() for t in range(len(w)))


def no_graph(z, a, w):
    with torch.no_grad():
        return loss_by_loop(z, a, w)


def loss_in_numpy(z, a, w):
    z = z.detach().numpy()
    log_pi = z - np.log(np.exp(z).sum(1, keepdims=True))
    return -(log_pi[np.arange(len(a)), a] * w.numpy()).sum()


def loss_in_place(z, a, w):
    w -= w.mean()
    return loss_by_loop(z, a, w)


def to_go(r, gamma):
    return torch.tensor([sum(gamma ** (k - t) * float(r[k]) for k in range(t, len(r))) for t in range(len(r))])


def update_by_score(theta, x, a, r, gamma, alpha):
    change = np.zeros(tuple(theta.shape))
    theta_, x_, r_ = theta.double().numpy(), x.double().numpy(), r.tolist()
    for t in range(len(r_)):
        G = sum(gamma ** (k - t) * r_[k] for k in range(t, len(r_)))
        z = x_[t] @ theta_
        pi = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
        onehot = np.eye(len(pi))[int(a[t])]
        change += G * np.outer(x_[t], onehot - pi)
    return theta_ + alpha * change


def update_by_optimizer(theta, x, a, r, gamma, alpha):
    parameter = nn.Parameter(theta.clone())
    optimizer = torch.optim.SGD([parameter], lr=alpha)
    loss = -(Categorical(logits=x @ parameter).log_prob(a) * to_go(r, gamma)).sum()
    loss.backward()
    optimizer.step()
    return parameter


def update_by_hand(theta, x, a, r, gamma, alpha):
    copy = torch.tensor(theta.tolist(), requires_grad=True)
    gain = (Categorical(logits=x @ copy).log_prob(a) * to_go(r, gamma)).sum()
    gain.backward()
    with torch.no_grad():
        return copy + alpha * copy.grad


def update_of_the_old_one(theta, x, a, r, gamma, alpha):
    theta.requires_grad_(True)
    (-(Categorical(logits=x @ theta).log_prob(a) * to_go(r, gamma)).sum()).backward()
    return (theta - alpha * theta.grad).detach()


def update_by_cross_entropy(theta, x, a, r, gamma, alpha):
    def loss(th):
        return (nn.functional.cross_entropy(x @ th, a, reduction="none") * to_go(r, gamma)).sum()

    return theta - alpha * torch.func.grad(loss)(theta)


def climbing(theta, x, a, G, alpha, log_prob=None):
    """What autograd gives for weights G, for the answers below."""
    th = theta.clone().requires_grad_(True)
    log_probs = (x @ th).log_softmax(-1)[torch.arange(len(a)), a] if log_prob is None else log_prob(x @ th, a)
    (log_probs * G).sum().backward()
    return theta + alpha * th.grad


def weighed_by(weigh):
    return lambda theta, x, a, r, gamma, alpha: climbing(theta, x, a, weigh(r, gamma), alpha)


def discounts(r, gamma):
    return torch.tensor([gamma**t for t in range(len(r))])


def forward_recursion(r, gamma):
    G, out = 0.0, []
    for reward in r.tolist():
        G = reward + gamma * G
        out.append(G)
    return torch.tensor(out)


def forgot_to_reverse(r, gamma):
    G, out = 0.0, []
    for reward in r.tolist()[::-1]:
        G = reward + gamma * G
        out += [G]
    return torch.tensor(out)


def step_by_step(theta, x, a, r, gamma, alpha):
    G = to_go(r, gamma)
    for t in range(len(a)):
        theta = climbing(theta, x[t : t + 1], a[t : t + 1], G[t : t + 1], alpha)
    return theta


def averaged(theta, x, a, r, gamma, alpha):
    return climbing(theta, x, a, to_go(r, gamma) / len(r), alpha)


def downhill(theta, x, a, r, gamma, alpha):
    return climbing(theta, x, a, to_go(r, gamma), -alpha)


def gradient_alone(theta, x, a, r, gamma, alpha):
    return climbing(theta, x, a, to_go(r, gamma), alpha) - theta


def with_log_prob(log_prob):
    return lambda theta, x, a, r, gamma, alpha: climbing(theta, x, a, to_go(r, gamma), alpha, log_prob)


def with_score(score):
    return lambda th, x, a, r, g, al: th + al * x.T @ (score(x @ th, a) * to_go(r, g)[:, None])


def rows(z, a):
    return z[range(len(a)), a]


def update_in_place(theta, x, a, r, gamma, alpha):
    theta += climbing(theta, x, a, to_go(r, gamma), alpha) - theta
    return theta


def not_copied(theta, x, a, r, gamma, alpha):
    loss = -((x @ theta).log_softmax(-1)[torch.arange(len(a)), a] * to_go(r, gamma)).sum()
    loss.backward()
    return theta - alpha * theta.grad


def endless(theta, x, a, r, gamma, alpha):
    t = len(r) - 1
    while t >= 0:
        G = r[t]
    return G


def normalized_by_index(returns, mask):
    living = returns[mask.bool()]
    out = torch.zeros_like(returns)
    out[mask.bool()] = (living - living.mean()) / (living.std(correction=0) + 1e-8)
    return out


def normalized_in_numpy(returns, mask):
    x, m = returns.double().numpy(), mask.numpy() > 0
    return np.where(m, (x - x[m].mean()) / (x[m].std() + 1e-8), 0)


def normalized_by_loop(returns, mask):
    living = [g for row, on in zip(returns.tolist(), mask.tolist()) for g, yes in zip(row, on) if yes]
    mean = sum(living) / len(living)
    std = math.sqrt(sum((g - mean) ** 2 for g in living) / len(living))
    return [
        [(g - mean) / (std + 1e-8) if yes else 0.0 for g, yes in zip(row, on)]
        for row, on in zip(returns.tolist(), mask.tolist())
    ]


def episode_by_episode(returns, mask):
    out = torch.zeros_like(returns)
    for i in range(len(returns)):
        T = int(mask[i].sum())
        G = returns[i, :T]
        out[i, :T] = (G - G.mean()) / (G.std(correction=0) + 1e-8)
    return out


def step_by_time(returns, mask):
    out = torch.zeros_like(returns)
    for t in range(returns.shape[1]):
        on = mask[:, t] > 0
        G = returns[on, t]
        out[on, t] = (G - G.mean()) / (G.std(correction=0) + 1e-8)
    return out


def dead_in_the_std(returns, mask):
    mean = returns[mask > 0].mean()
    centred = (returns - mean) * mask
    return centred / (centred.pow(2).mean().sqrt() + 1e-8)


def unbiased(returns, mask):
    living = returns[mask > 0]
    return (returns - living.mean()) / (living.std() + 1e-8) * mask


def living_mean(returns, mask):
    return returns[mask > 0].mean()


def living_std(returns, mask):
    return returns[mask > 0].std(correction=0)


def normalized_in_place(returns, mask):
    returns -= living_mean(returns, mask)
    return returns / (living_std(returns, mask) + 1e-8) * mask


def band_by_sorting(returns):
    lower, upper = [], []
    for row in returns:
        ordered = sorted(row)
        for share, edge in ((0.1, lower), (0.9, upper)):
            place = share * (len(ordered) - 1)
            k = min(int(place), len(ordered) - 2) if len(ordered) > 1 else 0
            following = ordered[min(k + 1, len(ordered) - 1)]
            edge.append(ordered[k] + (place - k) * (following - ordered[k]))
    return lower, [sum(row) / len(row) for row in returns], upper


def band_in_torch(returns):
    x = torch.as_tensor(returns)
    low, high = torch.quantile(x, torch.tensor([0.1, 0.9], dtype=x.dtype), dim=1)
    return low, x.mean(1), high


def band_by_percentile(returns):
    low, high = np.percentile(returns, [10, 90], axis=-1)
    return low, np.average(returns, axis=-1), high


def edges(returns, low, high, axis=1):
    return np.quantile(returns, low, axis=axis), np.mean(returns, axis=axis), np.quantile(returns, high, axis=axis)


def sorted_in_place(returns):
    returns.sort(axis=1)
    return edges(returns, 0.1, 0.9)


def agent(*, sign=-1.0, zero=True, argmax=False, resample=False, step=True, reset=True, clear=True, discounted=False):
    """REINFORCE with torch.distributions, right or with one mistake."""

    def train(env_id, episodes, seed):
        torch.manual_seed(seed)
        env = gym.make(env_id)
        net = nn.Sequential(
            nn.Linear(env.observation_space.shape[0], 32), nn.ReLU(), nn.Linear(32, int(env.action_space.n))
        )
        optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
        returns, total = [], 0.0
        observation, _ = env.reset(seed=seed)
        for number in range(episodes):
            if number and reset:
                observation, _ = env.reset()
            log_probs, rewards, over = [], [], False
            while not over:
                pi = torch.distributions.Categorical(logits=net(torch.as_tensor(observation)))
                action = pi.probs.argmax() if argmax else pi.sample()
                log_probs.append(pi.log_prob(pi.sample() if resample else action))
                observation, reward, terminated, truncated, _ = env.step(action.item())
                rewards.append(reward)
                over = terminated or truncated
            G, returns_to_go = 0.0, []
            for reward in reversed(rewards):
                G = reward + 0.99 * G
                returns_to_go.insert(0, G)
            loss = sign * (torch.stack(log_probs) * torch.tensor(returns_to_go)).sum()
            if zero:
                optimizer.zero_grad()
            loss.backward()
            if step:
                optimizer.step()
            total = (0.0 if clear else total) + (returns_to_go[0] if discounted else sum(rewards))
            returns.append(total)
        return returns

    return train


def by_hand(env_id, episodes, seed):
    """A table of preferences in NumPy, no torch at all."""
    env, rng = gym.make(env_id), np.random.default_rng(seed)
    theta, returns = np.zeros((env.observation_space.shape[0], env.action_space.n)), []
    for number in range(episodes):
        observation, _ = env.reset(seed=seed if number == 0 else None)
        steps, over = [], False
        while not over:
            pi = np.exp(observation @ theta)
            pi /= pi.sum()
            action = int(rng.choice(len(pi), p=pi))
            following, reward, terminated, truncated, _ = env.step(action)
            steps.append((observation, action, pi, reward))
            observation, over = following, terminated or truncated
        G = 0.0
        gradient = np.zeros_like(theta)
        for observation, action, pi, reward in reversed(steps):
            G = reward + G
            gradient += G * np.outer(observation, np.eye(len(pi))[action] - pi)
        theta = theta + 0.05 * gradient
        returns.append(sum(step[3] for step in steps))
    return returns


class Agent:
    def __init__(self, numbers, actions):
        self.net = nn.Linear(numbers, actions)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.03)

    def act(self, observation):
        with torch.no_grad():
            return int(torch.multinomial(self.net(torch.as_tensor(observation)).softmax(-1), 1))

    def learn(self, observations, actions, G):
        log_pi = self.net(torch.as_tensor(np.array(observations))).log_softmax(-1)
        loss = -(log_pi.gather(1, torch.tensor(actions)[:, None])[:, 0] * torch.tensor(G)).sum()
        for weight in self.net.parameters():
            weight.grad = None
        loss.backward()
        self.optimizer.step()


def with_a_class(env_id, episodes, seed):
    """A class of one's own, gradients reset by hand, log-probabilities computed after the episode."""
    torch.manual_seed(seed)
    env = gym.make(env_id)
    agent_, found = Agent(env.observation_space.shape[0], env.action_space.n), np.zeros(episodes)
    for number in range(episodes):
        observation, over, observations, actions, rewards = env.reset(seed=seed + number)[0], False, [], [], []
        while not over:
            observations.append(observation)
            actions.append(agent_.act(observation))
            observation, reward, terminated, truncated, _ = env.step(actions[-1])
            rewards.append(float(reward))
            over = terminated or truncated
        agent_.learn(observations, actions, np.cumsum(rewards[::-1])[::-1].copy())
        found[number] = sum(rewards)
    return found


RIGHT = {
    "agent": [agent(), by_hand, with_a_class],
    "loss": [
        loss_by_loop,
        lambda z, a, w: nn.functional.cross_entropy(z.double(), a, reduction="none") @ w.double(),
        lambda z, a, w: -(torch.gather(z.log_softmax(-1), 1, a.unsqueeze(1)).squeeze(1) * w).sum(),
        lambda z, a, w: -(Categorical(logits=z).log_prob(a) * w).sum(),
        lambda z, a, w: -(torch.diagonal(z.log_softmax(-1)[:, a]) * w).sum(),
    ],
    "update": [update_by_score, update_by_hand, update_by_cross_entropy],
    "adam": [1.28, 1.3, 128 * 0.01, torch.tensor(1.28), np.float32(1.28), 128 * 0.01 * 0.0003 / (0.0003 + 1e-8)],
    "normalize": [
        normalized_by_index,
        normalized_in_numpy,
        normalized_by_loop,
        lambda r, m: (r - living_mean(r, m)) * m / (living_std(r, m) + 1e-8),
    ],
    "band": [
        band_by_sorting,
        band_in_torch,
        band_by_percentile,
        lambda x: edges(x.T, 0.1, 0.9, axis=0),
        lambda x: np.stack(edges(x, 0.1, 0.9)),
        lambda x: list(edges(x, 0.1, 0.9)),
        lambda x: [edge.tolist() for edge in edges(x, 0.1, 0.9)],
    ],
}
MISTAKES = {
    "agent": [
        (agent(sign=1.0), "the returns \\*fall\\*"),
        (agent(zero=False), "never set to zero"),
        (agent(argmax=True), "not sampled"),
        (agent(resample=True), "other actions than those that were played"),
        (agent(step=False), "After backward\\(\\) comes step"),
        (agent(reset=False), "after an episode has ended"),
        (agent(clear=False), "the returns are not reset"),
        (agent(discounted=True), "without a discount"),
        (lambda env_id, episodes, seed: by_hand(env_id, episodes, seed) and None, "but gives nothing"),
        (lambda env_id, episodes, seed: by_hand(env_id, episodes // 2, seed), "your list has 150 returns"),
        (lambda env_id, episodes, seed: [10.0] * episodes, "no episode was played"),
        (lambda env_id, episodes, seed: [by_hand(env_id, 3, seed)[0]] * episodes, "but 3 episodes were played"),
        (lambda env_id, episodes: [], "raised a TypeError"),
        (by_hand("pglesson/Signals-v0", 1, 0), "must be a function"),
    ],
    "loss": [
        (
            lambda z, a, w: -(z.log_softmax(-1)[torch.arange(len(a)), a] * (w - w.mean()) / (w.std() + 1e-8)).sum(),
            "normalized first",
        ),
        (lambda z, a, w: -(z.log_softmax(-1)[torch.arange(len(a)), a] * w.flip(0)).sum(), "wrong order"),
        (
            lambda z, a, w: -(z.log_softmax(-1)[torch.arange(len(a)), a] * w.flip(0).cumsum(0).flip(0)).sum(),
            "once more",
        ),
        (lambda z, a, w: -torch.sum(torch.log_softmax(z, 1)[:, a] * w), "shape \\(T, T\\)"),
        (lambda z, a, w: -(z.log_softmax(1)[:, a].T * w).sum(), "other axis"),
        (lambda z, a, w: -(rows(z.log_softmax(-1), a) * w).mean(), "mean over the steps"),
        (lambda z, a, w: (rows(z.log_softmax(-1), a) * w).sum(), "minus sign"),
        (lambda z, a, w: -(rows(z.softmax(-1), a) * w).sum(), "these are probabilities"),
        (lambda z, a, w: -(rows(z.log_softmax(0), a) * w).sum(), "runs over the steps"),
        (lambda z, a, w: -(rows(z, a) * w).sum(), "these are logits"),
        (lambda z, a, w: -(z.log_softmax(-1).amax(1) * w).sum(), "most likely action"),
        (loss_of_all_actions, "all actions"),
        (lambda z, a, w: nn.functional.cross_entropy(z, a, reduction="sum"), "weights are gone"),
        (lambda z, a, w: nn.functional.cross_entropy(z, a, reduction="none") @ (w - w.mean()), "look alike"),
        (lambda z, a, w: nn.functional.cross_entropy(z, a, reduction="sum") * w.sum(), "every weight"),
        (no_graph, "no derivative can flow"),
        (lambda z, a, w: torch.tensor(loss_by_loop(z, a, w).item()), "no derivative can flow"),
        (lambda z, a, w: nn.functional.cross_entropy(z, a, reduction="none") * w, "one number a step"),
        (loss_in_numpy, "must give a torch tensor"),
        (loss_in_place, "in place"),
        (lambda z, a, w: -(z.log_softmax(-1)[a] * w).sum() + z[:, 7].sum(), "raised a"),
        (lambda z, a, w: (rows(z.log_softmax(-1), a) * w).sum().abs(), "may be negative"),
        (lambda z, a, w: -(z.log_softmax(-1) * torch.nn.functional.one_hot(a)).sum(-1) @ w, "number of columns"),
        (lambda z, a, w: torch.nn.functional.cross_entropy(z, a, weight=w), "not for each step"),
        (lambda z, a, w: -(z.log_softmax(-1)[:, a] * w).mean(), "a mean runs over it"),
        (lambda z, a, w: -(z.log_softmax(-1)[:, a] * w).sum() / len(a), "does not repair"),
        (lambda z, a, w: (nn.functional.cross_entropy(z, a) * w).sum(), "by default"),
        (lambda z, a, w: -(z.softmax(-1).log()[range(len(a)), a] * w).sum(), "rounded to zero"),
        (lambda z, a, w: -(z.log_softmax(-1).gather(1, a[:, None]) * w).sum(), "every weight"),
        (lambda z, a, w: -(Categorical(logits=z).log_prob(a) + w).sum(), "are added to"),
        (lambda z, a, w: -(Categorical(logits=z).log_prob(a) * w).sum() / w.sum(), "sum of the weights"),
    ],
    "update": [
        (update_by_optimizer, "an optimizer made the step"),
        (update_of_the_old_one, "Mark a copy"),
        (downhill, "gradient descent on J"),
        (weighed_by(lambda r, gamma: to_go(r, gamma)[0] * torch.ones(len(r))), "whole episode"),
        (weighed_by(lambda r, gamma: r), "own reward alone"),
        (weighed_by(lambda r, gamma: torch.cumsum(r * discounts(r, gamma), 0)), "past rewards"),
        (weighed_by(forgot_to_reverse), "reversed order"),
        (weighed_by(forward_recursion), "without reversed"),
        (weighed_by(lambda r, gamma: gamma * to_go(r, gamma)), "off by one"),
        (
            weighed_by(lambda r, gamma: gamma * torch.cat([to_go(r, gamma)[1:], torch.zeros(1)])),
            "own reward is missing",
        ),
        (weighed_by(lambda r, gamma: discounts(r, gamma) * to_go(r, gamma)), "factor gamma"),
        (weighed_by(lambda r, gamma: to_go(r, 1)), "nothing is discounted"),
        (averaged, "mean over the steps"),
        (step_by_step, "middle of the episode"),
        (lambda th, x, a, r, gamma, alpha: climbing(th, x, a, to_go(r, gamma), 1.0), "alpha is missing"),
        (gradient_alone, "step alone"),
        (lambda th, x, a, r, gamma, alpha: th.clone(), "has not moved"),
        (with_log_prob(lambda z, a: rows(z.softmax(-1), a)), "not softmax"),
        (with_log_prob(rows), "as if logits"),
        (with_log_prob(lambda z, a: rows(z.log_softmax(0), a)), "runs over the steps"),
        (with_score(lambda z, a: torch.nn.functional.one_hot(a, z.shape[1]) - z.softmax(0)), "runs over the steps"),
        (with_score(lambda z, a: torch.nn.functional.one_hot(a) - z.softmax(1)), "number of columns"),
        (with_log_prob(lambda z, a: z.log_softmax(-1).max(1).values), "most likely actions"),
        (weighed_by(lambda r, g: (to_go(r, g) - to_go(r, g).mean()) / (to_go(r, g).std() + 1e-8)), "you normalize"),
        (weighed_by(lambda r, g: to_go(r, g) - to_go(r, g).mean()), "mean return"),
        (update_in_place, "in place"),
        (not_copied, "raised a RuntimeError"),
        (endless, "had not come back"),
        (with_log_prob(lambda z, a: z.log_softmax(-1)[:, a]), "actions of all steps"),
        (with_log_prob(lambda z, a: z.log_softmax(-1).gather(1, a[:, None])), "every return"),
        (
            lambda th, x, a, r, g, al: th + al * (update_by_cross_entropy(th, x, a, r, g, 1.0) - th).sign(),
            "Adam's first step",
        ),
        (lambda th, x, a, r, g, al: update_by_cross_entropy(th, x, a, r, g, 1.0) - th, "gradient alone"),
        (
            lambda th, x, a, r, g, al: weighed_by(lambda R, y: to_go(R, y) * (torch.arange(len(R)) < 1))(
                th, x, a, r, g, al
            ),
            "only the first",
        ),
        (lambda th, x, a, r, g, al: update_by_score(th, x[-1:], a[-1:], r[-1:], g, al), "only the last"),
        (lambda th, x, a, r, g, al: th - (averaged(th, x, a, r, g, al) - th), "and by a mean"),
        (weighed_by(lambda r, gamma: to_go(r, gamma) * discounts(r, gamma) / len(r)), "keep the factor"),
    ],
    "adam": [
        (0.01, "one weight moves"),
        (128 * 0.01 * 0.0003, "plain gradient descent"),
        (0.01 * 0.0003, "one weight under plain"),
        (128 * 0.0003, "sum of the gradients"),
        (math.sqrt(128) * 0.01, "the root of 128"),
        (2.56, "both logits"),
        (0.64, "half of it"),
        (0.128, "factor of ten"),
        (128, "sum of the activations"),
        (-1.28, "without the sign"),
        (0.0003, "one gradient"),
        (7.0, "128 such moves"),
        (1.28 * 0.1 / math.sqrt(0.001), "correction of the first"),
        (12.8, "too much"),
        (1.28 * math.sqrt(0.0003), "root of the gradient"),
        (0.04, "four numbers"),
        (1.0, "that is an activation"),
        (1.31, "near"),
    ],
    "normalize": [
        (lambda x, m: (x - x[m > 0].mean()) / (x[m > 0].std(correction=0) + 1) * m, "far larger"),
        (lambda x, m: (x[m > 0].mean() - x) / (x[m > 0].std(correction=0) + 1e-8) * m, "sign is wrong"),
        (
            lambda x, m: (x - x.mean(1)[:, None]) / x.std(1)[:, None] * m,
            "each episode is still normalized within itself,",
        ),
        (episode_by_episode, "only over its played steps"),
        (step_by_time, "every time step"),
        (lambda x, m: (x - x.mean()) / (x.var(correction=0).sqrt() + 1e-8) * m, "are counted as returns. Sum"),
        (lambda x, m: (x - x.mean()) / (torch.std(x) + 1e-8) * m, "are counted as returns, and"),
        (dead_in_the_std, "the mean is right"),
        (unbiased, "torch's default"),
        (lambda x, m: torch.where(m > 0, x - living_mean(x, m), 0.0), "nothing is divided"),
        (lambda x, m: x / (living_std(x, m) + 1e-8), "not subtracted"),
        (lambda x, m: (x - living_mean(x, m)) / (living_std(x, m) ** 2 + 1e-8) * m, "square root"),
        (lambda x, m: (x - living_mean(x, m)) / living_std(x, m) * m, "0 / 0 is NaN"),
        (lambda x, m: (x - living_mean(x, m)) / (living_std(x, m) + 1e-8), "still gets weights"),
        (normalized_in_place, "in place"),
        (lambda x, m: (x[m > 0] - living_mean(x, m)) / (living_std(x, m) + 1e-8), "shape"),
        (lambda x, m: (x - x[m].mean()) * m, "raised a"),
        (lambda r, m: (r - r.mean(1, keepdim=True)) / (r.std(1, keepdim=True) + 1e-8) * m, "within itself"),
        (lambda r, m: (r - living_mean(r, m)) * m / (living_std(r, m) ** 2 + 1e-8).sqrt(), "inside of the root"),
        (lambda r, m: (r - living_mean(r, m)) * m / (living_std(r, m) + 1e-5), "larger than"),
        (lambda r, m: (r - living_mean(r, m)) * m / (living_std(r, m) + 1e-6), "larger than"),
        (lambda r, m: (r - living_mean(r, m)) * m / (r.std(correction=0) + 1e-8), "mean is right\\. The standard"),
        (lambda r, m: (r - living_mean(r, m)) * m / (r.std() + 1e-8), "and divides by n - 1"),
        (
            lambda r, m: (d := r - living_mean(r, m)) * m / ((d.square().sum() / m.sum()).sqrt() + 1e-8),
            "before you square",
        ),
        (lambda r, m: normalized_by_index(r, (r != 0).float()) if r.any() else r, "may be 0"),
        (lambda r, m: (r - r.mean(0)) / (r.std(0) + 1e-8) * m, "and count the zeros"),
        (lambda r, m: torch.nan_to_num((r - r[m > 0].mean()) / (r[m > 0].std() + 1e-8) * m), "replaced by 0"),
        (lambda r, m: torch.nan_to_num((r - r[m > 0].mean()) / r[m > 0].std() * m), "replaced by 0"),
        (
            lambda r, m: (d := (r - (r.sum(1) / m.sum(1)).mean()) * m) / ((d.square().sum() / m.sum()).sqrt() + 1e-8),
            "episodes' means",
        ),
        (lambda r, m: (x := r[m > 0], (x - x.mean()) / (x.std(correction=0) + 1e-8))[1], "in a row"),
    ],
    "band": [
        (lambda x: edges(x, 0.1, 0.9, axis=0), "along the updates"),
        (lambda x: edges(x, 0.1, 0.9, axis=None), "three numbers for the whole"),
        (lambda x: tuple(np.quantile(x, q, axis=1) for q in (0.1, 0.5, 0.9)), "is the median"),
        (lambda x: (x.min(1), x.mean(1), x.max(1)), "worst and the best"),
        (lambda x: edges(x, 0.25, 0.75), "quartiles"),
        (lambda x: edges(x, 0.2, 0.8), "middle 60 %"),
        (lambda x: (x.mean(1) - x.std(1), x.mean(1), x.mean(1) + x.std(1)), "one standard deviation"),
        (lambda x: tuple(x.mean(1) + k * x.std(1) / len(x[0]) ** 0.5 for k in (-1, 0, 1)), "how sure the mean is"),
        (lambda x: edges(x, 0.9, 0.1), "changed places"),
        (lambda x: (np.percentile(x, 0.1, 1), x.mean(1), np.percentile(x, 0.9, 1)), "np.percentile counts"),
        (lambda x: tuple(np.broadcast_to(x.mean(axis=1), (3, len(x)))), "no width"),
        (sorted_in_place, "in place"),
        (lambda x: edges(x, 0.1, 0.9)[:2], "gives 2 values, but 3"),
        (lambda x: x.quantile(0.1), "raised an AttributeError"),
        (lambda x: (x.mean(1), *np.quantile(x, [0.1, 0.9], axis=1)), "wrong order"),
        (lambda x: (np.quantile(x, 0.1), x.mean(1), np.quantile(x, 0.9)), "the axis, too"),
        (
            lambda x: (np.full(len(x), np.quantile(x, 0.1)), x.mean(1), np.full(len(x), np.quantile(x, 0.9))),
            "axis, too",
        ),
        (lambda x: (np.sort(x)[:, 1], x.mean(1), np.sort(x)[:, -2]), "runs of their own"),
        (lambda x: edges(x, 0.05, 0.95), "middle 90"),
        (lambda x: edges(x, 0.025, 0.975), "middle 95"),
        (lambda x: edges(x, 0.4, 0.6), "middle 20"),
        (lambda x: edges(x, 0.0, 0.8), "lowest 80"),
        (lambda x: (x.mean(1) - 2 * x.std(1), x.mean(1), x.mean(1) + 2 * x.std(1)), "two standard"),
        (
            lambda x: (x.mean(1) - (h := 1.96 * x.std(1, ddof=1) / x.shape[1] ** 0.5), x.mean(1), x.mean(1) + h),
            "confidence",
        ),
        (lambda x: (e := edges(x, 0.1, 0.9), (e[0], (e[0] + e[2]) / 2, e[2]))[1], "halfway"),
        (lambda x: np.quantile(x, [0.1, 0.9], axis=1), "belongs between"),
        (lambda x: np.stack(edges(x, 0.1, 0.9), axis=1), "in columns"),
        (lambda x: (np.quantile(x, 0.1, 1), x.sum(1) / 10, np.quantile(x, 0.9, 1)), "divided by ten"),
        (lambda x: (np.quantile(x, 10, axis=1), x.mean(1), np.quantile(x, 90, axis=1)), "raised a ValueError"),
        (lambda x: (x.mean(1) - x.std(1, ddof=1), x.mean(1), x.mean(1) + x.std(1, ddof=1)), "one standard"),
        (lambda x: (np.quantile(x, 0.1, 1), x.mean(), np.quantile(x, 0.9, 1)), "whole training, one"),
    ],
}
