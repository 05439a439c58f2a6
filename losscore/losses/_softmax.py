"""Softmax with exact tails, and closed-form derivatives: the gradient that the book derives is the one that runs.

All functions see logits with the classes in the last dimension. Each is exact where a probability comes near 1: its
complement is the sum of the others, never a difference. What remains is the rounding of the gap between two logits,
by half a unit in its last place, which is the relative error of a tiny loss.

With class indices, `surprisal_of_label`, `squared_distance_to_label` and `spherical_of_label` have closed forms that
read the logits once and keep one array of their size. Losses of the label's probability alone are functions of the
first. With soft targets the losses are compositions of `surprisals`, whose derivatives are as exact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ._tensors import forward_within_forward, readable

LossOfLabel = Callable[[Tensor, Tensor], Tensor]

# of logits, class indices and the dimension of the classes, which they all keep: the loss of each row, which may be
# of a wider dtype than the logits, and whatever its derivative is made of
Form = Callable[[Tensor, Tensor, int], tuple[Tensor, ...]]

# of the loss's upstream derivative, class indices, dimension and parts: the derivative in the logits
Slope = Callable[..., Tensor]

# numbers in a block of samples that is worked on in a processor's cache
_BLOCK = 2**18


def closed_form(form: Form, slope: Slope, composed: LossOfLabel) -> LossOfLabel:
    """The loss of logits and class indices with this form and slope, differentiable at any order.

    A backward pass takes the parts that came with the value. Under another differentiation it computes them anew,
    as functions of the logits. `composed` is the same loss of operations that torch differentiates by itself; it
    serves forward mode within forward mode, where torch would silently take the derivative of a Function for a
    constant.
    """

    class ClosedForm(torch.autograd.Function):
        @staticmethod
        def forward(logits: Tensor, label: Tensor, dim: int) -> tuple[Tensor, ...]:
            return form(logits, label, dim)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, int], output: tuple[Tensor, ...]) -> None:
            logits, label, ctx.dim = inputs
            _, *parts = output
            ctx.mark_non_differentiable(*parts)
            ctx.set_materialize_grads(False)
            ctx.save_for_backward(logits, label, *parts)
            ctx.save_for_forward(logits, label)

        @staticmethod
        def backward(ctx: Any, upstream: Tensor | None, *others: Any) -> tuple[Tensor | None, None, None]:
            if upstream is None:
                return None, None, None
            logits, label, *parts = ctx.saved_tensors
            if torch.is_grad_enabled():
                _, *parts = form(logits, label, ctx.dim)
            return slope(upstream, label, ctx.dim, *parts), None, None

        @staticmethod
        def vmap(
            info: Any, in_dims: tuple[int | None, int | None, None], logits: Tensor, label: Tensor, dim: int
        ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
            batched = (
                tensor.expand(info.batch_size, *tensor.shape) if at is None else tensor.movedim(at, 0)
                for tensor, at in zip((logits, label), in_dims)
            )
            found: tuple[Tensor, ...] = WithForwardMode.apply(*batched, dim)  # type: ignore[no-untyped-call]
            return found, (0,) * len(found)

    class WithForwardMode(ClosedForm):
        @staticmethod
        def jvp(ctx: Any, tangent: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
            logits, label = ctx.saved_tensors
            with torch.enable_grad():
                value, *parts = form(logits, label, ctx.dim)
                gradient = slope(torch.ones_like(value), label, ctx.dim, *parts)
            along = (gradient * tangent).sum(ctx.dim, keepdim=True)
            return along.to(value.dtype), *(None for _ in parts)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        if forward_within_forward():
            return composed(logits, labels)
        # the dimensions behind the classes of an image are next to each other in memory
        dim = min(1 - logits.dim(), -1)
        # torch.compile refuses a Function that defines forward mode
        chosen = ClosedForm if torch.compiler.is_compiling() else WithForwardMode
        value = chosen.apply(logits.movedim(-1, dim), labels.unsqueeze(dim), dim)[0]  # type: ignore[no-untyped-call]
        return value.squeeze(dim)  # type: ignore[no-any-return]

    return loss


def wide(tensor: Tensor) -> torch.dtype:
    """Double precision where the device has it."""
    return tensor.dtype if tensor.device.type == "mps" else torch.float64


def _replaced(fresh: Tensor, dim: int, index: Tensor, by: Tensor | float) -> Tensor:
    """`fresh` with the entries at `index` replaced, in place unless it is being differentiated."""
    if torch.is_grad_enabled():
        return fresh.scatter(dim, index, by)
    return fresh.scatter_(dim, index, by)


def _times(fresh: Tensor, factor: Tensor) -> Tensor:
    """`fresh` times a factor, in place unless it is being differentiated."""
    return fresh * factor if torch.is_grad_enabled() else fresh.mul_(factor)


def _surprisal_of_label(logits: Tensor, label: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """-log p_y, and its derivative p - e_y.

    The value is of double precision, so that no digits of p_y are lost in its logarithm.
    """
    p = logits.softmax(dim)
    own = p.gather(dim, label)
    others = _replaced(p, dim, label, 0.0)
    missed = others.sum(dim, keepdim=True)
    chance = own.to(wide(own))
    value = torch.where(own > 0.5, (missed / chance).log1p(), -chance.log())
    faint = own < torch.finfo(own.dtype).tiny
    if not readable(faint) or faint.any():
        gap = logits.amax(dim, keepdim=True).to(chance.dtype) - logits.gather(dim, label)
        # the largest probability is that of no gap
        value = torch.where(faint, gap - others.amax(dim, keepdim=True).to(chance.dtype).log(), value)
    return value, _replaced(others, dim, label, -missed)


def _slope_of_surprisal(upstream: Tensor, label: Tensor, dim: int, gradient: Tensor) -> Tensor:
    return upstream.to(gradient.dtype) * gradient


def _squared_distance_to_label(logits: Tensor, label: Tensor, dim: int) -> tuple[Tensor, ...]:
    """(1 - p_y)^2 + sum p_k^2 over the others k; with it p_y, 1 - p_y, the norm of the others, and the others."""
    p = logits.softmax(dim)
    own = p.gather(dim, label)
    others = _replaced(p, dim, label, 0.0)
    missed = others.sum(dim, keepdim=True)
    norm = torch.linalg.vector_norm(others, dim=dim, keepdim=True)
    return missed.square() + norm.square(), own, missed, norm, others


def _slope_of_squared_distance(
    upstream: Tensor, label: Tensor, dim: int, own: Tensor, missed: Tensor, norm: Tensor, others: Tensor
) -> Tensor:
    """In z_k, 2 p_k (p_k - c) with c the mean of p - e_y under p.

    Probabilities are measured from the norm of the others, n: it is the largest of them where that is near 1, and n - c
    is a sum of terms that aren't negative. Where several of the others tie and p_y is negligible, p_k - c is nothing
    but rounding. By blocks of samples where that is quicker.
    """
    factor, origin = 2 * upstream, norm.detach()
    ahead = own * (missed + origin)
    at_label = -own * (missed.square() + norm.square())
    blocks = others.dim() > 1 and others.numel() > _BLOCK and readable(others) and readable(upstream)
    if torch.is_grad_enabled() or not blocks:
        return factor * _replaced(_weighed(others, origin, ahead, dim), dim, label, at_label)
    gradient, rows = torch.empty_like(others), max(1, _BLOCK // others[0].numel())
    for into, p, n, a, f in zip(
        *(torch.split(part, rows) for part in (gradient, others, origin, ahead, factor))
    ):
        _weighed(p, n, a, dim, into).mul_(f)
    return gradient.scatter_(dim, label, factor * at_label)


def _weighed(p: Tensor, origin: Tensor, ahead: Tensor, dim: int, into: Tensor | None = None) -> Tensor:
    """p_k (p_k - n + a - sum_j p_j (p_j - n)), for an origin n and a number a of each row."""
    product = _times(torch.sub(p, origin, out=into), p)
    ahead = ahead - product.sum(dim, keepdim=True)
    return product + p * ahead if torch.is_grad_enabled() else product.addcmul_(p, ahead)


def _spherical_of_label(logits: Tensor, label: Tensor, dim: int) -> tuple[Tensor, ...]:
    """1 - p_y / n with n the norm of p, from the others' squares; in z_k, p_k^2 p_y / n^3."""
    p = logits.softmax(dim)
    own = p.gather(dim, label)
    squares = _replaced(_times(p, p), dim, label, 0.0)
    rest = squares.sum(dim, keepdim=True)
    norm = (rest + own.square()).sqrt()
    return rest / (norm * (norm + own)), own / norm**3, _replaced(squares, dim, label, -rest)


