"""The task to descend in given coordinates, of the exercise on the coordinates of descent."""

from __future__ import annotations

import torch
from torch import Tensor

from .coordinates_limit import limit
from .coordinates_systems import flat, mixing, normal, system
from .tasks import EXTREMES, Arguments, Function, Property, Task, WrongAnswer


def gd(X: Tensor, y: Tensor, A: Tensor, theta0: Tensor, step: float, T: int) -> Tensor:
    theta = theta0
    path = [A @ theta]
    for _ in range(T):
        theta = theta - step * A.T @ X.T @ (X @ A @ theta - y)
        path.append(A @ theta)
    return torch.stack(path)


def _safe_step(X: Tensor, A: Tensor) -> float:
    return 1 / float(torch.linalg.matrix_norm(X @ A, 2)) ** 2


def _run(system: Arguments, steps: int, *, seed: int | None = None) -> Arguments:
    """Descent on a system, from 0 or from a random start."""
    X, y, A = system
    start = torch.zeros_like(X[0]) if seed is None else normal(X.shape[1], seed=seed)
    return X, y, A, start, _safe_step(X, A), steps


def _in_w(X: Tensor, y: Tensor, w: Tensor, precondition: Tensor, step: float, T: int) -> Tensor:
    path = [w]
    for _ in range(T):
        path.append(path[-1] - step * precondition @ X.T @ (X @ path[-1] - y))
    return torch.stack(path)


def _in_theta(
    X: Tensor, y: Tensor, A: Tensor, theta: Tensor, step: float, T: int, back: Tensor, shrink: float = 1.0
) -> Tensor:
    """Descent whose gradient comes back to θ by ``back`` in place of Aᵀ, or whose θ shrinks in each step."""
    path = [A @ theta]
    for _ in range(T):
        theta = shrink * theta - step * back @ X.T @ (X @ A @ theta - y)
        path.append(A @ theta)
    return torch.stack(path)


_GD_MISTAKES = (
    WrongAnswer(
        "the path of θ",
        lambda X, y, A, theta0, step, T: _in_w(X @ A, y, theta0, torch.eye(len(A)).to(A), step, T),
        "The steps are right, and you return θ. The page wants the path of w = Aθ.",
    ),
    WrongAnswer(
        "first place in θ",
        lambda X, y, A, theta0, step, T: torch.cat([theta0[None], gd(X, y, A, theta0, step, T)[1:]]),
        "Only the first row of your path is off: it holds a θ among places in w.",
    ),
    WrongAnswer(
        "start taken for w",
        lambda X, y, A, theta0, step, T: _in_w(X, y, theta0, A @ A.T, step, T),
        "Your path begins at theta0 itself. That is a place in θ; which w belongs to it?",
    ),
    WrongAnswer(
        "descent in w",
        lambda X, y, A, theta0, step, T: _in_w(X, y, A @ theta0, torch.eye(len(A)).to(A), step, T),
        "You descend in w, so the coordinates change nothing but the start. Here θ moves, and w follows.",
    ),
    WrongAnswer(
        "chain rule forgotten",
        lambda X, y, A, theta0, step, T: _in_theta(X, y, A, theta0, step, T, torch.eye(len(A)).to(A)),
        "You move θ by the gradient in w. What does the chain rule put in front of it?",
    ),
    WrongAnswer(
        "A for its transpose",
        lambda X, y, A, theta0, step, T: _in_theta(X, y, A, theta0, step, T, A),
        "You multiply the gradient in w by A. Compare, for a matrix that is not symmetric, with a finite difference in θ: "
        "rows and columns are exchanged.",
    ),
    WrongAnswer(
        "the other product",
        lambda X, y, A, theta0, step, T: _in_w(X, y, A @ theta0, A.T @ A, step, T),
        "The two factors of your preconditioner stand in the wrong order. A diagonal A does not show it; the shear of (b) does.",
    ),
    WrongAnswer(
        "mean",
        lambda X, y, A, theta0, step, T: gd(X, y, A, theta0, step / len(X), T),
        "Your steps are too short by the factor n: the loss of this page adds the squares, it does not average them.",
    ),
    WrongAnswer(
        "no half",
        lambda X, y, A, theta0, step, T: gd(X, y, A, theta0, 2 * step, T),
        "Your steps are twice too long. The loss of this page has a ½ in front.",
    ),
    WrongAnswer(
        "uphill",
        lambda X, y, A, theta0, step, T: gd(X, y, A, theta0, -step, T),
        "You climb: check the sign of the residual, or of the step.",
    ),
)


def _stays_in_the_rows(function: Function) -> bool:
    """θ moves in row(XA) only, whatever the start."""
    X, y, A, theta0, step, T = _run(system(2, 5, 50), 30, seed=51)
    moved = torch.linalg.solve(A, (function(X, y, A, theta0, step, T) - A @ theta0).T)
    unseen = torch.linalg.svd(X @ A).Vh[len(X) :]
    return bool((unseen @ moved).abs().max() < 1e-9)


