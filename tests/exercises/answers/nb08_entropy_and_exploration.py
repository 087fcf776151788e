"""Learners' answers to the exercises of notebook 08."""

import math

import numpy as np
import torch
from torch import nn

from pglesson.distributions import Categorical
from pglesson.exercises.by_notebook.nb06_variance_and_baselines import AGENT as VALUE_AGENT


def entropy_by_loop(logits):
    found = []
    for row in logits.tolist():
        weights = [math.exp(x - max(row)) for x in row]
        pi = [w / sum(weights) for w in weights]
        found.append(-sum(p * math.log(p) for p in pi if p > 0))
    return found


def entropy_in_numpy(logits):
    z = np.asarray(logits, dtype=float)
    z = z - z.max(1, keepdims=True)
    log_pi = z - np.log(np.exp(z).sum(1, keepdims=True))
    return -np.sum(np.exp(log_pi) * log_pi, axis=1)


def entropy_by_expectation(logits):
    """log of the sum of exponentials, minus the mean logit under the policy."""
    return logits.logsumexp(-1) - (logits.softmax(-1) * logits).sum(-1)


def entropy_from_probabilities(logits):
    p = nn.functional.softmax(logits, dim=1)
    return -torch.sum(p * torch.log(p), dim=1)


def entropy_overflowing(logits):
    p = torch.exp(logits)
    p = p / p.sum(1, keepdim=True)
    return -(p * p.log()).sum(1)


def categorical(logits):
    return torch.distributions.Categorical(logits=logits)


def bonus_by_loop(log_prob, A, entropy, mask, beta):
    loss = 0.0
    for i in range(log_prob.shape[0]):
        for t in range(int(mask[i].sum())):
            loss = loss - log_prob[i, t] * A[i, t] - beta * entropy[i, t]
    return loss / log_prob.shape[0]


def bonus_by_index(log_prob, A, entropy, mask, beta):
    played = mask.bool()
    return -(log_prob * A).sum(1).mean() - beta * entropy[played].sum() / len(played)


def still_adds(log_prob, A, entropy, mask, beta):
    return -(log_prob * A).sum() / len(A) + beta * (entropy * mask).sum() / len(A)


def still_counts_padding(log_prob, A, entropy, mask, beta):
    return -(log_prob * A).sum() / len(A) - beta * entropy.sum(1).mean()


def still_a_mean(log_prob, A, entropy, mask, beta):
    return -(log_prob * A).sum() / len(A) - beta * (entropy * mask).mean()


def mean_of_the_played(log_prob, A, entropy, mask, beta):
    return -(log_prob * A).sum() / len(A) - beta * entropy[mask > 0].mean()


def divided_by_the_played(log_prob, A, entropy, mask, beta):
    return -(log_prob * A + beta * entropy * mask).sum() / mask.sum()


def weight_by_loop(A, mask, fraction):
    played = [a for row, m in zip(A.tolist(), mask.tolist()) for a, alive in zip(row, m) if alive]
    mean = sum(played) / len(played)
    return fraction * math.sqrt(sum((a - mean) ** 2 for a in played) / len(played))


def weight_in_numpy(A, mask, fraction):
    return fraction * np.std(np.asarray(A)[np.asarray(mask) == 1])


def weight_by_masked_sums(A, mask, fraction):
    n = mask.sum()
    mean = (A * mask).sum() / n
    return fraction * (((A - mean) * mask).pow(2).sum() / n).sqrt()


def weight_by_moments(A, mask, fraction):
    """The root of the mean square minus the squared mean."""
    A = A.double()
    n, first, second = mask.sum(), (A * mask).sum(), (A**2 * mask).sum()
    return fraction * torch.sqrt(torch.clamp(second / n - (first / n) ** 2, min=0))


def mean_over_all_places(A, mask, fraction):
    return fraction * torch.sqrt(((A - A.mean()) ** 2).mean())


def sum_of_deviations(A, mask, fraction):
    A = A[mask.bool()]
    return fraction * (A - A.mean()).norm()


def schedule_by_cases(k, start, hold, until):
    if k <= hold:
        return start
    if k >= until:
        return 0.0
    return start - start * (k - hold) / (until - hold)


def falls_at_once(k, start, hold, until):
    if k >= until:
        return 0
    return start - start / until * k


