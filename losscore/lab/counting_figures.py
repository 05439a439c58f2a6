"""The pictures of the experiment on counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from torch import Tensor

from losscore import negative_binomial_nll, poisson_nll
from losscore.lab.counting import Forecast, Loss, chance_of_at_least
from losscore.lab.figures import BLUE, GREEN, GREY, ORANGE, label_line
from losscore.lab.slider import SliderFigure


def slide_dispersion(mean: float, seen: int, sizes: Sequence[float]) -> SliderFigure:
    """The negative binomial law of one mean, for each θ of ``sizes``, beside the Poisson law."""
    counts = torch.arange(31, dtype=torch.float64)
    means = torch.full_like(counts, mean)
    laws = [
        (-negative_binomial_nll(means, counts, inverse_dispersion=size, reduction="none")).exp()
        for size in sizes
    ]
    tails = [1 - law[:seen].sum().item() for law in laws]
    return SliderFigure(
        counts,
        {"negative binomial": torch.stack(laws)},
        fixed={"Poisson": (-poisson_nll(means.log(), counts, reduction="none")).exp()},
        label="inverse dispersion θ",
        values=list(sizes),
        start=sizes.index(1),
        readout=[
            f"θ = {size:g}: variance {mean + mean**2 / size:.3g}; no molecule in {100 * law[0].item():.0f} % of such "
            f"cells, {seen} or more in {'fewer than 1' if tail < 1e-5 else f'{1e5 * tail:.0f}'} of 100,000."
            for size, law, tail in zip(sizes, laws, tails)
        ],
        xlabel="molecules in a cell",
        ylabel="probability",
        ylim=(0, 0.3),
        label_at={"Poisson": 7.0, "negative binomial": 21.0},
        alt=(
            f"Probability of each count, for a mean of {mean:g}. The Poisson law is a hump around the mean that is near 0 "
            f"from 13 on. The negative binomial law with θ = 1 falls from 17 % at no molecule and has a long tail; with "
            f"θ = 100 it lies on the Poisson law."
        ),
    )


def variances(groups: Mapping[str, Tensor]) -> None:
    """For each group of cells the variance of each gene's counts (cells, genes) against their mean, and the line of Poisson."""
    _, axes = plt.subplots(figsize=(6.0, 4.2))
    for (name, counts), colour, marker, place in zip(
        groups.items(), (BLUE, ORANGE), "o^", ((0.05, 0.9), (0.05, 0.81)), strict=True
    ):
        found = counts.mean(dim=0) > 0.05
        mean, variance = counts.mean(dim=0)[found].cpu(), counts.var(dim=0)[found].cpu()
        axes.plot(mean, variance, marker, color=colour, markersize=4, alpha=0.6, linestyle="none")
        axes.annotate(
            f"{'●' if marker == 'o' else '▲'} {name}", place, xycoords="axes fraction", color=colour
        )
    ends = torch.tensor([0.05, 60.0])
    label_line(axes.plot(ends, ends, color=GREY, linestyle="-")[0], "Poisson", at=20.0, offset=(24, -22))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("mean count of the gene")
    axes.set_ylabel("variance")


def rarities(counts: Tensor, forecasts: Mapping[str, tuple[Loss, Forecast]]) -> None:
    """How often counts come that a forecast calls rarer than so and so, against how often they should at most."""
    _, axes = plt.subplots(figsize=(6.0, 4.2))
    levels = torch.logspace(-5, -1, 17, dtype=torch.float64)
    axes.plot(levels, levels, color=GREY, linestyle=(0, (2, 2)), linewidth=1.2)
    axes.annotate("as stated", (2e-5, 2e-5), xytext=(8, -4), textcoords="offset points")
    for (name, (loss, forecast)), colour, style in zip(
        forecasts.items(), (GREEN, ORANGE, BLUE), ((0, (1.4, 1.4)), (0, (5, 1.6)), "-"), strict=True
    ):
        chance = chance_of_at_least(loss, forecast, counts)
        shares = torch.stack([(chance < level).double().mean() for level in levels]).cpu()
        axes.plot(levels, shares, color=colour, linestyle=style, label=name)
    axes.legend(loc="lower right")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("the model says: at most this often")
    axes.set_ylabel("it happens")
