import os
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from losscore.lab import SliderFigure
from losscore.lab.slider import HEIGHT, WIDTH, _apart

X = np.linspace(-8, 4, 25)
MARGINS = [-8.0, -4.0, 0.0, 4.0]
ALT = "The logistic loss never pulls with more than 1; the exponential loss pulls with 2,981 at margin -8."


def figure(**changes: Any) -> SliderFigure:
    arguments: dict[str, Any] = {
        "fixed": {"logistic": 1 / (1 + np.exp(X)), "exponential": np.exp(-X)},
        "label": "margin m",
        "values": MARGINS,
        "start": 1,
        "xlabel": "margin m",
        "ylabel": "pull",
        "alt": ALT,
        "marker": MARGINS,
        "readout": [
            f"At {margin:g} the logistic loss pulls with {1 / (1 + np.exp(margin)):.2f}."
            for margin in MARGINS
        ],
        "yscale": "log",
    }
    return SliderFigure(X, **{**arguments, **changes})


def shifting(**changes: Any) -> SliderFigure:
    """A parabola that moves, beside a line that doesn't."""
    arguments: dict[str, Any] = {
        "fixed": {"level": np.zeros_like(X)},
        "label": "shift",
        "values": [-2, 0, 2],
        "xlabel": "x",
        "ylabel": "y",
        "alt": "A parabola moves along the axis.",
    }
    return SliderFigure(
        X, {"parabola": [(X - shift) ** 2 for shift in (-2, 0, 2)]}, **{**arguments, **changes}
    )


def svg(page: str) -> ET.Element:
    return ET.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])


def points(element: ET.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+),(-?[\d.]+)", element.get("d") or "")]


def drawn(page: str, kind: str) -> list[ET.Element]:
    return [element for element in svg(page).iter() if element.get("class") == kind]


def test_curves_are_where_the_ticks_say() -> None:
    """Read the drawing back: from the ticks' places and texts to the data of every point."""
    page = figure()._repr_html_()
    ticks = [
        (float(element.get("x") or 0), float(element.get("y") or 0), (element.text or "").replace("−", "-"))
        for element in drawn(page, "tick")
    ]
    heights = [(y, np.log10(float(text.replace(",", "")))) for x, y, text in ticks if y < HEIGHT - 50 + 1]
    columns = [(x, float(text)) for x, y, text in ticks if y >= HEIGHT - 50 + 1]
    to_x = np.polynomial.Polynomial.fit(*zip(*columns, strict=True), 1)
    to_y = np.polynomial.Polynomial.fit(*zip(*heights, strict=True), 1)
    for curve, expected in zip(drawn(page, "curve"), (1 / (1 + np.exp(X)), np.exp(-X)), strict=True):
        found = np.array(points(curve))
        assert to_x(found[:, 0]) == pytest.approx(X, abs=0.01)
        assert to_y(found[:, 1]) == pytest.approx(np.log10(expected), abs=0.01)


def test_first_frame_is_complete_without_the_script() -> None:
    page = figure()._repr_html_()
    before = page[: page.index("<script>")]
    assert ">−4</output>" in before
    assert "At -4 the logistic loss pulls with 0.98." in before
    dots = [(float(dot.get("cx") or 0), float(dot.get("cy") or 0)) for dot in drawn(page, "dot")]
    curves = [points(curve) for curve in drawn(page, "curve")]
    for (x, y), curve in zip(dots, curves, strict=True):
        assert y == pytest.approx(np.interp(x, *zip(*curve, strict=True)), abs=0.15)
    assert re.search(r"<input [^>]*hidden>", before), "the range input appears only where its script runs"


def test_dots_follow_a_curve_that_moves() -> None:
    """The parabola is 0 where it stands and 16 four places on, whatever the frame."""
    slider = shifting(marker=[-2, 0, 2])
    assert [round(height) for height in slider._drawn()["dots"][0]] == [
        round(float(slider._y(np.array(0.0))))
    ] * 3
    ahead = shifting(marker=[2, 0, -2])._drawn()["dots"][0]
    assert ahead[0] == ahead[2] < ahead[1]


