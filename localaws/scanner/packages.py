"""The packages of an image, read from syft's SBOM. Pure.

Debian's advisories name the *source* package and its version, an image holds *binary* packages: syft gives the
source in the purl's `upstream` qualifier, as `name` or, where its version differs, `name@version`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packageurl import PackageURL
from packaging.utils import canonicalize_name

from localaws.scanner import ScanFailed

DEBIAN, PYPI = "Debian", "PyPI"
_SYSTEM = {"deb", "rpm", "apk", "alpm"}
_MANAGERS = {DEBIAN: "OS", PYPI: "PYTHONPKG"}


@dataclass(frozen=True)
class Package:
    """One installed package.

    Attributes:
        name: as its package manager calls it; for Debian, the binary package.
        ecosystem: Debian or PyPI.
        release: the distribution's release, "12" ("" for PyPI).
        source: the name that advisories use: Debian's source package, PyPI's normalised name (PEP 503).
        source_version: the version that advisories use.
        path: the file that shows it ("" for a package of the operating system).
    """

    name: str
    version: str
    ecosystem: str
    release: str
    source: str
    source_version: str
    purl: str
    path: str = ""

    @property
    def osv_ecosystem(self) -> str:
        """The ecosystem with its release, as OSV writes it: `Debian:12`, `PyPI`."""
        return f"{self.ecosystem}:{self.release}" if self.release else self.ecosystem

    @property
    def manager(self) -> str:
        """Amazon Inspector's name for the kind of package."""
        return _MANAGERS[self.ecosystem]


def packages_of(sbom: Mapping[str, Any]) -> tuple[Package, ...]:
    """The packages of Debian and PyPI.

    A Python package that belongs to a Debian package is left to Debian's advisories: Debian fixes it without changing
    the version that Python reports.

    Raises:
        ScanFailed: the SBOM cannot be read, or the system's packages are missing or not Debian's.
    """
    try:
        artifacts = {str(artifact["id"]): artifact for artifact in sbom["artifacts"]}
        owned = _delivered_by_debian(sbom.get("artifactRelationships", []), artifacts)
        read = [_package(artifact) for key, artifact in artifacts.items() if key not in owned]
    except (KeyError, TypeError, ValueError, AttributeError) as broken:
        raise ScanFailed(f"syft's SBOM cannot be read: {type(broken).__name__}: {broken}.") from broken
    packages = tuple(sorted((p for p in read if p is not None), key=lambda p: p.purl))
    _refuse_unknown_system(sbom, packages)
    return packages


def _package(artifact: Mapping[str, Any]) -> Package | None:
    purl = PackageURL.from_string(artifact["purl"])
    if purl.type == "deb" and purl.namespace == "debian":
        return _debian(artifact, purl)
    if purl.type == "pypi":
        name, version, path = artifact["name"], artifact["version"], _first_path(artifact)
        return Package(name, version, PYPI, "", canonicalize_name(name), version, artifact["purl"], path)
    if purl.type in _SYSTEM:
        whose = (purl.qualifiers or {}).get("distro") or purl.namespace or "an unknown distribution"
        raise ScanFailed(
            f"Packages of {whose} ({purl.type}) cannot be checked here: the local scanner checks Debian's. "
            "Scan this image with Amazon ECR."
        )
    return None


def _debian(artifact: Mapping[str, Any], purl: PackageURL) -> Package:
    qualifiers = purl.qualifiers or {}
    name, version = artifact["name"], artifact["version"]
    source, _, source_version = qualifiers.get("upstream", "").partition("@")
    release = qualifiers.get("distro", "").removeprefix("debian-")
    if not release:
        raise ScanFailed(f"The image does not say which Debian it is (etc/os-release), so {name} cannot be checked.")
    return Package(name, version, DEBIAN, release, source or name, source_version or version, artifact["purl"])


def _first_path(artifact: Mapping[str, Any]) -> str:
    return next((str(location["path"]) for location in artifact.get("locations", [])), "")


def _delivered_by_debian(relationships: list[Any], artifacts: Mapping[str, Mapping[str, Any]]) -> set[str]:
    owned = set()
    for relationship in relationships:
        owner, owns = artifacts.get(relationship["parent"]), artifacts.get(relationship["child"])
        if relationship["type"] != "ownership-by-file-overlap" or owner is None or owns is None:
            continue
        # Another version was installed over Debian's files: then it is checked as a Python package.
        upstream = owner["version"].partition(":")[2] or owner["version"]
        if owner["type"] == "deb" and owns["type"] == "python" and upstream.startswith(owns["version"]):
            owned.add(str(owns["id"]))
    return owned


def _refuse_unknown_system(sbom: Mapping[str, Any], packages: tuple[Package, ...]) -> None:
    if any(package.ecosystem == DEBIAN for package in packages):
        return
    system = (sbom.get("distro") or {}).get("prettyName") or "an unknown system"
    raise ScanFailed(
        f"No package of the operating system was found in the image ({system}): either its package database was "
        "removed, or it is not Debian's. The local scanner checks Debian images only."
    )
