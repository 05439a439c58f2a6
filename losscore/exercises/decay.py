"""The exercise on two regularisers that no term of the loss shows: the optimiser's decay, and the way descent goes."""

from __future__ import annotations

import sympy as sp

from ..symbolic import decay, implicit
from .decay_margin import GD_LOGISTIC
from .decay_steps import TAKE_STEPS
from .tasks import Answer, Exercise, Part, Question, WrongAnswer


def _pair(*decimals: str) -> Answer:
    return tuple(sp.Rational(decimal) for decimal in decimals)


_HALF_PULL = "Is the penalty λ/2 ‖w‖² or λ‖w‖²? Its gradient is λw here."
_NO_RATE = "The decay is part of the step: it is multiplied by α too."
_UNCORRECTED = (
    "This step is too long. After one step both running means are still near 0, where they began: they are divided by "
    "1 − 0.9 and by 1 − 0.999 before they are used."
)

FIRST_STEP = Question(
    id="decay.first_step",
    title="(a) one step",
    parts={
        "sgd": Part(
            _pair("0.949", "-9.05"),
            (
                WrongAnswer("λ‖w‖²", _pair("0.899", "-9.1"), _HALF_PULL),
                WrongAnswer(
                    "no penalty", _pair("0.999", "-9"), "This is the step on the bare loss. Add λw to g."
                ),
                WrongAnswer("decay without the rate", _pair("0.499", "-9.5"), _NO_RATE),
                WrongAnswer("sign", _pair("1.051", "11.05"), "This walks uphill. Descent subtracts."),
                WrongAnswer(
                    "penalty subtracted",
                    _pair("1.049", "-8.95"),
                    "This makes the weights grow. Does the penalty pull towards 0 or away from it?",
                ),
            ),
        ),
        "adam": Part(
            _pair("0.9", "0.9"),
            (
                WrongAnswer(
                    "plain descent",
                    _pair("0.949", "-9.05"),
                    "This is plain descent. Adam divides each coordinate by the root of its own mean square.",
                ),
                WrongAnswer(
                    "decoupled",
                    _pair("0.85", "0.85"),
                    "This decays beside Adam. Here the penalty is part of the loss: what becomes of λw when g + λw is "
                    "divided by its own size?",
                ),
                WrongAnswer("uncorrected", _uncorrected := (1 - 1 / sp.sqrt(10),) * 2, _UNCORRECTED),
                WrongAnswer(
                    "sign",
                    _pair("1.1", "1.1"),
                    "This walks uphill. Both gradients are positive, so both weights fall.",
                ),
            ),
        ),
        "adamw": Part(
            _pair("0.85", "0.85"),
            (
                WrongAnswer(
                    "new weights decayed",
                    _pair("0.855", "0.855"),
                    "Which weights are decayed, the old ones or the new?",
                ),
                WrongAnswer(
                    "coupled",
                    _pair("0.9", "0.9"),
                    "This is Adam without decay. AdamW multiplies the weights by 1 − αλ as well.",
                ),
                WrongAnswer("decay without the rate", _pair("0.4", "0.4"), _NO_RATE),
                WrongAnswer(
                    "decay alone",
                    _pair("0.95", "0.95"),
                    "This is the decay alone. Adam takes its step as well.",
                ),
                WrongAnswer(
                    "uncorrected", tuple(one - sp.Rational(1, 20) for one in _uncorrected), _UNCORRECTED
                ),
            ),
        ),
    },
    explanation=(
        "Plain descent: $w-\\alpha(g+\\lambda w)=(1-0.1\\cdot0.51,\\ 1-0.1\\cdot100.5)=(0.949,-9.05)$. Adam's first direction "
        "is $\\hat a/\\sqrt{\\hat s}=\\operatorname{sign}(g+\\lambda w)=(1,1)$, so $w=(0.9,0.9)$. AdamW shrinks the old weights to "
        "$0.95$ and takes the same step: $(0.85,0.85)$."
    ),
    proofs=(decay.adam_rescales_the_penalty,),
)

LARGER = Question(
    id="decay.larger",
    title="(b) ten times the penalty",
    parts={
        "": Part(
            "just as far",
            (
                WrongAnswer(
                    "further",
                    "ten times as far",
                    "Put λ = 5 into your first step of Adam. What is the corrected mean over the root of the corrected "
                    "mean square, after one step?",
                ),
                WrongAnswer(
                    "a little further",
                    "a little further",
                    "A pull is added to g, and then the sum is divided by its own size. What is left of that size?",
                ),
            ),
            choices=("just as far", "a little further", "ten times as far"),
        )
    },
    explanation=(
        "After one step $\\hat a/\\sqrt{\\hat s}=(g+\\lambda w)/\\lvert g+\\lambda w\\rvert$: the size of the sum cancels, "
        "whatever $\\lambda\\geq0$ is. Only its sign counts, and here that is positive anyhow."
    ),
)

_ALPHA, _LAMBDA, _MU, _W = sp.symbols("alpha lambda mu w", positive=True)
_T, _R = sp.symbols("t r", positive=True)

