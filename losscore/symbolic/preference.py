"""Losses of preferences: definitions. A comparison is of a chosen answer, +, and a rejected one, -."""

from __future__ import annotations

import sympy as sp

from .classification import softplus
from .definition import Definition

REWARDS = sp.symbols("r_+ r_-", real=True)
POLICY = sp.symbols(r"\ell_+ \ell_-", real=True)
REFERENCE = sp.symbols(r"\ell^0_+ \ell^0_-", real=True)
STRENGTH = sp.Symbol("beta", positive=True)
SMOOTHING = sp.Symbol("epsilon", nonnegative=True)


def _noisy_choice(gain: sp.Expr, wrong: sp.Expr) -> sp.Expr:
    return (1 - wrong) * softplus(-gain) + wrong * softplus(gain)


bradley_terry = Definition("bradley_terry", lambda chosen, rejected: softplus(rejected - chosen), REWARDS)
dpo = Definition(
    "dpo",
    lambda chosen, rejected, chosen_before, rejected_before, beta, label_smoothing: _noisy_choice(
        beta * ((chosen - chosen_before) - (rejected - rejected_before)), label_smoothing
    ),
    (*POLICY, *REFERENCE),
    {"beta": STRENGTH, "label_smoothing": SMOOTHING},
)
