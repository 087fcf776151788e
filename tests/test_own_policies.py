"""Policies that learners bring: what works, with the right gradient, and what is refused in a sentence."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
import tiny_envs
import torch
import torch.nn.utils.prune
from gymnasium import spaces
from tiny_envs import Scripted, number_box
from torch import Tensor, nn
from torch.distributions import Bernoulli, Beta, Binomial, Independent, Normal, Poisson
from torch.distributions import Categorical as TorchCategorical

import pglesson
from pglesson import Categorical, DiagGaussian, Settings, make_envs, make_policy, play_episodes, reinforce
from pglesson.errors import OTHER_AT_UPDATE
from pglesson.own_policies import copy_policy

CART = {"env": "CartPole-v1", "episodes": 6, "updates": 3, "learning_rate": 0.01}


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return make()


def train(policy: nn.Module, **settings: Any) -> list[Any]:
    return list(reinforce(Settings(**(CART | settings)), policy))


class Net(nn.Module):
    """Whatever `give(self, hidden, observations)` gives, after a hidden layer."""

    def __init__(self, give: Callable[..., Any], outputs: int = 2, inputs: int = 4) -> None:
        super().__init__()
        self.give, self.body = give, nn.Linear(inputs, 8)
        self.head, self.v, self.log_std = nn.Linear(8, outputs), nn.Linear(8, 1), nn.Parameter(torch.zeros(outputs))
        self.sigma = nn.Parameter(torch.ones(outputs))

    def forward(self, x: Tensor) -> Any:
        return self.give(self, self.body(x).tanh(), x)


def mlp(*last: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2), *last)


# --- what is no logit, and no log sigma -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "last",
    [nn.Softmax(-1), nn.Softmax(1), nn.Sigmoid(), nn.Softmax(0), nn.Sequential(nn.Softmax(-1), nn.Hardtanh(1e-3, 1))],
    ids=["softmax", "softmax over 1", "sigmoid", "softmax over the batch", "clamped"],
)
def test_probabilities_in_place_of_logits_raise(last: nn.Module) -> None:
    with pytest.raises(ValueError, match=r"gives probabilities, but logits are needed.*Leave the softmax"):
        train(mlp(last))


def test_probabilities_made_by_hand_raise() -> None:
    def by_hand(self: Net, h: Tensor, x: Tensor) -> Tensor:
        p = self.head(h).exp()
        return p / p.sum(-1, keepdim=True)

    with pytest.raises(ValueError, match="gives probabilities"):
        train(Net(by_hand))


def test_probabilities_that_are_certain_raise() -> None:
    """Pixels of 255 that are not scaled make a softmax say 0 and 1."""
    with pytest.raises(ValueError, match="gives probabilities"):
        train(Net(lambda self, h, x: (1e6 * self.head(h)).softmax(-1)))


@pytest.mark.parametrize(
    "wrap", [lambda p: TorchCategorical(logits=p), lambda p: Independent(TorchCategorical(logits=p), 0)]
)
def test_probabilities_given_to_torch_as_logits_raise(wrap: Callable[[Tensor], Any]) -> None:
    with pytest.raises(ValueError, match="gives probabilities"):
        train(Net(lambda self, h, x: wrap(self.head(h).softmax(-1))))
    assert len(train(Net(lambda self, h, x: wrap(self.head(h))))) == 3


def test_a_sigmoid_given_to_torch_as_logits_raises() -> None:
    env = task(spaces.MultiBinary(3), lambda action: 0.0)
    with pytest.raises(ValueError, match="gives probabilities"):
        train(Net(lambda self, h, x: Bernoulli(logits=self.head(h).sigmoid()), 3, 1), env=env)


@pytest.mark.parametrize(
    "policy",
    [
        mlp(nn.LogSoftmax(-1)),
        mlp(nn.Tanh()),
        mlp(nn.ReLU()),
        Net(lambda self, h, x: self.head(h).sigmoid() - 0.5),
        Net(lambda self, h, x: self.head(h).softmax(-1).log()),
        Net(lambda self, h, x: TorchCategorical(probs=self.head(h).softmax(-1))),
    ],
    ids=["log-softmax", "tanh", "relu", "shifted sigmoid", "log of softmax", "torch's own of probabilities"],
)
def test_logits_of_any_kind_train(policy: nn.Module) -> None:
    assert len(train(policy)) == 3


def test_a_one_hot_table_of_preferences_is_no_probability() -> None:
    table = nn.Linear(3, 3, bias=False)
    nn.init.eye_(table.weight)
    gymnasium.register(
        "own/Table-v0",
        Scripted,
        disable_env_checker=True,
        kwargs={"observations": spaces.Discrete(3), "actions": spaces.Discrete(3)},
    )
    assert len(train(table, env="own/Table-v0")) == 3


def test_a_policy_that_names_its_distribution_is_believed() -> None:
    policy = mlp(nn.Softmax(-1))
    policy.distribution = Categorical  # type: ignore[assignment]
    assert len(train(policy)) == 3


ARM = {"env": "pglesson/PlanarArm-v0", "episodes": 6, "updates": 2, "env_options": {"joints": 2}}


@pytest.mark.parametrize(
    ("give", "words"),
    [
        (lambda self, h, x: (self.head(h), self.log_std.exp().expand_as(self.head(h))), "looks like sigma"),
        (lambda self, h, x: (self.head(h), nn.functional.softplus(self.head(h))), "looks like sigma"),
        (lambda self, h, x: (self.head(h), nn.functional.softplus(self.head(h)) + 1e-3), "looks like sigma"),
        (lambda self, h, x: (self.head(h), self.head(h).exp().clamp(0.1, 2)), "looks like sigma"),
        (lambda self, h, x: (self.head(h), self.head(h).square() + 0.1), "looks like sigma"),
        (lambda self, h, x: (self.head(h), 2 * self.head(h).sigmoid()), "looks like sigma"),
        (lambda self, h, x: (self.head(h), torch.log1p(self.head(h).exp())), "looks like sigma"),
        (lambda self, h, x: (self.head(h), torch.logaddexp(self.head(h), 0 * self.head(h))), "looks like sigma"),
        (lambda self, h, x: (self.head(h), 1 / (1 + self.head(h) ** 2)), "looks like sigma"),
        (lambda self, h, x: (self.head(h), h.norm(dim=-1, keepdim=True).expand(-1, 2)), "looks like sigma"),
        (lambda self, h, x: (self.head(h), torch.stack([self.v(h)[:, 0].exp()] * 2, -1)), "looks like sigma"),
        (
            lambda self, h, x: (self.head(h), torch.where(x[:, :1] > 0, self.head(h).exp(), h.exp()[:, :2])),
            "like sigma",
        ),
        (lambda self, h, x: (self.head(h), self.sigma.expand_as(self.head(h))), "looks like sigma"),
        (lambda self, h, x: (self.head(h), self.log_std.exp().expand_as(self.head(h)), self.v(h)), "looks like sigma"),
        (lambda self, h, x: (self.head(h), self.v(h).expand(-1, 2)), "looks like a value"),
        (lambda self, h, x: (self.head(h) + 1e3, self.log_std.expand_as(self.head(h))), "beyond the bounds of Box"),
        (lambda self, h, x: Normal(self.head(h) - 1e3, 1.0), "beyond the bounds of Box"),
    ],
)
def test_what_is_no_mu_and_log_sigma_raises(give: Callable[..., Any], words: str) -> None:
    size = make_envs(ARM["env"], 1, joints=2).single_observation_space.shape[0]
    with pytest.raises(ValueError, match=words):
        train(Net(give, 2, size), **ARM)


@pytest.mark.parametrize(
    "give",
    [
        lambda self, h, x: (self.head(h), self.log_std.expand_as(self.head(h))),
        lambda self, h, x: (self.head(h), self.head(h)),
        lambda self, h, x: (self.head(h), self.head(h).clamp(-5, 2)),
        lambda self, h, x: (self.head(h), -5 + 3.5 * (self.head(h).tanh() + 1)),
        lambda self, h, x: (self.head(h), -5 + 7 * self.head(h).sigmoid()),
        lambda self, h, x: (self.head(h), (self.log_std + 0.7).expand_as(self.head(h))),
        lambda self, h, x: (self.head(h), nn.functional.softplus(self.head(h)).log()),
        lambda self, h, x: (self.head(h), self.log_std.expand_as(self.head(h)), self.v(h)),
        lambda self, h, x: Normal(self.head(h), self.log_std.exp()),
        lambda self, h, x: (Normal(self.head(h), self.log_std.exp()), self.v(h)),
        lambda self, h, x: Independent(Normal(self.head(h), self.log_std.exp()), 1),
        lambda self, h, x: Beta(1 + self.head(h).exp(), 1 + self.head(h).exp()),
    ],
)
def test_mu_and_log_sigma_of_any_kind_train(give: Callable[..., Any]) -> None:
    size = make_envs(ARM["env"], 1, joints=2).single_observation_space.shape[0]
    assert len(train(Net(give, 2, size), **ARM)) == 2


@pytest.mark.parametrize("number", [1.0, 0.1, 0.0, -1.0])
def test_a_constant_that_may_be_sigma_is_remarked_on(number: float) -> None:
    """A log sigma below 0 is no standard deviation."""
    policy = Net(lambda self, h, x: (self.head(h), torch.full_like(self.head(h), number)), 1, 1)
    if number <= 0:
        assert len(train(policy, env="tiny/Echo-v0")) == 3
        return
    with pytest.warns(
        UserWarning, match=f"constant, such as {number:g}, .*for log sigma: sigma is {np.exp(number):.3g}"
    ):
        train(policy, env="tiny/Echo-v0")
    policy.distribution = DiagGaussian  # type: ignore[assignment]
    assert len(train(policy, env="tiny/Echo-v0")) == 3


class TwoHeads(nn.Module):
    """mu and something else, from layers with a name of its own for the second; or both from one layer."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.first, self.name = nn.Linear(1, 2), name
        self.add_module(name or "unused", nn.Linear(1, 1))

    def forward(self, x: Tensor) -> Any:
        if not self.name:
            return self.first(x).chunk(2, -1)
        return self.first(x)[:, :1], getattr(self, self.name)(x)


