"""Photographs under noise, and networks that learn to remove it from noisy copies alone, all seeds at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from losscore.lab.hardware import device, generator
from losscore.lab.training import progress

Noise = Callable[[Tensor, torch.Generator], Tensor]
"""``noise(clean, draw)``: one noisy copy of images between 0 and 1."""

Loss = Callable[[Tensor, Tensor], Tensor]
"""``loss(output, target)``: one number a pixel."""

_FACTOR = 2
_BORDER = 8
_PACE = 5.0
"""So much faster than its other weights a network changes the few of its window."""

_TENT = torch.outer(*2 * [torch.tensor([1.0, 2.0, 3.0, 2.0, 1.0])])
"""The weights of a 5 × 5 window that fall towards its corners."""


@dataclass(frozen=True)
class Gaussian:
    """Noise that adds to every pixel a normal number of mean 0."""

    std: float = 0.1

    def __call__(self, clean: Tensor, draw: torch.Generator) -> Tensor:
        return clean + self.std * torch.randn(clean.shape, generator=draw)


@dataclass(frozen=True)
class Impulses:
    """Noise that replaces a share of the pixels: by white with the chance ``white``, by black otherwise."""

    share: float = 0.4
    white: float = 0.85

    def __call__(self, clean: Tensor, draw: torch.Generator) -> Tensor:
        hit = torch.rand(clean.shape, generator=draw) < self.share
        return torch.where(hit, (torch.rand(clean.shape, generator=draw) < self.white).to(clean.dtype), clean)

    def level(self, clean_level: float = 0.5) -> float:
        """The level at which a quantile of the noisy pixel is the ``clean_level`` quantile of the clean one."""
        return self.share * (1 - self.white) + (1 - self.share) * clean_level

    def undone(self, mean: Tensor) -> Tensor:
        """The mean of the clean pixel whose noisy copies have this mean."""
        return (mean - self.share * self.white) / (1 - self.share)


class Denoisers(nn.Module):
    """One small convolutional network a seed; images (seeds, n, height, width), even sizes.

    Each begins with a weighted mean of the pixels near by that are not exactly black or white. It learns the weights,
    how far to keep such a pixel's own value instead, and the correction of a few layers in half the resolution. The
    sum of all seeds' losses trains each as if it were alone.
    """

    def __init__(self, seeds: int, channels: int = 24, depth: int = 4) -> None:
        super().__init__()
        self.seeds = seeds
        self.window = nn.Parameter(_TENT.log().repeat(seeds, 1, 1, 1) / _PACE)
        self.keep = nn.Parameter(torch.full((seeds, 1, 1, 1), 0.5 / _PACE))
        ends = _FACTOR**2
        widths = [3 * ends, *[channels] * (depth - 1), ends]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for before, after in zip(widths, widths[1:]):
            start = [
                torch.randn(after, before, 3, 3, generator=generator(100 + seed)) for seed in range(seeds)
            ]
            size = 0.03 if after == ends else 1.0
            self.weights.append(size * torch.cat(start) * (2 / (9 * before)) ** 0.5)
            self.biases.append(torch.zeros(seeds * after))

    def forward(self, images: Tensor) -> Tensor:
        """The denoised images."""
        known, around = _surroundings(images, (_PACE * self.window).exp())
        apart = known * (images - around)
        seen = torch.stack([apart, known, around], 1).flatten(0, 1).transpose(0, 1)
        values = nn.functional.pixel_unshuffle(seen, _FACTOR)
        for depth, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            values = nn.functional.conv2d(
                values.relu() if depth else values, weight, bias, padding=1, groups=self.seeds
            )
        correction = nn.functional.pixel_shuffle(values, _FACTOR).transpose(0, 1)
        return around + _PACE * self.keep * apart + correction


def _surroundings(images: Tensor, windows: Tensor) -> tuple[Tensor, Tensor]:
    """Which pixels are not exactly black or white (1 or 0), and the mean of these near each pixel, by weights a seed."""
    known = ((images != 0) & (images != 1)).to(images.dtype)

    def summed(values: Tensor) -> Tensor:
        return nn.functional.conv2d(
            values.transpose(0, 1), windows, padding="same", groups=len(images)
        ).transpose(0, 1)

    return known, summed(images * known) / summed(known).clamp(min=1e-3)


@dataclass(frozen=True)
class Restored:
    """A photograph and what networks make of its noisy copies, one a seed: ``images`` (seeds, height, width)."""

    clean: Tensor
    images: Tensor

    @property
    def errors(self) -> Tensor:
        """Restored minus clean, without the border, where a network sees only a part of its surroundings."""
        inner = (..., slice(_BORDER, -_BORDER), slice(_BORDER, -_BORDER))
        return (self.images - self.clean)[inner]

    @property
    def psnr(self) -> Tensor:
        """Peak signal-to-noise ratio in decibels, one a seed."""
        return -10 * self.errors.square().mean((1, 2)).log10()

    @property
    def bias(self) -> Tensor:
        """Mean error, one a seed: above 0 the image is too bright."""
        return self.errors.mean((1, 2))

    def changed(self, change: Callable[[Tensor], Tensor]) -> Restored:
        """The same with every image changed, kept between 0 and 1."""
        return Restored(self.clean, change(self.images).clamp(0, 1))


def noisy_copies(clean: Tensor, noise: Noise, *, seeds: int) -> Restored:
    """One noisy copy a seed of a photograph to test on."""
    return Restored(clean, noise(clean.expand(seeds, *clean.shape), generator(900)))


def counted(noise: Impulses, photographs: list[Tensor]) -> tuple[float, float]:
    """The shares of pixels that are exactly white and exactly black in one noisy copy of each photograph."""
    pixels = torch.cat([noise(clean, generator(700)).flatten() for clean in photographs])
    return (pixels == 1).double().mean().item(), (pixels == 0).double().mean().item()


def train(
    noise: Noise,
    loss: Loss,
    photographs: list[Tensor],
    *,
    clean_targets: bool = False,
    seeds: int,
    steps: int,
    batch: int = 3,
    patch: int = 48,
    lr: float = 0.006,
) -> Denoisers:
    """One network a seed, trained by Adam on patches: from a noisy copy to another one, or to the clean patch.

    Every step draws new patches, and two noisy copies of each. All settings of the noise and the loss see the same
    patches, and the same input noise if it is of the same kind. The rate rises and falls once.
    """
    home = device()
    model = Denoisers(seeds).to(home)
    rule = torch.optim.Adam(model.parameters(), lr=lr)
    rate = torch.optim.lr_scheduler.OneCycleLR(rule, lr, total_steps=steps)
    places, first, second = (generator(seed) for seed in (500, 501, 502))
    for _ in progress(steps, "training"):
        clean = _patches(photographs, seeds * batch, patch, places).view(seeds, batch, patch, patch)
        noisy = noise(clean, first).to(home)
        target = clean.to(home) if clean_targets else noise(clean, second).to(home)
        rule.zero_grad()
        whole = loss(model(noisy), target).mean((1, 2, 3)).sum()
        whole.backward()  # type: ignore[no-untyped-call]
        rule.step()
        rate.step()
    return model


@torch.no_grad()
def restore(model: Denoisers, noisy: Restored) -> Restored:
    """What the networks make of the noisy copies, each of its own, kept between 0 and 1."""
    images = model(noisy.images[:, None].to(device()))
    return Restored(noisy.clean, images[:, 0].clamp(0, 1).cpu())


def quantile_filter(noisy: Restored, level: float, *, size: int = 5) -> Restored:
    """Each pixel replaced by a quantile of the window around it: the median filter at level one half."""
    padded = nn.functional.pad(noisy.images[:, None], [size // 2] * 4, mode="reflect")
    windows = padded.unfold(2, size, 1).unfold(3, size, 1).flatten(-2)
    rank = min(int(level * size**2) + 1, size**2)
    return Restored(noisy.clean, windows.kthvalue(rank, -1).values[:, 0])


def filled(noisy: Restored) -> Restored:
    """Each pixel kept, unless it is exactly black or white: then the mean of those near by that are neither."""
    images = noisy.images[:, None]
    known, around = _surroundings(images, _TENT.repeat(len(images), 1, 1, 1))
    return Restored(noisy.clean, torch.where(known == 1, images, around)[:, 0])


def _patches(photographs: list[Tensor], count: int, size: int, draw: torch.Generator) -> Tensor:
    """Square patches at random places of random photographs, shape (count, size, size)."""
    chosen = torch.randint(len(photographs), (count,), generator=draw)
    corner = torch.rand(count, 2, generator=draw)
    flat = torch.cat([clean.flatten() for clean in photographs])
    begins = torch.tensor([0, *(clean.numel() for clean in photographs)]).cumsum(0)[:-1]
    heights, widths = (torch.tensor([clean.shape[k] for clean in photographs]) for k in (0, 1))
    top = (corner[:, 0] * (heights[chosen] - size)).long()
    left = (corner[:, 1] * (widths[chosen] - size)).long()
    steps = torch.arange(size)
    rows = (top[:, None, None] + steps[:, None]) * widths[chosen][:, None, None]
    return flat[begins[chosen][:, None, None] + rows + left[:, None, None] + steps]
