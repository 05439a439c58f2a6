"""What is true of each loss, with the evidence: nine flags, stated once here and tested one by one.

A flag that holds names its proofs in `losscore.symbolic`, if there are any; the property test of the flag goes over
random inputs in any case. A flag that fails carries the numbers that break it, which a test evaluates. A flag that
doesn't apply says why. Numbers are those that the loss is called with: several arguments of one prediction stand
side by side, in the order of `Entry.predicted`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "proper": "no forecast has a lower expected loss than the true law",
        "strictly proper": "every other forecast has a higher one",
        "calibrated": "driving the expected loss to its infimum drives the decision to the most probable class",
        "convex in the prediction": "convex in what the model's output stands for: the probabilities of logits, the "
        "rate of a log rate; the output itself where nothing lies between",
        "convex in the logit": "convex in the real numbers that the model puts out",
        "Lipschitz in the logit": "the slope in those numbers stays below a bound",
        "bounded": "the loss itself stays below a bound",
        "symmetric": "summed over all labels it is the same for every prediction: labels flipped evenly move nothing",
        "decomposes": "the loss of a batch is the mean of the losses of its samples",
    }
)


@dataclass(frozen=True)
class Flag:
    """Whether a loss has a property: True, False, or None where it doesn't apply.

    `proofs` are names of `losscore.symbolic.proofs()`. `bound` is the bound that is claimed, and `given` the condition
    under which the flag holds, both Python expressions in the loss's parameters, the number of classes K and the
    batch size N. `among` restricts the predictions. `counterexample` holds the numbers of a flag that fails, with the
    parameters that they are for if these aren't the first ones of the entry. `note` is the reason why a flag doesn't
    apply, or a remark.
    """

    value: bool | None
    proofs: tuple[str, ...] = ()
    bound: str = ""
    given: str = ""
    among: str = ""
    note: str = ""
    counterexample: Mapping[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """What is stated, as plain data."""
        found = {
            "value": self.value,
            "bound": self.bound,
            "given": self.given,
            "among": self.among,
            "note": self.note,
            "counterexample": dict(self.counterexample),
        }
        return {name: part for name, part in found.items() if name == "value" or part}


def flags(name: str, kind: tuple[str, str]) -> Mapping[str, Flag]:
    """All flags of the loss `name`, whose prediction and target are of the given kind.

    Raises:
        ValueError: the loss says nothing of a flag that applies to its kind, or states one that doesn't.
    """
    stated, reasons = _STATED.get(name, {}), _DOES_NOT_APPLY[kind]
    if missing := [flag for flag in MEANINGS if flag not in stated and flag not in reasons]:
        raise ValueError(f"{name}: nothing is stated of the flags {', '.join(missing)}")
    if wrong := [flag for flag in stated if flag in reasons or flag not in MEANINGS]:
        raise ValueError(f"{name}: the flags {', '.join(wrong)} don't apply to {' and '.join(kind)}")
    return MappingProxyType(
        {flag: stated[flag] if flag in stated else Flag(None, note=reasons[flag]) for flag in MEANINGS}
    )


def stated() -> frozenset[str]:
    """The names of the losses of which flags are stated."""
    return frozenset(_STATED)


def holds(*proofs: str, bound: str = "", given: str = "", among: str = "", note: str = "") -> Flag:
    """A flag that is true, for all parameters or those for which `given` holds."""
    return Flag(True, proofs, bound, given, among, note)


def fails(note: str = "", **counterexample: Any) -> Flag:
    """A flag that is false, by the numbers given."""
    return Flag(False, note=note, counterexample=MappingProxyType(counterexample))


_PROPER, _STRICT, _CALIBRATED, _IN_PREDICTION, _IN_LOGIT, _LIPSCHITZ, _BOUNDED, _SYMMETRIC, _DECOMPOSES = (
    MEANINGS
)
_BOTH_CONVEX = (_IN_PREDICTION, _IN_LOGIT)
_PROPRIETY = (_PROPER, _STRICT)
_RAW = (_IN_LOGIT, _LIPSCHITZ)


def _for(names: tuple[str, ...], reason: str) -> dict[str, str]:
    return dict.fromkeys(names, reason)


_NO_LAW = _for(_PROPRIETY, "one number forecasts no law; that it elicits its functional is tested instead")
_NO_CLASSES = _for((_CALIBRATED, _SYMMETRIC), "there are no classes")
_NO_LINK = _for(_PROPRIETY, "a score forecasts no probability until a link is chosen")
_NO_LOGIT = _for(_RAW, "takes probabilities; the loss of the logits has these flags")
_CONSTRAINED = _for(_RAW, "takes positive numbers, which are no raw outputs")
_TEACHER = _for(
    (*_PROPRIETY, _CALIBRATED, _SYMMETRIC), "the target is a teacher's distribution, not an outcome"
)
_NO_FORECAST = _for((*_PROPRIETY, _CALIBRATED, _SYMMETRIC), "places of points forecast no label")
_NO_TIMES = _for((*_PROPRIETY, _CALIBRATED, _SYMMETRIC), "hazards order the patients, and forecast no time")

_DOES_NOT_APPLY: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("real", "real"): {**_NO_LAW, **_NO_CLASSES},
    ("score", "sign"): _NO_LINK,
    ("scores", "class"): _NO_LINK,
    ("logit", "probability"): {},
    ("logit", "label"): {},
    ("logits", "distribution"): {},
    ("hidden", "distribution"): {},
    ("probabilities", "distribution"): _NO_LOGIT,
    ("logits", "logits"): _TEACHER,
    ("rewards", "nothing"): {},
    ("log-likelihoods", "nothing"): {},
    ("points", "nothing"): _NO_FORECAST,
    ("embeddings", "nothing"): _NO_FORECAST,
    ("embeddings", "groups"): _NO_FORECAST,
    ("location and log scale", "real"): _NO_CLASSES,
    ("location and scale", "real"): {**_NO_CLASSES, **_CONSTRAINED},
    ("log rate", "count"): _NO_CLASSES,
    ("mean and size", "count"): {**_NO_CLASSES, **_CONSTRAINED},
    ("mean, size and zero", "count"): {**_NO_CLASSES, **_CONSTRAINED},
    ("ensemble", "real"): _NO_CLASSES,
    ("interval", "real"): {
        **_for(_PROPRIETY, "two quantiles are no law; that it elicits them is tested instead"),
        **_NO_CLASSES,
    },
    ("mask", "mask"): _for(
        (_CALIBRATED, _SYMMETRIC), "the pixels of a mask are judged together, not one by one"
    ),
    ("log hazards", "times and events"): _NO_TIMES,
}

_THREE = ((0.0, 0.0, 0.0), (3.0, 0.0, 0.0))
_SAMPLEWISE = {_DECOMPOSES: holds()}
_HONEST = {_PROPER: holds(), _STRICT: holds(), _CALIBRATED: holds()}


def _convex(*proofs: str) -> dict[str, Flag]:
    return dict.fromkeys(_BOTH_CONVEX, holds(*proofs))


def _not_convex(between: Any, target: Any = None, note: str = "") -> dict[str, Flag]:
    return dict.fromkeys(_BOTH_CONVEX, fails(note, between=between, target=target))


def _dishonest(law: Any, forecast: Any, note: str = "", **parameters: Any) -> dict[str, Flag]:
    return dict.fromkeys(_PROPRIETY, fails(note, law=law, forecast=forecast, **parameters))


def _unbounded(predictions: Any, target: Any = None, note: str = "") -> dict[str, Flag]:
    return {_BOUNDED: fails(note, predictions=predictions, target=target)}


def _steep(pairs: Any, target: Any = None, note: str = "") -> dict[str, Flag]:
    return {_LIPSCHITZ: fails(note, pairs=pairs, target=target)}


def _uneven(*predictions: Any, note: str = "") -> dict[str, Flag]:
    return {_SYMMETRIC: fails(note, predictions=predictions)}


_GROWING = {**_unbounded((1.0, 10.0, 100.0), 0.0), **_SAMPLEWISE}
_STEEPENING = _steep(((0.0, 1.0), (10.0, 11.0), (100.0, 101.0)), 0.0)
_WRONG_SIGNS = {**_unbounded((-3.0, -30.0, -300.0), 1.0), **_uneven(0.0, 2.0), **_SAMPLEWISE}
_WRONG_LOGIT = {**_unbounded((-3.0, -30.0, -300.0), 1.0), **_uneven(0.0, 2.0), **_SAMPLEWISE}
_WRONG_LOGITS = {
    **_unbounded(((0.0, 3.0, 0.0), (0.0, 30.0, 0.0), (0.0, 300.0, 0.0)), 0),
    **_uneven(*_THREE),
    **_SAMPLEWISE,
}
_EVEN_FORECASTS = ((0.5, 0.25, 0.25), (0.9, 0.05, 0.05))
_NO_MAJORITY = (0.4, 0.32, 0.28)


def _pairs(
    rows: tuple[tuple[float, float], ...], scale: float
) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Queries `rows`, scaled, beside the keys (1, 0) and (0, 1)."""
    return tuple(tuple((scale * x, float(i == j)) for j, x in enumerate(row)) for i, row in enumerate(rows))


