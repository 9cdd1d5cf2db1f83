"""Chrome and its driver as an image holds them: what the programs, the package database and the loader answer."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from gate.browser.programs import Answer, Pin, version_in
from gate.image.file_checks import program_behind
from gate.image.tree import Tree


def version(host: Any, path: str) -> Answer:
    """What a program says its version is (`host` is testinfra's)."""
    return _answer(host, f"{shlex.quote(path)} --version")


def pin(host: Any, package: str, lock: Path | None) -> Pin:
    """The version that ought to be there.

    Args:
        host: testinfra's.
        package: the distribution's package, asked where no lock decides: there the archive does, and its database
            says which version that was.
        lock: chrome.lock, or None.
    """
    if lock:
        return Pin(version_in(lock.read_text()), lock.name)
    installed = host.package(package)
    found = installed.version if installed.is_installed else ""
    return Pin(version_in(found), f"the package database ({package} {found or 'not installed'})")


def libraries(host: Any, tree: Tree, variable: str, path: str) -> Answer:
    """What the dynamic loader says of the program behind a variable's path."""
    entry, _ = tree.resolve(path)
    program = program_behind(tree, entry) if entry else None
    if program is None:
        return Answer(f"ldd ${variable}", 127, f"{variable} leads to no ELF program")
    # ldd is a script that not every base has; this is what it does (ld.so(8)).
    return _answer(host, f"LD_TRACE_LOADED_OBJECTS=1 {shlex.quote(program.path)}")


def _answer(host: Any, command: str) -> Answer:
    done = host.run(command)
    return Answer(command, done.rc, done.stdout + done.stderr)
