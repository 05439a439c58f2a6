"""Which of many minimisers descent approaches: the bias of its tail and of its coordinates. Proofs only."""

from __future__ import annotations

import sympy as sp

from .descent import STEP
from .margins import logistic
from .proof import Proof, argument, derivative, equal, holds_for, limit, positive
from .regression import half_squared_error

_HALF = sp.Rational(1, 2)


def _row(name: str, size: int) -> sp.Matrix:
    return sp.Matrix([sp.symbols(f"{name}_1:{size + 1}", real=True)])


def coordinates_precondition_descent() -> Proof:
    """Descent in θ, seen in w = Aθ, is descent with the gradient multiplied by AAᵀ."""

    def written_out(size: int) -> tuple[sp.Matrix, sp.Matrix, sp.Matrix, sp.Matrix]:
        a = sp.Matrix(size, size, lambda i, j: sp.Symbol(f"a_{i + 1}{j + 1}", real=True))
        x, theta = _row("x", size), sp.Matrix(sp.symbols(rf"\theta_1:{size + 1}", real=True))
        y = sp.Symbol("y", real=True)
        prediction = (x * a * theta)[0]
        loss = half_squared_error.expression(prediction, y)
        return a, theta, sp.Matrix([sp.diff(loss, part) for part in theta]), x.T * (prediction - y)

    def chain_rule(size: int) -> bool:
        a, _, in_theta, in_w = written_out(size)
        return bool((in_theta - a.T * in_w).expand() == sp.zeros(size, 1))

    def same_step(size: int) -> bool:
        a, theta, in_theta, in_w = written_out(size)
        mapped = a * (theta - STEP * in_theta)
        return bool((mapped - (a * theta - STEP * a * a.T * in_w)).expand() == sp.zeros(size, 1))

    angle = sp.Symbol("varphi", real=True)
    c = sp.Symbol("c", positive=True)
    turn = sp.sqrt(c) * sp.rot_axis3(angle)[:2, :2]
    return Proof(
        claims=("C83", "C84"),
        statement=(
            r"For $w=A\theta$ with invertible $A$, $\nabla_\theta=A^\top\nabla_w$, so the minimisers map to each other by $A$; and a "
            r"step of descent in $\theta$ is the step $w-\alpha AA^\top\nabla_w$. If $A^\top A=cI$ it is a step of length $c\alpha$ "
            "along the old gradient."
        ),
        hypotheses=("$A$ invertible",),
        scope="every differentiable $L$ by the chain rule; written out for half squared error with two and three weights",
        steps=(
            holds_for(
                "The chain rule:",
                (2, 3),
                chain_rule,
                shown=r"\nabla_\theta\,\tfrac12(x^\top A\theta-y)^2=A^\top x\,(x^\top A\theta-y)=A^\top\nabla_w",
                named="one sample with 2 and 3 weights, free symbols",
            ),
            argument(
                r"$\theta$ and $w=A\theta$ have the same loss, so minimisers map to each other by $A$; and as $A^\top$ is invertible, "
                "one gradient vanishes where the other does."
            ),
            holds_for(
                r"A step in $\theta$, mapped by $A$:",
                (2, 3),
                same_step,
                shown=r"A\,(\theta-\alpha\nabla_\theta)=w-\alpha\,AA^\top\nabla_w",
                named="the same",
            ),
            argument(
                r"If $A^\top A=cI$, then $A^{-1}=\frac1cA^\top$ and $AA^\top=cI$ too: only the length of the step changes. If $AA^\top$ is "
                "no multiple of $I$, some vector is turned by it, and a loss with that gradient takes another way."
            ),
            equal(
                r"For one, a rotation by $\varphi$, stretched by $\sqrt c$:",
                turn * turn.T,
                c * sp.eye(2),
                name=r"AA^\top",
            ),
        ),
    )


