"""What the opening of Part I says, over several seeds."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import losscore
from losscore.claims import ledger
from losscore.lab import generator, interval, opening, paired
from losscore.lab.opening import Course, WideFit


@pytest.mark.claim("C03")
@pytest.mark.parametrize("seed", range(5))
def test_four_losses_have_four_answers(seed: int) -> None:
    times = opening.delivery_times(seed)
    assert opening.best_number("squared_error", times) == pytest.approx(times.mean().item(), abs=0.006)
    ordered = times.sort().values
    assert opening.best_number("absolute_error", times) == pytest.approx(ordered[100].item(), abs=0.02)
    upper = opening.best_number("pinball", times, quantile=0.9)
    assert upper == pytest.approx(ordered[180].item(), abs=0.02)
    shares = torch.bincount(times.long().clamp(max=11), minlength=12) / len(times)
    torch.testing.assert_close(opening.best_distribution(times), shares.double(), rtol=0, atol=2e-3)


@pytest.mark.claim("C04")
def test_an_objective_with_a_penalty_is_no_average_of_losses_and_has_another_minimiser() -> None:
    x = torch.randn(30, generator=generator(0), dtype=torch.float64)
    y = 2 * x + torch.randn(30, generator=generator(1), dtype=torch.float64)
    weights = torch.linspace(0, 3, 301, dtype=torch.float64)
    pairs = (weights[:, None] * x, y.expand(301, -1))
    risk = losscore.half_squared_error(*pairs, reduction="none").mean(1)
    objective = risk + 0.5 * weights**2 / 2
    assert not torch.allclose(objective, risk)
    assert weights[objective.argmin()] < weights[risk.argmin()] - 0.3


@pytest.mark.claim("C06")
@pytest.mark.parametrize("features", [5, 10, 20])
def test_training_risk_is_below_and_fresh_risk_above_the_least(features: int) -> None:
    run = opening.fitted_risks(features)
    assert interval(run.trained).high < 1 - 0.5 * features / 40
    assert interval(run.fresh).low > 1 + 0.5 * features / 40
    fixed = interval(run.fixed)
    assert fixed.low - 0.02 < 1 < fixed.high + 0.02


@pytest.mark.claim("C06")
def test_the_risks_of_least_squares_are_those_of_theory() -> None:
    run, n, d = opening.fitted_risks(10), 40, 10
    assert run.trained.mean().item() == pytest.approx(1 - d / n, abs=0.04)
    assert run.fresh.mean().item() == pytest.approx(1 + d / (n - d - 1), abs=0.05)


@pytest.fixture(scope="module")
def wide() -> dict[tuple[str, str], list[WideFit]]:
    seeds = range(10)
    return {
        ("coin", "descent"): [opening.fit_wide(seed, "coin", "descent") for seed in seeds],
        ("feature", "descent"): [opening.fit_wide(seed, "feature", "descent") for seed in seeds],
        ("feature", "Adam"): [opening.fit_wide(seed, "feature", "Adam") for seed in seeds],
    }


@pytest.mark.claim("C07")
def test_a_perfect_fit_to_coins_knows_nothing(wide: dict[tuple[str, str], list[WideFit]]) -> None:
    coins, real = wide["coin", "descent"], wide["feature", "descent"]
    assert all(fit.training_error == 0 and fit.loss < 1e-6 for fit in coins + real)
    unseen = interval([fit.unseen_error for fit in coins])
    assert unseen.low < 0.5 < unseen.high and unseen.half_width < 0.02
    assert interval([fit.unseen_error for fit in real]).high < 0.42


@pytest.mark.claim("C02")
def test_two_rules_end_at_the_same_loss_and_other_errors(wide: dict[tuple[str, str], list[WideFit]]) -> None:
    descent, adam = wide["feature", "descent"], wide["feature", "Adam"]
    assert all(fit.training_error == 0 and fit.loss < 1e-6 for fit in descent + adam)
    assert paired([a.unseen_error for a in adam], [d.unseen_error for d in descent]).low > 0.05


@pytest.fixture(scope="module")
def course() -> Course:
    return opening.course_of_training()


@pytest.mark.claim("C01")
def test_log_loss_gets_worse_while_errors_get_fewer(course: Course) -> None:
    early, late = course.steps.index(50), course.steps.index(400)
    assert paired(course.unseen[late], course.unseen[early]).low > 0.02
    assert paired(course.errors[early], course.errors[late]).low > 0.002
    assert (course.trained.mean(1).diff() < 0).all()


@pytest.mark.claim("C08")
@pytest.mark.parametrize("page", ["role", "ideal", "robustness", "regularisation"])
def test_each_of_the_four_effects_has_a_chapter_with_evidence(page: str) -> None:
    """Optimisation, the final model, robustness, generalisation."""
    taught = [entry for entry in ledger().values() if entry.page == f"principles/{page}"]
    assert sum(bool(entry.proofs) for entry in taught) >= 3
    assert sum(bool(entry.tests) for entry in taught) >= 5


def ends(line: Any, axis: str) -> list[float]:
    """The first and the last coordinate of a drawn line."""
    values = list(line.get_data()[axis == "y"])
    return [float(values[0]), float(values[-1])]


def test_drawings_show_what_they_are_given(course: Course) -> None:
    import matplotlib.pyplot as plt

    numbers = {"squared error": 3.0, "absolute error": 2.1, "pinball": 6.0}
    figure = opening.draw_four_answers(opening.delivery_times(), numbers)
    assert [ends(line, "x")[0] for line in figure.axes[0].lines] == list(numbers.values())
    above, below = opening.draw_course(course).axes
    assert len(above.lines) == 2 and len(below.lines) == 1
    fresh, trained = (ends(line, "y") for line in opening.draw_optimism(range(1, 6)).axes[0].lines[:2])
    assert trained[-1] < 1 < fresh[-1]
    plt.close("all")
