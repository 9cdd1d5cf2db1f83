"""Old runs and nights that are removed, so that the folder of reports does not grow for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gate.publish.publication import ACCEPTED, FILE
from gate.run.model import OldFiles

if TYPE_CHECKING:
    from gate.run.model import Run

_NOTES = "VALIDATION.md"
_NIGHT = "-rescanned-"


def old_files(run: Run) -> OldFiles:
    """What is beyond the limits and needed by nothing: runs after a run that is kept, nights after a night."""
    if run.store.kept != run.store.folder:
        return OldFiles(runs=_old_runs(run))
    return OldFiles(nights=_old_nights(run.scans, run.upkeep.keep_nights)) if run.kind == "rescan" else OldFiles()


def _old_runs(run: Run) -> tuple[Path, ...]:
    folders = sorted(path for path in (run.reports / "runs").iterdir() if path.is_dir() and not path.is_symlink())
    beyond = folders[: -run.upkeep.keep_runs]
    if not beyond:
        return ()
    notes = (run.root / _NOTES, *(run.reports / part / _NOTES for part in ("", "partial", "promotion", "rescan")))
    referred = "".join(path.read_text(encoding="utf-8") for path in notes if path.exists())
    needed = set(_needed(folders))
    return tuple(each for each in beyond if each not in needed and each.name not in referred)


def _needed(folders: list[Path]) -> Iterator[Path]:
    """The runs that later ones rest on.

    Of each release: the last run that released it (how it was built, the zip function's baseline, its packages, the
    GO on which it can be promoted again), the last one that was refused or cut short, and the last promotion by name.
    What cannot be read may be any of these.
    """
    last: dict[tuple[object, ...], Path] = {}
    for folder in folders:
        record = folder / "evidence" / FILE
        if not record.exists():
            continue
        try:
            said = json.loads(record.read_text(encoding="utf-8"))
            about = tuple(said[name] for name in ("place", "repository", "release_tag"))
            last[(*about, said["state"] == ACCEPTED, bool(said.get("by_name")))] = folder
        except (OSError, ValueError, KeyError, TypeError):
            yield folder
    yield from last.values()


def _old_nights(scans: Path, most: int) -> tuple[Path, ...]:
    """The oldest nights; the last of each image stays, with which its next scan is compared.

    Scans of a release or of a candidate are no nights: they show how a finding was mitigated.
    """
    nights = sorted(path for path in scans.glob(f"*{_NIGHT}*.json") if path.is_file())
    last = {path.name.partition(_NIGHT)[2]: path for path in nights}
    return tuple(path for path in nights[:-most] if path not in last.values())
