"""The exercise on the coordinates of descent: its numbers, and what its page says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from scipy.optimize import minimize
from torch import Tensor

from losscore.exercises import answer, check, solution
from losscore.exercises.coordinates_descent import GD, gd
from losscore.exercises.coordinates_limit import LIMIT, limit
from losscore.lab import coordinates as lab
from losscore.lab import interval, paired
from losscore.lab.regularisation import descend_in_coordinates, least_in_coordinates, sparse_problem
from tests.exercises.pages import cells, run


def by_autograd(X: Tensor, y: Tensor, A: Tensor, theta0: Tensor, step: float, T: int) -> Tensor:
    theta = theta0.clone().requires_grad_()
    rule = torch.optim.SGD([theta], lr=step)
    path = [A @ theta.detach()]
    for _ in range(T):
        rule.zero_grad()
        (0.5 * (X @ (A @ theta) - y).square().sum()).backward()
        rule.step()
        path.append(A @ theta.detach())
    return torch.stack(path)


def preconditioned(X: Tensor, y: Tensor, A: Tensor, theta0: Tensor, step: float, T: int) -> Tensor:
    path = [A @ theta0]
    for _ in range(T):
        path.append(path[-1] - step * A @ (A.T @ (X.T @ (X @ path[-1] - y))))
    return torch.stack(path)


def by_the_formula(X: Tensor, y: Tensor, A: Tensor) -> Tensor:
    return A @ A.T @ X.T @ torch.linalg.pinv(X @ A @ A.T @ X.T) @ y


def by_least_squares(X: Tensor, y: Tensor, A: Tensor) -> Tensor:
    return A @ torch.linalg.lstsq(X @ A, y, driver="gelsd").solution


@pytest.mark.parametrize("function", [by_autograd, preconditioned])
def test_other_descents_pass(function: Any) -> None:
    assert check("coordinates.gd", function).ok


@pytest.mark.parametrize("function", [by_the_formula, by_least_squares, least_in_coordinates])
def test_other_limits_pass(function: Any) -> None:
    assert check("coordinates.limit", function).ok


def solve_theta(X: Tensor, y: Tensor, A: Tensor) -> Tensor:
    return A @ torch.linalg.solve(X @ A, y)


def last_only(*arguments: Any) -> Tensor:
    return gd(*arguments)[-1]


def moved_in_place(X: Tensor, y: Tensor, A: Tensor, theta0: Tensor, step: float, T: int) -> Tensor:
    path = [A @ theta0]
    for _ in range(T):
        theta0 -= step * A.T @ X.T @ (X @ A @ theta0 - y)
        path.append(A @ theta0)
    return torch.stack(path)


@pytest.mark.parametrize(
    ("task", "function", "hint"),
    [
        ("gd", last_only, "a tensor of shape (4,)"),
        ("gd", lambda *arguments: gd(*arguments)[1:], "a tensor of shape (4, 4)"),
        ("gd", lambda *arguments: gd(*arguments).tolist(), "Return a tensor"),
        ("gd", moved_in_place, "changes its input theta0 in place"),
        ("limit", solve_theta, "raised"),
        ("limit", lambda X, y, A: limit(X, y, A)[:, None], "a tensor of shape"),
        ("limit", lambda X, y, A: 1.01 * limit(X, y, A), "misses y by more than rounding"),
        ("limit", lambda X, y, A: gd(X, y, A, 0 * X[0], 1 / float((X @ A).norm()) ** 2, 30)[-1], "stop a descent early"),
    ],
)  # fmt: skip
def test_what_no_listed_mistake_explains_is_caught_with_a_reason(task: str, function: Any, hint: str) -> None:
    result = check(f"coordinates.{task}", function)
    assert result.status == "failed" and hint in result.notes[0]


def test_the_references_are_those_of_the_lab() -> None:
    for cases in LIMIT.inputs.values():
        for case in cases:
            torch.testing.assert_close(limit(*case), least_in_coordinates(*case), rtol=1e-8, atol=1e-12)
    X, y, A, theta0, step, _ = GD.inputs["a few steps"][1]
    share = step * torch.linalg.matrix_norm(X @ A, 2).item() ** 2
    path = descend_in_coordinates(X, y, A, steps=50, start=A @ theta0, factor=share).path
    torch.testing.assert_close(gd(X, y, A, theta0, step, 50), path)


@pytest.mark.parametrize("seed", range(5))
def test_a_solver_with_constraints_finds_the_limit(seed: int) -> None:
    """SLSQP minimises ‖A⁻¹w‖² subject to Xw = y without knowing any formula; 500 competitors are longer."""
    draw = torch.Generator().manual_seed(seed)
    X, y, A = (torch.randn(*shape, generator=draw, dtype=torch.float64) for shape in ((2, 5), (2,), (5, 5)))
    inverse = torch.linalg.inv(A)
    metric = (inverse.T @ inverse).numpy()
    found = minimize(
        lambda w: w @ metric @ w,
        (torch.linalg.pinv(X) @ y).numpy(),
        jac=lambda w: 2 * metric @ w,
        constraints={"type": "eq", "fun": lambda w: X.numpy() @ w - y.numpy(), "jac": lambda w: X.numpy()},
        options={"ftol": 1e-14, "maxiter": 500},
    ).x
    best = limit(X, y, A)
    assert np.allclose(found, best.numpy(), rtol=1e-3, atol=1e-3 * best.norm().item())
    unseen = torch.linalg.svd(X).Vh[2:]
    others = best + torch.randn(500, 3, generator=draw, dtype=torch.float64) @ unseen
    assert ((others @ inverse.T).norm(dim=1) > (inverse @ best).norm()).all()


def test_the_numbers_of_the_exercise() -> None:
    X, y, A = lab.EQUATION, lab.TARGET, lab.STRETCH
    identity = torch.eye(2, dtype=torch.float64)
    ends = limit(X, y, A), limit(X, y, identity)
    assert [end.tolist() for end in ends] == [pytest.approx([2, 1]), pytest.approx([0.8, 1.6])]
    assert [(torch.linalg.inv(A) @ end).square().sum().item() for end in ends] == pytest.approx([2, 2.72])
    assert [end.square().sum().item() for end in ends] == pytest.approx([5, 3.2])
    start = torch.tensor([2.0, -1.0], dtype=torch.float64)
    assert gd(X, y, A, start, 0.125, 60)[-1].tolist() == pytest.approx([5, -0.5])
    zero = torch.zeros(2, dtype=torch.float64)
    near, far = (gd(X, y, A, zero, step, 200)[-1] - ends[0] for step in (0.245, 0.255))
    assert near.norm() < 0.1 and far.norm() > 100
    twice = torch.cat([X, X]), torch.tensor([4.0, 6.0], dtype=torch.float64)
    assert gd(*twice, A, zero, 0.05, 200)[-1].tolist() == pytest.approx([2.5, 1.25])
    for stretch in (0.3, 1.0, 7.0):
        first = limit(X, y, torch.diag(torch.tensor([stretch, 1.0], dtype=torch.float64)))[0].item()
        assert first == pytest.approx(4 * stretch**2 / (stretch**2 + 4))


def test_more_equations_than_unknowns_leave_nothing_to_choose() -> None:
    draw = torch.Generator().manual_seed(0)
    X, y = (torch.randn(*shape, generator=draw, dtype=torch.float64) for shape in ((3, 2), (3,)))
    for change in (torch.eye(2, dtype=torch.float64), lab.STRETCH):
        step = 1 / torch.linalg.matrix_norm(X @ change, 2).item() ** 2
        end = gd(X, y, change, torch.zeros(2, dtype=torch.float64), step, 3000)[-1]
        torch.testing.assert_close(end, torch.linalg.lstsq(X, y).solution)
        assert (X @ end - y).norm() > 0.1


def test_the_coordinates_can_matter_without_changing_the_end() -> None:
    X, y = torch.tensor([[1.0, 0.0]], dtype=torch.float64), lab.TARGET
    assert (
        limit(X, y, lab.STRETCH).tolist() == limit(X, y, torch.eye(2, dtype=torch.float64)).tolist() == [4, 0]
    )


def test_the_answers_are_these_numbers() -> None:
    a, r, x1, x2, n, d = sp.symbols("a r x1 x2 n d")
    assert answer("coordinates.gradient", [r * x1 * a, r * x2]).ok
    assert answer("coordinates.preconditioner", sp.Matrix([[2, 1], [1, 1]])).ok
    assert answer("coordinates.end", torch.tensor([2.0, 1.0])).ok
    assert answer("coordinates.sizes", descent=[2, 5], shortest=[2.72, 3.2]).ok
    assert answer("coordinates.formula", 4 / (1 + 4 / a**2)).ok
    assert answer("coordinates.start", [5, -0.5]).ok
    assert answer("coordinates.step", 0.25).ok
    assert answer("coordinates.contradiction", (2.5, 1.25)).ok
    assert answer("coordinates.chance", (d - n) / d).ok
    assert "2.72" in solution("coordinates").text
    assert "least-squares" in solution("coordinates").text


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run(cells("coordinates"))


def test_the_page_says_what_its_runs_show(page: dict[str, Any]) -> None:
    plain, good, bad = (interval(page["trained"][factor][-1]) for factor in (1.0, 5.0, 0.2))
    assert plain.low < 0.75 < plain.high, "what descent in w misses by chance"
    assert plain.mean == pytest.approx(0.746, abs=0.04)
    assert good.mean == pytest.approx(0.073, abs=0.03) and bad.mean == pytest.approx(1.372, abs=0.08)
    last = page["last"]
    assert paired(last[1.0], last[5.0]).low > 0.6 and (last[5.0] < last[1.0]).all()
    assert paired(last[0.2], last[1.0]).low > 0.4 and (last[0.2] > 1).all()
    for factor, errors in page["trained"].items():
        torch.testing.assert_close(errors[-1], lab.ends(limit, page["each"], factor), rtol=0, atol=0.01)
    assert (page["trained"][0.2].median(1).values[1:].diff() > -1e-9).all(), "every further step leads away"


def test_a_wrong_guess_loses_only_so_much_and_a_good_one_can_win_all(page: dict[str, Any]) -> None:
    slight, held = (lab.ends(limit, page["each"], factor) for factor in (0.1, 0.001))
    assert (held - slight).abs().max() < 0.05 and held.max() < 2.1
    assert lab.ends(limit, page["each"], 1000.0).max() < 1e-5


@pytest.mark.parametrize("first", [1000, 5000])
def test_other_problems_tell_the_same(first: int) -> None:
    each = [lab.Problem(*sparse_problem(first + k, n=10, d=40, few=5)) for k in range(50)]
    plain, good, bad = (lab.ends(limit, each, factor) for factor in (1.0, 5.0, 0.2))
    assert interval(plain).low < 0.75 < interval(plain).high
    assert paired(plain, good).low > 0.6 and paired(bad, plain).low > 0.4


def test_momentum_keeps_the_end_and_adam_does_not() -> None:
    draw = torch.Generator().manual_seed(3)
    X, y = (torch.randn(*shape, generator=draw, dtype=torch.float64) for shape in ((3, 6), (3,)))
    change = torch.eye(6, dtype=torch.float64) + 0.3 * torch.randn(6, 6, generator=draw, dtype=torch.float64)
    ends = {}
    for name, rule in {
        "momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.8),
        "Adam": lambda p: torch.optim.Adam(p, lr=0.01),
    }.items():
        theta = torch.zeros(6, dtype=torch.float64, requires_grad=True)
        optimiser = rule([theta])
        for _ in range(3000):
            optimiser.zero_grad()
            (0.5 * (X @ (change @ theta) - y).square().sum()).backward()
            optimiser.step()
        ends[name] = change @ theta.detach()
        assert (X @ ends[name] - y).norm() < 1e-3
    goal = limit(X, y, change)
    assert (ends["momentum"] - goal).norm() < 1e-3 * goal.norm()
    assert (ends["Adam"] - goal).norm() > 0.05 * goal.norm()


def test_training_stays_on_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta device stands for a GPU: a tensor made elsewhere would stop the run before its end."""
    seen: list[str] = []

    def watched(X: Tensor, y: Tensor, A: Tensor, theta0: Tensor, step: float, T: int) -> Tensor:
        seen.extend(tensor.device.type for tensor in (X, y, A, theta0))
        return gd(X, y, A, theta0, step, T)

    monkeypatch.setattr(lab, "device", lambda: torch.device("meta"))
    monkeypatch.setattr(Tensor, "item", lambda tensor: 1.0)
    monkeypatch.setattr(Tensor, "cpu", lambda tensor: tensor)
    each = lab.problems(2)
    assert lab.courses(watched, each, 5.0, 3).device.type == "meta" and set(seen) == {"meta"}
    assert lab.ends(limit, each, 5.0).device.type == "meta"
    with pytest.raises(RuntimeError, match="device"):
        lab.courses(lambda X, y, A, t, step, T: gd(X, y, A, t + torch.zeros(40), step, T), each, 5.0, 3)
