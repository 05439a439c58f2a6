"""The runs and drawings of the exercise on two proper scores.

``kind`` is "cross-entropy" or "brier". What the learner writes is passed in: ``cost(q, p, kind)``, the expected loss of
the forecast q, and ``slope(z, y, kind)``, the slope of the loss of the outcome y in the logit z.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from losscore.lab.hardware import device, generator, seeded
from losscore.lab.training import fit
from losscore.losses.classification import binary_brier, binary_cross_entropy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from losscore.lab.slider import SliderFigure

KINDS = ("cross-entropy", "brier")
COIN = 0.7
"""The probability of heads."""
START = -6.0
"""The logit of the convinced wrong start."""
GRID = torch.linspace(-3, 3, 301)[:, None]
"""Where the networks are compared with the truth, shape (301, 1)."""

Judged = Callable[[Tensor, Tensor, str], Tensor]
_LOSSES = {"cross-entropy": binary_cross_entropy, "brier": binary_brier}
_DESCENT = partial(torch.optim.SGD, lr=0.5)
_NAMES = {"cross-entropy": "cross-entropy", "brier": "Brier score"}


def draw_landscapes(cost: Judged, slope: Judged) -> Figure:
    """Above, the expected losses over the forecast; below, the losses of the outcome 1 over the logit."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import BLUE, INK, ORANGE, label_line, mark, shade

    figure, (above, below) = plt.subplots(2, 1, figsize=(6.0, 7.0))
    coin, start = torch.tensor([COIN, START], dtype=torch.float64)
    forecasts = torch.linspace(0.01, 0.99, 197, dtype=torch.float64)
    logits = torch.linspace(-8, 4, 241, dtype=torch.float64)
    for kind, colour, at, offset in (
        ("cross-entropy", BLUE, -3.2, (58, 4)),
        ("brier", ORANGE, -4.2, (0, -20)),
    ):
        (line,) = above.plot(forecasts, cost(forecasts, coin, kind), color=colour, label=_NAMES[kind])
        label_line(line, at=0.38, offset=(0, 14))
        least = cost(coin, coin, kind).item()
        mark(above, COIN, least, f"{least:.2f}", colour=colour, offset=(0, 14))
        curve = _LOSSES[kind](logits, torch.ones_like(logits), reduction="none")
        (line,) = below.plot(logits, curve, color=colour, label=_NAMES[kind])
        label_line(line, at=at, offset=offset)
        value = _LOSSES[kind](start, torch.ones_like(start)).item()
        step = -slope(start, torch.ones_like(start), kind).item()
        mark(below, START, value, colour=colour)
        arrow = {"arrowstyle": "->", "color": INK, "lw": 1.5}
        below.annotate("", (START + step, value), (START, value), arrowprops=arrow)
        below.annotate(f"one step: {step:.3f}", (START, value), (10, 8), textcoords="offset points")
    shade(below, -8, -0.6931, "the Brier score bends down")
    above.set(xlabel="forecast q", ylabel="expected loss, p = 0.7", ylim=(0, 2.5), xlim=(0, 1))
    below.set(xlabel="logit z", ylabel="loss of the outcome y = 1", ylim=(-0.3, 8), xlim=(-8, 4))
    return figure


def forecasts_of_descent(
    slope: Judged, starts: Tensor, kind: str, *, steps: int = 400, rate: float = 1.0
) -> Tensor:
    """Descend the expected loss of the coin in the logit, from each start: the forecasts after 0, 1, … steps.

    Shape (steps + 1, starts).
    """
    place, path = starts, [starts]
    for _ in range(steps):
        heads = slope(place, torch.ones_like(place), kind)
        tails = slope(place, torch.zeros_like(place), kind)
        place = place - rate * (COIN * heads + (1 - COIN) * tails)
        path.append(place)
    return torch.stack(path).sigmoid()


def arrivals(path: Tensor) -> list[int | None]:
    """For each column of forecasts, the first step within 0.05 of the truth; None where there is none."""
    near = ((path - COIN).abs() < 0.05).int()
    return [int(row.argmax()) if row.any() else None for row in near.T]


