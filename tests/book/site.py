"""The built site and its sources, as the tests of this folder read them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tools.sources import pages

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
NOTEBOOKS = ROOT / "book" / "notebooks" / "en"
EVIDENCE = ROOT / "_build" / "reports" / "evidence.json"


DOCUMENTS = pages()


def source(document: str) -> Path:
    return ROOT / f"{document}.md"


def built(document: str) -> Path:
    return SITE / f"{document}.html"


@cache
def soup(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_bytes(), "html.parser")


def html_pages() -> list[Path]:
    """Every HTML page that a reader can reach, the search page included."""
    return sorted(page for page in SITE.rglob("*.html") if "_static" not in page.parts)


def prose(page: BeautifulSoup) -> str:
    """The words of a page's article, without code, equations, scripts and figures."""
    article = BeautifulSoup(str(page.find("article") or page.find("main") or page), "html.parser")
    for tag in article.select("pre, code, script, style, svg, .math, .output"):
        tag.decompose()
    return article.get_text(" ")


SHOWN = 20

RAW_MARKUP = re.compile(r"`{3,}\{|:{3,}\{|\{[a-z][a-z:-]*\}`|^:[a-z-]+: ", re.MULTILINE)


def raw_markup(text: str) -> list[str]:
    """Directive fences, options and roles that should have been resolved, each with what follows it."""
    return [text[match.start() : match.start() + 60] for match in RAW_MARKUP.finditer(text)]


def expect_none(problems: Iterable[str]) -> None:
    """Fail with the list of problems, one a line, where there are any."""
    found = [" ".join(problem.split()) for problem in problems]
    if found:
        more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        pytest.fail("\n".join(found[:SHOWN] + more), pytrace=False)
