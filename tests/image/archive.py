"""Archives as engines save images: legacy folders, or an OCI layout of blobs; layers plain or gzip'ed."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path

from gate.image.archive import ImageArchive, read_image
from gate.image.layer_files import LayerFolder
from gate.image.layers import Layers
from gate.image.package_records import PackageRecords, is_record
from gate.image.tree import Tree


@contextmanager
def opened(layers: Sequence[bytes], archive: bytes, keep: Callable[[str], bool] = is_record) -> Iterator[ImageArchive]:
    """The image of these layers, read from this archive."""
    digests = [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in layers]
    with tempfile.TemporaryDirectory() as name, closing(LayerFolder(Path(name))) as folder:
        yield read_image(digests, folder, partial(nullcontext, io.BytesIO(archive)), keep)


def read_layers(
    layers: Sequence[bytes],
    known: PackageRecords | None = None,
    *,
    base: int = 0,
    archive: bytes = b"",
    **form: bool,
) -> Layers:
    """The layers of an image, searched; they come from an archive of this form, or from the one that is given."""
    with opened(layers, archive or saved(layers, **form)) as image:
        return image.search(known or PackageRecords(), base)


def tree_of(layers: Sequence[bytes]) -> Tree:
    """The files that a container of these layers sees, with every text kept."""
    with opened(layers, saved(layers), lambda _: True) as image:
        return image.tree()


def layer(
    files: Mapping[str, bytes | None],
    *,
    links: Mapping[str, str] | None = None,
    hard: Mapping[str, str] | None = None,
    modes: Mapping[str, int] | None = None,
) -> bytes:
    """A layer: content by path (None: a folder), symbolic and hard links by path, modes where they are not 0644."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name.lstrip("/"))
            member.mode = (modes or {}).get(name, 0o755 if content is None else 0o644)
            member.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            member.size = len(content or b"")
            archive.addfile(member, io.BytesIO(content or b""))
        for kind, names in ((tarfile.SYMTYPE, links), (tarfile.LNKTYPE, hard)):
            for name, target in (names or {}).items():
                member = tarfile.TarInfo(name.lstrip("/"))
                member.type, member.linkname = kind, target if kind == tarfile.SYMTYPE else target.lstrip("/")
                archive.addfile(member)
    return made.getvalue()


def saved(layers: Sequence[bytes], *, oci: bool = False, packed: bool = False) -> bytes:
    """What `docker save` gives for an image of these layers: as Docker 20.10 does, or as the containerd store does."""
    blobs = [gzip.compress(each, 1) if packed else each for each in layers]
    names = [
        f"blobs/sha256/{hashlib.sha256(each).hexdigest()}" if oci else f"{number:064x}/layer.tar"
        for number, each in enumerate(blobs)
    ]
    config = json.dumps(
        {"rootfs": {"type": "layers", "diff_ids": [hashlib.sha256(each).hexdigest() for each in layers]}}
    )
    name = hashlib.sha256(config.encode()).hexdigest()
    configured = f"blobs/sha256/{name}" if oci else f"{name}.json"
    manifest = json.dumps([{"Config": configured, "RepoTags": None, "Layers": names}])
    files = dict(sorted({**dict(zip(names, blobs, strict=True)), configured: config.encode()}.items()))
    if oci:
        files["index.json"] = b'{"schemaVersion": 2, "manifests": []}'
    return packed_as_tar([*files.items(), ("manifest.json", manifest.encode())])


def packed_as_tar(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A tar archive of these files, in their order."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()
