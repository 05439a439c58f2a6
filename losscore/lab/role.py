"""The data, runs and drawings of the page on the role of the loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

import losscore
from losscore.lab.hardware import generator
from losscore.lab.training import Descent, descend, fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from losscore.lab.slider import SliderFigure


def two_groups(seed: int, n: int = 40) -> tuple[Tensor, Tensor]:
    """Two overlapping groups of points in the plane: features (n, 2) in float64, labels (n,) in {0, 1}."""
    draw = generator(seed)
    label = (torch.arange(n) % 2).double()
    points = torch.randn(n, 2, generator=draw, dtype=torch.float64)
    points[:, 0] += 2 * label - 1
    return points, label


def errors(score: Tensor, label: Tensor) -> int:
    """How many labels in {0, 1} the sign of the score gets wrong; a score of 0 predicts 1."""
    return int(((score >= 0) != (label == 1)).sum())


@dataclass(frozen=True)
class Rise:
    """What one run of descent did: steps taken, on how many the loss rose, on how many the errors rose."""

    steps: int
    loss_rose: int
    errors_rose: int


def descent_and_errors(seed: int, steps: int = 60) -> Rise:
    """Full-batch descent of the cross-entropy of a linear classifier on `two_groups`, step below 2/β."""
    points, label = two_groups(seed)
    smoothness = torch.linalg.matrix_norm(points.T @ points / len(points), 2).item() / 4
    run = descend(
        lambda w: losscore.binary_cross_entropy(points @ w, label),
        torch.tensor([-1.0, 1.0], dtype=torch.float64),
        step=0.5 / smoothness,
        steps=steps,
    )
    wrong = torch.tensor([errors(points @ w, label) for w in run.path])
    return Rise(run.steps, int((run.losses.diff() > 0).sum()), int((wrong.diff() > 0).sum()))


def draw_error_and_loss(seed: int = 3) -> Figure:
    """Errors and cross-entropy of a linear classifier as one of its two weights moves."""
    import matplotlib.pyplot as plt

    points, label = two_groups(seed)
    weights = torch.linspace(-2, 8, 601, dtype=torch.float64)
    scores = points[:, 0] * weights[:, None] + 0.6 * points[:, 1]
    wrong = ((scores >= 0) != (label == 1)).sum(1)
    loss = losscore.binary_cross_entropy(scores, label.expand_as(scores), reduction="none").mean(1)
    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(6.0, 4.6))
    above.plot(weights, wrong)
    above.set_ylabel("errors in 40")
    below.plot(weights, loss, color="C1", linestyle="-")
    below.set_ylabel("mean cross-entropy")
    below.set_xlabel("first weight of the classifier")
    return figure


def slide_step_size() -> SliderFigure:
    """The path of descent on w²/2 from w = 1, the step chosen by the slider, in units of 1/c."""
    from losscore.lab.slider import SliderFigure

    times = range(21)
    steps = [round(0.1 * k, 1) for k in range(1, 23)]
    runs = [
        descend(lambda w: losscore.half_squared_error(w, torch.zeros_like(w)), 1.0, step=s, steps=20)
        for s in steps
    ]
    return SliderFigure(
        list(times),
        {"path": torch.stack([run.path for run in runs]).numpy()},
        label="step α, in units of 1/c",
        values=steps,
        start=4,
        xlabel="step of descent",
        ylabel="weight w",
        ylim=(-2.5, 2.5),
        alt=(
            "The weight of a parabola under gradient descent from 1. For steps below 1/c it glides to 0, between 1/c "
            "and 2/c it jumps from side to side and still arrives, at 2/c it oscillates for ever, above it grows."
        ),
        readout=[
            f"Step {s:.1f}/c: after 20 steps the loss is {(run.losses[-1] / run.losses[0]).item():.2g} of what it was."
            for s, run in zip(steps, runs)
        ],
    )


def doubled_column(seed: int = 0, n: int = 30) -> tuple[Tensor, Tensor]:
    """A regression in which the same feature stands in both columns: X (n, 2) and y (n,), true sum of weights 3."""
    draw = generator(seed)
    x = torch.randn(n, 1, generator=draw, dtype=torch.float64)
    y = 3 * x[:, 0] + 0.3 * torch.randn(n, generator=draw, dtype=torch.float64)
    return x.repeat(1, 2), y


def draw_valley(features: Tensor, target: Tensor, runs: dict[str, Descent]) -> Figure:
    """Level lines of the half-MSE over two weights, and the ways of descent from several starts."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import GREY, mark

    grid = torch.linspace(-2, 5, 141, dtype=torch.float64)
    first, second = torch.meshgrid(grid, grid, indexing="xy")
    weights = torch.stack([first, second], -1)
    risk = losscore.half_squared_error(
        weights @ features.T, target.expand(*first.shape, -1), reduction="none"
    ).mean(-1)
    figure, axes = plt.subplots(figsize=(5.4, 4.6))
    axes.contour(first, second, risk, levels=np.geomspace(0.1, 30, 9), colors=GREY, linewidths=0.8)
    total = (features[:, 0] @ target / (features[:, 0] @ features[:, 0])).item()
    axes.plot(
        [total - 5, 5], [5, total - 5], color=GREY, linestyle="--", linewidth=1.4, label="all minimisers"
    )
    for index, (name, run) in enumerate(runs.items()):
        axes.plot(*run.path.T, color=f"C{index}", linestyle="-")
        (first_start, second_start), (first_end, second_end) = run.path[0].tolist(), run.path[-1].tolist()
        mark(axes, first_start, second_start, name, colour=f"C{index}", offset=(-10, -4))
        mark(axes, first_end, second_end, colour=f"C{index}")
    axes.set_xlim(-2, 5)
    axes.set_ylim(-2, 5)
    axes.set_xlabel("first weight")
    axes.set_ylabel("second weight")
    return figure


