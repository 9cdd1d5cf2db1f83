"""Whether a version is affected, in the order of its ecosystem. Pure.

OSV schema, "Evaluation": a version is affected when it is listed in `versions`, or when any range holds it. The order
of versions is Debian's (deb-version(7)) or PEP 440's, by the `univers` database.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from univers.versions import DebianVersion, InvalidVersion, PypiVersion

from localaws.scanner.packages import DEBIAN, PYPI

_ORDERS = {DEBIAN: DebianVersion, PYPI: PypiVersion}
_KINDS = ("introduced", "fixed", "last_affected")


class UncomparableVersion(ValueError):
    """A text that is not a version in its ecosystem, so it cannot be compared with one."""


@dataclass(frozen=True)
class RangeEvent:
    """A bound of a range of versions: `introduced`, `fixed` or `last_affected`."""

    kind: str
    version: str


@dataclass(frozen=True)
class AffectedPackage:
    """What an advisory says about one package.

    Attributes:
        ecosystem: `Debian` or `PyPI`.
        release: the distribution's release; "" means every release.
        ranges: each a sequence of events.
        versions: versions listed one by one.
    """

    ecosystem: str
    release: str
    name: str
    ranges: tuple[tuple[RangeEvent, ...], ...]
    versions: frozenset[str]

    def affects(self, version: str) -> bool:
        """Whether this version is affected; without any range or listed version, every version is.

        Raises:
            UncomparableVersion: the version, or one in the advisory, is not a version in this ecosystem.
        """
        if not self.ranges and not self.versions:
            return True
        if version in self.versions:
            return True
        place = ordered(self.ecosystem, version)
        return self._is_listed(place) or any(self._contains(events, place) for events in self.ranges)

    def fixed_after(self, version: str) -> str:
        """The lowest version after this one that has the fix, "" when none is known."""
        place = ordered(self.ecosystem, version)
        fixes = [event.version for events in self.ranges for event in events if event.kind == "fixed"]
        later = [fix for fix in fixes if ordered(self.ecosystem, fix) > place]
        return min(later, key=lambda fix: ordered(self.ecosystem, fix), default="")

    def _is_listed(self, place: Any) -> bool:
        # PyPI's lists have versions from before PEP 440, which cannot equal a valid one.
        for listed in self.versions:
            with suppress(UncomparableVersion):
                if ordered(self.ecosystem, listed) == place:
                    return True
        return False

    def _contains(self, events: tuple[RangeEvent, ...], place: Any) -> bool:
        inside = False
        for event, at in self._in_order(events):
            if event.kind == "introduced" and (at is None or at <= place):
                inside = True
            elif (event.kind == "fixed" and at <= place) or (event.kind == "last_affected" and at < place):
                inside = False
        return inside

    def _in_order(self, events: tuple[RangeEvent, ...]) -> list[tuple[RangeEvent, Any]]:
        # In OSV "0" means before every version; it is not the version 0 (Debian has earlier ones, such as 0~1).
        first = [(event, None) for event in events if event == RangeEvent("introduced", "0")]
        rest = [
            (event, ordered(self.ecosystem, event.version))
            for event in events
            if event != RangeEvent("introduced", "0")
        ]
        return first + sorted(rest, key=lambda entry: entry[1])


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


def event_of(entry: dict[str, Any]) -> RangeEvent:
    """One event of a range.

    Raises:
        ValueError: it is not exactly one of the three that bound versions.
    """
    (kind, version), *more = entry.items()
    if more or kind not in _KINDS or not isinstance(version, str) or not version:
        raise ValueError(f"{entry!r} is not an event of a range")
    return RangeEvent(kind, version)
