"""Losses of preferences: worked values, both tails, peers by their formula, what doesn't count."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import losscore

INF = math.inf


def number(x: float) -> Tensor:
    return torch.tensor(x, dtype=torch.float64)


def answers(size: int = 8) -> list[Tensor]:
    return list(
        8 * torch.randn(4, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 40
    )


def test_values_worked_by_hand() -> None:
    assert losscore.bradley_terry(number(2.0), number(2.0)).item() == pytest.approx(
        math.log(2), rel=1e-15, abs=0
    )
    assert losscore.bradley_terry(number(math.log(3)), number(0.0)).item() == pytest.approx(math.log(4 / 3))
    gains = [number(x) for x in (-10.0, -14.0, -12.0, -12.0)]
    half = losscore.dpo(*gains, beta=0.5 * math.log(3) / 2)
    assert half.item() == pytest.approx(math.log(4 / 3))
    noisy = losscore.dpo(*gains, beta=0.5 * math.log(3) / 2, label_smoothing=0.25)
    assert noisy.item() == pytest.approx(0.75 * math.log(4 / 3) + 0.25 * math.log(4))


def test_dpo_is_the_formula_of_its_peers() -> None:
    """trl and torchtune: logits = (policy log-ratio) - (reference log-ratio), in this order."""
    chosen, rejected, chosen_before, rejected_before = answers()
    logits = (chosen - rejected) - (chosen_before - rejected_before)
    for smoothing in (0.0, 0.2):
        wanted = -F.logsigmoid(0.3 * logits) * (1 - smoothing) - F.logsigmoid(-0.3 * logits) * smoothing
        found = losscore.dpo(*answers(), beta=0.3, label_smoothing=smoothing, reduction="none")
        torch.testing.assert_close(found, wanted)


def test_dpo_is_bradley_terry_of_the_implied_rewards() -> None:
    chosen, rejected, chosen_before, rejected_before = answers()
    implied = losscore.bradley_terry(0.1 * (chosen - chosen_before), 0.1 * (rejected - rejected_before))
    torch.testing.assert_close(losscore.dpo(*answers()), implied)


def test_where_the_naive_form_overflows_or_rounds_to_zero() -> None:
    gain = torch.tensor([-104.0, 20.0], requires_grad=True)
    zero = torch.zeros(2)
    losses = losscore.dpo(gain, zero, zero, zero, beta=1.0, reduction="none")
    assert losses.tolist() == pytest.approx([104.0, math.log1p(math.exp(-20))], rel=2e-6, abs=0)
    assert torch.autograd.grad(losses.sum(), gain)[0].tolist() == pytest.approx(
        [-1.0, -math.exp(-20)], rel=2e-6, abs=0
    )
    naive = -gain.sigmoid().log()
    assert naive[0] == INF and naive[1] == 0


def test_infinite_answers() -> None:
    for one, other, value, slope in ((INF, 0.0, 0.0, 0.0), (-INF, 0.0, INF, -1.0), (0.0, -INF, 0.0, 0.0)):
        chosen = number(one).requires_grad_()
        loss = losscore.bradley_terry(chosen, number(other))
        assert loss.item() == value and torch.autograd.grad(loss, chosen)[0].item() == slope
        policy = number(one).requires_grad_()
        loss = losscore.dpo(policy, number(other), number(0.0), number(0.0), beta=1.0)
        assert loss.item() == value and torch.autograd.grad(loss, policy)[0].item() == slope
    assert losscore.bradley_terry(number(-INF), number(-INF)).isnan()
    zero = number(0.0)
    assert losscore.dpo(number(INF), zero, zero, zero, label_smoothing=0.1).item() == INF


def test_errors() -> None:
    four, column = torch.zeros(4), torch.zeros(4, 1)
    with pytest.raises(
        ValueError, match=r"rejected: expected the size of chosen, .*4.*, got .*4, 1.*nothing is"
    ):
        losscore.bradley_terry(four, column)
    for position, name in enumerate(("policy_rejected", "reference_chosen", "reference_rejected"), 1):
        given = [four, four, four, four]
        given[position] = column
        with pytest.raises(ValueError, match=f"{name}: expected the size of policy_chosen"):
            losscore.dpo(*given)
    for beta in (0.0, -0.1, INF, math.nan):
        with pytest.raises(ValueError, match="beta: expected a finite number > 0, got"):
            losscore.dpo(four, four, four, four, beta=beta)
    for wrong in (-0.1, 0.51, math.nan):
        with pytest.raises(ValueError, match=r"label_smoothing: expected a number in \[0, 1/2\], got"):
            losscore.dpo(four, four, four, four, label_smoothing=wrong)
    with pytest.raises(TypeError, match="beta: expected a number, .*, got Tensor"):
        losscore.dpo(four, four, four, four, beta=torch.tensor(0.1))
