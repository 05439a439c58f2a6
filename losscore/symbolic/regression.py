"""Regression losses of a prediction and a real target: definitions, then proofs."""

from __future__ import annotations

import random
from itertools import pairwise

import sympy as sp
from sympy import stats

from .definition import Definition
from .proof import Proof, Step, argument, derivative, equal, holds_for, limit, positive, solves

PREDICTION, TARGET = sp.symbols(r"\hat{y} y", real=True)
QUANTILE = sp.Symbol(r"\tau", positive=True)
UNDERAGE, OVERAGE = sp.symbols("c_u c_o", positive=True)
LEVEL = sp.Symbol(r"\tau", positive=True)
DELTA, CUTOFF = sp.symbols(r"\delta c", positive=True)
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
tukey = Definition(
    "tukey",
    lambda x, y, cutoff: sp.Piecewise(
        (cutoff**2 * (1 - (1 - (x - y) ** 2 / cutoff**2) ** 3) / 6, sp.Abs(x - y) <= cutoff),
        (cutoff**2 / 6, True),
    ),
    _PAIR,
    {"cutoff": CUTOFF},
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
            equal(
                "The gradient is halved.",
                sp.diff(half, w),
                sp.diff(full, w) / 2,
                name=r"\partial_w\tfrac12(wx-y)^2",
            ),
            solves("The full form is minimal where its derivative vanishes,", sp.diff(full, w), w, y / x),
            solves("and the half form at the same weight.", sp.diff(half, w), w, y / x),
            equal(
                "The curvature is halved too.",
                sp.diff(half, w, 2),
                sp.diff(full, w, 2) / 2,
                name=r"\partial_w^2\tfrac12(wx-y)^2",
            ),
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
    sigma, n, mse, laplace = sp.symbols(r"\sigma n v b", positive=True)
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
            equal(
                "Laplace errors of scale $b$ in place of Gaussian ones ask for the absolute error instead.",
                -sp.log(stats.density(stats.Laplace("Y", PREDICTION, laplace))(TARGET)),
                absolute_error.expression() / laplace + sp.log(2 * laplace),
                name=r"-\ln p_{\text{Laplace}}(y\mid\hat y;b)",
            ),
        ),
    )


def the_mean_minimises_squared_error() -> Proof:
    """For any distribution with a variance, the expected squared error of a constant is Var + (c − μ)²."""
    c, mean, second = sp.symbols("c mu m_2", real=True)
    y = sp.Symbol("y", real=True)
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
            solves(
                "Only the last part depends on $c$; its only minimum is the mean.",
                sp.diff(expected, c),
                c,
                mean,
            ),
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
            limit(
                "and from below: the slopes are 1 apart whatever the level.", pin, h, sp.Integer(0), -tau, "-"
            ),
        ),
    )


def unequal_costs_make_a_pinball_loss() -> Proof:
    """A cost for each missing and another for each surplus unit is the pinball loss, rescaled."""
    bought, gap = sp.Symbol(r"\theta", real=True), sp.Symbol("g", positive=True)
    fractile = UNDERAGE / (UNDERAGE + OVERAGE)

    def same(words: str, demand: sp.Expr, error: str) -> Step:
        return equal(
            words,
            (UNDERAGE + OVERAGE) * pinball.expression(bought, demand, quantile=fractile),
            asymmetric_linear.expression(bought, demand),
            name=rf"(c_u+c_o)\,\rho_\tau({error})",
        )

    return Proof(
        claims=("C99",),
        statement=(
            r"A cost of $c_u$ for each unit short and of $c_o$ for each unit over is "
            r"$(c_u+c_o)\,\rho_\tau(d-\theta)$, the pinball loss at $\tau=\frac{c_u}{c_u+c_o}$, rescaled."
        ),
        hypotheses=(r"$c_u,c_o>0$, the same for every unit",),
        scope=r"every amount $\theta$, demand $d$ and pair of costs",
        steps=(
            same(
                r"The demand is $d=\theta+g$: the gap $g>0$ is missing, and the rescaled pinball loss is its cost,",
                bought + gap,
                "g",
            ),
            same(r"It is $d=\theta-g$: the gap is left over, and again they agree.", bought - gap, "-g"),
            same("They meet, and nothing is lost.", bought, "0"),
            equal(
                "Read backwards, a level is a price ratio: the two sides weigh as the costs do.",
                fractile / (1 - fractile),
                UNDERAGE / OVERAGE,
                name=r"\frac{\tau}{1-\tau}",
            ),
        ),
    )


