"""Proofs about InfoNCE: what its best scores are, what it says about information, what the temperature does."""

from __future__ import annotations

import sympy as sp

from .classification import cross_entropy, softmax
from .contrastive import info_nce
from .proof import Proof, argument, holds_for, is_zero, positive

_SIZES = range(2, 6)
_QUERIES = tuple(tuple(map(sp.Integer, row)) for row in ((3, 4), (5, 12), (8, 15)))
_KEYS = tuple(tuple(map(sp.Integer, row)) for row in ((4, 3), (12, 5), (15, 8)))
_TEMPERATURE = sp.Symbol("T", positive=True)


def _one_hot(place: int, size: int) -> tuple[sp.Integer, ...]:
    return tuple(sp.Integer(k == place) for k in range(size))


def _ratios(size: int) -> tuple[sp.Symbol, ...]:
    return tuple(sp.symbols(f"r_1:{size + 1}", positive=True))


def the_best_critic_is_a_log_ratio() -> Proof:
    """InfoNCE is cross-entropy of picking the partner; its best scores are ln p(y|x)/p(y) up to a constant for x."""

    def is_cross_entropy(size: int) -> bool:
        queries, keys = _QUERIES[:size], _KEYS[:size]

        def cosine(x: tuple[sp.Integer, ...], y: tuple[sp.Integer, ...]) -> sp.Expr:
            length = sp.sqrt(sum(a**2 for a in x) * sum(b**2 for b in y))
            return sum(a * b for a, b in zip(x, y)) / length / _TEMPERATURE

        picking = [
            cross_entropy.expression([cosine(q, k) for k in keys], _one_hot(i, size))
            for i, q in enumerate(queries)
        ]
        return bool(
            is_zero(info_nce.expression(queries, keys, temperature=_TEMPERATURE) - sum(picking) / size)
        )

    def is_the_posterior(size: int) -> bool:
        marginals, partners = (sp.symbols(f"{name}_1:{size + 1}", positive=True) for name in "mc")
        places = range(size)
        likelihoods = [partners[i] * sp.prod(marginals[j] for j in places if j != i) / size for i in places]
        said = softmax([sp.log(c / m) + sp.Symbol("c_x", real=True) for c, m in zip(partners, marginals)])
        return all(bool(is_zero(one / sum(likelihoods) - p)) for one, p in zip(likelihoods, said))

    return Proof(
        claims=("C234",),
        statement=(
            r"Let $y_i$ be drawn with $x$ and the other $N-1$ candidates without it, from $p(y)$, the place $i$ being random. InfoNCE is the "
            r"cross-entropy of naming $i$, and its expectation is least for the scores $s(x,y)=\ln\frac{p(y\mid x)}{p(y)}+c(x)$, with any $c$."
        ),
        hypotheses=("the candidates are independent given $x$ and $i$", r"$p(y\mid x),p(y)>0$"),
        scope="every $N$ by argument; the formulas for $N=2,…,5$ candidates (the first for batches of 2 and 3 rows and every temperature)",
        steps=(
            holds_for(
                "InfoNCE is the mean cross-entropy of naming each query's own key, with the cosines over $T$ as logits.",
                (2, 3),
                is_cross_entropy,
                named="batches of 2 and 3 rows, free temperature",
            ),
            holds_for(
                "By Bayes' rule the place has a probability that depends on the ratios only: the softmax of the log-ratios, with any "
                "constant added to all of them.",
                _SIZES,
                is_the_posterior,
                shown=r"P(i\mid x,y_1,…,y_N)=\frac{p(y_i\mid x)\prod_{j\neq i}p(y_j)}{\sum_kp(y_k\mid x)\prod_{j\neq k}p(y_j)}"
                r"=\mathrm{softmax}\Bigl(\ln\frac{p(y\mid x)}{p(y)}+c(x)\Bigr)_i",
                named="$N=2,…,5$, free densities",
            ),
            argument(
                "Cross-entropy is strictly proper: its expectation is least where the softmax of the scores is this posterior, and only there."
            ),
        ),
    )


def infonce_bounds_the_information() -> Proof:
    """ln N − L is at most the mutual information, and at most ln N."""
    own, rest, size, t = sp.symbols("r R N t", positive=True)

    def loss_is_the_ratio(count: int) -> bool:
        ratios = _ratios(count)
        loss = cross_entropy.expression([sp.log(r) for r in ratios], _one_hot(0, count))
        return bool(is_zero(sp.log(count) - loss - sp.log(ratios[0]) + sp.log(sum(ratios) / count)))

    return Proof(
        claims=("C233",),
        statement=(
            r"For every critic $\ln N-E\,\mathcal L\leq\min(I(X;Y),\ln N)$, where $\mathcal L$ is the InfoNCE loss with $N$ candidates."
        ),
        hypotheses=(
            "the other $N-1$ candidates are drawn from $p(y)$, independently",
            "the mutual information $I(X;Y)$ is finite",
        ),
        scope="every $N$ by argument; the identity for $N=2,…,5$",
        steps=(
            argument(
                "No critic has a lower expected loss than the log-ratio, so it is enough to look at that one. Write $r_j$ for the ratio "
                "of candidate $j$; the partner has $r_1$."
            ),
            holds_for(
                "There the bound parts into two logarithms.",
                _SIZES,
                loss_is_the_ratio,
                shown=r"\ln N-\mathcal L=\ln r_1-\ln\Bigl(\frac1N\sum_jr_j\Bigr)",
                named="$N=2,…,5$, free ratios",
            ),
            argument("The first has the mean", r"E\ln r_1=E\ln\frac{p(y\mid x)}{p(y)}=I(X;Y)."),
            argument(
                r"In the second, $m=\frac1N\sum_jr_j$ is itself a ratio of densities: that of the candidates with a partner at a random place, "
                r"against that of candidates without one. Hence $E\,m^{-1}=1$, and with",
            ),
            positive(
                r"$\ln m\geq1-\frac1m$ (the difference has at $m=1$ the value 0, and a slope of the sign of $m-1$: at $m=1+t$ it is)",
                sp.diff(sp.log(size) - 1 + 1 / size, size).subs(size, 1 + t),
                t / (1 + t) ** 2,
            ),
            positive(
                r"(and at $m=\frac1{1+t}$ it falls)",
                -sp.diff(sp.log(size) - 1 + 1 / size, size).subs(size, 1 / (1 + t)),
                t * (1 + t),
            ),
            argument(r"its mean is at least 0.", r"E\ln m\geq1-E\,m^{-1}=0."),
            positive(
                r"And the loss is never negative: the partner is among the $N$, so that $\ln N-\mathcal L\leq\ln N$.",
                (own + rest) / own - 1,
                rest / own,
            ),
        ),
    )


