"""What the page on robustness says about outliers, margins and flipped labels, over several seeds."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

import losscore
from losscore.lab import generator, interval, noisy_labels, paired, robustness

MARGINS = torch.linspace(-30, 30, 601, dtype=torch.float64)
CONVEX = [losscore.logistic, losscore.exponential, losscore.squared_hinge]


@pytest.mark.claim("C53")
def test_one_value_moves_the_mean_without_end_and_tukey_lets_it_go() -> None:
    places = torch.tensor([0.0, 10.0, 1000.0], dtype=torch.float64)
    rows = robustness.with_one_at(robustness.twenty_values(), places)
    found = {name: robustness.centre(rows, loss) for name, loss in robustness.location_losses().items()}
    torch.testing.assert_close(found["squared error"], rows.mean(1), rtol=1e-3, atol=2e-3)
    assert found["squared error"][2] > 49
    assert 0.05 < found["Huber"][1] < 0.3 and abs(found["Huber"][2] - found["Huber"][1]) < 0.02
    assert abs(found["Tukey"][2] - rows[2, :-1].mean()) < 0.1


@pytest.mark.claim("C53")
@pytest.mark.parametrize("seed", range(5))
def test_nine_bad_values_in_twenty_leave_huber_near_and_eleven_carry_it_off(seed: int) -> None:
    values = robustness.twenty_values(seed)
    for bad, low, high in ((9, -3.0, 5.0), (11, 45.0, 51.0)):
        moved = values.clone()
        moved[-bad:] = 50.0
        estimate = robustness.centre(moved[None], robustness.location_losses()["Huber"]).item()
        assert low < estimate < high


@pytest.mark.claim("C54")
@pytest.mark.parametrize("eta", [0.1, 0.35, 0.8, 0.97])
def test_the_best_score_is_the_log_odds_or_half_of_it_or_a_sign(eta: float) -> None:
    score = torch.linspace(-8, 8, 16001, dtype=torch.float64)
    one = torch.ones_like(score)
    odds = math.log(eta / (1 - eta))
    for loss, best in (
        (losscore.logistic, odds),
        (losscore.exponential, odds / 2),
        (losscore.hinge, math.copysign(1, odds)),
    ):
        risk = eta * loss(score, one, reduction="none") + (1 - eta) * loss(score, -one, reduction="none")
        assert score[risk.argmin()].item() == pytest.approx(best, abs=1e-3)
    through_sigmoid = eta * losscore.binary_brier(score, one, reduction="none")
    through_sigmoid += (1 - eta) * losscore.binary_brier(score, 0 * one, reduction="none")
    assert score[through_sigmoid.argmin()].item() == pytest.approx(odds, abs=1e-3)


@pytest.mark.claim("C55")
def test_without_wrong_labels_margins_are_negative_all_the_same() -> None:
    features, label, *_ = robustness.parity(0.0, seed=0)
    weight = robustness.margin_fit(features, lambda score: losscore.logistic(score, label), 1e-3)
    assert ((features @ weight) * label < 0).double().mean() > 0.03


@pytest.mark.claim("C56")
def test_adaboost_is_the_stagewise_descent_of_the_exponential_loss() -> None:
    points = torch.randn(60, 2, generator=generator(0), dtype=torch.float64)
    label = torch.where(
        points.sum(1) + torch.randn(60, generator=generator(1), dtype=torch.float64) > 0, 1.0, -1.0
    )
    stumps = [
        sign * torch.where(points[:, axis] > cut, 1.0, -1.0)
        for axis in (0, 1)
        for cut in points[:, axis].sort().values[::5].tolist()
        for sign in (1, -1)
    ]
    weight = torch.full((60,), 1 / 60, dtype=torch.float64)
    boosted, fitted = torch.zeros(60, dtype=torch.float64), torch.zeros(60, dtype=torch.float64)
    for _ in range(8):
        misses = [(weight * (stump != label)).sum().item() for stump in stumps]
        chosen = min(range(len(stumps)), key=misses.__getitem__)
        rate = misses[chosen] / (1 - misses[chosen])
        weight = weight * torch.where(stumps[chosen] == label, rate, 1.0)
        weight = weight / weight.sum()
        boosted = boosted + 0.5 * math.log(1 / rate) * stumps[chosen]

        steps = torch.linspace(0, 2, 4001, dtype=torch.float64)
        totals = torch.stack(
            [
                losscore.exponential(
                    fitted + steps[:, None] * stump, label.expand(4001, -1), reduction="none"
                ).sum(1)
                for stump in stumps
            ]
        )
        stage, step = divmod(int(totals.argmin()), 4001)
        fitted = fitted + steps[step] * stumps[stage]
        assert stage == chosen
    torch.testing.assert_close(fitted, boosted, rtol=0, atol=0.01)


@pytest.mark.claim("C57")
def test_the_logistic_loss_is_the_binary_cross_entropy_of_the_score() -> None:
    for sign in (1.0, -1.0):
        label = torch.full_like(MARGINS, sign)
        ours = losscore.logistic(MARGINS, label, reduction="none")
        torch.testing.assert_close(
            ours, F.binary_cross_entropy_with_logits(MARGINS, (label + 1) / 2, reduction="none")
        )


@pytest.mark.claim("C58", "C60", "C61")
def test_the_tails_of_the_two_losses() -> None:
    exponential, logistic = (
        robustness.pull(MARGINS, loss) for loss in (losscore.exponential, losscore.logistic)
    )
    torch.testing.assert_close(exponential, torch.exp(-MARGINS))
    torch.testing.assert_close(logistic, torch.sigmoid(-MARGINS))
    right = MARGINS > 12
    assert (logistic[right] / exponential[right] - 1).abs().max() < 1e-5
    assert logistic.max() <= 1 and exponential.max() > 1e13
    ones = torch.ones_like(MARGINS)
    gap = losscore.logistic(MARGINS, ones, reduction="none") + MARGINS
    assert gap[MARGINS < -25].abs().max() < 1e-10


@pytest.mark.claim("C59")
def test_the_easy_half_keeps_little_of_the_pull() -> None:
    shares = interval([robustness.share_of_the_easy_half(seed) for seed in range(5)])
    assert shares.high < 0.1


@pytest.mark.claim("C61")
@pytest.mark.parametrize("feature", [1.0, 10.0, 1000.0])
def test_in_the_weight_the_pull_grows_with_the_feature(feature: float) -> None:
    weight = torch.zeros((), dtype=torch.float64, requires_grad=True)
    losscore.logistic(weight * feature, torch.tensor(-1.0, dtype=torch.float64)).backward()
    assert weight.grad is not None and weight.grad.item() == feature / 2


@pytest.mark.claim("C62")
@pytest.mark.parametrize("loss", CONVEX)
def test_one_wrong_point_far_out_turns_every_convex_fit(loss) -> None:
    assert robustness.weight_with_one_wrong(loss, 39.0) > 0 > robustness.weight_with_one_wrong(loss, 41.0)


@pytest.mark.claim("C62")
def test_the_wrong_point_of_a_small_feature_costs_the_logistic_loss_less() -> None:
    assert robustness.weight_with_one_wrong(losscore.logistic, 4.0) == pytest.approx(2.1974, abs=1e-4)
    assert robustness.weight_with_one_wrong(losscore.exponential, 4.0) == pytest.approx(
        math.log(10) / 5, abs=1e-6
    )


@pytest.mark.claim("C62", "C53")
@pytest.mark.parametrize("loss", CONVEX)
def test_ten_percent_flips_defeat_convex_losses_on_four_points_and_none_do_not(loss) -> None:
    points = robustness.four_points()
    clean = points @ robustness.margin_fit(points, robustness.under_flips(loss, 0.0), ridge=1e-6)
    assert (clean > 0).all()
    noisy = points @ robustness.margin_fit(points, robustness.under_flips(loss, 0.1))
    assert (noisy[:2] > 0).all() and (noisy[2:] < 0).all()


@pytest.mark.claim("C62", "C53")
def test_a_loss_whose_sum_over_labels_is_constant_survives_the_four_points() -> None:
    points = robustness.four_points()
    for rate in (0.1, 0.3, 0.45):
        scores = points @ robustness.margin_fit(points, robustness.under_flips(robustness.sigmoid_loss, rate))
        assert (scores > 0).all()


@pytest.mark.claim("C62")
def test_a_smaller_rate_needs_a_smaller_gamma() -> None:
    for gamma, defeated in ((0.05, False), (0.002, True)):
        points = robustness.four_points(gamma)
        scores = points @ robustness.margin_fit(points, robustness.under_flips(losscore.logistic, 0.01))
        assert bool((scores[2:] < 0).all()) is defeated


@pytest.mark.claim("C62")
def test_on_flipped_parity_the_logistic_loss_beats_the_exponential() -> None:
    def accuracies(loss, rate: float = 0.2, ridge: float = 1e-3) -> list[float]:
        return [robustness.parity_accuracy(loss, rate, seed, ridge) for seed in range(16)]

    logistic, exponential = accuracies(losscore.logistic), accuracies(losscore.exponential)
    gain = paired(logistic, exponential)
    assert gain.low > 0.003
    assert paired(accuracies(losscore.logistic, rate=0.0), logistic).low > gain.mean
    tight = [accuracies(loss, ridge=1e-2) for loss in (losscore.logistic, losscore.exponential)]
    closed = [(a - b) - (c - d) for a, b, c, d in zip(logistic, exponential, *tight)]
    assert interval(closed).low > 0


def test_figures_of_the_page_can_be_drawn() -> None:
    import matplotlib.pyplot as plt

    for draw in (robustness.draw_one_wild_value, robustness.draw_leverage, robustness.draw_four_points):
        assert draw().axes
    plt.close("all")
    for figure in (robustness.slide_pull(), noisy_labels.slide_power()):
        assert "<svg" in figure._repr_html_()
