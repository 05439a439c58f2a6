"""The figures on the properties of an ideal loss show what their captions say."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import losscore
from losscore.lab import generator, ideal
from losscore.lab import ideal_figures as figures


def test_the_hinge_is_least_at_the_mark() -> None:
    figure = figures.slide_one_class()
    assert figure.marker is not None
    for eta, best, hinge, logistic in zip(
        figure.values, figure.marker, figure.curves["hinge"], figure.curves["logistic"], strict=True
    ):
        chance = float(eta)
        assert np.interp(best, figure.x, hinge) == pytest.approx(hinge.min())
        log_odds = min(max(math.log(chance / (1 - chance)), -3), 3)
        assert figure.x[logistic.argmin()] == pytest.approx(log_odds, abs=0.03)


def test_elections_show_the_truth_above_the_scores() -> None:
    scores = torch.rand(2, ideal.BINS, 3)
    above, first, second = figures.draw_elections(*scores, names=("hinge", "logistic")).axes
    _, eta = ideal.bins_and_truth()
    for panel, values in ((above, eta), (first, scores[0]), (second, scores[1])):
        for k in range(3):
            np.testing.assert_allclose(panel.lines[k].get_ydata(), values[:, k])
    assert [panel.get_ylabel() for panel in (first, second)] == ["hinge", "logistic"]
    shaded = [patch.get_extents().transformed(above.transData.inverted()) for patch in above.patches]
    crowded = (eta.max(1).values < 0.5).sum().item()
    assert crowded > 0 and sum(box.width for box in shaded) == pytest.approx(crowded / ideal.BINS)


def test_regret_bounds_start_at_no_excess() -> None:
    (axes,) = figures.draw_regret_bounds().axes
    for line in axes.lines:
        values = np.asarray(line.get_ydata())
        assert values[0] == 0 and (np.diff(values) > 0).all(), line.get_label()
    ends = {line.get_label(): float(line.get_ydata()[-1]) for line in axes.lines}
    assert ends == pytest.approx({"hinge": 1, "squared hinge": 1, "exponential": 1, "logistic": math.log(2)})


def test_the_logistic_line_is_drawn_where_its_score_is_zero() -> None:
    points, label = ideal.with_far_group(0)
    first, second, intercept = ideal.linear_fit(losscore.binary_cross_entropy, points, label).tolist()
    (axes,) = figures.draw_restricted(0).axes
    zeros, ones, upright, line = axes.lines
    assert len(zeros.get_xdata()) + len(ones.get_xdata()) == len(points)
    assert set(upright.get_xdata()) == {0}
    x, y = np.asarray(line.get_xydata()).T
    np.testing.assert_allclose(first * x + second * y + intercept, 0, atol=1e-9)


def test_a_forecast_costs_a_tangent_of_the_arch() -> None:
    figure = figures.slide_tangents()
    for forecast, line in zip(figure.values, figure.curves["this forecast"], strict=True):
        excess = line - figure.curves["honest"][0]
        assert (excess > -1e-12).all()
        assert figure.x[excess.argmin()] == pytest.approx(float(forecast))
        np.testing.assert_allclose(np.diff(line, 2), 0, atol=1e-12)


def test_only_proper_scores_answer_with_the_truth() -> None:
    (axes,) = figures.draw_answers().axes
    honest = {
        line.get_label(): np.allclose(line.get_xdata(), line.get_ydata(), atol=1e-3) for line in axes.lines
    }
    assert honest == {
        "proper\nscores": True,
        "focal, γ = 2": False,
        "GCE, q = ½": False,
        "absolute error": False,
    }


def test_projections_cross_one_half_at_their_boundary() -> None:
    fits = {
        "cross-entropy": ideal.project(losscore.binary_cross_entropy),
        "Brier": ideal.project(losscore.binary_brier),
    }
    (axes,) = figures.draw_projections(fits).axes
    curves = {line.get_label(): line for line in axes.lines if line.get_label() in fits}
    for name, fit in fits.items():
        x, p = np.asarray(curves[name].get_xydata()).T
        assert np.interp(0.5, p, x) == pytest.approx(fit.boundary, abs=0.05)


def test_reliability_leaves_small_bins_out() -> None:
    logit = torch.linspace(-1.5, 3, 5000, dtype=torch.float64)
    happened = (torch.rand(5000, generator=generator(0)) < logit.sigmoid()).long()
    few = ideal.Forecasts(torch.tensor([-4.0], dtype=torch.float64), torch.tensor([0]))
    (axes,) = figures.draw_reliability({"honest": [ideal.Forecasts(logit, happened), few]}).axes
    _, line = axes.lines
    probability, share = np.asarray(line.get_xydata()).T
    assert probability.min() > 0.1
    np.testing.assert_allclose(share, probability, atol=0.1)
