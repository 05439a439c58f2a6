"""The task to write the loss, of the exercise on generalized cross-entropy."""

from __future__ import annotations

import torch
from torch import Tensor

from .calling import finite_with_slope, slope_of
from .tasks import EXTREMES, Arguments, Function, Property, Task, WrongAnswer


def gce(z: Tensor, y: Tensor, q: float) -> Tensor:
    log_p = torch.log_softmax(z, dim=-1).gather(-1, y[:, None]).squeeze(-1)
    if q == 0:
        return -log_p
    return -torch.expm1(q * log_p) / q


def _batch(classes: int, q: float, *, seed: int, scale: float = 2.0) -> Arguments:
    draw = torch.Generator().manual_seed(seed)
    z = scale * torch.randn(6, classes, generator=draw, dtype=torch.float64)
    return z, torch.randint(classes, (6,), generator=draw), q


def _far(gap: float, q: float) -> Arguments:
    """The label once far below the other logits and once far above them."""
    z = torch.tensor([[-gap, 0.0, 1.0], [gap, 0.0, 1.0], [1.0, 0.5, -gap]], dtype=torch.float64)
    return z, torch.tensor([0, 0, 1]), q


_INPUTS = {
    "q = 0.7": [_batch(4, 0.7, seed=seed) for seed in range(4)],
    "other q": [_batch(classes, q, seed=7) for classes in (2, 100) for q in (0.1, 0.3, 1.0)],
    "q = 0": [_batch(4, 0.0, seed=8), _batch(100, 0.0, seed=9)],
    EXTREMES: [_far(gap, q) for gap in (40.0, 1e4) for q in (0.0, 1e-4, 0.7, 1.0)],
}


def _probability(z: Tensor, y: Tensor) -> Tensor:
    return z.softmax(-1).gather(-1, y[:, None]).squeeze(-1)


def _as_written(p: Tensor, q: float) -> Tensor:
    return (1 - p**q) / q


_MISTAKES = (
    WrongAnswer(
        "0/0 at q = 0",
        lambda z, y, q: gce(z, y, q) if q else _as_written(_probability(z, y), q),
        "At q = 0 you divide 0 by 0. The page wants the limit from (a) there.",
    ),
    WrongAnswer(
        "1/q lost",
        lambda z, y, q: q * gce(z, y, q),
        "You are off by the factor q. What is left of your loss as q falls to 0?",
    ),
    WrongAnswer(
        "cross-entropy for every q",
        lambda z, y, q: gce(z, y, 0.0),
        "This is cross-entropy, whatever q is. It is only the limit at q = 0.",
    ),
    WrongAnswer(
        "sign",
        lambda z, y, q: -gce(z, y, q),
        "Check the sign: a loss is a cost, 0 where the label has probability 1 and positive elsewhere.",
    ),
    WrongAnswer(
        "power of what is missing",
        lambda z, y, q: (1 - _probability(z, y)) ** q / (q or 1),
        "You raise 1 − p to the power q. Here the power acts on p itself, and the 1 stands outside.",
    ),
    WrongAnswer(
        "cross-entropy weighted by the power",
        lambda z, y, q: _probability(z, y) ** q * gce(z, y, 0.0),
        "You multiply cross-entropy by p^q. It is the gradient that p^q damps, not the loss: weigh the one, and the "
        "gradient of the weight comes in as well.",
    ),
    WrongAnswer(
        "cross-entropy under a frozen weight",
        lambda z, y, q: _probability(z, y).detach() ** q * gce(z, y, 0.0),
        "Your gradient is the right one, but the value is that of another function. Which function has this gradient "
        "without a detach?",
    ),
    WrongAnswer(
        "the likeliest class in place of the label",
        lambda z, y, q: gce(z, z.argmax(-1), q),
        "You take the largest probability. Which one does the label y point at?",
    ),
    WrongAnswer(
        "sum over the classes",
        lambda z, y, q: sum(gce(z, torch.full_like(y, k), q) for k in range(z.shape[-1])),
        "You add over all classes. Only the probability of the label enters.",
    ),
    WrongAnswer(
        "sigmoid in place of softmax",
        lambda z, y, q: _as_written(z.sigmoid().gather(-1, y[:, None]).squeeze(-1), q),
        "You use a sigmoid. The probabilities of the K classes must add to 1 in each row.",
    ),
    WrongAnswer(
        "logits taken for probabilities",
        lambda z, y, q: _as_written(z.gather(-1, y[:, None]).squeeze(-1), q),
        "z holds logits, any real numbers. Which function makes them probabilities?",
    ),
)


