"""Mistakes that were found in published code and texts, and why they are mistakes."""

from __future__ import annotations

import sympy as sp

from .classification import LOGIT, binary_cross_entropy, sigmoid, softplus
from .proof import Proof, derivative, equal, limit, positive, solves

_ONE, _ZERO = sp.Integer(1), sp.Integer(0)
_EXCESS = r"\ell_{\mathrm{found}}-\ell_{\mathrm{right}}"


def swapped_branches_reward_the_wrong_label() -> Proof:
    """Binary cross-entropy with its branches swapped differs by ±z from the right one and pulls the other way."""
    z = LOGIT
    swapped_one, swapped_zero = -sp.log(1 - sigmoid(z)), -sp.log(sigmoid(z))
    right_one, right_zero = (binary_cross_entropy.expression(z, y) for y in (_ONE, _ZERO))
    return Proof(
        claims=(),
        statement=(
            r"With the branches swapped, the loss of the label 1 is too large by $z$ and that of the label 0 too small by "
            r"$z$. Descent on it lowers the logit of a label 1."
        ),
        hypotheses=(r"$p=\sigma(z)$", "labels 0 and 1"),
        scope="every real logit",
        steps=(
            equal("For the label 1 the two differ by", swapped_one - right_one, z, name=_EXCESS),
            equal("and for the label 0 by", swapped_zero - right_zero, -z, name=_EXCESS),
            equal(
                "They agree at $z=0$ alone, where both cost",
                right_one.subs(z, 0),
                sp.log(2),
                name=r"\ell_{\mathrm{right}}(0)",
            ),
            positive(
                "The slope of the swapped loss is positive for the label 1: descent lowers the logit,",
                sp.diff(swapped_one, z),
                sigmoid(z),
            ),
            limit("and finds no minimum on its way down.", swapped_one, z, -sp.oo, _ZERO),
        ),
    )


def targets_above_one_leave_no_minimum() -> Proof:
    """Without its ε, the uniform part of a smoothed label adds 1 to the targets, and lifts small sets above 1."""
    z, excess = LOGIT, sp.Symbol("delta", positive=True)
    mixed, size = sp.Symbol(r"\varepsilon", positive=True), sp.Symbol("K", positive=True)
    loss = softplus(z) - (1 + excess) * z
    return Proof(
        claims=(),
        statement=(
            r"With $t=(1-\varepsilon)y+\frac1K$ the $K$ targets of a one-hot label add to $2-\varepsilon$. The target of the "
            r"label exceeds 1 where $K<\frac1\varepsilon$, and then binary cross-entropy has no minimum."
        ),
        hypotheses=(r"$0<\varepsilon<1$", r"$y$ one-hot", r"one sigmoid a class"),
        scope="every K, ε and logit",
        steps=(
            equal(
                "The label and the other classes together have",
                (1 - mixed + 1 / size) + (size - 1) / size,
                2 - mixed,
                name=r"\textstyle\sum_kt_k",
            ),
            solves("The target of the label is 1 at", (1 - mixed + 1 / size) - 1, size, 1 / mixed),
            positive(
                r"Let it be $1+\delta$. The slope is below $-\delta$ at every logit, so the loss has no minimum. It is below by",
                -excess - sp.diff(loss, z),
                1 / (1 + sp.exp(z)),
            ),
            limit(r"far out it falls by $\delta$ for each unit.", sp.diff(loss, z), z, sp.oo, -excess),
            limit(
                r"For two classes and $\varepsilon=0.1$, with $\delta=0.4$:",
                loss.subs(excess, sp.Rational(2, 5)),
                z,
                sp.oo,
                -sp.oo,
            ),
            equal(
                "The loss in this proof is binary cross-entropy with that target.",
                binary_cross_entropy.expression(z, 1 + excess),
                loss,
                name=r"\ell(z,1+\delta)",
            ),
        ),
    )


def confident_mistakes_pull_hardest() -> Proof:
    """Through a sigmoid, cross-entropy pulls hardest on confident mistakes; squared error hardly pulls on them."""
    z = LOGIT
    loss = binary_cross_entropy.expression(z, _ONE)
    squared = (sigmoid(z) - 1) ** 2 / 2
    return Proof(
        claims=(),
        statement=(
            r"For $y=1$ the slope of cross-entropy in the logit is $\sigma(z)-1$, which tends to $-1$ as $z\to-\infty$. "
            r"That of half the squared error has the factor $\sigma'(z)$ and tends to 0."
        ),
        hypotheses=(r"$p=\sigma(z)$", "the label 1; the label 0 mirrors it"),
        scope="every real logit",
        steps=(
            derivative(
                "The sigmoid's own slope does fade on both sides,", sigmoid(z), z, sigmoid(z) * sigmoid(-z)
            ),
            equal(
                "but the logarithm divides by the probability, and the fading factor cancels.",
                sp.diff(loss, z),
                sigmoid(z) - 1,
                name=r"\ell'(z)=-\frac{\sigma'(z)}{\sigma(z)}",
            ),
            limit("Confident and wrong: the pull is at its largest.", sp.diff(loss, z), z, -sp.oo, -_ONE),
            equal(
                "In squared error nothing cancels it,",
                sp.diff(squared, z),
                (sigmoid(z) - 1) * sigmoid(z) * sigmoid(-z),
                name=r"\frac{d}{dz}\tfrac12(\sigma(z)-1)^2",
            ),
            limit("and the confident mistake is left where it is.", sp.diff(squared, z), z, -sp.oo, _ZERO),
        ),
    )


def a_lost_factor_halves_the_penalty() -> Proof:
    """A step along λw in place of 2λw is the right step for half the penalty."""
    w = sp.Symbol("w", real=True)
    g, rate, strength = sp.symbols("g eta lambda", positive=True)
    found, right = w - rate * (g + strength * w), w - rate * (g + sp.diff(strength * w**2, w))
    return Proof(
        claims=(),
        statement=(
            r"The gradient of $\lambda\sum_iw_i^2$ is $2\lambda w$. A step that takes $\lambda w$ for it is the right step "
            r"for the penalty $\frac\lambda2$."
        ),
        hypotheses=(r"plain descent with the rate $\eta$; $g$ is the gradient of the loss",),
        scope="each weight by itself, every rate and strength",
        steps=(
            derivative("Only the weight's own term depends on it.", strength * w**2, w, 2 * strength * w),
            equal(
                "The step as found stops short by",
                found - right,
                rate * strength * w,
                name=r"w_{\mathrm{found}}-w_{\mathrm{right}}",
            ),
            equal(
                "With half the strength the right step is the one found.",
                right.subs(strength, strength / 2),
                found,
                name=r"w_{\mathrm{right}}(\lambda/2)",
            ),
            solves(
                r"Where the loss is $\frac12(w-1)^2$, the right step comes to rest at",
                (w - 1) + 2 * strength * w,
                w,
                1 / (1 + 2 * strength),
            ),
            solves("and the step as found nearer to 1.", (w - 1) + strength * w, w, 1 / (1 + strength)),
        ),
    )
