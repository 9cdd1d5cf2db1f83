"""Packages are read from syft's SBOM, or the scan fails."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.scanner import ScanFailed
from localaws.scanner.packages import packages_of

ZLIB = "pkg:deb/debian/zlib1g@1%3A1.2.13-1%2Bb1?arch=amd64&distro=debian-12&upstream=zlib%401%3A1.2.13-1"


def artifact(id: str, name: str, version: str, purl: str, kind: str = "deb", path: str = "/x") -> dict[str, Any]:
    """One of syft's artifacts."""
    return {"id": id, "name": name, "version": version, "purl": purl, "type": kind, "locations": [{"path": path}]}


def sbom(*artifacts: dict[str, Any], owns: tuple[str, str] | None = None) -> dict[str, Any]:
    """Syft's SBOM, in which the first package owns the second's files."""
    links = [{"parent": owns[0], "child": owns[1], "type": "ownership-by-file-overlap"}] if owns else []
    return {"artifacts": list(artifacts), "artifactRelationships": links, "distro": {"prettyName": "Something 1"}}


ZLIB1G = artifact("1", "zlib1g", "1:1.2.13-1+b1", ZLIB)


def test_a_debian_package_knows_its_source() -> None:
    """Name and version of the source come from the purl's `upstream`, the release from its `distro`."""
    (package,) = packages_of(sbom(ZLIB1G))
    assert (package.source, package.source_version, package.osv_ecosystem) == ("zlib", "1:1.2.13-1", "Debian:12")
    assert (package.name, package.version, package.purl) == ("zlib1g", "1:1.2.13-1+b1", ZLIB)


@pytest.mark.parametrize(("upstream", "source", "version"), [("", "zlib1g", "2-1"), ("&upstream=zlib", "zlib", "2-1")])
def test_a_source_of_the_same_version_is_not_repeated(upstream: str, source: str, version: str) -> None:
    """Without `upstream` the source is named like the package; without a version in it, it has the package's."""
    purl = f"pkg:deb/debian/zlib1g@2-1?arch=amd64&distro=debian-12{upstream}"
    (package,) = packages_of(sbom(artifact("1", "zlib1g", "2-1", purl)))
    assert (package.source, package.source_version) == (source, version)


def test_a_python_package_says_where_it_lies() -> None:
    """Its name is normalised for advisories; the file that proves it is kept."""
    purl = "pkg:pypi/PyYAML@5.3.1"
    _, package = packages_of(sbom(ZLIB1G, artifact("2", "PyYAML", "5.3.1", purl, "python", "/var/task/METADATA")))
    assert (package.source, package.osv_ecosystem, package.path) == ("pyyaml", "PyPI", "/var/task/METADATA")


@pytest.mark.parametrize(("version", "checked_as_pythons"), [("6.0", False), ("5.3.1", True)])
def test_debians_python_packages_are_debians(version: str, checked_as_pythons: bool) -> None:
    """A Python package in Debian's files is Debian's to repair, unless somebody wrote another version over it."""
    deb = artifact("1", "python3-yaml", "6.0-3+b2", "pkg:deb/debian/python3-yaml@6.0-3%2Bb2?distro=debian-12")
    yaml = artifact("2", "PyYAML", version, f"pkg:pypi/PyYAML@{version}", "python")
    ecosystems = {package.osv_ecosystem for package in packages_of(sbom(deb, yaml, owns=("1", "2")))}
    assert ("PyPI" in ecosystems) is checked_as_pythons


@pytest.mark.parametrize(
    "purl", ["pkg:rpm/amzn/bash@5-1?distro=amzn-2023", "pkg:apk/alpine/musl@1?distro=alpine-3", "pkg:deb/ubuntu/bash@5"]
)
def test_another_systems_packages_are_refused_by_name(purl: str) -> None:
    """An image of another distribution fails, and is told to go to ECR."""
    with pytest.raises(ScanFailed, match=r"(amzn-2023|alpine-3|ubuntu).*Amazon ECR"):
        packages_of(sbom(ZLIB1G, artifact("2", "x", "1", purl)))


def test_an_image_without_a_package_database_is_refused() -> None:
    """With Python packages only, the system's are missing."""
    with pytest.raises(ScanFailed, match="No package of the operating system was found"):
        packages_of(sbom(artifact("2", "PyYAML", "5.3.1", "pkg:pypi/PyYAML@5.3.1", "python")))


def test_debian_without_its_release_is_refused() -> None:
    """Advisories are by release: without os-release no package can be checked."""
    with pytest.raises(ScanFailed, match="does not say which Debian"):
        packages_of(sbom(artifact("1", "zlib1g", "1-1", "pkg:deb/debian/zlib1g@1-1?arch=amd64")))


def test_other_kinds_of_packages_are_left_out() -> None:
    """Packages of other ecosystems are not counted as checked."""
    assert len(packages_of(sbom(ZLIB1G, artifact("2", "x", "1", "pkg:generic/x@1", "binary")))) == 1


KEYS = st.sampled_from(["artifacts", "id", "purl", "artifactRelationships"])
ANYTHING = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(ANYTHING)
def test_anything_else_is_refused(value: Any) -> None:
    """Any other answer of syft fails the scan."""
    with pytest.raises(ScanFailed):
        packages_of(value)
