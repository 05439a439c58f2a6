"""The drawings of the exercise on generalized cross-entropy: how it pulls, and where that leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from losscore.lab.noisy_labels import Course

Dialled = Callable[[Tensor, Tensor, float], Tensor]
"""``loss(z, y, q)``: one number for each row of logits."""


def pulls(loss: Dialled, probabilities: Tensor, q: float) -> Tensor:
    """How hard ``loss`` pulls the label's logit up where the label has these probabilities, between 0 and 1."""
    logit = probabilities.logit().requires_grad_()
    two = torch.stack([logit, torch.zeros_like(logit)], -1)
    label = torch.zeros(len(logit), dtype=torch.long, device=logit.device)
    (slope,) = torch.autograd.grad(loss(two, label, q).sum(), logit)
    return -slope


def draw_pulls(loss: Dialled) -> Figure:
    """The pull on the label's logit over the probability of the label, for four settings of the dial."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import label_line, mark

    figure, axes = plt.subplots(figsize=(6.0, 3.8))
    probabilities = torch.linspace(0.001, 0.999, 400, dtype=torch.float64)
    for q, at, offset in (
        (0.0, 0.3, (30, 4)),
        (0.3, 0.13, (12, 12)),
        (0.7, 0.41, (0, 9)),
        (1.0, 0.42, (0, -20)),
    ):
        size = pulls(loss, probabilities, q)
        (line,) = axes.plot(probabilities, size)
        label_line(line, f"q = {q:g}", at=at, offset=offset)
        if q:
            top = int(size.argmax())
            mark(axes, probabilities[top].item(), size[top].item(), colour=str(line.get_color()))
    axes.set(xlabel="probability of the label", ylabel="pull on its logit", xlim=(0, 1), ylim=(0, 1))
    return figure


def draw_courses(courses: Mapping[float, Course]) -> Figure:
    """Accuracy on new digits over the steps of training, by q: means, with the range over the seeds."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import label_line

    figure, axes = plt.subplots(figsize=(6.0, 4.6))
    for index, (q, course) in enumerate(courses.items()):
        steps, accuracy = course.steps[1:], course.accuracy[1:]
        low, high = accuracy.aminmax(dim=1)
        axes.fill_between(steps, low, high, color=f"C{index}", alpha=0.12, linewidth=0)
        (line,) = axes.plot(steps, accuracy.mean(1), color=f"C{index}")
        if q == 1:
            label_line(line, f"q = {q:g}", at=120, offset=(22, -14))
        else:
            label_line(line, f"q = {q:g}")
    axes.set(xscale="log", xlabel="step of training", ylabel="accuracy on new digits", ylim=(0.6, 1))
    return figure