def descent_picks_by_its_coordinates() -> Proof:
    """From θ = 0 descent on solvable least squares ends at the solution of least ‖A⁻¹w‖."""
    stretch = sp.Symbol("a", positive=True)
    x_1, x_2, y = sp.symbols("x_1 x_2 y", positive=True)
    x, a = sp.Matrix([[x_1, x_2]]), sp.diag(stretch, 1)
    limit_point = a * a.T * x.T * (x * a * a.T * x.T).inv() * y
    least = x.T * (x * x.T).inv() * y
    move = sp.Symbol("k", real=True)
    residual = sp.Symbol("r", real=True)
    theta = sp.Matrix(sp.symbols(r"\theta_1:3", real=True))
    loss = half_squared_error.expression((x * a * theta)[0], y)

    def is_shortest(shape: tuple[int, int]) -> bool:
        n, d = shape
        design = sp.Matrix(n, d, lambda i, j: sp.Rational((7 * i + 3 * j * j + i * j) % 11 - 4, 3))
        change = sp.eye(d) + sp.Matrix(d, d, lambda i, j: sp.Rational((i + 2 * j) % 5, 7))
        target = sp.Matrix([i + 1 for i in range(n)])
        inner = design * change
        w = change * inner.T * (inner * inner.T).inv() * target
        orthogonal = all((change.inv() * w).dot(change.inv() * null) == 0 for null in design.nullspace())
        return design * w == target and orthogonal

    return Proof(
        claims=("C72", "C80", "C85", "C86"),
        statement=(
            r"From $\theta_0=0$ descent on $\frac1{2n}\lVert XA\theta-y\rVert^2$ ends at the solution of $Xw=y$ with the least "
            r"$\lVert A^{-1}w\rVert_2$, which is $w^*=AA^\top X^\top(XAA^\top X^\top)^+y$. It is the solution of least "
            r"$\lVert w\rVert_2$ if and only if $(AA^\top)^{-1}X^+y\in\operatorname{row}X$."
        ),
        hypotheses=(
            "$Xw=y$ solvable, $A$ invertible",
            r"a step $0<\alpha<2/\lambda_{\max}(A^\top X^\top XA/n)$",
            r"$\theta_0=0$",
        ),
        scope=r"every $X$, $A$ and $y$ by the argument; free symbols for one equation, numbers for $n\leq3$, $d\leq5$",
        steps=(
            equal(
                r"Every gradient is a combination of the rows of $XA$ (here for one equation with residual $r$), so $\theta_t$ "
                r"never leaves $\operatorname{row}XA$.",
                sp.Matrix([sp.diff(loss, part) for part in theta]).subs(y, (x * a * theta)[0] - residual),
                a.T * x.T * residual,
                name=r"\nabla_\theta",
            ),
            argument(
                r"Within that space the error shrinks by the factor $\max_i\lvert1-\alpha\lambda_i\rvert<1$ a step, over the non-zero "
                r"eigenvalues, so $\theta_t$ tends to the one solution in it. Any other solution is $\theta^*+k$ with $XAk=0$, and",
                r"\lVert\theta^*+k\rVert^2=\lVert\theta^*\rVert^2+\lVert k\rVert^2\quad\text{as }k\perp\operatorname{row}XA .",
            ),
            argument(
                r"From another start the same holds for $\theta_t-\theta_0$, which solves $XA(\theta-\theta_0)=y-XA\theta_0$: descent ends at "
                r"the solution nearest to $\theta_0$."
            ),
            holds_for(
                r"The formula solves $Xw=y$, and $A^{-1}w^*$ is orthogonal to $A^{-1}k$ for every $k$ in $\ker X$.",
                [(1, 2), (1, 4), (2, 3), (2, 5), (3, 5)],
                is_shortest,
                shown=r"Xw^*=y,\qquad(A^{-1}w^*)^\top A^{-1}k=0",
                named="$n=1,2,3$ equations, $d=2,…,5$ weights, exact fractions",
            ),
            equal(
                r"One equation, $A=\operatorname{diag}(a,1)$: moving by $k$ along the line of solutions costs",
                ((a.inv() * (limit_point + move * sp.Matrix([x_2, -x_1]))).norm() ** 2)
                - (a.inv() * limit_point).norm() ** 2,
                move**2 * (x_2**2 / stretch**2 + x_1**2),
                name=r"\lVert A^{-1}(w^*+k\,(x_2,-x_1))\rVert^2-\lVert A^{-1}w^*\rVert^2",
            ),
            argument(
                r"$w^*$ is the only solution of $Xw=y$ in $AA^\top\operatorname{row}X$: two would differ by an $AA^\top r$ with "
                r"$r\in\operatorname{row}X$ and $XAA^\top r=0$, so $\lVert A^\top r\rVert^2=0$. So it is $X^+y$ exactly when "
                r"$X^+y\in AA^\top\operatorname{row}X$."
            ),
            equal(
                r"In the example the two are apart by a multiple of $a^2-1$: they agree for $a=1$ and for no other $a>0$.",
                (limit_point - least)[0],
                x_1 * x_2**2 * y * (stretch**2 - 1) / ((stretch**2 * x_1**2 + x_2**2) * (x_1**2 + x_2**2)),
                name=r"w^*_1-(X^+y)_1",
            ),
        ),
    )


