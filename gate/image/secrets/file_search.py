"""The search of an image's files for secrets: by content, in any folder, mode, size and packing. Pure."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gate.image.layer_files import LayerFile
from gate.image.package_records import PackageRecords, source_of
from gate.image.secrets.archives import DEPTH, MB, UnpackBudget, is_archive, members
from gate.image.secrets.detector import secrets_in
from gate.image.secrets.values import Secret

# A file up to this size is read as a whole. A larger one is searched in overlapping pieces.
WHOLE_BYTES = 256 * MB
_PIECE, _OVERLAP = 32 * MB, 65_536
# Files that hold credentials by their purpose, by name or by the end of their path.
_CREDENTIAL_NAMES = frozenset(
    {".netrc", ".pypirc", ".env", "id_rsa", "id_ed25519", "id_ecdsa", "id_dsa", ".git-credentials", ".pgpass"}
)
_CREDENTIAL_ENDS = ("/.aws/credentials",)
BY_NAME = Secret("by its name", "")


@dataclass(frozen=True)
class SecretFinding:
    """A file that seems to hold a secret, or that could not be searched.

    Attributes:
        path: of the file in its layer.
        inside: the member of an archive in it ("" for the file itself).
        secret: what was found; None where it was not searched.
        unread: why it was not searched, as the end of a sentence.
    """

    path: str
    inside: str = ""
    secret: Secret | None = None
    unread: str = ""


@dataclass(slots=True)
class FileContent:
    """A file of a layer, as a part of a file on this machine's disk.

    Attributes:
        digest: of the whole content, once it was hashed.
    """

    path: str
    size: int
    file: LayerFile
    begin: int
    digest: str = ""

    def read(self) -> bytes:
        """The whole content."""
        return self.file.read(self.begin, self.size)

    def pieces(self) -> Iterator[bytes]:
        """The content, piece by piece."""
        for begin in range(0, self.size, _PIECE):
            yield self.file.read(self.begin + begin, min(_PIECE, self.size - begin))


class SecretSearch:
    """Searches the files of all layers, one after the other.

    Attributes:
        known: the package records of all layers: a file that they confirm is not searched.
        counts: files "searched", and "confirmed by a package record".
    """

    def __init__(self, known: PackageRecords) -> None:
        self.known = known
        self.counts: Counter[str] = Counter()

    def search(self, content: FileContent, *, hashed: bool = True) -> list[SecretFinding]:
        """The findings in a file; sets the digest of its content, where there is a record or it is to be `hashed`."""
        if (hashed or self.known.lists(content.path)) and self.confirms(content):
            self.counts["confirmed by a package record"] += 1
            return []
        self.counts["searched"] += 1
        found = self.by_name(content.path)
        if content.size > WHOLE_BYTES:
            return [*found, *_in_pieces(content)]
        found += (SecretFinding(content.path, *each) for each in _secrets_within(content.read(), content.path))
        return found

    def confirms(self, content: FileContent) -> bool:
        """Whether a record has this content, whose digest is set; where records use several algorithms, in any."""
        for algorithm in self.known.algorithms(content.path):
            content.digest = content.file.hashed(algorithm, content.begin, content.size)
            if self.known.confirms(content.path, content.digest):
                return True
        return False

    @staticmethod
    def by_name(path: str) -> list[SecretFinding]:
        """The finding that a hard link's name alone makes; its content was searched under another path."""
        return [SecretFinding(path, "", BY_NAME)] if _is_credential_file(path) else []

    def unexplained(
        self, findings: Iterable[tuple[int, SecretFinding]], sources: Iterable[FileContent]
    ) -> tuple[tuple[int, SecretFinding], ...]:
        """The findings but for those of compiled files that only repeat their source, which a record confirms.

        Args:
            findings: each with the number of its layer.
            sources: the sources of their files in any layer.
        """
        public = {
            (source.path, secret)
            for source in sources
            if self.confirms(source)
            for secret in _secrets_of_source(source.path, source.read())
        }
        return tuple(each for each in findings if (source_of(each[1].path), each[1].secret) not in public)


def _in_pieces(content: FileContent) -> Iterator[SecretFinding]:
    """The findings in each piece of a large file; an archive of that size cannot be searched."""
    secrets, overlap = set[Secret](), b""
    for number, piece in enumerate(content.pieces()):
        if not number and is_archive(piece[:1024]):
            yield SecretFinding(content.path, "", None, f"is an archive of more than {WHOLE_BYTES // MB} MB")
        secrets |= secrets_in(overlap + piece, content.path)
        overlap = piece[-_OVERLAP:]
    yield from (SecretFinding(content.path, "", secret) for secret in secrets)


def _secrets_of_source(path: str, source: bytes) -> frozenset[Secret]:
    """The secrets in a Python source, in its text and in its literals after concatenation."""
    try:
        literals = b"\0".join(_constants(compile(source, path, "exec", dont_inherit=True)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        literals = b""  # written for another version of Python
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


def _is_credential_file(path: str) -> bool:
    """Whether files of this name hold credentials."""
    return posixpath.basename(path) in _CREDENTIAL_NAMES or path.endswith(_CREDENTIAL_ENDS)


def _secrets_within(
    data: bytes, path: str, budget: UnpackBudget | None = None, depth: int = 0
) -> Iterator[tuple[str, Secret | None, str]]:
    """The secrets in a file and in the archives in it, as (member, secret, why it was not read)."""
    yield from (("", secret, "") for secret in secrets_in(data, path))
    if not is_archive(data):
        return
    if depth == DEPTH:
        yield "", None, f"is an archive in {DEPTH} others, and archives are opened no deeper"
        return
    budget = budget or UnpackBudget()
    for member in members(data, budget):
        if member.unread:
            yield member.name, None, member.unread
            continue
        for inside, secret, why in _secrets_within(member.data, f"{path}!{member.name}", budget, depth + 1):
            yield "!".join(filter(None, (member.name, inside))), secret, why
