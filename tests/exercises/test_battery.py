"""What every exercise must do, found through the registry: a new exercise is tested without a line of its own here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import sympy as sp
import torch
from torch import Tensor

from losscore.exercises import answer, check, exercises, solution, solution_sources
from losscore.exercises.calling import parts
from losscore.exercises.checking import judge
from losscore.exercises.tasks import (
    EXTREMES,
    Arguments,
    Exercise,
    Function,
    Part,
    Property,
    Question,
    Task,
    WrongAnswer,
)
from tests.exercises.pages import cells, page, run

EXERCISES = exercises()
ITEMS = [item for exercise in EXERCISES.values() for item in exercise.items]
TASKS = [item for item in ITEMS if isinstance(item, Task)]
QUESTIONS = [item for item in ITEMS if isinstance(item, Question)]
PARTS = [(question, name, part) for question in QUESTIONS for name, part in question.parts.items()]
MISTAKES = [(task, wrong) for task in TASKS for wrong in task.wrong_answers]
PROPERTIES = [(task, required) for task in TASKS for required in task.properties]
SLIPS = [(question, name, wrong) for question, name, part in PARTS for wrong in part.wrong_answers]
CASES = [
    (task, group, i) for task in TASKS for group, cases in task.inputs.items() for i in range(len(cases))
]


def named(*things: Any) -> str:
    return "-".join(str(getattr(x, "id", getattr(x, "name", x))) for x in things)


def over(names: str, rows: list[Any]) -> Any:
    many = names.count(",")
    return pytest.mark.parametrize(names, rows, ids=[named(*row) if many else named(row) for row in rows])


def submit(question: Question, name: str, value: object) -> Any:
    """The result of giving ``value`` for one part and the right answers for the others."""
    given = {other: part.value for other, part in question.parts.items() if other} | {name: value}
    return answer(question.id, given[""]) if "" in given else answer(question.id, **given)


# Tasks


@over("task", TASKS)
def test_the_reference_passes_in_two_seconds_and_the_stub_is_not_yet(task: Task) -> None:
    def stub(*arguments: object) -> Tensor:
        raise NotImplementedError

    began = time.process_time()
    assert check(task.id, task.reference).notes == ()
    assert time.process_time() - began < 2
    assert check(task.id, stub).status == "not yet"


@over("task, wrong", MISTAKES)
def test_each_mistake_gets_its_own_hint(task: Task, wrong: WrongAnswer) -> None:
    assert check(task.id, wrong.behaviour).notes == (wrong.hint,)


@over("task, required", PROPERTIES)
def test_each_property_catches_what_nearly_has_it(task: Task, required: Property) -> None:
    assert check(task.id, required.nearly).notes == (required.hint,)


@over("task", TASKS)
def test_hints_differ_and_there_are_enough(task: Task) -> None:
    hints = [wrong.hint for wrong in task.wrong_answers] + [required.hint for required in task.properties]
    assert len(set(hints)) == len(hints) >= 6
    assert EXTREMES in task.inputs and len(task.wrong_answers) >= 4


def off(value: Any, how: str) -> Any:
    if isinstance(value, (tuple, list)):
        return tuple(off(item, how) for item in value)
    value = torch.as_tensor(value)
    if how == "nan":
        return torch.full_like(value, torch.nan)
    return torch.where(value.isfinite(), value + 0.01 * value.abs() + 0.01, torch.zeros_like(value))


def same(one: Arguments, other: Arguments) -> bool:
    return all(
        a.shape == b.shape and torch.equal(a, b) if isinstance(a, Tensor) else a == b
        for a, b in zip(one, other)
    )


@pytest.mark.parametrize("how", ["nan", "off"])
@over("task, group, index", CASES)
def test_wrong_in_one_case_alone_is_caught(task: Task, group: str, index: int, how: str) -> None:
    only = task.inputs[group][index]
    reference = task.reference
    if not any(part.is_floating_point() for part in parts(reference(*only)) if isinstance(part, Tensor)):
        pytest.skip("the value is no floating-point tensor")

    def nearly(*arguments: Any) -> Any:
        value = reference(*arguments)
        return off(value, how) if same(arguments, only) else value

    assert judge(task, nearly).status == "failed"


@over("task", TASKS)
def test_a_tensor_made_on_the_cpu_is_found_without_a_gpu(task: Task) -> None:
    reference = task.reference
    try:
        first = [a.to("meta") if isinstance(a, Tensor) else a for a in next(iter(task.inputs.values()))[0]]
        reference(*first)
    except (RuntimeError, NotImplementedError):
        pytest.skip("the function needs its data, so the meta device cannot stand for a GPU")

    def stranded(*arguments: Any) -> Any:
        value = reference(*arguments)
        whole = parts(value)
        moved = [part + torch.zeros(part.shape, dtype=part.dtype) if part.ndim else part for part in whole]
        return moved[0] if len(moved) == 1 and isinstance(value, Tensor) else tuple(moved)

    if any(part.ndim for part in parts(reference(*first))):
        assert "On a GPU" in check(task.id, stranded).notes[0]


@over("task", TASKS)
def test_the_solution_can_be_pasted_into_the_notebook(task: Task) -> None:
    home, name = task.id.split(".")
    names = run(cells(home)[:1])
    exec(solution_sources(home)[task.id], names)  # noqa: S102 - the book's own solution
    assert check(task.id, names[name]).ok


# Questions


@over("question", QUESTIONS)
def test_right_answers_pass_in_two_seconds(question: Question) -> None:
    name, part = next(iter(question.parts.items()))
    began = time.process_time()
    assert submit(question, name, part.value).ok
    assert time.process_time() - began < 2


def rounded(value: Any) -> Any:
    return (
        [float(f"{float(x):.4g}") for x in value]
        if isinstance(value, tuple)
        else float(f"{float(value):.4g}")
    )


NUMBERS = [
    (question, name, part) for question, name, part in PARTS
    if not part.choices and not any(sp.sympify(x).free_symbols for x in (part.value if isinstance(part.value, tuple) else (part.value,)))
]  # fmt: skip


@pytest.mark.parametrize(("question", "name", "part"), NUMBERS, ids=[named(q, n) for q, n, _ in NUMBERS])
def test_four_digits_are_enough(question: Question, name: str, part: Part) -> None:
    assert submit(question, name, rounded(part.value)).ok


@over("question, name, wrong", SLIPS)
def test_each_slip_gets_its_own_hint(question: Question, name: str, wrong: WrongAnswer) -> None:
    result = submit(question, name, wrong.behaviour)
    assert result.status == "failed"
    assert (f"✗ {name}: {wrong.hint}" if name else wrong.hint) in result.notes


@pytest.mark.parametrize(("question", "name", "part"), PARTS, ids=[named(q, n) for q, n, _ in PARTS])
def test_an_answer_that_no_slip_explains_is_refused(question: Question, name: str, part: Part) -> None:
    if part.choices:
        assert {part.value, *(wrong.behaviour for wrong in part.wrong_answers)} == set(part.choices)
        return
    assert len({wrong.hint for wrong in part.wrong_answers}) >= 1
    value = part.value if isinstance(part.value, tuple) else (part.value,)
    other = [sp.sympify(x) + sp.Rational(1, 10) + abs(sp.sympify(x)) / 100 for x in value]
    assert submit(question, name, other if isinstance(part.value, tuple) else other[0]).status == "failed"


# Exercises


@over("exercise", list(EXERCISES.values()))
def test_ids_belong_to_their_exercise_and_the_card_is_filled(exercise: Exercise) -> None:
    ids = [item.id for item in exercise.items]
    assert len(set(ids)) == len(ids) and all(item.startswith(f"{exercise.id}.") for item in ids)
    assert exercise.teaches.endswith(".") and exercise.needs
    assert 30 <= exercise.minutes <= 120 and 0 < exercise.seconds <= 60


@over("exercise", list(EXERCISES.values()))
def test_solutions_resolve_by_id_and_stay_folded(exercise: Exercise) -> None:
    whole = solution(exercise.id)._repr_markdown_()
    assert whole.count("<details>") == whole.count("</details>") == len(exercise.items)
    assert "<details open" not in whole
    for item in exercise.items:
        text = solution(item.id)._repr_markdown_()
        assert item.explanation and text in whole
        assert text.count("**To show.**") == len(item.proofs)
    proofs = [proof for item in exercise.items for proof in item.proofs]
    assert proofs and len(set(proofs)) == len(proofs), "each proof stands once"
    for name, source in solution_sources(exercise.id).items():
        assert source in solution(name).text


@over("exercise", list(EXERCISES.values()))
def test_the_page_has_every_task_and_the_solution(exercise: Exercise) -> None:
    source = "\n".join(cells(exercise.id))
    for item in exercise.items:
        assert f'{"answer" if isinstance(item, Question) else "check"}("{item.id}"' in source
        if isinstance(item, Task):
            assert f'use("{item.id}"' in source
    assert f'solution("{exercise.id}")' in source and f'progress("{exercise.id}")' in source
    text = page(exercise.id)
    assert all(solved.strip() not in text for solved in solution_sources().values())
    for section in ("Given", "Derive", "Implement", "Where this stops being true", "Reflect", "Solutions"):
        assert f"\n## {section}\n" in text
    assert text.count(":class: dropdown") >= 3, "reflection questions with folded answers"


@over("exercise", list(EXERCISES.values()))
def test_the_page_runs_untouched_and_says_so(exercise: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    sources = cells(exercise.id)
    last = max(i for i, source in enumerate(sources) if "use(" in source)
    names = run(sources[: last + 1])
    printed = capsys.readouterr()
    assert printed.err == ""
    for item in exercise.items:
        if isinstance(item, Task):
            assert f"{item.id}: the book's function, until yours passes." in printed.out
            with pytest.raises(NotImplementedError):
                names[item.id.split(".")[1]](*next(iter(item.inputs.values()))[0])


def test_functions_without_a_way_for_gradients_are_told_so() -> None:
    differentiated = [task for task in TASKS if task.slopes_in]
    assert differentiated
    for task in differentiated:
        reference: Function = task.reference
        detached: Callable[..., Any] = lambda *a, f=reference: f(*a).detach()  # noqa: E731
        assert "Autograd finds no way" in check(task.id, detached).notes[0]
