"""Losses of segmentation and detection, where most pixels or candidates belong to the background."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ._classes import classed
from ._softmax import missed, of_surprisal
from ._tensors import (
    Reduction,
    check_companion,
    check_labels,
    check_number,
    check_values,
    paired,
    positive,
    reduce,
)

_NO_CHANCE = 750.0  # beyond this surprisal the probability is 0 in every dtype


def focal(
    input: Tensor,
    target: Tensor,
    *,
    gamma: float = 2.0,
    alpha: Tensor | Sequence[float] | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Focal loss of several classes, -alpha_y (1 - p_y)^gamma log p_y, with p = softmax(z).

    Domain: all real logits z, and -inf for a class that can't occur. Its minimiser isn't the true
    distribution, as the loss isn't proper for gamma > 0: it is one drawn towards equal probabilities, whose
    order is still the true one.

    Conventions: natural logarithm; gamma = 0 is cross-entropy. `alpha` holds one factor per class, of the
    sample's own class; "mean" divides by the number of samples, whatever the factors. For a soft target the
    loss is the mean under it. Exact in both tails, and finite in its derivative for every gamma.

    Shape: `input` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C, or for probabilities the
    shape of `input`; `alpha` (C,), a tensor or numbers. The result is () or, under "none", the shape of
    `input` without C.

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), gamma is negative or not
            finite, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or another argument isn't of the kind named.

    Example:
        >>> focal(torch.tensor([[0.0, 0.0]]), torch.tensor([0]))
        tensor(0.1733)
        >>> focal(torch.tensor([[20.0, 0.0]]), torch.tensor([0]), gamma=0.5)
        tensor(9.3576e-14)

    References: Lin et al. (2017), Focal loss for dense object detection.
    """
    exponent = _not_negative("gamma", gamma)
    logits, target, dtype = classed(input, target)
    losses = of_surprisal(lambda s: _focused(s, exponent), logits, target, _class_factors(alpha, logits))
    return reduce(losses, reduction, dtype)


