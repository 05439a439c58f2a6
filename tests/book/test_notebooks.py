"""The generated notebooks: up to date, executed, readable in Jupyter and Colab, safe to open anywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat import NotebookNode

from losscore.exercises import solution_sources
from tests.book.site import NOTEBOOKS, ROOT, expect_none, raw_markup
from tests.exercises.pages import statements

PATHS = sorted(NOTEBOOKS.rglob("*.ipynb"))
IMAGES = {"image/png", "image/jpeg", "image/svg+xml"}
REPOSITORY = "https://github.com/a-reader/a-fork"
RAW = "https://raw.githubusercontent.com/a-reader/a-fork"
COLAB = "https://colab.research.google.com/github/a-reader/a-fork/blob"
UNCOMPARED = re.compile(r"^# not compared: \S.*")

NAMES = [path.relative_to(NOTEBOOKS).with_suffix("").as_posix() for path in PATHS]
every_notebook = pytest.mark.parametrize("path", PATHS, ids=NAMES)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def cell_problems(notebook: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(code_cells(notebook), 1):
        if cell.execution_count is None:
            yield f"cell {number} was never run, so nothing would be compared"
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"cell {number} stores an error: {output.ename}"
            if IMAGES & set(output.get("data", {})):
                yield f"cell {number} stores an image"
        if "nbval-ignore-output" in cell.metadata.get("tags", []) and not any(
            UNCOMPARED.match(line) for line in cell.source.splitlines()
        ):
            yield f"cell {number} is not compared and gives no reason (a line `# not compared: <reason>`)"
        if re.search(r"^\s*#\s*NBVAL_", cell.source, re.MULTILINE):
            yield f"cell {number} steers nbval by a comment: use the tag nbval-ignore-output"


def test_there_are_notebooks() -> None:
    assert PATHS, "no notebooks in book/notebooks/en: run `make notebooks`"


@every_notebook
def test_cells(path: Path) -> None:
    expect_none(cell_problems(nbformat.read(path, 4)))


@every_notebook
def test_prose_is_resolved(path: Path) -> None:
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "markdown":
            assert not raw_markup(cell.source)


def solutions() -> dict[str, set[str]]:
    return {task: statements(source) for task, source in solution_sources().items()}


def given_away(notebook: NotebookNode) -> Iterator[str]:
    written = statements("\n".join(cell.source for cell in code_cells(notebook)))
    for task, solution in solutions().items():
        yield from (f"the solution of {task} stands in a code cell: {text}" for text in solution & written)


@every_notebook
def test_solutions_are_not_in_the_code(path: Path) -> None:
    expect_none(given_away(nbformat.read(path, 4)))


def test_the_check_of_solutions() -> None:
    assert all(solutions().values())
    source = next(iter(solution_sources().values()))
    assert list(given_away(nbformat.v4.new_notebook(cells=[code(source)])))


def set_up(notebook: NotebookNode) -> str:
    return str(code_cells(notebook)[0].source)


def run_set_up(
    notebook: NotebookNode, tmp_path: Path, *, installed: bool
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run the set-up cell with a stand-in for pip; its process and the arguments that pip was called with.

    ``installed`` says whether Python finds the book's packages.
    """
    calls = tmp_path / "calls"
    stand_in = (
        "import importlib.util, pathlib, subprocess\n"
        f"real, calls, installed = importlib.util.find_spec, pathlib.Path({str(calls)!r}), {installed}\n"
        "importlib.util.find_spec = lambda name, *a: real(name, *a) if installed else None\n"
        "def record(command, **options):\n"
        "    with calls.open('a') as file: file.write(' '.join(map(str, command)) + '\\n')\n"
        "    return subprocess.CompletedProcess(command, 0, '', '')\n"
        "subprocess.run = subprocess.check_call = subprocess.call = record\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", stand_in + set_up(notebook)], cwd=tmp_path, capture_output=True, text=True
    )
    return process, calls.read_text("utf-8").splitlines() if calls.exists() else []


@every_notebook
def test_set_up_does_nothing_where_everything_is_installed(path: Path, tmp_path: Path) -> None:
    process, calls = run_set_up(nbformat.read(path, 4), tmp_path, installed=True)
    assert (process.returncode, process.stdout, process.stderr, calls) == (0, "", "", [])


