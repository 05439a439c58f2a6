"""Run the book's pages whose outputs are missing or stale, two at a time, into the cache that Sphinx reads.

Usage: ``python tools/execute.py [--jobs N] [PAGE ...]`` from the repository root. While one page is written,
name it: the others then keep the outputs they have, however old.

The cache knows a page by its code cells. What the cells import is written beside it in ``inputs.json``: the
files of ``losscore`` that the page loaded, the versions of the numerical packages, Python. When one of them
changes, the page is run again. A failing cell ends with one message (page, line, exception) and status 1.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.config import NbParserConfig
from myst_nb.core.read import create_nb_reader
from myst_parser.config.main import MdParserConfig
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from sources import ROOT, BookError, load_yaml, pages

PACKAGES = (
    "torch", "numpy", "scipy", "matplotlib", "pillow", "sympy", "mpmath", "ipykernel",
    "pmdarima", "statsmodels", "lifelines", "scikit-learn", "h5py",
)  # fmt: skip
DATA = ROOT / "requirements-data.txt"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
LOADED = """
import json as _json, sys as _sys
print(_json.dumps(sorted(f for m in list(_sys.modules.values()) if (f := getattr(m, "__file__", None)))))
"""


@dataclass
class Run:
    """One page that was executed: its notebook with outputs, the project files it loaded, seconds."""

    page: str
    notebook: NotebookNode
    inputs: list[str]
    seconds: float


def read_notebook(page: str, extensions: list[str]) -> NotebookNode | None:
    """The page as myst-nb reads it, or None when it is plain Markdown."""
    path = ROOT / f"{page}.md"
    text = path.read_text(encoding="utf-8")
    reader = create_nb_reader(
        str(path), MdParserConfig(enable_extensions=set(extensions)), NbParserConfig(), text
    )
    if reader is None:
        return None
    try:
        return reader.read(text)
    except Exception as error:
        raise BookError(f"{page}.md: could not be read as a notebook: {error}") from None


def digest(inputs: list[str]) -> str:
    """Hash of the named files, the numerical packages, the packages that carry data, and Python."""
    state = hashlib.sha256(sys.version.encode() + DATA.read_bytes())
    for package in PACKAGES:
        try:
            state.update(f"{package}={version(package)};".encode())
        except PackageNotFoundError:
            state.update(f"{package}=absent;".encode())
    for name in inputs:
        path = ROOT / name
        state.update(name.encode() + (path.read_bytes() if path.exists() else b"absent"))
    return state.hexdigest()


def project_inputs(files: list[str]) -> list[str]:
    """Which of the loaded files are the project's own, and the data files that lie beside them."""
    package = ROOT / "losscore"
    loaded = {Path(file).resolve() for file in files}
    own = {path for path in loaded if path.is_relative_to(package)}
    data = {path for path in package.rglob("*.yml") if path.with_suffix(".py") in own}
    kernel = set((ROOT / "book/_ipython").rglob("*.py"))
    return sorted(str(path.relative_to(ROOT)) for path in own | data | kernel)


def line_of(notebook: NotebookNode, index: int, page: str) -> int:
    """The line of the page (from 1) on which the code of a cell begins."""
    lines = (ROOT / f"{page}.md").read_text(encoding="utf-8").splitlines()
    fence = int(notebook.metadata["source_map"][index])
    first = notebook.cells[index].source.splitlines()[:1]
    return next((i + 1 for i in range(fence, len(lines)) if [lines[i]] == first), fence)


def failure(page: str, notebook: NotebookNode, index: int, error: Exception, timeout: int) -> BookError:
    """One readable message for a cell that failed."""
    line = line_of(notebook, index, page)
    if isinstance(error, CellTimeoutError):
        return BookError(f"{page}.md:{line}: this cell ran longer than {timeout} s")
    if not isinstance(error, CellExecutionError):
        return BookError(f"{page}.md:{line}: the kernel died in this cell ({error})")
    trace = next((o for o in notebook.cells[index].outputs if o.output_type == "error"), None)
    text = ANSI.sub("", "\n".join(trace.traceback)) if trace else str(error)
    inside = re.search(r"Cell In\[\d+\], line (\d+)", text)
    line += int(inside.group(1)) - 1 if inside else 0
    return BookError(f"{page}.md:{line}: {error.ename}: {error.evalue}\n\n{text}")


