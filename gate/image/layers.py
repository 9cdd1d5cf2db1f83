"""The image's layers as they are pushed, read once from `docker save`. No program of the image is run.

Everyone who pulls an image can read all of its layers, including files that a later layer deletes. The archive holds
a manifest.json that names the configuration and the layers, and the layers as tar files, plain or compressed, in
folders of the engine or as blobs (OCI image layout).
"""

from __future__ import annotations

import io
import json
import posixpath
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from gate.errors import ImageUnavailable
from gate.image.package_records import RECORD_BYTES, PackageRecords, is_record, read_records
from gate.image.secrets.file_search import FileContent, SecretFinding, SecretSearch
from gate.image.tree import ImageFile, absolute, hard_link, kind_of

_MANIFEST_BYTES = 4_000_000
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_HEAD, _BUFFER = 512, 1 << 16


@dataclass(frozen=True)
class Layer:
    """One layer: the files that it adds and removes (OCI image spec, "Whiteouts").

    Attributes:
        files: by absolute path.
        removed: deleted paths, with everything below them.
        emptied: folders whose content of lower layers is deleted.
    """

    files: Mapping[str, ImageFile] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    emptied: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Layers:
    """All layers of an image, lowest first.

    Attributes:
        findings: possible secrets and files that could not be searched, each with the layer's number from 1.
        records: the package managers' records, of all layers.
        searched: how many files were searched for secrets, and how many a package record confirms.
    """

    layers: tuple[Layer, ...]
    findings: tuple[tuple[int, SecretFinding], ...]
    records: PackageRecords
    searched: Mapping[str, int]


def merged(layers: Sequence[Layer]) -> dict[str, ImageFile]:
    """The files that a container of these layers sees, by path."""
    found: dict[str, ImageFile] = {}
    for layer in layers:
        folders = _folders(found)
        gone = (
            *layer.removed,
            *layer.emptied,
            *(path for path, file in layer.files.items() if file.kind != "directory" and path in folders),
        )
        if gone:
            below = tuple(f"{path.rstrip('/')}/" for path in gone)
            found = {
                path: file for path, file in found.items() if not (path in layer.removed or path.startswith(below))
            }
        found.update(layer.files)
    return found


def _folders(paths: Iterable[str]) -> set[str]:
    """Every folder above these paths, whether or not it has an entry of its own."""
    found = set()
    for path in paths:
        while (path := posixpath.dirname(path)) not in found and path != "/":
            found.add(path)
    return found


def read_layers(stream: IO[bytes], count: int, known: PackageRecords) -> Layers:
    """Read the archive of `docker save`.

    Args:
        stream: the archive, read once.
        count: the number of layers in the image's configuration.
        known: the package managers' records that are known beforehand.

    Raises:
        ImageUnavailable: a layer is missing from the archive, or cannot be read.
        tarfile.TarError: the stream is no tar archive or ends early.
    """
    search = SecretSearch(known)
    read: dict[str, _ReadLayer] = {}
    aliases: dict[str, str] = {}
    manifest: Any = None
    with tarfile.open(fileobj=stream, mode="r|", bufsize=_BUFFER) as archive:
        for member in archive:
            if member.issym() or member.islnk():
                folder = posixpath.dirname(member.name) if member.issym() else ""
                aliases[member.name] = posixpath.normpath(posixpath.join(folder, member.linkname))
            elif member.name == "manifest.json":
                manifest = _manifest(archive.extractfile(member))
            elif member.isfile():
                _read_blob(archive, member, read, search)
    names = [_followed(name, aliases) for name in _layer_names(manifest, count)]
    return _in_order(names, read, search)


def _followed(name: str, aliases: Mapping[str, str]) -> str:
    """The name of the layer that a link stands for; of two equal layers the archive holds one and a link."""
    for _ in range(len(aliases)):
        if name not in aliases:
            break
        name = aliases[name]
    return name


def _manifest(file: IO[bytes] | None) -> Any:
    try:
        return json.loads(file.read(_MANIFEST_BYTES)) if file else None
    except (ValueError, RecursionError):
        return None


