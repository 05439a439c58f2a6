"""Losses of times to an event: definitions."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from .definition import Definition

LOG_HAZARDS = sp.symbols(r"\eta_1:5", real=True)
TIMES, EVENTS = (3, 2, 2, 2), (1, 1, 1, 0)


def _negative_log_partial_likelihood(
    log_hazards: Sequence[sp.Expr], times: Sequence[sp.Expr], events: Sequence[sp.Expr], ties: str = "efron"
) -> sp.Expr:
    loss = sp.Integer(0)
    subjects = list(zip(log_hazards, times, events, strict=True))
    for time in sorted({time for _, time, event in subjects if event}):
        at_risk = sp.Add(*(sp.exp(eta) for eta, until, _ in subjects if until >= time))
        tied = [eta for eta, until, event in subjects if until == time and event]
        dying = sp.Add(*(sp.exp(eta) for eta in tied))
        for rank, eta in enumerate(tied):
            share = sp.Rational(rank, len(tied)) if ties == "efron" else 0
            loss += sp.log(at_risk - share * dying) - eta
    return loss


cox = Definition("cox", _negative_log_partial_likelihood, (LOG_HAZARDS, TIMES, EVENTS), given=(1, 2, "ties"))
