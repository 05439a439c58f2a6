"""Losses of embeddings: worked values, peers by their formula, conventions, points that coincide, small temperatures."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import losscore


def draw(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def slopes(loss: Tensor, *inputs: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(loss, inputs))


@pytest.mark.parametrize("temperature", [0.07, 0.5, 2.0])
def test_info_nce_is_cross_entropy_of_the_cosines(temperature: float) -> None:
    query, key = draw(6, 4), draw(6, 4, seed=1)
    cosines = F.cosine_similarity(query.unsqueeze(1), key.unsqueeze(0), dim=2)
    wanted = F.cross_entropy(cosines / temperature, torch.arange(6))
    torch.testing.assert_close(losscore.info_nce(query, key, temperature=temperature), wanted)


def test_info_nce_goes_one_way_and_ignores_lengths() -> None:
    query, key = draw(5, 3), draw(5, 3, seed=1)
    assert abs(losscore.info_nce(query, key) - losscore.info_nce(key, query)) > 1e-3
    torch.testing.assert_close(losscore.info_nce(7 * query, key / 1000), losscore.info_nce(query, key))
    assert losscore.info_nce(query[:1], key[:1]).item() == 0
    assert losscore.info_nce(query, key) == losscore.info_nce(query, key, temperature=0.1)


def test_nt_xent_worked_by_hand() -> None:
    """Rows 0 and 1 point one way and row 2 at a right angle: with T = 1/2 each of the two pairs costs log(1 + e^-2)."""
    rows = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    labels = torch.tensor([0, 0, 1])
    pair = math.log1p(math.exp(-2))
    each = losscore.nt_xent(rows, labels, reduction="none")
    assert each.tolist() == pytest.approx([pair, pair, 0], rel=1e-14, abs=0)
    assert losscore.nt_xent(rows, labels).item() == pytest.approx(pair, rel=1e-14, abs=0)
    assert losscore.nt_xent(rows, labels, reduction="sum").item() == pytest.approx(2 * pair, rel=1e-14, abs=0)


def test_nt_xent_of_two_views_is_that_of_simclr() -> None:
    first, second = draw(4, 5), draw(4, 5, seed=1)
    views = F.normalize(torch.cat((first, second)), dim=1)
    scores = (views @ views.T / 0.5).masked_fill(torch.eye(8, dtype=torch.bool), -math.inf)
    wanted = F.cross_entropy(scores, torch.arange(8).roll(4))
    found = losscore.nt_xent(torch.cat((first, second)), torch.arange(4).repeat(2))
    torch.testing.assert_close(found, wanted)


def test_other_positives_stay_out_of_the_denominator() -> None:
    """As in pytorch-metric-learning: loop over the ordered pairs."""
    rows, labels = draw(7, 3), torch.tensor([0, 1, 0, 0, 1, 2, 1])
    unit = F.normalize(rows, dim=1)
    scores = unit @ unit.T / 0.3
    pairs = []
    for i in range(7):
        negatives = scores[i][labels != labels[i]].exp().sum()
        pairs += [
            -(scores[i, j].exp() / (scores[i, j].exp() + negatives)).log()
            for j in range(7)
            if i != j and labels[i] == labels[j]
        ]
    assert len(pairs) == 12
    torch.testing.assert_close(losscore.nt_xent(rows, labels, temperature=0.3), torch.stack(pairs).mean())


def test_no_negatives_and_no_positives() -> None:
    rows = draw(4, 3).requires_grad_()
    alike = losscore.nt_xent(rows, torch.zeros(4, dtype=torch.int64))
    assert alike.item() == 0 and slopes(alike, rows)[0].eq(0).all()
    apart = losscore.nt_xent(rows, torch.arange(4), reduction="sum")
    assert apart.item() == 0 and slopes(apart, rows)[0].eq(0).all()
    assert losscore.nt_xent(rows, torch.arange(4)).isnan()


@pytest.mark.parametrize("loss", ["info_nce", "nt_xent"])
def test_a_small_temperature_in_single_precision(loss: str) -> None:
    """exp(s / T) overflows at T = 0.01; a positive that is 100 behind costs 100 + log of the number of its rivals."""
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    if loss == "info_nce":
        found = losscore.info_nce(rows, rows.flip(0), temperature=0.01)
        wanted = 100.0
    else:
        doubled = torch.cat((rows, rows.flip(0)))
        found = losscore.nt_xent(doubled, torch.tensor([0, 1, 0, 1]), temperature=0.01)
        wanted = 100.0
    assert found.item() == pytest.approx(wanted, rel=1e-6, abs=0)
    assert slopes(found, rows)[0].isfinite().all()
    assert (torch.tensor(1.0) / 0.01).exp().isinf()


@pytest.mark.parametrize("loss", ["info_nce", "nt_xent"])
def test_a_row_of_zeros_has_no_direction(loss: str) -> None:
    rows = draw(4, 3)
    rows[1] = 0
    rows.requires_grad_()
    other = draw(4, 3, seed=1) if loss == "info_nce" else torch.tensor([0, 0, 1, 1])
    found = getattr(losscore, loss)(rows, other)
    if loss == "info_nce":
        assert losscore.info_nce(rows, other, reduction="none")[1].item() == pytest.approx(math.log(4))
    (slope,) = slopes(found, rows)
    assert found.isfinite() and slope.isfinite().all() and slope[1].eq(0).all() and slope[0].ne(0).any()
    curvature = torch.autograd.functional.hessian(lambda x: getattr(losscore, loss)(x, other), rows)
    assert curvature.isfinite().all()


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_lengths_neither_overflow_nor_underflow(size: float) -> None:
    rows, labels = draw(4, 3).float(), torch.tensor([0, 0, 1, 1])
    torch.testing.assert_close(losscore.nt_xent(size * rows, labels), losscore.nt_xent(rows, labels))
    a, p, n = draw(3, 5, 4).float()
    scaled = losscore.triplet(size * a, size * p, size * n, margin=0.0)
    torch.testing.assert_close(scaled / size, losscore.triplet(a, p, n, margin=0.0))


def test_triplet_is_that_of_torch_without_its_epsilon() -> None:
    a, p, n = draw(3, 8, 4)
    for margin in (0.25, 1.0, 2.5):
        wanted = F.triplet_margin_loss(a, p, n, margin=margin, eps=0.0)
        torch.testing.assert_close(losscore.triplet(a, p, n, margin=margin), wanted)


def test_points_that_coincide() -> None:
    """The naive distance has a gradient of NaN there."""
    point = torch.tensor([1.0, 2.0], requires_grad=True)
    same, far = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([4.0, 6.0], requires_grad=True)
    for positive, negative, value in ((same, far, 0.0), (far, same, 6.0), (same, same, 1.0)):
        loss = losscore.triplet(point, positive, negative)
        assert loss.item() == value
        found = torch.autograd.grad(loss, (point, same, far), allow_unused=True)
        assert all(slope is None or slope.isfinite().all() for slope in found)
    pull = slopes(losscore.triplet(point, far, same), point, far, same)
    assert [slope.tolist() for slope in pull] == [
        pytest.approx(x) for x in ([-0.6, -0.8], [0.6, 0.8], [0.0, 0.0])
    ]
    naive = (point - same).square().sum().sqrt()
    assert slopes(naive, point)[0].isnan().all()


def test_infinities() -> None:
    zero, far = torch.zeros(2), torch.tensor([math.inf, 0.0])
    assert losscore.triplet(zero, far, zero + 1).item() == math.inf
    assert losscore.triplet(zero, zero + 1, far).item() == 0
    assert losscore.triplet(zero, far, far).isnan()
    for loss, other in ((losscore.info_nce, torch.eye(2)), (losscore.nt_xent, torch.tensor([0, 0]))):
        assert loss(torch.stack((zero + 1, far)), other).isnan()


def test_errors() -> None:
    rows, labels = torch.zeros(4, 3), torch.zeros(4, dtype=torch.int64)
    for call, kind, message in (
        (lambda: losscore.info_nce(rows, rows[:2]), ValueError, "key: expected the size of query"),
        (
            lambda: losscore.info_nce(rows[0], rows[0]),
            ValueError,
            r"query: expected size \(N, D\) with D > 0, got",
        ),
        (lambda: losscore.info_nce(rows[:, :0], rows[:, :0]), ValueError, r"query: expected size \(N, D\)"),
        (
            lambda: losscore.info_nce(rows, rows, temperature=0.0),
            ValueError,
            "temperature: expected a finite number > 0",
        ),
        (
            lambda: losscore.nt_xent(rows, labels[:3]),
            ValueError,
            "labels: expected one per row, size .*4.*, got .*3",
        ),
        (
            lambda: losscore.nt_xent(rows, labels.float()),
            TypeError,
            "labels: expected an integer dtype, got torch.float32",
        ),
        (lambda: losscore.nt_xent(rows[0], labels), ValueError, r"embeddings: expected size \(N, D\)"),
        (lambda: losscore.nt_xent(rows, labels, temperature=-1), ValueError, "temperature: expected"),
        (lambda: losscore.triplet(rows, rows, rows[0]), ValueError, "negative: expected the size of anchor"),
        (
            lambda: losscore.triplet(rows[0, 0], rows[0, 0], rows[0, 0]),
            ValueError,
            "anchor: expected vectors",
        ),
        (
            lambda: losscore.triplet(rows, rows, rows, margin=-0.1),
            ValueError,
            "margin: expected a finite number >= 0",
        ),
    ):
        with pytest.raises(kind, match=message):
            call()
