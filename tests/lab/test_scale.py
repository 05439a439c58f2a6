import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from losscore.lab.scale import Scale, linear_ticks, log_ticks, number

numbers = st.floats(-1e6, 1e6)


def read(text: str) -> float:
    """The value of a tick's text, by its own rules: true minus, commas, powers in superscript."""
    text = text.replace("−", "-").replace(",", "")
    if "10" in text and any(digit in text for digit in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"):
        mantissa, _, exponent = text.rpartition("10")
        plain = exponent.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
        return float(mantissa.rstrip("×") or 1) * 10.0 ** int(plain)
    return float(text)


@given(numbers, st.floats(1e-6, 1e6))
def test_linear_ticks_are_few_even_inside_and_truly_labelled(low: float, width: float) -> None:
    high = low + width
    if not high - low > 1e-9 * max(abs(low), abs(high)):
        return
    ticks = linear_ticks(low, high)
    values = np.array([value for value, _ in ticks])
    assert 3 <= len(ticks) <= 7
    step = np.diff(values)
    assert np.allclose(step, step[0], rtol=1e-6, atol=1e-9 * abs(values).max())
    assert values.min() >= low - 1e-6 * step[0]
    assert values.max() <= high + 1e-6 * step[0]
    for value, text in ticks:
        assert read(text) == pytest.approx(value, rel=1e-4, abs=1e-6 * step[0])
    assert len({text for _, text in ticks}) == len(ticks)


@pytest.mark.parametrize(
    ("ends", "texts"),
    [
        ((0, 1), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ((-8, 4), ["−8", "−4", "0", "4"]),
        ((20000, 38000), ["20,000", "24,000", "28,000", "32,000", "36,000"]),
        ((0, 1e-7), ["0", "0.2×10⁻⁷", "0.4×10⁻⁷", "0.6×10⁻⁷", "0.8×10⁻⁷", "1×10⁻⁷"]),
    ],
)
def test_linear_ticks_as_printed(ends: tuple[float, float], texts: list[str]) -> None:
    assert [text for _, text in linear_ticks(*ends)] == texts


@pytest.mark.parametrize(
    ("ends", "texts"),
    [
        ((1e-2, 5e3), ["0.01", "0.1", "1", "10", "100", "1,000"]),
        ((0.5, 30), ["0.5", "1", "2", "5", "10", "20"]),
        ((1e-9, 1e9), ["10⁻⁸", "10⁻⁴", "1", "10⁴", "10⁸"]),
        ((1.1, 1.4), ["1.1", "1.2", "1.3", "1.4"]),
    ],
)
def test_log_ticks_as_printed(ends: tuple[float, float], texts: list[str]) -> None:
    ticks = log_ticks(*ends)
    assert [text for _, text in ticks] == texts
    for value, text in ticks:
        assert read(text) == pytest.approx(value)


def test_scale_has_the_ticks_of_its_kind() -> None:
    assert Scale(1, 1000, 0, 1).ticks() == linear_ticks(1, 1000)
    assert Scale(1, 1000, 0, 1, "log").ticks() == log_ticks(1, 1000) != linear_ticks(1, 1000)


def test_scale_puts_the_ends_where_they_belong() -> None:
    linear = Scale(-1, 3, 100, 20)
    assert linear(np.array([-1.0, 3.0, 1.0])).tolist() == [100, 20, 60]
    log = Scale(0.01, 100, 0, 40, "log")
    assert log(np.array([0.01, 1.0, 100.0])).tolist() == pytest.approx([0, 20, 40])
    assert np.isnan(log(np.array([0.0, -1.0, math.inf, math.nan]))).all()
    assert np.isnan(linear(np.array([math.inf, -math.inf, math.nan]))).all()


def test_number() -> None:
    assert [number(-0.0), number(-0.004, 2), number(-1234.5, 1), number(2.5)] == [
        "0",
        "0.00",
        "−1,234.5",
        "2.5",
    ]
