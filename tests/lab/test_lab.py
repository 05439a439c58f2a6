import subprocess
import sys

import pytest

from losscore import lab


def test_every_name_loads_from_its_room() -> None:
    assert sorted(lab._ROOM) == sorted(lab.__all__)
    for name in lab.__all__:
        assert getattr(lab, name).__module__ == f"losscore.lab.{lab._ROOM[name]}"
        assert name in dir(lab)


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        getattr(lab, "nothing")  # noqa: B009


def test_the_lab_costs_torch_and_nothing_else() -> None:
    """In either order, twice afresh."""
    code = (
        "import sys\n"
        "for first, second in ('device', 'describe'), ('describe', 'device'):\n"
        "    exec(f'from losscore.lab import {first}, {second}, SliderFigure, glue, fit, interval, electricity_demand')\n"
        "    assert device().type\n"
        "    for name in [name for name in sys.modules if name.startswith('losscore.lab')]:\n"
        "        del sys.modules[name]\n"
        "print(*({'matplotlib', 'IPython', 'sympy', 'scipy', 'pandas', 'sklearn', 'yaml'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, "", "")
