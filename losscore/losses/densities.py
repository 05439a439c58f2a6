"""Losses of a forecast distribution: negative log-likelihoods, and scores in the unit of the target.

A forecast is given by its parameters (location and scale, rate, mean and dispersion), by an ensemble drawn
from it or by an interval. All are elementwise under `reduction="none"` and averaged over all elements under
"mean"; an empty "mean" is NaN and an empty "sum" 0, as in torch. Parameters of the forecast may be numbers
instead of tensors where they are keywords; a tensor must have the shape of the prediction, for nothing is
broadcast. Negative scales, means and counts are refused on the CPU, and taken on trust on an accelerator,
under `torch.compile` and `torch.func`.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ._slopes import with_slopes
from ._softmax import missed, wide
from ._tensors import (
    Reduction,
    aligned,
    check_companion,
    check_number,
    check_prediction,
    check_values,
    common_dtype,
    fraction,
    reduce,
    working_dtype,
)

_HALF_LOG_TWO_PI = math.log(2 * math.pi) / 2
_ONE_OVER_ROOT_PI = 1 / math.sqrt(math.pi)
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)
_STIRLING_FROM = 10.0
_TERMS_OF_LOG = 9


def gaussian_nll(
    input: Tensor, target: Tensor, *, log_scale: Tensor | float, reduction: Reduction = "mean"
) -> Tensor:
    r"""Gaussian negative log-likelihood, s + ((x - y) exp(-s))^2 / 2 + log(2 pi) / 2, s the log of the scale.

    Domain: all real x, s and y. Its minimiser is the target's mean and the log of its standard deviation: of
    all Gaussian laws the one with the first two moments of the target.

    Conventions: the full density, with log(2 pi) / 2, which `torch.nn.functional.gaussian_nll_loss` leaves
    out by default; the parameter is the log of the standard deviation, not the variance, so nothing is
    clamped and every gradient is the true one. A density may exceed 1, so the loss may be negative. "mean"
    divides by the number of elements.

    Shape: `input` and `target` of one shape, any; `log_scale` likewise, or a number; the result () or, under
    "none", that shape.

    Raises:
        ValueError: the shapes differ, `log_scale` is a number that isn't finite, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, `target` isn't a real one, or `log_scale` is
            neither.

    Example:
        >>> gaussian_nll(torch.tensor([1.0]), torch.tensor([3.0]), log_scale=torch.tensor([0.0]))
        tensor(2.9189)

    References: Nix & Weigend (1994), Estimating the mean and variance of the target probability distribution.
    """
    (input, target, log_scale), dtype = _forecast(input=input, target=target, log_scale=log_scale)
    residual = input - target
    exact = (residual == 0) & (-log_scale).exp().isinf()
    precision = (-log_scale.masked_fill(exact, 0)).exp()
    return reduce(log_scale + (residual * precision).square() / 2 + _HALF_LOG_TWO_PI, reduction, dtype)


def poisson_nll(log_rate: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Poisson negative log-likelihood of a count, exp(l) - y l + log y!, with l the log of the rate.

    Domain: all real l; y >= 0, a count. Its minimiser is the log of the target's mean, whatever law the
    counts have.

    Conventions: the full likelihood, with log y! exactly (`torch.nn.functional.poisson_nll_loss` leaves it
    out by default, and by `full=True` takes an approximation). Exact for large counts, where the terms
    cancel: single precision is computed in double where the device has it. The inputs keep their own
    rounding: half a unit in the last place of l moves the rate by up to l eps / 2 of itself (0.5 at a rate of
    1e6 in float32, 0.9e-9 in float64), and the slope exp(l) - y by as much; in float64 the slope's own error
    is less than that where l > 2, and the value is right to 1e-12 for counts up to 1e7. Between the whole
    numbers y! is the gamma function at y + 1. "mean" divides by the number of elements.

    Shape: `log_rate` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, a count is negative, or `reduction` is unknown.
        TypeError: `log_rate` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> poisson_nll(torch.tensor([0.0, 0.0]), torch.tensor([0, 3]), reduction="none")
        tensor([1.0000, 2.7918])

    References: Nelder & Wedderburn (1972), Generalized linear models; Loader (2000), Fast and accurate
    computation of binomial probabilities.
    """
    (log_rate, target), dtype = _forecast(log_rate=log_rate, target=target)
    _check_not_negative("target", target)
    log_rate, target = _widened(log_rate, target)
    count, rate = target.masked_fill(target == 0, 1), log_rate.exp()
    excess = rate - count
    near = excess.abs() <= count / 2
    log_ratio = torch.where(near, (torch.where(near, excess, 0) / count).log1p(), log_rate - count.log())
    deviance = excess - count * log_ratio
    some = deviance + count.log() / 2 + _HALF_LOG_TWO_PI + _stirling(count)
    return reduce(torch.where(target == 0, rate, some), reduction, dtype)


