"""Exercises of notebook 13."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pglesson.exercises.critics import judge_ppo
from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, Mistake, NumberJudge, judge_function

Objective = Callable[[Tensor, Tensor, float], Tensor]


def _ppo(ratio: Tensor, A: Tensor, epsilon: float) -> Tensor:
    return torch.minimum(ratio * A, ratio.clamp(1 - epsilon, 1 + epsilon) * A)


def _ratio(now: Tensor, before: Tensor) -> Tensor:
    return (now - before).exp()


def _over_episodes(x: Tensor) -> Tensor:
    return x.sum(1).mean()


def _clipped(
    objective: Objective = _ppo,
    *,
    stop: bool = True,
    ratio: Callable[[Tensor, Tensor], Tensor] = _ratio,
    over: Callable[[Tensor], Tensor] = _over_episodes,
    weighted: Callable[[Tensor, Tensor], Tensor] | None = None,
    masked: bool = True,
    sign: int = -1,
) -> Callable[..., Tensor]:
    def loss(log_prob: Tensor, log_prob_before: Tensor, A: Tensor, mask: Tensor, epsilon: float) -> Tensor:
        A = A.detach() if stop else A
        x = objective(ratio(log_prob, log_prob_before), A, epsilon)
        if weighted is not None:
            return sign * weighted(x, mask)
        return sign * over(x * mask if masked else x)

    return loss


_HALF = (
    "A is detached in one of the two products only, so the derivative still flows into the critic through the other. "
    "Detach it before both."
)


def _mixed(ratio: Tensor, one: Tensor, other: Tensor, epsilon: float) -> Tensor:
    return torch.minimum(ratio * one, ratio.clamp(1 - epsilon, 1 + epsilon) * other)


def _both(message: str, objective: Objective = _ppo, **others: Any) -> list[Mistake]:
    """A mistake by itself, and beside a gradient that still flows through A."""
    also = " And the derivative still flows through A, into the critic."
    return [
        Mistake(message + (also if not stop else ""), _clipped(objective, stop=stop, **others))
        for stop in (True, False)
    ]


def _before_product(ratio: Tensor, A: Tensor, epsilon: float) -> Tensor:
    return torch.minimum(ratio, ratio.clamp(1 - epsilon, 1 + epsilon)) * A


def _batch(*lengths: int, seed: int, epsilon: float = 0.2, moved: float = 0.5) -> tuple[Any, ...]:
    """log_prob, log_prob_before, A (episodes, steps), numbers after the end too; mask and epsilon."""
    generator = torch.Generator().manual_seed(seed)
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).double()
    before = -torch.rand(mask.shape, generator=generator).double() - 0.5
    now = before + moved * torch.randn(mask.shape, generator=generator).double()
    return now, before, torch.randn(mask.shape, generator=generator).double(), mask, epsilon


def _one(ratio: list[float], A: list[float]) -> tuple[Any, ...]:
    """One episode with these ratios and advantages."""
    before = torch.full((1, len(ratio)), 0.4).double().log()
    now = before + torch.tensor([ratio]).double().log()
    return now, before, torch.tensor([A]).double(), torch.ones(1, len(ratio)).double(), 0.2


CLIPPED = Exercise(
    name="clipped",
    objective="take several clipped steps on one batch and see how far they move the policy",
    starter='''def clipped_loss(log_prob, log_prob_before, A, mask, epsilon):
    """PPO's loss, one number, from four arrays (episodes, steps) and epsilon."""
    ratio = (log_prob - log_prob_before).exp()
    ratio = torch.minimum(ratio, ratio.clamp(1 - epsilon, 1 + epsilon))
    return -(ratio * A * mask).sum(1).mean()


