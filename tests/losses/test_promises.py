"""What every loss promises beyond its value, tested over all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from losscore.catalogue import Entry

from .battery import (
    CLASSES,
    batch,
    bounded,
    call,
    caller,
    classes_of,
    kind_of,
    losses_where,
    over_losses,
    over_settings,
    row_by_row,
    settings_where,
    targets,
)

# torch 2.13 warns of what it does itself: forward mode uses torch.jit.script, torch.compile instantiates Functions
pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*Function'> should not be instantiated:DeprecationWarning"),
]

REDUCTIONS = ("mean", "sum", "none")
LOW_PRECISION = (torch.float16, torch.bfloat16)


def settled(entry: Entry, target: Tensor, **parameters: Any) -> Callable[[Tensor], Tensor]:
    return lambda prediction: call(entry, prediction, target, **{"reduction": "mean", **parameters})


def slope(entry: Entry, prediction: Tensor, target: Tensor, **parameters: Any) -> Tensor:
    prediction = prediction.detach().clone().requires_grad_()
    (found,) = torch.autograd.grad(settled(entry, target, **parameters)(prediction), prediction)
    return found


@over_settings
def test_derivatives_of_first_and_second_order_in_both_modes(
    entry: Entry, parameters: Mapping[str, Any]
) -> None:
    for target in targets(entry, 4):
        prediction = batch(entry, 4)[0].requires_grad_()
        soft = entry.target in ("probability", "distribution", "logits") and target.is_floating_point()
        inputs = (prediction, target.requires_grad_()) if soft else (prediction,)

        def loss(prediction: Tensor, target: Tensor = target) -> Tensor:
            return call(entry, prediction, target, reduction="none", **parameters)

        assert torch.autograd.gradcheck(loss, inputs, check_forward_ad=True, check_batched_grad=True)
        assert torch.autograd.gradgradcheck(loss, inputs, check_fwd_over_rev=True)


@over_settings
def test_torch_func_transforms(entry: Entry, parameters: Mapping[str, Any]) -> None:
    for target in targets(entry):
        prediction = batch(entry)[0]

        def single(prediction: Tensor, target: Tensor) -> Tensor:
            return call(entry, prediction, target, **parameters)

        if not row_by_row(entry):
            batches = [batch(entry, seed=seed)[0] for seed in range(2)]
            prediction, target = torch.stack(batches), torch.stack((target, target.roll(1, 0)))
            summed = torch.stack([slope(entry, *one, **parameters) for one in zip(prediction, target)])
            each = torch.stack([single(*one) for one in zip(prediction, target)])
        else:
            summed = slope(entry, prediction, target, reduction="sum", **parameters)
            each = call(entry, prediction, target, reduction="none", **parameters)
        torch.testing.assert_close(torch.func.vmap(single)(prediction, target), each)
        torch.testing.assert_close(torch.func.vmap(torch.func.grad(single))(prediction, target), summed)
        forward = torch.func.vmap(torch.func.jacfwd(single))(prediction, target)
        torch.testing.assert_close(forward, summed)


@over_settings
def test_forward_mode_within_forward_mode(entry: Entry, parameters: Mapping[str, Any]) -> None:
    for target in targets(entry, 3):
        prediction = batch(entry, 3)[0]

        def total(prediction: Tensor, target: Tensor = target) -> Tensor:
            return call(entry, prediction, target, reduction="sum", **parameters)

        hessian = torch.autograd.functional.hessian(total, prediction)
        twice_forward = torch.func.jacfwd(torch.func.jacfwd(total))(prediction)
        torch.testing.assert_close(twice_forward, hessian)

        along = torch.linspace(-1, 2, prediction.numel(), dtype=prediction.dtype).reshape(prediction.shape)

        def slope_along(prediction: Tensor) -> Tensor:
            return torch.func.jvp(total, (prediction,), (along,))[1]  # noqa: B023 (called in this very turn)

        _, bend = torch.func.jvp(slope_along, (prediction,), (along,))
        torch.testing.assert_close(
            bend, hessian.flatten() @ torch.outer(along.flatten(), along.flatten()).flatten()
        )


@over_settings
def test_compiles_as_one_graph(entry: Entry, parameters: Mapping[str, Any]) -> None:
    """All reductions at once, because torch takes long over each start."""
    torch.compiler.reset()
    function = caller(entry)

    def reductions(prediction: Tensor, target: Tensor) -> list[Tensor]:
        return [function(prediction, target, reduction=name, **parameters) for name in REDUCTIONS]

    compiled = torch.compile(reductions, fullgraph=True, backend="eager")
    for target in targets(entry):
        prediction = batch(entry)[0].requires_grad_()
        for loss, own in zip(compiled(prediction, target), reductions(prediction, target), strict=True):
            torch.testing.assert_close(loss, own)
            found, expected = (torch.autograd.grad(value.sum(), prediction)[0] for value in (loss, own))
            torch.testing.assert_close(found, expected)


@over_settings
@pytest.mark.parametrize("dtype", LOW_PRECISION, ids=str)
def test_low_precision_is_computed_in_float32(
    entry: Entry, parameters: Mapping[str, Any], dtype: torch.dtype
) -> None:
    many = 3000 if row_by_row(entry) else 60
    for target in targets(entry, many):
        low = batch(entry, many, dtype)[0]
        target = target.to(dtype) if target.is_floating_point() else target
        wide = target.float() if target.is_floating_point() else target
        for reduction in ("mean", "none"):
            found = call(entry, low, target, reduction=reduction, **parameters)
            assert found.dtype == dtype
            exact = call(entry, low.float(), wide, reduction=reduction, **parameters)
            torch.testing.assert_close(found, exact.to(dtype), rtol=0, atol=0)
        assert slope(entry, low, target, **parameters).dtype == dtype


@over_settings
@pytest.mark.parametrize("dtype", LOW_PRECISION, ids=str)
def test_autocast_changes_nothing(entry: Entry, parameters: Mapping[str, Any], dtype: torch.dtype) -> None:
    for target in targets(entry):
        prediction = batch(entry)[0].float()
        target = target.float() if target.is_floating_point() else target
        outside = call(entry, prediction, target, **parameters)
        with torch.autocast("cpu", dtype=dtype):
            inside = call(entry, prediction, target, **parameters)
            low = call(entry, prediction.to(dtype), target, **parameters)
        torch.testing.assert_close(inside, outside, rtol=0, atol=0)
        assert low.isfinite().all()


@settings_where(lambda entry: entry.target != "times and events")
def test_mixed_dtypes_are_promoted(entry: Entry, parameters: Mapping[str, Any]) -> None:
    """Times and events have no say: only their order enters."""
    for target in targets(entry):
        if target.is_floating_point() and entry.observed:
            assert call(entry, batch(entry)[0].float(), target, **parameters).dtype == torch.float64
            assert call(entry, batch(entry)[0].half(), target.float(), **parameters).dtype == torch.float32


LABELLED = (
    "real",
    "sign",
    "probability",
    "distribution",
    "class",
    "groups",
    "count",
    "mask",
    "times and events",
)


@settings_where(lambda entry: entry.target in LABELLED)
@pytest.mark.parametrize(
    "dtype", [torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64, torch.bool], ids=str
)
def test_targets_of_every_integer_dtype(
    entry: Entry, parameters: Mapping[str, Any], dtype: torch.dtype
) -> None:
    prediction = batch(entry)[0]
    labels = torch.tensor([1, 0, 1, 1, 0, 1])
    if entry.target == "sign":
        labels = torch.ones(6, dtype=torch.int64) if dtype in (torch.uint8, torch.bool) else 2 * labels - 1
    shape = targets(entry)[0].shape
    labels = labels.reshape(-1, *[1] * (len(shape) - 1)).expand(shape)
    indices = entry.target in ("distribution", "class", "groups")
    reference = labels if indices else labels.double()
    torch.testing.assert_close(
        call(entry, prediction, labels.to(dtype), **parameters),
        call(entry, prediction, reference, **parameters),
        rtol=0,
        atol=0,
    )


@settings_where(lambda entry: entry.target != "times and events")
def test_an_empty_batch_has_sum_0_and_mean_nan(entry: Entry, parameters: Mapping[str, Any]) -> None:
    for target in targets(entry):
        prediction = batch(entry)[0][:0].requires_grad_()
        target = target[:0]
        assert call(entry, prediction, target, **{"reduction": "mean", **parameters}).isnan()
        assert call(entry, prediction, target, reduction="sum", **parameters).item() == 0
        assert call(entry, prediction, target, reduction="none", **parameters).shape == (0,)
        call(entry, prediction, target, reduction="sum", **parameters).backward()
        assert prediction.grad is not None and prediction.grad.shape == prediction.shape


@over_settings
def test_reductions(entry: Entry, parameters: Mapping[str, Any]) -> None:
    for target in targets(entry):
        prediction = batch(entry)[0]
        each = call(entry, prediction, target, reduction="none", **parameters)
        assert each.shape == (6,)
        total = call(entry, prediction, target, reduction="sum", **parameters)
        mean = call(entry, prediction, target, reduction="mean", **parameters)
        assert total.shape == mean.shape == ()
        torch.testing.assert_close(total, each.sum())
        counted = target[:, 1].sum() if entry.target == "times and events" else 6
        torch.testing.assert_close(mean, each.sum() / counted)


@over_settings
def test_the_order_of_the_batch_does_not_matter(entry: Entry, parameters: Mapping[str, Any]) -> None:
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    for target in targets(entry):
        prediction = batch(entry)[0]
        torch.testing.assert_close(
            call(entry, prediction[order], target[order], reduction="none", **parameters),
            call(entry, prediction, target, reduction="none", **parameters)[order],
        )
        torch.testing.assert_close(
            slope(entry, prediction[order], target[order], **parameters),
            slope(entry, prediction, target, **parameters)[order],
        )


@over_settings
def test_inputs_are_not_changed(entry: Entry, parameters: Mapping[str, Any]) -> None:
    for target in targets(entry):
        prediction = batch(entry)[0]
        kept = prediction.clone(), target.clone()
        slope(entry, prediction, target, **parameters)
        call(entry, prediction.requires_grad_(), target, reduction="sum", **parameters).backward()
        assert torch.equal(prediction, kept[0]) and torch.equal(target, kept[1])


@over_settings
def test_non_contiguous_inputs(entry: Entry, parameters: Mapping[str, Any]) -> None:
    for target in targets(entry):
        prediction = batch(entry)[0]
        strided = torch.stack((prediction, prediction + 1), -1)[..., 0]
        apart = torch.stack((target, target), -1)[..., 0]
        assert not strided.is_contiguous()
        torch.testing.assert_close(
            call(entry, strided, apart, **parameters), call(entry, prediction, target, **parameters)
        )
        torch.testing.assert_close(
            slope(entry, strided, apart, **parameters), slope(entry, prediction, target, **parameters)
        )


DEVICES = ["meta", "cuda"] if torch.cuda.is_available() else ["meta"]


@over_settings
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("device", DEVICES)
def test_every_intermediate_is_on_the_device_of_the_input(
    entry: Entry, parameters: Mapping[str, Any], device: str, reduction: str
) -> None:
    for target in targets(entry):
        prediction = batch(entry)[0].to(device).requires_grad_()
        loss = call(entry, prediction, target.to(device), reduction=reduction, **parameters)
        loss.sum().backward()
        assert loss.device.type == device
        assert prediction.grad is not None and prediction.grad.device.type == device


@over_settings
def test_nan_in_gives_nan_out(entry: Entry, parameters: Mapping[str, Any]) -> None:
    for target in targets(entry):
        prediction = batch(entry)[0]
        prediction[2] = math.nan
        each = call(entry, prediction, target, reduction="none", **parameters)
        assert each[2].isnan() and (each.isnan().sum() == 1 or not row_by_row(entry))
        assert call(entry, prediction, target, reduction="mean", **parameters).isnan()
        if entry.target in ("real", "probability", "distribution", "logits") and target.is_floating_point():
            target = target.clone()
            target[4] = math.nan
            each = call(entry, batch(entry)[0], target, reduction="none", **parameters)
            assert each.isnan().tolist() == [i == 4 for i in range(6)]


@losses_where(lambda entry: not bounded(entry))
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_huge_predictions_have_finite_gradients(entry: Entry, dtype: torch.dtype) -> None:
    """Only the exponential loss and the Poisson law may overflow, as their true values do."""
    overflows = {"exponential": lambda size, y: size * y < 0, "poisson_nll": lambda size, y: size > 0}
    rows = 1 if row_by_row(entry) else 2
    for parameters in entry.examples:
        for size in (1e4, -1e4):
            for target in targets(entry, rows):
                prediction = torch.zeros_like(batch(entry, rows, dtype)[0])
                prediction.reshape(-1)[0] = size
                target = target.to(dtype) if target.is_floating_point() else target
                loss = call(entry, prediction, target, **parameters)
                found = slope(entry, prediction, target, **parameters)
                right = entry.name not in overflows or not overflows[entry.name](size, target.item())
                assert not loss.isnan() and not found.isnan().any()
                assert (loss.isfinite() and found.isfinite().all()) == right


def infinite(entry: Entry, prediction: list[float] | float, target: float | list[float]) -> tuple[float, Any]:
    given = torch.tensor(prediction, dtype=torch.float64)
    goal = torch.tensor(target) if isinstance(target, int) else torch.tensor(target, dtype=torch.float64)
    parameters = entry.examples[0]
    return call(entry, given, goal, **parameters).item(), slope(entry, given, goal, **parameters).tolist()


INF = math.inf
INFINITE_REALS = {
    "squared_error": (INF, INF),
    "half_squared_error": (INF, INF),
    "absolute_error": (INF, 1.0),
    "huber": (INF, 1.0),
    "tukey": (pytest.approx(1 / 6), 0.0),
    "log_cosh": (INF, 1.0),
    "pinball": (INF, pytest.approx(0.1)),
    "asymmetric_linear": (INF, 1.0),
    "expectile": (INF, INF),
}
INFINITE_SCORES = {
    "zero_one": ((0.0, 0.0), (1.0, 0.0)),
    "hinge": ((0.0, 0.0), (INF, -1.0)),
    "squared_hinge": ((0.0, 0.0), (INF, -INF)),
    "logistic": ((0.0, 0.0), (INF, -1.0)),
    "exponential": ((0.0, 0.0), (INF, -INF)),
}
INFINITE_LOGITS = {
    "binary_cross_entropy": ((0.0, 0.0), (INF, -1.0)),
    "binary_brier": ((0.0, 0.0), (1.0, 0.0)),
}
IMPOSSIBLE_CLASSES = {
    "cross_entropy": ((0.0, [0.0, 0.0]), (INF, [1.0, -1.0])),
    "brier": ((0.0, [0.0, 0.0]), (2.0, [0.0, 0.0])),
    "spherical": ((0.0, [0.0, 0.0]), (1.0, [0.0, 0.0])),
    "ranked_probability": ((0.0, [0.0, 0.0]), (1.0, [0.0, 0.0])),
    "generalized_cross_entropy": ((0.0, [0.0, 0.0]), (pytest.approx(1 / 0.7), [0.0, 0.0])),
    "absolute_probability_error": ((0.0, [0.0, 0.0]), (2.0, [0.0, 0.0])),
    "symmetric_cross_entropy": ((0.0, [0.0, 0.0]), (INF, [0.5, -0.5])),
    "forward_corrected_cross_entropy": (
        (pytest.approx(-math.log(0.75)), [0.0, 0.0]),
        (pytest.approx(math.log(8)), [0.0, 0.0]),
    ),
    "focal": ((0.0, [0.0, 0.0]), (INF, [1.0, -1.0])),
}


@losses_where(lambda entry: kind_of(entry) is None)
def test_infinite_predictions(entry: Entry) -> None:
    """Value and slope at infinity are the limits; a row of logits without a limit gives NaN."""
    if entry.input == "real":
        assert infinite(entry, INF, 0.0) == INFINITE_REALS[entry.name]
        assert math.isnan(infinite(entry, INF, INF)[0])
    elif entry.input == "score":
        right, wrong = INFINITE_SCORES[entry.name]
        assert infinite(entry, INF, 1.0) == right and infinite(entry, -INF, 1.0) == wrong
        assert infinite(entry, -INF, -1.0)[0] == right[0] and infinite(entry, INF, -1.0)[0] == wrong[0]
    elif entry.input == "logit":
        right, wrong = INFINITE_LOGITS[entry.name]
        assert infinite(entry, INF, 1.0) == right and infinite(entry, -INF, 1.0) == wrong
        assert infinite(entry, -INF, 0.0)[0] == right[0] and infinite(entry, INF, 0.0)[0] == wrong[0]
    else:
        more = (classes_of(entry.examples[0]) or 2) - 2
        none, impossible = [0.0] * more, [-INF] * more
        (right, slope_right), (wrong, slope_wrong) = IMPOSSIBLE_CLASSES[entry.name]
        for first, second in ((0, 1), ([1.0, 0.0, *none], [0.0, 1.0, *none])):
            assert infinite(entry, [3.0, -INF, *impossible], first) == (right, slope_right + none)
            assert infinite(entry, [3.0, -INF, *impossible], second) == (wrong, slope_wrong + none)
            for row in ([INF, 0.0], [INF, INF], [-INF, -INF]):
                for target in (first, second):
                    assert math.isnan(infinite(entry, row + impossible, target)[0])


@losses_where(lambda entry: row_by_row(entry) and entry.input != "mask")
def test_dimensions_after_the_first(entry: Entry) -> None:
    """A batch with two more dimensions is the same samples in another arrangement; those of a mask are one sample."""
    for parameters in entry.examples:
        for target in targets(entry, 12):
            prediction = batch(entry, 12)[0]
            flat = call(entry, prediction, target, reduction="none", **parameters)
            if entry.input in ("logits", "scores", "probabilities"):
                prediction = prediction.reshape(2, 3, 2, CLASSES).movedim(-1, 1)
                target = target.reshape(2, 3, 2, -1).movedim(-1, 1)
                target = target if target.is_floating_point() else target.squeeze(1)
                first = prediction[0, :, 0, 0]
                goal = target[0, :, 0, 0] if target.is_floating_point() else target[0, 0, 0]
            else:
                prediction, target = (x.reshape(2, 3, 2, *x.shape[1:]) for x in (prediction, target))
                first, goal = prediction[0, 0, 0], target[0, 0, 0]
            shaped = call(entry, prediction, target, reduction="none", **parameters)
            torch.testing.assert_close(shaped, flat.reshape(2, 3, 2))
            torch.testing.assert_close(call(entry, first, goal, **parameters), flat[0])


@over_losses
def test_vmap_over_one_argument_alone(entry: Entry) -> None:
    """The other argument is shared; second derivatives go through as well."""
    for target in targets(entry):
        prediction, parameters = batch(entry)[0], entry.examples[0]
        others = torch.stack([target.roll(shift, 0) for shift in range(3)])
        over_targets = torch.func.vmap(partial(caller(entry), prediction, **parameters))(others)
        wanted = torch.stack([call(entry, prediction, one, **parameters) for one in others])
        torch.testing.assert_close(over_targets, wanted)
        curvature = torch.func.hessian(settled(entry, target, **parameters))(prediction)
        reference = torch.autograd.functional.hessian(settled(entry, target, **parameters), prediction)
        torch.testing.assert_close(curvature, reference)
