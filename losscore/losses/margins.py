"""Margin losses, of real scores and a label.

Of two classes: one score f and a label y in {-1, +1} of any real dtype; functions of the margin y f, but for
`zero_one` at f = 0; elementwise under `reduction="none"` and averaged over all elements under "mean".

Of several classes: one score per class, f_1 ... f_C, in dimension 1 (0 for a single unbatched sample; any
dimensions may follow) and a class index y of any integer dtype; the largest score predicts the class. One number a
sample, which the mean averages.

An empty "mean" is NaN and an empty "sum" 0, as in torch. Labels are checked on the CPU, and taken on trust on an
accelerator, under `torch.compile` and under `torch.func`.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ._classes import classed
from ._tensors import Reduction, check_labels, paired, reduce


def zero_one(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Zero-one loss: 0 where the sign of the score is the label, 1 where it isn't. Its mean is the error rate.

    Domain: all real f; y in {-1, +1}. Its minimiser is any score with the sign of the more probable label.

    Conventions: score 0 predicts +1. The derivative is 0 wherever there is one, so descent can't use it. "mean"
    divides by the number of elements.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, a label isn't -1 or +1, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> zero_one(torch.tensor([2.0, -1.0, 0.0]), torch.tensor([1, 1, -1]), reduction="none")
        tensor([0., 1., 1.])

    References: Bartlett, Jordan & McAuliffe (2006), Convexity, classification, and risk bounds.
    """
    input, target, dtype = _scored(input, target)
    predicted = input.sign().masked_fill(input == 0, 1).masked_fill(input.isnan(), torch.nan)
    return reduce((1 - target * predicted) / 2, reduction, dtype)


