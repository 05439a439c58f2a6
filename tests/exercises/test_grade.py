"""Grading a folder: what is run of a submission, what is reported, and that one submission costs only itself."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from losscore import exercises
from losscore.exercises import grade, submission
from losscore.exercises.grade import Grade, all_grades, submissions, table, write_csv, write_json

BEGIN = "import sympy as sp\nfrom losscore.exercises import answer, check\np, q = sp.symbols('p q')\n"


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(exercises, "_latest", {})
    return tmp_path / "report.json"


def judged(source: str, report: Path) -> tuple[dict[str, str], list[str]]:
    path = report.parent / "work.py"
    path.write_text(source, encoding="utf-8")
    submission.run(path, report)
    told = json.loads(report.read_text("utf-8"))
    return {name: found[0] for name, found in told["results"].items()}, told["remarks"]


def test_only_what_the_checks_depend_on_is_run(report: Path) -> None:
    source = BEGIN + (
        "power = {}\npower['q'] = q\nrows = []\nrows.append(1 / (1 - power['q']))\n"
        "raise RuntimeError('training, which no answer depends on')\n"
        "for epoch in range(3):\n    1 / 0\n"
        "if True:\n    answer('gce.limit', -sp.log(p))\n"
        "answer('gce.minimiser', exponent=rows[0])\n"
    )
    assert judged(source, report) == ({"gce.limit": "passed", "gce.minimiser": "not yet"}, [])


def test_a_failure_costs_what_depends_on_it_and_the_latest_answer_counts(report: Path) -> None:
    source = BEGIN + (
        "peak = 1 / 0\nanswer('gce.peak', peak)\nanswer('gce.limit', 0)\nanswer('gce.limit', -sp.log(p))\n"
        "import sys\nanswer('gce.proper', sys.exit(3))\nanswer('gce.proper', 'for every q')\n"
    )
    results, remarks = judged(source, report)
    assert results == {"gce.limit": "passed", "gce.proper": "failed"}
    assert remarks == [
        "line 4: ZeroDivisionError: division by zero",
        "line 5: NameError: name 'peak' is not defined",
        "line 9: SystemExit: 3",
    ]


def test_names_of_a_star_import_are_there(report: Path) -> None:
    results, remarks = judged(
        "from losscore.exercises import *\nanswer('gce.proper', 'for every q')\n", report
    )
    assert results == {"gce.proper": "failed"} and not remarks


def test_notebooks_lose_only_the_cell_that_does_not_parse(tmp_path: Path, report: Path) -> None:
    sources = [
        BEGIN,
        "%matplotlib inline\n!pip list\n",
        "answer('gce.peak', (q)",
        "answer('gce.limit', -sp.log(p))",
    ]
    cells = [{"cell_type": "code", "source": [source]} for source in sources]
    path = tmp_path / "work.ipynb"
    path.write_text(
        json.dumps({"cells": [{"cell_type": "markdown", "source": "x ="}, *cells]}), encoding="utf-8"
    )
    submission.run(path, report)
    told = json.loads(report.read_text("utf-8"))
    assert told["results"]["gce.limit"][0] == "passed"
    assert told["remarks"] == ["code cell 3, line 1: '(' was never closed"]


FOLDER = {
    "ada.py": BEGIN + "answer('gce.limit', -sp.log(p))\nanswer('gce.damping', 3.98)\n",
    "deep/crash.py": BEGIN + "answer('gce.limit', -sp.log(p))\nimport os\nanswer('gce.peak', os.abort())\n",
    "empty.py": "print('hello')\n",
    "loop.py": BEGIN
    + "answer('gce.limit', 0)\nimport time\nwhile True:\n    p = time.sleep(1)\nanswer('gce.limit', p)\n",
    "not a notebook.ipynb": "{}",
    ".hidden/x.py": BEGIN,
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    folder = tmp_path_factory.mktemp("submissions")
    for name, source in FOLDER.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(source, encoding="utf-8")
    run = grade._run
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            grade, "_run", lambda path, seconds: run(path, 5 if path.name == "loop.py" else seconds)
        )
        return {one.submission: one for one in all_grades(folder, seconds=60, jobs=2)}


def test_a_submission_that_loops_or_crashes_costs_only_itself(graded: dict[str, Grade]) -> None:
    assert list(graded) == ["ada.py", "deep/crash.py", "empty.py", "loop.py", "not a notebook.ipynb"]
    ada, crash, empty, loop, broken = graded.values()
    assert (ada.exercise, ada.solved, ada.named("failed"), ada.remarks) == ("gce", 1, ["damping"], [])
    assert "amplify" in ada.hints["gce.damping"][0]
    assert crash.solved == 1 and crash.remarks == ["its process ended with status -6"]
    assert loop.solved == 0 and loop.remarks == ["stopped after 5 seconds"]
    assert empty.exercise == "" and empty.remarks == ["holds no task of any exercise"]
    assert broken.remarks == ["cannot be read: KeyError: 'cells'"]


def test_the_reports_hold_everything(graded: dict[str, Grade], tmp_path: Path) -> None:
    lines = table(list(graded.values())).splitlines()
    assert lines[0].split() == ["submission", "exercise", "solved", "wrong", "remarks"]
    assert lines[1].split() == ["ada.py", "gce", "1", "of", "10", "damping"]
    write_csv(list(graded.values()), tmp_path / "grades.csv")
    write_json(list(graded.values()), tmp_path / "grades.json")
    with (tmp_path / "grades.csv").open(encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    assert (row["submission"], row["solved"], row["of"], row["wrong"]) == ("ada.py", "1", "10", "damping")
    assert row["not yet"].startswith("slopes peak")
    entry = json.loads((tmp_path / "grades.json").read_text("utf-8"))[0]
    assert entry["items"]["gce.limit"] == "passed" and entry["solved"] == 1


def test_the_command_refuses_a_folder_without_submissions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert submissions(tmp_path) == []
    monkeypatch.setattr(sys, "argv", ["grade", str(tmp_path)])
    assert grade.main() == 2
    assert "holds no notebook" in capsys.readouterr().err


def test_the_command_writes_what_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.py").write_text("", encoding="utf-8")
    files = [tmp_path / "grades.csv", tmp_path / "grades.json"]
    monkeypatch.setattr(
        sys, "argv", ["grade", str(tmp_path), "--csv", str(files[0]), "--json", str(files[1])]
    )
    assert grade.main() == 0
    assert "holds no task" in capsys.readouterr().out and all(file.exists() for file in files)
