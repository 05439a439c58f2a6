"""The ledger of claims on the page: role ``{claim}``, directive ``{claims-ledger}``, and their checks.

A page says which claim a sentence or proposition settles with ``{claim}`C14` ``. That becomes a small link to
the claim's entry on the claims page, and gives the page the anchor ``claim-c14``. A claim that the ledger
does not know, or a ledger entry that names a page on which the claim has no such mark, fails the build.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.nodes import make_refnode

from losscore.claims import LEDGER, Claim, Verdict, ledger

logger = logging.getLogger(__name__)

LEDGER_PAGE = "book/claims"
VERDICTS: dict[Verdict, str] = {
    "true": "true",
    "conditional": "true under hypotheses",
    "imprecise": "imprecise",
    "false": "false",
}
SECTIONS = {
    "1.0": "What a loss is for",
    "1.1": "1.1 The role of the loss",
    "1.2": "1.2 Properties of an ideal loss",
    "1.3": "1.3 Robustness",
    "1.4": "1.4 Regularisation",
    "1.5": "1.5 Losses made to measure",
    "2": "2 Applications",
    "notation": "Notation",
    "closing": "What it all comes to",
}


class claim_link(nodes.Inline, nodes.TextElement):
    """A link to an anchor of a page, resolved when all pages are known."""


def anchor(identifier: str) -> str:
    """The anchor of a claim, on the page that teaches it and on the claims page alike."""
    return f"claim-{identifier.lower()}"


def marks(env: BuildEnvironment) -> dict[str, dict[str, int]]:
    """By page, the claims that it marks and the line of the first mark."""
    if not hasattr(env, "claim_marks"):
        env.claim_marks = {}  # type: ignore[attr-defined]
    return env.claim_marks  # type: ignore[attr-defined, no-any-return]


class ClaimRole(SphinxRole):
    """``{claim}`C14` `` or ``{claim}`C14,C16` ``."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        seen = marks(self.env).setdefault(self.env.docname, {})
        found: list[nodes.Node] = []
        for identifier in re.split(r"[,\s]+", self.text.strip()):
            link = claim_link(
                "",
                "",
                nodes.Text(identifier),
                page=LEDGER_PAGE,
                anchor=anchor(identifier),
                classes=["claim"],
                tip=f"Claim {identifier} in the ledger",
            )
            if identifier not in seen:
                seen[identifier] = self.lineno
                link["ids"].append(anchor(identifier))
            found += [nodes.Text(" "), link] if found else [link]
        return found, []


def page_of(claim: Claim) -> str:
    """The name that Sphinx has for the page that teaches the claim; empty when there is none yet."""
    return f"book/{claim.page}" if claim.page else ""


def section_of(claim: Claim) -> str:
    """The heading of the claims page under which a claim stands."""
    if claim.section.startswith("2"):
        return "2"
    label = ".".join(claim.section.split(".")[:2])
    if label not in SECTIONS:
        raise ExtensionError(
            f"{LEDGER}: {claim.id}: section {claim.section!r} has no heading on the claims page; "
            f"known are {', '.join(SECTIONS)}"
        )
    return label


