"""Clients that try TLS on the local target, as Docker does in containerd's store, and learn that it speaks HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import HTTPServer

import pytest

from localaws.ecr.exchange import Exchange

ALERT = b"\x15\x03\x01\x00\x02\x02\x46\n\r\n"
CLIENT_HELLO = b"\x16\x03\x01\x00\xf1\x01\x00\x00\xed\x03\x03" + bytes(range(1, 32)) + b"\n\r\n"


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """A server of exchanges that knows no method."""
    with HTTPServer(("127.0.0.1", 0), Exchange) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[0], server.server_address[1]  # type: ignore[misc]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("sent", [CLIENT_HELLO, ALERT, b"HELO there\r\n\r\n", b"x\r\n\r\n"])
def test_what_is_no_http_is_answered_with_http(address: tuple[str, int], sent: bytes) -> None:
    """Go's clients look at the first five bytes of the answer, and try again without TLS only where they are HTTP's."""
    with socket.create_connection(address, timeout=5) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(5) == b"HTTP/"
