"""Learners' answers to the exercises of notebook 06."""

import math

import gymnasium as gym
import numpy as np
import torch
from torch import nn

from pglesson.analysis import mean_interval
from pglesson.exercises.by_notebook.nb06_variance_and_baselines import AGENT


def needed_by_loop(gradients, accuracy):
    rows = gradients.double().tolist()
    mean = [sum(column) / len(rows) for column in zip(*rows)]
    V = sum(sum((x - m) ** 2 for x, m in zip(row, mean)) for row in rows) / len(rows)
    return V / (accuracy**2 * sum(m * m for m in mean))


def needed_in_numpy(gradients, accuracy):
    g = gradients.numpy()
    return g.var(axis=0).sum() / (accuracy * np.linalg.norm(g.mean(axis=0))) ** 2


def needed_by_covariance(gradients, accuracy):
    covariance = torch.atleast_2d(torch.cov(gradients.T))
    return torch.trace(covariance) / accuracy**2 / gradients.mean(0).norm() ** 2


def centred_in_place(g, c):
    mean = g.mean(0)
    g -= mean
    return g.pow(2).sum(1).mean() / (c * mean.norm()) ** 2


def ratio(V, g, c):
    return V / (c * g.mean(0).norm()) ** 2


def error(w, s, G, mask):
    return (G - s @ w) * mask


def learned_by_hand(w, observations, returns, mask, alpha_w):
    return w + alpha_w * torch.einsum("nt,ntf->f", error(w, observations, returns, mask), observations) / mask.sum()


def learned_from_played_steps(w, observations, returns, mask, alpha_w):
    played = mask > 0
    v = torch.nn.Linear(len(w), 1, bias=False)
    v.weight.data = w[None].clone()
    optimizer = torch.optim.SGD(v.parameters(), lr=alpha_w)
    (0.5 * torch.nn.functional.mse_loss(v(observations[played])[:, 0], returns[played])).backward()
    optimizer.step()
    return v.weight.data[0]


def learned_by_loop(w, observations, returns, mask, alpha_w):
    w, s, G, m = (x.double().numpy() for x in (w, observations, returns, mask))
    step = np.zeros_like(w)
    for i in range(len(s)):
        for t in range(int(m[i].sum())):
            step += (G[i, t] - s[i, t] @ w) * s[i, t]
    return w + alpha_w * step / m.sum()


def learned_by_autograd(w, observations, returns, mask, alpha_w):
    w = w.detach().requires_grad_(True)
    loss = ((returns - observations @ w) ** 2)[mask > 0].mean() / 2
    return w.detach() - alpha_w * torch.autograd.grad(loss, w)[0]


def learned(loss, times=1.0):
    def learn(w, s, G, mask, alpha_w):
        w = w.clone().requires_grad_(True)
        return (w - times * alpha_w * torch.autograd.grad(loss(w, s, G, mask), w)[0]).detach()

    return learn


def half_square(w, s, G, mask):
    return error(w, s, G, mask).square().sum() / 2 / mask.sum()


def moved_in_place(w, s, G, mask, alpha_w):
    w += alpha_w * (error(w, s, G, mask)[..., None] * s).sum((0, 1)) / mask.sum()
    return w


def forgot_alpha(w, s, G, mask, alpha_w):
    return learned(half_square)(w, s, G, mask, 1.0)


def step_alone(w, s, G, mask, alpha_w):
    return learned(half_square)(w, s, G, mask, alpha_w) - w


def gradient_alone(w, s, G, mask, alpha_w):
    return w - learned(half_square)(w, s, G, mask, 1.0)


def towards_returns(w, s, G, mask, alpha_w):
    return w + alpha_w * torch.einsum("nt,ntf->f", G, s) / mask.sum()


def product_of_means(w, s, G, mask, alpha_w):
    played = mask > 0
    return w + alpha_w * error(w, s, G, mask)[played].mean() * s[played].mean(0)


def same_for_all(w, s, G, mask, alpha_w):
    return w + alpha_w * error(w, s, G, mask)[mask > 0].mean()


