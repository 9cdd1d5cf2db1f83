"""The pinned requirements of the release, as pip reads them, and the Python packages in the image.

The files are read by pip-requirements-parser: pip's own reader, extracted from pip (whose internals are no public
interface) and also used by pip-audit. Markers and versions are `packaging`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.errors import ImageUnavailable

SHOWN = 5
_PACKAGES = "the image's Python packages"
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
        marker: its environment marker; "" for none.
        constraint: whether it is a constraint, which sets the version of a package without requiring it.
    """

    line: str
    where: str
    name: str
    version: str
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
    where = f"{path.name}:{line.line_number}"
    return Requirement(line.line.strip(), where, canonicalize_name(name), version, str(parsed.marker or ""), constraint)


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
        ImageUnavailable: a package has no pin, or two different ones.
    """
    # Whether a marker is true in an environment: PEP 508.
    applicable = [each for each in requirements if not each.marker or Marker(each.marker).evaluate(dict(environment))]
    constrained = {each.name: each for each in applicable if each.constraint and each.version}
    found: dict[str, Requirement] = {}
    for each in applicable:
        if each.constraint:
            continue
        pinned = each if each.version else constrained.get(each.name)
        if pinned is None or not each.name:
            raise _refused(f"{each.line!r} is not pinned", each.where, "pin it with ==, here or in a constraints file")
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
    """Whether an installed version matches the pin (PEP 440): 23.1 equals 23.1.0, and the pin 2.1 admits 2.1+cpu."""
    try:
        return SpecifierSet(f"=={wanted}").contains(found, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return wanted == found  # a version that is older than PEP 440, pinned with ===


@dataclass(frozen=True)
class InstalledPackages:
    """The packages of the image's Python.

    Attributes:
        versions: version by canonical name.
        unimportable: by canonical name, the error with which a top-level module failed to import.
        conflicts: what `pip check` says, a line each.
        foreign: by canonical name, files that are imported in its place, or that differ from its RECORD.
        closed: by canonical name, the folder that Lambda's user may not enter.
    """

    versions: Mapping[str, str]
    unimportable: Mapping[str, str]
    conflicts: tuple[str, ...]
    foreign: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    closed: Mapping[str, str] = field(default_factory=dict)


@check(1, known_bad=lambda: ({"selenium": "4.0"}, InstalledPackages({}, {}, ())))
def pins_installed(wanted: Mapping[str, str], installed: InstalledPackages) -> CheckResult:
    """Every pinned requirement is installed at its pin and can be imported, and no packages conflict."""
    if not wanted:
        return reject("the requirements pin no package, so it is not known what the image should hold",
                      "the requirements beside the Dockerfile", "pin what the handler imports, with ==")  # fmt: skip
    wrong = [
        _missing(name, version, installed)
        for name, version in wanted.items()
        if not same_version(version, installed.versions.get(name, ""))
    ]
    for name in wanted:
        if files := installed.foreign.get(name):
            cause = f"{name} is not what runs: Python imports {files[0]}, which is not the file that {name} recorded"
            remedy = "leave one copy of the package in the image, as pip installs it"
            wrong.append(Rejection(cause, ", ".join(files[:SHOWN]), remedy))
        if name in installed.unimportable:
            cause = f"{name} is installed and cannot be imported: {installed.unimportable[name]}"
            remedy = "import it by hand in the image, as the user that Lambda runs as (docker run --user 993:990)"
            wrong.append(Rejection(cause, _PACKAGES, remedy))
    wrong += [
        Rejection(f"pip check: {line}", _PACKAGES, "correct the pins in requirements.in, and lock them anew")
        for line in installed.conflicts
    ]
    return CheckResult.of(wrong)


def _missing(name: str, version: str, installed: InstalledPackages) -> Rejection:
    if shut := installed.closed.get(name):
        cause = f"{name} is pinned at {version}, and lies where Lambda's user has no access: {shut} is closed to it"
        return Rejection(cause, shut, f"install it outside {shut}, or chmod a+rx {shut} in the Dockerfile")
    cause = f"{name} is pinned at {version}, and the image holds {installed.versions.get(name) or 'none'}"
    return Rejection(cause, _PACKAGES, "look at the pip step in the build log")


@check(6, known_bad=lambda: ({"pytest", "selenium"}, ("pytest", "moto")))
def no_development_packages(present: Collection[str], forbidden: Sequence[str]) -> CheckResult:
    """The image holds no package that only development needs."""
    if not present:
        return reject("no Python package was found in the image, so it is not known what it contains", _PACKAGES,
                      "the image's python3 must see the packages that the handler imports")  # fmt: skip
    found = sorted(set(present) & {canonicalize_name(name) for name in forbidden})
    if not found:
        return ACCEPTED
    return reject(f"development packages are in the production image: {', '.join(found)}", _PACKAGES,
                  "install the runtime requirements only; keep these in a requirements file of their own")  # fmt: skip
