"""The experiment on metric learning: embeddings of digits, judged on digits that training never saw.

Several trainings run at once, each with other digits held out: the first axis of a batch is the training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from losscore.lab.hardware import generator
from losscore.lab.training import Copies, progress
from losscore.losses.classification import cross_entropy
from losscore.losses.contrastive import info_nce, nt_xent

SHIFT = 2
"""How many pixels a view may be moved, in each direction."""


class Task(NamedTuple):
    """Digits, and for each training which of them are held out: images (n, 28, 28), labels (n,), and the held-out digits."""

    images: Tensor
    labels: Tensor
    held_out: tuple[tuple[int, ...], ...]

    def rows(self, training: int, *, unseen: bool) -> Tensor:
        """The indices of the images that a training holds out, or of those that it learns from."""
        out = torch.tensor(self.held_out[training], device=self.labels.device)
        return torch.nonzero(torch.isin(self.labels, out) == unseen).squeeze(1)


class Batch(NamedTuple):
    """The embeddings of two views of the same images, (trainings, n, d), their labels, and class scores of the first."""

    first: Tensor
    second: Tensor
    labels: Tensor
    scores: Tensor


def views(images: Tensor, *, generator: torch.Generator) -> Tensor:
    """Each image (n, 28, 28) moved by up to :data:`SHIFT` pixels in each direction, black where nothing was."""
    n, side = images.shape[:2]
    moved = torch.randint(0, 2 * SHIFT + 1, (2, n), generator=generator).to(images.device)
    rows, columns = (start[:, None] + torch.arange(side, device=images.device) for start in moved)
    padded = F.pad(images, (SHIFT,) * 4)
    place = torch.arange(n, device=images.device)[:, None, None]
    return padded[place, rows[:, :, None], columns[:, None, :]]


def pixels(images: Tensor) -> Tensor:
    """Means of 2 × 2 pixels, row by row, in double precision: (n, 28, 28) gives (n, 196)."""
    return F.avg_pool2d(images[:, None].double(), 2).flatten(1)


def supervised(batch: Batch, *, temperature: float) -> Tensor:
    """NT-Xent with the digits as labels: every image of one's own digit is a positive."""
    rows = [nt_xent(x, y, temperature=temperature) for x, y in zip(batch.first, batch.labels)]
    return torch.stack(rows).sum()


def unlabelled(batch: Batch, *, temperature: float) -> Tensor:
    """InfoNCE: the other view of the same image is the positive, all other images are negatives."""
    pairs = zip(batch.first, batch.second)
    return torch.stack([info_nce(one, other, temperature=temperature) for one, other in pairs]).sum()


def classified(batch: Batch) -> Tensor:
    """Cross-entropy of a linear layer on top of the embedding."""
    return torch.stack([cross_entropy(z, y) for z, y in zip(batch.scores, batch.labels)]).sum()


def embed(
    task: Task, loss: Callable[[Batch], Tensor], *, steps: int = 120, size: int = 150, seed: int = 1
) -> list[Tensor]:
    """Train a network with 128 hidden units and 32 outputs for each training, and embed its held-out images.

    In double precision, so that machines agree on the digits that a page prints.

    Args:
        task: the digits.
        loss: the sum over the trainings of their losses on a batch.
        steps: how many steps of Adam, with the rate 0.003.
        size: how many images of a training are in a batch.
        seed: of the first weights, of the batches and of the views.

    Returns:
        For each training the embeddings of its held-out images, shape (n, 32).
    """
    draw, device = generator(seed), task.images.device
    trainings = len(task.held_out)
    body = Copies(trainings, (196, 128, 32), generator=draw, activation=torch.relu).to(device, torch.float64)
    head = Copies(trainings, (32, 10), generator=draw).to(device, torch.float64)
    known = [task.rows(training, unseen=False) for training in range(trainings)]
    rule = torch.optim.Adam([*body.parameters(), *head.parameters()], lr=0.003)
    for _ in progress(steps, "training"):
        chosen = torch.cat(
            [rows[torch.randint(len(rows), (size,), generator=draw).to(device)] for rows in known]
        )
        first, second = (
            body(pixels(views(task.images[chosen], generator=draw)).reshape(trainings, size, -1))
            for _ in range(2)
        )
        batch = Batch(first, second, task.labels[chosen].reshape(trainings, size), head(torch.relu(first)))
        rule.zero_grad()
        loss(batch).backward()  # type: ignore[no-untyped-call]
        rule.step()
    with torch.no_grad():
        found = []
        for training in range(trainings):
            shown = pixels(task.images[task.rows(training, unseen=True)])
            found.append(body(shown.expand(trainings, -1, -1))[training])
    return found


class Retrieval(NamedTuple):
    """Shares of right neighbours, one value a training: the nearest one, and MAP@R."""

    nearest: Tensor
    mean_precision: Tensor


def neighbours(embeddings: Tensor, count: int) -> Tensor:
    """The indices of the ``count`` other rows of largest cosine with each row, in order; shape (n, count)."""
    rows = F.normalize(embeddings, dim=1)
    similarity = (rows @ rows.T).fill_diagonal_(-2)
    return similarity.topk(count, dim=1).indices


def mean_average_precision(embeddings: Tensor, labels: Tensor) -> Tensor:
    """MAP@R: for each row, precision at each right one among its R neighbours, summed and divided by R.

    R is the number of other rows of the row's label, the same for all labels.
    """
    alike = int((labels == labels[0]).sum()) - 1
    right = (labels[neighbours(embeddings, alike)] == labels[:, None]).double()
    ranks = torch.arange(1, alike + 1, device=labels.device)
    return ((right * right.cumsum(1) / ranks).sum(1) / alike).mean()


def judge(task: Task, embeddings: Sequence[Tensor]) -> Retrieval:
    """How well the held-out images of each training find their own digit."""
    nearest, precision = [], []
    for training, rows in enumerate(embeddings):
        labels = task.labels[task.rows(training, unseen=True)]
        nearest.append((labels[neighbours(rows, 1)[:, 0]] == labels).double().mean())
        precision.append(mean_average_precision(rows, labels))
    return Retrieval(torch.stack(nearest), torch.stack(precision))


def raw(task: Task) -> list[Tensor]:
    """The pixels of the held-out images of each training, in place of an embedding."""
    count = len(task.held_out)
    return [pixels(task.images[task.rows(training, unseen=True)]) for training in range(count)]


def information_bound(information: float, size: int, *, batches: int, generator: torch.Generator) -> Tensor:
    """ln N less the InfoNCE loss of the best critic, for Gaussian pairs of a known mutual information.

    The pairs have ten independent coordinates of one correlation; the critic is their log-ratio of densities.

    Args:
        information: the mutual information, in nats.
        size: the number N of pairs in a batch.
        batches: how many batches.
        generator: draws the pairs.

    Returns:
        One value a batch, shape (batches,).
    """
    squared = 1 - torch.tensor(-2 * information / 10, dtype=torch.float64).exp()
    x, noise = torch.randn(2, batches, size, 10, generator=generator, dtype=torch.float64)
    y = squared.sqrt() * x + (1 - squared).sqrt() * noise
    across = squared.sqrt() * (x @ y.mT)
    own = (squared / 2) * (x.square().sum(-1)[:, :, None] + y.square().sum(-1)[:, None, :])
    critic = (across - own) / (1 - squared)
    loss = partial(cross_entropy, reduction="none")
    target = torch.arange(size).expand(batches, -1)
    each = loss(critic.flatten(0, 1), target.flatten()).reshape(batches, size)
    return torch.log(torch.tensor(float(size), dtype=torch.float64)) - each.mean(1)
