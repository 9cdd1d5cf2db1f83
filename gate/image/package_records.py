"""The digests that package managers record of the files that they install. Pure.

A file that equals its record comes from a published package, so its content is public. The formats are RECORD (PyPA,
"Recording installed projects"), md5sums (deb-md5sums(5)), the conffiles of dpkg's status file, rpm's dump, and the JSON
files in conda-meta.
"""

from __future__ import annotations

import base64
import binascii
import csv
import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

RECORD_BYTES = 32_000_000
# Before the target of a symlink, in place of an algorithm.
LINK = "link:"
_DPKG = "/var/lib/dpkg"
# The places of rpm's database, old and new (rpm's macro %_dbpath).
RPM_DATABASES = ("/var/lib/rpm", "/usr/lib/sysimage/rpm")
_CONFFILE = re.compile(r"^ (/\S+) ([0-9a-f]{32})(?: obsolete)?$", re.M)
_MD5SUM = re.compile(r"^([0-9a-f]{32}) [ *](.+)$", re.M)
# /bin, /lib and /sbin are links into /usr; packages may record either path.
_MERGED = re.compile(r"^/(bin|sbin|lib|lib32|lib64|libx32)/")


def is_record(path: str) -> bool:
    """Whether this is a file with the records of a package manager."""
    if path.startswith(_DPKG):
        return path == f"{_DPKG}/status" or path.endswith(".md5sums") or path.startswith(f"{_DPKG}/status.d/")
    return path.endswith((".dist-info/RECORD", ".dist-info/direct_url.json")) or _is_condas(path)


def _is_condas(path: str) -> bool:
    return path.endswith(".json") and posixpath.basename(posixpath.dirname(path)) == "conda-meta"


@dataclass(frozen=True)
class PackageRecords:
    """The digests that package managers recorded.

    Attributes:
        digests: by path; each as "algorithm:hex", or "link:target" for a symbolic link.
        managed: the package managers with records ("dpkg", "pip", "conda", "rpm").
    """

    digests: Mapping[str, frozenset[str]] = field(default_factory=dict)
    managed: frozenset[str] = frozenset()

    def algorithms(self, path: str) -> list[str]:
        """The algorithms of a path's recorded digests (sha256 if there is none)."""
        return sorted({digest.partition(":")[0] for digest in self.digests.get(path, ())} - {"link"}) or ["sha256"]

    def confirms(self, path: str, digest: str) -> bool:
        """Whether a package manager recorded this digest for the path."""
        return digest in self.digests.get(path, ())

    def lists(self, path: str) -> bool:
        """Whether a package manager recorded the path."""
        return path in self.digests

    def __add__(self, other: PackageRecords) -> PackageRecords:
        merged = dict(self.digests)
        for path, digests in other.digests.items():
            merged[path] = merged.get(path, frozenset()) | digests
        return PackageRecords(merged, self.managed | other.managed)


def read_records(texts: Mapping[str, str]) -> PackageRecords:
    """The records in these texts of an image's files, by path; other files are ignored."""
    found: dict[str, set[str]] = {}
    managed = set()
    for path, text in texts.items():
        if not is_record(path):
            continue
        manager = "dpkg" if path.startswith(_DPKG) else "conda" if _is_condas(path) else "pip"
        read = {"dpkg": _dpkg, "conda": _conda}.get(manager)
        for name, digest in read(path, text) if read else _wheel(path, text, texts):
            managed.add(manager)
            found.setdefault(name, set()).add(digest)
    return PackageRecords({path: frozenset(digests) for path, digests in found.items()}, frozenset(managed))


def rpm_records(dump: str) -> PackageRecords:
    """The records of `rpm --query --all --dump` (rpm(8)): path size mtime digest mode owner …, a line each."""
    files: dict[str, frozenset[str]] = {}
    for line in dump.splitlines():
        columns = line.rsplit(" ", 10)
        if not line.startswith("/") or len(columns) != 11:  # noqa: PLR2004 - the columns of a dump
            continue
        path, digest, link = columns[0], columns[3], columns[10]
        recorded = frozenset({f"{LINK}{link}" if link != "X" else f"{_rpm_algorithm(digest)}:{digest}"})
        files |= {each: recorded for each in (path, f"/usr{path}") if each == path or _MERGED.match(path)}
    return PackageRecords(files, frozenset({"rpm"} if files else ()))


def _rpm_algorithm(digest: str) -> str:
    return {32: "md5", 40: "sha1", 128: "sha512"}.get(len(digest), "sha256")


def _dpkg(path: str, text: str) -> Iterator[tuple[str, str]]:
    if not path.endswith(".md5sums"):
        yield from ((name, f"md5:{digest}") for name, digest in _CONFFILE.findall(text))
        return
    for digest, name in _MD5SUM.findall(text):
        installed = posixpath.normpath("/" + name.lstrip("/"))
        yield installed, f"md5:{digest}"
        if _MERGED.match(installed):
            yield f"/usr{installed}", f"md5:{digest}"


def _conda(path: str, text: str) -> Iterator[tuple[str, str]]:
    """The files of a package from a channel (conda, "conda-meta"); what it adapts to its folder has a second digest."""
    try:
        package = json.loads(text)
        files = package["paths_data"]["paths"] if package["url"].startswith("https://") else []
        for file in files:
            where = posixpath.normpath(posixpath.join(posixpath.dirname(path), "..", file["_path"]))
            yield from ((where, f"sha256:{file[key]}") for key in ("sha256", "sha256_in_prefix") if key in file)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return  # no installer writes such a file, so it confirms nothing


def _wheel(path: str, text: str, texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The files of a wheel from a package index, which is published; others have a direct_url.json (PEP 610)."""
    folder = posixpath.dirname(path)
    if not path.endswith("/RECORD") or f"{folder}/direct_url.json" in texts:
        return
    root = posixpath.dirname(folder)
    for name, recorded, _size in _rows(text):
        digest = _hex(recorded)
        if digest:
            yield posixpath.normpath(posixpath.join(root, name)), digest


def _rows(record: str) -> list[list[str]]:
    try:
        rows = list(csv.reader(record.splitlines(), strict=True))
    except csv.Error:
        # No installer writes such a file, so it confirms nothing.
        return []
    return [row for row in rows if len(row) == 3]  # noqa: PLR2004 - path, hash and size


def _hex(recorded: str) -> str:
    """sha256=<urlsafe base64 without padding> as sha256:hex; "" if there is no hash, or no valid one."""
    algorithm, _, text = recorded.partition("=")
    if algorithm not in {"sha256", "sha384", "sha512"}:
        return ""
    try:
        return f"{algorithm}:{base64.urlsafe_b64decode(text + '=' * (-len(text) % 4)).hex()}"
    except (binascii.Error, ValueError):
        return ""


def source_of(path: str) -> str:
    """The source of a compiled file, or "" (PEP 3147): a/__pycache__/b.cpython-311.pyc is compiled from a/b.py."""
    folder, name = posixpath.split(path)
    if not name.endswith(".pyc"):
        return ""
    if posixpath.basename(folder) == "__pycache__":
        return posixpath.join(posixpath.dirname(folder), name.split(".")[0] + ".py")
    return path[:-1]
