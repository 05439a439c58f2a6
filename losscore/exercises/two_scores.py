"""The exercise on two proper scores and their two landscapes."""

from __future__ import annotations

import sympy as sp

from ..symbolic import scores
from ..symbolic.classification import LABEL
from ..symbolic.classification import binary_brier as symbolic_brier
from ..symbolic.classification import binary_cross_entropy as symbolic_cross_entropy
from ..symbolic.scores import FORECAST, TRUTH
from .tasks import Exercise, Part, Question, WrongAnswer
from .two_scores_functions import EXPECTED_LOSS, GRAD_LOGIT

_P, _Q, _Y = TRUTH, FORECAST, LABEL
_COIN, _SAID = sp.Rational(7, 10), sp.Rational(9, 10)
_DEFINED = {"cross_entropy": symbolic_cross_entropy, "brier": symbolic_brier}
_EXPECTED = {name: scores.expected(loss) for name, loss in _DEFINED.items()}


def _at(expression: sp.Expr, q: sp.Expr, p: sp.Expr) -> sp.Expr:
    return expression.subs({_Q: q, _P: p}, simultaneous=True)


_MINIMUM = {name: _at(loss, _COIN, _COIN) for name, loss in _EXPECTED.items()}
_REGRET = {name: _at(scores.regret(loss), _SAID, _COIN) for name, loss in _DEFINED.items()}
_CURVATURE = {name: _at(sp.diff(loss, _Q, 2), _COIN, _COIN) for name, loss in _EXPECTED.items()}

_NO_MINIMUM = (
    WrongAnswer(
        "minimum value 0",
        sp.Integer(0),
        "The best forecaster still pays for the coin's own randomness: what does q = p cost?",
    ),
    WrongAnswer("place of the minimum", _COIN, "That is where the minimum lies. What does it cost?"),
)
_OTHER_SIDE = (
    "The coin also falls on the other side: what does the outcome 0 cost, and how often does it come?"
)
_ONLY_ONE = (
    "This is what the outcome 1 alone costs. What does the outcome 0 cost, and how often does each come?"
)


def _formula(value: sp.Expr, *wrong_answers: WrongAnswer) -> Part:
    """An answer in p and q, which run through the probabilities strictly between 0 and 1."""
    return Part(value, wrong_answers, ranges={_P: 1 / (1 + _P), _Q: 1 / (1 + _Q)})


def _values(numbers: dict[str, sp.Expr]) -> str:
    shown = {"cross_entropy": "Cross-entropy", "brier": "Brier"}
    return ". ".join(f"{shown[name]}: ${float(value):.4g}$" for name, value in numbers.items()) + "."


_KEEP_P = "Keep p a symbol: the formula must hold for every coin."

EXPECTED = Question(
    id="two-scores.expected",
    title="(a) the expected losses",
    parts={
        "cross_entropy": _formula(
            -_P * sp.log(_Q) - (1 - _P) * sp.log(1 - _Q),
            WrongAnswer(
                "only the regret",
                _P * sp.log(_P / _Q) + (1 - _P) * sp.log((1 - _P) / (1 - _Q)),
                "This is 0 at q = p. The best forecaster still pays for the coin's own randomness.",
            ),
            WrongAnswer("only the outcome 1", -_P * sp.log(_Q), _OTHER_SIDE),
            WrongAnswer(
                "outcomes exchanged",
                -_P * sp.log(1 - _Q) - (1 - _P) * sp.log(_Q),
                "You exchange the outcomes: y = 1 has probability p and costs −ln q.",
            ),
            WrongAnswer(
                "truth and forecast exchanged",
                -_Q * sp.log(_P) - (1 - _Q) * sp.log(1 - _P),
                "Who is the truth? The outcome 1 comes with probability p; q only enters the loss.",
            ),
            WrongAnswer(
                "sign",
                _P * sp.log(_Q) + (1 - _P) * sp.log(1 - _Q),
                "Check the sign: a loss is a cost, and this is negative.",
            ),
            WrongAnswer("0.7 for p", -_COIN * sp.log(_Q) - (1 - _COIN) * sp.log(1 - _Q), _KEEP_P),
        ),
        "brier": _formula(
            _EXPECTED["brier"],
            WrongAnswer(
                "only the regret",
                (_Q - _P) ** 2,
                "This is 0 at q = p. The best forecaster still pays for the coin's own randomness.",
            ),
            WrongAnswer("only the outcome 1", _P * (_Q - 1) ** 2, _OTHER_SIDE),
            WrongAnswer(
                "outcomes exchanged",
                _P * _Q**2 + (1 - _P) * (_Q - 1) ** 2,
                "You exchange the outcomes: y = 1 has probability p and costs (q − 1)².",
            ),
            WrongAnswer("0.7 for p", _COIN * (_Q - 1) ** 2 + (1 - _COIN) * _Q**2, _KEEP_P),
        ),
    },
    explanation="Weigh what each outcome costs by its probability. For the Brier score, then complete the square.",
    proofs=(scores.the_two_expected_losses,),
)

