"""Cox's partial likelihood: worked values, a peer, ties, batches without events, and sums that overflow."""

from __future__ import annotations

import math
from itertools import permutations

import pytest
import torch
from torch import Tensor

import losscore

# torch 2.13 warns of what its forward mode uses itself
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")

TIES = ("efron", "breslow")


def study(size: int = 60, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Log hazards, whole times with many ties, and events."""
    generator = torch.Generator().manual_seed(seed)
    log_hazard = torch.randn(size, generator=generator, dtype=torch.float64)
    time = torch.randint(1, 9, (size,), generator=generator)
    return log_hazard, time, torch.rand(size, generator=generator) < 0.6


def total(log_hazard: Tensor, time: Tensor, event: Tensor, ties: str) -> Tensor:
    return losscore.cox(log_hazard, time, event, ties=ties, reduction="sum")


def test_ties_worked_by_hand() -> None:
    """Three equal hazards, two of them dying together: log 3 twice, or log 3 and log 2."""
    log_hazard, time, event = torch.zeros(3), torch.tensor([1, 1, 2]), torch.tensor([1, 1, 0])
    assert total(log_hazard, time, event, "breslow").item() == pytest.approx(math.log(9))
    assert total(log_hazard, time, event, "efron").item() == pytest.approx(math.log(6))
    assert losscore.cox(log_hazard, time, event).item() == pytest.approx(math.log(6) / 2)
    each = losscore.cox(log_hazard, time, event, reduction="none")
    assert each.tolist() == pytest.approx([math.log(6) / 2, math.log(6) / 2, 0])


@pytest.mark.parametrize("ties", TIES)
def test_agrees_with_statsmodels(ties: str) -> None:
    duration = pytest.importorskip("statsmodels.duration.hazard_regression")
    log_hazard, time, event = study()
    model = duration.PHReg(
        time.double().numpy(), log_hazard.numpy()[:, None], status=event.numpy(), ties=ties
    )
    ours = total(log_hazard, time, event, ties)
    assert ours.item() == pytest.approx(-model.loglike([1.0]), rel=1e-10, abs=0)
    slope = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(total(slope * log_hazard, time, event, ties), slope)
    assert found.item() == pytest.approx(-model.score([1.0])[0], rel=1e-9, abs=0)


def test_the_two_forms_differ_only_with_ties() -> None:
    log_hazard, time, event = study()
    assert total(log_hazard, time, event, "efron") < total(log_hazard, time, event, "breslow")
    apart = torch.arange(60)
    torch.testing.assert_close(
        total(log_hazard, apart, event, "efron"), total(log_hazard, apart, event, "breslow")
    )


@pytest.mark.parametrize("ties", TIES)
def test_the_order_of_tied_subjects_does_not_matter(ties: str) -> None:
    log_hazard = torch.tensor([0.3, -1.0, 2.0, 0.7], dtype=torch.float64)
    time, event = torch.tensor([1, 1, 1, 2]), torch.tensor([1, 0, 1, 1])
    each = losscore.cox(log_hazard, time, event, ties=ties, reduction="none")
    for order in map(list, permutations(range(4))):
        torch.testing.assert_close(
            losscore.cox(log_hazard[order], time[order], event[order], ties=ties, reduction="none"),
            each[order],
        )


def test_the_censored_are_at_risk_at_their_own_time() -> None:
    loss = losscore.cox(torch.zeros(2), torch.tensor([1, 1]), torch.tensor([1, 0]))
    assert loss.item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("size", [0, 1, 4])
def test_without_events_the_loss_is_0_with_a_graph(size: int, reduction: str) -> None:
    log_hazard = torch.ones(size, requires_grad=True)
    loss = losscore.cox(log_hazard, torch.arange(size), torch.zeros(size), reduction=reduction)
    loss.backward()
    assert loss.item() == 0 and log_hazard.grad is not None and log_hazard.grad.eq(0).all()


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize(("size", "dtype"), [(89.0, torch.float32), (710.0, torch.float64)])
def test_hazards_that_overflow(size: float, dtype: torch.dtype, ties: str) -> None:
    log_hazard = torch.tensor([0.0, size, 1.0], dtype=dtype, requires_grad=True)
    time, event = torch.tensor([1, 2, 3]), torch.tensor([1, 1, 1])
    loss = losscore.cox(log_hazard, time, event, ties=ties, reduction="sum")
    (slope,) = torch.autograd.grad(loss, log_hazard)
    assert loss.item() == pytest.approx(size, rel=1e-6, abs=0)
    assert slope.tolist() == pytest.approx([-1, 1, math.exp(1 - size)], abs=1e-30, rel=1e-5)
    assert log_hazard.exp().cumsum(0).log().isinf().any()


def test_a_confident_order_costs_little_but_not_nothing() -> None:
    log_hazard = torch.tensor([20.0, 0.0], requires_grad=True)
    loss = losscore.cox(log_hazard, torch.tensor([1.0, 2.0]), torch.tensor([1, 0]))
    (slope,) = torch.autograd.grad(loss, log_hazard)
    assert loss.item() == pytest.approx(math.log1p(math.exp(-20)), rel=2e-6, abs=0)
    assert slope.tolist() == pytest.approx([-math.exp(-20), math.exp(-20)], rel=2e-6, abs=0)


def test_impossible_deaths() -> None:
    """Nobody with hazard 0 dies; where someone does, the loss is infinite."""
    log_hazard = torch.tensor([-math.inf, -math.inf, 0.0, 1.0], requires_grad=True)
    alive = losscore.cox(log_hazard, torch.tensor([3, 4, 1, 2]), torch.tensor([0, 0, 1, 1]))
    (slope,) = torch.autograd.grad(alive, log_hazard)
    assert alive.isfinite() and slope.isfinite().all() and slope[:2].eq(0).all()
    torch.testing.assert_close(
        alive, losscore.cox(log_hazard[2:], torch.tensor([1, 2]), torch.tensor([1, 1]))
    )
    within = losscore.cox(log_hazard, torch.tensor([3, 1, 1, 2]), torch.tensor([0, 0, 1, 1]))
    torch.testing.assert_close(within, alive)
    dead = losscore.cox(log_hazard.detach(), torch.tensor([1, 4, 2, 3]), torch.tensor([1, 0, 1, 1]))
    assert dead == math.inf


def test_large_whole_times_stay_apart() -> None:
    """In float32 2^24 and 2^24 + 1 would be a tie."""
    time, event = torch.tensor([2**24, 2**24 + 1]), torch.tensor([1, 1])
    assert losscore.cox(torch.zeros(2), time, event, reduction="sum").item() == pytest.approx(math.log(2))


def test_curvature_at_equal_hazards() -> None:
    """diag p - p p^T of each risk set: 1/4 for the only comparison of two equal hazards."""

    def loss(log_hazard: Tensor) -> Tensor:
        return losscore.cox(log_hazard, torch.tensor([1, 2]), torch.tensor([1, 1]), reduction="sum")

    curvature = torch.func.hessian(loss)(torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close(curvature, torch.tensor([[0.25, -0.25], [-0.25, 0.25]], dtype=torch.float64))


def test_bad_input() -> None:
    h, t, e = torch.zeros(3), torch.arange(3.0), torch.ones(3)
    for arguments, options, message in [
        ((h, t[:2], e), {}, "time: expected the size of log_hazard"),
        ((h, t, e[:, None]), {}, "event: expected the size of log_hazard"),
        (
            (h[:, None], t[:, None], e[:, None]),
            {},
            r"log_hazard: expected size \(N,\), got torch.Size\(\[3, 1\]\)",
        ),
        ((h, t, 2 * e), {}, "event: expected 0 or 1, got 2.0 at position"),
        ((h, t / 0 * 0, e), {}, "time: expected numbers, got nan"),
        ((h, t, e), {"ties": "exact"}, "ties: expected 'efron' or 'breslow', got 'exact'"),
    ]:
        with pytest.raises(ValueError, match=message):
            losscore.cox(*arguments, **options)
