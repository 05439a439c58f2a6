"""The figures of the experiment on preferences show what its functions give."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from losscore.lab import generator
from losscore.lab import preferences_figures as figures
from losscore.lab.preferences import log_loss, runaway


def test_a_long_leash_ends_far_from_the_reference_and_a_short_one_at_it() -> None:
    reward, reference = torch.randn(2, 3, 20, 4, generator=generator(0), dtype=torch.float64)
    chosen = torch.randint(4, (3, 20), generator=generator(1))
    figures.leash(reward, reference.log_softmax(2), chosen)
    left, right = plt.gcf().axes
    (apart,) = (np.asarray(line.get_ydata()) for line in left.lines)
    assert (np.diff(apart) < 0).all() and apart[-1] < 0.01
    policies, *levels = right.lines
    beta, loss = np.asarray(policies.get_xydata()).T
    np.testing.assert_allclose(loss[0], log_loss(reference.log_softmax(2) + reward / beta[0], chosen).mean())
    for line, model in zip(levels, (reference, reward), strict=True):
        assert set(np.asarray(line.get_ydata())) == {log_loss(model, chosen).mean().item()}
    assert [text.get_text() for text in right.texts] == ["reference", "softmax of reward"]


def test_one_comparison_runs_away_unless_its_labels_are_smoothed() -> None:
    figures.one_comparison({0.1: "C0", 1.0: "C1"}, smoothing=0.1, until=1e4)
    axes = plt.gca()
    weak, strong, kept = (np.asarray(line.get_xydata()) for line in axes.lines)
    assert weak[-1, 1] > strong[-1, 1] > 0
    assert strong[-1, 1] == pytest.approx(runaway(1.0, step=1.0, steps=10_000)[-1].item(), rel=2e-3)
    assert kept[-1, 1] == pytest.approx(np.log(9) / 0.1, rel=1e-3)
    assert [text.get_text() for text in axes.texts] == ["β = 0.1", "β = 1", "smoothed by 0.1"]
