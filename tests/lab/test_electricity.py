"""The newsvendor's experiment: its parts against hand-worked and exact answers, and what its page says about the data."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from scipy.sparse import eye, hstack
from scipy.stats import beta, binom, gamma, kstest
from torch import Tensor

from losscore import asymmetric_linear, pinball, squared_error
from losscore.lab import Interval, electricity_demand, generator, interval, paired
from losscore.lab.electricity import (
    FIRST,
    WEEK,
    Rolling,
    base_forecast,
    coverage_by_hour,
    daily_features,
    gamma_bill,
    gamma_demand,
    mean_costs,
    night_minus_evening,
    rolling,
    sales_ratchet,
    sample_quantile,
)

BILL = partial(asymmetric_linear, underage=4.0, overage=1.0, reduction="none")
FRACTILE = partial(pinball, quantile=0.8)
past_quantile = partial(sample_quantile, level=0.8)


@pytest.fixture(scope="module")
def residual() -> Tensor:
    demand = electricity_demand() / 1000
    return demand - base_forecast(demand)


@pytest.fixture(scope="module")
def last_weeks(residual: Tensor) -> Tensor:
    return residual[-6 * WEEK :].reshape(6, WEEK)


@pytest.fixture(scope="module")
def inputs(residual: Tensor) -> Tensor:
    return daily_features(len(residual))


@pytest.fixture(scope="module")
def mean_fit(inputs: Tensor, residual: Tensor) -> Rolling:
    return rolling(inputs, residual, squared_error)


@pytest.fixture(scope="module")
def fractile_fit(inputs: Tensor, residual: Tensor) -> Rolling:
    return rolling(inputs, residual, FRACTILE)


def test_base_forecast_takes_last_weeks_step() -> None:
    demand = torch.arange(600, dtype=torch.float64) ** 2
    forecast = base_forecast(demand)
    assert forecast[:FIRST].isnan().all()
    assert forecast[500] == 452**2 + 164**2 - 116**2
    assert not forecast[FIRST:].isnan().any()


def test_base_forecast_is_exact_where_each_week_repeats_the_last() -> None:
    demand = torch.rand(WEEK, generator=generator(0), dtype=torch.float64).repeat(4)
    torch.testing.assert_close(base_forecast(demand)[FIRST:], demand[FIRST:])


def test_features_repeat_every_day_and_are_orthogonal() -> None:
    table = daily_features(2 * 48, harmonics=3)
    torch.testing.assert_close(table[:48], table[48:])
    gram = table.T @ table
    torch.testing.assert_close(gram, torch.diag(gram.diagonal()), atol=1e-9, rtol=0)


def test_features_by_weekday_are_nonzero_on_one_day_only() -> None:
    table = daily_features(WEEK, by_weekday=True).reshape(7, 48, 7, 5)
    plain = daily_features(48)
    for day in range(7):
        torch.testing.assert_close(table[day, :, day], plain)
        assert not table[day, :, [other for other in range(7) if other != day]].any()


def test_a_week_is_predicted_from_its_past_alone(inputs: Tensor, residual: Tensor, mean_fit: Rolling) -> None:
    changed = residual.clone()
    changed[-2 * WEEK :] += 5.0
    again = rolling(inputs, changed, squared_error)
    torch.testing.assert_close(again.ahead[:5], mean_fit.ahead[:5], rtol=0, atol=0)
    assert (again.ahead[5] - mean_fit.ahead[5]).abs().min() > 0.1


def test_training_with_squared_error_ends_at_least_squares(
    inputs: Tensor, residual: Tensor, mean_fit: Rolling
) -> None:
    seen, coming = slice(FIRST, -WEEK), slice(-WEEK, None)
    weights = torch.linalg.lstsq(inputs[seen], residual[seen, None]).solution.squeeze(1)
    torch.testing.assert_close(mean_fit.ahead[-1], inputs[coming] @ weights, atol=1e-3, rtol=0)


@pytest.mark.parametrize("by_weekday", [False, True])
def test_training_with_pinball_comes_close_to_the_linear_programme(
    residual: Tensor, by_weekday: bool
) -> None:
    table = daily_features(len(residual), by_weekday=by_weekday)
    fit = rolling(table, residual, FRACTILE, weeks=1)
    seen = slice(FIRST, -WEEK)
    least = exact_pinball(table[seen], residual[seen])
    reached = FRACTILE(torch.zeros_like(fit.past[0]), fit.past[0]).item()
    assert least - 1e-9 <= reached <= 1.002 * least


def exact_pinball(inputs: Tensor, target: Tensor) -> float:
    """The least mean pinball loss at 0.8 of a linear model, by linear programming."""
    n, features = inputs.shape
    price = np.concatenate([np.zeros(features), np.full(n, 0.8), np.full(n, 0.2)]) / n
    equations = hstack([inputs.numpy(), eye(n), -eye(n)], format="csr")
    bounds = [(None, None)] * features + [(0, None)] * (2 * n)
    return float(linprog(price, A_eq=equations, b_eq=target.numpy(), bounds=bounds).fun)


def test_stock_is_chosen_on_each_weeks_own_past() -> None:
    fit = Rolling(
        torch.zeros(2, WEEK), (torch.tensor([1.0, 2, 3, 4, 5]), torch.tensor([10.0, 20, 30, 40, 50]))
    )
    stocked = fit.with_stock(past_quantile)
    assert (stocked[0] == 4).all() and (stocked[1] == 40).all()
    assert (fit.with_stock(torch.mean)[1] == 30).all()


def test_coverage_is_counted_by_the_hour() -> None:
    residual = torch.zeros(2, WEEK)
    margin = torch.zeros(2, WEEK)
    margin[:, 14::48] = -1
    coverage = coverage_by_hour(residual, margin)
    assert coverage[7] == 0.5
    assert (coverage[[*range(7), *range(8, 24)]] == 1).all()


def test_night_and_evening_are_compared_week_by_week() -> None:
    residual, margin = torch.zeros(2, 7, 48), torch.zeros(2, 7, 48)
    margin[1, :, 36:44] = -1
    margin[1, 0, 0:12] = -1
    margin[:, :, 12:36] = -1
    gap = night_minus_evening(residual.reshape(2, WEEK), margin.reshape(2, WEEK))
    assert gap.tolist() == pytest.approx([0, 6 / 7])


@pytest.mark.parametrize(
    ("n", "level", "rank"),
    [
        (6, 0.3, 2),
        (5, 0.8, 4),
        (10, 0.8, 8),
        (7, 0.8, 6),
        (30, Fraction(25, 30), 25),
        (10, 0.7, 7),
        (3, 1e-5, 1),
    ],
)
def test_a_sample_quantile_has_the_exact_rank(n: int, level: float | Fraction, rank: int) -> None:
    values = torch.arange(n, 0, -1, dtype=torch.float64)
    assert sample_quantile(values, level).item() == rank
    assert sample_quantile(values[None].expand(4, -1), level, dim=1).tolist() == [rank] * 4
    cost = asymmetric_linear(
        values[:, None].expand(-1, n), values.expand(n, -1), underage=float(level), overage=float(1 - level),
        reduction="none",
    ).sum(1)  # fmt: skip
    assert cost[values == rank].item() == pytest.approx(cost.min().item())


def test_mean_costs_has_one_entry_a_margin() -> None:
    residual = torch.tensor([-1.0, 0.0, 2.0])
    costs = mean_costs(torch.tensor([0.0, 1.0]), residual, underage=4.0, overage=1.0)
    torch.testing.assert_close(costs, torch.tensor([9 / 3, 7 / 3]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: base_forecast(torch.zeros(FIRST)), "demand must have shape"),
        (lambda: daily_features(0), "length must be at least 1, got 0"),
        (lambda: daily_features(48, harmonics=24), "harmonics must lie between 0 and 23, got 24"),
        (
            lambda: rolling(torch.zeros(WEEK, 1), torch.zeros(WEEK, 1), squared_error),
            "inputs must have shape",
        ),
        (lambda: rolling(torch.zeros(1000, 1), torch.zeros(1000), squared_error), "multiple of 336"),
        (
            lambda: rolling(torch.zeros(4 * WEEK, 1), torch.zeros(4 * WEEK), squared_error, weeks=2),
            "between 1 and 1",
        ),
        (lambda: sample_quantile(torch.zeros(3), 0.0), "level must lie between 0 and 1, got 0.0"),
        (lambda: sales_ratchet(torch.zeros(3), quantile=0.8, start=1.0), "demand must have shape"),
        (
            lambda: sales_ratchet(torch.zeros(3, 3), quantile=1.0, start=1.0),
            "quantile must lie between 0 and 1",
        ),
    ],
)
def test_errors_name_the_argument(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


# What the page says about the data.


def by_week(last_weeks: Tensor, first: Tensor, second: Tensor) -> Interval:
    return paired(BILL(first, last_weeks).mean(1), BILL(second, last_weeks).mean(1))


@pytest.mark.claim("C99", "C103", "C225")
def test_aiming_at_the_fractile_costs_less_than_aiming_at_the_mean(
    last_weeks: Tensor, mean_fit: Rolling, fractile_fit: Rolling
) -> None:
    assert by_week(last_weeks, fractile_fit.ahead, mean_fit.ahead).high < 0
    assert by_week(last_weeks, mean_fit.with_stock(past_quantile), mean_fit.ahead).high < 0
    assert 0.78 < (last_weeks <= fractile_fit.ahead).double().mean() < 0.86


@pytest.mark.claim("C226", "C227")
def test_six_weeks_do_not_separate_a_conditional_from_a_constant_margin(
    last_weeks: Tensor, mean_fit: Rolling, fractile_fit: Rolling
) -> None:
    constant = mean_fit.with_stock(past_quantile)
    weekly = by_week(last_weeks, fractile_fit.ahead, constant)
    assert weekly.low < 0 < weekly.high
    naive = interval((BILL(fractile_fit.ahead, last_weeks) - BILL(constant, last_weeks)).flatten())
    assert naive.high < 0


@pytest.mark.claim("C226")
def test_nine_weeks_say_the_same(inputs: Tensor, residual: Tensor) -> None:
    nine = residual[-9 * WEEK :].reshape(9, WEEK)
    centre, fractile = (rolling(inputs, residual, loss, weeks=9) for loss in (squared_error, FRACTILE))
    assert by_week(nine, fractile.ahead, centre.ahead).high < 0
    undecided = by_week(nine, fractile.ahead, centre.with_stock(past_quantile))
    assert undecided.low < 0 < undecided.high


@pytest.mark.claim("C226")
def test_the_conditional_margin_keeps_its_promise_at_more_hours(
    last_weeks: Tensor, mean_fit: Rolling, fractile_fit: Rolling
) -> None:
    constant = mean_fit.with_stock(past_quantile)
    off = [
        (coverage_by_hour(last_weeks, margin) - 0.8).abs().mean() for margin in (constant, fractile_fit.ahead)
    ]
    assert off[1] < off[0] - 0.02
    by_hour = coverage_by_hour(last_weeks, fractile_fit.ahead)
    assert [by_hour.min().item(), by_hour.max().item()] == pytest.approx([0.71, 0.88], abs=0.005)
    falls = [100 * night_minus_evening(last_weeks, margin) for margin in (constant, fractile_fit.ahead)]
    apart = paired(*falls)
    assert [fall.mean().item() for fall in falls] == pytest.approx([23, 2], abs=0.5)
    assert apart.mean == pytest.approx(21, abs=0.5) and apart.half_width == pytest.approx(7, abs=0.5)


def test_a_perfect_rule_is_off_by_five_points_an_hour_by_chance() -> None:
    chance = math.sqrt(2 * 0.8 * 0.2 / (math.pi * 42))
    assert chance == pytest.approx(binom(42, 0.8).expect(lambda k: abs(k / 42 - 0.8)), abs=0.001)
    assert round(100 * chance) == 5


def test_the_forecast_for_seven_in_the_evening_is_raised(fractile_fit: Rolling) -> None:
    assert fractile_fit.ahead.reshape(6, 7, 48)[:, :, 38].mean() == pytest.approx(0.66, abs=0.005)


@pytest.mark.claim("C228")
def test_a_model_with_weights_for_each_weekday_is_dearer(
    residual: Tensor, last_weeks: Tensor, fractile_fit: Rolling
) -> None:
    richer = rolling(daily_features(len(residual), by_weekday=True), residual, FRACTILE)
    assert by_week(last_weeks, richer.ahead, fractile_fit.ahead).low > 0
    learnt = [
        sum(BILL(torch.zeros_like(past), past).mean().item() for past in fit.past)
        for fit in (richer, fractile_fit)
    ]
    assert learnt[0] < learnt[1]
    constant = rolling(daily_features(len(residual), harmonics=0), residual, FRACTILE)
    undecided = by_week(last_weeks, richer.ahead, constant.ahead)
    assert undecided.low < 0 < undecided.mean


# The claims that hold for every demand.


@pytest.mark.claim("C99")
def test_the_bill_is_a_multiple_of_the_pinball_loss() -> None:
    bought, demand = torch.randn(2, 1000, generator=generator(1), dtype=torch.float64)
    rescaled = 5 * pinball(bought, demand, quantile=0.8, reduction="none")
    torch.testing.assert_close(BILL(bought, demand), rescaled, rtol=1e-14, atol=1e-15)


def total_bill(amount: float, demands: Tensor, under: float, over: float) -> float:
    bought = torch.full_like(demands, amount)
    return asymmetric_linear(bought, demands, underage=under, overage=over, reduction="sum").item()


@pytest.mark.claim("C103")
def test_an_interpolated_quantile_need_not_minimise() -> None:
    days = torch.tensor([9.0, 12, 13, 14, 16, 18, 25], dtype=torch.float64)
    interpolated, observed = (
        float(np.quantile(days.numpy(), 0.8, method=m)) for m in ("linear", "inverted_cdf")
    )
    assert (interpolated, observed) == (pytest.approx(17.6), 18.0)
    assert total_bill(interpolated, days, 4, 1) == pytest.approx(55.2)
    assert total_bill(observed, days, 4, 1) == pytest.approx(54.0)
    assert min(total_bill(amount, days, 4, 1) for amount in np.linspace(5, 30, 2501)) == pytest.approx(54.0)


@pytest.mark.claim("C102")
@pytest.mark.parametrize("n", range(1, 31))
def test_the_optimum_of_a_sample_is_an_order_statistic_or_an_interval(n: int) -> None:
    days = torch.sort(100 * torch.rand(n, generator=generator(n), dtype=torch.float64)).values
    rank, remainder = divmod(4 * n, 5)
    bills = [total_bill(amount, days, 4, 1) for amount in days.tolist()]
    least = min(bills)
    optimal = [i for i, amount in enumerate(bills) if amount < least + 1e-9]
    assert optimal == ([rank] if remainder else [rank - 1, rank])
    if not remainder:
        middle = (days[rank - 1] + days[rank]).item() / 2
        assert total_bill(middle, days, 4, 1) == pytest.approx(least)


def test_the_closed_form_of_the_expected_bill_agrees_with_quadrature() -> None:
    demand = torch.linspace(0, 400, 400_001, dtype=torch.float64)
    density = torch.from_numpy(gamma.pdf(demand.numpy(), 4, scale=5))
    for stock in (0.0, 8.0, 20.0, 27.5, 60.0):
        expected = torch.trapezoid(BILL(torch.full_like(demand, stock), demand) * density, demand).item()
        closed = gamma_bill(torch.tensor(stock, dtype=torch.float64), underage=4.0, overage=1.0).item()
        assert closed == pytest.approx(expected, rel=1e-6)


def test_simulated_demand_has_the_distribution_of_the_closed_form() -> None:
    demand = gamma_demand(20_000, generator=generator(3))
    assert kstest(demand.numpy(), gamma(4, scale=5).cdf).pvalue > 0.01
    assert kstest(demand.numpy(), gamma(4, scale=5.3).cdf).pvalue < 0.01


@pytest.mark.claim("C103")
def test_the_sample_quantile_costs_extra_and_less_so_with_more_days() -> None:
    share = torch.linspace(0, 1, 200_002, dtype=torch.float64)[1:-1]
    stock = torch.from_numpy(gamma.ppf(share.numpy(), 4, scale=5))
    bill = gamma_bill(stock, underage=4.0, overage=1.0)
    best = gamma_bill(torch.tensor(gamma.ppf(0.8, 4, scale=5)), underage=4.0, overage=1.0).item()
    assert bill.min() >= best - 1e-12
    extra = []
    for n in (10, 100, 1000):
        rank = math.ceil(0.8 * n)
        weight = torch.from_numpy(beta.pdf(share.numpy(), rank, n + 1 - rank))
        extra.append(torch.trapezoid(bill * weight, share).item() / best - 1)
    assert extra == pytest.approx([0.116, 0.0115, 0.00115], rel=0.01)


@pytest.mark.claim("C104")
@pytest.mark.parametrize("stock", [15.0, 25.0, 27.0, 28.0, 35.0, 60.0])
def test_the_quantile_of_sales_is_cut_off_at_the_stock(stock: float) -> None:
    demand = gamma.rvs(4, scale=5, size=100_001, random_state=0)
    rule = partial(np.quantile, q=0.8, method="inverted_cdf")
    assert rule(np.minimum(demand, stock)) == min(rule(demand), stock)


@pytest.mark.claim("C104")
def test_a_stock_set_from_sales_never_rises_and_one_below_the_quantile_stays() -> None:
    demand = gamma_demand(30, 30, 50, generator=generator(2))
    ratchet = sales_ratchet(demand, quantile=0.8, start=40.0)
    assert (ratchet.diff(dim=0) <= 0).all()
    upper = sales_ratchet(demand, quantile=Fraction(25, 30), start=40.0)
    assert ratchet[-1].median() < upper[-1].median() < 24 < demand.kthvalue(24, dim=1).values.median()
    stuck = sales_ratchet(demand, quantile=0.8, start=12.0)
    assert (stuck == 12.0).all()
    generous = sales_ratchet(demand[:2], quantile=0.8, start=1000.0)
    torch.testing.assert_close(generous[1], demand[0].kthvalue(24, dim=0).values, rtol=0, atol=0)
