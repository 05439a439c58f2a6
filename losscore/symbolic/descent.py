"""What concerns optimisation: steps of gradient descent and where they end. Proofs only."""

from __future__ import annotations

import sympy as sp

from .proof import Proof, argument, derivative, equal, holds_for, limit, positive, solves
from .regression import half_squared_error, squared_error

STEP, CURVATURE, WEIGHT, SMOOTHNESS, SLOPE = sp.symbols(r"\alpha c w \beta g", positive=True)


def descent_on_a_parabola() -> Proof:
    """Gradient descent on a parabola lowers it exactly when the step is below 2/c."""
    w = sp.Symbol("w", real=True, nonzero=True)
    loss = sp.Lambda(w, CURVATURE * w**2 / 2)
    after = sp.expand(w - STEP * sp.diff(loss(w), w))
    margin = sp.Symbol("s", positive=True)
    return Proof(
        claims=("C11",),
        statement=r"On $L(w)=\frac c2w^2$ a step of descent lowers the loss if and only if $0<\alpha<2/c$.",
        hypotheses=(r"$c>0$", r"$w\neq0$", r"$\alpha>0$"),
        scope="every curvature, weight and step",
        steps=(
            derivative("The slope is the curvature times the weight.", loss(w), w, CURVATURE * w),
            equal("So a step multiplies the weight by a fixed factor.", after, (1 - STEP * CURVATURE) * w),
            equal(
                "And the change of the loss is",
                loss(after) - loss(w),
                -STEP * CURVATURE**2 * w**2 * (2 - STEP * CURVATURE) / 2,
                name="L(w^+)-L(w)",
            ),
            positive(
                r"Below $2/c$ the loss falls: put $\alpha = \frac{2}{c(1+s)}$ with $s>0$.",
                (loss(w) - loss(after)).subs(STEP, 2 / (CURVATURE * (1 + margin))),
                2 * margin * CURVATURE * w**2 / (1 + margin) ** 2,
            ),
            positive(
                r"Above it the loss grows: put $\alpha = \frac{2(1+s)}{c}$.",
                (loss(after) - loss(w)).subs(STEP, 2 * (1 + margin) / CURVATURE),
                2 * margin * (1 + margin) * CURVATURE * w**2,
            ),
        ),
    )


def descent_lemma() -> Proof:
    """The guaranteed decrease of one step on a smooth objective."""
    t = sp.Symbol("t", nonnegative=True)
    bound = sp.integrate(SMOOTHNESS * STEP * SLOPE * t * STEP * SLOPE, (t, 0, 1))
    return Proof(
        claims=("C11",),
        statement=(
            r"If the gradient of $L$ is $\beta$-Lipschitz, a full-gradient step satisfies "
            r"$L(W^+)\leq L(W)-\alpha\left(1-\tfrac{\alpha\beta}{2}\right)\lVert\nabla L(W)\rVert^2$."
        ),
        hypotheses=(
            r"$\lVert\nabla L(V)-\nabla L(W)\rVert\leq\beta\lVert V-W\rVert$",
            r"$W^+=W-\alpha\nabla L(W)$",
            r"write $g=\lVert\nabla L(W)\rVert$",
        ),
        scope="every $\\beta$-smooth objective",
        steps=(
            argument(
                "Follow the loss along the step, and compare the gradient on the way with the gradient at its start; "
                "Cauchy–Schwarz and the Lipschitz bound give",
                r"\begin{aligned}L(W^+)-L(W)"
                r"&=-\alpha\int_0^1\left\langle\nabla L(W-t\alpha\nabla L(W)),\nabla L(W)\right\rangle dt\\"
                r"&\leq-\alpha g^2+\int_0^1\beta\,(t\alpha g)(\alpha g)\,dt\end{aligned}",
            ),
            equal(
                "The remaining integral is",
                bound,
                SMOOTHNESS * STEP**2 * SLOPE**2 / 2,
                name=r"\int_0^1\beta\,(t\alpha g)(\alpha g)\,dt",
            ),
            equal(
                "so that the two terms together are",
                -STEP * SLOPE**2 + bound,
                -STEP * (1 - STEP * SMOOTHNESS / 2) * SLOPE**2,
            ),
            solves(
                r"The guarantee is a decrease up to the step where it vanishes.",
                STEP * (1 - STEP * SMOOTHNESS / 2),
                STEP,
                2 / SMOOTHNESS,
                sp.Interval.open(0, sp.oo),
            ),
        ),
    )


