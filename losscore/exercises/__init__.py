"""The exercises: check a function, answer a question, use what is right, see the solution, see what is next.

>>> from losscore.exercises import check
>>> def expected_loss(q, p, kind):
...     raise NotImplementedError
>>> check("two-scores.expected_loss", expected_loss)
○ two-scores.expected_loss: not yet
  Write the function, then run this cell again.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

from .answering import judge_answer
from .checking import judge
from .results import NOT_YET, Cards, Overview, Progress, Result, Solution
from .tasks import Exercise, ProofMaker, Question, Task

__all__ = [
    "answer",
    "cards",
    "check",
    "exercise",
    "exercises",
    "progress",
    "solution",
    "solution_sources",
    "use",
]

_IDS = (
    "two-scores",
    "consistency",
    "misfit",
    "pull",
    "gce",
    "decay",
    "coordinates",
    "soft-targets",
    "vanishing",
    "loaves",
    "found-in-the-wild",
)
"""In the order of the book; the exercise "two-scores" stands in the module two_scores."""

_WITHHELD = "*This edition holds no solutions: it was made to be handed out. Ask whoever gave it to you.*"

F = TypeVar("F", bound=Callable[..., Any])

_latest: dict[str, Result] = {}


def exercises() -> dict[str, Exercise]:
    """Every exercise by its id, in the order of the book."""
    return {name: exercise(name) for name in _IDS}


def exercise(name: str) -> Exercise:
    """The exercise of this id.

    Raises:
        ValueError: if there is none; the message lists those there are.
    """
    if name not in _IDS:
        raise ValueError(f"there is no {name!r} here; known are {', '.join(_IDS)}")
    found = import_module(f"{__name__}.{name.replace('-', '_')}").EXERCISE
    assert isinstance(found, Exercise)
    return found


def cards() -> Cards:
    """What each exercise teaches and needs, and how long it takes."""
    return Cards(tuple(exercises().values()))


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
    reference: F = _find(task, Task).reference
    if check(task, function).ok:
        print(f"{task}: your function.")
        return function
    print(f"{task}: the book's function, until yours passes.")
    return reference


def answer(question: str, value: object = ..., /, **parts: object) -> Result:
    """Compare the answer to a derivation with the right one: a number, a sympy expression or one of some choices.

    A question with several parts takes them by name: ``answer("two-scores.minimum", cross_entropy=…, brier=…)``; one
    that asks for several numbers in order takes a list. Symbols are known by their names, and two expressions are
    equal when they agree at random values of them; a decimal number must be right to 0.1 %. ``...`` and ``None`` are
    "not yet".

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
    if name in _IDS:
        items, title = exercise(name).items, exercise(name).title
    else:
        item = _find(name)
        items, title = (item,), item.title
    if not any(item.explanation for item in items):
        return Solution(title, _WITHHELD)
    return Solution(title, "\n\n".join(_folded(item) for item in items))


def solution_sources(name: str | None = None) -> dict[str, str]:
    """The code of every task's solution, or of those of one exercise, by the task's id, ready for a notebook."""
    chosen = [exercise(name)] if name else exercises().values()
    return {item.id: _source(item) for one in chosen for item in one.items if isinstance(item, Task)}


def progress(name: str | None = None) -> Progress:
    """What is solved in this session, and what is next: in one exercise, or a line for each of all.

    Raises:
        ValueError: if there is no exercise of this name.
    """
    if name is not None:
        return Progress(
            tuple(_latest.get(item.id, Result(item.id, NOT_YET)) for item in exercise(name).items)
        )
    each = {one: progress(one) for one in _IDS}
    return Overview(tuple(result for one in each.values() for result in one.results), each)


def _remember(result: Result) -> Result:
    _latest[result.task] = result
    return result


def _find(name: str, kind: type[Any] | tuple[type[Any], ...] = (Task, Question)) -> Any:
    """The task or question of this name; only its own exercise is loaded, unless the name is unknown."""
    home = name.split(".")[0]
    chosen = [exercise(home)] if home in _IDS else exercises().values()
    items = {item.id: item for one in chosen for item in one.items if isinstance(item, kind)}
    if name not in items:
        raise ValueError(f"there is no {name!r} here; known are {', '.join(items)}")
    return items[name]


def _folded(item: Task | Question) -> str:
    parts = [f"<details>\n<summary>Show the solution: {item.title}</summary>", item.explanation]
    parts += [_derivation(proof) for proof in item.proofs]
    if isinstance(item, Task):
        parts.append(f"```python\n{_source(item)}```")
    return "\n\n".join([*parts, "</details>"])


@cache
def _derivation(proof: ProofMaker) -> str:
    return proof()._repr_markdown_()


def _source(task: Task) -> str:
    """The code of the reference as a learner would write it: without the types in its first line and notes on types."""
    source = re.sub(r"  # type: ignore\[[a-z-]+\]", "", textwrap.dedent(inspect.getsource(task.reference)))
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    signature = inspect.signature(task.reference)
    bare = signature.replace(
        parameters=[p.replace(annotation=p.empty) for p in signature.parameters.values()],
        return_annotation=signature.empty,
    )
    body = source.splitlines(keepends=True)[function.body[0].lineno - 1 :]
    return f"def {function.name}{bare}:\n{''.join(body)}"
