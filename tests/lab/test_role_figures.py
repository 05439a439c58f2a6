"""The figures on the role of the loss show what their captions say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from losscore.lab import descend, role
from losscore.losses.regression import half_squared_error


def test_errors_move_in_steps_and_the_loss_bends_upwards() -> None:
    above, below = role.draw_error_and_loss().axes
    wrong, loss = (np.asarray(axes.lines[0].get_ydata()) for axes in (above, below))
    assert set(np.unique(wrong)) <= set(range(41))
    assert (np.diff(wrong) == 0).mean() > 0.9 and len(np.unique(wrong)) > 5
    assert (np.diff(loss, 2) > 0).all()


def test_the_step_decides_between_gliding_jumping_and_growing() -> None:
    figure = role.slide_step_size()
    paths = dict(zip(figure.values, figure.curves["path"], strict=True))
    np.testing.assert_allclose(paths["0.5"], 0.5 ** np.arange(21))
    np.testing.assert_allclose(paths["1.5"], (-0.5) ** np.arange(21))
    np.testing.assert_allclose(paths["2"], (-1.0) ** np.arange(21))
    assert abs(paths["2.1"][-1]) > 6
    assert figure.readout is not None and "loss is 1 of" in figure.readout[figure.values.index("2")]


def test_every_start_ends_on_the_line_of_minimisers() -> None:
    features, target = role.doubled_column()
    total = float(features[:, 0] @ target / features[:, 0].square().sum())
    runs = {
        name: descend(lambda w: half_squared_error(features @ w, target), start, step=0.3, steps=200)
        for name, start in (("A", features.new_tensor([-1.0, 0.0])), ("B", features.new_tensor([4.0, 3.0])))
    }
    (axes,) = role.draw_valley(features, target, runs).axes
    minimisers, *paths = (line for line in axes.lines if len(line.get_xdata()) > 1)
    assert np.asarray(minimisers.get_xdata()) + np.asarray(minimisers.get_ydata()) == pytest.approx(
        [total, total]
    )
    assert len(paths) == 2
    for path in paths:
        assert path.get_xdata()[-1] + path.get_ydata()[-1] == pytest.approx(total, abs=1e-6)


def test_squared_error_draws_the_higher_line() -> None:
    (axes,) = role.draw_skewed_line().axes
    lines = {line.get_label(): np.asarray(line.get_ydata()) for line in axes.lines}
    assert (lines["squared error"] > lines["absolute error"]).all()
    assert lines["squared error"] == pytest.approx([2, 4], abs=0.4)
    assert lines["absolute error"] == pytest.approx([1 + math.log(2), 3 + math.log(2)], abs=0.4)


def test_cross_entropy_is_lowest_at_the_target_and_there_its_entropy() -> None:
    (axes,) = role.draw_soft_targets().axes
    curves = [line for line in axes.lines if str(line.get_label()).startswith("target")]
    assert len(curves) == 4
    for line in curves:
        q = float(str(line.get_label()).split()[1])
        p, loss = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        assert p[loss.argmin()] == pytest.approx(q, abs=0.01)
        entropy = 0.0 if q == 1 else -q * math.log(q) - (1 - q) * math.log(1 - q)
        assert loss.min() == pytest.approx(entropy, abs=0.01)


def test_certain_labels_drive_the_logit_up_for_ever() -> None:
    runs = {
        name: role.logit_path(labels, steps=50) for name, labels in (("one", [1, 1]), ("half", [1, 0, 1]))
    }
    (axes,) = role.draw_logit_paths(runs).axes
    drawn = {line.get_label(): np.asarray(line.get_ydata()) for line in axes.lines}
    assert (np.diff(drawn["one"]) > 0).all() and drawn["one"][-1] > 3
    assert drawn["half"][-1] == pytest.approx(math.log(2), abs=1e-2)


def test_honest_scores_are_lowest_at_the_truth() -> None:
    figure = role.slide_honest_scores()
    assert figure.marker is not None
    assert figure.marker == pytest.approx([float(truth) for truth in figure.values], abs=0.01)
    for curves in figure.curves.values():
        assert figure.x[curves.argmin(1)] == pytest.approx(figure.marker)
        assert curves.min() == 0
