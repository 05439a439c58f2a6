"""The atlas: the catalogue as tables, and every loss's value, slope and curvature along one line of predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from math import ceil
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from losscore.catalogue import Entry, entries
from losscore.catalogue_flags import MEANINGS
from losscore.lab.palette import BLUE, GREEN, INK, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKS: Mapping[bool | None, tuple[str, str]] = {
    True: ("✓", "yes"),
    False: ("✗", "no"),
    None: ("–", "does not apply"),
}
_HEADS = (
    "proper",
    "strictly",
    "calibrated",
    "convex in p",
    "convex in z",
    "Lipschitz",
    "bounded",
    "symmetric",
    "mean of samples",
)
_STYLE = (
    ".bd-article .atlas th.turned,.atlas th.turned{height:7.6rem;padding:0 0 .3rem;vertical-align:bottom}"
    ".atlas th.turned span{writing-mode:vertical-rl;transform:rotate(180deg);white-space:nowrap;font-weight:400}"
    ".bd-article .atlas td.flag,.atlas td.flag{text-align:center;padding:.5rem 0;width:1.3rem}"
    ".bd-article .atlas tbody th,.atlas tbody th{border-bottom:1px solid var(--book-rule,#ccc);font-weight:400;"
    "overflow-wrap:anywhere;padding-right:.3rem;text-align:left}"
    ".atlas tbody th small{display:block;line-height:1.3}.bd-article .atlas code,.atlas code{font-size:.82em;white-space:normal}"
)


class Table:
    """The losses of one family: what each elicits, and its flags."""

    def __init__(self, family: str) -> None:
        self.entries = [entry for entry in entries().values() if entry.family == family]
        if not self.entries:
            known = sorted({entry.family for entry in entries().values()})
            raise ValueError(f"family: {family!r} isn't one of {', '.join(known)}")

    def __repr__(self) -> str:
        return "\n".join(f"{entry.name}: {facts(entry.name)}" for entry in self.entries)

    def _repr_html_(self) -> str:
        heads = "".join(
            f'<th class="turned" scope="col" title="{escape(meaning)}"><span>{head}</span></th>'
            for head, meaning in zip(_HEADS, MEANINGS.values(), strict=True)
        )
        rows = "".join(self._row(entry) for entry in self.entries)
        return (
            f'<style>{_STYLE}</style><table class="atlas"><thead><tr><th scope="col">loss</th>{heads}</tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )

    def _row(self, entry: Entry) -> str:
        cells = ""
        for flag in entry.flags.values():
            sign, word = MARKS[flag.value]
            cells += f'<td class="flag"><span role="img" aria-label="{word}">{sign}</span></td>'
        limits: dict[str, list[str]] = {}
        for flag_name, words in conditions(entry).items():
            limits.setdefault(words, []).append(flag_name)
        said = "".join(
            f"<small><em>{', '.join(names)}</em> {escape(words)}</small>" for words, names in limits.items()
        )
        named = (
            f"<code>{entry.name.replace('_', '_<wbr>')}</code><small>{escape(entry.elicits)}</small>{said}"
        )
        return f'<tr id="loss-{entry.name}"><th scope="row">{named}</th>{cells}</tr>'


def facts(name: str) -> str:
    """One sentence on what the loss elicits, then what holds and what fails, from the catalogue."""
    entry = entries()[name]
    told = [f"Elicits {entry.elicits}."]
    stated = {_SAID[flag]: stated.value for flag, stated in entry.flags.items()}
    where = {_SAID[flag]: f"{_SAID[flag]} ({words})" for flag, words in conditions(entry).items()}
    if stated["convex in the prediction"] == stated["convex in the output"]:
        stated = {flag: value for flag, value in stated.items() if flag != "convex in the prediction"}
    if stated["strictly proper"]:
        del stated["proper"]
    elif not stated["proper"]:
        del stated["strictly proper"]
    for wanted, word in ((True, "Is"), (False, "Is not")):
        if held := [where.get(flag, flag) for flag, value in stated.items() if value is wanted]:
            told.append(
                f"{word} {held[0] if len(held) == 1 else ', '.join(held[:-1]) + _LAST[wanted] + held[-1]}."
            )
    return " ".join(told)


def conditions(entry: Entry) -> dict[str, str]:
    """Under which parameters, or among which predictions, a flag holds, where that isn't always."""
    found = {}
    for name, flag in entry.flags.items():
        if flag.given or flag.among:
            found[name] = f"where {flag.given}" if flag.given else f"among {flag.among}"
    return found


