"""What the page on the properties of an ideal loss says, over several seeds and many distributions."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

import losscore
from losscore.lab import descend, generator, ideal, interval, paired
from losscore.lab.role import two_groups
from losscore.lab.statistics import Interval
from losscore.losses._tensors import Reduction

LN2 = math.log(2)
EXAMPLE = torch.tensor([0.40, 0.35, 0.25], dtype=torch.float64)
SEEDS = range(8)
TABLES = {
    "cross-entropy": losscore.cross_entropy,
    "Brier": losscore.brier,
    "squared error": ideal.on_scores,
    "one-vs-all logistic": ideal.one_vs_all_logistic,
    "Lee-Lin-Wahba": ideal.summing_to_zero(losscore.lee_lin_wahba),
    "one-vs-all hinge": losscore.one_vs_all_hinge,
    "Crammer-Singer": losscore.crammer_singer,
    "Weston-Watkins": losscore.weston_watkins,
}
HONEST = list(TABLES)[:5]


def distributions(n: int, classes: int, seed: int = 0) -> torch.Tensor:
    return torch.softmax(1.5 * torch.randn(n, classes, generator=generator(seed), dtype=torch.float64), 1)


def margin_risk(loss: ideal.Loss, score: torch.Tensor, eta: torch.Tensor) -> torch.Tensor:
    up, down = (loss(score, torch.full_like(score, sign), reduction="none") for sign in (1, -1))
    return eta * up + (1 - eta) * down


@pytest.fixture(scope="module")
def tables() -> dict[str, torch.Tensor]:
    """Learned scores by the name of the loss: (8 seeds, bins, 3 classes)."""
    seen = torch.stack([ideal.frequencies(seed) for seed in SEEDS])
    return {name: ideal.least_scores(loss, seen) for name, loss in TABLES.items()}


@pytest.fixture(scope="module")
def accuracies(tables: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Accuracy on fresh labels by the name of the loss, one a seed; "Bayes" decides by the true probabilities."""
    fresh = torch.stack([ideal.frequencies(seed + 10_000) for seed in SEEDS])
    _, eta = ideal.bins_and_truth()
    scores = tables | {"Bayes": eta.expand_as(fresh)}
    return {name: ideal.accuracy(learned, fresh) for name, learned in scores.items()}


@pytest.mark.claim("C31")
@pytest.mark.parametrize("seed", range(5))
def test_descent_cannot_move_on_errors_and_learns_on_a_loss_with_kinks(seed: int) -> None:
    points, label = two_groups(seed)
    sign, start = 2 * label - 1, torch.tensor([-1.0, 0.3], dtype=torch.float64)

    def run(loss: ideal.Loss) -> tuple[torch.Tensor, float]:
        way = descend(lambda w: loss(points @ w, sign), start, step=0.3, steps=100)
        return way.path[-1], losscore.zero_one(points @ way.path[-1], sign).item()

    stuck, errors_before = run(losscore.zero_one)
    moved, errors_after = run(losscore.hinge)
    assert torch.equal(stuck, start) and not torch.equal(moved, start)
    assert errors_after < 0.35 < 0.6 < errors_before


@pytest.mark.claim("C32")
def test_the_natural_logistic_loss_is_no_bound_and_the_others_are() -> None:
    margin = torch.linspace(-6, 6, 1201, dtype=torch.float64).round(decimals=2)
    one = torch.ones_like(margin)
    error = (margin < 1e-9).double()
    for loss in (losscore.hinge, losscore.squared_hinge, losscore.exponential):
        assert (loss(margin, one, reduction="none") >= error).all()
    logistic = losscore.logistic(margin, one, reduction="none")
    assert (logistic / LN2 >= error - 1e-15).all()
    below = margin[logistic < error]
    assert below.max().item() == pytest.approx(0, abs=1e-9) and below.min() == pytest.approx(
        -math.log(math.e - 1), abs=0.01
    )


