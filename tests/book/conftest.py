"""What the tests of the built site need: the site itself, a local server and a browser without a network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.book.server import Server
from tests.book.site import SITE

NO_CHROMIUM = "the checks in a browser: no Chromium on this machine (on Debian: apt-get install chromium)"


@pytest.fixture(autouse=True, scope="session")
def site_is_built() -> None:
    if not (SITE / "index.html").exists():
        pytest.fail("There is no built site in _build/html: run `make book` first.", pytrace=False)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, which can reach this machine's own address and no other."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail(f"Continuous integration may not skip {NO_CHROMIUM}", pytrace=False)
        pytest.skip(NO_CHROMIUM)
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ]
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield chrome
        chrome.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A new reader: empty cache, nothing stored."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server(SITE) as server:
        yield server
