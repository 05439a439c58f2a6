"""The exercise on Fisher consistency: which class a loss elects when data and model have no limits."""

from __future__ import annotations

import sympy as sp

from ..symbolic import consistency, surrogates
from .consistency_minimiser import MINIMISER
from .consistency_risk import RISK
from .tasks import Exercise, Part, Question, WrongAnswer

_ETA = sp.Symbol("eta", positive=True)


def _numbers(*percent: int) -> tuple[sp.Expr, ...]:
    return tuple(sp.Rational(share, 100) for share in percent)


_CROWDED, _MAJORITY = _numbers(40, 35, 25), _numbers(60, 25, 15)
_NOBODY, _FIRST = (sp.Integer(-1),) * 3, (sp.Integer(1), sp.Integer(-1), sp.Integer(-1))


def _formula(value: sp.Expr, *wrong_answers: WrongAnswer) -> Part:
    """An answer in the probability eta, strictly between 0 and 1."""
    return Part(value, wrong_answers, ranges={_ETA: 1 / (1 + _ETA)})


def _hinge_risk(scores: tuple[sp.Expr, ...], eta: tuple[sp.Expr, ...]) -> sp.Expr:
    return sp.Add(*(e * sp.Max(0, 1 - f) + (1 - e) * sp.Max(0, 1 + f) for f, e in zip(scores, eta)))


def _entropy(eta: tuple[sp.Expr, ...]) -> sp.Expr:
    return -sp.Add(*(e * sp.log(e) for e in eta))


SLOPE = Question(
    id="consistency.slope",
    title="(a) the slope of one class",
    parts={
        "": _formula(
            1 - 2 * _ETA,
            WrongAnswer(
                "sign",
                2 * _ETA - 1,
                "The sign is reversed: a class that never comes must be cheapest at low scores.",
            ),
            WrongAnswer(
                "only when the class comes",
                -_ETA,
                "This is what the class's own label adds. The others, which come with probability 1 − η, push the score too.",
            ),
            WrongAnswer(
                "only when another comes",
                1 - _ETA,
                "This is what the other labels add. The class's own label, which comes with probability η, pulls the other way.",
            ),
            WrongAnswer(
                "value at 0",
                sp.Integer(1),
                "This is the height of the line at the score 0. The question asks how steep it is.",
            ),
        )
    },
    explanation=(
        "On $(-1,1)$ both maxima are positive, so the class's share of the risk is $\\eta(1-f)+(1-\\eta)(1+f)=1+(1-2\\eta)f$."
    ),
    proofs=(consistency.one_vs_all_hinge_elects_nobody,),
)

_ALIKE = "At (0, 0, 0) each class costs 1. Your slope in (a) is not 0 here: on which side does each class get cheaper?"

CROWDED = Question(
    id="consistency.crowded",
    title="(b) no majority",
    parts={
        "scores": Part(
            _NOBODY,
            (
                WrongAnswer(
                    "the likeliest class wins",
                    _FIRST,
                    "Look at class 1 by itself and compare what its two ends cost: 2η₁ at −1 and 2(1 − η₁) at 1.",
                ),
                WrongAnswer("undecided", (sp.Integer(0),) * 3, _ALIKE),
                WrongAnswer(
                    "labels 1 and 0",
                    (sp.Integer(1), sp.Integer(0), sp.Integer(0)),
                    "A score of 0 lies in the middle of the line of (a), which is steep there. Classes 2 and 3 get cheaper further down.",
                ),
                WrongAnswer(
                    "expected label",
                    tuple(2 * e - 1 for e in _CROWDED),
                    "That is the mean of the labels ±1, the answer of squared error. A line is least at one of its ends.",
                ),
                WrongAnswer(
                    "all for everybody",
                    (sp.Integer(1),) * 3,
                    "Check the sign of your slope: no class comes more often than not.",
                ),
            ),
        ),
        "risk": Part(
            _hinge_risk(_NOBODY, _CROWDED),
            (
                WrongAnswer(
                    "the likeliest class wins",
                    _hinge_risk(_FIRST, _CROWDED),
                    "This is what (1, −1, −1) costs. Is there anything cheaper?",
                ),
                WrongAnswer("undecided", sp.Integer(3), _ALIKE),
                WrongAnswer(
                    "mean in place of the sum",
                    sp.Rational(2, 3),
                    "You divide by the number of classes; this loss adds its hinges up.",
                ),
            ),
        ),
    },
    explanation=(
        "Every $\\eta_k$ is below ½, so every line of (a) rises and is least at its left end, $f_k=-1$. Each class costs "
        "$2\\eta_k$ there, together 2. The scores $(1,-1,-1)$ cost "
        f"${float(_hinge_risk(_FIRST, _CROWDED)):.1f}$. All three classes tie: nobody is elected."
    ),
)

