"""What the page on the role of the loss says, over several seeds."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

import losscore
from losscore.lab import descend, generator, interval, paired, role


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


@pytest.mark.claim("C09")
def test_descent_lowers_the_loss_on_every_step_and_the_errors_rise_on_some() -> None:
    runs = [role.descent_and_errors(seed) for seed in range(20)]
    assert sum(run.loss_rose for run in runs) == 0
    assert sum(run.errors_rose > 0 for run in runs) >= 5


@pytest.mark.claim("C09")
def test_the_error_has_no_slope_almost_everywhere() -> None:
    points, label = role.two_groups(3)
    same = 0
    for nudge in torch.linspace(-2, 4, 200).tolist():
        weights = torch.tensor([nudge, 0.6], dtype=torch.float64)
        same += role.errors(points @ weights, label) == role.errors(points @ (weights + 1e-5), label)
    assert same >= 198


@pytest.mark.claim("C10")
@pytest.mark.parametrize("seed", range(5))
def test_descent_trains_with_a_loss_that_has_kinks(seed: int) -> None:
    x, y = role.skewed_line(seed)
    intercept, slope = role.line_fit(x, y, "absolute_error")
    trained = losscore.absolute_error(intercept + slope * x, y)
    assert trained < 0.6 * losscore.absolute_error(torch.zeros_like(y), y)


@pytest.mark.claim("C10")
def test_a_likelihood_with_a_free_spread_is_not_bounded_below() -> None:
    log_scale = torch.linspace(0, -50, 11, dtype=torch.float64)
    nll = log_scale + 0.5 * (0 / log_scale.exp()) ** 2
    assert nll[-1] < -49 and (nll.diff() < 0).all()


@pytest.mark.claim("C11")
@pytest.mark.parametrize(("factor", "falls"), [(0.5, True), (1.99, True), (2.01, False), (3.0, False)])
def test_a_step_on_a_parabola_lowers_it_up_to_two_over_the_curvature(factor: float, falls: bool) -> None:
    curvature = 7.0
    run = descend(
        lambda w: curvature * losscore.half_squared_error(w, torch.zeros_like(w)),
        1.0,
        step=factor / curvature,
        steps=1,
    )
    assert bool(run.losses[1] < run.losses[0]) is falls


@pytest.mark.claim("C12")
def test_a_least_squares_line_through_counts_predicts_negative_means() -> None:
    lowest = interval([role.line_through_counts(seed) for seed in range(20)])
    assert lowest.high < 0


@pytest.mark.claim("C13")
def test_mean_squared_error_is_the_mean_of_squares_and_not_a_norm() -> None:
    prediction, target = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([0.0, 4.0, 4.0])
    assert losscore.squared_error(prediction, target).item() == pytest.approx(5 / 3)
    torch.testing.assert_close(losscore.squared_error(prediction, target), F.mse_loss(prediction, target))
    assert torch.linalg.vector_norm(prediction - target).item() == pytest.approx(math.sqrt(5))


@pytest.mark.claim("C15")
def test_the_sum_of_squares_is_the_squared_euclidean_norm() -> None:
    residual = normal(50).requires_grad_()
    total = losscore.squared_error(residual, torch.zeros(50, dtype=torch.float64), reduction="sum")
    torch.testing.assert_close(total, torch.linalg.vector_norm(residual) ** 2)
    (of_square,) = torch.autograd.grad(total, residual)
    (of_norm,) = torch.autograd.grad(torch.linalg.vector_norm(residual), residual)
    torch.testing.assert_close(of_square, 2 * residual.detach())
    assert not torch.allclose(of_square, of_norm)


@pytest.mark.claim("C14")
def test_the_half_doubles_the_largest_step() -> None:
    features, target = role.doubled_column()
    sharpest = torch.linalg.eigvalsh(features.T @ features / len(features)).max().item()

    def after(loss: str, factor: float) -> float:
        function = getattr(losscore, loss)
        start = torch.zeros(2, dtype=torch.float64)
        run = descend(lambda w: function(features @ w, target), start, step=factor / sharpest, steps=200)
        return run.losses[-1].item()

    assert after("half_squared_error", 1.9) < 1 < after("half_squared_error", 2.01)
    assert after("squared_error", 0.95) < 1 < after("squared_error", 1.01)


@pytest.mark.claim("C16")
def test_one_tanh_breaks_convexity_in_the_weight() -> None:
    def bent(weight: float) -> float:
        prediction = torch.tanh(weight * torch.tensor([1.0, 2.0]))
        return losscore.squared_error(prediction, torch.tensor([1.0, -1.0])).item()

    assert bent(3.0) > (bent(0.0) + bent(6.0)) / 2 + 0.1


@pytest.mark.claim("C17")
@pytest.mark.parametrize("start", [[0.0, 0.0], [4.0, -1.5], [-1.0, 3.5]])
def test_descent_ends_at_the_minimiser_that_its_start_chose(start: list[float]) -> None:
    features, target = role.doubled_column()
    sharpest = torch.linalg.eigvalsh(features.T @ features / len(features)).max().item()
    begin = torch.tensor(start, dtype=torch.float64)
    run = descend(
        lambda w: losscore.half_squared_error(features @ w, target), begin, step=0.5 / sharpest, steps=400
    )
    inverse = torch.linalg.pinv(features)
    expected = inverse @ target + begin - inverse @ features @ begin
    torch.testing.assert_close(run.path[-1], expected, rtol=1e-9, atol=1e-9)
    least = torch.linalg.lstsq(features, target, driver="gelsd").solution
    assert losscore.half_squared_error(features @ run.path[-1], target) == pytest.approx(
        losscore.half_squared_error(features @ least, target).item()
    )


@pytest.mark.claim("C18")
def test_squared_error_finds_the_mean_and_absolute_error_the_median_of_skewed_noise() -> None:
    samples = [role.skewed_line(seed) for seed in range(8)]
    mean = interval([role.line_fit(x, y, "squared_error")[0] for x, y in samples])
    median = interval([role.line_fit(x, y, "absolute_error")[0] for x, y in samples])
    assert mean.low < 2 < mean.high and mean.low > 1 + math.log(2)
    assert median.low < 1 + math.log(2) < median.high and median.high < 2


@pytest.mark.claim("C18")
def test_known_unequal_variances_call_for_weights() -> None:
    plain, weighted = zip(*(role.slope_by_weights(seed) for seed in range(40)))
    assert paired(plain, weighted).low > 0


@pytest.mark.claim("C19", "C20")
def test_scaling_the_logits_keeps_the_decisions_and_changes_the_confidence() -> None:
    logits = normal(500, 4)
    confidence = []
    for factor in (0.3, 1.0, 3.0):
        probability = torch.softmax(factor * logits, 1)
        assert torch.equal(probability.argmax(1), logits.argmax(1))
        confidence.append(probability.max(1).values.mean().item())
    assert confidence[0] + 0.1 < confidence[1] < confidence[2] - 0.1


@pytest.mark.claim("C20")
def test_at_most_one_scaling_agrees_with_the_accuracy() -> None:
    points, label = role.two_groups(seed=0, n=2000)
    gaps = []
    for factor in (1 / 3, 1, 3):
        confidence = torch.sigmoid((factor * 2 * points[:, 0]).abs()).mean()
        gaps.append((confidence - ((points[:, 0] >= 0) == (label == 1)).double().mean()).item())
    assert gaps[0] < -0.05 and abs(gaps[1]) < 0.03 and gaps[2] > 0.05


@pytest.mark.claim("C21")
def test_the_textbook_softmax_overflows_and_underflows() -> None:
    logits = torch.tensor([0.0, 2000.0])
    assert torch.isnan(logits.exp() / logits.exp().sum()).any()
    assert torch.softmax(logits, 0).tolist() == [0.0, 1.0]
    assert losscore.cross_entropy(logits, torch.tensor(0)).item() == 2000.0


@pytest.mark.claim("C22")
@pytest.mark.parametrize("seed", range(5))
def test_the_gradient_in_the_logits_is_prediction_minus_target(seed: int) -> None:
    logits = normal(6, 4, seed=seed).requires_grad_()
    target = torch.softmax(normal(6, 4, seed=seed + 100), 1)
    (gradient,) = torch.autograd.grad(losscore.cross_entropy(logits, target, reduction="sum"), logits)
    torch.testing.assert_close(gradient, torch.softmax(logits.detach(), 1) - target)


@pytest.mark.claim("C23")
@pytest.mark.parametrize("truth", [0.05, 0.3, 0.5, 0.92])
def test_two_honest_scores_are_lowest_at_the_truth_and_the_absolute_error_is_not(truth: float) -> None:
    forecast = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    logits = torch.stack([torch.zeros_like(forecast), forecast.logit()], 1)

    def best(by_label: list[torch.Tensor]) -> float:
        return forecast[((1 - truth) * by_label[0] + truth * by_label[1]).argmin()].item()

    for score in (losscore.cross_entropy, losscore.brier):
        by_label = [score(logits, torch.full((999,), y), reduction="none") for y in (0, 1)]
        assert best(by_label) == pytest.approx(truth, abs=1e-9)
    if truth != 0.5:
        assert abs(best([forecast, 1 - forecast]) - truth) > 0.04


@pytest.mark.claim("C24")
@pytest.mark.parametrize("seed", range(5))
def test_cross_entropy_exceeds_the_entropy_of_the_target_by_the_divergence(seed: int) -> None:
    logits, target = normal(7, 5, seed=seed), torch.softmax(normal(7, 5, seed=seed + 50), 1)
    entropy = -(target * target.log()).sum(1)
    divergence = (target * (target.log() - torch.log_softmax(logits, 1))).sum(1)
    torch.testing.assert_close(losscore.cross_entropy(logits, target, reduction="none"), entropy + divergence)
    assert (divergence > 0).all()
    torch.testing.assert_close(losscore.cross_entropy(target.log(), target, reduction="none"), entropy)


@pytest.mark.claim("C27")
def test_cross_entropy_prefers_the_higher_product_to_the_higher_mean() -> None:
    even, lopsided = torch.tensor([0.5, 0.5]), torch.tensor([0.99, 0.05])
    one = torch.ones(2)
    assert lopsided.mean() > even.mean()
    assert losscore.binary_cross_entropy(lopsided.logit(), one) > losscore.binary_cross_entropy(
        even.logit(), one
    )


@pytest.mark.claim("C28", "C29")
def test_two_classes_and_one_logit_agree_far_out() -> None:
    logit = torch.tensor([-104.0, -20.0, 0.0, 17.0, 90.0])
    two = torch.stack([torch.zeros_like(logit), logit], 1)
    for label in (0, 1):
        binary = losscore.binary_cross_entropy(logit, torch.full_like(logit, label), reduction="none")
        torch.testing.assert_close(
            binary, losscore.cross_entropy(two, torch.full((5,), label), reduction="none"), rtol=1e-6, atol=0
        )


@pytest.mark.claim("C29")
def test_the_textbook_form_fails_where_the_stable_form_does_not() -> None:
    logit, one = torch.tensor([-104.0, 17.0]), torch.ones(2)
    p = torch.sigmoid(logit)
    textbook = -(one * p.log() + (1 - one) * (1 - p).log())
    assert not textbook.isfinite().any()
    stable = losscore.binary_cross_entropy(logit, one, reduction="none")
    torch.testing.assert_close(stable, torch.tensor([104.0, 4.1399378e-08]), rtol=1e-6, atol=0)


@pytest.mark.claim("C30")
def test_one_label_drives_the_logit_on_and_contradicting_labels_stop_it() -> None:
    alone, shared = role.logit_path([1]).path, role.logit_path([1, 1, 0]).path
    growth = alone[2000] - alone[200]
    assert growth == pytest.approx(math.log(10), abs=0.02)
    assert torch.sigmoid(shared[-1]).item() == pytest.approx(2 / 3, abs=1e-9)
