"""The exercise on Fisher consistency: its numbers, and what its page says."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import sympy as sp
import torch
from torch import Tensor

import losscore
from losscore.exercises import answer, check, solution
from losscore.exercises.consistency_minimiser import minimiser
from losscore.exercises.consistency_risk import LOSSES, RISK, conditional_risk
from losscore.lab import generator, ideal, interval, paired
from tests.exercises.pages import run_page

FROM_THE_LIBRARY = {
    "cross-entropy": losscore.cross_entropy,
    "squared error": ideal.on_scores,
    "hinge": losscore.one_vs_all_hinge,
    "logistic": ideal.one_vs_all_logistic,
}
CROWDED, MAJORITY, HALVES = (
    torch.tensor(eta, dtype=torch.float64)
    for eta in ((0.40, 0.35, 0.25), (0.60, 0.25, 0.15), (0.5, 0.5, 0.0))
)


def by_the_library(f: Tensor, eta: Tensor, loss: str) -> Tensor:
    return ideal.conditional_risk(FROM_THE_LIBRARY[loss], f, eta)


def found_by_descent(eta: Tensor, loss: str) -> Tensor:
    f = torch.zeros_like(eta, requires_grad=True)
    rule = torch.optim.LBFGS([f], max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-9)

    def closure() -> Tensor:
        rule.zero_grad()
        value = by_the_library(f, eta, loss).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    rule.step(closure)  # type: ignore[no-untyped-call]
    return f.detach()


def test_right_functions_of_another_make_pass() -> None:
    assert check("consistency.conditional_risk", by_the_library).ok
    others = {"cross-entropy": lambda eta: eta.log() + 7, "hinge": lambda eta: torch.where(eta >= 0.5, 1.0, -3.0 * (eta == 0) - (eta > 0).double())}  # fmt: skip
    assert check(
        "consistency.minimiser", lambda eta, loss: others.get(loss, lambda e: minimiser(e, loss))(eta)
    ).ok


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda f, eta, loss: conditional_risk(f, eta, loss).sum(), "a tensor of shape ()"),
        (lambda f, eta, loss: conditional_risk(f.detach(), eta, loss), "Autograd finds no way"),
        (lambda f, eta, loss: conditional_risk(f, eta, loss) + 1e-3 * f[..., 0], "Renumber"),
    ],
)  # fmt: skip
def test_what_no_listed_mistake_explains_is_caught_with_a_reason(function: Any, hint: str) -> None:
    result = check("consistency.conditional_risk", function)
    assert result.status == "failed" and hint in result.notes[0]


def test_an_infinite_score_is_no_minimiser() -> None:
    assert not check("consistency.minimiser", lambda eta, loss: minimiser(eta, loss) * math.inf).ok


def test_the_reference_is_the_expected_library_loss_with_its_gradient() -> None:
    for cases in RISK.inputs.values():
        for f, eta, loss in cases:
            mine, theirs = f.clone().requires_grad_(), f.clone().requires_grad_()
            one, other = conditional_risk(mine, eta, loss), by_the_library(theirs, eta, loss)
            torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-12)
            one.sum().backward()
            other.sum().backward()
            torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
def test_no_score_on_a_grid_is_cheaper_than_the_minimiser(loss: str) -> None:
    values = torch.linspace(-3, 3, 61, dtype=torch.float64)
    grid = torch.tensor(list(itertools.product(values.tolist(), repeat=3)), dtype=torch.float64)
    for eta in (CROWDED, MAJORITY, *torch.softmax(torch.randn(6, 3, generator=generator(0)).double(), 1)):
        least = conditional_risk(minimiser(eta, loss), eta, loss)
        assert by_the_library(grid, eta.expand_as(grid), loss).min() >= least - 1e-12


@pytest.mark.parametrize("loss", ["cross-entropy", "squared error", "logistic"])
def test_descent_ends_where_the_minimiser_says(loss: str) -> None:
    for eta in (CROWDED, MAJORITY):
        found, right = found_by_descent(eta, loss), minimiser(eta, loss)
        shift = (found - right).mean() if loss == "cross-entropy" else 0.0
        torch.testing.assert_close(found - shift, right, atol=1e-4, rtol=1e-4)


@pytest.mark.claim("C40")
def test_the_numbers_of_the_exercise() -> None:
    assert minimiser(CROWDED, "hinge").tolist() == [-1, -1, -1]
    assert minimiser(MAJORITY, "hinge").tolist() == [1, -1, -1]
    for eta, risk in ((CROWDED, 2.0), (MAJORITY, 1.6)):
        assert by_the_library(minimiser(eta, "hinge"), eta, "hinge").item() == pytest.approx(risk)
    assert by_the_library(CROWDED.log(), CROWDED, "cross-entropy").item() == pytest.approx(1.0805, abs=5e-5)
    assert by_the_library(CROWDED, CROWDED, "squared error").item() == pytest.approx(0.655)
    torch.testing.assert_close(minimiser(CROWDED, "logistic").sigmoid(), CROWDED)


@pytest.mark.claim("C40")
def test_with_two_halves_a_whole_box_is_optimal_and_nothing_outside_it() -> None:
    risks = {
        f: by_the_library(torch.tensor(f, dtype=torch.float64), HALVES, "hinge").item()
        for f in itertools.product((-1.5, -1.0, 0.3, 1.0, 1.5), (-1.5, -0.7, 1.0, 1.5), (-9.0, -1.0, -0.5))
    }
    for (first, second, third), risk in risks.items():
        inside = abs(first) <= 1 and abs(second) <= 1 and third <= -1
        assert (risk == pytest.approx(2)) == inside


def test_with_a_class_that_never_comes_cross_entropy_sinks_and_does_not_arrive() -> None:
    third = torch.tensor([-1.0, -5.0, -20.0], dtype=torch.float64)
    scores = torch.stack([torch.zeros(3), torch.zeros(3), third], 1)
    excess = by_the_library(scores, HALVES.expand(3, 3), "cross-entropy") - math.log(2)
    assert (excess > 0).all() and (excess.diff() < 0).all() and excess[-1] < 1e-8


def test_the_answers_are_these_numbers() -> None:
    eta = sp.Symbol("eta")
    assert answer("consistency.slope", 1 - eta - eta).ok
    assert answer("consistency.crowded", scores=[-1, -1, -1], risk=2).ok
    assert answer("consistency.majority", scores=torch.tensor([1.0, -1.0, -1.0]), risk=1.6).ok
    assert answer("consistency.cross_entropy", crowded=1.0805, halves=0.6931, reached="no").ok
    assert answer("consistency.squared_error", scores=[0.4, 0.35, 0.25], risk=0.655).ok
    assert answer("consistency.logistic", sp.log(eta) - sp.log(1 - eta)).ok
    assert answer("consistency.lot", by_lot=0.3333, best=0.4).ok
    lucky = answer("consistency.lot", by_lot=0.4, best=0.4)
    assert "Renumber" in lucky.notes[0]
    for number in ("1.0805", "0.655"):
        assert number in solution("consistency").text


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run_page("consistency")


@pytest.mark.claim("C39", "C40")
def test_the_page_says_what_its_runs_show(page: dict[str, Any]) -> None:
    gaps, tables, seeds = page["gaps"], page["tables"], page["seeds"]
    for loss, gap in gaps.items():
        assert gap.shape == (3, seeds) and seeds >= 5
        if loss != "hinge":
            assert gap[-1].max() < 0.2 and paired(gap[0], gap[-1]).low > 0.1
            assert all(paired(gaps["hinge"][size], gap[size]).low > 4 for size in range(3))
    assert interval(gaps["hinge"][-1]).low > 5
    assert ideal.ties(tables["hinge"])[-1].mean().item() == pytest.approx(0.40, abs=0.005)
    assert (ideal.ties(tables["cross-entropy"])[-1] < 0.05).all()
    for loss in LOSSES:
        excess = conditional_risk(tables[loss], page["seen"], loss) - conditional_risk(
            minimiser(page["seen"], loss), page["seen"], loss
        )
        assert excess.max() < 0.004


def test_what_descent_leaves_behind_still_ranks_and_rounding_removes_it(page: dict[str, Any]) -> None:
    scores = page["tables"]["hinge"][-1]
    raw = interval(page["dust"](scores))
    assert raw.low > 0.3 and raw.high < 2
    rounded = scores.round(decimals=2)
    tied = (rounded == rounded.max(-1, keepdim=True).values).sum(-1) == 3
    assert tied.double().mean().item() == pytest.approx(0.40, abs=0.005)


def test_the_squared_hinge_elects_the_likeliest_class() -> None:
    eta = torch.softmax(torch.randn(20, 4, generator=generator(1)).double(), 1)
    f = 2 * eta - 1

    def risk(scores: Tensor) -> Tensor:
        yes, no = (
            losscore.squared_hinge(scores, torch.full_like(scores, s), reduction="none") for s in (1.0, -1.0)
        )
        return (eta * yes + (1 - eta) * no).sum(-1)

    moved = torch.stack([risk(f + 0.1 * torch.randn(f.shape, generator=generator(s))) for s in range(2, 12)])
    assert torch.equal(f.argmax(1), eta.argmax(1)) and (moved > risk(f)).all()


def test_the_table_stays_on_its_device() -> None:
    """The meta device stands for a GPU: a tensor made elsewhere would stop the run before its end."""
    seen = torch.stack([ideal.frequencies(seed, 3000) for seed in range(2)]).to("meta")
    eta = ideal.bins_and_truth()[1].to("meta")
    for loss in LOSSES:
        scores = ideal.lowest(lambda f, share, loss=loss: conditional_risk(f, share, loss), seen, 1)
        assert scores.device.type == ideal.accuracy(scores, eta).device.type == "meta"
    with pytest.raises(RuntimeError, match="device"):
        ideal.lowest(lambda f, share: ((f - share) ** 2 * torch.rand(3)).sum(-1), seen, 1)
