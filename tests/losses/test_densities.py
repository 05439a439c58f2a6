"""Losses of forecast distributions: worked values, peers, and the inputs at which naive forms fail."""

from __future__ import annotations

import math
from itertools import product

import mpmath
import pytest
import scipy.stats
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import losscore
from losscore.losses import densities
from losscore.symbolic import definition

REAL = st.floats(-100, 100)


def number(x: float, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.tensor(x, dtype=dtype)


def draw(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def counts(size: int, below: int = 20) -> Tensor:
    return torch.randint(below, (size,), generator=torch.Generator().manual_seed(9))


def value_and_slopes(loss: object, *arguments: Tensor, **named: Tensor) -> tuple[float, list[float]]:
    inputs = [x.requires_grad_() for x in (arguments[0], *named.values())]
    value = loss(*arguments, **named)  # type: ignore[operator]
    return value.item(), [x.item() for x in torch.autograd.grad(value, inputs)]


def test_gaussian_is_the_log_density() -> None:
    x, s, y = draw(3, 50)
    normal = torch.distributions.Normal(x, s.exp())
    each = losscore.gaussian_nll(x, y, log_scale=s, reduction="none")
    torch.testing.assert_close(each, -normal.log_prob(y))
    theirs = F.gaussian_nll_loss(x, y, (2 * s).exp(), full=True)
    torch.testing.assert_close(losscore.gaussian_nll(x, y, log_scale=s), theirs)
    torch.testing.assert_close(
        losscore.gaussian_nll(x, y, log_scale=0.5), F.gaussian_nll_loss(x, y, math.e, full=True)
    )


def test_gaussian_of_a_tiny_scale_has_the_true_gradient() -> None:
    """torch clamps the variance at 1e-6: the gradient that passes the clamp is not its own."""
    x, log_scale = number(1.0), number(-20.0)
    value, (in_x, in_scale) = value_and_slopes(losscore.gaussian_nll, x, number(0.0), log_scale=log_scale)
    square = math.exp(40)
    assert value == pytest.approx(square / 2, rel=1e-12, abs=0)
    assert in_x == pytest.approx(square, rel=1e-12, abs=0) and in_scale == pytest.approx(
        -square, rel=1e-12, abs=0
    )
    assert F.gaussian_nll_loss(x, number(0.0), log_scale.exp().square()).item() < 1e6
    value, slopes = value_and_slopes(losscore.gaussian_nll, x, number(1.0), log_scale=number(-800.0))
    assert value == pytest.approx(-800 + math.log(2 * math.pi) / 2) and slopes == [0, 1]


def test_far_out_a_log_density_is_no_log_of_a_density() -> None:
    assert scipy.stats.norm.pdf(39) == 0
    assert losscore.gaussian_nll(number(39.0), number(0.0), log_scale=0.0).item() == pytest.approx(
        39**2 / 2 + math.log(2 * math.pi) / 2
    )


def test_poisson_is_that_of_scipy() -> None:
    log_rate, y = draw(50), counts(50)
    each = losscore.poisson_nll(log_rate, y, reduction="none")
    torch.testing.assert_close(each, -torch.from_numpy(scipy.stats.poisson.logpmf(y, log_rate.exp())))
    bare = F.poisson_nll_loss(log_rate, y.double(), reduction="none")
    torch.testing.assert_close(each, bare + torch.lgamma(y + 1.0))


def test_poisson_of_large_counts_in_float32() -> None:
    """The terms are of size 1e7, their sum is 8.3: naively nothing of it is left."""
    count, log_rate = number(1e6, torch.float32), number(math.log(1e6) + 1e-3, torch.float32)
    poisson = definition("poisson_nll")
    exact = float(poisson.oracle(log_rate.item(), 10**6))
    value, (slope,) = value_and_slopes(losscore.poisson_nll, log_rate, count)
    assert value == pytest.approx(exact, rel=1e-7, abs=0)
    assert slope == pytest.approx(float(poisson.gradient_oracle(log_rate.item(), 10**6)), rel=1e-7, abs=0)
    naive = log_rate.exp() - count * log_rate + torch.lgamma(count + 1)
    assert abs(naive.item() - exact) > 0.1


def test_poisson_slope_at_its_zero_errs_by_less_than_the_rounding_of_the_log_rate() -> None:
    count = 1e6
    log_rate = number(math.log(count))
    _, (slope,) = value_and_slopes(losscore.poisson_nll, log_rate, number(count))
    exact = float(definition("poisson_nll").gradient_oracle(log_rate.item(), 10**6))
    rounding = count * math.ulp(log_rate.item()) / 2
    assert 1e-12 * abs(exact) < abs(slope - exact) < rounding / 2 and abs(exact) < rounding


def test_negative_binomial_is_that_of_torch_and_scipy() -> None:
    mean, size, y = draw(40).exp(), draw(40, seed=1).exp(), counts(40)
    each = losscore.negative_binomial_nll(mean, y, inverse_dispersion=size, reduction="none")
    theirs = torch.distributions.NegativeBinomial(size, logits=(mean / size).log(), validate_args=False)
    torch.testing.assert_close(each, -theirs.log_prob(y.double()))
    torch.testing.assert_close(
        each, -torch.from_numpy(scipy.stats.nbinom.logpmf(y, size, size / (size + mean))), rtol=1e-9, atol=0
    )


def naive_negative_binomial(mean: Tensor, y: Tensor, size: Tensor) -> Tensor:
    choose = torch.lgamma(y + size) - torch.lgamma(size) - torch.lgamma(y + 1)
    return -(choose + size * (size / (size + mean)).log() + y * (mean / (size + mean)).log())


@pytest.mark.parametrize(
    ("size", "dtype"),
    [(1e6, torch.float32), (1e8, torch.float32), (1e8, torch.float64), (1e15, torch.float64)],
)
def test_negative_binomial_of_a_large_size_is_poisson(size: float, dtype: torch.dtype) -> None:
    mean, y, sizes = number(2.5, dtype), number(3.0, dtype), number(size, dtype)
    exact = float(definition("negative_binomial_nll").oracle(2.5, size, 3))
    assert exact == pytest.approx(1.5428872736, abs=1e-10 + 3 / size)
    ours = losscore.negative_binomial_nll(mean, y, inverse_dispersion=sizes).item()
    assert ours == pytest.approx(exact, rel=2e-6 if dtype == torch.float32 else 1e-14, abs=0)
    assert abs(naive_negative_binomial(mean, y, sizes).item() - exact) > 100 * abs(ours - exact)


SLOPES = definition("negative_binomial_nll").gradient_oracle


@pytest.mark.parametrize(("size", "dtype"), [(1e6, torch.float32), (1e8, torch.float64)])
def test_negative_binomial_slope_in_a_large_size(size: float, dtype: torch.dtype) -> None:
    """It is of order 1 / size^2, where its terms are of order 1 / size."""
    mean, y, sizes = number(2.5, dtype), number(3.0, dtype), number(size, dtype)
    exact = float(SLOPES(2.5, size, 3, of=1))
    assert exact == pytest.approx((0.5**2 - 3) / (2 * size**2), rel=1e-4, abs=0)
    _, (_, slope) = value_and_slopes(losscore.negative_binomial_nll, mean, y, inverse_dispersion=sizes)
    assert slope == pytest.approx(exact, rel=2e-6 if dtype == torch.float32 else 1e-13, abs=0)
    naive = (mean / sizes).log1p() - (mean - y) / (mean + sizes) - (y + sizes).digamma() + sizes.digamma()
    assert abs(naive.item() - exact) > 1e-3 * abs(exact)


def test_negative_binomial_slope_at_its_zero_errs_by_a_unit_of_the_mean() -> None:
    """At y + sqrt(y) the terms of order 1 / size^2 cancel as well."""
    size = 1e8
    exact = float(SLOPES(2.0, size, 1, of=1))
    assert abs(exact) < 2 / size**3
    ahead = float(SLOPES(math.nextafter(2.0, 3.0), size, 1, of=1))
    given = {"inverse_dispersion": number(size)}
    _, (_, slope) = value_and_slopes(losscore.negative_binomial_nll, number(2.0), number(1.0), **given)
    assert 1e-12 * abs(exact) < abs(slope - exact) < 1.5 * abs(ahead - exact)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_negative_binomial_second_derivatives() -> None:
    """By any pair of modes."""
    mean, size, y = number(2.5), number(7.0), number(3.0)

    def loss(mean: Tensor, size: Tensor) -> Tensor:
        return losscore.negative_binomial_nll(mean, y, inverse_dispersion=size)

    wanted = (y / mean**2 - (y + size) / (mean + size) ** 2).item(), ((mean - y) / (mean + size) ** 2).item()
    forward, backward = torch.func.jacfwd, torch.func.jacrev
    for outer, inner in product((forward, backward), repeat=2):
        found = outer(inner(loss, 0), (0, 1))(mean, size)
        assert [x.item() for x in found] == pytest.approx(wanted, rel=1e-12, abs=0)


def test_counts_have_slopes_too() -> None:
    mean, size = number(2.5), number(7.0)
    for y in (0.5, 1.0, 1.25, 3.5):
        given = (mean, size.requires_grad_(), number(y).requires_grad_())

        def loss(mean: Tensor, size: Tensor, y: Tensor) -> Tensor:
            return losscore.negative_binomial_nll(mean, y, inverse_dispersion=size)

        assert torch.autograd.gradcheck(loss, given) and torch.autograd.gradgradcheck(loss, given)


@pytest.mark.parametrize("x", [10.0, 12.5, 17.0])
def test_stirlings_series_is_right_to_the_last_digits(x: float) -> None:
    with mpmath.workdps(40):
        exact = mpmath.loggamma(x) - (mpmath.mpf(x) - 0.5) * mpmath.log(x) + x - mpmath.log(2 * mpmath.pi) / 2
    assert densities._stirling(number(x)).item() == pytest.approx(float(exact), rel=1e-15, abs=0)


def test_negative_binomial_of_a_mean_of_one() -> None:
    """At a size of 1 it is the geometric law: 1/2 to the power of y + 1."""
    found = losscore.negative_binomial_nll(number(1.0), number(2.0), inverse_dispersion=1.0)
    assert found.item() == pytest.approx(3 * math.log(2), rel=1e-14, abs=0)


def test_gaussian_at_its_mean_has_the_curvature_of_its_precision() -> None:
    def loss(x: Tensor) -> Tensor:
        return losscore.gaussian_nll(x, number(1.0), log_scale=-2.0)

    assert torch.autograd.functional.hessian(loss, number(1.0)).item() == pytest.approx(math.exp(4))


def test_zero_inflation_of_a_large_mean_keeps_its_digits() -> None:
    """A zero is all but excluded: its chance is 1e-8 by the counts, and e^-40 beside them."""
    found = losscore.zero_inflated_negative_binomial_nll(
        number(1e8), number(0.0), inverse_dispersion=1.0, zero_logits=-40.0
    )
    with mpmath.workdps(40):
        extra = 1 / (1 + mpmath.exp(40))
        exact = -mpmath.log(extra + (1 - extra) / (1 + mpmath.mpf(10) ** 8))
    assert found.item() == pytest.approx(float(exact), rel=1e-14, abs=0)


def test_negative_binomial_of_large_counts_in_float32() -> None:
    for mean, size, y in ((1e4, 0.1, 12_000), (50.0, 3.0, 20_000), (1e5, 100.0, 99_000), (1e4, 1e5, 1e4)):
        given = number(mean, torch.float32), number(y, torch.float32)
        exact = -scipy.stats.nbinom.logpmf(int(y), size, size / (size + mean))
        ours = losscore.negative_binomial_nll(*given, inverse_dispersion=number(size, torch.float32)).item()
        assert ours == pytest.approx(exact, rel=2e-6, abs=0)


def test_negative_binomial_without_rate() -> None:
    for y, value, slope in ((0, 0.0, 1.0), (2, math.inf, -math.inf)):
        found, slopes = value_and_slopes(
            losscore.negative_binomial_nll, number(0.0), number(y), inverse_dispersion=number(2.0)
        )
        assert found == value and slopes[0] == slope and not math.isnan(slopes[1])


def test_zero_inflation_mixes() -> None:
    mean, size, zero, y = draw(40).exp(), draw(40, seed=1).exp(), draw(40, seed=2), counts(40, 3)
    chance = (-losscore.negative_binomial_nll(mean, y, inverse_dispersion=size, reduction="none")).exp()
    mixed = zero.sigmoid() * (y == 0) + (-zero).sigmoid() * chance
    each = losscore.zero_inflated_negative_binomial_nll(
        mean, y, inverse_dispersion=size, zero_logits=zero, reduction="none"
    )
    torch.testing.assert_close(each, -mixed.log())


def test_zero_inflation_where_the_chance_of_zero_underflows() -> None:
    """p(0) is exp(-1e4 log 2): naively log(0). At a logit of 40 the chance of no extra zero rounds to 0."""
    given = {"inverse_dispersion": number(1e4), "zero_logits": number(-1e3)}
    value, slopes = value_and_slopes(
        losscore.zero_inflated_negative_binomial_nll, number(1e4), number(0), **given
    )
    assert value == pytest.approx(1e3) and all(map(math.isfinite, slopes))
    sure = losscore.zero_inflated_negative_binomial_nll(
        number(1e4), number(0), inverse_dispersion=1e4, zero_logits=number(40.0)
    )
    assert sure.item() == pytest.approx(math.exp(-40), rel=1e-12, abs=0)
    other = losscore.zero_inflated_negative_binomial_nll(
        number(2.0), number(1), inverse_dispersion=3.0, zero_logits=number(40.0)
    )
    plain = losscore.negative_binomial_nll(number(2.0), number(1), inverse_dispersion=3.0)
    assert other.item() == pytest.approx(40 + plain.item())


def test_zero_inflation_has_slopes_where_a_chance_rounds_to_one() -> None:
    """The chance of no extra zero at a logit of -40, and that of a count at a mean of 1000."""
    for mean, zero, of in ((0.5, -40.0, 2), (1000.0, 3.0, 0), (1000.0, 3.0, 1)):
        given = {"inverse_dispersion": number(100.0), "zero_logits": number(zero)}
        _, slopes = value_and_slopes(
            losscore.zero_inflated_negative_binomial_nll, number(mean), number(0.0), **given
        )
        exact = definition("zero_inflated_negative_binomial_nll").gradient_oracle(mean, 100, zero, 0, of=of)
        assert exact != 0 and slopes[of] == pytest.approx(float(exact), rel=1e-12, abs=0)


def test_crps_gaussian_is_the_integral() -> None:
    t = torch.linspace(-12, 14, 260_001, dtype=torch.float64)
    for mean, scale, y in ((0.0, 1.0, 0.0), (1.0, 0.5, 2.0), (-1.0, 2.0, 3.0)):
        distance = (torch.distributions.Normal(mean, scale).cdf(t) - (t >= y).double()).square()
        wanted = torch.trapezoid(distance, t).item()
        assert losscore.crps_gaussian(number(mean), number(y), scale=scale).item() == pytest.approx(
            wanted, abs=1e-4
        )


def test_crps_gaussian_without_spread_is_the_absolute_error() -> None:
    for residual, slope in ((2.0, -1 / math.sqrt(math.pi)), (0.0, (math.sqrt(2) - 1) / math.sqrt(math.pi))):
        value, (in_mean, in_scale) = value_and_slopes(
            losscore.crps_gaussian, number(residual), number(0.0), scale=number(0.0)
        )
        assert value == residual and in_mean == float(residual > 0)
        assert in_scale == pytest.approx(slope, rel=1e-14, abs=0)
        ahead = losscore.crps_gaussian(number(residual), number(0.0), scale=1e-6).item()
        assert (ahead - value) / 1e-6 == pytest.approx(slope, rel=1e-6, abs=0)


@given(x=st.lists(REAL, min_size=2, max_size=7), y=REAL)
def test_crps_of_an_ensemble_is_the_sum_over_pairs(x: list[float], y: float) -> None:
    members = torch.tensor(x, dtype=torch.float64)
    pairs = (members[:, None] - members).abs().sum()
    for estimator, divisor in (("nrg", 2 * len(x) ** 2), ("fair", 2 * len(x) * (len(x) - 1))):
        wanted = (members - y).abs().mean() - pairs / divisor
        found = losscore.crps_ensemble(members, number(y), estimator=estimator)
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)
        assert found >= 0
    levels = (torch.arange(len(x), dtype=torch.float64) + 0.5) / len(x)
    each = losscore.pinball(members.sort().values, number(y), quantile=levels.tolist())
    torch.testing.assert_close(losscore.crps_ensemble(members, number(y)), 2 * each, rtol=1e-12, atol=1e-12)


def test_crps_of_an_ensemble_needs_no_square_of_its_size() -> None:
    many = torch.zeros(100_000, 1000, device="meta", requires_grad=True)
    losscore.crps_ensemble(many, torch.zeros(100_000, device="meta")).backward()
    assert losscore.crps_ensemble(draw(10_000, 50), draw(10_000, seed=1)) > 0


@given(lower=REAL, upper=REAL, y=REAL, alpha=st.floats(0.01, 0.99))
def test_interval_score_is_two_pinball_losses(lower: float, upper: float, y: float, alpha: float) -> None:
    ends = torch.tensor([lower, upper], dtype=torch.float64)
    each = losscore.pinball(ends, number(y), quantile=[alpha / 2, 1 - alpha / 2], reduction="sum")
    found = losscore.interval_score(ends[0], ends[1], number(y), alpha=alpha)
    torch.testing.assert_close(found, 2 / alpha * each, rtol=1e-12, atol=1e-9)


def test_interval_score_worked_by_hand() -> None:
    for y, wanted in ((2.0, 2.0), (0.5, 12.0), (3.5, 12.0), (3.0, 2.0)):
        assert losscore.interval_score(
            number(1.0), number(3.0), number(y), alpha=0.1
        ).item() == pytest.approx(wanted)


X = torch.tensor([1.0, 2.0])
WRONG = [
    (lambda: losscore.poisson_nll(X, torch.tensor([1, -1])), "target: expected numbers >= 0, got -1"),
    (
        lambda: losscore.negative_binomial_nll(-X, X, inverse_dispersion=1.0),
        "mean: expected numbers >= 0, got -1",
    ),
    (
        lambda: losscore.negative_binomial_nll(X, -X, inverse_dispersion=1.0),
        "target: expected numbers >= 0, got -1",
    ),
    (
        lambda: losscore.negative_binomial_nll(X, X, inverse_dispersion=0.0),
        "inverse_dispersion: expected numbers > 0",
    ),
    (
        lambda: losscore.negative_binomial_nll(X, X, inverse_dispersion=math.inf),
        "inverse_dispersion: expected a finite",
    ),
    (lambda: losscore.crps_gaussian(X, X, scale=-X), "scale: expected numbers >= 0, got -1.0 at position"),
    (lambda: losscore.crps_gaussian(X, X[:1], scale=X), "target: expected the size of mean"),
    (lambda: losscore.gaussian_nll(X, X, log_scale=X[:1]), "log_scale: expected the size of input"),
    (lambda: losscore.interval_score(X, X[:, None], X, alpha=0.1), "upper: expected the size of lower"),
    (lambda: losscore.interval_score(X, X, X, alpha=1.0), "alpha: expected a number in the open interval"),
    (lambda: losscore.crps_ensemble(X, X), "must be the target size"),
    (
        lambda: losscore.crps_ensemble(X[:1], X[0], estimator="fair"),
        "ensemble: expected at least 2 members for 'fair'",
    ),
    (lambda: losscore.crps_ensemble(X[:0], X[0]), "ensemble: expected at least 1 members"),
    (
        lambda: losscore.crps_ensemble(X, X[0], estimator="pwm"),
        "estimator: expected 'nrg' or 'fair', got 'pwm'",
    ),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_bad_input(case: int) -> None:
    run, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        run()
