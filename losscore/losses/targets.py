"""Targets that are made, not observed: smoothed labels, and the outputs of a teacher.

The class dimension is 1, or 0 for a single unbatched sample; any dimensions may follow it.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ._classes import class_dim
from ._tensors import Reduction, aligned, check_labels, check_number, positive, reduce, working_dtype

_SERIES = [1 / math.factorial(n) for n in range(2, 16)]
_SERIES_REACH = 0.5


def smooth_labels(target: Tensor, num_classes: int, *, smoothing: float) -> Tensor:
    r"""Smoothed labels, (1 - e) q + e / C, with q one-hot for a class index: a target for the losses of classes.

    Domain: class indices, or probabilities; e in [0, 1]. The minimiser of a strictly proper loss on this target is
    (1 - e) times the true distribution plus e / C: less certain than the truth, with the same order of the classes.

    Conventions: `cross_entropy(input, smooth_labels(y, C, smoothing=e))` is
    `cross_entropy(input, y, label_smoothing=e)`. Class indices are checked on the CPU, and taken on trust on an
    accelerator, under `torch.compile` and under `torch.func`.

    Shape: class indices () or (N, d1, ...) give (C,) or (N, C, d1, ...) in torch's default dtype; probabilities keep
    their shape and dtype.

    Raises:
        ValueError: `num_classes` isn't at least 1 or isn't the number of probabilities, a class index lies outside of
            [0, C), or `smoothing` outside of [0, 1].
        TypeError: `target` isn't a real tensor, `num_classes` isn't an integer, or `smoothing` isn't a number.

    Example:
        >>> smooth_labels(torch.tensor([0, 2]), 4, smoothing=0.2)
        tensor([[0.8500, 0.0500, 0.0500, 0.0500],
                [0.0500, 0.0500, 0.8500, 0.0500]])

    References: Szegedy et al. (2016), Rethinking the inception architecture for computer vision; Müller, Kornblith &
    Hinton (2019), When does label smoothing help?
    """
    smoothing = check_number("smoothing", smoothing, "a number in [0, 1]", lambda x: 0 <= x <= 1)
    classes = _check_classes(num_classes)
    if not isinstance(target, Tensor):
        raise TypeError(f"target: expected a torch.Tensor, got {type(target).__name__}")
    if target.is_complex():
        raise TypeError(f"target: expected real numbers, got {target.dtype}")
    share = smoothing / classes
    if target.is_floating_point():
        if target.dim() == 0 or target.shape[class_dim(target)] != classes:
            raise ValueError(
                f"target: expected {classes} probabilities in dimension 1, got size {target.shape}; class indices "
                f"need an integer dtype"
            )
        return ((1 - smoothing) * target.to(working_dtype(target.dtype)) + share).to(target.dtype)
    labels = target.to(torch.int64)
    check_labels(labels, f"class indices in [0, {classes})", lambda k: (k >= 0) & (k < classes))
    each = torch.arange(classes, device=target.device).reshape(-1, *(1 for _ in target.shape[1:]))
    own = labels.unsqueeze(min(target.dim(), 1)) == each
    certain = torch.full((), 1 - smoothing + share, dtype=torch.get_default_dtype(), device=target.device)
    return torch.where(own, certain, share)


def distillation(
    student: Tensor, teacher: Tensor, *, temperature: float = 1.0, reduction: Reduction = "mean"
) -> Tensor:
    r"""Distillation, T^2 KL(softmax(teacher / T) || softmax(student / T)).

    Domain: all real logits, and -inf for a class that can't occur; T > 0. Its minimiser is the teacher's own logits,
    up to a constant: the student learns what the teacher says, its errors included. The factor T^2 keeps the size of
    the gradient as T grows; T times the difference of the probabilities is the gradient in the student.

    Conventions: natural logarithm; the divergence of the whole distribution, not divided by C ("batchmean" of
    `torch.nn.functional.kl_div`). Differentiable in both arguments; detach the teacher to train the student alone.
    Exact where the student comes close to its teacher, where the sum of q log(q / p) cancels: equal logits cost 0. A
    class that the teacher excludes by -inf adds nothing of its own. "mean" divides by the number of samples.

    Shape: both (C,), (N, C) or (N, C, d1, ...) of one shape; the result () or, under "none", that shape without C.

    Raises:
        ValueError: the shapes differ or have no class dimension, `temperature` isn't a finite number > 0, or
            `reduction` is unknown.
        TypeError: `student` isn't a floating-point tensor, `teacher` isn't a real one, or `temperature` isn't a
            number.

    Example:
        >>> distillation(torch.tensor([[1e-4, 0.0]]), torch.tensor([[0.0, 0.0]]))
        tensor(1.2500e-09)

    References: Buciluǎ, Caruana & Niculescu-Mizil (2006), Model compression; Hinton, Vinyals & Dean (2015),
    Distilling the knowledge in a neural network.
    """
    temperature = positive("temperature", temperature)
    (student, teacher), dtype = aligned(student=student, teacher=teacher)
    if student.dim() == 0 or student.shape[class_dim(student)] == 0:
        raise ValueError(
            f"student: expected logits with at least one class in dimension 1, got size {student.shape}"
        )
    dim = class_dim(student)
    losses = temperature**2 * _divergence(teacher.movedim(dim, -1), student.movedim(dim, -1), temperature)
    return reduce(losses, reduction, dtype)


def _check_classes(num_classes: Any) -> int:
    if isinstance(num_classes, bool) or not isinstance(num_classes, int):
        raise TypeError(f"num_classes: expected an integer >= 1, got {type(num_classes).__name__}")
    if num_classes < 1:
        raise ValueError(f"num_classes: expected an integer >= 1, got {num_classes}")
    return num_classes


def _divergence(teacher: Tensor, student: Tensor, temperature: float) -> Tensor:
    """KL(q || p) as the sum of q (exp(u) - 1 - u) with u = log(p / q): terms that are never negative."""
    q, p = (teacher / temperature).softmax(-1), (student / temperature).softmax(-1)
    possible = teacher != -torch.inf
    ratio = _log_ratio(teacher, student, temperature, q, possible)
    near = possible & (ratio.abs() < _SERIES_REACH)
    return torch.where(near, q * _exp_beyond_linear(torch.where(near, ratio, 0)), p - q - q * ratio).sum(-1)


def _log_ratio(teacher: Tensor, student: Tensor, temperature: float, q: Tensor, possible: Tensor) -> Tensor:
    """log(p / q) for the possible classes, 0 for others.

    Unless the student prefers another class than the teacher by far, it is e - log sum q exp(e), with e how far the
    student's logits are from the teacher's, measured from the teacher's first class: differences of nearly equal
    numbers, taken before anything is rounded.
    """
    first = teacher.argmax(-1, keepdim=True)
    gap = (student - student.gather(-1, first)) / temperature
    apart = torch.where(possible, student, 0) - torch.where(possible, teacher, 0)
    apart = (apart - apart.gather(-1, first)) / temperature
    agreed = gap.amax(-1, keepdim=True) <= 1
    near = possible & (apart.abs() < 1)
    moved = (torch.where(agreed, gap, 0)).exp() * q.gather(-1, first) - q
    change = torch.where(near, q * torch.where(near, apart, 0).expm1(), moved).sum(-1, keepdim=True)
    by_difference = apart - torch.where(agreed, change, 0).log1p()
    by_logarithms = (student / temperature).log_softmax(-1) - (teacher / temperature).log_softmax(-1)
    return torch.where(possible, torch.where(agreed, by_difference, by_logarithms), 0)


def _exp_beyond_linear(x: Tensor) -> Tensor:
    """exp(x) - 1 - x for abs(x) < 1/2, by its series."""
    total = torch.full_like(x, _SERIES[-1])
    for coefficient in reversed(_SERIES[:-1]):
        total = total * x + coefficient
    return total * x.square()