@pytest.mark.parametrize("name", ["l3", "out", "fc2"])
def test_a_head_that_may_be_a_value_is_remarked_on(name: str) -> None:
    with pytest.warns(UserWarning, match=f"from '{name}.bias', is taken for log sigma. If it is a value, give"):
        train(TwoHeads(name), env="tiny/Echo-v0")


@pytest.mark.parametrize("name", ["", "log_sigma", "logstd_head", "spread"])
def test_a_head_that_is_no_value_is_not(name: str) -> None:
    assert len(train(TwoHeads(name), env="tiny/Echo-v0")) == 3


def test_a_sigma_that_is_called_log_sigma_is_believed() -> None:
    policy = Net(lambda self, h, x: (self.head(h), nn.functional.softplus(self.head(h))), 1, 1)
    policy.distribution = DiagGaussian  # type: ignore[assignment]
    assert len(train(policy, env="tiny/Echo-v0")) == 3


# --- logits with a value, and a trunk that they share -----------------------------------------------------------------


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("torchs", [False, True])
def test_a_value_at_the_end_is_left_out(flat: bool, torchs: bool) -> None:
    """Oracle: the same network without it. The value's head gets no gradient, and the trunk that of the logits."""

    def give(self: Net, h: Tensor, x: Tensor) -> Any:
        value = self.v(h)[:, 0] if flat else self.v(h)
        return (TorchCategorical(logits=self.head(h)) if torchs else self.head(h)), value

    both = seeded(lambda: Net(give))
    alone = seeded(lambda: Net(lambda self, h, x: give(self, h, x)[0]))
    for a, b in zip(train(both), train(alone), strict=True):
        np.testing.assert_array_equal(a.returns, b.returns)
        np.testing.assert_array_equal(a.loss, b.loss)
    assert both.body.weight.equal(alone.body.weight) and both.v.weight.grad is None


