"""Robust and focal losses, and the further scores of logits: worked values, peers, identities, traps, bad input."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import losscore

from .test_errors import raises

IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def draw(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def value_and_slope(loss: Any, logits: Tensor, target: Tensor) -> tuple[float, Tensor]:
    logits = logits.detach().clone().requires_grad_()
    value = loss(logits, target)
    return value.item(), torch.autograd.grad(value, logits)[0]


def test_values_worked_by_hand() -> None:
    """At p = (1/2, 1/4, 1/4) with the first class as label."""
    logits, label = torch.tensor([math.log(2), 0.0, 0.0], dtype=torch.float64), torch.tensor(0)
    assert losscore.spherical(logits, label).item() == pytest.approx(1 - 0.5 / math.sqrt(0.375))
    assert losscore.ranked_probability(logits, label).item() == pytest.approx(0.25 + 0.0625)
    assert losscore.ranked_probability(logits, torch.tensor(2)).item() == pytest.approx(0.25 + 0.5625)
    assert losscore.absolute_probability_error(logits, label).item() == pytest.approx(1)
    assert losscore.generalized_cross_entropy(logits, label, q=0.5).item() == pytest.approx(2 - math.sqrt(2))
    both = losscore.symmetric_cross_entropy(logits, label, alpha=3.0, beta=0.5)
    assert both.item() == pytest.approx(3 * math.log(2) + 0.5 * 4 * 0.5)
    noise = ((0.5, 0.25, 0.25), (0.5, 0.5, 0.0), (0.0, 0.0, 1.0))
    seen = losscore.forward_corrected_cross_entropy(logits, label, transition=noise)
    assert seen.item() == pytest.approx(-math.log(0.5 * 0.5 + 0.25 * 0.5))
    assert losscore.focal(logits, label, gamma=1.0).item() == pytest.approx(0.5 * math.log(2))
    assert losscore.focal(logits, label, alpha=(2.0, 1.0, 1.0)).item() == pytest.approx(
        2 * 0.25 * math.log(2)
    )


def test_a_near_class_costs_less_than_a_far_one() -> None:
    near, far = torch.tensor([[5.0, 0.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.0, 0.0, 5.0]])
    label = torch.tensor([1])
    assert losscore.ranked_probability(near, label) < losscore.ranked_probability(far, label)
    torch.testing.assert_close(losscore.brier(near, label), losscore.brier(far, label))


def test_identities() -> None:
    logits, labels = draw(20, 3), torch.arange(20) % 3
    soft = draw(20, 3, seed=1).softmax(1)
    for target in (labels, soft):
        cross = losscore.cross_entropy(logits, target)
        for same in (
            losscore.generalized_cross_entropy(logits, target, q=0.0),
            losscore.symmetric_cross_entropy(logits, target, alpha=1.0, beta=0.0),
            losscore.forward_corrected_cross_entropy(logits, target, transition=IDENTITY),
            losscore.focal(logits, target, gamma=0.0),
        ):
            torch.testing.assert_close(same, cross)
    absolute = losscore.absolute_probability_error(logits, labels)
    torch.testing.assert_close(2 * losscore.generalized_cross_entropy(logits, labels, q=1.0), absolute)
    two = torch.stack((torch.zeros(20, dtype=torch.float64), logits[:, 0]), 1)
    torch.testing.assert_close(
        losscore.binary_focal(logits[:, 0], labels % 2), losscore.focal(two, labels % 2)
    )
    torch.testing.assert_close(
        losscore.binary_focal(logits[:, 0], labels % 2, alpha=0.25),
        losscore.focal(two, labels % 2, alpha=(0.75, 0.25)),
    )


def test_absolute_errors_of_all_labels_add_to_a_constant() -> None:
    """Why labels that are wrong uniformly don't move the minimiser; cross-entropy has no such sum."""
    logits = 3 * draw(50, 4)
    sums = sum(
        losscore.absolute_probability_error(logits, torch.full((50,), k), reduction="none") for k in range(4)
    )
    torch.testing.assert_close(sums, torch.full((50,), 6.0, dtype=torch.float64))
    cross = sum(losscore.cross_entropy(logits, torch.full((50,), k), reduction="none") for k in range(4))
    assert cross.std() > 1