PSI = {
    "hinge": lambda theta: theta,
    "squared_hinge": lambda theta: theta**2,
    "exponential": lambda theta: 1 - (1 - theta**2).sqrt(),
    "logistic": lambda theta: (
        (torch.special.xlogy(1 + theta, 1 + theta) + torch.special.xlogy(1 - theta, 1 - theta)) / 2
    ),
}


@pytest.mark.claim("C33")
@pytest.mark.parametrize("name", PSI)
def test_the_excess_risk_of_a_wrong_sign_is_at_least_psi_and_at_zero_no_more(name: str) -> None:
    loss = getattr(losscore, name)
    eta = torch.linspace(0.51, 0.99, 49, dtype=torch.float64)[:, None]
    grid = torch.linspace(-8, 8, 16_001, dtype=torch.float64)[None]
    risk = margin_risk(loss, grid.expand(49, -1), eta)
    least = risk.min(1).values
    psi = PSI[name](2 * eta[:, 0] - 1)
    wrong = risk[:, grid[0] <= 0] - least[:, None]
    torch.testing.assert_close(wrong.min(1).values, psi, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(wrong[:, -1], psi, rtol=1e-4, atol=1e-6)


@pytest.mark.claim("C33")
def test_a_kink_at_zero_makes_the_undecided_score_optimal() -> None:
    def perceptron(score: torch.Tensor, sign: torch.Tensor, *, reduction: Reduction = "none") -> torch.Tensor:
        return losscore.hinge(score * sign + 1, torch.ones_like(score), reduction=reduction)

    grid = torch.linspace(-4, 4, 801, dtype=torch.float64)
    for eta in (0.6, 0.9):
        risk = margin_risk(perceptron, grid, torch.tensor(eta, dtype=torch.float64))
        assert grid[risk.argmin()].item() == pytest.approx(0, abs=1e-9)


@pytest.mark.claim("C33")
@pytest.mark.parametrize(
    ("name", "slope"), [("hinge", -1), ("squared_hinge", -2), ("logistic", -0.5), ("exponential", -1)]
)
def test_the_slopes_at_zero_are_those_of_the_proof(name: str, slope: float) -> None:
    score = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    getattr(losscore, name)(score, torch.ones(1, dtype=torch.float64)).backward()
    assert score.grad is not None and score.grad.item() == pytest.approx(slope)


@pytest.mark.claim("C34")
def test_the_best_line_of_the_logistic_risk_errs_far_more_than_the_best_line() -> None:
    learned, upright = zip(*(ideal.restricted_errors(seed) for seed in range(10)))
    assert paired(learned, upright).low > 0.25
    assert interval(upright).high < 0.14
    more, upright = zip(*(ideal.restricted_errors(seed, n=40_000) for seed in range(5)))
    assert paired(more, upright).low > 0.25


@pytest.mark.claim("C34", "C38")
@pytest.mark.parametrize("name", ["cross-entropy", "Brier", "squared error"])
def test_unrestricted_scores_of_least_risk_elect_the_most_probable_class(name: str) -> None:
    eta = distributions(40, 4)
    scores = ideal.least_scores(TABLES[name], eta)
    assert torch.equal(scores.argmax(1), eta.argmax(1))
    error = 1 - eta.gather(1, scores.argmax(1, keepdim=True))[:, 0]
    torch.testing.assert_close(error, 1 - eta.max(1).values)


@pytest.mark.claim("C35")
def test_the_risk_is_the_mean_of_the_conditional_risks_and_is_least_point_by_point() -> None:
    eta, scores = distributions(3, 3, seed=1), torch.randn(3, 3, generator=generator(2), dtype=torch.float64)
    conditional = ideal.conditional_risk(losscore.cross_entropy, scores, eta)
    draw = generator(3)
    labels = torch.multinomial(eta, 100_000, replacement=True, generator=draw)
    for row in range(3):
        sampled = losscore.cross_entropy(scores[row].expand(100_000, 3), labels[row], reduction="none")
        noise = sampled.std().item() / math.sqrt(100_000)
        assert abs(sampled.mean().item() - conditional[row].item()) < 5 * noise
    together = ideal.least_scores(losscore.cross_entropy, eta)
    for row in range(3):
        alone = ideal.least_scores(losscore.cross_entropy, eta[row : row + 1])
        torch.testing.assert_close(together[row : row + 1].softmax(1), alone.softmax(1), rtol=0, atol=1e-6)


@pytest.mark.claim("C36")
def test_least_cross_entropy_is_at_the_true_probabilities_and_escapes_where_one_is_zero() -> None:
    eta = distributions(40, 4, seed=5)
    scores = ideal.least_scores(losscore.cross_entropy, eta)
    torch.testing.assert_close(scores.softmax(1), eta, rtol=0, atol=1e-3)
    entropy = -(eta * eta.log()).sum(1)
    reached = ideal.conditional_risk(losscore.cross_entropy, eta.log() + 7, eta)
    torch.testing.assert_close(reached, entropy)
    far = torch.stack([torch.tensor([0.0, 0.0, -t], dtype=torch.float64) for t in (1.0, 5.0, 20.0)])
    risks = ideal.conditional_risk(
        losscore.cross_entropy, far, torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64)
    )
    assert (risks.diff() < 0).all() and (risks > LN2).all() and risks[-1] < LN2 + 1e-8


