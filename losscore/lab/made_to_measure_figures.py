"""The drawings of the page on losses made to measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor

from losscore.lab.figures import GREY, label_line, mark
from losscore.lab.made_to_measure import PAIRS, best_amounts, mixed, slopes, total_cost
from losscore.lab.slider import SliderFigure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PLACES = {
    "cross-entropy": (0, -20),
    "pooled Dice": (20, 8),
    "InfoNCE": (26, -19),
    "mean": (0, -18),
    "0.8 quantile": (0, -18),
    "variance": (-28, 6),
    "expected shortfall": (-60, 6),
}
"""Where the names of curves stand beside them, in points."""


def slide_price(demands: Tensor, start: float = 4.0) -> SliderFigure:
    """The total cost against the amount; the slider moves the price of a missing unit, and both prices add up to 5."""
    amounts = torch.linspace(8, 26, 181, dtype=torch.float64)
    prices = [Fraction(k, 4) for k in range(1, 20)]
    best = [best_amounts(demands, price / 5) for price in prices]
    costs = [total_cost(amounts, demands, underage=float(p), overage=float(5 - p)) for p in prices]

    def words(low: float, high: float) -> str:
        return f"bake {low:g}" if low == high else f"any amount from {low:g} to {high:g} is best"

    return SliderFigure(
        amounts.numpy(),
        {"total cost": torch.stack(costs).numpy()},
        label="price of a missing loaf",
        values=[float(price) for price in prices],
        start=prices.index(Fraction(start)),
        marker=[(low + high) / 2 for low, high in best],
        readout=[
            f"Missing {float(price):g}, left over {float(5 - price):g}, so τ = {float(price / 5):g}: {words(*ends)}."
            for price, ends in zip(prices, best)
        ],
        xlabel="loaves baked each day",
        ylabel="cost of the ten days",
        ylim=(0, 250),
        label_at={"total cost": 11},
        alt=(
            "Total cost of ten days against the loaves baked: a valley of straight pieces. Where both errors cost the same "
            "it is flat from 14 to 15. With 4 for a missing and 1 for a spare loaf it is flat from 18 to 20, with prices that "
            "leave no whole number of days its bottom is a single kink."
        ),
    )


def slope_staircase(demands: Tensor, *, underage: float, overage: float) -> Figure:
    """The slope of the total cost against the amount: constant between demands, with a jump at each of them."""
    figure, axes = plt.subplots()
    ends = [8.0, *sorted(set(demands.tolist())), 27.0]
    axes.axhline(0, color=GREY, linewidth=1)
    for left, right in zip(ends, ends[1:]):
        level = slopes((left + right) / 2, demands, underage=underage, overage=overage)[0]
        flat = level == 0
        axes.plot(
            [left, right],
            [level, level],
            color="C1" if flat else "C0",
            linewidth=4 if flat else 2.2,
            linestyle="-",
        )
        if flat:
            axes.annotate(
                f"slope 0: all of {left:g} to {right:g}",
                ((left + right) / 2, 0),
                xytext=(-4, 14),
                textcoords="offset points",
                ha="right",
            )
    for demand in ends[1:-1]:
        axes.plot(
            [demand] * 2,
            slopes(demand, demands, underage=underage, overage=overage),
            ":",
            color="C0",
            linewidth=1,
        )
    axes.set_xticks(range(8, 28, 2))
    axes.set_xlabel("loaves baked each day")
    axes.set_ylabel("slope of the total cost")
    return figure


def one_law_many_answers(sample: Tensor, answers: Mapping[str, float]) -> Figure:
    """A histogram of the sample with the place that each loss asks for."""
    figure, axes = plt.subplots(figsize=(6.0, 4.2))
    heights, edges = np.histogram(sample, bins=60, density=True)
    axes.stairs(heights, edges, fill=True, color=GREY, alpha=0.4)
    top = float(heights.max())
    for index, (words, place) in enumerate(answers.items()):
        height = top * (1.05 + 0.13 * (len(answers) - 1 - index))
        axes.plot([place, place], [0, height], color=f"C{index % 5}", linestyle="-", linewidth=1.8)
        axes.annotate(words, (place, height), xytext=(5, -2), textcoords="offset points", va="center")
    axes.set_xlim(0, 60)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("demand")
    return figure


def along_mixtures() -> Figure:
    """Each statistic of mixtures of two laws that share its value, over the weight of the second law."""
    figure, axes = plt.subplots()
    weights = [step / 20 for step in range(21)]
    curves = {name: [mixed(name, step) for step in range(21)] for name in PAIRS}
    for index, (name, values) in enumerate(curves.items()):
        line = axes.plot(weights, values, label=name)[0]
        label_line(line, at=(0.25, 0.75, 0.25, 0.7)[index], offset=_PLACES[name])
    axes.set_xlabel("weight of the second law")
    axes.set_ylabel("statistic of the mixture")
    axes.set_ylim(0.85, 1.5)
    return figure


def cost_of_a_change(prices: Sequence[float], curves: Mapping[str, Sequence[float]]) -> Figure:
    """Cost above the least possible one against the price of a miss."""
    figure, axes = plt.subplots()
    for name, values in curves.items():
        label_line(axes.plot(prices, values, label=name)[0])
    axes.set_xscale("log")
    ticks = [1, 2, 5, 10, 20, 50]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("price of a missed case, in false alarms")
    axes.set_ylabel("cost above the least")
    return figure


def recall_by_rarity(counts: Sequence[int], curves: Mapping[str, Tensor]) -> Figure:
    """Share of each class that is found, from the most to the least frequent in training."""
    figure, axes = plt.subplots()
    for name, values in curves.items():
        label_line(axes.plot(range(len(counts)), values, marker="o", markersize=4, label=name)[0])
    axes.set_xticks(range(len(counts)), [str(count) for count in counts])
    axes.set_ylim(0, 1.03)
    axes.set_xlabel("training images of the digit")
    axes.set_ylabel("share found")
    return figure


def batches(sizes: Sequence[int], curves: Mapping[str, Sequence[float]]) -> Figure:
    """The mean loss over all batches, relative to one batch of all, against the size of the batches."""
    figure, axes = plt.subplots()
    for name, values in curves.items():
        relative = [value / values[-1] for value in values]
        line = axes.plot(sizes, relative, marker="o", markersize=4, label=name)[0]
        label_line(line, at=sizes[1], offset=_PLACES.get(name, (-20, 8)))
    axes.set_xscale("log")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel("examples in a batch")
    axes.set_ylabel("mean loss / loss of all at once")
    axes.set_ylim(0, 1.75)
    return figure


def pairs(first: Tensor, second: Tensor, names: tuple[str, str]) -> Figure:
    """One line a seed from the first result to the second, with the mean of each."""
    figure, axes = plt.subplots(figsize=(5.2, 3.8))
    for one, other in zip(first.tolist(), second.tolist()):
        axes.plot([0, 1], [one, other], color="C0", linestyle="-", linewidth=1.2, marker="o", markersize=4)
    for place, values, side in ((0, first, -1), (1, second, 1)):
        mark(axes, place + 0.08 * side, values.mean().item(), "mean", colour="C1", offset=(9 * side, 0))
    axes.set_xlim(-0.5, 1.5)
    axes.set_xticks([0, 1], names)
    axes.set_ylabel("balanced accuracy")
    return figure