@pytest.mark.parametrize("q", [1e-3, 1e-6, 1e-12])
def test_small_powers_come_near_cross_entropy(q: float) -> None:
    """In float32 (1 - p^q) / q is wrong by 1e-5 at q = 1e-3 and gives 0 at 1e-8."""
    logits = torch.tensor([0.3, 0.7]).log()
    exact = -math.expm1(q * math.log(0.3)) / q
    found = losscore.generalized_cross_entropy(logits, torch.tensor(0), q=q).item()
    assert found == pytest.approx(exact, rel=5e-7, abs=0)
    assert ((1 - torch.tensor(0.3) ** 1e-8) / 1e-8).item() == 0


LOST = {
    "brier": lambda p, y: (p - F.one_hot(y, 2)).square().sum(),
    "spherical": lambda p, y: 1 - p[y] / p.norm(),
    "generalized_cross_entropy": lambda p, y: (1 - p[y] ** 0.7) / 0.7,
    "absolute_probability_error": lambda p, y: (p - F.one_hot(y, 2)).abs().sum(),
    "focal": lambda p, y: -((1 - p[y]) ** 2) * p[y].log(),
}
MISSED = math.exp(-20) / (1 + math.exp(-20))
KEPT = {
    "brier": 2 * MISSED**2,
    "spherical": MISSED**2 / 2,
    "generalized_cross_entropy": MISSED,
    "absolute_probability_error": 2 * MISSED,
    "focal": MISSED**3,
}


@pytest.mark.parametrize("name", LOST)
def test_a_tiny_loss_is_not_lost(name: str) -> None:
    """Logits (20, 0) in float32: the textbook formula of the probabilities has no digit of the loss left."""
    logits, label = torch.tensor([20.0, 0.0]), torch.tensor(0)
    assert getattr(losscore, name)(logits, label).item() == pytest.approx(KEPT[name], rel=2e-6, abs=0)
    assert LOST[name](logits.softmax(0), label).item() != pytest.approx(KEPT[name], rel=0.01, abs=0)


