"""The edition of the exercises to hand out: no solution is in it, the checks work, and it comes out the same twice."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest

from losscore.exercises import exercises, solution, solution_sources
from tests.exercises.pages import statements

ROOT = Path(__file__).parents[1]


def load() -> ModuleType:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        spec = importlib.util.spec_from_file_location("student", ROOT / "tools" / "student.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(ROOT / "tools"))


student = load()


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("student") / "edition"
    wheel = student.write(out, list(exercises()), sys.executable)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(out / "installed")
    return out


def explanations() -> Iterator[str]:
    """The sentences of the explanations that stand in the source as they are shown."""
    for exercise in exercises().values():
        for item in exercise.items:
            yield from (part.strip() for part in item.explanation.split(". ") if len(part) > 40)


def given_away(folder: Path) -> Iterator[str]:
    """What of the solutions is found in the files of a folder."""
    solved = {name: statements(source) for name, source in solution_sources().items()}
    homes = tuple(name.replace("-", "_") for name in exercises())
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            continue
        content = path.read_bytes()
        if path.suffix == ".py" and path.parent.name == "exercises":
            written = statements(content.decode())
            yield from (
                f"{path.name}: {name}: {text}" for name, code in solved.items() for text in code & written
            )
            if path.stem.startswith(homes):
                yield f"{path.name} is a module of solutions"
        if path.suffix == ".ipynb":
            cells = nbformat.reads(content.decode(), 4).cells
            written = statements("\n".join(cell.source for cell in cells if cell.cell_type == "code"))
            yield from (
                f"{path.name}: {name}: {text}" for name, code in solved.items() for text in code & written
            )
            yield from (f"{path.name}: outputs" for cell in cells if cell.get("outputs"))
            yield from (f"{path.name}: a model answer" for cell in cells if "<details>" in cell.source)
        yield from (f"{path.name}: {text}" for text in explanations() if text.encode() in content)
        if path.suffix in (".py", ".pyc") and b"-> Proof:" in content and path.name != "proof.py":
            yield f"{path.name}: a proof"


def test_no_solution_is_in_it(edition: Path) -> None:
    assert not list(given_away(edition))
    assert not list(edition.rglob("claims.yml"))


def test_the_search_for_solutions_finds_them_in_the_book() -> None:
    in_package = "\n".join(given_away(ROOT / "losscore" / "exercises"))
    assert "gce_loss.py: gce.gce: " in in_package and "gce.py is a module of solutions" in in_package
    assert "robust.py: a proof" in "\n".join(given_away(ROOT / "losscore" / "symbolic"))
    in_notebooks = "\n".join(given_away(ROOT / "book" / "notebooks" / "en" / "exercises"))
    assert "gce.ipynb: outputs" in in_notebooks and "gce.ipynb: a model answer" in in_notebooks
    assert list(explanations())


def test_twice_the_same_bytes(edition: Path, tmp_path: Path) -> None:
    student.write(tmp_path / "again", list(exercises()), sys.executable)
    files = [path for path in edition.iterdir() if path.is_file()]
    assert len(files) == len(exercises()) + 1
    for path in files:
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_notebooks_keep_the_tasks_and_open_with_the_set_up(edition: Path) -> None:
    for name, exercise in exercises().items():
        notebook = nbformat.read(edition / f"{name}.ipynb", 4)
        nbformat.validate(notebook)
        code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        assert code[0].startswith("# @title Set-up") and ".whl" in code[0]
        assert all(item.id in "\n".join(code) for item in exercise.items)
        assert f'progress("{name}")' in code[-1] and "solution(" not in "\n".join(code[1:])
        prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        assert prose.count("*Your answer:*") >= 3
        assert "## Reflect" in prose and "## What this page shows" not in prose
        assert "Solutions" not in prose


PROGRAM = """
import json, sys
import losscore
from losscore import exercises
names = {}
for source in json.loads(sys.argv[1]):
    exec(source, names)
told = {
    "home": losscore.__file__,
    "untouched": [result.status for result in exercises.progress("gce").results],
    "right": exercises.answer("gce.damping", 0.0398).status,
    "wrong": exercises.answer("gce.damping", 3.98).notes,
    "pasted": exercises.check("gce.gce", lambda z, y, q: losscore.generalized_cross_entropy(z, y, q=q, reduction="none")).status,
    "solution": str(exercises.solution("gce")),
}
print(json.dumps(told))
"""


def test_the_checks_work_and_solutions_are_withheld(edition: Path) -> None:
    cells = nbformat.read(edition / "gce.ipynb", 4).cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    last = next(i for i, source in enumerate(code) if "use(" in source)
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(code[: last + 1])],
        cwd=edition / "installed", env={"MPLBACKEND": "agg"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    assert told["home"].startswith(str(edition))
    assert set(told["untouched"]) == {"not yet"}
    assert (told["right"], told["pasted"]) == ("passed", "passed")
    assert "amplify" in told["wrong"][0]
    assert "holds no solutions" in told["solution"] and "holds no solutions" not in str(
        solution("gce.damping")
    )


def test_an_unknown_exercise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["student.py", "no-such"])
    with pytest.raises(SystemExit, match="no exercise is called no-such; there are two-scores, "):
        student.main()
