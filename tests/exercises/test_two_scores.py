"""The exercise on two scores: its reference, wrong answers, hints and numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sympy as sp
import torch
from torch import Tensor

from losscore import exercises
from losscore.exercises import answer, check, solution
from losscore.exercises.two_scores import EXPECTED, REGRET_FORMULA
from losscore.exercises.two_scores_functions import LOSSES, expected_loss, grad_logit
from losscore.lab import landscapes
from losscore.symbolic import definition, scores
from losscore.symbolic.classification import binary_brier, binary_cross_entropy
from tests.exercises.pages import cells, run, run_page

DEFINED = {"cross-entropy": definition("binary_cross_entropy"), "brier": definition("binary_brier")}


def number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def forecast_loss(q: Tensor, p: Tensor, kind: str) -> Tensor:
    """A right answer, written by hand as a learner would."""
    if kind == "brier":
        return (q - p) ** 2 + p * (1 - p)
    return -torch.xlogy(p, q) - torch.xlogy(1 - p, 1 - q)


def slope_by_hand(z: Tensor, y: Tensor, kind: str) -> Tensor:
    residual = torch.where(y == 1, -torch.sigmoid(-z), torch.sigmoid(z))
    return residual if kind == "cross-entropy" else 2 * residual * torch.sigmoid(z) * torch.sigmoid(-z)


@pytest.mark.parametrize(
    ("name", "function"), [("expected_loss", forecast_loss), ("grad_logit", slope_by_hand)]
)
def test_right_functions_of_another_make_pass(name: str, function: Callable[..., Tensor]) -> None:
    assert check(f"two-scores.{name}", function).ok


def cross_entropy_of(p: sp.Expr, q: sp.Expr) -> sp.Expr:
    return -p * sp.log(q) - (1 - p) * sp.log(1 - q)


def mistaken_for_brier(q: Tensor, p: Tensor, kind: str) -> Tensor:
    return forecast_loss(q, p, kind) - (p * (1 - p) if kind == "brier" else 0)


@pytest.mark.parametrize(
    ("name", "function", "hint"),
    [
        ("expected_loss", mistaken_for_brier, "Your minimum is 0"),
        ("expected_loss", lambda q, p, kind: -p * q.log() - (1 - p) * (1 - q).log() if kind != "brier"
         else forecast_loss(q, p, kind), "0 · ln 0"),
        ("expected_loss", lambda q, p, kind: forecast_loss(q.clamp(1e-12, 1 - 1e-12), p, kind), "Do you clip"),
        ("expected_loss", lambda q, p, kind: -p * q.log().clamp(min=-100) - (1 - p) * (1 - q).log().clamp(min=-100)
         if kind != "brier" else forecast_loss(q, p, kind), "Do you clip"),
        ("expected_loss", lambda q, p, kind: torch.ones_like(q * p), "not least at q = p"),
        ("expected_loss", lambda q, p, kind: forecast_loss(q, p, kind) * (1 + p), "Exchanging the two outcomes"),
        ("expected_loss", lambda q, p, kind: forecast_loss(q, p, kind).mean(), "of shape ()"),
        ("grad_logit", lambda z, y, kind: torch.sigmoid(z) - y if kind == "cross-entropy" else slope_by_hand(z, y, kind),
         "σ(−z)"),
        ("grad_logit", lambda z, y, kind: slope_by_hand(z, y, kind) + torch.where(z < -1e3, torch.nan, 0.0), "overflows"),
        ("grad_logit", lambda z, y, kind: z.exp() / (1 + z.exp()) - y if kind == "cross-entropy" else
         slope_by_hand(z, y, kind), "overflows"),
        ("grad_logit", lambda z, y, kind: 1.01 * slope_by_hand(z, y, kind), "(ℓ(z + h) − ℓ(z − h)) / 2h"),
        ("grad_logit", lambda z, y, kind: slope_by_hand(z, y, "cross-entropy"), "(ℓ(z + h) − ℓ(z − h)) / 2h"),
    ],
)  # fmt: skip
def test_what_no_listed_mistake_explains_is_caught_with_a_reason(
    name: str, function: Callable[..., Tensor], hint: str
) -> None:
    result = check(f"two-scores.{name}", function)
    assert result.status == "failed" and hint in result.notes[0]


@pytest.mark.parametrize("kind", list(LOSSES))
@pytest.mark.parametrize("z", [-40.0, -6.0, -0.5, 0.0, 2.0, 40.0])
@pytest.mark.parametrize("y", [0, 1])
def test_the_reference_slope_is_the_derivative_of_the_definition(kind: str, z: float, y: int) -> None:
    exact = float(DEFINED[kind].gradient_oracle(z, y))
    assert grad_logit(number(z), number(y), kind).item() == pytest.approx(exact, rel=1e-12, abs=0)


@pytest.mark.claim("C46", "C47")
@pytest.mark.parametrize("q", [1e-9, 0.1, 0.7, 0.9, 1 - 1e-9])
@pytest.mark.parametrize("p", [0.0, 0.05, 0.7, 1.0])
def test_the_expected_losses_are_their_closed_forms(q: float, p: float) -> None:
    for kind in LOSSES:
        value = expected_loss(number(q), number(p), kind).item()
        assert value == pytest.approx(forecast_loss(number(q), number(p), kind).item(), rel=1e-9, abs=1e-15)


@pytest.mark.claim("C44", "C48")
def test_the_numbers_of_the_exercise() -> None:
    coin, said, start = number(0.7), number(0.9), number(-6.0)

    def regret(kind: str) -> float:
        return (expected_loss(said, coin, kind) - expected_loss(coin, coin, kind)).item()

    def curvature(kind: str) -> float:
        q = coin.clone().requires_grad_()
        (first,) = torch.autograd.grad(expected_loss(q, coin, kind), q, create_graph=True)
        (second,) = torch.autograd.grad(first, q)
        return second.item()

    def steps(kind: str) -> int:
        z, count = start, 0
        while abs(torch.sigmoid(z) - 0.7) >= 0.05:
            z = z - (0.7 * grad_logit(z, number(1.0), kind) + 0.3 * grad_logit(z, number(0.0), kind))
            count += 1
        return count

    def bends(z: float, kind: str) -> float:
        h = 1e-4
        up, here, down = (LOSSES[kind](number(z + d), number(1.0), reduction="none") for d in (h, 0.0, -h))
        return ((up - 2 * here + down) / h**2).item()

    assert [expected_loss(coin, coin, kind).item() for kind in LOSSES] == pytest.approx(
        [0.6109, 0.21], abs=5e-5
    )
    assert [regret(kind) for kind in LOSSES] == pytest.approx([0.1537, 0.04], abs=5e-5)
    assert [curvature(kind) for kind in LOSSES] == pytest.approx([4.762, 2.0], abs=5e-4)
    pulls = [grad_logit(start, number(1.0), kind).item() for kind in LOSSES]
    assert pulls == pytest.approx([-0.99753, -0.004921], abs=5e-6)
    assert pulls[0] / pulls[1] == pytest.approx(202.7, abs=0.05)
    assert [steps(kind) for kind in LOSSES] == [16, 320]
    inflection = -float(sp.log(2))
    assert bends(inflection - 0.05, "brier") < 0 < bends(inflection + 0.05, "brier")
    assert all(bends(z, "cross-entropy") > 0 for z in (-6.0, -3.0, inflection, 0.0, 3.0, 6.0))


def test_the_answers_are_these_numbers() -> None:
    assert answer("two-scores.minimum", cross_entropy=0.6109, brier=0.21).ok
    assert answer("two-scores.regret", cross_entropy=0.1537, brier=0.04).ok
    assert answer("two-scores.curvature", cross_entropy=4.762, brier=2).ok
    assert answer("two-scores.inflection", -0.6931).ok
    assert answer("two-scores.best_absolute", 1).ok
    assert answer("two-scores.convexity", "not convex").ok
    p, q, y = sp.symbols("p q y")
    assert answer("two-scores.slopes", cross_entropy=q - y, brier=2 * (q - y) * (q - q**2)).ok
    variance = p * (1 - p)
    assert answer(
        "two-scores.expected", cross_entropy=cross_entropy_of(p, q), brier=(q - p) ** 2 + variance
    ).ok
    assert (
        "who is the truth" in answer("two-scores.regret", cross_entropy=0.1163, brier=0.04).notes[0].lower()
    )


@pytest.mark.claim("C44", "C46", "C47")
def test_the_formulas_are_those_of_the_definitions() -> None:
    for question, formula in ((EXPECTED, scores.expected), (REGRET_FORMULA, scores.regret)):
        for name, loss in (("cross_entropy", binary_cross_entropy), ("brier", binary_brier)):
            value = formula(loss)
            for q, p in ((0.2, 0.7), (0.9, 0.7), (0.5, 0.01)):
                at = {scores.FORECAST: q, scores.TRUTH: p}
                assert float(question.parts[name].value.subs(at)) == pytest.approx(float(value.subs(at)))


P, Q = sp.symbols("p q")


@pytest.mark.parametrize(
    "written",
    [
        P * sp.log(P / Q) + (1 - P) * sp.log((1 - P) / (1 - Q)),
        cross_entropy_of(P, Q) - cross_entropy_of(P, P),
        P * sp.log(P * (1 - Q) / (Q * (1 - P))) - sp.log((1 - Q) / (1 - P)),
    ],
)
def test_each_way_to_write_the_divergence_is_right(written: sp.Expr) -> None:
    assert answer("two-scores.regret_formula", cross_entropy=written, brier=P**2 - 2 * P * Q + Q**2).ok
    wrong = answer(
        "two-scores.regret_formula", cross_entropy=written + (P - Q) ** 2 / 1000, brier=(P - Q) ** 2
    )
    assert wrong.status == "failed"


def test_numbers_stand_in_the_solutions() -> None:
    assert "0.1537" in solution("two-scores.regret").text and "4.762" in solution("two-scores.curvature").text


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run_page("two-scores")


def test_the_page_says_what_its_runs_show(page: dict[str, Any]) -> None:
    errors = {name: values.mean().item() for name, values in page["errors"].items()}
    assert page["arrived"] == {"cross-entropy": 16, "brier": 320}
    assert page["gap"].low > 0.1 and errors["Brier, start at −6"] > 0.3
    assert max(errors["cross-entropy, start at −6"], errors["Brier, usual start"]) < 0.15
    stuck = (page["learned"]["Brier, start at −6"] < 0.05) & (landscapes.eta(landscapes.GRID) > 0.9)
    assert stuck.any(-1).sum() > page["seeds"] / 2
    by_descent, by_rate, by_adam = page["far"].values()
    assert 0 < by_adam < by_descent and page["seeds"] / 2 < by_rate <= by_descent


LEARNED = {
    "def expected_loss(q, p, kind):\n    raise NotImplementedError": (
        "def expected_loss(q, p, kind):\n"
        "    if kind == 'brier':\n"
        "        return (q - p) ** 2 + p * (1 - p)\n"
        "    return -torch.xlogy(p, q) - torch.xlogy(1 - p, 1 - q)"
    ),
    "def grad_logit(z, y, kind):\n    raise NotImplementedError": (
        "def grad_logit(z, y, kind):\n    return torch.sigmoid(z) - y  # right for cross-entropy, but not in the tails"
    ),
    '"two-scores.slopes", cross_entropy=..., brier=...': '"two-scores.slopes", cross_entropy=q - y, brier=2 * (q - y)',
    '"two-scores.inflection", ...': '"two-scores.inflection", -sp.log(2)',
}


def test_the_page_uses_what_the_learner_has_right(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\0".join(cells("two-scores"))
    for stub, written in LEARNED.items():
        assert stub in text
        text = text.replace(stub, written)
    sources = text.split("\0")
    last = next(i for i, source in enumerate(sources) if "use(" in source)
    names = run(sources[: last + 1])
    assert names["cost"] is names["expected_loss"] and names["slope"] is not names["grad_logit"]
    assert "two-scores.expected_loss: your function." in capsys.readouterr().out
    status = {result.task.split(".")[1]: result.status for result in exercises.progress("two-scores").results}
    assert status["expected_loss"] == status["inflection"] == "passed"
    assert status["grad_logit"] == status["slopes"] == "failed"
    assert status["minimum"] == "not yet"
