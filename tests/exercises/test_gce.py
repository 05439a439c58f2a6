"""The exercise on generalized cross-entropy: its numbers, and what its page says."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp
import torch
from torch import Tensor

import losscore
from losscore.exercises import answer, check, solution
from losscore.exercises.gce_loss import GCE, gce
from losscore.lab import dial, generator, interval, noisy_labels, paired
from tests.exercises.pages import run_page


def by_the_library(z: Tensor, y: Tensor, q: float) -> Tensor:
    return losscore.generalized_cross_entropy(z, y, q=q, reduction="none")


def series_near_zero(z: Tensor, y: Tensor, q: float) -> Tensor:
    s = torch.nn.functional.cross_entropy(z, y, reduction="none")
    return s if q < 1e-14 else (1 - torch.exp(-q * s)) / q if q > 1e-3 else s - q * s**2 / 2 + q**2 * s**3 / 6


def test_right_functions_of_another_make_pass() -> None:
    assert check("gce.gce", by_the_library).ok


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (series_near_zero, "the right value is"),
        (lambda z, y, q: by_the_library(z, y, q).mean(), "a tensor of shape ()"),
        (lambda z, y, q: gce(z.float(), y, q), "the type torch.float32"),
        (lambda z, y, q: gce(z, y, q) * torch.ones(len(z), dtype=z.dtype), "On a GPU"),
    ],
)  # fmt: skip
def test_what_no_listed_mistake_explains_is_caught_with_a_reason(function: Any, hint: str) -> None:
    result = check("gce.gce", function)
    assert result.status == "failed" and hint in result.notes[0]


def test_the_reference_is_the_library_loss_with_its_gradient() -> None:
    for cases in GCE.inputs.values():
        for z, y, q in cases:
            mine, theirs = z.clone().requires_grad_(), z.clone().requires_grad_()
            one, other = gce(mine, y, q), by_the_library(theirs, y, q)
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-15)
            one.sum().backward()
            other.sum().backward()
            torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-9, atol=1e-15)


def test_the_numbers_of_the_exercise() -> None:
    eta = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    assert noisy_labels.best_forecast(eta, 0.7).tolist() == pytest.approx([0.8134, 0.1482, 0.0384], abs=5e-5)
    grid = torch.linspace(0.001, 0.999, 4001, dtype=torch.float64)
    assert grid[dial.pulls(gce, grid, 0.7).argmax()].item() == pytest.approx(0.412, abs=5e-4)
    contradicted = torch.tensor([0.01], dtype=torch.float64)
    ratio = dial.pulls(gce, contradicted, 0.7) / dial.pulls(gce, contradicted, 0.0)
    assert ratio.item() == pytest.approx(0.0398, abs=5e-5)
    start = torch.zeros(1, 10, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(gce(start, torch.tensor([3]), 0.7).sum(), start)
    assert slope[0, 3].item() == pytest.approx(-(10**-0.7) * 0.9)


def test_the_answers_are_these_numbers() -> None:
    p, q, r, K = sp.symbols("p q r K")
    assert answer("gce.limit", -sp.log(p)).ok
    assert answer("gce.slopes", own=-(p**q) * (1 - p), other=sp.exp(q * sp.log(p)) * r).ok
    assert answer("gce.damping", 0.0398).ok
    assert answer("gce.peak", 1 - 1 / (1 + q)).ok
    assert answer("gce.minimiser", exponent=(1 - q) ** -1, forecast=[0.8134, 0.1482, 0.0384]).ok
    assert answer("gce.minimiser", exponent=1 / (1 - q), forecast=torch.tensor([0.8134, 0.1482, 0.0384])).ok
    assert answer("gce.vertex", [1, 0, 0]).ok
    assert answer("gce.vertex", (1.0, 0.0, 0.0)).ok
    assert answer("gce.start", 1 / K**q).ok
    for number in ("0.8134", "0.0398", "0.412"):
        assert number in solution("gce").text


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run_page("gce")


def test_the_page_says_what_its_runs_show(page: dict[str, Any]) -> None:
    plain, _, dialled, bounded = (page["noisy"][q] for q in page["settings"])
    late = {q: course.accuracy[-1] for q, course in page["noisy"].items()}
    assert paired(plain.accuracy[plain.at(210)], late[0.0]).low > 0.05, "cross-entropy rises, then falls"
    assert paired(late[0.7], late[0.0]).low > 0.05
    assert paired(plain.accuracy[plain.at(50)], bounded.accuracy[bounded.at(50)]).low > 0.05
    assert paired(plain.fitted[-1], dialled.fitted[-1]).low > 0.05
    assert paired(dialled.fitted[-1], bounded.fitted[-1]).low > 0.005
    assert 0 < (bounded.dropped[-1] > 0).sum() < page["seeds"] / 2
    assert all((page["noisy"][q].dropped[-1] == 0).all() for q in (0.0, 0.3, 0.7))
    assert bounded.accuracy[-1].max() > max(late[q].max() for q in (0.0, 0.3, 0.7))
    assert (
        abs(interval(plain.confidence[-1]).mean - 0.6) < 0.05 and interval(dialled.confidence[-1]).low > 0.9
    )
    assert paired(dialled.accuracy.max(0).values, plain.accuracy.max(0).values).low > 0
    price = paired(page["clean"][0.7].accuracy[-1], page["clean"][0.0].accuracy[-1])
    assert price.low > -0.01 and price.high < 0.01


def test_training_stays_on_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta device stands for a GPU: a tensor made elsewhere would stop the run before its end."""
    copied: list[str] = []

    def arrive(tensor: Tensor) -> Tensor:
        copied.append(tensor.device.type)
        return torch.zeros(tensor.shape, dtype=tensor.dtype)

    monkeypatch.setattr(noisy_labels, "device", lambda: torch.device("meta"))
    monkeypatch.setattr(Tensor, "cpu", arrive)
    data = noisy_labels.noisy_digits(0.4, seeds=2)
    noisy_labels.train(lambda z, y: gce(z, y, 0.7).mean(), data, steps=1, batch=8)
    assert copied and set(copied) == {"meta"}
    with pytest.raises(RuntimeError, match="device"):
        noisy_labels.train(
            lambda z, y: (gce(z, y, 0.7) * torch.rand(len(y), generator=generator(0))).mean(), data, steps=1
        )


def test_where_the_pulls_peak_in_the_figure() -> None:
    grid = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    tops = {q: dial.pulls(gce, grid, q).max(0) for q in (0.3, 0.7, 1.0)}
    assert [round(grid[top.indices].item(), 2) for top in tops.values()] == [0.23, 0.41, 0.5]
    assert [round(top.values.item(), 2) for top in tops.values()] == [0.5, 0.32, 0.25]
