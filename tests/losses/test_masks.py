"""Dice and Tversky losses of masks: worked values, conventions, empty masks, large masks in float16."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import losscore


def draw(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def certain(mask: Tensor) -> Tensor:
    return torch.where(mask == 1, math.inf, -math.inf)


def test_values_worked_by_hand() -> None:
    """TP 2, FP 1, FN 1 by certain predictions."""
    predicted, mask = certain(torch.tensor([1, 1, 1, 0, 0])), torch.tensor([1, 1, 0, 1, 0])
    assert losscore.dice(predicted, mask).item() == pytest.approx(1 - 4 / 6)
    assert losscore.dice(predicted, mask, smooth=1).item() == pytest.approx(1 - 5 / 7)
    assert losscore.tversky(predicted, mask, alpha=1, beta=1).item() == pytest.approx(1 - 2 / 4)
    assert losscore.tversky(predicted, mask, alpha=0.25, beta=2, smooth=1).item() == pytest.approx(
        1 - 3 / 5.25
    )


def test_alpha_weighs_false_positives() -> None:
    mask, too_much = torch.tensor([1, 1, 0, 0]), certain(torch.tensor([1, 1, 1, 0]))
    losses = [
        losscore.tversky(too_much, mask, alpha=alpha, beta=beta).item() for alpha, beta in ((2, 1), (1, 2))
    ]
    assert losses == pytest.approx([1 - 2 / 4, 1 - 2 / 3])


@given(smooth=st.floats(0, 10), seed=st.integers(0, 50))
def test_dice_is_a_tversky_loss(smooth: float, seed: int) -> None:
    logits, mask = draw(2, 7, seed=seed), (draw(2, 7, seed=seed + 1) > 0).long()
    half = losscore.tversky(logits, mask, smooth=smooth)
    torch.testing.assert_close(losscore.dice(logits, mask, smooth=2 * smooth), half)
    p = logits.sigmoid()
    plain = 1 - (2 * (p * mask).sum(1) + 2 * smooth) / (p.sum(1) + mask.sum(1) + 2 * smooth)
    torch.testing.assert_close(half, plain.nan_to_num(0).mean())


def test_sums_run_over_each_sample_alone() -> None:
    logits, mask = draw(3, 4, 5), (draw(3, 4, 5, seed=1) > 0).double()
    each = losscore.dice(logits, mask, reduction="none")
    assert each.shape == (3,)
    torch.testing.assert_close(each, losscore.dice(logits.flatten(1), mask.flatten(1), reduction="none"))
    torch.testing.assert_close(each[1], losscore.dice(logits[1].flatten(), mask[1].flatten()))
    assert abs(each.mean() - losscore.dice(logits.flatten(), mask.flatten())) > 1e-4


@pytest.mark.parametrize("name", ["dice", "tversky"])
def test_empty_masks(name: str) -> None:
    loss, empty = getattr(losscore, name), torch.zeros(1, 4)
    for nothing in (torch.full((1, 4), -math.inf), torch.full((1, 4), -1e4)):
        nothing.requires_grad_()
        value = loss(nothing, empty)
        (slope,) = torch.autograd.grad(value, nothing)
        assert value.item() == 0 and slope.eq(0).all()
    assert loss(torch.full((1, 4), -20.0), empty).item() == 1
    assert loss(torch.full((1, 4), -20.0), empty, smooth=1).item() < 1e-7
    assert loss(torch.full((1, 4), -math.inf), torch.ones(1, 4)).item() == 1


def test_a_loss_of_two_billionths_is_not_zero() -> None:
    logits = torch.tensor([20.0, -20.0], requires_grad=True)
    loss = losscore.dice(logits, torch.tensor([1, 0]))
    (slope,) = torch.autograd.grad(loss, logits)
    tail = math.exp(-20) / (1 + math.exp(-20))
    assert loss.item() == pytest.approx(tail, rel=2e-6, abs=0)
    assert slope.tolist() == pytest.approx([-tail / 2, tail / 2], rel=2e-6, abs=0)
    p = logits.detach().sigmoid()
    assert 1 - 2 * p[0] / (p.sum() + 1) < tail / 2


def test_large_masks_in_float16() -> None:
    """70,000 pixels: their sum is beyond the largest float16."""
    logits, mask = torch.zeros(1, 70_000, dtype=torch.float16), torch.ones(1, 70_000, dtype=torch.float16)
    assert mask.sum().isinf()
    assert losscore.dice(logits, mask).item() == pytest.approx(1 / 3, rel=1e-3, abs=0)


def test_not_proper() -> None:
    """A mask of one pixel that is set with probability 0.7: the best prediction is certain."""

    def risk(logit: float) -> float:
        at = torch.tensor([logit], dtype=torch.float64)
        return 0.7 * losscore.dice(at, torch.ones(1)).item() + 0.3 * losscore.dice(at, torch.zeros(1)).item()

    honest = math.log(0.7 / 0.3)
    assert risk(40.0) < risk(honest) - 0.1


def test_bad_input() -> None:
    logits, mask = torch.zeros(2, 3), torch.zeros(2, 3)
    for name, arguments, options, message in [
        ("dice", (logits, mask[:, :2]), {}, "Target size"),
        ("dice", (logits[0, 0], mask[0, 0]), {}, r"input: expected size \(N, d1, ...\) or \(d1,\)"),
        ("dice", (logits, mask + 1.5), {}, r"target: expected numbers in \[0, 1\], got 1.5"),
        ("dice", (logits, mask), {"smooth": -1}, "smooth: expected a finite number >= 0, got -1"),
        ("tversky", (logits, mask), {"alpha": 0}, "alpha: expected a finite number > 0, got 0"),
        ("tversky", (logits, mask), {"beta": math.inf}, "beta: expected a finite number > 0, got inf"),
    ]:
        with pytest.raises(ValueError, match=message):
            getattr(losscore, name)(*arguments, **options)