def test_a_tuple_of_logits_alone_is_logits() -> None:
    one, alone = (
        seeded(lambda: Net(lambda self, h, x: (self.head(h),))),
        seeded(lambda: Net(lambda self, h, x: self.head(h))),
    )
    for a, b in zip(train(one), train(alone), strict=True):
        np.testing.assert_array_equal(a.loss, b.loss)


# --- what is no function of a row -------------------------------------------------------------------------------------


class WithState(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.head, self.h = nn.GRUCell(4, 8), nn.Linear(8, 2), None

    def forward(self, x: Tensor) -> Tensor:
        if self.h is None or len(self.h) != len(x):
            self.h = torch.zeros(len(x), 8)
        self.h = self.cell(x, self.h.detach().clone())
        return self.head(self.h)


class Statistics(nn.Module):
    """Running mean and variance: in buffers, or in plain attributes."""

    def __init__(self, buffers: bool) -> None:
        super().__init__()
        self.head = nn.Linear(4, 2)
        if buffers:
            self.register_buffer("mean", torch.zeros(4))
        else:
            self.mean = torch.zeros(4)

    def forward(self, x: Tensor) -> Tensor:
        self.mean = self.mean * 0.99 + 0.01 * x.detach().mean(0)
        return self.head(x - self.mean)


class Sequence(nn.Module):
    def __init__(self, kind: type[nn.RNNBase], **options: Any) -> None:
        super().__init__()
        self.rnn = kind(4, 8, **options)
        self.head = nn.Linear(16 if options else 8, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x)[0])


