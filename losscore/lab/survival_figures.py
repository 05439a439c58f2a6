"""The pictures of the experiment on times to an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from torch import Tensor

from losscore.lab.figures import BLUE, GREEN, GREY, INK, ORANGE, PINK, label_line
from losscore.lab.survival import YEAR


def follow_up(time: Tensor, event: Tensor) -> None:
    """One line a patient, from the operation to the event, a dot, or to the last contact, a ring."""
    _, axes = plt.subplots(figsize=(6.0, 3.4))
    order = time.argsort()
    for place, i in enumerate(order.tolist()):
        end, seen = time[i].item() / YEAR, bool(event[i])
        axes.plot([0, end], [place, place], color=BLUE if seen else GREY, linestyle="-", linewidth=1.6)
        axes.plot(end, place, "o", color=ORANGE if seen else INK, fillstyle="full" if seen else "none")
    for y, (words, style, colour) in enumerate((("event", "full", ORANGE), ("last seen well", "none", INK))):
        axes.plot(4.9, 1.5 - 1.5 * y, "o", color=colour, fillstyle=style)
        axes.annotate(words, (4.9, 1.5 - 1.5 * y), xytext=(9, 0), textcoords="offset points", va="center")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlim(0, 7)
    axes.set_xlabel("years after the operation")
    axes.set_ylabel("one line a patient")


def survival_curves(at: Tensor, without_inputs: Tensor, curves: Mapping[str, Tensor]) -> None:
    """Mean curves of four models against the Kaplan–Meier curve, those that agree with it first."""
    _, axes = plt.subplots()
    years = at.cpu() / YEAR
    axes.axhline(0.5, color=GREY, linewidth=0.8, linestyle=(0, (1, 2)))
    label_line(
        axes.plot(years, without_inputs.cpu(), color=INK, linestyle="-")[0],
        "Kaplan–Meier",
        at=2.3,
        offset=(34, 8),
    )
    colours, dashes = (
        (BLUE, GREEN, ORANGE, PINK),
        ((0, (5, 1.6)), (0, (1.4, 1.4)), (0, (6, 1.6, 1.4, 1.6)), "-"),
    )
    places = ((5.6, (0, -22)), (6.5, (0, -24)), (3.1, (38, 2)), (1.8, (-38, -24)))
    for (name, curve), colour, dash, (place, offset) in zip(
        curves.items(), colours, dashes, places, strict=True
    ):
        label_line(
            axes.plot(years, curve.cpu(), color=colour, linestyle=dash)[0], name, at=place, offset=offset
        )
    _free_of_the_event(axes)


def groups(at: Tensor, seen: Sequence[Tensor], said: Mapping[str, Tensor]) -> None:
    """The Kaplan–Meier curve of each group of patients, solid, and the mean curve that a model gave it, dashed."""
    _, axes = plt.subplots()
    years = at.cpu() / YEAR
    for (name, curve), steps, colour in zip(said.items(), seen, (GREEN, BLUE, ORANGE), strict=True):
        axes.plot(years, steps.cpu(), color=colour, linestyle="-")
        label_line(axes.plot(years, curve.cpu(), color=colour, linestyle=(0, (4, 1.6)))[0], name)
    axes.set_xlim(0, years[-1].item())
    _free_of_the_event(axes)


def _free_of_the_event(axes: Axes) -> None:
    axes.set_ylim(0, 1)
    axes.set_xlabel("years after the operation")
    axes.set_ylabel("still without event")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
