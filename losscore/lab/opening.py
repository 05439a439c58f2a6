"""The data, runs and drawings of the opening of Part I."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

import losscore
from losscore.lab.hardware import generator
from losscore.lab.targets import networks, school
from losscore.lab.training import descend, fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def delivery_times(seed: int = 0, n: int = 201) -> Tensor:
    """Hours until delivery: n draws whose logarithms are normal, with mean 0.8 and standard deviation 0.8."""
    return torch.exp(0.8 + 0.8 * torch.randn(n, generator=generator(seed), dtype=torch.float64))


def best_number(loss: str, times: Tensor, **parameters: float) -> float:
    """The one number that minimises the named loss of `losscore` on `times`, to a hundredth, by trying them all."""
    candidates = torch.arange(0, 1501, dtype=torch.float64) / 100
    pairs = torch.meshgrid(candidates, times, indexing="ij")
    losses = getattr(losscore, loss)(*pairs, reduction="none", **parameters)
    return candidates[losses.mean(1).argmin()].item()


def best_distribution(times: Tensor, bins: int = 12) -> Tensor:
    """The probabilities of the hours 0–1, 1–2, … (the last without end) that minimise cross-entropy on `times`."""
    hour = times.long().clamp(max=bins - 1)
    start = torch.zeros(bins, dtype=torch.float64)
    run = descend(lambda z: losscore.cross_entropy(z.expand(len(hour), -1), hour), start, step=4.0, steps=400)
    return run.path[-1].softmax(0)


def draw_four_answers(times: Tensor, numbers: dict[str, float]) -> Figure:
    """The distribution that cross-entropy fits to the delivery times, and the numbers that other losses choose."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import GREY

    figure, axes = plt.subplots()
    probabilities = best_distribution(times)
    axes.bar(
        [hour + 0.5 for hour in range(len(probabilities))],
        probabilities.tolist(),
        width=0.92,
        color=GREY,
        alpha=0.4,
    )
    axes.annotate("cross-entropy: the bars", (6.9, 0.075))
    for index, (words, number) in enumerate(numbers.items()):
        height = (0.265, 0.31, 0.22)[index]
        axes.plot([number, number], [0, height], color=f"C{index}", label=words)
        axes.annotate(f"{words}: {number:.1f}", (number, height), xytext=(6, -4), textcoords="offset points")
    axes.set_xlim(0, len(probabilities))
    axes.set_ylim(0, 0.33)
    axes.set_xlabel("hours until delivery")
    axes.set_ylabel("probability")
    return figure


@dataclass(frozen=True)
class Risks:
    """Mean squared errors, one number a draw: of the fit on its data and on fresh data, of fixed weights on the data."""

    trained: Tensor
    fresh: Tensor
    fixed: Tensor


def fitted_risks(features: int, *, n: int = 40, draws: int = 400) -> Risks:
    """Least squares with normal features of which only the first counts; the noise has variance 1.

    No weights have a risk below 1. The fixed weights are the true ones; the risk of the fit on fresh data is known
    exactly, 1 plus its squared distance from them.
    """
    draw = generator(features)
    inputs = torch.randn(draws, n, features, generator=draw, dtype=torch.float64)
    truth = torch.zeros(features, 1, dtype=torch.float64)
    truth[0] = 1
    target = inputs @ truth + torch.randn(draws, n, 1, generator=draw, dtype=torch.float64)
    weights = torch.linalg.lstsq(inputs, target).solution

    def risk(prediction: Tensor) -> Tensor:
        return losscore.squared_error(prediction, target, reduction="none").mean((1, 2))

    fresh = 1 + losscore.squared_error(weights, truth.expand_as(weights), reduction="none").sum((1, 2))
    return Risks(risk(inputs @ weights), fresh, risk(inputs @ truth))


