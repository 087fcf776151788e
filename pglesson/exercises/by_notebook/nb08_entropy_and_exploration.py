"""Exercises of notebook 08."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import gymnasium
import numpy as np
import torch
from torch import Tensor
from torch.distributions import Categorical

from pglesson.envs import CELLS
from pglesson.exercises.agents import EARLY, LAST, AgentTask, agent_judge
from pglesson.exercises.by_notebook.nb06_variance_and_baselines import AGENT as VALUE_AGENT
from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, Mistake, NumberJudge, judge_function, normal
from pglesson.exercises.traces import Trace
from pglesson.exercises.weights import entropy_weights, growing, wrong_bonus


def _plogp(logits: Tensor) -> Tensor:
    log_pi = logits.log_softmax(-1)
    return log_pi.exp() * log_pi


POLICY_ENTROPY = Exercise(
    name="policy_entropy",
    objective="recognise a policy that has become certain too early",
    starter='''def policy_entropy(logits):
    """Logits (n, actions), one row a state -> the policy's entropy in each of them, in nats, (n,)."""
    ...


answer = policy_entropy''',
    solution='''def policy_entropy(logits):
    """Logits (n, actions), one row a state -> the policy's entropy in each of them, in nats, (n,)."""
    log_pi = torch.log_softmax(logits, -1)
    return -(log_pi.exp() * log_pi).sum(-1)


