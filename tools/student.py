"""Make an edition of the exercises to hand out: notebooks and a wheel of losscore that hold no solution's source.

``python tools/student.py [EXERCISE …]`` writes to ``_student``; twice the same gives the same bytes.

In the notebooks the solutions, the model answers, what the page concludes and all outputs are gone. In the wheel the
modules of the exercises, which the checks need, are compiled and without their explanations; the proofs and the ledger
of claims are left out. Compiled code fits one version of Python: that of ``--python``.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sources import ROOT

from losscore.exercises import exercises

NOTEBOOKS = ROOT / "book/notebooks/en/exercises"
OUT = ROOT / "_student"
MECHANISM = {"__init__", "answering", "calling", "checking", "grade", "results", "submission", "tasks"}
"""The modules of losscore.exercises that hold no exercise; all others are compiled."""
SOLVED = ("explanation", "proofs")
CONCLUDING = re.compile(r"## (?:Where this stops being true|What this page shows|Solutions)\b")
FOLDED = " Solutions are folded at the end of the page."
MODEL_ANSWER = re.compile(r"<details>\s*<summary>(.*?)</summary>.*?</details>", re.DOTALL)
SET_UP = """\
# @title Set-up: adds losscore where it is missing
import importlib.util
import pathlib
import subprocess
import sys

if importlib.util.find_spec("losscore") is None:
    if sys.version_info[:2] != {version}:
        raise ImportError("these exercises are made for Python {dotted}")
    wheel = pathlib.Path("{wheel}")
    if not wheel.exists():
        raise FileNotFoundError(f"put {{wheel}} in the folder of this notebook, then run this cell again")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(command, check=True)
"""


# The wheel


def build(folder: Path) -> Path:
    """The package as the wheel of the whole book holds it, unpacked in ``folder``."""
    source = folder / "source"
    for name in ("losscore", "pyproject.toml", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        source.mkdir(exist_ok=True)
        copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--no-index", "--wheel-dir", str(folder), str(source)], check=True)
    [wheel] = folder.glob("*.whl")
    subprocess.run(
        [sys.executable, "-m", "wheel", "unpack", "--dest", str(folder / "unpacked"), str(wheel)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    [package] = (folder / "unpacked").iterdir()
    return package


class _Unsolved(ast.NodeTransformer):
    """Takes away what explains a solution: the arguments in `SOLVED`, and functions that return a proof."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.keywords = [keyword for keyword in node.keywords if keyword.arg not in SOLVED]
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST | None:
        if isinstance(node.returns, ast.Name) and node.returns.id == "Proof":
            return None
        return self.generic_visit(node)


def strip(package: Path) -> list[Path]:
    """Take the solutions out of an unpacked package; the modules of exercises, which are still to be compiled."""
    modules = [path for path in (package / "losscore/exercises").glob("*.py") if path.stem not in MECHANISM]
    for path in [*modules, *sorted((package / "losscore/symbolic").glob("*.py"))]:
        if path.name != "proof.py":
            tree = _Unsolved().visit(ast.parse(path.read_text("utf-8")))
            path.write_text(ast.unparse(ast.fix_missing_locations(tree)) + "\n", encoding="utf-8")
    (package / "losscore/claims.yml").unlink()
    return modules


def compiled(package: Path, modules: Sequence[Path], python: str) -> tuple[int, int]:
    """Compile these modules with ``python``, whose version is returned, and remove their source."""
    version = json.loads(
        subprocess.check_output([python, "-c", "import json, sys; print(json.dumps(sys.version_info[:2]))"])
    )
    subprocess.run(
        [python, "-m", "compileall", "-q", "-b", "--invalidation-mode", "unchecked-hash",
         "-s", str(package), *map(str, sorted(modules))],
        check=True, env=os.environ | {"PYTHONHASHSEED": "0"},
    )  # fmt: skip
    for module in modules:
        module.unlink()
    return version[0], version[1]


def packed(package: Path, version: tuple[int, int], folder: Path) -> Path:
    """The wheel of a package that fits one version of Python."""
    [card] = package.glob("*.dist-info/WHEEL")
    tag = f"cp{version[0]}{version[1]}-none-any"
    card.write_text(re.sub(r"^Tag: .*$", f"Tag: {tag}", card.read_text("utf-8"), flags=re.MULTILINE), "utf-8")
    subprocess.run(
        [sys.executable, "-m", "wheel", "pack", "--dest-dir", str(folder), str(package)],
        check=True, env=os.environ | {"SOURCE_DATE_EPOCH": "315532800"}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    [wheel] = folder.glob(f"*-{tag}.whl")
    return wheel


# The notebooks


def handed_out(notebook: dict[str, Any], set_up: str) -> dict[str, Any]:
    """A notebook without solutions, model answers, conclusions and outputs."""
    codes = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    codes[0]["source"] = set_up
    return {**notebook, "cells": list(_cells(notebook["cells"]))}


def _cells(cells: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    concluding = False
    for cell in cells:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            if text.startswith("## "):
                concluding = CONCLUDING.match(text) is not None
            if not concluding:
                answered = MODEL_ANSWER.sub(r"\1\n\n*Your answer:*", text)
                yield {**cell, "source": answered.replace(FOLDED, "")}
        elif text.startswith("progress(") or not concluding:
            yield {**cell, "source": text, "outputs": [], "execution_count": None}


def write(out: Path, chosen: Sequence[str], python: str) -> Path:
    """Write the wheel and the notebooks of these exercises to ``out``; the wheel's path."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        package = build(Path(folder))
        version = compiled(package, strip(package), python)
        wheel = packed(package, version, out)
    set_up = SET_UP.format(version=version, dotted=".".join(map(str, version)), wheel=wheel.name)
    for name in chosen:
        notebook = handed_out(json.loads((NOTEBOOKS / f"{name}.ipynb").read_text("utf-8")), set_up)
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        (out / f"{name}.ipynb").write_text(text, encoding="utf-8")
    return wheel


def main() -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "exercises", nargs="*", metavar="EXERCISE", help="ids of exercises; all, if none is given"
    )
    parser.add_argument(
        "--python", default=sys.executable, help="a Python of the version that the students have"
    )
    asks = parser.parse_args()
    unknown = sorted(set(asks.exercises) - set(exercises()))
    if unknown:
        sys.exit(f"error: no exercise is called {', '.join(unknown)}; there are {', '.join(exercises())}")
    chosen = asks.exercises or list(exercises())
    wheel = write(OUT, chosen, asks.python)
    print(f"{len(chosen)} notebook{'s' * (len(chosen) > 1)} and {wheel.name} are in {OUT.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
