"""The measures and drawings of the exercise on soft targets; its networks are those of the section on targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from losscore.calibration import reliability_curve
from losscore.lab.hardware import device
from losscore.lab.statistics import interval
from losscore.lab.targets import School, Trained, school

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STUDENTS, TEACHERS, TESTED = 200, 1200, 397
TEST_SHARE = TESTED / (STUDENTS + TEACHERS)


def divided_digits(seeds: int) -> School:
    """For each seed 200 digits for a student, 1,200 others for a teacher, and 397 to test both, where training runs."""
    return school(STUDENTS, TEACHERS, seeds=seeds).to(device())


def surprise(run: Trained) -> Tensor:
    """The mean negative log-likelihood of unseen labels, one number a seed."""
    log_p = run.logits.double().log_softmax(2)
    return -log_p.gather(2, run.labels[..., None]).squeeze(2).mean(1)


def pull_size(loss: Callable[..., Tensor], temperature: float, *, square: bool = True) -> float:
    """The length of the gradient of the soft term at three logits; without its factor T² if ``square`` is false."""
    z = torch.tensor([[1.0, -1.0, 0.0]], dtype=torch.float64, requires_grad=True)
    v = torch.tensor([[2.0, 0.0, -2.0]], dtype=torch.float64)
    value = loss(z, v, torch.tensor([0]), temperature, 1.0).sum()
    (slope,) = torch.autograd.grad(value, z)
    size: float = slope.norm().item()
    return size if square else size / temperature**2


def draw_reliability(runs: Mapping[str, Trained], bins: int = 10) -> Figure:
    """A panel for each network: how often the chosen digit was right, by confidence, in bins of at least 50 images."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import BLUE, GREY

    figure, panels = plt.subplots(3, 2, figsize=(6.0, 7.6), sharex=True, sharey=True)
    for axes, (words, run) in zip(panels.flat, runs.items(), strict=True):
        curve = reliability_curve(
            run.logits.double().softmax(2).flatten(0, 1), run.labels.flatten(), bins=bins
        )
        full = curve.samples >= 50
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, linestyle="--")
        axes.plot(curve.probability[full], curve.frequency[full], color=BLUE, marker="o", linestyle="-")
        axes.set(title=words, xlim=(0, 1.04), ylim=(0, 1.04), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    for axes in panels[-1]:
        axes.set_xlabel("confidence")
    for axes in panels[:, 0]:
        axes.set_ylabel("share right")
    return figure


def draw_scores(runs: Mapping[str, Trained]) -> Figure:
    """Bars: the surprise and the calibration error of each network, with 95 % intervals over the seeds."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(6.0, 3.6), sharey=True)
    _bars(left, runs, surprise, "C0", "surprise of new labels")
    _bars(right, runs, lambda run: run.calibration_error, "C1", "calibration error")
    left.invert_yaxis()
    return figure


def _bars(
    axes: Axes, runs: Mapping[str, Trained], measure: Callable[[Trained], Tensor], colour: str, words: str
) -> None:
    from losscore.lab.figures import INK

    found = [interval(measure(run), test_share=TEST_SHARE) for run in runs.values()]
    axes.barh(
        list(runs),
        [one.mean for one in found],
        xerr=[one.half_width for one in found],
        color=colour,
        ecolor=INK,
        height=0.65,
    )
    axes.set_xlabel(words)
