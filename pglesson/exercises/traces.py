"""What a learner's training leaves behind: the episodes as the environment saw them, and what torch was asked for."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from unittest.mock import patch

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from torch.distributions import Categorical, Normal
from torch.optim.optimizer import register_optimizer_step_pre_hook


@dataclass
class Step:
    """One step of an episode: what was seen, what was done, and its reward."""

    observation: NDArray[Any]
    action: NDArray[Any]
    reward: float


@dataclass
class Asked:
    """What a distribution was asked for: its parameters (logits, or means), scales if it has any, and the values.

    weights: minus the derivative of the loss by these log-probabilities, None where no backward() came to them; steps:
    how many the optimizers had made before. mean_by, scale_by: the operations that computed a mean and a scale;
    scale_weight: what is learned for the scale, in its shape, if it is computed from nothing else.
    """

    parameters: torch.Tensor
    scale: torch.Tensor | None
    values: torch.Tensor
    weights: torch.Tensor | None = None
    steps: int = 0
    mean_by: frozenset[str] = frozenset()
    scale_by: frozenset[str] = frozenset()
    scale_weight: torch.Tensor | None = None

    def weighted(self, gradient: torch.Tensor) -> None:
        """Called by backward(), with the derivative of the loss."""
        self.weights = -gradient.detach()

    def is_scale(self, function: Callable[[torch.Tensor], torch.Tensor]) -> bool:
        """Whether the scale is this function of what is learned for it."""
        if self.scale is None or self.scale_weight is None:
            return False
        return torch.allclose(self.scale, function(self.scale_weight))

    @property
    def number(self) -> int:
        """How many log-probabilities were given, of several dimensions each where they are densities."""
        if self.scale is not None:
            return self.values.numel()
        return torch.broadcast_shapes(self.values.shape, self.parameters.shape[:-1]).numel()

    def rows(self) -> torch.Tensor:
        """Weight and probability (1 for a density) of each action, (n, 2)."""
        assert self.weights is not None
        if self.scale is not None:  # of an action with several dimensions, the first: all have the same weight
            weights = (
                self.weights.reshape(-1, self.weights.shape[-1])[:, 0] if self.weights.ndim else self.weights[None]
            )
            return torch.stack([weights, torch.ones_like(weights)], 1)
        values, pi = self.values.long().unsqueeze(-1), self.parameters.softmax(-1)
        shape = torch.broadcast_shapes(values.shape[:-1], pi.shape[:-1])
        taken = pi.expand(*shape, -1).gather(-1, values.expand(*shape, 1))
        return torch.stack([self.weights.flatten(), taken.flatten()], 1)


@dataclass
class Output:
    """What a linear layer gave for a batch of inputs, a row for each: a value, or the logits of two actions.

    played: time steps before; steps: of optimizers before; gradient: of the loss, None where no backward() came to it.
    """

    rows: torch.Tensor
    played: int
    steps: int
    gradient: torch.Tensor | None = None

    def reached(self, gradient: torch.Tensor) -> None:
        """Called by backward(), with the derivative of the loss."""
        self.gradient = gradient.detach().reshape(self.rows.shape)


@dataclass
class Optimizer:
    """What was seen of an optimizer, by the gradient of its first weight."""

    weight: torch.Tensor
    steps: int = 0
    kept: int = 0  # steps after which backward() added to a gradient that still held something
    _holds: bool = False  # whether it held something when backward() came to it
    _first: bool = False  # whether no backward() has added to it since the last step

    def __post_init__(self) -> None:
        self.weight.register_hook(self._reached)
        self.weight.register_post_accumulate_grad_hook(self._added)

    def stepped(self) -> None:
        """Called before each step."""
        self.steps += 1
        self._first = True

    def _reached(self, _: torch.Tensor) -> None:
        self._holds = self.weight.grad is not None and bool(self.weight.grad.any())

    def _added(self, _: torch.Tensor) -> None:
        self.kept += self._first and self._holds
        self._first = False


class Seen(BaseException):
    """Raised in a training whose mistake has been seen: its words. Not an Exception, which a learner may catch."""


@dataclass
class Trace:
    """What was seen of one training."""

    resets: list[list[Step]] = field(default_factory=list)  # the steps after each reset, of all copies
    late: int = 0  # steps after an episode's end
    sampled: list[Asked] = field(default_factory=list)  # by a Categorical or a Normal
    log_probs: list[Asked] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)  # in the first look_after episodes
    reparameterized: bool = False  # a log-probability was asked for at an action that carries a gradient
    softmaxed: list[bool] = field(default_factory=list)  # for each Categorical of logits, whether they add up to 1
    steps: int = 0  # of optimizers
    backwards: int = 0
    averaged: bool = False  # a loss had a mean over the action dimensions of log-probabilities
    densities: bool = False  # a loss had the exponential of log-probabilities, and of nothing else
    # the loss and all that is learned by it, if it is one tensor, at the first, second, fourth, eighth ... backward()
    losses: list[tuple[float, torch.Tensor]] = field(default_factory=list)
    product: torch.Size | None = None  # the shape of a product with log-probabilities that has more entries than they
    rates: set[float] = field(default_factory=set)  # learning rates of the optimizers
    # how many episodes were played before the steps of optimizers, by the sizes of the layers that they move
    moments: dict[int, set[int]] = field(default_factory=dict)
    look_after: int = 0  # so many episodes, at the next reset, it is looked for a mistake; 0: not
    look: Callable[[Trace], str | None] = lambda trace: None  # the mistake, in words, which ends the training by Seen
    _optimizers: dict[int, Optimizer] = field(default_factory=dict)
    _places: dict[Any, Asked] = field(default_factory=dict)  # in torch's graph, until a loss is seen

    @property
    def kept(self) -> int:
        """Steps of optimizers after which a gradient was added to what the last one left."""
        return sum(optimizer.kept for optimizer in self._optimizers.values())

    @property
    def never_cleared(self) -> bool:
        """Whether the gradient of one of the optimizers is never set to zero."""
        return any(optimizer.kept > optimizer.steps // 2 > 0 for optimizer in self._optimizers.values())

    @property
    def episodes(self) -> list[list[Step]]:
        """Those that were played; one that was only begun, as by a reset too many, is none."""
        return [steps for steps in self.resets if steps]

    @property
    def returns(self) -> NDArray[np.float64]:
        """Of the episodes, undiscounted."""
        return np.array([sum(step.reward for step in episode) for episode in self.episodes])

    @property
    def played(self) -> NDArray[Any]:
        """All actions, in their order, flat."""
        return np.array([step.action for episode in self.episodes for step in episode]).ravel()

    def weights(self, by_logits: bool = False) -> list[tuple[NDArray[np.float64], NDArray[np.float64], int]]:
        """The weights of each episode's log-probabilities in the loss, in the order of play, the probabilities of its
        actions (1 where they are densities), and the steps that had been made before; none for agents whose
        log-probabilities are not those of the actions as they were played. by_logits: from the derivatives by the
        logits in any case, to which an entropy adds its own."""
        asked = [one for one in self.log_probs if one.weights is not None and not by_logits]
        rows_of = [one.rows() for one in asked]
        rows = torch.cat([torch.zeros(0, 2), *rows_of]).double()
        steps = np.repeat([one.steps for one in asked], [*map(len, rows_of)]).astype(int)
        if not asked:
            rows, steps = self._weights_by_logits()
        ends = np.cumsum([len(episode) for episode in self.episodes[: None if asked else self.look_after]])
        if not 0.75 * ends[-1:].sum() <= len(rows) <= ends[-1:].sum():
            return []
        weights, pi = rows.numpy().T
        starts = [0, *ends[:-1]]
        return [(weights[i:end], pi[i:end], steps[i]) for i, end in zip(starts, ends) if end <= len(rows)]

    @property
    def in_loss(self) -> int:
        """The time steps whose log-probabilities backward() came to; 0 where that cannot be seen."""
        asked = [one.rows() for one in self.log_probs if one.weights is not None]
        return sum(map(len, asked or self._weights_by_logits()[:1]))

    def _weights_by_logits(self) -> tuple[torch.Tensor, NDArray[np.int64]]:
        """The same (steps, 2) from the derivatives by the logits of two actions: w * (pi - 1) for the action taken."""
        found = [(one, one.gradient) for one in self.outputs if one.gradient is not None and one.rows.shape[-1] == 2]
        number = sum(len(one.rows) for one, _ in found)
        if not 0 < number <= len(self.played) or self.played.dtype.kind != "i":
            return torch.zeros(0, 2), np.zeros(0, int)
        gradients = torch.cat([gradient for _, gradient in found]).double()
        if gradients.sum(1).abs().max() > 1e-3 * gradients.abs().max():  # they are no logits
            return torch.zeros(0, 2), np.zeros(0, int)
        played = torch.as_tensor(self.played[:number, None])
        pi = torch.cat([one.rows for one, _ in found]).double().softmax(1).gather(1, played)[:, 0]
        weights = gradients.gather(1, played)[:, 0] / (pi - 1)
        return torch.stack([weights, pi], 1), np.repeat(
            [one.steps for one, _ in found], [len(one.rows) for one, _ in found]
        )

    def gave(self, rows: torch.Tensor) -> None:
        """Called with what a linear layer gave."""
        if len(self.resets) <= self.look_after and rows.requires_grad and rows.ndim and rows.shape[-1] <= 2:
            played = sum(map(len, self.resets))
            self.outputs.append(Output(rows.detach().reshape(-1, rows.shape[-1]).clone(), played, self.steps))
            rows.register_hook(self.outputs[-1].reached)

    def lost(self, loss: Any) -> None:
        """Called before each backward()."""
        self.backwards += 1
        nodes = computed_by(loss.grad_fn) if torch.is_tensor(loss) else set()
        weights = [node.variable for node in nodes if hasattr(node, "variable")]
        if len(weights) == 1 and self.backwards.bit_count() == 1 and loss.numel() == 1:
            self.losses.append((loss.item(), weights[0].detach().clone()))
        chooses = any(_chooses(node) for node in nodes)
        for node in nodes if any(node in self._places for node in nodes) else ():
            asked = [self._places[before] for before in computed_by(node) if before in self._places]
            self.averaged |= _averages_dimensions(node, asked)
            self.densities |= _exponentiates(node, self._places)
            self.product = self.product or (None if chooses else _larger_product(node, asked))
        for node in nodes:
            self._places.pop(node, None)

    def stepped(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """Called before each step of an optimizer."""
        if id(optimizer) not in self._optimizers:
            self._optimizers[id(optimizer)] = Optimizer(optimizer.param_groups[0]["params"][0])
        self._optimizers[id(optimizer)].stepped()
        self.steps += 1
        self.rates.add(float(optimizer.param_groups[0]["lr"]))
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        for size in {size for w in weights if w.ndim == 2 and w.grad is not None for size in w.shape}:
            self.moments.setdefault(size, set()).add(len(self.episodes))


def computed_by(node: Any) -> set[Any]:
    """An operation of torch's graph, and all those whose results it uses, directly or not."""
    known, left = set[Any](), [node]
    while left:
        node = left.pop()
        if node is not None and node not in known:
            known.add(node)
            left += [before for before, _ in node.next_functions]
    return known


