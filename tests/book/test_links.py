"""Every link and anchor of the built site resolves, and no page loads anything from another host."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

from tests.book.site import SITE, html_pages, soup

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
    styles = [tag.get_text() for tag in page.find_all("style")] + [tag["style"] for tag in page.find_all(style=True)]
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


def collect(problems: dict[str, list[str]]) -> str:
    return "\n".join(f"{page}: {problem}" for page, found in problems.items() for problem in found)


def test_links_and_anchors_resolve() -> None:
    problems = {str(page.relative_to(SITE)): list(broken_links(page, SITE)) for page in html_pages()}
    assert not collect(problems), collect(problems)


def test_nothing_loads_from_another_host() -> None:
    problems = {str(page.relative_to(SITE)): foreign_loads(soup(page)) for page in html_pages()}
    for sheet in SITE.rglob("*.css"):
        problems[str(sheet.relative_to(SITE))] = [m.group() for m in FOREIGN_IN_CSS.finditer(sheet.read_text("utf-8"))]
    assert not collect(problems), collect(problems)


def test_ids_are_unique() -> None:
    problems = {}
    for page in html_pages():
        counts = Counter(tag["id"] for tag in soup(page).find_all(id=True))
        problems[str(page.relative_to(SITE))] = [name for name, count in counts.items() if count > 1]
    assert not collect(problems), collect(problems)


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
