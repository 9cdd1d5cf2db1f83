"""The layers of an image, and the files that a container of them sees. Pure.

Everyone who pulls an image can read all of its layers, including files that a later layer deletes.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gate.image.package_records import PackageRecords
from gate.image.secrets.file_search import SecretFinding
from gate.image.tree import ImageFile

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"


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
        searched: how many files were searched for secrets, how many a package record confirms, how many are the base's.
        known: the merged files that were asked for already, by the number of layers.
        installed: those of the records that a container of the image sees.
    """

    layers: tuple[Layer, ...]
    findings: tuple[tuple[int, SecretFinding], ...] = ()
    records: PackageRecords = field(default_factory=PackageRecords)
    searched: Mapping[str, int] = field(default_factory=dict)
    known: dict[int, Mapping[str, ImageFile]] = field(default_factory=dict, repr=False, compare=False)
    installed: PackageRecords = field(default_factory=PackageRecords)

    def files(self, count: int | None = None) -> Mapping[str, ImageFile]:
        """The files that a container of the lowest layers sees, by path; of all layers unless their number is given."""
        count = len(self.layers) if count is None else count
        if count not in self.known:
            self.known[count] = merged(self.layers[:count])
        return self.known[count]


def merged(layers: Sequence[Layer]) -> Mapping[str, ImageFile]:
    """The files that a container of these layers sees, by path."""
    if len(layers) == 1:
        return layers[0].files
    found: dict[str, ImageFile] = {}
    # Every folder above a file so far, whether or not it has an entry of its own, and whether or not it is still there.
    folders: set[str] = set()
    for layer in layers:
        replaced = (path for path, file in layer.files.items() if file.kind != "directory" and path in folders)
        gone = (*layer.removed, *layer.emptied, *replaced)
        if gone:
            below = tuple(f"{path.rstrip('/')}/" for path in gone)
            found = {
                path: file for path, file in found.items() if not (path in layer.removed or path.startswith(below))
            }
        found.update(layer.files)
        _add_folders(folders, layer.files)
    return found


def _add_folders(folders: set[str], paths: Iterable[str]) -> None:
    for path in paths:
        while (path := posixpath.dirname(path)) not in folders and path != "/":
            folders.add(path)


def removed_by(path: str, removed: set[str], emptied: set[str]) -> bool:
    """Whether the entry of a layer with this path stands for a removal, which is then noted."""
    folder, name = posixpath.split(path)
    if name == _OPAQUE:
        emptied.add(folder)
    elif name.startswith(_WHITEOUT):
        removed.add(posixpath.join(folder, name.removeprefix(_WHITEOUT)))
    return name.startswith(_WHITEOUT)


def base_count(layers: Sequence[str], base_layers: Sequence[str]) -> int:
    """How many of an image's layers are its base's: all of the base's, or 0 if they are not its lowest ones."""
    return len(base_layers) if base_layers and tuple(layers[: len(base_layers)]) == tuple(base_layers) else 0
