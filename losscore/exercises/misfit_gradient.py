"""The task to write the gradients of two risks, of the exercise on two best fits."""

from __future__ import annotations

import torch
from torch import Tensor

from ..losses.classification import binary_brier, binary_cross_entropy
from .tasks import EXTREMES, Arguments, Function, Property, Task, WrongAnswer

LOSSES = {"cross-entropy": binary_cross_entropy, "brier": binary_brier}


def gradient(a: Tensor, b: Tensor, x: Tensor, eta: Tensor, loss: str) -> Tensor:
    z = a[..., None] * x + b[..., None]
    pull = torch.sigmoid(z) - eta
    if loss == "brier":
        pull = 2 * pull * torch.sigmoid(z) * torch.sigmoid(-z)
    return torch.stack([(pull * x).mean(-1), pull.mean(-1)], -1)


def _case(loss: str, *shape: int, seed: int, steep: float = 1.0) -> Arguments:
    """Weights of the given shape, and 20 inputs with their probabilities for each."""
    draw = torch.Generator().manual_seed(seed)
    a, b = (torch.randn(shape, generator=draw, dtype=torch.float64) for _ in range(2))
    x = 2 * torch.randn((*shape, 20), generator=draw, dtype=torch.float64)
    return steep * a, b, x, torch.rand((*shape, 20), generator=draw, dtype=torch.float64), loss


_INPUTS = {
    **{loss: [_case(loss, seed=seed) for seed in range(3)] for loss in LOSSES},
    "batches": [_case(loss, *shape, seed=9) for loss in LOSSES for shape in ((4,), (2, 3))],
    EXTREMES: [
        _case(loss, seed=seed, steep=steep) for loss in LOSSES for seed in (11, 12) for steep in (40.0, 1e4)
    ],
}


def _weighted(weight: Function) -> Function:
    """The gradient with residuals p − η that weigh as `weight` of p and η says."""

    def wrong(a: Tensor, b: Tensor, x: Tensor, eta: Tensor) -> Tensor:
        p = torch.sigmoid(a[..., None] * x + b[..., None])
        pull = (p - eta) * weight(p, eta)
        return torch.stack([(pull * x).mean(-1), pull.mean(-1)], -1)

    return wrong


def _only(loss: str, wrong: Function) -> Function:
    """Makes a mistake in this loss alone."""
    return lambda a, b, x, eta, kind: wrong(a, b, x, eta) if kind == loss else gradient(a, b, x, eta, kind)


def _as_probability(a: Tensor, b: Tensor, x: Tensor, eta: Tensor, loss: str) -> Tensor:
    pull = a[..., None] * x + b[..., None] - eta
    return torch.stack([(pull * x).mean(-1), pull.mean(-1)], -1)


