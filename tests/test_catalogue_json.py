"""The catalogue as JSON: complete, plain, and the same from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from losscore.catalogue import entries, to_json
from losscore.catalogue_flags import MEANINGS


@pytest.fixture(scope="module")
def exported() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(to_json())
    return found


def test_every_loss_is_there_with_all_its_parts(exported: dict[str, Any]) -> None:
    assert [loss["name"] for loss in exported["losses"]] == list(entries())
    for loss in exported["losses"]:
        assert all(
            loss[part] for part in ("family", "call", "formula", "input", "target", "elicits", "references")
        )
        assert list(loss["flags"]) == list(exported["flags"]) == list(MEANINGS)


def test_flags_come_with_what_they_rest_on(exported: dict[str, Any]) -> None:
    flags = {
        (loss["name"], name): flag for loss in exported["losses"] for name, flag in loss["flags"].items()
    }
    assert flags["logistic", "Lipschitz in the logit"] == {
        "value": True,
        "bound": "1",
        "evidence": [
            "logistic_bends_up_and_is_capped",
            "tests/losses/test_flags.py::test_a_true_flag_holds[Lipschitz_in_the_logit-logistic]",
        ],
    }
    assert flags["brier", "convex in the logit"]["counterexample"]["between"]
    assert flags["huber", "calibrated"] == {"value": None, "note": "there are no classes", "evidence": []}


def test_numbers_are_not_lost(exported: dict[str, Any]) -> None:
    pinball = next(loss for loss in exported["losses"] if loss["name"] == "pinball")
    assert pinball["parameters"] == [{"quantile": 0.9}, {"quantile": 0.5}, {"quantile": 0.05}]
    assert (
        r"\tau" in pinball["formula"]
        and pinball["call"] == "pinball(input, target, *, quantile, reduction='mean')"
    )


def test_the_command_prints_the_same() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "losscore.catalogue"], capture_output=True, text=True, check=True, timeout=120
    )
    assert json.loads(printed.stdout) == json.loads(to_json())
