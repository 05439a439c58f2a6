"""What a student learns from its teacher's soft targets. Proofs only."""

from __future__ import annotations

import sympy as sp

from .classification import cross_entropy, softmax
from .definition import total
from .densities import gaussian_nll
from .proof import Proof, argument, equal, holds_for, is_zero, positive, solves
from .targets import MIXED, NAMED, SIZES, TEMPERATURE, distillation, one_hot, probabilities, smoothed, symbols

_FEW, _NAMED_FEW = range(2, 5), "$K=2,3,4$ with free symbols"


def _in_odds(expression: sp.Expr, logits: tuple[sp.Symbol, ...], temperature: sp.Expr = sp.S.One) -> sp.Expr:
    """The same with each logit written as T ln of a positive number: rational where it was exponential."""
    odds = {z: temperature * sp.log(sp.Symbol(f"a_{z.name}", positive=True)) for z in logits}
    return sp.powsimp(expression.subs(odds))


def _entropy(q: tuple[sp.Expr, ...]) -> sp.Expr:
    return -total(lambda q_k: q_k * sp.log(q_k), q)


def distillation_pulls_towards_the_teacher() -> Proof:
    """The gradient of T² KL is T(p − π), which for large T is the difference of the centred logits over K."""
    cold = sp.Symbol("c", positive=True)

    def residual(size: int) -> bool:
        s, t = symbols("z", size), symbols("t", size)
        loss = distillation.expression(s, t)
        p, teacher = (softmax([x / TEMPERATURE for x in logits]) for logits in (s, t))
        return all(
            is_zero(_in_odds(sp.diff(loss, s_k) - TEMPERATURE * (p_k - q_k), s + t, TEMPERATURE))
            for s_k, p_k, q_k in zip(s, p, teacher)
        )

    def linear_when_hot(size: int) -> bool:
        z = symbols("z", size)
        slopes = (sp.diff(p_k, cold).subs(cold, 0) for p_k in softmax([cold * x for x in z]))
        return all(is_zero(slope - (z_k - sp.Add(*z) / size) / size) for slope, z_k in zip(slopes, z))

    return Proof(
        claims=("C95",),
        statement=(
            r"$T^2D_{KL}(\pi^{(T)}\|p^{(T)})$ pulls on the student's logits $z$ with $T(p^{(T)}-\pi^{(T)})$. As "
            r"$T\to\infty$ this tends to $\frac1K(z-t)$, for centred logits. Without the factor $T^2$ the pull vanishes like "
            r"$1/T^2$."
        ),
        hypotheses=(
            r"$\pi^{(T)}=\mathrm{softmax}(t/T)$, $p^{(T)}=\mathrm{softmax}(z/T)$",
            r"centred: $\sum_kz_k=\sum_kt_k=0$",
        ),
        scope="K = 2, 3, 4",
        steps=(
            holds_for(
                "Differentiate the definition.",
                _FEW,
                residual,
                shown=r"\nabla_z\,T^2D_{KL}(\pi^{(T)}\|p^{(T)})=T\left(p^{(T)}-\pi^{(T)}\right)",
                named=_NAMED_FEW,
            ),
            holds_for(
                "Write $c=1/T$. At $c=0$ all probabilities are $\\frac1K$, and they begin to differ at the rate",
                _FEW,
                linear_when_hot,
                shown=r"\frac{\partial}{\partial c}\,\mathrm{softmax}(cz)_k\Big|_{c=0}=\frac1K\left(z_k-\bar z\right)",
                named=_NAMED_FEW,
            ),
            argument(
                "The difference quotient of student and teacher is the pull, so",
                r"T\left(p^{(T)}_k-\pi^{(T)}_k\right)\to\frac1K\left[(z_k-\bar z)-(t_k-\bar t)\right]\qquad(T\to\infty)",
            ),
        ),
    )


