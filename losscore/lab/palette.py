"""The colours of every figure of the book.

They are five of the eight colours of Okabe and Ito (2008), which readers with a colour-vision deficiency can tell
apart, with a neutral grey. Each has a contrast of at least 3:1 on white and on the dark page's #121212. Lines also
differ by their dashes, so that no figure needs colour to be read.
"""

from __future__ import annotations

INK = "#333333"
"""All text, axes and ticks of a figure. The site replaces exactly this colour by the page's own text colour."""

BLUE = "#0072B2"
ORANGE = "#D55E00"
GREEN = "#009E73"
PINK = "#CC79A7"
GREY = "#767676"

PALETTE = (BLUE, ORANGE, GREEN, PINK, GREY)
"""The order in which curves take their colours."""
