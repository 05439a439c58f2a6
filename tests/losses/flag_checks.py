"""One check for each flag: over random inputs it yields what breaks the property, or it evaluates a counterexample.

A prediction of several arguments has them along its last dimension, as in the battery.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import torch
from torch import Generator, Tensor

from losscore.catalogue import Entry
from losscore.catalogue_flags import Flag

from .battery import batch, bounded, call, row_by_row, targets

ROWS = 200
SEEDS = range(40)
SCALES = (1e-3, 0.3, 1.0, 5.0, 200.0)
SHARPNESS = (1, 4, 12)
ROUNDING = 1e-9
CLASSES = 3

Parameters = Mapping[str, Any]
Check = Callable[[Entry, Flag, Parameters], Iterator[str]]


def vector(value: Any) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def evaluated(expression: str, parameters: Parameters, size: int = 0) -> Any:
    """The value of a bound or a condition that a flag states."""
    names = {"sqrt": math.sqrt, "log": math.log, "e": math.e, "max": max, "K": CLASSES, "N": size}
    return eval(expression, {"__builtins__": {}}, {**names, **parameters})


def settings(entry: Entry, flag: Flag) -> list[Parameters]:
    """The examples of the parameters for which the flag is said to hold."""
    return [given for given in entry.examples if not flag.given or evaluated(flag.given, given)]


def costs(entry: Entry, prediction: Tensor, target: Any, parameters: Parameters) -> Tensor:
    """One loss for each row of predictions, or one for a batch whose rows are entangled."""
    if row_by_row(entry):
        return call(entry, prediction, target, reduction="none", **parameters)
    return call(entry, prediction, target, **parameters).unsqueeze(0)


def _draws(entry: Entry) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Two batches of predictions and a target for both, of every form and scale."""
    size, seeds = (ROWS, (0, 2)) if row_by_row(entry) else (6, SEEDS)
    for seed in seeds:
        one, other = (batch(entry, size, seed=s)[0] for s in (seed, seed + 1000))
        for target in targets(entry, size):
            if bounded(entry):
                yield from ((_sharper(entry, one, k), _sharper(entry, other, k), target) for k in SHARPNESS)
            else:
                yield from ((scale * one, scale * other, target) for scale in SCALES)


def _sharper(entry: Entry, prediction: Tensor, power: int) -> Tensor:
    """Predictions within their bounds, nearer to them."""
    found = prediction**power
    return found / found.sum(-1, keepdim=True) if entry.input == "probabilities" else found


def _sizes(entry: Entry, prediction: Tensor) -> Tensor:
    """The norm of each row, or that of the batch where its rows are entangled."""
    return prediction.reshape(len(prediction) if row_by_row(entry) else 1, -1).norm(dim=1)


@dataclass(frozen=True)
class Link:
    """What a model's output stands for, and back."""

    to: Callable[[Tensor], Tensor] = lambda output: output
    back: Callable[[Tensor], Tensor] = lambda stands_for: stands_for


_SOFTMAX = Link(lambda z: z.softmax(-1), torch.log)
_SIGMOID = Link(torch.sigmoid, torch.logit)
_LINKS = {
    "logit": _SIGMOID,
    "mask": _SIGMOID,
    "logits": _SOFTMAX,
    "hidden": _SOFTMAX,
    "log rate": Link(torch.exp, torch.log),
}


def _link(entry: Entry, flag_name: str) -> Link:
    return _LINKS.get(entry.input, Link()) if flag_name == "convex in the prediction" else Link()


def above_the_chord(
    entry: Entry, name: str, one: Tensor, other: Tensor, target: Any, parameters: Parameters
) -> Tensor:
    """By how much the loss halfway between two predictions exceeds the mean of their losses."""
    link = _link(entry, name)
    halfway = link.back((link.to(one) + link.to(other)) / 2)
    ends = (costs(entry, one, target, parameters) + costs(entry, other, target, parameters)) / 2
    return costs(entry, halfway, target, parameters) - ends


def _bends_down(name: str) -> Check:
    def check(entry: Entry, flag: Flag, parameters: Parameters) -> Iterator[str]:
        for one, other, target in _draws(entry):
            link = _link(entry, name)
            if link is not Link() and one.abs().max() > 30 and entry.input in _LINKS:
                continue
            excess = above_the_chord(entry, name, one, other, target, parameters)
            size = (
                1
                + costs(entry, one, target, parameters).abs()
                + costs(entry, other, target, parameters).abs()
            )
            if (worst := (excess / size).max()) > ROUNDING:
                yield f"{excess[(excess / size).argmax()].item()} above the chord, relatively {worst.item()}"

    return check


