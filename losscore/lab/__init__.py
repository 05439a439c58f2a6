"""The experiment kit: what the book's experiments share, and nothing else.

Every name here is loaded on first use, so that importing the package costs neither matplotlib nor IPython.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from losscore.lab.data import DataSet, data_set, digits, electricity_demand
    from losscore.lab.hardware import by_device, describe, device, generator, seeded
    from losscore.lab.prose import glue
    from losscore.lab.slider import SliderFigure
    from losscore.lab.statistics import Interval, interval, paired
    from losscore.lab.training import Descent, descend, fit, progress

_ROOM = {
    "DataSet": "data",
    "data_set": "data",
    "digits": "data",
    "electricity_demand": "data",
    "by_device": "hardware",
    "describe": "hardware",
    "device": "hardware",
    "generator": "hardware",
    "seeded": "hardware",
    "glue": "prose",
    "SliderFigure": "slider",
    "Interval": "statistics",
    "interval": "statistics",
    "paired": "statistics",
    "Descent": "training",
    "descend": "training",
    "fit": "training",
    "progress": "training",
}

__all__ = [
    "DataSet",
    "Descent",
    "Interval",
    "SliderFigure",
    "by_device",
    "data_set",
    "descend",
    "describe",
    "device",
    "digits",
    "electricity_demand",
    "fit",
    "generator",
    "glue",
    "interval",
    "paired",
    "progress",
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
