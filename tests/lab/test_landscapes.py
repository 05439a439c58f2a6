"""The runs of the exercise on two scores: what its page and its figures say."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from losscore import binary_brier
from losscore.lab import landscapes


def slope(z: Tensor, y: Tensor, kind: str) -> Tensor:
    q = z.sigmoid()
    return q - y if kind == "cross-entropy" else 2 * (q - y) * q * (1 - q)


def path(kind: str, start: float = -6.0, rate: float = 1.0) -> Tensor:
    starts = torch.tensor([start], dtype=torch.float64)
    return landscapes.forecasts_of_descent(slope, starts, kind, rate=rate)


def test_arrival_is_counted_to_the_first_step_near_the_truth() -> None:
    forecasts = torch.tensor([[0.1, 0.1, 0.7], [0.66, 0.1, 0.1], [0.9, 0.1, 0.7]])
    assert landscapes.arrivals(forecasts) == [1, None, 0]


@pytest.mark.parametrize(
    ("kind", "rate", "steps", "below"),
    [("cross-entropy", 1.0, 16, 5), ("brier", 1.0, 320, 284), ("brier", 4.0, 81, 72)],
)
def test_the_steps_from_the_wrong_start(kind: str, rate: float, steps: int, below: int) -> None:
    forecasts = path(kind, rate=rate)
    assert landscapes.arrivals(forecasts) == [steps]
    assert int((forecasts < 0.05).sum()) == below
    assert forecasts[0].item() == pytest.approx(0.0025, abs=5e-5)


def test_from_the_middle_both_arrive_soon() -> None:
    for kind in landscapes.KINDS:
        (steps,) = landscapes.arrivals(path(kind, start=0.0))
        assert steps is not None and steps <= 20


def test_a_network_is_decided_by_its_seed_and_the_random_state_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    one, again, other = (
        landscapes.train(binary_brier, bias=0.0, seed=seed, samples=64) for seed in (1, 1, 2)
    )
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_error_is_the_distance_to_the_truth() -> None:
    truth = landscapes.eta(landscapes.GRID)
    assert truth.min() == pytest.approx(0.066, abs=1e-3) and truth.max() == pytest.approx(0.934, abs=1e-3)
    assert landscapes.errors(torch.stack([truth, truth + 0.1])).tolist() == pytest.approx([0, 0.1], abs=1e-6)
