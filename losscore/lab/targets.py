"""The data, runs and drawings of the section on modified targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

import losscore
from losscore.calibration import expected_calibration_error, reliability_curve
from losscore.lab.hardware import generator, seeded
from losscore.lab.loaders import digits
from losscore.lab.training import Descent, Stack, descend, fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from losscore.lab.slider import SliderFigure


def networks(seeds: Iterable[int], hidden: int = 32) -> Stack:
    """One network for each seed, from 64 inputs over a hidden layer of rectified units to 10 logits."""
    alone = []
    for seed in seeds:
        with seeded(seed):
            alone.append([nn.Linear(*widths, dtype=torch.float64) for widths in ((64, hidden), (hidden, 10))])
    layers = [
        (torch.stack([one.weight.T for one in layer]), torch.stack([one.bias[None] for one in layer]))
        for layer in zip(*alone)
    ]
    return Stack(layers, activation=torch.relu)


@dataclass(frozen=True)
class Trained:
    """Logits (seeds, n, 10) on the images that a student sees, and on unseen ones with their labels."""

    says: Tensor
    logits: Tensor
    labels: Tensor

    @property
    def accuracy(self) -> Tensor:
        """On unseen images, one number a seed."""
        return (self.logits.argmax(2) == self.labels).double().mean(1)

    @property
    def confidence(self) -> Tensor:
        """The mean probability of the class that is chosen, one number a seed."""
        return self.logits.double().softmax(2).amax(2).mean(1)

    @property
    def calibration_error(self) -> Tensor:
        """Expected calibration error in 15 bins, one number a seed."""
        forecasts = zip(self.logits.double().softmax(2), self.labels)
        return torch.stack([expected_calibration_error(p, y) for p, y in forecasts])


@dataclass(frozen=True)
class School:
    """For each seed: images for the students, others for the teachers, and the rest to test both."""

    images: Tensor
    labels: Tensor
    teacher_images: Tensor
    teacher_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    def to(self, device: torch.device) -> School:
        """The same school on another device, where its networks train; what they say comes back to the CPU."""
        return School(*(getattr(self, field.name).to(device) for field in fields(self)))

    def learn(self, loss: Callable[..., Tensor], *targets: Tensor, hidden: int = 32) -> Trained:
        """A student, trained on its images by `loss(logits, *targets)`.

        A target holds labels (seeds, n) or a teacher's logits (seeds, n, 10).
        """
        return self._train(loss, self.images, targets, first_seed=0, hidden=hidden)

    def teacher(
        self, *, smoothing: float = 0.0, relabel: Callable[[Tensor], Tensor] | None = None, hidden: int = 32
    ) -> Trained:
        """A teacher that learns from its own images, by their labels or what `relabel` makes of them."""
        labels = self.teacher_labels if relabel is None else relabel(self.teacher_labels)
        loss = partial(losscore.cross_entropy, label_smoothing=smoothing)
        return self._train(loss, self.teacher_images, (labels,), first_seed=100, hidden=hidden)

    def _train(
        self,
        loss: Callable[..., Tensor],
        images: Tensor,
        targets: tuple[Tensor, ...],
        *,
        first_seed: int,
        hidden: int,
    ) -> Trained:
        wanted = [target.flatten(0, 1).to(images.device) for target in targets]
        model = networks(range(first_seed, first_seed + len(images)), hidden).to(images.device)
        fit(
            model,
            lambda logits, _: loss(logits.flatten(0, 1), *wanted),
            images,
            wanted[0],
            optimiser=partial(torch.optim.Adam, lr=0.01),
            steps=200,
        )
        with torch.no_grad():
            seen, unseen = model(self.images), model(self.test_images)
        return Trained(seen.cpu(), unseen.cpu(), self.test_labels.cpu())


def school(students: int = 100, teachers: int = 1000, *, seeds: int = 8) -> School:
    """The digits, divided at random for each seed."""
    images, labels = digits()
    images = images.double()
    order = torch.stack([torch.randperm(len(images), generator=generator(seed)) for seed in range(seeds)])
    parts = torch.split(order, [students, teachers, len(images) - students - teachers], 1)
    return School(*(values[part] for part in parts for values in (images, labels)))


def mislabelled(labels: Tensor, share: float) -> Tensor:
    """Labels (seeds, n) of which each is, with probability `share`, replaced by a digit drawn at random."""
    replaced = []
    for seed, own in enumerate(labels):
        draw = generator(1000 + seed)
        struck = torch.rand(len(own), generator=draw, dtype=torch.float32) < share
        replaced.append(torch.where(struck, torch.randint(0, 10, own.shape, generator=draw), own))
    return torch.stack(replaced)


def nines_as_fours(labels: Tensor) -> Tensor:
    """The mistake of a teacher that calls every 9 a 4."""
    return torch.where(labels == 9, 4, labels)


def nines_called_four(run: Trained) -> Tensor:
    """The share of unseen nines that are called a 4, one number a seed."""
    nine = run.labels == 9
    return ((run.logits.argmax(2) == 4) & nine).sum(1) / nine.sum(1)


def wrong_classes_shuffled(logits: Tensor) -> Tensor:
    """Logits (seeds, n, 10) whose largest entry stays in each row while the other nine change places at random."""
    ranked, classes = logits.sort(2, descending=True)
    places = torch.rand(classes[..., 1:].shape, generator=generator(0), dtype=torch.float32).argsort(2)
    shuffled = torch.cat([classes[..., :1], classes[..., 1:].gather(2, places)], 2)
    return torch.empty_like(logits).scatter(2, shuffled, ranked)


def draw_reliability(runs: dict[str, Trained], bins: int = 10) -> Figure:
    """How often the chosen digit was right, by confidence, all seeds together; bins of at least 50 images."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import GREY, label_line

    figure, axes = plt.subplots(figsize=(6.0, 4.2))
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, linestyle="--", label="_calibrated")
    for words, run in runs.items():
        probability = run.logits.double().softmax(2).flatten(0, 1)
        curve = reliability_curve(probability, run.labels.flatten(), bins=bins)
        full = curve.samples >= 50
        line = axes.plot(curve.probability[full], curve.frequency[full], marker="o", label=words)[0]
        below = curve.frequency[full][0] > curve.probability[full][0] + 0.03
        label_line(line, at=curve.probability[full][0].item(), offset=(-30, -4) if below else (0, -22))
    axes.annotate("calibrated", (0.2, 0.2), xytext=(8, -8), textcoords="offset points")
    axes.set_xlim(0.08, 1.02)
    axes.set_ylim(0.08, 1.05)
    axes.set_xlabel("confidence of the network")
    axes.set_ylabel("share that is right")
    return figure


