"""Exercises of notebook 04."""

from __future__ import annotations

import torch
from torch import Tensor

from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, Mistake, NumberJudge, judge_function, normal

CLIMBS = Exercise(
    name="climbs",
    objective="say what a policy gradient method climbs",
    starter="""# the agent always enters, and in the study it searches with probability 1/2. gamma is 0.9. What is J?
answer = ...""",
    solution="""# v(study) = 1/2 (2 + 0.9 * 1/2 v(study)) + 1/2 * 0.9 v(hall), and v(hall) = 0.9 v(study)
answer = 0.9 * 1 / (1 - 0.9 / 4 - 0.9**2 / 2)""",
    hints=(
        "J is the value of the state in which an episode starts, so begin with v(hall) = 0.9 v(study).",
        "In the study, half of the time you search: 2, and with probability 1/2 you are still there. Else you go back.",
        "v(study) = 1/2 (2 + 0.9 * 1/2 v(study)) + 1/2 * 0.9 * 0.9 v(study). Solve it; then go back to the hall.",
    ),
    why="That one number is the height of the hill: the discounted return of an episode, averaged over everything that "
    "the policy and the world may do.",
    judge=NumberJudge(
        2.4324,
        {
            2.7027: "that is the value of the study. An episode starts in the hall, one discounted step before it.",
            4.0: "that is the mean return without a discount. J discounts, here with gamma = 0.9.",
            3.2727: "that is J for an agent that always searches. This one goes back half of the time.",
            0.9: "you stop after one action in the study. The episode goes on after half of the searches, and after "
            "every way back.",
            1.8: "that is one certain search, discounted. Here a search happens half of the time, and more may follow.",
            1.1613: "you let the episode end where the agent goes back. It is in the hall then, and enters again.",
            1.5126: "you let every search end the episode. Only half of the searches do.",
            6.2069: "you let no search end the episode. Half of the searches do, and nothing follows then.",
            4.8649: "you pay 2 for every action in the study. Going back pays nothing, so the mean reward there is 1.",
            2.7692: "going back and entering again are two steps, and so two factors of gamma. You took one.",
            2.1892: "that is J after one discount too many. The first search is one step from the start: gamma once.",
            1.6364: "you took half of J for an agent that always searches. Who goes back comes again, so it is more "
            "than half.",
            1.2903: "you let the episode end where the agent goes back, and this is the value of the study. J is that "
            "of the hall.",
            3.6: "you discounted the way in alone. Every step costs one factor of gamma.",
            1.2162: "half of the reward is lost: a search pays 2, and happens half of the time.",
            1.0: "that is the mean reward of one action in the study. The episode goes on, and J is discounted.",
            2.0: "that is what a search pays. How often does it happen, and how long after the start?",
        },
        otherwise="this is not it. Write down what v(study) is in terms of itself and of v(hall) = 0.9 v(study).",
    ),
)

TRAJECTORY = Exercise(
    name="trajectory",
    objective="check every line by computing it",
    starter="""\
# pi(enter | hall) = 0.5 and pi(search | study) = 0.6. An episode: enter; search, and it goes on; search, and it
# ends. What is p(tau), the probability of this episode?
answer = ...""",
    solution="""answer = (0.5 * 1) * (0.6 * 0.5) * (0.6 * 0.5)  # of each step: the action, the world's answer""",
    hints=(
        "Each step has two factors: the probability of the action, and that of what the world answers.",
        "The world's answer to enter is certain. A search goes on with probability 1/2, and ends with probability 1/2.",
        "Enter: 0.5 * 1. The first search: 0.6 * 0.5. The second one: 0.6 * 0.5. Multiply.",
    ),
    why="A product of what the policy chose and what the world answered: its logarithm is a sum, and theta is in "
    "the policy's terms only. That is line 3.",
    judge=NumberJudge(
        0.045,
        {
            0.18: "these are the policy's factors. The world decides, too: after each search it goes on or it ends.",
            0.25: "these are the world's factors. Multiply by the probabilities of the three actions.",
            0.09: "a factor of 1/2 is missing: entering has one, and the world has one after each of the two searches.",
            0.03: "one of the two searches has 0.4 here, the probability of going back. The agent searches twice.",
            0.15: "the episode has two searches, and each has a factor for the action and one for the world.",
            0.0225: "you have a factor of 1/2 too many. Entering leads to the study for certain.",
            0.02: "you took 0.4 for a search. That is the probability of going back.",
            0.1539: "that is p(tau) G(tau), its part of J. Leave the return out.",
            3.42: "that is G(tau), the return of this episode. Its probability is asked for.",
            -3.1011: "that is log p(tau). The probability itself is asked for.",
            2.7: "you added the probabilities. That all of it happens has the product as its probability.",
            4.5: "as a percentage that is right. A probability lies between 0 and 1.",
            0.12: "you took going back, 0.4, for the end. The agent searches twice, and after each search the world "
            "decides.",
            0.3: "the episode has two searches, and after each the world decides whether it goes on.",
            0.36: "these are the two searches alone. Entering has a probability, too, and so has what the world "
            "answers.",
            0.03645: "you discounted. gamma counts in the return; a probability has no discount.",
            1.7: "you added the probabilities. That all of it happens has the product as its probability.",
            1.3: "these are the pushes, 1 - pi, added up: the score. Its probability is asked for.",
            3.7: "you added the probabilities. That all of it happens has the product as its probability.",
        },
        otherwise="this is not it. Write two factors for each of the three steps, and multiply all six.",
    ),
)


