"""The newest stable Chrome: from Chrome for Testing's list where it can be reached, else from a dated file."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gate.errors import GateError, one_line

# "JSON API endpoints" of the repository GoogleChromeLabs/chrome-for-testing.
LIST = "https://googlechromelabs.github.io/chrome-for-testing/last-known-good-versions.json"
FILE = "chrome-stable.json"
TIMEOUT_SECONDS = 10
# The list has about 1 kB.
LARGEST = 100_000
# Chrome has a new major version every two weeks: a file that is two of them behind is too old.
COUNTS_FOR = timedelta(days=30)
_VERSION = re.compile(r"[1-9]\d{0,3}(?:\.(?:0|[1-9]\d{0,5})){3}")
_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class StableVersion:
    """The newest known stable version of Chrome.

    Attributes:
        version: four numbers.
        seen: the day on which it was the newest.
        source: what states it.
    """

    version: str
    seen: date
    source: str


class NewestUnknown(GateError):
    """The newest version is unknown: the list cannot be reached, and the file is missing or too old."""

    usual_remedy = f"run the gate where the list can be reached, or write into {FILE} what is newest"


class ListUnreadable(GateError):
    """What answered at the list's address is not the list, or the list is too old."""

    usual_remedy = "open the address in a browser on this machine: a proxy may answer in its place"


class ListUnreachable(GateError):
    """The list cannot be reached from here."""

    usual_remedy = "let this machine reach it, by its proxy if it has one (HTTPS_PROXY)"


def is_version(text: object) -> bool:
    """Whether it is a version of Chrome: four numbers."""
    return isinstance(text, str) and _VERSION.fullmatch(text) is not None


def newest(context: Path, now: datetime, url: str = LIST) -> StableVersion:
    """The newest stable version.

    Args:
        context: the folder of the file.
        now: the clock.
        url: the list's address.

    Raises:
        NewestUnknown: the list cannot be reached, and the file does not count.
        ListUnreadable: what answers is not the list.
    """
    try:
        return listed(fetch(url), url, now)
    except ListUnreachable as unreachable:
        recorded = _recorded(context / FILE)
        if recorded is None:
            raise NewestUnknown(f"{unreachable.cause}, and no {FILE} says what it last was", where=url) from unreachable
        if not now.date() - COUNTS_FOR <= recorded.seen <= now.date() + _A_DAY:
            said = f"{unreachable.cause}, and {FILE} counts for {COUNTS_FOR.days} days and is of {recorded.seen}"
            raise NewestUnknown(said, where=url) from unreachable
        return recorded


def fetch(url: str, timeout: float = TIMEOUT_SECONDS) -> bytes:
    """Download the list.

    Raises:
        ListUnreachable: nothing answers, or only an error.
        ListUnreadable: it is longer than the list can be, or comes over http although https was asked for.
    """
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:  # noqa: S310 # nosec B310: https, or a test's http
            body, arrived = _body(answer, time.monotonic() + timeout), str(answer.url)
    except (OSError, HTTPException, ValueError) as error:
        # A name that does not resolve, a refusal, a time-out, an error status, a certificate of somebody else.
        raise ListUnreachable(f"{url} cannot be reached: {one_line(str(error))}", where=url) from error
    if urlsplit(arrived).scheme != urlsplit(url).scheme:
        raise ListUnreadable(f"{url} redirects to {arrived}, which anyone on the way could change", where=url)
    if len(body) > LARGEST:
        raise ListUnreadable(f"what answers is longer than the {LARGEST:,} bytes that the list may have", where=url)
    return body


def _body(answer: Any, until: float) -> bytes:
    """The answer's body, read to just over the largest size of the list."""
    body = b""
    while len(body) <= LARGEST and (part := answer.read1(LARGEST)):
        body += part
        if time.monotonic() > until:  # each part came in time, and there is no end
            raise TimeoutError("the answer does not end")
    return body


def listed(body: bytes, url: str, now: datetime) -> StableVersion:
    """The stable version in the list.

    Its form: {"timestamp": ISO 8601, "channels": {"Stable": {"channel": "Stable", "version": four numbers, …}, …}}.

    Raises:
        ListUnreadable: it has another form, or its time is not one of the last days.
    """
    try:
        document: Any = json.loads(body)
        stable = document["channels"]["Stable"]
        version, channel = stable["version"], stable["channel"]
        at = datetime.fromisoformat(document["timestamp"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        why = f"{type(error).__name__}: {one_line(str(error))}"
        raise ListUnreadable(f"what answers is not the list of versions: {why}", where=url) from error
    if channel != "Stable" or not is_version(version) or at.tzinfo is None:
        raise ListUnreadable(f"what answers names no stable version: {one_line(str(stable))[:200]}", where=url)
    if not now - COUNTS_FOR <= at <= now + _A_DAY:
        raise ListUnreadable(f"the list is of {at:%Y-%m-%d}, and today is {now:%Y-%m-%d}", where=url)
    return StableVersion(version, at.astimezone(UTC).date(), url)


def _recorded(path: Path) -> StableVersion | None:
    """The version in the dated file; None without one.

    Raises:
        ListUnreadable: it has another form.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        found = StableVersion(
            document["version"], date.fromisoformat(document["seen"]), f"{path.name}: {document['source']}"
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ListUnreadable(
            f"{path.name} cannot be read: {type(error).__name__}: {one_line(str(error))}", where=path.name,
            remedy='write {"version": …, "seen": "YYYY-MM-DD", "source": …}',
        ) from error  # fmt: skip
    if not is_version(found.version):
        raise ListUnreadable(f"{path.name} does not name a version: {found.version!r}", where=path.name,
                             remedy="write the four numbers of the newest stable version")  # fmt: skip
    return found


def record_of(found: StableVersion) -> str:
    """The dated file's text for a version that the list named."""
    document = {"version": found.version, "seen": found.seen.isoformat(), "source": found.source}
    return json.dumps(document, indent=2) + "\n"
