"""The catalogue and the library name the same losses, and every one has its definition and its documentation."""

from __future__ import annotations

import doctest
import inspect
from importlib import import_module

import pytest

import losscore
from losscore import calibration
from losscore.catalogue import Entry, entries
from losscore.symbolic import definitions

from .battery import batch, fixed, over_losses

FAMILIES = sorted({entry.family for entry in entries().values()})


# what the library offers beside its losses: targets to give them, and measures of probabilities
NO_LOSSES = {"smooth_labels", *calibration.__all__}


def test_every_loss_of_the_library_has_an_entry() -> None:
    assert set(losscore.__all__) - NO_LOSSES == set(entries())


@over_losses
def test_an_entry_names_a_public_function(entry: Entry) -> None:
    assert getattr(losscore, entry.name) is entry.function


@over_losses
def test_every_entry_has_a_definition(entry: Entry) -> None:
    assert entry.name in definitions()


@over_losses
def test_function_definition_and_examples_have_the_same_parameters(entry: Entry) -> None:
    options = {"weight", "reduction", "ignore_index", "label_smoothing", "pos_weight", "bias", "chunk_size"}
    named = set(inspect.signature(entry.function).parameters) - {*entry.predicted, *entry.observed}
    function = named - (options - entry.definition.names)
    assert function == entry.definition.names
    assert entry.examples and all(set(example) == function for example in entry.examples)


@over_losses
def test_the_call_is_that_of_torch(entry: Entry) -> None:
    parameters = list(inspect.signature(entry.function).parameters.values())
    positional = [p.name for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    data = [name for name in positional if name != "weight"]
    held = list(fixed(entry, batch(entry)[0]))
    assert data and positional in (data, [*data, "weight"], [data[0], *held, *data[1:]])
    assert data == [name for name in (*entry.predicted, *entry.observed) if name in data]
    assert parameters[-1].name == "reduction"
    assert parameters[-1].default == ("none" if entry.family == "scores" else "mean")


@over_losses
def test_the_docstring_is_complete(entry: Entry) -> None:
    text = inspect.getdoc(entry.function) or ""
    for part in ("Domain:", "minimiser", "Conventions", "Shape:", "Raises:", "Example:", "References:"):
        assert part in text, part


@pytest.mark.parametrize("family", FAMILIES)
def test_the_examples_of_the_docstrings_are_right(family: str) -> None:
    module = import_module(f"losscore.losses.{family}")
    tried = doctest.testmod(module)
    assert tried.failed == 0 and tried.attempted >= sum(
        entry.family == family for entry in entries().values()
    )
