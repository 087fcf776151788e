"""What is asked of a learner's own policy at the first time step, so that it learns nothing wrong in silence.

A policy's output is judged by more than its shape: whether it is what it must be (logits, not probabilities; log sigma,
not sigma), and whether it belongs to its own row of the observations alone. The package's own policies are not asked.
"""

from __future__ import annotations

import re
import warnings
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from gymnasium import Space, spaces
from torch import Tensor, nn

from pglesson import errors
from pglesson.distributions import MultiCategorical, TorchDistribution
from pglesson.policies import forward, to_distribution

# torch's operations by the names of their nodes: those that leave a tensor's values as they are, and those that tell
SAME_VALUES: tuple[str, ...] = (
    "Expand",
    "View",
    "UnsafeView",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Slice",
    "Select",
    "Clone",
    "Alias",
)
SAME_VALUES += ("Transpose", "Permute", "T", "ToCopy", "Repeat", "Clamp", "ClampMin", "Add", "Mul", "Index", "Split")
PROBABILITIES = ("Softmax", "Sigmoid")
JOINED = ("Cat", "Stack", "Where", "Maximum", "Minimum")  # of several tensors
POSITIVE: tuple[str, ...] = ("Exp", "Softplus", "Sigmoid", "Softmax", "Square", "Pow", "Abs", "Sqrt", "Relu", "Elu")
POSITIVE += ("Exp2", "Expm1", "Log1P", "Logaddexp", "Logsumexp", "Cosh", "Reciprocal", "LinalgVectorNorm")
IS_SIGMA, IS_VALUE = r"sigma|std|scale", r"value|critic|baseline|(^|\.)v(f|\.|_|$)"
IS_SPREAD = IS_SIGMA + "|log|var|dev|spread|width"
LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
CHANGES_IN_TRAINING = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._NormBase)


def check_meaning(policy: nn.Module, output: Any, space: Space[Any]) -> None:
    """Raises ValueError where the output is likely something else than logits or (mu, log_sigma), of the right shape.

    A policy that says with `distribution` what its output stands for is believed.
    """
    module = getattr(policy, "module", policy)
    if hasattr(module, "distribution") and not _is_product(module.distribution):
        return
    if isinstance(output, TorchDistribution):
        if isinstance(space, spaces.Box):
            _check_reach(_moment(output.inner, "mean"), _moment(output.inner, "stddev"), space)
        elif _is_made_by(_given_logits(output.inner), PROBABILITIES):
            raise errors.probabilities_for_logits(space)
    elif isinstance(space, spaces.Box):
        mu, log_sigma = output
        _check_log_sigma(module, mu, log_sigma)
        _check_reach(mu.detach(), log_sigma.detach().exp(), space)
    elif _is_made_by(output.grad_fn, PROBABILITIES) or _are_probabilities(output.detach(), space):
        raise errors.probabilities_for_logits(space)


def _is_product(distribution: Any) -> bool:
    return getattr(distribution, "func", None) is MultiCategorical


def _are_probabilities(logits: Tensor, space: Space[Any]) -> bool:
    if isinstance(space, spaces.MultiBinary):
        return False  # numbers between 0 and 1 may be logits
    sizes = space.nvec.ravel().tolist() if isinstance(space, spaces.MultiDiscrete) else [logits.shape[-1]]
    choices = [choice for choice in logits.split(sizes, -1) if choice.shape[-1] > 1]
    sums_to_one = [bool((choice >= 0).all() and ((choice.sum(-1) - 1).abs() < 1e-3).all()) for choice in choices]
    one_hot = all(bool(((choice == 0) | (choice == 1)).all()) for choice in choices)  # a table of preferences may be
    return bool(choices) and all(sums_to_one) and not one_hot


def _check_log_sigma(module: nn.Module, mu: Tensor, log_sigma: Tensor) -> None:
    name, positive = _name_of(module, log_sigma), bool((log_sigma > 0).all())  # as a standard deviation is
    by_name = bool(re.search(IS_SIGMA, name)) and "log" not in name
    if positive and (by_name or _is_made_by(log_sigma.grad_fn, POSITIVE)):
        raise errors.sigma_for_log_sigma()
    if re.search(IS_VALUE, name):
        raise errors.value_for_log_sigma()
    if positive and not log_sigma.requires_grad:
        warnings.warn(errors.constant_log_sigma(float(log_sigma.flatten()[0])), stacklevel=2)
    elif mu.shape[-1] == 1 and name and name != _name_of(module, mu) and not re.search(IS_SPREAD, name):
        warnings.warn(errors.read_as_log_sigma(name), stacklevel=2)


def _check_reach(mu: Tensor | None, sigma: Tensor | None, space: spaces.Box) -> None:
    if mu is None or sigma is None or mu.shape[-1:] != (int(np.prod(space.shape)),):
        return
    low, high = (torch.as_tensor(bound.ravel().astype(np.float64)) for bound in (space.low, space.high))
    never = ((mu + 5 * sigma < low) | (mu - 5 * sigma > high)) & (low < high)
    if len(beyond := never.flatten(0, -2).all(0).nonzero()):
        raise errors.actions_out_of_reach(space, int(beyond[0]))


def _moment(distribution: torch.distributions.Distribution, name: str) -> Tensor | None:
    try:
        found: Tensor = getattr(distribution, name).detach()
        return found
    except (NotImplementedError, AttributeError):
        return None


