"""The experiment on medical decisions: its parts against exact answers, and what its page says about the data."""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import pytest
import torch
from scipy.stats import binom, binomtest
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from losscore import binary_cross_entropy, fit_temperature
from losscore.lab import Interval, Splits, breast_tumours, generator, interval, paired, repeated_folds
from losscore.lab.decisions import (
    WEAK,
    Study,
    bill,
    bill_with_test,
    calibration_errors,
    cheapest_threshold,
    error_by_chance,
    net_benefit,
    reliability,
    study,
    train,
    unweighted,
    wilson,
)

LOSS = partial(binary_cross_entropy, reduction="none")


class Experiment(NamedTuple):
    splits: Splits
    study: Study
    ill: Tensor
    risk: Tensor
    tuned: Tensor
    output: Tensor
    sure: Tensor
    cooled: Tensor

    def versus(self, first: Tensor, second: Tensor) -> Interval:
        return paired(first, second, test_share=self.splits.test_share)

    def mean(self, values: Tensor) -> Interval:
        return interval(values, test_share=self.splits.test_share)


def weak_inputs() -> Tensor:
    tumours = breast_tumours()
    return tumours.inputs[:, [tumours.columns.index(name) for name in WEAK]]


@pytest.fixture(scope="module")
def seen() -> Experiment:
    target = breast_tumours().target
    splits = repeated_folds(len(target), validation=120, generator=generator(0))
    made = study(weak_inputs(), target, splits)
    plain = train(made, LOSS)
    weighted = train(made, partial(LOSS, pos_weight=torch.tensor(10.0)))
    network = train(made, LOSS, hidden=(32, 32), rate=0.02, steps=300)
    outcomes = made.validation.target
    temperature = torch.tensor([fit_temperature(z, y) for z, y in zip(network.validation, outcomes)])
    return Experiment(
        splits,
        made,
        made.test.target,
        plain.test.sigmoid(),
        cheapest_threshold(plain.validation.sigmoid(), outcomes),
        weighted.test.sigmoid(),
        network.test.sigmoid(),
        (network.test / temperature[:, None]).sigmoid(),
    )


# The parts.


def test_bill_of_four_patients() -> None:
    act = torch.tensor([[True, True, False, False]])
    ill = torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    assert bill(act, ill, miss=10, alarm=1).tolist() == [11 / 4]
    assert bill(act, ill, miss=3, alarm=2).tolist() == [5 / 4]


def test_a_further_test_goes_to_the_middle() -> None:
    risk = torch.tensor([[0.01, 0.02, 0.05, 0.5, 0.79, 0.9, 0.9]], dtype=torch.float64)
    ill = torch.tensor([[1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0]])
    cost, share = bill_with_test(risk, ill, price=0.2)
    assert share.item() == pytest.approx(3 / 7)
    assert cost.item() == pytest.approx((10 + 0 + 3 * 0.2 + 0 + 1) / 7)
    dear, nobody = bill_with_test(risk, ill, price=0.95)
    assert nobody.item() == 0
    assert dear.item() == pytest.approx(bill(risk > 1 / 11, ill).item())


@pytest.mark.claim("C222")
def test_the_way_back_undoes_a_weight() -> None:
    eta = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
    for weight in (0.2, 1.0, 10.0):
        said = weight * eta / (weight * eta + 1 - eta)
        torch.testing.assert_close(unweighted(said, weight), eta)


def test_the_cheapest_threshold_is_the_cheapest() -> None:
    draw = generator(5)
    risk, ill = (torch.rand(3, 40, generator=draw, dtype=torch.float64) for _ in range(2))
    ill = (ill < risk).double()
    found = cheapest_threshold(risk, ill)
    best = bill(risk > found[:, None], ill)
    for threshold in torch.linspace(0, 1, 201, dtype=torch.float64)[1:]:
        assert (best <= bill(risk > threshold, ill).clamp(min=0) + 1e-12).all() or threshold < risk.min()


