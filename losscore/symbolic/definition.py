"""What a definition is: a loss written once, as a sympy expression.

From it come the formula on the page, the steps of the proofs and the 50-digit oracle of the torch function's tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import count
from typing import Any, TypeAlias

import mpmath
import sympy as sp

from .typeset import latex

Vector: TypeAlias = "Sequence[sp.Expr] | sp.IndexedBase"
Argument: TypeAlias = "sp.Expr | Vector"

CLASSES = sp.Symbol("K", integer=True, positive=True)

_AGREEMENT = mpmath.mpf(10) ** -40
_DIGITS_BELOW_FLOAT64 = 800
# what is lost first may be a part of a tiny sum: float64 goes down to 1e-308
_DIGITS_OF_A_SUM = 400
_ROUNDING_OF_ZERO = mpmath.mpf(10) ** -1600


def total(term: Callable[..., sp.Expr], *vectors: Vector, index: str = "k") -> sp.Expr:
    """Sum of `term` over the components of `vectors`: written out for sequences, a formal sum to K for indexed ones."""
    if isinstance(vectors[0], sp.IndexedBase):
        i = sp.Symbol(index, integer=True, positive=True)
        return sp.Sum(term(*(v[i] for v in vectors)), (i, 1, CLASSES))
    return sp.Add(*(term(*parts) for parts in zip(*vectors, strict=True)))


class Definition:
    """One loss: of one sample, or of a batch where the loss is no sum over samples.

    `formula(*arguments, **parameters)` builds the expression; `symbols` are the arguments in the book's notation
    (a symbol, or an indexed base for a vector of K components), the prediction first; `parameters` maps the
    loss's keyword parameters to their symbols. What shapes the expression instead of entering it (labels, times, a
    choice by name, a table) is `given`: arguments by position and parameters by name, which the formula receives as
    they are, floats made exact.
    """

    def __init__(
        self,
        name: str,
        formula: Callable[..., sp.Expr],
        symbols: Sequence[Argument],
        parameters: Mapping[str, sp.Symbol] | None = None,
        given: Sequence[int | str] = (),
    ) -> None:
        self.name = name
        self.formula = formula
        self.symbols = tuple(symbols)
        self.parameters = dict(parameters or {})
        self.given = frozenset(given)
        self._compiled = cache(self._compile)
        self._value = cache(self._evaluate)

    def __repr__(self) -> str:
        return f"<definition of {self.name}: {self.expression()}>"

    def _repr_markdown_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    @property
    def names(self) -> set[str]:
        """The names of the keyword parameters: those with symbols, and the choices."""
        return {*self.parameters, *self._choices()}

    def expression(self, *arguments: Argument, **parameters: Any) -> sp.Expr:
        """The loss at `arguments`; the book's own symbols where none are given."""
        unknown = sorted(set(parameters) - self.names)
        if unknown:
            raise TypeError(f"{self.name} has no parameter {unknown}; it has {sorted(self.names)}")
        return self.formula(*(arguments or self.symbols), **{**self.parameters, **parameters})

    def latex(self, **parameters: Any) -> str:
        """The formula in the book's notation, natural logarithms written ln."""
        return latex(self.expression(**parameters))

    def oracle(self, *arguments: Any, digits: int = 50, **parameters: Any) -> mpmath.mpf:
        """Value at given numbers (a float is taken exactly), right to `digits` digits.

        Vectors are sequences of numbers, matrices sequences of rows. Raises TypeError for a parameter that is
        missing or unknown.
        """
        return self._value(None, _map(_itself, arguments), _settled(parameters), digits)

    def gradient_oracle(self, *arguments: Any, digits: int = 50, of: int = 0, **parameters: Any) -> Any:
        """Derivative in argument `of`, the prediction by default, in the shape of that argument."""
        found, given = iter(range(_size(arguments[of]))), (_map(_itself, arguments), _settled(parameters))
        return _map(lambda _: self._value((of, next(found)), *given, digits), arguments[of])

    def _choices(self) -> set[str]:
        return {name for name in self.given if isinstance(name, str)}

    def _evaluate(
        self,
        component: tuple[int, int] | None,
        arguments: tuple[Any, ...],
        given: tuple[tuple[str, Any], ...],
        digits: int,
    ) -> mpmath.mpf:
        parameters = dict(given)
        if set(parameters) - self._choices() != set(self.parameters):
            raise TypeError(
                f"{self.name} needs the parameters {sorted(self.parameters)}, got {sorted(parameters)}"
            )
        templates = tuple(
            _frozen(argument) if i in self.given else _map(lambda _: None, argument)
            for i, argument in enumerate(arguments)
        )
        choices = tuple((name, _frozen(value)) for name, value in parameters.items() if name in self.given)
        function = self._compiled(component, templates, choices)
        numbers = [x for i, a in enumerate(arguments) if i not in self.given for x in _leaves(a)]
        numbers += [parameters[name] for name in self.parameters]
        previous = None
        while True:
            with mpmath.workdps(digits):
                value = function(*(mpmath.mpf(x) for x in numbers))
                settled = previous is not None and mpmath.almosteq(value, previous, _AGREEMENT, 0)
            if settled and (value != 0 or digits > _DIGITS_BELOW_FLOAT64):
                return value
            if digits > _DIGITS_BELOW_FLOAT64 and abs(value) < _ROUNDING_OF_ZERO:
                return mpmath.mpf(0)
            previous, digits = value, max(2 * digits, _DIGITS_OF_A_SUM)

    def _compile(
        self,
        component: tuple[int, int] | None,
        templates: tuple[Any, ...],
        choices: tuple[tuple[str, Any], ...],
    ) -> Callable[..., Any]:
        fresh = (sp.Symbol(f"x{i}", real=True) for i in count())
        arguments = [
            template if i in self.given else _map(lambda _: next(fresh), template)
            for i, template in enumerate(templates)
        ]
        expression = self.expression(*arguments, **dict(choices))
        if component is not None:
            argument, position = component
            expression = sp.diff(expression, list(_leaves(arguments[argument]))[position])
        flat = [x for i, a in enumerate(arguments) if i not in self.given for x in _leaves(a)]
        one_branch = not expression.has(sp.Piecewise)  # shared parts are computed for branches not taken, too
        compiled: Callable[..., Any] = sp.lambdify(
            [*flat, *self.parameters.values()], expression, "mpmath", cse=one_branch
        )
        return compiled


def _is_nested(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _map(change: Callable[[Any], Any], value: Any) -> Any:
    return tuple(_map(change, part) for part in value) if _is_nested(value) else change(value)


def _itself(value: Any) -> Any:
    return value


def _settled(parameters: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Parameters by name, in a form that can be remembered."""
    return tuple((name, _map(_itself, value)) for name, value in parameters.items())


def _leaves(value: Any) -> Iterator[Any]:
    if _is_nested(value):
        for part in value:
            yield from _leaves(part)
    else:
        yield value


def _size(value: Any) -> int:
    return sum(1 for _ in _leaves(value))


def _frozen(value: Any) -> Any:
    return _map(lambda x: sp.Rational(x) if isinstance(x, float) else x, value)
