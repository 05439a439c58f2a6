"""The experiment on language: its parts against exact answers, and what its page says about the text."""

from __future__ import annotations

import math
from functools import partial
from itertools import product
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from losscore import binary_cross_entropy, cross_entropy, expected_calibration_error, fit_temperature
from losscore.lab import generator, interval, paired, reference_text
from losscore.lab.language import (
    BLOCK,
    CONTEXT,
    OTHER,
    Corpus,
    NextCharacter,
    NextWord,
    after,
    characters,
    distinct_paragraphs,
    frequencies,
    perplexity,
    scores_of,
    surprisals,
    train_characters,
    train_words,
    words,
)

SEEDS = 5


@pytest.fixture(scope="module")
def text() -> str:
    return distinct_paragraphs(reference_text())


class Letters(NamedTuple):
    corpus: Corpus
    plain: Tensor
    smoothed: Tensor
    rescaled: Tensor

    def bits(self, scores: Tensor) -> Tensor:
        return surprisals(scores, self.corpus.test.following).double().mean(1) / math.log(2)

    def right(self, scores: Tensor) -> Tensor:
        return (scores.argmax(-1) == self.corpus.test.following).double().mean(1)


@pytest.fixture(scope="module")
def letters(text: str) -> Letters:
    corpus = characters(text)
    train = partial(train_characters, corpus, seeds=SEEDS, steps=350)
    calm = train(partial(cross_entropy, label_smoothing=0.1))
    held = corpus.validation.past[::8], corpus.validation.following[::8]
    heat = torch.tensor([fit_temperature(scores, held[1]) for scores in scores_of(calm, held[0])])
    smoothed = scores_of(calm, corpus.test.past)
    plain = scores_of(train(cross_entropy), corpus.test.past)
    return Letters(corpus, plain, smoothed, smoothed / heat[:, None, None])


class Vocabulary(NamedTuple):
    corpus: Corpus
    scores: dict[str, Tensor]

    def of(self, name: str, *, repaired: bool = False) -> Tensor:
        shift = frequencies(self.corpus).log() if repaired else 0.0
        return perplexity(self.scores[name] + shift, self.corpus.test.following)

    def unigram(self) -> float:
        return math.exp(-frequencies(self.corpus)[self.corpus.test.following].log().mean().item())


@pytest.fixture(scope="module")
def vocabulary(text: str) -> Vocabulary:
    corpus = words(text, vocabulary=1000)
    names = ("full softmax", "sampled", "negative sampling")
    learnt = {name: train_words(corpus, name, seeds=SEEDS, steps=200) for name in names}
    return Vocabulary(corpus, {name: scores_of(model, corpus.test.past) for name, model in learnt.items()})


# The parts.


def test_paragraphs_are_kept_once_in_their_order() -> None:
    assert distinct_paragraphs("b\n\na\n\nb\n\nc") == "b\n\na\n\nc"


def test_characters_have_their_past_and_every_one_is_in_one_part() -> None:
    text = "".join(chr(97 + i * i % 23) for i in range(12 * BLOCK))
    corpus = characters(text)
    assert sum(len(part.following) for part in corpus[:3]) == len(text) - CONTEXT
    named = ["".join(corpus.symbols[int(i)] for i in row) for row in corpus.test.past[[0, BLOCK]]]
    assert named == [text[:CONTEXT], text[10 * BLOCK : 10 * BLOCK + CONTEXT]]
    assert len(corpus.validation.following) == BLOCK


def test_words_outside_of_the_vocabulary_are_other() -> None:
    corpus = words("A b, a b. A c " * 400 + "rare", vocabulary=4)
    assert corpus.symbols[:2] == (OTHER, "a")
    assert set(corpus.symbols[2:]) < {"b", ",", ".", "c"}
    assert (corpus.train.following == 0).any()


def test_counts_make_distributions() -> None:
    corpus = characters("abcabdab" * 3000)
    share, pairs = frequencies(corpus), after(corpus)
    torch.testing.assert_close(share.sum(), torch.tensor(1.0))
    torch.testing.assert_close(pairs.sum(1), torch.ones(4))
    assert pairs[0].argmax() == 1 and pairs[0, 1] > 0.99


def test_the_network_of_characters_is_a_table_lookup() -> None:
    model = NextCharacter(2, 5, 7, generator=generator(0))
    past = torch.randint(5, (3, CONTEXT), generator=generator(1))
    seen = F.one_hot(past, 5).flatten(1).float()
    for seed, scores in enumerate(model(past)):
        table = model.table.reshape(2, CONTEXT * 5, 7)[seed]
        expected = (seen @ table).tanh() @ model.out[seed] + model.bias[seed]
        torch.testing.assert_close(scores, expected)


def test_scores_of_candidates_are_those_of_all_words() -> None:
    model = NextWord(2, torch.randn(9, generator=generator(0)), 3, generator=generator(1))
    past, following = (torch.randint(9, (4,), generator=generator(seed)) for seed in (2, 3))
    some = torch.tensor([8, 1, 1])
    torch.testing.assert_close(model(past, some), model(past)[..., some])
    torch.testing.assert_close(model.of_pairs(past, following), model(past)[:, torch.arange(4), following])


def test_perplexity_of_equal_scores_is_the_number_of_symbols() -> None:
    level = perplexity(torch.zeros(2, 6, 11), torch.arange(6))
    torch.testing.assert_close(level, torch.full((2,), 11.0, dtype=torch.float64))


# The propositions.


def _chances(size: int, seed: int) -> Tensor:
    weights = torch.rand(size, generator=generator(seed), dtype=torch.float64) + 0.1
    return weights / weights.sum()