answer = policy_entropy''',
    hints=(
        "The formula needs pi and log pi, and you have neither: turn the logits into log-probabilities first.",
        "With log_pi = torch.log_softmax(logits, -1), the probabilities are log_pi.exp(). None of it is ever log(0).",
        "Minus the sum of log_pi.exp() * log_pi over the last axis.",
    ),
    why="It is the number by which you see that a policy has made up its mind: log n at the start, near 0 when "
    "hardly any episode can still change it. Watch it beside the return, not after the run.",
    judge=judge_function(
        lambda logits: -_plogp(logits).sum(-1),
        [
            Case("three states with four actions each", (2 * normal(3, 4, seed=0),)),
            Case("as many states as actions", (2 * normal(3, 3, seed=1),)),
            Case("a single state", (normal(1, 5, seed=2),)),
            Case("a single action", (normal(2, 1, seed=3),)),
            Case("equal logits", (torch.zeros(2, 4),)),
            Case("logits near 100", (torch.tensor([[100.0, 99.0, 98.5]]),)),
            Case("a probability that is 0, from logits 1000 apart", (torch.tensor([[1000.0, 0.0], [0.0, 1.0]]),)),
            Case(
                "one action that is never taken beside two that are",
                (torch.tensor([[0.0, 0.0, -1000.0], [1.0, -500.0, 0.0]]),),
            ),
        ],
        [
            Mistake(
                "the sign is wrong. Log-probabilities are negative; the minus in front makes the entropy positive.",
                lambda logits: _plogp(logits).sum(-1),
            ),
            Mistake(
                "these are bits, of the logarithm of base 2. Nats come from the natural one.",
                lambda logits: -_plogp(logits).sum(-1) / np.log(2),
            ),
            Mistake(
                "the softmax runs over the states. Every row is a policy of its own: the actions are the last axis.",
                lambda logits: -(logits.softmax(0) * logits.log_softmax(0)).sum(-1),
            ),
            Mistake(
                "you sum over the states. One entropy a state is asked for: sum over the actions, the last axis.",
                lambda logits: -_plogp(logits).sum(0),
            ),
            Mistake(
                "softmax and sum run over the states. Every row is a policy of its own: the actions are the last axis.",
                lambda logits: -_plogp(logits.T).sum(-1),
            ),
            Mistake(
                "the entropies of all states are added up. Each state keeps its own: sum over the last axis only.",
                lambda logits: -_plogp(logits).sum(),
            ),
            Mistake(
                "the entropies of the states are averaged. Each state keeps its own: one number a row is asked for.",
                lambda logits: -_plogp(logits).sum(-1).mean(),
            ),
            Mistake(
                "a mean over the actions, where the formula has a sum: the probabilities are the weights already.",
                lambda logits: -_plogp(logits).mean(-1),
            ),
            Mistake(
                "0 * log(0) is NaN: a probability was rounded to zero before the logarithm was taken. Take the "
                "logarithm of the softmax inside, with log_softmax.",
                lambda logits: -(logits.softmax(-1) * logits.softmax(-1).log()).sum(-1),
            ),
            Mistake(
                "an exponential overflows for large logits. Work with log_softmax, which does not.",
                lambda logits: -((pi := logits.exp() / logits.exp().sum(-1, keepdim=True)) * pi.log()).sum(-1),
                lambda logits: -((log_pi := logits - logits.exp().sum(-1, keepdim=True).log()).exp() * log_pi).sum(-1),
                lambda logits: Categorical(probs=logits.exp()).entropy(),
            ),
            Mistake(
                "the logits stand where the log-probabilities belong: the logarithm of the sum is missing.",
                lambda logits: -(logits.softmax(-1) * logits).sum(-1),
            ),
            Mistake(
                "the logits are taken for probabilities. They are any numbers: make them probabilities by a softmax.",
                lambda logits: -(logits * logits.log()).sum(-1),
            ),
            Mistake(
                "the log-probabilities are added up, each counting the same. Weight each by its probability.",
                lambda logits: -logits.log_softmax(-1).sum(-1),
            ),
            Mistake(
                "you divided by log n, the largest entropy there can be. The entropy itself is asked for, in nats.",
                lambda logits: -_plogp(logits).sum(-1) / np.log(logits.shape[-1]),
            ),
            Mistake(
                "the products are not summed: each action has one of its own. Sum over the last axis.",
                lambda logits: -_plogp(logits),
            ),
            Mistake(
                "NaN is made 0 after the sum, and takes the other actions along. Leave it out for the one action, or "
                "take log_softmax, where there is none.",
                lambda logits: -(logits.softmax(-1) * logits.softmax(-1).log()).sum(-1).nan_to_num(),
            ),
            Mistake(
                "the log-probabilities are weighted by themselves. Weight each by its probability, log_pi.exp().",
                lambda logits: -logits.log_softmax(-1).square().sum(-1),
            ),
            Mistake(
                "the logits are taken for log-probabilities. They do not add up to 1 before a softmax: use "
                "log_softmax.",
                lambda logits: -(logits.exp() * logits).sum(-1),
            ),
            Mistake(
                "what is added to the probabilities is so large that it changes the entropy. log_softmax needs no "
                "such number.",
                lambda logits: -((logits.softmax(-1) + 1e-3) * (logits.softmax(-1) + 1e-3).log()).sum(-1),
            ),
            Mistake(
                "this is e to the entropy, how many equally likely actions would be as undecided. Give the entropy.",
                lambda logits: (-_plogp(logits).sum(-1)).exp(),
            ),
            Mistake(
                "this is minus the log-probability of the likeliest action. The entropy is the mean over all of them.",
                lambda logits: -logits.log_softmax(-1).amax(-1),
            ),
            Mistake(
                "the last axis is still there, with one entry. One number a row is asked for.",
                lambda logits: -_plogp(logits).sum(-1, keepdim=True),
            ),
        ],
    ),
)

_LOSS = '''def loss_with_bonus(log_prob, A, entropy, mask, beta):
    """log_prob, A, entropy, mask: (episodes, steps) each, and beta, a number -> the loss, one number."""
    N = len(A)
    '''
_PARTS = (
    "the sign of the bonus: the optimizer lowers the loss, and the entropy is to rise",
    "the mask: the entropy goes on after an episode's end, and one of the arguments knows where that is",
    "the mean: the log-probabilities are summed over time and divided by N, and the bonus must be, too",
)


def _loss(
    log_prob: Tensor, A: Tensor, entropy: Tensor, mask: Tensor, beta: float, right: tuple[bool, bool, bool], by: str
) -> Tensor:
    sign, masked, total = right
    bonus = entropy * mask if masked else entropy
    means = {"all": A.numel(), "played": float(mask.sum()), "twice": A.numel() * len(A)}
    number = len(A) if total else means[by]
    return -(log_prob * A).sum() / len(A) + (-beta if sign else beta) * bonus.sum() / number


def _still_wrong(right: tuple[bool, bool, bool], by: str) -> Mistake:
    left = [words for words, good in zip(_PARTS, right) if not good]
    return Mistake(
        f"{('one thing', 'two things', 'all three things')[len(left) - 1]} left to repair: {'; '.join(left)}.",
        lambda log_prob, A, entropy, mask, beta: _loss(log_prob, A, entropy, mask, beta, right, by),
    )


def _update(*lengths: int, seed: int, beta: float) -> tuple[Tensor, Tensor, Tensor, Tensor, float]:
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).float()
    log_prob, A, entropy = normal(3, *mask.shape, seed=seed)
    return -log_prob.abs(), A * mask, 0.2 + entropy.abs(), mask, beta


LOSS_WITH_BONUS = Exercise(
    name="loss_with_bonus",
    objective="add an entropy bonus to the loss",
    starter=_LOSS
    + """return -(log_prob * A).sum() / N + beta * entropy.mean()


answer = ...  # loss_with_bonus, once you have repaired its second term""",
    solution=_LOSS
    + """return -(log_prob * A).sum() / N - beta * (entropy * mask).sum() / N


answer = loss_with_bonus""",
    hints=(
        "Compare the second term with the formula of this section, piece by piece. There are three pieces.",
        "Which way does the optimizer go? Which argument is not used at all? What do sum and mean differ by?",
        "Minus; entropy * mask; a sum, divided by N.",
    ),
    why="None of the three would have raised an error. The sign makes agents certain faster, without the mask you "
    "count decisions that nobody took, and the mean makes the right beta depend on how long the episodes are.",
    judge=judge_function(
        lambda log_prob, A, entropy, mask, beta: (
            -(log_prob * A).sum() / len(A) - beta * (entropy * mask).sum() / len(A)
        ),
        [
            Case("two episodes of three steps each", _update(3, 3, seed=4, beta=0.1)),
            Case("episodes of 6, 2, 4 and 1 steps", _update(6, 2, 4, 1, seed=5, beta=0.5)),
            Case("a single episode", _update(5, seed=6, beta=1.0)),
            Case("episodes of one step each", _update(1, 1, 1, seed=7, beta=0.3)),
            Case("episodes of 2 and 7 steps", _update(2, 7, seed=8, beta=2.0)),
            Case("beta 0", _update(3, 2, seed=9, beta=0.0)),
            Case(
                "advantages of 0",
                (torch.tensor([[-1.0, -0.5]]), torch.zeros(1, 2), torch.ones(1, 2), torch.ones(1, 2), 0.5),
            ),
        ],
        [
            *(
                _still_wrong((sign, mask, total), by)
                for sign, mask, total in product((True, False), repeat=3)
                for by in (("all",) if total else ("all", "played", "twice"))
                if not (sign and mask and total)
            ),
            Mistake(
                "the entropy enters as a constant: the value is right, and its derivative is lost, so that the bonus "
                "moves nothing. No detach and no new tensor.",
                lambda log_prob, A, entropy, mask, beta: _loss(
                    log_prob, A, entropy.detach(), mask, beta, (True,) * 3, "all"
                ),
            ),
            Mistake(
                "the bonus is not divided by N, the number of episodes.",
                lambda log_prob, A, entropy, mask, beta: -(log_prob * A).sum() / len(A) - beta * (entropy * mask).sum(),
            ),
            Mistake(
                "both terms are means over all places. Sum over time and divide by the number of episodes, or the "
                "steps of long episodes count for less.",
                lambda log_prob, A, entropy, mask, beta: -(log_prob * A).mean() - beta * (entropy * mask).mean(),
            ),
            Mistake(
                "the bonus is gone. Repair it instead of taking it away.",
                lambda log_prob, A, entropy, mask, beta: -(log_prob * A).sum() / len(A),
            ),
            Mistake(
                "the bonus is weighted by the advantages. It rewards being undecided, whatever came of it.",
                lambda log_prob, A, entropy, mask, beta: (
                    -(log_prob * A).sum() / len(A) - beta * (entropy * A).sum() / len(A)
                ),
            ),
            Mistake(
                "the sign of the first term was changed. It was right: the log-probabilities of good actions rise.",
                lambda log_prob, A, entropy, mask, beta: (
                    (log_prob * A).sum() / len(A) - beta * (entropy * mask).sum() / len(A)
                ),
            ),
            Mistake(
                "beta multiplies both terms. It is the weight of the bonus alone.",
                lambda log_prob, A, entropy, mask, beta: (
                    -beta * ((log_prob * A).sum() + (entropy * mask).sum()) / len(A)
                ),
            ),
            Mistake(
                "the first term is divided by something else than before. It was right: N is the number of episodes.",
                lambda log_prob, A, entropy, mask, beta: (
                    -((log_prob * A).sum() + beta * (entropy * mask).sum()) / mask.sum()
                ),
            ),
            Mistake(
                "beta is not used. It is the weight of the bonus.",
                lambda log_prob, A, entropy, mask, beta: (
                    -(log_prob * A).sum() / len(A) - (entropy * mask).sum() / len(A)
                ),
            ),
            Mistake(
                "the bonus stands inside the first bracket, and is multiplied by the log-probability. It is a term of "
                "its own.",
                lambda log_prob, A, entropy, mask, beta: -(log_prob * (A + beta * entropy * mask)).sum() / len(A),
            ),
            Mistake(
                "the bonus is summed over the episodes and averaged over the time steps. It is the other way round: "
                "axis 1 is time.",
                lambda log_prob, A, entropy, mask, beta: (
                    -(log_prob * A).sum() / len(A) - beta * (entropy * mask).sum(0).mean()
                ),
            ),
            Mistake(
                "the bonus is a mean over each episode's own steps. The log-probabilities are summed over time, and "
                "the bonus must be, too.",
                lambda log_prob, A, entropy, mask, beta: (
                    -(log_prob * A).sum() / len(A) - beta * ((entropy * mask).sum(1) / mask.sum(1)).mean()
                ),
            ),
            Mistake(
                "every episode has a loss of its own. Take their mean: one number is asked for.",
                lambda log_prob, A, entropy, mask, beta: -(log_prob * A).sum(1) - beta * (entropy * mask).sum(1),
            ),
            Mistake(
                "you take an advantage of 0 for the end of an episode. mask says which steps were played.",
                lambda log_prob, A, entropy, mask, beta: (
                    -(log_prob * A).sum() / len(A) - beta * (entropy * (A != 0)).sum() / len(A)
                ),
            ),
        ],
        gradients=(0, 2),
    ),
)


def _spread(A: Tensor, mask: Tensor) -> Tensor:
    """The standard deviation of what was played, divided by n: numbers only, whatever stands after an episode's end."""
    return A[mask > 0].std(correction=0)


def _batch(*lengths: int, seed: int, size: float, shift: float = 0.0, after: float = 0.0) -> tuple[Tensor, Tensor]:
    """Advantages and mask (episodes, steps): about `size` large, `shift` on average, and `after` once an episode is
    over."""
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).double()
    A = shift + size * normal(*mask.shape, seed=seed).double()
    return torch.where(mask > 0, A, after), mask


_COUNTED = "Only steps where the mask is 1 were played."
_UNMASKED_SQUARES = f"the mean is right, but the squares count places after an episode's end. {_COUNTED}"

FIRST_WEIGHT = Exercise(
    name="first_weight",
    objective="choose a first weight in the right unit",
    starter='''def first_weight(A, mask, fraction):
    """A and mask (episodes, steps), and a fraction such as 0.1 -> the entropy weight, one number."""
    ...


