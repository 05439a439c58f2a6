"""The last exercise: five mistakes that were found in published code and texts."""

from __future__ import annotations

import sympy as sp

from .found_in_the_wild_losses import BINARY_CROSS_ENTROPY, SMOOTHED_LOSS
from .found_in_the_wild_slopes import PENALISED_STEP, SLOPE
from .tasks import Exercise, Part, Question, WrongAnswer

_Z, _W = sp.symbols("z w", real=True)
_EPS, _ETA, _LAMBDA = sp.symbols("epsilon eta lambda", positive=True)
_SIGMOID = 1 / (1 + sp.exp(-_Z))

SWAPPED = Question(
    id="found-in-the-wild.swapped",
    title="case 1, found minus right",
    parts={
        "gap": Part(
            _Z,
            (
                WrongAnswer("the other way", -_Z, "This is right minus found. Subtract the other way."),
                WrongAnswer(
                    "the right loss",
                    sp.log(1 + sp.exp(-_Z)),
                    "This is the right loss of the label 1. Subtract it from the loss as found.",
                ),
                WrongAnswer(
                    "the loss as found",
                    sp.log(1 + sp.exp(_Z)),
                    "This is the loss as found. Subtract the right one from it.",
                ),
                WrongAnswer(
                    "nothing",
                    sp.Integer(0),
                    "They agree at one logit, not at all of them. Put in z = 3.",
                ),
            ),
        ),
        "blind": Part(
            sp.Integer(0),
            (
                WrongAnswer(
                    "a probability", sp.Rational(1, 2), "That is the probability. Which logit belongs to it?"
                ),
                WrongAnswer("the value", sp.log(2), "That is what both cost there. At which logit?"),
                WrongAnswer("one", sp.Integer(1), "At z = 1 the two differ. Put your gap to 0 and solve."),
            ),
        ),
        "slope": Part(
            _SIGMOID,
            (
                WrongAnswer(
                    "the right loss",
                    _SIGMOID - 1,
                    "This is the slope of the right loss. Differentiate the one as found.",
                ),
                WrongAnswer("sign", -_SIGMOID, "Check the sign: −ln(1 − σ) grows as the logit grows."),
                WrongAnswer(
                    "of the probability",
                    _SIGMOID * (1 - _SIGMOID),
                    "This is the slope of the sigmoid. Divide by the probability that stands in the logarithm.",
                ),
                WrongAnswer(
                    "the inner slope forgotten",
                    1 / (1 - _SIGMOID),
                    "You differentiated in the probability. Go on to the logit.",
                ),
            ),
        ),
    },
    explanation=(
        "As found, the label 1 costs $-\\ln(1-\\sigma(z))$, and it should cost $-\\ln\\sigma(z)$. The difference is "
        "$\\ln\\frac{\\sigma(z)}{1-\\sigma(z)}=z$. It is 0 at $z=0$ only: a test at logits of 0, as a network of zero "
        "weights gives them, sees nothing, and any other logit does. The slope $\\sigma(z)>0$ drives the logit of a right "
        "label down. The proof stands with the mend."
    ),
)

_K_AT_MOST = sp.Integer(9)

SMOOTHED = Question(
    id="found-in-the-wild.smoothed",
    title="case 2, the targets",
    parts={
        "total": Part(
            2 - _EPS,
            (
                WrongAnswer(
                    "a distribution",
                    sp.Integer(1),
                    "That is what the right targets add to. Add those as found.",
                ),
                WrongAnswer(
                    "without the label",
                    1 - _EPS,
                    "This is what is left of the label alone. Add the K shares of 1/K.",
                ),
                WrongAnswer(
                    "an ε too many",
                    1 + _EPS,
                    "The shares add to K · 1/K, and ε of the label is taken away, not added.",
                ),
            ),
        ),
        "classes": Part(
            _K_AT_MOST,
            (
                WrongAnswer(
                    "one too many",
                    sp.Integer(10),
                    "With ten classes the target is exactly 1, so it does not exceed 1. Try one less.",
                ),
                WrongAnswer(
                    "too few", sp.Integer(2), "With two classes it does. Is that the largest number?"
                ),
                WrongAnswer("one too few", sp.Integer(8), "With eight it does. Is that the largest number?"),
            ),
        ),
        "slope": Part(
            _SIGMOID - sp.Rational(7, 5),
            (
                WrongAnswer(
                    "the right target",
                    _SIGMOID - sp.Rational(19, 20),
                    "This is the slope under the right target, 0.95. Take the one as found.",
                ),
                WrongAnswer("no smoothing", _SIGMOID - 1, "This is the slope for the target 1."),
                WrongAnswer(
                    "of the mean",
                    (_SIGMOID - sp.Rational(7, 5)) / 2,
                    "This is the slope of the mean of both terms. Take the label's own term before the mean.",
                ),
                WrongAnswer(
                    "sign",
                    sp.Rational(7, 5) - _SIGMOID,
                    "Check the sign: the slope is prediction minus target.",
                ),
                WrongAnswer(
                    "the other class",
                    _SIGMOID - sp.Rational(1, 2),
                    "This is the slope of the other class, whose target is 1/2.",
                ),
            ),
        ),
    },
    explanation=(
        "$(1-\\varepsilon)+K\\cdot\\frac1K=2-\\varepsilon$. The target of the label is $1-\\varepsilon+\\frac1K$, which exceeds "
        "1 where $K<\\frac1\\varepsilon=10$: up to nine classes. With two classes it is $1.4$, and the slope is "
        "$\\sigma(z)-1.4$. The smallest input that shows it is one row of two classes."
    ),
)

