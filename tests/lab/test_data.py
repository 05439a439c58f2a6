import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from losscore.lab import data, data_set, electricity_demand


def test_electricity_demand_is_what_pmdarima_returns() -> None:
    """pmdarima itself runs in another process: importing it here would bring its warnings along."""
    code = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "from pmdarima.datasets import load_taylor; print(*load_taylor().astype(int))"
    )
    theirs = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    found = electricity_demand()
    assert found.shape == (4032,)
    assert found.dtype == torch.float64
    assert found.tolist() == [float(word) for word in theirs.split()]


def test_electricity_demand_does_not_import_pmdarima() -> None:
    code = (
        "import sys; from losscore.lab import electricity_demand; electricity_demand(); "
        "sys.exit(any(name in sys.modules for name in ('pmdarima', 'pandas', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_electricity_demand_has_the_weeks_it_claims() -> None:
    week = electricity_demand().reshape(12, 7, 48).mean(dim=(0, 2))
    assert week[5:].max() < week[:5].min(), "Saturday and Sunday need less than any weekday"


def test_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install --no-deps pmdarima"):
        electricity_demand()


def test_changed_package_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "taylor.py").write_text("x = np.array([1, 2, 3])")
    spec = importlib.util.spec_from_loader("pmdarima", None, is_package=True)
    assert spec is not None
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(data, "find_spec", lambda name: spec)
    with pytest.raises(ValueError, match="taylor.py doesn't hold one list of 4032 values"):
        electricity_demand()


def test_card() -> None:
    demand = data_set("electricity-demand")
    assert torch.equal(demand.load(), electricity_demand())
    for text in (repr(demand), demand._repr_html_()):
        for fact in ("4,032", "megawatts", "MIT", "no separate terms", "doi:10.1057/palgrave.jors.2601589"):
            assert fact in text


def test_unknown_data_set() -> None:
    with pytest.raises(ValueError, match="no data set is called 'taylor'; there are electricity-demand"):
        data_set("taylor")