MAJORITY = Question(
    id="consistency.majority",
    title="(c) a majority",
    parts={
        "scores": Part(
            _FIRST,
            (
                WrongAnswer(
                    "as without a majority",
                    _NOBODY,
                    "What is the sign of the slope of class 1 when it comes more often than not?",
                ),
                WrongAnswer(
                    "labels 1 and 0",
                    (sp.Integer(1), sp.Integer(0), sp.Integer(0)),
                    "Class 1 is right. The other two lines still rise: where is each of them least?",
                ),
            ),
        ),
        "risk": Part(
            _hinge_risk(_FIRST, _MAJORITY),
            (
                WrongAnswer(
                    "all at −1",
                    sp.Integer(2),
                    "This is what (−1, −1, −1) costs, with any η. Is there anything cheaper here?",
                ),
                WrongAnswer(
                    "class 1 counts as free",
                    2 * (_MAJORITY[1] + _MAJORITY[2]),
                    "At its score 1, class 1 is free only when it comes. What does it cost when it does not?",
                ),
            ),
        ),
    },
    explanation=(
        "Now the line of class 1 falls, so $f_1=1$ and the others stay at −1: the risk is "
        f"$2(1-\\eta_1)+2\\eta_2+2\\eta_3=4(1-\\eta_1)={float(_hinge_risk(_FIRST, _MAJORITY)):.1f}$, and the loss elects the right class."
    ),
)

_FLAT = "f1 and f2 anywhere in [-1, 1], f3 at most -1"

HALVES = Question(
    id="consistency.halves",
    title="(d) two halves and a class that never comes",
    parts={
        "": Part(
            _FLAT,
            (
                WrongAnswer(
                    "a single point",
                    "f1 = f2 = 0, f3 = -1 only",
                    "These scores are optimal, but are they alone? With η = ½, what is your slope in (a)?",
                ),
                WrongAnswer(
                    "third class pinned",
                    "f1 and f2 anywhere in [-1, 1], f3 = -1 only",
                    "Right for classes 1 and 2. Class 3 never comes: what does it cost at −5?",
                ),
                WrongAnswer(
                    "both elected",
                    "f1 = f2 = 1, f3 = -1 only",
                    "These scores are optimal. So is (−1, −1, −1): compute both risks.",
                ),
            ),
            choices=(
                "f1 = f2 = 0, f3 = -1 only",
                "f1 = f2 = 1, f3 = -1 only",
                "f1 and f2 anywhere in [-1, 1], f3 = -1 only",
                _FLAT,
            ),
        )
    },
    explanation=(
        "With $\\eta=\\frac12$ the line is flat between −1 and 1, and any score there costs 1. A class that never comes costs "
        "$\\max(0,1+f_3)$, which is 0 for every $f_3\\leq-1$."
    ),
)

CROSS_ENTROPY = Question(
    id="consistency.cross_entropy",
    title="(e) the least cross-entropy",
    parts={
        "crowded": Part(
            _entropy(_CROWDED),
            (
                WrongAnswer(
                    "base 2",
                    _entropy(_CROWDED) / sp.log(2),
                    "You took logarithms to base 2; the book's are natural.",
                ),
                WrongAnswer(
                    "equal shares",
                    sp.log(3),
                    "This is what three equal probabilities cost. Is there a better forecast than that?",
                ),
                WrongAnswer(
                    "only the likeliest class",
                    -sp.log(_CROWDED[0]),
                    "This is what the loss is when class 1 comes. Weigh the three cases by their probabilities.",
                ),
                WrongAnswer(
                    "sign",
                    -_entropy(_CROWDED),
                    "Check the sign: a logarithm of a probability is negative, a loss is not.",
                ),
                WrongAnswer(
                    "zero",
                    sp.Integer(0),
                    "Even the best forecast pays, because the class is drawn. Which forecast is best, and what does it cost?",
                ),
            ),
        ),
        "halves": Part(
            sp.log(2),
            (
                WrongAnswer(
                    "base 2", sp.Integer(1), "You took logarithms to base 2; the book's are natural."
                ),
                WrongAnswer(
                    "three classes", sp.log(3), "Class 3 never comes, so no probability need be spent on it."
                ),
                WrongAnswer(
                    "zero",
                    sp.Integer(0),
                    "Classes 1 and 2 are a coin flip: what does the best forecast of a coin cost?",
                ),
            ),
        ),
        "reached": Part(
            "no",
            (
                WrongAnswer(
                    "yes",
                    "yes",
                    "Which finite logits give class 3 the probability 0 exactly?",
                ),
            ),
            choices=("yes", "no"),
        ),
    },
    explanation=(
        "The best softmax is $\\eta$ itself, $f_k=\\ln\\eta_k+c$, and costs the entropy: "
        f"$H(\\eta)={float(_entropy(_CROWDED)):.4f}$. At $(\\frac12,\\frac12,0)$ the cost sinks towards $\\ln2$ as "
        "$f_3\\to-\\infty$ and never gets there: an infimum, not a minimum."
    ),
    proofs=(consistency.cross_entropy_finds_the_probabilities,),
)

