"""The figures of the experiment on language show the numbers that they are given."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import torch

from losscore.calibration import reliability_curve
from losscore.lab import language_figures as figures


def test_confidences_leave_empty_bins_out() -> None:
    curve = reliability_curve(torch.tensor([0.05, 0.05, 0.95]), torch.tensor([0.0, 1.0, 1.0]), bins=10)
    figures.confidences({"one": curve, "two": curve})
    axes = plt.gca()
    diagonal, *lines = axes.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    for line in lines:
        assert np.allclose(np.asarray(line.get_xydata()), [[0.05, 0.5], [0.95, 1.0]])
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["one", "two"]


def test_shifts_are_dots_beside_the_line_of_equals() -> None:
    offset, gap = torch.tensor([-3.0, 1.0, 0.5]), torch.tensor([-2.5, 1.0, 0.0])
    figures.shifts(offset, gap)
    line, dots = plt.gca().lines
    assert line.get_xydata().tolist() == [[-3, -3], [1, 1]]
    assert dots.get_xydata().tolist() == [[-3, -2.5], [1, 1], [0.5, 0]]
