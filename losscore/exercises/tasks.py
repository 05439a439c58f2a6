"""What an exercise is made of: tasks to implement, questions to answer, and the wrong answers that people give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ..symbolic import Proof

Function = Callable[..., Any]
ProofMaker = Callable[[], Proof]


@dataclass(frozen=True)
class WrongAnswer:
    """A mistake that people make. ``behaviour`` is a function that makes it, or the value it leads to.

    It is recognised by what it returns, not by how it is written. ``hint`` teaches and never gives the solution.
    """

    name: str
    behaviour: Any
    hint: str


@dataclass(frozen=True)
class Property:
    """Something that must be true of the learner's function; ``hint`` is shown where ``holds(function)`` is false."""

    name: str
    holds: Callable[[Function], bool]
    hint: str


@dataclass(frozen=True)
class Task:
    """A function to implement.

    ``inputs`` are named groups of argument tuples on which the learner's function must agree with ``reference`` to
    ``tolerance`` (relative). The first group that disagrees is compared with ``wrong_answers``.
    """

    id: str
    title: str
    reference: Function
    inputs: Mapping[str, Sequence[tuple[Any, ...]]]
    wrong_answers: tuple[WrongAnswer, ...]
    properties: tuple[Property, ...]
    explanation: str = ""
    proofs: tuple[ProofMaker, ...] = ()
    tolerance: float = 1e-6


@dataclass(frozen=True)
class Part:
    """One answer to a question: a sympy expression or number, or one of ``choices``, with its wrong answers.

    Expressions are compared at positive values of their symbols. Where a symbol is more restricted, ``ranges`` gives
    for it an expression in a positive symbol that runs through its values, such as 1 / (1 + r) for a probability.
    """

    value: sp.Expr | str
    wrong_answers: tuple[WrongAnswer, ...] = ()
    choices: tuple[str, ...] = ()
    ranges: Mapping[sp.Symbol, sp.Expr] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """A derivation whose result the learner types: one part named "" or several named ones."""

    id: str
    title: str
    parts: Mapping[str, Part]
    explanation: str = ""
    proofs: tuple[ProofMaker, ...] = ()


@dataclass(frozen=True)
class Exercise:
    """The tasks and questions of one exercise page, in the order of the page."""

    id: str
    title: str
    items: tuple[Task | Question, ...]
