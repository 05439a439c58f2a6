"""Proofs about scores of a forecast distribution: what the CRPS is, what one day can do to it, what it does not see."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from .densities import crps_ensemble, crps_gaussian, gaussian_nll
from .proof import Proof, argument, equal, limit, positive, solves
from .regression import pinball

MEAN, OUTCOME, PLACE, LOG_SCALE = sp.symbols(r"\mu y u s", real=True)
SCALE, GAP, AWAY = sp.symbols(r"\sigma g d", positive=True)
_Z = sp.Symbol("z", real=True)


def _density(x: sp.Expr) -> sp.Expr:
    return sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)


def _below(x: sp.Expr) -> sp.Expr:
    """The standard normal distribution function."""
    return (1 + sp.erf(x / sp.sqrt(2))) / 2


def the_crps_has_a_closed_form() -> Proof:
    """The CRPS of a Gaussian by integration; at scale 0 it is the absolute error; it is 2 × pinball over all levels."""

    def primitive(x: sp.Expr) -> sp.Expr:
        return x * _below(x) ** 2 + 2 * _density(x) * _below(x) - _below(sp.sqrt(2) * x) / sp.sqrt(sp.pi)

    chance = sp.Function("F", real=True)(PLACE)
    odds = sp.Symbol("a", positive=True)
    level = 1 / (1 + odds)
    closed = crps_gaussian.expression(MEAN, SCALE, MEAN + SCALE * _Z)
    return Proof(
        claims=("C43", "C230"),
        statement=(
            r"For the Gaussian forecast $\mathcal N(\mu,\sigma^2)$ and $z=\frac{y-\mu}\sigma$, "
            r"$\int(F(t)-[y\leq t])^2dt=\sigma\bigl(z(2\Phi(z)-1)+2\varphi(z)-\tfrac1{\sqrt\pi}\bigr)$, which tends to $|y-\mu|$ as "
            r"$\sigma\to0$. For every forecast with a positive density and a finite mean, the integral is "
            r"$2\int_0^1\rho_\tau(y-F^{-1}(\tau))\,d\tau$: twice the pinball loss of its quantiles, summed over all levels."
        ),
        hypotheses=(r"$\sigma>0$", "for the last part, a density that is positive and a finite mean"),
        scope="every mean, scale and outcome; the last part for every forecast of that kind",
        steps=(
            argument(
                r"Put $t=\mu+\sigma u$. The step lies at $u=z$, and the integral is",
                r"\sigma\Bigl(\int_{-\infty}^z\Phi(u)^2du+\int_z^\infty(1-\Phi(u))^2du\Bigr)",
            ),
            replace(
                equal(
                    r"A primitive of $\Phi^2$ is $P(u)=u\,\Phi(u)^2+2\varphi(u)\Phi(u)-\frac1{\sqrt\pi}\Phi(\sqrt2u)$,",
                    sp.diff(primitive(PLACE), PLACE),
                    _below(PLACE) ** 2,
                ),
                shown=r"P'(u)=\Phi(u)^2",
            ),
            replace(
                limit("and it vanishes far to the left.", primitive(PLACE), PLACE, -sp.oo, sp.Integer(0)),
                shown=r"\lim_{u\to-\infty}P(u)=0",
            ),
            replace(
                equal(
                    r"By symmetry the second integral is the first one up to $-z$.",
                    1 - _below(PLACE),
                    _below(-PLACE),
                ),
                shown=r"1-\Phi(u)=\Phi(-u)",
            ),
            replace(
                equal(
                    "Together they are the closed form.",
                    SCALE * (primitive(_Z) + primitive(-_Z)),
                    closed,
                ),
                shown=r"\sigma\,(P(z)+P(-z))=\sigma\bigl(z(2\Phi(z)-1)+2\varphi(z)-\tfrac1{\sqrt\pi}\bigr)",
            ),
            replace(
                limit(
                    "With a spread that shrinks to a point, an outcome at a distance $g$ costs this distance;",
                    crps_gaussian.expression(MEAN, SCALE, MEAN + GAP),
                    SCALE,
                    sp.Integer(0),
                    GAP,
                ),
                shown=r"\lim_{\sigma\downarrow0}\mathrm{CRPS}(\mathcal N(\mu,\sigma^2),\mu+g)=g",
            ),
            replace(
                equal(
                    "an outcome on the other side costs the same.",
                    crps_gaussian.expression(MEAN, SCALE, MEAN - GAP),
                    crps_gaussian.expression(MEAN, SCALE, MEAN + GAP),
                ),
                shown=r"\mathrm{CRPS}(\mathcal N(\mu,\sigma^2),\mu-g)=\mathrm{CRPS}(\mathcal N(\mu,\sigma^2),\mu+g)",
            ),
            equal(
                r"The quantile at the level $\tau=F(q)$ is $q$, and $d\tau=F'(q)\,dq$. Where $q=y-g$ lies below the outcome, its "
                r"pinball loss is $F(q)\,g$ (with $F=\frac1{1+a}$):",
                pinball.expression(OUTCOME - GAP, OUTCOME, quantile=level),
                level * GAP,
                name=r"\rho_\tau(g)",
            ),
            equal(
                "where $q=y+g$ lies above it, $(1-F(q))\\,g$.",
                pinball.expression(OUTCOME + GAP, OUTCOME, quantile=level),
                (1 - level) * GAP,
                name=r"\rho_\tau(-g)",
            ),
            replace(
                equal(
                    "So below the outcome twice the pinball loss is the squared gap and a derivative,",
                    2 * chance * (OUTCOME - PLACE) * sp.diff(chance, PLACE),
                    chance**2 + sp.diff(chance**2 * (OUTCOME - PLACE), PLACE),
                ),
                shown=r"2F(q)(y-q)F'(q)=F(q)^2+\frac{d}{dq}\bigl[F(q)^2(y-q)\bigr]",
            ),
            replace(
                equal(
                    "and above it likewise.",
                    2 * (1 - chance) * (PLACE - OUTCOME) * sp.diff(chance, PLACE),
                    (1 - chance) ** 2 - sp.diff((1 - chance) ** 2 * (PLACE - OUTCOME), PLACE),
                ),
                shown=r"2(1-F(q))(q-y)F'(q)=(1-F(q))^2-\frac{d}{dq}\bigl[(1-F(q))^2(q-y)\bigr]",
            ),
            argument(
                "What stands under the derivatives is 0 at $q=y$, and far out because the mean is finite. The squared gaps "
                "are left, and their integral is the CRPS."
            ),
        ),
    )


def one_day_pulls_the_crps_by_a_bounded_amount() -> Proof:
    """Slopes of the CRPS are bounded, those of the Gaussian log score aren't; what a share of gross errors does to σ."""
    y = MEAN + SCALE * _Z
    log_score = gaussian_nll.expression(MEAN, LOG_SCALE, OUTCOME)
    crps = crps_gaussian.expression(MEAN, SCALE, OUTCOME)
    at_scale = {LOG_SCALE: sp.log(SCALE), OUTCOME: y}
    in_mean, in_log = (sp.diff(log_score, variable).subs(at_scale) for variable in (MEAN, LOG_SCALE))
    in_scale = sp.diff(log_score.subs(LOG_SCALE, sp.log(SCALE)), SCALE).subs(OUTCOME, y)
    crps_in_mean = sp.diff(crps, MEAN).subs(OUTCOME, y)
    crps_in_scale = sp.diff(crps, SCALE).subs(OUTCOME, y)
    share, true, variable = (
        sp.Symbol(r"\epsilon", positive=True),
        sp.Symbol(r"\sigma_0", positive=True),
        sp.Symbol("v", positive=True),
    )
    spread = sp.sqrt(2 / sp.pi) * SCALE / sp.sqrt(SCALE**2 + true**2)
    wide, keep = true**2 / (2 * (1 - share) ** 2 - 1), sp.Symbol("k", positive=True)
    return Proof(
        claims=("C231",),
        statement=(
            r"In one outcome at $z=\frac{y-\mu}\sigma$ the slopes of the CRPS are $1-2\Phi(z)$ in $\mu$ and "
            r"$2\varphi(z)-\frac1{\sqrt\pi}$ in $\sigma$: no outcome pulls the mean by more than 1 or widens the spread by more than "
            r"$\frac1{\sqrt\pi}$. The slopes of the Gaussian log score have no bound. If a share $\epsilon<1-\frac1{\sqrt2}$ of the outcomes "
            r"is infinitely far away, half of it on each side, and the others are $\mathcal N(\mu,\sigma_0^2)$, the CRPS "
            r"stays at $\mu$ and widens $\sigma_0$ to $\frac{\sigma_0}{\sqrt{2(1-\epsilon)^2-1}}$, and to less if they are nearer. At a distance $d$ on both "
            r"sides the log score widens it to $\sqrt{(1-\epsilon)\sigma_0^2+\epsilon d^2}$."
        ),
        hypotheses=(r"$\sigma>0$", r"$0<\epsilon<1-\frac1{\sqrt2}$, about 0.29"),
        scope="every mean, scale and outcome; that the widths are the best ones, and smaller at finite distances, by argument",
        steps=(
            equal(r"In the mean the log score has the slope", in_mean, -_Z / SCALE, name=r"\partial_\mu\ell"),
            equal(r"and in $\ln\sigma$", in_log, 1 - _Z**2, name=r"\partial_{\ln\sigma}\ell"),
            equal(r"so in $\sigma$", in_scale, (1 - _Z**2) / SCALE, name=r"\partial_\sigma\ell"),
            replace(
                limit("None of them has a bound.", in_log, _Z, sp.oo, -sp.oo),
                shown=r"\lim_{z\to\infty}(1-z^2)=-\infty",
            ),
            replace(
                equal("The CRPS has in the mean the slope", crps_in_mean, 1 - 2 * _below(_Z)),
                shown=r"\partial_\mu\mathrm{CRPS}=1-2\Phi(z)",
            ),
            replace(
                limit(
                    "which falls to $-1$ far to the right (and rises to 1 far to the left)",
                    crps_in_mean,
                    _Z,
                    sp.oo,
                    sp.Integer(-1),
                ),
                shown=r"\lim_{z\to\infty}(1-2\Phi(z))=-1",
            ),
            replace(
                positive(
                    "and falls all the way, so that it stays between.",
                    sp.diff(-crps_in_mean, _Z),
                    2 * _density(_Z),
                ),
                shown=r"-\frac{\partial}{\partial z}(1-2\Phi(z))=2\varphi(z)>0",
            ),
            replace(
                equal(
                    "In the spread it has the slope",
                    crps_in_scale,
                    2 * _density(_Z) - 1 / sp.sqrt(sp.pi),
                ),
                shown=r"\partial_\sigma\mathrm{CRPS}=2\varphi(z)-\frac1{\sqrt\pi}",
            ),
            replace(
                positive(
                    r"which is above $-\frac1{\sqrt\pi}$ everywhere.",
                    crps_in_scale + 1 / sp.sqrt(sp.pi),
                    2 * _density(_Z),
                ),
                shown=r"\partial_\sigma\mathrm{CRPS}+\frac1{\sqrt\pi}=2\varphi(z)>0",
            ),
            replace(
                equal(
                    r"Over outcomes from $\mathcal N(\mu,\sigma_0^2)$, whose $z$ has the variance $v=\sigma_0^2/\sigma^2$, the mean of "
                    r"$2\varphi(z)$ is",
                    sp.integrate(
                        2 * _density(_Z) * _density(_Z / sp.sqrt(variable)) / sp.sqrt(variable),
                        (_Z, -sp.oo, sp.oo),
                    ),
                    spread.subs(true, SCALE * sp.sqrt(variable)),
                ),
                shown=r"E\,2\varphi(z)=\sqrt{\tfrac2\pi}\,\frac1{\sqrt{1+v}}",
            ),
            replace(
                solves(
                    r"Infinitely far outcomes have $2\varphi(z)=0$, and their pulls on the mean cancel. With $k=1-\epsilon$ the slope in "
                    r"$\sigma$ ends where $k\,E\,2\varphi(z)=\frac1{\sqrt\pi}$; squared and times $\pi(1+v)$, where",
                    2 * keep**2 - 1 - variable,
                    variable,
                    2 * keep**2 - 1,
                ),
                shown=r"2k^2=1+v\iff v=2k^2-1",
            ),
            equal(
                r"which is the width $\sigma^2=\frac{\sigma_0^2}{2(1-\epsilon)^2-1}$, defined while $1-\epsilon>\frac1{\sqrt2}$.",
                (true**2 / wide).subs(share, 1 - keep),
                2 * keep**2 - 1,
                name=r"\frac{\sigma_0^2}{\sigma^2}",
            ),
            argument(
                r"$E\,2\varphi(z)$ grows with $\sigma$, so the slope is negative below this width and positive above: it is the best one. "
                r"Outcomes at a finite distance add $2\epsilon\varphi(d/\sigma)>0$ to the slope, so the best width is smaller then. "
                r"In the mean, both scores have slopes that grow with $\mu$ and are 0 at the centre of symmetry on average: it stays."
            ),
            replace(
                solves(
                    r"The slope of the log score ends where $E\,z^2=1$; times $\sigma^2$, where",
                    (1 - share) * true**2 + share * AWAY**2 - variable,
                    variable,
                    (1 - share) * true**2 + share * AWAY**2,
                ),
                shown=r"\frac{(1-\epsilon)\sigma_0^2+\epsilon d^2}{\sigma^2}=1\iff\sigma^2=(1-\epsilon)\sigma_0^2+\epsilon d^2",
            ),
        ),
    )


