"""What labels that are flipped at random do to a risk, and which losses that leaves in place."""

from __future__ import annotations

import sympy as sp

from .margins import logistic
from .proof import Proof, argument, derivative, equal, holds_for, is_zero, positive
from .robust import by_label, chances, forward_corrected_cross_entropy, generalized_cross_entropy

_ODDS, _Q = sp.symbols("r q", positive=True)
_SIZES = range(2, 6)
_NAMED = "$K=2,…,5$ with free probabilities"


def absolute_error_tolerates_even_flips() -> Proof:
    """At q = 1 evenly flipped labels rescale and shift the risk: over any class of models the minimiser stays."""
    rate = sp.Symbol(r"\rho", positive=True)
    t = sp.Symbol("t", positive=True)

    def splits(size: int) -> bool:
        losses = sp.symbols(f"L_1:{size + 1}", real=True)
        whole = sp.Add(*losses)
        noisy = (1 - rate) * losses[0] + rate / (size - 1) * (whole - losses[0])
        scale = 1 - rate * sp.Integer(size) / (size - 1)
        return bool(is_zero(noisy - scale * losses[0] - rate / (size - 1) * whole))

    def sums_to_constant(size: int) -> bool:
        return bool(is_zero(sp.Add(*by_label(size, sp.Integer(1))) - (size - 1)))

    classes = sp.Symbol("K", positive=True)
    return Proof(
        claims=("C69",),
        statement=(
            r"Let each label be replaced, with probability $\rho$, by one of the $K-1$ others, all alike. With the loss $1-p_j$ "
            r"the noisy risk is $\tilde R=\bigl(1-\frac{\rho K}{K-1}\bigr)R+\rho$. So for $\rho<\frac{K-1}K$ the two risks "
            r"have the same minimisers over any set of models."
        ),
        hypotheses=("flips depend neither on $x$ nor on the class", r"$\rho<\frac{K-1}K$"),
        scope="any hypothesis class, any distribution; the identities for $K=2,…,5$",
        steps=(
            holds_for(
                "Weigh what the labels cost by their chances, and collect.",
                _SIZES,
                splits,
                shown=r"(1-\rho)\,\ell_y+\frac{\rho}{K-1}\sum_{k\neq y}\ell_k=\Bigl(1-\frac{\rho K}{K-1}\Bigr)\ell_y+\frac{\rho}{K-1}\sum_k\ell_k",
                named="$K=2,…,5$, free costs",
            ),
            holds_for(
                "For $\\ell_k=1-p_k$ the last sum is the same for every prediction.",
                _SIZES,
                sums_to_constant,
                shown=r"\sum_k(1-p_k)=K-1",
                named=_NAMED,
            ),
            positive(
                r"The factor of $R$ is positive below the bound: put $\rho=\frac{K-1}K\cdot\frac{1}{1+t}$.",
                1 - (classes - 1) / classes / (1 + t) * classes / (classes - 1),
                t / (1 + t),
            ),
            argument(
                "Averaged over $x$: an increasing straight-line function of $R$ orders all models as $R$ does.",
                r"\tilde R(f)=\Bigl(1-\frac{\rho K}{K-1}\Bigr)R(f)+\rho",
            ),
        ),
    )


def sum_over_labels_of_generalized_cross_entropy() -> Proof:
    """For q < 1 the sum over the labels is not constant but lies between two bounds, which bound the harm of flips."""
    p = sp.Symbol("p", positive=True)
    size = sp.Symbol("K", positive=True)

    def total_of(k: int) -> bool:
        powers = sp.Add(*(p_j**_Q for p_j in chances(k)))
        return bool(is_zero(sp.Add(*by_label(k, _Q)) - (k - powers) / _Q))

    return Proof(
        claims=("C69",),
        statement=(
            r"For $0<q\leq1$, $\frac{K-K^{1-q}}q\leq\sum_jL_q(p,j)\leq\frac{K-1}q$. So a minimiser $\tilde f$ of the noisy risk has "
            r"$R(\tilde f)-\min R\leq\frac{\rho}{K-1-\rho K}\cdot\frac{K^{1-q}-1}q$, which is 0 at $q=1$."
        ),
        hypotheses=(r"even flips of rate $\rho<\frac{K-1}K$", "the minimum over the same class of models"),
        scope="every $K$ by argument; the first identity for $K=2,…,5$",
        steps=(
            holds_for(
                "Add the losses of all labels.",
                _SIZES,
                total_of,
                shown=r"\sum_jL_q(p,j)=\frac{K-\sum_jp_j^q}{q}",
                named=_NAMED,
            ),
            argument(
                "A power below 1 lifts numbers between 0 and 1: the sum of powers is at least 1.",
                r"\sum_jp_j^q\geq\sum_jp_j=1",
            ),
            derivative(r"The power bends down for $q<1$:", p**_Q, p, _Q * (_Q - 1) * p ** (_Q - 2), order=2),
            equal(
                "so equal probabilities have the largest sum of powers,",
                size * (1 / size) ** _Q,
                size ** (1 - _Q),
                name=r"K\cdot\Bigl(\frac1K\Bigr)^q",
            ),
            argument(
                r"Write $\tilde R=aR+bS$ with $a=1-\frac{\rho K}{K-1}$, $b=\frac\rho{K-1}$ and $S$ the mean of the sum. From "
                r"$\tilde R(\tilde f)\leq\tilde R(f)$ for the clean minimiser $f$,",
                r"R(\tilde f)-R(f)\leq\frac ba\,\bigl(S(f)-S(\tilde f)\bigr)\leq\frac{\rho}{K-1-\rho K}\cdot\frac{K^{1-q}-1}{q}",
            ),
        ),
    )


