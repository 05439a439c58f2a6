"""What choices say about rewards, and what the loss of direct preference optimisation makes of them."""

from __future__ import annotations

from itertools import combinations

import sympy as sp

from .classification import softplus
from .preference import STRENGTH, bradley_terry, dpo
from .proof import Proof, argument, derivative, equal, holds_for, is_zero

_GAP = sp.Symbol("Delta", real=True)
_CHANCE = sp.Symbol("P", positive=True)
_NAMED = "$K=2,3,4$, free rewards"


def _gain(wrong: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """The loss, labels smoothed by ``wrong``, at the log ratio Δ: if the first answer is chosen, and if the second is."""
    zero = sp.Integer(0)
    return (
        dpo.expression(_GAP, zero, zero, zero, label_smoothing=wrong),
        dpo.expression(zero, _GAP, zero, zero, label_smoothing=wrong),
    )


def dpo_is_bradley_terry_of_the_implied_reward() -> Proof:
    """The policy that is best under a KL penalty tells its reward up to a constant, and a comparison cancels it."""
    beta = STRENGTH
    x = sp.Symbol("x", positive=True)
    first, second, norm = sp.symbols(r"\pi_+^* \pi_-^* Z", positive=True)
    before = sp.symbols(r"\pi_+^0 \pi_-^0", positive=True)
    rewards = [
        beta * sp.log(after / earlier) + beta * sp.log(norm)
        for after, earlier in zip((first, second), before, strict=True)
    ]

    def objective_is_a_divergence(size: int) -> bool:
        weights, start = (
            sp.symbols(f"a_1:{size + 1}", positive=True),
            sp.symbols(f"b_1:{size + 1}", positive=True),
        )
        reward = sp.symbols(f"r_1:{size + 1}", real=True)
        policy = [weight / sp.Add(*weights) for weight in weights]
        reference = [weight / sp.Add(*start) for weight in start]
        total = sp.Add(*(q * sp.exp(r / beta) for q, r in zip(reference, reward, strict=True)))
        objective = [
            p * (r - beta * sp.log(p / q)) for p, q, r in zip(policy, reference, reward, strict=True)
        ]
        excess = [
            p * (sp.log(p) - sp.log(q) - r / beta + sp.log(total))
            for p, q, r in zip(policy, reference, reward, strict=True)
        ]
        difference = sp.Add(*objective) - beta * sp.log(total) + beta * sp.Add(*excess)
        return bool(is_zero(sp.expand_log(difference, force=True)))

    return Proof(
        claims=("C209",),
        statement=(
            r"$E_\pi r-\beta D_{\mathrm{KL}}(\pi\Vert\pi^0)$ is largest at $\pi^*_j=\pi^0_je^{r_j/\beta}/Z$ and nowhere else. In "
            r"terms of $\pi^*$ the Bradley–Terry loss of $r$ is the DPO loss."
        ),
        hypotheses=("finitely many answers, $\\pi^0_j>0$", r"$\beta>0$", "any policy is allowed"),
        scope="every number of answers by argument; the identity for $K=2,3,4$",
        steps=(
            holds_for(
                r"Put $Z=\sum_j\pi^0_je^{r_j/\beta}$ and collect logarithms.",
                range(2, 5),
                objective_is_a_divergence,
                shown=r"\sum_j\pi_jr_j-\beta\sum_j\pi_j\ln\frac{\pi_j}{\pi^0_j}=\beta\ln Z-\beta\sum_j\pi_j\ln\frac{\pi_j}{\pi^*_j}",
                named="$K=2,3,4$, free rewards, free $\\pi$ and $\\pi^0$",
            ),
            derivative(
                "The function $x-1-\\ln x$ falls before $x=1$ and rises after it: it is 0 there and positive elsewhere.",
                x - 1 - sp.log(x),
                x,
                (x - 1) / x,
            ),
            argument(
                r"With $x_j=\pi^*_j/\pi_j$ the last sum is a mean of such values where $\pi_j>0$, and a little more where some "
                r"$\pi_j=0$. So it is 0 at $\pi=\pi^*$ only, and positive elsewhere.",
            ),
            equal(
                r"Solve $\pi^*_j=\pi^0_je^{r_j/\beta}/Z$ for $r_j$. In a difference $Z$ cancels:",
                sp.expand_log(rewards[0] - rewards[1]),
                beta * (sp.log(first) - sp.log(before[0])) - beta * (sp.log(second) - sp.log(before[1])),
                name="r_+-r_-",
            ),
            equal(
                "so the Bradley–Terry loss of these rewards needs neither $r$ nor $Z$,",
                bradley_terry.expression(*(sp.expand_log(reward) for reward in rewards)),
                softplus(-beta * (sp.log(first / before[0]) - sp.log(second / before[1]))),
                name=r"\ell_{\mathrm{BT}}(r_+,r_-)",
            ),
            equal(
                "and is the DPO loss.",
                dpo.expression(
                    *map(sp.log, (first, second, *before)), beta=beta, label_smoothing=sp.Integer(0)
                ),
                softplus(-beta * (sp.log(first / before[0]) - sp.log(second / before[1]))),
                name=r"\ell_{\mathrm{DPO}}",
            ),
        ),
    )


def strength_moves_the_policy_and_not_the_reward() -> Proof:
    """At the best log ratio βΔ is the log-odds of the choice, whatever β; the policy's odds are their 1/β-th power."""
    beta, chance = STRENGTH, _CHANCE
    stretch, rest = sp.Symbol("k", positive=True), (sp.Integer(0),) * 3
    chosen, rejected = _gain(sp.Integer(0))
    odds = chance / (1 - chance)
    risk = chance * chosen + (1 - chance) * rejected
    one = sp.exp(beta * _GAP) / (1 + sp.exp(beta * _GAP))
    return Proof(
        claims=("C210", "C211"),
        statement=(
            r"Let the first of two answers be chosen with probability $P$, and let $\Delta=\ln\frac{\pi_1}{\pi^0_1}-\ln\frac{\pi_2}"
            r"{\pi^0_2}$. The expected DPO loss is least at $\beta\Delta=\ln\frac P{1-P}$ only: the implied reward does not depend on "
            r"$\beta$, and the policy has the odds $\frac{\pi_1}{\pi_2}=\frac{\pi^0_1}{\pi^0_2}\bigl(\frac P{1-P}\bigr)^{1/\beta}$. "
            r"In a class of log ratios that may be stretched, the best $\beta\Delta$ is the same for every $\beta$."
        ),
        hypotheses=(
            "$0<P<1$",
            r"$\Delta$ is free; for the last sentence, it may be multiplied by every $k>0$",
        ),
        scope=r"every $P$, $\beta>0$ and reference",
        steps=(
            derivative("Differentiate the expected loss.", risk, _GAP, beta * (one - chance)),
            argument(
                r"The fraction $\sigma(\beta\Delta)$ grows with $\Delta$: the slope changes its sign once, where it equals $P$."
            ),
            equal(
                "There",
                sp.simplify(one.subs(_GAP, sp.log(odds) / beta)),
                chance,
                name=r"\sigma(\beta\Delta)\Big|_{\beta\Delta=\ln\frac P{1-P}}",
            ),
            equal(
                r"The policy's odds are those of the reference times $e^\Delta$,",
                sp.exp(sp.log(odds) / beta),
                odds ** (1 / beta),
                name=r"e^\Delta",
            ),
            equal(
                r"which are the odds of the choice for $\beta=1$ and an even reference, in general for no other: for $\beta=\frac12$ and $P=\frac23$ they are",
                (odds ** (1 / beta)).subs({beta: sp.Rational(1, 2), chance: sp.Rational(2, 3)}),
                sp.Integer(4),
                name=r"e^\Delta",
            ),
            equal(
                r"Write the loss of one comparison as $\ell_\beta(\Delta)$. It meets $\beta$ in the product $\beta\Delta$ only, so a "
                r"$\beta$ that is $k$ times smaller is made up for by log ratios stretched by $k$, in every comparison at once.",
                dpo.expression(stretch * _GAP, *rest, beta=beta / stretch, label_smoothing=rest[0]),
                chosen,
                name=r"\ell_{\beta/k}(k\Delta)",
            ),
        ),
    )


def one_sided_comparisons_have_no_best_policy() -> Proof:
    """If one answer always wins, the log ratio grows for ever, whatever β; smoothed labels stop it."""
    beta = STRENGTH
    wrong = sp.Symbol("epsilon", positive=True)
    chosen, _ = _gain(sp.Integer(0))
    smoothed, _ = _gain(wrong)
    falls = beta / (1 + sp.exp(beta * _GAP))
    stated = sp.log((1 - wrong) / wrong) / beta
    return Proof(
        claims=("C211",),
        statement=(
            r"If the first answer is chosen always, the DPO loss falls for all $\Delta$. Descent in $\Delta$ with small "
            r"steps, from 0, for the time $t$, reaches $e^{\beta\Delta}+\beta\Delta=1+\beta^2t$. With smoothing "
            r"$\varepsilon<\frac12$ the loss is least at $\beta\Delta=\ln\frac{1-\varepsilon}\varepsilon$."
        ),
        hypotheses=(r"$\Delta$ is the one free number", r"$\beta>0$"),
        scope=r"every $\beta$ and $t$",
        steps=(
            derivative("The slope is negative everywhere.", chosen, _GAP, -falls),
            equal(
                r"Along the descent $\Delta$ grows at the rate $\frac\beta{1+e^{\beta\Delta}}$, and so",
                sp.diff(sp.exp(beta * _GAP) + beta * _GAP, _GAP) * -sp.diff(chosen, _GAP),
                beta**2,
                name=r"\frac{d}{dt}\bigl(e^{\beta\Delta}+\beta\Delta\bigr)",
            ),
            argument(
                r"From $\Delta=0$ the bracket grows from 1 by $\beta^2t$, without bound, and $\Delta$ with it."
            ),
            equal(
                r"With smoothing the slope at the stated place is 0,",
                sp.simplify(sp.diff(smoothed, _GAP).subs(_GAP, stated)),
                sp.Integer(0),
                name=r"\ell'_\varepsilon\Bigl(\tfrac1\beta\ln\tfrac{1-\varepsilon}\varepsilon\Bigr)",
            ),
            derivative(
                "and grows: there is no other.",
                smoothed,
                _GAP,
                beta**2 * sp.exp(beta * _GAP) / (1 + sp.exp(beta * _GAP)) ** 2,
                order=2,
            ),
        ),
    )


def pairs_of_a_choice_have_its_rewards() -> Proof:
    """Under Luce's axiom, a choice split into comparisons with all that was left has the same best rewards."""

    def risk(rewards: tuple[sp.Symbol, ...], chances: list[sp.Expr]) -> sp.Expr:
        return sp.Add(
            *(
                chances[j] * bradley_terry.expression(rewards[j], rewards[k])
                + chances[k] * bradley_terry.expression(rewards[k], rewards[j])
                for j, k in combinations(range(len(rewards)), 2)
            )
        )

    def chances_of(powers: tuple[sp.Symbol, ...]) -> list[sp.Expr]:
        return [power / sp.Add(*powers) for power in powers]

    def flat_at_the_truth(size: int) -> bool:
        rewards = sp.symbols(f"r_1:{size + 1}", real=True)
        powers = sp.symbols(f"u_1:{size + 1}", positive=True)
        truth = dict(zip(rewards, map(sp.log, powers), strict=True))
        value = risk(rewards, chances_of(powers))
        return all(bool(is_zero(sp.together(sp.diff(value, r).subs(truth)))) for r in rewards)

    def proportional(size: int) -> bool:
        rewards = sp.symbols(f"r_1:{size + 1}", real=True)
        even = dict.fromkeys(rewards, 0)
        pairs = sp.Add(*(bradley_terry.expression(rewards[0], other) for other in rewards[1:]))
        whole = sp.log(sp.Add(*map(sp.exp, rewards))) - rewards[0]
        return all(
            bool(is_zero((sp.diff(pairs, r) - sp.Rational(size, 2) * sp.diff(whole, r)).subs(even)))
            for r in rewards
        )

    m = sp.Symbol("m", real=True)
    return Proof(
        claims=("C212",),
        statement=(
            r"Let answer $j$ of $K$ be chosen with probability $\propto e^{r_j}$. The expected sum of the Bradley–Terry losses of "
            r"the chosen answer against each other one is least at the true rewards, up to a constant, and nowhere else."
        ),
        hypotheses=("Luce's axiom with these rewards", "each chosen answer is compared with all others"),
        scope="every $K$ by argument; slopes for $K=2,3,4$",
        steps=(
            holds_for(
                "The risk is flat at the true rewards.",
                range(2, 5),
                flat_at_the_truth,
                shown=r"\frac{\partial}{\partial r_j}\sum_yP_y\sum_{k\neq y}\ell_{\mathrm{BT}}(r_y,r_k)=0",
                named=_NAMED,
            ),
            derivative(
                "Each loss bends upwards in its difference, so the risk is convex, and strictly but for a constant.",
                bradley_terry.expression(m, sp.Integer(0)),
                m,
                sp.exp(m) / (1 + sp.exp(m)) ** 2,
                order=2,
            ),
            holds_for(
                r"At equal rewards the slopes are those of the softmax, times a number: nothing is lost there.",
                range(2, 5),
                proportional,
                shown=r"\nabla\sum_{k\neq y}\ell_{\mathrm{BT}}(r_y,r_k)=\frac K2\,\nabla\bigl[-\ln\mathrm{softmax}(r)_y\bigr]\quad\text{at }r=0",
                named="$K=2,3,4$",
            ),
            argument(
                "Elsewhere, with three answers or more, they are not in general; and with many data no regular estimate beats the "
                "likelihood of the whole choice."
            ),
        ),
    )