def test_name_stands_above_its_curve_or_below_where_there_is_no_room() -> None:
    slider = shifting(
        fixed={"low": X * 0, "high": X * 0 + 99}, ylim=(0, 100), label_at={"low": -2, "high": -2}
    )
    rows = {name: float(slider._y(np.array(value))) for name, value in (("low", 0.0), ("high", 99.0))}
    (_, low), (_, high) = (slider._drawn()["names"][index][0] for index in (1, 2))
    assert 4 <= rows["low"] - low <= 12
    assert 12 <= high - rows["high"] <= 24
    assert slider._drawn()["names"][1][0][0] == pytest.approx(float(slider._x(np.array(-2.0))), abs=0.1)


def test_deterministic_and_distinct() -> None:
    one, again, other = figure()._repr_html_(), figure()._repr_html_(), figure(start=2)._repr_html_()
    assert one == again
    ids = [set(re.findall(r' id="([^"]+)"', page)) for page in (one, other)]
    assert len(ids[0]) == len(ids[1]) == 3
    assert not ids[0] & ids[1]


def test_nothing_is_loaded_from_anywhere() -> None:
    page = figure()._repr_html_()
    assert not re.search(r"https?:|//|@import|src=|href=|url\((?!#)", page)


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        if tag not in ("input", "path", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "circle"):
            assert self.open.pop() == tag


def test_text_is_escaped() -> None:
    evil = '</script><script>x("&")'
    page = figure(
        fixed={evil: np.exp(-X)},
        label=evil,
        values=[evil] * 4,
        xlabel=evil,
        ylabel=evil,
        alt=evil,
        readout=[evil] * 4,
    )._repr_html_()
    tags = Tags(page)
    assert tags.open == []
    assert tags.scripts == 1
    assert svg(page).get("aria-label") == evil


def test_values_that_are_no_numbers_leave_gaps() -> None:
    row = np.where((X > -3) & (X < 0), np.nan, X**2)
    row[-1] = np.inf
    curve = drawn(shifting(fixed={"gap": row})._repr_html_(), "curve")[1]
    path = curve.get("d") or ""
    assert path.count("M") == 2
    assert len(points(curve)) == np.isfinite(row).sum()
    assert "nan" not in path
    assert "inf" not in path
    log = drawn(figure(fixed={"sign": X, "one": np.ones_like(X)})._repr_html_(), "curve")[0]
    assert len(points(log)) == (X > 0).sum()


def test_far_values_are_cut_off_and_their_dots_hidden() -> None:
    page = shifting(fixed={"steep": np.exp(100 * X)}, ylim=(0, 10), marker=[-8, 0, 4])._repr_html_()
    steep = drawn(page, "curve")[1]
    assert min(y for _, y in points(steep)) == -1e5
    plot = ET.fromstring("<g>" + "".join(re.findall(r"<clipPath.*?</clipPath>", page)) + "</g>")
    assert plot[0].get("id") == "KEY-plot".replace("KEY", re.findall(r'id="(slider-\w+)"', page)[0])
    assert "null" in page[page.index('"dots"') :]


def test_names_at_the_right_end_never_overlap_in_any_frame() -> None:
    rows = {f"curve number {k}": [X * 0 + k * tiny for tiny in (0, 0.001, 1)] for k in range(5)}
    slider = SliderFigure(X, rows, label="t", values=[0, 1, 2], xlabel="x", ylabel="y", alt="Five lines.")
    for frame in range(3):
        firsts = sorted(track[frame % len(track)][1] for track in slider._drawn()["names"])
        assert min(np.diff(firsts)) >= 2 * 17 - 0.2
        assert firsts[0] > 17
        assert firsts[-1] + 17 < HEIGHT - 20


def test_boxes_that_are_apart_stay_where_they_are() -> None:
    assert _apart({0: 50.0, 1: 100.0}, {0: 20, 1: 20}, 0, 200) == {0: 50.0, 1: 100.0}
    assert _apart({0: 100.0, 1: 100.0}, {0: 20, 1: 20}, 0, 200) == {0: 100.0, 1: 120.0}
    assert _apart({0: 195.0, 1: 198.0}, {0: 20, 1: 20}, 0, 200) == {0: 170.0, 1: 190.0}


