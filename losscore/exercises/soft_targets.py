"""The exercise on soft targets: label smoothing and distillation as one family."""

from __future__ import annotations

import sympy as sp

from ..symbolic import distilling, targets
from .soft_targets_functions import KD, SMOOTH, SOFT_CE
from .tasks import Exercise, Part, Question, WrongAnswer

_EPS, _ETA, _P, _Q, _T_K, _HEAT = sp.symbols("eps eta p q t T", positive=True)
_Z, _V = sp.symbols("z v", real=True)
_K = sp.Symbol("K", integer=True, positive=True)
_SHARES = {s: 1 / (1 + s) for s in (_EPS, _ETA)}
_TEACHER = tuple(sp.Rational(n, 10) for n in (7, 2, 1))
_STUDENT = tuple(sp.Rational(n, 10) for n in (5, 3, 2))


def _divergence(first: tuple[sp.Expr, ...], second: tuple[sp.Expr, ...]) -> sp.Expr:
    return sp.Add(*(a * sp.log(a / b) for a, b in zip(first, second)))


def _cross_entropy(first: tuple[sp.Expr, ...], second: tuple[sp.Expr, ...]) -> sp.Expr:
    return -sp.Add(*(a * sp.log(b) for a, b in zip(first, second)))


TARGET = Question(
    id="soft-targets.target",
    title="(a) the smoothed target",
    parts={
        "own": Part(
            1 - _EPS + _EPS / _K,
            (
                WrongAnswer(
                    "1 − ε",
                    1 - _EPS,
                    "The smeared ε also falls on the true class: it is one of the K that share it.",
                ),
                WrongAnswer(
                    "shares subtracted",
                    1 - _EPS / _K,
                    "All of ε is taken from the label before it is shared; you took away one share.",
                ),
                WrongAnswer(
                    "on top", 1 + _EPS / _K, "This is more than 1. What is first taken from the label?"
                ),
            ),
            ranges=_SHARES,
        ),
        "other": Part(
            _EPS / _K,
            (
                WrongAnswer(
                    "shared by the others",
                    _EPS / (_K - 1),
                    "How many classes share ε on this page: the others, or all?",
                ),
                WrongAnswer("not shared", _EPS, "All K classes share ε."),
                WrongAnswer("uniform", 1 / _K, "This is the share at ε = 1."),
            ),
            ranges=_SHARES,
        ),
    },
    explanation=(
        "$(1-\\varepsilon)\\cdot1+\\frac\\varepsilon K$ for the true class and $\\frac\\varepsilon K$ for each other. With $K=10$ and "
        "$\\varepsilon=0.1$ the true class gets 0.91, not 0.9."
    ),
    proofs=(targets.smoothing_mixes_the_label_with_uniform,),
)

GAP = Question(
    id="soft-targets.gap",
    title="(b) the gap at the optimum",
    parts={
        "": Part(
            sp.log(91),
            (
                WrongAnswer(
                    "0.9 to 0.1",
                    sp.log(9),
                    "This compares 0.9 with all that is left. The gap is to one other class: take the ratio of two targets, and the "
                    "others have ε/K each.",
                ),
                WrongAnswer(
                    "ε among the others",
                    sp.log(81),
                    "This takes the targets 0.9 and 0.1/9. Use those of (a).",
                ),
                WrongAnswer(
                    "0.9 for the label", sp.log(90), "This takes 0.9 for the true class. Look at (a)."
                ),
                WrongAnswer(
                    "to all others together",
                    sp.log(sp.Rational(91, 9)),
                    "This compares the true class with all others together. The gap is to one of them.",
                ),
                WrongAnswer(
                    "no logarithm", sp.Integer(91), "This is the ratio. What does it say about logits?"
                ),
                WrongAnswer(
                    "sign", -sp.log(91), "Check the sign: the true class is ahead, so the gap is positive."
                ),
            ),
        )
    },
    explanation=(
        "At the optimum $p$ is the target, and $z_j-z_k=\\ln\\frac{p_j}{p_k}=\\ln\\frac{0.91}{0.01}=\\ln91="
        f"{float(sp.log(91)):.4f}$. One-hot targets have no optimum: the gap would grow without end."
    ),
    proofs=(targets.smoothing_bounds_the_gap,),
)