def least_squares_is_convex() -> Proof:
    """The Hessian of the half-MSE of a linear model is XᵀX/n, which is positive semidefinite."""

    def hessian_is_gram(shape: tuple[int, int]) -> bool:
        n, d = shape
        x = sp.Matrix(n, d, lambda i, j: sp.Symbol(f"x_{i + 1}{j + 1}", real=True))
        w = sp.Matrix(sp.symbols(f"w_1:{d + 1}", real=True))
        y = sp.symbols(f"y_1:{n + 1}", real=True)
        risk = sum(half_squared_error.expression((x * w)[i], y[i]) for i in range(n)) / n
        return bool(sp.expand(sp.hessian(risk, list(w)) - x.T * x / n) == sp.zeros(d, d))

    def curvature_is_a_square(shape: tuple[int, int]) -> bool:
        n, d = shape
        x = sp.Matrix(n, d, lambda i, j: sp.Symbol(f"x_{i + 1}{j + 1}", real=True))
        v = sp.Matrix(sp.symbols(f"v_1:{d + 1}", real=True))
        return bool(sp.expand((v.T * (x.T * x) * v)[0] - sum(entry**2 for entry in x * v)) == 0)

    residual, x_a, x_b, w_a, w_b, y = sp.symbols("r x_a x_b w_a w_b y", real=True)
    shapes = [(n, d) for n in (1, 2, 3) for d in (1, 2, 3)]
    return Proof(
        claims=("C16",),
        statement=(
            r"For $f_w(x)=x^\top w$ the half-MSE $\frac1{2n}\lVert Xw-y\rVert^2$ has the Hessian $X^\top X/n\succeq0$, "
            r"so it is convex in $w$; the MSE has twice that Hessian."
        ),
        hypotheses=("the model is linear (affine) in $w$",),
        scope="every $n$ and $d$: the argument is one sample's; the matrices were written out for $n,d\\leq3$",
        steps=(
            equal(
                "One sample contributes to the mixed derivative in $w_a$ and $w_b$ only through its two features.",
                sp.diff(half_squared_error.expression(x_a * w_a + x_b * w_b + residual, y), w_a, w_b),
                x_a * x_b,
                name=r"\frac{\partial^2}{\partial w_a\partial w_b}\,\frac{(x^\top w-y)^2}{2}",
            ),
            equal(
                "Without the ½ it contributes twice as much.",
                sp.diff(squared_error.expression(x_a * w_a + x_b * w_b + residual, y), w_a, w_b),
                2 * x_a * x_b,
                name=r"\frac{\partial^2}{\partial w_a\partial w_b}\,(x^\top w-y)^2",
            ),
            holds_for(
                "Averaged over the samples, this is an entry of the Gram matrix.",
                shapes,
                hessian_is_gram,
                shown=r"\nabla^2\,\frac1{2n}\lVert Xw-y\rVert^2=\frac1nX^\top X",
                named="$n,d\\leq3$ with free symbols",
            ),
            holds_for(
                "Along any direction $v$ the curvature is a mean of squares, so it is never negative.",
                shapes,
                curvature_is_a_square,
                shown=r"v^\top\frac{X^\top X}{n}v=\frac1n\lVert Xv\rVert^2\geq0",
                named="$n,d\\leq3$ with free symbols",
            ),
        ),
    )


