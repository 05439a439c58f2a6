"""The exercise on slopes that vanish: its numbers from the library, its page, its devices."""

from __future__ import annotations

import math
from typing import Any

import pytest
import sympy as sp
import torch
from torch import Tensor

import losscore
from losscore.exercises import answer, check, solution
from losscore.exercises.vanishing_slopes import KINDS, LOSS, grad, loss
from losscore.lab import generator, interval, noisy_labels, paired, vanishing
from tests.exercises.pages import run_page


def by_the_library(z: Tensor, y: Tensor, kind: str, eps: float, T: float) -> Tensor:
    if kind == "smooth":
        y = losscore.smooth_labels(torch.stack([1 - y, y], 1), 2, smoothing=eps)[:, 1]
    return losscore.binary_cross_entropy(z / T if kind == "temperature" else z, y, reduction="none")


def by_pytorch(z: Tensor, y: Tensor, kind: str, eps: float, T: float) -> Tensor:
    if kind == "smooth":
        y = y * (1 - eps) + eps / 2
    scaled = z / T if kind == "temperature" else z
    return torch.nn.functional.binary_cross_entropy_with_logits(scaled, y, reduction="none")


def by_autograd(z: Tensor, y: Tensor, kind: str, eps: float, T: float) -> Tensor:
    leaf = z.clone().requires_grad_()
    return torch.autograd.grad(loss(leaf, y, kind, eps, T).sum(), leaf)[0]


def test_right_functions_of_another_make_pass() -> None:
    assert check("vanishing.loss", by_the_library).notes == ()
    assert check("vanishing.loss", by_pytorch).notes == ()
    assert check("vanishing.grad", by_autograd).notes == ()


def test_the_references_are_the_library_loss_and_its_slope() -> None:
    for z, y, kind, eps, T in (case for cases in LOSS.inputs.values() for case in cases):
        leaf = z.clone().requires_grad_()
        theirs = by_the_library(leaf, y, kind, eps, T)
        torch.testing.assert_close(loss(z, y, kind, eps, T), theirs.detach(), rtol=1e-9, atol=1e-15)
        (slope,) = torch.autograd.grad(theirs.sum(), leaf)
        torch.testing.assert_close(grad(z, y, kind, eps, T), slope, rtol=1e-9, atol=1e-15)


def test_what_no_listed_mistake_explains_is_caught_with_a_reason() -> None:
    shifted = check("vanishing.grad", lambda *case: grad(*case) + 0.01)
    assert shifted.status == "failed" and "limits" in shifted.notes[0]
    stranded = check("vanishing.grad", lambda *case: grad(*case) * torch.ones(case[0].shape).double())
    assert "On a GPU" in stranded.notes[0]


def slopes_at(z: float) -> list[float]:
    place = torch.tensor([z], dtype=torch.float64)
    return [by_autograd(place, torch.ones_like(place), kind, 0.1, 4.0).item() for kind in KINDS]


def test_the_numbers_of_the_exercise() -> None:
    assert slopes_at(8) == pytest.approx([-0.000335, 0.04966, -0.02980], abs=5e-6)
    assert slopes_at(40)[1:] == pytest.approx([0.05, -1.13e-5], abs=5e-8)
    assert slopes_at(1e4) == pytest.approx([0, 0.05, 0], abs=1e-12)
    assert slopes_at(-1e4) == pytest.approx([-1, -0.95, -0.25], abs=1e-12)
    assert slopes_at(math.log(19))[1] == pytest.approx(0, abs=1e-15)
    assert math.log(19) == pytest.approx(2.9444, abs=5e-5)
    assert slopes_at(100)[2] == pytest.approx(-3.5e-12, rel=0.01)


def test_the_answers_are_these_numbers() -> None:
    eps, T, z = sp.symbols("epsilon T z")
    assert answer("vanishing.limits", smooth=[eps / 2 - 1, eps / 2], temperature=[-1 / T, 0]).ok
    assert answer("vanishing.zero", logit=sp.log(2 / eps - 1), tenth=2.9444, forecast=1 - eps / 2).ok
    assert answer("vanishing.beyond", "it falls").ok
    assert answer("vanishing.rates", plain=-1, temperature=-1 / T).ok
    assert answer("vanishing.values", at_8=slopes_at(8), at_40=slopes_at(40)[1:]).ok
    assert answer("vanishing.values", at_8=[-3.354e-4, 0.04966, -0.0298], at_40=[0.05, -1.135e-5]).ok
    rounded = answer("vanishing.values", at_8=[-0.0003, 0.0497, -0.0298], at_40=[0.05, -1.135e-5])
    assert "at_8: Close" in rounded.notes[0]
    assert answer("vanishing.layer", logit=z / T, rate=1 / T**2).ok
    assert answer("vanishing.alive", "neither").ok
    for number in ("2.9444", "-0.000335", "+0.04966", "-0.02980", "0.05000", r"-1.13\cdot10^{-5}"):
        assert number in solution("vanishing").text


