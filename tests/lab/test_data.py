import gzip
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from losscore.lab import data, data_set, digits, electricity_demand


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
    with pytest.raises(ModuleNotFoundError, match="pip install --no-deps scikit-learn"):
        digits()


def test_changed_package_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "taylor.py").write_text("x = np.array([1, 2, 3])")
    spec = importlib.util.spec_from_loader("pmdarima", None, is_package=True)
    assert spec is not None
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(data, "find_spec", lambda name: spec)
    with pytest.raises(ValueError, match="taylor.py doesn't hold one list of 4032 values"):
        electricity_demand()


def test_digits_are_what_scikit_learn_returns() -> None:
    code = (
        "from sklearn.datasets import load_digits; d = load_digits(); "
        "print(*d.data.sum(1).astype(int), *d.data.sum(0).astype(int), *d.target)"
    )
    theirs = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    images, labels = digits()
    assert images.shape == (1797, 64) and labels.shape == (1797,)
    assert images.dtype == torch.float32 and labels.dtype == torch.int64
    assert (images.min(), images.max()) == (0, 1)
    pixels = (images * 16).long()
    assert [*pixels.sum(1).tolist(), *pixels.sum(0).tolist(), *labels.tolist()] == [*map(int, theirs.split())]


def test_digits_do_not_import_scikit_learn() -> None:
    code = "import sys; from losscore.lab import digits; digits(); sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_table_of_another_size_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "datasets" / "data").mkdir(parents=True)
    with gzip.open(tmp_path / "datasets" / "data" / "digits.csv.gz", "wt") as file:
        file.write("1,2,3\n4,5,6\n")
    monkeypatch.setattr(data, "_folder", lambda module, package: tmp_path)
    with pytest.raises(ValueError, match="doesn't hold 1797 rows of 65 numbers"):
        digits()


def test_card() -> None:
    demand = data_set("electricity-demand")
    assert torch.equal(demand.load(), electricity_demand())
    for text in (repr(demand), demand._repr_html_()):
        for fact in ("4,032", "megawatts", "MIT", "no separate terms", "doi:10.1057/palgrave.jors.2601589"):
            assert fact in text


def test_card_of_the_digits() -> None:
    card = data_set("digits")
    assert all(torch.equal(ours, read) for ours, read in zip(card.load(), digits(), strict=True))
    for fact in ("1,797", "13 writers", "CC BY 4.0", "doi:10.24432/C50P49"):
        assert fact in repr(card)


def test_unknown_data_set() -> None:
    with pytest.raises(
        ValueError, match="no data set is called 'taylor'; there are digits, electricity-demand"
    ):
        data_set("taylor")
