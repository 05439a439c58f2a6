"""Copy the notebooks that the builder has just written to `book/notebooks/en`, or check those that are there.

``--check`` compares everything but outputs and execution counts (those are for nbval) and exits with status 1
when a committed notebook is not what its page gives now.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from sources import ROOT

BUILT = ROOT / "_build/notebooks/book"
COMMITTED = ROOT / "book/notebooks/en"


def names(folder: Path) -> set[str]:
    """The notebooks below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.ipynb")}


def without_outputs(path: Path) -> dict[str, Any]:
    """A notebook as its page determines it."""
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)
    return notebook


def differences() -> list[str]:
    """What is wrong with the committed notebooks, a line each."""
    built, committed = names(BUILT), names(COMMITTED)
    found = [f"missing: {name}" for name in built - committed]
    found += [f"its page is gone: {name}" for name in committed - built]
    found += [
        f"older than its page: {name}"
        for name in built & committed
        if without_outputs(BUILT / name) != without_outputs(COMMITTED / name)
    ]
    return sorted(found)


def main() -> None:
    """Copy or check."""
    parser = argparse.ArgumentParser(description="Write or check the committed notebooks.")
    parser.add_argument("--check", action="store_true", help="only tell whether they are up to date")
    if parser.parse_args().check:
        found = differences()
        if found:
            where = COMMITTED.relative_to(ROOT)
            sys.exit(f"error: {where} is out of date (make notebooks mends it):\n  " + "\n  ".join(found))
        print(f"{len(names(COMMITTED))} notebooks are what their pages give.")
        return
    shutil.rmtree(COMMITTED, ignore_errors=True)
    shutil.copytree(BUILT, COMMITTED)
    print(f"{len(names(COMMITTED))} notebooks are in {COMMITTED.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
