"""The definitions: their oracles against values worked by hand, their formulas, their errors."""

from __future__ import annotations

import mpmath
import pytest
import sympy as sp

from losscore.symbolic import Definition, definition, definitions

F, Y = sp.symbols("f y", real=True)


def test_oracles_have_fifty_digits() -> None:
    with mpmath.workdps(60):
        wanted = mpmath.log1p(mpmath.exp(-20))
        assert mpmath.almosteq(definition("logistic").oracle(20, 1), wanted, mpmath.mpf(10) ** -45)
        assert mpmath.almosteq(
            definition("cross_entropy").oracle([20, 0], [1, 0]), wanted, mpmath.mpf(10) ** -45
        )
        slope = definition("cross_entropy").gradient_oracle([20, 0], [1, 0])
        assert mpmath.almosteq(slope[1], 1 / (1 + mpmath.exp(20)), mpmath.mpf(10) ** -45)
        assert mpmath.almosteq(slope[0], -slope[1], mpmath.mpf(10) ** -45)


def test_digits_that_cancel_are_won_back() -> None:
    """The naive formula needs 870 digits here; a loss of exactly 0 is told from one that is merely tiny."""
    assert mpmath.almosteq(definition("logistic").oracle(2000, 1), mpmath.exp(-2000), mpmath.mpf(10) ** -30)
    assert mpmath.almosteq(
        definition("log_cosh").oracle(2.0**-200, 0), mpmath.mpf(2) ** -401, mpmath.mpf(10) ** -30
    )
    assert definition("hinge").oracle(2, 1) == 0


def test_terms_that_cancel_are_zero() -> None:
    """The slope in the mean vanishes where the mean is the count, but not digit by digit."""
    assert definition("negative_binomial_nll").gradient_oracle(3, 1e6, 3) == 0


WORKED = [
    ("squared_error", (3, 1), {}, 4, 4),
    ("half_squared_error", (3, 1), {}, 2, 2),
    ("absolute_error", (3, 1), {}, 2, 1),
    ("huber", (0.5, 0), {"delta": 1}, 0.125, 0.5),
    ("huber", (-3, 0), {"delta": 2}, 4, -2),
    ("tukey", (1.5, 0), {"cutoff": 3}, 0.8671875, 0.84375),
    ("tukey", (-4, 0), {"cutoff": 3}, 1.5, 0),
    ("pinball", (1, 3), {"quantile": 0.75}, 1.5, -0.75),
    ("pinball", (3, 1), {"quantile": 0.75}, 0.5, 0.25),
    ("asymmetric_linear", (1, 3), {"underage": 9, "overage": 1}, 18, -9),
    ("asymmetric_linear", (3, 1), {"underage": 9, "overage": 1}, 2, 1),
    ("expectile", (1, 3), {"level": 0.75}, 3, -3),
    ("expectile", (3, 1), {"level": 0.75}, 1, 1),
    ("binary_brier", (0, 1), {}, 0.25, -0.25),
    ("hinge", (0.5, 1), {}, 0.5, -1),
    ("hinge", (0.5, -1), {}, 1.5, 1),
    ("zero_one", (0, 1), {}, 0, 0),
    ("zero_one", (0, -1), {}, 1, 0),
    ("exponential", (0, -1), {}, 1, 1),
]


@pytest.mark.parametrize(("name", "arguments", "parameters", "value", "slope"), WORKED)
def test_values_worked_by_hand(
    name: str, arguments: tuple[float, float], parameters: dict[str, float], value: float, slope: float
) -> None:
    assert definition(name).oracle(*arguments, **parameters) == value
    assert definition(name).gradient_oracle(*arguments, **parameters) == slope


def test_brier_of_three_classes_worked_by_hand() -> None:
    assert mpmath.almosteq(definition("brier").oracle([0, 0, 0], [1, 0, 0]), mpmath.mpf(2) / 3, 1e-14)


def test_a_float_is_taken_as_the_number_that_it_is() -> None:
    with mpmath.workdps(60):
        assert definition("absolute_error").oracle(0.1, 0) == mpmath.mpf(0.1) != mpmath.mpf(1) / 10


@pytest.mark.parametrize("name", definitions())
def test_a_definition_is_known_by_its_name_and_shows_its_formula(name: str) -> None:
    loss = definition(name)
    assert loss.name == name
    assert loss.latex() and loss.latex() in loss._repr_markdown_() and name in repr(loss)
    symbols = loss.expression().free_symbols
    assert set(loss.parameters.values()) <= symbols


def test_the_formula_takes_values_for_its_symbols() -> None:
    z = sp.symbols("z1:3", real=True)
    assert definition("cross_entropy").expression(z, (0, 1)) == sp.log(sp.exp(z[0]) + sp.exp(z[1])) - z[1]
    assert definition("huber").expression(sp.Integer(5), sp.Integer(0), delta=sp.Integer(2)) == 8


def test_unknown_names_and_parameters() -> None:
    with pytest.raises(ValueError, match="name: 'hubber' has no definition; known are .*huber"):
        definition("hubber")
    with pytest.raises(TypeError, match=r"huber has no parameter \['beta'\]; it has \['delta'\]"):
        definition("huber").expression(beta=1)
    for given in ({}, {"beta": 1}, {"delta": 1, "beta": 1}):
        with pytest.raises(TypeError, match=r"huber needs the parameters \['delta'\], got"):
            definition("huber").oracle(1, 0, **given)


def test_a_wrong_formula_gives_another_number() -> None:
    wrong = Definition("logistic", lambda f, y: sp.log(1 + sp.exp(y * f)), (F, Y))
    assert abs(wrong.oracle(1, 1) - definition("logistic").oracle(1, 1)) > 0.9
