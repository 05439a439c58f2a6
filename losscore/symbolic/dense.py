"""Losses of segmentation and detection: definitions."""

from __future__ import annotations

import sympy as sp

from .classification import LOGITS, TARGETS, sigmoid
from .definition import Definition, Vector, total

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


dice = Definition("dice", _dice, (LOGITS, TARGETS), {"smooth": SMOOTH})
tversky = Definition(
    "tversky",
    _tversky,
    (LOGITS, TARGETS),
    {"alpha": FALSE_POSITIVE, "beta": FALSE_NEGATIVE, "smooth": SMOOTH},
)