SLOPE = Question(
    id="soft-targets.slope",
    title="(c) the gradient",
    parts={
        "": Part(
            _P - _T_K,
            (
                WrongAnswer(
                    "sign", _T_K - _P, "The sign is reversed: too high a probability must be pushed down."
                ),
                WrongAnswer(
                    "own term alone",
                    -_T_K * (1 - _P),
                    "You differentiated the term of this class alone. Its logit stands in the softmax of all the others too.",
                ),
                WrongAnswer(
                    "slope in p", -_T_K / _P, "This is the slope in the probability. Go on to the logit."
                ),
                WrongAnswer(
                    "hard label", _P - 1, "This is the gradient for a one-hot label. Here the target is t."
                ),
            ),
            ranges={s: 1 / (1 + s) for s in (_P, _T_K)},
        )
    },
    explanation=(
        "$-\\sum_jt_j\\ln p_j=-\\sum_jt_jz_j+\\ln\\sum_je^{z_j}$, as the targets add to 1. The slope in $z_k$ is $-t_k+p_k$."
    ),
)

BEST = Question(
    id="soft-targets.best",
    title="(d) the best forecast under smoothing",
    parts={
        "": Part(
            (1 - _EPS) * _ETA + _EPS / _K,
            (
                WrongAnswer(
                    "the truth",
                    _ETA,
                    "Without smoothing, yes. Which target does a class have on average, if it is the label with probability η?",
                ),
                WrongAnswer(
                    "the way back",
                    (_ETA - _EPS / _K) / (1 - _EPS),
                    "This is the way back, from the forecast to the truth.",
                ),
                WrongAnswer(
                    "uniform lost", (1 - _EPS) * _ETA, "These do not add to 1. Where is the other part?"
                ),
                WrongAnswer(
                    "ε to each", (1 - _EPS) * _ETA + _EPS, "These add to more than 1: ε is shared by all K."
                ),
                WrongAnswer(
                    "ε among the others",
                    (1 - _EPS) * _ETA + (1 - _ETA) * _EPS / (_K - 1),
                    "This shares ε among the other classes only. Take the targets of (a).",
                ),
                WrongAnswer(
                    "K − 1 shares",
                    (1 - _EPS) * _ETA + _EPS / (_K - 1),
                    "These add to more than 1: add them up over the K classes. How many share ε?",
                ),
                WrongAnswer(
                    "only where it is the label",
                    _ETA * (1 - _EPS + _EPS / _K),
                    "This counts the draws in which the class is the label. What does it get in the others?",
                ),
                WrongAnswer(
                    "target of the label",
                    1 - _EPS + _EPS / _K,
                    "This is the target where the class is the label for sure. Here it is so with probability η.",
                ),
            ),
            ranges=_SHARES,
        )
    },
    explanation=(
        "The loss is linear in the target, so the expected loss is that of the mean target: "
        "$\\eta_k(1-\\varepsilon+\\frac\\varepsilon K)+(1-\\eta_k)\\frac\\varepsilon K=(1-\\varepsilon)\\eta_k+\\frac\\varepsilon K$. "
        "It keeps the order of the classes and is less confident than the truth."
    ),
    proofs=(targets.smoothing_pulls_the_forecast_to_uniform,),
)

_REVERSED = "This is the divergence the other way round. The first of the two gives the weights."
_NOT_LESS_THE_ENTROPY = "This is the cross-entropy. Subtract the entropy of the one that gives the weights."
_BITS = "This is in bits. The page uses the natural logarithm."


def _of_divergence(first: tuple[sp.Expr, ...], second: tuple[sp.Expr, ...]) -> Part:
    value = _divergence(first, second)
    return Part(
        value,
        (
            WrongAnswer("reversed", _divergence(second, first), _REVERSED),
            WrongAnswer("cross-entropy", _cross_entropy(first, second), _NOT_LESS_THE_ENTROPY),
            WrongAnswer("bits", value / sp.log(2), _BITS),
            WrongAnswer(
                "sign", -value, "A divergence is never negative: which ratio stands under the logarithm?"
            ),
        ),
    )


DIVERGENCE = Question(
    id="soft-targets.divergence",
    title="(e) the two divergences",
    parts={
        "teacher_first": _of_divergence(_TEACHER, _STUDENT),
        "student_first": _of_divergence(_STUDENT, _TEACHER),
    },
    explanation=(
        "$D_{KL}(q\\|p)=\\sum_kq_k\\ln\\frac{q_k}{p_k}$: with the teacher first "
        f"${float(_divergence(_TEACHER, _STUDENT)):.4f}$, with the student first "
        f"${float(_divergence(_STUDENT, _TEACHER)):.4f}$. Distillation has the teacher first: it plays the truth. "
        "The derivation writes $\\pi$ for $q$, and $t$ for the teacher's logits $v$."
    ),
    proofs=(distilling.divergence_is_zero_only_at_the_teacher,),
)