def _logits(number: int, seed: int) -> Tensor:
    return normal(number, seed=seed)


def _centred(logits: Tensor, returns: Tensor) -> Tensor:
    return returns - torch.softmax(logits, -1) @ returns


def _greedy_score(logits: Tensor, returns: Tensor) -> Tensor:
    best = logits.argmax()
    return returns[best] * (torch.eye(len(logits))[best] - torch.softmax(logits, -1))


def _twice(logits: Tensor, returns: Tensor) -> Tensor:
    p = torch.softmax(logits, -1)
    return p * (p * returns - p @ (p * returns))


TRICK = Exercise(
    name="trick",
    objective="derive its gradient line by line",
    starter='''def exact_gradient(logits, returns):
    """The gradient of J = sum of pi(a) G(a) by the logits: logits and G (actions,) -> (actions,)."""
    ...


answer = exact_gradient''',
    solution='''def exact_gradient(logits, returns):
    """The gradient of J = sum of pi(a) G(a) by the logits: logits and G (actions,) -> (actions,)."""
    pi = torch.softmax(logits, -1)
    scores = torch.eye(len(logits), dtype=pi.dtype) - pi  # row a: the gradient of log pi(a)
    return ((pi * returns)[:, None] * scores).sum(0)


answer = exact_gradient''',
    hints=(
        "With one action an episode, a trajectory is an action: line 2 reads sum of pi(a) * grad log pi(a) * G(a).",
        "The gradient of log pi(a) by the logits is onehot(a) - pi. Each action has such a row.",
        "Multiply row a by pi(a) * G(a) and add up the rows. Or let autograd differentiate J.",
    ),
    why="What comes out is pi(a) (G(a) - J): what is better than average goes up. It is an average over actions that "
    "the policy itself draws, so that playing can estimate it.",
    judge=judge_function(
        lambda logits, returns: torch.softmax(logits, -1) * _centred(logits, returns),
        [
            Case("three actions", (_logits(3, 0), torch.tensor([1.0, 2.0, 0.0]))),
            Case("four actions, some with negative returns", (_logits(4, 1), torch.tensor([-3.0, 1.0, 5.0, 2.0]))),
            Case("two equally likely actions", (torch.zeros(2), torch.tensor([3.0, 1.0]))),
            Case("equal returns", (_logits(3, 2), torch.tensor([2.0, 2.0, 2.0]))),
            Case("a single action", (torch.tensor([1.5]), torch.tensor([4.0]))),
            Case("an action of probability 0", (torch.tensor([0.0, -300.0, 1.0]), torch.tensor([1.0, 5.0, 2.0]))),
        ],
        [
            Mistake(
                "pi(a) is missing: you add up the scores of all actions as if each were drawn once. Line 2 multiplies "
                "each by its probability.",
                lambda z, G: G - G.sum() * torch.softmax(z, -1),
            ),
            Mistake(
                "you take the plain mean over the actions. In an expectation each is weighted by its probability.",
                lambda z, G: (G - G.sum() * torch.softmax(z, -1)) / len(z),
            ),
            Mistake(
                "this is pi(a) G(a): of each score only the 1 is left. The score is onehot(a) - pi, so every action "
                "also pushes the others' logits.",
                lambda z, G: torch.softmax(z, -1) * G,
            ),
            Mistake(
                "you took pi (1 - pi) for the gradient of pi. That is its entry at the action itself; a logit also "
                "lowers the probability of all other actions.",
                lambda z, G: torch.softmax(z, -1) * (1 - torch.softmax(z, -1)) * G,
            ),
            Mistake(
                "the sign is wrong: this points downhill. A return above the average must raise its logit.",
                lambda z, G: -torch.softmax(z, -1) * _centred(z, G),
            ),
            Mistake(
                "the logits stand where probabilities belong. Take their softmax first.", lambda z, G: z * (G - z @ G)
            ),
            Mistake(
                "this is the gradient of log J, divided by J. The logarithm belongs to the probability alone.",
                lambda z, G: torch.softmax(z, -1) * _centred(z, G) / (torch.softmax(z, -1) @ G),
            ),
            Mistake("only the most likely action counts here. The sum runs over all of them.", _greedy_score),
            Mistake(
                "pi(a) stands in front of the gradient of pi(a). The trick takes it out: grad pi = pi * grad log pi, "
                "so it belongs in front of grad log pi, and only once.",
                _twice,
            ),
            Mistake(
                "this is the derivative by the probabilities. Go on with the chain rule, to the logits.", lambda z, G: G
            ),
            Mistake("this is G(a) - J. One factor is missing: how often the action is drawn.", _centred),
            Mistake(
                "this is 0 everywhere. Without G the mean push is 0, and so is the sum of the entries of one score: "
                "weight by the returns, and add up over the actions.",
                lambda z, G: 0 * z,
            ),
            Mistake(
                "this is a mean over the actions. The sum of line 2 has a probability in each term already.",
                lambda z, G: torch.softmax(z, -1) * _centred(z, G) / len(z),
            ),
            Mistake(
                "you subtract the plain mean of the returns. What comes out of the sum is the mean under the policy, "
                "J.",
                lambda z, G: torch.softmax(z, -1) * (G - G.mean()),
            ),
            Mistake(
                "you subtract the sum of all returns. Each return in it is weighted by its probability.",
                lambda z, G: torch.softmax(z, -1) * (G - G.sum()),
            ),
            Mistake(
                "of each score only the entry of its own action is left, and pi(a) is missing in front. Add up whole "
                "rows.",
                lambda z, G: (1 - torch.softmax(z, -1)) * G,
            ),
            Mistake(
                "it is twice as long as it should be. Autograd adds to what stands in .grad: is backward called twice?",
                lambda z, G: 2 * torch.softmax(z, -1) * _centred(z, G),
            ),
            Mistake(
                "you differentiate the pi(a) in front, too. In line 2 only log pi(a) is differentiated: detach the "
                "factor in front.",
                lambda z, G: torch.softmax(z, -1) * _centred(z, (1 + torch.log_softmax(z, -1)) * G),
            ),
            Mistake("this is J. Its gradient by the logits is asked for.", lambda z, G: torch.softmax(z, -1) @ G),
            Mistake(
                "the returns are left out. They weight each action's push.",
                lambda z, G: torch.softmax(z, -1) * (1 - torch.softmax(z, -1)),
            ),
            Mistake(
                "the probabilities are subtracted along the wrong axis. Row a is onehot(a) - pi, and the rows are "
                "added up.",
                lambda z, G: torch.softmax(z, -1) * G - (torch.softmax(z, -1) * torch.softmax(z, -1) * G).sum(),
            ),
            Mistake(
                "it is multiplied by pi once more. pi(a) stands once in front of each score.",
                lambda z, G: torch.softmax(z, -1) * torch.softmax(z, -1) * _centred(z, G),
            ),
            Mistake(
                "every action counts alike here. Each is weighted by its probability.",
                lambda z, G: (G - G.mean()) / len(z),
            ),
            Mistake(
                "the exponentials are not divided by their sum. Use probabilities.",
                lambda z, G: z.exp() * (G - z.exp() @ G),
            ),
            Mistake(
                "the best return is subtracted. What comes out of the sum is the mean under the policy, J.",
                lambda z, G: torch.softmax(z, -1) * (G - G.max()),
            ),
        ],
    ),
)


