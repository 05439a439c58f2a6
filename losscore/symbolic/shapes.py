"""Shapes of losses: which way they bend, how steep they get, where they end, and what their sum over labels is."""

from __future__ import annotations

import sympy as sp

from .classification import cross_entropy, softmax
from .dense import FOCUS, binary_focal, focal
from .densities import LOG_RATE, poisson_nll
from .margins import SCORE, SIGN, exponential, hinge, logistic, zero_one
from .proof import Proof, argument, derivative, equal, holds_for, is_zero, limit, positive
from .regression import (
    OVERAGE,
    PREDICTION,
    QUANTILE,
    TARGET,
    UNDERAGE,
    absolute_error,
    asymmetric_linear,
    half_squared_error,
    log_cosh,
    pinball,
    squared_error,
)
from .robust import absolute_probability_error, generalized_cross_entropy

_GAP = sp.Symbol("g", positive=True)
_ODDS = sp.Symbol("r", positive=True)
_SIZES = range(2, 5)
_ONE = sp.Integer(1)


def _logits(size: int) -> tuple[sp.Symbol, ...]:
    return tuple(sp.symbols(f"z_1:{size + 1}", real=True))


def _one_hot(size: int, label: int) -> tuple[sp.Expr, ...]:
    return tuple(sp.Integer(k == label) for k in range(size))


def residual_losses_bend_up() -> Proof:
    """Squared error, half of it and log-cosh have a positive curvature everywhere."""
    x, y = PREDICTION, TARGET
    bend = 1 / sp.cosh(x - y) ** 2
    return Proof(
        claims=(),
        statement="Squared error, half squared error and log-cosh are strictly convex in the prediction.",
        hypotheses=(),
        scope="every prediction and target",
        steps=(
            derivative(
                "The squared error bends by", squared_error.expression(x, y), x, sp.Integer(2), order=2
            ),
            derivative("half of it by", half_squared_error.expression(x, y), x, _ONE, order=2),
            derivative("and log-cosh by", log_cosh.expression(x, y), x, bend, order=2),
            positive("which is positive too.", bend),
        ),
    )


def log_cosh_pulls_less_than_one() -> Proof:
    """The slope of log-cosh is a hyperbolic tangent."""
    x, y = PREDICTION, TARGET
    slope = sp.tanh(x - y)
    return Proof(
        claims=(),
        statement="The slope of log-cosh is below 1 in size.",
        hypotheses=(),
        scope="every prediction and target",
        steps=(
            derivative("The slope is", log_cosh.expression(x, y), x, slope),
            equal("and its square falls short of 1 by", 1 - slope**2, 1 / sp.cosh(x - y) ** 2),
            positive("which is positive.", 1 / sp.cosh(x - y) ** 2),
        ),
    )


def kinked_residual_losses_are_convex() -> Proof:
    """Absolute error, pinball and unequal linear costs: two straight lines whose slope jumps up where they meet."""
    y, g = TARGET, _GAP
    sides = (
        ("Absolute error", absolute_error.expression, _ONE, _ONE),
        ("Pinball", pinball.expression, QUANTILE, 1 - QUANTILE),
        ("Asymmetric linear cost", asymmetric_linear.expression, UNDERAGE, OVERAGE),
    )
    steps = []
    for name, cost, short, over in sides:
        steps.append(equal(f"{name}, with the prediction $g$ too low, costs", cost(y - g, y), short * g))
        steps.append(equal("and with the prediction $g$ too high", cost(y + g, y), over * g))
        steps.append(positive("At the target the slope jumps up, by", short + over))
    return Proof(
        claims=(),
        statement=(
            "Absolute error, pinball and asymmetric linear cost are convex in the prediction, and the larger of their two "
            "slopes bounds them."
        ),
        hypotheses=(r"$0<\tau<1$", "$c_u,c_o>0$"),
        scope="every prediction and target",
        steps=(*steps, argument("A function of two lines whose slope only jumps up is convex.")),
    )


def hinge_is_convex_and_capped() -> Proof:
    """The hinge is a line of slope −1 up to the margin 1, and 0 from there on."""
    g, f = _GAP, SCORE
    cost = hinge.expression
    return Proof(
        claims=(),
        statement="The hinge is convex in the score, and its slope is 0 or 1 in size.",
        hypotheses=(r"$y\in\{-1,+1\}$",),
        scope="every score",
        steps=(
            equal("Short of the margin 1 by $g$ it costs $g$,", cost(1 - g, _ONE), g, name=r"\ell(1-g,1)"),
            equal("beyond the margin nothing.", cost(1 + g, _ONE), sp.Integer(0), name=r"\ell(1+g,1)"),
            argument("So its slope in the score is $-1$ and then $0$: it only grows."),
            equal("The label −1 mirrors it.", cost(f, -_ONE), cost(-f, _ONE), name=r"\ell(f,-1)"),
        ),
    )


