"""One advisory, read from OSV's JSON, and the versions that it affects. Pure.

Source: OSV schema 1.7 (ossf.github.io/osv-schema). Versions are ordered by `univers` (deb-version(7), PEP 440).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from packaging.utils import canonicalize_name
from univers.versions import DebianVersion, InvalidVersion, PypiVersion

from localaws.scanner.packages import DEBIAN, PYPI
from localaws.scanner.severity import rated

Vectors = tuple[tuple[str, str], ...]
# What bounds a range (introduced, fixed, last_affected), and the version.
Event = tuple[str, str]
_FROM_THE_FIRST: Event = ("introduced", "0")
_KINDS = ("introduced", "fixed", "last_affected")
_ORDERS = {DEBIAN: DebianVersion, PYPI: PypiVersion}
_TEXT = 1000
_PAGES = {"CVE-": "https://nvd.nist.gov/vuln/detail/", "GHSA-": "https://github.com/advisories/"}


class UncomparableVersion(ValueError):
    """A text that is not a version in its ecosystem, so it cannot be compared with one."""


@dataclass(frozen=True)
class AffectedPackage:
    """What an advisory says about one package.

    Attributes:
        ecosystem: `Debian` or `PyPI`.
        release: the distribution's release; "" means every release.
        name: as its ecosystem compares it.
        ranges: each a sequence of events.
        versions: versions listed one by one.
    """

    ecosystem: str
    release: str
    name: str
    ranges: tuple[tuple[Event, ...], ...]
    versions: frozenset[str]

    def affects(self, version: str) -> bool:
        """Whether this version is listed or in a range; without any list or range, every version is affected.

        Raises:
            UncomparableVersion: the version, or one in the advisory, is not a version in this ecosystem.
        """
        if version in self.versions or not (self.ranges or self.versions):
            return True
        place = ordered(self.ecosystem, version)
        return self._is_listed(place) or any(self._contains(events, place) for events in self.ranges)

    def fixed_after(self, version: str) -> str:
        """The lowest version after this one that has the fix, "" when none is known."""
        place = ordered(self.ecosystem, version)
        fixes = [fix for events in self.ranges for kind, fix in events if kind == "fixed"]
        later = [fix for fix in fixes if ordered(self.ecosystem, fix) > place]
        return min(later, key=lambda fix: ordered(self.ecosystem, fix), default="")

    def _is_listed(self, place: Any) -> bool:
        # PyPI's lists have versions from before PEP 440, which cannot equal a valid one.
        for listed in self.versions:
            with suppress(UncomparableVersion):
                if ordered(self.ecosystem, listed) == place:
                    return True
        return False

    def _contains(self, events: tuple[Event, ...], place: Any) -> bool:
        # In OSV "0" means before every version; it is not the version 0 (Debian has earlier ones, such as 0~1).
        inside = _FROM_THE_FIRST in events
        bounds = [
            (ordered(self.ecosystem, version), kind) for kind, version in events if (kind, version) != _FROM_THE_FIRST
        ]
        for at, kind in sorted(bounds, key=lambda bound: bound[0]):
            if kind == "introduced" and at <= place:
                inside = True
            elif (kind == "fixed" and at <= place) or (kind == "last_affected" and at < place):
                inside = False
        return inside


@dataclass(frozen=True)
class Advisory:
    """One record about one or more vulnerabilities.

    Attributes:
        names: its id, its aliases, and what it was derived from (`upstream`).
        affected: the packages of Debian and PyPI that it names.
        vectors: CVSS vectors as (type, vector).
        word: the database's own severity, "" for none.
        origin: the file it was read from.
    """

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


def advisory_of(record: Mapping[str, Any], origin: str) -> Advisory:
    """The whole advisory.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: something in it cannot be read.
    """
    derived = (*record.get("aliases", ()), *record.get("upstream", ()))
    entries = [
        entry for entry in record.get("affected") or [] if "package" in entry and package_in(entry)[0] in _ORDERS
    ]
    vectors = vectors_of(record) + tuple(vector for entry in entries for vector in vectors_of(entry))
    word = (record.get("database_specific") or {}).get("severity", "")
    rated(vectors)  # refuses a vector that cannot be read: it must not pass as "not rated"
    page = next(
        (page for prefix, page in _PAGES.items() if record["id"].startswith(prefix)), "https://osv.dev/vulnerability/"
    )
    return Advisory(
        names=frozenset((record["id"], *map(_text, derived))),
        summary=_text(record.get("summary") or record.get("details") or "")[:_TEXT],
        affected=tuple(_affected(entry) for entry in entries),
        vectors=vectors,
        word=word if isinstance(word, str) else "",
        uri=page + record["id"],
        origin=origin,
    )


def package_in(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Of an `affected` entry the ecosystem, without its release, and the package's name as it is compared there."""
    ecosystem, name = entry["package"]["ecosystem"].partition(":")[0], entry["package"]["name"]
    return ecosystem, str(canonicalize_name(name)) if ecosystem == PYPI else name


def vectors_of(entry: Mapping[str, Any]) -> Vectors:
    """The CVSS vectors of a record, or of one of its `affected` entries."""
    return tuple((_text(each["type"]), _text(each["score"])) for each in entry.get("severity") or [])


def _affected(entry: Mapping[str, Any]) -> AffectedPackage:
    ecosystem, name = package_in(entry)
    # Commits cannot be compared with a package's version; where OSV gives them it also lists the versions.
    ranges = [each["events"] for each in entry.get("ranges") or [] if each["type"] != "GIT"]
    return AffectedPackage(
        ecosystem,
        entry["package"]["ecosystem"].partition(":")[2],
        name,
        ranges=tuple(_events(events, ecosystem) for events in ranges),
        versions=frozenset(map(_text, entry.get("versions") or [])),
    )


def _events(given: list[dict[str, Any]], ecosystem: str) -> tuple[Event, ...]:
    events = tuple(event_of(entry) for entry in given)
    if not any(kind == "introduced" for kind, _ in events):
        raise ValueError("a range without an introduced event")
    for event in events:
        if event != _FROM_THE_FIRST:
            ordered(ecosystem, event[1])
    return events


def event_of(entry: dict[str, Any]) -> Event:
    """One event of a range.

    Raises:
        ValueError: it is not exactly one of the three that bound versions.
    """
    (kind, version), *more = entry.items()
    if more or kind not in _KINDS or not isinstance(version, str) or not version:
        raise ValueError(f"{entry!r} is not an event of a range")
    return kind, version


@lru_cache(maxsize=100_000)
def ordered(ecosystem: str, version: str) -> Any:
    """The version as a value that compares in its ecosystem's order.

    Raises:
        UncomparableVersion: it is not a version there.
    """
    try:
        return _ORDERS[ecosystem](version)
    except (InvalidVersion, ValueError, TypeError) as broken:
        raise UncomparableVersion(f"{version!r} is not a version in {ecosystem}'s order") from broken


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value
