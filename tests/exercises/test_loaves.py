"""The exercise on loaves: its numbers by brute force, linear programming and integrals, its page, its devices."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from scipy.integrate import quad  # type: ignore[import-untyped]
from scipy.optimize import linprog  # type: ignore[import-untyped]
from scipy.stats import beta, gamma  # type: ignore[import-untyped]
from torch import Tensor

import losscore
from losscore.exercises import answer, check, solution
from losscore.exercises.loaves import _TEN
from losscore.exercises.loaves_best import optimal_set
from losscore.exercises.loaves_bill import stock_loss, subgradient
from losscore.lab import interval, loaves, paired
from losscore.lab.made_to_measure import LOAVES
from tests.exercises.pages import run_page

ELEVEN = (*LOAVES, 30.0)
SEVEN = (9.0, 12.0, 13.0, 14.0, 16.0, 18.0, 25.0)


def by_the_library(theta: Tensor, x: Tensor, cu: float, co: float) -> Tensor:
    pairs = theta[:, None].expand(-1, len(x)), x.expand(len(theta), -1)
    return losscore.asymmetric_linear(*pairs, underage=cu, overage=co, reduction="none").sum(1)


def by_small_steps(theta: float, x: Tensor, cu: float, co: float) -> tuple[float, float]:
    places = x.new_tensor([theta - 2**-10, theta, theta + 2**-10])
    left, here, right = stock_loss(places, x, cu, co).tolist()
    return (here - left) * 2**10, (right - here) * 2**10


def by_fractions(x: Tensor, cu: int, co: int) -> tuple[float, float]:
    values = [Fraction(value) for value in x.tolist()]

    def cost(amount: Fraction) -> Fraction:
        return sum((max(cu * (v - amount), co * (amount - v)) for v in values), Fraction(0))

    lowest = min(map(cost, values))
    best = [value for value in values if cost(value) == lowest]
    return float(min(best)), float(max(best))


def test_right_functions_of_another_make_pass() -> None:
    assert check("loaves.stock_loss", by_the_library).notes == ()
    assert check("loaves.subgradient", by_small_steps).notes == ()
    assert check("loaves.optimal_set", by_fractions).notes == ()


def test_what_no_listed_mistake_explains_is_caught_with_a_reason() -> None:
    for task, function, reason in (
        ("stock_loss", lambda theta, x, cu, co: stock_loss(theta, x, cu, co) + 1, "Multiply both costs"),
        ("stock_loss", lambda theta, x, cu, co: stock_loss(theta, x, cu, co).sum(), "a tensor of shape ()"),
        ("subgradient", lambda theta, x, cu, co: subgradient(theta, x, cu, co)[0], "2 values"),
        (
            "optimal_set",
            lambda x, cu, co: tuple(end + 0.25 for end in optimal_set(x, cu, co)),
            "thousand million",
        ),
    ):
        result = check(f"loaves.{task}", function)
        assert result.status == "failed" and reason in result.notes[0]


def bills(demands: tuple[float, ...], *amounts: float) -> list[float]:
    x, theta = (torch.tensor(values, dtype=torch.float64) for values in (demands, amounts))
    return by_the_library(theta, x, 4.0, 1.0).tolist()


def least(demands: tuple[float, ...]) -> float:
    """The lowest bill by linear programming: an amount and, for each day, what is missing and what is left over."""
    n = len(demands)
    cost = np.concatenate([[0.0], np.full(n, 4.0), np.full(n, 1.0)])
    equal = np.hstack([np.ones((n, 1)), np.eye(n), -np.eye(n)])
    return float(linprog(cost, A_eq=equal, b_eq=np.array(demands)).fun)


def test_the_numbers_of_the_three_bakeries() -> None:
    assert tuple(map(float, _TEN)) == LOAVES
    assert least(LOAVES) == pytest.approx(72) and bills(LOAVES, 18, 19.3, 20) == pytest.approx([72] * 3)
    assert min(bills(LOAVES, 17.9, 20.1)) > 72
    assert bills(LOAVES, float(np.mean(LOAVES)), float(np.median(LOAVES))) == pytest.approx([89, 99.5])
    assert least(ELEVEN) == pytest.approx(112) and bills(ELEVEN, 20) == pytest.approx([112])
    assert min(bills(ELEVEN, 19.9, 20.1)) > 112
    interpolated = float(np.quantile(SEVEN, 0.8))
    assert interpolated == pytest.approx(17.6)
    assert torch.tensor(SEVEN).quantile(0.8).item() == pytest.approx(17.6)
    assert np.quantile(SEVEN, 0.8, method="inverted_cdf") == 18
    assert least(SEVEN) == pytest.approx(54) and bills(SEVEN, 18, interpolated) == pytest.approx([54, 55.2])
    wild = tuple(250.0 if demand == 25 else demand for demand in LOAVES)
    assert bills(wild, 18)[0] - bills(LOAVES, 18)[0] == 900
    assert optimal_set(torch.tensor(wild), 4, 1) == (18, 20)


def expected(amount: float) -> float:
    law = gamma(4, scale=5)
    short = quad(law.sf, amount, np.inf)[0]
    return float(4 * short + quad(law.cdf, 0, amount)[0])


def test_the_numbers_of_the_gamma_demand() -> None:
    best = float(gamma.ppf(0.8, 4, scale=5))
    assert best == pytest.approx(27.58, abs=5e-3) and loaves.gamma_quantile(0.8) == pytest.approx(best)
    more = expected(20) / expected(best) - 1
    assert more == pytest.approx(0.259, abs=5e-4)
    assert loaves.extra(torch.tensor([20.0, best]).double()).tolist() == pytest.approx([more, 0], abs=1e-9)
    assert answer("loaves.population", amount=best, extra=more).ok


@pytest.mark.parametrize(("n", "share"), [(10, 0.116), (100, 0.0115), (1000, 0.00115)])
def test_what_a_sample_costs_by_the_law_of_its_order_statistic(n: int, share: float) -> None:
    rank = 4 * n // 5
    level = (np.arange(40_000) + 0.5) / 40_000
    cost = loaves.extra(torch.from_numpy(gamma.ppf(level, 4, scale=5))).numpy()
    exact = float((cost * beta.pdf(level, rank, n + 1 - rank)).mean())
    assert exact == pytest.approx(share, rel=0.01)
    assert loaves.expected_regret(n, rank) == pytest.approx(exact, rel=1e-3)


def test_the_answers_are_these_numbers() -> None:
    cu, co, a, b = sp.symbols("c_u c_o a b")
    assert answer("loaves.slopes", between=co * b - cu * a, at=[-cu, co]).ok
    assert answer("loaves.cheapest", low=18, high=20.0).ok
    assert answer("loaves.bills", best=72, mean=89.0, median=99.5).ok
    assert answer("loaves.fractile", cu / (cu + co)).ok and answer("loaves.fractile", 1 / (1 + co / cu)).ok
    assert answer("loaves.condition", "P(D < θ) ≤ τ ≤ P(D ≤ θ)").ok
    assert answer("loaves.eleventh", amount=20, bill=112).ok
    assert answer("loaves.seven", amount=18, bill=54, interpolated=55.2).ok
    assert answer("loaves.population", amount=27.58, extra=0.259).ok
    assert answer("loaves.more_days", "a tenth").ok
    for number in ("72 anywhere", "89", "99.5", "112", "17.6", "55.2", "27.58", "25.9"):
        assert number in solution("loaves").text


def test_autograd_returns_one_of_the_slopes_at_a_kink() -> None:
    found = []
    for part in (lambda gap: gap.clamp(min=0), torch.relu):
        theta = torch.tensor(5.0, requires_grad=True)
        part(theta - 5).backward()
        assert theta.grad is not None
        found.append(theta.grad.item())
    assert found == [1, 0]


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run_page("loaves")


def test_the_page_says_what_its_runs_show(page: dict[str, Any]) -> None:
    ends, paths = page["paths"][-1], page["paths"]
    assert page["inside"] == 20 and ends.min() < 18.5 and ends.max() > 19.5
    assert (
        paths[:11].min() > 11
        and paths[:11].max() < 28.2
        and paths[100:].min() > 16.5
        and paths[100:].max() < 21.5
    )
    for n, share in page["shares"].items():
        assert (
            abs(interval(share).mean - loaves.expected_regret(n, 4 * n // 5)) < 2 * interval(share).half_width
        )
    for fewer, more in pairwise(page["shares"].values()):
        assert paired(fewer, more).low > 0 and 6 < fewer.mean() / more.mean() < 16
    assert page["lower"] == pytest.approx(11.6, abs=0.05) and page["upper"] == pytest.approx(12.3, abs=0.05)


def test_the_bills_of_samples_are_computed_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta device stands for a GPU: a tensor made elsewhere would stop the run before its end."""
    copied: list[str] = []

    def arrive(tensor: Tensor) -> Tensor:
        copied.append(tensor.device.type)
        return torch.zeros(tensor.shape, dtype=tensor.dtype)

    monkeypatch.setattr(loaves, "device", lambda: torch.device("meta"))
    monkeypatch.setattr(Tensor, "cpu", arrive)
    loaves.regrets(optimal_set, 10, samples=3)
    assert copied == ["meta"]
