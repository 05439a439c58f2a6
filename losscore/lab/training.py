"""Training loops that pages call by name."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Descent:
    """The way that gradient descent took: where it was and what the loss was, start included.

    ``path`` has shape (steps + 1, *start.shape), ``losses`` has shape (steps + 1,).
    """

    path: Tensor
    losses: Tensor

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.losses) - 1


def descend(
    loss: Callable[[Tensor], Tensor],
    start: Tensor | float,
    *,
    step: float,
    steps: int,
    until: Callable[[Tensor], bool] | None = None,
) -> Descent:
    """Plain gradient descent on ``loss``, each step ``step`` times the gradient.

    Args:
        loss: takes a tensor of the shape of ``start`` and returns one number.
        start: where to begin; a plain number begins in float64.
        step: the step size, positive.
        steps: how many steps at most.
        until: stop at the first place for which this is true.

    Nothing is hidden when the descent diverges: the path then holds what was reached.

    Raises:
        ValueError: if ``step`` isn't positive, ``steps`` is below 1, or ``loss`` doesn't return one number.
    """
    if not step > 0:
        raise ValueError(f"step must be positive, got {step!r}")
    _at_least_one("steps", steps)
    here = torch.as_tensor(start, dtype=None if isinstance(start, Tensor) else torch.float64).detach().clone()
    path, losses = [here], []
    for taken in range(steps + 1):
        place = here.clone().requires_grad_()
        value = loss(place)
        if value.numel() != 1:
            raise ValueError(f"loss must return one number, got shape {tuple(value.shape)}; take its mean")
        losses.append(value.detach().reshape(()))
        if taken == steps or (until is not None and until(here)):
            break
        (gradient,) = torch.autograd.grad(value.reshape(()), place)
        here = here - step * gradient
        path.append(here)
    return Descent(torch.stack(path), torch.stack(losses))


def fit(
    model: nn.Module,
    loss: Callable[[Tensor, Tensor], Tensor],
    inputs: Tensor,
    target: Tensor,
    *,
    optimiser: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer],
    steps: int,
) -> Tensor:
    """Train ``model`` in place on all the data at once, and return the loss before each step, shape (steps,).

    Args:
        model: maps ``inputs`` to predictions.
        loss: ``loss(predictions, target)``, one number.
        inputs, target: the data, on the model's device.
        optimiser: makes the optimiser from the parameters, for example ``partial(torch.optim.Adam, lr=0.01)``.
        steps: how many steps.

    Raises:
        ValueError: if ``steps`` is below 1 or ``loss`` doesn't return one number.
    """
    _at_least_one("steps", steps)
    rule = optimiser(model.parameters())
    losses = torch.empty(steps, device=inputs.device, dtype=torch.float64)
    model.train()
    for index in progress(steps, "training"):
        rule.zero_grad()
        value = loss(model(inputs), target)
        if value.numel() != 1:
            raise ValueError(f"loss must return one number, got shape {tuple(value.shape)}; take its mean")
        value.reshape(()).backward()  # type: ignore[no-untyped-call]
        rule.step()
        losses[index] = value.detach().reshape(())
    model.eval()
    return losses.cpu()


class Stack(nn.Module):
    """Multi-layer networks of the same widths, independent of each other and trained at once: one a seed or a split.

    Inputs (copies, n, first width) give (copies, n, last width), or (copies, n) where the last width is 1. The loss to
    train with is the *sum* over the copies of each one's own; a rule that scales every parameter by itself, such as
    Adam's, then trains each copy as if it were alone.

    Args:
        layers: the first weights (copies, inputs, outputs) and biases (copies, 1, outputs) of each layer.
        activation: after each hidden layer.
    """

    def __init__(
        self, layers: Iterable[tuple[Tensor, Tensor]], *, activation: Callable[[Tensor], Tensor]
    ) -> None:
        super().__init__()
        self.activation = activation
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for weight, bias in layers:
            self.weights.append(nn.Parameter(weight.detach()))
            self.biases.append(nn.Parameter(bias.detach()))

    def forward(self, inputs: Tensor) -> Tensor:
        """The outputs of every copy on its own inputs."""
        hidden = inputs
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.baddbmm(bias, self.activation(hidden) if layer else hidden, weight)
        return hidden.squeeze(-1)


class Copies(Stack):
    """A stack of copies of one network that differ in their first weights, which one generator draws.

    Args:
        copies: how many.
        widths: inputs, hidden layers, outputs; two widths make a linear model.
        generator: draws the first weights, uniform with variance 1 / (3 · inputs of the layer); biases begin at 0.
        activation: after each hidden layer.
        dtype: of the parameters.

    Raises:
        ValueError: if there are fewer than two widths.
    """

    def __init__(
        self,
        copies: int,
        widths: Sequence[int],
        *,
        generator: torch.Generator,
        activation: Callable[[Tensor], Tensor] = torch.tanh,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if len(widths) < 2:
            raise ValueError(f"widths must name inputs and outputs at least, got {tuple(widths)}")
        layers = []
        for before, after in pairwise(widths):
            uniform = 2 * torch.rand(copies, before, after, generator=generator, dtype=torch.float64) - 1
            layers.append(((uniform / before**0.5).to(dtype), torch.zeros(copies, 1, after, dtype=dtype)))
        super().__init__(layers, activation=activation)


def progress(steps: int, what: str) -> Iterator[int]:
    """Count from 0 to ``steps - 1`` and, from the sixth second on, tell a waiting person how far it has come.

    The line goes to stderr, once a second, and only if a person is there to read it: stderr is a terminal, or a
    Jupyter server runs this kernel, which shows in the variable ``JPY_SESSION_NAME``. Where notebooks run without
    a person, as in the build of the book and in its tests, nothing is printed.
    """
    watched = sys.stderr.isatty() or "JPY_SESSION_NAME" in os.environ
    began = shown = time.monotonic()
    for index in range(steps):
        yield index
        now = time.monotonic()
        if watched and now - began > 5 and now - shown > 1:
            left = (now - began) / (index + 1) * (steps - index - 1)
            print(
                f"\r{what}: {index + 1} of {steps} steps, about {left:.0f} s left  ",
                end="",
                file=sys.stderr,
                flush=True,
            )
            shown = now
    if shown > began:
        print(f"\r{what}: {steps} steps, {time.monotonic() - began:.0f} s" + " " * 30, file=sys.stderr)


def _at_least_one(name: str, number: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {number!r}")