answer = first_weight''',
    solution='''def first_weight(A, mask, fraction):
    """A and mask (episodes, steps), and a fraction such as 0.1 -> the entropy weight, one number."""
    return fraction * A[mask > 0].std(correction=0)


answer = first_weight''',
    hints=(
        "The weight has the unit of A. So first find one number that says how large the advantages of this batch are.",
        "A[mask > 0] are the advantages of all steps played, in one row. Their standard deviation divides by how many "
        "they are: torch's std does so with correction=0.",
        "fraction * A[mask > 0].std(correction=0).",
    ),
    why="A recommended weight such as 0.01 says nothing until its unit is known. With this one, doubling all rewards "
    "doubles the weight, and the policy stays the same. Measure again when the returns have grown.",
    judge=judge_function(
        lambda A, mask, fraction: fraction * _spread(A, mask),
        [
            Case("two episodes of three steps each", (*_batch(3, 3, seed=11, size=2.0), 0.1)),
            Case("episodes of 6, 2, 4 and 1 steps", (*_batch(6, 2, 4, 1, seed=12, size=9.0), 0.01)),
            Case("advantages whose mean is not 0", (*_batch(4, 3, 5, seed=13, size=1.0, shift=5.0), 0.5)),
            Case("a single episode", (*_batch(5, seed=14, size=30.0), 0.05)),
            Case(
                "numbers other than 0 after the end of an episode",
                (*_batch(2, 7, 3, seed=15, size=3.0, after=4.0), 0.1),
            ),
            Case("a single step", (*_batch(1, seed=16, size=1.0), 0.1)),
            Case("advantages near 1000", (*_batch(3, 1, 2, seed=17, size=1000.0), 0.1)),
            Case("fraction 2", (*_batch(2, 2, 1, seed=18, size=0.3), 2.0)),
            Case(
                "a step whose advantage is 0",
                (*torch.tensor([[[3.0, 0.0], [-1.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]]]).double(), 0.1),
            ),
        ],
        [
            Mistake(
                "the fraction alone is the weight for *normalized* advantages. Here they are not: give it their unit.",
                lambda A, mask, fraction: fraction,
            ),
            Mistake(
                "you divide by the standard deviation. Larger advantages need a larger weight to be balanced.",
                lambda A, mask, fraction: fraction / _spread(A, mask),
            ),
            Mistake(
                "that is the standard deviation itself. The fraction of it is asked for.",
                lambda A, mask, fraction: _spread(A, mask),
            ),
            Mistake(
                "you use the variance. Its unit is that of A squared; take the root.",
                lambda A, mask, fraction: fraction * _spread(A, mask) ** 2,
            ),
            Mistake(
                "places after an episode's end are counted, too. Only steps where the mask is 1 were played.",
                lambda A, mask, fraction: fraction * A.std(correction=0),
            ),
            Mistake(
                "places after an episode's end are counted, too, as zeros. Only steps where the mask is 1 were played.",
                lambda A, mask, fraction: fraction * (A * mask).std(correction=0),
            ),
            Mistake(
                "places after an episode's end are counted, too, and you divide by one less than their number. Only "
                "steps where the mask is 1 were played: divide by how many they are.",
                lambda A, mask, fraction: fraction * A.std(),
            ),
            Mistake(
                "you divide by one less than the number of steps, torch's default. Normalization divides by the number "
                "itself, so that a single step gives 0 and not NaN.",
                lambda A, mask, fraction: fraction * A[mask > 0].std(),
            ),
            Mistake(
                "the mean is not subtracted: that is the root of the mean square. Normalization takes the mean away, "
                "so a constant in all advantages must not change the weight.",
                lambda A, mask, fraction: fraction * A[mask > 0].square().mean().sqrt(),
            ),
            Mistake(
                "the mean absolute value is another measure of size. Normalization divides by the standard deviation.",
                lambda A, mask, fraction: fraction * A[mask > 0].abs().mean(),
                lambda A, mask, fraction: fraction * (A[mask > 0] - A[mask > 0].mean()).abs().mean(),
            ),
            Mistake(
                "that is a fraction of the mean, which may be 0 however large the advantages are.",
                lambda A, mask, fraction: fraction * A[mask > 0].mean(),
            ),
            Mistake(
                "that is a fraction of the largest advantage. One rare episode would decide it: take the standard "
                "deviation.",
                lambda A, mask, fraction: fraction * A[mask > 0].abs().max(),
            ),
            Mistake(
                "each episode has a standard deviation of its own here, and you average them. Normalization per batch "
                "takes all steps of the batch together.",
                lambda A, mask, fraction: (
                    fraction * torch.stack([row[m > 0].std(correction=0) for row, m in zip(A, mask)]).mean()
                ),
            ),
            Mistake(
                "you take the standard deviation of the episodes' sums. The loss weights single steps: take all steps.",
                lambda A, mask, fraction: fraction * (A * mask).sum(1).std(correction=0),
            ),
            Mistake(
                "that is the share of steps played. The size of the advantages is not in it.",
                lambda A, mask, fraction: fraction * mask.mean(),
            ),
            Mistake(
                _UNMASKED_SQUARES,
                lambda A, mask, fraction: fraction * ((A - A[mask > 0].mean()).square().sum() / mask.sum()).sqrt(),
                lambda A, mask, fraction: (
                    fraction * ((A * mask - A[mask > 0].mean()).square().sum() / mask.sum()).sqrt()
                ),
                lambda A, mask, fraction: fraction * (A - A[mask > 0].mean()).square().mean().sqrt(),
            ),
            Mistake(
                "the mean counts places after an episode's end. Only steps where the mask is 1 were played.",
                lambda A, mask, fraction: fraction * (((A - A.mean()).square() * mask).sum() / mask.sum()).sqrt(),
                lambda A, mask, fraction: (
                    fraction * (((A - (A * mask).mean()).square() * mask).sum() / mask.sum()).sqrt()
                ),
            ),
            Mistake(
                "the squares are divided by the number of all places. Divide by how many steps were played.",
                lambda A, mask, fraction: fraction * ((A - A[mask > 0].mean()).square() * mask).mean().sqrt(),
            ),
            Mistake(
                "the squares are divided by the number of episodes. Divide by how many steps were played.",
                lambda A, mask, fraction: fraction * (((A - A[mask > 0].mean()).square() * mask).sum() / len(A)).sqrt(),
            ),
            Mistake(
                "each episode has a number of its own. Normalization per batch takes all steps of the batch together.",
                lambda A, mask, fraction: fraction * A.std(1),
                lambda A, mask, fraction: (
                    fraction * torch.stack([row[m > 0].std(correction=0) for row, m in zip(A, mask)])
                ),
            ),
            Mistake(
                "you take an advantage of 0 for the end of an episode. mask says which steps were played.",
                lambda A, mask, fraction: fraction * A[A != 0].std(correction=0),
                lambda A, mask, fraction: fraction * A[(A != 0) & (mask > 0)].std(correction=0),
            ),
            Mistake(
                "you divide by the fraction. A tenth of the standard deviation is 0.1 times as much.",
                lambda A, mask, fraction: _spread(A, mask) / fraction,
            ),
            Mistake("the fraction is 0.1, whatever is given.", lambda A, mask, fraction: 0.1 * _spread(A, mask)),
            Mistake(
                "that is a fraction of the range. One rare episode would decide it: take the standard deviation.",
                lambda A, mask, fraction: fraction * (A[mask > 0].max() - A[mask > 0].min()),
            ),
        ],
    ),
)


def _corridor(**options: Any) -> gymnasium.Env[Any, Any]:
    """The coin and the prize, with observations that a network takes: one-hot."""
    cells = np.eye(CELLS, dtype=np.float32)
    return gymnasium.wrappers.TransformObservation(
        gymnasium.make("pglesson/CoinOrPrize-v0", **options),
        lambda cell: cells[cell],
        gymnasium.spaces.Box(0.0, 1.0, (CELLS,), np.float32),
    )


if "exercise/Corridor-v0" not in gymnasium.registry:
    gymnasium.register("exercise/Corridor-v0", entry_point=_corridor)
CORRIDOR = AgentTask("exercise/Corridor-v0", episodes=1200, best=10, undecided=0.58, enough=6, time_outs=True)
_LOSS = "    loss = -(pi.log_prob(actions) * A).sum() / len(batch)\n"
_WITH_BONUS = "    loss = -(pi.log_prob(actions) * A + 2.0 * pi.entropy()).sum() / len(batch)\n"


def _stops_early(trace: Trace) -> str | None:
    """What is said of an agent that takes the coin, or that cannot become certain."""
    if said := growing(trace):
        return said
    returns = trace.returns[-LAST:]
    coin, prize = (returns == 1).mean(), (returns == 10).mean()
    if not trace.steps or prize >= 0.6:
        return None
    entropy = np.median(entropy_weights(trace, EARLY) or [np.nan])
    if coin > 0.65 and 0 < entropy < 0.5:
        return (
            f"it stops early: {coin:.0%} of the last {LAST} episodes take the coin. Beside log pi * A of a step, its "
            f"entropy has the weight {entropy:.2g}, which is too little for advantages in the unit of the rewards: the "
            "table without normalization has a better one. (If you have written another weight, one of the terms is a "
            "sum over time, and the other a mean, or the advantages are normalized.)"
        )
    if coin > 0.65:
        return (
            f"it stops early: {coin:.0%} of the last {LAST} episodes take the coin. The loss needs a bonus for the "
            "entropy of every step, with the sign of the other term, a gradient, and a weight of 1 to 2 if the "
            "advantages are not normalized. If it has all of that, the steps may be too short for 1,200 episodes: try "
            "0.05 as the policy's learning rate."
        )
    if coin + prize > 0.2:
        return (
            f"{coin:.0%} of the last {LAST} episodes take the coin and {prize:.0%} the prize, the others turn back: "
            "the agent stays undecided. A smaller weight lets it become certain, or one that decays."
        )
    return None


AGENT = Exercise(
    name="agent",
    objective="make it happen and undo it",
    starter='''def train_agent(env_id, episodes, seed):
    """The agent of notebook 06 with an entropy bonus -> the returns of all episodes, each a plain sum of rewards."""
    ...


