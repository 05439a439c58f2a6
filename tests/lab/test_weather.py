"""The experiment on tomorrow's highest temperature: its parts against exact answers, and what its page says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm
from torch import Tensor

from losscore import crps_ensemble, crps_gaussian, gaussian_nll, pinball, squared_error
from losscore.lab import generator, interval, paired, seattle_weather
from losscore.lab.weather import (
    Forecast,
    Model,
    by_season,
    climatology,
    days,
    each_year,
    least_squares,
    minimise,
    mistyped,
    monthly,
)
from losscore.lab.weather_figures import fans

WEATHER = seattle_weather()
RECORD = days(WEATHER)


def log_score(forecast: Forecast, target: Tensor) -> Tensor:
    target = target.expand_as(forecast.mean)
    return gaussian_nll(forecast.mean, target, log_scale=forecast.log_scale, reduction="none")


def crps(forecast: Forecast, target: Tensor) -> Tensor:
    return crps_gaussian(
        forecast.mean, target.expand_as(forecast.mean), scale=forecast.scale, reduction="none"
    )


RULES: dict[str, Callable[[Tensor, Tensor], Model]] = {
    "one": least_squares,
    "log": partial(minimise, log_score),
    "crps": partial(minimise, crps),
}


@pytest.fixture(scope="module")
def clean() -> dict[str, Forecast]:
    return {name: each_year(RECORD, rule) for name, rule in RULES.items()}


class Spoilt(NamedTuple):
    targets: dict[str, Forecast]
    inputs: Forecast


@pytest.fixture(scope="module")
def spoilt() -> Spoilt:
    typed = mistyped(WEATHER, 0.02, copies=5, generator=generator(0))
    targets_only, both = days(WEATHER, typed, as_inputs=False), days(WEATHER, typed)
    targets = {name: each_year(RECORD, rule, targets_only) for name, rule in RULES.items()}
    return Spoilt(targets, each_year(RECORD, RULES["crps"], both))


# The parts.


def test_a_day_knows_the_day_before() -> None:
    assert RECORD.inputs.shape == (1460, 9) and RECORD.target.shape == (1460,)
    assert RECORD.target[:-1].tolist() == pytest.approx((10 * RECORD.inputs[1:, 5]).tolist())
    rain, highest, lowest, wind = WEATHER.values[700].tolist()
    known = [highest / 10, lowest / 10, wind / 3, float(rain > 0)]
    assert RECORD.inputs[700, 5:].tolist() == pytest.approx(known)
    assert (RECORD.inputs[:, 0] == 1).all()
    date = WEATHER.dates[701]
    assert (RECORD.year[700].item(), RECORD.month[700].item()) == (date.year, date.month)
    winter = {month for month in range(1, 13) if (month % 12) // 3 == 0}
    assert set(RECORD.month[RECORD.season == 0].tolist()) == winter == {12, 1, 2}


def test_slips_are_fahrenheit_and_reach_the_inputs_only_if_asked() -> None:
    typed = mistyped(WEATHER, 0.1, copies=3, generator=generator(1))
    highest = WEATHER.values[:, 1]
    slipped = typed != highest
    assert 0.08 < slipped.double().mean() < 0.12
    expected = (highest * 9 / 5 + 32).expand_as(typed)[slipped]
    torch.testing.assert_close(typed[slipped], expected)
    seen, both = days(WEATHER, typed, as_inputs=False), days(WEATHER, typed)
    assert (seen.inputs == RECORD.inputs).all()
    torch.testing.assert_close(both.inputs[..., 5], typed[:, :-1] / 10)
    assert (seen.target == typed[:, 1:]).all() and (both.target == typed[:, 1:]).all()


def test_a_forecast_has_the_normal_law() -> None:
    forecast = Forecast(torch.tensor([20.0, 5.0]).double(), torch.tensor([2.0, 0.5]).double().log())
    law = norm([20, 5], [2, 0.5])
    assert forecast.below(19.0).tolist() == pytest.approx(law.cdf(19).tolist())
    assert forecast.quantile(0.3).tolist() == pytest.approx(law.ppf(0.3).tolist())
    levels = torch.tensor([0.1, 0.9], dtype=torch.float64)
    assert forecast.quantile(levels).T.tolist() == [
        pytest.approx(law.ppf(level).tolist()) for level in (0.1, 0.9)
    ]
    ends = law.ppf(0.95)
    assert forecast.covers(torch.tensor(ends) - 1e-6).all()
    assert not forecast.covers(torch.tensor(ends) + 1e-6).any()


def test_least_squares_is_the_minimiser_of_squared_error() -> None:
    model = least_squares(RECORD.inputs, RECORD.target)
    location = model.location.clone().requires_grad_()
    squared_error(RECORD.inputs @ location, RECORD.target).backward()  # type: ignore[no-untyped-call]
    assert location.grad is not None and location.grad.abs().max() < 1e-9
    forecast = model(RECORD.inputs)
    missed = (RECORD.target - forecast.mean).square().mean().sqrt().item()
    assert forecast.scale.tolist() == pytest.approx([missed] * 1460)


@pytest.mark.parametrize("loss", [log_score, crps])
def test_minimising_ends_where_the_slope_does_and_copies_do_not_meet(
    loss: Callable[[Forecast, Tensor], Tensor],
) -> None:
    drawn = torch.randn(2, 400, generator=generator(2), dtype=torch.float64)
    inputs = torch.stack([torch.ones(400), torch.linspace(-1, 1, 400)], dim=1).double().expand(2, -1, -1)
    target = 3 + 2 * inputs[..., 1] + (0.5 * inputs[..., 1]).exp() * drawn
    model = minimise(loss, inputs, target)
    weights = [weight.clone().requires_grad_() for weight in model]
    loss(Model(*weights)(inputs), target).mean(-1).sum().backward()  # type: ignore[no-untyped-call]
    assert max(weight.grad.abs().max().item() for weight in weights if weight.grad is not None) < 1e-5
    alone = minimise(loss, inputs[0], target[0])
    torch.testing.assert_close(model.spread[0], alone.spread, atol=1e-4, rtol=1e-4)
    assert model.spread[:, 1].mean().item() == pytest.approx(0.5, abs=0.1)
    assert model.location.mean(0).tolist() == pytest.approx([3, 2], abs=0.2)


def test_each_year_is_forecast_from_the_others() -> None:
    def learn(inputs: Tensor, target: Tensor) -> Model:
        location = torch.zeros(*target.shape[:-1], 9, dtype=torch.float64)
        location[..., 0] = target.mean(-1)
        return Model(location, torch.zeros_like(location))

    record = RECORD._replace(target=RECORD.year.double())
    said = each_year(record, learn).mean
    for year in range(2012, 2016):
        others = [other for other in range(2012, 2016) if other != year]
        assert said[record.year == year].tolist() == pytest.approx([np.mean(others)] * 365)
    copies = each_year(record, learn, record._replace(target=record.target.expand(3, -1)))
    assert copies.mean.shape == copies.scale.shape == (3, 1460)


def test_climatology_is_the_same_time_of_other_years() -> None:
    marked = RECORD._replace(target=1000 * RECORD.year.double() + torch.arange(1460) % 365)
    seen = climatology(marked, reach=1)[365 + 100]
    assert sorted(seen.tolist()) == [
        1000 * year + day for year in (2012, 2014, 2015) for day in (99, 100, 101)
    ]
    assert climatology(RECORD).shape == (1460, 93)


def test_means_by_month_and_season() -> None:
    whole = monthly(RECORD.year + RECORD.month / 100, RECORD)
    assert whole.tolist() == pytest.approx([y + m / 100 for y in range(2012, 2016) for m in range(1, 13)])
    assert by_season(RECORD.season.double(), RECORD).tolist() == [0, 1, 2, 3]


def test_fans_show_the_bands_and_mark_the_misses() -> None:
    forecast = Forecast(torch.zeros(6), torch.zeros(6))
    target = torch.tensor([0.0, 3.0, -1.0, -3.0, 9.0, 0.5])
    fans({"model": forecast}, target, {"first": torch.arange(6) < 4, "last": torch.arange(6) >= 4})
    left, right = plt.gcf().axes
    inside, outside = left.lines
    assert (np.asarray(inside.get_xdata()).tolist(), np.asarray(outside.get_xdata()).tolist()) == (
        [1, 3],
        [2, 4],
    )
    assert np.asarray(right.lines[1].get_ydata()).tolist() == [9.0]
    ends = left.collections[0].get_paths()[0].get_extents()
    assert (ends.y0, ends.y1) == pytest.approx((norm.ppf(0.05), norm.ppf(0.95)), abs=1e-6)
    plt.close("all")


# What the page says.


@pytest.mark.claim("C230")
@pytest.mark.parametrize("y", [-2.0, 0.3, 4.0])
def test_the_closed_form_is_the_integral_and_twice_the_pinball_loss(y: float) -> None:
    law = norm(0.5, 1.5)
    found = crps_gaussian(torch.tensor(0.5).double(), torch.tensor(y).double(), scale=1.5).item()
    below, above = quad(lambda t: law.cdf(t) ** 2, -20, y)[0], quad(lambda t: law.sf(t) ** 2, y, 20)[0]
    assert found == pytest.approx(below + above)
    levels = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    quantiles = torch.from_numpy(law.ppf(levels.numpy()))
    losses = [pinball(q, torch.tensor(y).double(), quantile=level).item()
              for q, level in zip(quantiles[::50], levels[::50].tolist())]  # fmt: skip
    assert found == pytest.approx(2 * np.mean(losses), rel=0.02)
    point = crps_gaussian(torch.tensor(0.5).double(), torch.tensor(y).double(), scale=0.0).item()
    assert point == pytest.approx(abs(y - 0.5))


def cold_minus_warm(forecast: Forecast) -> Tensor:
    held = forecast.covers(RECORD.target).double()
    cold = (RECORD.season == 0) | (RECORD.season == 3)
    return torch.stack(
        [
            held[cold & (RECORD.year == year)].mean() - held[~cold & (RECORD.year == year)].mean()
            for year in range(2012, 2016)
        ]
    )


@pytest.mark.claim("C229")
def test_one_spread_covers_the_year_and_not_the_seasons(clean: dict[str, Forecast]) -> None:
    assert clean["one"].covers(RECORD.target).double().mean().item() == pytest.approx(0.9, abs=0.01)
    gap, followed = interval(cold_minus_warm(clean["one"])), interval(cold_minus_warm(clean["crps"]))
    assert gap.low > 0.04
    assert followed.low < 0 < followed.high
    assert paired(cold_minus_warm(clean["one"]), cold_minus_warm(clean["crps"])).low > 0.02


def by_month(clean: dict[str, Forecast], name: str) -> Tensor:
    return monthly(crps(clean[name], RECORD.target), RECORD)


@pytest.mark.claim("C229")
def test_a_spread_that_follows_the_day_lowers_the_crps(clean: dict[str, Forecast]) -> None:
    for name in ("log", "crps"):
        saved = paired(by_month(clean, "one"), by_month(clean, name))
        assert saved.low > 0.005 and saved.mean < 0.04
    point = monthly((clean["one"].mean - RECORD.target).abs(), RECORD)
    assert paired(point, by_month(clean, "one")).low > 0.4
    members = climatology(RECORD)
    usual = monthly(crps_ensemble(members, RECORD.target, reduction="none"), RECORD)
    assert paired(usual, by_month(clean, "one")).low > 0.3


@pytest.mark.claim("C231")
def test_clean_data_do_not_tell_the_two_scores_apart(clean: dict[str, Forecast]) -> None:
    apart = paired(by_month(clean, "log"), by_month(clean, "crps"))
    assert apart.low < 0 < apart.high and apart.half_width < 0.01


@pytest.mark.claim("C231")
def test_fahrenheit_in_the_targets_ruins_the_log_score_only(
    clean: dict[str, Forecast], spoilt: Spoilt
) -> None:
    after = {name: crps(fan, RECORD.target).mean(1) for name, fan in spoilt.targets.items()}
    before = crps(clean["crps"], RECORD.target).mean()
    assert paired(after["log"], after["crps"]).low > 0.4
    assert paired(after["one"], after["crps"]).low > 0.4
    assert interval(after["crps"] - before).high < 0.02
    width = {name: spoilt.targets[name].scale.mean() / clean[name].scale.mean() for name in clean}
    assert width["log"] > 2 and 1 < width["crps"] < 1.1
    slips = (32 + 0.8 * RECORD.target).square().mean().item()
    formula = (0.98 * clean["log"].scale.mean().item() ** 2 + 0.02 * slips) ** 0.5
    assert spoilt.targets["log"].scale.mean().item() == pytest.approx(formula, rel=0.1)
    assert width["crps"].item() == pytest.approx((2 * 0.98**2 - 1) ** -0.5, abs=0.03)


@pytest.mark.claim("C231")
def test_fahrenheit_in_the_inputs_harms_the_crps_too(spoilt: Spoilt) -> None:
    harmed = crps(spoilt.inputs, RECORD.target).mean(1)
    assert paired(harmed, crps(spoilt.targets["crps"], RECORD.target).mean(1)).low > 0.05


@pytest.mark.claim("C231")
def test_gross_errors_widen_both_scores_as_the_formulas_say() -> None:
    drawn = torch.randn(20_000, generator=generator(4), dtype=torch.float64)
    drawn[:500], drawn[500:1000] = 60.0, -60.0
    constant = torch.ones(20_000, 1, dtype=torch.float64)
    widths = [minimise(loss, constant, drawn).spread.exp().item() for loss in (log_score, crps)]
    assert widths[0] == pytest.approx((0.95 + 0.05 * 60**2) ** 0.5, rel=0.01)
    assert widths[1] == pytest.approx((2 * 0.95**2 - 1) ** -0.5, rel=0.03)


@pytest.mark.claim("C232")
def test_cutting_the_tails_off_hardly_changes_the_crps(clean: dict[str, Forecast]) -> None:
    fan = clean["crps"]
    members = fan.quantile((torch.arange(200, dtype=torch.float64) + 0.5) / 200)
    low, high = (fan.quantile(level)[:, None] for level in (0.05, 0.95))
    cut, full = (
        monthly(crps_ensemble(each, RECORD.target, reduction="none"), RECORD)
        for each in (members.clamp(low, high), members)
    )
    lost = paired(cut, full)
    assert lost.low > 0 and lost.high < 0.01
    outside = (RECORD.target < low[:, 0]) | (RECORD.target > high[:, 0])
    assert 0.08 < outside.double().mean() < 0.13


@pytest.mark.claim("C232")
def test_ruling_a_rare_event_out_costs_its_probability_squared() -> None:
    outcomes = torch.zeros(100, dtype=torch.float64)
    outcomes[0] = 10.0
    truth, calm = outcomes.expand(100, -1), torch.zeros(100, 1, dtype=torch.float64)
    scores = [crps_ensemble(forecast, outcomes).item() for forecast in (calm, truth)]
    assert scores[0] - scores[1] == pytest.approx(0.01**2 * 10)


def test_no_clean_day_looks_like_a_slip() -> None:
    assert (RECORD.target - 10 * RECORD.inputs[:, 5]).abs().max() < 12
    assert (32 + 0.8 * RECORD.target).min() > 30