def test_net_benefit_is_the_cost_in_other_units() -> None:
    draw = generator(6)
    risk = torch.rand(4, 50, generator=draw, dtype=torch.float64)
    ill = (torch.rand(4, 50, generator=draw) < 0.4).double()
    benefit = net_benefit(risk, ill, torch.tensor([1 / 11, 1 / 4]))
    for place, miss in enumerate((10, 3)):
        cost = bill(risk > 1 / (1 + miss), ill, miss=miss, alarm=1)
        torch.testing.assert_close(benefit[:, place], ill.mean(1) - cost / miss, rtol=1e-6, atol=1e-7)


def test_wilson_is_scipys() -> None:
    for k, n in ((0, 7), (3, 7), (40, 90), (90, 90)):
        low, high = wilson(torch.tensor(k / n, dtype=torch.float64), torch.tensor(n))
        theirs = binomtest(k, n).proportion_ci(method="wilson")
        assert (low.item(), high.item()) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


def test_reliability_leaves_empty_bins_out() -> None:
    curve = reliability(torch.tensor([0.05, 0.05, 0.95]), torch.tensor([0.0, 1.0, 1.0]), bins=10)
    assert curve.patients.tolist() == [2, 1]
    assert curve.frequency.tolist() == [0.5, 1.0]
    assert (curve.low <= curve.frequency + 1e-12).all() and (curve.frequency <= curve.high + 1e-12).all()


def test_training_is_logistic_regression() -> None:
    inputs, target = weak_inputs(), breast_tumours().target
    splits = repeated_folds(len(target), repeats=1, validation=120, generator=generator(3))
    made = study(inputs, target, splits)
    assert made.train.inputs.mean(1).abs().max() < 1e-9
    ours = train(made, LOSS).test.sigmoid()
    for split in range(5):
        theirs = LogisticRegression(C=1e9, tol=1e-8, max_iter=1000)
        theirs.fit(made.train.inputs[split].numpy(), made.train.target[split].numpy())
        stated = torch.from_numpy(theirs.predict_proba(made.test.inputs[split].numpy())[:, 1])
        torch.testing.assert_close(ours[split], stated, rtol=0, atol=2e-3)


# What chance makes.


@pytest.mark.claim("C224")
def test_the_calibration_error_of_right_forecasts_grows_with_the_bins() -> None:
    risk = torch.linspace(0.001, 0.999, 400, dtype=torch.float64)
    few, many = (error_by_chance(risk, bins=bins, generator=generator(1)) for bins in (5, 20))
    assert 0 < few[0] < few[1] < many[1]
    assert many[0] / few[0] == pytest.approx(2, rel=0.1)


@pytest.mark.claim("C224")
@pytest.mark.parametrize(("n", "p"), [(1, 0.3), (5, 0.2), (12, 0.5), (40, 0.09)])
def test_de_moivres_distance(n: int, p: float) -> None:
    law = binom(n, p)
    m = math.floor(n * p) + 1
    closed = 2 * m / n * math.comb(n, m) * p**m * (1 - p) ** (n - m + 1)
    assert law.expect(lambda k: abs(k / n - p)) == pytest.approx(closed)
    drawn, _ = error_by_chance(torch.full((n,), p), bins=1, draws=4000, generator=generator(n))
    assert drawn == pytest.approx(closed, rel=0.1)
    assert n < 12 or math.sqrt(2 * p * (1 - p) / (math.pi * n)) == pytest.approx(closed, rel=0.05)


# What the page says about the data.


@pytest.mark.claim("C51", "C221")
def test_the_bayes_threshold_saves_and_one_half_is_dearer_than_operating_on_everyone(
    seen: Experiment,
) -> None:
    everyone = bill(seen.risk >= 0, seen.ill)
    half, threshold = bill(seen.risk > 1 / 2, seen.ill), bill(seen.risk > 1 / 11, seen.ill)
    assert seen.versus(half, everyone).low > 0.1
    assert seen.versus(everyone, threshold).low > 0.05


