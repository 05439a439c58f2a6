"""The exercise on the coordinates of descent, which choose one solution among many."""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

from ..symbolic import implicit
from .coordinates_descent import GD
from .coordinates_limit import LIMIT
from .tasks import Exercise, Part, Question, WrongAnswer

_A, _R, _X1, _X2 = sp.symbols("a r x1 x2", positive=True)
_N, _D = sp.symbols("n d", positive=True)
_ROW, _TARGET, _STRETCH = sp.Matrix([[1, 2]]), sp.Integer(4), sp.diag(2, 1)
_SHEAR = sp.Matrix([[1, 1], [0, 1]])


def _descended(change: sp.Matrix, target: sp.Expr = _TARGET, start: tuple[int, int] = (0, 0)) -> sp.Matrix:
    """Where descent in θ, with w = ``change`` θ, ends on the one equation of the page."""
    begin = sp.Matrix(start)
    direction = change * change.T * _ROW.T
    return begin + direction * (target - (_ROW * begin)[0]) / (_ROW * direction)[0]


def _entries(matrix: sp.Matrix) -> tuple[sp.Expr, ...]:
    return tuple(matrix)


def _square(w: sp.Matrix) -> sp.Expr:
    return w.dot(w)


_END, _SHORTEST = _descended(_STRETCH), _descended(sp.eye(2))
_FORMULA = _descended(sp.diag(_A, 1))[0]
_PLAIN = "This is the answer of descent in w, the solution of least norm. What does A do to a step?"


def _shown(numbers: Iterable[sp.Expr]) -> str:
    return "(" + ",\\ ".join(f"{float(number):g}" for number in numbers) + ")"


GRADIENT = Question(
    id="coordinates.gradient",
    title="(a) the gradient in θ",
    parts={
        "": Part(
            (_A * _X1 * _R, _X2 * _R),
            (
                WrongAnswer(
                    "gradient in w",
                    (_X1 * _R, _X2 * _R),
                    "This is the gradient in w. How does w₁ change when θ₁ moves?",
                ),
                WrongAnswer(
                    "inverse of A",
                    (_X1 * _R / _A, _X2 * _R),
                    "You divide by a. How far does w₁ move when θ₁ moves by 1?",
                ),
                WrongAnswer(
                    "A on both sides",
                    (_A**2 * _X1 * _R, _X2 * _R),
                    "You have one a too many: this is how w moves. The question asks for the slope in θ.",
                ),
                WrongAnswer(
                    "sign",
                    (-_A * _X1 * _R, -_X2 * _R),
                    "Check the sign: here the residual is r = x·w − y, not y − x·w.",
                ),
                WrongAnswer(
                    "no half",
                    (2 * _A * _X1 * _R, 2 * _X2 * _R),
                    "The loss has a ½ in front: the 2 of the derivative meets it.",
                ),
            ),
        )
    },
    explanation=(
        "By the chain rule $\\partial_{\\theta_1}=a\\,\\partial_{w_1}$ and $\\partial_{\\theta_2}=\\partial_{w_2}$, and the "
        "gradient in $w$ is $(x_1r,x_2r)$. In general $\\nabla_\\theta=A^\\top\\nabla_w$."
    ),
)

PRECONDITIONER = Question(
    id="coordinates.preconditioner",
    title="(b) the step of w",
    parts={
        "": Part(
            _entries(_SHEAR * _SHEAR.T),
            (
                WrongAnswer(
                    "the other product",
                    _entries(_SHEAR.T * _SHEAR),
                    "The two factors stand in the wrong order. Which of them brings the gradient to θ, which the step back to w?",
                ),
                WrongAnswer(
                    "one factor", _entries(_SHEAR), "The gradient on its way to θ is multiplied too. By what?"
                ),
                WrongAnswer(
                    "the other factor",
                    _entries(_SHEAR.T),
                    "This is the gradient in θ. It moves θ; how does w move then?",
                ),
                WrongAnswer(
                    "none",
                    _entries(sp.eye(2)),
                    "Then descent in θ would be descent in w. Put the gradient of (a) into w = Aθ.",
                ),
                WrongAnswer(
                    "inverse",
                    _entries((_SHEAR * _SHEAR.T).inv()),
                    "This is the inverse. It measures lengths, in (d); the step needs the matrix itself.",
                ),
            ),
        )
    },
    explanation=(
        "The step of $\\theta$ is $-\\alpha A^\\top\\nabla_wL$, so $w=A\\theta$ moves by $-\\alpha AA^\\top\\nabla_wL$. The "
        f"rows of $AA^\\top$ are $({','.join(map(str, (_SHEAR * _SHEAR.T).row(0)))})$ and "
        f"$({','.join(map(str, (_SHEAR * _SHEAR.T).row(1)))})$."
    ),
    proofs=(implicit.coordinates_precondition_descent,),
)

