"""How a sympy expression is set in LaTeX on the page: natural logarithms as ln, positive terms first."""

from __future__ import annotations

import sympy as sp
from sympy.printing.latex import LatexPrinter


class _Printer(LatexPrinter):  # type: ignore[misc]
    def _as_ordered_terms(self, expr: sp.Expr, order: str | None = None) -> list[sp.Expr]:
        terms = super()._as_ordered_terms(expr, order=order)
        return sorted(terms, key=lambda term: bool(term.could_extract_minus_sign()))


def latex(expression: sp.Basic) -> str:
    """LaTeX of a sympy object, without the surrounding dollars."""
    text: str = _Printer({"ln_notation": True}).doprint(expression)
    return text
