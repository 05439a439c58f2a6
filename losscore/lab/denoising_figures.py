"""The pictures of the experiment on noisy photographs."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import torch
from torch import Tensor

from losscore.lab.denoising import Impulses
from losscore.lab.figures import BLUE, GREEN, GREY, ORANGE, label_line, mark, show_grey


def album(images: Mapping[str, Tensor], *, top: int = 60, left: int = 140, size: int = 190) -> None:
    """The same square of an even number of grey images, two in a row, each under its name."""
    rows = len(images) // 2
    _, axes = plt.subplots(rows, 2, figsize=(6.0, 3.2 * rows))
    for place, (name, image) in zip(axes.flat, images.items(), strict=True):
        show_grey(place, image[top : top + size, left : left + size])
        place.set_title(name, fontsize=12)


def levels(noise: Impulses, *, low: float = 0.3, high: float = 0.7) -> None:
    """The distribution function of a pixel that may be anything between two greys, clean and under impulses."""
    _, axes = plt.subplots(figsize=(6.0, 4.2))
    values = torch.linspace(0, 1, 1001, dtype=torch.float64)
    clean = ((values - low) / (high - low)).clamp(0, 1)
    noisy = noise.share * (1 - noise.white) + (1 - noise.share) * clean
    (line,) = axes.plot(values, clean, color=BLUE)
    label_line(line, "clean pixel", at=0.62, offset=(-52, 0))
    (line,) = axes.plot(values[:-1], noisy[:-1], color=ORANGE)
    label_line(line, "noisy target", at=0.86, offset=(0, 9))
    middle = (low + high) / 2
    level = noise.level()
    median = low + (high - low) * (0.5 - noise.level(0)) / (1 - noise.share)
    mean = (1 - noise.share) * middle + noise.share * noise.white
    axes.plot([middle, middle], [0, 0.5], color=GREY, linestyle=(0, (2, 2)), linewidth=1.2)
    mark(axes, middle, 0.5, "clean median", colour=BLUE, offset=(-10, 4))
    mark(axes, middle, level, f"{level:.2f}", colour=ORANGE, offset=(6, -16))
    mark(axes, median, 0.5, "its median", colour=ORANGE, offset=(24, -8))
    axes.axvline(mean, color=GREEN, linewidth=1.5, linestyle=(0, (5, 1.6)))
    axes.annotate("its mean", (mean, 0.06), xytext=(6, 0), textcoords="offset points")
    axes.set(xlabel="grey value", ylabel="probability of less", xlim=(0, 1), ylim=(0, 1.02))
