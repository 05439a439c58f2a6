"""How a learner's answer to a derivation is judged: a sympy expression, numbers, or one of some choices.

Two expressions count as equal when they agree to 25 digits at random exact values of their symbols. That decides as
surely as algebra does for the formulas of a derivation, and it cannot run on and on as simplifying can.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import sympy as sp

from .calling import Wrong, article
from .checking import guarded
from .results import FAILED, NOT_YET, PASSED, Result
from .tasks import Answer, Part, Question

_DECIMALS_AGREE = 1e-3
_DECIMALS_CLOSE = 2e-2
_PLACES_AGREE = 1e-4
_PLACES_CLOSE = 1e-3
_SAMPLES = 8
_DIGITS = 40
_NOT_FINITE = (sp.nan, sp.zoo, sp.oo, -sp.oo)
_AGREEMENT = sp.Float(10, _DIGITS) ** -25


def judge_answer(question: Question, given: Mapping[str, object]) -> Result:
    """The result of comparing the learner's answers with those of ``question``, part by part."""
    return guarded(question.id, lambda: _judge_parts(question, given))


def _judge_parts(question: Question, given: Mapping[str, object]) -> Result:
    unknown = sorted(set(given) - set(question.parts))
    if unknown:
        raise Wrong(f"This question asks for {_asked(question)}.")
    missing = [name for name in question.parts if given.get(name, ...) is None or given.get(name, ...) is ...]
    if len(missing) == len(question.parts):
        return Result(
            question.id, NOT_YET, ("Put your answer in place of the dots, then run this cell again.",)
        )
    findings = {
        name: _judge_part(part, given[name]) for name, part in question.parts.items() if name not in missing
    }
    notes = [_note(name, finding) for name, finding in findings.items() if finding or len(question.parts) > 1]
    notes += [f"○ {name}: not yet" for name in missing]
    status = FAILED if any(findings.values()) else NOT_YET if missing else PASSED
    return Result(question.id, status, tuple(notes))


def _asked(question: Question) -> str:
    names = [name for name in question.parts if name]
    return (
        f"answers by name: {', '.join(f'{name}=…' for name in names)}"
        if names
        else "one answer, without a name"
    )


def _note(name: str, finding: str) -> str:
    if not name:
        return finding
    return f"✗ {name}: {finding}" if finding else f"✓ {name}"


def _judge_part(part: Part, given: object) -> str:
    """What is wrong with an answer; empty where it is right."""
    if part.choices:
        return _judge_choice(part, given)
    right = _row(part.value)
    if isinstance(given, str):
        return "Write your answer without quotes."
    if isinstance(given, sp.logic.boolalg.BooleanFunction):
        return "Python writes a power as p**q; the sign ^ means something else."
    try:
        answer = tuple(_expression(item, part) for item in _items(given))
    except (sp.SympifyError, TypeError, ValueError, AttributeError):
        return f"Type a number or a sympy expression; this is {article(given)}."
    if len(answer) != len(right):
        return f"This asks for {_count(right)}; you give {len(answer)}."
    known = _symbols(part)
    foreign = sorted({str(s) for entry in answer for s in entry.free_symbols if s not in known})
    if foreign:
        allowed = ", ".join(sorted(str(s) for s in known)) or "no symbol: the answer is a number"
        return f"Your answer contains {', '.join(foreign)}; it may contain {allowed}."
    if _equivalent(answer, right, part):
        return ""
    for wrong in part.wrong_answers:
        if _equivalent(answer, _row(wrong.behaviour), part):
            return wrong.hint
    if any(entry.has(*_NOT_FINITE) for entry in answer):
        return "Not this: the answer is finite."
    if _are_close(answer, right):
        return "Close. Give four significant digits, or the exact expression."
    if _are_close(tuple(entry / 100 for entry in answer), right) and all(0 < value <= 1 for value in right):
        return "This is a hundred times the answer. Give shares as numbers between 0 and 1, not in per cent."
    if any(value.free_symbols for value in right) and not any(entry.free_symbols for entry in answer):
        return f"This is a number; the question asks for a formula in {', '.join(sorted(map(str, known)))}."
    return "Not this. Check each step of your derivation by putting in numbers."


def _judge_choice(part: Part, given: object) -> str:
    if isinstance(given, str) and given == part.value:
        return ""
    if not isinstance(given, str) or given not in part.choices:
        return f"Choose one of {', '.join(map(repr, part.choices))}."
    return next((wrong.hint for wrong in part.wrong_answers if wrong.behaviour == given), "Not this one.")


