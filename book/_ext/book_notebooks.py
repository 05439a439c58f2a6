"""Sphinx builder ``notebooks``: the resolved page as a plain notebook for Jupyter, Colab and nbval.

References, numbers, citations and translations are settled in the document tree, so the notebook needs no
extension to be read. Code and outputs come from the cache that the build has filled; pictures are left out of
the file (they are drawn again on every run), text outputs stay and are what nbval compares.
"""

from __future__ import annotations

import hashlib
import posixpath
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from book_markdown import Markdown, linked
from docutils import nodes
from jupyter_cache import get_cache
from myst_nb.core.read import create_nb_reader
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.config import Config
from sphinx.locale import _

HIDDEN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
KEPT_TAGS = {
    "nbval-ignore-output",
    "nbval-skip",
    "nbval-check-output",
    "raises-exception",
    "nbval-raises-exception",
}
MIMES = (
    "text/html",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "text/markdown",
    "text/latex",
    "text/plain",
    "application/javascript",
)


# Addresses ------------------------------------------------------------------------------------------------


def site_of(repository: str) -> str:
    """Where GitHub Pages publishes a repository; empty when no repository is known."""
    if not repository:
        return ""
    owner, name = repository.rstrip("/").rsplit("/", 2)[-2:]
    home = f"https://{owner.lower()}.github.io/"
    return home if name.lower() == f"{owner.lower()}.github.io" else f"{home}{name}/"


def wheel_of(repository: str, root: Path) -> str:
    """The published wheel that belongs to these notebooks; empty when no repository is known."""
    if not repository:
        return ""
    owner, name = repository.rstrip("/").rsplit("/", 2)[-2:]
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return f"https://raw.githubusercontent.com/{owner}/{name}/gh-pages/losscore-{version}-py3-none-any.whl"


def set_up(wheel: str, packages: list[str]) -> str:
    """The code of the first cell: quick and silent where all is there; it never replaces a package."""
    lines = ["# @title Set-up: adds losscore where it is missing", "import importlib.util"]
    needed = [("losscore", wheel)] if wheel else []
    needed += [(package.replace("-", "_"), package) for package in packages]
    if needed:
        lines += ["import os", "import subprocess", "import sys"]
    if not wheel:
        lines += [
            "",
            'if importlib.util.find_spec("losscore") is None:',
            '    raise ModuleNotFoundError("losscore is missing: run this notebook in the environment of the '
            'book, which `make book` makes")',
        ]
    if needed:
        lines += [
            "",
            f"for name, source in {needed!r}:".replace("'", '"'),
            '    beside = os.path.join(sys.prefix, "data", name)',
            "    if importlib.util.find_spec(name) is None and not os.path.isdir(beside):",
            '        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", source]',
            "        subprocess.run(command, check=True)",
        ]
    return "\n".join(lines)


# One page --------------------------------------------------------------------------------------------------


