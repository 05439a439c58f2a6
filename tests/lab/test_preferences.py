"""The experiment on preferences: its parts against exact answers, and what its page says about the travellers."""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from losscore.lab import Interval, mode_choice, paired
from losscore.lab.preferences import (
    Travellers,
    against_each,
    by_class,
    described,
    direct,
    distance,
    learn,
    log_loss,
    off,
    pairs,
    reached_after,
    runaway,
    simulated,
    travellers,
    valued,
    whole,
)


class Experiment(NamedTuple):
    data: Travellers
    whole: Tensor
    pairs: Tensor
    direct: dict[float, Tensor]

    def loss(self, weights: Tensor) -> Tensor:
        return log_loss(valued(self.data.test, weights), self.data.test_chosen)

    def versus(self, first: Tensor, second: Tensor) -> Interval:
        return paired(first, second, test_share=self.data.test_share)


@pytest.fixture(scope="module")
def seen() -> Experiment:
    data = travellers()
    policies = {beta: learn(direct(beta), data) for beta in (0.3, 1.0, 3.0)}
    return Experiment(data, learn(whole, data), learn(pairs, data), policies)


# The parts.


def test_what_was_left_stands_against_what_was_chosen() -> None:
    values = torch.tensor([[10.0, 20.0, 30.0, 40.0], [1.0, 2.0, 3.0, 4.0]])
    chosen, left = against_each(values, torch.tensor([1, 3]))
    assert chosen.tolist() == [[20.0] * 3, [4.0] * 3]
    assert [sorted(row) for row in left.tolist()] == [[10.0, 30.0, 40.0], [1.0, 2.0, 3.0]]


def test_the_description_of_the_travellers() -> None:
    inputs, choices = described(), mode_choice()
    assert inputs.shape == (210, 4, 10) and by_class().shape == (210, 4, 72)
    torch.testing.assert_close(inputs[..., :4].mean((0, 1)), torch.zeros(4, dtype=torch.float64))
    assert inputs[5, 1, 4:7].tolist() == [0.0, 1.0, 0.0] and not inputs[:, 3, 4:].any()
    income = (inputs[:, 0, 7] - inputs[0, 0, 7]) * choices.travellers[:, 0].std()
    torch.testing.assert_close(income, choices.travellers[:, 0] - choices.travellers[0, 0])


def test_the_classifier_has_a_row_of_weights_for_each_mode() -> None:
    weights = torch.randn(1, 72, dtype=torch.float64)
    facts = by_class()[None]
    rows = valued(facts, weights)[0]
    one = facts[0, :, 0, :18]
    torch.testing.assert_close(rows, one @ weights.reshape(4, 18).T)


def test_nobody_is_tested_by_their_own_choice(seen: Experiment) -> None:
    train, test = seen.data.train[0].flatten(1), seen.data.test[0].flatten(1)
    assert len(train) == 168 and len(test) == 42 and seen.data.test_share == 0.25
    counts = torch.bincount(seen.data.train_chosen[0], minlength=4) / 168
    torch.testing.assert_close(seen.data.shares[0], counts.double())


def test_distance_of_a_policy() -> None:
    reference = torch.full((1, 1, 2), 0.5, dtype=torch.float64).log()
    policy = torch.tensor([[[0.8, 0.2]]], dtype=torch.float64).log()
    assert distance(policy, reference).item() == pytest.approx(0.8 * math.log(1.6) + 0.2 * math.log(0.4))
    assert distance(reference + 3, reference).item() == pytest.approx(0)


def test_the_learnt_weights_are_flat(seen: Experiment) -> None:
    """Of the Bradley–Terry loss, whose slope is written out here: σ(r_- − r_+) times the difference of inputs."""
    data = seen.data
    rewards = valued(data.train, seen.pairs)
    slope = torch.zeros_like(seen.pairs)
    for other in range(4):
        rows = torch.arange(4)[None, None] == data.train_chosen[..., None]
        gap = data.train[:, :, other] - (data.train * rows[..., None]).sum(2)
        worse = rewards[:, :, other] - (rewards * rows).sum(2)
        slope += (worse.sigmoid()[..., None] * gap).sum(1)
    assert slope.abs().max() / (3 * 168) < 1e-5


@pytest.mark.claim("C211")
@pytest.mark.parametrize("beta", [0.1, 1.0])
def test_one_comparison_runs_away_as_proved(beta: float) -> None:
    path = runaway(beta, step=0.5, steps=400)
    times, ratios = reached_after(beta, 300.0)
    late = (times - 200).abs().argmin()
    assert path[-1].item() == pytest.approx(ratios[late].item(), rel=0.02)
    assert (path.diff() > 0).all()


@pytest.mark.claim("C211")
def test_smoothing_stops_it() -> None:
    kept = runaway(0.5, step=4.0, steps=300, smoothing=0.1)
    assert kept[-1].item() == pytest.approx(math.log(9) / 0.5, rel=1e-3)
    assert runaway(0.5, step=4.0, steps=300)[-1] > kept[-1] + 4


# What the page says about the travellers.


@pytest.mark.claim("C209")
@pytest.mark.claim("C210")
def test_dpo_learns_the_reward_of_bradley_and_terry(seen: Experiment) -> None:
    for beta, weights in seen.direct.items():
        assert (beta * weights - seen.pairs).abs().max() < 1e-3
    assert (seen.direct[3.0] - seen.pairs).abs().max() > 0.5


@pytest.mark.claim("C210")
def test_strength_sets_how_far_the_policy_goes(seen: Experiment) -> None:
    reference = seen.data.reference(seen.data.test)
    far = {
        beta: distance(reference + valued(seen.data.test, weights), reference)
        for beta, weights in seen.direct.items()
    }
    assert seen.versus(far[0.3], far[1.0]).low > 0.3
    assert seen.versus(far[1.0], far[3.0]).low > 0.15


@pytest.mark.claim("C212")
def test_pairs_lose_on_choices_with_a_known_reward(seen: Experiment) -> None:
    truth = seen.whole.mean(0)
    drawn = simulated(truth, seeds=80)
    errors = [off(learn(objective, drawn), truth, drawn.train) for objective in (pairs, whole)]
    assert paired(*errors).low > 0.003
    assert errors[0].mean() < 1.3 * errors[1].mean()


@pytest.mark.claim("C212")
def test_no_difference_of_log_loss_is_shown_on_real_choices(seen: Experiment) -> None:
    level = seen.versus(seen.loss(seen.pairs), seen.loss(seen.whole))
    assert level.low < -0.01 and 0.03 < level.high < 0.15


def test_a_penalised_classifier_predicts_better(seen: Experiment) -> None:
    data = travellers(by_class)
    weights = learn(whole, data, penalty=1 / 168)
    rows = log_loss(valued(data.test, weights), data.test_chosen)
    assert seen.versus(seen.loss(seen.whole), rows).low > 0.04
    held = learn(whole, seen.data, penalty=1 / 168)
    assert seen.versus(seen.loss(held), rows).low > 0.04