_MISTAKES = (
    WrongAnswer(
        "sign",
        lambda *given: -gradient(*given),
        "The sign is reversed: where the model says too much, raising b must raise the risk.",
    ),
    WrongAnswer(
        "order",
        lambda *given: gradient(*given).flip(-1),
        "You return the derivative in b first. The page wants a, then b.",
    ),
    WrongAnswer(
        "sum in place of the mean",
        lambda a, b, x, eta, loss: gradient(a, b, x, eta, loss) * x.shape[-1],
        "You are off by the number of inputs: the risk is a mean over x.",
    ),
    WrongAnswer(
        "x forgotten",
        lambda *given: gradient(*given)[..., 1:].expand_as(gradient(*given)),
        "Both of your entries are the same. How does the logit ax + b change with a?",
    ),
    WrongAnswer(
        "means multiplied",
        lambda a, b, x, eta, loss: torch.stack(
            [gradient(a, b, x, eta, loss)[..., 1] * x.mean(-1), gradient(a, b, x, eta, loss)[..., 1]], -1
        ),
        "You multiply two means. The derivative in a is the mean of a product.",
    ),
    WrongAnswer(
        "logit taken for a probability",
        _as_probability,
        "ax + b is a logit, any real number. The forecast is its sigmoid.",
    ),
    WrongAnswer(
        "derivative in p",
        _only("cross-entropy", _weighted(lambda p, eta: 1 / (p * (1 - p)))),
        "For cross-entropy you stopped at p. The model moves the logit: which factor does the chain rule add?",
    ),
    WrongAnswer(
        "weight in cross-entropy",
        _only("cross-entropy", _weighted(lambda p, eta: p * (1 - p))),
        "For cross-entropy you have a factor p(1 − p) too many: the derivative of the logarithm cancels it.",
    ),
    WrongAnswer(
        "derivative in p, Brier",
        _only("brier", _weighted(lambda p, eta: 2.0)),
        "For Brier you stopped at p. The model moves the logit: which factor does the chain rule add?",
    ),
    WrongAnswer(
        "cross-entropy for both",
        _only("brier", _weighted(lambda p, eta: 1.0)),
        "For Brier you return the gradient of cross-entropy. Differentiate (p − η)² in the logit.",
    ),
    WrongAnswer(
        "factor 2 lost",
        _only("brier", _weighted(lambda p, eta: p * (1 - p))),
        "For Brier you are off by a factor 2: differentiate the square.",
    ),
    WrongAnswer(
        "scatter of the truth",
        _only("brier", _weighted(lambda p, eta: 2 * eta * (1 - eta))),
        "For Brier you weigh with η(1 − η). The weight comes from the sigmoid of the model, not from the truth.",
    ),
    WrongAnswer(
        "weight twice",
        _only("brier", _weighted(lambda p, eta: 2 * (p * (1 - p)) ** 2)),
        "For Brier you have the factor p(1 − p) once too often.",
    ),
)


def _finite_far_out(function: Function) -> bool:
    return all(bool(function(*case).isfinite().all()) for case in _INPUTS[EXTREMES])


def _keeps_its_digits(function: Function) -> bool:
    """At a logit of 40, where 1 − p rounds to 0."""
    a, b, x, eta, _ = _case("brier", seed=21)
    case = (
        torch.ones_like(a),
        torch.zeros_like(b),
        torch.full_like(x, 40.0),
        torch.full_like(eta, 0.3),
        "brier",
    )
    return torch.allclose(function(*case), gradient(*case), rtol=0.5, atol=0.0)


def _vanishes_at_the_truth(function: Function) -> bool:
    for loss in LOSSES:
        a, b, x, _, _ = _case(loss, seed=22)
        if function(a, b, x, torch.sigmoid(a * x + b), loss).abs().max() > 1e-11:
            return False
    return True


def _by_exponentials(a: Tensor, b: Tensor, x: Tensor, eta: Tensor, loss: str) -> Tensor:
    e = (a[..., None] * x + b[..., None]).exp()
    p = e / (1 + e)
    pull = (p - eta) * (2 * p / (1 + e) if loss == "brier" else 1)
    return torch.stack([(pull * x).mean(-1), pull.mean(-1)], -1)


GRADIENT = Task(
    id="misfit.gradient",
    title="the function gradient",
    reference=gradient,
    inputs=_INPUTS,
    absolute=1e-12,
    wrong_answers=_MISTAKES,
    properties=(
        Property(
            "finite for steep lines",
            _finite_far_out,
            "For steep lines you return NaN or infinity: an exponential overflows. torch has a sigmoid that does not.",
            nearly=_by_exponentials,
        ),
        Property(
            "zero at the truth",
            _vanishes_at_the_truth,
            "Where the model is the truth, η = σ(ax + b), nothing may pull: both gradients are exactly 0 there.",
            nearly=lambda *given: gradient(*given) + 1e-9,
        ),
        Property(
            "not 0 at a logit of 40",
            _keeps_its_digits,
            "At a logit of 40 your Brier gradient has no right digit left: 1 − σ(z) rounds to 0 there. It equals σ(−z), which does not "
            "round.",
            nearly=lambda a, b, x, eta, loss: _only("brier", _weighted(lambda p, eta: 2 * p * (1 - p)))(
                a, b, x, eta, loss
            ),
        ),
    ),
    explanation=(
        "By (b) the pull on the logit at one $x$ is $p-\\eta$ under cross-entropy and $2(p-\\eta)\\,p(1-p)$ under Brier. The "
        "logit changes by $x$ with $a$ and by 1 with $b$; average over $x$."
    ),
)
