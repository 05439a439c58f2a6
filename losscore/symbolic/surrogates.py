"""Surrogate losses of two classes: what they bound, when they can be trusted, what their score tells. Proofs only.

A probability strictly between 0 and 1 is checked through its odds r = η / (1 − η), which run through all positive
numbers; a number in (−1, 1) as 1 − 2 / (1 + s) with s > 0.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from .definition import Definition
from .margins import SCORE, SIGN, exponential, hinge, logistic, squared_hinge, zero_one
from .proof import Proof, Step, argument, derivative, equal, limit, positive
from .typeset import latex

ETA = sp.Symbol(r"\eta", positive=True)

_GAP, _ODDS, _S = sp.symbols("g r s", positive=True)
_THETA = sp.Symbol(r"\theta", positive=True)
_ONE = sp.Integer(1)


def cleared(expression: sp.Expr) -> sp.Expr:
    """`expression` with each maximum of 0 and a number of known sign replaced by its value."""
    return sp.sympify(expression).replace(
        sp.Max, lambda *parts: sp.Max(*(sp.factor(sp.together(x)) for x in parts))
    )


def margin_risk(loss: Definition, f: sp.Expr, eta: sp.Expr = ETA) -> sp.Expr:
    """The conditional risk of the score f of two classes."""
    return cleared(eta * loss.expression(f, _ONE) + (1 - eta) * loss.expression(f, -_ONE))


def surrogates_bound_the_zero_one_loss() -> Proof:
    """Hinge, squared hinge, exponential and base-2 logistic loss lie above the 0-1 loss, the natural logistic doesn't."""
    y, g = SIGN, _GAP
    t = sp.Symbol("t", positive=True)
    in_base_two = logistic.expression(-sp.log(1 + t), _ONE) / sp.log(2)
    return Proof(
        claims=("C32",),
        statement=(
            r"Hinge, squared hinge, exponential loss and $\log_2(1+e^{-m})$ are nowhere below the 0-1 loss. "
            r"The logistic loss in natural logarithms is."
        ),
        hypotheses=(
            r"$m=yf$",
            "a margin $m<0$ is an error; at $m=0$ each of the two labels may be the one that errs",
        ),
        scope="every margin",
        steps=(
            equal(
                "For a score $-g<0$ the label $+1$ is an error and $-1$ is none.",
                zero_one.expression(-g, y),
                (1 + y) / 2,
                name=r"\ell_{01}(-g,y)",
            ),
            positive("Past the boundary by $g$, the hinge exceeds 1 by $g$,", hinge.expression(-g, _ONE) - 1),
            positive("the squared hinge by more,", squared_hinge.expression(-g, _ONE) - 1, g * (g + 2)),
            replace(
                positive(
                    r"the exponential loss, past it by $g=\ln(1+t)$, by",
                    exponential.expression(-sp.log(1 + t), _ONE) - 1,
                    t,
                ),
                shown="e^g-1=t>0",
            ),
            positive("and the base-2 logistic loss by", in_base_two - 1, sp.log(1 + t / 2) / sp.log(2)),
            equal(
                "On the boundary the hinge is 1,",
                hinge.expression(sp.Integer(0), _ONE),
                _ONE,
                name=r"\ell_{\text{hinge}}(0)",
            ),
            equal(
                "so is its square,",
                squared_hinge.expression(sp.Integer(0), _ONE),
                _ONE,
                name=r"\ell_{\text{hinge}}(0)^2",
            ),
            equal(
                "the exponential loss,",
                exponential.expression(sp.Integer(0), _ONE),
                _ONE,
                name=r"\ell_{\exp}(0)",
            ),
            equal(
                "and the base-2 logistic loss.",
                logistic.expression(sp.Integer(0), _ONE) / sp.log(2),
                _ONE,
                name=r"\log_2(1+e^0)",
            ),
            argument("Where the margin is positive the 0-1 loss is 0, and none of them is negative."),
            positive(
                "In natural logarithms the logistic loss is below 1 on the boundary.",
                1 - logistic.expression(sp.Integer(0), _ONE),
            ),
        ),
    )