def _some(function: Function, q: float) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Logits, their gradient and the labels, for a few batches."""
    found = []
    for seed in (21, 22):
        z, y, _ = _batch(5, q, seed=seed)
        found.append((z, slope_of(function, z, y, q), y))
    return found


def _finite_far_out(function: Function) -> bool:
    return finite_with_slope(function, _INPUTS[EXTREMES])


def _starts_at_cross_entropy(function: Function) -> bool:
    """Within q (ln p)²/2 of it, which no rounding may exceed by much."""
    for q in (1e-12, 1e-8, 1e-4):
        z, y, _ = _batch(6, q, seed=23)
        surprisal = function(z, y, 0.0)
        if ((function(z, y, q) - surprisal).abs() > q * surprisal**2 / 2 + 1e-9).any():
            return False
    return True


def _reaches_its_bound(function: Function) -> bool:
    """A label that the network rules out costs 1/q, no more and no less."""
    z, y, _ = _far(1e4, 1.0)
    return all(abs(function(z, y, q)[0].item() * q - 1) < 1e-9 for q in (0.3, 0.7, 1.0))


def _ignores_a_shift(function: Function) -> bool:
    z, y, q = _batch(5, 0.7, seed=24)
    return torch.allclose(function(z, y, q), function(z + 300.0, y, q), rtol=1e-9)


def _falls_with_the_label(function: Function) -> bool:
    score = torch.linspace(-8, 8, 81, dtype=torch.float64)
    z, y = torch.stack([score, torch.zeros_like(score)], -1), torch.zeros(81, dtype=torch.long)
    return all(bool((function(z, y, q).diff() < 0).all()) for q in (0.0, 0.3, 1.0))


def _pulls_add_to_zero(function: Function) -> bool:
    return all(slope.sum(-1).abs().max() < 1e-12 for q in (0.3, 1.0) for _, slope, _ in _some(function, q))


def _by_log_softmax(z: Tensor, y: Tensor, q: float) -> Tensor:
    log_p = torch.log_softmax(z, -1).gather(-1, y[:, None]).squeeze(-1)
    return (1 - torch.exp(q * log_p)) / q if q else -log_p


GCE = Task(
    id="gce.gce",
    title="the function gce",
    reference=gce,
    inputs=_INPUTS,
    slopes_in=("z",),
    absolute=1e-12,
    wrong_answers=_MISTAKES,
    properties=(
        Property(
            "ignores a common shift",
            _ignores_a_shift,
            "Add 300 to every logit: the softmax must not notice, and yours does. An exponential of a logit by itself "
            "overflows; torch has a softmax that does not.",
            nearly=lambda z, y, q: gce(z, y, q) + 1e-4 * z[:, 0].clamp(min=50),
        ),
        Property(
            "finite, with its gradient, at ±10⁴",
            _finite_far_out,
            "At logits of ±10⁴ your loss or its gradient is NaN or infinite. The probability of the label is rounded to 0 "
            "there, and the power of 0 has an infinite slope. Compute with ln p as far as you can: torch has a "
            "log_softmax.",
            nearly=lambda z, y, q: _as_written(_probability(z, y), q) if q else gce(z, y, q),
        ),
        Property(
            "1/q for a label that is ruled out",
            _reaches_its_bound,
            "A label that the network rules out must cost 1/q, no more and no less. Is a probability clipped?",
            nearly=lambda z, y, q: (
                (1 - (q * gce(z, y, 0.0).neg().clamp(min=-16.0)).exp()) / q if q else gce(z, y, q)
            ),
        ),
        Property(
            "starts at cross-entropy",
            _starts_at_cross_entropy,
            "For a tiny q your loss strays from cross-entropy: 1 − p^q subtracts two numbers that agree in nearly all "
            "their digits. torch.expm1 computes e^x − 1 without that loss.",
            nearly=_by_log_softmax,
        ),
        Property(
            "falls as the label gains probability",
            _falls_with_the_label,
            "Your loss does not fall all the way as the probability of the label rises.",
            nearly=lambda z, y, q: gce(z, y, q) + ((z[:, 0] - 2).abs() < 1e-6),
        ),
        Property(
            "pulls add to 0",
            _pulls_add_to_zero,
            "The gradients in the logits of one sample must add to 0: a common shift changes nothing.",
            nearly=lambda z, y, q: gce(z, y, q) + 1e-9 * (z - z.detach())[:, 0],
        ),
    ),
    explanation=(
        "Work with $\\ln p_j$, which `log_softmax` gives without overflow. Then $p_j^q=e^{q\\ln p_j}$, and `expm1` "
        "computes $e^x-1$ without losing digits where $x$ is small. At $q=0$ the quotient is $0/0$, so the limit is "
        "written out. The book's own function is `losscore.generalized_cross_entropy`; it takes more kinds of targets "
        "and has the gradient in closed form."
    ),
)
