"""A file on disk for what is too large for memory: its limit, a full disk, and its parts."""

import io
import os
import tarfile
from contextlib import closing

import pytest

from gate.errors import ImageUnavailable
from gate.image import scratch
from gate.image.scratch import ScratchFile


def test_parts_are_read_as_files_of_their_own():
    """What was appended later begins where `append` says; a part ends where it ends."""
    with closing(ScratchFile()) as file:
        assert (file.append(io.BytesIO(b"abc")), file.append(io.BytesIO(b"defgh")), file.size) == (0, 3, 8)
        part = file.part(3, 4)
        assert (part.read(2), part.read(), part.read()) == (b"de", b"fg", b"")
        assert (part.seek(-1, os.SEEK_END), part.read(9)) == (3, b"g")
        assert file.read(2, 3) == b"cde"
        with pytest.raises(tarfile.ReadError):
            file.read(6, 3)


def test_what_is_larger_than_the_limit_is_refused(monkeypatch):
    """Before the disk is full."""
    monkeypatch.setattr(scratch, "LIMIT_BYTES", 7)
    with closing(ScratchFile()) as file:
        file.append(io.BytesIO(b"1234567"))
        with pytest.raises(ImageUnavailable, match="larger than the 7 bytes"):
            file.append(io.BytesIO(b"8"))


def test_a_full_disk_is_said_with_the_way_out(monkeypatch, tmp_path):
    """The folder is named, and what makes another one of it."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    def full(*_):
        raise OSError(28, "No space left on device")

    with closing(ScratchFile()) as file:
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(ImageUnavailable, match="no room to look into the image: No space left") as refused:
            file.append(io.BytesIO(b"x"))
    assert refused.value.where == str(tmp_path)
    assert "TMPDIR" in refused.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_no_folder_to_write_in_is_said(monkeypatch):
    """As on a machine whose disk is read-only."""

    def refused(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", refused)
    with pytest.raises(ImageUnavailable, match="no room to look into the image: Read-only file system"):
        ScratchFile()
