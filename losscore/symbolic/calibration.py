"""What calibration is made of, and what it does not give. Proofs only."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from .classification import binary_brier, binary_cross_entropy, sigmoid
from .proof import Proof, argument, equal, holds_for, positive

_FORECAST, _RATE = sp.symbols(r"p \pi", positive=True)
_SIZES = range(2, 5)


def brier_splits_into_calibration_and_refinement() -> Proof:
    """The Brier score is reliability minus resolution plus uncertainty, over the groups of equal forecasts."""
    p, rate = _FORECAST, _RATE

    def splits(groups: int) -> bool:
        share, said, seen = (sp.symbols(f"{name}_1:{groups + 1}", positive=True) for name in ("w", "p", "pi"))
        weight = [*share[:-1], 1 - sp.Add(*share[:-1])]
        overall = sp.Add(*(w * s for w, s in zip(weight, seen)))
        score = sp.Add(*(w * (s * (f - 1) ** 2 + (1 - s) * f**2) for w, f, s in zip(weight, said, seen)))
        reliability = sp.Add(*(w * (f - s) ** 2 for w, f, s in zip(weight, said, seen)))
        resolution = sp.Add(*(w * (s - overall) ** 2 for w, s in zip(weight, seen)))
        return bool(sp.expand(score - reliability + resolution - overall * (1 - overall)) == 0)

    return Proof(
        claims=(),
        statement=(
            r"Let $\pi$ be the rate of the event among the cases that received the forecast $p$, and $\bar y$ the rate overall. The mean "
            r"Brier score is $E(p-\pi)^2-E(\pi-\bar y)^2+\bar y(1-\bar y)$: reliability, less resolution, plus uncertainty."
        ),
        hypotheses=(r"$\pi=P(Y=1\mid p)$", "binary outcomes, one-probability form"),
        scope="every distribution of forecasts by the single group; written out for 2, 3 and 4 groups",
        steps=(
            equal(
                "Inside one group the outcomes have the rate $\\pi$, and all received the same forecast.",
                rate * (p - 1) ** 2 + (1 - rate) * p**2,
                (p - rate) ** 2 + rate * (1 - rate),
                name=r"\pi(p-1)^2+(1-\pi)p^2",
            ),
            argument(
                r"The first term is the regret of the forecast in its group, *calibration*. The second is what the grouping leaves "
                r"open, *refinement*. So for every proper score: mean score = mean regret + mean entropy of $\pi$."
            ),
            holds_for(
                r"Average over the groups, with the mean of $\pi(1-\pi)$ written as $\bar y(1-\bar y)$ less the variance of $\pi$.",
                _SIZES,
                splits,
                shown=r"E(p-Y)^2=E(p-\pi)^2-E(\pi-\bar y)^2+\bar y(1-\bar y)",
                named="2, 3 and 4 groups with free shares, forecasts and rates",
            ),
        ),
    )


def averages_do_not_show_calibration() -> Proof:
    """A group can pass the averaged test with every forecast wrong; all groups together force the truth."""
    said = (sp.Rational(7, 10), sp.Rational(9, 10))
    seen = said[::-1]
    excess = sp.Symbol("d", positive=True)
    weight = sp.Symbol("w", positive=True)
    return Proof(
        claims=("C50",),
        statement=(
            r"Calibrated means $P(Y=1\mid\hat p)=\hat p$ on the level sets of the forecast. A mean over a wider group does not show it; "
            r"equal means on *all* measurable groups force $\hat p=\eta$; and calibration alone does not."
        ),
        hypotheses=(r"$\eta(x)=P(Y=1\mid x)$",),
        scope="the example, and every forecaster on all groups",
        steps=(
            equal(
                "Two equally frequent forecasts, 0.7 and 0.9, with the rates 0.9 and 0.7: the means agree,",
                sum(said) / 2,
                sum(seen) / 2,
                name=r"\tfrac12(0.7+0.9)",
            ),
            equal(
                "and each level is off by 0.2.", abs(said[0] - seen[0]), sp.Rational(1, 5), name="|0.7-0.9|"
            ),
            argument(
                r"If the means agree on every group, take the group $\{\hat p>\eta\}$:",
                r"E\bigl[(\hat p-\eta)\,[\hat p>\eta]\bigr]=0 .",
            ),
            positive(
                "A part of weight $w$ on which the excess is at least $d$ would already contribute",
                weight * excess,
            ),
            argument(
                r"so no such part exists: $\hat p\leq\eta$ almost surely, and in the same way $\hat p\geq\eta$."
            ),
            argument(
                r"The base rate $P(Y=1)$, said to everybody, has one level set, and is right on it: calibrated, and it knows nothing."
            ),
        ),
    )


def cross_entropy_matches_the_mean_label() -> Proof:
    """With an intercept in the logit, cross-entropy makes the mean prediction equal the mean label; the Brier score doesn't."""
    x, y, w, b = sp.symbols("x y w b", real=True)
    z = w * x + b
    p = sigmoid(z)
    log_loss, squared = (loss.expression(z, y) for loss in (binary_cross_entropy, binary_brier))
    return Proof(
        claims=("C52",),
        statement=(
            r"Let $p_i=\sigma(w^\top x_i+b)$ with a free intercept $b$. Where the mean cross-entropy is critical, "
            r"$\frac1n\sum p_i=\frac1n\sum y_i$ and $\frac1n\sum p_ix_i=\frac1n\sum y_ix_i$. The Brier score balances the same residuals "
            "with the weights $2p_i(1-p_i)$ instead."
        ),
        hypotheses=(
            "a logit that is affine in the weights, with an intercept",
            "no penalty (for the first equation: none on the intercept)",
        ),
        scope="every data set: sums go sample by sample; the population too, with $\\eta(x)$ for $y$",
        steps=(
            replace(
                equal("A sample pulls on the intercept with its residual,", sp.diff(log_loss, b), p - y),
                shown=r"\frac{\partial}{\partial b}\,\ell_{\mathrm{CE}}=p-y",
            ),
            replace(
                equal(
                    "and on a weight with its residual times the feature.", sp.diff(log_loss, w), (p - y) * x
                ),
                shown=r"\frac{\partial}{\partial w}\,\ell_{\mathrm{CE}}=(p-y)\,x",
            ),
            argument(
                "At a critical point the mean pull is 0: predictions and labels have the same mean.",
                r"\frac1n\sum_i(p_i-y_i)=0",
            ),
            replace(
                equal("The Brier score pulls with", sp.diff(squared, b), 2 * p * (1 - p) * (p - y)),
                shown=r"\frac{\partial}{\partial b}\,\ell_2=2p(1-p)\,(p-y)",
            ),
            argument(
                r"so that residuals near $p=\frac12$ weigh most. Where $p=\eta$ everywhere both balances hold; elsewhere one does not "
                "bring the other."
            ),
        ),
    )