@pytest.mark.claim("C37")
def test_least_squared_error_is_at_the_true_probabilities() -> None:
    eta = distributions(40, 4, seed=6)
    torch.testing.assert_close(ideal.least_scores(ideal.on_scores, eta), eta, rtol=0, atol=1e-3)
    torch.testing.assert_close(ideal.least_scores(losscore.brier, eta).softmax(1), eta, rtol=0, atol=1e-3)
    excess = ideal.conditional_risk(ideal.on_scores, torch.zeros_like(eta), eta) - (1 - eta.square().sum(1))
    torch.testing.assert_close(excess, eta.square().sum(1))


@pytest.mark.claim("C37")
def test_through_a_softmax_squared_error_is_not_convex_in_the_logits() -> None:
    def cost(z: float) -> float:
        return losscore.brier(torch.tensor([[z, 0.0]]), torch.tensor([0])).item()

    assert cost(-5) > (cost(-10) + cost(0)) / 2 + 0.1


@pytest.mark.claim("C37")
@pytest.mark.parametrize("seed", range(5))
def test_the_slope_of_the_expected_brier_score_is_that_of_the_proof(seed: int) -> None:
    eta = distributions(5, 4, seed=seed)
    z = torch.randn(5, 4, generator=generator(seed), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(ideal.conditional_risk(losscore.brier, z, eta).sum(), z)
    p = z.detach().softmax(1)
    gap = p - eta
    torch.testing.assert_close(slope, 2 * p * (gap - (p * gap).sum(1, keepdim=True)))


@pytest.mark.claim("C39")
def test_at_the_example_three_hinges_tie_and_two_losses_elect_the_best() -> None:
    tied = {"one-vs-all hinge": 3, "Crammer-Singer": 3, "Weston-Watkins": 2}
    least = {"one-vs-all hinge": 2.0, "Crammer-Singer": 1.0, "Weston-Watkins": 1.75}
    for name, loss in TABLES.items():
        scores = ideal.least_scores(loss, EXAMPLE[None])
        assert int((ideal.elected(scores) > 0).sum()) == tied.get(name, 1), name
        if name in least:
            risk = ideal.conditional_risk(loss, scores, EXAMPLE[None])
            assert risk.item() == pytest.approx(least[name], abs=0.01)
        else:
            assert int(scores.argmax()) == 0


@pytest.mark.claim("C40")
def test_the_one_vs_all_hinge_by_the_size_of_the_largest_probability() -> None:
    def risk(scores: list[float], eta: list[float]) -> float:
        f, truth = (torch.tensor([row], dtype=torch.float64) for row in (scores, eta))
        return ideal.conditional_risk(losscore.one_vs_all_hinge, f, truth).item()

    none, majority = [0.40, 0.35, 0.25], [0.60, 0.25, 0.15]
    assert risk([-1, -1, -1], none) == pytest.approx(2.0)
    assert risk([1, -1, -1], none) == pytest.approx(2.4)
    assert risk([1, -1, -1], majority) == pytest.approx(1.6) and risk(
        [-1, -1, -1], majority
    ) == pytest.approx(2.0)
    half = [0.5, 0.5, 0.0]
    flat = {round(risk([f, g, low], half), 12) for f in (-1, 0.3, 1) for g in (-0.5, 1) for low in (-1, -7)}
    assert flat == {2.0}
    assert risk([0, 0, 0], half) > 2.5


@pytest.mark.claim("C40")
def test_without_a_majority_the_learned_one_vs_all_scores_tie_and_cost_accuracy(
    tables: dict[str, torch.Tensor], accuracies: dict[str, torch.Tensor]
) -> None:
    _, eta = ideal.bins_and_truth()
    zone = (eta.max(1).values < 0.5).double().mean()
    assert zone.item() == pytest.approx(0.4)
    assert (ideal.ties(tables["one-vs-all hinge"]) - zone).abs().max() < 0.04
    assert paired(accuracies["cross-entropy"], accuracies["one-vs-all hinge"]).low > 0.04


@pytest.mark.claim("C39")
@pytest.mark.parametrize("name", HONEST)
def test_the_consistent_losses_reach_the_best_accuracy(
    name: str, accuracies: dict[str, torch.Tensor]
) -> None:
    assert (accuracies["Bayes"] - accuracies[name]).max() < 0.005
    for other in ("Crammer-Singer", "Weston-Watkins"):
        assert paired(accuracies[name], accuracies[other]).low > 0.01


@pytest.mark.claim("C41")
def test_an_inconsistent_loss_comes_close_on_real_data() -> None:
    consistent, hinged = (
        [ideal.digits_accuracy(seed, loss) for seed in range(5)]
        for loss in (losscore.cross_entropy, losscore.one_vs_all_hinge)
    )
    assert interval(hinged, test_share=1.0).low > 0.9
    assert paired(consistent, hinged, test_share=1.0).high < 0.02


@pytest.mark.claim("C42")
def test_improper_losses_ask_for_other_forecasts_from_which_most_recover_the_truth() -> None:
    eta = torch.linspace(0.05, 0.95, 19, dtype=torch.float64)
    asked = ideal.best_forecast(losscore.generalized_cross_entropy, eta, q=0.5)
    torch.testing.assert_close(asked, eta**2 / (eta**2 + (1 - eta) ** 2), rtol=0, atol=1e-3)
    back = asked.sqrt() / (asked.sqrt() + (1 - asked).sqrt())
    torch.testing.assert_close(back, eta, rtol=0, atol=2e-3)
    flat = ideal.best_forecast(losscore.focal, eta, gamma=2.0)
    high = eta > 0.5
    assert (flat[high] < eta[high] - 0.01).all() and (flat.diff() > 0).all()
    vertex = ideal.best_forecast(losscore.absolute_probability_error, eta)
    assert set(vertex[eta != 0.5].tolist()) == {0.0005, 0.9995}
    for loss in (losscore.cross_entropy, losscore.brier, losscore.spherical):
        torch.testing.assert_close(ideal.best_forecast(loss, eta), eta, rtol=0, atol=1e-3)


@pytest.mark.claim("C42")
def test_the_hinge_gives_one_answer_to_two_truths() -> None:
    grid = torch.linspace(-3, 3, 601, dtype=torch.float64)
    best = [grid[margin_risk(losscore.hinge, grid, torch.tensor(eta)).argmin()].item() for eta in (0.6, 0.9)]
    assert best == [pytest.approx(1.0)] * 2


@pytest.mark.claim("C42")
def test_the_brier_regret_bounds_the_excess_error_of_the_decision() -> None:
    p, eta = distributions(5000, 4, seed=1), distributions(5000, 4, seed=2)
    excess = eta.max(1).values - eta.gather(1, p.argmax(1, keepdim=True))[:, 0]
    regret = losscore.brier_score(p, eta)
    assert (excess <= (2 * regret).sqrt()).all()
    assert (excess > 0.9 * (regret / 2).sqrt()).any()


@pytest.mark.claim("C43")
@pytest.mark.parametrize(
    "score",
    [losscore.log_score, losscore.brier_score, losscore.spherical_score, losscore.ranked_probability_score],
)
def test_no_forecast_beats_the_truth_in_expectation(score: ideal.Loss) -> None:
    p, eta = distributions(2000, 4, seed=3), distributions(2000, 4, seed=4)
    regret = ideal.conditional_risk(score, p, eta) - ideal.conditional_risk(score, eta, eta)
    assert (regret > 1e-6).all()


@pytest.mark.claim("C43")
def test_a_linear_score_is_beaten_by_exaggeration() -> None:
    eta = distributions(200, 4, seed=4)
    vertex = F.one_hot(eta.argmax(1), 4).double()

    def linear(p: torch.Tensor, label: torch.Tensor, *, reduction: str) -> torch.Tensor:
        return 1 - p.gather(1, label[:, None])[:, 0]

    regret = ideal.conditional_risk(linear, vertex, eta) - ideal.conditional_risk(linear, eta, eta)
    assert (regret < -1e-3).all()


@pytest.mark.claim("C43")
@pytest.mark.parametrize("seed", range(5))
def test_the_crps_of_an_ensemble_is_least_for_the_ensemble_that_outcomes_come_from(seed: int) -> None:
    draw = generator(seed)
    truth = torch.randn(6, generator=draw, dtype=torch.float64)
    others = torch.randn(50, 6, generator=draw, dtype=torch.float64)

    def expected(members: torch.Tensor) -> float:
        rows = members.expand(6, 6)
        return losscore.crps_ensemble(rows, truth, estimator="nrg", reduction="mean").item()

    assert min(expected(members) for members in others) > expected(truth) + 1e-3


@pytest.mark.claim("C44")
def test_the_regrets_are_divergence_and_squared_distance() -> None:
    p, eta = distributions(500, 5, seed=7), distributions(500, 5, seed=8)

    def regret(score: ideal.Loss) -> torch.Tensor:
        return ideal.conditional_risk(score, p, eta) - ideal.conditional_risk(score, eta, eta)

    torch.testing.assert_close(regret(losscore.log_score), (eta * (eta / p).log()).sum(1))
    torch.testing.assert_close(regret(losscore.brier_score), (p - eta).square().sum(1))
    cumulative = (p - eta).cumsum(1).square().sum(1)
    torch.testing.assert_close(regret(losscore.ranked_probability_score), cumulative)


@pytest.mark.claim("C45")
def test_three_conventions_of_the_brier_score() -> None:
    logit = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64)
    label = torch.tensor([1, 0, 0])
    two = torch.stack([torch.zeros_like(logit), logit], 1)
    whole, one = losscore.brier(two, label), losscore.binary_brier(logit, label.double())
    torch.testing.assert_close(whole, 2 * one)
    averaged = F.mse_loss(two.softmax(1), F.one_hot(label, 2).double())
    torch.testing.assert_close(averaged, whole / 2)


