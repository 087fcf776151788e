"""Learners' answers to the exercises of notebook 02."""

import math

import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

import pglesson


def by_loop(logits):
    rows = []
    for row in logits.tolist():
        largest = max(row)
        total = math.log(sum(math.exp(x - largest) for x in row))
        rows.append([x - largest - total for x in row])
    return torch.tensor(rows)


def row_by_row(logits):
    return torch.stack([row - row.max() - (row - row.max()).exp().sum().log() for row in logits])


def overflowing_rows(logits):
    out = torch.zeros_like(logits)
    for i, row in enumerate(logits):
        out[i] = row - torch.log(torch.exp(row).sum())
    return out


def in_place(logits):
    logits -= logits.max(-1, keepdim=True).values
    return logits - logits.exp().sum(-1, keepdim=True).log()


def score_by_autograd(logits, action):
    logits = logits.clone().requires_grad_(True)
    torch.log_softmax(logits, -1)[action].backward()
    return logits.grad


def score_by_loop(logits, action):
    e = [math.exp(x - max(logits.tolist())) for x in logits.tolist()]
    return [(1.0 if i == action else 0.0) - x / sum(e) for i, x in enumerate(e)]


def score_in_numpy(logits, action):
    z = logits.numpy().astype(np.float64)
    pi = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    onehot = np.zeros(len(z))
    onehot[action] = 1
    return onehot - pi


def policy_by_row(scores, temperature):
    rows = []
    for row in scores.tolist():
        e = [math.exp((x - max(row)) / temperature) for x in row]
        rows.append([x / sum(e) for x in e])
    return rows


def policy_in_numpy(scores, temperature):
    z = scores.numpy().astype(np.float64) / temperature
    e = np.exp(z - z.max(axis=1)[:, None])
    return e / e.sum(axis=1)[:, None]


def as_it_was(scores, temperature):
    powers = torch.exp(scores * temperature)
    return powers / powers.sum(0)


def only_the_axis(scores, temperature):
    powers = torch.exp(scores * temperature)
    return powers / powers.sum(1, keepdim=True)


def only_the_temperature(scores, temperature):
    powers = torch.exp(scores / temperature)
    return powers / powers.sum(0)


def not_the_large(scores, temperature):
    powers = torch.exp(scores / temperature)
    return (powers.T / powers.sum(1)).T


def not_the_temperature(scores, temperature):
    z = temperature * scores
    powers = torch.exp(z - z.amax(1, keepdim=True))
    return powers / powers.sum(1, keepdim=True)


def not_the_axis(scores, temperature):
    z = scores / temperature
    powers = torch.exp(z - z.amax(0))
    return powers / powers.sum(0)


def only_the_large(scores, temperature):
    z = scores * temperature
    powers = torch.exp(z - z.amax(0))
    return powers / powers.sum(0)


def scaled_in_place(scores, temperature):
    scores /= temperature
    return torch.softmax(scores, -1)


def without_keepdim(scores, temperature):
    powers = torch.exp(scores / temperature)
    return powers / powers.sum(-1)


def sample_subtracting(probabilities, u):
    for action, p in enumerate(probabilities):
        if u < p:
            return action
        u -= p
    return len(probabilities) - 1


def sample_by_search(probabilities, u):
    return np.searchsorted(np.cumsum(probabilities.numpy()), u, side="right")


def own_piece(probabilities, u):
    for action in range(len(probabilities)):
        if u < probabilities[action]:
            return action
    return -1


def all_but_the_last(given):
    """given: what it ends with, below its loop."""

    def sample(probabilities, u):
        total = 0.0
        for action in range(len(probabilities) - 1):
            total += probabilities[action]
            if u < total:
                return action
        return given

    return sample


def at_the_edge(probabilities, u):
    total = 0
    for action in range(len(probabilities)):
        total += probabilities[action]
        if u <= total:
            return action


def never_moves_on(probabilities, u):
    action, total = 0, 0.0
    while total <= u:
        total += probabilities[action] * 0
    return action


def endless(logits):
    while True:
        pass


def shifted(z):
    return z - z.amax(-1, keepdim=True)