MINIMUM = Question(
    id="two-scores.minimum",
    title="(a) the smallest expected losses at p = 0.7",
    parts={
        "cross_entropy": Part(
            _MINIMUM["cross_entropy"],
            (
                *_NO_MINIMUM,
                WrongAnswer("only the outcome 1", -sp.log(_COIN), _ONLY_ONE),
                WrongAnswer(
                    "entropy in bits",
                    _MINIMUM["cross_entropy"] / sp.log(2),
                    "This is the entropy in bits. The book's logarithms are natural.",
                ),
            ),
        ),
        "brier": Part(
            _MINIMUM["brier"],
            (
                *_NO_MINIMUM,
                WrongAnswer("only the outcome 1", (1 - _COIN) ** 2, _ONLY_ONE),
                WrongAnswer(
                    "summed over both classes",
                    2 * _MINIMUM["brier"],
                    "This adds the errors of both classes. Here the Brier score is (q − y)², once.",
                ),
            ),
        ),
    },
    explanation="At $q=p$ what remains is the entropy of the coin and its variance. " + _values(_MINIMUM),
)

_NEGATIVE_REGRET = "Check the sign: no forecast costs less than the honest one."

REGRET_FORMULA = Question(
    id="two-scores.regret_formula",
    title="(b) the regrets",
    parts={
        "cross_entropy": _formula(
            _P * sp.log(_P / _Q) + (1 - _P) * sp.log((1 - _P) / (1 - _Q)),
            WrongAnswer(
                "reversed divergence",
                _Q * sp.log(_Q / _P) + (1 - _Q) * sp.log((1 - _Q) / (1 - _P)),
                "Who is the truth? You let the outcomes follow q and scored p.",
            ),
            WrongAnswer(
                "expected loss",
                -_P * sp.log(_Q) - (1 - _P) * sp.log(1 - _Q),
                "This is the expected loss. Subtract what the honest forecast costs.",
            ),
            WrongAnswer(
                "only the outcome 1",
                _P * sp.log(_P / _Q),
                "The outcome 0 contributes too, and without it the regret could be negative.",
            ),
            WrongAnswer(
                "sign",
                _P * sp.log(_Q / _P) + (1 - _P) * sp.log((1 - _Q) / (1 - _P)),
                _NEGATIVE_REGRET,
            ),
            WrongAnswer(
                "0.7 for p",
                _COIN * sp.log(_COIN / _Q) + (1 - _COIN) * sp.log((1 - _COIN) / (1 - _Q)),
                _KEEP_P,
            ),
        ),
        "brier": _formula(
            (_Q - _P) ** 2,
            WrongAnswer(
                "expected loss",
                _EXPECTED["brier"],
                "This is the expected loss. Subtract what the honest forecast costs.",
            ),
            WrongAnswer(
                "not squared", _Q - _P, "This is the error, and it can be negative. What does it cost?"
            ),
            WrongAnswer("sign", -((_Q - _P) ** 2), _NEGATIVE_REGRET),
            WrongAnswer("0.7 for p", (_Q - _COIN) ** 2, _KEEP_P),
        ),
    },
    explanation="Subtract the expected loss at $q=p$ from that at $q$. Both regrets are 0 at $q=p$ and nowhere else.",
    proofs=(scores.regrets_of_the_two_scores,),
)

