"""The experiment on distillation: a teacher, a small student with few labels, and images that nobody labelled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

import losscore
from losscore.lab.loaders import digits
from losscore.lab.splits import Splits
from losscore.lab.targets import School, Trained

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from losscore.lab.statistics import Interval


def school_of(splits: Splits, *, taught: int) -> School:
    """The digits by split: all training images for students, the first `taught` of them for the teacher.

    What is tested are the validation images, and after them the test images.
    """
    images, labels = digits()
    images = images.double()
    tested = torch.cat([splits.validation, splits.test], dim=1)
    parts = (splits.train, splits.train[:, :taught], tested)
    return School(*(values[part] for part in parts for values in (images, labels)))


def part(school: School, students: slice) -> School:
    """The same school with only these images for its students."""
    return replace(school, images=school.images[:, students], labels=school.labels[:, students])


def on(run: Trained, tested: slice) -> Trained:
    """What was trained, seen on these of the tested images."""
    return replace(run, logits=run.logits[:, tested], labels=run.labels[:, tested])


def log_loss(run: Trained) -> Tensor:
    """The mean log loss on unseen images, one number a split."""
    one = losscore.cross_entropy(run.logits.flatten(0, 1), run.labels.flatten(), reduction="none")
    return one.reshape(run.labels.shape).mean(dim=1)


def draw_lessons(images: Tensor, logits: Tensor, temperatures: Sequence[float]) -> None:
    """Images (n, 64), and beside each the teacher's probabilities at these temperatures."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import BLUE, ORANGE

    _, axes = plt.subplots(
        len(images), 1 + len(temperatures), figsize=(6.0, 1.5 * len(images)), squeeze=False,
        width_ratios=(1, *(2 for _ in temperatures)),
    )  # fmt: skip
    tall = [(logits / temperature).softmax(1).max().item() for temperature in temperatures]
    for row, image, said in zip(axes, images, logits, strict=True):
        row[0].imshow(image.reshape(8, 8).numpy(), cmap="gray_r")
        row[0].set_axis_off()
        for place, temperature, colour, top in zip(row[1:], temperatures, (BLUE, ORANGE), tall):
            place.bar(range(10), (said / temperature).softmax(0).numpy(), color=colour, alpha=0.7)
            place.set_ylim(0, 1.1 * top)
            place.set_xticks(range(10))
            place.set_yticks([0, 1] if top > 0.5 else [0, 0.2])
    for place, temperature in zip(axes[0, 1:], temperatures):
        place.set_title(f"T = {temperature:g}")


def draw_temperatures(
    temperatures: Sequence[float], runs: Mapping[str, Sequence[Interval]], levels: Mapping[str, float]
) -> None:
    """Accuracy against the temperature, with intervals, and the accuracy of other ways as lines."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import BLUE, GREY, ORANGE, label_line

    _, axes = plt.subplots(figsize=(6.0, 4.2))
    for name, level in levels.items():
        axes.axhline(level, color=GREY, linewidth=1.2, linestyle=(0, (2, 2)))
        axes.annotate(name, (1.5 * temperatures[0], level), xytext=(0, 4), textcoords="offset points")
    for (name, found), colour, shape, style, aside in zip(
        runs.items(), (BLUE, ORANGE), "os", ("-", (0, (5, 1.6))), (0.96, 1.04), strict=True
    ):
        line = axes.errorbar(
            [aside * temperature for temperature in temperatures],
            [one.mean for one in found],
            yerr=[one.half_width for one in found],
            color=colour,
            marker=shape,
            linestyle=style,
        )
        label_line(line.lines[0], name, offset=(10, 0))
    axes.set_xscale("log", base=2)
    axes.set_xticks(temperatures, [f"{one:g}" for one in temperatures])
    axes.set_xlabel("temperature T")
    axes.set_ylabel("accuracy of the student")
