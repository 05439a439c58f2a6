"""The task to compute where descent ends, of the exercise on the coordinates of descent."""

from __future__ import annotations

import torch
from torch import Tensor

from .calling import Wrong
from .coordinates_systems import flat, mixing, normal, rotation, system
from .tasks import EXTREMES, Function, Property, Task, WrongAnswer


def limit(X: Tensor, y: Tensor, A: Tensor) -> Tensor:
    theta = torch.linalg.pinv(X @ A, rtol=1e-10) @ y
    return torch.mv(A, theta)


def _by_gram(X: Tensor, y: Tensor, metric: Tensor) -> Tensor:
    return torch.mv(metric @ X.T, torch.linalg.pinv(X @ metric @ X.T, rtol=1e-10) @ y)


_LIMIT_MISTAKES = (
    WrongAnswer(
        "the other product",
        lambda X, y, A: _by_gram(X, y, A.T @ A),
        "You have A and its transpose in the wrong order. A diagonal A does not show it, and neither does a rotation; a "
        "rotation with a shear does. Look at (b) again.",
    ),
    WrongAnswer(
        "least norm in w",
        lambda X, y, A: torch.linalg.pinv(X) @ y,
        "This is the answer of descent in w. Your result does not depend on A at all.",
    ),
    WrongAnswer(
        "θ in place of w",
        lambda X, y, A: torch.linalg.pinv(X @ A) @ y,
        "This is where θ ends. The page asks for the w that belongs to it.",
    ),
    WrongAnswer(
        "image of the least norm",
        lambda X, y, A: A @ torch.linalg.pinv(X) @ y,
        "You solve Xw = y and then change coordinates, so X times your result is not y. Which equation does θ solve?",
    ),
    WrongAnswer(
        "Gram matrix without A",
        lambda X, y, A: A @ A.T @ X.T @ torch.linalg.pinv(X @ X.T) @ y,
        "X times your result is not y: the preconditioner stands outside the matrix that is inverted, and is missing inside.",
    ),
    WrongAnswer(
        "coordinates the wrong way round",
        lambda X, y, A: torch.linalg.solve(A, torch.linalg.pinv(X @ torch.linalg.inv(A)) @ y),
        "Your solution has the least ‖Aw‖: you took θ = Aw. On this page w = Aθ.",
    ),
)


def _orthogonal_to(A: Tensor, w: Tensor, unseen: Tensor) -> bool:
    """Whether wᵀ(AAᵀ)⁺n = 0 for the rows n of ``unseen``, up to rounding."""
    inverse = torch.linalg.pinv(A, rtol=1e-10)
    theta, others = inverse @ w, inverse @ unseen.T
    return bool((theta @ others).abs().max() < 1e-8 * theta.norm() * others.norm())


def _fits(X: Tensor, y: Tensor, w: Tensor, share: float) -> bool:
    return bool((X @ w - y).norm() < share * y.norm())


def _solves(function: Function) -> bool:
    return all(_fits(X, y, function(X, y, A), 1e-9) for X, y, A in (system(3, 7, s) for s in (60, 64)))


def _bears_repetition(function: Function) -> bool:
    """With every equation five times, and once more doubled, the answer is that of the equations themselves."""
    X, y, A = system(2, 6, 68)
    try:
        w = function(torch.cat([X] * 5 + [2 * X]), torch.cat([y] * 5 + [2 * y]), A)
    except Wrong:
        return False
    return _fits(X, y, w, 1e-5)


def _fits_best(function: Function) -> bool:
    """More equations than unknowns: the gradient vanishes, and A has no influence."""
    X, y, A = system(9, 4, 72)
    try:
        w = function(X, y, A)
    except Wrong:
        return False
    return bool((X.T @ (X @ w - y)).norm() < 1e-8 * (X.T @ y).norm())


def _is_nearest(function: Function) -> bool:
    for seed in (76, 80, 84):
        X, y, A = system(3, 7, seed)
        if not _orthogonal_to(A, function(X, y, A), torch.linalg.svd(X).Vh[3:]):
            return False
    return True


def _bears_a_singular_change(function: Function) -> bool:
    """w lies in the columns of A, fits as well as any there, and has no part in θ that X does not see."""
    for n, rank, seed in ((10, 3, 88), (3, 5, 92)):
        X, y, A = system(n, 7, seed, flat(7, rank, seed + 2))
        try:
            w = function(X, y, A)
        except Wrong:
            return False
        columns = torch.linalg.svd(A).U[:, :rank]
        outside = (w - columns @ (columns.T @ w)).norm() > 1e-7 * w.norm()
        seen = X @ columns
        slope = (seen.T @ (X @ w - y)).norm() > 1e-7 * (seen.T @ y).norm()
        unseen = torch.linalg.svd(seen).Vh[min(n, rank) :] @ columns.T
        if outside or slope or (len(unseen) and not _orthogonal_to(A, w, unseen)):
            return False
    return True


def _knows_no_scale(function: Function) -> bool:
    X, y, A = system(3, 6, 96)
    w = function(X, y, A)
    return all(torch.allclose(function(X, y, c * A), w, rtol=1e-7, atol=1e-9) for c in (1e-5, 1e5))


