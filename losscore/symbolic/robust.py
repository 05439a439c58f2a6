"""Losses of logits for labels that may be wrong: definitions."""

from __future__ import annotations

from typing import Any

import sympy as sp

from .classification import LOGITS, TARGETS, cross_entropy, log_sum_exp, softmax
from .definition import CLASSES, Definition, Vector, total

POWER = sp.Symbol("q", nonnegative=True)
FORWARD, BACKWARD = sp.symbols(r"\alpha \beta", nonnegative=True)
LOG_ZERO = sp.Symbol("A", negative=True)
TRANSITION = sp.IndexedBase("T", nonnegative=True)


def _probability(z: Vector, z_k: sp.Expr) -> sp.Expr:
    return sp.exp(z_k) / total(sp.exp, z, index="j")


def _generalized_cross_entropy(z: Vector, t: Vector, q: sp.Expr) -> sp.Expr:
    def of_class(z_k: sp.Expr, t_k: sp.Expr) -> sp.Expr:
        surprisal = log_sum_exp(z) - z_k
        return t_k * sp.Piecewise(((1 - sp.exp(-q * surprisal)) / q, sp.Ne(q, 0)), (surprisal, True))

    return total(of_class, z, t)


def _symmetric_cross_entropy(
    z: Vector, t: Vector, alpha: sp.Expr, beta: sp.Expr, log_zero: sp.Expr
) -> sp.Expr:
    def relief(z_k: sp.Expr, t_k: sp.Expr) -> sp.Expr:
        bounded = sp.Piecewise((sp.Max(sp.log(t_k), log_zero), t_k > 0), (log_zero, True))
        return _probability(z, z_k) * (bounded - log_zero)

    return alpha * cross_entropy.formula(z, t) + beta * (-log_zero - total(relief, z, t))


def _forward_corrected_cross_entropy(z: Vector, t: Vector, transition: Any = TRANSITION) -> sp.Expr:
    if isinstance(z, sp.IndexedBase):
        j, k = sp.symbols("j k", integer=True, positive=True)
        seen = sp.Sum(_probability(z, z[j]) * transition[j, k], (j, 1, CLASSES))
        return sp.Sum(-t[k] * sp.log(seen), (k, 1, CLASSES))
    p = softmax(z)
    return -sp.Add(
        *(
            t_k * sp.log(sp.Add(*(p_j * row[k] for p_j, row in zip(p, transition, strict=True))))
            for k, t_k in enumerate(t)
        )
    )


generalized_cross_entropy = Definition(
    "generalized_cross_entropy", _generalized_cross_entropy, (LOGITS, TARGETS), {"q": POWER}
)
absolute_probability_error = Definition(
    "absolute_probability_error",
    lambda z, t: total(lambda z_k, t_k: sp.Abs(_probability(z, z_k) - t_k), z, t),
    (LOGITS, TARGETS),
)
symmetric_cross_entropy = Definition(
    "symmetric_cross_entropy",
    _symmetric_cross_entropy,
    (LOGITS, TARGETS),
    {"alpha": FORWARD, "beta": BACKWARD, "log_zero": LOG_ZERO},
)
forward_corrected_cross_entropy = Definition(
    "forward_corrected_cross_entropy",
    _forward_corrected_cross_entropy,
    (LOGITS, TARGETS),
    given=("transition",),
)
