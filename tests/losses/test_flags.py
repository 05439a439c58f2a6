"""Every flag of every loss: true ones over random inputs, false ones by their counterexamples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from losscore import catalogue_flags
from losscore.catalogue import Entry, entries
from losscore.catalogue_flags import MEANINGS
from losscore.symbolic import proofs

from .battery import over_losses
from .flag_checks import CHECKS, COUNTEREXAMPLES, settings


def flagged(value: bool) -> pytest.MarkDecorator:
    chosen = [(e, name) for e in entries().values() for name, flag in e.flags.items() if flag.value is value]
    names = [f"{name.replace(' ', '_')}-{entry.name}" for entry, name in chosen]
    return pytest.mark.parametrize(("entry", "name"), chosen, ids=names)


def test_every_flag_has_its_checks() -> None:
    assert set(CHECKS) == set(COUNTEREXAMPLES) == set(MEANINGS)


@over_losses
def test_every_loss_states_its_flags(entry: Entry) -> None:
    assert list(entry.flags) == list(MEANINGS)
    for flag in entry.flags.values():
        assert (flag.value is False) == bool(flag.counterexample)
        assert flag.value is not None or flag.note
        assert set(flag.proofs) <= set(proofs())


def test_flags_are_stated_of_losses_only() -> None:
    assert catalogue_flags.stated() == set(entries())


@flagged(True)
def test_a_true_flag_holds(entry: Entry, name: str, request: pytest.FixtureRequest) -> None:
    flag = entry.flags[name]
    assert entry.evidence(name) == [*flag.proofs, request.node.nodeid]
    tried = settings(entry, flag)
    assert tried
    for parameters in tried:
        assert list(CHECKS[name](entry, flag, parameters)) == []


@flagged(False)
def test_a_false_flag_is_broken_by_its_counterexample(
    entry: Entry, name: str, request: pytest.FixtureRequest
) -> None:
    assert entry.evidence(name) == [request.node.nodeid]
    assert COUNTEREXAMPLES[name](entry, entry.flags[name].counterexample, entry.examples[0])


@flagged(False)
def test_the_check_of_a_true_flag_finds_a_false_one(entry: Entry, name: str) -> None:
    flag = entry.flags[name]
    assert any(CHECKS[name](entry, replace(flag, bound=""), entry.examples[0]))


def test_a_flag_that_is_not_stated_is_missed() -> None:
    with pytest.raises(ValueError, match="nothing is stated of the flags proper, "):
        catalogue_flags.flags("a_new_loss", ("logits", "distribution"))


def test_a_flag_that_does_not_apply_is_refused() -> None:
    with pytest.raises(ValueError, match="the flags calibrated, symmetric don't apply to real and real"):
        catalogue_flags.flags("zero_one", ("real", "real"))


@pytest.mark.parametrize("name", MEANINGS)
def test_a_counterexample_that_breaks_nothing_shows(name: str) -> None:
    harmless: dict[str, dict[str, Any]] = {
        "proper": {"law": (0.6, 0.3, 0.1), "forecast": (0.5, 0.3, 0.2)},
        "strictly proper": {"law": (0.6, 0.3, 0.1), "forecast": (0.5, 0.3, 0.2)},
        "calibrated": {"law": (0.6, 0.3, 0.1), "prediction": (0.0, 1.0, 0.0)},
        "convex in the prediction": {"between": ((0.2, 0.4, 0.4), (0.6, 0.2, 0.2)), "target": 0},
        "convex in the logit": {"between": ((0.0, 4.0, 0.0), (0.0, 8.0, 0.0)), "target": 0},
        "Lipschitz in the logit": {"pairs": (((0.0, 0.0), (1.0, 0.0)),) * 3, "target": 0},
        "bounded": {"predictions": ((3.0, 0.0), (30.0, 0.0), (300.0, 0.0)), "target": 0},
        "symmetric": {"predictions": ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))},
        "decomposes": {"batches": ((((0.0, 1.0),), 0), (((2.0, 1.0),), 0))},
    }
    entry = entries()["cross_entropy"]
    assert not COUNTEREXAMPLES[name](entry, harmless[name], {})
