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
SURROGATES = (losscore.hinge, losscore.squared_hinge, losscore.exponential, losscore.logistic)
SEVERAL = (
    losscore.one_vs_all_hinge,
    losscore.crammer_singer,
    losscore.weston_watkins,
    losscore.lee_lin_wahba,
)
INF = math.inf


def test_values_worked_by_hand() -> None:
    f, y = torch.tensor([2.0, 0.5, -1.0, 0.0]), torch.tensor([1, 1, 1, -1])
    assert losscore.zero_one(f, y, reduction="none").tolist() == [0, 0, 1, 1]
    assert losscore.hinge(f, y, reduction="none").tolist() == [0, 0.5, 2, 1]
    assert losscore.squared_hinge(f, y, reduction="none").tolist() == [0, 0.25, 4, 1]
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
    torch.testing.assert_close(losscore.squared_hinge(f, y), (1 - y * f).clamp(min=0).square().mean())


def test_where_torch_overflows_or_rounds_to_zero() -> None:
    assert losscore.logistic(torch.tensor(-100.0), torch.tensor(1)).item() == 100
    assert losscore.logistic(torch.tensor(20.0), torch.tensor(1)).item() == pytest.approx(
        math.exp(-20), rel=2e-6, abs=0
    )


def test_slopes_at_the_kinks() -> None:
    for loss, at in (
        (losscore.hinge, 1.0),
        (losscore.squared_hinge, 1.0),
        (losscore.zero_one, 0.0),
        (losscore.zero_one, 2.0),
    ):
        f = torch.tensor(at, requires_grad=True)
        loss(f, torch.tensor(1)).backward()
        assert f.grad is not None and f.grad.item() == 0


@given(f=SCORE, y=SIGN)
def test_surrogates_lie_above_the_zero_one_loss(f: float, y: int) -> None:
    score, label = torch.tensor(f, dtype=torch.float64), torch.tensor(y)
    error = losscore.zero_one(score, label)
    assert error in (0, 1)
    assert losscore.hinge(score, label) >= error and losscore.exponential(score, label) >= error
    assert losscore.squared_hinge(score, label) >= error
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


def test_several_classes_worked_by_hand() -> None:
    scores = torch.tensor([[0.5, -2.0, 0.0], [2.0, 0.0, -3.0]], dtype=torch.float64)
    for loss, wanted in zip(SEVERAL, ([1.5, 8.0], [0.5, 6.0], [0.5, 10.0], [0.5, 3.0]), strict=True):
        assert loss(scores, torch.tensor([0, 2]), reduction="none").tolist() == wanted
        assert loss(scores[0], torch.tensor(0)).item() == wanted[0]


def test_several_classes_agree_with_their_peers() -> None:
    generator = torch.Generator().manual_seed(1)
    scores = 2 * torch.randn(50, 4, generator=generator, dtype=torch.float64)
    labels = torch.randint(4, (50,), generator=generator)
    signs = 2 * F.one_hot(labels, 4) - 1
    torch.testing.assert_close(
        losscore.weston_watkins(scores, labels), 4 * F.multi_margin_loss(scores, labels)
    )
    binary = losscore.hinge(scores, signs, reduction="none").sum(1)
    torch.testing.assert_close(losscore.one_vs_all_hinge(scores, labels, reduction="none"), binary)
    others = scores.masked_fill(signs == 1, -INF)
    margin = scores.gather(1, labels.unsqueeze(1)).squeeze(1) - others.amax(1)
    found = losscore.crammer_singer(scores, labels, reduction="none")
    torch.testing.assert_close(found, (1 - margin).clamp(min=0))
    two = torch.stack((-scores[:, 0], scores[:, 0]), 1)
    for loss, factor in (
        (losscore.crammer_singer, 2),
        (losscore.weston_watkins, 2),
        (losscore.lee_lin_wahba, 1),
    ):
        wanted = losscore.hinge(factor * scores[:, 0], 2 * (labels % 2) - 1)
        torch.testing.assert_close(loss(two, labels % 2), wanted)


