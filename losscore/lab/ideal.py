"""The data and runs of the page on the properties of an ideal loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

import losscore
from losscore.lab.hardware import generator
from losscore.lab.loaders import digits
from losscore.lab.training import fit
from losscore.losses._tensors import Reduction

BINS, SAMPLES, TIED = 30, 300_000, 0.02

Loss = Callable[..., Tensor]


def conditional_risk(loss: Loss, scores: Tensor, eta: Tensor) -> Tensor:
    """What `scores` (..., K) cost when class k comes with the probability eta (..., K): a number for each row."""
    classes = scores.shape[-1]
    rows, weights = scores.reshape(-1, classes), eta.expand_as(scores).reshape(-1, classes)
    label = torch.arange(classes, device=scores.device).expand_as(rows).reshape(-1)
    costs = loss(rows.repeat_interleave(classes, 0), label, reduction="none")
    return (weights * costs.reshape(len(rows), classes, -1).sum(2)).sum(1).reshape(scores.shape[:-1])


def on_scores(scores: Tensor, label: Tensor, *, reduction: Reduction = "none") -> Tensor:
    """Squared error of free scores to the one-hot label, summed over the classes."""
    one_hot = nn.functional.one_hot(label, scores.shape[-1]).to(scores.dtype)
    return losscore.squared_error(scores, one_hot, reduction=reduction)


def one_vs_all_logistic(scores: Tensor, label: Tensor, *, reduction: Reduction = "none") -> Tensor:
    """The logistic losses of K binary tasks, one a class."""
    one_hot = nn.functional.one_hot(label, scores.shape[-1]).to(scores.dtype)
    return losscore.binary_cross_entropy(scores, one_hot, reduction=reduction)


def summing_to_zero(loss: Loss) -> Loss:
    """`loss` of scores from which the mean over the classes was subtracted."""

    def centred(scores: Tensor, label: Tensor, *, reduction: Reduction = "none") -> Tensor:
        return loss(scores - scores.mean(-1, keepdim=True), label, reduction=reduction)

    return centred


def least_scores(loss: Loss, eta: Tensor) -> Tensor:
    """Scores (..., K) of least conditional risk under `loss`; eta has shape (..., K)."""
    return lowest(partial(conditional_risk, loss), eta)


def lowest(risk: Loss, eta: Tensor, steps: int = 300) -> Tensor:
    """Scores (..., K) at which `risk`, of scores and eta (..., K), is least: so many steps of descent at each of three rates."""
    scores = nn.Parameter(torch.zeros_like(eta))
    for rate in (0.05, 0.01, 0.001):
        rule = torch.optim.Adam([scores], lr=rate)
        for _ in range(steps):
            rule.zero_grad()
            risk(scores, eta).sum().backward()  # type: ignore[no-untyped-call]
            rule.step()
    return scores.detach()


def three_classes(x: Tensor) -> Tensor:
    """Probabilities (n, 3) of three classes that take turns as x goes from 0 to 1, often without a majority."""
    phase = 2 * math.pi * (x[:, None] - torch.arange(3) / 3)
    return torch.softmax(0.62 * torch.cos(phase), 1)


def bins_and_truth() -> tuple[Tensor, Tensor]:
    """The middles of the bins, and the true probabilities there."""
    x = (torch.arange(BINS, dtype=torch.float64) + 0.5) / BINS
    return x, three_classes(x)


def frequencies(seed: int, samples: int = SAMPLES) -> Tensor:
    """The shares of the three labels in each bin, (BINS, 3), of examples whose x lies in a bin's middle."""
    draw = generator(seed)
    _, eta = bins_and_truth()
    labels = torch.multinomial(eta, samples // BINS, replacement=True, generator=draw)
    return nn.functional.one_hot(labels, 3).double().mean(1)


def elected(scores: Tensor) -> Tensor:
    """Which classes have the largest score, up to `TIED`: a share for each, equal among those that tie."""
    top = scores >= scores.max(-1, keepdim=True).values - TIED
    return top / top.sum(-1, keepdim=True)


def accuracy(scores: Tensor, fresh: Tensor) -> Tensor:
    """How often the largest score (..., BINS, 3) is right on `fresh` frequencies of that shape, ties broken by lot."""
    return (elected(scores) * fresh).sum(-1).mean(-1)


def ties(scores: Tensor) -> Tensor:
    """The share of bins in which the largest score ties."""
    return (elected(scores).max(-1).values < 1).double().mean(-1)


def with_far_group(seed: int, n: int = 400) -> tuple[Tensor, Tensor]:
    """Two groups in the plane, and one example in ten of class 1 far out on the side of class 0: features, labels."""
    draw = generator(seed)
    label = (torch.rand(n, generator=draw) < 0.5).double()
    points = 0.5 * torch.randn(n, 2, generator=draw, dtype=torch.float64)
    points[:, 0] += 2 * label - 1
    far = torch.rand(n, generator=draw) < 0.1
    points[far, 0] -= 10 + 2 * label[far] - 1
    label[far] = 1.0
    return points, label


def linear_fit(loss: Loss, features: Tensor, target: Tensor, start: float = 0.0) -> Tensor:
    """Weights, the intercept last, that minimise the mean of `loss` on the logits of a linear model."""
    design = torch.cat([features, torch.ones(len(features), 1, dtype=features.dtype)], 1)
    weights = torch.full((design.shape[1],), start, dtype=features.dtype, requires_grad=True)
    rule = torch.optim.LBFGS(
        [weights], max_iter=200, tolerance_grad=1e-9, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        rule.zero_grad()
        value = loss(design @ weights, target)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    rule.step(closure)  # type: ignore[no-untyped-call]
    return weights.detach()


def linear_scores(weights: Tensor, features: Tensor) -> Tensor:
    """The logits of a linear model whose intercept stands last."""
    return features @ weights[:-1] + weights[-1]


def error_rate(score: Tensor, label: Tensor) -> float:
    """How often the sign of the score misses the label in {0, 1}."""
    return wrong_share(score > 0, label == 1)


def wrong_share(decided: Tensor, label: Tensor) -> float:
    return (decided != label).double().mean().item()


def restricted_errors(seed: int, n: int = 400) -> tuple[float, float]:
    """Errors on fresh data: of the logistic line of n examples `with_far_group`, and of the upright line at 0."""
    weights = linear_fit(losscore.binary_cross_entropy, *with_far_group(seed, n))
    points, label = with_far_group(seed + 10_000, n=4000)
    return error_rate(linear_scores(weights, points), label), error_rate(points[:, 0], label)


def digits_accuracy(seed: int, loss: Loss) -> float:
    """Accuracy of a linear classifier of the handwritten digits on a random half, trained with `loss` on the other."""
    images, labels = digits()
    order = torch.randperm(len(labels), generator=generator(seed))
    x, y = images.double()[order], labels[order]
    half = len(y) // 2
    model = nn.Linear(64, 10, dtype=torch.float64)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    fit(model, loss, x[:half], y[:half], optimiser=partial(torch.optim.Adam, lr=0.02), steps=200)
    with torch.no_grad():
        return 1 - wrong_share(model(x[half:]).argmax(1), y[half:])


def best_forecast(loss: Loss, eta: Tensor, **parameters: float) -> Tensor:
    """For each probability of the class 1 in eta (n,), the forecast on a fine grid that `loss` of logits pays best."""
    forecast = torch.linspace(0.0005, 0.9995, 19_981, dtype=torch.float64)
    logits = torch.stack([torch.zeros_like(forecast), forecast.logit()], 1)
    no, yes = (
        loss(logits, torch.full((len(forecast),), label), reduction="none", **parameters) for label in (0, 1)
    )
    return forecast[((1 - eta[:, None]) * no + eta[:, None] * yes).argmin(1)]


def happens(eta: Tensor, seed: int) -> Tensor:
    """Outcomes 0 or 1, each 1 with its probability in eta."""
    return (torch.rand(eta.shape, generator=generator(seed), dtype=eta.dtype) < eta).double()


STEPS_OF_TRUTH = (0.05, 0.6, 0.3)


def steps_at(x: Tensor) -> Tensor:
    """A true probability in three steps over x in (−3, 3): no sigmoid of a line can follow it."""
    low, first, second = STEPS_OF_TRUTH
    return low + first * (x > -1) + second * (x > 2.5)


def staircase(points: int = 60_000) -> tuple[Tensor, Tensor]:
    """The middles of so many cells of (−3, 3), a multiple of 12, and the probability in three steps there."""
    x = -3 + 6 * (torch.arange(points, dtype=torch.float64) + 0.5) / points
    return x, steps_at(x)


def expected_binary(loss: Loss) -> Loss:
    """`loss` of a logit and a label, averaged over labels that are 1 with the given probability."""

    def mean(logit: Tensor, eta: Tensor) -> Tensor:
        no, yes = (loss(logit, torch.full_like(logit, label), reduction="none") for label in (0, 1))
        return ((1 - eta) * no + eta * yes).mean()

    return mean


@dataclass(frozen=True)
class Projection:
    """A sigmoid of a line fitted to a true probability: its weights, its forecasts, where it crosses ½, its regrets."""

    slope: float
    intercept: float
    forecast: Tensor
    boundary: float
    log_regret: float
    squared_regret: float


def project(loss: Loss) -> Projection:
    """The sigmoid of a line that is nearest to `staircase` in the population, in the sense of `loss`."""
    x, eta = staircase()
    risk = expected_binary(loss)
    starts = (linear_fit(risk, x[:, None], eta, start) for start in (0.0, 1.0, -1.0))
    return projection(min(starts, key=lambda w: risk(linear_scores(w, x[:, None]), eta).item()))


def projection(weights: Tensor) -> Projection:
    """The sigmoid of the line with these weights, slope and intercept, beside `staircase`."""
    x, eta = staircase()
    slope, intercept = weights.tolist()
    p = torch.sigmoid(slope * x + intercept)
    divergence = eta * (eta / p).log() + (1 - eta) * ((1 - eta) / (1 - p)).log()
    return Projection(
        slope,
        intercept,
        p,
        -intercept / slope,
        divergence.mean().item(),
        (p - eta).square().mean().item(),
    )


@dataclass(frozen=True)
class Forecasts:
    """Logits of forecasts on fresh data, and what happened."""

    logit: Tensor
    label: Tensor

    @property
    def probability(self) -> Tensor:
        return self.logit.sigmoid()

    @property
    def accuracy(self) -> float:
        return 1 - error_rate(self.logit, self.label)

    @property
    def confidence(self) -> float:
        """The mean probability of the class decided for."""
        return self.logit.abs().sigmoid().mean().item()

    @property
    def excess(self) -> float:
        """By how much confidence exceeds accuracy."""
        return self.confidence - self.accuracy


def well_specified(seed: int, features: int, n: int = 500) -> tuple[Forecasts, Forecasts]:
    """Maximum likelihood where the model is right: y is a coin of probability σ(βᵀx). Its forecasts on two fresh halves."""
    draw = generator(seed)
    direction = torch.randn(features, generator=draw, dtype=torch.float64)
    beta = 1.5 * direction / direction.norm()

    def sample(size: int) -> tuple[Tensor, Tensor]:
        x = torch.randn(size, features, generator=draw, dtype=torch.float64)
        return x, (torch.rand(size, generator=draw) < (x @ beta).sigmoid()).double()

    weights = linear_fit(losscore.binary_cross_entropy, *sample(n))
    halves = (sample(2000) for _ in range(2))
    first, second = (Forecasts(linear_scores(weights, x), y) for x, y in halves)
    return first, second


@dataclass(frozen=True)
class Overfitting:
    """What a network with room to spare does, step by step: training loss, size of its logits, excess confidence."""

    steps: Tensor
    training_loss: Tensor
    logit_size: Tensor
    excess: Tensor


def overfit(seeds: Sequence[int], steps: int = 1500, every: int = 100, width: int = 128) -> Overfitting:
    """One network a seed, trained side by side by full-batch Adam on 100 points of two overlapping groups."""
    from losscore.lab.role import two_groups

    train, test = (
        [two_groups(seed + offset, n) for seed in seeds] for offset, n in ((0, 100), (10_000, 2000))
    )
    x, y = (torch.stack(parts) for parts in zip(*train))
    x_new, y_new = (torch.stack(parts) for parts in zip(*test))
    draws = [generator(seed) for seed in seeds]

    def normal(*shape: int, fan_in: int) -> nn.Parameter:
        rows = [torch.randn(*shape, generator=draw, dtype=torch.float64) for draw in draws]
        return nn.Parameter(torch.stack(rows) * math.sqrt(2 / fan_in))

    first, second, last = (
        normal(2, width, fan_in=2),
        normal(width, width, fan_in=width),
        normal(width, 1, fan_in=width),
    )
    shift = nn.Parameter(torch.zeros(len(draws), 1, width, dtype=torch.float64))

    def logits(points: Tensor) -> Tensor:
        hidden = torch.relu(torch.baddbmm(shift, points, first))
        return torch.bmm(torch.relu(torch.bmm(hidden, second)), last)[..., 0]

    rule = torch.optim.Adam([first, second, last, shift], lr=0.003)
    rows = []
    for step in range(steps + 1):
        loss = losscore.binary_cross_entropy(logits(x), y, reduction="none").mean(1)
        if step % every == 0:
            with torch.no_grad():
                z = logits(x_new)
                right = ((z > 0) == (y_new == 1)).double().mean(1)
                rows.append(torch.stack([loss.detach(), z.abs().mean(1), z.abs().sigmoid().mean(1) - right]))
        rule.zero_grad()
        loss.sum().backward()  # type: ignore[no-untyped-call]
        rule.step()
    training_loss, size, excess = torch.stack(rows).unbind(1)
    return Overfitting(torch.arange(0, steps + 1, every), training_loss, size, excess)
