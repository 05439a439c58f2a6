"""The task of the exercise on decay: descent on the logistic loss, and the same walk with rescaled steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from .tasks import EXTREMES, Arguments, Function, Property, Task, WrongAnswer


def gd_logistic(w: Tensor, X: Tensor, y: Tensor, steps: int, lr: float, rescaled: bool) -> Tensor:
    for _ in range(steps):
        m = y * (X @ w)
        pull = torch.sigmoid(-m)
        if rescaled:
            costs = torch.nn.functional.softplus(-m)
            log_costs = torch.where(m > 30, -m, costs.log())
            log_pull = torch.nn.functional.logsigmoid(-m)
            pull = torch.exp(log_pull - log_costs.logsumexp(0))
        w = w + lr * (y * pull) @ X
    return w


_POINTS = ((1.0, 2.0), (2.0, 0.5), (3.0, 3.0), (-1.0, -1.5), (-2.0, -0.3), (-0.5, -3.0))
_LABELS = (1.0, 1.0, 1.0, -1.0, -1.0, -1.0)


def _classified(*w: float, steps: int, rescaled: bool, lr: float = 0.1) -> Arguments:
    points = torch.tensor(_POINTS, dtype=torch.float64)
    return (
        torch.tensor(w, dtype=torch.float64),
        points,
        torch.tensor(_LABELS, dtype=torch.float64),
        steps,
        lr,
        rescaled,
    )


def _random_points(n: int, d: int, *, seed: int, steps: int, rescaled: bool, lr: float = 0.02) -> Arguments:
    draw = torch.Generator().manual_seed(seed)
    w, X = (torch.randn(*shape, generator=draw, dtype=torch.float64) for shape in ((d,), (n, d)))
    return w, X, 2.0 * torch.randint(2, (n,), generator=draw).double() - 1, steps, lr, rescaled


_DESCENTS = {
    words: [
        _classified(0.0, 0.0, steps=3, rescaled=rescaled),
        _classified(0.3, -0.2, steps=20, rescaled=rescaled),
        _random_points(9, 4, seed=5, steps=4, rescaled=rescaled),
        _random_points(7, 1, seed=6, steps=6, rescaled=rescaled),
    ]
    for words, rescaled in (("plain", False), ("rescaled", True))
} | {
    EXTREMES: [
        _classified(sign * 1e4, sign * 8e3, steps=3, rescaled=rescaled, lr=1.0)
        for rescaled in (False, True)
        for sign in (1, -1)
    ]
}


def _by(
    pulls: Callable[[Tensor], Tensor], scale: Callable[[Tensor, Tensor], Tensor | float] = lambda m, move: 1.0
) -> Function:
    """Descent on a loss with other pulls; under ``rescaled`` its moves are multiplied by ``scale(margins, move)``."""

    def walk(w: Tensor, X: Tensor, y: Tensor, steps: int, lr: float, rescaled: bool) -> Tensor:
        for _ in range(steps):
            m = y * (X @ w)
            move = (y * pulls(m)) @ X
            w = w + lr * move * (scale(m, move) if rescaled else 1.0)
        return w

    return walk


def _pull(m: Tensor) -> Tensor:
    return torch.sigmoid(-m)


def _cost(m: Tensor) -> Tensor:
    return functional.softplus(-m).sum()


def _labels_as_probabilities(
    w: Tensor, X: Tensor, y: Tensor, steps: int, lr: float, rescaled: bool
) -> Tensor:
    for _ in range(steps):
        w = w - lr * (torch.sigmoid(X @ w) - y) @ X
    return w


def _accumulating(w: Tensor, X: Tensor, y: Tensor, steps: int, lr: float, rescaled: bool) -> Tensor:
    total = torch.zeros_like(w)
    for _ in range(steps):
        m = y * (X @ w)
        total = total + (y * _pull(m)) @ X
        w = w + lr * total / (_cost(m) if rescaled else 1.0)
    return w


_MISTAKES = (
    WrongAnswer(
        "sign",
        lambda w, X, y, steps, lr, rescaled: gd_logistic(w, X, y, steps, -lr, rescaled),
        "You walk uphill: the points end on the wrong side.",
    ),
    WrongAnswer(
        "labels left out",
        lambda w, X, y, steps, lr, rescaled: gd_logistic(w, X, torch.ones_like(y), steps, lr, rescaled),
        "You treat every point as positive. Where does the label y enter the margin?",
    ),
    WrongAnswer(
        "labels taken for 0 and 1",
        _labels_as_probabilities,
        "σ(w·x) − y is the gradient for labels 0 and 1. Here they are −1 and +1.",
    ),
    WrongAnswer(
        "label in the margin, not in the gradient",
        lambda w, X, y, steps, lr, rescaled: _by(lambda m: y * _pull(m))(w, X, y, steps, lr, rescaled),
        "Your margins are right. Differentiate them in w: what stands in front of x?",
    ),
    WrongAnswer(
        "mean in place of the sum",
        lambda w, X, y, steps, lr, rescaled: gd_logistic(w, X, y, steps, lr / len(y), rescaled),
        "Your steps are too short by the number of points. The loss of this page is a sum.",
    ),
    WrongAnswer(
        "exponential loss",
        _by(lambda m: torch.exp(-m), lambda m, move: 1 / torch.exp(-m).sum()),
        "Your pull e^(−m) is that of the exponential loss. Differentiate ln(1 + e^(−m)).",
    ),
    WrongAnswer(
        "hinge loss",
        _by(lambda m: (m < 1).to(m.dtype), lambda m, move: 1 / (1 - m).clamp(min=0).sum()),
        "Your pull is 1 up to a margin of 1 and then 0: that is the hinge loss.",
    ),
    WrongAnswer(
        "always from 0",
        lambda w, X, y, steps, lr, rescaled: gd_logistic(torch.zeros_like(w), X, y, steps, lr, rescaled),
        "You start at 0. Start at the w you are given, so that a long walk can be taken in parts.",
    ),
    WrongAnswer(
        "a single step",
        lambda w, X, y, steps, lr, rescaled: gd_logistic(w, X, y, 1, lr, rescaled),
        "You take one step, whatever steps says. Is a return inside the loop?",
    ),
    WrongAnswer(
        "gradients added up",
        _accumulating,
        "Each of your steps repeats all earlier ones. Autograd adds every new gradient to .grad until you set it to 0.",
    ),
    WrongAnswer(
        "never rescaled",
        lambda w, X, y, steps, lr, rescaled: gd_logistic(w, X, y, steps, lr, False),
        "With rescaled=True you walk as without. Divide each step by the loss where the step begins.",
    ),
    WrongAnswer(
        "rescaled by the first loss",
        lambda w, X, y, steps, lr, rescaled: gd_logistic(
            w, X, y, steps, lr / _cost(y * (X @ w)).item() if rescaled else lr, False
        ),
        "You divide every step by the loss at the start. The loss falls, and each step has its own.",
    ),
    WrongAnswer(
        "divided by the length of the gradient",
        _by(_pull, lambda m, move: 1 / move.norm()),
        "You divide by the length of the gradient, so all your steps are equally long. Divide by the loss.",
    ),
    WrongAnswer(
        "multiplied by the loss",
        _by(_pull, lambda m, move: _cost(m)),
        "You multiply by the loss, so your steps become ever shorter. The rescaled walk is to become faster.",
    ),
    WrongAnswer(
        "divided by the mean loss",
        lambda w, X, y, steps, lr, rescaled: gd_logistic(
            w, X, y, steps, lr * (len(y) if rescaled else 1), rescaled
        ),
        "You divide the gradient of the sum by the mean loss. Take the same loss in both places.",
    ),
)


def _near(mistake: Function) -> Function:
    """A mistake that goes right far out, where rounding would make it look like others."""

    def walk(w: Tensor, X: Tensor, y: Tensor, steps: int, lr: float, rescaled: bool) -> Tensor:
        far = (X @ w).abs().max() > 1e3
        walked: Tensor = (gd_logistic if far else mistake)(w, X, y, steps, lr, rescaled)
        return walked

    return walk


def _stands_far_out(function: Function) -> bool:
    """Finite where no rescaling is asked for, at margins of ±10⁴."""
    return all(function(*case).isfinite().all() for case in _DESCENTS[EXTREMES] if not case[-1])


def _moves_far_out(function: Function) -> bool:
    """A rescaled step is at least as long as the widest margin, however small the loss."""
    w, X, y, _, lr, _ = _classified(1e4, 8e3, steps=1, rescaled=True, lr=1.0)
    return bool((function(w, X, y, 1, lr, True) - w).norm() > 1)


def _cheaper_at_every_step(function: Function) -> bool:
    for seed in (41, 42, 43):
        w, X, y, *_ = _random_points(8, 3, seed=seed, steps=1, rescaled=False)
        lr = 1.9 * 4 / torch.linalg.eigvalsh(X.T @ X)[-1].item()
        for _ in range(15):
            after = function(w, X, y, 1, lr, False)
            if _cost(y * (X @ after)) > _cost(y * (X @ w)):
                return False
            w = after
    return True


def _walks_on(function: Function) -> bool:
    """Five steps and five more are ten."""
    for rescaled in (False, True):
        w, X, y, _, lr, _ = _random_points(8, 3, seed=44, steps=1, rescaled=rescaled)
        halfway = function(w, X, y, 5, lr, rescaled)
        if not torch.allclose(
            function(halfway, X, y, 5, lr, rescaled), function(w, X, y, 10, lr, rescaled), rtol=1e-9
        ):
            return False
    return True


def _knows_no_sides(function: Function) -> bool:
    """Turning all points and labels round changes no margin."""
    for rescaled in (False, True):
        w, X, y, _, lr, _ = _random_points(8, 3, seed=45, steps=1, rescaled=rescaled)
        if not torch.allclose(
            function(w, X, y, 4, lr, rescaled), function(w, -X, -y, 4, lr, rescaled), rtol=1e-9
        ):
            return False
    return True


GD_LOGISTIC = Task(
    id="decay.gd_logistic",
    title="the function gd_logistic",
    reference=gd_logistic,
    inputs=_DESCENTS,
    wrong_answers=tuple(replace(wrong, behaviour=_near(wrong.behaviour)) for wrong in _MISTAKES),
    absolute=1e-12,
    properties=(
        Property(
            "the loss falls at every step below 2/β",
            _cheaper_at_every_step,
            "With a step below 2/β the loss must fall every time, and yours rises. Is your step lr times the gradient? In it a point "
            "that is wrong pulls harder than one that is right.",
            nearly=lambda w, X, y, steps, lr, rescaled: gd_logistic(
                w, X, y, steps, lr * (9 if steps == 1 and not rescaled else 1), rescaled
            ),
        ),
        Property(
            "five steps and five more are ten",
            _walks_on,
            "Five steps and five more are not your ten. A step may depend on w alone, not on its number.",
            nearly=lambda w, X, y, steps, lr, rescaled: gd_logistic(
                w, X, y, steps, lr * (0.9 if steps == 10 else 1), rescaled
            ),
        ),
        Property(
            "sides don't matter",
            _knows_no_sides,
            "Put every point on the other side of 0 and swap the labels: nothing may change, and yours does.",
            nearly=lambda w, X, y, steps, lr, rescaled: gd_logistic(
                w, X, y, steps, lr * (0.9 if steps == 4 and len(y) == 8 and y[0] < 0 else 1), rescaled
            ),
        ),
        Property(
            "finite at margins of ±10⁴",
            _stands_far_out,
            "At margins of ±10⁴ your weights are NaN or infinite: an exponential overflows. torch.sigmoid does not.",
            nearly=lambda w, X, y, steps, lr, rescaled: (
                gd_logistic(w, X, y, steps, lr, True)
                if rescaled
                else _by(lambda m: torch.exp(-m) / (1 + torch.exp(-m)))(w, X, y, steps, lr, False)
            ),
        ),
        Property(
            "the rescaled walk goes on where the loss is rounded to 0",
            _moves_far_out,
            "Far out the loss and its gradient are both rounded to 0, and yours stands still or becomes NaN. Their ratio is "
            "not small. Divide before you exponentiate: what is the logarithm of σ(−m), and that of ln(1 + e^(−m)), for a "
            "large m?",
            nearly=_by(_pull, lambda m, move: 1 / _cost(m)),
        ),
    ),
    explanation=(
        "A point pulls with $\\sigma(-m)$ along $yx$. For the rescaled walk this is divided by $\\sum_i\\ln(1+e^{-m_i})$. "
        "Where both underflow, work with logarithms: beyond $m=30$ both are $-m$ to the last digit."
    ),
)