def negative_binomial_nll(
    mean: Tensor, target: Tensor, *, inverse_dispersion: Tensor | float, reduction: Reduction = "mean"
) -> Tensor:
    r"""Negative binomial negative log-likelihood of a count, by mean m and inverse dispersion t.

    log y! + log G(t) - log G(y + t) + t log(1 + m/t) + y log(1 + t/m), with G the gamma function: a Poisson
    law whose rate is gamma distributed. The variance is m + m^2 / t.

    Domain: m >= 0, t > 0; y >= 0, a count. Its minimiser in m is the target's mean, whatever t is.

    Conventions: `inverse_dispersion` t is the "size" or "total count" of other libraries, 1 / alpha of a
    regression's alpha; as t grows the loss tends to `poisson_nll` of log m, and does so here without losing
    digits (lgamma differences lose all of them beyond t = 1e8 in float32, 1e15 in float64). The slope in t,
    of order 1/t^2, is a closed form that doesn't either; only about its own zero, near m = y +- sqrt(y) for a
    large t, is it uncertain by what a unit in the last place of m makes of it. Single precision is computed
    in double where the device has it. No epsilon is added to any logarithm.
    "mean" divides by the number of elements.

    Shape: `mean` and `target` of one shape, any; `inverse_dispersion` likewise, or a number; the result ()
    or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, a count or mean is negative, an inverse dispersion isn't > 0, or
            `reduction` is unknown.
        TypeError: `mean` isn't a floating-point tensor, `target` isn't a real one, or `inverse_dispersion` is
            neither a real tensor nor a number.

    Example:
        >>> negative_binomial_nll(torch.tensor([2.0, 2.0]), torch.tensor([0, 3]), inverse_dispersion=1e8,
        ...                       reduction="none")
        tensor([2.0000, 1.7123])

    References: Lawless (1987), Negative binomial and mixed Poisson regression; Loader (2000), Fast and
    accurate computation of binomial probabilities.
    """
    (mean, target, size), dtype = _forecast(mean=mean, target=target, inverse_dispersion=inverse_dispersion)
    _check_counted(mean, target, size)
    return reduce(_negative_binomial(*_widened(mean, target, size)), reduction, dtype)


