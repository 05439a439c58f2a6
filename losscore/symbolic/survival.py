"""Losses of times to an event: definitions."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from .definition import Definition

LOG_HAZARDS = sp.symbols(r"\eta_1:5", real=True)
TIMES_AND_EVENTS = ((3, 1), (2, 1), (2, 1), (2, 0))


def _negative_log_partial_likelihood(
    log_hazards: Sequence[sp.Expr], observed: Sequence[tuple[sp.Expr, sp.Expr]], ties: str = "efron"
) -> sp.Expr:
    loss = sp.Integer(0)
    for time in sorted({time for time, event in observed if event}):
        at_risk = sp.Add(*(sp.exp(eta) for eta, (until, _) in zip(log_hazards, observed, strict=True) if until >= time))
        tied = [eta for eta, (until, event) in zip(log_hazards, observed, strict=True) if until == time and event]
        dying = sp.Add(*(sp.exp(eta) for eta in tied))
        for rank, eta in enumerate(tied):
            share = sp.Rational(rank, len(tied)) if ties == "efron" else 0
            loss += sp.log(at_risk - share * dying) - eta
    return loss


cox = Definition("cox", _negative_log_partial_likelihood, (LOG_HAZARDS, TIMES_AND_EVENTS), given=(1, "ties"))
