"""The archive of `docker save`, as Docker, containerd and Podman lay it out."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping

import pytest

from gate.engine.saved_image import HistoryEntry, SavedImage, read_saved
from gate.errors import ImageUnavailable


def tar(files: Mapping[str, bytes], links: Mapping[str, tuple[bytes, str]] = {}) -> bytes:
    """A tar of files, and of links: name → (kind, target)."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, (kind, target) in links.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            archive.addfile(member)
    return written.getvalue()


def digest(content: bytes) -> str:
    """The sha256 as OCI writes it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


LOWER = tar({"a": b"12345", "b": b"x" * 700})
UPPER = tar({"c": b"1"}, {"soft": (tarfile.SYMTYPE, "한글"), "hard": (tarfile.LNKTYPE, "c"), ".wh.a": (b"0", "")})
HISTORY = [{"created_by": "COPY a"}, {"created_by": "ENV x", "empty_layer": True}, {}]
CONFIG = json.dumps({"rootfs": {"diff_ids": [digest(LOWER), digest(UPPER)]}, "history": HISTORY}).encode()
SAVED = SavedImage(
    digest(CONFIG),
    (digest(LOWER), digest(UPPER)),
    # An instruction that only changes the configuration has no size.
    (HistoryEntry("COPY a", 705), HistoryEntry("ENV x", 0), HistoryEntry("", 7)),
)


def _manifest(config: str, *layers: str) -> bytes:
    return json.dumps([{"Config": config, "RepoTags": ["x:1"], "Layers": layers}]).encode()


def _legacy() -> bytes:
    files = {"1/VERSION": b"1.0", "1/json": b"{}", "1/layer.tar": LOWER, "2/layer.tar": UPPER, "c.json": CONFIG}
    return tar(files | {"manifest.json": _manifest("c.json", "1/layer.tar", "2/layer.tar"), "repositories": b"{}"})


def _oci() -> bytes:
    blobs = {f"blobs/sha256/{digest(each)[7:]}": each for each in (gzip.compress(LOWER), gzip.compress(UPPER), CONFIG)}
    first, second, config = blobs
    return tar(blobs | {"index.json": b"{}", "manifest.json": _manifest(config, first, second), "oci-layout": b"{}"})


def _podman() -> bytes:
    files = {"a.tar": LOWER, "b.tar": UPPER, "c.json": CONFIG, "manifest.json": _manifest("c.json", "a.tar", "b.tar")}
    return tar(files, {"1/layer.tar": (tarfile.SYMTYPE, "../a.tar")})


def _read(archive: bytes) -> SavedImage:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r|") as opened:
        return read_saved(opened)


@pytest.mark.parametrize("archive", [_legacy(), _oci(), _podman()], ids=["docker", "containerd", "podman"])
def test_every_layout_holds_the_same_image(archive: bytes) -> None:
    """Plain or gzip, by whatever names: configuration, layers and the bytes of their files."""
    assert _read(archive) == SAVED


def test_a_layer_smaller_than_a_block_counts_when_compressed() -> None:
    """A layer of one small file takes less than a tar block once it is gzip."""
    assert len(gzip.compress(UPPER)) < tarfile.BLOCKSIZE
    assert _read(_oci()).history[-1].size_bytes == 7


def test_a_layer_that_stands_twice_is_counted_twice() -> None:
    """As any engine counts it: two instructions that change the same file in the same way."""
    config = json.dumps({"rootfs": {"diff_ids": [digest(LOWER)] * 2}}).encode()
    found = _read(tar({"l": LOWER, "c.json": config, "manifest.json": _manifest("c.json", "l", "l")}))
    assert found.history == (HistoryEntry("", 705),) * 2


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"manifest.json": b"[]"},
        {"manifest.json": b"{}"},
        {"manifest.json": b"[1"},
        {"index.json": b"{}", "oci-layout": b"{}"},
        {"manifest.json": _manifest("c.json", "l")},
        {"manifest.json": _manifest("c.json", "l"), "c.json": CONFIG, "l": LOWER},
        {"manifest.json": _manifest("c.json", "l"), "c.json": b'{"rootfs": {}}'},
        {"manifest.json": _manifest("c.json"), "c.json": b"[]"},
        {
            "manifest.json": _manifest("c.json", "l"),
            "l": LOWER,
            "c.json": json.dumps({"rootfs": {"diff_ids": [digest(LOWER)]}, "history": ["RUN x"]}).encode(),
        },
    ],
)
def test_an_archive_that_is_not_whole_gives_nothing(files: dict[str, bytes]) -> None:
    """Without configuration, or without one of its layers, there is neither identity nor size."""
    with pytest.raises(tarfile.ReadError):
        _read(tar(files))


def test_an_archive_cut_short_gives_nothing() -> None:
    """An incomplete layer is not counted."""
    with pytest.raises(tarfile.ReadError):
        _read(_legacy()[:3000])


def test_a_layer_in_zstd_is_refused_by_a_sentence() -> None:
    """It cannot be measured, and Lambda would refuse it."""
    files = {"l": b"\x28\xb5\x2f\xfd" + b"x" * 600, "c.json": CONFIG, "manifest.json": _manifest("c.json", "l")}
    with pytest.raises(ImageUnavailable, match="zstd"):
        _read(tar(files))


def test_a_damaged_layer_gives_nothing() -> None:
    """A layer that begins like gzip and is not."""
    files = {"l": b"\x1f\x8b" + b"x" * 600, "c.json": CONFIG, "manifest.json": _manifest("c.json", "l")}
    with pytest.raises(tarfile.ReadError):
        _read(tar(files))


@pytest.mark.parametrize("history", [HISTORY[:2], [*HISTORY, {}], [{"created_by": "x", "empty_layer": True}]])
def test_a_history_that_does_not_fit_is_refused(history: list[dict[str, object]]) -> None:
    """Sizes would be shown beside the wrong instructions."""
    config = json.dumps({**json.loads(CONFIG), "history": history}).encode()
    files = {"a": LOWER, "b": UPPER, "c.json": config, "manifest.json": _manifest("c.json", "a", "b")}
    with pytest.raises(tarfile.ReadError, match="history"):
        _read(tar(files))
