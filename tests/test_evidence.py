"""What `conftest.py` records about claims, seen on a small project of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LEDGER = "def ledger(): return dict.fromkeys(['C01', 'C02'])\n"
TESTS = """
import pytest
pytestmark = pytest.mark.claim("C02")

@pytest.mark.claim("C01")
@pytest.mark.parametrize("x", [1, 2])
def test_value(x):
    assert x == 1

@pytest.mark.claim("C01")
def test_skipped():
    pytest.skip("not here")

@pytest.fixture
def falls_at_the_end():
    yield
    raise OSError

def test_passes_then_falls(falls_at_the_end):
    pass

def test_holds():
    pass
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "losscore").mkdir()
    (tmp_path / "losscore" / "__init__.py").touch()
    (tmp_path / "losscore" / "claims.py").write_text(LEDGER, "utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text(
        Path(__file__).with_name("conftest.py").read_text("utf-8"), "utf-8"
    )
    (tmp_path / "tests" / "test_small.py").write_text(TESTS, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\nmarkers = claim\n", "utf-8")
    return tmp_path


def run(project: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "xdist.plugin", *arguments]
    few_plugins = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=project, capture_output=True, text=True, env=few_plugins).stdout


@pytest.mark.parametrize("processes", ["0", "2"])
def test_outcomes_are_recorded(project: Path, processes: str) -> None:
    run(project, "-n", processes)
    recorded = json.loads((project / "_build" / "reports" / "evidence.json").read_text("utf-8"))
    test = "tests/test_small.py::test_"
    assert recorded["C01"] == {
        f"{test}value[1]": "passed",
        f"{test}value[2]": "failed",
        f"{test}skipped": "skipped",
    }
    assert recorded["C02"] == recorded["C01"] | {
        f"{test}passes_then_falls": "failed",
        f"{test}holds": "passed",
    }


def test_runs_are_merged(project: Path) -> None:
    (project / "_build" / "reports").mkdir(parents=True)
    file = project / "_build" / "reports" / "evidence.json"
    file.write_text('{"C01": {"other": "passed"}}', "utf-8")
    run(project, "-k", "skipped")
    assert json.loads(file.read_text("utf-8"))["C01"] == {
        "other": "passed",
        "tests/test_small.py::test_skipped": "skipped",
    }


def test_an_unknown_claim_stops_the_collection(project: Path) -> None:
    text = 'import pytest\n\nclass TestIt:\n    @pytest.mark.claim("C77")\n    def test_it(self): pass\n'
    (project / "tests" / "test_wrong.py").write_text(text, "utf-8")
    assert "tests/test_wrong.py:4: no such claim in losscore/claims.yml: C77" in run(project)
