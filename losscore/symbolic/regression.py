"""Regression losses of a prediction and a real target: definitions, then proofs."""

from __future__ import annotations

import sympy as sp
from sympy import stats

from .definition import Definition
from .proof import Proof, derivative, equal, limit, positive, solves

PREDICTION, TARGET = sp.symbols(r"\hat{y} y", real=True)
QUANTILE = sp.Symbol(r"\tau", positive=True)
UNDERAGE, OVERAGE = sp.symbols("c_u c_o", positive=True)
LEVEL = sp.Symbol(r"\tau", positive=True)
DELTA = sp.Symbol(r"\delta", positive=True)
_PAIR = (PREDICTION, TARGET)


def _either(residual: sp.Expr, short: sp.Expr, over: sp.Expr) -> sp.Expr:
    """`short` where the target lies above the prediction, `over` elsewhere."""
    return sp.Piecewise((short, residual > 0), (over, True))


squared_error = Definition("squared_error", lambda x, y: (x - y) ** 2, _PAIR)
half_squared_error = Definition("half_squared_error", lambda x, y: (x - y) ** 2 / 2, _PAIR)
absolute_error = Definition("absolute_error", lambda x, y: sp.Abs(x - y), _PAIR)
huber = Definition(
    "huber",
    lambda x, y, delta: sp.Piecewise(
        ((x - y) ** 2 / 2, sp.Abs(x - y) <= delta), (delta * (sp.Abs(x - y) - delta / 2), True)
    ),
    _PAIR,
    {"delta": DELTA},
)
log_cosh = Definition("log_cosh", lambda x, y: sp.log(sp.cosh(x - y)), _PAIR)
pinball = Definition(
    "pinball",
    lambda x, y, quantile: _either(y - x, quantile * (y - x), (1 - quantile) * (x - y)),
    _PAIR,
    {"quantile": QUANTILE},
)
asymmetric_linear = Definition(
    "asymmetric_linear",
    lambda x, y, underage, overage: _either(y - x, underage * (y - x), overage * (x - y)),
    _PAIR,
    {"underage": UNDERAGE, "overage": OVERAGE},
)
expectile = Definition(
    "expectile",
    lambda x, y, level: _either(y - x, level * (y - x) ** 2, (1 - level) * (x - y) ** 2),
    _PAIR,
    {"level": LEVEL},
)


def half_rescales_the_step() -> Proof:
    """The ½ leaves every minimiser where it is, halves the gradient, and doubles the weight of a fixed penalty."""
    w, x, y = sp.symbols("w x y", real=True, nonzero=True)
    penalty = sp.Symbol(r"\lambda", positive=True)
    full, half = (loss.expression(x * w, y) for loss in (squared_error, half_squared_error))
    ridge = penalty * w**2 / 2
    return Proof(
        claims=("C14",),
        statement=(
            r"Halving the squared error moves no minimiser of the loss. It halves gradient and curvature, and with a "
            r"penalty $\frac\lambda2w^2$ at fixed $\lambda$ it moves the solution as doubling $\lambda$ would."
        ),
        hypotheses=(r"one weight, $f_w(x)=wx$, $x\neq0$", r"$\lambda>0$"),
        scope="one weight and one sample, free symbols (sums over samples go term by term)",
        steps=(
            equal("The gradient is halved.", sp.diff(half, w), sp.diff(full, w) / 2, name=r"\partial_w\tfrac12(wx-y)^2"),
            solves("The full form is minimal where its derivative vanishes,", sp.diff(full, w), w, y / x),
            solves("and the half form at the same weight.", sp.diff(half, w), w, y / x),
            equal("The curvature is halved too.", sp.diff(half, w, 2), sp.diff(full, w, 2) / 2, name=r"\partial_w^2\tfrac12(wx-y)^2"),
            solves(
                "With the penalty, the full form settles at",
                sp.diff(full + ridge, w),
                w,
                x * y / (x**2 + penalty / 2),
            ),
            solves(
                "and the half form at a smaller weight: twice the penalty.",
                sp.diff(half + ridge, w),
                w,
                x * y / (x**2 + penalty),
            ),
        ),
    )


