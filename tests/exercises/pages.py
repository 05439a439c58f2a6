"""The exercise pages as learners run them: their cells, from top to bottom."""

from __future__ import annotations

import re
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