END = Question(
    id="coordinates.end",
    title="(c) where descent ends",
    parts={
        "": Part(
            _entries(_END),
            (
                WrongAnswer("least norm in w", _entries(_SHORTEST), _PLAIN),
                WrongAnswer(
                    "θ in place of w",
                    _entries(_STRETCH.inv() * _END),
                    "This is where θ ends. Does it solve the equation for w?",
                ),
                WrongAnswer(
                    "image of the least norm",
                    _entries(_STRETCH * _SHORTEST),
                    "Put it into w₁ + 2w₂: it is not 4. Solve for θ first, then map.",
                ),
                WrongAnswer(
                    "the wrong way round",
                    _entries(_descended(_STRETCH.inv())),
                    "This is least in ‖Aw‖: you took θ = Aw. The stretched coordinate is the one that moves more easily.",
                ),
                WrongAnswer(
                    "A once",
                    _entries(_STRETCH * _ROW.T * _TARGET / (_ROW * _STRETCH * _ROW.T)[0]),
                    "You let w move along A xᵀ. By (b), A enters a step of w twice.",
                ),
            ),
        )
    },
    explanation=(
        "From 0 the weights move along $AA^\\top x^\\top=(4,2)$ only, and the equation fixes how far: $w^*="
        f"{_shown(_END)}$. In $\\theta$ this is ${_shown(_STRETCH.inv() * _END)}$, the shortest solution of "
        "$2\\theta_1+2\\theta_2=4$."
    ),
    proofs=(implicit.descent_picks_by_its_coordinates,),
)


def _sizes(w: sp.Matrix) -> tuple[sp.Expr, sp.Expr]:
    return _square(_STRETCH.inv() * w), _square(w)


def _size_part(w: sp.Matrix) -> Part:
    theta, own = _sizes(w)
    return Part(
        (theta, own),
        (
            WrongAnswer(
                "the wrong order",
                (own, theta),
                "The right two numbers in the wrong order: ‖A⁻¹w‖² comes first.",
            ),
            WrongAnswer(
                "A in place of its inverse",
                (_square(_STRETCH * w), own),
                "Your first number is ‖Aw‖². Which θ belongs to this w?",
            ),
            WrongAnswer(
                "roots",
                (sp.sqrt(theta), sp.sqrt(own)),
                "These are the norms. The question asks for their squares.",
            ),
        ),
    )


SIZES = Question(
    id="coordinates.sizes",
    title="(d) which one is shorter?",
    parts={"descent": _size_part(_END), "shortest": _size_part(_SHORTEST)},
    explanation=(
        "$(\\lVert A^{-1}w\\rVert^2,\\ \\lVert w\\rVert^2)$ is "
        f"${_shown(_sizes(_END))}$ at the end of descent and ${_shown(_sizes(_SHORTEST))}$ at the solution of least norm. Each is "
        "the shorter one in its own coordinates."
    ),
)

FORMULA = Question(
    id="coordinates.formula",
    title="(e) any stretch",
    parts={
        "": Part(
            _FORMULA,
            (
                WrongAnswer("no influence", _SHORTEST[0], "This is the case a = 1. Keep a in the formula."),
                WrongAnswer(
                    "A once",
                    4 * _A / (_A + 4),
                    "You have a where its square belongs. By (b), A enters a step of w twice.",
                ),
                WrongAnswer(
                    "the wrong way round",
                    _descended(sp.diag(1 / _A, 1))[0],
                    "As a grows, your w₁ shrinks. A stretched coordinate moves more easily: w₁ should grow.",
                ),
                WrongAnswer(
                    "θ in place of w",
                    _FORMULA / _A,
                    "This is θ₁, which falls again for a large a. Map it to w₁.",
                ),
                WrongAnswer(
                    "the other weight",
                    _descended(sp.diag(_A, 1))[1],
                    "This is w₂. The question asks for w₁.",
                ),
            ),
        )
    },
    explanation=(
        f"The direction is $AA^\\top x^\\top=(a^2,2)$, so $w_1^*={sp.latex(sp.factor(_FORMULA))}$. It runs from 0, for a small "
        "$a$, where only $w_2$ moves, to 4, where $w_1$ does all the work."
    ),
)