def descent_grows_along_the_widest_margin() -> Proof:
    """Why descent on a loss with an exponential tail runs off along the hard-margin direction, and how fast."""
    m = sp.Symbol("m", real=True)
    t, rest = sp.symbols("t r", positive=True)
    slope = sp.diff(logistic.expression(m, sp.Integer(1)), m)
    signed = sp.Matrix([[1, 2], [2, _HALF], [3, 3], [1, 3 * _HALF], [2, sp.Rational(3, 10)], [_HALF, 3]])
    touching = signed[3:5, :]
    widest = touching.inv() * sp.ones(2, 1)
    weights = touching.T.inv() * widest
    others = [margin for index, margin in enumerate(signed * widest) if index not in (3, 4)]
    return Proof(
        claims=("C72", "C81"),
        statement=(
            r"On separable data, descent on the logistic loss of a linear score runs to infinity along the hard-margin direction "
            r"$\hat w$, the shortest $w$ with $y_ix_i^\top w\geq1$, and $\lVert w_t\rVert$ gains "
            r"$\ln10\cdot\lVert\hat w\rVert$ with every tenfold $t$. For the six points of this page $\hat w=(\frac49,\frac{10}{27})$."
        ),
        hypotheses=(
            "linearly separable data, no bias",
            "gradient flow, or a small constant step",
            r"the correction $w_t-\hat w\ln t$ stays bounded, as it does for almost every data set",
        ),
        scope="the six points exactly; for other data the steps give the idea, and the cited theorem the rest",
        steps=(
            limit(
                "For large margins the pull of a point is an exponential,",
                -slope * sp.exp(m),
                m,
                sp.oo,
                sp.Integer(1),
            ),
            limit(
                r"so with $w_t=\hat w\ln t$ a point with $y_ix_i^\top\hat w=1$ pulls like $\frac1t$,",
                -slope.subs(m, sp.log(t)) * t,
                t,
                sp.oo,
                sp.Integer(1),
            ),
            limit(
                "and one that lies further out, at $1+r$, pulls ever less in comparison.",
                sp.exp(-(1 + rest) * sp.log(t)) * t,
                t,
                sp.oo,
                sp.Integer(0),
            ),
            argument(
                r"The flow asks that $\dot w_t=\frac{\hat w}t$ be the sum of these pulls: $\hat w$ is a positive combination of the "
                r"points that touch the margin. Those are the optimality conditions of the hard-margin problem.",
                r"\hat w=\sum_ia_iy_ix_i,\qquad a_i\geq0,\qquad a_i=0\text{ unless }y_ix_i^\top\hat w=1",
            ),
            equal(
                "Six points: the fourth and the fifth touch,",
                touching * widest,
                sp.ones(2, 1),
                name=r"y_ix_i^\top\hat w",
            ),
            positive("the others lie further out (the nearest by)", min(others) - 1),
            equal(
                "at the direction",
                widest,
                sp.Matrix([sp.Rational(4, 9), sp.Rational(10, 27)]),
                name=r"\hat w",
            ),
            positive("with positive weights (the smaller one)", min(weights)),
            equal(
                "so it is the hard-margin solution. Its length times $\\ln10$ is what a decade adds.",
                widest.norm(),
                2 * sp.sqrt(61) / 27,
                name=r"\lVert\hat w\rVert",
            ),
        ),
    )


def a_network_can_keep_a_narrower_margin() -> Proof:
    """Three points and a ReLU net: a KKT point of the margin problem that is not its solution."""
    points = sp.Matrix([[3, 4], [3, -4], [-5, 0]]) / 5
    angle = sp.Symbol("t", positive=True)
    a, length = sp.symbols("a v", positive=True)
    between = sp.Matrix([1, 0])
    off_axis = sp.Matrix([sp.cos(angle), sp.sin(angle)])
    needed = 2 / (points[0, :] + points[1, :]).norm()
    return Proof(
        claims=("C81",),
        statement=(
            r"For the points $(\frac35,\frac45)$ and $(\frac35,-\frac45)$ labelled $+1$ and $(-1,0)$ labelled $-1$, the net "
            r"$f_\theta(x)=\sum_ja_j\max(0,w_j^\top x)$ has a KKT point of $\min\frac12\lVert\theta\rVert^2$ subject to "
            r"$y_if_\theta(x_i)\geq1$ with the value 3, while the minimum is $\frac83$. Descent that starts at a small multiple of it keeps its directions."
        ),
        hypotheses=("three hidden units or more, no biases",),
        scope="this data set, exactly",
        steps=(
            positive(
                "The products of different points are negative; the one nearest to 0 is minus",
                -max((points * points.T)[i, j] for i in range(3) for j in range(i)),
            ),
            argument(
                r"So the unit $w_i=x_i$, $a_i=y_i$ sees its own point alone, and fits it with margin 1. There "
                r"$\nabla_{w_i}(y_if)=y_ia_ix_i=w_i$ and $\partial_{a_i}(y_if)=y_i\max(0,w_i^\top x_i)=a_i$: a KKT point, with all "
                r"multipliers 1. Descent that starts at a small multiple of it only lengthens it."
            ),
            equal(
                "Its value is",
                sum((points[i, :].norm() ** 2 + 1) / 2 for i in range(3)),
                sp.Integer(3),
                name=r"\tfrac12\lVert\theta\rVert^2",
            ),
            equal(
                r"To fit more cheaply, note that a unit costs at least $\lvert a\rvert\lVert w\rVert$,",
                (a**2 + length**2) / 2 - a * length,
                (a - length) ** 2 / 2,
                name=r"\tfrac12(a^2+\lVert w\rVert^2)-\lvert a\rvert\lVert w\rVert",
            ),
            equal(
                "and that one unit halfway between the two positive points gives both of them margin at once.",
                points[:2, :] * between,
                sp.Matrix([sp.Rational(3, 5)] * 2),
                name=r"x_i^\top(1,0)",
            ),
            equal(
                r"A unit turned away by $t$ gives the two together $\frac65\cos t$, less than that, while it sees both, and at "
                "most 1 if it sees one.",
                ((points[0, :] + points[1, :]) * off_axis)[0],
                sp.Rational(6, 5) * sp.cos(angle),
                name=r"(x_1+x_2)^\top(\cos t,\sin t)",
            ),
            equal(
                r"So the positive units must cost $2/\frac65$ for the two margins, and the negative point costs 1 more. The unit "
                "halfway attains it.",
                needed + 1,
                sp.Rational(8, 3),
                name=r"\min\tfrac12\lVert\theta\rVert^2",
            ),
        ),
    )


