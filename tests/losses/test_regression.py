"""Losses of a real prediction: worked values, peers, and the identities that join them."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import losscore
from losscore.catalogue import entries

REAL = st.floats(-1e6, 1e6)
LEVEL = st.floats(0.01, 0.99)
REGRESSION = [
    (entry, given) for entry in entries().values() if entry.input == "real" for given in entry.examples
]


def number(x: float) -> Tensor:
    return torch.tensor(x, dtype=torch.float64)


def pairs() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(40, 2, generator=generator), torch.randn(40, 2, generator=generator)


def test_values_worked_by_hand() -> None:
    x, y = torch.tensor([1.0, 5.0]), torch.tensor([3.0, 4.0])
    assert losscore.squared_error(x, y).item() == 2.5
    assert losscore.half_squared_error(x, y).item() == 1.25
    assert losscore.absolute_error(x, y).item() == 1.5
    assert losscore.huber(x, y, delta=1).item() == 1.0
    assert losscore.huber(x, y).item() == 1.0
    assert losscore.pinball(x, y, quantile=0.75).item() == 0.875
    assert losscore.asymmetric_linear(x, y, underage=3, overage=1).item() == 3.5
    assert losscore.expectile(x, y, level=0.75).item() == 1.625


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_agrees_with_torch(reduction: str) -> None:
    x, y = pairs()
    torch.testing.assert_close(
        losscore.squared_error(x, y, reduction=reduction), F.mse_loss(x, y, reduction=reduction)
    )
    torch.testing.assert_close(
        losscore.absolute_error(x, y, reduction=reduction), F.l1_loss(x, y, reduction=reduction)
    )
    torch.testing.assert_close(
        losscore.huber(x, y, delta=0.7, reduction=reduction),
        F.huber_loss(x, y, delta=0.7, reduction=reduction),
    )
    smooth = F.smooth_l1_loss(x, y, beta=0.7, reduction=reduction)
    torch.testing.assert_close(losscore.huber(x, y, delta=0.7, reduction=reduction) / 0.7, smooth)


def test_slopes_where_there_is_no_derivative() -> None:
    for name, parameters, wanted in [
        ("absolute_error", {}, 0.0),
        ("pinball", {"quantile": 0.75}, 0.25),
        ("asymmetric_linear", {"underage": 3.0, "overage": 2.0}, 2.0),
    ]:
        x = torch.tensor(1.0, requires_grad=True)
        getattr(losscore, name)(x, torch.tensor(1.0), **parameters).backward()
        assert x.grad is not None and x.grad.item() == wanted


def test_several_levels_are_the_single_ones_side_by_side() -> None:
    generator = torch.Generator().manual_seed(4)
    levels = [0.1, 0.5, 0.8]
    x, y = torch.randn(5, 2, 3, generator=generator), torch.randn(5, 2, generator=generator)
    together = losscore.pinball(x, y, quantile=levels, reduction="none")
    for i, level in enumerate(levels):
        torch.testing.assert_close(
            together[..., i], losscore.pinball(x[..., i], y, quantile=level, reduction="none")
        )
    torch.testing.assert_close(losscore.pinball(x, y, quantile=levels), together.mean())
    assert losscore.pinball(x.half(), y.half(), quantile=levels).dtype == torch.float16
    shared = torch.tensor([0.2, 0.4, 0.6], device="meta", requires_grad=True)
    losscore.pinball(shared, torch.tensor(0.5, device="meta"), quantile=levels).backward()


@given(x=REAL, y=REAL, level=LEVEL)
def test_identities(x: float, y: float, level: float) -> None:
    here, there = number(x), number(y)
    pinball = losscore.pinball(here, there, quantile=level)
    cost = losscore.asymmetric_linear(here, there, underage=7 * level, overage=7 * (1 - level))
    torch.testing.assert_close(cost, 7 * pinball)
    torch.testing.assert_close(losscore.pinball(-here, -there, quantile=1 - level), pinball)
    torch.testing.assert_close(
        losscore.pinball(here, there, quantile=0.5), losscore.absolute_error(here, there) / 2
    )
    torch.testing.assert_close(
        losscore.expectile(here, there, level=0.5), losscore.half_squared_error(here, there)
    )
    huge, small = abs(x - y) + 1, max(abs(x - y) / 2, 1e-3)
    torch.testing.assert_close(
        losscore.huber(here, there, delta=huge), losscore.half_squared_error(here, there)
    )
    assert losscore.huber(here, there, delta=small) <= losscore.half_squared_error(here, there)
    assert losscore.log_cosh(here, there) <= losscore.absolute_error(here, there)


@pytest.mark.parametrize(
    ("entry", "parameters"), REGRESSION, ids=[f"{e.name}-{i}" for i, (e, _) in enumerate(REGRESSION)]
)
@given(x=REAL, y=REAL, other=REAL, share=st.floats(0, 1))
def test_zero_at_the_target_and_convex_where_stated(
    entry, parameters, x: float, y: float, other: float, share: float
) -> None:
    def loss(at: float) -> float:
        return entry.function(number(at), number(y), **parameters).item()

    def slope(at: float) -> float:
        point = number(at).requires_grad_()
        return abs(torch.autograd.grad(entry.function(point, number(y), **parameters), point)[0].item())

    assert loss(y) == 0 <= loss(x)
    if not entry.flags["convex in the logit"].value:
        return
    off = 1e-15 * (abs(x) + abs(other))  # how far rounding may move the point between the two
    rounding = off * max(slope(end + side) for end in (x, other) for side in (-off, off))
    assert (
        loss(share * x + (1 - share) * other)
        <= (share * loss(x) + (1 - share) * loss(other)) * (1 + 1e-12) + rounding + 1e-300
    )


def test_the_default_cutoff_loses_a_twentieth_under_the_normal_law() -> None:
    """The variance of the mean over that of the biweight location, E[slope']^2 / E[slope^2], as Tukey chose it."""
    x = torch.linspace(-12, 12, 24001, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(
        losscore.tukey(x, torch.zeros_like(x), reduction="sum"), x, create_graph=True
    )
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    density = (-x.detach().square() / 2).exp()
    mean_curvature, mean_square = (
        (values * density).sum() / density.sum() for values in (curvature, slope.detach().square())
    )
    assert (mean_curvature.square() / mean_square).item() == pytest.approx(0.95, abs=1e-4)