REGRET = Question(
    id="two-scores.regret",
    title="(b) the regret of saying 0.9",
    parts={
        "cross_entropy": Part(
            _REGRET["cross_entropy"],
            (
                WrongAnswer(
                    "reversed divergence",
                    _at(scores.regret(symbolic_cross_entropy), _COIN, _SAID),
                    "Who is the truth? You let the outcomes follow q and scored p.",
                ),
                WrongAnswer(
                    "expected loss",
                    _at(_EXPECTED["cross_entropy"], _SAID, _COIN),
                    "This is the expected loss of saying 0.9. Subtract what the honest forecast costs.",
                ),
                WrongAnswer("sign", -_REGRET["cross_entropy"], _NEGATIVE_REGRET),
            ),
        ),
        "brier": Part(
            _REGRET["brier"],
            (
                WrongAnswer(
                    "expected loss",
                    _at(_EXPECTED["brier"], _SAID, _COIN),
                    "This is the expected loss of saying 0.9. Subtract what the honest forecast costs.",
                ),
                WrongAnswer(
                    "not squared", _SAID - _COIN, "This is q − p. What is the regret, not the error?"
                ),
                WrongAnswer("sign", -_REGRET["brier"], _NEGATIVE_REGRET),
            ),
        ),
    },
    explanation="Put $p=0.7$ and $q=0.9$ into the two regrets. " + _values(_REGRET),
)

_CURVATURE_IN_Z = "This is the curvature in z. The question asks for the second derivative in q."

CURVATURE = Question(
    id="two-scores.curvature",
    title="(c) the curvatures at the truth",
    parts={
        "cross_entropy": Part(
            _CURVATURE["cross_entropy"],
            (
                WrongAnswer("curvature in the logit", _COIN * (1 - _COIN), _CURVATURE_IN_Z),
                WrongAnswer(
                    "one outcome, not weighted",
                    1 / _COIN**2,
                    "This is one term, and not weighted: average over both outcomes, then differentiate.",
                ),
                WrongAnswer(
                    "one outcome",
                    1 / _COIN,
                    "The outcome 0 bends the curve too: differentiate both terms.",
                ),
            ),
        ),
        "brier": Part(
            _CURVATURE["brier"],
            (
                WrongAnswer(
                    "factor 2 lost", sp.Integer(1), "Differentiate the square twice: where did the 2 go?"
                ),
                WrongAnswer("curvature in the logit", 2 * (_COIN * (1 - _COIN)) ** 2, _CURVATURE_IN_Z),
            ),
        ),
    },
    explanation="Differentiate the expected losses twice in $q$ and put $q=p=0.7$. " + _values(_CURVATURE),
    proofs=(scores.curvatures_at_the_truth,),
)

_IN_Q = "This is the slope in q. The model moves z: which factor does the chain rule add?"
_REVERSED = "The sign is reversed: where q < y, raising z must lower the loss."