def _given_logits(distribution: torch.distributions.Distribution) -> Any:
    """The operation that gave a torch distribution its logits, if it was made from them, before they are normalized."""
    while isinstance(distribution, torch.distributions.Independent):
        distribution = distribution.base_dist
    logits = vars(distribution).get("logits")
    node = None if logits is None else logits.grad_fn
    return node.next_functions[0][0] if node is not None and _operation(node) == "Sub" else node


def _node(node: Any) -> Any:
    """The last operation that gave a tensor its values, in torch's graph, from its grad_fn."""
    while node is not None and _operation(node) in SAME_VALUES:
        before = [other for other, _ in node.next_functions if other is not None]
        if len(before) != 1:
            return node
        node = before[0]
    return node


def _operation(node: Any) -> str:
    return type(node).__name__.partition("Backward")[0].lstrip("_")


def _is_made_by(node: Any, kinds: tuple[str, ...]) -> bool:
    """Whether one of these operations gave a tensor with this grad_fn its values, or each of the parts it has."""
    if (node := _node(node)) is None:
        return False
    before = [other for other, _ in node.next_functions if other is not None]
    joined = _operation(node) in JOINED and bool(before) and all(_is_made_by(other, kinds) for other in before)
    return joined or _operation(node) in kinds


def _name_of(module: nn.Module, tensor: Tensor) -> str:
    """The name of a weight that the tensor is, or that its last layer has; "" if none is found."""
    names = {id(weight): name.lower() for name, weight in module.named_parameters()}
    nodes = [_node(tensor.grad_fn)]
    for _ in range(3):  # a layer's weight may stand behind its transpose
        for node in nodes:
            if id(getattr(node, "variable", None)) in names:
                return names[id(node.variable)]
        nodes = [other for node in nodes if node is not None for other, _ in node.next_functions]
        nodes = [node for node in nodes if node is not None and _operation(node) in ("AccumulateGrad", *SAME_VALUES)]
    return ""


ASKED: WeakKeyDictionary[nn.Module, list[tuple[type, bool]]] = WeakKeyDictionary()  # with the layers that it had then


def layers_of(policy: nn.Module) -> list[tuple[type, bool]]:
    """The kinds of a policy's layers, and which are in training."""
    return [(type(module), module.training) for module in policy.modules()]


def has_changed(policy: nn.Module) -> bool:
    """Whether a policy that was asked has other layers since then, or others in training."""
    return policy in ASKED and ASKED[policy] != layers_of(policy)


def check_layers(policy: nn.Module) -> None:
    """Raises ValueError for layers whose output chance or other rows of the batch decide while they are in training."""
    for name, module in policy.named_modules():
        if isinstance(module, CHANGES_IN_TRAINING) and module.training and getattr(module, "p", True):
            raise errors.changes_in_training(name.removeprefix("module."), type(module).__name__)


def check_rows(policy: nn.Module, observations: Tensor, actions: Tensor) -> None:
    """Raises ValueError unless a policy gives for a row of observations (runs, n, size) what that row alone decides.

    It is asked for the log-probabilities of actions that it sampled there: the same again, in another order and between
    two other rows, and of one row alone. What chance, memory or other rows decide would be another policy at the update
    than at play.
    """

    def log_prob(rows: Tensor, taken: Tensor) -> Tensor:
        return to_distribution(policy, forward(policy, rows)).log_prob(taken).detach().double()

    with torch.enable_grad():
        first, before = log_prob(observations, actions), _state(policy)
    with torch.no_grad():  # as it is asked in play; above, as in the update
        again = log_prob(observations, actions)
    if _differ(first, again, 1e-6) or not all(map(torch.equal, before, _state(policy))):
        raise errors.has_memory()
    taken = torch.cat([actions[:, :1], actions.flip(1), actions[:, :1]], 1)

    def between(other: Tensor) -> Tensor:
        return log_prob(torch.cat([other, observations.flip(1), other], 1), taken)[:, 1:-1].flip(1)

    try:
        try:
            mixed = between(torch.ones_like(observations[:, :1]))
        except Exception:  # it may refuse a row that no environment gave
            mixed = between(observations[:, :1])
        alone = log_prob(observations[:, :1], actions[:, :1])
    except Exception as error:
        raise errors.depends_on_other_rows() from error
    if _differ(first, mixed, 1e-3) or _differ(first[:, :1], alone, 1e-3):
        raise errors.depends_on_other_rows()


def _differ(a: Tensor, b: Tensor, tolerance: float) -> bool:
    return a.shape != b.shape or not bool(((a - b).abs() <= tolerance * (1 + a.abs())).all())


def _state(policy: nn.Module) -> list[Tensor]:
    """The numbers that a policy keeps, other than its weights."""
    kept = [value for module in policy.modules() for value in (*module._buffers.values(), *vars(module).values())]
    return [value.detach().clone() for value in kept if isinstance(value, Tensor) and value.is_floating_point()]


def warn_of_pixels(policy: nn.Module, observations: Tensor) -> None:
    """Warns where the first layer of a learner's policy reads pixels of up to 255 as they are."""
    largest = list[float]()
    hooks = [
        module.register_forward_pre_hook(lambda _, inputs: largest.append(float(inputs[0].detach().abs().max())))
        for module in policy.modules()
        if isinstance(module, LAYERS)
    ]
    try:
        with torch.no_grad():
            forward(policy, observations)
    except Exception:
        pass  # what is wrong is said where it is asked for actions
    finally:
        for hook in hooks:
            hook.remove()
    if largest and largest[0] > 32:
        warnings.warn(errors.pixels_unscaled(), stacklevel=2)
