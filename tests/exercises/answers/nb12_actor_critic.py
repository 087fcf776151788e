"""Learners' answers to the exercises of notebook 12."""

import math

import numpy as np
import torch


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


def ppo(ratio, A, epsilon):
    return torch.min(ratio * A, torch.clamp(ratio, 1 - epsilon, 1 + epsilon) * A)


def loss_of(objective, masked=True, detach=True, sign=-1, reduce=lambda x: x.sum(-1).mean(0)):
    def clipped_loss(log_prob, log_prob_before, A, mask, epsilon):
        A = A.detach() if detach else A
        values = objective(log_prob, log_prob_before, A, epsilon)
        return sign * reduce(values * mask if masked else values)

    return clipped_loss


def on_ratio(function, **others):
    return loss_of(lambda now, before, A, epsilon: function(torch.exp(now - before), A, epsilon), **others)


def clipped_by_where(log_prob, log_prob_before, A, mask, epsilon):
    weight = A.detach()
    ratio = torch.exp(log_prob - log_prob_before.detach())
    limited = torch.where(weight > 0, ratio.clamp(max=1 + epsilon), ratio.clamp(min=1 - epsilon))
    return -(limited * weight * mask).sum() / len(mask)


def clipped_by_loop(log_prob, log_prob_before, A, mask, epsilon):
    total = 0.0
    for episode in range(len(mask)):
        for t in range(int(mask[episode].sum())):
            a = A[episode, t].item()
            ratio = (log_prob[episode, t] - log_prob_before[episode, t]).exp()
            outside = (a > 0 and ratio > 1 + epsilon) or (a < 0 and ratio < 1 - epsilon)
            bound = 1 + epsilon if a > 0 else 1 - epsilon
            total = total - (bound * a + 0 * ratio if outside else ratio * a)
    return total / len(mask)


def clipped_by_maximum(log_prob, log_prob_before, A, mask, epsilon):
    with torch.no_grad():
        weight = A * mask
    ratio = log_prob.exp() / log_prob_before.exp()
    return torch.maximum(-ratio * weight, -ratio.clip(1 - epsilon, 1 + epsilon) * weight).sum(1).mean()


def clipped_as_it_was(log_prob, log_prob_before, A, mask, epsilon):
    ratio = (log_prob - log_prob_before).exp()
    ratio = torch.minimum(ratio, ratio.clamp(1 - epsilon, 1 + epsilon))
    return -(ratio * A * mask).sum(1).mean()


def row_by_maximum(baseline, gae_lambda, policy_epochs, clip_ratio):
    value = baseline == "value"
    several = policy_epochs > 1
    return max(
        1,
        2 * value,
        3 * (value and gae_lambda < 1),
        4 * (value and 0 < gae_lambda < 1),
        5 * several,
        6 * (several and not math.isinf(clip_ratio)),
    )


def row_by_match(baseline, gae_lambda, policy_epochs, clip_ratio):
    match (policy_epochs, clip_ratio, baseline, gae_lambda):
        case (1, _, "none", _):
            return 1.0
        case (1, _, _, 1.0):
            return 2.0
        case (1, _, _, 0.0):
            return 3.0
        case (1, _, _, _):
            return 4.0
        case (_, math.inf, _, _):
            return 5.0
    return 6.0


def row_by_overwriting(baseline, gae_lambda, policy_epochs, clip_ratio):
    found = torch.tensor(1)
    if baseline != "none":
        found = torch.tensor(2)
        if gae_lambda != 1:
            found = found + 1
            if gae_lambda != 0:
                found = found + 1
    if policy_epochs != 1:
        found = torch.tensor(5) if clip_ratio == np.inf else torch.tensor(6)
    return found


def chain(ppo="steps > 1 and eps < inf", several="steps > 1", none="b == 'none'", one="lam == 1", zero="lam == 0"):
    """A learner's chain of questions, from the end of the table, one of which may be wrong."""

    def row(b, lam, steps, eps):
        scope = {"b": b, "lam": lam, "steps": steps, "eps": eps, "inf": math.inf}
        for number, question in ((6, ppo), (5, several), (1, none), (2, one), (3, zero)):
            if eval(question, scope):
                return number
        return 4

    return row


def row_from_the_front(b, lam, steps, eps):
    if b == "value":
        if lam == 1:
            return 2
        return 4 if lam > 0 else 3
    if steps > 1:
        return 6 if eps < math.inf else 5
    return 1


def row_counts(b, lam, steps, eps):
    value = b == "value"
    return 1 + sum([value, value and lam < 1, value and 0 < lam < 1, steps > 1, steps > 1 and eps < math.inf])


def row_goes_by_lambda(b, lam, steps, eps):
    if steps > 1:
        return 6 if eps < math.inf else 5
    if lam < 1:
        return 4 if lam else 3
    return 2 if b == "value" else 1


