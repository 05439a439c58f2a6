"""The pictures of the newsvendor's experiment on electricity demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.ticker import MultipleLocator
from torch import Tensor

from losscore.lab.electricity import DAY, coverage_by_hour, hourly
from losscore.lab.figures import BLUE, GREY, INK, ORANGE, label_line

_DAYS = "MTWTFSS"


def purchases(demand: Tensor, residual: Tensor, low: Tensor, high: Tensor) -> None:
    """Demand over whole days; below it, what the forecast missed, with two margins and the band between them.

    All have shape (weeks, 336), in GW: ``low`` is the margin over the forecast under squared error and ``high`` the
    one under the loss that knows the prices.
    """
    demand, residual, low, high = (series.flatten().cpu() for series in (demand, residual, low, high))
    day = torch.arange(len(demand)) / DAY
    _, (above, below) = plt.subplots(2, sharex=True, figsize=(6.0, 5.0), height_ratios=(2, 3))
    above.plot(day, demand, color=INK, linewidth=1.2)
    above.set_ylabel("demand (GW)")
    below.plot(day, residual, color=INK, linewidth=1.0)
    below.fill_between(day, low, high, color=ORANGE, alpha=0.35, linewidth=0)
    below.fill_between(
        day, high, residual, where=(residual > high).tolist(), color=GREY, alpha=0.45, linewidth=0
    )
    label_line(below.plot(day, low, color=BLUE, linestyle="-")[0], "squared\nerror", offset=(6, -8))
    label_line(below.plot(day, high, color=ORANGE, linestyle="-")[0], "pinball\n0.8", offset=(6, 10))
    below.set_ylabel("demand − forecast (GW)")
    below.set_xticks(
        [d + 0.5 for d in range(len(demand) // DAY)], [_DAYS[d % 7] for d in range(len(demand) // DAY)]
    )
    below.tick_params(axis="x", length=0)


def costs(rows: Mapping[str, Tensor], best: str) -> None:
    """Mean cost of each method as a bar, with a dot for each week; each value has shape (weeks,)."""
    _, axes = plt.subplots(figsize=(6.0, 0.55 * len(rows) + 0.9))
    for place, (name, weeks) in enumerate(rows.items()):
        mean = weeks.mean().item()
        axes.barh(place, mean, height=0.62, color=ORANGE if name == best else BLUE, alpha=0.55)
        axes.plot(weeks.cpu(), [place] * len(weeks), "o", color=INK, markersize=3.5)
        axes.annotate(
            f"{mean:.2f}", (0, place), xytext=(5, 0), textcoords="offset points", va="center", weight="bold"
        )
    axes.set_yticks(range(len(rows)), list(rows))
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlabel("mean cost of a half-hour (dots: the six weeks)")


def by_hour(residual: Tensor, margins: Mapping[str, Tensor], level: float) -> None:
    """Above, each margin over the day against what the forecast missed; below, how often each one sufficed.

    ``residual`` and each margin have shape (weeks, 336); ``level`` is the share that should be covered.
    """
    hours = torch.arange(24).double() + 0.5
    missed = hourly(residual.cpu())
    _, (above, below) = plt.subplots(2, sharex=True, figsize=(6.0, 5.4))
    low, middle, high = torch.quantile(missed, torch.tensor([0.1, 0.5, 0.9], dtype=missed.dtype), dim=1)
    above.fill_between(hours, low, high, color=GREY, alpha=0.25, linewidth=0)
    above.plot(hours, middle, color=GREY, linewidth=1.0)
    above.annotate("8 of 10 errors", (18.5, -0.62), ha="center")
    below.axhline(level, color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
    for (name, margin), colour, style in zip(
        margins.items(), (BLUE, ORANGE), ((0, (5, 1.6)), "-"), strict=True
    ):
        above.plot(hours, hourly(margin.cpu()).mean(1), color=colour, linestyle=style)
        below.plot(
            hours,
            coverage_by_hour(residual, margin).cpu(),
            color=colour,
            linestyle=style,
            marker="o",
            markersize=3.5,
            label=name,
        )
    above.set_ylabel("GW over the forecast")
    below.set_ylabel("share of half-hours\nwith enough")
    below.set_xlabel("hour of the day")
    below.set_ylim(0.5, 1.02)
    below.xaxis.set_major_locator(MultipleLocator(6))
    below.set_xlim(0, 24)
    below.legend(loc="lower left")


def richer(parameters: Sequence[int], known: Sequence[float], coming: Sequence[float]) -> None:
    """Cost on the data that the models have seen and on the weeks to come, over their number of parameters."""
    _, axes = plt.subplots()
    label_line(axes.plot(parameters, known, "o--", color=BLUE)[0], "weeks it\nlearnt from")
    label_line(axes.plot(parameters, coming, "o-", color=ORANGE)[0], "weeks\nto come")
    axes.set_xscale("log")
    axes.set_xticks(parameters, [str(number) for number in parameters])
    axes.minorticks_off()
    axes.set_xlabel("parameters of the linear model")
    axes.set_ylabel("mean cost of a half-hour")


def ratchet(stocks: Mapping[str, Tensor], optimum: float) -> None:
    """Stock of each season for many shops, shape (seasons, shops): the median, and the middle 80 % as a band."""
    _, axes = plt.subplots()
    axes.axhline(optimum, color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
    axes.annotate(
        "optimum", (len(next(iter(stocks.values()))), optimum), xytext=(6, 4), textcoords="offset points"
    )
    for (name, stock), colour, lift in zip(stocks.items(), (GREY, ORANGE, BLUE), (-4, 6, -8), strict=True):
        low, middle, high = torch.quantile(
            stock.cpu(), torch.tensor([0.1, 0.5, 0.9], dtype=stock.dtype), dim=1
        )
        season = range(1, len(stock) + 1)
        axes.fill_between(season, low, high, color=colour, alpha=0.22, linewidth=0)
        label_line(axes.plot(season, middle, "-", color=colour)[0], name, offset=(6, lift))
    axes.set_xlabel("season of 30 days")
    axes.set_ylabel("stock (loaves)")
