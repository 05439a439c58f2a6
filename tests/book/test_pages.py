"""What every page owes its reader, read from its HTML."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from bs4 import BeautifulSoup, Tag

from tests.book.site import DOCUMENTS, built, expect_none, prose, raw_markup, soup

SHORTEST_ALTERNATIVE = 40
HTML_KILOBYTES = 100

every_page = pytest.mark.parametrize("document", DOCUMENTS)


def figures(page: BeautifulSoup) -> list[Tag]:
    """Images and drawings of the article; what is hidden from screen readers is decoration."""
    found = page.select("article img, article svg, article canvas")
    return [
        figure
        for figure in found
        if not figure.find_parent(attrs={"aria-hidden": "true"}) and not is_hidden(figure)
    ]


def is_hidden(figure: Tag) -> bool:
    return figure.get("aria-hidden") == "true"


def alternative(figure: Tag) -> str:
    return " ".join(str(figure.get("alt") or figure.get("aria-label") or "").split())


def caption(figure: Tag) -> str:
    holder = figure.find_parent("figure")
    text = holder.find("figcaption") if holder else None
    return " ".join(text.get_text().split()) if text else ""


def poor_alternatives(page: BeautifulSoup) -> Iterator[str]:
    for figure in figures(page):
        text = alternative(figure)
        if len(text) < SHORTEST_ALTERNATIVE:
            yield f"shorter than {SHORTEST_ALTERNATIVE} characters: {text!r} of a {figure.name}"
        elif text == caption(figure):
            yield f"repeats the caption: {text!r}"
        elif text.endswith((".png", ".svg", ".jpg")):
            yield f"is a file name: {text!r}"
        elif figure.name == "svg" and figure.get("role") != "img":
            yield f'drawing without role="img": {text!r}'


@every_page
def test_figures_have_alternative_texts(document: str) -> None:
    expect_none(poor_alternatives(soup(built(document))))


@every_page
def test_no_raw_markup_is_left(document: str) -> None:
    expect_none(raw_markup(prose(soup(built(document)))))


@every_page
def test_head_and_heading(document: str) -> None:
    page = soup(built(document))
    html = page.find("html")
    assert html is not None and html.get("lang") == "en"
    headings = [
        heading.get_text() for heading in page.find_all("h1") if not heading.find_parent(class_="onlyprint")
    ]
    assert len(headings) == 1, headings
    assert page.title is not None and page.title.get_text().strip()
    description = page.find("meta", attrs={"name": "description"})
    assert description is not None and len(description["content"]) >= 40
    assert page.find("link", rel="icon") is not None


def test_headings_of_an_opening_leave_the_numbers_to_its_chapters() -> None:
    opening = soup(built("book/principles/index"))
    assert len(opening.select("article h2")) >= 4
    chapter = soup(built("book/principles/role")).select_one("article h1 .section-number")
    assert chapter is not None and chapter.get_text().strip() == "1.1."


@every_page
def test_html_is_light(document: str) -> None:
    page = BeautifulSoup(built(document).read_bytes(), "html.parser")
    for figure in page.select("article svg, article img"):
        figure.decompose()
    kilobytes = len(gzip.compress(str(page).encode())) / 1000
    assert kilobytes <= HTML_KILOBYTES


LONG = "The loss falls from two to one and stays there for all larger margins."


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ('<img src="a.png">', "shorter"),
        ('<img src="a.png" alt="a-figure-with-a-long-name-that-nobody-described.png">', "file name"),
        (f'<figure><img alt="{LONG}"><figcaption>{LONG}</figcaption></figure>', "repeats the caption"),
        ("<svg></svg>", "shorter"),
        (f'<svg aria-label="{LONG}"></svg>', "without role"),
        (f'<svg role="img" aria-label="{LONG}"></svg>', None),
        ('<svg aria-hidden="true"></svg>', None),
    ],
)
def test_the_check_of_alternatives(html: str, problem: str | None) -> None:
    found = list(poor_alternatives(BeautifulSoup(f"<article>{html}</article>", "html.parser")))
    assert (not found) if problem is None else (len(found) == 1 and problem in found[0])


@pytest.mark.parametrize("text", ["```{note}", ":::{tip}", "see {ref}`x`", "{glue:text}`n`", ":class: tip\n"])
def test_the_check_of_raw_markup(text: str) -> None:
    assert raw_markup(text)
    assert not raw_markup("The set {a} and `code`: nothing to resolve.")
