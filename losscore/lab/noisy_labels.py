"""Handwritten digits with labels that were flipped, and networks trained on them, all seeds at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

import losscore
from losscore.lab.hardware import device, generator
from losscore.lab.loaders import digits
from losscore.lab.training import Stack, progress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from losscore.lab.slider import SliderFigure

Loss = Callable[[Tensor, Tensor], Tensor]
Flips = Literal["even", "next"]

EVERY = 10
ADAM = partial(torch.optim.Adam, lr=0.005)


@dataclass(frozen=True)
class NoisyDigits:
    """One draw a seed, side by side: (seeds, n, 64) images, (seeds, n) labels `given` and true; then the test set."""

    images: Tensor
    given: Tensor
    true: Tensor
    test_images: Tensor
    test_true: Tensor
    classes: int

    @property
    def wrong(self) -> Tensor:
        """Which of the given labels are wrong, (seeds, n)."""
        return self.given != self.true

    def to(self, home: torch.device) -> NoisyDigits:
        """The same data on another device."""
        tensors = ("images", "given", "true", "test_images", "test_true")
        return replace(self, **{name: getattr(self, name).to(home) for name in tensors})


@cache
def noisy_digits(
    rate: float, flips: Flips = "even", *, seeds: int = 6, n: int = 800, parity: bool = False
) -> NoisyDigits:
    """n images a seed to train on, the others to test; labels flipped with probability `rate`.

    A flipped label becomes any other class with equal chances ("even") or the class after its own ("next", 9 becomes
    0). With `parity` there are two classes, even digits (0) and odd ones (1).
    """
    pixels, shown = digits()
    label = shown % 2 if parity else shown
    classes = 2 if parity else 10
    draws = []
    for seed in range(seeds):
        source = generator(seed)
        order = torch.randperm(len(label), generator=source)
        chosen, rest = order[:n], order[n:]
        flipped = torch.rand(n, generator=source, dtype=torch.float32) < rate
        other = torch.randint(1, classes, (n,), generator=source)
        step = other if flips == "even" else torch.ones_like(other)
        given = torch.where(flipped, (label[chosen] + step) % classes, label[chosen])
        draws.append((pixels[chosen], given, label[chosen], pixels[rest], label[rest]))
    images, given, true, test_images, test_true = (torch.stack(part) for part in zip(*draws))
    return NoisyDigits(images, given, true, test_images, test_true, classes)


def networks(seeds: int, classes: int, hidden: int) -> Stack:
    """One network a seed, each seeing its own images: a hidden layer of rectified units, or none."""
    layers = []
    for before, after in pairwise([64, hidden, classes] if hidden else [64, classes]):
        draws = [
            torch.rand(before, after, generator=generator(100 + seed), dtype=torch.float32)
            for seed in range(seeds)
        ]
        weights = (2 * torch.stack(draws) - 1) / before**0.5
        layers.append((weights, torch.zeros(seeds, 1, after, dtype=torch.float32)))
    return Stack(layers, activation=torch.relu)


@dataclass(frozen=True)
class Course:
    """What was measured every `EVERY` steps, one column a seed: `steps` (times,), the others (times, seeds).

    `accuracy` and `confidence` (mean of the largest probability) are on the clean test set; `fitted` is the share of
    the wrong labels that the network has learned to reproduce; `suspects` the share of wrong labels among the 5 % of
    most negative margins, label's logit minus the best other; `dropped` the number of classes never predicted.
    """

    steps: Tensor
    accuracy: Tensor
    confidence: Tensor
    fitted: Tensor
    suspects: Tensor
    dropped: Tensor

    def at(self, step: int) -> int:
        """The row of a step."""
        return int((self.steps == step).nonzero().item())

    def first_above(self, accuracy: float) -> Tensor:
        """For each seed the first measured step with more than this accuracy; infinity where there is none."""
        reached = torch.where(self.accuracy > accuracy, self.steps[:, None].double(), torch.inf)
        return reached.min(0).values


def train(
    loss: Loss,
    data: NoisyDigits,
    *,
    steps: int = 300,
    hidden: int = 64,
    optimiser: Callable[..., torch.optim.Optimizer] = ADAM,
    batch: int | None = None,
) -> Course:
    """Training of one network a seed, on all its images at each step or on a `batch` of them drawn at random.

    No network sees another's data or gradient. The networks live where `device` says; what was measured comes back.
    """
    seeds, home = len(data.images), device()
    data = data.to(home)
    model = networks(seeds, data.classes, hidden).to(home)
    rule, draw = optimiser(model.parameters()), generator(seeds)
    rows = []
    for step in progress(steps + 1, "training"):
        if step % EVERY == 0:
            rows.append([torch.full((seeds,), step, device=home), *_measured(model, data)])
        images, given = data.images, data.given
        if batch is not None:
            chosen = torch.randint(given.shape[1], (batch,), generator=draw).to(home)
            images, given = images.index_select(1, chosen), given.index_select(1, chosen)
        rule.zero_grad()
        value = seeds * loss(model(images).flatten(0, 1), given.flatten())
        value.backward()  # type: ignore[no-untyped-call]
        rule.step()
    times, *measured = (torch.stack(column).cpu() for column in zip(*rows))
    return Course(times[:, 0], *(column.double() for column in measured))


@torch.no_grad()
def _measured(model: Stack, data: NoisyDigits) -> tuple[Tensor, ...]:
    logits, tested = model(data.images), model(data.test_images)
    predicted = tested.argmax(2)
    wrong = data.wrong
    learned = ((logits.argmax(2) == data.given) & wrong).sum(1) / wrong.sum(1).clamp(min=1)
    label = data.given[..., None]
    margin = logits.gather(2, label) - logits.scatter(2, label, -torch.inf).max(2, keepdim=True).values
    lowest = margin.squeeze(2).argsort(1)[:, : data.given.shape[1] // 20]
    named = nn.functional.one_hot(predicted, data.classes).sum(1) > 0
    return (
        (predicted == data.test_true).double().mean(1),
        tested.softmax(2).max(2).values.mean(1),
        learned,
        wrong.gather(1, lowest).double().mean(1),
        (~named).sum(1),
    )


def power(q: float) -> Loss:
    """Generalized cross-entropy with this q, ready for `train`; q = 0 is cross-entropy."""
    return partial(losscore.generalized_cross_entropy, q=q)


def to_the_next(rate: float, classes: int = 10) -> Tensor:
    """The transition matrix of "next" flips: row the true class, column the label."""
    one = torch.eye(classes)
    return (1 - rate) * one + rate * one.roll(1, 1)


def best_forecast(eta: Tensor, q: float) -> Tensor:
    """The probabilities at which descent of the expected loss under η ends, from equal ones."""
    logits = torch.zeros(len(eta), dtype=torch.float64, requires_grad=True)
    descent = torch.optim.LBFGS(
        [logits], max_iter=500, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def expected() -> Tensor:
        descent.zero_grad()
        value = losscore.generalized_cross_entropy(logits, eta, q=q)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    descent.step(expected)  # type: ignore[no-untyped-call]
    return logits.detach().softmax(0)


def slide_power() -> SliderFigure:
    """The pull on the label's own logit over its probability, for the q chosen by the slider."""
    from losscore.lab.slider import SliderFigure

    probability = torch.linspace(0.002, 0.998, 250, dtype=torch.float64)
    powers = [round(0.05 * k, 2) for k in range(21)]
    pulls = torch.stack([_own_pull(probability, q) for q in powers])
    damped = _own_pull(torch.tensor([0.01], dtype=torch.float64), 0.0)
    readout = [
        f"q = {q:.2f}: at p = 0.01 the pull is {(_own_pull(torch.tensor([0.01], dtype=torch.float64), q) / damped).item():.2g} "
        f"of cross-entropy's; with 10 equal classes, {10**-q:.2g}."
        for q in powers
    ]
    return SliderFigure(
        probability.numpy(),
        {"L_q": pulls.numpy()},
        fixed={"cross-entropy": pulls[0].numpy()},
        label="power q",
        values=powers,
        start=14,
        xlabel="probability given to the label",
        ylabel="pull on its logit",
        ylim=(0, 1),
        alt=(
            "The pull of generalized cross-entropy on the label's own logit, over the probability given to the label. For "
            "q = 0 it is the falling line of cross-entropy, largest where the label is contradicted. As q grows the left "
            "end sinks to 0 and a hump forms; at q = 0.7 it peaks at 0.41, at q = 1 at one half with a height of 0.25."
        ),
        marker=[max(q / (1 + q), 0.002) for q in powers],
        readout=readout,
        label_at={"cross-entropy": 0.62, "L_q": 0.3},
    )


