"""The tasks of the exercise on gradients that vanish: a loss for several labels with three kinds, and its slopes."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softmax

from .calling import finite_with_slope, slope_of
from .tasks import EXTREMES, Arguments, Function, Property, Task, WrongAnswer


def loss(z: Tensor, y: Tensor, kind: str, eps: float, T: float) -> Tensor:
    if kind == "smooth":
        y = (1 - eps) * y + eps / 2
    if kind == "temperature":
        z = z / T
    log_one = torch.nn.functional.logsigmoid(z)
    log_zero = torch.nn.functional.logsigmoid(-z)
    return -y * log_one - (1 - y) * log_zero


def grad(z: Tensor, y: Tensor, kind: str, eps: float, T: float) -> Tensor:
    if kind == "smooth":
        y = (1 - eps) * y + eps / 2
    if kind == "temperature":
        z = z / T
    slope = (1 - y) * torch.sigmoid(z) - y * torch.sigmoid(-z)
    return slope / T if kind == "temperature" else slope


KINDS = ("plain", "smooth", "temperature")


def _batch(
    kind: str, labels: int, *, seed: int, eps: float = 0.1, T: float = 4.0, rows: int = 5
) -> Arguments:
    draw = torch.Generator().manual_seed(seed)
    z = 3 * torch.randn(rows, labels, generator=draw, dtype=torch.float64)
    return z, (torch.rand(rows, labels, generator=draw) < 0.5).double(), kind, eps, T


def _far(kind: str, size: float) -> Arguments:
    z = torch.tensor([[-size, size], [size, -size]], dtype=torch.float64)
    return z, torch.tensor([[1.0, 1.0], [0.0, 0.0]], dtype=torch.float64), kind, 0.1, 4.0


_INPUTS = {
    **{
        kind: [
            *(_batch(kind, 4, seed=seed) for seed in range(3)),
            _batch(kind, 1, seed=3, eps=0.3, T=2.0),
            _batch(kind, 3, seed=4, eps=0.02, T=10.0),
        ]
        for kind in KINDS
    },
    EXTREMES: [_far(kind, size) for kind in KINDS for size in (40.0, 1e4)],
}


def _with_targets(function: Function, targets: Callable[[Tensor, Tensor, float], Tensor]) -> Function:
    """``function`` whose smoothed kind takes ``targets(z, y, eps)`` for the labels."""
    return lambda z, y, kind, eps, T: (
        function(z, targets(z, y, eps), "plain", eps, T) if kind == "smooth" else function(z, y, kind, eps, T)
    )


def _with_temperature(function: Function) -> Function:
    """The three kinds, of which that with a temperature is ``function(z, y, T)``; the others are those of the slope."""
    return lambda z, y, kind, eps, T: function(z, y, T) if kind == "temperature" else grad(z, y, kind, eps, T)


def _stopped_at_zero(z: Tensor, y: Tensor, kind: str, eps: float, T: float) -> Tensor:
    slope = grad(z, y, kind, eps, T)
    return torch.where(y > 0.5, slope.clamp(max=0.0), slope.clamp(min=0.0))


def _smoothed_prediction(z: Tensor, y: Tensor, kind: str, eps: float, T: float) -> Tensor:
    if kind != "smooth":
        return loss(z, y, kind, eps, T)
    p = (1 - eps) * z.sigmoid() + eps / 2
    return -y * p.log() - (1 - y) * (1 - p).log()


def _divergence(z: Tensor, y: Tensor, eps: float) -> Tensor:
    return (
        loss(z, y, "smooth", eps, 1.0) + (1 - eps / 2) * math.log(1 - eps / 2) + eps / 2 * math.log(eps / 2)
    )


def _targets_mistakes(function: Function) -> tuple[WrongAnswer, ...]:
    return (
        WrongAnswer(
            "ε in place of its half",
            _with_targets(function, lambda z, y, eps: (1 - eps) * y + eps * (1 - y)),
            "You take all of ε from the label. It is shared by two outcomes, and the right one is one of the two.",
        ),
        WrongAnswer(
            "ε shared by all labels",
            _with_targets(function, lambda z, y, eps: (1 - eps) * y + eps / z.shape[-1]),
            "You share ε among the columns. Each label is a yes-or-no question of its own: how many outcomes has it?",
        ),
        WrongAnswer(
            "only the ones smoothed",
            _with_targets(function, lambda z, y, eps: (1 - eps / 2) * y),
            "Your ones are smoothed and your zeros are not. What becomes of y = 0?",
        ),
        WrongAnswer(
            "not smoothed",
            _with_targets(function, lambda z, y, eps: y),
            'Your kind "smooth" does not depend on eps. Which part of the loss does smoothing change?',
        ),
        WrongAnswer(
            "temperature without effect",
            lambda z, y, kind, eps, T: function(z, y, "plain" if kind == "temperature" else kind, eps, T),
            'Your kind "temperature" does not depend on T. Where does T stand?',
        ),
        WrongAnswer(
            "multiplied by the temperature",
            lambda z, y, kind, eps, T: function(z, y, kind, eps, 1 / T),
            "You multiply the logits by T. A high temperature brings probabilities nearer to one half.",
        ),
        WrongAnswer(
            "smoothed at a temperature",
            lambda z, y, kind, eps, T: function(
                z, (1 - eps) * y + eps / 2 if kind == "temperature" else y, kind, eps, T
            ),
            'You smooth the labels in the kind "temperature" too. There they stay hard.',
        ),
        WrongAnswer(
            "sign",
            lambda z, y, kind, eps, T: -function(z, y, kind, eps, T),
            "Check the sign: for y = 1 a larger logit must lower the plain loss, which is never negative.",
        ),
    )


_LOSS_MISTAKES = (
    *_targets_mistakes(loss),
    WrongAnswer(
        "softmax",
        lambda z, y, kind, eps, T: -y * torch.log_softmax(z, -1),
        "Your probabilities add to 1 over the labels. Here an image may have all of them or none.",
    ),
    WrongAnswer(
        "zeros cost nothing",
        lambda z, y, kind, eps, T: -y * logsigmoid(z),
        "A label that is 0 costs nothing in your loss, whatever the network says. Which term is missing?",
    ),
    WrongAnswer(
        "loss divided by the temperature",
        lambda z, y, kind, eps, T: loss(z, y, kind, eps, T) / (T if kind == "temperature" else 1),
        "You divide the loss by T as well. T stands inside the sigmoid only.",
    ),
    WrongAnswer(
        "the square of distillation",
        lambda z, y, kind, eps, T: loss(z, y, kind, eps, T) * (T**2 if kind == "temperature" else 1),
        "The factor T² belongs to distillation. Here T stands inside the sigmoid only.",
    ),
    WrongAnswer(
        "prediction smoothed",
        _smoothed_prediction,
        "You smooth the prediction. It is the label that is smoothed, before the network is asked.",
    ),
    WrongAnswer(
        "divergence in place of cross-entropy",
        lambda z, y, kind, eps, T: _divergence(z, y, eps) if kind == "smooth" else loss(z, y, kind, eps, T),
        "Your smoothed loss is 0 at its best: you took away the entropy of the label. The slopes are right, the value is "
        "that of a divergence.",
    ),
)

_GRAD_MISTAKES = (
    *_targets_mistakes(grad),
    WrongAnswer(
        "softmax",
        lambda z, y, kind, eps, T: softmax(z, -1) - y,
        "Your probabilities add to 1 over the labels. Each label has a sigmoid of its own.",
    ),
    WrongAnswer(
        "every label taken for a 1",
        lambda z, y, kind, eps, T: grad(z, torch.ones_like(y), kind, eps, T),
        "Your slope is that of y = 1, as in (a), whatever y says. What is it for y = 0?",
    ),
    WrongAnswer(
        "1/T lost",
        _with_temperature(lambda z, y, T: grad(z / T, y, "plain", 0.1, T)),
        "You differentiated in z/T. The network moves z: what does the chain rule add?",
    ),
    WrongAnswer(
        "T outside only",
        _with_temperature(lambda z, y, T: grad(z, y, "plain", 0.1, T) / T),
        "You divide the slope by T and leave the sigmoid as it was. T stands inside it too.",
    ),
    WrongAnswer(
        "T in place of 1/T",
        _with_temperature(lambda z, y, T: T * grad(z / T, y, "plain", 0.1, T)),
        "You multiply by T. That is the slope of T² times this loss, as in distillation.",
    ),
    WrongAnswer(
        "squared error",
        lambda z, y, kind, eps, T: (z.sigmoid() - y) * z.sigmoid() * (-z).sigmoid(),
        "The factor p(1 − p) belongs to squared error. In cross-entropy the slope of the logarithm cancels it.",
    ),
    WrongAnswer(
        "loss in place of the slope",
        loss,
        "This is the loss. Here its slope in z is asked for.",
    ),
    WrongAnswer(
        "stopped at zero",
        _stopped_at_zero,
        "Your smoothed slope is 0 from some logit on. Put z = 100 into σ(z) − y′: is it 0 there?",
    ),
    WrongAnswer(
        "mean over the entries",
        lambda z, y, kind, eps, T: grad(z, y, kind, eps, T) / z.numel(),
        "You divide by the number of entries: that is the slope of their mean. Each entry is asked for by itself.",
    ),
)


def _root(eps: float) -> float:
    return math.log((2 - eps) / eps)


def _amounts() -> list[float]:
    return [10**-exponent for exponent in torch.linspace(0.1, 3, 9, dtype=torch.float64).tolist()]


def _near_the_root(eps: float) -> tuple[Tensor, Tensor]:
    """Logits just before the root, at it, and just behind it, for the label 1."""
    z = torch.tensor([[_root(eps)]], dtype=torch.float64) + torch.tensor(
        [[-0.1, 0.0, 0.1]], dtype=torch.float64
    )
    return z, torch.ones_like(z)


def _turns_at_the_root(slope: Tensor) -> bool:
    before, at, behind = map(float, slope[0])
    return before < -1e-9 and abs(at) < 1e-9 < behind


def _many(kind: str, seed: int = 51) -> Arguments:
    return _batch(kind, 2, seed=seed, eps=0.2, T=3.0, rows=9)


def _finite_far_out(function: Function) -> bool:
    return finite_with_slope(function, _INPUTS[EXTREMES])


def _grows_far_out(function: Function) -> bool:
    return bool(function(*_far("plain", 1e4))[0, 0] > 9999)


def _mirrored(function: Function, sign: int) -> bool:
    return all(
        torch.allclose(function(z, y, kind, eps, T), sign * function(-z, 1 - y, kind, eps, T), rtol=1e-9)
        for z, y, kind, eps, T in map(_many, KINDS)
    )


def _plain_at_the_ends(function: Function) -> bool:
    z, y, _, eps, T = _batch("plain", 3, seed=52)
    plain = function(z, y, "plain", eps, T)
    ends = function(z, y, "smooth", 0.0, T), function(z, y, "temperature", eps, 1.0)
    return all(torch.allclose(end, plain, rtol=1e-9) for end in ends)


def _limits(function: Function) -> bool:
    for kind in KINDS:
        z, y, _, eps, T = _far(kind, 1e4)
        wrong, right = function(z, y, kind, eps, T)[0].tolist()
        ends = {"plain": (-1, 0), "smooth": (eps / 2 - 1, eps / 2), "temperature": (-1 / T, 0)}[kind]
        if not (abs(wrong - ends[0]) < 1e-9 and abs(right - ends[1]) < 1e-9):
            return False
    return True


def _keeps_its_digits(function: Function) -> bool:
    for kind, size, rate in (("plain", 40.0, 1.0), ("temperature", 160.0, 0.25)):
        z, y, _, eps, T = _far(kind, size)
        slope = function(z, y, kind, eps, T)[0, 1].item()
        if abs(slope * math.exp(40) / rate + 1) > 1e-6:
            return False
    return True


def _slope_of_the_loss(function: Function) -> bool:
    return all(
        torch.allclose(function(*case), slope_of(loss, *case), rtol=1e-9)
        for case in (_many(kind, seed) for kind in KINDS for seed in (53, 54))
    )


def _by_a_rounded_sigmoid(z: Tensor, y: Tensor, kind: str, eps: float, T: float) -> Tensor:
    scale = T if kind == "temperature" else 1.0
    target = (1 - eps) * y + eps / 2 if kind == "smooth" else y
    return (torch.sigmoid(z / scale) - target) / scale


def _by_exponentials(z: Tensor, y: Tensor, kind: str, eps: float, T: float) -> Tensor:
    scale = T if kind == "temperature" else 1.0
    target = (1 - eps) * y + eps / 2 if kind == "smooth" else y
    e = torch.exp(z / scale)
    return (e / (1 + e) - target) / scale


def _by_logarithms(z: Tensor, y: Tensor, kind: str, eps: float, T: float) -> Tensor:
    p = torch.sigmoid(z / T if kind == "temperature" else z)
    target = (1 - eps) * y + eps / 2 if kind == "smooth" else y
    return -target * p.log() - (1 - target) * (1 - p).log()


_PLAIN_ENDS = (
    'At eps = 0 the kind "smooth", and at T = 1 the kind "temperature", must be the plain one. Is 0 taken for "not '
    'given" somewhere?'
)

LOSS = Task(
    id="vanishing.loss",
    title="the function loss",
    reference=loss,
    inputs=_INPUTS,
    slopes_in=("z",),
    absolute=1e-12,
    wrong_answers=_LOSS_MISTAKES,
    properties=(
        Property(
            "finite, with its slope, at ±10⁴",
            _finite_far_out,
            "At logits of ±40 or ±10⁴ your loss or its slope is NaN or infinite: the sigmoid is rounded to 0 or 1 before "
            "the logarithm is taken. Torch has a logsigmoid.",
            nearly=_by_logarithms,
        ),
        Property(
            "grows with the logit",
            _grows_far_out,
            "A label 1 at the logit −10,000 must cost 10,000. Yours costs less: is a probability or its logarithm cut off? "
            "Torch has a logsigmoid.",
            nearly=lambda *case: _by_logarithms(case[0].clamp(-20, 20), *case[1:]),
        ),
        Property(
            "the same under a change of names",
            lambda function: _mirrored(function, 1),
            "Call every 1 a 0 and turn the sign of its logit: the loss must not change, and yours does.",
            nearly=lambda z, y, kind, eps, T: loss(z + 1e-3 * (len(z) == 9), y, kind, eps, T),
        ),
        Property(
            "lowest where the forecast is the smoothed label",
            lambda function: all(
                _turns_at_the_root(slope_of(function, *_near_the_root(eps), "smooth", eps, 4.0))
                for eps in _amounts()
            ),
            "The smoothed loss of y = 1 must be lowest where σ(z) is the smoothed label, for every ε. Yours is not.",
            nearly=lambda z, y, kind, eps, T: loss(z, y, kind, max(eps, 0.01), T),
        ),
        Property(
            "plain for ε = 0 and for T = 1",
            _plain_at_the_ends,
            _PLAIN_ENDS,
            nearly=lambda z, y, kind, eps, T: loss(z, y, kind, eps or 0.1, T),
        ),
    ),
    explanation=(
        "`logsigmoid` is $\\ln\\sigma$ without overflow, and $1-\\sigma(z)=\\sigma(-z)$ gives the other term. The book's own "
        "function is `losscore.binary_cross_entropy`, which takes smoothed targets as they are."
    ),
)

GRAD = Task(
    id="vanishing.grad",
    title="the function grad",
    reference=grad,
    inputs=_INPUTS,
    absolute=1e-12,
    wrong_answers=_GRAD_MISTAKES,
    properties=(
        Property(
            "its limits",
            _limits,
            "At logits of ±10⁴ your slopes are not the limits of (a), or not numbers. An exponential that overflows?",
            nearly=_by_exponentials,
        ),
        Property(
            "fades, and keeps its digits",
            _keeps_its_digits,
            "Far out the plain slope and the one with a temperature are tiny, but not what you return: 1 − σ(z) rounds to 0 "
            "or to a few digits. Which σ equals 1 − σ(z)?",
            nearly=_by_a_rounded_sigmoid,
        ),
        Property(
            "odd under a change of names",
            lambda function: _mirrored(function, -1),
            "Call every 1 a 0 and turn the sign of its logit: the slope must turn its sign and keep its size.",
            nearly=lambda z, y, kind, eps, T: grad(z + 1e-3 * (len(z) == 9), y, kind, eps, T),
        ),
        Property(
            "the slope of the loss",
            _slope_of_the_loss,
            "Your slope is not what autograd finds through the loss of this page.",
            nearly=lambda z, y, kind, eps, T: grad(z, y, kind, eps, T) * (1 + 1e-3 * (len(z) == 9)),
        ),
        Property(
            "turns where the forecast is the smoothed label",
            lambda function: all(
                _turns_at_the_root(function(*_near_the_root(eps), "smooth", eps, 4.0)) for eps in _amounts()
            ),
            "For some ε your smoothed slope does not turn its sign where σ(z) is the smoothed label.",
            nearly=lambda z, y, kind, eps, T: grad(z, y, kind, max(eps, 0.01), T),
        ),
        Property(
            "plain for ε = 0 and for T = 1",
            _plain_at_the_ends,
            _PLAIN_ENDS,
            nearly=lambda z, y, kind, eps, T: grad(z, y, kind, eps or 0.1, T),
        ),
    ),
    explanation=(
        "$\\sigma(z)-y'=(1-y')\\sigma(z)-y'\\sigma(-z)$ is the same number without the difference of two that are nearly "
        "equal: at $z=40$ and $y=1$ it is $-4.2\\cdot10^{-18}$, where `torch.sigmoid(z) - y` says 0."
    ),
)
