"""Losses of a real score f and a label y in {-1, +1}: functions of the margin y f, but for `zero_one` at f = 0.

All are elementwise under `reduction="none"` and averaged over all elements under "mean"; an empty "mean" is NaN and
an empty "sum" 0, as in torch. Labels may be of any real dtype; they are checked on the CPU, and taken on trust on an
accelerator, under `torch.compile` and under `torch.func`.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

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


def _scored(input: Any, target: Any) -> tuple[Tensor, Tensor, torch.dtype]:
    input, labels, dtype = paired(input, target)
    check_labels(labels, "-1 or +1", lambda y: (y == 1) | (y == -1))
    return input, labels, dtype