@pytest.mark.claim("C205")
def test_one_model_has_two_perplexities() -> None:
    scores = torch.randn(1, 12, 5, generator=generator(4), dtype=torch.float64)
    following = torch.randint(5, (12,), generator=generator(5))
    by_character = perplexity(scores, following).item()
    triples = scores.log_softmax(-1)[0, torch.arange(12), following].reshape(4, 3).sum(1)
    assert math.exp(-triples.mean().item()) == pytest.approx(by_character**3)


@pytest.mark.claim("C207")
@pytest.mark.parametrize("negatives", [1, 2])
def test_scores_of_a_sampled_softmax_are_log_ratios(negatives: int) -> None:
    real, drawn = _chances(5, 1), _chances(5, 2)
    draws = torch.tensor(list(product(range(5), repeat=1 + negatives)))
    chance = real[draws[:, 0]] * drawn[draws[:, 1:]].prod(1)
    for corrected, best in ((False, (real / drawn).log()), (True, real.log())):
        scores = torch.zeros(5, dtype=torch.float64, requires_grad=True)
        rule = torch.optim.LBFGS([scores], max_iter=200, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

        def risk(scores: Tensor = scores, corrected: bool = corrected, rule=rule) -> Tensor:
            rule.zero_grad()
            shown = scores - drawn.log() if corrected else scores
            losses = cross_entropy(shown[draws], torch.zeros(len(draws), dtype=torch.int64), reduction="none")
            loss = (chance * losses).sum()
            loss.backward()
            return loss

        rule.step(risk)
        found = scores.detach()
        torch.testing.assert_close(found - found.mean(), best - best.mean(), rtol=0, atol=1e-4)


@pytest.mark.claim("C208")
def test_scores_of_negative_sampling_are_shifted_log_ratios() -> None:
    real, drawn, negatives = _chances(5, 1), _chances(5, 2), 4
    best = (real / (negatives * drawn)).log()

    def risk(scores: Tensor) -> Tensor:
        one, zero = (
            binary_cross_entropy(scores, torch.full_like(scores, label), reduction="none")
            for label in (1.0, 0.0)
        )
        return (real * one + negatives * drawn * zero).sum()

    for step in (-0.1, 0.1):
        for place in range(5):
            moved = best.clone()
            moved[place] += step
            assert risk(moved) > risk(best)


# What the page says about the text.


def test_a_part_of_the_text_is_repeated(text: str) -> None:
    assert len(text) < 0.9 * len(reference_text())


@pytest.mark.claim("C205")
def test_the_lower_perplexity_belongs_to_the_smaller_unit(letters: Letters, vocabulary: Vocabulary) -> None:
    by_letter = perplexity(letters.plain, letters.corpus.test.following)
    length = len(letters.corpus.test.following) / len(vocabulary.corpus.test.following)
    assert (5 * by_letter < vocabulary.of("full softmax")).all()
    assert (by_letter**length > 5 * vocabulary.of("full softmax")).all()


def test_the_network_knows_more_than_counts_of_pairs(letters: Letters) -> None:
    past, came = letters.corpus.test.past, letters.corpus.test.following
    pair = -after(letters.corpus)[past[:, -1], came].log2().mean().item()
    assert interval(letters.bits(letters.plain)).high < pair


@pytest.mark.claim("C206")
def test_smoothing_costs_bits_and_no_accuracy(letters: Letters) -> None:
    came = letters.corpus.test.following
    assert paired(letters.bits(letters.smoothed), letters.bits(letters.plain)).low > 0.03
    assert paired(letters.right(letters.smoothed), letters.right(letters.plain)).low > -0.005
    errors = [
        torch.stack([expected_calibration_error(each.softmax(-1), came) for each in scores])
        for scores in (letters.smoothed, letters.plain)
    ]
    assert paired(errors[0], 2 * errors[1]).low > 0


@pytest.mark.claim("C206")
def test_a_temperature_recovers_most_of_the_bits(letters: Letters) -> None:
    lost = letters.bits(letters.smoothed) - letters.bits(letters.plain)
    back = letters.bits(letters.smoothed) - letters.bits(letters.rescaled)
    assert paired(back, lost / 2).low > 0


@pytest.mark.claim("C207")
def test_the_correction_repairs_a_sampled_softmax(vocabulary: Vocabulary) -> None:
    assert interval(vocabulary.of("sampled")).low > vocabulary.unigram()
    assert paired(vocabulary.of("sampled"), 4 * vocabulary.of("sampled", repaired=True)).low > 0
    assert paired(1.15 * vocabulary.of("full softmax"), vocabulary.of("sampled", repaired=True)).low > 0
    spoilt = paired(vocabulary.of("full softmax", repaired=True), vocabulary.of("full softmax"))
    assert spoilt.low > 20


@pytest.mark.claim("C207")
def test_with_a_bias_the_correction_is_a_shift(vocabulary: Vocabulary) -> None:
    corpus = vocabulary.corpus
    past = corpus.test.past[:200]
    for without, within in (("sampled", "sampled, −ln Q"), ("negative sampling", "NCE")):
        one, other = (
            scores_of(train_words(corpus, name, seeds=1, steps=15), past).log_softmax(-1)
            for name in (without, within)
        )
        shifted = (one + frequencies(corpus).log()).log_softmax(-1)
        torch.testing.assert_close(shifted, other, rtol=0, atol=1e-3)
        assert (one - other).abs().max() > 1


@pytest.mark.claim("C208")
def test_negative_sampling_is_no_language_model_until_shifted(vocabulary: Vocabulary) -> None:
    assert interval(vocabulary.of("negative sampling")).low > 2 * vocabulary.unigram()
    assert interval(vocabulary.of("negative sampling", repaired=True)).high < vocabulary.unigram() / 1.5
