"""What times that are cut short do to losses, and which losses still find the truth."""

from __future__ import annotations

import sympy as sp

from .margins import logistic
from .proof import Proof, argument, derivative, equal, holds_for, is_zero, positive, solves
from .survival import cox

TIME = sp.Symbol("t", positive=True)
HAZARD, LEAVING = sp.symbols(r"\lambda \kappa", positive=True)
_SIZES = range(2, 6)


def ignoring_censoring_shortens_times() -> Proof:
    """Dropping the censored and counting them as events both divide the mean time by the same factor."""
    event, follow = HAZARD * sp.exp(-HAZARD * TIME), sp.exp(-LEAVING * TIME)
    share = HAZARD / (HAZARD + LEAVING)

    def integral(density: sp.Expr) -> sp.Expr:
        return sp.integrate(density, (TIME, 0, sp.oo))

    return Proof(
        claims=("C213",),
        statement=(
            r"Let events come at the constant rate $\lambda$ and losses of contact, independently, at the rate $\kappa$. The mean time to "
            r"the event is $\frac1\lambda$. The mean over the seen events, and the mean over all when a last contact counts as an "
            r"event, are both $\frac1{\lambda+\kappa}$: too short by exactly the share of events that are seen."
        ),
        hypotheses=("the time of the event $T$ and that of losing contact $C$ are independent",),
        scope="all rates; the last step, any two independent laws",
        steps=(
            equal(
                "An event at $t$ is seen if contact holds until then. The share of events that are seen is",
                integral(event * follow),
                share,
                name=r"P(T\leq C)=\int_0^\infty\lambda e^{-\lambda t}e^{-\kappa t}\,dt",
            ),
            equal(
                "Drop the others: the mean of what is left is",
                integral(TIME * event * follow) / integral(event * follow),
                1 / (HAZARD + LEAVING),
                name=r"E[T\mid T\leq C]",
            ),
            equal(
                "Count the last contact as the event: the first of the two has the mean",
                integral(sp.exp(-HAZARD * TIME) * follow),
                1 / (HAZARD + LEAVING),
                name=r"E\min(T,C)=\int_0^\infty P(T>t)\,P(C>t)\,dt",
            ),
            equal(
                "Both are the true mean, times the share that is seen.",
                integral(TIME * event) * share,
                1 / (HAZARD + LEAVING),
                name=r"E[T]\cdot P(T\leq C)",
            ),
            argument(
                r"The direction needs no constant rates: $\min(T,C)\leq T$; and $G(t)=P(C\geq t)$ falls, so among the seen events late "
                "ones weigh less.",
                r"E[T\mid T\leq C]=\frac{E[T\,G(T)]}{E[G(T)]}\leq E[T]",
            ),
        ),
    )


def a_censored_likelihood_finds_the_rate() -> Proof:
    """With the density for seen events and the survival probability for the others the best rate is the true one."""
    rate, mean = sp.Symbol("r", positive=True), sp.Symbol("m", positive=True)
    seen, later = -sp.log(rate * sp.exp(-rate * TIME)), -sp.log(sp.exp(-rate * TIME))
    risk = rate * mean - HAZARD * mean * sp.log(rate)
    gap = sp.Symbol("g", positive=True)
    return Proof(
        claims=("C213",),
        statement=(
            r"Score a seen event by $-\ln f(t)$, a last contact by $-\ln P(T>t)$. For a constant rate $r$ the expected loss is least at "
            r"the true rate $r=\lambda$, and nowhere else, whatever the law of the censoring."
        ),
        hypotheses=(
            r"events come at the constant rate $\lambda$",
            r"$C$ is independent of $T$ and has any law, with $P(C>0)>0$",
        ),
        scope=r"every $\lambda$ and every law of $C$",
        steps=(
            equal(
                "A seen event costs",
                sp.expand_log(seen),
                rate * TIME - sp.log(rate),
                name=r"-\ln\left(re^{-rt}\right)",
            ),
            equal("and a last contact", later, rate * TIME, name=r"-\ln e^{-rt}"),
            argument(
                r"Write $m=E\min(T,C)$. The events are seen in the share $\lambda m$, because their density is $\lambda$ times the "
                "probability of no event so far.",
                r"P(T\leq C)=\int_0^\infty\lambda e^{-\lambda t}\,P(C\geq t)\,dt=\lambda\int_0^\infty P(T>t)\,P(C>t)\,dt=\lambda m",
            ),
            derivative("So the expected loss has the slope", risk, rate, mean * (1 - HAZARD / rate)),
            solves(
                "which is 0 at the true rate only,",
                sp.diff(risk, rate),
                rate,
                HAZARD,
                sp.Interval.open(0, sp.oo),
            ),
            positive(
                "negative below it",
                -sp.diff(risk, rate).subs(rate, HAZARD / (1 + gap)),
                mean * gap,
            ),
            positive(
                "and positive above it.",
                sp.diff(risk, rate).subs(rate, HAZARD * (1 + gap)),
                mean * gap / (1 + gap),
            ),
        ),
    )


