"""What a proof is: a statement, its hypotheses and steps that check themselves when they are built.

A step holds words, what is shown (LaTeX) and how it was checked. `equal`, `limit`, `positive`, `solves` and
`holds_for` let sympy check the step and raise `FalseStep`, naming it, where it does not hold; `argument` is a step
of reasoning that no computer algebra checked, and is shown as such.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits

from ..claims import claim
from .definition import CLASSES
from .typeset import latex

_SAMPLES = 6
_DIGITS = 40
_TOLERANCE = sp.Float(10) ** -25
_SIZES = (1, 2, 5)


class FalseStep(ValueError):
    """A step of a proof that does not hold, or that sympy could not decide."""


@dataclass(frozen=True)
class Step:
    """One step: `words`, the `shown` LaTeX, and `checked`: how the machine checked it (empty for an argument)."""

    words: str
    shown: str = ""
    checked: str = ""

    def markdown(self, number: int) -> str:
        mark = "✓" if self.checked else "○"
        how = f" *({self.checked})*" if self.checked else " *(by argument)*"
        display = f"\n\n$$\n{self.shown}\n$$" if self.shown else ""
        return f"**{number}** {mark} {self.words}{how}{display}"


@dataclass(frozen=True)
class Proof:
    """A checked derivation, shown as Markdown in a notebook and on the page.

    `claims` are ids of the ledger (an unknown id raises), `statement` and `hypotheses` are Markdown, `scope` says
    how far the proof reaches ("every K", "K = 2…6", "numeric, 1000 draws").
    """

    claims: tuple[str, ...]
    statement: str
    hypotheses: tuple[str, ...]
    scope: str
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        for identifier in self.claims:
            claim(identifier)
        if not any(step.checked for step in self.steps):
            raise FalseStep(f"proof of {', '.join(self.claims)}: no step is checked by machine")

    @property
    def checked(self) -> int:
        """Number of steps that sympy checked."""
        return sum(bool(step.checked) for step in self.steps)

    def __repr__(self) -> str:
        return (
            f"<proof of {', '.join(self.claims)}: {self.checked} of {len(self.steps)} steps checked by sympy>"
        )

    def _repr_markdown_(self) -> str:
        given = f"\n\n*Given:* {'; '.join(self.hypotheses)}." if self.hypotheses else ""
        steps = "\n\n".join(step.markdown(i) for i, step in enumerate(self.steps, start=1))
        end = f"∎ *Holds for {self.scope}. Checked by sympy: {self.checked} of {len(self.steps)} steps.*"
        return f"**To show.** {self.statement}{given}\n\n{steps}\n\n{end}"


def argument(words: str, shown: str = "") -> Step:
    """A step of reasoning without computer algebra."""
    return Step(words, shown)


def equal(words: str, left: sp.Expr, right: sp.Expr, *, name: str | None = None) -> Step:
    """`left` and `right` are the same for every value of their symbols; `name` is how the left side is written."""
    _zero(words, left - right)
    return Step(words, f"{name or latex(left)} = {latex(right)}", "sympy: the difference is 0")


def derivative(
    words: str, expression: sp.Expr, variable: sp.Symbol, value: sp.Expr, *, order: int = 1
) -> Step:
    """The derivative of `expression` in `variable` is `value`."""
    _zero(words, sp.diff(expression, variable, order) - value)
    power = f"^{order}" if order > 1 else ""
    left = rf"\frac{{\partial{power}}}{{\partial {latex(variable)}{power}}}\left[{latex(expression)}\right]"
    return Step(words, f"{left} = {latex(value)}", "sympy: differentiated, the difference is 0")


def limit(
    words: str, expression: sp.Expr, variable: sp.Symbol, point: sp.Expr, value: sp.Expr, side: str = "+"
) -> Step:
    """`expression` tends to `value` as `variable` tends to `point`; at a finite point from above ("+") or below ("-")."""
    t = sp.Dummy("t", positive=True)
    if point.is_infinite:
        approach, target = t * sp.sign(point), sp.oo
    else:
        approach, target = (point + t if side == "+" else point - t), sp.Integer(0)
    found = sp.limit(expression.subs(variable, approach), t, target)
    if found != value and is_zero(found - value) is not True:
        raise FalseStep(f'step "{words}" is false: the limit is {found}, not {value}')
    arrow = r"\to" if point.is_infinite else {"+": r"\downarrow", "-": r"\uparrow"}[side]
    left = rf"\lim_{{{latex(variable)} {arrow} {latex(point)}}} {latex(expression)}"
    return Step(words, f"{left} = {latex(value)}", "sympy: limit")


def positive(words: str, expression: sp.Expr, form: sp.Expr | None = None, *, strictly: bool = True) -> Step:
    """`expression` is positive (or non-negative): it equals `form`, whose sign follows from the symbols' assumptions."""
    shape = expression if form is None else form
    if form is not None:
        _zero(words, expression - form)
    sign = shape.is_positive if strictly else shape.is_nonnegative
    if sign is not True:
        raise FalseStep(f'step "{words}" is {"false" if sign is False else "undecided"}: the sign of {shape}')
    middle = "" if shape == expression else f" = {latex(form)}"
    relation = ">" if strictly else r"\geq"
    return Step(words, f"{latex(expression)}{middle} {relation} 0", "sympy: sign from the symbols' ranges")