answer = train_agent''',
    solution=VALUE_AGENT.solution.replace(_LOSS, _WITH_BONUS)
    .replace("def train(", "def train_agent(")  # the notebook has a function of the other name
    .replace("answer = train", "answer = train_agent"),
    hints=(
        'Begin with your agent of notebook 06, or with Exercises("06_variance_and_baselines").agent.solution(), and '
        "train it on the corridor as it is: that makes it happen.",
        "One line changes, that of the loss: the diff above has it. Which weight did the table without normalization "
        "find good?",
        "loss = -(pi.log_prob(actions) * A + 2.0 * pi.entropy()).sum() / len(batch)",
    ),
    why="Without the bonus the same agent takes the coin in every training that we tried. One term changes what it "
    "learns, and not how fast.",
    judge=agent_judge(CORRIDOR, _stops_early, lambda trace: wrong_bonus(trace, EARLY)),
)


def _schedule(k: float, start: float, hold: float, until: float) -> float:
    return start * min(1.0, max(0.0, (until - k) / (until - hold)))


BETA_SCHEDULE = Exercise(
    name="beta_schedule",
    objective="let it decay",
    starter='''def beta_schedule(k, start, hold, until):
    """beta after k updates: `start` up to update `hold`, then along a straight line to 0 at `until`, and 0 ever after.

    0 <= hold < until.
    """
    ...


