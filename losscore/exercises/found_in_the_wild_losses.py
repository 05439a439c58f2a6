"""The two losses to mend in the exercise on mistakes found in the wild."""

from __future__ import annotations

import torch
from torch import Tensor

from ..symbolic import mistakes
from .tasks import EXTREMES, Arguments, Function, Property, Task, WrongAnswer

_SHAPES = ((6,), (4, 3), (2, 3, 2))


def binary_cross_entropy(z: Tensor, y: Tensor) -> Tensor:
    return (torch.nn.functional.softplus(z) - y * z).mean()


def _numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _labelled(*shape: int, seed: int, soft: bool = False, dtype: torch.dtype = torch.float64) -> Arguments:
    """Logits and labels, in both directions of every logit's sign."""
    draw = torch.Generator().manual_seed(seed)
    z = 2 * torch.randn(*shape, generator=draw, dtype=torch.float64)
    y = torch.rand(*shape, generator=draw, dtype=torch.float64)
    return z.to(dtype), (y if soft else y.round()).to(dtype)


_PLAIN = {
    "labels 0 and 1": [_labelled(*shape, seed=seed) for seed, shape in enumerate(_SHAPES)],
    "labels in between": [_labelled(*shape, seed=seed, soft=True) for seed, shape in enumerate(_SHAPES, 3)],
    EXTREMES: [
        (_numbers(-1e4, 1e4), _numbers(1.0, 0.0)),
        (_numbers(1e4, -1e4), _numbers(1.0, 0.0)),
        (_numbers(-800.0, 40.0, -40.0), _numbers(1.0, 0.0, 1.0)),
        (_numbers(1e4, -1e4), _numbers(0.3, 0.3)),
        (_numbers(0.0), _numbers(1.0)),
    ],
    "single precision": [_labelled(4, 3, seed=seed, soft=True, dtype=torch.float32) for seed in (6, 7)],
}


def _textbook(p: Tensor, y: Tensor) -> Tensor:
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


def _chosen(label_one: Tensor, label_zero: Tensor, y: Tensor) -> Tensor:
    return -torch.where(y == 1, label_one, label_zero).log().mean()


def _clipped(z: Tensor, y: Tensor, room: float) -> Tensor:
    return _textbook(z.sigmoid().clamp(room, 1 - room), y)


def _grows_with_the_logit(function: Function) -> bool:
    return bool(function(_numbers(-1e4, 1e4), _numbers(1.0, 0.0)) > 9999)


def _mirrors(function: Function) -> bool:
    cases = [_labelled(5, seed=seed, soft=True) for seed in (21, 22)]
    return all(torch.isclose(function(z, y), function(-z, 1 - y), rtol=1e-9) for z, y in cases)


BINARY_CROSS_ENTROPY = Task(
    id="found-in-the-wild.binary_cross_entropy",
    title="mend 1, the swapped branches",
    reference=binary_cross_entropy,
    inputs=_PLAIN,
    slopes_in=("z",),
    tolerance=1e-5,
    absolute=1e-7,
    wrong_answers=(
        WrongAnswer(
            "as found",
            lambda z, y: _chosen(1 - z.sigmoid(), z.sigmoid(), y),
            "This does what the function as found does. Try one logit of 3 with the label 1: should a right and confident "
            "prediction cost 0.05 or 3.05?",
        ),
        WrongAnswer(
            "branches put right, labels in between not",
            lambda z, y: _chosen(z.sigmoid(), 1 - z.sigmoid(), y),
            "The branches stand right now. But a label of 0.9 is treated as a 0: the comparison knows two cases, and a "
            "smoothed label is neither.",
        ),
        WrongAnswer(
            "labels rounded",
            lambda z, y: binary_cross_entropy(z, y.round()),
            "You round the labels. A label of 0.7 asks for the probability 0.7, not for a 1.",
        ),
        WrongAnswer(
            "sum in place of the mean",
            lambda z, y: binary_cross_entropy(z, y) * z.numel(),
            "You add where the mean over all entries is asked for.",
        ),
        WrongAnswer(
            "sign",
            lambda z, y: -binary_cross_entropy(z, y),
            "Check the sign: a probability is below 1, and its logarithm below 0.",
        ),
        WrongAnswer(
            "sigmoid twice",
            lambda z, y: binary_cross_entropy(z.sigmoid(), y),
            "A sigmoid is applied twice. Does your stable form take the logit or the probability?",
        ),
        WrongAnswer(
            "logits taken for probabilities",
            _textbook,
            "You take the logarithm of a logit, which may be negative. Which function makes it a probability?",
        ),
        WrongAnswer(
            "only the label 1",
            lambda z, y: (y * torch.nn.functional.softplus(-z)).mean(),
            "The label 0 costs you nothing, whatever the logit. Which term is missing?",
        ),
        WrongAnswer(
            "labels ±1",
            lambda z, y: torch.nn.functional.softplus(-y * z).mean(),
            "This is the form for labels −1 and +1. With the label 0 it gives ln 2, whatever the logit.",
        ),
        WrongAnswer(
            "squared error",
            lambda z, y: ((z.sigmoid() - y) ** 2).mean(),
            "This is the squared error of the probability: another loss, without a logarithm.",
        ),
        WrongAnswer(
            "the logarithm of a sigmoid",
            lambda z, y: _textbook(z.sigmoid(), y),
            "Right in the middle, but far out the sigmoid rounds to 0 or 1, and its logarithm is infinite or meets a 0. "
            "Write both logarithms in z before you compute anything.",
        ),
    ),
    properties=(
        Property(
            "grows with the logit",
            _grows_with_the_logit,
            "A logit that is wrong by 10,000 must cost 10,000. Do you clip the probability? That also kills the gradient "
            "where it is needed most.",
            nearly=lambda z, y: _clipped(z, y, 1e-12),
        ),
        Property(
            "mirrors",
            _mirrors,
            "Which of the two outcomes is called 1 must not matter: the loss of (z, y) is that of (−z, 1 − y).",
            nearly=lambda z, y: binary_cross_entropy(z, y) + (1e-3 * z.mean() if z.numel() == 5 else 0.0),
        ),
    ),
    explanation=(
        "Choose the branch by the label and the found function is mended for labels 0 and 1, in the middle of the range. "
        "Right everywhere it is as $\\mathrm{softplus}(z)-yz$: by the proof $-\\ln\\sigma(z)$ and $-\\ln(1-\\sigma(z))$ "
        "differ by $z$, so the loss of any $y$ between 0 and 1 is linear in $y$. The library's own is "
        "`losscore.binary_cross_entropy`."
    ),
    proofs=(mistakes.swapped_branches_reward_the_wrong_label,),
)


