"""The pinned requirements of the release, as pip reads them.

The files are read by pip-requirements-parser: pip's own reader, extracted from pip (whose internals are no public
interface) and also used by pip-audit. Markers and versions are `packaging`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from optparse import Option
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion

from gate.errors import ImageUnavailable

_FILES = 100
# pip ignores what follows an option on its line, such as a marker, and obeys the option (pip issue 13637).
_IGNORED = "Incorrect and ignored trailing argument(s)"


@dataclass(frozen=True)
class Requirement:
    """One line of a requirements or constraints file.

    Attributes:
        line: its text.
        where: file and line number.
        name: canonical; "" for a path or URL without one.
        version: the pinned version; "" for none.
        specifier: the versions that it admits (PEP 440); "" for any.
        marker: its environment marker; "" for none.
        constraint: whether it is a constraint, which sets the version of a package without requiring it.
    """

    line: str
    where: str
    name: str
    version: str
    specifier: str
    marker: str
    constraint: bool


def read_requirements(path: Path) -> tuple[Requirement, ...]:
    """Every requirement of a file, and of those that it includes.

    Raises:
        ImageUnavailable: a file does not exist, or a line cannot be understood.
    """
    if not path.is_file():
        raise ImageUnavailable(
            f"no {path.name} states which Python packages the image should hold",
            where=str(path.parent),
            remedy="put it beside the Dockerfile, every package pinned; an image without packages has an empty one",
        )
    return tuple(_read(path, constraint=False, within=()))


def _read(path: Path, *, constraint: bool, within: tuple[Path, ...]) -> Iterator[Requirement]:
    if path.resolve() in within or len(within) > _FILES:
        raise _refused(f"{path.name} includes itself", str(path), "remove the line with -r or -c")
    parsed = _parsed(path)
    for line in parsed.invalid_lines:
        if str(line.error_message).startswith(_IGNORED):
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


@cache
def _reader() -> Any:
    """pip-requirements-parser, with the options that pip has got since that was extracted from it."""
    import pip_requirements_parser as reader

    for name in ("--all-releases", "--only-final"):
        reader.SUPPORTED_OPTIONS.append(partial(Option, name, action="append"))
    reader.SUPPORTED_OPTIONS.append(partial(Option, "--no-require-hashes", action="store_true"))
    reader.SUPPORTED_OPTIONS_REQ.append(partial(Option, "-C", "--config-settings", action="append"))
    reader.SUPPORTED_OPTIONS_REQ_DEST.append("config_settings")
    return reader


def _parsed(path: Path) -> Any:
    reader = _reader()
    try:
        return reader.RequirementsFile.from_file(str(path), include_nested=False)
    except (reader.InstallationError, OSError, ValueError, LookupError, RecursionError) as error:
        raise _refused(
            f"{path.name} cannot be read: {error}", str(path), "write it as a text file, in UTF-8"
        ) from error


def _included(path: Path, other: str, where: str) -> Path:
    if "://" in other:
        raise _refused(
            f"{other} is no local file, so it is not known what the build found there",
            where,
            "keep the file in the repository, and include it by its path",
        )
    included = path.parent / other
    if not included.is_file():
        raise _refused(f"{other} does not exist", where, "correct the path, relative to the file that includes it")
    return included


def _refused(cause: str, where: str, remedy: str) -> ImageUnavailable:
    return ImageUnavailable(f"the requirements cannot be read: {cause}", where=where, remedy=remedy)


def _requirement(parsed: Any, path: Path, *, constraint: bool) -> Requirement:
    line = parsed.requirement_line
    name, version = str(parsed.name or ""), _pinned(parsed.specifier)
    if not version and parsed.link is not None:
        name, version = _of_wheel(str(parsed.link.filename), name)
    where, admitted = f"{path.name}:{line.line_number}", str(parsed.specifier or "") or (version and f"=={version}")
    marker = str(parsed.marker or "")
    return Requirement(line.line.strip(), where, canonicalize_name(name), version, admitted, marker, constraint)


def _pinned(specifier: Any) -> str:
    """The version that a specifier pins (PEP 440, "Version matching"); "" for a range or a prefix such as ==1.*."""
    pins = [each.version for each in SpecifierSet(str(specifier or "")) if each.operator in {"==", "==="}]
    return next((version for version in pins if not version.endswith(".*")), "")


def _of_wheel(filename: str, name: str) -> tuple[str, str]:
    """Name and version of a wheel that is required by its URL (PyPA, "Binary distribution format")."""
    try:
        found, version, *_ = parse_wheel_filename(filename)
    except (InvalidWheelFilename, InvalidVersion):
        return name, ""
    return str(found), str(version)


def pins(requirements: tuple[Requirement, ...], environment: Mapping[str, str]) -> dict[str, str]:
    """The pinned version of each package that is required in this environment, by canonical name.

    Raises:
        ImageUnavailable: a package has no pin, or one that another line about it does not admit.
    """
    # Whether a marker is true in an environment: PEP 508.
    applicable = [each for each in requirements if not each.marker or Marker(each.marker).evaluate(dict(environment))]
    found: dict[str, str] = {}
    for each in applicable:
        if each.constraint or (each.name and each.name in found):
            continue
        about = [other for other in applicable if other.name == each.name]
        # As pip does, all lines about a package are taken together: extras on one, the pin on another.
        pinned = sorted((other for other in about if other.version), key=lambda other: other.constraint)
        if not pinned or not each.name:
            raise _refused(f"{each.line!r} is not pinned", each.where, "pin it with ==, here or in a constraints file")
        agreed = (pin.version for pin in pinned if all(_admits(other, pin.version) for other in about))
        if (version := next(agreed, None)) is None:
            other = next(other for other in about if not _admits(other, pinned[0].version))
            cause = (
                f"{each.name} is pinned at {pinned[0].version} ({pinned[0].where}), which {other.line!r} does not admit"
            )
            raise _refused(cause, other.where, "keep one of the two")
        found[each.name] = version
    return found


def _admits(requirement: Requirement, version: str) -> bool:
    try:
        return SpecifierSet(requirement.specifier).contains(version, prereleases=True)
    except InvalidVersion:
        return same_version(requirement.version, version)


def same_version(wanted: str, found: str) -> bool:
    """Whether an installed version matches the pin (PEP 440): 23.1 equals 23.1.0, and the pin 2.1 admits 2.1+cpu."""
    try:
        return SpecifierSet(f"=={wanted}").contains(found, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return wanted == found  # a version that is older than PEP 440, pinned with ===