@pytest.mark.claim("C221")
def test_the_weighted_loss_and_the_threshold_are_not_told_apart(seen: Experiment) -> None:
    threshold = bill(seen.risk > 1 / 11, seen.ill)
    for other in (bill(seen.output > 1 / 2, seen.ill), bill(seen.risk > seen.tuned[:, None], seen.ill)):
        apart = seen.versus(other, threshold)
        assert apart.low < 0 < apart.high and abs(apart.mean) < 0.1


@pytest.mark.claim("C222")
def test_a_weight_spoils_the_probabilities_and_can_be_undone(seen: Experiment) -> None:
    plain, weighted, back = (
        seen.mean((stated - seen.ill).mean(1))
        for stated in (seen.risk, seen.output, unweighted(seen.output, 10))
    )
    assert weighted.low > 0.2
    assert plain.low < 0 < plain.high and back.low < 0 < back.high
    assert torch.equal(seen.output > 1 / 2, unweighted(seen.output, 10) > 1 / 11)


@pytest.mark.claim("C222")
def test_one_plain_model_serves_every_threshold(seen: Experiment) -> None:
    thresholds = torch.linspace(0.05, 0.6, 12, dtype=torch.float64)
    plain, weighted = (net_benefit(stated, seen.ill, thresholds) for stated in (seen.risk, seen.output))
    assert (plain.mean(0) > weighted.mean(0)).all()
    for place in (4, 8, 11):
        assert seen.versus(plain[:, place], weighted[:, place]).low > 0


@pytest.mark.claim("C51")
def test_an_overconfident_network_wastes_the_rule(seen: Experiment) -> None:
    accurate = [((stated > 0.5) == (seen.ill > 0.5)).double().mean(1) for stated in (seen.risk, seen.sure)]
    apart = seen.versus(*accurate)
    assert apart.low < 0 < apart.high
    regression, network, scaled = (
        bill(stated > 1 / 11, seen.ill) for stated in (seen.risk, seen.sure, seen.cooled)
    )
    assert seen.versus(network, regression).low > 0.1
    assert seen.versus(network, scaled).low > 0
    everyone = seen.versus(bill(seen.risk >= 0, seen.ill), scaled)
    assert everyone.low < 0 < everyone.high


@pytest.mark.claim("C224")
def test_the_error_of_the_logistic_regression_is_what_chance_makes(seen: Experiment) -> None:
    once = slice(0, 5)
    ill = seen.ill[once].reshape(1, -1)
    for bins in (5, 10, 20, 40):
        _, high = error_by_chance(seen.risk[once].flatten(), bins=bins, generator=generator(2))
        assert calibration_errors(seen.risk[once].reshape(1, -1), ill, bins=bins).item() < high
        assert calibration_errors(seen.sure[once].reshape(1, -1), ill, bins=bins).item() > 1.5 * high
    few = calibration_errors(seen.risk, seen.ill).mean().item()
    assert few == pytest.approx(0.08, abs=0.01)
    assert error_by_chance(seen.risk[0], bins=10, generator=generator(3))[0] == pytest.approx(few, abs=0.015)


@pytest.mark.claim("C223")
def test_a_further_test_saves_and_needs_probabilities(seen: Experiment) -> None:
    plain, weighted, back = (
        bill_with_test(stated, seen.ill, price=0.5)[0]
        for stated in (seen.risk, seen.output, unweighted(seen.output, 10))
    )
    assert seen.versus(bill(seen.risk > 1 / 11, seen.ill), plain).low > 0.02
    assert seen.versus(torch.full_like(plain, 0.5), plain).low > 0.05
    assert seen.versus(weighted, plain).low > 0.02
    level = seen.versus(back, plain)
    assert level.low < 0 < level.high