MOMENTUM = Question(
    id="decay.momentum",
    title="(c) the penalty and the factor",
    parts={
        "factor": Part(
            1 - _ALPHA * _LAMBDA,
            (
                WrongAnswer("λ‖w‖²", 1 - 2 * _ALPHA * _LAMBDA, _HALF_PULL),
                WrongAnswer("without the rate", 1 - _LAMBDA, _NO_RATE),
                WrongAnswer(
                    "what is taken",
                    _ALPHA * _LAMBDA,
                    "This is the share that goes. The factor is the share that stays.",
                ),
                WrongAnswer(
                    "exponential",
                    sp.exp(-_ALPHA * _LAMBDA),
                    "That is what many small steps come to. The question is about one step.",
                ),
            ),
        ),
        "gap": Part(
            -_ALPHA * _MU * _LAMBDA * _W,
            (
                WrongAnswer(
                    "none",
                    sp.Integer(0),
                    "They agree after the first step. What stands in the buffer of each when the second begins?",
                ),
                WrongAnswer(
                    "sign",
                    _ALPHA * _MU * _LAMBDA * _W,
                    "The penalty pulls once more than the decay. Check the sign.",
                ),
                WrongAnswer(
                    "without the rate",
                    -_MU * _LAMBDA * _W,
                    "The buffer is multiplied by the rate before it moves w.",
                ),
                WrongAnswer(
                    "without the momentum",
                    -_ALPHA * _LAMBDA * _W,
                    "Of what the buffer held after the first step only the share μ is left in the second.",
                ),
                WrongAnswer(
                    "shrunken weight",
                    -_ALPHA * _MU * _LAMBDA * (1 - _ALPHA * _LAMBDA) * _W,
                    "The pull in the buffer is that of the first step. At which weight was it taken?",
                ),
            ),
        ),
    },
    explanation=(
        "$w-\\alpha(g+\\lambda w)=(1-\\alpha\\lambda)w-\\alpha g$. With momentum the penalty's first pull $\\lambda w$ stands in the "
        "buffer, and $\\mu$ of it pulls again: after two steps the penalised weight is lower by $\\alpha\\mu\\lambda w$."
    ),
    proofs=(decay.decay_is_the_penalty_of_plain_descent,),
)

_LEFT = (1 - sp.Rational(1, 2000)) ** 1000

LEFT = Question(
    id="decay.left",
    title="(d) what a thousand steps of noise leave",
    parts={
        "": Part(
            _LEFT,
            (
                WrongAnswer(
                    "nothing lost",
                    sp.Integer(1),
                    "Noise moves a weight to and fro. The decay goes one way: count its factors.",
                ),
                WrongAnswer(
                    "linear",
                    sp.Rational(1, 2),
                    "This takes away the same piece each time. A factor takes ever less.",
                ),
                WrongAnswer(
                    "in the limit",
                    sp.exp(-sp.Rational(1, 2)),
                    "Nearly: that is left after infinitely many small steps. How large is each factor here, and how many are there?",
                ),
                WrongAnswer("one step", 1 - sp.Rational(1, 2000), "This is one step. There are a thousand."),
                WrongAnswer("without the rate", sp.Rational(1, 2) ** 1000, _NO_RATE),
                WrongAnswer("what is lost", 1 - _LEFT, "This is what is lost. How much is left?"),
            ),
        )
    },
    explanation=(
        f"The noise is symmetric, so Adam's direction has mean 0, and the mean weight is multiplied by $1-\\alpha\\lambda$ in "
        f"every step: $(1-0.0005)^{{1000}}={float(_LEFT):.5f}$, close to $e^{{-1/2}}={float(sp.exp(-sp.Rational(1, 2))):.5f}$."
    ),
)

_SHORTEST = (sp.Rational(4, 9), sp.Rational(10, 27))
_LENGTH = 2 * sp.sqrt(61) / 27

WIDEST = Question(
    id="decay.widest",
    title="(e) the widest margin",
    parts={
        "": Part(
            _SHORTEST,
            (
                WrongAnswer(
                    "with a bias",
                    (sp.Rational(6, 13), sp.Rational(4, 13)),
                    "This is the widest margin with a bias: its line passes beside 0. Here there is none. Which margin does "
                    "(−1, −1.5) get from your w alone?",
                ),
                WrongAnswer(
                    "unit length",
                    tuple(entry / _LENGTH for entry in _SHORTEST),
                    "The direction is right. Its length is fixed by the constraint: the smallest margin is exactly 1.",
                ),
                WrongAnswer(
                    "one point",
                    (sp.Rational(4, 13), sp.Rational(6, 13)),
                    "You let (−1, −1.5) alone touch. Which margin does (−2, −0.3) get?",
                ),
                WrongAnswer(
                    "first two points",
                    (sp.Rational(3, 7), sp.Rational(2, 7)),
                    "You let (1, 2) and (2, 0.5) touch. Which margin does (−1, −1.5) get?",
                ),
                WrongAnswer(
                    "the second and fourth points",
                    (sp.Rational(2, 5), sp.Rational(2, 5)),
                    "You let (2, 0.5) and (−1, −1.5) touch. Which margin does (−2, −0.3) get?",
                ),
                WrongAnswer(
                    "sign",
                    tuple(-entry for entry in _SHORTEST),
                    "This puts every point on the wrong side. Multiply each point by its label first.",
                ),
            ),
        )
    },
    explanation=(
        "Multiply each point by its label. The fourth, $(1,1.5)$, and the fifth, $(2,0.3)$, touch: $w_1+1.5w_2=1$ and "
        "$2w_1+0.3w_2=1$ give $\\hat w=(\\frac49,\\frac{10}{27})$. The other margins are larger than 1, and $\\hat w$ is a "
        "combination of the two with positive weights: no shorter $w$ has these margins."
    ),
    proofs=(implicit.descent_grows_along_the_widest_margin,),
)