class PageNotebook:
    """Gathers the cells of one page; answers the writer's questions about links and numbers."""

    def __init__(self, builder: NotebookBuilder, docname: str) -> None:
        self.builder, self.docname = builder, docname
        self.source = builder.executed(docname)
        self.writer = Markdown(self)
        self.cells: list[NotebookNode] = []
        self.pending: list[str] = []
        self.next_cell = 0
        self.cited: dict[str, nodes.citation] = {}

    # What the writer asks

    def link(self, reference: nodes.Element) -> str:
        """See :class:`book_markdown.Page`."""
        address = str(reference.get("refuri", ""))
        if "://" in address or address.startswith("mailto:"):
            return address
        site = site_of(self.builder.config.book_repository)
        if not site or not address:
            return ""
        return site + posixpath.normpath(posixpath.join(posixpath.dirname(self.docname), address))

    def cite(self, reference: nodes.Element) -> str:
        """See :class:`book_markdown.Page`."""
        page, _, identifier = reference["refuri"].partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(self.docname), page)).removesuffix(
            ".html"
        )
        work = self.builder.works(target)[identifier]
        self.cited[identifier] = work
        return next((str(link["refuri"]) for link in work.findall(nodes.reference) if "refuri" in link), "")

    def number(self, node: nodes.Element, kind: str) -> str:
        """See :class:`book_markdown.Page`."""
        numbers = self.builder.env.toc_fignumbers.get(self.docname, {}).get(kind, {})
        found = next((numbers[i] for i in node["ids"] if i in numbers), ())
        return ".".join(map(str, found))

    def section_number(self, section: nodes.section) -> str:
        """See :class:`book_markdown.Page`."""
        numbers = self.builder.env.toc_secnumbers.get(self.docname, {})
        names = [f"#{i}" for i in section["ids"]] + (
            [""] if isinstance(section.parent, nodes.document) else []
        )
        found = next((numbers[name] for name in names if name in numbers), ())
        return ".".join(map(str, found)) + "." if found else ""

    # The walk

    def walk(self, node: nodes.Node, level: int) -> None:
        """Sections begin a new cell, code containers are code cells, all else is text."""
        if isinstance(node, nodes.section):
            self.flush()
            for child in node.children:
                self.walk(child, level + 1)
        elif isinstance(node, nodes.title):
            self.pending.append(self.writer.heading(node, level))
        elif isinstance(node, nodes.container) and node.get("nb_element") == "cell_code":
            self.code(node)
        elif any(True for _ in code_cells(node)):
            for child in node.children:
                self.walk(child, level)
        else:
            self.pending.append(self.writer.block(node))

    def flush(self) -> None:
        """End the current text cell."""
        text = "\n\n".join(part for part in self.pending if part.strip())
        self.pending = []
        if text:
            self.cells.append(new_markdown_cell(text))

    def code(self, node: nodes.container) -> None:
        """A code cell; before it, those that the page runs without showing them."""
        index = int(node["cell_index"])
        caption = next(iter(node.findall(nodes.caption)), None)
        self.hidden_until(index)
        self.add_code(self.source.cells[index])
        self.next_cell = index + 1
        if caption is not None:
            self.pending.append(self.writer.block(caption.parent))

    def hidden_until(self, index: int) -> None:
        """Add the cells that the page runs but does not show."""
        for cell in self.source.cells[self.next_cell : index]:
            if cell.cell_type == "code":
                self.add_code(cell)

    def add_code(self, source: NotebookNode) -> None:
        """Add one executed cell, its code folded where the page folds it."""
        self.flush()
        tags = set(source.metadata.get("tags", []))
        code = source.source
        cell = new_code_cell(code, outputs=[kept for output in source.outputs if (kept := text_only(output))])
        if KEPT_TAGS & tags:
            cell.metadata["tags"] = sorted(KEPT_TAGS & tags)
        if HIDDEN & tags:
            cell.metadata.update({"cellView": "form", "jupyter": {"source_hidden": True}})
            cell.source = f"# @title {_('Code of this cell')}\n{code}"
        self.cells.append(cell)

    def references(self) -> None:
        """The works that the page cites, at its end."""
        if not self.cited:
            return
        entries = [self.writer.blocks(work.children[1:]) for work in self.cited.values()]
        text = "\n".join(f"- {' '.join(entry.split())}" for entry in sorted(entries))
        self.cells.append(new_markdown_cell(f"## {_('References')}\n\n{text}"))

    def notebook(self, doctree: nodes.document) -> NotebookNode:
        """The whole notebook, the same bytes from the same page."""
        for child in doctree.children:
            self.walk(child, 0)
        self.flush()
        self.hidden_until(len(self.source.cells))
        self.references()
        config, root = self.builder.config, Path(self.builder.srcdir)
        setup = new_code_cell(
            set_up(wheel_of(config.book_repository, root), self.source.metadata.get("install", []))
        )
        setup.metadata["cellView"] = "form"
        cells = [new_markdown_cell(self.origin()), setup, *self.cells]
        number(cells, self.docname)
        return new_notebook(
            cells=cells,
            metadata={
                "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                "language_info": {"name": "python"},
                "colab": {"provenance": [], "toc_visible": True},
            },
        )

    def origin(self) -> str:
        """Where the notebook comes from."""
        config = self.builder.config
        title = self.builder.env.titles[self.docname].astext()
        site = site_of(config.book_repository)
        page = linked(title, f"{site}{self.docname}.html" if site else "")
        return f"*{_('This notebook is the page')} “{page}” {_('of the book')} {config.html_title}.*"


