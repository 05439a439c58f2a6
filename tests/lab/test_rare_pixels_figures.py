"""The figures of the experiment on rare pixels show the numbers that they are given."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import to_rgb

from losscore.lab import rare_pixels_figures as figures
from losscore.lab.figures import ORANGE
from losscore.lab.rare_pixels import HEIGHT, WIDTH


def test_marks_are_laid_over_the_image() -> None:
    image = torch.linspace(0, 0.6, HEIGHT * WIDTH)
    nucleus, centre = torch.zeros(HEIGHT * WIDTH), torch.zeros(HEIGHT * WIDTH)
    nucleus.reshape(HEIGHT, WIDTH)[20:40, 30:60] = 3
    centre[5000] = 1
    figures.marks(image, nucleus, centre, {"some rule": image > 0.5})
    photo, drawn, rule = plt.gcf().axes
    assert [place.get_title() for place in (photo, rule)] == ["the image", "some rule"]
    shades, where, chosen = (place.images[0].get_array().reshape(-1, 3) for place in (photo, drawn, rule))
    assert len(np.unique(shades)) == 16
    assert np.allclose(shades, image[:, None] / 0.6, atol=0.5 / 15 + 1e-6)
    orange = to_rgb(ORANGE)
    assert np.flatnonzero(np.isclose(where, orange).all(axis=1)).tolist() == [5000]
    assert np.array_equal(np.isclose(chosen, orange).all(axis=1), (image > 0.5).numpy())
    (outline,) = [path for each in drawn.collections for path in each.get_paths()]
    assert np.allclose(outline.get_extents().bounds, (29.5, 19.5, 30, 20))


def test_scores_have_a_curve_and_a_dot_for_each_loss() -> None:
    thresholds = torch.linspace(-7, 7, 15)
    curves = {name: torch.rand(15) for name in ("a", "b")}
    figures.scores(thresholds, curves, {"a": (-1.0, 0.3), "b": (2.0, 0.1), "unused": (0.0, 0.0)})
    axes = plt.gca()
    _, *lines = axes.lines
    for (curve, dot), name, chosen in zip(
        (lines[:2], lines[2:]), curves, ((-1.0, 0.3), (2.0, 0.1)), strict=True
    ):
        assert np.allclose(np.asarray(curve.get_ydata()), curves[name])
        assert tuple(float(at[0]) for at in dot.get_data()) == chosen
        assert curve.get_color() == dot.get_color()
    assert [text.get_text() for text in axes.texts] == ["½", "a", "b"]