answer = ...  # fix the function above; then write clipped_loss here''',
    solution='''def clipped_loss(log_prob, log_prob_before, A, mask, epsilon):
    """PPO's loss, one number, from four arrays (episodes, steps) and epsilon."""
    A = A.detach()
    ratio = (log_prob - log_prob_before).exp()
    objective = torch.minimum(ratio * A, ratio.clamp(1 - epsilon, 1 + epsilon) * A)
    return -(objective * mask).sum(1).mean()


answer = clipped_loss''',
    hints=(
        "Put in A = -1 and ratios of 1.5 and 0.5, and compare the slopes with those that the check above prints. Then "
        "ask what backward() leaves in the critic.",
        "For A < 0, multiplying turns the order around: the smaller ratio gives the *larger* product. What does the "
        "formula take the minimum of?",
        "The minimum of two products, ratio * A and clamped ratio * A, with A.detach() instead of A.",
    ),
    why="As it was, a bad action that had become likelier was never pulled back, one that had become rarer was pushed "
    "down without end, and the critic was trained to say what makes the policy's loss small. No error, no warning: "
    "only a training that goes worse.",
    judge=judge_function(
        _clipped(),
        [
            Case("four episodes of three to six steps", _batch(6, 3, 5, 4, seed=0)),
            Case("a single episode", _batch(5, seed=1)),
            Case("a single step", _batch(1, seed=2)),
            Case("as many episodes as steps", _batch(3, 3, 2, seed=3, epsilon=0.1)),
            Case("the first step on a batch, where all ratios are 1", _batch(3, 2, seed=4, moved=0.0)),
            Case("bad actions with ratios of 1.5 and 0.5", _one([1.5, 0.5], [-1.0, -1.0])),
            Case("a bad action with a ratio of 1.5", _one([1.5], [-1.0])),
            Case("good actions with ratios of 1.5 and 0.5", _one([1.5, 0.5], [1.0, 2.0])),
            Case("ratios far from 1", _batch(4, 4, seed=5, moved=1.5)),
        ],
        [
            Mistake(
                "this is the function as it was. For an action with A < 0 it takes the wrong one of the two products, "
                "and the derivative flows through A.",
                _clipped(_before_product, stop=False),
            ),
            Mistake(
                "one is fixed. The minimum is still taken of the ratios, before A is multiplied in: for A < 0 that is "
                "the wrong one of the two products.",
                _clipped(_before_product),
            ),
            Mistake(
                "one is fixed. The derivative still flows through A: this loss also moves the critic, towards "
                "whatever makes the loss small.",
                _clipped(stop=False),
            ),
            *_both(
                "the ratio is clipped always, without the minimum: an action that has left the band on the *wrong* "
                "side gets no gradient back into it.",
                lambda ratio, A, epsilon: ratio.clamp(1 - epsilon, 1 + epsilon) * A,
            ),
            *_both(
                "the larger of the two products is taken (or the sides are swapped). Then the clipping hides the harm "
                "instead of the profit.",
                lambda ratio, A, epsilon: torch.maximum(ratio * A, ratio.clamp(1 - epsilon, 1 + epsilon) * A),
            ),
            *_both(
                "the maximum is taken of the ratios. It is right for A < 0 only; take the minimum of the products.",
                lambda ratio, A, epsilon: torch.maximum(ratio, ratio.clamp(1 - epsilon, 1 + epsilon)) * A,
            ),
            *_both(
                "only the upper side is clipped. A bad action that has become much rarer still gets pushed down.",
                lambda ratio, A, epsilon: torch.minimum(ratio * A, ratio.clamp_max(1 + epsilon) * A),
            ),
            *_both("nothing is clipped any more: this is ratio * A.", lambda ratio, A, epsilon: ratio * A),
            *_both(
                "the *product* is clipped between 1 - epsilon and 1 + epsilon. Clip the ratio, then multiply.",
                lambda ratio, A, epsilon: torch.minimum(ratio * A, (ratio * A).clamp(1 - epsilon, 1 + epsilon)),
            ),
            *_both(
                "the band lies around 0, from -epsilon to epsilon. Ratios lie around 1.",
                lambda ratio, A, epsilon: torch.minimum(ratio * A, ratio.clamp(-epsilon, epsilon) * A),
            ),
            *_both(
                "the size of A is left, without its sign: bad actions would be made likelier.",
                lambda ratio, A, epsilon: _ppo(ratio, A.abs(), epsilon),
            ),
            *_both(
                "numerator and denominator are swapped: the new probability stands above the old one.",
                ratio=lambda now, before: _ratio(before, now),
            ),
            *_both(
                "log-probabilities are divided. The ratio of the probabilities is exp of their difference.",
                ratio=lambda now, before: now / before,
            ),
            *_both(
                "the exponential of the difference is missing: this is the logarithm of the ratio.",
                ratio=lambda now, before: now - before,
            ),
            *_both(
                "the ratio is cut off from log_prob, so the policy gets no gradient. Only A is a fact here.",
                ratio=lambda now, before: _ratio(now, before).detach(),
            ),
            *_both("the sign is wrong. A loss goes down where the objective goes up.", sign=1),
            *_both("what comes after an episode's end counts. The mask is missing.", masked=False),
            *_both(
                "this is the mean over all places. Sum over the steps, and take the mean over the episodes.",
                over=lambda x: x.mean(),
            ),
            *_both("this is the sum over the episodes. Take their mean.", over=lambda x: x.sum()),
            *_both(
                "you sum over the episodes and take the mean over the steps. The other way round: axis 1 is time.",
                over=lambda x: x.sum(0).mean(),
            ),
            *_both("every episode has a loss of its own. Take their mean.", over=lambda x: x.sum(1)),
            *_both(
                "this is the mean over the steps that were played. Sum over the steps, and take the mean over the "
                "episodes.",
                weighted=lambda x, mask: (x * mask).sum() / mask.sum(),
            ),
            *_both(
                "each episode is divided by its length. Sum over its steps, and take the mean over the episodes.",
                weighted=lambda x, mask: ((x * mask).sum(1) / mask.sum(1)).mean(),
            ),
            *_both(
                "this is the loss of REINFORCE, without a ratio. The batch may be older than the policy: weight by "
                "the ratio.",
                lambda ratio, A, epsilon: ratio * A,
                ratio=lambda now, before: now,
            ),
            *_both(
                "the ratio is clipped before both products, and the plain one is missing. The minimum is taken of "
                "ratio * A and of the clipped ratio * A.",
                lambda ratio, A, epsilon: torch.minimum(ratio.clamp(1 - epsilon, 1 + epsilon) * A, A),
            ),
            *_both(
                "the logarithm of the ratio is clipped, between -epsilon and epsilon. The band is for the ratio "
                "itself.",
                lambda ratio, A, epsilon: torch.minimum(ratio * A, ratio.log().clamp(-epsilon, epsilon).exp() * A),
            ),
            *_both(
                "only the lower side is clipped. A good action that has become much likelier still gets pushed up.",
                lambda ratio, A, epsilon: torch.minimum(ratio * A, ratio.clamp_min(1 - epsilon) * A),
            ),
            *_both(
                "epsilon is the argument of that name. You took 0.2, whatever it is.",
                lambda ratio, A, epsilon: _ppo(ratio, A, 0.2),
            ),
            Mistake(_HALF, _clipped(lambda ratio, A, epsilon: _mixed(ratio, A.detach(), A, epsilon), stop=False)),
            Mistake(_HALF, _clipped(lambda ratio, A, epsilon: _mixed(ratio, A, A.detach(), epsilon), stop=False)),
        ],
        gradients=(0, 2),
    ),
)


