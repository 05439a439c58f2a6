"""Losses of logits for labels that may be wrong: definitions, then proofs."""

from __future__ import annotations

from typing import Any

import sympy as sp

from .classification import LOGITS, TARGETS, cross_entropy, log_sum_exp, softmax
from .definition import CLASSES, Definition, Vector, total
from .proof import Proof, argument, derivative, equal, holds_for, is_zero, limit, positive, solves

POWER = sp.Symbol("q", nonnegative=True)
FORWARD, BACKWARD = sp.symbols(r"\alpha \beta", nonnegative=True)
LOG_ZERO = sp.Symbol("A", negative=True)
TRANSITION = sp.IndexedBase("T", nonnegative=True)


def _probability(z: Vector, z_k: sp.Expr) -> sp.Expr:
    return sp.exp(z_k) / total(sp.exp, z, index="j")


def _generalized_cross_entropy(z: Vector, t: Vector, q: sp.Expr) -> sp.Expr:
    def of_class(z_k: sp.Expr, t_k: sp.Expr) -> sp.Expr:
        surprisal = log_sum_exp(z) - z_k
        return t_k * sp.Piecewise(((1 - sp.exp(-q * surprisal)) / q, sp.Ne(q, 0)), (surprisal, True))

    return total(of_class, z, t)


def _symmetric_cross_entropy(
    z: Vector, t: Vector, alpha: sp.Expr, beta: sp.Expr, log_zero: sp.Expr
) -> sp.Expr:
    def relief(z_k: sp.Expr, t_k: sp.Expr) -> sp.Expr:
        bounded = sp.Piecewise((sp.Max(sp.log(t_k), log_zero), t_k > 0), (log_zero, True))
        return _probability(z, z_k) * (bounded - log_zero)

    return alpha * cross_entropy.formula(z, t) + beta * (-log_zero - total(relief, z, t))


def _forward_corrected_cross_entropy(z: Vector, t: Vector, transition: Any = TRANSITION) -> sp.Expr:
    if isinstance(z, sp.IndexedBase):
        j, k = sp.symbols("j k", integer=True, positive=True)
        seen = sp.Sum(_probability(z, z[j]) * transition[j, k], (j, 1, CLASSES))
        return sp.Sum(-t[k] * sp.log(seen), (k, 1, CLASSES))
    p = softmax(z)
    return -sp.Add(
        *(
            t_k * sp.log(sp.Add(*(p_j * row[k] for p_j, row in zip(p, transition, strict=True))))
            for k, t_k in enumerate(t)
        )
    )


generalized_cross_entropy = Definition(
    "generalized_cross_entropy", _generalized_cross_entropy, (LOGITS, TARGETS), {"q": POWER}
)
absolute_probability_error = Definition(
    "absolute_probability_error",
    lambda z, t: total(lambda z_k, t_k: sp.Abs(_probability(z, z_k) - t_k), z, t),
    (LOGITS, TARGETS),
)
symmetric_cross_entropy = Definition(
    "symmetric_cross_entropy",
    _symmetric_cross_entropy,
    (LOGITS, TARGETS),
    {"alpha": FORWARD, "beta": BACKWARD, "log_zero": LOG_ZERO},
)
forward_corrected_cross_entropy = Definition(
    "forward_corrected_cross_entropy",
    _forward_corrected_cross_entropy,
    (LOGITS, TARGETS),
    given=("transition",),
)


_ODDS = sp.Symbol("r", positive=True)
_Q = sp.Symbol("q", positive=True)
_SIZES = range(2, 6)
_NAMED = "$K=2,…,5$ with free probabilities"


def odds(size: int) -> tuple[sp.Symbol, ...]:
    """Positive numbers proportional to the probabilities; their logarithms are logits."""
    return tuple(sp.symbols(f"r_1:{size + 1}", positive=True))


def by_label(size: int, q: sp.Expr) -> list[sp.Expr]:
    """Generalized cross-entropy at the probabilities r / sum r, for each label."""
    logits = [sp.log(r) for r in odds(size)]
    one_hot = [[sp.Integer(j == label) for j in range(size)] for label in range(size)]
    return [generalized_cross_entropy.expression(logits, target, q=q) for target in one_hot]


def chances(size: int) -> list[sp.Expr]:
    return [r / sp.Add(*odds(size)) for r in odds(size)]


