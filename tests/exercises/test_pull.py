"""The exercise on the pull of a wrong label: its numbers, and what its page says."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp
import torch
from scipy.optimize import brentq, minimize
from torch import Tensor

import losscore
from losscore.exercises import answer, check, solution
from losscore.exercises.pull_functions import margin_loss, weight
from losscore.lab import generator, interval, paired
from losscore.lab import pull as lab
from tests.exercises.pages import run_page


def by_softplus(m: Tensor, kind: str) -> Tensor:
    return torch.exp(-m) if kind == "exponential" else torch.nn.functional.softplus(-m)


def by_logaddexp(m: Tensor, kind: str) -> Tensor:
    return torch.exp(-m) if kind == "exponential" else torch.logaddexp(torch.zeros_like(m), -m)


def by_autograd(m: Tensor, kind: str) -> Tensor:
    leaf = m if m.requires_grad else m.detach().requires_grad_()
    value = by_logaddexp(leaf, kind)
    (slope,) = torch.autograd.grad(value.sum(), leaf, create_graph=True)
    return -slope


def by_the_library(m: Tensor, kind: str) -> Tensor:
    return getattr(losscore, kind)(m, torch.ones_like(m), reduction="none")


@pytest.mark.parametrize(
    ("task", "function"),
    [
        ("margin_loss", by_softplus),
        ("margin_loss", by_logaddexp),
        ("margin_loss", by_the_library),
        (
            "weight",
            lambda m, kind: torch.exp(-m if kind == "exponential" else torch.nn.functional.logsigmoid(-m)),
        ),
    ],
)
def test_right_functions_of_another_make_pass(task: str, function: Any) -> None:
    assert check(f"pull.{task}", function).ok


@pytest.mark.parametrize(
    ("task", "function", "hint"),
    [
        ("margin_loss", lambda m, kind: margin_loss(m, kind).mean(), "a tensor of shape ()"),
        ("margin_loss", lambda m, kind: margin_loss(m.detach(), kind), "Autograd finds no way"),
        ("weight", lambda m, kind: torch.exp(-m) if kind == "exponential" else 1 / (1 + torch.exp(m)), "times 0"),
        ("margin_loss", lambda m, kind: (1.01 if kind == "exponential" else 1) * margin_loss(m, kind), "the right value is"),
        ("margin_loss", lambda m, kind: margin_loss(m, kind) + torch.zeros(m.shape, dtype=m.dtype), "On a GPU"),
        ("weight", lambda m, kind: weight(m.float(), kind), "the type torch.float32"),
        ("weight", lambda m, kind: (1.01 if kind == "exponential" else 1) * weight(m, kind), "right would be"),
    ],
)  # fmt: skip
def test_what_no_listed_mistake_explains_is_caught_with_a_reason(task: str, function: Any, hint: str) -> None:
    result = check(f"pull.{task}", function)
    assert result.status == "failed" and hint in result.notes[0]


def test_the_references_are_the_library_losses_and_their_slopes() -> None:
    m = torch.linspace(-30, 30, 601, dtype=torch.float64)
    for kind in lab.KINDS:
        torch.testing.assert_close(margin_loss(m, kind), by_the_library(m, kind), rtol=1e-9, atol=0)
        torch.testing.assert_close(weight(m, kind), by_autograd(m, kind).detach(), rtol=1e-9, atol=0)


def total_slope(w: float, kind: str, place: float) -> float:
    """The slope in w of the loss of the 41 points, without the exercise's functions."""
    x = torch.tensor([1.0] * 20 + [-1.0] * 20 + [place], dtype=torch.float64)
    y = torch.tensor([1.0] * 20 + [-1.0] * 21, dtype=torch.float64)
    slope = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    total = getattr(losscore, kind)(slope * x, y, reduction="sum")
    return torch.autograd.grad(total, slope)[0].item()


@pytest.mark.parametrize(
    ("kind", "place", "end"),
    [
        ("exponential", 4, 0.46052),
        ("logistic", 4, 2.19739),
        ("exponential", 100, -0.0090722),
        ("logistic", 100, -0.0137771),
        ("exponential", 40, 0.0),
        ("logistic", 40, 0.0),
    ],
)
def test_where_the_weight_ends(kind: str, place: float, end: float) -> None:
    assert brentq(total_slope, -1, 5, args=(kind, place), xtol=1e-12) == pytest.approx(end, abs=1e-5)
    fitted = lab.fit(margin_loss, weight, kind, lab.one_wrong(place))
    assert fitted.item() == pytest.approx(end, abs=1e-5)


def test_the_share_of_the_wrong_point() -> None:
    for kind, share in (("exponential", 0.937), ("logistic", 0.267)):
        one = lab.one_wrong(4.0)
        margin = (one.label * one.points[..., 0]).requires_grad_()
        getattr(losscore, kind)(margin, torch.ones_like(margin), reduction="sum").backward()
        pulls = (margin.grad * one.points[..., 0]).abs()
        assert (pulls[one.wrong].sum() / pulls.sum()).item() == pytest.approx(share, abs=5e-4)


