"""Losses of segmentation and detection, where most pixels or candidates belong to the background."""

from __future__ import annotations

import torch
from torch import Tensor

from ._tensors import Reduction, check_number, check_values, paired, positive, reduce


def dice(input: Tensor, target: Tensor, *, smooth: float = 0.0, reduction: Reduction = "mean") -> Tensor:
    r"""Soft Dice loss, 1 - (2 TP + s) / (P + T + s), of the logits of one class and its mask.

    With p = sigmoid(z): TP = sum p y, P = sum p and T = sum y, the sums over one sample; s is `smooth`.

    Domain: all real z; y in [0, 1]. Its minimiser is the mask itself where that is certain. It isn't proper: for a
    random mask the minimiser isn't the probability of each pixel.

    Conventions: sums over every dimension but the first, per sample and not over the batch, then "mean" divides by
    the number of samples. `smooth` is added once to numerator and denominator, so `dice(smooth=2 * s)` is
    `tversky(alpha=0.5, beta=0.5, smooth=s)`. At smooth 0 an empty prediction (probabilities that are 0) on an empty
    mask costs 0, any other prediction on an empty mask 1. Exact where prediction and mask agree.

    Shape: `input` and `target` of one shape, (N, d1, ...), or (d1,) for one unbatched sample; the result () or, under
    "none", (N,).

    Raises:
        ValueError: the shapes differ or have no dimension, a target lies outside of [0, 1], `smooth` isn't a finite
            number >= 0, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, `target` isn't a real one, or `smooth` isn't a number.

    Example:
        >>> dice(torch.tensor([[20.0, -20.0, 0.0]]), torch.tensor([[1, 0, 1]]))
        tensor(0.1429)
        >>> dice(torch.full((1, 3), -torch.inf), torch.zeros(1, 3))
        tensor(0.)

    References: Dice (1945), Measures of the amount of ecologic association between species; Milletari, Navab & Ahmadi
    (2016), V-Net: fully convolutional neural networks for volumetric medical image segmentation.
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

    With p = sigmoid(z): TP = sum p y, FP = sum p (1 - y) and FN = sum (1 - p) y, the sums over one sample; s is
    `smooth`.

    Domain: all real z; y in [0, 1]. Its minimiser is the mask itself where that is certain. It isn't proper: for a
    random mask the minimiser isn't the probability of each pixel.

    Conventions: `alpha` weighs false positives, `beta` false negatives; 1/2 and 1/2 is `dice`, 1 and 1 is one minus
    the Jaccard index. Sums over every dimension but the first, per sample and not over the batch, then "mean" divides
    by the number of samples. `smooth` is added to numerator and denominator; at smooth 0 an empty prediction
    (probabilities that are 0) on an empty mask costs 0. Exact where prediction and mask agree.

    Shape: `input` and `target` of one shape, (N, d1, ...), or (d1,) for one unbatched sample; the result () or, under
    "none", (N,).

    Raises:
        ValueError: the shapes differ or have no dimension, a target lies outside of [0, 1], a weight isn't a finite
            number > 0 or `smooth` one >= 0, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, `target` isn't a real one, or a parameter isn't a number.

    Example:
        >>> tversky(torch.tensor([[20.0, -20.0, 0.0]]), torch.tensor([[1, 0, 1]]), alpha=0.3, beta=0.7)
        tensor(0.1892)

    References: Tversky (1977), Features of similarity; Salehi, Erdogmus & Gholipour (2017), Tversky loss function for
    image segmentation using 3D fully convolutional deep networks.
    """
    weights = positive("alpha", alpha), positive("beta", beta)
    return _overlap(input, target, *weights, _not_negative("smooth", smooth), reduction)


def _not_negative(name: str, value: object) -> float:
    return check_number(name, value, "a finite number >= 0", lambda x: x >= 0)


def _overlap(
    input: Tensor, target: Tensor, alpha: float, beta: float, smooth: float, reduction: Reduction
) -> Tensor:
    """wrong / (wrong + right), by the smaller over the larger of the two, so that neither tail is a difference."""
    logit, mask, dtype = paired(input, target)
    if not logit.dim():
        raise ValueError(f"input: expected size (N, d1, ...) or (d1,), got {logit.shape}")
    check_values("target", mask, "numbers in [0, 1]", lambda y: ~((y < 0) | (y > 1)))
    within = tuple(range(min(1, logit.dim() - 1), logit.dim()))
    p, missed = logit.sigmoid(), (-logit).sigmoid()
    right = (p * mask).sum(within) + smooth
    wrong = alpha * (p * (1 - mask)).sum(within) + beta * (missed * mask).sum(within)
    mostly_wrong = wrong > right
    smaller, larger = torch.where(mostly_wrong, right, wrong), torch.where(mostly_wrong, wrong, right)
    ratio = smaller / larger.masked_fill(larger == 0, 1)
    return reduce(torch.where(mostly_wrong, 1, ratio) / (1 + ratio), reduction, dtype)