def the_critical_fractile_minimises_the_cost() -> Proof:
    """The expected cost is convex, and minimal exactly where F(θ⁻) ≤ τ ≤ F(θ)."""
    demand, gap = sp.Symbol("d", real=True), sp.Symbol("g", positive=True)
    share, below = sp.symbols("F F_-", nonnegative=True)
    fractile = UNDERAGE / (UNDERAGE + OVERAGE)
    cost = asymmetric_linear.expression
    short, over = cost(demand - gap, demand), cost(demand + gap, demand)
    right, left = (-sp.diff(short, gap) * (1 - part) + sp.diff(over, gap) * part for part in (share, below))
    return Proof(
        claims=("C99", "C103", "C225"),
        statement=(
            r"Let $L(\theta)=E\,\ell(\theta,D)$ with $F$ the distribution function of the demand $D$. Then $\theta$ is "
            r"optimal if and only if $F(\theta^-)\leq\tau\leq F(\theta)$, with $\tau=\frac{c_u}{c_u+c_o}$."
        ),
        hypotheses=(
            r"$c_u,c_o>0$ constant for each unit",
            r"$E|D|<\infty$; $F(\theta^-)=P(D<\theta)$",
            r"$D$ does not depend on $\theta$",
        ),
        scope=r"every distribution with a finite mean, with jumps or without, and every pair of costs",
        steps=(
            derivative("With $g$ too little, each further unit short costs $c_u$,", short, gap, UNDERAGE),
            derivative("and with $g$ too much each further unit over costs $c_o$.", over, gap, OVERAGE),
            positive(
                "So the slope in $\\theta$ is $-c_u$ before the demand and $c_o$ after it. It jumps up, by the sum: each cost "
                "is convex, and with it their expectation $L$.",
                sp.diff(over, gap) + sp.diff(short, gap),
            ),
            argument(
                r"Slopes are bounded by $\max(c_u,c_o)$, so expectation and one-sided derivative may be exchanged. To the "
                r"right of $\theta$ the slope is $c_o$ where $D\leq\theta$, to the left where $D<\theta$:",
                r"\begin{aligned}L'_+(\theta)&=-c_u\,(1-F)+c_o\,F,&F&=F(\theta),\\"
                r"L'_-(\theta)&=-c_u\,(1-F_-)+c_o\,F_-,&F_-&=F(\theta^-).\end{aligned}",
            ),
            equal(
                "The right slope has the sign of $F-\\tau$,",
                right,
                sp.Mul(UNDERAGE + OVERAGE, share - fractile, evaluate=False),
                name="L'_+",
            ),
            equal(
                "the left slope that of $F_--\\tau$.",
                left,
                sp.Mul(UNDERAGE + OVERAGE, below - fractile, evaluate=False),
                name="L'_-",
            ),
            argument(
                r"A convex function is minimal exactly where 0 lies between its one-sided slopes, $0\in\partial L(\theta)$.",
                r"L'_-(\theta)\leq0\leq L'_+(\theta)\iff F(\theta^-)\leq\tau\leq F(\theta)",
            ),
            solves(
                "Where $F$ has no jump both say the same, and the share covered must be",
                right,
                share,
                fractile,
            ),
        ),
    )