def _layer_names(manifest: Any, count: int) -> list[str]:
    try:
        (image,) = manifest
        names = [posixpath.normpath(name) for name in image["Layers"] or ()]
    except (TypeError, ValueError, LookupError):
        raise _unreadable("its manifest.json does not name one image and its layers") from None
    if len(names) != count:
        raise _unreadable(f"it names {len(names)} layers, and the image's configuration {count}")
    return names


def _unreadable(why: str) -> ImageUnavailable:
    return ImageUnavailable(
        f"the layers of the image cannot be read: {why}",
        where="docker save",
        remedy="build the image again; if it stays so, see what `docker save` gives by hand",
    )


@dataclass
class _ReadLayer:
    """What was read of one layer; `failed` is the reason why it could not be read."""

    layer: Layer = field(default_factory=Layer)
    findings: list[SecretFinding] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    failed: str = ""


def _read_blob(
    archive: tarfile.TarFile, member: tarfile.TarInfo, read: dict[str, _ReadLayer], search: SecretSearch
) -> None:
    """Read a blob if it is a layer; configurations, indexes and attestations are JSON."""
    file = archive.extractfile(member)
    # A buffered reader: looking at the first bytes leaves them to be read.
    head = file.peek(_HEAD) if isinstance(file, io.BufferedReader) else b""
    if not head or not _is_layer(head):
        return
    name = posixpath.normpath(member.name)
    if head.startswith(_ZSTANDARD):
        read[name] = _ReadLayer(failed="it is compressed with Zstandard, which Lambda does not accept either")
        return
    try:
        with tarfile.open(fileobj=file, mode="r|*", bufsize=_BUFFER) as layer:
            read[name] = _read_layer(layer, search)
    except (tarfile.TarError, EOFError) as error:
        read[name] = _ReadLayer(failed=str(error))


def _is_layer(head: bytes) -> bool:
    return (
        head[257:262] == b"ustar"
        or head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", _ZSTANDARD))
        or not any(head[:_HEAD])
    )


def _read_layer(archive: tarfile.TarFile, search: SecretSearch) -> _ReadLayer:
    found, files = _ReadLayer(), dict[str, ImageFile]()
    removed, emptied = set[str](), set[str]()
    for member in archive:
        path = absolute(member.name)
        folder, name = posixpath.split(path)
        if name == _OPAQUE:
            emptied.add(folder)
        elif name.startswith(_WHITEOUT):
            removed.add(posixpath.join(folder, name.removeprefix(_WHITEOUT)))
        elif member.islnk():
            # The content was searched under its first name; only the new name is left to look at.
            files[path] = hard_link(files, path, member)
            found.findings += search.by_name(path)
        elif file := archive.extractfile(member) if member.isfile() else None:
            files[path] = _read_file(FileContent(path, member.size, file), member.mode, search, found)
        else:
            files[path] = ImageFile(path, kind_of(member), member.mode, link=member.linkname)
    found.layer = Layer(files, frozenset(removed), frozenset(emptied))
    return found


def _read_file(content: FileContent, mode: int, search: SecretSearch, found: _ReadLayer) -> ImageFile:
    found.findings += search.search(content)
    if is_record(content.path) and content.size <= RECORD_BYTES:
        found.texts[content.path] = content.data.decode("utf-8", "replace")
    return ImageFile(content.path, "file", mode, content.size, digest=content.digest)


def _in_order(names: Sequence[str], read: Mapping[str, _ReadLayer], search: SecretSearch) -> Layers:
    readings = []
    for number, name in enumerate(names, 1):
        reading = read.get(name, _ReadLayer(failed="the archive does not hold it"))
        if reading.failed:
            raise _unreadable(f"layer {number} of {len(names)}: {reading.failed}")
        readings.append(reading)
    records = sum((read_records(reading.texts) for reading in readings), search.known)
    findings = tuple(
        (number, finding)
        for number, reading in enumerate(readings, 1)
        for finding in search.unexplained(reading.findings, records)
    )
    return Layers(tuple(reading.layer for reading in readings), findings, records, search.counts)


def base_count(layers: Sequence[str], base_layers: Sequence[str]) -> int:
    """How many of an image's layers are its base's: all of the base's, or 0 if they are not its lowest ones."""
    return len(base_layers) if base_layers and tuple(layers[: len(base_layers)]) == tuple(base_layers) else 0