def binary_slope(logit: Tensor, *, smoothing: float = 0.0, temperature: float = 1.0) -> Tensor:
    """The slope of binary cross-entropy for the label 1 in each logit, by autograd."""
    place = logit.detach().clone().requires_grad_()
    target = losscore.smooth_labels(torch.tensor(1), 2, smoothing=smoothing)[1].to(logit)
    loss = losscore.binary_cross_entropy(place / temperature, target.expand_as(logit), reduction="sum")
    return torch.autograd.grad(loss, place)[0]


def one_logit(*, smoothing: float = 0.0, temperature: float = 1.0, steps: int = 2000) -> Descent:
    """Descent of one free logit with the label 1, from 0, step 1."""
    target = losscore.smooth_labels(torch.tensor(1), 2, smoothing=smoothing)[1].double()
    return descend(
        lambda z: losscore.binary_cross_entropy(z / temperature, target), 0.0, step=1.0, steps=steps
    )


def slide_smoothing() -> SliderFigure:
    """The slope of the smoothed binary loss against the logit, beside the plain one and one with a temperature."""
    from losscore.lab.slider import SliderFigure

    logit = torch.linspace(-1, 8, 181, dtype=torch.float64)
    amounts = [0.01, 0.02, 0.05, *(round(0.1 * k, 1) for k in range(1, 6))]
    roots = [torch.tensor((2 - amount) / amount).log().item() for amount in amounts]
    return SliderFigure(
        logit.numpy(),
        {"smoothed": torch.stack([binary_slope(logit, smoothing=amount) for amount in amounts]).numpy()},
        fixed={
            "plain": binary_slope(logit).numpy(),
            "T = 4": binary_slope(logit, temperature=4).numpy(),
        },
        label="smoothing ε",
        values=amounts,
        start=3,
        xlabel="logit z of a label that is 1",
        ylabel="slope of the loss",
        ylim=(-0.5, 0.3),
        alt=(
            "The slope of binary cross-entropy for the label 1 against the logit. Plain, and with a temperature of 4, it "
            "stays below 0 and fades. Smoothed, it crosses 0, at a logit of 2.94 for ε = 0.1, and ends at ε/2."
        ),
        marker=roots,
        label_at={"T = 4": 0.0},
        readout=[
            f"ε = {amount:g}: no pull at z = {root:.2f}, where p = {1 - amount / 2:g}; far out the slope is "
            f"{amount / 2:g} and pulls back."
            for amount, root in zip(amounts, roots)
        ],
    )


_GRID = torch.linspace(-20, 20, 2001, dtype=torch.float64)


def two_bumps() -> Tensor:
    """Logits of a teacher on a grid: two equal normal bumps of width 0.7, at −3 and 3."""
    return torch.logaddexp(-((_GRID + 3) ** 2) / 0.98, -((_GRID - 3) ** 2) / 0.98)


def one_bump(centre: Tensor, log_width: Tensor) -> Tensor:
    """Logits of a normal student on the grid."""
    return -(((_GRID - centre) * torch.exp(-log_width)) ** 2) / 2


def fit_bump(loss: Callable[[Tensor, Tensor], Tensor], start: float = 1.5) -> tuple[float, float]:
    """Centre and width of the student that `loss(student, teacher)` fits to the two bumps."""
    place = torch.tensor([start, 0.0], dtype=torch.float64, requires_grad=True)
    rule = torch.optim.Adam([place], lr=0.05)
    for _ in range(300):
        rule.zero_grad()
        loss(one_bump(place[0], place[1]), two_bumps()).backward()  # type: ignore[no-untyped-call]
        rule.step()
    return place[0].item(), place[1].exp().item()


def draw_bumps(students: dict[str, tuple[float, float]]) -> Figure:
    """The density of the two bumps and of the students, given by centre and width."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import GREY, label_line

    figure, axes = plt.subplots()
    spacing = (_GRID[1] - _GRID[0]).item()
    axes.fill_between(_GRID, two_bumps().softmax(0) / spacing, color=GREY, alpha=0.35, linewidth=0)
    axes.annotate("teacher", (-3, 0.29), ha="center", va="bottom")
    for words, (centre, width) in students.items():
        student = one_bump(torch.tensor(centre), torch.tensor(width).log()).softmax(0) / spacing
        line = axes.plot(_GRID, student, label=words)[0]
        label_line(line, at=centre)
    axes.set_xlim(-9, 9)
    axes.set_ylim(0, 0.68)
    axes.set_xlabel("outcome")
    axes.set_ylabel("density")
    return figure