def compares_first(probabilities, u):
    total = 0.0
    for action, p in enumerate(probabilities.tolist()):
        if u < total:
            return action
        total += p
    return len(probabilities) - 1


def two_layers(numbers, actions):
    return nn.Sequential(nn.Linear(numbers, 32), nn.Tanh(), nn.Linear(32, actions))


def behind_first(function, bias=True):
    return lambda n, m: nn.Sequential(nn.Linear(n, 32, bias=bias), function, nn.Linear(32, m, bias=bias))


def undecided_at_first(numbers, actions):
    network = two_layers(numbers, actions)
    nn.init.zeros_(network[2].weight)
    nn.init.zeros_(network[2].bias)
    return network


def all_zero(numbers, actions):
    network = two_layers(numbers, actions)
    for weight in network.parameters():
        nn.init.zeros_(weight)
    return network


def categorical(network, states):
    return Categorical(logits=network(states))


def module(forward_, make=two_layers):
    """A class whose forward is a function of its network and the states."""

    class Policy(nn.Module):
        def __init__(self, numbers, actions):
            super().__init__()
            self.network = make(numbers, actions)

        def forward(self, states):
            return forward_(self.network, states)

    return Policy


class ByParameters(nn.Module):
    def __init__(self, numbers, actions):
        super().__init__()
        self.first = nn.Parameter(torch.randn(numbers, 32) / numbers)
        self.second = nn.Parameter(torch.randn(32, actions) / 4)

    def forward(self, states):
        z = torch.tanh(states @ self.first) @ self.second
        return Categorical(logits=z - z.logsumexp(-1, keepdim=True))


class OneMatrixALayer(nn.Module):
    """Each layer's biases are the last row of its matrix."""

    def __init__(self, numbers, actions):
        super().__init__()
        self.layers = nn.ParameterList([torch.randn(numbers + 1, 32) / 2, torch.randn(33, actions) / 6])

    def forward(self, states):
        one = torch.ones(len(states), 1)
        hidden = torch.tanh(torch.cat([states, one], 1) @ self.layers[0])
        return Categorical(logits=torch.cat([hidden, one], 1) @ self.layers[1])


class LayersInAList(nn.Module):
    def __init__(self, numbers, actions):
        super().__init__()
        self.layers = [nn.Linear(numbers, 32), nn.Tanh(), nn.Linear(32, actions)]

    def forward(self, states):
        for layer in self.layers:
            states = layer(states)
        return Categorical(logits=states)


class LayersInForward(nn.Module):
    def __init__(self, numbers, actions):
        super().__init__()
        self.sizes = numbers, actions

    def forward(self, states):
        return Categorical(logits=two_layers(*self.sizes)(states))


class NoSuper(nn.Module):
    def __init__(self, numbers, actions):
        self.network = two_layers(numbers, actions)

    def forward(self, states):
        return Categorical(logits=self.network(states))


