"""The experiment on times to an event: its parts against exact answers, and what its page says about the data."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pytest
import torch
from scipy.stats import norm
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import SurvfuncRight
from torch import Tensor

from losscore import squared_error
from losscore.lab import Interval, Splits, breast_cancer_survival, generator, interval, paired, repeated_folds
from losscore.lab.loaders import Survival
from losscore.lab.survival import (
    YEAR,
    Model,
    Part,
    Study,
    baseline_hazard,
    brier,
    concordance,
    cox_curves,
    cox_loss,
    kaplan_meier,
    kaplan_meier_curves,
    let_leave,
    log_normal_curves,
    log_normal_loss,
    median_time,
    study,
    thirds,
    train,
)

AT = torch.arange(1, 2500, dtype=torch.float64)
FIVE = AT.eq(int(5 * YEAR))


class Experiment(NamedTuple):
    splits: Splits
    study: Study
    trained: dict[str, Model]
    curves: dict[str, Tensor]

    def versus(self, first: Tensor, second: Tensor) -> Interval:
        return paired(first, second, test_share=self.splits.test_share)

    def order(self, name: str) -> Tensor:
        said = self.trained[name].test
        return concordance(said if name in ("Cox", "network", "stopped") else -said, self.study.test)

    def error(self, name: str) -> Tensor:
        return brier(self.curves[name][:, :, FIVE], self.study, AT[FIVE]).flatten()


@pytest.fixture(scope="module")
def patients() -> Survival:
    return breast_cancer_survival()


@pytest.fixture(scope="module")
def seen(patients: Survival) -> Experiment:
    splits = repeated_folds(len(patients.time), validation=120, repeats=4, generator=generator(0))
    made = study(patients, splits)
    trained = {
        censored: train(made, partial(log_normal_loss, censored=censored), start=7)
        for censored in ("known", "dropped", "as events")
    }
    curves = {name: log_normal_curves(model, AT) for name, model in trained.items()}
    trained["Cox"] = train(made, cox_loss)
    trained["network"] = train(made, cox_loss, hidden=(32, 32), rate=0.01, steps=150)
    trained["stopped"] = train(made, cox_loss, hidden=(32, 32), rate=0.01, steps=50, stop=True)
    for name in ("Cox", "network", "stopped"):
        curves[name] = cox_curves(trained[name], made, AT)
    curves["no inputs"] = kaplan_meier_curves(made, AT)
    return Experiment(splits, made, trained, curves)


def whole(patients: Survival) -> Study:
    """One split that trains on all patients and tests on them too."""
    everybody = torch.arange(len(patients.time)).unsqueeze(0)
    return study(patients, Splits(everybody, everybody, everybody))


def part_of(time: list[float], event: list[bool]) -> Part:
    return Part(torch.zeros(1, len(time), 1), torch.tensor([time]).double(), torch.tensor([event]))


# The parts.


def test_kaplan_meier_is_that_of_statsmodels(patients: Survival) -> None:
    theirs = SurvfuncRight(patients.time.numpy(), patients.event.numpy())
    ours = kaplan_meier(patients.time, patients.event, torch.from_numpy(theirs.surv_times).double())
    torch.testing.assert_close(ours, torch.from_numpy(theirs.surv_prob))
    assert median_time(AT, kaplan_meier(patients.time, patients.event, AT)) == theirs.quantile(0.5) == 1807


def test_kaplan_meier_by_hand() -> None:
    time, event = torch.tensor([1.0, 2.0, 2.0, 3.0]), torch.tensor([True, True, False, True])
    at = torch.tensor([0.5, 1.0, 2.0, 2.5, 3.0])
    assert kaplan_meier(time, event, at).tolist() == pytest.approx([1, 3 / 4, 1 / 2, 1 / 2, 0])
    assert median_time(at, kaplan_meier(time, event, at)) == 2
    assert median_time(at[:2], kaplan_meier(time, event, at[:2])) == math.inf


def test_training_finds_the_coefficients_and_the_baseline_of_statsmodels(patients: Survival) -> None:
    everybody = whole(patients)
    model = train(everybody, cox_loss, steps=400)
    inputs = everybody.train.inputs[0]
    theirs = PHReg(patients.time.numpy(), inputs.numpy(), status=patients.event.numpy(), ties="efron").fit()
    said = inputs @ torch.from_numpy(theirs.params)
    ours = model.train[0] - model.train.mean()
    torch.testing.assert_close(ours, said - said.mean(), rtol=0, atol=2e-3)
    times, cumulative, _ = theirs.baseline_cumulative_hazard[0]
    base = baseline_hazard(said[None], everybody.train, torch.from_numpy(times).double())[0]
    # theirs counts the events before a time, ours those until then
    torch.testing.assert_close(base[:-1], torch.from_numpy(cumulative)[1:])


def test_concordance_by_hand() -> None:
    part = part_of([1, 2, 2, 4], [True, True, False, False])
    risk = torch.tensor([[3.0, 1.0, 1.0, 2.0]])
    # the known pairs: the first against three, the second against the censored at its time and the last
    assert concordance(risk, part).item() == pytest.approx((3 + 0.5 + 0) / 5)
    assert concordance(-risk, part).item() == pytest.approx(1 - 3.5 / 5)


def test_concordance_is_the_share_of_pairs(seen: Experiment) -> None:
    part, risk = Part(*(x[0] for x in seen.study.test)), seen.trained["Cox"].test[0]
    pairs = [
        risk[i] > risk[j]
        for i in range(len(risk))
        for j in range(len(risk))
        if part.event[i]
        and (part.time[i] < part.time[j] or (part.time[i] == part.time[j] and not part.event[j]))
    ]
    assert seen.order("Cox")[0].item() == pytest.approx(sum(map(bool, pairs)) / len(pairs))


def test_squared_error_is_in_both_treatments(seen: Experiment) -> None:
    part, said = seen.study.train, seen.trained["known"].train
    error = squared_error(said, part.time.log(), reduction="none")
    for censored, expected in (
        ("as events", error.mean(1)),
        ("dropped", (error * part.event).sum(1) / part.event.sum(1)),
    ):
        loss = log_normal_loss(said, part, torch.zeros(len(said), 1), censored=censored)
        torch.testing.assert_close(2 * loss - math.log(2 * math.pi), expected)


def test_a_censored_patient_costs_the_probability_of_a_later_event() -> None:
    part = part_of([100.0, 200.0], [True, False])
    loss = log_normal_loss(torch.tensor([[4.0, 5.0]]).double(), part, torch.tensor([[0.3]]).double())
    law = norm(scale=math.exp(0.3))
    parts = law.logpdf(math.log(100) - 4), law.logsf(math.log(200) - 5)
    assert loss.item() == pytest.approx(-sum(parts) / 2)


@pytest.mark.parametrize(("censored", "ratio"), [("known", 1.0), ("dropped", 0.5), ("as events", 0.5)])
@pytest.mark.claim("C213")
def test_constant_rates(censored: str, ratio: float) -> None:
    """As many are lost as are seen: the means of exponential times halve, and so do medians up to the wrong law."""
    draw = generator(1)
    time, until = (-torch.rand(2, 20_000, generator=draw, dtype=torch.float64).log()).unbind()
    event = time <= until
    first = torch.minimum(time, until)
    mean = {
        "known": first.sum() / event.sum(),
        "dropped": first[event].mean(),
        "as events": first.mean(),
    }
    assert mean[censored].item() == pytest.approx(ratio, rel=0.05)


@pytest.mark.claim("C215")
def test_the_weighted_score_is_that_of_everybody() -> None:
    draw = generator(2)
    time, until = (-torch.rand(2, 1, 4000, generator=draw, dtype=torch.float64).log()).unbind()
    until = 2 * until
    event, first = time <= until, torch.minimum(time, until)
    part = Part(torch.zeros(1, 4000, 1), first, event)
    at = torch.tensor([0.5, 1.5], dtype=torch.float64)
    for forecast in ((-at).exp(), torch.tensor([0.2, 0.9], dtype=torch.float64)):
        curve = forecast.expand(1, 4000, 2)
        everybody = ((time.unsqueeze(2) > at).double() - curve).square().mean(1)
        torch.testing.assert_close(brier(curve, Study(part, part, part), at), everybody, rtol=0, atol=0.015)


def test_leaving_hides_events() -> None:
    four = Survival(
        torch.zeros(4, 1),
        torch.tensor([10.0, 200.0, 300.0, 400.0]),
        torch.tensor([True, True, False, True]),
        ("x",),
    )
    left = let_leave(four, share=1.0, before=90, generator=generator(0))
    assert left.time.tolist() == [1, 110, 300, 310] and not left.event.any()
    same = let_leave(four, share=0.0, before=90, generator=generator(0))
    assert torch.equal(same.time, four.time) and torch.equal(same.event, four.event)


def test_stopping_keeps_the_best_on_validation(seen: Experiment) -> None:
    stopped, last = (
        cox_loss(seen.trained[name].validation, seen.study.validation, torch.zeros(0))
        for name in ("stopped", "network")
    )
    assert (stopped < last).all()


# What the page says about the data.


@pytest.mark.claim("C214")
@pytest.mark.parametrize("clock", [torch.log, lambda t: 7 * t**3], ids=["logarithm", "cube"])
def test_the_cox_loss_sees_the_order_of_the_times_only(
    seen: Experiment, clock: Callable[[Tensor], Tensor]
) -> None:
    part, said = seen.study.test, seen.trained["Cox"].test
    loss = cox_loss(said, part, torch.zeros(0))
    torch.testing.assert_close(cox_loss(said + 5, part._replace(time=clock(part.time)), torch.zeros(0)), loss)
    assert (cox_loss(said, part._replace(time=-part.time), torch.zeros(0)) - loss).abs().min() > 1e-3


@pytest.mark.claim("C213")
@pytest.mark.parametrize("name", ["dropped", "as events"])
def test_ignoring_the_censoring_halves_the_times(seen: Experiment, name: str) -> None:
    medians = [median_time(AT, curve.mean(0)) for curve in seen.curves[name]]
    share = interval([m / 1807 for m in medians], test_share=seen.splits.test_share)
    assert share.low > 0.3 and share.high < 0.6


@pytest.mark.claim("C214")
@pytest.mark.parametrize("name", ["Cox", "known"])
def test_the_curves_of_both_likelihoods_agree_with_kaplan_meier(seen: Experiment, name: str) -> None:
    free, none = (seen.curves[who][:, :, FIVE].mean((1, 2)) for who in (name, "no inputs"))
    apart = seen.versus(free, none)
    assert max(-apart.low, apart.high) < 0.06
    assert seen.versus(none, seen.curves["as events"][:, :, FIVE].mean((1, 2))).low > 0.2


@pytest.mark.claim("C215")
@pytest.mark.parametrize("name", ["known", "dropped", "as events"])
def test_the_concordance_index_does_not_see_halved_times(seen: Experiment, name: str) -> None:
    apart = seen.versus(seen.order(name), seen.order("Cox"))
    assert apart.low < 0 < apart.high
    assert torch.equal(concordance(-seen.trained[name].test / 2, seen.study.test), seen.order(name))


@pytest.mark.claim("C215")
def test_the_brier_score_puts_halved_times_behind_a_forecast_without_inputs(seen: Experiment) -> None:
    none = seen.error("no inputs")
    for name in ("dropped", "as events"):
        assert seen.versus(seen.error(name), none).low > 0.01
    for name in ("Cox", "known"):
        assert seen.versus(none, seen.error(name)).low > 0.003
    level = seen.versus(seen.error("known"), seen.error("Cox"))
    assert level.low < 0 < level.high


def test_a_network_overfits_and_is_level_once_stopped(seen: Experiment) -> None:
    assert seen.versus(seen.error("network"), seen.error("Cox")).low > 0.03
    for measure in (seen.order, seen.error):
        level = seen.versus(measure("stopped"), measure("Cox"))
        assert level.low < 0 < level.high


def test_thirds_by_risk_do_what_was_said(seen: Experiment) -> None:
    time, event = (x[:5].flatten() for x in seen.study.test[1:])
    said = seen.curves["Cox"][:5].flatten(0, 1)[:, FIVE].flatten()
    free = [kaplan_meier(time[w], event[w], AT)[FIVE].item() for w in thirds(-said)]
    told = [said[w].mean().item() for w in thirds(-said)]
    assert free == pytest.approx(told, abs=0.06)
    assert free[0] > free[1] + 0.1 > free[2] + 0.2


@pytest.mark.claim("C216")
def test_leaving_before_the_event_lengthens_the_estimates(patients: Survival, seen: Experiment) -> None:
    left = let_leave(patients, share=1 / 2, before=90, generator=generator(4))
    misled = study(left, seen.splits)
    model = train(misled, log_normal_loss, start=7)
    said, known = log_normal_curves(model, AT[FIVE]), seen.curves["known"][:, :, FIVE]
    assert seen.versus(said.mean((1, 2)), known.mean((1, 2))).low > 0.1
    error, known_error = (brier(curve, misled, AT[FIVE]).flatten() for curve in (said, known))
    assert seen.versus(error, known_error).high < 0.01
    assert (
        kaplan_meier(left.time, left.event, AT)[FIVE]
        > 0.1 + kaplan_meier(patients.time, patients.event, AT)[FIVE]
    )
    moved = seen.versus(concordance(-model.test, misled.test), seen.order("known"))
    assert moved.low < 0 < moved.high and abs(moved.mean) < 0.03
