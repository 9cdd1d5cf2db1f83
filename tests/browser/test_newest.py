"""The newest stable Chrome: from a list that answers, garbles, does not end or is not there, or from a dated file."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gate.browser.newest import (
    FILE,
    LARGEST,
    LIST,
    ListUnreachable,
    ListUnreadable,
    NewestUnknown,
    StableVersion,
    fetch,
    listed,
    newest,
    record_of,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
TODAY = NOW.date()
ROOT = Path(__file__).parents[2]


def document(version: object = "158.0.8127.37", at: object = NOW, channel: object = "Stable") -> dict[str, object]:
    """A list as Chrome for Testing publishes it, made small."""
    moment = at.isoformat().replace("+00:00", "Z") if isinstance(at, datetime) else at
    stable = {"channel": channel, "version": version, "revision": "1"}
    return {"timestamp": moment, "channels": {"Stable": stable, "Beta": {"channel": "Beta", "version": "159.0.1.1"}}}


class Answers(BaseHTTPRequestHandler):
    """Answers what the path asks for."""

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """The list, an error, a page of a proxy, a redirection, or far too much."""
        kind = self.path.strip("/")
        if kind.isdigit():
            self.send_error(int(kind))
        elif kind == "away":
            self.send_response(302)
            self.send_header("Location", "/list")
            self.end_headers()
        elif kind == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"{")
        elif kind == "drip":
            self._drip()
        else:
            self._send({"list": json.dumps(document()).encode(), "proxy": b"<html>Sign in</html>",
                        "much": b"x" * (LARGEST + 2)}[kind])  # fmt: skip

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        pause = threading.Event()
        for _ in range(40):
            try:
                self.wfile.write(b" ")
            except OSError:
                return
            pause.wait(0.1)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of our own; its URL."""
    found = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{found.server_port}"
    found.shutdown()
    found.server_close()


def recorded(folder: Path, seen: date = TODAY, version: str = "157.0.1.2") -> Path:
    """A folder with a dated file."""
    (folder / FILE).write_text(json.dumps({"version": version, "seen": seen.isoformat(), "source": "looked up"}))
    return folder


def test_list_that_can_be_reached_decides(server, tmp_path):
    """The dated file is not used then."""
    found = newest(recorded(tmp_path), NOW, f"{server}/list")
    assert found == StableVersion("158.0.8127.37", TODAY, f"{server}/list")
    assert newest(tmp_path, NOW, f"{server}/away").version == "158.0.8127.37"


