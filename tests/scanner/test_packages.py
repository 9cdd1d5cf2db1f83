"""Packages are read from the files of package managers, or the scan fails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.scanner import ScanFailed
from localaws.scanner.packages import Package, packages_of

STATUS, RELEASE = "/var/lib/dpkg/status", "/etc/os-release"
INFO = "/var/lib/dpkg/info/"
YAML = "/usr/lib/python3/dist-packages/PyYAML-6.0.egg-info/PKG-INFO"
DEBIAN_12 = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n'
ZLIB1G = "Package: zlib1g\nStatus: install ok installed\nVersion: 1:1.2.13-1+b1\nSource: zlib (1:1.2.13-1)\n"


def found(status: str = ZLIB1G, release: str = DEBIAN_12, **more: str) -> tuple[Package, ...]:
    """The packages of an image with this status of dpkg."""
    files = {STATUS: status, RELEASE: release, **more}
    return packages_of({path: text.encode() for path, text in files.items() if text})


def python(name: str, version: str) -> str:
    """The metadata of a Python package."""
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nVersion: of the text\n"


def test_a_debian_package_knows_its_source() -> None:
    """Name and version of the source come from dpkg's status, the release from os-release."""
    (package,) = found()
    assert (package.source, package.source_version, package.osv_ecosystem) == ("zlib", "1:1.2.13-1", "Debian:12")
    assert (package.name, package.version, package.path) == ("zlib1g", "1:1.2.13-1+b1", "")


@pytest.mark.parametrize(("source", "name"), [("", "zlib1g"), ("Source: zlib\n", "zlib")])
def test_a_source_of_the_same_version_is_not_repeated(source: str, name: str) -> None:
    """Without a source it is named like the package; without a version in it, it has the package's."""
    (package,) = found(f"Package: zlib1g\n{source}Version: 2-1\n")
    assert (package.source, package.source_version) == (name, "2-1")


def test_a_removed_package_is_none() -> None:
    """Its configuration files may still be there; the one beside it counts."""
    removed = "Package: old\nStatus: deinstall ok config-files\nVersion: 1-1\n"
    assert [package.name for package in found(f"{removed}\n\n{ZLIB1G}")] == ["zlib1g"]


def test_an_image_without_dpkg_itself_is_read() -> None:
    """Distroless images have a file for each package; its sums are no package."""
    folder = "/var/lib/dpkg/status.d/"
    given = found("", **{f"{folder}zlib1g": ZLIB1G, f"{folder}zlib1g.md5sums": f"{'0' * 32}  usr/lib/libz.so\n"})
    assert [package.name for package in given] == ["zlib1g"]


def test_a_python_package_says_where_it_lies() -> None:
    """Its name is normalised for advisories; the file that proves it is kept."""
    path = "/var/task/PyYAML-5.3.1.dist-info/METADATA"
    _, package = found(**{path: python("PyYAML", "5.3.1")})
    assert (package.source, package.version, package.osv_ecosystem) == ("pyyaml", "5.3.1", "PyPI")
    assert package.path == path


@pytest.mark.parametrize("listed", [f"{INFO}python3-yaml.list", f"{INFO}python3-yaml:amd64.md5sums"])
@pytest.mark.parametrize(("version", "checked_as_pythons"), [("6.0", False), ("5.3.1", True)])
def test_debians_python_packages_are_debians(listed: str, version: str, checked_as_pythons: bool) -> None:
    """A Python package in Debian's files is Debian's to repair, unless somebody wrote another version over it."""
    text = f"{YAML}\n" if listed.endswith(".list") else f"{'0' * 32}  {YAML[1:]}\n"
    given = found("Package: python3-yaml\nVersion: 6.0-3+b2\n", **{YAML: python("PyYAML", version), listed: text})
    assert ("PyPI" in {package.osv_ecosystem for package in given}) is checked_as_pythons


@pytest.mark.parametrize(
    ("files", "whose"),
    [
        ({"/usr/lib/sysimage/rpm/rpmdb.sqlite": "x", RELEASE: "ID=amzn\nVERSION_ID=2023\n"}, r"amzn-2023 \(rpm"),
        ({"/lib/apk/db/installed": "x", RELEASE: "ID=alpine\nVERSION_ID=3\n"}, r"alpine-3 \(apk"),
        ({STATUS: ZLIB1G, RELEASE: "ID=ubuntu\n"}, r"ubuntu \(deb"),
    ],
)
def test_another_systems_packages_are_refused_by_name(files: dict[str, str], whose: str) -> None:
    """An image of another distribution fails, and is told to go to ECR."""
    with pytest.raises(ScanFailed, match=f"{whose}.*Amazon ECR"):
        packages_of({path: text.encode() for path, text in files.items()})


def test_an_image_without_a_package_database_is_refused() -> None:
    """With Python packages only, the system's are missing."""
    with pytest.raises(ScanFailed, match="No package of the operating system was found"):
        found("", **{"/var/task/PyYAML-5.3.1.dist-info/METADATA": python("PyYAML", "5.3.1")})


@pytest.mark.parametrize("release", ["", "ID=debian\n"])
def test_debian_without_its_release_is_refused(release: str) -> None:
    """Advisories are by release: without os-release no package can be checked."""
    with pytest.raises(ScanFailed, match="does not say which Debian"):
        found(release=release)


@given(st.dictionaries(st.sampled_from([STATUS, RELEASE, YAML, f"{INFO}x.list"]), st.binary(max_size=60)))
def test_anything_else_is_refused(files: dict[str, bytes]) -> None:
    """Whatever else stands in these files fails the scan."""
    with pytest.raises(ScanFailed):
        packages_of(files)
