"""Proper scores: definitions for the probabilities p of several classes, then proofs for that of one event.

In the definitions p is the forecast and q the target, a distribution. In the proofs q is the forecast of an event of
probability p. There losses take logits: a forecast enters a loss's definition as its logit ln(q / (1 − q)). Equations
in p and q are checked in the odds r = p / (1 − p) and s = q / (1 − q), which run through all positive numbers.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from .classification import LABEL, LOGIT, TARGETS, binary_brier, binary_cross_entropy, sigmoid
from .definition import CLASSES, Definition, Vector, total
from .proof import Proof, Step, argument, derivative, equal, limit, positive, solves
from .regression import absolute_error
from .typeset import latex

PROBABILITIES = sp.IndexedBase("p", nonnegative=True)
TRUTH, FORECAST = sp.symbols("p q", positive=True)

_TRUTH_ODDS, _ODDS = sp.symbols("r s", positive=True)
_IN_ODDS = {TRUTH: _TRUTH_ODDS / (1 + _TRUTH_ODDS), FORECAST: _ODDS / (1 + _ODDS)}
_HYPOTHESES = (r"$Y\sim\mathrm{Bernoulli}(p)$ with $0<p<1$", "forecast $0<q<1$")
_SCOPE = "every $p$ and $q$ strictly between 0 and 1"


def _norm(p: Vector) -> sp.Expr:
    return sp.sqrt(total(lambda p_j: p_j**2, p, index="j"))


def _ranked_probability(p: Vector, q: Vector) -> sp.Expr:
    if isinstance(p, sp.IndexedBase):
        j, k = sp.symbols("j k", integer=True, positive=True)
        return sp.Sum(sp.Sum(p[j] - q[j], (j, 1, k)) ** 2, (k, 1, CLASSES))
    errors = [p_k - q_k for p_k, q_k in zip(p, q, strict=True)]
    return sp.Add(*(sp.Add(*errors[: k + 1]) ** 2 for k in range(len(errors))))


_PAIR = (PROBABILITIES, TARGETS)

log_score = Definition("log_score", lambda p, q: total(lambda p_k, q_k: -q_k * sp.log(p_k), p, q), _PAIR)
brier_score = Definition("brier_score", lambda p, q: total(lambda p_k, q_k: (p_k - q_k) ** 2, p, q), _PAIR)
spherical_score = Definition(
    "spherical_score", lambda p, q: total(lambda p_k, q_k: q_k * (1 - p_k / _norm(p)), p, q), _PAIR
)
ranked_probability_score = Definition("ranked_probability_score", _ranked_probability, _PAIR)


def expected(loss: Definition) -> sp.Expr:
    """The expected loss of the forecast q: p times what the outcome 1 costs, 1 − p times what the outcome 0 costs."""
    as_logit = sp.log(FORECAST / (1 - FORECAST))
    if_one, if_zero = (loss.expression(as_logit, sp.Integer(outcome)) for outcome in (1, 0))
    return TRUTH * if_one + (1 - TRUTH) * if_zero


def regret(loss: Definition) -> sp.Expr:
    """What the forecast q costs, in expectation, beyond the honest forecast p."""
    return expected(loss) - expected(loss).subs(FORECAST, TRUTH)


def _same(words: str, left: sp.Expr, right: sp.Expr, name: str) -> Step:
    """`left`, which is written `name`, is `right` for all p and q between 0 and 1."""
    return replace(equal(words, _odds(left), _odds(right)), shown=f"{name} = {latex(right)}")


def _above_zero(words: str, expression: sp.Expr) -> Step:
    """`expression` is positive for all p and q between 0 and 1."""
    form = sp.factor(sp.simplify(_odds(expression)))
    return replace(positive(words, form), shown=f"{latex(expression)} > 0")


def _in_q(words: str, left: sp.Expr, right: sp.Expr, shown: str) -> Step:
    """`left`, an expression in z, is `right`, an expression in q = σ(z)."""
    return replace(equal(words, left, right.subs(FORECAST, sigmoid(LOGIT))), shown=shown)


def _odds(expression: sp.Expr) -> sp.Expr:
    """`expression` in the odds, with quotients inside logarithms cancelled."""
    return sp.sympify(expression).subs(_IN_ODDS).replace(sp.log, lambda x: sp.log(sp.factor(sp.together(x))))


def the_two_expected_losses() -> Proof:
    """The expected cross-entropy and the expected Brier score of a forecast."""
    p, q = TRUTH, FORECAST
    return Proof(
        claims=("C46", "C47"),
        statement=(
            r"The expected cross-entropy is $-p\ln q-(1-p)\ln(1-q)$. The expected Brier score is $(q-p)^2+p(1-p)$: "
            "the square of the error, and the variance of the outcome, which no forecast removes."
        ),
        hypotheses=_HYPOTHESES,
        scope=_SCOPE,
        steps=(
            argument(
                "Weigh what each outcome costs by its probability.",
                r"E\,\ell(q,Y)=p\,\ell(q,1)+(1-p)\,\ell(q,0)",
            ),
            _same(
                r"Cross-entropy costs $-\ln q$ for the outcome 1 and $-\ln(1-q)$ for 0.",
                expected(binary_cross_entropy),
                -p * sp.log(q) - (1 - p) * sp.log(1 - q),
                r"L_{\mathrm{CE}}(q;p)",
            ),
            _same(
                "The Brier score costs $(q-1)^2$ and $q^2$.",
                expected(binary_brier),
                p * (q - 1) ** 2 + (1 - p) * q**2,
                "L_2(q;p)",
            ),
            _same(
                "Expand, and complete the square in $q$.",
                expected(binary_brier),
                (q - p) ** 2 + p * (1 - p),
                "L_2(q;p)",
            ),
        ),
    )


def regrets_of_the_two_scores() -> Proof:
    """The regret of a forecast is the KL divergence for cross-entropy, the squared error for Brier."""
    p, q = TRUTH, FORECAST
    slope = (q - p) / (q * (1 - q))
    return Proof(
        claims=("C44",),
        statement=(
            r"The regret of saying $q$ where $p$ holds is $D_{KL}(p\|q)$ for cross-entropy and $(q-p)^2$ for the Brier "
            "score. Both are 0 at $q=p$ and positive everywhere else: the two scores are strictly proper."
        ),
        hypotheses=_HYPOTHESES,
        scope=_SCOPE,
        steps=(
            _same(
                "Subtract what the honest forecast $q=p$ costs.",
                regret(binary_cross_entropy),
                p * sp.log(p / q) + (1 - p) * sp.log((1 - p) / (1 - q)),
                r"L_{\mathrm{CE}}(q;p)-L_{\mathrm{CE}}(p;p)",
            ),
            _same("The same for the Brier score.", regret(binary_brier), (q - p) ** 2, "L_2(q;p)-L_2(p;p)"),
            _same(
                "A square is 0 only at $q=p$. For the divergence, differentiate in $q$.",
                sp.diff(regret(binary_cross_entropy), q),
                slope,
                r"\frac{\partial}{\partial q}D_{KL}(p\|q)",
            ),
            _above_zero("The denominator is positive,", q * (1 - q)),
            argument(
                "so the divergence falls until $q=p$, rises after it, and is 0 there.",
                r"D_{KL}(p\|q)>D_{KL}(p\|p)=0\qquad(q\neq p)",
            ),
        ),
    )


def curvatures_at_the_truth() -> Proof:
    """Both expected losses are strictly convex in the forecast; their curvatures at the truth."""
    p, q = TRUTH, FORECAST
    second = sp.diff(expected(binary_cross_entropy), q, 2)
    return Proof(
        claims=("C48",),
        statement=(
            r"In the forecast both expected losses are strictly convex. At $q=p$ their curvatures are "
            r"$\frac1{p(1-p)}$ for cross-entropy and $2$ for the Brier score."
        ),
        hypotheses=_HYPOTHESES,
        scope=_SCOPE,
        steps=(
            _same(
                "Differentiate the expected cross-entropy twice in $q$.",
                second,
                p / q**2 + (1 - p) / (1 - q) ** 2,
                r"\frac{\partial^2}{\partial q^2}L_{\mathrm{CE}}(q;p)",
            ),
            _above_zero("Both terms are positive.", p / q**2 + (1 - p) / (1 - q) ** 2),
            _same(
                "At the truth the two terms add up to",
                second.subs(q, p),
                1 / (p * (1 - p)),
                r"\left.\frac{\partial^2L_{\mathrm{CE}}}{\partial q^2}\right|_{q=p}",
            ),
            _same(
                "The Brier score has the same curvature everywhere.",
                sp.diff(expected(binary_brier), q, 2),
                sp.Integer(2),
                r"\frac{\partial^2}{\partial q^2}L_2(q;p)",
            ),
        ),
    )


def slopes_in_the_logit() -> Proof:
    """The slope of both losses in the logit, and how large it can get."""
    z, y, q = LOGIT, LABEL, FORECAST
    bound = sp.Rational(8, 27)
    return Proof(
        claims=("C48",),
        statement=(
            r"With $q=\sigma(z)$ the slopes in the logit are $q-y$ for cross-entropy and $2(q-y)\,q(1-q)$ for the Brier "
            r"score. The first is below 1 in size; the second never exceeds $\frac8{27}$ for $y\in\{0,1\}$."
        ),
        hypotheses=(r"$q=\sigma(z)$",),
        scope="every real logit",
        steps=(
            _in_q(
                "The sigmoid's own slope is", sp.diff(sigmoid(z), z), q * (1 - q), r"\frac{dq}{dz} = q(1-q)"
            ),
            _in_q(
                "Differentiate cross-entropy in the logit: the factor $q(1-q)$ cancels.",
                sp.diff(binary_cross_entropy.expression(z, y), z),
                q - y,
                r"\frac{\partial}{\partial z}\,\ell_{\mathrm{CE}} = q-y",
            ),
            _in_q(
                "For the Brier score the chain rule leaves it standing.",
                sp.diff(binary_brier.expression(z, y), z),
                2 * (q - y) * q * (1 - q),
                r"\frac{\partial}{\partial z}\,\ell_2 = 2(q-y)\,q(1-q)",
            ),
            equal(
                r"For $y=1$ the size $2q(1-q)^2$ of the second slope stays below $\frac8{27}$, with equality at $q=\frac13$.",
                bound - 2 * q * (1 - q) ** 2,
                2 * (q - sp.Rational(1, 3)) ** 2 * (sp.Rational(4, 3) - q),
            ),
            _in_q(
                "The label 0 mirrors it: its slope is the same with the other sign at $-z$.",
                sp.diff(binary_brier.expression(z, sp.Integer(0)), z),
                -sp.diff(binary_brier.expression(z, sp.Integer(1)), z).subs(z, -z),
                r"\ell_2'(z,0)=-\ell_2'(-z,1)",
            ),
        ),
    )


def brier_bends_down_on_its_shoulder() -> Proof:
    """Through a sigmoid cross-entropy stays convex; the Brier score of y = 1 is concave where q < 1/3."""
    z, q = LOGIT, FORECAST
    one = sp.Integer(1)
    log_loss, squared = (loss.expression(z, one) for loss in (binary_cross_entropy, binary_brier))
    third = sp.Rational(1, 3)
    return Proof(
        claims=("C48",),
        statement=(
            r"For $y=1$ cross-entropy is convex in the logit. The Brier score is not: it is concave for $q<\frac13$, "
            r"which is $z<-\ln2$, and convex above."
        ),
        hypotheses=(r"$q=\sigma(z)$", "$y=1$"),
        scope="every real logit; $y=0$ is the mirror image",
        steps=(
            positive(
                "The curvature of cross-entropy is positive.",
                sp.diff(log_loss, z, 2),
                sp.exp(z) / (1 + sp.exp(z)) ** 2,
            ),
            _in_q(
                "Differentiate the Brier score twice, and factor.",
                sp.diff(squared, z, 2),
                2 * q * (1 - q) ** 2 * (3 * q - 1),
                r"\frac{\partial^2}{\partial z^2}(q-1)^2 = 2q(1-q)^2\,(3q-1)",
            ),
            solves(
                "The sign is that of the last factor, which vanishes at",
                3 * q - 1,
                q,
                third,
                sp.Interval.open(0, 1),
            ),
            solves("that is, at the logit", sigmoid(z) - third, z, -sp.log(2)),
            replace(
                limit(
                    "On the far left its slope dies out: the loss is flat where it is largest.",
                    sp.diff(squared, z),
                    z,
                    -sp.oo,
                    sp.Integer(0),
                ),
                shown=r"\lim_{z\to-\infty}\ell_2'(z)=0",
            ),
            replace(
                limit("Cross-entropy keeps pulling there.", sp.diff(log_loss, z), z, -sp.oo, sp.Integer(-1)),
                shown=r"\lim_{z\to-\infty}\ell_{\mathrm{CE}}'(z)=-1",
            ),
        ),
    )


def absolute_score_is_improper() -> Proof:
    """The expected absolute score is linear in the forecast, so its best forecast is an extreme one."""
    p, q = TRUTH, FORECAST
    excess = sp.Symbol("d", positive=True)
    by_outcome = p * absolute_error.expression(q, sp.Integer(1)) + (1 - p) * absolute_error.expression(
        q, sp.Integer(0)
    )
    expected_absolute = p * (1 - q) + (1 - p) * q
    return Proof(
        claims=("C43",),
        statement=(
            r"The score $|q-y|$ is not proper: for $p>\frac12$ its expectation is least at $q=1$, whatever $p$ is; "
            r"for $p<\frac12$ at $q=0$."
        ),
        hypotheses=(r"$Y\sim\mathrm{Bernoulli}(p)$", r"forecast $0\leq q\leq1$"),
        scope=r"every $p\neq\frac12$; at $p=\frac12$ all forecasts are equally good",
        steps=(
            _same(
                "Weigh the two outcomes by their probabilities.", by_outcome, expected_absolute, r"E\,|q-Y|"
            ),
            derivative(
                "The expectation is a straight line in the forecast, with the slope",
                expected_absolute,
                q,
                1 - 2 * p,
            ),
            positive(
                r"For $p>\frac12$ it falls all the way to $q=1$: put $p=\frac12+d$.",
                -(1 - 2 * p).subs(p, sp.Rational(1, 2) + excess),
            ),
            positive(
                r"At $p=0.7$ the honest forecast costs more than the extreme one.",
                (expected_absolute.subs(q, p) - expected_absolute.subs(q, 1)).subs(p, sp.Rational(7, 10)),
            ),
        ),
    )
