"""The ledger, the pages, the proofs and the tests of this very run name the same claims."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from losscore.claims import Claim, ledger
from tests.book.site import EVIDENCE, SITE, expect_none, soup

PROOF = "tests/symbolic/test_proofs.py::test_proof_holds[{}]"

Outcomes = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    if not EVIDENCE.exists():
        pytest.fail(
            "There is no record of the unit tests' evidence: run `make test`, which writes it.", pytrace=False
        )
    return json.loads(EVIDENCE.read_text("utf-8"))


def named(claim: Claim) -> list[str]:
    """The test ids that the ledger gives as evidence for a claim, those of its proofs included."""
    return [PROOF.format(name) for name in claim.proofs] + list(claim.tests)


def matches(node: str, name: str) -> bool:
    """Whether a test that ran is the named one; a name without parameters means all its cases."""
    return node == name or node.startswith(f"{name}[")


def evidence_problems(claims: Mapping[str, Claim], outcomes: Outcomes) -> Iterator[str]:
    for identifier, claim in claims.items():
        ran = outcomes.get(identifier, {})
        for name in named(claim):
            results = [outcome for node, outcome in ran.items() if matches(node, name)]
            if not results:
                yield f"{identifier}: the ledger names {name}, but no such test ran with this claim's mark"
            elif set(results) != {"passed"}:
                yield f"{identifier}: {name} did not pass"
        for node in ran:
            if not any(matches(node, name) for name in named(claim)):
                yield f"{identifier}: {node} is marked as evidence, but the ledger does not name it"


def anchor_problems(claims: Mapping[str, Claim], site: Path) -> Iterator[str]:
    for identifier, claim in claims.items():
        if claim.page is None:
            continue
        page = site / "book" / f"{claim.page}.html"
        if not page.exists():
            yield f"{identifier}: the page {claim.page} is not in the built site"
        elif soup(page).find(id=f"claim-{identifier.lower()}") is None:
            yield f"{identifier}: the page {claim.page} has no anchor claim-{identifier.lower()}"


def test_evidence_ran_green_and_is_named(outcomes: Outcomes) -> None:
    expect_none(evidence_problems(ledger(), outcomes))


def test_pages_have_the_anchors_of_their_claims() -> None:
    expect_none(anchor_problems(ledger(), SITE))


def test_claims_page_lists_every_claim_and_counts_honestly() -> None:
    text = soup(SITE / "book" / "claims.html").find("article").get_text(" ")
    claims = ledger()
    assert [name for name in claims if name not in text] == []
    covered = sum(claim.covered for claim in claims.values())
    assert str(covered) in text and str(len(claims)) in text


def entry(**evidence: Any) -> dict[str, Claim]:
    return {"C01": replace(ledger()["C01"], **({"page": None, "proofs": (), "tests": ()} | evidence))}


T = "tests/test_x.py::test_y"


@pytest.mark.parametrize(
    ("claims", "ran", "problem"),
    [
        (entry(tests=(T,)), {T: "passed"}, None),
        (entry(tests=(T,)), {f"{T}[1]": "passed", f"{T}[2]": "passed"}, None),
        (entry(proofs=("convex",)), {PROOF.format("convex"): "passed"}, None),
        (entry(), {}, None),
        (entry(tests=(T,)), {}, "no such test ran"),
        (entry(tests=(T,)), {f"{T}_other": "passed"}, "no such test ran"),
        (entry(tests=(T,)), {T: "failed"}, "did not pass"),
        (entry(tests=(T,)), {T: "skipped"}, "did not pass"),
        (entry(tests=(T,)), {f"{T}[1]": "passed", f"{T}[2]": "failed"}, "did not pass"),
        (entry(), {T: "passed"}, "the ledger does not name it"),
    ],
)
def test_the_check_of_evidence(claims: dict[str, Claim], ran: dict[str, str], problem: str | None) -> None:
    found = " ".join(evidence_problems(claims, {"C01": ran}))
    assert problem in found if problem else not found


def test_the_check_of_anchors(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "role.html").write_text('<span id="claim-c02"></span>', "utf-8")
    assert "no anchor claim-c01" in " ".join(anchor_problems(entry(page="role"), tmp_path))
    assert "not in the built site" in " ".join(anchor_problems(entry(page="absent"), tmp_path))
    (tmp_path / "book" / "right.html").write_text('<span id="claim-c01"></span>', "utf-8")
    assert not list(anchor_problems(entry(page="right"), tmp_path))