def _averages_dimensions(node: Any, asked: list[Asked]) -> bool:
    """Whether a node is a mean over the action dimensions of all log-probabilities that it uses."""
    if not (type(node).__name__.startswith("MeanBackward") and asked and asked[0].scale is not None):
        return False
    sizes = node._saved_self_sym_sizes
    last = {len(sizes) - 1, 2**64 - 1}  # torch keeps -1 without a sign
    over_last = last & {*getattr(node, "_saved_dim", last)}
    return bool(over_last) and math.prod(sizes) == sum(one.values.numel() for one in asked) and sizes[-1] > 1


def _exponentiates(node: Any, places: dict[Any, Asked]) -> bool:
    """Whether a node is the exponential of log-probabilities, or of sums of them."""
    if not type(node).__name__.startswith("ExpBackward"):
        return False
    (argument, _), *_ = node.next_functions
    while type(argument).__name__.startswith(("SumBackward", "ViewBackward")):
        (argument, _), *_ = argument.next_functions
    return argument in places


def _larger_product(node: Any, asked: list[Asked]) -> torch.Size | None:
    """The shape of a node's product, if it has more entries than the log-probabilities in it."""
    if not asked or type(node).__name__ != "MulBackward0":
        return None
    shape = torch.Size(node._input_metadata[0].shape)
    return shape if shape.numel() > sum(one.number for one in asked) else None


