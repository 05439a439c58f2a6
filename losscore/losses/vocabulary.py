"""The loss of a last layer and its softmax together, for so many classes that their logits don't fit in memory.

The logits of a few rows at a time are made, turned into their own gradient in place, and let go. Where the loss is
reduced, the gradients in the hidden states, the weight and the bias are ready when the forward pass ends. Losses of
single rows, second derivatives, forward mode and `torch.func` make the logits anew instead, again chunk by chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ._tensors import (
    Reduction,
    check_companion,
    check_labels,
    check_number,
    check_prediction,
    check_reduction,
    common_dtype,
    forward_within_forward,
    working_dtype,
)

_FEWEST_ROWS = 128

Given = ParamSpec("Given")
Result = TypeVar("Result")


def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor,
    target: Tensor,
    *,
    bias: Tensor | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    chunk_size: int | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Cross-entropy of the logits z = W h + b of a linear layer, -log softmax(W h + b)_y, which are never held whole.

    Domain: all real h, W and b; a b_k of -inf rules class k out. Its minimiser in the logits is that of
    `cross_entropy`: those whose softmax is the true distribution of the class.

    Conventions: as `cross_entropy(F.linear(hidden, weight, bias), target)`, but with the classes in the last dimension.
        - `weight` is that of the layer, one row per class; it is no weight of the classes.
        - "mean" divides by the number of rows that aren't ignored; over none it is NaN with gradient 0.
        - `label_smoothing` e replaces the target q by (1 - e) q + e / V.
        - `chunk_size` is the number of rows whose logits are held at a time. By default a chunk of logits is as large
          as the weight, and 128 rows at least. The result doesn't depend on it but for rounding.
        - Low precision, and everything under autocast, is computed in float32. The weight is copied for it, once.
        - Memory beyond the inputs: a chunk of logits and the gradients. A target of probabilities that itself asks for
          a gradient is the exception: the logits are as large as that gradient, and are held.

    Shape: `hidden` (..., D), `weight` (V, D), `bias` (V,); `target` (...), or for probabilities (..., V). The result is
    () or, under "none", (...).

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, V), `label_smoothing` outside of [0, 1],
            `chunk_size` is below 1, `ignore_index` isn't negative although the target holds probabilities, or
            `reduction` is unknown.
        TypeError: `hidden` or `weight` isn't a floating-point tensor, or another argument isn't of the kind named.

    Example:
        >>> hidden, weight = torch.tensor([[20.0, 0.0]]), torch.eye(2)
        >>> linear_cross_entropy(hidden, weight, torch.tensor([0]))
        tensor(2.0612e-09)

    References: Good (1952), Rational decisions; Wijmans et al. (2025), Cut your losses in large-vocabulary language
    models.
    """
    smoothing = check_number("label_smoothing", label_smoothing, "a number in [0, 1]", lambda x: 0 <= x <= 1)
    check_reduction(reduction)
    _check_layer(hidden, weight, bias)
    _check_target(hidden, weight, target, ignore_index)
    dtype = common_dtype(hidden, weight, target, *(() if bias is None else (bias,)))
    working = working_dtype(dtype)
    shape, (classes, features) = hidden.shape[:-1], weight.shape
    rows = _check_chunk_size(chunk_size) or max(features, _FEWEST_ROWS)
    states, matrix = hidden.reshape(-1, features).to(working), weight.to(working)
    offset = None if bias is None else bias.to(working)
    if target.is_floating_point():
        goal = target.reshape(-1, classes).to(working)
        goal = (1 - smoothing) * goal + smoothing / classes if smoothing else goal
        counted = torch.ones_like(states[:, 0])
    else:
        goal = target.reshape(-1).to(torch.int64)
        ignored = goal == ignore_index
        goal = goal.masked_fill(ignored, 0)
        states = states.masked_fill(ignored.unsqueeze(-1), 0)
        counted = torch.ones_like(states[:, 0]).masked_fill(ignored, 0)
    plan = Plan(rows, 0.0 if target.is_floating_point() else smoothing)
    layer = Layer(states, matrix, offset)
    if reduction == "none":
        return _losses(layer, goal, plan).masked_fill(counted == 0, 0).reshape(shape).to(dtype)
    number = counted.sum()
    total = _total(layer, goal, counted / number.clamp(min=1) if reduction == "mean" else counted, plan)
    if reduction == "mean":
        total = torch.where(number > 0, total, torch.nan)
    return total.to(dtype)


@dataclass(frozen=True)
class Plan:
    """How many rows of logits are held at a time, and the smoothing of class indices."""

    rows: int
    smoothing: float


class Layer(NamedTuple):
    """Hidden states, weight and bias; also a direction in them, or a gradient."""

    hidden: Tensor
    weight: Tensor
    bias: Tensor | None

    def logits(self) -> Tensor:
        if self.bias is None:
            return self.hidden @ self.weight.T
        return torch.addmm(self.bias, self.hidden, self.weight.T)


