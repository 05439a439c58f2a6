"""The data, fits and drawings of the page on robustness: estimates of location, margins, points that vote wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

import losscore
from losscore.lab.hardware import generator
from losscore.lab.loaders import digits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from losscore.lab.slider import SliderFigure

Loss = Callable[..., Tensor]


def twenty_values(seed: int = 0) -> Tensor:
    """Twenty standard normal values, shifted and stretched to have mean 0 and standard deviation 1."""
    values = torch.randn(20, generator=generator(seed), dtype=torch.float64)
    return (values - values.mean()) / values.std()


def centre(values: Tensor, loss: Loss) -> Tensor:
    """The constant of least total loss for each row of `values` (..., n), to about a thousandth, by search on a grid."""
    middle, reach = values.median(-1).values[..., None], (values.max() - values.min()).item()
    for width in (reach, reach / 500):
        grid = middle + torch.linspace(-width, width, 1001, dtype=values.dtype)
        rows = values[..., None, :].expand(*grid.shape, values.shape[-1])
        totals = loss(grid[..., None].expand_as(rows), rows, reduction="none").sum(-1)
        middle = grid.gather(-1, totals.argmin(-1, keepdim=True))
    return middle[..., 0]


def location_losses() -> dict[str, Loss]:
    """The three losses compared as estimators of location, with their usual settings for values of scale 1."""
    return {
        "squared error": losscore.squared_error,
        "Huber": lambda x, y, reduction: losscore.huber(x, y, delta=1.345, reduction=reduction),
        "Tukey": losscore.tukey,
    }


def with_one_at(values: Tensor, places: Tensor) -> Tensor:
    """`values` with the last one moved to each of the places: (places, n)."""
    moved = values.repeat(len(places), 1)
    moved[:, -1] = places
    return moved


def draw_one_wild_value() -> Figure:
    """The three estimates from nineteen good values and one that is moved away."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import label_line

    places = torch.linspace(-2, 10, 121, dtype=torch.float64)
    rows = with_one_at(twenty_values(), places)
    figure, axes = plt.subplots()
    for words, loss in location_losses().items():
        label_line(axes.plot(places, centre(rows, loss), label=words)[0])
    axes.set_xlabel("where the twentieth value lies")
    axes.set_ylabel("estimate of the centre")
    return figure


def slide_pull() -> SliderFigure:
    """The pull of one example over its margin, for the logistic and the exponential loss."""
    from losscore.lab.slider import SliderFigure

    margin = torch.linspace(-8, 4, 241, dtype=torch.float64)
    pulls = {name: pull(margin, getattr(losscore, name)) for name in ("logistic", "exponential")}
    frames = list(range(0, 241, 5))
    return SliderFigure(
        margin.numpy(),
        fixed={name: values.numpy() for name, values in pulls.items()},
        label="margin m",
        values=[round(margin[k].item(), 2) for k in frames],
        start=16,
        xlabel="margin m",
        ylabel="pull |φ′(m)|",
        yscale="log",
        alt=(
            "The pull of one example over its margin, on a log scale. To the right both losses fall together. To the left "
            "the exponential climbs along a straight line, 54.6 at a margin of −4 and 2,981 at −8; the logistic levels off at 1."
        ),
        marker=margin[frames].numpy(),
        readout=[
            f"Logistic: {pulls['logistic'][k]:.2f}, exponential: {pulls['exponential'][k]:,.4g}."
            for k in frames
        ],
        label_at={"logistic": -5.0, "exponential": -4.6},
    )


def pull(margin: Tensor, loss: Loss) -> Tensor:
    """How strongly one example of this margin pulls on its score: the size of the loss's slope, by autograd."""
    score = margin.clone().requires_grad_()
    return -torch.autograd.grad(loss(score, torch.ones_like(score), reduction="sum"), score)[0]