def convex_margin_losses_need_a_slope_at_zero() -> Proof:
    """A convex margin loss is calibrated for classification exactly when it has a negative derivative at 0."""
    delta, kink, fall = sp.symbols(r"\delta k a", positive=True)
    rise = sp.Symbol("b", nonnegative=True)
    left, right = sp.symbols("s_- s_+", real=True)
    eta = sp.Rational(1, 2) + delta
    slopes = {
        "hinge": (hinge, -_ONE),
        "squared hinge": (squared_hinge, -sp.Integer(2)),
        "logistic loss": (logistic, -sp.Rational(1, 2)),
        "exponential loss": (exponential, -_ONE),
    }
    return Proof(
        claims=("C33",),
        statement=(
            r"Let $\phi$ be a convex loss of the margin, $C(f)=\eta\phi(f)+(1-\eta)\phi(-f)$ its conditional risk. For every "
            r"$\eta\neq\frac12$ the infimum of $C$ over scores of the wrong sign (0 counted as wrong) lies strictly above its "
            r"overall infimum, if and only if $\phi$ is differentiable at 0 with $\phi'(0)<0$."
        ),
        hypotheses=(
            r"$\phi:\mathbb R\to\mathbb R$ convex",
            r"$\eta=\frac12+\delta$ with $0<\delta\leq\frac12$ (the other half is the mirror image)",
            r"$s_-\leq s_+$ the one-sided slopes of $\phi$ at 0",
        ),
        scope="every convex margin loss",
        steps=(
            argument(
                "The slopes of $C$ at 0, from the right and from the left, are",
                r"C'_+(0)=\eta s_+-(1-\eta)s_-,\qquad C'_-(0)=\eta s_--(1-\eta)s_+ .",
            ),
            equal(
                "*If.* Without a kink both are the same number,",
                (eta * right - (1 - eta) * left).subs({right: -fall, left: -fall}),
                -2 * delta * fall,
                name=r"\left.C'(0)\right|_{s_-=s_+=-a}",
            ),
            positive("which is negative for $a>0$:", 2 * delta * fall),
            argument(
                r"so $C$ falls to the right of 0, $\inf C<C(0)$, while a convex function lies above its tangent: for $f\leq0$",
                r"C(f)\;\geq\;C(0)-2\delta a f\;\geq\;C(0)\;>\;\inf C .",
            ),
            limit(
                r"*Only if, a kink.* With $s_+=s_-+k$ and $\delta$ small enough the slope to the right is positive,",
                eta * (left + kink) - (1 - eta) * left,
                delta,
                sp.Integer(0),
                kink / 2,
            ),
            limit(
                "and the slope to the left negative: the score 0 is optimal, and it decides nothing.",
                eta * left - (1 - eta) * (left + kink),
                delta,
                sp.Integer(0),
                -kink / 2,
            ),
            positive(
                r"*Only if, no fall.* With $s_-=s_+=b\geq0$ the slope of $C$ at 0 is not negative: the score 0 does as well as "
                "any positive score.",
                (eta * right - (1 - eta) * left).subs({right: rise, left: rise}),
                2 * delta * rise,
                strictly=False,
            ),
            *(
                equal(
                    f"The {name} has a slope there:",
                    sp.diff(loss.expression(SCORE, _ONE), SCORE).subs(SCORE, 0),
                    slope,
                    name=r"\phi'(0)",
                )
                for name, (loss, slope) in slopes.items()
            ),
        ),
    )


def _smooth_optimum(
    loss: Definition, best: sp.Expr, least: sp.Expr, words: str, shown: str
) -> tuple[Step, ...]:
    """Steps that show the least conditional risk of a smooth convex margin loss, in the odds r of the label +1."""
    f, eta = SCORE, _ODDS / (1 + _ODDS)
    risk = eta * loss.expression(f, _ONE) + (1 - eta) * loss.expression(f, -_ONE)
    return (
        equal(
            f"*{words}* With odds $r=\\eta/(1-\\eta)$ the slope of $C$ vanishes at ${shown}$.",
            sp.diff(risk, f).subs(f, best),
            sp.Integer(0),
            name=f"C'\\left({shown}\\right)",
        ),
        equal(
            "There it is",
            risk.subs(f, best),
            least,
            name=r"\min C",
        ),
    )