SQUARED_ERROR = Question(
    id="consistency.squared_error",
    title="(f) squared error",
    parts={
        "scores": Part(
            _CROWDED,
            (
                WrongAnswer(
                    "one-hot",
                    (sp.Integer(1), sp.Integer(0), sp.Integer(0)),
                    "Which number has the least mean squared distance to a label that is 1 with probability 0.40 and 0 otherwise?",
                ),
                WrongAnswer(
                    "logits",
                    tuple(sp.log(e) for e in _CROWDED),
                    "No softmax stands between these scores and the loss.",
                ),
                WrongAnswer(
                    "labels ±1",
                    tuple(2 * e - 1 for e in _CROWDED),
                    "Here the labels are 1 and 0, not ±1.",
                ),
            ),
        ),
        "risk": Part(
            1 - sp.Add(*(e**2 for e in _CROWDED)),
            (
                WrongAnswer(
                    "only the norm",
                    sp.Add(*(e**2 for e in _CROWDED)),
                    "This is ‖η‖². What is left of E‖f − e_Y‖² at f = η when you expand the square?",
                ),
                WrongAnswer(
                    "zero",
                    sp.Integer(0),
                    "The label is drawn, so it scatters around the best scores. That costs.",
                ),
                WrongAnswer(
                    "mean in place of the sum",
                    (1 - sp.Add(*(e**2 for e in _CROWDED))) / 3,
                    "You divide by the number of classes; this loss adds its squares up.",
                ),
            ),
        ),
    },
    explanation=(
        "Each component is a mean: $f=\\eta$. The risk that remains is $\\sum_k\\eta_k(1-\\eta_k)=1-\\lVert\\eta\\rVert^2="
        f"{float(1 - sp.Add(*(e**2 for e in _CROWDED))):.3f}$."
    ),
    proofs=(consistency.squared_error_finds_the_probabilities,),
)

LOGISTIC = Question(
    id="consistency.logistic",
    title="(g) the logistic loss, one against all",
    parts={
        "": _formula(
            sp.log(_ETA / (1 - _ETA)),
            WrongAnswer(
                "softmax",
                sp.log(_ETA),
                "This is the logit of a softmax. Here each class has a sigmoid of its own: which score has σ(f) = η?",
            ),
            WrongAnswer(
                "reversed",
                sp.log((1 - _ETA) / _ETA),
                "This score falls as the class gets likelier. Check a sign.",
            ),
            WrongAnswer(
                "half",
                sp.log(_ETA / (1 - _ETA)) / 2,
                "The half belongs to the exponential loss. Set σ(f) − η to 0.",
            ),
            WrongAnswer(
                "probability", _ETA, "This is the probability; which score has a sigmoid of this size?"
            ),
            WrongAnswer(
                "odds",
                _ETA / (1 - _ETA),
                "These are the odds, which are never negative. σ(f) = η is still to be solved for f.",
            ),
        )
    },
    explanation=(
        "The slope of the class's share of the risk is $\\sigma(f)-\\eta$, so $\\sigma(f_k)=\\eta_k$: the log-odds, which "
        "rise with $\\eta_k$. The largest score belongs to the likeliest class, for every $K$."
    ),
    proofs=(consistency.two_ways_to_elect_the_best,),
)

