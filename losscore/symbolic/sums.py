"""Losses that are no sums over examples: proofs."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from .contrastive import info_nce
from .dense import dice
from .proof import Proof, argument, equal, positive
from .survival import cox

_LOW, _HIGH = sp.Integer(0), sp.log(2)
_EAST, _NORTH = (sp.Integer(1), sp.Integer(0)), (sp.Integer(0), sp.Integer(1))

Pair = tuple[sp.Expr, sp.Expr]


def _left_over(loss: Callable[[Pair], sp.Expr]) -> sp.Expr:
    """L(a', b') + L(a, b) − L(a', b) − L(a, b'), which is 0 for a sum, with the predictions 0 and ln 2."""
    return sp.Add(loss((_HIGH, _HIGH)), loss((_LOW, _LOW)), -loss((_HIGH, _LOW)), -loss((_LOW, _HIGH)))


def some_losses_are_no_sums() -> Proof:
    """Dice, the Cox partial likelihood and InfoNCE: what one example adds depends on the prediction for another."""
    first, second, first_changed, second_changed = sp.symbols("f g f' g'", real=True)

    def overlap(z: Pair) -> sp.Expr:
        return dice.expression(z, (sp.Integer(1), sp.Integer(0)), smooth=sp.Integer(0))

    def survival(z: Pair) -> sp.Expr:
        return cox.expression(z, (1, 2), (1, 1))

    def contrast(swap_first: bool, swap_second: bool) -> sp.Expr:
        keys = (_NORTH if swap_first else _EAST, _EAST if swap_second else _NORTH)
        return info_nce.expression((_EAST, _NORTH), keys, temperature=sp.Integer(1))

    e = sp.E
    return Proof(
        claims=("C05",),
        statement=(
            "Soft Dice is no sum over pixels and, pooled over a batch, none over images; the negative log partial likelihood of "
            "Cox is no sum over patients; InfoNCE is none over pairs."
        ),
        hypotheses=(r"two examples; $p=\sigma(z)$ in Dice, temperature 1 in InfoNCE",),
        scope="one batch for each loss, which is enough to break a rule",
        steps=(
            equal(
                "Let a loss be a sum: the first example adds $f$ or, after a change of its prediction, $f'$, and the second $g$ or "
                "$g'$. Then nothing is left of",
                (first_changed + second_changed)
                + (first + second)
                - (first_changed + second)
                - (first + second_changed),
                sp.Integer(0),
                name="L(a',b')+L(a,b)-L(a',b)-L(a,b')",
            ),
            equal(
                r"Dice: two pixels of which the first is in the mask, or two images of one pixel pooled. For $z=(\ln2,0)$ it is",
                overlap((_HIGH, _LOW)),
                sp.Rational(5, 13),
                name="L(a',b)",
            ),
            equal(
                r"and with logits 0 or $\ln2$ for each, this is left over.",
                _left_over(overlap),
                sp.Rational(1, 182),
                name="L(a',b')+L(a,b)-L(a',b)-L(a,b')",
            ),
            equal(
                r"Cox: two patients with events at the times 1 and 2. For the log hazards $(\ln2,0)$ it is",
                survival((_HIGH, _LOW)),
                sp.log(sp.Rational(3, 2)),
                name="L(a',b)",
            ),
            equal(
                r"and with log hazards 0 or $\ln2$ for each, this is left over.",
                _left_over(survival),
                sp.log(sp.Rational(8, 9)),
                name="L(a',b')+L(a,b)-L(a',b)-L(a,b')",
            ),
            equal(
                "InfoNCE: two perpendicular queries, each with its own direction as its key. It is",
                contrast(False, False),
                sp.log(1 + 1 / e),
                name="L(a,b)",
            ),
            equal(
                "and where each key may be turned into the other direction, this is left over,",
                contrast(True, True) + contrast(False, False) - contrast(True, False) - contrast(False, True),
                sp.log((1 + e) ** 2 / (4 * e)),
                name="L(a',b')+L(a,b)-L(a',b)-L(a,b')",
            ),
            positive("which is not 0 either.", (1 + e) ** 2 / (4 * e) - 1, (e - 1) ** 2 / (4 * e)),
            argument(
                "What one example adds depends on the prediction for the other: these are losses of a batch."
            ),
        ),
    )
