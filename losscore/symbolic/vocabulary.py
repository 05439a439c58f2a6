"""Cross-entropy behind a linear layer: its definition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import sympy as sp

from .classification import TARGETS, cross_entropy
from .definition import CLASSES, Definition, Vector

Matrix: TypeAlias = "Sequence[Sequence[sp.Expr]] | sp.IndexedBase"

HIDDEN, WEIGHT = sp.IndexedBase("h", real=True), sp.IndexedBase("W", real=True)
FEATURES = sp.Symbol("D", integer=True, positive=True)


def _of_layer(hidden: Vector, weight: Matrix, q: Vector) -> sp.Expr:
    if isinstance(weight, sp.IndexedBase):
        return _formal(hidden, weight, q)
    logits = [sp.Add(*(w_d * h_d for w_d, h_d in zip(row, hidden, strict=True))) for row in weight]
    return cross_entropy.expression(logits, q)


def _formal(hidden: Vector, weight: sp.IndexedBase, q: Vector) -> sp.Expr:
    k, j, d = sp.symbols("k j d", integer=True, positive=True)

    def logit(of: sp.Symbol) -> sp.Expr:
        return sp.Sum(weight[of, d] * hidden[d], (d, 1, FEATURES))

    log_sum_exp = sp.log(sp.Sum(sp.exp(logit(j)), (j, 1, CLASSES)))
    return sp.Sum(q[k] * (log_sum_exp - logit(k)), (k, 1, CLASSES))


linear_cross_entropy = Definition("linear_cross_entropy", _of_layer, (HIDDEN, WEIGHT, TARGETS))
