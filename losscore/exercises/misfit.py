"""The exercise on two proper scores whose best fits differ where the model misses the truth."""

from __future__ import annotations

import sympy as sp

from ..symbolic import calibration, scores
from .misfit_fit import FIT
from .misfit_gradient import GRADIENT
from .tasks import Exercise, Part, Question, WrongAnswer

_P, _ETA, _D = sp.symbols("p eta d", positive=True)
_BETWEEN = {s: 1 / (1 + s) for s in (_P, _ETA)}

_SHARES = (sp.Rational(2, 6), sp.Rational(7, 12), sp.Rational(1, 12))
_LEVELS = (sp.Rational(5, 100), sp.Rational(65, 100), sp.Rational(95, 100))
_MEAN = sp.Add(*(share * level for share, level in zip(_SHARES, _LEVELS)))
_BAYES = sp.Add(*(share * sp.Min(level, 1 - level) for share, level in zip(_SHARES, _LEVELS)))


def _formula(value: sp.Expr, *wrong_answers: WrongAnswer) -> Part:
    """An answer in the probabilities p and eta, strictly between 0 and 1, and in d."""
    return Part(value, wrong_answers, ranges=_BETWEEN)


TRUTH = Question(
    id="misfit.truth",
    title="(a) what the staircase itself says",
    parts={
        "mean": Part(
            _MEAN,
            (
                WrongAnswer(
                    "unweighted",
                    sp.Add(*_LEVELS) / 3,
                    "The three steps are not equally wide: weigh each level by its share of the range.",
                ),
                WrongAnswer(
                    "last level",
                    _LEVELS[2],
                    "This is the height at the right end. The question asks for the mean over x.",
                ),
                WrongAnswer(
                    "jumps in place of levels",
                    sp.Rational(5, 100) * _SHARES[0]
                    + sp.Rational(60, 100) * _SHARES[1]
                    + sp.Rational(30, 100) * _SHARES[2],
                    "You average the jumps. On the second step η is the sum of the first two.",
                ),
            ),
        ),
        "error": Part(
            _BAYES,
            (
                WrongAnswer(
                    "share of hits",
                    1 - _BAYES,
                    "This is how often the best decision is right. How often is it wrong?",
                ),
                WrongAnswer(
                    "base rate",
                    _MEAN,
                    "This is the error of whoever always says 0. A rule that knows η does better on two of the steps.",
                ),
                WrongAnswer(
                    "unweighted",
                    sp.Add(*(sp.Min(level, 1 - level) for level in _LEVELS)) / 3,
                    "The three steps are not equally wide: weigh each by its share of the range.",
                ),
                WrongAnswer(
                    "nothing",
                    sp.Integer(0),
                    "Even a rule that knows η errs: on a step it misses the rarer label.",
                ),
            ),
        ),
    },
    explanation=(
        "The steps take $\\frac26$, $\\frac7{12}$ and $\\frac1{12}$ of the range. The mean label is "
        f"$\\frac26\\cdot0.05+\\frac7{{12}}\\cdot0.65+\\frac1{{12}}\\cdot0.95={float(_MEAN):.3f}$, and the best decision errs "
        f"with $\\frac26\\cdot0.05+\\frac7{{12}}\\cdot0.35+\\frac1{{12}}\\cdot0.05={float(_BAYES):.3f}$."
    ),
)

_STOPPED = "You stopped at p; go on to the logit. How does p = σ(z) change with z?"

