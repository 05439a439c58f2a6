"""The exercise on how hard a wrong label pulls, under the exponential and under the logistic loss."""

from __future__ import annotations

import sympy as sp

from ..symbolic import margins
from .pull_functions import MARGIN_LOSS, WEIGHT
from .tasks import Exercise, Part, Question, WrongAnswer

_M = sp.Symbol("m", real=True)
_ETA = sp.Symbol("eta", positive=True)
_W = sp.Symbol("w", real=True)
_RIGHT, _PLACE, _FAR = 40, 4, 100


def _sigmoid(x: sp.Expr) -> sp.Expr:
    return 1 / (1 + sp.exp(-x))


def _exponential_end(right: int = _RIGHT, place: int = _PLACE, factor: int = _PLACE) -> sp.Expr:
    """Where ``right`` points at 1 balance one at ``place`` whose pull is multiplied by ``factor``."""
    return sp.log(sp.Rational(right, factor)) / (1 + place)


def _logistic_end(right: int = _RIGHT, place: int = _PLACE, factor: int = _PLACE) -> sp.Expr:
    """The same for the logistic loss, to many digits."""
    balance = right * _sigmoid(-_W) - factor * _sigmoid(place * _W)
    return sp.nsolve(balance, _W, (-1, 5), solver="bisect", prec=30, verify=False)


def _share(wrong: sp.Expr, right: sp.Expr, factor: int = _PLACE) -> sp.Expr:
    """The share of one point whose pull is multiplied by ``factor``, among 40 others."""
    return factor * wrong / (factor * wrong + _RIGHT * right)


_LOG_ENDS = {name: _logistic_end(**given) for name, given in {
    "": {}, "feature forgotten": {"factor": 1}, "half of the points": {"right": 20},
    "far": {"place": _FAR, "factor": _FAR},
}.items()}  # fmt: skip
_EXP_WRONG, _EXP_RIGHT = sp.exp(_PLACE), sp.exp(-1)
_LOG_WRONG, _LOG_RIGHT = _sigmoid(sp.Integer(_PLACE)), _sigmoid(sp.Integer(-1))
_LOGISTIC = sp.log(1 + sp.exp(-_M))

TAILS = Question(
    id="pull.tails",
    title="(a) the two tails",
    parts={
        "gap": Part(
            sp.Integer(0),
            (
                WrongAnswer(
                    "of the loss alone",
                    sp.oo,
                    "The loss alone has no limit there. The question adds m to it.",
                ),
                WrongAnswer(
                    "at m = 0",
                    sp.log(2),
                    "This is the value at m = 0. Pull e^(−m) out of the logarithm first.",
                ),
                WrongAnswer("1 for the 1", sp.Integer(1), "Pull e^(−m) out of the logarithm: ln 1 is not 1."),
            ),
        ),
        "weight": Part(
            sp.Integer(1),
            (
                WrongAnswer(
                    "the other end",
                    sp.Integer(0),
                    "That is the limit at the other end, for points that are right by far. Write the weight as σ(−m) and let "
                    "m fall.",
                ),
                WrongAnswer(
                    "no bound",
                    sp.oo,
                    "The exponential weight has no bound. Write the logistic one as σ(−m): which values does a σ take?",
                ),
                WrongAnswer("at m = 0", sp.Rational(1, 2), "This is the weight at m = 0. Let m fall on."),
                WrongAnswer("sign", sp.Integer(-1), "This is the slope. The weight is minus the slope."),
            ),
        ),
        "ratio": Part(
            1 + sp.exp(-_M),
            (
                WrongAnswer(
                    "left tail",
                    sp.exp(-_M),
                    "This takes the logistic weight for 1. That is so in the limit on the left; the question asks for every m.",
                ),
                WrongAnswer(
                    "upside down", 1 / (1 + sp.exp(-_M)), "This is the logistic weight over the other."
                ),
                WrongAnswer(
                    "sign of the exponent",
                    1 + sp.exp(_M),
                    "This grows to the right. Which of the two weights is σ(−m), which is e^(−m)?",
                ),
                WrongAnswer(
                    "of the losses",
                    sp.exp(-_M) / _LOGISTIC,
                    "This is the ratio of the losses, not of their slopes.",
                ),
            ),
        ),
    },
    explanation=(
        "$\\ln(1+e^{-m})=-m+\\ln(1+e^m)$, and the last term goes to 0 on the left. The weight is $\\sigma(-m)$, which goes to 1. The "
        "exponential weight is $e^{-m}=\\sigma(-m)\\,(1+e^{-m})$: the same on the right, and $1+e^4\\approx"
        f"{float(1 + sp.exp(4)):.1f}$ times as large at $m=-4$."
    ),
    proofs=(margins.right_tails_are_alike, margins.pull_of_a_wrong_label),
)