def smoothed_loss(z: Tensor, y: Tensor, eps: float) -> Tensor:
    target = (1 - eps) * y + eps / y.shape[-1]
    return (torch.nn.functional.softplus(z) - target * z).mean()


def _marked(
    rows: int, classes: int, eps: float, *, seed: int, dtype: torch.dtype = torch.float64
) -> Arguments:
    """Logits, and labels that mark one or several classes of each row."""
    draw = torch.Generator().manual_seed(seed)
    z = 2 * torch.randn(rows, classes, generator=draw, dtype=torch.float64)
    y = (torch.rand(rows, classes, generator=draw, dtype=torch.float64) < 0.3).double()
    y[torch.arange(rows), torch.randint(classes, (rows,), generator=draw)] = 1.0
    return z.to(dtype), y.to(dtype), eps


def _far(gap: float, eps: float) -> Arguments:
    z = torch.tensor([[-gap, gap, 0.0], [gap, -gap, gap]], dtype=torch.float64)
    return z, torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 1.0]], dtype=torch.float64), eps


_SMOOTHED = {
    "few classes": [_marked(5, classes, 0.1, seed=classes) for classes in (2, 3, 4)],
    "other sizes": [
        _marked(3, 10, 0.1, seed=11),
        _marked(2, 200, 0.3, seed=12),
        _marked(6, 5, 0.02, seed=13),
    ],
    EXTREMES: [_far(gap, eps) for gap in (40.0, 1e4) for eps in (0.0, 0.1, 1.0)],
    "single precision": [_marked(4, 3, 0.2, seed=14, dtype=torch.float32)],
}


def _against(z: Tensor, target: Tensor) -> Tensor:
    return (torch.nn.functional.softplus(z) - target * z).mean()


def _mixed_forecast(z: Tensor, y: Tensor, eps: float) -> Tensor:
    return _textbook((1 - eps) * z.sigmoid() + eps / z.shape[-1], y)


def _row_by_row(function: Function) -> bool:
    for seed in (31, 32):
        z, y, eps = _marked(7, 3, 0.1, seed=seed)
        alone = torch.stack([function(z[i : i + 1], y[i : i + 1], eps) for i in range(len(z))])
        if not torch.isclose(function(z, y, eps), alone.mean(), rtol=1e-9):
            return False
    return True


def _grows_when_smoothed(function: Function) -> bool:
    z, y, _ = _far(1e4, 0.0)
    return bool(function(-z, y, 0.1) > 1000)


