"""Layers kept on disk: taken again only unchanged, limited in size, removed when no run uses them; and a full disk."""

import hashlib
import io
import os
import tarfile
import time
from contextlib import closing, contextmanager

import pytest

from gate.errors import ImageUnavailable
from gate.image import layer_files
from gate.image.archive import read_image
from gate.image.layer_files import LayerFolder
from gate.image.package_records import PackageRecords
from tests.image.archive import layer, saved

LOWER, UPPER = layer({"/a": b"a"}), layer({"/key": b"-----BEGIN PRIVATE KEY-----\n" + b"MIIabc9XYZ+/dEf0" * 8})


def digest(content):
    """As an image's configuration calls a layer."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Saves:
    """Counts how often the engine was asked for an image of these layers."""

    def __init__(self, *layers):
        self.layers, self.count = layers, 0

    @contextmanager
    def __call__(self):
        """One more."""
        self.count += 1
        yield io.BytesIO(saved(self.layers))

    def findings(self, folder):
        """What is found in the image."""
        with closing(LayerFolder(folder)) as kept:
            image = read_image([digest(each) for each in self.layers], kept, self)
            return {(number, found.path) for number, found in image.search(PackageRecords()).findings}


def test_what_was_kept_is_read_and_searched_without_the_engine(tmp_path):
    """The same is found again; nothing else is remembered."""
    saves = Saves(LOWER, UPPER)
    assert saves.findings(tmp_path) == saves.findings(tmp_path) == {(2, "/key")}
    assert saves.count == 1
    assert {path.name for path in tmp_path.iterdir()} == {digest(each)[7:] for each in (LOWER, UPPER)}


@pytest.mark.parametrize("other", [LOWER, UPPER[:-1], UPPER.replace(b"PRIVATE", b"private"), b""])
def test_a_kept_layer_that_was_changed_is_read_from_the_engine_again(tmp_path, other):
    """As if somebody had put a harmless layer in its place: the secret is found all the same."""
    saves = Saves(LOWER, UPPER)
    saves.findings(tmp_path)
    (tmp_path / digest(UPPER)[7:]).write_bytes(other)
    assert saves.findings(tmp_path) == {(2, "/key")}
    assert saves.count == 2
    assert (tmp_path / digest(UPPER)[7:]).read_bytes() == UPPER


def test_what_no_run_has_used_for_an_hour_is_removed(tmp_path):
    """Layers of other images too, and what a killed run left; what is read counts as used."""
    lower, upper = (digest(each)[7:] for each in (LOWER, UPPER))
    for ages, left in (({lower: 4000, upper: 3000}, {lower, upper}), ({lower: 3000, upper: 4000}, {lower})):
        Saves(LOWER, UPPER).findings(tmp_path)
        for name, age in {**ages, "new.part": 3000, "old.part": 4000}.items():
            (tmp_path / name).touch()
            os.utime(tmp_path / name, (time.time() - age,) * 2)
        saves = Saves(LOWER)
        saves.findings(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {*left, "new.part"}
        assert saves.count == 0


def test_a_name_that_is_no_digest_is_no_path(tmp_path):
    """A configuration may state anything."""
    (tmp_path / "layers").mkdir()
    outside = tmp_path / "outside"
    outside.write_bytes(LOWER)
    with closing(LayerFolder(tmp_path / "layers")) as folder:
        assert folder.kept("sha256:../outside") is None
    assert outside.exists()


def test_parts_are_read_and_hashed(tmp_path):
    """A part ends where it ends."""
    with closing(LayerFolder(tmp_path)) as folder:
        name, file = folder.add(io.BytesIO(b"abcdefgh"))
        assert (name, file.size, file.read(2, 3)) == (digest(b"abcdefgh"), 8, b"cde")
        assert file.part(2, 3).hashed("sha256") == digest(b"cde")
        with pytest.raises(tarfile.ReadError):
            file.part(6, 3).hashed("sha256")


def test_what_is_larger_than_the_limit_is_refused(monkeypatch, tmp_path):
    """Before the disk is full."""
    monkeypatch.setattr(layer_files, "LIMIT_BYTES", 7)
    with closing(LayerFolder(tmp_path)) as folder:
        folder.add(io.BytesIO(b"1234567"))
        with pytest.raises(ImageUnavailable, match="larger than the 7 bytes"):
            folder.add(io.BytesIO(b"8"))
    assert [path.name for path in tmp_path.iterdir()] == [digest(b"1234567")[7:]]


def test_a_full_disk_is_said_with_the_folder(monkeypatch, tmp_path):
    """What was written until then is removed."""
    full = (os.open("/dev/full", os.O_RDWR), str(tmp_path / "x.part"))
    monkeypatch.setattr("tempfile.mkstemp", lambda **_: full)
    with closing(LayerFolder(tmp_path)) as folder, pytest.raises(ImageUnavailable, match="No space left") as refused:
        folder.add(io.BytesIO(b"x"))
    assert refused.value.where == "/".join(tmp_path.parts[-2:])
    assert list(tmp_path.iterdir()) == []


def test_no_folder_to_write_in_is_said(tmp_path):
    """As on a machine where something else has that name."""
    (tmp_path / "file").touch()
    with pytest.raises(ImageUnavailable, match="no room to look into the image: Not a directory"):
        LayerFolder(tmp_path / "file" / "layers")
