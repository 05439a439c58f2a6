"""The experiment on times to an event: losses that know of censoring and losses that don't, on the same patients.

Everything is computed for many splits at once: the first axis of each tensor is the split.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from losscore.lab.hardware import device, generator
from losscore.lab.loaders import Survival
from losscore.lab.splits import Splits
from losscore.lab.training import Copies, progress
from losscore.losses.densities import gaussian_nll
from losscore.losses.survival import cox

YEAR = 365.25
"""Days."""


class Part(NamedTuple):
    """One part of all splits: inputs (splits, n, d); days and whether the event was seen, (splits, n)."""

    inputs: Tensor
    time: Tensor
    event: Tensor


class Study(NamedTuple):
    """The parts of all splits; the inputs have mean 0 and variance 1 on the training part of their split."""

    train: Part
    validation: Part
    test: Part


def study(patients: Survival, splits: Splits) -> Study:
    """Cut the patients into the parts of the splits."""
    seen = patients.inputs[splits.train]
    centre, spread = seen.mean(dim=1, keepdim=True), seen.std(dim=1, keepdim=True)

    def part(indices: Tensor) -> Part:
        inputs = (patients.inputs[indices] - centre) / spread
        return Part(*(x.to(device()) for x in (inputs, patients.time[indices], patients.event[indices])))

    return Study(part(splits.train), part(splits.validation), part(splits.test))


def let_leave(patients: Survival, *, share: float, before: float, generator: torch.Generator) -> Survival:
    """The same patients, had this ``share`` of those with a seen event left ``before`` days ahead of it."""
    leave = patients.event & (torch.rand(len(patients.time), generator=generator) < share)
    earlier = (patients.time - before).clamp(min=1)
    return patients._replace(time=torch.where(leave, earlier, patients.time), event=patients.event & ~leave)


# Losses of a prediction (splits, n), a log hazard or a log time, on one part: one number a split.

Loss = Callable[[Tensor, Part, Tensor], Tensor]


def cox_loss(log_hazard: Tensor, part: Part, log_scale: Tensor) -> Tensor:
    """Cox's negative log partial likelihood a seen event; it has no scale."""
    losses: Tensor = torch.vmap(partial(cox, reduction="mean"))(log_hazard, part.time, part.event)
    return losses


def log_normal_loss(
    log_time: Tensor,
    part: Part,
    log_scale: Tensor,
    *,
    censored: Literal["known", "dropped", "as events"] = "known",
) -> Tensor:
    """The Gaussian negative log-likelihood of the log time, with one of three treatments of the censored.

    "known" gives them the probability of a later event; "dropped" leaves them out; "as events" takes the last contact
    for the event. In ``log_time`` the last two are squared error.
    """
    y = part.time.log()
    density = gaussian_nll(log_time, y, log_scale=log_scale.expand_as(y), reduction="none")
    if censored == "as events":
        return density.mean(dim=1)
    if censored == "dropped":
        return (density * part.event).sum(dim=1) / part.event.sum(dim=1)
    later = -torch.special.log_ndtr((log_time - y) / log_scale.exp())
    return torch.where(part.event, density, later).mean(dim=1)


class Model(NamedTuple):
    """What trained models say on the three parts, and the log scale (splits, 1) of the losses that have one."""

    train: Tensor
    validation: Tensor
    test: Tensor
    log_scale: Tensor


def train(
    study: Study,
    loss: Loss,
    *,
    start: float = 0.0,
    hidden: tuple[int, ...] = (),
    rate: float = 0.05,
    steps: int = 150,
    stop: bool = False,
) -> Model:
    """Train one model a split by Adam: linear, or a network with ``hidden`` layers of these widths.

    Args:
        study: the data.
        loss: ``loss(prediction, part, log_scale)``, one number a split.
        start: is added to the output of the model.
        hidden: widths of the hidden layers.
        rate, steps: the learning rate and how many steps.
        stop: keep what each split's model said when its loss on the validation part was the least.
    """
    inputs = study.train.inputs
    copies = len(inputs)
    model = Copies(copies, (inputs.shape[-1], *hidden, 1), generator=generator(1), dtype=inputs.dtype)
    model = model.to(inputs.device)
    log_scale = nn.Parameter(torch.zeros(copies, 1, dtype=inputs.dtype, device=inputs.device))
    rule = torch.optim.Adam([*model.parameters(), log_scale], lr=rate)

    def says() -> list[Tensor]:
        with torch.no_grad():
            return [start + model(part.inputs) for part in study] + [log_scale.clone()]

    best, least = says(), torch.full_like(log_scale, math.inf)
    for _ in progress(steps, "training"):
        rule.zero_grad()
        loss(start + model(inputs), study.train, log_scale).sum().backward()  # type: ignore[no-untyped-call]
        rule.step()
        if stop:
            now = says()
            held_out = loss(now[1], study.validation, now[3]).unsqueeze(1)
            best = [torch.where(held_out < least, new, old) for new, old in zip(now, best, strict=True)]
            least = torch.minimum(held_out, least)
    return Model(*(best if stop else says()))


