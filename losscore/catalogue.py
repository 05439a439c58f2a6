"""The registry of the losses: one entry each, from which the tests of their promises are parametrised."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor

from .catalogue_flags import MEANINGS, Flag, flags

if TYPE_CHECKING:
    from .symbolic import Definition

InputKind = Literal[
    "real",
    "score",
    "logit",
    "logits",
    "scores",
    "probabilities",
    "rewards",
    "log-likelihoods",
    "points",
    "embeddings",
    "log rate",
    "location and log scale",
    "location and scale",
    "mean and size",
    "mean, size and zero",
    "ensemble",
    "interval",
    "mask",
    "log hazards",
    "hidden",
]
TargetKind = Literal[
    "real",
    "sign",
    "label",
    "probability",
    "distribution",
    "class",
    "logits",
    "groups",
    "nothing",
    "count",
    "mask",
    "times and events",
]


@dataclass(frozen=True)
class Entry:
    """What is known of one loss.

    `input` and `target` are the kinds of prediction and target: a real number; a score whose sign predicts a label
    in {-1, +1}; the logit of class 1, whose probability (or label 0, 1) is the target; the logits of all classes,
    whose distribution (or class index) is the target, or the logits of a teacher; a score for each class, with a
    class index; the probabilities of all classes; the rewards, or the log-likelihoods, of two answers; points, of which
    some are to be close; embeddings, a batch of rows of which no one has a loss of its own, with or without the group
    of each row; the hidden state before a layer whose outputs are the logits. Where the arguments' roles say all, the
    target is nothing. `elicits` names the functional of the target's law that is the best constant prediction. `examples` are settings of the keyword parameters, at least
    one, that the tests go through. `predicted` names the arguments that make up the prediction and `observed` those that make up the
    target, in the order of the definition: several where one prediction or observation has several numbers.
    """

    name: str
    family: str
    input: InputKind
    target: TargetKind
    elicits: str
    examples: tuple[Mapping[str, Any], ...] = (MappingProxyType({}),)
    predicted: tuple[str, ...] = ("input",)
    observed: tuple[str, ...] = ("target",)

    @property
    def function(self) -> Callable[..., Tensor]:
        """The torch function."""
        found: Callable[..., Tensor] = getattr(import_module(f"losscore.losses.{self.family}"), self.name)
        return found

    @property
    def definition(self) -> Definition:
        """The symbolic definition; imports sympy."""
        from .symbolic import definition

        return definition(self.name)

    @property
    def formula(self) -> str:
        """The definition in LaTeX; imports sympy."""
        return self.definition.latex()

    @property
    def flags(self) -> Mapping[str, Flag]:
        """What is true of the loss, with the evidence, in the order of `catalogue_flags.MEANINGS`."""
        return flags(self.name, (self.input, self.target))

    @property
    def references(self) -> str:
        """The literature that the function's docstring names."""
        _, _, found = (inspect.getdoc(self.function) or "").partition("References:")
        return " ".join(found.split())

    @property
    def call(self) -> str:
        """The call with its parameters and their defaults."""
        signature = inspect.signature(self.function)
        plain = [part.replace(annotation=part.empty) for part in signature.parameters.values()]
        return f"{self.name}{signature.replace(parameters=plain, return_annotation=signature.empty)}"

    def evidence(self, flag: str) -> list[str]:
        """What a flag rests on: the proofs by their names, then the test that tries it; empty if it doesn't apply."""
        value, proofs = self.flags[flag].value, self.flags[flag].proofs
        if value is None:
            return []
        test = "test_a_true_flag_holds" if value else "test_a_false_flag_is_broken_by_its_counterexample"
        return [*proofs, f"tests/losses/test_flags.py::{test}[{flag.replace(' ', '_')}-{self.name}]"]

    def record(self) -> dict[str, Any]:
        """All that is known of the loss as plain data; imports sympy."""
        return {
            "name": self.name,
            "family": self.family,
            "call": self.call,
            "formula": self.formula,
            "input": self.input,
            "target": self.target,
            "elicits": self.elicits,
            "parameters": [dict(example) for example in self.examples],
            "flags": {
                name: flag.record() | {"evidence": self.evidence(name)} for name, flag in self.flags.items()
            },
            "references": self.references,
        }


@cache
def entries() -> Mapping[str, Entry]:
    """Every loss of `losscore` by its name."""
    families = (
        _REGRESSION,
        _CLASSIFICATION,
        _MARGINS,
        _ROBUST,
        _SCORES,
        _TARGETS,
        _PREFERENCE,
        _CONTRASTIVE,
        _DENSE,
        _DENSITIES,
        _SURVIVAL,
        _VOCABULARY,
    )
    return MappingProxyType({entry.name: entry for family in families for entry in family})