def test_repr() -> None:
    assert repr(figure()) == "SliderFigure(margin m: −8 to 4, 4 frames)"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": [1]}, "values must hold at least 2 frames, got 1"),
        ({"start": 4}, "start must be a frame between 0 and 3, got 4"),
        ({"alt": " "}, "alt must say what the figure shows"),
        ({"yscale": "cubic"}, "yscale must be"),
        ({"fixed": {}}, "curves and fixed are both empty"),
        ({"fixed": {"a": [1, 2]}}, r"fixed\['a'\] must have shape \(25,\), got \(2,\)"),
        ({"fixed": {"a": ["one"] * 25}}, r"fixed\['a'\] must be an array of numbers"),
        ({"curves": {"a": X}}, r"curves\['a'\] must have shape \(4, 25\), got \(25,\)"),
        ({"curves": {"logistic": [X] * 4}}, "must not share names, both have 'logistic'"),
        ({"fixed": {"a": -np.ones(25)}}, "hold no value that can be drawn"),
        ({"marker": [0, 1]}, r"marker must have shape \(4,\)"),
        ({"marker": [0, 1, 2, 9]}, "marker must lie between -8 and 4"),
        ({"readout": ["one"]}, "readout must hold 4 sentences, one a frame, got 1"),
        ({"ylim": (0, 1)}, "ylim must be two finite numbers in order, positive on a log axis"),
        ({"label_at": {"a": 0}}, "label_at names 'a', which is no curve"),
        ({"label_at": {"logistic": 9}}, r"label_at\['logistic'\] must lie between -8 and 4, got 9"),
    ],
)
def test_bad_input(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        figure(**changes)


def test_bad_axis() -> None:
    with pytest.raises(ValueError, match="x must be at least 2 finite numbers in increasing order"):
        SliderFigure(
            [1, 1], {}, fixed={"a": [1, 2]}, label="l", values=[1, 2], xlabel="x", ylabel="y", alt="a"
        )


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("no Chromium here; on Debian: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as runner:
        running = runner.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Two figures on one page, on a phone; an error in their scripts fails the test."""
    file = tmp_path / "page.html"
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    body = figure()._repr_html_() + shifting()._repr_html_()
    file.write_text(f"{head}<title>Two figures</title><body>{body}", encoding="utf-8")
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(file.as_uri())
    yield opened
    assert errors == []
    context.close()


def test_keys_move_the_frame(page: Any) -> None:
    slider = page.get_by_role("slider", name="margin m")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "0"
    assert page.locator("output").first.text_content() == "0"
    assert page.locator(".readout").text_content() == "At 0 the logistic loss pulls with 0.50."
    page.keyboard.press("End")
    assert page.locator(".readout").text_content() == "At 4 the logistic loss pulls with 0.02."


def test_frames_that_the_script_draws_are_those_that_python_draws(page: Any) -> None:
    page.get_by_role("slider", name="shift").focus()
    for start in (0, 1, 2):
        expected = [element.get("d") for element in drawn(shifting(start=start)._repr_html_(), "curve")]
        found = (
            page.locator(".losscore-slider")
            .nth(1)
            .locator(".curve")
            .evaluate_all("paths => paths.map(path => path.getAttribute('d'))")
        )
        assert found == expected
        page.keyboard.press("ArrowRight")


def test_figures_on_one_page_do_not_disturb_each_other(page: Any) -> None:
    first = page.locator(".losscore-slider").first
    before = first.inner_html()
    page.get_by_role("slider", name="shift").focus()
    page.keyboard.press("ArrowRight")
    assert first.inner_html() == before


def test_marker_follows_a_finger_in_the_drawing(page: Any) -> None:
    box = page.locator("svg").first.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 0.95, box["y"] + box["height"] / 2)
    assert page.locator("output").first.text_content() == "4"


def test_text_is_legible_on_a_phone_and_nothing_overflows(page: Any) -> None:
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    sizes = page.locator("svg text").evaluate_all(
        "(texts, width) => texts.map("
        "t => parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.clientWidth / width)",
        WIDTH,
    )
    assert min(sizes) >= 10.9
    inside = page.locator("svg text").evaluate_all(
        "texts => texts.map(t => t.getBoundingClientRect()).every(b => b.left >= 0 && b.right <= 390)"
    )
    assert inside
