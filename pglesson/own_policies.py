"""A learner's own module as a policy: given a run axis, read by the actions' space, and copied."""

from __future__ import annotations

import copy
import functools
from typing import Any

import torch
from gymnasium import Space, spaces
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from pglesson import errors
from pglesson.distributions import MultiCategorical, TorchDistribution, factors_of


class SingleRunPolicy(nn.Module):
    """A learner's own module as one run: it sees (n, observation_size), with no run axis.

    actions: their space, by which an output is read that has a value for each observation at its end.
    """

    runs = 1

    def __init__(self, module: nn.Module, actions: Space[Any] | None = None) -> None:
        super().__init__()
        self.module = module
        self.dtype: torch.dtype | None = None  # of its weights, when it is first asked
        self.parts = 0 if actions is None else 2 if isinstance(actions, spaces.Box) else 1
        if hasattr(module, "distribution"):
            self.distribution, self.parts = module.distribution, 0

    def forward(self, observations: Tensor) -> Any:
        if self.dtype is None:
            types = (weight.dtype for weight in self.module.parameters() if weight.is_floating_point())
            self.dtype = next(types, observations.dtype)
        # a copy, which it may change in place, of the type of number that it computes with
        own = observations[0]
        output = self.module(own.clone() if own.dtype == self.dtype else own.to(self.dtype))
        if isinstance(output, tuple) and output:
            output = self._without_value(output)
        if isinstance(output, torch.distributions.Distribution):
            return TorchDistribution(output, run_axis=False)
        return tuple(map(_one_run, output)) if isinstance(output, tuple) else _one_run(output)

    def _without_value(self, output: tuple[Any, ...]) -> Any:
        parts = 1 if isinstance(output[0], torch.distributions.Distribution) else self.parts
        *before, last = output
        if parts and len(before) == parts and isinstance(last, Tensor) and last.shape[1:] in ((), (1,)):
            output = tuple(before)
        return output[0] if len(output) == 1 else output


def _one_run(part: Any) -> Any:
    if not isinstance(part, Tensor):
        return part
    return (part.float() if part.dtype in (torch.float16, torch.bfloat16) else part)[None]


def with_run_axis(policy: nn.Module, runs: int, size: int, actions: Space[Any]) -> nn.Module:
    """The policy itself, or a learner's own module as one run, with weights for observations of that size.

    Raises TypeError or ValueError for what cannot learn.
    """
    errors.check_policy(policy, runs)
    policy = for_actions(policy, actions)
    if any(map(is_lazy, policy.parameters())):  # a lazy layer has no weights until it is asked
        with torch.no_grad():
            policy(torch.zeros(runs, 2, size))
    return policy


def for_actions(policy: nn.Module, actions: Space[Any]) -> nn.Module:
    """The same for a policy that only plays, and need not have weights."""
    policy = policy if hasattr(policy, "runs") else SingleRunPolicy(policy, actions)
    if isinstance(actions, (spaces.MultiDiscrete, spaces.MultiBinary)) and not hasattr(policy, "distribution"):
        product: Any = functools.partial(MultiCategorical, factors=factors_of(actions))
        policy.distribution = product
    return policy


def copy_policy(policy: nn.Module) -> nn.Module:
    """A policy as it is now, with weights of its own.

    What it keeps of its last output is part of a graph, which torch does not copy: its numbers are.
    """
    if not isinstance(policy, nn.Module):
        return copy.deepcopy(policy)  # refused where it is trained
    kept = [value for module in policy.modules() for value in vars(module).values()]
    tensors = [tensor for value in kept for tensor in (value if isinstance(value, (list, tuple)) else [value])]
    in_graph = {id(x): x.detach().clone() for x in tensors if isinstance(x, Tensor) and not x.is_leaf}
    return copy.deepcopy(policy, in_graph)
