"""Learners' answers to the exercises of notebook 07."""

import math

import gymnasium
import numpy as np
import torch
from torch import nn

from pglesson.advantages import normalize


def batch_by_loop(returns, mask):
    played = [g for row, lives in zip(returns.tolist(), mask.tolist()) for g, life in zip(row, lives) if life]
    mean = sum(played) / len(played)
    deviation = math.sqrt(sum((g - mean) ** 2 for g in played) / len(played))
    return [
        [(g - mean) / (deviation + 1e-8) if life else 0 for g, life in zip(row, lives)]
        for row, lives in zip(returns.tolist(), mask.tolist())
    ]


def batch_by_index(returns, mask):
    played = returns[mask.bool()]
    weights = torch.zeros_like(returns)
    weights[mask.bool()] = (played - played.mean()) / (played.std(unbiased=False) + 1e-8)
    return weights


def batch_in_numpy(returns, mask):
    g, mask = np.asarray(returns), np.asarray(mask) > 0
    return np.where(mask, (g - g[mask].mean()) / (g[mask].std() + 1e-8), 0.0)


def batch_by_moments(returns, mask):
    n = mask.sum()
    mean = returns.sum() / n
    variance = (mask * (returns - mean).square()).sum() / n
    return (returns - mean) * mask / (variance.sqrt() + 1e-8)


def rows_one_by_one(returns, mask):
    out = torch.zeros_like(returns)
    for i in range(len(returns)):
        g = returns[i][mask[i] > 0]
        out[i, : len(g)] = (g - g.mean()) / (g.std(correction=0) + 1e-8)
    return out


def columns_one_by_one(returns, mask):
    g = np.ma.masked_array(returns.numpy(), mask.numpy() == 0)
    return ((g - g.mean(axis=0)) / (g.std(axis=0) + 1e-8)).filled(0)


def torchs_default(returns, mask):
    g = returns[mask == 1]
    return torch.where(mask == 1, (returns - g.mean()) / (g.std() + 1e-8), 0)


def without_epsilon(returns, mask):
    g = returns[mask == 1]
    return torch.where(mask == 1, (returns - g.mean()) / g.std(correction=0), 0)


def not_masked_at_the_end(returns, mask):
    g = returns[mask == 1]
    return (returns - g.mean()) / (g.std(correction=0) + 1e-8)


def deviation_with_padding(returns, mask):
    centred = returns - returns.sum() / mask.sum()
    centred = centred * mask
    return centred / (centred.pow(2).mean().sqrt() + 1e-8)


def deviation_with_all_places(returns, mask):
    centred = returns - returns.sum() / mask.sum()
    return centred / (centred.std(correction=0) + 1e-8) * mask


def not_divided(returns, mask):
    return torch.where(mask > 0, returns - returns[mask > 0].mean(), torch.zeros_like(returns))


def by_the_variance(returns, mask):
    g = returns[mask > 0]
    return mask * (returns - g.mean()) / (g.var(correction=0) + 1e-8)


def batch_in_place(returns, mask):
    returns -= returns.sum() / mask.sum()
    returns *= mask
    return returns / ((returns**2).sum() / mask.sum()).sqrt().clamp_min(1e-8)


def only_the_played(returns, mask):
    g = returns[mask > 0]
    return (g - g.mean()) / (g.std(correction=0) + 1e-8)


def degrees_by_loop(gradients, exact):
    n, size = gradients.shape
    mean = [sum(float(gradients[i, j]) for i in range(n)) / n for j in range(size)]
    dot = sum(a * b for a, b in zip(mean, exact.tolist()))
    cosine = dot / math.hypot(*mean) / math.hypot(*exact.tolist())
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def degrees_in_numpy(gradients, exact):
    g, e = gradients.numpy().sum(0), exact.numpy()  # a sum points where a mean does
    return np.degrees(np.arccos(np.clip(g @ e / np.linalg.norm(g) / np.linalg.norm(e), -1, 1)))


def degrees_by_tangent(gradients, exact):
    g, unit = gradients.mean(0), exact / exact.norm()
    along = g @ unit
    return torch.atan2((g - along * unit).norm(), along) * 180 / math.pi


