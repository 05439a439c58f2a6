import pytest
import torch

from losscore.lab import generator, repeated_folds


def test_parts_are_disjoint_and_no_sample_is_tested_twice_in_a_repeat() -> None:
    splits = repeated_folds(53, folds=5, repeats=3, validation=12, generator=generator(0))
    assert splits.test.shape == (15, 10) and splits.validation.shape == (15, 12)
    assert splits.train.shape == (15, 31)
    for parts in zip(splits.train, splits.validation, splits.test):
        assert sorted(torch.cat(parts).tolist()) == list(range(53))
    for repeat in splits.test.reshape(3, 50):
        assert len(repeat.unique()) == 50
    assert splits.test_share == pytest.approx(10 / 31)


def test_repeats_differ_and_a_seed_repeats() -> None:
    first, again, other = (repeated_folds(40, generator=generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.test, again.test) and torch.equal(first.train, again.train)
    assert not torch.equal(first.test, other.test)
    assert not torch.equal(first.test[:5].sort().values, first.test[5:10].sort().values)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"samples": 40, "folds": 1}, "folds must be at least 2"),
        ({"samples": 40, "repeats": 0}, "repeats 1"),
        ({"samples": 3}, "3 samples are too few for 5 folds"),
        ({"samples": 40, "validation": 32}, "too few for 5 folds and 32 samples of validation"),
    ],
)
def test_errors_name_the_argument(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        repeated_folds(**arguments, generator=generator(0))
