"""The slope and the step to mend in the exercise on mistakes found in the wild."""

from __future__ import annotations

import torch
from torch import Tensor

from ..symbolic import mistakes
from .tasks import EXTREMES, Arguments, Function, Property, Task, WrongAnswer


def slope(z: Tensor, y: Tensor) -> Tensor:
    return z.softmax(-1) - torch.nn.functional.one_hot(y, z.shape[-1])


def _classified(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Arguments:
    draw = torch.Generator().manual_seed(seed)
    z = 2 * torch.randn(*shape, generator=draw, dtype=torch.float64)
    return z.to(dtype), torch.randint(shape[-1], shape[:-1], generator=draw)


def _confident(gap: float) -> Arguments:
    """The label far behind, far ahead and level."""
    rows = [[-gap, 0.0, 1.0], [gap, 0.0, 1.0], [gap, gap, -gap], [-gap, -gap, -gap]]
    return torch.tensor(rows, dtype=torch.float64), torch.tensor([0, 0, 1, 2])


_LABELLED = {
    "random logits": [_classified(*shape, seed=k) for k, shape in enumerate(((6, 3), (4, 2), (1, 9)))],
    "other shapes": [_classified(2, 3, 4, seed=5), _classified(5, seed=6)],
    EXTREMES: [_confident(gap) for gap in (10.0, 40.0, 1e4)],
    "single precision": [_classified(5, 4, seed=7, dtype=torch.float32)],
}


def _sentence(z: Tensor, y: Tensor) -> Tensor:
    p = z.softmax(-1)
    return slope(z, y) * p * (1 - p)


def _squared(z: Tensor, y: Tensor) -> Tensor:
    p, off = z.softmax(-1), slope(z, y)
    return p * (off - (off * p).sum(-1, keepdim=True))


def _own_only(z: Tensor, y: Tensor) -> Tensor:
    return slope(z, y) * torch.nn.functional.one_hot(y, z.shape[-1])


def _unshifted(z: Tensor, y: Tensor) -> Tensor:
    e = z.exp()
    return e / e.sum(-1, keepdim=True) - torch.nn.functional.one_hot(y, z.shape[-1])


def _rows_add_to_zero(function: Function) -> bool:
    z, y = _classified(3, 7, seed=21)
    return bool((function(z, y).sum(-1).abs() < 1e-12).all())


def _keeps_its_place(function: Function) -> bool:
    z, y = _classified(4, 6, seed=22)
    return torch.allclose(function(z, y), function(z + 5.0, y), rtol=1e-9, atol=1e-12)


SLOPE = Task(
    id="found-in-the-wild.slope",
    title="mend 3, the slope of a confident mistake",
    reference=slope,
    inputs=_LABELLED,
    tolerance=1e-5,
    absolute=1e-7,
    wrong_answers=(
        WrongAnswer(
            "as found",
            _sentence,
            "This is the sentence as found: error times the slope of the link. The logarithm of the loss has a slope as "
            "well, and it is large where the probability is small.",
        ),
        WrongAnswer(
            "squared error",
            _squared,
            "This is the slope of half the squared error of the probabilities. For that loss the sentence is true.",
        ),
        WrongAnswer(
            "sign",
            lambda z, y: -slope(z, y),
            "The sign is reversed: raising the label's own logit must lower the loss.",
        ),
        WrongAnswer(
            "the label's logit alone",
            _own_only,
            "Only the label's own logit is pulled. Raising another one takes probability from the label: that costs too.",
        ),
        WrongAnswer(
            "probabilities alone",
            lambda z, y: z.softmax(-1),
            "These are the probabilities. In one entry of each row something is subtracted.",
        ),
        WrongAnswer(
            "mean over the rows",
            lambda z, y: slope(z, y) / max(y.numel(), 1) if y.numel() > 1 else slope(z, y),
            "You divide by the number of rows. Each row is asked for its own slope.",
        ),
        WrongAnswer(
            "sigmoid in place of softmax",
            lambda z, y: z.sigmoid() - torch.nn.functional.one_hot(y, z.shape[-1]),
            "You use a sigmoid for each class. Here the probabilities of a row add to 1.",
        ),
        WrongAnswer(
            "slope in the probability",
            lambda z, y: -torch.nn.functional.one_hot(y, z.shape[-1]) / z.softmax(-1),
            "This is the slope in p. Go on to z: how does p change with each logit?",
        ),
        WrongAnswer(
            "exponentials that overflow",
            _unshifted,
            "Right in the middle, but at ±10,000 you get NaN: an exponential overflows. A common shift of the logits "
            "changes nothing; shift them first, or let torch do it.",
        ),
    ),
    properties=(
        Property(
            "rows add to 0",
            _rows_add_to_zero,
            "The slopes of one row must add to 0: a common shift of its logits changes nothing.",
            nearly=lambda z, y: slope(z, y) + (1e-9 if z.shape[-1] == 7 else 0.0),
        ),
        Property(
            "a shift changes nothing",
            _keeps_its_place,
            "Add 5 to all logits of a row: the probabilities stay, and so must the slopes.",
            nearly=lambda z, y: slope(z, y) * (1 + (1e-6 if z.shape[-1] == 6 and z.mean() > 3 else 0.0)),
        ),
    ),
    explanation=(
        "The slope of the link, $p_k(1-p_k)$, does fade where the network is confident, as the sentence says. But the loss "
        "is $-\\ln p_y$, whose own slope $-\\frac1{p_y}$ grows as fast, and the two cancel: $p-e_y$ remains."
    ),
    proofs=(mistakes.confident_mistakes_pull_hardest,),
)


def penalised_step(w: Tensor, g: Tensor, lr: float, lam: float) -> Tensor:
    return w - lr * (g + 2 * lam * w)


def _weights(
    *shape: int, seed: int, lr: float = 0.1, lam: float = 0.5, dtype: torch.dtype = torch.float64
) -> Arguments:
    draw = torch.Generator().manual_seed(seed)
    w, g = (torch.randn(*shape, generator=draw, dtype=torch.float64).to(dtype) for _ in range(2))
    return w, g, lr, lam


def _every_weight(w: float, g: float, lr: float, lam: float) -> Arguments:
    return torch.tensor([w, -w], dtype=torch.float64), torch.tensor([g, g], dtype=torch.float64), lr, lam


_STEPS = {
    "random weights": [_weights(4, seed=1), _weights(3, 2, seed=2), _weights(2, 2, 2, seed=3)],
    "other strengths": [_weights(3, seed=4, lr=0.5, lam=0.01), _weights(3, seed=5, lr=0.01, lam=20.0)],
    EXTREMES: [
        _every_weight(0.0, 1.0, 0.1, 0.5),
        _every_weight(0.0, 0.0, 0.1, 0.5),
        _every_weight(1e4, 1.0, 0.1, 0.5),
        _every_weight(1e-8, 1e4, 1e-3, 1e3),
        _every_weight(1.0, 1.0, 0.1, 0.0),
        _every_weight(1.0, 1.0, 0.0, 0.5),
    ],
    "single precision": [_weights(3, 2, seed=6, dtype=torch.float32)],
}


def _each_by_itself(function: Function) -> bool:
    w, g, lr, lam = _weights(7, seed=21)
    alone = torch.cat([function(w[i : i + 1], g[i : i + 1], lr, lam) for i in range(len(w))])
    return torch.allclose(function(w, g, lr, lam), alone, rtol=1e-9)


def _descends_the_penalty(function: Function) -> bool:
    """Without a gradient of the loss, small steps lower the penalty as fast as its gradient says."""
    w, g, lr, lam = _weights(9, seed=22, lr=1e-6)
    leaf = w.clone().requires_grad_()
    (pull,) = torch.autograd.grad(lam * leaf.square().sum(), leaf)
    return torch.allclose((w - function(w, 0 * g, lr, lam)) / lr, pull, rtol=1e-6)


PENALISED_STEP = Task(
    id="found-in-the-wild.penalised_step",
    title="mend 5, the lost factor",
    reference=penalised_step,
    inputs=_STEPS,
    tolerance=1e-5,
    absolute=1e-9,
    wrong_answers=(
        WrongAnswer(
            "as found",
            lambda w, g, lr, lam: w - lr * (g + lam * w),
            "This does what the step as found does. Differentiate λw² at w = 1: what is the slope there?",
        ),
        WrongAnswer(
            "the penalty in place of its gradient",
            lambda w, g, lr, lam: w - lr * (g + lam * w**2),
            "You subtract the penalty itself. A step goes along its gradient; and a negative weight would grow here.",
        ),
        WrongAnswer(
            "sign",
            lambda w, g, lr, lam: w - lr * (g - 2 * lam * w),
            "Your penalty makes the weights grow. Does it pull towards 0 or away from it?",
        ),
        WrongAnswer(
            "uphill",
            lambda w, g, lr, lam: w + lr * (g + 2 * lam * w),
            "You walk uphill. Which way does descent go along the gradient?",
        ),
        WrongAnswer(
            "without the rate",
            lambda w, g, lr, lam: w - lr * g - 2 * lam * w,
            "The penalty is part of the objective, so its gradient is multiplied by the rate as well.",
        ),
        WrongAnswer(
            "factor 2 on the whole gradient",
            lambda w, g, lr, lam: w - 2 * lr * (g + lam * w),
            "You double the gradient of the loss too. The 2 comes from the square in the penalty.",
        ),
        WrongAnswer(
            "new weights shrunk",
            lambda w, g, lr, lam: (1 - 2 * lr * lam) * (w - lr * g),
            "You shrink the weights that the step has already moved. Both gradients are taken at the old ones.",
        ),
        WrongAnswer(
            "absolute value",
            lambda w, g, lr, lam: w - lr * (g + lam * w.sign()),
            "This is the gradient of λ Σ|w|: it pulls on every weight alike. Here the squares are added.",
        ),
        WrongAnswer(
            "length in place of its square",
            lambda w, g, lr, lam: w - lr * (g + lam * w / w.norm()),
            "This is the gradient of the length of w. The penalty is λ times its square.",
        ),
        WrongAnswer(
            "mean in place of the sum",
            lambda w, g, lr, lam: w - lr * (g + 2 * lam * w / w.numel()),
            "You divide the penalty by the number of weights. It is λ times a sum, not a mean.",
        ),
        WrongAnswer(
            "no penalty",
            lambda w, g, lr, lam: w - lr * g,
            "Here λ changes nothing. What does the penalty add to g?",
        ),
    ),
    properties=(
        Property(
            "each weight by itself",
            _each_by_itself,
            "One weight's step depends on the others. In a sum of squares each weight has its own term.",
            nearly=lambda w, g, lr, lam: penalised_step(w, g, lr, lam) * (1 + 1e-6 * (len(w) == 7)),
        ),
        Property(
            "descends the penalty",
            _descends_the_penalty,
            "A tiny step without a loss must go along the gradient that autograd finds for λ Σw². Yours does not.",
            nearly=lambda w, g, lr, lam: penalised_step(w, g, lr, lam if lr > 1e-5 else 0.99 * lam),
        ),
    ),
    explanation=(
        "$\\frac\\partial{\\partial w_i}\\lambda\\sum_jw_j^2=2\\lambda w_i$, so a step is $(1-2\\eta\\lambda)w-\\eta g$. Who "
        "prefers $\\lambda w$ writes the penalty as $\\frac\\lambda2\\sum_iw_i^2$. Either is right; half of each is not."
    ),
    proofs=(mistakes.a_lost_factor_halves_the_penalty,),
)
