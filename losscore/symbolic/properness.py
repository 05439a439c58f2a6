"""Which losses pay best for saying what you believe, and what the others ask for instead. Proofs only.

Here p is the forecast and η the truth. A probability strictly between 0 and 1 is checked through its odds, which run
through all positive numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import sympy as sp

from .classification import LABEL, binary_brier, binary_cross_entropy, sigmoid
from .definition import Definition
from .proof import Proof, argument, derivative, equal, holds_for, is_zero, positive
from .robust import generalized_cross_entropy
from .scores import brier_score, log_score, ranked_probability_score, spherical_score

P = sp.Symbol("p", positive=True)

_ODDS, _S, _T = sp.symbols("r s t", positive=True)
_ONE, _ZERO = sp.Integer(1), sp.Integer(0)
_SIZES = range(2, 7)
_NAMED = "$K=2,…,6$ with free symbols"
_FEW = range(2, 5)
_FEW_NAMED = "$K=2,3,4$ with free symbols"


def _vector(name: str, size: int) -> tuple[sp.Symbol, ...]:
    return tuple(sp.symbols(f"{name}_1:{size + 1}", positive=True))


def _closed(name: str, size: int) -> list[sp.Expr]:
    """A distribution: free components, and the last one what is left to 1."""
    free = list(sp.symbols(f"{name}_1:{size}", positive=True))
    return [*free, 1 - sp.Add(*free)]


def _one_hot(size: int, label: int) -> tuple[sp.Expr, ...]:
    return tuple(sp.Integer(k == label) for k in range(size))


def _expected(score: Definition, p: list[sp.Expr], eta: list[sp.Expr]) -> sp.Expr:
    """The expected score of the forecast p when classes come with the probabilities eta."""
    return sp.Add(*(e * score.expression(p, _one_hot(len(p), y)) for y, e in enumerate(eta)))


def concave_entropies_make_proper_scores() -> Proof:
    """A strictly concave entropy and its tangents make a strictly proper score; the three best known ones are such."""
    entropies: dict[str, tuple[Definition, Callable[[Sequence[sp.Expr]], sp.Expr], str]] = {
        r"logarithmic score comes from $G(p)=-\sum_kp_k\ln p_k$": (
            log_score,
            lambda p: -sp.Add(*(x * sp.log(x) for x in p)),
            r"-\ln p_k",
        ),
        r"Brier score from $G(p)=1-\lVert p\rVert^2$": (
            brier_score,
            lambda p: 1 - sp.Add(*(x**2 for x in p)),
            r"\lVert p-e_k\rVert^2",
        ),
        r"spherical score from $G(p)=1-\lVert p\rVert$": (
            spherical_score,
            lambda p: 1 - sp.sqrt(sp.Add(*(x**2 for x in p))),
            r"1-\frac{p_k}{\lVert p\rVert}",
        ),
    }

    def touches(score: Definition, entropy: Callable[[Sequence[sp.Expr]], sp.Expr], size: int) -> bool:
        p = _vector("p", size)
        inside = {p[-1]: 1 - sp.Add(*p[:-1])}
        slopes = [sp.diff(entropy(p), p_k) for p_k in p]
        level = entropy(p) - sp.Add(*(p_k * slope for p_k, slope in zip(p, slopes)))
        return all(
            is_zero((level + slope - score.expression(p, _one_hot(size, y))).subs(inside))
            for y, slope in enumerate(slopes)
        )

    def squares(size: int) -> bool:
        p, eta = _vector("p", size), _vector("h", size)
        norms = sp.Add(*(x**2 for x in p)) * sp.Add(*(x**2 for x in eta))
        product = sp.Add(*(x * h for x, h in zip(p, eta))) ** 2
        pairs = sp.Add(*((eta[j] * p[k] - eta[k] * p[j]) ** 2 for k in range(size) for j in range(k)))
        return bool(sp.expand(norms - product - pairs) == 0)

    return Proof(
        claims=("C43",),
        statement=(
            r"Let $G$ be strictly concave on the simplex with a supergradient $g(p)$ at each $p$. The score "
            r"$S(p,k)=G(p)+\langle g(p),e_k-p\rangle$ is strictly proper, and $G(\eta)=S(\eta;\eta)$ is its least expected value. "
            "Every strictly proper score with finite $S(\\eta;\\eta)$ arises so; logarithmic, Brier and spherical score do."
        ),
        hypotheses=(r"$S(p;\eta)=\sum_k\eta_kS(p,k)$",),
        scope="every $K$ by the argument; the three scores written out for K = 2…6",
        steps=(
            argument(
                "The expected score is linear in the truth: it is the plane that touches $G$ above the forecast.",
                r"S(p;\eta)=G(p)+\langle g(p),\eta-p\rangle,\qquad S(\eta;\eta)=G(\eta)",
            ),
            argument(
                "A strictly concave function lies below its touching planes, except where they touch.",
                r"S(p;\eta)-S(\eta;\eta)=G(p)+\langle g(p),\eta-p\rangle-G(\eta)\;>\;0\qquad(p\neq\eta)",
            ),
            argument(
                r"Conversely, if $S$ is strictly proper, $G(\eta)=\min_pS(p;\eta)$ is a minimum of linear functions, so concave, "
                r"and strictly so: halfway between two truths the best forecast is best at neither of them. The charges themselves, "
                r"$g_k(p)=S(p,k)$, are its supergradient: $\langle g(p),p\rangle=G(p)$, and no plane $S(p;\cdot)$ passes below $G$. "
                r"Only where $p_k=0$ may a charge, and with it $g$, be $+\infty$.",
                r"G(p)+\langle g(p),\eta-p\rangle=S(p;\eta)\geq G(\eta)",
            ),
            *(
                holds_for(
                    f"The {words}.",
                    _SIZES,
                    partial(touches, score, entropy),
                    shown=rf"G(p)+\langle g(p),e_k-p\rangle={form}",
                    named=_NAMED + r", $\sum_kp_k=1$",
                )
                for words, (score, entropy, form) in entropies.items()
            ),
            derivative(
                "The first two entropies are sums of strictly concave terms,",
                -P * sp.log(P),
                P,
                -1 / P,
                order=2,
            ),
            derivative("one a class.", -(P**2), P, -sp.Integer(2), order=2),
            holds_for(
                r"For the third, Cauchy–Schwarz with its remainder: $\lVert\eta\rVert-\langle\eta,p\rangle/\lVert p\rVert>0$ unless $p$ "
                r"and $\eta$ are parallel, and two distributions are parallel only if they are equal.",
                _SIZES,
                squares,
                shown=r"\lVert\eta\rVert^2\lVert p\rVert^2-\langle\eta,p\rangle^2=\sum_{j<k}(\eta_jp_k-\eta_kp_j)^2",
                named=_NAMED,
            ),
        ),
    )


def regrets_of_several_classes() -> Proof:
    """The regrets of logarithmic, Brier and ranked probability score for any number of classes."""

    def regret(score: Definition, size: int) -> sp.Expr:
        p, eta = _closed("p", size), _closed("h", size)
        return _expected(score, p, eta) - _expected(score, eta, eta)

    def pairs(size: int) -> list[tuple[sp.Expr, sp.Expr]]:
        return list(zip(_closed("p", size), _closed("h", size)))

    def divergence(size: int) -> bool:
        kl = sp.Add(*(h * (sp.log(h) - sp.log(x)) for x, h in pairs(size)))
        return bool(sp.expand(regret(log_score, size) - kl) == 0)

    def distance(size: int) -> bool:
        return bool(
            sp.expand(regret(brier_score, size) - sp.Add(*((x - h) ** 2 for x, h in pairs(size)))) == 0
        )

    def ranked(size: int) -> bool:
        gaps = [x - h for x, h in pairs(size)]
        cumulative = sp.Add(*(sp.Add(*gaps[: m + 1]) ** 2 for m in range(size)))
        return bool(sp.expand(regret(ranked_probability_score, size) - cumulative) == 0)

    return Proof(
        claims=("C44",),
        statement=(
            r"Beyond the honest forecast, $p$ costs $D_{\mathrm{KL}}(\eta\|p)$ under the logarithmic score, $\lVert p-\eta\rVert^2$ "
            r"under the Brier score and $\sum_m(P_m-H_m)^2$ under the ranked probability score, with cumulative sums $P_m,H_m$. "
            "Each is 0 only at $p=\\eta$."
        ),
        hypotheses=(r"$p,\eta$ in the simplex; values in $(-\infty,+\infty]$",),
        scope="every $K$ (each regret is a sum over components); written out for K = 2…6",
        steps=(
            holds_for(
                "Subtract what the honest forecast costs. Logarithmic score:",
                _SIZES,
                divergence,
                shown=r"S(p;\eta)-S(\eta;\eta)=\sum_k\eta_k\ln\frac{\eta_k}{p_k}=D_{\mathrm{KL}}(\eta\,\|\,p)",
                named=_NAMED,
            ),
            positive(
                r"It is positive by $\ln t<t-1$ for $t\neq1$: the curve $t-1-\ln t$ bends up, and its lowest place, of height 0, is $t=1$.",
                sp.diff(_T - 1 - sp.log(_T), _T, 2),
            ),
            holds_for(
                "Brier score:",
                _SIZES,
                distance,
                shown=r"S(p;\eta)-S(\eta;\eta)=\lVert p-\eta\rVert_2^2",
                named=_NAMED,
            ),
            holds_for(
                "Ranked probability score, the sum of the Brier scores of the events “class $m$ or below”:",
                _SIZES,
                ranked,
                shown=r"S(p;\eta)-S(\eta;\eta)=\sum_{m=1}^K(P_m-H_m)^2",
                named=_NAMED,
            ),
            argument(
                "Squares are 0 only where $p=\\eta$, or $P=H$, and cumulative sums determine their terms."
            ),
        ),
    )


def generalized_cross_entropy_is_proper_in_disguise() -> Proof:
    """With p ∝ g^{1/(1−q)} generalized cross-entropy is the pseudo-spherical score of g, and so asks for g = η."""
    q = sp.Symbol("q", positive=True)
    excess = sp.Symbol("t", positive=True)

    def loss(p: Sequence[sp.Expr], level: sp.Expr, power: int = 1) -> sp.Expr:
        logits = [power * sp.log(x) for x in p]
        return generalized_cross_entropy.expression(logits, _one_hot(len(p), 0), q=level)

    def is_power(size: int) -> bool:
        p = _vector("p", size)
        return bool(is_zero(loss(p, q) - (1 - (p[0] / sp.Add(*p)) ** q) / q))

    def is_spherical(size: int) -> bool:
        g = _vector("g", size)
        score = spherical_score.expression(g, _one_hot(size, 0))
        return bool(is_zero(loss(g, sp.Rational(1, 2), power=2) - 2 * score))

    def is_linear(size: int) -> bool:
        p = _vector("p", size)
        return bool(is_zero(loss(p, _ONE) - 1 + p[0] / sp.Add(*p)))

    return Proof(
        claims=("C42",),
        statement=(
            r"Let $0<q<1$ and $s=\frac1{1-q}$. Read as a score of the distribution $g\propto p^{1-q}$, generalized cross-entropy is "
            r"strictly proper. So it asks for $p\propto\eta^s$: not the truth, but the truth can be read off it. At $q=1$ it asks for a vertex."
        ),
        hypotheses=(r"$\eta_k>0$", r"$p_k\propto g_k^s$"),
        scope="every $K$ and $q$ by the argument; the identities written out for K = 2…4",
        steps=(
            holds_for(
                "The loss looks at one probability.",
                _FEW,
                is_power,
                shown=r"\ell(\ln p,e_y)=\frac{1-p_y^q}q",
                named=_FEW_NAMED,
            ),
            replace(
                equal(
                    r"Put $g$ in. The sum of the $g_k^s$ is $\lVert g\rVert_s^s$, and $sq=s-1$:",
                    (1 - (1 - 1 / (1 + excess))) ** -1 * (1 - 1 / (1 + excess)),
                    (1 + excess) - 1,
                ),
                shown=r"p_y^q=\Bigl(\frac{g_y^s}{\lVert g\rVert_s^s}\Bigr)^q=\Bigl(\frac{g_y}{\lVert g\rVert_s}\Bigr)^{s-1}",
            ),
            argument(
                r"By Hölder, with the exponents $s$ and $\frac s{s-1}$, the expectation is least at $g\propto\eta$ only:",
                r"\sum_k\eta_k\,\frac{g_k^{s-1}}{\lVert g\rVert_s^{s-1}}\;\leq\;\lVert\eta\rVert_s .",
            ),
            holds_for(
                r"At $q=\frac12$, where $s=2$, it is twice the spherical score of $g$.",
                _FEW,
                is_spherical,
                shown=r"\ell(\ln g^2,e_y)=2\Bigl(1-\frac{g_y}{\lVert g\rVert_2}\Bigr)",
                named=_FEW_NAMED,
            ),
            holds_for(
                r"At $q=1$ the loss is linear in the forecast,",
                _FEW,
                is_linear,
                shown=r"\ell(\ln p,e_y)\,\big|_{q=1}=1-p_y",
                named=_FEW_NAMED,
            ),
            argument(
                "and a mean of the $\\eta_k$ is largest with all weight on the largest: only the name of the class survives.",
                r"\sum_k\eta_k(1-p_k)=1-\sum_k\eta_kp_k\;\geq\;1-\max_k\eta_k",
            ),
        ),
    )


def brier_counts_both_classes() -> Proof:
    """Brier's score of two classes is twice the squared error of the one probability."""

    def twice(label: int) -> bool:
        whole = brier_score.expression([1 - P, P], _one_hot(2, label))
        return bool(is_zero(whole - 2 * (P - label) ** 2))

    z, y = sp.symbols("z y", real=True)
    return Proof(
        claims=("C45",),
        statement=(
            "Summed over both classes, as Brier defined it, the score of a binary forecast is $2(p-y)^2$, twice the form with one "
            "probability."
        ),
        hypotheses=("a forecast: $p\\in[0,1]$", "$y\\in\\{0,1\\}$"),
        scope="every forecast and label",
        steps=(
            holds_for(
                "The two classes err by the same amount.",
                (0, 1),
                twice,
                shown=r"(1-p-[y=0])^2+(p-[y=1])^2=2(p-y)^2",
                named="both labels, free $p$",
            ),
            replace(
                equal(
                    "The one-probability form through a sigmoid is the library's `binary_brier`.",
                    binary_brier.expression(z, y),
                    (1 / (1 + sp.exp(-z)) - y) ** 2,
                ),
                shown=r"\ell(z,y)=(\sigma(z)-y)^2",
            ),
        ),
    )


