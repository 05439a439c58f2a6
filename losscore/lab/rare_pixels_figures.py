"""The pictures of the experiment on rare pixels."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from torch import Tensor

from losscore.lab.figures import BLUE, GREEN, GREY, INK, ORANGE, label_line, show_grey
from losscore.lab.rare_pixels import HEIGHT, WIDTH


def marks(image: Tensor, nucleus: Tensor, centre: Tensor, marked: Mapping[str, Tensor]) -> None:
    """One block: the image, the nuclei that a person drew with their centres, and what each rule marks.

    Each tensor holds the pixels of the block, shape (32768,).
    """
    _, axes = plt.subplots(2 + len(marked), 1, figsize=(6.0, 3.15 * (2 + len(marked))))
    photo, drawn = image.reshape(HEIGHT, WIDTH), nucleus.cpu().reshape(HEIGHT, WIDTH).numpy()
    layers = {"the image": None, "a person's outlines, and the centres to be found": centre > 0, **marked}
    for place, (name, pixels) in zip(axes, layers.items(), strict=True):
        shown = None if pixels is None else pixels.reshape(HEIGHT, WIDTH)
        show_grey(place, photo, white=0.6, levels=16, marked=shown)
        place.set_title(name)
    for number in np.unique(drawn):
        if number > 0:
            axes[1].contour(drawn == number, levels=[0.5], colors=[BLUE], linewidths=1.0)


def scores(
    thresholds: Tensor, curves: Mapping[str, Tensor], chosen: Mapping[str, tuple[float, float]]
) -> None:
    """F1 score against the threshold, as a logit, for each loss; a dot where validation chose, a line at one half."""
    _, axes = plt.subplots()
    axes.axvline(0, color=GREY, linewidth=1.0, linestyle=(0, (2, 2)))
    axes.annotate(
        "½", (0, 1), xycoords=axes.get_xaxis_transform(), xytext=(4, -12), textcoords="offset points"
    )
    styles = (
        (BLUE, "-", -3.6, (-44, 4)),
        (ORANGE, (0, (5, 1.6)), 4.0, (0, 7)),
        (GREEN, (0, (1.4, 1.4)), 1.8, (0, 7)),
        (INK, (0, (6, 1.6, 1.4, 1.6)), 0.2, (24, -6)),
    )
    for (name, curve), (colour, dashes, place, offset) in zip(curves.items(), styles):
        line = axes.plot(thresholds.cpu(), curve.cpu(), color=colour, linestyle=dashes)[0]
        label_line(line, name, at=place, offset=offset)
        axes.plot(*chosen[name], "o", color=colour, markersize=7)
    axes.set_xticks(
        [-6.9, -4.6, -2.2, 0, 2.2, 4.6, 6.9], ["0.001", "0.01", "0.1", "", "0.9", "0.99", "0.999"]
    )
    axes.set_ylim(0, 0.45)
    axes.set_xlabel("mark a pixel from this output on")
    axes.set_ylabel("F1 score, mean of eight blocks")