def unclamped(gradients, exact):
    g = gradients.mean(0)
    return torch.arccos(torch.dot(g, exact) / (g.norm() * exact.norm())) * 180 / torch.pi


def mean_of_angles(gradients, exact):
    return np.mean([degrees_by_loop(row[None], exact) for row in gradients])


def td_by_loop(rewards, values, gamma):
    errors = []
    for t in range(len(rewards)):
        following = values[t + 1] if t + 1 < len(values) else 0.0
        errors.append(rewards[t] + gamma * following - values[t])
    return torch.stack(errors)


def td_after_roll(rewards, values, gamma):
    following = torch.roll(values, -1)
    following[-1] = 0
    return rewards + gamma * following - values


def td_in_numpy(rewards, values, gamma):
    v = np.append(values.numpy(), 0)
    return rewards.numpy() + gamma * v[1:] - v[:-1]


def td_padded(rewards, values, gamma):
    return rewards + gamma * nn.functional.pad(values, (0, 1))[1:] - values


def td_as_it_was(rewards, values, gamma):
    following = torch.roll(values, -1)
    return rewards + gamma * following - values


def td_last_left_out(rewards, values, gamma):
    return rewards[:-1] + gamma * values[1:] - values[:-1]


def td_last_kept(rewards, values, gamma):
    following = values.roll(-1)
    following[-1] = values[-1]
    return rewards + gamma * following - values


def td_last_zero(rewards, values, gamma):
    errors = rewards + gamma * values.roll(-1) - values
    errors[-1] = 0
    return errors


def td_last_reward(rewards, values, gamma):
    errors = rewards + gamma * values.roll(-1) - values
    errors[-1] = rewards[-1]
    return errors


def td_zero_in_front(rewards, values, gamma):
    return rewards + gamma * nn.functional.pad(values, (1, 0))[:-1] - values


def td_powers(rewards, values, gamma):
    return torch.stack(
        [
            r + gamma ** (t + 1) * (values[t + 1] if t + 1 < len(values) else 0) - values[t]
            for t, r in enumerate(rewards)
        ]
    )


def td_no_gamma(rewards, values, gamma):
    return rewards + nn.functional.pad(values[1:], (0, 1)) - values


def whole_return(rewards, values, gamma):
    G, out = 0.0, []
    for r, v in zip(reversed(rewards.tolist()), reversed(values.tolist())):
        G = r + gamma * G
        out.insert(0, G - v)
    return torch.tensor(out)


def td_in_place(rewards, values, gamma):
    first = values.clone()
    values[0] = 0
    return rewards + gamma * values.roll(-1) - first


def batch_with_exception(returns, mask):
    played = returns[mask > 0]
    return (returns - played.mean()) / (played.std() + 1e-8) * mask if len(played) > 1 else 0 * returns


def deviation_over_the_played(returns, mask):
    mean = returns.sum() / mask.sum()
    return (returns - mean) * mask / (((returns - mean) ** 2).sum() / mask.sum()).sqrt().add(1e-8)


def angle_by(bounded, lengths=lambda m, e: m.norm() * e.norm(), arc=torch.acos):
    def angle(gradients, exact):
        mean = gradients.mean(0)
        return torch.rad2deg(arc(bounded((mean @ exact) / lengths(mean, exact))))

    return angle


def between(cosine):
    return cosine.clamp(-1, 1)


def td_with(following):
    return lambda rewards, values, gamma: rewards + gamma * torch.cat(following(rewards, values)) - values


