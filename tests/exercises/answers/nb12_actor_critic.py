"""Learners' answers to the exercises of notebook 12."""

import math

import gymnasium as gym
import numpy as np
import torch
from plain_agents import GAMMA, LAM, gae, in_a_loop, in_minibatches, of_the_first, sums_to_go, twice, with_two_heads
from torch.nn import functional


def one_on(x):
    return functional.pad(x, (0, 1))[..., 1:]


def to_go(x, gamma):
    return torch.stack([sum(gamma**k * x[..., t + k] for k in range(x.shape[-1] - t)) for t in range(x.shape[-1])], -1)


def td(episodes, v, v_next, gamma):
    return torch.where(episodes.mask > 0, episodes.rewards + gamma * v_next - v, 0.0)


def two_by_loop(episodes, v, v_next, gamma):
    out = torch.zeros_like(v)
    for run in range(v.shape[0]):
        for episode in range(v.shape[1]):
            length = int(episodes.mask[run, episode].sum())
            r, now, then = episodes.rewards[run, episode], v[run, episode], v_next[run, episode]
            for t in range(length):
                if t + 1 < length:
                    forecast = r[t] + gamma * r[t + 1] + gamma**2 * then[t + 1]
                else:
                    forecast = r[t] + gamma * then[t]
                out[run, episode, t] = forecast - now[t]
    return out


def two_in_numpy(episodes, v, v_next, gamma):
    r, mask = episodes.rewards.numpy().astype(float), episodes.mask.numpy()
    delta = (r + gamma * v_next.numpy() - v.numpy()) * mask
    shifted = np.pad(delta, ((0, 0), (0, 0), (0, 1)))[:, :, 1:]
    return delta + gamma * shifted


def two_by_where(episodes, v, v_next, gamma):
    pad = torch.nn.functional.pad
    r2, ahead2, alive2 = (pad(x, (0, 1))[..., 1:] for x in (episodes.rewards, v_next, episodes.mask))
    two = episodes.rewards + gamma * r2 + gamma**2 * ahead2 - v
    return torch.where(alive2 > 0, two, episodes.rewards + gamma * v_next - v) * episodes.mask


def shifted_one(x):
    out = x.clone()
    out[..., :-1] = x[..., 1:]
    out[..., -1] = 0
    return out


def two_forgets_the_end(episodes, v, v_next, gamma):
    delta = episodes.rewards + gamma * v_next - v
    delta[..., :-1] = delta[..., :-1] + gamma * delta[..., 1:].clone()
    return delta


def two_masks_last(episodes, v, v_next, gamma):
    delta = episodes.rewards + gamma * v_next - v
    return episodes.mask * (delta + gamma * shifted_one(delta))


def two_as_written(episodes, v, v_next, gamma):
    r = episodes.rewards
    return (r + gamma * shifted_one(r) + gamma * gamma * shifted_one(v_next) - v) * episodes.mask


def two_as_written_unmasked(episodes, v, v_next, gamma):
    r = episodes.rewards
    return r + gamma * shifted_one(r) + gamma * gamma * shifted_one(v_next) - v


def two_with_gamma_once(episodes, v, v_next, gamma):
    r = episodes.rewards
    return (r + gamma * (shifted_one(r) + shifted_one(v_next)) - v) * episodes.mask


def two_masks_the_second(episodes, v, v_next, gamma):
    delta = episodes.rewards + gamma * v_next - v
    return delta + gamma * shifted_one(delta * episodes.mask)


def two_looks_up_v(episodes, v, v_next, gamma):
    delta = (episodes.rewards + gamma * shifted_one(v * episodes.mask) - v) * episodes.mask
    return delta + gamma * shifted_one(delta)


def two_rolls(episodes, v, v_next, gamma):
    delta = td(episodes, v, v_next, gamma)
    return delta + gamma * torch.roll(delta, -1, dims=2)


def two_looks_back(episodes, v, v_next, gamma):
    out = td(episodes, v, v_next, gamma)
    out[..., 1:] += gamma * td(episodes, v, v_next, gamma)[..., :-1]
    return out


def two_other_axis(episodes, v, v_next, gamma):
    out = td(episodes, v, v_next, gamma)
    out[:, :-1] += gamma * td(episodes, v, v_next, gamma)[:, 1:]
    return out


def two_to_the_end(episodes, v, v_next, gamma):
    out = td(episodes, v, v_next, gamma)
    for t in reversed(range(out.shape[-1] - 1)):
        out[..., t] += gamma * out[..., t + 1]
    return out


