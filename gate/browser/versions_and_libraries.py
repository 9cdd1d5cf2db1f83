"""Chrome and Chromedriver in the image: that their versions match, are the pinned ones, and no library is missing."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gate.check import ACCEPTED, CheckResult, check, reject
from gate.image.file_checks import is_program, program_behind
from gate.image.tree import Tree

_VERSION = re.compile(r"\b\d+(?:\.\d+){3}\b")
_MISSING = re.compile(r"^\s*(\S+) => not found", re.M)
# The loader's message about a library that is too old (glibc, elf/dl-version.c); the library is listed as found.
_TOO_OLD = re.compile(r"(\S+): version [`']([^']+)' not found \(required by ([^)]+)\)")


@dataclass(frozen=True)
class CommandOutput:
    """What a command printed in the image, on both outputs, and its exit code."""

    command: str
    exit_code: int
    text: str


@dataclass(frozen=True)
class ExpectedVersion:
    """The version that a program should have, and what states it."""

    version: str
    source: str


def version_in(text: str) -> str:
    """The four-part version in a program's output, or ""."""
    found = _VERSION.search(text)
    return found.group() if found else ""


def program_version(host: Any, path: str) -> CommandOutput:
    """Ask a program for its version (`host` is testinfra's)."""
    return _output(host, f"{shlex.quote(path)} --version")


def expected_version(host: Any, package: str, lock: Path | None) -> ExpectedVersion:
    """The version that a program should have.

    Args:
        host: testinfra's.
        package: the distribution's package; without a lock its installed version is the expected one.
        lock: chrome.lock, or None.
    """
    if lock:
        return ExpectedVersion(version_in(lock.read_text()), lock.name)
    installed = host.package(package)
    found = installed.version if installed.is_installed else ""
    return ExpectedVersion(version_in(found), f"the package database ({package} {found or 'not installed'})")


def shared_libraries(host: Any, tree: Tree, variable: str, path: str) -> CommandOutput:
    """Let the dynamic loader list the libraries of the program behind a variable's path."""
    entry, _ = tree.resolve(path)
    program = program_behind(tree, entry) if entry else None
    if program is None:
        return CommandOutput(f"ldd ${variable}", 127, f"{variable} leads to no ELF program")
    # ldd is a script that not every base has; this is what it does (ld.so(8)).
    return _output(host, f"LD_TRACE_LOADED_OBJECTS=1 {shlex.quote(program.path)}")


def _output(host: Any, command: str) -> CommandOutput:
    done = host.run(command)
    return CommandOutput(command, done.rc, done.stdout + done.stderr)


@check(
    1,
    known_bad=lambda: (
        CommandOutput("chrome --version", 0, "Chrome 1.2.3.4"),
        CommandOutput("driver", 0, "ChromeDriver 2.2.3.4"),
    ),
    follows=(is_program,),
)
def share_major(chrome: CommandOutput, driver: CommandOutput) -> CheckResult:
    """Chromedriver supports the Chrome of its own major version only (ChromeDriver, "Version selection")."""
    for output in (chrome, driver):
        if output.exit_code != 0 or not version_in(output.text):
            return reject(
                f"`{output.command}` gave no version: exit code {output.exit_code}, {output.text.strip()[:300]!r}",
                where=output.command,
                remedy="run the command in the image; a missing library or a broken link shows there",
            )
    own, other = version_in(chrome.text), version_in(driver.text)
    if own.split(".")[0] == other.split(".")[0]:
        return ACCEPTED
    return reject(f"Chrome is {own} and Chromedriver is {other}: they do not work together",
                  f"{chrome.command}; {driver.command}", "install both from the same release")  # fmt: skip


@check(
    1,
    known_bad=lambda: (
        CommandOutput("chrome --version", 0, "Chrome 1.2.3.4"),
        ExpectedVersion("1.2.3.5", "chrome.lock"),
    ),
    follows=(is_program,),
)
def has_expected_version(output: CommandOutput, expected: ExpectedVersion) -> CheckResult:
    """The program has the expected version."""
    if expected.version and version_in(output.text) == expected.version:
        return ACCEPTED
    if not expected.version:
        return reject(f"nothing states which version `{output.command}` should have", where=expected.source,
                      remedy="run `make lock-chrome`, or install it as a package")  # fmt: skip
    return reject(
        f"`{output.command}` answers {version_in(output.text) or output.text.strip()[:200]!r}, "
        f"and {expected.source} says {expected.version}",
        where=expected.source,
        remedy="rebuild without the layer cache; if the version was raised on purpose, raise the pin with it",
    )


@check(
    1,
    known_bad=lambda: (CommandOutput("ld.so --list /opt/chrome/chrome", 0, "\tlibnss3.so => not found\n"),),
    follows=(is_program,),
)
def libraries_complete(listing: CommandOutput) -> CheckResult:
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
