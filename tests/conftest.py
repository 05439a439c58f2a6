"""What every test run of this repository shares: one thread, and the record of which claims have evidence."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # must be set before torch is imported

import pytest

EVIDENCE = Path(__file__).parents[1] / "_build" / "reports" / "evidence.json"
GRAVITY = ("passed", "skipped", "failed")


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: Any) -> Generator[None, Any, Any]:
    """Stop the collection of a file that marks a test with a claim that the ledger doesn't have."""
    made = yield
    for item in made if isinstance(made, list) else [made]:
        if isinstance(item, pytest.Item):
            reject_unknown_claims(item)
    return made


def reject_unknown_claims(item: pytest.Item) -> None:
    names = claims_of(item)
    if not names:
        return
    from losscore.claims import ledger

    unknown = [name for name in names if name not in ledger()]
    if unknown:
        path, line, _ = item.location
        raise pytest.Collector.CollectError(
            f"{path}:{(line or 0) + 1}: no such claim in losscore/claims.yml: {', '.join(unknown)}"
        )


def claims_of(item: pytest.Item) -> list[str]:
    """The ids of all claim marks on a test, its class and its module."""
    return [name for mark in item.iter_markers("claim") for name in mark.args]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write the claims on the report, which is all that a worker process hands to the main one."""
    report = yield
    if report.when == "call" or not report.passed:
        report.user_properties.extend(("claim", name) for name in claims_of(item))
    return report


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(EvidenceRecorder(EVIDENCE))


class EvidenceRecorder:
    """Keeps, in the main process, the outcome of every test that is evidence for a claim."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.outcomes: dict[str, dict[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for key, name in report.user_properties:
            if key == "claim":
                tests = self.outcomes.setdefault(str(name), {})
                tests[report.nodeid] = max(
                    tests.get(report.nodeid, "passed"), report.outcome, key=GRAVITY.index
                )

    def pytest_sessionfinish(self) -> None:
        if not self.outcomes:
            return
        recorded = json.loads(self.file.read_text("utf-8")) if self.file.exists() else {}
        for name, tests in self.outcomes.items():
            recorded.setdefault(name, {}).update(tests)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n", "utf-8")
