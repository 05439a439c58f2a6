"""Proofs about decisions with unequal costs: the threshold, the weight, the further test, rare classes, chance in bins."""

from __future__ import annotations

import sympy as sp

from .classification import LOGIT, binary_cross_entropy, cross_entropy, sigmoid, softmax
from .proof import Proof, argument, derivative, equal, holds_for, is_zero, positive, solves

RISK = sp.Symbol("eta", positive=True)
WEIGHT = sp.Symbol("w", positive=True)
MISS, ALARM, PRICE = sp.symbols(r"c_{\mathrm{FN}} c_{\mathrm{FP}} r", positive=True)
_SIZES = range(1, 13)
_CLASSES, _FREE = range(2, 6), "$K=2,…,5$, free probabilities and frequencies"


def unequal_costs_move_the_threshold() -> Proof:
    """Acting is the cheaper action exactly where the risk exceeds c_FP / (c_FP + c_FN)."""
    threshold, gap = ALARM / (ALARM + MISS), sp.Symbol("g", positive=True)
    saved = MISS * RISK - ALARM * (1 - RISK)
    return Proof(
        claims=("C51", "C98", "C221"),
        statement=(
            r"If a missed case costs $c_{\mathrm{FN}}$ and a false alarm $c_{\mathrm{FP}}$, acting has the lower "
            r"expected cost where $\eta>t=\frac{c_{\mathrm{FP}}}{c_{\mathrm{FP}}+c_{\mathrm{FN}}}$, and not acting "
            r"where $\eta<t$."
        ),
        hypotheses=(
            r"$c_{\mathrm{FN}},c_{\mathrm{FP}}>0$, each over and above the cost of the right decision",
            r"$\eta$ is the probability that the case is positive, given all that is known",
        ),
        scope=r"every pair of costs and every probability",
        steps=(
            solves(
                r"Not acting costs $c_{\mathrm{FN}}\eta$ in expectation, acting $c_{\mathrm{FP}}(1-\eta)$. They cost the "
                "same at one risk only:",
                saved,
                RISK,
                threshold,
            ),
            positive(
                "A gap $g$ above it, acting saves",
                saved.subs(RISK, threshold + gap),
                (MISS + ALARM) * gap,
            ),
            positive(
                "and a gap $g$ below it, acting costs as much more.",
                -saved.subs(RISK, threshold - gap),
                (MISS + ALARM) * gap,
            ),
            equal(
                "Read backwards: whoever acts from a risk of $t$ on accepts that many false alarms for each case found.",
                (1 - threshold) / threshold,
                MISS / ALARM,
                name=r"\frac{1-t}{t}",
            ),
        ),
    )


def a_weight_moves_the_probability() -> Proof:
    """Cross-entropy with weight w on the positive class elicits wη / (wη + 1 − η), which passes ½ where η passes 1 / (1 + w)."""
    risk = WEIGHT * RISK * binary_cross_entropy.expression(LOGIT, sp.Integer(1)) + (
        1 - RISK
    ) * binary_cross_entropy.expression(LOGIT, sp.Integer(0))
    best = sp.log(WEIGHT * RISK / (1 - RISK))
    says = WEIGHT * RISK / (WEIGHT * RISK + 1 - RISK)
    odds = sp.Symbol("a", positive=True)
    q = sp.Symbol("q", positive=True)
    back = q / (q + WEIGHT * (1 - q))
    return Proof(
        claims=("C98", "C203", "C221", "C222"),
        statement=(
            r"The risk of cross-entropy with weight $w$ on the positive class is least where the sigmoid of the logit is "
            r"$q=\frac{w\eta}{w\eta+1-\eta}$. So $q>\frac12$ exactly where $\eta>\frac1{1+w}$, and "
            r"$\eta=\frac{q}{q+w(1-q)}$ gives the probability back."
        ),
        hypotheses=("$w>0$ and $0<\\eta<1$", "the minimum over all logits, that is, in the population"),
        scope=r"every weight and every probability inside $(0,1)$",
        steps=(
            derivative(
                r"The conditional risk $w\eta\,\ell(z,1)+(1-\eta)\,\ell(z,0)$ has the slope",
                risk,
                LOGIT,
                (1 - RISK) * sigmoid(LOGIT) - WEIGHT * RISK * sigmoid(-LOGIT),
            ),
            positive(
                r"With $\eta=\frac1{1+a}$ its bend shows that it is strictly convex: where the slope is 0 is its only "
                "minimum.",
                sp.diff(risk, LOGIT, 2).subs(RISK, 1 / (1 + odds)),
                (WEIGHT + odds) / (1 + odds) * sp.exp(LOGIT) / (1 + sp.exp(LOGIT)) ** 2,
            ),
            equal(
                r"The slope is 0 at $z^*=\ln\frac{w\eta}{1-\eta}$.",
                sp.diff(risk, LOGIT).subs(LOGIT, best),
                sp.Integer(0),
                name=r"\text{slope}(z^*)",
            ),
            equal("There the sigmoid says", sigmoid(best), says, name=r"q=\sigma(z^*)"),
            equal(
                r"Against one half it has the sign of $(1+w)\eta-1$, because the denominator is positive.",
                2 * (WEIGHT * RISK + 1 - RISK) * (says - sp.Rational(1, 2)),
                (1 + WEIGHT) * RISK - 1,
                name=r"2\,(w\eta+1-\eta)\left(q-\tfrac12\right)",
            ),
            equal(
                "And the way back undoes the weight.", back.subs(q, says), RISK, name=r"\frac{q}{q+w(1-q)}"
            ),
        ),
    )


