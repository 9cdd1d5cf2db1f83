"""Chrome and Chromedriver as programs: their versions, their pin, and the shared libraries they need. Pure checks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gate.check import ACCEPTED, CheckResult, check, reject
from gate.image.file_checks import is_program

_VERSION = re.compile(r"\b\d+(?:\.\d+){3}\b")
_MISSING = re.compile(r"^\s*(\S+) => not found", re.M)
# What the loader says of a library that is there, and too old (glibc, elf/dl-version.c); it lists it all the same.
_TOO_OLD = re.compile(r"(\S+): version [`']([^']+)' not found \(required by ([^)]+)\)")


@dataclass(frozen=True)
class Answer:
    """What a command answered in the image: its exit code and all of its text."""

    command: str
    exit_code: int
    text: str


@dataclass(frozen=True)
class Pin:
    """The version that ought to be there, and the record that says so."""

    version: str
    source: str


def version_in(text: str) -> str:
    """The four-part version in a program's answer, or ""."""
    found = _VERSION.search(text)
    return found.group() if found else ""


@check(
    1,
    known_bad=lambda: (Answer("chrome --version", 0, "Chrome 1.2.3.4"), Answer("driver", 0, "ChromeDriver 2.2.3.4")),
    follows=(is_program,),
)
def share_major(chrome: Answer, driver: Answer) -> CheckResult:
    """Chromedriver supports the Chrome of its own major version only (ChromeDriver, "Version selection")."""
    for answer in (chrome, driver):
        if answer.exit_code != 0 or not version_in(answer.text):
            return reject(
                f"`{answer.command}` gave no version: exit code {answer.exit_code}, {answer.text.strip()[:300]!r}",
                where=answer.command,
                remedy="run the command in the image; a missing library or a broken link shows there",
            )
    own, other = version_in(chrome.text), version_in(driver.text)
    if own.split(".")[0] == other.split(".")[0]:
        return ACCEPTED
    return reject(f"Chrome is {own} and Chromedriver is {other}: they do not work together",
                  f"{chrome.command}; {driver.command}", "install both from the same release")  # fmt: skip


@check(
    1,
    known_bad=lambda: (Answer("chrome --version", 0, "Chrome 1.2.3.4"), Pin("1.2.3.5", "chrome.lock")),
    follows=(is_program,),
)
def is_pinned(answer: Answer, pin: Pin) -> CheckResult:
    """The program that runs has the version that was decided on."""
    if pin.version and version_in(answer.text) == pin.version:
        return ACCEPTED
    if not pin.version:
        return reject(f"nothing states which version `{answer.command}` should have", where=pin.source,
                      remedy="run `make lock-chrome`, or install it as a package")  # fmt: skip
    return reject(
        f"`{answer.command}` answers {version_in(answer.text) or answer.text.strip()[:200]!r}, "
        f"and {pin.source} says {pin.version}",
        where=pin.source,
        remedy="rebuild without the layer cache; if the version was raised on purpose, raise the pin with it",
    )


@check(
    1,
    known_bad=lambda: (Answer("ld.so --list /opt/chrome/chrome", 0, "\tlibnss3.so => not found\n"),),
    follows=(is_program,),
)
def libraries_complete(listing: Answer) -> CheckResult:
    """The dynamic loader finds every shared library of a program (ld.so(8), LD_TRACE_LOADED_OBJECTS)."""
    missing = sorted(set(_MISSING.findall(listing.text)))
    if missing:
        return reject(
            f"shared libraries are missing: {', '.join(missing)}",
            where=listing.command,
            remedy="install the packages that hold them, with a call that fails on a missing package",
        )
    if lacking := sorted(
        {f"{version} in {library}, for {by}" for library, version, by in _TOO_OLD.findall(listing.text)}
    ):
        return reject(
            f"shared libraries are too old: there is no {'; no '.join(lacking)}",
            where=listing.command,
            remedy="take a browser that was built for this base's libraries, or an approved base with newer ones",
        )
    if listing.exit_code != 0 or "=>" not in listing.text:
        return reject(
            f"the loader could not list the libraries: exit code {listing.exit_code}, {listing.text.strip()[:300]!r}",
            where=listing.command,
            remedy="look with ldd in the image at what the variable leads to: it must be a program of this platform",
        )
    return ACCEPTED