@every_notebook
def test_set_up_says_what_to_do_where_no_repository_is_known(path: Path, tmp_path: Path) -> None:
    process, calls = run_set_up(nbformat.read(path, 4), tmp_path, installed=False)
    assert process.returncode != 0 and not calls
    assert "ModuleNotFoundError" in process.stderr.splitlines()[-1]
    assert "losscore" in process.stderr.splitlines()[-1]


@every_notebook
def test_no_repository_is_made_up(path: Path) -> None:
    notebook = nbformat.read(path, 4)
    assert "github" not in set_up(notebook)
    text = "\n".join(cell.source for cell in notebook.cells)
    assert "raw.githubusercontent.com" not in text and "colab.research.google.com/github" not in text


def publish(site: Path) -> None:
    """Assemble the site as the publish workflow does, for a repository of this test's own."""
    command = ["make", "site", f"SITE={site}", f"REPOSITORY={REPOSITORY}", f"VENV={sys.prefix}"]
    command += ["--assume-old", f"{sys.prefix}/.ready"]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    run = subprocess.run(
        command, cwd=ROOT, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert run.returncode == 0, run.stdout


def stamp_problems(notebook: NotebookNode, folder: Path, wheel: str) -> Iterator[str]:
    process, calls = run_set_up(notebook, folder, installed=False)
    if process.returncode or process.stdout:
        yield f"the set-up cell ends with {process.returncode} and prints {process.stdout} {process.stderr}"
    if not any(call.endswith(wheel) for call in calls):
        yield f"the set-up cell does not install {wheel}: {calls}"
    for call in calls:
        if not {"--no-deps", "--quiet"} <= set(call.split()) or {"torch", "numpy"} & set(call.split()):
            yield f"the set-up cell may change what is installed: {call}"


def colab_problems(site: Path) -> Iterator[str]:
    opened = set()
    for page in site.rglob("book/**/*.html"):
        for link in BeautifulSoup(page.read_bytes(), "html.parser").find_all("a", href=True):
            if "colab.research.google.com" in link["href"]:
                opened.add(link["href"])
    wanted = {f"{COLAB}/gh-pages/notebooks/en/{name}.ipynb" for name in NAMES}
    yield from (f"no button opens {link}" for link in wanted - opened)
    yield from (f"a button opens {link}, which is not published" for link in opened - wanted)


def test_published_site_is_stamped(tmp_path: Path) -> None:
    site = tmp_path / "site"
    publish(site)
    wheels = list(site.glob("*.whl"))
    assert len(wheels) == 1
    notebooks = site / "notebooks" / "en"
    assert sorted(path.relative_to(notebooks) for path in notebooks.rglob("*.ipynb")) == [
        path.relative_to(NOTEBOOKS) for path in PATHS
    ]
    for name in NAMES:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        notebook = nbformat.read(notebooks / f"{name}.ipynb", 4)
        expect_none(
            f"{name}: {text}" for text in stamp_problems(notebook, folder, f"{RAW}/gh-pages/{wheels[0].name}")
        )
    expect_none(colab_problems(site))


def code(
    source: str, *, count: int | None = 1, outputs: tuple[NotebookNode, ...] = (), tags: tuple[str, ...] = ()
) -> NotebookNode:
    cell = nbformat.v4.new_code_cell(source, execution_count=count, outputs=list(outputs))
    cell.metadata["tags"] = list(tags)
    return cell


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        (code("1 + 1"), None),
        (code("1 + 1", count=None), "never run"),
        (
            code("x", outputs=(nbformat.v4.new_output("error", ename="NameError", evalue="", traceback=[]),)),
            "error",
        ),
        (code("x", outputs=(nbformat.v4.new_output("display_data", {"image/png": "aGk="}),)), "image"),
        (code("x", tags=("nbval-ignore-output",)), "no reason"),
        (code("# not compared: names the device\nx", tags=("nbval-ignore-output",)), None),
        (code("# NBVAL_IGNORE_OUTPUT\nx"), "by a comment"),
    ],
)
def test_the_check_of_cells(cell: NotebookNode, problem: str | None) -> None:
    found = list(cell_problems(nbformat.v4.new_notebook(cells=[cell])))
    assert (not found) if problem is None else (len(found) == 1 and problem in found[0])
