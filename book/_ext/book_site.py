"""The published pages: light, self-contained, with figures that take the colours of the page.

Every page loads only its own site's files. Scripts never hold up the first paint. SVG figures stand in the
page itself, with their alternative text, and their ink follows the theme.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

INK = "#333333"
GLYPH = re.compile(r'<path id="([^"]+)" d="[^"]*" transform="scale\(0\.015625\)"/>')
DECIMALS = re.compile(r"(\.\d)\d+")
VERSION_SWITCH = "DOCUMENTATION_OPTIONS.pagename"


def drop_stale_doctrees(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Read again the pages that were executed after they were last read."""
    record = Path(app.srcdir) / app.config.nb_execution_cache_path / "inputs.json"
    if not record.exists():
        return []
    times = {page: entry["time"] for page, entry in json.loads(record.read_text()).items()}
    return [page for page, time in times.items() if env.all_docs.get(page, time) < time]


# Figures --------------------------------------------------------------------------------------------------


def inline_svg(text: str, alt: str, glyphs: set[str]) -> str:
    """A drawing as part of the page: own ids, ink that follows the text, a name for who can't see it.

    The letters in ``glyphs`` stand on the page already and are only referred to; those of this one join them.
    """
    svg = text[text.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.S)
    prefix = "f" + hashlib.sha256(svg.encode()).hexdigest()[:8]
    letters = set(GLYPH.findall(svg))
    svg = GLYPH.sub(lambda glyph: "" if glyph.group(1) in glyphs else glyph.group(), svg)
    glyphs |= letters

    def own(match: re.Match[str]) -> str:
        return match.group(1) + ("glyph-" if match.group(2) in letters else prefix) + match.group(2)

    svg = re.sub(r'(\bid="|href="#|url\(#)([^")]+)', own, svg)
    svg = re.sub(INK, "currentColor", svg, flags=re.I)
    svg = re.sub(r'\bd="[^"]+"', lambda path: DECIMALS.sub(r"\1", path.group()), svg)
    opening = re.match(r"<svg[^>]*>", svg)
    assert opening is not None
    box = re.search(r'viewBox="([^"]+)"', opening.group())
    width = re.search(r'width="([\d.]+)', opening.group())
    assert box is not None and width is not None
    start = (
        f'<svg class="drawing" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{box.group(1)}" width="{float(width.group(1)) * 4 / 3:.0f}" '
        f'style="stroke-linejoin: round; stroke-linecap: butt" role="img" '
        f'aria-label="{html.escape(alt)}">'
    )
    return re.sub(r"\s*\n\s*", "\n", start + svg[opening.end() :]).strip()


