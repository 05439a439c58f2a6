"""What importing the library costs, seen in fresh processes."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("sympy", "mpmath", "matplotlib", "yaml", "sklearn", "scipy", "pandas", "IPython")


def imported_beyond_torch(statement: str) -> set[str]:
    """The heavy packages that a fresh process holds after `statement`, and not after importing torch alone."""
    script = (
        f"import sys, torch; before = set(sys.modules); {statement}; "
        f"print(*(name for name in {HEAVY} if name in set(sys.modules) - before))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


@pytest.mark.parametrize("statement", ["import losscore", "import losscore.catalogue as c; c.entries()"])
def test_the_losses_cost_torch_and_nothing_else(statement: str) -> None:
    assert imported_beyond_torch(statement) == set()


def test_a_heavy_import_would_show() -> None:
    assert imported_beyond_torch("import yaml") == {"yaml"}


def test_the_symbolic_wing_needs_no_torch() -> None:
    """Even though `losscore` itself imports torch, no file of the wing may."""
    script = (
        "import sys, types; sys.modules['torch'] = None; package = types.ModuleType('losscore'); "
        "import importlib.util as u; package.__path__ = list(u.find_spec('losscore').submodule_search_locations); "
        "sys.modules['losscore'] = package; import losscore.symbolic as s; print(len(s.definitions()))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(ran.stdout) > 0
