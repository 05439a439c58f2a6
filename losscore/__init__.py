"""losscore: loss functions, exact in the tails, each tested against its own symbolic definition.

Every loss is here by its name, with the call of `torch.nn.functional`: prediction first, then target.
"""

from .calibration import expected_calibration_error, fit_temperature, murphy_decomposition, reliability_curve
from .losses.classification import (
    binary_brier,
    binary_cross_entropy,
    brier,
    cross_entropy,
    ranked_probability,
    spherical,
)
from .losses.contrastive import info_nce, nt_xent, triplet
from .losses.dense import binary_focal, dice, focal, tversky
from .losses.densities import (
    crps_ensemble,
    crps_gaussian,
    gaussian_nll,
    interval_score,
    negative_binomial_nll,
    poisson_nll,
    zero_inflated_negative_binomial_nll,
)
from .losses.margins import (
    crammer_singer,
    exponential,
    hinge,
    lee_lin_wahba,
    logistic,
    one_vs_all_hinge,
    squared_hinge,
    weston_watkins,
    zero_one,
)
from .losses.preference import bradley_terry, dpo
from .losses.regression import (
    absolute_error,
    asymmetric_linear,
    expectile,
    half_squared_error,
    huber,
    log_cosh,
    pinball,
    squared_error,
    tukey,
)
from .losses.robust import (
    absolute_probability_error,
    forward_corrected_cross_entropy,
    generalized_cross_entropy,
    symmetric_cross_entropy,
)
from .losses.scores import brier_score, log_score, ranked_probability_score, spherical_score
from .losses.survival import cox
from .losses.targets import distillation, smooth_labels
from .losses.vocabulary import linear_cross_entropy

__all__ = [
    "absolute_error",
    "absolute_probability_error",
    "asymmetric_linear",
    "binary_brier",
    "binary_cross_entropy",
    "binary_focal",
    "bradley_terry",
    "brier",
    "brier_score",
    "cox",
    "crammer_singer",
    "cross_entropy",
    "crps_ensemble",
    "crps_gaussian",
    "dice",
    "distillation",
    "dpo",
    "expected_calibration_error",
    "expectile",
    "exponential",
    "fit_temperature",
    "focal",
    "forward_corrected_cross_entropy",
    "gaussian_nll",
    "generalized_cross_entropy",
    "half_squared_error",
    "hinge",
    "huber",
    "info_nce",
    "interval_score",
    "lee_lin_wahba",
    "linear_cross_entropy",
    "log_cosh",
    "log_score",
    "logistic",
    "murphy_decomposition",
    "negative_binomial_nll",
    "nt_xent",
    "one_vs_all_hinge",
    "pinball",
    "poisson_nll",
    "ranked_probability",
    "ranked_probability_score",
    "reliability_curve",
    "smooth_labels",
    "spherical",
    "spherical_score",
    "squared_error",
    "squared_hinge",
    "symmetric_cross_entropy",
    "triplet",
    "tukey",
    "tversky",
    "weston_watkins",
    "zero_inflated_negative_binomial_nll",
    "zero_one",
]
