"""What the section on modified targets says, over several seeds."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F

import losscore
from losscore.lab import descend, generator, interval, paired, targets
from losscore.lab.targets import School, Trained


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


@pytest.fixture(scope="module")
def school() -> School:
    return targets.school()


@pytest.fixture(scope="module")
def teacher(school: School) -> Trained:
    return school.teacher()


@pytest.fixture(scope="module")
def by_labels(school: School) -> Trained:
    return school.learn(losscore.cross_entropy, school.labels)


@pytest.fixture(scope="module")
def distilled(school: School, teacher: Trained) -> dict[int, Trained]:
    return {T: school.learn(partial(losscore.distillation, temperature=T), teacher.says) for T in (1, 16)}


@pytest.mark.claim("C88")
@pytest.mark.parametrize("seed", range(5))
def test_smoothing_the_label_is_what_torch_calls_label_smoothing(seed: int) -> None:
    logits, label = normal(7, 5, seed=seed), torch.randint(0, 5, (7,), generator=generator(seed))
    smoothed = losscore.smooth_labels(label, 5, smoothing=0.3).double()
    torch.testing.assert_close(smoothed, 0.7 * F.one_hot(label, 5).double() + 0.06)
    theirs = F.cross_entropy(logits, label, label_smoothing=0.3)
    torch.testing.assert_close(losscore.cross_entropy(logits, smoothed), theirs, rtol=1e-6, atol=0)


@pytest.mark.claim("C89")
def test_the_true_class_receives_more_than_one_minus_epsilon() -> None:
    smoothed = losscore.smooth_labels(torch.tensor([3]), 10, smoothing=0.1)[0]
    assert smoothed[3].item() == pytest.approx(0.91)
    assert smoothed.sum().item() == pytest.approx(1)
    assert [smoothed[k].item() for k in range(10) if k != 3] == pytest.approx([0.01] * 9)


@pytest.mark.claim("C90")
@pytest.mark.parametrize("shift", [0.0, 1000.0])
def test_smoothing_stops_the_gap_between_logits_and_not_the_logits(shift: float) -> None:
    def loss(z: torch.Tensor) -> torch.Tensor:
        return losscore.cross_entropy(z, torch.tensor(0), label_smoothing=0.1)

    run = descend(loss, torch.full((10,), shift, dtype=torch.float64), step=5.0, steps=800)
    end = run.path[-1]
    assert (end[0] - end[1:]).tolist() == pytest.approx([math.log(91)] * 9, abs=1e-6)
    assert end.mean().item() == pytest.approx(shift)
    plain = descend(
        lambda z: losscore.cross_entropy(z, torch.tensor(0)),
        torch.zeros(10, dtype=torch.float64),
        step=5.0,
        steps=800,
    )
    assert (plain.path[-1][0] - plain.path[-1][1]).item() > 6


@pytest.mark.claim("C90")
@pytest.mark.parametrize("seed", range(5))
def test_the_gradient_is_prediction_minus_smoothed_label(seed: int) -> None:
    logits, label = normal(6, 4, seed=seed).requires_grad_(), torch.arange(6) % 4
    loss = losscore.cross_entropy(logits, label, label_smoothing=0.2, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, logits)
    smoothed = 0.8 * F.one_hot(label, 4).double() + 0.05
    torch.testing.assert_close(gradient, logits.detach().softmax(1) - smoothed)


@pytest.mark.claim("C91")
def test_the_best_forecast_under_smoothing_is_pulled_to_uniform() -> None:
    truth = torch.tensor([0.9, 0.08, 0.02], dtype=torch.float64)

    def risk(z: torch.Tensor) -> torch.Tensor:
        by_label = losscore.cross_entropy(
            z.expand(3, 3), torch.arange(3), label_smoothing=0.3, reduction="none"
        )
        return truth @ by_label

    best = descend(risk, torch.zeros(3, dtype=torch.float64), step=2.0, steps=1000).path[-1].softmax(0)
    torch.testing.assert_close(best, 0.7 * truth + 0.1)


@pytest.fixture(scope="module")
def smoothed_digits() -> dict[tuple[float, float], Trained]:
    """By the share of wrong training labels and ε, 200 labels each."""
    digits = targets.school(200)
    return {
        (share, smoothing): digits.learn(
            partial(losscore.cross_entropy, label_smoothing=smoothing),
            targets.mislabelled(digits.labels, share),
        )
        for share in (0, 0.2)
        for smoothing in (0, 0.1)
    }


@pytest.mark.claim("C91")
def test_smoothing_hurts_calibration_on_clean_digits_and_helps_on_mislabelled_ones(
    smoothed_digits: dict[tuple[float, float], Trained],
) -> None:
    error = {setting: run.calibration_error for setting, run in smoothed_digits.items()}
    assert paired(error[0, 0.1], error[0, 0]).low > 0.08
    assert paired(error[0.2, 0], error[0.2, 0.1]).low > 0.05


@pytest.mark.claim("C91")
def test_a_smoothed_network_on_clean_digits_is_right_more_often_than_it_says(
    smoothed_digits: dict[tuple[float, float], Trained],
) -> None:
    plain, smoothed = smoothed_digits[0, 0], smoothed_digits[0, 0.1]
    assert interval(smoothed.accuracy - smoothed.confidence).low > 0.1
    assert interval(plain.confidence - plain.accuracy).low > 0
    assert abs(paired(smoothed.accuracy, plain.accuracy).mean) < 0.02


@pytest.mark.claim("C91")
def test_a_smoothed_teacher_is_better_and_its_student_worse(
    school: School, teacher: Trained, distilled: dict[int, Trained]
) -> None:
    smoothed = school.teacher(smoothing=0.3)
    student = school.learn(partial(losscore.distillation, temperature=16), smoothed.says)
    assert paired(smoothed.accuracy, teacher.accuracy).low > 0
    assert paired(distilled[16].accuracy, student.accuracy).low > 0


@pytest.mark.claim("C92")
@pytest.mark.parametrize("smoothing", [0.02, 0.1, 0.5])
def test_the_smoothed_slope_vanishes_at_a_confident_logit_and_turns(smoothing: float) -> None:
    root = math.log((2 - smoothing) / smoothing)
    logit = torch.tensor([root - 0.5, root, root + 0.5, 40.0], dtype=torch.float64)
    slope = targets.binary_slope(logit, smoothing=smoothing)
    assert slope[0] < 0 < slope[2]
    assert slope[1].item() == pytest.approx(0, abs=1e-7)
    assert slope[3].item() == pytest.approx(smoothing / 2, abs=1e-7)
    assert torch.sigmoid(logit[1]).item() == pytest.approx(1 - smoothing / 2)


@pytest.mark.claim("C92", "C93")
def test_smoothing_stops_a_logit_and_temperature_does_not() -> None:
    stopped = targets.one_logit(smoothing=0.1)
    assert stopped.path[-1].item() == pytest.approx(math.log(19), abs=1e-6)
    for temperature in (1, 4):
        run = targets.one_logit(temperature=temperature)
        assert run.path[-1] > 6 and (run.path.diff() > 0).all()


@pytest.mark.claim("C93")
def test_a_temperature_in_training_is_a_rescaling_of_the_last_layer() -> None:
    features, weight = normal(20, 3), normal(3, seed=1)
    label = (normal(20, seed=2) > 0).double()
    hot = losscore.binary_cross_entropy(features @ weight / 4, label)
    assert hot.item() == pytest.approx(losscore.binary_cross_entropy(features @ (weight / 4), label).item())
    far = targets.binary_slope(torch.tensor([15.0, 60.0], dtype=torch.float64), temperature=4)
    assert (far < 0).all() and (far[1] / far[0]).item() == pytest.approx(math.exp(-45 / 4), rel=0.03)


@pytest.mark.claim("C94")
def test_a_teacher_smaller_than_its_student_teaches(school: School, by_labels: Trained) -> None:
    small = school.teacher(hidden=16)
    student = school.learn(partial(losscore.distillation, temperature=16), small.says)
    assert paired(student.accuracy, by_labels.accuracy).low > 0.03


@pytest.mark.claim("C95")
@pytest.mark.parametrize("temperature", [1.0, 4.0, 50.0])
def test_the_gradient_of_distillation_in_the_student(temperature: float) -> None:
    student, teacher = normal(6, 4).requires_grad_(), normal(6, 4, seed=1)
    loss = losscore.distillation(student, teacher, temperature=temperature, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, student)
    p, pi = ((z.detach() / temperature).softmax(1) for z in (student, teacher))
    torch.testing.assert_close(gradient, temperature * (p - pi))
    if temperature == 50:
        centred = [z.detach() - z.detach().mean(1, keepdim=True) for z in (student, teacher)]
        torch.testing.assert_close(gradient, (centred[0] - centred[1]) / 4, rtol=0.2, atol=0.01)


@pytest.mark.claim("C95")
def test_one_direction_covers_both_bumps_and_the_other_chooses_one() -> None:
    assert targets.fit_bump(losscore.distillation) == pytest.approx((0, math.sqrt(9.49)), abs=1e-3)
    for start in (-1.5, 1.5):
        seeking = targets.fit_bump(lambda student, teacher: losscore.distillation(teacher, student), start)
        assert seeking == pytest.approx((math.copysign(3, start), 0.7), abs=1e-3)


@pytest.mark.claim("C95")
def test_without_the_factor_a_hot_teacher_is_drowned_by_the_hard_labels(
    school: School, teacher: Trained
) -> None:
    def mixture(factor: float, z: torch.Tensor, v: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (factor * losscore.distillation(z, v, temperature=16) + losscore.cross_entropy(z, y)) / 2

    having, lacking = (
        school.learn(partial(mixture, factor), teacher.says, school.labels) for factor in (1, 1 / 16**2)
    )
    assert paired(having.accuracy, lacking.accuracy).low > 0.01


@pytest.mark.claim("C96")
def test_a_student_gains_from_a_teacher_and_more_from_a_hot_one(
    by_labels: Trained, distilled: dict[int, Trained]
) -> None:
    assert paired(distilled[1].accuracy, by_labels.accuracy).low > 0.01
    assert paired(distilled[16].accuracy, distilled[1].accuracy).low > 0.01


@pytest.mark.claim("C96")
def test_the_gain_is_lost_when_the_wrong_classes_are_shuffled(
    school: School, teacher: Trained, by_labels: Trained
) -> None:
    shuffled = targets.wrong_classes_shuffled(teacher.says)
    assert torch.equal(shuffled.sort(2).values, teacher.says.sort(2).values)
    assert torch.equal(shuffled.argmax(2), teacher.says.argmax(2))
    student = school.learn(partial(losscore.distillation, temperature=16), shuffled)
    assert paired(by_labels.accuracy, student.accuracy).low > 0.05


@pytest.mark.claim("C96")
def test_a_student_learns_the_mistake_of_its_teacher(school: School, by_labels: Trained) -> None:
    wrong = school.teacher(relabel=targets.nines_as_fours)
    student = school.learn(partial(losscore.distillation, temperature=16), wrong.says)
    assert interval(targets.nines_called_four(student)).low > 0.8
    assert interval(targets.nines_called_four(by_labels)).high < 0.1
    assert paired(by_labels.accuracy, student.accuracy).low > 0


@pytest.mark.claim("C96")
@pytest.mark.parametrize("count", [1, 5])
def test_labels_scatter_around_the_truth_as_derived(count: int) -> None:
    truth = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    labels = torch.multinomial(truth.expand(20000, 3), count, replacement=True, generator=generator(0))
    mean = F.one_hot(labels, 3).double().mean(1)
    missed = interval((mean - truth).square().sum(1))
    assert missed.low < 0.46 / count < missed.high


@pytest.mark.claim("C97")
@pytest.mark.parametrize("seed", range(5))
def test_smoothing_is_distillation_from_the_uniform_teacher(seed: int) -> None:
    logits, label = normal(7, 5, seed=seed), torch.arange(7) % 5
    uniform = torch.zeros_like(logits)
    parts = 0.8 * losscore.cross_entropy(logits, label) + 0.2 * (
        losscore.distillation(logits, uniform) + math.log(5)
    )
    torch.testing.assert_close(losscore.cross_entropy(logits, label, label_smoothing=0.2), parts)
    teacher = normal(7, 5, seed=seed + 50)
    pi = teacher.softmax(1)
    entropy = -(pi * pi.log()).sum(1).mean()
    torch.testing.assert_close(
        losscore.distillation(logits, teacher), losscore.cross_entropy(logits, pi) - entropy
    )


def test_replaced_labels_are_as_many_as_asked() -> None:
    clean = torch.zeros(4, 5000, dtype=torch.int64)
    changed = (targets.mislabelled(clean, 0.2) != clean).double().mean().item()
    assert changed == pytest.approx(0.18, abs=0.01)
    assert torch.equal(targets.mislabelled(clean, 0), clean)


def test_drawings_show_what_they_are_given() -> None:
    figure = targets.draw_bumps({"covers": (0.0, 3.08), "seeks": (3.0, 0.7)})
    assert len(figure.axes[0].lines) == 2
    slider = targets.slide_smoothing()
    assert slider.marker is not None and slider.marker[3] == pytest.approx(math.log(19))


def test_reliability_is_drawn_where_there_are_fifty_images() -> None:
    sure = torch.tensor([4 / 6, 1 / 6, 1 / 6]).log().expand(1, 100, 3)
    unsure = torch.tensor([0.45, 0.30, 0.25]).log().expand(1, 10, 3)
    logits = torch.cat([sure, unsure], 1)
    labels = torch.cat([torch.arange(100) >= 80, torch.zeros(10)]).long()[None]
    (axes,) = targets.draw_reliability({"student": Trained(logits, logits, labels)}).axes
    _, line = axes.lines
    assert line.get_xydata().tolist() == [pytest.approx([4 / 6, 0.8])]
