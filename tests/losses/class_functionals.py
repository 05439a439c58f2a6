"""What the best constant logits are for losses of several classes that aren't proper, and for those of noisy labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from losscore.catalogue import Entry

from .battery import call

DISTRIBUTION = torch.tensor([0.55, 0.05, 0.4], dtype=torch.float64)
PROBABILITIES = (0.03, 0.2, 0.45, 0.7, 0.98)

Pull = Callable[[float], float]


def best_logits(entry: Entry, parameters: Mapping[str, Any], law: Tensor) -> Tensor:
    """Descend on the risk of one constant prediction, by class indices weighted with their probabilities.

    Where the loss takes probabilities, they are the softmax of the logits; of two classes, the logit of the second.
    """
    classes = len(law)
    logits = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    descent = torch.optim.LBFGS(
        [logits], max_iter=500, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def risk() -> Tensor:
        descent.zero_grad()
        predicted = logits.softmax(0) if entry.input == "probabilities" else logits
        rows = (
            (logits[1] - logits[0]).expand(2)
            if entry.input == "logit"
            else predicted.expand(classes, classes)
        )
        total = (law * call(entry, rows, torch.arange(classes), reduction="none", **parameters)).sum()
        total.backward()
        return total

    descent.step(risk)
    return logits.detach()


def balanced(pulls: list[Pull]) -> Tensor:
    """The distribution at which every class pulls equally on its own probability; each pull falls as that grows."""

    def probability(pull: Pull, level: float) -> float:
        return _root(lambda p: level - pull(p), 0.0, 1.0)

    level = _root(lambda height: 1 - sum(probability(pull, math.exp(height)) for pull in pulls), -50.0, 50.0)
    return torch.tensor([probability(pull, math.exp(level)) for pull in pulls], dtype=torch.float64)


def _root(increasing: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(52):  # after more, a middle may round to the end
        middle = (low + high) / 2
        low, high = (middle, high) if increasing(middle) < 0 else (low, middle)
    return (low + high) / 2


def _focal_pull(weight: float, gamma: float) -> Pull:
    def pull(p: float) -> float:
        return weight * ((1 - p) ** gamma / p - gamma * (1 - p) ** (gamma - 1) * math.log(p))

    return pull


def _agree(entry: Entry, parameters: Mapping[str, Any], law: Tensor, wanted: Tensor) -> None:
    found = best_logits(entry, parameters, law).softmax(0)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-7)


def _sharpened_by_power(entry: Entry, parameters: Mapping[str, Any]) -> None:
    powers = DISTRIBUTION ** (1 / (1 - parameters["q"]))
    _agree(entry, parameters, DISTRIBUTION, powers / powers.sum())


def _sharpened_by_reverse(entry: Entry, parameters: Mapping[str, Any]) -> None:
    alpha, reverse = parameters["alpha"], -parameters["beta"] * parameters["log_zero"]
    wanted = balanced([lambda p, t=t: t * (alpha / p + reverse) for t in DISTRIBUTION.tolist()])
    _agree(entry, parameters, DISTRIBUTION, wanted)


def _most_probable(entry: Entry, parameters: Mapping[str, Any]) -> None:
    """The infimum is at infinity: the descent has come close, and the most probable class costs least."""
    found = best_logits(entry, parameters, DISTRIBUTION).softmax(0)
    assert found.argmax() == DISTRIBUTION.argmax() and found.max() > 0.999


def _before_the_transition(entry: Entry, parameters: Mapping[str, Any]) -> None:
    labels = DISTRIBUTION @ torch.tensor(parameters["transition"], dtype=torch.float64)
    _agree(entry, parameters, labels, DISTRIBUTION)


def _flattened(entry: Entry, parameters: Mapping[str, Any]) -> None:
    alpha = parameters["alpha"] or (1.0, 1.0, 1.0)
    weights = (DISTRIBUTION * torch.tensor(alpha)).tolist()
    _agree(entry, parameters, DISTRIBUTION, balanced([_focal_pull(w, parameters["gamma"]) for w in weights]))


def _flattened_log_odds(entry: Entry, parameters: Mapping[str, Any]) -> None:
    alpha = parameters["alpha"]
    of_zero, of_one = (1.0, 1.0) if alpha is None else (1 - alpha, alpha)
    for p in PROBABILITIES:
        pulls = [_focal_pull(w, parameters["gamma"]) for w in ((1 - p) * of_zero, p * of_one)]
        _agree(entry, parameters, torch.tensor([1 - p, p], dtype=torch.float64), balanced(pulls))


CLASS_CHECKS = {
    "the distribution to the power 1 / (1 - q)": _sharpened_by_power,
    "the distribution, sharpened by the reverse part": _sharpened_by_reverse,
    "the most probable class": _most_probable,
    "the distribution that the transition takes to that of the labels": _before_the_transition,
    "the distribution, flattened by gamma and tilted by alpha": _flattened,
    "the log-odds, flattened by gamma and tilted by alpha": _flattened_log_odds,
}