MINIMUM = Question(
    id="found-in-the-wild.minimum",
    title="case 2, where descent ends",
    parts={
        "": Part(
            "nowhere",
            (
                WrongAnswer(
                    "at the right target",
                    "at the probability 0.95",
                    "That is where the slope would be 0 under the right target. Where is your slope 0?",
                ),
                WrongAnswer(
                    "at one",
                    "at the probability 1.4",
                    "There the slope would be 0, but no sigmoid says 1.4. What does descent do then?",
                ),
            ),
            choices=("at the probability 0.95", "at the probability 1.4", "nowhere"),
        )
    },
    explanation=(
        "The slope $\\sigma(z)-1.4$ is below $-0.4$ at every logit: descent raises the logit for ever. Smoothing was meant "
        "to keep it finite. With ten thousand classes $\\frac1K$ is 0.0001, and nobody sees it."
    ),
)

SENTENCE = Question(
    id="found-in-the-wild.sentence",
    title="case 3, the slope and its limit",
    parts={
        "slope": Part(
            _SIGMOID - 1,
            (
                WrongAnswer(
                    "the sentence",
                    (_SIGMOID - 1) * _SIGMOID * (1 - _SIGMOID),
                    "This is the sentence as a formula. Differentiate −ln σ(z) itself, step by step.",
                ),
                WrongAnswer(
                    "of the link", _SIGMOID * (1 - _SIGMOID), "This is the slope of σ. The loss is −ln σ."
                ),
                WrongAnswer("in the probability", -1 / _SIGMOID, "This is the slope in σ. Go on to z."),
                WrongAnswer(
                    "sign", 1 - _SIGMOID, "Check the sign: a larger logit makes the label 1 cheaper."
                ),
            ),
        ),
        "limit": Part(
            sp.Integer(-1),
            (
                WrongAnswer(
                    "the sentence", sp.Integer(0), "So says the sentence. Put z = −10 into your slope."
                ),
                WrongAnswer("sign", sp.Integer(1), "Check the sign of your slope."),
                WrongAnswer("the middle", -sp.Rational(1, 2), "That is the slope at z = 0. Go to the left."),
            ),
        ),
    },
    explanation=(
        "$\\frac d{dz}[-\\ln\\sigma(z)]=-\\frac{\\sigma(z)(1-\\sigma(z))}{\\sigma(z)}=\\sigma(z)-1\\to-1$. At $z=-10$, confident "
        "and wrong, the slope is $-0.99995$; the sentence as a formula gives $-0.000045$. The proof stands with the mend."
    ),
)

TRUE_OF = Question(
    id="found-in-the-wild.true_of",
    title="case 3, where the sentence is true",
    parts={
        "": Part(
            "squared error through a sigmoid",
            (
                WrongAnswer(
                    "hinge",
                    "hinge loss of the logit",
                    "The hinge loss has no sigmoid, and pulls with 1 on every confident mistake.",
                ),
                WrongAnswer(
                    "none",
                    "no loss",
                    "It is true of one that you have met: look at the shoulder of the Brier score.",
                ),
            ),
            choices=("hinge loss of the logit", "squared error through a sigmoid", "no loss"),
        )
    },
    explanation=(
        "The link does saturate. In $\\frac12(\\sigma(z)-1)^2$ nothing cancels its slope, and a confident mistake pulls with "
        "$0.000045$ at $z=-10$. The sentence is right about the link and wrong about the loss."
    ),
)