def _chooses(node: Any) -> bool:
    """Whether a node takes some entries of a matrix only, as by a mask of zeros and ones."""
    factors = (node._saved_self, node._saved_other) if type(node).__name__ == "MulBackward0" else ()
    masks = any(x is not None and x.ndim > 1 and (x == 0).double().mean() > 0.3 for x in factors)
    return masks or type(node).__name__.startswith(("Triu", "Tril", "MaskedFill", "MaskedSelect", "Where"))


class Watched(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Notes what is done in an environment, of all copies of it in one trace."""

    trace: ClassVar[Trace] = Trace()

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        if len(self.trace.resets) == self.trace.look_after > 0 and (said := self.trace.look(self.trace)):
            raise Seen(said)
        self._seen, info = self.env.reset(**options)
        self._over = False
        self.trace.resets.append([])
        return self._seen, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self.trace.late += getattr(self, "_over", False)
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.trace.resets[-1].append(Step(np.array(self._seen), np.array(action), float(reward)))
        self._seen, self._over = observation, terminated or truncated
        return observation, reward, terminated, truncated, info


@contextmanager
def watching() -> Iterator[Trace]:
    """Notes what a training does in here."""
    trace = Watched.trace = Trace()
    hook = register_optimizer_step_pre_hook(trace.stepped)
    with ExitStack() as stack:
        stack.callback(hook.remove)
        stack.enter_context(warnings.catch_warnings(action="ignore"))
        stack.enter_context(patch.object(torch.autograd, "backward", _counting(trace, torch.autograd.backward)))
        linear = torch.nn.functional.linear
        stack.enter_context(patch.object(torch.nn.functional, "linear", _giving(trace, linear)))
        stack.enter_context(patch.object(Categorical, "__init__", _making(trace, Categorical.__init__)))
        for distribution in (Categorical, Normal):
            sample, log_prob = distribution.sample, distribution.log_prob
            stack.enter_context(patch.object(distribution, "sample", _sampling(trace, sample)))
            stack.enter_context(patch.object(distribution, "log_prob", _asking(trace, log_prob)))
        yield trace


def _counting(trace: Trace, backward: Callable[..., None]) -> Callable[..., None]:
    def counted(*arguments: Any, **options: Any) -> None:
        trace.lost(arguments[0] if arguments else None)
        backward(*arguments, **options)

    return counted


def _giving(trace: Trace, linear: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def given(*arguments: Any, **options: Any) -> torch.Tensor:
        rows = linear(*arguments, **options)
        trace.gave(rows)
        return rows

    return given


def _making(trace: Trace, init: Callable[..., None]) -> Callable[..., None]:
    def made(self: Any, probs: Any = None, logits: Any = None, validate_args: Any = None) -> None:
        if logits is not None:
            given = logits.detach()
            trace.softmaxed.append(bool((given > 0).all() and ((given.sum(-1) - 1).abs() < 1e-5).all()))
        init(self, probs, logits, validate_args)

    return made


def _sampling(trace: Trace, sample: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def sampled(self: Any, *arguments: Any, **options: Any) -> torch.Tensor:
        values = sample(self, *arguments, **options)
        trace.sampled.append(_asked(self, values))
        return values

    return sampled


def _asking(trace: Trace, log_prob: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def asked(self: Any, value: Any) -> torch.Tensor:
        trace.log_probs.append(_asked(self, value))
        trace.reparameterized |= torch.is_tensor(value) and value.requires_grad
        result = log_prob(self, value)
        trace.log_probs[-1].steps = trace.steps
        if result.requires_grad:
            result.register_hook(trace.log_probs[-1].weighted)
            trace._places[result.grad_fn] = trace.log_probs[-1]
            if isinstance(self, Normal):
                _note_origin(trace.log_probs[-1], self)
        return result

    return asked


def _note_origin(asked: Asked, distribution: Normal) -> None:
    """Notes how the mean and the scale were computed."""
    scale = distribution.scale
    of_mean, of_scale = computed_by(distribution.loc.grad_fn), computed_by(scale.grad_fn)
    asked.mean_by, asked.scale_by = (frozenset(type(node).__name__ for node in nodes) for nodes in (of_mean, of_scale))
    weight, *others = [node.variable for node in of_scale if hasattr(node, "variable")] or [scale]
    if weight.requires_grad and not others and weight.shape == scale.shape[-weight.ndim :]:
        asked.scale_weight = weight.detach().clone().expand_as(scale)


def _asked(distribution: Any, values: Any) -> Asked:
    normal = isinstance(distribution, Normal)
    parameters = distribution.loc if normal else distribution.logits
    scale = distribution.scale.detach().clone() if normal else None
    return Asked(parameters.detach().clone(), scale, torch.as_tensor(values).detach().clone())