def draw_optimism(sizes: range, n: int = 40) -> Figure:
    """Mean risk of a least-squares fit on its own data and on fresh data, by the number of features."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import GREY, label_line

    runs = [fitted_risks(size, n=n) for size in sizes]
    figure, axes = plt.subplots()
    for words, chosen in (
        ("fresh data", [run.fresh for run in runs]),
        ("its own data", [run.trained for run in runs]),
    ):
        line = axes.plot(sizes, [values.mean() for values in chosen], label=words)[0]
        label_line(line, at=sizes[len(sizes) // 2], offset=(-14, 12) if words == "fresh data" else (0, -26))
    axes.axhline(1, color=GREY, linestyle="--", linewidth=1.4)
    axes.annotate("the least possible", (16, 1), xytext=(0, 5), textcoords="offset points")
    axes.set_ylim(0, 3)
    axes.set_xlabel(f"features fitted to {n} examples")
    axes.set_ylabel("mean squared error")
    return figure


@dataclass(frozen=True)
class WideFit:
    """Errors of a linear classifier with more features than examples, and its loss on the training data."""

    training_error: float
    unseen_error: float
    loss: float


def fit_wide(seed: int, labels: Literal["coin", "feature"], rule: Literal["descent", "Adam"]) -> WideFit:
    """50 examples of 200 normal features, labelled by a coin or by the sign of the first feature; 2,000 unseen ones.

    Both rules start from 0 and minimise squared error until it is 0 to within 1e-6.
    """
    draw = generator(seed)
    inputs = torch.randn(2050, 200, generator=draw, dtype=torch.float64)
    coin = 2.0 * torch.randint(0, 2, (2050,), generator=draw) - 1
    label = coin.double() if labels == "coin" else inputs[:, 0].sign()
    seen, wanted = inputs[:50], label[:50]
    model = nn.Linear(200, 1, bias=False, dtype=torch.float64)
    nn.init.zeros_(model.weight)
    largest = torch.linalg.matrix_norm(seen.T @ seen / 50, 2).item()
    optimiser = (
        partial(torch.optim.SGD, lr=1 / largest) if rule == "descent" else partial(torch.optim.Adam, lr=0.02)
    )
    losses = fit(
        model,
        lambda score, target: losscore.half_squared_error(score[:, 0], target),
        seen,
        wanted,
        optimiser=optimiser,
        steps=200,
    )
    with torch.no_grad():
        wrong = (model(inputs)[:, 0] > 0) != (label > 0)
    return WideFit(wrong[:50].double().mean().item(), wrong[50:].double().mean().item(), losses[-1].item())


@dataclass(frozen=True)
class Course:
    """Along the training of 16 networks, (steps, 16): log loss on the training data, log loss and errors on unseen data."""

    steps: list[int]
    trained: Tensor
    unseen: Tensor
    errors: Tensor


def course_of_training(seeds: int = 16) -> Course:
    """Networks that learn 100 digits by cross-entropy, watched on 1,697 unseen ones."""
    digits = school(100, 0, seeds=seeds)
    model = networks(range(seeds))
    rule = torch.optim.Adam(model.parameters(), lr=0.01)
    steps = [20, 30, 40, 50, 60, 80, 100, 150, 200, 300, 400]

    def log_loss(logits: Tensor, labels: Tensor) -> Tensor:
        one_by_one = losscore.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
        return one_by_one.reshape(labels.shape).mean(1)

    rows = []
    for step in range(1, steps[-1] + 1):
        rule.zero_grad()
        loss = log_loss(model(digits.images), digits.labels)
        loss.mean().backward()  # type: ignore[no-untyped-call]
        rule.step()
        if step in steps:
            with torch.no_grad():
                logits = model(digits.test_images)
                wrong = (logits.argmax(2) != digits.test_labels).double().mean(1)
                rows.append(torch.stack([loss.detach(), log_loss(logits, digits.test_labels), wrong]))
    trained, unseen, errors = torch.stack(rows, 1)
    return Course(steps, trained, unseen, errors)


def draw_course(course: Course) -> Figure:
    """Log loss, and below it the share of errors, over the steps of training: means over the networks."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import label_line

    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(6.0, 5.0))
    for values, words, offset in ((course.unseen, "unseen", (0, 8)), (course.trained, "training", (0, 12))):
        line = above.plot(course.steps, values.mean(1), marker="o", label=words)[0]
        label_line(line, at=200, offset=offset)
    above.set_ylabel("log loss (nats)")
    above.set_ylim(-0.03, 1)
    below.plot(course.steps, 100 * course.errors.mean(1), marker="o", color="C2")
    below.set_ylabel("errors on unseen (%)")
    below.set_ylim(10, 21)
    below.set_xscale("log")
    below.set_xticks(course.steps[::2], [str(step) for step in course.steps[::2]])
    below.minorticks_off()
    below.set_xlabel("step of training")
    return figure
