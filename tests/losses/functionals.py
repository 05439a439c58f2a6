"""What the best constant prediction of a loss is, where that isn't one number or one row of logits: one check each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import torch
from torch import Tensor

from losscore.catalogue import Entry

Check = Callable[[Entry, Mapping[str, Any]], None]

LAWS = [torch.tensor(p, dtype=torch.float64) for p in ((0.55, 0.05, 0.4), (0.4, 0.35, 0.25), (0.1, 0.2, 0.7))]
PROBABILITIES = torch.tensor([0.03, 0.2, 0.45, 0.7, 0.98], dtype=torch.float64)


def _risk(entry: Entry, law: Tensor, scores: Tensor) -> Tensor:
    """The expected loss of each of many rows of scores."""
    each = torch.stack(
        [entry.function(scores, torch.full(scores.shape[:1], k), reduction="none") for k in range(3)]
    )
    return law @ each


def _elects(best: Callable[[Tensor], Tensor], sum_to_zero: bool = False) -> Check:
    """No scores cost less than the best ones, and those of the classes in another order cost more."""

    def check(entry: Entry, parameters: Mapping[str, Any]) -> None:
        anywhere = 2 * torch.randn(5000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        if sum_to_zero:
            anywhere = anywhere - anywhere.mean(1, keepdim=True)
        for law in LAWS:
            scores = best(law)
            near = scores + anywhere / 100
            least = _risk(entry, law, scores.unsqueeze(0))
            assert (least <= _risk(entry, law, torch.cat((anywhere, near))) + 1e-12).all()
            assert (scores == scores[0]).all() or least < _risk(entry, law, scores.flip(0).unsqueeze(0))

    return check


def _ordered_partition(entry: Entry, parameters: Mapping[str, Any]) -> None:
    """The best scores are among those that fall by 1 or not at all from each class to the next less probable."""
    ties = []
    for law in LAWS:
        order = law.argsort(descending=True)
        steps = torch.tensor(list(product((0.0, 1.0), repeat=2)), dtype=torch.float64)
        levels = torch.cat((torch.zeros(4, 1, dtype=torch.float64), -steps.cumsum(1)), 1)
        scores = torch.zeros(4, 3, dtype=torch.float64).scatter(1, order.expand(4, 3), levels)
        risks = _risk(entry, law, scores)
        anywhere = 2 * torch.randn(5000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        near = scores[risks.argmin()] + anywhere / 100
        assert (risks.min() <= _risk(entry, law, torch.cat((anywhere, near))) + 1e-12).all()
        ties.append(bool(steps[risks.argmin(), 0] == 0))
    assert ties == [False, True, False]


def _same_as_teacher(entry: Entry, parameters: Mapping[str, Any]) -> None:
    teacher = LAWS[0].log() + 3
    student = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    descent = torch.optim.LBFGS([student], max_iter=200, tolerance_change=0, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        descent.zero_grad()
        value = entry.function(student, teacher, **parameters)
        value.backward()
        return value

    descent.step(loss)
    torch.testing.assert_close(student.detach().softmax(0), LAWS[0], rtol=0, atol=1e-6)


def _balances_by_biweight(entry: Entry, parameters: Mapping[str, Any]) -> None:
    """The best of a fine grid is where the weighted deviations change from below to above 0."""
    sample = torch.tensor([-3.0, -1.2, -0.4, 0.1, 0.3, 0.9, 1.7, 2.2, 5.0, 11.0, 30.0], dtype=torch.float64)
    grid = torch.linspace(-10, 40, 50_001, dtype=torch.float64)
    gaps = grid[:, None] - sample
    risks = entry.function(
        grid[:, None].expand_as(gaps), sample.expand_as(gaps), reduction="none", **parameters
    )
    best = int(risks.mean(1).argmin())
    weights = (1 - (gaps / parameters["cutoff"]) ** 2).clamp(min=0) ** 2
    balance = (weights * gaps).sum(1)
    assert balance[best - 1] < 0 < balance[best + 1]


def _stationary(risk: Callable[[Tensor], Tensor], at: Tensor) -> bool:
    at = at.clone().requires_grad_()
    return bool(torch.autograd.grad(risk(at), at)[0].abs().max() < 1e-9)


def _choice(entry: Entry, parameters: Mapping[str, Any]) -> None:
    """One answer is chosen over the other with probability p; nothing but the difference of the answers counts."""
    wrong, strength = parameters.get("label_smoothing", 0.0), parameters.get("beta", 1.0)
    others = [torch.zeros((), dtype=torch.float64)] * (len(entry.predicted) - 2)
    for p in PROBABILITIES:

        def risk(difference: Tensor, p: Tensor = p) -> Tensor:
            one, other = difference + 5, torch.full((), 5.0, dtype=torch.float64)
            chosen, rejected = (
                entry.function(a, b, *others, **parameters) for a, b in ((one, other), (other, one))
            )
            return p * chosen + (1 - p) * rejected

        expected = (1 - wrong) * p + wrong * (1 - p)
        assert _stationary(risk, expected.logit() / strength)
        assert not _stationary(risk, expected.logit() / strength + 1)


def _unit_vectors(cosines: Tensor) -> Tensor:
    """Unit vectors, one a column, with the given cosines to the first axes and at right angles otherwise."""
    return torch.cat((cosines, (1 - cosines.square().sum(0)).sqrt().diag()))


def _joint_over_margins(entry: Entry, parameters: Mapping[str, Any]) -> None:
    """Two pairs a batch, each drawn from a law on two queries and two keys."""
    joint = torch.tensor([[0.45, 0.2], [0.1, 0.25]], dtype=torch.float64)
    query = torch.eye(4, dtype=torch.float64)[:2]
    cells = list(product(range(2), repeat=2))

    def risk(scores: Tensor) -> Tensor:
        key = _unit_vectors(parameters["temperature"] * scores).T
        return sum(
            joint[a] * joint[b] * entry.function(query[[a[0], b[0]]], key[[a[1], b[1]]], **parameters)
            for a, b in product(cells, repeat=2)
        )

    ratio = (joint / (joint.sum(0) * joint.sum(1, keepdim=True))).log()
    assert _stationary(risk, ratio) and _stationary(risk, ratio + torch.tensor([[0.1], [-0.2]]))
    assert not _stationary(risk, joint.log() + 1)


def _within_over_without(entry: Entry, parameters: Mapping[str, Any]) -> None:
    """An anchor with one positive and one negative, each one of two points, drawn from two laws."""
    within, without = torch.tensor([[0.7, 0.3], [0.4, 0.6]], dtype=torch.float64)
    labels = torch.tensor([0, 0, 1])

    def risk(scores: Tensor) -> Tensor:
        points = _unit_vectors(parameters["temperature"] * scores.unsqueeze(0)).T
        anchor = torch.eye(3, dtype=torch.float64)[:1]
        return sum(
            within[i]
            * without[j]
            * entry.function(torch.cat((anchor, points[[i, j]])), labels, reduction="none", **parameters)[0]
            for i, j in product(range(2), repeat=2)
        )

    assert _stationary(risk, (within / without).log()) and _stationary(risk, (within / without).log() + 0.2)
    assert not _stationary(risk, within.log())


def _far_enough(entry: Entry, parameters: Mapping[str, Any]) -> None:
    """The loss is least, at 0, from the margin on, and grows with what is missing before."""
    anchor, positive = torch.zeros(2, dtype=torch.float64), torch.tensor([0.0, 2.0], dtype=torch.float64)
    for beyond in (-1.5, -0.25, 0.0, 0.25, 3.0):
        negative = torch.tensor([2 + parameters["margin"] + beyond, 0.0], dtype=torch.float64)
        assert entry.function(anchor, positive, negative, **parameters).item() == max(0.0, -beyond)


CHECKS: dict[str, Check] = {
    "a point about which deviations weighted by Tukey's biweight average to 0": _balances_by_biweight,
    "1 for a class of probability above one half, -1 for others": _elects(lambda p: (p - 0.5).sign()),
    "a lead of 1 for a class of probability above one half, else equal scores": _elects(
        lambda p: (p > 0.5).double()
    ),
    "an ordered partition of the classes": _ordered_partition,
    "the most probable class, among scores that sum to 0": _elects(
        lambda p: torch.where(p == p.max(), 1.0, -0.5).double(), sum_to_zero=True
    ),
    "the teacher's distribution": _same_as_teacher,
    "the log-odds of the choice": _choice,
    "the log-odds of the choice, drawn to 0 by the share of wrong ones": _choice,
    "the log-ratio of the joint density to the product of its margins": _joint_over_margins,
    "the log-ratio of the densities within the group and without": _within_over_without,
    "a negative farther away than the positive by the margin": _far_enough,
}