def jumps(k, start, hold, until):
    if k <= hold:
        return start
    if k >= until:
        return 0
    return start * (1 - k / until)


def too_slow(k, start, hold, until):
    if k <= hold:
        return start
    return max(0, start - start * (k - hold) / until)


def negative(k, start, hold, until):
    if k <= hold:
        return start
    return start - start * (k - hold) / (until - hold)


def never_held(k, start, hold, until):
    return max(0, start - start * (k - hold) / (until - hold))


def starts_again(k, start, hold, until):
    if hold < k <= until:
        return start * (until - k) / (until - hold)
    return start


def bonus_as(bonus):
    return lambda lp, A, H, mask, beta: -(lp * A).sum() / len(A) - beta * bonus(H * mask, mask)


def weight_from(mean, squares):
    def weight(A, mask, fraction):
        return fraction * squares((A - mean(A, mask)) ** 2, mask).sqrt()

    return weight


def mean_of_played(A, mask):
    return (A * mask).sum() / mask.sum()


def along_a_bend(share):
    def schedule(k, start, hold, until):
        return start if k <= hold else 0.0 if k >= until else start * share((k - hold) / (until - hold))

    return schedule


LAST_STEPS = "torch.cat([torch.arange(len(e.actions)) == len(e.actions) - 1 for e in batch])"


def agent(bonus, wrong=("", "")):
    """The agent of notebook 06, with a bonus in its loss, and perhaps a mistake."""
    source = VALUE_AGENT.solution.replace("pi.log_prob(actions) * A", f"pi.log_prob(actions) * A + {bonus}")
    defined = {}
    exec(source.replace(*wrong) if wrong[0] else source, defined)
    return defined["train"]