def logit_adjustment_asks_for_the_balanced_decision() -> Proof:
    """Cross-entropy on logits plus ln π makes the logits themselves decide as if all classes were equally frequent."""

    def adjusted(size: int) -> tuple[list[sp.Symbol], list[sp.Expr], list[sp.Expr]]:
        """The logits, the logits with ln π added, and free probabilities of the classes."""
        logits = list(sp.symbols(f"z_1:{size + 1}", real=True))
        frequencies = sp.symbols(r"\pi_1:" + str(size + 1), positive=True)
        weights = sp.symbols(f"h_1:{size + 1}", positive=True)
        shifted = [z + sp.log(share) for z, share in zip(logits, frequencies)]
        return logits, shifted, [weight / sp.Add(*weights) for weight in weights]

    def slopes_are_prediction_minus_truth(size: int) -> bool:
        logits, shifted, eta = adjusted(size)
        odds = dict(zip(logits, map(sp.log, sp.symbols(f"u_1:{size + 1}", positive=True))))
        slopes = (sp.diff(cross_entropy.expression(shifted, eta), z) for z in logits)
        gaps = (slope - p + chance for slope, p, chance in zip(slopes, softmax(shifted), eta))
        return all(bool(is_zero(sp.together(gap.subs(odds)))) for gap in gaps)

    def reaches_the_truth_at_the_ratio(size: int) -> bool:
        logits, shifted, eta = adjusted(size)
        shift = sp.Symbol("c", real=True)
        ratio = {z: sp.log(chance) - (moved - z) + shift for z, moved, chance in zip(logits, shifted, eta)}
        said = softmax([moved.subs(ratio) for moved in shifted])
        return all(bool(is_zero(p - chance)) for p, chance in zip(said, eta))

    own, other, whole = sp.symbols("r_k r_j S", positive=True)
    return Proof(
        claims=("C98",),
        statement=(
            r"Let $\pi_k$ be the frequency of class $k$ in training. The risk of cross-entropy on the adjusted logits "
            r"$z+\ln\pi$ is least at $z_k=\ln\frac{\eta_k}{\pi_k}+c$. Then the largest $z_k$ names the decision of least balanced "
            r"error, the error in which every class counts the same."
        ),
        hypotheses=(
            r"all $\eta_k,\pi_k>0$; the minimum is over all logits, that is, in the population",
            r"$\eta$ and $\pi$ belong to one distribution",
        ),
        scope=r"every $K$ by argument; the gradient and its zero for $K=2,…,5$",
        steps=(
            holds_for(
                "In the logits the conditional risk pulls with prediction minus truth.",
                _CLASSES,
                slopes_are_prediction_minus_truth,
                shown=r"\frac{\partial}{\partial z_k}\sum_j\eta_j\,\ell(z+\ln\pi,e_j)=\mathrm{softmax}(z+\ln\pi)_k-\eta_k",
                named=_FREE,
            ),
            holds_for(
                "It is convex, so it is least where the pull ends: where the adjusted logits give $\\eta$ itself.",
                _CLASSES,
                reaches_the_truth_at_the_ratio,
                shown=r"z_k=\ln\frac{\eta_k}{\pi_k}+c",
                named=_FREE,
            ),
            argument(
                r"The balanced error is an error in which one of class $k$ costs $\frac1{K\pi_k}$: a cost for each class.",
                r"\frac1K\sum_kP(\hat y\neq k\mid Y=k)=E\Bigl[\sum_{k\neq\hat y(X)}\frac{\eta_k(X)}{K\pi_k}\Bigr]",
            ),
            equal(
                r"Write $r_k=\frac{\eta_k}{\pi_k}$ and $S$ for their sum. Deciding for $k$ leaves $S-r_k$ to pay, so the largest "
                "ratio, which has the largest $z_k$, is the cheapest: against it $j$ costs more by",
                (whole - other) - (whole - own),
                own - other,
                name="(S-r_j)-(S-r_k)",
            ),
            argument(
                r"Plain cross-entropy has its minimum at $\ln\eta_k+c$. Subtracting $\ln\pi_k$ after training gives the same $z$."
            ),
        ),
    )


