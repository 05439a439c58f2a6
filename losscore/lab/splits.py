"""Splits of one data set into training, validation and test samples, made once for all models to be compared."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Splits:
    """Indices of the samples: ``train``, ``validation`` and ``test``, each of shape (splits, samples in that part).

    The splits of one repeat of the cross-validation stand one after the other.
    """

    train: Tensor
    validation: Tensor
    test: Tensor

    @property
    def test_share(self) -> float:
        """Test samples over training samples: what :func:`~losscore.lab.interval` needs to know of the overlap."""
        return self.test.shape[1] / self.train.shape[1]


def repeated_folds(
    samples: int, *, folds: int = 5, repeats: int = 8, validation: int = 0, generator: torch.Generator
) -> Splits:
    """Cross-validation, repeated with new folds each time.

    Within a repeat no sample is tested twice. So that all splits have equal sizes, what ``folds`` doesn't divide is
    never tested in that repeat; the rest of each split's training samples is set aside for validation.

    Args:
        samples: how many there are.
        folds: how many test parts each repeat has.
        repeats: how many times.
        validation: samples of each split that neither train nor test.
        generator: draws the orders.

    Raises:
        ValueError: if a number is too small, or no sample is left to train with.
    """
    if folds < 2 or repeats < 1 or validation < 0:
        raise ValueError(
            f"folds must be at least 2, repeats 1 and validation 0, got {folds}, {repeats}, {validation}"
        )
    size = samples // folds
    if size < 1 or samples - size <= validation:
        raise ValueError(
            f"{samples} samples are too few for {folds} folds and {validation} samples of validation"
        )
    parts: tuple[list[Tensor], list[Tensor], list[Tensor]] = ([], [], [])
    for _ in range(repeats):
        order = torch.randperm(samples, generator=generator)
        for fold in range(folds):
            tested = slice(fold * size, (fold + 1) * size)
            rest = torch.cat([order[: tested.start], order[tested.stop :]])
            rest = rest[torch.randperm(len(rest), generator=generator)]
            for part, indices in zip(
                parts, (rest[validation:], rest[:validation], order[tested]), strict=True
            ):
                part.append(indices)
    return Splits(*(torch.stack(part) for part in parts))
