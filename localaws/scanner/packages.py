"""The packages of an image, read from the files that package managers leave. Pure.

Debian's advisories name the *source* package and its version, an image holds *binary* packages: dpkg's status gives the
source as `name` or, where its version differs, `name (version)`. Formats: deb-control(5), os-release(5), PyPA's "Core
metadata".
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.parser import HeaderParser

from packaging.utils import canonicalize_name

from localaws.scanner import ScanFailed
from localaws.scanner.package_files import FOREIGN

DEBIAN, PYPI = "Debian", "PyPI"
_MANAGERS = {DEBIAN: "OS", PYPI: "PYTHONPKG"}
_STATUS = re.compile(r"/dpkg/(?:status|status\.d/(?:(?!\.md5sums$)[^/])+)$")
_LIST = re.compile(r"/dpkg/(?:info|status\.d)/[^/]+\.(?:list|md5sums)$")
_PYTHON = re.compile(r"\.(?:dist-info/metadata|egg-info/pkg-info|egg-info)$", re.IGNORECASE)
_SOURCE = re.compile(r"(\S+)(?: \((\S+)\))?")
_OWNED = re.compile(r"^(?:[0-9a-f]{32}  )?/?(.+)$", re.MULTILINE)


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
    path: str = ""

    @property
    def osv_ecosystem(self) -> str:
        """The ecosystem with its release, as OSV writes it: `Debian:12`, `PyPI`."""
        return f"{self.ecosystem}:{self.release}" if self.release else self.ecosystem

    @property
    def manager(self) -> str:
        """Amazon Inspector's name for the kind of package."""
        return _MANAGERS[self.ecosystem]


def packages_of(files: Mapping[str, bytes]) -> tuple[Package, ...]:
    """The packages of Debian and PyPI.

    A Python package that belongs to a Debian package is left to Debian's advisories: Debian fixes it without changing
    the version that Python reports.

    Raises:
        ScanFailed: the system's packages are missing, are not Debian's, or do not say of which Debian they are.
    """
    texts = {path: content.decode("utf-8", "replace") for path, content in files.items()}
    system = _system(texts)
    debian = tuple(_debian(texts, system.get("VERSION_ID", "")))
    _refuse_other_systems(system, debian, next((found[1] for path in texts if (found := FOREIGN.search(path))), ""))
    owned = _delivered_by_debian(texts, {package.name: package for package in debian})
    # Another version may have been installed over Debian's files: then it is checked as a Python package.
    python = (p for p in _python(texts) if not any(version.startswith(p.version) for version in owned.get(p.path, ())))
    return tuple(sorted((*debian, *python), key=lambda p: (p.ecosystem, p.name, p.version, p.path)))


def _system(texts: Mapping[str, str]) -> dict[str, str]:
    """What os-release says of the distribution; /etc comes before /usr/lib."""
    text = texts.get("/etc/os-release") or texts.get("/usr/lib/os-release", "")
    pairs = (line.partition("=") for line in text.splitlines())
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def _refuse_other_systems(system: Mapping[str, str], debian: tuple[Package, ...], foreign: str) -> None:
    if foreign or (debian and system.get("ID", "debian") != "debian"):
        whose = "-".join(filter(None, (system.get("ID"), system.get("VERSION_ID")))) or "an unknown distribution"
        raise ScanFailed(
            f"Packages of {whose} ({foreign or 'deb'}) cannot be checked here: the local scanner checks Debian's. "
            "Scan this image with Amazon ECR."
        )
    if not debian:
        name = system.get("PRETTY_NAME", "an unknown system")
        raise ScanFailed(
            f"No package of the operating system was found in the image ({name}): either its package database was "
            "removed, or it is not Debian's. The local scanner checks Debian images only."
        )
    if not debian[0].release:
        first = debian[0].name
        raise ScanFailed(f"The image does not say which Debian it is (etc/os-release), so {first} cannot be checked.")


def _debian(texts: Mapping[str, str], release: str) -> Iterator[Package]:
    for path in filter(_STATUS.search, texts):
        for stanza in re.split(r"\n\s*\n", texts[path]):
            fields = HeaderParser().parsestr(stanza.strip())
            package, version = fields.get("Package"), fields.get("Version")
            if not package or not version or "deinstall" in fields.get("Status", ""):
                continue
            source = _SOURCE.match(fields.get("Source", ""))
            named = (source[1], source[2] or version) if source else (package, version)
            yield Package(package, version, DEBIAN, release, *named)


def _python(texts: Mapping[str, str]) -> Iterator[Package]:
    for path in filter(_PYTHON.search, texts):
        fields = HeaderParser().parsestr(texts[path])
        name, version = (fields.get(key, "").strip() for key in ("Name", "Version"))
        if name and version:
            name = canonicalize_name(name)
            yield Package(name, version, PYPI, "", name, version, path)


def _delivered_by_debian(texts: Mapping[str, str], debian: Mapping[str, Package]) -> dict[str, list[str]]:
    """Of each file with Python's metadata that Debian's packages list, the upstream versions of these packages."""
    owned: dict[str, list[str]] = {}
    for path in filter(_LIST.search, texts):
        owner = debian.get(posixpath.basename(path).rpartition(".")[0].partition(":")[0])
        if owner is None:
            continue
        upstream = owner.version.partition(":")[2] or owner.version
        for name in _OWNED.findall(texts[path]):
            if _PYTHON.search(name):
                owned.setdefault(f"/{name}", []).append(upstream)
    return owned
