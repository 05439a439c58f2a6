"""The figures on regularisation show what its experiments give."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from losscore.lab import regularisation as lab
from losscore.lab import regularisation_figures as figures


def test_the_line_of_unseen_errors_is_their_median() -> None:
    errors = torch.tensor([[1.0, 9.0, 2.0], [2.0, 7.0, 3.0], [4.0, 8.0, 1.0]])
    (axes,) = figures.draw_unseen_error([10, 100, 1000], errors).axes
    (line,) = axes.lines
    assert line.get_xydata().tolist() == [[10, 2], [100, 8], [1000, 2]]
    band = axes.collections[0].get_paths()[0].get_extents()
    assert (band.ymin, band.ymax) == (1, 9)


def test_noise_wears_the_penalty_in_adam_away_and_leaves_adamw_its_decay() -> None:
    (axes,) = figures.draw_left_after_noise(seeds=2).axes
    adam, adamw = (np.asarray(line.get_ydata()) for line in axes.lines)
    np.testing.assert_allclose(adamw, math.exp(-0.5), atol=0.02)
    assert adam[0] < 0.55 and adam[-1] > 0.95


def test_runs_of_adamw_lie_on_its_line() -> None:
    (axes,) = figures.draw_box().axes
    steep, flat, box, *dots = axes.lines
    assert (np.asarray(steep.get_ydata()) > np.asarray(flat.get_ydata())).all()
    for dot in dots:
        ((penalty, weight),) = dot.get_xydata()
        assert weight == pytest.approx(min(1.0, 1 / penalty), abs=0.02)
    assert len(dots) == 10


def test_the_oval_touches_the_line_of_solutions_where_descent_ends() -> None:
    figure = figures.slide_coordinates()
    assert figure.marker is not None
    for stretch, end, oval in zip(figure.values, figure.marker, figure.curves["equal ‖θ‖"], strict=True):
        a = float(stretch)
        assert end == pytest.approx(2 * a**2 / (1 + a**2))
        inside = np.isfinite(oval)
        assert (oval[inside] <= 2 - figure.x[inside] + 1e-9).all()


def test_the_angle_is_drawn_over_the_decades() -> None:
    weights = torch.stack([lab.WIDEST, lab.WIDEST + torch.tensor([0.5, -0.5], dtype=torch.float64)])
    path = lab.MarginPath(torch.tensor([1.0, 20.0], dtype=torch.float64) * math.log(10), weights)
    (axes,) = figures.draw_angle(path, path).axes
    line, *dots = axes.lines
    np.testing.assert_allclose(line.get_xydata(), [[1, 0], [20, path.angle[1]]], atol=1e-5)
    np.testing.assert_allclose([dot.get_xydata()[0] for dot in dots], line.get_xydata())


def test_a_small_start_finds_the_true_weights_and_a_large_one_does_not() -> None:
    *_, truth = lab.sparse_problem(0)
    small, large = figures.draw_sparse(0, 1e-3, 1.0).axes
    assert [panel.get_title() for panel in (small, large)] == ["start at 0.001", "start at 1"]
    for panel, near in ((small, True), (large, False)):
        found = np.array([segment[1, 1] for segment in panel.collections[0].get_segments()])
        assert np.allclose(found, truth, atol=0.1) == near
        _, rings = panel.lines
        np.testing.assert_allclose(rings.get_ydata(), truth[truth != 0])
