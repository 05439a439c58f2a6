"""Every proof holds, and stops holding when a formula that it rests on is wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import sympy as sp

from losscore.symbolic import Definition, FalseStep, Proof, definitions, proofs

MUTATIONS: dict[str, Callable[[sp.Expr, sp.Expr], sp.Expr]] = {
    "sign": lambda loss, prediction: -loss,
    "factor": lambda loss, prediction: 3 * loss,
    "bend": lambda loss, prediction: loss + prediction / 5 + prediction**3 / 7,
    "power": lambda loss, prediction: loss**2,
}


@cache
def built(name: str) -> tuple[Proof, frozenset[str]]:
    """The proof, and the names of the definitions that it uses."""
    used: set[str] = set()
    original = Definition.expression

    def spy(self: Definition, *arguments: Any, **parameters: Any) -> sp.Expr:
        used.add(self.name)
        return original(self, *arguments, **parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Definition, "expression", spy)
        return proofs()[name](), frozenset(used)


def mutate(definition: Definition, change: Callable[[sp.Expr, sp.Expr], sp.Expr]) -> Callable[..., sp.Expr]:
    formula = definition.formula

    def mutated(*arguments: Any, **parameters: Any) -> sp.Expr:
        first = arguments[0]
        while not isinstance(first, sp.Expr):
            first = first[0]
        return change(formula(*arguments, **parameters), first)

    return mutated


@pytest.mark.parametrize("name", sorted(proofs()))
def test_proof_holds(name: str, record_property: Callable[[str, object], None]) -> None:
    proof, _ = built(name)
    assert proof.checked >= 1
    for claim in proof.claims:
        record_property("claim", claim)


@pytest.mark.parametrize("name", sorted(proofs()))
def test_proof_falls_with_a_mutated_formula(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    build, (_, used) = proofs()[name], built(name)
    for definition in [value for known, value in definitions().items() if known in used]:
        rejected = []
        for label, change in MUTATIONS.items():
            with monkeypatch.context() as patch:
                patch.setattr(definition, "formula", mutate(definition, change))
                try:
                    build()
                except FalseStep:
                    rejected.append(label)
        survivors = sorted(MUTATIONS.keys() - rejected)
        assert not survivors, f"{name} still holds when {definition.name} is mutated: {survivors}"


@pytest.mark.parametrize("name", sorted(proofs()))
def test_proof_reads_as_a_derivation(name: str) -> None:
    text = built(name)[0]._repr_markdown_()
    assert text.startswith("**To show.**")
    assert "✓" in text and "∎" in text
    assert text.count("$$") % 2 == 0
    assert "Dummy" not in text and "Piecewise" not in text
