"""What a penalty on the weights does, and what decaying them does instead. Proofs only."""

from __future__ import annotations

import sympy as sp
from sympy import stats

from .descent import CURVATURE, STEP
from .proof import Proof, argument, derivative, equal, holds_for, limit, positive, solves
from .regression import half_squared_error

PENALTY = sp.Symbol(r"\lambda", positive=True)
EPSILON = sp.Symbol(r"\epsilon", positive=True)


def a_penalty_leaves_one_minimiser() -> Proof:
    """L + λ/2 ‖W‖² has exactly one minimiser for convex L, and is a posterior under a Gaussian prior."""
    a, b, w, first, second, y = sp.symbols("a b w w_1 w_2 y", real=True)
    x = sp.Symbol("x", real=True, nonzero=True)
    s, n = sp.symbols("s n", positive=True)
    t = 1 / (1 + s)

    def square(v: sp.Expr) -> sp.Expr:
        return PENALTY * v**2 / 2

    doubled = half_squared_error.expression(x * first + x * second, y) + square(first) + square(second)
    both = x * y / (2 * x**2 + PENALTY)
    slopes = sp.Matrix([sp.diff(doubled, first), sp.diff(doubled, second)])

    def prior(variance: sp.Expr) -> sp.Expr:
        return -sp.log(stats.density(stats.Normal("W", 0, sp.sqrt(variance)))(w))

    return Proof(
        claims=("C73",),
        statement=(
            r"If $L$ is convex and finite, $\mathcal J(W)=L(W)+\frac\lambda2\lVert W\rVert_2^2$ has exactly one minimiser, "
            r"whatever the rank of the data. It is the negative log-posterior, up to a constant and a factor, under a Gaussian "
            r"prior of variance $1/\lambda$ if $L$ is a summed negative log-likelihood, and $1/(n\lambda)$ if $L$ is its mean."
        ),
        hypotheses=(
            r"$\lambda>0$",
            "$L$ is convex and finite",
            "for the prior: weights independent, of mean 0",
        ),
        scope="every convex $L$ by the argument; the identities are one coordinate's, and squares add up",
        steps=(
            equal(
                r"Between two weights $a$ and $b$, at the share $t=\frac1{1+s}$ with $s>0$, the penalty lies below its chord by",
                t * square(a) + (1 - t) * square(b) - square(t * a + (1 - t) * b),
                PENALTY * s * (a - b) ** 2 / (2 * (1 + s) ** 2),
                name=r"t\,\tfrac\lambda2a^2+(1-t)\,\tfrac\lambda2b^2-\tfrac\lambda2\bigl(ta+(1-t)b\bigr)^2",
            ),
            argument(
                r"which is positive unless $a=b$. Convex $L$ adds a gap that is not negative, so two minimisers would have a "
                r"better point between them: there is at most one. A convex $L$ lies above some plane, so $\mathcal J$ grows "
                r"to infinity on every side: there is at least one."
            ),
            equal(
                "With two equal columns, where least squares alone has a valley of minimisers, both slopes vanish at",
                slopes.subs({first: both, second: both}),
                sp.zeros(2, 1),
                name=r"\nabla\mathcal J\Bigl(w_1=w_2=\tfrac{xy}{2x^2+\lambda}\Bigr)",
            ),
            positive(
                "and the determinant of its Hessian says that nothing is flat any more.",
                sp.hessian(doubled, (first, second)).det(),
                PENALTY * (PENALTY + 2 * x**2),
            ),
            equal(
                r"A Gaussian prior of variance $1/\lambda$ is this penalty on the summed negative log-likelihood,",
                prior(1 / PENALTY),
                square(w) + sp.log(2 * sp.pi / PENALTY) / 2,
                name=r"-\ln p(w)",
            ),
            equal(
                r"and one of variance $1/(n\lambda)$ is $n$ times it, as the sum is $n$ times the mean.",
                prior(1 / (n * PENALTY)),
                n * square(w) + sp.log(2 * sp.pi / (n * PENALTY)) / 2,
                name=r"-\ln p(w)",
            ),
        ),
    )