def _own_pull(probability: Tensor, q: float) -> Tensor:
    """The slope of the loss in the label's logit, its sign turned, by autograd: two classes with logits (z, 0)."""
    logit = probability.logit().requires_grad_()
    two = torch.stack([logit, torch.zeros_like(logit)], 1)
    label = torch.zeros(len(logit), dtype=torch.int64)
    loss = losscore.generalized_cross_entropy(two, label, q=q, reduction="sum")
    return -torch.autograd.grad(loss, logit)[0]


def draw_courses(courses: dict[str, Course]) -> Figure:
    """Accuracy on clean test images over the steps of training: means, with the range over the seeds."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import label_line

    figure, axes = plt.subplots(figsize=(6.0, 4.0))
    for index, (words, course) in enumerate(courses.items()):
        steps = course.steps[1:]
        low, high = course.accuracy[1:].min(1).values, course.accuracy[1:].max(1).values
        axes.fill_between(steps, low, high, color=f"C{index}", alpha=0.13, linewidth=0)
        label_line(axes.plot(steps, course.accuracy[1:].mean(1), color=f"C{index}", label=words)[0])
    axes.set_xscale("log")
    axes.set_xlabel("step of training")
    axes.set_ylabel("accuracy on clean images")
    axes.set_ylim(0.4, 1)
    return figure
