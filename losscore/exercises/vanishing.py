"""The exercise on slopes that vanish: smoothed labels and a temperature, one sigmoid a label."""

from __future__ import annotations

import sympy as sp

from ..symbolic import targets
from .tasks import Exercise, Part, Question, WrongAnswer
from .vanishing_slopes import GRAD, LOSS

_EPS, _T = sp.symbols("epsilon T", positive=True)
_Z = sp.Symbol("z", real=True)
_AMOUNT = {_EPS: 1 / (1 + _EPS)}
_HALF = "Each label has two outcomes, and the right one is one of them: how much of ε does each get?"
_COLUMNS = (
    "Each label is a yes-or-no question of its own, whatever the number of labels. How many outcomes has it?"
)
_ORDER = "The two numbers in the wrong order: z → −∞ comes first."
_CHAIN = "You differentiated in z/T. What does the chain rule add?"


def _ends(left: sp.Expr, right: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    return sp.sympify(left), sp.sympify(right)


LIMITS = Question(
    id="vanishing.limits",
    title="(a) both ends",
    parts={
        "smooth": Part(
            _ends(_EPS / 2 - 1, _EPS / 2),
            (
                WrongAnswer("ε in place of its half", _ends(_EPS - 1, _EPS), _HALF),
                WrongAnswer("ε shared by four labels", _ends(_EPS / 4 - 1, _EPS / 4), _COLUMNS),
                WrongAnswer(
                    "ε shared by four labels, mixed with the label",
                    _ends(3 * _EPS / 4 - 1, 3 * _EPS / 4),
                    _COLUMNS + " Four columns are not four classes.",
                ),
                WrongAnswer("order", _ends(_EPS / 2, _EPS / 2 - 1), _ORDER),
                WrongAnswer(
                    "plain", _ends(-1, 0), "These are the ends of the plain slope. Put y′ in place of y."
                ),
                WrongAnswer(
                    "gone on the right",
                    _ends(_EPS / 2 - 1, 0),
                    "The left end is right. On the right σ(z) tends to 1: what is left of σ(z) − y′?",
                ),
                WrongAnswer(
                    "sign",
                    _ends(1 - _EPS / 2, -_EPS / 2),
                    "Check the sign: the slope is prediction minus label, not label minus prediction.",
                ),
            ),
            ranges=_AMOUNT,
        ),
        "temperature": Part(
            _ends(-1 / _T, 0),
            (
                WrongAnswer("1/T lost", _ends(-1, 0), _CHAIN),
                WrongAnswer("order", _ends(0, -1 / _T), _ORDER),
                WrongAnswer(
                    "T in place of 1/T", _ends(-_T, 0), "The inner function is z/T. What is its derivative?"
                ),
                WrongAnswer(
                    "sign",
                    _ends(1 / _T, 0),
                    "Check the sign: for y = 1 a larger logit must lower this loss.",
                ),
            ),
        ),
    },
    explanation=(
        "The slope is prediction minus label, times the inner derivative. With $y'=1-\\frac\\varepsilon2$ it runs from $-y'$ to "
        "$1-y'=\\frac\\varepsilon2$; with $\\sigma(z/T)$ from $-\\frac1T$ to 0."
    ),
)

_ROOT = sp.log((2 - _EPS) / _EPS)

ZERO = Question(
    id="vanishing.zero",
    title="(b) where smoothing lets go",
    parts={
        "logit": Part(
            _ROOT,
            (
                WrongAnswer("ε in place of its half", sp.log((1 - _EPS) / _EPS), _HALF),
                WrongAnswer(
                    "logarithm of the probability",
                    sp.log(1 - _EPS / 2),
                    "This is the logarithm of the probability. Solve σ(z) = 1 − ε/2 for z.",
                ),
                WrongAnswer("sign", -_ROOT, "Check the sign: there the network leans towards 1."),
                WrongAnswer(
                    "other outcome forgotten",
                    sp.log(2 / _EPS),
                    "You divided 1 by the small share. Which two shares make the odds?",
                ),
            ),
            ranges=_AMOUNT,
        ),
        "tenth": Part(
            sp.log(19),
            (
                WrongAnswer("ε in place of its half", sp.log(9), _HALF),
                WrongAnswer("ε shared by four labels", sp.log(39), _COLUMNS),
                WrongAnswer(
                    "probability",
                    sp.Rational(19, 20),
                    "This is the probability there. The question asks for the logit.",
                ),
                WrongAnswer("sign", -sp.log(19), "Check the sign: there the network leans towards 1."),
                WrongAnswer("odds", sp.Integer(19), "These are the odds. The logit is their logarithm."),
            ),
        ),
        "forecast": Part(
            1 - _EPS / 2,
            (
                WrongAnswer("ε in place of its half", 1 - _EPS, _HALF),
                WrongAnswer("ε shared by four labels", 1 - 3 * _EPS / 4, _COLUMNS),
                WrongAnswer(
                    "other outcome",
                    _EPS / 2,
                    "This is the probability of the other outcome. The label is 1.",
                ),
                WrongAnswer(
                    "certain", sp.Integer(1), "No finite logit says 1. Where is prediction minus label 0?"
                ),
            ),
            ranges=_AMOUNT,
        ),
    },
    explanation=(
        "The slope $\\sigma(z)-1+\\frac\\varepsilon2$ is 0 where $\\sigma(z)=1-\\frac\\varepsilon2$. The odds there are "
        f"$\\frac{{2-\\varepsilon}}\\varepsilon$, so $z^*=\\ln\\frac{{2-\\varepsilon}}\\varepsilon$: for $\\varepsilon=0.1$, "
        f"$\\ln19={float(sp.log(19)):.4f}$ at the probability 0.95."
    ),
    proofs=(targets.smoothed_slope_changes_sign,),
)

BEYOND = Question(
    id="vanishing.beyond",
    title="(c) beyond it",
    parts={
        "": Part(
            "it falls",
            (
                WrongAnswer(
                    "further", "it grows", "A step goes against the slope. Which sign has σ(2z*) − 1 + ε/2?"
                ),
                WrongAnswer(
                    "rest",
                    "it stays",
                    "It would stay where the slope is 0. Is it still 0 at 2z*? The slope grows all the way.",
                ),
            ),
            choices=("it grows", "it stays", "it falls"),
        )
    },
    explanation=(
        "The slope grows everywhere and is 0 at $z^*$, so beyond it is positive, and descent lowers $z$: the network is right, "
        "surer than $1-\\frac\\varepsilon2$, and is pulled back."
    ),
)

_FADES = "It does not vanish: multiply before you take the limit."

RATES = Question(
    id="vanishing.rates",
    title="(d) how fast the others fade",
    parts={
        "plain": Part(
            sp.Integer(-1),
            (
                WrongAnswer("sign", sp.Integer(1), "Check the sign: the slope is negative for every z."),
                WrongAnswer("zero", sp.Integer(0), _FADES),
                WrongAnswer(
                    "one half",
                    -sp.Rational(1, 2),
                    "That is the slope at z = 0. Write σ(z) − 1 as one fraction in e^z.",
                ),
            ),
        ),
        "temperature": Part(
            -1 / _T,
            (
                WrongAnswer("1/T lost", sp.Integer(-1), _CHAIN),
                WrongAnswer("sign", 1 / _T, "Check the sign: this slope, too, is negative for every z."),
                WrongAnswer("zero", sp.Integer(0), _FADES),
                WrongAnswer("T in place of 1/T", -_T, "The inner function is z/T. What is its derivative?"),
            ),
        ),
    },
    explanation=(
        "$\\sigma(z)-1=-\\frac1{1+e^z}$ fades like $-e^{-z}$, and $\\frac1T(\\sigma(z/T)-1)$ like $-\\frac1Te^{-z/T}$. For $T>1$ "
        "this is slower, and it ends at the same 0, without a change of sign."
    ),
    proofs=(targets.temperature_never_pulls_back,),
)


_TARGET = sp.Rational(95, 100)


def _slopes(z: int, target: sp.Expr = _TARGET) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """Plain, smoothed to ``target`` and with T = 4, for the label 1."""

    def p(logit: sp.Expr) -> sp.Expr:
        return 1 / (1 + sp.exp(-logit))

    return p(sp.Integer(z)) - 1, p(sp.Integer(z)) - target, (p(sp.Rational(z, 4)) - 1) / 4


_EIGHT, _FORTY = _slopes(8), _slopes(40)[1:]
_EIGHT_BY_EPS, _FORTY_BY_EPS = _slopes(8, sp.Rational(9, 10)), _slopes(40, sp.Rational(9, 10))[1:]

VALUES = Question(
    id="vanishing.values",
    title="(e) right and sure",
    parts={
        "at_8": Part(
            _EIGHT,
            (
                WrongAnswer("ε in place of its half", _EIGHT_BY_EPS, _HALF),
                WrongAnswer("1/T lost", (*_EIGHT[:2], 4 * _EIGHT[2]), _CHAIN),
                WrongAnswer(
                    "T outside only",
                    (*_EIGHT[:2], _EIGHT[0] / 4),
                    "Your third number is a quarter of the first. T stands inside the sigmoid too.",
                ),
                WrongAnswer(
                    "sign",
                    tuple(-slope for slope in _EIGHT),
                    "All signs are reversed: the slope is prediction minus label.",
                ),
            ),
        ),
        "at_40": Part(
            _FORTY,
            (
                WrongAnswer("ε in place of its half", _FORTY_BY_EPS, _HALF),
                WrongAnswer("1/T lost", (_FORTY[0], 4 * _FORTY[1]), _CHAIN),
                WrongAnswer(
                    "zero",
                    (sp.Rational(1, 20), sp.Integer(0)),
                    "Your second number is rounded away, but it is not 0: use 1 − σ(x) = σ(−x).",
                ),
                WrongAnswer(
                    "sign",
                    tuple(-slope for slope in _FORTY),
                    "Both signs are reversed: the slope is prediction minus label.",
                ),
            ),
        ),
    },
    explanation=(
        f"At $z=8$: ${float(_EIGHT[0]):.6f}$, ${float(_EIGHT[1]):+.5f}$ and ${float(_EIGHT[2]):.5f}$. At $z=40$: "
        f"${float(_FORTY[0]):.5f}$ and ${float(_FORTY[1]) * 1e5:.2f}\\cdot10^{{-5}}$. The smoothed slope is the largest in "
        "size, and points the other way."
    ),
)

LAYER = Question(
    id="vanishing.layer",
    title="(f) a temperature is another last layer",
    parts={
        "logit": Part(
            _Z / _T,
            (
                WrongAnswer("the same", _Z, "Then the forecasts would be σ(z) and σ(z/T). They are equal."),
                WrongAnswer(
                    "times T",
                    _Z * _T,
                    "Which of the two has to reach larger logits for the same probability?",
                ),
                WrongAnswer(
                    "probability",
                    1 / (1 + sp.exp(-_Z / _T)),
                    "This is the probability. Which logit gives it, without a temperature?",
                ),
            ),
        ),
        "rate": Part(
            _T**-2,
            (
                WrongAnswer(
                    "1/T",
                    1 / _T,
                    "T enters twice: the slope in V is 1/T of the one in U, and U moves 1/T as far as V.",
                ),
                WrongAnswer(
                    "none",
                    sp.Integer(1),
                    "Both the slope and the distance depend on T. Write one step of V and divide it by T.",
                ),
                WrongAnswer(
                    "inverse",
                    _T**2,
                    "Is the slope in V larger or smaller than that in U = V/T? Differentiate σ(Vh/T) in V.",
                ),
                WrongAnswer(
                    "T",
                    _T,
                    "Write one step of V and divide it by T. The slope in V has a factor 1/T as well.",
                ),
            ),
        ),
    },
    explanation=(
        "With $U=V/T$ the network is the plain one, $\\sigma(Uh)$, so equal forecasts mean the logits $z$ and $z/T$. The slope in "
        "$V$ is $\\frac1T$ of that in $U$, and $U$ moves by $\\frac1T$ of what $V$ moves by: together $\\frac1{T^2}$. Adam, blind "
        "to the size of a slope, loses only the second factor."
    ),
    proofs=(targets.temperature_rescales_the_last_layer,),
)

ALIVE = Question(
    id="vanishing.alive",
    title="which sentence is right",
    parts={
        "": Part(
            "neither",
            (
                WrongAnswer(
                    "smoothing",
                    "the first",
                    "Solve σ(z) = 1 − ε/2 once more. How sure is the network there, and how many of its labels are near?",
                ),
                WrongAnswer(
                    "temperature",
                    "the second",
                    "Put z = 100 into the slope with T = 4. The surest tenth of the labels has come about that far.",
                ),
                WrongAnswer(
                    "both",
                    "both",
                    "Each has a place where it is wrong: your answer to (b) for one, z = 100 for the other.",
                ),
            ),
            choices=("the first", "the second", "both", "neither"),
        )
    },
    explanation=(
        "Smoothing makes the slope exactly 0 at a finite logit, where the network is right and sure, and most labels gather "
        f"there. A temperature lets it fade to 0 as before, on a longer axis: at $z=100$ and $T=4$ it is "
        f"${float(_slopes(100)[2]) * 1e12:.1f}\\cdot10^{{-12}}$."
    ),
)

EXERCISE = Exercise(
    id="vanishing",
    title="The gradient that never quite… does vanish",
    teaches="A smoothed label stops the logit at a finite place and pulls it back; a temperature rescales the last layer.",
    needs="the sigmoid, binary cross-entropy, limits, section 1.4.3",
    minutes=75,
    seconds=25,
    items=(LIMITS, ZERO, BEYOND, RATES, VALUES, LAYER, LOSS, GRAD, ALIVE),
)
