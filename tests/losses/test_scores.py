"""Scores of probabilities: worked values, limits, the losses of logits that they are, traps of the naive forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import losscore
from losscore.symbolic import definition

from .battery import RELATIVE, near

NAMES = ("log_score", "brier_score", "spherical_score", "ranked_probability_score")


def number(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "label", "wanted"),
    [
        ("log_score", 1, math.log(2)),
        ("brier_score", 1, 0.0625 + 0.25 + 0.0625),
        ("spherical_score", 1, 1 - 0.5 / math.sqrt(0.375)),
        ("ranked_probability_score", 1, 0.0625 + 0.0625),
        ("ranked_probability_score", 0, 0.5625 + 0.0625),
        ("ranked_probability_score", 2, 0.0625 + 0.5625),
    ],
)
def test_values_worked_by_hand(name: str, label: int, wanted: float) -> None:
    score = getattr(losscore, name)(number(0.25, 0.5, 0.25), torch.tensor(label))
    assert score.item() == pytest.approx(wanted, rel=1e-15, abs=0)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_averaged_unless_asked(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    probs = torch.randn(5, 3, 2, generator=generator).softmax(1)
    labels = torch.randint(3, (5, 2), generator=generator)
    each = getattr(losscore, name)(probs, labels)
    assert each.shape == (5, 2)
    torch.testing.assert_close(getattr(losscore, name)(probs, labels, reduction="mean"), each.mean())


@pytest.mark.parametrize("name", NAMES)
def test_certainty_that_comes_true_costs_nothing(name: str) -> None:
    assert getattr(losscore, name)(number(0, 1, 0), torch.tensor(1)).item() == 0
    assert getattr(losscore, name)(number(0, 1, 0), number(0, 1, 0)).item() == 0


def test_certainty_that_fails() -> None:
    probs, label = number(0, 1, 0).requires_grad_(), torch.tensor(0)
    score = losscore.log_score(probs, label)
    assert score.item() == math.inf
    assert torch.autograd.grad(score, probs)[0].tolist() == [-math.inf, 0, 0]
    assert losscore.brier_score(probs, label).item() == 2
    assert losscore.spherical_score(probs, label).item() == 1
    assert losscore.ranked_probability_score(probs, label).item() == 1
    assert losscore.ranked_probability_score(number(0, 0, 1), label).item() == 2


def test_an_impossible_class_of_probability_zero_contributes_nothing() -> None:
    probs, target = number(0, 0.5, 0.5).requires_grad_(), number(0, 1, 0).requires_grad_()
    score = losscore.log_score(probs, target)
    assert score.item() == math.log(2)
    in_probs, in_target = torch.autograd.grad(score, (probs, target))
    assert in_probs.tolist() == [0, -2, 0]
    assert in_target.tolist() == pytest.approx([0, math.log(2), math.log(2)])


def test_where_the_naive_spherical_score_is_zero() -> None:
    """p = (1 - e, e) with class 0: e^2 / 2, to first order."""
    for dtype, e, tolerance in ((torch.float32, 1e-5, 1e-4), (torch.float64, 1e-9, 1e-8)):
        p = torch.tensor([1 - e, e], dtype=dtype)
        score = losscore.spherical_score(p, torch.tensor(0))
        assert score.item() == pytest.approx(e**2 / 2, rel=tolerance, abs=0)
        assert 1 - p[0] / p.norm() == 0
    assert losscore.spherical_score(number(0, 0), torch.tensor(0)).isnan()
    small = 1e-30 * number(0.25, 0.75)
    torch.testing.assert_close(
        losscore.spherical_score(small, torch.tensor(1)),
        losscore.spherical_score(1e30 * small, torch.tensor(1)),
    )


@pytest.mark.parametrize("dtype", RELATIVE, ids=str)
@pytest.mark.parametrize(
    "row", [(2.0**-60, 2.0**-30, 1.0), (0.5, 2.0**-50, 0.5), (0.875, 0.125, 2.0**-70), (0.4, 0.6)]
)
def test_every_component_of_the_spherical_gradient_is_right(
    row: tuple[float, ...], dtype: torch.dtype
) -> None:
    for label in range(len(row)):
        one_hot = [float(k == label) for k in range(len(row))]
        for target in (torch.tensor(label), torch.tensor(one_hot, dtype=dtype)):
            probs = torch.tensor(row, dtype=dtype, requires_grad=True)
            (slope,) = torch.autograd.grad(losscore.spherical_score(probs, target), probs)
            wanted = definition("spherical_score").gradient_oracle(probs.tolist(), one_hot)
            assert all(near(got, want, RELATIVE[dtype]) for got, want in zip(slope, wanted, strict=True))


def test_scores_of_a_softmax_are_the_losses_of_logits() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(6, 4, generator=generator, dtype=torch.float64)
    soft = torch.randn(6, 4, generator=generator, dtype=torch.float64).softmax(1)
    pairs = ((losscore.log_score, losscore.cross_entropy), (losscore.brier_score, losscore.brier))
    for target in (torch.tensor([0, 1, 2, 3, 0, 1]), soft):
        for score, loss in pairs:
            torch.testing.assert_close(
                score(logits.softmax(1), target), loss(logits, target, reduction="none")
            )


def test_the_order_of_the_classes_matters_to_the_ranked_score_alone() -> None:
    near, far, label = number(0.2, 0.8, 0), number(0.2, 0, 0.8), torch.tensor(0)
    for name in NAMES[:3]:
        assert getattr(losscore, name)(near, label) == getattr(losscore, name)(far, label)
    assert losscore.ranked_probability_score(near, label) < losscore.ranked_probability_score(far, label)


@pytest.mark.parametrize("name", NAMES)
def test_errors(name: str) -> None:
    score = getattr(losscore, name)
    with pytest.raises(ValueError, match=r"Target size .* must be the probs size"):
        score(torch.ones(4, 3), torch.zeros(3, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"Target size .* must be the same as probs size"):
        score(torch.ones(4, 3), torch.zeros(4))
    with pytest.raises(
        ValueError, match=r"target: expected class indices in \[0, 3\), got 3 at position \(1,\)"
    ):
        score(torch.ones(2, 3), torch.tensor([0, 3]))
    with pytest.raises(ValueError, match="probs: expected probabilities with at least one class"):
        score(torch.ones(4, 0), torch.zeros(4, dtype=torch.int64))