def zero_inflated_negative_binomial_nll(
    mean: Tensor,
    target: Tensor,
    *,
    inverse_dispersion: Tensor | float,
    zero_logits: Tensor | float,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Negative log-likelihood of a count that is 0 with probability sigmoid(z), and else negative binomial.

    -log(sigmoid(z) + sigmoid(-z) p(0)) where y = 0, -log sigmoid(-z) - log p(y) elsewhere, with p the
    negative binomial probability of mean m and inverse dispersion t (see `negative_binomial_nll`).

    Domain: m >= 0, t > 0, all real z; y >= 0, a count. Its minimiser is the parameters of the law of the
    target, if it is of this kind; the mean that it implies is sigmoid(-z) m.

    Conventions: `mean` is that of the negative binomial part, not of the mixture; `zero_logits` is the
    log-odds of a zero of the extra kind. Both tails of the zero's probability are exact, also where p(0)
    underflows; for precision and second derivatives see `negative_binomial_nll`. "mean" divides by the number
    of elements.

    Shape: `mean` and `target` of one shape, any; `inverse_dispersion` and `zero_logits` likewise, or numbers;
    the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, a count or mean is negative, an inverse dispersion isn't > 0, or
            `reduction` is unknown.
        TypeError: `mean` isn't a floating-point tensor, or another argument isn't of the kind named.

    Example:
        >>> zero_inflated_negative_binomial_nll(torch.tensor([1e4, 2.0]), torch.tensor([0, 1]),
        ...                                     inverse_dispersion=100.0, zero_logits=-3.0, reduction="none")
        tensor([3.0486, 1.3555])

    References: Greene (1994), Accounting for excess zeros and sample selection in Poisson and negative
    binomial regression models; Lopez et al. (2018), Deep generative modeling for single-cell transcriptomics.
    """
    (mean, target, size, zero), dtype = _forecast(
        mean=mean, target=target, inverse_dispersion=inverse_dispersion, zero_logits=zero_logits
    )
    _check_counted(mean, target, size)
    mean, target, size, zero = _widened(mean, target, size, zero)
    counted = _negative_binomial(mean, target, size)
    not_extra = -F.logsigmoid(-zero)
    other = (-not_extra).exp() * missed(counted)
    likely = other < 0.5
    if_zero = torch.where(
        likely,
        -(-torch.where(likely, other, 0)).log1p(),
        not_extra - torch.logaddexp(zero, -counted),
    )
    return reduce(torch.where(target == 0, if_zero, not_extra + counted), reduction, dtype)


def crps_gaussian(
    mean: Tensor, target: Tensor, *, scale: Tensor | float, reduction: Reduction = "mean"
) -> Tensor:
    r"""Continuous ranked probability score of a Gaussian forecast: how far it is from the outcome, squared.

    s (z (2 P(z) - 1) + 2 p(z) - 1/sqrt(pi)) with z = (y - m)/s, and p and P the standard normal density and
    distribution function; it is the integral over t of (P((t - m)/s) - 1[y <= t])^2.

    Domain: all real m and y, s >= 0. Its minimiser is the target's mean and standard deviation if the target
    is Gaussian: the score is strictly proper among Gaussian laws.

    Conventions: in the unit of the target; at s = 0 it is the absolute error, with the one-sided derivative
    in s. "mean" divides by the number of elements.

    Shape: `mean` and `target` of one shape, any; `scale` likewise, or a number; the result () or, under
    "none", that shape.

    Raises:
        ValueError: the shapes differ, a scale is negative, or `reduction` is unknown.
        TypeError: `mean` isn't a floating-point tensor, `target` isn't a real one, or `scale` is neither a
            real tensor nor a number.

    Example:
        >>> crps_gaussian(torch.tensor([0.0, 0.0]), torch.tensor([0.0, 3.0]), scale=torch.tensor([1.0, 0.0]),
        ...               reduction="none")
        tensor([0.2337, 3.0000])

    References: Gneiting, Raftery, Westveld & Goldman (2005), Calibrated probabilistic forecasting using
    ensemble model output statistics and minimum CRPS estimation.
    """
    (mean, target, scale), dtype = _forecast(mean=mean, target=target, scale=scale)
    _check_not_negative("scale", scale)
    residual = mean - target
    far = residual.abs() >= 40 * scale
    z = torch.where(far, 0, residual) / torch.where(far, 1, scale)
    density = (-z.square() / 2).exp() * (math.sqrt(2) * _ONE_OVER_ROOT_PI)
    inside = residual * (z / math.sqrt(2)).erf() + scale * (density - _ONE_OVER_ROOT_PI)
    slope = torch.full_like(residual, -1).masked_fill(residual == 0, math.sqrt(2) - 1)
    outside = residual.abs() + slope * _ONE_OVER_ROOT_PI * scale
    return reduce(torch.where(far, outside, inside), reduction, dtype)


def crps_ensemble(
    ensemble: Tensor,
    target: Tensor,
    *,
    estimator: Literal["nrg", "fair"] = "nrg",
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Continuous ranked probability score of M members, mean_i \|x_i - y\| - sum_ij \|x_i - x_j\| / (2 M^2).

    Domain: all real members x_1, ..., x_M and y. Its minimiser is, for "nrg", M quantiles of the target at
    the levels (i - 1/2) / M: the score is twice the mean of the pinball losses of the sorted members at these
    levels.

    Conventions: "nrg" is the score of the ensemble taken as a distribution with M equal steps; "fair" divides
    the second sum by 2 M (M - 1), which makes it an unbiased estimate of the score of the law that the
    members are drawn from, so that in expectation it is minimal when that law is the target's. Both are
    computed as one sum without cancellation, by sorting, in memory proportional to M. Members that coincide
    share a kink, where the slopes are those of a first and a second one. "mean" divides by the number of
    targets.

    Shape: `ensemble` (..., M), `target` (...); the result () or, under "none", the shape of `target`.

    Raises:
        ValueError: the shapes don't fit, there is no member (or, for "fair", only one), or `estimator` or
            `reduction` is unknown.
        TypeError: `ensemble` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> crps_ensemble(torch.tensor([[1.0, 3.0]]), torch.tensor([0.0]))
        tensor(1.5000)
        >>> crps_ensemble(torch.tensor([[1.0, 3.0]]), torch.tensor([0.0]), estimator="fair")
        tensor(1.)

    References: Gneiting & Raftery (2007), Strictly proper scoring rules, prediction, and estimation; Ferro
    (2014), Fair scores for ensemble forecasts; Jordan, Krüger & Lerch (2019), Evaluating probabilistic
    forecasts with scoringRules.
    """
    if estimator not in ("nrg", "fair"):
        raise ValueError(f"estimator: expected 'nrg' or 'fair', got {estimator!r}")
    check_prediction("ensemble", ensemble)
    check_companion("target", target, ensemble, "ensemble")
    if ensemble.dim() == 0 or ensemble.shape[:-1] != target.shape:
        raise ValueError(
            f"Ensemble size ({ensemble.shape}) must be the target size ({target.shape}) followed by the number "
            "of members"
        )
    members, least = ensemble.shape[-1], 1 if estimator == "nrg" else 2
    if members < least:
        raise ValueError(
            f"ensemble: expected at least {least} members for {estimator!r}, got size {ensemble.shape}"
        )
    dtype = common_dtype(ensemble, target)
    working = working_dtype(dtype)
    residual = ensemble.to(working).sort(-1).values - target.to(working).unsqueeze(-1)
    below = torch.arange(members, dtype=working, device=ensemble.device)
    steps = 2 * torch.where(residual < 0, below, members - 1 - below)
    weights = (steps + 1) / members**2 if estimator == "nrg" else steps / (members * (members - 1))
    return reduce((weights * residual.abs()).sum(-1), reduction, dtype)


def interval_score(
    lower: Tensor, upper: Tensor, target: Tensor, *, alpha: float, reduction: Reduction = "mean"
) -> Tensor:
    r"""Interval score of a central (1 - alpha) interval, u - l + (2/alpha) ((l - y)_+ + (y - u)_+).

    Domain: all real l, u and y; alpha in (0, 1). Its minimiser is any alpha/2-quantile of the target for l
    and any (1 - alpha/2)-quantile for u.

    Conventions: the Winkler score; `alpha` is the share left out, 0.1 for a 90 % interval. It is 2/alpha
    times the sum of the pinball losses of the two ends, so ends that have crossed in training are scored too,
    and driven apart. The slope of a penalty is 0 where the target lies on the end. "mean" divides by the
    number of elements.

    Shape: `lower`, `upper` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, `alpha` lies outside of (0, 1), or `reduction` is unknown.
        TypeError: `lower` isn't a floating-point tensor, `upper` or `target` isn't a real one, or `alpha`
            isn't a number.

    Example:
        >>> interval_score(torch.tensor([1.0]), torch.tensor([3.0]), torch.tensor([3.5]), alpha=0.1)
        tensor(12.)

    References: Winkler (1972), A decision-theoretic approach to interval estimation; Gneiting & Raftery
    (2007), Strictly proper scoring rules, prediction, and estimation.
    """
    alpha = fraction("alpha", alpha)
    (lower, upper, target), dtype = aligned(lower=lower, upper=upper, target=target)
    outside = F.relu(lower - target) + F.relu(target - upper)
    return reduce(upper - lower + 2 / alpha * outside, reduction, dtype)


def _forecast(**arguments: Any) -> tuple[list[Tensor], torch.dtype]:
    """Prediction, target, then parameters, which may be numbers: of one shape, in the working dtype."""
    parameters = list(arguments)[2:]
    check_prediction(*next(iter(arguments.items())))
    numbers = {
        name: check_number(name, arguments[name], "a finite one, or a torch.Tensor", lambda x: True)
        for name in parameters
        if not isinstance(arguments[name], Tensor)
    }
    tensors, dtype = aligned(**{name: value for name, value in arguments.items() if name not in numbers})
    for place, name in enumerate(arguments):
        if name in numbers:
            tensors.insert(place, torch.full_like(tensors[0], numbers[name]))
    return tensors, dtype


def _widened(*tensors: Tensor) -> list[Tensor]:
    return [tensor.to(wide(tensor)) for tensor in tensors]


def _check_not_negative(name: str, values: Tensor) -> None:
    check_values(name, values, "numbers >= 0", lambda x: ~(x < 0))


def _check_counted(mean: Tensor, target: Tensor, size: Tensor) -> None:
    _check_not_negative("mean", mean)
    _check_not_negative("target", target)
    check_values("inverse_dispersion", size, "numbers > 0", lambda x: ~(x <= 0))


def _negative_binomial_value(mean: Tensor, count: Tensor, size: Tensor) -> Tensor:
    """The deviance from the law whose mean is the count, plus that law's own negative log-likelihood.

    No term is larger than the loss, up to a factor: nothing cancels at large counts or a large size.
    """
    if_none = size * (mean / size).log1p()
    none = count == 0
    count, mean = count.masked_fill(none, 1), mean.masked_fill(none, 1)
    excess, both = mean - count, count + size
    deviance = size * (excess / both).log1p() + count * (-excess / (mean * (1 + count / size))).log1p()
    own = (count.log() + (count / size).log1p()) / 2 + _HALF_LOG_TWO_PI
    own = own + _stirling(count) + _stirling(size) - _stirling(both)
    return torch.where(none, if_none, deviance + own)


def _slope_in_mean(mean: Tensor, count: Tensor, size: Tensor) -> Tensor:
    """(1 - y/m) t / (t + m)."""
    none = count == 0
    return (mean - count).masked_fill(none, 1) / mean.masked_fill(none, 1) * (size / (size + mean))


def _slope_in_count(mean: Tensor, count: Tensor, size: Tensor) -> Tensor:
    return (count + 1).digamma() - (count + size).digamma() + (size / mean).log1p()


def _slope_in_size(mean: Tensor, count: Tensor, size: Tensor) -> Tensor:
    """log(1 + m/t) - (m - y)/(m + t) - psi(y + t) + psi(t), of order 1/t^2 where its terms are of order 1/t.

    The part of the deviance, x - log(1 + x) with x = (y - m)/(m + t), less `_digamma_less_log` of y and t. At
    a count of 1 the two cancel as m falls to 0; about it they are taken from t + 1, up from a count of y - 1.
    """
    one = (count - 1).abs() < 0.5
    more, from_size = torch.where(one, count - 1, count), torch.where(one, size + 1, size)
    total = mean + size
    change = torch.where(one, -mean, count - mean)
    bent = _less_log(change, total, torch.where(one, size, count + size))
    missing = _digamma_less_log(more, from_size)
    rest = more / (size * from_size) - count * mean / (size * total)
    rest = rest + _less_log(more, from_size, count + size)
    return bent - missing + torch.where(one, rest, 0)


_negative_binomial = with_slopes(_negative_binomial_value, _slope_in_mean, _slope_in_count, _slope_in_size)


def _less_log(change: Tensor, base: Tensor, changed: Tensor) -> Tensor:
    """x - log(1 + x) with x = change / base and 1 + x = changed / base, exact also where x is small."""
    x = change / base
    small = x.abs() < 0.25
    near = torch.where(small, x, 0)
    r = near / (2 + near)
    series = torch.zeros_like(r)
    for term in range(_TERMS_OF_LOG, 0, -1):
        series = (series + 1 / (2 * term + 1)) * r.square()
    return torch.where(small, r * (near - 2 * series), x - torch.where(small, 1, changed / base).log())


def _digamma_less_log(more: Tensor, x: Tensor) -> Tensor:
    """psi(x + more) - psi(x) - log(1 + more / x), for x > 0, in proportion to `more`.

    The derivatives of Stirling's series at two points from _STIRLING_FROM on, differenced term by term; from
    below both points are moved up by as much, by the recurrence of psi.
    """
    large = x >= _STIRLING_FROM
    low = torch.where(large, 1, x)
    steps = sum(more / ((low + k) * (low + more + k)) for k in range(int(_STIRLING_FROM)))
    moved = _STIRLING_FROM * more / (low * (low + more + _STIRLING_FROM))
    start = torch.where(large, x, x + _STIRLING_FROM)
    end = start + more
    first, last = 1 / start.square(), 1 / end.square()
    difference, at_last = torch.zeros_like(first), torch.zeros_like(last)
    for power, coefficient in reversed(list(enumerate(_STIRLING))):
        difference = difference * first + at_last
        at_last = at_last * last + (2 * power + 1) * coefficient
    difference = difference * first + at_last
    gap = more / (start * end)
    stirling = gap / 2 + gap * (1 / start + 1 / end) * difference
    return stirling + torch.where(large, 0, steps - moved.log1p())


def _stirling(x: Tensor) -> Tensor:
    """log Gamma(x) less Stirling's approximation (x - 1/2) log x - x + log(2 pi) / 2, for x > 0."""
    large = x >= _STIRLING_FROM
    near = torch.where(large, 1, x)
    inverse = 1 / torch.where(large, x, _STIRLING_FROM)
    series = torch.zeros_like(inverse)
    for coefficient in reversed(_STIRLING):
        series = series * inverse.square() + coefficient
    return torch.where(
        large, series * inverse, near.lgamma() - (near - 0.5) * near.log() + near - _HALF_LOG_TWO_PI
    )
