"""Measured numbers are not typed: decimals and percentages in the three parts come from a cell by `glue`.

Numbers that the page's own code or formulas contain are given, not measured, and may be typed; so may the
level of an interval and the number of a section. Any other is allowed where the paragraph follows a comment
line that says why: `% typed: <why>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.book.site import DOCUMENTS, expect_none, source

PARTS = [name for name in DOCUMENTS if name.split("/")[1] in ("principles", "applications", "exercises")]
NUMBER = re.compile(r"\d+(?:\.\d+)?\s?(?:%|per cent\b)|(?<![\w.])\d+\.\d+(?!\.?\d)")
ALLOWED = re.compile(r"^% typed: \S")
NAMING = re.compile(
    r"\b(?:[Ss]ection|[Ee]xercise|[Cc]hapter|[Vv]ersion) \d+\.\d+|\d+\s?% (?:confidence )?intervals?\b"
)
GIVEN = (
    re.compile(r"^(`{3,})\{(?:code-cell|math|code-block)\}.*?^\1\s*$", re.MULTILINE | re.DOTALL),
    re.compile(r"\$\$.*?\$\$", re.DOTALL),
    re.compile(r"\$[^$]+\$"),
    re.compile(r"(?<!\})`[^`\n]+`"),
)
HIDDEN = (
    re.compile(r"\A---\n.*?^---\n", re.MULTILINE | re.DOTALL),
    *GIVEN,
    re.compile(r"\{[a-z:-]+\}`[^`]*`"),
    re.compile(r"\]\([^)]*\)"),
    NAMING,
)


def given_numbers(text: str) -> set[float]:
    parts = (part.group() for pattern in GIVEN for part in pattern.finditer(text))
    return {float(number) for part in parts for number in re.findall(r"\d+\.\d+", part)}


def typed_numbers(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of every number in the prose that neither code nor formulas give nor a comment allows."""
    given = given_numbers(text)
    for pattern in HIDDEN:
        text = pattern.sub(lambda match: "\n" * match.group().count("\n"), text)
    allowed = False
    for line, content in enumerate(text.splitlines(), 1):
        if not content.strip():
            allowed = False
        if ALLOWED.match(content):
            allowed = True
        if not allowed:
            found = (match.group() for match in NUMBER.finditer(content))
            yield from (
                (line, number)
                for number in found
                if number.endswith(("%", "cent")) or float(number) not in given
            )


@pytest.mark.parametrize("document", PARTS)
def test_numbers_come_from_cells(document: str) -> None:
    expect_none(
        f"{document}.md:{line}: {number} is typed: glue it, or say why above the paragraph (% typed: …)"
        for line, number in typed_numbers(source(document).read_text("utf-8"))
    )


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("The accuracy is 0.913 here.", ["0.913"]),
        ("It falls by 12 % or 3.5%.", ["12 %", "3.5%"]),
        ("At $m = 0.5$ and `q=0.7` it is {glue:text}`slope`.", []),
        ("```{code-cell}\nx = 0.25\n```\n", []),
        ("% typed: the level that Koenker and Bassett use\nThe level is 0.95.\n\nAnd 0.8.", ["0.8"]),
        ("% typed:\nNo reason: 0.95.", ["0.95"]),
        ("Train with a rate of 0.1.\n\n```{code-cell}\nrate = 0.10\n```\nIt ends at 0.2.", ["0.2"]),
        ("See section 1.1: the mean with its 95 % interval.", []),
        ("Version 1.2.3 of [it](https://example.org/v1.5).", []),
    ],
)
def test_the_check_of_numbers(text: str, numbers: list[str]) -> None:
    assert [number for _, number in typed_numbers(text)] == numbers
