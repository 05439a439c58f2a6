"""Kinds of arguments beyond one number or one row of logits: their random batches and adversarial samples.

A prediction that is several arguments has them along its last dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

CLASSES = 3
FEATURES = 4


@dataclass(frozen=True)
class Sample:
    """One prediction and its target as the definition takes them; `label` is the class index of a one-hot target.

    `componentwise`: every component of the gradient is held to the relative tolerance by itself, however small.
    Otherwise, where terms of either sign may cancel by chance, it is relative to the largest component. `terms` is
    the size of terms that may cancel in value and slope, to which both are relative if it is larger.
    """

    prediction: Any
    target: Any
    label: int | None = None
    componentwise: bool = True
    terms: float = 0.0

    def tensors(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        given = self.target if self.label is None else self.label
        whole = torch.tensor(given).dtype == torch.int64
        return torch.tensor(self.prediction, dtype=dtype), torch.tensor(given, dtype=None if whole else dtype)


@dataclass(frozen=True)
class Kind:
    """Random batches, away from kinks, with targets of every form; and samples for the comparison with 50 digits.

    `fixed` gives, for a prediction, the arguments that stay as they are. `entangled` says why the loss of a batch
    isn't made of losses of its rows, and `bounded` why predictions of 1e4 have no meaning. `defined` is the reduction
    that the definition of an entangled batch is.
    """

    batch: Callable[[int, Generator], tuple[Tensor, list[Tensor]]]
    samples: Callable[[Generator], Iterator[Sample]]
    entangled: str = ""
    bounded: str = ""
    defined: str = "mean"
    fixed: Callable[[Tensor], dict[str, Tensor]] = lambda prediction: {}


def normal(generator: Generator, *size: int) -> Tensor:
    return torch.randn(*size, generator=generator, dtype=torch.float64)


def nothing(size: int) -> list[Tensor]:
    return [torch.zeros(size, 0, dtype=torch.float64)]


def rows_of(values: Tensor) -> list[Any]:
    """Nested lists of numbers that float32 holds exactly."""
    found: list[Any] = values.float().tolist()
    return found


def _hard_labels(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    return 2 * normal(generator, size), [(normal(generator, size) > 0).double()]


def _labelled_logits(generator: Generator) -> Iterator[Sample]:
    sizes = (0.0, 2.0**-20, 1.0, 5.0, 17.5, 20.0, 40.0, 80.0, 104.0, 110.0, 700.0, 1e4)
    for size in (*sizes, *rows_of(3 * normal(generator, 6).abs())):
        for logit in (size, -size):
            yield Sample(logit, 0.0)
            yield Sample(logit, 1.0)


def _class_scores(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    return 2 * normal(generator, size, CLASSES), [torch.randint(CLASSES, (size,), generator=generator)]


def _class_score_samples(generator: Generator) -> Iterator[Sample]:
    rows = [
        (20.0, 0.0),
        (-0.25, 0.125),
        (0.75, 0.5, 0.25),
        (1e4, -1e4, 3.0),
        (2.0**-20, 0.0, -0.375),
        (700.0, -3.0, 0.6),
    ]
    rows += rows_of(2 * normal(generator, 8, CLASSES))
    for row in rows:
        for label in range(len(row)):
            yield Sample(row, label, label)


def _forecasts(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    forecast, other = normal(generator, 2, size, CLASSES).softmax(-1)
    return forecast, [torch.randint(CLASSES, (size,), generator=generator), other]


def _forecast_samples(generator: Generator) -> Iterator[Sample]:
    rows = [(0.5, 0.5), (1 - 2.0**-17, 2.0**-17), (0.25, 0.5, 0.25), (1e-30, 1 - 2.0**-24, 2.0**-24)]
    rows += [
        (2.0**-60, 2.0**-40, 1.0),
        (0.875, 0.125, 2.0**-70),
        *rows_of(normal(generator, 6, CLASSES).softmax(1)),
    ]
    for row in rows:
        for label in range(len(row)):
            one_hot = tuple(float(k == label) for k in range(len(row)))
            yield Sample(row, one_hot, label, componentwise=False)
            yield Sample(row, one_hot, componentwise=False)
    for row, soft in normal(generator, 6, 2, CLASSES).softmax(2):
        yield Sample(rows_of(row), rows_of(soft), componentwise=False)


def _student_and_teacher(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    return normal(generator, size, CLASSES), [normal(generator, size, CLASSES)]


def _distillation_samples(generator: Generator) -> Iterator[Sample]:
    near = 2.0**-20
    pairs = [
        ((20.0, 0.0), (0.0, 0.0)),
        ((0.0, 0.0), (20.0, 0.0)),
        ((near, 0.0), (0.0, 0.0)),
        ((3.0 + near, -1.0, 0.5), (3.0, -1.0, 0.5)),
        ((5.0 + near, 5.0, 5.0 - near), (4.0, 4.0, 4.0)),
        ((40.0, -2.0, 0.0), (0.0, 0.5, 30.0)),
        ((1e4, 0.0), (0.0, 1e4)),
        ((60.0, 1.0, 0.0), (60.0, 0.0, 0.0)),
        ((0.5, 0.0, -3.0), (0.0, 0.0, 0.0)),
        ((1.0, 2.0, 3.0, 4.0), (4.0, 3.0, 2.0, 1.0)),
        ((1.0,), (3.0,)),
    ]
    for student, teacher in pairs:
        yield Sample(student, teacher, componentwise=False)
    for student, teacher in 3 * normal(generator, 8, 2, CLASSES):
        yield Sample(rows_of(student), rows_of(teacher), componentwise=False)


def _pairs_of_answers(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    return normal(generator, size, 2), nothing(size)


def _rewards(generator: Generator) -> Iterator[Sample]:
    for gap in (0.0, 2.0**-20, 1.0, 5.0, 17.5, 20.0, 80.0, 104.0, 700.0, 1e4):
        yield Sample((gap, 0.0), ())
        yield Sample((0.0, gap), ())
        yield Sample((-3.0 - gap, -3.0), ())
    for pair in rows_of(3 * normal(generator, 8, 2)):
        yield Sample(pair, ())


def _answers_and_reference(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    return 4 * normal(generator, size, 4), nothing(size)


def _log_likelihoods(generator: Generator) -> Iterator[Sample]:
    for gap in (0.0, 2.0**-20, 1.0, 40.0, 250.0, 1040.0, 1e4):
        yield Sample((-gap, 0.0, 0.0, 0.0), (), componentwise=False)
        yield Sample((-512.0, -512.0 - gap, -512.0, -512.0), (), componentwise=False)
        yield Sample((-90.0, -80.0, -90.0 - gap, -80.0), (), componentwise=False)
    for answers in rows_of(8 * normal(generator, 8, 4) - 30):
        yield Sample(answers, (), componentwise=False)


def _triplets(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    points = normal(generator, size, FEATURES, 3)
    points[..., 0] /= 4
    points[..., 1] *= 3
    return points, nothing(size)


def _points(generator: Generator) -> Iterator[Sample]:
    triplets = [
        ((0.0, 0.0), (3.0, 4.0), (0.0, 2.0)),
        ((1.0, 1.0), (1.0, 2.0**-20 + 1), (5.0, 1.0)),
        ((0.0, 0.0), (2.0**-60, 0.0), (0.0, 2.0**-61)),
        ((0.0, 0.0), (1e25, 1e25), (1e4, 0.0)),
        ((1.0, 2.0, 3.0), (1.0, 2.5, 3.0), (-40.0, 2.0, 3.0)),
        ((0.5,), (2.5,), (0.25,)),
    ]
    triplets += [rows_of(points.mT) for points in _triplets(8, generator)[0]]
    for points in triplets:
        yield Sample(list(zip(*points, strict=True)), (), componentwise=False)


def _paired_embeddings(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    return normal(generator, size, FEATURES, 2), nothing(size)


def _batches_of_pairs(generator: Generator) -> Iterator[Sample]:
    axes = ((1.0, 0.0), (0.0, 2.0))
    turned = ((0.0, 3.0), (-1e4, 0.0))
    tiny = ((2.0**-70, 0.0), (0.0, -(2.0**-100)))
    batches = [(axes, axes), (axes, turned), (turned, tiny), (((1.0, 1.0),), ((1.0, -3.0),))]
    for query, key in batches:
        yield Sample(
            [list(zip(*rows, strict=True)) for rows in zip(query, key, strict=True)], (), componentwise=False
        )
    for batch in normal(generator, 4, 3, 2, 2):
        yield Sample(rows_of(batch), (), componentwise=False)


def _grouped_embeddings(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    return normal(generator, size, FEATURES), [torch.arange(size) // 2]


def _batches_of_groups(generator: Generator) -> Iterator[Sample]:
    axes = ((1.0, 0.0), (2.0, 0.0), (0.0, 1e4), (0.0, 2.0**-70))
    for labels in ((0, 0, 1, 1), (5, 7, 7, 5), (0, 0, 0, 1), (2, 2, 2, 2), (0, 0, 1, 2)):
        yield Sample(axes, labels, componentwise=False)
        yield Sample(rows_of(normal(generator, 4, 2)), labels, componentwise=False)


_IN_ONE_DENOMINATOR = "the rows of a batch are each other's negatives"


def _hidden_states(size: int, generator: Generator) -> tuple[Tensor, list[Tensor]]:
    hidden, other = normal(generator, 2, size, CLASSES)
    return hidden, [torch.randint(CLASSES, (size,), generator=generator), other.softmax(-1)]


def _hidden_samples(generator: Generator) -> Iterator[Sample]:
    rows = [
        (20.0, 0.0),
        (17.0, -0.5),
        (80.0, 0.0, 40.0),
        (0.0, 104.0, 3.0),
        (1e4, -1e4),
        (1000.0, 1020.0, 990.0),
    ]
    rows += [(0.0, 0.0, 0.0), (5.0, 5.0, 4.0, -60.0), (1.0,), *rows_of(4 * normal(generator, 4, CLASSES))]
    for row in rows:
        for label in range(len(row)):
            one_hot = tuple(float(k == label) for k in range(len(row)))
            yield Sample(row, one_hot, label)
            yield Sample(row, one_hot)
        yield Sample(row, (0.25, 0.5, 0.125, 0.125)[: len(row)], componentwise=False)


def _identity_layer(prediction: Tensor) -> dict[str, Tensor]:
    return {"weight": torch.eye(prediction.shape[-1], dtype=prediction.dtype, device=prediction.device)}


KINDS = {
    ("logit", "label"): Kind(_hard_labels, _labelled_logits),
    ("scores", "class"): Kind(_class_scores, _class_score_samples),
    ("probabilities", "distribution"): Kind(
        _forecasts, _forecast_samples, bounded="probabilities lie in [0, 1]"
    ),
    ("hidden", "distribution"): Kind(_hidden_states, _hidden_samples, fixed=_identity_layer),
    ("logits", "logits"): Kind(_student_and_teacher, _distillation_samples),
    ("rewards", "nothing"): Kind(_pairs_of_answers, _rewards),
    ("log-likelihoods", "nothing"): Kind(_answers_and_reference, _log_likelihoods),
    ("points", "nothing"): Kind(_triplets, _points),
    ("embeddings", "nothing"): Kind(_paired_embeddings, _batches_of_pairs, entangled=_IN_ONE_DENOMINATOR),
    ("embeddings", "groups"): Kind(_grouped_embeddings, _batches_of_groups, entangled=_IN_ONE_DENOMINATOR),
}
