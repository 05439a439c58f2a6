"""Grade a folder of submissions: ``python -m losscore.exercises.grade FOLDER``.

Every notebook and Python file in the folder is judged by the same checks as on the pages, each in a process of its own
with a time limit: one that loops, crashes or leaves costs only itself. It is no sandbox: a submission runs with the
rights of whoever grades, so grade strangers' work in a container or under an account of its own.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import exercise, exercises
from .results import FAILED, NOT_YET, PASSED
from .submission import asked, parsed

SECONDS = 120.0


@dataclass(frozen=True)
class Grade:
    """What one submission solved of one exercise: a status for every task and question, with the hints given."""

    submission: str
    exercise: str
    items: dict[str, str]
    hints: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def solved(self) -> int:
        """How many items are right."""
        return sum(status == PASSED for status in self.items.values())

    def named(self, status: str) -> list[str]:
        """The items with this status, without the name of their exercise."""
        return [item.split(".", 1)[1] for item, found in self.items.items() if found == status]


def submissions(folder: Path) -> list[Path]:
    """The notebooks and Python files below a folder, hidden folders left out."""
    found = (path for pattern in ("*.ipynb", "*.py") for path in folder.rglob(pattern))
    return sorted(
        path for path in found if not any(p.startswith(".") for p in path.relative_to(folder).parts)
    )


def grade(path: Path, name: str, seconds: float = SECONDS) -> list[Grade]:
    """The grades of one submission, called ``name``: one for each exercise that it contains."""
    ids: list[str] = []
    remarks: list[str] = []
    try:
        ids = [item for statement in parsed(path, []) for item in asked(statement)]
    except (OSError, ValueError, KeyError, TypeError) as broken:
        remarks = [f"cannot be read: {type(broken).__name__}: {broken}"]
    homes = [home for home in exercises() if any(item.startswith(f"{home}.") for item in ids)]
    if not homes:
        return [Grade(name, "", {}, remarks=remarks or ["holds no task of any exercise"])]
    results, remarks = _run(path, seconds)
    grades = []
    for home in homes:
        items = [item.id for item in exercise(home).items]
        statuses = {item: results.get(item, [NOT_YET])[0] for item in items}
        hints = {item: results[item][1:] for item in items if statuses[item] == FAILED}
        grades.append(Grade(name, home, statuses, hints, remarks))
    return grades


def _run(path: Path, seconds: float) -> tuple[dict[str, list[str]], list[str]]:
    """Results and remarks of a submission that ran for at most ``seconds``."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        work = Path(folder) / "work"
        work.mkdir()
        environment = os.environ | {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        process = subprocess.Popen(
            [sys.executable, "-m", "losscore.exercises.submission", str(path.resolve()), str(report)],
            cwd=work, env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            status = process.wait(seconds)
            ended = [] if status == 0 else [f"its process ended with status {status}"]
        except subprocess.TimeoutExpired:
            ended = [f"stopped after {seconds:g} seconds"]
        finally:
            _stop(process)
        if not report.exists():
            return {}, ended
        told = json.loads(report.read_text(encoding="utf-8"))
        return told["results"], [*told["remarks"], *ended]


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def table(grades: Sequence[Grade]) -> str:
    """The grades as text, a line each."""
    rows = [("submission", "exercise", "solved", "wrong", "remarks")]
    rows += [
        (
            g.submission,
            g.exercise,
            f"{g.solved} of {len(g.items)}",
            " ".join(g.named(FAILED)),
            "; ".join(g.remarks),
        )
        for g in grades
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, [*widths, 0])).rstrip() for row in rows)


def write_csv(grades: Sequence[Grade], file: Path) -> None:
    """The grades as a table for a spreadsheet, a row each."""
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["submission", "exercise", "solved", "of", "wrong", "not yet", "remarks"])
        for g in grades:
            undone = " ".join(g.named(NOT_YET))
            wrong = " ".join(g.named(FAILED))
            writer.writerow(
                [g.submission, g.exercise, g.solved, len(g.items), wrong, undone, "; ".join(g.remarks)]
            )


def write_json(grades: Sequence[Grade], file: Path) -> None:
    """Everything that is known: the status of each task and question, and the hints that were given."""
    entries = [{**asdict(g), "solved": g.solved, "of": len(g.items)} for g in grades]
    file.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def all_grades(folder: Path, seconds: float, jobs: int) -> Iterator[Grade]:
    """The grades of every submission in a folder, in the order of their names."""
    found = submissions(folder)
    with ThreadPoolExecutor(jobs) as pool:
        names = [path.relative_to(folder).as_posix() for path in found]
        for grades in pool.map(lambda path, name: grade(path, name, seconds), found, names):
            yield from grades


def main() -> int:
    """Grade the folder that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m losscore.exercises.grade", description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder of notebooks and Python files")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="time for one submission (default: %(default)g)"
    )
    parser.add_argument("--jobs", type=int, default=1, help="submissions at a time (default: %(default)s)")
    parser.add_argument("--csv", type=Path, help="also write a table for a spreadsheet")
    parser.add_argument("--json", type=Path, help="also write everything, hints included")
    asks = parser.parse_args()
    if not asks.folder.is_dir() or not submissions(asks.folder):
        print(f"error: {asks.folder} holds no notebook and no Python file", file=sys.stderr)
        return 2
    grades = list(all_grades(asks.folder, asks.seconds, asks.jobs))
    print(table(grades))
    if asks.csv:
        write_csv(grades, asks.csv)
    if asks.json:
        write_json(grades, asks.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
