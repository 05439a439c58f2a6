"""The pictures of the experiment on language."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
from torch import Tensor

from losscore.calibration import ReliabilityCurve
from losscore.lab.figures import BLUE, GREEN, GREY, INK, ORANGE


def confidences(curves: Mapping[str, ReliabilityCurve]) -> None:
    """How often the most probable symbol comes, against the probability that the model gives it."""
    _, axes = plt.subplots(figsize=(6.0, 4.2))
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1.0, linestyle=(0, (2, 2)))
    for (name, curve), colour, marker in zip(curves.items(), (BLUE, ORANGE, GREEN), "os^"):
        held = curve.samples > 0
        stated, came = curve.probability[held].cpu(), curve.frequency[held].cpu()
        axes.plot(stated, came, marker=marker, color=colour, markersize=5, label=name)
    axes.legend(loc="lower right")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.03)
    axes.set_xlabel("stated probability of the best guess")
    axes.set_ylabel("share of right guesses")


def shifts(offset: Tensor, gap: Tensor) -> None:
    """The log-probability of words less their score, against ln(kQ): dots, and the line where the two are equal."""
    _, axes = plt.subplots(figsize=(6.0, 4.2))
    ends = [offset.min().item(), offset.max().item()]
    axes.plot(ends, ends, color=INK, linewidth=1.0, linestyle=(0, (5, 2)))
    axes.plot(offset.cpu(), gap.cpu(), "o", color=BLUE, alpha=0.35, markersize=4, markeredgewidth=0)
    axes.annotate("equal", (ends[0], ends[0]), xytext=(0, 12), textcoords="offset points")
    axes.set_xlabel("ln(kQ): how frequent the word is")
    axes.set_ylabel("ln p of the full softmax − score")
