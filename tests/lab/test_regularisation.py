"""What the page on regularisation says about penalties, decay and the bias of descent, over several seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import linprog, minimize

import losscore
from losscore.lab import descend, generator, interval, paired
from losscore.lab import regularisation as lab

SEEDS = range(8)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


@pytest.fixture(scope="module")
def small() -> list[lab.Features]:
    return [lab.random_features(seed, 100) for seed in SEEDS]


@pytest.fixture(scope="module")
def large() -> list[lab.Features]:
    return [lab.random_features(seed, 2000) for seed in SEEDS]


@pytest.fixture(scope="module")
def slow() -> lab.MarginPath:
    return lab.margin_descent()


@pytest.fixture(scope="module")
def fast() -> lab.MarginPath:
    return lab.margin_flow()


@pytest.mark.claim("C70")
def test_of_two_perfect_fits_the_larger_model_has_less_than_a_third_of_the_error(
    small: list[lab.Features], large: list[lab.Features]
) -> None:
    errors = []
    for data in (small, large):
        fits = [draw.errors(draw.shortest()) for draw in data]
        assert max(seen for seen, _ in fits) < 1e-15
        errors.append([math.log(unseen) for _, unseen in fits])
    assert paired(errors[0], errors[1]).low > math.log(3)
    assert min(errors[0]) > max(errors[1])


@pytest.mark.claim("C70", "C71")
def test_more_features_than_any_smaller_model_do_better_on_unseen_data(large: list[lab.Features]) -> None:
    widest = [draw.errors(draw.shortest())[1] for draw in large]
    for d in (5, 20, 50):
        narrow = [
            draw.errors(draw.shortest())[1] for draw in (lab.random_features(seed, d) for seed in SEEDS)
        ]
        assert paired(narrow, widest).low > 0.05


@pytest.mark.claim("C71")
def test_stopping_early_does_what_a_penalty_does(small: list[lab.Features]) -> None:
    perfect = [math.log(draw.errors(draw.shortest())[1]) for draw in small]
    for other in (
        [math.log(draw.errors(draw.stopped(100))[1]) for draw in small],
        [math.log(draw.errors(draw.ridge(1e-3))[1]) for draw in small],
    ):
        assert paired(perfect, other).low > math.log(10)
        assert interval(other).high < math.log(0.45)


@pytest.mark.claim("C73")
def test_a_penalty_makes_descent_forget_its_start(small: list[lab.Features]) -> None:
    draw, penalty = small[0], 0.1
    solution = draw.ridge(penalty)
    for seed in range(2):
        run = descend(
            lambda w: losscore.half_squared_error(draw.train @ w, draw.target) + penalty / 2 * w @ w,
            normal(100, seed=seed),
            step=0.5,
            steps=400,
        )
        torch.testing.assert_close(run.path[-1], solution, rtol=0, atol=1e-8)


@pytest.mark.claim("C74", "C76")
def test_weight_decay_is_the_penalty_for_plain_descent_and_not_with_momentum() -> None:
    penalised, decayed = lab.penalised_and_decayed(0.0, steps=30)
    torch.testing.assert_close(decayed, penalised, rtol=0, atol=1e-12)
    penalised, decayed = lab.penalised_and_decayed(0.9)
    c = lab.CURVATURES
    torch.testing.assert_close(penalised, c / (c + 0.5), rtol=0, atol=1e-6)
    torch.testing.assert_close(decayed, c / (c + 0.05), rtol=0, atol=1e-6)


@pytest.mark.claim("C77")
@pytest.mark.parametrize("penalty", [0.01, 0.5, 5.0])
def test_the_first_step_of_adam_forgets_the_size_of_the_penalty(penalty: float) -> None:
    weights = torch.ones(3, dtype=torch.float64, requires_grad=True)
    rule = torch.optim.Adam([weights], lr=0.1, weight_decay=penalty)
    weights.grad = torch.tensor([3.0, 1e-3, -100.0], dtype=torch.float64)
    rule.step()
    expected = torch.tensor([0.9, 0.9, 1.1], dtype=torch.float64)
    torch.testing.assert_close(weights.detach(), expected, rtol=0, atol=1e-5)


@pytest.mark.claim("C77")
def test_adam_spares_noisy_weights_and_adamw_treats_all_alike() -> None:
    scales = torch.tensor([0.1, 10.0], dtype=torch.float64)
    left = {
        rule: torch.stack([lab.left_after_noise(rule, scales, seed) for seed in range(6)])
        for rule in (torch.optim.Adam, torch.optim.AdamW)
    }
    quiet, loud = left[torch.optim.Adam].T
    assert paired(loud.tolist(), quiet.tolist()).low > 0.6
    for column in left[torch.optim.AdamW].T:
        within = interval(column.tolist())
        assert within.low - 0.01 < math.exp(-0.5) < within.high + 0.01
    assert interval(loud.tolist()).low > math.exp(-0.5) + 0.3


@pytest.mark.claim("C78")
def test_pytorch_shrinks_with_the_step_and_not_after_it() -> None:
    gradients = normal(50, 4)
    weights = torch.ones(4, dtype=torch.float64, requires_grad=True)
    rule = torch.optim.AdamW([weights], lr=0.1, weight_decay=0.5)
    for gradient in gradients:
        weights.grad = gradient.clone()
        rule.step()
    apart = {
        order: (lab.decay_in_order(order, gradients, 0.1, 0.5) - weights.detach()).abs().max().item()
        for order in ("before", "with", "after")
    }
    assert apart["before"] < 1e-9 and apart["with"] < 1e-9
    assert apart["after"] > 1e-3


@pytest.mark.claim("C79")
@pytest.mark.parametrize("penalty", [0.1, 0.5, 1.5, 2.0, 5.0])
def test_adamw_ends_where_the_box_lets_it(penalty: float) -> None:
    inside = torch.full((2,), min(1, 1 / penalty), dtype=torch.float64)
    torch.testing.assert_close(lab.adamw_limit(penalty), inside, rtol=0, atol=2e-3)
    penalised = lab.CURVATURES / (lab.CURVATURES + penalty)
    assert (penalised - inside).abs().max() > 0.2


@pytest.mark.claim("C75")
@pytest.mark.parametrize("seed", range(5))
def test_decay_of_a_normalised_unit_is_a_growing_step(seed: int) -> None:
    shrink = 0.996
    decayed = lab.normalised_unit(shrink=shrink, seed=seed)
    growing = lab.normalised_unit(growth=shrink**-2, seed=seed)
    plain = lab.normalised_unit(seed=seed)
    torch.testing.assert_close(decayed.losses, growing.losses, rtol=0, atol=1e-12)
    assert (decayed.losses - plain.losses).abs().max() > 1e-3
    assert decayed.length < 0.5 * growing.length


@pytest.mark.claim("C72", "C81")
def test_the_hard_margin_direction_solves_its_problem() -> None:
    points = lab.signed_points().numpy()
    found = minimize(
        lambda w: w @ w / 2,
        np.ones(2),
        jac=lambda w: w,
        constraints={"type": "ineq", "fun": lambda w: points @ w - 1, "jac": lambda w: points},
    )
    np.testing.assert_allclose(found.x, lab.WIDEST.numpy(), atol=1e-6)


def test_the_written_gradient_is_that_of_the_logistic_loss() -> None:
    points, weights = lab.signed_points(), normal(2).requires_grad_()
    loss = losscore.logistic(points @ weights, torch.ones(6, dtype=torch.float64))
    (gradient,) = torch.autograd.grad(loss, weights)
    torch.testing.assert_close(lab.margin_gradient(points, weights.detach()), gradient)


@pytest.mark.claim("C81")
def test_descent_turns_away_from_the_widest_margin_for_decades(slow: lab.MarginPath) -> None:
    angle = slow.angle.tolist()
    assert angle[2] < angle[3] < angle[4] < angle[5]
    assert angle[2] < 0.6 and 2.2 < angle[5] < 2.6


@pytest.mark.claim("C81", "C82")
def test_the_same_way_walked_faster_turns_back(slow: lab.MarginPath, fast: lab.MarginPath) -> None:
    for index in (3, 4, 5):
        near = (fast.log_time - slow.log_time[index]).abs().argmin()
        assert fast.angle[near] == pytest.approx(slow.angle[index].item(), abs=0.25)
    late = fast.log_time > math.log(1000)
    peak = fast.angle[late].argmax()
    assert 5.5 < fast.log_time[late][peak] / math.log(10) < 7.5
    assert fast.angle[late][peak] == pytest.approx(2.57, abs=0.05)
    assert fast.angle[-1] < fast.angle[late][peak] / 3
    finer = lab.margin_flow(step=0.01)
    assert finer.angle[-1] == pytest.approx(fast.angle[-1].item(), abs=0.02)


@pytest.mark.claim("C81")
def test_a_decade_adds_a_fixed_length(fast: lab.MarginPath) -> None:
    late = fast.log_time > 50
    rise = (fast.length[late][-1] - fast.length[late][0]) / (fast.log_time[late][-1] - fast.log_time[late][0])
    assert rise == pytest.approx(lab.WIDEST.norm().item(), rel=0.002)


@pytest.mark.claim("C81")
def test_a_network_keeps_the_margin_that_its_start_chose() -> None:
    own = torch.cat([lab.THREE_POINTS, lab.THREE_LABELS[:, None]], 1) / 10
    shared = own.clone()
    shared[:2, :2] = torch.tensor([0.1, 0.0])
    assert lab.network_margin(own) == pytest.approx(1 / 3, abs=0.001)
    assert lab.network_margin(shared) == pytest.approx(3 / 8, abs=0.001)
    margins = [lab.network_margin(normal(6, 3, seed=seed) / 10) for seed in range(6)]
    assert max(margins) < 3 / 8
    assert sum(abs(margin - 1 / 3) < 0.002 for margin in margins) >= 2
    assert sum(margin > 0.35 for margin in margins) >= 2


@pytest.mark.claim("C72", "C82")
def test_another_algorithm_or_loss_prefers_another_direction() -> None:
    points = lab.signed_points()
    box = torch.tensor([1.0, 1.0], dtype=torch.float64)
    size = linprog(
        [0, 0, 1],
        A_ub=np.vstack(
            [
                np.hstack([-points.numpy(), np.zeros((6, 1))]),
                [[1, 0, -1], [-1, 0, -1], [0, 1, -1], [0, -1, -1]],
            ]
        ),
        b_ub=[-1] * 6 + [0] * 4,
        bounds=[(None, None)] * 3,
    ).x
    assert size[0] == pytest.approx(size[1])
    adam = lab.adam_direction()
    assert lab.degrees_between(adam, box) < 0.5 and lab.degrees_between(adam, lab.WIDEST) > 4
    squares = torch.linalg.pinv(points) @ torch.ones(6, dtype=torch.float64)
    assert lab.degrees_between(squares, lab.WIDEST) > 2


def mixing(seed: int, d: int = 12) -> torch.Tensor:
    return torch.eye(d, dtype=torch.float64) + 0.3 * normal(d, d, seed=seed + 50)


@pytest.mark.claim("C83")
@pytest.mark.parametrize("seed", range(3))
def test_minimisers_map_by_the_change_of_coordinates(seed: int) -> None:
    features, target, change = normal(20, 5, seed=seed), normal(20, seed=seed + 9), mixing(seed, 5)
    in_theta = torch.linalg.lstsq(features @ change, target).solution
    torch.testing.assert_close(change @ in_theta, torch.linalg.lstsq(features, target).solution)


@pytest.mark.claim("C84")
def test_the_path_differs_unless_the_coordinates_are_turned_and_stretched_evenly() -> None:
    features, target = normal(4, 12), normal(4, seed=1)
    turned = torch.linalg.qr(normal(12, 12, seed=2)).Q
    plain = lab.descend_in_coordinates(features, target, torch.eye(12, dtype=torch.float64), steps=30).path
    same = lab.descend_in_coordinates(features, target, 3 * turned, steps=30).path
    other = lab.descend_in_coordinates(features, target, mixing(0), steps=30).path
    torch.testing.assert_close(same, plain, rtol=0, atol=1e-12)
    assert (other - plain).norm() > 0.1 * plain.norm()


@pytest.mark.claim("C80", "C85")
@pytest.mark.parametrize("seed", range(5))
def test_descent_in_coordinates_ends_at_the_solution_of_least_norm_in_them(seed: int) -> None:
    features, target, change = normal(4, 12, seed=seed), normal(4, seed=seed + 9), mixing(seed)
    limit = lab.least_in_coordinates(features, target, change)
    reached = lab.descend_in_coordinates(features, target, change, steps=3000, factor=1.9).path[-1]
    torch.testing.assert_close(reached, limit, rtol=0, atol=1e-7)
    torch.testing.assert_close(features @ limit, target)
    inverse = torch.linalg.inv(change)
    null = torch.eye(12, dtype=torch.float64) - torch.linalg.pinv(features) @ features
    others = limit + normal(500, 12, seed=seed + 20) @ null
    torch.testing.assert_close(others @ features.T, target.expand(500, -1))
    assert ((others @ inverse.T).norm(dim=1) > (inverse @ limit).norm()).all()


@pytest.mark.claim("C72", "C85")
def test_every_hypothesis_on_the_limit_is_needed() -> None:
    features, target, change = normal(4, 12), normal(4, seed=9), mixing(0)
    limit = lab.least_in_coordinates(features, target, change)
    away = normal(12, seed=5)
    elsewhere = lab.descend_in_coordinates(features, target, change, steps=3000, start=away).path[-1]
    inverse = torch.linalg.inv(change)
    nearest = away + lab.least_in_coordinates(features, target - features @ away, change)
    torch.testing.assert_close(elsewhere, nearest, rtol=0, atol=1e-6)
    assert (inverse @ (elsewhere - limit)).norm() > 0.5
    assert lab.descend_in_coordinates(features, target, change, steps=200, factor=2.05).losses[-1] > 10
    doubled = torch.cat([features, features])
    torn = torch.cat([target, target + 1])
    settled = lab.descend_in_coordinates(doubled, torn, change, steps=3000).path[-1]
    torch.testing.assert_close(
        settled, lab.least_in_coordinates(features, target + 0.5, change), rtol=0, atol=1e-6
    )


@pytest.mark.claim("C86")
def test_the_two_solutions_agree_exactly_when_the_condition_says_so() -> None:
    features, target = normal(4, 12), normal(4, seed=9)
    least = torch.linalg.pinv(features) @ target
    row = torch.linalg.pinv(features) @ features
    inside = torch.eye(12, dtype=torch.float64) + 2 * row
    for change, agree in ((mixing(0), False), (torch.linalg.qr(mixing(1)).Q, True), (inside, True)):
        tested = torch.linalg.solve(change @ change.T, least)
        assert bool((tested - row @ tested).norm() < 1e-8) is agree
        apart = (lab.least_in_coordinates(features, target, change) - least).norm()
        assert bool(apart < 1e-8) is agree


@pytest.mark.claim("C87")
@pytest.mark.parametrize("seed", [0, 2, 3, 4, 5])
def test_a_small_start_in_squares_finds_few_weights_and_a_large_one_small_weights(seed: int) -> None:
    features, target, truth = lab.sparse_problem(seed)
    least = linprog(
        np.ones(80), A_eq=np.hstack([features, -features]), b_eq=target.numpy(), bounds=(0, None)
    ).fun
    short = torch.linalg.pinv(features) @ target
    small, large = (lab.descend_in_squares(features, target, begin, steps=7000) for begin in (1e-3, 1.0))
    assert small.abs().sum() < 1.02 * least
    assert (small - truth).norm() < 0.05 * truth.norm()
    assert large.abs().sum() > 1.2 * least
    assert (large - short).norm() < 0.02 * short.norm()


@pytest.mark.claim("C87")
def test_a_start_that_is_not_small_enough_misses() -> None:
    features, target, truth = lab.sparse_problem(1)
    arrived, under_way = (lab.descend_in_squares(features, target, begin) for begin in (1e-3, 1e-8))
    missed = [((found - truth).norm() / truth.norm()).item() for found in (arrived, under_way)]
    assert missed[0] > 0.4 and missed[1] < 0.7 * missed[0]
    unfitted = [(features @ found - target).norm().item() for found in (arrived, under_way)]
    assert unfitted[0] < 0.01 and unfitted[1] > 0.1
    least = linprog(
        np.ones(80), A_eq=np.hstack([features, -features]), b_eq=target.numpy(), bounds=(0, None)
    ).x
    np.testing.assert_allclose(least[:40] - least[40:], truth, atol=1e-6)
