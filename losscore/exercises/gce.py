"""The exercise on generalized cross-entropy, a dial between likelihood and robustness."""

from __future__ import annotations

import sympy as sp

from ..symbolic import robust
from .gce_loss import GCE
from .tasks import Exercise, Part, Question, WrongAnswer

_P, _Q, _R = sp.symbols("p q r", positive=True)
_K = sp.Symbol("K", integer=True, positive=True)
_BETWEEN = {s: 1 / (1 + s) for s in (_P, _Q, _R)}
_TRUTH = (sp.Rational(5, 10), sp.Rational(3, 10), sp.Rational(2, 10))
_DIAL = sp.Rational(7, 10)


def _formula(value: sp.Expr, *wrong_answers: WrongAnswer) -> Part:
    """An answer in the probabilities p and r, and in q, all strictly between 0 and 1."""
    return Part(value, wrong_answers, ranges=_BETWEEN)


def _powers(exponent: sp.Expr) -> tuple[sp.Expr, ...]:
    return tuple(eta**exponent for eta in _TRUTH)


def _shares(weights: tuple[sp.Expr, ...]) -> tuple[sp.Expr, ...]:
    return tuple(weight / sp.Add(*weights) for weight in weights)


LIMIT = Question(
    id="gce.limit",
    title="(a) the limit at q = 0",
    parts={
        "": _formula(
            -sp.log(_P),
            WrongAnswer(
                "zero",
                sp.Integer(0),
                "The numerator goes to 0, and so does the denominator. Expand p^q = e^(q ln p) for a small q.",
            ),
            WrongAnswer(
                "sign", sp.log(_P), "Check the sign: p is below 1, and the loss of a wrong label is positive."
            ),
            WrongAnswer("q = 1", 1 - _P, "This is the loss at the other end of the dial, q = 1."),
            WrongAnswer(
                "slope in place of the limit",
                -1 / _P,
                "This is the slope of the limit. The question asks for its value.",
            ),
        )
    },
    explanation="With $p_j^q=e^{q\\ln p_j}=1+q\\ln p_j+\\dots$ the quotient tends to $-\\ln p_j$: cross-entropy.",
    proofs=(robust.generalized_cross_entropy_joins_two_losses,),
)

_STOPPED = "You stopped at p; go on to z. How does the probability of the label change with this logit?"
_COUNT = "Count the powers of p: the slope in p brings p^(q−1), and the softmax brings one more p."

SLOPES = Question(
    id="gce.slopes",
    title="(b) the slopes in the logits",
    parts={
        "own": _formula(
            _P**_Q * (_P - 1),
            WrongAnswer("slope in p", -(_P ** (_Q - 1)), _STOPPED),
            WrongAnswer(
                "cross-entropy",
                _P - 1,
                "This is the slope of cross-entropy, the limit q → 0. What does the power p^q add?",
            ),
            WrongAnswer(
                "sign",
                _P**_Q * (1 - _P),
                "The sign is reversed: raising the label's own logit must lower the loss.",
            ),
            WrongAnswer("a power missing", _P ** (_Q - 1) * (_P - 1), _COUNT),
            WrongAnswer(
                "factor q",
                _Q * _P**_Q * (_P - 1),
                "The q that the power brings down meets the 1/q of the definition.",
            ),
        ),
        "other": _formula(
            _P**_Q * _R,
            WrongAnswer("slope in p", -(_P ** (_Q - 1)), _STOPPED),
            WrongAnswer(
                "cross-entropy",
                _R,
                "This is the slope of cross-entropy, the limit q → 0. What does the power p^q add?",
            ),
            WrongAnswer(
                "sign",
                -(_P**_Q) * _R,
                "The sign is reversed: raising another logit takes probability from the label.",
            ),
            WrongAnswer("a power missing", _P ** (_Q - 1) * _R, _COUNT),
            WrongAnswer(
                "own logit",
                _P**_Q * (_R - 1),
                "In the label's own logit a 1 is subtracted. Is there one in another logit?",
            ),
        ),
    },
    explanation=(
        "In the probability of the label the slope is $-p_j^{q-1}$. The softmax adds $p_j(1-p_j)$ in the label's own "
        "logit and $-p_jp_k$ in another one."
    ),
    proofs=(robust.generalized_cross_entropy_damps_the_gradient,),
)