def the_slope_counts_demands() -> Proof:
    """The total cost over observed demands is convex and piecewise linear, and its slope counts who is above and below."""
    bought, gap = sp.Symbol(r"\theta", real=True), sp.Symbol("g", positive=True)
    below, above = sp.symbols("b a", nonnegative=True)
    ties, n = sp.symbols("m n", positive=True)
    falling = -sp.diff(asymmetric_linear.expression(bought - gap, bought), gap)
    rising = sp.diff(asymmetric_linear.expression(bought + gap, bought), gap)

    def slope(left_behind: sp.Expr, ahead: sp.Expr) -> sp.Expr:
        return left_behind * rising + ahead * falling

    return Proof(
        claims=("C100", "C101"),
        statement=(
            r"Between observed demands the total cost has the slope $c_o\,\#\{x_i<\theta\}-c_u\,\#\{x_i>\theta\}$. At a "
            r"demand that occurs $m$ times the slope jumps up by $(c_u+c_o)\,m$: the total is convex and piecewise linear."
        ),
        hypotheses=(r"$c_u,c_o>0$, the same for every unit",),
        scope="every sample and every pair of costs",
        steps=(
            equal(
                "A demand that lies $g$ above the amount adds the slope",
                falling,
                -UNDERAGE,
                name=r"\partial_\theta\ell(\theta,\theta+g)",
            ),
            equal(
                "one that lies $g$ below it adds",
                rising,
                OVERAGE,
                name=r"\partial_\theta\ell(\theta,\theta-g)",
            ),
            equal(
                "Off the data, with $b$ demands below and $a$ above, the total has the slope",
                slope(below, above),
                OVERAGE * below - UNDERAGE * above,
                name=r"L'(\theta)",
            ),
            equal(
                "With a price of 4 for each missing and 1 for each surplus unit:",
                slope(below, above).subs({UNDERAGE: 4, OVERAGE: 1}),
                below - 4 * above,
                name=r"L'(\theta)",
            ),
            positive(
                "At a demand that occurs $m$ times, those $m$ count as above from the left and as below from the right. The two "
                "slopes are the ends of the subdifferential, and differ by",
                slope(below + ties, above) - slope(below, above + ties),
                (UNDERAGE + OVERAGE) * ties,
            ),
            positive("Above all $n$ demands the slope is", slope(n, sp.Integer(0))),
            positive(
                "and below all of them it falls as steeply as $c_un$: the total tends to infinity on both sides.",
                -slope(sp.Integer(0), n),
            ),
        ),
    )


def sample_costs_are_least_at_order_statistics() -> Proof:
    """Which amounts minimise the total cost over n observed demands: an observation, or all between two of them."""
    bought, gap = sp.Symbol(r"\theta", real=True), sp.Symbol("g", positive=True)
    n, count = sp.Symbol("n", positive=True), sp.Symbol("k", nonnegative=True)
    level = UNDERAGE / (UNDERAGE + OVERAGE)
    slope = count * sp.diff(asymmetric_linear.expression(bought + gap, bought), gap) - (n - count) * sp.diff(
        asymmetric_linear.expression(bought - gap, bought), gap
    )
    return Proof(
        claims=("C102",),
        statement=(
            r"Of $n$ observed demands $x_{(1)}\leq\dots\leq x_{(n)}$ the total cost is least on the whole interval "
            r"$[x_{(n\tau)},x_{(n\tau+1)}]$ if $n\tau$ is an integer, and else only at $x_{(\lceil n\tau\rceil)}$."
        ),
        hypotheses=(r"$c_u,c_o>0$, $\tau=\frac{c_u}{c_u+c_o}$",),
        scope=r"every sample; the last step compares with brute force for $n=1\dots30$",
        steps=(
            equal(
                r"Between two demands, with $k$ of them below $\theta$, the slope of the total is",
                slope,
                sp.Mul(UNDERAGE + OVERAGE, count - n * level, evaluate=False),
                name=r"\sum_i\ell'(\theta,x_i)",
            ),
            argument(
                r"It is negative while $k<n\tau$, positive once $k>n\tau$, and 0 where $k=n\tau$. If $n\tau$ is an integer, all of "
                r"$[x_{(n\tau)},x_{(n\tau+1)}]$ is optimal, a single point if the two are equal. Otherwise the sign turns at the "
                r"demand number $\lceil n\tau\rceil$."
            ),
            holds_for(
                "Brute force in exact fractions, over all demands, the points halfway and points outside, agrees.",
                range(1, 31),
                _least_cost_as_stated,
                named=r"n = 1…30, whole demands with ties, costs in whole numbers",
            ),
        ),
    )


def _least_cost_as_stated(n: int) -> bool:
    source = random.Random(n)
    demands = sorted(sp.Integer(source.randint(0, n)) for _ in range(n))
    under, over = (sp.Integer(source.randint(1, 4)) for _ in range(2))
    cut = n * under / (under + over)
    first = demands[sp.ceiling(cut) - 1]
    last = demands[cut] if cut.is_integer else first
    knots = sorted(set(demands))
    places = {*knots, *((a + b) / 2 for a, b in pairwise(knots)), knots[0] - 1, knots[-1] + 1}
    totals = {
        place: sum(asymmetric_linear.expression(place, x, underage=under, overage=over) for x in demands)
        for place in places
    }
    return {place for place in places if first <= place <= last} == {
        p for p in places if totals[p] == min(totals.values())
    }
