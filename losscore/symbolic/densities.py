"""Losses of a forecast distribution: definitions, then proofs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from .definition import Definition
from .proof import Proof, argument, equal, holds_for, is_zero, limit
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


def crps_scores_every_threshold() -> Proof:
    """The CRPS is the Brier score of every event "Y at most t", summed over t; hence strictly proper."""
    forecast, truth = sp.symbols("F H", positive=True)
    mean, scale, y, t = (
        sp.Symbol(r"\mu", real=True),
        sp.Symbol(r"\sigma", positive=True),
        sp.Symbol("y", real=True),
        sp.Symbol("t", positive=True),
    )
    z = (y - mean) / scale
    gaussian = crps_gaussian.expression(mean, scale, y)
    cdf = (1 + sp.erf(z / sp.sqrt(2))) / 2
    gaps = sp.symbols("g_1:4", positive=True)
    standard = sp.exp(-(t**2) / 2) / sp.sqrt(2 * sp.pi)

    def integrates(place: int) -> bool:
        """Three members with an outcome in one of the four gaps between and beside them: sum the squares gap by gap."""
        knots = [sp.Integer(0), gaps[0], gaps[0] + gaps[1], gaps[0] + gaps[1] + gaps[2]]
        outcome, members = knots[place], [x for k, x in enumerate(knots) if k != place]
        steps = [
            gap
            * (sp.Rational(sum(k <= i for k in range(4) if k != place), 3) - (1 if place <= i else 0)) ** 2
            for i, gap in enumerate(gaps)
        ]
        return bool(is_zero(crps_ensemble.expression(members, outcome) - sp.Add(*steps)))

    return Proof(
        claims=("C43",),
        statement=(
            r"$\mathrm{CRPS}(F,y)=\int(F(t)-[y\leq t])^2dt$ has the regret $\int(F(t)-H(t))^2dt$ under the truth $H$: it is strictly "
            "proper for distributions with a finite mean. The formulas of the library for an ensemble and for a Gaussian are this integral."
        ),
        hypotheses=(r"$E|Y|<\infty$ under $F$ and $H$",),
        scope="every such pair of distributions; an ensemble written out for 3 members",
        steps=(
            replace(
                equal(
                    "At one threshold it is the Brier score of the event $Y\\leq t$, of probability $H=H(t)$.",
                    truth * (forecast - 1) ** 2 + (1 - truth) * forecast**2,
                    (forecast - truth) ** 2 + truth * (1 - truth),
                ),
                shown=r"E\,(F-[Y\leq t])^2=(F-H)^2+H(1-H)",
            ),
            argument(
                "All terms are non-negative, so expectation and integral may be exchanged; the last term does not depend on $F$.",
                r"E\,\mathrm{CRPS}(F,Y)-E\,\mathrm{CRPS}(H,Y)=\int(F(t)-H(t))^2dt",
            ),
            argument(
                "Two distribution functions are continuous from the right, so the integral is 0 only if they are equal."
            ),
            holds_for(
                "For an ensemble $F$ is a staircase: the integral is a sum over its steps, and that is the library's formula.",
                range(4),
                integrates,
                shown=r"\frac1n\sum_i|x_i-y|-\frac1{2n^2}\sum_{i,j}|x_i-x_j|=\int(F_n(t)-[y\leq t])^2dt",
                named="3 members, the outcome in each of the 4 places, free gaps",
            ),
            replace(
                equal(
                    "For a Gaussian, moving the outcome moves the integral by $F(y)^2-(1-F(y))^2=2F(y)-1$, and the closed form by the same,",
                    sp.diff(gaussian, y),
                    2 * cdf - 1,
                ),
                shown=r"\frac{\partial}{\partial y}\,\mathrm{CRPS}(\mathcal N(\mu,\sigma^2),y)=2F(y)-1",
            ),
            replace(
                limit(
                    r"and far out both are the distance less $\int F(1-F)\,dt=\frac12E|X-X'|$,",
                    sp.simplify(gaussian.subs(y, mean + t) - t),
                    t,
                    sp.oo,
                    -scale / sp.sqrt(sp.pi),
                ),
                shown=r"\lim_{y\to\infty}\bigl[\mathrm{CRPS}-(y-\mu)\bigr]=-\frac{\sigma}{\sqrt\pi}",
            ),
            equal(
                r"since $X-X'$ is Gaussian with the spread $\sigma\sqrt2$.",
                2 * sp.integrate(t * standard, (t, 0, sp.oo)) * scale * sp.sqrt(2) / 2,
                scale / sp.sqrt(sp.pi),
                name=r"\tfrac12E|X-X'|",
            ),
        ),
    )
