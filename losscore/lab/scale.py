"""Axes of a figure drawn by hand: from data to drawing units, with ticks at round numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["linear", "log"]

_ROUND = ((1, 0.0), (2, 0.0), (2.5, 1.2), (4, 0.8), (5, 0.0))
"""Steps that a reader counts in easily, times a power of ten, and how much worse than the best each one is."""

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Scale:
    """Maps data between ``low`` and ``high`` to drawing units between ``start`` and ``end``."""

    low: float
    high: float
    start: float
    end: float
    kind: Kind = "linear"

    def __call__(self, data: NDArray[np.float64]) -> NDArray[np.float64]:
        """Drawing units of ``data``; NaN where there is no place for it: not finite, or not positive on a log axis."""
        values = np.where(np.isfinite(data), data, np.nan)
        low, high = self.low, self.high
        if self.kind == "log":
            values = np.log10(np.where(values > 0, values, np.nan))
            low, high = math.log10(low), math.log10(high)
        return np.asarray(self.start + (values - low) / (high - low) * (self.end - self.start))

    def ticks(self) -> list[tuple[float, str]]:
        """About five round numbers on the axis, each with its text."""
        return log_ticks(self.low, self.high) if self.kind == "log" else linear_ticks(self.low, self.high)


def linear_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Multiples of a round step between ``low`` and ``high``: about five, and at the ends where that can be."""
    power = math.floor(math.log10(high - low))
    steps = [
        (mantissa * 10.0**exponent, cost) for exponent in (power - 1, power) for mantissa, cost in _ROUND
    ]

    def badness(choice: tuple[float, float]) -> float:
        step, cost = choice
        ticks = _multiples(step, low, high)
        ends = sum(any(math.isclose(end, tick, abs_tol=1e-9 * step) for tick in ticks) for end in (low, high))
        return abs(len(ticks) - 5) + cost - 0.6 * ends

    step, _ = min(steps, key=badness)
    if step >= 1e7 or max(abs(low), abs(high)) < 1e-4:
        unit = 10.0**power
        ticks = [(tick, number(tick / unit)) for tick in _multiples(step, low, high)]
        return [(tick, text if text == "0" else f"{text}×{_power(power)}") for tick, text in ticks]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    if not math.isclose(step * 10**digits, round(step * 10**digits)):
        digits += 1
    return [(tick, number(tick, digits)) for tick in _multiples(step, low, high)]


def _multiples(step: float, low: float, high: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Powers of ten between ``low`` and ``high``, at most six; with twice and five times them on a short axis."""
    slack = 1e-9
    first, last = math.ceil(math.log10(low) - slack), math.floor(math.log10(high) + slack)
    if last - first >= 2:
        stride = math.ceil((last - first + 1) / 6)
        anchor = -(-first // stride) * stride
        powers = range(anchor, last + 1, stride)
        plain = powers[0] >= -3 and powers[-1] <= 4
        return [
            (10.0**power, number(10.0**power, max(0, -power)) if plain else _power(power)) for power in powers
        ]
    ticks = [mantissa * 10.0**power for power in range(first - 1, last + 1) for mantissa in (1, 2, 5)]
    inside = [tick for tick in ticks if low * (1 - slack) <= tick <= high * (1 + slack)]
    if len(inside) < 3:
        return linear_ticks(low, high)
    return [(tick, number(tick, max(0, -math.floor(math.log10(tick) + slack)))) for tick in inside]


def number(value: float, digits: int | None = None) -> str:
    """A number as it is set in print: a true minus sign, thousands apart, no negative zero."""
    text = f"{value:,g}" if digits is None else f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "−")


def _power(exponent: int) -> str:
    return "10" + str(exponent).translate(_SUPERSCRIPT) if exponent else "1"
