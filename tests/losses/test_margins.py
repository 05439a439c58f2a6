"""Margin losses: worked values, peers, conventions at the kinks, and the bounds that make them surrogates."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

import losscore

SCORE, SIGN = st.floats(-50, 50), st.sampled_from([-1, 1])
SURROGATES = (losscore.hinge, losscore.exponential, losscore.logistic)


def test_values_worked_by_hand() -> None:
    f, y = torch.tensor([2.0, 0.5, -1.0, 0.0]), torch.tensor([1, 1, 1, -1])
    assert losscore.zero_one(f, y, reduction="none").tolist() == [0, 0, 1, 1]
    assert losscore.hinge(f, y, reduction="none").tolist() == [0, 0.5, 2, 1]
    assert losscore.logistic(f, y, reduction="none")[3].item() == pytest.approx(math.log(2))
    assert losscore.exponential(f, y, reduction="none")[2].item() == pytest.approx(math.e)


def test_score_zero_predicts_plus_one() -> None:
    for zero in (0.0, -0.0):
        assert losscore.zero_one(
            torch.tensor([zero, zero]), torch.tensor([1, -1]), reduction="none"
        ).tolist() == [0, 1]


def test_agrees_with_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    f = 5 * torch.randn(50, generator=generator)
    y = torch.randn(50, generator=generator).sign()
    torch.testing.assert_close(losscore.logistic(f, y), F.soft_margin_loss(f, y))
    torch.testing.assert_close(losscore.zero_one(f, y), (f.sign() != y).float().mean())
    torch.testing.assert_close(losscore.hinge(f, y), (1 - y * f).clamp(min=0).mean())


def test_where_torch_overflows_or_rounds_to_zero() -> None:
    assert losscore.logistic(torch.tensor(-100.0), torch.tensor(1)).item() == 100
    assert losscore.logistic(torch.tensor(20.0), torch.tensor(1)).item() == pytest.approx(
        math.exp(-20), rel=2e-6
    )


def test_slopes_at_the_kinks() -> None:
    for loss, at in ((losscore.hinge, 1.0), (losscore.zero_one, 0.0), (losscore.zero_one, 2.0)):
        f = torch.tensor(at, requires_grad=True)
        loss(f, torch.tensor(1)).backward()
        assert f.grad is not None and f.grad.item() == 0


@given(f=SCORE, y=SIGN)
def test_surrogates_lie_above_the_zero_one_loss(f: float, y: int) -> None:
    score, label = torch.tensor(f, dtype=torch.float64), torch.tensor(y)
    error = losscore.zero_one(score, label)
    assert error in (0, 1)
    assert losscore.hinge(score, label) >= error and losscore.exponential(score, label) >= error
    assert losscore.logistic(score, label) / math.log(2) >= error * (1 - 1e-15)


@given(f=SCORE, y=SIGN)
def test_only_the_margin_counts(f: float, y: int) -> None:
    score, label = torch.tensor(f, dtype=torch.float64), torch.tensor(y)
    for loss in SURROGATES:
        assert loss(score, label) == loss(-score, -label)


@given(f=SCORE, y=SIGN)
def test_logistic_is_binary_cross_entropy(f: float, y: int) -> None:
    score = torch.tensor(f, dtype=torch.float64)
    binary = losscore.binary_cross_entropy(score, torch.tensor((y + 1) // 2))
    torch.testing.assert_close(losscore.logistic(score, torch.tensor(y)), binary, rtol=1e-14, atol=0)
