"""The task to fit a sigmoid of a line to a true probability, of the exercise on two best fits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

import losscore

from .misfit_gradient import LOSSES, gradient
from .tasks import EXTREMES, Function, Property, Task, WrongAnswer


def fit_population(x: Tensor, eta: Tensor, loss: str) -> Tensor:
    brier, log_loss = losscore.binary_brier, losscore.binary_cross_entropy
    score = brier if loss == "brier" else log_loss
    t = (x - x.mean()) / x.std()  # so that both weights are of one size
    start = torch.tensor([0.0, 3.0, -3.0], dtype=x.dtype, device=x.device)
    w = torch.stack([start, torch.zeros_like(start)]).requires_grad_()
    rule = torch.optim.LBFGS(
        [w],
        max_iter=300,
        tolerance_grad=1e-11,
        tolerance_change=1e-16,
        line_search_fn="strong_wolfe",
    )

    def risks():  # type: ignore[no-untyped-def]
        z = w[0, :, None] * t + w[1, :, None]
        return score(z, eta.expand_as(z), reduction="none").mean(-1)

    def descend():  # type: ignore[no-untyped-def]
        rule.zero_grad()
        value = risks().sum()
        value.backward()
        return value

    rule.step(descend)
    slope, height = w.detach()[:, risks().argmin()]
    a = slope / x.std()
    return torch.stack([a, height - a * x.mean()])


def _grid(low: float = -3.0, high: float = 3.0, points: int = 120) -> Tensor:
    return low + (high - low) * (torch.arange(points, dtype=torch.float64) + 0.5) / points


def _stairs(x: Tensor, levels: Sequence[float], edges: Sequence[float]) -> Tensor:
    """A probability that starts at the first level and goes to the next one at each edge."""
    place = sum((x > edge).long() for edge in edges)
    return torch.tensor(levels, dtype=torch.float64)[place]


_X = _grid()
_TRUTHS = {
    "staircase": _stairs(_X, (0.05, 0.65, 0.95), (-1.0, 2.5)),
    "falling": _stairs(_X, (0.9, 0.7, 0.2), (-2.0, 0.5)),
    "early step": _stairs(_X, (0.05, 0.45, 0.65), (-2.5, 1.0)),
}
_RARE = 0.02 + 0.03 * (_X > 1)

_INPUTS = {
    **{loss: [(_X, eta, loss) for eta in _TRUTHS.values()] for loss in LOSSES},
    EXTREMES: [
        *((_X, torch.full_like(_X, 0.3), loss) for loss in LOSSES),
        *((_X, _RARE, loss) for loss in LOSSES),
        *((1e3 * _X, _TRUTHS["staircase"], loss) for loss in LOSSES),
        *((_X, torch.sigmoid(20 * _X + 5), loss) for loss in LOSSES),
    ],
}


def _straight(x: Tensor, target: Tensor) -> Tensor:
    """Slope and intercept of the line of least squares."""
    t = x - x.mean()
    slope = (t * target).mean() / (t * t).mean()
    return torch.stack([slope, target.mean() - slope * x.mean()])


def _through_zero(x: Tensor, eta: Tensor, loss: str) -> Tensor:
    """The best slope without an intercept."""
    a = torch.zeros((), dtype=x.dtype)
    for _ in range(200):
        p = torch.sigmoid(a * x)
        weight = p * (1 - p) * (2 * p * (1 - p) if loss == "brier" else 1)
        a = a - gradient(a, torch.zeros_like(a), x, eta, loss)[0] / (weight * x * x).mean()
    return torch.stack([a, torch.zeros_like(a)])


_MISTAKES = (
    WrongAnswer(
        "cross-entropy for both",
        lambda x, eta, loss: fit_population(x, eta, "cross-entropy"),
        "You minimise cross-entropy whichever loss is asked for.",
    ),
    WrongAnswer(
        "Brier for both",
        lambda x, eta, loss: fit_population(x, eta, "brier"),
        "You minimise the Brier score whichever loss is asked for.",
    ),
    WrongAnswer(
        "order",
        lambda x, eta, loss: fit_population(x, eta, loss).flip(0),
        "You return the intercept first. The page wants a, then b.",
    ),
    WrongAnswer(
        "boundary in place of the intercept",
        lambda x, eta, loss: torch.stack(
            [
                fit_population(x, eta, loss)[0],
                -fit_population(x, eta, loss)[1] / fit_population(x, eta, loss)[0],
            ]
        ),
        "Your second number is where the forecast crosses one half. The page wants the intercept b.",
    ),
    WrongAnswer(
        "a line in place of a sigmoid",
        lambda x, eta, loss: _straight(x, eta),
        "You fit a straight line to η. The model is the sigmoid of a line.",
    ),
    WrongAnswer(
        "a line through the log-odds",
        lambda x, eta, loss: _straight(x, eta.logit()),
        "You fit a line to the log-odds of η. Neither loss measures its errors there.",
    ),
    WrongAnswer(
        "no intercept",
        _through_zero,
        "Your intercept is 0. The model has two weights: move both.",
    ),
    WrongAnswer(
        "the other class",
        lambda x, eta, loss: -fit_population(x, eta, loss),
        "Your forecasts are those of the other class. η is the probability of the class 1.",
    ),
)


def _drawn(x: Tensor, eta: Tensor, loss: str) -> Tensor:
    labels = torch.rand(eta.shape, generator=torch.Generator().manual_seed(0), dtype=eta.dtype) < eta
    return fit_population(x, labels.to(eta.dtype), loss)


def _finds_a_truth_in_reach(function: Function) -> bool:
    """Where η is itself the sigmoid of a line, both losses give that line."""
    weights = [(1.3, -0.4), (-0.7, 0.2)]
    return all(
        (function(_X, torch.sigmoid(a * _X + b), loss) - torch.tensor([a, b], dtype=torch.float64))
        .abs()
        .max()
        < 1e-3
        for loss in LOSSES
        for a, b in weights
    )


def _follows_a_shift(function: Function) -> bool:
    """x → x + c moves b by −ac and leaves a alone."""
    for loss in LOSSES:
        a, b = function(_X, _TRUTHS["staircase"], loss)
        moved = function(_X + 50.0, _TRUTHS["staircase"], loss)
        if (moved - torch.stack([a, b - 50.0 * a])).abs().max() > 1e-2:
            return False
    return True


def _two_valleys() -> tuple[Tensor, Tensor]:
    """Two groups that a rising line tells apart, and a far one that it must call wrongly."""
    x = torch.tensor([-1.0] * 10 + [1.0] * 10 + [4.0] * 4, dtype=torch.float64)
    return x, torch.tensor([0.1] * 10 + [0.9] * 10 + [0.1] * 4, dtype=torch.float64)


def _risk(weights: Tensor, x: Tensor, eta: Tensor, loss: str) -> float:
    return LOSSES[loss](weights[0] * x + weights[1], eta, reduction="mean").item()


def _finds_the_lower_valley(function: Function) -> bool:
    x, eta = _two_valleys()
    least = _risk(fit_population(x, eta, "brier"), x, eta, "brier")
    return _risk(function(x, eta, "brier"), x, eta, "brier") < least + 1e-5


def _from_one_start(x: Tensor, eta: Tensor, loss: str) -> Tensor:
    """Damped Gauss–Newton steps from zero, which end in the nearest valley."""
    w = torch.zeros(2, dtype=x.dtype)
    t = (x - x.mean()) / x.std()
    design = torch.stack([t, torch.ones_like(t)], -1)
    for _ in range(300):
        p = torch.sigmoid(design @ w)
        weight = p * (1 - p) * (2 * p * (1 - p) if loss == "brier" else 1)
        curvature = design.T @ (weight[:, None] * design) / len(t)
        w = w - 0.5 * torch.linalg.solve(curvature, gradient(w[0], w[1], t, eta, loss))
    a = w[0] / x.std()
    return torch.stack([a, w[1] - a * x.mean()])


def _perturbed(function: Function) -> bool:
    """No one of 200 neighbours has a lower Brier score."""
    draw = torch.Generator().manual_seed(31)
    for eta in _TRUTHS.values():
        weights = function(_X, eta, "brier")
        least = _risk(weights, _X, eta, "brier")
        near = weights + 0.003 * torch.randn(200, 2, generator=draw, dtype=torch.float64)
        risks = ((torch.sigmoid(near[:, :1] * _X + near[:, 1:]) - eta) ** 2).mean(-1)
        if risks.min() < least - 1e-12:
            return False
    return True


def _raised(x: Tensor, eta: Tensor, loss: str, height: float) -> Tensor:
    a, b = fit_population(x, eta, loss)
    return torch.stack([a, b + height])


def _balances(function: Function) -> bool:
    """All moments are 0 to a millionth."""
    return all(
        gradient(a, b, _X, eta, loss).abs().max() < 1e-6
        for loss in LOSSES
        for eta in _TRUTHS.values()
        for a, b in [function(_X, eta, loss)]
    )


FIT = Task(
    id="misfit.fit_population",
    title="the function fit_population",
    reference=fit_population,
    inputs=_INPUTS,
    tolerance=1e-3,
    absolute=1e-4,
    wrong_answers=_MISTAKES,
    properties=(
        Property(
            "finds a truth in reach",
            _finds_a_truth_in_reach,
            "Where η is itself the sigmoid of a line, both fits must return that line. Do you draw labels? The population has no "
            "noise: at each x the label 1 weighs η and the label 0 weighs 1 − η. Or does your search stop too early?",
            nearly=_drawn,
        ),
        Property(
            "follows a shift",
            _follows_a_shift,
            "Add 50 to every x: a must stay and b must move by −50a. Far from 0 the two weights pull against each other; centre x "
            "before you fit, and convert at the end.",
            nearly=lambda x, eta, loss: fit_population(x, eta, loss).clamp(-20, 20.1),
        ),
        Property(
            "the lower of two valleys",
            _finds_the_lower_valley,
            "On one truth your Brier fit stays in a valley that is not the lowest. Behind a sigmoid the Brier score is not convex: "
            "start from several slopes, flat and steep, and keep the best.",
            nearly=_from_one_start,
        ),
        Property(
            "no better neighbour",
            _perturbed,
            "A neighbour of your Brier fit has a lower risk. Search on, with a smaller tolerance.",
            nearly=lambda x, eta, loss: _raised(x, eta, loss, 3e-4 if loss == "brier" else 0.0),
        ),
        Property(
            "balanced to a millionth",
            _balances,
            "The two moments of (c) are not 0 to six places at your fit. Let the search go on until the gradient is below 1e-8.",
            nearly=lambda x, eta, loss: _raised(x, eta, loss, 3e-5 if loss == "cross-entropy" else 0.0),
        ),
    ),
    explanation=(
        "The expected cross-entropy is the cross-entropy to the soft label $\\eta$, and the expected Brier score is "
        "$(p-\\eta)^2$ plus what no forecast can change. L-BFGS minimises each; the Brier score, not convex in the logit, from "
        "three slopes. Centring and scaling $x$ keeps the two weights from pulling against each other."
    ),
)