def execute(page: str, extensions: list[str], timeout: int) -> Run:
    """Run one page in a fresh kernel, in the folder of the page."""
    notebook = read_notebook(page, extensions)
    assert notebook is not None
    started = time.monotonic()
    current = [0]

    def mark(cell: NotebookNode, cell_index: int) -> None:
        current[0] = cell_index

    client = NotebookClient(
        notebook,
        timeout=timeout,
        record_timing=False,
        on_cell_execute=mark,
        resources={"metadata": {"path": str((ROOT / page).parent)}},
    )
    probe = new_code_cell(LOADED)
    try:
        with client.setup_kernel():
            notebook.cells.append(probe)
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise failure(page, notebook, current[0], error, timeout) from None
    notebook.cells.pop()
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    inputs = project_inputs(json.loads(probe.outputs[0].text))
    return Run(page, notebook, inputs, time.monotonic() - started)


def main() -> None:
    """Execute what is missing, in parallel, and say what was done."""
    parser = argparse.ArgumentParser(
        description="Run the pages of the book whose outputs are missing or stale."
    )
    parser.add_argument("--jobs", type=int, default=2, help="pages at a time (default 2)")
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="only these, like book/principles/role")
    arguments = parser.parse_args()
    jobs = arguments.jobs
    profile = ROOT / "_build/ipython"
    shutil.copytree(ROOT / "book/_ipython", profile, dirs_exist_ok=True)
    os.environ.update(
        {
            "OMP_NUM_THREADS": "1",
            "IPYTHONDIR": str(profile),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        }
    )
    config = load_yaml("_config.yml")
    extensions = config.get("parse", {}).get("myst_enable_extensions", [])
    timeout = int(config.get("execute", {}).get("timeout", 300))
    folder = ROOT / config.get("execute", {}).get("cache", "_build/.jupyter_cache")
    cache = get_cache(str(folder))
    record_path = folder / "inputs.json"
    records: dict[str, Any] = json.loads(record_path.read_text()) if record_path.exists() else {}

    def fresh(page: str, notebook: NotebookNode) -> bool:
        record = records.get(page)
        if record is None or record["digest"] != digest(record["inputs"]):
            return False
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            return False
        return True

    notebooks = {page: nb for page in pages() if (nb := read_notebook(page, extensions))}
    unknown = set(arguments.pages) - set(notebooks)
    if unknown:
        raise BookError(
            f"not a page with code: {', '.join(sorted(unknown))}; there are {', '.join(notebooks)}"
        )
    asked = arguments.pages or notebooks
    stale = [page for page in asked if not fresh(page, notebooks[page])]
    if not stale:
        print(f"Outputs of {len(asked)} pages are up to date.")
        return
    print(
        f"Running {len(stale)} of {len(notebooks)} pages with code, {min(jobs, len(stale))} at a time.",
        flush=True,
    )
    problems: list[str] = []
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        for future in as_completed([pool.submit(execute, page, extensions, timeout) for page in stale]):
            try:
                run = future.result()
            except BookError as error:
                problems.append(str(error))
                continue
            cache.cache_notebook_bundle(
                CacheBundleIn(
                    run.notebook, str(ROOT / f"{run.page}.md"), data={"execution_seconds": run.seconds}
                ),
                check_validity=False,
                overwrite=True,
            )
            records[run.page] = {
                "inputs": run.inputs,
                "digest": digest(run.inputs),
                "time": time.time_ns() // 1000,
            }
            record_path.write_text(json.dumps(records, indent=1, sort_keys=True))
            print(f"  {run.page}  {run.seconds:.1f} s", flush=True)
    if problems:
        raise BookError("\n\n".join(problems))


if __name__ == "__main__":
    try:
        main()
    except BookError as error:
        sys.exit(f"error: {error}")
