"""The exercise on mistakes found in the wild: the finds, right functions of another make, and what its page says."""

from __future__ import annotations

import doctest
from typing import Any

import pytest
import sympy as sp
import torch
from torch import Tensor
from torch.nn import functional

import losscore
from losscore.exercises import answer, check, solution
from losscore.lab import found_in_the_wild as lab
from losscore.lab import noisy_labels, paired
from tests.exercises.pages import run_page

Z, W = sp.symbols("z w", real=True)
MENDS = ("binary_cross_entropy", "smoothed_loss", "slope", "penalised_step")


def smoothed_by_the_library(z: Tensor, y: Tensor, eps: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(
        z, torch.lerp(y, torch.full_like(y, 1 / y.shape[1]), eps)
    )


def slope_by_autograd(z: Tensor, y: Tensor) -> Tensor:
    leaf = z.detach().requires_grad_()
    rows = functional.cross_entropy(leaf.reshape(-1, z.shape[-1]), y.reshape(-1), reduction="sum")
    (found,) = torch.autograd.grad(rows, leaf)
    return found


def step_by_autograd(w: Tensor, g: Tensor, lr: float, lam: float) -> Tensor:
    leaf = w.detach().requires_grad_()
    (pull,) = torch.autograd.grad((g * leaf).sum() + lam * leaf.square().sum(), leaf)
    return w - lr * pull


@pytest.mark.parametrize(
    ("task", "function"),
    [
        ("binary_cross_entropy", functional.binary_cross_entropy_with_logits),
        ("binary_cross_entropy", losscore.binary_cross_entropy),
        ("smoothed_loss", smoothed_by_the_library),
        ("slope", slope_by_autograd),
        ("penalised_step", step_by_autograd),
    ],
)  # fmt: skip
def test_right_functions_of_another_make_pass(task: str, function: Any) -> None:
    assert check(f"found-in-the-wild.{task}", function).notes == ()


def test_the_answers_are_these() -> None:
    z, w, sigmoid = Z, W, 1 / (1 + sp.exp(-Z))
    epsilon, eta, lam = sp.symbols("epsilon eta lambda")
    found, right = -sp.log(1 - sigmoid), -sp.log(sigmoid)
    assert answer("found-in-the-wild.swapped", gap=z, blind=0, slope=sp.diff(found, z)).ok
    assert answer("found-in-the-wild.swapped", gap=found - right, blind=0.0, slope=sigmoid).ok
    assert answer("found-in-the-wild.smoothed", total=2 - epsilon, classes=9, slope=sigmoid - 1.4).ok
    assert answer(
        "found-in-the-wild.sentence", slope=sp.diff(right, z), limit=sp.limit(sp.diff(right, z), z, -sp.oo)
    ).ok
    assert answer("found-in-the-wild.example", value=0.18, squares=3 * 0.1467).ok
    rest = sp.solve(w - 1 + lam * w, w)[0]
    assert answer("found-in-the-wild.halved", gap=eta * lam * w, blind=0, rest=rest).ok
    for name, number in (("sentence", "-0.99995"), ("true_of", "0.000045"), ("example", "0.44")):
        assert number in solution(f"found-in-the-wild.{name}").text


def test_the_numbers_of_the_solutions() -> None:
    z, label = torch.tensor([[-10.0, 0.0]], dtype=torch.float64), torch.tensor([0])
    assert slope_by_autograd(z, label)[0, 0].item() == pytest.approx(-0.99995, abs=5e-6)
    p = z.softmax(-1)[0, 0].item()
    assert (p - 1) * p * (1 - p) == pytest.approx(-0.000045, abs=5e-7)
    assert functional.mse_loss(
        torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.5, 2.5, 2.8])
    ).item() == pytest.approx(0.18)
    assert [k for k in range(2, 20) if 1 - 0.1 + 1 / k > 1 + 1e-12][-1] == 9


def test_an_example_that_is_run_tells_on_itself() -> None:
    text = ">>> errors = (0.5, 0.5, -0.2)\n>>> print(f'{sum(e * e for e in errors) / 3:.4f}')\n"
    runner = doctest.DocTestRunner(verbose=False)
    for printed, failures in (("0.1467", 1), ("0.1800", 0)):
        example = doctest.DocTestParser().get_doctest(text + printed + "\n", {}, printed, None, 0)
        assert runner.run(example, out=lambda _: None, clear_globs=False).failed == failures


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run_page("found-in-the-wild")


def test_the_finds_are_rejected_with_their_own_reason(page: dict[str, Any]) -> None:
    finds = (page["swapped_branches"], page["lost_eps"], page["sentence"], page["lost_factor"])
    for name, found in zip(MENDS, finds, strict=True):
        result = check(f"found-in-the-wild.{name}", found)
        assert result.status == "failed" and "as found" in result.notes[0]


def test_small_inputs_tell_the_finds_from_the_mends(page: dict[str, Any]) -> None:
    z, y = lab.first_difference(page["swapped_branches"], page["bce"], page["ones"])
    assert (z.item(), y.item()) == (1.0, 1.0)
    assert lab.first_difference(page["lost_eps"], page["smoothed"], page["rows"])[0].tolist() == [[1.0, 0.0]]
    assert lab.first_difference(page["sentence"], page["pull"], page["logits"])[0].tolist() == [[0.0, 0.0]]
    assert lab.first_difference(page["lost_factor"], page["take_step"], page["weights"])[0].item() == 1.0
    assert lab.first_difference(page["bce"], page["right"], page["ones"]) is None


def test_the_page_says_what_its_runs_show(page: dict[str, Any]) -> None:
    swapped, mended = page["branches"]
    assert (swapped.accuracy[-1] == 0).all() and mended.accuracy[-1].min() > 0.93
    torch.testing.assert_close(swapped.label_logit, -mended.label_logit, rtol=1e-3, atol=1e-3)
    endless, bounded = page["targets"]
    assert (endless.label_logit.diff(dim=0) > 0).all() and endless.label_logit[-1].min() > 60
    assert (bounded.label_logit[-1] - 2).abs().max() < 0.3
    stuck, freed = page["climbs"]
    assert stuck.max() < 1e-3 and freed[10] > 0.9
    lost, full, halved = (run.length[-1] for run in page["penalties"])
    assert paired(lost, full).low > 2
    torch.testing.assert_close(lost, halved, rtol=1e-4, atol=0.0)


def test_training_stays_on_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta device stands for a GPU: a tensor made elsewhere would stop the run before its end."""
    copied: list[str] = []

    def arrive(tensor: Tensor) -> Tensor:
        copied.append(tensor.device.type)
        return torch.zeros(tensor.shape, dtype=tensor.dtype)

    monkeypatch.setattr(lab, "device", lambda: torch.device("meta"))
    monkeypatch.setattr(Tensor, "cpu", arrive)
    data = noisy_labels.noisy_digits(0.0, seeds=2)
    lab.train(functional.binary_cross_entropy_with_logits, data, steps=1)
    assert copied and set(copied) == {"meta"}
    with pytest.raises(RuntimeError, match="device"):
        lab.train(lambda z, y: (z * torch.ones(z.shape[-1])).mean(), data, steps=1)
