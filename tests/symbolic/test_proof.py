"""The proof mechanism: true steps are built, false ones raise and name themselves."""

from __future__ import annotations

import pytest
import sympy as sp

from losscore.claims import UnknownClaim
from losscore.symbolic import FalseStep, Proof
from losscore.symbolic.classification import sigmoid, softplus
from losscore.symbolic.definition import CLASSES
from losscore.symbolic.proof import (
    argument,
    derivative,
    equal,
    holds_for,
    is_zero,
    limit,
    positive,
    solves,
)

x, y = sp.symbols("x y", real=True)
a = sp.Symbol("a", positive=True)
TRUE = equal("words", (x + 1) ** 2, x**2 + 2 * x + 1)


@pytest.mark.parametrize(
    "step",
    [
        lambda: equal("the odd one", sp.sin(x) ** 2 + sp.cos(x) ** 2, sp.Integer(1)),
        lambda: equal("the odd one", softplus(x) - softplus(-x), x),
        lambda: derivative("the odd one", sigmoid(x), x, sigmoid(x) * (1 - sigmoid(x))),
        lambda: derivative("the odd one", x**3, x, 6 * x, order=2),
        lambda: limit("the odd one", sigmoid(x), x, -sp.oo, sp.Integer(0)),
        lambda: limit("the odd one", sp.Abs(x) / x, x, sp.Integer(0), sp.Integer(-1), "-"),
        lambda: positive("the odd one", sp.exp(x) + 1),
        lambda: positive("the odd one", x**2 - 2 * x + 1, (x - 1) ** 2, strictly=False),
        lambda: solves("the odd one", sp.log(a) - 1, a, sp.E, sp.Interval.open(0, sp.oo)),
        lambda: holds_for("the odd one", range(3), lambda n: n < 3, named="three"),
    ],
)
def test_true_steps_carry_how_they_were_checked(step) -> None:  # type: ignore[no-untyped-def]
    assert step().checked.startswith("sympy")


@pytest.mark.parametrize(
    "step",
    [
        lambda: equal("the odd one", (x + 1) ** 2, x**2 + 2 * x),
        lambda: equal("the odd one", sp.sqrt(x**2), x),
        lambda: equal("the odd one", softplus(x), x),
        lambda: equal("the odd one", sp.Matrix([x, y]), sp.Matrix([x, x])),
        lambda: derivative("the odd one", x**2, x, x),
        lambda: limit("the odd one", sigmoid(x), x, -sp.oo, sp.Integer(1)),
        lambda: limit("the odd one", sp.Abs(x) / x, x, sp.Integer(0), sp.Integer(1), "-"),
        lambda: limit(
            "the odd one", sp.Piecewise((-x * a, x < 0), (x, True)) / x, x, sp.Integer(0), sp.Integer(1), "-"
        ),
        lambda: positive("the odd one", x + 1),
        lambda: positive("the odd one", x**2),
        lambda: positive("the odd one", x**2 + 1, x**4 + 1),
        lambda: solves("the odd one", x**2 - 1, x, sp.Integer(1)),
        lambda: solves("the odd one", x - 1, x, sp.Integer(2)),
        lambda: solves("the odd one", sp.exp(x), x, sp.Integer(0)),
        lambda: holds_for("the odd one", range(3), lambda n: n < 2, named="three"),
        lambda: holds_for("the odd one", [], lambda n: True, named="none"),
    ],
)
def test_a_false_step_raises_and_names_itself(step) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(FalseStep, match="the odd one"):
        step()


def test_zero_is_told_from_not_zero_with_an_open_number_of_classes() -> None:
    z = sp.IndexedBase("z", real=True)
    k = sp.Symbol("k", integer=True, positive=True)
    assert is_zero(sp.Sum(z[k] + 1, (k, 1, CLASSES)) - sp.Sum(z[k], (k, 1, CLASSES)) - CLASSES) is not False
    assert is_zero(sp.Sum(z[k], (k, 1, CLASSES)) - z[1]) is False


def test_what_algebra_cannot_decide_is_not_accepted() -> None:
    undecided = sp.Function("f")(x)
    with pytest.raises(FalseStep):
        equal("an unknown function", undecided, sp.Integer(0))


def test_an_unknown_claim_is_rejected() -> None:
    with pytest.raises(UnknownClaim, match="C999"):
        Proof(("C999",), "statement", (), "all", (TRUE,))


def test_arguments_alone_are_no_proof() -> None:
    with pytest.raises(FalseStep, match="no step is checked"):
        Proof(("C01",), "statement", (), "all", (argument("believe me"),))


def test_the_rendering_tells_checked_steps_from_arguments() -> None:
    proof = Proof(("C01",), "statement", ("given",), "all $n$", (TRUE, argument("by reasoning", "a=b")))
    text = proof._repr_markdown_()
    assert "**1** ✓ words" in text
    assert "**2** ○ by reasoning *(by argument)*" in text
    assert "*Given:* given." in text
    assert "Checked by sympy: 1 of 2 steps" in text
    assert repr(proof) == "<proof of C01: 1 of 2 steps checked by sympy>"
