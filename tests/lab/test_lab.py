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


@pytest.mark.parametrize("order", ["device, describe", "describe, device"])
def test_the_lab_costs_torch_and_nothing_else(order: str) -> None:
    code = (
        f"import sys; from losscore.lab import {order}, SliderFigure, glue, fit, interval, electricity_demand\n"
        "assert device().type\n"
        "print(*({'matplotlib', 'IPython', 'sympy', 'scipy', 'pandas', 'sklearn', 'yaml'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, "", "")
