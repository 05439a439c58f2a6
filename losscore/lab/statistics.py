"""What a number over several seeds is worth: its mean with an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from losscore.lab.scale import number


@dataclass(frozen=True, repr=False)
class Interval:
    """A mean over ``n`` independent values and the half-width of its Student-t interval at ``level``."""

    mean: float
    half_width: float
    n: int
    level: float

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + self.half_width

    def __format__(self, spec: str) -> str:
        """``f"{interval:.3f}"`` gives both numbers that format; without one, two digits of the half-width decide."""
        if spec:
            mean, half_width = format(self.mean, spec), format(self.half_width, spec)
        elif self.half_width > 0 and math.isfinite(self.half_width):
            places = max(0, 1 - math.floor(math.log10(self.half_width)))
            mean, half_width = number(self.mean, places), number(self.half_width, places)
        else:
            mean, half_width = number(self.mean), number(self.half_width)
        return f"{mean.replace('-', '−')} ± {half_width} (n = {self.n})"

    def __str__(self) -> str:
        return format(self)

    __repr__ = __str__


def interval(values: Sequence[float] | Tensor, level: float = 0.95, *, test_share: float = 0.0) -> Interval:
    """The mean of values, such as one result a seed, with its Student-t interval.

    The interval covers the true mean with probability ``level`` if the values are independent draws from a normal
    distribution, and about so for other distributions that aren't too skewed. Results on random splits of *one* data
    set are not independent, because the splits share samples: more splits alone would make the interval as narrow as
    one likes. With ``test_share`` their variance is taken as (1/n + test_share) times that of the values, after Nadeau
    and Bengio (2003).

    Args:
        values: n numbers, n at least 2.
        level: the probability to cover, between 0 and 1.
        test_share: for splits of one data set, the number of test samples over that of training samples.

    Raises:
        ValueError: if there are fewer than 2 values, if they have more than one axis, if one isn't finite, if
            ``level`` isn't between 0 and 1, or if ``test_share`` is negative.
    """
    numbers = _numbers("values", values)
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level!r}")
    if not test_share >= 0:
        raise ValueError(f"test_share must be 0 or larger, got {test_share!r}")
    n = len(numbers)
    half_width = t_quantile(0.5 + level / 2, n - 1) * numbers.std().item() * math.sqrt(1 / n + test_share)
    return Interval(numbers.mean().item(), half_width, n, level)


def paired(
    first: Sequence[float] | Tensor,
    second: Sequence[float] | Tensor,
    level: float = 0.95,
    *,
    test_share: float = 0.0,
) -> Interval:
    """The mean of ``first - second`` with its interval, where both were measured on the same seeds or splits.

    What the two share, such as an easy split, cancels in each difference; the interval is then narrower than the
    two separate ones suggest.

    Raises:
        ValueError: as for :func:`interval`, and if the two have different lengths.
    """
    one, other = _numbers("first", first), _numbers("second", second)
    if len(one) != len(other):
        raise ValueError(
            f"first and second must hold one value for each seed, got {len(one)} and {len(other)}"
        )
    return interval(one - other, level, test_share=test_share)


def t_quantile(probability: float, freedom: int) -> float:
    """The value that a Student-t variable with ``freedom`` degrees of freedom stays below with this probability.

    For whole degrees of freedom the distribution function is a finite sum of powers of cos θ, with t = √freedom tan θ
    (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4). It is inverted by bisection in θ.
    """
    if probability < 0.5:
        return -t_quantile(1 - probability, freedom)
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        if _within(middle, freedom) < 2 * probability - 1:
            low = middle
        else:
            high = middle
    return math.sqrt(freedom) * math.tan((low + high) / 2)


def _within(angle: float, freedom: int) -> float:
    """The probability that \\|t\\| is below √freedom tan(angle)."""
    cosine = math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(2 + odd, freedom - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total


def _numbers(name: str, values: Sequence[float] | Tensor) -> Tensor:
    numbers = torch.as_tensor(values, dtype=torch.float64).detach().cpu()
    if numbers.ndim != 1 or len(numbers) < 2:
        raise ValueError(
            f"{name} must be at least 2 numbers along one axis, got shape {tuple(numbers.shape)}"
        )
    if not numbers.isfinite().all():
        raise ValueError(f"{name} must be finite, got {numbers[~numbers.isfinite()][0].item()}")
    return numbers