class ClaimsLedger(SphinxDirective):
    """The whole ledger, by section, with an honest count."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(LEDGER))
        claims = list(ledger().values())
        shown: list[nodes.Node] = self.parsed(summary(claims))
        for label, title in SECTIONS.items():
            section = nodes.section(
                "",
                nodes.title(title, title),
                ids=[f"ledger-{label.replace('.', '-')}"],
                names=[title.lower()],
            )
            section += [self.entry(claim) for claim in claims if section_of(claim) == label]
            shown.append(section)
        return shown

    def entry(self, claim: Claim) -> nodes.container:
        """One claim: the usual wording, the verdict on it, what holds, where it is shown."""
        box = nodes.container(classes=["ledger-entry"], ids=[anchor(claim.id)])
        verdict = nodes.inline("", VERDICTS[claim.verdict], classes=["verdict", f"verdict-{claim.verdict}"])
        head = nodes.paragraph(
            "",
            "",
            nodes.strong("", claim.id),
            nodes.Text(" The usual wording is "),
            verdict,
            nodes.Text("."),
            classes=["ledger-head"],
        )
        usual = nodes.container("", *self.parsed(claim.usual), classes=["usual"])
        box += [head, usual, *self.parsed(claim.correct)]
        if not claim.hypotheses.lower().startswith("none"):
            box += self.parsed(f"*Holds when:* {claim.hypotheses}")
        if claim.references:
            box += self.parsed(f"*See* {{cite:t}}`{','.join(claim.references)}`.")
        box += self.evidence(claim)
        return box

    def evidence(self, claim: Claim) -> nodes.paragraph:
        """Where the claim is taught, and what proves or tests it."""
        line = nodes.paragraph("", classes=["ledger-evidence"])
        if not claim.covered:
            line += nodes.Text("Not yet covered.")
            return line
        line += nodes.Text("Taught in ")
        line += claim_link("", "", page=page_of(claim), anchor=anchor(claim.id), classes=[], tip="")
        for name, items in (("Proved by", claim.proofs), ("Tested by", claim.tests)):
            if items:
                line += nodes.Text(f". {name} ")
                for position, item in enumerate(items):
                    line += [nodes.Text(", " if position else ""), nodes.literal("", item)]
        line += nodes.Text(".")
        return line

    def parsed(self, text: str) -> list[nodes.Node]:
        """Markdown of the ledger as nodes; problems are reported at the ledger."""
        holder = nodes.Element()
        self.state.nested_parse(StringList(text.strip().splitlines(), source=str(LEDGER)), 0, holder)
        return holder.children


def summary(claims: list[Claim]) -> str:
    """What the ledger holds and how much of it the book has earned so far."""
    count = Counter(claim.verdict for claim in claims)
    covered = sum(claim.covered for claim in claims)
    verdicts = ", ".join(f"{count[verdict]} {words}" for verdict, words in VERDICTS.items())
    return (
        f"The ledger holds {len(claims)} claims. Of their usual wordings, {verdicts}. "
        f"**{covered} of {len(claims)} are covered so far**: a page teaches them, and a proof or a test, "
        "run with every build, stands behind them. The others say so."
    )


def resolve_links(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Turn the marks into links; a link to a page without a text takes the page's title."""
    for link in list(doctree.findall(claim_link)):
        page = link["page"]
        if page not in app.env.found_docs:
            link.replace_self(nodes.inline("", link.astext(), ids=link["ids"], classes=link["classes"]))
            continue
        text = link.astext() or app.env.titles[page].astext()
        reference = make_refnode(
            app.builder, docname, page, link["anchor"], nodes.Text(text), link["tip"] or None
        )
        reference["classes"] += link["classes"]
        reference["ids"] += link["ids"]
        link.replace_self(reference)


def check(app: Sphinx, env: BuildEnvironment) -> None:
    """Pages and ledger must agree."""
    claims = ledger()
    lines = LEDGER.read_text(encoding="utf-8").splitlines()
    for page, found in marks(env).items():
        for identifier, line in found.items():
            if identifier not in claims:
                logger.error("the ledger has no claim %r", identifier, location=(page, line), type="claims")
    for claim in claims.values():
        page = page_of(claim)
        if not page:
            continue
        line = next(i for i, text in enumerate(lines, 1) if re.fullmatch(rf"- id: {claim.id}\s*", text))
        location = f"{LEDGER}:{line}"
        if page not in env.found_docs:
            logger.error(
                "%s is taught on %s.md, which is not a page of the book",
                claim.id,
                page,
                location=location,
                type="claims",
            )
        elif claim.id not in marks(env).get(page, {}):
            logger.error(
                "%s is taught on %s.md, but that page has no {claim}`%s`",
                claim.id,
                page,
                claim.id,
                location=location,
                type="claims",
            )


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget a page that is read again."""
    marks(env).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    """Take over what another reading process found."""
    marks(env).update(marks(other))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register role, directive and checks."""
    app.add_node(claim_link)
    app.add_role("claim", ClaimRole())
    app.add_directive("claims-ledger", ClaimsLedger)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("env-check-consistency", check)
    app.connect("doctree-resolved", resolve_links, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True, "env_version": 1}
