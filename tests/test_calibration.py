"""Calibration: worked values, the edges of the bins, the decomposition's sum, a known temperature, errors."""

from __future__ import annotations

import doctest
import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import losscore
from losscore import calibration


def draw(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_examples_of_the_docstrings_are_right() -> None:
    tried = doctest.testmod(calibration)
    assert tried.failed == 0 and tried.attempted >= 4


def test_errors_worked_by_hand() -> None:
    """Bin [0, 1/2): 0.1 and 0.3, one event of two, 0.3 off. Bin [1/2, 1]: all three happen, 0.2 off."""
    probs, happened = torch.tensor([0.1, 0.3, 0.9, 0.8, 0.7]), torch.tensor([0, 1, 1, 1, 1])
    for norm, wanted in (("l1", 0.24), ("l2", math.sqrt(0.4 * 0.09 + 0.6 * 0.04)), ("max", 0.3)):
        found = losscore.expected_calibration_error(probs, happened, bins=2, norm=norm)
        assert found.item() == pytest.approx(wanted, rel=1e-6, abs=0)
    curve = losscore.reliability_curve(probs, happened, bins=2)
    assert curve.samples.tolist() == [2, 3] and curve.frequency.tolist() == [0.5, 1]
    assert curve.probability.tolist() == pytest.approx([0.2, 0.8])


def test_fifteen_bins_by_default_and_empty_ones_have_no_gap() -> None:
    probs, happened = torch.tensor([0.48, 0.52, 0.03, 0.04]), torch.tensor([0, 1, 0, 0])
    assert len(losscore.reliability_curve(probs, happened).samples) == 15
    for norm, wanted in (("l1", (2 * 0 + 2 * 0.035) / 4), ("max", 0.035)):
        found = losscore.expected_calibration_error(probs, happened, norm=norm)
        assert found.item() == pytest.approx(wanted, abs=1e-6)


def test_bins_are_right_at_their_edges() -> None:
    """In float32 sigmoid(17) is 1, and 1 times the number of bins is no bin."""
    edges = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0])
    assert losscore.reliability_curve(edges, torch.ones(5), bins=4).samples.tolist() == [1, 1, 1, 2]
    below = torch.nextafter(edges[1:], torch.tensor(0.0))
    assert losscore.reliability_curve(below, torch.ones(4), bins=4).samples.tolist() == [1, 1, 1, 1]
    sure = torch.tensor([17.0, 40.0]).sigmoid()
    assert sure.tolist() == [1, 1]
    curve = losscore.reliability_curve(sure, torch.tensor([1, 0]))
    assert curve.samples[-1] == 2 and curve.frequency[-1] == 0.5 and curve.frequency[:-1].isnan().all()
    assert losscore.expected_calibration_error(sure, torch.tensor([1, 0])).item() == 0.5
    thirds = losscore.reliability_curve(
        torch.tensor([1 / 3, 2 / 3], dtype=torch.float64), torch.ones(2), bins=3
    )
    assert thirds.samples.tolist() == [0, 1, 1]


def test_of_several_classes_the_most_probable_counts() -> None:
    probs = torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.2, 0.6], [0.1, 0.8, 0.1]])
    curve = losscore.reliability_curve(probs, torch.tensor([0, 1, 1]), bins=10)
    assert curve.samples.tolist() == [0, 0, 0, 0, 0, 0, 2, 0, 1, 0]
    assert curve.frequency[6] == 0.5 and curve.frequency[8] == 1
    assert losscore.expected_calibration_error(
        probs, torch.tensor([0, 1, 1]), bins=10
    ).item() == pytest.approx(0.4 / 3)


def test_nobody_to_measure() -> None:
    none = torch.empty(0), torch.empty(0)
    for norm in ("l1", "l2", "max"):
        assert losscore.expected_calibration_error(*none, norm=norm).isnan()
    with pytest.raises(ValueError, match="probs: expected at least one sample"):
        losscore.murphy_decomposition(*none)
    with pytest.raises(ValueError, match="logits: expected at least one sample"):
        losscore.fit_temperature(*none)


@pytest.mark.parametrize("temperature", [0.2, 1.0, 3.7])
def test_a_known_temperature_is_found(temperature: float) -> None:
    """Every class is a label as often as its probability says, at logits `temperature` times too large."""
    logits = draw(40, 3)
    weights = (1000 * logits.softmax(1)).round().long()
    labels = torch.cat([torch.arange(3).repeat_interleave(row) for row in weights])
    rows = logits.repeat_interleave(weights.sum(1), 0)
    assert losscore.fit_temperature(temperature * rows, labels) == pytest.approx(temperature, rel=1e-2, abs=0)


@given(seed=st.integers(0, 1000))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_no_other_temperature_does_better(seed: int) -> None:
    logits, labels = draw(30, 3, seed=seed), torch.arange(30) % 3
    found = losscore.fit_temperature(logits, labels)

    def risk(temperature: float) -> float:
        return losscore.cross_entropy(logits / temperature, labels).item()

    for other in (0.3, 0.9 * found, 1.0, 1.1 * found, 30.0):
        assert risk(found) <= risk(other) + 1e-14


def test_temperature_of_one_logit_is_that_of_two() -> None:
    logit, label = 2 * draw(50), (draw(50, seed=1) > 0).long()
    logit = logit + label
    pair = torch.stack((torch.zeros_like(logit), logit), 1)
    found = losscore.fit_temperature(logit, label)
    assert found == pytest.approx(losscore.fit_temperature(pair, label), rel=1e-12, abs=0)
    assert losscore.fit_temperature(1e6 * logit, label) == pytest.approx(1e6 * found, rel=1e-9, abs=0)


