"""The exercise pages as learners run them: their cells, from top to bottom."""

from __future__ import annotations

import ast
import re
import time
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt

from losscore import exercises

PAGES = Path(__file__).parents[2] / "book" / "exercises"
CELL = re.compile(
    r"^```\{code-cell\}[^\n]*\n(?:---\n.*?^---\n|(?::[a-z-]+:[^\n]*\n)*)(.*?)^```$", re.MULTILINE | re.DOTALL
)


def page(name: str) -> str:
    """The source of the page of an exercise."""
    return (PAGES / f"{name}.md").read_text("utf-8")


def cells(name: str) -> list[str]:
    """The code cells of the page of an exercise."""
    return CELL.findall(page(name))


def run(sources: list[str]) -> dict[str, Any]:
    """Every name that cells leave behind, run as in a fresh notebook."""
    matplotlib.use("agg", force=True)
    exercises._latest.clear()
    names: dict[str, Any] = {}
    for source in sources:
        exec(source, names)  # noqa: S102 - the page's own cells
    plt.close("all")
    return names


def run_page(name: str) -> dict[str, Any]:
    """Every name that the whole page of an exercise leaves behind; it takes about as long as its card says."""
    began = time.process_time()
    names = run(cells(name))
    assert time.process_time() - began < 2 * exercises.exercise(name).seconds
    return names


def statements(source: str) -> set[str]:
    """The statements inside the functions of a piece of code, written in one way; short ones say nothing."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    inner = {
        ast.unparse(node)
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.stmt)
    }
    return {text for text in inner if len(text) > 20 and not text.startswith(("def ", "raise ", '"', "'"))}
