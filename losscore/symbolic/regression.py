"""Regression losses of a prediction and a real target: definitions, then proofs."""

from __future__ import annotations

import sympy as sp

from .definition import Definition

PREDICTION, TARGET = sp.symbols(r"\hat{y} y", real=True)
QUANTILE = sp.Symbol(r"\tau", positive=True)
UNDERAGE, OVERAGE = sp.symbols("c_u c_o", positive=True)
LEVEL = sp.Symbol(r"\tau", positive=True)
DELTA = sp.Symbol(r"\delta", positive=True)
_PAIR = (PREDICTION, TARGET)


def _either(residual: sp.Expr, short: sp.Expr, over: sp.Expr) -> sp.Expr:
    """`short` where the target lies above the prediction, `over` elsewhere."""
    return sp.Piecewise((short, residual > 0), (over, True))


squared_error = Definition("squared_error", lambda x, y: (x - y) ** 2, _PAIR)
half_squared_error = Definition("half_squared_error", lambda x, y: (x - y) ** 2 / 2, _PAIR)
absolute_error = Definition("absolute_error", lambda x, y: sp.Abs(x - y), _PAIR)
huber = Definition(
    "huber",
    lambda x, y, delta: sp.Piecewise(
        ((x - y) ** 2 / 2, sp.Abs(x - y) <= delta), (delta * (sp.Abs(x - y) - delta / 2), True)
    ),
    _PAIR,
    {"delta": DELTA},
)
log_cosh = Definition("log_cosh", lambda x, y: sp.log(sp.cosh(x - y)), _PAIR)
pinball = Definition(
    "pinball",
    lambda x, y, quantile: _either(y - x, quantile * (y - x), (1 - quantile) * (x - y)),
    _PAIR,
    {"quantile": QUANTILE},
)
asymmetric_linear = Definition(
    "asymmetric_linear",
    lambda x, y, underage, overage: _either(y - x, underage * (y - x), overage * (x - y)),
    _PAIR,
    {"underage": UNDERAGE, "overage": OVERAGE},
)
expectile = Definition(
    "expectile",
    lambda x, y, level: _either(y - x, level * (y - x) ** 2, (1 - level) * (x - y) ** 2),
    _PAIR,
    {"level": LEVEL},
)
