"""The ledger, the pages, the proofs and the tests of this very run name the same claims."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from losscore.claims import Claim, ledger
from tests.book.site import EVIDENCE, SITE, soup

PROOF = "tests/symbolic/test_proofs.py::test_proof_holds[{}]"

Outcomes = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    if not EVIDENCE.exists():
        pytest.fail("There is no record of the unit tests' evidence: run `make test`, which writes it.", pytrace=False)
    return json.loads(EVIDENCE.read_text("utf-8"))


def named(claim: Claim) -> list[str]:
    """The test ids that the ledger gives as evidence for a claim, those of its proofs included."""
    return [PROOF.format(name) for name in claim.proofs] + list(claim.tests)


def matches(node: str, name: str) -> bool:
    """Whether a test that ran is the named one; a name without parameters means every parametrised case of it."""
    return node == name or node.startswith(f"{name}[")


def evidence_problems(claims: Mapping[str, Claim], outcomes: Outcomes) -> Iterator[str]:
    for identifier, claim in claims.items():
        ran = outcomes.get(identifier, {})
        for name in named(claim):
            results = [outcome for node, outcome in ran.items() if matches(node, name)]
            if not results:
                yield f"{identifier}: the ledger names {name}, but no such test ran with the mark claim({identifier!r})"
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
    problems = list(evidence_problems(ledger(), outcomes))
    assert not problems, "\n".join(problems)


def test_pages_have_the_anchors_of_their_claims() -> None:
    problems = list(anchor_problems(ledger(), SITE))
    assert not problems, "\n".join(problems)


def test_claims_page_lists_every_claim_and_counts_honestly() -> None:
    text = soup(SITE / "book" / "claims.html").find("article").get_text(" ")
    claims = ledger()
    assert [name for name in claims if name not in text] == []
    covered = sum(claim.covered for claim in claims.values())
    assert str(covered) in text and str(len(claims)) in text
