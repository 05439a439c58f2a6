"""Proofs about counts: where the negative binomial comes from, what the count losses ask for, what a logarithm does."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from .densities import COUNT, LOG_RATE, MEAN, SIZE, negative_binomial_nll, poisson_nll
from .proof import Proof, argument, equal, limit, positive, solves
from .regression import squared_error

RATE, SHAPE, SLOPE = sp.symbols(r"\lambda a b", positive=True)
TRUE_MEAN, GAP = sp.symbols("m g", positive=True)


def a_gamma_rate_gives_a_negative_binomial() -> Proof:
    """A Poisson count whose rate is gamma distributed is negative binomial: more zeros, and variance μ + μ²/θ."""
    less = sp.Symbol("u", positive=True)
    speed = SIZE / MEAN
    integral = sp.integrate(RATE ** (SHAPE - 1) * sp.exp(-SLOPE * RATE), (RATE, 0, sp.oo))
    log_mixture = (
        SIZE * sp.log(speed)
        - sp.loggamma(SIZE)
        - sp.log(sp.factorial(COUNT))
        + sp.loggamma(COUNT + SIZE)
        - (COUNT + SIZE) * sp.log(1 + speed)
    )
    generating = (1 + MEAN * less / SIZE) ** -SIZE
    first = -sp.diff(generating, less).subs(less, 0)
    second = sp.diff(generating, less, 2).subs(less, 0)
    more_zeros = MEAN - SIZE * sp.log(1 + MEAN / SIZE)
    return Proof(
        claims=("C217", "C218"),
        statement=(
            r"If $Y$ is Poisson with the rate $\lambda$, and $\lambda$ is gamma distributed with mean $\mu$ and shape "
            r"$\theta$, then $Y$ is negative binomial. Its variance is $\mu+\mu^2/\theta$, it is 0 with probability "
            r"$(1+\mu/\theta)^{-\theta}>e^{-\mu}$, and as $\theta\to\infty$ it becomes Poisson."
        ),
        hypotheses=(r"$\mu,\theta>0$",),
        scope="every mean, every shape and every count",
        steps=(
            replace(
                equal("The integral behind the gamma law is", integral, sp.gamma(SHAPE) / SLOPE**SHAPE),
                shown=r"\int_0^\infty\lambda^{a-1}e^{-b\lambda}\,d\lambda=\frac{\Gamma(a)}{b^a}",
            ),
            replace(
                equal(
                    r"Average the Poisson law over the density $\frac{(\theta/\mu)^\theta}{\Gamma(\theta)}"
                    r"\lambda^{\theta-1}e^{-\lambda\theta/\mu}$: the integrand is of this kind, with $a=y+\theta$ and "
                    r"$b=1+\theta/\mu$, and minus the logarithm of the result is the library's loss.",
                    -log_mixture,
                    negative_binomial_nll.expression(MEAN, SIZE, COUNT),
                ),
                shown=(
                    r"P(Y=y)=\frac{(\theta/\mu)^\theta}{\Gamma(\theta)\,y!}\,\frac{\Gamma(y+\theta)}{(1+\theta/\mu)^{y+\theta}}"
                    r"=e^{-\ell(\mu,\theta;\,y)}"
                ),
            ),
            replace(
                equal(
                    r"For a fixed rate $E(1-u)^Y=e^{-\lambda u}$, because the exponential series sums the Poisson law,",
                    sp.summation((RATE * SLOPE) ** COUNT / sp.factorial(COUNT), (COUNT, 0, sp.oo))
                    * sp.exp(-RATE),
                    sp.exp(-RATE * (1 - SLOPE)),
                ),
                shown=r"\sum_{y\geq0}e^{-\lambda}\frac{\lambda^y}{y!}(1-u)^y=e^{-\lambda u}",
            ),
            replace(
                equal(
                    r"and averaged over $\lambda$, by the first step with $a=\theta$ and $b=\theta/\mu+u$,",
                    speed**SIZE / (speed + less) ** SIZE,
                    generating,
                ),
                shown=r"E(1-u)^Y=\left(\frac{\theta/\mu}{\theta/\mu+u}\right)^\theta=\left(1+\frac{\mu u}\theta\right)^{-\theta}",
            ),
            equal("Its first derivative at $u=0$ gives the mean,", first, MEAN, name="E\\,Y"),
            equal(
                r"and its second, $E\,Y(Y-1)$, the variance.",
                second + first - first**2,
                MEAN + MEAN**2 / SIZE,
                name=r"\mathrm{Var}\,Y=E\,Y(Y-1)+E\,Y-(E\,Y)^2",
            ),
            replace(
                positive(
                    r"At $u=1$ it is $P(Y=0)$. The gap $\mu-\theta\ln(1+\mu/\theta)$ to the Poisson law's is 0 at "
                    r"$\mu=0$ and grows,",
                    sp.diff(more_zeros, MEAN),
                    MEAN / (MEAN + SIZE),
                ),
                shown=r"\frac{\partial}{\partial\mu}\left[\mu-\theta\ln\left(1+\frac\mu\theta\right)\right]=\frac\mu{\mu+\theta}>0",
            ),
            argument("so there are more zeros.", r"P(Y=0)=(1+\mu/\theta)^{-\theta}>e^{-\mu}"),
            limit(
                r"For large $\theta$ the generating function becomes that of the Poisson law, which it determines.",
                generating,
                SIZE,
                sp.oo,
                sp.exp(-MEAN * less),
            ),
        ),
    )


def both_count_losses_ask_for_the_mean() -> Proof:
    """Whatever law the counts have, the Poisson and the negative binomial loss are least at its mean."""
    poisson = poisson_nll.expression(LOG_RATE, COUNT)
    negative = negative_binomial_nll.expression(MEAN, SIZE, COUNT)
    slope = sp.simplify(sp.diff(negative, MEAN)).subs(COUNT, TRUE_MEAN)
    poisson_slope = sp.diff(poisson, LOG_RATE).subs(COUNT, TRUE_MEAN)
    in_mean = sp.simplify(poisson_slope.subs(LOG_RATE, sp.log(MEAN)) / MEAN)
    return Proof(
        claims=("C220",),
        statement=(
            r"For counts of any law with the mean $m>0$, the expected Poisson loss and, for every fixed $\theta$, the "
            r"expected negative binomial loss are least at $\mu=m$ and nowhere else. They differ in how much a residual "
            r"counts: one over $\mu$, and one over $\mu+\mu^2/\theta$."
        ),
        hypotheses=(r"$0<m<\infty$, and the terms free of $\mu$ have a finite expectation", r"$\theta>0$"),
        scope=r"every law of counts with that mean",
        steps=(
            replace(
                equal(
                    r"Both slopes in $\mu$ are linear in the count, so their expectations need its mean only. Poisson:",
                    in_mean,
                    (MEAN - TRUE_MEAN) / MEAN,
                ),
                shown=r"\frac{\partial}{\partial\mu}E\,\ell_{\mathrm P}=\frac{\mu-m}\mu",
            ),
            replace(
                equal(
                    "Negative binomial:",
                    slope,
                    (MEAN - TRUE_MEAN) / (MEAN + MEAN**2 / SIZE),
                ),
                shown=r"\frac{\partial}{\partial\mu}E\,\ell_{\mathrm{NB}}=\frac{\mu-m}{\mu+\mu^2/\theta}",
            ),
            solves("It is 0 at one place only,", slope, MEAN, TRUE_MEAN, sp.Interval.open(0, sp.oo)),
            positive("positive above it,", slope.subs(MEAN, TRUE_MEAN + GAP), _above(GAP, TRUE_MEAN + GAP)),
            positive(
                "and negative below it. So is the Poisson slope, of which only the denominator differs.",
                -slope.subs(TRUE_MEAN, MEAN + GAP),
                _above(GAP, MEAN),
            ),
        ),
    )


def _above(gap: sp.Expr, mean: sp.Expr) -> sp.Expr:
    return gap / (mean + mean**2 / SIZE)


def a_logarithm_loses_counts() -> Proof:
    """Squared error on ln(1 + cY) asks for the mean logarithm, which stands for fewer than E Y counts."""
    ratio = sp.Symbol("r", positive=True)
    guess, spread, middle = sp.symbols("z v k", real=True)
    term = ratio - 1 - sp.log(ratio)
    expected = squared_error.expression(guess, middle) + spread
    two = (sp.exp((sp.log(1) + sp.log(4)) / 2) - 1, sp.Rational(3, 2))
    return Proof(
        claims=("C219",),
        statement=(
            r"Squared error on $\ln(1+cY)$ has its expectation least at $z=E\ln(1+cY)$. Turned back into a count, "
            r"$(e^z-1)/c<E\,Y$, unless $Y$ is constant."
        ),
        hypotheses=(r"$Y\geq0$ with finite mean $m$", "$c>0$"),
        scope="every such law and every unit $c$",
        steps=(
            replace(
                equal(
                    r"With $k=E\ln(1+cY)$ and $v$ the variance of the logarithm, the expected loss is $(z-k)^2+v$, least at $k$.",
                    sp.diff(expected, guess),
                    2 * (guess - middle),
                ),
                shown=r"\frac{\partial}{\partial z}\,E\left(z-\ln(1+cY)\right)^2=2(z-k)",
            ),
            equal(
                r"A logarithm lies below its tangent: $r-1-\ln r$ is 0 at $r=1$,",
                term.subs(ratio, 1),
                sp.Integer(0),
                name=r"1-1-\ln1",
            ),
            solves(
                "has no other critical point,",
                sp.diff(term, ratio),
                ratio,
                sp.Integer(1),
                sp.Interval.open(0, sp.oo),
            ),
            positive("and is strictly convex, so elsewhere it is positive.", sp.diff(term, ratio, 2)),
            argument(
                r"Take $r=\frac{1+cY}{1+cm}$, which is 1 on average, and expectations:",
                r"E\ln(1+cY)\leq\ln(1+cm)+E\,r-1=\ln(1+cm)",
            ),
            argument(
                "with equality only if $r=1$ always, that is, if $Y$ is constant. Undo the logarithm on both sides.",
                r"\frac{e^{k}-1}c<m",
            ),
            equal(
                "Counts of 0 and 3, equally often, with $c=1$: the mean exceeds the answer by",
                two[1] - two[0],
                sp.Rational(1, 2),
                name=r"\tfrac32-\left(e^{\frac12(\ln1+\ln4)}-1\right)",
            ),
        ),
    )
