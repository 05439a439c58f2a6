"""Which statistics of a distribution some loss asks for, which none does, and which only in pairs: proofs."""

from __future__ import annotations

import sympy as sp

from .densities import LOG_SCALE, gaussian_nll
from .proof import Proof, argument, derivative, equal, positive, solves
from .regression import QUANTILE, expectile, pinball

_MIXED = sp.Symbol(r"\lambda", positive=True)
_TAIL = sp.Symbol("s", positive=True)
_GAP = sp.Symbol("g", positive=True)

Law = list[tuple[sp.Expr, sp.Expr]]
"""A distribution with finitely many values: pairs of a value and its probability."""


def _mean(law: Law) -> sp.Expr:
    return sp.Add(*(chance * value for value, chance in law))


def _shortfall(law: Law, quantile: sp.Expr, level: sp.Expr) -> sp.Expr:
    """The mean of the worst 1 - level of `law`, by its pinball loss at the quantile of this level."""
    paid = sp.Add(*(chance * pinball.expression(quantile, value, quantile=level) for value, chance in law))
    return _mean(law) + paid / (1 - level)


def an_expectile_balances_two_sums() -> Proof:
    """Asymmetric squared error asks for the point at which the weighted sums of excess and shortage are equal."""
    level, y = sp.Symbol(r"\tau", positive=True), sp.Symbol("y", real=True)
    odds = sp.Symbol("r", real=True)
    above = sp.diff(expectile.expression(y - _GAP, y, level=level), _GAP)
    below = sp.diff(expectile.expression(y + _GAP, y, level=level), _GAP)
    return Proof(
        claims=("C105",),
        statement=(
            r"Asymmetric squared error at the level $\tau$ asks for the $\tau$-expectile: the $t$ at which "
            r"$\tau\,E(Y-t)_+=(1-\tau)\,E(t-Y)_+$. At $\tau=\frac12$ it is the mean."
        ),
        hypotheses=(r"$0<\tau<1$", r"$E\,Y^2<\infty$"),
        scope="every distribution with a finite variance",
        steps=(
            equal(
                r"With the observation $g$ above $t$, raising $t$ saves at the rate",
                above,
                2 * level * _GAP,
                name=r"-\partial_t\ell(t,t+g)",
            ),
            equal(
                r"and with the observation $g$ below $t$ it costs at the rate",
                below,
                2 * (1 - level) * _GAP,
                name=r"\partial_t\ell(t,t-g)",
            ),
            argument(
                r"Each $\ell(\cdot,y)$ is strictly convex, so the expected loss has one minimum: where savings and costs balance. "
                r"If $Y$ is not constant, write $r$ for the ratio of the two expectations.",
                r"\tau\,E(Y-t)_+=(1-\tau)\,E(t-Y)_+",
            ),
            solves(
                r"Their ratio is fixed,",
                level * odds - (1 - level),
                odds,
                (1 - level) / level,
            ),
            equal(
                r"and at the level $\frac12$ it is 1: since $(Y-t)_+-(t-Y)_+=Y-t$, that says $EY=t$.",
                ((1 - level) / level).subs(level, sp.Rational(1, 2)),
                sp.Integer(1),
                name=r"\left.\frac{E(Y-t)_+}{E(t-Y)_+}\right|_{\tau=1/2}",
            ),
        ),
    )


def the_variance_is_not_elicitable() -> Proof:
    """Mixing two distributions of equal variance gives another one, so no loss has the variance as its minimiser."""
    first, second = sp.symbols("m_1 m_2", real=True)
    variance, a, b = sp.symbols("v a b", positive=True)
    gap = sp.Symbol("d", real=True, nonzero=True)
    share = _MIXED
    moment = (1 - share) * (variance + first**2) + share * (variance + second**2)
    mean = (1 - share) * first + share * second
    bulge = share * (1 - share) * (first - second) ** 2
    return Proof(
        claims=("C105",),
        statement=(
            "If a loss asks for a statistic, and two distributions share its value, their mixtures share it too. The variance "
            "fails this: no loss of one number has it as its minimiser."
        ),
        hypotheses=(
            "the loss $\\ell(t,y)$ is of one number $t$ and the statistic is its only minimiser in expectation",
            "the class of distributions holds two with one variance and different means, and their mixtures",
        ),
        scope="every loss",
        steps=(
            argument(
                r"The expected loss under a mixture is the mixture of expected losses: if $t$ minimises it under $F$ and under $G$, it "
                r"minimises it under $(1-\lambda)F+\lambda G$.",
                r"E_{(1-\lambda)F+\lambda G}\,\ell(t,Y)=(1-\lambda)\,E_F\,\ell(t,Y)+\lambda\,E_G\,\ell(t,Y)",
            ),
            equal(
                "Let $F$ and $G$ have the variance $v$ and the means $m_1,m_2$. The mixture has the variance",
                moment - mean**2,
                variance + bulge,
                name=r"E\,Y^2-(EY)^2",
            ),
            positive(
                r"which exceeds $v$ for every $0<\lambda=\frac a{a+b}<1$ and every difference $d=m_1-m_2\neq0$.",
                bulge.subs({share: a / (a + b), first: second + gap}),
                a * b * gap**2 / (a + b) ** 2,
            ),
        ),
    )


