"""Writes image/chrome.lock: what the two Chrome for Testing zips of the pinned version are, by SHA-256.

Chrome for Testing publishes no checksums, so they are taken once, on a machine that can download the zips; from then
on every build is held against them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

IMAGE = Path(__file__).parents[1] / "image"
BUCKET = "https://storage.googleapis.com/chrome-for-testing-public"
PROGRAMS = ("chrome", "chromedriver")
TIMEOUT_SECONDS = 120
_CHUNK = 1 << 20


class NotLocked(Exception):
    """The lock was not written; the text is the sentence a person reads."""


def pinned_version(dockerfile: Path) -> str:
    """The version that the Dockerfile pins.

    Raises:
        NotLocked: it pins none.
    """
    found = re.search(r"^ARG CHROME_VERSION=(\d+\.\d+\.\d+\.\d+)$", dockerfile.read_text(encoding="utf-8"), re.M)
    if found is None:
        raise NotLocked(f"{dockerfile} has no line `ARG CHROME_VERSION=<four numbers>`, so there is nothing to lock.")
    return found[1]


def measured(url: str) -> dict[str, str | int]:
    """Download a file and say what it is: url, sha256 and size in bytes.

    Raises:
        NotLocked: it cannot be downloaded, or not whole.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 # nosec B310: the bucket's https, or a test's http
            announced = answer.headers.get("Content-Length")
            while chunk := answer.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise NotLocked(f"{url} cannot be downloaded: {error}. Run this on a machine that reaches it.") from error
    if announced is not None and size != int(announced):
        raise NotLocked(f"{url} ended after {size} of {announced} bytes; run this again.")
    return {"url": url, "sha256": digest.hexdigest(), "size": size}


def main(arguments: list[str] | None = None) -> None:
    """Write the lock, or leave the old one as it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bucket", default=BUCKET, help="where the zips are (default: %(default)s)")
    parser.add_argument("--image", type=Path, default=IMAGE, help="the folder of the Dockerfile (default: %(default)s)")
    options = parser.parse_args(arguments)
    version = pinned_version(options.image / "Dockerfile")
    downloads = {}
    for program in PROGRAMS:
        print(f"downloading {program} {version}", flush=True)
        downloads[program] = measured(f"{options.bucket}/{version}/linux64/{program}-linux64.zip")
    lock = options.image / "chrome.lock"
    lock.write_text(json.dumps({"version": version, "downloads": downloads}, indent=2) + "\n", encoding="utf-8")
    print(f"wrote {lock}: read it, and commit it")


if __name__ == "__main__":
    try:
        main()
    except NotLocked as sentence:
        sys.exit(f"lock-chrome: {sentence}")
