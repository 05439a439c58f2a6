"""What an exercise is made of: tasks to implement, questions to answer, and the wrong answers that people give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import sympy as sp

from ..symbolic import Proof

Function = Callable[..., Any]
Arguments: TypeAlias = "tuple[Any, ...]"
Agreement = Callable[[Arguments, Any, Any], bool]
ProofMaker = Callable[[], Proof]
Answer: TypeAlias = "sp.Expr | str | tuple[sp.Expr, ...]"

EXTREMES = "extremes"


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
    """Something that must be true of the learner's function; ``hint`` is shown where ``holds(function)`` is false.

    ``nearly`` is a nearly right function that lacks it, the example by which the property is tested.
    """

    name: str
    holds: Callable[[Function], bool]
    hint: str
    nearly: Function


@dataclass(frozen=True)
class Task:
    """A function to implement, which returns a tensor, a number or a tuple of these.

    ``inputs`` are named groups of argument tuples; one of them is called "extremes". On each case the learner's
    function must return what ``reference`` returns, to ``tolerance`` (relative) plus ``absolute``. Where several
    values are right, ``agrees(arguments, value, right)`` decides instead. For the arguments named in ``slopes_in``
    autograd through the learner's function must give the gradient too.

    The first group that disagrees is compared with ``wrong_answers``, then ``properties`` are tried.
    """

    id: str
    title: str
    reference: Function
    inputs: Mapping[str, Sequence[Arguments]]
    wrong_answers: tuple[WrongAnswer, ...]
    properties: tuple[Property, ...] = ()
    explanation: str = ""
    proofs: tuple[ProofMaker, ...] = ()
    slopes_in: tuple[str, ...] = ()
    tolerance: float = 1e-6
    absolute: float = 0.0
    agrees: Agreement | None = None


@dataclass(frozen=True)
class Part:
    """One answer to a question: a sympy expression or number, several in order, or one of ``choices``.

    Expressions are compared at values of their symbols: positive ones, and whole or negative ones where the symbol
    says so. Where a symbol is more restricted, ``ranges`` gives for it an expression in a positive symbol that runs
    through its values, such as 1 / (1 + r) for a probability.
    """

    value: Answer
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
    """The tasks and questions of one exercise page, in the order of the page, and what an instructor wants to know.

    ``teaches`` is one sentence, ``needs`` what must be known before; a learner works for about ``minutes``; the page,
    run from top to bottom, takes ``seconds`` of one CPU core.
    """

    id: str
    title: str
    items: tuple[Task | Question, ...]
    teaches: str
    needs: str
    minutes: int
    seconds: int
