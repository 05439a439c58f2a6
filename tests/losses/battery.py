"""What the tests over all losses share: inputs of every kind, and the comparison with the 50-digit definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import pytest
import torch
from torch import Tensor

from losscore.catalogue import Entry, entries
from losscore.symbolic import Definition

RELATIVE = {torch.float64: 1e-12, torch.float32: 2e-6}
CLASSES = 3

SETTINGS = [(entry, parameters) for entry in entries().values() for parameters in entry.examples]
over_losses = pytest.mark.parametrize("entry", entries().values(), ids=list(entries()))
over_settings = pytest.mark.parametrize(
    ("entry", "parameters"),
    SETTINGS,
    ids=[f"{entry.name}-{'-'.join(map(str, given.values()))}".rstrip("-") for entry, given in SETTINGS],
)


@dataclass(frozen=True)
class Sample:
    """One prediction and its target as the definition takes them; `label` is the class index of a one-hot target.

    `componentwise`: every component of the gradient is held to the relative tolerance by itself, however small.
    Otherwise, where terms of either sign may cancel by chance, it is relative to the largest component.
    """

    prediction: tuple[float, ...] | float
    target: tuple[float, ...] | float
    label: int | None = None
    componentwise: bool = True

    def tensors(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        target = torch.tensor(self.target, dtype=dtype) if self.label is None else torch.tensor(self.label)
        return torch.tensor(self.prediction, dtype=dtype), target


def call(entry: Entry, prediction: Any, target: Any, **parameters: Any) -> Tensor:
    """The loss; where prediction or target is several arguments, its last dimension runs over them."""
    return caller(entry)(prediction, target, **parameters)


def caller(entry: Entry) -> Callable[..., Tensor]:
    """The loss as a function of one prediction and one target, whatever its arguments."""
    function, predicted, observed = entry.function, entry.predicted, entry.observed

    def loss(prediction: Any, target: Any, **parameters: Any) -> Tensor:
        return function(**_arguments(predicted, prediction), **_arguments(observed, target), **parameters)

    return loss


def _arguments(names: tuple[str, ...], value: Any) -> dict[str, Any]:
    if len(names) == 1 or not isinstance(value, Tensor):
        return dict.fromkeys(names, value)
    return dict(zip(names, value.unbind(-1), strict=True))


def samples(entry: Entry) -> Iterator[Sample]:
    """Adversarial samples first, then random ones; the same at every call."""
    generator = torch.Generator().manual_seed(0)

    def normal(*size: int) -> list[Any]:
        return torch.randn(*size, generator=generator, dtype=torch.float32).tolist()

    yield from _ADVERSARIAL[entry.input]()
    if entry.input == "logits":
        for row in normal(8, CLASSES):
            logits = tuple(4 * z for z in row)
            q = torch.rand(CLASSES, generator=generator).softmax(0).tolist()
            yield Sample(logits, tuple(q), componentwise=False)
            yield from _every_label(logits, componentwise=False)
        return
    for x, other in normal(12, 2):
        if entry.target == "sign":
            other = 1.0 if other > 0 else -1.0
        if entry.target == "probability":
            other = torch.tensor(other).sigmoid().item()
        yield Sample(3 * x, other, componentwise=entry.target != "probability")


def _reals() -> Iterator[Sample]:
    for residual in (2.0**-30, 1e-4, 0.3, 0.99, 1.01, 30.0, 90.0, 800.0, 1e6):
        yield Sample(residual, 0.0)
        yield Sample(0.0, residual)
        yield Sample(-1.5 - residual, -1.5)
    yield Sample(1e8, 1e8 + 1)
    yield Sample(1e8 + 1, 1e8)


def _scores() -> Iterator[Sample]:
    for size in (2.0**-20, 0.5, 1.5, 5.0, 17.5, 20.0, 40.0, 80.0, 100.0, 700.0, 1e4):
        for score in (size, -size):
            yield Sample(score, 1.0)
            yield Sample(score, -1.0)


def _logit() -> Iterator[Sample]:
    for size in (0.0, 2.0**-20, 1.0, 5.0, 17.5, 20.0, 40.0, 80.0, 104.0, 700.0, 1e4):
        for logit in (size, -size):
            for y in (0.0, 1.0, 0.25):
                yield Sample(logit, y, componentwise=y in (0, 1))


def _logits() -> Iterator[Sample]:
    rows = [
        (20.0, 0.0),
        (0.0, 0.0),
        (17.0, -0.5),
        (80.0, 0.0, 40.0),
        (0.0, 104.0, 3.0),
        (1e4, -1e4),
        (700.0, -3.0, 0.5),
    ]
    rows += [(0.0, 0.0, 0.0), (1000.0, 1020.0, 990.0), (-3000.0, -3001.0), (5.0, 5.0, 4.0, -60.0), (1.0,)]
    for row in rows:
        yield from _every_label(row)
    for row in [(20.0, 0.0), (3.0, -60.0, 1.0)]:
        yield Sample(row, (0.25, 0.5, 0.25)[: len(row)], componentwise=False)


def _every_label(logits: tuple[float, ...], componentwise: bool = True) -> Iterator[Sample]:
    for label in range(len(logits)):
        one_hot = tuple(float(k == label) for k in range(len(logits)))
        yield Sample(logits, one_hot, label, componentwise)
        yield Sample(logits, one_hot, None, componentwise)


_ADVERSARIAL = {"real": _reals, "score": _scores, "logit": _logit, "logits": _logits}


def disagreements(
    entry: Entry, definition: Definition, parameters: Mapping[str, Any], dtype: torch.dtype
) -> Iterator[str]:
    """Where the torch function's value or gradient leaves the tolerance about the definition, in words."""
    for sample in samples(entry):
        prediction, target = sample.tensors(dtype)
        prediction.requires_grad_()
        loss = call(entry, prediction, target, **parameters)
        (slope,) = torch.autograd.grad(loss, prediction)
        arguments = (prediction.tolist(), target.tolist() if sample.label is None else sample.target)
        wanted = definition.gradient_oracle(*arguments, **parameters)
        slopes = list(zip(slope, wanted, strict=True)) if prediction.dim() else [(slope, wanted)]
        largest = 0 if sample.componentwise else max(abs(want) for _, want in slopes)
        compared = [("value", loss, definition.oracle(*arguments, **parameters), 0)]
        compared += [(f"slope {k}", got, want, largest) for k, (got, want) in enumerate(slopes)]
        for what, got, want, scale in compared:
            if not near(got, want, RELATIVE[dtype], scale):
                yield f"{what} at {arguments}: got {got.item()!r}, defined {mpmath.nstr(want, 17)}"