def skewed_line(seed: int, n: int = 400) -> tuple[Tensor, Tensor]:
    """y = 1 + x + E with E exponential of mean 1: the conditional mean is 2 + x, the median 1 + ln 2 + x."""
    draw = generator(seed)
    x = 2 * torch.rand(n, generator=draw, dtype=torch.float64)
    noise = torch.empty(n, dtype=torch.float64).exponential_(generator=draw)
    return x, 1 + x + noise


def line_fit(x: Tensor, y: Tensor, loss: str) -> tuple[float, float]:
    """Intercept and slope of the line that minimises the named loss of `losscore` on (x, y)."""
    model = nn.Linear(1, 1, dtype=torch.float64)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    function = getattr(losscore, loss)
    for rate in (0.05, 0.005):
        fit(
            model,
            lambda prediction, target: function(prediction[:, 0], target),
            x[:, None],
            y,
            optimiser=partial(torch.optim.Adam, lr=rate),
            steps=400,
        )
    return model.bias.item(), model.weight.item()


def draw_skewed_line(seed: int = 0) -> Figure:
    """One sample of `skewed_line` with the lines that squared and absolute error fit to it."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import GREY, label_line

    x, y = skewed_line(seed)
    figure, axes = plt.subplots()
    axes.plot(x, y, ".", color=GREY, markersize=4, label="_data")
    ends = torch.tensor([0.0, 2.0], dtype=torch.float64)
    for loss, words in (("squared_error", "squared error"), ("absolute_error", "absolute error")):
        intercept, slope = line_fit(x, y, loss)
        line = axes.plot(ends, intercept + slope * ends, label=words)[0]
        label_line(line, offset=(6, 6 if loss == "squared_error" else -6))
    axes.set_xlabel("x")
    axes.set_ylabel("y")
    axes.set_ylim(0, 7)
    return figure


def slope_by_weights(seed: int, n: int = 60) -> tuple[float, float]:
    """Errors of the slope, plain and weighted by 1/σ(x)², on data whose noise grows with x (true slope 1)."""
    draw = generator(seed)
    x = 3 * torch.rand(n, generator=draw, dtype=torch.float64)
    spread = 0.05 + x**2 / 3
    y = x + spread * torch.randn(n, generator=draw, dtype=torch.float64)
    plain, weighted = ((w * x * y).sum() / (w * x * x).sum() for w in (torch.ones_like(x), spread**-2))
    return (plain - 1).item() ** 2, (weighted - 1).item() ** 2


def line_through_counts(seed: int, n: int = 200) -> float:
    """The lowest mean that a least-squares line predicts for Poisson counts whose mean is exp(2x − 1), x in [−2, 1]."""
    draw = generator(seed)
    x = 3 * torch.rand(n, generator=draw, dtype=torch.float64) - 2
    counts = torch.poisson(torch.exp(2 * x - 1), generator=draw)
    design = torch.stack([torch.ones(n, dtype=torch.float64), x], 1)
    weights = torch.linalg.lstsq(design, counts[:, None]).solution
    return float((design @ weights).min())


def draw_soft_targets() -> Figure:
    """Binary cross-entropy to a target q over the prediction p, for four targets: each bottoms out at its entropy."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import mark

    logit = torch.linspace(-5, 5, 401, dtype=torch.float64)
    probability = logit.sigmoid()
    figure, axes = plt.subplots()
    places = {0.5: (-8, -13), 0.7: (-10, 17), 0.9: (10, -9), 1.0: (-30, 0)}
    for index, (target, place) in enumerate(places.items()):
        loss = losscore.binary_cross_entropy(logit, torch.full_like(logit, target), reduction="none")
        axes.plot(probability, loss, label=f"target {target}")
        lowest = int(loss.argmin())
        mark(
            axes,
            probability[lowest].item(),
            loss[lowest].item(),
            f"q = {target:g}",
            colour=f"C{index}",
            offset=place,
        )
    axes.set_xlabel("prediction p")
    axes.set_ylabel("cross-entropy (nats)")
    axes.set_ylim(-0.15, 2)
    return figure