RIGHT = {
    "log_policy": [
        row_by_row,
        nn.LogSoftmax(-1),
        lambda z: torch.log_softmax(z.double(), 1),
        lambda z: z - torch.logsumexp(z, dim=1, keepdim=True),
        lambda z: torch.distributions.Categorical(logits=z).logits,
    ],
    "predict": [0.6, 3 / 5, torch.tensor(0.6), np.float32(0.6), torch.tensor([0.0, 0.0, math.log(3)]).softmax(0)[2]],
    "temperature": [
        policy_by_row,
        policy_in_numpy,
        lambda scores, t: torch.nn.functional.softmax(scores / t, dim=1),
        lambda scores, t: torch.distributions.Categorical(logits=scores.double() / t).probs,
    ],
    "sample": [
        sample_subtracting,
        sample_by_search,
        lambda p, u: (p.cumsum(0) <= u).sum(),
        lambda p, u: torch.nonzero(p.double().cumsum(0) > u)[0, 0],
        lambda p, u: float(next(a for a in range(len(p)) if sum(p[: a + 1].tolist()) > u)),
    ],
    "score": [score_by_autograd, score_by_loop, score_in_numpy],
    "module": [
        module(categorical),
        ByParameters,
        module(lambda net, s: Categorical(logits=net(s).log_softmax(-1))),
        module(lambda net, s: Categorical(net(s).softmax(-1))),
        module(lambda net, s: Categorical(probs=net(s).softmax(-1)), behind_first(nn.Tanh(), bias=False)),
        module(
            lambda net, s: Categorical(
                logits=2 * net[2](torch.sigmoid(2 * net[0](s))) - net[2].weight.sum(1) - net[2].bias
            )
        ),
        module(categorical, undecided_at_first),
        module(lambda net, s: Categorical(logits=net(s.double())), lambda n, m: two_layers(n, m).double()),
        OneMatrixALayer,
    ],
}
MISTAKES = {
    "log_policy": [
        (lambda z: torch.log_softmax(z, -1).max(-1).values, "the largest. Each"),
        (lambda z: z.exp() / z.exp().sum(-1, keepdim=True), "these are the probabilities"),
        (lambda z: torch.softmax(z, 1), "these are the probabilities"),
        (lambda z: z - torch.logsumexp(z, 0), "runs over the states"),
        (lambda z: z - torch.logsumexp(z.reshape(-1), 0), "whole batch"),
        (lambda z: torch.log(torch.softmax(z, dim=-1)), "rounded to zero"),
        (lambda z: z.double().softmax(-1).log(), "rounded to zero"),
        (overflowing_rows, "overflows for large logits"),
        (lambda z: -(z - torch.logsumexp(z, 1, keepdim=True)), "sign is wrong"),
        (lambda z: torch.log_softmax(z, -1) * math.log10(math.e), "base 10"),
        (lambda z: z - z.amax(-1, keepdim=True), "not the logarithm of the sum"),
        (
            lambda z: z - z.exp().log().sum(-1, keepdim=True).nan_to_num() * 0 - z.sum(-1, keepdim=True),
            "logarithm of each",
        ),
        (in_place, "in place"),
        (by_loop, "no derivative reaches"),
        (lambda z: torch.log_softmax(z.detach(), -1), "no derivative reaches"),
        (lambda z: torch.log_softmax(z, -1).numpy(), "NumPy array"),
        (lambda z: torch.log_softmax(z, -1)[:, 0], "shape"),
        (lambda z: z.log_softmax(), "raised a TypeError"),
        (endless, "had not come back"),
        (torch.tensor([0.5]), "must be a function"),
        (lambda z: (z.softmax(-1) + 1e-8).log(), "added or as a floor"),
        (lambda z: torch.log(torch.softmax(z, 1) + 1e-10), "added or as a floor"),
        (lambda z: z.softmax(-1).clamp(min=1e-8).log(), "added or as a floor"),
        (lambda z: z.softmax(-1).clamp_min(1e-10).log(), "added or as a floor"),
        (lambda z: (z - z.max()) - (z - z.max()).exp().sum(1, keepdim=True).log(), "of all states"),
        (lambda z: (z - z.max(0).values) - (z - z.max(0).values).exp().sum(1, keepdim=True).log(), "of each column"),
        (lambda z: z - shifted(z).exp().sum(1, keepdim=True).log(), "in the sum alone"),
        (lambda z: shifted(z) - shifted(z).exp().sum(1, keepdim=True), "as it is"),
        (lambda z: torch.log2(z.double().softmax(1)), "base 2"),
        (lambda z: torch.log(z), "logarithms of the logits"),
        (lambda z: z.logsumexp(1), "one number a row"),
        (lambda z: shifted(z) - shifted(z).exp().sum(1, keepdim=True).log().detach(), "carries no derivative"),
    ],
    "predict": [
        (3.0, "that is the exponential"),
        (1.0, "e\\^0 is 1"),
        (math.exp(math.log10(3)) / (2 + math.exp(math.log10(3))), "base 10"),
        (0.75, "two actions"),
        (0.2, "each of the other two"),
        (0.333, "equal logits"),
        (0.5, "undoes the logarithm"),
        (math.log(0.6), "its logarithm"),
        (60, "percentage"),
        (0.123, "three exponentials"),
        ("sixty", "must be one number"),
        (math.log(3), "the logit itself"),
        (0.4, "other two together"),
        (math.log(3) / (2 + math.log(3)), "third for log"),
        (5 / 3, "numerator and denominator"),
        (math.exp(3) / (2 + math.exp(3)), "e\\^3"),
    ],
    "temperature": [
        (lambda z, T: torch.softmax(-z / T, 1), "sign of the logits"),
        (
            lambda z, T: (e := (z / T - (z / T).mean(1, keepdim=True)).exp()) / e.sum(1, keepdim=True),
            "such as the mean",
        ),
        (lambda z, T: (e := (z / T - (z / T).amin(1, keepdim=True)).exp()) / e.sum(1, keepdim=True), "not its largest"),
        (lambda z, T: torch.softmax(z / T / T, 1), "twice"),
        (lambda z, T: (e := 10 ** shifted(z / T)) / e.sum(1, keepdim=True), "powers of 10"),
        (lambda z, T: torch.softmax(z / T, 1).argmax(1), "greedy actions"),
        (as_it_was, "none of the three"),
        (only_the_axis, "rows sum to 1 now"),
        (only_the_temperature, "temperature is right now"),
        (
            lambda scores, t: (z := (scores / t - scores[:, :1] / t).exp()) / z.sum(1, keepdim=True),
            "such as the mean or the first",
        ),
        (not_the_large, "two are repaired\\. Large"),
        (not_the_temperature, "two are repaired\\. The temperature"),
        (not_the_axis, "two are repaired\\. The sum"),
        (only_the_large, "are safe now"),
        (lambda s, t: torch.softmax(s, 1), "makes no difference"),
        (lambda s, t: s.softmax(1) / t, "divided the probabilities"),
        (lambda s, t: torch.softmax(s + t, 1), "makes no difference"),
        (lambda s, t: torch.softmax((s / t).reshape(-1), 0).reshape(s.shape), "whole batch"),
        (lambda s, t: (s / t) - (s / t).logsumexp(1, keepdim=True), "logarithms"),
        (scaled_in_place, "in place"),
        (without_keepdim, "raised a RuntimeError"),
        (lambda z, T: (e := shifted(z / T).exp()) / e.sum(0), "is right. The sum still runs"),
        (lambda z, T: (e := shifted(z * T).exp()) / e.sum(0), "still works the wrong way"),
        (lambda z, T: (e := (z / T - (z / T).max()).exp()) / e.sum(1, keepdim=True), "of all states"),
        (lambda z, T: (e := ((z - z.max(0).values) / T).exp()) / e.sum(1, keepdim=True), "of each column"),
        (lambda z, T: (e := shifted(z / T).exp()) / e.sum(), "whole array"),
        (lambda z, T: shifted(z / T).exp(), "do not sum to 1"),
        (
            lambda z, T: (e := (z / z.max(1, keepdim=True).values / T).exp()) / e.sum(1, keepdim=True),
            "divide by the largest",
        ),
        (lambda z, T: (e := (z / T).clamp(max=80).exp()) / e.sum(1, keepdim=True), "cut large logits"),
        (lambda z, T: torch.nn.functional.one_hot(z.argmax(1), z.shape[1]).float(), "greedy policy"),
        (lambda z, T: (e := (z / T - z.max(1, keepdim=True).values).exp()) / e.sum(1, keepdim=True), "Divide first"),
        (lambda z, T: torch.nan_to_num((e := (z / T).exp()) / e.sum(1, keepdim=True)), "NaN is replaced"),
        (lambda z, T: (e := shifted(z / T).exp()) / e.sum(1), "raised a RuntimeError"),
    ],
    "sample": [
        (lambda p, u: next((a for a in range(len(p)) if p[a] > u), len(p) - 1), "on its own"),
        (lambda p, u: int((p.cumsum(0) > u).sum()), "count the actions whose"),
        (lambda p, u: np.searchsorted(np.cumsum(p.numpy()), u), "falls on the edge"),
        (at_the_edge, "falls on the edge"),
        (lambda p, u: int(np.argmax(p.numpy())), "greedy action"),
        (own_piece, "on its own\\."),
        (lambda p, u: int(sum(x <= u for x in p)), "on its own, and count"),
        (lambda p, u: 1 + sample_subtracting(p, u), "one too high"),
        (lambda p, u: int((p.cumsum(0) <= u).sum()) - 1, "lies below u"),
        (lambda p, u: max(0, int((p.cumsum(0) <= u).sum()) - 1), "lies below u"),
        *((all_but_the_last(given), "the last action is never drawn") for given in (None, 0, -1)),
        (lambda p, u: min(sample_by_search(p, u), len(p) - 2), "the last action is never drawn"),
        (lambda p, u: max(0, min(sample_by_search(p, u), len(p) - 2)), "the last action is never drawn"),
        (lambda p, u: math.floor(len(p) * u), "equally likely"),
        (lambda p, u: len(p) - 1 - int((p.flip(0).cumsum(0) <= u).sum()), "last action to the first"),
        (lambda p, u: sample_by_search(torch.softmax(p, 0), u), "a softmax too many"),
        (lambda p, u: min(range(len(p)), key=lambda a: abs(p[a] - u)), "probability is nearest"),
        (lambda p, u: np.abs(np.cumsum(p.numpy()) - u).argmin(), "running total is nearest"),
        (lambda p, u: p[sample_subtracting(p, u)], "probability of the action"),
        (lambda p, u: nn.functional.one_hot((p.cumsum(0) <= u).sum(), len(p)), "a row with a 1"),
        (lambda p, u: torch.multinomial(p, 1).item(), "of its own"),
        (lambda p, u: np.random.default_rng().choice(len(p)), "of its own"),
        (lambda p, u: torch.multinomial(p), "raised a TypeError"),
        (never_moves_on, "had not come back"),
        (lambda p, u: int(np.argmax(p.numpy() > u)), "on its own"),
        (
            lambda p, u: int(
                (order := np.argsort(-p.numpy(), kind="stable"))[np.searchsorted(p.numpy()[order].cumsum(), u, "right")]
            ),
            "sort the actions",
        ),
        *((lambda p, u, d=d: int((p.sort(descending=d).values.cumsum(0) <= u).sum()), "sort the") for d in (0, 1)),
        (compares_first, "one action too far"),
        (lambda p, u: p.cumsum(0) > u, "whether its running total"),
    ],
    "score": [
        (lambda z, a: 1 - z.softmax(0)[a], "entry alone"),
        (lambda z, a: (torch.eye(len(z))[a] - z.softmax(0)) / z.softmax(0)[a], "divided by pi of the chosen"),
        (lambda z, a: torch.eye(len(z))[a] - 1 / len(z), "same probability, 1 / n"),
        (lambda z, a: torch.softmax(z, 0) - nn.functional.one_hot(torch.tensor(a), len(z)), "sign is wrong"),
        (
            lambda z, a: torch.tensor([1 - p if i == a else 0 for i, p in enumerate(z.softmax(0).tolist())]),
            "only the chosen action",
        ),
        (lambda z, a: torch.autograd.functional.jacobian(lambda y: y.softmax(0)[a], z), "gradient of the probability"),
        (lambda z, a: nn.functional.one_hot(torch.tensor(a), len(z)) - z, "as they are"),
        (lambda z, a: nn.functional.one_hot(torch.tensor(a), len(z)) - z.log_softmax(0), "log-probabilities"),
        (lambda z, a: torch.ones_like(z) - z.softmax(0), "at every action"),
        (lambda z, a: 0 - z.softmax(0), "is missing"),
        (lambda z, a: torch.tensor([1 / p if i == a else 0.0 for i, p in enumerate(z.softmax(0))]), "chain rule"),
        (lambda z, a: nn.functional.one_hot(z.argmax(), len(z)) - z.softmax(0), "greedy action"),
        (lambda z: z, "raised a TypeError"),
        (lambda z, a: torch.where(torch.arange(len(z)) == a, 1.0, -z.softmax(0)), "chosen action's entry is 1"),
        (lambda z, a: torch.eye(len(z))[a] - z.softmax(0)[a], "same number"),
        (lambda z, a: z.softmax(0) * (torch.eye(len(z))[a] - z.softmax(0)), "its own probability"),
        (lambda z, a: abs(torch.eye(len(z))[a] - z.softmax(0)), "pushed up, too"),
        (lambda z, a: torch.eye(len(z))[a] - z.exp(), "not divided by their sum"),
        (lambda z, a: torch.eye(len(z))[a] - z.exp() / z.exp().sum(), "overflows"),
        (lambda z, a: torch.eye(len(z)) - z.softmax(0), "a row for every action"),
        (lambda z, a: z.log_softmax(0), "log pi itself"),
        (lambda z, a: z.log_softmax(0)[a], "log pi of the action"),
        (lambda z, a: torch.eye(len(z)).roll(1, 0)[(a + 2) % len(z)] - z.softmax(0), "too far"),
        (lambda z, a: torch.eye(len(z))[a - 1] - z.softmax(0), "too early"),
        (lambda z, a: torch.eye(len(z))[a], "only the 1"),
        (lambda z, a: nn.functional.one_hot(torch.tensor(a)) - z.softmax(0), "how many actions there are"),
        (lambda z, a: torch.autograd.functional.jacobian(lambda y: y.log_softmax(0).sum(), z), "of all actions before"),
        (lambda z, a: torch.eye(3)[a] - z.softmax(0), "No argument has an axis of length 3"),
    ],
    "module": [
        (module(lambda net, s: net(s)), "such as logits, and not yet"),
        (module(lambda net, s: net(s).softmax(-1)), "gives probabilities and not yet"),
        (module(lambda net, s: Categorical(logits=net(s)).sample()), "tensor of shape \\(5,\\)"),
        (module(lambda net, s: torch.distributions.Bernoulli(logits=net(s))), "must give a torch.distributions.Categ"),
        (module(lambda net, s: Categorical(logits=net(s).mean(0))), "shape \\(4,\\): \\(5, 4\\) is right"),
        (module(lambda net, s: Categorical(logits=net(s).T)), "shape \\(4, 5\\)"),
        (module(lambda net, s: Categorical(probs=net(s).softmax(0))), "depends on which other states"),
        (module(lambda net, s: Categorical(logits=net(s).detach())), "no gradient reaches"),
        (module(lambda net, s: Categorical(logits=net(0 * s))), "same in every state"),
        (module(categorical, lambda n, m: nn.Linear(n, m)), "one linear map"),
        (module(categorical, behind_first(nn.ReLU())), "after the first layer comes a ReLU"),
        (module(categorical, behind_first(nn.Sigmoid())), "after the first layer comes a sigmoid"),
        (module(categorical, behind_first(nn.Hardtanh())), "give another policy"),
        (module(categorical, behind_first(nn.Dropout(0.2))), "asked twice"),
        (module(lambda net, s: Categorical(net(s))), "Write logits="),
        (module(lambda net, s: Categorical(logits=net(s).softmax(-1))), "whose probabilities are given as logits"),
        (module(lambda net, s: Categorical(net(s).sigmoid())), "a sigmoid, given as probabilities"),
        (module(lambda net, s: Categorical(net(s).log_softmax(-1))), "a log-softmax, given as probabilities"),
        (module(lambda net, s: pglesson.Categorical(net(s))), "this package's Categorical"),
        (
            module(categorical, lambda n, m: nn.Sequential(nn.Linear(n, 64), nn.Tanh(), nn.Linear(64, m))),
            "516 weights and biases. With one hidden layer of 32 units there are 260",
        ),
        (module(categorical, behind_first(nn.Identity())), "after the first layer comes nothing"),
        (
            module(categorical, lambda n, m: nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 4))),
            "2 numbers, 3 actions",
        ),
        (module(lambda net, s: Categorical(logits=net(s).tanh())), "after the second a tanh"),
        (module(categorical, all_zero), "all weights are 0 at first"),
        (LayersInAList, "has no parameters"),
        (LayersInForward, "has no parameters"),
        (NoSuper, "begin with super"),
        (ByParameters(3, 4), "made already"),
        (lambda states: Categorical(logits=states), "extends torch.nn.Module"),
        (nn.Linear, "such as logits|tensor of shape"),
    ],
}
