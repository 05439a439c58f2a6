import io
from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from losscore.lab.figures import BLUE, INK, ORANGE, label_line, mark, shade, show_grey, use_style


@pytest.fixture
def axes() -> Iterator[Axes]:
    with mpl.rc_context():
        use_style()
        figure = Figure()
        FigureCanvasSVG(figure)
        yield figure.add_subplot()


def svg(axes: Axes) -> str:
    assert isinstance(axes.figure, Figure)
    buffer = io.StringIO()
    axes.figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def test_all_ink_is_the_one_that_the_site_replaces(axes: Axes) -> None:
    (line,) = axes.plot([0, 1], [0, 1], label="rising")
    label_line(line)
    mark(axes, 0.5, 0.5, "middle", colour=BLUE)
    axes.set(xlabel="time (s)", ylabel="height (m)", title="Title")
    drawn = svg(axes).lower()
    colours = {word for word in drawn.replace(";", " ").replace('"', " ").split() if word.startswith("#")}
    colours = {colour for colour in colours if len(colour) == 7 and not colour.startswith(("#m", "#p"))}
    assert colours == {INK, BLUE.lower()}
    assert "#ffffff" not in drawn
    assert "#000000" not in drawn


def test_black_and_white_are_nowhere(axes: Axes) -> None:
    """They wouldn't show in an SVG file, where black is the default, but in the PNG of a notebook."""
    axes.set(title="Title")
    parts = [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.get_xticklabels(), *axes.get_yticklabels()]
    assert {part.get_color() for part in parts} == {INK}
    assert {mpl.colors.to_hex(spine.get_edgecolor()) for spine in axes.spines.values()} == {INK}
    assert isinstance(axes.figure, Figure)
    assert axes.figure.get_facecolor()[3] == axes.get_facecolor()[3] == 0


def test_the_same_figure_is_the_same_file(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1])
    assert svg(axes) == svg(axes)


def test_lines_differ_by_dashes_as_well_as_colours(axes: Axes) -> None:
    lines = [axes.plot([0, 1], [k, k])[0] for k in range(4)]
    assert len({line.get_color() for line in lines}) == 4
    assert len({str(line.get_linestyle()) + str(line._dash_pattern) for line in lines}) == 4  # type: ignore[attr-defined]


def test_name_stands_at_the_last_finite_point(axes: Axes) -> None:
    (line,) = axes.plot([0, 1, 2], [3.0, 4.0, np.nan], label="rising")
    note = label_line(line)
    assert (note.get_text(), note.xy) == ("rising", (1.0, 4.0))
    assert label_line(line, "other", at=0.5).xy == (0.5, 3.5)
    assert note.get_color() == INK


def test_bad_names(axes: Axes) -> None:
    (unnamed,) = axes.plot([0, 1], [0, 1])
    with pytest.raises(ValueError, match="words must be given"):
        label_line(unnamed)
    with pytest.raises(ValueError, match="at must lie on the line 'a', between 0 and 1, got 2"):
        label_line(unnamed, "a", at=2)
    (empty,) = axes.plot([0, 1], [np.nan, np.nan], label="gap")
    with pytest.raises(ValueError, match="line 'gap' has no finite point"):
        label_line(empty)


def test_region_and_point_say_their_words_and_take_no_colour_from_the_cycle(axes: Axes) -> None:
    shade(axes, 1, 2, "here it is flat")
    mark(axes, 1.5, 0.2, "minimum", offset=(-8, 0))
    assert [text.get_text() for text in axes.texts] == ["here it is flat", "minimum"]
    assert axes.texts[0].xy == (1.5, 1)
    assert axes.texts[1].get_horizontalalignment() == "right"
    colours = [axes.plot([0, 1], [0, 1])[0].get_color() for _ in range(2)]
    assert colours == [BLUE, ORANGE]


def test_a_photograph_stands_in_the_page_with_its_own_pixels_in_few_shades(axes: Axes) -> None:
    picture = torch.rand(120, 160, generator=torch.Generator().manual_seed(0))
    show_grey(axes, 0.5 * picture, white=0.5, levels=16)
    shown = np.asarray(axes.images[0].get_array())[..., 0]
    assert shown.shape == (120, 160)
    assert len(np.unique(shown)) == 16
    assert np.abs(shown - picture.numpy()).max() <= 0.5 / 15 + 1e-6
    assert len(svg(axes)) < 30_000


def test_marked_pixels_stand_out(axes: Axes) -> None:
    marked = torch.zeros(3, 4, dtype=torch.bool)
    marked[1, 2] = True
    show_grey(axes, torch.full((3, 4), 0.5), marked=marked)
    shown = np.asarray(axes.images[0].get_array())
    grey = (shown == shown[..., :1]).all(-1)
    assert np.argwhere(~grey).tolist() == [[1, 2]]
