"""What is measured: the arguments of each loss at a size, and the rivals that compute the same number.

`TORCH` holds torch's own function, `NAIVE` the formula as it stands in textbooks, which is fast or slow as it comes and
wrong in the tails; `PEERS` what other installed packages have. Rivals that compute something else are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from losscore.catalogue import Entry

Arguments = dict[str, Tensor]
Rival = Callable[..., Tensor]

EMBEDDED = 128


def arguments(entry: Entry, rows: int, classes: int) -> tuple[Arguments, Arguments]:
    """Predictions and targets, about rows x classes numbers in all: the loss's own, by name."""
    torch.manual_seed(0)
    make = _KINDS[entry.input]
    predictions, targets = make(rows, classes)
    if entry.target in _TARGETS and not targets:
        targets = (_TARGETS[entry.target](rows, classes),)
    return (
        dict(zip((*entry.predicted, *_HELD.get(entry.input, ())), predictions)),
        dict(zip(entry.observed, targets)),
    )


def options(entry: Entry, classes: int) -> dict[str, Any]:
    """The first setting of the loss's parameters, with tables for as many classes."""
    chosen = dict(entry.examples[0])
    if "transition" in chosen:
        chosen["transition"] = 0.9 * torch.eye(classes) + 0.1 / classes
    return chosen


def _normal(*size: int) -> Tensor:
    return torch.randn(size)


def _sign(*size: int) -> Tensor:
    return torch.randn(size).sign()


def _labels(rows: int, classes: int) -> Tensor:
    return torch.randint(classes, (rows,))