def decay_is_the_penalty_of_plain_descent() -> Proof:
    """Penalty and decay take the same step without momentum, and part in the second step with it."""
    w, g, g_next, momentum = sp.symbols(r"w g g' \mu", real=True)
    coupled = w - STEP * (g + PENALTY * w)
    decayed = (1 - STEP * PENALTY) * w - STEP * g
    coupled_twice = coupled - STEP * (momentum * (g + PENALTY * w) + g_next + PENALTY * coupled)
    decayed_twice = (1 - STEP * PENALTY) * decayed - STEP * (momentum * g + g_next)
    kept = sp.Symbol("k", positive=True)
    slope = sp.diff(CURVATURE * half_squared_error.expression(w, sp.Integer(1)), w)
    return Proof(
        claims=("C74", "C76"),
        statement=(
            r"One step of descent on $L+\frac\lambda2\lVert W\rVert_2^2$ is a step on $L$ with the weights first shrunk by "
            r"$1-\alpha\lambda$. With heavy-ball momentum $\mu$ the two differ from the second step on, and decay, if it converges, ends where a "
            r"penalty of $(1-\mu)\lambda$ would."
        ),
        hypotheses=(
            r"$g$ and $g'$ are the gradients of $L$ at the first and the second place",
            r"momentum as in PyTorch, $b\leftarrow\mu b+\text{gradient}$, $w\leftarrow w-\alpha b$",
        ),
        scope="every weight, gradient, step and momentum",
        steps=(
            equal("Penalty and decay take the same step.", coupled, decayed, name=r"w-\alpha\,(g+\lambda w)"),
            argument("So both stand at the same place, and meet the same gradient $g'$ there."),
            equal(
                "But the penalty is in the buffer, the decay is not. After the second step they are apart by",
                coupled_twice - decayed_twice,
                -STEP * momentum * PENALTY * w,
                name=r"w_{\text{penalty}}-w_{\text{decay}}",
            ),
            argument(
                r"Where both have come to rest, the buffer holds $\frac{1}{1-\mu}$ times the gradient put into it (once the "
                r"gradient, if it averages, and then the rest is the same for both). With the penalty "
                r"inside, rest means $g+\lambda w=0$. With decay outside,",
                r"\lambda w+\frac{g}{1-\mu}=0\iff g+(1-\mu)\,\lambda w=0 .",
            ),
            solves(
                r"On a parabola of curvature $c$ around 1 the penalty rests at",
                slope + PENALTY * w,
                w,
                CURVATURE / (CURVATURE + PENALTY),
            ),
            solves(
                r"and the decay, with $k=1-\mu$, nearer to 1: momentum has weakened it.",
                PENALTY * w + slope / kept,
                w,
                CURVATURE / (CURVATURE + kept * PENALTY),
            ),
        ),
    )


def adam_rescales_the_penalty() -> Proof:
    """Under Adam the penalty's pull is divided by the size of the gradients it is added to."""
    h, w = sp.symbols("h w", positive=True)
    noise = sp.Symbol("s", nonnegative=True)
    pull = PENALTY * w / sp.sqrt(noise**2 + PENALTY**2 * w**2)
    return Proof(
        claims=("C77",),
        statement=(
            r"Adam's first step on $L+\frac\lambda2\lVert W\rVert_2^2$ is $-\alpha\operatorname{sign}(g+\lambda w)$. Where the "
            r"gradient of $L$ is noise of scale $s$, the mean step is $-\alpha\lambda w/\sqrt{s^2+\lambda^2w^2}$: the larger "
            "the noise, the less is shrunk."
        ),
        hypotheses=(
            r"$\epsilon\to0$; write $h=\lvert g+\lambda w\rvert$",
            r"for the mean step: noise of mean 0, and the second moment at its expectation",
        ),
        scope="every coordinate, each by itself",
        steps=(
            limit(
                "In the first step the corrected moments are $h$ and $h^2$, so their quotient is 1 whatever the size of $h$.",
                h / (sp.sqrt(h**2) + EPSILON),
                EPSILON,
                sp.Integer(0),
                sp.Integer(1),
            ),
            derivative(
                "Later the penalty is divided by the root of the second moment. More noise, less pull:",
                pull,
                noise,
                -PENALTY * w * noise / (noise**2 + PENALTY**2 * w**2) ** sp.Rational(3, 2),
            ),
            limit("in loud noise nothing is left of it,", pull, noise, sp.oo, sp.Integer(0)),
            equal(
                r"and without noise the weight shrinks by a constant, $\alpha$, not by a factor.",
                pull.subs(noise, 0),
                sp.Integer(1),
                name=r"\left.\frac{\lambda w}{\sqrt{s^2+\lambda^2w^2}}\right|_{s=0}",
            ),
        ),
    )


