"""The registry behind fails in the middle of an answer, or the caller falls silent: nobody is kept waiting."""

from __future__ import annotations

import http.client
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from localaws.ecr.blobs import Blobs
from localaws.ecr.credentials import Credential, IssuedCredentials, RegistryPasswords
from localaws.ecr.gateway import Gateway, _Request
from localaws.ecr.operations import Ecr
from localaws.ecr.registry_protocol import RegistryProtocol
from localaws.ecr.state import RepositoryState
from localaws.ecr.store import Store
from tests.local_target.registry_client import RegistryClient

BLOB = f"/v2/rr/blobs/sha256:{'0' * 64}"


@dataclass
class Behind:
    """A registry that answers each request with the bytes it was given, and then closes or resets."""

    says: bytes = b""
    reset: bool = False
    asked: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            with caller:
                self.asked.append(caller.recv(65536))
                caller.sendall(self.says)
                if self.reset:
                    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


class Everybody:
    """An authorization check that allows everything."""

    def require(self, *_: object) -> None:
        """Nothing is asked."""


@pytest.fixture
def behind() -> Iterator[Behind]:
    """The registry behind."""
    made = Behind()
    yield made
    made.close()


@pytest.fixture
def registry(behind: Behind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RegistryClient]:
    """A client of a gateway in this process."""
    store, passwords = Store(tmp_path / "ecr.json", "1"), RegistryPasswords(lambda: datetime.now(UTC))
    with store.changing() as account:
        account.repositories["rr"] = RepositoryState("rr", 1.0)
    ecr = Ecr("1", "r", store, Blobs(behind.host), passwords, cast(Any, None), lambda: datetime.now(UTC))
    access = cast(Any, Everybody())
    gateway = Gateway(cast(Any, None), RegistryProtocol(ecr, access), access, IssuedCredentials(), "r")
    monkeypatch.setattr(_Request, "timeout", 0.3)
    failures: list[object] = []
    monkeypatch.setattr(gateway, "handle_error", lambda *_: failures.append(sys.exc_info()[1]))
    threading.Thread(target=gateway.serve_forever, args=(0.02,), daemon=True).start()
    yield RegistryClient(f"127.0.0.1:{gateway.server_address[1]}", ("AWS", passwords.issue(Credential("A", "S"))[0]))
    gateway.shutdown()
    gateway.server_close()
    unexpected = [each for each in failures if not isinstance(each, ConnectionError)]
    assert unexpected == []


@pytest.mark.parametrize(
    "says",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
)
@pytest.mark.parametrize("reset", [False, True])
def test_an_answer_that_is_cut_ends_the_connection(
    behind: Behind, registry: RegistryClient, says: bytes, *, reset: bool
) -> None:
    """The caller sees at once that the response is incomplete; no second response follows in it."""
    behind.says, behind.reset = says, reset
    with pytest.raises((http.client.IncompleteRead, ConnectionError)) as cut:
        registry.ask("GET", BLOB)
    assert b"UNAVAILABLE" not in getattr(cut.value, "partial", b"")


@pytest.mark.parametrize(
    ("says", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n", b"four"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour and more", b"four"),
        (b"HTTP/1.1 416 Range\r\nContent-Length: 13\r\n\r\n", b""),
        (b"HTTP/1.1 404 Gone\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngone\r\n0\r\n\r\n", b"gone"),
        (b"HTTP/1.1 204 Nothing\r\n\r\n", b""),
    ],
)
def test_an_answer_of_any_framing_arrives_whole(
    behind: Behind, registry: RegistryClient, says: bytes, body: bytes
) -> None:
    """With a length, in chunks, or until the end: the bytes are counted, and sent on."""
    behind.says = says
    assert registry.ask("GET", BLOB).body == body


@pytest.mark.parametrize("says", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_no_answer_is_an_error_of_the_registry_behind(behind: Behind, registry: RegistryClient, says: bytes) -> None:
    """503 with a message, and the connection stays open."""
    behind.says = says
    refused = registry.ask("GET", BLOB)
    assert (refused.status, refused.code) == (503, "UNAVAILABLE")


def test_a_caller_that_sends_nothing_is_timed_out(registry: RegistryClient) -> None:
    """408 after the timeout; 400 if the body ended too early."""
    auth = registry._authorization()["Authorization"]
    head = f"PUT /v2/rr/manifests/x HTTP/1.1\r\nHost: x\r\nAuthorization: {auth}\r\nContent-Length: 9\r\n\r\nhal"
    for end, status in ((lambda _: None, b"408"), (lambda each: each.shutdown(socket.SHUT_WR), b"400")):
        _assert_answered(registry.host, head.encode(), cast(Callable[[socket.socket], None], end), status)


def _assert_answered(host: str, head: bytes, end: Callable[[socket.socket], None], status: bytes) -> None:
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=5) as caller:
        caller.sendall(head)
        end(caller)
        answer = b"".join(iter(lambda: caller.recv(65536), b""))
    assert answer.split(b" ")[1] == status, answer
