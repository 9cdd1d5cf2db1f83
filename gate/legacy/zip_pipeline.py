"""The zip pipeline's files in the checked repository, and whether they changed in git since the last release."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gate.check import ACCEPTED, CheckResult, check, reject, reject_each
from gate.errors import EvidenceDamaged

_SECONDS = 60


@dataclass(frozen=True)
class PipelineFiles:
    """What git says of the zip pipeline's files.

    Attributes:
        paths: the files, as pytest.ini names them; none if the repository holds no zip pipeline.
        since: the last release tag before this release, None if there is none.
        changed: each changed path with git's letter for the change ("M src/x.py").
        unknown: paths that are neither in git nor in the working tree.
    """

    paths: tuple[str, ...]
    since: str | None
    changed: tuple[str, ...]
    unknown: tuple[str, ...]


@check(4, known_bad=lambda: (PipelineFiles(("deploy.sh",), "v0.9.0", ("M deploy.sh",), ()),))
def check_pipeline(files: PipelineFiles) -> CheckResult:
    """Whether the zip pipeline's files are those of the last release; without any the scenario holds."""
    if not files.paths:
        return ACCEPTED
    missing = reject_each(
        (f"pytest.ini names {path} as a file of the zip pipeline, and the repository holds no such file"
         for path in files.unknown),
        "zip_paths",
        "correct its path, or put the file back: git log says when it went",
    )  # fmt: skip
    if files.since is None:
        return missing + reject(
            "The repository has no earlier release tag, so it is unknown since when the zip pipeline is unchanged",
            "git describe --tags",
            "tag the commit of the last zip release (`git tag v0.9.0 COMMIT`)",
        )
    return missing + reject_each(
        (f"The zip pipeline's file {change.split(maxsplit=1)[-1]} changed since {files.since} ({change})"
         for change in files.changed),
        f"git diff {files.since}",
        "take the change out of this release: the zip pipeline stays untouched by this story",
    )  # fmt: skip


def read_pipeline(folder: Path, paths: Sequence[str], release_tag: str) -> PipelineFiles:
    """Ask git about the zip pipeline's files, changes that are not committed included.

    Args:
        folder: the checked repository, or a folder in it.
        paths: the files, relative to the repository's root.
        release_tag: the checked release, whose own tag is not "the last release".

    Raises:
        EvidenceDamaged: git does not answer.
    """
    paths = tuple(paths)
    if not paths:
        return PipelineFiles((), None, (), ())
    root = Path(_git(folder, "rev-parse", "--show-toplevel").strip())
    describe = ["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "--exclude", release_tag, "HEAD"]
    since = _git(root, *describe).strip() or None
    known = {path for path in paths if (root / path).exists()}
    known |= {path for path in paths if since and _git(root, "ls-tree", "-r", "--name-only", since, "--", path)}
    changed: tuple[str, ...] = ()
    if since:
        tracked = _git(root, "diff", "--name-status", "--no-renames", since, "--", *paths).splitlines()
        untracked = _git(root, "ls-files", "--others", "--exclude-standard", "--", *paths).splitlines()
        changed = (*(line.replace("\t", " ") for line in tracked), *(f"A {path}" for path in untracked))
    return PipelineFiles(paths, since, changed, tuple(path for path in paths if path not in known))


def _git(root: Path, *arguments: str) -> str:
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C"},  # its messages are compared below
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EvidenceDamaged(f"git does not answer: {error}", where=str(root)) from error
    # For `describe`, exit code 128 can also mean that there is no such tag.
    no_tag = "No names found" in answer.stderr or "No tags can describe" in answer.stderr
    if answer.returncode and not no_tag:
        raise EvidenceDamaged(
            f"git cannot say what changed: {answer.stderr.strip()}",
            where=f"git {' '.join(arguments)}",
            remedy="run the gate in the repository's clone, with its tags (`git fetch --tags --unshallow`)",
        )
    return "" if answer.returncode else answer.stdout
