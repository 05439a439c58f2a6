"""losscore: loss functions, exact in the tails, each tested against its own symbolic definition.

Every loss is here by its name, with the call of `torch.nn.functional`: prediction first, then target.
"""

from .losses.classification import binary_brier, binary_cross_entropy, brier, cross_entropy
from .losses.margins import exponential, hinge, logistic, zero_one
from .losses.regression import (
    absolute_error,
    asymmetric_linear,
    expectile,
    half_squared_error,
    huber,
    log_cosh,
    pinball,
    squared_error,
)

__all__ = [
    "absolute_error",
    "asymmetric_linear",
    "binary_brier",
    "binary_cross_entropy",
    "brier",
    "cross_entropy",
    "expectile",
    "exponential",
    "half_squared_error",
    "hinge",
    "huber",
    "log_cosh",
    "logistic",
    "pinball",
    "squared_error",
    "zero_one",
]