@pytest.mark.parametrize("gamma", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("logit", [17.5, 90.0, 110.0, -110.0])
def test_the_slope_of_the_focal_loss_is_finite(gamma: float, logit: float) -> None:
    """The textbook form gives NaN for gamma < 1 at logit 17.5, and infinity at -110."""

    def textbook(x: Tensor, y: Tensor) -> Tensor:
        return -((1 - x.sigmoid()) ** gamma) * x.sigmoid().log()

    at, one = torch.tensor(logit), torch.tensor(1)
    value, slope = value_and_slope(partial(losscore.binary_focal, gamma=gamma), at, one)
    assert math.isfinite(value) and slope.isfinite() and slope <= 0
    assert (value > 100) == (logit < 0)
    if logit == 17.5:
        assert value_and_slope(textbook, at, one)[1].isnan() == (gamma < 1)
    if logit == -110:
        assert value_and_slope(textbook, at, one)[0] == math.inf


def test_a_wrong_label_costs_a_bounded_amount() -> None:
    logits, label = torch.tensor([-200.0, 0.0]), torch.tensor(0)
    assert losscore.generalized_cross_entropy(logits, label).item() == pytest.approx(1 / 0.7)
    assert losscore.absolute_probability_error(logits, label).item() == 2
    assert losscore.cross_entropy(logits, label).item() == 200


def test_rare_labels_do_not_underflow() -> None:
    logits, label = torch.tensor([0.0, 104.0, 3.0]), torch.tensor(0)
    loss = partial(losscore.forward_corrected_cross_entropy, transition=IDENTITY)
    value, slope = value_and_slope(loss, logits, label)
    assert value == 104 and slope.tolist() == pytest.approx([-1, 1, 0], abs=1e-40)
    assert (logits.softmax(0) @ torch.tensor(IDENTITY)).log()[0] < -102 and logits.softmax(0)[0] < 1e-44


@pytest.mark.parametrize("name", ["cross_entropy", "brier", "spherical"])
def test_an_image_has_the_loss_of_its_pixels(name: str) -> None:
    logits, labels = draw(2, 5, 3, 4), torch.randint(5, (2, 3, 4), generator=torch.Generator().manual_seed(1))
    loss = partial(getattr(losscore, name), reduction="sum")
    value, slope = value_and_slope(loss, logits, labels)
    flat, pixels = value_and_slope(loss, logits.movedim(1, -1).reshape(24, 5), labels.reshape(24))
    assert value == pytest.approx(flat)
    torch.testing.assert_close(slope.movedim(1, -1).reshape(24, 5), pixels)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("name", ["cross_entropy", "brier", "spherical"])
def test_an_image_bends_as_its_pixels_do_in_forward_mode(name: str) -> None:
    loss = partial(getattr(losscore, name), reduction="none")
    logits, labels = draw(2, 3, 4), torch.tensor([[0, 2, 1, 1], [1, 0, 2, 2]])
    bend = torch.func.jacfwd(torch.func.jacfwd(lambda z: loss(z, labels)))(logits)
    for n in range(2):
        for pixel in range(4):
            own = torch.autograd.functional.hessian(
                lambda z, label=labels[n, pixel]: loss(z, label), logits[n, :, pixel]
            )
            torch.testing.assert_close(bend[n, pixel, n, :, pixel, n, :, pixel], own)


def test_a_transition_can_be_learned() -> None:
    logits, labels = draw(4, 3), torch.tensor([0, 1, 2, 1])
    table = draw(3, 3, seed=1).softmax(1).requires_grad_()

    def loss(table: Tensor) -> Tensor:
        return losscore.forward_corrected_cross_entropy(
            logits, labels, transition=table / table.sum(1, keepdim=True)
        )

    assert torch.autograd.gradcheck(loss, (table,))


def test_a_label_that_never_occurs_costs_nothing_where_it_is_not_expected() -> None:
    """Label 1 only comes from class 1, which is ruled out."""
    logits = torch.tensor([0.0, -math.inf], dtype=torch.float64, requires_grad=True)
    noise = torch.tensor([[1.0, 0.0], [0.5, 0.5]], dtype=torch.float64)
    loss = losscore.forward_corrected_cross_entropy
    expected = loss(logits, torch.tensor([1.0, 0.0], dtype=torch.float64), transition=noise)
    (slope,) = torch.autograd.grad(expected, logits)
    assert expected.item() == 0 and slope.tolist() == [0, 0]
    assert loss(logits, torch.tensor([0.5, 0.5], dtype=torch.float64), transition=noise) == math.inf


def test_the_slope_in_the_transition_of_a_rare_label() -> None:
    """The label has the probability p_0 T_01 + p_1 T_11 + p_2 T_21, where p_1 is tiny and T_11 alone not 0."""
    table = torch.eye(3, dtype=torch.float64, requires_grad=True)
    logits = torch.tensor([0.0, -60.0, -61.0], dtype=torch.float64)
    loss = losscore.forward_corrected_cross_entropy(logits, torch.tensor(1), transition=table)
    (slope,) = torch.autograd.grad(loss, table)
    assert loss.item() == pytest.approx(60)
    assert slope[:, 1].tolist() == pytest.approx([-math.exp(60), -1, -math.exp(-1)])


def test_the_slope_in_the_transition_stays_finite() -> None:
    table = torch.eye(2, requires_grad=True)
    loss = losscore.forward_corrected_cross_entropy(
        torch.tensor([0.0, -1e4]), torch.tensor(1), transition=table
    )
    (slope,) = torch.autograd.grad(loss, table)
    assert loss.item() == 1e4
    assert slope.isfinite().all()


def test_reversed_cross_entropy_has_a_finite_slope_in_a_target_of_zero() -> None:
    target = torch.tensor([0.0, 1.0], dtype=torch.float64, requires_grad=True)
    loss = losscore.symmetric_cross_entropy(torch.zeros(2, dtype=torch.float64), target, alpha=1.0, beta=1.0)
    assert torch.autograd.grad(loss, target)[0].isfinite().all()


def test_rows_of_a_transition_may_be_rounded() -> None:
    def loss(off: float) -> Tensor:
        rows = ((0.5 + off, 0.5), (0.0, 1.0))
        return losscore.forward_corrected_cross_entropy(torch.zeros(2), torch.tensor(0), transition=rows)

    assert loss(5e-5).item() == pytest.approx(-math.log(0.25), rel=1e-3, abs=0)
    with raises(ValueError, "transition", "sum 1"):
        loss(1.5e-4)


def test_bad_transitions() -> None:
    def loss(transition: Any) -> Tensor:
        return losscore.forward_corrected_cross_entropy(
            torch.zeros(2, 2), torch.tensor([0, 1]), transition=transition
        )

    with raises(ValueError, "transition", "torch.Size([2, 2])", "got torch.Size([2, 3])"):
        loss(torch.full((2, 3), 1 / 3))
    with raises(ValueError, "transition", "sum 1", "[1.0, 0.75]"):
        loss(((0.5, 0.5), (0.5, 0.25)))
    with raises(ValueError, "transition", "probabilities", "-0.25"):
        loss(((1.25, -0.25), (0.0, 1.0)))
    for wrong, got in ((None, "NoneType"), (0.5, "float"), ("noise", "str")):
        with raises(TypeError, "transition", "torch.Tensor", got):
            loss(wrong)


NOT_NEGATIVE = "a finite number >= 0"
BAD = [
    *[("generalized_cross_entropy", {"q": q}, "q", "a number in [0, 1]") for q in (-0.1, 1.5, math.nan)],
    *[("focal", {"gamma": gamma}, "gamma", NOT_NEGATIVE) for gamma in (-1.0, math.inf)],
    *[("binary_focal", {"gamma": gamma}, "gamma", NOT_NEGATIVE) for gamma in (-1.0, math.inf)],
    *[("binary_focal", {"alpha": alpha}, "alpha", "a number in [0, 1], or None") for alpha in (-0.1, 2.0)],
    ("symmetric_cross_entropy", {"alpha": -1.0, "beta": 1.0}, "alpha", NOT_NEGATIVE),
    ("symmetric_cross_entropy", {"alpha": 1.0, "beta": math.inf}, "beta", NOT_NEGATIVE),
    *[
        (
            "symmetric_cross_entropy",
            {"alpha": 1.0, "beta": 1.0, "log_zero": floor},
            "log_zero",
            "a finite number < 0",
        )
        for floor in (0.0, 4.0, -math.inf)
    ],
]


@pytest.mark.parametrize(("name", "parameters", "argument", "allowed"), BAD)
def test_parameters_out_of_range(
    name: str, parameters: dict[str, float], argument: str, allowed: str
) -> None:
    shape = (2,) if name == "binary_focal" else (2, 3)
    with raises(ValueError, argument, allowed, f"got {parameters[argument]}"):
        getattr(losscore, name)(torch.zeros(shape), torch.tensor([0, 1]), **parameters)


def test_factors_of_the_classes() -> None:
    logits, labels = torch.zeros(2, 3), torch.tensor([0, 1])
    with raises(ValueError, "alpha", "one factor per class, size torch.Size([3])", "got torch.Size([2])"):
        losscore.focal(logits, labels, alpha=(0.5, 0.5))
    with raises(TypeError, "alpha", "torch.Tensor", "float"):
        losscore.focal(logits, labels, alpha=0.25)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [0.5, -1.0, 2.0])
def test_the_binary_focal_loss_takes_hard_labels_only(wrong: float) -> None:
    with raises(ValueError, "target", "0 or 1", f"got {wrong} at position (1,)"):
        losscore.binary_focal(torch.zeros(2), torch.tensor([1.0, wrong]))