_HELD = {"hidden": ("weight",)}
_TARGETS: dict[str, Callable[[int, int], Tensor]] = {
    "real": _normal,
    "sign": _sign,
    "probability": lambda n, c: torch.rand(n, c),
    "label": lambda n, c: torch.randint(2, (n, c)),
    "distribution": _labels,
    "class": _labels,
    "logits": _normal,
    "count": lambda n, c: torch.poisson(torch.full((n, c), 3.0)),
    "mask": lambda n, c: torch.randint(2, (n, c)),
}
_KINDS: dict[str, Callable[[int, int], tuple[tuple[Tensor, ...], tuple[Tensor, ...]]]] = {
    **{
        kind: lambda n, c: ((_normal(n, c),), ())
        for kind in ("real", "score", "logit", "logits", "scores", "log rate", "mask")
    },
    "probabilities": lambda n, c: ((_normal(n, c).softmax(1),), ()),
    "rewards": lambda n, c: ((_normal(n, c), _normal(n, c)), ()),
    "log-likelihoods": lambda n, c: (tuple(-_normal(n, c).abs() for _ in range(4)), ()),
    "points": lambda n, c: (tuple(_normal(n, c) for _ in range(3)), ()),
    "embeddings": lambda n, c: (
        (_normal(n // 8, EMBEDDED), _normal(n // 8, EMBEDDED)),
        (torch.arange(n // 8) // 2,),
    ),
    "location and log scale": lambda n, c: ((_normal(n, c), _normal(n, c)), ()),
    "location and scale": lambda n, c: ((_normal(n, c), _normal(n, c).exp()), ()),
    "mean and size": lambda n, c: ((_normal(n, c).exp(), _normal(n, c).exp()), ()),
    "mean, size and zero": lambda n, c: ((_normal(n, c).exp(), _normal(n, c).exp(), _normal(n, c)), ()),
    "ensemble": lambda n, c: ((_normal(n, c),), (_normal(n),)),
    "interval": lambda n, c: ((_normal(n, c), _normal(n, c) + 3), ()),
    "log hazards": lambda n, c: (
        (_normal(n * 8),),
        (_normal(n * 8).exp().round(decimals=2), torch.randint(2, (n * 8,))),
    ),
    "hidden": lambda n, c: ((_normal(n, EMBEDDED), _normal(c, EMBEDDED) / EMBEDDED**0.5), ()),
}


def _picked(p: Tensor, target: Tensor) -> Tensor:
    return p.gather(1, target.unsqueeze(1)).squeeze(1)


def _one_hot(p: Tensor, target: Tensor) -> Tensor:
    return F.one_hot(target, p.shape[1]).to(p.dtype)


def _pinball(input: Tensor, target: Tensor, quantile: float) -> Tensor:
    gap = target - input
    return torch.maximum(quantile * gap, (quantile - 1) * gap).mean()


def _huber(input: Tensor, target: Tensor, delta: float) -> Tensor:
    size = (input - target).abs()
    return torch.where(size <= delta, size**2 / 2, delta * (size - delta / 2)).mean()


def _tukey(input: Tensor, target: Tensor, cutoff: float) -> Tensor:
    part = ((input - target) / cutoff) ** 2
    return (cutoff**2 / 6 * (1 - (1 - part).clamp(min=0) ** 3)).mean()


def _expectile(input: Tensor, target: Tensor, level: float) -> Tensor:
    return ((level - (target < input).float()).abs() * (target - input) ** 2).mean()


def _asymmetric(input: Tensor, target: Tensor, underage: float, overage: float) -> Tensor:
    return (underage * (target - input).clamp(min=0) + overage * (input - target).clamp(min=0)).mean()


def _ranked(p: Tensor, target: Tensor) -> Tensor:
    return (p.cumsum(1) - _one_hot(p, target).cumsum(1)).square().sum(1).mean()


def _spherical(p: Tensor, target: Tensor) -> Tensor:
    return (1 - _picked(p, target) / p.norm(dim=1)).mean()


def _brier(p: Tensor, target: Tensor) -> Tensor:
    return (p - _one_hot(p, target)).square().sum(1).mean()


def _symmetric(input: Tensor, target: Tensor, alpha: float, beta: float, log_zero: float) -> Tensor:
    p = input.softmax(1)
    one_hot = _one_hot(p, target)
    logs = one_hot.log().clamp(min=log_zero)
    return alpha * -(one_hot * p.log()).sum(1).mean() + beta * -(p * logs).sum(1).mean()


def _generalized(input: Tensor, target: Tensor, q: float) -> Tensor:
    return ((1 - _picked(input.softmax(1), target) ** q) / q).mean()


def _focal(input: Tensor, target: Tensor, gamma: float, alpha: Any = None) -> Tensor:
    p = _picked(input.softmax(1), target)
    return ((1 - p) ** gamma * -p.log()).mean()


def _binary_focal(input: Tensor, target: Tensor, gamma: float, alpha: float | None = None) -> Tensor:
    p, y = input.sigmoid(), target.float()
    p_y = p * y + (1 - p) * (1 - y)
    factor = 1.0 if alpha is None else alpha * y + (1 - alpha) * (1 - y)
    return (factor * (1 - p_y) ** gamma * -p_y.log()).mean()


def _distillation(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    q, p = (teacher / temperature).softmax(1), (student / temperature).softmax(1)
    return temperature**2 * (q * (q.log() - p.log())).sum(1).mean()


def _crps_gaussian(mean: Tensor, target: Tensor, scale: Tensor) -> Tensor:
    z, law = (target - mean) / scale, torch.distributions.Normal(0.0, 1.0)
    return (scale * (z * (2 * law.cdf(z) - 1) + 2 * law.log_prob(z).exp() - torch.pi**-0.5)).mean()


def _gaussian(input: Tensor, target: Tensor, log_scale: Tensor) -> Tensor:
    return -torch.distributions.Normal(input, log_scale.exp(), validate_args=False).log_prob(target).mean()


def _poisson(log_rate: Tensor, target: Tensor) -> Tensor:
    return -torch.distributions.Poisson(log_rate.exp(), validate_args=False).log_prob(target).mean()


def _interval(lower: Tensor, upper: Tensor, target: Tensor, alpha: float) -> Tensor:
    return (
        upper
        - lower
        + 2 / alpha * (lower - target) * (target < lower)
        + 2 / alpha * (target - upper) * (target > upper)
    ).mean()


def _tversky(
    input: Tensor, target: Tensor, alpha: float = 0.5, beta: float = 0.5, smooth: float = 0.0
) -> Tensor:
    p, y = input.sigmoid().flatten(1), target.flatten(1).float()
    both = (p * y).sum(1)
    missed = alpha * (p * (1 - y)).sum(1) + beta * ((1 - p) * y).sum(1)
    return (1 - (both + smooth) / (both + missed + smooth)).mean()


def _info_nce(query: Tensor, key: Tensor, temperature: float) -> Tensor:
    likeness = (F.normalize(query) @ F.normalize(key).T / temperature).exp()
    return -(likeness.diagonal() / likeness.sum(1)).log().mean()


def _dpo(
    policy_chosen: Tensor,
    policy_rejected: Tensor,
    reference_chosen: Tensor,
    reference_rejected: Tensor,
    beta: float,
    label_smoothing: float,
) -> Tensor:
    h = beta * (policy_chosen - policy_rejected - reference_chosen + reference_rejected)
    return -((1 - label_smoothing) * h.sigmoid().log() + label_smoothing * (-h).sigmoid().log()).mean()


def _corrected(input: Tensor, target: Tensor, transition: Tensor) -> Tensor:
    return -_picked(input.softmax(1) @ transition, target).log().mean()


NAIVE: dict[str, Rival] = {
    "squared_error": lambda input, target: ((input - target) ** 2).mean(),
    "half_squared_error": lambda input, target: ((input - target) ** 2 / 2).mean(),
    "absolute_error": lambda input, target: (input - target).abs().mean(),
    "huber": _huber,
    "tukey": _tukey,
    "log_cosh": lambda input, target: (input - target).cosh().log().mean(),
    "pinball": _pinball,
    "asymmetric_linear": _asymmetric,
    "expectile": _expectile,
    "cross_entropy": lambda input, target: -_picked(input.softmax(1), target).log().mean(),
    "binary_cross_entropy": lambda input, target: (
        -(target * input.sigmoid().log() + (1 - target) * (1 - input.sigmoid()).log()).mean()
    ),
    "brier": lambda input, target: _brier(input.softmax(1), target),
    "binary_brier": lambda input, target: (input.sigmoid() - target).square().mean(),
    "spherical": lambda input, target: _spherical(input.softmax(1), target),
    "ranked_probability": lambda input, target: _ranked(input.softmax(1), target),
    "log_score": lambda probs, target: -_picked(probs, target).log().mean(),
    "brier_score": lambda probs, target: _brier(probs, target),
    "spherical_score": lambda probs, target: _spherical(probs, target),
    "ranked_probability_score": lambda probs, target: _ranked(probs, target),
    "zero_one": lambda input, target: (
        (torch.where(input >= 0, 1, -1) != target).float().mean() + 0 * input.sum()
    ),
    "hinge": lambda input, target: (1 - target * input).clamp(min=0).mean(),
    "squared_hinge": lambda input, target: (1 - target * input).clamp(min=0).square().mean(),
    "logistic": lambda input, target: (1 + (-target * input).exp()).log().mean(),
    "exponential": lambda input, target: (-target * input).exp().mean(),
    "one_vs_all_hinge": lambda input, target: (
        (1 - (2 * _one_hot(input, target) - 1) * input).clamp(min=0).sum(1).mean()
    ),
    "crammer_singer": lambda input, target: (
        (input + 1 - _one_hot(input, target)).amax(1) - _picked(input, target)
    ).mean(),
    "weston_watkins": lambda input, target: (
        (1 + input - _picked(input, target).unsqueeze(1)).clamp(min=0).sum(1) - 1
    ).mean(),
    "generalized_cross_entropy": _generalized,
    "absolute_probability_error": lambda input, target: (
        (input.softmax(1) - _one_hot(input, target)).abs().sum(1).mean()
    ),
    "symmetric_cross_entropy": _symmetric,
    "forward_corrected_cross_entropy": _corrected,
    "distillation": _distillation,
    "focal": _focal,
    "binary_focal": _binary_focal,
    "dice": _tversky,
    "tversky": _tversky,
    "gaussian_nll": _gaussian,
    "poisson_nll": _poisson,
    "crps_gaussian": _crps_gaussian,
    "interval_score": _interval,
    "info_nce": _info_nce,
    "triplet": lambda anchor, positive, negative, margin: (
        ((anchor - positive).norm(dim=1) - (anchor - negative).norm(dim=1) + margin).clamp(min=0).mean()
    ),
    "bradley_terry": lambda chosen, rejected: -(chosen - rejected).sigmoid().log().mean(),
    "dpo": _dpo,
    "linear_cross_entropy": lambda hidden, weight, target: F.cross_entropy(hidden @ weight.T, target),
}
TORCH: dict[str, Rival] = {
    "squared_error": F.mse_loss,
    "absolute_error": F.l1_loss,
    "huber": F.huber_loss,
    "cross_entropy": F.cross_entropy,
    "binary_cross_entropy": F.binary_cross_entropy_with_logits,
    "logistic": F.soft_margin_loss,
    "weston_watkins": lambda input, target: input.shape[1] * F.multi_margin_loss(input, target),
    "distillation": lambda student, teacher, temperature: (
        temperature**2
        * F.kl_div(
            (student / temperature).log_softmax(1),
            (teacher / temperature).log_softmax(1),
            reduction="batchmean",
            log_target=True,
        )
    ),
    "gaussian_nll": lambda input, target, log_scale: F.gaussian_nll_loss(
        input, target, (2 * log_scale).exp(), full=True
    ),
    "triplet": F.triplet_margin_loss,
    "linear_cross_entropy": lambda hidden, weight, target: F.cross_entropy(F.linear(hidden, weight), target),
}


def peers(name: str) -> dict[str, Rival]:
    """The same loss from other packages, where they are installed."""
    found: dict[str, Rival] = {}
    if name == "binary_focal" and find_spec("torchvision"):
        from torchvision.ops import sigmoid_focal_loss  # type: ignore[import-not-found, unused-ignore]

        def torchvision(input: Tensor, target: Tensor, gamma: float, alpha: float) -> Tensor:
            loss: Tensor = sigmoid_focal_loss(
                input, target.float(), alpha=alpha, gamma=gamma, reduction="mean"
            )
            return loss

        found["torchvision"] = torchvision
    if name in ("focal", "binary_focal") and find_spec("kornia"):
        from kornia import losses  # type: ignore[import-not-found, unused-ignore]

        if name == "focal":
            found["kornia"] = lambda input, target, gamma, alpha: (
                losses.focal_loss(input, target, alpha=alpha, gamma=gamma, reduction="none").sum()
                / len(target)
            )
        else:
            found["kornia"] = lambda input, target, gamma, alpha: losses.binary_focal_loss_with_logits(
                input, target, alpha=alpha, gamma=gamma, reduction="mean"
            )
    return found
