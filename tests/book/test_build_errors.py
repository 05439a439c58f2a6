"""A mistake in a page or the configuration ends the build with one message: file, line, what is wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.book.site import ROOT

COPIED = (
    "Makefile",
    "_config.yml",
    "_toc.yml",
    "requirements.txt",
    "requirements-data.txt",
    "pyproject.toml",
    "book",
    "losscore",
    "tools",
)
PAGE = "book/principles/broken"


class Project:
    """A copy of the repository that reads its outputs from the cache that this run has filled."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(
                    source, root / name, ignore=shutil.ignore_patterns("__pycache__", "notebooks")
                )
            else:
                shutil.copy2(source, root / name)
        shutil.copytree(ROOT / "_build" / ".jupyter_cache", root / "_build" / ".jupyter_cache")

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text("utf-8")
        assert old in text
        (self.root / name).write_text(text.replace(old, new, 1), "utf-8")

    def add_page(self, text: str) -> None:
        (self.root / f"{PAGE}.md").write_text(text, "utf-8")
        self.replace(
            "_toc.yml",
            "- file: book/principles/role",
            f"- file: {PAGE}\n          - file: book/principles/role",
        )

    def book(self) -> subprocess.CompletedProcess[str]:
        environment = sys.prefix
        command = ["make", "book", f"VENV={environment}", "--assume-old", f"{environment}/.ready"]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
        return subprocess.run(
            command, cwd=self.root, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def expect_failure(project: Project, *messages: str) -> None:
    build = project.book()
    assert build.returncode != 0, build.stdout
    for message in messages:
        assert message in build.stdout, build.stdout


def test_unknown_claim_and_broken_reference(project: Project) -> None:
    project.add_page("# Broken\n\nUsual wording {claim}`C999`.\n\nSee {ref}`no-such-place`.\n")
    messages = (f"{PAGE}.md:3", "C999", f"{PAGE}.md:5", "no-such-place")
    expect_failure(project, *messages)
    expect_failure(project, "C999")  # a page that was read once must not pass the second time


def test_failing_cell(project: Project) -> None:
    head = "---\nfile_format: mystnb\nkernelspec: {name: python3, display_name: Python 3}\n---\n# Broken\n\n"
    project.add_page(head + "```{code-cell}\nnumber = 1\n```\n\n```{code-cell}\nnumber / 0\n```\n")
    expect_failure(project, f"{PAGE}.md:12", "ZeroDivisionError")


def test_missing_page(project: Project) -> None:
    project.replace("_toc.yml", "- file: book/principles/role", "- file: book/principles/absent")
    line = (project.root / "_toc.yml").read_text("utf-8").splitlines().index(
        "          - file: book/principles/absent"
    ) + 1
    expect_failure(project, f"_toc.yml:{line}", "book/principles/absent")


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        ("author: ", "author: ]", ("_config.yml:2", "not valid YAML")),
        ("author: ", "autor: ", ("_config.yml:2", "unknown key 'autor'")),
    ],
    ids=["broken", "misspelt"],
)
def test_wrong_configuration(project: Project, old: str, new: str, messages: tuple[str, ...]) -> None:
    project.replace("_config.yml", old, new)
    expect_failure(project, *messages)


def test_too_old_python(tmp_path: Path) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        old = tmp_path / name
        old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" || exit 1\n', "utf-8")
        old.chmod(0o755)
    run = subprocess.run(
        ["/bin/sh", str(ROOT / "tools" / "environment.sh"), str(tmp_path / "venv")],
        env={"PATH": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode != 0
    assert "3.11, 3.12 or 3.13" in run.stderr and "3.9.2" in run.stderr
    assert not (tmp_path / "venv").exists()
