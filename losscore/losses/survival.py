"""Losses of the time until an event that some subjects are not seen to have.

The loss of a batch is no sum over its samples: each event is compared with everybody still at risk. So the
samples of a batch should be drawn at random, and a batch of one, or without events, teaches nothing.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ._tensors import Reduction, check_companion, check_prediction, check_values, reduce, working_dtype


def cox(
    log_hazard: Tensor,
    time: Tensor,
    event: Tensor,
    *,
    ties: Literal["efron", "breslow"] = "efron",
    reduction: Reduction = "mean",
) -> Tensor:
    r"""Cox's negative log partial likelihood: over the events, log of the hazards at risk, less its own.

    sum over events i of log sum_{j: t_j >= t_i} exp(h_j) - h_i. For d events at one time Efron's form takes
    k/d of their own hazards off the k-th sum, k = 0, ..., d - 1; Breslow's leaves all d sums alike.

    Domain: all real h; t real, without order of censored subjects against events at the same time (they are
    at risk then); event 1 where the event was seen, 0 where the time is a censoring. Its minimiser is the log
    hazard up to a constant, if hazards are proportional: the loss does not change when all h shift together.

    Conventions: "sum" is the negative log partial likelihood, "mean" divides it by the number of events, and
    "none" gives each event its share, 0 for the censored; tied events share the sums of their time equally.
    Without events the loss is 0, with gradient 0; so it is for an empty batch. Independent of the order of
    the batch, with ties too. Under the same `ties` the same number as R's `coxph`; `lifelines` has Efron's form
    alone.

    Shape: `log_hazard`, `time` and `event` (N,); the result () or, under "none", (N,).

    Raises:
        ValueError: the shapes differ or aren't (N,), an event isn't 0 or 1, or `ties` or `reduction` is
            unknown.
        TypeError: `log_hazard` isn't a floating-point tensor, or another argument isn't a real one.

    Example:
        >>> log_hazard, time = torch.tensor([20.0, 0.0, 0.0]), torch.tensor([1.0, 2.0, 3.0])
        >>> cox(log_hazard, time, torch.tensor([1, 1, 0]), reduction="none")
        tensor([4.1223e-09, 6.9315e-01, 0.0000e+00])

    References: Cox (1972), Regression models and life-tables; Breslow (1974), Covariance analysis of censored
    survival data; Efron (1977), The efficiency of Cox's likelihood function for censored data.
    """
    if ties not in ("efron", "breslow"):
        raise ValueError(f"ties: expected 'efron' or 'breslow', got {ties!r}")
    check_prediction("log_hazard", log_hazard)
    if log_hazard.dim() != 1:
        raise ValueError(f"log_hazard: expected size (N,), got {log_hazard.shape}")
    for name, value in (("time", time), ("event", event)):
        check_companion(name, value, log_hazard, "log_hazard")
        if value.shape != log_hazard.shape:
            raise ValueError(
                f"{name}: expected the size of log_hazard, {log_hazard.shape}, got {value.shape}"
            )
    check_values("time", time, "numbers", lambda t: ~t.isnan())
    check_values("event", event, "0 or 1", lambda e: (e == 0) | (e == 1))
    order = _latest_first(time, event)
    sorted_losses = _of_events(
        log_hazard.to(working_dtype(log_hazard.dtype))[order], time[order], event[order] != 0, ties == "efron"
    )
    losses = sorted_losses[order.argsort()]
    return reduce(losses, reduction, log_hazard.dtype, (event != 0).sum().clamp(min=1))


def _latest_first(time: Tensor, event: Tensor) -> Tensor:
    """The order of falling time; at one time the censored before the events."""
    censored_first = event.argsort(stable=True)
    return censored_first[time[censored_first].argsort(stable=True, descending=True)]


def _of_events(log_hazard: Tensor, time: Tensor, event: Tensor, efron: bool) -> Tensor:
    """The losses in the order of `_latest_first`: others at risk at an event stand before its ties."""
    if not len(log_hazard):
        return log_hazard
    place = torch.arange(len(log_hazard), device=log_hazard.device)
    other = (time[1:] != time[:-1]) | (event[1:] != event[:-1])
    edge = other.new_ones(1)
    first = torch.where(torch.cat((edge, other)), place, 0).cummax(0).values
    last = torch.where(torch.cat((other, edge)), place, len(place) - 1).flip(0).cummin(0).values.flip(0)
    count = last - first + 1
    # at the first place there are no others, which `compared` says
    others, tied = _running_log_sum(log_hazard)[first - 1], _running_log_sum(log_hazard, first)[last]
    share = (last - place + 1).to(log_hazard.dtype) / count if efron else torch.ones_like(log_hazard)
    left = share.log()
    compared = event & (first > 0)
    excess = -F.logsigmoid(torch.where(compared, tied + left - others, 0)).masked_fill(~compared, 0)
    in_group = torch.zeros_like(excess).scatter_add(0, first, left + excess)[first] / count
    within = torch.where(count == 1, 0, tied - log_hazard)
    return torch.where(event, within + in_group, 0)


def _running_log_sum(x: Tensor, first: Tensor | None = None) -> Tensor:
    """The log of the sum of the exponentials up to each place, from the beginning or from place `first`.

    By doubling steps: unlike `torch.logcumsumexp`, right to the last digits in its derivatives, in both
    modes.
    """
    place = torch.arange(len(x), device=x.device)
    step = 1
    while step < len(x):
        later, earlier = x[step:], x[:-step]
        nothing = (later == -torch.inf) & (earlier == -torch.inf)
        joined = torch.where(nothing, later, torch.logaddexp(torch.where(nothing, 0, later), earlier))
        if first is not None:
            joined = torch.where(place[:-step] >= first[step:], joined, later)
        x = torch.cat((x[:step], joined))
        step *= 2
    return x
