"""The experiment on tomorrow's highest temperature: Gaussian forecasts whose mean and spread depend on today."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from losscore.lab.loaders import Weather

SEASONS = ("winter", "spring", "summer", "autumn")
"""Of three months each; winter begins in December."""


class Days(NamedTuple):
    """What was known on the day before, shape (..., n, 9), the highest temperature in °C (..., n), and the date."""

    inputs: Tensor
    target: Tensor
    year: Tensor
    month: Tensor

    @property
    def season(self) -> Tensor:
        """The place in :data:`SEASONS`, shape (n,)."""
        return self.month % 12 // 3


def days(weather: Weather, highest: Tensor | None = None, *, as_inputs: bool = True) -> Days:
    """Every day of the record but the first, with what was known on the day before.

    The inputs are a constant, two waves of the year, and the day before: highest and lowest temperature and wind, in
    units of 10 °C and 3 m/s, and whether it rained.

    Args:
        weather: the record.
        highest: the highest temperatures, shape (..., days), where they aren't those of the record.
        as_inputs: whether ``highest`` also stands among the inputs of the day after; else those are the record's.
    """
    rain, recorded, lowest, wind = weather.values.T
    highest = recorded if highest is None else highest
    before = (highest if as_inputs else recorded.expand_as(highest))[..., :-1]
    angle = torch.tensor([2 * math.pi * date.timetuple().tm_yday / 365.25 for date in weather.dates[1:]])
    waves = [wave(k * angle.to(rain)) for k in (1, 2) for wave in (torch.sin, torch.cos)]
    columns = (torch.ones_like(before), *waves, before / 10, lowest[:-1] / 10, wind[:-1] / 3, rain[:-1] > 0)
    inputs = torch.stack([column.to(rain).expand_as(before) for column in columns], dim=-1)
    dates = torch.tensor([(date.year, date.month) for date in weather.dates[1:]], device=rain.device)
    return Days(inputs, highest[..., 1:], dates[:, 0], dates[:, 1])


def mistyped(weather: Weather, share: float, *, copies: int, generator: torch.Generator) -> Tensor:
    """The highest temperatures, shape (copies, days), each typed in Fahrenheit with the probability ``share``."""
    highest = weather.values[:, 1]
    slipped = torch.rand(copies, len(highest), generator=generator, dtype=torch.float64) < share
    return torch.where(slipped.to(highest.device), 32 + 1.8 * highest, highest)


class Forecast(NamedTuple):
    """Gaussian forecasts: mean and logarithm of the standard deviation, both of one shape, in °C."""

    mean: Tensor
    log_scale: Tensor

    @property
    def scale(self) -> Tensor:
        """The standard deviation."""
        return self.log_scale.exp()

    def below(self, value: float) -> Tensor:
        """The stated probability of at most ``value``."""
        chance: Tensor = torch.special.ndtr((value - self.mean) / self.scale)
        return chance

    def quantile(self, level: float | Tensor) -> Tensor:
        """The value that the outcome stays below with probability ``level``; levels (m,) give shape (..., m)."""
        reach = torch.special.ndtri(torch.as_tensor(level, dtype=self.mean.dtype, device=self.mean.device))
        found: Tensor = (self.mean[..., None] + self.scale[..., None] * reach.reshape(-1)).reshape(
            self.mean.shape + reach.shape
        )
        return found

    def covers(self, target: Tensor, share: float = 0.9) -> Tensor:
        """Whether the central interval that is to hold ``share`` of the outcomes holds this one."""
        low, high = (self.quantile((1 + side * share) / 2) for side in (-1, 1))
        return (low <= target) & (target <= high)


class Model(NamedTuple):
    """A mean linear in the inputs, and a spread whose logarithm is linear in them; both of shape (..., inputs)."""

    location: Tensor
    spread: Tensor

    def __call__(self, inputs: Tensor) -> Forecast:
        return Forecast(
            *((inputs @ weight[..., None]).squeeze(-1) for weight in (self.location, self.spread))
        )


def least_squares(inputs: Tensor, target: Tensor) -> Model:
    """The linear mean of least squared error, with the standard deviation of its residuals for every day alike."""
    location = torch.linalg.lstsq(inputs, target[..., None]).solution.squeeze(-1)
    missed = target - (inputs @ location[..., None]).squeeze(-1)
    spread = torch.zeros_like(location)
    spread[..., 0] = missed.square().mean(-1).log() / 2
    return Model(location, spread)


def minimise(
    loss: Callable[[Forecast, Tensor], Tensor], inputs: Tensor, target: Tensor, *, steps: int = 500
) -> Model:
    """The model of least mean ``loss``, found by L-BFGS from :func:`least_squares`; leading axes are copies.

    Args:
        loss: ``loss(forecast, target)``, one number a day.
        inputs, target: the days to learn from.
        steps: how many steps at most.
    """
    model = Model(*(weight.requires_grad_() for weight in least_squares(inputs, target)))
    rule = torch.optim.LBFGS(
        model,
        max_iter=steps,
        history_size=30,
        tolerance_grad=1e-8,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )

    def total() -> float:
        rule.zero_grad()
        value = loss(model(inputs), target).mean(-1).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value.item()

    rule.step(total)  # type: ignore[no-untyped-call]
    return Model(*(weight.detach() for weight in model))


def each_year(record: Days, learn: Callable[[Tensor, Tensor], Model], seen: Days | None = None) -> Forecast:
    """Forecasts of all days, each year by a model that learnt from the other years.

    Args:
        record: the days to forecast, inputs (n, d).
        learn: makes a model from inputs and target.
        seen: the days to learn from, where they aren't those of ``record``; leading axes are copies.
    """
    source = record if seen is None else seen
    parts = []
    for year in sorted(set(record.year.tolist())):
        others = record.year != year
        model = learn(source.inputs[..., others, :], source.target[..., others])
        parts.append(model(record.inputs[~others]))
    return Forecast(*(torch.cat(columns, dim=-1) for columns in zip(*parts, strict=True)))


def climatology(record: Days, *, reach: int = 15) -> Tensor:
    """For each day the temperatures of the other years within ``reach`` days of its place in the year.

    Returns:
        Shape (n, (years - 1) · (2 reach + 1)).
    """
    years = sorted(set(record.year.tolist()))
    place = torch.cat([torch.arange(int((record.year == year).sum())) for year in years])
    rows = []
    for year, day in zip(record.year.tolist(), place.tolist()):
        others = [record.target[record.year == other] for other in years if other != year]
        rows.append(torch.cat([values.roll(reach - day)[: 2 * reach + 1] for values in others]))
    return torch.stack(rows)


def monthly(values: Tensor, record: Days) -> Tensor:
    """Means of daily ``values``, shape (n,), over each month of the record: one number a month, in order of time."""
    month = 12 * record.year + record.month
    return torch.stack([values[month == one].mean() for one in sorted(set(month.tolist()))])


def by_season(values: Tensor, record: Days) -> Tensor:
    """Means of daily ``values``, shape (..., n), over the :data:`SEASONS`; shape (..., 4)."""
    return torch.stack([values[..., record.season == place].mean(-1) for place in range(4)], dim=-1)
