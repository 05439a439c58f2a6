"""Ground floor of every loss: what a tensor must be, in which precision it is computed, how losses are reduced.

Low precision (float16, bfloat16) is computed and accumulated in float32 and returned in its own dtype. Where the
floating-point arguments differ in dtype they are promoted as torch promotes them; integers and bools take part as
numbers, without a say in the dtype. No check reads the data of a tensor on an accelerator.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

Reduction = Literal["mean", "sum", "none"]

_LOW_PRECISION = (torch.float16, torch.bfloat16)


def check_reduction(reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction; allowed are 'mean', 'sum', 'none'")


def check_prediction(name: str, value: object) -> None:
    """A prediction is a tensor of real floating-point numbers."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}: expected a torch.Tensor, got {type(value).__name__}")
    if not value.is_floating_point():
        raise TypeError(f"{name}: expected a floating-point tensor, got {value.dtype}")


def check_companion(name: str, value: object, input: Tensor, of: str = "input") -> None:
    """Whatever goes with the prediction, named `of`, is a real tensor of any dtype on the same device."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}: expected a torch.Tensor, got {type(value).__name__}")
    if value.is_complex():
        raise TypeError(f"{name}: expected real numbers, got {value.dtype}")
    if value.device != input.device:
        raise ValueError(f"{name}: expected on the device of {of}, {input.device}, got {value.device}")


def check_same_shape(input: Tensor, target: Tensor) -> None:
    if target.shape != input.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape}); nothing is broadcast"
        )


def check_number(name: str, value: object, allowed: str, holds: Callable[[float], bool]) -> float:
    """The parameter as a float; `allowed` is the range in words and `holds` decides it. NaN and inf never pass."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name}: expected a number, {allowed}, got {type(value).__name__}")
    if not (math.isfinite(value) and holds(value)):
        raise ValueError(f"{name}: expected {allowed}, got {value}")
    return float(value)


def positive(name: str, value: object) -> float:
    return check_number(name, value, "a finite number > 0", lambda x: x > 0)


def fraction(name: str, value: object) -> float:
    return check_number(name, value, "a number in the open interval (0, 1)", lambda x: 0 < x < 1)


def check_labels(labels: Tensor, allowed: str, valid: Callable[[Tensor], Tensor]) -> None:
    check_values("target", labels, allowed, valid)


def check_values(name: str, values: Tensor, allowed: str, valid: Callable[[Tensor], Tensor]) -> None:
    """Raise for the first value that isn't `valid`, where the data can be read without waiting for a device.

    That is on the CPU, outside of `torch.compile` and `torch.func`; elsewhere values are taken on trust.
    """
    if not readable(values):
        return
    wrong = ~valid(values)
    if wrong.any():
        position = tuple(wrong.nonzero()[0].tolist())
        raise ValueError(f"{name}: expected {allowed}, got {values[position].item()} at position {position}")


def readable(data: Tensor) -> bool:
    """Whether the data can be read without waiting for a device: on the CPU, outside of compilation and torch.func."""
    return (
        not torch.compiler.is_compiling()
        and data.device.type == "cpu"
        and type(data) is Tensor
        and not torch._C._functorch.is_functorch_wrapped_tensor(data)
        and not torch._C._functorch.is_legacy_batchedtensor(data)  # what batched gradients are made of
    )


def forward_within_forward() -> bool:
    """Whether `torch.func` differentiates in forward mode within forward mode.

    There torch takes the derivative of a `torch.autograd.Function` for a constant, without a word.
    """
    if torch.compiler.is_compiling():
        return False
    levels = torch._C._functorch.get_interpreter_stack() or []
    return sum(level.key() == torch._C._functorch.TransformType.Jvp for level in levels) > 1


def common_dtype(*tensors: Tensor) -> torch.dtype:
    """The dtype of the result: that of the floating-point tensors, promoted."""
    floating = [t.dtype for t in tensors if t.is_floating_point()]
    dtype = floating[0]
    for other in floating[1:]:
        dtype = torch.promote_types(dtype, other)
    return dtype


def working_dtype(dtype: torch.dtype) -> torch.dtype:
    """The dtype in which a loss is computed and accumulated."""
    return torch.float32 if dtype in _LOW_PRECISION else dtype


def paired(input: Any, target: Any) -> tuple[Tensor, Tensor, torch.dtype]:
    """Prediction and target of one shape in the working dtype, and the dtype of the result."""
    check_prediction("input", input)
    check_companion("target", target, input)
    check_same_shape(input, target)
    dtype = common_dtype(input, target)
    working = working_dtype(dtype)
    return input.to(working), target.to(working), dtype


def aligned(**arguments: Any) -> tuple[list[Tensor], torch.dtype]:
    """Arguments of one shape in the working dtype, the first of them a prediction, and the dtype of the result."""
    (first, prediction), *companions = arguments.items()
    check_prediction(first, prediction)
    for name, value in companions:
        check_companion(name, value, prediction, first)
        if value.shape != prediction.shape:
            raise ValueError(
                f"{name}: expected the size of {first}, {prediction.shape}, got {value.shape}; nothing is broadcast"
            )
    dtype = common_dtype(*arguments.values())
    working = working_dtype(dtype)
    return [value.to(working) for value in arguments.values()], dtype


def reduce(losses: Tensor, reduction: str, dtype: torch.dtype, divisor: Tensor | None = None) -> Tensor:
    """Reduce per-sample losses and return them in `dtype`; the mean divides by `divisor`, else by their number."""
    check_reduction(reduction)
    if reduction == "mean":
        losses = losses.mean() if divisor is None else losses.sum() / divisor
    elif reduction == "sum":
        losses = losses.sum()
    return losses.to(dtype)
