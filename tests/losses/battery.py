"""What the tests over all losses share: inputs of every kind, and the comparison with the 50-digit definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import mpmath
import pytest
import torch
from torch import Tensor

from losscore.catalogue import Entry, entries
from losscore.symbolic import Definition

from .forecast_kinds import FORECAST_KINDS
from .kinds import CLASSES, KINDS, Kind, Sample

RELATIVE = {torch.float64: 1e-12, torch.float32: 2e-6}

SETTINGS = [(entry, parameters) for entry in entries().values() for parameters in entry.examples]


def losses_where(condition: Callable[[Entry], bool]) -> pytest.MarkDecorator:
    """A test over the losses that meet the condition."""
    chosen = [entry for entry in entries().values() if condition(entry)]
    return pytest.mark.parametrize("entry", chosen, ids=[entry.name for entry in chosen])


def settings_where(condition: Callable[[Entry], bool]) -> pytest.MarkDecorator:
    """A test over the losses that meet the condition, once for every setting of their parameters."""
    chosen = [(entry, given) for entry, given in SETTINGS if condition(entry)]
    names = [f"{entry.name}-{'-'.join(map(str, given.values()))}".rstrip("-") for entry, given in chosen]
    return pytest.mark.parametrize(("entry", "parameters"), chosen, ids=names)


over_losses = losses_where(lambda entry: True)
over_settings = settings_where(lambda entry: True)


def call(entry: Entry, prediction: Any, target: Any, **parameters: Any) -> Tensor:
    """The loss; where prediction or target is several arguments, its last dimension runs over them."""
    return caller(entry)(prediction, target, **parameters)


def caller(entry: Entry) -> Callable[..., Tensor]:
    """The loss as a function of one prediction and one target, whatever its arguments."""
    function, predicted, observed = entry.function, entry.predicted, entry.observed

    def loss(prediction: Any, target: Any, **parameters: Any) -> Tensor:
        given = {
            **_arguments(predicted, prediction),
            **fixed(entry, prediction),
            **_arguments(observed, target),
        }
        return function(**given, **parameters)

    return loss


def by_name(entry: Entry, prediction: Tensor, target: Tensor) -> dict[str, Tensor]:
    """The arguments by their names, the prediction's first."""
    return {
        **_arguments(entry.predicted, prediction),
        **fixed(entry, prediction),
        **_arguments(entry.observed, target),
    }


def kind_of(entry: Entry) -> Kind | None:
    """What is to be known of the arguments, where they aren't one prediction of a number or of one row of logits."""
    return {**KINDS, **FORECAST_KINDS}.get((entry.input, entry.target))


def fixed(entry: Entry, prediction: Any) -> dict[str, Tensor]:
    """The arguments that stay as they are, such as the weight of a layer."""
    kind = kind_of(entry)
    return kind.fixed(prediction) if kind and isinstance(prediction, Tensor) else {}


def row_by_row(entry: Entry) -> bool:
    """Whether each row of a batch has a loss that no other row touches."""
    kind = kind_of(entry)
    return kind is None or not kind.entangled


def bounded(entry: Entry) -> bool:
    """Whether predictions have bounds, so that a huge one has no meaning."""
    kind = kind_of(entry)
    return kind is not None and kind.bounded != ""


def _arguments(names: tuple[str, ...], value: Any) -> dict[str, Any]:
    if len(names) == 1 or not isinstance(value, Tensor):
        return dict.fromkeys(names, value)
    return dict(zip(names, value.unbind(-1), strict=True))


def samples(entry: Entry) -> Iterator[Sample]:
    """Adversarial samples first, then random ones; the same at every call."""
    generator = torch.Generator().manual_seed(0)
    if kind := kind_of(entry):
        yield from kind.samples(generator)
        return

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
    yield Sample((1.0, -2.0, 0.5), (0.125, 0.125, 0.75), componentwise=False)
    yield Sample((1.0, -2.0, 0.5), (2.0**-10, 0.5, 0.5 - 2.0**-10), componentwise=False)