def _without_autocast(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """The function of a layer, its matrix products in the dtype that they are asked for, forward and backward."""

    @wraps(function)
    def precise(*arguments: Given.args, **options: Given.kwargs) -> Result:
        layer = arguments[0]
        assert isinstance(layer, Layer)
        device = layer.hidden.device.type
        if not (torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)):
            return function(*arguments, **options)
        with torch.autocast(device, enabled=False):
            return function(*arguments, **options)

    return precise


def _chunks(rows: int, *tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """The same few rows of every tensor at a time."""
    return zip(*(torch.split(tensor, rows) for tensor in tensors), strict=True)


def _overwritten() -> bool:
    """Whether a fresh tensor may be overwritten: not where autograd records what is done with it."""
    return not torch.is_grad_enabled()


def _replaced(fresh: Tensor, index: Tensor, by: Tensor | float) -> Tensor:
    return fresh.scatter_(-1, index, by) if _overwritten() else fresh.scatter(-1, index, by)


def _loss_and_slope(fresh: Tensor, target: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """Losses of rows of logits and their slopes in them, which may overwrite the logits.

    The exponentials are relative to the largest logit, whose own is exactly 1 and left out of the sum `rest` of the
    others: log(1 + rest) and what the others have of the probability are exact however small they are.
    """
    top, at = fresh.max(-1, keepdim=True)
    below = fresh.sub_(top) if _overwritten() else fresh - top
    if target.is_floating_point():
        mass, gaps = target.sum(-1), -(target * below.masked_fill(target == 0, 0)).sum(-1)
    else:
        own = target.unsqueeze(-1)
        mass, gaps = torch.ones_like(top).squeeze(-1), -below.gather(-1, own).squeeze(-1)
        if smoothing:
            gaps = (1 - smoothing) * gaps - smoothing * below.mean(-1)
    others = _replaced(below.exp_() if _overwritten() else below.exp(), at, 0.0)
    rest = others.sum(-1, keepdim=True)
    losses = mass * rest.log1p().squeeze(-1) + gaps
    of_top, missed = 1 / (1 + rest), rest / (1 + rest)
    p = _replaced(others.mul_(of_top) if _overwritten() else others * of_top, at, of_top)
    if target.is_floating_point():
        elsewhere = target.scatter(-1, at, 0.0).sum(-1, keepdim=True)
        mass = mass.unsqueeze(-1)
        return losses, _replaced(mass * p - target, at, elsewhere - mass * missed)
    if smoothing:
        return losses, (p - smoothing / p.shape[-1]).scatter_add(-1, own, torch.full_like(top, smoothing - 1))
    return losses, _replaced(p, own, torch.where(own == at, -missed, p.gather(-1, own) - 1))


@_without_autocast
def _sweep(
    layer: Layer, target: Tensor, factor: Tensor, plan: Plan, with_slopes: bool = True
) -> tuple[Tensor, Layer | None]:
    """The losses of all rows, and the gradient of their sum with the given factors."""
    losses, of_hidden = [layer.hidden.new_empty(0)], [layer.hidden[:0]]
    of_weight = factor.new_zeros(layer.weight.shape)
    of_bias = None if layer.bias is None else factor.new_zeros(layer.bias.shape)
    for hidden, goal, share in _chunks(plan.rows, layer.hidden, target, factor):
        found, slope = _loss_and_slope(layer._replace(hidden=hidden).logits(), goal, plan.smoothing)
        losses.append(found)
        if with_slopes:
            share = share.unsqueeze(-1)
            of_weight.addmm_(slope.T, share * hidden)
            of_hidden.append(share * (slope @ layer.weight))
            if of_bias is not None:
                of_bias.addmv_(slope.T, share.squeeze(-1))
        del slope
    return torch.cat(losses), Layer(torch.cat(of_hidden), of_weight, of_bias) if with_slopes else None


@_without_autocast
def _curvature(
    layer: Layer, target: Tensor, factor: Tensor, along: Layer, plan: Plan
) -> tuple[Tensor, Layer]:
    """The rates at which the losses of the rows change along a direction, and that of the gradient of their sum.

    As second derivatives are symmetric, the latter is also the gradient of the former.
    """
    rates, of_hidden = [layer.hidden.new_empty(0)], [layer.hidden[:0]]
    of_weight, of_bias = torch.zeros_like(layer.weight), torch.zeros_like(layer.weight[:, 0])
    soft = target.is_floating_point()
    for hidden, toward, goal, share in _chunks(plan.rows, layer.hidden, along.hidden, target, factor):
        logits = layer._replace(hidden=hidden).logits()
        p = logits.softmax(-1)
        _, slope = _loss_and_slope(logits, goal, plan.smoothing)
        change = along._replace(hidden=hidden).logits() + toward @ layer.weight.T
        rates.append((slope * change).sum(-1))
        share = share.unsqueeze(-1)
        mass = share * goal.sum(-1, keepdim=True) if soft else share
        bend = mass * p * (change - (p * change).sum(-1, keepdim=True))
        of_hidden.append(bend @ layer.weight + share * (slope @ along.weight))
        of_weight = of_weight + bend.T @ hidden + slope.T @ (share * toward)
        of_bias = of_bias + bend.sum(0)
    return torch.cat(rates), Layer(torch.cat(of_hidden), of_weight, None if layer.bias is None else of_bias)


def _or_zeros(direction: tuple[Tensor | None, ...], layer: Layer) -> Layer:
    filled = (
        like if like is None else torch.zeros_like(like) if part is None else part
        for part, like in zip(direction, layer, strict=True)
    )
    return Layer(*filled)  # type: ignore[arg-type]


def _one_by_one(function: type[torch.autograd.Function], info: Any, in_dims: Any, arguments: Any) -> Any:
    """The rule of `torch.func.vmap`: each member of the batch by itself."""
    results = [
        function.apply(
            *(x if at is None else x.select(at, i) for x, at in zip(arguments, in_dims, strict=True))
        )  # type: ignore[no-untyped-call]
        for i in range(info.batch_size)
    ]
    if isinstance(results[0], Tensor):
        return torch.stack(results), 0
    columns = tuple(zip(*results, strict=True))
    return (
        tuple(None if column[0] is None else torch.stack(column) for column in columns),
        tuple(None if column[0] is None else 0 for column in columns),
    )


class _Gradient(torch.autograd.Function):
    """The gradient of the sum of the rows' losses with the given factors."""

    @staticmethod
    def forward(
        hidden: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, factor: Tensor, plan: Plan
    ) -> tuple[Tensor | None, ...]:
        return tuple(_sweep(Layer(hidden, weight, bias), target, factor, plan)[1] or ())

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        *tensors, ctx.plan = inputs
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor | None) -> tuple[Tensor | None, ...]:
        *layer, target, factor = ctx.saved_tensors
        along = _or_zeros(upstream, Layer(*layer))
        rates, bent = _curvature(Layer(*layer), target, factor, along, ctx.plan)
        return *bent, None, rates, None

    @staticmethod
    def vmap(info: Any, in_dims: Any, *arguments: Any) -> Any:
        return _one_by_one(_Gradient, info, in_dims, arguments)


class _Losses(torch.autograd.Function):
    """The losses of the rows."""

    @staticmethod
    def forward(hidden: Tensor, weight: Tensor, bias: Tensor | None, target: Tensor, plan: Plan) -> Tensor:
        unused = hidden.new_empty(hidden.shape[0])
        return _sweep(Layer(hidden, weight, bias), target, unused, plan, with_slopes=False)[0]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        *tensors, ctx.plan = inputs
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        return *_gradient(*ctx.saved_tensors, upstream, ctx.plan), None, None

    @staticmethod
    def vmap(info: Any, in_dims: Any, *arguments: Any) -> Any:
        return _one_by_one(_LossesInBothModes, info, in_dims, arguments)


class _GradientInBothModes(_Gradient):
    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> tuple[Tensor | None, ...]:
        *parts, target, factor = ctx.saved_tensors
        layer = Layer(*parts)
        with torch.enable_grad():
            moved = _curvature(layer, target, factor, _or_zeros(tangents[:3], layer), ctx.plan)[1]
            if tangents[4] is None:
                return tuple(moved)
            more = _gradient(*parts, target, tangents[4], ctx.plan)
        return tuple(None if a is None or b is None else a + b for a, b in zip(moved, more, strict=True))

    @staticmethod
    def vmap(info: Any, in_dims: Any, *arguments: Any) -> Any:
        return _one_by_one(_GradientInBothModes, info, in_dims, arguments)


class _LossesInBothModes(_Losses):
    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        *parts, target = ctx.saved_tensors
        layer = Layer(*parts)
        with torch.enable_grad():
            factor = torch.ones_like(layer.hidden[:, 0])
            return _curvature(layer, target, factor, _or_zeros(tangents[:3], layer), ctx.plan)[0]


class _Total(torch.autograd.Function):
    """The sum of the rows' losses with the given factors, and its gradient in the same sweep."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        target: Tensor,
        factor: Tensor,
        plan: Plan,
    ) -> Tensor:
        losses, slopes = _sweep(Layer(hidden, weight, bias), target, factor, plan)
        ctx.plan = plan
        ctx.save_for_backward(hidden, weight, bias, target, factor, *(slopes or ()))
        return _weighted_sum(losses, factor)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        *layer, target, factor, of_hidden, of_weight, of_bias = ctx.saved_tensors
        if torch.is_grad_enabled():
            return *_gradient(*layer, target, upstream * factor, ctx.plan), None, None, None
        slopes = (None if slope is None else upstream * slope for slope in (of_hidden, of_weight, of_bias))
        return *slopes, None, None, None


def _gradient(*arguments: Any) -> tuple[Tensor | None, ...]:
    chosen = _Gradient if torch.compiler.is_compiling() else _GradientInBothModes
    found: tuple[Tensor | None, ...] = chosen.apply(*arguments)  # type: ignore[no-untyped-call]
    return found


def _losses(layer: Layer, target: Tensor, plan: Plan) -> Tensor:
    if forward_within_forward():
        with torch.enable_grad():
            return _loss_and_slope(layer.logits(), target, plan.smoothing)[0]
    chosen = _Losses if torch.compiler.is_compiling() else _LossesInBothModes
    losses: Tensor = chosen.apply(*layer, target.detach(), plan)  # type: ignore[no-untyped-call]
    return losses + _of_the_target(layer, target) if _is_differentiated(target) else losses


def _total(layer: Layer, target: Tensor, factor: Tensor, plan: Plan) -> Tensor:
    tensors = [part for part in (*layer, target) if part is not None]
    if (
        not _is_transformed(tensors)
        and not _is_differentiated(target)
        and any(x.requires_grad for x in tensors)
    ):
        total: Tensor = _Total.apply(*layer, target, factor, plan)  # type: ignore[no-untyped-call]
        return total
    return _weighted_sum(_losses(layer, target, plan), factor)


def _weighted_sum(losses: Tensor, factor: Tensor) -> Tensor:
    return (factor * losses.masked_fill(factor == 0, 0)).sum()


@_without_autocast
def _of_the_target(layer: Layer, target: Tensor) -> Tensor:
    """Zero for each row, with the derivative in its target, minus the log of the probabilities."""
    surprisal = -layer.logits().log_softmax(-1)
    return ((target - target.detach()) * surprisal.masked_fill(surprisal.isinf(), 0)).sum(-1)


def _is_differentiated(target: Tensor) -> bool:
    return target.is_floating_point() and (target.requires_grad or _is_transformed([target]))


def _is_transformed(tensors: list[Tensor]) -> bool:
    """Whether `torch.func` or forward mode may be at work on one of these."""
    if torch.compiler.is_compiling():
        return False
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor
    return forward_ad._current_level >= 0 or any(wrapped(tensor) for tensor in tensors)


def _check_layer(hidden: object, weight: object, bias: object) -> None:
    check_prediction("hidden", hidden)
    assert isinstance(hidden, Tensor)
    check_companion("weight", weight, hidden, "hidden")
    check_prediction("weight", weight)
    assert isinstance(weight, Tensor)
    if hidden.dim() == 0 or weight.dim() != 2 or 0 in weight.shape or hidden.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"weight: expected one row per class, as long as the last dimension of hidden, {hidden.shape}, "
            f"got size {weight.shape}"
        )
    if bias is not None:
        check_companion("bias", bias, hidden, "hidden")
        assert isinstance(bias, Tensor)
        if bias.shape != weight.shape[:1]:
            raise ValueError(
                f"bias: expected one number per class, size {weight.shape[:1]}, got {bias.shape}"
            )


def _check_target(hidden: Tensor, weight: Tensor, target: object, ignore_index: int) -> None:
    check_companion("target", target, hidden, "hidden")
    assert isinstance(target, Tensor)
    rows, classes = hidden.shape[:-1], weight.shape[0]
    if target.is_floating_point():
        if ignore_index >= 0:
            raise ValueError(
                f"ignore_index: expected a negative number with a target of probabilities, got {ignore_index}"
            )
        if target.shape != (*rows, classes):
            raise ValueError(
                f"Target size ({target.shape}) must be the hidden size ({hidden.shape}) with {classes} classes as "
                f"last dimension for a target of probabilities, which {target.dtype} makes it; class indices need "
                "an integer dtype"
            )
        return
    if target.shape != rows:
        raise ValueError(
            f"Target size ({target.shape}) must be the hidden size ({hidden.shape}) without its last dimension, "
            f"{rows}, for class indices ({target.dtype})"
        )
    check_labels(
        target,
        f"class indices in [0, {classes})",
        lambda k: ((k >= 0) & (k < classes)) | (k == ignore_index),
    )


def _check_chunk_size(chunk_size: object) -> int | None:
    if chunk_size is not None:
        if isinstance(chunk_size, bool) or not isinstance(chunk_size, int):
            raise TypeError(f"chunk_size: expected None or an integer >= 1, got {type(chunk_size).__name__}")
        if chunk_size < 1:
            raise ValueError(f"chunk_size: expected None or an integer >= 1, got {chunk_size}")
    return chunk_size