def regret_bounds_of_four_losses() -> Proof:
    """The ψ-transform of hinge, squared hinge, exponential and logistic loss."""
    theta, r, s = _THETA, _ODDS, _S
    eta = r / (1 + r)
    inside = 1 - 2 / (1 + s)
    square = margin_risk(squared_hinge, inside)
    binary_entropy = ((1 + theta) * sp.log(1 + theta) + (1 - theta) * sp.log(1 - theta)) / 2
    bends = (
        ("exponential", 1 - sp.sqrt(1 - theta**2), -sp.Rational(3, 2)),
        ("logistic", binary_entropy, -_ONE),
    )
    return Proof(
        claims=("C33",),
        statement=(
            r"Let $\theta=|2\eta-1|$. Deciding against the likelier class costs $\theta$ in 0-1 risk, and in conditional risk at "
            r"least $\psi(\theta)$: hinge $\theta$, squared hinge $\theta^2$, exponential loss $1-\sqrt{1-\theta^2}$, logistic loss "
            r"$\frac12[(1+\theta)\ln(1+\theta)+(1-\theta)\ln(1-\theta)]$. Hence $\psi(R_{01}-R_{01}^*)\leq R_\ell-R_\ell^*$."
        ),
        hypotheses=(
            r"$\frac12<\eta<1$, so $\theta=2\eta-1$ (the other half is the mirror image, $\eta=1$ the limit)",
            "all measurable scores",
        ),
        scope="every distribution of two classes",
        steps=(
            argument(
                "A convex $C$ that falls at 0 is at least $C(0)$ on the wrong side: $\\psi(\\theta)=C(0)-\\min C$.",
                r"C(f)-\min C\;\geq\;C(0)-\min C=\psi(\theta)\qquad(f\leq0)",
            ),
            derivative(
                "*Hinge.* Between −1 and 1 its conditional risk has the slope",
                sp.expand(margin_risk(hinge, inside).subs(s, 2 / (1 - SCORE) - 1).simplify()),
                SCORE,
                1 - 2 * ETA,
            ),
            equal(
                "so it is least at 1 (beyond, it rises by $1-\\eta$),",
                margin_risk(hinge, _ONE + _GAP),
                (1 - ETA) * (2 + _GAP),
                name="C(1+g)",
            ),
            equal(
                r"and $\psi$ is the line $\theta=2\eta-1$.",
                margin_risk(hinge, sp.Integer(0)) - margin_risk(hinge, _ONE),
                2 * ETA - 1,
                name=r"C(0)-C(1)",
            ),
            equal(
                r"*Squared hinge.* Between −1 and 1 it is a parabola with its lowest place at $2\eta-1$:",
                square.subs(s, 2 / (1 - SCORE) - 1),
                (SCORE - (2 * ETA - 1)) ** 2 + 1 - (2 * ETA - 1) ** 2,
                name="C(f)",
            ),
            equal(
                r"so $\psi$ is",
                margin_risk(squared_hinge, sp.Integer(0)) - (1 - (2 * ETA - 1) ** 2),
                (2 * ETA - 1) ** 2,
                name=r"C(0)-\min C",
            ),
            *_smooth_optimum(
                exponential, sp.log(r) / 2, 2 * sp.sqrt(r) / (1 + r), "Exponential loss.", r"\tfrac12\ln r"
            ),
            equal(
                r"which is $\sqrt{1-\theta^2}$,",
                (2 * sp.sqrt(r) / (1 + r)) ** 2,
                1 - (2 * eta - 1) ** 2,
                name=r"(\min C)^2",
            ),
            *_smooth_optimum(
                logistic, sp.log(r), sp.log(1 + r) - r * sp.log(r) / (1 + r), "Logistic loss.", r"\ln r"
            ),
            replace(
                equal(
                    r"which falls short of $C(0)=\ln2$ by",
                    sp.log(2) - sp.log(1 + r) + r * sp.log(r) / (1 + r),
                    binary_entropy.subs(theta, (r - 1) / (r + 1)),
                ),
                shown=rf"\ln2-\min C = {latex(binary_entropy)}",
            ),
            positive(
                "Both critical points are minima: $C$ is a mixture of curves that bend up, the exponential loss by",
                sp.diff(exponential.expression(SCORE, _ONE), SCORE, 2),
            ),
            positive(
                "and the logistic loss by",
                sp.diff(logistic.expression(SCORE, _ONE), SCORE, 2),
                sp.exp(SCORE) / (1 + sp.exp(SCORE)) ** 2,
            ),
            *(
                replace(
                    positive(
                        rf"For $0<\theta<1$ the $\psi$ of the {name} loss is convex, like a line and a square.",
                        sp.diff(psi, theta, 2).subs(theta, s / (1 + s)),
                        ((1 + 2 * s) / (1 + s) ** 2) ** power,
                    ),
                    shown=rf"\psi''(\theta) = {latex((1 - theta**2) ** power)} > 0",
                )
                for name, psi, power in bends
            ),
            argument(
                "By Jensen the inequality at each $x$ passes to the means over $x$.",
                r"\psi\bigl(E[\theta\,;\text{wrong}]\bigr)\leq E\bigl[\psi(\theta)\,;\text{wrong}\bigr]\leq E\bigl[C(f)-\min C\bigr]",
            ),
        ),
    )


def hinge_forgets_the_probability() -> Proof:
    """The best score under the hinge is the label of the likelier class: no link can recover η from it."""
    eta, s, g = ETA, _S, _GAP
    inside = 1 - 2 / (1 + s)

    return Proof(
        claims=("C42",),
        statement=(
            r"For every $\eta>\frac12$ the expected hinge is least at the score 1, for every $\eta<\frac12$ at −1. Two different truths "
            "share one best answer: the hinge is calibrated for classification, and proper under no link."
        ),
        hypotheses=(r"two classes, $0<\eta<1$",),
        scope=r"every $\eta\neq\frac12$",
        steps=(
            replace(
                equal(
                    r"Between −1 and 1 (put $f=1-\frac2{1+s}$, $s>0$) the expected loss is a line of slope $1-2\eta$,",
                    margin_risk(hinge, inside),
                    1 + (1 - 2 * eta) * inside,
                ),
                shown=r"C(f)=1+(1-2\eta)\,f",
            ),
            equal(
                "left of it a line that falls,", margin_risk(hinge, -1 - g), 2 * eta + eta * g, name="C(-1-g)"
            ),
            equal(
                "and right of it one that rises.",
                margin_risk(hinge, 1 + g),
                (1 - eta) * (2 + g),
                name="C(1+g)",
            ),
            argument(
                r"The lowest place is the end to which the middle line falls: 1 or −1. At $\eta=0.6$ and $\eta=0.9$ it is the same score, "
                "and no function of that score returns both numbers."
            ),
        ),
    )