HEAT = Question(
    id="soft-targets.heat",
    title="(f) what heat does to the gradient",
    parts={
        "slope": Part(
            (_P - _Q) / _HEAT,
            (
                WrongAnswer(
                    "no 1/T",
                    _P - _Q,
                    "This is the slope in z/T. By the chain rule, how does z/T change with z?",
                ),
                WrongAnswer(
                    "sign", (_Q - _P) / _HEAT, "The sign is reversed: the student must move to the teacher."
                ),
                WrongAnswer(
                    "T² already there",
                    _HEAT * (_P - _Q),
                    "This is the gradient with the factor T² in front. The question leaves it out.",
                ),
                WrongAnswer(
                    "one T too many",
                    (_P - _Q) / _HEAT**2,
                    "One T comes from the chain rule. A second appears only when p and q are expanded, in the next answer.",
                ),
            ),
            ranges={s: 1 / (1 + s) for s in (_P, _Q)},
        ),
        "hot": Part(
            (_Z - _V) / (_K * _HEAT**2),
            (
                WrongAnswer(
                    "one T",
                    (_Z - _V) / (_K * _HEAT),
                    "You counted one 1/T, from the chain rule. The difference p − q itself shrinks with T as well.",
                ),
                WrongAnswer(
                    "no K", (_Z - _V) / _HEAT**2, "Expand softmax(z/T) for a large T: it begins with 1/K."
                ),
                WrongAnswer(
                    "sign",
                    (_V - _Z) / (_K * _HEAT**2),
                    "The sign is reversed: the student must move to the teacher.",
                ),
                WrongAnswer(
                    "T² already there",
                    (_Z - _V) / _K,
                    "This is the limit with the factor T² in front. The question leaves it out.",
                ),
            ),
        ),
    },
    explanation=(
        "In $z/T$ the gradient is $p-q$, and the chain rule adds $\\frac1T$. For a large $T$ and centred logits "
        "$\\mathrm{softmax}(z/T)_k\\approx\\frac1K(1+\\frac{z_k}T)$, so $p-q\\approx\\frac{z-v}{KT}$. Together that is "
        "$\\frac{z-v}{KT^2}$, and a factor $T^2$ keeps its size. The derivation writes $\\pi$ for $q$ and $t$ for $v$."
    ),
    proofs=(distilling.distillation_pulls_towards_the_teacher,),
)

FAMILY = Question(
    id="soft-targets.family",
    title="(g) the teacher behind label smoothing",
    parts={
        "": Part(
            "all are equal",
            (
                WrongAnswer(
                    "knows the label",
                    "the label's is largest",
                    "A teacher sees the image, not the label. What is left of the smoothed target without the label's part?",
                ),
                WrongAnswer(
                    "the student's",
                    "those of the student",
                    "Then the soft term would never pull. Where does smoothing pull a forecast?",
                ),
            ),
            choices=("all are equal", "the label's is largest", "those of the student"),
        )
    },
    explanation=(
        "$(1-\\varepsilon)e_y+\\varepsilon u$ is a mixture of the label and the uniform forecast, so smoothing is distillation at "
        "$T=1$ with $\\alpha=\\varepsilon$ from a teacher who knows nothing: all logits equal. The derivation writes $\\mathcal U$ for $u$ and $\\pi$ for "
        "the teacher's forecast."
    ),
    proofs=(distilling.soft_targets_are_one_family,),
)

CALIBRATES = Question(
    id="soft-targets.calibrates",
    title="does smoothing calibrate?",
    parts={
        "": Part(
            "it lowers confidence, whether or not that is too high",
            (
                WrongAnswer(
                    "always",
                    "it always calibrates",
                    "What is your own calibration error without smoothing, and with it?",
                ),
                WrongAnswer(
                    "never",
                    "it never calibrates",
                    "It moves confidence down by about as much as (d) says. Is there no network that needs this?",
                ),
            ),
            choices=(
                "it always calibrates",
                "it never calibrates",
                "it lowers confidence, whether or not that is too high",
            ),
        )
    },
    explanation=(
        "By (d) the best smoothed forecast is less confident than the truth. A network that was too sure may land near the "
        "diagonal; one that was nearly calibrated, like the one of this page, is moved away from it."
    ),
)

EXERCISE = Exercise(
    id="soft-targets",
    title="One family: smoothing and distillation",
    teaches="Label smoothing and distillation are cross-entropy with a soft target, and each gets what its target says.",
    needs="the softmax and its derivative, the KL divergence, section 1.4",
    minutes=90,
    seconds=20,
    items=(TARGET, GAP, SLOPE, BEST, DIVERGENCE, HEAT, FAMILY, SOFT_CE, SMOOTH, KD, CALIBRATES),
)