_NO_FEATURE = (
    "You forgot the feature of the wrong point: its margin is −4w, and the chain rule brings a 4 in front."
)
_ONE_GROUP = "Only 20 points pull to the right here. Which way do the 20 points at −1 pull?"

FIT = Question(
    id="pull.fit",
    title="(b) where the weight ends",
    parts={
        "exponential": Part(
            _exponential_end(),
            (
                WrongAnswer("feature forgotten", _exponential_end(factor=1), _NO_FEATURE),
                WrongAnswer(
                    "one exponent",
                    sp.log(10),
                    "Divide the equation by e^(−w): what becomes of the exponent on the other side?",
                ),
                WrongAnswer(
                    "exponents subtracted",
                    sp.log(10) / 3,
                    "Divide the equation by e^(−w): the exponents add.",
                ),
                WrongAnswer("half of the points", _exponential_end(right=20), _ONE_GROUP),
                WrongAnswer(
                    "sign",
                    -_exponential_end(),
                    "Check a sign: at w = 0 the 40 right points pull ten times as hard as the wrong one.",
                ),
            ),
        ),
        "logistic": Part(
            _LOG_ENDS[""],
            (
                WrongAnswer(
                    "right tail everywhere",
                    sp.log(10),
                    "σ(4w) ≈ 1 is fine, but is 1/(1 + e^w) equal to e^(−w)?",
                ),
                WrongAnswer(
                    "one step of approximation",
                    sp.log(9),
                    "This takes σ(4w) for 1. It is right to four digits, so type it as a decimal number; the exact root lies a "
                    "little higher.",
                ),
                WrongAnswer(
                    "exponential",
                    _exponential_end(),
                    "Here the exponential fit ends. Put the logistic weights in.",
                ),
                WrongAnswer("feature forgotten", _LOG_ENDS["feature forgotten"], _NO_FEATURE),
                WrongAnswer("half of the points", _LOG_ENDS["half of the points"], _ONE_GROUP),
            ),
        ),
    },
    explanation=(
        "The 40 right points have the margin $w$ and the feature 1, the wrong one $-4w$ and 4: $40e^{-w}=4e^{4w}$, so "
        f"$w=\\frac15\\ln10={float(_exponential_end()):.4f}$; and $40\\,\\sigma(-w)=4\\,\\sigma(4w)$. With $\\sigma(4w)\\approx1$ "
        f"the second gives $1+e^w\\approx10$; the root is ${float(_LOG_ENDS['']):.4f}$, hardly above $\\ln9$."
    ),
    proofs=(margins.one_wrong_label_on_a_line,),
)

_NO_FEATURE_IN_SHARE = "The gradient in w is weight times feature. Which feature has the wrong point?"
_ODDS = "This is the pull of the wrong point over that of the others. The question asks for its share of the total."
_COUNT = "This is its share of the points. How much does each of them pull?"
_LABEL = "You give the wrong point a positive margin at w = 1. Its label is −1."