RIGHT = {
    "tilt": [-2.25, 0.9 * 0.5 * -1 - 0.9 * 2, np.float32(-2.25), torch.tensor(-2.25)],
    "two_steps": [two_by_loop, two_in_numpy, two_by_where],
    "error": [error_by_loop, error_in_numpy, error_by_covariance, error_in_float32],
    "clipped": [clipped_by_where, clipped_by_loop, clipped_by_maximum, on_ratio(ppo)],
    "farther": [60, 2.5 / 0.04, 3 / 0.04, 2.2 / 0.045, np.float64(55)],
    "row": [row_by_maximum, row_by_match, row_by_overwriting, chain()],
}
MISTAKES = {
    "tilt": [
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
        (two_forgets_the_end, "before you shift"),
        (two_masks_last, "before you shift"),
        (two_as_written, "before a \\*time-out\\*"),
        (two_as_written_unmasked, "before a \\*time-out\\*"),
        (two_masks_the_second, "the weights are not 0"),
        (two_looks_up_v, "looked up in `v`"),
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
        (scaled(lambda gamma: -1), "sign is turned"),
        (lambda *given: two_by_where(*given)[:, :, :-1], "missing at the end"),
        (two_in_place, "argument number 3 in place"),
        (two_spoils_the_episodes, "argument number 1 in place"),
        (lambda episodes, v, v_next: v_next - v, "raised a TypeError"),
    ],
    "error": [
        (combine(lambda bias, std, n: bias**2), "squared bias alone"),
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
    "clipped": [
        (clipped_as_it_was, "as it was"),
        (on_ratio(lambda r, A, e: r.clamp(max=1 + e) * A), "one is fixed. The minimum"),
        (on_ratio(ppo, detach=False), "one is fixed. The derivative"),
        (on_ratio(lambda r, A, e: r.clamp(1 - e, 1 + e) * A), "without the minimum.*pull back.$"),
        (on_ratio(lambda r, A, e: r.clamp(1 - e, 1 + e) * A, detach=False), "without the minimum.*still flows"),
        (on_ratio(lambda r, A, e: torch.max(r * A, r.clamp(1 - e, 1 + e) * A)), "larger of the two products"),
        (on_ratio(lambda r, A, e: r.clamp(min=1 - e) * A), "maximum is taken of the ratios"),
        (on_ratio(lambda r, A, e: A * torch.where(A < 0, r.clamp(max=1 + e), r.clamp(min=1 - e))), "sides are swapped"),
        (on_ratio(lambda r, A, e: torch.min(r, torch.where(A > 0, 1 + e, r)) * A), "only the upper side"),
        (on_ratio(lambda r, A, e: r * A), "nothing is clipped"),
        (on_ratio(lambda r, A, e: torch.min(r * A, (r * A).clamp(1 - e, 1 + e))), "\\*product\\* is clipped"),
        (on_ratio(lambda r, A, e: torch.min(r * A, r.clamp(-e, e) * A)), "around 0"),
        (on_ratio(lambda r, A, e: ppo(r, abs(A), e)), "without its sign"),
        (loss_of(lambda now, before, A, e: ppo((before - now).exp(), A, e)), "upside down"),
        (loss_of(lambda now, before, A, e: ppo(now / before, A, e), detach=False), "are divided"),
        (loss_of(lambda now, before, A, e: ppo(now - before, A, e)), "exponential of the difference"),
        (loss_of(lambda now, before, A, e: ppo((now - before).exp().detach(), A, e)), "cut off from log_prob"),
        (on_ratio(ppo, sign=1), "sign is turned"),
        (on_ratio(ppo, masked=False), "mask is missing"),
        (on_ratio(ppo, reduce=torch.mean), "mean over all places"),
        (on_ratio(ppo, reduce=torch.sum), "sum over the episodes. Take"),
        (on_ratio(ppo, reduce=lambda x: x.mean(1).sum()), "mean over the steps"),
        (on_ratio(ppo, reduce=lambda x: x.sum(1)), "loss of its own"),
        (lambda now, before, A, mask, e: on_ratio(ppo)(now, before, A, mask, e).item(), "must give a torch tensor"),
    ],
    "farther": [
        (2.6 / 0.017, "without clipping than with it"),
        (0.19 / 0.0015, "end of the training"),
        (100, "less than two powers"),
        (2.6, "in nats, or"),
        (math.log10(60), "powers of ten lie between"),
        (0.043, "how far one step goes"),
        (0.043 / 2.6, "upside down"),
        (10, "ten times as many steps, yes"),
        (1, "upper panel"),
        (0.43 / 0.021, "the pendulum"),
        (0.43 / 0.015, "the pendulum"),
        (6, "one power of ten is lost"),
        (600, "too many"),
        (300, "left ends"),
        ("far", "must be one number"),
    ],
    "row": [
        (chain(ppo="eps < inf"), "all ratios are 1"),
        (chain(ppo="steps > 1"), "sets no limit"),
        (chain(ppo="False"), "never arrive"),
        (chain(ppo="steps >= 1 and eps < inf", several="steps >= 1"), "counts as several"),
        (chain(one="False"), "lambda 1 is GAE"),
        (chain(zero="False"), "lambda 0 is GAE"),
        (chain(one="lam == 0", zero="lam == 1"), "are swapped"),
        (row_goes_by_lambda, "still go by lambda"),
        (chain(none="b == 'none' or lam == 1", one="False"), "plain REINFORCE"),
        (row_from_the_front, "first row"),
        (lambda *settings: row_by_maximum(*settings) - 1, "from 0"),
        (row_counts, "counts the changes"),
        (lambda *settings: [1, 2, 3, 5, 6, 7][row_by_maximum(*settings) - 1], "the critic bootstraps"),
        (chain(several="False"), "PPO or nothing"),
        (lambda b, lam, steps, eps: 1 if b == "none" else row_by_maximum(b, lam, steps, eps), "there, too"),
        (lambda *settings: ["REINFORCE", "PPO"][settings[2] > 1], "cannot be read as numbers"),
        (row_by_maximum("value", 1.0, 1, 0.2), "must be a function"),
    ],
}
