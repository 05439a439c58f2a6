"""The task of the exercise on decay: plain descent and Adam with a penalty, and AdamW."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..symbolic import decay
from .tasks import EXTREMES, Arguments, Function, Property, Task, WrongAnswer


def take_steps(w: Tensor, gradients: Tensor, kind: str, lr: float, decay: float) -> Tensor:
    mean = square = torch.zeros_like(w)
    for t, g in enumerate(gradients, start=1):
        if kind == "adamw":
            w = w - lr * decay * w
        else:
            g = g + decay * w
        if kind == "sgd":
            w = w - lr * g
        else:
            mean = 0.9 * mean + 0.1 * g
            square = 0.999 * square + 0.001 * g**2
            root = (square / (1 - 0.999**t)).sqrt()
            w = w - lr * mean / (1 - 0.9**t) / (root + 1e-8)
    return w


def _history(kind: str, *shape: int, seed: int, steps: int = 5, scale: float = 1.0) -> Arguments:
    draw = torch.Generator().manual_seed(seed)
    w = torch.randn(*shape, generator=draw, dtype=torch.float64)
    return w, scale * torch.randn(steps, *shape, generator=draw, dtype=torch.float64), kind, 0.1, 0.5


def _same_everywhere(kind: str, w: float, g: float, decay: float) -> Arguments:
    """The same gradient three times."""
    one = torch.tensor([w, -w], dtype=torch.float64)
    return one, torch.full((3, 2), g, dtype=torch.float64), kind, 0.1, decay


_KINDS = ("sgd", "adam", "adamw")

_HISTORIES = {
    **{
        kind: [_history(kind, 3, seed=1), _history(kind, 4, 2, seed=2), _history(kind, 1, seed=3)]
        for kind in _KINDS
    },
    EXTREMES: [
        _same_everywhere(kind, w, g, decay)
        for kind in _KINDS
        for w, g, decay in (
            (1.0, 0.0, 0.0),
            (1.0, 0.0, 0.5),
            (1.0, 1e-12, 0.0),
            (1.0, -1e4, 0.5),
            (1e4, 1e4, 0.5),
        )
    ],
}


def _adam_by(
    direction: Callable[[Tensor, Tensor, int], Tensor],
    *,
    betas: tuple[float, float] = (0.9, 0.999),
    after: bool = False,
) -> Function:
    """The three kinds with another way from the two running means to a direction, or with the decay after the step."""
    first, second = betas

    def walk(w: Tensor, gradients: Tensor, kind: str, lr: float, decay: float) -> Tensor:
        if kind == "sgd":
            return take_steps(w, gradients, kind, lr, decay)
        mean = square = torch.zeros_like(w)
        shrink = lr * decay if kind == "adamw" else 0.0
        for t, g in enumerate(gradients, start=1):
            g = g + decay * w if kind == "adam" else g
            mean, square = first * mean + (1 - first) * g, second * square + (1 - second) * g**2
            step = lr * direction(mean, square, t)
            w = (1 - shrink) * (w - step) if after else (1 - shrink) * w - step
        return w

    return walk


def _right(mean: Tensor, square: Tensor, t: int) -> Tensor:
    return mean / (1 - 0.9**t) / ((square / (1 - 0.999**t)).sqrt() + 1e-8)


def _forgetful(w: Tensor, gradients: Tensor, kind: str, lr: float, decay: float) -> Tensor:
    for gradient in gradients:
        w = take_steps(w, gradient[None], kind, lr, decay)
    return w


_STEP_MISTAKES = (
    WrongAnswer(
        "sign",
        lambda w, gradients, kind, lr, decay: take_steps(w, gradients, kind, -lr, decay),
        "You walk uphill. Which way does descent go along the gradient?",
    ),
    WrongAnswer(
        "λ‖w‖² in place of its half",
        lambda w, gradients, kind, lr, decay: take_steps(w, gradients, kind, lr, 2 * decay),
        "Your penalty pulls twice as hard as it should. What is the gradient of λ/2 ‖w‖²?",
    ),
    WrongAnswer(
        "decay without the rate",
        lambda w, gradients, kind, lr, decay: take_steps(w, gradients, kind, lr, decay / lr),
        "You shrink by λ a step. The decay is part of the step: by which factor does one step of descent on the penalty "
        "alone multiply w?",
    ),
    WrongAnswer(
        "no decay",
        lambda w, gradients, kind, lr, decay: take_steps(w, gradients, kind, lr, 0.0),
        "Here λ changes nothing in your weights. What does the penalty add to the gradient g?",
    ),
    WrongAnswer(
        "the first gradient alone",
        lambda w, gradients, kind, lr, decay: take_steps(w, gradients[:1], kind, lr, decay),
        "You stop after the first step. Take one for each row of gradients; is a return inside the loop?",
    ),
    WrongAnswer(
        "forgets between steps",
        _forgetful,
        "Your running means begin anew in every step. What Adam has seen before must survive until the end.",
    ),
    WrongAnswer(
        "no correction",
        _adam_by(lambda mean, square, t: mean / (square.sqrt() + 1e-8)),
        "Your running means start at 0 and are still too small. Divide the first by 1 − 0.9^t and the second by 1 − 0.999^t.",
    ),
    WrongAnswer(
        "counts from 0",
        _adam_by(lambda mean, square, t: _right(mean, square, t - 1)),
        "Your first step divides by 1 − 0.9^0, which is 0. From which number must t count?",
    ),
    WrongAnswer(
        "no root",
        _adam_by(lambda mean, square, t: mean / (1 - 0.9**t) / (square / (1 - 0.999**t) + 1e-8)),
        "You divide by the mean square itself. In which unit would your step be, if the gradient is measured in metres?",
    ),
    WrongAnswer(
        "rates of the means swapped",
        _adam_by(
            lambda mean, square, t: mean / (1 - 0.999**t) / ((square / (1 - 0.9**t)).sqrt() + 1e-8),
            betas=(0.999, 0.9),
        ),
        "The gradient is averaged over about ten steps and its square over about a thousand. You have it the other way round.",
    ),
    WrongAnswer(
        "penalty of Adam decoupled",
        lambda w, gradients, kind, lr, decay: take_steps(
            w, gradients, "adamw" if kind == "adam" else kind, lr, decay
        ),
        'For "adam" you decay outside of Adam. There the penalty is part of the loss, so its gradient goes through both means.',
    ),
    WrongAnswer(
        "AdamW penalised",
        lambda w, gradients, kind, lr, decay: take_steps(
            w, gradients, "adam" if kind == "adamw" else kind, lr, decay
        ),
        'For "adamw" your decay goes through Adam\'s means. There they see the bare gradient; the decay acts on w directly.',
    ),
    WrongAnswer(
        "decay of the new weights",
        _adam_by(_right, after=True),
        "In AdamW, which weights are decayed: the old ones, or those that the step has already moved?",
    ),
    WrongAnswer(
        "ε under the root",
        _adam_by(lambda mean, square, t: mean / (1 - 0.9**t) / (square / (1 - 0.999**t) + 1e-8).sqrt()),
        "With tiny gradients your steps are too small. Do you add ε before you take the root, or after?",
    ),
)


def _survives_silence(function: Function) -> bool:
    return all(function(*case).isfinite().all() for case in _HISTORIES[EXTREMES])


def _affine_in_the_decay(function: Function) -> bool:
    for seed in (31, 32):
        w, gradients, _, lr, _ = _history("adamw", 4, seed=seed, steps=1)
        low, middle, high = (function(w, gradients, "adamw", lr, decay) for decay in (0.25, 0.5, 0.75))
        if not torch.allclose(low + high, 2 * middle, rtol=1e-12):
            return False
    return True


def _each_weight_by_itself(function: Function) -> bool:
    for kind in _KINDS:
        w, gradients, _, lr, decay = _history(kind, 5, seed=33)
        alone = torch.cat(
            [function(w[k : k + 1], gradients[:, k : k + 1], kind, lr, decay) for k in range(5)]
        )
        if not torch.allclose(function(w, gradients, kind, lr, decay), alone, rtol=1e-12):
            return False
    return True


def _blind_to_units(function: Function) -> bool:
    """Adam's direction does not change with the unit of the gradient, where ε is negligible."""
    for kind in ("adam", "adamw"):
        w, gradients, _, lr, _ = _history(kind, 4, seed=34, scale=100.0)
        if not torch.allclose(
            function(w, gradients, kind, lr, 0.0), function(w, 1000 * gradients, kind, lr, 0.0), rtol=1e-6
        ):
            return False
    return True


