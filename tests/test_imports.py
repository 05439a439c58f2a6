"""What importing the library costs, seen in fresh processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

HEAVY = ("sympy", "mpmath", "matplotlib", "yaml", "sklearn", "scipy", "pandas", "IPython")


STATEMENTS = (
    "import losscore",
    "import losscore.catalogue as c; [entry.flags for entry in c.entries().values()]",
    "from losscore.claims import ledger",
    "ledger()",
)


def imported_beyond_torch(statements: Iterable[str]) -> list[set[str]]:
    """The heavy packages that a fresh process holds after each statement, and not after importing torch alone."""
    told = f"print(*(name for name in {HEAVY} if name in set(sys.modules) - before))"
    script = "\n".join(
        ["import sys, torch", "before = set(sys.modules)", *(f"{s}; {told}" for s in statements)]
    )
    command = [sys.executable, "-W", "error", "-c", script]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return [set(line.split()) for line in ran.stdout.splitlines()]


def test_the_losses_cost_torch_and_nothing_else_and_the_ledger_yaml_once_it_is_read() -> None:
    assert imported_beyond_torch(STATEMENTS) == [set(), set(), set(), {"yaml"}]


def test_the_symbolic_wing_needs_no_torch() -> None:
    """Even though `losscore` itself imports torch, no file of the wing may."""
    script = (
        "import sys, types; sys.modules['torch'] = None; package = types.ModuleType('losscore'); "
        "import importlib.util as u; package.__path__ = list(u.find_spec('losscore').submodule_search_locations); "
        "sys.modules['losscore'] = package; import losscore.symbolic as s; print(len(s.definitions()))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(ran.stdout) > 0
