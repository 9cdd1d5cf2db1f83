"""Locking Chrome: the two zips of the pinned version, by SHA-256, from a server of our own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.setup.machine import ROOT

pytestmark = pytest.mark.slow

VERSION, NEWER = "143.0.7499.192", "158.0.8127.37"
# 2026-11-17, noon
RELEASED = 1_794_916_800


class Quiet(SimpleHTTPRequestHandler):
    """A file server that says nothing, and ends one download early."""

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """The file, or half of it, or without its time, where its name says so."""
        if "timeless" in self.path:
            self.send_response(200)
            self.end_headers()
            return
        if "half" not in self.path:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 10)


def names_newest(tmp_path: Path, version: str) -> None:
    """Let the list name this version."""
    stable = {"channel": "Stable", "version": version, "revision": "1"}
    document = {"timestamp": datetime.now(UTC).isoformat(), "channels": {"Stable": stable}}
    (tmp_path / "bucket" / "list.json").write_text(json.dumps(document))


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[str]:
    """A bucket with both zips of two versions, and the list that names the newer one; its URL."""
    for version in (VERSION, NEWER):
        folder = tmp_path / "bucket" / version / "linux64"
        folder.mkdir(parents=True)
        for days, program in enumerate(("chromedriver", "chrome")):
            archive = folder / f"{program}-linux64.zip"
            archive.write_bytes(program.encode())
            os.utime(archive, (RELEASED + 86_400 * days,) * 2)
    names_newest(tmp_path, NEWER)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "bucket"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A folder with a Dockerfile that pins a version."""
    folder = tmp_path / "image"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM scratch\nARG CHROME_VERSION={VERSION}\n")
    return folder


def lock(bucket: str, image: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run what `make lock-chrome` runs, and with --bump `make bump-chrome`."""
    command = [sys.executable, "-m", "gate.browser.write_chrome_lock", "--bucket", bucket, "--image", image, *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def bump(bucket: str, image: Path, *version: str) -> subprocess.CompletedProcess[str]:
    """Pin another version."""
    return lock(bucket, image, "--list", f"{bucket}/list.json", "--bump", *version)


def files_of(image: Path) -> dict[str, str]:
    """Each file of the folder, and what is in it."""
    return {path.name: path.read_text() for path in image.iterdir()}


def test_lock_names_url_checksum_and_size_of_both_zips(bucket: str, image: Path) -> None:
    """What is locked is what the server has, measured and not claimed."""
    done = lock(bucket, image)
    assert done.returncode == 0, done.stderr
    written = json.loads((image / "chrome.lock").read_text())
    assert written["version"] == VERSION
    assert written["released"] == "2026-11-17", "the older of the two: when the archive received the version"
    assert written["downloads"]["chromedriver"] == {
        "url": f"{bucket}/{VERSION}/linux64/chromedriver-linux64.zip",
        "sha256": hashlib.sha256(b"chromedriver").hexdigest(),
        "size": len("chromedriver"),
    }
    assert set(written["downloads"]) == {"chrome", "chromedriver"}


def test_missing_zip_leaves_the_old_lock_and_is_one_sentence(bucket: str, image: Path) -> None:
    """A version that does not exist stops with its URL, and a lock that was there stays."""
    (image / "chrome.lock").write_text("the old one")
    (image / "Dockerfile").write_text("ARG CHROME_VERSION=1.2.3.4\n")
    done = lock(bucket, image)
    assert done.returncode != 0
    assert f"{bucket}/1.2.3.4/linux64/chrome-linux64.zip cannot be downloaded" in done.stderr
    assert "Traceback" not in done.stderr
    assert (image / "chrome.lock").read_text() == "the old one"


def test_half_a_download_is_not_locked(bucket: str, image: Path) -> None:
    """A download that ends early would lock a broken file: it is refused."""
    done = lock(f"{bucket}/half", image)
    assert "10 of 1000 bytes" in done.stderr
    assert not (image / "chrome.lock").exists()


def test_dockerfile_without_a_pin_is_one_sentence(bucket: str, image: Path) -> None:
    """Without a pinned version there is nothing to lock."""
    (image / "Dockerfile").write_text("FROM scratch\n")
    assert "0 lines `ARG CHROME_VERSION" in lock(bucket, image).stderr
    assert not (image / "chrome.lock").exists()


def test_archive_that_tells_no_time_is_not_locked(bucket: str, image: Path) -> None:
    """Without it nobody would know how old the pin is."""
    done = lock(f"{bucket}/timeless", image)
    assert "came without a time (Last-Modified: None)" in done.stderr
    assert not (image / "chrome.lock").exists()


def test_bump_pins_the_newest_and_locks_it_together(bucket: str, image: Path) -> None:
    """Dockerfile and lock name it, nothing else in the Dockerfile differs, and what was newest is recorded."""
    image.joinpath("Dockerfile").chmod(0o640)
    before = files_of(image)["Dockerfile"]
    done = bump(bucket, image)
    assert done.returncode == 0, done.stderr
    after = files_of(image)
    assert set(after) == {"Dockerfile", "chrome.lock", "chrome-stable.json"}
    assert after["Dockerfile"] == before.replace(VERSION, NEWER)
    assert (image / "Dockerfile").stat().st_mode & 0o777 == 0o640
    assert json.loads(after["chrome.lock"])["version"] == NEWER
    assert json.loads(after["chrome-stable.json"])["version"] == NEWER


def test_bump_to_a_named_version_asks_no_list(bucket: str, image: Path) -> None:
    """Also an older one: whoever names it wants it."""
    (image / "Dockerfile").write_text(f"ARG CHROME_VERSION={NEWER}\n")
    done = lock(bucket, image, "--list", "http://127.0.0.1:9/", "--bump", VERSION)
    assert done.returncode == 0, done.stderr
    assert files_of(image)["Dockerfile"] == f"ARG CHROME_VERSION={VERSION}\n"
    assert set(files_of(image)) == {"Dockerfile", "chrome.lock"}


@pytest.mark.parametrize(
    ("newest", "asked", "says"),
    [
        ("999.0.1.1", (), "cannot be downloaded"),
        ("142.9.9.9", (), "older than the pinned"),
        ("143.0.7499", (), "names no stable version"),
        (NEWER, ("999.0.1.1",), "cannot be downloaded"),
        (NEWER, ("latest",), "is not a version of Chrome"),
        (NEWER, ("158.0.8127.37/../..",), "is not a version of Chrome"),
    ],
)
def test_bump_that_fails_leaves_all_as_it_was(
    tmp_path: Path, bucket: str, image: Path, newest: str, asked: tuple[str, ...], says: str
) -> None:
    """One sentence, and neither file differs."""
    names_newest(tmp_path, newest)
    (image / "chrome.lock").write_text("the old one")
    before = files_of(image)
    done = bump(bucket, image, *asked)
    assert done.returncode != 0
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert files_of(image) == before


def test_unreachable_list_leaves_all_as_it_was(bucket: str, image: Path) -> None:
    """What is newest is not guessed."""
    before = files_of(image)
    done = lock(bucket, image, "--list", f"{bucket}/no-list.json", "--bump")
    assert "no-list.json cannot be reached" in done.stderr
    assert files_of(image) == before