SHARE = Question(
    id="pull.share",
    title="(c) the share of one point",
    parts={
        "exponential": Part(
            _share(_EXP_WRONG, _EXP_RIGHT),
            (
                WrongAnswer("feature forgotten", _share(_EXP_WRONG, _EXP_RIGHT, 1), _NO_FEATURE_IN_SHARE),
                WrongAnswer("ratio", _PLACE * _EXP_WRONG / (_RIGHT * _EXP_RIGHT), _ODDS),
                WrongAnswer("count", sp.Rational(1, _RIGHT + 1), _COUNT),
                WrongAnswer("label forgotten", _share(1 / _EXP_WRONG, _EXP_RIGHT), _LABEL),
                WrongAnswer(
                    "sign of the margin",
                    _share(1 / _EXP_WRONG, 1 / _EXP_RIGHT),
                    "Which margin is negative at w = 1? There the pull is the large one.",
                ),
            ),
        ),
        "logistic": Part(
            _share(_LOG_WRONG, _LOG_RIGHT),
            (
                WrongAnswer("feature forgotten", _share(_LOG_WRONG, _LOG_RIGHT, 1), _NO_FEATURE_IN_SHARE),
                WrongAnswer("ratio", _PLACE * _LOG_WRONG / (_RIGHT * _LOG_RIGHT), _ODDS),
                WrongAnswer("count", sp.Rational(1, _RIGHT + 1), _COUNT),
                WrongAnswer(
                    "share of the loss",
                    _share(_LOGISTIC.subs(_M, -_PLACE), _LOGISTIC.subs(_M, 1), 1),
                    "This is its share of the loss. The question asks for its share of the gradient.",
                ),
                WrongAnswer("label forgotten", _share(_sigmoid(sp.Integer(-_PLACE)), _LOG_RIGHT), _LABEL),
                WrongAnswer(
                    "sign of the margin",
                    _share(_sigmoid(sp.Integer(-_PLACE)), _sigmoid(sp.Integer(1))),
                    "The logistic weight is σ(−m), not σ(m): who is wrong pulls harder.",
                ),
            ),
        ),
    },
    explanation=(
        "The wrong point has the margin $-4$ and the feature 4, the others the margin 1 and the feature 1. Exponential: "
        f"$\\frac{{4e^4}}{{4e^4+40e^{{-1}}}}={float(_share(_EXP_WRONG, _EXP_RIGHT)):.4f}$. Logistic: "
        f"$\\frac{{4\\sigma(4)}}{{4\\sigma(4)+40\\sigma(-1)}}={float(_share(_LOG_WRONG, _LOG_RIGHT)):.4f}$."
    ),
)

FAR = Question(
    id="pull.far",
    title="(d) a wrong label far out",
    parts={
        "turn": Part(
            sp.Integer(_RIGHT),
            (
                WrongAnswer("half of the points", sp.Integer(20), _ONE_GROUP),
                WrongAnswer(
                    "for the place 4",
                    sp.Integer(10),
                    "This is how far 40 points outweigh a feature of 4. Compare the pulls at w = 0 for any feature x.",
                ),
                WrongAnswer("count", sp.Integer(_RIGHT + 1), "The wrong point does not pull against itself."),
                WrongAnswer(
                    "never",
                    sp.oo,
                    "The weight is below 1, the gradient is weight times feature. Is the feature bounded?",
                ),
            ),
        ),
        "logistic": Part(
            _LOG_ENDS["far"],
            (
                WrongAnswer(
                    "sign",
                    -_LOG_ENDS["far"],
                    "Check the sign: at w = 0, which way do 40 points at 1 and one of the label −1 at 100 push?",
                ),
                WrongAnswer(
                    "exponential",
                    _exponential_end(place=_FAR, factor=_FAR),
                    "Here the exponential fit ends. Put the logistic weights in.",
                ),
                WrongAnswer(
                    "feature forgotten",
                    _LOG_ENDS["feature forgotten"],
                    "You moved the margin to −100w and left the factor in front of the weight at 1.",
                ),
                WrongAnswer(
                    "place 4",
                    _LOG_ENDS[""],
                    "This is the fit with the wrong point at 4. σ(100w) ≈ 1 no longer helps: is w still positive?",
                ),
            ),
        ),
    },
    explanation=(
        "At $w=0$ every margin is 0, so all weights are equal, and 40 features of 1 stand against one of $x$: beyond $x=40$ the "
        f"loss still falls towards $w<0$. At $x=100$ the root of $40\\,\\sigma(-w)=100\\,\\sigma(100w)$ is "
        f"${float(_LOG_ENDS['far']):.4f}$."
    ),
    proofs=(margins.leverage_outvotes_every_convex_loss,),
)