def hinge(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Hinge loss, max(0, 1 - y f).

    Domain: all real f; y in {-1, +1}. Its minimiser is the more probable label itself, -1 or +1: no probability
    can be read from the score.

    Conventions: the slope at the kink, y f = 1, is taken to be 0; "mean" divides by the number of elements.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, a label isn't -1 or +1, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> hinge(torch.tensor([2.0, 0.5, -1.0]), torch.tensor([1, 1, 1]), reduction="none")
        tensor([0.0000, 0.5000, 2.0000])

    References: Cortes & Vapnik (1995), Support-vector networks; Bartlett, Jordan & McAuliffe (2006), Convexity,
    classification, and risk bounds.
    """
    input, target, dtype = _scored(input, target)
    return reduce(F.relu(1 - target * input), reduction, dtype)


def squared_hinge(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Squared hinge loss, max(0, 1 - y f)^2.

    Domain: all real f; y in {-1, +1}. Its minimiser is 2 p - 1, with p the probability of +1: unlike the hinge, the
    score tells the probability.

    Conventions: no factor 1/2; differentiable at the kink, y f = 1; "mean" divides by the number of elements.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, a label isn't -1 or +1, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> squared_hinge(torch.tensor([2.0, 0.5, -1.0]), torch.tensor([1, 1, 1]), reduction="none")
        tensor([0.0000, 0.2500, 4.0000])

    References: Zhang (2004), Statistical behavior and consistency of classification methods based on convex risk
    minimization; Bartlett, Jordan & McAuliffe (2006), Convexity, classification, and risk bounds.
    """
    input, target, dtype = _scored(input, target)
    return reduce(F.relu(1 - target * input).square(), reduction, dtype)


def logistic(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Logistic loss, log(1 + exp(-y f)).

    Domain: all real f; y in {-1, +1}. Its minimiser is the log-odds of +1, so the sigmoid of the score is its
    probability.

    Conventions: natural logarithm, so a score of 0 costs log 2; `binary_cross_entropy` at the label (y + 1) / 2 is
    the same number. Exact in both tails. "mean" divides by the number of elements.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, a label isn't -1 or +1, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> logistic(torch.tensor([20.0, -100.0]), torch.tensor([1, 1]), reduction="none")
        tensor([2.0612e-09, 1.0000e+02])

    References: Friedman, Hastie & Tibshirani (2000), Additive logistic regression: a statistical view of boosting.
    """
    input, target, dtype = _scored(input, target)
    return reduce(-F.logsigmoid(target * input), reduction, dtype)


def exponential(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Exponential loss, exp(-y f), the loss of AdaBoost.

    Domain: all real f; y in {-1, +1}. Its minimiser is half the log-odds of +1.

    Conventions: overflows to inf beyond a margin of -88 in float32 and -709 in float64, as the true value does;
    "mean" divides by the number of elements.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, a label isn't -1 or +1, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> exponential(torch.tensor([1.0, -1.0]), torch.tensor([1, 1]), reduction="none")
        tensor([0.3679, 2.7183])

    References: Freund & Schapire (1997), A decision-theoretic generalization of on-line learning; Friedman, Hastie
    & Tibshirani (2000), Additive logistic regression: a statistical view of boosting.
    """
    input, target, dtype = _scored(input, target)
    return reduce((-target * input).exp(), reduction, dtype)


def one_vs_all_hinge(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""One-vs-all hinge: the hinge losses of C binary tasks, max(0, 1 - f_y) + sum_{k != y} max(0, 1 + f_k).

    Domain: all real scores. Its minimiser has f_k = 1 for the class whose probability exceeds 1/2 and -1 for the
    others: without such a class all scores are -1 and no class is elected.

    Conventions: the sum over the classes, not their mean; the slope at a kink is taken to be 0; "mean" divides by
    the number of samples.

    Shape: `input` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C. The result is () or, under "none",
    the shape of `target`.

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't one of an integer dtype.

    Example:
        >>> one_vs_all_hinge(torch.tensor([[0.5, -2.0, 0.0]]), torch.tensor([0]))
        tensor(1.5000)

    References: Rifkin & Klautau (2004), In defense of one-vs-all classification; Lee, Lin & Wahba (2004),
    Multicategory support vector machines.
    """
    scores, label, dtype = _labelled(input, target)
    signed = scores.scatter(-1, label, -scores.gather(-1, label))
    return reduce(F.relu(1 + signed).sum(-1), reduction, dtype)


def crammer_singer(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Crammer and Singer's hinge, max(0, 1 + max_{k != y} f_k - f_y): only the strongest rival counts.

    Domain: all real scores. Its minimiser has the class whose probability exceeds 1/2 ahead of the others by 1;
    without such a class all scores are equal and no class is elected.

    Conventions: where rivals tie, the first of them takes the slope; the slope at the kink is taken to be 0; a
    single class costs 0. "mean" divides by the number of samples.

    Shape: `input` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C. The result is () or, under "none",
    the shape of `target`.

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't one of an integer dtype.

    Example:
        >>> crammer_singer(torch.tensor([[0.5, -2.0, 0.0]]), torch.tensor([0]))
        tensor(0.5000)

    References: Crammer & Singer (2001), On the algorithmic implementation of multiclass kernel-based vector
    machines; Liu (2007), Fisher consistency of multicategory support vector machines.
    """
    scores, label, dtype = _labelled(input, target)
    rival = scores.scatter(-1, label, -torch.inf).argmax(-1, keepdim=True)
    own = scores.gather(-1, label)
    cost = F.relu(1 + (scores.gather(-1, rival) - own))
    return reduce(torch.where(rival == label, _no_cost(own), cost).squeeze(-1), reduction, dtype)


def weston_watkins(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Weston and Watkins' hinge, sum_{k != y} max(0, 1 + f_k - f_y): every rival counts.

    Domain: all real scores. Its minimiser puts the classes in groups whose scores differ by whole numbers, in the
    order of their probabilities; the most probable class may tie with others, and no probability can be read.

    Conventions: the sum over the wrong classes, without the factor 1 / C of
    `torch.nn.functional.multi_margin_loss`; the slope at a kink is taken to be 0; "mean" divides by the number of
    samples.

    Shape: `input` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C. The result is () or, under "none",
    the shape of `target`.

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't one of an integer dtype.

    Example:
        >>> weston_watkins(torch.tensor([[0.5, -2.0, 0.0]]), torch.tensor([0]))
        tensor(0.5000)

    References: Weston & Watkins (1999), Support vector machines for multi-class pattern recognition; Wang & Scott
    (2020), Weston-Watkins hinge loss and ordered partitions.
    """
    scores, label, dtype = _labelled(input, target)
    own = scores.gather(-1, label)
    costs = F.relu(1 + (scores - own))
    return reduce(costs.scatter(-1, label, _no_cost(own)).sum(-1), reduction, dtype)


def lee_lin_wahba(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Lee, Lin and Wahba's hinge, sum_{k != y} max(0, f_k + 1 / (C - 1)), of scores that sum to 0.

    Domain: real scores with f_1 + ... + f_C = 0. Its minimiser among them is 1 for the most probable class and
    -1 / (C - 1) for the others: of the hinges of several classes the one that is consistent.

    Conventions: the constraint is the caller's, and isn't checked: subtract the mean over the classes from free
    scores. Without it, scores of -inf cost 0 whatever the label. The slope at a kink is taken to be 0; a single
    class costs 0; "mean" divides by the number of samples.

    Shape: `input` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C. The result is () or, under "none",
    the shape of `target`.

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't one of an integer dtype.

    Example:
        >>> lee_lin_wahba(torch.tensor([[1.0, -0.75, -0.25]]), torch.tensor([0]))
        tensor(0.2500)

    References: Lee, Lin & Wahba (2004), Multicategory support vector machines.
    """
    scores, label, dtype = _labelled(input, target)
    costs = F.relu(scores + 1 / max(scores.shape[-1] - 1, 1))
    return reduce(costs.scatter(-1, label, _no_cost(scores.gather(-1, label))).sum(-1), reduction, dtype)


def _scored(input: Any, target: Any) -> tuple[Tensor, Tensor, torch.dtype]:
    input, labels, dtype = paired(input, target)
    check_labels(labels, "-1 or +1", lambda y: (y == 1) | (y == -1))
    return input, labels, dtype


def _labelled(input: Any, target: Any) -> tuple[Tensor, Tensor, torch.dtype]:
    """Scores with the classes last, and the label as an index into that dimension."""
    if isinstance(target, Tensor) and target.is_floating_point():
        raise TypeError(f"target: expected class indices of an integer dtype, got {target.dtype}")
    scores, labels, dtype = classed(input, target, holds="scores")
    return scores, labels.unsqueeze(-1), dtype


def _no_cost(score: Tensor) -> Tensor:
    """0, and NaN for a score of NaN."""
    return score.masked_fill(~score.isnan(), 0)