def _slope_of_spherical(upstream: Tensor, label: Tensor, dim: int, rate: Tensor, direction: Tensor) -> Tensor:
    return upstream * rate * direction


def surprisals(logits: Tensor) -> Tensor:
    """-log p of every class; NaN for a row that holds +inf or NaN, or nothing but -inf."""
    top = logits.argmax(-1, keepdim=True)
    largest = logits.gather(-1, top)
    # of the largest itself nothing but a NaN is kept: its gap is 0, without a derivative
    gap = (largest - logits).scatter(-1, top, (largest - largest).detach())
    return gap + (-gap).exp().scatter(-1, top, 0.0).sum(-1, keepdim=True).log1p()


def possible(surprisals: Tensor, weights: Tensor) -> Tensor:
    """The surprisals with 0 for an infinite one of weight 0, so that their product is 0."""
    return surprisals.masked_fill((weights == 0) & (surprisals == torch.inf), 0.0)


def missed(surprisal: Tensor) -> Tensor:
    """1 - exp(-s), the complement of a probability; of the two forms the one whose derivative is exact as well."""
    return torch.where(surprisal < 0.5, -torch.expm1(-surprisal), 1 - torch.exp(-surprisal))


def expected(loss: Callable[[Tensor], Tensor], logits: Tensor, target: Tensor) -> Tensor:
    """The mean under a distribution over the classes of a loss of the surprisal."""
    return (target * loss(possible(surprisals(logits), target))).sum(-1)


