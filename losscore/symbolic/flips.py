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

    m, cost, whole = sp.symbols(r"m \ell c", real=True)
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
            r"classes, a loss with $\ell(m)+\ell(-m)=c$ for every $m$ tolerates them over any set of models; the logistic loss has no such sum."
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
                r"Two classes, $\rho<\frac12$: if the losses of both labels add up to $c$, the noisy risk is an increasing straight "
                "line in the clean one, and orders all models alike.",
                (1 - rate) * cost + rate * (whole - cost),
                (1 - 2 * rate) * cost + rate * whole,
                name=r"(1-\rho)\,\ell(m)+\rho\,\ell(-m)",
            ),
            equal(
                r"With the logits $(m,0)$ the loss $L_1$ is the sigmoid loss $\sigma(-m)$, and summed over both labels",
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
            r"$-\ln(pT)_{\tilde y}$ is least, in expectation over the flipped labels, at $p=\eta$. Without $T$ nothing can tell flips from doubt."
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


def forward_correction_is_proper() -> Proof:
    """For every number of classes the corrected loss is least at the truth; a wrong matrix moves it in a known way."""
    eta, believed, rate = sp.symbols(r"\eta a b", positive=True)
    x = sp.Symbol("x", positive=True)
    moved = ((1 - 2 * rate) * eta + rate - believed) / (1 - 2 * believed)

    def flips(size: int) -> sp.Matrix:
        weights = sp.Matrix(size, size, sp.symbols(f"t_1:{size * size + 1}", positive=True))
        return sp.Matrix(size, size, lambda i, j: weights[i, j] / sp.Add(*weights.row(i)))

    def is_the_surprise(size: int) -> bool:
        table, said = flips(size), sp.Matrix([chances(size)])
        logits = [sp.log(chance) for chance in chances(size)]
        seen = [int(j == size - 1) for j in range(size)]
        loss = forward_corrected_cross_entropy.expression(logits, seen, transition=table.tolist())
        return bool(is_zero(sp.together(sp.exp(-loss) - (said * table)[size - 1])))

    def sums_to_one(size: int) -> bool:
        return bool(is_zero(sp.together(sp.Add(*(sp.Matrix([chances(size)]) * flips(size))) - 1)))

    return Proof(
        claims=("C242",),
        statement=(
            r"Let a label of class $i$ be replaced by $j$ with probability $T_{ij}$, and let $\tilde\eta=\eta T$ be the law of the "
            r"labels that are seen. The expected loss $E\left[-\ln(pT)_{\tilde y}\right]$ exceeds its least value by a sum that is "
            r"0 only where $pT=\eta T$: if $T$ is invertible, at $p=\eta$ and nowhere else."
        ),
        hypotheses=(
            "given the class, flips do not depend on $x$",
            "$T$ is known, its rows sum to 1, and it is invertible",
            r"all entries of $\eta T$ are positive",
        ),
        scope="every number of classes by argument; the identities for $K=2,3,4$",
        steps=(
            holds_for(
                "The loss is the surprise at the label that is seen.",
                range(2, 5),
                is_the_surprise,
                shown=r"e^{-\ell(p,j)}=(pT)_j=\sum_ip_iT_{ij}",
                named="$K=2,3,4$, free probabilities and free $T$",
            ),
            holds_for(
                r"As the rows of $T$ sum to 1, $pT$ is a forecast of that label,",
                range(2, 5),
                sums_to_one,
                shown=r"\sum_j(pT)_j=1",
                named="$K=2,3,4$, free probabilities and free $T$",
            ),
            derivative(
                r"The function $x-1-\ln x$ falls before $x=1$ and rises after it: it is 0 there and positive elsewhere.",
                x - 1 - sp.log(x),
                x,
                (x - 1) / x,
            ),
            argument(
                r"With $x_j=(pT)_j/\tilde\eta_j$ what is paid beyond the least is a mean of such terms, because the $x_j-1$ "
                r"cancel. It is 0 only if all $x_j=1$, that is $pT=\eta T$; an invertible $T$ leaves $p=\eta$.",
                r"\sum_j\tilde\eta_j\ln\frac{\tilde\eta_j}{(pT)_j}=\sum_j\tilde\eta_j\,(x_j-1-\ln x_j)\geq0",
            ),
            equal(
                r"Now a wrong matrix: two classes, flips at the rate $b$, believed to be $a\neq\frac12$. Forecast and label agree at "
                r"one $p=\frac{(1-2b)\eta+b-a}{1-2a}$, if that is a probability, because there",
                (1 - 2 * believed) * moved + believed,
                (1 - 2 * rate) * eta + rate,
                name="(1-2a)\\,p+a",
            ),
        ),
    )


def noisy_accuracy_orders_models() -> Proof:
    """Under even flips accuracy on noisy labels is an increasing line in the clean one; under others it need not be."""
    rate, accuracy, size, t = sp.symbols(r"\rho a K t", positive=True)
    factor = 1 - rate * size / (size - 1)

    def measured(right: sp.Rational, misled: sp.Rational) -> sp.Expr:
        flipped = sp.Rational(35, 100)
        return (1 - flipped) * right + flipped * misled

    return Proof(
        claims=("C243",),
        statement=(
            r"Let a model have the accuracy $a$. On labels with even flips of rate $\rho$ its accuracy is "
            r"$\frac\rho{K-1}+\bigl(1-\frac{\rho K}{K-1}\bigr)a$ in expectation. For $\rho<\frac{K-1}K$ this orders all models as "
            "$a$ does. With flips to one other class it need not."
        ),
        hypotheses=(
            "flips depend neither on $x$ nor on the class, in the first part",
            "the model has not been trained on these labels",
        ),
        scope="every $K$, every rate and every model",
        steps=(
            equal(
                "A right answer is confirmed if its label was kept; a wrong one if the flip went just there.",
                (1 - rate) * accuracy + rate / (size - 1) * (1 - accuracy),
                rate / (size - 1) + factor * accuracy,
                name=r"(1-\rho)\,a+\frac{\rho}{K-1}(1-a)",
            ),
            positive(
                r"The factor is positive below the bound: put $\rho=\frac{K-1}K\cdot\frac1{1+t}$.",
                factor.subs(rate, (size - 1) / size / (1 + t)),
                t / (1 + t),
            ),
            equal(
                r"Now let $\frac{35}{100}$ of the labels name the next class. A model that is right on $\frac8{10}$ and never "
                "names the next class measures",
                measured(sp.Rational(8, 10), sp.Integer(0)),
                sp.Rational(52, 100),
                name=r"\frac{65}{100}\cdot\frac8{10}",
            ),
            equal(
                r"and one that is right on $\frac7{10}$ and names the next class on the rest measures more.",
                measured(sp.Rational(7, 10), sp.Rational(3, 10)),
                sp.Rational(56, 100),
                name=r"\frac{65}{100}\cdot\frac7{10}+\frac{35}{100}\cdot\frac3{10}",
            ),
        ),
    )