def gaussian_noise_makes_squared_error() -> Proof:
    """Maximum likelihood under Gaussian errors of constant variance is least squares, whether σ is known or not."""
    w, x, y = sp.symbols("w x y", real=True)
    sigma, n, mse = sp.symbols(r"\sigma n v", positive=True)
    nll = -sp.log(stats.density(stats.Normal("Y", w * x, sigma))(y))
    summed = n * mse / (2 * sigma**2) + n * sp.log(sigma)
    return Proof(
        claims=("C18",),
        statement=(
            r"If $Y=f_w(x)+\text{error}$ with independent errors $\mathcal N(0,\sigma^2)$ and one $\sigma$ for all $x$, "
            r"the likelihood and the squared error are optimal at the same $w$, with $\sigma$ known or estimated."
        ),
        hypotheses=(
            "independent Gaussian errors, mean 0",
            r"$\sigma$ depends neither on $x$ nor on $w$",
            "the likelihood is that of $y$ given $x$",
        ),
        scope="every $n$ (the log-likelihood is a sum); shown for $f_w(x)=wx$, the model enters only through $f$",
        steps=(
            equal(
                "The negative log-likelihood of one sample is the squared error, scaled, plus a part without $w$.",
                nll,
                squared_error.expression(w * x, y) / (2 * sigma**2) + sp.log(sigma) + sp.log(2 * sp.pi) / 2,
                name=r"-\ln p(y\mid x;w,\sigma)",
            ),
            equal(
                "So its gradient in $w$ is that of the squared error over $2\\sigma^2$: it vanishes at the same $w$.",
                sp.diff(nll, w),
                sp.diff(squared_error.expression(w * x, y), w) / (2 * sigma**2),
                name=r"-\partial_w\ln p",
            ),
            solves(
                r"If $\sigma$ is unknown too, write $v$ for the mean squared error: the best $\sigma$ is $\sqrt v$,",
                sp.diff(summed, sigma),
                sigma,
                sp.sqrt(mse),
                sp.Interval.open(0, sp.oo),
            ),
            derivative(
                "and what then remains of the likelihood increases with $v$: the smallest MSE still wins.",
                summed.subs(sigma, sp.sqrt(mse)),
                mse,
                n / (2 * mse),
            ),
        ),
    )


def laplace_noise_makes_absolute_error() -> Proof:
    """Maximum likelihood under Laplace errors is least absolute error."""
    scale = sp.Symbol("b", positive=True)
    density = stats.density(stats.Laplace("Y", PREDICTION, scale))(TARGET)
    return Proof(
        claims=("C18",),
        statement="With Laplace errors the likelihood asks for the absolute error instead.",
        hypotheses=("independent Laplace errors with one scale $b$",),
        scope="every prediction and target",
        steps=(
            equal(
                "The negative log-likelihood of one sample is",
                -sp.log(density),
                absolute_error.expression() / scale + sp.log(2 * scale),
                name=r"-\ln p(y\mid\hat y;b)",
            ),
        ),
    )


def the_mean_minimises_squared_error() -> Proof:
    """For any distribution with a variance, the expected squared error of a constant is Var + (c − μ)²."""
    c, mean, second = sp.symbols("c mu m_2", real=True)
    y, rest = sp.symbols("y r", real=True)
    expected = sp.expand(squared_error.expression(c, y)).subs(y**2, second).subs(y, mean)
    return Proof(
        claims=("C18",),
        statement=(
            r"For every square-integrable $Y$, Gaussian or not, $E(Y-c)^2=\mathrm{Var}\,Y+(c-EY)^2$: "
            r"squared error asks for the mean."
        ),
        hypotheses=(r"$E\,Y^2<\infty$; write $\mu=EY$ and $m_2=EY^2$",),
        scope="every distribution with a finite variance",
        steps=(
            equal(
                r"Expand the square and take expectations term by term ($EY^2=m_2$, $EY=\mu$).",
                expected,
                (second - mean**2) + (c - mean) ** 2,
                name=r"E(Y-c)^2",
            ),
            solves("Only the last part depends on $c$; its only minimum is the mean.", sp.diff(expected, c), c, mean),
            positive("It is a minimum: the second derivative is", sp.diff(expected, c, 2)),
        ),
    )


def kinks_have_two_slopes() -> Proof:
    """Absolute error and pinball are losses without a derivative at 0: their one-sided slopes differ."""
    h = sp.Symbol("h", real=True)
    tau = sp.Symbol(r"\tau", positive=True)
    absolute = absolute_error.expression(h, sp.Integer(0)) / h
    pin = pinball.expression(h, sp.Integer(0), quantile=tau) / h
    return Proof(
        claims=("C10",),
        statement=(
            r"Absolute error and the pinball loss have two different slopes where prediction and target meet: "
            r"they are losses, and not differentiable there."
        ),
        hypotheses=(r"$0<\tau<1$",),
        scope="every $\\tau$",
        steps=(
            limit("Absolute error from above,", absolute, h, sp.Integer(0), sp.Integer(1), "+"),
            limit("and from below.", absolute, h, sp.Integer(0), sp.Integer(-1), "-"),
            limit("Pinball from above,", pin, h, sp.Integer(0), 1 - tau, "+"),
            limit("and from below: the slopes are 1 apart whatever the level.", pin, h, sp.Integer(0), -tau, "-"),
        ),
    )
