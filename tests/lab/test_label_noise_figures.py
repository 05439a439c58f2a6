"""The figures of the experiment on noisy labels show the numbers that they are given."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import torch

from losscore.lab import label_noise_figures as figures
from losscore.lab.label_noise import Course, Study


def test_given_labels_name_the_digit_of_a_wrong_one() -> None:
    images, true = torch.rand(1, 16, 64), torch.arange(16)[None] % 10
    given = true.clone()
    given[0, 3] = 8
    figures.given_labels(Study(images, given, true, images, given, true, images, true))
    panels = plt.gcf().axes
    assert len(panels) == 16
    assert [panel.get_title() for panel in panels[2:5]] == ["2", "8, not 3", "4"]
    assert np.allclose(panels[5].images[0].get_array(), images[0, 5].reshape(8, 8))


def test_courses_mark_the_best_step_of_each_seed() -> None:
    steps, nothing = torch.tensor([0, 10, 20]), torch.zeros(1)
    clean = torch.tensor([[0.1, 0.2], [0.8, 0.6], [0.5, 0.7]])
    course = Course(steps, clean, clean / 2, nothing, nothing)
    figures.courses({"even": course, "uneven": course})
    for panel, name in zip(plt.gcf().axes, ("even", "uneven"), strict=True):
        assert panel.get_title() == name
        on_clean, on_noisy, *best = panel.lines
        assert np.allclose(on_clean.get_ydata(), clean.mean(1))
        assert np.allclose(on_noisy.get_ydata(), clean.mean(1) / 2)
        assert [line.get_xdata().tolist() for line in best] == [[10, 10], [20, 20]]


def test_matrices_stand_side_by_side() -> None:
    matrix = torch.rand(10, 10)
    figures.matrices({"true": matrix, "estimated": torch.eye(10)})
    first, second = plt.gcf().axes
    assert first.get_title() == "true" and np.allclose(first.images[0].get_array(), matrix)
    assert np.array_equal(second.images[0].get_array(), np.eye(10))
