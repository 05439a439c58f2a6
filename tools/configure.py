"""Write `conf.py`, the Sphinx form of `_config.yml`.

What `jupyter-book config sphinx .` does, with two differences: a mistake in `_config.yml` or `_toc.yml` ends
with one message that names file and line, and the extensions that this book has no use for stay out (each
would put its scripts and styles on every page).
"""

from __future__ import annotations

import sys
from typing import Any

from jupyter_book.config import get_final_config, get_validator
from sources import ROOT, BookError, line_of_text, load_yaml, pages

UNUSED = {
    "sphinx_thebe",
    "sphinx_comments",
    "sphinx_togglebutton",
    "sphinx_design",
    "sphinx.ext.intersphinx",
    "sphinx_jupyterbook_latex",
}


def checked() -> dict[str, Any]:
    """`_config.yml`, when each of its keys is known and well-formed."""
    config = load_yaml("_config.yml")
    validator = get_validator()
    known = {*validator.schema["properties"], "only_build_toc_files"}
    for key in config:
        if key not in known:
            line = line_of_text("_config.yml", f"{key}:")
            raise BookError(
                f"_config.yml:{line}: unknown key {key!r}; allowed are {', '.join(sorted(known))}"
            )
    for error in validator.iter_errors(config):
        path = [str(part) for part in error.absolute_path]
        line = line_of_text("_config.yml", f"{path[-1]}:") if path else 1
        raise BookError(f"_config.yml:{line}: {'/'.join(path)}: {error.message}")
    return config


def main() -> None:
    """Check the two files and write `conf.py` when it would change."""
    config = checked()
    pages()
    final, _ = get_final_config(
        user_yaml=config, sourcedir=ROOT, validate=False, cli_config={"latex_individualpages": False}
    )
    final["extensions"] = [name for name in final["extensions"] if name not in UNUSED]
    lines = [f"{key} = {value!r}" for key, value in sorted(final.items())]
    text = "\n".join(["# Written by tools/configure.py from _config.yml.", *lines]) + "\n"
    target = ROOT / "conf.py"
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except BookError as error:
        sys.exit(f"error: {error}")
