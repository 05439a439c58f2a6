"""Every loss against its definition at 50 digits, value and gradient, tails included; and that a wrong one shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sympy as sp
import torch

from losscore.catalogue import Entry, entries
from losscore.symbolic import Definition

from .battery import RELATIVE, SETTINGS, disagreements, over_settings


@over_settings
def test_agrees_with_the_definition(entry: Entry, parameters: Mapping[str, Any]) -> None:
    found = [
        f"{dtype}: {words}"
        for dtype in RELATIVE
        for words in disagreements(entry, entry.definition, parameters, dtype)
    ]
    assert found == []


Mutation = Callable[[sp.Expr], sp.Expr]


def _swap_branches(loss: sp.Expr) -> sp.Expr:
    def swapped(*pieces: tuple[sp.Expr, sp.Basic]) -> sp.Expr:
        values = [value for value, _ in pieces]
        return sp.Piecewise(*zip(reversed(values), (condition for _, condition in pieces), strict=True))

    return loss.replace(sp.Piecewise, swapped)


MUTATIONS: dict[str, Mutation] = {
    "sign": lambda loss: -loss,
    "factor 2": lambda loss: 2 * loss,
    "factor 1 + 1e-5": lambda loss: loss * sp.Rational(100001, 100000),
    "constant 1e-9": lambda loss: loss + sp.Rational(1, 10**9),
    "exponent 2": lambda loss: loss**2,
    "exponent 1.01": lambda loss: sp.Abs(loss) ** sp.Rational(101, 100),
    "base of the logarithm": lambda loss: loss.replace(sp.log, lambda x: sp.log(x) / sp.log(2)),
    "sign of the exponents": lambda loss: loss.replace(sp.exp, lambda x: sp.exp(-x)),
    "swapped branches": _swap_branches,
    "branch point": lambda loss: loss.replace(
        lambda part: isinstance(part, (sp.StrictGreaterThan, sp.GreaterThan, sp.LessThan)),
        lambda part: part.func(part.lhs - sp.Rational(1, 5), part.rhs),
    ),
}


def mutants() -> list[tuple[Entry, Mapping[str, Any], str]]:
    """Each mutation that changes the loss, on the first setting of each loss (0 and 1 are their own powers)."""
    found = []
    for entry, parameters in {
        entry.name: (entry, parameters) for entry, parameters in reversed(SETTINGS)
    }.values():
        loss = entry.definition.expression()
        found += [
            (entry, parameters, name)
            for name, mutate in MUTATIONS.items()
            if mutate(loss) != loss and not (entry.name == "zero_one" and name.startswith("exponent"))
        ]
    return found


MUTANTS = mutants()


@pytest.mark.parametrize(
    ("entry", "parameters", "mutation"),
    MUTANTS,
    ids=[f"{entry.name}-{name}" for entry, _, name in MUTANTS],
)
def test_a_mutated_definition_is_rejected(entry: Entry, parameters: Mapping[str, Any], mutation: str) -> None:
    original = entry.definition

    def mutated(*arguments: Any, **given: Any) -> sp.Expr:
        return MUTATIONS[mutation](original.formula(*arguments, **given))

    wrong = Definition(original.name, mutated, original.symbols, original.parameters, tuple(original.given))
    assert next(disagreements(entry, wrong, parameters, torch.float64), None)


def test_every_loss_has_mutants() -> None:
    assert {entry.name for entry, _, _ in MUTANTS} == set(entries())