def margin_fit(features: Tensor, risk: Callable[[Tensor], Tensor], ridge: float = 0.0) -> Tensor:
    """The weights (d,) of the linear score with the least risk(scores) + ridge/2 ‖w‖², from 0, to many digits."""
    weight = torch.zeros(features.shape[1], dtype=features.dtype, requires_grad=True)
    descent = torch.optim.LBFGS(
        [weight], max_iter=1000, tolerance_grad=1e-9, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def value() -> Tensor:
        descent.zero_grad()
        total = risk(features @ weight) + ridge / 2 * weight @ weight
        total.backward()  # type: ignore[no-untyped-call]
        return total

    descent.step(value)  # type: ignore[no-untyped-call]
    return weight.detach()


def weight_with_one_wrong(loss: Loss, place: float, right: int = 40) -> float:
    """The weight of a one-feature fit to `right` examples with x = y = 1 and one with the label −1 at x = place."""
    feature = torch.tensor([1.0] * right + [place], dtype=torch.float64)
    label = torch.tensor([1.0] * right + [-1.0], dtype=torch.float64)
    return margin_fit(feature[:, None], lambda score: loss(score, label)).item()


def draw_leverage() -> Figure:
    """The weight fitted to forty right examples and one wrong one, over the place of the wrong one; below enlarged."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import GREY, label_line, mark

    places = torch.logspace(0.3, 2, 35, dtype=torch.float64).tolist()
    figure, (whole, near) = plt.subplots(2, 1, sharex=True, figsize=(6.0, 4.8))
    for words, loss, at, offset in (
        ("logistic", losscore.logistic, 8, (30, 10)),
        ("exponential", losscore.exponential, 6, (30, 4)),
    ):
        weights = [weight_with_one_wrong(loss, place) for place in places]
        label_line(whole.plot(places, weights, label=words)[0], at=at, offset=offset)
        near.plot(places, weights)
    for axes in (whole, near):
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.set_ylabel("fitted weight")
    mark(near, 40, 0, "forty right examples outvoted", offset=(-6, -18))
    near.set_ylim(-0.03, 0.06)
    near.set_xscale("log")
    near.set_xticks([2, 5, 10, 20, 40, 100], ["2", "5", "10", "20", "40", "100"])
    near.minorticks_off()
    near.set_xlabel("feature x of the wrong example")
    return figure


def four_points(gamma: float = 0.05) -> Tensor:
    """The points of Long and Servedio, all of the label +1: one far ahead, a puller, and two penalisers."""
    return torch.tensor([[1, 0], [gamma, 5 * gamma], [gamma, -gamma], [gamma, -gamma]], dtype=torch.float64)


def under_flips(loss: Loss, rate: float) -> Callable[[Tensor], Tensor]:
    """The mean of the loss of scores whose label +1 is flipped with probability `rate`."""

    def risk(score: Tensor) -> Tensor:
        one = torch.ones_like(score)
        return (1 - rate) * loss(score, one) + rate * loss(score, -one)

    return risk


def sigmoid_loss(score: Tensor, label: Tensor, reduction: Literal["mean", "sum", "none"] = "mean") -> Tensor:
    """Generalized cross-entropy with q = 1 of two classes, as a loss of the score: σ(−m)."""
    logits = torch.stack([torch.zeros_like(score), score], -1)
    index = (label > 0).long()
    return losscore.generalized_cross_entropy(logits, index, q=1.0, reduction=reduction)


def draw_four_points() -> Figure:
    """The four points with the lines that logistic and sigmoid loss draw under flips of 10 %."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import INK, label_line, mark

    points = four_points()
    figure, axes = plt.subplots(figsize=(6.0, 4.4))
    puller, penaliser = ((x, y) for x, y in points[1:3].tolist())
    mark(axes, puller[0], puller[1], "puller", offset=(10, 0))
    mark(axes, penaliser[0], penaliser[1])
    axes.annotate(
        "two penalisers",
        penaliser,
        xytext=(-0.13, -0.1),
        va="center",
        ha="center",
        arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.8, "shrinkB": 5},
    )
    axes.annotate(
        "far ahead,\nat (1, 0)",
        (0.3, 0),
        xytext=(0.21, 0),
        va="center",
        ha="center",
        arrowprops={"arrowstyle": "->", "color": INK},
    )
    across = torch.tensor([-0.14, 0.2], dtype=torch.float64)
    for words, loss, offset in (
        ("logistic", losscore.logistic, (32, 2)),
        ("sigmoid loss", sigmoid_loss, (50, 0)),
    ):
        first, second = margin_fit(points, under_flips(loss, 0.1))
        line = axes.plot(-second / first * across, across, label=words)[0]
        label_line(line, at=(-second / first * 0.16).item(), offset=offset)
    axes.set_xlim(-0.25, 0.31)
    axes.set_ylim(-0.15, 0.29)
    axes.set_xlabel("first feature")
    axes.set_ylabel("second feature")
    return figure


def parity(rate: float, seed: int, n: int = 1000) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Even (+1) or odd (−1) digits: features and labels to train on, of which a share is flipped, then clean test data."""
    pixels, shown = digits()
    label = 1 - 2 * (shown % 2)
    features = torch.cat([pixels, torch.ones(len(pixels), 1)], 1).double()
    source = generator(seed)
    order = torch.randperm(len(label), generator=source)
    flips = torch.where(torch.rand(n, generator=source, dtype=torch.float32) < rate, -1.0, 1.0)
    train, test = order[:n], order[n:]
    return features[train], label[train] * flips.double(), features[test], label[test].double()


def parity_accuracy(loss: Loss, rate: float, seed: int, ridge: float = 1e-3) -> float:
    """Accuracy on clean images of a linear classifier of parity, fitted by `loss` to labels of which `rate` are flipped."""
    features, label, test_features, test_label = parity(rate, seed)
    weight = margin_fit(features, lambda score: loss(score, label), ridge)
    return ((test_features @ weight) * test_label > 0).double().mean().item()


def share_of_the_easy_half(seed: int, ridge: float = 1e-3) -> float:
    """The share of the total logistic pull that the half of larger margins keeps, at the fit to clean labels."""
    features, label, *_ = parity(0.0, seed)
    weight = margin_fit(features, lambda score: losscore.logistic(score, label), ridge)
    pulls = pull((label * (features @ weight)).sort().values, losscore.logistic)
    return (pulls[len(pulls) // 2 :].sum() / pulls.sum()).item()
