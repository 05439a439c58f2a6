"""Losses of a real prediction and a real target.

All are elementwise under `reduction="none"` and averaged over all elements under "mean"; an empty "mean" is NaN and
an empty "sum" 0, as in torch. Nothing is broadcast: `(N, 1)` against `(N,)` raises, because the (N, N) matrix that
torch makes of it is never what was meant. In the formulas x is the prediction, y the target and r = x - y.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ._tensors import (
    Reduction,
    check_companion,
    check_prediction,
    common_dtype,
    fraction,
    paired,
    positive,
    reduce,
    working_dtype,
)

_LOG_2 = math.log(2)


def squared_error(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Squared error, (x - y)^2: the loss whose best constant is the mean.

    Domain: all real x and y. Its minimiser is the mean of the target (of every law with a finite second moment).

    Conventions: without the factor 1/2 (see `half_squared_error`), so the slope is 2 (x - y); "mean" divides by
    the number of elements.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> squared_error(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0]))
        tensor(2.5000)

    References: Gauss (1809), Theoria motus; Gneiting (2011), Making and evaluating point forecasts.
    """
    input, target, dtype = paired(input, target)
    return reduce((input - target).square(), reduction, dtype)


def half_squared_error(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Half the squared error, (x - y)^2 / 2: the form whose slope is the residual itself.

    Domain: all real x and y. Its minimiser is the mean of the target.

    Conventions: half of `squared_error` (and of `torch.nn.functional.mse_loss`): the same minimiser, half the
    gradient, so at a fixed step size half the step; "mean" divides by the number of elements.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> half_squared_error(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0]))
        tensor(1.2500)

    References: Gauss (1809), Theoria motus.
    """
    input, target, dtype = paired(input, target)
    return reduce((input - target).square() / 2, reduction, dtype)


def absolute_error(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Absolute error, \|x - y\|: the loss whose best constant is the median.

    Domain: all real x and y. Its minimiser is any median of the target.

    Conventions: the slope at x = y, where there is no derivative, is taken to be 0; "mean" divides by the number
    of elements.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> absolute_error(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0]))
        tensor(1.5000)

    References: Laplace (1774), Mémoire sur la probabilité des causes; Gneiting (2011), Making and evaluating point
    forecasts.
    """
    input, target, dtype = paired(input, target)
    return reduce((input - target).abs(), reduction, dtype)


def huber(input: Tensor, target: Tensor, *, delta: float = 1.0, reduction: Reduction = "mean") -> Tensor:
    r"""Huber's loss: r^2 / 2 where \|r\| <= delta, delta (\|r\| - delta / 2) beyond.

    Domain: all real x and y; delta > 0. Its minimiser is the point about which the deviations, cut off at -delta
    and delta, average to 0: the mean for large delta, the median as delta falls to 0.

    Conventions: the slope is r, cut off at -delta and delta. `torch.nn.functional.smooth_l1_loss(beta=delta)` is
    this divided by delta. "mean" divides by the number of elements.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, `delta` isn't a finite number > 0, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, `target` isn't a real one, or `delta` isn't a number.

    Example:
        >>> huber(torch.tensor([0.5, 3.0]), torch.tensor([0.0, 0.0]), reduction="none")
        tensor([0.1250, 2.5000])

    References: Huber (1964), Robust estimation of a location parameter.
    """
    delta = positive("delta", delta)
    input, target, dtype = paired(input, target)
    residual = input - target
    size = residual.abs()
    within = size <= delta
    near = torch.where(within, residual, 0)
    return reduce(torch.where(within, near.square() / 2, delta * (size - delta / 2)), reduction, dtype)