def _discounts(rewards: Tensor, gamma: float) -> Tensor:
    return gamma ** torch.arange(rewards.shape[1])


def _onward(x: Tensor, axis: int = 1) -> Tensor:
    """At every place, the sum from there to the end."""
    return x.flip(axis).cumsum(axis).flip(axis)


def _line_4(rewards: Tensor, gamma: float) -> Tensor:
    return _onward(rewards * _discounts(rewards, gamma))


def _to_go(rewards: Tensor, gamma: float) -> Tensor:
    G, columns = torch.zeros(len(rewards)), []
    for reward in reversed(rewards.unbind(1)):
        G = reward + gamma * G
        columns.append(G)
    return torch.stack(columns[::-1], 1)


def _rewards(episodes: int, steps: int, seed: int) -> Tensor:
    return torch.randint(-2, 6, (episodes, steps), generator=torch.Generator().manual_seed(seed)) * 1.0


LINE_4 = Exercise(
    name="line_4",
    objective="derive its gradient line by line",
    starter='''def line_4_weights(rewards, gamma):
    """Rewards (episodes, steps), 0 after the end -> the weight gamma^t G_t of each step's push, of the same shape."""
    ...


answer = line_4_weights''',
    solution='''def line_4_weights(rewards, gamma):
    """Rewards (episodes, steps), 0 after the end -> the weight gamma^t G_t of each step's push, of the same shape."""
    discounted = rewards * gamma ** torch.arange(rewards.shape[1])
    return discounted.flip(1).cumsum(1).flip(1)  # at each step, the sum from there to the end


answer = line_4_weights''',
    hints=(
        "Write the weight of step t as what is left of the return: gamma^t R_(t+1) + gamma^(t+1) R_(t+2) + ...",
        "Discount every reward from the start of the episode, whatever step you are at, and add from t to the end.",
        "A sum from t to the end is a cumsum of the flipped rows, flipped back.",
    ),
    why="It is the whole return minus what was earned before: the same mean gradient, and usually less noise.",
    judge=judge_function(
        _line_4,
        [
            Case("two episodes of four steps", (_rewards(2, 4, 1), 0.9)),
            Case("a single episode", (_rewards(1, 5, 2), 0.5)),
            Case("episodes of one step", (torch.tensor([[2.0], [3.0]]), 0.9)),
            Case("gamma = 1", (_rewards(3, 3, 4), 1.0)),
            Case("gamma = 0", (_rewards(2, 3, 5) + 3, 0.0)),
            Case("one reward, at the very end", (torch.tensor([[0.0, 0.0, 1.0]]), 0.8)),
            Case("equal rewards, and an episode that ends earlier", (torch.tensor([[1.0, 1, 1], [1, 1, 0]]), 0.9)),
        ],
        [
            Mistake(
                "this is G_t, the return-to-go, discounted from step t on. Line 4 also has the factor gamma^t in front "
                "of it.",
                _to_go,
            ),
            Mistake(
                "every step gets the total return. An action cannot change the past: leave out what was earned before.",
                lambda r, gamma: (r * _discounts(r, gamma)).sum(1, keepdim=True).expand_as(r),
            ),
            Mistake(
                "you add up the past, up to this step. The weight is what comes from this step on.",
                lambda r, gamma: (r * _discounts(r, gamma)).cumsum(1),
            ),
            Mistake(
                "the reward of the step itself is missing. R_(t+1) is what the action at time t was paid: it counts.",
                lambda r, gamma: _line_4(r, gamma) - r * _discounts(r, gamma),
            ),
            Mistake(
                "one discount too many: R_1 counts in full, gamma to the power of 0.",
                lambda r, gamma: gamma * _line_4(r, gamma),
            ),
            Mistake(
                "a discount is in it twice: if each reward is discounted from the start of the episode, what is left "
                "of the return has the factor gamma^t already.",
                lambda r, gamma: _discounts(r, gamma) * _line_4(r, gamma),
                lambda r, gamma: _to_go(r * _discounts(r, gamma), gamma),
            ),
            Mistake("nothing is discounted here. This is right for gamma = 1 alone.", lambda r, gamma: _onward(r)),
            Mistake(
                "the rewards are added up without a discount, and the sum is multiplied by gamma^t. Each reward has a "
                "discount of its own, the later the more.",
                lambda r, gamma: _discounts(r, gamma) * _onward(r),
            ),
            Mistake(
                "the discount runs from the end: your last reward counts in full and the first one least.",
                lambda r, gamma: _onward(r * _discounts(r, gamma).flip(0)),
            ),
            Mistake(
                "the sum runs over the episodes. It belongs on axis 1, the steps: every episode has its own future.",
                lambda r, gamma: _onward(r * _discounts(r, gamma), 0),
            ),
            Mistake(
                "this is each step's own reward, discounted. Add all that follows it.",
                lambda r, gamma: r * _discounts(r, gamma),
            ),
            Mistake(
                "the order is reversed: the weights of the last steps stand first. Flip them back.",
                lambda r, gamma: _line_4(r, gamma).flip(1),
            ),
            Mistake(
                "you take the mean of what follows. A return is a sum.",
                lambda r, gamma: _line_4(r, gamma) / torch.arange(r.shape[1], 0, -1),
            ),
            Mistake(
                "at gamma = 0 you divide 0 by 0. Discount from the start of the episode, and no division is needed.",
                lambda r, gamma: _line_4(r, gamma) / _discounts(r, gamma) * _discounts(r, gamma),
            ),
            Mistake(
                "at gamma = 0 you divide 0 by 0, and gamma^t is missing. Discount from the start of the episode, and "
                "no division is needed.",
                lambda r, gamma: _line_4(r, gamma) / _discounts(r, gamma),
            ),
            Mistake(
                "the weight is 0 wherever the step's own reward is 0. What comes later counts there, too.",
                lambda r, gamma: _line_4(r, gamma) * (r != 0),
            ),
            Mistake(
                "the recursion runs from the front, so it adds up the past. Go from the last step to the first.",
                lambda r, gamma: _discounts(r, gamma) * _to_go(r.flip(1), gamma).flip(1),
            ),
            Mistake(
                "the last reward is left out. A slice that ends at -1 stops before it.",
                lambda r, gamma: _onward(torch.cat([r[:, :-1], 0 * r[:, -1:]], 1) * _discounts(r, gamma)),
            ),
            Mistake(
                "every step gets the total return, with gamma^t in front. An action cannot change the past: leave out "
                "what was earned before.",
                lambda r, gamma: _discounts(r, gamma) * (r * _discounts(r, gamma)).sum(1, keepdim=True),
            ),
            Mistake(
                "the powers of gamma in front are in reversed order: the first step has gamma to the power of 0.",
                lambda r, gamma: _to_go(r, gamma) * _discounts(r, gamma).flip(0),
            ),
            Mistake(
                "you multiply by gamma * t. It is gamma to the power of t.",
                lambda r, gamma: _to_go(r, gamma) * gamma * torch.arange(r.shape[1]),
            ),
            Mistake(
                "this is one number for each episode, its return. Each step has a weight of its own.",
                lambda r, gamma: (r * _discounts(r, gamma)).sum(1),
            ),
            Mistake(
                "it is divided by the number of steps. A return is a sum.",
                lambda r, gamma: _line_4(r, gamma) / r.shape[1],
            ),
            Mistake(
                "a single episode has lost its axis. Leave squeeze out: the shape is that of the rewards.",
                lambda r, gamma: _line_4(r, gamma).squeeze(),
            ),
            Mistake("the discount is 0.9, whatever `gamma` is.", lambda r, gamma: _line_4(r, 0.9)),
            Mistake(
                "the episodes are averaged. Each has weights of its own.", lambda r, gamma: _line_4(r, gamma).mean(0)
            ),
        ],
    ),
)


