"""The drawings of the page on the properties of an ideal loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

import losscore
from losscore.lab import ideal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from losscore.lab.slider import SliderFigure


def slide_one_class() -> SliderFigure:
    """What the score of one class costs under one-vs-all hinge and logistic loss; the slider moves its probability."""
    from losscore.lab.slider import SliderFigure

    score = torch.linspace(-3, 3, 241, dtype=torch.float64)
    chances = [round(0.05 * k, 2) for k in range(1, 20)]

    def risk(loss: ideal.Loss, eta: float) -> Tensor:
        yes, no = (loss(score, torch.full_like(score, sign), reduction="none") for sign in (1, -1))
        return eta * yes + (1 - eta) * no

    costs = {
        "hinge": [risk(losscore.hinge, eta).numpy() for eta in chances],
        "logistic": [risk(losscore.logistic, eta).numpy() for eta in chances],
    }
    best = [-1.0 if eta < 0.5 else 1.0 if eta > 0.5 else 0.0 for eta in chances]

    def sentence(eta: float, hinged: float) -> str:
        where = "anywhere between −1 and 1" if eta == 0.5 else f"at {hinged:.0f}".replace("-", "−")
        log_odds = f"{torch.tensor(eta).logit().item():.2f}".replace("-", "−")
        return f"Probability {eta:.2f}: the hinge is least {where}, the logistic loss at {log_odds}."

    return SliderFigure(
        score.numpy(),
        costs,
        label="probability η of the class",
        values=chances,
        start=7,
        xlabel="score of the class",
        ylabel="conditional risk",
        ylim=(0, 3),
        alt=(
            "What the score of one class costs on average, under hinge and logistic loss. While its probability is below "
            "one half the hinge is least at the score −1, above one half at 1; the lowest place of the logistic loss "
            "moves with the probability all the way."
        ),
        marker=best,
        readout=[sentence(eta, place) for eta, place in zip(chances, best)],
    )


def draw_elections(*learned: Tensor, names: Sequence[str] = ("learned score",)) -> Figure:
    """The true probabilities of the three classes over x, and for each loss the scores (BINS, 3) that it learned."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import label_line, shade

    x, eta = ideal.bins_and_truth()
    panels = 1 + len(learned)
    figure, (above, *below) = plt.subplots(panels, 1, sharex=True, figsize=(6.0, 2.5 * panels))
    for k in range(3):
        line = above.plot(x, eta[:, k], label=f"class {k + 1}")[0]
        for axes, scores in zip(below, learned):
            axes.plot(x, scores[:, k].cpu())
        label_line(line, at=x[(2, 9, 20)[k]].item(), offset=((24, 6), (0, 8), (0, 8))[k])
    half_bin = 0.5 / ideal.BINS
    crowded = eta.max(1).values < 0.5
    starts = [i for i in range(ideal.BINS) if crowded[i] and not (i and crowded[i - 1])]
    for start in starts:
        end = start + next(
            (j for j, inside in enumerate(crowded[start:]) if not inside), len(crowded) - start
        )
        for axes in (above, *below):
            words = "no majority" if axes is above and start == starts[1] else ""
            shade(axes, x[start].item() - half_bin, x[end - 1].item() + half_bin, words)
    above.set_ylabel("true probability")
    above.set_ylim(0.1, 0.65)
    for axes, name in zip(below, names):
        axes.set_ylabel(name)
    below[-1].set_xlabel("x")
    return figure


def draw_regret_bounds() -> Figure:
    """The ψ of four margin losses: excess risk that a 0-1 excess of θ forces."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import label_line

    theta = torch.linspace(0, 1, 201, dtype=torch.float64)
    entropy = torch.special.xlogy(1 + theta, 1 + theta) + torch.special.xlogy(1 - theta, 1 - theta)
    places = {"hinge": (0.4, (-26, 4)), "exponential": (None, (6, -24))}
    figure, axes = plt.subplots()
    for words, psi in (
        ("hinge", theta),
        ("squared hinge", theta**2),
        ("exponential", 1 - (1 - theta**2).sqrt()),
        ("logistic", entropy / 2),
    ):
        line = axes.plot(theta, psi, label=words)[0]
        at, offset = places.get(words, (None, None))
        label_line(line, at=at, offset=offset)
    axes.set_xlabel("excess error θ")
    axes.set_ylabel("excess risk at least ψ(θ)")
    return figure


def draw_restricted(seed: int = 0) -> Figure:
    """One sample of `ideal.with_far_group`, the line of least logistic risk and the upright line that errs least."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import BLUE, GREY, INK, ORANGE

    points, label = ideal.with_far_group(seed)
    first, second, intercept = ideal.linear_fit(losscore.binary_cross_entropy, points, label).tolist()
    figure, axes = plt.subplots()
    for value, colour, marker in ((0, ORANGE, "x"), (1, BLUE, "o")):
        group = points[label == value]
        axes.plot(*group.T, marker, color=colour, markersize=4, alpha=0.7, linestyle="none")
    axes.axvline(0, color=INK, linestyle="--", linewidth=1.8)
    axes.annotate("best line", (0.2, 2.5), ha="left")
    height = torch.linspace(-2.6, 2.6, 50, dtype=torch.float64)
    axes.plot(-(second * height + intercept) / first, height, color=GREY, linestyle="-")
    axes.annotate("logistic line", (-(intercept - 2.2 * second) / first - 0.3, -2.1), ha="right")
    axes.annotate("one in ten,\nclass 1", (-10, 1.7), ha="center")
    axes.set_xlim(-13, 4.5)
    axes.set_ylim(-2.7, 2.9)
    axes.set_xlabel("first feature")
    axes.set_ylabel("second feature")
    return figure


