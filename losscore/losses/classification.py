"""Losses of logits and a class, or a distribution over the classes.

The class dimension of several logits is 1, or 0 for a single unbatched sample; any dimensions may follow it. A
target of an integer dtype holds class indices, one of a floating-point dtype the probabilities of the classes: these
are taken as they are, without a check of their sign or sum, and the losses are differentiable in them too. Class
indices are checked on the CPU, and taken on trust on an accelerator, under `torch.compile` and under `torch.func`.
A row that holds NaN or +inf, or nothing but -inf, gives NaN.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ._classes import classed
from ._softmax import (
    at_labels,
    cumulative_residual,
    expected,
    is_labels,
    missed,
    of_surprisal,
    one_hot,
    possible,
    residual,
    spherical_of_label,
    squared_distance_to_label,
)
from ._tensors import (
    Reduction,
    check_companion,
    check_labels,
    check_number,
    paired,
    reduce,
)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Cross-entropy of softmax probabilities, -log softmax(z)_y, or -sum_k q_k log softmax(z)_k for a soft target.

    Domain: all real logits z, and -inf for a class that can't occur. Its minimiser is the logits whose softmax is
    the true distribution of the class: the logarithmic score is strictly proper.

    Conventions, those of `torch.nn.functional.cross_entropy`:
        - Natural logarithm. Both tails are exact: logits (20, 0) with target 0 cost 2.06e-9 in float32, not 0.
        - `weight` holds one factor per class. With class indices "mean" divides by the sum of the weights of the
          samples' classes; with probabilities, where class k enters as weight_k q_k, by the number of samples. So
          a one-hot target and its index give different weighted means.
        - `ignore_index`, for class indices only: such samples cost 0 and are not counted by "mean". The mean over
          an empty batch, or one that is ignored throughout, is NaN with gradient 0; for 0 instead, divide the
          "sum" by `(target != ignore_index).sum().clamp(min=1)`.
        - `label_smoothing` e replaces the target q by (1 - e) q + e / C. With class indices the denominator of a
          weighted mean stays that of the unsmoothed classes.
        - A class of probability 0 contributes 0 even at a logit of -inf, and there the derivative in its
          probability, otherwise -log p, is taken to be 0.

    Shape: `input` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C, or for probabilities the shape of
    `input`; `weight` (C,). The result is () or, under "none", the shape of `input` without C.

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), `label_smoothing` outside of [0, 1],
            `ignore_index` isn't negative although the target holds probabilities, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or another argument isn't of the kind named.

    Example:
        >>> cross_entropy(torch.tensor([[20.0, 0.0]]), torch.tensor([0]))
        tensor(2.0612e-09)
        >>> cross_entropy(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.5, 0.5]]))
        tensor(0.6931)

    References: Good (1952), Rational decisions; Gneiting & Raftery (2007), Strictly proper scoring rules,
    prediction, and estimation; Szegedy et al. (2016), Rethinking the inception architecture for computer vision.
    """
    smoothing = check_number("label_smoothing", label_smoothing, "a number in [0, 1]", lambda x: 0 <= x <= 1)
    logits, target, dtype = classed(input, target, weight, ignore_index)
    classes = logits.shape[-1]
    weights = None if weight is None else _class_weights(weight, logits)
    if target.is_floating_point():
        if ignore_index >= 0:
            raise ValueError(
                f"ignore_index: expected a negative number with a target of probabilities, got {ignore_index}"
            )
        smoothed = (1 - smoothing) * target + smoothing / classes if smoothing else target
        weighted = smoothed if weights is None else smoothed * weights
        return reduce(expected(_itself, logits, weighted), reduction, dtype)
    ignored = target == ignore_index
    labels = target.masked_fill(ignored, 0)
    of_label = None if weights is None else at_labels(weights, labels)
    if smoothing:
        shared = logits.new_full((classes,), smoothing / classes)
        of_class = (shared if weights is None else shared * weights).expand(logits.shape)
        own = labels.unsqueeze(-1)
        more = torch.full_like(own, 1, dtype=logits.dtype) if of_label is None else of_label.unsqueeze(-1)
        losses = expected(_itself, logits, of_class.scatter_add(-1, own, (1 - smoothing) * more))
    else:
        losses = of_surprisal(_itself, logits, labels)
        losses = losses if of_label is None else of_label * losses
    counted = torch.ones_like(losses) if of_label is None else of_label
    divisor = counted.masked_fill(ignored, 0).sum()
    return reduce(losses.masked_fill(ignored, 0), reduction, dtype, divisor)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    pos_weight: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Binary cross-entropy of a logit, -y log sigmoid(z) - (1 - y) log sigmoid(-z).

    Domain: all z, infinite ones included; y in [0, 1]. Its minimiser is the log-odds of class 1, so the sigmoid of
    the logit is its probability.

    Conventions, those of `torch.nn.functional.binary_cross_entropy_with_logits`:
        - Natural logarithm; both tails are exact, and an infinite logit on the right side costs 0.
        - `weight` multiplies each element's loss, `pos_weight` the part of y. Each is broadcast to the shape of
          `input` from the last dimension backwards: for `input` of shape (N, C), a `pos_weight` of shape (C,)
          holds one factor per column. "mean" divides by the number of elements, whatever the weights.
        - The derivative in y is -z, and 0 where y leaves one side no part in an infinite loss.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ or a weight can't be broadcast to them, a label of an integer dtype isn't 0 or
            1, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or another argument isn't a real one.

    Example:
        >>> binary_cross_entropy(torch.tensor([0.0, 20.0]), torch.tensor([1, 1]), reduction="none")
        tensor([6.9315e-01, 2.0612e-09])

    References: Good (1952), Rational decisions; Gneiting & Raftery (2007), Strictly proper scoring rules,
    prediction, and estimation.
    """
    logit, target, dtype = _binary(input, target)
    if_one, if_zero = -F.logsigmoid(logit), -F.logsigmoid(-logit)
    of_one = target * possible(if_one, target)
    of_zero = (1 - target) * possible(if_zero, 1 - target)
    if pos_weight is not None:
        of_one = of_one * _broadcastable("pos_weight", pos_weight, logit)
    losses = of_one + of_zero
    if weight is not None:
        losses = losses * _broadcastable("weight", weight, logit)
    return reduce(losses, reduction, dtype)


def brier(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Brier score of softmax probabilities, sum_k (softmax(z)_k - q_k)^2, with q one-hot for a class index.

    Domain: all real logits z, and -inf for a class that can't occur. Its minimiser is the logits whose softmax is
    the true distribution of the class: the score is strictly proper. Not convex in the logits: its gradient vanishes
    where the prediction is confident and wrong.

    Conventions: the sum over the classes, with range [0, 2] (Brier's own form); for two classes it is twice
    `binary_brier`. Exact where the probability of the class comes near 1. "mean" divides by the number of samples.

    Shape: `input` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C, or for probabilities the shape of
    `input`. The result is () or, under "none", the shape of `input` without C.

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> brier(torch.tensor([[0.0, 0.0]]), torch.tensor([0]))
        tensor(0.5000)

    References: Brier (1950), Verification of forecasts expressed in terms of probability; Gneiting & Raftery
    (2007), Strictly proper scoring rules, prediction, and estimation.
    """
    logits, target, dtype = classed(input, target)
    hard = is_labels(target)
    losses = squared_distance_to_label(logits, target) if hard else residual(logits, target).square().sum(-1)
    return reduce(losses, reduction, dtype)


