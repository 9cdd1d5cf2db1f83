"""The image as it is pushed: the archive of `docker save`, kept on disk while it is looked into.

The archive is downloaded once and its headers are read once: the first reading says where the content of each file
lies, so that a file is read only when a check needs it. No program of the image is run. The archive holds a
manifest.json that names the layers, and the layers as tar files, plain or compressed, in folders of the engine or as
blobs (OCI image layout).
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import posixpath
import tarfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import IO, Any, cast

from gate.errors import ImageUnavailable
from gate.image.layers import Layer, Layers, merged, removed_by
from gate.image.package_records import RECORD_BYTES, PackageRecords, is_record, read_records
from gate.image.scratch import ScratchFile
from gate.image.secrets.file_search import FileContent, SecretFinding, SecretSearch
from gate.image.tree import HEAD_BYTES, KEPT_BYTES, ImageFile, Tree, absolute, head_of, kind_of

_MANIFEST_BYTES = 4_000_000
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_UNPACKED: Mapping[bytes, Callable[[Any], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
# What the readers raise at damaged content: bz2 an OSError, as gzip does in part.
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError)
_HEAD = 512


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a layer: where its content begins in the archive, or the file of which it is a further name."""

    file: ImageFile
    offset: int = 0
    first: ImageFile | None = None


@dataclass(frozen=True)
class StoredLayer:
    """One layer as it was read from its headers.

    Attributes:
        layer: what it adds and removes.
        files: every regular file and hard link, in the order of the archive.
        texts: the texts that are kept, by path.
    """

    layer: Layer
    files: tuple[StoredFile, ...]
    texts: Mapping[str, str]


class ImageArchive:
    """An image on disk, which is removed with `close`.

    Args:
        file: holds the archive, and behind it what was unpacked from it.
        layers: lowest first.
    """

    def __init__(self, file: ScratchFile, layers: tuple[StoredLayer, ...]) -> None:
        self._file, self._layers = file, layers

    def close(self) -> None:
        """Give the room on the disk back."""
        self._file.close()

    def tree(self) -> Tree:
        """The files that a container of the image sees."""
        entries = merged([stored.layer for stored in self._layers])
        texts: dict[str, str] = {}
        for stored in self._layers:
            texts = {p: text for p, text in texts.items() if p not in stored.layer.files} | dict(stored.texts)
        kept = {path: text for path, text in texts.items() if path in entries and entries[path].kind == "file"}
        return Tree(entries, kept)

    def search(self, known: PackageRecords) -> Layers:
        """The digest of every file, and the secrets in those that no package record confirms.

        Args:
            known: the records of the merged files, and rpm's, which are no text of a layer; those of files that a
                higher layer replaced or removed are read here.
        """
        records = sum((read_records(stored.texts) for stored in self._layers), known)
        search = SecretSearch(records)
        # Of two equal layers the archive holds one.
        once = {id(stored): stored for stored in self._layers}
        searched = {key: self._searched(stored.files, search) for key, stored in once.items()}
        findings = tuple(
            (number, finding)
            for number, stored in enumerate(self._layers, 1)
            for finding in search.unexplained(searched[id(stored)])
        )
        return Layers(tuple(stored.layer for stored in self._layers), findings, records, search.counts)

    def _searched(self, files: Iterable[StoredFile], search: SecretSearch) -> list[SecretFinding]:
        findings: list[SecretFinding] = []
        for each in files:
            if each.first:
                # The content was searched under its first name; only the new name is left to look at.
                each.file.digest = each.first.digest
                findings += search.by_name(each.file.path)
            else:
                content = FileContent(each.file.path, each.file.size, self._file, each.offset)
                findings += search.search(content)
                each.file.digest = content.digest
        return findings


def read_archive(stream: IO[bytes], count: int, keep: Callable[[str], bool] = is_record) -> ImageArchive:
    """Download and read the archive of `docker save`.

    Args:
        stream: the archive, read once.
        count: the number of layers in the image's configuration.
        keep: whether the text of the file at this path is kept; the package managers' records always are.

    Raises:
        ImageUnavailable: a layer is missing from the archive, or cannot be read; or there is no room for it here.
        tarfile.TarError: the stream is no tar archive or ends early.
    """
    file = ScratchFile()
    try:
        file.append(stream)
        return ImageArchive(file, _layers(file, count, keep))
    except BaseException:
        file.close()
        raise


