"""The runs and drawings of the exercise on mistakes found in the wild: each loss as found beside its mend."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from losscore.lab.hardware import device
from losscore.lab.noisy_labels import NoisyDigits
from losscore.lab.training import progress

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Loss = Callable[[Tensor, Tensor], Tensor]
Step = Callable[[Tensor, Tensor], Tensor]
Slope = Callable[[Tensor, Tensor], Tensor]

EVERY = 20


@dataclass(frozen=True)
class Course:
    """What was measured every `EVERY` steps: `steps` has shape (times,), the others (times, seeds).

    `accuracy` is that on test images, `label_logit` the mean logit of the label on training images, `length` the norm
    of the weights.
    """

    steps: Tensor
    accuracy: Tensor
    label_logit: Tensor
    length: Tensor


def first_difference(
    found: Callable[..., Tensor], right: Callable[..., Tensor], inputs: Iterable[Any]
) -> Any:
    """The first of ``inputs``, each a tuple of arguments, on which two functions disagree; None where they never do."""
    for arguments in inputs:
        one, other = found(*arguments), right(*arguments)
        if not torch.allclose(one, other, rtol=1e-4, atol=1e-6, equal_nan=True):
            return arguments
    return None


def train(loss: Loss, data: NoisyDigits, *, steps: int, lr: float = 10.0, step: Step | None = None) -> Course:
    """Full-batch descent of one linear model a seed from weights of 0; ``loss(z, y)`` takes logits and one-hot labels.

    ``step(w, g)`` takes one step; without it that is ``w - lr * g``.
    """
    data = data.to(device())
    seeds, classes = len(data.images), data.classes
    weights = data.images.new_zeros(seeds, data.images.shape[-1] + 1, classes)
    images, test_images = (_with_ones(part) for part in (data.images, data.test_images))
    labels = torch.nn.functional.one_hot(data.true, classes).to(images.dtype)
    rows = []
    for taken in progress(steps + 1, "training"):
        leaf = weights.requires_grad_()
        z = images @ leaf
        if taken % EVERY == 0:
            named = (test_images @ leaf).argmax(-1)
            kept = (named == data.test_true).float().mean(-1), (z * labels).sum((1, 2)) / labels.sum((1, 2))
            rows.append(torch.stack([*kept, weights.norm(dim=(1, 2))]).detach())
        whole = seeds * loss(z.reshape(-1, classes), labels.reshape(-1, classes))
        (g,) = torch.autograd.grad(whole, leaf)
        weights = (step(weights.detach(), g) if step else weights - lr * g).detach()
    accuracy, label_logit, length = torch.stack(rows, 1).cpu()
    return Course(torch.arange(0, steps + 1, EVERY), accuracy, label_logit, length)


def climb(slope: Slope, *, behind: float = 10.0, steps: int = 30) -> Tensor:
    """The probability of a label that starts this far behind the one other class, on descent by ``slope``, rate 1."""
    z = torch.tensor([[-behind, 0.0]], dtype=torch.float64, device=device())
    label = torch.zeros(1, dtype=torch.long, device=z.device)
    kept = [z]
    for _ in range(steps):
        z = z - slope(z, label)
        kept.append(z)
    return torch.cat(kept).softmax(-1)[:, 0].cpu()


def draw(
    swapped: tuple[Course, Course],
    smoothed: tuple[Course, Course],
    climbed: tuple[Tensor, Tensor],
    penalised: tuple[Course, Course],
) -> Figure:
    """What each mistake costs, one panel a case; in each pair the run as found comes first, then the mended one."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(4, 1, figsize=(6.0, 11.0))
    pairs: tuple[tuple[str, str, list[Tensor], Tensor], ...] = (
        ("1  branches swapped", "accuracy", [run.accuracy for run in swapped], swapped[0].steps),
        ("2  ε lost", "logit of the label", [run.label_logit for run in smoothed], smoothed[0].steps),
        (
            "3  the sentence as a slope",
            "probability of the label",
            list(climbed),
            torch.arange(len(climbed[0])),
        ),
        ("5  factor lost", "length of the weights", [run.length for run in penalised], penalised[0].steps),
    )
    for axes, (title, quantity, values, steps) in zip(panels, pairs, strict=True):
        axes.set(title=title, ylabel=quantity)
        for one, words, colour in zip(values, ("found", "mended"), _colours(), strict=True):
            _draw_one(axes, steps, one, words, colour)
    panels[-1].set(xlabel="step")
    return figure


def _draw_one(axes: Axes, steps: Tensor, values: Tensor, words: str, colour: str) -> None:
    from losscore.lab.figures import label_line

    if values.ndim > 1:
        low, high = values.aminmax(dim=1)
        axes.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
        values = values.mean(1)
    style = "-" if words == "mended" else (0, (5, 1.6))
    label_line(axes.plot(steps, values, color=colour, linestyle=style)[0], words)


def _colours() -> tuple[str, str]:
    from losscore.lab.figures import BLUE, ORANGE

    return ORANGE, BLUE


def _with_ones(images: Tensor) -> Tensor:
    return torch.cat([images, images.new_ones(*images.shape[:-1], 1)], -1)
