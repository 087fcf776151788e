"""Learners' answers to the exercises of notebook 06."""

import math

import numpy as np
import torch

from pglesson.analysis import mean_interval


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


def leak_stopped_by_no_grad(log_probs, returns, values):
    with torch.no_grad():
        advantages = returns - values
    return -(log_probs * advantages).sum()


def leak_stopped_by_loop(log_probs, returns, values):
    loss = torch.zeros(())
    for i in range(log_probs.shape[0]):
        for t in range(log_probs.shape[1]):
            loss = loss - log_probs[i, t] * (returns[i, t].item() - values[i, t].item())
    return loss


def leak_stopped_by_numpy(log_probs, returns, values):
    return -(log_probs * torch.tensor(returns.numpy() - values.detach().numpy())).sum()


def nothing_learns(log_probs, returns, values):
    with torch.no_grad():
        return -(log_probs * (returns - values)).sum()


def subtracted_in_place(log_probs, returns, values):
    returns -= values.detach()
    return -(log_probs * returns).sum()


def as_a_number(log_probs, returns, values):
    return -(log_probs * (returns - values)).sum().item()


def policy_loss(log_probs, advantages):
    return (-log_probs * advantages).sum()


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
    "leak": [
        leak_stopped_by_no_grad,
        leak_stopped_by_loop,
        leak_stopped_by_numpy,
        lambda lp, G, v: torch.einsum("nt,nt->", lp, v.detach() - G),
        lambda lp, G, v: -(lp.double() * (G - v.data).double()).sum(),
    ],
    "learn": [learned_by_hand, learned_from_played_steps, learned_by_loop, learned_by_autograd],
    "suits": [226, 904 / 4, torch.tensor(226.0), np.var([60, 64, 0, 4]) / np.var([60, 64]), "904/4"],
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
        (lambda g, c: (c * g.mean(0).norm()) ** 2 / g.var(0).sum(), "upside down"),
        (lambda g, c: c**2 * g.var(0).sum() / g.mean(0).norm() ** 2, "you multiply"),
        (lambda g, c: g.var(0).sum() / g.mean(0).norm() ** 2, "accuracy is left out"),
        (lambda g, c: ratio(g.var(0).sum(), g, c) / g.shape[0], "number of episodes that you have"),
        (lambda g, c: ((g.T - g.mean(1)) ** 2).sum(1).mean() / (c**2 * (g.mean(1) ** 2).sum()), "axis 1"),
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
    "leak": [
        (lambda lp, G, v: policy_loss(lp, G.detach() - v), "still flows into the values"),
        (nothing_learns, "nothing learns"),
        (lambda lp, G, v: policy_loss(lp.detach(), G - v), "cut the wrong one"),
        (lambda lp, G, v: (lp * (G - v.detach())).sum(), "sign is wrong"),
        (lambda lp, G, v: policy_loss(lp, v.detach() - G), "sign is wrong"),
        (lambda lp, G, v: policy_loss(lp, G + v.detach()), "values are added"),
        (lambda lp, G, v: (-lp * (G - v.detach())).mean(), "how many steps there are"),
        (lambda lp, G, v: (-lp * (G - v.detach())).sum(1).mean(), "mean over the episodes"),
        (lambda lp, G, v: policy_loss(lp, G), "baseline is gone"),
        (lambda lp, G, v: policy_loss(lp, G - v.detach()) + ((v - G) ** 2).sum(), "the squared error"),
        (lambda lp, G, v: policy_loss(lp, G - v.detach()) + torch.nn.functional.mse_loss(v, G), "mean squared error"),
        (lambda lp, G, v: policy_loss(lp, (G - v.detach()) ** 2), "advantages are squared"),
        (lambda lp, G, v: policy_loss(lp, abs(G - v.detach())), "lost their sign"),
        (
            lambda lp, G, v: policy_loss(
                lp, (G - v.data - (G - v.data).mean()) / ((G - v.data).std(correction=0) + 1e-8)
            ),
            "you normalize",
        ),
        (lambda lp, G, v: policy_loss(torch.exp(lp), G - v.detach()), "undoes the logarithm"),
        (subtracted_in_place, "in place"),
        (as_a_number, "must give a torch tensor"),
        (lambda lp, G, v: policy_loss(lp, G - v.numpy()), "raised a RuntimeError"),
        (lambda lp, G, v: -(lp * (v - G).detach()).sum(), "sign is wrong"),
        (lambda lp, G, v: -(lp * (G - v.detach().mean())).sum(), "one mean of all values"),
        (lambda lp, G, v: -(lp * (G - v.detach())).sum() + ((G - v) ** 2).mean() / 2, "half of the mean"),
        (lambda lp, G, v: -(lp * (G - v.detach())), "for each step"),
        (lambda lp, G, v: -(lp * (G - v.detach_())).sum(), "out of the graph"),
        (lambda lp, G, v: -(lp * (G - v.requires_grad_(False))).sum(), "out of the graph"),
    ],
    "suits": [
        (math.sqrt(226), "ratio of the sizes"),
        (15, "ratio of"),
        (30**2 / 4, "28 or 32"),
        (224, "wrong sign"),
        (1, "started alike"),
        (4 / 904, "upside down"),
        (904, "Divide by that"),
        (4, "Compare it"),
        (900, "difference of both"),
        ((60**2 + 64**2 + 4**2) / 4 / 4, "compare v\\(s\\) with no baseline"),
        ((60**2 + 64**2 + 4**2) / 4 / 904, "compare the mean return with no"),
        (32**2 / 4, "squared mean return"),
        (904 / 2, "Square it, too"),
        (30, "four distances"),
        (30, "half of the distance"),
        (16, "compared distances"),
        (1928, "no baseline at all"),
        (np.var([60, 64, 0, 4], ddof=1) / 4, "one of the sums"),
        (np.var([60, 64, 0, 4], ddof=1) / 8, "both sums"),
        (113, "not 8"),
        (1 - 1 / 226, "the share"),
        (99.56, "in percent"),
        (1808, "two distances"),
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
        (same_for_all, "by the mean difference"),
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
