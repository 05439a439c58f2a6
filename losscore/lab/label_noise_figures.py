"""The pictures of the experiment on noisy labels."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
from torch import Tensor

from losscore.lab.figures import BLUE, INK, ORANGE, label_line
from losscore.lab.label_noise import Course, Study


def given_labels(study: Study, *, columns: int = 8) -> None:
    """The first images of the first seed, two rows, with the label each was given; of wrong ones also the digit shown."""
    _, axes = plt.subplots(2, columns, figsize=(6.0, 2.3))
    for place, panel in enumerate(axes.flat):
        given, true = study.given[0, place].item(), study.true[0, place].item()
        panel.imshow(study.images[0, place].reshape(8, 8).cpu().numpy(), cmap="gray_r")
        panel.set_title(
            f"{given}" if given == true else f"{given}, not {true}",
            fontsize=11,
            loc="center",
            color=INK if given == true else ORANGE,
        )
        panel.set_xticks([])
        panel.set_yticks([])


def courses(panels: Mapping[str, Course]) -> None:
    """One panel a noise: mean accuracy over training on clean test images and on held-out noisy labels."""
    _, axes = plt.subplots(1, len(panels), figsize=(6.0, 3.4), sharey=True)
    for panel, (name, course) in zip(axes, panels.items(), strict=True):
        clean, noisy = course.clean.mean(1), course.noisy.mean(1)
        for values, words, colour, dash in (
            (clean, "clean test labels", BLUE, "-"),
            (noisy, "noisy held-out labels", ORANGE, (0, (5, 1.6))),
        ):
            (line,) = panel.plot(course.steps, values, color=colour, linestyle=dash)
            if panel is axes[0]:
                label_line(line, words, at=course.steps[-1].item() / 2, offset=(6, 14))
        for step in course.steps[course.noisy.argmax(0)].tolist():
            panel.plot([step, step], [0.02, 0.06], color=INK, linestyle="-", linewidth=1.2)
        panel.set_title(name)
        panel.set_xlabel("step")
        panel.set_ylim(0, 1)
    axes[0].set_ylabel("accuracy")


def matrices(panels: Mapping[str, Tensor]) -> None:
    """Transition matrices side by side: the true digit down, the label across, darker for more."""
    _, axes = plt.subplots(1, len(panels), figsize=(6.0, 2.5))
    for panel, (name, matrix) in zip(axes, panels.items(), strict=True):
        panel.imshow(matrix.cpu().numpy(), cmap="Blues", vmin=0, vmax=1)
        panel.set_title(name, loc="center", fontsize=12)
        panel.set_xticks([0, 9])
        panel.set_yticks([0, 9])
        panel.set_xlabel("label")
    axes[0].set_ylabel("digit")
