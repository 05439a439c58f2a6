"""The figures on losses made to measure show the numbers that they are given."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from losscore.lab import made_to_measure_figures as figures

DEMANDS = torch.tensor([9.0, 12, 13, 14, 15, 16, 17, 18, 20, 25], dtype=torch.float64)


def test_the_marked_amount_costs_least_at_every_price() -> None:
    figure = figures.slide_price(DEMANDS)
    assert figure.marker is not None and figure.readout is not None
    for price, costs, best in zip(figure.values, figure.curves["total cost"], figure.marker, strict=True):
        assert np.interp(best, figure.x, costs) <= costs.min() + 1e-9, price
    assert figure.readout[figure.values.index("4")].endswith("any amount from 18 to 20 is best.")
    assert figure.readout[figure.values.index("3.75")].endswith("bake 18.")


def test_the_staircase_is_flat_where_the_cost_is_least() -> None:
    (axes,) = figures.slope_staircase(DEMANDS, underage=4.0, overage=1.0).axes
    flat = [line for line in axes.lines if line.get_color() == "C1"]
    assert [line.get_xydata().tolist() for line in flat] == [[[18, 0], [20, 0]]]
    steps = [line.get_ydata()[0] for line in axes.lines if line.get_color() in ("C0", "C1")][
        : len(DEMANDS) + 1
    ]
    assert steps == [5 * k - 40 for k in range(11)]
    assert axes.texts[0].get_text() == "slope 0: all of 18 to 20"


def test_one_law_has_the_answers_where_they_are() -> None:
    answers = {"median": 20.0, "mean": 24.0}
    (axes,) = figures.one_law_many_answers(torch.linspace(0, 60, 500), answers).axes
    assert [line.get_xdata()[0] for line in axes.lines] == list(answers.values())
    assert [text.get_text() for text in axes.texts] == list(answers)


def test_only_the_mean_and_the_quantile_stay_at_one_along_mixtures() -> None:
    (axes,) = figures.along_mixtures().axes
    constant = {line.get_label(): np.allclose(line.get_ydata(), 1) for line in axes.lines}
    assert constant == {"mean": True, "0.8 quantile": True, "variance": False, "expected shortfall": False}


@pytest.mark.parametrize(
    ("draw", "curves"),
    [
        (lambda curves: figures.cost_of_a_change([1, 5, 50], curves), {"a": [0.0, 1, 2], "b": [3.0, 2, 0]}),
        (
            lambda curves: figures.recall_by_rarity([90, 30, 9], curves),
            {"a": torch.rand(3), "b": torch.rand(3)},
        ),
    ],
)
def test_each_curve_stands_under_its_name(draw, curves) -> None:  # type: ignore[no-untyped-def]
    (axes,) = draw(curves).axes
    for line, (name, values) in zip(axes.lines, curves.items(), strict=True):
        assert line.get_label() == name and np.allclose(line.get_ydata(), values)
    assert [text.get_text() for text in axes.texts] == list(curves)


def test_batches_are_relative_to_one_batch_of_all() -> None:
    (axes,) = figures.batches([2, 4, 8], {"mean": [3.0, 3.0, 3.0], "InfoNCE": [1.0, 2.0, 4.0]}).axes
    assert [line.get_ydata().tolist() for line in axes.lines] == [[1, 1, 1], [0.25, 0.5, 1]]


def test_pairs_join_the_results_of_a_seed() -> None:
    first, second = torch.tensor([0.5, 0.7]), torch.tensor([0.6, 0.9])
    (axes,) = figures.pairs(first, second, ("plain", "adjusted")).axes
    *seeds, mean, other = axes.lines
    assert np.allclose([line.get_ydata() for line in seeds], [[0.5, 0.6], [0.7, 0.9]])
    assert np.allclose([mean.get_ydata(), other.get_ydata()], [[0.6], [0.75]])
