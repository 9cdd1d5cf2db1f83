"""The requirements of the release as pip reads them, held against the image's own Python. Pure but for reading files.

The files are read by pip-requirements-parser: pip's own reader, taken out of pip (whose internals are no
interface), which pip-audit uses too. Markers and versions are `packaging`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion

from gate.errors import ImageUnavailable

_PIN_IT = "pin it with ==, here or in a constraints file"
_FILES = 100
# What stands behind an option on its line (a marker, say), pip passes over; the option itself counts (pip issue 13637).
_PASSED_OVER = "Incorrect and ignored trailing argument(s)"


@dataclass(frozen=True)
class Requirement:
    """One line of a requirements or constraints file.

    Attributes:
        line: as it stands there.
        where: file and number.
        name: canonical; "" for a path or address that does not say.
        version: the version that it pins; "" for none.
        marker: for which Pythons it holds; "" for all.
        constraint: whether it only says at which version a package is installed, not that it is.
    """

    line: str
    where: str
    name: str
    version: str
    marker: str
    constraint: bool

    def holds(self, environment: Mapping[str, str]) -> bool:
        """Whether it is about a Python of this environment (PEP 508)."""
        return not self.marker or Marker(self.marker).evaluate(dict(environment))


def read_requirements(path: Path) -> tuple[Requirement, ...]:
    """Every requirement of a file, and of those that it includes.

    Raises:
        ImageUnavailable: a file or a line cannot be read or followed.
    """
    return tuple(_read(path, constraint=False, within=()))


def _read(path: Path, *, constraint: bool, within: tuple[Path, ...]) -> Iterator[Requirement]:
    if path.resolve() in within or len(within) > _FILES:
        raise _refused(f"{path.name} includes itself", str(path), "take the line with -r or -c out")
    parsed = _parsed(path)
    for line in parsed.invalid_lines:
        if str(line.error_message).startswith(_PASSED_OVER):
            continue
        why = " ".join(str(line.error_message).split())
        raise _refused(
            f"pip does not understand {line.line!r}: {why}", f"{path.name}:{line.line_number}", "correct the line"
        )
    for option in parsed.options:
        for kind in ("requirements", "constraints"):
            for other in option.options.get(kind) or ():
                included = _included(path, other, f"{path.name}:{option.requirement_line.line_number}")
                yield from _read(
                    included, constraint=constraint or kind == "constraints", within=(*within, path.resolve())
                )
    yield from (_requirement(each, path, constraint=constraint) for each in parsed.requirements)


def _parsed(path: Path) -> Any:
    from pip_requirements_parser import InstallationError, RequirementsFile

    try:
        return RequirementsFile.from_file(str(path), include_nested=False)
    except (InstallationError, OSError, ValueError, LookupError, RecursionError) as error:
        raise _refused(
            f"{path.name} cannot be read: {error}", str(path), "write it as a text file, in UTF-8"
        ) from error


def _included(path: Path, other: str, where: str) -> Path:
    if "://" in other:
        raise _refused(
            f"{other} is not beside the Dockerfile, so nobody knows what the build found there",
            where,
            "keep the file in the repository, and include it by its path",
        )
    included = path.parent / other
    if not included.is_file():
        raise _refused(f"{other} does not exist", where, "correct the path: it counts from the file that includes it")
    return included


def _refused(cause: str, where: str, remedy: str) -> ImageUnavailable:
    return ImageUnavailable(f"the requirements cannot be followed: {cause}", where=where, remedy=remedy)


def _requirement(parsed: Any, path: Path, *, constraint: bool) -> Requirement:
    line = parsed.requirement_line
    name, version = str(parsed.name or ""), _pinned(parsed.specifier)
    if not version and parsed.link is not None:
        name, version = _of_wheel(str(parsed.link.filename), name)
    where = f"{path.name}:{line.line_number}"
    return Requirement(line.line.strip(), where, canonicalize_name(name), version, str(parsed.marker or ""), constraint)


def _pinned(specifier: Any) -> str:
    """The version that a specifier pins (PEP 440, "Version matching"); "" for a range or a prefix such as ==1.*."""
    pins = [each.version for each in SpecifierSet(str(specifier or "")) if each.operator in {"==", "==="}]
    return next((version for version in pins if not version.endswith(".*")), "")


def _of_wheel(filename: str, name: str) -> tuple[str, str]:
    """Name and version of a wheel that is required by its address (PyPA, "Binary distribution format")."""
    try:
        found, version, *_ = parse_wheel_filename(filename)
    except (InvalidWheelFilename, InvalidVersion):
        return name, ""
    return str(found), str(version)


def pins(requirements: tuple[Requirement, ...], environment: Mapping[str, str]) -> dict[str, str]:
    """The pinned version of each package that is required for a Python of this environment.

    Raises:
        ImageUnavailable: one has no pin, so nothing can be held against it, or two.
    """
    holding = [each for each in requirements if each.holds(environment)]
    constrained = {each.name: each for each in holding if each.constraint and each.version}
    found: dict[str, Requirement] = {}
    for each in holding:
        if each.constraint:
            continue
        pinned = each if each.version else constrained.get(each.name)
        if pinned is None or not each.name:
            raise _refused(f"{each.line!r} is not pinned", each.where, _PIN_IT)
        before = found.get(each.name)
        if before and not same_version(before.version, pinned.version):
            raise _refused(
                f"{each.name} is pinned twice, at {before.version} and {pinned.version}",
                each.where,
                "keep one of the two",
            )
        found[each.name] = pinned
    return {name: each.version for name, each in found.items()}


def same_version(wanted: str, found: str) -> bool:
    """Whether an installed version is the pinned one (PEP 440): 23.1 is 23.1.0, and 2.1 accepts the local 2.1+cpu."""
    try:
        return SpecifierSet(f"=={wanted}").contains(found, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return wanted == found  # a version from before PEP 440, pinned with ===
