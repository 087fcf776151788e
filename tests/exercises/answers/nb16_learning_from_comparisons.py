"""Learners' answers to the exercises of notebook 16."""

import math

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, logsigmoid, softplus


def by_two_classes(better, worse):
    return cross_entropy(torch.stack([better, worse], 1), torch.zeros(len(better), dtype=torch.long))


def bt_by_loop(better, worse):
    total = 0.0
    for one, other in zip(better, worse):
        total = total + torch.logaddexp(other - one, torch.tensor(0.0))
    return total / len(better)


def best_by_loop(log_ref, learned, right, beta):
    logs = [float(p) + float(r) / beta for p, r in zip(log_ref, learned)]
    top = max(logs)
    weights = [math.exp(x - top) for x in logs]
    return sum(w * float(r) for w, r in zip(weights, right)) / sum(weights)


def best_in_numpy(log_ref, learned, right, beta):
    logs = np.asarray(log_ref, dtype=float) + np.asarray(learned) / beta
    pi = np.exp(logs - np.logaddexp.reduce(logs))
    return float(pi @ np.asarray(right))


def best_as_distribution(log_ref, learned, right, beta):
    return torch.distributions.Categorical(logits=log_ref + learned / beta).probs @ right


def dpo_by_ratios(better, worse, ref_better, ref_worse, beta):
    return softplus(beta * ((worse - better) + (ref_better - ref_worse))).mean()


def dpo_by_bce(better, worse, ref_better, ref_worse, beta):
    logits = beta * (better - worse) - beta * (ref_better - ref_worse)
    return binary_cross_entropy_with_logits(logits, torch.ones_like(logits))


def dpo_by_loop(better, worse, ref_better, ref_worse, beta):
    each = [-logsigmoid(beta * (b - rb - w + rw)) for b, w, rb, rw in zip(better, worse, ref_better, ref_worse)]
    return torch.stack(each).mean()


def trainer(
    loss, steps=300, rate=0.1, start=None, sign=1.0, clear=True, give=lambda logits: logits.log_softmax(0).detach()
):
    """A training with this loss of (log pi, log ref, better, worse, beta)."""

    def train_dpo(log_ref, better, worse, beta):
        logits = (log_ref.clone() if start is None else torch.full_like(log_ref, start)).requires_grad_(True)
        optimizer = torch.optim.Adam([logits], rate)
        for _ in range(steps):
            value = sign * loss(logits.log_softmax(0), log_ref, better, worse, beta)
            if clear:
                optimizer.zero_grad()
            value.backward()
            optimizer.step()
        return give(logits)

    return train_dpo


def plain(log_pi, log_ref, better, worse, beta):
    implied = beta * (log_pi - log_ref)
    return -logsigmoid(implied[better] - implied[worse]).mean()


def rewards_of(better, worse):
    """Those that fit: log pi from a uniform reference, at a price of 1."""
    return trainer(plain)(torch.zeros(8), better, worse, 1.0)


def only_the_better(log_pi, log_ref, better, worse, beta):
    return -log_pi[better].mean()


def in_place(log_ref, better, worse, beta):
    logits, before = log_ref.requires_grad_(True), log_ref.detach().clone()
    optimizer = torch.optim.Adam([logits], 0.1)
    for _ in range(300):
        optimizer.zero_grad()
        plain(logits.log_softmax(0), before, better, worse, beta).backward()
        optimizer.step()
    return logits.detach().log_softmax(0)


def without_reference(log_pi, log_ref, better, worse, beta):
    return -logsigmoid(beta * (log_pi[better] - log_pi[worse])).mean()


def without_beta(log_pi, log_ref, better, worse, beta):
    return plain(log_pi, log_ref, better, worse, 1.0)


def divided(log_pi, log_ref, better, worse, beta):
    return plain(log_pi, log_ref, better, worse, 1 / beta)


