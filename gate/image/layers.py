"""The image's layers as they are pushed: read once from the engine's archive, on the host, trusting no program in it.

Whoever pulls an image can read every layer, also what a later one deletes. The archive is that of `docker save`: a
manifest.json that names configuration and layers, beside the layers as tar files, plain or gzip'ed, in the engine's
own folders or as blobs (OCI image layout).
"""

from __future__ import annotations

import json
import posixpath
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from gate.errors import ImageUnavailable
from gate.image.records import RECORD_BYTES, Records, is_record, records_of
from gate.image.search import Content, Search, Suspect
from gate.image.tree import Kind, absolute, kind_of

_MANIFEST_BYTES = 4_000_000
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_HEAD, _BUFFER = 512, 1 << 16


@dataclass(frozen=True)
class LayerFile:
    """One entry of a layer.

    Attributes:
        kind: file, directory, symlink or other.
        mode: permission bits.
        size: in bytes.
        link: what a symlink points at.
        digest: of a file's content, as "algorithm:hex"; the same algorithm for the same path in every layer.
    """

    kind: Kind
    mode: int = 0o755
    size: int = 0
    link: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Layer:
    """One layer: what it adds, and what it takes away from the layers below (OCI image spec, "Whiteouts").

    Attributes:
        files: by absolute path.
        removed: paths that are deleted, with all below them.
        emptied: folders whose earlier content is deleted.
    """

    files: Mapping[str, LayerFile] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    emptied: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Layers:
    """All layers of an image, lowest first.

    Attributes:
        suspects: what looks like a secret or could not be looked into, by the layer's number from 1.
        records: what the package managers recorded, in any layer.
        searched: how many files were searched for secrets, and how many a record vouches for.
    """

    layers: tuple[Layer, ...]
    suspects: tuple[tuple[int, Suspect], ...]
    records: Records
    searched: Mapping[str, int]


def merged(layers: Sequence[Layer]) -> dict[str, LayerFile]:
    """The files that a container of these layers sees."""
    found: dict[str, LayerFile] = {}
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
                path: file for path, file in found.items() if path not in layer.removed and not path.startswith(below)
            }
        found.update(layer.files)
    return found


def _folders(paths: Iterable[str]) -> set[str]:
    """Every folder on the way to these paths, whether or not it is an entry of its own."""
    found = set()
    for path in paths:
        while (path := posixpath.dirname(path)) not in found and path != "/":
            found.add(path)
    return found


def read_layers(stream: IO[bytes], count: int, known: Records) -> Layers:
    """Read the archive of `docker save`, once from front to end.

    Args:
        stream: the archive.
        count: how many layers the image's configuration names.
        known: the package managers' records, as far as they are known before.

    Raises:
        ImageUnavailable: the archive does not hold the layers that it names, or one that cannot be read.
        tarfile.TarError: the stream is no tar archive or ends early.
    """
    search = Search(known)
    read: dict[str, _Reading] = {}
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
    """An archive holds one layer of two equal ones, and a link for the other."""
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
class _Reading:
    """What was read of one blob; `failed` says why it could not be."""

    layer: Layer = field(default_factory=Layer)
    suspects: list[Suspect] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    failed: str = ""


class _Rewound:
    """A file of which the first bytes were looked at already."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int) -> bytes:
        """The next bytes."""
        if not self._head:
            return self._rest.read(size)
        given, self._head = self._head[:size], self._head[size:]
        return given


def _read_blob(archive: tarfile.TarFile, member: tarfile.TarInfo, read: dict[str, _Reading], search: Search) -> None:
    """A layer, or nothing: beside the layers lie configurations, indexes and attestations, all of them JSON."""
    file = archive.extractfile(member)
    head = file.read(_HEAD) if file else b""
    if not file or not head or not _begins_layer(head):
        return
    name = posixpath.normpath(member.name)
    if head.startswith(_ZSTANDARD):
        read[name] = _Reading(failed="it is compressed with Zstandard, which Lambda does not take either")
        return
    try:
        with tarfile.open(fileobj=_Rewound(head, file), mode="r|*", bufsize=_BUFFER) as layer:  # type: ignore[call-overload]
            read[name] = _read_layer(layer, search)
    except (tarfile.TarError, EOFError) as error:
        read[name] = _Reading(failed=str(error))


def _begins_layer(head: bytes) -> bool:
    return head[257:262] == b"ustar" or head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", _ZSTANDARD)) or not any(head)


def _read_layer(archive: tarfile.TarFile, search: Search) -> _Reading:
    found, files = _Reading(), dict[str, LayerFile]()
    removed, emptied = set[str](), set[str]()
    for member in archive:
        path = absolute(member.name)
        folder, name = posixpath.split(path)
        if name == _OPAQUE:
            emptied.add(folder)
        elif name.startswith(_WHITEOUT):
            removed.add(posixpath.join(folder, name.removeprefix(_WHITEOUT)))
        elif member.islnk():
            # The content was searched under its first name; a telling name counts for each.
            files[path] = files.get(absolute(member.linkname), LayerFile("file", member.mode))
            found.suspects += search.by_name(path)
        elif member.isfile():
            files[path] = _read_file(archive, member, path, search, found)
        else:
            files[path] = LayerFile(kind_of(member), member.mode, link=member.linkname)
    found.layer = Layer(files, frozenset(removed), frozenset(emptied))
    return found


def _read_file(
    archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, search: Search, found: _Reading
) -> LayerFile:
    file = archive.extractfile(member)
    assert file is not None  # noqa: S101 - for the type checker: a regular file has content
    content = Content(path, member.size, file)
    found.suspects += search.look(content)
    if is_record(path) and member.size <= RECORD_BYTES:
        found.texts[path] = content.head.decode("utf-8", "replace")
    return LayerFile("file", member.mode, member.size, digest=content.digest)


def _in_order(names: Sequence[str], read: Mapping[str, _Reading], search: Search) -> Layers:
    readings = []
    for number, name in enumerate(names, 1):
        reading = read.get(name, _Reading(failed="the archive does not hold it"))
        if reading.failed:
            raise _unreadable(f"layer {number} of {len(names)}: {reading.failed}")
        readings.append(reading)
    records = search.known + records_of(reading.texts for reading in readings)
    suspects = tuple(
        (number, suspect)
        for number, reading in enumerate(readings, 1)
        for suspect in search.unvouched(reading.suspects, records)
    )
    return Layers(tuple(reading.layer for reading in readings), suspects, records, search.counts)


def base_count(layers: Sequence[str], base_layers: Sequence[str]) -> int:
    """How many of an image's layers are its base's (0 where it does not descend from it: then all are its own)."""
    return len(base_layers) if base_layers and tuple(layers[: len(base_layers)]) == tuple(base_layers) else 0
