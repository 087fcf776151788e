"""Learners' answers to the exercises of notebook 10."""

import math

import numpy as np
import torch
from torch.nn import functional


def plateau_by_loop(rates, scores, slack):
    means = [sum(row) / len(row) for row in scores.tolist()]
    good = [rate for rate, m in zip(rates.tolist(), means) if max(means) - m <= slack]
    return (min(good) * max(good)) ** 0.5


def plateau_in_logs(rates, scores, slack):
    means = np.mean(scores, axis=-1)
    exponents = np.log10(rates)[means + slack >= np.max(means)]
    return 10 ** ((exponents.min() + exponents.max()) / 2)


def plateau_in_torch(rates, scores, slack):
    rates, means = torch.from_numpy(rates), torch.from_numpy(scores).mean(dim=1)
    on_it = rates[means >= means.max() - slack].sort().values
    return (on_it[0] * on_it[-1]).sqrt()


def the_best(rates, scores, slack):
    return rates[np.argmax(np.average(scores, axis=1))]


def good_rates(rates, scores, slack):
    means = scores.mean(axis=1)
    return [r for r, m in zip(rates, means) if m >= max(means) - slack]


def over_agents_by(reduce):
    def middle(rates, scores, slack):
        good = [r for r, row in zip(rates, scores) if reduce(row) >= max(map(reduce, scores)) - slack]
        return math.sqrt(min(good) * max(good))

    return middle


def share_of_the_best(rates, scores, slack):
    means = scores.mean(1)
    good = rates[means >= 0.9 * means.max()]
    return np.sqrt(good.min() * good.max())


def over_the_rates(rates, scores, slack):
    means = scores.mean(0)
    good = rates[means >= means.max() - slack]
    return np.sqrt(good.min() * good.max())


def clip_by_loop(gradients, longest):
    rows = []
    for row in gradients:
        size = math.sqrt(sum(x * x for x in row.tolist()))
        rows.append(row * (longest / size) if size > longest else row)
    return torch.stack(rows)


def clip_in_numpy(gradients, longest):
    g = gradients.numpy().astype(np.float64)
    size = np.sqrt((g**2).sum(axis=1))[:, None]
    return g / np.maximum(1, size / longest)


def clip_like_torch(gradients, longest):
    factor = longest / (gradients.norm(2, -1) + 1e-9)
    return gradients * factor.clamp(max=1.0).unsqueeze(1)


def clip_in_place(gradients, longest):
    for row in gradients:
        if row.norm() > longest:
            row *= longest / row.norm()
    return gradients


def every_row_to_full_length(gradients, longest):
    return torch.stack([row / row.norm() * longest for row in gradients])


def whole_table(gradients, longest):
    size = torch.sqrt((gradients**2).sum())
    return gradients * min(1.0, longest / size.item())


def along_the_runs(gradients, longest):
    size = torch.sqrt((gradients**2).sum(0))
    return gradients * torch.clamp(longest / (size + 1e-12), max=1)


def to_length_one(gradients, longest):
    return torch.stack([row / row.norm() if row.norm() > longest else row for row in gradients])


def by_size(size):
    def clip(gradients, longest):
        return torch.stack([row * longest / size(row) if size(row) > longest else row for row in gradients])

    return clip


def wrong_way_round(gradients, longest):
    return torch.stack([row if row.norm() > longest else row / row.norm() * longest for row in gradients])


def not_a_number(gradients, longest):
    size = gradients.norm(dim=1, keepdim=True)
    return gradients / size * size.clamp(max=longest)


def change_by_loop(before, after):
    total = 0.0
    for b, a in zip(before.double().tolist(), after.double().tolist()):
        log_p = [x - max(b) - math.log(sum(math.exp(y - max(b)) for y in b)) for x in b]
        log_q = [x - max(a) - math.log(sum(math.exp(y - max(a)) for y in a)) for x in a]
        total += sum(math.exp(p) * (p - q) for p, q in zip(log_p, log_q))
    return total / len(before)


def change_in_numpy(before, after):
    def log_softmax(z):
        z = z.numpy().astype(float)
        z = z - z.max(1, keepdims=True)
        return z - np.log(np.exp(z).sum(1, keepdims=True))

    p, q = log_softmax(before), log_softmax(after)
    return np.einsum("sa,sa->s", np.exp(p), p - q).mean()


