"""The runs and drawings of the exercise on who pulls the boundary: one wrong label on a line, and twenty in the plane.

What the learner writes is passed in: ``loss(m, kind)`` and ``weight(m, kind)``, of the margins ``m``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from losscore.lab.hardware import device, generator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OfMargin = Callable[[Tensor, str], Tensor]

KINDS = ("exponential", "logistic")
MEAN = 1.25


@dataclass(frozen=True)
class Samples:
    """Points (repeats, n, features), their labels ±1 as given, and which of these are wrong."""

    points: Tensor
    label: Tensor
    wrong: Tensor

    @property
    def corrected(self) -> Samples:
        """The same points with the right labels; ``wrong`` still says which were wrong."""
        return replace(self, label=self.label.where(~self.wrong, -self.label))


def one_wrong(place: float) -> Samples:
    """The forty right points of the page at ±1 and one at ``place`` with the label −1, on a line without intercept."""
    label = torch.tensor([1.0] * 20 + [-1.0] * 21, dtype=torch.float64)
    points = torch.cat([label[:40], torch.tensor([place], dtype=torch.float64)])
    return _placed(points[None, :, None], label[None], torch.arange(41)[None] == 40)


def clouds(repeats: int, bad: int = 20, among: int | None = 40, *, n: int = 400, seed: int = 0) -> Samples:
    """Two round Gaussian clouds, n/2 points each, with a constant third feature.

    ``bad`` labels are flipped, drawn from those ``among`` the positive points that lie farthest on their side, or
    from all points.
    """
    draw = generator(seed)
    truth = torch.ones(repeats, n, dtype=torch.float64)
    truth[:, n // 2 :] = -1
    points = torch.randn(repeats, n, 2, generator=draw, dtype=torch.float64)
    points[..., 0] += MEAN * truth
    lots = torch.rand(repeats, n, generator=draw, dtype=torch.float64)
    if among is not None:
        clear = (points[..., 0] - 1e9 * (truth < 0)).topk(among).indices
        lots = lots.scatter_add(1, clear, torch.ones_like(clear, dtype=lots.dtype))
    wrong = torch.zeros_like(lots, dtype=torch.bool).scatter(1, lots.topk(bad).indices, True)
    return _placed(
        torch.cat([points, torch.ones_like(points[..., :1])], -1), truth.where(~wrong, -truth), wrong
    )


def _placed(points: Tensor, label: Tensor, wrong: Tensor) -> Samples:
    return Samples(points.to(device()), label.to(device()), wrong.to(device()))


def fit(loss: OfMargin, weight: OfMargin, kind: str, samples: Samples, *, steps: int = 30) -> Tensor:
    """The linear scores (repeats, features) of least mean loss, by Newton steps, each shortened until it helps."""
    signed = samples.label[..., None] * samples.points
    found = torch.zeros_like(signed[:, 0])
    lengths = 0.5 ** torch.arange(12.0, dtype=found.dtype, device=found.device)[:, None, None]
    for _ in range(steps):
        margin = (signed * found[:, None]).sum(-1).requires_grad_()
        pull = weight(margin, kind)
        (curvature,) = torch.autograd.grad(-pull.sum(), margin)
        uphill = -(pull.detach()[..., None] * signed).mean(1)
        bend = torch.einsum("rn,rni,rnj->rij", curvature, signed, signed) / signed.shape[1]
        tried = found - lengths * torch.linalg.solve(bend, uphill)
        risks = loss((signed * tried[:, :, None]).sum(-1), kind).mean(-1)
        best = risks.argmin(0)
        found = tried[best, torch.arange(len(found), device=found.device)]
    return found


def shares(weight: OfMargin, kind: str, samples: Samples, found: Tensor) -> Tensor:
    """Which share of all weight the wrong labels carry under the scores ``found``, for each repeat."""
    margin = samples.label * (samples.points * found[:, None]).sum(-1)
    pull = weight(margin, kind)
    return ((pull * samples.wrong).sum(1) / pull.sum(1)).cpu()


def accuracy(found: Tensor) -> Tensor:
    """The exact share of new points of the two clouds that a line decides rightly, for each repeat."""
    slope, offset = found[:, :2], found[:, 2]
    apart, shift = MEAN * slope[:, 0] / slope.norm(dim=1), offset / slope.norm(dim=1)
    both: Tensor = torch.special.ndtr(apart + shift) + torch.special.ndtr(apart - shift)
    return both.cpu() / 2


def shift(found: Tensor) -> Tensor:
    """Where the line crosses the first axis, which joins the centres; 0 is half-way, for each repeat."""
    return (-found[:, 2] / found[:, 0]).cpu()


def draw_losses(loss: OfMargin, weight: OfMargin) -> Figure:
    """The two losses and the two weights over the margin, on log scales."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import label_line

    margin = torch.linspace(-6, 6, 241, dtype=torch.float64)
    figure, (above, below) = plt.subplots(2, 1, figsize=(6.0, 5.8), sharex=True)
    for axes, function, words in ((above, loss, "loss"), (below, weight, "weight")):
        for kind, offset in zip(KINDS, ((44, 4), (-24, -22)), strict=True):
            label_line(axes.plot(margin, function(margin, kind), label=kind)[0], at=-4.0, offset=offset)
        axes.set(yscale="log", ylabel=words, ylim=(1e-3, 1e3))
    below.set_xlabel("margin m")
    return figure


def draw_lines(samples: Samples, found: Mapping[str, Tensor]) -> Figure:
    """The points of the first repeat, the wrong labels ringed, and the line of each fit."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import GREEN, GREY, INK, PINK

    figure, axes = plt.subplots(figsize=(6.0, 5.0))
    points, label, wrong = (part[0].cpu() for part in (samples.points, samples.label, samples.wrong))
    for side, colour, marker in ((1, GREEN, "o"), (-1, PINK, "s")):
        mine = points[label == side]
        axes.scatter(mine[:, 0], mine[:, 1], s=16, color=colour, marker=marker, alpha=0.55, linewidth=0)
    axes.scatter(points[wrong, 0], points[wrong, 1], s=70, facecolor="none", edgecolor=INK, linewidth=0.9)
    height = torch.linspace(-3.4, 3.4, 2, dtype=torch.float64)
    axes.plot([0, 0], height, color=GREY, linewidth=1.4, linestyle="-")
    for index, (words, fits) in enumerate(found.items()):
        first, second, offset = fits[0].cpu().tolist()
        across = -(offset + second * height) / first
        axes.plot(across, height, color=f"C{index}", label=words)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    axes.set(xlabel="first feature", ylabel="second feature", xlim=(-4.2, 4.6), ylim=(-3.4, 3.4))
    return figure
