"""Distributions against torch.distributions and closed forms, samples by frequency, runs against separate networks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from gymnasium.spaces import MultiBinary, MultiDiscrete
from torch import Tensor, nn
from torch import distributions as torch_distributions

from pglesson.distributions import Categorical, DiagGaussian, MultiCategorical, factors_of
from pglesson.networks import BatchedLinear, Tanh
from pglesson.own_policies import SingleRunPolicy
from pglesson.policies import GaussianPolicy, SoftmaxPolicy, distribution_at, to_distribution
from pglesson.sampling import numpy_sampler


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


@pytest.mark.parametrize("chances", [(0.7, 0.25, 0.05), (1 / 3, 1 / 3, 1 / 3), (0.001, 0.002, 0.997)])
def test_softmax_samples_with_its_probabilities(chances: tuple[float, ...]) -> None:
    """Chi-square with 2 degrees of freedom, whose tail is exp(-x/2): a right sampler fails with probability 1e-6."""
    number, expected = 200_000, 200_000 * torch.tensor(chances)
    drawn = Categorical(torch.tensor(chances).log().expand(number, 3) + 5).sample(seeded(1))
    counts = torch.bincount(drawn, minlength=3)
    assert ((counts - expected) ** 2 / expected).sum() < -2 * math.log(1e-6)


def test_softmax_never_samples_a_logit_of_minus_infinity() -> None:
    drawn = Categorical(torch.tensor([0.0, -math.inf, 1.0]).expand(10_000, 3)).sample(seeded())
    assert set(drawn.tolist()) == {0, 2}


def test_gaussian_samples_with_its_moments() -> None:
    """Means, variances and the covariance of two dimensions, as z-scores below 5.1; fails with probability 2e-6."""
    number, mu, sigma = 200_000, torch.tensor([0.7, -3.0]), torch.tensor([0.5, 2.0])
    drawn = DiagGaussian(mu.expand(number, 2), sigma.log().expand(number, 2)).sample(seeded(2))
    z = ((drawn - mu) / sigma).double()
    scores = torch.stack([*z.mean(0), *((z**2).mean(0) - 1) / 2**0.5, z.prod(1).mean()]) * number**0.5
    assert scores.abs().max() < 5.1


def test_softmax_equals_torch_distributions() -> None:
    logits, actions = 3 * normal(4, 5, 3), torch.randint(3, (4, 5), generator=seeded(1))
    oracle = torch_distributions.Categorical(logits=logits)
    torch.testing.assert_close(Categorical(logits).log_prob(actions), oracle.log_prob(actions))
    torch.testing.assert_close(Categorical(logits).entropy(), oracle.entropy())


def test_several_choices_are_the_sum_of_torch_distributions() -> None:
    """Log-probability, entropy and KL of MultiDiscrete([2, 4]) and MultiBinary(3), choice by choice."""
    logits, others = 3 * normal(5, 6), normal(5, 6, seed=1)
    actions = torch.stack([torch.tensor([0, 1, 1, 0, 1]), torch.tensor([3, 0, 2, 1, 1])], -1)
    ours, theirs = (MultiCategorical(x, factors_of(MultiDiscrete([2, 4]))) for x in (logits, others))
    parts, other_parts = (
        [torch_distributions.Categorical(logits=part) for part in x.split([2, 4], -1)] for x in (logits, others)
    )
    torch.testing.assert_close(ours.log_prob(actions), sum(p.log_prob(a) for p, a in zip(parts, actions.unbind(-1))))
    torch.testing.assert_close(ours.entropy(), sum(p.entropy() for p in parts))
    divergences = [torch_distributions.kl_divergence(p, q) for p, q in zip(parts, other_parts)]
    torch.testing.assert_close(ours.kl(theirs), sum(divergences))
    switches, bits = torch_distributions.Bernoulli(logits=logits[:, :3]), torch.tensor([[0, 1, 1]] * 5)
    ours = MultiCategorical(logits[:, :3], factors_of(MultiBinary(3)))
    torch.testing.assert_close(ours.log_prob(bits), switches.log_prob(bits.double()).sum(-1))
    torch.testing.assert_close(ours.entropy(), switches.entropy().sum(-1))


def test_gaussian_equals_torch_distributions() -> None:
    """Independent sums over the action axis alone, so the shapes must agree too."""
    mu, log_sigma, actions = normal(3, 4, 5, 2)
    oracle = torch_distributions.Independent(torch_distributions.Normal(mu, log_sigma.exp()), 1)
    torch.testing.assert_close(DiagGaussian(mu, log_sigma).log_prob(actions), oracle.log_prob(actions))
    torch.testing.assert_close(DiagGaussian(mu, log_sigma).entropy(), oracle.entropy())


def test_log_prob_survives_underflow() -> None:
    """log pi = -1000 by hand, where pi itself is 0 in any float."""
    assert Categorical(torch.tensor([0.0, -1000.0])).log_prob(torch.tensor(1)).item() == -1000.0


def test_entropy_and_its_gradient_are_finite_where_an_action_is_ruled_out() -> None:
    """Two equal chances and a third that is 0: log 2, and a gradient of 0."""
    logits = torch.tensor([0.0, 0.0, -math.inf], requires_grad=True)
    entropy = Categorical(logits).entropy()
    entropy.backward()
    assert entropy.item() == pytest.approx(math.log(2))
    torch.testing.assert_close(logits.grad, torch.zeros(3))


def test_softmax_score_is_onehot_minus_pi() -> None:
    logits = normal(6, 4).requires_grad_()
    actions = torch.tensor([0, 1, 2, 3, 0, 1])
    Categorical(logits).log_prob(actions).sum().backward()
    torch.testing.assert_close(logits.grad, torch.eye(4).double()[actions] - logits.detach().softmax(-1))


def test_gaussian_score_by_closed_form() -> None:
    """(a - mu) / sigma^2, and (a - mu)^2 / sigma^2 - 1 with respect to log sigma."""
    mu, log_sigma, actions = normal(3, 5, 2)
    mu, log_sigma = mu.clone().requires_grad_(), log_sigma.clone().requires_grad_()
    DiagGaussian(mu, log_sigma).log_prob(actions).sum().backward()
    distance, variance = actions - mu.detach(), (2 * log_sigma.detach()).exp()
    torch.testing.assert_close(mu.grad, distance / variance)
    torch.testing.assert_close(log_sigma.grad, distance**2 / variance - 1)


def test_gradients_by_finite_differences() -> None:
    """torch.autograd.gradcheck, in double precision."""
    actions = torch.tensor([0, 2])
    check = torch.autograd.gradcheck
    assert check(
        lambda z: (Categorical(z).log_prob(actions), Categorical(z).entropy()), (normal(2, 3).requires_grad_(),)
    )
    drawn = normal(2, 3, seed=1)
    inputs = (normal(2, 3, seed=2).requires_grad_(), normal(2, 3, seed=3).requires_grad_())
    assert check(lambda m, s: (DiagGaussian(m, s).log_prob(drawn), DiagGaussian(m, s).entropy()), inputs)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("hidden", [(), (8,), (8, 5)])
def test_each_run_is_a_network_of_its_own(hidden: tuple[int, ...], activation: str) -> None:
    """Output and gradients of every run equal those of an nn.Sequential with the same weights."""
    policy = SoftmaxPolicy(4, 3, hidden=hidden, activation=activation, runs=3, generator=seeded())
    with torch.no_grad():
        for weight in policy.parameters():  # biases and linear policies start at zero, which would hide a mistake
            weight.copy_(torch.randn(weight.shape, generator=seeded(7)))
    observations = torch.randn(3, 6, 4, generator=seeded(1))
    output = policy(observations)
    output.square().sum().backward()
    for run in range(3):
        layers: list[nn.Module] = []
        for module in policy.logits:
            if hasattr(module, "weight"):
                twin = nn.Linear(*module.weight.shape[1:], bias=module.bias is not None)
                twin.weight.data = module.weight.data[run].T.clone()
                if module.bias is not None:
                    twin.bias.data = module.bias.data[run, 0].clone()
                layers.append(twin)
            else:
                layers.append({"tanh": nn.Tanh, "relu": nn.ReLU}[activation]())
        plain = nn.Sequential(*layers)
        alone = plain(observations[run])
        torch.testing.assert_close(output[run], alone, atol=1e-5, rtol=1e-5)
        alone.square().sum().backward()
        for module, twin in zip(policy.logits, plain):
            if isinstance(twin, nn.Linear):
                torch.testing.assert_close(module.weight.grad[run].T, twin.weight.grad, atol=1e-3, rtol=1e-4)


def test_runs_do_not_share_gradients() -> None:
    policy = SoftmaxPolicy(4, 3, hidden=(8,), runs=3, generator=seeded())
    observations = torch.randn(3, 6, 4, generator=seeded(1))
    before = policy(observations)
    before[1].square().sum().backward()
    for weight in policy.parameters():
        assert weight.grad[0].eq(0).all() and weight.grad[2].eq(0).all() and weight.grad[1].ne(0).any()
        weight.data[0] += 1
    after = policy(observations)
    assert after[1:].equal(before[1:]) and not after[0].equal(before[0])


def test_first_weights_come_from_the_generator_and_differ_between_runs() -> None:
    first, again, other = (SoftmaxPolicy(4, 3, hidden=(8,), runs=2, generator=seeded(s)) for s in (1, 1, 2))
    weight = first.logits[0].weight
    assert weight.equal(again.logits[0].weight) and not weight.equal(other.logits[0].weight)
    assert not weight[0].equal(weight[1])


def test_a_linear_policy_starts_uniform() -> None:
    pi = SoftmaxPolicy(4, 3, runs=2)(torch.randn(2, 5, 4, generator=seeded())).softmax(-1)
    assert pi.equal(torch.full((2, 5, 3), 1 / 3))


def test_a_gaussian_policy_starts_in_the_middle_of_its_bounds() -> None:
    """By hand: bounds (-1, 3) and (0, 10) have middles 1 and 5, half ranges 2 and 5; no bounds mean N(0, 1)."""
    policy = GaussianPolicy(2, [-1, 0, -math.inf], [3, 10, math.inf], runs=2)
    mu, log_sigma = policy(torch.randn(2, 4, 2, generator=seeded()))
    torch.testing.assert_close(mu, torch.tensor([1.0, 5.0, 0.0]).expand(2, 4, 3))
    torch.testing.assert_close(log_sigma.exp(), torch.tensor([2.0, 5.0, 1.0]).expand(2, 4, 3))


def test_weights_start_as_the_docstring_says() -> None:
    """Uniform in +-scale/sqrt(inputs). All of 15,000 within 1 % of the range missed: probability 0.99^15000 < 1e-65."""
    layer = BatchedLinear(3, 100, 50, bias=True, scale=0.5, generator=seeded())
    assert 0.99 * 0.05 < layer.weight.abs().max() <= 0.05
    assert (layer.bias == 0).all()


def test_own_module_is_one_run() -> None:
    """It sees observations without the run axis, and gets the axis back, on each part of a tuple."""
    layer, observations = nn.Linear(4, 3), torch.randn(1, 6, 4, generator=seeded())
    assert SingleRunPolicy(layer)(observations).equal(layer(observations[0])[None])

    class Pair(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x, -x

    mu, log_sigma = SingleRunPolicy(Pair())(observations)
    assert mu.equal(observations) and log_sigma.equal(-observations)


def test_a_distribution_is_made_from_what_a_policy_gives() -> None:
    policy, logits = nn.Linear(1, 1), torch.zeros(1, 4, 2)
    assert isinstance(to_distribution(policy, logits), Categorical)
    assert isinstance(to_distribution(policy, (logits, logits)), DiagGaussian)


def test_tanh_and_its_gradient_are_torchs() -> None:
    """Oracle: torch.tanh, to rounding; finite differences in double precision, and under torch.func.vmap too."""
    x = normal(3, 4).float().requires_grad_()
    ours, theirs = Tanh()(x), x.tanh()
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-6)
    gradients = [torch.autograd.grad(y.square().sum(), x)[0] for y in (ours, theirs)]
    torch.testing.assert_close(*gradients, atol=1e-6, rtol=1e-5)
    assert torch.autograd.gradcheck(Tanh(), (normal(2, 3).requires_grad_(),))
    slope = torch.func.vmap(torch.func.grad(lambda row: Tanh()(row).sum()), 1)(x.detach())
    torch.testing.assert_close(slope, (1 - x.tanh() ** 2).detach().T, atol=1e-6, rtol=1e-5)


POLICIES = {
    "linear": SoftmaxPolicy(4, 3, runs=3, hidden=()),
    "tanh": SoftmaxPolicy(4, 3, runs=3, hidden=(8, 8), generator=torch.Generator().manual_seed(1)),
    "relu": SoftmaxPolicy(4, 3, runs=3, hidden=(8,), activation="relu", generator=torch.Generator().manual_seed(1)),
    "several": SoftmaxPolicy(
        4, 6, runs=3, hidden=(8,), generator=torch.Generator().manual_seed(1), factors=factors_of(MultiDiscrete([2, 4]))
    ),
    "switches": SoftmaxPolicy(
        4, 3, runs=3, hidden=(8,), generator=torch.Generator().manual_seed(1), factors=factors_of(MultiBinary(3))
    ),
    "pixels": SoftmaxPolicy(
        4, 3, runs=3, hidden=(8,), generator=torch.Generator().manual_seed(1), scale=np.float32([0.1, 1, 2, 1])
    ),
    "gaussian": GaussianPolicy(4, [-1, -9], [1, 9], runs=3, hidden=(8,), generator=torch.Generator().manual_seed(1)),
}


@pytest.mark.parametrize("name", POLICIES)
def test_sampling_in_numpy_is_sampling_in_torch(name: str) -> None:
    """Oracle: the policy's own distribution with the same generator; 30,000 actions, and where the generators end."""
    policy, observations = POLICIES[name], normal(3, 10_000, 4).float()
    ours, theirs = seeded(3), seeded(3)
    sampler = numpy_sampler(policy, ours)
    assert sampler is not None
    with torch.no_grad():
        expected = distribution_at(policy, observations).sample(theirs)
    found = torch.from_numpy(sampler(observations.numpy()))
    if name == "gaussian":
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    else:  # a tie within rounding, one in millions, may fall to the other side
        assert (found != expected).sum() <= 1
    assert ours.get_state().equal(theirs.get_state())


def test_changed_policies_are_evaluated_in_torch() -> None:
    """A subclass, a hook, another layer, another type of number, its own distribution: NumPy knows nothing of these."""

    class Sharper(SoftmaxPolicy):
        def forward(self, observations: Tensor) -> Tensor:
            return 100 * super().forward(observations)

    def fresh() -> SoftmaxPolicy:
        return SoftmaxPolicy(4, 3, hidden=(8,))

    hooked, replaced, wide, own = fresh(), fresh(), fresh().double(), fresh()
    hooked.logits[0].register_forward_hook(lambda module, inputs, output: output + 1)
    replaced.logits[1] = nn.Sigmoid()
    own.distribution = Categorical  # type: ignore[assignment]
    parametrized = torch.nn.utils.parametrizations.weight_norm(fresh().logits[0], dim=0)
    rebuilt = fresh()
    rebuilt.logits[0] = parametrized
    for policy in (Sharper(4, 3, hidden=(8,)), hooked, replaced, wide, own, rebuilt, nn.Linear(4, 3)):
        assert numpy_sampler(policy, seeded()) is None
    assert numpy_sampler(fresh(), seeded()) is not None
