"""Resolved Sphinx nodes as the Markdown that Jupyter and Colab show: no directive, no role, no dead link."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import Protocol

from docutils import nodes
from sphinx import addnodes
from sphinx.locale import admonitionlabels

SPECIAL = re.compile(r"([\\`*$])")
YEAR = re.compile(r"\d{4}[a-z]?")


class Page(Protocol):
    """What a writer must know about the page and the book around it."""

    def link(self, reference: nodes.Element) -> str:
        """The absolute address that a reference leads to; empty when there is none to name."""

    def cite(self, reference: nodes.Element) -> str:
        """Note that the page cites this work; its address at the publisher, or empty."""

    def number(self, node: nodes.Element, kind: str) -> str:
        """The number of a figure, table, equation or proposition; empty when it has none."""

    def section_number(self, section: nodes.section) -> str:
        """The number of a section; empty when it has none."""


class Markdown:
    """Writes nodes of one page as Markdown."""

    def __init__(self, page: Page) -> None:
        self.page = page

    # Inline ------------------------------------------------------------------------------------------------

    def inline(self, node: nodes.Node) -> str:
        """One inline node."""
        match node:
            case nodes.Text():
                return SPECIAL.sub(r"\\\1", node.astext().replace("\n", " ")).replace("<", "&lt;")
            case nodes.math():
                return f"${' '.join(node.astext().split())}$"
            case nodes.literal():
                return f"`{node.astext()}`"
            case nodes.emphasis():
                return f"*{self.text(node)}*"
            case nodes.strong():
                return f"**{self.text(node)}**"
            case nodes.superscript() | nodes.subscript():
                tag = "sup" if isinstance(node, nodes.superscript) else "sub"
                return f"<{tag}>{self.text(node)}</{tag}>"
            case nodes.raw():
                return node.astext() if "html" in node.get("format", "") else ""
            case nodes.image():
                return f"*{node.get('alt', '')}*"
            case nodes.reference() | addnodes.number_reference():
                return self.reference(node)
            case nodes.inline() if "bibtex-citation" in node["classes"]:
                return self.citation(node)
            case nodes.target() | nodes.system_message():
                return ""
        return self.text(node)

    def text(self, node: nodes.Node) -> str:
        """The inline content of a node."""
        return "".join(self.inline(child) for child in node.children)

    def reference(self, node: nodes.Element) -> str:
        """A link where there is an address, else the words alone; a claim's mark is small."""
        url = self.page.link(node)
        if "claim" in node["classes"]:
            words = html.escape(node.astext())
            return f'<sup><a href="{html.escape(url)}">{words}</a></sup>' if url else f"<sup>{words}</sup>"
        return linked(self.text(node), url)

    def citation(self, node: nodes.inline) -> str:
        """Citations as "Author (Year)" or "(Author, Year)", each linked to the work itself."""
        works = [child for child in node.children if isinstance(child, nodes.reference)]
        if not all(YEAR.fullmatch(work.astext()) for work in works):
            return "".join(
                linked(child.astext(), self.page.cite(child))
                if isinstance(child, nodes.reference)
                else child.astext().replace("[", "(").replace("]", ")")
                for child in node.children
            )
        found, author = [], ""
        for child in node.children:
            if isinstance(child, nodes.reference):
                found.append(linked(f"{author.strip(' [],')} ({child.astext()})", self.page.cite(child)))
                author = ""
            else:
                author += child.astext()
        return ", ".join(found)

    # Blocks ------------------------------------------------------------------------------------------------

    def blocks(self, children: Iterable[nodes.Node]) -> str:
        """Block nodes, with an empty line between them."""
        written = (self.block(child) for child in children)
        return "\n\n".join(text for text in written if text.strip())

    def block(self, node: nodes.Node) -> str:
        """One block node."""
        match node:
            case nodes.title():
                return self.heading(node, 3)
            case nodes.rubric():
                return f"{'#' * node.get('heading-level', 3)} {self.text(node)}"
            case nodes.paragraph():
                return self.text(node)
            case nodes.math_block():
                return self.equation(node)
            case nodes.literal_block():
                language = node.get("language", "").replace("ipython3", "python").replace("default", "")
                return f"```{language}\n{node.astext().rstrip()}\n```"
            case nodes.bullet_list() | nodes.enumerated_list():
                return self.list(node)
            case nodes.definition_list():
                return "\n\n".join(self.definition(item) for item in node.children)
            case nodes.table():
                return self.table(node)
            case nodes.figure():
                return self.figure(node)
            case nodes.block_quote():
                return quoted(self.blocks(node.children))
            case nodes.transition():
                return "---"
            case nodes.raw():
                return node.astext() if "html" in node.get("format", "") else ""
            case nodes.comment() | nodes.target() | nodes.system_message() | nodes.substitution_definition():
                return ""
        if isinstance(node, nodes.Admonition):
            return self.admonition(node)
        if isinstance(node, (nodes.TextElement, nodes.Text)):
            return self.inline(node)
        return self.blocks(node.children)

    def heading(self, title: nodes.title, level: int) -> str:
        """A heading with the number that the book gives it."""
        number = self.page.section_number(title.parent) if isinstance(title.parent, nodes.section) else ""
        return "#" * min(level, 6) + " " + f"{number} {self.text(title)}".strip()

    def equation(self, node: nodes.math_block) -> str:
        """A displayed equation with the number that the book gives it."""
        body = "\n".join(line for line in node.astext().strip().splitlines() if line.strip())
        number = self.page.number(node, "displaymath") if node.get("label") else ""
        if r"\\" in body and r"\begin" not in body:
            body = f"\\begin{{split}}\n{body}\n\\end{{split}}"
        return f"$$\n{body}" + (f" \\tag{{{number}}}" if number else "") + "\n$$"

    def list(self, node: nodes.Element) -> str:
        """A list, its deeper levels indented."""
        start = int(node.get("start", 1))
        items = []
        for position, item in enumerate(node.children, start):
            mark = "- " if isinstance(node, nodes.bullet_list) else f"{position}. "
            items.append(mark + indented(self.blocks(item.children), len(mark)))
        loose = any("\n\n" in item for item in items)
        return ("\n\n" if loose else "\n").join(items)

    def definition(self, item: nodes.Node) -> str:
        """A term and what it means."""
        terms = ", ".join(self.text(term) for term in item.children if isinstance(term, nodes.term))
        body = self.blocks(part for part in item.children if isinstance(part, nodes.definition))
        return f"**{terms}**: {body}"

    def table(self, node: nodes.table) -> str:
        """A table; bars inside a cell would split it, so they are written in another way."""
        rows = []
        for row in node.findall(nodes.row):
            cells = [self.blocks(entry.children).replace("\n", " ") for entry in row.children]
            rows.append([without_bars(cell) for cell in cells])
        head, *body = rows
        lines = [head, ["---"] * len(head), *body]
        title = next(iter(node.findall(nodes.title)), None)
        caption = [f"*{self.numbered(title, node, 'table')}*", ""] if title is not None else []
        return "\n".join(caption + ["| " + " | ".join(line) + " |" for line in lines])

    def figure(self, node: nodes.figure) -> str:
        """A figure's caption and number; the drawing itself belongs to the cell that makes it."""
        caption = next(iter(node.findall(nodes.caption)), None)
        return f"*{self.numbered(caption, node, 'figure')}*" if caption is not None else ""

    def numbered(self, caption: nodes.Element, owner: nodes.Element, kind: str) -> str:
        """A caption behind its number, without emphasis inside (the whole stands in italics)."""
        number = self.page.number(owner, kind)
        label = f"{'Fig.' if kind == 'figure' else 'Table'} {number}. " if number else ""
        plain = "".join(
            child.astext() if isinstance(child, (nodes.emphasis, nodes.strong)) else self.inline(child)
            for child in caption.children
        )
        return label + plain

    def admonition(self, node: nodes.Admonition) -> str:
        """A note as a quotation, a folded one as <details>, a proposition with its number."""
        children = list(node.children)
        title = ""
        if children and isinstance(children[0], nodes.title):
            title = self.text(children.pop(0)).strip()
        elif type(node).__name__ in admonitionlabels:
            title = str(admonitionlabels[type(node).__name__])
        if kind := node.get("realtype"):
            title = " ".join(filter(None, [kind.title(), self.page.number(node, node["countertype"]), title]))
        body = self.blocks(children)
        if "dropdown" in node["classes"]:
            return f"<details>\n<summary><b>{title}</b></summary>\n\n{body}\n\n</details>"
        return quoted(f"**{title}**\n\n{body}" if title else body)


def indented(text: str, width: int) -> str:
    """Markdown below a list mark: every line but the first moved in."""
    return re.sub(r"\n(?=[^\n])", "\n" + " " * width, text)


def linked(words: str, url: str) -> str:
    """Words that lead somewhere, when there is an address."""
    return f"[{words}]({url})" if url else words


def quoted(text: str) -> str:
    """Markdown as a quotation."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def without_bars(cell: str) -> str:
    """A table cell without the sign that ends a cell: ``\\vert`` inside math, an escape outside."""
    parts = re.split(r"(\$[^$]*\$)", cell)
    return "".join(
        part.replace("|", r"\vert ") if part.startswith("$") else part.replace("|", r"\|") for part in parts
    )
