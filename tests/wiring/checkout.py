"""The folder with the image's own files, which a run reads from its checkout, changed as with an editor."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from tests.faults.facts import edited_entries
from tests.wiring.table import ROOT


def folder(changes: Mapping[str, Any], into: Path) -> Path:
    """A copy of image/ with changes, in a git repository of its own that was tagged before them.

    Args:
        changes: `documents`: file → changes of its entries; `texts`: file → what it `was` and `becomes`, or its whole
            text; `then`: file → the text that it had when it was tagged.
        into: where it goes.
    """
    copied = into / "image"
    shutil.copytree(ROOT / "image", copied, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in changes.get("then", {}).items():
        (copied / name).write_text(text, encoding="utf-8")
    if "then" in changes:
        _tagged(copied)
    for name, change in changes.get("documents", {}).items():
        document = yaml.safe_load((copied / name).read_text(encoding="utf-8"))
        (copied / name).write_text(edited_entries(document, change, datetime.now(UTC).date()), encoding="utf-8")
    for name, text in changes.get("texts", {}).items():
        _write(copied / name, text)
    return copied


def _write(path: Path, text: Any) -> None:
    if isinstance(text, list):
        was, becomes = text
        before = path.read_text(encoding="utf-8")
        assert was in before, f"{was!r} is not in {path.name}"
        text = before.replace(was, becomes, 1)
    path.write_text(text, encoding="utf-8")


def _tagged(repository: Path) -> None:
    git = ["git", "-C", str(repository), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init"], ["add", "."], ["commit", "-m", "the last release"], ["tag", "v0.9.0"]):
        subprocess.run([*git, *words], check=True, capture_output=True, timeout=60)
