"""The figures of the experiment on noisy photographs show the numbers that they are given."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from losscore.lab import denoising_figures as figures
from losscore.lab.denoising import Impulses


def test_an_album_shows_the_same_square_of_each_image() -> None:
    images = {name: torch.rand(40, 60) for name in ("clean", "noisy", "mean", "median")}
    figures.album(images, top=10, left=20, size=16)
    for panel, (name, image) in zip(plt.gcf().axes, images.items(), strict=True):
        assert panel.get_title() == name
        shades = panel.images[0].get_array()
        assert np.allclose(shades[..., 0], image[10:26, 20:36], atol=0.5 / 23 + 1e-6)


def test_the_designed_level_of_the_noisy_pixel_is_the_clean_median() -> None:
    noise = Impulses(share=0.4, white=0.85)
    figures.levels(noise)
    axes = plt.gca()
    clean, noisy, _, middle, designed, median, mean = axes.lines
    assert np.interp(0.5, *clean.get_xydata().T) == pytest.approx(0.5)
    assert middle.get_xydata().tolist() == [[0.5, 0.5]]
    for dot in (designed, median):
        x, y = dot.get_xydata()[0]
        assert np.interp(x, *noisy.get_xydata().T) == pytest.approx(y)
    assert designed.get_xydata().tolist() == [[0.5, noise.level()]]
    assert mean.get_xdata()[0] == pytest.approx(0.6 * 0.5 + 0.4 * 0.85)
