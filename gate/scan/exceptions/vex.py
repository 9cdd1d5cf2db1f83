"""A vendor's OpenVEX document (OpenVEX specification 0.2.0): which of its statements are about a finding. Pure.

A statement is about one package in one version, by its package URL; one about another version or product is ignored.
The register's entry that names the document says until when, and for which target, its statements count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from gate.scan.exceptions.packages import UNTOLD, InvalidEntry, PackageSelector, package_selector, parse_purl
from gate.scan.exceptions.schema import JUSTIFICATIONS
from gate.scan.findings import Finding
from gate.text import plain

# A document is reviewed by people, statement by statement where it counts; a whole distribution's feed is not.
MAX_BYTES = 1_000_000
# The statuses with which a release may go live; the others, affected and under_investigation, decide nothing.
CLEARING = frozenset({"not_affected", "fixed"})

_TEXT = {"type": "string", "minLength": 1}
_COMPONENT = {
    "type": "object",
    "properties": {"@id": _TEXT, "identifiers": {"type": "object", "properties": {"purl": _TEXT}}},
}
_PRODUCT = {
    **_COMPONENT,
    "properties": {**_COMPONENT["properties"], "subcomponents": {"type": "array", "items": _COMPONENT}},  # type: ignore[dict-item]
}
_STATEMENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "vulnerability": {
            "type": "object",
            "properties": {"name": _TEXT, "aliases": {"type": "array", "items": _TEXT}},
            "required": ["name"],
        },
        "products": {"type": "array", "items": _PRODUCT},
        "timestamp": _TEXT,
        "status": {"enum": ["not_affected", "affected", "fixed", "under_investigation"]},
        "justification": {"enum": list(JUSTIFICATIONS)},
        "impact_statement": _TEXT,
    },
    "required": ["vulnerability", "status"],
    "if": {"properties": {"status": {"const": "not_affected"}}},
    "then": {"anyOf": [{"required": ["justification"]}, {"required": ["impact_statement"]}]},
}
# What the specification requires, of the parts that are read here.
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "@context": {"type": "string", "pattern": r"^https://openvex\.dev/ns/v0\.2\.\d+$"},
        "@id": _TEXT,
        "author": _TEXT,
        "timestamp": _TEXT,
        "version": {"type": "integer", "minimum": 1},
        "statements": {"type": "array", "minItems": 1, "items": _STATEMENT},
    },
    "required": ["@context", "@id", "author", "timestamp", "version", "statements"],
}


@dataclass(frozen=True)
class VexStatement:
    """One statement of a document about one package.

    Attributes:
        names: of the vulnerability: its name and its aliases.
        package: with its one version.
        status: not_affected, fixed, affected, under_investigation.
        why: its justification or impact statement ("" where it gives none).
        at: when it was made.
    """

    names: tuple[str, ...]
    package: PackageSelector
    status: str
    why: str
    at: datetime

    def is_about(self, finding: Finding) -> bool:
        """Whether it is about this vulnerability in this very package."""
        return finding.id.upper() in map(str.upper, self.names) and self.package.covers(finding)


@dataclass(frozen=True)
class VexDocument:
    """What is read of a document.

    Attributes:
        author: as the document names it.
        statements: those about a package with a version.
    """

    author: str
    statements: tuple[VexStatement, ...]

    def is_about(self, finding: Finding) -> bool:
        """Whether any of its statements, of whatever day, is about a finding."""
        return any(each.is_about(finding) for each in self.statements)

    def says(self, finding: Finding, today: date) -> VexStatement | None:
        """Its newest statement about a finding, made by today; of two of one moment the one that clears nothing."""
        about = [each for each in self.statements if each.at.date() <= today and each.is_about(finding)]
        return max(about, key=lambda each: (each.at, each.status not in CLEARING), default=None)


def read_vex(raw: bytes, sha256: str, product: str = "") -> VexDocument:
    """The document that a file's bytes hold; `sha256` is of the bytes that were reviewed.

    Of products with subcomponents only the one of this package URL is read ("" for none).

    Raises:
        InvalidEntry: they are not what was reviewed, or no OpenVEX document.
    """
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise InvalidEntry(f"the file is not what was reviewed: its sha256 is {found}, the entry's {sha256}")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidEntry(f"the file is not JSON: {error}") from error
    from jsonschema import Draft202012Validator

    if fault := next(Draft202012Validator(SCHEMA).iter_errors(document), None):
        raise InvalidEntry(f"the file is no OpenVEX 0.2 document: {plain(fault.json_path)}: {plain(fault.message)}")
    made = _moment(document["timestamp"])
    statements = (one for raw in document["statements"] for one in _statements(raw, made, product))
    return VexDocument(plain(document["author"]), tuple(statements))


def _statements(raw: Mapping[str, Any], made: datetime, product: str) -> Iterator[VexStatement]:
    """A statement once for each package that it is about."""
    named = raw["vulnerability"]
    names = tuple(plain(each) for each in (named["name"], *named.get("aliases", ())))
    why = plain(raw.get("justification") or raw.get("impact_statement") or "")
    at = _moment(raw["timestamp"]) if "timestamp" in raw else made
    for component in _components(raw, product):
        for package in _packages(component):
            yield VexStatement(names, package, raw["status"], why, at)


def _components(raw: Mapping[str, Any], product: str) -> Iterator[Mapping[str, Any]]:
    """The products themselves; where one has subcomponents, these, and only if it is the reviewed product."""
    for each in raw.get("products", ()):
        if not each.get("subcomponents"):
            yield each
        elif product in _purls(each):
            yield from each["subcomponents"]


def _purls(component: Mapping[str, Any]) -> list[str]:
    named = (component.get("identifiers", {}).get("purl"), component.get("@id"))
    return list(dict.fromkeys(each for each in named if each and each.startswith("pkg:")))


def _packages(component: Mapping[str, Any]) -> Iterator[PackageSelector]:
    """The package that a component is; none where it is named by no package URL with a version, or by two."""
    match _purls(component):
        case [purl] if parse_purl(purl).version not in {None, UNTOLD}:
            yield package_selector({"package": purl})


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidEntry(f"the file is no OpenVEX document: {plain(text)!r} is no moment") from error
    if moment.tzinfo is None:
        raise InvalidEntry(f"the file is no OpenVEX document: the moment {plain(text)!r} has no time zone")
    return moment
