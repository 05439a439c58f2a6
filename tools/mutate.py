"""Mutate the losses, one small change at a time, and show that the tests notice.

    python tools/mutate.py                     every loss
    python tools/mutate.py huber pinball       these only, with the helpers that they call
    python tools/mutate.py --list huber        the mutants, without running them

A mutant is one changed node of the syntax tree of `losscore/losses`: a sign, factor, exponent, constant or index, a
dropped term, swapped branches, a flipped comparison, a neighbouring function. No file is changed: a forked process
imports the changed module and runs the tests of the losses that use it, those of the definition first, until one fails.
Mutants that no test can tell are listed with their reason in `mutants.txt` beside this file. The exit status is 1 when
another mutant survives, 2 when tests fail without any mutation.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]
LOSSES = ROOT / "losscore" / "losses"
KNOWN = Path(__file__).with_name("mutants.txt")
CHECKS = {"Raise", "Assert", "JoinedStr"}

SWAPPED_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
SWAPPED_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
SWAPPED_NAMES = {
    "abs": "square",
    "amax": "amin",
    "amin": "amax",
    "ceil": "floor",
    "cosh": "sinh",
    "cumsum": "cumprod",
    "exp": "expm1",
    "expm1": "exp",
    "floor": "ceil",
    "log": "log1p",
    "log1p": "log",
    "logaddexp": "maximum",
    "logsigmoid": "sigmoid",
    "logsumexp": "amax",
    "max": "min",
    "maximum": "minimum",
    "mean": "sum",
    "min": "max",
    "minimum": "maximum",
    "relu": "abs",
    "sinh": "cosh",
    "square": "abs",
    "sum": "mean",
    "tanh": "sin",
}


@dataclass(frozen=True)
class Mutant:
    """One change in the module `module` (a file of the losses), inside its top-level definition `owner`."""

    module: str
    owner: str
    line: int
    before: str
    after: str
    tree: ast.Module = field(repr=False, compare=False)

    @property
    def key(self) -> str:
        return f"{self.module}.{self.owner}: {self.before} -> {self.after}"


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """The mutated forms of one node."""
    if isinstance(node, ast.BinOp):
        if type(node.op) in SWAPPED_OPERATORS:
            yield _with(node, op=SWAPPED_OPERATORS[type(node.op)]())
        if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.Div)):
            yield node.left
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Invert, ast.Not)):
        yield node.operand
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        number = float(node.value) if isinstance(node.value, float) else int(str(node.value))
        yield _with(node, value=2 * number if number and isinstance(number, float) else number + 1)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in SWAPPED_COMPARISONS.get(type(node.ops[0]), ()):
            yield _with(node, ops=[other()])
    elif isinstance(node, ast.IfExp):
        yield _with(node, body=node.orelse, orelse=node.body)
    elif isinstance(node, ast.If):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        name = node.func.attr
        if name == "where" and len(node.args) == 3:
            yield _with(node, args=[node.args[0], node.args[2], node.args[1]])
        if name in ("clamp", "clamp_"):
            yield node.func.value
        if name in SWAPPED_NAMES:
            yield _with(node, func=_with(node.func, attr=SWAPPED_NAMES[name]))


def _with(node: ast.AST, **changed: object) -> ast.AST:
    other = copy.copy(node)
    for name, value in changed.items():
        setattr(other, name, value)
    return other


def mutants(path: Path) -> Iterator[Mutant]:
    """Every mutant of a file, in the order of its lines; what checks arguments or is said in errors stays."""
    tree = ast.parse(path.read_text("utf-8"))
    for top in tree.body:
        owner = _name(top)
        if owner is None:
            continue
        for parent, name, position, node in _places(top):
            for changed in changes(node):
                with _replaced(parent, name, position, changed):
                    fixed = ast.fix_missing_locations(copy.deepcopy(tree))
                yield Mutant(path.stem, owner, node.lineno, _shown(node), _shown(changed), fixed)  # type: ignore[attr-defined]


def _name(top: ast.stmt) -> str | None:
    if isinstance(top, (ast.FunctionDef, ast.ClassDef)):
        return None if top.name.startswith(("check_", "_check")) else top.name
    if isinstance(top, ast.Assign) and isinstance(top.targets[0], ast.Name):
        return None if top.targets[0].id.startswith("__") else top.targets[0].id
    return None


def _places(top: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node below `top` that is arithmetic or control, with where it hangs."""
    for name, value in ast.iter_fields(top):
        if name in ("annotation", "returns", "decorator_list", "type_params", "bases"):
            continue
        for position, node in enumerate(value) if isinstance(value, list) else ((None, value),):
            if not isinstance(node, ast.AST) or type(node).__name__ in CHECKS or _is_check(node):
                continue
            if isinstance(node, (ast.expr, ast.stmt)):
                yield top, name, position, node
            yield from _places(node)


