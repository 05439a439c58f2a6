"""The figures of the newsvendor's experiment show the numbers that they are given."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from losscore.lab import electricity_figures as figures
from losscore.lab import generator
from losscore.lab.electricity import DAY, WEEK, coverage_by_hour, hourly


@pytest.fixture
def residual() -> torch.Tensor:
    return torch.randn(2, WEEK, generator=generator(0), dtype=torch.float64)


def heights(line: Line2D) -> np.ndarray:
    return np.asarray(line.get_ydata(), dtype=float)


def curves(axes: Axes) -> list[Line2D]:
    """The lines that run over more than the ends of the axes."""
    return [line for line in axes.lines if len(heights(line)) > 2]


def test_purchases_show_a_week_day_by_day(residual: torch.Tensor) -> None:
    figures.purchases(residual + 30, residual, residual - 1, residual + 1)
    above, below = plt.gcf().axes
    flat = residual.flatten().numpy()
    assert heights(curves(above)[0]) == pytest.approx(flat + 30)
    assert np.asarray(above.lines[0].get_xdata())[-1] == pytest.approx(14 - 1 / DAY)
    missed, low, high = curves(below)
    for line, wanted in ((missed, flat), (low, flat - 1), (high, flat + 1)):
        assert heights(line) == pytest.approx(wanted)
    assert [label.get_text() for label in below.get_xticklabels()] == list("MTWTFSS" * 2)


def test_costs_are_bars_with_a_dot_for_each_week() -> None:
    rows = {"cheap": torch.tensor([1.0, 2.0, 3.0]), "dear": torch.tensor([4.0, 5.0, 6.0])}
    figures.costs(rows, best="cheap")
    axes = plt.gca()
    assert [bar.get_width() for bar in axes.patches] == [2, 5]
    assert axes.patches[0].get_facecolor() != axes.patches[1].get_facecolor()
    assert [heights(line).tolist() for line in axes.lines] == [[0] * 3, [1] * 3]
    assert [text.get_text() for text in axes.texts] == ["2.00", "5.00"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cheap", "dear"]


def test_margins_by_hour_stand_against_the_errors_and_the_level(residual: torch.Tensor) -> None:
    margins = {"flat": torch.zeros_like(residual), "high": torch.ones_like(residual)}
    figures.by_hour(residual, margins, level=0.8)
    above, below = plt.gcf().axes
    middle, flat, high = curves(above)
    assert heights(middle) == pytest.approx(hourly(residual).quantile(0.5, dim=1).numpy())
    assert heights(flat) == pytest.approx(np.zeros(24)) and heights(high) == pytest.approx(np.ones(24))
    for line, margin in zip(curves(below), margins.values(), strict=True):
        assert heights(line) == pytest.approx(coverage_by_hour(residual, margin).numpy())
    assert heights(below.lines[0]).tolist() == [0.8, 0.8]


def test_richer_models_show_both_costs() -> None:
    figures.richer([10, 100], [3.0, 2.0], [4.0, 5.0])
    axes = plt.gca()
    assert [heights(line).tolist() for line in axes.lines] == [[3, 2], [4, 5]]
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["10", "100"]


def test_the_ratchet_shows_the_median_of_the_shops() -> None:
    shops = torch.arange(11.0).repeat(4, 1)
    stocks = {name: shops + shift for name, shift in (("a", 0), ("b", 10), ("c", 20))}
    figures.ratchet(stocks, optimum=12.0)
    axes = plt.gca()
    assert [heights(line)[0] for line in axes.lines] == [12, 5, 15, 25]
    bands = [band.get_paths()[0].get_extents() for band in axes.collections]
    assert [(band.y0, band.y1) for band in bands] == [(1, 9), (11, 19), (21, 29)]