def too_steep(entry: Entry, flag: Flag, parameters: Parameters) -> Iterator[str]:
    for one, other, target in _draws(entry):
        bound = evaluated(flag.bound or "50", parameters)
        for end in (other, one + 1e-3 * other):
            rise = (costs(entry, one, target, parameters) - costs(entry, end, target, parameters)).abs()
            quotient = rise / _sizes(entry, one - end)
            if (steepest := quotient.max()) > bound * (1 + 1e-6):
                yield f"slope {steepest.item()} above {bound}"


def beyond_the_bound(entry: Entry, flag: Flag, parameters: Parameters) -> Iterator[str]:
    for one, _, target in _draws(entry):
        values = costs(entry, one, target, parameters)
        bound = evaluated(flag.bound or "20", parameters, len(one))
        if values.max() > bound + ROUNDING or values.min() < -ROUNDING:
            yield f"values from {values.min().item()} to {values.max().item()}, not from 0 to {bound}"


def not_the_sum_of_samples(entry: Entry, flag: Flag, parameters: Parameters) -> Iterator[str]:
    for seed in SEEDS:
        prediction = batch(entry, 6, seed=seed)[0]
        for target in targets(entry, 6):
            for reduction, weights in (("sum", (1, 1)), ("mean", (1 / 3, 2 / 3))):
                whole = call(entry, prediction, target, reduction=reduction, **parameters)
                first = call(entry, prediction[:2], target[:2], reduction=reduction, **parameters)
                rest = call(entry, prediction[2:], target[2:], reduction=reduction, **parameters)
                if (difference := (whole - weights[0] * first - weights[1] * rest).abs()) > ROUNDING:
                    yield f"{reduction} of the whole differs by {difference.item()}"


@dataclass(frozen=True)
class Law:
    """A law of the target for each row: the prediction that says just this, the outcomes and their weights."""

    honest: Tensor
    outcomes: Tensor
    weights: Tensor

    def expected(self, entry: Entry, prediction: Tensor, parameters: Parameters) -> Tensor:
        rows, outcomes = self.weights.shape
        repeated = prediction.unsqueeze(1).expand(rows, outcomes, *prediction.shape[1:]).flatten(0, 1)
        values = outcome_costs(entry, repeated, self.outcomes.flatten(0, 1), parameters)
        return (self.weights * values.reshape(rows, outcomes)).sum(1)


def outcome_costs(entry: Entry, prediction: Tensor, outcome: Tensor, parameters: Parameters) -> Tensor:
    """The loss of each prediction for an outcome; where the roles of the answers are the outcome, 0 swaps them."""
    if entry.target != "nothing":
        return call(entry, prediction, outcome, reduction="none", **parameters)
    swapped = torch.where(outcome.unsqueeze(-1) == 1, prediction, prediction[:, _SWAP[prediction.shape[-1]]])
    return call(entry, swapped, outcome.new_zeros(len(outcome), 0), reduction="none", **parameters)


_SWAP = {2: [1, 0], 4: [1, 0, 3, 2]}


def _of_classes(honest: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Parameters], Law]:
    def law(p: Tensor, parameters: Parameters) -> Law:
        return Law(honest(p), torch.arange(p.shape[1]).expand(len(p), -1), p)

    return law


def _of_an_event(honest: Callable[[Tensor, Parameters], Tensor]) -> Callable[[Tensor, Parameters], Law]:
    def law(p: Tensor, parameters: Parameters) -> Law:
        return Law(honest(p, parameters), vector((0.0, 1.0)).expand(len(p), 2), torch.stack((1 - p, p), 1))

    return law


def _reward_gap(p: Tensor, parameters: Parameters) -> Tensor:
    return torch.stack((p.logit(), torch.zeros_like(p)), 1)


def _likelihood_gain(p: Tensor, parameters: Parameters) -> Tensor:
    return torch.nn.functional.pad((p.logit() / parameters["beta"]).unsqueeze(1), (0, 3))