def change_by_distributions(before, after):
    old, new = torch.distributions.Categorical(logits=before), torch.distributions.Categorical(logits=after)
    return torch.distributions.kl_divergence(old, new).mean()


def change_by_kl_div(before, after):
    return functional.kl_div(after.log_softmax(1), before.log_softmax(1), log_target=True, reduction="batchmean")


def rows(before, after):
    b, a = torch.distributions.Categorical(logits=before), torch.distributions.Categorical(logits=after)
    return torch.distributions.kl_divergence(b, a)


def plateau_of_order(between):
    def middle(rates, scores, slack):
        means = scores.mean(1)
        return between(rates, means, means >= means.max() - slack)

    return middle


def plateau_grown_from_the_best(rates, scores, slack):
    order = np.argsort(rates)
    r, m = rates[order], scores.mean(1)[order]
    low = high = m.argmax()
    while low > 0 and m[low - 1] >= m.max() - slack:
        low -= 1
    while high < len(m) - 1 and m[high + 1] >= m.max() - slack:
        high += 1
    return np.sqrt(r[low] * r[high])


def plateau_of_any_agent(rates, scores, slack):
    good = rates[(scores >= scores.mean(1).max() - slack).any(1)]
    return np.sqrt(good.min() * good.max())


def strictly_above(rates, scores, slack):
    good = rates[scores.mean(1) > scores.mean(1).max() - slack]
    return np.sqrt(good.min() * good.max())


def slack_as_a_share(rates, scores, slack):
    good = rates[scores.mean(1) >= scores.mean(1).max() - slack * abs(scores.mean(1).max())]
    return np.sqrt(good.min() * good.max())


def plateau_by_factor(rates, scores, slack):
    means = scores.mean(1)
    good = rates[means + slack >= means.max()]
    return np.geomspace(good.min(), good.max(), 3)[1]


def clipped_by_one_factor(of_all):
    return lambda g, longest: g * min(1.0, (longest / of_all(g.norm(dim=1))).item())


def all_or_none(g, longest):
    norm = g.norm(dim=1, keepdim=True)
    return g * longest / norm if (norm > longest).any() else g


def clip_nothing(g, longest):
    torch.nn.utils.clip_grad_norm_(g, longest)
    return g


def change_with_a_floor(floor):
    def change(before, after):
        p, q = floor(before.softmax(-1)), floor(after.softmax(-1))
        return (p * (p.log() - q.log())).sum(-1).mean()

    return change


def change_from_logsumexp(before, after):
    p = before.softmax(-1)
    return ((p * (before - after)).sum(-1) - before.logsumexp(-1) + after.logsumexp(-1)).mean()


