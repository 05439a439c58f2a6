"""The experiment on rare pixels: mark the centre of each nucleus in a microscope image.

The image is cut into eight blocks. Each is the test block once: five of the others train, two choose the threshold.
Everything is computed for the eight splits at once: the first axis of each tensor is the split.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from losscore.lab.hardware import generator
from losscore.lab.training import Copies, progress

BLOCKS = 8
HEIGHT, WIDTH = 128, 256
"""Size of a block: the image is cut into four rows of two."""

SHARE = 1 / 5
"""Test blocks over training blocks, which :func:`~losscore.lab.interval` needs to know."""

_SCALES = (1, 2, 4, 8)


class Part(NamedTuple):
    """One part of all splits: filter responses (splits, n, 17) of its pixels, and 1 for a centre (splits, n)."""

    inputs: Tensor
    target: Tensor


class Study(NamedTuple):
    """The parts of all splits; the inputs have mean 0 and variance 1 on the training part of their split."""

    train: Part
    validation: Part
    test: Part


class Logits(NamedTuple):
    """What the trained networks say on the pixels that they have not learnt from, shape (splits, n)."""

    validation: Tensor
    test: Tensor


def centre_discs(nucleus: Tensor, radius: float = 1.5) -> Tensor:
    """A mask of the image's shape: 1 within ``radius`` pixels of the centre of gravity of a nucleus."""
    rows, columns = (torch.arange(size, dtype=torch.float64) for size in nucleus.shape)
    mask = torch.zeros(nucleus.shape)
    for number in torch.unique(nucleus).tolist():
        if number > 0:
            row, column = (nucleus == number).nonzero().double().mean(0)
            mask[(rows[:, None] - row) ** 2 + (columns - column) ** 2 <= radius**2] = 1
    return mask


def filter_responses(image: Tensor) -> Tensor:
    """The pixel and, at four scales, blur, slope and the two curvatures of the image: shape (height, width, 17).

    Derivatives are those of a Gaussian blur, times its scale once for each order, so that scales can be compared.
    """
    responses = [image]
    for scale in _SCALES:
        blur, slope, bend = _gaussian(scale, image)
        down, right = _filtered(image, slope, blur), _filtered(image, blur, slope)
        twice_down, twice_right = _filtered(image, bend, blur), _filtered(image, blur, bend)
        centre = (twice_down + twice_right) / 2
        reach = torch.hypot((twice_down - twice_right) / 2, _filtered(image, slope, slope))
        responses += [
            _filtered(image, blur, blur),
            torch.hypot(down, right),
            centre - reach,
            centre + reach,
        ]
    return torch.stack(responses, dim=-1)


def study(image: Tensor, nucleus: Tensor) -> Study:
    """The eight splits of an image of 512 × 512 pixels."""
    inputs = blocks(filter_responses(image))
    target = blocks(centre_discs(nucleus).to(image.device))

    def chosen(first: int, last: int) -> Part:
        index = (torch.arange(BLOCKS)[:, None] + torch.arange(first, last)) % BLOCKS
        return Part(inputs[index].flatten(1, 2), target[index].flatten(1, 2))

    test, validation, train = chosen(0, 1), chosen(1, 3), chosen(3, 8)
    centre, spread = train.inputs.mean(dim=1, keepdim=True), train.inputs.std(dim=1, keepdim=True)
    return Study(*(Part((part.inputs - centre) / spread, part.target) for part in (train, validation, test)))


