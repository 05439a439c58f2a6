"""What the losses of forecasts, masks and survival times elicit: one check each, as in `functionals`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import permutations, product
from typing import Any

import pytest
import torch
from torch import Tensor

from losscore.catalogue import Entry

from .battery import call
from .functionals import Check

SAMPLE = torch.tensor([-3.0, -1.2, -0.4, 0.1, 0.3, 0.9, 1.7, 2.2, 5.0, 11.0, 30.0], dtype=torch.float64)
COUNTS = torch.tensor([0.0, 0.0, 1.0, 3.0, 4.0, 7.0, 20.0], dtype=torch.float64)


def _vector(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def _least(risk: Callable[[Tensor], Tensor], at: Tensor, smooth: bool = True) -> None:
    """The risk is least at the point, among others near and far; if smooth, its gradient there is 0."""
    generator = torch.Generator().manual_seed(0)
    for scale in (1.0, 0.1):
        for shift in scale * torch.randn(50, *at.shape, generator=generator, dtype=torch.float64):
            assert risk(at + shift) > risk(at) or torch.equal(shift, torch.zeros_like(shift))
    if smooth:
        point = at.clone().requires_grad_()
        assert torch.autograd.grad(risk(point), point)[0].abs().max() < 1e-9


def _over(entry: Entry, sample: Tensor, parameters: Mapping[str, Any]) -> Callable[[Tensor], Tensor]:
    return lambda at: call(entry, at.expand(*sample.shape, *at.shape), sample, **parameters)


def _moments(entry: Entry, parameters: Mapping[str, Any]) -> None:
    best = torch.stack((SAMPLE.mean(), SAMPLE.std(correction=0).log()))
    _least(_over(entry, SAMPLE, parameters), best)


def _log_mean(entry: Entry, parameters: Mapping[str, Any]) -> None:
    _least(_over(entry, COUNTS, parameters), COUNTS.mean().log())


def _mean(entry: Entry, parameters: Mapping[str, Any]) -> None:
    risk = _over(entry, COUNTS, parameters)
    for size in (0.5, 3.0, 1e3):

        def of_log_mean(log_mean: Tensor, size: float = size) -> Tensor:
            return risk(torch.stack((log_mean.exp(), torch.full_like(log_mean, size))))

        _least(of_log_mean, COUNTS.mean().log())


def _zero_inflated_law(entry: Entry, parameters: Mapping[str, Any]) -> None:
    truth, counts = _vector(3.0, 2.0, -0.5), torch.arange(200.0, dtype=torch.float64)
    law = (-call(entry, truth.expand(200, 3), counts, reduction="none")).exp()
    assert law.sum().item() == pytest.approx(1)
    assert (law @ counts).item() == pytest.approx(3.0 * torch.sigmoid(_vector(0.5)).item())

    def risk(at: Tensor) -> Tensor:
        forecast = torch.cat((at[:2].exp(), at[2:]))
        return law @ call(entry, forecast.expand(200, 3), counts, reduction="none")

    _least(risk, torch.cat((truth[:2].log(), truth[2:])))


def _gaussian_law(entry: Entry, parameters: Mapping[str, Any]) -> None:
    mean, scale = 1.5, 0.7
    observed = torch.linspace(mean - 10 * scale, mean + 10 * scale, 4001, dtype=torch.float64)
    law = (-((observed - mean) / scale).square() / 2).exp()
    law = law / law.sum()

    def risk(at: Tensor) -> Tensor:
        forecast = torch.stack((at[0], at[1].exp()))
        return law @ call(entry, forecast.expand(4001, 2), observed, reduction="none")

    _least(risk, torch.stack((_vector(mean)[0], _vector(scale).log()[0])))


def _members(entry: Entry, parameters: Mapping[str, Any]) -> None:
    if parameters["estimator"] == "nrg":
        middles = (torch.arange(4) + 0.5) / 4
        _least(_over(entry, SAMPLE, parameters), SAMPLE[(middles * len(SAMPLE)).long()], smooth=False)
        return
    points, law = _vector(0.0, 1.0, 3.0), _vector(0.5, 0.2, 0.3)
    pairs = torch.tensor(list(product(range(3), repeat=2)))
    each = torch.stack(
        [
            law @ call(entry, points[pair].expand(3, 2), points, reduction="none", **parameters)
            for pair in pairs
        ]
    )

    def risk(logits: Tensor) -> Tensor:
        return logits.softmax(0)[pairs].prod(1) @ each

    _least(risk, law.log())


def _two_quantiles(entry: Entry, parameters: Mapping[str, Any]) -> None:
    tail = parameters["alpha"] / 2
    ends = SAMPLE[[int(tail * len(SAMPLE)), int((1 - tail) * len(SAMPLE))]]
    _least(_over(entry, SAMPLE, parameters), ends, smooth=False)


def _certain_mask(entry: Entry, parameters: Mapping[str, Any]) -> None:
    for mask in torch.tensor(list(product((0.0, 1.0), repeat=3)), dtype=torch.float64)[1:]:
        right = 80 * (2 * mask - 1)
        assert entry.function(right, mask, **parameters) < 1e-15
        for row in torch.randn(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64):
            assert entry.function(3 * row, mask, **parameters) > 1e-3


def _log_hazards(entry: Entry, parameters: Mapping[str, Any]) -> None:
    """Exponential times with these hazards: i dies next of those at risk with probability h_i / sum h."""
    truth = _vector(0.0, 1.3, -0.4)

    def risk(log_hazard: Tensor) -> Tensor:
        total = log_hazard.new_zeros(())
        for order in permutations(range(3)):
            chance, at_risk = 1.0, truth.exp()
            for i in order:
                chance = chance * (at_risk[i] / at_risk.sum()).item()
                at_risk = at_risk.clone()
                at_risk[i] = 0
            time = torch.empty(3).scatter(0, torch.tensor(order), torch.arange(3.0))
            total = total + chance * entry.function(
                log_hazard, time, torch.ones(3), reduction="sum", **parameters
            )
        return total

    _least(risk, truth)
    torch.testing.assert_close(risk(truth + 7), risk(truth))


FORECAST_CHECKS: dict[str, Check] = {
    "the mean and the log of the deviation": _moments,
    "the log of the mean": _log_mean,
    "the mean of the counts": _mean,
    "the law, if it is of this kind": _zero_inflated_law,
    "the law, if it is Gaussian": _gaussian_law,
    "the quantiles at the middles of equal steps, or, fair, the law of the members": _members,
    "the quantiles at alpha/2 and 1 - alpha/2": _two_quantiles,
    "the mask, where it is certain": _certain_mask,
    "the log hazards, up to a constant": _log_hazards,
}
