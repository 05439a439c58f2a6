"""Classification losses of logits: definitions, then proofs.

Targets of several classes are distributions q (one-hot for a label); binary targets are y in [0, 1].
"""

from __future__ import annotations

import sympy as sp

from .definition import Definition, Vector, total

LOGITS, TARGETS = sp.IndexedBase("z", real=True), sp.IndexedBase("q", real=True)
LOGIT, LABEL = sp.symbols("z y", real=True)


def log_sum_exp(z: Vector) -> sp.Expr:
    return sp.log(total(sp.exp, z, index="j"))


def softmax(z: Vector) -> list[sp.Expr]:
    """The K probabilities of a sequence of logits."""
    normaliser = total(sp.exp, z)
    return [sp.exp(z_k) / normaliser for z_k in z]


def sigmoid(z: sp.Expr) -> sp.Expr:
    return 1 / (1 + sp.exp(-z))


def softplus(z: sp.Expr) -> sp.Expr:
    return sp.log(1 + sp.exp(z))


cross_entropy = Definition(
    "cross_entropy", lambda z, q: total(lambda z_k, q_k: q_k * (log_sum_exp(z) - z_k), z, q), (LOGITS, TARGETS)
)
binary_cross_entropy = Definition("binary_cross_entropy", lambda z, y: softplus(z) - y * z, (LOGIT, LABEL))
brier = Definition(
    "brier",
    lambda z, q: total(lambda z_k, q_k: (sp.exp(z_k) / total(sp.exp, z, index="j") - q_k) ** 2, z, q),
    (LOGITS, TARGETS),
)
binary_brier = Definition("binary_brier", lambda z, y: (sigmoid(z) - y) ** 2, (LOGIT, LABEL))