EXAMPLE = Question(
    id="found-in-the-wild.example",
    title="case 4, the printed number",
    parts={
        "value": Part(
            sp.Rational(18, 100),
            (
                WrongAnswer(
                    "as printed",
                    sp.Rational(1467, 10000),
                    "So says the example. Square the three errors yourself.",
                ),
                WrongAnswer(
                    "the sum", sp.Rational(54, 100), "This is the sum. Divide by the number of errors."
                ),
                WrongAnswer(
                    "half of it",
                    sp.Rational(9, 100),
                    "There is no ½ in this loss: it is the mean of squares.",
                ),
                WrongAnswer(
                    "the root", sp.sqrt(sp.Rational(18, 100)), "This is the root of the mean square."
                ),
                WrongAnswer("absolute", sp.Rational(4, 10), "This is the mean absolute error."),
            ),
        ),
        "squares": Part(
            sp.Rational(44, 100),
            (
                WrongAnswer(
                    "the right sum",
                    sp.Rational(54, 100),
                    "This is the right sum. Which one would give the printed number?",
                ),
                WrongAnswer(
                    "not multiplied",
                    sp.Rational(1467, 10000),
                    "This is the mean. The sum is as many times larger as there are errors.",
                ),
            ),
        ),
    },
    explanation=(
        "The errors are $-0.5$, $-0.5$ and $0.2$, their squares $0.25$, $0.25$ and $0.04$: together $0.54$, on average "
        "$0.18$. The printed $0.1467$ belongs to a sum of $0.44$."
    ),
)

HABIT = Question(
    id="found-in-the-wild.habit",
    title="case 4, the habit that finds it",
    parts={
        "": Part(
            "run the examples as tests",
            (
                WrongAnswer(
                    "gradients",
                    "compare gradients with finite differences",
                    "The function is right, and so are its gradients. What was wrong, and who ever looked at it?",
                ),
                WrongAnswer(
                    "unit tests",
                    "write a unit test of the function",
                    "There was one, with these very numbers, and it passed. It never saw the text of the example.",
                ),
            ),
            choices=(
                "compare gradients with finite differences",
                "write a unit test of the function",
                "run the examples as tests",
            ),
        )
    },
    explanation=(
        "The function and its test were right. Python's `doctest` runs what stands behind `>>>` and compares what it prints "
        "with the text: the only reader of documentation that never skips."
    ),
)

HALVED = Question(
    id="found-in-the-wild.halved",
    title="case 5, the step that stops short",
    parts={
        "gap": Part(
            _ETA * _LAMBDA * _W,
            (
                WrongAnswer(
                    "the other way",
                    -_ETA * _LAMBDA * _W,
                    "This is right minus found. Subtract the other way.",
                ),
                WrongAnswer(
                    "without the rate", _LAMBDA * _W, "The gradient is multiplied by the rate η in a step."
                ),
                WrongAnswer(
                    "the whole pull",
                    2 * _ETA * _LAMBDA * _W,
                    "This is the whole pull of the right penalty. The step as found has some of it.",
                ),
            ),
        ),
        "blind": Part(
            sp.Integer(0),
            (
                WrongAnswer(
                    "one", sp.Integer(1), "At w = 1 the two differ by ηλ. Put your gap to 0 and solve."
                ),
                WrongAnswer(
                    "half", sp.Rational(1, 2), "At w = 1/2 the two differ. Put your gap to 0 and solve."
                ),
            ),
        ),
        "rest": Part(
            1 / (1 + _LAMBDA),
            (
                WrongAnswer(
                    "the right step",
                    1 / (1 + 2 * _LAMBDA),
                    "There the right step comes to rest. Put the gradient as found to 0.",
                ),
                WrongAnswer("no penalty", sp.Integer(1), "There the loss is least without a penalty."),
                WrongAnswer(
                    "with the rate",
                    1 / (1 + _ETA * _LAMBDA),
                    "Where descent rests does not depend on the rate.",
                ),
            ),
        ),
    },
    explanation=(
        "As found the step is $w-\\eta(g+\\lambda w)$, with the right gradient $w-\\eta(g+2\\lambda w)$: the difference is "
        "$\\eta\\lambda w$. Only $w=0$ hides it. With $g=w-1$ the step rests where $w-1+\\lambda w=0$, at "
        "$\\frac1{1+\\lambda}$ in place of $\\frac1{1+2\\lambda}$. The proof stands with the mend."
    ),
)

EXERCISE = Exercise(
    id="found-in-the-wild",
    title="Found in the wild",
    teaches="A loss that trains may still be wrong; one small input and one derivative show it.",
    needs="sigmoid and softmax, derivatives, section 1.1",
    minutes=90,
    seconds=6,
    items=(
        SWAPPED,
        SMOOTHED,
        MINIMUM,
        SENTENCE,
        TRUE_OF,
        EXAMPLE,
        HABIT,
        HALVED,
        BINARY_CROSS_ENTROPY,
        SMOOTHED_LOSS,
        SLOPE,
        PENALISED_STEP,
    ),
)
