"""How far one value, or a share of values, can move an estimate of location."""

from __future__ import annotations

import sympy as sp

from .proof import Proof, argument, derivative, equal, positive, solves
from .regression import CUTOFF, DELTA, TARGET, huber, squared_error, tukey

_GAP, _PART = sp.symbols("g s", positive=True)


def influence_is_the_slope() -> Proof:
    """A small share of bad values moves the estimate by the slope of the loss there, over a constant."""
    share, mean, wild = sp.symbols(r"\varepsilon \mu y", real=True)
    theta = sp.Symbol(r"\theta", real=True)
    slope_of_square = sp.diff(squared_error.expression(theta, TARGET), theta)
    pull = (1 - share) * slope_of_square.subs(TARGET, mean) + share * slope_of_square.subs(TARGET, wild)
    moved = (1 - share) * mean + share * wild
    return Proof(
        claims=("C53",),
        statement=(
            r"Let $\theta$ solve $E\,\psi(Y-\theta)=0$ and let a share $\varepsilon$ of the values be replaced by $y$. Then "
            r"$\frac{d\theta}{d\varepsilon}\big|_{\varepsilon=0}=\frac{\psi(y-\theta)}{E\,\psi'(Y-\theta)}$: the influence of a value is the "
            r"slope of its loss, up to a factor that is the same for all. For squared error it is $y-\mu$, without a bound; for Huber's "
            r"loss the slope stays within $\pm\delta$."
        ),
        hypotheses=(
            r"$\psi$ the slope of the loss, $E\,\psi'(Y-\theta)>0$",
            r"derivative and expectation may be exchanged",
        ),
        scope="every such loss; solved in full for squared error",
        steps=(
            argument(
                r"With the share $\varepsilon$ at $y$ the estimate solves an equation; differentiate it in $\varepsilon$ at 0.",
                r"(1-\varepsilon)\,E\,\psi(Y-\theta)+\varepsilon\,\psi(y-\theta)=0\;\Longrightarrow\;"
                r"\psi(y-\theta)-E\,\psi'(Y-\theta)\,\frac{d\theta}{d\varepsilon}=0",
            ),
            equal(
                r"Squared error: the pulls, with $E\,Y=\mu$, are in balance at",
                pull.subs(theta, moved),
                sp.Integer(0),
                name=r"2(1-\varepsilon)(\theta-\mu)+2\varepsilon(\theta-y)\Big|_{\theta=(1-\varepsilon)\mu+\varepsilon y}",
            ),
            equal(
                "because each value pulls with twice its distance.",
                slope_of_square,
                2 * (theta - TARGET),
                name=r"\ell'(\theta)",
            ),
            derivative("So the influence has no bound.", moved, share, wild - mean),
            derivative(
                r"Huber's loss at the distance $\delta+g$, beyond the bend, pulls with $\delta$, whatever $g$ is.",
                huber.expression(TARGET + DELTA + _GAP, TARGET),
                _GAP,
                DELTA,
            ),
        ),
    )


def half_of_the_values_must_go_wrong() -> Proof:
    """Fewer than half wrong values cannot carry the Huber estimate beyond the good ones by more than δ."""
    n, bad = sp.symbols("n b", positive=True)
    good = bad + _GAP
    first, others, step = sp.symbols("x_1 S d", real=True)
    pull = sp.diff(huber.expression(TARGET + DELTA + _GAP, TARGET), _GAP)
    return Proof(
        claims=("C53",),
        statement=(
            r"Of $n$ values let $b<\frac n2$ be replaced by anything. The Huber estimate stays within $\delta$ of the range of the "
            r"good values, so its breakdown point is $\frac12$. The mean follows a single bad one without end."
        ),
        hypotheses=(r"Huber's $\delta$ fixed", "an estimate of location: a constant, no features"),
        scope="every sample and every replacement",
        steps=(
            equal(
                "More than $\\delta$ above every good value each good value pulls down with",
                pull,
                DELTA,
                name=r"\ell'",
            ),
            argument(
                "A bad one pulls up with at most $\\delta$, because the slope never leaves $\\pm\\delta$."
            ),
            positive(
                "With $g=n-2b>0$ more good values than bad ones the sum points down there,",
                good * DELTA - bad * DELTA,
                _GAP * DELTA,
            ),
            argument(
                "so the minimum of the convex total lies below; by symmetry it lies above the mirror image."
            ),
            argument(
                "Now read good for bad: where the bad values are the majority, the estimate stays within $\\delta$ of them, "
                "wherever they are."
            ),
            equal(
                "The mean of $n$ values moves by $\\frac dn$ when one of them moves by $d$ and the others, of sum $S$, stay.",
                (first + step + others) / n - (first + others) / n,
                step / n,
                name=r"\frac{(x_1+d)+S}{n}-\frac{x_1+S}{n}",
            ),
        ),
    )


def tukey_forgets_what_is_far_away() -> Proof:
    """The slope of Tukey's loss rises to 16c/(25√5), falls, and is 0 from c on; the loss ends at c²/6."""
    c, t, s = CUTOFF, sp.Symbol("t", positive=True), _PART
    inside = tukey.expression(TARGET + c * t, TARGET).replace(sp.Piecewise, lambda *branches: branches[0][0])
    shape = t * (1 - t**2) ** 2
    return Proof(
        claims=("C53",),
        statement=(
            r"At the distance $r=ct$ Tukey's loss pulls with $c\,t\,(1-t^2)^2$ for $t<1$ and with nothing beyond: at most "
            r"$\frac{16}{25\sqrt5}\,c$, at $r=c/\sqrt5$. The loss itself never exceeds $\frac{c^2}6$."
        ),
        hypotheses=("$c>0$ the cutoff",),
        scope="every cutoff and distance",
        steps=(
            derivative("Within the cutoff the slope in $t$ is $c$ times the pull,", inside, t, c**2 * shape),
            derivative("which rises and falls:", shape, t, (1 - t**2) * (1 - 5 * t**2)),
            solves("It turns once,", 1 - 5 * t**2, t, 1 / sp.sqrt(5), sp.Interval.open(0, 1)),
            equal(
                "where it is largest.",
                shape.subs(t, 1 / sp.sqrt(5)),
                16 / (25 * sp.sqrt(5)),
                name=r"t\,(1-t^2)^2",
            ),
            equal(
                "Beyond the cutoff the loss is constant: no pull at all.",
                tukey.expression(TARGET + c + _GAP, TARGET),
                c**2 / 6,
                name=r"\ell(y+c+g,y)",
            ),
            positive(
                "Within it, at $t=1/(1+s)$, it falls short of that by",
                c**2 / 6 - inside.subs(t, 1 / (1 + s)),
                c**2 * (s * (2 + s)) ** 3 / (6 * (1 + s) ** 6),
            ),
        ),
    )
