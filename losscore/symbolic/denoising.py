"""What a network learns that is trained on noisy copies in place of clean images: proofs."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from .proof import Proof, argument, derivative, equal, positive, solves
from .regression import QUANTILE, pinball, squared_error

_OUTPUT = sp.Symbol("f", real=True)
_CLEAN, _NOISE = sp.symbols("y n", real=True)
_MEAN, _SQUARE = sp.Symbol("m", real=True), sp.Symbol("s", positive=True)
_VARIANCE = sp.Symbol("v", positive=True)
_HIT, _WHITE = sp.symbols("rho omega", positive=True)
_SHARE = sp.Symbol("F", nonnegative=True)

_MOMENTS: Mapping[tuple[int, int], sp.Expr] = {
    (0, 0): sp.Integer(1),
    (1, 0): _MEAN,
    (2, 0): _SQUARE,
    (0, 1): sp.Integer(0),
    (1, 1): sp.Integer(0),
    (0, 2): _VARIANCE,
}
"""Expectations of yⁱnʲ given the noisy input, for noise whose mean is 0 whatever the clean value is."""


def _expected(expression: sp.Expr) -> sp.Expr:
    """The expectation of a polynomial in y and n; higher powers keep a symbol of their own."""
    terms = sp.Poly(sp.expand(expression), _CLEAN, _NOISE).terms()
    return sp.Add(
        *(factor * _MOMENTS.get(power, sp.Symbol(f"mu_{power}", real=True)) for power, factor in terms)
    )


def noise_of_mean_zero_moves_no_minimum() -> Proof:
    """Squared error on noisy targets has the minimiser that it has on clean ones, and costs the noise more."""
    clean = _expected(squared_error.expression(_OUTPUT, _CLEAN))
    noisy = _expected(squared_error.expression(_OUTPUT, _CLEAN + _NOISE))
    return Proof(
        claims=("C245",),
        statement=(
            r"Let $Y$ be the clean pixel and $Y+N$ the target, with $E[N\mid X,Y]=0$ for the noisy input $X$. Then "
            r"squared error is least, given $X$, at $m=E[Y\mid X]$, as it is with the target $Y$."
        ),
        hypotheses=(r"$E\,Y^2<\infty$, $E\,N^2<\infty$", "the network can output any function of $X$"),
        scope="every such distribution, given the input",
        steps=(
            equal(
                r"Write $m$, $s$ and $v$ for the means of $Y$, $Y^2$ and $N^2$ given $X$. Then the means of $N$ and $YN$ "
                r"are 0, and on noisy targets the risk is",
                noisy,
                _OUTPUT**2 - 2 * _OUTPUT * _MEAN + _SQUARE + _VARIANCE,
                name=r"E\left[(f-Y-N)^2\mid X\right]",
            ),
            equal(
                "It is the clean risk plus a constant.",
                noisy - clean,
                _VARIANCE,
                name=r"R_{\text{noisy}}(f)-R_{\text{clean}}(f)",
            ),
            solves("So both are least at the same output.", sp.diff(noisy, _OUTPUT), _OUTPUT, _MEAN),
        ),
    )


def impulses_move_the_mean() -> Proof:
    """With pixels replaced by white or black the mean of the target is pulled towards the mean of the impulses."""
    kept, white = 1 - _HIT, _HIT * _WHITE
    black = _HIT * (1 - _WHITE)
    risk = (
        kept * _expected(squared_error.expression(_OUTPUT, _CLEAN))
        + white * squared_error.expression(_OUTPUT, sp.Integer(1))
        + black * squared_error.expression(_OUTPUT, sp.Integer(0))
    )
    best = kept * _MEAN + white
    usual = {_HIT: sp.Rational(2, 5), _WHITE: sp.Rational(17, 20)}
    return Proof(
        claims=("C246",),
        statement=(
            r"A pixel of the target is replaced with the chance $\rho$, by white (1) with the chance $\omega$ and by black (0) "
            r"otherwise. Squared error then asks for $(1-\rho)\,m+\rho\omega$, which is off by $\rho(\omega-m)$."
        ),
        hypotheses=("impulses hit the target whatever it and the input show", r"$0<\rho<1$, $m=E[Y\mid X]$"),
        scope="every clean distribution with a finite variance",
        steps=(
            solves(
                "The target is clean, white or black, and the risk is the mean of the three.",
                sp.diff(risk, _OUTPUT),
                _OUTPUT,
                best,
            ),
            equal(
                "It is a minimum: the risk bends up.", sp.diff(risk, _OUTPUT, 2), sp.Integer(2), name="R''"
            ),
            equal("So the output is off by", best - _MEAN, _HIT * (_WHITE - _MEAN), name=r"f^*-m"),
            equal(
                "The way back needs both shares.",
                (best - white) / kept,
                _MEAN,
                name=r"\frac{f^*-\rho\omega}{1-\rho}",
            ),
            equal(
                r"With $\rho=\frac25$ and $\omega=\frac{17}{20}$ a grey pixel, $m=\frac12$, comes out as",
                best.subs(usual).subs(_MEAN, sp.Rational(1, 2)),
                sp.Rational(16, 25),
                name="f^*",
            ),
        ),
    )


def a_clean_quantile_is_a_noisy_one() -> Proof:
    """Under impulses the clean median is a quantile of the noisy target, whose level the two shares give."""
    gap = sp.Symbol("g", positive=True)
    black = _HIT * (1 - _WHITE)
    falling = sp.diff(pinball.expression(_CLEAN - gap, _CLEAN, quantile=QUANTILE), gap)
    rising = sp.diff(pinball.expression(_CLEAN + gap, _CLEAN, quantile=QUANTILE), gap)
    below = black + (1 - _HIT) * _SHARE
    slope = rising * below - falling * (1 - below)
    level = black + (1 - _HIT) / 2
    half = sp.Rational(1, 2)
    usual = {_HIT: sp.Rational(2, 5), _WHITE: sp.Rational(17, 20)}
    return Proof(
        claims=("C247",),
        statement=(
            r"Under the same impulses the pinball loss at the level $\tau=\rho(1-\omega)+\frac{1-\rho}2$ asks for the median "
            r"of the clean pixel. Absolute error asks for another of its quantiles, unless black and white hit equally often."
        ),
        hypotheses=(
            "impulses hit the target whatever it and the input show",
            r"given $X$, the clean pixel has a continuous distribution function $F$, strictly rising where $0<F<1$",
            r"the level lies between $\rho(1-\omega)$ and $1-\rho\omega$",
        ),
        scope="every such distribution and all shares",
        steps=(
            derivative(
                "An output that lies $g$ below the target costs",
                pinball.expression(_CLEAN - gap, _CLEAN, quantile=QUANTILE),
                gap,
                QUANTILE,
            ),
            derivative(
                "for each further step away, and one above it",
                pinball.expression(_CLEAN + gap, _CLEAN, quantile=QUANTILE),
                gap,
                1 - QUANTILE,
            ),
            argument(
                r"An output between 0 and 1 has below it all black impulses and the share $F(f)$ of the clean targets:",
                r"P(\text{target}<f\mid X)=\rho(1-\omega)+(1-\rho)\,F(f)",
            ),
            equal(
                "So the slope of the risk is that share minus the level,",
                slope,
                below - QUANTILE,
                name="R'(f)",
            ),
            positive(
                r"and it grows with $F$, because $\rho<1$. With $\rho=\frac1{1+g}$,",
                sp.diff(below, _SHARE).subs(_HIT, 1 / (1 + gap)),
                gap / (1 + gap),
            ),
            solves(
                r"At the level $\tau$ of the statement it is 0 where",
                sp.expand((below - QUANTILE).subs(QUANTILE, level)),
                _SHARE,
                half,
            ),
            equal(
                r"and at one half, which is absolute error, at another $F$.",
                slope.subs({QUANTILE: half, _SHARE: (half - black) / (1 - _HIT)}),
                sp.Integer(0),
                name=r"R'\Big|_{F=\frac{1/2-\rho(1-\omega)}{1-\rho}}",
            ),
            equal(
                r"With $\rho=\frac25$ and $\omega=\frac{17}{20}$ the level is",
                level.subs(usual),
                sp.Rational(9, 25),
                name=r"\tau",
            ),
            equal(
                "and absolute error asks for the clean quantile of the level",
                ((half - black) / (1 - _HIT)).subs(usual),
                sp.Rational(11, 15),
                name="F",
            ),
        ),
    )