def _returns(rewards: Tensor, gamma: float) -> Tensor:
    return (rewards * _discounts(rewards, gamma)).sum(1)


def _estimate(pushes: Tensor, rewards: Tensor, gamma: float) -> Tensor:
    return (_returns(rewards, gamma) * pushes.sum(1)).mean()


def _pushes(episodes: int, steps: int, seed: int) -> Tensor:
    return torch.rand(episodes, steps, generator=torch.Generator().manual_seed(seed)) - 0.3


_ENDED = torch.tensor([[1.0, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]])

ESTIMATE = Exercise(
    name="estimate",
    objective="estimate the gradient from episodes alone",
    starter='''def estimated_gradient(pushes, rewards, gamma):
    """Pushes on one weight, and rewards, (episodes, steps), 0 after the end -> the estimate, one number."""
    discount = gamma ** torch.arange(rewards.shape[1])
    returns = (rewards * discount).sum(1)
    return (pushes * returns[:, None]).mean()


# find the bug, fix it above, and then write answer = estimated_gradient
answer = ...''',
    solution='''def estimated_gradient(pushes, rewards, gamma):
    """Pushes on one weight, and rewards, (episodes, steps), 0 after the end -> the estimate, one number."""
    discount = gamma ** torch.arange(rewards.shape[1])
    returns = (rewards * discount).sum(1)
    return (pushes * returns[:, None]).sum(1).mean()


answer = estimated_gradient''',
    hints=(
        "Read the formula with a finger on the code: which sums does it have, and over what is there a mean?",
        "Play one episode of two steps in your head, with pushes 1 and 1 and a return of 1. What should come out?",
        "Over the steps there is a sum; the 1/N belongs to the episodes alone.",
    ),
    why="The bug kept the direction, so that no test of the direction finds it. But it divided by the length of the "
    "longest episode in the batch, which is another one every time, and your step size with it.",
    judge=judge_function(
        _estimate,
        [
            Case("three episodes of different lengths", (_pushes(3, 4, 0) * _ENDED, _rewards(3, 4, 6) * _ENDED, 0.9)),
            Case("a single episode", (_pushes(1, 3, 1), _rewards(1, 3, 7), 0.9)),
            Case("episodes of one step", (_pushes(5, 1, 2), _rewards(5, 1, 8), 0.9)),
            Case("gamma = 1", (_pushes(4, 3, 3), _rewards(4, 3, 9), 1.0)),
            Case("gamma = 0", (_pushes(2, 3, 4), _rewards(2, 3, 10) + 3, 0.0)),
            Case("equal returns", (_pushes(3, 2, 5), torch.ones(3, 2), 0.8)),
        ],
        [
            Mistake(
                "it still divides by the number of steps. The formula adds up the pushes of an episode, and the "
                "rewards in its return; the 1/N belongs to the episodes.",
                lambda u, r, gamma: (u * _returns(r, gamma)[:, None]).mean(),
            ),
            Mistake(
                "now everything is summed, so that more episodes make a longer gradient. Divide by the number of "
                "episodes.",
                lambda u, r, gamma: (u * _returns(r, gamma)[:, None]).sum(),
            ),
            Mistake(
                "you divide by the number of steps that were played. The 1/N counts episodes: a long episode has more "
                "pushes, and they all count.",
                lambda u, r, gamma: (u * _returns(r, gamma)[:, None]).sum() / (u != 0).sum(),
            ),
            Mistake(
                "this is the mean return times the mean score. Multiply within each episode first: which push came "
                "with which return is all there is to learn.",
                lambda u, r, gamma: _returns(r, gamma).mean() * u.sum(1).mean(),
            ),
            Mistake("the discount is lost: these are plain sums of rewards.", lambda u, r, gamma: _estimate(u, r, 1.0)),
            Mistake(
                "each push is weighted by its own reward. In the formula it is weighted by the return of "
                "the whole episode.",
                lambda u, r, gamma: (u * r * _discounts(r, gamma)).sum(1).mean(),
            ),
            Mistake(
                "each push is weighted by its own reward, undiscounted. In the formula it is weighted by the return "
                "of the whole episode.",
                lambda u, r, gamma: (u * r).sum(1).mean(),
            ),
            Mistake(
                "these are the weights of line 4. On average they give the same; but here the first estimator is to be "
                "fixed, with the total return.",
                lambda u, r, gamma: (u * _line_4(r, gamma)).sum(1).mean(),
            ),
            Mistake(
                "you weight by G_t from each step on. The first estimator multiplies every push by the total return.",
                lambda u, r, gamma: (u * _to_go(r, gamma)).sum(1).mean(),
            ),
            Mistake(
                "you subtract the mean return. That is for notebook 06; this formula has no baseline.",
                lambda u, r, gamma: ((_returns(r, gamma) - _returns(r, gamma).mean()) * u.sum(1)).mean(),
            ),
            Mistake(
                "the sign is wrong. This is a gradient to climb, not a loss.",
                lambda u, r, gamma: -_estimate(u, r, gamma),
            ),
            Mistake(
                "this is one number for each episode. Average them: the estimate is one number.",
                lambda u, r, gamma: _returns(r, gamma) * u.sum(1),
            ),
            Mistake(
                "this is a mean of means: over the steps of each episode, then over the episodes. Over the steps the "
                "formula has a sum.",
                lambda u, r, gamma: (_returns(r, gamma) * (u.sum(1) / (u != 0).sum(1))).mean(),
            ),
            Mistake(
                "you divide by the number of steps, and sum over the episodes. It is the other way round: a sum over "
                "the steps, a mean over the episodes.",
                lambda u, r, gamma: (u * _returns(r, gamma)[:, None]).sum() / u.shape[1],
            ),
            Mistake(
                "one discount too many: R_1 counts in full, gamma to the power of 0.",
                lambda u, r, gamma: gamma * _estimate(u, r, gamma),
            ),
            Mistake(
                "you divide by the number of episodes twice: there is a mean and a division.",
                lambda u, r, gamma: _estimate(u, r, gamma) / len(u),
            ),
            Mistake(
                "you divide by N - 1. That is for a variance; a mean divides by N.",
                lambda u, r, gamma: (_returns(r, gamma) * u.sum(1)).sum() / (len(u) - 1),
            ),
            Mistake(
                "you took the median of the episodes. The formula has their mean.",
                lambda u, r, gamma: (_returns(r, gamma) * u.sum(1)).median(),
            ),
            Mistake(
                "this is a mean over the steps of each episode, so one number for each. Sum over the steps, and "
                "average over the episodes.",
                lambda u, r, gamma: (u * _returns(r, gamma)[:, None]).mean(1),
            ),
            Mistake(
                "each push is discounted, too. The return has the discount; a push counts in full at every step.",
                lambda u, r, gamma: (u * _discounts(r, gamma) * _returns(r, gamma)[:, None]).sum(1).mean(),
            ),
        ],
    ),
)

