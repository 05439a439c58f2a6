"""The exercise pages, run from top to bottom as a learner's notebook is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import pytest

from losscore import exercises
from losscore.exercises import solution_sources
from losscore.exercises.tasks import Question, Task
from losscore.lab import landscapes

PAGES = sorted((Path(__file__).parents[2] / "book" / "exercises").glob("*.md"))
CELL = re.compile(
    r"^```\{code-cell\}[^\n]*\n(?:---\n.*?^---\n|(?::[a-z-]+:[^\n]*\n)*)(.*?)^```$", re.MULTILINE | re.DOTALL
)
BY_PAGE = {path.stem: path for path in PAGES if "{code-cell}" in path.read_text("utf-8")}


def cells(path: Path) -> list[str]:
    return CELL.findall(path.read_text("utf-8"))


def run(sources: list[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Every name that cells leave behind."""
    monkeypatch.setattr(exercises, "_latest", {})
    matplotlib.use("agg", force=True)
    names: dict[str, Any] = {}
    for source in sources:
        exec(source, names)  # noqa: S102 - the page's own cells
    plt.close("all")
    return names


@pytest.mark.parametrize("name", list(exercises.exercises()))
def test_every_exercise_has_its_page_with_every_task_and_the_solution(name: str) -> None:
    source = "\n".join(cells(BY_PAGE[name]))
    for item in exercises.exercises()[name].items:
        call = "answer" if isinstance(item, Question) else "check"
        assert f'{call}("{item.id}"' in source
    assert f'solution("{name}")' in source


@pytest.mark.parametrize("path", BY_PAGE.values(), ids=list(BY_PAGE))
def test_no_solution_stands_on_the_page(path: Path) -> None:
    text = path.read_text("utf-8")
    for source in solution_sources().values():
        assert source.strip() not in text


def test_two_scores_runs_untouched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run(cells(BY_PAGE["two-scores"]), monkeypatch)
    printed = capsys.readouterr()
    assert all(result.status == "not yet" for result in exercises.progress().results)
    assert "two-scores.expected_loss: the book's function, until yours passes." in printed.out
    assert printed.err == ""
    for task in exercises.exercises()["two-scores"].items:
        if isinstance(task, Task):
            learners = names[task.id.split(".")[1]]
            assert learners is not task.reference
            with pytest.raises(NotImplementedError):
                learners(*next(iter(task.inputs.values()))[0])

    errors = {name: values.mean().item() for name, values in names["errors"].items()}
    assert names["arrived"] == {"cross-entropy": 16, "brier": 320}
    assert names["gap"].low > 0.1 and errors["Brier, start at −6"] > 0.3
    assert max(errors["cross-entropy, start at −6"], errors["Brier, usual start"]) < 0.15
    stuck = (names["learned"]["Brier, start at −6"] < 0.05) & (landscapes.eta(landscapes.GRID) > 0.9)
    assert stuck.any(-1).sum() > names["seeds"] / 2
    by_descent, by_rate, by_adam = names["far"].values()
    assert 0 < by_adam < by_descent and names["seeds"] / 2 < by_rate <= by_descent


LEARNED = {
    "def expected_loss(q, p, kind):\n    raise NotImplementedError": (
        "def expected_loss(q, p, kind):\n"
        "    if kind == 'brier':\n"
        "        return (q - p) ** 2 + p * (1 - p)\n"
        "    return -torch.xlogy(p, q) - torch.xlogy(1 - p, 1 - q)"
    ),
    "def grad_logit(z, y, kind):\n    raise NotImplementedError": (
        "def grad_logit(z, y, kind):\n    return torch.sigmoid(z) - y  # right for cross-entropy, but not in the tails"
    ),
    '"two-scores.slopes", cross_entropy=..., brier=...': '"two-scores.slopes", cross_entropy=q - y, brier=2 * (q - y)',
    '"two-scores.inflection", ...': '"two-scores.inflection", -sp.log(2)',
}


def test_two_scores_uses_what_the_learner_has_right(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "\0".join(cells(BY_PAGE["two-scores"]))
    for stub, written in LEARNED.items():
        assert stub in text
        text = text.replace(stub, written)
    sources = text.split("\0")
    last = next(i for i, source in enumerate(sources) if "use(" in source)
    names = run(sources[: last + 1], monkeypatch)
    assert names["cost"] is names["expected_loss"] and names["slope"] is not names["grad_logit"]
    assert "two-scores.expected_loss: your function." in capsys.readouterr().out
    status = {result.task.split(".")[1]: result.status for result in exercises.progress().results}
    assert status["expected_loss"] == status["inflection"] == "passed"
    assert status["grad_logit"] == status["slopes"] == "failed"
    assert status["minimum"] == "not yet"