SLOPES = Question(
    id="two-scores.slopes",
    title="(d) the slopes in the logit",
    parts={
        "cross_entropy": Part(
            _Q - _Y,
            (
                WrongAnswer("derivative in q", (_Q - _Y) / (_Q * (1 - _Q)), _IN_Q),
                WrongAnswer("sign", _Y - _Q, _REVERSED),
                WrongAnswer(
                    "factor too many",
                    (_Q - _Y) * _Q * (1 - _Q),
                    "You have one factor q(1 − q) too many: what is the derivative of the loss in q, before the chain rule?",
                ),
            ),
        ),
        "brier": Part(
            2 * (_Q - _Y) * _Q * (1 - _Q),
            (
                WrongAnswer("derivative in q", 2 * (_Q - _Y), _IN_Q),
                WrongAnswer("sign", 2 * (_Y - _Q) * _Q * (1 - _Q), _REVERSED),
                WrongAnswer(
                    "factor 2 lost",
                    (_Q - _Y) * _Q * (1 - _Q),
                    "Differentiate the square: where did the 2 go?",
                ),
            ),
        ),
    },
    explanation="Differentiate in $q$, then multiply by $\\frac{dq}{dz}=q(1-q)$.",
    proofs=(scores.slopes_in_the_logit,),
)

CONVEXITY = Question(
    id="two-scores.convexity",
    title="(e) convex or not",
    parts={
        "": Part(
            "not convex",
            (
                WrongAnswer(
                    "convex in q, so convex in z",
                    "convex",
                    "Convexity in q does not carry over: it is not kept by a change of variable that is not affine.",
                ),
            ),
            choices=("convex", "not convex"),
        )
    },
    explanation="Convexity in $q$ is lost on the way to $z$, because $\\sigma$ is not affine.",
)

INFLECTION = Question(
    id="two-scores.inflection",
    title="(e) where the Brier score bends",
    parts={
        "": Part(
            -sp.log(2),
            (
                WrongAnswer(
                    "inflection at q = 1/2",
                    sp.Integer(0),
                    "Differentiate twice in z, then factor out 2q(1 − q)²: a linear factor remains, and it is not 2q − 1.",
                ),
                WrongAnswer(
                    "the forecast in place of the logit",
                    sp.Rational(1, 3),
                    "That is the forecast q. At which logit z is σ(z) equal to it?",
                ),
                WrongAnswer(
                    "sign", sp.log(2), "Check σ at your z: the forecast there must be below one half."
                ),
                WrongAnswer(
                    "inflection in the forecast",
                    sp.Rational(1, 2),
                    "Is this a forecast? The question asks for a logit. And differentiate twice in z, not in q.",
                ),
            ),
        )
    },
    explanation="The second derivative in $z$ is $2q(1-q)^2(3q-1)$: it changes sign at $q=\\frac13$.",
    proofs=(scores.brier_bends_down_on_its_shoulder,),
)

BEST_ABSOLUTE = Question(
    id="two-scores.best_absolute",
    title="(f) the best forecast under the absolute score",
    parts={
        "": Part(
            sp.Integer(1),
            (
                WrongAnswer(
                    "the honest forecast",
                    _COIN,
                    "That would make the score proper. Write the expectation of |q − Y|: which kind of function of q is it?",
                ),
                WrongAnswer(
                    "no opinion",
                    sp.Rational(1, 2),
                    "Write the expectation of |q − Y|: what is its slope in q?",
                ),
                WrongAnswer(
                    "the wrong end",
                    sp.Integer(0),
                    "The right kind of answer, at the wrong end: which outcome is more likely?",
                ),
            ),
        )
    },
    explanation="The expectation of $|q-Y|$ is a straight line in $q$ with the slope $1-2p=-0.4$: its lowest point is the end $q=1$.",
    proofs=(scores.absolute_score_is_improper,),
)

EXERCISE = Exercise(
    id="two-scores",
    title="Two proper scores, two landscapes",
    teaches="Two losses with the same best forecast can differ in how hard that forecast is to reach.",
    needs="derivatives, the chain rule, section 1.1",
    minutes=75,
    seconds=15,
    items=(
        EXPECTED,
        MINIMUM,
        REGRET_FORMULA,
        REGRET,
        CURVATURE,
        SLOPES,
        CONVEXITY,
        INFLECTION,
        BEST_ABSOLUTE,
        EXPECTED_LOSS,
        GRAD_LOGIT,
    ),
)
