"""Bad input: each error names the argument, what it got and what is allowed."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

import losscore
from losscore.catalogue import Entry, entries

from .battery import batch, by_name, call, over_losses

CLASS_LOSSES = ("cross_entropy", "brier")
ELEMENTWISE = [name for name, entry in entries().items() if entry.input in ("real", "score", "logit")]


def raises(kind: type[Exception], *parts: str) -> Any:
    return pytest.raises(kind, match=".*".join(re.escape(part) for part in parts))


@over_losses
def test_unknown_reduction(entry: Entry) -> None:
    with raises(ValueError, "avg is not a valid value for reduction", "'mean', 'sum', 'none'"):
        call(entry, *batch(entry), reduction="avg", **entry.examples[0])


@over_losses
def test_arguments_that_are_no_tensors(entry: Entry) -> None:
    arguments = by_name(entry, *batch(entry))
    for name in arguments:
        for wrong, got in ((np.zeros(3), "ndarray"), ([1.0], "list"), (1.0, "float"), (None, "NoneType")):
            if (
                "float" in str(inspect.signature(entry.function).parameters[name].annotation)
                and got == "float"
            ):
                continue
            with raises(TypeError, name, "torch.Tensor", got):
                entry.function(**{**arguments, name: wrong}, **entry.examples[0])


@over_losses
def test_numbers_of_the_wrong_kind(entry: Entry) -> None:
    arguments = by_name(entry, *batch(entry))
    first, *others = arguments
    for dtype in (torch.int64, torch.bool, torch.complex64):
        with raises(TypeError, first, "floating-point", str(dtype)):
            entry.function(**{**arguments, first: arguments[first].to(dtype)}, **entry.examples[0])
    for name in others:
        with raises(TypeError, name, "real", "torch.complex64"):
            entry.function(**{**arguments, name: arguments[name].to(torch.complex64)}, **entry.examples[0])


@over_losses
def test_another_device(entry: Entry) -> None:
    arguments = by_name(entry, *batch(entry))
    first, *others = arguments
    for name in others:
        with raises(ValueError, name, f"device of {first}, cpu", "meta"):
            entry.function(**{**arguments, name: arguments[name].to("meta")}, **entry.examples[0])


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize(
    ("one", "other"), [((4, 1), (4,)), ((4,), (4, 1)), ((4,), ()), ((), (1,)), ((4,), (3,)), ((2, 3), (3, 2))]
)
def test_elementwise_losses_broadcast_nothing(
    name: str, one: tuple[int, ...], other: tuple[int, ...]
) -> None:
    entry = entries()[name]
    expected = (
        f"Target size (torch.Size({list(other)})) must be the same as input size (torch.Size({list(one)}))"
    )
    with raises(ValueError, expected, "nothing is broadcast"):
        entry.function(torch.ones(one), torch.ones(other), **entry.examples[0])


@pytest.mark.parametrize("name", CLASS_LOSSES)
def test_shapes_of_class_losses(name: str) -> None:
    loss = getattr(losscore, name)
    for given in (torch.zeros(4, 1), torch.zeros(3), torch.zeros(4, 3), torch.tensor(0)):
        with raises(
            ValueError, f"Target size ({given.shape})", "input size (torch.Size([4, 3]))", "class indices"
        ):
            loss(torch.zeros(4, 3), given.to(torch.int64))
    with raises(
        ValueError, "Target size (torch.Size([4]))", "probabilities, which torch.float32 makes it", "integer"
    ):
        loss(torch.zeros(4, 3), torch.zeros(4))
    with raises(ValueError, "input", "at least one class", "torch.Size([4, 0])"):
        loss(torch.zeros(4, 0), torch.zeros(4, dtype=torch.int64))
    with raises(ValueError, "input", "at least one class", "torch.Size([])"):
        loss(torch.tensor(0.0), torch.tensor(0))


@pytest.mark.parametrize("name", CLASS_LOSSES)
@pytest.mark.parametrize("wrong", [3, -1, 7, -100_000])
def test_class_indices_out_of_range(name: str, wrong: int) -> None:
    labels = torch.tensor([[0, 1], [2, wrong]])
    with raises(ValueError, "target", "class indices in [0, 3)", f"got {wrong} at position (1, 1)"):
        getattr(losscore, name)(torch.zeros(2, 3, 2), labels)


def test_only_cross_entropy_ignores_labels() -> None:
    labels = torch.tensor([0, -100])
    assert losscore.cross_entropy(torch.zeros(2, 3), labels).isfinite()
    with raises(ValueError, "target", "[0, 3)", "got -100 at position (1,)"):
        losscore.brier(torch.zeros(2, 3), labels)
    with raises(ValueError, "target", "[0, 3)", "got -100"):
        losscore.cross_entropy(torch.zeros(2, 3), labels, ignore_index=-1)


def test_labels_on_an_accelerator_are_not_read() -> None:
    """The meta device has no data: a check that waited for it would raise."""
    labels = torch.full((4,), 99, device="meta")
    assert losscore.cross_entropy(torch.zeros(4, 3, device="meta"), labels).shape == ()
    assert losscore.hinge(torch.zeros(4, device="meta"), labels).shape == ()


@pytest.mark.parametrize("name", [name for name, entry in entries().items() if entry.target == "sign"])
@pytest.mark.parametrize("wrong", [0, 2, 0.5, -3])
def test_labels_of_margin_losses(name: str, wrong: float) -> None:
    with raises(ValueError, "target", "-1 or +1", f"got {float(wrong)} at position (1,)"):
        getattr(losscore, name)(torch.zeros(2), torch.tensor([1, wrong]))


@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_brier"])
def test_integer_labels_of_binary_losses(name: str) -> None:
    with raises(ValueError, "target", "0 or 1", "got -1.0 at position (0,)"):
        getattr(losscore, name)(torch.zeros(2), torch.tensor([-1, 1]))


LEVEL = "a number in the open interval (0, 1)"
POSITIVE = "a finite number > 0"
BAD_PARAMETERS = [
    *[
        ("huber", "delta", wrong, {}, POSITIVE)
        for wrong in (0.0, -1.0, float("inf"), float("nan"), "1", None, True)
    ],
    *[("tukey", "cutoff", wrong, {}, POSITIVE) for wrong in (0.0, -1.0, float("inf"), "1", None)],
    *[("pinball", "quantile", wrong, {}, LEVEL) for wrong in (0.0, 1, -0.1, 1.5, float("nan"), None)],
    *[("expectile", "level", wrong, {}, LEVEL) for wrong in (0.0, 1.0, 2, None, torch.tensor(0.5))],
    *[("asymmetric_linear", "underage", wrong, {"overage": 1.0}, POSITIVE) for wrong in (0, -2.0, "x")],
    *[
        ("asymmetric_linear", "overage", wrong, {"underage": 1.0}, POSITIVE)
        for wrong in (0, -2.0, float("inf"))
    ],
]


@pytest.mark.parametrize(("name", "argument", "wrong", "others", "allowed"), BAD_PARAMETERS)
def test_parameters_out_of_range(
    name: str, argument: str, wrong: object, others: Mapping[str, float], allowed: str
) -> None:
    number = isinstance(wrong, (int, float)) and not isinstance(wrong, bool)
    kind, got = (ValueError, str(wrong)) if number else (TypeError, type(wrong).__name__)
    with raises(kind, argument, allowed, f"got {got}"):
        getattr(losscore, name)(torch.zeros(2), torch.zeros(2), **{argument: wrong}, **others)


def test_several_quantile_levels() -> None:
    with raises(ValueError, "torch.Size([4, 2])", "torch.Size([4])", "quantile levels, 3"):
        losscore.pinball(torch.zeros(4, 2), torch.zeros(4), quantile=(0.1, 0.5, 0.9))
    with raises(ValueError, "quantile", LEVEL, "got 1.0"):
        losscore.pinball(torch.zeros(4, 2), torch.zeros(4), quantile=(0.1, 1.0))
    with raises(TypeError, "quantile", LEVEL, "got str"):
        losscore.pinball(torch.zeros(4, 1), torch.zeros(4), quantile="9")
    with raises(TypeError, "input", "floating-point", "torch.int64"):
        losscore.pinball(torch.zeros(4, 1, dtype=torch.int64), torch.zeros(4), quantile=(0.1,))


def test_options_of_cross_entropy() -> None:
    logits, labels = torch.zeros(4, 3), torch.zeros(4, dtype=torch.int64)
    for wrong in (-0.1, 1.5, float("nan")):
        with raises(ValueError, "label_smoothing", "[0, 1]", f"got {wrong}"):
            losscore.cross_entropy(logits, labels, label_smoothing=wrong)
    with raises(ValueError, "weight", "one factor per class, size torch.Size([3])", "got torch.Size([4])"):
        losscore.cross_entropy(logits, labels, torch.ones(4))
    with raises(TypeError, "weight", "torch.Tensor", "list"):
        losscore.cross_entropy(logits, labels, [1.0, 1.0, 1.0])
    with raises(ValueError, "ignore_index", "negative", "probabilities", "got 1"):
        losscore.cross_entropy(logits, logits.softmax(1), ignore_index=1)


@pytest.mark.parametrize("name", ["weight", "pos_weight"])
def test_weights_of_binary_cross_entropy(name: str) -> None:
    logits = torch.zeros(4, 3)
    for wrong in (torch.ones(4), torch.ones(2, 4, 3), torch.ones(4, 2)):
        with raises(
            ValueError, name, "broadcasts to that of input, torch.Size([4, 3])", f"got {wrong.shape}"
        ):
            losscore.binary_cross_entropy(logits, logits, **{name: wrong})
    with raises(TypeError, name, "torch.Tensor", "float"):
        losscore.binary_cross_entropy(logits, logits, **{name: 2.0})