def descent_keeps_what_the_data_do_not_see() -> Proof:
    """Descent on least squares: the error in each eigendirection shrinks by 1 − αλ, and stays where λ = 0."""
    e, eigenvalue, t = sp.symbols(r"e \lambda t", positive=True)
    risk = half_squared_error.expression(sp.sqrt(eigenvalue) * e, sp.Integer(0))
    start = sp.symbols("u_1 u_2", real=True)
    x, y, alpha = sp.symbols("x y", real=True, nonzero=True) + (STEP,)
    w = sp.Matrix(sp.symbols("w_1 w_2", real=True))
    twice = half_squared_error.expression(x * w[0] + x * w[1], y)
    step = w - alpha * sp.Matrix([sp.diff(twice, w[0]), sp.diff(twice, w[1])])
    limit_point = sp.Matrix([(y / x + start[0] - start[1]) / 2, (y / x - start[0] + start[1]) / 2])
    ratio = sp.Symbol(r"\rho", positive=True)
    return Proof(
        claims=("C17",),
        statement=(
            r"Gradient descent on $\frac1{2n}\lVert Xw-y\rVert^2$ from $w_0$ with $0<\alpha<2/\lambda_{\max}$ ends at "
            r"$X^+y+(I-X^+X)w_0$: a different minimiser for each part of the start that the data do not see, "
            r"and the only one when $X$ has full column rank."
        ),
        hypotheses=(
            r"$\lambda$ runs over the eigenvalues of $X^\top X/n$",
            r"$e$ is the error along an eigenvector",
        ),
        scope="every $n$ and $d$ by the eigenvectors; the duplicate column with free symbols",
        steps=(
            argument(
                "Write the error in the eigenvectors of the Hessian: the risk is a sum of one parabola a direction, "
                "and a step treats each direction alone.",
                r"L=\text{const}+\sum_i\tfrac12\lambda_ie_i^2",
            ),
            equal(
                "In one direction a step multiplies the error by a fixed factor.",
                e - STEP * sp.diff(risk, e),
                (1 - STEP * eigenvalue) * e,
                name="e^+",
            ),
            positive(
                r"The factor is smaller than 1 in size for $0<\alpha\lambda<2$: with $\alpha\lambda=\frac{2}{1+\rho}$,",
                1 - (1 - 2 / (1 + ratio)) ** 2,
                4 * ratio / (1 + ratio) ** 2,
            ),
            limit(
                r"and the powers of any such factor, written $\frac{1}{1+\rho}$, take the error away.",
                e / (1 + ratio) ** t,
                t,
                sp.oo,
                sp.Integer(0),
            ),
            positive(
                r"Above the bound the error grows: with $\alpha\lambda=2(1+\rho)$ the factor exceeds 1 in size.",
                (1 - 2 * (1 + ratio)) ** 2 - 1,
                4 * ratio * (1 + ratio),
            ),
            equal(
                r"Where $\lambda=0$ the factor is 1: descent never moves there.",
                ((1 - STEP * eigenvalue) * e).subs(eigenvalue, 0),
                e,
                name="e^+",
            ),
            equal(
                "Two equal columns show it: a step leaves the difference of the two weights as it was.",
                step[0] - step[1],
                w[0] - w[1],
                name="w_1^+-w_2^+",
            ),
            equal(
                "So from the start $(u_1,u_2)$ the limit fits the data and keeps that difference.",
                sp.Matrix([x * limit_point[0] + x * limit_point[1], limit_point[0] - limit_point[1]]),
                sp.Matrix([y, start[0] - start[1]]),
                name=r"\begin{pmatrix}x\,(w_1+w_2)\\w_1-w_2\end{pmatrix}",
            ),
            equal(
                r"That is the formula of the statement, with $X=(x\ x)$.",
                sp.Matrix([[x, x]]).pinv() * sp.Matrix([y])
                + (sp.eye(2) - sp.Matrix([[x, x]]).pinv() * sp.Matrix([[x, x]])) * sp.Matrix(start),
                limit_point,
                name=r"X^+y+(I-X^+X)\,u",
            ),
        ),
    )
