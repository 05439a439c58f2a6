"""Digits with several labels each, networks that learn them, and drawings of what still pulls on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from losscore.lab.hardware import device, generator
from losscore.lab.noisy_labels import NoisyDigits
from losscore.lab.training import Copies, progress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Elementwise = Callable[[Tensor, Tensor], Tensor]
"""``loss(z, y)``: one number for each logit."""
Slopes = Callable[[Tensor, Tensor, str, float, float], Tensor]

_EVEN, _LARGE, _LOOP, _PRIME = {0, 2, 4, 6, 8}, {5, 6, 7, 8, 9}, {0, 6, 8, 9}, {2, 3, 5, 7}
_HAS = torch.tensor(
    [[digit in group for group in (_EVEN, _LARGE, _LOOP, _PRIME)] for digit in range(10)], dtype=torch.float32
)
_LEVELS = (0.1, 0.5, 0.9)


def attributes(digits: Tensor) -> Tensor:
    """Four labels of each digit, 0 or 1, along a new last axis: even, 5 or more, has a loop, prime."""
    return _HAS.to(digits.device)[digits]


@dataclass(frozen=True)
class Course:
    """What was measured at `steps` (times,), one column a seed.

    `margins` (times, seeds, 3) are the 10 %, 50 % and 90 % quantiles of z(2y − 1) over the training labels, `accuracy`
    (times, seeds) is the share of right labels on unseen digits.
    """

    steps: Tensor
    margins: Tensor
    accuracy: Tensor

    def at(self, step: int) -> int:
        """The row of a step."""
        return int((self.steps == step).nonzero().item())


def train(
    losses: Mapping[str, Elementwise], data: NoisyDigits, *, steps: int, hidden: int = 128, batch: int = 64
) -> dict[str, Course]:
    """For each loss one network a seed, from 64 pixels to four logits, by Adam with the rate 0.002.

    Measured at 1, 2, 3, 5 and 8 times powers of ten. Networks of one seed begin with the same weights and see the same
    batches, whatever their loss.
    """
    home = device()
    data, seeds = data.to(home), len(data.images)
    begin, model = (
        Copies(copies, (64, hidden, 4), generator=generator(0), activation=torch.relu)
        for copies in (seeds, len(losses) * seeds)
    )
    with torch.no_grad():
        for first, parameter in zip(begin.parameters(), model.parameters(), strict=True):
            parameter.copy_(first.repeat(len(losses), 1, 1))
    model.to(home)
    rule, draw = torch.optim.Adam(model.parameters(), lr=0.002), generator(1)
    labels, unseen = attributes(data.true), attributes(data.test_true)

    def logits(images: Tensor) -> tuple[Tensor, ...]:
        together: Tensor = model(images.repeat(len(losses), 1, 1))
        return together.reshape(len(losses), seeds, -1, 4).unbind()

    records = {digit * 10**power for digit in (1, 2, 3, 5, 8) for power in range(2, 6)} | {steps}
    rows: dict[str, list[tuple[Tensor, ...]]] = {name: [] for name in losses}
    for step in progress(steps, "training"):
        chosen = torch.randint(labels.shape[1], (batch,), generator=draw).to(home)
        images, given = data.images.index_select(1, chosen), labels.index_select(1, chosen)
        rule.zero_grad()
        each = zip(losses.values(), logits(images), strict=True)
        value = sum(loss(z, given).mean((1, 2)).sum() for loss, z in each)
        value.backward()  # type: ignore[union-attr]
        rule.step()
        if step + 1 in records:
            with torch.no_grad():
                for name, z, tested in zip(
                    losses, logits(data.images), logits(data.test_images), strict=True
                ):
                    rows[name].append(
                        _measured(step + 1, z * (2 * labels - 1), (tested > 0) == (unseen > 0.5))
                    )
    return {name: Course(*(torch.stack(column).cpu() for column in zip(*rows[name]))) for name in losses}


def _measured(step: int, margin: Tensor, right: Tensor) -> tuple[Tensor, ...]:
    levels = torch.tensor(_LEVELS, dtype=margin.dtype, device=margin.device)
    quantiles = margin.flatten(1).quantile(levels, dim=1).T
    return torch.tensor(step, device=margin.device), quantiles.double(), right.double().mean((1, 2))


def draw_slopes(slopes: Slopes, eps: float = 0.1, T: float = 4.0) -> Figure:
    """The slopes of the three kinds for the label 1 over the logit, and below their sizes on a logarithmic axis."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import label_line, mark

    figure, (above, below) = plt.subplots(2, 1, figsize=(6.0, 6.0), sharex=True)
    z = torch.linspace(-6, 20, 1041, dtype=torch.float64)
    root = torch.tensor((2 - eps) / eps).log().item()
    places = {
        "plain": (-0.4, (34, -16), 11.0, (32, 2)),
        "smooth": (-1.2, (-40, 4), 16.0, (0, 8)),
        "temperature": (-4.0, (0, 12), 13.5, (0, -20)),
    }
    words = {"plain": "plain", "smooth": f"ε = {eps:g}", "temperature": f"T = {T:g}"}
    for kind, (high, high_offset, low, low_offset) in places.items():
        slope = slopes(z[:, None], torch.ones_like(z)[:, None], kind, eps, T)[:, 0]
        label_line(above.plot(z, slope)[0], words[kind], at=high, offset=high_offset)
        label_line(below.plot(z, slope.abs())[0], words[kind], at=low, offset=low_offset)
    above.axhline(0, color="0.5", linewidth=0.8)
    mark(above, root, 0.0, f"z* = {root:.2f}", offset=(-20, 12))
    above.annotate(f"ε/2 = {eps / 2:g}", (16, eps / 2), xytext=(0, 6), textcoords="offset points")
    above.set(ylabel="slope", ylim=(-1.05, 0.25))
    below.set(yscale="log", ylim=(1e-6, 2), xlabel="logit z of a label that is 1", ylabel="size of the slope")
    return figure


def draw_margins(courses: Mapping[str, Course], root: float) -> Figure:
    """The margins over the steps, means over the seeds: medians, and bands from the 10 % to the 90 % quantile."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import GREY, label_line

    figure, axes = plt.subplots(figsize=(6.0, 4.4))
    for index, (words, course) in enumerate(courses.items()):
        low, middle, high = course.margins.mean(1).T
        axes.fill_between(course.steps, low, high, color=f"C{index}", alpha=0.15, linewidth=0)
        label_line(axes.plot(course.steps, middle, color=f"C{index}")[0], words)
    axes.axhline(root, color=GREY, linewidth=1, linestyle=":")
    axes.annotate("z*", (120, root), xytext=(0, 4), textcoords="offset points")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="step of training",
        ylabel="margin of a training label",
        ylim=(0.6, 150),
    )
    axes.set_yticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"], minor=False)
    axes.minorticks_off()
    return figure
