"""The experiment on metric learning: its parts against exact answers, and what its page says."""

from __future__ import annotations

import math
from functools import partial

import matplotlib.pyplot as plt
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from losscore import info_nce, nt_xent
from losscore.lab import generator, mnist_subset, paired
from losscore.lab.retrieval import (
    Batch,
    Retrieval,
    Task,
    classified,
    embed,
    information_bound,
    judge,
    mean_average_precision,
    neighbours,
    pixels,
    raw,
    supervised,
    unlabelled,
    views,
)
from losscore.lab.retrieval_figures import bounds, rows

DIGITS = mnist_subset()
TASK = Task(
    DIGITS.images, DIGITS.labels, tuple(tuple((k + j) % 10 for j in range(3)) for k in (7, 1, 3, 5, 9))
)


@pytest.fixture(scope="module")
def found() -> dict[str, Retrieval]:
    losses = {
        "classifier": classified,
        "cold": partial(supervised, temperature=0.1),
        "hot": partial(supervised, temperature=1.0),
    }
    return {"pixels": judge(TASK, raw(TASK))} | {
        name: judge(TASK, embed(TASK, loss)) for name, loss in losses.items()
    }


# The parts.


def test_unseen_digits_are_not_learnt_from() -> None:
    for training, digits in enumerate(TASK.held_out):
        unseen, seen = (TASK.rows(training, unseen=which) for which in (True, False))
        assert set(TASK.labels[unseen].tolist()) == set(digits) and len(unseen) == 1500
        assert not set(TASK.labels[seen].tolist()) & set(digits) and len(seen) == 3500


def test_a_view_is_the_image_moved() -> None:
    image = torch.zeros(40, 28, 28)
    image[:, 10, 20] = 1.0
    moved = views(image, generator=generator(0)).nonzero()
    assert moved[:, 0].tolist() == list(range(40))
    for column, home in ((1, 10), (2, 20)):
        assert set((moved[:, column] - home).tolist()) == {-2, -1, 0, 1, 2}
    assert pixels(image)[0].nonzero().item() == 5 * 14 + 10
    assert pixels(image).max() == 0.25


def test_map_at_r_of_two_pairs() -> None:
    angles = torch.tensor([0.0, 10.0, 12.0, 90.0, 96.0, 100.0]).deg2rad()
    vectors = torch.stack([angles.cos(), angles.sin()], dim=1)
    labels = torch.tensor([0, 0, 1, 1, 1, 0])
    assert neighbours(vectors, 2).tolist() == [[1, 2], [2, 0], [1, 0], [4, 5], [5, 3], [4, 3]]
    expected = [0.5, 0.25, 0.0, 0.5, 0.25, 0.0]
    assert mean_average_precision(vectors, labels).item() == pytest.approx(sum(expected) / 6)


def test_the_losses_are_those_of_the_library() -> None:
    draw = generator(1)
    first, second = torch.randn(2, 2, 12, 5, generator=draw)
    labels, scores = torch.randint(0, 4, (2, 12), generator=draw), torch.randn(2, 12, 10, generator=draw)
    batch = Batch(first, second, labels, scores)
    pairs = sum(info_nce(first[k], second[k], temperature=0.3) for k in range(2))
    alike = sum(nt_xent(first[k], labels[k], temperature=0.3) for k in range(2))
    named = sum(F.cross_entropy(scores[k], labels[k]) for k in range(2))
    assert unlabelled(batch, temperature=0.3).item() == pytest.approx(float(pairs))
    assert supervised(batch, temperature=0.3).item() == pytest.approx(float(alike))
    assert classified(batch).item() == pytest.approx(float(named))


def test_training_lowers_what_it_minimises() -> None:
    losses: list[float] = []

    def noted(batch: Batch) -> Tensor:
        loss = unlabelled(batch, temperature=0.1)
        losses.append(loss.item())
        return loss

    small = Task(TASK.images, TASK.labels, TASK.held_out[:1])
    [found] = embed(small, noted, steps=30, size=50)
    assert found.shape == (1500, 32)
    assert losses[0] <= math.log(50) + 1 and sum(losses[-5:]) / 5 < losses[0] / 2


def test_figures_mark_wrong_neighbours_and_stay_below_the_ceiling() -> None:
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.1], [1.0, 0.3]])
    rows(torch.zeros(3, 28, 28), torch.tensor([0, 1, 0]), {"name": vectors}, queries=(0,), ranks=(1, 2))
    query, wrong, right = plt.gcf().axes
    assert (wrong.get_xlabel(), right.get_xlabel()) == ("×", "")
    assert query.get_ylabel() == "name"
    bounds([2, 8], {1.0: [0.4, 0.9]})
    assert [list(map(float, line.get_ydata())) for line in plt.gca().lines] == [[0.4, 0.9]]  # type: ignore[arg-type]
    plt.close("all")


# What the page says.


@pytest.mark.claim("C233")
def test_the_bound_stays_below_the_information_and_the_logarithm_of_the_batch() -> None:
    for true in (2.0, 8.0):
        told = [
            information_bound(true, size, batches=20, generator=generator(0)).mean().item()
            for size in (8, 128)
        ]
        assert told[0] < math.log(8) and told[1] < min(math.log(128), true + 0.05)
        assert told[0] < told[1]
    assert information_bound(0.5, 128, batches=40, generator=generator(1)).mean().item() == pytest.approx(
        0.5, abs=0.05
    )
    with_noise = information_bound(8.0, 128, batches=20, generator=generator(0))
    assert with_noise.max() < math.log(128) < 8


@pytest.mark.claim("C234")
def test_a_constant_for_each_query_changes_nothing() -> None:
    scores = torch.randn(6, 6, generator=generator(2), dtype=torch.float64)
    moved = scores + torch.randn(6, 1, generator=generator(3), dtype=torch.float64)
    target = torch.arange(6)
    assert F.cross_entropy(moved, target).item() == pytest.approx(F.cross_entropy(scores, target).item())
    across = scores + torch.randn(1, 6, generator=generator(3), dtype=torch.float64)
    assert abs(F.cross_entropy(across, target) - F.cross_entropy(scores, target)) > 0.01


@pytest.mark.claim("C235")
def test_pixels_find_the_nearest_neighbour_more_often(found: dict[str, Retrieval]) -> None:
    for name in ("classifier", "cold"):
        assert paired(found["pixels"].nearest, found[name].nearest).low > 0.005
    undecided = paired(found["cold"].mean_precision, found["classifier"].mean_precision)
    assert undecided.low < 0 < undecided.high


@pytest.mark.claim("C236")
def test_the_temperature_matters_within_one_loss(found: dict[str, Retrieval]) -> None:
    assert paired(found["cold"].mean_precision, found["hot"].mean_precision).low > 0.01
    assert paired(found["cold"].nearest, found["hot"].nearest).low > 0.01