HARMLESS = Question(
    id="pull.harmless",
    title="(d) is a bounded weight enough?",
    parts={
        "": Part(
            "no, the feature multiplies it",
            (
                WrongAnswer(
                    "yes",
                    "yes",
                    "The weight bounds the gradient in the score. By the chain rule, what is the gradient in w?",
                ),
                WrongAnswer(
                    "unbounded weight",
                    "no, the weight exceeds 1",
                    "It never does: look at (a). Something else in the gradient has no bound.",
                ),
            ),
            choices=("yes", "no, the weight exceeds 1", "no, the feature multiplies it"),
        )
    },
    explanation=(
        "The gradient in $w$ is $-y\\,\\sigma(-m)\\,x$. The logistic loss bounds the first factor, nothing bounds the second: at "
        "$x=100$ one point turns the fit of forty."
    ),
)

_ODDS_OF_ETA = sp.log(_ETA / (1 - _ETA))
_NOT_A_PROBABILITY = (
    "This is the probability. The best score is any real number: set the slope of the expected loss to 0."
)
_SIGN_OF_THE_SCORE = "Check the sign: where +1 is likelier, the best score is positive."

POPULATION = Question(
    id="pull.population",
    title="(e) the best scores",
    parts={
        "exponential": Part(
            _ODDS_OF_ETA / 2,
            (
                WrongAnswer(
                    "log-odds",
                    _ODDS_OF_ETA,
                    "Set η e^(−f) = (1 − η) e^f and bring both exponentials to one side: how many f stand in the exponent?",
                ),
                WrongAnswer("twice", 2 * _ODDS_OF_ETA, "You doubled where you had to halve: solve for f."),
                WrongAnswer("sign", -_ODDS_OF_ETA / 2, _SIGN_OF_THE_SCORE),
                WrongAnswer("probability", _ETA, _NOT_A_PROBABILITY),
            ),
            ranges={_ETA: 1 / (1 + _ETA)},
        ),
        "logistic": Part(
            _ODDS_OF_ETA,
            (
                WrongAnswer(
                    "half",
                    _ODDS_OF_ETA / 2,
                    "This is the score of the exponential loss. Here η σ(−f) = (1 − η) σ(f).",
                ),
                WrongAnswer("sign", -_ODDS_OF_ETA, _SIGN_OF_THE_SCORE),
                WrongAnswer("probability", _ETA, _NOT_A_PROBABILITY),
                WrongAnswer("log", sp.log(_ETA), "This is ln η, never positive. What becomes of 1 − η?"),
            ),
            ranges={_ETA: 1 / (1 + _ETA)},
        ),
    },
    explanation=(
        "Exponential: $\\eta e^{-f}=(1-\\eta)e^f$ gives $e^{2f}=\\frac\\eta{1-\\eta}$. Logistic: "
        "$\\eta\\,\\sigma(-f)=(1-\\eta)\\,\\sigma(f)$ gives $e^f=\\frac\\eta{1-\\eta}$."
    ),
    proofs=(margins.what_the_score_means,),
)

DIFFER = Question(
    id="pull.differ",
    title="would the two classifiers differ?",
    parts={
        "": Part(
            "no",
            (
                WrongAnswer(
                    "scores",
                    "yes, their scores differ",
                    "Their scores do, by the factor ½. Does that change a sign?",
                ),
                WrongAnswer(
                    "lines",
                    "yes, as their lines do",
                    "A line is one score for all places, and must trade one place for another. What if each place had its own?",
                ),
            ),
            choices=("yes, their scores differ", "yes, as their lines do", "no"),
        )
    },
    explanation=(
        "By (e) the best scores are $\\frac12\\ln\\frac\\eta{1-\\eta}$ and $\\ln\\frac\\eta{1-\\eta}$: other numbers, the same sign "
        "everywhere. The lines differ because a line cannot have the best score at every place, and the two losses weigh its "
        "misses differently."
    ),
)

EXERCISE = Exercise(
    id="pull",
    title="Who pulls the boundary?",
    teaches="The logistic loss caps what a wrong label weighs in its score, and nothing caps the feature by which it acts.",
    needs="the chain rule, limits, section 1.3",
    minutes=75,
    seconds=8,
    items=(TAILS, FIT, SHARE, FAR, HARMLESS, POPULATION, MARGIN_LOSS, WEIGHT, DIFFER),
)