def test_temperatures_at_the_ends() -> None:
    wrong = torch.tensor([[0.0, 1.0], [0.0, 2.0]])
    assert losscore.fit_temperature(wrong, torch.tensor([0, 0])) == math.inf
    assert losscore.fit_temperature(torch.tensor([1.0, 1.0]), torch.tensor([0, 1])) == math.inf
    with pytest.raises(
        ValueError, match="a label that hasn't the largest logit, got none: the best temperature is 0"
    ):
        losscore.fit_temperature(wrong, torch.tensor([1, 1]))


def test_decomposition_worked_by_hand() -> None:
    """Said 1/4: 1 of 2, so 1/4 off. Said 3/4: 2 of 2, 1/4 off. Overall 3/4, each group 1/4 away."""
    parts = losscore.murphy_decomposition(torch.tensor([0.25, 0.25, 0.75, 0.75]), torch.tensor([0, 1, 1, 1]))
    assert parts == (0.1875, 0.0625, 0.0625, 0.1875, 0)


@pytest.mark.parametrize("bins", [None, 1, 4, 15])
def test_the_decomposition_adds_up(bins: int | None) -> None:
    probs = (draw(200).sigmoid() * 20).round() / 20
    happened = (draw(200, seed=1).sigmoid() < probs).long()
    parts = losscore.murphy_decomposition(probs, happened, bins=bins)
    assert parts.score == pytest.approx((probs - happened).square().mean().item(), rel=1e-12, abs=0)
    whole = parts.reliability - parts.resolution + parts.uncertainty + parts.within
    assert whole == pytest.approx(parts.score, rel=1e-12, abs=0)
    assert (parts.within == 0) == (bins is None)
    assert min(parts[1:4]) >= 0
    if bins == 1:
        assert parts.resolution == pytest.approx(0, abs=1e-15)


def test_the_decomposition_of_several_classes_adds_up() -> None:
    rows = draw(4, 3).softmax(1)
    probs, labels = rows.repeat(25, 1), torch.randint(3, (100,), generator=torch.Generator().manual_seed(0))
    parts = losscore.murphy_decomposition(probs, labels)
    assert parts.score == pytest.approx(losscore.brier(probs.log(), labels).item(), rel=1e-12, abs=0)
    assert parts.reliability - parts.resolution + parts.uncertainty == pytest.approx(
        parts.score, rel=1e-12, abs=0
    )
    assert parts.within == 0 < parts.resolution


GOOD, LABELS = torch.tensor([0.2, 0.8]), torch.tensor([0, 1])
BAD: list[tuple[tuple[object, object], dict[str, object], type[Exception], str]] = [
    ((torch.tensor([0.2, 1.1]), LABELS), {}, ValueError, "probs: expected numbers in [0, 1], got 1.1"),
    ((torch.tensor([0.2, math.nan]), LABELS), {}, ValueError, "probs: expected numbers in [0, 1], got nan"),
    ((LABELS, LABELS), {}, TypeError, "probs: expected a floating-point tensor, got torch.int64"),
    (([0.2, 0.8], LABELS), {}, TypeError, "probs: expected a torch.Tensor, got list"),
    ((GOOD, [0, 1]), {}, TypeError, "target: expected a torch.Tensor, got list"),
    ((GOOD, torch.tensor([0, 2])), {}, ValueError, "target: expected 0 or 1, got 2 at position (1,)"),
    ((GOOD, torch.tensor([0.5, 1.0])), {}, ValueError, "target: expected 0 or 1, got 0.5 at position (0,)"),
    (
        (GOOD.expand(2, 2), torch.tensor([0, 2])),
        {},
        ValueError,
        "target: expected class indices in [0, 2), got 2",
    ),
    ((GOOD, LABELS[:1]), {}, ValueError, "target: expected size torch.Size([2]), got torch.Size([1])"),
    (
        (GOOD.reshape(2, 1, 1), LABELS),
        {},
        ValueError,
        "probs: expected size (N,) or (N, C), got torch.Size([2, 1, 1])",
    ),
    ((GOOD, LABELS), {"bins": 0}, ValueError, "bins: expected an int >= 1, got 0"),
    ((GOOD, LABELS), {"bins": 2.0}, TypeError, "bins: expected an int >= 1, got float"),
]


@pytest.mark.parametrize("name", ["expected_calibration_error", "reliability_curve", "murphy_decomposition"])
@pytest.mark.parametrize(("arguments", "options", "kind", "message"), BAD)
def test_bad_input(
    name: str,
    arguments: tuple[object, object],
    options: dict[str, object],
    kind: type[Exception],
    message: str,
) -> None:
    with pytest.raises(kind, match=re.escape(message)):
        getattr(losscore, name)(*arguments, **options)


def test_other_bad_input() -> None:
    with pytest.raises(ValueError, match="norm: expected 'l1', 'l2' or 'max', got 'l3'"):
        losscore.expected_calibration_error(GOOD, LABELS, norm="l3")
    with pytest.raises(ValueError, match="bins: expected None with probabilities of classes, got 3"):
        losscore.murphy_decomposition(GOOD.expand(2, 2), LABELS, bins=3)
    with pytest.raises(ValueError, match="logits: expected finite numbers, got inf"):
        losscore.fit_temperature(torch.tensor([math.inf, 1.0]), LABELS)
