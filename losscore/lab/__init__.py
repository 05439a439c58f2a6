"""The experiment kit: what the book's experiments share, and nothing else.

Every name here is loaded on first use, so that importing the package costs neither matplotlib nor IPython.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from losscore.lab.data import DataSet, DataTable, data_set, data_sets
    from losscore.lab.hardware import by_device, describe, device, generator, seeded
    from losscore.lab.loaders import (
        blood_cells,
        breast_cancer_survival,
        breast_tumours,
        digits,
        doctor_visits,
        electricity_demand,
        mnist_subset,
        mode_choice,
        nuclei,
        photograph,
        reference_text,
        seattle_weather,
    )
    from losscore.lab.prose import glue
    from losscore.lab.slider import SliderFigure
    from losscore.lab.splits import Splits, repeated_folds
    from losscore.lab.statistics import Interval, interval, paired
    from losscore.lab.training import Copies, Descent, descend, fit, progress

_ROOM = {
    "DataSet": "data",
    "DataTable": "data",
    "data_set": "data",
    "data_sets": "data",
    "by_device": "hardware",
    "describe": "hardware",
    "device": "hardware",
    "generator": "hardware",
    "seeded": "hardware",
    "blood_cells": "loaders",
    "breast_cancer_survival": "loaders",
    "breast_tumours": "loaders",
    "digits": "loaders",
    "doctor_visits": "loaders",
    "electricity_demand": "loaders",
    "mnist_subset": "loaders",
    "mode_choice": "loaders",
    "nuclei": "loaders",
    "photograph": "loaders",
    "reference_text": "loaders",
    "seattle_weather": "loaders",
    "glue": "prose",
    "SliderFigure": "slider",
    "Splits": "splits",
    "repeated_folds": "splits",
    "Interval": "statistics",
    "interval": "statistics",
    "paired": "statistics",
    "Copies": "training",
    "Descent": "training",
    "descend": "training",
    "fit": "training",
    "progress": "training",
}

__all__ = [
    "Copies",
    "DataSet",
    "DataTable",
    "Descent",
    "Interval",
    "SliderFigure",
    "Splits",
    "blood_cells",
    "breast_cancer_survival",
    "breast_tumours",
    "by_device",
    "data_set",
    "data_sets",
    "descend",
    "describe",
    "device",
    "digits",
    "doctor_visits",
    "electricity_demand",
    "fit",
    "generator",
    "glue",
    "interval",
    "mnist_subset",
    "mode_choice",
    "nuclei",
    "paired",
    "photograph",
    "progress",
    "reference_text",
    "repeated_folds",
    "seattle_weather",
    "seeded",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_ROOM[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
