"""Losses of a forecast distribution: definitions."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from .definition import Definition
from .regression import PREDICTION, TARGET

LOG_SCALE, LOG_RATE, ZERO = sp.symbols("s l z", real=True)
MEAN, SIZE, SCALE = sp.symbols(r"\mu \theta \sigma", positive=True)
LOWER, UPPER = sp.symbols("l u", real=True)
MEMBERS = sp.symbols("x_1:4", real=True)
COUNT = sp.Symbol("y", integer=True, nonnegative=True)
ALPHA = sp.Symbol(r"\alpha", positive=True)


def _gaussian(x: sp.Expr, s: sp.Expr, y: sp.Expr) -> sp.Expr:
    return s + ((x - y) * sp.exp(-s)) ** 2 / 2 + sp.log(2 * sp.pi) / 2


def _negative_binomial(mean: sp.Expr, size: sp.Expr, y: sp.Expr) -> sp.Expr:
    rising = sp.loggamma(y + size) - sp.loggamma(size)
    return sp.log(sp.factorial(y)) - rising + size * sp.log(1 + mean / size) + y * sp.log(1 + size / mean)


def _zero_inflated(mean: sp.Expr, size: sp.Expr, z: sp.Expr, y: sp.Expr) -> sp.Expr:
    none = sp.exp(-_negative_binomial(mean, size, sp.Integer(0)))
    if_zero = sp.log(1 + sp.exp(z)) - sp.log(sp.exp(z) + none)
    otherwise = sp.log(1 + sp.exp(z)) + _negative_binomial(mean, size, y)
    return sp.Piecewise((if_zero, sp.Eq(y, 0)), (otherwise, True))


def _crps_gaussian(mean: sp.Expr, scale: sp.Expr, y: sp.Expr) -> sp.Expr:
    z = (y - mean) / scale
    density = sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)
    spread = z * sp.erf(z / sp.sqrt(2)) + 2 * density - 1 / sp.sqrt(sp.pi)
    return sp.Piecewise((sp.Abs(y - mean), sp.Eq(scale, 0)), (scale * spread, True))


def _crps_ensemble(members: Sequence[sp.Expr], y: sp.Expr, estimator: str = "nrg") -> sp.Expr:
    count = len(members)
    pairs = sp.Add(*(sp.Abs(a - b) for a in members for b in members))
    divisor = 2 * count**2 if estimator == "nrg" else 2 * count * (count - 1)
    return sp.Add(*(sp.Abs(x - y) for x in members)) / count - pairs / divisor


def _interval(lower: sp.Expr, upper: sp.Expr, y: sp.Expr, alpha: sp.Expr) -> sp.Expr:
    return upper - lower + 2 / alpha * (sp.Max(0, lower - y) + sp.Max(0, y - upper))


gaussian_nll = Definition("gaussian_nll", _gaussian, (PREDICTION, LOG_SCALE, TARGET))
poisson_nll = Definition(
    "poisson_nll", lambda rate, y: sp.exp(rate) - y * rate + sp.log(sp.factorial(y)), (LOG_RATE, COUNT)
)
negative_binomial_nll = Definition("negative_binomial_nll", _negative_binomial, (MEAN, SIZE, COUNT))
zero_inflated_negative_binomial_nll = Definition(
    "zero_inflated_negative_binomial_nll", _zero_inflated, (MEAN, SIZE, ZERO, COUNT)
)
crps_gaussian = Definition("crps_gaussian", _crps_gaussian, (PREDICTION, SCALE, TARGET))
crps_ensemble = Definition("crps_ensemble", _crps_ensemble, (MEMBERS, TARGET), given=("estimator",))
interval_score = Definition("interval_score", _interval, (LOWER, UPPER, TARGET), {"alpha": ALPHA})
