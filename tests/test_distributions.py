"""Our distributions against torch's own, what they have over them, and a learner's own of torch's in the engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import tiny_envs  # noqa: F401  registers the environments
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Independent, MultivariateNormal, Normal, TransformedDistribution
from torch.distributions import Categorical as TorchCategorical
from torch.distributions.transforms import TanhTransform

from pglesson import Settings, reinforce, returns_to_go, time_mean
from pglesson.analysis import estimate_gradients
from pglesson.distributions import Categorical, TorchDistribution

SMALL: dict[str, Any] = {"env": "CartPole-v1", "episodes": 4, "updates": 3, "max_steps": 20}
ARM: dict[str, Any] = {"env": "pglesson/PlanarArm-v0", "episodes": 4, "updates": 3}


def logits(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_the_gradient_of_kl_is_finite_where_an_action_is_ruled_out() -> None:
    """Why KL is computed here: torch's value agrees, and its gradient is NaN."""
    gradients = []
    for own in (True, False):
        z = torch.tensor([[0.3, -0.2, -math.inf]], requires_grad=True)
        other = torch.tensor([[0.1, 0.4, -math.inf]])
        if own:
            kl = Categorical(z).kl(Categorical(other))
        else:
            kl = torch.distributions.kl_divergence(TorchCategorical(logits=z), TorchCategorical(logits=other))
        gradients.append(torch.autograd.grad(kl.sum(), z)[0])
    assert gradients[0].isfinite().all() and gradients[1].isnan().any()


def test_sampling_depends_on_its_generator_alone() -> None:
    """Both kinds: the same generator gives the same actions, and the global one is neither used nor moved."""
    for pi in (
        Categorical(logits(1, 50, 4)),
        TorchDistribution(TorchCategorical(logits=logits(50, 4)), run_axis=False),
    ):
        torch.manual_seed(1)
        first = pi.sample(torch.Generator().manual_seed(7))
        untouched = torch.rand(3)
        torch.manual_seed(1)
        assert untouched.equal(torch.rand(3))
        torch.manual_seed(2)
        assert pi.sample(torch.Generator().manual_seed(7)).equal(first)
        assert not pi.sample(torch.Generator().manual_seed(8)).equal(first)


def test_normal_without_independent_is_summed_over_action_dimensions() -> None:
    """A Normal without Independent gives a log-density a dimension; the action's is their sum."""
    mu, sigma, actions = logits(5, 3), torch.full((5, 3), 0.4), logits(1, 5, 3)
    apart, together = (
        TorchDistribution(d, run_axis=False) for d in (Normal(mu, sigma), Independent(Normal(mu, sigma), 1))
    )
    oracle = Normal(mu, sigma).log_prob(actions[0]).sum(-1)
    for pi in (apart, together):
        assert pi.log_prob(actions).equal(oracle[None]) and pi.entropy().shape == pi.kl(together).shape == (1, 5)
    assert apart.kl(together).abs().max() < 1e-6


class Own(nn.Module):
    """What a learner writes: a network, and a distribution that `make` builds from what it gives."""

    def __init__(self, inputs: int, outputs: int, make: Any) -> None:
        super().__init__()
        self.net, self.make = nn.Linear(inputs, outputs), make
        self.log_std = nn.Parameter(torch.zeros(outputs))
        with torch.no_grad():
            self.net.weight.copy_(logits(outputs, inputs) * 0.1)
            self.net.bias.zero_()

    def forward(self, observations: Tensor) -> Any:
        return self.make(self.net(observations), self.log_std)


MAKERS = {
    "logits": (SMALL, 4, 2, lambda z, s: z),
    "Categorical": (SMALL, 4, 2, lambda z, s: TorchCategorical(logits=z)),
    "Bernoulli": (SMALL, 4, 1, lambda z, s: Bernoulli(logits=z[:, 0])),
    "pair": (ARM, 6, 2, lambda z, s: (z, s.expand_as(z))),
    "Normal": (ARM, 6, 2, lambda z, s: Normal(z, s.exp())),
    "Independent": (ARM, 6, 2, lambda z, s: Independent(Normal(z, s.exp()), 1)),
    "MultivariateNormal": (ARM, 6, 2, lambda z, s: MultivariateNormal(z, torch.diag_embed(s.exp().expand_as(z)))),
    "tanh": (ARM, 6, 2, lambda z, s: TransformedDistribution(Normal(z, s.exp()), [TanhTransform(cache_size=1)])),
}