def near(got: Tensor, want: mpmath.mpf, tolerance: float, scale: mpmath.mpf | float = 0) -> bool:
    """Whether the number is right to `tolerance`, relative to the wanted value or, if larger, to `scale`.

    Below the dtype's normal numbers the error may be as large as the smallest of them; beyond its largest number
    the right answer is infinity.
    """
    limits = torch.finfo(got.dtype)
    if abs(want) > limits.max:
        return bool(torch.isinf(got)) and (got.item() > 0) == (want > 0)
    allowed = tolerance * max(abs(want), scale) + mpmath.mpf(limits.tiny)
    return bool(abs(mpmath.mpf(got.item()) - want) <= allowed)


def batch(
    entry: Entry, size: int = 6, dtype: torch.dtype = torch.float64, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """A random batch, away from kinks: predictions, and targets of the kind that holds most."""
    generator = torch.Generator().manual_seed(seed)
    if entry.input == "logits":
        logits = torch.randn(size, CLASSES, generator=generator, dtype=torch.float64)
        return logits.to(dtype), torch.randint(CLASSES, (size,), generator=generator)
    prediction = 2 * torch.randn(size, generator=generator, dtype=torch.float64)
    other = torch.randn(size, generator=generator, dtype=torch.float64)
    target = {"real": other, "sign": other.sign(), "probability": other.sigmoid()}[entry.target]
    return prediction.to(dtype), target.to(dtype)


def targets(entry: Entry, size: int = 6) -> list[Tensor]:
    """Targets of every kind that the loss takes, for a batch of float64 predictions."""
    first = batch(entry, size)[1]
    if entry.target == "distribution":
        generator = torch.Generator().manual_seed(1)
        return [first, torch.rand(size, CLASSES, generator=generator, dtype=torch.float64).softmax(1)]
    return [first]
