"""Losses of embeddings: what belongs together is to lie closer than what does not.

In `info_nce` and `nt_xent` the rows of a batch are each other's negatives, so that no sample has a loss of its own.
Their rows are divided by their Euclidean norm; a row of zeros, which has no direction, stays 0 and gets gradient 0.
A row that holds an infinity gives NaN.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ._tensors import (
    Reduction,
    aligned,
    check_companion,
    check_number,
    check_prediction,
    positive,
    reduce,
    working_dtype,
)


def info_nce(
    query: Tensor, key: Tensor, *, temperature: float = 0.1, reduction: Reduction = "mean"
) -> Tensor:
    r"""InfoNCE, -log(exp(s_ii / T) / sum_j exp(s_ij / T)), with s_ij the cosine of query i and key j.

    Domain: all real vectors; T > 0. Its minimiser over all scores s_ij / T is the log-ratio of the joint density of a
    query and its key to the product of their own, up to a constant for each query.

    Conventions: key i is the positive of query i, all other keys of the batch are its negatives; one direction,
    queries to keys (for the symmetric loss average it with the one of swapped arguments). Natural logarithm; with a
    single pair the loss is 0. Exact where a positive is far ahead. "mean" divides by the number of queries.

    Shape: `query` and `key` (N, D); the result () or, under "none", (N,).

    Raises:
        ValueError: the shapes differ or aren't (N, D) with D > 0, `temperature` isn't a finite number > 0, or
            `reduction` is unknown.
        TypeError: `query` isn't a floating-point tensor, `key` isn't a real one, or `temperature` isn't a number.

    Example:
        >>> info_nce(torch.eye(3), torch.eye(3), temperature=1.0)
        tensor(0.5514)

    References: van den Oord, Li & Vinyals (2018), Representation learning with contrastive predictive coding.
    """
    temperature = positive("temperature", temperature)
    (query, key), dtype = aligned(query=query, key=key)
    _check_rows("query", query)
    similarity = _cosines(query, key) / temperature
    own = torch.eye(query.shape[0], dtype=torch.bool, device=query.device)
    return reduce(_behind(similarity.diagonal(), _log_sum(similarity, ~own)), reduction, dtype)


def nt_xent(
    embeddings: Tensor, labels: Tensor, *, temperature: float = 0.5, reduction: Reduction = "mean"
) -> Tensor:
    r"""NT-Xent, for every ordered pair (i, j) of one label -log(exp(s_ij / T) / (exp(s_ij / T) + sum_k exp(s_ik / T))).

    The sum runs over the rows k of another label than i; s_ij is the cosine of rows i and j.

    Domain: all real vectors; T > 0. Its minimiser over all scores s_ij / T is, as for `info_nce`, a log-ratio of
    densities: how much likelier a row of the anchor's label is than one of another label.

    Conventions: the other positives of an anchor aren't in its denominator. With two views an image, labelled
    (0, 0, 1, 1, ...), it is SimCLR's loss. An anchor without a positive contributes nothing, a pair without negatives
    costs 0. "mean" divides by the number of ordered positive pairs, and is NaN where there is none; "sum" is then 0.
    Natural logarithm; exact where a positive is far ahead.

    Shape: `embeddings` (N, D), `labels` (N,) of any integer dtype; the result () or, under "none", (N,): for each
    anchor the sum over its positives.

    Raises:
        ValueError: the shapes aren't (N, D) with D > 0 and (N,), `temperature` isn't a finite number > 0, or
            `reduction` is unknown.
        TypeError: `embeddings` isn't a floating-point tensor, `labels` isn't one of an integer dtype, or
            `temperature` isn't a number.

    Example:
        >>> nt_xent(torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0, 1]))
        tensor(0.1269)

    References: Sohn (2016), Improved deep metric learning with multi-class N-pair loss objective; Chen et al. (2020),
    A simple framework for contrastive learning of visual representations.
    """
    temperature = positive("temperature", temperature)
    rows, groups, dtype = _grouped(embeddings, labels)
    similarity = _cosines(rows, rows) / temperature
    alike = groups.unsqueeze(1) == groups
    pairs = alike & ~torch.eye(rows.shape[0], dtype=torch.bool, device=rows.device)
    losses = _behind(similarity, _log_sum(similarity, ~alike).unsqueeze(1)).masked_fill(~pairs, 0)
    return reduce(losses.sum(1), reduction, dtype, pairs.sum())


def triplet(
    anchor: Tensor, positive: Tensor, negative: Tensor, *, margin: float = 1.0, reduction: Reduction = "mean"
) -> Tensor:
    r"""Triplet loss, max(0, \|a - p\| - \|a - n\| + margin), with Euclidean distances.

    Domain: all real vectors; margin >= 0. Its minimiser has the positive closer to the anchor than the negative, by
    at least the margin, in every triplet.

    Conventions: no epsilon in the distances, and gradient 0 of a distance where its two points coincide
    (`torch.nn.functional.triplet_margin_loss` adds 1e-6 to every component of a difference). The slope at the kink is
    taken to be 0. "mean" divides by the number of triplets, those that cost 0 included.

    Shape: all three (D,) or (N, ..., D) of one shape; the result () or, under "none", that shape without D.

    Raises:
        ValueError: the shapes differ or have no dimension D > 0, `margin` isn't a finite number >= 0, or `reduction`
            is unknown.
        TypeError: `anchor` isn't a floating-point tensor, one of the others isn't a real one, or `margin` isn't a
            number.

    Example:
        >>> a, p, n = torch.tensor([0.0, 0.0]), torch.tensor([3.0, 4.0]), torch.tensor([0.0, 2.0])
        >>> triplet(a, p, n)
        tensor(4.)

    References: Weinberger & Saul (2009), Distance metric learning for large margin nearest neighbor classification;
    Schroff, Kalenichenko & Philbin (2015), FaceNet.
    """
    margin = check_number("margin", margin, "a finite number >= 0", lambda x: x >= 0)
    (anchor, positive, negative), dtype = aligned(anchor=anchor, positive=positive, negative=negative)
    if anchor.dim() == 0 or anchor.shape[-1] == 0:
        raise ValueError(f"anchor: expected vectors along the last dimension, got size {anchor.shape}")
    excess = _length(anchor - positive).squeeze(-1) - _length(anchor - negative).squeeze(-1)
    return reduce(F.relu(excess + margin), reduction, dtype)


def _check_rows(name: str, value: Tensor) -> None:
    if value.dim() != 2 or value.shape[1] == 0:
        raise ValueError(f"{name}: expected size (N, D) with D > 0, got size {value.shape}")


def _grouped(embeddings: Any, labels: Any) -> tuple[Tensor, Tensor, torch.dtype]:
    check_prediction("embeddings", embeddings)
    check_companion("labels", labels, embeddings, "embeddings")
    if labels.is_floating_point():
        raise TypeError(f"labels: expected an integer dtype, got {labels.dtype}")
    _check_rows("embeddings", embeddings)
    if labels.shape != embeddings.shape[:1]:
        raise ValueError(f"labels: expected one per row, size {embeddings.shape[:1]}, got {labels.shape}")
    return embeddings.to(working_dtype(embeddings.dtype)), labels, embeddings.dtype


def _length(vectors: Tensor) -> Tensor:
    """Euclidean norm over the last dimension, kept; free of overflow and underflow, with gradient 0 at 0."""
    largest = vectors.detach().abs().amax(-1, keepdim=True)
    scale = torch.where((largest > 0) & (largest < torch.inf), largest, 1)
    square = (vectors / scale).square().sum(-1, keepdim=True)
    nowhere = square == 0
    return torch.where(nowhere, 0, torch.where(nowhere, 1, square).sqrt()) * scale


def _cosines(rows: Tensor, others: Tensor) -> Tensor:
    kind = rows.device.type
    with nullcontext() if kind == "meta" else torch.autocast(kind, enabled=False):
        return _directions(rows) @ _directions(others).mT


def _directions(rows: Tensor) -> Tensor:
    length = _length(rows)
    return torch.where(length == 0, 0, rows / torch.where(length == 0, 1, length))


def _log_sum(scores: Tensor, counted: Tensor) -> Tensor:
    """log of the sum of exp over the `counted` scores of each row; -inf, with gradient 0, where there is none."""
    some = counted.any(1)
    finite = torch.where(some.unsqueeze(1), scores.masked_fill(~counted, -torch.inf), 0)
    return finite.logsumexp(1).masked_fill(~some, -torch.inf)


def _behind(positive: Tensor, negatives: Tensor) -> Tensor:
    """-log of the share of the positive, from its score and the log-sum of the negatives."""
    return -F.logsigmoid(positive - negatives)
