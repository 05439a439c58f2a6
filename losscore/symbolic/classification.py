"""Classification losses of logits: definitions, then proofs.

Targets of several classes are distributions q (one-hot for a label); binary targets are y in [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from .definition import CLASSES, Definition, Vector, total
from .proof import Proof, equal, holds_for, is_zero, limit, positive, solves

LOGITS, TARGETS = sp.IndexedBase("z", real=True), sp.IndexedBase("q", real=True)
LOGIT, LABEL = sp.symbols("z y", real=True)


def log_sum_exp(z: Vector) -> sp.Expr:
    return sp.log(total(sp.exp, z, index="j"))


def _ranked_probability(z: Vector, q: Vector) -> sp.Expr:
    if isinstance(z, sp.IndexedBase):
        m, k, j = sp.symbols("m k j", integer=True, positive=True)
        p = sp.exp(z[k]) / sp.Sum(sp.exp(z[j]), (j, 1, CLASSES))
        return sp.Sum(sp.Sum(p - q[k], (k, 1, m)) ** 2, (m, 1, CLASSES))
    errors = [p_k - q_k for p_k, q_k in zip(softmax(z), q, strict=True)]
    return sp.Add(*(sp.Add(*errors[: m + 1]) ** 2 for m in range(len(errors))))


def softmax(z: Vector) -> list[sp.Expr]:
    """The K probabilities of a sequence of logits."""
    normaliser = total(sp.exp, z)
    return [sp.exp(z_k) / normaliser for z_k in z]


def sigmoid(z: sp.Expr) -> sp.Expr:
    return 1 / (1 + sp.exp(-z))


def softplus(z: sp.Expr) -> sp.Expr:
    return sp.log(1 + sp.exp(z))


cross_entropy = Definition(
    "cross_entropy",
    lambda z, q: total(lambda z_k, q_k: q_k * (log_sum_exp(z) - z_k), z, q),
    (LOGITS, TARGETS),
)
binary_cross_entropy = Definition("binary_cross_entropy", lambda z, y: softplus(z) - y * z, (LOGIT, LABEL))
brier = Definition(
    "brier",
    lambda z, q: total(lambda z_k, q_k: (sp.exp(z_k) / total(sp.exp, z, index="j") - q_k) ** 2, z, q),
    (LOGITS, TARGETS),
)
spherical = Definition(
    "spherical",
    lambda z, q: total(
        lambda z_k, q_k: q_k * (1 - sp.exp(z_k) / sp.sqrt(total(lambda z_j: sp.exp(2 * z_j), z, index="j"))),
        z,
        q,
    ),
    (LOGITS, TARGETS),
)
ranked_probability = Definition("ranked_probability", _ranked_probability, (LOGITS, TARGETS))
binary_brier = Definition("binary_brier", lambda z, y: (sigmoid(z) - y) ** 2, (LOGIT, LABEL))


def _vectors(size: int) -> tuple[tuple[sp.Symbol, ...], tuple[sp.Symbol, ...]]:
    return sp.symbols(f"z_1:{size + 1}", real=True), sp.symbols(f"q_1:{size + 1}", positive=True)


def _entropy(q: Sequence[sp.Expr]) -> sp.Expr:
    return -total(lambda q_k: q_k * sp.log(q_k), q)


def _cross_entropy_of_probabilities(q: Sequence[sp.Expr], p: Sequence[sp.Expr]) -> sp.Expr:
    return -total(lambda q_k, p_k: q_k * sp.log(p_k), q, p)


_SIZES = range(2, 7)
_NAMED = "$K=2,…,6$ with free symbols"


def softmax_makes_a_distribution() -> Proof:
    """Softmax sums to 1, ignores a common shift, and has the Jacobian diag p − ppᵀ of rank K − 1."""
    shift = sp.Symbol("c", real=True)

    def sums_to_one(size: int) -> bool:
        return bool(is_zero(sp.Add(*softmax(_vectors(size)[0])) - 1))

    def ignores_a_shift(size: int) -> bool:
        z, _ = _vectors(size)
        return all(is_zero(a - b) for a, b in zip(softmax([x + shift for x in z]), softmax(z)))

    def jacobian(size: int) -> bool:
        z, _ = _vectors(size)
        p = sp.Matrix(softmax(z))
        return all(is_zero(entry) for entry in p.jacobian(list(z)) - (sp.diag(*p) - p * p.T))

    def loses_one_rank(size: int) -> bool:
        p = sp.Matrix(sp.symbols(f"p_1:{size + 1}", positive=True))
        p[-1] = 1 - sp.Add(*p[:-1])
        matrix = sp.diag(*p) - p * p.T
        minor = matrix[: size - 1, : size - 1]
        return sp.simplify(matrix * sp.ones(size, 1)) == sp.zeros(size, 1) and bool(
            is_zero(minor.det() - sp.prod(p))
        )

    return Proof(
        claims=("C21",),
        statement=(
            r"$p=\mathrm{softmax}(z)$ lies strictly inside the simplex, does not change under $z+c\mathbf 1$, and has "
            r"the Jacobian $\operatorname{diag}p-pp^\top$ of rank $K-1$: the logits are not identifiable."
        ),
        hypotheses=("finite logits, $K\\geq2$", "exact arithmetic"),
        scope="K = 2…6",
        steps=(
            positive(
                "Each component is positive, as a quotient of positive numbers.", softmax(_vectors(2)[0])[0]
            ),
            holds_for(
                "They add to 1, so each is below 1.", _SIZES, sums_to_one, shown=r"\sum_kp_k=1", named=_NAMED
            ),
            holds_for(
                "A shift multiplies numerator and denominator by the same factor.",
                _SIZES,
                ignores_a_shift,
                shown=r"\mathrm{softmax}(z+c\mathbf 1)=\mathrm{softmax}(z)",
                named=_NAMED,
            ),
            holds_for(
                "The derivative of one probability in one logit is",
                _SIZES,
                jacobian,
                shown=r"\frac{\partial p_k}{\partial z_j}=p_k\,(1[k=j]-p_j)",
                named=_NAMED,
            ),
            holds_for(
                "Its rows add to 0, and a minor of size $K-1$ has the determinant $p_1\\cdots p_K>0$: the rank is $K-1$.",
                _SIZES,
                loses_one_rank,
                shown=r"(\operatorname{diag}p-pp^\top)\mathbf 1=0,\qquad\det M_{K-1}=\prod_kp_k",
                named=_NAMED,
            ),
        ),
    )


def gradient_is_prediction_minus_target() -> Proof:
    """The gradient of cross-entropy in the logits is p − q."""

    def residual(size: int) -> bool:
        z, q = _vectors(size)
        closed = [*q[:-1], 1 - sp.Add(*q[:-1])]
        loss = cross_entropy.expression(z, closed)
        return all(is_zero(sp.diff(loss, z_k) - (p_k - q_k)) for z_k, p_k, q_k in zip(z, softmax(z), closed))

    z, y = LOGIT, LABEL
    return Proof(
        claims=("C22",),
        statement=r"In the logits, cross-entropy pulls with exactly what the prediction lacks: $\nabla_z\ell=p-q$.",
        hypotheses=(r"$\sum_kq_k=1$",),
        scope="K = 2…6 and the binary form",
        steps=(
            holds_for(
                "Differentiate the definition in each logit.",
                _SIZES,
                residual,
                shown=r"\frac{\partial}{\partial z_k}\,\ell(z,q)=\mathrm{softmax}(z)_k-q_k",
                named=_NAMED,
            ),
            equal(
                "For two classes and one logit,",
                sp.diff(binary_cross_entropy.expression(z, y), z),
                sigmoid(z) - y,
                name=r"\frac{\partial}{\partial z}\,\ell(z,y)",
            ),
        ),
    )


def cross_entropy_is_entropy_plus_divergence() -> Proof:
    """Cross-entropy to a target q is the entropy of q plus the KL divergence from q to p."""

    def splits(size: int) -> bool:
        q, p = (sp.symbols(f"{name}_1:{size + 1}", positive=True) for name in "qp")
        divergence = total(lambda q_k, p_k: q_k * sp.log(q_k / p_k), q, p)
        return bool(is_zero(_cross_entropy_of_probabilities(q, p) - _entropy(q) - divergence))

    half = (sp.Rational(1, 2), sp.Rational(1, 2))
    uneven = (sp.Rational(3, 4), sp.Rational(1, 4))
    forward, backward = (
        _cross_entropy_of_probabilities(a, b) - _entropy(a) for a, b in ((half, uneven), (uneven, half))
    )
    return Proof(
        claims=("C24",),
        statement=(
            r"$H(q,p)=H(q)+D_{KL}(q\|p)$. Cross-entropy measures the difference of $p$ from $q$ only up to the "
            r"entropy of $q$, and the divergence is not symmetric."
        ),
        hypotheses=(r"$q_k,p_k>0$",),
        scope="K = 2…6",
        steps=(
            holds_for(
                "Add and subtract $\\sum_kq_k\\ln q_k$.",
                _SIZES,
                splits,
                shown=r"-\sum_kq_k\ln p_k=-\sum_kq_k\ln q_k+\sum_kq_k\ln\frac{q_k}{p_k}",
                named=_NAMED,
            ),
            equal(
                "A fair coin as target, predicted perfectly, still costs its entropy.",
                _cross_entropy_of_probabilities(half, half),
                sp.log(2),
                name=r"H\left((\tfrac12,\tfrac12),(\tfrac12,\tfrac12)\right)",
            ),
            positive(
                "And the divergence between two coins depends on who is the truth.",
                forward - backward,
            ),
        ),
    )


def one_hot_keeps_one_term() -> Proof:
    """For a one-hot target cross-entropy is minus the log of one probability, and its entropy part is 0."""

    def one_term(case: tuple[int, int]) -> bool:
        size, label = case
        z, _ = _vectors(size)
        one_hot = [sp.Integer(k == label) for k in range(size)]
        return bool(is_zero(cross_entropy.expression(z, one_hot) + sp.log(softmax(z)[label])))

    q = sp.Symbol("q", positive=True)
    return Proof(
        claims=("C25", "C26"),
        statement=r"With $0\ln0=0$, a one-hot target leaves one term of the sum: $\ell=-\ln p_y$.",
        hypotheses=("$q=e_y$",),
        scope="K = 2…6, every label",
        steps=(
            limit("The convention is the limit.", q * sp.log(q), q, sp.Integer(0), sp.Integer(0)),
            holds_for(
                "All other terms carry a factor 0.",
                [(size, label) for size in _SIZES for label in range(size)],
                one_term,
                shown=r"\ell(z,e_y)=\ln\sum_je^{z_j}-z_y=-\ln p_y",
                named="$K=2,…,6$, every label, free logits",
            ),
        ),
    )


def likelihood_rewards_the_product() -> Proof:
    """Over a data set cross-entropy maximises the product of the true-class probabilities, not their mean."""
    p = sp.symbols("p_1:4", positive=True)
    even, lopsided = (sp.Rational(1, 2),) * 2, (sp.Rational(99, 100), sp.Rational(5, 100))
    return Proof(
        claims=("C27",),
        statement=(
            "Summed over samples, $-\\ln p_y$ is minus the log of the product of the true-class probabilities. "
            "A model with a higher mean probability can lose."
        ),
        hypotheses=("$p_i$ is the probability given to the true class of sample $i$",),
        scope="every number of samples (written for three); one counterexample for the mean",
        steps=(
            equal("Sums of logs are logs of products.", -sp.Add(*map(sp.log, p)), -sp.log(sp.prod(p))),
            positive(
                "The mean of (0.99, 0.05) is higher than that of (0.5, 0.5),",
                sum(lopsided) / 2 - sum(even) / 2,
            ),
            positive(
                "and its cross-entropy is higher too: the product is lower.",
                -sum(map(sp.log, lopsided)) + sum(map(sp.log, even)),
                sp.log(sp.prod(even) / sp.prod(lopsided)),
            ),
        ),
    )


def sigmoid_is_softmax_of_two() -> Proof:
    """Two-class softmax depends on the difference of the logits only, through the logistic function."""
    z_0, z_1 = sp.symbols("z_0 z_1", real=True)
    return Proof(
        claims=("C28",),
        statement=r"The two-class softmax is $\sigma(z)$ with $z=z_1-z_0$, and the two losses are the same.",
        hypotheses=("labels 0 and 1",),
        scope="every pair of logits",
        steps=(
            equal("Divide by the numerator.", softmax((z_0, z_1))[1], sigmoid(z_1 - z_0)),
            equal(
                "So the losses agree for the label 1,",
                cross_entropy.expression((z_0, z_1), (0, 1)),
                binary_cross_entropy.expression(z_1 - z_0, sp.Integer(1)),
            ),
            equal(
                "and for the label 0.",
                cross_entropy.expression((z_0, z_1), (1, 0)),
                binary_cross_entropy.expression(z_1 - z_0, sp.Integer(0)),
            ),
        ),
    )


def stable_form_of_binary_cross_entropy() -> Proof:
    """−y ln p − (1 − y) ln(1 − p) is softplus(z) − yz for every y; the one-softplus form only for hard labels."""
    z, y = LOGIT, LABEL
    p = sigmoid(z)
    textbook = -(y * sp.log(p) + (1 - y) * sp.log(1 - p))
    gap = softplus(-(2 * y - 1) * z) - binary_cross_entropy.expression(z, y)
    return Proof(
        claims=("C29",),
        statement=(
            r"$-[y\ln p+(1-y)\ln(1-p)]=\mathrm{softplus}(z)-yz$ for every $y\in[0,1]$; the shorter "
            r"$\mathrm{softplus}(-(2y-1)z)$ is the same only for $y\in\{0,1\}$."
        ),
        hypotheses=(r"$p=\sigma(z)$", r"$\mathrm{softplus}(z)=\ln(1+e^z)$"),
        scope="every real logit",
        steps=(
            equal(
                "The two logarithms are softplus functions,", -sp.log(p), softplus(-z), name=r"-\ln\sigma(z)"
            ),
            equal("of opposite arguments,", -sp.log(1 - p), softplus(z), name=r"-\ln(1-\sigma(z))"),
            equal("and their difference is the logit itself.", softplus(z) - softplus(-z), z),
            equal(
                "So the textbook form is",
                textbook,
                binary_cross_entropy.expression(z, y),
                name=r"-[y\ln p+(1-y)\ln(1-p)]",
            ),
            holds_for(
                "For a hard label the short form agrees.",
                (sp.Integer(0), sp.Integer(1)),
                lambda label: bool(is_zero(gap.subs(y, label))),
                shown=r"\mathrm{softplus}(-(2y-1)z)=\mathrm{softplus}(z)-yz,\qquad y\in\{0,1\}",
                named="$y=0,1$, free logit",
            ),
            holds_for(
                "For a soft label it does not: at $y=\\frac12$ it has lost the logit.",
                (sp.Rational(1, 2),),
                lambda label: is_zero(gap.subs(y, label)) is False,
                shown=r"\mathrm{softplus}(0)=\ln2\neq\mathrm{softplus}(z)-\tfrac z2",
                named="$y=\\frac12$: the difference is not 0",
            ),
        ),
    )


def contradicting_labels_meet_at_their_mean() -> Proof:
    """One label drives p to 0 or 1 without reaching it; labels 1, 1, 0 on one input drive it to 2/3."""
    z = LOGIT
    pull = sp.diff(binary_cross_entropy.expression(z, sp.Integer(1)), z)
    three = 2 * binary_cross_entropy.expression(z, sp.Integer(1)) + binary_cross_entropy.expression(
        z, sp.Integer(0)
    )
    return Proof(
        claims=("C30",),
        statement=(
            r"With $y=1$ the pull on the logit, $p-1$, never vanishes and the infimum 0 is only approached. "
            r"With labels $1,1,0$ on the same input the loss is minimal at $p=\frac23$."
        ),
        hypotheses=(r"$p=\sigma(z)$, one free logit",),
        scope="every real logit",
        steps=(
            positive("The pull towards the label 1 is never 0.", -pull, 1 / (1 + sp.exp(z))),
            limit("It fades as the logit grows,", pull, z, sp.oo, sp.Integer(0)),
            limit(
                "and the loss goes to 0 with it, without arriving.",
                binary_cross_entropy.expression(z, sp.Integer(1)),
                z,
                sp.oo,
                sp.Integer(0),
            ),
            solves(
                "With labels 1, 1, 0 the derivative vanishes at one logit,", sp.diff(three, z), z, sp.log(2)
            ),
            equal(
                "where the probability is the share of ones.",
                sigmoid(sp.log(2)),
                sp.Rational(2, 3),
                name=r"\sigma(\ln2)",
            ),
            positive(
                "It is a minimum: the second derivative is positive everywhere.",
                sp.diff(three, z, 2),
                3 * sp.exp(z) / (1 + sp.exp(z)) ** 2,
            ),
        ),
    )


def several_scores_are_honest() -> Proof:
    """Logarithmic, Brier and spherical score all have their expected minimum at the true probability."""
    q = sp.Symbol("q", positive=True)
    odds = sp.Symbol("s", positive=True)
    truth = odds / (1 + odds)
    norm = sp.sqrt(q**2 + (1 - q) ** 2)
    scores = {
        "logarithmic": (-sp.log(q), -sp.log(1 - q)),
        "Brier": ((1 - q) ** 2, q**2),
        "spherical": (1 - q / norm, 1 - (1 - q) / norm),
    }
    steps = []
    for name, (if_one, if_zero) in scores.items():
        slope = sp.diff(truth * if_one + (1 - truth) * if_zero, q)
        factor = sp.cancel(sp.simplify(slope / (q - truth)))
        steps.append(
            equal(
                f"The {name} score: its expected slope is a positive factor times $q-\\eta$,",
                slope,
                factor * (q - truth),
                name=r"\partial_q\,E\,S(q,Y)",
            )
        )
        inside = sp.Symbol("t", positive=True)
        steps.append(
            positive(
                "positive for every forecast strictly between 0 and 1; put $q=\\frac{t}{1+t}$.",
                sp.simplify(factor.subs(q, inside / (1 + inside))),
            )
        )
    return Proof(
        claims=("C23",),
        statement=(
            "Cross-entropy is not the only honest score: the logarithmic, the Brier and the spherical score each "
            r"have their expected minimum exactly at the true probability $\eta$."
        ),
        hypotheses=(
            r"$Y\sim\mathrm{Bernoulli}(\eta)$, $0<\eta<1$, written $\eta=\frac{s}{1+s}$",
            r"forecast $0<q<1$",
        ),
        scope="two classes, every $\\eta$ in $(0,1)$",
        steps=tuple(steps),
    )
