"""What the page on losses made to measure says, over several seeds and against oracles of its own."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.optimize import brentq
from scipy.stats import t as student

import losscore
from losscore.lab import descend, generator, interval, paired
from losscore.lab import made_to_measure as lab
from losscore.lab.electricity import gamma_demand
from losscore.lab.made_to_measure import Alarms, LongTail
from losscore.lab.targets import Trained

TEN = torch.tensor(lab.LOAVES, dtype=torch.float64)
PRICES = {"underage": 4.0, "overage": 1.0}


def demands(seed: int) -> torch.Tensor:
    """Whole demands with ties, 1 to 40 of them."""
    draw = generator(seed)
    n = int(torch.randint(1, 41, (), generator=draw))
    return torch.randint(0, 12, (n,), generator=draw).double()


@pytest.fixture(scope="module")
def cases() -> Alarms:
    return lab.alarms(20)


@pytest.fixture(scope="module")
def tail() -> LongTail:
    return lab.long_tail()


@pytest.fixture(scope="module")
def plain(tail: LongTail) -> Trained:
    return tail.train()


@pytest.fixture(scope="module")
def adjusted(tail: LongTail) -> Trained:
    return tail.train(adjust=True)


def test_ten_days_of_loaves_have_a_whole_interval_of_optima() -> None:
    assert lab.best_amounts(TEN, Fraction(4, 5)) == (18, 20)
    places = torch.tensor([15.3, 14.5, 18, 19, 20, 17.99, 20.01], dtype=torch.float64)
    costs = lab.total_cost(places, TEN, **PRICES)
    assert costs[:5].tolist() == pytest.approx([89, 99.5, 72, 72, 72])
    assert (costs[5:] > 72).all()


@pytest.mark.parametrize("seed", range(20))
def test_best_amounts_are_those_of_brute_force(seed: int) -> None:
    days = demands(seed)
    under, over = torch.randint(1, 6, (2,), generator=generator(100 + seed)).tolist()
    low, high = lab.best_amounts(days, Fraction(under, under + over))
    grid = torch.arange(-2, 28, dtype=torch.float64) / 2
    costs = lab.total_cost(grid, days, underage=under, overage=over)
    best = grid[costs <= costs.min() + 1e-9]
    assert (low, high) == (best[0].item(), best[-1].item())


@pytest.mark.claim("C100")
@pytest.mark.parametrize("seed", range(10))
def test_the_slope_jumps_at_each_demand_by_five_times_its_multiplicity(seed: int) -> None:
    days = demands(seed)
    values, multiplicity = days.unique(return_counts=True)
    for value, times in zip(values.tolist(), multiplicity.tolist()):
        around = torch.tensor([value - 0.25, value, value + 0.25], dtype=torch.float64)
        before, at, after = lab.total_cost(around, days, **PRICES).tolist()
        assert (after - at) / 0.25 - (at - before) / 0.25 == pytest.approx(5 * times)


@pytest.mark.claim("C101")
@pytest.mark.parametrize("seed", range(10))
def test_autograd_counts_who_is_above_and_below(seed: int) -> None:
    days = demands(seed)
    for place in (-0.5, 2.5, 5.5, 11.5):
        amount = torch.tensor(place, dtype=torch.float64, requires_grad=True)
        losscore.asymmetric_linear(amount.expand_as(days), days, reduction="sum", **PRICES).backward()
        slope = (days < place).sum() - 4 * (days > place).sum()
        assert amount.grad is not None and amount.grad.item() == slope
        assert lab.slopes(place, days, **PRICES) == (slope, slope)


@pytest.mark.claim("C101")
@pytest.mark.parametrize("seed", range(10))
def test_at_a_demand_the_slopes_on_both_sides_are_the_ends_of_the_subdifferential(seed: int) -> None:
    days = demands(seed)
    for place in days.unique().tolist():
        ends = lab.slopes(place, days, **PRICES)
        assert ends == (
            (days < place).sum() - 4 * (days >= place).sum(),
            (days <= place).sum() - 4 * (days > place).sum(),
        )
        left, at, right = lab.total_cost(
            torch.tensor([place - 0.5, place, place + 0.5], dtype=torch.float64), days, **PRICES
        ).tolist()
        assert ((at - left) / 0.5, (right - at) / 0.5) == pytest.approx(ends)


def balance(sample: np.ndarray, level: float) -> float:
    """The expectile, as the root of its balance equation."""
    return float(
        brentq(
            lambda place: (
                level * np.maximum(sample - place, 0).mean()
                - (1 - level) * np.maximum(place - sample, 0).mean()
            ),
            sample.min(),
            sample.max(),
        )
    )


@pytest.mark.claim("C105")
@pytest.mark.parametrize("seed", range(5))
def test_each_loss_is_least_at_its_statistic(seed: int) -> None:
    sample = gamma_demand(499, generator=generator(seed))
    plain = sample.numpy()
    for loss, statistic in (
        (losscore.squared_error, plain.mean()),
        (losscore.absolute_error, np.median(plain)),
        (partial(losscore.pinball, quantile=0.8), np.quantile(plain, 0.8, method="inverted_cdf")),
        (partial(losscore.expectile, level=0.8), balance(plain, 0.8)),
    ):
        assert lab.lowest(loss, sample) == pytest.approx(statistic, abs=1e-4)


@pytest.mark.claim("C105")
@pytest.mark.parametrize(
    ("name", "bulges"),
    [("mean", False), ("0.8 quantile", False), ("variance", True), ("expected shortfall", True)],
)
def test_only_statistics_that_some_loss_asks_for_stay_along_mixtures(name: str, bulges: bool) -> None:
    values = [lab.mixed(name, share) for share in range(21)]
    assert values[0] == pytest.approx(1) and values[-1] == pytest.approx(1)
    assert (max(map(abs, (value - 1 for value in values))) > 0.2) is bulges


@pytest.mark.parametrize("seed", range(5))
def test_expected_shortfall_is_the_mean_of_the_worst(seed: int) -> None:
    sample = gamma_demand(50, generator=generator(seed))
    assert lab.expected_shortfall(sample, 0.8) == pytest.approx(sample.sort().values[-10:].mean().item())


@pytest.mark.claim("C105")
def test_the_joint_loss_finds_quantile_and_shortfall_given_x() -> None:
    x, y = lab.widening(10)
    quantile, shortfall = (interval(found) for found in lab.fit_tail(x, y, 0.8))
    truth = 1.5 - math.log(0.2)
    assert quantile.low < truth < quantile.high and quantile.half_width < 0.1
    assert shortfall.low < truth + 1 < shortfall.high and shortfall.half_width < 0.1


@pytest.mark.claim("C105")
@pytest.mark.parametrize("seed", range(5))
def test_the_joint_loss_is_least_at_the_pair_in_a_sample(seed: int) -> None:
    sample = gamma_demand(500, generator=generator(seed))
    cut = torch.quantile(sample, 0.8, interpolation="higher").item()
    worst = lab.expected_shortfall(sample, 0.8)

    def cost(q: float, e: float) -> float:
        return lab.quantile_and_shortfall_loss(
            torch.full_like(sample, q), torch.full_like(sample, e), sample, 0.8
        ).item()

    least = cost(cut, worst)
    for q, e in (
        (cut + 1, worst),
        (cut - 1, worst),
        (cut, worst + 1),
        (cut, worst - 1),
        (cut + 2, worst + 2),
    ):
        assert cost(q, e) > least + 1e-6


@pytest.mark.claim("C105")
def test_gradients_of_the_joint_loss_are_the_derived_ones() -> None:
    y = gamma_demand(200, generator=generator(7))
    q, e = (torch.full_like(y, value, requires_grad=True) for value in (25.0, 35.0))
    lab.quantile_and_shortfall_loss(q, e, y, 0.8).backward()
    spent = 25 + (y - 25).clamp(min=0) / 0.2
    torch.testing.assert_close(q.grad, (1 - (y > 25).double() / 0.2) / 35 / 200)
    torch.testing.assert_close(e.grad, (35 - spent) / 35**2 / 200)


@pytest.mark.claim("C98")
def test_weight_and_threshold_pay_the_same_at_the_price_they_were_made_for(cases: Alarms) -> None:
    by_threshold = cases.cost(cases.probability() > 1 / 11, miss=10)
    by_weight = cases.cost(cases.probability(10.0) > 0.5, miss=10)
    apart = paired(by_weight, by_threshold)
    assert abs(apart.mean) + apart.half_width < 0.005
    assert paired(cases.cost(cases.probability() > 0.5, miss=10), by_threshold).low > 0.3


@pytest.mark.claim("C98")
@pytest.mark.parametrize(("miss", "least"), [(2, 0.08), (30, 0.08)])
def test_only_the_threshold_follows_a_price_that_changes(cases: Alarms, miss: float, least: float) -> None:
    followed = cases.cost(cases.probability() > 1 / (1 + miss), miss=miss)
    assert paired(cases.cost(cases.probability(10.0) > 0.5, miss=miss), followed).low > least


@pytest.mark.claim("C98")
def test_a_weight_lifts_the_probabilities(cases: Alarms) -> None:
    honest, lifted = (interval((cases.probability(w) - cases.chance).mean(1)) for w in (1.0, 10.0))
    assert honest.low < 0 < honest.high
    assert lifted.low > 0.25


def test_logistic_regression_ends_where_its_gradient_is_zero(cases: Alarms) -> None:
    again = Alarms(cases.seen, cases.label, cases.seen, cases.label)
    residual = (again.probability() - cases.label)[:, :, None] * cases.seen
    assert residual.mean(1).abs().max() < 1e-5


@pytest.mark.claim("C98")
def test_adjusting_logits_by_the_frequencies_raises_balanced_accuracy(
    tail: LongTail, plain: Trained, adjusted: Trained
) -> None:
    assert paired(adjusted.accuracy, plain.accuracy).low > 0.02
    assert paired(tail.corrected(plain).accuracy, plain.accuracy).low > 0.02
    weighed = tail.train(weigh=True).accuracy
    assert paired(weighed, plain.accuracy).low > 0.01
    assert paired(adjusted.accuracy, weighed).low > 0.002
    rare, frequent = (
        paired(*(tail.recall(run)[:, part].mean(1) for run in (adjusted, plain)))
        for part in (slice(-3, None), slice(3))
    )
    assert rare.low > 0.05 and frequent.low > -0.03


def test_every_digit_counts_the_same_in_the_test(tail: LongTail, plain: Trained) -> None:
    assert (F.one_hot(tail.test_labels, 10).sum(1) == 60).all()
    torch.testing.assert_close(tail.recall(plain).mean(1), plain.accuracy)
    seen = torch.stack([labels.bincount(minlength=10) for labels in tail.labels])
    assert torch.equal(seen, tail.counts.long())


def test_pairing_makes_the_interval_narrower(plain: Trained, adjusted: Trained) -> None:
    together = paired(adjusted.accuracy, plain.accuracy).half_width
    apart = math.hypot(interval(adjusted.accuracy).half_width, interval(plain.accuracy).half_width)
    assert together < 0.8 * apart
    assert (adjusted.accuracy > plain.accuracy).all()


@pytest.mark.parametrize("seeds", [5, 10])
def test_coverage_of_both_intervals(seeds: int) -> None:
    normal, right = lab.coverage(seeds)
    assert normal == pytest.approx(1 - 2 * student.sf(1.96, seeds - 1), abs=0.01)
    assert right == pytest.approx(0.95, abs=0.006)


@pytest.mark.claim("C05")
def test_cutting_into_batches_changes_every_loss_that_is_no_sum() -> None:
    runs = [lab.cut_into_batches(seed) for seed in range(6)]
    for name in runs[0]:
        small, whole = (
            torch.tensor([run[name][place] for run in runs], dtype=torch.float64) for place in (1, -1)
        )
        if name == "cross-entropy":
            torch.testing.assert_close(small, whole, rtol=1e-12, atol=0)
        else:
            change = paired(small, whole)
            assert (change.low > 0.01) if name == "pooled Dice" else (change.high < -1)


@pytest.mark.claim("C05")
def test_dice_by_image_is_a_sum_over_images_and_pooled_dice_is_not() -> None:
    logits = torch.randn(6, 40, generator=generator(0), dtype=torch.float64)
    mask = (torch.rand(6, 40, generator=generator(1), dtype=torch.float64) < 0.3).double()
    by_image = torch.stack([losscore.dice(z[None], y[None]) for z, y in zip(logits, mask)])
    torch.testing.assert_close(losscore.dice(logits, mask), by_image.mean())
    assert (losscore.dice(logits.reshape(1, -1), mask.reshape(1, -1)) - by_image.mean()).abs() > 1e-3


@pytest.mark.claim("C106")
@pytest.mark.parametrize("seed", range(5))
def test_a_loss_decides_on_the_statistic_the_pull_and_the_fit(seed: int) -> None:
    sample = gamma_demand(199, generator=generator(seed))
    asked = [lab.lowest(loss, sample) for loss in (losscore.squared_error, losscore.absolute_error)]
    assert asked[0] - asked[1] > 0.3
    pull = []
    for loss in (losscore.squared_error, losscore.absolute_error):
        place = torch.zeros(2, dtype=torch.float64, requires_grad=True)
        loss(place, torch.tensor([1.0, 50.0], dtype=torch.float64), reduction="sum").backward()
        pull.append((place.grad[1] / place.grad[0]).item())
    assert pull == [50, 1]
    draw = generator(seed)
    sign = 2.0 * (torch.arange(20) % 2) - 1
    points = torch.randn(20, 2, generator=draw, dtype=torch.float64) * torch.tensor([0.3, 2.0])
    points[:, 0] += 2 * sign
    fits = []
    for margin_loss in (losscore.hinge, losscore.logistic):
        run = descend(
            lambda w, loss=margin_loss: loss(points @ w, sign.double()),
            torch.tensor([0.5, 0.5]).double(),
            step=0.1,
            steps=1000,
        )
        assert ((points @ run.path[-1]).sign() == sign).all()
        fits.append(run.path[-1] / run.path[-1].norm())
    assert (fits[0] - fits[1]).norm() > 0.01