_LOW = (
    "that is too few. Did you read the pendulum, on the left, or count the small marks of the logarithmic axis as "
    "equal steps?"
)


FARTHER = Exercise(
    name="farther",
    objective="take several clipped steps on one batch and see how far they move the policy",
    starter="""# CartPole, the first update: ten steps without clipping move the policy ... times as far as one step
answer = ...""",
    solution="""answer = 2.6 / 0.043  # the left ends of the dashed and the dotted line, lower right""",
    hints=(
        "The lower right panel, its left end. Which two lines?",
        "The axis is logarithmic: the small marks between 1 and 10 are 2, 3, 4 and so on, and those between 0.01 and "
        "0.1 are 0.02, 0.03, 0.04.",
        "The dashed line begins between 2 and 3 nats, the dotted one a little above 0.04.",
    ),
    why="Sixty times as far, for ten times as many steps. The third line begins lowest: ten clipped steps move "
    "the policy less than half as far as the single one.",
    judge=NumberJudge(
        60.0,
        {
            153.0: "that is how much farther ten steps go without clipping than with it. Compare with the one step, "
            "the dotted line.",
            127.0: "that is too many. Were you at the end of the training? The first update is at the left end of the "
            "lines.",
            100.0: "the two lie a little less than two powers of ten apart. Read both heights between the grid lines.",
            2.6: "that is how far the ten steps go, in nats, or how one step compares with ten *clipped* ones. How "
            "many times as far do the unclipped ones go as the one step?",
            1.8: "that is about how many powers of ten lie between them. (Or the height of a line, or the difference "
            "of the two?) How many *times* as far?",
            0.043: "that is how far one step goes, in nats. How many times as far do the ten go?",
            1 / 60: "this is the inverse: the ten steps go farther.",
            10.0: "ten times as many steps, yes, but each starts where the one before has led, and uses the same "
            "sixteen episodes. Read it off.",
            1.0: "the upper panel shows what the agents earn. How far an update moves the policy is below.",
            20.5: _LOW,
            28.7: _LOW,
            0.4: "that is how far the *clipped* steps go, against one step. Read the dashed line, without clipping.",
            6.0: "one power of ten is lost. Count the grid lines between the two again: 1, 0.1, 0.01.",
            600.0: "there is one power of ten too many. Count the grid lines between the two again: 1, 0.1, 0.01.",
            2.557: "that is the difference. How many times as far?",
        },
        tolerance=0.3,
        near=0.12,  # reading off a logarithmic axis is coarse; what tells the mistakes apart is not
        otherwise="this is not it. In the lower right panel, read the left ends of the dashed and of the dotted line, "
        "each between the powers of ten, and divide.",
    ),
)


