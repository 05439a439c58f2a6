"""The data and runs of the page on losses made to measure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import torch
from torch import Tensor, nn

import losscore
from losscore.lab.electricity import mean_costs, sample_quantile
from losscore.lab.hardware import generator
from losscore.lab.loaders import digits
from losscore.lab.statistics import t_quantile
from losscore.lab.targets import Trained, networks
from losscore.lab.training import fit

LOAVES = (12.0, 15.0, 9.0, 20.0, 14.0, 18.0, 11.0, 25.0, 16.0, 13.0)
"""Loaves asked for on ten days."""

COUNTS = tuple(round(100 * 0.01 ** (k / 9)) for k in range(10))
"""Training images of the ten digits in the long-tailed experiment, from 100 down to 1."""


_LEVEL = 0.8
_SURE, _COIN = (1.0,) * 10, (0.0,) * 5 + (2.0,) * 5
PAIRS: dict[str, tuple[tuple[float, ...], tuple[float, ...], Callable[[Tensor], float]]] = {
    "mean": (_SURE, _COIN, lambda law: law.mean().item()),
    "0.8 quantile": (
        _SURE,
        (0.0,) * 5 + (1.0,) * 4 + (3.0,),
        lambda law: sample_quantile(law, _LEVEL).item(),
    ),
    "variance": (_COIN, (1.0,) * 5 + (3.0,) * 5, lambda law: law.var(correction=0).item()),
    "expected shortfall": (_SURE, (0.0,) * 9 + (2.0,), lambda law: expected_shortfall(law, _LEVEL)),
}
"""For each statistic two laws, given by ten equally likely values, on which it is 1, and the statistic."""


def mixed(name: str, share: int) -> float:
    """The statistic of the mixture that takes the second law of its pair with the weight share/20."""
    first, second, statistic = PAIRS[name]
    return statistic(torch.tensor(first * (20 - share) + second * share, dtype=torch.float64))


def total_cost(amounts: Tensor, demands: Tensor, *, underage: float, overage: float) -> Tensor:
    """What each of the amounts would have cost over all demands: shapes (m,) and (n,) give (m,)."""
    return len(demands) * mean_costs(amounts, demands, underage=underage, overage=overage)


def best_amounts(demands: Tensor, level: Fraction) -> tuple[float, float]:
    """The ends of the interval of amounts that minimise the total cost at the critical fractile ``level``."""
    low = sample_quantile(demands, level).item()
    rank = len(demands) * level
    if rank.denominator > 1:
        return low, low
    return low, demands.kthvalue(int(rank) + 1).values.item()


def slopes(amount: float, demands: Tensor, *, underage: float, overage: float) -> tuple[float, float]:
    """The left and the right slope of the total cost at ``amount``: the ends of its subdifferential."""
    below, at = (demands < amount).sum().item(), (demands == amount).sum().item()
    above = len(demands) - below - at
    return overage * below - underage * (at + above), overage * (below + at) - underage * above


def lowest(loss: Callable[[Tensor, Tensor], Tensor], sample: Tensor) -> float:
    """Where the mean of a convex loss of one constant over the sample is least, by golden section."""
    low, high = sample.min().item(), sample.max().item()

    def cost(place: float) -> float:
        return loss(torch.full_like(sample, place), sample).item()

    ratio = (math.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = cost(left), cost(right)
    while high - low > 1e-7 * (1 + abs(low)):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = cost(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = cost(right)
    return (low + high) / 2


def expected_shortfall(sample: Tensor, level: float) -> float:
    """The mean of the largest share 1 − level of the sample; an observation on the border counts in part."""
    cut = sample_quantile(sample, level)
    return (cut + (sample - cut).clamp(min=0).mean() / (1 - level)).item()


def quantile_and_shortfall_loss(quantile: Tensor, shortfall: Tensor, target: Tensor, level: float) -> Tensor:
    """The mean of u/e + ln e, with u the target plus its pinball loss over 1 − level: it asks for the pair (q, e)."""
    pinball = losscore.pinball(quantile, target, quantile=level, reduction="none")
    return ((target + pinball / (1 - level)) / shortfall + shortfall.log()).mean()


class TwoLines(nn.Module):
    """For each seed two straight lines over x, one for the quantile and one for the shortfall."""

    def __init__(self, seeds: int) -> None:
        super().__init__()
        self.intercept = nn.Parameter(torch.tensor([3.0, 4.0], dtype=torch.float64).repeat(seeds, 1))
        self.slope = nn.Parameter(torch.zeros(seeds, 2, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """From (seeds, n) to (2, seeds, n)."""
        return torch.stack([a[:, None] + b[:, None] * x for a, b in zip(self.intercept.T, self.slope.T)])


def widening(seeds: int, n: int = 2000) -> tuple[Tensor, Tensor]:
    """x in [0, 1] and y = 1 + x + (½ + x) E with E exponential of mean 1, each (seeds, n).

    The τ-quantile given x is 1 + x − (½ + x) ln(1 − τ), and the expected shortfall lies ½ + x above it.
    """
    draws = [torch.rand(2, n, generator=generator(seed), dtype=torch.float64) for seed in range(seeds)]
    x, uniform = torch.stack(draws, 1)
    return x, 1 + x - (0.5 + x) * torch.log1p(-uniform)


def fit_tail(x: Tensor, y: Tensor, level: float) -> Tensor:
    """The quantile and the shortfall at x = ½ of the lines that the joint loss fits, shape (2, seeds)."""
    lines = TwoLines(len(x))
    for rate, steps in ((0.05, 400), (0.005, 300)):
        fit(
            lines,
            lambda said, target: quantile_and_shortfall_loss(said[0], said[1], target, level),
            x,
            y,
            optimiser=partial(torch.optim.Adam, lr=rate),
            steps=steps,
        )
    with torch.no_grad():
        middle: Tensor = lines(torch.full((len(x), 1), 0.5, dtype=torch.float64))[..., 0]
    return middle


@dataclass(frozen=True)
class Alarms:
    """Cases to learn from (seeds, n) with labels, and new ones (seeds, m) with the true probability of a 1."""

    seen: Tensor
    label: Tensor
    new: Tensor
    chance: Tensor

    def probability(self, weight: float = 1.0) -> Tensor:
        """What logistic regression with ``weight`` on the label 1 says of the new cases, shape (seeds, m)."""
        slopes = torch.zeros(len(self.seen), self.seen.shape[2], dtype=torch.float64, requires_grad=True)
        rule = torch.optim.LBFGS([slopes], max_iter=200, tolerance_grad=1e-9, line_search_fn="strong_wolfe")
        factor = 1 + (weight - 1) * self.label

        def closure() -> Tensor:
            rule.zero_grad()
            logit = (self.seen @ slopes[:, :, None])[..., 0]
            loss = (factor * losscore.binary_cross_entropy(logit, self.label, reduction="none")).mean(1).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        rule.step(closure)  # type: ignore[no-untyped-call]
        return (self.new @ slopes.detach()[:, :, None])[..., 0].sigmoid()

    def cost(self, act: Tensor, *, miss: float) -> Tensor:
        """The expected cost of a case under the decisions ``act``, for each seed; a false alarm costs 1."""
        act = act.double()
        return (miss * self.chance * (1 - act) + (1 - self.chance) * act).mean(1)


def alarms(seeds: int, n: int = 500, m: int = 4000) -> Alarms:
    """Two features of unit variance and a label whose log-odds are linear in them; one case in five or so is a 1."""
    parts = []
    for seed in range(seeds):
        draw = generator(seed)
        features = torch.randn(n + m, 2, generator=draw, dtype=torch.float64)
        inputs = torch.cat([torch.ones(n + m, 1, dtype=torch.float64), features], 1)
        chance = (inputs @ torch.tensor([-2.0, 1.5, 1.0], dtype=torch.float64)).sigmoid()
        label = (torch.rand(n + m, generator=draw, dtype=torch.float64) < chance).double()
        parts.append((inputs[:n], label[:n], inputs[n:], chance[n:]))
    return Alarms(*map(torch.stack, zip(*parts)))


@dataclass(frozen=True)
class LongTail:
    """Digits of which some are rare in training and none in the test; ``counts`` (seeds, 10) are those in training."""

    images: Tensor
    labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    counts: Tensor

    @property
    def log_frequency(self) -> Tensor:
        """ln π, shape (seeds, 1, 10)."""
        return (self.counts / self.counts.sum(1, keepdim=True)).log()[:, None]

    def train(self, *, adjust: bool = False, weigh: bool = False) -> Trained:
        """A network a seed, by cross-entropy: plain, on logits plus ln π, or with each class weighed by 1/π."""
        shift = self.log_frequency if adjust else torch.zeros_like(self.log_frequency)
        factor = 1 / self.counts.gather(1, self.labels) if weigh else torch.ones_like(self.labels)

        def loss(logits: Tensor, labels: Tensor) -> Tensor:
            each = losscore.cross_entropy(
                (logits + shift).flatten(0, 1), labels.flatten(), reduction="none"
            ).view_as(labels)
            return ((factor * each).sum(1) / factor.sum(1)).mean()

        model = networks(range(len(self.labels)), hidden=64)
        fit(model, loss, self.images, self.labels, optimiser=partial(torch.optim.Adam, lr=0.01), steps=200)
        with torch.no_grad():
            return Trained(model(self.images), model(self.test_images), self.test_labels)

    def corrected(self, run: Trained) -> Trained:
        """The same networks with ln π subtracted from their logits."""
        return Trained(run.says - self.log_frequency, run.logits - self.log_frequency, run.labels)

    def recall(self, run: Trained) -> Tensor:
        """The share found of the most frequent digit of training, of the next, and so on: (seeds, 10)."""
        right = (run.logits.argmax(2) == run.labels).double()
        of_class = nn.functional.one_hot(run.labels, 10).double()
        share = (right[:, :, None] * of_class).sum(1) / of_class.sum(1)
        return share.gather(1, self.counts.argsort(dim=1, descending=True, stable=True))


def long_tail(seeds: int = 16) -> LongTail:
    """For each seed the digits take :data:`COUNTS` in another order; 60 unseen images of each are the test."""
    pixels, labels = digits()
    images = pixels.double()
    parts = []
    for seed in range(seeds):
        draw = generator(seed)
        order = torch.randperm(len(labels), generator=draw)
        counts = torch.tensor(COUNTS)[torch.randperm(10, generator=draw)]
        own = [order[labels[order] == k] for k in range(10)]
        seen = torch.cat([of_class[:count] for of_class, count in zip(own, counts.tolist())])
        test = torch.cat([of_class[COUNTS[0] : COUNTS[0] + 60] for of_class in own])
        parts.append((images[seen], labels[seen], images[test], labels[test], counts.double()))
    return LongTail(*map(torch.stack, zip(*parts)))


def cut_into_batches(seed: int, sizes: tuple[int, ...] = (4, 16, 64, 256)) -> dict[str, list[float]]:
    """The mean over all batches of one size, for four losses at the same predictions for 256 examples."""
    draw = generator(seed)
    n, dimensions = max(sizes), 8
    normal = partial(torch.randn, generator=draw, dtype=torch.float64)
    mask = (torch.arange(n) % 8 == 0).double()[torch.randperm(n, generator=draw)]
    logit = 3 * mask - 2 + normal(n)
    hazard = normal(n)
    time = torch.empty(n, dtype=torch.float64).exponential_(generator=draw) * torch.exp(-hazard)
    query = normal(n, dimensions)
    key = query + 0.6 * normal(n, dimensions)

    def mean_over_batches(loss: Callable[[Tensor], Tensor], size: int) -> float:
        return torch.stack([loss(batch) for batch in torch.arange(n).view(-1, size)]).mean().item()

    losses: dict[str, Callable[[Tensor], Tensor]] = {
        "cross-entropy": lambda i: losscore.binary_cross_entropy(logit[i], mask[i]),
        "pooled Dice": lambda i: losscore.dice(logit[i][None], mask[i][None]),
        "Cox": lambda i: losscore.cox(hazard[i], time[i], torch.ones(len(i))),
        "InfoNCE": lambda i: losscore.info_nce(query[i], key[i], temperature=0.2),
    }
    return {name: [mean_over_batches(loss, size) for size in sizes] for name, loss in losses.items()}


def coverage(seeds: int, experiments: int = 20_000) -> tuple[float, float]:
    """How often mean ± factor · standard error covers the truth, with the factor 1.96 and with Student's."""
    results = torch.randn(experiments, seeds, generator=generator(0), dtype=torch.float64)
    distance = results.mean(1).abs() / (results.std(1) / math.sqrt(seeds))
    normal, student = (
        (distance <= factor).double().mean().item() for factor in (1.96, t_quantile(0.975, seeds - 1))
    )
    return normal, student