def code_cells(node: nodes.Node) -> Iterator[nodes.container]:
    """The code cells inside a node."""
    return (box for box in node.findall(nodes.container) if box.get("nb_element") == "cell_code")


def text_only(output: NotebookNode) -> NotebookNode | None:
    """An output without its pictures; None when nothing is left."""
    output = nbformat.from_dict(output)
    if "data" in output:
        output["data"] = {
            mime: data for mime, data in output["data"].items() if not mime.startswith("image/")
        }
        output["metadata"] = {
            key: value for key, value in output["metadata"].items() if not key.startswith("image/")
        }
        if not output["data"]:
            return None
    return output


def merge_streams(cell: NotebookNode) -> None:
    """Join what a kernel sends in several pieces, which differ from run to run."""
    merged: list[NotebookNode] = []
    for output in cell.outputs:
        last = merged[-1] if merged else None
        if (
            last is not None
            and output.output_type == last.output_type == "stream"
            and output.name == last.name
        ):
            last.text += output.text
        else:
            merged.append(output)
    cell.outputs = merged


def number(cells: list[NotebookNode], docname: str) -> None:
    """Ids that depend only on the page and the place, and execution counts from 1."""
    count = 0
    for position, cell in enumerate(cells):
        cell["id"] = "c" + hashlib.sha256(f"{docname}:{position}".encode()).hexdigest()[:10]
        cell.metadata["id"] = cell["id"]  # the key that Colab reads
        if cell.cell_type == "code":
            count += 1
            cell["execution_count"] = count
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output["execution_count"] = count


# The builder -----------------------------------------------------------------------------------------------


class NotebookBuilder(Builder):
    """Writes one notebook a page that has code."""

    name = format = "notebooks"
    epilog = "The notebooks are in %(outdir)s."

    def init(self) -> None:
        """Prepare what the pages share."""
        self.shared_works: dict[str, dict[str, nodes.citation]] = {}

    def get_outdated_docs(self) -> Iterator[str]:
        """All pages: writing them takes no time."""
        yield from self.env.found_docs

    def get_target_uri(self, docname: str, typ: str | None = None) -> str:
        """Links lead to the published pages."""
        return f"{docname}.html"

    def prepare_writing(self, docnames: set[str]) -> None:
        """Nothing to prepare."""

    def executed(self, docname: str) -> NotebookNode:
        """The page's cells with the outputs of the last run."""
        path = self.env.doc2path(docname)
        text = Path(path).read_text(encoding="utf-8")
        reader = create_nb_reader(path, self.env.myst_config, self.env.mystnb_config, text)
        assert reader is not None
        cache = get_cache(self.env.mystnb_config.execution_cache_path)
        notebook = cache.merge_match_into_notebook(reader.read(text))[1]
        for cell in notebook.cells:
            if cell.cell_type == "code":
                merge_streams(cell)
        return notebook

    def works(self, docname: str) -> dict[str, nodes.citation]:
        """The bibliography on a page, by anchor."""
        if docname not in self.shared_works:
            doctree = self.env.get_and_resolve_doctree(docname, self)
            self.shared_works[docname] = {
                i: work for work in doctree.findall(nodes.citation) for i in work["ids"]
            }
        return self.shared_works[docname]

    def write_doc(self, docname: str, doctree: nodes.document) -> None:
        """Write one page."""
        if not any(True for _ in code_cells(doctree)):
            return
        notebook = PageNotebook(self, docname).notebook(doctree)
        nbformat.validate(notebook)
        target = Path(self.outdir) / f"{docname}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def mime_priority(app: Sphinx, config: Config) -> None:
    """Tell myst-nb which form of an output this builder takes."""
    config.nb_mime_priority_overrides = [
        *config.nb_mime_priority_overrides,
        *(("notebooks", mime, 10 * rank) for rank, mime in enumerate(MIMES, 1)),
    ]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the builder."""
    app.add_builder(NotebookBuilder)
    app.connect("config-inited", mime_priority, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
