"""The image as it is pushed: its layers, as the engine saves them, looked into on this machine's disk.

The headers of a layer are read once and say where the content of each file lies, so that a file is read only when a
check needs it. No program of the image is run. The archive of `docker save` is downloaded only where a layer is not
kept from an earlier run. It holds the layers as tar files, plain or compressed, under names that differ from engine to
engine; which is which is told by their digests.
"""

from __future__ import annotations

import tarfile
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import IO, Any, cast

from gate.errors import ImageUnavailable
from gate.image.layer_files import DAMAGED, LayerFile, LayerFolder
from gate.image.layers import Layer, Layers, removed_by
from gate.image.package_records import LINK, RECORD_BYTES, PackageRecords, is_record, read_records, source_of
from gate.image.secrets.file_search import SecretFinding, SecretSearch
from gate.image.tree import HEAD_BYTES, KEPT_BYTES, ImageFile, Tree, absolute, head_of, kind_of

_THREADS = 2


@dataclass(frozen=True)
class StoredLayer:
    """One layer as it was read from its headers.

    Attributes:
        layer: what it adds and removes.
        file: holds the contents.
        files: every regular file and hard link in the order of the archive, whether or not a later entry replaces it.
        places: where the content of each of them begins in the file, in bytes.
        shared: contents with several names (hard links), by their place; each with its digest once it was searched.
        unfolded: contents that are stored with holes, by their place, written out.
        texts: the texts that are kept, by path.
    """

    layer: Layer
    file: LayerFile
    files: Sequence[ImageFile]
    places: Sequence[int]
    shared: dict[int, str]
    unfolded: Mapping[int, LayerFile]
    texts: Mapping[str, str]

    def contents(self, wanted: Callable[[str], bool] = lambda _: True) -> Iterator[tuple[ImageFile, LayerFile]]:
        """The files under wanted paths, each with its content."""
        for file, place in zip(self.files, self.places, strict=True):
            if wanted(file.path):
                yield file, self.unfolded.get(place) or self.file.part(place, file.size)

    def search(self, search: SecretSearch, compared: Collection[str]) -> list[SecretFinding]:
        """The secrets in its files; sets the digests of those that have a record or are compared with another."""
        findings: list[SecretFinding] = []
        for place, (file, content) in zip(self.places, self.contents(), strict=True):
            if self.shared.get(place):
                # Searched under another name; only the new name is left to look at.
                file.digest = self.shared[place]
                findings += search.by_name(file.path)
                continue
            findings += search.search(file, content, hashed=place in self.shared or file.path in compared)
            if place in self.shared:
                self.shared[place] = file.digest
        return findings


class ImageArchive:
    """An image on disk.

    Args:
        layers: lowest first.
    """

    def __init__(self, layers: tuple[StoredLayer, ...]) -> None:
        self._layers, self._read = layers, Layers(tuple(stored.layer for stored in layers))

    def tree(self) -> Tree:
        """The files that a container of the image sees."""
        entries = self._read.files()
        texts: dict[str, str] = {}
        for stored in self._layers:
            texts = {p: text for p, text in texts.items() if p not in stored.layer.files} | dict(stored.texts)
        kept = {path: text for path, text in texts.items() if path in entries and entries[path].kind == "file"}
        return Tree(entries, kept)

    def search(self, known: PackageRecords, base_layers: int = 0) -> Layers:
        """The secrets that the image adds to its base, in files that no package record confirms.

        Args:
            known: the records of the merged files, and rpm's, which are no text of a layer; those of files that a
                higher layer replaced or removed are read here.
            base_layers: how many of the layers, the lowest, are the base's; their secrets are not the image's.
        """
        records = sum((read_records(stored.texts) for stored in self._layers), known)
        search, own = SecretSearch(records), self._layers[base_layers:]
        above = [stored.layer.files for stored in own]
        for stored in self._layers[:base_layers]:
            search.counts["of the base"] += len(stored.files)
            for file, content in stored.contents(lambda path: any(path in files for files in above)):
                search.confirms(file, content)
        # Of two equal layers one is read.
        once = {id(stored): stored for stored in own}
        searched = {key: each.search(search, self._read.files(base_layers)) for key, each in once.items()}
        found = [
            (number, finding) for number, stored in enumerate(own, base_layers + 1) for finding in searched[id(stored)]
        ]
        sources = {source_of(finding.path) for _, finding in found}
        recorded = (each for stored in self._layers for each in stored.contents(sources.__contains__))
        findings = search.unexplained(found, recorded)
        return replace(self._read, findings=findings, records=records, installed=known, searched=search.counts)


