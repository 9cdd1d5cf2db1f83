"""The SBOM of an image: a thin runner of syft (CycloneDX 1.x JSON), kept by digest between runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packageurl import PackageURL

from gate.errors import ScanUnavailable
from gate.scan.components import OS_TYPES, Component
from gate.text import plain

TIMEOUT = 300.0
# The SBOM of a 1.4 GB image is about 5 MB; more than twenty times that is not read.
MAX_BYTES = 100_000_000
_LOCATION = re.compile(r"syft:location:\d+:path")
# syft's property for what found a component, and the finder that reads the notes in ELF programs.
_FOUND_BY, _ELF_NOTES = "syft:package:foundBy", "elf-binary-package-cataloger"
_REMEDY = "run again; if it stays so, run the same syft command by hand and read what it says"


@dataclass(frozen=True)
class Sbom:
    """What an image consists of.

    Attributes:
        components: packages and binaries; files and the operating system's own entry are left out.
        path: the CycloneDX document, kept as evidence.
        tool: what made it, such as "syft 1.18.1".
    """

    components: tuple[Component, ...]
    path: Path
    tool: str


def make_sbom(source: str, digest: str, folder: Path, *, timeout: float = TIMEOUT) -> Sbom:
    """Catalogue an image, or read the document made for the same digest before, which is kept in the folder.

    The source is as syft takes it: "docker:" and an image reference, or "docker-archive:" or "oci-archive:" and a file.

    Raises:
        ScanUnavailable: syft cannot be run, does not end, or writes no readable SBOM.
    """
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise ScanUnavailable(f"An SBOM is kept by digest, and {plain(digest)!r} is none", where=plain(source))
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{digest.replace(':', '-')}.cdx.json"
    if kept.exists() and spdx_of(kept).exists():
        try:
            return read_sbom(kept)
        except ScanUnavailable:
            kept.unlink()  # cut short by a crash: it is made again
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = Path(scratch, "made.cdx.json")
        _run(source, made, spdx_of(made), timeout)
        found = read_sbom(made)
        if not spdx_of(made).exists():
            raise ScanUnavailable("syft wrote no SPDX document", where=source, remedy=_REMEDY)
        os.replace(spdx_of(made), spdx_of(kept))
        os.replace(made, kept)
    return replace(found, path=kept)


def spdx_of(cyclonedx: Path) -> Path:
    """Where the same SBOM is kept as SPDX JSON; it is attached to the image for other tools, and not read here."""
    return cyclonedx.with_name(cyclonedx.name.replace(".cdx.json", ".spdx.json"))


def _run(source: str, output: Path, spdx: Path, timeout: float) -> None:
    syft = Path(sys.executable).with_name("syft")
    outputs = ("--output", f"cyclonedx-json={output}", "--output", f"spdx-json={spdx}")
    command = [str(syft), "scan", "--quiet", source, *outputs]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=timeout,
            check=False,
            env={**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"},
        )
    except subprocess.TimeoutExpired as error:
        raise ScanUnavailable(f"syft did not end within {timeout:.0f} s", where=source, remedy=_REMEDY) from error
    except OSError as error:
        raise ScanUnavailable(
            f"syft cannot be run: {error.strerror}", where=str(syft.name), remedy="run make once: it installs syft"
        ) from error
    if done.returncode:
        said = plain(done.stderr.decode("utf-8", "replace"))
        raise ScanUnavailable(f"syft ended with {done.returncode}: {said}", where=source, remedy=_REMEDY)


def read_sbom(path: Path) -> Sbom:
    """The SBOM in a CycloneDX JSON file.

    Raises:
        ScanUnavailable: the file is missing, too large, or no CycloneDX document with components.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES:,} bytes ({size:,})")
        document: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        why = plain(str(error))
        raise ScanUnavailable(f"The SBOM cannot be read: {why}", where=path.name, remedy=_REMEDY) from error
    return Sbom(components_of(document, path.name), path, _tool(document))


def components_of(document: Any, where: str = "SBOM") -> tuple[Component, ...]:
    """The components of a CycloneDX document.

    Raises:
        ScanUnavailable: it is no CycloneDX document, or lists nothing.
    """
    # CycloneDX requires no `components`: syft leaves it out for an image in which it finds none.
    listed = document.get("components", []) if isinstance(document, dict) else None
    if not isinstance(listed, list) or document.get("bomFormat") != "CycloneDX":
        raise ScanUnavailable("This is no CycloneDX document with a list of components", where=where, remedy=_REMEDY)
    kinds = {"operating-system", "file"}
    found = tuple(_component(c) for c in _with_their_own(listed) if c.get("type") not in kinds)
    if not found:
        raise ScanUnavailable("The SBOM lists no component at all", where=where, remedy=_REMEDY)
    return found


def _with_their_own(listed: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Each component, and the components that it consists of (CycloneDX, `components` of a component)."""
    for each in listed:
        if isinstance(each, dict):
            yield each
            yield from _with_their_own(each.get("components") or ())


def _component(raw: dict[str, Any]) -> Component:
    purl = plain(str(raw.get("purl") or ""))
    try:
        kind = PackageURL.from_string(purl).type if purl else ""
    except ValueError:
        kind = ""  # a component without a readable purl is one that no scanner looks at
    # syft writes what it knows as properties, a component's places among them: syft:location:0:path, …
    listed = [each for each in raw.get("properties") or [] if isinstance(each, dict)]
    properties = [(str(each.get("name")), str(each.get("value") or "")) for each in listed]
    if kind in OS_TYPES and (_FOUND_BY, _ELF_NOTES) in properties:
        # A note in a program names the package that it was built for. Scanners read the package database, and a
        # program that the database lists is not found by its note.
        kind = "generic"
    name, version = (plain(str(raw.get(key) or "")) for key in ("name", "version"))
    paths = tuple(plain(value) for key, value in properties if _LOCATION.fullmatch(key))
    return Component(name, version, purl, kind, paths)


def _tool(document: dict[str, Any]) -> str:
    tools = (document.get("metadata") or {}).get("tools") or {}
    listed = tools.get("components") if isinstance(tools, dict) else tools
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    return plain(f"{first.get('name', 'unknown')} {first.get('version', '')}".strip())
