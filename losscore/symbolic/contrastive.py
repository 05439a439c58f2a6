"""Losses of embeddings: definitions. Batches are matrices, one row an embedding; the losses are means over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import sympy as sp

from .definition import Definition, Vector, total

Rows: TypeAlias = "Sequence[Sequence[sp.Expr]] | sp.IndexedBase"

QUERIES, KEYS, EMBEDDINGS, LABELS = (sp.IndexedBase(name) for name in ("q", "k", "x", "y"))
ANCHOR, POSITIVE, NEGATIVE = (sp.IndexedBase(name, real=True) for name in ("a", "p", "n"))
TEMPERATURE, MARGIN = sp.Symbol("T", positive=True), sp.Symbol("m", nonnegative=True)

_COUNT, _PAIRS = sp.symbols("N P", integer=True, positive=True)
_I, _J, _K = sp.symbols("i j k", integer=True, positive=True)


def _norm(x: Vector) -> sp.Expr:
    return sp.sqrt(total(lambda x_d: x_d**2, x))


def _cosine(x: Vector, y: Vector) -> sp.Expr:
    return total(lambda a, b: a * b, x, y) / (_norm(x) * _norm(y))


def _of_cosines(x: Sequence[Vector], y: Sequence[Vector], temperature: sp.Expr) -> list[list[sp.Expr]]:
    return [[sp.exp(_cosine(a, b) / temperature) for b in y] for a in x]


def _named_cosine(x: sp.Expr, y: sp.Expr, temperature: sp.Expr) -> sp.Expr:
    return sp.exp(sp.Function("cos")(x, y) / temperature)


def _info_nce(query: Rows, key: Rows, temperature: sp.Expr) -> sp.Expr:
    if isinstance(query, sp.IndexedBase):
        own = _named_cosine(query[_I], key[_I], temperature)
        all_keys = sp.Sum(_named_cosine(query[_I], key[_J], temperature), (_J, 1, _COUNT))
        return sp.Sum(-sp.log(own / all_keys), (_I, 1, _COUNT)) / _COUNT
    weights = _of_cosines(query, key, temperature)
    return sp.Add(*(-sp.log(row[i] / sp.Add(*row)) for i, row in enumerate(weights))) / len(weights)


def _nt_xent(embeddings: Rows, labels: Sequence[sp.Expr] | sp.IndexedBase, temperature: sp.Expr) -> sp.Expr:
    if isinstance(embeddings, sp.IndexedBase):
        x, y = embeddings, labels
        own = _named_cosine(x[_I], x[_J], temperature)
        others = (1 - sp.KroneckerDelta(y[_I], y[_K])) * _named_cosine(x[_I], x[_K], temperature)
        pair = sp.KroneckerDelta(y[_I], y[_J]) * (1 - sp.KroneckerDelta(_I, _J))
        loss = -sp.log(own / (own + sp.Sum(others, (_K, 1, _COUNT))))
        return sp.Sum(pair * loss, (_J, 1, _COUNT), (_I, 1, _COUNT)) / _PAIRS
    weights = _of_cosines(embeddings, embeddings, temperature)
    losses = []
    for i, row in enumerate(weights):
        negatives = sp.Add(*(w for w, label in zip(row, labels, strict=True) if label != labels[i]))
        losses += [
            -sp.log(row[j] / (row[j] + negatives))
            for j in range(len(row))
            if j != i and labels[j] == labels[i]
        ]
    return sp.Add(*losses) / len(losses)


def _triplet(anchor: Vector, positive: Vector, negative: Vector, margin: sp.Expr) -> sp.Expr:
    near, far = (sp.sqrt(total(lambda a, b: (a - b) ** 2, anchor, other)) for other in (positive, negative))
    return sp.Max(0, near - far + margin)


info_nce = Definition("info_nce", _info_nce, (QUERIES, KEYS), {"temperature": TEMPERATURE})
nt_xent = Definition("nt_xent", _nt_xent, (EMBEDDINGS, LABELS), {"temperature": TEMPERATURE}, given=(1,))
triplet = Definition("triplet", _triplet, (ANCHOR, POSITIVE, NEGATIVE), {"margin": MARGIN})