DEPENDENT = {
    "dropout": (lambda: nn.Sequential(nn.Dropout(0.5), mlp()), "is a Dropout"),
    "alpha dropout": (
        lambda: nn.Sequential(nn.Linear(4, 8), nn.SELU(), nn.AlphaDropout(0.1), nn.Linear(8, 2)),
        "AlphaDr",
    ),
    "functional dropout": (lambda: Net(lambda s, h, x: s.head(nn.functional.dropout(h, 0.5))), "asked for the same"),
    "noise": (lambda: Net(lambda s, h, x: s.head(h + 0.1 * torch.randn_like(h))), "asked for the same"),
    "batch norm": (lambda: nn.Sequential(nn.BatchNorm1d(4), mlp()), "is a BatchNorm1d"),
    "sync batch norm": (
        lambda: nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8, affine=False), nn.Linear(8, 2)),
        "'1' is a",
    ),
    "mean over the batch": (lambda: Net(lambda s, h, x: s.head(h - h.mean(0))), "when others are asked for beside it"),
    "norm over the batch": (lambda: Net(lambda s, h, x: s.head(h / h.norm())), "when others are asked for beside it"),
    "attention over the batch": (
        lambda: Net(lambda s, h, x: s.head((h @ h.T).softmax(-1) @ h)),
        "when others are asked for beside it",
    ),
    "number of the row": (lambda: Net(lambda s, h, x: s.head(h + torch.arange(len(x))[:, None])), "when others are"),
    "lstm": (lambda: Sequence(nn.LSTM), "when others are asked for beside it"),
    "two-sided lstm": (lambda: Sequence(nn.LSTM, bidirectional=True), "when others are asked for beside it"),
    "gru": (lambda: Sequence(nn.GRU), "when others are asked for beside it"),
    "hidden state": (WithState, "asked for the same observations again"),
    "statistics in a buffer": (lambda: Statistics(True), "asked for the same observations again"),
    "statistics in an attribute": (lambda: Statistics(False), "asked for the same observations again"),
}


@pytest.mark.parametrize("episodes", [1, 6])
@pytest.mark.parametrize("name", DEPENDENT)
def test_what_is_no_function_of_a_row_raises(name: str, episodes: int) -> None:
    make, words = DEPENDENT[name]
    with pytest.raises(ValueError, match=words):
        train(seeded(make), episodes=episodes)


def without_gradient(self: Net, h: Tensor, x: Tensor) -> Tensor:
    return self.head(h) * (1 if torch.is_grad_enabled() else 3)


def test_what_another_mode_of_torchs_decides_raises() -> None:
    """It is played without a gradient."""
    with pytest.raises(ValueError, match="asked for the same observations again"):
        train(Net(without_gradient))


def test_rows_in_the_place_of_actions_raise() -> None:
    """With as many episodes as actions the shapes agree."""
    with pytest.raises(ValueError, match="when others are asked for beside it"):
        train(Net(lambda self, h, x: self.head(h).T), episodes=2)


def test_a_distribution_of_all_rows_at_once_raises() -> None:
    with pytest.raises(ValueError, match=r"batch shape \(\) for 6 observations.*Of Independent"):
        train(Net(lambda self, h, x: Independent(Normal(self.head(h), 1.0), 2), 1, 3), env="Pendulum-v1")


@pytest.mark.parametrize("kind", [torch.int64, torch.complex64])
def test_numbers_without_a_gradient_raise(kind: torch.dtype) -> None:
    with pytest.raises(ValueError, match=f"of the type {kind}, but must give real ones"):
        train(Net(lambda self, h, x: self.head(h).to(kind)))


def test_a_logit_of_plus_infinity_is_not_finite() -> None:
    with pytest.raises(FloatingPointError, match="not finite"):
        train(Net(lambda self, h, x: self.head(h) + torch.tensor([torch.inf, 0])))


@pytest.mark.parametrize(
    "give",
    [
        lambda self, h, x: Normal(self.head(h)[:, 0], 1.0),
        lambda self, h, x: Poisson(self.head(h)[:, 0].exp() + 3),
        lambda self, h, x: Binomial(5, logits=self.head(h)[:, 0] + 3),
    ],
)
@pytest.mark.parametrize("env", ["CartPole-v1", "tiny/Starts-v0"])
def test_actions_that_are_none_of_the_options_raise(give: Callable[..., Any], env: str) -> None:
    """Cut to a whole number, 0.7 would be played as 0, with the density of 0.7."""
    inputs = {"CartPole-v1": 4, "tiny/Starts-v0": 3}[env]
    with pytest.raises(ValueError, match="must choose whole numbers from 0 on, one for each option"):
        train(Net(give, 2, inputs), env=env)


