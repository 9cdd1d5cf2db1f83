"""One run at a time: two runs over one reports folder would mix their evidence."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from gate.errors import WrongUse

WAIT_SECONDS = 3600


class RunLock:
    """An exclusive lock on the reports folder, freed by the kernel when its holder dies."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ".lock"
        self._file: IO[str] | None = None

    def acquire(self, say: Callable[[str], None], wait: float = WAIT_SECONDS) -> None:
        """Take the lock, waiting for another run to end.

        Raises:
            WrongUse: the folder cannot be written, or the other run did not end in time.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+")
        except OSError as refused:
            raise WrongUse(f"the folder {self._path.parent} cannot be written: {refused.strerror}") from refused
        deadline, told = time.monotonic() + wait, False
        while not self._try():
            if not told:
                say(f"another run (process {self._holder()}) is using {self._path.parent.name}/; waiting for it to end")
                told = True
            if time.monotonic() > deadline:
                raise WrongUse(f"another run (process {self._holder()}) did not end within {wait:.0f} s")
            time.sleep(0.5)
        self._file.seek(0)
        self._file.truncate()
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Free the lock."""
        if self._file:
            self._file.close()
            self._file = None

    def _try(self) -> bool:
        assert self._file is not None  # noqa: S101 - narrows the type; `acquire` opened it
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _holder(self) -> str:
        return self._path.read_text().strip() or "unknown"
