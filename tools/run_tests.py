"""Everything that must hold, in order: unit tests, build, notebooks, built pages. Ends with a summary."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "_build" / "reports"
NOTEBOOKS = ROOT / "book" / "notebooks" / "en"
CELL_SECONDS = 300


@dataclass
class Case:
    """One test: its id, "passed", "failed" or "skipped", and the message of its failure or skip."""

    name: str
    outcome: str
    message: str = ""


@dataclass
class Stage:
    """One command whose result counts; a pytest command reports its single tests."""

    title: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    needs: Stage | None = None
    cases: list[Case] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        return self.count("failed") > 0

    def count(self, outcome: str) -> int:
        return sum(case.outcome == outcome for case in self.cases)

    def run(self) -> None:
        if self.needs and self.needs.failed:
            self.cases = [Case(self.title, "failed", f"not run, because this failed: {self.needs.title}")]
            return
        print(f"\n== {self.title}", flush=True)
        started = time.monotonic()
        status = self.execute()
        self.seconds = time.monotonic() - started
        if not self.cases:
            self.cases = [
                Case(self.title, "passed" if status == 0 else "failed", self.command_failed(status))
            ]
        elif status != 0 and not self.failed:
            self.cases.append(Case(self.title, "failed", self.command_failed(status)))

    def execute(self) -> int:
        return subprocess.run(self.command, cwd=ROOT, env=os.environ | self.environment).returncode

    def command_failed(self, status: int) -> str:
        return (
            ""
            if status == 0
            else f"exit status {status} from: {' '.join(self.command)}\nIts output stands above."
        )


@dataclass
class PytestStage(Stage):
    report: str = ""

    def execute(self) -> int:
        file = REPORTS / self.report
        file.unlink(missing_ok=True)
        self.command += ["--junitxml", str(file), "-o", "junit_family=xunit1"]
        status = super().execute()
        self.cases = list(read_junit(file)) if file.exists() else []
        return status


def read_junit(file: Path) -> Iterator[Case]:
    for case in ET.parse(file).iter("testcase"):
        name = f"{case.get('file') or case.get('classname')}::{case.get('name')}"
        bad = next((child for child in case if child.tag in ("failure", "error")), None)
        skip = case.find("skipped")
        if bad is not None:
            yield Case(name, "failed", (bad.text or bad.get("message") or "").strip())
        elif skip is not None:
            yield Case(name, "skipped", skip.get("message") or "")
        else:
            yield Case(name, "passed")


def pytest(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", "-n", "2", *arguments]


def make(target: str) -> list[str]:
    return [os.environ.get("MAKE", "make"), "--no-print-directory", target]


def stages() -> list[Stage]:
    unit = PytestStage(
        "Unit tests", pytest("tests", "--ignore=tests/book", "--dist", "worksteal"), report="unit.xml"
    )
    build = Stage("Build of the book", make("book"))
    fresh = Stage("Notebooks are up to date", make("check-notebooks"), needs=build)
    notebooks = PytestStage(
        "Notebooks",
        pytest(
            str(NOTEBOOKS.relative_to(ROOT)), "--nbval", "--nbval-current-env", "--dist", "loadfile",
            "--nbval-cell-timeout", str(CELL_SECONDS), "--nbval-sanitize-with", "tests/nbval.cfg",
        ),
        environment={"CUDA_VISIBLE_DEVICES": ""},
        report="notebooks.xml",
    )  # fmt: skip
    pages = PytestStage("Built pages", pytest("tests/book"), needs=build, report="pages.xml")
    return [unit, build, fresh, notebooks, pages]


def summary(unit: Stage, build: Stage, fresh: Stage, notebooks: Stage, pages: Stage) -> str:
    from losscore.claims import ledger
    from losscore.exercises import exercises

    claims = ledger().values()
    proofs = [case for case in unit.cases if "symbolic/test_proofs.py::test_proof_holds[" in case.name]
    checkers = [case for case in unit.cases if "tests/exercises/" in case.name]
    built = list((ROOT / "_build" / "html" / "book").rglob("*.html"))
    rows = [
        ("Unit tests", passed(unit.cases), unit.seconds),
        ("  proofs", passed(proofs), None),
        ("  exercises", f"{len(exercises())} ({passed(checkers)} on their checkers)", None),
        ("Claims covered", f"{sum(claim.covered for claim in claims)}/{len(claims)}", None),
        ("Build", passed(build.cases), build.seconds),
        ("  notebooks", "up to date" if not fresh.failed else "out of date, or not written", fresh.seconds),
        (
            "Notebooks",
            f"{len(list(NOTEBOOKS.rglob('*.ipynb')))}, cells: {passed(notebooks.cases)}",
            notebooks.seconds,
        ),
        ("Built pages", f"{len(built)}, checks: {passed(pages.cases)}", pages.seconds),
    ]
    return "\n".join(
        f"{name:<16}{text:<44}{'' if s is None else f'{s:7.0f} s'}".rstrip() for name, text, s in rows
    )


def passed(cases: list[Case]) -> str:
    good = sum(case.outcome == "passed" for case in cases)
    return f"{good} of {len(cases)} passed"


def uncompared() -> Iterator[str]:
    """The cells whose output nbval runs but does not compare, with the reason that each states."""
    for path in sorted(NOTEBOOKS.rglob("*.ipynb")):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if "nbval-ignore-output" in cell["metadata"].get("tags", []):
                reasons = [line for line in cell["source"] if line.startswith("# not compared: ")]
                reason = reasons[0].removeprefix("# not compared: ").strip() if reasons else "no reason given"
                yield f"{path.relative_to(NOTEBOOKS)}: {reason}"


def conclusion(cases: list[Case]) -> str:
    """What was skipped and why, the first failure, and the line of totals."""
    lines = [
        f"Skipped: {reason}"
        for reason in sorted({case.message for case in cases if case.outcome == "skipped"})
    ]
    first = next((case for case in cases if case.outcome == "failed"), None)
    if first:
        lines.append(f"\n== First failure: {first.name}\n{first.message}\n")
    totals = {
        outcome: sum(case.outcome == outcome for case in cases) for outcome in ("passed", "failed", "skipped")
    }
    skipped = f", {totals['skipped']} skipped" if totals["skipped"] else ""
    return "\n".join([*lines, f"{totals['passed']} passed, {totals['failed']} failed{skipped}"])


def main() -> int:
    REPORTS.mkdir(parents=True, exist_ok=True)
    (REPORTS / "evidence.json").unlink(missing_ok=True)
    run = stages()
    for stage in run:
        stage.run()
    print("\n== Summary")
    print(summary(*run))
    for cell in uncompared():
        print(f"Not compared: {cell}")
    print(conclusion([case for stage in run for case in stage.cases]))
    return 1 if any(stage.failed for stage in run) else 0


if __name__ == "__main__":
    sys.exit(main())