RIGHT = {
    "plateau": [plateau_by_factor, plateau_by_loop, plateau_in_logs, plateau_in_torch],
    "horizon": [0.995, 199 / 200, torch.tensor(0.995, dtype=torch.float64), np.float64(1 - 1 / 200)],
    "clip": [
        clip_by_loop,
        clip_in_numpy,
        clip_like_torch,
        lambda g, longest: g.renorm(2, 0, longest),
        lambda g, longest: g.double() * (longest / torch.linalg.vector_norm(g.double(), dim=1)).clamp(max=1)[:, None],
    ],
    "change": [change_from_logsumexp, change_by_loop, change_in_numpy, change_by_kl_div],
    "rate": [0.01, 1e-2, 0.001 * math.sqrt(100), torch.tensor(0.01)],
    "broken": [3, 3.0, np.array([0.40, 0.072, 4.7, 0, 0]).argmax() + 1],
}
MISTAKES = {
    "plateau": [
        (
            lambda r, s, slack: (g := np.log10(r[s.mean(1) >= s.mean(1).max() - slack])).min() / 2 + g.max() / 2,
            "logarithm of the middle",
        ),
        (
            lambda r, s, slack: r[
                abs(
                    np.log(r) - np.log(np.sqrt((g := r[s.mean(1) >= s.mean(1).max() - slack]).min() * g.max()))
                ).argmin()
            ],
            "listed rate nearest",
        ),
        (lambda r, s, k: sorted(good_rates(r, s, k))[len(good_rates(r, s, k)) // 2], "how densely"),
        (over_agents_by(sum), "are added up"),
        (plateau_of_order(lambda r, m, ok: np.sqrt(r[ok][0] * r[ok][-1])), "come in any order"),
        (lambda r, s, k: plateau_in_logs(np.sort(r), s, k), "leave their scores"),
        (plateau_grown_from_the_best, "stop at the first poor rate"),
        (over_agents_by(np.median), "median of the agents"),
        (plateau_of_any_agent, "as soon as one of its agents does"),
        (strictly_above, "At most"),
        (slack_as_a_share, "share of the best mean"),
        (lambda r, s, k: np.log(plateau_by_loop(r, s, k)), "Take the exponential"),
        (the_best, "single rate with the highest mean"),
        (lambda r, s, k: (good_rates(r, s, k)[0] + good_rates(r, s, k)[-1]) / 2, "arithmetic middle"),
        (lambda r, s, k: sum(good_rates(r, s, k)) / len(good_rates(r, s, k)), "average the plateau's rates"),
        (lambda r, s, k: np.prod(good_rates(r, s, k)) ** (1 / len(good_rates(r, s, k))), "how densely"),
        (lambda r, s, k: np.median(good_rates(r, s, k)), "how densely"),
        (over_agents_by(max), "best agent of each rate"),
        (over_agents_by(min), "worst agent of each rate"),
        (lambda r, s, k: min(good_rates(r, s, k)), "its lowest rate"),
        (lambda r, s, k: max(good_rates(r, s, k)), "its highest rate"),
        (lambda r, s, k: np.sqrt(min(r) * max(r)), "all the rates that were tried"),
        (lambda r, s, k: max(row.mean() for row in s), "this is a mean return"),
        (lambda r, s, k: min(good_rates(r, s, k)) * max(good_rates(r, s, k)), "square root is missing"),
        (lambda r, s, k: 0.5 * min(good_rates(r, s, k)) * max(good_rates(r, s, k)), "half of a product"),
        (lambda r, s, k: good_rates(r, s, k), "shape|things"),
        (share_of_the_best, "share of the best mean"),
        (over_the_rates, "runs over the rates"),
        (
            lambda r, s, slack: np.sqrt(r[s.mean(1) >= slack].min() * r[s.mean(1) >= slack].max()),
            "^you keep the rates whose mean is above",
        ),
        (lambda r, s, k: np.sqrt((g := r[s.mean(1) >= s.max() - k]).min() * g.max()), "best score of a single agent"),
    ],
    "horizon": [
        (1 - 1 / 201, "201 steps"),
        (1 - 1 / 199, "199 steps"),
        (0.9995, "2000 steps"),
        (1 / (1 - 200), "you put 200 in"),
        (0.998, "200 should come out"),
        (0.99, "from the table"),
        (0.9, "is 10 steps"),
        (0.95, "is 20 steps"),
        (0.999, "1000 steps"),
        (1 / 200, "1 - gamma. A gamma"),
        (0.5 ** (1 / 200), "a half"),
        (np.exp(-1 / 200), "nearly"),
        (1, "has no end"),
        (1 + 1 / 200, "Check the sign"),
        (200, "number of steps"),
        (0.97, "200 should come out"),
    ],
    "clip": [
        (clip_nothing, "comes back as it was"),
        (clipped_by_one_factor(torch.max), "by one factor"),
        (clipped_by_one_factor(torch.mean), "by one factor"),
        (all_or_none, "as soon as one is too long"),
        (lambda g, longest: g * (longest / g.norm(dim=1)).clamp(max=1), "lost their axis"),
        (lambda g, longest: g / g.pow(2).sum().sqrt() * longest, "still that of the whole table"),
        (every_row_to_full_length, "rows that were short enough are made longer"),
        (lambda g, longest: functional.normalize(g, dim=1, eps=1e-6) * longest, "a row of norm 0.2"),
        (whole_table, "One run with a long"),
        (along_the_runs, "runs over the runs"),
        (lambda g, longest: torch.clip(g, min=-longest, max=longest), "each entry is cut off"),
        (to_length_one, "the norm 1"),
        (by_size(lambda row: (row * row).sum()), "square of the norm"),
        (by_size(lambda row: sum(abs(x) for x in row)), "absolute values"),
        (by_size(lambda row: max(abs(x) for x in row)), "largest entry"),
        (wrong_way_round, "wrong way round"),
        (lambda g, longest: g * (g.norm(dim=1, keepdim=True) / longest).clamp(max=1), "^the factor is the wrong way"),
        (lambda g, longest: g * (g.norm(dim=1) <= longest).float()[:, None], "thrown away"),
        (not_a_number, "becomes NaN, since"),
        (clip_in_place, "in place"),
        (lambda g, longest: g.norm(dim=1), "shape"),
        (lambda g, longest: torch.nn.utils.clip_grad_norm_(g, longest), "shape|things|gives"),
    ],
    "change": [
        (lambda b, a: (torch.exp(b) * (b - a)).sum(1).mean(), "taken for log-probabilities"),
        (lambda b, a: functional.kl_div(b.log_softmax(-1), a.softmax(-1)), "kl_div takes"),
        (change_with_a_floor(lambda p: p + 1e-8), "bounds the result"),
        (change_by_distributions, "as also in torch's kl_divergence"),
        (change_with_a_floor(lambda p: p.clamp(min=1e-35)), "keeps inf and NaN away"),
        (lambda b, a: (b.softmax(1) * (b.softmax(1) / a.softmax(1)).log().nan_to_num()).sum(1).mean(), "nan_to_num"),
        (change_with_a_floor(lambda p: p.clamp(min=1e-8)), "bounds the result"),
        (lambda b, a: (rows(b, a) + rows(a, b)).mean() / 2, "both directions"),
        (lambda b, a: (a.softmax(1) - b.softmax(1)).abs().sum(1).mean() / 2, "by their difference"),
        (lambda b, a: rows(b, a).max(), "largest of the states"),
        (
            lambda b, a: ((p := b.log_softmax(1)) * (p - a.log_softmax(1))).sum(1).mean(),
            "the weights are log-probabilities",
        ),
        (lambda b, a: rows(a, b).mean(), "weights are those of the policy after"),
        (lambda b, a: -rows(a, b).mean(), "weights are those of the policy after"),
        (lambda b, a: rows(b, a).sum(), "runs over all states"),
        (
            lambda b, a: functional.kl_div(a.log_softmax(1), b.log_softmax(1), log_target=True),
            "mean runs over the actions too",
        ),
        (lambda b, a: (b.softmax(1) * (a.log_softmax(1) - b.log_softmax(1))).sum(1).mean(), "sign is wrong"),
        (lambda b, a: torch.mean(torch.sum(functional.softmax(b, 1) * (b - a), 1)), "compared as they are"),
        (lambda b, a: functional.cross_entropy(a, b.softmax(1)), "cross-entropy"),
        (
            lambda b, a: (
                torch.distributions.Categorical(logits=b).entropy().mean()
                - torch.distributions.Categorical(logits=a).entropy().mean()
            ),
            "how much the entropy fell",
        ),
        (lambda b, a: (b.log_softmax(1) - a.log_softmax(1)).sum() / len(b), "without weights"),
        (lambda b, a: rows(b.T, a.T).sum() / len(b), "runs over the states"),
        (lambda b, a: rows(b, a).mean() * math.log2(math.e), "base 2"),
        (lambda b, a: (a.softmax(1) - b.softmax(1)).abs().sum(1).mean(), "by their difference"),
        (lambda b, a: ((a.softmax(1) - b.softmax(1)) ** 2).sum(1).mean(), "by their squares"),
        (lambda b, a: (b.softmax(1) * torch.log(b.softmax(1) / a.softmax(1))).sum(1).mean(), "rounded to zero"),
        (rows, "one number for each state"),
        (lambda b, a: b.sub_(a).mean(), "in place"),
    ],
    "rate": [
        (0.1, "by 100 squared"),
        (10, "that is the factor"),
        (100, "by this factor"),
        (0.0001, "shorter step"),
        (0.001 * 100**0.25, "root twice"),
        (0.001 * 1000**0.5, "a thousand times"),
        (0.05, "is not its root"),
        (0.005, "that is wanted"),
        (0.001, "the old alpha"),
        (7, "x \\* x"),
    ],
    "broken": [
        (1, "large, but the run survived"),
        (2, "still undecided"),
        (4, "here you see the damage"),
        (5, "row 5"),
        (6, "row 6"),
        (7, "row 7"),
        (8, "last row"),
        (4.7, "a policy change"),
        (117, "a return"),
        (199, "gradient norm"),
        (0, "count from 1"),
        (9, "not one of the rows"),
    ],
}
