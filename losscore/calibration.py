"""Calibration of probabilities: its curve, its error, its part in the Brier score, and a temperature for it.

Everywhere `probs` is either (N,), the probabilities of an event, with targets 0 or 1 that say whether it
happened; or (N, C), the probabilities of the classes, with class indices: then the event is that the most
probable class is right, and the probability is its own (but for `murphy_decomposition`, which takes all
classes). Bins are of equal width, [0, 1/B), [1/B, 2/B), ..., the last closed, so that a probability of
exactly 1 falls into it. All of it is computed in float64 and without gradients: these are measures, not
losses.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .losses._tensors import check_companion, check_prediction, check_values

__all__ = ["expected_calibration_error", "fit_temperature", "murphy_decomposition", "reliability_curve"]

_BISECTIONS = 64
_WIDEST = 64.0


class ReliabilityCurve(NamedTuple):
    """By bin: the mean probability and the frequency of the event (NaN if empty), the number of samples."""

    probability: Tensor
    frequency: Tensor
    samples: Tensor


class MurphyDecomposition(NamedTuple):
    """score = reliability - resolution + uncertainty + within; `within` is 0 unless forecasts are binned."""

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float


@torch.no_grad()
def reliability_curve(probs: Tensor, target: Tensor, *, bins: int = 15) -> ReliabilityCurve:
    """Mean probability, frequency of the event and number of samples by bin: a diagonal where calibrated.

    Raises:
        ValueError: a shape doesn't fit, a probability lies outside of [0, 1], a target isn't a label, or
            `bins` < 1.
        TypeError: `probs` isn't a floating-point tensor, `target` isn't a real one, or `bins` isn't an int.

    Example:
        >>> probs, happened = torch.tensor([0.0, 0.2, 1.0, 0.6]), torch.tensor([0, 1, 1, 0])
        >>> reliability_curve(probs, happened, bins=2).frequency
        tensor([0.5000, 0.5000], dtype=torch.float64)

    References: Murphy & Winkler (1977), Reliability of subjective probability forecasts of precipitation and
    temperature; DeGroot & Fienberg (1983), The comparison and evaluation of forecasters.
    """
    probability, happened = _event(probs, target)
    bin = _bin(probability, bins)

    def total(values: Tensor) -> Tensor:
        return torch.zeros(bins, dtype=torch.float64, device=values.device).index_add(0, bin, values)

    count = total(torch.ones_like(probability))
    return ReliabilityCurve(total(probability) / count, total(happened) / count, count.long())


@torch.no_grad()
def expected_calibration_error(
    probs: Tensor, target: Tensor, *, bins: int = 15, norm: Literal["l1", "l2", "max"] = "l1"
) -> Tensor:
    r"""Distance of the reliability curve from the diagonal: sum_b (n_b / N) \|frequency_b - probability_b\|.

    Conventions: "l1" as written; "l2" is the root of the weighted mean of the squares; "max" the largest
    distance of a bin that isn't empty. The value depends on `bins`, and is biased upwards where bins hold few
    samples. An empty batch gives NaN. The result is () in float64.

    Raises:
        ValueError: a shape doesn't fit, a probability lies outside of [0, 1], a target isn't a label, `bins`
            < 1, or `norm` is unknown.
        TypeError: `probs` isn't a floating-point tensor, `target` isn't a real one, or `bins` isn't an int.

    Example:
        >>> probs, happened = torch.tensor([0.25, 0.25, 1.0, 1.0]), torch.tensor([0, 1, 1, 1])
        >>> expected_calibration_error(probs, happened, bins=2)
        tensor(0.1250, dtype=torch.float64)

    References: Naeini, Cooper & Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian
    binning; Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks; Kumar, Liang & Ma
    (2019), Verified uncertainty calibration.
    """
    if norm not in ("l1", "l2", "max"):
        raise ValueError(f"norm: expected 'l1', 'l2' or 'max', got {norm!r}")
    curve = reliability_curve(probs, target, bins=bins)
    gap = (curve.frequency - curve.probability).abs().nan_to_num(0)
    share = curve.samples / curve.samples.sum()
    if norm == "max":
        return gap.max() if len(probs) else gap.new_tensor(math.nan)
    return (share * gap).sum() if norm == "l1" else (share * gap.square()).sum().sqrt()


@torch.no_grad()
def fit_temperature(logits: Tensor, target: Tensor) -> float:
    """The temperature T whose softmax(logits / T) has the least cross-entropy; it moves no prediction.

    `logits` (N, C) with class indices, or (N,), the log-odds of an event, with targets 0 or 1. The
    cross-entropy is convex in 1/T, so its slope is bisected; nothing is to be tuned. Where no T > 0 does
    better than equal probabilities, T is inf.

    Raises:
        ValueError: a shape doesn't fit, a logit isn't finite, a target isn't a label, there is no sample, or
            every label has the largest logit: then ever smaller temperatures do ever better.
        TypeError: `logits` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> temperature = fit_temperature(torch.tensor([2.0, 2.0, 2.0, 2.0]), torch.tensor([1, 1, 1, 0]))
        >>> round(temperature, 6)  # 2 / log 3
        1.820478

    References: Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks.
    """
    check_values("logits", _checked("logits", logits, target), "finite numbers", torch.isfinite)
    if not len(logits):
        raise ValueError(f"logits: expected at least one sample, got size {logits.shape}")
    wide = logits.double()
    rows = torch.stack((torch.zeros_like(wide), wide), 1) if logits.dim() == 1 else wide
    own = rows.gather(1, target.long().unsqueeze(1))
    behind = rows - own

    def slope(log_inverse: float) -> float:
        """Of the cross-entropy in 1/T, but for a factor."""
        return float(((behind * math.exp(log_inverse)).softmax(1) * behind).sum())

    if not (behind > 0).any():
        raise ValueError(
            "logits: expected a label that hasn't the largest logit, got none: the best temperature is 0"
        )
    if behind.sum() >= 0:
        return math.inf
    scale = float(behind.abs().max())
    behind = behind / scale
    low, high = -_WIDEST, _WIDEST
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return scale * math.exp(-high)


@torch.no_grad()
def murphy_decomposition(probs: Tensor, target: Tensor, *, bins: int | None = None) -> MurphyDecomposition:
    """The Brier score as reliability - resolution + uncertainty, over groups of equal forecasts or over bins.

    Reliability is the mean squared distance of a group's forecast from its frequency, resolution that of the
    frequency from the overall one, uncertainty the variance of the outcome. Without `bins` the groups are the
    distinct forecasts and the three add up to the score; with `bins`, for (N,), a forecast stands for the
    mean of its bin, and `within` is what that leaves out: the forecasts' variance less twice their covariance
    with the outcomes, in bins.

    Conventions: the score of (N,) is (p - y)^2, that of (N, C) the sum over the classes.

    Raises:
        ValueError: a shape doesn't fit, a probability lies outside of [0, 1], a target isn't a label, there
            is no sample, or `bins` < 1 or given with (N, C).
        TypeError: `probs` isn't a floating-point tensor, `target` isn't a real one, or `bins` isn't an int.

    Example:
        >>> parts = murphy_decomposition(torch.tensor([0.25, 0.25, 0.75, 0.75]), torch.tensor([0, 1, 1, 1]))
        >>> parts.score, parts.reliability, parts.resolution, parts.uncertainty
        (0.1875, 0.0625, 0.0625, 0.1875)

    References: Murphy (1973), A new vector partition of the probability score; Stephenson, Coelho & Jolliffe
    (2008), Two extra components in the Brier score decomposition.
    """
    forecast = _probabilities(probs, target)
    if not len(forecast):
        raise ValueError(f"probs: expected at least one sample, got size {probs.shape}")
    if probs.dim() == 1:
        forecast, outcome = forecast.unsqueeze(1), target.double().unsqueeze(1)
    else:
        outcome = F.one_hot(target.long(), probs.shape[1]).double()
    if bins is None:
        group = forecast.unique(dim=0, return_inverse=True)[1]  # type: ignore[no-untyped-call]
    elif probs.dim() == 1:
        group = _bin(forecast.squeeze(1), bins)
    else:
        raise ValueError(f"bins: expected None with probabilities of classes, got {bins}")
    stated = forecast if bins is None else _group_mean(forecast, group)
    seen = _group_mean(outcome, group)
    overall = outcome.mean(0)
    spread = forecast - stated
    parts = (
        (forecast - outcome).square(),
        (stated - seen).square(),
        (seen - overall).square(),
        (outcome - overall).square(),
        spread.square() - 2 * spread * outcome,  # the spread of a bin averages to 0
    )
    return MurphyDecomposition(*(float(part.sum(1).mean()) for part in parts))


def _checked(name: str, values: Tensor, target: Tensor) -> Tensor:
    check_prediction(name, values)
    check_companion("target", target, values, name)
    if values.dim() not in (1, 2) or values.shape[1:] == (0,):
        raise ValueError(f"{name}: expected size (N,) or (N, C), got {values.shape}")
    if target.shape != values.shape[:1]:
        raise ValueError(f"target: expected size {values.shape[:1]}, got {target.shape}")
    classes = 2 if values.dim() == 1 else values.shape[1]
    allowed = "0 or 1" if values.dim() == 1 else f"class indices in [0, {classes})"
    check_values("target", target, allowed, lambda k: (k >= 0) & (k < classes) & (k == k.long()))
    return values


def _probabilities(probs: Tensor, target: Tensor) -> Tensor:
    check_values(
        "probs", _checked("probs", probs, target), "numbers in [0, 1]", lambda p: (p >= 0) & (p <= 1)
    )
    return probs.double()


def _event(probs: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    probabilities = _probabilities(probs, target)
    if probs.dim() == 1:
        return probabilities, target.double()
    top, predicted = probabilities.max(1)
    return top, (predicted == target).double()


def _group_mean(values: Tensor, group: Tensor) -> Tensor:
    """For each row the mean over the rows of its group."""
    sums = values.new_zeros(int(group.max()) + 1, values.shape[1] + 1)
    sums = sums.index_add(0, group, torch.cat((values, torch.ones_like(values[:, :1])), 1))[group]
    return sums[:, :-1] / sums[:, -1:]


def _bin(probability: Tensor, bins: int) -> Tensor:
    if isinstance(bins, bool) or not isinstance(bins, int):
        raise TypeError(f"bins: expected an int >= 1, got {type(bins).__name__}")
    if bins < 1:
        raise ValueError(f"bins: expected an int >= 1, got {bins}")
    edges = torch.arange(1, bins, dtype=torch.float64, device=probability.device) / bins
    return torch.bucketize(probability, edges, right=True)
