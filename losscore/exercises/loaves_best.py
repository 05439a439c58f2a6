"""A task of the exercise on loaves: all amounts whose bill is lowest."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .loaves_bill import days, stock_loss
from .tasks import EXTREMES, Function, Property, Task, WrongAnswer


def optimal_set(x: Tensor, cu: int, co: int) -> tuple[float, float]:
    ordered = sorted(x.tolist())
    covered = len(x) * cu
    first = -(-covered // (cu + co)) - 1
    last = covered // (cu + co)
    return ordered[first], ordered[last]


def _distinct(n: int, *, seed: int) -> Tensor:
    return torch.randperm(60, generator=torch.Generator().manual_seed(seed))[:n].double()


_INPUTS = {
    "nτ whole": [
        (_distinct(10, seed=1), 4, 1),
        (_distinct(12, seed=2), 2, 1),
        (_distinct(10, seed=3), 3, 2),
    ],
    "nτ not whole": [
        (_distinct(11, seed=4), 4, 1),
        (_distinct(7, seed=5), 4, 1),
        (_distinct(9, seed=6), 1, 3),
    ],
    "ties": [
        (days(20, seed=7, most=6), 4, 1),
        (days(15, seed=8, most=3), 1, 2),
        (days(9, seed=9, most=2), 3, 1),
    ],
    "rounding": [
        (_distinct(50, seed=10), 7, 43),
        (_distinct(22, seed=11), 15, 7),
        (_distinct(26, seed=12), 15, 11),
    ],
    EXTREMES: [
        (_distinct(1, seed=13), 4, 1),
        (_distinct(20, seed=14), 10**6, 1),
        (_distinct(20, seed=15), 1, 10**6),
        (torch.full((8,), 5.0, dtype=torch.float64), 1, 1),
    ],
}


def _twice(value: float) -> tuple[float, float]:
    return value, value


def _ranks(x: Tensor, cu: int, co: int) -> tuple[list[float], int, int]:
    covered = len(x) * cu
    return sorted(x.tolist()), -(-covered // (cu + co)) - 1, covered // (cu + co)


def _neighbour(x: Tensor, cu: int, co: int) -> tuple[float, float]:
    ordered, first, _ = _ranks(x, cu, co)
    return ordered[first], ordered[min(first + 1, len(x) - 1)]


def _rounded_down(x: Tensor, cu: int, co: int) -> tuple[float, float]:
    ordered, _, last = _ranks(x, cu, co)
    return ordered[last - 1], ordered[last]


def _around(x: Tensor, cu: int, co: int) -> tuple[float, float]:
    level = cu / (cu + co)
    low, high = (torch.quantile(x, level, interpolation=side) for side in ("lower", "higher"))
    return low.item(), high.item()


def _one_too_far(x: Tensor, cu: int, co: int) -> tuple[float, float]:
    ordered, first, last = _ranks(x, cu, co)
    return ordered[min(first + 1, len(x) - 1)], ordered[min(last + 1, len(x) - 1)]


def _by_floats(x: Tensor, cu: int, co: int) -> tuple[float, float]:
    rank = len(x) * (cu / (cu + co))
    ordered = sorted(x.tolist())
    return ordered[math.ceil(rank) - 1], ordered[math.floor(rank)]


_MISTAKES = (
    WrongAnswer(
        "costs swapped",
        lambda x, cu, co: optimal_set(x, co, cu),
        "Your amounts suffice too rarely. Which mistake hurts more: one unit short, or one unit over?",
    ),
    WrongAnswer(
        "interpolated quantile",
        lambda x, cu, co: _twice(torch.quantile(x, cu / (cu + co)).item()),
        "You interpolate between two demands, as torch.quantile and np.quantile do unless told otherwise. Is the result one "
        "of your demands? Need it be?",
    ),
    WrongAnswer(
        "mean",
        lambda x, cu, co: _twice(x.mean().item()),
        "This is the mean, which minimises squared gaps. It does not even look at the costs.",
    ),
    WrongAnswer(
        "median",
        lambda x, cu, co: optimal_set(x, 1, 1),
        "These are medians: right if both errors cost the same.",
    ),
    WrongAnswer(
        "lower end alone",
        lambda x, cu, co: _twice(optimal_set(x, cu, co)[0]),
        "Your amount costs least, and it is not the only one. Where is the slope just to the right of it 0?",
    ),
    WrongAnswer(
        "upper end alone",
        lambda x, cu, co: _twice(optimal_set(x, cu, co)[1]),
        "Your amount costs least, and it is not the only one. Where is the slope just to the left of it 0?",
    ),
    WrongAnswer(
        "middle",
        lambda x, cu, co: _twice(sum(optimal_set(x, cu, co)) / 2),
        "Sometimes a whole interval costs least. You return its middle; give its two ends.",
    ),
    WrongAnswer(
        "always an interval",
        _neighbour,
        "You always return an interval between two demands. For which n is the slope between them 0?",
    ),
    WrongAnswer(
        "neighbours of an interpolated quantile",
        _around,
        "You take the demands on both sides of the position (n − 1)τ, as 'lower' and 'higher' of a library's quantile do. "
        "The slope turns elsewhere: count the demands below.",
    ),
    WrongAnswer(
        "always an interval, rounded down",
        _rounded_down,
        "You round nτ down for the lower end. Where nτ is not whole, the slope with ⌊nτ⌋ demands below is still negative.",
    ),
    WrongAnswer(
        "index from 1",
        _one_too_far,
        "You are one demand too far up. The first of the sorted demands has the index 0.",
    ),
    WrongAnswer(
        "not sorted",
        lambda x, cu, co: (x[_ranks(x, cu, co)[1]].item(), x[_ranks(x, cu, co)[2]].item()),
        "You take demands by their day. Which order do you need?",
    ),
    WrongAnswer(
        "ties counted once",
        lambda x, cu, co: optimal_set(x.unique(), cu, co),
        "A demand that occurs on three days counts three times.",
    ),
    WrongAnswer(
        "rank in floats",
        _by_floats,
        "Is nτ a whole number? You ask a rounded one: in floats 50 · 0.14 is not 7. The costs are whole numbers, so you "
        "can ask without dividing.",
    ),
)


def _costs_least(function: Function) -> bool:
    """Both ends have the lowest bill of all demands and midpoints, and just outside it is higher."""
    for n in (1, 2, 3, 5, 8, 13, 23, 30, 40):
        draw = torch.Generator().manual_seed(100 + n)
        cu, co = torch.randint(1, 10, (2,), generator=draw).tolist()
        x = days(n, seed=200 + n, most=30)
        low, high = function(x, cu, co)
        knots = x.unique()
        tried = torch.cat([knots, (knots[1:] + knots[:-1]) / 2])
        best = stock_loss(tried, x, cu, co).min()
        ends = stock_loss(torch.tensor([low, high, low - 0.01, high + 0.01], dtype=torch.float64), x, cu, co)
        if (ends[:2] > best + 1e-9).any() or (ends[2:] < best + 1e-9).any():
            return False
    return True


def _by_ratio(function: Function) -> bool:
    x = _distinct(15, seed=21)
    return all(
        tuple(function(x, 100 * cu, 100 * co)) == tuple(function(x, cu, co)) for cu, co in ((4, 1), (1, 2))
    )


def _moves_along(function: Function) -> bool:
    x = _distinct(15, seed=22)
    return tuple(function(x + 100, 4, 1)) == tuple(end + 100 for end in function(x, 4, 1))


def _ends_of_the_scale(function: Function) -> bool:
    x = _distinct(25, seed=23)
    top, bottom = function(x, 10**9, 1), function(x, 1, 10**9)
    return tuple(top) == _twice(x.max().item()) and tuple(bottom) == _twice(x.min().item())


def _by_rounding(x: Tensor, cu: int, co: int) -> tuple[float, float]:
    ordered, rank = sorted(x.tolist()), round(len(x) * cu / (cu + co), 6)
    return ordered[math.ceil(rank) - 1], ordered[min(math.floor(rank), len(x) - 1)]


OPTIMAL_SET = Task(
    id="loaves.optimal_set",
    title="the function optimal_set",
    reference=optimal_set,
    inputs=_INPUTS,
    wrong_answers=_MISTAKES,
    properties=(
        Property(
            "by the ratio of the costs",
            _by_ratio,
            "Multiply both costs by 100, and the best amounts must stay where they are. Yours move.",
            nearly=lambda x, cu, co: optimal_set(x, min(cu, 50), min(co, 50)),
        ),
        Property(
            "moves along with the demands",
            _moves_along,
            "Add 100 to every demand, and the best amounts must grow by 100. Yours do not.",
            nearly=lambda x, cu, co: optimal_set(x.clamp(max=100), cu, co),
        ),
        Property(
            "the ends of the scale",
            _ends_of_the_scale,
            "If a missing unit costs a thousand million times as much as a spare one, only the largest demand is best; the "
            "other way round only the smallest.",
            nearly=_by_rounding,
        ),
        Property(
            "costs least, and less than just outside",
            _costs_least,
            "For some demands one of your ends does not cost least, or an amount beyond it costs as little.",
            nearly=lambda x, cu, co: (
                optimal_set(x, cu, co)[0] + 0.5 * (len(x) == 23),
                optimal_set(x, cu, co)[1],
            ),
        ),
    ),
    explanation=(
        "With $k$ demands below $\\theta$ the slope is $(c_u+c_o)(k-n\\tau)$. It turns at the demand of rank "
        "$\\lceil n\\tau\\rceil$, and where $n\\tau$ is whole it is 0 up to the next one. Whole costs let `//` round "
        "$n\\tau=nc_u/(c_u+c_o)$ down, and with two minus signs up, without a float."
    ),
)