def a_further_test_pays_between_two_thresholds() -> Proof:
    """A third action of fixed cost r is the cheapest exactly between r / c_FN and 1 − r / c_FP."""
    low, high = PRICE / MISS, 1 - PRICE / ALARM
    dearest = MISS * ALARM / (MISS + ALARM)
    gap = sp.Symbol("g", positive=True)
    return Proof(
        claims=("C223",),
        statement=(
            r"If a further test settles the case at the price $r$, it has the lowest expected cost exactly for "
            r"$\frac r{c_{\mathrm{FN}}}\leq\eta\leq1-\frac r{c_{\mathrm{FP}}}$. Such risks exist if and only if "
            r"$r\leq\frac{c_{\mathrm{FN}}c_{\mathrm{FP}}}{c_{\mathrm{FN}}+c_{\mathrm{FP}}}$."
        ),
        hypotheses=(
            r"$c_{\mathrm{FN}},c_{\mathrm{FP}},r>0$, the same for every case",
            "the test is always right, and its price contains all that it does to the patient",
        ),
        scope="every triple of costs",
        steps=(
            solves("Not acting is as dear as the test at one risk,", MISS * RISK - PRICE, RISK, low),
            derivative("and the more it costs above it.", MISS * RISK - PRICE, RISK, MISS),
            solves("Acting is as dear as the test at another,", ALARM * (1 - RISK) - PRICE, RISK, high),
            derivative("and the more it costs below it.", ALARM * (1 - RISK) - PRICE, RISK, -ALARM),
            equal(
                "The band between them has the width",
                high - low,
                (dearest - PRICE) * (1 / ALARM + 1 / MISS),
                name=r"1-\frac r{c_{\mathrm{FP}}}-\frac r{c_{\mathrm{FN}}}",
            ),
            positive(
                "At a price $g$ below the bound the band is there,",
                (high - low).subs(PRICE, dearest - gap),
                gap * (1 / ALARM + 1 / MISS),
            ),
            positive(
                "and at a price $g$ above it its ends have changed places, so it is empty.",
                (low - high).subs(PRICE, dearest + gap),
                gap * (1 / ALARM + 1 / MISS),
            ),
            equal(
                "At the bound it is one point, the threshold of the decision without a test.",
                low.subs(PRICE, dearest),
                ALARM / (ALARM + MISS),
                name=r"\frac r{c_{\mathrm{FN}}}",
            ),
            equal(
                r"With a miss at $10$, an alarm at $1$ and a test at $\frac12$ the band is far from the middle: from",
                low.subs({PRICE: sp.Rational(1, 2), MISS: 10, ALARM: 1}),
                sp.Rational(1, 20),
                name=r"\frac r{c_{\mathrm{FN}}}",
            ),
            equal(
                "up to",
                high.subs({PRICE: sp.Rational(1, 2), MISS: 10, ALARM: 1}),
                sp.Rational(1, 2),
                name=r"1-\frac r{c_{\mathrm{FP}}}",
            ),
        ),
    )


