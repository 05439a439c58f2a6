"""The task to find the scores of least conditional risk, of the exercise on Fisher consistency."""

from __future__ import annotations

import torch
from torch import Tensor

from .consistency_risk import LOSSES, conditional_risk, distribution
from .tasks import EXTREMES, Arguments, Function, Property, Task, WrongAnswer


def minimiser(eta: Tensor, loss: str) -> Tensor:
    if loss == "cross-entropy":
        return eta.log()
    if loss == "squared error":
        return eta.clone()
    if loss == "hinge":
        return torch.sign(2 * eta - 1)
    return torch.logit(eta)


def _probabilities(*rows: tuple[float, ...]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


_WITHOUT_MAJORITY = _probabilities((0.40, 0.35, 0.25), (0.30, 0.45, 0.25), (0.20, 0.32, 0.48))
_WITH_MAJORITY = _probabilities((0.60, 0.25, 0.15), (0.20, 0.70, 0.10), (0.04, 0.06, 0.90))
_RARE = _probabilities((0.97, 0.02, 0.01), (2e-4, 1e-4, 1 - 3e-4), (1e-6, 1 - 3e-6, 2e-6))
_NEVER = _probabilities((0.5, 0.5, 0.0), (1.0, 0.0, 0.0))

_INPUTS = {
    **{
        loss: [(distribution(size, seed=size), loss) for size in (2, 3, 5)]
        for loss in LOSSES
        if loss != "hinge"
    },
    "a majority": [(eta, "hinge") for eta in _WITH_MAJORITY],
    "no majority": [(eta, "hinge") for eta in _WITHOUT_MAJORITY],
    "batches": [(distribution(*shape, seed=9), loss) for shape in ((4, 3), (2, 3, 4)) for loss in LOSSES],
    EXTREMES: [
        *((_RARE, loss) for loss in LOSSES),
        *((distribution(100, seed=10), loss) for loss in LOSSES),
        (_NEVER, "hinge"),
        (_NEVER, "squared error"),
    ],
}


def _costs_the_same(arguments: Arguments, scores: Tensor, others: Tensor) -> bool:
    """Whether two scores have the same conditional risk, to a millionth; where several are optimal, each is right."""
    eta, loss = arguments
    one, other = (conditional_risk(f, eta, loss) for f in (scores, others))
    return bool(scores.isfinite().all()) and torch.allclose(one, other, rtol=1e-6, atol=1e-13)


def _only(*losses: str) -> Function:
    """Makes a mistake in these losses alone."""
    return lambda wrong: lambda eta, loss: wrong(eta) if loss in losses else minimiser(eta, loss)


def _likeliest(eta: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(eta.argmax(-1), eta.shape[-1]).to(eta.dtype)


_MISTAKES = (
    WrongAnswer(
        "probabilities in place of logits",
        _only("cross-entropy")(torch.clone),
        "For cross-entropy you return η. The softmax of your scores should be η.",
    ),
    WrongAnswer(
        "sigmoid in place of softmax",
        _only("cross-entropy")(torch.logit),
        "For cross-entropy you return scores whose sigmoid is η. Is their softmax η as well?",
    ),
    WrongAnswer(
        "negative logits",
        _only("cross-entropy")(lambda eta: -eta.log()),
        "For cross-entropy your scores fall as a class gets likelier. Check a sign.",
    ),
    WrongAnswer(
        "one-hot",
        _only("squared error")(_likeliest),
        "For squared error you put everything on the likeliest class. The best single number for a label that scatters is its mean.",
    ),
    WrongAnswer(
        "logits for squared error",
        _only("squared error")(torch.log),
        "For squared error you return logarithms. No softmax stands between these scores and the loss.",
    ),
    WrongAnswer(
        "labels ±1",
        _only("squared error")(lambda eta: 2 * eta - 1),
        "For squared error the labels are 1 and 0, not ±1.",
    ),
    WrongAnswer(
        "softmax in place of sigmoid",
        _only("logistic")(torch.log),
        "For the logistic loss you return ln η, the logits of a softmax. Each class has a sigmoid of its own.",
    ),
    WrongAnswer(
        "probabilities in place of log-odds",
        _only("logistic")(torch.clone),
        "For the logistic loss you return η. Which score has a sigmoid of that size?",
    ),
    WrongAnswer(
        "half the log-odds",
        _only("logistic")(lambda eta: torch.logit(eta) / 2),
        "For the logistic loss you are off by a factor 2: the half belongs to the exponential loss.",
    ),
    WrongAnswer(
        "the likeliest class wins",
        _only("hinge")(lambda eta: 2 * _likeliest(eta) - 1),
        "For the hinge you give 1 to the likeliest class. Take the first η of the page and compare 2η₁ with 2(1 − η₁).",
    ),
    WrongAnswer(
        "undecided",
        _only("hinge")(lambda eta: torch.zeros_like(eta)),
        "For the hinge you leave all scores at 0, where each class costs 1. Which way does the line of (a) fall?",
    ),
    WrongAnswer(
        "expected label",
        _only("hinge")(lambda eta: 2 * eta - 1),
        "For the hinge you return the mean of the labels ±1. A line is least at one of its ends.",
    ),
    WrongAnswer(
        "nobody, always",
        _only("hinge")(lambda eta: -torch.ones_like(eta)),
        "For the hinge you return −1 throughout. What about a class that comes more often than not?",
    ),
    WrongAnswer(
        "labels 1 and 0",
        _only("hinge")(lambda eta: (eta > 0.5).to(eta.dtype)),
        "For the hinge you leave at 0 what should go further: right of −1 the line of a rare class still rises.",
    ),
    WrongAnswer(
        "bar at 1/K",
        _only("hinge")(lambda eta: torch.sign(eta - 1 / eta.shape[-1])),
        "For the hinge you compare η with 1/K. The slope of (a) does not know how many classes there are.",
    ),
)

_CLOSE = _probabilities((0.333331, 0.333332, 0.333337), (0.249, 0.375496, 0.375504))
_UNTIED = _probabilities((0.52, 0.31, 0.17), (0.46, 0.23, 0.31))


def _decides_at_one_half(function: Function) -> bool:
    """All scores −1 just below a majority, and a score 1 just above it."""
    gap = 1e-7
    eta = _probabilities((0.5 - gap, 0.3, 0.2 + gap), (0.5 + gap, 0.3, 0.2 - gap))
    below, above = function(eta, "hinge")
    return bool((below + 1).abs().max() < 1e-3 and abs(above[0] - 1) < 1e-3)


def _ignores_the_order(function: Function) -> bool:
    order = torch.tensor([2, 0, 1])
    for loss in LOSSES:
        scores, renumbered = function(_UNTIED, loss), function(_UNTIED[:, order], loss)
        gap = renumbered - scores[:, order]
        if loss == "cross-entropy":
            gap = gap - gap.mean(-1, keepdim=True)
        if gap.abs().max() > 1e-5:
            return False
    return True


def _elects_the_likeliest(function: Function) -> bool:
    return all(
        torch.equal(function(_CLOSE, loss).argmax(-1), _CLOSE.argmax(-1))
        for loss in LOSSES
        if loss != "hinge"
    )


MINIMISER = Task(
    id="consistency.minimiser",
    title="the function minimiser",
    reference=minimiser,
    inputs=_INPUTS,
    agrees=_costs_the_same,
    wrong_answers=_MISTAKES,
    properties=(
        Property(
            "decides at one half",
            _decides_at_one_half,
            "For the hinge, a class just below one half must get −1 and one just above it 1. Where exactly does your function "
            "change its mind? A search stops early there, since the line of (a) is nearly flat.",
            nearly=lambda eta, loss: (
                torch.sign(2 * eta - 1 + 4e-7) if loss == "hinge" else minimiser(eta, loss)
            ),
        ),
        Property(
            "finite where a class is rare",
            lambda function: all(bool(function(_RARE, loss).isfinite().all()) for loss in LOSSES),
            "Where a class is rare your scores are infinite or NaN, though its probability is not 0. Do you round it away?",
            nearly=lambda eta, loss: minimiser(torch.where(eta < 1e-5, 0, eta), loss),
        ),
        Property(
            "the order of the classes does not matter",
            _ignores_the_order,
            "Renumber the classes: your scores must be renumbered in the same way, and not change otherwise.",
            nearly=lambda eta, loss: (
                eta + 1e-4 * torch.arange(eta.shape[-1], dtype=eta.dtype, device=eta.device)
                if loss == "squared error"
                else minimiser(eta, loss)
            ),
        ),
        Property(
            "elects the likeliest class, however close the race",
            _elects_the_likeliest,
            "In a close race your largest score belongs to the wrong class. Do you round?",
            nearly=lambda eta, loss: minimiser(eta, loss).round(decimals=5),
        ),
    ),
    explanation=(
        "By (e) to (g): $\\ln\\eta$, up to a constant, for cross-entropy; $\\eta$ for squared error; the log-odds for the "
        "logistic loss. By (a) the hinge wants 1 where $\\eta_k>\\frac12$ and −1 where $\\eta_k<\\frac12$; at ½ any score between "
        "them is as good, and `sign` gives 0."
    ),
)