def _of_pixels(p: Tensor, parameters: Parameters) -> Law:
    masks = vector(list(product((0.0, 1.0), repeat=p.shape[1]))).expand(len(p), -1, -1)
    weights = torch.where(masks == 1, p.unsqueeze(1), 1 - p.unsqueeze(1)).prod(2)
    return Law(p.logit(), masks, weights)


def _gaussian(log: bool) -> Callable[[Tensor, Parameters], Law]:
    def law(mean_and_scale: Tensor, parameters: Parameters) -> Law:
        mean, scale = (column.unsqueeze(1) for column in mean_and_scale.unbind(1))
        z = torch.linspace(-9, 9, 1201, dtype=torch.float64)
        weights = (-z.square() / 2).exp().expand(len(mean), -1)
        honest = torch.cat((mean, scale.log() if log else scale), 1)
        return Law(honest, mean + scale * z, weights / weights.sum(1, keepdim=True))

    return law


_COUNTS = torch.arange(400.0, dtype=torch.float64)


def _poisson(rate: Tensor, parameters: Parameters) -> Law:
    log_weights = _COUNTS * rate.log() - rate - torch.lgamma(_COUNTS + 1)
    return Law(rate.log().squeeze(1), _COUNTS.expand(len(rate), -1), log_weights.exp())


def _negative_binomial(law: Tensor, parameters: Parameters) -> Law:
    mean, size = (column.unsqueeze(1) for column in law[:, :2].unbind(1))
    log_ways = torch.lgamma(_COUNTS + size) - torch.lgamma(size) - torch.lgamma(_COUNTS + 1)
    weights = (log_ways + size * (size / (size + mean)).log() + _COUNTS * (mean / (size + mean)).log()).exp()
    if law.shape[1] == 3:
        zero = law[:, 2:].sigmoid()
        weights = (1 - zero) * weights + zero * (_COUNTS == 0)
    return Law(law, _COUNTS.expand(len(law), -1), weights)


def _ensemble(members: Tensor, parameters: Parameters) -> Law:
    return Law(members, members, torch.full_like(members, 1 / members.shape[1]))


LAWS: dict[str, Callable[[Tensor, Parameters], Law]] = {
    "logit": _of_an_event(lambda p, parameters: p.logit()),
    "logits": _of_classes(torch.log),
    "hidden": _of_classes(torch.log),
    "probabilities": _of_classes(lambda p: p),
    "rewards": _of_an_event(_reward_gap),
    "log-likelihoods": _of_an_event(_likelihood_gain),
    "mask": _of_pixels,
    "location and log scale": _gaussian(log=True),
    "location and scale": _gaussian(log=False),
    "log rate": _poisson,
    "mean and size": _negative_binomial,
    "mean, size and zero": _negative_binomial,
    "ensemble": _ensemble,
}


def _random_laws(entry: Entry, generator: Generator) -> Tensor:
    """Numbers that a law of this kind is given by, one row for each law."""

    def normal(*size: int) -> Tensor:
        return torch.randn(ROWS, *size, generator=generator, dtype=torch.float64)

    spread = {
        "mask": lambda: normal(CLASSES).sigmoid(),
        "location and log scale": lambda: torch.stack((normal(), normal().exp()), 1),
        "location and scale": lambda: torch.stack((normal(), normal().exp()), 1),
        "log rate": lambda: (2 * normal(1).tanh()).exp(),
        "mean and size": lambda: (1.5 * normal(2).tanh()).exp(),
        "mean, size and zero": lambda: torch.cat(((1.5 * normal(2).tanh()).exp(), normal(1)), 1),
        "ensemble": lambda: normal(4),
    }
    if entry.input in spread:
        return spread[entry.input]()
    if entry.input in ("logits", "hidden", "probabilities"):
        return normal(CLASSES).softmax(1)
    return normal().sigmoid()


def _better_than_the_truth(strictly: bool) -> Check:
    def check(entry: Entry, flag: Flag, parameters: Parameters) -> Iterator[str]:
        generator = torch.Generator().manual_seed(0)
        numbers, other = _random_laws(entry, generator), _random_laws(entry, generator)
        law = LAWS[entry.input](numbers, parameters)
        for share in (0.05, 0.3, 1.0):
            forecast = LAWS[entry.input]((1 - share) * numbers + share * other, parameters).honest
            regret = law.expected(entry, forecast, parameters) - law.expected(entry, law.honest, parameters)
            if regret.min() < (1e-12 if strictly else -ROUNDING):
                yield f"regret {regret.min().item()} of a forecast {share} of the way to another law"

    return check


