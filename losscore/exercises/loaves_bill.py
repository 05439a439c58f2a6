"""Two tasks of the exercise on loaves: the bill of some days, and its slopes on both sides."""

from __future__ import annotations

import torch
from torch import Tensor

from .tasks import EXTREMES, Arguments, Function, Property, Task, WrongAnswer


def stock_loss(theta: Tensor, x: Tensor, cu: float, co: float) -> Tensor:
    gap = x - theta[:, None]
    return (cu * gap.clamp(min=0) + co * (-gap).clamp(min=0)).sum(1)


def subgradient(theta: float, x: Tensor, cu: float, co: float) -> tuple[float, float]:
    below, above = (x < theta).sum().item(), (x > theta).sum().item()
    ties = len(x) - below - above
    return co * below - cu * (above + ties), co * (below + ties) - cu * above


def days(n: int, *, seed: int, most: int = 40) -> Tensor:
    """Whole demands from 0 to ``most``, with ties where there are many days."""
    return torch.randint(most + 1, (n,), generator=torch.Generator().manual_seed(seed)).double()


def _amounts(count: int, *, seed: int) -> Tensor:
    return 40 * torch.rand(count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _bills(cu: float, co: float, *, seed: int) -> Arguments:
    return _amounts(4, seed=seed), days(9, seed=seed + 100), cu, co


_FAR = torch.tensor([-1e4, 0.0, 1e4], dtype=torch.float64)

_BILLS = {
    "dear and cheap": [_bills(4.0, 1.0, seed=1), _bills(3.0, 2.0, seed=2), _bills(0.5, 2.5, seed=3)],
    "one day": [(_amounts(3, seed=4), days(1, seed=104), 4.0, 1.0)],
    "at a demand": [(days(5, seed=105), days(5, seed=105), 4.0, 1.0)],
    EXTREMES: [(_FAR, days(3, seed=106), 4.0, 1.0), (_FAR, 1e4 * days(3, seed=107), 1e-3, 1e3)],
}

_STOCK_MISTAKES = (
    WrongAnswer(
        "costs swapped",
        lambda theta, x, cu, co: stock_loss(theta, x, co, cu),
        "The two costs are swapped: cu is the price of a unit that is missing. When is one missing?",
    ),
    WrongAnswer(
        "mean in place of the total",
        lambda theta, x, cu, co: stock_loss(theta, x, cu, co) / len(x),
        "This is the bill of an average day. The bill of all days is asked for.",
    ),
    WrongAnswer(
        "pinball",
        lambda theta, x, cu, co: stock_loss(theta, x, cu, co) / (cu + co),
        "This is the pinball loss: it has the right minimum, but not the right unit. What does one missing unit cost you?",
    ),
    WrongAnswer(
        "squared",
        lambda theta, x, cu, co: (
            cu * (x - theta[:, None]).clamp(min=0) ** 2 + co * (theta[:, None] - x).clamp(min=0) ** 2
        ).sum(1),
        "You square the gaps. Two units too many cost twice as much as one, not four times.",
    ),
    WrongAnswer(
        "one price for both",
        lambda theta, x, cu, co: stock_loss(theta, x, cu, cu),
        "You charge cu for what is left over as well. That unit costs co.",
    ),
    WrongAnswer(
        "only what is missing",
        lambda theta, x, cu, co: stock_loss(theta, x, cu, 0.0),
        "What is left over costs nothing in your bill.",
    ),
    WrongAnswer(
        "only what is left over",
        lambda theta, x, cu, co: stock_loss(theta, x, 0.0, co),
        "What is missing costs nothing in your bill.",
    ),
    WrongAnswer(
        "surplus counted against the missing",
        lambda theta, x, cu, co: stock_loss(theta, x, cu, -co),
        "A surplus lowers your bill. Both kinds of error cost something: which gap must turn its sign?",
    ),
    WrongAnswer(
        "whole units",
        lambda theta, x, cu, co: stock_loss(theta.round(), x, cu, co),
        "You round the amount. The loss is defined between whole numbers too.",
    ),
    WrongAnswer(
        "costs of the sums",
        lambda theta, x, cu, co: stock_loss(len(x) * theta, x.sum()[None], cu, co),
        "You compare the sum of the demands with the sum of the amounts. A loaf left over today is no loaf tomorrow.",
    ),
)


def _convex(function: Function) -> bool:
    x, ends = days(7, seed=21), torch.tensor([-5e3, -20.0, 10.0, 30.0, 6e3], dtype=torch.float64)
    cost, middle = function(ends, x, 4.0, 1.0), function((ends[:-1] + ends[1:]) / 2, x, 4.0, 1.0)
    return bool((middle <= (cost[:-1] + cost[1:]) / 2 + 1e-6).all())


def _in_any_currency(function: Function) -> bool:
    theta, x, cu, co = _bills(4.0, 1.0, seed=22)
    return all(
        torch.allclose(function(theta, x, rate * cu, rate * co), rate * function(theta, x, cu, co), rtol=1e-9)
        for rate in (1e-3, 7.0)
    )


def _shifted_together(function: Function) -> bool:
    theta, x, cu, co = _bills(4.0, 1.0, seed=23)
    return torch.allclose(function(theta - 60, x - 60, cu, co), function(theta, x, cu, co), rtol=1e-9)


STOCK_LOSS = Task(
    id="loaves.stock_loss",
    title="the function stock_loss",
    reference=stock_loss,
    inputs=_BILLS,
    wrong_answers=_STOCK_MISTAKES,
    properties=(
        Property(
            "the same in any currency",
            _in_any_currency,
            "Multiply both costs by one number, and the bill must be multiplied by it. Yours is not.",
            nearly=lambda theta, x, cu, co: stock_loss(theta, x, max(cu, 0.01), co),
        ),
        Property(
            "shifted together",
            _shifted_together,
            "Take the same number from the amount and from every demand: the bill must not change. Yours does.",
            nearly=lambda theta, x, cu, co: stock_loss(theta.clamp(min=0), x.clamp(min=0), cu, co),
        ),
        Property(
            "convex",
            _convex,
            "Halfway between two amounts the bill must not exceed the mean of their bills. Yours does somewhere: is it capped?",
            nearly=lambda theta, x, cu, co: (
                cu * (x - theta[:, None]).clamp(0, 1000) + co * (theta[:, None] - x).clamp(0, 1000)
            ).sum(1),
        ),
    ),
    explanation=(
        "A gap above the amount costs $c_u$ a unit, one below it $c_o$; `clamp` keeps the one or the other. The book's own "
        "function is `losscore.asymmetric_linear`."
    ),
)


def _at(theta: float, n: int, *, seed: int, cu: float = 4.0, co: float = 1.0) -> Arguments:
    return theta, days(n, seed=seed), cu, co


def _at_a_demand(n: int, *, seed: int, most: int = 40, cu: float = 4.0, co: float = 1.0) -> Arguments:
    x = days(n, seed=seed, most=most)
    return x[0].item(), x, cu, co


_SLOPES = {
    "between demands": [_at(17.5, 8, seed=31), _at(4.5, 11, seed=32, cu=2.0, co=3.0), _at(33.5, 9, seed=33)],
    "at a demand": [
        _at_a_demand(1, seed=34),
        _at_a_demand(7, seed=35, cu=2.0, co=3.0),
        _at_a_demand(12, seed=36, most=4),
    ],
    EXTREMES: [_at(-1e4, 5, seed=37), _at(1e4, 5, seed=38), _at_a_demand(9, seed=39, most=0)],
}


def _smooth(theta: float, x: Tensor, cu: float, co: float) -> tuple[float, float]:
    low, high = subgradient(theta, x, cu, co)
    return (low + high) / 2, (low + high) / 2


def _ties_on_no_side(theta: float, x: Tensor, cu: float, co: float) -> tuple[float, float]:
    return subgradient(theta, x[x != theta], cu, co)


_SLOPE_MISTAKES = (
    WrongAnswer(
        "costs swapped",
        lambda theta, x, cu, co: subgradient(theta, x, co, cu),
        "The two costs are swapped: one unit more saves cu on each day with a demand above, and costs co on each day below.",
    ),
    WrongAnswer(
        "sign",
        lambda theta, x, cu, co: tuple(-slope for slope in reversed(subgradient(theta, x, cu, co))),
        "Check the sign: far below all demands one unit more must lower the bill.",
    ),
    WrongAnswer(
        "mean in place of the total",
        lambda theta, x, cu, co: tuple(slope / len(x) for slope in subgradient(theta, x, cu, co)),
        "These are the slopes for an average day. Those of the whole bill are asked for.",
    ),
    WrongAnswer(
        "days above on the left, days below on the right",
        lambda theta, x, cu, co: (-cu * (x >= theta).sum().item(), co * (x <= theta).sum().item()),
        "Your left slope counts the days above alone, and your right slope those below. Each slope is that of the whole "
        "bill: both kinds of days count in both.",
    ),
    WrongAnswer(
        "costs left out",
        lambda theta, x, cu, co: subgradient(theta, x, 1.0, 1.0),
        "You count days. Each of them counts with its cost.",
    ),
    WrongAnswer(
        "ties on no side",
        _ties_on_no_side,
        "A day whose demand is θ itself counts nowhere in yours. What does one unit more cost on that day, and one less?",
    ),
    WrongAnswer(
        "one slope from the middle",
        _smooth,
        "At a demand you return the middle of two slopes. The bill has a kink there: give both.",
    ),
    WrongAnswer(
        "right slope twice",
        lambda theta, x, cu, co: (subgradient(theta, x, cu, co)[1],) * 2,
        "Both of your numbers are the slope to the right. On the left, a day at θ is still a day above.",
    ),
    WrongAnswer(
        "left slope twice",
        lambda theta, x, cu, co: (subgradient(theta, x, cu, co)[0],) * 2,
        "Both of your numbers are the slope to the left. On the right, a day at θ is a day below.",
    ),
    WrongAnswer(
        "order",
        lambda theta, x, cu, co: tuple(reversed(subgradient(theta, x, cu, co))),
        "Your first number is the larger one. The lower end comes first: the slope to the left.",
    ),
)


def _supports(function: Function) -> bool:
    for seed in range(41, 47):
        x = days(13, seed=seed, most=20)
        others = torch.linspace(-5, 25, 121, dtype=torch.float64)
        bills = stock_loss(others, x, 4.0, 1.0)
        for theta in (x[0].item(), 7.25):
            here = stock_loss(torch.tensor([theta], dtype=torch.float64), x, 4.0, 1.0)
            for slope in function(theta, x, 4.0, 1.0):
                if (bills < here + slope * (others - theta) - 1e-9).any():
                    return False
    return True


def _jumps(function: Function) -> bool:
    x = torch.tensor([3.0, 8.0, 8.0, 8.0, 11.0, 11.0, 20.0], dtype=torch.float64)
    sizes = [high - low for low, high in (function(theta, x, 3.5, 1.25) for theta in (3.0, 8.0, 11.0, 9.0))]
    return all(abs(size - 4.75 * ties) < 1e-9 for size, ties in zip(sizes, (1, 3, 2, 0)))


def _slopes_shift(function: Function) -> bool:
    theta, x, cu, co = _at_a_demand(8, seed=51)
    return tuple(function(theta - 60, x - 60, cu, co)) == tuple(function(theta, x, cu, co))


SUBGRADIENT = Task(
    id="loaves.subgradient",
    title="the function subgradient",
    reference=subgradient,
    inputs=_SLOPES,
    wrong_answers=_SLOPE_MISTAKES,
    properties=(
        Property(
            "shifted together",
            _slopes_shift,
            "Take the same number from θ and from every demand: the slopes must not change. Yours do.",
            nearly=lambda theta, x, cu, co: subgradient(max(theta, 0.0), x.clamp(min=0), cu, co),
        ),
        Property(
            "jumps by cu + co for each day at θ",
            _jumps,
            "At a demand that occurs on several days the two slopes lie cu + co apart for each of them. Yours do not.",
            nearly=lambda theta, x, cu, co: subgradient(theta, x, cu, round(co)),
        ),
        Property(
            "lines that stay below the bill",
            _supports,
            "A line through the bill at θ, with one of your slopes, must nowhere lie above the bill. Yours does.",
            nearly=lambda theta, x, cu, co: (
                subgradient(theta, x, cu, co)[0],
                subgradient(theta, x, cu, co)[1] + 0.5 * (len(x) == 13),
            ),
        ),
    ),
    explanation=(
        "One unit more costs $c_o$ on each day below $\\theta$ and saves $c_u$ on each day above. A day at $\\theta$ is one above "
        "when you come from the left, and one below when you go on to the right."
    ),
)
