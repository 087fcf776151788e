"""What is done with a gradient: optimizers, steps, and clipping, for each run by itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pglesson import errors

OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}


def make_optimizer(name: str, module: nn.Module) -> torch.optim.Optimizer:
    """'sgd' is the plain theta + alpha * gradient, 'adam' rescales each weight's step. `step` sets alpha."""
    return OPTIMIZERS[name](module.parameters(), lr=1.0)  # until `step`


def step(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """One step of the optimizer at this learning rate, which may have changed since the last."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.step()


def clip_grad_norm(weights: Sequence[Tensor], runs: int, max_norm: float) -> Tensor:
    """Shortens each run's gradient to the norm `max_norm`, in place; returns the norms before (runs,).

    It is torch.nn.utils.clip_grad_norm_ for every run by itself. Raises FloatingPointError where one is not finite.
    """
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    norm = torch.stack([g.reshape(runs, -1).square().sum(1) for g in gradients]).sum(0).sqrt()
    if not bool(norm.isfinite().all()):
        raise errors.diverged_gradient(int((~norm.isfinite()).nonzero()[0]))
    factor = (max_norm / norm.clamp_min(max_norm)).nan_to_num(1.0)
    for gradient in gradients:
        gradient.mul_(factor.view(runs, *[1] * (gradient.dim() - 1)) if gradient.dim() else factor[0])
    return norm.float().cpu()