TAKE_STEPS = Task(
    id="decay.take_steps",
    title="the function take_steps",
    reference=take_steps,
    inputs=_HISTORIES,
    wrong_answers=_STEP_MISTAKES,
    tolerance=1e-8,
    properties=(
        Property(
            "survives silent gradients",
            _survives_silence,
            "A gradient of exactly 0, without decay, gives you 0/0. What does Adam add to the root?",
            nearly=_adam_by(lambda mean, square, t: mean / (1 - 0.9**t) / (square / (1 - 0.999**t)).sqrt()),
        ),
        Property(
            "AdamW's decay is affine in λ for one step",
            _affine_in_the_decay,
            "One step of AdamW must be affine in λ: twice the decay, twice the shrinking. Yours is not.",
            nearly=lambda w, gradients, kind, lr, decay: take_steps(
                w, gradients, kind, lr, decay + (1e-3 if decay == 0.25 else 0.0)
            ),
        ),
        Property(
            "each weight by itself",
            _each_weight_by_itself,
            "One weight's step depends on another weight's gradients. Every weight has its own two running means.",
            nearly=lambda w, gradients, kind, lr, decay: take_steps(
                w, gradients, kind, lr * (1.01 if len(w) == 5 else 1.0), decay
            ),
        ),
        Property(
            "blind to the unit of the gradient",
            _blind_to_units,
            "Without decay, Adam's steps must not change when all gradients are a thousand times as large.",
            nearly=lambda w, gradients, kind, lr, decay: take_steps(
                w, gradients.clamp(-2e4, 2e4), kind, lr, decay
            ),
        ),
    ),
    explanation=(
        'Under `"sgd"` and `"adam"` the gradient of the penalty, $\\lambda w$, joins $g$ before anything else happens. Under '
        '`"adamw"` the weights shrink by $1-\\alpha\\lambda$ and Adam sees the bare $g$. The two running means live '
        "outside the loop, and $t$ counts from 1."
    ),
    proofs=(decay.where_the_decay_stands,),
)