GROWTH = Question(
    id="decay.growth",
    title="(f) how the weights grow",
    parts={
        "pull": Part(
            1 / (1 + _T ** (1 + _R)),
            (
                WrongAnswer(
                    "exponential tail",
                    _T ** -(1 + _R),
                    "That is the tail, which the logistic loss reaches only for large margins. Write its exact pull.",
                ),
                WrongAnswer(
                    "tail of a touching point",
                    1 / _T,
                    "This is the tail for a point that touches, r = 0. Write the exact pull, for any r.",
                ),
                WrongAnswer(
                    "touching",
                    1 / (1 + _T),
                    "This is a point that touches. Yours has the margin (1 + r) ln t.",
                ),
                WrongAnswer(
                    "other side",
                    _T ** (1 + _R) / (1 + _T ** (1 + _R)),
                    "This comes near 1: it is the probability of the label. The pull is what it lacks.",
                ),
                WrongAnswer(
                    "sign",
                    -1 / (1 + _T ** (1 + _R)),
                    "This is the slope of the loss. The pull is minus the slope.",
                ),
                WrongAnswer(
                    "loss in place of the pull",
                    sp.log(1 + _T ** -(1 + _R)),
                    "This is the loss of the point. The pull is the size of its slope in the margin.",
                ),
                WrongAnswer(
                    "margin r",
                    1 / (1 + _T**_R),
                    "Along ŵ ln t the point has the margin (1 + r) ln t, not r ln t.",
                ),
            ),
        ),
        "decade": Part(
            sp.log(10) * _LENGTH,
            (
                WrongAnswer(
                    "without the logarithm",
                    _LENGTH,
                    "This is the length of ŵ. By how much does ln t grow when t becomes ten times as large?",
                ),
                WrongAnswer(
                    "without the length",
                    sp.log(10),
                    "By this ln t grows. The weights grow by it times the length of ŵ.",
                ),
                WrongAnswer(
                    "divided by the length",
                    sp.log(10) / _LENGTH,
                    "You divide by the length of ŵ. The margin grows by ln 10; which w gives the margin 1?",
                ),
                WrongAnswer(
                    "factor",
                    sp.Integer(10),
                    "The length is not multiplied in a decade: something is added to it.",
                ),
            ),
        ),
    },
    explanation=(
        "The pull is $\\sigma(-m)$ at the margin $m=(1+r)\\ln t$. A touching point, $r=0$, pulls like $\\frac1t$, and the sum of "
        f"such pulls is $\\hat w\\ln t$. Points further out fade: the proof stands with (e). A decade adds $\\ln10\\cdot\\lVert\\hat w\\rVert="
        f"2.303\\cdot{float(_LENGTH):.4f}={float(sp.log(10) * _LENGTH):.2f}$."
    ),
)

LATER = Question(
    id="decay.later",
    title="what the growing angle means",
    parts={
        "": Part(
            "the limit holds, on a longer clock",
            (
                WrongAnswer(
                    "false theorem",
                    "the theorem fails here",
                    "The theorem speaks of the limit. What does the other curve, the same way on a faster clock, do?",
                ),
                WrongAnswer(
                    "bug",
                    "the descent has a bug",
                    "A correction of order 1/ln t need not fall steadily. Compare the lengths of the weights with your answer in (f).",
                ),
                WrongAnswer(
                    "step too long",
                    "the step is too long",
                    "With a step of 1/β the loss falls every time, as your check has found. Look at what the angle does when the "
                    "way is walked faster still.",
                ),
            ),
            choices=(
                "the theorem fails here",
                "the step is too long",
                "the descent has a bug",
                "the limit holds, on a longer clock",
            ),
        )
    },
    explanation=(
        "$w_t=\\hat w\\ln t+\\text{a correction}$: the angle is the correction over $\\ln t$. The correction itself is still "
        "changing after $10^5$ steps, and nothing says that their quotient falls all the time. The rescaled walk shows the limit."
    ),
)

EXERCISE = Exercise(
    id="decay",
    title="Decay is not a penalty; descent has a taste",
    teaches="Two regularisers stand in no term of the loss: the decay in the optimiser, and the direction that descent takes.",
    needs="gradients, Adam, the logistic loss, section 1.4",
    minutes=100,
    seconds=10,
    items=(FIRST_STEP, LARGER, MOMENTUM, LEFT, WIDEST, GROWTH, TAKE_STEPS, GD_LOGISTIC, LATER),
)