def logistic_bends_up_and_is_capped() -> Proof:
    """The logistic loss has a positive curvature and a slope below 1 in size."""
    f = SCORE
    loss = logistic.expression(f, _ONE)
    return Proof(
        claims=(),
        statement="The logistic loss is strictly convex in the score, and its slope is below 1 in size.",
        hypotheses=(r"$y\in\{-1,+1\}$",),
        scope="every score",
        steps=(
            derivative("For $y=1$ the slope is", loss, f, -1 / (1 + sp.exp(f))),
            positive("whose size falls short of 1,", 1 - 1 / (1 + sp.exp(f)), sp.exp(f) / (1 + sp.exp(f))),
            derivative("and the curvature is", loss, f, sp.exp(f) / (1 + sp.exp(f)) ** 2, order=2),
            positive("which is positive.", sp.exp(f) / (1 + sp.exp(f)) ** 2),
            equal("The label −1 mirrors it.", logistic.expression(f, -_ONE), logistic.expression(-f, _ONE)),
        ),
    )


def exponential_bends_up_without_a_cap() -> Proof:
    """The exponential loss has a positive curvature and no bound on its slope."""
    f = SCORE
    loss = exponential.expression(f, _ONE)
    return Proof(
        claims=(),
        statement="The exponential loss is strictly convex in the score, and nothing bounds its slope.",
        hypotheses=(r"$y\in\{-1,+1\}$",),
        scope="every score",
        steps=(
            derivative("For $y=1$ the curvature is", loss, f, sp.exp(-f), order=2),
            positive("which is positive.", sp.exp(-f)),
            limit("The pull of a wrong label grows without end.", -sp.diff(loss, f), f, -sp.oo, sp.oo),
            equal(
                "The label −1 mirrors it.", exponential.expression(f, -_ONE), exponential.expression(-f, _ONE)
            ),
        ),
    )


def zero_one_is_symmetric() -> Proof:
    """Whatever the score, one of the two labels costs 1 and the other nothing."""
    g, y = _GAP, SIGN
    cost = zero_one.expression
    return Proof(
        claims=(),
        statement="Summed over both labels, the 0-1 loss is 1 for every score.",
        hypotheses=(r"$y\in\{-1,+1\}$",),
        scope="every score",
        steps=(
            equal("For a score above 0,", cost(g, y) + cost(g, -y), _ONE, name=r"\ell(g,y)+\ell(g,-y)"),
            equal("for one below,", cost(-g, y) + cost(-g, -y), _ONE, name=r"\ell(-g,y)+\ell(-g,-y)"),
            equal("and for the score 0.", cost(0, y) + cost(0, -y), _ONE, name=r"\ell(0,y)+\ell(0,-y)"),
        ),
    )


def absolute_probability_error_is_symmetric() -> Proof:
    """Summed over the labels, the absolute error of probabilities is 2(K − 1)."""

    def sums_up(size: int) -> bool:
        odds = sp.symbols(f"r_1:{size + 1}", positive=True)
        whole = sp.Add(
            *(
                absolute_probability_error.expression([sp.log(r) for r in odds], _one_hot(size, y))
                for y in range(size)
            )
        )
        return bool(
            is_zero(whole.replace(sp.Abs, lambda x: sp.Abs(sp.factor(sp.together(x)))) - 2 * (size - 1))
        )

    return Proof(
        claims=(),
        statement=r"Summed over all labels, $\lVert p-e_y\rVert_1$ is $2(K-1)$ for every $p$.",
        hypotheses=(r"$p=\mathrm{softmax}(z)$",),
        scope="K = 2…4",
        steps=(
            argument("A wrong class has what the right one lacks.", r"\lVert p-e_y\rVert_1=2\,(1-p_y)"),
            holds_for(
                "The probabilities add to 1, so the sum is",
                _SIZES,
                sums_up,
                shown=r"\sum_y\lVert p-e_y\rVert_1=2(K-1)",
                named="$K=2,…,4$ with free logits",
            ),
        ),
    )


def generalized_cross_entropy_is_bounded() -> Proof:
    """Generalized cross-entropy stays below 1/q."""
    q = sp.Symbol("q", positive=True)

    def falls_short(size: int) -> bool:
        odds = sp.symbols(f"r_1:{size + 1}", positive=True)
        loss = generalized_cross_entropy.expression([sp.log(r) for r in odds], _one_hot(size, 0), q=q)
        return bool(is_zero(1 / q - loss - (odds[0] / sp.Add(*odds)) ** q / q))

    p = sp.Symbol("p", positive=True)
    return Proof(
        claims=(),
        statement=r"Generalized cross-entropy with $q>0$ is below $\frac1q$.",
        hypotheses=("$q>0$", "a label, not a soft target"),
        scope="K = 2…4",
        steps=(
            holds_for(
                "It falls short of $1/q$ by",
                _SIZES,
                falls_short,
                shown=r"\frac1q-\ell=\frac{p_y^q}q",
                named="$K=2,…,4$ with free logits",
            ),
            positive("which is positive.", p**q / q),
        ),
    )


