"""How a learner's function or answer is judged.

Nothing here raises at the learner: whatever a function does becomes a result that says what happened.
"""

from __future__ import annotations

import inspect
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sympy as sp
import torch

from ..symbolic.proof import is_zero
from .results import FAILED, NOT_YET, PASSED, Result
from .tasks import Function, Part, Question, Task

SECONDS = 10.0
"""How long a check lets the learner's function run."""

_REPEAT = 0.2
_DECIMALS_AGREE = 1e-3
_DECIMALS_CLOSE = 2e-2


class _OutOfTime(BaseException):
    """Not an Exception, so that a learner's ``except Exception`` inside an endless loop cannot swallow it."""


class _Wrong(Exception):
    """A finding about the learner's function, in words for the learner."""


def judge(task: Task, function: object) -> Result:
    """The result of checking ``function`` against ``task``."""
    if function is None or function is ...:
        return Result(task.id, NOT_YET, ("Write the function, then run this cell again.",))
    if not callable(function):
        return Result(task.id, FAILED, (f"Pass the function itself; this is {_article(function)}.",))
    return _guarded(task.id, lambda: _judge_function(task, function))


def judge_answer(question: Question, given: Mapping[str, object]) -> Result:
    """The result of comparing the learner's answers with those of ``question``, part by part."""
    return _guarded(question.id, lambda: _judge_parts(question, given))


def _guarded(name: str, judged: Callable[[], Result]) -> Result:
    try:
        with _time_limit(SECONDS):
            return judged()
    except NotImplementedError:
        return Result(name, NOT_YET, ("Write the function, then run this cell again.",))
    except _OutOfTime:
        return Result(name, FAILED, (f"Still running after {SECONDS:g} seconds. Is there a loop that never ends?",))
    except _Wrong as finding:
        return Result(name, FAILED, (str(finding),))


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Interrupt what runs longer. Without alarm signals (Windows, a side thread) there is no limit."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise _OutOfTime

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, _REPEAT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _judge_function(task: Task, function: Function) -> Result:
    differing = _first_difference(task, function)
    if differing:
        for wrong in task.wrong_answers:
            if all(_agree(task, value, wrong.behaviour(*case)) for case, value, _ in differing):
                raise _Wrong(wrong.hint)
    asked = _watched(task, function)
    for required in task.properties:
        if not required.holds(asked):
            raise _Wrong(required.hint)
    if differing:
        case, value, right = differing[0]
        raise _Wrong(f"{_place(task, case)} you return {_shown(value)}; the right value is {_shown(right)}.")
    return Result(task.id, PASSED)


def _first_difference(task: Task, function: Function) -> list[tuple[tuple[Any, ...], torch.Tensor, torch.Tensor]]:
    """Cases, learner's values and right values of the first group of inputs in which some value is not right."""
    call = _watched(task, function)
    for cases in task.inputs.values():
        outcomes = [(case, call(*case), task.reference(*case)) for case in cases]
        differing = [outcome for outcome in outcomes if not _agree(task, outcome[1], outcome[2])]
        if differing:
            return differing
    return []


def _watched(task: Task, function: Function) -> Callable[..., torch.Tensor]:
    """The learner's function, called with copies, its surprises turned into findings."""

    def call(*arguments: Any) -> torch.Tensor:
        copies = tuple(a.clone() if isinstance(a, torch.Tensor) else a for a in arguments)
        try:
            value = function(*copies)
        except NotImplementedError:
            raise
        except (Exception, SystemExit) as surprise:
            what = f"{type(surprise).__name__}: {surprise}".rstrip(": ")
            raise _Wrong(f"{_place(task, arguments)} your function raised {what}.") from None
        for name, before, after in zip(_names(task), arguments, copies):
            if isinstance(before, torch.Tensor) and not _same(before, after):
                raise _Wrong(f"Your function changes its input {name} in place. Work on a new tensor.")
        if value is None:
            raise _Wrong("Your function returns None. Is a return missing?")
        if not isinstance(value, torch.Tensor):
            raise _Wrong(f"Return a tensor; {_place(task, arguments)} your function returned {_article(value)}.")
        expected = task.reference(*arguments)
        for what, got, wanted in (
            ("a tensor of shape", tuple(value.shape), tuple(expected.shape)),
            ("the type", value.dtype, expected.dtype),
            ("a tensor on", value.device, expected.device),
        ):
            if got != wanted:
                raise _Wrong(f"{_place(task, arguments)} your function returns {what} {got}; it must be {wanted}.")
        return value.detach()

    return call


