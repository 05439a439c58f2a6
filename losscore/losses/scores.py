"""Proper scores of probabilities and a class, or a distribution over the classes: what a forecast that is out costs.

All are negatively oriented (less is better) and give one number a forecast unless a reduction is asked for: the
default is `reduction="none"`. The class dimension is 1, or 0 for a single unbatched forecast; any dimensions may
follow. A target of an integer dtype holds class indices, one of a floating-point dtype the probabilities of the
classes; the scores are differentiable in these too. Probabilities of forecast and target are taken as they are,
without a check of their sign or sum. Class indices are checked on the CPU, and taken on trust on an accelerator,
under `torch.compile` and under `torch.func`. To train on logits use the losses of the same forms, `cross_entropy`,
`brier`, `spherical` and `ranked_probability`: they keep what a probability near 0 or 1 has rounded away.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ._classes import classed
from ._tensors import Reduction, reduce


def log_score(probs: Tensor, target: Tensor, *, reduction: Reduction = "none") -> Tensor:
    r"""Logarithmic score, -log p_y, or -sum_k q_k log p_k for a soft target.

    Domain: p_k in [0, 1]. Its minimiser is the true distribution of the class: the score is strictly proper. It
    depends on the probability of what happened alone: it is local.

    Conventions: natural logarithm, unclamped: probability 0 for what happened costs inf, with slope -inf. A class of
    probability 0 in a soft target contributes 0, even where p is 0, with slope 0. "mean" divides by the number of
    forecasts.

    Shape: `probs` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C, or for probabilities the shape of
    `probs`. The result is the shape of `probs` without C or, under "mean" and "sum", ().

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), or `reduction` is unknown.
        TypeError: `probs` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> log_score(torch.tensor([[0.5, 0.5], [0.1, 0.9]]), torch.tensor([0, 1]))
        tensor([0.6931, 0.1054])

    References: Good (1952), Rational decisions; Gneiting & Raftery (2007), Strictly proper scoring rules,
    prediction, and estimation.
    """
    p, target, dtype = _forecast(probs, target)
    if not target.is_floating_point():
        return reduce(-p.gather(-1, target.unsqueeze(-1)).squeeze(-1).log(), reduction, dtype)
    possible = (target != 0) | (p != 0)
    surprisal = -torch.where(possible, p, 1).log()
    return reduce((target * surprisal).sum(-1), reduction, dtype)


def brier_score(probs: Tensor, target: Tensor, *, reduction: Reduction = "none") -> Tensor:
    r"""Brier score, sum_k (p_k - q_k)^2, with q one-hot for a class index.

    Domain: all real p. Its minimiser is the true distribution of the class: the score is strictly proper.

    Conventions: the sum over the classes, with range [0, 2] (Brier's own form): for two classes twice the squared
    error of one probability. "mean" divides by the number of forecasts.

    Shape: `probs` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C, or for probabilities the shape of
    `probs`. The result is the shape of `probs` without C or, under "mean" and "sum", ().

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), or `reduction` is unknown.
        TypeError: `probs` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> brier_score(torch.tensor([[0.5, 0.5], [0.0, 1.0]]), torch.tensor([0, 1]))
        tensor([0.5000, 0.0000])

    References: Brier (1950), Verification of forecasts expressed in terms of probability; Gneiting & Raftery
    (2007), Strictly proper scoring rules, prediction, and estimation.
    """
    p, target, dtype = _forecast(probs, target)
    return reduce(_error(p, target).square().sum(-1), reduction, dtype)


def spherical_score(probs: Tensor, target: Tensor, *, reduction: Reduction = "none") -> Tensor:
    r"""Spherical score, 1 - p_y / \|p\|, or sum_k q_k (1 - p_k / \|p\|) for a soft target, in the Euclidean norm.

    Domain: p_k in [0, 1], not all 0. Its minimiser is the true distribution of the class: the score is strictly
    proper. It doesn't change when p is multiplied by a positive number.

    Conventions: negatively oriented and shifted, so that the range is [0, 1] and certainty that comes true costs 0.
    Exact near 0, where 1 - p_y / \|p\| cancels: p = (1 - 1e-5, 1e-5) costs 5e-11 in float32. A p of zeros gives NaN.
    "mean" divides by the number of forecasts.

    Shape: `probs` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C, or for probabilities the shape of
    `probs`. The result is the shape of `probs` without C or, under "mean" and "sum", ().

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), or `reduction` is unknown.
        TypeError: `probs` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> spherical_score(torch.tensor([[0.6, 0.8], [1e-5, 1 - 1e-5]]), torch.tensor([0, 1]))
        tensor([4.0000e-01, 5.0001e-11])

    References: Good (1971), comment on Measuring information and uncertainty; Gneiting & Raftery (2007), Strictly
    proper scoring rules, prediction, and estimation.
    """
    p, target, dtype = _forecast(probs, target)
    squares = p.square()
    largest = squares.argmax(-1, keepdim=True)
    others = squares.scatter(-1, largest, 0.0).sum(-1, keepdim=True)
    norm = (others + squares.gather(-1, largest)).sqrt()

    def cost(own: Tensor) -> Tensor:
        """1 - own / norm; of a class that outweighs all others together, from what their squares add up to."""
        return torch.where(own.square() > others, others / (norm * (norm + own)), 1 - own / norm)

    if target.is_floating_point():
        return reduce((target * cost(p)).sum(-1), reduction, dtype)
    return reduce(cost(p.gather(-1, target.unsqueeze(-1))).squeeze(-1), reduction, dtype)


def ranked_probability_score(probs: Tensor, target: Tensor, *, reduction: Reduction = "none") -> Tensor:
    r"""Ranked probability score of ordered classes, sum_k (p_1 + ... + p_k - q_1 - ... - q_k)^2.

    Domain: all real p. Its minimiser is the true distribution of the class: the score is strictly proper. It knows
    the order of the classes: probability on a neighbour of what happened costs less than on a distant class.

    Conventions: the sum over the C cumulative terms, of which the last is 0 for a distribution; some authors divide
    by C - 1. The classes are in the order of their indices. "mean" divides by the number of forecasts.

    Shape: `probs` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C, or for probabilities the shape of
    `probs`. The result is the shape of `probs` without C or, under "mean" and "sum", ().

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), or `reduction` is unknown.
        TypeError: `probs` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> ranked_probability_score(torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), torch.tensor([0, 0]))
        tensor([1., 2.])

    References: Epstein (1969), A scoring system for probability forecasts of ranked categories; Murphy (1971), A
    note on the ranked probability score.
    """
    p, target, dtype = _forecast(probs, target)
    return reduce(_error(p, target).cumsum(-1).square().sum(-1), reduction, dtype)


def _forecast(probs: Any, target: Any) -> tuple[Tensor, Tensor, torch.dtype]:
    return classed(probs, target, name="probs", holds="probabilities")


def _error(p: Tensor, target: Tensor) -> Tensor:
    """p - q."""
    if target.is_floating_point():
        return p - target
    label = target.unsqueeze(-1)
    return p.scatter(-1, label, p.gather(-1, label) - 1)
