"""Locking Chrome: the two zips of the pinned version, by SHA-256, from a server of our own."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.setup.machine import ROOT

pytestmark = pytest.mark.slow

VERSION = "143.0.7499.192"


class Quiet(SimpleHTTPRequestHandler):
    """A file server that says nothing, and ends one download early."""

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """The file, or half of it where its name says so."""
        if "half" not in self.path:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 10)


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[str]:
    """A bucket with both zips of the pinned version; its URL."""
    folder = tmp_path / "bucket" / VERSION / "linux64"
    folder.mkdir(parents=True)
    for program in ("chrome", "chromedriver"):
        (folder / f"{program}-linux64.zip").write_bytes(program.encode())
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


def lock(bucket: str, image: Path) -> subprocess.CompletedProcess[str]:
    """Run what `make lock-chrome` runs."""
    command = [sys.executable, ROOT / "setup" / "lock_chrome.py", "--bucket", bucket, "--image", image]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_lock_names_url_checksum_and_size_of_both_zips(bucket: str, image: Path) -> None:
    """What is locked is what the server has, measured and not claimed."""
    done = lock(bucket, image)
    assert done.returncode == 0, done.stderr
    written = json.loads((image / "chrome.lock").read_text())
    assert written["version"] == VERSION
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
    assert "ARG CHROME_VERSION" in lock(bucket, image).stderr
    assert not (image / "chrome.lock").exists()