def net_benefit_is_the_cost_in_other_units() -> Proof:
    """The net benefit at t = c_FP / (c_FP + c_FN) is the prevalence less the mean cost over c_FN."""
    hits, alarms, misses = sp.symbols(r"\mathrm{TP} \mathrm{FP} \mathrm{FN}", nonnegative=True)
    n = sp.Symbol("n", positive=True)
    threshold = ALARM / (ALARM + MISS)
    benefit = hits / n - alarms / n * threshold / (1 - threshold)
    cost = (MISS * misses + ALARM * alarms) / n
    return Proof(
        claims=("C51",),
        statement=(
            r"The net benefit $\frac{\mathrm{TP}}n-\frac{\mathrm{FP}}n\cdot\frac t{1-t}$ at "
            r"$t=\frac{c_{\mathrm{FP}}}{c_{\mathrm{FP}}+c_{\mathrm{FN}}}$ is the prevalence less the mean cost of a "
            r"patient in units of $c_{\mathrm{FN}}$: ranking rules by either gives the same order."
        ),
        hypotheses=(r"$c_{\mathrm{FN}},c_{\mathrm{FP}}>0$", "right decisions cost nothing"),
        scope="every table of right and wrong decisions and every pair of costs",
        steps=(
            equal(
                "The odds of the threshold are the ratio of the costs.",
                threshold / (1 - threshold),
                ALARM / MISS,
            ),
            equal(
                r"The positive cases are those found and those missed, so the prevalence is "
                r"$\frac{\mathrm{TP}+\mathrm{FN}}n$, and",
                (hits + misses) / n - cost / MISS,
                benefit,
                name=r"\frac{\mathrm{TP}+\mathrm{FN}}n-\frac{\text{cost}}{c_{\mathrm{FN}}}",
            ),
            argument(
                "The prevalence is the same for all rules, so the order of the rules is that of their costs, reversed."
            ),
        ),
    )


def chance_alone_makes_a_calibration_error() -> Proof:
    """The frequency in a bin strays from a right probability, and its expected distance has de Moivre's closed form."""
    p = sp.Symbol("p", positive=True)

    def distance(n: int, pieces_below: int) -> sp.Expr:
        """E|S/n − p| for S binomial, where ``pieces_below`` counts the values k with k ≤ n p."""
        law = [sp.binomial(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
        return sp.Add(
            *((p - sp.Rational(k, n)) * (1 if k < pieces_below else -1) * law[k] for k in range(n + 1))
        )

    def closed(n: int, m: int) -> sp.Expr:
        return 2 * sp.Rational(m, n) * sp.binomial(n, m) * p**m * (1 - p) ** (n - m + 1)

    def de_moivre(case: tuple[int, int]) -> bool:
        return bool(is_zero(sp.expand(distance(*case) - closed(*case))))

    odds, factor, m, rest = sp.symbols("a C m k", positive=True)
    return Proof(
        claims=("C224",),
        statement=(
            r"Let $S$ be binomial with $n$ trials and the probability $0<p<1$. A forecast of $p$ is exactly right, and "
            r"still $E\left|\frac Sn-p\right|=\frac{2m}n\binom nmp^m(1-p)^{n-m+1}>0$ with $m=\lfloor np\rfloor+1$. So "
            "the expected calibration error of a calibrated forecast, measured on finitely many cases, is not 0."
        ),
        hypotheses=(
            "the cases of a bin are independent and share one probability, which the forecast states",
        ),
        scope=r"$n=1,…,12$ and every $p$; that it is positive, for every $n$",
        steps=(
            equal(
                "One case in a bin is off by its distance from a right answer:",
                distance(1, 1),
                2 * p * (1 - p),
                name=r"E|S-p|",
            ),
            holds_for(
                "For more cases the sum over the binomial law collapses, on each piece $m-1\\leq np<m$.",
                [(n, m) for n in _SIZES for m in range(1, n + 1)],
                de_moivre,
                shown=r"E\left|\tfrac Sn-p\right|=\tfrac{2m}n\tbinom nmp^m(1-p)^{n-m+1}",
                named="$n=1,…,12$ and every piece, with $p$ as a symbol",
            ),
            positive(
                r"It is a positive factor $C$ times powers of $p=\frac1{1+a}$ and of $1-p$.",
                (factor * p**m * (1 - p) ** rest).subs(p, 1 / (1 + odds)),
                factor * odds**rest / (1 + odds) ** (m + rest),
            ),
            argument(
                r"For every $n$: a distance has mean 0 only if it is 0 with certainty, but $\frac Sn$ takes several "
                "values. The calibration error is the mean of these distances over the bins, weighted by their cases: a "
                "mean of positive numbers."
            ),
        ),
    )