def to_json() -> str:
    """The catalogue as JSON: the meanings of the flags, and a record of every loss in the order of the families."""
    losses = [entry.record() for entry in entries().values()]
    return json.dumps({"flags": dict(MEANINGS), "losses": losses}, indent=2, ensure_ascii=False)


def _with(**parameters: Any) -> Mapping[str, Any]:
    return MappingProxyType(parameters)


def _regression(name: str, elicits: str, *examples: Mapping[str, Any]) -> Entry:
    return Entry(name, "regression", "real", "real", elicits, examples or (_with(),))


def _margins(name: str, elicits: str) -> Entry:
    return Entry(name, "margins", "score", "sign", elicits)


def _of_scores(name: str, elicits: str) -> Entry:
    return Entry(name, "margins", "scores", "class", elicits)


def _forecast(name: str, input: InputKind, target: TargetKind, elicits: str, *predicted: str) -> Entry:
    return Entry(name, "densities", input, target, elicits, predicted=predicted)


_REGRESSION = (
    _regression("squared_error", "the mean"),
    _regression("half_squared_error", "the mean"),
    _regression("absolute_error", "the median"),
    _regression(
        "huber",
        "the point about which deviations cut off at delta average to 0",
        _with(delta=1.0),
        _with(delta=0.25),
        _with(delta=3.0),
    ),
    _regression(
        "tukey",
        "a point about which deviations weighted by Tukey's biweight average to 0",
        _with(cutoff=1.0),
        _with(cutoff=4.685),
        _with(cutoff=20.0),
    ),
    _regression("log_cosh", "the point about which the tanh of deviations averages to 0"),
    _regression("pinball", "the quantile", _with(quantile=0.9), _with(quantile=0.5), _with(quantile=0.05)),
    _regression(
        "asymmetric_linear",
        "the critical fractile",
        _with(underage=9.0, overage=1.0),
        _with(underage=0.5, overage=2.0),
    ),
    _regression("expectile", "the expectile", _with(level=0.9), _with(level=0.5), _with(level=0.05)),
)
_CLASSIFICATION = (
    Entry("cross_entropy", "classification", "logits", "distribution", "the distribution"),
    Entry("binary_cross_entropy", "classification", "logit", "probability", "the log-odds"),
    Entry("brier", "classification", "logits", "distribution", "the distribution"),
    Entry("binary_brier", "classification", "logit", "probability", "the log-odds"),
    Entry("spherical", "classification", "logits", "distribution", "the distribution"),
    Entry("ranked_probability", "classification", "logits", "distribution", "the distribution"),
)
_ROBUST = (
    Entry(
        "generalized_cross_entropy",
        "robust",
        "logits",
        "distribution",
        "the distribution to the power 1 / (1 - q)",
        (_with(q=0.7), _with(q=0.0), _with(q=0.25)),
    ),
    Entry("absolute_probability_error", "robust", "logits", "distribution", "the most probable class"),
    Entry(
        "symmetric_cross_entropy",
        "robust",
        "logits",
        "distribution",
        "the distribution, sharpened by the reverse part",
        (_with(alpha=0.5, beta=1.0, log_zero=-4.0), _with(alpha=2.0, beta=0.25, log_zero=-1.0)),
    ),
    Entry(
        "forward_corrected_cross_entropy",
        "robust",
        "logits",
        "distribution",
        "the distribution that the transition takes to that of the labels",
        (
            _with(transition=((0.75, 0.125, 0.125), (0.0, 1.0, 0.0), (0.25, 0.25, 0.5))),
            _with(transition=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))),
        ),
    ),
)
_DENSE = (
    Entry(
        "focal",
        "dense",
        "logits",
        "distribution",
        "the distribution, flattened by gamma and tilted by alpha",
        (
            _with(gamma=2.0, alpha=None),
            _with(gamma=0.5, alpha=(0.5, 1.0, 2.0)),
            _with(gamma=0.0, alpha=None),
        ),
    ),
    Entry(
        "binary_focal",
        "dense",
        "logit",
        "label",
        "the log-odds, flattened by gamma and tilted by alpha",
        (_with(gamma=2.0, alpha=0.25), _with(gamma=0.5, alpha=None), _with(gamma=0.0, alpha=None)),
    ),
    Entry(
        "dice",
        "dense",
        "mask",
        "mask",
        "the mask, where it is certain",
        (_with(smooth=0.0), _with(smooth=2.0)),
    ),
    Entry(
        "tversky",
        "dense",
        "mask",
        "mask",
        "the mask, where it is certain",
        (_with(alpha=0.3, beta=0.7, smooth=0.0), _with(alpha=2.0, beta=1.0, smooth=0.5)),
    ),
)
_DENSITIES = (
    _forecast(
        "gaussian_nll",
        "location and log scale",
        "real",
        "the mean and the log of the deviation",
        "input",
        "log_scale",
    ),
    _forecast("poisson_nll", "log rate", "count", "the log of the mean", "log_rate"),
    _forecast(
        "negative_binomial_nll",
        "mean and size",
        "count",
        "the mean of the counts",
        "mean",
        "inverse_dispersion",
    ),
    _forecast(
        "zero_inflated_negative_binomial_nll",
        "mean, size and zero",
        "count",
        "the law, if it is of this kind",
        "mean",
        "inverse_dispersion",
        "zero_logits",
    ),
    _forecast("crps_gaussian", "location and scale", "real", "the law, if it is Gaussian", "mean", "scale"),
    Entry(
        "crps_ensemble",
        "densities",
        "ensemble",
        "real",
        "the quantiles at the middles of equal steps, or, fair, the law of the members",
        (_with(estimator="nrg"), _with(estimator="fair")),
        ("ensemble",),
    ),
    Entry(
        "interval_score",
        "densities",
        "interval",
        "real",
        "the quantiles at alpha/2 and 1 - alpha/2",
        (_with(alpha=0.1), _with(alpha=0.5)),
        ("lower", "upper"),
    ),
)
_SURVIVAL = (
    Entry(
        "cox",
        "survival",
        "log hazards",
        "times and events",
        "the log hazards, up to a constant",
        (_with(ties="efron"), _with(ties="breslow")),
        ("log_hazard",),
        ("time", "event"),
    ),
)
_VOCABULARY = (
    Entry(
        "linear_cross_entropy",
        "vocabulary",
        "hidden",
        "distribution",
        "the distribution",
        predicted=("hidden",),
    ),
)
_MARGINS = (
    _margins("zero_one", "a score with the sign of the more probable label"),
    _margins("hinge", "the more probable label"),
    _margins("squared_hinge", "twice the probability, minus 1"),
    _margins("logistic", "the log-odds"),
    _margins("exponential", "half the log-odds"),
    _of_scores("one_vs_all_hinge", "1 for a class of probability above one half, -1 for others"),
    _of_scores("crammer_singer", "a lead of 1 for a class of probability above one half, else equal scores"),
    _of_scores("weston_watkins", "an ordered partition of the classes"),
    _of_scores("lee_lin_wahba", "the most probable class, among scores that sum to 0"),
)
_SCORES = tuple(
    Entry(name, "scores", "probabilities", "distribution", "the distribution", predicted=("probs",))
    for name in ("log_score", "brier_score", "spherical_score", "ranked_probability_score")
)
_TARGETS = (
    Entry(
        "distillation",
        "targets",
        "logits",
        "logits",
        "the teacher's distribution",
        (_with(temperature=1.0), _with(temperature=4.0), _with(temperature=0.5)),
        predicted=("student",),
        observed=("teacher",),
    ),
)
_PREFERENCE = (
    Entry(
        "bradley_terry",
        "preference",
        "rewards",
        "nothing",
        "the log-odds of the choice",
        predicted=("chosen", "rejected"),
        observed=(),
    ),
    Entry(
        "dpo",
        "preference",
        "log-likelihoods",
        "nothing",
        "the log-odds of the choice, drawn to 0 by the share of wrong ones",
        (
            _with(beta=0.1, label_smoothing=0.0),
            _with(beta=0.5, label_smoothing=0.1),
            _with(beta=2.0, label_smoothing=0.5),
        ),
        predicted=("policy_chosen", "policy_rejected", "reference_chosen", "reference_rejected"),
        observed=(),
    ),
)
_CONTRASTIVE = (
    Entry(
        "info_nce",
        "contrastive",
        "embeddings",
        "nothing",
        "the log-ratio of the joint density to the product of its margins",
        (_with(temperature=0.5), _with(temperature=0.1)),
        predicted=("query", "key"),
        observed=(),
    ),
    Entry(
        "nt_xent",
        "contrastive",
        "embeddings",
        "groups",
        "the log-ratio of the densities within the group and without",
        (_with(temperature=0.5), _with(temperature=0.1)),
        predicted=("embeddings",),
        observed=("labels",),
    ),
    Entry(
        "triplet",
        "contrastive",
        "points",
        "nothing",
        "a negative farther away than the positive by the margin",
        (_with(margin=1.0), _with(margin=0.0)),
        predicted=("anchor", "positive", "negative"),
        observed=(),
    ),
)

if __name__ == "__main__":
    print(to_json())
