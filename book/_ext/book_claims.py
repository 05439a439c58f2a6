"""The ledger of claims on the page: the role ``{claim}``, the directive ``{claims-ledger}``, and their checks.

A page says which claim a sentence or proposition settles with ``{claim}`C14` ``. That becomes a small link to
the claim's entry on the claims page, and gives the page the anchor ``claim-c14``. A claim that the ledger
does not know, or a ledger entry that names a page on which the claim has no such mark, fails the build.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.nodes import make_refnode

try:
    from losscore import claims
    from losscore.claims import Claim
except ImportError:
    claims = Claim = None

logger = logging.getLogger(__name__)

LEDGER_PAGE = "book/claims"
VERDICTS = {
    "true": "True",
    "conditional": "True under its hypotheses",
    "imprecise": "Imprecise",
    "false": "False",
}


class claim_mark(nodes.Inline, nodes.TextElement):
    """Where a page settles a claim; resolved to a link to the ledger."""


def anchor(identifier: str) -> str:
    """The anchor of a claim, on its page and on the claims page alike."""
    return f"claim-{identifier.lower()}"


def marks(env: BuildEnvironment) -> dict[str, set[str]]:
    """Which claims each page marks."""
    if not hasattr(env, "claim_marks"):
        env.claim_marks = {}  # type: ignore[attr-defined]
    return env.claim_marks  # type: ignore[attr-defined, no-any-return]


class ClaimRole(SphinxRole):
    """``{claim}`C14` `` or ``{claim}`C14,C16` ``."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        seen = marks(self.env).setdefault(self.env.docname, set())
        found: list[nodes.Node] = []
        for identifier in re.split(r"[,\s]+", self.text.strip()):
            try:
                claims.claim(identifier)
            except claims.UnknownClaim as error:
                logger.error("%s", error, location=self.get_location(), type="claims")
                continue
            mark = claim_mark("", identifier, claim=identifier, classes=["claim"])
            if identifier not in seen:
                seen.add(identifier)
                mark["ids"].append(anchor(identifier))
            found.append(mark)
        return found, []


def page_of(claim: Claim) -> str | None:
    """The document that teaches the claim, without an anchor, as Sphinx names it."""
    if not claim.page:
        return None
    return "book/" + claim.page.partition("#")[0].removeprefix("book/").removesuffix(".md")


class ClaimsLedger(SphinxDirective):
    """The whole ledger, by section, with an honest count."""

    def run(self) -> list[nodes.Node]:
        if claims is None:
            return []
        entries = claims.ledger()
        lines = StringList(self.text(list(entries.values())).splitlines(), source=LEDGER_PAGE)
        section = nodes.Element()
        self.state.nested_parse(lines, self.content_offset, section, match_titles=True)
        return section.children

    def text(self, entries: list[Claim]) -> str:
        covered = [entry for entry in entries if entry.covered]
        count = Counter(entry.verdict for entry in entries)
        parts = [
            f"The ledger holds {len(entries)} claims. **{len(covered)} of {len(entries)} are covered**: a page "
            "teaches them, with a proof or a test that ran green when this book was built.",
        ]
        for entry in entries:
            parts.append(f"**{entry.id}** {VERDICTS[entry.verdict]}. {entry.correct}")
        return "\n\n".join(parts)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register role, directive and checks."""
    app.add_node(claim_mark)
    app.add_role("claim", ClaimRole())
    app.add_directive("claims-ledger", ClaimsLedger)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
