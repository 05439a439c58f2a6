"""How a learner's function is judged.

Nothing here raises at the learner: whatever a function does becomes a result that says what happened.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from .calling import Outcome, Wrong, article, outcome, pair, parts, place, stays_on_its_device, watched
from .results import FAILED, NOT_YET, PASSED, Result
from .tasks import Arguments, Function, Task

SECONDS = 10.0
"""How long a check lets the learner's function run."""

_REPEAT = 0.2
_UNWRITTEN = ("Write the function, then run this cell again.",)


class _OutOfTime(BaseException):
    """Not an Exception, so that a learner's ``except Exception`` inside an endless loop cannot swallow it."""


def judge(task: Task, function: object) -> Result:
    """The result of checking ``function`` against ``task``."""
    if function is None or function is ...:
        return Result(task.id, NOT_YET, _UNWRITTEN)
    if not callable(function):
        return Result(task.id, FAILED, (f"Pass the function itself; this is {article(function)}.",))
    return guarded(task.id, lambda: _judge_function(task, function))


def guarded(name: str, judged: Callable[[], Result]) -> Result:
    """What ``judged`` returns; a result in words where it raises or does not end."""
    try:
        with _time_limit(SECONDS):
            return judged()
    except NotImplementedError:
        return Result(name, NOT_YET, _UNWRITTEN)
    except _OutOfTime:
        what = f"Still running after {SECONDS:g} seconds. Is there a loop that never ends?"
    except Wrong as finding:
        what = str(finding)
    except Exception as surprise:  # noqa: BLE001 - a learner's value can surprise any code that looks at it
        what = f"The check could not finish with what you gave: {type(surprise).__name__}: {surprise}"
    return Result(name, FAILED, (what,))


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
            if all(
                _agree(task, case, got, outcome(task, wrong.behaviour, case)) for case, got, _ in differing
            ):
                raise Wrong(wrong.hint)
    asked = watched(task, function)
    for required in task.properties:
        if not required.holds(asked):
            raise Wrong(required.hint)
    if differing:
        raise Wrong(_difference(task, *differing[0]))
    stays_on_its_device(task, function)
    return Result(task.id, PASSED)


def _first_difference(task: Task, function: Function) -> list[tuple[Arguments, Outcome, Outcome]]:
    """Cases, what the learner's function gives there and what is right, of the first group in which some differ."""
    asked = watched(task, function)
    for cases in task.inputs.values():
        outcomes = [(case, outcome(task, asked, case), outcome(task, task.reference, case)) for case in cases]
        differing = [found for found in outcomes if not _agree(task, *found)]
        if differing:
            return differing
    return []


def _agree(task: Task, case: Arguments, got: Outcome, right: Outcome) -> bool:
    return _values_agree(task, case, got, right) and all(
        _close(task, one, other) for one, other in zip(got.slopes, right.slopes)
    )


def _values_agree(task: Task, case: Arguments, got: Outcome, right: Outcome) -> bool:
    if task.agrees:
        return task.agrees(case, got.value, right.value)
    mine, theirs = parts(got.value), parts(right.value)
    return len(mine) == len(theirs) and all(_close(task, one, other) for one, other in zip(mine, theirs))


def _close(task: Task, one: Tensor | float, other: Tensor | float) -> bool:
    first, second = torch.as_tensor(one), torch.as_tensor(other)
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    return torch.allclose(first, second, rtol=task.tolerance, atol=task.absolute, equal_nan=True)


def _difference(task: Task, case: Arguments, got: Outcome, right: Outcome) -> str:
    if _values_agree(task, case, got, right):
        slope, wanted = next(
            (one, other) for one, other in zip(got.slopes, right.slopes) if not _close(task, one, other)
        )
        of = " of a weighted sum of your values" if slope.numel() > 1 else ""
        return (
            f"{place(task, case)} your value is right, but autograd through your function gives the gradient "
            f"{pair(slope, wanted, f'{of}; the right one is')}."
        )
    right_is = "right would be" if task.agrees else "the right value is"
    return f"{place(task, case)} you return {pair(got.value, right.value, f'; {right_is}')}."