def test_the_answers_are_these_numbers() -> None:
    m, eta = sp.symbols("m eta")
    assert answer("pull.tails", gap=0, weight=1, ratio=(sp.exp(m) + 1) / sp.exp(m)).ok
    assert answer("pull.fit", exponential=0.4605, logistic=2.1974).ok
    assert answer("pull.fit", exponential=sp.log(10) / 5, logistic=2.197).ok
    assert answer("pull.share", exponential=0.937, logistic=0.2675).ok
    assert answer("pull.far", turn=40, logistic=-0.01378).ok
    assert answer(
        "pull.population", exponential=sp.log(sp.sqrt(eta / (1 - eta))), logistic=-sp.log(1 / eta - 1)
    ).ok
    assert "σ(−m)" in answer("pull.tails", gap=0, weight=float("inf"), ratio=sp.exp(m)).notes[1]
    assert "finite" in answer("pull.share", exponential=sp.oo, logistic=0.2675).notes[0]
    for number in ("0.4605", "2.1974", "0.9369", "0.2675", "-0.0138", "55.6"):
        assert number in solution("pull").text


def test_a_capped_exponential_has_the_log_odds_too() -> None:
    score = torch.linspace(-6, 6, 12001, dtype=torch.float64)
    for eta in (0.2, 0.6, 0.95):
        costs = [torch.where(m >= 0, torch.exp(-m), 1 - m) for m in (score, -score)]
        best = score[(eta * costs[0] + (1 - eta) * costs[1]).argmin()].item()
        assert best == pytest.approx(torch.logit(torch.tensor(eta)).item(), abs=2e-3)


def test_another_solver_finds_the_same_lines() -> None:
    samples = lab.clouds(2)
    for kind in lab.KINDS:
        for k, found in enumerate(lab.fit(margin_loss, weight, kind, samples)):

            def mean_loss(w: Any, kind: str = kind, k: int = k) -> float:
                scores = samples.points[k] @ torch.as_tensor(w)
                return getattr(losscore, kind)(scores, samples.label[k]).item()

            assert minimize(mean_loss, [0.0] * 3).x == pytest.approx(found.numpy(), abs=1e-3)  # fmt: skip


def test_the_wrong_labels_lie_among_the_forty_clearest() -> None:
    samples = lab.clouds(3, seed=4)
    right = samples.corrected
    assert (samples.wrong.sum(1) == 20).all() and (right.label == 1).sum(1).tolist() == [200] * 3
    for points, label, wrong in zip(right.points, right.label, samples.wrong):
        order = points[:, 0].where(label == 1, -torch.inf).argsort(descending=True)
        assert wrong[order[40:]].sum() == 0
    anywhere = lab.clouds(50, among=None)
    of_the_right = ((anywhere.corrected.label == 1) & anywhere.wrong).sum(1).double()
    assert interval(of_the_right).low < 10 < interval(of_the_right).high


def test_the_accuracy_is_that_of_many_points() -> None:
    found = lab.fit(margin_loss, weight, "exponential", lab.clouds(1))
    fresh = torch.randn(200_000, 2, generator=generator(9), dtype=torch.float64)
    side = torch.where(torch.arange(len(fresh)) % 2 == 0, 1.0, -1.0).double()
    fresh[:, 0] += lab.MEAN * side
    hits = ((fresh @ found[0, :2] + found[0, 2]) * side > 0).double().mean().item()
    assert lab.accuracy(found).item() == pytest.approx(hits, abs=0.004)
    assert lab.accuracy(torch.tensor([[1.0, 0.0, 0.0]])).item() == pytest.approx(0.8944, abs=1e-4)


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run_page("pull")


def test_the_page_says_what_its_runs_show(page: dict[str, Any]) -> None:
    exponential, logistic = (page["found"][kind] for kind in lab.KINDS)
    assert paired(page["accuracy"]["logistic"], page["accuracy"]["exponential"]).low > 0.015
    assert interval(page["accuracy"]["exponential"]).mean == pytest.approx(0.860, abs=0.004)
    assert interval(page["accuracy"]["logistic"]).mean == pytest.approx(0.883, abs=0.004)
    moved = paired(lab.shift(exponential), lab.shift(logistic))
    assert interval(lab.shift(logistic)).low > 0.2 and moved.low > 0.2
    (exp_first, exp_last), (log_first, log_last) = page["share"].values()
    assert interval(exp_first).low > 0.7 and interval(log_first).high < 0.3
    assert interval(exp_last).high < 0.22 and interval(log_last).low > 0.14
    assert paired(exp_last, log_last).low > 0.02


def test_wrong_labels_in_balance_cost_next_to_nothing(page: dict[str, Any]) -> None:
    for lines in page["random"].values():
        assert interval(lab.accuracy(lines)).low > 0.89
    logistic, exponential = page["hits"]
    assert paired(logistic, exponential).low > 0 and paired(logistic, exponential).high < 0.003


@pytest.mark.parametrize("seed", [11, 12])
def test_other_samples_tell_the_same(seed: int) -> None:
    samples = lab.clouds(50, seed=seed)
    exponential, logistic = (lab.fit(margin_loss, weight, kind, samples) for kind in lab.KINDS)
    assert paired(lab.accuracy(logistic), lab.accuracy(exponential)).low > 0.015
    assert paired(lab.shift(exponential), lab.shift(logistic)).low > 0.15


def test_fitting_stays_on_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta device stands for a GPU: a tensor made elsewhere would stop the run before its end."""
    monkeypatch.setattr(lab, "device", lambda: torch.device("meta"))
    samples = lab.clouds(2)
    found = lab.fit(margin_loss, weight, "logistic", samples, steps=2)
    assert found.device.type == "meta"
    monkeypatch.setattr(Tensor, "cpu", lambda tensor: tensor)
    shares = lab.shares(weight, "logistic", samples.corrected, found)
    assert shares.device.type == lab.accuracy(found).device.type == "meta"
    with pytest.raises(RuntimeError, match="device"):
        lab.fit(margin_loss, lambda m, kind: weight(m, kind) * torch.ones(2, 400), "logistic", samples)
