"""The pictures of the experiment on metric learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from torch import Tensor

from losscore.lab.figures import BLUE, INK, ORANGE, label_line
from losscore.lab.retrieval import neighbours


def rows(
    images: Tensor,
    labels: Tensor,
    embeddings: Mapping[str, Tensor],
    queries: Sequence[int],
    ranks: Sequence[int],
) -> None:
    """For each query and each embedding one row of pictures: the query, then its neighbours at these ranks.

    A neighbour of another digit stands in an orange frame, with a cross below it.

    Args:
        images: shape (n, 28, 28).
        labels: shape (n,).
        embeddings: by name, shape (n, d).
        queries: which images to ask for.
        ranks: which neighbours to show; 1 is the nearest.
    """
    height = len(queries) * len(embeddings)
    _, grid = plt.subplots(height, len(ranks) + 1, figsize=(6.0, 0.72 * height + 0.4), squeeze=False)
    for line, (query, (name, vectors)) in enumerate(
        (q, item) for q in queries for item in embeddings.items()
    ):
        order = neighbours(vectors, max(ranks))[query].cpu()
        shown = [query, *(int(order[rank - 1]) for rank in ranks)]
        for place, (axes, image) in enumerate(zip(grid[line], shown, strict=True)):
            axes.imshow(images[image].cpu().numpy(), cmap="gray", vmin=0, vmax=1)
            axes.set_xticks([])
            axes.set_yticks([])
            wrong = bool(labels[image] != labels[query])
            for spine in axes.spines.values():
                spine.set(visible=wrong or place == 0, color=ORANGE if wrong else BLUE, linewidth=3)
            if wrong:
                axes.set_xlabel("×", color=INK, labelpad=-2)
            if line == 0:
                axes.set_title("query" if place == 0 else f"{ranks[place - 1]}", fontsize=11)
        grid[line, 0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=11)


def bounds(sizes: Sequence[int], reported: Mapping[float, Sequence[float]]) -> None:
    """What the best critic reports against the size of the batch, one line for each true information, under ln N."""
    _, axes = plt.subplots()
    ceiling = torch.tensor(sizes, dtype=torch.float64).log().tolist()
    axes.fill_between(sizes, ceiling, 9, color=INK, alpha=0.12, linewidth=0)
    axes.annotate("above ln N", (sizes[0], 6.5), xytext=(8, 0), textcoords="offset points")
    for true, values in reported.items():
        label_line(axes.plot(sizes, values, marker="o")[0], f"true: {true:g}")
    axes.set_xscale("log")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set_ylim(0, 9)
    axes.set_xlabel("pairs in a batch, N")
    axes.set_ylabel("ln N − loss (nats)")
