"""The advisories that concern an image, chosen from all that were given.

They are OSV records: in JSON files, in zip archives as OSV publishes them (`all.zip`), or as a list in a YAML file.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import yaml

from localaws.scanner import ScanFailed
from localaws.scanner.advisory import Advisory, Vectors, advisory_of, package_in, vectors_of
from localaws.scanner.packages import Package

MOST_BYTES = 16 * 1024 * 1024  # of one file or entry of an archive; the longest record of OSV has about 3 MiB
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_MALFORMED = (ValueError, TypeError, KeyError, AttributeError)
_DAMAGED_ARCHIVE = (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, EOFError)


@dataclass
class AdvisoryDatabase:
    """What was read from the advisories.

    Attributes:
        by_package: the advisories that may concern the image, by (ecosystem, name).
        vectors: CVSS vectors by CVE id, of all records: a distribution's advisory often has none of its own.
        ecosystems: every ecosystem (with its release) that any of them names.
        count: how many are in force, withdrawn ones left out.
        newest: the latest `modified` among them: how old the vulnerability data is.
    """

    by_package: dict[tuple[str, str], list[Advisory]] = field(default_factory=dict)
    vectors: dict[str, Vectors] = field(default_factory=dict)
    ecosystems: set[str] = field(default_factory=set)
    count: int = 0
    newest: datetime = _LONG_AGO

    def about(self, package: Package) -> list[Advisory]:
        """The advisories that name this package's source."""
        return self.by_package.get((package.ecosystem, package.source), [])

    def covers(self, package: Package) -> bool:
        """Whether there is any advisory for the package's ecosystem."""
        return package.osv_ecosystem in self.ecosystems or package.ecosystem in self.ecosystems

    def take(self, record: Any, origin: str, wanted: set[tuple[str, str]]) -> None:
        """Take in what every OSV record must state, and the whole of one that is about a wanted package.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: something that is needed cannot be read.
        """
        if not isinstance(record, dict) or not isinstance(record["id"], str) or not record["id"]:
            raise ValueError("no id")
        modified = datetime.fromisoformat(record["modified"])
        if modified.tzinfo is None:
            raise ValueError(f"{record['modified']!r} has no time zone")
        about = [entry for entry in record.get("affected") or [] if "package" in entry]
        packages = {package_in(entry) for entry in about}
        if record.get("withdrawn"):
            return
        self.count += 1
        self.ecosystems |= {entry["package"]["ecosystem"] for entry in about}
        self.newest = max(self.newest, modified.astimezone(UTC))
        names = [name for name in (record["id"], *(record.get("aliases") or ())) if name.startswith("CVE-")]
        # An advisory about several vulnerabilities does not say which of them its vector rates.
        if len(names) == 1 and (vectors := vectors_of(record)):
            self.vectors[names[0]] = self.vectors.get(names[0], ()) + vectors
        if concerned := packages & wanted:
            advisory = advisory_of(record, origin)
            for key in concerned:
                self.by_package.setdefault(key, []).append(advisory)


def read_advisories(sources: Iterable[Path], packages: Iterable[Package]) -> AdvisoryDatabase:
    """Read every advisory; keep those that concern these packages.

    Sources are JSON, YAML and zip files, and directories, which are searched to the bottom for them.

    Raises:
        ScanFailed: there is none, one cannot be read, or none names the ecosystem of some of the packages.
    """
    installed = tuple(packages)
    wanted = {(package.ecosystem, package.source) for package in installed}
    database = AdvisoryDatabase()
    for origin, record in _records(sources):
        try:
            database.take(record, origin, wanted)
        except _MALFORMED as fault:
            raise ScanFailed(
                f"The advisory {origin} is not a readable OSV record ({type(fault).__name__}: {fault}). Repair or "
                "remove it; until then nothing is known about the image."
            ) from fault
    _refuse_uncovered(database, installed)
    return database


def _refuse_uncovered(database: AdvisoryDatabase, installed: tuple[Package, ...]) -> None:
    if not database.count:
        raise ScanFailed(
            "There are no advisories, so nothing is known about the image: this is not zero findings. Give the local "
            "target a directory of OSV records."
        )
    unknown = sorted({package.osv_ecosystem for package in installed if not database.covers(package)})
    if unknown:
        how_many = sum(package.osv_ecosystem in unknown for package in installed)
        raise ScanFailed(
            f"None of the {database.count} advisories is about {' or '.join(unknown)}, where {how_many} of the image's "
            "packages come from: nothing is known about them. Add that ecosystem's OSV export to the advisories."
        )


def _records(sources: Iterable[Path]) -> Iterator[tuple[str, Any]]:
    """Every record, with the name of what it was read from."""
    for path in _files(sources):
        if path.suffix.lower() == ".zip":
            yield from _archived(path)
            continue
        try:
            with path.open("rb") as stream:
                content = _bounded(stream, path.name)
        except OSError as fault:
            raise ScanFailed(f"The advisory {path.name} cannot be read: {fault.strerror}.") from fault
        if path.suffix.lower() == ".yaml":
            yield from _listed(path.name, _parsed(path.name, content))
        else:
            yield path.name, _parsed(path.name, content)


def _listed(origin: str, records: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(records, list):
        raise ScanFailed(f"The advisories {origin} are not a list of OSV records.")
    yield from ((f"{origin}, record {number}", record) for number, record in enumerate(records, 1))


def _files(sources: Iterable[Path]) -> Iterator[Path]:
    for source in sources:
        if not source.exists():
            raise ScanFailed(f"The advisories {source.name} do not exist. Give a directory or archive of OSV records.")
        if source.is_file():
            yield source
        for folder, below, names in os.walk(source):
            below.sort()
            yield from (
                Path(folder, name) for name in sorted(names) if name.lower().endswith((".json", ".yaml", ".zip"))
            )


def _archived(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.lower().endswith(".json"):
                    origin = f"{path.name}:{name}"
                    with archive.open(name) as stream:
                        content = _bounded(stream, origin)
                    yield origin, _parsed(origin, content)
    except _DAMAGED_ARCHIVE as fault:
        raise ScanFailed(f"The archive of advisories {path.name} cannot be read: {fault}.") from fault


def _bounded(stream: IO[bytes], origin: str) -> bytes:
    # The size that an archive states may be wrong: what counts is what comes out.
    content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ScanFailed(f"The advisory {origin} is larger than {MOST_BYTES} bytes, so it was not read.")
    return content


def _parsed(origin: str, content: bytes) -> Any:
    try:
        return yaml.safe_load(content) if origin.lower().endswith(".yaml") else json.loads(content)
    except (ValueError, RecursionError, yaml.YAMLError) as fault:
        raise ScanFailed(
            f"The advisory {origin} cannot be parsed: {fault}. Repair or remove it; until then nothing is known about "
            "the image."
        ) from fault
