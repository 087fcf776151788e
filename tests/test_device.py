"""Networks on a GPU: the same training as on the CPU, if torch sees one; an error if it does not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from pglesson import Settings, make_policy, reinforce
from pglesson.analysis.microscope import estimate_gradients
from pglesson.analysis.rendering import render_episode
from pglesson.diagnostics import episode_gradients
from pglesson.policies import SoftmaxPolicy, device_of
from pglesson.rollout import Episodes

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cupboard"])
def test_unavailable_device_raises(name: str) -> None:
    with pytest.raises(ValueError, match=f"device is '{name}', but torch cannot compute there .* Set device to 'cpu'"):
        next(reinforce(Settings(device=name)))
    with pytest.raises(ValueError, match="Set device to 'cpu'"):
        make_policy(Settings(device=name))


def test_episode_gradients_are_computed_on_the_policys_device() -> None:
    """On torch's meta device, which computes shapes only and exists everywhere."""
    policy = SoftmaxPolicy(4, 2, hidden=(8,), runs=2).to("meta")
    shape = (2, 3, 5)  # runs, episodes, steps
    actions, ended = torch.zeros(shape, dtype=torch.int64), torch.zeros(2, 3, dtype=torch.bool)
    episodes = Episodes(
        torch.zeros(*shape, 4), actions, torch.zeros(shape), torch.ones(shape), ended, torch.zeros(2, 3, 4)
    )
    gradients = episode_gradients(policy, episodes, torch.zeros(shape))
    assert gradients.device.type == "meta" and gradients.shape == (3, 2, 5 * 8 + 9 * 2)


@needs_gpu
@pytest.mark.parametrize("env", ["CartPole-v1", "pglesson/PlanarArm-v0"])
def test_training_on_a_gpu_matches_the_cpu(env: str) -> None:
    """Actions are drawn on the CPU from the same random numbers: the first update is the same but for rounding."""
    curves = []
    for device in ("cpu", "cuda"):
        settings = Settings(env=env, runs=3, updates=3, baseline="value", measure_change=True, device=device)
        policy = make_policy(settings)
        updates = list(reinforce(settings, policy))
        assert device_of(policy).type == device
        curves.append(updates)
    for name in ("returns", "entropy", "gradient_norm", "policy_change"):
        first, second = (getattr(updates[0], name) for updates in curves)
        np.testing.assert_allclose(first, second, rtol=2e-3, atol=1e-4)


@needs_gpu
def test_own_module_is_moved_to_the_gpu_and_policies_there_can_be_rendered_and_measured() -> None:
    settings, module = Settings(device="cuda", updates=2, measure_variance=True), nn.Linear(4, 2)
    assert len(list(reinforce(settings, module))) == 2 and module.weight.device.type == "cuda"
    settings = Settings(device="cuda")
    policy = make_policy(settings)
    assert next(render_episode("CartPole-v1", policy))[0].ndim == 3
    estimate_gradients(settings, policy, baselines=["none"], episodes=32)