def a_hot_divergence_compares_logits() -> Proof:
    """As T grows, T² KL tends to the squared distance of the centred logits over 2K."""
    cold = sp.Symbol("c", positive=True)

    def bends_by_the_variance(size: int) -> bool:
        s, t = symbols("z", size), symbols("t", size)
        apart = [s_k - t_k for s_k, t_k in zip(s, t)]
        spread = sum((d - sp.Add(*apart) / size) ** 2 for d in apart) / size
        divergence = cold**2 * distillation.expression(s, t, temperature=1 / cold)
        start, slope, bend = (sp.diff(divergence, cold, order).subs(cold, 0) for order in range(3))
        return all(bool(is_zero(gap)) for gap in (start, slope, bend - spread))

    return Proof(
        claims=("C238",),
        statement=(
            r"As $T\to\infty$, $T^2D_{KL}(\pi^{(T)}\|p^{(T)})\to\frac1{2K}\sum_k\left(d_k-\bar d\right)^2$ with "
            r"$d=z-t$: squared error between the logits, each centred."
        ),
        hypotheses=(
            r"$\pi^{(T)}=\mathrm{softmax}(t/T)$, $p^{(T)}=\mathrm{softmax}(z/T)$",
            "finite logits, held fixed",
        ),
        scope="K = 2, 3, 4",
        steps=(
            holds_for(
                r"Write $c=\frac1T$ and $f(c)$ for the divergence. At $c=0$ student and teacher both say $\frac1K$, and "
                "$f$ begins flat:",
                _FEW,
                bends_by_the_variance,
                shown=r"f(0)=0,\quad f'(0)=0,\quad f''(0)=\frac1K\sum_k\left(d_k-\bar d\right)^2",
                named=_NAMED_FEW,
            ),
            argument(
                "By Taylor's formula $f(c)/c^2$ tends to half of the last.",
                r"T^2D_{KL}(\pi^{(T)}\|p^{(T)})=\frac{f(c)}{c^2}\to\frac1{2K}\sum_k\left(d_k-\bar d\right)^2",
            ),
        ),
    )


def a_missing_square_is_another_weight() -> Proof:
    """Hinton's loss without T² is, up to a factor, the loss with T² and α / (α + (1 − α) T²) in place of α."""
    soft, hard = sp.symbols("S H", positive=True)
    share, odds = sp.symbols(r"\alpha a", positive=True)
    square = TEMPERATURE**2
    weight = share / (share + (1 - share) * square)
    factor = (share + (1 - share) * square) / square
    example = weight.subs({share: sp.Rational(9, 10), TEMPERATURE: 16})
    return Proof(
        claims=("C237",),
        statement=(
            r"Let $S=T^2D_{KL}(\pi^{(T)}\|p^{(T)})$ and $H$ the cross-entropy of the label. Then "
            r"$\alpha\frac S{T^2}+(1-\alpha)H$ is a positive constant times $\alpha'S+(1-\alpha')H$ with "
            r"$\alpha'=\frac\alpha{\alpha+(1-\alpha)T^2}$."
        ),
        hypotheses=(r"$0<\alpha<1$", "$T>0$"),
        scope="every weight, every temperature and every pair of losses",
        steps=(
            equal(
                "Take the constant out:",
                factor * (weight * soft + (1 - weight) * hard),
                share * soft / square + (1 - share) * hard,
                name=r"\frac{\alpha+(1-\alpha)T^2}{T^2}\left[\alpha'S+(1-\alpha')H\right]",
            ),
            positive(
                r"The constant is positive: with $\alpha=\frac1{1+a}$ it is",
                factor.subs(share, 1 / (1 + odds)),
                (1 + odds * square) / ((1 + odds) * square),
            ),
            positive(
                "The hotter, the less weight is left to the teacher:",
                -sp.diff(weight, TEMPERATURE).subs(share, 1 / (1 + odds)),
                2 * odds * TEMPERATURE / (1 + odds * square) ** 2,
            ),
            equal(
                r"With $\alpha=0.9$ and $T=16$ it is about one thirtieth:",
                example,
                sp.Rational(9, 265),
                name=r"\alpha'",
            ),
        ),
    )


