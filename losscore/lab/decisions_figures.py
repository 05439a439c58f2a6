"""The pictures of the experiment on medical decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.ticker import PercentFormatter
from torch import Tensor

from losscore.lab.decisions import Reliability
from losscore.lab.figures import BLUE, GREEN, GREY, INK, ORANGE, label_line, shade
from losscore.lab.statistics import Interval


def bills(rows: Mapping[str, Interval], highlight: Sequence[str]) -> None:
    """Mean cost a patient of each rule as a bar, with its interval as a line."""
    _, axes = plt.subplots(figsize=(6.0, 0.55 * len(rows) + 0.9))
    for place, (name, cost) in enumerate(rows.items()):
        axes.barh(place, cost.mean, height=0.62, color=ORANGE if name in highlight else BLUE, alpha=0.55)
        axes.plot([cost.low, cost.high], [place, place], color=INK, linestyle="-", linewidth=1.5)
        axes.annotate(
            f"{cost.mean:.1f}", (cost.high, place), xytext=(6, 0), textcoords="offset points", va="center"
        )  # fmt: skip
    axes.set_yticks(range(len(rows)), list(rows))
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlabel("mean cost of a patient (lines: 95 % intervals)")


def reliabilities(panels: Mapping[str, Reliability]) -> None:
    """One panel a model: frequency against probability by bin, with binomial intervals, and the patients below."""
    _, axes = plt.subplots(
        2, len(panels), sharex=True, sharey="row", figsize=(6.0, 4.2), height_ratios=(4, 1), squeeze=False
    )
    for (name, curve), above, below in zip(panels.items(), axes[0], axes[1], strict=True):
        above.plot([0, 1], [0, 1], color=GREY, linestyle=(0, (2, 2)), linewidth=1.0)
        reach = [
            gap.cpu().clamp(min=0) for gap in (curve.frequency - curve.low, curve.high - curve.frequency)
        ]
        above.errorbar(
            curve.probability.cpu(),
            curve.frequency.cpu(),
            yerr=reach,
            fmt="o",
            color=ORANGE,
            markersize=5,
            linewidth=1.5,
        )
        above.set_title(name)
        below.bar(
            curve.probability.cpu().numpy(), curve.patients.cpu().numpy(), width=0.07, color=BLUE, alpha=0.55
        )
        below.set_xlabel("stated risk")
        below.set_xlim(-0.03, 1.03)
        below.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    axes[0, 0].set_ylim(-0.03, 1.03)
    axes[0, 0].set_ylabel("share malignant")
    axes[1, 0].set_ylabel("patients")


def net_benefits(thresholds: Tensor, curves: Mapping[str, Tensor], everyone: Tensor) -> None:
    """Decision curves: the net benefit of each model against the threshold, and that of operating on everyone."""
    _, axes = plt.subplots()
    at = thresholds.cpu()
    axes.axhline(0, color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
    axes.annotate("no one", (at[0], 0), xytext=(0, 4), textcoords="offset points")
    axes.plot(at, everyone.cpu(), color=GREY, linestyle=(0, (1.4, 1.4)))
    axes.annotate("everyone", (0.3, 0.06), ha="right", color=INK)
    for (name, curve), colour, style, lift in zip(
        curves.items(), (BLUE, ORANGE, GREEN), ("-", (0, (5, 1.6)), (0, (6, 1.6, 1.4, 1.6))), (6, 0, -6)
    ):
        label_line(axes.plot(at, curve.cpu(), color=colour, linestyle=style)[0], name, offset=(6, lift))
    axes.set_ylim(-0.1, 0.4)
    axes.set_xlabel("threshold: the risk from which you would operate")
    axes.set_ylabel("net benefit")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def errors_by_chance(
    bins: Sequence[int],
    chance: Sequence[tuple[float, float]],
    measured: Mapping[str, Sequence[float]],
) -> None:
    """Calibration errors over the number of bins: what chance makes, as a band up to its 95th percentile, and models."""
    _, axes = plt.subplots()
    mean, high = zip(*chance, strict=True)
    axes.fill_between(bins, 0, high, color=GREY, alpha=0.25, linewidth=0)
    label_line(axes.plot(bins, mean, color=GREY, linestyle="-")[0], "right\nforecasts", offset=(6, -18))
    for (name, errors), colour, marker, lift in zip(measured.items(), (BLUE, ORANGE), "os", (20, 0)):
        label_line(
            axes.plot(bins, errors, marker=marker, linestyle="--", color=colour)[0], name, offset=(6, lift)
        )
    axes.set_xscale("log")
    axes.set_xticks(bins, [str(number) for number in bins])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel("bins")
    axes.set_ylabel("expected calibration error")


def three_actions(risk: Tensor, costs: Mapping[str, Tensor], band: tuple[float, float]) -> None:
    """Expected cost of each action against the risk, with the band shaded in which the test is the cheapest."""
    _, axes = plt.subplots()
    shade(axes, *band, "the test is cheapest")
    for (name, cost), colour, place, side in zip(
        costs.items(), (BLUE, ORANGE, GREEN), (0.1, 0.7, 0.9), ((52, -6), (0, 10), (0, 7)), strict=True
    ):
        label_line(axes.plot(risk, cost, color=colour)[0], name, at=place, offset=side)
    axes.set_ylim(0, 1.1)
    axes.set_xlabel("risk that the tumour is malignant")
    axes.set_ylabel("expected cost")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
