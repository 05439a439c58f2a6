"""The registry of the losses: one entry each, from which the tests of their promises are parametrised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor

if TYPE_CHECKING:
    from .symbolic import Definition

InputKind = Literal["real", "score", "logit", "logits"]
TargetKind = Literal["real", "sign", "probability", "distribution"]


@dataclass(frozen=True)
class Entry:
    """What is known of one loss.

    `input` and `target` are the kinds of prediction and target: a real number; a score whose sign predicts a label
    in {-1, +1}; the logit of class 1, whose probability (or label 0, 1) is the target; the logits of all classes,
    whose distribution (or class index) is the target. `elicits` names the functional of the target's law that is
    the best constant prediction. `examples` are settings of the keyword parameters, at least one, that the tests
    go through. `predicted` names the arguments that make up the prediction and `observed` those that make up the
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


@cache
def entries() -> Mapping[str, Entry]:
    """Every loss of `losscore` by its name."""
    return MappingProxyType({entry.name: entry for entry in (*_REGRESSION, *_CLASSIFICATION, *_MARGINS)})


def _with(**parameters: Any) -> Mapping[str, Any]:
    return MappingProxyType(parameters)


def _regression(name: str, elicits: str, *examples: Mapping[str, Any]) -> Entry:
    return Entry(name, "regression", "real", "real", elicits, examples or (_with(),))


def _margins(name: str, elicits: str) -> Entry:
    return Entry(name, "margins", "score", "sign", elicits)


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
)
_MARGINS = (
    _margins("zero_one", "a score with the sign of the more probable label"),
    _margins("hinge", "the more probable label"),
    _margins("logistic", "the log-odds"),
    _margins("exponential", "half the log-odds"),
)
