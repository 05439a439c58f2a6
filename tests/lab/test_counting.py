"""The experiment on counts: its parts against exact answers, and what its page says about the data."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import matplotlib.pyplot as plt
import pytest
import torch
from scipy.stats import nbinom, poisson
from sklearn.linear_model import LinearRegression, PoissonRegressor
from torch import Tensor

from losscore import (
    negative_binomial_nll,
    poisson_nll,
    squared_error,
    zero_inflated_negative_binomial_nll,
)
from losscore.lab import Interval, Splits, blood_cells, generator, interval, paired, repeated_folds
from losscore.lab.counting import (
    Forecast,
    Study,
    Task,
    back,
    chance_of_at_least,
    chance_of_none,
    held_back,
    logarithms,
    molecules,
    normalised,
    study,
    train,
)
from losscore.lab.counting_figures import rarities, slide_dispersion, variances


def poisson_loss(said: Forecast, counts: Tensor) -> Tensor:
    return poisson_nll(said.log_mean, counts, reduction="none")


def binomial_loss(said: Forecast, counts: Tensor) -> Tensor:
    return negative_binomial_nll(
        said.log_mean.exp(), counts, inverse_dispersion=said.log_size.exp(), reduction="none"
    )


def inflated_loss(said: Forecast, counts: Tensor) -> Tensor:
    return zero_inflated_negative_binomial_nll(
        said.log_mean.exp(),
        counts,
        inverse_dispersion=said.log_size.exp(),
        zero_logits=said.zero_logits,
        reduction="none",
    )


class Experiment(NamedTuple):
    splits: Splits
    study: Study
    counts: Tensor
    poisson: Forecast
    binomial: Forecast
    inflated: Forecast

    def mean(self, values: Tensor) -> Interval:
        return interval(values.mean((1, 2)), test_share=self.splits.test_share)

    def versus(self, first: Tensor, second: Tensor) -> Interval:
        return paired(first.mean((1, 2)), second.mean((1, 2)), test_share=self.splits.test_share)


@pytest.fixture(scope="module")
def seen() -> Experiment:
    cells = blood_cells()
    splits = repeated_folds(len(cells.totals), repeats=1, generator=generator(0))
    made = study(held_back(molecules(cells).round(), cells.totals, every=10), splits, factors=10)
    fitted = (train(made, loss) for loss in (poisson_loss, binomial_loss, inflated_loss))
    return Experiment(splits, made, made.test.counts, *fitted)


def constant(mean: Tensor, size: float) -> Forecast:
    return Forecast(mean.log(), torch.full_like(mean, size).log(), torch.full_like(mean, -3.0))


# The parts.


def test_the_stored_logarithms_give_whole_counts_back() -> None:
    cells = blood_cells()
    raw = molecules(cells)
    counts = raw.round()
    assert (raw - counts).abs().max() < 0.1
    stored = (counts * 1e4 / cells.totals[:, None]).log1p()
    torch.testing.assert_close(stored, cells.expression, rtol=0, atol=6e-4)
    assert (counts.sum(1) < cells.totals).all()


def test_held_back_genes_leave_no_trace_in_the_inputs() -> None:
    counts = torch.tensor([[4.0, 0, 9, 1], [0, 2, 9, 3]], dtype=torch.float64)
    task = held_back(counts, torch.tensor([20.0, 30.0], dtype=torch.float64), every=2)
    assert task.counts.tolist() == [[4, 0], [0, 2]]
    assert task.depth.tolist() == [16, 28]
    torch.testing.assert_close(task.inputs.expm1() * task.depth[:, None] / 1e4, counts[:, 2:])


def test_factors_come_from_the_training_cells() -> None:
    draw = generator(3)
    inputs = torch.randn(40, 5, generator=draw, dtype=torch.float64)
    counts = torch.poisson(torch.full((40, 2), 3.0, dtype=torch.float64), generator=draw)
    task = Task(inputs, counts, torch.full((40,), 100.0, dtype=torch.float64))
    splits = repeated_folds(40, repeats=1, generator=draw)
    made = study(task, splits, factors=2)
    scores = made.train.inputs[..., :-1]
    gram = scores.mT @ scores / 31
    torch.testing.assert_close(gram, torch.eye(2, dtype=torch.float64).expand(5, 2, 2))
    moved = inputs.clone()
    moved[splits.test[0]] += 7
    again = study(task._replace(inputs=moved), splits, factors=2)
    torch.testing.assert_close(again.train.inputs[0], made.train.inputs[0])


def test_training_finds_the_poisson_regression() -> None:
    draw = generator(4)
    inputs = torch.randn(300, 2, generator=draw, dtype=torch.float64)
    counts = torch.poisson((0.5 * inputs[:, :1] + 1).exp(), generator=draw)
    splits = repeated_folds(300, folds=3, repeats=1, generator=draw)
    made = study(Task(inputs, counts, torch.ones(300, dtype=torch.float64)), splits, factors=2)
    ours = train(made, poisson_loss, steps=400, rate=0.02).log_mean.exp()
    for split, (old, new) in enumerate(zip(splits.train, splits.test)):
        theirs = PoissonRegressor(alpha=0, tol=1e-9).fit(inputs[old].numpy(), counts[old, 0].numpy())
        expected = torch.from_numpy(theirs.predict(inputs[new].numpy()))
        torch.testing.assert_close(ours[split, :, 0], expected, rtol=1e-3, atol=0)


def test_logarithms_are_a_linear_regression(seen: Experiment) -> None:
    old, new = (part.inputs[0, :, :-1].numpy() for part in (seen.study.train, seen.study.test))
    theirs = LinearRegression().fit(old, normalised(seen.study.train)[0].numpy()).predict(new)
    torch.testing.assert_close(logarithms(seen.study)[0], torch.from_numpy(theirs))
    torch.testing.assert_close(back(normalised(seen.study.test), seen.study.test), seen.counts)


def test_chances_are_scipys() -> None:
    mean = torch.tensor([0.1, 2.0, 5.0, 5.0, 40.0], dtype=torch.float64)
    counts = torch.tensor([0.0, 1.0, 5.0, 20.0, 70.0], dtype=torch.float64)
    theirs = poisson(mean.numpy()).sf(counts.numpy() - 1)
    ours = chance_of_at_least(poisson_loss, constant(mean, 1.0), counts)
    torch.testing.assert_close(ours, torch.from_numpy(theirs), rtol=1e-6, atol=1e-13)
    theirs = nbinom(1.5, 1.5 / (1.5 + mean.numpy())).sf(counts.numpy() - 1)
    ours = chance_of_at_least(binomial_loss, constant(mean, 1.5), counts)
    torch.testing.assert_close(ours, torch.from_numpy(theirs))
    none = chance_of_none(binomial_loss, constant(mean, 1.5))
    torch.testing.assert_close(none, (1 + mean / 1.5) ** -1.5)


@pytest.mark.claim("C217")
def test_counts_with_a_gamma_rate_have_the_stated_law() -> None:
    mean, size, draw = 5.0, 1.5, 400_000
    rates = torch.distributions.Gamma(torch.tensor(size), torch.tensor(size / mean))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        counts = torch.poisson(rates.sample((draw,)))
    assert counts.mean().item() == pytest.approx(mean, rel=0.01)
    assert counts.var().item() == pytest.approx(mean + mean**2 / size, rel=0.02)
    law = nbinom(size, size / (size + mean))
    for value in (0, 3, 12):
        assert (counts == value).double().mean().item() == pytest.approx(law.pmf(value), abs=0.002)


# What the page says about the data.


@pytest.mark.claim("C217")
def test_the_negative_binomial_has_the_lower_loss(seen: Experiment) -> None:
    poisson_nll, binomial_nll = (
        poisson_loss(seen.poisson, seen.counts),
        binomial_loss(seen.binomial, seen.counts),
    )
    assert seen.versus(poisson_nll, binomial_nll).low > 0.01


@pytest.mark.claim("C217")
def test_poisson_calls_too_much_rare(seen: Experiment) -> None:
    rare = {
        name: (chance_of_at_least(loss, said, seen.counts) < 0.001).double()
        for name, loss, said in (
            ("poisson", poisson_loss, seen.poisson),
            ("binomial", binomial_loss, seen.binomial),
        )
    }
    assert seen.mean(rare["poisson"]).low > 0.002
    assert seen.versus(rare["poisson"], rare["binomial"]).low > 0.001


@pytest.mark.claim("C218")
def test_the_negative_binomial_has_enough_zeros(seen: Experiment) -> None:
    zero = (seen.counts == 0).double()
    binomial = seen.versus(chance_of_none(binomial_loss, seen.binomial), zero)
    assert binomial.low < 0 < binomial.high and abs(binomial.mean) < 0.01
    assert seen.versus(chance_of_none(poisson_loss, seen.poisson), zero).high < -0.005
    gain = seen.versus(binomial_loss(seen.binomial, seen.counts), inflated_loss(seen.inflated, seen.counts))
    assert -0.003 < gain.low < gain.high < 0.003


@pytest.mark.claim("C219")
def test_the_logarithm_loses_molecules(seen: Experiment) -> None:
    logs = logarithms(seen.study)
    forecast = back(logs, seen.study.test).sum((1, 2)) / seen.counts.sum((1, 2))
    assert interval(forecast, test_share=seen.splits.test_share).high < 0.8
    fitted = logs.sum((1, 2)) / normalised(seen.study.test).sum((1, 2))
    assert fitted.mean().item() == pytest.approx(1, abs=0.02)


@pytest.mark.claim("C219")
def test_the_logarithm_wins_by_its_own_measure(seen: Experiment) -> None:
    target = normalised(seen.study.test)
    error = partial(squared_error, reduction="none")
    own = error(logarithms(seen.study), target)
    for said in (seen.poisson, seen.binomial):
        other = (said.log_mean.exp() / seen.study.test.depth * 1e4).log1p()
        assert seen.versus(error(other, target), own).low > 0.03


@pytest.mark.claim("C220")
def test_the_means_are_not_improved(seen: Experiment) -> None:
    for said in (seen.poisson, seen.binomial):
        total = said.log_mean.exp().sum((1, 2)) / seen.counts.sum((1, 2))
        assert total.mean().item() == pytest.approx(1, abs=0.06)
    poisson_error, binomial_error = (
        squared_error(said.log_mean.exp(), seen.counts, reduction="none")
        for said in (seen.poisson, seen.binomial)
    )
    assert seen.versus(poisson_error, binomial_error).low < 0


# The pictures.


def test_the_slider_tells_the_exact_chances() -> None:
    page = slide_dispersion(5.0, 20, [0.5, 1, 100])._repr_html_()
    tail = 1e5 * nbinom(1, 1 / 6).sf(19)
    assert f"variance 30; no molecule in 17 % of such cells, 20 or more in {tail:.0f} of 100,000" in page


def test_each_found_gene_is_a_dot() -> None:
    counts = torch.tensor([[0.0, 1.0, 4.0], [0.0, 3.0, 0.0]])
    variances({"all": counts, "some": counts})
    axes = plt.gcf().axes[0]
    dots = axes.lines[0]
    assert list(dots.get_xdata()) == [2, 2]
    assert list(dots.get_ydata()) == [2, 8]
    plt.close("all")


def test_right_forecasts_call_rare_what_is_rare() -> None:
    mean = torch.full((1, 200, 200), 30.0, dtype=torch.float64)
    counts = torch.poisson(mean, generator=generator(8))
    said = constant(mean, 1.0)
    rarities(counts, dict.fromkeys(("one", "two", "three"), (poisson_loss, said)))
    drawn = plt.gcf().axes[0].lines[1]
    levels, shares = map(torch.as_tensor, (drawn.get_xdata(), drawn.get_ydata()))
    assert (shares[8:] <= 1.1 * levels[8:]).all() and (shares[8:] > 0.4 * levels[8:]).all()
    plt.close("all")