def test_a_step_at_a_temperature_is_a_shorter_step_of_another_last_layer() -> None:
    draw = generator(3)
    features = torch.randn(20, 3, generator=draw, dtype=torch.float64)
    y = (torch.rand(20, generator=draw, dtype=torch.float64) < 0.5).double()
    V = torch.randn(3, generator=draw, dtype=torch.float64)
    U = V / 4
    for _ in range(5):
        V = V - 0.3 * grad(features @ V, y, "temperature", 0.1, 4.0) @ features
        U = U - 0.3 / 16 * grad(features @ U, y, "plain", 0.1, 4.0) @ features
    torch.testing.assert_close(V / 4, U, rtol=1e-12, atol=1e-14)


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run_page("vanishing")


def test_the_page_says_what_its_runs_show(page: dict[str, Any]) -> None:
    plain, smooth, hot = page["courses"].values()
    root = math.log(19)
    assert plain.margins[:, :, 1].mean(1)[[3, 7, 9]].tolist() == pytest.approx([4.9, 12.1, 19.3], rel=0.1)
    assert smooth.margins[:, :, 1].mean(1)[[3, 7, 9]].tolist() == pytest.approx([2.80, 2.95, 2.93], abs=0.1)
    assert hot.margins[:, :, 1].mean(1)[[3, 7, 9]].tolist() == pytest.approx([14, 34, 64], rel=0.1)
    assert slopes_at(interval(plain.margins[-1, :, 1]).low)[0] > -1e-7
    assert slopes_at(interval(plain.margins[plain.at(3000), :, 1]).low)[0] > -1e-4
    assert (plain.margins[:, :, 1].diff(dim=0) > 0).all() and (hot.margins[:, :, 1].diff(dim=0) > 0).all()
    ends = smooth.margins[-1]
    assert interval(ends[:, 0]).high < root < interval(ends[:, 2]).low
    assert abs(interval(ends[:, 1]).mean - root) < 0.1 and (ends[:, 2] - ends[:, 0]).max() < 1
    assert paired(plain.margins[-1, :, 1], hot.margins[-1, :, 1] / 4).low > 1
    assert interval(hot.margins[-1, :, 2]).low > 90
    digits = page["digits"]
    share = digits.test_images.shape[1] / digits.images.shape[1]
    assert paired(smooth.accuracy[-1], plain.accuracy[-1], test_share=share).low > 0.002
    cooler = paired(plain.accuracy[-1], hot.accuracy[-1], test_share=share)
    assert cooler.low < 0 < cooler.high


def test_the_four_labels_of_each_digit() -> None:
    labels = vanishing.attributes(torch.arange(10))
    assert [labels[:, k].nonzero().flatten().tolist() for k in range(4)] == [
        [0, 2, 4, 6, 8],
        [5, 6, 7, 8, 9],
        [0, 6, 8, 9],
        [2, 3, 5, 7],
    ]


def test_networks_learn_side_by_side_as_they_do_alone() -> None:
    data = noisy_labels.noisy_digits(0.0, seeds=2, n=200)
    losses = {kind: lambda z, y, kind=kind: loss(z, y, kind, 0.1, 4.0) for kind in KINDS}
    together = vanishing.train(losses, data, steps=100, hidden=16)
    for kind, one in losses.items():
        alone = vanishing.train({kind: one}, data, steps=100, hidden=16)[kind]
        torch.testing.assert_close(together[kind].margins, alone.margins, rtol=1e-3, atol=1e-3)


def test_training_stays_on_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta device stands for a GPU: a tensor made elsewhere would stop the run before its end."""
    copied: list[str] = []

    def arrive(tensor: Tensor) -> Tensor:
        copied.append(tensor.device.type)
        return torch.zeros(tensor.shape, dtype=tensor.dtype)

    monkeypatch.setattr(vanishing, "device", lambda: torch.device("meta"))
    monkeypatch.setattr(Tensor, "cpu", arrive)
    data = noisy_labels.noisy_digits(0.0, seeds=2)
    vanishing.train({"plain": lambda z, y: loss(z, y, "smooth", 0.1, 4.0)}, data, steps=1, batch=8)
    assert copied and set(copied) == {"meta"}
