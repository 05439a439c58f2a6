import pytest
import torch

from losscore.lab import by_device, describe, device, generator, seeded


def test_device_follows_what_torch_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device().type == "cpu"
    assert by_device(cpu=3, gpu=30) == 3
    assert describe() == "This runs on the CPU: PyTorch sees no GPU here."
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Model T")
    assert device().type == "cuda"
    assert by_device(cpu=3, gpu=30) == 30
    assert describe() == "This runs on the GPU Model T."


def test_size_can_be_chosen_against_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    for gpu in (False, True):
        monkeypatch.setattr(torch.cuda, "is_available", lambda gpu=gpu: gpu)
        for size, chosen in (("fast", 3), ("full", 30), ("", 30 if gpu else 3)):
            monkeypatch.setenv("LOSSCORE_SIZE", size)
            assert by_device(cpu=3, gpu=30) == chosen
    monkeypatch.setenv("LOSSCORE_SIZE", "huge")
    with pytest.raises(ValueError, match="LOSSCORE_SIZE must be fast or full, got 'huge'"):
        by_device(cpu=3, gpu=30)


def test_generator_repeats_and_seeds_differ() -> None:
    first, again, other = (torch.randn(5, generator=generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert generator(0).device.type == "cpu"


def test_generator_leaves_the_global_one_alone() -> None:
    before = torch.get_rng_state()
    torch.randn(5, generator=generator(1))
    assert torch.equal(torch.get_rng_state(), before)


def test_seeded_repeats_first_weights_and_leaves_no_trace() -> None:
    before = torch.get_rng_state()
    weights = []
    for seed in (3, 3, 4):
        with seeded(seed):
            weights.append(torch.nn.Linear(4, 2).weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("use", [generator, lambda seed: seeded(seed).__enter__()])
def test_bad_seeds(use) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TypeError, match="seed must be an integer, got 1.5 of type float"):
        use(1.5)
    with pytest.raises(TypeError, match="seed must be an integer, got True"):
        use(True)
    with pytest.raises(ValueError, match="seed must be 0 or larger, got -1"):
        use(-1)