def two_without_the_middle(episodes, v, v_next, gamma):
    later = (episodes.rewards + gamma * v_next) * episodes.mask
    return td(episodes, v, v_next, gamma) + gamma * shifted_one(later)


def two_in_place(episodes, v, v_next, gamma):
    v_next *= gamma
    v_next += episodes.rewards - v
    return v_next


def two_spoils_the_episodes(episodes, v, v_next, gamma):
    episodes.rewards += gamma * v_next
    return episodes.rewards - v


def scaled(factor, also=0.0):
    def two(episodes, v, v_next, gamma):
        delta = td(episodes, v, v_next, gamma)
        return factor(gamma) * (delta + gamma * shifted_one(delta)) + also * v * episodes.mask

    return two


def second(factor):
    def two(episodes, v, v_next, gamma):
        delta = td(episodes, v, v_next, gamma)
        return delta + factor(gamma) * shifted_one(delta)

    return two


def error_by_loop(gradients, exact, episodes):
    errors = []
    for cloud in gradients:
        mean = sum(cloud) / len(cloud)
        variance = sum(((g - mean) ** 2).sum() for g in cloud) / (len(cloud) - 1)
        errors.append(((mean - exact) ** 2).sum() + variance / episodes)
    return torch.stack(errors)


def error_in_numpy(gradients, exact, episodes):
    g, e = gradients.numpy(), exact.numpy()
    return np.sum((g.mean(axis=1) - e) ** 2, axis=-1) + g.var(axis=1, ddof=1).sum(axis=-1) / episodes


def error_by_covariance(gradients, exact, episodes):
    traces = torch.stack([torch.atleast_2d(torch.cov(cloud.T)).trace() for cloud in gradients])
    off = gradients.mean(dim=1) - exact
    return torch.einsum("lw,lw->l", off, off) + traces / episodes


def error_in_float32(gradients, exact, episodes):
    g = gradients.float()
    return torch.dist(g.mean(1), exact.float()) * 0 + ((g.mean(1) - exact.float()) ** 2 + g.var(1) / episodes).sum(1)


def parts(gradients, exact):
    mean = gradients.mean(dim=1)
    return torch.linalg.vector_norm(mean - exact, dim=1), torch.std(gradients, dim=1)


def combine(function):
    return lambda gradients, exact, episodes: function(*parts(gradients, exact), episodes)


def shifted(x):
    return functional.pad(x[..., 1:], (0, 1))


def two_with(first=lambda gamma: 1, reward=lambda gamma: gamma, critic=lambda gamma: gamma**2, shift=shifted):
    """The formula for all steps but an episode's last, which gets its TD error."""

    def weights(episodes, v, v_next, gamma):
        rewards, one = episodes.rewards, episodes.rewards + gamma * v_next - v
        two = first(gamma) * rewards + reward(gamma) * shifted(rewards) + critic(gamma) * shift(v_next) - v
        return torch.where(shifted(episodes.mask) == 1, two, one) * episodes.mask

    return weights


def two_padded(episodes, v, v_next, gamma):
    delta = (episodes.rewards + gamma * v_next - v) * episodes.mask
    return delta + gamma * shifted(delta)


def two_rolls_through_all(episodes, v, v_next, gamma):
    delta = (episodes.rewards + gamma * v_next - v) * episodes.mask
    return delta + gamma * torch.roll(delta, -1)


def two_up_to_the_last_column(episodes, v, v_next, gamma):
    out = episodes.rewards + gamma * v_next - v
    two = episodes.rewards[..., :-1] + gamma * episodes.rewards[..., 1:] + gamma**2 * v_next[..., 1:]
    out[..., :-1] = two - v[..., :-1]
    return out * episodes.mask


def few_alone(env_id, episodes, seed):
    if episodes < 300:
        raise ValueError(f"{episodes} are too few")
    return in_minibatches()(env_id, episodes, seed)


def returns_alone(env_id, episodes, seed):
    """REINFORCE, which asks no critic."""
    torch.manual_seed(seed)
    env = gym.make(env_id)
    policy = torch.nn.Linear(env.observation_space.shape[0], int(env.action_space.n))
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.05)
    returns = []
    for number in range(episodes):
        observation, _ = env.reset(seed=seed if number == 0 else None)
        log_probs, rewards, over = [], [], False
        while not over:
            pi = torch.distributions.Categorical(logits=policy(torch.as_tensor(observation)))
            action = pi.sample()
            log_probs.append(pi.log_prob(action))
            observation, reward, terminated, truncated, _ = env.step(action.item())
            rewards.append(reward)
            over = terminated or truncated
        to_go = torch.tensor(rewards).flip(0).cumsum(0).flip(0)
        optimizer.zero_grad()
        (-(torch.stack(log_probs) * to_go).sum()).backward()
        optimizer.step()
        returns.append(sum(rewards))
    return returns


