"""Losses of logits for labels that may be wrong: bounded ones, and one that knows how labels go wrong.

The class dimension of several logits is 1, or 0 for a single unbatched sample; any dimensions may follow it. A target
of an integer dtype holds class indices, one of a floating-point dtype the probabilities of the classes: these are
taken as they are, and the losses are differentiable in them too. Class indices are checked on the CPU, and taken on
trust on an accelerator, under `torch.compile` and under `torch.func`. A row that holds NaN or +inf, or nothing but
-inf, gives NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ._classes import classed
from ._softmax import at_labels, expected, is_labels, mean_under_softmax, missed, of_surprisal, residual
from ._tensors import Reduction, check_companion, check_number, readable, reduce

_ROUNDING = 1e-4

# e to this power times a probability is finite in float32
_STEEPEST = 85.0


def generalized_cross_entropy(
    input: Tensor, target: Tensor, *, q: float = 0.7, reduction: Reduction = "mean"
) -> Tensor:
    r"""Generalised cross-entropy, (1 - p_y^q) / q, with p = softmax(z).

    Domain: all real logits z, and -inf for a class that can't occur. Its minimiser is the logits whose softmax is
    proportional to the true probabilities to the power 1 / (1 - q): it isn't proper for q > 0, but the most probable
    class stays the most probable. At q = 1 all probability goes to that class. Not convex in the logits.

    Conventions: q = 0 is the limit, cross-entropy, and q = 1 half of `absolute_probability_error`; for q > 0 the loss
    is at most 1 / q, which bounds what a wrong label can cost. For a soft target it is the mean under it. Exact in both
    tails and for small q. "mean" divides by the number of samples.

    Shape: `input` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C, or for probabilities the shape of
    `input`. The result is () or, under "none", the shape of `input` without C.

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), q outside of [0, 1], or `reduction` is
            unknown.
        TypeError: `input` isn't a floating-point tensor, `target` isn't a real one, or q isn't a number.

    Example:
        >>> generalized_cross_entropy(torch.tensor([[0.0, 0.0]]), torch.tensor([0]), q=1.0)
        tensor(0.5000)
        >>> generalized_cross_entropy(torch.tensor([[-200.0, 0.0]]), torch.tensor([0]))
        tensor(1.4286)

    References: Zhang & Sabuncu (2018), Generalized cross entropy loss for training deep neural networks with noisy
    labels.
    """
    power = check_number("q", q, "a number in [0, 1]", lambda x: 0 <= x <= 1)
    logits, target, dtype = classed(input, target)

    def loss(surprisal: Tensor) -> Tensor:
        return missed(power * surprisal) / power if power else surprisal

    return reduce(of_surprisal(loss, logits, target), reduction, dtype)


def absolute_probability_error(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Absolute error of softmax probabilities, sum_k |softmax(z)_k - q_k|, with q one-hot for a class index.

    Domain: all real logits z, and -inf for a class that can't occur. Its minimiser under labels is all probability on
    the most probable class: the infimum is approached as its logit grows, never attained. Not convex in the logits.

    Conventions: for a class index y it is 2 (1 - p_y), the mean absolute error times C, with range [0, 2]. Summed over
    all labels it doesn't depend on the prediction, so labels that are wrong uniformly don't move its minimiser. Where
    p_k = q_k for a soft target the derivative is taken to be 0. Exact where the probability of the class comes near 1.
    "mean" divides by the number of samples.

    Shape: `input` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C, or for probabilities the shape of
    `input`. The result is () or, under "none", the shape of `input` without C.

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> absolute_probability_error(torch.tensor([[20.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1]), reduction="none")
        tensor([4.1223e-09, 1.0000e+00])

    References: Ghosh, Kumar & Sastry (2017), Robust loss functions under label noise for deep neural networks.
    """
    logits, target, dtype = classed(input, target)
    if is_labels(target):
        return reduce(of_surprisal(_twice_missed, logits, target), reduction, dtype)
    return reduce(residual(logits, target).abs().sum(-1), reduction, dtype)


