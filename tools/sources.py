"""Where the book's pages are, read from `_config.yml` and `_toc.yml`, with errors that name file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent


class BookError(Exception):
    """What is wrong, as the message that the reader of the terminal gets."""


def load_yaml(name: str) -> dict[str, Any]:
    """Read a YAML file of the root; a broken one is an error at its line."""
    try:
        loaded = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BookError(f"{name}: no such file in {ROOT}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BookError(f"{name}:{line}: not valid YAML: {error.problem}") from None
    if not isinstance(loaded, dict):
        raise BookError(f"{name}:1: expected keys with values, got {type(loaded).__name__}")
    return loaded


def line_of_text(name: str, text: str) -> int:
    """The first line of a file of the root that holds the text (from 1; 1 when none does)."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if text in line), 1)


def pages() -> list[str]:
    """Every page that `_toc.yml` names, in order, as a path without suffix; each has its Markdown file."""
    found: list[str] = []

    def walk(entry: Any) -> None:
        if isinstance(entry, list):
            for item in entry:
                walk(item)
        elif isinstance(entry, dict):
            found.extend(str(entry[key]) for key in ("root", "file") if key in entry)
            for key in ("parts", "chapters", "sections"):
                walk(entry.get(key))

    walk(load_yaml("_toc.yml"))
    for page in found:
        if not (ROOT / f"{page}.md").is_file():
            line = line_of_text("_toc.yml", page)
            raise BookError(f"_toc.yml:{line}: names the page {page!r}, but there is no file {page}.md")
    return found