def by_minibatches(log_ref, better, worse, beta):
    policy = torch.nn.Parameter(torch.zeros(len(log_ref)))
    optimizer = torch.optim.SGD([policy], 4.0 / beta**2)
    for step in range(1500):
        if step == 1000:
            optimizer.param_groups[0]["lr"] /= 10
        k = torch.randint(len(better), (500,))
        log_pi = (log_ref + policy).log_softmax(0)
        gain = log_pi[better[k]] - log_ref[better[k]] - log_pi[worse[k]] + log_ref[worse[k]]
        optimizer.zero_grad()
        (-(beta * gain).sigmoid().log().mean()).backward()
        optimizer.step()
    return (log_ref + policy).log_softmax(0)


def in_numpy(log_ref, better, worse, beta):
    log_ref, better, worse = (np.asarray(x) for x in (log_ref, better, worse))
    wins = np.zeros((len(log_ref), len(log_ref)))
    np.add.at(wins, (better, worse), 1)
    rewards, games = np.zeros(len(log_ref)), wins + wins.T
    for _ in range(3000):
        expected = games / (1 + np.exp(rewards[None] - rewards[:, None]))
        rewards += 2 * (wins.sum(1) - expected.sum(1)) / games.sum(1)
    logits = log_ref + rewards / beta
    return logits - np.logaddexp.reduce(logits)


def not_written(log_ref, better, worse, beta):
    raise ValueError("wrong table")


def endless(log_ref, better, worse, beta):
    while True:
        pass


