"""The search of an image's files for secrets: by content, in any folder, mode, size and packing. Pure."""

from __future__ import annotations

import marshal
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gate.image.layer_files import LayerFile
from gate.image.package_records import PackageRecords, source_of
from gate.image.secrets.archives import DEPTH, MB, UnpackBudget, is_archive, members
from gate.image.secrets.detector import secrets_in
from gate.image.secrets.values import Secret
from gate.image.tree import ImageFile

# A file up to this size is read as a whole. A larger one is searched in overlapping pieces.
WHOLE_BYTES = 256 * MB
_PIECE, _OVERLAP = 32 * MB, 65_536
# Files that hold credentials by their purpose, by name or by the end of their path.
_CREDENTIAL_NAMES = frozenset(
    {".netrc", ".pypirc", "id_rsa", "id_ed25519", "id_ecdsa", "id_dsa", ".git-credentials", ".pgpass"}
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


class SecretSearch:
    """Searches the files of all layers, one after the other.

    Attributes:
        known: the package records of all layers: a file that they confirm is not searched.
        counts: files "searched", and "confirmed by a package record".
    """

    def __init__(self, known: PackageRecords) -> None:
        self.known = known
        self.counts: Counter[str] = Counter()

    def search(self, file: ImageFile, content: LayerFile, *, hashed: bool = True) -> list[SecretFinding]:
        """The findings in a file; sets its digest, where there is a record or it is to be `hashed`."""
        if (hashed or self.known.lists(file.path)) and self.confirms(file, content):
            self.counts["confirmed by a package record"] += 1
            return []
        self.counts["searched"] += 1
        found = self.by_name(file.path)
        if content.size > WHOLE_BYTES:
            return [*found, *_in_pieces(file.path, content)]
        data = content.read(0, content.size)
        return [*found, *(SecretFinding(file.path, *each) for each in _secrets_within(data, file.path))]

    def confirms(self, file: ImageFile, content: LayerFile) -> bool:
        """Whether a record has a file's content; sets its digest. Where records use several algorithms, any will do."""
        for algorithm in self.known.algorithms(file.path):
            file.digest = content.hashed(algorithm)
            if self.known.confirms(file.path, file.digest):
                return True
        return False

    @staticmethod
    def by_name(path: str) -> list[SecretFinding]:
        """The finding that a hard link's name alone makes; its content was searched under another path."""
        holds = posixpath.basename(path) in _CREDENTIAL_NAMES or path.endswith(_CREDENTIAL_ENDS)
        return [SecretFinding(path, "", BY_NAME)] if holds else []

    def unexplained(
        self, findings: Iterable[tuple[int, SecretFinding]], sources: Iterable[tuple[ImageFile, LayerFile]]
    ) -> tuple[tuple[int, SecretFinding], ...]:
        """The findings but for those of compiled files that only repeat their source, which a record confirms.

        Args:
            findings: each with the number of its layer.
            sources: the sources of their files in any layer, with their contents.
        """
        public = {
            (file.path, secret)
            for file, content in sources
            if self.confirms(file, content)
            for secret in _secrets_of_source(file.path, content.read(0, content.size))
        }
        return tuple(each for each in findings if (source_of(each[1].path), each[1].secret) not in public)


def _in_pieces(path: str, content: LayerFile) -> Iterator[SecretFinding]:
    """The findings in each piece of a large file; an archive of that size cannot be searched."""
    secrets, overlap = set[Secret](), b""
    for number, piece in enumerate(content.pieces(_PIECE)):
        if not number and is_archive(piece[:1024]):
            yield SecretFinding(path, "", None, f"is an archive of more than {WHOLE_BYTES // MB} MB")
        secrets |= secrets_in(overlap + piece, path)
        overlap = piece[-_OVERLAP:]
    yield from (SecretFinding(path, "", secret) for secret in secrets)


def _secrets_of_source(path: str, source: bytes) -> frozenset[Secret]:
    """The secrets in a Python source: in its text, in its literals after concatenation, and as it is compiled.

    What follows a literal in a compiled file may read like the rest of a token.
    """
    try:
        codes = [compile(source, path, "exec", dont_inherit=True, optimize=level) for level in (0, 1, 2)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        codes = []  # written for another version of Python
    texts = [source, b"\0".join(_constants(codes[0])) if codes else b"", *map(marshal.dumps, codes)]
    return frozenset[Secret]().union(*(secrets_in(text, path if text is source else "x.pyc") for text in texts))


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
    for name, content, unread in members(data, budget):
        if unread:
            yield name, None, unread
            continue
        for inside, secret, why in _secrets_within(content, f"{path}!{name}", budget, depth + 1):
            yield "!".join(filter(None, (name, inside))), secret, why
