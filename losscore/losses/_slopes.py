"""Functions whose derivatives are given, where those of the formula would lose their digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ._tensors import forward_within_forward

Elementwise = Callable[..., Tensor]


def with_slopes(value: Elementwise, *slopes: Elementwise) -> Elementwise:
    """`value` of tensors of one shape, elementwise, with one slope for each of them.

    A slope is a function of the same tensors, and is only computed where it is asked for. Derivatives of any
    higher order are those of the slopes; but forward mode within forward mode differentiates `value` itself.
    """

    class WithSlopes(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(*inputs: Tensor) -> Tensor:
            return value(*inputs)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            ctx.save_for_backward(*inputs)
            ctx.save_for_forward(*inputs)

        @staticmethod
        def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
            return tuple(
                upstream * slope(*ctx.saved_tensors) if needed else None
                for slope, needed in zip(slopes, ctx.needs_input_grad)
            )

    class WithForwardMode(WithSlopes):
        @staticmethod
        def jvp(ctx: Any, *tangents: Tensor | None) -> Tensor:
            inputs = ctx.saved_tensors
            with torch.enable_grad():
                moved = [
                    tangent * slope(*inputs)
                    for slope, tangent in zip(slopes, tangents)
                    if tangent is not None
                ]
                return torch.stack(moved).sum(0)

    def function(*inputs: Tensor) -> Tensor:
        if forward_within_forward():
            return value(*inputs)
        # torch.compile refuses a Function that defines forward mode
        chosen = WithSlopes if torch.compiler.is_compiling() else WithForwardMode
        return chosen.apply(*inputs)  # type: ignore[no-any-return, no-untyped-call]

    return function