def candidates(entry: Entry, among: str) -> Tensor:
    """Predictions all over the space, near ties and far out."""
    generator = torch.Generator().manual_seed(0)
    if entry.input in ("score", "logit"):
        near = torch.linspace(-8, 8, 1601, dtype=torch.float64)
        return torch.cat((near, vector((-50.0, -20.0, -1e-4, 1e-4, 20.0, 50.0))))
    if entry.input in ("rewards", "log-likelihoods"):
        gaps = torch.linspace(-60, 60, 4801, dtype=torch.float64).unsqueeze(1)
        return torch.nn.functional.pad(gaps, (0, len(entry.predicted) - 1))
    normal = torch.randn(4000, CLASSES, generator=generator, dtype=torch.float64)
    whole = vector(list(product((-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0), repeat=CLASSES)))
    every = torch.cat([s * normal for s in (0.01, 0.3, 1.0, 3.0, 20.0)] + [whole])
    if entry.input == "probabilities":
        return every.softmax(1).clamp(min=1e-30)
    return _AMONG[among](every)


_AMONG: dict[str, Callable[[Tensor], Tensor]] = {
    "": lambda scores: scores,
    "scores that sum to 0": lambda scores: scores - scores.mean(1, keepdim=True),
}


def decisions(entry: Entry, prediction: Tensor) -> Tensor:
    """The class that a prediction elects: the first of equals, 1 for a score of 0."""
    if entry.input in ("score", "logit"):
        return (prediction >= 0).long()
    if entry.input in ("rewards", "log-likelihoods"):
        gain = prediction * vector((1.0, -1.0, -1.0, 1.0))[: prediction.shape[1]]
        return (gain.sum(1) >= 0).long()
    return prediction.argmax(1)


def label_costs(entry: Entry, prediction: Tensor, parameters: Parameters) -> Tensor:
    """The loss of each prediction for each label, one column a label."""
    number = CLASSES if entry.input in ("logits", "hidden", "probabilities", "scores") else 2
    columns = []
    for label in range(number):
        outcome = 2 * label - 1 if entry.target == "sign" else label
        whole = torch.full((len(prediction),), outcome, dtype=torch.long)
        columns.append(outcome_costs(entry, prediction, whole, parameters))
    return torch.stack(columns, 1)


def elects_another_class(entry: Entry, flag: Flag, parameters: Parameters) -> Iterator[str]:
    """Whether predictions of another than the most probable class come as near to the infimum as any."""
    generator = torch.Generator().manual_seed(1)
    tried = candidates(entry, flag.among)
    table, elected = label_costs(entry, tried, parameters), decisions(entry, tried)
    laws = torch.rand(ROWS, table.shape[1], generator=generator, dtype=torch.float64)
    laws = laws / laws.sum(1, keepdim=True)
    lead = laws.topk(2).values.diff().abs().squeeze(1)
    for law in laws[lead > 0.12]:
        risk = table @ law
        wrong = risk[elected != law.argmax()].min()
        if wrong <= risk.min() + ROUNDING:
            yield f"at {law.tolist()} a wrong decision costs {wrong.item()}, the least is {risk.min().item()}"


def depends_on_the_prediction(entry: Entry, flag: Flag, parameters: Parameters) -> Iterator[str]:
    tried = candidates(entry, "")
    totals = label_costs(entry, tried, parameters).sum(1)
    if (spread := totals.max() - totals.min()) > ROUNDING:
        yield f"the sum over the labels varies by {spread.item()}"


CHECKS: dict[str, Check] = {
    "proper": _better_than_the_truth(strictly=False),
    "strictly proper": _better_than_the_truth(strictly=True),
    "calibrated": elects_another_class,
    "convex in the prediction": _bends_down("convex in the prediction"),
    "convex in the logit": _bends_down("convex in the logit"),
    "Lipschitz in the logit": too_steep,
    "bounded": beyond_the_bound,
    "symmetric": depends_on_the_prediction,
    "decomposes": not_the_sum_of_samples,
}


def _grow(values: list[float]) -> bool:
    return len(values) > 2 and values[0] > 0 and all(b > 1.5 * a for a, b in pairwise(values))


