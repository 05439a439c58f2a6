"""The palette reads on the white page and on the dark one, and its first colours stay apart for every reader."""

from itertools import combinations

import numpy as np
import pytest

from losscore.lab.palette import PALETTE

WHITE, DARK = "#FFFFFF", "#121212"

# Severity 1.0 in Machado, Oliveira and Fernandes (2009), for linear RGB.
SIMULATED = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    low, high = sorted(float(weights @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def distance(one: str, other: str, matrix: list[list[float]]) -> float:
    """CIE76 distance of two colours as someone sees them whose vision the matrix simulates."""

    def lab(colour: str) -> np.ndarray:
        seen = np.clip(np.array(matrix) @ linear(colour), 0, 1)
        to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
        xyz = np.array(to_xyz) @ seen / np.array([0.9505, 1, 1.089])
        f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
        return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])

    return float(np.linalg.norm(lab(one) - lab(other)))


@pytest.mark.parametrize("colour", PALETTE)
@pytest.mark.parametrize("page", [WHITE, DARK])
def test_contrast_is_at_least_three(colour: str, page: str) -> None:
    assert contrast(colour, page) >= 3


def test_contrast_agrees_with_known_pairs_and_rejects_a_pale_colour() -> None:
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#767676", WHITE) == pytest.approx(4.54, abs=0.01)
    assert contrast("#F0E442", WHITE) < 3  # the yellow of the same palette, which is why it is not in ours


@pytest.mark.parametrize("vision", SIMULATED)
def test_first_three_colours_stay_apart(vision: str) -> None:
    for one, other in combinations(PALETTE[:3], 2):
        assert distance(one, other, SIMULATED[vision]) > 20
    assert distance("#A05010", "#607000", SIMULATED[vision]) < 20  # a brown and an olive that don't
