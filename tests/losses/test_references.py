"""The literature that a docstring names is complete, and agrees with the book's bibliography where both have it."""

from __future__ import annotations

import inspect
import re
import unicodedata
from pathlib import Path

import pytest

import losscore

BIBLIOGRAPHY = Path(__file__).parents[2] / "book" / "references.bib"
REFERENCE = re.compile(r"(?P<authors>.+?) \((?P<year>\d{4})\), (?P<title>.+)")


def plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.lower())
    return " ".join(re.findall("[a-z0-9]+", "".join(c for c in letters if not unicodedata.combining(c))))


def bibliography() -> dict[str, list[tuple[str, str]]]:
    """Authors and year of the works of each title."""

    def field(name: str, entry: str) -> str:
        found = re.search(rf"^\s*{name}\s*=\s*{{(.+?)}},?\s*$", entry, re.MULTILINE | re.DOTALL)
        return plain(found[1]) if found else ""

    entries = re.split(r"^@", BIBLIOGRAPHY.read_text("utf-8"), flags=re.MULTILINE)
    works: dict[str, list[tuple[str, str]]] = {}
    for entry in entries:
        works.setdefault(field("title", entry), []).append((field("author", entry), field("year", entry)))
    return works


def references(name: str) -> list[re.Match[str] | None]:
    _, _, text = (inspect.getdoc(getattr(losscore, name)) or "").partition("References:")
    return [REFERENCE.fullmatch(part) for part in " ".join(text.split()).rstrip(".").split("; ")]


def test_the_bibliography_is_read() -> None:
    assert bibliography()["robust estimation of a location parameter"] == [("huber peter j", "1964")]


@pytest.mark.parametrize("name", losscore.__all__)
def test_references_are_complete_and_those_of_the_book(name: str) -> None:
    known = bibliography()
    for reference in references(name):
        assert reference
        first = plain(re.split(",| & | et al", reference["authors"])[0])
        works = known.get(plain(reference["title"]))
        assert works is None or any(
            year == reference["year"] and authors.startswith(first) for authors, year in works
        )