def test_a_distribution_of_two_options_in_floats_trains() -> None:
    assert len(train(Net(lambda self, h, x: Bernoulli(logits=self.head(h)[:, 0])))) == 3


@pytest.mark.parametrize("name", ["dropout", "batch norm", "functional"])
def test_what_is_switched_on_while_training_runs_raises(name: str) -> None:
    make = {"functional": lambda: Net(lambda s, h, x: s.head(nn.functional.dropout(h, 0.5, s.training)))}.get(name)
    policy = seeded(make or DEPENDENT[name][0]).eval()
    training = reinforce(Settings(**CART), policy)
    next(training)
    policy.train()
    with pytest.raises(ValueError, match=OTHER_AT_UPDATE):
        next(training)


def test_a_layer_that_is_added_while_training_runs_is_asked_about() -> None:
    policy = mlp()
    training = reinforce(Settings(**CART), policy)
    next(training)
    policy.append(nn.Softmax(-1))
    with pytest.raises(ValueError, match="gives probabilities"):
        next(training)


@pytest.mark.parametrize("own", [True, False])
def test_a_layer_that_is_replaced_while_training_runs_raises(own: bool) -> None:
    settings = Settings(**CART)
    policy: Any = mlp() if own else make_policy(settings)
    layers = policy if own else policy.logits
    training = reinforce(settings, policy)
    next(training)
    layers[2] = copy.deepcopy(layers[2])
    with pytest.raises(ValueError, match="other parameters than when training began"):
        next(training)


def test_weights_may_be_changed_in_place_and_pruned_while_training_runs() -> None:
    policy = mlp()
    training = reinforce(Settings(**CART), policy)
    next(training)
    policy.load_state_dict(mlp().state_dict())
    next(training)
    torch.nn.utils.prune.l1_unstructured(policy[0], "weight", 0.5)
    next(training)
    assert (policy[0].weight == 0).sum() >= 16


@pytest.mark.parametrize("name", ["dropout", "batch norm", "alpha dropout"])
def test_what_eval_switches_off_trains_then(name: str) -> None:
    assert len(train(seeded(DEPENDENT[name][0]).eval())) == 3


# --- stateless modules of any make ------------------------------------------------------------------------------------


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)
        self.second.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.second(self.first(x).tanh()).tanh())


