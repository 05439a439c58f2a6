"""The look of the book's still figures, and the few marks that its pages put on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import matplotlib as mpl
import numpy as np
from cycler import cycler

from losscore.lab.palette import BLUE, GREEN, GREY, INK, ORANGE, PALETTE, PINK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from matplotlib.text import Annotation
    from torch import Tensor

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "INK",
    "ORANGE",
    "PALETTE",
    "PINK",
    "label_line",
    "mark",
    "show_grey",
    "shade",
    "use_style",
]

_DASHES = ("-", (0, (5, 1.6)), (0, (1.4, 1.4)), (0, (6, 1.6, 1.4, 1.6)), "-")


def use_style() -> None:
    """Give every figure drawn from now on the look of the book: transparent, quiet, legible on a phone."""
    mpl.rcParams.update(
        {
            "figure.figsize": (6.0, 3.6),
            "figure.facecolor": "none",
            "figure.constrained_layout.use": True,
            "savefig.facecolor": "none",
            "svg.hashsalt": "losscore",
            "font.size": 13,
            "axes.labelsize": 13,
            "axes.titlesize": 13,
            "axes.titlelocation": "left",
            "xtick.labelsize": 12,
            "ytick.labelsize": 12,
            "legend.fontsize": 12,
            "legend.frameon": False,
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "axes.facecolor": "none",
            "axes.linewidth": 0.8,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": False,
            "axes.prop_cycle": cycler(color=PALETTE) + cycler(linestyle=_DASHES),
            "lines.linewidth": 2.2,
            "lines.dash_capstyle": "butt",
            "lines.scale_dashes": True,
        }
    )


def label_line(
    line: Line2D,
    words: str | None = None,
    *,
    at: float | None = None,
    offset: tuple[float, float] | None = None,
) -> Annotation:
    """Write the name of a line beside it, in place of a legend.

    Args:
        line: what ``plt.plot`` returned (one of its items).
        words: the text; the line's own label when not given.
        at: where along the x-axis to write it; beyond the right end of the line when not given.
        offset: distance of the text from the line in points, (right, up). By default 6 points to the right of the
            end, or 7 points above the place ``at``.

    Raises:
        ValueError: if there is no text to write, no finite point, or ``at`` lies outside the line.
    """
    text = str(line.get_label()) if words is None else words
    if not text or text.startswith("_"):
        raise ValueError("words must be given for a line that has no label")
    x = np.asarray(line.get_xdata(orig=False), dtype=float)
    y = np.asarray(line.get_ydata(orig=False), dtype=float)
    finite = np.isfinite(x) & np.isfinite(y)
    if not finite.any():
        raise ValueError(f"line {text!r} has no finite point to stand beside")
    x, y = x[finite], y[finite]
    if at is None:
        point, distance, align = (x[-1], y[-1]), offset or (6, 0), ("left", "center")
    else:
        if not x.min() <= at <= x.max():
            raise ValueError(
                f"at must lie on the line {text!r}, between {x.min():g} and {x.max():g}, got {at:g}"
            )
        order = np.argsort(x)
        point, distance, align = (
            (at, np.interp(at, x[order], y[order])),
            offset or (0, 7),
            ("center", "bottom"),
        )
    return cast("Axes", line.axes).annotate(
        text,
        point,
        xytext=distance,
        textcoords="offset points",
        ha=align[0],
        va=align[1],
        annotation_clip=False,
    )


def shade(axes: Axes, start: float, end: float, words: str, *, colour: str = GREY) -> None:
    """Shade the region ``start`` to ``end`` of the x-axis and say above it, in ``words``, what happens there."""
    axes.axvspan(start, end, color=colour, alpha=0.16, linewidth=0)
    axes.annotate(
        words,
        ((start + end) / 2, 1),
        xycoords=axes.get_xaxis_transform(),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        va="bottom",
        annotation_clip=False,
    )


def mark(
    axes: Axes,
    x: float,
    y: float,
    words: str = "",
    *,
    colour: str = INK,
    offset: tuple[float, float] = (8, 8),
) -> None:
    """Mark one point with a dot and, beside it, ``words``; ``offset`` is the text's distance (right, up) in points."""
    axes.plot([x], [y], "o", color=colour, markersize=7, label="_mark")
    if words:
        axes.annotate(
            words,
            (x, y),
            xytext=offset,
            textcoords="offset points",
            ha="left" if offset[0] >= 0 else "right",
            va="center",
            annotation_clip=False,
        )


def show_grey(
    axes: Axes, pixels: Tensor, *, white: float = 1.0, levels: int = 24, marked: Tensor | None = None
) -> None:
    """Show a picture, without an axis, in shades of grey from 0 to ``white``, and the ``marked`` pixels in orange.

    A page carries its pixels as they are, in few shades, so that it stays light.
    """
    shades = (pixels.cpu().numpy() / white).clip(0, 1)
    picture = np.repeat(((shades * (levels - 1)).round() / (levels - 1))[..., None], 3, axis=2)
    if marked is not None:
        picture[marked.cpu().numpy()] = mpl.colors.to_rgb(ORANGE)
    axes.imshow(picture, interpolation="none")
    axes.set_axis_off()
