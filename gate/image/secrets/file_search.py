"""The search of an image's files for secrets: by content, in any folder, mode, size and packing. Pure."""

from __future__ import annotations

import hashlib
import posixpath
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import IO

from gate.image.package_records import PackageRecords, digest_of, source_of
from gate.image.secrets.archives import DEPTH, MB, UnpackBudget, is_archive, members
from gate.image.secrets.detector import secrets_in
from gate.image.secrets.values import Secret

# A file up to this size is read as a whole. A larger one is searched in overlapping pieces.
WHOLE_BYTES = 256 * MB
_PIECE, _OVERLAP = 32 * MB, 65_536
# The Python sources that are kept to compare compiled files with: more than any function has.
_SOURCE_BYTES = 512 * MB
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
        digests: of the whole file, in each algorithm that a record may use.
    """

    path: str
    inside: str = ""
    secret: Secret | None = None
    unread: str = ""
    digests: frozenset[str] = frozenset()


class FileContent:
    """A file of a layer while it is read.

    Attributes:
        data: the content of a file of up to WHOLE_BYTES; empty for a larger one.
        digest: of the whole content, once it was searched.
    """

    def __init__(self, path: str, size: int, file: IO[bytes]) -> None:
        self.path, self.size, self.file = path, size, file
        self.data = file.read(size) if size <= WHOLE_BYTES else b""
        self.digest = ""


class SecretSearch:
    """Searches the files of all layers, one after the other.

    Attributes:
        known: the package records that are known beforehand: a file that they confirm is not searched.
        counts: files "searched", and "confirmed by a package record".
    """

    def __init__(self, known: PackageRecords) -> None:
        self.known = known
        self.counts: Counter[str] = Counter()
        self._sources: dict[str, bytes] = {}
        self._source_bytes = 0

    def search(self, content: FileContent) -> list[SecretFinding]:
        """The findings in a file; sets the digest of its content."""
        path, data, algorithm = content.path, content.data, self.known.algorithm(content.path)
        if content.size > WHOLE_BYTES:
            return self._large(content, algorithm)
        content.digest = digest_of(data, algorithm)
        if self.known.confirms(path, content.digest):
            self.counts["confirmed by a package record"] += 1
            self._keep_source(path, data)
            return []
        self.counts["searched"] += 1
        found = self.by_name(path)
        found += (SecretFinding(path, inside, secret, why) for inside, secret, why in _secrets_within(data, path))
        if not found:
            return []
        self._keep_source(path, data)
        digests = _digests(data)
        return [replace(each, digests=digests) for each in found]

    def _large(self, content: FileContent, algorithm: str) -> list[SecretFinding]:
        """Search a very large file, kept on disk until its digest is known, unless a package record confirms it."""
        hasher = hashlib.new(algorithm, usedforsecurity=False)
        with tempfile.TemporaryFile() as kept:
            while piece := content.file.read(_PIECE):
                hasher.update(piece)
                kept.write(piece)
            content.digest = f"{algorithm}:{hasher.hexdigest()}"
            if self.known.confirms(content.path, content.digest):
                self.counts["confirmed by a package record"] += 1
                return []
            kept.seek(0)
            self.counts["searched"] += 1
            return list(_in_pieces(content, kept))

    def _keep_source(self, path: str, data: bytes) -> None:
        if path.endswith(".py") and self._source_bytes + len(data) <= _SOURCE_BYTES:
            self._sources[path] = data
            self._source_bytes += len(data)

    @staticmethod
    def by_name(path: str) -> list[SecretFinding]:
        """The finding that a hard link's name alone makes; its content was searched under another path."""
        return [SecretFinding(path, "", BY_NAME)] if _is_credential_file(path) else []

    def unexplained(self, findings: Iterable[SecretFinding], records: PackageRecords) -> list[SecretFinding]:
        """The findings that no package record explains: neither by the file's digest nor by that of its source."""
        return [
            finding
            for finding in findings
            if not any(records.confirms(finding.path, digest) for digest in finding.digests)
            and not self._derived(finding, records)
        ]

    def _derived(self, finding: SecretFinding, records: PackageRecords) -> bool:
        """Whether a compiled file only repeats a secret of its source, which a package record confirms."""
        source = source_of(finding.path)
        data = self._sources.get(source)
        if data is None or finding.secret is None:
            return False
        recorded = any(records.confirms(source, each) for each in _digests(data))
        return recorded and finding.secret in _secrets_of_source(source, data)


def _digests(data: bytes) -> frozenset[str]:
    return frozenset(digest_of(data, algorithm) for algorithm in ("md5", "sha256", "sha512"))


def _in_pieces(content: FileContent, kept: IO[bytes]) -> Iterator[SecretFinding]:
    """The findings in each piece of a large file; an archive of that size cannot be searched."""
    digests, secrets, overlap = frozenset({content.digest}), set[Secret](), b""
    if is_archive(kept.read(1024)):
        yield SecretFinding(content.path, "", None, f"is an archive of more than {WHOLE_BYTES // MB} MB", digests)
    kept.seek(0)
    while piece := kept.read(_PIECE):
        secrets |= secrets_in(overlap + piece, content.path)
        overlap = piece[-_OVERLAP:]
    yield from (SecretFinding(content.path, "", secret, "", digests) for secret in secrets)


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
