"""Every link and anchor of the built site resolves, and no page loads anything from another host."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

from tests.book.site import SITE, expect_none, html_pages, soup

LOADING = (
    ("img", "src"),
    ("script", "src"),
    ("link", "href"),
    ("iframe", "src"),
    ("source", "src"),
    ("object", "data"),
)
FOREIGN_IN_CSS = re.compile(r"""(?:url\(\s*|@import\s+)["']?(https?:)?//[^)"';]+""")


def is_foreign(target: str) -> bool:
    return target.startswith("//") or urlsplit(target).scheme in ("http", "https")


def loads(page: BeautifulSoup) -> Iterator[str]:
    """What a browser fetches to show a page."""
    for name, attribute in LOADING:
        for tag in page.find_all(name):
            if tag.get(attribute) and "canonical" not in (tag.get("rel") or []):
                yield tag[attribute]
    for tag in page.find_all(srcset=True):
        yield from (part.split()[0] for part in tag["srcset"].split(","))


def foreign_loads(page: BeautifulSoup) -> list[str]:
    styles = [tag.get_text() for tag in page.find_all("style")] + [
        tag["style"] for tag in page.find_all(style=True)
    ]
    return [target for target in loads(page) if is_foreign(target)] + [
        match.group() for style in styles for match in FOREIGN_IN_CSS.finditer(style)
    ]


def anchors(page: BeautifulSoup) -> set[str]:
    return {tag["id"] for tag in page.find_all(id=True)}


def broken_links(path: Path, root: Path) -> Iterator[str]:
    page = soup(path)
    targets = {tag["href"] for tag in page.find_all("a", href=True)} | set(loads(page))
    for target in sorted(targets):
        parts = urlsplit(target)
        if parts.scheme or target.startswith("//"):
            continue
        file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if file.is_dir():
            file /= "index.html"
        if not file.is_file() or not file.is_relative_to(root):
            yield f"{target} (no such file)"
        elif parts.fragment and file.suffix == ".html" and unquote(parts.fragment) not in anchors(soup(file)):
            yield f"{target} (no such anchor)"


def by_page(check: Callable[[Path], Iterable[str]]) -> Iterator[str]:
    for page in html_pages():
        yield from (f"{page.relative_to(SITE)}: {problem}" for problem in check(page))


def repeated_ids(page: BeautifulSoup) -> list[str]:
    counts = Counter(tag["id"] for tag in page.find_all(id=True))
    return [f"id {name!r} stands {count} times" for name, count in counts.items() if count > 1]


def test_links_and_anchors_resolve() -> None:
    expect_none(by_page(lambda page: broken_links(page, SITE)))


def test_nothing_loads_from_another_host() -> None:
    expect_none(by_page(lambda page: foreign_loads(soup(page))))
    sheets = {sheet: sheet.read_text("utf-8") for sheet in SITE.rglob("*.css")}
    expect_none(
        f"{sheet.name}: {m.group()}" for sheet, text in sheets.items() for m in FOREIGN_IN_CSS.finditer(text)
    )


def test_ids_are_unique() -> None:
    expect_none(by_page(lambda page: repeated_ids(soup(page))))


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ('<a href="absent.html">x</a>', "absent.html (no such file)"),
        ('<a href="#absent">x</a>', "#absent (no such anchor)"),
        ('<img src="absent.png">', "absent.png (no such file)"),
        ('<a href="../outside.html">x</a>', "../outside.html (no such file)"),
        ('<p id="here"></p><a href="#here">x</a>', None),
    ],
)
def test_the_link_check_finds_broken_links(tmp_path: Path, html: str, problem: str | None) -> None:
    root = tmp_path / "site"
    root.mkdir()
    (tmp_path / "outside.html").touch()
    (root / "page.html").write_text(html, "utf-8")
    assert list(broken_links(root / "page.html", root)) == ([problem] if problem else [])


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="preconnect" href="//cdn.example">',
        '<img srcset="a.png 1x, https://cdn.example/b.png 2x">',
        "<style>@import 'https://cdn.example/x.css'</style>",
        '<p style="background: url(//cdn.example/x.png)"></p>',
    ],
)
def test_the_host_check_finds_foreign_loads(html: str) -> None:
    assert foreign_loads(BeautifulSoup(html, "html.parser"))
    assert not foreign_loads(BeautifulSoup('<a href="https://elsewhere.example">x</a>', "html.parser"))


def test_the_id_check_finds_repeated_ids() -> None:
    assert repeated_ids(BeautifulSoup('<p id="a"></p><p id="a"></p>', "html.parser")) == [
        "id 'a' stands 2 times"
    ]
