"""The experiment on noisy photographs: its parts against exact answers, and what its page says about the pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from scipy.ndimage import percentile_filter  # type: ignore[import-untyped]
from torch import Tensor

from losscore import absolute_error, pinball, squared_error
from losscore.lab import denoising as lab
from losscore.lab import generator, paired, photograph
from losscore.lab.denoising import Gaussian, Impulses, Restored, noisy_copies, quantile_filter, restore, train

SEEDS, STEPS = 5, 120
GAUSSIAN, IMPULSES = Gaussian(std=0.1), Impulses(share=0.4, white=0.85)
LOSSES: dict[str, Callable[..., Tensor]] = {
    "squared": squared_error,
    "absolute": absolute_error,
    "pinball": partial(pinball, quantile=IMPULSES.level()),
}


@pytest.fixture(scope="module")
def runs() -> dict[tuple[str, str], Restored]:
    """What the networks of the page make of the copies, by noise and by loss; "clean" is squared error on clean targets."""
    torch.set_num_threads(1)
    scenes = [photograph(name).float() for name in ("coins", "brick", "clock")]
    found = {}
    for kind, noise in (("gaussian", GAUSSIAN), ("impulses", IMPULSES)):
        copies = noisy_copies(photograph("camera").float(), noise, seeds=SEEDS)
        found[kind, "copies"] = copies
        for name in ("clean", *LOSSES):
            loss = partial(LOSSES.get(name, squared_error), reduction="none")
            model = train(noise, loss, scenes, clean_targets=name == "clean", seeds=SEEDS, steps=STEPS)
            found[kind, name] = restore(model, copies)
    return found


@pytest.mark.claim("C245")
def test_noisy_targets_teach_as_well_as_clean_ones_under_gaussian_noise(
    runs: dict[tuple[str, str], Restored],
) -> None:
    copies, clean, noisy = (runs["gaussian", name].psnr for name in ("copies", "clean", "squared"))
    assert paired(noisy, copies).low > 3
    loss = paired(clean, noisy)
    assert loss.low > -0.5 and loss.high < 0.5


@pytest.mark.claim("C246")
def test_squared_error_learns_the_haze_of_the_impulses(runs: dict[tuple[str, str], Restored]) -> None:
    clean, noisy = runs["impulses", "clean"], runs["impulses", "squared"]
    assert paired(noisy.bias, clean.bias).low > 0.08
    assert paired(clean.psnr, noisy.psnr).low > 8


@pytest.mark.claim("C247")
def test_the_level_decides_for_a_filter_and_hardly_for_a_network(
    runs: dict[tuple[str, str], Restored],
) -> None:
    designed, absolute = runs["impulses", "pinball"], runs["impulses", "absolute"]
    assert abs(paired(designed.psnr, absolute.psnr).mean) < 0.1
    copies = runs["impulses", "copies"]
    at_level, median = (quantile_filter(copies, level) for level in (IMPULSES.level(), 0.5))
    assert paired(at_level.psnr, median.psnr).low > 5
    assert paired(median.bias, at_level.bias).low > 0.03


@pytest.mark.claim("C246")
def test_the_designed_loss_needs_no_clean_pixel_and_beats_the_trivial_rule(
    runs: dict[tuple[str, str], Restored],
) -> None:
    designed, filled = runs["impulses", "pinball"], lab.filled(runs["impulses", "copies"])
    assert paired(designed.psnr, runs["impulses", "squared"].psnr).low > 8
    assert paired(runs["impulses", "clean"].psnr, designed.psnr).high < 0.5
    assert paired(designed.psnr, filled.psnr).low > 0.5
    assert paired(filled.psnr, quantile_filter(runs["impulses", "copies"], IMPULSES.level()).psnr).low > 3


@pytest.mark.claim("C248")
def test_the_designed_loss_is_the_wrong_one_for_gaussian_noise(
    runs: dict[tuple[str, str], Restored],
) -> None:
    squared, designed = runs["gaussian", "squared"], runs["gaussian", "pinball"]
    assert paired(squared.psnr, designed.psnr).low > 0.8
    assert paired(squared.bias, designed.bias).low > 0.02
    assert abs(paired(runs["gaussian", "absolute"].psnr, squared.psnr).mean) < 0.3


@pytest.mark.claim("C247")
def test_the_level_of_the_impulses_is_the_clean_median() -> None:
    draw = generator(1)
    clean = torch.rand(200_000, generator=draw, dtype=torch.float64) ** 2
    target = IMPULSES(clean, draw)
    assert IMPULSES.level() == pytest.approx(0.36)
    assert target.quantile(IMPULSES.level()).item() == pytest.approx(0.25, abs=0.01)
    assert target.quantile(0.5).item() == pytest.approx((11 / 15) ** 2, abs=0.01)
    assert target.mean().item() == pytest.approx(0.6 / 3 + 0.34, abs=0.005)
    assert IMPULSES.undone(target.mean()).item() == pytest.approx(1 / 3, abs=0.01)
    white, black = lab.counted(IMPULSES, [clean])
    assert white == pytest.approx(0.34, abs=0.005) and black == pytest.approx(0.06, abs=0.005)


def test_gaussian_noise_has_mean_zero_and_its_width() -> None:
    noise = GAUSSIAN(torch.full((400, 400), 0.5), generator(2)) - 0.5
    assert abs(noise.mean().item()) < 1e-3
    assert noise.std().item() == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize(("level", "rank"), [(0.5, 12), (0.36, 9)])
def test_the_filter_is_that_of_scipy(level: float, rank: int) -> None:
    image = torch.rand(2, 20, 30, generator=generator(3))
    found = quantile_filter(Restored(image[0], image), level).images
    for ours, one in zip(found, image, strict=True):
        theirs = percentile_filter(one.numpy(), 100 * rank / 24.5, size=5, mode="mirror")
        np.testing.assert_array_equal(ours.numpy(), theirs)


def test_filling_changes_no_pixel_that_is_neither_black_nor_white() -> None:
    clean = torch.full((20, 30), 0.5)
    clean[:, 15:] = 0.7
    copies = noisy_copies(clean, IMPULSES, seeds=3)
    kept = (copies.images != 0) & (copies.images != 1)
    found = lab.filled(copies).images
    assert torch.equal(found[kept], copies.images[kept])
    holes = found[..., 4:11][~kept[..., 4:11]]
    assert len(holes) > 50
    torch.testing.assert_close(holes, torch.full_like(holes, 0.5))


def test_the_ratio_is_that_of_its_definition() -> None:
    clean = torch.zeros(40, 40)
    flat = Restored(clean, torch.full((3, 40, 40), 0.1))
    torch.testing.assert_close(flat.psnr, torch.full((3,), 20.0))
    torch.testing.assert_close(flat.bias, torch.full((3,), 0.1))
    assert flat.changed(lambda image: 20 * image).images.max() == 1


def test_each_seed_sees_its_own_copies() -> None:
    model = lab.Denoisers(2)
    images = torch.rand(2, 3, 16, 16, generator=generator(4))
    both = model(images)
    other = model(torch.stack([images[0], torch.zeros_like(images[1])]))
    torch.testing.assert_close(both[0], other[0])
    assert both.shape == images.shape and not torch.equal(both[1], other[1])


def test_patches_are_pieces_of_the_photographs() -> None:
    scenes = [torch.arange(600.0).view(20, 30), 1000 + torch.arange(900.0).view(30, 30)]
    patches = lab._patches(scenes, 50, 8, generator(5))
    assert patches.shape == (50, 8, 8)
    assert torch.equal(patches.diff(dim=1), torch.full((50, 7, 8), 30.0))
    assert torch.equal(patches.diff(dim=2), torch.ones(50, 8, 7))
    assert ((patches < 600) | (patches >= 1000)).all() and (patches >= 1000).any() and (patches < 600).any()
    assert patches.max() < 1900


def test_training_stays_on_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta device stands for a GPU: a tensor made elsewhere would stop the run before its end."""
    copied: list[str] = []

    def arrive(tensor: Tensor) -> Tensor:
        copied.append(tensor.device.type)
        return torch.zeros(tensor.shape, dtype=tensor.dtype)

    monkeypatch.setattr(lab, "device", lambda: torch.device("meta"))
    monkeypatch.setattr(Tensor, "cpu", arrive)
    scene = torch.rand(60, 60, generator=generator(6))
    model = train(IMPULSES, partial(squared_error, reduction="none"), [scene], seeds=2, steps=1)
    restored = restore(model, noisy_copies(scene, IMPULSES, seeds=2))
    assert copied == ["meta"] and restored.images.shape == (2, 60, 60)