class KeepsItsOutput(nn.Module):
    """As tutorials do: the last output, and all log-probabilities so far."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.saved = mlp(), list[Tensor]()

    def forward(self, x: Tensor) -> Tensor:
        self.last = self.net(x)
        self.saved.append(self.last)
        return self.last


def frozen() -> nn.Module:
    policy = mlp()
    policy[0].requires_grad_(False)
    return policy


def with_old_weight_norm() -> nn.Module:
    policy = mlp()
    with pytest.warns(FutureWarning):
        torch.nn.utils.weight_norm(policy[0])
    return policy


STATELESS: dict[str, Callable[[], nn.Module]] = {
    "layer norm": lambda: nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Tanh(), nn.Linear(8, 2)),
    "tied": Tied,
    "frozen": frozen,
    "lazy": lambda: nn.Sequential(nn.LazyLinear(8), nn.Tanh(), nn.LazyLinear(2)),
    "old weight norm": with_old_weight_norm,
    "weight norm": lambda: nn.Sequential(torch.nn.utils.parametrizations.weight_norm(nn.Linear(4, 8)), nn.Linear(8, 2)),
    "float64": lambda: mlp().double(),
    "bfloat16": lambda: mlp().bfloat16(),
    "keeps its output": KeepsItsOutput,
    "dropout of 0": lambda: nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.0), nn.Linear(8, 2)),
    "in place": lambda: Net(lambda s, h, x: s.head(s.body(x.sub_(1).mul_(2)).tanh())),
    "sequence of one": lambda: Net(lambda s, h, x: s.head(h.unsqueeze(1)).squeeze(1)),
    "scripted": lambda: torch.jit.script(mlp()),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore:There is a performance drop")
@pytest.mark.parametrize("name", STATELESS)
def test_stateless_modules_train_measure_and_are_copied(name: str) -> None:
    policy = seeded(STATELESS[name])
    measured = name not in ("scripted", "keeps its output")  # of which torch.func makes no gradient of one episode
    settings = {"measure_variance": measured, "measure_change": True, "kl_weight": 0.1, "policy_epochs": 2}
    updates = train(policy, **settings)
    assert len(updates) == 3 and all(np.isfinite(update.loss).all() for update in updates)
    assert updates[0].gradient_norm > 0 and updates[0].policy_change > 0
    copied, x = copy_policy(policy), torch.randn(3, 4).to(next(policy.parameters()).dtype)
    with torch.no_grad():
        torch.testing.assert_close(copied(x.clone()), policy(x.clone()))
    assert not {w.data_ptr() for w in copied.parameters()} & {w.data_ptr() for w in policy.parameters()}


def test_frozen_weights_stay() -> None:
    policy = seeded(frozen)
    before = copy.deepcopy(policy)
    train(policy)
    assert policy[0].weight.equal(before[0].weight) and not policy[2].weight.equal(before[2].weight)


@pytest.mark.skipif(shutil.which("c++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_policy_trains() -> None:
    """Oracle: the same network, not compiled; eager mode of the compiler, which needs no minutes."""
    plain = seeded(mlp)
    compiled = torch.compile(copy.deepcopy(plain), backend="aot_eager")
    for a, b in zip(train(plain), train(compiled), strict=True):
        np.testing.assert_allclose(a.loss, b.loss, rtol=1e-4, atol=1e-5)


def test_float64_gives_the_gradient_of_float32() -> None:
    first = [seeded(mlp), seeded(mlp).double()]
    first[1].load_state_dict(first[0].state_dict())
    a, b = (train(policy, updates=1)[0] for policy in first)
    np.testing.assert_allclose(a.gradient_norm, b.gradient_norm, rtol=1e-3)


@pytest.fixture
def float64_by_default() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("env", ["CartPole-v1", "pglesson/PlanarArm-v0"])
def test_another_default_dtype_changes_nothing(env: str, float64_by_default: None) -> None:
    settings = Settings(env=env, episodes=4, updates=2, baseline="value", gae_lambda=0.9, measure_variance=True)
    wide = [update.loss.tolist() for update in reinforce(settings)]
    torch.set_default_dtype(torch.float32)
    assert wide == [update.loss.tolist() for update in reinforce(settings)]


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("own", [False, True])
def test_gradients_switched_off_around_the_training_change_nothing(mode: Any, own: bool) -> None:
    settings = Settings(env="CartPole-v1", episodes=4, updates=2, baseline="value", kl_weight=0.1)
    expected = [update.loss.tolist() for update in reinforce(settings, seeded(mlp) if own else None)]
    policy = seeded(mlp) if own else None
    with mode():
        assert [update.loss.tolist() for update in reinforce(settings, policy)] == expected
        assert torch.is_grad_enabled() is False


def test_a_policy_made_in_inference_mode_raises() -> None:
    with torch.inference_mode():
        policy = mlp()
    with pytest.raises(ValueError, match=r"made, or moved, under torch\.inference_mode"):
        train(policy)


def test_a_cache_that_forward_fills_is_used_by_the_gradient() -> None:
    """Such as positions of a transformer, made when it is first asked: in inference mode it would serve no gradient."""

    class Caches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net, self.scale = mlp(), None

        def forward(self, x: Tensor) -> Tensor:
            if self.scale is None:
                self.scale = torch.ones(4) * 2
            return self.net(x * self.scale)

    assert len(train(Caches())) == 3


# --- in-place changes, pixels, and errors -----------------------------------------------------------------------------


def test_a_policy_may_change_its_input_in_place() -> None:
    """Oracle: the same computed out of place."""
    give = lambda s, h, x: s.head(s.body(x.sub_(1).mul_(2)).tanh())  # noqa: E731
    outside = lambda s, h, x: s.head(s.body((x - 1) * 2).tanh())  # noqa: E731
    settings = {"policy_epochs": 3, "baseline": "value", "clip_ratio": 0.2}
    for a, b in zip(train(seeded(lambda: Net(give)), **settings), train(seeded(lambda: Net(outside)), **settings)):
        np.testing.assert_array_equal(a.loss, b.loss)
        np.testing.assert_array_equal(a.returns, b.returns)


def test_a_policy_of_many_runs_that_changes_its_input_raises() -> None:
    class InPlace(pglesson.SoftmaxPolicy):
        def forward(self, observations: Tensor) -> Tensor:
            return super().forward(observations.clamp_(-0.01, 0.01))

    with pytest.raises(ValueError, match="changes the observations that it is given, in place"):
        train(InPlace(4, 2, runs=2, hidden=(8,)), runs=2)


def test_an_error_of_the_policys_own_code_is_its_own() -> None:
    def broken(self: Net, h: Tensor, x: Tensor) -> Tensor:
        raise RuntimeError("the teapot is empty")

    with pytest.raises(RuntimeError, match="the teapot is empty"):
        train(Net(broken))


class Pixels(gymnasium.Env[Any, Any]):
    """Five steps: the left half of a picture is bright or grey, and one action is right for each."""

    observation_space, action_space = spaces.Box(0, 255, (6, 6, 3), np.uint8), spaces.Discrete(2)

    def look(self) -> Any:
        picture = self.np_random.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        self.bright = bool(self.np_random.integers(2))
        picture[:, :3] = 255 if self.bright else 128
        return picture

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return self.look(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward, self.t = float((action == 1) == self.bright), self.t + 1
        return self.look(), reward, self.t == 5, False, {}


gymnasium.register("own/Pixels-v0", Pixels)


def test_pixels_are_scaled_for_our_policies() -> None:
    """5 is the most. Without scaling it stays near 2.5. The policy's logits are those of a scaled picture."""
    settings = Settings(env="own/Pixels-v0", updates=60, runs=2, learning_rate=0.01, baseline="value")
    policy = make_policy(settings)
    *_, last = reinforce(settings, policy)
    assert last.returns.mean() > 4.7
    plain = nn.Sequential(*list(policy.logits)[1:])
    x = torch.randint(0, 256, (2, 5, 108)).float()
    torch.testing.assert_close(policy(x), plain(x / 255))


