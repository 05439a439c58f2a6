"""The atlas says what the catalogue says, and its curves are those of the losses."""

from __future__ import annotations

import ast
import inspect
import math
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
from bs4 import BeautifulSoup

import losscore
from losscore.catalogue import entries
from losscore.lab import atlas

FAMILIES = list(dict.fromkeys(entry.family for entry in entries().values()))
GUIDE = Path(__file__).parents[2] / "book" / "which-loss.md"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_table_has_every_flag_in_words(family: str) -> None:
    table = BeautifulSoup(atlas.Table(family)._repr_html_(), "html.parser")
    rows = {row.code.get_text(): row for row in table.select("tbody tr")}
    assert list(rows) == [entry.name for entry in entries().values() if entry.family == family]
    heads = [head.get_text() for head in table.select("thead th")]
    for name, row in rows.items():
        words = [mark["aria-label"] for mark in row.select("span")]
        wanted = [atlas.MARKS[flag.value][1] for flag in entries()[name].flags.values()]
        assert words == wanted and len(heads) == 1 + len(words)
        assert entries()[name].elicits in row.get_text()


def test_an_unknown_family_is_named() -> None:
    with pytest.raises(ValueError, match=r"family: 'regresion' isn't one of .*regression"):
        atlas.Table("regresion")
    with pytest.raises(ValueError, match="family: 'survival' has no loss that is drawn"):
        atlas.draw("survival")


def test_facts_are_sentences_of_the_catalogue() -> None:
    assert atlas.facts("cox") == (
        "Elicits the log hazards, up to a constant. Is convex in the output and Lipschitz in the output. "
        "Is not bounded or a mean over samples."
    )
    assert "bounded (where q > 0)" in atlas.facts("generalized_cross_entropy")
    assert "classification-calibrated (among scores that sum to 0)" in atlas.facts("lee_lin_wahba")


def test_curves_are_value_slope_and_curvature() -> None:
    x, value, slope, curvature = atlas.curves(entries()["logistic"])
    p = torch.sigmoid(-x)
    torch.testing.assert_close(value, torch.log1p(torch.exp(-x)))
    torch.testing.assert_close(slope, -p)
    torch.testing.assert_close(curvature, p * (1 - p))


def test_the_path_of_several_classes_is_the_lead() -> None:
    x, value, _, _ = atlas.curves(entries()["cross_entropy"])
    assert value[0].item() == pytest.approx(math.log(1 + 2 * math.exp(-x[0].item())))


@pytest.mark.parametrize(
    "entry", [e for e in entries().values() if (e.input, e.target) in atlas.PATHS], ids=lambda e: e.name
)
def test_every_curve_is_finite_and_its_slope_that_of_its_value(entry: atlas.Entry) -> None:
    x, value, slope, curvature = atlas.curves(entry, points=2001)
    assert all(line.isfinite().all() for line in (value, slope, curvature))
    rise = (value[2:] - value[:-2]) / (x[2:] - x[:-2])
    jumps = ((value[2:] - value[:-2]).abs() > 0.3) | ((slope[2:] - slope[:-2]).abs() > 0.5)
    torch.testing.assert_close(rise[~jumps], slope[1:-1][~jumps], atol=0.02, rtol=0.02)


def test_a_figure_has_a_panel_for_each_loss() -> None:
    figure = atlas.draw("margins")
    named = [axes.get_title("left") or axes.get_title() for axes in figure.axes]
    titles = [name for name in named if name]
    assert titles == [entry.name for entry in entries().values() if entry.family == "margins"]
    plt.close(figure)


def test_the_guide_names_calls_that_exist() -> None:
    calls: list[str] = re.findall(r"`(?:losscore\.)?(\w+\([^`]*\))`", GUIDE.read_text("utf-8"))
    assert len(calls) > 30
    for call in calls:
        expression = ast.parse(call, mode="eval").body
        assert isinstance(expression, ast.Call) and isinstance(expression.func, ast.Name)
        function = getattr(losscore, expression.func.id)
        named = {str(keyword.arg): keyword.value for keyword in expression.keywords}
        positional = [argument.id for argument in expression.args if isinstance(argument, ast.Name)]
        bound = inspect.signature(function).bind(*positional, **named)
        assert all(bound.arguments[name] == name for name in positional)


def test_the_guide_leaves_out_no_loss_that_a_user_chooses() -> None:
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]*`", GUIDE.read_text("utf-8")))))
    twins = {"half_squared_error", "squared_hinge", "zero_one", "absolute_probability_error"}
    assert set(entries()) - named == twins | {"spherical_score", "ranked_probability_score"}
