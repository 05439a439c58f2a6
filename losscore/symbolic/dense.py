"""Losses of segmentation and detection: definitions, then proofs."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from .classification import LABEL, LOGIT, LOGITS, TARGETS, sigmoid
from .definition import Definition, Vector, total
from .proof import Proof, argument, equal, positive

FOCUS, CLASS_FACTOR = sp.symbols(r"\gamma \alpha", nonnegative=True)
CLASS_FACTORS = sp.IndexedBase(r"\alpha", nonnegative=True)
SMOOTH = sp.Symbol("s", nonnegative=True)
FALSE_POSITIVE, FALSE_NEGATIVE = sp.symbols(r"\alpha \beta", positive=True)


def _dice(z: Vector, y: Vector, smooth: sp.Expr) -> sp.Expr:
    shared = total(lambda z_k, y_k: sigmoid(z_k) * y_k, z, y)
    sizes = total(sigmoid, z) + total(lambda y_k: y_k, y)
    return 1 - (2 * shared + smooth) / (sizes + smooth)


def _tversky(z: Vector, y: Vector, alpha: sp.Expr, beta: sp.Expr, smooth: sp.Expr) -> sp.Expr:
    right = total(lambda z_k, y_k: sigmoid(z_k) * y_k, z, y) + smooth
    false_positive = total(lambda z_k, y_k: sigmoid(z_k) * (1 - y_k), z, y)
    false_negative = total(lambda z_k, y_k: (1 - sigmoid(z_k)) * y_k, z, y)
    return 1 - right / (right + alpha * false_positive + beta * false_negative)


def _focused(probability: sp.Expr, missed: sp.Expr, gamma: sp.Expr) -> sp.Expr:
    return -(missed**gamma) * sp.log(probability)


def _focal(z: Vector, q: Vector, gamma: sp.Expr, alpha: Vector | None = CLASS_FACTORS) -> sp.Expr:
    def of_class(z_k: sp.Expr, q_k: sp.Expr, factor: sp.Expr | int = 1) -> sp.Expr:
        whole = total(sp.exp, z, index="j")
        return q_k * factor * _focused(sp.exp(z_k) / whole, (whole - sp.exp(z_k)) / whole, gamma)

    return total(of_class, z, q) if alpha is None else total(of_class, z, q, alpha)


def _binary_focal(z: sp.Expr, y: sp.Expr, gamma: sp.Expr, alpha: sp.Expr | None = CLASS_FACTOR) -> sp.Expr:
    of_one, of_zero = (1, 1) if alpha is None else (alpha, 1 - alpha)
    if_one, if_zero = _focused(sigmoid(z), sigmoid(-z), gamma), _focused(sigmoid(-z), sigmoid(z), gamma)
    return of_one * y * if_one + of_zero * (1 - y) * if_zero


focal = Definition("focal", _focal, (LOGITS, TARGETS), {"gamma": FOCUS}, given=("alpha",))
binary_focal = Definition("binary_focal", _binary_focal, (LOGIT, LABEL), {"gamma": FOCUS}, given=("alpha",))
dice = Definition("dice", _dice, (LOGITS, TARGETS), {"smooth": SMOOTH})
tversky = Definition(
    "tversky",
    _tversky,
    (LOGITS, TARGETS),
    {"alpha": FALSE_POSITIVE, "beta": FALSE_NEGATIVE, "smooth": SMOOTH},
)


def binary_focal_flattens() -> Proof:
    """The binary focal loss is improper, and its best forecast still rises strictly with the truth."""
    p, odds = sp.symbols("p r", positive=True)
    if_one, if_zero = (
        binary_focal.expression(sp.log(odds), sp.Integer(label), gamma=sp.Integer(2), alpha=None)
        for label in (1, 0)
    )
    one = -((1 - p) ** 2) * sp.log(p)
    fall, rise, bend_one, bend_zero = sp.symbols("A B A' B'", positive=True)
    a, b = sp.Function("A", positive=True)(p), sp.Function("B", positive=True)(p)
    truth = b / (a + b)
    slopes = sp.diff(one, p), sp.diff(one.subs(p, 1 - p), p)
    honest = (9 * slopes[0] + slopes[1]).subs(p, sp.Rational(9, 10)) / 10
    return Proof(
        claims=("C42",),
        statement=(
            r"The binary focal loss with $\gamma=2$ is not proper when $p=\sigma(z)$ is read as the forecast: at $\eta=0.9$ the best $p$ "
            r"is below $0.9$. The best $p$ rises strictly with $\eta$, so the decision at $\frac12$ is right and $\eta$ can be recovered."
        ),
        hypotheses=(r"$p=\sigma(z)$, no class weights", r"$0<\eta<1$"),
        scope=r"$\gamma=2$; the rise holds for every loss whose two halves are strictly convex and monotone",
        steps=(
            replace(
                equal("The two labels cost", if_one, one.subs(p, odds / (1 + odds))),
                shown=r"\ell(z,1)=-(1-p)^2\ln p,",
            ),
            replace(
                equal("and the mirror image,", if_zero, one.subs(p, 1 / (1 + odds))),
                shown=r"\ell(z,0)=-p^2\ln(1-p).",
            ),
            replace(
                positive(
                    "At $p=0.9$ the expected loss of $\\eta=0.9$ still rises: its minimum lies further left.",
                    sp.simplify(honest),
                ),
                shown=r"\frac{d}{dp}\bigl[0.9\,\ell(\cdot,1)+0.1\,\ell(\cdot,0)\bigr]_{p=0.9}>0",
            ),
            replace(
                positive(
                    r"The first half falls (put $p=\frac1{1+r}$, $r>0$),",
                    -slopes[0].subs(p, 1 / (1 + odds)),
                    (2 * odds * sp.log(1 + odds) + odds**2) / (1 + odds),
                ),
                shown=r"A=-\frac{d}{dp}\ell(\cdot,1)=2(1-p)\,|\ln p|+\frac{(1-p)^2}p>0,",
            ),
            replace(
                positive(
                    "and bends up.",
                    sp.diff(one, p, 2).subs(p, 1 / (1 + odds)),
                    2 * sp.log(1 + odds) + 4 * odds + odds**2,
                ),
                shown=r"\frac{d^2}{dp^2}\ell(\cdot,1)=2\,|\ln p|+4\,\frac{1-p}p+\Bigl(\frac{1-p}p\Bigr)^2>0",
            ),
            argument(
                r"So $A$ falls in $p$. In the mirror, $B=\frac{d}{dp}\ell(\cdot,0)>0$ rises, and the best $p$ solves",
                r"\eta A(p)=(1-\eta)B(p)\iff\eta=\frac{B(p)}{A(p)+B(p)} .",
            ),
            replace(
                equal(
                    "That share rises in $p$,",
                    sp.diff(truth, p),
                    (a * sp.diff(b, p) - b * sp.diff(a, p)) / (a + b) ** 2,
                ),
                shown=r"\frac{d\eta}{dp}=\frac{A\,B'-B\,A'}{(A+B)^2}>0",
            ),
            replace(
                positive(
                    "with $A'<0<B'$ ($A'$ is minus the bend of the first half),",
                    (fall * bend_zero + rise * bend_one) / (fall + rise) ** 2,
                ),
                shown=r"\frac{A\,B'+B\,|A'|}{(A+B)^2}>0",
            ),
            replace(
                equal(
                    r"and is $\frac12$ at $p=\frac12$, where both halves are mirror images.",
                    (slopes[0] + slopes[1]).subs(p, sp.Rational(1, 2)),
                    sp.Integer(0),
                ),
                shown=r"A\left(\tfrac12\right)=B\left(\tfrac12\right)",
            ),
        ),
    )