RIGHT = {
    "policy_entropy": [
        entropy_by_loop,
        entropy_in_numpy,
        entropy_by_expectation,
        lambda z: categorical(z.double()).entropy(),
        lambda z: torch.special.entr(z.softmax(-1)).sum(-1),
        lambda z: Categorical(z).entropy(),
    ],
    "loss_with_bonus": [
        bonus_by_loop,
        bonus_by_index,
        lambda lp, A, H, mask, beta: -((lp * A).sum() + beta * torch.einsum("et,et->", H, mask)) / A.shape[0],
        lambda lp, A, H, mask, beta: -(lp.double() * A + beta * torch.where(mask > 0, H, 0.0)).sum(1).mean(0),
    ],
    "first_weight": [
        weight_from(mean_of_played, mean_of_played),
        weight_by_loop,
        weight_in_numpy,
        weight_by_masked_sums,
        weight_by_moments,
        lambda A, mask, fraction: fraction * torch.std(A[mask.bool()], unbiased=False).item(),
    ],
    "agent": [
        agent("2.0 * pi.entropy()"),
        agent("-2.0 * (pi.logits.exp() * pi.logits).sum(-1)", wrong=("zero_grad()", "zero_grad(set_to_none=False)")),
        agent("max(0.5, 3 * 0.99 ** optimizer.state[next(policy.parameters())].get('step', 0)) * pi.entropy()"),
    ],
    "beta_schedule": [
        schedule_by_cases,
        lambda k, start, hold, until: np.interp(k, [hold, until], [start, 0.0]),
        lambda k, start, hold, until: start * np.clip((until - k) / (until - hold), 0, 1),
        lambda k, start, hold, until: (
            torch.tensor(start) * (1 - (k - hold) / (until - hold))
            if hold < k < until
            else torch.tensor(start if k <= hold else 0.0)
        ),
    ],
    "too_much": [2.3, 0.2 + 10 * 0.8**7, np.float64(2.297), torch.tensor(0.8) ** 7 * 10 + 0.2],
}
MISTAKES = {
    "policy_entropy": [
        (lambda z: torch.distributions.Categorical(logits=z).entropy().exp(), "e to the entropy"),
        (lambda z: -z.log_softmax(-1).max(-1).values, "likeliest action"),
        (lambda z: torch.distributions.Categorical(logits=z).entropy().unsqueeze(1), "last axis is still there"),
        (lambda z: -(z.softmax(1) * z.softmax(1).log()).sum(1).nan_to_num(), "takes the other actions along"),
        (lambda z: -(torch.exp(z) * z).sum(1), "taken for log-probabilities"),
        (lambda z: -(z.log_softmax(1) ** 2).sum(1), "weighted by themselves"),
        (lambda z: -((z.softmax(1) + 1e-3) * (z.softmax(1) + 1e-3).log()).sum(1), "so large"),
        (lambda z: -categorical(z).entropy(), "sign is wrong"),
        (lambda z: -(z.softmax(1) * z.log_softmax(1) / math.log(2)).sum(1), "bits"),
        (lambda z: -(torch.log_softmax(z, 0).exp() * torch.log_softmax(z, 0)).sum(1), "the softmax runs"),
        (lambda z: -(z.softmax(1) * z.log_softmax(1)).sum(dim=0), "you sum over the states"),
        (lambda z: categorical(z.T).entropy(), "softmax and sum"),
        (lambda z: categorical(z).entropy().sum(), "added up"),
        (lambda z: categorical(z).entropy().mean(), "are averaged"),
        (lambda z: categorical(z).entropy() / z.shape[1], "mean over the actions"),
        (entropy_from_probabilities, "rounded to zero"),
        (entropy_overflowing, "overflows for large logits"),
        (lambda z: -((p := z - z.exp().sum(1, keepdim=True).log()).exp() * p).sum(1), "^an exponential overflows"),
        (lambda z: torch.distributions.Categorical(z.exp()).entropy(), "^an exponential overflows"),
        (lambda z: -torch.einsum("na,na->n", z.softmax(1), z), "logarithm of the sum is missing"),
        (lambda z: -(z * torch.log(z)).sum(1), "taken for probabilities"),
        (lambda z: -categorical(z).logits.sum(1), "each counting the same"),
        (lambda z: categorical(z).entropy() / math.log(z.shape[1]) if z.shape[1] > 1 else z[:, 0] * math.nan, "log n"),
        (lambda z: -categorical(z).probs * z.log_softmax(1), "are not summed"),
        (lambda z: z.entropy(), "raised a AttributeError"),
        (0.69, "must be a function"),
    ],
    "loss_with_bonus": [
        (lambda p, A, H, m, beta: -(p * A + beta * H * (A != 0)).sum() / len(A), "an advantage of 0"),
        (lambda lp, A, H, mask, beta: bonus_by_loop(lp, A, H, mask, 1.0), "beta is not used"),
        (lambda lp, A, H, mask, beta: -(lp * (A + beta * H * mask)).sum(1).mean(), "inside the first bracket"),
        (bonus_as(lambda H, mask: H.sum(0).mean()), "over the episodes"),
        (bonus_as(lambda H, mask: (H.sum(1) / mask.sum(1)).mean()), "own steps"),
        (lambda lp, A, H, mask, beta: -(lp * A + beta * H * mask).sum(1), "a loss of its own"),
        (still_adds, "one thing left to repair: the sign"),
        (still_counts_padding, "one thing left to repair: the mask"),
        (still_a_mean, "one thing left to repair: the mean"),
        (bonus_as(lambda H, mask: (H * mask).mean() / len(H)), "one thing left to repair: the mean"),
        (mean_of_the_played, "one thing left to repair: the mean"),
        (
            lambda lp, A, H, mask, beta: -(lp * A).sum() / len(A) + beta * H.sum() / len(A),
            "two things left to repair: the sign.*; the mask",
        ),
        (
            lambda lp, A, H, mask, beta: -(lp * A).sum() / len(A) + beta * (H * mask).sum() / mask.sum(),
            "two things left to repair: the sign.*; the mean",
        ),
        (
            lambda lp, A, H, mask, beta: -(lp * A).sum() / len(A) - beta * H.mean(),
            "two things left to repair: the mask.*; the mean",
        ),
        (lambda lp, A, H, mask, beta: -(lp * A).sum() / len(A) + beta * H.mean(), "all three things"),
        (lambda lp, A, H, mask, beta: bonus_by_loop(lp, A, torch.tensor(H.tolist()), mask, beta), "as a constant"),
        (lambda lp, A, H, mask, beta: -(lp * A).sum(1).mean() - beta * H[mask > 0].sum(), "not divided by N"),
        (lambda lp, A, H, mask, beta: -(lp * A + beta * H * mask).mean(), "both terms are means"),
        (lambda lp, A, H, mask, beta: -(lp * A).sum(1).mean() + 0 * H.sum(), "the bonus is gone"),
        (lambda lp, A, H, mask, beta: -((lp + beta * H) * A).sum() / len(A), "weighted by the advantages"),
        (lambda lp, A, H, mask, beta: (lp * A - beta * H * mask).sum(1).mean(), "sign of the first term"),
        (lambda lp, A, H, mask, beta: -beta * (lp * A + H * mask).sum() / len(lp), "multiplies both"),
        (divided_by_the_played, "something else than before"),
        (lambda lp, A, H, mask, beta: bonus_by_loop(lp, A, H, mask, beta).item(), "must give a torch tensor"),
    ],
    "first_weight": [
        (lambda A, mask, fraction: 0.1 * A[mask > 0].std(correction=0), "whatever is given"),
        (lambda A, mask, fraction: fraction * A[A != 0].std(correction=0), "an advantage of 0"),
        (lambda A, mask, fraction: fraction * A[(mask > 0) & (A != 0)].std(correction=0), "an advantage of 0"),
        (lambda A, mask, fraction: np.std(A[mask > 0].numpy()) / fraction, "divide by the fraction"),
        (lambda A, mask, fraction: fraction * (A[mask > 0] - A[mask > 0].mean()).abs().mean(), "mean absolute"),
        (lambda A, mask, fraction: fraction * A[mask].std(correction=0), "mask > 0"),
        (lambda A, mask, fraction: fraction * (max(A[mask > 0]) - min(A[mask > 0])), "of the range"),
        (weight_from(mean_of_played, lambda squares, mask: squares.sum() / mask.sum()), "the squares count"),
        (weight_from(mean_of_played, lambda squares, mask: squares.mean()), "the squares count"),
        (weight_from(lambda A, mask: A.mean(), mean_of_played), "the mean counts"),
        (weight_from(mean_of_played, lambda squares, mask: (squares * mask).mean()), "number of all places"),
        (weight_from(mean_of_played, lambda squares, mask: (squares * mask).sum() / len(mask)), "number of episodes"),
        (lambda A, mask, fraction: fraction * A.std(dim=1), "number of its own"),
        (lambda A, mask, fraction: fraction, "for \\*normalized\\*"),
        (lambda A, mask, fraction: fraction / (A[mask > 0].std(correction=0) + 1e-8), "you divide by the standard"),
        (lambda A, mask, fraction: np.std(A[mask > 0].numpy()), "standard deviation itself"),
        (lambda A, mask, fraction: fraction * A[mask > 0].var(correction=0), "the variance"),
        (mean_over_all_places, "are counted, too"),
        (lambda A, mask, fraction: fraction * torch.std(A * mask, correction=0), "as zeros"),
        (lambda A, mask, fraction: fraction * torch.std(A), "one less than their number"),
        (lambda A, mask, fraction: fraction * np.std(A[mask > 0].numpy(), ddof=1), "torch's default"),
        (lambda A, mask, fraction: fraction * math.sqrt((A[mask > 0] ** 2).mean()), "root of the mean square"),
        (lambda A, mask, fraction: fraction * (A * mask).abs().sum() / mask.sum(), "mean absolute value"),
        (lambda A, mask, fraction: fraction * (A * mask).sum() / mask.sum(), "fraction of the mean"),
        (lambda A, mask, fraction: fraction * (A * mask).abs().max(), "largest advantage"),
        (lambda A, mask, fraction: np.mean([fraction * np.std(a[m > 0].numpy()) for a, m in zip(A, mask)]), "average"),
        (lambda A, mask, fraction: fraction * (A * mask).sum(1).numpy().std(), "episodes' sums"),
        (lambda A, mask, fraction: fraction * mask.mean(), "share of steps played"),
        (lambda A, mask, fraction: A.shape and 0.1, ""),
        (sum_of_deviations, ""),
        (lambda A, mask: A[mask > 0].std(), "raised a TypeError"),
        (0.1, "must be a function"),
    ],
    "agent": [
        (agent("0"), "it holds none"),
        (agent("0.1 * pi.entropy()"), r"it stops early: .*has the weight 0\.1,"),
        (agent("-2.0 * pi.entropy()"), "its sign is wrong"),
        (agent("2.0 * pi.entropy().detach()"), "or one without a gradient"),
        (agent("8.0 * pi.entropy()"), "the agent stays undecided"),
        (agent(f"2.0 * pi.entropy() * {LAST_STEPS}"), "of each episode's last step alone"),
        (agent("2.0 * pi.entropy()", wrong=("gamma=0.99", "gamma=1.98")), r"the discount is 1\.98"),
        (agent("2.0 * pi.entropy()", wrong=("value_optimizer.zero_grad()", "pass")), "never set to zero"),
        (agent("2.0 * pi.entropy()", wrong=("    optimizer.zero_grad()\n    loss", "    loss")), "never set to zero"),
        (agent("2.0 * pi.entropys()"), "AttributeError"),
        (lambda env_id, episodes, seed: [1.0] * episodes, "no episode was played"),
        ("train", "must be a function"),
    ],
    "beta_schedule": [
        (lambda k, s, h, u: s if k <= h else s * (k - h) / (u - h), "beta rises"),
        (lambda k, s, h, u: s if k <= h else 0 if k >= u else s * (k - h) / (u - h), "^beta rises"),
        (lambda k, s, h, u: s if k <= h else 0 if k >= u else s - s * (k - h) / u, "^the way down takes"),
        (lambda k, s, h, u: s if k <= h else 0 if k >= u else s - s * (k - h - 1) / (u - h), "^one update too late"),
        (lambda k, s, h, u: s if k <= h else 0 if k >= u else s * (u - k) // (u - h), "^the result is rounded"),
        (lambda k, s, h, u: s if k <= h else s * 0.99 ** (k - h), "never arrives"),
        (
            lambda k, start, hold, until: start if k <= hold else abs(start * (until - k) / (until - hold)),
            "rises again",
        ),
        (along_a_bend(lambda gone: (1 + math.cos(math.pi * gone)) / 2), "is bent"),
        (along_a_bend(lambda gone: (1 - gone) ** 2), "is bent"),
        (
            lambda k, start, hold, until: schedule_by_cases(k, start, hold, until + 1) if k > hold else start,
            "one more or less",
        ),
        (lambda k, start, hold, until: np.round(schedule_by_cases(k, start, hold, until), 1), "rounded"),
        (negative, "becomes negative"),
        (never_held, "before `hold` beta is larger"),
        (lambda k, start, hold, until: start - (k - hold) * start / (until - hold), "a straight line everywhere"),
        (falls_at_once, "as in the notebook"),
        (jumps, "jumps down"),
        (too_slow, "comes too late"),
        (lambda k, start, hold, until: float(np.interp(k, [hold, until], [0, start])), "it rises"),
        (lambda k, start, hold, until: start * np.clip((until - k) // (until - hold), 0, 1), "right after `hold`"),
        (lambda k, start, hold, until: start * np.clip(1 - (k - hold) // (until - hold), 0, 1), "jump, at `until`"),
        (lambda k, start, hold, until: schedule_by_cases(k + 1, start, hold, until), "too early"),
        (lambda k, start, hold, until: schedule_by_cases(k - 1, start, hold, until), "too late: at"),
        (starts_again, "start again"),
        (lambda k, start, hold, until: 0 if k > hold else start, "right after `hold`"),
        (lambda k, start, hold, until: np.clip((until - k) / (until - hold), 0, 1), "Multiply it by start"),
        (lambda k, start, hold, until: start * max(1, min(0, (until - k) / (until - hold))), "confused"),
        (lambda k, start, hold: start, "raised a TypeError"),
    ],
    "too_much": [
        (0.2 + 10 * 0.8**8, "seven decisions"),
        (10 * 0.8**7 - 0.2, "add it"),
        (10 * 0.2**7, "turning back, seven times"),
        (5.6, "and not added"),
        (10 * 0.8**7, "prize's part"),
        (10 * 0.8**6, "six decisions"),
        (0.2 + 10 * 0.8**6, "the coin is right"),
        (0.8**7, "chance of the prize"),
        (0.8 + 10 * 0.8**7, "not eight"),
        (8, "one decision"),
        (8.2, "one decision"),
        (10, "never turned back"),
        (1, "that is the coin"),
        (1 + 10 * 0.8**7, "taken only by those"),
        (1 + 9 * 0.8**7, "Only the first one"),
        (10 - 2.297, "what it costs"),
        (5, "With which probability"),
    ],
}