SLOPES = Question(
    id="misfit.slopes",
    title="(b) the pull at one input",
    parts={
        "cross_entropy": _formula(
            _P - _ETA,
            WrongAnswer(
                "sign", _ETA - _P, "The sign is reversed: where p exceeds η, raising z raises the risk."
            ),
            WrongAnswer("derivative in p", (_P - _ETA) / (_P * (1 - _P)), _STOPPED),
            WrongAnswer(
                "weight too many",
                (_P - _ETA) * _P * (1 - _P),
                "You have a factor p(1 − p) too many: the derivative of the logarithm cancels it.",
            ),
        ),
        "brier": _formula(
            2 * (_P - _ETA) * _P * (1 - _P),
            WrongAnswer("derivative in p", 2 * (_P - _ETA), _STOPPED),
            WrongAnswer(
                "factor 2",
                (_P - _ETA) * _P * (1 - _P),
                "You are off by a factor 2: differentiate the square.",
            ),
            WrongAnswer(
                "sign",
                -2 * (_P - _ETA) * _P * (1 - _P),
                "The sign is reversed: where p exceeds η, raising z raises the risk.",
            ),
            WrongAnswer(
                "as cross-entropy",
                _P - _ETA,
                "This is the slope of cross-entropy. Differentiate (p − η)² in z.",
            ),
            WrongAnswer(
                "scatter of the truth",
                2 * (_P - _ETA) * _ETA * (1 - _ETA),
                "The weight comes from the derivative of the sigmoid, at the forecast and not at the truth.",
            ),
        ),
    },
    explanation=(
        "In $p$ the slopes are $\\frac{p-\\eta}{p(1-p)}$ and $2(p-\\eta)$; the sigmoid multiplies both by $p(1-p)$. So "
        "cross-entropy balances plain residuals, and Brier residuals with the extra weight $2p(1-p)$. (The proof calls the "
        "forecast $q$ and takes one label $y$ at a time: the slopes are linear in $y$, so on average $\\eta$ takes its place.)"
    ),
    proofs=(scores.slopes_in_the_logit,),
)

BALANCE = Question(
    id="misfit.balance",
    title="(c) mean forecast and mean label",
    parts={
        "": Part(
            "only cross-entropy",
            (
                WrongAnswer(
                    "both",
                    "both",
                    "Write the derivative of each risk in b and set it to 0. Which of the two says that the residuals add to 0?",
                ),
                WrongAnswer(
                    "only Brier",
                    "only Brier",
                    "At the Brier fit the residuals add to 0 with weights. Which ones?",
                ),
                WrongAnswer(
                    "neither",
                    "neither",
                    "Set the derivative in b to 0 once more. Under one of the losses every residual has the same weight.",
                ),
            ),
            choices=("both", "only cross-entropy", "only Brier", "neither"),
        )
    },
    explanation=(
        "The derivative in $b$ is the mean of the pulls: $E[\\hat p-\\eta]=0$ for cross-entropy. For Brier it is "
        "$E[2\\hat p(1-\\hat p)(\\hat p-\\eta)]=0$, which lets the plain mean go astray."
    ),
    proofs=(calibration.cross_entropy_matches_the_mean_label,),
)

PENALTY = Question(
    id="misfit.penalty",
    title="(d) what a small error costs",
    parts={
        "cross_entropy": _formula(
            _D**2 / (2 * _ETA * (1 - _ETA)),
            WrongAnswer(
                "half lost",
                _D**2 / (_ETA * (1 - _ETA)),
                "A Taylor series has d²/2 in front of the second derivative.",
            ),
            WrongAnswer(
                "only the outcome 1",
                _D**2 / (2 * _ETA),
                "The outcome 0 bends the risk, too: differentiate −(1 − η) ln(1 − p) twice.",
            ),
            WrongAnswer(
                "as Brier",
                _D**2,
                "This is the regret of the Brier score. What is the second derivative of cross-entropy at p = η?",
            ),
            WrongAnswer(
                "upside down",
                _D**2 * _ETA * (1 - _ETA) / 2,
                "Near 0 and 1 the same error must cost more, not less. Check the second derivative.",
            ),
        ),
        "brier": _formula(
            _D**2,
            WrongAnswer(
                "half",
                _D**2 / 2,
                "The second derivative of (p − η)² is 2, and the Taylor series divides it by 2.",
            ),
            WrongAnswer(
                "twice", 2 * _D**2, "The second derivative is 2, and the Taylor series divides it by 2."
            ),
            WrongAnswer(
                "as cross-entropy",
                _D**2 / (2 * _ETA * (1 - _ETA)),
                "This is the regret of cross-entropy. What is (p − η)² for p = η + d?",
            ),
        ),
        "ratio": Part(
            sp.Rational(100, 19),
            (
                WrongAnswer(
                    "upside down",
                    sp.Rational(19, 100),
                    "You divided the wrong way round: where does cross-entropy mind an error more?",
                ),
                WrongAnswer(
                    "only the outcome 1",
                    sp.Integer(10),
                    "You compared 1/η. The outcome 0 enters as well: take 1/(η(1 − η)).",
                ),
                WrongAnswer(
                    "as Brier",
                    sp.Integer(1),
                    "That is the ratio under Brier. Put both η into your formula for cross-entropy.",
                ),
            ),
        ),
    },
    explanation=(
        "Cross-entropy bends by $\\frac1{\\eta(1-\\eta)}$ at the truth and Brier by 2; the Taylor series divides both by 2. "
        "At $\\eta=0.05$ the same error costs cross-entropy $\\frac{0.25}{0.0475}="
        f"{float(sp.Rational(100, 19)):.3f}$ times what it costs at ½, and Brier the same at both. That is why the two fits spend "
        "their errors in different places. (The proof calls the forecast $q$ and the truth $p$.)"
    ),
    proofs=(scores.curvatures_at_the_truth,),
)