def the_expected_shortfall_is_not_elicitable() -> Proof:
    """Two distributions with the expected shortfall 1 whose mixture has another."""
    share, level = 1 - _TAIL, 1 - _TAIL
    sure: Law = [(sp.Integer(1), sp.Integer(1))]
    bet: Law = [(sp.Integer(0), 1 - _TAIL / 2), (sp.Integer(2), _TAIL / 2)]
    mixed: Law = [(value, share * chance) for value, chance in bet] + [(sp.Integer(1), 1 - share)]
    rest = sp.Symbol("r", positive=True)
    tail = 1 / (1 + rest)
    return Proof(
        claims=("C105",),
        statement=(
            r"The expected shortfall, the mean of the worst share $s=1-\tau$, is not elicitable: there are two distributions "
            r"with the value 1 whose mixture has the value $1+\frac\tau2$."
        ),
        hypotheses=("$0<s<1$; large values are the bad ones",),
        scope=r"every level $\tau$",
        steps=(
            argument(
                r"For a $\tau$-quantile $q$ the expected shortfall is $EY+\frac1{1-\tau}E\rho_\tau(Y-q)$, with the pinball loss "
                r"$\rho_\tau$. $F$ is 1 for certain; $G$ is 2 with the chance $\frac s2$, else 0; the mixture takes $G$ with the weight "
                r"$\lambda=\tau$."
            ),
            equal("For $F$ it is", _shortfall(sure, sp.Integer(1), level), sp.Integer(1), name="ES(F)"),
            positive(
                r"For $G$ the quantile is 0, since $P(Y\leq0)$ exceeds $\tau$ by",
                bet[0][1] - level,
                _TAIL / 2,
            ),
            equal(
                "and the worst $s$ are half twos, half zeros.",
                _shortfall(bet, sp.Integer(0), level),
                sp.Integer(1),
                name="ES(G)",
            ),
            positive(
                r"For the mixture the quantile is 1: $P(Y\leq0)$ falls short of $\tau$ (write $s=\frac1{1+r}$),",
                (level - mixed[0][1]).subs(_TAIL, tail),
                rest / (2 * (1 + rest) ** 2),
            ),
            positive(
                r"and $P(Y\leq1)$ exceeds it.",
                (1 - mixed[1][1] - level).subs(_TAIL, tail),
                (2 + rest) / (2 * (1 + rest) ** 2),
            ),
            equal(
                r"So the mixture has another value: its level set is not convex, and no loss asks for it.",
                _shortfall(mixed, sp.Integer(1), level),
                1 + (1 - _TAIL) / 2,
                name=r"ES\bigl((1-\lambda)F+\lambda G\bigr)",
            ),
        ),
    )