def even_flips_keep_the_order() -> Proof:
    """Even flips pull every class probability towards 1/K by one factor: with free models the argmax survives."""
    rate, eta, other = sp.symbols(r"\rho \eta \eta'", positive=True)
    size = sp.Symbol("K", positive=True)

    def seen(chance: sp.Expr) -> sp.Expr:
        return (1 - rate) * chance + rate / (size - 1) * (1 - chance)

    m = sp.Symbol("m", real=True)
    both = logistic.expression(m, sp.Integer(1)) + logistic.expression(m, sp.Integer(-1))
    sigmoid_loss = [
        generalized_cross_entropy.expression((m, sp.Integer(0)), target, q=sp.Integer(1))
        for target in ((1, 0), (0, 1))
    ]
    return Proof(
        claims=("C62", "C69"),
        statement=(
            r"Even flips of rate $\rho<\frac{K-1}K$ change $\eta_k$ into $\tilde\eta_k$ with "
            r"$\tilde\eta_k-\frac1K=\bigl(1-\frac{\rho K}{K-1}\bigr)\bigl(\eta_k-\frac1K\bigr)$: the order of the classes stays. Of two "
            r"classes, a loss with $\ell(m)+\ell(-m)$ constant tolerates them over any set of models; the logistic loss has no such sum."
        ),
        hypotheses=("flips depend neither on $x$ nor on the class",),
        scope="every $K$",
        steps=(
            equal(
                "A class is seen when it is kept, or when another is flipped into it.",
                seen(eta) - 1 / size,
                (1 - rate * size / (size - 1)) * (eta - 1 / size),
                name=r"(1-\rho)\,\eta_k+\frac{\rho}{K-1}(1-\eta_k)-\frac1K",
            ),
            equal(
                "So differences shrink by one factor, and keep their sign.",
                seen(eta) - seen(other),
                (1 - rate * size / (size - 1)) * (eta - other),
                name=r"\tilde\eta_k-\tilde\eta_l",
            ),
            equal(
                r"Two classes with the logits $(m,0)$: $L_1$ is the sigmoid loss $\sigma(-m)$, and summed over both labels",
                sp.Add(*sigmoid_loss),
                sp.Integer(1),
                name=r"\sigma(-m)+\sigma(m)",
            ),
            derivative(
                "The logistic loss sums to something that grows with $|m|$.",
                both,
                m,
                (sp.exp(m) - 1) / (sp.exp(m) + 1),
            ),
        ),
    )


def forward_correction_recovers_the_truth() -> Proof:
    """With the right transition matrix the expected loss on flipped labels is least at the clean probabilities."""
    eta, p = sp.symbols(r"\eta p", positive=True)
    a, b = sp.symbols("a b", positive=True)
    r = _ODDS
    table = ((1 - b, b), (a, 1 - a))
    chance = r / (1 + r)
    seen_1 = (1 - eta) * a + eta * (1 - b)
    said_1 = (1 - chance) * a + chance * (1 - b)
    logits = (sp.log(r), sp.Integer(0))
    if_one, if_zero = (
        forward_corrected_cross_entropy.expression(logits, seen, transition=table)
        for seen in ((1, 0), (0, 1))
    )
    risk = seen_1 * if_one + (1 - seen_1) * if_zero
    slope = (1 - a - b) ** 2 * (chance - eta) / (said_1 * (1 - said_1)) / (1 + r) ** 2
    flipped, certain = sp.Rational(1, 5), sp.Integer(1)
    return Proof(
        claims=("C69",),
        statement=(
            r"Class 0 is labelled 1 with probability $a$, class 1 is labelled 0 with probability $b$, $a+b\neq1$. The corrected loss "
            r"$-\ln(pT)_y$ is least, in expectation over the flipped labels, at $p=\eta$. Without $T$ nothing can tell flips from doubt."
        ),
        hypotheses=("flips depend on the class, not on $x$", "$T$ is known and invertible"),
        scope=r"two classes, free $\eta$, $a$ and $b$",
        steps=(
            equal(
                "Differentiate the expected loss in the odds $r=p/(1-p)$.",
                sp.diff(risk, r),
                slope,
                name=r"\frac{\partial}{\partial r}E\left[-\ln(pT)_{\tilde y}\right]",
            ),
            argument(r"All factors but $p-\eta$ are positive: the slope changes its sign at $p=\eta$ only."),
            equal(
                r"Now let $T$ be unknown. A certain class flipped with $b=\frac15$ is seen as 1 with probability",
                seen_1.subs({eta: certain, b: flipped}),
                sp.Rational(4, 5),
                name=r"\tilde\eta",
            ),
            equal(
                r"and so is a class of probability $\frac45$ that nobody flips: the labels are the same.",
                seen_1.subs({eta: sp.Rational(4, 5), a: 0, b: 0}),
                sp.Rational(4, 5),
                name=r"\tilde\eta",
            ),
        ),
    )