def agent(*, normalized=True, over="torch", optimizer=torch.optim.SGD, alpha=0.3, sign=-1.0, zero=True, batch=10):
    """REINFORCE by batches without a value, right or with mistakes; over: what computes the advantages."""

    def advantages(G):
        if over == "numpy":
            A = np.array(G.tolist())
            return torch.as_tensor((A - A.mean()) / (A.std() + 1e-8), dtype=torch.float32)
        if over == "by hand":
            mean = sum(G.tolist()) / len(G)
            variance = sum((g - mean) ** 2 for g in G.tolist()) / len(G)
            return torch.tensor([(g - mean) / (variance**0.5 + 1e-8) for g in G.tolist()])
        return G - G.mean() if over == "mean" else (G - G.mean()) / (G.std(correction=0) + 1e-8)

    def train(env_id, episodes, seed):
        torch.manual_seed(seed)
        env = gymnasium.make(env_id)
        env.reset(seed=seed)
        policy = nn.Sequential(nn.Linear(env.observation_space.shape[0], 16), nn.Tanh(), nn.Linear(16, 2))
        steps, returns = optimizer(policy.parameters(), lr=alpha), []
        while len(returns) < episodes:
            log_probs, weights = [], []
            for _ in range(batch):
                observation, over_, rewards = env.reset()[0], False, []
                while not over_:
                    pi = torch.distributions.Categorical(logits=policy(torch.as_tensor(observation)))
                    action = pi.sample()
                    log_probs.append(pi.log_prob(action))
                    observation, reward, terminated, truncated, _ = env.step(action.item())
                    rewards.append(float(reward))
                    over_ = terminated or truncated
                weights += np.cumsum(rewards[::-1])[::-1].tolist()
                returns.append(sum(rewards))
            G = torch.tensor(weights)
            A = advantages(G) if normalized else G
            if zero:
                steps.zero_grad()
            (sign * (torch.stack(log_probs) * A).sum() / batch).backward()
            steps.step()
        return returns

    return train