answer = beta_schedule''',
    solution='''def beta_schedule(k, start, hold, until):
    """beta after k updates: `start` up to update `hold`, then along a straight line to 0 at `until`, and 0 ever after.

    0 <= hold < until.
    """
    left = (until - k) / (until - hold)  # 1 at hold, 0 at until
    return start * min(1.0, max(0.0, left))


answer = beta_schedule''',
    hints=(
        "Three cases: before hold, between hold and until, and after until. What must the line give at hold, and what "
        "at until?",
        "The share that is left, (until - k) / (until - hold), is 1 at hold and 0 at until.",
        "Keep that share between 0 and 1, and multiply it by start.",
    ),
    why="A schedule is a function of k and nothing else, so you can draw it before you train with it. This one "
    "explores for as long as you say, and lets the agent be certain in the end.",
    judge=judge_function(
        _schedule,
        [
            Case("the first update", (0, 2.0, 50, 150)),
            Case("an update before hold", (30, 2.0, 50, 150)),
            Case("k = hold", (50, 2.0, 50, 150)),
            Case("the update after hold", (51, 2.0, 50, 150)),
            Case("half way down", (100, 2.0, 50, 150)),
            Case("three quarters of the way down", (7, 1.0, 1, 9)),
            Case("k = until", (150, 2.0, 50, 150)),
            Case("long after until", (400, 2.0, 50, 150)),
            Case("nothing held", (30, 10.0, 0, 40)),
            Case("a line of one step only", (21, 0.7, 20, 21)),
            Case("start 0", (5, 0.0, 3, 9)),
        ],
        [
            Mistake(
                "after `until` beta is start again. It must stay at 0.",
                lambda k, start, hold, until: start if k > until else _schedule(k, start, hold, until),
            ),
            Mistake(
                "at `hold` beta jumps down: the line begins at k = 0, where it should begin at `hold`. Count from "
                "there.",
                lambda k, start, hold, until: start if k <= hold else start * max(0.0, 1 - k / until),
            ),
            Mistake(
                "after `until` beta becomes negative: a reward for being certain. Keep it at 0 from there on.",
                lambda k, start, hold, until: start * min(1.0, (until - k) / (until - hold)),
            ),
            Mistake(
                "before `hold` beta is larger than start: the line is continued to the left. Keep it at start there.",
                lambda k, start, hold, until: start * max(0.0, (until - k) / (until - hold)),
            ),
            Mistake(
                "a straight line everywhere: before `hold` it lies above start, and after `until` below 0. Keep the "
                "share that is left between 0 and 1.",
                lambda k, start, hold, until: start * (until - k) / (until - hold),
            ),
            Mistake(
                "it falls from the first update on, as in the notebook. Here it has to stay at start until `hold`.",
                lambda k, start, hold, until: start * max(0.0, 1 - k / until),
            ),
            Mistake(
                "the way down takes `until` updates, counted from `hold`, so 0 comes too late. From hold to until "
                "there are fewer.",
                lambda k, start, hold, until: start * min(1.0, max(0.0, 1 - (k - hold) / until)),
                lambda k, start, hold, until: start if k <= hold else start * (1 - (k - hold) / until) * (k < until),
            ),
            Mistake(
                "it rises, where it should fall. What is gone at `hold`, and what at `until`?",
                lambda k, start, hold, until: start * min(1.0, max(0.0, (k - hold) / (until - hold))),
            ),
            Mistake(
                "one update too early: at `hold` beta is still start, and exactly at `until` it is 0.",
                lambda k, start, hold, until: _schedule(k + 1, start, hold, until),
            ),
            Mistake(
                "one update too late: at `hold` the line begins, and exactly at `until` it is 0.",
                lambda k, start, hold, until: _schedule(k - 1, start, hold, until),
                lambda k, start, hold, until: _schedule(k - 1, start, hold, until) * (k < until),
            ),
            Mistake(
                "beta falls to 0 in one jump, right after `hold`. From there to `until` it should fall along a line. "
                "(A // would drop what lies between; / keeps it.)",
                lambda k, start, hold, until: start if k <= hold else 0.0,
            ),
            Mistake(
                "that is the share of start that is left. Multiply it by start.",
                lambda k, start, hold, until: _schedule(k, 1.0, hold, until),
            ),
            Mistake(
                "beta falls to 0 in one jump, at `until`. From `hold` on it should fall along a line. (A // drops "
                "what lies between; / keeps it.)",
                lambda k, start, hold, until: start if k < until else 0.0,
            ),
            Mistake(
                "the minimum and the maximum are confused: this is 0 or start, and never between them.",
                lambda k, start, hold, until: start * max(1.0, min(0.0, (until - k) / (until - hold))),
            ),
            Mistake(
                "after `until` beta rises again: abs turns the line around. Keep it at 0 from there on.",
                lambda k, start, hold, until: start if k <= hold else abs(start * (until - k) / (until - hold)),
            ),
            Mistake(
                "the way down is bent. A straight line is asked for: each update takes away as much as the one before.",
                lambda k, start, hold, until: (
                    start * 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, (k - hold) / (until - hold)))))
                ),
                lambda k, start, hold, until: start * min(1.0, max(0.0, (until - k) / (until - hold))) ** 2,
            ),
            Mistake(
                "the way down is bent, and never arrives at 0 by itself. A straight line is asked for: each update "
                "takes away as much as the one before.",
                *(
                    lambda k, start, hold, until, rate=rate, end=end: (
                        start if k <= hold else 0.0 if end and k >= until else start * rate ** (k - hold)
                    )
                    for rate in (0.5, 0.9, 0.95, 0.97, 0.98, 0.99)
                    for end in (True, False)
                ),
            ),
            Mistake(
                "the result is rounded. Give it as it is. (A // drops what lies between; / keeps it.)",
                lambda k, start, hold, until: round(_schedule(k, start, hold, until), 1),
                lambda k, start, hold, until: min(start, max(0.0, start * (until - k) // (until - hold))),
            ),
            Mistake(
                "from hold to until there are until - hold updates, and you divide by one more or less: exactly at "
                "`until` it must be 0.",
                lambda k, start, hold, until: start * min(1.0, max(0.0, (until - k) / (until - hold + 1))),
                lambda k, start, hold, until: _schedule(k, start, hold, until + 1),
            ),
            Mistake(
                "from hold to until there are until - hold updates, and you divide by one more or less: the first "
                "update after `hold` takes away as much as any other.",
                lambda k, start, hold, until: (
                    start if k <= hold else 0.0 if k >= until else start * (until - k) / (until - hold - 1)
                ),
            ),
            Mistake(
                "beta rises from `hold` on. It has to fall from start to 0.",
                lambda k, start, hold, until: start if k <= hold else start * max(0.0, (k - hold) / (until - hold)),
                lambda k, start, hold, until: start if k <= hold else start * (k - hold) / (until - hold) * (k < until),
            ),
        ],
    ),
)

TOO_MUCH = Exercise(
    name="too_much",
    objective="say what too much of it costs",
    starter="""# beta = 1 keeps an agent at pi(go on) = 0.8 in each of the seven cells. What is its expected return?
answer = ...""",
    solution="""answer = 0.2 * 1 + 10 * 0.8**7""",
    hints=(
        "The episode can end in three ways: with the coin, with nothing, and with the prize.",
        "The coin comes if the first decision turns back, 0.2. For the prize all seven decisions must go on.",
        "0.2 * 1 + 10 * 0.8**7.",
    ),
    why="`go on` is four times as likely as turning back in every cell, and still the agent earns less than a quarter "
    "of what it could: each of seven decisions pays for the bonus. It knows the way, and may not commit to it.",
    judge=NumberJudge(
        0.2 + 10 * 0.8**7,
        {
            0.2 + 10 * 0.8**8: "the coin is right. There are seven cells, so seven decisions lead to the prize.",
            10
            * 0.8
            ** 8: "there are seven cells, so seven decisions lead to the prize; and whoever turns back in the first "
            "one takes the coin.",
            10 * 0.8**7 - 0.2: "the coin is a reward of 1, above zero: add it.",
            7 * 0.8: "probabilities of decisions that must all be right are multiplied, and not added.",
            10 * 0.2**7: "that is the chance of turning back, seven times. It has to go on seven times.",
            10 * 0.8**7: "that is the prize's part. The agent that turns back in the first cell takes the coin.",
            10 * 0.8**6: "six decisions follow the first one, which has to go on too; and whoever turns back there "
            "takes the coin.",
            0.2 + 10 * 0.8**6: "the coin is right. For the prize the first decision has to go on, too: how many are "
            "they in all?",
            0.8**7: "that is the chance of the prize. Multiply it by what the prize is worth, and add the coin.",
            0.8
            + 10 * 0.8**7: "the coin is taken by those who turn back in the first cell: two times in ten, not eight.",
            8.0: "that would be right for one decision. Each of the seven cells turns back two times in ten.",
            8.2: "that would be right for one decision. Each of the seven cells turns back two times in ten.",
            10.0: "that is what the agent would be worth if it never turned back.",
            1.0: "that is the coin. An agent that goes on with 0.8 takes it only two times in ten.",
            1 + 10 * 0.8**7: "the coin is taken only by those who turn back in the first cell: two times in ten.",
            (1 - 0.8**7) + 10 * 0.8**7: "whoever turns back in a later cell gets nothing. Only the first one has a "
            "coin.",
            10 - 0.2 - 10 * 0.8**7: "that is what it costs, against an agent that never turns back. What does it earn?",
        },
        otherwise="this is not it. With which probability does it take the coin, and with which the prize?",
    ),
)

EXERCISES = (POLICY_ENTROPY, LOSS_WITH_BONUS, FIRST_WEIGHT, AGENT, BETA_SCHEDULE, TOO_MUCH)
