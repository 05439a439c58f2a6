"""The pictures of the experiment on preferences."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import torch
from torch import Tensor

from losscore.lab.figures import BLUE, INK, ORANGE, label_line
from losscore.lab.preferences import distance, log_loss, reached_after, runaway


def leash(reward: Tensor, reference: Tensor, chosen: Tensor) -> None:
    """For policies of one reward: how far they are from the reference, and their log loss, as β grows."""
    betas = torch.logspace(-1, 1.5, 40, dtype=torch.float64)
    policies = [reference + reward / beta for beta in betas]
    _, (left, right) = plt.subplots(1, 2, figsize=(6.0, 3.2))
    left.plot(betas, [distance(policy, reference).mean() for policy in policies])
    left.set_title("KL to the reference")
    right.plot(betas, [log_loss(policy, chosen).mean() for policy in policies])
    right.set_title("log loss of the choice")
    for words, model, at in (("reference", reference, 0.9), ("softmax of reward", reward, 3.0)):
        level = log_loss(model, chosen).mean().item()
        (line,) = right.plot(betas, torch.full_like(betas, level), color=INK, linestyle=":", linewidth=1.4)
        label_line(line, words, at=at, offset=(4, -15 if model is reward else 5))
    right.set_ylim(0.6, 3)
    for panel in (left, right):
        panel.set_xscale("log")
        panel.set_xlabel("β")


def one_comparison(betas: Mapping[float, str], *, smoothing: float, until: float = 1e5) -> None:
    """The log ratio of one comparison that always ends alike, over the steps of descent; also with smoothed labels."""
    _, axes = plt.subplots()
    for beta, colour in betas.items():
        times, ratios = reached_after(beta, until)
        (line,) = axes.plot(times, ratios, color=colour, linestyle="-")
        label_line(line, f"β = {beta:g}", at=until / 8, offset=(-30, 4) if beta < 1 else (0, -17))
    weakest = min(betas)
    kept = runaway(weakest, step=until / 1000, steps=1000, smoothing=smoothing)
    times = torch.arange(len(kept)) * until / 1000
    (line,) = axes.plot(times[1:], kept[1:], color=ORANGE, linestyle=(0, (5, 1.6)))
    label_line(line, f"smoothed by {smoothing:g}", at=until / 8, offset=(0, -17))
    axes.set_xscale("log")
    axes.set_xlim(1, until)
    axes.set_xlabel("steps of size 1")
    axes.set_ylabel("log ratio Δ")


COLOURS = {0.1: BLUE, 1.0: INK}
"""The strengths that the page draws, and their colours."""
