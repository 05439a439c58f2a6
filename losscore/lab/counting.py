"""The experiment on counts: regressions for many genes and splits at once, and how rare they call what happens.

The first axis of most tensors is the split, the second the cell, the third the gene.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from losscore.lab.loaders import Cells
from losscore.lab.splits import Splits
from losscore.lab.training import fit

SCALE = 1e4
"""The usual unit of normalised counts: molecules in ten thousand."""


def molecules(cells: Cells) -> Tensor:
    """The counts behind the stored logarithms, as exactly as three decimals give them back: not yet rounded."""
    return cells.expression.expm1() * cells.totals[:, None] / SCALE


class Task(NamedTuple):
    """For each cell what is known, shape (cells, d), the counts to predict (cells, genes), and its depth (cells,)."""

    inputs: Tensor
    counts: Tensor
    depth: Tensor


def held_back(counts: Tensor, totals: Tensor, *, every: int) -> Task:
    """Hold back every so-manieth gene in the order of abundance, to be predicted from the others.

    The depth of a cell is the number of all its molecules but those held back; the inputs are ln(1 + count · 10⁴ /
    depth) of the genes that stay.
    """
    order = counts.mean(dim=0).argsort(descending=True, stable=True)
    held = torch.zeros(len(order), dtype=torch.bool, device=counts.device)
    held[order[every // 2 :: every]] = True
    depth = totals - counts[:, held].sum(dim=1)
    return Task((counts[:, ~held] / depth[:, None] * SCALE).log1p(), counts[:, held], depth)


class Part(NamedTuple):
    """One part of all splits: inputs (splits, n, k + 1), the last the log of the depth, and counts (splits, n, genes)."""

    inputs: Tensor
    counts: Tensor

    @property
    def depth(self) -> Tensor:
        """Shape (splits, n, 1)."""
        return self.inputs[..., -1:].exp()


class Study(NamedTuple):
    """The training and the test part of all splits."""

    train: Part
    test: Part


def study(task: Task, splits: Splits, *, factors: int) -> Study:
    """Cut the task into the parts of the splits, and its inputs down to a few principal components.

    The components come from the training part of each split and have mean 0 and variance 1 there.
    """
    trained = task.inputs[splits.train.to(task.inputs.device)]
    centre = trained.mean(dim=1, keepdim=True)
    directions = torch.linalg.svd(trained - centre, full_matrices=False).Vh[:, :factors].mT
    spread = ((trained - centre) @ directions).norm(dim=1, keepdim=True) / (trained.shape[1] - 1) ** 0.5

    def part(indices: Tensor) -> Part:
        chosen = indices.to(task.inputs.device)
        components = (task.inputs[chosen] - centre) @ directions / spread
        return Part(torch.cat([components, task.depth[chosen, None].log()], dim=2), task.counts[chosen])

    return Study(part(splits.train), part(splits.test))


class Forecast(NamedTuple):
    """What a regression says of each count: the log of its mean and of θ, and the log-odds of an extra zero."""

    log_mean: Tensor
    log_size: Tensor
    zero_logits: Tensor


Loss = Callable[[Forecast, Tensor], Tensor]
"""``loss(forecast, counts)``: one number for each count."""


class _Regressions(nn.Module):
    """For each split and gene a log-linear regression that begins at the gene's share of the depth."""

    def __init__(self, seen: Part) -> None:
        super().__init__()
        splits, _, columns = seen.inputs.shape
        share = seen.counts.sum(dim=1, keepdim=True) / seen.depth.sum(dim=1, keepdim=True)
        self.weight = nn.Parameter(share.new_zeros(splits, columns - 1, share.shape[2]))
        self.bias = nn.Parameter(share.clamp(min=1e-7).log())
        self.log_size = nn.Parameter(torch.zeros_like(share))
        self.zero_logits = nn.Parameter(torch.full_like(share, -3.0))

    def forward(self, inputs: Tensor) -> Tensor:
        """The three parts of the forecast, along a new first axis."""
        log_mean = torch.baddbmm(self.bias, inputs[..., :-1], self.weight) + inputs[..., -1:]
        return torch.stack(
            [log_mean, self.log_size.expand_as(log_mean), self.zero_logits.expand_as(log_mean)]
        )


def train(study: Study, loss: Loss, *, rate: float = 0.1, steps: int = 40) -> Forecast:
    """Fit the regressions by Adam on the training cells, and return their forecast for the test cells.

    θ and the odds of an extra zero are one number a gene; a loss that doesn't use them leaves them where they begin.
    """
    model = _Regressions(study.train)
    fit(
        model,
        lambda output, counts: loss(Forecast(*output), counts).sum(),
        study.train.inputs,
        study.train.counts,
        optimiser=partial(torch.optim.Adam, lr=rate),
        steps=steps,
    )
    with torch.no_grad():
        return Forecast(*model(study.test.inputs))


def logarithms(study: Study) -> Tensor:
    """Forecasts of ln(1 + count · 10⁴ / depth) for the test cells, by linear regressions of least squared error."""
    seen, new = (
        torch.cat([part.inputs[..., :-1], torch.ones_like(part.depth)], dim=2)
        for part in (study.train, study.test)
    )
    logs: Tensor = new @ torch.linalg.lstsq(seen, normalised(study.train)).solution
    return logs


def normalised(part: Part) -> Tensor:
    """ln(1 + count · 10⁴ / depth)."""
    return (part.counts / part.depth * SCALE).log1p()


def back(logs: Tensor, part: Part) -> Tensor:
    """The counts that :func:`normalised` would turn into these logarithms."""
    return logs.expm1() * part.depth / SCALE


def chance_of_at_least(loss: Loss, forecast: Forecast, counts: Tensor) -> Tensor:
    """How probable the forecast calls a count of this size or more, where ``loss`` is a negative log-likelihood."""
    chance = torch.ones_like(forecast.log_mean)
    for below in range(int(counts.max())):
        larger = counts > below
        some = Forecast(*(values[larger] for values in forecast))
        chance[larger] -= (-loss(some, torch.full_like(some.log_mean, below))).exp()
    return chance.clamp(min=0)


def chance_of_none(loss: Loss, forecast: Forecast) -> Tensor:
    """How probable the forecast calls a count of 0."""
    return (-loss(forecast, torch.zeros_like(forecast.log_mean))).exp()