def read_image(
    digests: Sequence[str],
    folder: LayerFolder,
    save: Callable[[], AbstractContextManager[IO[bytes]]],
    keep: Callable[[str], bool] = is_record,
) -> ImageArchive:
    """Read the layers of an image.

    Args:
        digests: of the layers, lowest first, as the image's configuration states them.
        folder: keeps these layers for the next run.
        save: opens the archive of `docker save`, which is read once.
        keep: whether the text of the file at this path is kept; the package managers' records always are.

    Raises:
        ImageUnavailable: a layer is missing from the archive, or cannot be read; or there is no room for it here.
        tarfile.TarError: the stream is no tar archive or ends early.
    """
    read: dict[str, StoredLayer] = {}
    why, unique = "the archive does not hold it", tuple(dict.fromkeys(digests))

    def take(digest: str, file: LayerFile | None) -> None:
        place = f"layer {digests.index(digest) + 1} of {len(digests)}"
        try:
            if not file:
                raise _unreadable(f"{place}: {why}")
            read[digest] = _read_layer(file, folder, keep)
        except DAMAGED as error:
            raise _unreadable(f"{place}: {error}") from error

    with ThreadPoolExecutor(_THREADS) as threads:
        # One layer is read while the next ones are hashed.
        for digest, file in zip(unique, threads.map(folder.kept, unique), strict=True):
            if file:
                take(digest, file)
    if missing := [digest for digest in unique if digest not in read]:
        files: dict[str, LayerFile] = {}
        with save() as stream:
            why = folder.unpack(stream, files) or why
        for digest in missing:
            take(digest, files.get(digest))
    folder.remove_unused()
    return ImageArchive(tuple(read[digest] for digest in digests))


def _unreadable(why: str) -> ImageUnavailable:
    return ImageUnavailable(
        f"the layers of the image cannot be read: {why}",
        where="docker save",
        remedy="build the image again; if it stays so, see what `docker save` gives by hand",
    )


def _read_layer(file: LayerFile, folder: LayerFolder, keep: Callable[[str], bool]) -> StoredLayer:
    files: dict[str, ImageFile] = {}
    removed, emptied = set[str](), set[str]()
    stored, places = list[ImageFile](), array("Q")
    links, unfolded, texts = dict[int, str](), dict[int, LayerFile](), dict[str, str]()
    # Of equal numbers one is kept: a million files have few different modes and sizes.
    same = dict[int, int]()
    with file.stream() as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
        while member := archive.next():
            cast(Any, archive).members.clear()  # it would keep them all, which a million files do not allow
            path, place, head = absolute(member.name), member.offset_data, b""
            texts.pop(path, None)
            if removed_by(path, removed, emptied):
                continue
            if member.islnk():
                first = absolute(member.linkname)
                files[path] = replace(files.get(first, ImageFile(path, "file", member.mode)), path=path)
                links[len(stored)] = first
            else:
                if member.issparse():
                    unfolded[place] = folder.add(cast(Any, archive.extractfile(member)))[1]
                size = member.size if member.isfile() else 0
                content = unfolded.get(place) or file.part(place, size)
                head = head_of(content.read(0, min(size, HEAD_BYTES)))
                limit = RECORD_BYTES if is_record(path) else KEPT_BYTES if keep(path) else -1
                if member.isfile() and size <= limit:
                    texts[path] = content.read(0, size).decode("utf-8", "replace")
                mode, size = (same.setdefault(each, each) for each in (member.mode, size))
                digest = f"{LINK}{member.linkname}" if member.issym() else ""
                files[path] = ImageFile(path, kind_of(member), mode, size, head, digest)
            if files[path].kind == "file":
                stored.append(files[path])
                places.append(place)
        _require_end(file, archive.offset)
    layer = Layer(files, frozenset(removed), frozenset(emptied))
    return StoredLayer(layer, file, stored, places, _shared(stored, places, links), unfolded, texts)


def _shared(files: Sequence[ImageFile], places: array[int], links: Mapping[int, str]) -> dict[int, str]:
    """The places of contents with several names, which the hard links (by their number in the layer) are given."""
    found, shared = dict[str, int](), dict[int, str]()
    for number, file in enumerate(files if links else ()):
        if number in links:
            places[number] = found.get(links[number], 0)
            shared[places[number]] = ""
        found[file.path] = places[number]
    return shared


def _require_end(file: LayerFile, begin: int) -> None:
    """An archive ends with a block of zeros, or with the file; at any other block `tarfile` would just stop."""
    left = file.size - begin
    if left < 0 or any(file.read(begin, min(left, tarfile.BLOCKSIZE))):
        raise tarfile.ReadError("unexpected end of data")
