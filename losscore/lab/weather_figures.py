"""The pictures of the experiment on tomorrow's highest temperature."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
from torch import Tensor

from losscore.lab.figures import BLUE, INK, ORANGE
from losscore.lab.weather import Forecast


def fans(rows: Mapping[str, Forecast], target: Tensor, spans: Mapping[str, Tensor]) -> None:
    """Forecasts as fans, one row a model and one column a span of days, with the outcomes as dots.

    The dark band holds half of the stated probability, both bands 90 %; outcomes beyond them are orange diamonds.

    Args:
        rows: by name, forecasts of all days.
        target: the outcomes, shape (n,).
        spans: by name, which of the days to show: Boolean, shape (n,).
    """
    figure, grid = plt.subplots(
        len(rows),
        len(spans),
        sharex="col",
        sharey="col",
        squeeze=False,
        figsize=(6.0, 2.4 * len(rows) + 0.5),
    )
    for axes_row, (model, forecast) in zip(grid, rows.items(), strict=True):
        for axes, (span, chosen) in zip(axes_row, spans.items(), strict=True):
            shown = Forecast(*(part[chosen].cpu() for part in forecast))
            seen = target[chosen].cpu()
            day = range(1, len(seen) + 1)
            for share, alpha in ((0.9, 0.22), (0.5, 0.4)):
                ends = (shown.quantile((1 + side * share) / 2) for side in (-1, 1))
                axes.fill_between(day, *ends, color=BLUE, alpha=alpha, linewidth=0)
            held = shown.covers(seen)
            for marker, colour, size, part in (("o", INK, 4, held), ("D", ORANGE, 6, ~held)):
                places = [place for place, holds in zip(day, part.tolist()) if holds]
                axes.plot(places, seen[part], marker, color=colour, markersize=size)
            axes.set_title(f"{model}, {span}" if len(spans) > 1 else model)
    for axes in grid[:, 0]:
        axes.set_ylabel("highest (°C)")
    for axes in grid[-1]:
        axes.set_xlabel("day")
    figure.align_ylabels()
