"""The version of Chrome that a release pins, and whether it is young enough. Pure but for `read`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from gate.browser.newest import StableVersion, is_version
from gate.check import ACCEPTED, CheckResult, check, reject
from gate.errors import GateError, one_line

LOCK = "chrome.lock"
ARGUMENT = re.compile(r"^ARG CHROME_VERSION=(\d+\.\d+\.\d+\.\d+)$", re.M)
_DAY = date(2026, 1, 2)
_BUMP = "run `make bump-chrome`, rebuild, and release anew"


@dataclass(frozen=True)
class ChromePin:
    """The version of Chrome for Testing that a release pins.

    Attributes:
        version: that the Dockerfile names ("" where it names none; then the lock's).
        locked: the version that chrome.lock is for ("" without a lock).
        released: the day on which the archive received that version; None where the lock does not say.
        packaged: nothing is pinned because Chrome is a package of the image's distribution, which the scanner sees.
    """

    version: str
    locked: str
    released: date | None
    packaged: bool = False


class NothingPinned(GateError):
    """This rehearsal pins no version: Chrome comes from the stand-in's distribution."""

    usual_remedy = "run `make lock-chrome` where the Chrome for Testing downloads can be reached, and commit the lock"


class LockUnreadable(GateError):
    """chrome.lock exists and cannot be read."""

    usual_remedy = "run `make lock-chrome` again"


def read(context: Path, *, stand_in: bool, seen_by_scanner: bool) -> ChromePin:
    """The pin of the Dockerfile and lock in a folder.

    Args:
        context: the folder.
        stand_in: the image is built on the stand-in; without a lock its Chromium is the one that Debian has now.
        seen_by_scanner: no entry of the register says that the scanner does not see Chrome.

    Raises:
        NothingPinned: on the stand-in there is no lock.
        LockUnreadable: the lock has another form.
        GateError: the Dockerfile cannot be read.
    """
    lock, version = _lock(context / LOCK), _argument(context / "Dockerfile")
    if lock is not None:
        locked, released = lock
        return ChromePin(version or locked, locked, released)
    if stand_in:
        raise NothingPinned(
            f"the rehearsal's base is Debian, whose archive decides which Chromium is installed, and there is no {LOCK}"
        )
    return ChromePin(version, "", None, packaged=not version and seen_by_scanner)


def _argument(path: Path) -> str:
    try:
        found = ARGUMENT.search(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise GateError(f"the Dockerfile cannot be read: {one_line(str(error))}", where=path.name) from error
    return found[1] if found else ""


def _lock(path: Path) -> tuple[str, date | None] | None:
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        released = document.get("released")
        found = str(document["version"]), date.fromisoformat(released) if released is not None else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LockUnreadable(f"{path.name} cannot be read: {type(error).__name__}: {one_line(str(error))}",
                             where=path.name) from error  # fmt: skip
    if not is_version(found[0]):
        raise LockUnreadable(f"{path.name} is not for a version of Chrome: {found[0]!r}", where=path.name)
    return found


@check(9, known_bad=lambda: (ChromePin("1.2.3.4", "", None), StableVersion("1.2.3.4", _DAY, "the list"), _DAY, 60, 4))
def pin_current(
    pin: ChromePin, newest: StableVersion, today: date, max_age_days: int, max_majors_behind: int
) -> CheckResult:
    """The pinned Chrome is young enough, and few enough major versions behind the newest stable one.

    Its age counts from the day on which the archive received that version, not from the day on which it was locked.
    """
    if pin.packaged:
        return ACCEPTED
    if not pin.version or pin.locked != pin.version:
        return _unlocked(pin)
    if pin.released is None or pin.released > today + timedelta(days=1):
        return _undated(pin)
    age, behind = (today - pin.released).days, _major(newest.version) - _major(pin.version)
    old = f"the pinned Chrome {pin.version} is of {pin.released}, {age} days old; at most {max_age_days} are allowed"
    far = (
        f"the pinned Chrome {pin.version} is {behind} major versions behind {newest.version}, the stable one of "
        f"{newest.seen}; at most {max_majors_behind} are allowed"
    )
    return (reject(old, LOCK, _BUMP) if age > max_age_days else ACCEPTED) + (
        reject(far, newest.source, _BUMP) if behind > max_majors_behind else ACCEPTED
    )


def _unlocked(pin: ChromePin) -> CheckResult:
    if not pin.version:
        return reject("Chrome is no package of the image's distribution, and no version of it is pinned", "Dockerfile",
                      "pin it: `ARG CHROME_VERSION=…` in the Dockerfile, and `make lock-chrome`")  # fmt: skip
    was = f"is for {pin.locked}" if pin.locked else "is missing"
    return reject(f"the Dockerfile pins Chrome {pin.version}, and {LOCK} {was}", LOCK, "run `make lock-chrome`")


def _undated(pin: ChromePin) -> CheckResult:
    date = f"its date {pin.released} is in the future" if pin.released else "it has no date"
    return reject(f"the age of the pinned Chrome {pin.version} is unknown: {date}", LOCK,
                  "run `make lock-chrome` again: it asks the archive")  # fmt: skip


def _major(version: str) -> int:
    return int(version.partition(".")[0])
