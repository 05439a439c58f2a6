"""The drawings of the page on regularisation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from losscore.lab import regularisation as lab
from losscore.lab.figures import GREY, label_line, mark, shade

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from losscore.lab.slider import SliderFigure


def draw_unseen_error(sizes: list[int], errors: Tensor) -> Figure:
    """Error on fresh inputs over the number of features; ``errors`` has one row a draw."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.set_xscale("log")
    axes.set_yscale("log")
    shade(axes, 100, sizes[-1], "fits all 100 values")
    axes.fill_between(sizes, errors.min(0).values, errors.max(0).values, color="C0", alpha=0.25, linewidth=0)
    axes.plot(sizes, errors.median(0).values, "C0-", marker=".", label="_median")
    axes.set_xlabel("number of features")
    axes.set_ylabel("error on fresh inputs")
    return figure


def draw_left_after_noise(seeds: int = 5) -> Figure:
    """What a thousand steps of pure noise leave of a weight, over the scale of the noise."""
    import matplotlib.pyplot as plt

    scales = torch.logspace(-2, 2, 17, dtype=torch.float64)
    figure, axes = plt.subplots()
    for rule, words, place in (
        (torch.optim.Adam, "penalty in Adam", 10.0),
        (torch.optim.AdamW, "AdamW", 0.03),
    ):
        left = torch.stack([lab.left_after_noise(rule, scales, seed) for seed in range(seeds)]).mean(0)
        label_line(axes.plot(scales, left, label=words)[0], at=place, offset=(-34, 4) if place > 1 else None)
    axes.set_xscale("log")
    axes.set_ylim(0, 1.1)
    axes.set_xlabel("scale of the noise in the gradient")
    axes.set_ylabel("left of a weight of 1")
    return figure


def draw_box() -> Figure:
    """Where penalty and AdamW put the two weights of the parabola, over λ; dots are runs of `torch.optim.AdamW`."""
    import matplotlib.pyplot as plt

    penalty = torch.logspace(math.log10(0.03), math.log10(20), 121, dtype=torch.float64)
    steep, flat = lab.CURVATURES[:, None] / (lab.CURVATURES[:, None] + penalty)
    figure, axes = plt.subplots()
    label_line(
        axes.plot(penalty, steep, color="C1", linestyle="--")[0], "penalty, steep", at=3.2, offset=(44, 2)
    )
    label_line(
        axes.plot(penalty, flat, color="C1", linestyle=":")[0], "penalty, flat", at=0.25, offset=(44, 6)
    )
    label_line(
        axes.plot(penalty, (1 / penalty).clamp(max=1), color="C0", linestyle="-")[0],
        "AdamW, both",
        at=0.13,
        offset=(0, 7),
    )
    for value in (0.05, 0.3, 1.5, 3.0, 10.0):
        for weight in lab.adamw_limit(value).tolist():
            mark(axes, value, weight, colour="C0")
    axes.set_xscale("log")
    axes.set_ylim(0, 1.15)
    axes.set_xlabel("λ")
    axes.set_ylabel("weight at the end")
    return figure


def slide_coordinates() -> SliderFigure:
    """The solutions of w₁ + w₂ = 2 and the one that descent reaches in the coordinates w₁ = aθ₁, w₂ = θ₂."""
    from losscore.lab.slider import SliderFigure

    stretch = np.round(np.geomspace(0.5, 2, 17), 2)
    first = np.linspace(-0.5, 2.5, 481)
    equation, total = torch.ones(1, 2, dtype=torch.float64), torch.tensor([2.0], dtype=torch.float64)
    changes = (torch.diag(torch.tensor([a, 1.0], dtype=torch.float64)) for a in stretch)
    end = np.array([lab.least_in_coordinates(equation, total, change)[0].item() for change in changes])
    size = end**2 / stretch**2 + (2 - end) ** 2
    with np.errstate(invalid="ignore"):
        oval = np.sqrt(size[:, None] - first**2 / stretch[:, None] ** 2)
    way = np.where((first >= 0) & (first <= end[:, None]), first / stretch[:, None] ** 2, np.nan)
    return SliderFigure(
        first,
        {"descent": way, "equal ‖θ‖": oval},
        fixed={"solutions": 2 - first},
        label="stretch a",
        values=stretch,
        start=8,
        xlabel="weight w₁",
        ylabel="weight w₂",
        ylim=(0, 2.5),
        marker=end,
        label_at={"solutions": 1.4, "descent": 0.05, "equal ‖θ‖": -0.28},
        alt=(
            "All solutions of one equation form a line. Descent from 0 runs straight to the point of the line where an oval "
            "touches it. With stretch 1 the oval is a circle and the point is (1, 1); stretch 2 moves it to (1.6, 0.4), "
            "stretch one half to (0.4, 1.6)."
        ),
        readout=[
            f"With a = {a:.2f} descent ends at w = ({w:.2f}, {2 - w:.2f})." for a, w in zip(stretch, end)
        ],
    )


def draw_angle(slow: lab.MarginPath, fast: lab.MarginPath) -> Figure:
    """Degrees between weights and hard-margin direction over the decades of the time: plain steps and the flow."""
    import matplotlib.pyplot as plt

    decades = fast.log_time / math.log(10)
    late = decades > 0
    figure, axes = plt.subplots()
    shade(axes, 0, 5, "100,000 steps")
    line = axes.plot(decades[late], fast.angle[late], color="C0", linestyle="-")[0]
    label_line(line, "steps divided by the loss", at=12.0, offset=(60, 10))
    for when, angle in zip(slow.log_time.tolist(), slow.angle.tolist()):
        mark(axes, when / math.log(10), angle, colour="C1")
    axes.set_ylim(0, None)
    axes.set_xlabel("time, as a power of 10")
    axes.set_ylabel("angle (degrees)")
    return figure


def draw_sparse(seed: int, small: float, large: float) -> Figure:
    """The weights that descent in squares finds from a small and from a large start, beside the true ones."""
    import matplotlib.pyplot as plt

    features, target, truth = lab.sparse_problem(seed)
    place = torch.arange(len(truth))
    figure, panels = plt.subplots(2, 1, sharex=True, sharey=True, figsize=(6.0, 4.4))
    for axes, begin, colour in zip(panels, (small, large), ("C0", "C1")):
        found = lab.descend_in_squares(features, target, begin)
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.vlines(place, 0, found, color=colour, linewidth=2.4)
        axes.plot(place[truth != 0], truth[truth != 0], "o", color=GREY, markersize=9, fillstyle="none")
        axes.set_title(f"start at {begin:g}")
        axes.set_ylabel("weight")
    panels[1].set_xlabel("number of the weight")
    return figure
