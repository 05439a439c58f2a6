import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from losscore.lab import interval, paired
from losscore.lab.statistics import Interval, t_quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 9, 10, 29, 100, 2015])
@pytest.mark.parametrize("probability", [0.6, 0.9, 0.975, 0.995, 0.9995])
def test_quantile_is_scipys(probability: float, freedom: int) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=1e-11)
    assert t_quantile(1 - probability, freedom) == pytest.approx(-stats.t.ppf(probability, freedom), rel=1e-9)


def test_quantile_is_not_the_normal_one() -> None:
    assert t_quantile(0.975, 4) > 1.4 * stats.norm.ppf(0.975)


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30).filter(
        lambda values: max(values) - min(values) > 1e-3
    ),
    st.sampled_from([0.5, 0.9, 0.95, 0.99]),
)
def test_interval_is_scipys(values: list[float], level: float) -> None:
    found = interval(values, level)
    low, high = stats.t.interval(level, len(values) - 1, *(stats.describe(values).mean, stats.sem(values)))
    assert found.low == pytest.approx(low, rel=1e-9, abs=1e-9)
    assert found.high == pytest.approx(high, rel=1e-9, abs=1e-9)


def test_interval_covers_as_often_as_it_says() -> None:
    draws = torch.randn(4000, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    covered = sum(one.low <= 0 <= one.high for one in (interval(row, 0.9) for row in draws)) / 4000
    assert covered == pytest.approx(0.9, abs=0.02)


def test_overlapping_splits_widen_the_interval_as_nadeau_and_bengio_say() -> None:
    values = [0.3, 0.1, 0.4, 0.1, 0.5]
    alone, shared = interval(values), interval(values, test_share=0.25)
    assert shared.mean == alone.mean
    assert shared.half_width == pytest.approx(alone.half_width * math.sqrt((1 / 5 + 0.25) * 5))
    assert paired(values, [0.0] * 5, test_share=0.25) == shared
    with pytest.raises(ValueError, match="test_share must be 0 or larger, got -1"):
        interval(values, test_share=-1)


def test_more_splits_of_the_same_samples_do_not_make_an_interval_arbitrarily_narrow() -> None:
    """Means of the halves of 20 samples: splits without end would pin the mean of the sample, not of the law."""
    covered = {0.0: 0, 1.0: 0}
    for seed in range(200):
        draw = torch.Generator().manual_seed(seed)
        sample = torch.randn(20, generator=draw, dtype=torch.float64)
        halves = [sample[torch.randperm(20, generator=draw)[:10]].mean().item() for _ in range(100)]
        for share in covered:
            found = interval(halves, test_share=share)
            covered[share] += found.low < 0 < found.high
    assert covered[0.0] < 100 and covered[1.0] > 180


def test_pairing_removes_what_is_shared() -> None:
    shared = [3.0, -5.0, 12.0, 0.5, 7.0]
    first = [value + 1 + small for value, small in zip(shared, [0.01, -0.02, 0.0, 0.02, -0.01], strict=True)]
    difference = paired(first, shared)
    assert difference.mean == pytest.approx(1)
    assert difference.low > 0.9
    assert interval(first).half_width > 100 * difference.half_width


@pytest.mark.parametrize(
    ("values", "printed"),
    [
        ([0.69, 0.71, 0.72], "0.707 ± 0.038 (n = 3)"),
        ([1200.0, 1300.0], "1,250 ± 635 (n = 2)"),
        ([-2.0, -2.5, -3.0], "−2.5 ± 1.2 (n = 3)"),
        ([0.25, 0.25], "0.25 ± 0 (n = 2)"),
    ],
)
def test_printed(values: list[float], printed: str) -> None:
    assert str(interval(values)) == repr(interval(values)) == printed


def test_printed_to_order() -> None:
    assert f"{Interval(-0.70312, 0.0123, 10, 0.95):.2f}" == "−0.70 ± 0.01 (n = 10)"


@pytest.mark.parametrize("values", [[], [1.0], [[1.0, 2.0]], 3.0])
def test_too_few_values(values: object) -> None:
    with pytest.raises(ValueError, match="values must be at least 2 numbers"):
        interval(values)  # type: ignore[arg-type]


def test_other_bad_input() -> None:
    with pytest.raises(ValueError, match="values must be finite, got nan"):
        interval([1.0, math.nan])
    with pytest.raises(ValueError, match="level must lie between 0 and 1, got 95"):
        interval([1.0, 2.0], 95)
    with pytest.raises(ValueError, match="got 2 and 3"):
        paired([1.0, 2.0], [1.0, 2.0, 3.0])
