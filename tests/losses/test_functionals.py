"""The minimiser of the constant prediction is the functional that the catalogue names: the book in one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from losscore.catalogue import Entry, entries

from .battery import call, over_settings
from .class_functionals import CLASS_CHECKS, DISTRIBUTION, PROBABILITIES, best_logits
from .forecast_functionals import FORECAST_CHECKS
from .functionals import CHECKS

SAMPLE = torch.tensor([-3.0, -1.2, -0.4, 0.1, 0.3, 0.9, 1.7, 2.2, 5.0, 11.0, 30.0], dtype=torch.float64)


def root(function: Callable[[Tensor], Tensor], low: float, high: float) -> float:
    """Where an increasing function changes its sign."""
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if function(torch.tensor(middle, dtype=torch.float64)) < 0 else (low, middle)
        )
    return (low + high) / 2


def minimiser(risk: Callable[[Tensor], Tensor], low: float, high: float) -> float:
    """The minimiser of a risk that falls and then rises, from the sign of its slope."""

    def slope(at: Tensor) -> Tensor:
        at = at.clone().requires_grad_()
        return torch.autograd.grad(risk(at), at)[0]

    return root(slope, low, high)


def sample_quantile(level: float) -> float:
    """The sample quantile, which is unique as long as `level` times the sample's size isn't whole."""
    return float(SAMPLE[int(level * len(SAMPLE))])


def sample_expectile(level: float) -> float:
    def balance(at: Tensor) -> Tensor:
        return (1 - level) * (at - SAMPLE).clamp(min=0).mean() - level * (SAMPLE - at).clamp(min=0).mean()

    return root(balance, -50, 50)


OF_A_SAMPLE: dict[str, Callable[..., float]] = {
    "the mean": lambda: float(SAMPLE.mean()),
    "the median": lambda: float(SAMPLE.median()),
    "the point about which deviations cut off at delta average to 0": lambda delta: root(
        lambda at: (at - SAMPLE).clamp(-delta, delta).mean(), -50, 50
    ),
    "the point about which the tanh of deviations averages to 0": lambda: root(
        lambda at: (at - SAMPLE).tanh().mean(), -50, 50
    ),
    "the quantile": lambda quantile: sample_quantile(quantile),
    "the critical fractile": lambda underage, overage: sample_quantile(underage / (underage + overage)),
    "the expectile": lambda level: sample_expectile(level),
}
OF_A_PROBABILITY: dict[str, Callable[[float], float]] = {
    "the log-odds": lambda p: float(torch.tensor(p, dtype=torch.float64).logit()),
    "half the log-odds": lambda p: float(torch.tensor(p, dtype=torch.float64).logit()) / 2,
    "twice the probability, minus 1": lambda p: 2 * p - 1,
    "the more probable label": lambda p: 1.0 if p > 0.5 else -1.0,
}


@over_settings
def test_the_best_constant_is_the_functional_named(entry: Entry, parameters: Mapping[str, Any]) -> None:
    checks = {**CHECKS, **FORECAST_CHECKS, **CLASS_CHECKS}
    if entry.elicits in checks:
        checks[entry.elicits](entry, parameters)
    elif entry.input == "real":
        best = minimiser(lambda x: call(entry, x.expand_as(SAMPLE), SAMPLE, **parameters), -50, 50)
        assert best == pytest.approx(OF_A_SAMPLE[entry.elicits](**parameters), abs=1e-9)
    elif entry.input in ("logits", "hidden", "probabilities"):
        assert entry.elicits == "the distribution"
        torch.testing.assert_close(
            best_logits(entry, parameters, DISTRIBUTION).softmax(0), DISTRIBUTION, rtol=0, atol=1e-7
        )
    elif entry.elicits == "a score with the sign of the more probable label":
        for p in PROBABILITIES:
            risks = [binary_risk(entry, p)(torch.tensor(f)).item() for f in (-2.0, -0.1, 0.1, 2.0)]
            wrong, right = ((0, 1), (2, 3)) if p > 0.5 else ((2, 3), (0, 1))
            assert all(risks[i] > risks[j] for i in wrong for j in right)
    else:
        for p in PROBABILITIES:
            best = minimiser(binary_risk(entry, p), -30, 30)
            assert best == pytest.approx(OF_A_PROBABILITY[entry.elicits](p), abs=1e-9)


def binary_risk(entry: Entry, p: float) -> Callable[[Tensor], Tensor]:
    one, other = torch.tensor(1), torch.tensor(-1 if entry.target == "sign" else 0)
    return lambda x: p * call(entry, x, one) + (1 - p) * call(entry, x, other)


def test_a_wrong_functional_would_show() -> None:
    def best(name: str) -> float:
        return minimiser(lambda x: entries()[name].function(x.expand_as(SAMPLE), SAMPLE), -50, 50)

    assert abs(best("squared_error") - best("absolute_error")) > 1
