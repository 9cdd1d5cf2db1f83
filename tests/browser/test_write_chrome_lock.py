"""Writing files together: where one text cannot be written, no file changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.browser.write_chrome_lock import write_together


@pytest.mark.parametrize("stuck", ["Dockerfile", "chrome.lock", "chrome-stable.json"])
@pytest.mark.parametrize("there", [True, False])
def test_all_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stuck: str, there: bool) -> None:
    """A full disk leaves every file as it was, and no new one."""
    paths = [tmp_path / name for name in ("Dockerfile", "chrome.lock", "chrome-stable.json")]
    for path in paths if there else ():
        path.write_text("old")
    before = sorted(path.name for path in tmp_path.iterdir())
    write = Path.write_text

    def failing(self: Path, *text: str, **options: str) -> int:
        if stuck in self.name:
            raise OSError("no space left on device")
        return write(self, *text, **options)

    monkeypatch.setattr(Path, "write_text", failing)
    with pytest.raises(OSError, match="no space"):
        write_together(dict.fromkeys(paths, "new"))
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert {path.read_text() for path in paths if path.exists()} <= {"old"}


def test_text_that_cannot_be_written_leaves_the_others(tmp_path: Path) -> None:
    """Each new text is on the disk before any file is replaced."""
    (tmp_path / "a").write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_together({tmp_path / "a": "new", tmp_path / "b": "\ud800"})
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]
