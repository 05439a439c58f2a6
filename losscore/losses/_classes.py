"""What a loss of several classes asks of its arguments: the class dimension, class indices, soft targets."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ._tensors import check_companion, check_labels, check_prediction, common_dtype, working_dtype


def classed(
    input: Any,
    target: Any,
    weight: Tensor | None = None,
    ignore_index: int | None = None,
    *,
    name: str = "input",
    holds: str = "logits",
) -> tuple[Tensor, Tensor, torch.dtype]:
    """Logits with the classes last, their target (int64 indices, or probabilities likewise) and the result's dtype.

    `name` is the public name of the first argument, and `holds` what its numbers are.
    """
    check_prediction(name, input)
    check_companion("target", target, input, name)
    if input.dim() == 0 or input.shape[class_dim(input)] == 0:
        raise ValueError(
            f"{name}: expected {holds} with at least one class in dimension 1, got size {input.shape}"
        )
    if weight is not None:
        check_companion("weight", weight, input, name)
    dtype = common_dtype(input, target)
    working = working_dtype(dtype)
    dim = class_dim(input)
    logits = input.to(working).movedim(dim, -1)
    if target.is_floating_point():
        if target.shape != input.shape:
            raise ValueError(
                f"Target size ({target.shape}) must be the same as {name} size ({input.shape}) for a target of "
                f"probabilities, which {target.dtype} makes it; class indices need an integer dtype"
            )
        return logits, target.to(working).movedim(dim, -1), dtype
    if target.shape != logits.shape[:-1]:
        raise ValueError(
            f"Target size ({target.shape}) must be the {name} size ({input.shape}) without its class dimension, "
            f"{logits.shape[:-1]}, for class indices ({target.dtype})"
        )
    classes, indices = logits.shape[-1], target.to(torch.int64)
    check_labels(
        indices,
        f"class indices in [0, {classes})",
        lambda k: ((k >= 0) & (k < classes)) | (k == ignore_index),
    )
    return logits, indices, dtype


def class_dim(input: Tensor) -> int:
    """The dimension of the classes."""
    return 0 if input.dim() == 1 else 1
