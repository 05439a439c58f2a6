"""Losses of segmentation and detection: definitions, then proofs."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from .classification import LABEL, LOGIT, LOGITS, TARGETS, sigmoid
from .definition import Definition, Vector, total
from .proof import Proof, argument, equal, positive, solves

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


def overlap_is_best_at_a_threshold() -> Proof:
    """Population Tversky and Dice are best at a mask of zeros and ones, cut at a threshold of the probabilities."""
    first, second = sp.symbols("p_1 p_2", positive=True)
    truth = sp.symbols(r"\eta_1 \eta_2", positive=True)
    logits = (sp.log(first / (1 - first)), sp.log(second / (1 - second)))
    hits, marked, centres = sp.symbols("H M C", positive=True)
    a, b = FALSE_POSITIVE, FALSE_NEGATIVE
    p, eta, best, miss = sp.symbols(r"p \eta S^* v", positive=True)

    def similarity(right: sp.Expr, size: sp.Expr, whole: sp.Expr) -> sp.Expr:
        return right / _weighed(right, size, whole)

    def _weighed(right: sp.Expr, size: sp.Expr, whole: sp.Expr) -> sp.Expr:
        return right + a * (size - right) + b * (whole - right)

    gap = hits + p * eta - best * _weighed(hits + p * eta, marked + p, centres)
    slope = (1 - (1 - a - b) * best) * eta - a * best
    threshold = a * best / (1 - (1 - a - b) * best)
    pair = (first * truth[0] + second * truth[1], first + second, sp.Add(*truth))
    return Proof(
        claims=("C202", "C204"),
        statement=(
            r"Among all outputs $0\le p_i\le1$ the population Tversky loss is least exactly where $p_i=1$ if "
            r"$\eta_i>t$ and $p_i=0$ if $\eta_i<t$, with $t=\frac{\alpha S^*}{1-(1-\alpha-\beta)S^*}$ and $1-S^*$ the "
            r"least loss. For Dice $t=\frac{D^*}2$, with $D^*$ the largest Dice coefficient: never above one half."
        ),
        hypotheses=(
            r"$\alpha,\beta>0$, no smoothing, and at least one $\eta_i>0$",
            r"$\eta_i$ is the probability that pixel $i$ is in the mask; the sums run over so many pixels that each "
            "equals its expectation",
        ),
        scope="every number of pixels and all probabilities",
        steps=(
            replace(
                equal(
                    r"The sums of the Tversky loss are linear in the labels, so their expectations have $\eta_i$ in the "
                    r"place of $y_i$. With $H=\sum p_i\eta_i$, $M=\sum p_i$ and $C=\sum\eta_i$ (here for two pixels) the "
                    "loss is",
                    tversky.expression(logits, truth, alpha=a, beta=b, smooth=sp.Integer(0)),
                    1 - similarity(*pair),
                ),
                shown=r"1-S(p),\qquad S(p)=\frac{H}{W},\qquad W=H+\alpha(M-H)+\beta(C-H)",
            ),
            argument(
                r"$W>0$: it is at least $\beta C$ where $H=0$, and at least $H$ elsewhere. So $S$ is continuous and has "
                r"a largest value $S^*>0$. Hence no output makes $H-S^*W$ positive, and the best outputs are those that "
                "make it 0: they maximise",
                r"H-S^*W .",
            ),
            replace(
                equal(
                    "This is linear in the output of each pixel, with the slope",
                    sp.diff(gap, p),
                    slope,
                ),
                shown=r"\frac{\partial}{\partial p_i}(H-S^*W)=\bigl(1-(1-\alpha-\beta)S^*\bigr)\eta_i-\alpha S^*",
            ),
            replace(
                positive(
                    r"The factor of $\eta_i$ is positive, as $S^*\le1$ (put $S^*=\frac1{1+v}$ with $v\ge0$):",
                    (1 - (1 - a - b) * best).subs(best, 1 / (1 + miss)),
                    (miss + a + b) / (1 + miss),
                ),
                shown=r"1-(1-\alpha-\beta)S^*=\frac{v+\alpha+\beta}{1+v}>0",
            ),
            argument(
                "A function that is linear in each $p_i$ is largest where every pixel with a positive slope has "
                "$p_i=1$ and every pixel with a negative slope $p_i=0$, and nowhere else."
            ),
            replace(
                solves(
                    "The slope changes its sign at one probability.", slope, eta, threshold, sp.S.Complexes
                ),
                shown=r"\eta=\frac{\alpha S^*}{1-(1-\alpha-\beta)S^*}=t",
            ),
            equal(
                "Dice weighs both errors with one half: then it is half of the best Dice coefficient.",
                threshold.subs({a: sp.Rational(1, 2), b: sp.Rational(1, 2)}),
                best / 2,
                name="t",
            ),
        ),
    )


def the_class_factor_of_focal_moves_the_threshold() -> Proof:
    """The binary focal loss with a class factor passes one half where the truth passes 1 - α, and can be undone."""
    p, odds = sp.symbols("p r", positive=True)
    factor, share, focus = (sp.Symbol(name, positive=True) for name in (r"\alpha", "a", r"\gamma"))
    one, zero = (
        binary_focal.expression(sp.log(odds), sp.Integer(label), gamma=focus, alpha=factor)
        for label in (1, 0)
    )
    half = -((1 - p) ** focus) * sp.log(p)
    pull = -sp.diff(half, p)
    of_one, of_zero = factor * pull, (1 - factor) * pull.subs(p, 1 - p)
    truth = of_zero / (of_one + of_zero)
    fall, rise, bend_one, bend_zero = sp.symbols("A B A' B'", positive=True)
    a, b = sp.Function("A", positive=True)(p), sp.Function("B", positive=True)(p)
    general = (1 - factor) * b / (factor * a + (1 - factor) * b)
    square = sp.Integer(2)
    return Proof(
        claims=("C203",),
        statement=(
            r"The best output $p$ of the binary focal loss with class factor $\alpha$ belongs to the probability "
            r"$\eta=\frac{(1-\alpha)B}{\alpha A+(1-\alpha)B}$, where $A=\frac{(1-p)^\gamma}p-\gamma(1-p)^{\gamma-1}\ln p$ "
            r"and $B$ is $A$ at $1-p$. It passes $\frac12$ where $\eta$ passes $1-\alpha$."
        ),
        hypotheses=(r"$0<\alpha<1$ and $0<\eta<1$", r"$p=\sigma(z)$, the minimum over all logits"),
        scope=r"every $\alpha$; the map for every $\gamma>0$, its rise for $\gamma=2$",
        steps=(
            replace(
                equal(
                    "The two labels cost",
                    one,
                    factor * half.subs(p, odds / (1 + odds)),
                ),
                shown=r"\ell(z,1)=-\alpha(1-p)^\gamma\ln p,",
            ),
            replace(
                equal("and in the mirror", zero, (1 - factor) * half.subs(p, 1 / (1 + odds))),
                shown=r"\ell(z,0)=-(1-\alpha)\,p^\gamma\ln(1-p).",
            ),
            replace(
                equal(
                    r"Without the factors their slopes in $p$ are $-A$ and $B$:",
                    pull,
                    (1 - p) ** focus / p - focus * (1 - p) ** (focus - 1) * sp.log(p),
                ),
                shown=r"A=\frac{(1-p)^\gamma}p-\gamma(1-p)^{\gamma-1}\ln p .",
            ),
            replace(
                equal(
                    r"The expected loss is stationary where $\eta\alpha A=(1-\eta)(1-\alpha)B$, that is, at",
                    truth * of_one,
                    (1 - truth) * of_zero,
                ),
                shown=r"\eta=\frac{(1-\alpha)B}{\alpha A+(1-\alpha)B} .",
            ),
            replace(
                positive(
                    r"For $\gamma=2$ and $p=\frac1{1+r}$, $A$ falls,",
                    -sp.diff(pull.subs(focus, square), p).subs(p, 1 / (1 + odds)),
                    2 * sp.log(1 + odds) + 4 * odds + odds**2,
                ),
                shown=r"-\frac{dA}{dp}=2\ln(1+r)+4r+r^2>0",
            ),
            replace(
                equal(
                    r"so its mirror image $B$ rises, and with them the share:",
                    sp.diff(general, p),
                    factor
                    * (1 - factor)
                    * (a * sp.diff(b, p) - b * sp.diff(a, p))
                    / (factor * a + (1 - factor) * b) ** 2,
                ),
                shown=r"\frac{d\eta}{dp}=\alpha(1-\alpha)\frac{AB'-BA'}{(\alpha A+(1-\alpha)B)^2},",
            ),
            replace(
                positive(
                    r"which is positive with $A'<0<B'$ (put $\alpha=\frac1{1+a}$). So each $\eta$ has one best output.",
                    (fall * bend_zero + rise * bend_one) * share / (1 + share) ** 2,
                ),
                shown=r"AB'+B|A'|>0",
            ),
            replace(
                equal(
                    r"At $p=\frac12$ the mirror images meet, $A=B$, and only the factors are left.",
                    truth.subs(p, sp.Rational(1, 2)),
                    1 - factor,
                ),
                shown=r"p=\tfrac12\iff\eta=1-\alpha",
            ),
        ),
    )
