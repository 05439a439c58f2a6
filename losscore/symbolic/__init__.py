"""The symbolic wing: every loss as a sympy expression, and the proofs built on them. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import ModuleType

from .definition import Definition
from .proof import FalseStep, Proof, Step

FAMILIES = (
    "regression",
    "classification",
    "margins",
    "robust",
    "scores",
    "targets",
    "preference",
    "contrastive",
    "dense",
    "densities",
    "survival",
    "vocabulary",
)
TOPICS = (
    "calibration",
    "censoring",
    "choices",
    "consistency",
    "contrasts",
    "counts",
    "decay",
    "decisions",
    "denoising",
    "descent",
    "distilling",
    "elicitation",
    "flips",
    "forecasts",
    "implicit",
    "influence",
    "language",
    "mistakes",
    "opening",
    "properness",
    "shapes",
    "sums",
    "surrogates",
)

__all__ = ["Definition", "FalseStep", "Proof", "Step", "definition", "definitions", "proofs"]


@cache
def definitions() -> dict[str, Definition]:
    """Every defined loss by its name."""
    found = (value for module in _modules(FAMILIES) for value in vars(module).values())
    return {value.name: value for value in found if isinstance(value, Definition)}


def definition(name: str) -> Definition:
    """The definition of the loss `name`; ValueError for a name that no family defines."""
    known = definitions()
    if name not in known:
        raise ValueError(f"name: {name!r} has no definition; known are {', '.join(sorted(known))}")
    return known[name]


@cache
def proofs() -> dict[str, Callable[[], Proof]]:
    """Every proof by its name: functions that build a `Proof`, checking its steps as they go."""
    return {
        name: value
        for module in _modules(FAMILIES + TOPICS)
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__annotations__", {}).get("return") == "Proof"
    }


def _modules(names: tuple[str, ...]) -> list[ModuleType]:
    return [import_module(f"{__name__}.{name}") for name in names]