def _residual_falls(function: Function) -> bool:
    """For every step below 2/λ_max."""
    for share in (0.2, 1.0, 1.9):
        X, y, A, theta0, step, T = _run(system(3, 6, 53), 40, seed=54)
        size = (function(X, y, A, theta0, share * step, T) @ X.T - y).norm(dim=1)
        if not (size.diff() <= 1e-12 * size[0]).all():
            return False
    return True


def _arrives(function: Function) -> bool:
    X, y, A, theta0, step, T = _run(system(2, 5, 56), 1500)
    end, goal = function(X, y, A, theta0, step, T)[-1], limit(X, y, A)
    return bool((end - goal).norm() < 1e-6 * goal.norm())


def _knows_no_unit(function: Function) -> bool:
    """Other units of θ, with the step that belongs to them, leave the path of w as it is."""
    X, y, A, theta0, step, T = _run(system(2, 4, 59), 20, seed=60)
    path = function(X, y, A, theta0, step, T)
    return all(
        torch.allclose(function(X, y, c * A, theta0 / c, step / c**2, T), path, rtol=1e-8, atol=1e-10)
        for c in (1e-3, 1e4)
    )


def _with_momentum(X: Tensor, y: Tensor, A: Tensor, theta0: Tensor, step: float, T: int) -> Tensor:
    theta, speed, path = theta0, torch.zeros_like(theta0), [A @ theta0]
    for _ in range(T):
        speed = 0.9 * speed + A.T @ X.T @ (X @ A @ theta - y)
        theta = theta - step * speed
        path.append(A @ theta)
    return torch.stack(path)


def _slowing(X: Tensor, y: Tensor, A: Tensor, theta0: Tensor, step: float, T: int) -> Tensor:
    theta, path = theta0, [A @ theta0]
    for t in range(T):
        theta = theta - step / (1 + t) * A.T @ X.T @ (X @ A @ theta - y)
        path.append(A @ theta)
    return torch.stack(path)


def _clipped(X: Tensor, y: Tensor, A: Tensor, theta0: Tensor, step: float, T: int) -> Tensor:
    theta, path = theta0, [A @ theta0]
    for _ in range(T):
        slope = A.T @ X.T @ (X @ A @ theta - y)
        theta = theta - step * slope * (100 / slope.norm().clamp(min=100))
        path.append(A @ theta)
    return torch.stack(path)


GD = Task(
    id="coordinates.gd",
    title="the function gd",
    reference=gd,
    inputs={
        "a few steps": [_run(system(n, d, seed), 4, seed=seed + 5) for n, d, seed in ((2, 4, 1), (3, 5, 11))],
        "from 0": [_run(system(2, 4, 21), 6), _run(system(6, 3, 25), 6)],
        EXTREMES: [
            _run(system(2, 3, 31), 0, seed=33),
            _run((1e4 * normal(2, 3, seed=35), 1e4 * normal(2, seed=36), mixing(3, 37)), 5, seed=38),
            _run((normal(2, 3, seed=39), normal(2, seed=40), 1e-4 * mixing(3, 41)), 5, seed=42),
            _run(system(3, 4, 43, flat(4, 2, 45)), 5, seed=46),
            _run(system(1, 1, 47), 3, seed=48),
        ],
    },
    absolute=1e-10,
    wrong_answers=_GD_MISTAKES,
    properties=(
        Property(
            "stays in the rows of XA",
            _stays_in_the_rows,
            "θ leaves its start in a direction that is no combination of the rows of XA. The gradient has no such part: does "
            "something else move θ, such as a decay?",
            nearly=lambda X, y, A, theta0, step, T: _in_theta(X, y, A, theta0, step, T, A.T, shrink=0.999),
        ),
        Property(
            "the residual never grows",
            _residual_falls,
            "With a step below 2/λ_max the residual must shrink in every step, and yours grows at times. Do you carry speed over "
            "from one step to the next?",
            nearly=_with_momentum,
        ),
        Property(
            "arrives",
            _arrives,
            "After 1,500 steps your path has still not arrived. Does your step shrink on the way?",
            nearly=_slowing,
        ),
        Property(
            "knows no unit of θ",
            _knows_no_unit,
            "Measure θ in another unit, A → cA with θ₀/c and step/c²: the path of w must not change, and yours does. Is "
            "something clipped or bounded in θ?",
            nearly=_clipped,
        ),
    ),
    explanation=(
        "The chain rule gives $\\nabla_\\theta=A^\\top X^\\top(XA\\theta-y)$. Descent happens in $\\theta$; $w=A\\theta$ is what "
        "is kept. The step of $w$ is then $-\\alpha AA^\\top X^\\top(Xw-y)$, so descent in $w$ from $A\\theta_0$ with the "
        "gradient multiplied by $AA^\\top$ passes as well."
    ),
)
