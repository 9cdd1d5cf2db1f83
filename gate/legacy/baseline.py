"""The zip function's snapshot on disk: written by the publishing run, read by every later verification."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from gate.errors import EvidenceDamaged
from gate.legacy.snapshot import FunctionSnapshot

_REMEDY = "give the evidence folder of the publishing run, or publish with this gate, which takes the baseline first"


def keep(path: Path, snapshot: FunctionSnapshot) -> None:
    """Write the snapshot completely or not at all, and flush it to the disk.

    Raises:
        EvidenceDamaged: it cannot be written; then nothing may be pushed.
    """
    facts = {"function": snapshot.function, "taken_at": snapshot.taken_at, "facts": dict(snapshot.facts)}
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8") as file:
            json.dump({**facts, "sha256": _sha256(facts)}, file, indent=2, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise EvidenceDamaged(f"The baseline of the zip function cannot be kept: {error}", where=str(path)) from error


def load(path: Path) -> FunctionSnapshot:
    """Read a kept snapshot.

    Raises:
        EvidenceDamaged: there is none, it cannot be read, or it was altered.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        facts = {key: document[key] for key in ("function", "taken_at", "facts")}
        recorded = document["sha256"]
    except FileNotFoundError as error:
        raise EvidenceDamaged(
            "There is no baseline of the zip function, so it is unknown whether the release left it unchanged",
            where=str(path),
            remedy=_REMEDY,
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvidenceDamaged(
            f"The baseline of the zip function cannot be read: {error}", where=str(path), remedy=_REMEDY
        ) from error
    if recorded != _sha256(facts) or not isinstance(facts["facts"], dict):
        raise EvidenceDamaged(
            "The baseline of the zip function was altered after it was kept", where=str(path), remedy=_REMEDY
        )
    return FunctionSnapshot(**facts)


def _sha256(facts: dict[str, Any]) -> str:
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
