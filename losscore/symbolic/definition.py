"""What a definition is: a loss written once, as a sympy expression.

From it come the formula on the page, the steps of the proofs and the 50-digit oracle of the torch function's tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import mpmath
import sympy as sp

from .typeset import latex

Vector: TypeAlias = "Sequence[sp.Expr] | sp.IndexedBase"
Argument: TypeAlias = "sp.Expr | Vector"

CLASSES = sp.Symbol("K", integer=True, positive=True)

_AGREEMENT = mpmath.mpf(10) ** -40
_DIGITS_BELOW_FLOAT64 = 800


def total(term: Callable[..., sp.Expr], *vectors: Vector, index: str = "k") -> sp.Expr:
    """Sum of `term` over the components of `vectors`: written out for sequences, a formal sum to K for indexed ones."""
    if isinstance(vectors[0], sp.IndexedBase):
        i = sp.Symbol(index, integer=True, positive=True)
        return sp.Sum(term(*(v[i] for v in vectors)), (i, 1, CLASSES))
    return sp.Add(*(term(*parts) for parts in zip(*vectors, strict=True)))


class Definition:
    """One loss of one sample.

    `formula(*arguments, **parameters)` builds the expression; `symbols` are the arguments in the book's notation
    (a symbol, or an indexed base for a vector of K components), the prediction first; `parameters` maps the
    loss's keyword parameters to their symbols.
    """

    def __init__(
        self,
        name: str,
        formula: Callable[..., sp.Expr],
        symbols: Sequence[Argument],
        parameters: Mapping[str, sp.Symbol] | None = None,
    ) -> None:
        self.name = name
        self.formula = formula
        self.symbols = tuple(symbols)
        self.parameters = dict(parameters or {})
        self._compiled = cache(self._compile)

    def __repr__(self) -> str:
        return f"<definition of {self.name}: {self.expression()}>"

    def _repr_markdown_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def expression(self, *arguments: Argument, **parameters: Any) -> sp.Expr:
        """The loss at `arguments`; the book's own symbols where none are given."""
        unknown = sorted(set(parameters) - set(self.parameters))
        if unknown:
            raise TypeError(f"{self.name} has no parameter {unknown}; it has {sorted(self.parameters)}")
        return self.formula(*(arguments or self.symbols), **{**self.parameters, **parameters})

    def latex(self, **parameters: Any) -> str:
        """The formula in the book's notation, natural logarithms written ln."""
        return latex(self.expression(**parameters))

    def oracle(self, *arguments: Any, digits: int = 50, **parameters: Any) -> mpmath.mpf:
        """Value at given numbers (a float is taken exactly), right to `digits` digits.

        Vectors are sequences of numbers. Raises TypeError for a parameter that is missing or unknown.
        """
        return self._evaluate(None, arguments, parameters, digits)

    def gradient_oracle(self, *arguments: Any, digits: int = 50, **parameters: Any) -> Any:
        """Derivative in the prediction: a number, or the list of the K partial derivatives for a vector."""
        if not isinstance(arguments[0], Sequence):
            return self._evaluate(0, arguments, parameters, digits)
        return [self._evaluate(k, arguments, parameters, digits) for k in range(len(arguments[0]))]

    def _evaluate(
        self, component: int | None, arguments: Sequence[Any], parameters: Mapping[str, Any], digits: int
    ) -> mpmath.mpf:
        if set(parameters) != set(self.parameters):
            raise TypeError(f"{self.name} needs the parameters {sorted(self.parameters)}, got {sorted(parameters)}")
        sizes = tuple(len(a) if isinstance(a, Sequence) else None for a in arguments)
        function = self._compiled(component, sizes)
        numbers = [x for a in arguments for x in (a if isinstance(a, Sequence) else [a])]
        numbers += [parameters[name] for name in self.parameters]
        previous = None
        while True:
            with mpmath.workdps(digits):
                value = function(*(mpmath.mpf(x) for x in numbers))
                settled = previous is not None and mpmath.almosteq(value, previous, _AGREEMENT, 0)
            if settled and (value != 0 or digits > _DIGITS_BELOW_FLOAT64):
                return value
            previous, digits = value, 4 * digits

    def _compile(self, component: int | None, sizes: tuple[int | None, ...]) -> Callable[..., Any]:
        arguments = [
            sp.Symbol(f"x{i}", real=True) if size is None else sp.symbols(f"x{i}_1:{size + 1}", real=True)
            for i, size in enumerate(sizes)
        ]
        flat = [x for a in arguments for x in (a if isinstance(a, tuple) else (a,))]
        expression = self.expression(*arguments)
        if component is not None:
            expression = sp.diff(expression, flat[component])
        compiled: Callable[..., Any] = sp.lambdify([*flat, *self.parameters.values()], expression, "mpmath")
        return compiled