def mean_and_variance_are_elicitable_together() -> Proof:
    """The Gaussian log-likelihood, as a loss of two numbers, has mean and variance of any distribution as its minimiser."""
    guess, mean, y = sp.symbols(r"m \mu y", real=True)
    variance, spread = sp.symbols(r"v r", positive=True)
    expected = (
        sp.expand(gaussian_nll.expression(guess, LOG_SCALE, y)).subs(y**2, variance + mean**2).subs(y, mean)
    )
    at_mean = expected.subs(guess, mean)
    return Proof(
        claims=("C105",),
        statement=(
            r"Mean and variance together are elicitable: for every $Y$ with mean $\mu$ and variance $v>0$, Gaussian or not, the "
            r"expected Gaussian negative log-likelihood is least at $m=\mu$ and $e^{2s}=v$."
        ),
        hypotheses=(r"$0<\mathrm{Var}\,Y<\infty$", "$s$ is the logarithm of the forecast deviation"),
        scope="every distribution with a finite, positive variance",
        steps=(
            equal(
                "Take the expectation term by term.",
                expected,
                LOG_SCALE
                + (variance + (guess - mean) ** 2) * sp.exp(-2 * LOG_SCALE) / 2
                + sp.log(2 * sp.pi) / 2,
                name=r"E\,\ell(m,s;Y)",
            ),
            solves("Whatever $s$, it is least at the mean.", sp.diff(expected, guess), guess, mean),
            equal(
                "There its slope in $s$ is",
                sp.diff(at_mean, LOG_SCALE),
                1 - variance * sp.exp(-2 * LOG_SCALE),
                name=r"\partial_sE\,\ell(\mu,s;Y)",
            ),
            positive(
                "which rises through 0, for the curvature is", sp.diff(at_mean, LOG_SCALE, 2).simplify()
            ),
            solves(
                "where the forecast variance $r=e^{2s}$ is the variance.",
                (1 - variance * sp.exp(-2 * LOG_SCALE)).subs(LOG_SCALE, sp.log(spread) / 2),
                spread,
                variance,
                sp.Interval.open(0, sp.oo),
            ),
        ),
    )


def quantile_and_shortfall_are_elicitable_together() -> Proof:
    """The pinball loss, put inside an exponential likelihood, asks for a quantile and the mean of what lies beyond it."""
    at, share = sp.Symbol("q", real=True), sp.Symbol("F", nonnegative=True)
    forecast, truth = sp.symbols(r"e e^*", positive=True)
    level = QUANTILE

    def bill(y: sp.Expr) -> sp.Expr:
        return y + pinball.expression(at, y, quantile=level) / (1 - level)

    expected = truth / forecast + sp.log(forecast)
    return Proof(
        claims=("C105",),
        statement=(
            r"The $\tau$-quantile and the expected shortfall $e^*$ beyond it are elicitable together. With "
            r"$u(q,y)=y+\frac{1}{1-\tau}\rho_\tau(y-q)$ the loss $\frac{u(q,y)}{e}+\ln e$ is least in expectation where $q$ is a "
            r"$\tau$-quantile and $e=e^*$."
        ),
        hypotheses=(r"$0<\tau<1$", r"$E|Y|<\infty$", r"$e^*>0$, and forecasts $e>0$"),
        scope="every distribution with a finite mean and a positive shortfall",
        steps=(
            equal(
                "An observation $g$ above $q$ has", bill(at + _GAP), at + _GAP / (1 - level), name="u(q,q+g)"
            ),
            equal("and one below it", bill(at - _GAP), at, name="u(q,q-g)"),
            argument(
                r"So $E\,u(q,Y)=q+\frac{1}{1-\tau}E(Y-q)_+$, which is convex in $q$. To the right of $q$ its slope is 1 less the share "
                r"above $q$ over $1-\tau$; to the left, $F(q^-)=P(Y<q)$ takes the place of $F(q)$:",
                r"\frac{\partial}{\partial q^+}E\,u(q,Y)=1-\frac{1-F(q)}{1-\tau}",
            ),
            solves(
                r"It changes sign where $F$ passes $\tau$, so it is least at the $\tau$-quantiles, and its value there is the mean of the "
                r"worst $1-\tau$: $e^*$.",
                1 - (1 - share) / (1 - level),
                share,
                level,
            ),
            argument(
                r"For every $e>0$ the best $q$ is therefore a $\tau$-quantile, and what is left is a function of $e$ alone.",
                r"\min_qE\Bigl[\frac{u(q,Y)}{e}+\ln e\Bigr]=\frac{e^*}{e}+\ln e",
            ),
            derivative("Its slope", expected, forecast, (forecast - truth) / forecast**2),
            solves(
                "is 0 at one place only,",
                sp.diff(expected, forecast),
                forecast,
                truth,
                sp.Interval.open(0, sp.oo),
            ),
            positive(
                "and positive above it, negative below.",
                sp.diff(expected, forecast).subs(forecast, truth + _GAP),
                _GAP / (truth + _GAP) ** 2,
            ),
        ),
    )