def residual(logits: Tensor, target: Tensor) -> Tensor:
    """p - q for a distribution q over the classes."""
    top, others = _without_largest(logits)
    at_top = (1 - target.gather(-1, top)) - others.sum(-1, keepdim=True)
    return (others - target).scatter(-1, top, at_top)


def mean_under_softmax(logits: Tensor, values: Tensor) -> Tensor:
    """The mean under p of a value of each class, measured from that of the most probable class."""
    top, others = _without_largest(logits)
    at_top = values.gather(-1, top.expand(*values.shape[:-1], 1))
    return (at_top + (others * (values - at_top)).sum(-1, keepdim=True)).squeeze(-1)


def cumulative_residual(logits: Tensor, target: Tensor) -> Tensor:
    """Cumulative sums of p - q: from below before the largest p, from above behind it, so that it enters nowhere."""
    top, others = _without_largest(logits)
    error = (others - target).scatter(-1, top, 0.0)
    behind = F.pad(error.flip(-1).cumsum(-1).flip(-1)[..., 1:], (0, 1))
    missing = 1 - target.sum(-1, keepdim=True)
    before = torch.arange(logits.shape[-1], device=logits.device) < top
    return torch.where(before, error.cumsum(-1), missing - behind)


def _without_largest(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The index of the largest probability, and the probabilities with 0 in its place."""
    top = logits.argmax(-1, keepdim=True)
    return top, logits.softmax(-1).scatter(-1, top, 0.0)


def one_hot(labels: Tensor, logits: Tensor) -> Tensor:
    """The distributions that class indices stand for."""
    return torch.zeros_like(logits).scatter(-1, labels.unsqueeze(-1), 1.0)


def is_labels(target: Tensor) -> bool:
    """Whether a target holds class indices, rather than a distribution over the classes."""
    return not target.is_floating_point()


def _gathered_surprisal(logits: Tensor, labels: Tensor) -> Tensor:
    return surprisals(logits.to(wide(logits))).gather(-1, labels.unsqueeze(-1)).squeeze(-1)


surprisal_of_label = closed_form(_surprisal_of_label, _slope_of_surprisal, _gathered_surprisal)
squared_distance_to_label = closed_form(
    _squared_distance_to_label,
    _slope_of_squared_distance,
    lambda logits, labels: residual(logits, one_hot(labels, logits)).square().sum(-1),
)
# p_k / ||p|| is the square root of the k-th component of softmax(2z)
spherical_of_label = closed_form(
    _spherical_of_label,
    _slope_of_spherical,
    lambda logits, labels: missed(_gathered_surprisal(2 * logits, labels) / 2).to(logits.dtype),
)


def of_surprisal(
    loss: Callable[[Tensor], Tensor], logits: Tensor, target: Tensor, factors: Tensor | None = None
) -> Tensor:
    """A loss of the surprisal of the class: of a class index, or its mean under a distribution.

    `factors` holds a factor of the loss for each class.
    """
    if is_labels(target):
        losses = loss(surprisal_of_label(logits, target))
        losses = losses if factors is None else at_labels(factors, target) * losses
    else:
        weights = target if factors is None else target * factors
        losses = expected(loss, logits.to(wide(logits)), weights)
    return losses.to(logits.dtype)


def at_labels(table: Tensor, labels: Tensor) -> Tensor:
    """The rows of a table that belong to class indices."""
    return table.index_select(0, labels.reshape(-1)).reshape(labels.shape + table.shape[1:])