def where_the_decay_stands() -> Proof:
    """Decay before the step is the simultaneous update; decay after it is another."""
    theta, u = sp.symbols(r"\theta u", real=True)
    simultaneous = theta - (STEP * u + STEP * PENALTY * theta)
    before = (1 - STEP * PENALTY) * theta - STEP * u
    after = (1 - STEP * PENALTY) * (theta - STEP * u)
    return Proof(
        claims=("C78",),
        statement=(
            r"Shrinking by $1-\alpha\lambda$ before the step gives the simultaneous update; shrinking after it differs by "
            r"$\alpha^2\lambda u$."
        ),
        hypotheses=(r"$u$ is the direction that Adam computes from the gradients alone",),
        scope="every weight, direction, step and decay",
        steps=(
            equal("Before:", before, simultaneous, name=r"(1-\alpha\lambda)\,\theta-\alpha u"),
            equal(
                "After:",
                after - simultaneous,
                STEP**2 * PENALTY * u,
                name=r"(1-\alpha\lambda)(\theta-\alpha u)-\bigl(\theta-\alpha u-\alpha\lambda\theta\bigr)",
            ),
        ),
    )


def adamw_ends_inside_a_box() -> Proof:
    """A limit of full-batch AdamW is stationary for the loss plus ε times a barrier of the box ‖w‖∞ < 1/λ."""
    size, pull = sp.symbols(r"\omega a", positive=True)
    inside = sp.Symbol("q", positive=True)
    w = sp.Symbol("w", real=True)
    parabola = CURVATURE * half_squared_error.expression(w, sp.Integer(1))
    barrier = -size - sp.log(1 - PENALTY * size) / PENALTY
    room = sp.Symbol("r", positive=True)
    return Proof(
        claims=("C79",),
        statement=(
            r"If AdamW with full-batch gradients converges to $w$, then $\lvert w_i\rvert<1/\lambda$ and $w$ is a stationary "
            r"point of $L(w)+\epsilon\sum_iB(\lvert w_i\rvert)$, where $B(\omega)=-\omega-\frac1\lambda\ln(1-\lambda\omega)$ is a "
            r"barrier of the box $\lVert w\rVert_\infty\leq1/\lambda$. Where such points tend to a $w$ as $\epsilon\to0$, it is "
            r"a KKT point of minimising $L$ subject to $\lVert w\rVert_\infty\leq1/\lambda$."
        ),
        hypotheses=(
            r"$L$ continuously differentiable, full-batch gradients",
            r"$\epsilon>0$, $\lambda>0$, $0\leq\beta_1,\beta_2<1$, steps $\alpha_t>0$ with $\sum_t\alpha_t=\infty$",
            "the weights converge",
        ),
        scope="every such $L$, coordinate by coordinate; the example for every curvature",
        steps=(
            argument(
                r"If the weights converge, so does the gradient, to $g$; Adam's corrected moments then tend to $g$ and $g^2$, and "
                r"its direction to $\frac{g}{\lvert g\rvert+\epsilon}$. The moves $-\alpha_t(u_t+\lambda w_t)$ have a finite sum and "
                r"the steps have not, so what the bracket tends to must be 0.",
                r"\frac{g_i}{\lvert g_i\rvert+\epsilon}=-\lambda w_i",
            ),
            positive(
                r"With $a=\lvert g_i\rvert$ the left side is below 1 in size, so $\lvert w_i\rvert<1/\lambda$:",
                1 - pull / (pull + EPSILON),
                EPSILON / (pull + EPSILON),
            ),
            solves(
                r"For the weight $\omega=\lvert w_i\rvert=\frac{1}{\lambda(1+q)}$, inside the box, the gradient left over is",
                pull / (pull + EPSILON) - 1 / (1 + inside),
                pull,
                EPSILON / inside,
                sp.Interval.open(0, sp.oo),
            ),
            derivative("The barrier has the slope", barrier, size, PENALTY * size / (1 - PENALTY * size)),
            equal(
                r"which at this weight is $\frac1q$: what is left over is $\epsilon$ times the slope of the barrier.",
                sp.diff(barrier, size).subs(size, 1 / (PENALTY * (1 + inside))),
                1 / inside,
                name=r"B'\Bigl(\tfrac{1}{\lambda(1+q)}\Bigr)",
            ),
            limit(
                r"At a fixed place inside it vanishes with $\epsilon$; there the gradient of $L$ must be 0.",
                EPSILON / inside,
                EPSILON,
                sp.Integer(0),
                sp.Integer(0),
            ),
            argument(
                r"By the first step $g_iw_i\leq0$ for every $\epsilon$, and so in the limit: at the wall $L$ can fall only outwards. "
                r"With $g_i=0$ inside, these are the KKT conditions of the box.",
                r"g_i=0\text{ where }\lvert w_i\rvert<\tfrac1\lambda,\qquad g_iw_i\leq0\text{ where }\lvert w_i\rvert=\tfrac1\lambda",
            ),
            solves(
                r"Take $L=\frac c2(w-1)^2$. If $\lambda<1$ its minimum lies inside, and AdamW shrinks nothing.",
                sp.diff(parabola, w),
                w,
                sp.Integer(1),
            ),
            positive(
                r"If $\lambda=1+r>1$ the slope at the wall $w=1/\lambda$ still points outwards: the wall holds the weight.",
                -sp.diff(parabola, w).subs(w, 1 / (1 + room)),
                CURVATURE * room / (1 + room),
            ),
            solves(
                r"The penalty instead puts it at $\frac{c}{c+\lambda}$, near 1 where $c$ is large and near 0 where it is small.",
                sp.diff(parabola + PENALTY * w**2 / 2, w),
                w,
                CURVATURE / (CURVATURE + PENALTY),
            ),
        ),
    )


