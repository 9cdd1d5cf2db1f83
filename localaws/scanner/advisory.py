"""One advisory, read from OSV's JSON. Pure. Source: OSV schema 1.7 (ossf.github.io/osv-schema)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from packaging.utils import canonicalize_name

from localaws.scanner.packages import DEBIAN, PYPI
from localaws.scanner.ranges import AffectedPackage, RangeEvent, event_of, ordered
from localaws.scanner.severity import rated

Vectors = tuple[tuple[str, str], ...]
_TEXT = 1000
_PAGES = {"CVE-": "https://nvd.nist.gov/vuln/detail/", "GHSA-": "https://github.com/advisories/"}


@dataclass(frozen=True)
class Advisory:
    """One record about one or more vulnerabilities.

    Attributes:
        id: in its own database: CVE-…, GHSA-…, PYSEC-…, DSA-….
        names: its id, its aliases, and what it was derived from (`upstream`).
        affected: the packages of Debian and PyPI that it names.
        vectors: CVSS vectors as (type, vector).
        word: the database's own severity, "" for none.
        origin: the file it was read from.
    """

    id: str
    names: frozenset[str]
    summary: str
    affected: tuple[AffectedPackage, ...]
    vectors: Vectors
    word: str
    uri: str
    origin: str

    @property
    def vulnerabilities(self) -> frozenset[str]:
        """The CVE ids that it is about; a distribution's advisory may bundle several."""
        return frozenset(name for name in self.names if name.startswith("CVE-"))


@dataclass(frozen=True)
class AdvisoryHeader:
    """What is read of every advisory, whether it concerns the image or not.

    Attributes:
        packages: (ecosystem, normalised name) of each package of Debian and PyPI that it affects.
        ecosystems: every ecosystem that it names, with its release.
    """

    id: str
    modified: datetime
    withdrawn: bool
    packages: frozenset[tuple[str, str]]
    ecosystems: frozenset[str]


def header_of(record: Any) -> AdvisoryHeader:
    """What every OSV record must state.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: the record is not an advisory.
    """
    if not isinstance(record, dict) or not isinstance(record["id"], str) or not record["id"]:
        raise ValueError("no id")
    packages = [entry["package"] for entry in record.get("affected") or [] if "package" in entry]
    named = [(package["ecosystem"].partition(":")[0], package["name"]) for package in packages]
    return AdvisoryHeader(
        record["id"],
        moment(record["modified"]),
        bool(record.get("withdrawn")),
        frozenset((ecosystem, normalised(ecosystem, name)) for ecosystem, name in named if ecosystem in (DEBIAN, PYPI)),
        frozenset(package["ecosystem"] for package in packages),
    )


def advisory_of(record: Mapping[str, Any], origin: str) -> Advisory:
    """The whole advisory.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: something in it cannot be read.
    """
    derived = (*record.get("aliases", ()), *record.get("upstream", ()))
    entries = [entry for entry in record.get("affected") or [] if _is_known(entry)]
    vectors = vectors_of(record) + tuple(vector for entry in entries for vector in vectors_of(entry))
    word = (record.get("database_specific") or {}).get("severity", "")
    rated(vectors)  # refuses a vector that cannot be read: it must not pass as "not rated"
    return Advisory(
        id=record["id"],
        names=frozenset((record["id"], *map(_text, derived))),
        summary=_text(record.get("summary") or record.get("details") or "")[:_TEXT],
        affected=tuple(_affected(entry) for entry in entries),
        vectors=vectors,
        word=word if isinstance(word, str) else "",
        uri=_page(record["id"]),
        origin=origin,
    )


def vectors_of(entry: Mapping[str, Any]) -> Vectors:
    """The CVSS vectors of a record, or of one of its `affected` entries."""
    return tuple((_text(each["type"]), _text(each["score"])) for each in entry.get("severity") or [])


def moment(text: str) -> datetime:
    """An RFC 3339 time in UTC.

    Raises:
        ValueError: it is none, or has no offset.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return at.astimezone(UTC)


def normalised(ecosystem: str, name: str) -> str:
    """A package's name as its ecosystem compares it."""
    return str(canonicalize_name(name)) if ecosystem == PYPI else name


def _is_known(entry: Mapping[str, Any]) -> bool:
    return "package" in entry and entry["package"]["ecosystem"].partition(":")[0] in (DEBIAN, PYPI)


def _affected(entry: Mapping[str, Any]) -> AffectedPackage:
    ecosystem, _, release = entry["package"]["ecosystem"].partition(":")
    # Commits cannot be compared with a package's version; where OSV gives them it also lists the versions.
    ranges = [each for each in entry.get("ranges") or [] if each["type"] != "GIT"]
    return AffectedPackage(
        ecosystem=ecosystem,
        release=release,
        name=normalised(ecosystem, entry["package"]["name"]),
        ranges=tuple(_events(each, ecosystem) for each in ranges),
        versions=frozenset(map(_text, entry.get("versions") or [])),
    )


def _events(given: Mapping[str, Any], ecosystem: str) -> tuple[RangeEvent, ...]:
    events = tuple(event_of(entry) for entry in given["events"])
    if not any(event.kind == "introduced" for event in events):
        raise ValueError("a range without an introduced event")
    for event in events:
        if event.version not in ("0", "*"):
            ordered(ecosystem, event.version)
    return events


def _page(id: str) -> str:
    """The public page about an advisory."""
    page = next((page for prefix, page in _PAGES.items() if id.startswith(prefix)), "https://osv.dev/vulnerability/")
    return page + id


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value