def generalized_cross_entropy_joins_two_losses() -> Proof:
    """Of a label it is (1 − p^q)/q: −ln p in the limit q → 0, half the absolute error of probabilities at q = 1."""
    p = _ODDS / (1 + _ODDS)
    binary = (1 - p**_Q) / _Q

    def of_a_label(size: int) -> bool:
        return all(is_zero(loss - (1 - p_j**_Q) / _Q) for loss, p_j in zip(by_label(size, _Q), chances(size)))

    def half_of_absolute(size: int) -> bool:
        logits = [sp.log(r) for r in odds(size)]
        for label, loss in enumerate(by_label(size, sp.Integer(1))):
            target = [sp.Integer(j == label) for j in range(size)]
            whole = absolute_probability_error.expression(logits, target)
            whole = whole.replace(sp.Abs, lambda x: sp.Abs(sp.factor(sp.together(x))))
            if not is_zero(2 * loss - whole):
                return False
        return True

    return Proof(
        claims=("C64", "C65", "C66"),
        statement=(
            r"For a label of class $j$ generalized cross-entropy is $L_q=\frac{1-p_j^q}q$. As $q\to0$ it becomes $-\ln p_j$; at "
            r"$q=1$ it is half of $\lVert e_j-p\rVert_1$. For every $q>0$ it stays below $\frac1q$, where cross-entropy has no bound."
        ),
        hypotheses=("$p$ in the simplex, $p_j>0$",),
        scope="every $q$; the number of classes $K=2,…,5$",
        steps=(
            holds_for(
                "The definition, at a label.",
                _SIZES,
                of_a_label,
                shown=r"\ell(z,e_j)=\frac{1-p_j^q}{q}",
                named=_NAMED,
            ),
            limit("With odds $r=p_j/(1-p_j)$, as $q$ falls to 0,", binary, _Q, sp.Integer(0), -sp.log(p)),
            positive(r"$L_q$ falls short of $\frac1q$ by", 1 / _Q - binary, p**_Q / _Q),
            limit(
                "while cross-entropy grows without end as $p_j$ falls to 0.",
                -sp.log(p),
                _ODDS,
                sp.Integer(0),
                sp.oo,
            ),
            holds_for(
                "At $q=1$ twice the loss is the sum of the absolute errors.",
                range(2, 5),
                half_of_absolute,
                shown=r"2\,(1-p_j)=(1-p_j)+\sum_{k\neq j}p_k=\lVert e_j-p\rVert_1",
                named="$K=2,…,4$ with free probabilities",
            ),
        ),
    )


def generalized_cross_entropy_damps_the_gradient() -> Proof:
    """The gradient in the logits is that of cross-entropy times p_y^q; where it is largest, and its size at the start."""
    p = sp.Symbol("p", positive=True)

    def damped(size: int) -> bool:
        loss, p = by_label(size, _Q)[0], chances(size)
        return all(
            is_zero(r * sp.diff(loss, r) - p[0] ** _Q * (p[k] - int(k == 0)))
            for k, r in enumerate(odds(size))
        )

    def at_the_start(size: int) -> bool:
        z = sp.symbols(f"z_1:{size + 1}", real=True)
        target = [sp.Integer(j == 0) for j in range(size)]
        slope = sp.diff(generalized_cross_entropy.expression(z, target, q=_Q), z[0])
        start = slope.subs(dict.fromkeys(z, 0))
        return bool(is_zero(start + sp.Integer(size) ** -_Q * (1 - sp.Rational(1, size))))

    own = p**_Q * (1 - p)
    return Proof(
        claims=("C67", "C68"),
        statement=(
            r"$\nabla_zL_q=p_j^q\,(p-e_j)$. The factor is $K^{-q}$ where all classes are equally likely; the slope in the label's "
            r"own logit, $p_j^q(1-p_j)$, is largest at $p_j=\frac q{1+q}$."
        ),
        hypotheses=(r"$p=\mathrm{softmax}(z)$", "label of class $j$", "$0<q\\leq1$"),
        scope="$K=2,…,5$, every $q$",
        steps=(
            holds_for(
                r"Differentiate the definition in each logit $z_k=\ln r_k$, where $\partial_{z_k}=r_k\,\partial_{r_k}$.",
                _SIZES,
                damped,
                shown=r"\frac{\partial L_q}{\partial z_k}=p_j^q\,(p_k-[k=j])",
                named="$K=2,…,5$, free logits and $q$",
            ),
            holds_for(
                "With equal logits the label's own slope is",
                _SIZES,
                at_the_start,
                shown=r"\left.\frac{\partial L_q}{\partial z_j}\right|_{z=0}=-K^{-q}\Bigl(1-\frac1K\Bigr)",
                named="$K=2,…,5$",
            ),
            derivative(
                "The size of that slope, as a function of $p_j$,", own, p, p ** (_Q - 1) * (_Q - (1 + _Q) * p)
            ),
            solves("rises until, and falls after", _Q - (1 + _Q) * p, p, _Q / (1 + _Q)),
        ),
    )