@pytest.mark.claim("C45")
@pytest.mark.parametrize("seed", range(5))
def test_squared_error_on_raw_scores_forecasts_probabilities_above_one(seed: int) -> None:
    points, label = two_groups(seed, n=400)
    weights = ideal.linear_fit(losscore.squared_error, points, label)
    assert ideal.linear_scores(weights, points).max() > 1.1


@pytest.fixture(scope="module")
def fitted() -> dict[int, list[tuple[ideal.Forecasts, ideal.Forecasts]]]:
    return {features: [ideal.well_specified(seed, features) for seed in SEEDS] for features in (10, 150)}


def excess(fits: list[tuple[ideal.Forecasts, ideal.Forecasts]]) -> Interval:
    return interval([first.excess for first, _ in fits])


@pytest.mark.claim("C49")
def test_a_right_logistic_model_is_over_confident_when_features_are_many(
    fitted: dict[int, list[tuple[ideal.Forecasts, ideal.Forecasts]]],
) -> None:
    assert excess(fitted[150]).low > 0.15
    assert excess(fitted[10]).high < 0.05


@pytest.mark.claim("C49")
def test_a_temperature_from_fresh_data_repairs_the_confidence_and_not_the_accuracy(
    fitted: dict[int, list[tuple[ideal.Forecasts, ideal.Forecasts]]],
) -> None:
    cooled = []
    for held_out, fresh in fitted[150]:
        temperature = losscore.fit_temperature(held_out.logit, held_out.label)
        cooled.append(ideal.Forecasts(fresh.logit / temperature, fresh.label))
        assert cooled[-1].accuracy == fresh.accuracy
    assert abs(interval([forecast.excess for forecast in cooled]).mean) < 0.03


