"""The experiment on language: predict the next character and the next word of the reference text of Python.

Several seeds are trained at once: the first axis of each tensor of scores is the seed.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from losscore import binary_cross_entropy, cross_entropy
from losscore.lab.hardware import generator
from losscore.lab.training import progress

CONTEXT = 8
"""How many characters a model sees of the past."""

BLOCK = 2000
"""Characters of a block of text; of ten blocks one tests, one validates and the others train."""

OTHER = "<other>"
"""The word that stands for every word outside of the vocabulary."""

Objective = Literal["full softmax", "sampled", "sampled, −ln Q", "negative sampling", "NCE"]
"""The five ways to learn the scores of words."""


class Sequences(NamedTuple):
    """What comes before, and what came: ``past`` (n, ...) and ``following`` (n,), both indices."""

    past: Tensor
    following: Tensor

    def to(self, device: torch.device) -> Sequences:
        """The same on another device."""
        return Sequences(self.past.to(device), self.following.to(device))


class Corpus(NamedTuple):
    """Text cut into parts, with the names of its symbols."""

    train: Sequences
    validation: Sequences
    test: Sequences
    symbols: tuple[str, ...]

    def to(self, device: torch.device) -> Corpus:
        """The same on another device."""
        return Corpus(self.train.to(device), self.validation.to(device), self.test.to(device), self.symbols)


def distinct_paragraphs(text: str) -> str:
    """The text with every paragraph only where it comes first."""
    return "\n\n".join(dict.fromkeys(text.split("\n\n")))


def characters(text: str) -> Corpus:
    """Each character with the :data:`CONTEXT` characters before it."""
    symbols = tuple(sorted(set(text)))
    number = {symbol: index for index, symbol in enumerate(symbols)}
    all_of_them = torch.tensor([number[symbol] for symbol in text])
    past = all_of_them.unfold(0, CONTEXT, 1)[:-1]
    return Corpus(*_parts(past, all_of_them[CONTEXT:], torch.arange(CONTEXT, len(text))), symbols)


def words(text: str, *, vocabulary: int) -> Corpus:
    """Each word or sign with the one before it; of the words the ``vocabulary - 1`` most frequent, and :data:`OTHER`."""
    found = list(re.finditer(r"\w+|[^\w\s]", text.lower()))
    ranked = Counter(match.group() for match in found).most_common(vocabulary - 1)
    symbols = (OTHER, *(word for word, _ in ranked))
    number = {symbol: index for index, symbol in enumerate(symbols)}
    tokens = torch.tensor([number.get(match.group(), 0) for match in found])
    places = torch.tensor([match.start() for match in found])
    return Corpus(*_parts(tokens[:-1], tokens[1:], places[1:]), symbols)


def frequencies(corpus: Corpus) -> Tensor:
    """The share of each symbol in the training part, each counted once more than it occurs; shape (symbols,)."""
    counts = torch.bincount(corpus.train.following, minlength=len(corpus.symbols)) + 1
    return counts / counts.sum()


def after(corpus: Corpus, given: float = 3.0) -> Tensor:
    """The probability of each symbol after each last symbol, shape (last, next): counts, and ``given`` times the share."""
    size = len(corpus.symbols)
    last = corpus.train.past if corpus.train.past.dim() == 1 else corpus.train.past[:, -1]
    pairs = torch.bincount(last * size + corpus.train.following, minlength=size**2).reshape(size, size)
    weighed = pairs + given * frequencies(corpus)
    return weighed / weighed.sum(1, keepdim=True)


class NextCharacter(nn.Module):
    """Seeds of a network with one hidden layer on the characters of the past: (n, 8) gives (seeds, n, characters)."""

    def __init__(self, seeds: int, characters: int, hidden: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.seeds, self.characters = seeds, characters
        self.table = nn.Parameter(
            torch.randn(seeds * CONTEXT * characters, hidden, generator=generator) / CONTEXT**0.5
        )
        self.out = nn.Parameter(torch.randn(seeds, hidden, characters, generator=generator) / hidden**0.5)
        self.bias = nn.Parameter(torch.zeros(seeds, 1, characters))

    def forward(self, past: Tensor) -> Tensor:
        """The logits of the next character."""
        place = self.characters * torch.arange(CONTEXT, device=past.device)
        seed = self.characters * CONTEXT * torch.arange(self.seeds, device=past.device)
        rows = (past + place) + seed[:, None, None]
        hidden = F.embedding_bag(rows.reshape(-1, CONTEXT), self.table, mode="sum").tanh()
        return torch.baddbmm(self.bias, hidden.reshape(self.seeds, len(past), -1), self.out)


def train_characters(
    corpus: Corpus,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    seeds: int,
    steps: int = 300,
    hidden: int = 96,
    batch: int = 512,
) -> NextCharacter:
    """Train by Adam, with the loss ``loss(logits, target)`` of rows."""
    model = NextCharacter(seeds, len(corpus.symbols), hidden, generator=generator(1))
    model.to(corpus.train.past.device)
    with torch.no_grad():
        model.bias.add_(frequencies(corpus).log())

    def objective(past: Tensor, following: Tensor) -> Tensor:
        logits = model(past)
        return seeds * loss(logits.flatten(0, 1), following.repeat(seeds))

    _descend(model, objective, corpus.train, steps=steps, batch=batch, rate=0.02)
    return model


class NextWord(nn.Module):
    """Seeds of a score for each pair of words, of low rank: the product of two vectors, plus a number for the second."""

    def __init__(self, seeds: int, bias: Tensor, rank: int, *, generator: torch.Generator) -> None:
        super().__init__()
        size = len(bias)
        self.last = nn.Parameter(torch.randn(seeds, size, rank, generator=generator) / rank**0.5)
        self.next = nn.Parameter(0.1 * torch.randn(seeds, size, rank, generator=generator) / rank**0.5)
        self.bias = nn.Parameter(bias.cpu().repeat(seeds, 1))

    def forward(self, past: Tensor, candidates: Tensor | None = None) -> Tensor:
        """Scores (seeds, n, words), or (seeds, n, c) of the ``candidates`` (c,) only."""
        following = self.next if candidates is None else self.next[:, candidates]
        bias = self.bias if candidates is None else self.bias[:, candidates]
        return torch.baddbmm(bias.unsqueeze(1), self.last[:, past], following.transpose(1, 2))

    def of_pairs(self, past: Tensor, following: Tensor) -> Tensor:
        """The score (seeds, n) of each word that came."""
        return (self.last[:, past] * self.next[:, following]).sum(-1) + self.bias[:, following]


def train_words(
    corpus: Corpus,
    objective: Objective,
    *,
    seeds: int,
    negatives: int = 64,
    steps: int = 300,
    rank: int = 24,
    batch: int = 512,
) -> NextWord:
    """Train by Adam, beginning with the share of each word in the text, whatever the next word is.

    Every objective but the first draws ``negatives`` words a step, with replacement, by their shares Q.
    """
    share = frequencies(corpus)
    start = {
        "full softmax": share.log(),
        "sampled": torch.zeros_like(share),
        "sampled, −ln Q": share.log(),
        "negative sampling": torch.full_like(share, -math.log(negatives)),
        "NCE": share.log(),
    }
    model = NextWord(seeds, start[objective], rank, generator=generator(1)).to(share.device)
    draw = generator(3)

    def loss(past: Tensor, following: Tensor) -> Tensor:
        if objective == "full softmax":
            scores = model(past)
            return seeds * cross_entropy(scores.flatten(0, 1), following.repeat(seeds))
        noise = torch.multinomial(share.cpu(), negatives, replacement=True, generator=draw).to(share.device)
        own, others = model.of_pairs(past, following), model(past, noise)
        if objective == "sampled, −ln Q":
            own, others = own - share[following].log(), others - share[noise].log()
        if objective == "NCE":
            offset = share.log() + math.log(negatives)
            own, others = own - offset[following], others - offset[noise]
        scores = torch.cat([own.unsqueeze(-1), others], dim=-1).flatten(0, 1)
        real = torch.zeros(len(scores), dtype=torch.int64, device=scores.device)
        if objective.startswith("sampled"):
            return seeds * cross_entropy(scores, real)
        which = F.one_hot(real, negatives + 1).to(scores)
        return seeds * (1 + negatives) * binary_cross_entropy(scores, which)

    _descend(model, loss, corpus.train, steps=steps, batch=batch, rate=0.02)
    return model


def surprisals(logits: Tensor, following: Tensor) -> Tensor:
    """The cross-entropy, in nats, of what came under scores (seeds, n, symbols): shape (seeds, n)."""
    seeds, n, _ = logits.shape
    losses = cross_entropy(logits.flatten(0, 1), following.repeat(seeds), reduction="none")
    return losses.reshape(seeds, n)


def scores_of(model: nn.Module, past: Tensor) -> Tensor:
    """The scores (seeds, n, symbols) after each past, without gradients."""
    with torch.no_grad():
        return torch.cat([model(some) for some in torch.split(past, 4096)], dim=1)


def perplexity(scores: Tensor, following: Tensor) -> Tensor:
    """The perplexity of each seed, shape (seeds,), of the model that is the softmax of the scores."""
    return surprisals(scores, following).double().mean(1).exp()


def _parts(past: Tensor, following: Tensor, places: Tensor) -> tuple[Sequences, Sequences, Sequences]:
    """Train, validation and test, by the block of text in which the place of what came lies."""
    turn = places // BLOCK % 10
    validates, tests = turn == 5, turn == 0
    trains = ~(validates | tests)
    return (
        Sequences(past[trains], following[trains]),
        Sequences(past[validates], following[validates]),
        Sequences(past[tests], following[tests]),
    )


def _descend(
    model: nn.Module,
    objective: Callable[[Tensor, Tensor], Tensor],
    data: Sequences,
    *,
    steps: int,
    batch: int,
    rate: float,
) -> None:
    rule = torch.optim.Adam(model.parameters(), lr=rate)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(rule, steps)
    draw = generator(2)
    for _ in progress(steps, "training"):
        some = torch.randint(len(data.following), (batch,), generator=draw).to(data.past.device)
        rule.zero_grad()
        value = objective(data.past[some], data.following[some])
        value.backward()  # type: ignore[no-untyped-call]
        rule.step()
        slower.step()
