"""Margin losses, of a real score f and a label y in {-1, +1} or of a score per class: definitions, then proofs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import sympy as sp

from .classification import binary_brier, binary_cross_entropy
from .definition import CLASSES, Definition, Vector
from .proof import Proof, Step, argument, derivative, equal, limit, positive, solves

SCORE, SIGN = sp.symbols("f y", real=True)
MARGIN = sp.Symbol("m", real=True)
_ODDS = sp.Symbol("r", positive=True)
_PAIR = (SCORE, SIGN)

zero_one = Definition(
    "zero_one", lambda f, y: sp.Piecewise(((1 - y) / 2, f >= 0), ((1 + y) / 2, True)), _PAIR
)
hinge = Definition("hinge", lambda f, y: sp.Max(0, 1 - y * f), _PAIR)
squared_hinge = Definition("squared_hinge", lambda f, y: sp.Max(0, 1 - y * f) ** 2, _PAIR)
logistic = Definition("logistic", lambda f, y: sp.log(1 + sp.exp(-y * f)), _PAIR)
exponential = Definition("exponential", lambda f, y: sp.exp(-y * f), _PAIR)

SCORES, CLASS = sp.IndexedBase("f", real=True), sp.Symbol("y", integer=True, positive=True)


def _over_classes(term: Callable[[sp.Expr, sp.Expr], sp.Expr], f: Vector) -> sp.Expr:
    """Sum of `term(k, f_k)` over the classes: written out for sequences (from class 0), else a formal sum to K."""
    if isinstance(f, sp.IndexedBase):
        k = sp.Symbol("k", integer=True, positive=True)
        return sp.Sum(term(k, f[k]), (k, 1, CLASSES))
    return sp.Add(*(term(sp.Integer(k), f_k) for k, f_k in enumerate(f)))


def _over_others(term: Callable[[sp.Expr], sp.Expr], f: Vector, y: sp.Expr) -> sp.Expr:
    """Sum of `term(f_k)` over the classes k other than y."""
    return _over_classes(lambda k, f_k: (1 - sp.KroneckerDelta(k, y)) * term(f_k), f)


def _largest_other(f: Vector, y: sp.Expr) -> sp.Expr:
    if isinstance(f, sp.IndexedBase):
        return sp.Function(r"\max_{k\neq y}")(f[sp.Symbol("k", integer=True)])
    return sp.Max(*(f_k for k, f_k in enumerate(f) if k != y))


def _count(f: Vector) -> sp.Expr:
    return CLASSES if isinstance(f, sp.IndexedBase) else sp.Integer(len(f))


one_vs_all_hinge = Definition(
    "one_vs_all_hinge",
    lambda f, y: _over_classes(lambda k, f_k: sp.Max(0, 1 + (1 - 2 * sp.KroneckerDelta(k, y)) * f_k), f),
    (SCORES, CLASS),
    given=(1,),
)
crammer_singer = Definition(
    "crammer_singer", lambda f, y: sp.Max(0, 1 + _largest_other(f, y) - f[y]), (SCORES, CLASS), given=(1,)
)
weston_watkins = Definition(
    "weston_watkins",
    lambda f, y: _over_others(lambda f_k: sp.Max(0, 1 + f_k - f[y]), f, y),
    (SCORES, CLASS),
    given=(1,),
)
lee_lin_wahba = Definition(
    "lee_lin_wahba",
    lambda f, y: _over_others(lambda f_k: sp.Max(0, f_k + 1 / (_count(f) - 1)), f, y),
    (SCORES, CLASS),
    given=(1,),
)


def what_the_score_means() -> Proof:
    """The population minimisers: log-odds for logistic and Brier∘σ, half of it for exponential, a sign for hinge."""
    f, r, s = SCORE, _ODDS, sp.Symbol("s", positive=True)
    inside = (s - 1) / (s + 1)
    one, zero = sp.Integer(1), sp.Integer(0)
    return Proof(
        claims=("C54",),
        statement=(
            r"Let $r=\frac{\eta}{1-\eta}$ be the odds of $y=+1$ at one $x$. The expected loss is least at $f=\ln r$ for the "
            r"logistic loss and for squared error through a sigmoid, at $f=\frac12\ln r$ for the exponential loss. For the "
            r"hinge the minimiser tells only whether $r>1$."
        ),
        hypotheses=(r"$0<\eta<1$", "one free score at this $x$"),
        scope="every $r>0$",
        steps=(
            argument(
                r"Divide the expected loss by $1-\eta$: what is left has the same minimiser.",
                r"\frac{E\,\ell}{1-\eta}=r\,\ell(f,+1)+\ell(f,-1)",
            ),
            _slope_of_the_risk(
                "Logistic: the slope changes its sign where $e^f=r$.",
                logistic,
                (sp.exp(f) - r) / (1 + sp.exp(f)),
            ),
            _slope_of_the_risk(
                "Exponential: where $e^{2f}=r$.", exponential, sp.exp(-f) * (sp.exp(2 * f) - r)
            ),
            equal(
                "Squared error through a sigmoid, with the labels 1 and 0: where $e^f=r$ again.",
                sp.diff(r * binary_brier.expression(f, one) + binary_brier.expression(f, zero), f),
                2 * sp.exp(f) * (sp.exp(f) - r) / (1 + sp.exp(f)) ** 3,
                name=r"\frac{\partial}{\partial f}\left[r\,\sigma(-f)^2+\sigma(f)^2\right]",
            ),
            positive("The factors left over are positive.", 2 * sp.exp(f) / (1 + sp.exp(f)) ** 3),
            equal(
                r"Hinge: the risk falls before $f=-1$ and rises after $f=1$. Between them, at $f=\frac{s-1}{s+1}$ with $s>0$, it is a "
                r"straight line of slope $1-r$, so the minimiser is $f=1$ if $r>1$ and $f=-1$ if $r<1$.",
                (r * hinge.expression(inside, one) + hinge.expression(inside, -one)),
                1 + r + (1 - r) * inside,
                name=r"r\,(1-f)+(1+f)\Big|_{f=\frac{s-1}{s+1}}",
            ),
        ),
    )


def _slope_of_the_risk(words: str, loss: Definition, slope: sp.Expr) -> Step:
    risk = _ODDS * loss.expression(SCORE, sp.Integer(1)) + loss.expression(SCORE, sp.Integer(-1))
    return derivative(words, risk, SCORE, slope)


def logistic_is_binary_cross_entropy() -> Proof:
    """The logistic loss of a margin is the binary cross-entropy of the score as a logit."""
    f = SCORE
    return Proof(
        claims=("C57",),
        statement=r"$\ln(1+e^{-yf})$ is the binary cross-entropy of the logit $f$ with the label $t=\frac{1+y}2$.",
        hypotheses=(r"$y\in\{-1,+1\}$",),
        scope="every score",
        steps=tuple(
            equal(
                words,
                logistic.expression(f, sp.Integer(y)),
                binary_cross_entropy.expression(f, sp.Rational(1 + y, 2)),
                name=rf"\ell_{{\log}}(f,{y:+d})",
            )
            for y, words in ((1, "For $y=+1$, $t=1$,"), (-1, "and for $y=-1$, $t=0$."))
        ),
    )


def right_tails_are_alike() -> Proof:
    """As the margin grows both losses and their slopes shrink like e^{-m}, and so do relative weights."""
    m, d = MARGIN, sp.Symbol("d", positive=True)
    log, exp = (loss.expression(m, sp.Integer(1)) for loss in (logistic, exponential))
    pull = -sp.diff(log, m)
    return Proof(
        claims=("C58", "C59"),
        statement=(
            r"As $m\to+\infty$ both losses and both slopes go to 0 like $e^{-m}$. Of two examples whose margins differ by $d$ "
            r"the easier one pulls with $e^{-d}$ of the other's pull: exactly so for the exponential loss, in the limit for "
            r"the logistic."
        ),
        hypotheses=("none",),
        scope="every $d>0$",
        steps=(
            equal(
                "The exponential loss is the size of its own slope.",
                -sp.diff(exp, m),
                sp.exp(-m),
                name=r"-\ell_{\exp}'(m)",
            ),
            equal("The logistic slope has the size", pull, 1 / (1 + sp.exp(m)), name=r"-\ell_{\log}'(m)"),
            limit("The two losses become equal,", log / exp, m, sp.oo, sp.Integer(1)),
            limit("and so do the two slopes.", pull / exp, m, sp.oo, sp.Integer(1)),
            equal(
                "Raise a margin by $d$. The exponential pull shrinks by", exp.subs(m, m + d) / exp, sp.exp(-d)
            ),
            limit(
                "the logistic one by the same factor in the limit,",
                sp.simplify(pull.subs(m, m + d) / pull),
                m,
                sp.oo,
                sp.exp(-d),
            ),
            limit(
                "but hardly at all among examples that are badly wrong.",
                sp.simplify(pull.subs(m, m + d) / pull),
                m,
                -sp.oo,
                sp.Integer(1),
            ),
        ),
    )


def pull_of_a_wrong_label() -> Proof:
    """The exponential loss has no cap on its slope; the logistic slope stays below 1, but not in the weights."""
    m, w, x = MARGIN, sp.Symbol("w", real=True), sp.Symbol("x", positive=True)
    log, exp = (loss.expression(m, sp.Integer(1)) for loss in (logistic, exponential))
    pull = 1 / (1 + sp.exp(m))
    of_weight = -sp.diff(logistic.expression(w * x, sp.Integer(1)), w)
    return Proof(
        claims=("C60", "C61"),
        statement=(
            r"$0<-\ell_{\log}'(m)<1$ for every $m$, and the bound is approached as $m\to-\infty$. No bound exists for "
            r"$-\ell_{\exp}'(m)=e^{-m}$. In the weight of a linear score the logistic pull is $\sigma(-m)\,|x|$: the cap is lost."
        ),
        hypotheses=("one example of margin $m$; for the last part $f(x)=wx$",),
        scope="every margin",
        steps=(
            derivative("The slope of the logistic loss,", log, m, -pull),
            positive("lies between 0 and 1:", pull),
            positive("it falls short of 1 by", 1 - pull, sp.exp(m) / (1 + sp.exp(m))),
            limit("and its size comes as close to 1 as you like.", pull, m, -sp.oo, sp.Integer(1)),
            limit("The loss itself becomes the straight line $-m$.", log + m, m, -sp.oo, sp.Integer(0)),
            derivative("The slope of the exponential loss", exp, m, -sp.exp(-m)),
            limit("has no bound.", sp.exp(-m), m, -sp.oo, sp.oo),
            equal(
                "In the weight, the chain rule brings in the feature,",
                of_weight,
                x / (1 + sp.exp(w * x)),
                name=r"-\partial_w\ell_{\log}(wx,1)",
            ),
            limit(
                "and no slope in the margin caps that: at $w=0$ already",
                of_weight.subs(w, 0),
                x,
                sp.oo,
                sp.oo,
            ),
        ),
    )


def adaboost_descends_the_exponential_loss() -> Proof:
    """One round of AdaBoost is the best step along one weak learner for the mean of e^{-m}."""
    step, odds = sp.Symbol(r"\alpha", real=True), sp.Symbol("r", positive=True)
    miss = 1 / (1 + odds)
    value = (1 - miss) * exponential.expression(step, sp.Integer(1)) + miss * exponential.expression(
        step, sp.Integer(-1)
    )
    best = sp.log(odds) / 2
    lowest = 2 * sp.sqrt(odds) / (1 + odds)
    return Proof(
        claims=("C56",),
        statement=(
            r"Let a round of AdaBoost weigh each example by $e^{-m}$ and let $h$ be a weak learner with weighted error "
            r"$\varepsilon$. Of all $f+\alpha h$ the mean of $e^{-m}$ is least at $\alpha=\frac12\ln\frac{1-\varepsilon}{\varepsilon}$, "
            r"and smaller the smaller $\varepsilon<\frac12$ is."
        ),
        hypotheses=(
            r"$h(x)\in\{-1,+1\}$",
            r"$0<\varepsilon<\frac12$, odds $r=\frac{1-\varepsilon}{\varepsilon}>1$",
        ),
        scope=r"every $\varepsilon$",
        steps=(
            argument(
                "The new margin is $m+\\alpha yh(x)$, and $yh(x)$ is 1 where $h$ is right and $-1$ where it is wrong.",
                r"\sum_ie^{-m_i-\alpha y_ih(x_i)}\;\propto\;(1-\varepsilon)\,e^{-\alpha}+\varepsilon\,e^{\alpha}",
            ),
            derivative(
                "In the odds, the slope in $\\alpha$",
                value,
                step,
                (sp.exp(step) - odds * sp.exp(-step)) / (1 + odds),
            ),
            solves("changes its sign at $e^{2\\alpha}=r$,", 2 * step - sp.log(odds), step, best),
            equal(
                "AdaBoost's weight of the learner. There the value is",
                value.subs(step, best),
                lowest,
                name=r"2\sqrt{\varepsilon(1-\varepsilon)}",
            ),
            derivative(
                "It falls as the odds rise above 1:",
                lowest,
                odds,
                (1 - odds) / (sp.sqrt(odds) * (1 + odds) ** 2),
            ),
            argument(
                "so the best learner is the one of the smallest weighted error, and the new weights are $e^{-m}$ again."
            ),
        ),
    )


def leverage_outvotes_every_convex_loss() -> Proof:
    """One wrong label far out along the feature turns the fit of any convex margin loss."""
    n, x = sp.symbols("n x", positive=True)
    w = sp.Symbol("w", real=True)

    def at_zero(loss: Definition) -> sp.Expr:
        right, wrong = loss.expression(w, sp.Integer(1)), loss.expression(w * x, sp.Integer(-1))
        return sp.diff(n * right + wrong, w).subs(w, 0)

    return Proof(
        claims=("C62",),
        statement=(
            r"Let $n$ examples have $x=y$ and one example the feature $x>0$ and the wrong label $-1$. For every convex "
            r"margin loss with $\phi'(0)<0$ each fit $f(x)=wx$ of least loss has $\hat w>0$ if $x<n$, and $\hat w<0$ if $x>n$."
        ),
        hypotheses=(r"$\phi$ convex and differentiable at 0, $\phi'(0)<0$", "one weight, no intercept"),
        scope="every such loss; the slopes are checked for two of them",
        steps=(
            argument(
                "At $w=0$ all margins are 0, so every example pulls with the same slope $\\phi'(0)$, times its feature.",
                r"L'(0)\;\propto\;n\,\phi'(0)-x\,\phi'(0)=(n-x)\,\phi'(0)",
            ),
            equal("Logistic:", at_zero(logistic), (n - x) * sp.Rational(-1, 2), name="L'(0)"),
            equal("Exponential:", at_zero(exponential), -(n - x), name="L'(0)"),
            argument(
                "A convex risk that still falls at 0 is least to the right of 0. One that already rises is least to the left."
            ),
        ),
    )


def one_wrong_label_on_a_line() -> Proof:
    """Where forty right points at ±1 and one wrong one at 4 leave the weight, under both losses."""
    w, u = sp.Symbol("w", real=True), sp.Symbol("u", positive=True)
    right, wrong = sp.Integer(1), sp.Integer(-1)
    slopes = {
        loss: sp.diff(40 * loss.expression(w, right) + loss.expression(4 * w, wrong), w)
        for loss in (exponential, logistic)
    }
    quintic = u**5 - 9 * u**4 - 10
    return Proof(
        claims=("C61", "C62"),
        statement=(
            r"Let 40 examples have $x=y$ and one the feature 4 and the label $-1$. The fit $f(x)=wx$ ends at "
            r"$\hat w=\frac15\ln10$ under the exponential loss, and between $\ln9$ and $\ln9.002$ under the logistic."
        ),
        hypotheses=("one weight, no intercept",),
        scope="these 41 examples",
        steps=(
            equal(
                "The slope of the total exponential loss",
                slopes[exponential],
                4 * sp.exp(4 * w) - 40 * sp.exp(-w),
                name=r"L_{\exp}'(w)",
            ),
            equal(
                "is 0 here",
                slopes[exponential].subs(w, sp.log(10) / 5),
                sp.Integer(0),
                name=r"L_{\exp}'\left(\tfrac15\ln10\right)",
            ),
            positive(
                "and nowhere else, because it rises.",
                sp.diff(slopes[exponential], w),
                16 * sp.exp(4 * w) + 40 * sp.exp(-w),
            ),
            equal(
                "The slope of the total logistic loss",
                slopes[logistic],
                4 * sp.exp(4 * w) / (1 + sp.exp(4 * w)) - 40 / (1 + sp.exp(w)),
                name=r"L_{\log}'(w)",
            ),
            positive(
                "rises too,",
                sp.diff(slopes[logistic], w),
                16 * sp.exp(4 * w) / (1 + sp.exp(4 * w)) ** 2 + 40 * sp.exp(w) / (1 + sp.exp(w)) ** 2,
            ),
            equal(
                "and in $u=e^w$ it has the sign of a polynomial,",
                slopes[logistic].subs(w, sp.log(u)) * (1 + u) * (1 + u**4) / 4,
                quintic,
                name=r"\tfrac14(1+u)(1+u^4)\,L_{\log}'(\ln u)",
            ),
            equal(
                "which is negative at $u=9$", quintic.subs(u, 9), sp.Integer(-10), name=r"9^5-9\cdot9^4-10"
            ),
            replace(
                positive("and positive a little later.", quintic.subs(u, sp.Rational(9002, 1000))),
                shown=r"9.002^5-9\cdot9.002^4-10>0",
            ),
        ),
    )


def flips_defeat_convex_margin_losses() -> Proof:
    """Four points, linearly separable, on which random flips drive every convex potential to error one half."""
    t, rate, share = sp.Symbol("t", real=True), sp.Rational(1, 10), sp.Rational(1, 20)
    bounds = {
        "logistic": (logistic, sp.Rational(16, 5), (sp.Rational(9, 10) - sp.exp(t) / (1 + sp.exp(t))) * -1),
        "exponential": (exponential, sp.Rational(8, 5), (sp.exp(t) - 9 * sp.exp(-t)) / 10),
    }
    first, second, gamma = sp.symbols(r"w_1 w_2 \gamma", real=True)

    def expected(score: sp.Expr) -> sp.Expr:
        return (1 - rate) * logistic.expression(score, sp.Integer(1)) + rate * logistic.expression(
            score, sp.Integer(-1)
        )

    risk = expected(first) + expected(gamma * (first + 5 * second)) + 2 * expected(gamma * (first - second))
    of_second = sp.diff(risk, second).subs({first: t, second: t})
    psi = bounds["logistic"][2]
    of_slopes = gamma * (5 * psi.subs(t, 6 * gamma * t) - 2 * psi.subs(t, 0))
    steps: list[Step] = []
    for name, (loss, end, slope) in bounds.items():
        noisy = (1 - rate) * loss.expression(t, sp.Integer(1)) + rate * loss.expression(t, sp.Integer(-1))
        reach = 6 * share * end
        steps += [
            derivative(
                f"The {name} loss, at $\\rho=\\frac1{{10}}$ and $\\gamma=\\frac1{{20}}$:", noisy, t, slope
            ),
            replace(
                positive(
                    f"at $t={sp.latex(end)}$ the risk along the line already rises, so $t^*$ lies before,",
                    slope.subs(t, end) + 6 * share * slope.subs(t, reach),
                ),
                shown=rf"\Phi'\!\left({sp.latex(end)}\right)+6\gamma\,\Phi'\!\left(6\gamma\cdot{sp.latex(end)}\right)>0",
            ),
            replace(
                positive(
                    "and the puller still pulls hard enough there: the penalisers are misclassified.",
                    2 * slope.subs(t, 0) - 5 * slope.subs(t, reach),
                ),
                shown=rf"2\,\Phi'(0)-5\,\Phi'\!\left(6\gamma\cdot{sp.latex(end)}\right)>0",
            ),
        ]
    return Proof(
        claims=("C62",),
        statement=(
            r"Take the points $(1,0)$, $(\gamma,5\gamma)$ and twice $(\gamma,-\gamma)$, all labelled $+1$, and flip each "
            r"label with probability $\rho$. For every such $\phi$ and every $0<\rho<\frac12$ there is a $\gamma>0$ such that "
            r"each linear minimiser of the expected loss is wrong on both copies of $(\gamma,-\gamma)$: half of the clean points."
        ),
        hypotheses=(
            r"$\phi$ convex, continuously differentiable, $\phi'(0)<0$, bounded below",
            r"$f(x)=w\cdot x$; $w=(1,0)$ is right on all four points",
        ),
        scope=r"every such loss and rate, with $\gamma$ depending on both; explicit for two losses",
        steps=(
            argument(
                r"Write $\Phi(s)=(1-\rho)\phi(s)+\rho\,\phi(-s)$ for the expected loss at the score $s$. It is convex, grows without "
                r"bound on both sides, and $\Phi'(0)=(1-2\rho)\phi'(0)<0$. The risk is",
                r"F(w)=\Phi(w_1)+\Phi\bigl(\gamma(w_1+5w_2)\bigr)+2\,\Phi\bigl(\gamma(w_1-w_2)\bigr)",
            ),
            argument(
                r"On the line $w_1=w_2=t$ the two penalisers have the score 0. Let $t^*$ minimise $F$ on that line:",
                r"\Phi'(t^*)+6\gamma\,\Phi'(6\gamma t^*)=0",
            ),
            argument(
                r"There the gradient of $F$ points along $(1,-1)$. If $\partial_2F<0$, convexity gives $F(w)\geq F(t^*,t^*)$ wherever "
                r"$w_1\geq w_2$, and $F$ is lower on the other side: every minimiser has $w_1<w_2$, and is wrong on the penalisers.",
            ),
            equal(
                "The second component of the gradient, written out for the logistic loss:",
                of_second,
                of_slopes,
                name=r"\partial_2F(t,t)=\gamma\left[5\,\Phi'(6\gamma t)-2\,\Phi'(0)\right]",
            ),
            argument(
                r"Small $\gamma$ does it: $t^*$ stays below any point $T$ with $\Phi'(T)>6\gamma\,|\Phi'(0)|$, so $6\gamma t^*\to0$ and "
                r"$\Phi'(6\gamma t^*)\to\Phi'(0)<0$. And $5\,\Phi'(0)<2\,\Phi'(0)$."
            ),
            *steps,
        ),
    )
