"""Losses of logits: the tails, the conventions, peers, soft targets and the options of cross-entropy."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import losscore
from losscore.losses import _softmax

LOGIT = st.floats(-30, 30)
INF = math.inf


def draw(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def value_and_slope(loss: object, logits: Tensor, target: Tensor, **options: object) -> tuple[Tensor, Tensor]:
    logits = logits.detach().clone().requires_grad_()
    value = loss(logits, target, **options)  # type: ignore[operator]
    return value.detach(), torch.autograd.grad(value, logits)[0]


def test_a_loss_of_two_billionths_is_not_zero() -> None:
    """In float32 torch gives 0 for both; the exact value is log(1 + exp(-20))."""
    logits = torch.tensor([[20.0, 0.0]])
    value, slope = value_and_slope(losscore.cross_entropy, logits, torch.tensor([0]))
    exact = math.log1p(math.exp(-20))
    assert value.item() == pytest.approx(exact, rel=2e-6, abs=0)
    share = math.exp(-20) / (1 + math.exp(-20))
    assert slope.tolist()[0] == pytest.approx([-share, share], rel=2e-6, abs=0)
    assert F.cross_entropy(logits, torch.tensor([0])) == 0


@pytest.mark.parametrize("name", ["cross_entropy", "brier"])
def test_tails_are_exact_among_a_thousand_classes(name: str) -> None:
    """Every logit but the first is -20: the complement of the first probability is the sum of 999 tiny ones."""
    logits = torch.full((1, 1000), -20.0)
    logits[0, 0] = 0.0
    value, slope = value_and_slope(getattr(losscore, name), logits, torch.tensor([0]))
    rest = 999 * math.exp(-20)
    missed = rest / (1 + rest)
    others = math.exp(-20) / (1 + rest)
    wanted = {"cross_entropy": math.log1p(rest), "brier": missed**2 + 999 * others**2}[name]
    assert value.item() == pytest.approx(wanted, rel=2e-6, abs=0)
    top = {"cross_entropy": -missed, "brier": -2 * (1 - missed) * (missed**2 + missed * others)}[name]
    assert slope[0, 0].item() == pytest.approx(top, rel=2e-6, abs=0)


@pytest.mark.parametrize("size", [(), (2, 2)], ids=["rows", "images"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_brier_by_blocks_has_the_gradient_of_each_row(
    dtype: torch.dtype, size: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(0.0, 104.0, 3.0), (80.0, 0.0, 40.0), (-20.0, 0.5, 1.0), (1.0, 2.0, 2.5), (17.0, 0.0, -1.0)]
    logits = torch.tensor(rows, dtype=dtype)
    labels = torch.tensor([0, 0, 2, 1, 1])
    alone = [value_and_slope(losscore.brier, z, y) for z, y in zip(logits, labels)]
    logits = logits.reshape(5, 3, *[1] * len(size)).expand(5, 3, *size)
    labels = labels.reshape(5, *[1] * len(size)).expand(5, *size)
    monkeypatch.setattr(_softmax, "_BLOCK", 7)
    _, slope = value_and_slope(losscore.brier, logits, labels, reduction="sum")
    for row, (_, wanted) in zip(slope.movedim(1, -1), alone):
        torch.testing.assert_close(row, wanted.expand_as(row), rtol=64 * torch.finfo(dtype).eps, atol=0)
    for z, y, (_, wanted) in zip(torch.tensor(rows, dtype=dtype), [0, 0, 2, 1, 1], alone):
        assert torch.equal(value_and_slope(losscore.brier, z, torch.tensor(y))[1], wanted)


def test_brier_by_blocks_goes_through_batches_of_upstream_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    logits, labels = draw(5, 3).requires_grad_(), torch.tensor([0, 0, 2, 1, 1])
    monkeypatch.setattr(_softmax, "_BLOCK", 7)
    losses = losscore.brier(logits, labels, reduction="none")
    (rows,) = torch.autograd.grad(
        losses, logits, torch.eye(5, dtype=torch.float64), True, is_grads_batched=True
    )
    (whole,) = torch.autograd.grad(losses.sum(), logits)
    torch.testing.assert_close(rows, torch.diag_embed(whole.T).movedim(0, -1))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["labels", "probabilities"])
def test_cross_entropy_is_that_of_torch(kind: str, weighted: bool, smoothing: float, reduction: str) -> None:
    logits = draw(5, 4, 3)
    weight = draw(4, seed=1).exp() if weighted else None
    labels = torch.randint(4, (5, 3), generator=torch.Generator().manual_seed(2))
    labels[1, 2] = labels[4, 0] = -100
    target = labels if kind == "labels" else draw(5, 4, 3, seed=3).softmax(1)
    given = {"weight": weight, "label_smoothing": smoothing, "reduction": reduction}
    found, wanted = (logits.clone().requires_grad_() for _ in range(2))
    ours, theirs = losscore.cross_entropy(found, target, **given), F.cross_entropy(wanted, target, **given)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours.sum(), found), torch.autograd.grad(theirs.sum(), wanted)
    )


def test_other_peers() -> None:
    logits, other = draw(6, 3), draw(6, 3, seed=1)
    y, weight = other.sigmoid(), other.exp()
    torch.testing.assert_close(
        losscore.binary_cross_entropy(logits, y), F.binary_cross_entropy_with_logits(logits, y)
    )
    for options in (
        {"weight": weight},
        {"pos_weight": weight[0]},
        {"weight": weight[:, :1], "pos_weight": weight[0, 0]},
    ):
        torch.testing.assert_close(
            losscore.binary_cross_entropy(logits, y, **options),
            F.binary_cross_entropy_with_logits(logits, y, **options),
        )
    p = logits.softmax(1)
    one_hot = F.one_hot(torch.tensor([0, 1, 2, 0, 1, 2]), 3)
    squares = (p - one_hot).square().sum(1)
    torch.testing.assert_close(losscore.brier(logits, one_hot.argmax(1), reduction="none"), squares)
    torch.testing.assert_close(losscore.binary_brier(logits, y), F.mse_loss(logits.sigmoid(), y))


def test_ignored_samples_leave_no_trace() -> None:
    logits, labels = draw(4, 3), torch.tensor([0, 7, 2, 7])
    value, slope = value_and_slope(losscore.cross_entropy, logits, labels, ignore_index=7)
    kept, inner = value_and_slope(losscore.cross_entropy, logits[[0, 2]], labels[[0, 2]])
    torch.testing.assert_close(value, kept)
    torch.testing.assert_close(slope[[0, 2]], inner)
    assert slope[[1, 3]].eq(0).all()
    each = losscore.cross_entropy(logits, labels, ignore_index=7, reduction="none")
    assert each[[1, 3]].eq(0).all() and each[[0, 2]].gt(0).all()
    inside = losscore.cross_entropy(logits, torch.tensor([0, 1, 2, 1]), ignore_index=1)
    torch.testing.assert_close(inside, kept)


def test_an_ignored_sample_of_a_single_class() -> None:
    losses = losscore.cross_entropy(torch.zeros(2, 1), torch.tensor([-100, 0]), reduction="none")
    assert losses.tolist() == [0, 0]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_all_samples_ignored(smoothing: float) -> None:
    labels = torch.full((4,), -100)
    given = {"label_smoothing": smoothing}
    value, slope = value_and_slope(losscore.cross_entropy, draw(4, 3), labels, **given)
    assert value.isnan() and slope.eq(0).all()
    total = losscore.cross_entropy(draw(4, 3), labels, reduction="sum", **given)
    assert (total / (labels != -100).sum().clamp(min=1)).item() == 0


def test_a_one_hot_target_and_its_index_have_different_weighted_means() -> None:
    logits, labels, weight = torch.zeros(2, 2), torch.tensor([0, 1]), torch.tensor([1.0, 3.0])
    assert losscore.cross_entropy(logits, labels, weight).item() == pytest.approx(math.log(2))
    assert losscore.cross_entropy(logits, F.one_hot(labels).float(), weight).item() == pytest.approx(
        2 * math.log(2)
    )


def test_derivative_in_the_target_is_the_surprisal_even_at_probability_zero() -> None:
    logits = draw(4, 3)
    target = F.one_hot(torch.tensor([0, 1, 2, 1]), 3).double().requires_grad_()
    losscore.cross_entropy(logits, target, reduction="sum").backward()
    torch.testing.assert_close(target.grad, -logits.log_softmax(1))
    y = torch.tensor([0.0, 1.0, 0.5], dtype=torch.float64, requires_grad=True)
    z = torch.tensor([3.0, -2.0, 40.0], dtype=torch.float64)
    losscore.binary_cross_entropy(z, y, reduction="sum").backward()
    torch.testing.assert_close(y.grad, -z)


def test_a_class_that_cannot_occur_may_have_a_logit_of_minus_infinity() -> None:
    logits = torch.tensor([[1.0, -INF, 0.0]], dtype=torch.float64)
    target = torch.tensor([[0.75, 0.0, 0.25]], dtype=torch.float64, requires_grad=True)
    value, slope = value_and_slope(losscore.cross_entropy, logits, target)
    inner, inner_slope = value_and_slope(losscore.cross_entropy, logits[:, [0, 2]], target[:, [0, 2]])
    torch.testing.assert_close(value, inner)
    torch.testing.assert_close(slope[:, [0, 2]], inner_slope)
    assert slope[0, 1] == 0
    losscore.cross_entropy(logits, target).backward()
    assert target.grad is not None and target.grad.isfinite().all()


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_weights_can_be_learned(smoothing: float) -> None:
    logits, labels = draw(4, 3), torch.tensor([0, 1, 2, 1])

    def loss(weight: Tensor) -> Tensor:
        return losscore.cross_entropy(logits, labels, weight, label_smoothing=smoothing)

    assert torch.autograd.gradcheck(loss, (draw(3, seed=1).exp().requires_grad_(),))


@given(z=LOGIT, y=st.floats(0, 1))
def test_two_classes_are_one_logit(z: float, y: float) -> None:
    logit, p = torch.tensor(z, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
    logits, q = torch.stack((torch.zeros_like(logit), logit)), torch.stack((1 - p, p))
    torch.testing.assert_close(
        losscore.cross_entropy(logits, q), losscore.binary_cross_entropy(logit, p), rtol=1e-12, atol=0
    )
    torch.testing.assert_close(
        losscore.brier(logits, q), 2 * losscore.binary_brier(logit, p), rtol=1e-9, atol=1e-25
    )


@given(row=st.lists(LOGIT, min_size=2, max_size=6), shift=st.integers(-1000, 1000), label=st.integers(0, 1))
def test_ranges_shifts_and_gradients_that_sum_to_zero(row: list[float], shift: int, label: int) -> None:
    logits, target = torch.tensor([row], dtype=torch.float64), torch.tensor([label])
    for loss, most in ((losscore.cross_entropy, INF), (losscore.brier, 2)):
        value, slope = value_and_slope(loss, logits, target)
        assert 0 <= value <= most
        assert abs(slope.sum()) <= 1e-15 * max(1, slope.abs().max())
        torch.testing.assert_close(loss(logits + shift, target), value, rtol=1e-9, atol=1e-12)


@given(z=LOGIT, y=st.floats(0, 1))
def test_binary_ranges_and_symmetry(z: float, y: float) -> None:
    logit, p = torch.tensor(z, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
    assert 0 <= losscore.binary_brier(logit, p) <= 1
    for loss in (losscore.binary_cross_entropy, losscore.binary_brier):
        assert loss(logit, p) >= 0
        torch.testing.assert_close(loss(-logit, 1 - p), loss(logit, p), rtol=1e-9, atol=1e-15)


def test_a_faint_label_behind_two_equal_classes() -> None:
    """p_y = exp(-1000) / 2, far below the smallest number."""
    value, _ = value_and_slope(losscore.cross_entropy, torch.tensor([0.0, 0.0, -1000.0]), torch.tensor(2))
    assert value.item() == pytest.approx(1000 + math.log(2), rel=1e-7)


def test_large_batches_have_the_slopes_of_their_halves() -> None:
    logits, labels = draw(700, 400), torch.arange(700) % 400
    assert logits.numel() > _softmax._BLOCK > logits[:350].numel()
    _, whole = value_and_slope(losscore.brier, logits, labels, reduction="sum")
    for half in (slice(350), slice(350, None)):
        _, part = value_and_slope(losscore.brier, logits[half], labels[half], reduction="sum")
        torch.testing.assert_close(whole[half], part)


def test_one_sample_of_very_many_classes_has_the_slope_of_a_batch_of_one() -> None:
    logits = draw(_softmax._BLOCK + 1)
    _, alone = value_and_slope(losscore.brier, logits, torch.tensor(7))
    _, batched = value_and_slope(losscore.brier, logits[None], torch.tensor([7]))
    torch.testing.assert_close(alone, batched[0], rtol=1e-9, atol=0)