def _one(entry: Entry, value: Any) -> Tensor:
    """One prediction as a batch; an entangled batch as it is."""
    found = vector(value)
    return found.unsqueeze(0) if row_by_row(entry) else found


def _target(entry: Entry, value: Any) -> Tensor:
    found = (
        torch.tensor(value)
        if entry.input in ("scores", "hidden") or isinstance(value, int)
        else vector(value)
    )
    if not row_by_row(entry) and entry.target == "groups":
        return torch.tensor(value)
    return found.unsqueeze(0) if row_by_row(entry) else found


def _at(entry: Entry, prediction: Any, target: Any, parameters: Parameters) -> float:
    return costs(entry, _one(entry, prediction), _target(entry, target), parameters).item()


def chord_is_crossed(name: str) -> Callable[[Entry, Parameters, Parameters], bool]:
    def broken(entry: Entry, found: Parameters, parameters: Parameters) -> bool:
        link = _link(entry, name)
        if name == "convex in the prediction" and entry.input in _LINKS:
            ends = [link.back(_one(entry, end)) for end in found["between"]]
        else:
            ends = [_one(entry, end) for end in found["between"]]
        excess = above_the_chord(entry, name, ends[0], ends[1], _target(entry, found["target"]), parameters)
        return excess.item() > 1e-4

    return broken


def slopes_grow(entry: Entry, found: Parameters, parameters: Parameters) -> bool:
    slopes = []
    for one, other in found["pairs"]:
        rise = abs(
            _at(entry, one, found["target"], parameters) - _at(entry, other, found["target"], parameters)
        )
        slopes.append(rise / (_one(entry, one) - _one(entry, other)).norm().item())
    return _grow(slopes)


def values_grow(entry: Entry, found: Parameters, parameters: Parameters) -> bool:
    return _grow([_at(entry, x, found["target"], parameters) for x in found["predictions"]])


def another_forecast_is_better(entry: Entry, found: Parameters, parameters: Parameters) -> bool:
    law, forecast = (LAWS[entry.input](vector([found[x]]), parameters) for x in ("law", "forecast"))
    better = law.expected(entry, forecast.honest, parameters)
    return (law.expected(entry, law.honest, parameters) - better).item() > 1e-4


def a_wrong_decision_is_optimal(entry: Entry, found: Parameters, parameters: Parameters) -> bool:
    p = found["law"]
    law = vector((1 - p, p) if isinstance(p, float) else p)
    chosen, others = vector([found["prediction"]]), candidates(entry, "")
    risk = (label_costs(entry, chosen, parameters) @ law).item()
    right = decisions(entry, others) == law.argmax()
    least = (label_costs(entry, others[right], parameters) @ law).min().item()
    return least >= risk - 1e-12 and (decisions(entry, chosen) != law.argmax() or _tied(chosen))


def _tied(prediction: Tensor) -> bool:
    return prediction.ndim > 1 and bool((prediction == prediction.max()).sum() > 1)


def sums_differ(entry: Entry, found: Parameters, parameters: Parameters) -> bool:
    totals = label_costs(entry, vector(found["predictions"]), parameters).sum(1)
    return abs(totals[0] - totals[1]).item() > 1e-3


def the_pool_is_not_the_sum(entry: Entry, found: Parameters, parameters: Parameters) -> bool:
    predictions = [vector(prediction) for prediction, _ in found["batches"]]
    observed = [_target(entry, target) for _, target in found["batches"]]

    def loss(prediction: Tensor, target: Tensor) -> float:
        return call(entry, prediction, target, reduction="sum", **parameters).item()

    parts = sum(loss(p, t) for p, t in zip(predictions, observed, strict=True))
    return abs(loss(torch.cat(predictions), torch.cat(observed)) - parts) > 1e-3


COUNTEREXAMPLES: dict[str, Callable[[Entry, Parameters, Parameters], bool]] = {
    "proper": another_forecast_is_better,
    "strictly proper": another_forecast_is_better,
    "calibrated": a_wrong_decision_is_optimal,
    "convex in the prediction": chord_is_crossed("convex in the prediction"),
    "convex in the logit": chord_is_crossed("convex in the logit"),
    "Lipschitz in the logit": slopes_grow,
    "bounded": values_grow,
    "symmetric": sums_differ,
    "decomposes": the_pool_is_not_the_sum,
}