def blocks(picture: Tensor) -> Tensor:
    """The pixels of the eight blocks, from left to right and down: (512, 512, ...) gives (8, 32768, ...)."""
    cut = picture.reshape(512 // HEIGHT, HEIGHT, 512 // WIDTH, WIDTH, *picture.shape[2:])
    return cut.transpose(1, 2).reshape(BLOCKS, HEIGHT * WIDTH, *picture.shape[2:])


def train(
    study: Study,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    prior: bool = True,
    steps: int = 200,
    pixels: int = 4096,
) -> Logits:
    """Train a network of 17-16-16-1 units in each split by Adam.

    Args:
        study: the data.
        loss: ``loss(logits, target)`` of tensors (splits, pixels): the mean over splits of each one's own loss.
        prior: begin with a bias that states the frequency of centres, instead of one half.
        steps: how many.
        pixels: drawn at random for each step.
    """
    inputs, target = study.train
    model = Copies(
        len(inputs), (inputs.shape[-1], 16, 16, 1), generator=generator(1), activation=torch.relu
    ).to(inputs.device)
    if prior:
        with torch.no_grad():
            model.biases[-1] += target.mean().logit()
    rule = torch.optim.Adam(model.parameters(), lr=0.02)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(rule, steps)
    draw = generator(2)
    for _ in progress(steps, "training"):
        batch = torch.randint(inputs.shape[1], (pixels,), generator=draw).to(inputs.device)
        rule.zero_grad()
        value = len(inputs) * loss(model(inputs.index_select(1, batch)), target.index_select(1, batch))
        value.backward()  # type: ignore[no-untyped-call]
        rule.step()
        slower.step()
    with torch.no_grad():
        return Logits(model(study.validation.inputs), model(study.test.inputs))


def f1(marked: Tensor, target: Tensor) -> Tensor:
    """The F1 score, twice the hits over marked pixels plus centre pixels, in each split; shape (..., n) gives (...)."""
    hits = (marked & (target > 0.5)).sum(dim=-1).double()
    return 2 * hits / (marked.sum(dim=-1) + target.sum(dim=-1))


class Choice(NamedTuple):
    """In each split, shape (splits, 1) both: the lowest logit that is still marked, and the F1 score this gives."""

    threshold: Tensor
    score: Tensor


def best_threshold(logits: Tensor, target: Tensor) -> Choice:
    """The threshold of the largest F1 score on these pixels."""
    ranked, order = logits.sort(dim=-1, descending=True)
    hits = target.gather(-1, order).cumsum(-1).double()
    return _best(ranked, 2 * hits, target.sum(-1, keepdim=True))


def expected_threshold(logits: Tensor) -> Choice:
    """The same with the model's own probabilities in the place of labels, of which none are needed."""
    ranked = logits.sort(dim=-1, descending=True).values
    hits = ranked.double().sigmoid().cumsum(-1)
    return _best(ranked, 2 * hits, hits[..., -1:])


def average_precision(logits: Tensor, target: Tensor) -> Tensor:
    """The mean, over the centre pixels, of the precision when all pixels that rank as high are marked; shape (splits,)."""
    ranked = target.gather(-1, logits.argsort(dim=-1, descending=True))
    precision = ranked.cumsum(-1).double() / torch.arange(1, logits.shape[-1] + 1, device=logits.device)
    return (precision * ranked).sum(-1) / ranked.sum(-1)


def unfocused(probs: Tensor, *, gamma: float, alpha: float) -> Tensor:
    """The probability behind the output of a model trained with the binary focal loss."""

    def pull(p: Tensor) -> Tensor:
        return (1 - p) ** gamma / p - gamma * (1 - p) ** (gamma - 1) * p.log()

    one, zero = alpha * pull(probs), (1 - alpha) * pull(1 - probs)
    return zero / (one + zero)


def _best(ranked: Tensor, twice_hits: Tensor, centres: Tensor) -> Choice:
    marked = torch.arange(1, ranked.shape[-1] + 1, device=ranked.device)
    scores = twice_hits / (marked + centres)
    place = scores.argmax(dim=-1, keepdim=True)
    return Choice(ranked.gather(-1, place), scores.gather(-1, place))


def _gaussian(scale: int, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A Gaussian kernel, its first derivative times the scale, and its second times the scale squared."""
    reach = math.ceil(4 * scale)
    x = torch.arange(-reach, reach + 1).to(like) / scale
    blur = torch.exp(-(x**2) / 2)
    blur = blur / blur.sum()
    return blur, x * blur, (x**2 - 1) * blur


def _filtered(image: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """The image, mirrored at its edges, correlated with one kernel down its columns and one along its rows."""
    reach = len(down) // 2
    wide = F.pad(image[None, None], (reach, reach, reach, reach), mode="reflect")
    return F.conv2d(F.conv2d(wide, down[:, None][None, None]), right[None, :][None, None])[0, 0]