def _knows_no_rotation(function: Function) -> bool:
    X, y, A = system(3, 6, 100, rotation(6, 102))
    return torch.allclose(function(X, y, A), torch.linalg.pinv(X) @ y, rtol=1e-8, atol=1e-10)


def _with_ridge(X: Tensor, y: Tensor, A: Tensor) -> Tensor:
    inner = X @ A
    ridge = inner @ inner.T + 1e-6 * torch.eye(len(X), dtype=X.dtype)
    return torch.mv(A @ inner.T, torch.linalg.solve(ridge, y))


def _by_inverse(X: Tensor, y: Tensor, A: Tensor) -> Tensor:
    metric = A @ A.T
    return torch.mv(metric @ X.T, torch.linalg.inv(X @ metric @ X.T) @ y)


def _by_inverse_change(X: Tensor, y: Tensor, A: Tensor) -> Tensor:
    w: Tensor = torch.linalg.solve(torch.linalg.inv(A), torch.linalg.pinv(X @ A, rtol=1e-10) @ y)
    return w


def _turned(X: Tensor, y: Tensor, A: Tensor) -> Tensor:
    is_rotation = torch.allclose(A @ A.T, torch.eye(len(A), dtype=A.dtype))
    return limit(X, y, mixing(len(A), 0) if is_rotation else A)


LIMIT = Task(
    id="coordinates.limit",
    title="the function limit",
    reference=limit,
    inputs={
        "mixed coordinates": [system(n, d, seed) for n, d, seed in ((1, 2, 2), (2, 5, 12), (3, 6, 22))],
        "stretched coordinates": [
            system(3, 6, seed, torch.diag(normal(6, seed=seed + 2).exp())) for seed in (32, 42)
        ],
        EXTREMES: [
            system(1, 1, 52),
            (1e4 * normal(2, 4, seed=54), normal(2, seed=55), mixing(4, 56)),
            (normal(2, 4, seed=57), 1e4 * normal(2, seed=58), 1e4 * mixing(4, 59)),
            (normal(2, 4, seed=61), torch.zeros(2, dtype=torch.float64), mixing(4, 62)),
            system(1, 3, 63, torch.diag(torch.tensor([1e4, 1.0, 1e-4], dtype=torch.float64))),
        ],
    },
    absolute=1e-12,
    wrong_answers=_LIMIT_MISTAKES,
    properties=(
        Property(
            "solves what can be solved",
            _solves,
            "X times your result misses y by more than rounding. Do you add a penalty, or stop a descent early? The limit is "
            "wanted.",
            nearly=_with_ridge,
        ),
        Property(
            "bears repeated equations",
            _bears_repetition,
            "Repeat an equation: nothing is asked that was not asked before, but the rows are dependent, and your function "
            "fails. A matrix with dependent rows has no inverse; what stands in its place in the formula for least squares? "
            "Singular values that are only rounding errors must count as 0.",
            nearly=_by_inverse,
        ),
        Property(
            "fits as well as possible",
            _fits_best,
            "With more equations than unknowns no w solves them all. Descent then ends where its gradient is 0, and yours "
            "does not vanish there. Do you drop equations?",
            nearly=lambda X, y, A: limit(X[: len(A)], y[: len(A)], A),
        ),
        Property(
            "least in θ",
            _is_nearest,
            "Your result solves Xw = y, but it contains a part that no gradient can have brought there: seen in θ, it is not "
            "orthogonal to what X does not see.",
            nearly=lambda X, y, A: (
                limit(X, y, A) + 1e-3 * torch.linalg.svd(X).Vh[-1] * (X.shape[1] > len(X) + 3)
            ),
        ),
        Property(
            "bears a singular A",
            _bears_a_singular_change,
            "Your function fails for an A without an inverse. Then w can only move within the columns of A. Nothing in the "
            "descent of θ needs an inverse of A.",
            nearly=_by_inverse_change,
        ),
        Property(
            "knows no scale of A",
            _knows_no_scale,
            "Multiply A by a number: the preference does not change, so the result must not either. Is there a threshold in "
            "your function that does not scale along?",
            nearly=lambda X, y, A: A @ torch.linalg.pinv(X @ A, atol=1e-3, rtol=1e-10) @ y,
        ),
        Property(
            "a rotation changes nothing",
            _knows_no_rotation,
            "For an orthogonal A the limit must be the solution of least norm: a rotation changes no length. Yours differs.",
            nearly=_turned,
        ),
    ),
    explanation=(
        "Descent in $\\theta$ on $XA\\theta=y$ from 0 ends at $\\theta^*=(XA)^+y$, so $w^*=A(XA)^+y$. With "
        "$B^+=B^\\top(BB^\\top)^+$ for $B=XA$ this is the formula $AA^\\top X^\\top(XAA^\\top X^\\top)^+y$, without squaring the "
        "condition number. The pseudo-inverse needs neither independent equations nor an invertible $A$. The book's own "
        "function is `losscore.lab.regularisation.least_in_coordinates`."
    ),
)