def binary_focal(
    input: Tensor,
    target: Tensor,
    *,
    gamma: float = 2.0,
    alpha: float | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Focal loss of a logit, -a (1 - p)^gamma log p with p the probability of the label: sigmoid(z) for 1.

    The factor a is `alpha` for class 1 and 1 - `alpha` for class 0, or 1 where `alpha` is None.

    Domain: all z, infinite ones included; y in {0, 1}. Its minimiser isn't the log-odds, as the loss isn't
    proper for gamma > 0: without `alpha` it has the sign of the log-odds and is closer to 0.

    Conventions: natural logarithm; gamma = 0 is binary cross-entropy, and no factor is `alpha=None`, not 0.5.
    "mean" divides by the number of elements, whatever the factors. Exact in both tails, and finite in its
    derivative for every gamma.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, a label isn't 0 or 1, gamma is negative or not finite, `alpha` outside
            of [0, 1], or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, `target` isn't a real one, or a parameter isn't a
            number.

    Example:
        >>> binary_focal(torch.tensor([0.0, 0.0]), torch.tensor([1, 0]), alpha=0.25, reduction="none")
        tensor([0.0433, 0.1300])

    References: Lin et al. (2017), Focal loss for dense object detection.
    """
    exponent = _not_negative("gamma", gamma)
    if alpha is not None:
        alpha = check_number("alpha", alpha, "a number in [0, 1], or None", lambda x: 0 <= x <= 1)
    logit, label, dtype = paired(input, target)
    check_labels(label, "0 or 1", lambda y: (y == 0) | (y == 1))
    losses = _focused_margin((2 * label - 1) * logit, exponent)
    if alpha is not None:
        losses = (label * alpha + (1 - label) * (1 - alpha)) * losses
    return reduce(losses, reduction, dtype)


def _focused(surprisal: Tensor, gamma: float) -> Tensor:
    """(1 - p)^gamma times the surprisal; where that is 0, or p too small to matter, the surprisal itself."""
    if gamma == 0:
        return surprisal
    plain = (surprisal == 0) | (surprisal > _NO_CHANCE)
    between = torch.where(plain, 1, surprisal)
    return torch.where(plain, surprisal, missed(between) ** gamma * between)


def _focused_margin(margin: Tensor, gamma: float) -> Tensor:
    """(1 - p)^gamma times the surprisal, for the log-odds of the label; where p or 1 - p is 0, the surprisal itself."""
    far = margin.abs() > -math.log(torch.finfo(margin.dtype).tiny)
    between = torch.where(far, 0, margin)
    focused = torch.sigmoid(-between) ** gamma * -F.logsigmoid(between)
    return torch.where(far, -F.logsigmoid(margin), focused)


def _class_factors(alpha: Any, logits: Tensor) -> Tensor | None:
    if alpha is None:
        return None
    if isinstance(alpha, Sequence) and not isinstance(alpha, str):
        alpha = torch.tensor(alpha, dtype=logits.dtype, device=logits.device)
    check_companion("alpha", alpha, logits)
    if alpha.shape != logits.shape[-1:]:
        raise ValueError(f"alpha: expected one factor per class, size {logits.shape[-1:]}, got {alpha.shape}")
    factors: Tensor = alpha.to(logits.dtype)
    return factors


def dice(input: Tensor, target: Tensor, *, smooth: float = 0.0, reduction: Reduction = "mean") -> Tensor:
    r"""Soft Dice loss, 1 - (2 TP + s) / (P + T + s), of the logits of one class and its mask.

    With p = sigmoid(z): TP = sum p y, P = sum p and T = sum y, the sums over one sample; s is `smooth`.

    Domain: all real z; y in [0, 1]. Its minimiser is the mask itself where that is certain. It isn't proper:
    for a random mask the minimiser isn't the probability of each pixel.

    Conventions: sums over every dimension but the first, per sample and not over the batch, then "mean"
    divides by the number of samples. `smooth` is added once to numerator and denominator, so
    `dice(smooth=2 * s)` is `tversky(alpha=0.5, beta=0.5, smooth=s)`. At smooth 0 an empty prediction
    (probabilities that are 0) on an empty mask costs 0, any other prediction on an empty mask 1. Exact where
    prediction and mask agree.

    Shape: `input` and `target` of one shape, (N, d1, ...), or (d1,) for one unbatched sample; the result ()
    or, under "none", (N,).

    Raises:
        ValueError: the shapes differ or have no dimension, a target lies outside of [0, 1], `smooth` isn't a
            finite number >= 0, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, `target` isn't a real one, or `smooth` isn't a
            number.

    Example:
        >>> dice(torch.tensor([[20.0, -20.0, 0.0]]), torch.tensor([[1, 0, 1]]))
        tensor(0.1429)
        >>> dice(torch.full((1, 3), -torch.inf), torch.zeros(1, 3))
        tensor(0.)

    References: Dice (1945), Measures of the amount of ecologic association between species; Milletari, Navab
    & Ahmadi (2016), V-Net: fully convolutional neural networks for volumetric medical image segmentation.
    """
    smooth = _not_negative("smooth", smooth)
    return _overlap(input, target, 0.5, 0.5, smooth / 2, reduction)


def tversky(
    input: Tensor,
    target: Tensor,
    *,
    alpha: float = 0.5,
    beta: float = 0.5,
    smooth: float = 0.0,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Tversky loss, 1 - (TP + s) / (TP + alpha FP + beta FN + s), of the logits of one class and its mask.

    With p = sigmoid(z): TP = sum p y, FP = sum p (1 - y) and FN = sum (1 - p) y, the sums over one sample; s
    is `smooth`.

    Domain: all real z; y in [0, 1]. Its minimiser is the mask itself where that is certain. It isn't proper:
    for a random mask the minimiser isn't the probability of each pixel.

    Conventions: `alpha` weighs false positives, `beta` false negatives; 1/2 and 1/2 is `dice`, 1 and 1 is one
    minus the Jaccard index. Sums over every dimension but the first, per sample and not over the batch, then
    "mean" divides by the number of samples. `smooth` is added to numerator and denominator; at smooth 0 an
    empty prediction (probabilities that are 0) on an empty mask costs 0. Exact where prediction and mask
    agree.

    Shape: `input` and `target` of one shape, (N, d1, ...), or (d1,) for one unbatched sample; the result ()
    or, under "none", (N,).

    Raises:
        ValueError: the shapes differ or have no dimension, a target lies outside of [0, 1], a weight isn't a
            finite number > 0 or `smooth` one >= 0, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, `target` isn't a real one, or a parameter isn't a
            number.

    Example:
        >>> tversky(torch.tensor([[20.0, -20.0, 0.0]]), torch.tensor([[1, 0, 1]]), alpha=0.3, beta=0.7)
        tensor(0.1892)

    References: Tversky (1977), Features of similarity; Salehi, Erdogmus & Gholipour (2017), Tversky loss
    function for image segmentation using 3D fully convolutional deep networks.
    """
    weights = positive("alpha", alpha), positive("beta", beta)
    return _overlap(input, target, *weights, _not_negative("smooth", smooth), reduction)


def _not_negative(name: str, value: object) -> float:
    return check_number(name, value, "a finite number >= 0", lambda x: x >= 0)


def _sigmoids(x: Tensor) -> tuple[Tensor, Tensor]:
    """sigmoid(x) and sigmoid(-x); unlike torch's sigmoid exact in the derivative near 1, too."""
    positive_side = x >= 0
    decay = torch.where(positive_side, -x, x).exp()
    larger = 1 / (1 + decay)
    smaller = decay * larger
    return torch.where(positive_side, larger, smaller), torch.where(positive_side, smaller, larger)


def _overlap(
    input: Tensor, target: Tensor, alpha: float, beta: float, smooth: float, reduction: Reduction
) -> Tensor:
    """wrong / (wrong + right), by the smaller over the larger of the two: neither tail is a difference."""
    logit, mask, dtype = paired(input, target)
    if not logit.dim():
        raise ValueError(f"input: expected size (N, d1, ...) or (d1,), got {logit.shape}")
    check_values("target", mask, "numbers in [0, 1]", lambda y: ~((y < 0) | (y > 1)))
    within = tuple(range(min(1, logit.dim() - 1), logit.dim()))
    p, missed = _sigmoids(logit)
    right = (p * mask).sum(within) + smooth
    wrong = alpha * (p * (1 - mask)).sum(within) + beta * (missed * mask).sum(within)
    mostly_wrong = wrong > right
    smaller, larger = torch.where(mostly_wrong, right, wrong), torch.where(mostly_wrong, wrong, right)
    ratio = smaller / larger.masked_fill(larger == 0, 1)
    return reduce(torch.where(mostly_wrong, 1, ratio) / (1 + ratio), reduction, dtype)