def _is_check(node: ast.AST) -> bool:
    """A call of a check, a guard that only raises, or a docstring."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.If) and all(isinstance(part, ast.Raise) for part in node.body) and not node.orelse:
        return True
    called = node.func if isinstance(node, ast.Call) else None
    name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
    return name.lstrip("_").startswith("check") or name in ("Literal", "TypeVar", "ParamSpec", "is_compiling")


@contextlib.contextmanager
def _replaced(parent: ast.AST, name: str, position: int | None, by: ast.AST) -> Iterator[None]:
    held = getattr(parent, name)
    if position is None:
        setattr(parent, name, by)
    else:
        setattr(parent, name, [*held[:position], by, *held[position + 1 :]])
    try:
        yield
    finally:
        setattr(parent, name, held)


def _shown(node: ast.AST) -> str:
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}"
    return " ".join(ast.unparse(node).split())


def users(files: Sequence[Path]) -> dict[tuple[str, str], list[str]]:
    """For each top-level definition of the losses, by module and name: the public losses that reach it."""
    trees = {path.stem: ast.parse(path.read_text("utf-8")) for path in files}
    used: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for module, tree in trees.items():
        meant = {owner: (module, owner) for top in tree.body if (owner := _name(top))}
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module in trees:
                meant |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
        for top in tree.body:
            if owner := _name(top):
                words = {n.id for n in ast.walk(top) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
                local = {n.id for n in ast.walk(top) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
                used[module, owner] = {meant[word] for word in (words & set(meant)) - (local - {owner})}
    found: dict[tuple[str, str], list[str]] = {at: [] for at in used}
    for loss in sorted(_public()):
        reached: set[tuple[str, str]] = set()
        waiting = [at for at in used if at[1] == loss]
        while waiting:
            at = waiting.pop()
            if at in used and at not in reached:
                reached.add(at)
                waiting.extend(used[at])
        for at in reached:
            found[at].append(loss)
    return found


def _public() -> list[str]:
    tree = ast.parse((ROOT / "losscore" / "__init__.py").read_text("utf-8"))
    return [alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module of the losses from a changed syntax tree."""

    def __init__(self, mutant: Mutant) -> None:
        self.name, self.file = f"losscore.losses.{mutant.module}", LOSSES / f"{mutant.module}.py"
        self.tree = mutant.tree

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.file, loader=self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.tree, self.file, "exec"), module.__dict__)  # noqa: S102 (this is what a loader does)


def leaves_the_definition(losses: Sequence[str]) -> bool:
    """What `test_definitions.py` asks, without the time that pytest takes to collect it."""
    from losscore.catalogue import entries
    from tests.losses.battery import RELATIVE, disagreements

    for name in losses:
        if entry := entries().get(name):
            for dtype in RELATIVE:
                for given in entry.examples:
                    if next(disagreements(entry, entry.definition, given, dtype), None):
                        return True
    return False


def run_tests(losses: Sequence[str], module: str, mutant: Mutant | None) -> int:
    """0 when the tests of the losses pass. To be called in a process of its own."""
    import pytest

    if mutant is not None:
        sys.meta_path.insert(0, Changed(mutant))
        if leaves_the_definition(losses):
            return 1
    family = ROOT / "tests" / "losses" / f"test_{module}.py"
    first = ["tests/losses/test_definitions.py", *([str(family)] if family.exists() else [])]
    chosen = " or ".join((*losses, f"test_{module}"))
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--no-header", "-W", "ignore"]
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        for files in (first, ["tests/losses"]):
            code = pytest.main([*options, *files, "-k", chosen])
            if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                return 1
            _forget_tests()
    return 0


def _forget_tests() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in ("tests", "conftest")]:
        del sys.modules[name]