LOT = Question(
    id="consistency.lot",
    title="(h) what a tie costs",
    parts={
        "by_lot": Part(
            sp.Rational(1, 3),
            (
                WrongAnswer(
                    "a lucky order",
                    _CROWDED[0],
                    "That is what argmax reports because class 1 happens to stand first. Renumber the classes: what would it report "
                    "then, and what on average over the orders?",
                ),
                WrongAnswer(
                    "always wrong",
                    sp.Integer(0),
                    "A class drawn by lot is right now and then. How often is each of the three?",
                ),
                WrongAnswer(
                    "share of errors",
                    sp.Rational(2, 3),
                    "This is the share of errors. The question asks for that of hits.",
                ),
            ),
        ),
        "best": Part(
            _CROWDED[0],
            (
                WrongAnswer(
                    "certainty",
                    sp.Integer(1),
                    "The class is drawn, so even somebody who knows η errs. How often is the likeliest class right?",
                ),
                WrongAnswer(
                    "share of errors",
                    1 - _CROWDED[0],
                    "This is the share of errors. The question asks for that of hits.",
                ),
                WrongAnswer(
                    "by lot",
                    sp.Rational(1, 3),
                    "A rule that knows η need not draw lots. Which class should it name, always?",
                ),
            ),
        ),
    },
    explanation=(
        "A class drawn by lot is right with probability $\\frac13(\\eta_1+\\eta_2+\\eta_3)=\\frac13$, whatever $\\eta$ is; the "
        "likeliest class with probability $\\eta_1$. `argmax` breaks ties by the order of the classes, which here is "
        "lucky: with another class in front it would report less."
    ),
)

TWO = Question(
    id="consistency.two",
    title="(i) two classes",
    parts={
        "": Part(
            "yes",
            (
                WrongAnswer(
                    "no",
                    "no",
                    "With two classes, how small can the larger of the two probabilities be? Which part of your answers (b) and (c) "
                    "applies?",
                ),
                WrongAnswer(
                    "depends",
                    "only if one class has at least 60 %",
                    "In (c) the number 0.60 was an example. From which probability on does the line of (a) fall?",
                ),
            ),
            choices=("yes", "no", "only if one class has at least 60 %"),
        )
    },
    explanation=(
        "Of two classes one has more than ½ unless they tie, so its line falls and the other's rises: the scores are "
        "$(1,-1)$ or $(-1,1)$, and the decision is right. The hinge of two classes is consistent; what it forgets is how "
        "large the probability was."
    ),
    proofs=(surrogates.hinge_forgets_the_probability,),
)

VERDICT = Question(
    id="consistency.verdict",
    title="what does the theorem say?",
    parts={
        "": Part(
            "a table of free scores may fail, however many examples it sees",
            (
                WrongAnswer(
                    "useless",
                    "one-vs-all support vector machines are useless",
                    "The theorem speaks of all functions, unlimited data and inputs where no class has a majority. Is that your "
                    "problem?",
                ),
                WrongAnswer(
                    "more data",
                    "with enough examples the gap closes",
                    "Read the table once more, from left to right: which rows go to 0?",
                ),
                WrongAnswer(
                    "one against all",
                    "every one-vs-all loss fails",
                    "Look at the row of the logistic loss, and at your answer to (g).",
                ),
            ),
            choices=(
                "one-vs-all support vector machines are useless",
                "with enough examples the gap closes",
                "every one-vs-all loss fails",
                "a table of free scores may fail, however many examples it sees",
            ),
        )
    },
    explanation=(
        "Inconsistency is a statement about the limit: unlimited data, and a model that can be any function. There the "
        "one-vs-all hinge ties wherever no class has a majority, and more data make the ties exact. It says nothing "
        "about a small model on inputs that are nearly unambiguous, where such machines do well."
    ),
)

EXERCISE = Exercise(
    id="consistency",
    title="When a reasonable loss elects the wrong class",
    teaches="A convex loss that is right for two classes may elect nobody among three, and no amount of data mends it.",
    needs="expectations, the softmax and the sigmoid, section 1.2 up to the proper scores",
    minutes=75,
    seconds=10,
    items=(
        SLOPE,
        CROWDED,
        MAJORITY,
        HALVES,
        CROSS_ENTROPY,
        SQUARED_ERROR,
        LOGISTIC,
        LOT,
        TWO,
        RISK,
        MINIMISER,
        VERDICT,
    ),
)
