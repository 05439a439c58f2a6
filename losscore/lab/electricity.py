"""The newsvendor's experiment on electricity demand: forecasts, features, and models refitted week by week.

All series run over half-hours from midnight of a Monday; energy is measured by the mean power in GW over the
half-hour. A purchase is a base forecast plus a margin, and the margin is what the models learn.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from losscore.lab.training import fit

DAY, WEEK = 48, 7 * 48
FIRST = WEEK + DAY
"""The first half-hour for which the base forecast exists: eight days must have passed."""

_STAGES = ((0.05, 300), (0.01, 200), (0.002, 200))
"""Learning rates of Adam and how many steps each: the kinks of a piecewise linear loss need a falling rate."""


def base_forecast(demand: Tensor) -> Tensor:
    """Yesterday's demand, plus the step that the same two days took a week ago.

    The forecast for half-hour t is d[t - 48] + d[t - 336] - d[t - 384]: all of it is known at the midnight before.

    Args:
        demand: shape (n,), n above 384.

    Returns:
        Shape (n,), in the unit of ``demand``; NaN for the first 384 half-hours.

    Raises:
        ValueError: if ``demand`` has another number of axes or is too short.
    """
    if demand.ndim != 1 or len(demand) <= FIRST:
        raise ValueError(f"demand must have shape (n,) with n above {FIRST}, got {tuple(demand.shape)}")
    forecast = torch.full_like(demand, math.nan)
    forecast[FIRST:] = demand[WEEK:-DAY] + demand[DAY : len(demand) - WEEK] - demand[: len(demand) - FIRST]
    return forecast


def daily_features(length: int, *, harmonics: int = 2, by_weekday: bool = False) -> Tensor:
    """A constant and the first harmonics of the day, for each half-hour.

    Args:
        length: how many half-hours.
        harmonics: how many sine and cosine pairs, with periods 24 h, 12 h, 8 h and so on; 0 leaves the constant.
        by_weekday: give each day of the week its own copy of all of them.

    Returns:
        Shape (length, 1 + 2 harmonics), seven times as many columns with ``by_weekday``; float64.

    Raises:
        ValueError: if ``length`` is below 1, or ``harmonics`` isn't between 0 and 23.
    """
    if length < 1:
        raise ValueError(f"length must be at least 1, got {length}")
    if not 0 <= harmonics < DAY // 2:
        raise ValueError(f"harmonics must lie between 0 and {DAY // 2 - 1}, got {harmonics}")
    half_hour = torch.arange(length)
    angle = 2 * math.pi / DAY * (half_hour % DAY).double()
    columns = [torch.ones_like(angle)]
    for k in range(1, harmonics + 1):
        columns += [torch.sin(k * angle), torch.cos(k * angle)]
    table = torch.stack(columns, dim=1)
    if not by_weekday:
        return table
    weekday = nn.functional.one_hot(half_hour // DAY % 7, 7).double()
    return (weekday[:, :, None] * table[:, None, :]).flatten(start_dim=1)


@dataclass(frozen=True)
class Rolling:
    """What the models of the test weeks said.

    ``ahead`` has shape (weeks, 336): each week's predictions, from the model that was fitted before it. ``past``
    holds for each week the residuals, target minus prediction, that its model left on its own training data.
    """

    ahead: Tensor
    past: tuple[Tensor, ...]

    def with_stock(self, rule: Callable[[Tensor], Tensor]) -> Tensor:
        """The predictions, each week raised by ``rule`` of that week's past residuals; shape (weeks, 336)."""
        return torch.stack([ahead + rule(past) for ahead, past in zip(self.ahead, self.past, strict=True)])