def in_parallel(
    jobs: Sequence[Callable[[], int]], workers: int, limit: float, done: Callable[[int, str, float], None]
) -> None:
    """Run each job in a forked process, `workers` at a time; tell `done` whether it passed, failed or timed out."""
    waiting, running = list(enumerate(jobs)), dict[int, tuple[int, float]]()
    while waiting or running:
        while waiting and len(running) < workers:
            number, job = waiting.pop(0)
            child = os.fork()
            if child == 0:
                os.setpgid(0, 0)
                os._exit(_status(job))
            running[child] = number, time.monotonic()
        for child, (number, started) in list(running.items()):
            ended, status = os.waitpid(child, os.WNOHANG)
            spent = time.monotonic() - started
            if ended:
                done(number, "passed" if status == 0 else "failed", spent)
                del running[child]
            elif spent > limit:
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                done(number, "timed out", spent)
                del running[child]
        time.sleep(0.05)


def _status(job: Callable[[], int]) -> int:
    try:
        return job()
    except BaseException:  # noqa: BLE001 (whatever a mutant does is a failure of its tests)
        return 1


def explained() -> dict[str, str]:
    """The mutants that no test can tell, each with its reason: two lines, the second indented."""
    lines = [line for line in KNOWN.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#")]
    return {mutant: reason.strip() for mutant, reason in zip(lines[::2], lines[1::2], strict=True)}


def table(counted: dict[str, dict[str, int]]) -> str:
    out = io.StringIO()
    print(f"{'definition':44}{'mutants':>9}{'killed':>9}{'explained':>11}{'survived':>10}", file=out)
    for name, of in sorted(counted.items()):
        total = sum(of.values())
        killed = of.get("killed", 0) + of.get("timed out", 0)
        print(f"{name:44}{total:9}{killed:9}{of.get('explained', 0):11}{of.get('survived', 0):10}", file=out)
    return out.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutate the losses and show that the tests notice.")
    parser.add_argument("losses", nargs="*", help="names of losses; all of them by default")
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    parser.add_argument("--jobs", type=int, default=2, choices=(1, 2), help="processes at a time")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for one mutant")
    given = parser.parse_args()
    public = _public()
    if unknown := sorted(set(given.losses) - set(public)):
        parser.error(f"no such loss: {', '.join(unknown)}")
    files = sorted(path for path in LOSSES.glob("*.py") if path.name not in ("__init__.py", "_tensors.py"))
    reach = users(files)
    found = [mutant for path in files for mutant in mutants(path)]
    wanted = set(given.losses or public)
    found = [mutant for mutant in found if wanted & set(reach[mutant.module, mutant.owner])]
    if given.list:
        print(*(f"{mutant.line:4} {mutant.key}" for mutant in found), sep="\n")
        return 0
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    import hypothesis  # noqa: F401
    import pytest  # noqa: F401
    import sympy  # noqa: F401
    import torch  # noqa: F401

    tests = {(m.module, m.owner): reach[m.module, m.owner] for m in found}
    broken: list[str] = []

    def sound(number: int, outcome: str, seconds: float) -> None:
        if outcome != "passed":
            broken.append(".".join(list(tests)[number]))

    whole = [partial(run_tests, tests[at], at[0], None) for at in tests]
    in_parallel(whole, given.jobs, 4 * given.limit, sound)
    if broken:
        print("error: without any mutation the tests fail for", ", ".join(broken), file=sys.stderr)
        return 2
    reasons, counted, survivors = explained(), dict[str, dict[str, int]](), list[Mutant]()
    ran = [mutant for mutant in found if mutant.key not in reasons]

    def count(mutant: Mutant, outcome: str) -> None:
        of = counted.setdefault(f"{mutant.module}.{mutant.owner}", {})
        of[outcome] = of.get(outcome, 0) + 1

    def finished(number: int, outcome: str, seconds: float) -> None:
        mutant = ran[number]
        print(f"\r{sum(sum(of.values()) for of in counted.values()) + 1}/{len(found)}", end="", file=sys.stderr, flush=True)
        count(mutant, {"passed": "survived", "failed": "killed"}.get(outcome, outcome))
        if outcome == "passed":
            survivors.append(mutant)
            print(f"survived: {mutant.module}.py:{mutant.line}: {mutant.key}", flush=True)

    for mutant in found:
        if mutant.key in reasons:
            count(mutant, "explained")
    jobs = [partial(run_tests, tests[m.module, m.owner], m.module, m) for m in ran]
    in_parallel(jobs, given.jobs, given.limit, finished)
    print(table(counted))
    stale = sorted(set(reasons) - {mutant.key for mutant in found}) if not given.losses else []
    if stale:
        print("explained, but no longer a mutant:", *stale, sep="\n  ", file=sys.stderr)
    return 1 if survivors or stale else 0


if __name__ == "__main__":
    sys.exit(main())
