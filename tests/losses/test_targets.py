"""Made targets: smoothed labels, and distillation close to its teacher and far from it."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import losscore
from losscore.symbolic import definition

from .battery import RELATIVE, near

INF = math.inf


def draw(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_smoothed_labels_worked_by_hand() -> None:
    close = torch.testing.assert_close
    close(losscore.smooth_labels(torch.tensor(1), 4, smoothing=0.2), torch.tensor([0.05, 0.85, 0.05, 0.05]))
    close(losscore.smooth_labels(torch.tensor([0.5, 0.5]), 2, smoothing=0.5), torch.tensor([0.5, 0.5]))
    close(losscore.smooth_labels(torch.tensor([1.0, 0.0]), 2, smoothing=1), torch.tensor([0.5, 0.5]))
    rows = losscore.smooth_labels(torch.tensor([[0, 1], [2, 0]], dtype=torch.uint8), 3, smoothing=0.0)
    assert torch.equal(rows, F.one_hot(torch.tensor([[0, 1], [2, 0]]), 3).movedim(-1, 1).float())


def test_a_component_is_that_of_the_definition() -> None:
    found = losscore.smooth_labels(torch.tensor([0.125, 0.875], dtype=torch.float64), 2, smoothing=0.3)
    for got, q in zip(found, (0.125, 0.875), strict=True):
        assert near(got, definition("smooth_labels").oracle(q, num_classes=2, smoothing=0.3), 1e-15)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_smoothed_labels_are_the_label_smoothing_of_cross_entropy(smoothing: float) -> None:
    logits, labels = draw(5, 4, 3), torch.randint(4, (5, 3), generator=torch.Generator().manual_seed(1))
    for target in (labels, draw(5, 4, 3, seed=2).softmax(1)):
        smoothed = losscore.smooth_labels(target, 4, smoothing=smoothing)
        wanted = F.cross_entropy(logits, target, label_smoothing=smoothing)
        torch.testing.assert_close(
            losscore.cross_entropy(logits, smoothed.double()), wanted, rtol=1e-6, atol=0
        )


def test_smoothed_labels_under_transforms() -> None:
    labels = torch.tensor([0, 2, 1])

    def smooth(target: Tensor) -> Tensor:
        return losscore.smooth_labels(target, 3, smoothing=0.3)

    wanted = smooth(labels)
    torch.testing.assert_close(torch.func.vmap(smooth)(labels), wanted)
    torch.compiler.reset()
    torch.testing.assert_close(torch.compile(smooth, fullgraph=True, backend="eager")(labels), wanted)
    assert smooth(labels.to("meta")).shape == (3, 3)
    assert smooth(torch.ones(2, 3).bfloat16()).dtype == torch.bfloat16
    assert smooth(torch.zeros(0, dtype=torch.int64)).shape == (0, 3)


def test_errors_of_smoothed_labels() -> None:
    labels = torch.tensor([0, 3])
    for target, classes, smoothing, kind, message in (
        (labels, 3, 0.1, ValueError, r"target: expected class indices in \[0, 3\), got 3 at position \(1,\)"),
        (labels, 0, 0.1, ValueError, "num_classes: expected an integer >= 1, got 0"),
        (labels, 2.0, 0.1, TypeError, "num_classes: expected an integer >= 1, got float"),
        (labels, True, 0.1, TypeError, "num_classes: expected an integer >= 1, got bool"),
        (labels, 4, 1.5, ValueError, r"smoothing: expected a number in \[0, 1\], got 1.5"),
        (labels, 4, None, TypeError, "smoothing: expected a number"),
        (torch.ones(2, 3), 4, 0.1, ValueError, "target: expected 4 probabilities in dimension 1, got size"),
        (torch.ones(()), 1, 0.1, ValueError, "target: expected 1 probabilities"),
        (labels.to(torch.complex64), 4, 0.1, TypeError, "target: expected real numbers, got torch.complex64"),
        ([0, 1], 4, 0.1, TypeError, "target: expected a torch.Tensor, got list"),
    ):
        with pytest.raises(kind, match=message):
            losscore.smooth_labels(target, classes, smoothing=smoothing)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_distillation_is_the_divergence_of_torch(temperature: float) -> None:
    student, teacher = draw(6, 5), draw(6, 5, seed=1)
    wanted = F.kl_div(
        (student / temperature).log_softmax(1),
        (teacher / temperature).log_softmax(1),
        reduction="batchmean",
        log_target=True,
    )
    found = losscore.distillation(student, teacher, temperature=temperature)
    torch.testing.assert_close(found, temperature**2 * wanted)


def test_the_gradient_in_the_student_is_the_difference_of_the_probabilities() -> None:
    student, teacher = draw(5).requires_grad_(), draw(5, seed=1)
    (slope,) = torch.autograd.grad(losscore.distillation(student, teacher, temperature=3.0), student)
    torch.testing.assert_close(slope, 3 * ((student / 3).softmax(0) - (teacher / 3).softmax(0)).detach())


@pytest.mark.parametrize("dtype", RELATIVE, ids=str)
@pytest.mark.parametrize("step", [0.3, 1e-2, 1e-4, 1e-6])
def test_close_to_the_teacher_nothing_cancels(step: float, dtype: torch.dtype) -> None:
    """The divergence falls with the square of the step; its naive form is rounding alone."""
    teacher = torch.tensor([2.0, -0.5, 0.25], dtype=dtype, requires_grad=True)
    student = torch.tensor([2.0 + step, -0.5, 0.25 - step / 2], dtype=dtype, requires_grad=True)
    loss = losscore.distillation(student, teacher)
    arguments = (student.tolist(), teacher.tolist())
    assert near(loss, definition("distillation").oracle(*arguments, temperature=1.0), RELATIVE[dtype])
    for of, slopes in enumerate(torch.autograd.grad(loss, (student, teacher))):
        wanted = definition("distillation").gradient_oracle(*arguments, of=of, temperature=1.0)
        largest = max(abs(want) for want in wanted)
        assert all(
            near(got, want, RELATIVE[dtype], largest) for got, want in zip(slopes, wanted, strict=True)
        )
    if step == 1e-6 and dtype == torch.float32:
        p, q = student.log_softmax(0), teacher.log_softmax(0)
        assert abs((q.exp() * (q - p)).sum() / loss - 1) > 0.1


def test_equal_logits_cost_exactly_nothing() -> None:
    logits = 30 * draw(20, 7).float()
    assert losscore.distillation(logits, logits, reduction="none").eq(0).all()
    assert losscore.distillation(logits, logits, temperature=3.0, reduction="none").eq(0).all()
    shifted = losscore.distillation(logits + 64, logits, reduction="none")
    assert shifted.abs().max() < 1e-9


@pytest.mark.parametrize("teacher", [[1.0, 0.0, -INF], [-INF, 2.0, 0.0]])
def test_a_class_that_the_teacher_excludes(teacher: list[float]) -> None:
    """It enters only through the student's probability: the finite classes of a limit."""
    for last in (0.5, -INF):
        student = torch.tensor([last if t == -INF else 0.25 for t in teacher], requires_grad=True)
        goal = torch.tensor(teacher)
        loss = losscore.distillation(student, goal)
        nearly = losscore.distillation(student.detach().clamp(min=-90), goal.clamp(min=-90))
        torch.testing.assert_close(loss.detach(), nearly)
        (slope,) = torch.autograd.grad(loss, student)
        torch.testing.assert_close(slope, (student.softmax(0) - goal.softmax(0)).detach())


def test_a_class_that_the_student_excludes() -> None:
    student = torch.tensor([0.0, -INF], requires_grad=True)
    loss = losscore.distillation(student, torch.zeros(2))
    assert loss.item() == INF
    assert torch.autograd.grad(loss, student)[0].tolist() == pytest.approx([0.5, -0.5])
    for wrong in ([INF, 0.0], [-INF, -INF], [math.nan, 0.0]):
        assert losscore.distillation(torch.tensor(wrong), torch.zeros(2)).isnan()
        assert losscore.distillation(torch.zeros(2), torch.tensor(wrong)).isnan()


def test_errors_of_distillation() -> None:
    with pytest.raises(ValueError, match=r"teacher: expected the size of student, .*\[4, 3\].*, got .*\[4\]"):
        losscore.distillation(torch.zeros(4, 3), torch.zeros(4))
    for size in ((), (4, 0), (0,)):
        with pytest.raises(ValueError, match="student: expected logits with at least one class"):
            losscore.distillation(torch.zeros(size), torch.zeros(size))
    for wrong in (0.0, -1.0, INF):
        with pytest.raises(ValueError, match="temperature: expected a finite number > 0"):
            losscore.distillation(torch.zeros(2), torch.zeros(2), temperature=wrong)
