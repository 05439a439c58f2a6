"""The two functions of the exercise on the pull of a wrong label: the loss of a margin, and its weight."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .tasks import EXTREMES, Arguments, Function, Property, Task, WrongAnswer

_KINDS = ("exponential", "logistic")


def margin_loss(m: Tensor, kind: str) -> Tensor:
    if kind == "exponential":
        return torch.exp(-m)
    return -torch.nn.functional.logsigmoid(m)


def weight(m: Tensor, kind: str) -> Tensor:
    if kind == "exponential":
        return torch.exp(-m)
    return torch.sigmoid(-m)


def _margins(shape: tuple[int, ...], *, seed: int) -> Tensor:
    return 3 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _cases(kind: str) -> list[Arguments]:
    """One margin, a row of them, and a table."""
    return [(_margins(shape, seed=seed), kind) for seed, shape in enumerate([(6,), (), (2, 3), (40,)])]


_INPUTS = {
    "logistic": _cases("logistic"),
    "exponential": _cases("exponential"),
    EXTREMES: [
        (torch.tensor([-m, m, 0.5], dtype=torch.float64), kind) for m in (0.0, 40.0, 1e4) for kind in _KINDS
    ],
}

_GRID = torch.linspace(-12, 12, 481, dtype=torch.float64)
_RIGHT = torch.tensor([40.0, 300.0, 700.0], dtype=torch.float64)


def _if_logistic(other: Function, own: Function) -> Function:
    """``other(m)`` for the logistic loss, and the right function for the exponential."""
    return lambda m, kind: other(m) if kind == "logistic" else own(m, kind)


def _if_exponential(other: Function, own: Function) -> Function:
    return lambda m, kind: other(m) if kind == "exponential" else own(m, kind)


def _logistic_loss(other: Function) -> Function:
    return _if_logistic(other, margin_loss)


def _logistic_weight(other: Function) -> Function:
    return _if_logistic(other, weight)


_LOSS_MISTAKES = (
    WrongAnswer(
        "sign of the margin",
        lambda m, kind: margin_loss(-m, kind),
        "Your loss rises with the margin. A large margin means right by far, and must cost little.",
    ),
    WrongAnswer(
        "no logarithm",
        _logistic_loss(lambda m: 1 + torch.exp(-m)),
        "You forgot the logarithm of the logistic loss. It is 0, not 1, that the loss falls to.",
    ),
    WrongAnswer(
        "no 1",
        _logistic_loss(lambda m: -m),
        "The logarithm undoes your exponential: what is left is a straight line. What stands beside e^(−m) under it?",
    ),
    WrongAnswer(
        "base 2",
        _logistic_loss(lambda m: margin_loss(m, "logistic") / math.log(2)),
        "You are off by the factor ln 2: the logarithm of this page is the natural one.",
    ),
    WrongAnswer(
        "twice the margin",
        _logistic_loss(lambda m: margin_loss(2 * m, "logistic")),
        "You double the margin, as papers do whose score is half the log-odds. Here the exponent is −m.",
    ),
    WrongAnswer(
        "hinge",
        _logistic_loss(lambda m: (1 - m).clamp(min=0)),
        "This is the hinge: it is exactly 0 from a margin of 1 on. The logistic loss never is.",
    ),
    WrongAnswer(
        "its slope",
        _logistic_loss(lambda m: torch.sigmoid(-m)),
        "This is the size of the slope, the second function of this page. It ends at 1; where does the loss end?",
    ),
    WrongAnswer(
        "exponential for both",
        lambda m, kind: torch.exp(-m),
        "Your function does not look at kind: this is the exponential loss in both cases.",
    ),
    WrongAnswer(
        "logistic for both",
        lambda m, kind: margin_loss(m, "logistic"),
        'Your function is the logistic loss in both cases. What does kind = "exponential" ask for?',
    ),
)


def _finite(function: Function) -> bool:
    """Logistic: value and slope are finite far out. Exponential: infinite at worst, never NaN."""
    m = torch.tensor([-1e4, -800.0, 800.0, 1e4], dtype=torch.float64, requires_grad=True)
    value = function(m, "logistic")
    slope = torch.zeros_like(m)
    if value.requires_grad:
        (slope,) = torch.autograd.grad(value.sum(), m)
    return bool(
        value.isfinite().all() and slope.isfinite().all() and not function(m, "exponential").isnan().any()
    )


def _never_zero(function: Function) -> bool:
    """Far to the right the logistic loss and weight are e^{−m}: tiny, and not 0."""
    return bool((function(_RIGHT, "logistic") > 0).all())


def _rises_on_the_left(function: Function) -> bool:
    m = -torch.tensor([30.0, 100.0, 600.0], dtype=torch.float64)
    return torch.allclose(function(m, "exponential").log(), -m, rtol=0.01)


def _differs_by_the_margin(function: Function) -> bool:
    return torch.allclose(
        function(_GRID, "logistic") - function(-_GRID, "logistic"), -_GRID, rtol=0, atol=1e-9
    )


def _is_convex(function: Function) -> bool:
    for kind in _KINDS:
        value = function(_GRID, kind)
        if ((value[:-2] + value[2:]) / 2 - value[1:-1] < -1e-12 * value[1:-1].abs()).any():
            return False
    return True


def _bump(m: Tensor, place: float = 6.0) -> Tensor:
    """Small hills at ±place, high enough to be seen."""
    return 0.01 * (torch.exp(-((m - place) ** 2)) + torch.exp(-((m + place) ** 2)))


MARGIN_LOSS = Task(
    id="pull.margin_loss",
    title="the function margin_loss",
    reference=margin_loss,
    inputs=_INPUTS,
    slopes_in=("m",),
    wrong_answers=_LOSS_MISTAKES,
    properties=(
        Property(
            "finite far out",
            _finite,
            "At margins of ±10⁴ your logistic loss or its gradient is NaN or infinite: e^(−m) overflows, though its logarithm "
            "is harmless, and torch.where differentiates the branch that it drops too. torch has a logsigmoid, and a softplus.",
            nearly=_logistic_loss(lambda m: torch.log(1 + torch.exp(-m))),
        ),
        Property(
            "right tail",
            _never_zero,
            "At a margin of 40 your logistic loss has lost its digits. 1 plus something tiny is rounded to 1 before the logarithm "
            "sees it: torch has a log1p.",
            nearly=_logistic_loss(lambda m: (-m).clamp(min=0) + torch.log(1 + torch.exp(-m.abs()))),
        ),
        Property(
            "exponential without a cap",
            _rises_on_the_left,
            "Your exponential loss does not go on rising to the left. Is something clipped?",
            nearly=_if_exponential(lambda m: torch.exp(-m.clamp(min=-20)), margin_loss),
        ),
        Property(
            "the two labels differ by the margin",
            _differs_by_the_margin,
            "For the logistic loss ℓ(m) − ℓ(−m) = −m must hold for every m: write it out. Yours strays from it.",
            nearly=_logistic_loss(lambda m: margin_loss(m, "logistic") + 1e-5 * torch.exp(-((m - 1) ** 2))),
        ),
        Property(
            "convex",
            _is_convex,
            "Your loss bends down somewhere: half-way between two margins it lies above the mean of their losses.",
            nearly=_logistic_loss(lambda m: margin_loss(m, "logistic") + _bump(m)),
        ),
    ),
    explanation=(
        "`-logsigmoid(m)` is $\\ln(1+e^{-m})$, computed as $\\max(0,-m)+\\ln(1+e^{-|m|})$ with `log1p`, so neither end overflows "
        "or loses digits; `softplus(-m)` is the same up to rounding. The book's own functions are `losscore.logistic` and "
        "`losscore.exponential`, which take a score and a label."
    ),
)


_WEIGHT_MISTAKES = (
    WrongAnswer(
        "sign",
        lambda m, kind: -weight(m, kind),
        "This is the slope of the loss. The weight is its size: minus the slope.",
    ),
    WrongAnswer(
        "probability of the label",
        _logistic_weight(lambda m: torch.sigmoid(m)),
        "Your logistic weight rises with the margin. σ(m) is the probability that the model gives the label; who is right should "
        "pull less.",
    ),
    WrongAnswer(
        "the loss",
        _logistic_weight(lambda m: margin_loss(m, "logistic")),
        "This is the logistic loss itself. Differentiate it; only the exponential is the size of its own slope.",
    ),
    WrongAnswer(
        "second derivative",
        _logistic_weight(lambda m: torch.sigmoid(m) * torch.sigmoid(-m)),
        "You differentiated once too often: this is the curvature, which vanishes on the left too.",
    ),
    WrongAnswer(
        "capped exponential",
        _logistic_weight(lambda m: torch.exp(-m).clamp(max=1)),
        "You cap the exponential weight at 1. The logistic weight is below 1 by itself; what is it at m = 0?",
    ),
    WrongAnswer(
        "a step",
        _logistic_weight(lambda m: (m < 0).to(m) + 0 * m),
        "This weight knows only right and wrong. What does the slope of ln(1 + e^(−m)) say at m = 0?",
    ),
    WrongAnswer(
        "twice the margin",
        _logistic_weight(lambda m: torch.sigmoid(-2 * m)),
        "You double the margin. The exponent of this page is −m.",
    ),
    WrongAnswer(
        "shares",
        lambda m, kind: weight(m, kind) / weight(m, kind).sum(),
        "You divide by the sum. Boosting does so; here each point has its own weight, whatever the others do.",
    ),
    WrongAnswer(
        "exponential for both",
        lambda m, kind: torch.exp(-m),
        "Your function does not look at kind: this is the exponential weight in both cases.",
    ),
    WrongAnswer(
        "logistic for both",
        lambda m, kind: torch.sigmoid(-m),
        'Your weight is the logistic one in both cases. What does kind = "exponential" ask for?',
    ),
)


def _between(function: Function) -> bool:
    m = torch.cat([_GRID, 1e4 * _GRID])
    value = function(m, "logistic")
    return bool(((value >= 0) & (value <= 1)).all())


def _adds_to_one(function: Function) -> bool:
    return torch.allclose(
        function(_GRID, "logistic") + function(-_GRID, "logistic"), torch.ones_like(_GRID), rtol=0, atol=1e-9
    )


def _never_rises(function: Function) -> bool:
    return all(bool((function(_GRID, kind).diff() <= 0).all()) for kind in _KINDS)


WEIGHT = Task(
    id="pull.weight",
    title="the function weight",
    reference=weight,
    inputs=_INPUTS,
    slopes_in=("m",),
    absolute=1e-12,
    agrees=lambda case, value, right: torch.allclose(value, right, rtol=1e-6, atol=0, equal_nan=True),
    wrong_answers=_WEIGHT_MISTAKES,
    properties=(
        Property(
            "finite far out",
            _finite,
            "At margins of ±10⁴ your logistic weight or its gradient is NaN: infinity over infinity, or times 0. torch has a sigmoid.",
            nearly=_logistic_weight(lambda m: torch.exp(-m) / (1 + torch.exp(-m))),
        ),
        Property(
            "right tail",
            _never_zero,
            "At a margin of 40 your logistic weight has lost its digits: 1 − σ(m) subtracts two numbers that are equal after "
            "rounding. Which sigmoid is the same number, without a difference?",
            nearly=_logistic_weight(lambda m: 1 - torch.sigmoid(m)),
        ),
        Property(
            "exponential without a cap",
            _rises_on_the_left,
            "Your exponential weight does not go on rising to the left. Is something clipped?",
            nearly=_if_exponential(lambda m: torch.exp(-m.clamp(min=-20)), weight),
        ),
        Property(
            "between 0 and 1",
            _between,
            "The logistic weight lies between 0 and 1, and yours leaves that range.",
            nearly=_logistic_weight(lambda m: torch.sigmoid(-m) * (1 + 1e-9)),
        ),
        Property(
            "the two labels share one",
            _adds_to_one,
            "The logistic weights at m and at −m must add to 1, and yours do not.",
            nearly=_logistic_weight(lambda m: torch.sigmoid(-m) + 1e-5 * torch.exp(-((m - 1) ** 2))),
        ),
        Property(
            "never rises",
            _never_rises,
            "Your weight rises somewhere with the margin. Who is more right must not pull harder.",
            nearly=_logistic_weight(lambda m: torch.sigmoid(-m) + torch.sign(m) * _bump(m)),
        ),
    ),
    explanation=(
        "The exponential is the size of its own slope. The slope of $\\ln(1+e^{-m})$ is $-\\frac{e^{-m}}{1+e^{-m}}=-\\sigma(-m)$. "
        "On the right write $\\sigma(-m)$, not $1-\\sigma(m)$: at $m=40$ the difference is rounded to 0."
    ),
)
