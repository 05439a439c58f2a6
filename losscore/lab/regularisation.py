"""The data and runs of the page on regularisation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

import losscore
from losscore.lab.hardware import generator
from losscore.lab.role import two_groups
from losscore.lab.training import Descent, descend

WIDEST = torch.tensor([4 / 9, 10 / 27], dtype=torch.float64)
"""The shortest w that gives each of `signed_points` a margin of at least 1: their hard-margin solution."""


CURVATURES = torch.tensor([10.0, 0.1], dtype=torch.float64)
"""Of ½[10(w₁ − 1)² + 0.1(w₂ − 1)²], a parabola that is steep one way and flat the other."""


@dataclass(frozen=True)
class Features:
    """One draw of noisy data seen through random features: training and fresh inputs, and the noise-free truth."""

    train: Tensor
    target: Tensor
    fresh: Tensor
    truth: Tensor

    def errors(self, weights: Tensor) -> tuple[float, float]:
        """Mean squared error on the training data and, without noise, on fresh inputs."""
        seen = losscore.squared_error(self.train @ weights, self.target)
        return seen.item(), losscore.squared_error(self.fresh @ weights, self.truth).item()

    def shortest(self) -> Tensor:
        """The least-squares solution of least norm."""
        solution: Tensor = torch.linalg.lstsq(self.train, self.target, driver="gelsd").solution
        return solution

    def ridge(self, penalty: float) -> Tensor:
        """The minimiser of half the mean squared error plus ``penalty / 2`` times the squared norm."""
        n = len(self.train)
        kernel = self.train @ self.train.T / n + penalty * torch.eye(n, dtype=torch.float64)
        dual: Tensor = torch.linalg.solve(kernel, self.target) / n
        return self.train.T @ dual

    def stopped(self, steps: int) -> Tensor:
        """Where descent on half the mean squared error stands after ``steps`` steps from 0, step 1/λ_max."""
        n = len(self.train)
        step = 1 / torch.linalg.matrix_norm(self.train, 2) ** 2 * n
        weights = torch.zeros(self.train.shape[1], dtype=torch.float64)
        for _ in range(steps):
            weights = weights - step * self.train.T @ (self.train @ weights - self.target) / n
        return weights


def random_features(seed: int, d: int, n: int = 100) -> Features:
    """``n`` noisy values of a wave in five dimensions, through ``d`` random tanh features; 1,000 fresh inputs."""
    draw = generator(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    inputs, fresh = normal(n, 5), normal(1000, 5)
    noise = 0.3 * normal(n)
    slopes, shifts = normal(d, 5), normal(d)

    def wave(x: Tensor) -> Tensor:
        return torch.sin(2 * x.sum(1) / math.sqrt(5))

    def seen(x: Tensor) -> Tensor:
        return torch.tanh(x @ slopes.T + shifts) / math.sqrt(d)

    return Features(seen(inputs), wave(inputs) + noise, seen(fresh), wave(fresh))


def penalised_and_decayed(
    momentum: float, *, penalty: float = 0.5, steps: int = 500
) -> tuple[Tensor, Tensor]:
    """Two runs of `torch.optim.SGD`, step 0.1, on the parabola of `CURVATURES` from (3, −2): where each stands at last.

    The first has ``weight_decay``, which adds the penalty's gradient; the other shrinks the weights before each step.
    """
    penalised, decayed = (
        torch.tensor([3.0, -2.0], dtype=torch.float64, requires_grad=True) for _ in range(2)
    )
    rules = (
        torch.optim.SGD([penalised], lr=0.1, momentum=momentum, weight_decay=penalty),
        torch.optim.SGD([decayed], lr=0.1, momentum=momentum),
    )
    for _ in range(steps):
        for weights in (penalised, decayed):
            weights.grad = CURVATURES * (weights.detach() - 1)
        with torch.no_grad():
            decayed *= 1 - 0.1 * penalty
        for rule in rules:
            rule.step()
    return penalised.detach(), decayed.detach()


def left_after_noise(
    rule: type[torch.optim.Optimizer], scales: Tensor, seed: int, steps: int = 1000
) -> Tensor:
    """What 100 runs leave, on average, of weights of 1 whose gradients are noise of these scales (αλ·steps = 0.5)."""
    draw = generator(seed)
    weights = torch.ones(100, len(scales), dtype=torch.float64, requires_grad=True)
    optimiser = rule([weights], lr=1e-3, weight_decay=0.5)  # type: ignore[call-arg]
    for _ in range(steps):
        weights.grad = scales * torch.randn(weights.shape, generator=draw, dtype=torch.float64)
        optimiser.step()
    return weights.detach().mean(0)


def decay_in_order(order: str, gradients: Tensor, step: float, penalty: float) -> Tensor:
    """Adam from weights of 1 over given gradients, the weights shrunk ``"before"`` or ``"after"`` each step, or in it."""
    weights, mean, square = (
        torch.ones_like(gradients[0]),
        torch.zeros_like(gradients[0]),
        torch.zeros_like(gradients[0]),
    )
    for t, gradient in enumerate(gradients, start=1):
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        direction = mean / (1 - 0.9**t) / ((square / (1 - 0.999**t)).sqrt() + 1e-8)
        if order == "before":
            weights = weights * (1 - step * penalty) - step * direction
        elif order == "after":
            weights = (weights - step * direction) * (1 - step * penalty)
        else:
            weights = weights - step * (direction + penalty * weights)
    return weights


def adamw_limit(penalty: float, steps: int = 3000) -> Tensor:
    """Where `torch.optim.AdamW` on the parabola of `CURVATURES` stands after ``steps`` steps of 0.1/√t from 0."""
    weights = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    rule = torch.optim.AdamW([weights], lr=0.1, betas=(0.9, 0.9), weight_decay=penalty)
    for t in range(1, steps + 1):
        rule.param_groups[0]["lr"] = 0.1 / math.sqrt(t)
        weights.grad = CURVATURES * (weights.detach() - 1)
        rule.step()
    return weights.detach()


@dataclass(frozen=True)
class Normalised:
    """Descent of one batch-normalised unit: the loss before each step, and the length of the weights at the end."""

    losses: Tensor
    length: float


def normalised_unit(
    *, shrink: float = 1.0, growth: float = 1.0, seed: int = 0, steps: int = 300
) -> Normalised:
    """Descent of a unit on `role.two_groups`: its weights shrink by ``shrink`` a step, the step grows by ``growth``."""
    points, label = two_groups(seed)
    weights = torch.tensor([0.5, 1.5], dtype=torch.float64)
    losses, step = [], 0.2 * math.sqrt(growth)
    for _ in range(steps):
        place = weights.clone().requires_grad_()
        score = points @ place
        loss = losscore.binary_cross_entropy((score - score.mean()) / score.std(), label)
        losses.append(loss.detach())
        (gradient,) = torch.autograd.grad(loss, place)
        weights = shrink * weights - step * gradient
        step *= growth
    return Normalised(torch.stack(losses), weights.norm().item())


def least_in_coordinates(features: Tensor, target: Tensor, change: Tensor) -> Tensor:
    """The solution of least ‖A⁻¹w‖ among the least-squares solutions: the limit of descent in θ, w = Aθ, from 0."""
    metric = change @ change.T
    inverse: Tensor = torch.linalg.pinv(features @ metric @ features.T)
    return metric @ features.T @ inverse @ target


def descend_in_coordinates(
    features: Tensor,
    target: Tensor,
    change: Tensor,
    *,
    steps: int,
    start: Tensor | None = None,
    factor: float = 1.0,
) -> Descent:
    """Descent in θ on half the mean squared error of w = Aθ, step ``factor``/λ_max; the path is that of w."""
    inner = features @ change
    step = factor * len(inner) / torch.linalg.matrix_norm(inner, 2).item() ** 2
    begin = (
        torch.zeros(inner.shape[1], dtype=torch.float64)
        if start is None
        else torch.linalg.solve(change, start)
    )
    run = descend(
        lambda theta: losscore.half_squared_error(inner @ theta, target), begin, step=step, steps=steps
    )
    return Descent(run.path @ change.T, run.losses)


def six_points() -> tuple[Tensor, Tensor]:
    """Six separable points in the plane, shape (6, 2), and their labels in {−1, +1}."""
    points = [[1, 2], [2, 0.5], [3, 3], [-1, -1.5], [-2, -0.3], [-0.5, -3]]
    label = torch.tensor([1, 1, 1, -1, -1, -1], dtype=torch.float64)
    return torch.tensor(points, dtype=torch.float64), label


def signed_points() -> Tensor:
    """The points of `six_points`, each times its label: shape (6, 2)."""
    points, label = six_points()
    return points * label[:, None]


def degrees_between(weights: Tensor, direction: Tensor) -> Tensor:
    """The angle in degrees between each row of ``weights`` and a direction in the plane, or its own row of directions."""
    across = weights[..., 0] * direction[..., 1] - weights[..., 1] * direction[..., 0]
    return torch.rad2deg(torch.atan2(across.abs(), (weights * direction).sum(-1)))


@dataclass(frozen=True)
class MarginPath:
    """Descent on the logistic loss of `signed_points`: the logarithm of the time, and the weights, at each record."""

    log_time: Tensor
    weights: Tensor

    @property
    def angle(self) -> Tensor:
        """Degrees between the weights and the hard-margin direction."""
        return degrees_between(self.weights, WIDEST)

    @property
    def length(self) -> Tensor:
        """The norm of the weights."""
        length: Tensor = torch.linalg.vector_norm(self.weights, dim=1)
        return length


def margin_gradient(points: Tensor, weights: Tensor) -> Tensor:
    """The gradient of the mean logistic loss of signed points, written out: 100,000 steps need it fast."""
    return -torch.sigmoid(-(points @ weights)) @ points / len(points)


def margin_descent(decades: int = 5, step: float = 1.0) -> MarginPath:
    """Plain descent from 0, recorded after 1, 10, … 10^decades steps."""
    points = signed_points()
    weights = torch.zeros(2, dtype=torch.float64)
    records = {10**k for k in range(decades + 1)}
    kept = []
    for taken in range(1, 10**decades + 1):
        weights = weights - step * margin_gradient(points, weights)
        if taken in records:
            kept.append(weights)
    times = [math.log(step) + k * math.log(10) for k in range(decades + 1)]
    return MarginPath(torch.tensor(times, dtype=torch.float64), torch.stack(kept))


def margin_flow(log_time: float = 60.0, step: float = 0.02) -> MarginPath:
    """The same way with each step divided by the loss, and the time t that plain descent needs to get as far."""
    points = signed_points()
    weights = torch.zeros(2, dtype=torch.float64)
    elapsed, times, kept = -math.inf, [], []
    while elapsed < log_time:
        loss = losscore.logistic(points @ weights, torch.ones(6, dtype=torch.float64)).item()
        weights = weights - step * margin_gradient(points, weights) / loss
        elapsed = float(torch.logaddexp(torch.tensor(elapsed), torch.tensor(math.log(step / loss))))
        times.append(elapsed)
        kept.append(weights)
    return MarginPath(torch.tensor(times, dtype=torch.float64), torch.stack(kept))


def adam_direction(steps: int = 5000) -> Tensor:
    """The weights of Adam on the logistic loss of `signed_points`, steps 0.1/√t, ε next to nothing."""
    points = signed_points()
    weights = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    rule = torch.optim.Adam([weights], lr=0.1, betas=(0.9, 0.9), eps=1e-200)
    for t in range(1, steps + 1):
        rule.param_groups[0]["lr"] = 0.1 / math.sqrt(t)
        weights.grad = margin_gradient(points, weights.detach())
        rule.step()
    return weights.detach()


THREE_POINTS = torch.tensor([[0.6, 0.8], [0.6, -0.8], [-1.0, 0.0]], dtype=torch.float64)
THREE_LABELS = torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)


def network_margin(start: Tensor, step: float = 0.02) -> float:
    """The margin per squared norm, 2·min yf/‖θ‖², that descent on a ReLU net without biases reaches.

    ``start`` has one row (w, a) for each hidden unit. Steps are divided by the loss, until it is below 1e-100.
    """

    def loss(units: Tensor) -> Tensor:
        hidden = torch.relu(THREE_POINTS @ units[:, :2].T)
        return losscore.logistic(hidden @ units[:, 2], THREE_LABELS)

    run = descend(
        lambda units: loss(units).log(),
        start,
        step=step,
        steps=5000,
        until=lambda units: loss(units).item() < 1e-100,
    )
    end = run.path[-1]
    margin = THREE_LABELS * (torch.relu(THREE_POINTS @ end[:, :2].T) @ end[:, 2])
    return (2 * margin.min() / (end**2).sum()).item()


def sparse_problem(seed: int, n: int = 20, d: int = 40, few: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    """``n`` exact equations in ``d`` unknowns of which ``few`` are not 0: X, y and the true weights."""
    draw = generator(seed)
    features = torch.randn(n, d, generator=draw, dtype=torch.float64)
    weights = torch.zeros(d, dtype=torch.float64)
    chosen = torch.randperm(d, generator=draw)[:few]
    signs = 2 * torch.randint(2, (few,), generator=draw) - 1
    weights[chosen] = signs * (1 + torch.rand(few, generator=draw, dtype=torch.float64))
    return features, features @ weights, weights


def descend_in_squares(
    features: Tensor, target: Tensor, begin: float, *, step: float = 0.02, steps: int = 10_000
) -> Tensor:
    """Descent on half the mean squared error of w = u⊙u − v⊙v from u = v = ``begin``; returns w."""
    n, d = features.shape
    u = torch.full((d,), begin, dtype=torch.float64)
    v = u.clone()
    for _ in range(steps):
        gradient = features.T @ (features @ (u * u - v * v) - target) / n
        u, v = u - 2 * step * u * gradient, v + 2 * step * v * gradient
    return u * u - v * v