def focal_is_a_series_of_powers() -> Proof:
    """In what the true class misses, the focal loss is a sum of powers of at least 1: it is convex."""
    r, n = _ODDS, sp.Symbol("n", integer=True, nonnegative=True)
    u, gamma = sp.Symbol("u", positive=True), FOCUS
    closed = -((1 / (1 + r)) ** gamma) * sp.log(r / (1 + r))

    def depends_on_one_probability(size: int) -> bool:
        odds = sp.symbols(f"r_1:{size + 1}", positive=True)
        rest = sp.Add(*odds[1:])
        loss = focal.expression([sp.log(x) for x in odds], _one_hot(size, 0), alpha=None)
        return bool(is_zero(loss - closed.subs(r, odds[0] / rest)))

    power = u ** (gamma + 1 + n) / (1 + n)
    return Proof(
        claims=(),
        statement=r"The focal loss is convex in the probabilities for every $\gamma\geq0$.",
        hypotheses=(r"$\gamma\geq0$", "a label, not a soft target"),
        scope="binary, and K = 2…3",
        steps=(
            equal(
                r"With odds $r=p/(1-p)$ of the true class the binary loss is $-(1-p)^\gamma\ln p$,",
                binary_focal.expression(sp.log(r), _ONE, alpha=None),
                closed,
                name=r"\ell(\ln r,1)",
            ),
            holds_for(
                "and that of several classes is the same function of the true class's probability.",
                range(2, 4),
                depends_on_one_probability,
                shown=r"\ell(z,e_y)=-(1-p_y)^\gamma\ln p_y",
                named="$K=2,3$ with free logits",
            ),
            argument(
                "Put $u=1-p$ and expand the logarithm, for $u<1$.",
                r"-u^\gamma\ln(1-u)=\sum_{n\geq0}\frac{u^{\gamma+1+n}}{1+n}",
            ),
            derivative(
                "Each term bends by",
                power,
                u,
                (gamma + 1 + n) * (gamma + n) * u ** (gamma + n - 1) / (1 + n),
                order=2,
            ),
            positive(
                "which is never negative.",
                (gamma + 1 + n) * (gamma + n) * u ** (gamma + n - 1) / (1 + n),
                strictly=False,
            ),
        ),
    )


def cross_entropy_bends_like_a_variance() -> Proof:
    """The Hessian of cross-entropy in the logits is a covariance matrix."""

    def hessian(size: int) -> bool:
        z = _logits(size)
        p, v = softmax(z), sp.symbols(f"v_1:{size + 1}", real=True)
        loss = cross_entropy.expression(z, _one_hot(size, 0))
        quadratic = sp.Add(
            *(v[j] * v[k] * sp.diff(loss, z[j], z[k]) for j in range(size) for k in range(size))
        )
        spread = sp.Add(*(p[j] * p[k] * (v[j] - v[k]) ** 2 for k in range(size) for j in range(k)))
        return bool(is_zero(quadratic - spread))

    p, gap = sp.Symbol("p", positive=True), sp.Symbol("d", real=True)
    return Proof(
        claims=(),
        statement=r"Cross-entropy is convex in the logits: along a direction $v$ it bends by the variance of $v$ under $p$.",
        hypotheses=(r"$p=\mathrm{softmax}(z)$",),
        scope="K = 2…3",
        steps=(
            holds_for(
                "Differentiate twice along $v$.",
                range(2, 4),
                hessian,
                shown=r"\sum_{j,k}v_jv_k\frac{\partial^2\ell}{\partial z_j\partial z_k}=\sum_{j<k}p_jp_k(v_j-v_k)^2",
                named="$K=2,3$ with free logits and directions",
            ),
            positive("No term is negative.", p * gap**2, strictly=False),
        ),
    )


def poisson_bends_up_in_rate_and_log_rate() -> Proof:
    """The Poisson loss is convex in the rate and in its logarithm."""
    rate, count, log_rate = sp.Symbol(r"\lambda", positive=True), sp.Symbol("y", nonnegative=True), LOG_RATE
    return Proof(
        claims=(),
        statement="The Poisson loss is convex in the rate, and strictly convex in the log rate.",
        hypotheses=(r"$y\geq0$",),
        scope="every rate and count",
        steps=(
            derivative(
                "In the log rate it bends by",
                poisson_nll.expression(log_rate, count),
                log_rate,
                sp.exp(log_rate),
                order=2,
            ),
            positive("which is positive.", sp.exp(log_rate)),
            derivative(
                "In the rate it bends by",
                poisson_nll.expression(sp.log(rate), count),
                rate,
                count / rate**2,
                order=2,
            ),
            positive("which is never negative.", count / rate**2, strictly=False),
        ),
    )
