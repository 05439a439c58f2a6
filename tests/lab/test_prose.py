import subprocess
import sys
from pathlib import Path

import pytest

from losscore.lab import glue

CONF = 'extensions = ["myst_nb"]\nnb_execution_mode = "force"\nnb_execution_raise_on_error = True\nnb_execution_timeout = 120\n'
HEAD = """---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3}
---
# Page
"""


def test_only_rounded_text_is_glued() -> None:
    with pytest.raises(TypeError, match=r"glue: slope is 0.98201 of type float; round it first"):
        glue(name="fine", slope=0.98201)  # type: ignore[arg-type]


def test_outside_a_notebook_nothing_happens(capsys: pytest.CaptureFixture[str]) -> None:
    glue(slope="0.98")
    assert capsys.readouterr() == ("", "")


def test_the_page_shows_the_text_without_quotes(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text(CONF, encoding="utf-8")
    (tmp_path / "index.md").write_text(
        HEAD
        + "\n```{code-cell}\nfrom losscore.lab import glue\nglue(slope='0.98', odd='it\\'s −4 %', quoted='\"no\"')\n```\n\n"
        + "The pull is {glue:text}`slope`, the margin {glue:text}`odd`, the answer {glue:text}`quoted`.\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "text", str(tmp_path), str(tmp_path / "out")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    page = (tmp_path / "out" / "index.txt").read_text(encoding="utf-8")
    straight = page.translate(str.maketrans("‘’“”", "''\"\""))
    assert 'The pull is 0.98, the margin it\'s −4 %, the answer "no".' in " ".join(straight.split())
    assert "papermill" not in page