def the_partial_likelihood_forgets_the_clock() -> Proof:
    """Under proportional hazards the baseline cancels: who was next is a softmax, and only the order in time counts."""
    base = sp.Symbol("h_0", positive=True)
    scores = sp.symbols("s_1:6", real=True)
    shift = sp.Symbol("c", real=True)

    def loss(size: int, change: sp.Expr | int = 0, times: range | list[int] | None = None) -> sp.Expr:
        events = [1] * (size - 1) + [0]
        return cox.expression([s + change for s in scores[:size]], list(times or range(1, size + 1)), events)

    def next_of(own: int, size: int) -> sp.Expr:
        hazards = [base * sp.exp(s) for s in scores[own:size]]
        return hazards[0] / sp.Add(*hazards)

    def product(size: int) -> bool:
        chances = sp.Add(*(sp.log(next_of(own, size)) for own in range(size - 1)))
        return bool(is_zero(loss(size) + chances))

    def shifted(size: int) -> bool:
        return bool(is_zero(loss(size, shift) - loss(size)))

    def other_clock(size: int) -> bool:
        return bool(is_zero(loss(size, times=[7 * t**3 for t in range(1, size + 1)]) - loss(size)))

    def balanced(size: int) -> bool:
        return bool(is_zero(sp.Add(*(sp.diff(loss(size), s) for s in scores[:size]))))

    one, two = scores[:2]
    return Proof(
        claims=("C214",),
        statement=(
            r"Let patient $j$ have the hazard $h_0(t)\,e^{s_j}$. Given that one of those at risk has the event at $t$, it is $i$ with "
            r"probability $e^{s_i}/\sum_je^{s_j}$, whatever $h_0$ is. The product over all events is Cox's partial likelihood. It "
            "does not change when all scores are shifted, or when the clock is changed so that the order of the times stays."
        ),
        hypotheses=("hazards are proportional, with one $h_0$ for all", "no two events at one time"),
        scope="any number of patients by argument; the identities for 2 to 5, the last of them censored",
        steps=(
            equal(
                r"Of two at risk the first has the event next with the ratio of the hazards; $h_0(t)$ cancels.",
                next_of(0, 2),
                1 / (1 + sp.exp(two - one)),
                name=r"\frac{h_0e^{s_1}}{h_0e^{s_1}+h_0e^{s_2}}",
            ),
            holds_for(
                "Multiply over the events, each among those still at risk, and take minus the logarithm: the loss.",
                _SIZES,
                product,
                shown=r"\ell=-\sum_{i:\,\delta_i=1}\Bigl[s_i-\ln\sum_{j:\,t_j\geq t_i}e^{s_j}\Bigr]",
                named="2 to 5 patients",
            ),
            holds_for(
                "A shift of all scores changes nothing: there is no intercept to learn.",
                _SIZES,
                shifted,
                shown=r"\ell(s+c)=\ell(s)",
                named="2 to 5 patients",
            ),
            holds_for(
                "So the pulls on all patients add up to nothing.",
                _SIZES,
                balanced,
                shown=r"\sum_i\frac{\partial\ell}{\partial s_i}=0",
                named="2 to 5 patients",
            ),
            holds_for(
                r"The times enter through $t_j\geq t_i$ only, so any other clock that keeps the order gives the same loss, for example",
                _SIZES,
                other_clock,
                shown=r"t\mapsto7t^3",
                named="2 to 5 patients",
            ),
            equal(
                "Two patients, the first event seen: the logistic loss of the difference.",
                loss(2),
                logistic.expression(one - two, sp.Integer(1)),
                name=r"\ell(s_1,s_2)",
            ),
        ),
    )


