"""The generated notebooks: up to date, executed, readable in Jupyter and Colab, safe to open anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from losscore.exercises import solution_sources
from tests.book.site import NOTEBOOKS, raw_markup

PATHS = sorted(NOTEBOOKS.rglob("*.ipynb"))
IMAGES = {"image/png", "image/jpeg", "image/svg+xml"}
UNCOMPARED = re.compile(r"^# not compared: \S.*")

every_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.relative_to(NOTEBOOKS).with_suffix("").as_posix())


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
    assert not list(cell_problems(nbformat.read(path, 4)))


@every_notebook
def test_prose_is_resolved(path: Path) -> None:
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "markdown":
            assert not raw_markup(cell.source)


@every_notebook
def test_solutions_are_not_in_the_code(path: Path) -> None:
    code = "\n".join(cell.source for cell in code_cells(nbformat.read(path, 4)))
    for name, text in solution_sources().items():
        assert text.strip() not in code, f"the solution of {name} stands in a code cell"


def code(source: str, *, count: int | None = 1, outputs: tuple[NotebookNode, ...] = (), tags: tuple[str, ...] = ()) -> NotebookNode:
    cell = nbformat.v4.new_code_cell(source, execution_count=count, outputs=list(outputs))
    cell.metadata["tags"] = list(tags)
    return cell


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        (code("1 + 1"), None),
        (code("1 + 1", count=None), "never run"),
        (code("x", outputs=(nbformat.v4.new_output("error", ename="NameError", evalue="", traceback=[]),)), "error"),
        (code("x", outputs=(nbformat.v4.new_output("display_data", {"image/png": "aGk="}),)), "image"),
        (code("x", tags=("nbval-ignore-output",)), "no reason"),
        (code("# not compared: names the device\nx", tags=("nbval-ignore-output",)), None),
        (code("# NBVAL_IGNORE_OUTPUT\nx"), "by a comment"),
    ],
)
def test_the_check_of_cells(cell: NotebookNode, problem: str | None) -> None:
    found = list(cell_problems(nbformat.v4.new_notebook(cells=[cell])))
    assert (not found) if problem is None else (len(found) == 1 and problem in found[0])