def _agree(task: Task, value: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(value, other, rtol=task.tolerance, atol=0.0, equal_nan=True)


def _same(before: torch.Tensor, after: torch.Tensor) -> bool:
    return before.shape == after.shape and torch.equal(before.nan_to_num(), after.nan_to_num())


def _names(task: Task) -> list[str]:
    return list(inspect.signature(task.reference).parameters)


def _place(task: Task, arguments: tuple[Any, ...]) -> str:
    return "At " + ", ".join(f"{name} = {_shown(a)}" for name, a in zip(_names(task), arguments))


def _shown(value: object) -> str:
    if not isinstance(value, torch.Tensor):
        return repr(value)
    if value.ndim == 0:
        return f"{value.item():.6g}"
    return f"a tensor of shape {tuple(value.shape)}"


def _article(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _judge_parts(question: Question, given: Mapping[str, object]) -> Result:
    unknown = sorted(set(given) - set(question.parts))
    if unknown:
        raise _Wrong(f"This question has no part {unknown[0]!r}; it asks for {_parts(question)}.")
    missing = [name for name in question.parts if given.get(name, ...) in (None, ...)]
    if len(missing) == len(question.parts):
        return Result(question.id, NOT_YET, ("Put your answer in place of the dots, then run this cell again.",))
    findings = {
        name: _judge_value(part, given[name]) for name, part in question.parts.items() if name not in missing
    }
    notes = [_note(name, finding) for name, finding in findings.items() if finding or len(question.parts) > 1]
    notes += [f"○ {name}: not yet" for name in missing]
    status = FAILED if any(findings.values()) else NOT_YET if missing else PASSED
    return Result(question.id, status, tuple(notes))


def _parts(question: Question) -> str:
    return ", ".join(name or "one value, without a name" for name in question.parts)


def _note(name: str, finding: str) -> str:
    if not name:
        return finding
    return f"✗ {name}: {finding}" if finding else f"✓ {name}"


def _judge_value(part: Part, given: object) -> str:
    """What is wrong with an answer; empty where it is right."""
    if part.choices:
        return _judge_choice(part, given)
    try:
        expression = _expression(given, part)
    except (sp.SympifyError, TypeError, ValueError, AttributeError):
        return f"Type a number or a sympy expression; this is {_article(given)}."
    if expression.has(sp.nan, sp.zoo, sp.oo, -sp.oo):
        return "Not this: the answer is finite."
    known = _symbols(part)
    foreign = sorted(str(s) for s in expression.free_symbols if s not in known)
    if foreign:
        allowed = ", ".join(sorted(str(s) for s in known)) or "no symbol: the answer is a number"
        return f"Your answer contains {', '.join(foreign)}; it may contain {allowed}."
    if _equivalent(expression, part.value):
        return ""
    for wrong in part.wrong_answers:
        if _equivalent(expression, wrong.behaviour):
            return wrong.hint
    if _is_close(expression, part.value):
        return "Close. Give four significant digits, or the exact expression."
    return "Not this. Check each step of your derivation, for example with a finite difference."


def _judge_choice(part: Part, given: object) -> str:
    if given == part.value:
        return ""
    if given not in part.choices:
        return f"Choose one of {', '.join(map(repr, part.choices))}."
    return next((wrong.hint for wrong in part.wrong_answers if wrong.behaviour == given), "Not this one.")


def _expression(given: object, part: Part) -> sp.Expr:
    """The answer as an expression in the book's symbols, which are known by their names."""
    if isinstance(given, (str, bool)):
        raise TypeError
    expression = sp.sympify(given.item() if isinstance(given, torch.Tensor) else given, strict=True)
    if not isinstance(expression, sp.Expr):
        raise TypeError
    by_name = {s.name: s for s in _symbols(part)}
    return expression.xreplace({s: by_name.get(s.name, s) for s in expression.free_symbols})


def _symbols(part: Part) -> set[sp.Symbol]:
    values = [part.value, *(wrong.behaviour for wrong in part.wrong_answers)]
    return set().union(*(sp.sympify(value).free_symbols for value in values))


def _equivalent(given: sp.Expr, value: sp.Expr) -> bool:
    """Equal as expressions; a decimal number is right when it is within 0.1 % of the value."""
    if given.has(sp.Float) and not given.free_symbols:
        return _within(given, value, _DECIMALS_AGREE)
    return is_zero(sp.nsimplify(given, rational=True) - value) is not False


def _is_close(given: sp.Expr, value: sp.Expr) -> bool:
    return not given.free_symbols and _within(given, value, _DECIMALS_CLOSE)


def _within(given: sp.Expr, value: sp.Expr, share: float) -> bool:
    if sp.sympify(value).free_symbols or not given.is_real:
        return False
    return bool(abs(given.evalf() - value) <= share * abs(value))
