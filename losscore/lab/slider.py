"""A figure with a slider that needs no kernel: every frame is computed here, the page only swaps them.

The figure is one piece of HTML: an SVG drawing, a range input and a short script. It loads nothing, works by mouse,
touch and keyboard, and shows its first frame in full where scripts do not run.
"""

from __future__ import annotations

import hashlib
import html
import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from losscore.lab.palette import BLUE, PALETTE
from losscore.lab.scale import Kind, Scale, number

Array = npt.NDArray[np.float64]

WIDTH, HEIGHT = 480.0, 300.0
_TOP, _BOTTOM, _MARGIN = 34.0, 50.0, 12.0
_CHARACTER, _LINE = 9.9, 17.0
_WRAP = 13
_FAR = 1e5
_DASHES = ("", "9 4", "2.5 3.5", "10 4 2.5 4", "")


class SliderFigure:
    """Curves over one axis, with a slider that moves through their frames.

    Args:
        x: the points of the horizontal axis, n numbers in increasing order.
        curves: by name, the curves that change with the slider: an array (frames, n) each.
        fixed: by name, the curves that stay as they are: an array (n,) each.
        label: what the slider changes, for example ``"margin m"``.
        values: the slider's value in each frame; a number, or the text to show.
        start: the frame shown first, counted from 0.
        xlabel, ylabel: the names of the axes, with units.
        alt: what the figure shows, in a sentence for readers who don't see it.
        marker: for each frame, the place on the horizontal axis of a line with a dot on every curve; the line can
            also be dragged in the drawing.
        readout: for each frame, a sentence with the numbers to read off, shown below the slider.
        yscale: ``"linear"`` or ``"log"``.
        ylim: the ends of the vertical axis; what lies beyond is cut off. By default all finite values fit.
        label_at: by name, where on the horizontal axis a curve's name stands above it; names that are not given
            stand at the right end of their curves.

    Values that aren't finite, and on a log axis values that aren't positive, leave a gap in their curve.

    Raises:
        ValueError: if sizes don't fit together or there is nothing to draw; the message names the argument.
    """

    def __init__(
        self,
        x: npt.ArrayLike,
        curves: Mapping[str, npt.ArrayLike] | None = None,
        *,
        fixed: Mapping[str, npt.ArrayLike] | None = None,
        label: str,
        values: Sequence[float | str] | npt.NDArray[Any],
        start: int = 0,
        xlabel: str,
        ylabel: str,
        alt: str,
        marker: npt.ArrayLike | None = None,
        readout: Sequence[str] | None = None,
        yscale: Kind = "linear",
        ylim: tuple[float, float] | None = None,
        label_at: Mapping[str, float] | None = None,
    ) -> None:
        self.label, self.xlabel, self.ylabel, self.alt = label, xlabel, ylabel, alt
        self.values = [value if isinstance(value, str) else number(float(value)) for value in values]
        frames = len(self.values)
        if frames < 2:
            raise ValueError(f"values must hold at least 2 frames, got {frames}")
        if not 0 <= start < frames:
            raise ValueError(f"start must be a frame between 0 and {frames - 1}, got {start}")
        if not alt.strip():
            raise ValueError("alt must say what the figure shows, got an empty text")
        if yscale not in ("linear", "log"):
            raise ValueError(f'yscale must be "linear" or "log", got {yscale!r}')
        self.start = start
        self.x = _array("x", x)
        if (
            self.x.ndim != 1
            or len(self.x) < 2
            or not np.all(np.isfinite(self.x))
            or np.any(np.diff(self.x) <= 0)
        ):
            raise ValueError(
                f"x must be at least 2 finite numbers in increasing order, got shape {self.x.shape}"
            )
        self.curves = self._curves(curves or {}, fixed or {}, frames)
        self.marker = None if marker is None else _array("marker", marker)
        if self.marker is not None:
            if self.marker.shape != (frames,):
                raise ValueError(
                    f"marker must have shape ({frames},), one place a frame, got {self.marker.shape}"
                )
            if not np.all((self.marker >= self.x[0]) & (self.marker <= self.x[-1])):
                raise ValueError(f"marker must lie between {self.x[0]:g} and {self.x[-1]:g}, the ends of x")
        self.readout = None if readout is None else [str(sentence) for sentence in readout]
        if self.readout is not None and len(self.readout) != frames:
            raise ValueError(f"readout must hold {frames} sentences, one a frame, got {len(self.readout)}")
        self.label_at = dict(label_at or {})
        for name, place in self.label_at.items():
            if name not in self.curves:
                raise ValueError(
                    f"label_at names {name!r}, which is no curve; the curves are {list(self.curves)}"
                )
            if not self.x[0] <= place <= self.x[-1]:
                raise ValueError(
                    f"label_at[{name!r}] must lie between {self.x[0]:g} and {self.x[-1]:g}, got {place:g}"
                )
        self._lay_out(ylim if ylim is not None else self._limits(yscale), yscale)

    def _curves(
        self, moving: Mapping[str, npt.ArrayLike], fixed: Mapping[str, npt.ArrayLike], frames: int
    ) -> dict[str, Array]:
        """Every curve by its name as an array (frames, n), or (1, n) for one that stays."""
        both = sorted(set(moving) & set(fixed))
        if both:
            raise ValueError(f"curves and fixed must not share names, both have {both[0]!r}")
        if not moving and not fixed:
            raise ValueError("curves and fixed are both empty: there is nothing to draw")
        n = len(self.x)
        found = {}
        for name, rows in moving.items():
            found[name] = _array(f"curves[{name!r}]", rows)
            if found[name].shape != (frames, n):
                raise ValueError(f"curves[{name!r}] must have shape ({frames}, {n}), got {found[name].shape}")
        for name, row in fixed.items():
            array = _array(f"fixed[{name!r}]", row)
            if array.shape != (n,):
                raise ValueError(f"fixed[{name!r}] must have shape ({n},), got {array.shape}")
            found[name] = array[None]
        return found

    def _limits(self, yscale: Kind) -> tuple[float, float]:
        values = np.concatenate([rows.ravel() for rows in self.curves.values()])
        values = values[np.isfinite(values) & ((values > 0) | (yscale == "linear"))]
        if not len(values):
            raise ValueError("curves and fixed hold no value that can be drawn")
        low, high = float(values.min()), float(values.max())
        if yscale == "log":
            return (low / 1.3, high * 1.3)
        pad = 0.04 * (high - low) or 0.5 * abs(high) or 0.5
        return low - pad, high + pad

    def _lay_out(self, ylim: tuple[float, float], yscale: Kind) -> None:
        low, high = ylim
        if not (np.isfinite(low) and np.isfinite(high) and low < high and (yscale == "linear" or low > 0)):
            raise ValueError(f"ylim must be two finite numbers in order, positive on a log axis, got {ylim}")
        self._y = Scale(low, high, HEIGHT - _BOTTOM, _TOP, yscale)
        self._names = {name: textwrap.wrap(name, _WRAP) or [""] for name in self.curves}
        outside = [
            len(line) for name, lines in self._names.items() if name not in self.label_at for line in lines
        ]
        left = _MARGIN + _CHARACTER * max((len(text) for _, text in self._y.ticks()), default=1)
        right = WIDTH - (_MARGIN + _CHARACTER * max(outside) if outside else _MARGIN)
        self._x = Scale(float(self.x[0]), float(self.x[-1]), left, right)

    def _drawn(self) -> dict[str, Any]:
        """Everything the script needs, in drawing units."""
        columns = [_decimal(value) for value in self._x(self.x)]
        rows = {name: np.clip(self._y(values), -_FAR, _FAR) for name, values in self.curves.items()}
        places = None if self.marker is None else self._x(self.marker)
        return {
            "x": columns,
            "y": [[[_decimal(value) for value in row] for row in frames] for frames in rows.values()],
            "names": self._label_places(rows),
            "marker": None if places is None else [_decimal(value) for value in places],
            "dots": None if places is None else [self._dots(frames, places) for frames in rows.values()],
            "values": self.values,
            "readout": self.readout,
        }

    def _dots(self, rows: Array, places: Array) -> list[float | None]:
        """The height of a curve's dot in each frame; None where the curve has a gap or lies outside."""
        columns = self._x(self.x)
        heights = (np.interp(place, columns, rows[frame % len(rows)]) for frame, place in enumerate(places))
        return [_decimal(height) if _TOP <= height <= HEIGHT - _BOTTOM else None for height in heights]

    def _label_places(self, rows: Mapping[str, Array]) -> list[list[list[float] | None]]:
        """For every curve and frame, where the first line of its name stands (x, y); None where it isn't drawn."""
        names = list(rows)
        frames = max(len(array) for array in rows.values())
        places: list[list[list[float] | None]] = [[] for _ in names]
        for frame in range(frames):
            at_end: dict[int, float] = {}
            for index, name in enumerate(names):
                row = rows[name][frame % len(rows[name])]
                places[index].append(self._above(name, row) if name in self.label_at else None)
                finite = row[np.isfinite(row)]
                if name not in self.label_at and len(finite):
                    at_end[index] = float(np.clip(finite[-1], _TOP, HEIGHT - _BOTTOM))
            heights = {index: _LINE * len(self._names[names[index]]) for index in at_end}
            for index, middle in _apart(
                at_end, heights, _TOP - _LINE / 2, HEIGHT - _BOTTOM + _LINE / 2
            ).items():
                first = middle - heights[index] / 2 + 0.72 * _LINE
                places[index][frame] = [round(self._x.end + 7, 1), round(first, 1)]
        return [list(track[:1]) if all(place == track[0] for place in track) else track for track in places]

    def _above(self, name: str, row: Array) -> list[float] | None:
        """Centred over the curve at ``label_at``, or below it where there is no room above."""
        lines = self._names[name]
        half = _CHARACTER * max(len(line) for line in lines) / 2
        centre = float(
            np.clip(self._x(np.array(self.label_at[name])), self._x.start + half, self._x.end - half)
        )
        columns = self._x(self.x)
        near = row[(columns >= centre - half) & (columns <= centre + half) & np.isfinite(row)]
        near = near[(near >= _TOP) & (near <= HEIGHT - _BOTTOM)]
        if not len(near):
            return None
        top = float(near.min()) - 8 - _LINE * (len(lines) - 1)
        if top - 0.72 * _LINE < _TOP - _LINE / 2:
            top = float(near.max()) + 6 + 0.72 * _LINE
        return [round(centre, 1), round(top, 1)]

    def _repr_html_(self) -> str:
        drawn = self._drawn()
        data = json.dumps(drawn, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        body = self._svg(drawn) + self._controls() + f"<script>{_SCRIPT.replace('DATA', data)}</script>"
        key = "slider-" + hashlib.sha256(body.encode()).hexdigest()[:10]
        return f'<div class="losscore-slider" id="{key}">{body.replace("KEY", key)}</div>'

    def _svg(self, drawn: Mapping[str, Any]) -> str:
        left, right, top, bottom = self._x.start, self._x.end, _TOP, HEIGHT - _BOTTOM
        parts = [
            f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{_escape(self.alt)}">',
            f"<style>{_STYLE}</style>",
            f'<clipPath id="KEY-plot"><path d="M{left:.1f},{top - 2:g}H{right:.1f}V{bottom + 2:g}H{left:.1f}Z"/></clipPath>',
            f'<path class="axis" d="M{left:.1f},{top:g}V{bottom:g}H{right:.1f}"/>',
        ]
        for value, text in self._y.ticks():
            y = float(self._y(np.array(value)))
            parts.append(f'<path class="axis" d="M{left - 4:.1f},{y:.1f}h4"/>')
            parts.append(
                f'<text class="tick" x="{left - 7:.1f}" y="{y:.1f}" dy=".35em" text-anchor="end">{text}</text>'
            )
        for value, text in self._x.ticks():
            x = float(self._x(np.array(value)))
            parts.append(f'<path class="axis" d="M{x:.1f},{bottom:g}v4"/>')
            parts.append(
                f'<text class="tick" x="{x:.1f}" y="{bottom + 19:g}" text-anchor="middle">{text}</text>'
            )
        if self._y.kind == "linear" and self._y.low < 0 < self._y.high:
            zero = float(self._y(np.array(0.0)))
            parts.append(f'<path class="zero" d="M{left:.1f},{zero:.1f}H{right:.1f}"/>')
        parts.append(f'<text x="2" y="15">{_escape(self.ylabel)}</text>')
        parts.append(
            f'<text x="{(left + right) / 2:.1f}" y="{HEIGHT - 7:g}" text-anchor="middle">{_escape(self.xlabel)}</text>'
        )
        parts.append('<g clip-path="url(#KEY-plot)">')
        for index, frames in enumerate(drawn["y"]):
            parts.append(
                f'<path class="curve" d="{_path(drawn["x"], frames[self.start % len(frames)])}" '
                f'stroke="{PALETTE[index % len(PALETTE)]}" stroke-dasharray="{_DASHES[index % len(_DASHES)]}"/>'
            )
        parts.append("</g>")
        parts.append(self._marker(drawn))
        for index, (name, track) in enumerate(zip(self._names, drawn["names"], strict=True)):
            parts.append(self._name(name, track[self.start % len(track)], PALETTE[index % len(PALETTE)]))
        return "".join(parts) + "</svg>"

    def _marker(self, drawn: Mapping[str, Any]) -> str:
        if drawn["marker"] is None:
            return ""
        x = drawn["marker"][self.start]
        line = f'<path class="marker" d="M0,{_TOP:g}V{HEIGHT - _BOTTOM:g}" transform="translate({x})"/>'
        dots = (
            f'<circle class="dot" r="5.5" cx="{x}" cy="{track[self.start] or 0}" fill="{PALETTE[index % len(PALETTE)]}"'
            f"{_hidden(track[self.start] is None)}/>"
            for index, track in enumerate(drawn["dots"])
        )
        return line + "".join(dots)

    def _name(self, name: str, place: list[float] | None, colour: str) -> str:
        x, y = place or (0, 0)
        anchor = "middle" if name in self.label_at else "start"
        lines = "".join(
            f'<tspan x="0" dy="{_LINE if index else 0:g}">{_escape(line)}</tspan>'
            for index, line in enumerate(self._names[name])
        )
        return (
            f'<text class="name" transform="translate({x},{y})" text-anchor="{anchor}" '
            f'style="--curve:{colour}"{_hidden(place is None)}>{lines}</text>'
        )

    def _controls(self) -> str:
        value = _escape(self.values[self.start])
        readout = ""
        if self.readout is not None:
            readout = f'<p class="readout" aria-live="polite">{_escape(self.readout[self.start])}</p>'
        return (
            f'<div class="controls"><label for="KEY-range">{_escape(self.label)} = '
            f'<output for="KEY-range" aria-live="off">{value}</output></label>'
            f'<input id="KEY-range" type="range" min="0" max="{len(self.values) - 1}" step="1" value="{self.start}" '
            f'aria-label="{_escape(self.label)}" aria-valuetext="{value}" autocomplete="off" hidden></div>{readout}'
        )

    def __repr__(self) -> str:
        return f"SliderFigure({self.label}: {self.values[0]} to {self.values[-1]}, {len(self.values)} frames)"


def _array(name: str, data: npt.ArrayLike) -> Array:
    try:
        return np.asarray(data, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} must be an array of numbers: {error}") from None


def _decimal(value: float) -> float | None:
    """One decimal, enough for smooth lines, and written as JavaScript writes it; None for a gap."""
    if np.isnan(value):
        return None
    rounded = round(float(value), 1)
    return int(rounded) if rounded.is_integer() else rounded


def _path(columns: Sequence[float], heights: Sequence[float | None]) -> str:
    """The path through the points, interrupted at gaps; ``h0`` makes a lone point visible."""
    parts, pen_up = [], True
    for x, y in zip(columns, heights, strict=True):
        if y is not None:
            parts.append(f"M{x},{y}h0" if pen_up else f"L{x},{y}")
        pen_up = y is None
    return "".join(parts)


def _apart(
    middles: Mapping[int, float], heights: Mapping[int, float], top: float, bottom: float
) -> dict[int, float]:
    """Move boxes, given by their middles and heights, up and down until none overlaps another."""
    order = sorted(middles, key=lambda index: (middles[index], index))
    placed = dict(middles)
    edge = top
    for index in order:
        placed[index] = max(placed[index], edge + heights[index] / 2)
        edge = placed[index] + heights[index] / 2
    edge = bottom
    for index in reversed(order):
        placed[index] = min(placed[index], edge - heights[index] / 2)
        edge = placed[index] - heights[index] / 2
    return placed


def _escape(text: str) -> str:
    return html.escape(text, quote=True)


def _hidden(yes: bool) -> str:
    return ' visibility="hidden"' if yes else ""


_STYLE = (
    """
.losscore-slider{max-width:36rem;margin:1rem auto;container-type:inline-size}
.losscore-slider svg{display:block;width:100%;height:auto;font:12.5px system-ui,sans-serif;overflow:visible}
.losscore-slider svg text{fill:currentColor}
.losscore-slider svg .axis{fill:none;stroke:currentColor;stroke-opacity:.6}
.losscore-slider svg .zero{fill:none;stroke:currentColor;stroke-opacity:.25}
.losscore-slider svg .curve{fill:none;stroke-width:2.6;stroke-linecap:round;stroke-linejoin:round}
.losscore-slider svg .marker{fill:none;stroke:currentColor;stroke-opacity:.55;stroke-width:1.2}
.losscore-slider svg .name{font-weight:600;fill:color-mix(in oklab,var(--curve) 60%,currentColor)}
.losscore-slider .controls{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem 1rem;margin-top:.5rem}
.losscore-slider label{min-width:9em;margin:0;font-variant-numeric:tabular-nums}
.losscore-slider output{display:inline;padding:0;font-weight:600;color:inherit}
.losscore-slider input{flex:1 1 12rem;min-width:0;height:2.75rem;margin:0;padding:0;appearance:none;background:none}
.losscore-slider input{color:inherit;cursor:pointer}
.losscore-slider input::-webkit-slider-runnable-track{height:4px;border-radius:2px;background:TRACK}
.losscore-slider input::-moz-range-track{height:4px;border-radius:2px;background:TRACK}
.losscore-slider input::-webkit-slider-thumb{appearance:none;width:22px;height:22px;margin-top:-9px;THUMB}
.losscore-slider input::-moz-range-thumb{width:22px;height:22px;THUMB}
.losscore-slider input:focus-visible{outline:2px solid currentColor;outline-offset:1px;border-radius:6px}
.losscore-slider input[hidden]{display:none}
.losscore-slider .readout{min-height:3em;margin:.25rem 0 0;font-variant-numeric:tabular-nums}
@container (max-width:26rem){.losscore-slider svg{font-size:15px}}
""".replace("TRACK", "color-mix(in srgb,currentColor 45%,transparent)")
    .replace("THUMB", f"border:0;border-radius:50%;background:{BLUE}")
    .replace("\n", "")
)

_SCRIPT = """
(function(){
var root=document.getElementById("KEY"),d=DATA,input=root.querySelector("input"),svg=root.querySelector("svg");
function all(name){return Array.from(root.querySelectorAll(name))}
function at(track,f){return track[f%track.length]}
function see(node,yes){node.setAttribute("visibility",yes?"visible":"hidden")}
function path(ys){var s="",up=true;
ys.forEach(function(y,i){if(y!==null)s+=(up?"M":"L")+d.x[i]+","+y+(up?"h0":"");up=y===null});return s}
function show(){var f=+input.value;
all(".curve").forEach(function(node,k){if(d.y[k].length>1)node.setAttribute("d",path(d.y[k][f]))});
all(".name").forEach(function(node,k){var p=at(d.names[k],f);see(node,p);
if(p)node.setAttribute("transform","translate("+p+")")});
if(d.marker){root.querySelector(".marker").setAttribute("transform","translate("+d.marker[f]+")");
all(".dot").forEach(function(node,k){var y=d.dots[k][f];see(node,y!==null);
node.setAttribute("cx",d.marker[f]);if(y!==null)node.setAttribute("cy",y)})}
root.querySelector("output").textContent=d.values[f];input.setAttribute("aria-valuetext",d.values[f]);
if(d.readout)root.querySelector(".readout").textContent=d.readout[f]}
function drag(event){var box=svg.getBoundingClientRect(),x=(event.clientX-box.left)*svg.viewBox.baseVal.width/box.width;
var best=0;d.marker.forEach(function(m,i){if(Math.abs(m-x)<Math.abs(d.marker[best]-x))best=i});
if(best!==+input.value){input.value=best;show()}}
input.addEventListener("input",show);input.hidden=false;
if(d.marker){svg.style.cursor="ew-resize";svg.style.touchAction="pan-y";
svg.addEventListener("pointerdown",function(event){svg.setPointerCapture(event.pointerId);drag(event)});
svg.addEventListener("pointermove",function(event){if(event.buttons)drag(event)})}
show()
})()
""".replace("\n", "")
