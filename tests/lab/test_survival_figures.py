"""The figures of the experiment on times to an event show the numbers that they are given."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import torch

from losscore.lab import survival_figures as figures
from losscore.lab.survival import YEAR


def test_follow_up_ends_in_a_dot_or_a_ring() -> None:
    figures.follow_up(torch.tensor([3.0, 1.0, 2.0]) * YEAR, torch.tensor([True, False, True]))
    lines = plt.gca().lines
    ways, ends = lines[0:6:2], lines[1:6:2]
    assert np.allclose([way.get_xdata() for way in ways], [[0, 1], [0, 2], [0, 3]])
    assert [end.get_fillstyle() for end in ends] == ["none", "full", "full"]
    assert [key.get_fillstyle() for key in lines[6:]] == ["full", "none"]


def test_survival_curves_are_drawn_over_years() -> None:
    at = torch.linspace(0, 7, 8) * YEAR
    curves = {name: torch.rand(8) for name in ("a", "b", "c", "d")}
    figures.survival_curves(at, torch.linspace(1, 0.3, 8), curves)
    axes = plt.gca()
    _, steps, *models = axes.lines
    assert np.allclose(steps.get_xdata(), range(8), atol=1e-5)
    assert np.allclose(steps.get_ydata(), torch.linspace(1, 0.3, 8))
    for line, curve in zip(models, curves.values(), strict=True):
        assert np.allclose(line.get_ydata(), curve)
    assert [text.get_text() for text in axes.texts] == ["Kaplan–Meier", *curves]


def test_groups_show_what_was_seen_and_what_was_said_in_one_colour() -> None:
    at, seen = torch.linspace(0, 7, 8) * YEAR, [torch.rand(8) for _ in range(3)]
    said = {name: torch.rand(8) for name in ("low", "middle", "high")}
    figures.groups(at, seen, said)
    lines = plt.gca().lines
    for observed, promised, steps, curve in zip(lines[::2], lines[1::2], seen, said.values(), strict=True):
        assert np.allclose(observed.get_ydata(), steps) and np.allclose(promised.get_ydata(), curve)
        assert observed.get_color() == promised.get_color()
