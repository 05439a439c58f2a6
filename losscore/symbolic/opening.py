"""What a loss asks for, and why its value on the training data flatters. Proofs only."""

from __future__ import annotations

import sympy as sp

from .classification import cross_entropy, softmax
from .proof import Proof, argument, equal, holds_for, is_zero
from .regression import absolute_error, pinball, squared_error

_SIZES = range(2, 7)


def four_losses_four_answers() -> Proof:
    """On n numbers: squared error gives the mean, absolute error the median, pinball a quantile, log loss the shares."""
    answer, y, gap = sp.Symbol("a", real=True), sp.Symbol("y", real=True), sp.Symbol("g", positive=True)
    level = sp.Symbol(r"\tau", positive=True)
    below, n = sp.symbols("b n", integer=True, positive=True)

    def mean_is_best(size: int) -> bool:
        values = sp.symbols(f"y_1:{size + 1}", real=True)
        slope = sp.diff(sum(squared_error.expression(answer, value) for value in values), answer)
        return bool(is_zero(slope - 2 * size * (answer - sp.Add(*values) / size)))

    def shares_are_best(size: int) -> bool:
        z = sp.symbols(f"z_1:{size + 1}", real=True)
        counts = sp.symbols(f"n_1:{size + 1}", positive=True)
        total = sp.Add(*counts)
        one_hot = [[int(k == label) for k in range(size)] for label in range(size)]
        risk = sum(c * cross_entropy.expression(z, hot) for c, hot in zip(counts, one_hot)) / total
        return all(
            is_zero(sp.diff(risk, z_k) - (p_k - c / total)) for z_k, p_k, c in zip(z, softmax(z), counts)
        )

    def slopes(loss: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """Of the loss in the answer, where the value lies below it and where it lies above."""
        slope = sp.diff(loss, answer)
        return sp.simplify(slope.subs(y, answer - gap)), sp.simplify(slope.subs(y, answer + gap))

    under, over = slopes(pinball.expression(answer, y, quantile=level))
    half_under, half_over = slopes(absolute_error.expression(answer, y))
    return Proof(
        claims=("C03",),
        statement=(
            r"On $n$ numbers squared error is least at their mean, absolute error at a median, the pinball loss at a "
            r"$\tau$-quantile. On $n$ labels cross-entropy is least at their shares."
        ),
        hypotheses=(
            r"$0<\tau<1$; $\rho_\tau(r)=\max(\tau r,(\tau-1)r)$, the pinball loss",
            "the answer is free: it depends on no input",
            "in cross-entropy every class occurs, $n_k\\geq1$",
        ),
        scope="every n; mean and shares written out for 2 to 6 values",
        steps=(
            holds_for(
                "The slope of the summed squares vanishes at the mean only.",
                _SIZES,
                mean_is_best,
                shown=r"\frac{\partial}{\partial a}\sum_i(a-y_i)^2=2n\,(a-\bar y)",
                named="$n=2,…,6$ with free values",
            ),
            equal(
                "Pinball: a value below the answer adds to the slope",
                under,
                1 - level,
                name=r"\partial_a\,\rho_\tau(y-a)\big|_{y<a}",
            ),
            equal(
                "and one above it takes away.", over, -level, name=r"\partial_a\,\rho_\tau(y-a)\big|_{y>a}"
            ),
            equal(
                "Off the values, with $b$ of the $n$ below, the slope rises with $b$ and changes sign where $b$ passes $\\tau n$: at a "
                "$\\tau$-quantile.",
                below * under + (n - below) * over,
                below - level * n,
                name=r"\partial_a\sum_i\rho_\tau(y_i-a)",
            ),
            equal(
                "For the absolute error it changes sign where half of them are below: at a median.",
                below * half_under + (n - below) * half_over,
                2 * below - n,
                name=r"\partial_a\sum_i|y_i-a|",
            ),
            holds_for(
                "Cross-entropy is convex in the logits, so it is least where its slopes vanish: where the probabilities are the shares.",
                _SIZES,
                shares_are_best,
                shown=r"\frac{\partial}{\partial z_k}\,\frac1n\sum_i\ell(z,y_i)=p_k-\frac{n_k}n",
                named="$K=2,…,6$ with free logits and counts",
            ),
        ),
    )


def training_risk_is_optimistic() -> Proof:
    """The risk of the fit on its own data lies below the least risk on average, and that below its risk on fresh data."""
    variance = sp.Symbol(r"\sigma", positive=True) ** 2
    n = sp.Symbol("n", integer=True, positive=True)
    trained, fresh = variance * (1 - 1 / n), variance * (1 + 1 / n)

    def expected(expression: sp.Expr, noise: tuple[sp.Symbol, ...]) -> sp.Expr:
        """Under independent noise of mean 0: products of two different ones have mean 0."""
        polynomial = sp.Poly(sp.expand(expression), *noise)
        return sum(
            c * variance for powers, c in polynomial.terms() if 2 in powers
        ) + polynomial.coeff_monomial(1)

    def on_its_own_data(size: int) -> bool:
        noise = sp.symbols(f"e_1:{size + 1}", real=True)
        fit = sp.Add(*noise) / size
        risk = sum(squared_error.expression(fit, e) for e in noise) / size
        return bool(is_zero(expected(risk, noise) - trained.subs(n, size)))

    def on_fresh_data(size: int) -> bool:
        *noise, new = sp.symbols(f"e_1:{size + 2}", real=True)
        risk = squared_error.expression(sp.Add(*noise) / size, new)
        return bool(is_zero(expected(risk, (*noise, new)) - fresh.subs(n, size)))

    return Proof(
        claims=("C06",),
        statement=(
            r"If $\hat W$ minimises the empirical risk $\hat R$ of independent draws, then "
            r"$E\,\hat R(\hat W)\leq\min_WR(W)\leq E\,R(\hat W)$. For a mean fitted by squared error the three are "
            r"$\sigma^2(1-\frac1n)$, $\sigma^2$ and $\sigma^2(1+\frac1n)$."
        ),
        hypotheses=("independent draws from one distribution", "the minima and expectations exist"),
        scope="the inequality: every loss and model, by argument; the example: n = 2…6",
        steps=(
            argument(
                r"At every fixed $W$ the fit does at least as well on its own data, $\hat R(\hat W)\leq\hat R(W)$, and "
                r"$E\,\hat R(W)=R(W)$. Take the expectation at the best $W$.",
                r"E\,\hat R(\hat W)\leq\min_WR(W)",
            ),
            argument(
                r"And $R(\hat W)$ is never below the least value of $R$.", r"\min_WR(W)\leq E\,R(\hat W)"
            ),
            holds_for(
                "Fit a mean, say to values of mean 0: on its own data the risk is",
                _SIZES,
                on_its_own_data,
                shown=r"E\,\frac1n\sum_i(\bar y-y_i)^2=\sigma^2\left(1-\frac1n\right)",
                named="$n=2,…,6$, independent errors of variance $\\sigma^2$",
            ),
            holds_for(
                "and on a fresh draw",
                _SIZES,
                on_fresh_data,
                shown=r"E\,(\bar y-y)^2=\sigma^2\left(1+\frac1n\right)",
                named="$n=2,…,6$",
            ),
            equal(
                "The gap between the two shrinks like $1/n$.",
                fresh - trained,
                2 * variance / n,
                name=r"E\,R(\hat W)-E\,\hat R(\hat W)",
            ),
        ),
    )
