"""The experiment on preferences: what travellers chose, learnt from whole choices, from pairs, and by DPO."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from losscore.lab.hardware import generator
from losscore.lab.loaders import mode_choice
from losscore.lab.splits import repeated_folds
from losscore.lab.training import descend, progress
from losscore.losses.classification import cross_entropy
from losscore.losses.preference import bradley_terry, dpo


class Travellers(NamedTuple):
    """For each split, ``train`` and ``test``: what describes each mode (splits, n, 4, d), and which was taken.

    ``shares`` (splits, 4) are those of the modes among the training travellers: the reference policy.
    """

    train: Tensor
    train_chosen: Tensor
    test: Tensor
    test_chosen: Tensor
    shares: Tensor
    test_share: float

    def reference(self, inputs: Tensor) -> Tensor:
        """The log-probabilities of the reference for each traveller of ``inputs``."""
        return self.shares.log()[:, None].expand(inputs.shape[:3])


def described() -> Tensor:
    """What the reward of each mode may depend on, (210, 4, 10), standardised.

    Its own four offers, and for air, train and bus a constant and the traveller's income; the car stands for 0.
    """
    choices = mode_choice()
    offers = (choices.offers - choices.offers.mean((0, 1))) / choices.offers.std((0, 1))
    income = choices.travellers[:, 0]
    income = (income - income.mean()) / income.std()
    modes = torch.eye(4, dtype=torch.float64)[:, :3].expand(len(offers), 4, 3)
    return torch.cat([offers, modes, modes * income[:, None, None]], 2)


def by_class() -> Tensor:
    """The same facts for a classifier with a row of weights for each mode: (210, 4, 72), all offers for every mode."""
    inputs = described()
    income = inputs[:, 0, 7:8]
    facts = torch.cat([inputs[:, :, :4].flatten(1), income, torch.ones_like(income)], 1)
    return torch.einsum("nf,jk->njkf", facts, torch.eye(4, dtype=torch.float64)).flatten(2)


@cache
def travellers(inputs: Callable[[], Tensor] = described, *, repeats: int = 4) -> Travellers:
    """Five-fold cross-validation of the 210 travellers, repeated."""
    facts, chosen = inputs(), mode_choice().chosen
    splits = repeated_folds(len(chosen), repeats=repeats, generator=generator(0))
    train, test = splits.train, splits.test
    shares = one_hot(chosen[train], 4).double().mean(1)
    return Travellers(facts[train], chosen[train], facts[test], chosen[test], shares, splits.test_share)


Objective = Callable[[Tensor, Tensor, Tensor], Tensor]
"""The loss of rewards or logits (splits, n, 4), with the index chosen and the log-probabilities of the reference."""


def whole(rewards: Tensor, chosen: Tensor, reference: Tensor) -> Tensor:
    """Cross-entropy of the whole choice."""
    return cross_entropy(rewards.flatten(0, -2), chosen.flatten())


def against_each(values: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """The value of what was chosen and those of what was left, both (..., 3)."""
    others = (chosen[..., None] + torch.arange(1, 4)) % 4
    return values.gather(-1, chosen[..., None]).expand(others.shape), values.gather(-1, others)


def pairs(rewards: Tensor, chosen: Tensor, reference: Tensor) -> Tensor:
    """Bradley and Terry's loss of what was chosen against each other mode."""
    return bradley_terry(*against_each(rewards, chosen))


def direct(beta: float) -> Objective:
    """The DPO loss of the policy softmax(reference + values), on the same comparisons."""

    def objective(values: Tensor, chosen: Tensor, reference: Tensor) -> Tensor:
        policy = (reference + values).log_softmax(-1)
        return dpo(*against_each(policy, chosen), *against_each(reference, chosen), beta=beta)

    return objective


def learn(objective: Objective, data: Travellers, *, penalty: float = 0.0) -> Tensor:
    """The best weights of each split, (splits, d); values are the inputs times them.

    ``penalty`` times half the sum of their squares is added to the loss of each split.
    """
    weights = data.train.new_zeros(len(data.train), data.train.shape[3]).requires_grad_()
    reference = data.reference(data.train)
    descent = torch.optim.LBFGS(
        [weights],
        max_iter=30,
        max_eval=1000,
        history_size=30,
        tolerance_grad=1e-7,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        descent.zero_grad()
        loss = objective(valued(data.train, weights), data.train_chosen, reference)
        value = len(weights) * loss + penalty / 2 * weights.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    for _ in progress(50, "fitting"):  # the optimiser goes on where it stood
        descent.step(closure)  # type: ignore[no-untyped-call]
    return weights.detach()


def valued(inputs: Tensor, weights: Tensor) -> Tensor:
    """The value of each mode for each traveller, (splits, n, 4)."""
    return torch.einsum("snjd,sd->snj", inputs, weights)


def log_loss(logits: Tensor, chosen: Tensor) -> Tensor:
    """The mean cross-entropy of each split."""
    each = cross_entropy(logits.flatten(0, 1), chosen.flatten(), reduction="none")
    return each.reshape(chosen.shape).mean(1)


def accuracy(logits: Tensor, chosen: Tensor) -> Tensor:
    """The share of each split whose choice has the largest value."""
    return (logits.argmax(2) == chosen).double().mean(1)


def distance(logits: Tensor, reference: Tensor) -> Tensor:
    """The KL divergence of each split's policy from the reference, averaged over travellers."""
    policy = logits.log_softmax(2)
    return (policy.exp() * (policy - reference)).sum(2).mean(1)


def simulated(weights: Tensor, *, seeds: int = 20) -> Travellers:
    """All 210 travellers with choices drawn from the reward with these weights (d,), one draw a seed.

    Train and test are the same people.
    """
    inputs = described().expand(seeds, -1, -1, -1)
    law = valued(inputs, weights.expand(seeds, -1)).softmax(2)
    drawn = torch.multinomial(law.flatten(0, 1), 1, generator=generator(7)).reshape(law.shape[:2])
    shares = one_hot(drawn, 4).double().mean(1)
    return Travellers(inputs, drawn, inputs, drawn, shares, 1.0)


def off(weights: Tensor, truth: Tensor, inputs: Tensor) -> Tensor:
    """How far the rewards are off, for each seed: root mean square of what is left of the differences of rewards."""
    error = valued(inputs, weights - truth)
    return (error - error.mean(2, keepdim=True)).square().mean((1, 2)).sqrt()


def runaway(beta: float, *, step: float, steps: int, smoothing: float = 0.0) -> Tensor:
    """Descent of the DPO loss where the first answer always wins: the log ratio after each step, (steps + 1,)."""
    rest = torch.zeros((), dtype=torch.float64)

    def loss(ratio: Tensor) -> Tensor:
        return dpo(ratio, rest, rest, rest, beta=beta, label_smoothing=smoothing)

    return descend(loss, 0.0, step=step, steps=steps).path


def reached_after(beta: float, until: float) -> tuple[Tensor, Tensor]:
    """Times up to ``until``, and the log ratio that descent with tiny steps has then reached."""
    gain = torch.linspace(0, 30, 3001, dtype=torch.float64)[1:]
    times = (gain.exp() + gain - 1) / beta**2
    held = times <= until
    return times[held], gain[held] / beta
