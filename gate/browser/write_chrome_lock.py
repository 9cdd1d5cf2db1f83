"""Writes image/chrome.lock; with --bump also the Dockerfile's pin: both, or neither.

The lock holds the SHA-256 of the two Chrome for Testing zips of the pinned version. Chrome for Testing publishes no
checksums, so they are computed once, on a machine that can download the zips; every later build is checked against
them. The lock also holds the day on which the archive received that version.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import urllib.request
from collections.abc import Mapping
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from packaging.version import Version

from gate.browser.chrome_age import ARGUMENT, LOCK
from gate.browser.newest import FILE, LIST, StableVersion, fetch, is_version, listed, record_of
from gate.errors import GateError

IMAGE = Path(__file__).parents[2] / "image"
BUCKET = "https://storage.googleapis.com/chrome-for-testing-public"
PROGRAMS = ("chrome", "chromedriver")
NEWEST = "newest"
TIMEOUT_SECONDS = 120
_CHUNK = 1 << 20


class NotLocked(Exception):
    """Nothing was written; the text says why."""


def pinned_version(dockerfile: str) -> str:
    """The version that a Dockerfile's text pins.

    Raises:
        NotLocked: it pins none, or several.
    """
    found = ARGUMENT.findall(dockerfile)
    if len(found) != 1:
        raise NotLocked(
            f"the Dockerfile has {len(found)} lines `ARG CHROME_VERSION=<four numbers>`, where one is needed"
        )
    version: str = found[0]
    return version


def downloaded(url: str) -> tuple[dict[str, str | int], date]:
    """Download a file; returns its url, sha256 and size in bytes, and when the archive received it.

    Raises:
        NotLocked: it cannot be downloaded completely, or the answer does not say when the archive received it.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 # nosec B310: the bucket's https, or a test's http
            announced, since = answer.headers.get("Content-Length"), answer.headers.get("Last-Modified")
            while chunk := answer.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise NotLocked(f"{url} cannot be downloaded: {error}. Run this on a machine that reaches it.") from error
    if announced is not None and size != int(announced):
        raise NotLocked(f"{url} ended after {size} of {announced} bytes; run this again.")
    return {"url": url, "sha256": digest.hexdigest(), "size": size}, _day(url, since)


def _day(url: str, since: str | None) -> date:
    try:
        return parsedate_to_datetime(since or "").astimezone(UTC).date()
    except ValueError as error:
        raise NotLocked(f"{url} came without a time (Last-Modified: {since}), so its age would be unknown") from error


def lock_of(version: str, bucket: str) -> str:
    """The lock's text for a version, from its zips.

    Raises:
        NotLocked: one of them cannot be downloaded.
    """
    downloads: dict[str, Any] = {}
    days = []
    for program in PROGRAMS:
        print(f"downloading {program} {version}", flush=True)
        downloads[program], day = downloaded(f"{bucket}/{version}/linux64/{program}-linux64.zip")
        days.append(day)
    # One of them may have been copied within the archive later.
    return json.dumps({"version": version, "released": min(days).isoformat(), "downloads": downloads}, indent=2) + "\n"


def write_together(texts: Mapping[Path, str]) -> None:
    """Replace the text of files, once each new text is completely on the disk beside its file.

    Raises:
        OSError: one of the texts cannot be written; every file is unchanged.
    """
    fresh = {path: path.with_name(f".{path.name}.{os.getpid()}.new") for path in texts}
    try:
        for path, text in texts.items():
            fresh[path].write_text(text, encoding="utf-8")
            fresh[path].chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        for path, new in fresh.items():
            new.replace(path)
    finally:
        for left in fresh.values():
            left.unlink(missing_ok=True)


def bumped(asked: str, image: Path, url: str) -> tuple[str, StableVersion | None]:
    """The version to pin, and the newest one if the list was asked for it.

    Raises:
        NotLocked: it is not a version, or the newest one is older than the pin.
        GateError: the list cannot be downloaded or read.
    """
    if asked != NEWEST:
        if not is_version(asked):
            raise NotLocked(f"{asked!r} is not a version of Chrome: four numbers, such as 158.0.8127.37")
        return asked, None
    found = listed(fetch(url), url, datetime.now(UTC))
    pinned = pinned_version((image / "Dockerfile").read_text(encoding="utf-8"))
    if Version(found.version) < Version(pinned):
        raise NotLocked(
            f"the newest stable Chrome is {found.version}, older than the pinned {pinned}; to go back, name it"
        )
    return found.version, found


def main(arguments: list[str] | None = None) -> None:
    """Write the lock (and the pin), or leave everything unchanged."""
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m gate.browser.write_chrome_lock", description=about)
    parser.add_argument("--bucket", default=BUCKET, help="where the zips are (default: %(default)s)")
    parser.add_argument("--list", default=LIST, help="where the newest version is named (default: %(default)s)")
    parser.add_argument("--image", type=Path, default=IMAGE, help="the folder of the Dockerfile (default: %(default)s)")
    parser.add_argument(
        "--bump", nargs="?", const=NEWEST, metavar="VERSION", help="pin this version, or the newest stable one"
    )
    options = parser.parse_args(arguments)
    dockerfile = options.image / "Dockerfile"
    own = dockerfile.read_text(encoding="utf-8")
    version, found = pinned_version(own), None
    texts: dict[Path, str] = {}
    if options.bump:
        version, found = bumped(options.bump, options.image, options.list)
        texts[dockerfile] = ARGUMENT.sub(f"ARG CHROME_VERSION={version}", own)
    texts[options.image / LOCK] = lock_of(version, options.bucket)
    if found:
        texts[options.image / FILE] = record_of(found)
    write_together(texts)
    print(f"wrote {', '.join(path.name for path in texts)} for Chrome {version}: read them, and commit them together")


if __name__ == "__main__":
    try:
        main()
    except (NotLocked, GateError, OSError) as sentence:
        sys.exit(f"lock-chrome: {sentence}")
