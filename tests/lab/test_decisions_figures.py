"""The figures of the experiment on medical decisions show the numbers that they are given."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from losscore.lab import decisions_figures as figures
from losscore.lab.decisions import Reliability
from losscore.lab.figures import BLUE, ORANGE
from losscore.lab.statistics import Interval


def test_bills_are_bars_with_their_intervals() -> None:
    rows = {"one half": Interval(30.0, 4.0, 10, 0.95), "Bayes": Interval(12.5, 2.0, 10, 0.95)}
    figures.bills(rows, highlight=["Bayes"])
    axes = plt.gca()
    assert [bar.get_width() for bar in axes.patches] == [30.0, 12.5]
    assert [to_rgb(bar.get_facecolor()) for bar in axes.patches] == [to_rgb(BLUE), to_rgb(ORANGE)]
    assert [line.get_xdata().tolist() for line in axes.lines] == [[26.0, 34.0], [10.5, 14.5]]
    assert [text.get_text() for text in axes.get_yticklabels()] == list(rows)
    assert [text.get_text() for text in axes.texts] == ["30.0", "12.5"]


def test_reliabilities_have_bars_of_error_and_of_patients() -> None:
    curve = Reliability(
        *(torch.tensor(row) for row in ([0.1, 0.9], [0.2, 0.8], [0.1, 0.6], [0.4, 0.9], [40, 10]))
    )
    figures.reliabilities({"some model": curve, "another": curve})
    above, _, below, _ = plt.gcf().axes
    assert above.get_title() == "some model"
    diagonal, points, *_ = above.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    assert np.allclose(points.get_xydata(), [[0.1, 0.2], [0.9, 0.8]])
    (bars,) = above.containers
    ends = [segment[:, 1] for segment in bars.lines[2][0].get_segments()]
    assert np.allclose(ends, [[0.1, 0.4], [0.6, 0.9]])
    assert [bar.get_height() for bar in below.patches] == [40, 10]


def test_net_benefits_stand_between_no_one_and_everyone() -> None:
    thresholds = torch.linspace(0.05, 0.5, 4)
    curves = {name: torch.rand(4) for name in ("a", "b", "c")}
    figures.net_benefits(thresholds, curves, 0.35 - thresholds)
    axes = plt.gca()
    no_one, everyone, *models = axes.lines
    assert set(np.asarray(no_one.get_ydata())) == {0}
    assert np.allclose(everyone.get_ydata(), 0.35 - thresholds)
    for line, curve in zip(models, curves.values(), strict=True):
        assert np.allclose(line.get_ydata(), curve)
    assert {text.get_text() for text in axes.texts} == {"no one", "everyone", *curves}


def test_errors_by_chance_are_a_band_below_the_models() -> None:
    measured = {"tree": [0.1, 0.12, 0.2], "line": [0.05, 0.06, 0.1]}
    figures.errors_by_chance([5, 10, 20], [(0.02, 0.04), (0.03, 0.05), (0.05, 0.08)], measured)
    axes = plt.gca()
    mean, *models = axes.lines
    assert list(mean.get_ydata()) == [0.02, 0.03, 0.05]
    assert [list(line.get_ydata()) for line in models] == list(measured.values())
    (band,) = axes.collections
    assert band.get_paths()[0].get_extents().ymax == pytest.approx(0.08)
    assert [text.get_text() for text in axes.get_xticklabels()] == ["5", "10", "20"]


def test_three_actions_shade_where_the_test_is_cheapest() -> None:
    risk = torch.linspace(0, 1, 5)
    costs = {"wait": risk, "operate": (1 - risk) / 2, "test": torch.full((5,), 0.2)}
    figures.three_actions(risk, costs, (0.2, 0.6))
    axes = plt.gca()
    assert axes.patches[0].get_extents().transformed(axes.transData.inverted()).intervalx == pytest.approx(
        [0.2, 0.6]
    )
    for line, cost in zip(axes.lines, costs.values(), strict=True):
        assert np.allclose(line.get_ydata(), cost)
    assert [text.get_text() for text in axes.texts] == ["the test is cheapest", *costs]