@pytest.fixture(scope="module")
def networks() -> ideal.Overfitting:
    return ideal.overfit(range(5), steps=800, every=100)


@pytest.mark.claim("C49")
def test_a_network_with_room_lowers_its_loss_by_larger_logits_and_grows_over_confident(
    networks: ideal.Overfitting,
) -> None:
    assert networks.steps.tolist() == list(range(0, 801, 100))
    assert (networks.training_loss[-1] < networks.training_loss[1] / 5).all()
    assert (networks.logit_size[-1] > 4 * networks.logit_size[1]).all()
    assert paired(networks.excess[-1], networks.excess[1]).low > 0.05


@pytest.mark.claim("C50")
def test_a_group_mean_is_right_where_every_forecast_is_wrong() -> None:
    said = torch.tensor([0.7, 0.9], dtype=torch.float64).repeat_interleave(1000)
    seen = torch.cat([torch.arange(1000) < 900, torch.arange(1000) < 700]).double()
    assert seen.mean().item() == pytest.approx(said.mean().item())
    error = losscore.expected_calibration_error(said, seen, bins=10)
    assert error.item() == pytest.approx(0.2)


@pytest.mark.claim("C50")
def test_the_base_rate_is_calibrated_and_tells_nothing() -> None:
    label = torch.cat([torch.ones(300), torch.zeros(700)]).double()
    base = torch.full_like(label, 0.3)
    assert losscore.expected_calibration_error(base, label).item() == pytest.approx(0, abs=1e-12)
    parts = losscore.murphy_decomposition(base, label)
    assert parts.resolution == pytest.approx(0, abs=1e-12)
    assert parts.score == pytest.approx(parts.uncertainty)