def logit_path(labels: list[int], steps: int = 2000) -> Descent:
    """Descent on the mean cross-entropy of one free logit against `labels`, from 0, step 1."""
    target = torch.tensor(labels, dtype=torch.float64)
    return descend(
        lambda z: losscore.binary_cross_entropy(z.expand(len(labels)), target), 0.0, step=1.0, steps=steps
    )


def draw_logit_paths(runs: dict[str, Descent]) -> Figure:
    """The logit over the steps of descent, steps on a log scale."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import label_line

    figure, axes = plt.subplots()
    for words, run in runs.items():
        label_line(axes.plot(range(1, run.steps + 1), run.path[1:], label=words)[0])
    axes.set_xscale("log")
    axes.set_xlabel("step of descent")
    axes.set_ylabel("logit z")
    return figure


def slide_honest_scores() -> SliderFigure:
    """Expected excess of two scores over their minimum, against the forecast; the slider moves the truth."""
    from losscore.lab.slider import SliderFigure

    forecast = torch.linspace(0.01, 0.99, 197, dtype=torch.float64)
    logit = forecast.logit()
    truths = [round(0.05 * k, 2) for k in range(1, 20)]
    two = torch.stack([torch.zeros_like(logit), logit], 1)

    def expected(truth: float, loss: str) -> Tensor:
        function: Callable[..., Tensor] = getattr(losscore, loss)
        by_label = [function(two, torch.full((len(two),), y), reduction="none") for y in (0, 1)]
        return (1 - truth) * by_label[0] + truth * by_label[1]

    def excess(loss: str) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
        return [(values - values.min()).numpy() for values in (expected(truth, loss) for truth in truths)]

    best = [forecast[expected(truth, "cross_entropy").argmin()].item() for truth in truths]
    return SliderFigure(
        forecast.numpy(),
        {"cross-entropy": excess("cross_entropy"), "Brier": excess("brier")},
        label="true probability η",
        values=truths,
        start=13,
        xlabel="forecast q",
        ylabel="expected excess over the best",
        ylim=(0, 1.2),
        alt=(
            "Expected cross-entropy and expected Brier score, each above its minimum, against the forecast. Whatever "
            "the true probability, both are lowest exactly there; away from it cross-entropy climbs faster."
        ),
        marker=best,
        readout=[
            f"With η = {truth:.2f} both scores are lowest at q = {q:.2f}." for truth, q in zip(truths, best)
        ],
    )
