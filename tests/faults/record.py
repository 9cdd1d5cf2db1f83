"""Editing what a run has written, as a person with an editor or a careless script would, and putting it back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def edited(folder: Path, edits: Sequence[Mapping[str, str]], digest: str) -> Iterator[None]:
    """Make each edit: a `new` file, `delete` one, or put in a file's text what it `becomes` for what it `was`."""
    kept: dict[Path, bytes | None] = {}
    try:
        for edit in edits:
            found = [folder / edit["file"]] if "new" in edit else sorted(folder.glob(edit["file"]))
            assert found, f"the run wrote no {edit['file']}"
            for path in found:
                kept[path] = path.read_bytes() if path.exists() else None
                _edit(path, edit, digest)
        yield
    finally:
        for path, content in kept.items():
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)


def _edit(path, edit, digest):
    if "delete" in edit:
        path.unlink()
    elif "new" in edit:
        path.write_text(edit["new"], encoding="utf-8")
    else:
        text = path.read_text(encoding="utf-8")
        becomes = edit["becomes"].replace("{digest}", digest)
        new = re.sub(edit["was"], lambda _match: becomes, text)
        assert new != text, f"{edit['was']!r} is not in {path.name}"
        path.write_text(new, encoding="utf-8")