@pytest.mark.claim("C52")
def test_out_of_reach_of_the_truth_two_scores_choose_two_models() -> None:
    log, squared = (ideal.project(loss) for loss in (losscore.binary_cross_entropy, losscore.binary_brier))
    assert log.boundary == pytest.approx(0.182, abs=1e-3) and squared.boundary == pytest.approx(
        0.023, abs=1e-3
    )
    mean_label = ideal.staircase()[1].mean().item()
    assert log.forecast.mean().item() == pytest.approx(mean_label, abs=1e-6)
    assert squared.forecast.mean().item() > mean_label + 0.02
    assert log.log_regret < squared.log_regret and squared.squared_regret < log.squared_regret


@pytest.mark.claim("C52")
@pytest.mark.parametrize("seed", range(5))
def test_only_cross_entropy_makes_the_mean_prediction_the_mean_label(seed: int) -> None:
    x = 6 * torch.rand(300, 1, generator=generator(seed), dtype=torch.float64) - 3
    low, first, second = ideal.STEPS_OF_TRUTH
    eta = low + first * (x[:, 0] > -1) + second * (x[:, 0] > 2.5)
    label = ideal.happens(eta, seed + 100)
    fits = [
        ideal.linear_fit(loss, x, label) for loss in (losscore.binary_cross_entropy, losscore.binary_brier)
    ]
    means = [ideal.linear_scores(weights, x).sigmoid().mean().item() for weights in fits]
    assert means[0] == pytest.approx(label.mean().item(), abs=1e-6)
    assert abs(means[1] - label.mean().item()) > 1e-3
