"""What the exercises show: results as small panels, or as plain text where there is no HTML, progress, solutions, cards."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

from .tasks import Exercise, Task

PASSED, FAILED, NOT_YET = "passed", "failed", "not yet"

_MARK = {PASSED: "✓", FAILED: "✗", NOT_YET: "○"}
_COLOUR = {PASSED: "#009E73", FAILED: "#D55E00", NOT_YET: "#767676"}


@dataclass(frozen=True)
class Result:
    """Outcome of one check: ``status`` is "passed", "failed" or "not yet"; ``notes`` say why, one line each."""

    task: str
    status: str
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the task is solved."""
        return self.status == PASSED

    def __repr__(self) -> str:
        return "\n".join(
            [f"{_MARK[self.status]} {self.task}: {self.status}", *(f"  {note}" for note in self.notes)]
        )

    def _repr_html_(self) -> str:
        notes = "".join(f"<br>{html.escape(note)}" for note in self.notes)
        return (
            f'<div class="exercise-result" style="border-left:4px solid {_COLOUR[self.status]};'
            'padding:.3em .8em;margin:.4em 0;line-height:1.5">'
            f"<strong>{_MARK[self.status]} {self.status}</strong> · <code>{html.escape(self.task)}</code>{notes}</div>"
        )


@dataclass(frozen=True)
class Progress:
    """Where the learner stands in one exercise: the latest result of every task and question, in order."""

    results: tuple[Result, ...]

    @property
    def next(self) -> str | None:
        """The first task that is not solved; None when all are."""
        return next((result.task for result in self.results if not result.ok), None)

    @property
    def solved(self) -> int:
        """How many tasks are solved."""
        return sum(result.ok for result in self.results)

    def _summary(self) -> str:
        following = f"Next: {self.next}." if self.next else "All done."
        return f"{self.solved} of {len(self.results)} tasks solved. {following}"

    def _lines(self) -> list[tuple[str, str, str]]:
        return [(_MARK[r.status], r.task, r.status) for r in self.results]

    def __repr__(self) -> str:
        return "\n".join(
            [self._summary(), *(f"  {mark} {name}: {state}" for mark, name, state in self._lines())]
        )

    def _repr_html_(self) -> str:
        items = "".join(
            f"<li>{mark} <code>{html.escape(name)}</code>: {state}</li>"
            for mark, name, state in self._lines()
        )
        return (
            f'<div class="exercise-progress"><strong>{html.escape(self._summary())}</strong>'
            f'<ul style="list-style:none;padding-left:0">{items}</ul></div>'
        )


@dataclass(frozen=True, repr=False)
class Overview(Progress):
    """Where the learner stands in all exercises, a line for each; ``results`` are those of every task."""

    exercises: Mapping[str, Progress]

    def _lines(self) -> list[tuple[str, str, str]]:
        return [
            (_MARK[NOT_YET if one.next else PASSED], name, f"{one.solved} of {len(one.results)} solved")
            for name, one in self.exercises.items()
        ]


@dataclass(frozen=True)
class Solution:
    """A solution, shown folded: a notebook and the page open it on a click, ``print`` shows its text."""

    title: str
    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<solution: {self.title}; print it to read it here>"

    def _repr_markdown_(self) -> str:
        return self.text


@dataclass(frozen=True)
class Cards:
    """What an instructor wants to know of the exercises, a paragraph each."""

    exercises: tuple[Exercise, ...]

    def __repr__(self) -> str:
        return "\n\n".join(
            f"{one.title} ({one.id})\n  {one.teaches}\n  Needs: {one.needs}. {self._work(one)}"
            for one in self.exercises
        )

    def _repr_markdown_(self) -> str:
        return "\n\n".join(
            f"**{one.title}** (`{one.id}`). {one.teaches} *Needs:* {one.needs}. *Work:* {self._work(one)}"
            for one in self.exercises
        )

    def _work(self, one: Exercise) -> str:
        functions = sum(isinstance(item, Task) for item in one.items)
        questions = len(one.items) - functions
        return (
            f"{questions} questions and {functions} function{'s' * (functions > 1)}, about {one.minutes} minutes; the notebook "
            f"runs in about {one.seconds} seconds of CPU."
        )