def the_crps_hardly_sees_a_rare_event() -> Proof:
    """Ruling out an event of probability p at a distance d costs p² d in CRPS, and an infinite logarithmic score."""
    p, q = sp.symbols("p q", positive=True)
    zero = sp.Integer(0)
    calm = crps_ensemble.expression((MEAN,), MEAN)
    missed = crps_ensemble.expression((MEAN,), MEAN + AWAY)
    honest = p * (1 - p) * AWAY
    return Proof(
        claims=("C232",),
        statement=(
            r"Let the outcome be $\mu+d$ with probability $p$ and $\mu$ otherwise. A forecast that rules the event out has an expected "
            r"CRPS that is only $p^2d$ above that of the truth; its expected logarithmic score is infinite. For every law, "
            r"a forecast that agrees with it below a threshold $u$ and rules out all above loses at most $P(Y>u)\,E(Y-u)_+$."
        ),
        hypotheses=("$0<p<1$ and $d>0$; a finite mean",),
        scope="every probability and distance, and every law and threshold",
        steps=(
            equal(
                r"Whoever says $\mu$ for certain pays nothing where $\mu$ comes,",
                calm,
                zero,
                name=r"\mathrm{CRPS}(\mu,\mu)",
            ),
            equal("and the distance where the event comes,", missed, AWAY, name=r"\mathrm{CRPS}(\mu,\mu+d)"),
            equal(
                "on average",
                (1 - p) * calm + p * missed,
                p * AWAY,
                name=r"E\,\mathrm{CRPS}(\mu,Y)",
            ),
            equal(
                r"The truth has at each threshold between $\mu$ and $\mu+d$ the event's probability right, and pays its variance there:",
                sp.integrate((1 - p) * p**2 + p * (1 - p) ** 2, (PLACE, 0, AWAY)),
                honest,
                name=r"\int_0^dp(1-p)\,dt",
            ),
            equal(
                "Ruling the event out costs this much more:",
                p * AWAY - honest,
                p**2 * AWAY,
                name=r"pd-p(1-p)d",
            ),
            limit(
                "The logarithmic score of a forecast that gives the event the probability $q$ has no bound.",
                -p * sp.log(q) - (1 - p) * sp.log(1 - q),
                q,
                zero,
                sp.oo,
            ),
            argument(
                r"For any law $H$ the regret is $\int_u^\infty(1-H(t))^2dt$, because the forecast says 1 there. Above $u$, $1-H(t)\leq1-H(u)$, "
                r"and $\int_u^\infty(1-H(t))\,dt=E(Y-u)_+$.",
                r"\int_u^\infty(1-H(t))^2dt\leq(1-H(u))\int_u^\infty(1-H(t))\,dt",
            ),
            equal(
                "A heat of 10 °C above the forecast, once in 100 days: ruled out, it costs a thousandth of a degree.",
                (p**2 * AWAY).subs({p: sp.Rational(1, 100), AWAY: 10}),
                sp.Rational(1, 1000),
                name="p^2d",
            ),
        ),
    )
