"""The runs and drawings of the exercise on loaves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from losscore.lab.electricity import gamma_bill, gamma_demand
from losscore.lab.hardware import device, generator
from losscore.lab.training import progress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Bill = Callable[[Tensor, Tensor, float, float], Tensor]
Slopes = Callable[[float, Tensor, float, float], tuple[float, float]]
Best = Callable[[Tensor, int, int], tuple[float, float]]

_SHAPE, _SCALE = 4, 5.0


def walks(slopes: Slopes, demands: Tensor, *, seeds: int, steps: int, start: float) -> Tensor:
    """Descent by the slopes of one random day a step, cu = 4 and co = 1, step 2/k^¾: shape (steps + 1, seeds).

    At a demand any number between the two slopes will do; it is their middle here.
    """
    paths = torch.full((steps + 1, seeds), start, dtype=torch.float64)
    for seed in progress(seeds, "descent"):
        chosen = torch.randint(len(demands), (steps,), generator=generator(seed))
        here = start
        for k, day in enumerate(demands[chosen, None], start=1):
            here -= 2 * k**-0.75 * sum(slopes(here, day, 4.0, 1.0)) / 2
            paths[k, seed] = here
    return paths


def gamma_quantile(level: float) -> float:
    """What a Gamma demand of shape 4 and scale 5 stays below with this probability, by bisection."""
    low, high = 0.0, 1000.0
    shape = torch.tensor(float(_SHAPE), dtype=torch.float64)
    for _ in range(60):
        middle = (low + high) / 2
        enough = torch.special.gammainc(shape, torch.tensor(middle / _SCALE, dtype=torch.float64))
        low, high = (middle, high) if enough < level else (low, middle)
    return (low + high) / 2


def extra(stock: Tensor) -> Tensor:
    """By which share the expected bill of these stocks exceeds the lowest one; Gamma demand, cu = 4 and co = 1."""
    best = torch.tensor(gamma_quantile(0.8), dtype=stock.dtype, device=stock.device)
    bills = (gamma_bill(amount, underage=4.0, overage=1.0) for amount in (stock, best))
    return next(bills) / next(bills) - 1


def regrets(best: Best, n: int, *, samples: int) -> Tensor:
    """`extra` of the lower end of the best amounts for samples of n days."""
    demands = gamma_demand(samples, n, generator=generator(n))
    stock = [best(sample, 4, 1)[0] for sample in demands]
    return extra(torch.tensor(stock, dtype=torch.float64, device=device())).cpu()


def expected_regret(n: int, rank: int) -> float:
    """The mean of `extra` at the demand of this rank among n, by an integral over the density of that demand."""
    stock = torch.linspace(1e-3, 150, 300_001, dtype=torch.float64)
    shape = torch.tensor(float(_SHAPE), dtype=torch.float64)
    below = torch.special.gammainc(shape, stock / _SCALE)
    above = torch.special.gammaincc(shape, stock / _SCALE)
    density = (stock / _SCALE) ** (_SHAPE - 1) * torch.exp(-stock / _SCALE) / math.gamma(_SHAPE) / _SCALE
    ways = math.lgamma(n + 1) - math.lgamma(rank) - math.lgamma(n - rank + 1)
    weight = torch.exp(ways + (rank - 1) * below.log() + (n - rank) * above.log()) * density
    return torch.trapezoid(extra(stock) * weight, stock).item()


def draw_valley(bill: Bill, slopes: Slopes, best: Best, demands: Tensor) -> Figure:
    """The bill over the amount with its slopes and its flat bottom, and bars of the bill at three amounts."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import GREY, ORANGE

    figure, (above, below) = plt.subplots(2, 1, figsize=(6.0, 6.0), height_ratios=(5, 3))
    amounts = torch.linspace(8, 27, 191, dtype=torch.float64)
    above.plot(amounts, bill(amounts, demands, 4.0, 1.0))
    low, high = best(demands, 4, 1)
    ends = torch.tensor([low, high], dtype=torch.float64)
    cost = bill(ends, demands, 4.0, 1.0)
    above.plot(ends, cost, color=ORANGE, linewidth=5, linestyle="-")
    words = f"{cost[0]:g} from {low:g} to {high:g}"
    above.annotate(
        words, ((low + high) / 2, cost[0].item()), xytext=(0, -20), textcoords="offset points", ha="center"
    )
    for left, right, offset in (
        (9, 11, (8, 4)),
        (12, 13, (8, 4)),
        (16, 18, (8, 4)),
        (20, 25, (4, -16)),
        (25, 27, (-30, 6)),
    ):
        place = torch.tensor([(left + right) / 2], dtype=torch.float64)
        slope = slopes(place.item(), demands, 4.0, 1.0)[0]
        at = place.item(), bill(place, demands, 4.0, 1.0).item()
        above.annotate(f"{slope:+g}".replace("-", "−"), at, xytext=offset, textcoords="offset points")
    above.set(xlabel="loaves baked each day", ylabel="bill of the ten days", ylim=(40, None))
    rows = {"mean": demands.mean(), "median": demands.quantile(0.5), "0.8 quantile": ends[0]}
    bills = bill(torch.stack(list(rows.values())), demands, 4.0, 1.0)
    bars = below.barh(list(rows), bills.tolist(), color=[GREY, GREY, ORANGE], height=0.6)
    below.bar_label(bars, [f"{value:g}" for value in bills.tolist()], padding=4)
    below.set(xlabel="bill of the ten days", xlim=(0, 115))
    below.invert_yaxis()
    return figure


def draw_walks(paths: Tensor, low: float, high: float) -> Figure:
    """The paths of descent, over a band for the best amounts."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import BLUE, GREY

    figure, axes = plt.subplots(figsize=(6.0, 3.6))
    axes.axhspan(low, high, color=GREY, alpha=0.2, linewidth=0)
    axes.annotate(
        "all of these cost least", (2000, high), xytext=(0, 22), textcoords="offset points", ha="right"
    )
    axes.plot(range(1, len(paths) + 1), paths, color=BLUE, alpha=0.5, linewidth=1, linestyle="-")
    axes.set(xscale="log", xlabel="step of descent", ylabel="loaves")
    return figure


def draw_regrets(shares: Mapping[int, Tensor]) -> Figure:
    """How the extra cost of a sample's best amount is spread, for samples of several sizes."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import BLUE, INK

    figure, axes = plt.subplots(figsize=(6.0, 3.4))
    for row, values in enumerate(shares.values()):
        spread = 0.3 * (torch.rand(len(values), generator=generator(0), dtype=torch.float64) - 0.5)
        shown = values.clamp(min=1e-6)[:400]
        axes.plot(100 * shown, row + spread[:400], ".", color=BLUE, alpha=0.3, markersize=4)
        axes.plot([100 * values.mean()], [row], "|", color=INK, markersize=26, markeredgewidth=2.5)
    axes.set(xscale="log", xlabel="extra cost (%)", xlim=(1e-4, 200))
    axes.set_yticks(range(len(shares)), [f"{n} days" for n in shares])
    axes.invert_yaxis()
    return figure
