"""The exercise on decay: its numbers from PyTorch's optimisers and a quadratic solver, its page, its devices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from scipy.optimize import minimize  # type: ignore[import-untyped]
from torch import Tensor
from torch.nn import functional

from losscore.exercises import answer, check, solution
from losscore.exercises.decay_margin import GD_LOGISTIC, gd_logistic
from losscore.exercises.decay_steps import TAKE_STEPS, take_steps
from losscore.lab import decay as lab
from losscore.lab import generator, interval, paired
from losscore.lab.regularisation import WIDEST, degrees_between, signed_points, six_points
from tests.exercises.pages import cells, run

OPTIMISERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def by_pytorch(w: Tensor, gradients: Tensor, kind: str, lr: float, decay: float, **options: float) -> Tensor:
    weights = w.clone().requires_grad_()
    rule = OPTIMISERS[kind]([weights], lr=lr, weight_decay=decay, **options)
    for gradient in gradients:
        weights.grad = gradient.clone()
        rule.step()
    return weights.detach()


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64)


def shortest(points: Tensor, *, bias: bool = False) -> np.ndarray:
    """The hard-margin solution of signed points by sequential quadratic programming, with the bias last if it has one."""
    X, y = six_points()
    rows = torch.cat([points, y[:, None]], 1).numpy() if bias else points.numpy()
    start = np.linalg.lstsq(rows, np.ones(len(rows)), rcond=None)[0] * 5
    constraint = {"type": "ineq", "fun": lambda v: rows @ v - 1}
    found = minimize(
        lambda v: v[:2] @ v[:2] / 2,
        start,
        constraints=[constraint],
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 500},
    )
    return np.asarray(found.x)


@pytest.mark.parametrize("kind", OPTIMISERS)
@pytest.mark.parametrize("seed", range(5))
def test_the_reference_takes_the_steps_of_pytorch(kind: str, seed: int) -> None:
    w, gradients = normal(3, 2, seed=seed), normal(5, 3, 2, seed=100 + seed)
    ours, theirs = (walk(w, gradients, kind, 0.1, 0.5) for walk in (take_steps, by_pytorch))
    torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-10)


def test_one_step_from_one_one() -> None:
    w, g = torch.ones(2, dtype=torch.float64), torch.tensor([[1e-2, 1e2]], dtype=torch.float64)
    after = {kind: by_pytorch(w, g, kind, 0.1, 0.5).tolist() for kind in OPTIMISERS}
    assert after["sgd"] == pytest.approx([0.949, -9.05])
    assert after["adam"] == pytest.approx([0.9, 0.9], abs=1e-6)
    assert after["adamw"] == pytest.approx([0.85, 0.85], abs=1e-6)
    assert answer("decay.first_step", **after).ok
    for decay in (0.0, 5.0):
        assert by_pytorch(w, g, "adam", 0.1, decay).tolist() == pytest.approx([0.9, 0.9], abs=1e-6)
    assert answer("decay.larger", "just as far").ok


def test_momentum_parts_penalty_and_decay_in_the_second_step() -> None:
    w, gradients = torch.tensor([3.0], dtype=torch.float64), normal(2, 1, seed=1)
    penalised = by_pytorch(w, gradients, "sgd", 0.1, 0.5, momentum=0.8)
    decayed, buffer = w, torch.zeros(1, dtype=torch.float64)
    for gradient in gradients:
        buffer = 0.8 * buffer + gradient
        decayed = (1 - 0.1 * 0.5) * decayed - 0.1 * buffer
    alpha, lam, mu, weight = sp.symbols("alpha lambda mu w")
    gap = -alpha * mu * lam * weight
    assert answer("decay.momentum", factor=1 - alpha * lam, gap=gap).ok
    assert (penalised - decayed).item() == pytest.approx(
        float(gap.subs({alpha: 0.1, lam: 0.5, mu: 0.8, weight: 3}))
    )


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_adamw_is_a_polynomial_in_the_decay_with_a_degree_for_each_step(steps: int) -> None:
    w, gradients = normal(3, seed=2), normal(steps, 3, seed=3)
    values = torch.stack([by_pytorch(w, gradients, "adamw", 0.1, 1.0 * k) for k in range(steps + 2)])
    above, within = (torch.diff(values[: order + 1], n=order, dim=0) for order in (steps + 1, steps))
    assert above.abs().max() < 1e-12
    assert within.abs().min() > 1e-6


def test_the_decay_of_a_thousand_steps() -> None:
    assert pytest.approx(0.60645, abs=5e-6) == 0.9995**1000
    assert answer("decay.left", 0.6065).ok and answer("decay.left", sp.exp(-sp.Rational(1, 2)).evalf(8)).ok


def test_the_widest_margin_is_feasible_and_shortest() -> None:
    points = signed_points()
    assert (points @ WIDEST).min().item() == pytest.approx(1)
    assert shortest(points) == pytest.approx(WIDEST.numpy(), abs=1e-6)
    tried = 2 * normal(20_000, 2, seed=4)
    feasible = tried[(tried @ points.T).amin(1) >= 1]
    assert len(feasible) > 100 and (feasible.norm(dim=1) >= WIDEST.norm()).all()
    assert answer("decay.widest", WIDEST).ok and answer("decay.widest", [0.4444, 0.3704]).ok
    biased = shortest(points, bias=True)
    assert biased[:2] == pytest.approx([6 / 13, 4 / 13], abs=1e-6) and abs(biased[2]) > 0.01
    assert "with a bias" in answer("decay.widest", list(map(float, biased[:2]))).notes[0]


def test_the_widest_margins_of_the_random_sets() -> None:
    sets = lab.separable_sets(20, seed=5)
    goal = lab.widest(sets)
    assert goal.norm(dim=1).max() < 1 / 0.3
    for points, found in zip(sets, goal, strict=True):
        assert shortest(points) == pytest.approx(found.numpy(), abs=1e-5)


def test_growth_of_the_length() -> None:
    t, r = sp.symbols("t r")
    assert answer("decay.growth", pull=1 / (1 + t * t**r), decade=1.332).ok
    assert math.log(10) * WIDEST.norm().item() == pytest.approx(1.332, abs=5e-4)
    for number in ("0.949", "(0.85,0.85)", "0.60645", r"\frac{10}{27}", "1.33"):
        assert number in solution("decay").text


def test_the_far_end_of_the_rescaled_walk() -> None:
    """A step of 1 brings 10⁴ steps as far as a step of 0.1 brings 10⁵."""
    X, y = six_points()
    w = gd_logistic(torch.zeros(2, dtype=torch.float64), X, y, 10_000, 1.0, True)
    assert math.radians(degrees_between(w, WIDEST).item()) == pytest.approx(2.7e-5, rel=0.03)


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run(cells("decay"))


def test_the_page_says_what_its_walks_show(page: dict[str, Any]) -> None:
    assert page["beta"] == pytest.approx(9.437, abs=5e-4)
    radians = torch.deg2rad(page["plain"].angle)
    assert radians[6::3].tolist() == pytest.approx([0.0095, 0.0188, 0.0338, 0.0413], abs=5e-5)
    assert page["gains"].tolist() == pytest.approx([1.26, 1.28], abs=5e-3)
    angle, fast = page["plain"].angle, page["fast"].angle
    assert angle.argmin() == 7 and angle[7] < 0.1 and (angle[7:].diff() > 0).all()
    assert fast[:6].argmin() == 4 and fast[5] > 2.5 and (fast[5:].diff() < 0).all() and fast[-1] < 0.015
    assert page["fast"].length[-1].item() == pytest.approx(1832, abs=1)


def test_the_page_says_what_noise_leaves(page: dict[str, Any]) -> None:
    assert page["final"]["adam"].mean(0).tolist() == pytest.approx([0.951, 0.273], abs=2e-3)
    for kind in ("adamw", "sgd"):
        for column in page["final"][kind].T:
            assert abs(interval(column).mean - 0.9995**1000) < 3 * interval(column).half_width
    assert interval(page["final"]["adamw"][:, 0]).half_width < 0.01
    assert page["apart"].low > 0.6
    spread = page["final"]["sgd"].std(0)
    assert spread[0] > 5 * page["final"]["adamw"][:, 0].std()


def test_the_growing_angle_is_an_exception(page: dict[str, Any]) -> None:
    angle = page["angle"]
    assert 0 < page["turned"] < page["sets"] / 5
    assert paired(angle[2].log(), angle[5].log()).low > 0.5
    assert (angle.median(1).values.diff() < 0).all() and angle[5].median() > 1


def test_a_learner_with_autograd_passes() -> None:
    def descend(w: Tensor, X: Tensor, y: Tensor, steps: int, lr: float, rescaled: bool) -> Tensor:
        for _ in range(steps):
            place = w.clone().requires_grad_()
            m = y * (X @ place)
            cost = functional.softplus(-m).sum()
            if rescaled and m.min() > 30:
                cost = torch.logsumexp(-m, 0)
                (slope,) = torch.autograd.grad(cost, place)
            else:
                (slope,) = torch.autograd.grad(cost.log() if rescaled else cost, place)
            w = w - lr * slope
        return w

    assert check("decay.gd_logistic", descend).notes == ()
    assert check("decay.take_steps", by_pytorch).notes == ()


def test_a_learner_who_divides_by_a_rounded_loss_is_told_where_it_breaks() -> None:
    def descend(w: Tensor, X: Tensor, y: Tensor, steps: int, lr: float, rescaled: bool) -> Tensor:
        for _ in range(steps):
            m = y * (X @ w)
            move = (y * torch.sigmoid(-m)) @ X
            cost = functional.softplus(-m).sum().clamp(min=1e-300)
            w = w + lr * move / (cost if rescaled else 1)
        return w

    assert "Divide before you exponentiate" in check("decay.gd_logistic", descend).notes[0]


def test_the_runs_stay_on_their_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta device stands for a GPU: a tensor made elsewhere would stop the run before its end."""
    copied: list[str] = []

    def arrive(tensor: Tensor) -> Tensor:
        copied.append(tensor.device.type)
        return torch.zeros(tensor.shape, dtype=tensor.dtype)

    monkeypatch.setattr(lab, "device", lambda: torch.device("meta"))
    gradients, sets = lab.noise(4, steps=3), lab.separable_sets(3)
    monkeypatch.setattr(Tensor, "cpu", arrive)
    assert {gradients.device.type, sets.device.type} == {"meta"}
    for kind in OPTIMISERS:
        assert take_steps(torch.ones_like(gradients[0]), gradients, kind, 0.1, 0.5).device.type == "meta"
    lab.angles(sets, decades=0)
    assert copied == ["meta"]


def test_the_six_points_are_those_of_the_page() -> None:
    X, y = six_points()
    w, points, labels, *_ = GD_LOGISTIC.inputs["plain"][0]
    assert torch.equal(X, points) and torch.equal(y, labels) and not w.any()
    assert TAKE_STEPS.tolerance == 1e-8