_BEGIN = (4, -1)

START = Question(
    id="coordinates.start",
    title="(f) another start",
    parts={
        "": Part(
            _entries(_descended(_STRETCH, start=_BEGIN)),
            (
                WrongAnswer(
                    "start forgotten",
                    _entries(_END),
                    "This is the end of descent from 0. The start is not 0 here, and no gradient ever removes the part that X "
                    "does not see.",
                ),
                WrongAnswer(
                    "nearest in w",
                    _entries(_descended(sp.eye(2), start=_BEGIN)),
                    "This is the solution nearest to the start as w measures it. Which distance does θ measure?",
                ),
                WrongAnswer(
                    "start added",
                    _entries(_END + sp.Matrix(_BEGIN)),
                    "You add the start to the end of descent from 0: the equation is then no longer solved. What is the "
                    "residual at the start?",
                ),
                WrongAnswer(
                    "start taken for θ",
                    _entries(_descended(_STRETCH, start=(8, -1))),
                    "You took (4, −1) for θ. Here it is the w at the start.",
                ),
            ),
        )
    },
    explanation=(
        "At the start $w_1+2w_2$ is 2 short of 4, and $w$ still moves along $(4,2)$: $w^*=(4,-1)+\\frac28(4,2)="
        f"{_shown(_descended(_STRETCH, start=_BEGIN))}$. It is the solution nearest to the start, measured by "
        "$\\lVert A^{-1}\\cdot\\rVert$."
    ),
)

_CURVATURE = (_ROW * _STRETCH).dot(_ROW * _STRETCH)

STEP = Question(
    id="coordinates.step",
    title="(g) the largest step",
    parts={
        "": Part(
            2 / _CURVATURE,
            (
                WrongAnswer(
                    "curvature in w",
                    2 / _square(_ROW),
                    "This is the bound for descent in w. The stretched coordinate bends the loss more.",
                ),
                WrongAnswer(
                    "fastest step",
                    1 / _CURVATURE,
                    "With this step descent arrives at once. How much longer may it be before the error grows?",
                ),
                WrongAnswer(
                    "no root",
                    2 / _CURVATURE**2,
                    "The curvature is ‖xA‖² itself. Did you square it once more?",
                ),
                WrongAnswer(
                    "A once",
                    2 / (_ROW * _STRETCH * _ROW.T)[0],
                    "A enters the curvature twice: it is x A Aᵀ xᵀ.",
                ),
                WrongAnswer(
                    "curvature", _CURVATURE, "This is the curvature λ_max. Which step does it allow?"
                ),
            ),
        )
    },
    explanation=(
        f"The curvature along $A^\\top x^\\top$ is $\\lVert xA\\rVert^2={_CURVATURE}$, and a step on a parabola must stay below 2 "
        f"over its curvature: ${float(2 / _CURVATURE):g}$."
    ),
)

_SAME = ("only for A = I", "exactly if AAᵀ = cI", "if AAᵀ = cI, and for some other A", "never")

SAME = Question(
    id="coordinates.same",
    title="(h) when the coordinates do not matter",
    parts={
        "": Part(
            _SAME[2],
            (
                WrongAnswer(
                    "identity", _SAME[0], "Take A orthogonal, a rotation: which lengths does it change?"
                ),
                WrongAnswer(
                    "always differs", _SAME[3], "Take A orthogonal: what is AAᵀ then, in the step of (b)?"
                ),
                WrongAnswer(
                    "only the sufficient half",
                    _SAME[1],
                    "For such A it is true. Now take the equation w₁ = 4 with your diag(2, 1): where does descent end in w, where "
                    "in θ?",
                ),
            ),
            choices=_SAME,
        )
    },
    explanation=(
        "With $AA^\\top=cI$ the path itself is the old one. But the end is the same already if "
        "$(AA^\\top)^{-1}X^+y\\in\\operatorname{row}X$: for the equation $w_1=4$ and any diagonal $A$ both ends are $(4,0)$."
    ),
)

