"""The exercise on soft targets: its numbers, and what its page says."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp
import torch
import torch.nn.functional as F
from torch import Tensor

import losscore
from losscore.exercises import answer, check
from losscore.exercises.soft_targets import DIVERGENCE, GAP, TARGET
from losscore.exercises.soft_targets_functions import KD, SMOOTH, SOFT_CE, kd, smooth, soft_ce
from losscore.lab import descend, interval, paired, targets
from losscore.lab import soft_targets as lab
from tests.exercises.pages import run_page


def distilled_by_torch(z: Tensor, v: Tensor, y: Tensor, T: float, alpha: float) -> Tensor:
    log_p, log_q = F.log_softmax(z / T, -1), F.log_softmax(v / T, -1)
    soft = F.kl_div(log_p, log_q, reduction="none", log_target=True).sum(-1)
    return alpha * T * T * soft + (1 - alpha) * F.cross_entropy(z, y, reduction="none")


def distilled_by_the_library(z: Tensor, v: Tensor, y: Tensor, T: float, alpha: float) -> Tensor:
    soft = losscore.distillation(z, v, temperature=T, reduction="none")
    return alpha * soft + (1 - alpha) * losscore.cross_entropy(z, y, reduction="none")


def smoothed_by_scatter(y: Tensor, K: int, eps: float) -> Tensor:
    rows = torch.full((len(y), K), eps / K, dtype=torch.float64, device=y.device)
    return rows.scatter(1, y[:, None], 1 - eps + eps / K)


@pytest.mark.parametrize(
    ("task", "function"),
    [
        ("soft_ce", lambda z, t: F.cross_entropy(z, t, reduction="none")),
        ("soft_ce", lambda z, t: losscore.cross_entropy(z, t, reduction="none")),
        ("soft_ce", lambda z, t: z.logsumexp(-1) - (t * z).sum(-1)),
        ("smooth", smoothed_by_scatter),
        ("smooth", lambda y, K, eps: losscore.smooth_labels(y, K, smoothing=eps).double()),
        ("kd", distilled_by_torch),
        ("kd", distilled_by_the_library),
    ],
)
def test_right_functions_of_another_make_pass(task: str, function: Any) -> None:
    assert check(f"soft-targets.{task}", function).ok


@pytest.mark.parametrize(
    ("task", "function", "hint"),
    [
        ("soft_ce", lambda z, t: soft_ce(z, t).mean(), "a tensor of shape ()"),
        ("soft_ce", lambda z, t: soft_ce(z.detach(), t), "Autograd finds no way"),
        ("soft_ce", lambda z, t: soft_ce(z, t) + torch.zeros(len(z), dtype=z.dtype), "On a GPU"),
        ("smooth", lambda y, K, eps: smooth(y, K, eps).float(), "the type torch.float32"),
        ("smooth", lambda y, K, eps: (1 - eps) * y + eps / K, "returns a tensor of shape"),
        ("kd", lambda z, v, y, T, alpha: kd(z, v, y, T, alpha).mean(), "a tensor of shape ()"),
        ("kd", lambda z, v, y, T, alpha: 1.001 * kd(z, v, y, T, alpha), "the right value is"),
    ],
)  # fmt: skip
def test_what_no_listed_mistake_explains_is_caught_with_a_reason(task: str, function: Any, hint: str) -> None:
    result = check(f"soft-targets.{task}", function)
    assert result.status == "failed" and hint in result.notes[0]


def test_the_references_are_those_of_torch_with_their_gradients() -> None:
    for task, mine, theirs in (
        (SOFT_CE, soft_ce, lambda z, t: F.cross_entropy(z, t, reduction="none")),
        (KD, kd, distilled_by_torch),
    ):
        for z, *others in (case for cases in task.inputs.values() for case in cases):
            slopes = []
            for function in (mine, theirs):
                leaf = z.clone().requires_grad_()
                value = function(leaf, *others)
                slopes.append((value.detach(), *torch.autograd.grad(value.sum(), leaf)))
            for one, other in zip(*slopes):
                torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-8)
    for y, K, eps in (case for cases in SMOOTH.inputs.values() for case in cases):
        z = torch.linspace(-2, 2, len(y) * K, dtype=torch.float64).reshape(len(y), K)
        theirs = F.cross_entropy(z, y, label_smoothing=eps, reduction="none")
        torch.testing.assert_close(soft_ce(z, smooth(y, K, eps)), theirs)


def test_the_numbers_of_the_exercise() -> None:
    target = smooth(torch.tensor([3]), 10, 0.1)
    assert target[0, 3].item() == pytest.approx(0.91)
    free = descend(lambda z: soft_ce(z[None], target).sum(), torch.zeros(10), step=5.0, steps=3000).path[-1]
    assert (free[3] - free[0]).item() == pytest.approx(4.5109, abs=1e-3)
    teacher, student = (torch.tensor([row]).double().log() for row in ([0.7, 0.2, 0.1], [0.5, 0.3, 0.2]))
    y = torch.tensor([0])
    assert kd(student, teacher, y, 1.0, 1.0).item() == pytest.approx(0.0851, abs=5e-5)
    assert kd(teacher, student, y, 1.0, 1.0).item() == pytest.approx(0.0920, abs=5e-5)


@pytest.mark.parametrize("seed", range(3))
def test_heat_leaves_the_difference_of_the_logits(seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    z, v = (torch.randn(1, 7, generator=draw, dtype=torch.float64) for _ in range(2))
    z, v = (x - x.mean() for x in (z, v))
    leaf = z.clone().requires_grad_()
    (slope,) = torch.autograd.grad(kd(leaf, v, torch.tensor([0]), 1000.0, 1.0).sum(), leaf)
    torch.testing.assert_close(slope, (z - v) / 7, rtol=0.01, atol=1e-3)


def test_the_answers_are_these_numbers() -> None:
    eps, eta, K, p, q, t, T, v, z = sp.symbols("eps eta K p q t T v z")
    assert answer("soft-targets.target", own=1 - eps * (K - 1) / K, other=eps / K).ok
    assert answer("soft-targets.gap", 4.5109).ok
    assert answer("soft-targets.gap", sp.log(1 + 10 * sp.Rational(9, 10) / sp.Rational(1, 10))).ok
    assert answer("soft-targets.slope", p - t).ok
    assert answer("soft-targets.best", eta - eps * (eta - 1 / K)).ok
    assert answer("soft-targets.divergence", teacher_first=0.0851, student_first=0.09203).ok
    assert answer("soft-targets.heat", slope=p / T - q / T, hot=(z - v) / (K * T * T)).ok
    assert answer("soft-targets.family", "all are equal").ok
    for number in ("0.91", "4.5109", "0.0851", "0.0920"):
        assert any(number in item.explanation for item in (TARGET, GAP, DIVERGENCE))


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run_page("soft-targets")


def test_the_page_says_what_its_runs_show(page: dict[str, Any]) -> None:
    plain, weak, strong, cold, hot = page["students"].values()
    share = lab.TEST_SHARE

    def apart(one: Tensor, other: Tensor) -> Any:
        return paired(one, other, test_share=share)

    for run in (weak, strong):
        assert apart(run.accuracy, plain.accuracy).low < 0 < apart(run.accuracy, plain.accuracy).high
    assert apart(weak.calibration_error, plain.calibration_error).low > 0.08
    assert apart(strong.calibration_error, weak.calibration_error).low > 0.1
    assert apart(weak.confidence, plain.confidence).high < -0.12
    assert apart(lab.surprise(weak), lab.surprise(plain)).low > 0.03
    assert apart(lab.surprise(strong), lab.surprise(weak)).low > 0.1
    assert apart(hot.accuracy, plain.accuracy).low > 0.003
    assert apart(hot.calibration_error, plain.calibration_error).high < -0.003
    assert apart(lab.surprise(plain), lab.surprise(cold)).low > 0.02
    assert apart(lab.surprise(plain), lab.surprise(hot)).low > 0.05
    assert apart(lab.surprise(cold), lab.surprise(hot)).low > 0.01
    assert interval(page["teacher"].accuracy, test_share=share).low > 0.95


def test_smoothing_helps_a_network_that_is_too_sure(page: dict[str, Any]) -> None:
    sure, unsure = page["sure"].calibration_error, page["unsure"].calibration_error
    assert paired(sure, unsure, test_share=lab.TEST_SHARE).low > 0.01
    assert page["sure"].confidence.mean() > page["sure"].accuracy.mean() + 0.1


def test_the_square_keeps_the_pull_and_its_absence_loses_it() -> None:
    with_square, without = ([lab.pull_size(kd, T, square=s) for T in (50, 100)] for s in (True, False))
    assert with_square[1] / with_square[0] == pytest.approx(1, abs=0.02)
    assert without[0] / without[1] == pytest.approx(4, abs=0.1)


def test_surprise_is_the_cross_entropy_of_each_seed() -> None:
    draw = torch.Generator().manual_seed(0)
    logits, labels = (
        torch.randn(3, 20, 10, generator=draw, dtype=torch.float64),
        torch.randint(10, (3, 20), generator=draw),
    )
    each = [F.cross_entropy(z, y).item() for z, y in zip(logits, labels)]
    assert lab.surprise(targets.Trained(logits, logits, labels)).tolist() == pytest.approx(each)


def test_training_stays_on_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta device stands for a GPU: a tensor made elsewhere would stop the run before its end."""
    monkeypatch.setattr(lab, "device", lambda: torch.device("meta"))
    monkeypatch.setattr(Tensor, "cpu", lambda tensor: tensor)
    school = lab.divided_digits(2)
    says = torch.zeros(2, 200, 10, dtype=torch.float64)
    run = school.learn(lambda z, v, y: kd(z, v, y, 4.0, 0.9).mean(), says, school.labels)
    assert school.images.device.type == run.says.device.type == run.logits.device.type == "meta"
    with pytest.raises(RuntimeError, match="device"):
        school.learn(lambda z, y: (z * torch.ones(400, 10)).mean(), school.labels)
