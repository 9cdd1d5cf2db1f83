"""The search of an image's files for secrets: by what they hold, whatever their folder, mode, size or packing. Pure."""

from __future__ import annotations

import hashlib
import posixpath
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from gate.image.archives import DEPTH, MB, Budget, Unread, is_archive, members
from gate.image.detector import secrets_in
from gate.image.found import Secret
from gate.image.records import Records, digest_of, source_of

# Up to here a file is read as a whole; of a larger one each piece is searched, with what stands across two of them.
WHOLE_BYTES = 256 * MB
_PIECE, _ACROSS = 32 * MB, 65_536
# Sources that compiled files are held against: more of them than any function has.
_SOURCE_BYTES = 512 * MB
# Files that exist to hold a credential, by name or by the end of their path.
_TELLING_NAMES = frozenset(
    {".netrc", ".pypirc", ".env", "id_rsa", "id_ed25519", "id_ecdsa", "id_dsa", ".git-credentials", ".pgpass"}
)
_TELLING_ENDS = ("/.aws/credentials",)
BY_NAME = Secret("by its name", "")


@dataclass(frozen=True)
class Suspect:
    """A file that holds what looks like a secret, or that could not be looked into.

    Attributes:
        path: of the file in its layer.
        inside: the member of an archive in it ("" for the file itself).
        secret: what was found; None where it was not looked into.
        unread: why it was not looked into.
        digests: of the whole file, in each algorithm that a record may have.
    """

    path: str
    inside: str = ""
    secret: Secret | None = None
    unread: str = ""
    digests: frozenset[str] = frozenset()


class Content:
    """A file of a layer while it is read.

    Attributes:
        head: all of a file that is not larger than WHOLE_BYTES; of a larger one nothing.
        digest: of all of it, once it was looked at.
    """

    def __init__(self, path: str, size: int, file: IO[bytes]) -> None:
        self.path, self.size, self.file = path, size, file
        self.head = file.read(size) if size <= WHOLE_BYTES else b""
        self.digest = ""


class Search:
    """Searches the files of all layers, one after the other.

    Attributes:
        known: the records that are known before: a file that they vouch for is not searched.
        counts: files "searched", and "vouched for".
    """

    def __init__(self, known: Records) -> None:
        self.known = known
        self.counts: Counter[str] = Counter()
        self._sources: dict[str, bytes] = {}
        self._source_bytes = 0

    def look(self, content: Content) -> list[Suspect]:
        """What a file holds; its digest is noted in it."""
        algorithm = self.known.algorithm(content.path)
        if content.size > WHOLE_BYTES:
            return self._large(content, algorithm)
        content.digest = digest_of(content.head, algorithm)
        return self._whole(content)

    def _whole(self, content: Content) -> list[Suspect]:
        path, data = content.path, content.head
        if self.known.vouch(path, content.digest):
            self.counts["vouched for"] += 1
            self._keep_source(path, data)
            return []
        self.counts["searched"] += 1
        found = [Suspect(path, "", BY_NAME)] if is_telling(path) else []
        found += (Suspect(path, inside, secret, why) for inside, secret, why in _held(data, path))
        if not found:
            return []
        self._keep_source(path, data)
        digests = frozenset(digest_of(data, each) for each in ("md5", "sha256", "sha512"))
        return [Suspect(each.path, each.inside, each.secret, each.unread, digests) for each in found]

    def _large(self, content: Content, algorithm: str) -> list[Suspect]:
        """A very large file is kept on disk until its digest is known, and searched where no record vouches for it."""
        hasher = hashlib.new(algorithm, usedforsecurity=False)
        with tempfile.TemporaryFile() as kept:
            while piece := content.file.read(_PIECE):
                hasher.update(piece)
                kept.write(piece)
            content.digest = f"{algorithm}:{hasher.hexdigest()}"
            if self.known.vouch(content.path, content.digest):
                self.counts["vouched for"] += 1
                return []
            kept.seek(0)
            self.counts["searched"] += 1
            return list(_in_pieces(content, kept))

    def _keep_source(self, path: str, data: bytes) -> None:
        if path.endswith(".py") and self._source_bytes + len(data) <= _SOURCE_BYTES:
            self._sources[path] = data
            self._source_bytes += len(data)

    def by_name(self, path: str) -> list[Suspect]:
        """What a hard link's name tells; its content is that of another path."""
        return [Suspect(path, "", BY_NAME)] if is_telling(path) else []

    def unvouched(self, suspects: Iterable[Suspect], records: Records) -> list[Suspect]:
        """The suspects that no package vouches for: not by the file's own digest, nor by that of its source."""
        return [
            suspect
            for suspect in suspects
            if not any(records.vouch(suspect.path, digest) for digest in suspect.digests)
            and not self._derived(suspect, records)
        ]

    def _derived(self, suspect: Suspect, records: Records) -> bool:
        """Whether a compiled file only repeats what its vouched-for source says."""
        source = source_of(suspect.path)
        data = self._sources.get(source)
        if data is None or suspect.secret is None:
            return False
        if not any(records.vouch(source, digest_of(data, each)) for each in ("md5", "sha256", "sha512")):
            return False
        return suspect.secret in _said_by(source, data)


def _in_pieces(content: Content, kept: IO[bytes]) -> Iterator[Suspect]:
    """What each piece holds, and what stands across two; an archive of that size cannot be looked into."""
    digests, secrets, across = frozenset({content.digest}), set[Secret](), b""
    if is_archive(kept.read(1024)):
        yield Suspect(content.path, "", None, f"is an archive of more than {WHOLE_BYTES // MB} MB", digests)
    kept.seek(0)
    while piece := kept.read(_PIECE):
        secrets |= secrets_in(across + piece, content.path)
        across = piece[-_ACROSS:]
    yield from (Suspect(content.path, "", secret, "", digests) for secret in secrets)


def _said_by(path: str, source: bytes) -> frozenset[Secret]:
    """What a source says, as it stands and as its literals are when they are put together."""
    try:
        literals = b"\0".join(_constants(compile(source, path, "exec", dont_inherit=True)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        literals = b""  # written for another Python than this one
    return secrets_in(source, path) | secrets_in(literals, "x.pyc")


def _constants(code: object) -> Iterator[bytes]:
    for constant in getattr(code, "co_consts", ()):
        if isinstance(constant, str):
            yield constant.encode("utf-8", "surrogatepass")
        elif isinstance(constant, bytes):
            yield constant
        elif isinstance(constant, (tuple, frozenset)):
            yield from (each.encode("utf-8", "surrogatepass") for each in constant if isinstance(each, str))
        else:
            yield from _constants(constant)


def is_telling(path: str) -> bool:
    """Whether a file of this name exists to hold a credential."""
    return posixpath.basename(path) in _TELLING_NAMES or path.endswith(_TELLING_ENDS)


def _held(
    data: bytes, path: str, budget: Budget | None = None, depth: int = 0
) -> Iterator[tuple[str, Secret | None, str]]:
    """What a content holds: (member, secret, why it was not read), archives in archives included."""
    yield from (("", secret, "") for secret in secrets_in(data, path))
    if not is_archive(data):
        return
    if depth == DEPTH:
        yield "", None, f"is an archive in {DEPTH} others, and no deeper one is opened"
        return
    budget = budget or Budget()
    for member in members(data, budget):
        if isinstance(member, Unread):
            yield member.name, None, member.why
            continue
        for inside, secret, why in _held(member.data, f"{path}!{member.name}", budget, depth + 1):
            yield "!".join(filter(None, (member.name, inside))), secret, why