_REACH = ("both", "only cross-entropy", "neither")

REACH = Question(
    id="misfit.reach",
    title="(e) who finds the truth?",
    parts={
        "staircase": Part(
            "neither",
            (
                WrongAnswer(
                    "both",
                    "both",
                    "Both are proper, so η would be the best of all forecasts. But can a sigmoid of a line be a three-step staircase?",
                ),
                WrongAnswer(
                    "only cross-entropy",
                    "only cross-entropy",
                    "Cross-entropy gets the mean right. Does that put its sigmoid on the staircase?",
                ),
            ),
            choices=_REACH,
        ),
        "sigmoid": Part(
            "both",
            (
                WrongAnswer(
                    "only cross-entropy",
                    "only cross-entropy",
                    "Put p = η into both pulls of (b). Is one of them not 0?",
                ),
                WrongAnswer(
                    "neither",
                    "neither",
                    "Now the truth is one of the model's own forecasts. What do the pulls of (b) say there?",
                ),
            ),
            choices=_REACH,
        ),
    },
    explanation=(
        "A sigmoid of a line is smooth, so no member of the class is the staircase, and each score picks the member that is nearest "
        "in its own sense. If the class contains $\\eta$, both regrets are 0 there and nowhere else: the fits coincide."
    ),
)

ERRORS = Question(
    id="misfit.errors",
    title="whose decisions are better?",
    parts={
        "": Part(
            "neither: it depends on the truth",
            (
                WrongAnswer(
                    "Brier",
                    "Brier, always",
                    "Here it is. Is that a theorem? Fit the truth η = 0.45 − 0.4 [x < −2.5] + 0.2 [x > 1] and compare again.",
                ),
                WrongAnswer(
                    "cross-entropy",
                    "cross-entropy, always",
                    "Read the table: on the staircase it errs more often. Try another truth before you say always.",
                ),
                WrongAnswer(
                    "equal",
                    "they are equal",
                    "Both boundaries would have to lie at the same place. Read the table.",
                ),
            ),
            choices=(
                "Brier, always",
                "cross-entropy, always",
                "they are equal",
                "neither: it depends on the truth",
            ),
        )
    },
    explanation=(
        "On the staircase Brier puts its boundary nearer to the step at −1 and errs less often. With "
        "$\\eta=0.45-0.4\\,[x<-2.5]+0.2\\,[x>1]$ the order is reversed, by a little. Neither loss is the error, and out of reach of "
        "the truth neither is bound to have less of it."
    ),
)

FLIGHT = Question(
    id="misfit.flight",
    title="why does Brier accept a step?",
    parts={
        "": Part(
            "a confident error costs it at most 1",
            (
                WrongAnswer(
                    "improper",
                    "it is not a proper score",
                    "It is: on the population both scores want η, if they can have it. This happens on a sample.",
                ),
                WrongAnswer(
                    "separable",
                    "the labels of those samples are separable",
                    "Then cross-entropy would run away on them, too. Does it?",
                ),
                WrongAnswer(
                    "start",
                    "the search starts in a wrong place",
                    "A better search, from more starts, finds more of them. Their Brier score is lower, not higher.",
                ),
            ),
            choices=(
                "it is not a proper score",
                "the labels of those samples are separable",
                "the search starts in a wrong place",
                "a confident error costs it at most 1",
            ),
        )
    },
    explanation=(
        "A step that is wrong on a few of 60 labels costs Brier at most 1 for each of them, and it may cost less in all than any "
        "gentle slope. Cross-entropy charges a confident error without bound, so it comes back. On separable labels both would "
        "run away."
    ),
)

EXERCISE = Exercise(
    id="misfit",
    title="Same truth, different best fits",
    teaches="Two proper scores agree on the truth and on nothing else: out of its reach they choose different models.",
    needs="the sigmoid and its derivative, a Taylor series, section 1.2",
    minutes=75,
    seconds=15,
    items=(TRUTH, SLOPES, BALANCE, PENALTY, REACH, GRADIENT, FIT, ERRORS, FLIGHT),
)