def test_scores_that_are_all_negative() -> None:
    """Keras' categorical hinge includes a 0 among the rivals, and gives 2 here."""
    scores = torch.tensor([[-1.0, -3.0, -3.0]])
    assert losscore.crammer_singer(scores, torch.tensor([0])).item() == 0


def test_slopes_at_the_kinks_and_ties_of_several_classes() -> None:
    for loss, scores, wanted in (
        (losscore.one_vs_all_hinge, [1.0, -1.0, -1.0], [0, 0, 0]),
        (losscore.crammer_singer, [1.0, 0.0, 0.0], [0, 0, 0]),
        (losscore.crammer_singer, [0.0, 0.5, 0.5], [-1, 1, 0]),
        (losscore.weston_watkins, [1.0, 0.0, 0.5], [-1, 0, 1]),
        (losscore.lee_lin_wahba, [1.0, -0.5, -0.25], [0, 0, 1]),
    ):
        f = torch.tensor(scores, requires_grad=True)
        loss(f, torch.tensor(0)).backward()
        assert f.grad is not None and f.grad.tolist() == wanted


def test_infinite_scores_of_several_classes() -> None:
    for loss, far_ahead, without_rivals in zip(
        SEVERAL, (1.0, 0.0, 0.0, 0.5), (1.0, 0.0, 0.0, 0.0), strict=True
    ):
        for scores, wanted in (([INF, 0.0, -1.0], far_ahead), ([0.0, -INF, -INF], without_rivals)):
            f = torch.tensor(scores, requires_grad=True)
            value = loss(f, torch.tensor(0))
            assert value.item() == wanted
            assert torch.autograd.grad(value, f)[0].isfinite().all()
        wrong = torch.tensor([0.0, INF, -1.0], requires_grad=True)
        value = loss(wrong, torch.tensor(0))
        assert value.item() == INF and torch.autograd.grad(value, wrong)[0][1] == 1
        for position in range(3):
            f = torch.zeros(3)
            f[position] = math.nan
            assert loss(f, torch.tensor(0)).isnan()


def test_a_single_class() -> None:
    for loss in SEVERAL[1:]:
        assert loss(torch.tensor([[3.0], [-2.0]]), torch.tensor([0, 0]), reduction="none").tolist() == [0, 0]
        assert loss(torch.tensor([math.nan]), torch.tensor(0)).isnan()


def test_free_scores_make_lee_lin_wahba_useless() -> None:
    """Why its scores must sum to 0: otherwise the lowest scores are right about every label."""
    for label in range(3):
        assert losscore.lee_lin_wahba(torch.full((3,), -INF), torch.tensor(label)).item() == 0


@given(scores=st.lists(SCORE, min_size=2, max_size=5), label=st.integers(0, 1))
def test_hinges_of_several_classes_lie_above_the_error(scores: list[float], label: int) -> None:
    f = torch.tensor(scores, dtype=torch.float64)
    wrong = bool((f.masked_fill(torch.arange(len(scores)) == label, -INF) >= f[label]).any())
    found = [loss(f, torch.tensor(label)).item() for loss in SEVERAL[:3]]
    centred = losscore.lee_lin_wahba(f - f.mean(), torch.tensor(label)).item()
    assert min(found) >= wrong - 1e-12 and found[2] >= found[1]
    assert centred * (len(scores) - 1) >= wrong - 1e-12


@pytest.mark.parametrize("loss", SEVERAL, ids=lambda loss: loss.__name__)
def test_errors_of_several_classes(loss) -> None:
    with pytest.raises(
        TypeError, match="target: expected class indices of an integer dtype, got torch.float32"
    ):
        loss(torch.zeros(4, 3), torch.zeros(4, 3))
    with pytest.raises(
        ValueError, match=r"target: expected class indices in \[0, 3\), got -1 at position \(1,\)"
    ):
        loss(torch.zeros(2, 3), torch.tensor([0, -1]))
    with pytest.raises(
        ValueError, match="Target size .* must be the input size .* without its class dimension"
    ):
        loss(torch.zeros(4, 3), torch.zeros(4, 1, dtype=torch.int64))
    with pytest.raises(ValueError, match="input: expected scores with at least one class"):
        loss(torch.zeros(4, 0), torch.zeros(4, dtype=torch.int64))