# Curves: the probability of no event until each of some times.


def kaplan_meier(time: Tensor, event: Tensor, at: Tensor) -> Tensor:
    """The Kaplan–Meier curve of (n,) patients at the times ``at``."""
    moments = torch.unique(time[event])
    at_risk = (time >= moments[:, None]).sum(dim=1)
    events = ((time == moments[:, None]) & event).sum(dim=1)
    curve = torch.cat((torch.ones(1).to(at), (1 - events.to(at) / at_risk).cumprod(dim=0)))
    return curve[torch.searchsorted(moments, at, right=True)]


def kaplan_meier_curves(study: Study, at: Tensor) -> Tensor:
    """The forecast without inputs: each split's Kaplan–Meier curve of its training part, (splits, n, times)."""
    curves = torch.stack([kaplan_meier(part.time, part.event, at) for part in _each(study.train)])
    return curves.unsqueeze(1).expand(-1, study.test.time.shape[1], -1)


def baseline_hazard(log_hazard: Tensor, part: Part, at: Tensor) -> Tensor:
    """Breslow's estimate of the cumulative hazard of log hazard 0 at the times ``at``, shape (splits, times)."""
    order = part.time.argsort(dim=1, descending=True, stable=True)
    time, event, hazard = (x.gather(1, order) for x in (part.time, part.event, log_hazard.exp()))
    last_tied = torch.searchsorted(-time, -time, right=True) - 1
    jumps = event / hazard.cumsum(dim=1).gather(1, last_tied)
    return torch.stack([(jumps * (time <= t)).sum(dim=1) for t in at], dim=1)


def cox_curves(model: Model, study: Study, at: Tensor) -> Tensor:
    """Each test patient's curve, from the log hazards and Breslow's baseline, shape (splits, n, times)."""
    base = baseline_hazard(model.train, study.train, at)
    return (-base.unsqueeze(1) * model.test.exp().unsqueeze(2)).exp()


def log_normal_curves(model: Model, at: Tensor) -> Tensor:
    """Each test patient's curve, from a Gaussian log time, shape (splits, n, times)."""
    scale = model.log_scale.exp().unsqueeze(2)
    curves: Tensor = torch.special.ndtr((model.test.unsqueeze(2) - at.log()) / scale)
    return curves


def median_time(at: Tensor, curve: Tensor) -> float:
    """The first time of ``at`` at which a falling curve (times,) is at most one half; infinite if there is none."""
    low = at[curve <= 0.5]
    return low[0].item() if len(low) else math.inf


# What the predictions are worth.


def concordance(risk: Tensor, part: Part) -> Tensor:
    """Harrell's index in each split: of the pairs whose order in time is known, the share that ``risk`` orders so.

    Such a pair has a patient with a seen event, and another who was without it for longer. Equal risks count half.
    """
    earlier, later = part.time.unsqueeze(2), part.time.unsqueeze(1)
    known = part.event.unsqueeze(2) & ((earlier < later) | ((earlier == later) & ~part.event.unsqueeze(1)))
    gap = risk.unsqueeze(2) - risk.unsqueeze(1)
    right = (gap > 0).double() + 0.5 * (gap == 0).double()
    return (right * known).sum(dim=(1, 2)) / known.sum(dim=(1, 2))


def brier(curves: Tensor, study: Study, at: Tensor) -> Tensor:
    """The squared error of the curves (splits, n, times) at the times ``at``, weighted against censoring.

    Whoever is known to have had the event or not counts with one over the probability of being followed for so long,
    from the Kaplan–Meier curve of the *censoring* in the training part. Shape (splits, times).
    """
    scores = []
    for curve, train, test in zip(curves, _each(study.train), _each(study.test), strict=True):
        followed = partial(kaplan_meier, train.time, ~train.event)
        before = torch.nextafter(test.time, torch.zeros_like(test.time))
        later = test.time[:, None] > at
        gone = ~later & test.event[:, None]
        lost = torch.where(gone, curve**2 / followed(before)[:, None], 0)
        scores.append(torch.where(later, (1 - curve) ** 2 / followed(at), lost).mean(dim=0))
    return torch.stack(scores)


def thirds(score: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Which of (n,) patients have the lowest, the middle and the highest third of the scores."""
    low, high = score.quantile(1 / 3), score.quantile(2 / 3)
    return score <= low, (score > low) & (score <= high), score > high


def _each(part: Part) -> list[Part]:
    return [Part(*one) for one in zip(*part, strict=True)]
