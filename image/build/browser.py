"""Build stage: puts Chrome and its driver below a root folder, at the paths of the image's contract.

On a Debian base the packages of the final stage bring both, so only links are made. Elsewhere the two zips of Chrome
for Testing are downloaded and held against chrome.lock. Standard library only: it runs on the base's own Python.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import urllib.request
import zipfile
from pathlib import Path

NO_LOCK = (
    "image/chrome.lock is missing, so the Chrome download cannot be checked: run `make lock-chrome` on a machine that "
    "reaches the Chrome for Testing downloads, and commit the file."
)
DEBIAN_LINKS = {
    "opt/chrome/chrome": "/usr/lib/chromium/chromium",
    "opt/chromedriver": "/usr/bin/chromedriver",
}
TIMEOUT_SECONDS = 120


class Refused(Exception):
    """The build has to stop; the text is the sentence a person reads."""


def main(root: Path, lock: Path, version: str, debian: bool) -> None:
    """Lay out Chrome and Chromedriver below a root.

    Raises:
        Refused: the lock is missing, names another version, or a download is not what it names.
    """
    if debian:
        for name, target in DEBIAN_LINKS.items():
            link(root / name, target)
    else:
        for program, entry in read_lock(lock, version).items():
            unpack(download(program, entry), program, root / "opt")
    link(root / "usr/local/bin/chromedriver", "/opt/chromedriver")


def link(path: Path, target: str) -> None:
    """Make a symbolic link and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def read_lock(lock: Path, version: str) -> dict[str, dict[str, str]]:
    """The locked downloads by program: url and sha256 of each."""
    if not lock.is_file():
        raise Refused(NO_LOCK)
    locked = json.loads(lock.read_text(encoding="utf-8"))
    if locked["version"] != version:
        raise Refused(
            f"image/chrome.lock is for Chrome {locked['version']}, but the Dockerfile pins {version}: "
            "run `make lock-chrome` again, and commit the file."
        )
    return {program: locked["downloads"][program] for program in ("chrome", "chromedriver")}


def download(program: str, entry: dict[str, str]) -> Path:
    """Fetch one zip and hold it against its locked checksum."""
    archive = Path(f"{program}.zip")
    with urllib.request.urlopen(entry["url"], timeout=TIMEOUT_SECONDS) as answer, archive.open("wb") as out:  # noqa: S310 # nosec B310
        shutil.copyfileobj(answer, out)
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != entry["sha256"]:
        raise Refused(
            f"{entry['url']} is not the file that was locked: "
            f"its SHA-256 is {found}, image/chrome.lock says {entry['sha256']}."
        )
    return archive


def unpack(archive: Path, program: str, opt: Path) -> None:
    """Unpack one zip: Chrome as a folder opt/chrome, the driver as the file opt/chromedriver."""
    with zipfile.ZipFile(archive) as zipped:
        for member in zipped.infolist():
            if member.is_dir():
                continue
            inside = Path(*Path(member.filename).parts[1:])  # without the zip's own top folder
            if program == "chrome":
                target = opt / "chrome" / inside
            elif inside == Path("chromedriver"):
                target = opt / "chromedriver"
            else:
                continue  # the driver's licence texts
            target.parent.mkdir(parents=True, exist_ok=True)
            with zipped.open(member) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out)
            target.chmod(0o755 if member.external_attr >> 16 & 0o111 else 0o644)
    archive.unlink()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path("chrome.lock"), os.environ["CHROME_VERSION"], Path("/etc/debian_version").exists())
    except Refused as sentence:
        sys.exit(str(sentence))