RIGHT = {
    "agent": [in_minibatches(), with_two_heads(), in_minibatches(seeded=False)],
    "tilt": [-2.25, 0.9 * 0.5 * -1 - 0.9 * 2, np.float32(-2.25), torch.tensor(-2.25)],
    "two_steps": [two_padded, two_with(), two_by_loop, two_in_numpy, two_by_where],
    "error": [error_by_loop, error_in_numpy, error_by_covariance, error_in_float32],
}
MISTAKES = {
    "agent": [
        (in_minibatches(sign=1.0), "the sign is wrong"),
        (in_minibatches(sign=1.0, entropy=0.1), "the sign is wrong"),
        (in_minibatches(gain="over A"), "divided by its advantage"),
        (in_minibatches(gain="positive"), r"\d\d% of the log-probabilities have no weight"),
        (in_minibatches(entropy=-0.1), "entropy is \\*subtracted"),
        (in_minibatches(first=True), "critic is not asked about what was seen"),
        (in_minibatches(judged=lambda rewards, v: sums_to_go(rewards, GAMMA)), "what the rewards alone give"),
        (in_minibatches(judged=lambda rewards, v: rewards), "the reward of its own step alone"),
        (in_minibatches(judged=lambda rewards, v: gae(rewards, v, 0.0)), "the TD error of its own step alone"),
        (in_minibatches(judged=lambda rewards, v: gae(rewards, v, GAMMA / LAM)), "with a factor of 1.04"),
        (in_minibatches(judged=lambda rewards, v: gae(rewards, -v)), r"add up r -0.99 \* v_next \+1.00 \* v"),
        (
            in_minibatches(judged=lambda rewards, v: sums_to_go(rewards - v[:-1], GAMMA * LAM)),
            r"add up r [+-]0.00 \* v_next -1.00 \* v",
        ),
        (in_minibatches(judged=lambda rewards, v: gae(rewards, v) + v[:-1]), "by what the value is to learn, A \\+ v"),
        (in_minibatches(judged=lambda rewards, v: gae(rewards, v, 0.0), across=True), "into the next one"),
        (in_minibatches(judged=twice), "counts twice"),
        (
            in_minibatches(judged=lambda rewards, v: gae(torch.cat([rewards[:-1], rewards[-1:] * (v[-1] != 0)]), v)),
            "last reward is lost",
        ),
        (in_minibatches(judged=lambda rewards, v: gae(rewards, v).flip(0)), "in the opposite order"),
        (in_minibatches(judged=lambda rewards, v: in_a_loop(rewards, v, range(1, 10), -1)), "\\*before\\* its step"),
        (
            in_minibatches(judged=lambda rewards, v: in_a_loop(rewards, v, range(7, -1, -1))),
            "begins one step too early",
        ),
        (in_minibatches(judged=lambda rewards, v: in_a_loop(rewards, v, range(8, 0, -1))), "ends one step too early"),
        (in_minibatches(judged=of_the_first), "first state is subtracted"),
        (in_minibatches(target=lambda A, v: A + v[:1]), "of another state than its own"),
        (in_minibatches(early=True), "already learned from these episodes"),
        (in_minibatches(flat=False), "towards the same number"),
        (in_minibatches(target=lambda A, v: A), "learns the advantages"),
        (in_minibatches(target=lambda A, v: (A - 1) / 3), "learns the advantages"),
        (in_minibatches(target=lambda A, v: (A - 1) / 3 + v), "plus normalized advantages"),
        (in_minibatches(gain="probability"), "probabilities are multiplied by"),
        (in_minibatches(target=lambda A, v: v - A), "the value learns v - A"),
        (in_minibatches(judged=lambda rewards, v: -gae(rewards, v)), "the TD errors have the wrong sign"),
        (in_minibatches(target=lambda A, v: A - v), r"learns A -1.0 \* v"),
        (in_minibatches(ends=False), "after an episode's \\*end\\* changes"),
        (in_minibatches(cut=False), "after an episode that was cut off"),
        (few_alone, "in a shorter training, of 60 episodes, your line.*ValueError: 60"),
        (in_minibatches(timeouts=False), "after a \\*time-out\\* makes no difference"),
        (in_minibatches(detach=False), "advantages carry a gradient"),
        (returns_alone, "no value learns"),
        (in_minibatches(learns=False), "no value learns"),
        (
            lambda env_id, episodes, seed, gamma=0.99, lam=0.95: in_minibatches()(env_id, episodes, seed),
            "lam makes no difference",
        ),
        (lambda env_id, episodes, seed: in_minibatches()(env_id, episodes, seed)[:10], "your list has 10 returns"),
    ],
    "tilt": [
        (-0.6, "with this critic"),
        (3.9, "other way round"),
        (0.9 * -1 - 2, "missing for the hall"),
        (-2.8, "Searching changes too"),
        (3.35, "\\*minus\\*"),
        (0, "start is free"),
        (2.25, "speak for going back"),
        (0.5 * -1 - 2, "gamma is missing: "),
        (0.9 * -1 - 0.9 * 2, "every search land"),
        (-1 - 2, "two things are missing"),
        (-0.45, "search is promised"),
        (1.8, "swap the rooms"),
        (-1.8, "the part of going back"),
        (-0.45 + 1, "search changes by itself"),
        (1.8 + 1, "go(?:ing)? back changes by itself"),
        (-2.25 + 1, "in one of your two only"),
        (-2.25 - 1, "in one of your two only"),
        (0.45 - 1.8, "too \\*low\\*"),
        (1.35, "\\*minus\\*"),
        (0.8231 * 2, "with the exact critic"),
        (0.8231 * 2 - 2.25, "with this critic"),
        (17, "where it lands"),
        ("less", "must be one number"),
    ],
    "two_steps": [
        (
            lambda e, v, ahead, g: (e.rewards + g * one_on(e.rewards) + g**2 * one_on(one_on(v)) - v) * e.mask,
            "two steps on is looked up",
        ),
        (
            lambda e, v, ahead, g: ((d := (e.rewards + g * ahead - v) * e.mask) + g * d.roll(-1, -1)) * e.mask,
            "roll goes round",
        ),
        (lambda e, v, ahead, g: (to_go(e.rewards, g) - v) * e.mask, "never trusted"),
        (
            lambda e, v, ahead, g: (
                (d := (e.rewards + g * ahead - v) * e.mask) + g * one_on(d) + g**2 * one_on(one_on(d))
            ),
            "one too many",
        ),
        (lambda e, v, ahead, gamma: two_padded(e, v, ahead, gamma) * shifted(e.mask), "It has one, too"),
        (two_up_to_the_last_column, "before a \\*time-out\\*"),
        (two_with(critic=lambda gamma: gamma), "its factor is gamma squared"),
        (two_with(shift=lambda v_next: v_next), "asked after one step"),
        (two_with(reward=lambda gamma: 0), "reward is missing"),
        (two_with(reward=lambda gamma: 1), "reward is not discounted"),
        (two_with(lambda gamma: gamma, lambda gamma: gamma**2, lambda gamma: gamma**3), "one gamma too many"),
        (two_rolls_through_all, "without an axis"),
        (lambda e, v, ahead, gamma: two_padded(e, 0 * v, ahead, gamma), "in either of the two"),
        (
            lambda e, v, ahead, g: (e.rewards + g * e.rewards.roll(-1, -1) + g * g * v.roll(-2, -1) - v) * e.mask,
            "goes round",
        ),
        (two_forgets_the_end, "before you shift"),
        (two_masks_last, "before you shift"),
        (two_as_written, "before a \\*time-out\\*"),
        (two_as_written_unmasked, "before a \\*time-out\\*"),
        (two_masks_the_second, "the weights are not 0"),
        (two_looks_up_v, "looked up in `v`"),
        (
            lambda e, v, ahead, g: (
                torch.where(
                    one_on(e.mask) > 0,
                    e.rewards + g * one_on(e.rewards) + g**2 * one_on(one_on(v)) - v,
                    td(e, v, ahead, g),
                )
                * e.mask
            ),
            "two steps on is looked up",
        ),
        (two_rolls, "goes round"),
        (two_looks_back, "step \\*before\\*"),
        (two_other_axis, "next \\*episode\\*"),
        (second(lambda gamma: 1), "not discounted"),
        (second(lambda gamma: gamma * gamma), "discounted twice"),
        (second(lambda gamma: 0), "after one step"),
        (two_to_the_end, "Stop after two"),
        (scaled(lambda gamma: 1, also=1.0), "forecast itself"),
        (scaled(lambda gamma: 0.5), "averaged"),
        (two_without_the_middle, "state in between"),
        (two_with_gamma_once, "its factor is gamma squared"),
        (scaled(lambda gamma: -1), "sign is wrong"),
        (lambda *given: two_by_where(*given)[:, :, :-1], "missing at the end"),
        (two_in_place, "argument `v_next` in place"),
        (two_spoils_the_episodes, "argument `episodes` in place"),
        (lambda episodes, v, v_next: v_next - v, "raised a TypeError"),
    ],
    "error": [
        (
            lambda g, e, n: (g.mean(1) - e).square().sum(-1) + ((g - e) ** 2).sum((1, 2)) / (g.shape[1] - 1) / n,
            "around the exact gradient",
        ),
        (lambda g, e, n: ((g.mean(1) - e) ** 2).sum(1) + g.var(1).sum(1) / len(g[0]), "estimates in the table"),
        (lambda g, e, n: ((g - e) ** 2).sum(2).mean(1), "estimates in the table"),
        (lambda g, e, n: (g.mean(1).norm(dim=1) - e.norm()) ** 2 + g.var(1).sum(1) / n, "lengths are subtracted"),
        (lambda g, e, n: (g - e).norm(dim=2).mean(1) ** 2 + g.var(1).sum(1) / n, "distances of the single estimates"),
        (combine(lambda bias, std, n: bias**2 + (std**2).sum(1) / n**2), "by N twice"),
        (lambda g, e, n: ((g.sum(1) - e) ** 2).sum(1) + g.var(1).sum(1) / n, "estimates are added up"),
        (lambda g, e, n: (((g.mean(1) - e) ** 2).sum(1) + g.var(1).sum(1) / n).sum(), "everything is added up"),
        (lambda g, e, n: (((g.mean(1) - e) ** 2).sum(1) + g.var(1).sum(1) / n).mean(), "or averaged"),
        (lambda g, e, n: ((g.mean(1) - e) ** 2).sum(1) + g.var(2).sum(1) / n, "variance runs over the weights"),
        (lambda g, e, n: ((g.mean(1) - e) ** 2).sum(1) + g.flatten(1).var(1) / n, "at once"),
        (combine(lambda bias, std, n: bias**2), "squared bias alone"),
        (lambda g, e, n: (g.mean(1) - e).norm() ** 2 + g.var(1).sum(1) / n, "one length over all"),
        (combine(lambda bias, std, n: (std**2).sum(1) / n), "squared bias is missing"),
        (combine(lambda bias, std, n: bias**2 + (std**2).sum(1)), "1/N of it"),
        (combine(lambda bias, std, n: (bias**2 + (std**2).sum(1)) / n), "divided by N too. Episodes average"),
        (combine(lambda bias, std, n: bias + (std**2).sum(1) / n), "not squared"),
        (combine(lambda bias, std, n: bias**2 + std.sum(1) / n), "standard deviations are added"),
        (combine(lambda bias, std, n: bias**2 + (std**2).sum(1) / math.sqrt(n)), "root of N"),
        (
            lambda g, e, n: ((g.mean(1) - e) ** 2).sum(1) + g.reshape(-1, g.shape[2]).var(0).sum() / n,
            "all\\* estimates",
        ),
        (lambda g, e, n: (((g.mean(1) - e) ** 2) + g.var(1) / n).mean(1), "squared length is the sum"),
        (combine(lambda bias, std, n: bias**2 + (std**2).mean(1) / n), "the variance is the mean over the weights"),
        (lambda g, e, n: ((g.mean(1) - e) ** 2).mean(-1) + (g.std(1) ** 2).sum(-1) / n, "the squared bias is the mean"),
        (lambda g, e, n: (g.mean(1) - e).sum(1).square() + g.var(1).sum(1) / n, "cancel"),
        (lambda g, e, n: ((g.mean(1) - e) ** 2).sum(1) + g.var(1, unbiased=False).sum(1) / n, "n - 1"),
        (lambda g, e, n: ((g - e) ** 2).sum(2).mean(1) + g.var(1).sum(1) / n, "holds the variance already"),
        (lambda g, e, n: ((g - e) ** 2).sum(2).mean(1) / n, "there the bias gets divided"),
        (combine(lambda bias, std, n: torch.sqrt(bias**2 + (std**2).sum(1) / n)), "this is the root"),
        (lambda g, e, n: (g.mean(1) - e) ** 2 + g.var(1) / n, "number of its own"),
        (lambda g, e, n: ((g.mean(0) - e) ** 2).sum(1) + g.var(0).sum(1) / n, "over the lambdas"),
        (lambda g, e, n: ((g.mean(1) - e).norm(dim=1) ** 2 + g.var(1).sum(1) / n) / e.norm() ** 2, "as in the figure"),
        (lambda gradients, exact: 0, "raised a TypeError"),
    ],
}