def _rows(rows: tuple[tuple[float, float], ...], scale: float) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(scale * x for x in row) for row in rows)


_AXES, _SWAPPED = ((1.0, 0.0), (0.0, 1.0)), ((0.0, 1.0), (1.0, 0.0))
_PAIRED, _PAIRED_NEAR_0, _PAIRED_AT_0 = (_pairs(_AXES, scale) for scale in (1.0, 0.1, 0.01))
_CROSSED, _CROSSED_NEAR_0, _CROSSED_AT_0 = (_pairs(_SWAPPED, scale) for scale in (1.0, 0.1, 0.01))
_OPPOSED = _pairs(_AXES, -3.0)
_IN_GROUPS, _ACROSS = (
    ((1.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.0, 1.0)),
    ((1.0, 0.0), (0.0, 1.0), (1.0, 0.0), (0.0, 1.0)),
)
_GROUPED, _GROUPED_NEAR_0, _GROUPED_AT_0 = (_rows(_IN_GROUPS, scale) for scale in (1.0, 0.1, 0.01))
_MIXED, _MIXED_NEAR_0, _MIXED_AT_0 = (_rows(_ACROSS, scale) for scale in (4.0, 0.4, 0.04))

_STATED: Mapping[str, Mapping[str, Flag]] = {
    "squared_error": {**_convex("residual_losses_bend_up"), **_STEEPENING, **_GROWING},
    "half_squared_error": {**_convex("residual_losses_bend_up"), **_STEEPENING, **_GROWING},
    "absolute_error": {
        **_convex("kinked_residual_losses_are_convex"),
        _LIPSCHITZ: holds(bound="1"),
        **_GROWING,
    },
    "huber": {**_convex(), _LIPSCHITZ: holds(bound="delta"), **_GROWING},
    "tukey": {
        **_not_convex((0.0, 40.0), 0.0),
        _LIPSCHITZ: holds("tukey_forgets_what_is_far_away", bound="16 * cutoff / (25 * sqrt(5))"),
        _BOUNDED: holds("tukey_forgets_what_is_far_away", bound="cutoff ** 2 / 6"),
        **_SAMPLEWISE,
    },
    "log_cosh": {
        **_convex("residual_losses_bend_up"),
        _LIPSCHITZ: holds("log_cosh_pulls_less_than_one", bound="1"),
        **_GROWING,
    },
    "pinball": {
        **_convex("kinked_residual_losses_are_convex"),
        _LIPSCHITZ: holds(bound="max(quantile, 1 - quantile)"),
        **_GROWING,
    },
    "asymmetric_linear": {
        **_convex("kinked_residual_losses_are_convex"),
        _LIPSCHITZ: holds(bound="max(underage, overage)"),
        **_GROWING,
    },
    "expectile": {**_convex(), **_STEEPENING, **_GROWING},
    "cross_entropy": {
        **_HONEST,
        _IN_PREDICTION: holds(),
        _IN_LOGIT: holds("cross_entropy_bends_like_a_variance"),
        _LIPSCHITZ: holds(bound="sqrt(2)"),
        **_WRONG_LOGITS,
    },
    "linear_cross_entropy": {
        **_HONEST,
        _IN_PREDICTION: holds(),
        _IN_LOGIT: holds("cross_entropy_bends_like_a_variance"),
        _LIPSCHITZ: holds(
            bound="sqrt(2)", note="in the logits; in the hidden state times the norm of the weight"
        ),
        **_WRONG_LOGITS,
    },
    "binary_cross_entropy": {
        **_HONEST,
        _PROPER: holds("regrets_of_the_two_scores"),
        _STRICT: holds("regrets_of_the_two_scores"),
        _IN_PREDICTION: holds("curvatures_at_the_truth"),
        _IN_LOGIT: holds("brier_bends_down_on_its_shoulder"),
        _LIPSCHITZ: holds("slopes_in_the_logit", bound="1"),
        **_WRONG_LOGIT,
    },
    "brier": {
        **_HONEST,
        _IN_PREDICTION: holds(),
        _IN_LOGIT: fails(between=((0.0, 4.0, 0.0), (0.0, 8.0, 0.0)), target=0),
        _LIPSCHITZ: holds(bound="sqrt(2)"),
        _BOUNDED: holds(bound="2"),
        **_uneven(*_THREE),
        **_SAMPLEWISE,
    },
    "binary_brier": {
        **_HONEST,
        _PROPER: holds("regrets_of_the_two_scores"),
        _STRICT: holds("regrets_of_the_two_scores"),
        _IN_PREDICTION: holds("curvatures_at_the_truth"),
        _IN_LOGIT: fails(between=(-2.0, -6.0), target=1.0),
        _LIPSCHITZ: holds("slopes_in_the_logit", bound="8 / 27"),
        _BOUNDED: holds(bound="1"),
        **_uneven(0.0, 2.0),
        **_SAMPLEWISE,
    },
    "spherical": {
        **_HONEST,
        _IN_PREDICTION: fails(between=((0.02, 0.49, 0.49), (0.2, 0.4, 0.4)), target=0),
        _IN_LOGIT: fails(between=((0.0, 4.0, 0.0), (0.0, 8.0, 0.0)), target=0),
        _LIPSCHITZ: holds(bound="0.55"),
        _BOUNDED: holds(bound="1"),
        **_uneven(*_THREE),
        **_SAMPLEWISE,
    },
    "ranked_probability": {
        **_HONEST,
        _IN_PREDICTION: holds(),
        _IN_LOGIT: fails(between=((0.0, 4.0, 0.0), (0.0, 8.0, 0.0)), target=0),
        _LIPSCHITZ: holds(bound="(K - 1) / sqrt(2)"),
        _BOUNDED: holds(bound="K - 1"),
        **_uneven(*_THREE),
        **_SAMPLEWISE,
    },
    "log_score": {
        **_HONEST,
        _IN_PREDICTION: holds(),
        **_unbounded(((0.5, 0.5), (0.1, 0.9), (1e-4, 0.9999), (1e-12, 1 - 1e-12)), 0),
        **_uneven(*_EVEN_FORECASTS),
        **_SAMPLEWISE,
    },
    "brier_score": {
        **_HONEST,
        _IN_PREDICTION: holds(),
        _BOUNDED: holds(bound="2"),
        **_uneven(*_EVEN_FORECASTS),
        **_SAMPLEWISE,
    },
    "spherical_score": {
        **_HONEST,
        _IN_PREDICTION: fails(between=((0.02, 0.49, 0.49), (0.2, 0.4, 0.4)), target=0),
        _BOUNDED: holds(bound="1"),
        **_uneven(*_EVEN_FORECASTS),
        **_SAMPLEWISE,
    },
    "ranked_probability_score": {
        **_HONEST,
        _IN_PREDICTION: holds(),
        _BOUNDED: holds(bound="K - 1"),
        **_uneven(*_EVEN_FORECASTS),
        **_SAMPLEWISE,
    },
    "zero_one": {
        _CALIBRATED: holds(),
        **_not_convex((-1.0, 1.5), -1.0),
        **_steep(((-0.1, 0.1), (-0.01, 0.01), (-0.001, 0.001)), 1.0),
        _BOUNDED: holds(bound="1"),
        _SYMMETRIC: holds("zero_one_is_symmetric"),
        **_SAMPLEWISE,
    },
    "hinge": {
        _CALIBRATED: holds(),
        **_convex("hinge_is_convex_and_capped"),
        _LIPSCHITZ: holds("hinge_is_convex_and_capped", bound="1"),
        **_WRONG_SIGNS,
    },
    "squared_hinge": {
        _CALIBRATED: holds(),
        **_convex(),
        **_steep(((0.0, -1.0), (-10.0, -11.0), (-100.0, -101.0)), 1.0),
        **_WRONG_SIGNS,
        **_uneven(0.0, 2.0),
    },
    "logistic": {
        _CALIBRATED: holds(),
        **_convex("logistic_bends_up_and_is_capped"),
        _LIPSCHITZ: holds("logistic_bends_up_and_is_capped", bound="1"),
        **_WRONG_SIGNS,
    },
    "exponential": {
        _CALIBRATED: holds(),
        **_convex("exponential_bends_up_without_a_cap"),
        **_steep(((0.0, -1.0), (-10.0, -11.0), (-100.0, -101.0)), 1.0),
        **_WRONG_SIGNS,
    },
    "one_vs_all_hinge": {
        _CALIBRATED: fails(
            "it is where one class has more than half", law=_NO_MAJORITY, prediction=(-1.0, -1.0, -1.0)
        ),
        **_convex(),
        _LIPSCHITZ: holds(bound="sqrt(K)"),
        **_WRONG_LOGITS,
    },
    "crammer_singer": {
        _CALIBRATED: fails(
            "it is where one class has more than half", law=_NO_MAJORITY, prediction=(0.0, 0.0, 0.0)
        ),
        **_convex(),
        _LIPSCHITZ: holds(bound="sqrt(2)"),
        **_WRONG_LOGITS,
    },
    "weston_watkins": {
        _CALIBRATED: fails(
            "it is where one class has more than half", law=(0.45, 0.35, 0.2), prediction=(1.0, 1.0, 0.0)
        ),
        **_convex(),
        _LIPSCHITZ: holds(bound="sqrt(K * (K - 1))"),
        **_WRONG_LOGITS,
    },
    "lee_lin_wahba": {
        _CALIBRATED: holds(among="scores that sum to 0"),
        **_convex(),
        _LIPSCHITZ: holds(bound="sqrt(K - 1)"),
        **_unbounded(((0.0, 3.0, 0.0), (0.0, 30.0, 0.0), (0.0, 300.0, 0.0)), 0),
        **_uneven((0.0, 0.0, 0.0), (4.0, -2.0, -2.0)),
        **_SAMPLEWISE,
    },
    "generalized_cross_entropy": {
        **_dishonest((0.6, 0.3, 0.1), (0.9, 0.08, 0.02), "at q = 0 it is cross-entropy"),
        _CALIBRATED: holds(),
        _IN_PREDICTION: holds(),
        _IN_LOGIT: fails(
            "at q = 0 it is cross-entropy", between=((0.0, 4.0, 0.0), (0.0, 8.0, 0.0)), target=0
        ),
        _LIPSCHITZ: holds(bound="sqrt(2)"),
        _BOUNDED: holds("generalized_cross_entropy_is_bounded", bound="1 / q", given="q > 0"),
        **_uneven(*_THREE, note="symmetric only at q = 1, where it is half of the absolute error"),
        **_SAMPLEWISE,
    },
    "absolute_probability_error": {
        **_dishonest((0.6, 0.3, 0.1), (0.9, 0.08, 0.02)),
        _CALIBRATED: holds(),
        _IN_PREDICTION: holds(),
        _IN_LOGIT: fails(between=((0.0, 4.0, 0.0), (0.0, 8.0, 0.0)), target=0),
        _LIPSCHITZ: holds(bound="1 / sqrt(2)"),
        _BOUNDED: holds(bound="2"),
        _SYMMETRIC: holds("absolute_probability_error_is_symmetric"),
        **_SAMPLEWISE,
    },
    "symmetric_cross_entropy": {
        **_dishonest((0.6, 0.3, 0.1), (0.75, 0.2, 0.05)),
        _CALIBRATED: holds(),
        _IN_PREDICTION: holds(),
        _IN_LOGIT: fails(between=((0.0, 4.0, 0.0), (0.0, 8.0, 0.0)), target=0),
        _LIPSCHITZ: holds(bound="sqrt(2) * (alpha - beta * log_zero / 4)"),
        **_WRONG_LOGITS,
        **_uneven(*_THREE, note="its reverse part is symmetric, the cross-entropy in it isn't"),
    },
    "forward_corrected_cross_entropy": {
        **_dishonest(
            (0.3625, 0.4625, 0.175), (0.4, 0.35, 0.25), "proper for clean labels behind the transition"
        ),
        _CALIBRATED: fails(
            "calibrated for clean labels behind the transition",
            law=(0.3625, 0.4625, 0.175),
            prediction=(-0.916290731874155, -1.0498221244986778, -1.3862943611198906),
        ),
        _IN_PREDICTION: holds(),
        _IN_LOGIT: fails(between=((-8.0, 8.0, 0.0), (8.0, 8.0, 0.0)), target=0),
        _LIPSCHITZ: holds(bound="sqrt(2)"),
        **_uneven(*_THREE),
        **_unbounded(((0.0, 3.0, 0.0), (0.0, 30.0, 0.0), (0.0, 300.0, 0.0)), 0),
        **_SAMPLEWISE,
    },
    "focal": {
        **_dishonest((0.9, 0.05, 0.05), (0.8, 0.1, 0.1), "at gamma = 0 it is cross-entropy"),
        _CALIBRATED: holds(given="alpha is None", note="factors alpha move the decision"),
        _IN_PREDICTION: holds("focal_is_a_series_of_powers"),
        _IN_LOGIT: fails(
            "at gamma = 0 it is cross-entropy", between=((0.0, 4.0, 0.0), (0.0, 8.0, 0.0)), target=0
        ),
        _LIPSCHITZ: holds(bound="sqrt(2) * (1 + gamma / e) * max(alpha or (1,))"),
        **_WRONG_LOGITS,
    },
    "binary_focal": {
        **_dishonest(0.9, 0.8, "at gamma = 0 without alpha it is cross-entropy"),
        _CALIBRATED: fails("calibrated without alpha", law=0.6, prediction=-0.3),
        _IN_PREDICTION: holds("focal_is_a_series_of_powers"),
        _IN_LOGIT: fails("at gamma = 0 it is cross-entropy", between=(-3.0, -7.0), target=1.0),
        _LIPSCHITZ: holds(bound="1 + gamma / e"),
        **_WRONG_LOGIT,
    },
    "dice": {
        **_dishonest((0.6, 0.6, 0.3), (0.99, 0.99, 0.01), "it asks for a mask, not for probabilities"),
        _IN_PREDICTION: fails(between=((0.9, 0.01, 0.01), (0.9, 0.99, 0.99)), target=(1.0, 0.0, 0.0)),
        _IN_LOGIT: fails(between=((-3.0, -9.0, -9.0), (-9.0, -9.0, -9.0)), target=(1.0, 0.0, 0.0)),
        _LIPSCHITZ: holds(bound="2"),
        _BOUNDED: holds(bound="1"),
        _DECOMPOSES: holds(note="over masks, not over pixels"),
    },
    "tversky": {
        **_dishonest((0.6, 0.6, 0.3), (0.99, 0.99, 0.01), "it asks for a mask, not for probabilities"),
        _IN_PREDICTION: fails(between=((0.9, 0.01, 0.01), (0.9, 0.99, 0.99)), target=(1.0, 0.0, 0.0)),
        _IN_LOGIT: fails(between=((-3.0, -9.0, -9.0), (-9.0, -9.0, -9.0)), target=(1.0, 0.0, 0.0)),
        _LIPSCHITZ: holds(bound="2 + beta"),
        _BOUNDED: holds(bound="1"),
        _DECOMPOSES: holds(note="over masks, not over pixels"),
    },
    "gaussian_nll": {
        _PROPER: holds(),
        _STRICT: holds(),
        **_not_convex(((1.0, 0.0), (5.0, 2.0)), 0.0, "convex in the mean alone, and in the log scale alone"),
        **_steep((((0.0, 0.0), (1.0, 0.0)), ((10.0, 0.0), (11.0, 0.0)), ((100.0, 0.0), (101.0, 0.0))), 0.0),
        **_unbounded(((3.0, 0.0), (30.0, 0.0), (300.0, 0.0)), 0.0),
        **_SAMPLEWISE,
    },
    "poisson_nll": {
        _PROPER: holds(),
        _STRICT: holds(),
        **_convex("poisson_bends_up_in_rate_and_log_rate"),
        **_steep(((0.0, 1.0), (5.0, 6.0), (10.0, 11.0)), 1.0),
        **_unbounded((1.0, 5.0, 10.0), 1.0),
        **_SAMPLEWISE,
    },
    "negative_binomial_nll": {
        _PROPER: holds(),
        _STRICT: holds(),
        _IN_PREDICTION: fails(between=((20.0, 1.0), (60.0, 1.0)), target=1.0),
        **_unbounded(((1e-1, 1.0), (1e-3, 1.0), (1e-12, 1.0)), 1.0),
        **_SAMPLEWISE,
    },
    "zero_inflated_negative_binomial_nll": {
        _PROPER: holds(),
        _STRICT: holds(),
        _IN_PREDICTION: fails(between=((20.0, 1.0, 0.0), (60.0, 1.0, 0.0)), target=1.0),
        **_unbounded(((1e-1, 1.0, 0.0), (1e-3, 1.0, 0.0), (1e-12, 1.0, 0.0)), 1.0),
        **_SAMPLEWISE,
    },
    "crps_gaussian": {
        _PROPER: holds(),
        _STRICT: holds(),
        _IN_PREDICTION: holds(),
        **_unbounded(((3.0, 1.0), (30.0, 1.0), (300.0, 1.0)), 0.0),
        **_SAMPLEWISE,
    },
    "crps_ensemble": {
        _PROPER: holds(given="estimator == 'nrg'", note="of the law that gives each member the same weight"),
        _STRICT: holds(given="estimator == 'nrg'", note="of the law that gives each member the same weight"),
        **_not_convex(((1.0, 3.0), (3.0, 1.0)), 9.0),
        _LIPSCHITZ: holds(bound="2"),
        **_unbounded(((3.0, 3.0), (30.0, 30.0), (300.0, 300.0)), 0.0),
        **_SAMPLEWISE,
    },
    "interval_score": {
        **_convex(),
        _LIPSCHITZ: holds(bound="2 * sqrt(2) / alpha"),
        **_unbounded(((3.0, 4.0), (30.0, 40.0), (300.0, 400.0)), 0.0),
        **_SAMPLEWISE,
    },
    "cox": {
        **_convex(),
        _LIPSCHITZ: holds(bound="sqrt(2)", note="per event"),
        **_unbounded(((0.0, 3.0), (0.0, 30.0), (0.0, 300.0)), ((1.0, 1.0), (2.0, 1.0))),
        _DECOMPOSES: fails(
            batches=(((0.0, 1.0), ((1.0, 1.0), (3.0, 1.0))), ((2.0, -1.0), ((2.0, 1.0), (4.0, 1.0)))),
        ),
    },
    "distillation": {
        _IN_PREDICTION: holds(
            given="temperature == 1", note="in the student's probabilities at temperature 1"
        ),
        _IN_LOGIT: holds(),
        _LIPSCHITZ: holds(bound="temperature * sqrt(2)"),
        **_unbounded(((0.0, 3.0), (0.0, 30.0), (0.0, 300.0)), (3.0, 0.0)),
        **_SAMPLEWISE,
    },
    "bradley_terry": {
        **_HONEST,
        **_convex(),
        _LIPSCHITZ: holds(bound="sqrt(2)"),
        **_unbounded(((0.0, 3.0), (0.0, 30.0), (0.0, 300.0)), ()),
        **_uneven((0.0, 0.0), (2.0, 0.0)),
        **_SAMPLEWISE,
    },
    "dpo": {
        _PROPER: holds(
            given="label_smoothing == 0", note="of the choice, whose log-odds are beta times the gain"
        ),
        _STRICT: holds(
            given="label_smoothing == 0", note="of the choice, whose log-odds are beta times the gain"
        ),
        _CALIBRATED: holds(given="label_smoothing < 0.5"),
        **_convex(),
        _LIPSCHITZ: holds(bound="2 * beta"),
        **_unbounded(((0.0, 30.0, 0.0, 0.0), (0.0, 300.0, 0.0, 0.0), (0.0, 3000.0, 0.0, 0.0)), ()),
        **_uneven((0.0, 0.0, 0.0, 0.0), (20.0, 0.0, 0.0, 0.0)),
        **_SAMPLEWISE,
    },
    "info_nce": {
        **_not_convex((_PAIRED, _OPPOSED), (), "it depends on directions only"),
        **_steep(((_PAIRED, _CROSSED), (_PAIRED_NEAR_0, _CROSSED_NEAR_0), (_PAIRED_AT_0, _CROSSED_AT_0)), ()),
        _BOUNDED: holds(bound="2 / temperature + log(N)", note="for a given size of the batch"),
        _DECOMPOSES: fails(
            "the rows of a batch are each other's negatives", batches=((_PAIRED, ()), (_CROSSED, ()))
        ),
    },
    "nt_xent": {
        **_not_convex((_GROUPED, _MIXED), (0, 0, 1, 1), "it depends on directions only"),
        **_steep(
            ((_GROUPED, _MIXED), (_GROUPED_NEAR_0, _MIXED_NEAR_0), (_GROUPED_AT_0, _MIXED_AT_0)), (0, 0, 1, 1)
        ),
        _BOUNDED: holds(bound="2 / temperature + log(N)", note="for a given size of the batch"),
        _DECOMPOSES: fails(
            "the rows of a batch are each other's negatives",
            batches=((_GROUPED, (0, 0, 1, 1)), (_MIXED, (0, 0, 1, 1))),
        ),
    },
    "triplet": {
        **_not_convex((((0.0, 0.0, -1.0),), ((0.0, 0.0, 1.0),)), ()),
        _LIPSCHITZ: holds(bound="sqrt(6)"),
        **_unbounded((((0.0, 3.0, 0.0),), ((0.0, 30.0, 0.0),), ((0.0, 300.0, 0.0),)), ()),
        **_SAMPLEWISE,
    },
}
