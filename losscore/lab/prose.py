"""Numbers in the prose come from cells: a cell glues a rounded number, the sentence names it."""

from __future__ import annotations

_RECORD = "application/papermill.record/"


def glue(**values: str) -> None:
    """Make rounded numbers available to the page's prose.

    In a cell, ``glue(slope=f"{s:.2f}")``; in the prose, ``{glue:text}`slope```. The cell shows nothing. Only strings
    are accepted, because what a reader sees must be rounded to what is the same on every machine. Outside a
    notebook nothing happens.

    Raises:
        TypeError: if a value is not a string.
    """
    for name, value in values.items():
        if not isinstance(value, str):
            raise TypeError(
                f"glue: {name} is {value!r} of type {type(value).__name__}; round it first and pass the text, "
                f'for example {name}=f"{{value:.2f}}"'
            )
    try:
        from IPython import get_ipython
        from IPython.display import publish_display_data
    except ImportError:
        return
    if get_ipython() is None:
        return
    for name, value in values.items():
        publish_display_data(  # type: ignore[no-untyped-call]
            {_RECORD + "text/plain": repr(value)},
            {"scrapbook": {"name": name, "mime_prefix": _RECORD}},
        )