DAMPING = Question(
    id="gce.damping",
    title="(c) how much a contradicted label is damped",
    parts={
        "": Part(
            sp.Rational(1, 100) ** _DIAL,
            (
                WrongAnswer(
                    "slope in p",
                    sp.Rational(1, 100) ** (_DIAL - 1),
                    "This is more than 1, so it would amplify. It is the slope in p; take the one in z.",
                ),
                WrongAnswer(
                    "pull in place of the ratio",
                    sp.Rational(1, 100) ** _DIAL * sp.Rational(99, 100),
                    "This is the pull itself. By which factor is it smaller than that of cross-entropy?",
                ),
                WrongAnswer(
                    "at q = 1", sp.Rational(1, 100), "This is the factor at q = 1. The question has q = 0.7."
                ),
            ),
        )
    },
    explanation=f"The factor is $p_j^q=0.01^{{0.7}}={float(sp.Rational(1, 100) ** _DIAL):.4f}$.",
)

PEAK = Question(
    id="gce.peak",
    title="(c) the label that is pulled most",
    parts={
        "": _formula(
            _Q / (1 + _Q),
            WrongAnswer("at q = 1", sp.Rational(1, 2), "This is the peak at q = 1. Keep q a symbol."),
            WrongAnswer(
                "a power too many",
                (1 + _Q) / (2 + _Q),
                "You have one p too many: the size of the pull is p^q (1 − p).",
            ),
            WrongAnswer(
                "other factor",
                1 / (1 + _Q),
                "Where both factors of the pull balance, which of them carries the q?",
            ),
            WrongAnswer(
                "cross-entropy", sp.Integer(0), "At p = 0 cross-entropy pulls most. What does p^q do there?"
            ),
            WrongAnswer(
                "sign slip",
                _Q / (1 - _Q),
                "For q above one half this is more than 1. Check a sign in the derivative.",
            ),
        )
    },
    explanation=(
        f"By (b) the pull is $p^q(1-p)$; its slope is $p^{{q-1}}(q-(1+q)p)$, which is 0 at $\\frac q{{1+q}}$: "
        f"${float(_DIAL / (1 + _DIAL)):.3f}$ for $q=0.7$."
    ),
)

_AS_THE_TRUTH = (
    "That would be a proper loss. Set up the Lagrangian: is η_k p_k^(q−1) the same for every class here?"
)

MINIMISER = Question(
    id="gce.minimiser",
    title="(d) the best forecast",
    parts={
        "exponent": _formula(
            1 / (1 - _Q),
            WrongAnswer("the truth", sp.Integer(1), _AS_THE_TRUTH),
            WrongAnswer(
                "the way back", 1 - _Q, "This is the way back, from the forecast to the truth. Solve for p_k."
            ),
            WrongAnswer(
                "sign",
                1 / (_Q - 1),
                "This exponent is negative: the likeliest class would get least. Check a sign.",
            ),
            WrongAnswer(
                "q in place of 1 − q",
                1 / _Q,
                "Which power of p_k stands in the Lagrangian condition: q, or q − 1?",
            ),
            WrongAnswer("q", _Q, "Which power of p_k stands in the Lagrangian condition: q, or q − 1?"),
        ),
        "forecast": Part(
            _shares(_powers(1 / (1 - _DIAL))),
            (
                WrongAnswer("the truth", _TRUTH, _AS_THE_TRUTH),
                WrongAnswer(
                    "the way back",
                    _shares(_powers(1 - _DIAL)),
                    "This is flatter than the truth. Did you invert the exponent?",
                ),
                WrongAnswer(
                    "not normalised", _powers(1 / (1 - _DIAL)), "These do not add to 1: divide by their sum."
                ),
                WrongAnswer(
                    "q in place of 1 − q",
                    _shares(_powers(1 / _DIAL)),
                    "You used the exponent 1/q. Which power of p_k stands in the Lagrangian condition?",
                ),
                WrongAnswer(
                    "all on one class",
                    (sp.Integer(1), sp.Integer(0), sp.Integer(0)),
                    "That happens at the end of the dial, q = 1. At q = 0.7 the other classes keep something.",
                ),
            ),
        ),
    },
    explanation=(
        "The Lagrangian asks that $\\eta_kp_k^{q-1}$ be the same for all $k$, so $p_k\\propto\\eta_k^{1/(1-q)}$. At "
        "$q=0.7$ the exponent is $\\frac{10}3$: $p=("
        + ",\\ ".join(f"{float(share):.4f}" for share in _shares(_powers(1 / (1 - _DIAL))))
        + ")$."
    ),
    proofs=(robust.generalized_cross_entropy_sharpens,),
)