def test_a_policy_that_reads_raw_pixels_is_told() -> None:
    with pytest.warns(UserWarning, match="pixels of 0 to 255.*Divide by 255"):
        train(nn.Sequential(nn.Linear(108, 2)), env="own/Pixels-v0")


def test_a_policy_that_scales_pixels_itself_is_not_told_and_sees_them_as_they_are() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net, self.largest = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2)), 0.0

        def forward(self, x: Tensor) -> Tensor:
            self.largest = max(self.largest, float(x.max()))
            return self.net(x.reshape(-1, 6, 6, 3).permute(0, 3, 1, 2) / 255)

    policy = Own()
    train(policy, env="own/Pixels-v0")
    assert policy.largest == 255


# --- several choices at once ------------------------------------------------------------------------------------------


def task(actions: spaces.Space[Any], reward: Callable[[Any], float]) -> str:
    env = f"own/Actions{len(gymnasium.registry)}-v0"
    gymnasium.register(
        env,
        Scripted,
        disable_env_checker=True,
        kwargs={"actions": actions, "reward": lambda t, action: reward(action), "end": tiny_envs.one_step},
    )
    return env


def test_multi_discrete_actions_reach_the_environment_and_are_learned() -> None:
    """The best of 2 x 4 x 3 actions, which start at 0, 1 and -1, pays 3."""
    wanted = np.array([1, 4, 0])
    env = task(spaces.MultiDiscrete([2, 4, 3], start=[0, 1, -1]), lambda action: float((action == wanted).sum()))
    *_, last = reinforce(Settings(env=env, updates=80, hidden=(), learning_rate=0.2))
    assert last.returns.mean() > 2.8


def test_multi_binary_actions_reach_the_environment_and_are_learned() -> None:
    env = task(spaces.MultiBinary((2, 2)), lambda action: float((action == [[1, 0], [0, 1]]).sum()))
    *_, last = reinforce(Settings(env=env, updates=80, hidden=(), learning_rate=0.2))
    assert last.returns.mean() > 3.8


class Bits(nn.Module):
    """Three logits for three switches, or torch's own distribution of them."""

    def __init__(self, torchs: bool) -> None:
        super().__init__()
        self.torchs, self.net = torchs, nn.Linear(1, 3)

    def forward(self, x: Tensor) -> Any:
        return Bernoulli(logits=self.net(x)) if self.torchs else self.net(x)


def test_an_own_policy_of_switches_gives_a_logit_each() -> None:
    """Oracle: torch's Bernoulli on the same episode; and both learn."""
    env = task(spaces.MultiBinary(3), lambda action: float(action.sum()))
    for torchs in (False, True):
        *_, last = train(Bits(torchs), env=env, updates=60, episodes=16, learning_rate=0.1)
        assert last.returns.mean() > 2.7
    with pytest.raises(ValueError, match=r"gives probabilities.*Leave the sigmoid"):
        train(nn.Sequential(nn.Linear(1, 3), nn.Sigmoid()), env=env)


