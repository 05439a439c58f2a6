"""The experiment on medical decisions: risks of a tumour, what a rule makes of them, and what its errors cost.

Everything is computed for many splits at once: the first axis of each tensor is the split.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from losscore.calibration import expected_calibration_error, reliability_curve
from losscore.lab.hardware import generator
from losscore.lab.splits import Splits
from losscore.lab.training import Copies, fit

MISS, ALARM = 10.0, 1.0
"""What it costs to leave a malignant tumour alone, and to operate on a benign one."""

WEAK = ("mean texture", "mean smoothness", "mean symmetry", "mean fractal dimension", "error of smoothness")
"""Five measurements of texture and shape; none tells the size of the nuclei."""


class Part(NamedTuple):
    """One part of all splits: inputs (splits, n, d), and targets (splits, n), 1 for malignant."""

    inputs: Tensor
    target: Tensor


class Study(NamedTuple):
    """The parts of all splits; the inputs have mean 0 and variance 1 on the training part of their split."""

    train: Part
    validation: Part
    test: Part


def study(inputs: Tensor, target: Tensor, splits: Splits) -> Study:
    """Cut the data (n, d) and (n,) into the parts of the splits."""
    seen = inputs[splits.train.to(inputs.device)]
    centre, spread = seen.mean(dim=1, keepdim=True), seen.std(dim=1, keepdim=True)

    def part(indices: Tensor) -> Part:
        chosen = indices.to(inputs.device)
        return Part((inputs[chosen] - centre) / spread, target[chosen].to(inputs.dtype))

    return Study(part(splits.train), part(splits.validation), part(splits.test))


class Logits(NamedTuple):
    """What the trained models say on the parts that they have not learnt from, shape (splits, n)."""

    validation: Tensor
    test: Tensor


def train(
    study: Study,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    hidden: tuple[int, ...] = (),
    rate: float = 0.05,
    steps: int = 400,
) -> Logits:
    """Train one model a split by Adam: logistic regression, or a network with ``hidden`` layers of these widths.

    Args:
        study: the data.
        loss: ``loss(logits, target)`` with ``reduction="none"``: one number a patient.
        hidden: widths of the hidden layers.
        rate, steps: the learning rate and how many steps.
    """
    inputs, target = study.train
    widths = (inputs.shape[-1], *hidden, 1)
    model = Copies(len(inputs), widths, generator=generator(1), dtype=inputs.dtype).to(inputs.device)

    def total(logits: Tensor, target: Tensor) -> Tensor:
        return loss(logits, target).mean(dim=1).sum()

    fit(model, total, inputs, target, optimiser=partial(torch.optim.Adam, lr=rate), steps=steps)
    with torch.no_grad():
        return Logits(model(study.validation.inputs), model(study.test.inputs))


def bill(act: Tensor, target: Tensor, *, miss: float = MISS, alarm: float = ALARM) -> Tensor:
    """The mean cost a patient, in each split, of operating where ``act`` is true; shape (..., n) gives (...)."""
    ill = target > 0.5
    return (miss * (~act & ill).double() + alarm * (act & ~ill).double()).mean(dim=-1)


def bill_with_test(
    probs: Tensor, target: Tensor, *, price: float, miss: float = MISS, alarm: float = ALARM
) -> tuple[Tensor, Tensor]:
    """The mean cost a patient, and the share tested, where a further test may settle the matter for ``price``.

    Of the three actions the one of least expected cost is taken, if ``probs`` are what they say.
    """
    leave, operate = miss * probs, alarm * (1 - probs)
    test = price < torch.minimum(leave, operate)
    errors = miss * ((leave <= operate) & (target > 0.5)) + alarm * ((leave > operate) & (target < 0.5))
    return torch.where(test, price, errors.double()).mean(dim=-1), test.double().mean(dim=-1)


def unweighted(probs: Tensor, weight: float) -> Tensor:
    """The probability behind the output of a model that was trained with this weight on the positive class."""
    return probs / (probs + weight * (1 - probs))


def cheapest_threshold(probs: Tensor, target: Tensor, *, miss: float = MISS, alarm: float = ALARM) -> Tensor:
    """In each split the threshold, among the given probabilities, above which operating costs least; shape (splits,)."""
    costs = torch.stack(
        [bill(probs > probs[:, [i]], target, miss=miss, alarm=alarm) for i in range(probs.shape[1])], dim=1
    )
    return probs.gather(1, costs.argmin(dim=1, keepdim=True)).squeeze(1)


def net_benefit(probs: Tensor, target: Tensor, thresholds: Tensor) -> Tensor:
    """True positives less false positives at the odds of the threshold, a patient; shape (splits, thresholds)."""
    act = probs[..., None] > thresholds
    ill = target[..., None] > 0.5
    odds = thresholds / (1 - thresholds)
    benefit: Tensor = ((act & ill).double() - odds * (act & ~ill).double()).mean(dim=-2)
    return benefit


def calibration_errors(probs: Tensor, target: Tensor, *, bins: int = 10) -> Tensor:
    """The expected calibration error in each split, shape (splits,)."""
    return torch.stack([expected_calibration_error(p, y, bins=bins) for p, y in zip(probs, target)])


def error_by_chance(
    probs: Tensor, *, bins: int, draws: int = 200, generator: torch.Generator
) -> tuple[float, float]:
    """Mean and 95th percentile of the expected calibration error of forecasts ``probs`` (n,) that are exactly right.

    The outcomes are drawn anew, each with its stated probability.
    """
    stated = probs.cpu().double()
    outcomes = torch.rand(draws, len(stated), generator=generator, dtype=torch.float64) < stated
    errors = calibration_errors(stated.expand(draws, -1), outcomes.double(), bins=bins)
    return errors.mean().item(), errors.quantile(0.95).item()


class Reliability(NamedTuple):
    """By bin that isn't empty: mean probability, frequency, the ends of its 95 % interval, and the patients."""

    probability: Tensor
    frequency: Tensor
    low: Tensor
    high: Tensor
    patients: Tensor


def reliability(probs: Tensor, target: Tensor, *, bins: int = 10) -> Reliability:
    """The reliability curve of (n,) independent patients, with Wilson's interval of each binomial frequency."""
    probability, frequency, patients = reliability_curve(probs, target, bins=bins)
    held = patients > 0
    low, high = wilson(frequency[held], patients[held])
    return Reliability(probability[held], frequency[held], low, high, patients[held])


def wilson(share: Tensor, n: Tensor, z: float = 1.959964) -> tuple[Tensor, Tensor]:
    """Wilson's interval of a binomial probability, from the ``share`` of successes in ``n`` trials."""
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)).sqrt()
    return centre - half, centre + half