def slide_starts(slope: Judged) -> SliderFigure:
    """The forecast over 400 steps of descent under both scores; the slider moves the logit of the start."""
    from losscore.lab.slider import SliderFigure

    starts = torch.linspace(-7, 3, 21, dtype=torch.float64)
    paths = {kind: forecasts_of_descent(slope, starts, kind) for kind in KINDS}

    def told(steps: int | None) -> str:
        return "does not arrive within 400 steps" if steps is None else f"arrives after {steps} steps"

    return SliderFigure(
        range(0, 401, 4),
        {_NAMES[kind]: path.T[:, ::4].numpy() for kind, path in paths.items()},
        fixed={"truth": torch.full((101,), COIN).numpy()},
        label="start z₀",
        values=[f"{value:.1f}".replace("-", "−") for value in starts.tolist()],
        start=2,
        xlabel="steps of descent",
        ylabel="forecast q",
        ylim=(0, 1),
        label_at={"cross-entropy": 110, "Brier score": 230, "truth": 370},
        readout=[
            f"Cross-entropy {told(fast)}, the Brier score {told(slow)}."
            for fast, slow in zip(*(arrivals(paths[kind]) for kind in KINDS))
        ],
        alt=(
            "The forecast over 400 steps of descent, for both scores, with a slider for the start. From a logit of −6 "
            "cross-entropy comes near the truth 0.7 in 16 steps, while the Brier score lies below 0.05 for 284 steps "
            "and then rises."
        ),
    )


def eta(x: Tensor) -> Tensor:
    """The probability of heads at x, between about 0.07 and 0.93: shape (n, 1) gives (n,)."""
    return 0.05 + 0.9 * torch.sigmoid(4 * torch.sin(2 * x)).squeeze(-1)


def train(
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    bias: float,
    seed: int,
    samples: int,
    optimiser: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer] = _DESCENT,
) -> Tensor:
    """Train one network of 32 tanh units for 300 steps on its own data; its forecasts on `GRID`, shape (301,).

    Args:
        loss: ``loss(logits, labels)``, one number.
        bias: the bias of the last layer at the start.
        seed: of the data and of the first weights.
        samples: how many points of the interval (−3, 3), each with one flip of its coin.
        optimiser: makes the optimiser from the parameters.
    """
    draw = generator(seed)
    x = 6 * torch.rand(samples, 1, generator=draw) - 3
    y = (torch.rand(samples, generator=draw) < eta(x)).float()
    with seeded(seed):
        first, last = nn.Linear(1, 32), nn.Linear(32, 1)
    nn.init.constant_(last.bias, bias)
    where = device()
    model = nn.Sequential(first, nn.Tanh(), last, nn.Flatten(0)).to(where)
    fit(model, loss, x.to(where), y.to(where), optimiser=optimiser, steps=300)
    with torch.no_grad():
        forecasts: Tensor = model(GRID.to(where)).sigmoid().cpu()
    return forecasts


def errors(forecasts: Tensor) -> Tensor:
    """The root mean square of forecast minus truth over `GRID`: shape (networks, 301) gives (networks,)."""
    return (forecasts - eta(GRID)).square().mean(-1).sqrt()


def draw_networks(learned: Mapping[str, Tensor]) -> Figure:
    """The forecasts of all networks over x with the truth, a panel for each name; values have shape (networks, 301)."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import BLUE, INK, ORANGE

    figure, panels = plt.subplots(2, 1, figsize=(6.0, 5.6), sharex=True)
    for axes, (name, forecasts), colour in zip(panels, learned.items(), (BLUE, ORANGE), strict=True):
        axes.plot(GRID, forecasts.T, color=colour, linewidth=1.2, alpha=0.8, linestyle="-")
        axes.plot(GRID, eta(GRID), color=INK, linestyle="--")
        axes.set(ylabel="forecast", ylim=(-0.02, 1.02), title=name)
    panels[-1].set(xlabel="x", xlim=(-3, 3))
    return figure
