"""Proofs about language models: perplexity and its unit, and what scores learnt from sampled words mean."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from .classification import LOGIT, binary_cross_entropy, cross_entropy, sigmoid, softmax
from .proof import Proof, argument, derivative, equal, holds_for, is_zero, positive

_SIZES, _NAMED = range(2, 6), "2…5 candidates, free probabilities"


def perplexity_counts_by_the_unit() -> Proof:
    """Perplexity is the geometric mean of 1/p by token, so it is raised to a power when the tokens get longer."""
    surprisal = sp.Symbol("T", positive=True)
    characters, words = sp.symbols("N M", positive=True)
    z = sp.symbols("z_1:4", real=True)
    first, second = softmax(z)[:2]
    mean = (
        cross_entropy.expression(z, (sp.Integer(1), sp.Integer(0), sp.Integer(0)))
        + cross_entropy.expression(z, (sp.Integer(0), sp.Integer(1), sp.Integer(0)))
    ) / 2
    by_character, by_word = sp.exp(surprisal / characters), sp.exp(surprisal / words)
    return Proof(
        claims=("C205",),
        statement=(
            r"Let a text have $N$ characters and $M$ words, and let a model give it the probability $e^{-T}$. Its perplexity is "
            r"$e^{T/N}$ a character and $e^{T/M}$ a word: the second is the first to the power $\frac NM$. The bits per "
            r"character $\frac T{N\ln2}$ don't depend on how the text was cut."
        ),
        hypotheses=("both ways of cutting give the whole text, and its probability, exactly",),
        scope="every text and every model; the first step: two tokens of three kinds",
        steps=(
            replace(
                equal(
                    "By the chain rule the probability of a text is the product of those of its tokens, each given its past. So the "
                    r"exponential of the mean cross-entropy is the geometric mean of $\frac1p$ (here for two tokens),",
                    sp.exp(mean),
                    (first * second) ** sp.Rational(-1, 2),
                ),
                shown=r"\exp\left(\tfrac12(\ell_1+\ell_2)\right)=(p_1p_2)^{-\frac12},",
            ),
            argument(
                r"and $T$, the sum of the cross-entropies, is $-\ln$ of the probability of the text, whatever the tokens are.",
                r"T=-\sum_t\ln p(w_t\mid w_{<t})=-\ln p(\text{text})",
            ),
            replace(
                equal(
                    "Cutting into fewer tokens raises the perplexity to a power,",
                    by_word,
                    by_character ** (characters / words),
                ),
                shown=r"e^{T/M}=\left(e^{T/N}\right)^{N/M},",
            ),
            replace(
                equal(
                    "and leaves the bits per character as they are.",
                    words / characters * sp.log(by_word, 2),
                    sp.log(by_character, 2),
                ),
                shown=r"\frac MN\log_2e^{T/M}=\log_2e^{T/N}=\frac T{N\ln2}",
            ),
        ),
    )


def sampled_softmax_asks_which_word_is_real() -> Proof:
    """The scores of a sampled softmax are best at ln P − ln Q plus a constant; ln Q added back gives P."""
    constant = sp.Symbol("c", real=True)

    def candidates(size: int) -> tuple[list[sp.Symbol], list[sp.Symbol], list[sp.Expr]]:
        """The probabilities of the candidates, of drawing them, and which of them is the real one."""
        real = list(sp.symbols(f"P_1:{size + 1}", positive=True))
        drawn = list(sp.symbols(f"Q_1:{size + 1}", positive=True))
        ways = [p * sp.Mul(*(q for j, q in enumerate(drawn) if j != i)) for i, p in enumerate(real)]
        return real, drawn, [way / sp.Add(*ways) for way in ways]

    def ratios_decide(size: int) -> bool:
        real, drawn, posterior = candidates(size)
        guessed = softmax([sp.log(p / q) for p, q in zip(real, drawn)])
        return all(bool(is_zero(sp.together(sp.simplify(g) - way))) for g, way in zip(guessed, posterior))

    def slope_is_guess_minus_posterior(size: int) -> bool:
        scores = sp.symbols(f"s_1:{size + 1}", real=True)
        odds = dict(zip(scores, map(sp.log, sp.symbols(f"u_1:{size + 1}", positive=True))))
        _, _, posterior = candidates(size)
        loss = cross_entropy.expression(scores, posterior)
        gaps = (
            (sp.diff(loss, s) - guess + way).subs(odds)
            for s, guess, way in zip(scores, softmax(scores), posterior)
        )
        return all(bool(is_zero(sp.together(gap))) for gap in gaps)

    def correction_gives_the_model(size: int) -> bool:
        weights, drawn, _ = candidates(size)
        chances = [weight / sp.Add(*weights) for weight in weights]
        scores = [sp.log(p / q) + constant + sp.log(q) for p, q in zip(chances, drawn)]
        return all(bool(is_zero(sp.simplify(g - p))) for g, p in zip(softmax(scores), chances))

    return Proof(
        claims=("C207",),
        statement=(
            r"Let the next word be drawn from $P$, and $k$ others, independently, from $Q$. Cross-entropy that picks the "
            r"real one by its score among these $k+1$ is least exactly at $s(w)=\ln\frac{P(w)}{Q(w)}+c$. So $P$ is the "
            r"softmax of $s+\ln Q$, and not that of $s$. With scores $s-\ln Q$ in the loss, $P$ is the softmax of $s$."
        ),
        hypotheses=(
            r"$P(w),Q(w)>0$, for one context; $k\ge1$",
            "a draw that happens to be the real word is kept",
            "the minimum over all scores, that is, in the population",
        ),
        scope="every $k$ and every vocabulary; the algebra for 2…5 candidates",
        steps=(
            holds_for(
                "Shuffle the candidates. That the real one is at place $i$ has a probability proportional to "
                r"$P(w_i)\prod_{j\ne i}Q(w_j)$: the softmax of the log-ratios.",
                _SIZES,
                ratios_decide,
                shown=r"\Pr(i\mid w_0,\dots,w_k)=\frac{P(w_i)/Q(w_i)}{\sum_jP(w_j)/Q(w_j)}",
                named=_NAMED,
            ),
            holds_for(
                "Given the candidates, the expected loss has a slope in each score: guess minus truth.",
                _SIZES,
                slope_is_guess_minus_posterior,
                shown=r"\frac{\partial}{\partial s_i}=\frac{e^{s_i}}{\sum_je^{s_j}}-\Pr(i\mid w_0,\dots,w_k)",
                named=_NAMED,
            ),
            argument(
                "It is convex, so it is least exactly where the two agree, which fixes the differences of the scores. Any "
                "two words $w$ and $v$ meet among the candidates, so one set of scores is best for all of them at once:",
                r"s(w)-s(v)=\ln\frac{P(w)}{Q(w)}-\ln\frac{P(v)}{Q(v)}.",
            ),
            holds_for(
                r"Adding $\ln Q$ turns them into the model; in the loss, $s-\ln Q$ takes the place of $s$ and does it beforehand.",
                _SIZES,
                correction_gives_the_model,
                shown=r"\operatorname{softmax}\left(\ln\tfrac PQ+c+\ln Q\right)=P",
                named="2…5 words",
            ),
        ),
    )


def negative_sampling_shifts_the_score() -> Proof:
    """Negative sampling is best at s = ln P − ln(kQ), no log-probability; with ln(kQ) inside it is noise-contrastive."""
    real, drawn = sp.symbols("P Q", positive=True)
    negatives = sp.Symbol("k", positive=True)
    risk = real * binary_cross_entropy.expression(LOGIT, sp.Integer(1)) + (
        negatives * drawn * binary_cross_entropy.expression(LOGIT, sp.Integer(0))
    )
    best = sp.log(real / (negatives * drawn))
    weight = sp.exp(LOGIT) / (1 + sp.exp(LOGIT)) ** 2
    return Proof(
        claims=("C208",),
        statement=(
            r"Let the real next word be drawn from $P$ and $k$ others from $Q$, and classify each as real or drawn by the "
            r"sigmoid of its score. The risk is least exactly at $s(w)=\ln\frac{P(w)}{kQ(w)}$. With $s-\ln(kQ)$ in the "
            r"loss (noise-contrastive estimation) it is least at $s=\ln P$."
        ),
        hypotheses=(
            r"$P(w),Q(w)>0$, for one context",
            "the minimum over all scores, that is, in the population",
        ),
        scope="every $k$, every pair of distributions and every word",
        steps=(
            derivative(
                "A word is met $P$ times as the real one and, on average, $kQ$ times as a drawn one. What it adds to the "
                "risk has the slope",
                risk,
                LOGIT,
                negatives * drawn * sigmoid(LOGIT) - real * sigmoid(-LOGIT),
            ),
            positive(
                "and bends up: where the slope is 0 is the only minimum.",
                sp.diff(risk, LOGIT, 2),
                (real + negatives * drawn) * weight,
            ),
            equal(
                "It is 0 at the log-ratio,",
                sp.diff(risk, LOGIT).subs(LOGIT, best),
                sp.Integer(0),
                name=r"\text{slope}\left(\ln\tfrac P{kQ}\right)",
            ),
            equal(
                r"so $\ln(kQ)$ added to the score gives $\ln P$.",
                best + sp.log(negatives * drawn),
                sp.log(real),
                name=r"\ln\frac P{kQ}+\ln(kQ)",
            ),
        ),
    )