HOW_MANY = Exercise(
    name="how_many",
    objective="estimate the gradient from episodes alone",
    starter="""# 100 episodes weighted by the return-to-go: how many weighted by the total return have the same spread?
answer = ...""",
    solution="""answer = 100 * 3.3 / 2.1  # the variance of a mean is that of one episode, divided by N""",
    hints=(
        "On the right of the picture, start on the orange line at 100 and go level to the grey one.",
        "The exact variances of one episode were printed under line 4. What is the variance of a mean of N episodes?",
        "It is V / N. So 2.1 / 100 = 3.3 / N.",
    ),
    why="Less variance is worth as much as more episodes: leaving out the past saves a third of all playing here. At "
    "other weights of the same policy it saved from 0.4 % to 62 %.",
    judge=NumberJudge(
        100 * 3.3 / 2.1,
        {
            125.4: "you took the square root. The spread is the root of the variance, and falls with the root of N: "
            "both roots cancel, and N goes with the variance itself.",
            64.0: "the other way round: the total return is the noisier one, so it needs more episodes, not fewer.",
            247.0: "you squared the ratio. The printed numbers are variances already, not spreads.",
            100.0: "the two lines do not coincide: at the same N the total return has the larger spread.",
            57.0: "so many come on top. How many are there in all?",
            220.0: "you added the difference of the variances. What counts is their ratio.",
            1.571: "that is the ratio. Multiply the 100 episodes by it.",
            330.0: "you multiplied by the variance of the total return. What counts is the ratio of both.",
            1000.0: "that is the next mark of the axis. The lines are much closer than a factor of 10.",
            136.4: "a third of the variance is saved, and you added a third. What matters is what is left: two "
            "thirds, so divide by it.",
            133.3: "a third of the variance is saved, and you added a third. What matters is what is left: two "
            "thirds, so divide by it.",
            79.8: "the other way round, and the root of it: the total return is the noisier one, and N goes with the "
            "variance itself.",
            1.254: "that is the ratio of the spreads. N goes with the variances, and the 100 is missing.",
            210.0: "you multiplied by the variance of the return-to-go. What counts is the ratio of both.",
            120.0: "that is the difference of the variances, times 100. What counts is their ratio.",
            36.4: "that is the part of the variance that is saved, in percent. How many episodes make up for it?",
        },
        tolerance=0.05,
        near=0.015,
        otherwise="this is not it. V / N must be the same for both; the two V were printed under line 4.",
    ),
)

EXERCISES = (CLIMBS, TRICK, TRAJECTORY, ESTIMATE, LINE_4, HOW_MANY)
