"""Measured numbers are not typed: in the three parts a decimal number or a percentage comes from a cell by `glue`.

A number that is a definition, a parameter or a citation's own is allowed where the paragraph is preceded by a
comment line that says so: `% typed: <why>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.book.site import DOCUMENTS, expect_none, source

PARTS = [name for name in DOCUMENTS if name.split("/")[1] in ("principles", "applications", "exercises")]
NUMBER = re.compile(r"\d+(?:\.\d+)?\s?(?:%|per cent\b)|(?<![\w.])\d+\.\d+(?!\.?\d)")
ALLOWED = re.compile(r"^% typed: \S")
HIDDEN = (
    re.compile(r"\A---\n.*?^---\n", re.MULTILINE | re.DOTALL),
    re.compile(r"^(`{3,})\{(?:code-cell|math|code-block)\}.*?^\1\s*$", re.MULTILINE | re.DOTALL),
    re.compile(r"\$\$.*?\$\$", re.DOTALL),
    re.compile(r"\$[^$]+\$"),
    re.compile(r"\{[a-z:-]+\}`[^`]*`"),
    re.compile(r"`[^`\n]+`"),
    re.compile(r"\]\([^)]*\)"),
)


def typed_numbers(text: str) -> Iterator[tuple[int, str]]:
    """Line and number of every number in the prose that no comment allows."""
    for pattern in HIDDEN:
        text = pattern.sub(lambda match: "\n" * match.group().count("\n"), text)
    allowed = False
    for line, content in enumerate(text.splitlines(), 1):
        if not content.strip():
            allowed = False
        if ALLOWED.match(content):
            allowed = True
        if not allowed:
            yield from ((line, match.group()) for match in NUMBER.finditer(content))


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
        ("Version 1.2.3 of [it](https://example.org/v1.5).", []),
    ],
)
def test_the_check_of_numbers(text: str, numbers: list[str]) -> None:
    assert [number for _, number in typed_numbers(text)] == numbers