@pytest.mark.parametrize("name", MAKERS)
def test_policy_may_return_a_torch_distribution(name: str) -> None:
    """The same seed gives the same training; the step is the gradient of log pi A, by autograd through torch's own."""
    settings, inputs, outputs, make = MAKERS[name]
    ended = []
    for _ in range(2):
        policy = Own(inputs, outputs, make)
        updates = list(reinforce(Settings(**settings, entropy_weight=0.0), policy))
        ended.append(policy.net.weight.detach().clone())
        assert len(updates) == 3 and (ended[-1] - Own(inputs, outputs, make).net.weight).abs().max() > 1e-3
    assert ended[0].equal(ended[1])
    assert np.isnan(updates[-1].entropy).all() == (name == "tanh")  # torch knows no formula for it

    policy, seen = Own(inputs, outputs, make), list[Any]()
    start = policy.net.weight.detach().clone()
    plain = Settings(**(settings | {"updates": 1}), optimizer="sgd", learning_rate=1.0, normalization="none")
    next(reinforce(plain, policy, advantages=lambda e, b, b_next: seen.append(e) or e.rewards - b))
    fresh, (episodes,) = Own(inputs, outputs, make), seen
    mask = episodes.mask[0]
    b = time_mean(returns_to_go(episodes.rewards, plain.gamma), episodes.mask)[0]
    weights = ((episodes.rewards[0] - b) * mask).float()
    output = fresh(episodes.observations[0].flatten(0, 1))
    if isinstance(output, Tensor):
        output = TorchCategorical(logits=output)
    elif isinstance(output, tuple):
        output = Normal(output[0], output[1].exp())
    log_prob = output.log_prob(episodes.actions[0].flatten(0, 1))
    log_prob = log_prob.sum(-1) if log_prob.dim() == 2 else log_prob
    (log_prob * weights.flatten()).sum().div(4).backward()
    torch.testing.assert_close(policy.net.weight.detach() - start, fresh.net.weight.grad, atol=1e-4, rtol=1e-3)


def test_pair_and_torch_normal_have_the_same_gradient() -> None:
    """A pair and torch's own Normal of it: the gradient's noise, its variance and the entropy are the same measure."""
    measured = []
    for name in ("pair", "Independent"):
        settings, inputs, outputs, make = MAKERS[name]
        policy = Own(inputs, outputs, make)
        found = estimate_gradients(Settings(**settings), policy, baselines=("none",), episodes=2000, batch=4)
        measured.append(found["none", "none"].mean)
    # two independent samples of the same mean, 2,000 episodes each: within 6 standard errors of each other
    spread = 6 * (found["none", "none"].gradients.flatten(0, 1).std(0) * (2 / 2000) ** 0.5)
    assert ((measured[0] - measured[1]).abs() < spread + 1e-6).all()


def test_ppo_kl_and_entropy_take_a_distribution_of_torchs() -> None:
    settings, inputs, outputs, make = MAKERS["Independent"]
    policy = Own(inputs, outputs, make)
    options = {"policy_epochs": 3, "clip_ratio": 0.2, "kl_weight": 0.1, "entropy_weight": 0.01}
    updates = list(reinforce(Settings(**settings, **options, measure_change=True, measure_variance=True), policy))
    assert all((u.policy_change > 0).all() and (u.gradient_variance > 0).all() for u in updates)


@pytest.mark.parametrize(
    ("name", "setting", "words"),
    [
        ("tanh", {"entropy_weight": 0.1}, "has no entropy that torch can compute. Set entropy_weight to 0"),
        ("tanh", {"kl_weight": 0.1}, None),
    ],
)
def test_missing_entropy_raises_only_where_it_is_used(name: str, setting: Any, words: str | None) -> None:
    settings, inputs, outputs, make = MAKERS[name]
    training = reinforce(Settings(**settings, **setting), Own(inputs, outputs, make))
    if words is None:  # the KL of two transformed Normals is that of the Normals
        next(training)
    else:
        with pytest.raises(ValueError, match=words):
            next(training)


@pytest.mark.parametrize(
    ("settings", "inputs", "outputs", "make", "words"),
    [
        (SMALL, 4, 3, lambda z, s: TorchCategorical(logits=z), r"chooses among 3 actions, but there are Discrete\(2\)"),
        (SMALL, 4, 2, lambda z, s: Bernoulli(logits=z), r"shape \(1, 4, 2\) .* must have the shape \(1, 4\)"),
        (ARM, 6, 3, lambda z, s: Normal(z, s.exp()), r"shape \(1, 4, 3\) .* must have the shape \(1, 4, 2\)"),
        (ARM, 6, 2, lambda z, s: Normal(z.mean(0), s.exp()), r"sampled actions of shape"),
    ],
)
def test_torch_distribution_of_wrong_shape_raises(
    settings: Any, inputs: int, outputs: int, make: Any, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        list(reinforce(Settings(**settings), Own(inputs, outputs, make)))