def solves(
    words: str, equation: sp.Expr, variable: sp.Symbol, solution: sp.Expr, domain: sp.Set = sp.Reals
) -> Step:
    """`equation` = 0 has exactly one solution in `domain`, and it is `solution`."""
    found = sp.solveset(equation, variable, domain)
    if not isinstance(found, sp.FiniteSet) or len(found) != 1:
        raise FalseStep(f'step "{words}" is false: the solutions are {found}')
    _zero(words, next(iter(found)) - solution)
    shown = rf"{latex(equation)} = 0 \iff {latex(variable)} = {latex(solution)}"
    return Step(words, shown, "sympy: solved, one solution")


def holds_for(
    words: str, cases: Iterable[object], holds: Callable[..., bool], *, shown: str = "", named: str
) -> Step:
    """`holds(case)` is true for every one of `cases`; `named` says which they are ("K = 2…6")."""
    checked = 0
    for case in cases:
        if not holds(case):
            raise FalseStep(f'step "{words}" is false for {case}')
        checked += 1
    if not checked:
        raise FalseStep(f'step "{words}": no case was checked')
    return Step(words, shown, f"sympy: checked for {named}")


@cache
def is_zero(expression: sp.Expr) -> bool | None:
    """Whether `expression` vanishes identically; None where neither numbers nor algebra decide."""
    expression = sp.sympify(expression)
    if sp.expand(expression) == 0:
        return True
    if not _vanishes_at_samples(expression):
        return False
    for simplified in _simplifications(expression):
        if simplified == 0:
            return True
    return None


def _zero(words: str, difference: sp.Expr) -> None:
    entries = list(difference) if isinstance(difference, sp.MatrixBase) else [difference]
    for entry in entries:
        verdict = is_zero(entry)
        if verdict is not True:
            state = "false" if verdict is False else "undecided"
            raise FalseStep(f'step "{words}" is {state}: the two sides differ by {entry}')


def _simplifications(expression: sp.Expr) -> Iterable[sp.Expr]:
    for form in (expression.doit(), expression.doit().rewrite(sp.exp)):
        yield sp.expand(sp.numer(sp.together(_apart(form))))
    yield sp.simplify(expression.doit())
    yield sp.simplify(sp.expand_log(sp.expand(expression.doit()), force=True))
    yield sp.simplify(sp.logcombine(expression.doit(), force=True))
    yield sp.simplify(expression.doit().rewrite(sp.exp))


def _apart(expression: sp.Expr) -> sp.Expr:
    """With sums for the logarithms of products: far faster than `simplify`, and mostly enough."""
    return expression.replace(
        sp.log, lambda inside: sp.expand_log(sp.log(sp.factor(sp.expand(inside))), force=True)
    )


def _vanishes_at_samples(expression: sp.Expr) -> bool:
    """Evaluate at random points that respect the symbols' assumptions: a difference that shows there is no zero."""
    source = random.Random(0)
    sizes = _SIZES if expression.has(CLASSES) else _SIZES[:1]
    forms = [expression.subs(CLASSES, size).doit() for size in sizes]
    for i in range(_SAMPLES):
        closed = forms[i % len(forms)]
        atoms = closed.atoms(sp.Indexed) | {s for s in closed.free_symbols if isinstance(s, sp.Symbol)}
        atoms -= {base.label for base in closed.atoms(sp.IndexedBase)}
        point = {a: _sample(a, source) for a in sorted(atoms, key=sp.default_sort_key)}
        # xreplace is ten times faster, but would replace bound variables, too
        bound = closed.has(sp.Derivative, sp.Subs, ExprWithLimits)
        value = (closed.subs(point) if bound else closed.xreplace(point)).evalf(_DIGITS)
        if value.is_number and value.is_finite and abs(value) > _TOLERANCE:
            return False
    return True


def _sample(atom: sp.Expr, source: random.Random) -> sp.Expr:
    if atom.is_integer:
        return sp.Integer(source.randint(1, 6))
    number = sp.Rational(source.randint(1, 999), 337)
    if atom.is_positive or atom.is_nonnegative:
        return number
    return number * source.choice((-1, 1))
