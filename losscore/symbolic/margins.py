"""Margin losses of a real score f and a label y in {-1, +1}: definitions, then proofs."""

from __future__ import annotations

import sympy as sp

from .definition import Definition

SCORE, SIGN = sp.symbols("f y", real=True)
_PAIR = (SCORE, SIGN)

zero_one = Definition("zero_one", lambda f, y: sp.Piecewise(((1 - y) / 2, f >= 0), ((1 + y) / 2, True)), _PAIR)
hinge = Definition("hinge", lambda f, y: sp.Max(0, 1 - y * f), _PAIR)
logistic = Definition("logistic", lambda f, y: sp.log(1 + sp.exp(-y * f)), _PAIR)
exponential = Definition("exponential", lambda f, y: sp.exp(-y * f), _PAIR)