RIGHT = {
    "bradley_terry": [
        lambda better, worse: -logsigmoid(better - worse).mean(),
        lambda better, worse: softplus(worse - better).sum() / len(better),
        by_two_classes,
        bt_by_loop,
        lambda better, worse: binary_cross_entropy_with_logits(better - worse, torch.ones_like(better)),
    ],
    "gamed": [
        lambda log_ref, learned, right, beta: (log_ref + learned / beta).softmax(-1) @ right,
        best_by_loop,
        best_in_numpy,
        best_as_distribution,
    ],
    "dpo_loss": [
        lambda b, w, rb, rw, beta: -logsigmoid(beta * ((b - rb) - (w - rw))).mean(),
        dpo_by_ratios,
        dpo_by_bce,
        dpo_by_loop,
    ],
    "train_dpo": [trainer(plain), trainer(plain, start=0.0, steps=400), by_minibatches, in_numpy],
}
MISTAKES = {
    "bradley_terry": [
        (lambda b, w: -logsigmoid(w - b).mean(), "are exchanged"),
        (lambda b, w: logsigmoid(b - w).mean(), "minus is missing"),
        (lambda b, w: -logsigmoid(b - w).sum(), "added up"),
        (lambda b, w: -logsigmoid(b - w), "a loss of its own"),
        (lambda b, w: -torch.sigmoid(b - w).mean(), "logarithm is missing"),
        (lambda b, w: -torch.log(torch.sigmoid(b - w)).mean(), "rounded to zero"),
        (lambda b, w: -torch.log(b.exp() / (b.exp() + w.exp())).mean(), "rounded to zero"),
        (lambda b, w: -logsigmoid((b - w).mean()), "before the logarithm"),
        (lambda b, w: (w - b).mean(), "without the sigmoid"),
        (lambda b, w: torch.relu(1 - b + w).mean(), "hinge"),
        (lambda b, w: (b * 0 + (b <= w).float()).mean(), "no slope"),
        (lambda b, w: -logsigmoid(b).mean() - logsigmoid(-w).mean(), "each answer alone"),
        (lambda b, w: -logsigmoid(b - w).mean().item(), "a float"),
        (lambda b, w: -torch.log(torch.sigmoid(b - w).mean()), "logarithm of the mean probability"),
        (lambda b, w: -logsigmoid(b.unsqueeze(1) - w.unsqueeze(0)).mean(), "every better answer is compared"),
        (lambda b, w: -torch.log(torch.sigmoid(b - w) + 1e-8).mean(), "small number"),
        (lambda b, w: -(torch.log(torch.sigmoid(b)) - torch.log(torch.sigmoid(w))).mean(), "each answer alone"),
        (lambda b, w: -torch.log(b / (b + w)).mean(), "compare their exponentials"),
        (lambda b, w: -(logsigmoid(b - w) + logsigmoid(w - b)).mean(), "from both sides"),
        (lambda b, w: -torch.log2(torch.exp(logsigmoid(b.double() - w))).mean(), "base 2"),
    ],
    "gamed": [
        (lambda p, r, t, beta: (p + r / beta).softmax(0) @ r, "\\*learned\\* reward under"),
        (lambda p, r, t, beta: (p + t / beta).softmax(0) @ t, "nobody is told"),
        (lambda p, r, t, beta: (p + r * beta).softmax(0) @ t, "multiplied by beta"),
        (lambda p, r, t, beta: (p + r).softmax(0) @ t, "beta is missing"),
        (lambda p, r, t, beta: (r / beta).softmax(0) @ t, "reference is missing"),
        (lambda p, r, t, beta: (p.exp() + r / beta).softmax(0) @ t, "Its logarithm belongs"),
        (lambda p, r, t, beta: (p * (r / beta).exp()).softmax(0) @ t, "add it in the exponent"),
        (lambda p, r, t, beta: (p - r / beta).softmax(0) @ t, "sign is wrong"),
        (lambda p, r, t, beta: (p.exp() * t).sum(), "reference itself"),
        (lambda p, r, t, beta: ((p + r / beta).exp() * t).sum(), "divided by their sum"),
        (lambda p, r, t, beta: t[r.argmax()], "highest learned reward alone"),
        (lambda p, r, t, beta: t[(p + r / beta).argmax()], "likeliest answer"),
        (lambda p, r, t, beta: (p + r / beta).softmax(0) * t, "a number of its own"),
        (lambda p, r, t, beta: ((p + r / beta).softmax(0) * t).mean(), "mean is taken over the answers"),
        (lambda p, r, t, beta: ((p + r) / beta).softmax(0) @ t, "divided by beta, too"),
        (lambda p, r, t, beta: ((p + r / beta).softmax(0) * t - p.exp() * t).sum(), "more than the reference"),
        (
            lambda p, r, t, beta: (
                (q := (p + r / beta).softmax(0)) @ t - beta * (q * (q.clamp_min(1e-45).log() - p)).sum()
            ),
            "subtracted once more",
        ),
        (lambda p, r, t, beta: ((w := p.exp() * torch.exp(r / beta)) * t).sum() / w.sum(), "became infinite"),
    ],
    "dpo_loss": [
        (lambda b, w, rb, rw, beta: torch.log1p(torch.exp(-beta * ((b - w) - (rb - rw)))).mean(), "became infinite"),
        (lambda b, w, rb, rw, beta: -(beta * ((b - rb) - (w - rw))).mean(), "without the sigmoid"),
        (lambda b, w, rb, rw, beta: -logsigmoid(beta * (b / rb - w / rw)).mean(), "are divided"),
        (lambda b, w, rb, rw, beta: -logsigmoid(beta * (torch.exp(b - rb) - torch.exp(w - rw))).mean(), "ratio itself"),
        (lambda b, w, rb, rw, beta: -logsigmoid(beta * (b - w) - (rb - rw)).mean(), "a part of the difference"),
        (lambda b, w, rb, rw, beta: -logsigmoid(beta * (b - rb) - (w - rw)).mean(), "a part of the difference"),
        (lambda b, w, rb, rw, beta: -logsigmoid(beta * ((w - rw) - (b - rb))).mean(), "are exchanged"),
        (lambda b, w, rb, rw, beta: logsigmoid(beta * ((b - rb) - (w - rw))).mean(), "minus is missing"),
        (lambda b, w, rb, rw, beta: -logsigmoid(beta * (b - w)).mean(), "reference is missing"),
        (lambda b, w, rb, rw, beta: -logsigmoid(beta * ((b + rb) - (w + rw))).mean(), "wrong sign"),
        (lambda b, w, rb, rw, beta: -logsigmoid(beta * ((b - rw) - (w - rb))).mean(), "wrong sign"),
        (lambda b, w, rb, rw, beta: -logsigmoid(beta * (b - rb - w - rw)).mean(), "wrong sign"),
        (lambda b, w, rb, rw, beta: -logsigmoid(beta * ((rb - b) - (rw - w))).mean(), "or policy and reference"),
        (lambda b, w, rb, rw, beta: -logsigmoid((b - rb) - (w - rw)).mean(), "beta is missing"),
        (lambda b, w, rb, rw, beta: -logsigmoid(((b - rb) - (w - rw)) / beta).mean(), "divided by beta"),
        (lambda b, w, rb, rw, beta: -beta * logsigmoid((b - rb) - (w - rw)).mean(), "outside of the sigmoid"),
        (lambda b, w, rb, rw, beta: -torch.sigmoid(beta * (b - rb - w + rw)).log().mean(), "rounded to zero"),
        (lambda b, w, rb, rw, beta: -torch.sigmoid(beta * (b - rb - w + rw)).mean(), "logarithm is missing"),
        (lambda b, w, rb, rw, beta: -logsigmoid(beta * (b - rb - w + rw)).sum(), "added up"),
        (lambda b, w, rb, rw, beta: -logsigmoid(beta * (b - rb - w + rw)), "a loss of its own"),
        (lambda b, w, rb, rw, beta: -logsigmoid(beta * (b - rb - w + rw).mean()), "before the sigmoid"),
        (
            lambda b, w, rb, rw, beta: -logsigmoid(beta * (b.exp() - rb.exp() - w.exp() + rw.exp())).mean(),
            "turned into probabilities",
        ),
    ],
    "train_dpo": [
        (trainer(plain, steps=0), "nothing has been learned, in 0 calls"),
        (trainer(lambda p, r, b, w, beta: plain(p.exp(), r, b, w, beta)), "into probabilities"),
        (trainer(lambda p, r, b, w, beta: -logsigmoid(beta * ((p - r)[b] + (p - r)[w])).mean()), "are added"),
        (trainer(plain, sign=-1.0, steps=100, rate=0.02), "minus is missing"),
        (trainer(plain, sign=-1.0, steps=1000, rate=1e37), "minus is missing"),
        (trainer(lambda p, r, b, w, beta: plain(p, r, w, b, beta)), "are exchanged"),
        (trainer(without_reference), "reference is missing"),
        (trainer(without_beta), "beta is missing"),
        (trainer(divided), "divided by beta"),
        (trainer(lambda p, r, b, w, beta: plain(p, -r, b, w, beta)), "reference has the wrong sign"),
        (
            trainer(lambda p, r, b, w, beta: -(beta * (p - r)[b] - beta * (p - r)[w]).sigmoid().mean()),
            "logarithm is mis",
        ),
        (lambda r, b, w, beta: (r - rewards_of(b, w) / beta).log_softmax(0), "sign is wrong"),
        (lambda r, b, w, beta: (rewards_of(b, w) / beta).log_softmax(0), "reference has no effect"),
        (lambda r, b, w, beta: (r + rewards_of(b, w)).log_softmax(0), "beta has no effect"),
        (lambda r, b, w, beta: (r + rewards_of(b, w) * beta).log_softmax(0), "wrong way round"),
        (lambda r, b, w, beta: trainer(plain)(r, *torch.stack([b, w]).unique(dim=1), beta), "each pair of answers"),
        (lambda r, b, w, beta: beta * (trainer(plain)(r, b, w, beta) - r), "these are the implied rewards"),
        (lambda r, b, w, beta: trainer(plain, start=0.0)(r.detach(), b, w, beta).backward(), "does not require grad"),
        (trainer(lambda p, r, b, w, beta: without_reference(p, r, b, w, 1.0)), "neither the reference nor beta"),
        (trainer(plain, give=lambda z: z.softmax(0).detach()), "these are probabilities"),
        (trainer(plain, give=lambda z: z.detach() + 3), "If these are logits"),
        (trainer(plain, steps=8), "more steps"),
        (trainer(plain, steps=20, rate=0.005), "more steps"),
        (trainer(plain, steps=300, rate=0.005), "^the loss is right, .* Take more steps"),
        (trainer(only_the_better), "only the better ones"),
        (trainer(plain, clear=False), "never set to zero"),
        (in_place, "changes log_ref"),
        (trainer(plain, give=lambda z: z.log_softmax(0).argmax()), "gives the shape"),
        (trainer(plain, give=lambda z: "done"), "must give a tensor"),
        (trainer(plain, give=lambda z: z.detach() * float("nan")), "not finite"),
        (not_written, "raised a ValueError: wrong table"),
        (torch.zeros(8), "must be a function"),
    ],
}
