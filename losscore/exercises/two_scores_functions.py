"""The two functions of the exercise on two proper scores: an expected loss, and a slope in the logit."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from ..losses.classification import binary_brier, binary_cross_entropy
from .tasks import EXTREMES, Function, Property, Task, WrongAnswer

LOSSES = {"cross-entropy": binary_cross_entropy, "brier": binary_brier}

BRIER_SLOPE_BOUND = 8 / 27


def expected_loss(q: Tensor, p: Tensor, kind: str) -> Tensor:
    loss = {"cross-entropy": binary_cross_entropy, "brier": binary_brier}[kind]
    z = torch.logit(q)
    if_one = loss(z, torch.ones_like(z), reduction="none")
    if_zero = loss(z, torch.zeros_like(z), reduction="none")
    # An outcome that cannot happen costs nothing, even where its loss is infinite.
    return torch.where(p > 0, p * if_one, 0) + torch.where(p < 1, (1 - p) * if_zero, 0)


def grad_logit(z: Tensor, y: Tensor, kind: str) -> Tensor:
    loss = {"cross-entropy": binary_cross_entropy, "brier": binary_brier}[kind]
    z = z.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(z, y, reduction="sum"), z)
    return slope


def _number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def _draws(*shape: int, seed: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _pairs(kind: str) -> list[tuple[Tensor, Tensor, str]]:
    draws = 0.02 + 0.96 * _draws(12, 2, seed=31)
    return [(q.clone(), p.clone(), kind) for q, p in draws]


_ENDS = [
    (_number(q), _number(p), kind)
    for kind in LOSSES
    for q in (0.0, 0.4, 1.0)
    for p in (0.0, 0.3, 1.0)
    if q != 0.4 or p != 0.3
]
_GRIDS = [(_draws(5, seed=1), _draws(5, seed=2), kind) for kind in LOSSES] + [
    (_draws(2, 3, seed=3), _number(0.7), kind) for kind in LOSSES
]

_LOGITS = [-6.0, -2.5, -0.5, 0.0, 0.7, 3.0, 6.0]


def _slopes(kind: str, logits: list[float]) -> list[tuple[Tensor, Tensor, str]]:
    return [(_number(z), _number(y), kind) for z, y in itertools.product(logits, (0.0, 1.0))]


_BATCHES = [
    (6 * _draws(*shape, seed=4) - 3, _draws(*shape, seed=5).round(), kind)
    for shape in ((5,), (2, 3))
    for kind in LOSSES
]


def _regret(q: Tensor, p: Tensor, kind: str) -> Tensor:
    return expected_loss(q, p, kind) - expected_loss(p, p, kind)


def _only_brier(wrong: Function) -> Function:
    return lambda a, b, kind: wrong(a, b, kind) if kind == "brier" else expected_loss(a, b, kind)


_EXPECTED_LOSS_MISTAKES = (
    WrongAnswer(
        "regret in place of the expected loss",
        _regret,
        "Your minimum is 0. The best forecaster still pays for the coin's own randomness: what does q = p cost?",
    ),
    WrongAnswer(
        "reversed regret",
        lambda q, p, kind: _regret(p, q, kind),
        "Who is the truth? Outcomes follow p, and the forecast q is what is scored. Also, q = p is not free.",
    ),
    WrongAnswer(
        "truth and forecast exchanged",
        lambda q, p, kind: expected_loss(p, q, kind),
        "Who is the truth? The outcome 1 comes with probability p; q only enters the loss.",
    ),
    WrongAnswer(
        "only the outcome 1",
        lambda q, p, kind: p * expected_loss(q, torch.ones_like(p), kind),
        "The coin also falls on the other side: what does the outcome 0 cost, and how often does it come?",
    ),
    WrongAnswer(
        "outcomes not weighted",
        lambda q, p, kind: (
            expected_loss(q, torch.ones_like(p), kind) + expected_loss(q, torch.zeros_like(p), kind)
        ),
        "You add what the two outcomes cost. An expectation weighs each by its probability.",
    ),
    WrongAnswer(
        "sign",
        lambda q, p, kind: -expected_loss(q, p, kind),
        "Check the sign: a loss is a cost, and both are never negative.",
    ),
    WrongAnswer(
        "logarithm to base 2",
        lambda q, p, kind: (
            expected_loss(q, p, kind) / (torch.log(_number(2.0)) if kind == "cross-entropy" else 1)
        ),
        "You are off by the factor ln 2 in cross-entropy. The book's logarithms are natural.",
    ),
    WrongAnswer(
        "absolute in place of squared error",
        _only_brier(lambda q, p, kind: p * (1 - q) + (1 - p) * q),
        "For Brier you average |q − y|. The Brier score squares each error first.",
    ),
    WrongAnswer(
        "Brier summed over both classes",
        _only_brier(lambda q, p, kind: 2 * expected_loss(q, p, kind)),
        "Your Brier score is twice this one: you add the errors of both classes. Here it is (q − y)², once.",
    ),
)

_GRAD_LOGIT_MISTAKES = (
    WrongAnswer(
        "derivative in q",
        lambda z, y, kind: grad_logit(z, y, kind) / (torch.sigmoid(z) * torch.sigmoid(-z)),
        "You differentiated in q. The model moves z: which factor does the chain rule add?",
    ),
    WrongAnswer(
        "factor q(1 − q) twice",
        lambda z, y, kind: grad_logit(z, y, kind) * torch.sigmoid(z) * torch.sigmoid(-z),
        "You have one factor q(1 − q) too many: the derivative of the loss in q already cancels or counts it.",
    ),
    WrongAnswer(
        "factor 2 lost",
        lambda z, y, kind: grad_logit(z, y, kind) / (2 if kind == "brier" else 1),
        "For Brier you are off by a factor 2: differentiate the square.",
    ),
    WrongAnswer(
        "sign",
        lambda z, y, kind: -grad_logit(z, y, kind),
        "The sign is reversed: at z = −6 with y = 1, raising z lowers the loss, so the slope is negative.",
    ),
    WrongAnswer(
        "logit taken for a probability",
        lambda z, y, kind: z - y if kind == "cross-entropy" else 2 * (z - y) * z * (1 - z),
        "z is a logit, any real number. The forecast is q = σ(z).",
    ),
    WrongAnswer(
        "slope of the other outcome",
        lambda z, y, kind: grad_logit(z, 1 - y, kind),
        "You exchange the outcomes: y = 1 must pull the logit up.",
    ),
    WrongAnswer(
        "mean over the batch",
        lambda z, y, kind: grad_logit(z, y, kind) / z.numel(),
        "Each logit has its own slope: don't divide by the number of samples.",
    ),
)

_TRUTHS = [0.03, 0.2, 0.5, 0.71, 0.96]


def _best_is_honest(function: Function) -> bool:
    grid = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    return all(
        abs(grid[function(grid, _number(p), kind).argmin()].item() - p) <= 0.0015
        for kind in LOSSES
        for p in _TRUTHS
    )


def _outcomes_can_be_renamed(function: Function) -> bool:
    return all(
        torch.allclose(function(q, p, kind), function(1 - q, 1 - p, kind), rtol=1e-9)
        for kind in LOSSES
        for q, p, _ in _pairs(kind)
    )


def _no_nan_at_the_ends(function: Function) -> bool:
    return not any(function(*case).isnan().any() for case in _ENDS)


def _ends_are_exact(function: Function) -> bool:
    ends = _number(0.0), _number(1.0)
    free = all(function(end, end, kind).item() == 0 for kind in LOSSES for end in ends)
    ruled_out = (function(q, p, "cross-entropy").item() for q, p in (ends, ends[::-1]))
    return free and all(cost == torch.inf for cost in ruled_out)


def _no_nan_far_out(function: Function) -> bool:
    return all(function(*case).isfinite().all() for kind in LOSSES for case in _slopes(kind, [-1e4, 1e4]))


def _matches_finite_differences(function: Function) -> bool:
    h = 1e-5

    def close(z: Tensor, y: Tensor, kind: str) -> bool:
        up, down = (LOSSES[kind](z + step, y, reduction="none") for step in (h, -h))
        return torch.allclose(function(z, y, kind), (up - down) / (2 * h), rtol=1e-6, atol=1e-7)

    return all(close(*case) for kind in LOSSES for case in _slopes(kind, [-40.0, *_LOGITS, 40.0]))


def _keeps_its_digits(function: Function) -> bool:
    cases = [case for kind in LOSSES for case in _slopes(kind, [-40.0, 40.0])]
    return all(torch.allclose(function(*case), grad_logit(*case), rtol=1e-6, atol=0.0) for case in cases)


def _is_bounded(function: Function) -> bool:
    grid = torch.linspace(-40, 40, 2001, dtype=torch.float64)
    bounds = {"cross-entropy": 1.0, "brier": BRIER_SLOPE_BOUND}
    return all(
        function(grid, torch.full_like(grid, y), kind).abs().max().item() <= bound + 1e-12
        for kind, bound in bounds.items()
        for y in (0.0, 1.0)
    )


def _logarithms_as_written(q: Tensor, p: Tensor, kind: str) -> Tensor:
    return -p * q.log() - (1 - p) * (1 - q).log() if kind == "cross-entropy" else expected_loss(q, p, kind)


def _autograd_as_written(z: Tensor, y: Tensor, kind: str) -> Tensor:
    z = z.clone().requires_grad_()
    q = z.sigmoid()
    loss = -y * q.log() - (1 - y) * (1 - q).log() if kind == "cross-entropy" else (q - y) ** 2
    (slope,) = torch.autograd.grad(loss.sum(), z)
    return slope


EXPECTED_LOSS = Task(
    id="two-scores.expected_loss",
    title="the function expected_loss",
    reference=expected_loss,
    inputs={**{kind: _pairs(kind) for kind in LOSSES}, "batches": _GRIDS, EXTREMES: _ENDS},
    wrong_answers=_EXPECTED_LOSS_MISTAKES,
    properties=(
        Property(
            "no NaN where q is 0 or 1",
            _no_nan_at_the_ends,
            "Where q is 0 or 1 you return NaN: in floating point 0 · ln 0 is not 0. An outcome that cannot happen "
            "costs nothing; torch.xlogy knows that.",
            nearly=_logarithms_as_written,
        ),
        Property(
            "least at q = p",
            _best_is_honest,
            "Your expected loss is not least at q = p. Weigh ℓ(q, 1) by p and ℓ(q, 0) by 1 − p.",
            nearly=lambda q, p, kind: expected_loss(q, p, kind) - 0.01 * q,
        ),
        Property(
            "outcomes can be renamed",
            _outcomes_can_be_renamed,
            "Exchanging the two outcomes (p with 1 − p, q with 1 − q) must change nothing.",
            nearly=lambda q, p, kind: expected_loss(q, p, kind) * (1 + 1e-5 * p),
        ),
        Property(
            "an impossible outcome is free, a ruled-out one costs infinity",
            _ends_are_exact,
            "Do you clip the forecast? An impossible outcome costs exactly 0, a ruled-out one infinity.",
            nearly=lambda q, p, kind: expected_loss(q.clamp(1e-12, 1 - 1e-12), p, kind),
        ),
    ),
    explanation=(
        "Weigh the loss of each outcome by its probability. With the package's own losses, which take logits, the "
        "forecast $q$ enters as $\\ln\\frac{q}{1-q}$. By hand, the cross-entropy is "
        "`-torch.xlogy(p, q) - torch.xlogy(1 - p, 1 - q)`, where `xlogy` knows that $0\\ln0=0$."
    ),
)

GRAD_LOGIT = Task(
    id="two-scores.grad_logit",
    title="the function grad_logit",
    reference=grad_logit,
    inputs={
        **{kind: _slopes(kind, _LOGITS) for kind in LOSSES},
        "batches": _BATCHES,
        EXTREMES: [case for kind in LOSSES for case in _slopes(kind, [-40.0, 40.0, -1e4, 1e4])],
    },
    wrong_answers=_GRAD_LOGIT_MISTAKES,
    properties=(
        Property(
            "finite at ±10⁴",
            _no_nan_far_out,
            "At z = ±10⁴ you return NaN or infinity: an exponential overflows or a logarithm meets 0. Use the closed "
            "form from (d).",
            nearly=_autograd_as_written,
        ),
        Property(
            "equals the finite difference",
            _matches_finite_differences,
            "Your slope is not (ℓ(z + h) − ℓ(z − h)) / 2h for a small h. Differentiate once more, first in q, then q in z.",
            nearly=lambda z, y, kind: 1.0001 * grad_logit(z, y, kind),
        ),
        Property(
            "never above its bound",
            _is_bounded,
            "Your slope gets too large: cross-entropy pulls with less than 1, Brier with at most 8/27.",
            nearly=lambda z, y, kind: grad_logit(z, y, kind) + 0.5 * ((z - 0.04).abs() < 1e-9),
        ),
        Property(
            "six digits at ±40",
            _keeps_its_digits,
            "At z = ±40 your slope has lost its digits: 1 − σ(z) rounds to 0 there. It equals σ(−z), which does not round. "
            "For y = 1, q − 1 loses its digits too.",
            nearly=lambda z, y, kind: (
                torch.sigmoid(z) - y if kind == "cross-entropy" else grad_logit(z, y, kind)
            ),
        ),
    ),
    explanation=(
        "The package's losses have these derivatives as their backward passes, so one call of autograd is enough. By "
        "hand, write $1-q$ as `torch.sigmoid(-z)`, so that it keeps its digits: the residual is `torch.sigmoid(z)` "
        "for $y=0$ and `-torch.sigmoid(-z)` for $y=1$, and the Brier score multiplies it by "
        "`2 * torch.sigmoid(z) * torch.sigmoid(-z)`."
    ),
)