def binary_brier(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Binary Brier score of a logit, (sigmoid(z) - y)^2.

    Domain: all z, infinite ones included; y in [0, 1]. Its minimiser is the log-odds of class 1: the score is
    strictly proper. Not convex in the logit: its slope vanishes where the prediction is confident and wrong.

    Conventions: range [0, 1], half of `brier` for two classes; exact in both tails; "mean" divides by the number of
    elements.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, a label of an integer dtype isn't 0 or 1, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> binary_brier(torch.tensor([0.0, 20.0]), torch.tensor([1, 1]), reduction="none")
        tensor([2.5000e-01, 4.2484e-18])

    References: Brier (1950), Verification of forecasts expressed in terms of probability; Buja, Stuetzle & Shen
    (2005), Loss functions for binary class probability estimation and classification.
    """
    logit, target, dtype = _binary(input, target)
    of_one = logit > 0
    smaller = torch.where(of_one, -logit, logit).sigmoid()
    error = torch.where(of_one, (1 - target) - smaller, smaller - target)
    return reduce(error.square(), reduction, dtype)


def spherical(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Spherical score of softmax probabilities, 1 - p_y / ||p||_2, with p = softmax(z).

    Domain: all real logits z, and -inf for a class that can't occur. Its minimiser is the logits whose softmax is
    the true distribution of the class: the score is strictly proper. Not convex in the logits: its gradient vanishes
    where the prediction is confident and wrong.

    Conventions: negatively oriented and shifted, so 0 is best and 1 worst. For a soft target q it is the mean under q,
    sum_k q_k (1 - p_k / ||p||_2). Exact where the probability of the class comes near 1. "mean" divides by the number
    of samples.

    Shape: `input` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C, or for probabilities the shape of
    `input`. The result is () or, under "none", the shape of `input` without C.

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> spherical(torch.tensor([[0.0, 0.0]]), torch.tensor([0]))
        tensor(0.2929)
        >>> spherical(torch.tensor([[20.0, 0.0]]), torch.tensor([0]))
        tensor(2.1242e-18)

    References: Good (1971), comment on Measuring information and uncertainty; Gneiting & Raftery (2007), Strictly
    proper scoring rules, prediction, and estimation.
    """
    logits, target, dtype = classed(input, target)
    if is_labels(target):
        return reduce(spherical_of_label(logits, target), reduction, dtype)
    # p_k / ||p|| is the square root of the k-th component of softmax(2z)
    return reduce(of_surprisal(lambda s: missed(s / 2), 2 * logits, target), reduction, dtype)


def ranked_probability(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Ranked probability score of softmax probabilities, sum_m (sum_{k <= m} (p_k - q_k))^2, for ordered classes.

    The inner sums are the cumulative distributions of the prediction p = softmax(z) and of the target, where q is
    one-hot for a class index.

    Domain: all real logits z, and -inf for a class that can't occur; the classes have an order, that of their indices.
    Its minimiser is the logits whose softmax is the true distribution of the class: the score is strictly proper, and
    mistaking a class for a near one costs less than for a far one. Not convex in the logits.

    Conventions: the sum over the C cumulative terms (the last is 0 for distributions), not divided by C - 1: the range
    is [0, C - 1]. Exact where the probability of the class comes near 1. "mean" divides by the number of samples.

    Shape: `input` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C, or for probabilities the shape of
    `input`. The result is () or, under "none", the shape of `input` without C.

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> ranked_probability(torch.tensor([[0.0, 0.0, 0.0]]), torch.tensor([0]))
        tensor(0.5556)

    References: Epstein (1969), A scoring system for probability forecasts of ranked categories; Gneiting & Raftery
    (2007), Strictly proper scoring rules, prediction, and estimation.
    """
    logits, target, dtype = classed(input, target)
    q = one_hot(target, logits) if is_labels(target) else target
    return reduce(cumulative_residual(logits, q).square().sum(-1), reduction, dtype)


def _itself(surprisal: Tensor) -> Tensor:
    return surprisal


def _class_weights(weight: Tensor, logits: Tensor) -> Tensor:
    if weight.shape != logits.shape[-1:]:
        raise ValueError(
            f"weight: expected one factor per class, size {logits.shape[-1:]}, got {weight.shape}"
        )
    return weight.to(logits.dtype)


def _binary(input: Any, target: Any) -> tuple[Tensor, Tensor, torch.dtype]:
    logit, numbers, dtype = paired(input, target)
    if not target.is_floating_point():
        check_labels(numbers, "0 or 1 in an integer dtype", lambda y: (y == 0) | (y == 1))
    return logit, numbers, dtype


def _broadcastable(name: str, weight: Tensor, input: Tensor) -> Tensor:
    check_companion(name, weight, input)
    trailing = zip(reversed(weight.shape), reversed(input.shape))
    fits = weight.dim() <= input.dim() and all(own in (1, size) for own, size in trailing)
    if not fits:
        raise ValueError(
            f"{name}: expected a size that broadcasts to that of input, {input.shape}, got {weight.shape}"
        )
    return weight.to(input.dtype)