def canonical_link_pulls_with_prediction_minus_label() -> Proof:
    """Through its own link every smooth proper score is convex, with the slope p − y."""
    p, y = P, LABEL
    entropy = sp.Function("G")(p)
    score = entropy + sp.diff(entropy, p) * (y - p)
    z = sp.Symbol("z", real=True)
    bend = sp.Symbol("G''", positive=True)
    log_entropy = -p * sp.log(p) - (1 - p) * sp.log(1 - p)
    brier_entropy = p * (1 - p)

    def slope_in_link(loss: sp.Expr, link: sp.Expr) -> sp.Expr:
        return sp.diff(loss, p) / sp.diff(link, p)

    return Proof(
        claims=("C48",),
        statement=(
            r"Let a binary proper score have the entropy $G$ with $G''<0$. Written in $z=-G'(p)$, its canonical link, it is convex with "
            r"the slope $p-y$. For cross-entropy that link is the log-odds; for the Brier score it is $2p-1$, not the log-odds."
        ),
        hypotheses=(r"$G$ twice differentiable, $G''<0$", r"$y\in\{0,1\}$, or a soft label between"),
        scope="every such score of a binary event",
        steps=(
            replace(
                equal(
                    "The score is the tangent of its entropy. Differentiate it in the forecast,",
                    sp.diff(score, p),
                    sp.diff(entropy, p, 2) * (y - p),
                ),
                shown=r"\frac{\partial}{\partial p}\bigl[G(p)+G'(p)(y-p)\bigr]=G''(p)\,(y-p)",
            ),
            replace(
                equal(
                    "and divide by the slope of the link: the factor $G''$ cancels.",
                    slope_in_link(score, -sp.diff(entropy, p)),
                    p - y,
                ),
                shown=r"\frac{\partial\ell}{\partial z}=\frac{G''(p)(y-p)}{-G''(p)}=p-y",
            ),
            replace(
                positive("Once more: with $|G''|$ for $-G''$, the loss bends up.", 1 / bend),
                shown=r"\frac{\partial^2\ell}{\partial z^2}=\frac{dp}{dz}=\frac1{|G''(p)|}>0",
            ),
            replace(
                equal(
                    "The entropy of cross-entropy has the log-odds as its link,",
                    -sp.diff(log_entropy, p),
                    sp.log(p) - sp.log(1 - p),
                ),
                shown=r"-\frac{d}{dp}\bigl[-p\ln p-(1-p)\ln(1-p)\bigr]=\ln\frac p{1-p}",
            ),
            replace(
                equal(
                    "so through a sigmoid it pulls with $p-y$.",
                    sp.diff(binary_cross_entropy.expression(z, y), z),
                    sigmoid(z) - y,
                ),
                shown=r"\frac{\partial}{\partial z}\,\ell_{\mathrm{CE}}=p-y",
            ),
            replace(
                equal(
                    "The entropy of the binary Brier score has another,",
                    -sp.diff(brier_entropy, p),
                    2 * p - 1,
                ),
                shown=r"-\frac{d}{dp}\,p(1-p)=2p-1",
            ),
            replace(
                equal(
                    "through which it is a parabola with the slope $p-y$,",
                    slope_in_link((p - y) ** 2, 2 * p - 1),
                    p - y,
                ),
                shown=r"\frac{\partial}{\partial z}(p-y)^2=p-y,\qquad p=\tfrac{1+z}2",
            ),
            replace(
                equal(
                    "while the sigmoid leaves a factor that fades out.",
                    sp.diff(binary_brier.expression(z, y), z),
                    (2 * (p - y) * p * (1 - p)).subs(p, sigmoid(z)),
                ),
                shown=r"\frac{\partial}{\partial z}(\sigma(z)-y)^2=2(p-y)\,p(1-p)",
            ),
        ),
    )


