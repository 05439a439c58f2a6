"""Kinds of arguments of the losses of forecasts, masks and survival times, as in `kinds`."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from .kinds import Kind, Sample, normal, rows_of

PIXELS = 3
MEMBERS = 4


def _counts(size: int, generator: Generator) -> Tensor:
    return torch.randint(6, (size,), generator=generator).double()


def _positive(generator: Generator, *size: int) -> Tensor:
    return normal(generator, *size).exp() + 0.25


def _locations(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    return normal(generator, size, 2), [normal(generator, size)]


def _location_and_log_scale_samples(generator: Generator) -> Iterator[Sample]:
    for residual in (0.0, 2.0**-20, 0.5, 30.0, 1e4):
        for log_scale in (-20.0, -3.0, 0.0, 2.0, 40.0):
            yield Sample((residual - 1.5, log_scale), -1.5, terms=abs(log_scale) + 1)
    for (x, s), y in zip(rows_of(2 * normal(generator, 10, 2)), rows_of(normal(generator, 10)), strict=True):
        yield Sample((x, s), y, terms=3)


def _location_and_scale(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    return torch.stack((normal(generator, size), _positive(generator, size)), -1), [normal(generator, size)]


def _location_and_scale_samples(generator: Generator) -> Iterator[Sample]:
    for z in (0.0, 2.0**-20, 0.3, 0.83, 2.0, 5.0, 39.0, 41.0, 1e4):
        for scale in (2.0**-40, 0.5, 1.0, 1024.0):
            yield Sample((z * scale, scale), 0.0, componentwise=False)
            yield Sample((-z * scale, scale), 0.0, componentwise=False)
    yield Sample((3.0, 2.0**-120), 1.0, componentwise=False)
    forecasts, observed = _location_and_scale(10, generator)
    for forecast, y in zip(rows_of(forecasts), rows_of(observed[0]), strict=True):
        yield Sample(forecast, y, componentwise=False)


def _log_rates(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    return normal(generator, size), [_counts(size, generator)]


def _log_rate_samples(generator: Generator) -> Iterator[Sample]:
    for y in (0.0, 1.0, 3.0, 9.0, 10.0, 500.0):
        for log_rate in (-1e4, -80.0, -5.0, 0.0, 2.0, 6.0, 40.0):
            yield Sample(log_rate, y, terms=y + 1)
    for y in (30.0, 1e3, 1e4, 1e6):
        for ahead in (-0.5, -1e-3, 1e-3, 0.5):
            yield Sample(math.log(y) + ahead, y)
    for log_rate, y in zip(*(rows_of(v) for v in (normal(generator, 8), _counts(8, generator))), strict=True):
        yield Sample(2 * log_rate, y, terms=y + 1)


LARGE_SIZES = (1e2, 1e4, 1e6, 1e8)


def _means_and_counts() -> Iterator[tuple[float, float]]:
    """Means about a count and far from it, none at the zero of the slope in a large size, y +- sqrt(y)."""
    for y in (0.0, 1.0, 3.0, 30.0, 1000.0):
        for mean in (2.0**-20, 0.5, y + 0.5, 2.5 * y + 7):
            yield mean, y


def _mean_and_size(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    return _positive(generator, size, 2), [_counts(size, generator)]


def _mean_and_size_samples(generator: Generator) -> Iterator[Sample]:
    for y in (0.0, 1.0, 3.0, 40.0):
        for mean in (2.0**-20, 0.5, 3.0, 1000.0):
            for size in (2.0**-10, 0.5, 3.0, 100.0, 1e6, 1e15):
                yield Sample((mean, size), y, componentwise=False, terms=min(1.0, y))
    for mean, y in _means_and_counts():
        for size in (2.0**-10, 9.0, *LARGE_SIZES):
            yield Sample((mean, size), y)
    forecasts, counts = _mean_and_size(8, generator)
    for forecast, y in zip(rows_of(forecasts), rows_of(counts[0]), strict=True):
        yield Sample(forecast, y, componentwise=False)


def _mean_size_and_zero(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    forecast = torch.cat((_positive(generator, size, 2), normal(generator, size, 1)), -1)
    return forecast, [_counts(size, generator)]


def _mean_size_and_zero_samples(generator: Generator) -> Iterator[Sample]:
    for y in (0.0, 2.0):
        for mean in (2.0**-20, 3.0, 1e4):
            for zero in (-1e4, -40.0, -2.0, 0.0, 3.0, 40.0, 1e4):
                yield Sample((mean, 100.0, zero), y, componentwise=False)
    for mean, y in _means_and_counts():
        for size in LARGE_SIZES:
            yield Sample((mean, size, -2.0), y)
    for zero in (-700.0, -40.0, 3.0, 40.0, 700.0):
        for mean in (0.5, 1000.0):
            yield Sample((mean, 100.0, zero), 0.0)
            yield Sample((mean, 100.0, zero), 1.0)
    forecasts, counts = _mean_size_and_zero(8, generator)
    for forecast, y in zip(rows_of(forecasts), rows_of(counts[0]), strict=True):
        yield Sample(forecast, y, componentwise=False)


def _ensembles(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    return 2 * normal(generator, size, MEMBERS), [normal(generator, size)]


def _ensemble_samples(generator: Generator) -> Iterator[Sample]:
    ensembles = [
        (1.0, 3.0),
        (-0.5, -2.0, -1.0),
        (1e4, -1e4, 2.0, 2.5),
        (2.0**-20, 2.0**-19, 0.0),
        (100.25, 99.75),
    ]
    for ensemble in [*ensembles, *rows_of(normal(generator, 6, MEMBERS))]:
        for y in (0.25, -300.0, 300.0):
            yield Sample(ensemble, y, componentwise=False)


def _intervals(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    return normal(generator, size, 2), [2 * normal(generator, size)]


def _interval_samples(generator: Generator) -> Iterator[Sample]:
    for y in (-1e4, -1.5, 0.0, 0.75, 1.25, 1e4):
        yield Sample((-1.0, 1.0), y)
        yield Sample((1.0, -0.5), y, terms=5)
    for ends, y in zip(rows_of(normal(generator, 8, 2)), rows_of(2 * normal(generator, 8)), strict=True):
        yield Sample(ends, y, terms=5)


def _masks(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    logits = 2 * normal(generator, size, PIXELS)
    return logits, [
        torch.randint(2, (size, PIXELS), generator=generator),
        normal(generator, size, PIXELS).sigmoid(),
    ]


def _mask_samples(generator: Generator) -> Iterator[Sample]:
    rows = [
        (20.0, -20.0, 20.0),
        (-30.0, 10.0, -5.0),
        (80.0, -80.0, 60.0),
        (0.0, 0.0, 0.0),
        (-17.0, -12.0, -20.0),
    ]
    for logits in [*rows, *rows_of(3 * normal(generator, 6, PIXELS))]:
        for mask in ((1.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 1.0, 1.0)):
            yield Sample(logits, mask)
        yield Sample(logits, (0.0, 0.25, 0.75), componentwise=False)


def _hazards(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    times = torch.randint(1, 1 + size // 2 + 1, (size,), generator=generator)
    events = torch.arange(size) % 3 != 1
    return normal(generator, size), [torch.stack((times, events), -1).double()]


def _hazard_samples(generator: Generator) -> Iterator[Sample]:
    spread = (89.0, 0.0, -40.0, 710.0)
    last_wins, tied = ((1, 1), (2, 1), (3, 0), (4, 1)), ((2, 1), (2, 1), (1, 1), (2, 0))
    for observed in (last_wins, tied, last_wins[::-1], tied[::-1], ((1, 0), (1, 0), (2, 0), (1, 1))):
        for hazards in (spread, (20.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0), (1e4, -1e4, 3.0, 0.5)):
            yield Sample(hazards, observed, componentwise=False)
    hazards, observed = _hazards(6, generator)
    yield Sample(rows_of(2 * hazards), rows_of(observed[0]), componentwise=False)


FORECAST_KINDS = {
    ("location and log scale", "real"): Kind(_locations, _location_and_log_scale_samples),
    ("location and scale", "real"): Kind(_location_and_scale, _location_and_scale_samples),
    ("log rate", "count"): Kind(_log_rates, _log_rate_samples),
    ("mean and size", "count"): Kind(_mean_and_size, _mean_and_size_samples, bounded="means are positive"),
    ("mean, size and zero", "count"): Kind(
        _mean_size_and_zero, _mean_size_and_zero_samples, bounded="means are positive"
    ),
    ("ensemble", "real"): Kind(_ensembles, _ensemble_samples),
    ("interval", "real"): Kind(_intervals, _interval_samples),
    ("mask", "mask"): Kind(_masks, _mask_samples),
    ("log hazards", "times and events"): Kind(
        _hazards,
        _hazard_samples,
        entangled="an event is compared with everybody still at risk",
        defined="sum",
    ),
}