def _row(value: Answer) -> tuple[sp.Expr, ...]:
    return value if isinstance(value, tuple) else (value,)


def _count(row: tuple[sp.Expr, ...]) -> str:
    return "one answer" if len(row) == 1 else f"{len(row)} numbers in order, as a list"


def _items(given: object) -> list[Any]:
    """The entries of a list, tensor or matrix, row by row; anything else alone."""
    listed = given.tolist() if hasattr(given, "tolist") else given
    if isinstance(listed, (tuple, list, sp.Tuple)):
        return [item for one in listed for item in _items(one)]
    return [listed]


def _expression(given: object, part: Part) -> sp.Expr:
    """The answer as an expression in the book's symbols, which are known by their names."""
    if isinstance(given, (str, bool)):
        raise TypeError
    expression = sp.sympify(given, strict=True)
    if not isinstance(expression, sp.Expr):
        raise TypeError
    by_name = {s.name: s for s in _symbols(part)}
    return expression.xreplace({s: by_name.get(s.name, s) for s in expression.free_symbols})


def _symbols(part: Part) -> set[sp.Symbol]:
    values = [part.value, *(wrong.behaviour for wrong in part.wrong_answers)]
    return set().union(*(entry.free_symbols for value in values for entry in _row(value)))


def _equivalent(given: tuple[sp.Expr, ...], values: tuple[sp.Expr, ...], part: Part) -> bool:
    """Whether all entries are equal; a small one among large ones may be rounded as these are."""
    if len(given) != len(values):
        return False
    if any(entry.has(*_NOT_FINITE) for entry in (*given, *values)):
        return given == values
    rounding = _PLACES_AGREE * _largest(values)
    return all(_equal(one, other, part, rounding) for one, other in zip(given, values))


def _largest(values: tuple[sp.Expr, ...]) -> float:
    return max((abs(float(value)) for value in values if not value.free_symbols), default=0.0)


def _equal(given: sp.Expr, value: sp.Expr, part: Part, rounding: float) -> bool:
    """Equal in the ranges of the symbols; a decimal number is right within 0.1 % of the value, or within rounding."""
    if given.has(sp.Float) and not given.free_symbols:
        return _within(given, value, _DECIMALS_AGREE, rounding)
    exact = sp.nsimplify(given, rational=True)
    symbols = sorted(exact.free_symbols | value.free_symbols, key=str)
    restricted = {s: part.ranges[s] for s in symbols if s in part.ranges}
    return all(
        _same_number(exact.subs(point), value.subs(point)) for point in _points(tuple(symbols), restricted)
    )


def _points(symbols: tuple[sp.Symbol, ...], restricted: Mapping[sp.Symbol, sp.Expr]) -> list[dict[Any, Any]]:
    """Random values of the symbols, one dictionary a point; without symbols a single empty one."""
    source = random.Random(0)
    points = []
    for _ in range(_SAMPLES if symbols else 1):
        free = {s: _sample(s, source) for s in symbols}
        points.append({s: restricted[s].subs(s, free[s]) if s in restricted else free[s] for s in symbols})
    return points


def _sample(symbol: sp.Symbol, source: random.Random) -> sp.Expr:
    if symbol.is_integer:
        return sp.Integer(source.randint(2, 9))
    number = sp.Rational(source.randint(1, 999), 337)
    return number if symbol.is_nonnegative else number * source.choice((-1, 1))


def _same_number(given: sp.Expr, value: sp.Expr) -> bool:
    one, other = given.evalf(_DIGITS), value.evalf(_DIGITS)
    if not (one.is_number and one.is_finite):
        return False
    return bool(abs(one - other) <= _AGREEMENT * (1 + abs(other)))


def _are_close(given: tuple[sp.Expr, ...], values: tuple[sp.Expr, ...]) -> bool:
    rounding = _PLACES_CLOSE * _largest(values)
    return all(
        not one.free_symbols and _within(one, other, _DECIMALS_CLOSE, rounding)
        for one, other in zip(given, values)
    )


def _within(given: sp.Expr, value: sp.Expr, share: float, rounding: float = 0.0) -> bool:
    if value.free_symbols or not given.is_real:
        return False
    return bool(abs(given.evalf() - value) <= max(share * abs(value), rounding))
