"""Closed-form derivatives: the gradient that the book derives is the backward pass that runs.

`closed_form` makes a differentiable function out of a value and its gradient, both written in plain torch. The
gradient is differentiated in turn for second derivatives, and serves forward mode and `torch.func.vmap` as well.
The functions here see logits with the classes in the last dimension. Each is exact where a probability comes near
1: the complement 1 - p of the largest is the sum of the others, never a difference. What remains is the rounding
of the gap between two logits, by half a unit in its last place, which is the relative error of a tiny loss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

Value = Callable[[Tensor, Tensor], Tensor]
Gradient = Callable[[Tensor, Tensor, bool], tuple[Tensor, Tensor | None]]


class Softmax(NamedTuple):
    """The probabilities, the index of the largest (kept dimension) and 1 minus the largest, as the sum of the rest."""

    probabilities: Tensor
    top: Tensor
    rest: Tensor


def softmax(logits: Tensor) -> Softmax:
    """Softmax over the last dimension; NaN for a row that holds +inf or NaN, or nothing but -inf."""
    p = logits.softmax(-1)
    top = logits.argmax(-1, keepdim=True)
    return Softmax(p, top, p.scatter(-1, top, 0.0).sum(-1, keepdim=True))


def surprisal(logits: Tensor, label: Tensor | None = None) -> Tensor:
    """-log softmax of every class, or of `label` alone: a sum of two terms that are not negative."""
    p, top, rest = softmax(logits)
    gap = logits.gather(-1, top) - (logits if label is None else logits.gather(-1, label))
    return gap + (rest / p.gather(-1, top)).log1p()


def is_labels(target: Tensor) -> bool:
    """Whether a target holds class indices, rather than a distribution over the classes."""
    return not target.is_floating_point()


def residual(soft: Softmax, target: Tensor, mass: Tensor | None = None) -> Tensor:
    """p - q, or mass * p - q where the target's total mass is not taken to be 1.

    A class index stands for the distribution that is 1 there.
    """
    p, top, rest = soft
    if is_labels(target):
        label = target.unsqueeze(-1)
        missed = torch.where(label == top, rest, 1 - p.gather(-1, label))
        return p.scatter(-1, label, -missed)
    if mass is None:
        return (p - target).scatter(-1, top, (1 - target.gather(-1, top)) - rest)
    elsewhere = target.scatter(-1, top, 0.0).sum(-1, keepdim=True)
    return (mass * p - target).scatter(-1, top, elsewhere - mass * rest)


def closed_form(value: Value, gradient: Gradient, *, over_classes: bool) -> Value:
    """The function `value(input, target)`, with `gradient(input, target, both)` as its derivative.

    The gradient's second part, the derivative in the target, is used only where `both` is true. With
    `over_classes` the value has one number for each row of the input's last dimension, else one for each element.
    """

    def spread(per_row: Tensor) -> Tensor:
        return per_row.unsqueeze(-1) if over_classes else per_row

    def gathered(products: Tensor) -> Tensor:
        return products.sum(-1) if over_classes else products

    class ClosedForm(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(input: Tensor, target: Tensor) -> Tensor:
            return value(input, target)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
            ctx.save_for_backward(*inputs)
            ctx.save_for_forward(*inputs)

        @staticmethod
        def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor | None]:
            input, target = ctx.saved_tensors
            in_input, in_target = gradient(input, target, ctx.needs_input_grad[1])
            above = spread(upstream)
            return above * in_input, None if in_target is None else above * in_target

    class WithForwardMode(ClosedForm):
        @staticmethod
        def jvp(ctx: Any, input_tangent: Tensor | None, target_tangent: Tensor | None) -> Tensor:
            input, target = ctx.saved_tensors
            in_input, in_target = gradient(input, target, target_tangent is not None)
            moved = torch.zeros_like(in_input) if input_tangent is None else in_input * input_tangent
            if in_target is not None and target_tangent is not None:
                moved = moved + in_target * target_tangent
            return gathered(moved)

    def function(input: Tensor, target: Tensor) -> Tensor:
        # torch.compile refuses a Function that defines forward mode
        chosen = ClosedForm if torch.compiler.is_compiling() else WithForwardMode
        return chosen.apply(input, target)  # type: ignore[no-any-return, no-untyped-call]

    return function


def _expected_surprisal(logits: Tensor, target: Tensor) -> Tensor:
    if is_labels(target):
        return surprisal(logits, target.unsqueeze(-1)).squeeze(-1)
    return (target * finite_where_impossible(surprisal(logits), target)).sum(-1)


def _expected_surprisal_gradient(logits: Tensor, target: Tensor, both: bool) -> tuple[Tensor, Tensor | None]:
    soft = softmax(logits)
    if is_labels(target):
        return residual(soft, target), None
    in_logits = residual(soft, target, mass=target.sum(-1, keepdim=True))
    return in_logits, finite_where_impossible(surprisal(logits), target) if both else None


def finite_where_impossible(losses: Tensor, weights: Tensor) -> Tensor:
    """0 for an infinite loss of weight 0, so that their product is 0."""
    return losses.masked_fill((weights == 0) & (losses == torch.inf), 0.0)


def _squared_distance(logits: Tensor, target: Tensor) -> Tensor:
    return residual(softmax(logits), target).square().sum(-1)


def _squared_distance_gradient(logits: Tensor, target: Tensor, both: bool) -> tuple[Tensor, Tensor | None]:
    """In z_k: 2 p_k sum_j p_j (e_k - e_j) with e = p - q, the largest p apart from the others."""
    soft = softmax(logits)
    p, top, rest = soft
    error = residual(soft, target)
    weighted = p * error
    at_top = weighted.gather(-1, top)
    others = weighted.scatter(-1, top, 0.0).sum(-1, keepdim=True)
    excess = (error - at_top - others).scatter(-1, top, rest * error.gather(-1, top) - others)
    return 2 * p * excess, -2 * error if both else None


def _squared_error_of_sigmoid(logit: Tensor, target: Tensor) -> Tensor:
    return _binary_residual(logit, target).square()


def _squared_error_of_sigmoid_gradient(
    logit: Tensor, target: Tensor, both: bool
) -> tuple[Tensor, Tensor | None]:
    error = 2 * _binary_residual(logit, target)
    return error * logit.sigmoid() * (-logit).sigmoid(), -error if both else None


def _binary_residual(logit: Tensor, target: Tensor) -> Tensor:
    return (1 - target) * logit.sigmoid() - target * (-logit).sigmoid()


expected_surprisal = closed_form(_expected_surprisal, _expected_surprisal_gradient, over_classes=True)
squared_distance = closed_form(_squared_distance, _squared_distance_gradient, over_classes=True)
squared_error_of_sigmoid = closed_form(
    _squared_error_of_sigmoid, _squared_error_of_sigmoid_gradient, over_classes=False
)