def divergence_is_zero_only_at_the_teacher() -> Proof:
    """In both directions the KL divergence is a sum of terms x − 1 − ln x ≥ 0, all 0 only where p = π."""
    x = sp.Symbol("x", positive=True)
    term = x - 1 - sp.log(x)

    def is_sum_of_terms(size: int) -> bool:
        s, t = symbols("z", size), symbols("t", size)
        weighed = (q_k * term.subs(x, p_k / q_k) for p_k, q_k in zip(softmax(s), softmax(t)))
        divergence = distillation.expression(s, t, temperature=sp.Integer(1))
        return bool(is_zero(_in_odds(divergence - sp.Add(*weighed), s + t)))

    return Proof(
        claims=("C95",),
        statement=r"$D_{KL}(\pi\|p)\geq0$ with equality only at $p=\pi$; with the roles swapped the same holds.",
        hypotheses=("finite logits", "an unrestricted student"),
        scope="the rewriting: K = 2, 3, 4; the bound: every positive ratio",
        steps=(
            holds_for(
                "Both sum to 1, so $\\sum_k(p_k-\\pi_k)=0$ may be added.",
                _FEW,
                is_sum_of_terms,
                shown=r"D_{KL}(\pi\|p)=\sum_k\pi_k\left(x_k-1-\ln x_k\right),\qquad x_k=\frac{p_k}{\pi_k}",
                named=_NAMED_FEW,
            ),
            solves(
                "A term has one critical point,",
                sp.diff(term, x),
                x,
                sp.Integer(1),
                sp.Interval.open(0, sp.oo),
            ),
            equal("where it is 0,", term.subs(x, 1), sp.Integer(0), name=r"1-1-\ln1"),
            positive("and is strictly convex: elsewhere it is positive.", sp.diff(term, x, 2)),
        ),
    )


def forward_divergence_matches_moments() -> Proof:
    """Of all normal students, the one nearest in KL(π‖·) has the teacher's mean and standard deviation."""
    mean, moment, centre = sp.symbols("m M mu", real=True)
    variance, scale = sp.symbols("V s", positive=True)
    y = sp.Symbol("y", real=True)
    one = gaussian_nll.expression(centre, sp.log(scale), y)
    expected = sp.expand(one).subs(y**2, moment).subs(y, mean).subs(moment, variance + mean**2)
    bumps = sp.Rational(49, 100) + 9
    return Proof(
        claims=("C95",),
        statement=(
            r"$D_{KL}(\pi\|\mathcal N(\mu,s^2))$ is least at the mean and the standard deviation of $\pi$. For two equal "
            r"bumps of width 0.7 at $\pm3$ that is $\mu=0$, $s\approx3.08$: a student that covers both."
        ),
        hypotheses=(r"$\pi$ has mean $m$ and variance $V>0$",),
        scope="every such teacher",
        steps=(
            equal(
                "Up to the entropy of $\\pi$ the divergence is the expected negative log-likelihood,",
                expected,
                sp.log(scale) + sp.log(2 * sp.pi) / 2 + (variance + (mean - centre) ** 2) / (2 * scale**2),
                name=r"E_\pi\left[-\ln\mathcal N(Y;\mu,s^2)\right]",
            ),
            solves("a parabola in $\\mu$, least at the mean,", sp.diff(expected, centre), centre, mean),
            solves(
                "and there least in $s$ at the standard deviation, as it grows without bound on both sides.",
                sp.diff(expected.subs(centre, mean), scale),
                scale,
                sp.sqrt(variance),
                sp.Interval.open(0, sp.oo),
            ),
            equal(
                "The variance of the two bumps is that of one, plus that of their centres.",
                bumps,
                sp.Rational(949, 100),
                name="V=0.7^2+3^2",
            ),
        ),
    )