def rolling(
    inputs: Tensor, target: Tensor, loss: Callable[[Tensor, Tensor], Tensor], *, weeks: int = 6
) -> Rolling:
    """Fit a linear model to all the past before each of the last ``weeks`` weeks, and predict that week.

    Args:
        inputs: shape (n, features), n a whole number of weeks.
        target: shape (n,); the first 384 half-hours, which have no base forecast, are left out.
        loss: ``loss(prediction, target)``, one number.
        weeks: how many weeks to predict; at least 1, with one whole week left to learn from.

    Raises:
        ValueError: if the shapes don't fit together, n isn't a whole number of weeks, or too little past remains.
    """
    if inputs.ndim != 2 or target.shape != inputs.shape[:1]:
        raise ValueError(
            f"inputs must have shape (n, features) and target (n,), got {tuple(inputs.shape)} and {tuple(target.shape)}"
        )
    total, rest = divmod(len(target), WEEK)
    if rest or not 1 <= weeks <= total - 3:
        raise ValueError(
            f"weeks must lie between 1 and {total - 3} and n be a multiple of {WEEK}, got {weeks} and n = {len(target)}"
        )
    ahead, past = [], []
    for week in range(total - weeks, total):
        seen, coming = slice(FIRST, week * WEEK), slice(week * WEEK, (week + 1) * WEEK)
        model = _linear(inputs[seen], target[seen], loss)
        with torch.no_grad():
            past.append(target[seen] - model(inputs[seen]).squeeze(1))
            ahead.append(model(inputs[coming]).squeeze(1))
    return Rolling(torch.stack(ahead), tuple(past))


def coverage_by_hour(residual: Tensor, margin: Tensor) -> Tensor:
    """The share of half-hours, in each hour of the day, in which ``margin`` was enough.

    Args:
        residual, margin: shape (weeks, 336).

    Returns:
        Shape (24,).
    """
    return hourly((residual <= margin).double()).mean(dim=1)


def hourly(series: Tensor) -> Tensor:
    """Sort half-hours by the hour of the day: from shape (weeks, 336) to (24, 14 weeks)."""
    return series.reshape(-1, 24, 2).transpose(0, 1).flatten(start_dim=1)


def _linear(inputs: Tensor, target: Tensor, loss: Callable[[Tensor, Tensor], Tensor]) -> nn.Linear:
    model = nn.Linear(inputs.shape[1], 1, bias=False, device=inputs.device, dtype=inputs.dtype)
    nn.init.zeros_(model.weight)
    for rate, steps in _STAGES:
        fit(model, loss, inputs, target[:, None], optimiser=partial(torch.optim.Adam, lr=rate), steps=steps)
    return model


def sales_ratchet(demand: Tensor, *, quantile: float, start: float) -> Tensor:
    """Orders of a shop that sets each season's stock to a quantile of the last season's *sales*.

    Sales are demand cut off at the stock. The quantile is the smallest sale that at least the share ``quantile`` of
    the sales doesn't exceed.

    Args:
        demand: shape (seasons, days, ...), the demand of each day; further axes are independent shops.
        quantile: the level, between 0 and 1.
        start: the stock of the first season.

    Returns:
        Shape (seasons, ...), the stock of each season; the first is ``start``.

    Raises:
        ValueError: if ``demand`` has fewer than two axes or ``quantile`` isn't between 0 and 1.
    """
    if demand.ndim < 2:
        raise ValueError(f"demand must have shape (seasons, days, ...), got {tuple(demand.shape)}")
    if not 0 < quantile < 1:
        raise ValueError(f"quantile must lie between 0 and 1, got {quantile!r}")
    rank = max(math.ceil(quantile * demand.shape[1] - 1e-9), 1)
    stock = torch.full(demand.shape[:1] + demand.shape[2:], start, dtype=demand.dtype, device=demand.device)
    for season in range(1, len(demand)):
        sales = torch.minimum(demand[season - 1], stock[season - 1])
        stock[season] = sales.kthvalue(rank, dim=0).values
    return stock


def gamma_bill(stock: Tensor, *, underage: float, overage: float) -> Tensor:
    """The expected cost of a stock when demand is Gamma with shape 4 and scale 5, in closed form.

    The expected surplus at stock s is s P(D <= s) - E[D; D <= s], and E[D; D <= s] is the mean, 20, times the
    probability that a Gamma variable of shape 5 stays below s.

    Args:
        stock: non-negative, any shape.
        underage, overage: the cost of each missing and of each surplus unit.

    Returns:
        The shape of ``stock``.
    """
    shape, scale = torch.tensor([4.0, 5.0], dtype=stock.dtype, device=stock.device)
    surplus = stock * torch.special.gammainc(shape, stock / scale)
    surplus = surplus - shape * scale * torch.special.gammainc(shape + 1, stock / scale)
    cost: Tensor = overage * surplus + underage * (shape * scale - stock + surplus)
    return cost