def honest_forecasts_decide_well() -> Proof:
    """A small Brier regret bounds the excess error of the decision: strictly proper implies calibrated for classification."""
    a, b = sp.symbols("a b", real=True)
    return Proof(
        claims=("C42",),
        statement=(
            r"Decide for the class of the largest $p_k$. The excess error is at most $\sqrt{2}\,\lVert p-\eta\rVert$, the root of twice the "
            "Brier regret. A constant score is proper, and its minimisers decide anything."
        ),
        hypotheses=(
            r"$p,\eta$ in the simplex; $t$ a class with the largest $\eta$, $j$ one with the largest $p$",
        ),
        scope="every $K$",
        steps=(
            argument(
                "Deciding for $j$ errs more often than deciding for $t$ by $\\eta_t-\\eta_j$. Since $p_j\\geq p_t$,",
                r"\eta_t-\eta_j\;\leq\;(\eta_t-p_t)+(p_j-\eta_j)=a+b .",
            ),
            equal(
                "The square of a sum is at most twice the sum of the squares,",
                2 * (a**2 + b**2) - (a + b) ** 2,
                (a - b) ** 2,
            ),
            positive("the rest being a square,", (a - b) ** 2, strictly=False),
            argument(r"and $a^2+b^2\leq\lVert p-\eta\rVert^2$: two terms of the sum."),
            argument(
                r"Any strictly proper score that is continuous (the value $+\infty$ allowed) does the same without the formula: on the "
                r"compact simplex its regret can only vanish along forecasts that tend to $\eta$."
            ),
            argument(
                "A constant score charges every forecast the same: the truth is not beaten, and nothing is ruled out."
            ),
        ),
    )
