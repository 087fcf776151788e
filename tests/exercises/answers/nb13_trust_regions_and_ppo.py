"""Learners' answers to the exercises of notebook 13."""

import math

import numpy as np
import torch
from plain_agents import in_minibatches, with_pieces_of_episodes, with_two_heads


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


def loss_over(reduce):
    def loss(log_prob, log_prob_before, A, mask, epsilon):
        ratio, A = (log_prob - log_prob_before).exp(), A.detach()
        return -reduce(ppo(ratio, A, epsilon) * mask, mask)

    return loss


def row_by_the_table(baseline, gae_lambda, policy_epochs, clip_ratio):
    if policy_epochs == 10:
        return 6 if clip_ratio == 0.2 else 5
    if baseline == "none":
        return 1
    return {0.95: 4, 0: 3}.get(gae_lambda, 2)


def ppo_agent(**mistake):
    return in_minibatches(**{"epochs": 4, "parts": 2} | mistake)


RIGHT = {
    "agent": [ppo_agent(), ppo_agent(alpha=0.004), with_two_heads(epochs=3, parts=2), with_pieces_of_episodes],
    "clipped": [clipped_by_where, clipped_by_loop, clipped_by_maximum, on_ratio(ppo)],
    "farther": [60, 2.5 / 0.04, 3 / 0.04, 2.2 / 0.045, np.float64(55)],
    "row": [row_by_maximum, row_by_match, row_by_overwriting, chain()],
}
MISTAKES = {
    "agent": [
        (ppo_agent(epochs=1, parts=1), "serves for one step"),
        (ppo_agent(parts=1), "uses the whole batch"),
        (ppo_agent(epochs=1), "is used once"),
        (ppo_agent(shuffled=False), "random order"),
        (ppo_agent(old="each epoch"), "computed anew"),
        (ppo_agent(gain="maximum"), "\\*larger\\* one"),
        (ppo_agent(gain="quotient"), "one log-probability is divided by another"),
        (ppo_agent(gain="log"), "no ratio is computed"),
        (ppo_agent(old="again"), "the ratio is 1 in every step"),
        (ppo_agent(old="attached"), "still carries its gradient"),
        (ppo_agent(gain="difference"), "no ratio is computed"),
        (ppo_agent(gain="sum"), "a product of two probabilities"),
        (ppo_agent(gain="inverted"), "upside down"),
        (ppo_agent(gain="exchanged"), r"\d\d% of the log-probabilities have no weight.*Look at the bounds"),
        (ppo_agent(gain="uneven"), "above 1 it begins from 1.4. on, and below 1 from 0.(80|79|78) on"),
        (ppo_agent(gain="upper"), "below 1 nowhere"),
        (ppo_agent(gain="ratio"), "the ratio is not clipped"),
        (ppo_agent(gain="ratio", alpha=0.004), "the ratio is not clipped"),
        (ppo_agent(gain="bounded"), "no minimum of ratio"),
        (ppo_agent(used=1), "about 50% of them in each pass"),
        (ppo_agent(aligned="play"), "stand in the order of play"),
        (ppo_agent(aligned="actions"), "other actions than those that were played"),
        (ppo_agent(aligned="no"), "not taken alike"),
        (ppo_agent(aligned="whole"), "Take the same part of all"),
        (ppo_agent(detach=False), "still carries its gradient"),
    ],
    "clipped": [
        (loss_over(lambda x, mask: x.sum() / mask.sum()), "steps that were played"),
        (loss_over(lambda x, mask: (x.sum(1) / mask.sum(1)).mean()), "by its length"),
        (loss_of(lambda now, before, A, e: now * A), "without a ratio"),
        (on_ratio(lambda r, A, e: torch.min(r * A, r.clamp(0.8, 1.2) * A)), "whatever it is"),
        (on_ratio(lambda r, A, e: torch.min(r.clamp(1 - e, 1 + e) * A, A)), "before both products"),
        (
            on_ratio(lambda r, A, e: torch.min(r * A, r.log().clamp(-e, e).exp() * A)),
            "logarithm of the ratio is clipped",
        ),
        (on_ratio(lambda r, A, e: torch.min(r * A, r.clamp(min=1 - e) * A)), "only the lower side"),
        (
            on_ratio(lambda r, A, e: torch.min(r * A.detach(), r.clamp(1 - e, 1 + e) * A), detach=False),
            "two products only",
        ),
        (clipped_as_it_was, "as it was"),
        (on_ratio(lambda r, A, e: r.clamp(max=1 + e) * A), "one is fixed. The minimum"),
        (on_ratio(ppo, detach=False), "one is fixed. The derivative"),
        (on_ratio(lambda r, A, e: r.clamp(1 - e, 1 + e) * A), "without the minimum.*back into it.$"),
        (on_ratio(lambda r, A, e: r.clamp(1 - e, 1 + e) * A, detach=False), "without the minimum.*still flows"),
        (on_ratio(lambda r, A, e: torch.max(r * A, r.clamp(1 - e, 1 + e) * A)), "larger of the two products"),
        (on_ratio(lambda r, A, e: r.clamp(min=1 - e) * A), "maximum is taken of the ratios"),
        (on_ratio(lambda r, A, e: A * torch.where(A < 0, r.clamp(max=1 + e), r.clamp(min=1 - e))), "sides are swapped"),
        (on_ratio(lambda r, A, e: torch.min(r, torch.where(A > 0, 1 + e, r)) * A), "only the upper side"),
        (on_ratio(lambda r, A, e: r * A), "nothing is clipped"),
        (on_ratio(lambda r, A, e: torch.min(r * A, (r * A).clamp(1 - e, 1 + e))), "\\*product\\* is clipped"),
        (on_ratio(lambda r, A, e: torch.min(r * A, r.clamp(-e, e) * A)), "around 0"),
        (on_ratio(lambda r, A, e: ppo(r, abs(A), e)), "without its sign"),
        (loss_of(lambda now, before, A, e: ppo((before - now).exp(), A, e)), "numerator and denominator"),
        (loss_of(lambda now, before, A, e: ppo(now / before, A, e), detach=False), "are divided"),
        (loss_of(lambda now, before, A, e: ppo(now - before, A, e)), "exponential of the difference"),
        (loss_of(lambda now, before, A, e: ppo((now - before).exp().detach(), A, e)), "cut off from log_prob"),
        (on_ratio(ppo, sign=1), "sign is wrong"),
        (on_ratio(ppo, masked=False), "mask is missing"),
        (on_ratio(ppo, reduce=torch.mean), "mean over all places"),
        (on_ratio(ppo, reduce=torch.sum), "sum over the episodes. Take"),
        (on_ratio(ppo, reduce=lambda x: x.mean(1).sum()), "mean over the steps"),
        (on_ratio(ppo, reduce=lambda x: x.sum(1)), "loss of its own"),
        (lambda now, before, A, mask, e: on_ratio(ppo)(now, before, A, mask, e).item(), "must give a torch tensor"),
    ],
    "farther": [
        (0.017 / 0.043, "\\*clipped\\* steps"),
        (30, "too few"),
        (120, "too many. Were"),
        (2.6 / 0.017, "without clipping than with it"),
        (0.19 / 0.0015, "end of the training"),
        (100, "less than two powers"),
        (2.6, "in nats, or"),
        (math.log10(60), "powers of ten lie between"),
        (2.0 - 0.05, "or the difference of the two"),
        (0.043, "how far one step goes"),
        (0.043 / 2.6, "the inverse"),
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
        (
            lambda b, lam, steps, eps: row_by_maximum(b, lam, steps if b == "value" and 0 < lam < 1 else 1, eps),
            "first row",
        ),
        (row_by_the_table, "very numbers of the table"),
        (chain(ppo="steps > 1 and eps < inf and lam < 1"), "PPO needs GAE"),
        (chain(ppo="steps > 1 and eps < inf and b == 'value'"), "PPO needs a baseline"),
        (chain(ppo="eps < inf"), "all ratios are 1"),
        (chain(ppo="steps > 1 and eps < 1"), "only infinity is off"),
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
        (lambda *settings: ["REINFORCE", "PPO"][settings[2] > 1], "a text and no number"),
        (row_by_maximum("value", 1.0, 1, 0.2), "must be a function"),
    ],
}