def _every_label(logits: tuple[float, ...], componentwise: bool = True) -> Iterator[Sample]:
    for label in range(len(logits)):
        one_hot = tuple(float(k == label) for k in range(len(logits)))
        yield Sample(logits, one_hot, label, componentwise)
        yield Sample(logits, one_hot, None, componentwise)


_ADVERSARIAL = {"real": _reals, "score": _scores, "logit": _logit, "logits": _logits}


def classes_of(parameters: Mapping[str, Any]) -> int | None:
    """The number of classes that a table or a factor for each of them fits, if any."""
    return next((len(value) for value in parameters.values() if isinstance(value, tuple)), None)


def disagreements(
    entry: Entry, definition: Definition, parameters: Mapping[str, Any], dtype: torch.dtype
) -> Iterator[str]:
    """Where the torch function's value or gradient leaves the tolerance about the definition, in words."""
    size = classes_of(parameters)
    for sample in samples(entry):
        if size and len(sample.prediction) != size:
            continue
        prediction, target = sample.tensors(dtype)
        prediction.requires_grad_()
        kind = kind_of(entry)
        how = {"reduction": kind.defined} if kind and kind.entangled else {}
        loss = call(entry, prediction, target, **how, **parameters)
        (slope,) = torch.autograd.grad(loss, prediction)
        predicted = _parts(entry.predicted, prediction)
        observed = _parts(entry.observed, target) if sample.label is None else [sample.target]
        given = (*predicted, *fixed(entry, prediction).values(), *observed)
        arguments = [x.tolist() if isinstance(x, Tensor) else x for x in given]
        value = definition.oracle(*arguments, **parameters)
        if not near(loss, value, RELATIVE[dtype], sample.terms):
            yield _difference("value", arguments, loss, value)
        slopes = [x for part in _parts(entry.predicted, slope) for x in part.reshape(-1)]
        wanted = [
            x
            for i in range(len(predicted))
            for x in _flat(definition.gradient_oracle(*arguments, of=i, **parameters))
        ]
        largest = sample.terms if sample.componentwise else max(sample.terms, *(abs(want) for want in wanted))
        for k, (got, want) in enumerate(zip(slopes, wanted, strict=True)):
            if not near(got, want, RELATIVE[dtype], largest):
                yield _difference(f"slope {k}", arguments, got, want)


def _difference(what: str, arguments: list[Any], got: Tensor, want: mpmath.mpf) -> str:
    return f"{what} at {arguments}: got {got.item()!r}, defined {mpmath.nstr(want, 17)}"


def _parts(names: tuple[str, ...], value: Tensor) -> list[Tensor]:
    return [value] if len(names) == 1 else list(value.unbind(-1))


def _flat(nested: Any) -> list[Any]:
    return [x for part in nested for x in _flat(part)] if isinstance(nested, (list, tuple)) else [nested]


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
    if kind := kind_of(entry):
        prediction, forms = kind.batch(size, generator)
        return prediction.to(dtype), forms[0]
    if entry.input == "logits":
        logits = torch.randn(size, CLASSES, generator=generator, dtype=torch.float64)
        return logits.to(dtype), torch.randint(CLASSES, (size,), generator=generator)
    prediction = 2 * torch.randn(size, generator=generator, dtype=torch.float64)
    other = torch.randn(size, generator=generator, dtype=torch.float64)
    target = {"real": other, "sign": other.sign(), "probability": other.sigmoid()}[entry.target]
    return prediction.to(dtype), target.to(dtype)


def targets(entry: Entry, size: int = 6) -> list[Tensor]:
    """Targets of every kind that the loss takes, for a batch of float64 predictions."""
    if kind := kind_of(entry):
        return kind.batch(size, torch.Generator().manual_seed(0))[1]
    first = batch(entry, size)[1]
    if entry.target == "distribution":
        generator = torch.Generator().manual_seed(1)
        return [first, torch.rand(size, CLASSES, generator=generator, dtype=torch.float64).softmax(1)]
    return [first]
