"""The ledger of claims: what is usually said about losses, and what holds.

Every claim that the book teaches has one entry in ``claims.yml``. Pages, proofs and tests name claims by their id;
:func:`claim` is how they look one up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

__all__ = ["Claim", "UnknownClaim", "Verdict", "claim", "ledger", "read_ledger"]

Verdict = Literal["true", "conditional", "imprecise", "false"]

LEDGER = Path(__file__).with_name("claims.yml")


class UnknownClaim(ValueError):
    """A claim id that is not in the ledger."""


@dataclass(frozen=True)
class Claim:
    """One entry of the ledger.

    Attributes:
        id: "C" and digits.
        usual: the claim as it is usually worded.
        verdict: on that wording; "conditional" means true under ``hypotheses``.
        hypotheses: what must hold for ``correct``.
        correct: the statement that the book teaches, in Markdown with $math$.
        references: keys of the bibliography.
        section: the section that teaches it, such as "1.1.2".
        page: path of that page below ``book/``, without suffix; None until the claim is taught.
        proofs: names of proofs in ``losscore.symbolic``.
        tests: ids of the tests that are evidence for it.
    """

    id: str
    usual: str
    verdict: Verdict
    hypotheses: str
    correct: str
    references: tuple[str, ...]
    section: str
    page: str | None = None
    proofs: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()

    @property
    def covered(self) -> bool:
        """Whether a page teaches the claim and at least one proof or test supports it."""
        return self.page is not None and bool(self.proofs or self.tests)


def ledger() -> Mapping[str, Claim]:
    """All claims by id, in the order of the book."""
    return read_ledger(LEDGER)


def claim(id: str) -> Claim:
    """The claim of this id.

    Raises:
        UnknownClaim: if the ledger has no such id.
    """
    claims = ledger()
    if id not in claims:
        first, *_, last = claims
        raise UnknownClaim(f"claim {id!r} is not in the ledger, which holds {first} to {last}")
    return claims[id]


@cache
def read_ledger(path: Path) -> Mapping[str, Claim]:
    """Reads and checks a ledger file.

    Raises:
        ValueError: if the file is not a list of valid entries; the message names the file, the entry and the field.
    """
    import yaml

    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"{path}: expected a list of entries, got {type(entries).__name__}")
    claims: dict[str, Claim] = {}
    for position, entry in enumerate(entries, start=1):
        try:
            read = _read_entry(entry)
            if read.id in claims:
                raise ValueError(f"{read.id}: id: used twice")
        except ValueError as error:
            raise ValueError(f"{path}: entry {position}: {error}") from None
        claims[read.id] = read
    return claims


_LISTS = {"references", "proofs", "tests"}
_REQUIRED = {"id", "usual", "verdict", "hypotheses", "correct", "references", "section"}
_ALLOWED = {field.name for field in fields(Claim)}


def _read_entry(entry: object) -> Claim:
    if not isinstance(entry, dict):
        raise ValueError(f"expected keys and values, got {entry!r}")  # noqa: TRY004 (the file is wrong, not a type)
    id = entry.get("id")
    if not isinstance(id, str) or not re.fullmatch(r"C[0-9]+", id):
        raise ValueError(f"id: expected C and digits, got {id!r}")
    if missing := sorted(_REQUIRED - entry.keys()):
        raise ValueError(f"{id}: {', '.join(missing)}: missing")
    values: dict[str, Any] = {}
    for key, value in entry.items():
        if key not in _ALLOWED:
            raise ValueError(f"{id}: {key}: unknown key; allowed are {', '.join(sorted(_ALLOWED))}")
        if key in _LISTS:
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise ValueError(f"{id}: {key}: expected a list of strings, got {value!r}")
            values[key] = tuple(value)
        else:
            if not isinstance(value, str) or not value:
                raise ValueError(f"{id}: {key}: expected a string (in quotes if need be), got {value!r}")
            values[key] = value
    if (verdict := values["verdict"]) not in (allowed := get_args(Verdict)):
        raise ValueError(f"{id}: verdict: expected one of {', '.join(allowed)}, got {verdict!r}")
    return Claim(**values)
