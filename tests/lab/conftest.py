"""What a test of a drawing leaves behind: no open figure, and matplotlib's settings as they were."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def drawings_are_closed() -> Iterator[None]:
    with mpl.rc_context():
        yield
    plt.close("all")