def a_teacher_trades_variance_for_bias() -> Proof:
    """One label's gradient misses the expected one by 1 − ‖η‖² in mean square, a teacher's by ‖π − η‖²."""

    def unbiased(size: int) -> bool:
        z, truth = symbols("z", size), probabilities("eta", size)
        risk = sp.Add(*(w * cross_entropy.expression(z, one_hot(size, y)) for y, w in enumerate(truth)))
        return all(is_zero(sp.diff(risk, z_k) - (p_k - w)) for z_k, p_k, w in zip(z, softmax(z), truth))

    def spread(size: int) -> bool:
        truth = probabilities("eta", size)
        noise = (
            w * sum((hot - v) ** 2 for hot, v in zip(one_hot(size, y), truth)) for y, w in enumerate(truth)
        )
        return bool(is_zero(sp.Add(*noise) - (1 - sum(w**2 for w in truth))))

    def miss(size: int) -> bool:
        z, t, truth = symbols("z", size), symbols("t", size), probabilities("eta", size)
        loss = distillation.expression(z, t, temperature=sp.Integer(1))
        pulls = zip(z, softmax(z), softmax(t), truth)
        return all(
            is_zero(_in_odds(sp.diff(loss, z_k) - (p_k - w) - (w - q_k), z + t)) for z_k, p_k, q_k, w in pulls
        )

    first, second, third = sp.Rational(7, 10), sp.Rational(2, 10), sp.Rational(1, 10)
    return Proof(
        claims=("C96",),
        statement=(
            r"Estimate the expected gradient $p-\eta$ at one $x$. The mean over $n$ labels misses it by "
            r"$(1-\lVert\eta\rVert^2)/n$ in mean square, a teacher $\pi$ by $\lVert\pi-\eta\rVert^2$, however often it is "
            r"asked. The teacher is better exactly when its error is the smaller one."
        ),
        hypotheses=(r"labels independent, from $\eta$", "$T=1$", "the gradient in the logits"),
        scope="K = 2, 3, 4",
        steps=(
            holds_for(
                "One label is right on average:",
                _FEW,
                unbiased,
                shown=r"E\,\nabla_z\ell(z,e_Y)=p-\eta",
                named=_NAMED_FEW,
            ),
            holds_for(
                "around which it scatters with the mean square",
                _FEW,
                spread,
                shown=r"E\,\lVert(p-e_Y)-(p-\eta)\rVert^2=1-\lVert\eta\rVert^2",
                named=_NAMED_FEW,
            ),
            argument("and the mean of $n$ independent labels with one $n$-th of that."),
            holds_for(
                "The teacher's pull does not scatter, and misses by the teacher's own error.",
                _FEW,
                miss,
                shown=r"\nabla_zD_{KL}(\pi\|p)-(p-\eta)=\eta-\pi",
                named=_NAMED_FEW,
            ),
            equal(
                "For $\\eta=(0.7,0.2,0.1)$ one label misses by",
                1 - first**2 - second**2 - third**2,
                sp.Rational(46, 100),
                name=r"1-\lVert\eta\rVert^2",
            ),
        ),
    )


def soft_targets_are_one_family() -> Proof:
    """Label smoothing and distillation are cross-entropy with soft targets, which depends on their mean only."""
    weight = sp.Symbol("w", positive=True)

    def uniform_teacher(size: int) -> bool:
        z, hot = symbols("z", size), one_hot(size)
        from_uniform = distillation.expression(z, (sp.Integer(0),) * size, temperature=sp.Integer(1))
        parts = (1 - MIXED) * cross_entropy.expression(z, hot) + MIXED * (from_uniform + sp.log(size))
        return bool(is_zero(cross_entropy.expression(z, smoothed(hot)) - parts))

    def teacher_is_a_target(size: int) -> bool:
        z, t = symbols("z", size), symbols("t", size)
        target = tuple(softmax(t))
        loss = distillation.expression(z, t, temperature=sp.Integer(1))
        return bool(is_zero(_in_odds(loss - cross_entropy.expression(z, target) + _entropy(target), z + t)))

    def mean_target(size: int) -> bool:
        z, a, b = symbols("z", size), probabilities("a", size), probabilities("b", size)
        mixed = [weight * a_k + (1 - weight) * b_k for a_k, b_k in zip(a, b)]
        mean = weight * cross_entropy.expression(z, a) + (1 - weight) * cross_entropy.expression(z, b)
        return bool(is_zero(mean - cross_entropy.expression(z, mixed)))

    return Proof(
        claims=("C97",),
        statement=(
            r"Label smoothing is distillation from the uniform teacher with weight $1-\varepsilon$ on the hard label. "
            r"For any soft targets the best forecast is their mean at this $x$."
        ),
        hypotheses=("$T=1$", r"$0<\varepsilon<1$"),
        scope="K = 2…6",
        steps=(
            holds_for(
                "Distillation is cross-entropy to the teacher less its entropy, which the student can't change.",
                SIZES,
                teacher_is_a_target,
                shown=r"D_{KL}(\pi\|p)=\ell(z,\pi)-H(\pi)",
                named=NAMED,
            ),
            holds_for(
                "The smoothed loss is a mixture of the hard label and a teacher whose logits are all 0.",
                SIZES,
                uniform_teacher,
                shown=r"\ell(z,y')=(1-\varepsilon)\,\ell(z,e_y)+\varepsilon\,[D_{KL}(\mathcal U\|p)+\ln K]",
                named="$K=2,…,6$ with free logits, the label being class 1",
            ),
            holds_for(
                "Two targets at the same input act as their mean, and so do any number.",
                SIZES,
                mean_target,
                shown=r"w\,\ell(z,a)+(1-w)\,\ell(z,b)=\ell(z,wa+(1-w)b)",
                named=NAMED,
            ),
            argument(
                "By the first step the loss to a mean target is least where the divergence from it is 0: at the mean."
            ),
        ),
    )
