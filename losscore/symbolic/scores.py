"""Proper scores of one probability: the forecast q of an event of probability p. Proofs only.

Forecasts are probabilities, losses take logits: a forecast enters a loss's definition as its logit ln(q / (1 − q)).
"""

from __future__ import annotations

import sympy as sp

from .classification import LABEL, LOGIT, binary_brier, binary_cross_entropy, sigmoid
from .definition import Definition
from .proof import Proof, Step, argument, derivative, equal, is_zero, limit, positive, solves
from .typeset import latex

TRUTH, FORECAST = sp.symbols("p q", positive=True)
_ONE, _ZERO = sp.Integer(1), sp.Integer(0)
_TRUTH_ODDS, _ODDS = sp.symbols("r s", positive=True)
_GIVEN = (r"$Y\sim\mathrm{Bernoulli}(p)$ with $0<p<1$", "forecast $0<q<1$")
_AS_ODDS = {TRUTH: _TRUTH_ODDS / (1 + _TRUTH_ODDS), FORECAST: _ODDS / (1 + _ODDS)}


def score(loss: Definition, outcome: sp.Expr) -> sp.Expr:
    """What `loss` charges the forecast q for an outcome of 0 or 1, as a function of q."""
    q = FORECAST
    as_logit = loss.expression(sp.log(q / (1 - q)), outcome)
    return as_logit.replace(sp.log, lambda x: sp.expand_log(sp.log(sp.cancel(x)), force=True)).subs(
        sp.cancel(1 / (1 + (1 - q) / q)), q
    )