def squares_prefer_few_weights() -> Proof:
    """With w = u⊙u − v⊙v the start decides between the ℓ1 and the ℓ2 geometry."""
    u, v, start, total = sp.symbols(r"u v \beta s", positive=True)
    g = sp.Symbol("g", real=True)
    size = sp.Symbol("w", positive=True)
    flow_u, flow_v = -2 * u * g, 2 * v * g
    grown_u, grown_v = start * sp.exp(-2 * total), start * sp.exp(2 * total)
    slope = sp.asinh(size / (2 * start**2))
    return Proof(
        claims=("C87",),
        statement=(
            r"Gradient flow on $\frac1{2n}\lVert Xw-y\rVert^2$ in $w=u\odot u-v\odot v$ from $u=v=\beta\mathbf 1$, if it fits the data, "
            r"ends at the solution of $Xw=y$ with the least $\sum_iq_\beta(w_i)$, where "
            r"$q_\beta'(w)=\operatorname{arsinh}\frac{w}{2\beta^2}$. For $\beta\to0$ that is the least $\lVert w\rVert_1$, for "
            r"$\beta\to\infty$ the least $\lVert w\rVert_2$."
        ),
        hypotheses=("gradient flow (small steps)", r"$\beta>0$, the same for all", "the flow reaches $Xw=y$"),
        scope="every $X$ and $y$, coordinate by coordinate",
        steps=(
            equal(
                r"With $g$ for the gradient in $w$, the flow $\dot u=-2ug$, $\dot v=2vg$ keeps the product $uv$.",
                flow_u * v + u * flow_v,
                sp.Integer(0),
                name=r"\tfrac{d}{dt}(uv)",
            ),
            derivative(
                r"With $s=\int g\,dt$ the solution is $u=\beta e^{-2s}$", grown_u, total, -2 * grown_u
            ),
            derivative(r"and $v=\beta e^{2s}$,", grown_v, total, 2 * grown_v),
            equal(
                r"so that the weight is an odd function of $s$.",
                grown_u**2 - grown_v**2,
                (-2 * start**2 * sp.sinh(4 * total)).rewrite(sp.exp),
                name=r"u^2-v^2=-2\beta^2\sinh4s",
            ),
            argument(
                r"Every $g$ is a combination of the rows of $X$, and so is the vector of all $s$. At the end, therefore,",
                r"\operatorname{arsinh}\frac{w}{2\beta^2}=-4s\in\operatorname{row}X .",
            ),
            derivative(
                r"The left side is $q_\beta'(w)$, so this is the optimality condition of the stated problem. Its slope has the derivative",
                slope,
                size,
                1 / sp.sqrt(size**2 + 4 * start**4),
            ),
            positive(
                "so the objective bends upwards, and the condition suffices:",
                1 / sp.sqrt(size**2 + 4 * start**4),
            ),
            limit(
                r"Scaled, the slope tends to a sign as $\beta\to0$: the slope of $\lvert w\rvert$.",
                slope / sp.log(1 / start**2),
                start,
                sp.Integer(0),
                sp.Integer(1),
            ),
            limit(
                r"And to $w$ as $\beta\to\infty$: the slope of $\frac12w^2$.",
                2 * start**2 * slope,
                start,
                sp.oo,
                size,
            ),
            argument(
                r"The scaled objectives are convex and tend to $\lVert w\rVert_1$ and to $\frac12\lVert w\rVert_2^2$, on every bounded set "
                "uniformly; so what their minimisers tend to is a minimiser of the limit."
            ),
        ),
    )