_LAST = {True: " and ", False: " or "}
_SAID = {
    "proper": "proper",
    "strictly proper": "strictly proper",
    "calibrated": "classification-calibrated",
    "convex in the prediction": "convex in the prediction",
    "convex in the logit": "convex in the output",
    "Lipschitz in the logit": "Lipschitz in the output",
    "bounded": "bounded",
    "symmetric": "symmetric",
    "decomposes": "a mean over samples",
}


@dataclass(frozen=True)
class Path:
    """A line of predictions x -> (prediction, target), between two ends; `axis` says what x is."""

    at: Callable[[Tensor], tuple[Tensor, Tensor]]
    axis: str
    ends: tuple[float, float] = (-4.0, 4.0)


def _beside(*columns: Tensor | float) -> Tensor:
    whole = next(column for column in columns if isinstance(column, Tensor))
    return torch.stack(
        [column if isinstance(column, Tensor) else torch.full_like(whole, column) for column in columns], -1
    )


def _class_0(x: Tensor) -> Tensor:
    return torch.zeros(len(x), dtype=torch.long)


def _lead(x: Tensor) -> Tensor:
    return _beside(2 * x / 3, -x / 3, -x / 3)


def _nothing(x: Tensor) -> Tensor:
    return x.new_zeros(len(x), 0)


def _everywhere(x: Tensor, value: float) -> Tensor:
    return torch.full_like(x, value).detach()


PATHS: Mapping[tuple[str, str], Path] = {
    ("real", "real"): Path(lambda x: (x, _everywhere(x, 0)), "prediction − target"),
    ("score", "sign"): Path(lambda x: (x, _everywhere(x, 1)), "margin"),
    ("logit", "probability"): Path(lambda x: (x, _everywhere(x, 1)), "logit of the true class"),
    ("logit", "label"): Path(lambda x: (x, _everywhere(x, 1)), "logit of the true class"),
    ("logits", "distribution"): Path(lambda x: (_lead(x), _class_0(x)), "lead of the true class's logit"),
    ("scores", "class"): Path(lambda x: (_lead(x), _class_0(x)), "lead of the true class's score"),
    ("probabilities", "distribution"): Path(
        lambda x: (_beside(x, (1 - x) / 2, (1 - x) / 2), _class_0(x)),
        "probability of the true class",
        (0.02, 0.98),
    ),
    ("logits", "logits"): Path(
        lambda x: (_lead(x), _lead(_everywhere(x, 1))), "lead in the student's logits (teacher: 1)"
    ),
    ("rewards", "nothing"): Path(lambda x: (_beside(x, 0.0), _nothing(x)), "reward gap or gain"),
    ("log-likelihoods", "nothing"): Path(
        lambda x: (_beside(x, 0.0, 0.0, 0.0), _nothing(x)), "reward gap or gain"
    ),
    ("location and log scale", "real"): Path(
        lambda x: (_beside(x, 0.0), _everywhere(x, 0)), "center − observation"
    ),
    ("location and scale", "real"): Path(
        lambda x: (_beside(x, 1.0), _everywhere(x, 0)), "center − observation"
    ),
    ("log rate", "count"): Path(lambda x: (x, _everywhere(x, 2)), "log rate (count: 2)", (-2.0, 2.5)),
    ("mean and size", "count"): Path(
        lambda x: (_beside(x, 1.0), _everywhere(x, 2)), "mean (count: 2)", (0.1, 8.0)
    ),
    ("mean, size and zero", "count"): Path(
        lambda x: (_beside(x, 1.0, 0.0), _everywhere(x, 2)), "mean (count: 2)", (0.1, 8.0)
    ),
    ("ensemble", "real"): Path(lambda x: (_beside(x - 1, x + 1), _everywhere(x, 0)), "center − observation"),
    ("interval", "real"): Path(lambda x: (_beside(x - 1, x + 1), _everywhere(x, 0)), "center − observation"),
    ("mask", "mask"): Path(
        lambda x: (x.unsqueeze(1), _everywhere(x, 1).unsqueeze(1)), "logit of a pixel of the mask"
    ),
    ("points", "nothing"): Path(
        lambda x: (_beside(0.0, 1.0, x).unsqueeze(1), _nothing(x)),
        "distance of the negative (positive: 1)",
        (0.1, 4.0),
    ),
}


