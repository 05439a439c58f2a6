"""The commands and versions that the documents promise exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / ".ci" / "run", *WORKFLOWS]
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
CALL = re.compile(r"(?:^|`|run: )make ([a-z-]+)", re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_commands_exist(document: Path) -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text("utf-8")))
    assert set(CALL.findall(document.read_text("utf-8"))) <= targets


def test_readme_names_the_two_commands() -> None:
    assert {"book", "test"} <= set(CALL.findall((ROOT / "README.md").read_text("utf-8")))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_are_well_formed(workflow: Path) -> None:
    read = yaml.safe_load(workflow.read_text("utf-8"))
    assert read["permissions"] == {"contents": "read"}
    for job in read["jobs"].values():
        for step in job.get("steps", []):
            assert ("uses" in step) != ("run" in step)
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/none@v1"))


def test_every_requirement_is_pinned() -> None:
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    requirements = [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]
    assert requirements.pop() == "-e ."
    assert len(requirements) > 100
    beside = (ROOT / "requirements-data.txt").read_text("utf-8").splitlines()
    requirements += [line.split("#")[0].strip() for line in beside if line.split("#")[0].strip()]
    assert [line for line in requirements if not re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.]+", line)] == []
