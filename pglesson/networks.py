"""Networks with a leading run axis: `runs` independent copies with their own weights, computed as one batched product.

That is why ten runs cost about twice what one does.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class NumpyTanh(torch.autograd.Function):
    """tanh by NumPy, in a fraction of torch's time (scripts/bench_distributions.py): a tenth of an update, and more."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return torch.from_numpy(np.tanh(x.detach().numpy()))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        found: Tensor = torch.ops.aten.tanh_backward(grad, *ctx.saved_tensors)
        return found

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None], x: Tensor) -> tuple[Tensor, int | None]:
        return NumpyTanh.apply(x), in_dims[0]


class Tanh(nn.Module):
    """tanh of each entry."""

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = NumpyTanh.apply(x) if x.device.type == "cpu" else x.tanh()
        return found


ACTIVATIONS: dict[str, type[nn.Module]] = {"tanh": Tanh, "relu": nn.ReLU}


NARROW = 8  # outputs: torch multiplies by so narrow a matrix five times faster when both are transposed


class BatchedLinear(nn.Module):
    """One affine map per run: (runs, n, inputs) -> (runs, n, outputs), y = x W + b.

    Weights start uniform in +-scale/sqrt(inputs) and the bias at zero; scale 0 starts the map at zero.
    """

    def __init__(
        self, runs: int, inputs: int, outputs: int, *, bias: bool, scale: float, generator: torch.Generator | None
    ) -> None:
        super().__init__()
        weight = torch.empty(runs, inputs, outputs, dtype=torch.float32).uniform_(-1, 1, generator=generator)
        self.weight = nn.Parameter(weight * scale / math.sqrt(inputs))
        self.bias = nn.Parameter(torch.zeros(runs, 1, outputs, dtype=torch.float32)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        if self.weight.shape[-1] < NARROW:
            weight, x = self.weight.mT.contiguous(), x.mT
            return (weight @ x if self.bias is None else torch.baddbmm(self.bias.mT, weight, x)).mT
        return x @ self.weight if self.bias is None else torch.baddbmm(self.bias, x, self.weight)


class Scale(nn.Module):
    """Each entry of an observation by its factor: pixels from 0 ... 255 to 0 ... 1."""

    def __init__(self, factors: NDArray[np.float32]) -> None:
        super().__init__()
        self.factors: Tensor
        self.register_buffer("factors", torch.from_numpy(factors))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factors


class BatchedMLP(nn.Sequential):
    """A multilayer perceptron per run; `hidden=()` makes it linear, and a table where observations are one-hot.

    A linear map starts at zero (every action equally likely, no preference to unlearn) and has no bias, so that
    its weights are the table of Sutton & Barto's action preferences. The last layer of a deeper one starts small,
    for the same reason.
    """

    def __init__(
        self,
        runs: int,
        inputs: int,
        outputs: int,
        hidden: Sequence[int],
        activation: str,
        generator: torch.Generator | None,
        scale_inputs: NDArray[np.float32] | None = None,
    ) -> None:
        sizes, layers = [inputs, *hidden], list[nn.Module]()
        layers += [Scale(scale_inputs)] if scale_inputs is not None else []
        for size, following in zip(sizes, hidden):
            layers += [BatchedLinear(runs, size, following, bias=True, scale=math.sqrt(3), generator=generator)]
            layers += [ACTIVATIONS[activation]()]
        scale = 0.1 if hidden else 0.0
        layers += [BatchedLinear(runs, sizes[-1], outputs, bias=bool(hidden), scale=scale, generator=generator)]
        super().__init__(*layers)


def forward_in_numpy(network: nn.Module) -> Callable[[NDArray[np.float32]], NDArray[np.float32]] | None:
    """The forward pass of a BatchedMLP; None for a network that was changed, or is not in float32 on the CPU."""
    modules = list(network.modules())
    known = {BatchedMLP, BatchedLinear, Scale, Tanh, nn.ReLU}
    plain = type(network) is BatchedMLP and {type(module) for module in modules} <= known
    hooked = any(module._forward_hooks or module._forward_pre_hooks for module in modules)
    if not plain or hooked or any(w.device.type != "cpu" or w.dtype != torch.float32 for w in network.parameters()):
        return None
    layers = [
        (layer.weight.detach().numpy(), 0.0 if layer.bias is None else layer.bias.detach().numpy())
        if isinstance(layer, BatchedLinear)
        else np.tanh
        if isinstance(layer, Tanh)
        else functools.partial(np.multiply, layer.factors.numpy())
        if isinstance(layer, Scale)
        else functools.partial(np.maximum, 0.0)
        for layer in modules[1:]
    ]

    def forward(x: NDArray[np.float32]) -> NDArray[np.float32]:
        for number, layer in enumerate(layers):
            if callable(layer):
                x = layer(x, out=x if number else None)  # the observations themselves stay as they are
            else:
                x = x @ layer[0]
                x += layer[1]
        return x

    return forward
