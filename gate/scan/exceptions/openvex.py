"""The exceptions that are used, as an OpenVEX document (OpenVEX specification 0.2.0). Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from packageurl import PackageURL

from gate.scan.exceptions.entries import FindingException
from gate.scan.exceptions.exception_checks import Disposition
from gate.scan.exceptions.packages import UNTOLD

# The file of a run's evidence that holds the document.
VEX = "exceptions.openvex.json"
_CONTEXT = "https://openvex.dev/ns/v0.2.0"


def openvex(given: Iterable[Disposition], *, repository: str, digest: str, now: datetime) -> dict[str, Any]:
    """One statement for each excepted finding of an image in a repository, which is named by its whole URI."""
    product = _product(repository, digest)
    statements = [_statement(d, d.entry, product) for d in given if d.entry]
    # The specification asks for an IRI of the document; one made of its content names the same content only.
    content = hashlib.sha256(json.dumps([product, statements], sort_keys=True).encode()).hexdigest()
    return {
        "@context": _CONTEXT,
        "@id": f"urn:openvex:sha256:{content}",
        "author": f"release gate of {repository}",
        "timestamp": now.astimezone(UTC).isoformat(timespec="seconds"),
        "version": 1,
        "statements": statements,
    }


def _product(repository: str, digest: str) -> str:
    # package-url's type "oci": the name is the last part of the repository, in lower case, the version its digest.
    name = repository.rpartition("/")[2].lower()
    return PackageURL("oci", None, name, digest, {"repository_url": repository}).to_string()


def _statement(given: Disposition, entry: FindingException, product: str) -> dict[str, Any]:
    finding = given.finding
    purl = _purl(entry, finding.package, finding.installed)
    decided = f"decided by {entry.owner}, reviewed by {entry.reviewer}, until {entry.expires}"
    statement = {
        "vulnerability": {"name": finding.id},
        "products": [{"@id": product, "subcomponents": [{"@id": purl, "identifiers": {"purl": purl}}]}],
        "timestamp": f"{entry.decided}T00:00:00+00:00",
        "status_notes": f"{decided}; {entry.reference}",
    }
    if entry.decision == "not-affected":
        return {
            **statement,
            "status": "not_affected",
            "justification": entry.justification,
            "impact_statement": entry.rationale,
        }
    action = f"{entry.decision} by {entry.expires}: {entry.rationale}"
    return {**statement, "status": "affected", "action_statement": action}


def _purl(entry: FindingException, name: str, version: str) -> str:
    if entry.package.text.startswith("pkg:") and "@" in entry.package.text:
        return entry.package.text
    return PackageURL(entry.package.type or "generic", None, name or UNTOLD, version).to_string()
