"""The ledger of claims is complete, well formed, and cites only works that the bibliography holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from losscore.claims import Claim, UnknownClaim, claim, ledger, read_ledger

BIBLIOGRAPHY = Path(__file__).parents[1] / "book" / "references.bib"

# Words that speak of how the ledger came about; the reader knows only the usual wording and the statement taught.
FORBIDDEN = re.compile(
    r"\b(source|the text|as written|trial run|check|corrected)\b|\b[A-Z]\d\d\b", re.IGNORECASE
)


def bibliography_keys(text: str) -> list[str]:
    return re.findall(r"^@\w+\{([^,\s]+),", text, flags=re.MULTILINE)


def prose_problems(entry: Claim) -> Iterator[str]:
    """What is wrong with the wording of one entry."""
    for field in ("usual", "hypotheses", "correct"):
        prose = getattr(entry, field)
        if word := FORBIDDEN.search(prose):
            yield f"{entry.id}: {field}: speaks of {word.group()!r}"
        if not prose.endswith("."):
            yield f"{entry.id}: {field}: does not end with a full stop"
        if prose.count("$") % 2:
            yield f"{entry.id}: {field}: an odd number of dollar signs"
        for formula in prose.split("$")[1::2]:
            plain = re.sub(r"\\[{}]", "", formula)
            if not formula or formula != formula.strip() or plain.count("{") != plain.count("}"):
                yield f"{entry.id}: {field}: malformed formula ${formula}$"
        if "\\" in "".join(prose.split("$")[::2]):
            yield f"{entry.id}: {field}: a LaTeX command outside of a formula"


def test_ids_of_the_principles_run_without_a_gap_and_those_of_applications_begin_at_201() -> None:
    ids = list(ledger())
    assert ids[:106] == [f"C{number:02d}" for number in range(1, 107)]
    numbers = [int(id.removeprefix("C")) for id in ids[106:]]
    assert numbers == sorted(set(numbers)) and all(201 <= number <= 248 for number in numbers)
    assert all(claim(f"C{number}").section.startswith("2") for number in numbers)


def test_wording_is_for_the_reader() -> None:
    problems = [problem for entry in ledger().values() for problem in prose_problems(entry)]
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("wording", "problem"),
    [
        ("The source says so.", "speaks of 'source'"),
        ("Shown by C17.", "speaks of 'C17'"),
        ("A half is $\\frac12.", "odd number of dollar signs"),
        ("A half is $\\frac{1}{2$.", "malformed formula"),
        ("A half is \\frac12.", "LaTeX command outside"),
        ("A half", "does not end with a full stop"),
    ],
)
def test_bad_wording_is_found(wording: str, problem: str) -> None:
    [found] = prose_problems(replace(claim("C01"), correct=wording))
    assert problem in found


def test_every_reference_is_in_the_bibliography() -> None:
    keys = bibliography_keys(BIBLIOGRAPHY.read_text("utf-8"))
    cited = {key for entry in ledger().values() for key in entry.references}
    assert cited and cited - set(keys) == set()
    assert sorted(set(keys)) == keys, "keys of the bibliography are unique and sorted"


def test_bibliography_keys_are_read_from_entries_only() -> None:
    assert bibliography_keys("@article{one,\n  note = {@book{two,}}\n}\n@book{three,\n}") == ["one", "three"]


def test_covered_needs_a_page_and_evidence() -> None:
    entry = claim("C01")
    bare = replace(entry, page=None, proofs=(), tests=())
    assert not bare.covered
    assert not replace(bare, page="index").covered
    assert not replace(bare, tests=("tests/test_claims.py::test",)).covered
    assert replace(bare, page="index", tests=("tests/test_claims.py::test",)).covered
    assert replace(bare, page="index", proofs=("proof",)).covered


def test_unknown_claim_is_named() -> None:
    last = list(ledger())[-1]
    with pytest.raises(UnknownClaim, match=f"claim 'C999' is not in the ledger, which holds C01 to {last}$"):
        claim("C999")


GOOD = {
    "id": "C01",
    "usual": "It is so.",
    "verdict": "'true'",
    "hypotheses": "None.",
    "correct": "It is.",
    "references": "[]",
    "section": "'1.1'",
}


def write_ledger(folder: Path, *entries: dict[str, str]) -> Path:
    path = folder / "claims.yml"
    lines = [
        f"{'- ' if position == 0 else '  '}{key}: {value}"
        for entry in entries
        for position, (key, value) in enumerate(entry.items())
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_good_file_is_read(tmp_path: Path) -> None:
    later = {"id": "C02", "page": "principles/role", "proofs": "[a]", "tests": "[b, c]"}
    claims = read_ledger(write_ledger(tmp_path, GOOD, GOOD | later))
    assert list(claims) == ["C01", "C02"]
    assert claims["C01"] == Claim("C01", "It is so.", "true", "None.", "It is.", (), "1.1")
    assert claims["C02"].covered and claims["C02"].tests == ("b", "c")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "17"}, "entry 2: id: expected C and digits, got 17"),
        ({"id": "D17"}, "entry 2: id: expected C and digits, got 'D17'"),
        ({"id": "C17b"}, "entry 2: id: expected C and digits, got 'C17b'"),
        ({"id": "C01"}, "entry 2: C01: id: used twice"),
        (
            {"verdict": "maybe"},
            "C02: verdict: expected one of true, conditional, imprecise, false, got 'maybe'",
        ),
        ({"verdict": "true"}, r"C02: verdict: expected a string \(in quotes if need be\), got True"),
        ({"section": "1.1"}, "C02: section: expected a string .* got 1.1"),
        ({"correct": "''"}, "C02: correct: expected a string"),
        (
            {"references": "gauss1809theoria"},
            "C02: references: expected a list of strings, got 'gauss1809theoria'",
        ),
        ({"proofs": "[1]"}, r"C02: proofs: expected a list of strings, got \[1\]"),
        ({"prooofs": "[a]"}, "C02: prooofs: unknown key; allowed are correct, hypotheses, id"),
    ],
)
def test_bad_entry_is_refused_by_name(tmp_path: Path, change: dict[str, str], message: str) -> None:
    path = write_ledger(tmp_path, GOOD, GOOD | {"id": "C02"} | change)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: .*{message}"):
        read_ledger(path)


@pytest.mark.parametrize("field", ["usual", "verdict", "hypotheses", "correct", "references", "section"])
def test_missing_field_is_named(tmp_path: Path, field: str) -> None:
    entry = {key: value for key, value in GOOD.items() if key != field}
    with pytest.raises(ValueError, match=f"entry 1: C01: {field}: missing"):
        read_ledger(write_ledger(tmp_path, entry))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("C01: true", "expected a list of entries, got dict"),
        ("", "expected a list of entries, got NoneType"),
        ("[]", "expected a list of entries, got list"),
        ("- C01", "entry 1: expected keys and values, got 'C01'"),
        ("- id: [", "not valid YAML"),
    ],
)
def test_bad_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "claims.yml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_ledger(path)