def temperature_moves_from_the_hardest_to_the_mean() -> Proof:
    """T times the InfoNCE loss tends to the hardest margin for T → 0, and to the mean one for T → ∞."""
    heat = sp.Symbol("b", positive=True)

    def gaps_and_loss(size: int) -> tuple[list[sp.Expr], sp.Expr]:
        """How far each candidate is ahead of the positive, which comes first, and the loss at the temperature 1/b."""
        gaps = [sp.Integer(0), *sp.symbols(f"g_2:{size + 1}", real=True)]
        return gaps, cross_entropy.expression([heat * gap for gap in gaps], _one_hot(0, size))

    def is_a_sum_of_powers(size: int) -> bool:
        gaps, loss = gaps_and_loss(size)
        return bool(is_zero(sp.exp(loss) - sum(sp.exp(heat * gap) for gap in gaps)))

    def leaves_the_heat_with_the_mean(size: int) -> bool:
        gaps, loss = gaps_and_loss(size)
        start, slope = loss.subs(heat, 0) - sp.log(size), sp.diff(loss, heat).subs(heat, 0)
        return bool(is_zero(start)) and bool(is_zero(slope - sum(gaps) / size))

    def pushes_with_its_weight(size: int) -> bool:
        free = sp.symbols(f"s_1:{size + 1}", real=True)
        logits = [score / _TEMPERATURE for score in free]
        loss = cross_entropy.expression(logits, _one_hot(0, size))
        weights = softmax(logits)
        return all(
            bool(is_zero(sp.diff(loss, free[k]) - weights[k] / _TEMPERATURE)) for k in range(1, size)
        ) and bool(is_zero(sp.diff(loss, free[0]) - (weights[0] - 1) / _TEMPERATURE))

    return Proof(
        claims=("C236",),
        statement=(
            r"Each negative $k$ is pushed away with the slope $\frac1Tp_k$, $p$ the softmax of the similarities $s/T$, and the positive pulled with "
            r"the sum of these. As $T\to0$, $T\mathcal L\to\max(0,\max_ks_k-s_+)$: only the hardest negative counts, if it is ahead. As $T\to\infty$, "
            r"$T(\mathcal L-\ln N)\to\bar s-s_+$ with the mean $\bar s$ of all $N$ similarities: all count alike."
        ),
        hypotheses=("the similarities are fixed numbers, $s_+$ that of the positive",),
        scope="every $N$ by argument; the formulas for $N=2,…,5$",
        steps=(
            holds_for(
                "The slopes are the softmax over the temperature.",
                _SIZES,
                pushes_with_its_weight,
                shown=r"\frac{\partial\mathcal L}{\partial s_k}=\frac{p_k}T,\qquad\frac{\partial\mathcal L}{\partial s_+}=-\frac{1-p_+}T",
                named="$N=2,…,5$, free similarities",
            ),
            holds_for(
                "Let $g_k=s_k-s_+$ be how far candidate $k$ is ahead of the positive, with $g_1=0$ for the positive itself, and "
                r"$b=1/T$. Then $e^{\mathcal L}$ is a sum.",
                _SIZES,
                is_a_sum_of_powers,
                shown=r"e^{\mathcal L}=\sum_ke^{bg_k}",
                named="$N=2,…,5$, free gaps",
            ),
            argument(
                r"In the cold: the sum is at least its largest term and at most $N$ times that. So with $g=\max_kg_k\geq0$, the $T\ln N$ "
                "vanishing,",
                r"g\leq T\mathcal L\leq g+T\ln N.",
            ),
            holds_for(
                r"In the heat, at $b=0$, the loss is $\ln N$ and leaves it with the mean of the gaps as slope: that is the limit of "
                r"$T(\mathcal L-\ln N)=\frac1b(\mathcal L-\ln N)$.",
                _SIZES,
                leaves_the_heat_with_the_mean,
                shown=r"\mathcal L\Big|_{b=0}=\ln N,\qquad\frac{d\mathcal L}{db}\Big|_{b=0}=\frac1N\sum_kg_k=\bar s-s_+",
                named="$N=2,…,5$, free gaps",
            ),
        ),
    )