def no_step(w, s, G, mask, alpha_w):
    half_square(w.clone().requires_grad_(True), s, G, mask).backward()
    return w


def means_by_loop(b, returns, mask):
    G, m = returns.tolist(), mask.tolist()
    played = [x for row, lives in zip(G, m) for x, life in zip(row, lives) if life]
    others = np.zeros(returns.shape)
    for i in range(len(G)):
        for t in range(len(G[0])):
            rest = [G[k][t] for k in range(len(G)) if k != i and m[k][t]]
            if m[i][t] and rest:
                others[i, t] = sum(rest) / len(rest)
    return 0.9 * b + 0.1 * sum(played) / len(played), others


def means_in_numpy(b, returns, mask):
    G, m = returns.numpy(), mask.numpy()
    number = m.sum(0) - m
    others = np.divide(G.sum(0) - G, number, out=np.zeros_like(G), where=(number > 0) & (m > 0))
    return b + (G[m > 0].mean() - b) / 10, others


def means_by_matrix(b, returns, mask):
    alone = 1 - torch.eye(len(mask))
    others = torch.where((alone @ mask > 0) & (mask > 0), (alone @ returns) / (alone @ mask), 0.0)
    return torch.lerp(torch.tensor(b), returns[mask > 0].mean(), 0.1), others


def means(running=None, others=None):
    """Right but for one of the two."""

    def both(b, x, m):
        right = means_in_numpy(b, x, m)
        return running(b, x, m) if running else right[0], others(x, m) if others else right[1]

    return both


def others_in_place(b, x, m):
    x -= x.sum(0)
    return b, -x


def play(env, policy):
    observation, steps, over = env.reset()[0], [], False
    while not over:
        with torch.no_grad():
            action = torch.multinomial(policy(torch.as_tensor(observation)).softmax(-1), 1).item()
        following, reward, terminated, truncated, _ = env.step(action)
        steps.append((observation, action, reward))
        observation, over = following, terminated or truncated
    return tuple(np.array(column) for column in zip(*steps))


def to_go(rewards, gamma=0.99):
    G, backward = 0.0, []
    for reward in rewards[::-1]:
        G = reward + gamma * G
        backward.append(G)
    return backward[::-1]


