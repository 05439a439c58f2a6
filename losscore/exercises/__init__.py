"""The exercises: check a function, answer a question, use what is right, see the solution, see what is next.

>>> from losscore.exercises import check
>>> def expected_loss(q, p, kind):
...     raise NotImplementedError
>>> check("two-scores.expected_loss", expected_loss)
○ two-scores.expected_loss: not yet
  Write the function, then run this cell again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

from .checking import judge, judge_answer
from .results import NOT_YET, Progress, Result, Solution
from .tasks import Exercise, Question, Task

__all__ = ["answer", "check", "exercises", "progress", "solution", "solution_sources", "use"]

_MODULES = ("two_scores",)

F = TypeVar("F", bound=Callable[..., Any])

_latest: dict[str, Result] = {}


def exercises() -> dict[str, Exercise]:
    """Every exercise by its id, in the order of the book."""
    found = (import_module(f"{__name__}.{module}").EXERCISE for module in _MODULES)
    return {exercise.id: exercise for exercise in found}


def check(task: str, function: object) -> Result:
    """Check a learner's function against the task ``task``, such as ``"two-scores.expected_loss"``.

    Nothing that the function does raises here: it becomes a result that says what happened. A function that raises
    ``NotImplementedError``, as the stubs do, is "not yet".

    Raises:
        ValueError: if there is no such task.
    """
    return _remember(judge(_find(task, Task), function))


def use(task: str, function: F) -> F:
    """The learner's function if it passes its check, else the book's own, so that a page always runs to its end.

    Prints which of the two it is.

    Raises:
        ValueError: if there is no such task.
    """
    found = _find(task, Task)
    if check(task, function).ok:
        print(f"{task}: using your function.")
        return function
    print(f"{task}: using the book's function until yours passes its check.")
    reference: F = found.reference
    return reference


def answer(question: str, value: object = ..., /, **parts: object) -> Result:
    """Compare the answer to a derivation with the right one: a number, a sympy expression or one of some choices.

    A question with several parts takes them by name: ``answer("two-scores.minimum", cross_entropy=…, brier=…)``.
    Symbols are known by their names, and equality is decided by sympy; a decimal number must be right to 0.1 %.
    ``...`` and ``None`` are "not yet".

    Raises:
        ValueError: if there is no such question.
    """
    given = parts if value is ... else {"": value, **parts}
    return _remember(judge_answer(_find(question, Question), given))


def solution(name: str) -> Solution:
    """The solution of an exercise, or of one task or question, folded until the reader opens it.

    Raises:
        ValueError: if there is neither an exercise nor a task nor a question of this name.
    """
    known = exercises()
    if name in known:
        items, title = known[name].items, known[name].title
    else:
        item = _find(name)
        items, title = (item,), item.title
    return Solution(title, "\n\n".join(_folded(item) for item in items))


def solution_sources() -> dict[str, str]:
    """The source of every task's solution, by the task's id: what must not stand in a notebook's code."""
    return {item.id: inspect.getsource(item.reference) for item in _items() if isinstance(item, Task)}


def progress() -> Progress:
    """What is solved in this session, and what is next."""
    return Progress(tuple(_latest.get(item.id, Result(item.id, NOT_YET)) for item in _items()))


def _items() -> list[Task | Question]:
    return [item for exercise in exercises().values() for item in exercise.items]


def _remember(result: Result) -> Result:
    _latest[result.task] = result
    return result


def _find(name: str, kind: type[Any] | tuple[type[Any], ...] = (Task, Question)) -> Any:
    items = {item.id: item for item in _items() if isinstance(item, kind)}
    if name not in items:
        raise ValueError(f"there is no {name!r} here; known are {', '.join(items)}")
    return items[name]


def _folded(item: Task | Question) -> str:
    parts = [f"<details>\n<summary>Show the solution: {item.title}</summary>", item.explanation]
    parts += [proof()._repr_markdown_() for proof in item.proofs]
    if isinstance(item, Task):
        parts.append(f"```python\n{solution_sources()[item.id]}```")
    return "\n\n".join([*parts, "</details>"])