def _row(baseline: str, gae_lambda: float, policy_epochs: int, clip_ratio: float) -> int:
    if policy_epochs > 1:
        return 6 if clip_ratio < math.inf else 5
    if baseline == "none" or gae_lambda == 1:
        return 1 if baseline == "none" else 2
    return 3 if gae_lambda == 0 else 4


def _first(baseline: str, gae_lambda: float, policy_epochs: int, clip_ratio: float) -> int:
    """The settings are asked in the order of the table, and the first that has any effect is taken."""
    once = _row(baseline, gae_lambda, 1, clip_ratio)
    return once if once > 1 else _row(baseline, gae_lambda, policy_epochs, clip_ratio)


def _count(baseline: str, gae_lambda: float, policy_epochs: int, clip_ratio: float) -> int:
    once = _row(baseline, gae_lambda, 1, clip_ratio)
    return 1 + (once > 1) + (once > 2) + (policy_epochs > 1) + (policy_epochs > 1 and clip_ratio < math.inf)


_OFF = math.inf

ROW = Exercise(
    name="row",
    objective="name what changed at each step from REINFORCE to PPO",
    starter='''def row(baseline, gae_lambda, policy_epochs, clip_ratio):
    """The number of the last row whose change has any effect: 1 REINFORCE ... 6 PPO."""
    ...


answer = row''',
    solution='''def row(baseline, gae_lambda, policy_epochs, clip_ratio):
    """The number of the last row whose change has any effect: 1 REINFORCE ... 6 PPO."""
    if policy_epochs > 1:
        return 6 if clip_ratio < float("inf") else 5
    if baseline == "none":
        return 1
    if gae_lambda == 1:
        return 2
    return 3 if gae_lambda == 0 else 4


answer = row''',
    hints=(
        "Start from the end of the table: when does clipping change anything, and when does it change nothing?",
        "With one step all ratios are 1, and inside the band. With gae_lambda = 1 all TD errors add up to the return "
        "minus the value.",
        "Ask for policy_epochs first, then for the baseline, and at last for gae_lambda: 1, 0, or in between.",
    ),
    why="Names do not say what an algorithm does; settings do. A `PPO` that takes one step on each batch with lambda 1 "
    "is REINFORCE with a value baseline, and now you would notice.",
    judge=judge_function(
        _row,
        [
            Case("no baseline, one step", ("none", 1.0, 1, _OFF)),
            Case("the value baseline, lambda 1, one step", ("value", 1.0, 1, _OFF)),
            Case("lambda 0, one step", ("value", 0.0, 1, _OFF)),
            Case("lambda 0.95, one step", ("value", 0.95, 1, _OFF)),
            Case("lambda 0.5, one step", ("value", 0.5, 1, _OFF)),
            Case("lambda 0.95, ten steps, no clipping", ("value", 0.95, 10, _OFF)),
            Case("lambda 0.95, ten steps, epsilon 0.2", ("value", 0.95, 10, 0.2)),
            Case("lambda 1, one step, epsilon 0.2", ("value", 1.0, 1, 0.2)),
            Case("lambda 0.95, one step, epsilon 0.2", ("value", 0.95, 1, 0.2)),
            Case("lambda 0, one step, epsilon 0.1", ("value", 0.0, 1, 0.1)),
            Case("no baseline, one step, epsilon 0.2", ("none", 1.0, 1, 0.2)),
            Case("lambda 0, two steps, no clipping", ("value", 0.0, 2, _OFF)),
            Case("lambda 1, twenty steps, epsilon 0.05", ("value", 1.0, 20, 0.05)),
            Case("lambda 0.95, ten steps, epsilon 1.5", ("value", 0.95, 10, 1.5)),
            Case("no baseline, five steps, no clipping", ("none", 1.0, 5, _OFF)),
            Case("no baseline, five steps, epsilon 0.2", ("none", 1.0, 5, 0.2)),
            Case("no baseline, lambda 0.95, one step", ("none", 0.95, 1, _OFF)),
            Case("no baseline, lambda 0, one step", ("none", 0.0, 1, _OFF)),
        ],
        [
            Mistake(
                "with one step you call it PPO as soon as clip_ratio is set. But there all ratios are 1, and clipping "
                "changes nothing.",
                lambda b, lam, steps, eps: 6 if eps < _OFF else _row(b, lam, steps, eps),
            ),
            Mistake(
                "several steps without clipping are PPO for you. A clip_ratio of infinity sets no limit.",
                lambda b, lam, steps, eps: 6 if steps > 1 else _row(b, lam, steps, eps),
            ),
            Mistake(
                "a clip_ratio of 1 or more is off for you. It still limits the ratio above: only infinity is off.",
                lambda b, lam, steps, eps: _row(b, lam, steps, eps if eps < 1 else _OFF),
            ),
            Mistake(
                "you never arrive at PPO: ask for clip_ratio, where there are several steps.",
                lambda b, lam, steps, eps: _row(b, lam, steps, _OFF),
            ),
            Mistake(
                "a single step counts as several. It is policy_epochs above 1 that changes something.",
                lambda b, lam, steps, eps: 6 if eps < _OFF else 5,
            ),
            Mistake(
                "lambda 1 is GAE for you, with the value baseline. There all TD errors add up to the return minus the "
                "value: the row before.",
                lambda b, lam, steps, eps: 4 if (b, lam, steps) == ("value", 1, 1) else _row(b, lam, steps, eps),
            ),
            Mistake(
                "lambda 0 is GAE for you. It leaves a single TD error: the row before.",
                lambda b, lam, steps, eps: 4 if _row(b, lam, steps, eps) == 3 else _row(b, lam, steps, eps),
            ),
            Mistake(
                "the ends of lambda are swapped: 1 is the return minus the value, 0 the TD error.",
                lambda b, lam, steps, eps: _row(b, lam if 0 < lam < 1 else 1 - lam, steps, eps),
            ),
            Mistake(
                "without a baseline you still go by lambda. There is no value to ask again then, and it does nothing.",
                lambda b, lam, steps, eps: _row("value" if lam < 1 else b, lam, steps, eps),
            ),
            Mistake(
                "`value` with lambda 1 is plain REINFORCE for you. The value is still subtracted.",
                lambda b, lam, steps, eps: 1 if _row(b, lam, steps, eps) == 2 else _row(b, lam, steps, eps),
            ),
            Mistake(
                "you stop at the first row that has an effect. The *last* is asked for: ask for the steps first.",
                _first,
            ),
            Mistake("the rows are counted from 0. REINFORCE is 1.", lambda *s: _row(*s) - 1),
            Mistake("this counts the changes. The number of the last of them is asked for.", _count),
            Mistake(
                "you count the row `the critic bootstraps` too. It has no setting of its own: several steps are 5, and "
                "PPO is 6.",
                lambda *s: _row(*s) + (_row(*s) > 3),
            ),
            Mistake(
                "several steps are PPO or nothing for you. Without clipping they are a row of their own.",
                lambda b, lam, steps, eps: _row(b, lam, steps if eps < _OFF else 1, eps),
            ),
            Mistake(
                "without a baseline you always say REINFORCE. Several steps change something there, too.",
                lambda b, lam, steps, eps: 1 if b == "none" else _row(b, lam, steps, eps),
            ),
            Mistake(
                "you ask for the very numbers of the table. Any lambda between 0 and 1 is GAE, any number of steps "
                "above one is several, and any limit clips.",
                lambda b, lam, steps, eps: (
                    6
                    if (steps, eps) == (10, 0.2)
                    else 5
                    if steps == 10
                    else _row(b, lam, 1, eps)
                    if b == "none" or lam in (0.0, 0.95)
                    else 2
                ),
            ),
            Mistake(
                "you stop at the first row that has an effect. The *last* is asked for: ask for the steps first.",
                lambda b, lam, steps, eps: (
                    _row(b, lam, steps, eps) if b == "value" and 0 < lam < 1 else _row(b, lam, 1, eps)
                ),
            ),
            Mistake(
                "PPO needs GAE for you. Its row is the clipping alone, whatever lambda and the baseline are.",
                lambda b, lam, steps, eps: _row(b, lam, steps, eps if lam < 1 else _OFF),
            ),
            Mistake(
                "PPO needs a baseline for you. Its row is the clipping alone, whatever lambda and the baseline are.",
                lambda b, lam, steps, eps: _row(b, lam, steps, eps if b == "value" else _OFF),
            ),
            Mistake(
                "with one step you call it PPO as soon as clip_ratio is set. But there all ratios are 1, and clipping "
                "changes nothing.",
                lambda b, lam, steps, eps: 6 if eps < _OFF and b == "value" else _row(b, lam, steps, eps),
            ),
            Mistake(
                "without a baseline you still go by lambda. There is no value to ask again then, and it does nothing.",
                lambda b, lam, steps, eps: 4 if (b, steps) == ("none", 1) and 0 < lam < 1 else _row(b, lam, steps, eps),
            ),
        ],
    ),
)