RIGHT = {
    "per_batch": [
        batch_by_loop,
        batch_by_index,
        batch_in_numpy,
        batch_by_moments,
        lambda returns, mask: normalize(returns[None], mask[None], "batch")[0],
        lambda returns, mask: batch_by_moments(returns.float(), mask),
    ],
    "agent": [agent(), agent(over="numpy"), agent(over="by hand", alpha=1.0)],
    "degrees_apart": [
        angle_by(between),
        degrees_by_loop,
        degrees_in_numpy,
        degrees_by_tangent,
        lambda g, e: torch.rad2deg(nn.functional.cosine_similarity(g.mean(0), e, 0).clamp(-1, 1).arccos()),
        lambda g, e: angle_by(between)(g.float(), e.float()),
    ],
    "one_better": [3, (50 - 48.2) / 0.6, 9**0.5, 1.8 / np.std([48] * 9 + [50]), torch.tensor(3.0)],
    "better_by": [5.5, 10 - (0.5 * 2 + 0.25 * 10 + 0.25 * 4), np.array(5.5), torch.tensor([5.5])],
    "td_errors": [td_by_loop, td_after_roll, td_in_numpy, td_padded],
}
MISTAKES = {
    "per_batch": [
        (lambda r, m: (r - r[r != 0].mean()) / (r[r != 0].std(correction=0) + 1e-8) * (r != 0), "A return may be 0"),
        (
            lambda r, m: (
                (d := (r - ((r * m).sum(1) / m.sum(1)).mean()) * m) / ((d**2).sum() / m.sum()).sqrt().add(1e-8)
            ),
            "episodes' means",
        ),
        (lambda r, m: (d := (r - r.sum() / len(r)) * m) / ((d**2).sum() / len(r)).sqrt().add(1e-8), "of episodes"),
        (batch_with_exception, "is an exception"),
        (lambda returns, mask: torchs_default(returns, mask).nan_to_num(), "is an exception"),
        (deviation_over_the_played, "the mean is right"),
        (lambda g, mask: (g - g.mean()) * mask / (g[mask > 0].std(correction=0) + 1e-8), "the deviation is right"),
        (rows_one_by_one, "each episode is normalized"),
        (lambda returns, mask: normalize(returns[None], mask[None], "episode")[0], "each episode is normalized"),
        (columns_one_by_one, "each time step is normalized"),
        (torchs_default, "divided by n - 1"),
        (without_epsilon, "Add the 1e-8"),
        (not_masked_at_the_end, "the weights are not 0"),
        (lambda returns, mask: (returns - returns.mean()) / (returns.std(correction=0) + 1e-8), "count as returns"),
        (lambda g, mask: mask * (g - g.mean()) / (g.std(correction=0) + 1e-8), "count as returns"),
        (lambda returns, mask: (returns - returns.mean()) / (returns.std() + 1e-8), "two things"),
        (lambda returns, mask: mask * (returns - returns.mean()) / (returns.std() + 1e-8), "two things"),
        (deviation_with_padding, "the mean is right"),
        (deviation_with_all_places, "the mean is right"),
        (not_divided, "the division is missing"),
        (lambda g, mask: g / (g[mask > 0].std(correction=0) + 1e-8), "their mean is still"),
        (by_the_variance, "by the variance"),
        (lambda returns, mask: -batch_by_index(returns, mask), "the sign is wrong"),
        (lambda g, mask: not_divided(g, mask) / (g[mask > 0] ** 2).mean().sqrt(), "mean square"),
        (batch_in_place, "in place"),
        (only_the_played, "in one row|the shape"),
        (lambda returns: returns, "raised a TypeError"),
        ("per_batch", "must be a function"),
    ],
    "agent": [
        (agent(normalized=False), "are not normalized: .*Subtract the mean"),
        (agent(over="mean"), "but not the same standard deviation"),
        (agent(optimizer=torch.optim.Adam, alpha=0.02), "by Adam, which rescales"),
        (agent(sign=1.0), "the returns \\*fall\\*"),
        (agent(zero=False), "never set to zero"),
        (agent(alpha=1e-6), "the learning rate is 1e-06"),
        (lambda env_id, episodes, seed: [0.0] * episodes, "no episode was played"),
        (lambda env_id, seed: [], "raised|TypeError"),
        (7, "must be a function"),
    ],
    "degrees_apart": [
        (
            lambda g, e: (
                180 - torch.rad2deg(torch.arccos((g.mean(0) @ e / (g.mean(0).norm() * e.norm())).clamp(-1, 1)))
            ),
            "half a turn",
        ),
        (lambda g, e: torch.nan_to_num(angle_by(lambda cosine: cosine)(g, e)), "NaN is made 0"),
        (angle_by(lambda cosine: cosine.clamp(0, 1)), "above 90"),
        (angle_by(between, lambda m, e: m.norm() * e.norm() + 1e-8), "lengths must not matter"),
        (lambda g, e: angle_by(between)(g.T, e), "runs over the weights"),
        (angle_by(lambda cosine: cosine.clamp(max=1)), "below 1 only"),
        (angle_by(lambda cosine: cosine.clamp(-0.999, 0.999)), "so narrow"),
        (angle_by(between, lambda m, e: (m @ m) * (e @ e)), "squares of the lengths"),
        (angle_by(between, lambda m, e: e.norm()), "one of the two lengths"),
        (angle_by(between, lambda m, e: m.norm()), "both lengths"),
        (angle_by(between, arc=torch.asin), "arc sine"),
        (lambda g, e: degrees_by_loop(g / g.norm(dim=1, keepdim=True), e), "to length 1"),
        (mean_of_angles, "angles of the single"),
        (
            lambda g, e: np.degrees(
                np.arccos(np.mean([math.cos(math.radians(degrees_by_loop(r[None], e))) for r in g]))
            ),
            "cosines of the single",
        ),
        (lambda g, e: torch.tensor([degrees_by_loop(row[None], e) for row in g]), "an angle of its own"),
        (lambda g, e: math.radians(degrees_by_loop(g, e)), "in radians"),
        (lambda g, e: g.mean(0) @ e / g.mean(0).norm() / e.norm(), "that is the cosine"),
        (angle_by(between, arc=lambda cosine: cosine), "that is the cosine"),
        (unclamped, "slightly above 1"),
        (lambda g, e: min(degrees_by_loop(g, e), 180 - degrees_by_loop(g, e)), "sign of the cosine"),
        (lambda g, e: math.degrees(math.asin(math.sin(math.radians(degrees_by_loop(g, e))))), "an arc sine lose it"),
        (lambda g, e: np.degrees(np.arccos(g.numpy().mean(0) @ e.numpy())), "no cosine"),
        (lambda g, e: torch.rad2deg(torch.acos((g.mean(0) * e).sum().clip(-1, 1))), "does not make it one"),
        (lambda g, e: np.linalg.norm(g.mean(0) - e), "the distance between"),
        (lambda g, e: degrees_by_loop(g[:1], e), "the first estimate only"),
        (lambda g, e: math.radians(math.radians(degrees_by_loop(g, e))), "not by pi / 180"),
        (lambda g, e: degrees_by_loop(g.mean(1, keepdim=True), e), "is right|raised a"),
        (lambda g, e: g.mean(1) @ e, "raised a RuntimeError"),
    ],
    "one_better": [
        (50 - 48.2, "mean is taken away"),
        (1.8 / torch.tensor([48.0] * 9 + [50.0]).std().item(), "n - 1"),
        (2 / 0.6, "mean of all ten"),
        (1.8 / 0.36, "divided by 0.36"),
        (math.sqrt(10), "root of N / k"),
        (1 / 3, "one of the nine"),
        (-0.2 / 0.6, "one of the nine"),
        (-3, "sign is wrong"),
        (np.std([48] * 9 + [50]), "standard deviation. How many"),
        (48.2, "mean of the ten"),
        (50 / 0.6, "the return itself"),
        (2, "nine others"),
        (9, "take the root"),
        (0.9, "success among ten"),
        (7, "First the mean"),
    ],
    "better_by": [
        (2.5, "the part of the second"),
        (10 - 16 / 3, "plain mean of the three"),
        (0, "Q-learning"),
        (8, "likeliest action, or"),
        (-0.5, "third action"),
        (6, "second-best"),
        (-5.5, "sign is wrong"),
        (10, "q itself"),
        (4.5, "that is v"),
        (0.25 * 5.5, "how often"),
        (10 - (0.5 * 2 + 0.25 * 4) / 0.75, "left the second action out"),
        (7, "other two"),
        (0.25 * 10 - 4.5, "in v only"),
        (3, "First compute v"),
    ],
    "td_errors": [
        (
            lambda r, v, gamma: r + gamma * (w := torch.cat([torch.zeros(1), v[1:]])).roll(-1) - w,
            "first value is set to 0",
        ),
        (lambda r, v, gamma: r + gamma * torch.cat([v[1:], torch.zeros(1)]) + v, "own value is added"),
        (td_with(lambda r, v: [v[:1] * 0, v[2:], v[:1]] if len(v) > 1 else [v * 0]), "comes after the end"),
        (td_with(lambda r, v: [v[:1] * 0, v[1:]]), "follows itself"),
        (td_with(lambda r, v: [torch.where(v.roll(-1) == v[0], 0, v.roll(-1))]), "go by its place"),
        (lambda r, v, gamma: td_padded(r, nn.functional.pad(v[:-1], (0, 1)), gamma), "last value is set to 0"),
        (lambda r, v, gamma: td_as_it_was(r, nn.functional.pad(v[:-1], (0, 1)), gamma), "last value is set to 0"),
        (td_with(lambda r, v: [v[1:], r[-1:]]), "stands in for a value"),
        (lambda r, v, gamma: td_padded(r, v, gamma).mean(), "one number is left"),
        (td_as_it_was, "as it was"),
        (td_last_kept, "stands in twice"),
        (td_last_left_out, "last error is missing"),
        (td_last_zero, "last error is set to 0"),
        (td_last_reward, "its reward alone"),
        (td_zero_in_front, "the state before"),
        (lambda r, v, gamma: r + gamma * torch.roll(v, 1) - v, "the state \\*before\\* is used"),
        (td_no_gamma, "gamma is missing"),
        (lambda r, v, gamma: gamma * r + gamma * nn.functional.pad(v[1:], (0, 1)) - v, "at the reward, too"),
        (td_powers, "power of t"),
        (lambda r, v, gamma: v - (r + gamma * nn.functional.pad(v[1:], (0, 1))), "sign is wrong"),
        (lambda r, v, gamma: r + gamma * nn.functional.pad(v[1:], (0, 1)), "is not subtracted"),
        (lambda r, v, gamma: r - v, "cannot wait"),
        (whole_return, "with the whole return"),
        (td_in_place, "in place"),
        (lambda r, v, gamma: r + gamma * v[1:] - v, "raised a RuntimeError"),
    ],
}