def slide_tangents() -> SliderFigure:
    """The least expected cross-entropy over the true probability, and what one forecast costs: a tangent."""
    from losscore.lab.slider import SliderFigure

    truth = torch.linspace(0, 1, 201, dtype=torch.float64)
    forecasts = [round(0.05 * k, 2) for k in range(1, 20)]

    def cost(forecast: float) -> Tensor:
        logit = torch.tensor(forecast, dtype=torch.float64).logit().expand_as(truth)
        return losscore.binary_cross_entropy(logit, truth, reduction="none")

    least = torch.special.entr(truth) + torch.special.entr(1 - truth)

    def sentence(forecast: float) -> str:
        regret = (cost(forecast) - least)[140].item()
        return f"Whoever says {forecast:.2f} where 0.70 holds pays {regret:.2f} more than needed."

    return SliderFigure(
        truth.numpy(),
        {"this forecast": [cost(forecast).numpy() for forecast in forecasts]},
        fixed={"honest": least.numpy()},
        label="forecast p",
        values=forecasts,
        start=5,
        xlabel="true probability η",
        ylabel="expected cross-entropy",
        ylim=(0, 1.5),
        alt=(
            "Over the true probability, the expected cross-entropy of the honest forecast is an arch, 0.69 high in the "
            "middle and 0 at both ends. That of one fixed forecast is a straight line that touches the arch where the "
            "forecast is true and lies above it everywhere else."
        ),
        marker=forecasts,
        readout=[sentence(forecast) for forecast in forecasts],
    )


def draw_answers() -> Figure:
    """The forecast that each loss pays best, over the true probability of a binary event."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import label_line

    eta = torch.linspace(0.005, 0.995, 199, dtype=torch.float64)
    figure, axes = plt.subplots(figsize=(6.0, 4.4))
    lines: tuple[tuple[str, ideal.Loss, dict[str, float], float | None, tuple[float, float]], ...] = (
        ("proper\nscores", losscore.cross_entropy, {}, None, (4, -14)),
        ("focal, γ = 2", losscore.focal, {"gamma": 2.0}, 0.16, (-14, 16)),
        ("GCE, q = ½", losscore.generalized_cross_entropy, {"q": 0.5}, 0.66, (-10, 26)),
        ("absolute error", losscore.absolute_probability_error, {}, 0.52, (-64, -8)),
    )
    for words, loss, parameters, at, offset in lines:
        line = axes.plot(eta, ideal.best_forecast(loss, eta, **parameters), label=words)[0]
        label_line(line, at=at, offset=offset)
    axes.set_xlabel("true probability η")
    axes.set_ylabel("best forecast p")
    return figure


def draw_projections(fits: Mapping[str, ideal.Projection]) -> Figure:
    """A true probability in three steps, and the sigmoids that are nearest to it under two scores."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import GREY, label_line

    x, eta = ideal.staircase()
    thin = slice(None, None, 100)
    figure, axes = plt.subplots()
    axes.plot(x[thin], eta[thin], color=GREY, linestyle="-", label="truth")
    for index, (words, fit) in enumerate(fits.items()):
        line = axes.plot(x[thin], fit.forecast[thin], color=f"C{index}", label=words)[0]
        axes.plot(
            [fit.boundary] * 2, [0, 0.5], color=f"C{index}", linestyle=line.get_linestyle(), linewidth=1.2
        )
        label_line(line, at=(0.9, -1.9)[index], offset=((44, -30), (-10, 8))[index])
    axes.annotate("truth", (-0.95, 0.67))
    axes.axhline(0.5, color=GREY, linewidth=0.8, linestyle=":")
    axes.set_xlabel("x")
    axes.set_ylabel("probability of class 1")
    axes.set_ylim(0, 1)
    return figure


def draw_reliability(groups: Mapping[str, Sequence[ideal.Forecasts]], bins: int = 10) -> Figure:
    """Reliability curves of several families of forecasts, each pooled over its members."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import GREY, label_line

    figure, axes = plt.subplots(figsize=(6.0, 4.4))
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1.4)
    places = iter(((0.62, (-30, 18)), (0.86, (12, -46)), (0.3, (44, -18))))
    for words, forecasts in groups.items():
        probability = torch.cat([forecast.probability for forecast in forecasts])
        happened = torch.cat([forecast.label for forecast in forecasts])
        curve = losscore.reliability_curve(probability, happened, bins=bins)
        enough = curve.samples >= 100
        line = axes.plot(
            curve.probability[enough], curve.frequency[enough], marker="o", markersize=4, label=words
        )[0]
        at, offset = next(places)
        label_line(line, at=at, offset=offset)
    axes.set_xlabel("predicted probability")
    axes.set_ylabel("share that came true")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xticks(np.linspace(0, 1, 6))
    return figure
