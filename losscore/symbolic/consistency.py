"""What the losses of several classes ask of the scores at one x, and whom those scores elect. Proofs only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import sympy as sp

from .classification import binary_cross_entropy, brier, cross_entropy, sigmoid, softmax
from .definition import Definition
from .margins import SCORE, crammer_singer, hinge, lee_lin_wahba, one_vs_all_hinge, weston_watkins
from .proof import Proof, argument, equal, holds_for, is_zero, limit, positive
from .scores import brier_score
from .surrogates import ETA, cleared, margin_risk

_GAP, _ODDS, _S = sp.symbols("g r s", positive=True)
_ONE = sp.Integer(1)
_SIZES = range(2, 7)
_NAMED = "$K=2,…,6$ with free symbols"
_FEW = range(3, 6)
_FEW_NAMED = "$K=3,4,5$ with free symbols"
_EXAMPLE = (sp.Rational(8, 20), sp.Rational(7, 20), sp.Rational(5, 20))


def _one_hot(size: int, label: int) -> tuple[sp.Expr, ...]:
    return tuple(sp.Integer(k == label) for k in range(size))


def _distribution(size: int) -> list[sp.Expr]:
    """η with free η_1 … η_{K−1}; the last is what is left to 1."""
    free = list(sp.symbols(rf"\eta_1:{size}", positive=True))
    return [*free, 1 - sp.Add(*free)]


def _scores(size: int) -> tuple[sp.Symbol, ...]:
    return tuple(sp.symbols(f"f_1:{size + 1}", real=True))


def _logits(size: int) -> tuple[sp.Symbol, ...]:
    return tuple(sp.symbols(f"z_1:{size + 1}", real=True))


def _risk(loss: Definition, f: Sequence[sp.Expr], eta: Sequence[sp.Expr]) -> sp.Expr:
    """The conditional risk of the scores f of several classes, under a loss of scores and a class index."""
    return cleared(sp.Add(*(eta_y * loss.expression(f, sp.Integer(y)) for y, eta_y in enumerate(eta))))


def cross_entropy_finds_the_probabilities() -> Proof:
    """The conditional cross-entropy is least exactly where the softmax is η, and the largest logit decides as Bayes does."""
    eta, q, multiplier, t = sp.symbols(r"\eta_k p_k \lambda t", positive=True)
    third = sp.Symbol("z_3", real=True)
    half = sp.Rational(1, 2)

    def pulls(size: int) -> bool:
        z, truth = _logits(size), _distribution(size)
        risk = sp.Add(
            *(eta_y * cross_entropy.expression(z, _one_hot(size, y)) for y, eta_y in enumerate(truth))
        )
        return all(
            is_zero(sp.diff(risk, z_k) - (p_k - eta_k)) for z_k, p_k, eta_k in zip(z, softmax(z), truth)
        )

    def is_met(size: int) -> bool:
        truth = sp.symbols(rf"\eta_1:{size + 1}", positive=True)
        shift = sp.Symbol("c", real=True)
        p = softmax([sp.log(eta_k) + shift for eta_k in truth])
        return all(is_zero(p_k - eta_k / sp.Add(*truth)) for p_k, eta_k in zip(p, truth))

    return Proof(
        claims=("C36", "C38"),
        statement=(
            r"The conditional cross-entropy $-\sum_k\eta_k\ln p_k$ is least exactly at $p=\eta$: at the logits "
            r"$z_k=\ln\eta_k+c$ and nowhere else. Its largest logit is a Bayes decision."
        ),
        hypotheses=(r"$\eta_k>0$ for all $k$; where some $\eta_k=0$ the infimum is only approached",),
        scope="every $K$ by the argument; the gradient written out for K = 2…6",
        steps=(
            argument(
                r"Minimise $-\sum_k\eta_k\ln p_k$ subject to $\sum_kp_k=1$, with a multiplier $\lambda$. Each class gives one equation,",
                r"\frac{\partial}{\partial p_k}\Bigl[-\sum_j\eta_j\ln p_j+\lambda\Bigl(\sum_jp_j-1\Bigr)\Bigr]=0",
            ),
            replace(
                equal(
                    r"solved by $p_k=\eta_k/\lambda$; the sums over $k$ give $\lambda=1$, so $p=\eta$.",
                    sp.diff(-eta * sp.log(q) + multiplier * q, q).subs(q, eta / multiplier),
                    sp.Integer(0),
                ),
                shown=r"\left.-\frac{\eta_k}{p_k}+\lambda\,\right|_{p_k=\eta_k/\lambda}=0",
            ),
            argument(
                r"That it is the minimum needs one inequality, $t-1-\ln t>0$ for $t\neq1$, at $t=p_k/\eta_k$:",
                r"\sum_k\eta_k\ln\frac{\eta_k}{p_k}\;\geq\;\sum_k\eta_k\Bigl(1-\frac{p_k}{\eta_k}\Bigr)=0 .",
            ),
            equal(
                "Its left side is 0 at $t=1$,",
                (t - 1 - sp.log(t)).subs(t, 1),
                sp.Integer(0),
                name=r"t-1-\ln t\,\big|_{t=1}",
            ),
            replace(
                positive(
                    "rises above 1 (put $t=1+s$, $s>0$)",
                    sp.diff(t - 1 - sp.log(t), t).subs(t, 1 + _S),
                    _S / (1 + _S),
                ),
                shown=r"\frac{d}{dt}(t-1-\ln t)\Big|_{t=1+s}=\frac s{1+s}>0",
            ),
            replace(
                positive(
                    "and falls below 1 (put $t=\\frac1{1+s}$).",
                    -sp.diff(t - 1 - sp.log(t), t).subs(t, 1 / (1 + _S)),
                    _S,
                ),
                shown=r"\frac{d}{dt}(t-1-\ln t)\Big|_{t=\frac1{1+s}}=-s<0",
            ),
            holds_for(
                "In the logits the gradient says the same,",
                _SIZES,
                pulls,
                shown=r"\frac{\partial}{\partial z_k}\sum_y\eta_y\,\ell(z,y)=\mathrm{softmax}(z)_k-\eta_k",
                named=_NAMED,
            ),
            holds_for(
                "and it vanishes at the log-probabilities, up to a constant.",
                _SIZES,
                is_met,
                shown=r"z_k=\ln\eta_k+c\;\Longrightarrow\;\mathrm{softmax}(z)_k=\eta_k",
                named=_NAMED,
            ),
            argument(
                r"Deciding for class $k$ is wrong with probability $1-\eta_k$, so every largest $\eta_k$ is a Bayes decision, and "
                "the logarithm keeps the order."
            ),
            limit(
                r"With $\eta=(\frac12,\frac12,0)$ there is no minimum: as $z_3\to-\infty$ the risk falls to $H(\eta)=\ln2$ and never arrives.",
                sp.simplify(cross_entropy.expression((sp.Integer(0), sp.Integer(0), third), (half, half, 0))),
                third,
                -sp.oo,
                sp.log(2),
            ),
        ),
    )


def squared_error_finds_the_probabilities() -> Proof:
    """The conditional squared error on one-hot labels is ‖f − η‖² plus a constant; through a softmax it has no false minimum."""
    f, eta = SCORE, ETA

    def splits(size: int) -> bool:
        scores, truth = _scores(size), _distribution(size)
        risk = sp.Add(
            *(eta_y * brier_score.expression(scores, _one_hot(size, y)) for y, eta_y in enumerate(truth))
        )
        distance = sp.Add(*((f_k - eta_k) ** 2 for f_k, eta_k in zip(scores, truth)))
        return bool(is_zero(risk - distance - 1 + sp.Add(*(eta_k**2 for eta_k in truth))))

    def pulls(size: int) -> bool:
        z, truth = _logits(size), _distribution(size)
        p = softmax(z)
        risk = sp.Add(*(eta_y * brier.expression(z, _one_hot(size, y)) for y, eta_y in enumerate(truth)))
        gap = [p_k - eta_k for p_k, eta_k in zip(p, truth)]
        mean = sp.Add(*(p_k * d for p_k, d in zip(p, gap)))
        return all(is_zero(sp.diff(risk, z_k) - 2 * p_k * (d - mean)) for z_k, p_k, d in zip(z, p, gap))

    def spreads(size: int) -> bool:
        p, v = _distribution(size), sp.symbols(f"v_1:{size + 1}", real=True)
        mean = sp.Add(*(p_k * v_k for p_k, v_k in zip(p, v)))
        form = sp.Add(*(v_k * p_k * (v_k - mean) for p_k, v_k in zip(p, v)))
        pairs = sp.Add(*(p[j] * p[k] * (v[j] - v[k]) ** 2 for k in range(size) for j in range(k)))
        return bool(is_zero(form - pairs))

    return Proof(
        claims=("C37", "C38"),
        statement=(
            r"$\sum_y\eta_y\lVert f-e_y\rVert^2=\lVert f-\eta\rVert^2+1-\lVert\eta\rVert^2$: the minimum is $f=\eta$, and its largest "
            r"score is a Bayes decision. With $f=\mathrm{softmax}(z)$ the only critical points are those with $f=\eta$."
        ),
        hypotheses=(r"$f$ unconstrained or in the simplex; for the softmax $\eta_k>0$",),
        scope="every $K$ by the single component; written out for K = 2…6, the softmax for K = 2, 3",
        steps=(
            equal(
                "A component of the one-hot label is 1 with probability $\\eta$; expand its squared error.",
                eta * (f - 1) ** 2 + (1 - eta) * f**2,
                (f - eta) ** 2 + eta * (1 - eta),
                name=r"\eta\,(f-1)^2+(1-\eta)f^2",
            ),
            holds_for(
                "Add the components.",
                _SIZES,
                splits,
                shown=r"\sum_y\eta_y\lVert f-e_y\rVert^2=\lVert f-\eta\rVert^2+1-\lVert\eta\rVert^2",
                named=_NAMED,
            ),
            holds_for(
                r"Through a softmax, with $v=p-\eta$, the gradient in the logits is",
                range(2, 4),
                pulls,
                shown=r"\frac{\partial}{\partial z_k}\sum_y\eta_y\lVert p-e_y\rVert^2=2p_k\Bigl(v_k-\sum_jp_jv_j\Bigr)",
                named="$K=2,3$ with free symbols",
            ),
            holds_for(
                "Along $v$ itself it is a sum of squares, which vanishes only if all $v_k$ are equal;",
                _SIZES,
                spreads,
                shown=r"\sum_kv_kp_k\Bigl(v_k-\sum_jp_jv_j\Bigr)=\sum_{j<k}p_jp_k(v_j-v_k)^2",
                named=_NAMED,
            ),
            argument(
                r"they add to 0, so then $v=0$: no false minimum at finite logits. Not convex, but not deceptive either."
            ),
        ),
    )


def one_vs_all_hinge_elects_nobody() -> Proof:
    """Without a majority class the one-vs-all hinge is least where all scores are −1."""
    s, g, eta = _S, _GAP, ETA
    inside = 1 - 2 / (1 + s)

    def separates(size: int) -> bool:
        f, truth = _scores(size), _distribution(size)
        whole = sp.Add(
            *(eta_y * one_vs_all_hinge.expression(f, sp.Integer(y)) for y, eta_y in enumerate(truth))
        )
        by_class = sp.Add(
            *(e * sp.Max(0, 1 - f_k) + (1 - e) * sp.Max(0, 1 + f_k) for e, f_k in zip(truth, f))
        )
        return bool(sp.expand(whole - by_class) == 0)

    def costs_two(size: int) -> bool:
        return bool(is_zero(_risk(one_vs_all_hinge, [-_ONE] * size, _distribution(size)) - 2))

    return Proof(
        claims=("C39", "C40"),
        statement=(
            r"If $0<\eta_k<\frac12$ for every class, the one-vs-all hinge has the single minimiser $f=(-1,\dots,-1)$, with risk 2: "
            r"all classes tie. A class with $\frac12<\eta_k<1$ gets the score 1, and then the decision is right. At "
            r"$\eta_k=\frac12$ all of $[-1,1]$ is optimal; at $\eta_k=0$ all of $(-\infty,-1]$, at $\eta_k=1$ all of $[1,\infty)$."
        ),
        hypotheses=(r"$\eta=\eta(x)$ the true probabilities, all measurable scores",),
        scope="every $K$, class by class; the sum written out for K = 3…5",
        steps=(
            holds_for(
                "The conditional risk falls apart into one hinge risk a class,",
                _FEW,
                separates,
                shown=r"\sum_y\eta_y\,\ell(f,y)=\sum_k\bigl[\eta_k(1-f_k)_++(1-\eta_k)(1+f_k)_+\bigr]",
                named=_FEW_NAMED,
            ),
            replace(
                equal(
                    r"$r_k(f_k)$. Between −1 and 1 (put $f_k=1-\frac2{1+s}$, $s>0$) each is a line of slope $1-2\eta_k$,",
                    margin_risk(hinge, inside),
                    1 + (1 - 2 * eta) * inside,
                ),
                shown=r"r_k(f_k)=1+(1-2\eta_k)\,f_k",
            ),
            replace(
                equal("left of −1 it falls,", margin_risk(hinge, -1 - g), eta * (2 + g)),
                shown=r"r_k(-1-g)=\eta_k\,(2+g)",
            ),
            replace(
                equal("and right of 1 it rises.", margin_risk(hinge, 1 + g), (1 - eta) * (2 + g)),
                shown=r"r_k(1+g)=(1-\eta_k)(2+g)",
            ),
            argument(
                r"So $f_k=-1$ where the line rises, $\eta_k<\frac12$; $f_k=1$ where it falls; anything between where it is flat. At "
                r"$\eta_k=0$ the left part is flat too, at $\eta_k=1$ the right part."
            ),
            holds_for(
                "With all scores at −1 the risk is $\\sum_k2\\eta_k$.",
                _FEW,
                costs_two,
                shown=r"\sum_y\eta_y\,\ell\bigl((-1,\dots,-1),y\bigr)=2",
                named=_FEW_NAMED,
            ),
        ),
    )


def two_more_hinges_tie() -> Proof:
    """At η = (.40, .35, .25) the hinges of Crammer–Singer and of Weston–Watkins are least only where the best class ties."""
    eta = list(sp.symbols(r"\eta_1:4", positive=True))
    f = _scores(3)
    d, h = sp.symbols("d h", nonnegative=True)
    pairs = {(j, k): (eta[j] + eta[k] - eta[3 - j - k]) / 2 for j in range(3) for k in range(3) if j != k}
    flow = sp.Add(*(weight * (1 + f[k] - f[y]) for (y, k), weight in pairs.items()))
    shares = {
        (0, 1): _ONE,
        (0, 2): sp.Rational(1, 2),
        (1, 0): _ONE,
        (1, 2): sp.Rational(6, 7),
        (2, 0): _ONE,
        (2, 1): _ONE,
    }
    certificate = sp.Add(*(_EXAMPLE[y] * share * (1 + f[k] - f[y]) for (y, k), share in shares.items()))
    tied = (_ONE, _ONE, sp.Integer(0))

    def grows(order: tuple[int, ...]) -> bool:
        scores = [sp.Integer(0)] * 3
        for place, score in zip(order, (0, -d / (1 + d), -d / (1 + d) - h)):
            scores[place] = sp.sympify(score)
        free = _distribution(3)
        excess = (1 - 2 * free[order[0]]) * d / (1 + d) + free[order[2]] * h
        return bool(is_zero(_risk(crammer_singer, scores, free) - 1 - excess))

    return Proof(
        claims=("C39",),
        statement=(
            r"For $K=3$ and $0<\eta_k<\frac12$ the hinge of Crammer and Singer is least only where all scores are equal. At "
            r"$\eta=(0.40,0.35,0.25)$ that of Weston and Watkins is least only where classes 1 and 2 tie, a unit ahead of class 3."
        ),
        hypotheses=(r"$K=3$", r"all measurable scores; each loss ignores a common shift of the scores"),
        scope=r"$K=3$: every $\eta$ without a majority for the first, one $\eta$ for the second",
        steps=(
            argument(
                r"*Crammer–Singer.* A maximum is at least any weighted mean: give the pair $y,k$ the weight "
                r"$w_{yk}=\frac12-\eta_j$, $j$ the third class, all positive.",
                r"\sum_y\eta_y\ell(f,y)\;\geq\;\sum_y\sum_{k\neq y}w_{yk}\,(1+f_k-f_y),\qquad\sum_{k\neq y}w_{yk}=\eta_y",
            ),
            replace(
                equal(
                    "In that bound the scores cancel, so the risk is at least 1,",
                    flow.subs(eta[2], 1 - eta[0] - eta[1]),
                    _ONE,
                ),
                shown=r"\sum_y\sum_{k\neq y}w_{yk}\,(1+f_k-f_y)=1",
            ),
            equal(
                "and equal scores reach it.",
                _risk(crammer_singer, [sp.Integer(0)] * 3, _distribution(3)),
                _ONE,
                name=r"\sum_y\eta_y\,\ell(0,y)",
            ),
            holds_for(
                r"Leading by $\frac{d}{1+d}$, with the last class $h$ further back ($d,h\geq0$, not both 0), costs more:",
                permutations(range(3)),
                grows,
                shown=r"\text{risk}-1=(1-2\eta_{\text{first}})\tfrac{d}{1+d}+\eta_{\text{last}}\,h>0",
                named="every order of the three classes, free $d,h,\\eta$",
            ),
            argument("A convex risk that rises in every direction has no other minimiser."),
            argument(
                r"*Weston–Watkins.* Each term is bounded below by a share of its line, $(u)_+\geq c\,u$ with $0\leq c\leq1$; for "
                r"$0<c<1$ with equality only at $u=0$. The shares $c_{13}=\frac12$, $c_{23}=\frac67$, all others 1, make"
            ),
            equal(
                "the scores cancel again.",
                certificate,
                sp.Rational(7, 4),
                name=r"\sum_{y}\eta_y\sum_{k\neq y}c_{yk}\,(1+f_k-f_y)",
            ),
            equal(
                "The bound is reached by the tie $(1,1,0)$,",
                _risk(weston_watkins, tied, _EXAMPLE),
                sp.Rational(7, 4),
                name=r"\sum_y\eta_y\,\ell\bigl((1,1,0),y\bigr)",
            ),
            argument("and only where $1+f_3-f_1=0$ and $1+f_3-f_2=0$, that is, where $f_1=f_2=f_3+1$."),
        ),
    )


def two_ways_to_elect_the_best() -> Proof:
    """The hinge of Lee, Lin and Wahba and the one-vs-all logistic loss elect the most probable class for every K."""
    z, eta_k = sp.Symbol("f_k", real=True), sp.Symbol(r"\eta_k", positive=True)
    ahead = sp.Symbol("d", positive=True)

    def costs(size: int) -> bool:
        truth = _distribution(size)
        scores = [_ONE, *[-_ONE / (size - 1)] * (size - 1)]
        return bool(
            is_zero(_risk(lee_lin_wahba, scores, truth) - (1 - truth[0]) * sp.Rational(size, size - 1))
        )

    def by_class(size: int) -> bool:
        shifted, truth = sp.symbols(f"u_1:{size + 1}", positive=True), _distribution(size)
        risk = _risk(lee_lin_wahba, [u - _ONE / (size - 1) for u in shifted], truth)
        return bool(is_zero(risk - sp.Add(*((1 - e) * u for e, u in zip(truth, shifted)))))

    return Proof(
        claims=("C39",),
        statement=(
            r"Under $\sum_kf_k=0$ the hinge of Lee, Lin and Wahba is least only at scores whose largest belongs to a most probable "
            r"class. The one-vs-all logistic loss is least only at $\sigma(f_k)=\eta_k$."
        ),
        hypotheses=(r"all measurable scores", r"for the logistic loss $0<\eta_k<1$"),
        scope="every $K$ by the argument; the sums written out for K = 3…5",
        steps=(
            holds_for(
                r"*Lee–Lin–Wahba.* Write $u_k=f_k+\frac1{K-1}$: the constraint is $\sum_ku_k=\frac K{K-1}$, and where no $u_k$ is "
                "negative the conditional risk is linear,",
                _FEW,
                by_class,
                shown=r"\sum_y\eta_y\,\ell(f,y)=\sum_k(1-\eta_k)\,u_k",
                named=_FEW_NAMED,
            ),
            argument(
                r"and with $(u_k)_+$ in place of $u_k$ in general. Weigh all by the smallest factor:",
                r"\sum_k(1-\eta_k)(u_k)_+\;\geq\;(1-\max_j\eta_j)\sum_k(u_k)_+\;\geq\;(1-\max_j\eta_j)\,\tfrac K{K-1} .",
            ),
            holds_for(
                "Everything on the best class (here the first) reaches that bound;",
                _FEW,
                costs,
                shown=r"\sum_y\eta_y\,\ell\Bigl(\bigl(1,-\tfrac1{K-1},\dots\bigr),y\Bigr)=(1-\eta_1)\,\tfrac K{K-1}",
                named=_FEW_NAMED,
            ),
            argument(
                r"equality needs $u_k\leq0$ wherever $\eta_k$ is not the largest. The sum of the $u_k$ is positive, so the largest "
                "score belongs to a most probable class."
            ),
            equal(
                "*One-vs-all logistic.* Each class has its own cross-entropy, whose slope is",
                sp.diff(
                    eta_k * binary_cross_entropy.expression(z, _ONE)
                    + (1 - eta_k) * binary_cross_entropy.expression(z, sp.Integer(0)),
                    z,
                ),
                sigmoid(z) - eta_k,
                name=r"\frac{\partial}{\partial f_k}\bigl[\eta_k\ln(1+e^{-f_k})+(1-\eta_k)\ln(1+e^{f_k})\bigr]",
            ),
            positive(
                "and which bends up: the only minimum is $\\sigma(f_k)=\\eta_k$,",
                sp.diff(sigmoid(z), z),
                sp.exp(z) / (1 + sp.exp(z)) ** 2,
            ),
            positive(
                r"the logarithm of the odds $r=\frac{\eta_k}{1-\eta_k}$, and larger odds $r+d$ have a larger score.",
                sp.log(_ODDS + ahead) - sp.log(_ODDS),
                sp.log(1 + ahead / _ODDS),
            ),
        ),
    )