SMOOTHED_LOSS = Task(
    id="found-in-the-wild.smoothed_loss",
    title="mend 2, the lost ε",
    reference=smoothed_loss,
    inputs=_SMOOTHED,
    slopes_in=("z",),
    tolerance=1e-5,
    absolute=1e-7,
    wrong_answers=(
        WrongAnswer(
            "as found",
            lambda z, y, eps: _against(z, (1 - eps) * y + 1 / y.shape[-1]),
            "This does what the function as found does. What do the targets of a row with one label add up to? A mixture "
            "of two distributions must keep the total.",
        ),
        WrongAnswer(
            "share of the label taken twice",
            lambda z, y, eps: _against(z, (1 - eps / y.shape[-1]) * y + eps / y.shape[-1]),
            "What the others get is added, but less than that is taken from the label: its target stays at 1. This one "
            "was found in the wild as well.",
        ),
        WrongAnswer(
            "shared among the others only",
            lambda z, y, eps: _against(z, torch.where(y == 1, 1 - eps, eps / (y.shape[-1] - 1))),
            "You leave the label 1 − ε and share ε among the other classes. That is another convention. Here the label is "
            "mixed with the uniform distribution, which gives the label a share too.",
        ),
        WrongAnswer(
            "the label without a share",
            lambda z, y, eps: _against(z, torch.where(y == 1, 1 - eps, eps / y.shape[-1])),
            "You leave a label 1 − ε and give ε/K to the other classes. The uniform distribution has a share for the label "
            "too.",
        ),
        WrongAnswer(
            "two outcomes",
            lambda z, y, eps: _against(z, (1 - eps) * y + eps / 2),
            "You give each class ε/2, as if it were smoothed by itself, between yes and no. Here the K classes of a row "
            "share ε.",
        ),
        WrongAnswer(
            "K − 1 in the mixture",
            lambda z, y, eps: _against(z, (1 - eps) * y + eps / (y.shape[-1] - 1)),
            "You divide by K − 1, but every class gets a share, the label included. How many are they?",
        ),
        WrongAnswer(
            "nothing for the others",
            lambda z, y, eps: _against(z, (1 - eps) * y),
            "You take ε from the labels and give it to nobody.",
        ),
        WrongAnswer(
            "divided by the size of the batch",
            lambda z, y, eps: _against(z, (1 - eps) * y + eps / len(y)),
            "Your target depends on how many rows there are. Which dimension holds the classes?",
        ),
        WrongAnswer(
            "the mixture turned round",
            lambda z, y, eps: _against(z, eps * y + (1 - eps) / y.shape[-1]),
            "You keep ε of the label. With ε = 0.1 hardly anything of it is left.",
        ),
        WrongAnswer(
            "no smoothing",
            lambda z, y, eps: _against(z, y),
            "Here ε changes nothing. Where does it enter the target?",
        ),
        WrongAnswer(
            "the forecast smoothed",
            _mixed_forecast,
            "You mix the forecast with the uniform distribution, not the label. That is the likelihood of a label that was "
            "replaced at random: at its minimum the forecast is sure again. Smoothing wants it unsure.",
        ),
        WrongAnswer(
            "sum in place of the mean",
            lambda z, y, eps: smoothed_loss(z, y, eps) * z.numel(),
            "You add where the mean over all entries of z is asked for.",
        ),
        WrongAnswer(
            "sum over the classes",
            lambda z, y, eps: smoothed_loss(z, y, eps) * z.shape[-1],
            "You add over the classes and average over the rows. The mean over all entries is asked for.",
        ),
        WrongAnswer(
            "softmax",
            lambda z, y, eps: -(((1 - eps) * y + eps / y.shape[-1]) * z.log_softmax(-1)).mean(),
            "You use a softmax. Several classes of a row may be right, so each has a sigmoid of its own.",
        ),
        WrongAnswer(
            "the logarithm of a sigmoid",
            lambda z, y, eps: _textbook(z.sigmoid(), (1 - eps) * y + eps / y.shape[-1]),
            "The targets are right. Far out the sigmoid rounds to 0 or 1: use your first mend, which takes logits.",
        ),
    ),
    properties=(
        Property(
            "grows when smoothed",
            _grows_when_smoothed,
            "At logits of ±10,000 the loss must be in the thousands. A clipped probability caps it, and kills the gradient.",
            nearly=lambda z, y, eps: _clipped(z, (1 - eps) * y + eps / y.shape[-1], 1e-12),
        ),
        Property(
            "row by row",
            _row_by_row,
            "The loss of a batch must be the mean of the losses of its rows: one row's target must not depend on another.",
            nearly=lambda z, y, eps: smoothed_loss(z, y, eps * (0.9 if len(z) == 7 else 1.0)),
        ),
    ),
    explanation=(
        "The uniform distribution gives each of $K$ classes $\\frac1K$, and the mixture takes $\\varepsilon$ of it. Then "
        "$\\sum_kt_k=(1-\\varepsilon)\\sum_ky_k+\\varepsilon$, no target exceeds 1, and each logit has its minimum at "
        "$\\sigma(z_k)=t_k$. The library's own is `losscore.smooth_labels`."
    ),
    proofs=(mistakes.targets_above_one_leave_no_minimum,),
)