def tukey(input: Tensor, target: Tensor, *, cutoff: float = 4.685, reduction: Reduction = "mean") -> Tensor:
    r"""Tukey's biweight loss: c^2 (1 - (1 - (r / c)^2)^3) / 6 where \|r\| <= c, c^2 / 6 beyond, with c the cutoff.

    Domain: all real x and y; cutoff > 0. Its minimiser is a point about which the deviations r, each weighted by
    (1 - (r / c)^2)^2 and by 0 beyond the cutoff, average to 0: values that far away don't count at all. There may be
    several such points, so begin from a robust one, such as the median.

    Conventions: r^2 / 2 near 0; the slope is r times that weight. The default suits residuals of scale 1: divide by
    an estimate of theirs first. Not convex. "mean" divides by the number of elements.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, `cutoff` isn't a finite number > 0, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, `target` isn't a real one, or `cutoff` isn't a number.

    Example:
        >>> tukey(torch.tensor([0.5, 3.0, 9.0]), torch.tensor([0.0, 0.0, 0.0]), cutoff=3.0, reduction="none")
        tensor([0.1216, 1.5000, 1.5000])

    References: Beaton & Tukey (1974), The fitting of power series, meaning polynomials, illustrated on band-spectroscopic
    data.
    """
    cutoff = positive("cutoff", cutoff)
    input, target, dtype = paired(input, target)
    residual = input - target
    size = residual.abs()
    close = size <= cutoff / 2
    near = torch.where(close, residual, 0)
    part = (near / cutoff).square()
    bowl = near.square() * (3 - part * (3 - part)) / 6
    far = size.clamp(max=cutoff)
    weight = ((cutoff - far) / cutoff) * ((cutoff + far) / cutoff)
    shoulder = cutoff * (cutoff * (1 - weight * weight * weight)) / 6
    return reduce(torch.where(close, bowl, shoulder), reduction, dtype)


