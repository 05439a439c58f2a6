"""The equations and the changes of coordinates on which the exercise on coordinates checks its functions."""

from __future__ import annotations

import torch
from torch import Tensor

from .tasks import Arguments


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mixing(d: int, seed: int) -> Tensor:
    """An invertible matrix that is neither symmetric nor near a rotation."""
    return torch.eye(d, dtype=torch.float64) + 0.5 * normal(d, d, seed=seed).triu(1)


def rotation(d: int, seed: int) -> Tensor:
    turned: Tensor = torch.linalg.qr(normal(d, d, seed=seed)).Q
    return turned


def flat(d: int, rank: int, seed: int) -> Tensor:
    """A singular matrix of this rank: the first columns of `mixing`, the others 0."""
    return mixing(d, seed) * (torch.arange(d) < rank)


def system(n: int, d: int, seed: int, A: Tensor | None = None) -> Arguments:
    return normal(n, d, seed=seed), normal(n, seed=seed + 1), mixing(d, seed + 2) if A is None else A
