"""The exercise on loaves: from unit costs to a loss, from a loss to a statistic, from a statistic to a decision."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp

from ..symbolic import regression
from .loaves_best import OPTIMAL_SET
from .loaves_bill import STOCK_LOSS, SUBGRADIENT
from .tasks import Exercise, Part, Question, WrongAnswer

_CU, _CO = sp.symbols("c_u c_o", positive=True)
_B, _A = sp.symbols("b a", positive=True)
_LEVEL = _CU / (_CU + _CO)

_TEN = (12, 15, 9, 20, 14, 18, 11, 25, 16, 13)
_ELEVEN = (*_TEN, 30)
_SEVEN = (9, 12, 13, 14, 16, 18, 25)


def _bill(
    amount: sp.Expr | int | Fraction, demands: tuple[int, ...], under: int = 4, over: int = 1
) -> sp.Rational:
    gaps = [Fraction(demand) - Fraction(str(amount)) for demand in demands]
    total = sum((under * gap if gap > 0 else -over * gap for gap in gaps), Fraction(0))
    return sp.Rational(total.numerator, total.denominator)


def _number(decimal: str) -> sp.Rational:
    return sp.Rational(decimal)


_DEARER = "Which mistake hurts more, a loaf short or a loaf over? Your amount suffices on few days only."
_AVERAGE = "This is the mean. It minimises squared gaps and does not look at the prices."
_MIDDLE = "The median is right if both mistakes cost the same. Here they do not."
_SWAPPED = "You have swapped the prices: a loaf short costs 4, a loaf over 1."
_INSIDE = (
    "This amount costs least, but it is one of a whole segment: why? Look at the slope on both sides of it."
)
_RANK = "This is the rank of a demand in the sorted list. How many loaves were asked for on that day?"
_PER_DAY = "This is the bill of an average day. Add up the days."

SLOPES = Question(
    id="loaves.slopes",
    title="(a) the slope of the bill",
    parts={
        "between": Part(
            _CO * _B - _CU * _A,
            (
                WrongAnswer(
                    "costs swapped",
                    _CU * _B - _CO * _A,
                    "The costs are swapped. On a day with a demand below θ, is one loaf more missing or left over?",
                ),
                WrongAnswer(
                    "sign",
                    _CU * _A - _CO * _B,
                    "Check the sign: with all demands above, one loaf more must lower the bill.",
                ),
                WrongAnswer(
                    "sum",
                    _CO * _B + _CU * _A,
                    "One loaf more costs something on some days and saves something on others.",
                ),
                WrongAnswer(
                    "mean",
                    (_CO * _B - _CU * _A) / (_A + _B),
                    "This is the slope for an average day. Add up the days.",
                ),
            ),
        ),
        "at": Part(
            (-_CU, _CO),
            (
                WrongAnswer(
                    "costs swapped",
                    (-_CO, _CU),
                    "The costs are swapped. With one loaf fewer than asked for, which price do you pay?",
                ),
                WrongAnswer("order", (_CO, -_CU), "The slope on the left comes first."),
                WrongAnswer(
                    "derivative at a demand",
                    (sp.Integer(0), sp.Integer(0)),
                    "There is no derivative at a demand: the bill has a kink. Take one loaf fewer, then one more.",
                ),
                WrongAnswer(
                    "middle",
                    ((_CO - _CU) / 2, (_CO - _CU) / 2),
                    "The middle of two slopes is one number between them. Give the slopes themselves.",
                ),
                WrongAnswer(
                    "sign",
                    (_CU, -_CO),
                    "Check the signs: with too few loaves one more lowers the bill, with too many it raises it.",
                ),
            ),
        ),
    },
    explanation=(
        "One loaf more costs $c_o$ on each day below and saves $c_u$ on each day above: $c_ob-c_ua$. A day whose demand is "
        "$\\theta$ counts as above when you come from the left and as below when you leave to the right: $-c_u$ and $c_o$."
    ),
    proofs=(regression.the_slope_counts_demands,),
)


def _amount(value: int, *others: WrongAnswer) -> Part:
    return Part(
        sp.Integer(value),
        (
            *others,
            WrongAnswer("interpolated", _number("18.4"), _INSIDE),
            WrongAnswer("middle", sp.Integer(19), _INSIDE),
            WrongAnswer("mean", _number("15.3"), _AVERAGE),
            WrongAnswer("median", _number("14.5"), _MIDDLE),
        ),
    )


CHEAPEST = Question(
    id="loaves.cheapest",
    title="(b) the cheapest amounts",
    parts={
        "low": _amount(
            18,
            WrongAnswer("the 0.2 quantile", sp.Integer(11), _DEARER),
            WrongAnswer("rank", sp.Integer(8), _RANK),
            WrongAnswer(
                "one demand too far",
                sp.Integer(20),
                "It costs least, but a smaller amount costs no more. How many demands lie below 19, and how many above?",
            ),
            WrongAnswer(
                "one demand short",
                sp.Integer(16),
                "Between 16 and 18 lie seven demands below and three above. Is the slope 0 there?",
            ),
        ),
        "high": _amount(
            20,
            WrongAnswer("the 0.2 quantile", sp.Integer(12), _DEARER),
            WrongAnswer("rank", sp.Integer(9), _RANK),
            WrongAnswer(
                "one amount",
                sp.Integer(18),
                "It costs least, but a larger amount costs no more. How many demands lie below 19, and how many above?",
            ),
            WrongAnswer(
                "one demand too far",
                sp.Integer(25),
                "Between 20 and 25 lie nine demands below and one above. Is the slope 0 there?",
            ),
        ),
    },
    explanation=(
        "With $b$ demands below and $10-b$ above, the slope is $b-4(10-b)=5b-40$: 0 for $b=8$. Eight demands lie below every "
        "amount between the eighth and the ninth, 18 and 20."
    ),
    proofs=(regression.sample_costs_are_least_at_order_statistics,),
)


def _total(amount: str) -> Part:
    cost, swapped = (_bill(Fraction(amount), _TEN, *prices) for prices in ((4, 1), (1, 4)))
    slips = (
        WrongAnswer("prices swapped", swapped, _SWAPPED),
        WrongAnswer("a day", cost / 10, _PER_DAY),
        WrongAnswer(
            "prices forgotten",
            _bill(Fraction(amount), _TEN, 1, 1),
            "You have counted loaves. What do they cost?",
        ),
    )
    return Part(cost, tuple(slip for slip in slips if slip.behaviour != cost))


BILLS = Question(
    id="loaves.bills",
    title="(c) three bills",
    parts={"best": _total("18"), "mean": _total("15.3"), "median": _total("14.5")},
    explanation=(
        f"The bill of the ten days is {_bill(18, _TEN)} anywhere from 18 to 20, "
        f"{_bill(Fraction('15.3'), _TEN)} at the mean 15.3 and {float(_bill(Fraction('14.5'), _TEN)):g} at the median 14.5."
    ),
)

FRACTILE = Question(
    id="loaves.fractile",
    title="(d) which quantile",
    parts={
        "": Part(
            _LEVEL,
            (
                WrongAnswer(
                    "odds",
                    _CU / _CO,
                    "A level lies between 0 and 1. Which share of the sum of the costs is it?",
                ),
                WrongAnswer(
                    "the other cost",
                    _CO / (_CU + _CO),
                    "The dearer a missing loaf, the more days should be covered.",
                ),
                WrongAnswer(
                    "one cost alone",
                    _CU,
                    "A level lies between 0 and 1, and does not change with the currency.",
                ),
                WrongAnswer(
                    "difference",
                    (_CU - _CO) / (_CU + _CO),
                    "With equal costs this is 0. Which statistic do equal costs ask for?",
                ),
            ),
        )
    },
    explanation=(
        "The slope $c_ob-c_ua$ with $a=n-b$ is $(c_u+c_o)(b-n\\tau)$, with the level $\\tau=\\frac{c_u}{c_u+c_o}$. For 4 and 1 it "
        "is 0.8."
    ),
    proofs=(regression.unequal_costs_make_a_pinball_loss,),
)

CONDITION = Question(
    id="loaves.condition",
    title="(e) in the population",
    parts={
        "": Part(
            "P(D < θ) ≤ τ ≤ P(D ≤ θ)",
            (
                WrongAnswer(
                    "equation",
                    "P(D ≤ θ) = τ",
                    "Customers ask for whole loaves: P(D ≤ θ) jumps, and may jump over τ. Is there no best amount then?",
                ),
                WrongAnswer(
                    "the other tail",
                    "P(D > θ) = τ",
                    "Then you would run out on a share τ of all days. The dearer a missing loaf, the more often?",
                ),
                WrongAnswer(
                    "mean", "E D = θ", "That is what squared error asks for. Where do the prices enter?"
                ),
            ),
            choices=("P(D ≤ θ) = τ", "P(D < θ) ≤ τ ≤ P(D ≤ θ)", "P(D > θ) = τ", "E D = θ"),
        )
    },
    explanation=(
        "The expected bill is convex with the slopes $(c_u+c_o)(P(D<\\theta)-\\tau)$ on the left and "
        "$(c_u+c_o)(P(D\\leq\\theta)-\\tau)$ on the right, and is lowest where 0 lies between them. An equation is too much to "
        "ask where $D$ takes whole values."
    ),
    proofs=(regression.the_critical_fractile_minimises_the_cost,),
)

ELEVENTH = Question(
    id="loaves.eleventh",
    title="(f) an eleventh day",
    parts={
        "amount": Part(
            sp.Integer(20),
            (
                WrongAnswer("nothing changed", sp.Integer(18), "0.8 · 11 is 8.8: with eight demands below, the slope is still negative."),
                WrongAnswer("one demand too far", sp.Integer(25), "Count the demands below 25: nine of eleven. Is the slope before it still negative?"),
                WrongAnswer("mean", sp.Rational(sum(_ELEVEN), 11), _AVERAGE),
                WrongAnswer("median", sp.Integer(15), _MIDDLE),
                WrongAnswer("the 0.2 quantile", sp.Integer(12), _DEARER),
            ),
        ),
        "bill": Part(
            _bill(20, _ELEVEN),
            (
                WrongAnswer("prices swapped", _bill(20, _ELEVEN, 1, 4), _SWAPPED),
                WrongAnswer("at 18", _bill(18, _ELEVEN), "This is the bill for 18 loaves. The eleventh day has moved the best amount."),
                WrongAnswer("ten days", _bill(20, _TEN), "This is the bill without the new day."),
                WrongAnswer("a day", _bill(20, _ELEVEN) / 11, _PER_DAY),
            ),
        ),
    },
    explanation=(
        f"Now $n\\tau=8.8$ is no whole number: the slope turns at the ninth demand, 20, and no other amount costs as little as "
        f"{_bill(20, _ELEVEN)}."
    ),
)  # fmt: skip

SEVEN = Question(
    id="loaves.seven",
    title="(g) seven days, and a library's quantile",
    parts={
        "amount": Part(
            sp.Integer(18),
            (
                WrongAnswer(
                    "interpolated",
                    _number("17.6"),
                    "np.quantile and torch.quantile interpolate. Is the result one of your demands? Need it be?",
                ),
                WrongAnswer(
                    "rounded down",
                    sp.Integer(16),
                    "0.8 · 7 is 5.6. With five demands below, is the slope already 0?",
                ),
                WrongAnswer("the 0.2 quantile", sp.Integer(12), _DEARER),
                WrongAnswer("mean", sp.Rational(sum(_SEVEN), 7), _AVERAGE),
                WrongAnswer("median", sp.Integer(14), _MIDDLE),
            ),
        ),
        "bill": Part(
            _bill(18, _SEVEN),
            (
                WrongAnswer("prices swapped", _bill(18, _SEVEN, 1, 4), _SWAPPED),
                WrongAnswer("a day", _bill(18, _SEVEN) / 7, _PER_DAY),
                WrongAnswer(
                    "at 16", _bill(16, _SEVEN), "This is the bill for 16 loaves. Count the demands below 17."
                ),
            ),
        ),
        "interpolated": Part(
            _bill(Fraction("17.6"), _SEVEN),
            (
                WrongAnswer(
                    "the same",
                    _bill(18, _SEVEN),
                    "This is the bill for 18 loaves. The interpolated quantile is another amount.",
                ),
                WrongAnswer("prices swapped", _bill(Fraction("17.6"), _SEVEN, 1, 4), _SWAPPED),
                WrongAnswer(
                    "rounded up",
                    _bill(19, _SEVEN),
                    "This is the bill for 19 loaves. Take the number that the library returns, unrounded.",
                ),
            ),
        ),
    },
    explanation=(
        f"$n\\tau=5.6$: the sixth demand, 18, is the only best amount, with the bill {_bill(18, _SEVEN)}. NumPy's default puts "
        "the 0.8 quantile at the position 4.8 of 0 to 6, which is $16+0.8\\cdot(18-16)=17.6$, and it costs "
        f'{float(_bill(Fraction("17.6"), _SEVEN)):g}. `method="inverted_cdf"` returns 18.'
    ),
)


_SURE, _HALF, _FIFTH = (
    sp.Float(value, 15) for value in (27.575228575757777, 18.36030374425448, 11.483934030140421)
)


def _expected(amount: sp.Expr) -> sp.Expr:
    """The expected bill of an amount when demand is Gamma with shape 4 and scale 5."""
    x = amount / 5
    enough = 1 - sp.exp(-x) * (1 + x + x**2 / 2 + x**3 / 6)
    used_up = enough - sp.exp(-x) * x**4 / 24
    surplus = amount * enough - 20 * used_up
    return surplus + 4 * (20 - amount + surplus)


_RATIO = sp.Float(_expected(sp.Integer(20)).evalf() / _expected(_SURE).evalf(), 15)

POPULATION = Question(
    id="loaves.population",
    title="(h) when demand is known",
    parts={
        "amount": Part(
            _SURE,
            (
                WrongAnswer("mean", sp.Integer(20), _AVERAGE),
                WrongAnswer("median", _HALF, _MIDDLE),
                WrongAnswer("the 0.2 quantile", _FIFTH, _DEARER),
            ),
        ),
        "extra": Part(
            _RATIO - 1,
            (
                WrongAnswer(
                    "ratio", _RATIO, "This is the ratio of the two bills. By which share is the one larger?"
                ),
                WrongAnswer(
                    "percent",
                    100 * (_RATIO - 1),
                    "This is in percent. Give the share, a number such as 0.123.",
                ),
                WrongAnswer(
                    "share of the larger",
                    1 - 1 / _RATIO,
                    "This is the share that you save, measured by the larger bill. Divide by the smaller one.",
                ),
                WrongAnswer(
                    "difference",
                    _RATIO * _expected(_SURE).evalf() - _expected(_SURE).evalf(),
                    "This is the difference of the bills. Divide it by the smaller one.",
                ),
            ),
        ),
    },
    explanation=(
        f"$P(D\\leq\\theta)=0.8$ at $\\theta={float(_SURE):.2f}$. Baking the mean, 20, costs "
        f"{100 * (float(_RATIO) - 1):.1f} % more on average, although it is the best forecast of the demand in squared error."
    ),
)

MORE_DAYS = Question(
    id="loaves.more_days",
    title="ten times as many days",
    parts={
        "": Part(
            "a tenth",
            (
                WrongAnswer(
                    "root",
                    "a third",
                    "The error of the amount shrinks like 1/√10. How does the bill depend on it, close to its lowest point?",
                ),
                WrongAnswer(
                    "none",
                    "as much",
                    "The lowest bill stays as it is. The extra on top of it comes from a quantile that is estimated.",
                ),
                WrongAnswer(
                    "square",
                    "a hundredth",
                    "The error of the amount shrinks like 1/√10, and the bill grows with its square. Put the two together.",
                ),
            ),
            choices=("as much", "a third", "a tenth", "a hundredth"),
        )
    },
    explanation=(
        "Close to its lowest point the expected bill is a parabola, so the extra cost grows with the square of the error of the "
        "amount, and that square shrinks like $\\frac1n$."
    ),
)

EXERCISE = Exercise(
    id="loaves",
    title="How many loaves?",
    teaches="Unit costs are a loss, the loss asks for a quantile, and its minimisers in a sample may be a whole interval.",
    needs="one-sided slopes, distribution functions, section 1.5",
    minutes=75,
    seconds=8,
    items=(
        SLOPES,
        CHEAPEST,
        BILLS,
        FRACTILE,
        CONDITION,
        ELEVENTH,
        SEVEN,
        STOCK_LOSS,
        SUBGRADIENT,
        OPTIMAL_SET,
        POPULATION,
        MORE_DAYS,
    ),
)
