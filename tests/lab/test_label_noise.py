"""The experiment on noisy labels: its parts against exact answers, and what its page says about the digits."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from losscore import cross_entropy, forward_corrected_cross_entropy
from losscore.lab import Interval, generator, interval, paired
from losscore.lab.label_noise import (
    HELD,
    Course,
    Study,
    among_all,
    counted,
    forward,
    from_anchors,
    reviewed,
    study,
    train,
)
from losscore.lab.noisy_labels import power, to_the_next


class Experiment(NamedTuple):
    even: Study
    next: Study
    runs: dict[tuple[str, str], Course]

    def last(self, flips: str, name: str) -> Tensor:
        return self.runs[flips, name].clean[-1]

    def chosen(self, flips: str, name: str) -> Tensor:
        return self.runs[flips, name].chosen()

    def versus(self, first: Tensor, second: Tensor) -> Interval:
        return paired(first, second, test_share=self.even.test_share)


@pytest.fixture(scope="module")
def seen() -> Experiment:
    even, patterned = study(0.4, "even", seeds=5), study(0.35, "next", seeds=5)
    runs = {}
    for flips, data, matrix in (
        ("even", even, among_all(0.4)),
        ("next", patterned, to_the_next(0.35).double()),
    ):
        runs[flips, "cross-entropy"] = train(cross_entropy, data)
        runs[flips, "bounded"] = train(power(0.7), data)
        known = partial(forward_corrected_cross_entropy, transition=matrix)
        runs[flips, "known"] = train(known, data)
    runs["next", "counted"] = train(forward(counted(patterned)), patterned)
    anchors = from_anchors(runs["next", "cross-entropy"].says)
    runs["next", "anchors"] = train(forward(anchors), patterned)
    runs["next", "reviewed"] = train(cross_entropy, reviewed(patterned))
    return Experiment(even, patterned, runs)


def law(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64).softmax(-1)


def best(eta: Tensor, transition: Tensor, believed: Tensor) -> Tensor:
    """The probabilities at which descent of the expected corrected loss ends."""
    logits = torch.zeros_like(eta, requires_grad=True)
    descent = torch.optim.LBFGS(
        [logits], max_iter=500, tolerance_grad=1e-13, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def expected() -> Tensor:
        descent.zero_grad()
        value = forward_corrected_cross_entropy(logits, eta @ transition, transition=believed)
        value.backward()
        return value

    descent.step(expected)
    return logits.detach().softmax(0)


# The parts.


@pytest.mark.claim("C242")
@pytest.mark.parametrize("classes", [2, 3, 6])
def test_the_corrected_loss_is_least_at_the_truth(classes: int) -> None:
    eta = law(classes, seed=classes)
    transition = 0.6 * torch.eye(classes, dtype=torch.float64) + 0.4 * law(classes, classes, seed=9)
    torch.testing.assert_close(best(eta, transition, transition), eta, rtol=0, atol=1e-4)
    plain = best(eta, transition, torch.eye(classes, dtype=torch.float64))
    torch.testing.assert_close(plain, eta @ transition, rtol=0, atol=1e-4)
    assert (plain - eta).abs().max() > 0.02


@pytest.mark.claim("C242")
@pytest.mark.parametrize(("rate", "believed"), [(0.2, 0.1), (0.2, 0.3), (0.1, 0.0)])
def test_a_wrong_matrix_moves_the_minimum_as_stated(rate: float, believed: float) -> None:
    def flips(chance: float) -> Tensor:
        return torch.tensor([[1 - chance, chance], [chance, 1 - chance]], dtype=torch.float64)

    eta = 0.7
    found = best(torch.tensor([1 - eta, eta], dtype=torch.float64), flips(rate), flips(believed))
    stated = ((1 - 2 * rate) * eta + rate - believed) / (1 - 2 * believed)
    assert found[1].item() == pytest.approx(stated, abs=1e-4)


@pytest.mark.claim("C243")
def test_noisy_accuracy_is_the_stated_line(seen: Experiment) -> None:
    """Of a model that is right on a fifth to all of the images, on labels that it has not seen."""
    true, given = (
        torch.cat([*part]) for part in zip(*((d.true.flatten(), d.given.flatten()) for d in [seen.even]))
    )
    for share in (0.2, 0.6, 1.0):
        right = torch.rand(true.shape, generator=generator(4)) < share
        said = torch.where(
            right, true, (true + torch.randint(1, 10, true.shape, generator=generator(5))) % 10
        )
        clean, noisy = ((said == label).double().mean().item() for label in (true, given))
        assert noisy == pytest.approx(0.4 / 9 + (1 - 4 / 9) * clean, abs=0.03)


def test_parts_of_a_study(seen: Experiment) -> None:
    data = seen.even
    assert (
        data.given.shape == (5, 800)
        and data.held_given.shape == (5, HELD)
        and data.test_true.shape == (5, 797)
    )
    assert data.test_share == 797 / 800
    for flipped, rate in ((data, 0.4), (seen.next, 0.35)):
        assert (flipped.given != flipped.true).double().mean().item() == pytest.approx(rate, abs=0.03)
    wrong = seen.next.given != seen.next.true
    assert torch.equal(seen.next.given[wrong], (seen.next.true[wrong] + 1) % 10)
    only = reviewed(data)
    assert torch.equal(only.images, data.held_images) and torch.equal(only.given, data.held_true)


def test_matrices(seen: Experiment) -> None:
    for matrix in (
        among_all(0.4),
        counted(seen.next)[0],
        from_anchors(seen.runs["next", "cross-entropy"].says)[0],
    ):
        torch.testing.assert_close(matrix.sum(1), torch.ones(10, dtype=torch.float64))
    assert among_all(0.4)[3, 3].item() == pytest.approx(0.6) and among_all(0.4)[3, 5].item() == pytest.approx(
        0.4 / 9
    )
    row = (seen.next.held_true[0] == 3) & (seen.next.held_given[0] == 4)
    shown = (seen.next.held_true[0] == 3).sum()
    assert counted(seen.next)[0][3, 4].item() == pytest.approx((row.sum().item() + 0.1) / (shown.item() + 1))
    said = torch.tensor([[[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]])
    assert from_anchors(said)[0].tolist() == [pytest.approx([0.9, 0.1]), pytest.approx([0.2, 0.8])]


def test_one_matrix_a_seed_is_the_loss_of_each() -> None:
    logits = torch.randn(10, 3, generator=generator(1), dtype=torch.float64)
    label, tables = torch.arange(10) % 3, law(2, 3, 3, seed=2)
    each = [
        forward_corrected_cross_entropy(logits[part], label[part], transition=table)
        for part, table in zip((slice(0, 5), slice(5, 10)), tables)
    ]
    torch.testing.assert_close(forward(tables)(logits, label), sum(each) / 2)


def test_a_course_stops_where_the_noisy_labels_are_met_best(seen: Experiment) -> None:
    run = seen.runs["even", "cross-entropy"]
    for seed, row in enumerate(run.noisy.argmax(0)):
        assert run.chosen()[seed] == run.clean[row, seed]
        said = run.tested[seed].argmax(1) == seen.even.test_true[seed]
        assert said.double().mean() == pytest.approx(run.clean[row, seed].item())
    assert (run.best() >= run.chosen()).all()


# What the page says about the digits.


@pytest.mark.claim("C241")
def test_under_even_flips_a_bounded_loss_helps_at_the_end_and_stopping_does_as_well(seen: Experiment) -> None:
    plain, bounded = (seen.last("even", name) for name in ("cross-entropy", "bounded"))
    assert seen.versus(bounded, plain).low > 0.08
    for name in ("bounded", "known"):
        level = seen.versus(seen.chosen("even", name), seen.chosen("even", "cross-entropy"))
        assert level.low < 0 < level.high


@pytest.mark.claim("C241")
def test_under_patterned_flips_only_the_matrix_helps(seen: Experiment) -> None:
    for measure in (seen.last, seen.chosen):
        assert seen.versus(measure("next", "known"), measure("next", "cross-entropy")).low > 0.15
    assert seen.versus(seen.last("next", "known"), seen.last("next", "bounded")).low > 0.02


@pytest.mark.claim("C242")
def test_the_correction_does_not_stop_a_network_from_memorising(seen: Experiment) -> None:
    assert seen.versus(seen.chosen("even", "known"), seen.last("even", "known")).low > 0.02


@pytest.mark.claim("C242")
def test_the_corrected_forecast_speaks_of_clean_labels(seen: Experiment) -> None:
    share = seen.even.test_share
    for name, low, high in (("cross-entropy", 0.25, 0.6), ("known", 0.0, 0.25)):
        run = seen.runs["even", name]
        short = run.chosen() - run.tested.max(2).values.mean(1)
        gap = interval(short, test_share=share)
        assert low < gap.low and gap.high < high


@pytest.mark.claim("C243")
def test_noisy_labels_tell_when_to_stop_under_even_flips(seen: Experiment) -> None:
    run = seen.runs["even", "cross-entropy"]
    assert seen.versus(run.chosen(), run.clean[-1]).low > 0.1
    assert seen.versus(run.best(), run.chosen()).high < 0.05


@pytest.mark.claim("C244")
def test_confident_predictions_hide_patterned_flips_and_a_count_finds_them(seen: Experiment) -> None:
    truth = to_the_next(0.35).double()
    away = [
        (matrix - truth).abs().sum(2).mean(1)
        for matrix in (from_anchors(seen.runs["next", "cross-entropy"].says), counted(seen.next))
    ]
    assert seen.versus(*away).low > 0.05
    said = seen.runs["next", "cross-entropy"].tested
    kept = from_anchors(said).diagonal(dim1=1, dim2=2).mean(1)
    assert seen.versus(kept, torch.full_like(kept, 0.65)).low > 0.1
    assert abs(said.max(2).values.mean().item() - 0.65) < 0.1
    assert seen.versus(seen.last("next", "counted"), seen.last("next", "anchors")).low > 0.04
    level = seen.versus(seen.last("next", "known"), seen.last("next", "counted"))
    assert level.low < 0 < level.high


@pytest.mark.claim("C244")
def test_two_hundred_reviewed_labels_alone_do_as_well(seen: Experiment) -> None:
    alone = seen.last("next", "reviewed")
    for name in ("known", "counted"):
        level = seen.versus(seen.last("next", name), alone)
        assert level.low < 0 < level.high
    assert seen.versus(alone, seen.last("next", "cross-entropy")).low > 0.2