def curves(entry: Entry, points: int = 41) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Places x along the loss's path, and there its value, slope and curvature, by automatic differentiation."""
    path = PATHS[entry.input, entry.target]
    x = torch.linspace(*path.ends, points, dtype=torch.float64, requires_grad=True)
    prediction, target = path.at(x)
    parts = [prediction] if len(entry.predicted) == 1 else list(prediction.unbind(-1))
    given = dict(zip(entry.predicted, parts, strict=True)) | dict.fromkeys(entry.observed, target)
    value = entry.function(**given, reduction="none", **entry.examples[0])
    slope = _derivative(value, x)
    return x.detach(), value.detach(), slope.detach(), _derivative(slope, x).detach()


def _derivative(of: Tensor, x: Tensor) -> Tensor:
    if not of.requires_grad:
        return torch.zeros_like(x)
    (found,) = torch.autograd.grad(of.sum(), x, create_graph=True, materialize_grads=True)
    return found


def draw(family: str) -> Figure:
    """Small multiples of a family's losses: value, slope and curvature of each.

    Raises:
        ValueError: the family has no loss with a path.
    """
    import matplotlib.pyplot as plt

    drawn = [e for e in entries().values() if e.family == family and (e.input, e.target) in PATHS]
    if not drawn:
        raise ValueError(f"family: {family!r} has no loss that is drawn")
    rows = ceil(len(drawn) / 2)
    figure, grid = plt.subplots(rows, 2, figsize=(6.2, 0.5 + 1.8 * rows), squeeze=False)
    styles = (("value", BLUE, "-"), ("slope", ORANGE, (0, (5, 1.6))), ("curvature", GREEN, (0, (1.4, 1.4))))
    for axes, entry in zip(grid.flat, drawn):
        x, *lines = curves(entry)
        for line, (word, colour, dashes) in zip(lines, styles, strict=True):
            axes.plot(x, line.clamp(-9, 9), color=colour, linestyle=dashes, linewidth=1.8, label=word)
        axes.axhline(0, color=INK, linewidth=0.5)
        axes.set_ylim(-2.2, 4.2)
        axes.set_title(entry.name.replace("_negative", "\n_negative"), fontsize=11)
        axes.set_xlabel(PATHS[entry.input, entry.target].axis, fontsize=11)
        axes.locator_params(nbins=5)
        axes.tick_params(labelsize=10)
        axes.tick_params(axis="y", labelleft=axes in grid[:, 0])
    for axes in grid.flat[len(drawn) :]:
        axes.set_axis_off()
    handles, words = grid.flat[0].get_legend_handles_labels()
    if len({PATHS[entry.input, entry.target].axis for entry in drawn}) == 1:
        for axes in grid.flat[: len(drawn) - 2]:
            axes.set_xlabel("")
            axes.tick_params(labelbottom=False)
    figure.legend(handles, words, loc="outside upper left", ncols=3, fontsize=11)
    return figure
