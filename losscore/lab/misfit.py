"""Two proper scores on small samples of a truth that the model misses: samples, fits side by side, a drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

import losscore
from losscore.lab import ideal
from losscore.lab.hardware import device, generator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Gradient = Callable[[Tensor, Tensor, Tensor, Tensor, str], Tensor]

SCORES: dict[str, ideal.Loss] = {
    "cross-entropy": losscore.binary_cross_entropy,
    "brier": losscore.binary_brier,
}
STARTS = ((0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (4.0, 0.0), (4.0, 4.0), (4.0, -4.0), (4.0, -10.0), (8.0, 8.0))


def error_rate(weights: Tensor, x: Tensor, eta: Tensor) -> Tensor:
    """How often the sign of ax + b misses the label, for weights (..., 2)."""
    says_one = weights[..., :1] * x + weights[..., 1:] > 0
    return torch.where(says_one, 1 - eta, eta).mean(-1)


def samples(sets: int, n: int = 60) -> tuple[Tensor, Tensor]:
    """Data sets (sets, n) of x in (−3, 3) and labels that follow the staircase."""
    x = torch.stack(
        [6 * torch.rand(n, generator=generator(seed), dtype=torch.float64) - 3 for seed in range(sets)]
    )
    labels = [ideal.happens(eta, seed + 100_000) for seed, eta in enumerate(ideal.steps_at(x))]
    return x.to(device()), torch.stack(labels).to(device())


def fit_samples(
    gradient: Gradient, loss: str, x: Tensor, y: Tensor, starts: int = 1, steps: int = 60
) -> Tensor:
    """Weights (sets, 2) of least risk on each data set, the best from several starts: damped Gauss–Newton steps.

    The steps go against `gradient`, of a, b, x, y and the name of the loss; one that does not lower the risk is taken
    back and damped.
    """
    weights = x.new_tensor(STARTS[:starts])[:, None].expand(-1, len(x), -1)
    design = torch.stack([x, torch.ones_like(x)], -1)
    damping = torch.full(weights.shape[:-1], 0.01, dtype=x.dtype, device=x.device)

    def logit(w: Tensor) -> Tensor:
        return (design * w[..., None, :]).sum(-1)

    def risk(w: Tensor) -> Tensor:
        z = logit(w)
        return SCORES[loss](z, y.expand_as(z), reduction="none").mean(-1)

    least = risk(weights)
    for _ in range(steps):
        p = logit(weights).sigmoid()
        bend = p * (1 - p) if loss == "cross-entropy" else 2 * (p * (1 - p)) ** 2
        curvature = design.mT @ (bend[..., None] * design) / x.shape[-1]
        damped = curvature + torch.diag_embed(
            damping[..., None] * curvature.diagonal(dim1=-2, dim2=-1) + 1e-12
        )
        tried = weights - torch.linalg.solve(damped, gradient(weights[..., 0], weights[..., 1], x, y, loss))
        value = risk(tried)
        lower = value <= least
        weights = torch.where(lower[..., None], tried, weights)
        least = torch.where(lower, value, least)
        damping = torch.where(lower, damping / 5, damping * 4).clamp(1e-8, 1e8)
    return weights.gather(0, least.argmin(0)[None, :, None].expand(1, -1, 2))[0]


@dataclass(frozen=True)
class Verdict:
    """What fits to samples are worth in the population, a number for each data set."""

    slope: Tensor
    log_loss: Tensor
    squared_regret: Tensor
    error: Tensor


def in_the_population(weights: Tensor) -> Verdict:
    """The verdict of the staircase itself on weights (sets, 2)."""
    x, eta = (tensor.to(weights.device) for tensor in ideal.staircase(1200))
    z = weights[..., :1] * x + weights[..., 1:]
    return Verdict(
        weights[..., 0].abs(),
        losscore.binary_cross_entropy(z, eta.expand_as(z), reduction="none").mean(-1),
        (z.sigmoid() - eta).square().mean(-1),
        error_rate(weights, x, eta),
    )


def draw_slopes(verdicts: Mapping[str, Verdict]) -> Figure:
    """For each loss the share of data sets whose fit is steeper than a slope, over that slope."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import label_line

    figure, axes = plt.subplots()
    for (words, verdict), (at, offset) in zip(verdicts.items(), ((0.5, (-40, -60)), (20.0, (0, 10)))):
        slope = verdict.slope.cpu().sort().values.clamp(max=200)
        line = axes.plot(slope, torch.linspace(1, 0, len(slope)), label=words)[0]
        label_line(line, at=at, offset=offset)
    axes.set_xscale("log")
    axes.set_xlim(0.1, 100)
    axes.set_ylim(0, 1)
    axes.set_xlabel("slope |a|")
    axes.set_ylabel("share of fits steeper than that")
    return figure
