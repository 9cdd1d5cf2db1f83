"""The file tree of the image, as its layers make it. Pure."""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gate.image.package_records import LINK

Kind = Literal["file", "directory", "symlink", "other"]

HEAD_BYTES = 4
# In bytes; the texts of larger files are not kept.
KEPT_BYTES = 1_000_000
# Symbolic links that the kernel follows for one path (path_resolution(7)).
MAX_LINKS = 40
OTHERS_READ, OTHERS_EXECUTE = 0o004, 0o001
ELF_MAGIC, SCRIPT = b"\x7fELF", b"#!"


@dataclass(slots=True)
class ImageFile:
    """One file of the image, or of one of its layers.

    Attributes:
        path: absolute, normalised.
        kind: file, directory, symlink or other (device, socket).
        mode: permission bits.
        size: in bytes.
        head: the first four bytes of a program or script.
        digest: of a symlink "link:target", as package records have it, with the target as it is written. Of a file's
            content "algorithm:hex"; equal contents of one path have equal digests in all layers. It is set by the
            search, of those that have a package record or are in the base and above it.
    """

    path: str
    kind: Kind
    mode: int = 0o755
    size: int = 0
    head: bytes = b""
    digest: str = ""

    @property
    def link(self) -> str:
        """The target of a symlink."""
        return self.digest.removeprefix(LINK)

    @property
    def is_elf(self) -> bool:
        """Whether it is an ELF object, by its magic number (System V ABI, figure 4-4)."""
        return self.head == ELF_MAGIC

    @property
    def is_script(self) -> bool:
        """Whether the kernel starts it with an interpreter."""
        return self.head.startswith(SCRIPT)


@dataclass(frozen=True)
class Tree:
    """Every file of an image by its path, and the texts of those that were asked for."""

    entries: Mapping[str, ImageFile]
    texts: Mapping[str, str]
    _closed: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def resolve(self, path: str) -> tuple[ImageFile | None, tuple[str, ...]]:
        """The file that a path leads to (None: it dangles), and the links that were followed."""
        links, end = self._followed(path)
        return self.entries.get(end), tuple(f"{link.path} -> {link.link}" for link in links)

    def _followed(self, path: str) -> tuple[list[ImageFile], str]:
        """The links that a path leads through, and its final path ("" after too many links)."""
        links: list[ImageFile] = []
        while len(links) <= MAX_LINKS:
            link = self._first_link(path)
            if link is None:
                return links, posixpath.normpath(path)
            rest = posixpath.normpath(path)[len(link.path) :]
            links.append(link)
            path = posixpath.normpath(posixpath.join(posixpath.dirname(link.path), link.link)) + rest
        return links, ""

    def _first_link(self, path: str) -> ImageFile | None:
        reached = ""
        for part in posixpath.normpath(path).strip("/").split("/"):
            reached += "/" + part
            entry = self.entries.get(reached)
            if entry and entry.kind == "symlink":
                return entry
        return None

    def closed_before(self, path: str) -> str:
        """The first folder that keeps other users from a link that the path leads through, or ""."""
        return next((shut for link in self._followed(path)[0] if (shut := self.first_closed(link, 0))), "")

    def first_closed(self, entry: ImageFile, wanted: int) -> str:
        """The first path, down to the file itself, that other users may not access, or ""."""
        shut = self._closed_folder(entry.path.rpartition("/")[0])
        return shut or ("" if entry.mode & wanted == wanted else entry.path)

    def _closed_folder(self, folder: str) -> str:
        """The lowest of a folder and those above it that other users may not enter, or ""."""
        unknown = []
        while folder not in {"", "/"} and folder not in self._closed:
            unknown.append(folder)
            folder = posixpath.dirname(folder)
        found = self._closed.get(folder, "")
        for each in reversed(unknown):
            entry = self.entries.get(each)
            found = self._closed[each] = each if entry and not entry.mode & OTHERS_EXECUTE else found
        return found


def absolute(name: str) -> str:
    """The path in the image of an archive member with this name."""
    return posixpath.normpath("/" + name.lstrip("/"))


def head_of(begin: bytes) -> bytes:
    """The first bytes of a file as far as they tell what it is; of a million other files none is kept."""
    return begin if begin == ELF_MAGIC or begin.startswith(SCRIPT) else b""


def kind_of(member: tarfile.TarInfo) -> Kind:
    """The kind of a member of a tar archive."""
    if member.isfile():
        return "file"
    if member.isdir():
        return "directory"
    return "symlink" if member.issym() else "other"