def generalized_cross_entropy_sharpens() -> Proof:
    """Its minimiser is proportional to η^{1/(1−q)}: sharper than the truth, in the same order, and invertible."""
    p, eta, share, rest = sp.symbols(r"p \eta c s", positive=True)
    half = sp.Rational(1, 2)
    truth = (sp.Rational(5, 10), sp.Rational(3, 10), sp.Rational(2, 10))

    def equal_pull(size: int) -> bool:
        etas = sp.symbols(f"eta_1:{size + 1}", positive=True)
        logits = sp.symbols(f"z_1:{size + 1}", real=True)
        one_hot = [[sp.Integer(j == label) for j in range(size)] for label in range(size)]
        risk = sp.Add(
            *(e * generalized_cross_entropy.expression(logits, t, q=half) for e, t in zip(etas, one_hot))
        )
        best = {z: 2 * sp.log(e) for z, e in zip(logits, etas)}
        return all(is_zero(sp.diff(risk, z).subs(best)) for z in logits)

    def risk_of_powers(size: int) -> bool:
        etas = list(sp.symbols(f"eta_1:{size}", positive=True))
        etas.append(1 - sp.Add(*etas))
        risk = sp.Add(*(e * loss for e, loss in zip(etas, by_label(size, _Q))))
        powers = sp.Add(*(e * chance**_Q for e, chance in zip(etas, chances(size))))
        return bool(is_zero(risk - (1 - powers) / _Q))

    sharp = [t**2 / sp.Add(*(s**2 for s in truth)) for t in truth]
    return Proof(
        claims=("C63", "C69"),
        statement=(
            r"For $0<q<1$ the expected loss $\sum_k\eta_kL_q(p,k)$ is least at $p_k\propto\eta_k^{1/(1-q)}$ and nowhere else: the "
            r"truth with its contrasts stretched, from which $\eta_k\propto p_k^{1-q}$ recovers it. At $q=1$ all probability goes to "
            r"the most probable class."
        ),
        hypotheses=(r"$\eta_k>0$", "$p$ anywhere in the simplex"),
        scope=r"every $K$ and $q$ by the Lagrangian; in the logits for $K=2,…,4$ at $q=\frac12$",
        steps=(
            holds_for(
                r"Minimising the expected loss means maximising $\sum_k\eta_kp_k^q$.",
                _SIZES,
                risk_of_powers,
                shown=r"\sum_k\eta_kL_q(p,k)=\frac{1-\sum_k\eta_kp_k^q}{q}",
                named=r"$K=2,…,5$, free $\eta$ and $p$",
            ),
            derivative(
                r"Each of these terms",
                eta * p**_Q,
                p,
                eta * _Q * p ** (_Q - 1),
            ),
            equal(
                r"has the same slope in all classes if $p_k=c\,\eta_k^{1/s}$ with $s=1-q$: $\eta_k$ drops out.",
                (eta * _Q * p ** (_Q - 1)).subs(_Q, 1 - rest).subs(p, share * eta ** (1 / rest)),
                (1 - rest) * share**-rest,
                name=r"q\,\eta_k\,p_k^{q-1}",
            ),
            derivative(
                "Each term bends down,", eta * p**_Q, p, -_Q * (1 - _Q) * eta * p ** (_Q - 2), order=2
            ),
            argument(
                r"strictly, as $q<1$. So where the slopes are equal, $\sum_kp_k=1$ leaves no better point and no second one."
            ),
            holds_for(
                r"In the logits: at $z_k=2\ln\eta_k$ the expected gradient of the loss with $q=\frac12$ vanishes.",
                range(2, 5),
                equal_pull,
                shown=r"\sum_k\eta_k\nabla_zL_{1/2}(z,e_k)=0\quad\text{at}\quad p_k\propto\eta_k^2",
                named=r"$K=2,…,4$, free $\eta$",
            ),
            equal("Undo it.", (eta ** (1 / rest)) ** rest, eta, name=r"\bigl(\eta_k^{1/s}\bigr)^{s}"),
            equal(
                r"With $\eta=(0.5,0.3,0.2)$ and $q=\frac12$ the most probable class gets",
                sharp[0],
                sp.Rational(25, 38),
                name="p_1",
            ),
            argument(
                r"$t\mapsto t^{1/(1-q)}$ increases, so the order of the classes is kept. At $q=1$ the sum $\sum_k\eta_kp_k$ is a weighted "
                r"mean of the $\eta_k$: largest with all weight on the largest."
            ),
        ),
    )