CONTRADICTION = Question(
    id="coordinates.contradiction",
    title="(i) two equations that contradict each other",
    parts={
        "": Part(
            _entries(_descended(_STRETCH, sp.Integer(5))),
            (
                WrongAnswer(
                    "the first equation",
                    _entries(_END),
                    "Descent does not know which equation came first. Where is the sum of both losses least?",
                ),
                WrongAnswer(
                    "the second equation",
                    _entries(_descended(_STRETCH, sp.Integer(6))),
                    "This solves the second equation and ignores the first. Where is the sum of both losses least?",
                ),
                WrongAnswer(
                    "least norm in w",
                    _entries(_descended(sp.eye(2), sp.Integer(5))),
                    "A least-squares solution, and the shortest in w. Descent runs in θ.",
                ),
                WrongAnswer(
                    "the targets added",
                    _entries(_descended(_STRETCH, sp.Integer(10))),
                    "Here w₁ + 2w₂ is the sum of the two targets. Which value lies nearest to both?",
                ),
            ),
        )
    },
    explanation=(
        "No $w$ solves both. The gradients of the two losses cancel where $w_1+2w_2=5$; the shortest such $\\theta$ gives $w="
        f"{_shown(_descended(_STRETCH, sp.Integer(5)))}$. Only the part of $y$ that $X$ can reach enters a gradient."
    ),
)

_BEYOND = (
    "at a w that solves all of them",
    "at the same w for every invertible A",
    "at a w that depends on A",
    "nowhere",
)

BEYOND = Question(
    id="coordinates.beyond",
    title="(j) more equations than unknowns",
    parts={
        "": Part(
            _BEYOND[1],
            (
                WrongAnswer(
                    "claims a perfect fit",
                    _BEYOND[0],
                    "There is none to be had. Descent minimises the sum of squares, whether or not that can be 0.",
                ),
                WrongAnswer(
                    "claims an influence of A",
                    _BEYOND[2],
                    "A chooses among minimisers. With three equations of which two are independent, how many minimisers in the "
                    "plane are there?",
                ),
                WrongAnswer(
                    "diverges",
                    _BEYOND[3],
                    "The loss is bounded below, and the step is small. What stops descent?",
                ),
            ),
            choices=_BEYOND,
        )
    },
    explanation=(
        "The columns of $X$ are independent, so the least-squares solution is unique, and $A$ has nothing to choose: the speed "
        "changes, the end does not. With dependent columns the end is the least-squares solution of least "
        "$\\lVert A^{-1}w\\rVert$."
    ),
)

CHANCE = Question(
    id="coordinates.chance",
    title="(k) what descent in w misses",
    parts={
        "": Part(
            1 - _N / _D,
            (
                WrongAnswer(
                    "what is kept",
                    _N / _D,
                    "This is the share that descent finds. The question asks for what it misses.",
                ),
                WrongAnswer(
                    "not squared",
                    sp.sqrt(1 - _N / _D),
                    "This is the root. Measured by its square, the error adds up over directions.",
                ),
                WrongAnswer(
                    "the ratio of sizes",
                    _D / _N,
                    "More than 1? The shortest solution is a projection of the truth. What is left out?",
                ),
                WrongAnswer(
                    "a number",
                    sp.Rational(3, 4),
                    "Right for the problems of this page. Which formula in n and d gives it?",
                ),
                WrongAnswer(
                    "nothing missed",
                    sp.Integer(0),
                    "The equations are solved, but many w solve them. Which part of the truth do n equations not see?",
                ),
            ),
        )
    },
    explanation=(
        "The end is the projection of the truth onto $\\operatorname{row}X$. For Gaussian equations that is a random subspace "
        "of dimension $n$ in $d$: by symmetry it keeps the share $\\frac nd$ of the squared length on average and misses "
        f"$1-\\frac nd$, which is {float((1 - _N / _D).subs({_N: 10, _D: 40})):g} for 10 equations in 40 unknowns."
    ),
)

EXERCISE = Exercise(
    id="coordinates",
    title="Coordinates choose the solution",
    teaches="Where many weights fit the data, the coordinates in which descent runs decide which of them it finds.",
    needs="the chain rule, matrix products, the pseudo-inverse, section 1.4",
    minutes=90,
    seconds=10,
    items=(
        GRADIENT,
        PRECONDITIONER,
        END,
        SIZES,
        FORMULA,
        START,
        STEP,
        SAME,
        CONTRADICTION,
        BEYOND,
        GD,
        LIMIT,
        CHANCE,
    ),
)