def inline_figures(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put each SVG that a cell drew into the page; one without alternative text is an error at its cell."""
    if app.builder.format != "html":
        return
    glyphs: set[str] = set()
    for image in list(doctree.findall(nodes.image)):
        path = Path(app.srcdir) / image["uri"]
        if path.suffix != ".svg" or not path.exists():
            continue
        alt = image.get("alt", "")
        if not alt:
            logger.error(
                "this figure has no alternative text (mystnb: image: alt)", location=image, type="book"
            )
        image.replace_self(
            nodes.raw("", inline_svg(path.read_text(encoding="utf-8"), alt, glyphs), format="html")
        )


# Elements that need no script ------------------------------------------------------------------------------


class fold(nodes.General, nodes.Element):
    """What a reader opens: an admonition of the class ``dropdown``."""


def visit_fold(translator: HTML5Translator, node: fold) -> None:
    """<details> opens by keyboard and without a script."""
    translator.body.append(translator.starttag(node, "details", CLASS="fold"))


def depart_fold(translator: HTML5Translator, node: fold) -> None:
    """End of <details>."""
    translator.body.append("</details>\n")


class fold_summary(nodes.TextElement):
    """The line of a fold that is always seen."""


def visit_summary(translator: HTML5Translator, node: fold_summary) -> None:
    """<summary>, with the formulas that the title has."""
    translator.body.append(translator.starttag(node, "summary", ""))


def depart_summary(translator: HTML5Translator, node: fold_summary) -> None:
    """End of <summary>."""
    translator.body.append("</summary>\n")


def fold_dropdowns(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Turn admonitions of the class ``dropdown`` into folds."""
    if app.builder.format != "html":
        return
    for box in list(doctree.findall(nodes.Admonition)):
        if "dropdown" in box.get("classes", []):
            title, body = (
                (box[0].children, box.children[1:])
                if isinstance(box[0], nodes.title)
                else ([nodes.Text(type(box).__name__.title())], box.children)
            )
            box.replace_self(fold("", fold_summary("", "", *title), *body))


def unique_ids(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Propositions give all their bodies one id; the theorem itself carries the id that links use."""
    for section in doctree.findall(nodes.section):
        if section["ids"] == ["proof-content"]:
            section["ids"] = []


def plain_bibliography(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Works as paragraphs with an anchor: the text cites by author and year, so they need no label."""
    if app.builder.format != "html":
        return
    for work in list(doctree.findall(nodes.citation)):
        work.replace_self(nodes.container("", *work.children[1:], ids=work["ids"], classes=["work"]))


# Pages -----------------------------------------------------------------------------------------------------


def describe(doctree: nodes.document) -> str:
    """The first paragraph of a page, cut at a sentence, for search engines and link previews."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, (nodes.section, nodes.container)):
            text = " ".join(paragraph.astext().split())
            sentences = re.match(r".{40,170}[.?!](?=\s|$)", text)
            return sentences.group() if sentences else text[:180]
    return ""


def slug(pagename: str) -> str:
    """The name of a page below `book/`."""
    return pagename.removeprefix("book/")


def notebook_path(app: Sphinx, pagename: str) -> str:
    """Where a page's notebook lies on the site."""
    return f"notebooks/{app.config.language}/{slug(pagename)}.ipynb"


def colab_url(app: Sphinx, pagename: str) -> str:
    """Where Colab opens the published notebook of a page."""
    owner_name = "/".join(app.config.book_repository.rstrip("/").rsplit("/", 2)[-2:])
    return (
        f"https://colab.research.google.com/github/{owner_name}/blob/gh-pages/{notebook_path(app, pagename)}"
    )


def prepare_page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """What the templates need beyond the theme, and scripts that wait for the text."""
    repository = app.config.book_repository
    notebook = committed_notebook(app, pagename)
    context["book_repository"] = repository
    context["notebook_file"] = context["notebook_colab"] = ""
    if notebook.exists():
        context["notebook_file"] = context["pathto"](notebook_path(app, pagename), 1)
        if repository:
            context["notebook_colab"] = colab_url(app, pagename)
    if doctree is not None:
        context["description"] = describe(doctree)
    scripts = [s for s in context["script_files"] if VERSION_SWITCH not in str(s.attributes.get("body"))]
    # The search page calls its scripts while it loads; everywhere else they wait for the text.
    context["script_files"] = scripts if pagename == "search" else [deferred(script) for script in scripts]


def deferred(script: Any) -> Any:
    """A script file that runs when the page is read; an inline script as it is."""
    if not script.filename or "async" in script.attributes:
        return script
    return type(script)(script.filename, priority=script.priority, **{**script.attributes, "defer": "defer"})


def committed_notebook(app: Sphinx, pagename: str) -> Path:
    """The generated notebook of a page."""
    return Path(app.srcdir) / "book" / notebook_path(app, pagename)


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Copy the notebooks beside the pages, write the front door, drop what no page asks for."""
    if exception or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    out = Path(app.outdir)
    for docname in app.env.found_docs:
        source = committed_notebook(app, docname)
        if source.exists():
            target = out / notebook_path(app, docname)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    root = app.config.root_doc
    (out / "index.html").write_text(
        f'<!DOCTYPE html>\n<html lang="{app.config.language}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(app.config.html_title)}</title>\n"
        f'<meta http-equiv="refresh" content="0; url={root}.html">\n'
        f'<link rel="canonical" href="{root}.html">\n</head>\n'
        f'<body><p><a href="{root}.html">{html.escape(app.config.html_title)}</a></p></body>\n</html>\n',
        encoding="utf-8",
    )
    for unused in ("_static/scripts/fontawesome.js", "_static/vendor/fontawesome"):
        path = out / unused
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def own_code() -> str:
    """Hash of these extensions: Sphinx builds every page again when they change."""
    state = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        state.update(path.read_bytes())
    return state.hexdigest()


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect everything above."""
    app.add_node(fold, html=(visit_fold, depart_fold))
    app.add_node(fold_summary, html=(visit_summary, depart_summary))
    # MyST's own way to write a rubric forgets its heading-level
    app.setup_extension("myst_nb")
    app.add_node(
        nodes.rubric, override=True, html=(HTML5Translator.visit_rubric, HTML5Translator.depart_rubric)
    )
    app.add_config_value("book_repository", "", "html", str)
    app.add_config_value("book_extensions", own_code(), "env", str)
    app.connect("env-get-outdated", drop_stale_doctrees)
    app.connect("doctree-resolved", inline_figures)
    app.connect("doctree-resolved", fold_dropdowns)
    app.connect("doctree-resolved", unique_ids)
    app.connect("doctree-resolved", plain_bibliography)
    app.connect("html-page-context", prepare_page, priority=950)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
