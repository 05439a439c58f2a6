"""What `make test` concludes from the results of its stages."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.run_tests import Case, PytestStage, Stage, conclusion, read_junit

JUNIT = """<testsuites><testsuite>
<testcase file="tests/test_a.py" name="test_good"/>
<testcase file="tests/test_a.py" name="test_bad"><failure message="short">the long story</failure></testcase>
<testcase file="tests/test_a.py" name="test_error"><error message="broken fixture"/></testcase>
<testcase file="tests/test_a.py" name="test_away"><skipped message="no Chromium">where</skipped></testcase>
</testsuite></testsuites>"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_junit_is_read(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(JUNIT, "utf-8")
    assert list(read_junit(tmp_path / "junit.xml")) == [
        Case("tests/test_a.py::test_good", "passed"),
        Case("tests/test_a.py::test_bad", "failed", "the long story"),
        Case("tests/test_a.py::test_error", "failed", "broken fixture"),
        Case("tests/test_a.py::test_away", "skipped", "no Chromium"),
    ]


def test_a_command_counts_as_one_test() -> None:
    good, bad = Stage("good", python("pass")), Stage("bad", python("raise SystemExit(3)"))
    good.run()
    bad.run()
    assert (good.count("passed"), good.failed) == (1, False)
    assert (bad.count("failed"), bad.failed) == (1, True)
    assert "exit status 3" in bad.cases[0].message


def test_a_stage_fails_when_what_it_needs_failed(tmp_path: Path) -> None:
    bad = Stage("build", python("raise SystemExit(1)"))
    bad.run()
    after = Stage("pages", python(f"open({str(tmp_path / 'ran')!r}, 'w')"), needs=bad)
    after.run()
    assert after.failed and not (tmp_path / "ran").exists()


def test_pytest_that_ends_badly_without_a_failed_test_fails(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    write = f"open({str(report)!r}, 'w').write('''{JUNIT.splitlines()[1]}'''); raise SystemExit(3)"
    stage = PytestStage("unit", python(write), report=str(report))
    stage.run()
    assert stage.count("passed") == 1 and stage.failed
    never = PytestStage("unit", python("raise SystemExit(4)"), report=str(tmp_path / "absent.xml"))
    never.run()
    assert never.failed


def test_conclusion_names_the_first_failure_and_counts() -> None:
    cases = [
        Case("a", "passed"),
        Case("b", "failed", "first story"),
        Case("c", "failed", "second story"),
        Case("d", "skipped", "no Chromium"),
        Case("e", "skipped", "no Chromium"),
    ]
    lines = conclusion(cases).splitlines()
    assert lines.count("Skipped: no Chromium") == 1
    assert "== First failure: b" in lines and "first story" in lines and "second story" not in lines
    assert lines[-1] == "1 passed, 2 failed, 2 skipped"
    assert conclusion([Case("a", "passed")]) == "1 passed, 0 failed"