def agent(*, size=10, baseline="value", sign=1.0, rate=0.05, steps=10, columns=False, both=False, means_only=False):
    """Batches and a value, right or with one mistake. both: one optimizer for policy and value, a loss for both."""

    def train(env_id, episodes, seed):
        torch.manual_seed(seed)
        env = gym.make(env_id)
        env.reset(seed=seed)
        numbers = env.observation_space.shape[0]
        policy, value = (nn.Sequential(nn.Linear(numbers, 32), nn.ReLU(), nn.Linear(32, n)) for n in (2, 1))
        groups = [{"params": policy.parameters(), "lr": 0.02}, {"params": value.parameters(), "lr": rate}]
        optimizer = torch.optim.Adam(groups if both else groups[:1])
        value_optimizer = torch.optim.Adam(groups[1:])
        found = []
        for _ in range(episodes // size):
            batch = [play(env, policy) for _ in range(size)]
            seen = torch.as_tensor(np.concatenate([episode[0] for episode in batch]))
            actions = torch.as_tensor(np.concatenate([episode[1] for episode in batch]))
            G = torch.tensor([x for episode in batch for x in to_go(episode[2])], dtype=torch.float32)
            v = value(seen) if columns else value(seen).squeeze(-1)
            b = {"value": v.detach(), "mean": G.mean(), "none": 0.0}[baseline]
            log_pi = policy(seen).log_softmax(-1).gather(1, actions[:, None])[:, 0]
            loss = -sign * (log_pi * (G - b)).sum() / size
            optimizer.zero_grad()
            (loss + (G - v).square().mean() if both else loss).backward()
            optimizer.step()
            for _ in range(steps if baseline == "value" else 0):
                v = value(seen) if columns else value(seen).squeeze(-1)
                value_optimizer.zero_grad()
                (G - v).square().mean().backward()
                value_optimizer.step()
            total = [float(sum(episode[2])) for episode in batch]
            found += [sum(total) / size] if means_only else total
        return found

    return train


def agent_with_an_eager_value(env_id, episodes, seed):
    """The value, a table of weights, learns after each episode; the policy makes a step after every sixth."""
    torch.manual_seed(seed)
    env = gym.make(env_id)
    env.reset(seed=seed)
    policy, w, found = nn.Linear(3, 2), nn.Parameter(torch.zeros(3)), []
    optimizer, value_optimizer = torch.optim.Adam(policy.parameters(), lr=0.05), torch.optim.Adam([w], lr=0.3)
    optimizer.zero_grad()
    for number in range(episodes):
        seen, actions, rewards = play(env, policy)
        seen, G = torch.as_tensor(seen), torch.tensor(to_go(rewards), dtype=torch.float32)
        log_pi = policy(seen).log_softmax(-1)[torch.arange(len(actions)), torch.as_tensor(actions)]
        (-(log_pi * (G - seen @ w.detach())).sum() / 6).backward()
        for _ in range(5):
            value_optimizer.zero_grad()
            (G - seen @ w).square().mean().backward()
            value_optimizer.step()
        if number % 6 == 5:
            optimizer.step()
            optimizer.zero_grad()
        found.append(rewards.sum())
    return found


without_detach = {}
exec(AGENT.solution.replace("[:, 0].detach()", "[:, 0]"), without_detach)


def agent_in_numpy(env_id, episodes, seed):
    """Tables instead of networks, and no torch: linear preferences, a linear value, fitted by least squares."""
    env, rng = gym.make(env_id), np.random.default_rng(seed)
    env.reset(seed=seed)
    theta, w, found = np.zeros((env.observation_space.shape[0], 2)), np.zeros(env.observation_space.shape[0]), []
    while len(found) < episodes:
        gradient, seen, earned = np.zeros_like(theta), [], []
        for _ in range(5):
            observation, steps, over = env.reset()[0], [], False
            while not over:
                pi = np.exp(observation @ theta)
                pi /= pi.sum()
                action = int(rng.random() < pi[1])
                following, reward, terminated, truncated, _ = env.step(action)
                steps.append((observation, np.eye(2)[action] - pi, reward))
                observation, over = following, terminated or truncated
            G = to_go([reward for *_, reward in steps], 1.0)
            for (s, score, _), g in zip(steps, G):
                gradient += (g - s @ w) * np.outer(s, score)
            seen += [s for s, *_ in steps]
            earned += G
            found.append(sum(reward for *_, reward in steps))
        theta = theta + 0.02 * gradient
        w = np.linalg.lstsq(np.array(seen), np.array(earned), rcond=None)[0]
    return found[:episodes]


def interval_by_loop(with_baseline, without, t):
    differences = [float(a) - float(b) for a, b in zip(with_baseline, without)]
    n = len(differences)
    mean = sum(differences) / n
    error = math.sqrt(sum((d - mean) ** 2 for d in differences) / (n - 1) / n)
    return mean - t * error, mean + t * error


def interval_in_torch(with_baseline, without, t):
    d = torch.as_tensor(with_baseline) - torch.as_tensor(without)
    return d.mean() - t * d.std() / len(d) ** 0.5, d.mean() + t * d.std() / len(d) ** 0.5


def interval_by_the_package(with_baseline, without, t):
    return mean_interval(with_baseline - without)


def error_of(x):
    return np.std(x, ddof=1) / math.sqrt(len(x))


def around(middle, width):
    return middle - width, middle + width


def two_intervals(a, b, t):
    first, second = mean_interval(a), mean_interval(b)
    return first[0] - second[0], first[1] - second[1]


def worst_against_best(a, b, t):
    first, second = mean_interval(a), mean_interval(b)
    return first[0] - second[1], first[1] - second[0]


def difference_in_place(a, b, t):
    a -= b
    return mean_interval(a)


def endless(a, b, t):
    while t:
        a.mean()


def one_by_one(w, s, G, m, alpha_w):
    for i in range(len(m)):
        for k in range(int(m[i].sum())):
            w = w + alpha_w * (G[i, k] - s[i, k] @ w) * s[i, k]
    return w


RIGHT = {
    "noise": [
        needed_by_loop,
        needed_in_numpy,
        needed_by_covariance,
        lambda g, c: g.double().var(0).sum() / (c**2 * g.double().mean(0).square().sum()),
    ],
    "not_allowed": ["next state", "Next state", " NEXT STATE "],
    "means": [
        means_by_loop,
        means_in_numpy,
        means_by_matrix,
        lambda b, x, m: [means_by_loop(b, x, m)[0], torch.as_tensor(means_by_loop(b, x, m)[1])],
    ],
    "learn": [learned_by_hand, learned_from_played_steps, learned_by_loop, learned_by_autograd],
    "agent": [agent(), agent(both=True, steps=0, rate=0.1, size=3), agent_in_numpy, agent_with_an_eager_value],
    "interval": [
        interval_by_loop,
        interval_in_torch,
        interval_by_the_package,
        lambda a, b, t: (a - b).mean() + np.array([-t, t]) * error_of(a - b),
        lambda a, b, t: list(around(a.mean() - b.mean(), t * math.sqrt(np.var(a - b) / (len(a) - 1)))),
    ],
}


def learned_on_the_old_one(w, s, G, mask, alpha_w):
    half_square(w.requires_grad_(True), s, G, mask).backward()
    return (w - alpha_w * w.grad).detach()


MISTAKES = {
    "noise": [
        (lambda g, c: ratio(g.var(0).mean(), g, c), "average over the weights\\. V"),
        (lambda g, c: g.var(0).sum() / (c * g.mean(0).norm() ** 2), "accuracy is not squared"),
        (lambda g, c: g.var(0).sum() / (c**2 * g.mean(0).norm()), "mean gradient is not squared"),
        (lambda g, c: ratio(g.var(0).sum().sqrt(), g, c), "standard deviation for V"),
        (lambda g, c: g.var(0).sum().sqrt() / (c * g.mean(0).norm()), "the root of what is asked"),
        (lambda g, c: ratio((g**2).sum(1).mean(), g, c), "mean is not subtracted"),
        (lambda g, c: g.var(0).sum() / (c**2 * (g.norm(dim=1) ** 2).mean()), "length of the mean"),
        (lambda g, c: ratio(g.norm(dim=1).var(), g, c), "variance of the lengths"),
        (lambda g, c: g.var(0).sum() / (c * g.mean(0).norm()), "neither the accuracy nor"),
        (lambda g, c: g.var() / (c * g.mean()) ** 2, "all numbers together"),
        (lambda g, c: (c * g.mean(0).norm()) ** 2 / g.var(0).sum(), "numerator and denominator"),
        (lambda g, c: c**2 * g.var(0).sum() / g.mean(0).norm() ** 2, "you multiply"),
        (lambda g, c: g.var(0).sum() / g.mean(0).norm() ** 2, "accuracy is left out"),
        (lambda g, c: ratio(g.var(0).sum(), g, c) / g.shape[0], "number of episodes that you have"),
        (lambda g, c: ((g.T - g.mean(1)) ** 2).sum(1).mean() / (c**2 * (g.mean(1) ** 2).sum()), "axis 1"),
        (lambda g, c: g.var(1, correction=0).mean() * g.shape[1] / (c * g.mean(1).norm()) ** 2, "axis 1"),
        (lambda g, c: g.var(0) / (c * g.mean(0)) ** 2, "as many numbers"),
        (centred_in_place, "in place"),
        (lambda g, c: g.var(axis=0, ddof=1), "raised a TypeError"),
        (12.0, "must be a function"),
        (lambda g, c: round(float(needed_in_numpy(g, c))), "it is rounded\\."),
        (lambda g, c: math.ceil(needed_in_numpy(g, c)), "rounded up"),
        (lambda g, c: int(needed_in_numpy(g, c)), "cut to a whole"),
        (lambda g, c: needed_in_numpy(g, 0.3), "whatever the accuracy"),
        (lambda g, c: g.var(0).sum() / (c * g.norm(dim=1).mean()) ** 2, "mean length"),
        (lambda g, c: g.var() / (c * g.mean(0).norm()) ** 2, "around one mean"),
        (lambda g, c: ((g - g.mean()) ** 2).sum(1).mean() / (c * g.mean(0).norm()) ** 2, "one mean of all numbers is"),
        (lambda g, c: ((g - g.mean(1)[:, None]) ** 2).sum(1).mean() / (c * g.mean(0).norm()) ** 2, "of each episode"),
        (lambda g, c: g.var(0).sum() / (c * g.mean()) ** 2, "mean of all numbers\\."),
        (lambda g, c: g.var(0).sum() / (c * g.mean(0).sum()) ** 2, "and then squared"),
        (lambda g, c: g.var(0).sum() / (c * g.mean(0).abs().sum()) ** 2, "absolute values"),
        (lambda g, c: g.std(0).sum() / (c * g.mean(0).norm()) ** 2, "for V\\. Add"),
        (lambda g, c: (g.std(0).sum() / (c * g.mean(0).norm())) ** 2, "Square each first"),
        (lambda g, c: needed_in_numpy(g, c) * len(g), "over the episodes, too"),
        (lambda g, c: (g.var(0, correction=0) / (c * g.mean(0)) ** 2).sum(), "own ratio"),
        (lambda g, c: g.var(0).sum() / (c**2 * g.mean(0).square().mean()), "averaged over the weights"),
        (lambda g, c: g.mean(0).norm() / g.var(0, correction=0).sum().sqrt(), "signal-to-noise"),
        (lambda g, c: needed_in_numpy(g, c / 100), "as a percentage"),
        (lambda g, c: g.var(0).sum() / c**2, "is left out. The error"),
    ],
    "not_allowed": [
        ("state", "before the action is drawn"),
        ("time step", "whatever the action is"),
        ("past rewards", "came before the action"),
        ("last action", "held fixed"),
        ("Other episodes", "do not know"),
        ("constant", "simplest of all"),
        ("policy", "before the draw"),
        ("the value", "must be one of"),
    ],
    "means": [
        (lambda b, x, m: means_in_numpy(b, x, m)[::-1], "changed places"),
        (lambda b, x, m: means_in_numpy(b, x, m)[1], "the time mean alone"),
        (lambda b, x, m: means_in_numpy(b, x, m)[0], "the running mean alone"),
        (means(others=lambda x, m: (x * m).sum(0) / m.sum(0) * m), "still in its time mean"),
        (means(others=lambda x, m: m * (x.sum(0, keepdim=True) - x) / m.sum(0)), "not out of the number"),
        (means(others=lambda x, m: m * (x.sum(0) - x) / max(1, x.shape[0] - 1)), "number of the other episodes"),
        (means(others=lambda x, m: m * (x.mean(0) - x / x.shape[0])), "number of episodes, at all"),
        (
            means(others=lambda x, m: m * (x.sum(1) - x.T).T / (m.sum(1)[:, None] - m).clamp(1)),
            "average over the steps of an episode",
        ),
        (means(others=lambda x, m: m * (x.sum(0) - x) / (m.sum(0) - m)), "0 / 0 is NaN"),
        (means(others=lambda x, m: (x.sum(0) - x) / torch.clamp(m.sum(0) - m, 1)), "after its own end"),
        (means(others=lambda x, m: torch.where(m.sum(0) > 1, means_in_numpy(0.0, x, m)[1], x)), "another number"),
        (
            lambda b, x, m: (
                means_in_numpy(b, x, m)[0],
                torch.where(m.sum(0) > 1, torch.tensor(means_in_numpy(b, x, m)[1]), b * m),
            ),
            "another number",
        ),
        (means(others=lambda x, m: x - means_in_numpy(0.0, x, m)[1]), "these are the advantages"),
        (means(others=lambda x, m: m * (x.sum(0) - x)), "not yet divided"),
        (means(lambda b, x, m: x[m > 0].mean()), "forgets all earlier"),
        (means(lambda b, x, m: 0.1 * b + 0.9 * x[m > 0].mean()), "nine tenths"),
        (means(lambda b, x, m: b + x[m > 0].mean() / 10), "without an end"),
        (means(lambda b, x, m: 0.9 * b + 0.1 * x.mean()), "zeros after"),
        (means(lambda b, x, m: 0.9 * b + 0.1 * x[:, 0].mean()), "first steps"),
        (means(lambda b, x, m: 0.9 * b + 0.1 * np.mean([g.sum() / k.sum() for g, k in zip(x, m)])), "short episode"),
        (means(lambda b, x, m: 0.9 * b + 0.1 * x.sum() / len(x)), "added up for each episode"),
        (means(lambda b, x, m: b), "does not move"),
        (others_in_place, "in place"),
        (lambda b, x, m: x.mean(axis=3), "raised an IndexError"),
        (5.0, "must be a function"),
    ],
    "agent": [
        (agent(size=1), "steps after 59 of 59"),
        (without_detach["answer"], "the advantages carry a gradient"),
        (agent(baseline="none"), "where is the value"),
        (agent(baseline="mean"), "where is the value"),
        (agent(rate=0.001, steps=1), "what the third number tells"),
        (agent(columns=True), "one and the same number is subtracted|learns the mean return of the batch"),
        (agent(sign=-1.0), "the returns \\*fall\\*"),
        (agent(means_only=True), "your list has 30 returns"),
        (lambda env_id, episodes, seed: [10.0] * episodes, "no episode was played"),
        (lambda env_id, episodes: [], "raised a TypeError"),
        (7, "must be a function"),
    ],
    "interval": [
        (lambda a, b, t: around((a - b).mean(), t * math.hypot(error_of(a), error_of(b))), "nothing in common"),
        (lambda a, b, t: mean_interval(a - b)[1], "gives one value, but 2 are asked for"),
        (two_intervals, "edge by edge"),
        (worst_against_best, "add the widths"),
        (lambda a, b, t: around((a - b).mean(), t * (a - b).std(ddof=1)), "single runs lie"),
        (lambda a, b, t: around((a - b).mean(), t * (a - b).std(ddof=1) / len(a)), "not by its root"),
        (lambda a, b, t: around((a - b).mean(), t * np.std(a - b, ddof=1) / (len(a) - 1) ** 0.5), "once more"),
        (lambda a, b, t: around(np.mean(a - b), t * np.std(a - b) / len(a) ** 0.5), "np.std divides by n"),
        (lambda a, b, t: around((a - b).mean(), 1.96 * error_of(a - b)), "1.96"),
        (lambda a, b, t: around((a - b).mean(), t * np.var(a - b, ddof=1) / len(a) ** 0.5), "variance for the"),
        (lambda a, b, t: around((a - b).mean(), error_of(a - b)), "one standard error"),
        (lambda a, b, t: mean_interval(b - a), "wrong way round"),
        (lambda a, b, t: mean_interval(a - b)[::-1], "changed places"),
        (lambda a, b, t: mean_interval(a), "with a baseline\\. Subtract"),
        (lambda a, b, t: around(0.0, t * error_of(a - b)), "width to each side"),
        (lambda a, b, t: around(np.median(a - b), t * error_of(a - b)), "the median"),
        (difference_in_place, "in place"),
        (endless, "had not come back"),
        (lambda a, b, t: a - b[:-1], "raised a ValueError"),
        (lambda a, b, t: ((a - b).mean(), t * error_of(a - b)), "and the width"),
        (lambda a, b, t: np.quantile(a - b, [0.025, 0.975]), "where single runs lie. Asked"),
        (lambda a, b, t: around((a - b).mean(), 2.13 * error_of(a - b)), "2.13"),
        (lambda a, b, t: around((a - b).mean(), t * (a - b).std(ddof=1) / 16**0.5), "root of 16"),
        (lambda a, b, t: around((a - b).mean(), t * error_of(a - b) / 2), "half as wide"),
        (lambda a, b, t: around(abs(a - b).mean(), t * error_of(abs(a - b))), "lost their sign"),
        (lambda a, b, t: around((a - b).mean(), t * error_of(a)), "runs with a baseline\\. Take"),
        (lambda a, b, t: around((a - b).mean(), t * error_of(b)), "runs without a baseline"),
        (lambda a, b, t: around((a - b).mean(), t * error_of(np.sort(a) - np.sort(b))), "breaks the pairs"),
        (lambda a, b, t: around((a - b).mean(), t * error_of(a - b) / 2**0.5), "root of 2 n"),
        (lambda a, b, t: around((a / b).mean(), t * error_of(a / b)), "ratio"),
        (lambda a, b, t: (max(0, interval_by_loop(a, b, t)[0]), interval_by_loop(a, b, t)[1]), "below 0"),
        (lambda a, b, t: interval_by_loop(a, b, t)[0], "lower edge alone"),
        (lambda a, b, t: around((a - b).mean(), t), "t itself"),
        (lambda a, b, t: (min(a - b), max(a - b)), "worst and the best"),
    ],
    "learn": [
        (learned_on_the_old_one, "Mark a copy"),
        (learned(half_square, -1.0), "moves away"),
        (learned(lambda w, s, G, mask: (G - s @ w).square().mean() / 2), "after the end of an episode count"),
        (learned(lambda w, s, G, mask: (G - s @ w).square().sum() / 2 / mask.sum()), "differences after the end"),
        (learned(lambda w, s, G, mask: error(w, s, G, mask).square().mean() / 2), "all time steps of the array"),
        (learned(lambda w, s, G, mask: error(w, s, G, mask).square().sum() / 2), "you take the sum"),
        (learned(lambda w, s, G, mask: error(w, s, G, mask).square().sum(1).mean() / 2), "number of episodes"),
        (learned(half_square, 2.0), "twice as long"),
        (learned(half_square, 0.5), "half as long"),
        (forgot_alpha, "left out"),
        (step_alone, "step alone"),
        (gradient_alone, "this is the gradient"),
        (towards_returns, "by the returns"),
        (product_of_means, "multiplied. Multiply first"),
        (same_for_all, "by the same amount"),
        (lambda w, s, G, m, a: w + a * (error(w, s, G, m) * (s @ w)).sum() / m.sum(), "by the same amount"),
        (lambda w, s, G, m, a: w + (learned_by_hand(w, s, G, m, a) - w) / len(w), "over the features, too"),
        (no_step, "has not moved"),
        (moved_in_place, "in place"),
        (learned(lambda w, s, G, m: torch.nn.functional.mse_loss((s @ w) * m, G * m)), "mse_loss knows"),
        (learned(lambda w, s, G, m: (error(w, s, G, m) ** 2).sum()), "sum, and the step"),
        (learned(lambda w, s, G, m: ((G - s @ w) ** 2).mean()), "count, and the step"),
        (learned(lambda w, s, G, m: -2 * half_square(w, s, G, m)), "and twice as far"),
        (learned(lambda w, s, G, m: ((error(w, s, G, m) ** 2).sum(1) / m.sum(1)).mean() / 2), "within each episode"),
        (one_by_one, "in the middle"),
        (lambda w, s, G, m, a: learned_by_hand(learned_by_hand(w, s, G, m, a), s, G, m, a), "two steps"),
        (learned(lambda w, s, G, m: error(w, s, G, m).abs().sum() / m.sum()), "only the signs"),
        (lambda w, s, G, m, a: half_square(w, s, G, m), "this is the loss"),
        (lambda w, s, G, m, a: torch.linalg.lstsq(s[m > 0], G[m > 0][:, None]).solution[:, 0], "all at once"),
        (lambda w, s, G, m, a: w + a * (error(w, s, G, m)[..., None] * s).sum((0, 1)) / s.numel(), "features and all"),
    ],
}