def symmetric_cross_entropy(
    input: Tensor,
    target: Tensor,
    *,
    alpha: float,
    beta: float,
    log_zero: float = -4.0,
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Symmetric cross-entropy, alpha H(q, p) + beta H(p, q), with p = softmax(z) and q one-hot for a class index.

    H(q, p) = -sum_k q_k log p_k is cross-entropy, and H(p, q) = -sum_k p_k log q_k its reverse, with log 0 replaced
    by `log_zero`: for a class index y it is -log_zero (1 - p_y).

    Domain: all real logits z, and -inf for a class that can't occur. Its minimiser under labels is not the true
    distribution but one that is sharpened, p_k = alpha t_k / (m + beta log_zero t_k) for true probabilities t_k,
    where m makes the p_k sum to 1. Not convex in the logits where beta > 0.

    Conventions: natural logarithms. For a soft target log q_k is at least `log_zero` too, so that the loss is
    continuous in q. The reverse part is bounded and exact where the probability of the class comes near 1. "mean"
    divides by the number of samples.

    Shape: `input` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C, or for probabilities the shape of
    `input`. The result is () or, under "none", the shape of `input` without C.

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), `alpha` or `beta` is negative or not
            finite, `log_zero` isn't a finite number < 0, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, `target` isn't a real one, or a parameter isn't a number.

    Example:
        >>> symmetric_cross_entropy(torch.tensor([[0.0, 0.0]]), torch.tensor([0]), alpha=0.0, beta=1.0)
        tensor(2.)
        >>> symmetric_cross_entropy(torch.tensor([[0.0, 0.0]]), torch.tensor([0]), alpha=1.0, beta=1.0)
        tensor(2.6931)

    References: Wang et al. (2019), Symmetric cross entropy for robust learning with noisy labels.
    """
    forward, backward = (
        check_number(name, value, "a finite number >= 0", lambda x: x >= 0)
        for name, value in (("alpha", alpha), ("beta", beta))
    )
    floor = check_number("log_zero", log_zero, "a finite number < 0", lambda x: x < 0)
    logits, target, dtype = classed(input, target)
    if is_labels(target):
        reverse_rate = -0.5 * backward * floor
        losses = of_surprisal(lambda s: forward * s + reverse_rate * _twice_missed(s), logits, target)
    else:
        costs = -target.clamp(min=torch.finfo(target.dtype).tiny).log().clamp(min=floor)
        losses = forward * expected(lambda s: s, logits, target)
        losses = losses + backward * mean_under_softmax(logits, costs)
    return reduce(losses, reduction, dtype)


def _twice_missed(surprisal: Tensor) -> Tensor:
    return 2 * missed(surprisal)


def forward_corrected_cross_entropy(
    input: Tensor,
    target: Tensor,
    *,
    transition: Tensor | Sequence[Sequence[float]],
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Cross-entropy of the observed label's probability, -log sum_k p_k T_ky, with p = softmax(z).

    T_ky is the probability that class k is labelled y, so that the sum is the probability of the label, not of the
    class.

    Domain: all real logits z, and -inf for a class that can't occur. Its minimiser, where T is invertible, is the
    logits whose softmax is the distribution of the true class, although only wrong labels are seen: p with
    p T = the distribution of the labels. Not convex in the logits in general.

    Conventions: natural logarithm; the rows of `transition` are true classes, its columns labels, and each row sums to
    1. The identity gives `cross_entropy`. For a soft target q it is the mean under q, which takes memory for a table
    of C by C per sample. The derivative in `transition` is that of the loss. "mean" divides by the number of samples.

    Shape: `input` (C,), (N, C) or (N, C, d1, ...); `target` that shape without C, or for probabilities the shape of
    `input`; `transition` (C, C), a tensor or rows of numbers. The result is () or, under "none", the shape of `input`
    without C.

    Raises:
        ValueError: a shape doesn't fit, a class index lies outside of [0, C), `transition` has a negative number or a
            row that doesn't sum to 1, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` or `transition` isn't of the kind named.

    Example:
        >>> noise = torch.tensor([[0.75, 0.25], [0.0, 1.0]])
        >>> forward_corrected_cross_entropy(torch.tensor([[0.0, 0.0]]), torch.tensor([1]), transition=noise)
        tensor(0.4700)

    References: Patrini et al. (2017), Making deep neural networks robust to label noise: a loss correction approach.
    """
    logits, target, dtype = classed(input, target)
    table = _transition(transition, logits)
    if is_labels(target):
        losses = _surprisal_of_observed(logits, at_labels(table.T, target))
    else:
        chances = table.T.expand(*logits.shape, logits.shape[-1])
        each = _surprisal_of_observed(logits.unsqueeze(-2), chances)
        losses = (target * each.masked_fill((target == 0) & (each == torch.inf), 0.0)).sum(-1)
    return reduce(losses, reduction, dtype)


def _surprisal_of_observed(logits: Tensor, chances: Tensor) -> Tensor:
    """-log of the probability of an event whose chance under each class is given.

    Where the event is so rare that the probabilities underflow, it is told from the logits.
    """
    fails, happens = (mean_under_softmax(logits, part) for part in (1 - chances, chances))
    rare, likely = happens < 1e-10, happens > 0.5
    direct = torch.where(
        likely, -(-torch.where(likely, fails, 0)).log1p(), -torch.where(rare | likely, 1, happens).log()
    )
    can = chances > 0
    of_both = torch.where(can, logits + torch.where(can, chances, 1).log(), -torch.inf)
    top = of_both.detach().amax(-1, keepdim=True)
    top = torch.where(top == -torch.inf, 0, top)
    # a class that can't give the event adds 0, but has a slope in its chance
    steepness = (logits - top).clamp(max=_STEEPEST).exp()
    happening = torch.where(can, (of_both - top).exp(), chances * steepness).sum(-1)
    never = happening == 0
    both = torch.where(never, 1, happening).log().masked_fill(never, -torch.inf) + top.squeeze(-1)
    return torch.where(rare, logits.logsumexp(-1) - both, direct)


def _transition(value: Any, logits: Tensor) -> Tensor:
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = torch.tensor(value, dtype=logits.dtype, device=logits.device)
    check_companion("transition", value, logits)
    classes = logits.shape[-1]
    if value.shape != (classes, classes):
        raise ValueError(
            f"transition: expected one row and one column per class, size {torch.Size((classes, classes))}, "
            f"got {value.shape}"
        )
    if readable(value):
        sums = value.sum(1)
        if not ((value >= 0).all() and ((sums - 1).abs() <= _ROUNDING).all()):
            raise ValueError(
                f"transition: expected probabilities, each row with the sum 1, got a smallest of {value.min().item()} "
                f"and sums {sums.tolist()}"
            )
    table: Tensor = value.to(logits.dtype)
    return table
