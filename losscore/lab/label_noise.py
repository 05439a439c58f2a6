"""The experiment on noisy labels: which loss stands which flips, when to stop, and where the matrix comes from.

The digits, their flips and the networks are those of :mod:`losscore.lab.noisy_labels`; here some of the flipped
examples are held out, because whoever has noisy labels has nothing better to stop by.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from losscore.lab.hardware import device
from losscore.lab.noisy_labels import ADAM, EVERY, Flips, Loss, networks, noisy_digits
from losscore.lab.training import progress
from losscore.losses.robust import forward_corrected_cross_entropy

HELD = 200
"""Images of each seed that are held out, with labels as noisy as the others."""


class Study(NamedTuple):
    """One draw a seed: images (seeds, n, 64), labels ``given`` and ``true`` (seeds, n); what is held out; the test."""

    images: Tensor
    given: Tensor
    true: Tensor
    held_images: Tensor
    held_given: Tensor
    held_true: Tensor
    test_images: Tensor
    test_true: Tensor

    @property
    def test_share(self) -> float:
        """Test images over training images: the seeds share images, which intervals have to know."""
        return self.test_true.shape[1] / self.given.shape[1]


@cache
def study(rate: float, flips: Flips, *, seeds: int = 8) -> Study:
    """800 images a seed to train with, 200 held out, the others to test; flips as in ``noisy_digits``.

    In double precision, so that 200 steps end at the same accuracy on every machine.
    """
    drawn = noisy_digits(rate, flips, seeds=seeds, n=800 + HELD).to(device())
    images, tested = drawn.images.double(), drawn.test_images.double()
    parts = [part[:, :-HELD] for part in (images, drawn.given, drawn.true)]
    held = [part[:, -HELD:] for part in (images, drawn.given, drawn.true)]
    return Study(*(*parts, *held, tested, drawn.test_true))


class Course(NamedTuple):
    """What was measured every ``EVERY`` steps, (times, seeds): accuracy on clean test images, on held-out noisy labels.

    ``says`` are the probabilities of the training images and ``tested`` those of the test images, (seeds, n, 10), both
    at the step of the best held-out accuracy.
    """

    steps: Tensor
    clean: Tensor
    noisy: Tensor
    says: Tensor
    tested: Tensor

    def best(self) -> Tensor:
        """For each seed the best clean accuracy of all steps: nobody without clean labels can have it."""
        return self.clean.max(0).values

    def chosen(self) -> Tensor:
        """For each seed the clean accuracy at the step of the best held-out accuracy: anybody can have it."""
        return self.clean.gather(0, self.noisy.argmax(0, keepdim=True)).squeeze(0)


def train(loss: Loss, study: Study, *, steps: int = 200) -> Course:
    """Training of one network a seed on all its images at each step; ``loss`` is a mean over examples."""
    seeds, home = len(study.images), study.images.device
    model = networks(seeds, 10, hidden=64).to(home, study.images.dtype)
    rule = ADAM(model.parameters())
    clean: list[Tensor] = []
    noisy: list[Tensor] = []
    best: list[Tensor] = []
    for step in progress(steps + 1, "training"):
        if step % EVERY == 0:
            with torch.no_grad():
                now = [model(images).softmax(2) for images in (study.images, study.test_images)]
                clean.append(_accuracy(now[1], study.test_true))
                noisy.append(_accuracy(model(study.held_images), study.held_given))
            record = (torch.stack(noisy).argmax(0) == len(noisy) - 1)[:, None, None]
            best = [torch.where(record, new, old) for new, old in zip(now, best or now, strict=True)]
        rule.zero_grad()
        value = seeds * loss(model(study.images).flatten(0, 1), study.given.flatten())
        value.backward()  # type: ignore[no-untyped-call]
        rule.step()
    times = torch.arange(0, steps + 1, EVERY)
    return Course(times, torch.stack(clean).cpu(), torch.stack(noisy).cpu(), *(part.cpu() for part in best))


def _accuracy(logits: Tensor, label: Tensor) -> Tensor:
    return (logits.argmax(2) == label).double().mean(1)


def among_all(rate: float, classes: int = 10) -> Tensor:
    """The transition matrix of "even" flips: row the true class, column the label."""
    others = torch.full((classes, classes), rate / (classes - 1), dtype=torch.float64)
    return others.fill_diagonal_(1 - rate)


def reviewed(study: Study) -> Study:
    """The held-out images with their true labels in place of all training images: what a reviewer alone gives."""
    return study._replace(images=study.held_images, given=study.held_true, true=study.held_true)


def counted(study: Study) -> Tensor:
    """Transition matrices (seeds, 10, 10) from the held-out images, had somebody looked at each of them again.

    Each row counts the labels given to one true class, with one more label spread over all ten.
    """
    pairs = study.images.new_zeros(len(study.given), 10, 10)
    for seed, (true, given) in enumerate(zip(study.held_true, study.held_given, strict=True)):
        pairs[seed].index_put_((true, given), torch.ones_like(true, dtype=pairs.dtype), accumulate=True)
    return (pairs + 0.1) / (pairs.sum(2, keepdim=True) + 1)


def from_anchors(probs: Tensor) -> Tensor:
    """Transition matrices (seeds, 10, 10) from what models of noisy labels say (seeds, n, 10).

    Of each class the image with the highest probability is taken for certainly of that class; what the model says of
    it is then the row of the matrix.
    """
    anchors = probs.argmax(1)
    return probs.gather(1, anchors.unsqueeze(2).expand(-1, -1, probs.shape[2]))


def forward(transitions: Tensor) -> Loss:
    """Forward-corrected cross-entropy with one transition matrix a seed, (seeds, 10, 10), ready for ``train``."""

    def loss(logits: Tensor, label: Tensor) -> Tensor:
        seeds = len(transitions)
        each = zip(logits.chunk(seeds), label.chunk(seeds), transitions, strict=True)
        losses = [forward_corrected_cross_entropy(z, y, transition=matrix) for z, y, matrix in each]
        return torch.stack(losses).mean()

    return loss