def weights_undo_censoring_in_the_brier_score() -> Proof:
    """Weighted by one over the chance of being followed, the Brier score of the seen is that of all, on average."""
    survival, density, follow = (sp.Function(name, positive=True) for name in ("S", "f", "G"))
    q = sp.Symbol("q", positive=True)
    until, u = sp.symbols("t u", positive=True)
    truth = sp.Symbol("S", positive=True)
    score = truth * (1 - q) ** 2 + (1 - truth) * q**2
    lost = sp.Integral(-sp.diff(survival(u), u) * follow(u) / follow(u), (u, 0, until)).doit()
    return Proof(
        claims=("C215",),
        statement=(
            r"Let $q$ be a forecast of $S(t)=P(T>t)$ and $G(u)=P(C\geq u)$. Score patients followed beyond $t$ by $(1-q)^2/G(t)$, those "
            r"whose event at $u\leq t$ was seen by $q^2/G(u)$, the others by 0. The expected score is "
            r"$S(t)\bigl(1-S(t)\bigr)+\bigl(q-S(t)\bigr)^2$: least at $q=S(t)$ and nowhere else."
        ),
        hypotheses=("$C$ is independent of $T$, without ties, and its law is known", "$G(t)>0$"),
        scope="all laws with a density",
        steps=(
            equal(
                "Beyond $t$ a patient is followed with probability $S(t)\\,G(t)$; the weight takes $G$ away.",
                survival(until) * follow(until) * (1 - q) ** 2 / follow(until),
                survival(until) * (1 - q) ** 2,
                name=r"S(t)\,G(t)\cdot\frac{(1-q)^2}{G(t)}",
            ),
            equal(
                "An event at $u$ has the density $-S'(u)$ and is seen with probability $G(u)$; again the weight takes it away.",
                lost,
                survival(0) - survival(until),
                name=r"\int_0^t-S'(u)\,G(u)\cdot\frac1{G(u)}\,du",
            ),
            argument("Here $S(0)=1$. What is left is the Brier score of everybody, censored or not."),
            equal(
                "Complete the square.",
                score,
                truth * (1 - truth) + (q - truth) ** 2,
                name=r"S\,(1-q)^2+(1-S)\,q^2",
            ),
            solves("It is least at", sp.diff(score, q), q, truth, sp.Interval.open(0, sp.oo)),
        ),
    )


def the_same_data_fit_other_times() -> Proof:
    """If who leaves is not independent of what comes, the same observations belong to shorter and to longer times."""
    both = HAZARD + LEAVING
    seen = HAZARD / both * (1 - sp.exp(-both * TIME))
    independent = 1 - sp.exp(-HAZARD * TIME)
    start = {TIME: 0}
    return Proof(
        claims=("C216",),
        statement=(
            r"Let a study end for each patient at the rate $\lambda+\kappa$, with a seen event in the share "
            r"$\frac\lambda{\lambda+\kappa}$. If leaving is independent of the event, $P(T\leq t)=1-e^{-\lambda t}$. If all who leave have "
            r"it at once it is $1-e^{-(\lambda+\kappa)t}$, and if none ever has, "
            r"$\frac\lambda{\lambda+\kappa}\bigl(1-e^{-(\lambda+\kappa)t}\bigr)$. All three make the same data."
        ),
        hypotheses=(r"$\lambda,\kappa>0$", "only the earlier of event and last contact is seen"),
        scope=r"all rates and all $t>0$",
        steps=(
            argument(
                "In all three cases an event is seen at $t$ with the same density, and so is a last contact.",
                r"\lambda e^{-(\lambda+\kappa)t},\qquad\kappa e^{-(\lambda+\kappa)t}",
            ),
            equal(
                "The events seen until $t$ are those that nobody can deny.",
                sp.integrate(HAZARD * sp.exp(-both * TIME), (TIME, 0, TIME)),
                seen,
                name=r"\int_0^t\lambda e^{-(\lambda+\kappa)u}\,du",
            ),
            equal(
                "All three begin at 0,",
                sp.Matrix([seen, independent, 1 - sp.exp(-both * TIME)]).subs(start),
                sp.zeros(3, 1),
                name=r"P(T\leq0)",
            ),
            derivative(
                r"the one of independence gains on the lowest, because $e^{\kappa t}>1$,",
                independent - seen,
                TIME,
                sp.exp(-both * TIME) * (sp.exp(LEAVING * TIME) - 1) * HAZARD,
            ),
            equal(
                "and the highest lies above it, for the same reason, by",
                (1 - sp.exp(-both * TIME)) - independent,
                sp.exp(-both * TIME) * (sp.exp(LEAVING * TIME) - 1),
                name=r"e^{-\lambda t}-e^{-(\lambda+\kappa)t}",
            ),
        ),
    )
