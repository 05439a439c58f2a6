"""Losses of segmentation and detection: definitions."""

from __future__ import annotations

import sympy as sp

from .classification import LABEL, LOGIT, LOGITS, TARGETS, sigmoid
from .definition import Definition, Vector, total

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
