"""The exercise on two best fits: its numbers, and what its page says."""

from __future__ import annotations

import math
from typing import Any

import pytest
import sympy as sp
import torch
from torch import Tensor

from losscore.exercises import answer, check, solution
from losscore.exercises.misfit_fit import FIT, fit_population
from losscore.exercises.misfit_gradient import GRADIENT, LOSSES, gradient
from losscore.lab import ideal, interval, misfit, paired
from tests.exercises.pages import run_page

X, ETA = ideal.staircase(1200)


def by_autograd(a: Tensor, b: Tensor, x: Tensor, eta: Tensor, loss: str) -> Tensor:
    a, b = a.clone().requires_grad_(), b.clone().requires_grad_()
    z = a[..., None] * x + b[..., None]
    risk = LOSSES[loss](z, eta, reduction="none").mean(-1).sum()
    return torch.stack(torch.autograd.grad(risk, (a, b)), -1)


def by_scipy(x: Tensor, eta: Tensor, loss: str) -> Tensor:
    from scipy.optimize import minimize

    t = (x - x.mean()) / x.std()

    def risk(w: Any) -> tuple[float, Any]:
        a, b = torch.tensor(w, dtype=x.dtype)
        value = LOSSES[loss](a * t + b, eta, reduction="mean").item()
        return value, gradient(a, b, t, eta, loss).numpy()

    found = [minimize(risk, (slope, 0.0), jac=True, options={"gtol": 1e-10}) for slope in (0.0, 2.5, -2.5)]
    slope, height = min(found, key=lambda result: result.fun).x
    a = slope / x.std()
    return torch.stack([a, height - a * x.mean()])


def test_right_functions_of_another_make_pass() -> None:
    assert check("misfit.gradient", by_autograd).ok
    assert check("misfit.fit_population", by_scipy).ok


@pytest.mark.parametrize(
    ("task", "function", "hint"),
    [
        ("gradient", lambda *given: gradient(*given).sum(-1), "a tensor of shape"),
        ("gradient", lambda *given: gradient(*given) * 1.01, "the right value is"),
        ("gradient", lambda a, b, x, eta, loss: gradient(a, b, x, eta, loss) * torch.ones(2, dtype=x.dtype), "On a GPU"),
        ("fit_population", lambda *given: tuple(fit_population(*given)), "Return a tensor"),
        ("fit_population", lambda *given: fit_population(*given) * 1.01, "Or does your search stop too early?"),
    ],
)  # fmt: skip
def test_what_no_listed_mistake_explains_is_caught_with_a_reason(task: str, function: Any, hint: str) -> None:
    result = check(f"misfit.{task}", function)
    assert result.status == "failed" and hint in result.notes[0]


def test_the_gradient_is_that_of_the_library_losses() -> None:
    for cases in GRADIENT.inputs.values():
        for case in cases:
            torch.testing.assert_close(gradient(*case), by_autograd(*case), rtol=1e-9, atol=1e-13)


def test_no_fit_on_a_grid_is_better() -> None:
    slopes, heights = (torch.linspace(-9, 9, 73, dtype=torch.float64) for _ in range(2))
    a, b = torch.meshgrid(slopes, heights, indexing="ij")
    z = a[..., None] * X[::10] + b[..., None]
    for x, eta, loss in FIT.inputs["cross-entropy"] + FIT.inputs["brier"]:
        z = a[..., None] * x + b[..., None]
        risks = LOSSES[loss](z, eta.expand_as(z), reduction="none").mean(-1)
        w = fit_population(x, eta, loss)
        assert LOSSES[loss](w[0] * x + w[1], eta, reduction="mean") <= risks.min() + 1e-12


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run_page("misfit")


@pytest.mark.claim("C52")
def test_the_numbers_of_the_exercise(page: dict[str, Any]) -> None:
    log, squared = page["fits"].values()
    for fit, numbers in (
        (log, (0.7830, -0.1423, 0.1818, 0.4750, 0.0685, 0.0254)),
        (squared, (0.7484, -0.0170, 0.0227, 0.4969, 0.0700, 0.0248)),
    ):
        found = (
            fit.slope,
            fit.intercept,
            fit.boundary,
            fit.forecast.mean().item(),
            fit.log_regret,
            fit.squared_regret,
        )
        assert found == pytest.approx(numbers, abs=6e-5)
    assert page["errors"] == pytest.approx([0.2841, 0.2761], abs=6e-5)
    assert page["reversed_errors"] == pytest.approx([0.3962, 0.3964], abs=6e-5)
    assert page["reversed_errors"][0] < page["reversed_errors"][1]
    assert torch.minimum(ETA, 1 - ETA).mean().item() == pytest.approx(0.225)


@pytest.mark.claim("C52")
def test_only_cross_entropy_balances_the_plain_residuals() -> None:
    for loss, balanced in (("cross-entropy", True), ("brier", False)):
        a, b = fit_population(X, ETA, loss)
        residual = torch.sigmoid(a * X + b) - ETA
        assert (abs(residual.mean().item()) < 1e-6) == ((residual * X).mean().abs().item() < 1e-6) == balanced


