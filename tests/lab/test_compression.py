"""The experiment on distillation: its parts against exact answers, and what its page says about the digits."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import matplotlib.pyplot as plt
import pytest
import torch
from sklearn.metrics import log_loss as sklearn_log_loss
from torch import Tensor

from losscore import cross_entropy, distillation, squared_error
from losscore.lab import Interval, Splits, digits, generator, paired, repeated_folds
from losscore.lab.compression import draw_lessons, draw_temperatures, log_loss, on, part, school_of
from losscore.lab.targets import School, Trained

TESTED = slice(238, None)


def hinton(T: float, factor: float, z: Tensor, t: Tensor, y: Tensor, alpha: float = 0.9) -> Tensor:
    return alpha * factor * distillation(z, t, temperature=T) + (1 - alpha) * cross_entropy(z, y)


def matched(z: Tensor, t: Tensor, y: Tensor) -> Tensor:
    apart = squared_error(z - z.mean(1, keepdim=True), t - t.mean(1, keepdim=True)) / 2
    return 0.9 * apart + 0.1 * cross_entropy(z, y)


class Experiment(NamedTuple):
    splits: Splits
    everyone: School
    few: School
    teacher: Trained
    students: dict[str, Trained]

    def versus(self, first: str, second: str) -> Interval:
        pair = (on(self.students[name], TESTED).accuracy for name in (first, second))
        return paired(*pair, test_share=self.splits.test_share)


@pytest.fixture(scope="module")
def seen() -> Experiment:
    splits = repeated_folds(1797, validation=238, repeats=2, generator=generator(0))
    everyone = school_of(splits, taught=600)
    few, fresh = part(everyone, slice(100)), part(everyone, slice(600, 1200))
    teacher = everyone.teacher(hidden=64)
    says, answers = teacher.says[:, :100], teacher.says[:, 600:]
    mixed = {
        "T = 1": partial(hinton, 1, 1),
        "T = 16": partial(hinton, 16, 1),
        "T = 64": partial(hinton, 64, 1),
        "T = 16, no square": partial(hinton, 16, 1 / 16**2),
        "T = 64, no square": partial(hinton, 64, 1 / 64**2),
        "T = 16, other weight": partial(hinton, 16, 1, alpha=0.9 / (0.9 + 0.1 * 16**2)),
        "matched": matched,
    }
    students = {name: few.learn(loss, says, few.labels, hidden=16) for name, loss in mixed.items()}
    students["labels"] = few.learn(cross_entropy, few.labels, hidden=16)
    students["decisions"] = fresh.learn(cross_entropy, answers.argmax(2), hidden=16)
    students["soft"] = fresh.learn(partial(distillation, temperature=16), answers, hidden=16)
    students["true"] = fresh.learn(cross_entropy, fresh.labels, hidden=16)
    return Experiment(splits, everyone, few, teacher, students)


# The parts.


def test_the_parts_of_a_split_share_no_image(seen: Experiment) -> None:
    images, labels = digits()
    splits, everyone = seen.splits, seen.everyone
    for train, validation, test in zip(splits.train, splits.validation, splits.test):
        assert len(torch.cat([train, validation, test]).unique()) == 1200 + 238 + 359
    assert torch.equal(everyone.teacher_images, everyone.images[:, :600])
    assert torch.equal(everyone.test_labels[:, TESTED], labels[splits.test])
    assert torch.equal(everyone.test_images[0, 0], images[splits.validation[0, 0]].double())
    assert torch.equal(seen.few.labels, everyone.labels[:, :100])


def test_log_loss_is_sklearns(seen: Experiment) -> None:
    run = on(seen.teacher, TESTED)
    for split, ours in enumerate(log_loss(run)):
        theirs = sklearn_log_loss(run.labels[split], run.logits[split].softmax(1).numpy(), labels=range(10))
        assert ours.item() == pytest.approx(theirs)


@pytest.mark.claim("C238")
def test_a_hot_divergence_is_squared_error_of_centred_logits() -> None:
    z, t = (4 * torch.randn(6, 10, generator=generator(k), dtype=torch.float64) for k in (1, 2))
    apart = (z - t) - (z - t).mean(1, keepdim=True)
    goal = apart.square().mean(1) / 2
    gaps = [
        (distillation(z, t, temperature=T, reduction="none") / goal - 1).abs().max() for T in (4, 64, 1024)
    ]
    assert gaps[0] > 0.1 > 0.05 > gaps[1] > 0.003 > gaps[2]


# What the page says about the digits.


@pytest.mark.claim("C239", "C240")
def test_a_teacher_is_nearly_certain_of_what_it_has_learnt(seen: Experiment) -> None:
    own = seen.teacher.says[:, :600]
    assert torch.equal(own.argmax(2), seen.everyone.labels[:, :600])
    assert own.softmax(2).amax(2).mean() > 0.97
    fresh = seen.teacher.says[:, 600:].argmax(2) == seen.everyone.labels[:, 600:]
    assert 0.9 < fresh.double().mean() < 0.98


@pytest.mark.claim("C239")
def test_a_hot_teacher_helps_where_labels_are_few(seen: Experiment) -> None:
    assert seen.versus("T = 16", "labels").low > 0.02
    assert seen.versus("T = 16", "T = 1").low > 0.02


@pytest.mark.claim("C237")
def test_a_missing_square_is_another_weight_times_a_constant(seen: Experiment) -> None:
    z = seen.students["T = 64"].says[0].requires_grad_()
    t, y = seen.teacher.says[0, :100], seen.few.labels[0]
    factor, alpha = (0.9 + 0.1 * 16**2) / 16**2, 0.9 / (0.9 + 0.1 * 16**2)
    (lacking,) = torch.autograd.grad(hinton(16, 1 / 16**2, z, t, y), z)
    (other,) = torch.autograd.grad(hinton(16, 1, z, t, y, alpha=alpha), z)
    torch.testing.assert_close(lacking, factor * other)


@pytest.mark.claim("C237")
def test_a_missing_square_trains_the_same_student_as_another_weight(seen: Experiment) -> None:
    having, lacking, other = (
        seen.students[name].logits.argmax(2)
        for name in ("T = 16", "T = 16, no square", "T = 16, other weight")
    )
    assert (lacking == other).double().mean() > 0.99
    assert (lacking == having).double().mean() < 0.97


@pytest.mark.claim("C237")
def test_without_the_square_a_hot_teacher_is_hardly_heard(seen: Experiment) -> None:
    assert seen.versus("T = 64", "T = 64, no square").low > 0.02
    assert seen.versus("T = 64, no square", "labels").mean < 0.03


@pytest.mark.claim("C238")
def test_hot_students_and_matched_logits_are_not_told_apart(seen: Experiment) -> None:
    apart = seen.versus("T = 64", "matched")
    assert apart.low < 0 < apart.high and abs(apart.mean) < 0.01


@pytest.mark.claim("C240")
def test_fresh_images_help_whatever_form_the_answers_take(seen: Experiment) -> None:
    for way in ("decisions", "soft", "true"):
        assert seen.versus(way, "labels").low > 0.02
    for way in ("soft", "true"):
        assert abs(seen.versus(way, "decisions").mean) < 0.03


# The pictures.


def test_bars_are_the_teachers_probabilities() -> None:
    logits = 5 * torch.randn(2, 10, generator=generator(3), dtype=torch.float64)
    draw_lessons(torch.rand(2, 64, generator=generator(4)), logits, (1, 16))
    axes = plt.gcf().axes
    for place, row, temperature in ((1, 0, 1), (5, 1, 16)):
        heights = torch.tensor([bar.get_height() for bar in axes[place].patches], dtype=torch.float64)
        torch.testing.assert_close(heights, (logits[row] / temperature).softmax(0))
    plt.close("all")


def test_points_are_the_means_of_the_runs() -> None:
    up, down = ([Interval(mean, 0.01, 10, 0.95) for mean in means] for means in ((0.8, 0.9), (0.8, 0.7)))
    draw_temperatures((1, 4), {"up": up, "down": down}, {"teacher": 0.95})
    level, first, second = (line for line in plt.gcf().axes[0].lines if len(line.get_ydata()) == 2)
    assert list(level.get_ydata()) == [0.95, 0.95]
    assert list(first.get_ydata()) == [0.8, 0.9]
    assert list(second.get_ydata()) == [0.8, 0.7]
    plt.close("all")