def log_cosh(input: Tensor, target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    r"""Log-cosh, log cosh(x - y): r^2 / 2 near 0, \|r\| - log 2 far away, smooth throughout.

    Domain: all real x and y. Its minimiser is the x at which tanh(x - Y) averages to 0, a point between mean and
    median that depends on the target's scale.

    Conventions: exact for small residuals (where cosh rounds to 1) and large ones (where cosh overflows); the slope
    is tanh(r); "mean" divides by the number of elements.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, or `target` isn't a real one.

    Example:
        >>> log_cosh(torch.tensor([1e-4, 100.0]), torch.tensor([0.0, 0.0]), reduction="none")
        tensor([5.0000e-09, 9.9307e+01])

    References: Green (1990), Bayesian reconstructions from emission tomography data using a modified EM algorithm.
    """
    input, target, dtype = paired(input, target)
    residual = input - target
    size = residual.abs()
    small = size < 1
    near = torch.where(small, residual, 0)
    far = torch.where(small, 1, size)
    by_sinh = (2 * (near / 2).sinh().square()).log1p()
    by_decay = far + (-2 * far).exp().log1p() - _LOG_2
    return reduce(torch.where(small, by_sinh, by_decay), reduction, dtype)


def pinball(
    input: Tensor, target: Tensor, *, quantile: float | Sequence[float], reduction: Reduction = "mean"
) -> Tensor:
    r"""Pinball loss: tau (y - x) where y > x, (1 - tau) (x - y) elsewhere.

    Domain: all real x and y; tau in (0, 1). Its minimiser is any tau-quantile of the target.

    Conventions: one level, or several at once: then the last dimension of `input` runs over the levels, and the
    loss of every level is an element of the result. At tau = 1/2 it is half the absolute error. The slope is
    1 - tau at x = y, where there is no derivative. "mean" divides by the number of elements, levels included.

    Shape: `input` and `target` of one shape, any; with Q levels `input` is (..., Q) and `target` (...). The result
    is () or, under "none", the shape of `input`.

    Raises:
        ValueError: the shapes don't fit, a level lies outside of (0, 1), or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, `target` isn't a real one, or `quantile` is neither a
            number nor a sequence of numbers.

    Example:
        >>> pinball(torch.tensor([2.0]), torch.tensor([3.0]), quantile=0.9)
        tensor(0.9000)
        >>> pinball(torch.tensor([[1.0, 2.0]]), torch.tensor([3.0]), quantile=(0.1, 0.9), reduction="none")
        tensor([[0.2000, 0.9000]])

    References: Koenker & Bassett (1978), Regression quantiles; Gneiting (2011), Quantiles as optimal point
    forecasts.
    """
    if not isinstance(quantile, Sequence):
        above = fraction("quantile", quantile)
        input, target, dtype = paired(input, target)
        return reduce(_asymmetric(input, target, above, 1 - above), reduction, dtype)
    levels = [fraction("quantile", one) for one in quantile]
    check_prediction("input", input)
    check_companion("target", target, input)
    if input.shape != (*target.shape, len(levels)):
        raise ValueError(
            f"Input size ({input.shape}) must be the target size ({target.shape}) followed by the number of "
            f"quantile levels, {len(levels)}"
        )
    dtype = common_dtype(input, target)
    working = working_dtype(dtype)
    weights = torch.tensor(levels, dtype=working, device=input.device)
    losses = _asymmetric(input.to(working), target.to(working).unsqueeze(-1), weights, 1 - weights)
    return reduce(losses, reduction, dtype)


def asymmetric_linear(
    input: Tensor, target: Tensor, *, underage: float, overage: float, reduction: Reduction = "mean"
) -> Tensor:
    r"""Asymmetric linear cost: underage (y - x) where y > x, overage (x - y) elsewhere.

    Domain: all real x and y; both costs > 0. Its minimiser is any quantile of the target at the level
    underage / (underage + overage), the critical fractile of the newsvendor.

    Conventions: `underage` is the cost of each unit by which the target exceeds the prediction, `overage` that of
    each unit by which it falls short, in the unit of money; the loss is (underage + overage) times the pinball loss
    at the critical fractile. The slope is `overage` at x = y, where there is no derivative. "mean" divides by the
    number of elements.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, a cost isn't a finite number > 0, or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, `target` isn't a real one, or a cost isn't a number.

    Example:
        >>> asymmetric_linear(torch.tensor([2.0, 2.0]), torch.tensor([3.0, 1.0]),
        ...                   underage=9.0, overage=1.0, reduction="none")
        tensor([9., 1.])

    References: Arrow, Harris & Marschak (1951), Optimal inventory policy; Koenker & Bassett (1978), Regression
    quantiles.
    """
    underage, overage = positive("underage", underage), positive("overage", overage)
    input, target, dtype = paired(input, target)
    return reduce(_asymmetric(input, target, underage, overage), reduction, dtype)


def expectile(input: Tensor, target: Tensor, *, level: float, reduction: Reduction = "mean") -> Tensor:
    r"""Asymmetric squared error: level (y - x)^2 where y >= x, (1 - level) (x - y)^2 elsewhere.

    Domain: all real x and y; level in (0, 1). Its minimiser is the target's expectile: the x at which `level` times
    the mean excess over x equals 1 - level times the mean shortfall. At level 1/2 that is the mean.

    Conventions: at level 1/2 the loss is half the squared error; "mean" divides by the number of elements.

    Shape: `input` and `target` of one shape, any; the result () or, under "none", that shape.

    Raises:
        ValueError: the shapes differ, `level` lies outside of (0, 1), or `reduction` is unknown.
        TypeError: `input` isn't a floating-point tensor, `target` isn't a real one, or `level` isn't a number.

    Example:
        >>> expectile(torch.tensor([2.0, 2.0]), torch.tensor([4.0, 0.0]), level=0.9, reduction="none")
        tensor([3.6000, 0.4000])

    References: Newey & Powell (1987), Asymmetric least squares estimation and testing.
    """
    level = fraction("level", level)
    input, target, dtype = paired(input, target)
    squared = (input - target).square()
    return reduce(torch.where(target < input, (1 - level) * squared, level * squared), reduction, dtype)


def _asymmetric(input: Tensor, target: Tensor, above: float | Tensor, below: float | Tensor) -> Tensor:
    shortfall = target - input
    return torch.where(shortfall > 0, above * shortfall, -below * shortfall)
