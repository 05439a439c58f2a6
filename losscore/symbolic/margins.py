"""Margin losses: of a real score f and a label y in {-1, +1}, then of a score per class and a class index y."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from .definition import CLASSES, Definition, Vector

SCORE, SIGN = sp.symbols("f y", real=True)
_PAIR = (SCORE, SIGN)

zero_one = Definition(
    "zero_one", lambda f, y: sp.Piecewise(((1 - y) / 2, f >= 0), ((1 + y) / 2, True)), _PAIR
)
hinge = Definition("hinge", lambda f, y: sp.Max(0, 1 - y * f), _PAIR)
squared_hinge = Definition("squared_hinge", lambda f, y: sp.Max(0, 1 - y * f) ** 2, _PAIR)
logistic = Definition("logistic", lambda f, y: sp.log(1 + sp.exp(-y * f)), _PAIR)
exponential = Definition("exponential", lambda f, y: sp.exp(-y * f), _PAIR)

SCORES, CLASS = sp.IndexedBase("f", real=True), sp.Symbol("y", integer=True, positive=True)


def _over_classes(term: Callable[[sp.Expr, sp.Expr], sp.Expr], f: Vector) -> sp.Expr:
    """Sum of `term(k, f_k)` over the classes: written out for sequences (from class 0), else a formal sum to K."""
    if isinstance(f, sp.IndexedBase):
        k = sp.Symbol("k", integer=True, positive=True)
        return sp.Sum(term(k, f[k]), (k, 1, CLASSES))
    return sp.Add(*(term(sp.Integer(k), f_k) for k, f_k in enumerate(f)))


def _over_others(term: Callable[[sp.Expr], sp.Expr], f: Vector, y: sp.Expr) -> sp.Expr:
    """Sum of `term(f_k)` over the classes k other than y."""
    return _over_classes(lambda k, f_k: (1 - sp.KroneckerDelta(k, y)) * term(f_k), f)


def _largest_other(f: Vector, y: sp.Expr) -> sp.Expr:
    if isinstance(f, sp.IndexedBase):
        return sp.Function(r"\max_{k\neq y}")(f[sp.Symbol("k", integer=True)])
    return sp.Max(*(f_k for k, f_k in enumerate(f) if k != y))


def _count(f: Vector) -> sp.Expr:
    return CLASSES if isinstance(f, sp.IndexedBase) else sp.Integer(len(f))


one_vs_all_hinge = Definition(
    "one_vs_all_hinge",
    lambda f, y: _over_classes(lambda k, f_k: sp.Max(0, 1 + (1 - 2 * sp.KroneckerDelta(k, y)) * f_k), f),
    (SCORES, CLASS),
    given=(1,),
)
crammer_singer = Definition(
    "crammer_singer", lambda f, y: sp.Max(0, 1 + _largest_other(f, y) - f[y]), (SCORES, CLASS), given=(1,)
)
weston_watkins = Definition(
    "weston_watkins",
    lambda f, y: _over_others(lambda f_k: sp.Max(0, 1 + f_k - f[y]), f, y),
    (SCORES, CLASS),
    given=(1,),
)
lee_lin_wahba = Definition(
    "lee_lin_wahba",
    lambda f, y: _over_others(lambda f_k: sp.Max(0, f_k + 1 / (_count(f) - 1)), f, y),
    (SCORES, CLASS),
    given=(1,),
)