@pytest.mark.parametrize("eta", [0.05, 0.3, 0.5])
def test_a_small_error_costs_what_the_taylor_series_says(eta: float) -> None:
    d = 1e-4
    truth = torch.tensor([eta], dtype=torch.float64)
    for loss, cost in (("cross-entropy", d**2 / (2 * eta * (1 - eta))), ("brier", d**2)):
        honest, wrong = (LOSSES[loss]((truth + e).logit(), truth, reduction="mean") for e in (0.0, d))
        assert (wrong - honest).item() == pytest.approx(cost, rel=5e-3)


def test_the_answers_are_these_numbers() -> None:
    p, eta, d = sp.symbols("p eta d")
    assert answer("misfit.truth", mean=0.475, error=0.225).ok
    assert answer("misfit.slopes", cross_entropy=p - eta, brier=2 * (p - eta) * (p - p**2)).ok
    assert answer(
        "misfit.penalty", cross_entropy=d**2 * (1 / eta + 1 / (1 - eta)) / 2, brier=d**2, ratio=5.263
    ).ok
    assert answer("misfit.reach", staircase="neither", sigmoid="both").ok
    for number in ("0.475", "0.225", "5.263"):
        assert number in solution("misfit").text


def test_the_page_says_what_its_runs_show(page: dict[str, Any]) -> None:
    plain, squared, lazy, ran_off = (page[name] for name in ("plain", "squared", "lazy", "ran_off"))
    assert len(plain.slope) == page["sets"] >= 400
    assert plain.slope.max() < 5
    assert paired((squared.slope > 5).double(), (plain.slope > 5).double()).low > 0.05
    assert paired((squared.slope > 5).double(), (lazy.slope > 5).double()).low > 0.02
    assert (lazy.slope > 5).sum() >= 5
    assert interval((plain.log_loss < squared.log_loss).double()).low > 0.55
    even = interval((plain.squared_regret < squared.squared_regret).double())
    assert even.low < 0.5 < even.high
    assert 0.005 < paired(plain.error, squared.error).low < paired(plain.error, squared.error).high < 0.015
    assert squared.log_loss[ran_off].median() > 20 and plain.log_loss[ran_off].median() < 0.7
    assert [round(v.slope.median().item(), 1) for v in (plain, squared)] == [0.8, 0.8]


def test_a_step_has_the_lower_brier_score_on_its_sample(page: dict[str, Any]) -> None:
    """The runaway fits are no failures of the search: they beat the best gentle slope on their own data."""
    x, y, ran_off = page["points"], page["labels"], page["ran_off"]
    steep, gentle = (
        misfit.fit_samples(gradient, loss, x, y, starts=8) for loss in ("brier", "cross-entropy")
    )

    def score(weights: Tensor) -> Tensor:
        return (torch.sigmoid(weights[:, :1] * x + weights[:, 1:]) - y).square().mean(-1)

    assert (score(steep) < score(gentle))[ran_off].all()
    assert all(len(set(labels[order].diff().tolist()) - {0.0}) > 1 for labels, order in zip(y[ran_off], x[ran_off].argsort(-1)))  # fmt: skip


def test_fits_to_samples_are_those_of_the_library() -> None:
    x, y = misfit.samples(5)
    found = misfit.fit_samples(gradient, "cross-entropy", x, y)
    for weights, points, labels in zip(found, x, y):
        expected = ideal.linear_fit(LOSSES["cross-entropy"], points[:, None], labels)
        torch.testing.assert_close(weights, expected, rtol=1e-4, atol=1e-5)
    assert gradient(found[:, 0], found[:, 1], x, y, "cross-entropy").abs().max() < 1e-8


def test_samples_follow_the_staircase() -> None:
    x, y = misfit.samples(200)
    assert x.shape == y.shape == (200, 60) and x.abs().max() < 3
    for low, high, level in ((-3, -1, 0.05), (-1, 2.5, 0.65), (2.5, 3, 0.95)):
        inside = y[(x > low) & (x < high)]
        assert inside.mean().item() == pytest.approx(
            level, abs=4 * math.sqrt(level * (1 - level) / len(inside))
        )


def test_the_fits_stay_on_their_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta device stands for a GPU: a tensor made elsewhere would stop the run before its end."""
    monkeypatch.setattr(misfit, "device", lambda: torch.device("meta"))
    x, y = misfit.samples(3)
    found = misfit.fit_samples(gradient, "brier", x, y, starts=2, steps=1)
    assert misfit.in_the_population(found).error.device.type == "meta"
    with pytest.raises(RuntimeError, match="device"):
        misfit.fit_samples(lambda *given: gradient(*given) * torch.ones(3, 1), "brier", x, y, steps=1)
