"""The runs and drawings of the exercise on decay: weights under noise, and descent on its way to the widest margin."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from losscore.lab.hardware import device, generator
from losscore.lab.regularisation import MarginPath, degrees_between, six_points
from losscore.lab.training import progress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Descending = Callable[[Tensor, Tensor, Tensor, int, float, bool], Tensor]
"""``descend(w, X, y, steps, lr, rescaled)``: the weights after these steps."""

SCALES = (10.0, 0.1)
"""How loud the gradients of the two weights are."""


def noise(runs: int, *, steps: int = 1000, seed: int = 0) -> Tensor:
    """Gradients without a message: independent normal numbers of the two `SCALES`, shape (steps, runs, 2)."""
    draw = generator(seed)
    gradients = torch.randn(steps, runs, len(SCALES), generator=draw, dtype=torch.float64)
    return (gradients * torch.tensor(SCALES, dtype=torch.float64)).to(device())


def draw_weights(final: Mapping[str, Tensor]) -> Figure:
    """Histograms of the loud and of the quiet weights, a panel for each name; values have shape (runs, 2)."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import BLUE, INK, ORANGE

    figure, panels = plt.subplots(len(final), 1, figsize=(6.0, 5.4), sharex=True)
    for axes, (name, weights) in zip(panels, final.items(), strict=True):
        for values, colour, words in zip(weights.T.cpu(), (ORANGE, BLUE), ("loud", "quiet"), strict=True):
            heights, edges = torch.histogram(values, 25)
            axes.stairs(heights / heights.max(), edges, fill=True, color=colour, alpha=0.55, label=words)
        axes.axvline(math.exp(-0.5), color=INK, linewidth=1, linestyle=":")
        axes.set(title=name, yticks=[], ylim=(0, 1.15))
        axes.spines.left.set_visible(False)
    panels[0].legend(loc="upper right")
    panels[-1].set(xlabel="what is left of a weight of 1", xlim=(-0.2, 1.4))
    return figure


def walk(descend: Descending, lr: float, *, decades: int, rescaled: bool) -> MarginPath:
    """Descent from 0 on the six points, recorded after 1, 2, 5, 10, … steps; the time is the number of steps."""
    points, label = six_points()
    weights, taken = torch.zeros(2, dtype=torch.float64), 0
    records = [digit * 10**k for k in range(decades) for digit in (1, 2, 5)] + [10**decades]
    kept = []
    for steps in records:
        weights = descend(weights, points, label, steps - taken, lr, rescaled)
        taken = steps
        kept.append(weights)
    return MarginPath(torch.tensor(records, dtype=torch.float64).log(), torch.stack(kept))


def draw_clocks(plain: MarginPath, rescaled: MarginPath) -> Figure:
    """Angle to the hard-margin direction, and length of the weights, over the number of steps."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import label_line

    figure, (above, below) = plt.subplots(2, 1, figsize=(6.0, 5.8), sharex=True)
    for path, words, high, low in (
        (plain, "plain", (5e3, (0, 8)), (5e3, (0, 8))),
        (rescaled, "divided by the loss", (40.0, (48, 10)), (60.0, (-62, 4))),
    ):
        steps = path.log_time.exp()
        for axes, values, (at, offset) in ((above, path.angle, high), (below, path.length, low)):
            label_line(axes.plot(steps, values, marker=".")[0], words, at=at, offset=offset)
    above.set(xscale="log", yscale="log", ylabel="angle (degrees)")
    below.set(yscale="log", xlabel="steps", ylabel="length of the weights")
    return figure


def separable_sets(count: int, *, seed: int = 0, margin: float = 0.3) -> Tensor:
    """Sets of six normal points in the plane, each point times its label: shape (count, 6, 2).

    Labels say on which side of a line through 0 a point lies; sets whose widest margin is below ``margin`` are left out.
    """
    points = torch.randn(8 * count, 6, 2, generator=generator(seed), dtype=torch.float64)
    signed = points * torch.where(points.sum(-1, keepdim=True) > 0, 1.0, -1.0)
    wide = widest(signed).norm(dim=-1) < 1 / margin
    return signed[wide][:count].to(device())


def widest(sets: Tensor) -> Tensor:
    """The shortest w that gives every point of a set a margin of at least 1: one row for each separable set.

    In the plane one point touches the margin, or two do: try them all.
    """
    first, second = torch.triu_indices(sets.shape[1], sets.shape[1], offset=1, device=sets.device)
    ones = torch.ones(len(sets), len(first), 2, dtype=sets.dtype, device=sets.device)
    pairs = torch.linalg.solve(torch.stack([sets[:, first], sets[:, second]], -2), ones)
    tried = torch.cat([sets / sets.square().sum(-1, keepdim=True), pairs], 1)
    feasible = (tried @ sets.mT).amin(-1) > 1 - 1e-9
    best = tried.norm(dim=-1).where(feasible, torch.inf).argmin(1)
    return tried[torch.arange(len(sets), device=sets.device), best]


def angles(sets: Tensor, *, decades: int = 5) -> Tensor:
    """Degrees between the weights of plain descent and `widest` after 1, 10, … steps: shape (decades + 1, count).

    All sets descend side by side from 0, each on its summed logistic loss with its own step 1/β.
    """
    goal = widest(sets)
    step = 4 / torch.linalg.matrix_norm(sets, 2)[:, None] ** 2
    weights = torch.zeros_like(goal)
    records = {10**k for k in range(decades + 1)}
    kept = []
    for taken in progress(10**decades, "descent"):
        pulls = torch.sigmoid(-(sets * weights[:, None]).sum(-1, keepdim=True))
        weights = weights + step * (pulls * sets).sum(1)
        if taken + 1 in records:
            kept.append(degrees_between(weights, goal))
    return torch.stack(kept).cpu()