def _layers(file: ScratchFile, count: int, keep: Callable[[str], bool]) -> tuple[StoredLayer, ...]:
    read: dict[str, StoredLayer | str] = {}
    aliases: dict[str, str] = {}
    manifest, length = b"", file.size
    with tarfile.open(fileobj=file.part(0, length), mode="r:") as archive:
        for member in archive:
            if member.issym() or member.islnk():
                folder = posixpath.dirname(member.name) if member.issym() else ""
                aliases[member.name] = posixpath.normpath(posixpath.join(folder, member.linkname))
            elif member.name == "manifest.json":
                manifest = file.read(member.offset_data, min(member.size, _MANIFEST_BYTES))
            elif member.isfile() and (layer := _blob(file, member, keep)):
                read[posixpath.normpath(member.name)] = layer
        _require_end(file, archive.offset, length - archive.offset)
    names = [_followed(name, aliases) for name in _layer_names(manifest, count)]
    found = []
    for number, name in enumerate(names, 1):
        layer = read.get(name, "the archive does not hold it")
        if isinstance(layer, str):
            raise _unreadable(f"layer {number} of {len(names)}: {layer}")
        found.append(layer)
    return tuple(found)


def _require_end(file: ScratchFile, begin: int, left: int) -> None:
    """An archive ends with a block of zeros, or with the file; at any other block `tarfile` would just stop."""
    if left < 0 or any(file.read(begin, min(left, tarfile.BLOCKSIZE))):
        raise tarfile.ReadError("unexpected end of data")


def _followed(name: str, aliases: Mapping[str, str]) -> str:
    """The name of the layer that a link stands for; of two equal layers the archive holds one and a link."""
    for _ in range(len(aliases)):
        if name not in aliases:
            break
        name = aliases[name]
    return name


def _layer_names(manifest: bytes, count: int) -> list[str]:
    try:
        (image,) = json.loads(manifest)
        names = [posixpath.normpath(name) for name in image["Layers"] or ()]
    except (TypeError, ValueError, LookupError, RecursionError):
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


def _blob(file: ScratchFile, member: tarfile.TarInfo, keep: Callable[[str], bool]) -> StoredLayer | str | None:
    """A blob that is a layer, or why it cannot be read; configurations, indexes and attestations are JSON (None)."""
    begin, size = member.offset_data, member.size
    head = file.read(begin, min(size, _HEAD))
    if head.startswith(_ZSTANDARD):
        return "it is compressed with Zstandard, which Lambda does not accept either"
    unpacked = next((reader for magic, reader in _UNPACKED.items() if head.startswith(magic)), None)
    if not unpacked and (not head or (head[257:262] != b"ustar" and any(head))):
        return None
    try:
        if unpacked:
            begin = file.append(unpacked(file.part(begin, size)))
            size = file.size - begin
        return _read_layer(file, begin, size, keep)
    except _DAMAGED as error:
        return str(error)


def _read_layer(file: ScratchFile, start: int, size: int, keep: Callable[[str], bool]) -> StoredLayer:
    files: dict[str, ImageFile] = {}
    stored: list[StoredFile] = []
    texts: dict[str, str] = {}
    removed, emptied = set[str](), set[str]()
    with tarfile.open(fileobj=file.part(start, size), mode="r:") as archive:
        while member := archive.next():
            cast(Any, archive).members.clear()  # it would keep them all, which a million files do not allow
            path = absolute(member.name)
            texts.pop(path, None)
            if removed_by(path, removed, emptied):
                continue
            if member.islnk():
                first = files.get(absolute(member.linkname), ImageFile(path, "file", member.mode))
                files[path] = replace(first, path=path)
                stored.append(StoredFile(files[path], first=first))
            elif member.isfile():
                # One with holes is written out first.
                holes = archive.extractfile(member) if member.issparse() else None
                begin = file.append(holes) if holes else start + member.offset_data
                if not holes and member.offset_data + member.size > size:
                    raise tarfile.ReadError("unexpected end of data")
                head = head_of(file.read(begin, min(member.size, HEAD_BYTES)))
                files[path] = ImageFile(path, "file", member.mode, member.size, head=head)
                stored.append(StoredFile(files[path], begin))
                if member.size <= (RECORD_BYTES if is_record(path) else KEPT_BYTES if keep(path) else -1):
                    texts[path] = file.read(begin, member.size).decode("utf-8", "replace")
            else:
                files[path] = ImageFile(path, kind_of(member), member.mode, link=member.linkname)
        _require_end(file, start + archive.offset, size - archive.offset)
    return StoredLayer(Layer(files, frozenset(removed), frozenset(emptied)), tuple(stored), texts)
