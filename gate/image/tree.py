"""The image's files as the engine exports them: read once, on the host, trusting no program in the image."""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Literal

Kind = Literal["file", "directory", "symlink", "other"]

HEAD_BYTES = 4
# A text that is worth keeping is small; anything larger is not read into memory.
KEPT_BYTES = 1_000_000
# A link to a link … : the kernel gives up after 40 (path_resolution(7)).
MAX_LINKS = 40
OTHERS_READ, OTHERS_EXECUTE = 0o004, 0o001
ELF_MAGIC = b"\x7fELF"


@dataclass(frozen=True)
class Entry:
    """One file of the image.

    Attributes:
        path: absolute, normalised.
        kind: file, directory, symlink or other (device, socket).
        mode: permission bits.
        size: in bytes.
        link: what a symlink points at.
        head: the first four bytes of a file.
    """

    path: str
    kind: Kind
    mode: int = 0o755
    size: int = 0
    link: str = ""
    head: bytes = b""

    @property
    def is_elf(self) -> bool:
        """An ELF object, by its magic number (System V ABI, figure 4-4)."""
        return self.head == ELF_MAGIC

    @property
    def is_script(self) -> bool:
        """A file that the kernel hands to an interpreter."""
        return self.head[:2] == b"#!"


@dataclass(frozen=True)
class Tree:
    """Every file of an image, and the texts that were worth keeping."""

    entries: Mapping[str, Entry]
    texts: Mapping[str, str]

    def resolve(self, path: str) -> tuple[Entry | None, tuple[str, ...]]:
        """The entry that a path really names, and the links followed on the way (None: it dangles)."""
        links, end = self._followed(path)
        return self.entries.get(end), tuple(f"{link.path} -> {link.link}" for link in links)

    def _followed(self, path: str) -> tuple[list[Entry], str]:
        """The links on a path's way, and the path behind the last ("" where the kernel gives up)."""
        links: list[Entry] = []
        while len(links) <= MAX_LINKS:
            link = self._first_link(path)
            if link is None:
                return links, posixpath.normpath(path)
            rest = posixpath.normpath(path)[len(link.path) :]
            links.append(link)
            path = posixpath.normpath(posixpath.join(posixpath.dirname(link.path), link.link)) + rest
        return links, ""

    def _first_link(self, path: str) -> Entry | None:
        reached = ""
        for part in posixpath.normpath(path).strip("/").split("/"):
            reached += "/" + part
            entry = self.entries.get(reached)
            if entry and entry.kind == "symlink":
                return entry
        return None

    def closed_before(self, path: str) -> str:
        """The first folder that shuts a foreign user out from a link on a path's way, or "" when none does."""
        return next((shut for link in self._followed(path)[0] if (shut := self.open_to_all(link, 0))), "")

    def open_to_all(self, entry: Entry, wanted: int) -> str:
        """The first path on the way to an entry that shuts out a foreign user, or "" when none does."""
        parent = posixpath.dirname(entry.path)
        while parent not in {"", "/"}:
            above = self.entries.get(parent)
            if above and not above.mode & OTHERS_EXECUTE:
                return parent
            parent = posixpath.dirname(parent)
        return "" if entry.mode & wanted == wanted else entry.path


def read_tree(stream: IO[bytes], keep: Callable[[str], bool]) -> Tree:
    """Read the tar stream of `docker export`.

    Args:
        stream: the tar archive, read once from front to end.
        keep: whether the text of the file at this path is wanted.

    Raises:
        tarfile.TarError: the stream is not a tar archive or ends early.
    """
    entries: dict[str, Entry] = {}
    texts: dict[str, str] = {}
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            path = absolute(member.name)
            if member.islnk():
                entries[path] = _hard_link(entries, path, member)
                continue
            content = _content(archive, member, path, keep)
            entries[path] = Entry(
                path, kind_of(member), member.mode, member.size, member.linkname, content[:HEAD_BYTES]
            )
            if len(content) > HEAD_BYTES or keep(path):
                texts[path] = content.decode("utf-8", "replace")
    return Tree(entries, texts)


def absolute(name: str) -> str:
    """A member's name as a path of the image."""
    return posixpath.normpath("/" + name.lstrip("/"))


def _hard_link(entries: Mapping[str, Entry], path: str, member: tarfile.TarInfo) -> Entry:
    first = entries.get(absolute(member.linkname))
    return Entry(path, "file", first.mode if first else member.mode, first.size if first else 0, "",
                 first.head if first else b"")  # fmt: skip


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, keep: Callable[[str], bool]) -> bytes:
    if not member.isfile():
        return b""
    file = archive.extractfile(member)
    wanted = member.size if keep(path) and member.size <= KEPT_BYTES else HEAD_BYTES
    return file.read(wanted) if file else b""


def kind_of(member: tarfile.TarInfo) -> Kind:
    """What a member of a tar archive is."""
    if member.isfile():
        return "file"
    if member.isdir():
        return "directory"
    return "symlink" if member.issym() else "other"
