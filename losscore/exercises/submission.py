"""Run what one submission needs for its checks, in a process of its own: ``grade`` starts it for every file.

Of a notebook or a Python file only those statements run that a check or an answer depends on, so an experiment that
trains for minutes costs nothing. The results are written after each of them: what comes later cannot take them back.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CALLS = ("answer", "check")


def run(path: Path, report: Path) -> None:
    """Judge the submission ``path`` and keep its results and remarks up to date in the file ``report``."""
    remarks: list[str] = []
    statements = list(parsed(path, remarks))
    names: dict[str, Any] = {"__name__": "__main__"}
    _write(report, remarks)
    for statement in needed(statements):
        try:
            exec(compile(ast.Module([statement], []), path.name, "exec"), names)  # noqa: S102 - that is the task
        except (Exception, SystemExit) as surprise:  # noqa: BLE001 - one statement's failure is no other's
            what = f"{type(surprise).__name__}: {surprise}".rstrip(": ")
            remarks.append(f"line {statement.lineno}: {what}" if path.suffix == ".py" else what)
        _write(report, remarks)


def parsed(path: Path, remarks: list[str]) -> Iterator[ast.stmt]:
    """The statements of a Python file, or of a notebook's code cells; cells that do not parse become remarks."""
    for number, source in enumerate(_sources(path), 1):
        plain = "\n".join(
            "" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines()
        )
        try:
            yield from ast.parse(plain).body
        except SyntaxError as broken:
            where = "" if path.suffix == ".py" else f"code cell {number}, "
            remarks.append(f"{where}line {broken.lineno}: {broken.msg}")


def asked(statement: ast.stmt) -> list[str]:
    """The tasks and questions that a statement gives to ``check`` or ``answer``."""
    return [
        node.args[0].value
        for node in ast.walk(statement)
        if isinstance(node, ast.Call)
        and _called(node.func) in CALLS
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ]


def needed(statements: list[ast.stmt]) -> list[ast.stmt]:
    """The statements that ask, and those that give a value to a name that they read, directly or not."""
    chosen: list[ast.stmt] = []
    reads: set[str] = set()
    for statement in reversed(statements):
        if asked(statement) or _gives(statement) & (reads | {"*"}):
            chosen.append(statement)
            reads |= _reads(statement)
    return chosen[::-1]


def _sources(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return [text]
    cells = json.loads(text)["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _reads(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}


def _gives(statement: ast.stmt) -> set[str]:
    """The names that a statement binds or may change: it assigns, defines, imports, or calls a method of them."""
    given: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            given.add(node.name)
        elif isinstance(node, ast.alias):
            given.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) and not isinstance(
            node.ctx, ast.Load
        ):
            given.add(_root(node))
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        given.add(_root(statement.value.func))
    return given


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _write(report: Path, remarks: list[str]) -> None:
    """Replace the report in one step, so that a process that is stopped leaves a whole one."""
    from losscore import exercises

    results = {name: [result.status, *result.notes] for name, result in exercises._latest.items()}
    with tempfile.NamedTemporaryFile("w", dir=report.parent, delete=False, encoding="utf-8") as file:
        json.dump({"results": results, "remarks": remarks}, file)
    os.replace(file.name, report)


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]))
