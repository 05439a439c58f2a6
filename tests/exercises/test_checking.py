"""The mechanism of the exercises, on a small task of its own."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import sympy as sp
import torch
from torch import Tensor

from losscore import exercises
from losscore.exercises import answer, check, checking, progress, solution, use
from losscore.exercises.answering import judge_answer
from losscore.exercises.checking import judge
from losscore.exercises.results import FAILED, NOT_YET, PASSED, Result
from losscore.exercises.tasks import Part, Property, Question, Task, WrongAnswer


def half_square(x: Tensor, y: Tensor) -> Tensor:
    return (x - y) ** 2 / 2


def number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


TASK = Task(
    id="toy.half_square",
    title="half the square",
    reference=half_square,
    inputs={
        "numbers": [(number(1.0), number(3.0)), (number(0.5), number(-0.25))],
        "extremes": [(number(1e4), number(0.0))],
        "batch": [(torch.arange(3.0, dtype=torch.float64), torch.ones(3, dtype=torch.float64))],
    },
    wrong_answers=(
        WrongAnswer("no half", lambda x, y: (x - y) ** 2, "hint: half"),
        WrongAnswer("mean", lambda x, y: half_square(x, y).mean().expand(x.shape), "hint: no mean"),
    ),
    properties=(
        Property(
            "symmetric",
            lambda f: torch.equal(f(number(1.0), number(4.0)), f(number(4.0), number(1.0))),
            "hint: symmetric",
            nearly=lambda x, y: half_square(x, y) + (x == 4),
        ),
    ),
)


def stub(x: Tensor, y: Tensor) -> Tensor:
    raise NotImplementedError


def in_place(x: Tensor, y: Tensor) -> Tensor:
    return x.sub_(y) ** 2 / 2


def wrong_at_one_extreme(x: Tensor, y: Tensor) -> Tensor:
    return torch.where(x > 1e3, torch.nan, half_square(x, y))


def dividing_by_zero(x: Tensor, y: Tensor) -> Tensor:
    raise ZeroDivisionError("division by zero")


def leaving(x: Tensor, y: Tensor) -> Tensor:
    sys.exit(3)


def endless_recursion(x: Tensor, y: Tensor) -> Tensor:
    return endless_recursion(x, y)


@pytest.mark.parametrize(
    ("function", "status", "note"),
    [
        (half_square, PASSED, ""),
        (lambda x, y: 0.5 * (y - x).square(), PASSED, ""),
        (stub, NOT_YET, "Write the function"),
        (None, NOT_YET, "Write the function"),
        (..., NOT_YET, "Write the function"),
        (lambda x, y: (y - x).pow(2), FAILED, "hint: half"),
        (lambda x, y: half_square(x, y).mean() + torch.zeros_like(x), FAILED, "hint: no mean"),
        (TASK.properties[0].nearly, FAILED, "hint: symmetric"),
        (lambda x, y: x * y, FAILED, "At x = 1, y = 3 you return 3; the right value is 2."),
        (wrong_at_one_extreme, FAILED, "At x = 10000, y = 0 you return nan"),
        (in_place, FAILED, "changes its input x in place"),
        (dividing_by_zero, FAILED, "At x = 1, y = 3 your function raised ZeroDivisionError: division by zero."),
        (leaving, FAILED, "raised SystemExit: 3"),
        (endless_recursion, FAILED, "RecursionError"),
        (lambda x: x, FAILED, "raised TypeError"),
        (lambda x, y: None, FAILED, "At x = 1, y = 3 your function returns None"),
        (lambda x, y: half_square(x, y).tolist(), FAILED, "Return a tensor: at x = 1, y = 3 your function returned a float"),
        (lambda x, y: half_square(x, y)[None], FAILED, "a tensor of shape (1,); it must be ()"),
        (lambda x, y: half_square(x, y).float(), FAILED, "the type torch.float32; it must be torch.float64"),
        (lambda x, y: half_square(x, y).to("meta"), FAILED, "a tensor on meta; it must be cpu"),
        (half_square(number(1.0), number(2.0)), FAILED, "Pass the function itself; this is a Tensor."),
    ],
)  # fmt: skip
def test_judgement(function: Any, status: str, note: str) -> None:
    result = judge(TASK, function)
    assert result.status == status and result.ok == (status == PASSED)
    assert note in "\n".join(result.notes) and bool(result.notes) == bool(note)


def test_the_first_disagreeing_group_decides_the_hint() -> None:
    def two_mistakes(x: Tensor, y: Tensor) -> Tensor:
        return (x - y) ** 2 if x.ndim == 0 else x

    assert judge(TASK, two_mistakes).notes == ("hint: half",)


def test_an_endless_loop_is_stopped_even_if_it_swallows_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    def looping(x: Tensor, y: Tensor) -> Tensor:
        while True:
            with suppress(Exception):
                time.sleep(0.01)

    monkeypatch.setattr(checking, "SECONDS", 0.3)
    began = time.monotonic()
    result = judge(TASK, looping)
    assert time.monotonic() - began < 5
    assert result.status == FAILED and "Still running after 0.3 seconds" in result.notes[0]
    assert judge(TASK, half_square).ok


def test_stopping_the_check_by_hand_is_not_swallowed() -> None:
    def interrupted(x: Tensor, y: Tensor) -> Tensor:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(TASK, interrupted)


def test_a_check_works_in_a_side_thread() -> None:
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(judge(TASK, half_square)))
    thread.start()
    thread.join()
    assert results[0].ok


P, Q = sp.symbols("p q", positive=True)
LOGARITHM = Question("toy.l", "l", {"": Part(sp.log(1 - P), ranges={P: 1 / (1 + P)})})
EXPRESSION = Question("toy.e", "e", {"": Part(P * (1 - P), (WrongAnswer("square", P**2, "hint: square"),))})
NUMBER = Question("toy.n", "n", {"": Part(-sp.log(2), (WrongAnswer("sign", sp.log(2), "hint: sign"),))})
CHOICE = Question(
    "toy.c", "c", {"": Part("yes", (WrongAnswer("no", "no", "hint: no"),), ("yes", "no", "maybe"))}
)
PAIR = Question("toy.p", "p", {"left": Part(sp.Integer(1)), "right": Part(sp.Integer(2))})

PLAIN_P, PLAIN_X = sp.symbols("p x")


@pytest.mark.parametrize(
    ("question", "given", "status", "note"),
    [
        (EXPRESSION, PLAIN_P - PLAIN_P**2, PASSED, ""),
        (EXPRESSION, 1.0 * PLAIN_P - PLAIN_P**2, PASSED, ""),
        (EXPRESSION, PLAIN_P * PLAIN_P, FAILED, "hint: square"),
        (EXPRESSION, PLAIN_P - PLAIN_P**2 + sp.Rational(1, 10**6), FAILED, "Not this"),
        (EXPRESSION, 0.25, FAILED, "This is a number; the question asks for a formula in p"),
        (EXPRESSION, PLAIN_P * (1 - PLAIN_X), FAILED, "contains x; it may contain p"),
        (LOGARITHM, -sp.log(1 / (1 - PLAIN_P)), PASSED, ""),
        (LOGARITHM, sp.log(PLAIN_P - 1), FAILED, "Not this"),
        (LOGARITHM, sp.log(1 - PLAIN_P) * 1.001, FAILED, "Not this"),
        (EXPRESSION, "p*(1-p)", FAILED, "without quotes"),
        (EXPRESSION, PLAIN_P ^ PLAIN_X, FAILED, "Python writes a power as p**q"),
        (EXPRESSION, [PLAIN_P, 1], FAILED, "This asks for one answer; you give 2"),
        (EXPRESSION, {"p": 1}, FAILED, "this is a dict"),
        (EXPRESSION, sp.Eq(PLAIN_P, 1), FAILED, "this is an Equality"),
        (NUMBER, -sp.log(2), PASSED, ""),
        (NUMBER, sp.log(sp.Rational(1, 2)), PASSED, ""),
        (NUMBER, -0.6931, PASSED, ""),
        (NUMBER, -math.log(2), PASSED, ""),
        (NUMBER, torch.tensor(-0.69315), PASSED, ""),
        (NUMBER, 0.6931, FAILED, "hint: sign"),
        (NUMBER, -0.69, FAILED, "Close"),
        (NUMBER, -0.5, FAILED, "Not this"),
        (NUMBER, PLAIN_P, FAILED, "the answer is a number"),
        (NUMBER, math.nan, FAILED, "finite"),
        (NUMBER, -math.inf, FAILED, "finite"),
        (NUMBER, True, FAILED, "this is a bool"),
        (NUMBER, sp.I, FAILED, "Not this"),
        (NUMBER, ..., NOT_YET, "in place of the dots"),
        (NUMBER, None, NOT_YET, "in place of the dots"),
        (CHOICE, "yes", PASSED, ""),
        (CHOICE, "no", FAILED, "hint: no"),
        (CHOICE, "maybe", FAILED, "Not this one"),
        (CHOICE, "Yes!", FAILED, "Choose one of 'yes', 'no', 'maybe'"),
    ],
)
def test_answers(question: Question, given: object, status: str, note: str) -> None:
    result = judge_answer(question, {"": given})
    assert result.status == status
    assert note in "\n".join(result.notes) and bool(result.notes) == bool(note)


THREE = Question(
    "toy.v",
    "v",
    {"": Part((sp.Integer(1), sp.sqrt(2), P), (WrongAnswer("flat", (sp.Integer(1),) * 3, "hint: flat"),))},
)


@pytest.mark.parametrize(
    ("given", "status", "note"),
    [
        ([1, 1.4142, PLAIN_P], PASSED, ""),
        ((sp.Integer(1), sp.sqrt(2), PLAIN_P), PASSED, ""),
        (sp.Matrix([1, sp.sqrt(2), PLAIN_P]), PASSED, ""),
        ([[1, sp.sqrt(2)], [PLAIN_P]], PASSED, ""),
        (torch.ones(3), FAILED, "hint: flat"),
        ([1, 1.42, PLAIN_P], FAILED, "Not this"),
        ([1, 1], FAILED, "This asks for 3 numbers in order, as a list; you give 2."),
        (1, FAILED, "This asks for 3 numbers in order, as a list; you give 1."),
        ("1, 2, 3", FAILED, "without quotes"),
    ],
)
def test_answers_in_order(given: object, status: str, note: str) -> None:
    result = judge_answer(THREE, {"": given})
    assert result.status == status
    assert note in "\n".join(result.notes) and bool(result.notes) == bool(note)


def test_per_cent_are_named() -> None:
    share = Question("toy.s", "s", {"": Part(sp.Rational(1, 3))})
    assert "not in per cent" in judge_answer(share, {"": 33.3}).notes[0]
    assert "Not this" in judge_answer(share, {"": 3.33}).notes[0]
    assert "Not this" in judge_answer(NUMBER, {"": -69.31}).notes[0]


def test_an_answer_that_is_undefined_in_places_is_not_right() -> None:
    undefined = sp.Piecewise((PLAIN_P * (1 - PLAIN_P), PLAIN_P < 1), (sp.nan, True))
    assert judge_answer(EXPRESSION, {"": undefined}).status == FAILED
    assert (
        judge_answer(EXPRESSION, {"": PLAIN_P * (1 - PLAIN_P) / sp.Function("f")(PLAIN_P)}).status == FAILED
    )


def test_an_answer_that_takes_for_ever_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(sp.Expr):  # type: ignore[misc]
        def _eval_evalf(self, prec: int) -> sp.Expr:
            while True:
                time.sleep(0.01)

    monkeypatch.setattr(checking, "SECONDS", 0.3)
    assert "Still running" in judge_answer(NUMBER, {"": Endless()}).notes[0]


class Awkward:
    """A thing that raises wherever it is looked at."""

    def __getattr__(self, name: str) -> object:
        raise ArithmeticError(name)


def test_an_answer_of_any_kind_raises_nothing() -> None:
    for given in (Awkward(), object(), b"1", {1}, lambda: 1, torch.zeros(2, 2), torch):
        assert judge_answer(NUMBER, {"": given}).status == FAILED


ENDS = Task(
    id="toy.ends",
    title="ends",
    reference=lambda x: (x.min().item(), x.max()),
    inputs={"extremes": [(torch.tensor([1.0, 3.0, -2.0]),), (torch.tensor([5.0]),)]},
    wrong_answers=(WrongAnswer("swapped", lambda x: (x.max().item(), x.min()), "hint: swapped"),),
)


@pytest.mark.parametrize(
    ("function", "status", "note"),
    [
        (lambda x: (min(x.tolist()), x.max()), PASSED, ""),
        (lambda x: [x.min(), x.max()], PASSED, ""),
        (lambda x: (x.max(), x.min()), FAILED, "hint: swapped"),
        (
            lambda x: x.min(),
            FAILED,
            "At x = [1.0, 3.0, -2.0] your function returns -2; it must return 2 values.",
        ),
        (lambda x: (x, x.max()), FAILED, "returns a Tensor; it must be one number"),
        (lambda x: ("low", x.max()), FAILED, "returns a str; it must be one number"),
        (lambda x: (x.min().item(), x.max() + 1), FAILED, "you return (-2, 4); the right value is (-2, 3)."),
    ],
)
def test_numbers_and_several_values(function: Any, status: str, note: str) -> None:
    result = judge(ENDS, function)
    assert result.status == status
    assert note in "\n".join(result.notes) and bool(result.notes) == bool(note)


def softened(x: Tensor) -> Tensor:
    return torch.log(1 + torch.exp(x))


SLOPE = Task(
    id="toy.slope",
    title="slope",
    reference=lambda x: torch.nn.functional.softplus(x),
    inputs={"extremes": [(torch.tensor([-1.0, 2.0], dtype=torch.float64),)]},
    wrong_answers=(WrongAnswer("frozen", lambda x: softened(x.detach()) + 0 * x, "hint: frozen"),),
    slopes_in=("x",),
)


@pytest.mark.parametrize(
    ("function", "note"),
    [
        (softened, ""),
        (lambda x: softened(x.detach()), "Autograd finds no way from your result back to x"),
        (lambda x: softened(x) + 0 * x.abs(), ""),
        (
            lambda x: softened(x) - 0.5 * (x + 1).clamp(max=0),
            "gives the gradient [-0.231059, 1.76159] of a weighted sum of your values; the right one is [0.268941, 1.76159].",
        ),
        (lambda x: softened(x.detach()) + 0 * x, "hint: frozen"),
        (
            lambda x: softened(x.detach()) + x - x.detach(),
            "your value is right, but autograd through your function",
        ),
        (lambda x: softened(x) * torch.ones(2, dtype=x.dtype), "On a GPU"),
    ],
)
def test_gradients_and_devices_are_judged(function: Any, note: str) -> None:
    result = judge(SLOPE, function)
    assert result.ok == (not note) and note in "\n".join(result.notes)


def test_where_several_values_are_right_the_task_decides() -> None:
    task = Task(
        id="toy.median",
        title="median",
        reference=lambda x: x.median(),
        inputs={"extremes": [(torch.tensor([1.0, 2.0, 4.0, 9.0]),)]},
        wrong_answers=(WrongAnswer("mean", lambda x: x.mean() + 1, "hint: mean"),),
        agrees=lambda case, value, right: (case[0] - value).abs().sum() <= (case[0] - right).abs().sum(),
    )
    assert judge(task, lambda x: x.new_tensor(3.5)).ok
    assert judge(task, lambda x: x.new_tensor(6.0)).notes == (
        "At x = [1.0, 2.0, 4.0, 9.0] you return 6; right would be 2.",
    )


def test_of_a_large_tensor_the_entry_that_is_most_wrong_is_named() -> None:
    def off(x: Tensor) -> Tensor:
        value = x.exp()
        value[0, 1] += 0.5
        value[1, 3] = torch.nan
        return value

    zeros = torch.zeros(2, 4, dtype=torch.float64)
    task = Task("toy.exp", "exp", lambda x: x.exp(), {"extremes": [(zeros,)]}, ())
    where = "At x = a tensor of shape (2, 4) you return"
    assert judge(task, off).notes == (f"{where} nan at the place [1, 3]; the right value is 1.",)
    assert judge(task, lambda x: off(x).nan_to_num(1.0)).notes == (
        f"{where} 1.5 at the place [0, 1]; the right value is 1.",
    )


@pytest.mark.parametrize(
    ("given", "status", "notes"),
    [
        ({"left": 1, "right": 2}, PASSED, ("✓ left", "✓ right")),
        ({"left": 1, "right": ...}, NOT_YET, ("✓ left", "○ right: not yet")),
        ({"right": 2}, NOT_YET, ("✓ right", "○ left: not yet")),
        ({"left": ..., "right": None}, NOT_YET, None),
        ({"left": 1, "middle": 2}, FAILED, ("This question asks for answers by name: left=…, right=….",)),
    ],
)
def test_answers_in_parts(given: dict[str, object], status: str, notes: tuple[str, ...] | None) -> None:
    result = judge_answer(PAIR, given)
    assert result.status == status
    assert notes is None or result.notes == notes


def test_a_name_where_none_is_asked_for() -> None:
    result = judge_answer(NUMBER, {"": -0.6931, "z": 1})
    assert result.status == FAILED and result.notes == ("This question asks for one answer, without a name.",)


def test_results_show_themselves() -> None:
    result = Result("toy.x", FAILED, ("1 < 2 & so on",))
    assert repr(result) == "✗ toy.x: failed\n  1 < 2 & so on"
    assert "1 &lt; 2 &amp; so on" in result._repr_html_() and "✗ failed" in result._repr_html_()
    assert repr(Result("toy.x", PASSED)) == "✓ toy.x: passed"
    assert repr(Result("toy.x", NOT_YET)) == "○ toy.x: not yet"


@pytest.mark.parametrize("call", [lambda: check("no-such", stub), lambda: use("no-such", stub), lambda: answer("no-such", 1),
                                  lambda: solution("no-such"), lambda: answer("two-scores.grad_logit", 1)])  # fmt: skip
def test_unknown_ids_are_named_with_the_known_ones(call: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"there is no '.*' here; known are .*two-scores\."):
        call()


def test_use_says_whose_function_it_gives(capsys: pytest.CaptureFixture[str]) -> None:
    task = exercises.exercises()["two-scores"].items[-1]
    assert isinstance(task, Task)
    assert use(task.id, stub) is task.reference
    assert capsys.readouterr().out == "two-scores.grad_logit: the book's function, until yours passes.\n"

    def mine(z: Tensor, y: Tensor, kind: str) -> Tensor:
        return task.reference(z, y, kind)

    assert use(task.id, mine) is mine
    assert capsys.readouterr().out == "two-scores.grad_logit: your function.\n"


def test_progress_remembers_and_names_what_is_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exercises, "_latest", {})
    one = partial(progress, "two-scores")
    assert one().next == progress().next == "two-scores.expected"
    p, q = sp.symbols("p q")
    log_loss = -p * sp.log(q) - (1 - p) * sp.log(1 - q)
    answer("two-scores.expected", cross_entropy=log_loss, brier=p * (q - 1) ** 2 + (1 - p) * q**2)
    assert one().next == progress().next == "two-scores.minimum"
    assert repr(one()).startswith(
        "1 of 11 tasks solved. Next: two-scores.minimum.\n  ✓ two-scores.expected: passed"
    )
    assert "✓ <code>two-scores.expected</code>: passed" in one()._repr_html_()
    assert "\n  ○ two-scores: 1 of 11 solved\n" in repr(progress())
    assert "\n  ○ gce: 0 of 10 solved\n" in repr(progress())
    assert "○ <code>two-scores</code>: 1 of 11 solved" in progress()._repr_html_()
    answer("two-scores.expected", cross_entropy=log_loss, brier=p)
    assert one().next == "two-scores.expected"
    with pytest.raises(ValueError, match="there is no 'three-scores' here; known are two-scores, "):
        progress("three-scores")


def test_the_text_is_the_same_in_another_process() -> None:
    program = (
        "from losscore.exercises import answer, check, progress, solution\n"
        "print(check('two-scores.expected_loss', lambda q, p, kind: q * p))\n"
        "print(answer('two-scores.inflection', 0))\n"
        "print(progress('two-scores'), progress(), solution('two-scores'))\n"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