def decay_of_a_scale_free_layer_is_a_schedule() -> Proof:
    """Where the loss ignores the scale of the weights, decay only makes the steps grow."""
    c, shrink = sp.symbols(r"c \rho", positive=True)
    t = sp.Symbol("t", integer=True, nonnegative=True)
    v, gradient = sp.symbols("v G", real=True)
    loss = sp.Function("F")

    def gradients_shrink(size: int) -> bool:
        w = sp.symbols(f"w_1:{size + 1}", positive=True)
        x = sp.symbols(f"x_1:{size + 1}", real=True)
        normalised = sp.Add(*(a * b for a, b in zip(w, x, strict=True))) / sp.sqrt(sp.Add(*(a**2 for a in w)))
        value = loss(normalised)
        stretched = {a: c * a for a in w}
        gradients = [sp.diff(value, a) for a in w]
        shorter = all(
            sp.simplify((part.subs(stretched, simultaneous=True).doit() - part / c).doit()) == 0
            for part in gradients
        )
        return shorter and sp.simplify(sp.Add(*(a * part for a, part in zip(w, gradients, strict=True)))) == 0

    return Proof(
        claims=("C75",),
        statement=(
            r"If $L(cW)=L(W)$ for all $c>0$, descent with decay $\rho=1-\alpha\lambda$ goes through the same functions as descent "
            r"without decay whose step grows as $\alpha\rho^{-2t-1}$."
        ),
        hypotheses=(
            r"$L(cW)=L(W)$, as for the weights before a normalisation layer without an $\epsilon$ of its own",
            r"$0<\alpha\lambda<1$, plain descent",
        ),
        scope="every scale-free $L$; the gradient is written out for one normalised unit with 2 and 3 inputs",
        steps=(
            argument(
                "Differentiate $L(cW)=L(W)$, once in $W$ and once in $c$ at $c=1$.",
                r"\nabla L(cW)=\tfrac1c\nabla L(W),\qquad W^\top\nabla L(W)=0",
            ),
            holds_for(
                "Both hold for a normalised unit under any loss $F$.",
                (2, 3),
                gradients_shrink,
                shown=r"L(w)=F\!\left(\frac{w^\top x}{\lVert w\rVert}\right)",
                named="2 and 3 inputs, free symbols",
            ),
            equal(
                r"Write $w_t=\rho^tv_t$ with $G=\nabla L(v_t)$, so that $\nabla L(w_t)=\rho^{-t}G$. A decayed step is then $\rho^{t+1}$ "
                r"times a step from $v_t$ without decay.",
                shrink * (shrink**t * v) - STEP * shrink ** (-t) * gradient,
                sp.Mul(shrink ** (t + 1), v - STEP * shrink ** (-2 * t - 1) * gradient, evaluate=False),
                name=r"\rho\,w_t-\alpha\nabla L(w_t)",
            ),
            argument("$v_t$ and $w_t$ differ by a scale, which the function does not see."),
            argument(
                "Without decay every step lengthens the weights, as the gradient is at right angles to them; and the longer they "
                "are, the shorter is the gradient and the less it turns them.",
                r"\lVert W-\alpha\nabla L\rVert^2=\lVert W\rVert^2+\alpha^2\lVert\nabla L\rVert^2",
            ),
        ),
    )