def test_an_own_policy_of_several_choices_gives_their_logits_side_by_side() -> None:
    env = task(spaces.MultiDiscrete([2, 4]), lambda action: float(action[0] == 1) + float(action[1] == 2))
    *_, last = train(nn.Linear(1, 6), env=env, updates=60, episodes=16, learning_rate=0.1)
    assert last.returns.mean() > 1.8
    with pytest.raises(ValueError, match=r"must give logits, of shape \(1, 6, 6\)"):
        train(nn.Linear(1, 8), env=env)


# --- bounds of all kinds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "start", "spread"),
    [
        (5, 10, 7.5, 2.5),
        (10, np.inf, 20, 10),
        (0, np.inf, 1, 1),
        (-np.inf, -5, -10, 5),
        (-np.inf, 0.5, -0.5, 1),
        (-np.inf, np.inf, 0, 1),
        (0, 2e6, 1e6, 1e6),
        (-2e6, 2e6, 0, 2e6),
        (-3.4e38, 3.4e38, 0, 1),
        (0, 3e38, 1, 1),
        (0, 1e-6, 5e-7, 5e-7),
    ],
)
def test_actions_start_within_their_bounds_and_learn(low: float, high: float, start: float, spread: float) -> None:
    """The best action is half a spread above the start; the distance to it, in spreads, falls below a third."""
    best = start + spread / 2
    env = task(
        spaces.Box(np.float32(low), np.float32(high), (1,), np.float32),
        lambda action: -abs(float(action[0]) - best) / spread,
    )
    settings = Settings(env=env, updates=100, episodes=32, hidden=(), learning_rate=0.03)
    envs = make_envs(env, 400)
    policy = make_policy(settings, envs)
    played = play_episodes(envs, policy, 1, max_steps=1, generator=torch.Generator().manual_seed(0), seed=0)
    first = played.actions.double()
    assert abs(first.mean() - start) < 0.3 * spread and 0.8 < first.std() / spread < 1.2
    updates = list(reinforce(settings, policy))
    assert updates[0].gradient_norm > 0
    assert np.mean([update.returns.mean() for update in updates[-5:]]) > -0.34 > updates[0].returns.mean()


def test_bounds_that_leave_no_choice_raise_and_one_of_two_does_not() -> None:
    with pytest.raises(ValueError, match=r"whose low is its high: there is nothing to choose"):
        make_envs(task(number_box(30, 30), lambda action: 0.0), 1)
    env = task(spaces.Box(np.float32([0, 0.5]), np.float32([1, 0.5])), lambda action: -abs(float(action.sum()) - 1.3))
    *_, last = reinforce(Settings(env=env, updates=150, episodes=32, hidden=(), learning_rate=0.03))
    assert last.returns.mean() > -0.1


# --- what functions of a learner change -------------------------------------------------------------------------------


def test_own_advantages_and_baselines_may_change_what_they_get() -> None:
    """Oracle: a training whose functions change copies of their own."""

    def spoils(episodes: Any, b: Tensor, b_next: Tensor) -> Tensor:
        found = episodes.rewards.flip(-1).cumsum(-1).flip(-1) - b
        for tensor in (*vars(episodes).values(), b, b_next):
            tensor.zero_()
        return found

    class Spoils(pglesson.Baseline):
        def predict(self, episodes: Any, returns: Tensor) -> Tensor:
            found = returns.mean() * torch.ones_like(returns)
            for tensor in (*vars(episodes).values(), returns):
                tensor.zero_()
            return found

        def learn(self, episodes: Any, targets: Tensor) -> None:
            for tensor in (*vars(episodes).values(), targets):
                tensor.zero_()

    class Keeps(Spoils):
        def predict(self, episodes: Any, returns: Tensor) -> Tensor:
            return super().predict(copy.deepcopy(episodes), returns.clone())

    settings = Settings(env="CartPole-v1", episodes=4, updates=3, baseline="own")
    keeps = lambda episodes, b, b_next: spoils(copy.deepcopy(episodes), b.clone(), b_next.clone())  # noqa: E731
    spoiled = list(reinforce(settings, advantages=spoils, baseline=Spoils()))
    for a, b in zip(spoiled, reinforce(settings, advantages=keeps, baseline=Keeps()), strict=True):
        np.testing.assert_array_equal(a.returns, b.returns)
        np.testing.assert_array_equal(a.loss, b.loss)
        assert a.lengths.tolist() == b.lengths.tolist() and a.lengths.min() > 0
