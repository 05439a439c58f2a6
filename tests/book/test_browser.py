"""The built pages in Chromium, with every host but this machine out of reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from losscore.exercises import exercises
from tests.book.server import Server
from tests.book.site import DOCUMENTS, SITE, built, expect_none, soup

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
AFTER_RESIZE = 600  # milliseconds; the theme lets the keyboard reach what now scrolls 300 ms after a resize
OF_COLOUR = ["color-contrast", "link-in-text-block"]
THEME = "document.documentElement.dataset.theme"
EQUATIONS_DONE = (
    "() => !document.querySelector('.math') || (window.MathJax?.startup?.promise?.then(() => true) ?? false)"
)
LEFT_AS_TEX = """() => {
  const walker = document.createTreeWalker(document.querySelector('article'), NodeFilter.SHOW_TEXT);
  const left = [];
  while (walker.nextNode()) {
    const text = walker.currentNode;
    if (text.parentElement.closest('script, style, pre, code, mjx-container')) continue;
    if (/\\\\\\(|\\\\\\[|\\$\\$/.test(text.data)) left.push(text.data.trim().slice(0, 60));
  }
  return left;
}"""
TOO_WIDE = """() => [...document.querySelectorAll('article *')]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.parentElement.closest('mjx-container'))
  .slice(0, 5).map(e => `${e.tagName} ${e.className} ${Math.round(e.getBoundingClientRect().right)}`)"""

every_page = pytest.mark.parametrize("document", DOCUMENTS)


class Reader:
    """One browser tab that notes what goes wrong in it."""

    def __init__(self, context: BrowserContext, server: Server) -> None:
        self.server = server
        self.page: Page = context.new_page()
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        self.page.on(
            "console", lambda m: m.type in ("error", "warning") and self.problems.append(f"console: {m.text}")
        )
        self.page.on("request", lambda request: self.note_foreign(request.url))
        self.page.on(
            "response", lambda r: r.status >= 400 and self.problems.append(f"status {r.status}: {r.url}")
        )

    def note_foreign(self, url: str) -> None:
        if not url.startswith((self.server.url, "data:", "blob:")):
            self.problems.append(f"request to another host: {url}")

    def open(self, document: str) -> Page:
        self.page.goto(f"{self.server.url}{document}.html", wait_until="load")
        self.page.wait_for_function(EQUATIONS_DONE)
        return self.page


@pytest.fixture
def reader(context: BrowserContext, server: Server) -> Reader:
    return Reader(context, server)


@every_page
def test_page_works_without_a_network(reader: Reader, document: str) -> None:
    page = reader.open(document)
    expect_none(reader.problems)
    expect_none(page.evaluate(LEFT_AS_TEX))
    assert page.locator("mjx-merror").count() == 0
    if page.locator("article .math").count():
        assert page.locator("article mjx-container").count() >= page.locator("article .math").count()


@every_page
def test_page_fits_a_phone(reader: Reader, document: str) -> None:
    reader.page.set_viewport_size(PHONE)
    page = reader.open(document)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"], page.evaluate(TOO_WIDE)


@every_page
def test_page_is_accessible(browser: Browser, server: Server, document: str) -> None:
    """All rules on a desktop in light; those of colour again in the dark, the others again on a phone."""
    context = browser.new_context(viewport=DESKTOP, color_scheme="light", reduced_motion="reduce")
    page = Reader(context, server).open(document)
    assert page.evaluate(THEME) == "light"
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{THEME} === 'dark'")
    found += violations(page, {"runOnly": OF_COLOUR})
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(AFTER_RESIZE)
    found += violations(page, {"rules": {rule: {"enabled": False} for rule in OF_COLOUR}})
    context.close()
    expect_none(dict.fromkeys(found))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_only_a_phone_shows_is_accessible(browser: Browser, server: Server, scheme: str) -> None:
    context = browser.new_context(viewport=PHONE, color_scheme=scheme, reduced_motion="reduce")
    page = Reader(context, server).open(DOCUMENTS[0])
    assert page.evaluate(THEME) == scheme
    expect_none(violations(page))
    context.close()


def violations(page: Page, rules: dict[str, Any] | None = None) -> list[str]:
    response = Axe().run(page, options={"resultTypes": ["violations"], **(rules or {})}).response
    return [
        f"{violation['id']} at {' '.join(map(str, node['target']))}: {node['html'][:200]} "
        f"{node['failureSummary'][:300]}"
        for violation in response["violations"]
        for node in violation["nodes"]
    ]


def test_axe_finds_a_violation(reader: Reader) -> None:
    page = reader.open(DOCUMENTS[0])
    page.evaluate("document.querySelector('article').insertAdjacentHTML('beforeend', '<img src=\"data:,\">')")
    assert any(violation.startswith("image-alt at ") for violation in violations(page))


def test_tex_left_in_the_text_is_found(reader: Reader) -> None:
    page = reader.open(DOCUMENTS[0])
    page.evaluate("document.querySelector('article').insertAdjacentHTML('beforeend', '<p>\\\\(x^2\\\\)</p>')")
    assert page.evaluate(LEFT_AS_TEX)


def test_search_finds_a_term(reader: Reader) -> None:
    page = reader.page
    page.goto(f"{reader.server.url}search.html?q=entropy")
    expect_none(reader.problems)
    page.wait_for_selector("#search-results li a")
    targets = page.locator("#search-results li a").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    assert any("role" in target for target in targets)
    page.goto(f"{reader.server.url}search.html?q=zyzzyva")
    page.wait_for_selector("text=did not match any documents")
    assert page.locator("#search-results li").count() == 0
    expect_none(reader.problems)


def test_search_opens_by_keyboard_and_by_its_button(reader: Reader) -> None:
    page = reader.open(DOCUMENTS[1])
    page.keyboard.press("Control+k")
    field = page.locator("input[type=search]:visible").first
    field.wait_for()
    field.fill("entropy")
    field.press("Enter")
    page.wait_for_url("**/search.html?q=entropy*")
    page = reader.open(DOCUMENTS[1])
    page.locator("button.search-button__button:visible, button.search-button-field:visible").first.click()
    field = page.locator("input[type=search]:visible").first
    field.wait_for()
    assert field.is_editable()


def test_theme_button_changes_light_and_dark_and_remembers(reader: Reader) -> None:
    page = reader.open(DOCUMENTS[0])
    seen = set()
    for _ in range(3):
        page.locator("button.theme-switch-button:visible").first.click()
        seen.add(page.evaluate(THEME))
    assert seen == {"light", "dark"}
    while page.evaluate("document.documentElement.dataset.mode") != "dark":
        page.locator("button.theme-switch-button:visible").first.click()
    assert reader.open(DOCUMENTS[1]).evaluate(THEME) == "dark"


def test_figures_follow_the_theme(browser: Browser, server: Server) -> None:
    """Text in drawings takes the page's ink: its colour differs between light and dark."""
    document = next(name for name in DOCUMENTS if soup(built(name)).select("article svg[role=img]"))
    inks = []
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = Reader(context, server).open(document)
        inks.append(
            page.locator("article svg[role=img]").first.evaluate("svg => getComputedStyle(svg).color")
        )
        context.close()
    assert inks[0] != inks[1]


def sliders() -> Iterator[tuple[str, int]]:
    if SITE.exists():
        for document in DOCUMENTS:
            for index, _ in enumerate(soup(built(document)).select("article input[type=range]")):
                yield document, index


def drawn(page: Page, index: int) -> tuple[list[str], str]:
    """The curves and the words around a slider."""
    return (
        page.locator("article input[type=range]")
        .nth(index)
        .evaluate(
            """input => {
          let box = input;
          while (!box.querySelector('svg')) box = box.parentElement;
          const moving = [...box.querySelectorAll('svg *')].map(e => e.outerHTML);
          return [moving, [...box.querySelectorAll('output')].map(e => e.textContent).join(' ')];
        }"""
        )
    )


def test_there_is_a_slider_on_the_landing_page() -> None:
    assert (DOCUMENTS[0], 0) in list(sliders())


@pytest.mark.parametrize(("document", "index"), list(sliders()))
@pytest.mark.parametrize("way", ["keyboard", "mouse", "touch"])
def test_slider_moves(browser: Browser, server: Server, document: str, index: int, way: str) -> None:
    context = browser.new_context(viewport=PHONE if way == "touch" else DESKTOP, has_touch=way == "touch")
    page = Reader(context, server).open(document)
    slider = page.locator("article input[type=range]").nth(index)
    slider.scroll_into_view_if_needed()
    before = drawn(page, index)
    if way == "keyboard":
        slider.focus()
        page.keyboard.press("End" if slider.input_value() != slider.get_attribute("max") else "Home")
    else:
        box = slider.bounding_box()
        assert box is not None
        share = 0.9 if int(slider.input_value()) < int(slider.get_attribute("max") or 0) / 2 else 0.1
        position = {"x": box["width"] * share, "y": box["height"] / 2}
        slider.tap(position=position) if way == "touch" else slider.click(position=position)
    after = drawn(page, index)
    context.close()
    assert before[0] != after[0], "the drawing did not change"
    assert before[1] != after[1], "the readout did not change"


@pytest.mark.parametrize("document", [f"book/exercises/{name}" for name in exercises()])
def test_solutions_are_folded_and_open_by_keyboard(reader: Reader, document: str) -> None:
    page = reader.open(document)
    folded = page.locator("article details")
    assert folded.count() > 0
    assert page.locator("article details[open]").count() == 0
    summary = folded.first.locator("summary")
    summary.focus()
    page.keyboard.press("Enter")
    assert folded.first.get_attribute("open") is not None
