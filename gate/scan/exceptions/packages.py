"""The package that an exception names, and the findings that are in it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from packageurl import PackageURL

from gate.scan.components import NO_MANAGER, full_name, may_be, same_name, same_version
from gate.scan.findings import Finding

# Written in an exception where the scanner gives no name, or no version.
UNTOLD = "untold"


@lru_cache(maxsize=1024)
def version_range(text: str) -> Any:
    """A `vers:` range; whatever univers raises on it, it raises."""
    from univers.version_range import VersionRange

    return VersionRange.from_string(text)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class PackageSelector:
    """A package as an exception names it.

    Attributes:
        text: as written.
        type: the purl's type ("" when only a name is written).
        name: the package's name, as a scanner reports it.
        versions: an exact version, or a `vers:` range.

    Name and versions may each be "untold", for a finding of which the scanner does not give it.
    """

    text: str
    type: str
    name: str
    versions: str

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is in this package, in one of these versions."""
        return self._is_package(finding) and self._is_version(finding.installed)

    def _is_package(self, finding: Finding) -> bool:
        if self.type and not may_be(finding.manager, self.type):
            return False
        if (self.type, self.name) == ("", UNTOLD):
            return finding.package in {"", UNTOLD}
        kind = "pypi" if self.versions.startswith("vers:pypi/") else self.type
        names = {finding.package}
        if self.type and finding.manager.upper() == NO_MANAGER:
            # Inspector puts a maker before such a program's name; a package URL of the program has no need to.
            names.add(finding.package.rpartition("/")[2])
        return any(same_name(kind, self.name, each) for each in names if each)

    def _is_version(self, installed: str) -> bool:
        if not installed:
            return self.versions == UNTOLD
        if not self.versions.startswith("vers:"):
            return same_version(self.type, installed, self.versions)
        from univers.versions import InvalidVersion

        wanted = version_range(self.versions)
        try:
            return wanted.version_class(installed) in wanted
        except (InvalidVersion, ValueError, TypeError):
            return False  # a version that the range's scheme cannot read is not in the range


class InvalidEntry(ValueError):
    """One entry breaks a rule; the text says which."""


def package_selector(raw: dict[str, str]) -> PackageSelector:
    """The package that an exception names by its keys `package` and `versions`.

    Raises:
        InvalidEntry: it names none, or every version of it.
    """
    text, versions = raw["package"], raw.get("versions", "")
    if not text.startswith("pkg:"):
        if not versions:
            raise InvalidEntry(f"the name {text!r} stands for every version: add versions:, exact or as a vers: range")
        return PackageSelector(text, "", text, _checked_range(versions))
    purl = parse_purl(text)
    if bool(purl.version) == bool(versions):
        raise InvalidEntry(
            f"give one of a version in {text} and versions: (without either it stands for every version)"
        )
    if (purl.version or "").startswith("vers:"):
        raise InvalidEntry(f"{text} names a range as its version: a range is given by versions:")
    return PackageSelector(text, purl.type, full_name(purl), _checked_range(versions) if versions else _version(purl))


def _version(purl: PackageURL) -> str:
    # package-url's type "rpm" has the epoch among the qualifiers; scanners write it before the version.
    epoch = dict(purl.qualifiers or {}).get("epoch", "") if purl.type == "rpm" else ""
    return (f"{epoch}:" if epoch else "") + (purl.version or "")


def _checked_range(versions: str) -> str:
    if not versions.startswith("vers:"):
        return versions
    try:
        constraints = version_range(versions).constraints
    except Exception as error:  # univers raises whatever its parsers raise; each means that the range is unreadable
        raise InvalidEntry(f"the version range {versions!r} cannot be read: {error}") from error
    if not constraints or constraints[-1].comparator not in {"<", "<=", "="}:
        raise InvalidEntry(
            f"the version range {versions!r} has no upper end, so it covers versions that nobody has seen"
        )
    return versions


def parse_purl(text: str) -> PackageURL:
    """The package URL that a text is.

    Raises:
        InvalidEntry: it is none.
    """
    try:
        return PackageURL.from_string(text)
    except ValueError as error:
        raise InvalidEntry(f"{text!r} is no package URL: {error}") from error
