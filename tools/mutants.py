"""The mutants of the losses: every small change of their syntax trees, and the losses that each change reaches."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from graphlib import TopologicalSorter
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).parents[1]
FILES = [
    ROOT / "losscore" / "calibration.py",
    *sorted(path for path in (ROOT / "losscore" / "losses").glob("*.py") if path.name != "__init__.py"),
]

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
    """One changed node of the file `path`, inside its top-level definition `owner`."""

    path: Path
    owner: str
    line: int
    before: str
    after: str
    nth: int
    put: Callable[[], ast.Module] = field(repr=False, compare=False)

    @property
    def module(self) -> str:
        return self.path.stem

    @property
    def key(self) -> str:
        again = f" ({self.nth})" if self.nth > 1 else ""
        return f"{self.module}.{self.owner}: {self.before} -> {self.after}{again}"

    def code(self) -> CodeType:
        """The changed module. It is the tree of all mutants that changes: to be called in a process of its own."""
        return compile(ast.fix_missing_locations(self.put()), self.path, "exec")


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
    """Every mutant of a file, in the order of its lines; what checks arguments or is said in errors stays.

    Where one definition holds the same change several times, they are numbered.
    """
    tree = ast.parse(path.read_text("utf-8"))
    for top in tree.body:
        if (owner := _name(top)) is None:
            continue
        seen: Counter[tuple[str, str]] = Counter()
        for parent, name, position, node in _places(top):
            for changed in changes(node):
                before, after = _shown(node), _shown(changed)
                seen[before, after] += 1
                put = partial(_put, tree, parent, name, position, changed)
                yield Mutant(path, owner, node.lineno, before, after, seen[before, after], put)  # type: ignore[attr-defined]


def unchanged(path: Path) -> Mutant:
    """The file as it is, to be run as its mutants are."""
    return Mutant(path, "", 0, "", "", 1, partial(ast.parse, path.read_text("utf-8")))


def _put(tree: ast.Module, parent: ast.AST, name: str, position: int | None, by: ast.AST) -> ast.Module:
    if position is None:
        setattr(parent, name, by)
    else:
        getattr(parent, name)[position] = by
    return tree


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
    if (
        isinstance(node, ast.If)
        and all(isinstance(part, ast.Raise) for part in node.body)
        and not node.orelse
    ):
        return True
    called = node.func if isinstance(node, ast.Call) else None
    name = (
        called.id
        if isinstance(called, ast.Name)
        else called.attr
        if isinstance(called, ast.Attribute)
        else ""
    )
    return name.lstrip("_").startswith("check") or name in ("Literal", "TypeVar", "ParamSpec", "is_compiling")


def _shown(node: ast.AST) -> str:
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}"
    return " ".join(ast.unparse(node).split())


@cache
def dependents(path: Path) -> list[Path]:
    """The files that import from this one, be it by others, each after those that it imports."""
    imported = {file: {other for other, _ in _imports(ast.parse(file.read_text("utf-8")))} for file in FILES}
    found = [path]
    for file in TopologicalSorter(imported).static_order():
        if imported[file] & set(found) and file not in found:
            found.append(file)
    return found[1:]


def _imports(tree: ast.Module) -> Iterator[tuple[Path, ast.alias]]:
    """What is imported by name from the files that are mutated."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            for file in FILES:
                if file.stem == node.module.split(".")[-1]:
                    yield from ((file, alias) for alias in node.names)


def users() -> dict[tuple[str, str], list[str]]:
    """For each top-level definition of the losses, by module and name: the public losses that reach it."""
    trees = {path.stem: ast.parse(path.read_text("utf-8")) for path in FILES}
    used: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for module, tree in trees.items():
        meant = {owner: (module, owner) for top in tree.body if (owner := _name(top))}
        meant |= {alias.asname or alias.name: (file.stem, alias.name) for file, alias in _imports(tree)}
        for top in tree.body:
            if owner := _name(top):
                words = {
                    n.id for n in ast.walk(top) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
                }
                local = {
                    n.id for n in ast.walk(top) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
                }
                used[module, owner] = {meant[word] for word in (words & set(meant)) - (local - {owner})}
    found: dict[tuple[str, str], list[str]] = {at: [] for at in used}
    for loss in public():
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


def public() -> list[str]:
    """The names of what the library offers."""
    tree = ast.parse((ROOT / "losscore" / "__init__.py").read_text("utf-8"))
    return sorted(
        alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    )