PROPER = Question(
    id="gce.proper",
    title="(e) is it proper?",
    parts={
        "": Part(
            "only in the limit",
            (
                WrongAnswer(
                    "it contains cross-entropy",
                    "for every q",
                    "It contains cross-entropy, but only as a limit. At η = (0.5, 0.3, 0.2), is your forecast in (d) the truth?",
                ),
                WrongAnswer("never", "for no q", "Look at your exponent in (d): what is it as q falls to 0?"),
            ),
            choices=("for every q", "only in the limit", "for no q"),
        )
    },
    explanation=(
        "For $0<q<1$ the best forecast is sharper than the truth, so the loss is not proper. The order of the classes is "
        "kept, and $\\eta_k\\propto p_k^{1-q}$ gives the truth back."
    ),
)

VERTEX = Question(
    id="gce.vertex",
    title="(e) the best forecast at q = 1",
    parts={
        "": Part(
            (sp.Integer(1), sp.Integer(0), sp.Integer(0)),
            (
                WrongAnswer(
                    "the truth",
                    _TRUTH,
                    "At q = 1 the expected loss is 1 − Σ η_k p_k, linear in p. Where is a linear function least?",
                ),
                WrongAnswer(
                    "equal shares",
                    (sp.Rational(1, 3),) * 3,
                    "Equal shares win nothing. Which class should the probability go to, if Σ η_k p_k is to be largest?",
                ),
                WrongAnswer(
                    "the rarest class",
                    (sp.Integer(0), sp.Integer(0), sp.Integer(1)),
                    "The right kind of answer at the wrong end: Σ η_k p_k is to be large.",
                ),
            ),
        )
    },
    explanation=(
        "At $q=1$ the expected loss is $1-\\sum_k\\eta_kp_k$, linear in $p$: all probability goes to the likeliest class, "
        "and nothing else about $\\eta$ can be read off."
    ),
)

START = Question(
    id="gce.start",
    title="(f) the damping at the start",
    parts={
        "": _formula(
            _K**-_Q,
            WrongAnswer("at q = 1", 1 / _K, "This is the factor at q = 1. Keep q a symbol."),
            WrongAnswer(
                "upside down",
                _K**_Q,
                "This is more than 1, so it would amplify. What is p_j when all K classes are equal?",
            ),
            WrongAnswer(
                "pull in place of the factor",
                _K**-_Q * (1 - 1 / _K),
                "This is the pull. The question asks for its ratio to that of cross-entropy.",
            ),
            WrongAnswer("product", 1 / (_K * _Q), "q is an exponent: put p = 1/K into the factor from (b)."),
        )
    },
    explanation="With $p_j=\\frac1K$ the factor $p_j^q$ is $K^{-q}$.",
)

ALWAYS = Question(
    id="gce.always",
    title="is q = 1 always best?",
    parts={
        "": Part(
            "no, it is slow and may lose a class",
            (
                WrongAnswer(
                    "always",
                    "yes",
                    "Look at the left end of the curves, and at the spread of q = 1 at the right end. What does your factor in "
                    "(f) say about 100 classes?",
                ),
                WrongAnswer(
                    "learned by heart",
                    "no, it learns the wrong labels",
                    "Read the table once more: which loss has learned the fewest wrong labels?",
                ),
            ),
            choices=(
                "yes",
                "no, it is slow and may lose a class",
                "no, it learns the wrong labels",
            ),
        )
    },
    explanation=(
        "It learns the fewest wrong labels, but at the start it damps every sample by $\\frac1K$, and a class that has "
        "fallen behind pulls so little that some networks never name it."
    ),
)

EXERCISE = Exercise(
    id="gce",
    title="A dial between likelihood and robustness",
    teaches="A bounded loss buys robustness to wrong labels with its probabilities and with a slow start.",
    needs="the softmax and its derivative, Lagrange multipliers, section 1.3",
    minutes=90,
    seconds=20,
    items=(LIMIT, SLOPES, DAMPING, PEAK, MINIMISER, PROPER, VERTEX, START, GCE, ALWAYS),
)
