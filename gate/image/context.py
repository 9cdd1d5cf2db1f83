"""The folder of a Dockerfile as a build gets it: with the file modes that git keeps, whatever the umask of the clone.

A clone under umask 077 would build other layers than any other clone, and files that the function's user cannot read.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gate.errors import ImageUnavailable

# Git knows two modes of a file (gitformat-index, "mode"), and none of a folder.
_FILE, _PROGRAM, _FOLDER = 0o644, 0o755, 0o755


@contextmanager
def with_gits_modes(context: Path) -> Iterator[Path]:
    """The folder itself, where its modes are those; else a copy that has them, until the block ends.

    Raises:
        ImageUnavailable: a file cannot be read.
    """
    try:
        with tempfile.TemporaryDirectory() as scratch:
            yield context if _has_them(context) else _copy(context, Path(scratch, "context"))
    except shutil.Error as refused:
        # A list of (source, target, reason).
        raise ImageUnavailable(f"the build cannot be given {refused.args[0][0][0]}: {refused.args[0][0][2]}",
                               where=str(context), remedy="let whoever runs the gate read it") from refused  # fmt: skip


def _has_them(context: Path) -> bool:
    found = ((path, path.lstat().st_mode) for path in (context, *context.rglob("*")))
    return all(stat.S_IMODE(mode) == _mode(mode) for _, mode in found if stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _mode(mode: int) -> int:
    if stat.S_ISDIR(mode):
        return _FOLDER
    return _PROGRAM if mode & stat.S_IXUSR else _FILE


def _copy(context: Path, copy: Path) -> Path:
    shutil.copytree(context, copy, symlinks=True, ignore=_neither_file_nor_folder, copy_function=shutil.copy2)
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(_mode(path.stat().st_mode))
    return copy


def _neither_file_nor_folder(folder: str, names: list[str]) -> set[str]:
    """Sockets and pipes, which docker does not send either."""
    kinds = {name: stat.S_IFMT(os.lstat(Path(folder, name)).st_mode) for name in names}
    return {name for name, kind in kinds.items() if kind not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)}
