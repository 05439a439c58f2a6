"""The runs and drawings of the exercise on the coordinates of descent.

What the learner writes is passed in: ``descend(X, y, A, theta0, step, T)``, the path of w = Aθ, and ``limit(X, y, A)``,
where it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from losscore.lab.hardware import device
from losscore.lab.regularisation import sparse_problem
from losscore.lab.training import progress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Descending = Callable[[Tensor, Tensor, Tensor, Tensor, float, int], Tensor]
Ending = Callable[[Tensor, Tensor, Tensor], Tensor]

EQUATION = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
TARGET = torch.tensor([4.0], dtype=torch.float64)
STRETCH = torch.diag(torch.tensor([2.0, 1.0], dtype=torch.float64))


@dataclass(frozen=True)
class Problem:
    """Ten equations Xw = y in forty unknowns, of which the truth uses five."""

    X: Tensor
    y: Tensor
    truth: Tensor

    def stretch(self, factor: float) -> Tensor:
        """The change of coordinates that stretches the five weights that the truth uses."""
        return torch.diag(torch.where(self.truth != 0, factor, 1.0).to(self.truth))

    def error(self, w: Tensor) -> Tensor:
        """The squared distance to the truth over the truth's squared length, for each row of ``w``."""
        return (w - self.truth).square().sum(-1) / self.truth.square().sum()


def problems(count: int) -> list[Problem]:
    """``count`` independent problems on the device of the experiments."""
    drawn = (sparse_problem(seed, n=10, d=40, few=5) for seed in range(count))
    return [Problem(*(part.to(device()) for part in problem)) for problem in drawn]


def courses(descend: Descending, each: Sequence[Problem], factor: float, steps: int) -> Tensor:
    """The error of descent from 0 with step 1/λ_max, before and after each step: shape (steps + 1, problems)."""
    errors = []
    for index in progress(len(each), "problems"):
        problem = each[index]
        change = problem.stretch(factor)
        step = 1 / torch.linalg.matrix_norm(problem.X @ change, 2).item() ** 2
        start = torch.zeros_like(problem.truth)
        path = descend(problem.X, problem.y, change, start, step, steps)
        errors.append(problem.error(path))
    return torch.stack(errors, 1).cpu()


def ends(limit: Ending, each: Sequence[Problem], factor: float) -> Tensor:
    """The error of the limit of descent, shape (problems,)."""
    return torch.stack([p.error(limit(p.X, p.y, p.stretch(factor))) for p in each]).cpu()


def draw_paths(descend: Descending, limit: Ending) -> Figure:
    """The line of solutions of the page's equation, and descent from 0 in w and in θ with half the fastest step."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import label_line, mark

    figure, axes = plt.subplots(figsize=(6.0, 4.6))
    first = torch.linspace(-0.6, 4.2, 49, dtype=torch.float64)
    axes.plot(first, (TARGET - first) / 2, color="C4", linestyle="-")
    axes.annotate("solutions", (2.9, 0.55), (0, 8), textcoords="offset points")
    turn = torch.linspace(0, 2 * torch.pi, 241, dtype=torch.float64)
    circle = torch.stack([turn.cos(), turn.sin()])
    for change, colour, words, offset in (
        (torch.eye(2, dtype=torch.float64), "C0", "in w", (-42, -4)),
        (STRETCH, "C1", "in θ", (0, -22)),
    ):
        end = limit(EQUATION, TARGET, change)
        oval = change @ circle * torch.linalg.solve(change, end).norm()
        axes.plot(*oval, color=colour, linewidth=1.2, linestyle=(0, (4, 3)))
        step = 0.5 / (EQUATION @ change).square().sum().item()
        path = descend(EQUATION, TARGET, change, torch.zeros_like(end), step, 12)
        (line,) = axes.plot(*path.T, color=colour, marker="o", markersize=4, linestyle="-")
        label_line(line, words, at=0.6 * path[-1, 0].item(), offset=offset)
        mark(
            axes,
            end[0].item(),
            end[1].item(),
            f"({end[0]:.3g}, {end[1]:.3g})",
            colour=colour,
            offset=(10, 12),
        )
    axes.set(xlabel="weight w₁", ylabel="weight w₂", aspect="equal", xlim=(-0.6, 3.9), ylim=(-0.6, 2.6))
    return figure


def draw_courses(trained: Mapping[float, Tensor]) -> Figure:
    """The error over the steps of descent, by the stretch of the five weights: medians and middle halves."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import GREY, label_line

    figure, axes = plt.subplots(figsize=(6.0, 4.2))
    axes.axhline(1, color=GREY, linewidth=0.8)
    for index, (factor, errors) in enumerate(trained.items()):
        steps = torch.arange(1, len(errors))
        low, middle, high = errors[1:].quantile(torch.tensor([0.25, 0.5, 0.75]).to(errors), dim=1)
        axes.fill_between(steps, low, high, color=f"C{index}", alpha=0.15, linewidth=0)
        (line,) = axes.plot(steps, middle, color=f"C{index}")
        label_line(line, f"× {factor:g}")
    axes.set(xscale="log", xlabel="step of descent", ylabel="relative squared error", ylim=(0, 1.6))
    return figure


def draw_ends(limit: Ending, each: Sequence[Problem]) -> Figure:
    """The error at the end over the stretch of the five weights: the median with the range over the problems."""
    import matplotlib.pyplot as plt

    from losscore.lab.figures import GREY, label_line, mark

    factors = torch.logspace(-2, 2, 25, dtype=torch.float64)
    errors = torch.stack([ends(limit, each, factor) for factor in factors.tolist()])
    figure, axes = plt.subplots(figsize=(6.0, 4.0))
    axes.fill_between(factors, *errors.aminmax(dim=1), color="C0", alpha=0.15, linewidth=0)
    axes.plot(factors, errors.median(1).values, color="C0")
    (truthless,) = axes.plot(factors, torch.ones_like(factors), color=GREY, linewidth=0.8, linestyle="-")
    label_line(truthless, "no better than w = 0", at=20.0, offset=(-10, 5))
    for factor in (0.2, 1.0, 5.0):
        mark(axes, factor, ends(limit, each, factor).median().item(), f"× {factor:g}", offset=(8, 10))
    axes.set(
        xscale="log", xlabel="stretch of the five weights", ylabel="relative squared error", ylim=(0, 2.2)
    )
    return figure
