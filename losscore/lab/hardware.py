"""Where an experiment runs and how its randomness is seeded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

T = TypeVar("T")


def device() -> torch.device:
    """The device that experiments use: the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def describe() -> str:
    """One sentence that says which device is used.

    The sentence differs between machines: print it only in a cell whose output is not compared.
    """
    if device().type == "cuda":
        return f"This runs on the GPU {torch.cuda.get_device_name()}."
    return "This runs on the CPU: PyTorch sees no GPU here."


def by_device(*, cpu: T, gpu: T) -> T:
    """Choose the size of an experiment by the device: ``steps = by_device(cpu=300, gpu=3000)``.

    ``cpu`` is what a page can afford on one core, and what the book shows; ``gpu`` is the full size. The environment
    variable ``LOSSCORE_SIZE`` overrules the device: ``full`` takes the full size on a CPU too, ``fast`` the small one
    on a GPU too.

    Raises:
        ValueError: if ``LOSSCORE_SIZE`` has another value.
    """
    size = os.environ.get("LOSSCORE_SIZE") or ("full" if device().type == "cuda" else "fast")
    if size not in ("fast", "full"):
        raise ValueError(f"LOSSCORE_SIZE must be fast or full, got {size!r}")
    return gpu if size == "full" else cpu


def generator(seed: int) -> torch.Generator:
    """A generator for reproducible random numbers.

    It lives on the CPU everywhere, because a GPU draws other numbers from the same seed. Draw with it, then move
    the tensor: ``torch.randn(100, generator=generator(0)).to(device())``.

    Raises:
        TypeError: if ``seed`` is not an integer.
        ValueError: if ``seed`` is negative.
    """
    return torch.Generator().manual_seed(_checked(seed))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed what takes no generator, such as the first weights of ``torch.nn.Linear``, and leave no trace.

    Inside, PyTorch's global CPU generator starts from ``seed``; afterwards it goes on as if nothing had happened.

    Raises:
        TypeError: if ``seed`` is not an integer.
        ValueError: if ``seed`` is negative.
    """
    _checked(seed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def _checked(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"seed must be an integer, got {seed!r} of type {type(seed).__name__}")
    if seed < 0:
        raise ValueError(f"seed must be 0 or larger, got {seed}")
    return seed
