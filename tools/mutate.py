"""Mutate the losses, one small change at a time, and show that the tests notice.

    python tools/mutate.py                     every loss
    python tools/mutate.py huber dense         a loss with the helpers in its file; all of a file
    python tools/mutate.py --list huber        the mutants, without running them

A mutant is one changed node of the syntax tree of `losscore/losses` or of `losscore/calibration.py`: a sign, factor,
exponent, constant or index, a dropped term, swapped branches, a flipped comparison, a neighbouring function. No file
is changed: the tests are collected once, and for each mutant a forked process takes over the changed functions and
runs the tests of the losses that use them, until one fails: the comparison with the definitions first, then the
quickest. The definitions are not mutated, and remember their values.

Mutants that no test can tell are listed with their reason in `mutants.txt` beside this file. The exit status is 1 when
another mutant survives, 2 when tests fail without any mutation.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from types import FunctionType

import pytest
from mutants import FILES, ROOT, Mutant, dependents, mutants, public, unchanged, users

KNOWN = Path(__file__).with_name("mutants.txt")
TESTS = ("tests/losses", "tests/test_calibration.py")
# these mutate the definitions instead, or are replaced by `leaves_the_definition`
LEFT_OUT = re.compile(r"test_definitions\.py|test_catalogue\.py::test_every_loss_of_the_library")


class CannotApply(Exception):
    """A function that others hold has other free variables than before."""


def apply(mutant: Mutant) -> None:
    """Let the changed module take over, in every module and closure that holds its parts."""
    original = sys.modules[".".join(mutant.path.relative_to(ROOT).with_suffix("").parts)]
    before = {key: value for key, value in vars(original).items() if not key.startswith("__")}
    after = {key: value for key, value in vars(original).items() if key.startswith("__")}
    exec(mutant.code(), after)  # noqa: S102 (this is what an import does)
    for module in [m for name, m in sys.modules.items() if name.split(".")[0] in ("losscore", "tests")]:
        for key in [key for key in before if vars(module).get(key) is before[key]]:
            setattr(module, key, after[key])
    for key, old in before.items():
        if isinstance(old, FunctionType) and isinstance(after[key], FunctionType) and old is not after[key]:
            _become(old, after[key])


def _become(old: FunctionType, new: FunctionType) -> None:
    """For those that hold the function itself, such as a parameter of a test."""
    if old.__code__.co_freevars != new.__code__.co_freevars:
        raise CannotApply(old.__qualname__)
    old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__
    for cell, changed in zip(old.__closure__ or (), new.__closure__ or (), strict=True):
        cell.cell_contents = changed.cell_contents


def leaves_the_definition(losses: Sequence[str]) -> bool:
    """What `test_definitions.py` asks."""
    from losscore.catalogue import entries
    from tests.losses.battery import RELATIVE, disagreements

    for name in losses:
        if entry := entries().get(name):
            for dtype in RELATIVE:
                for given in entry.examples:
                    if next(disagreements(entry, entry.definition, given, dtype), None):
                        return True
    return False


PASSED, FAILED, NOT_APPLIED = range(3)


@dataclass
class Trial:
    """A mutant, or all modules as they are, with what it takes to run its tests in a process of its own."""

    changes: Sequence[Mutant]
    losses: Sequence[str]
    items: Sequence[pytest.Item]
    limit: float
    report: Callable[[str, float], None] = field(default=lambda name, seconds: None)

    def run(self) -> int:
        try:
            for mutant in self.changes:
                apply(mutant)
        except CannotApply:
            return NOT_APPLIED
        if leaves_the_definition(self.losses):
            self.report("the definition", 0)
            return FAILED
        for item, following in zip(self.items, [*self.items[1:], None]):
            started = time.monotonic()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self.report(item.nodeid, time.monotonic() - started)
            if item.session.testsfailed:
                return FAILED
        return PASSED


def in_parallel(trials: Sequence[Trial], workers: int, done: Callable[[int, str], None]) -> None:
    """Run each trial in a forked process, `workers` at a time; tell `done` what became of it."""
    outcomes = {PASSED: "survived", FAILED: "killed", NOT_APPLIED: "not applied"}
    waiting, running = list(enumerate(trials)), dict[int, tuple[int, float]]()
    while waiting or running:
        while waiting and len(running) < workers:
            number, trial = waiting.pop(0)
            child = os.fork()
            if child == 0:
                os.setpgid(0, 0)
                os._exit(_status(trial))
            running[child] = number, time.monotonic() + trial.limit
        for child, (number, until) in list(running.items()):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                done(number, outcomes.get(os.waitstatus_to_exitcode(status), "killed"))
                del running[child]
            elif time.monotonic() > until:
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                done(number, "timed out")
                del running[child]
        time.sleep(0.01)


def _status(trial: Trial) -> int:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        return trial.run()
    except BaseException:  # noqa: BLE001 (whatever a mutant does is a failure of its tests)
        return FAILED


def explained() -> dict[str, str]:
    """The mutants that no test can tell, each with its reason: two lines, the second indented."""
    lines = [
        line for line in KNOWN.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#")
    ]
    return {mutant: reason.strip() for mutant, reason in zip(lines[::2], lines[1::2], strict=True)}


def table(counted: dict[str, Counter[str]]) -> Iterator[str]:
    yield f"{'definition':44}{'mutants':>9}{'killed':>9}{'explained':>11}{'survived':>10}"
    for name, of in counted.items():
        killed, survived = of["killed"] + of["timed out"], of["survived"] + of["not applied"]
        yield f"{name:44}{of.total():9}{killed:9}{of['explained']:11}{survived:10}"


class Session:
    """The plugin that runs mutants instead of the collected tests."""

    def __init__(self, found: Sequence[Mutant], jobs: int, limit: float) -> None:
        self.found, self.jobs, self.limit = found, jobs, limit
        self.reach = users()
        self.seconds: dict[str, float] = {}
        self.status = 0

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = [item for item in session.items if not LEFT_OUT.search(item.nodeid)]
        self.mentioned = {path: path.read_text("utf-8") for path in {item.path for item in self.items}}
        losses = sorted({loss for mutant in self.found for loss in self.losses(mutant)})
        leaves_the_definition(losses)
        self.status = self.without_mutation(losses) or self.mutate()
        return True

    def losses(self, mutant: Mutant) -> list[str]:
        return self.reach[mutant.module, mutant.owner]

    def chosen(self, losses: Sequence[str], modules: Sequence[str]) -> list[pytest.Item]:
        """The tests of these losses and of these files, the quickest first."""
        named = re.compile("|".join(losses) or r"(?!)")
        spoken = re.compile(rf"\b({'|'.join((*losses, *modules))})\b")
        files = {path for path, text in self.mentioned.items() if spoken.search(text)}
        chosen = [
            item
            for item in self.items
            if named.search(item.nodeid) or item.path in files and not _of_entry(item)
        ]
        return sorted(chosen, key=lambda item: self.seconds.get(item.nodeid, 0.0))

    def without_mutation(self, losses: Sequence[str]) -> int:
        """Run the tests with every module taken over by itself, and see how long each takes."""
        with tempfile.NamedTemporaryFile("w+", suffix=".jsonl") as file:

            def report(name: str, seconds: float) -> None:
                print(json.dumps([name, seconds]), file=file, flush=True)

            outcome: list[str] = []
            items = self.chosen(losses, sorted({mutant.module for mutant in self.found}))
            same = [unchanged(path) for path in FILES]
            in_parallel([Trial(same, losses, items, 3600, report)], 1, lambda number, of: outcome.append(of))
            self.seconds = dict(json.loads(line) for line in Path(file.name).read_text("utf-8").splitlines())
        if outcome == ["survived"]:
            print(
                f"{len(items)} tests pass in {sum(self.seconds.values()):.0f} s without any mutation",
                flush=True,
            )
            return 0
        print(
            "error: without any mutation this fails:",
            next(reversed(self.seconds), "taking over"),
            file=sys.stderr,
        )
        return 2

    def mutate(self) -> int:
        total = Counter[str]()
        for module, group in groupby(self.found, key=lambda mutant: mutant.module):
            counted = self.mutate_file(list(group))
            print(
                "",
                *table({f"{module}.{owner}": of for owner, of in counted.items()}),
                "",
                sep="\n",
                flush=True,
            )
            for of in counted.values():
                total.update(of)
        print(*table({"all": total}), sep="\n")
        stale = sorted(set(explained()) - {mutant.key for path in FILES for mutant in mutants(path)})
        if stale:
            print("explained, but no longer a mutant:", *stale, sep="\n  ", file=sys.stderr)
        return 1 if stale or total["survived"] or total["not applied"] else 0

    def mutate_file(self, found: Sequence[Mutant]) -> dict[str, Counter[str]]:
        """What became of the mutants of one file, by definition."""
        reasons = explained()
        counted = {mutant.owner: Counter[str]() for mutant in found}
        for mutant in found:
            counted[mutant.owner]["explained"] += mutant.key in reasons
        ran = [mutant for mutant in found if mutant.key not in reasons]

        def done(number: int, outcome: str) -> None:
            mutant = ran[number]
            counted[mutant.owner][outcome] += 1
            print(
                f"\r{sum(of.total() for of in counted.values())} of {len(found)}", end="\r", file=sys.stderr
            )
            if outcome != "killed":
                print(f"{outcome}: {mutant.path.name}:{mutant.line}: {mutant.key}", flush=True)

        in_parallel([self.trial(mutant) for mutant in ran], self.jobs, done)
        return counted

    def trial(self, mutant: Mutant) -> Trial:
        losses = self.losses(mutant)
        items = self.chosen(losses, [mutant.module])
        known = sum(self.seconds.get(item.nodeid, 0.0) for item in items)
        changes = [mutant, *map(unchanged, dependents(mutant.path))]
        return Trial(changes, losses, items, self.limit + 5 * known)


def _of_entry(item: pytest.Item) -> bool:
    """Whether a test is one over all losses, so that its name tells which it is about."""
    return isinstance(item, pytest.Function) and hasattr(item, "callspec") and "entry" in item.callspec.params


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutate the losses and show that the tests notice.")
    parser.add_argument(
        "names", nargs="*", help="losses, or files of losses without .py; everything by default"
    )
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    parser.add_argument("--jobs", type=int, default=2, choices=(1, 2), help="processes at a time")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds beyond what its tests should take")
    given = parser.parse_args()
    known = {*public(), *(path.stem for path in FILES)}
    if unknown := sorted(set(given.names) - known):
        parser.error(f"no such loss or file: {', '.join(unknown)}")
    reach, wanted = users(), set(given.names) or known
    found = [
        mutant
        for path in FILES
        for mutant in mutants(path)
        if mutant.module in wanted
        or not mutant.module.startswith("_")
        and wanted & set(reach[mutant.module, mutant.owner])
    ]
    if given.list:
        print(*(f"{mutant.line:4} {mutant.key}" for mutant in found), sep="\n")
        return 0
    os.chdir(ROOT)
    os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: its threads don't survive a fork
    sys.path.insert(0, str(ROOT))
    import torch._dynamo  # noqa: F401 (slow, and needed by most children)

    session = Session(found, given.jobs, given.limit)
    options = ["-qq", "-s", "--no-header", "--no-summary", "-p", "no:cacheprovider"]
    ended = pytest.main([*options, *TESTS], plugins=[session])
    return session.status if ended == pytest.ExitCode.OK else 2


if __name__ == "__main__":
    sys.exit(main())