@pytest.mark.parametrize("path", ["404", "403", "407", "500", "503"])
def test_unreachable_list_leaves_it_to_the_file(server, tmp_path, path):
    """An error of the server or of a proxy counts as unreachable."""
    assert newest(recorded(tmp_path), NOW, f"{server}/{path}") == StableVersion(
        "157.0.1.2", TODAY, f"{FILE}: looked up"
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://no-such-host.invalid/", "no address"])
def test_nothing_at_the_address(tmp_path, url):
    """No name, no server, no address at all."""
    with pytest.raises(ListUnreachable):
        fetch(url)
    with pytest.raises(NewestUnknown, match=f"no {FILE} says"):
        newest(tmp_path, NOW, url)


@pytest.mark.parametrize("days", [0, 1, 30])
def test_file_counts_for_a_while(tmp_path, days):
    """Thirty days are two major versions."""
    seen = TODAY - timedelta(days=days)
    assert newest(recorded(tmp_path, seen), NOW, "http://127.0.0.1:9/").seen == seen


@pytest.mark.parametrize("days", [31, 400, -2])
def test_old_or_future_file_does_not_count(tmp_path, days):
    """Then the newest version is unknown, and the scenario is skipped."""
    seen = TODAY - timedelta(days=days)
    with pytest.raises(NewestUnknown, match=f"counts for 30 days and is of {seen}"):
        newest(recorded(tmp_path, seen), NOW, "http://127.0.0.1:9/")


@pytest.mark.parametrize("path", ["proxy", "much"])
def test_another_answer_is_not_taken_for_the_list(server, tmp_path, path):
    """The dated file is not used instead."""
    with pytest.raises(ListUnreadable):
        newest(recorded(tmp_path), NOW, f"{server}/{path}")


def test_answer_that_is_cut_short_is_not_the_list(server):
    """An incomplete list is not read."""
    with pytest.raises((ListUnreachable, ListUnreadable)):
        newest(Path("none"), NOW, f"{server}/cut")


def test_answer_that_does_not_end_is_waited_for_no_longer_than_allowed(server):
    """Although each of its parts comes in time."""
    with pytest.raises(ListUnreachable, match="does not end"):
        fetch(f"{server}/drip", timeout=0.5)


def test_redirection_to_another_scheme_is_refused(monkeypatch):
    """Anyone on the way could change what arrives over http."""
    answer = type("Answer", (), {"url": "http://example.org/", "read1": lambda *_: b"", "__enter__": lambda me: me,
                                 "__exit__": lambda *_: None})  # fmt: skip
    monkeypatch.setattr("gate.browser.newest.urllib.request.urlopen", lambda *_, **__: answer())
    with pytest.raises(ListUnreadable, match=r"redirects to http://example\.org/"):
        fetch("https://example.org/")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"7", b'"158.0.8127.37"', b"\xff\xfe{", b"[" * 50_000,
        {}, {"channels": {}}, {"channels": {"Stable": None}, "timestamp": "x"}, {"channels": []},
        document(version="158.0.8127"), document(version="158.0.8127.37.1"), document(version="158.0.8127.x"),
        document(version=158), document(version=None), document(version="158.0.8127.37\n"), document(version="٣.0.1.2"),
        document(version="0.1.2.3"), document(version="99999.0.0.0"), document(channel="Beta"),
        document(at=""), document(at=7),
        document(at="2026-11-27T12:00:00"), document(at=NOW - timedelta(days=31)), document(at=NOW + timedelta(days=2)),
    ],
)  # fmt: skip
def test_garbled_list(body):
    """Anything but four numbers is refused."""
    with pytest.raises(ListUnreadable):
        listed(body if isinstance(body, bytes) else json.dumps(body).encode(), "https://example.org/", NOW)


@pytest.mark.parametrize("at", [NOW, NOW - timedelta(days=29), "2026-11-27T13:00:00.123+09:00"])
def test_good_list(at):
    """With whatever else it holds."""
    assert listed(json.dumps(document(at=at)).encode(), "u", NOW).version == "158.0.8127.37"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version": "1.2.3.4"}', '{"version": "1.2.3", "seen": "2026-11-27", "source": ""}',
     '{"version": "1.2.3.4", "seen": "today", "source": ""}'],
)  # fmt: skip
def test_garbled_file(tmp_path, text):
    """It is refused, not ignored."""
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ListUnreadable, match=FILE):
        newest(tmp_path, NOW, "http://127.0.0.1:9/")


def test_record_is_read_as_it_was_written(tmp_path):
    """`make bump-chrome` writes what the gate reads."""
    (tmp_path / FILE).write_text(record_of(StableVersion("158.0.8127.37", TODAY, "https://example.org/")))
    found = newest(tmp_path, NOW, "http://127.0.0.1:9/")
    assert found == StableVersion("158.0.8127.37", TODAY, f"{FILE}: https://example.org/")


def test_own_file_is_well_formed(monkeypatch):
    """The one beside the release's Dockerfile; the list's address is https."""
    assert LIST.startswith("https://")

    def nothing(_url):
        raise ListUnreachable("offline")

    monkeypatch.setattr("gate.browser.newest.fetch", nothing)
    run = type("Run", (), {"options": type("Options", (), {"image_context": ROOT / "image"})})
    seen = date.fromisoformat(json.loads((ROOT / "image" / FILE).read_text())["seen"])
    assert newest(run.options.image_context, datetime(seen.year, seen.month, seen.day, tzinfo=UTC)).seen == seen
