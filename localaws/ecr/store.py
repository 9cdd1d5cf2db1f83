"""The state on disk: one JSON file, replaced atomically."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from localaws import LocalTargetError
from localaws.ecr.errors import EcrError
from localaws.ecr.state import RegistryState, RepositoryState, read


class Store:
    """Guards the state with a lock for reading and changing."""

    def __init__(self, path: Path, account: str) -> None:
        self._path = path
        self._findings = path.parent / "findings"
        self._findings.mkdir(parents=True, exist_ok=True)
        self._account_id = account
        self._lock = threading.RLock()
        self._account = _load(path)

    @contextmanager
    def reading(self) -> Iterator[RegistryState]:
        """The state, for reading."""
        with self._lock:
            yield self._account

    @contextmanager
    def changing(self) -> Iterator[RegistryState]:
        """The state, for a change: written to disk if the block ends, undone if it raises."""
        with self._lock:
            try:
                yield self._account
            except BaseException:
                self._account = _load(self._path)  # as it was written before
                raise
            self._write()

    @contextmanager
    def reading_repository(self, name: str, registry: str | None = None) -> Iterator[RepositoryState]:
        """One repository, for reading; raises as `find` does."""
        with self.reading() as account:
            yield self.find(account, name, registry)

    @contextmanager
    def changing_repository(self, name: str, registry: str | None = None) -> Iterator[RepositoryState]:
        """One repository, for a change; raises as `find` does."""
        with self.changing() as account:
            yield self.find(account, name, registry)

    def find(self, account: RegistryState, name: str, registry: str | None = None) -> RepositoryState:
        """The repository of that name.

        Raises:
            EcrError: RepositoryNotFoundException.
        """
        wanted = registry or self._account_id
        if wanted != self._account_id or name not in account.repositories:
            raise EcrError(
                "RepositoryNotFoundException",
                f"The repository with name '{name}' does not exist in the registry with id '{wanted}'",
            )
        return account.repositories[name]

    def write_findings(self, repository: str, digest: str, findings: list[dict[str, Any]]) -> None:
        """Store the findings of the newest scan of an image."""
        _replace(self._findings_of(repository, digest), findings)

    def read_findings(self, repository: str, digest: str) -> list[dict[str, Any]]:
        """The findings of the newest scan of an image; there must have been one."""
        findings: list[dict[str, Any]] = json.loads(self._findings_of(repository, digest).read_text())
        return findings

    def _findings_of(self, repository: str, digest: str) -> Path:
        return self._findings / f"{repository.replace('/', '~')}~{digest.removeprefix('sha256:')}.json"

    def _write(self) -> None:
        _replace(self._path, asdict(self._account))


def _replace(path: Path, data: Any) -> None:
    draft = path.with_suffix(".draft")
    with draft.open("w") as file:
        file.write(json.dumps(data))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _load(path: Path) -> RegistryState:
    if not path.exists():
        return RegistryState()
    try:
        return read(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise LocalTargetError(
            f"the local target's state in {path} is not readable ({error}): start it without --keep"
        ) from error
