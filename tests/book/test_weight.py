"""What a reader's browser fetches, compressed as static hosts send it."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext

from tests.book.server import Server
from tests.book.site import DOCUMENTS

FIRST_VISIT = 1_000_000
FURTHER_PAGE = 150_000


def visit(context: BrowserContext, server: Server, document: str) -> list[tuple[str, int]]:
    """Open a page, wait for its equations, scroll through it; each response's path and bytes."""
    server.sent()
    page = context.new_page()
    page.goto(f"{server.url}{document}.html", wait_until="networkidle")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")
    page.close()
    return server.sent()


def total(responses: list[tuple[str, int]]) -> int:
    return sum(size for _, size in responses)


def listing(responses: list[tuple[str, int]]) -> str:
    return "\n".join(f"{size:9,} {path}" for path, size in sorted(responses, key=lambda r: -r[1]))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_first_visit(context: BrowserContext, server: Server, document: str) -> None:
    responses = visit(context, server, document)
    assert total(responses) > 10_000
    assert total(responses) <= FIRST_VISIT, listing(responses)


@pytest.mark.parametrize("document", DOCUMENTS[1:])
def test_further_page(context: BrowserContext, server: Server, document: str) -> None:
    visit(context, server, DOCUMENTS[0])
    responses = visit(context, server, document)
    assert any(path.startswith(f"/{document}.html") for path, _ in responses)
    assert total(responses) <= FURTHER_PAGE, listing(responses)
