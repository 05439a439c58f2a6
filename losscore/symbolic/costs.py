"""What costs and class frequencies do to a forecast and to the decision made from it: proofs."""

from __future__ import annotations

import sympy as sp

from .classification import cross_entropy, softmax
from .proof import Proof, argument, equal, holds_for, is_zero

_SIZES = range(2, 6)
_NAMED = "$K=2,…,5$, free probabilities and frequencies"


def logit_adjustment_asks_for_the_balanced_decision() -> Proof:
    """Cross-entropy on logits plus ln π makes the logits themselves decide as if all classes were equally frequent."""

    def adjusted(size: int) -> tuple[list[sp.Symbol], list[sp.Expr], list[sp.Expr]]:
        """The logits, the logits with ln π added, and free probabilities of the classes."""
        logits = list(sp.symbols(f"z_1:{size + 1}", real=True))
        frequencies = sp.symbols(r"\pi_1:" + str(size + 1), positive=True)
        weights = sp.symbols(f"h_1:{size + 1}", positive=True)
        shifted = [z + sp.log(share) for z, share in zip(logits, frequencies)]
        return logits, shifted, [weight / sp.Add(*weights) for weight in weights]

    def slopes_are_prediction_minus_truth(size: int) -> bool:
        logits, shifted, eta = adjusted(size)
        odds = dict(zip(logits, map(sp.log, sp.symbols(f"u_1:{size + 1}", positive=True))))
        slopes = (sp.diff(cross_entropy.expression(shifted, eta), z) for z in logits)
        gaps = (slope - p + chance for slope, p, chance in zip(slopes, softmax(shifted), eta))
        return all(bool(is_zero(sp.together(gap.subs(odds)))) for gap in gaps)

    def reaches_the_truth_at_the_ratio(size: int) -> bool:
        logits, shifted, eta = adjusted(size)
        shift = sp.Symbol("c", real=True)
        ratio = {z: sp.log(chance) - (moved - z) + shift for z, moved, chance in zip(logits, shifted, eta)}
        said = softmax([moved.subs(ratio) for moved in shifted])
        return all(bool(is_zero(p - chance)) for p, chance in zip(said, eta))

    own, other, whole = sp.symbols("r_k r_j S", positive=True)
    return Proof(
        claims=("C98",),
        statement=(
            r"Let $\pi_k$ be the frequency of class $k$ in training. The risk of cross-entropy on the adjusted logits "
            r"$z+\ln\pi$ is least at $z_k=\ln\frac{\eta_k}{\pi_k}+c$. Then the largest $z_k$ names the decision of least balanced "
            r"error, the error in which every class counts the same."
        ),
        hypotheses=(
            r"all $\eta_k,\pi_k>0$; the minimum is over all logits, that is, in the population",
            r"$\eta$ and $\pi$ belong to one distribution",
        ),
        scope=r"every $K$ by argument; the gradient and its zero for $K=2,…,5$",
        steps=(
            holds_for(
                "In the logits the conditional risk pulls with prediction minus truth.",
                _SIZES,
                slopes_are_prediction_minus_truth,
                shown=r"\frac{\partial}{\partial z_k}\sum_j\eta_j\,\ell(z+\ln\pi,e_j)=\mathrm{softmax}(z+\ln\pi)_k-\eta_k",
                named=_NAMED,
            ),
            holds_for(
                "It is convex, so it is least where the pull ends: where the adjusted logits give $\\eta$ itself.",
                _SIZES,
                reaches_the_truth_at_the_ratio,
                shown=r"z_k=\ln\frac{\eta_k}{\pi_k}+c",
                named=_NAMED,
            ),
            argument(
                r"The balanced error is an error in which one of class $k$ costs $\frac1{K\pi_k}$: a cost for each class.",
                r"\frac1K\sum_kP(\hat y\neq k\mid Y=k)=E\Bigl[\sum_{k\neq\hat y(X)}\frac{\eta_k(X)}{K\pi_k}\Bigr]",
            ),
            equal(
                r"Write $r_k=\frac{\eta_k}{\pi_k}$ and $S$ for their sum. Deciding for $k$ leaves $S-r_k$ to pay, so the largest "
                "ratio, which has the largest $z_k$, is the cheapest: against it $j$ costs more by",
                (whole - other) - (whole - own),
                own - other,
                name="(S-r_j)-(S-r_k)",
            ),
            argument(
                r"Plain cross-entropy has its minimum at $\ln\eta_k+c$. Subtracting $\ln\pi_k$ after training gives the same $z$."
            ),
        ),
    )