AGENT = Exercise(
    name="agent",
    objective="write PPO with minibatches",
    starter='''import gymnasium as gym


def train(env_id, episodes, seed, batch_size=10, gamma=0.99, lam=0.95, epochs=4, parts=2, clip=0.2):
    """PPO with minibatches -> the returns of all episodes, each a plain sum of rewards."""
    torch.manual_seed(seed)
    env = gym.make(env_id)
    env.reset(seed=seed)
    policy, value = ..., ...  # two networks, and an optimizer for each
    returns = []
    while len(returns) < episodes:
        # 1. and 2. a batch of episodes, and its advantages, as in notebook 12
        # 3. the old log-probabilities; then, `epochs` times, the batch in a random order, cut into `parts`:
        #    the ratios of a part, the clipped objective, and one step of the policy
        # 4. several steps of the value
        raise NotImplementedError
    return returns


answer = train''',
    solution='''from collections import namedtuple

import gymnasium as gym
from torch import nn
from torch.distributions import Categorical

Episode = namedtuple("Episode", "observations actions rewards terminated")  # T + 1 observations of T steps


def network(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, outputs))


def play(env, policy):
    """One episode, with the observation after its last step."""
    observations, actions, rewards, over = [torch.as_tensor(env.reset()[0])], [], [], False
    while not over:
        with torch.no_grad():
            actions.append(Categorical(logits=policy(observations[-1])).sample())
        observation, reward, terminated, truncated, _ = env.step(actions[-1].item())
        observations.append(torch.as_tensor(observation))
        rewards.append(reward)
        over = terminated or truncated
    return Episode(torch.stack(observations), torch.stack(actions), torch.tensor(rewards), terminated)


def sums_to_go(x, gamma):
    G = x.clone()
    for t in reversed(range(len(x) - 1)):
        G[t] += gamma * G[t + 1]
    return G


def judge(value, episode, gamma, lam=0.95):
    """The advantages (T,), and what the value is to learn (T,)."""
    v = value(episode.observations)[:, 0].detach()
    v[-1] *= not episode.terminated  # nothing comes after an end; after a time-out, what the value expects
    A = sums_to_go(episode.rewards + gamma * v[1:] - v[:-1], gamma * lam)
    return A, A + v[:-1]


def update(policy, value, optimizer, value_optimizer, batch, gamma, value_steps, epochs=4, parts=2, clip=0.2):
    A, targets = map(torch.cat, zip(*[judge(value, episode, gamma) for episode in batch]))
    observations = torch.cat([episode.observations[:-1] for episode in batch])
    actions = torch.cat([episode.actions for episode in batch])
    A = (A - A.mean(dtype=torch.float64)) / (A.std(correction=0) + 1e-8)
    old = Categorical(logits=policy(observations)).log_prob(actions).detach()
    for i in (i for _ in range(epochs) for i in torch.randperm(len(A)).tensor_split(parts)):
        pi = Categorical(logits=policy(observations[i]))
        ratio = (pi.log_prob(actions[i]) - old[i]).exp()
        gain = torch.minimum(ratio * A[i], ratio.clamp(1 - clip, 1 + clip) * A[i])
        loss = -(gain + 0.1 * pi.entropy()).mean() * len(A) / len(batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), max_norm=1.0)
        optimizer.step()
    for _ in range(value_steps):
        value_loss = (targets - value(observations)[:, 0]).square().mean() / 2
        value_optimizer.zero_grad()
        value_loss.backward()
        value_optimizer.step()


def train(env_id, episodes, seed, batch_size=10, gamma=0.99, alpha=0.02, value_alpha=0.05, value_steps=10):
    """PPO with minibatches -> the returns of all episodes, each a plain sum of rewards."""
    torch.manual_seed(seed)
    env = gym.make(env_id)
    env.reset(seed=seed)
    numbers, actions = env.observation_space.shape[0], int(env.action_space.n)
    policy, value = network(numbers, actions), network(numbers, 1)
    optimizer = torch.optim.Adam(policy.parameters(), lr=alpha)
    value_optimizer = torch.optim.Adam(value.parameters(), lr=value_alpha)
    returns = []
    while len(returns) < episodes:
        batch = [play(env, policy) for _ in range(min(batch_size, episodes - len(returns)))]
        update(policy, value, optimizer, value_optimizer, batch, gamma, value_steps)
        returns += [episode.rewards.sum().item() for episode in batch]
    return returns


answer = train''',
    hints=(
        "Take your agent of notebook 12. Only the step of the policy changes: several steps instead of one, and "
        "another objective.",
        "Compute the old log-probabilities of the whole batch once, before the first step, and detach them. Then "
        "for i in torch.randperm(len(A)).tensor_split(parts): ratio = (log_prob - old[i]).exp().",
        "The same i for observations, actions, old log-probabilities and advantages; gain = torch.minimum(ratio * "
        "A[i], ratio.clamp(1 - clip, 1 + clip) * A[i]); the loss is -gain.mean() * len(A) / len(batch).",
    ),
    why="That is PPO, in one file that needs nothing but PyTorch and Gymnasium. The next cell writes it down for you.",
    judge=judge_ppo,
)

EXERCISES = (CLIPPED, FARTHER, ROW, AGENT)
