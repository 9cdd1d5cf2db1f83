"""An HTTP request and its response; bodies are streamed, and their bytes counted in both directions (RFC 9112)."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler

PIECE = 256 * 1024
_DRAIN = 1024 * 1024
_LINE = 1024
_MOST_TRAILERS = 100
_BODILESS = frozenset({204, 304})
_PATH = re.compile(r"[!-~]+")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(;[^\r\n]*)?\r?\n")


class BodyTooLarge(Exception):
    """The request's body is larger than its operation allows."""


class BrokenBody(ConnectionError):
    """The caller closed the connection, timed out, or sent a body that does not match its headers.

    Attributes:
        status: the HTTP status to answer with, if the connection is still open.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Exchange(BaseHTTPRequestHandler):
    """A handler of requests; subclasses define the methods.

    Attributes:
        timeout: seconds without data from the caller after which its connection is closed.
        patience: seconds to wait for the rest of a body before a response that does not need it.
        length: the body's length in bytes, None for a chunked body.
        begun: whether the response has begun; a later failure can only close the connection.
    """

    protocol_version = "HTTP/1.1"
    # A first line that is not HTTP is answered with a status too: clients that try TLS first (containerd) then try
    # without.
    default_request_version = "HTTP/1.0"
    disable_nagle_algorithm = True
    timeout = 60.0
    patience = 1.0
    error_content_type = "text/plain;charset=utf-8"
    error_message_format = "%(message)s\n"
    length: int | None = 0
    body_read = False
    begun = False

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: headers contain passwords."""

    def parse_request(self) -> bool:
        """Read the request's head; a malformed one is answered with 400, and the connection closed."""
        self.body_read = self.begun = False
        if not super().parse_request():
            return False
        fault = self._framing()
        if fault:
            self.close_connection = True
            self.send_error(400, fault)
        return not fault

    def pieces(self) -> Iterator[bytes]:
        """The request's body, piece by piece.

        Raises:
            BrokenBody: it ended early, timed out, or has malformed chunks.
        """
        self.body_read = True
        try:
            yield from self._chunks() if self.length is None else self._exactly(self.length)
        except TimeoutError as error:
            raise self._broken("the rest of the body did not come", 408) from error

    def body(self, limit: int) -> bytes:
        """The request's whole body.

        Raises:
            BodyTooLarge: it is larger than the limit, in bytes.
        """
        taken, size = [], 0
        for piece in self.pieces():
            size += len(piece)
            if size > limit:
                self.close_connection = True
                raise BodyTooLarge(f"the request's body is larger than {limit} bytes")
            taken.append(piece)
        return b"".join(taken)

    def answer(self, status: int, headers: Iterable[tuple[str, str]], body: bytes = b"") -> None:
        """Send a response; if another has begun already, close the connection instead."""
        if self.begun:
            self.close_connection = True
            return
        self._drain()
        self.begun = True
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self._end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse_body(self, broken: BrokenBody) -> None:
        """Answer with what is wrong with the body, and close the connection."""
        self.close_connection = True
        self.answer(broken.status, [("Content-Type", "text/plain")], f"{broken}\n".encode())

    def relay(self, response: HTTPResponse, headers: Iterable[tuple[str, str]]) -> None:
        """Send the registry's response on; if it is shorter than it stated, close the connection."""
        self._drain()
        self.begun = True
        self.send_response_only(response.status)
        for name, value in headers:
            self.send_header(name, value)
        length = response.headers.get("Content-Length")
        has_body = self.command != "HEAD" and response.status not in _BODILESS
        in_chunks = length is None and has_body and self.request_version >= "HTTP/1.1"
        if length is not None:
            self.send_header("Content-Length", length)
        elif in_chunks:
            self.send_header("Transfer-Encoding", "chunked")
        elif has_body:
            self.close_connection = True
        else:
            self.send_header("Content-Length", "0")
        self._end_headers()
        sent = self._relay_body(response, in_chunks=in_chunks) if has_body else 0
        if has_body and length is not None and sent != int(length):
            self.close_connection = True

    def _relay_body(self, response: HTTPResponse, *, in_chunks: bool) -> int:
        sent = 0
        while piece := response.read(PIECE):
            sent += len(piece)
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if in_chunks else piece)
        if in_chunks:
            self.wfile.write(b"0\r\n\r\n")
        return sent

    def finish(self) -> None:
        """Close the connection; what the caller still sends is read for a moment, or it could not read the response."""
        super().finish()
        if not self.close_connection or self.command is None:
            return
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(self.patience)
            end = time.monotonic() + self.patience
            while time.monotonic() < end and self.connection.recv(PIECE):
                pass

    def _framing(self) -> str:
        """What is wrong with the request's head, "" for nothing; sets the body's length."""
        if self.path.lower().startswith("http://"):  # RFC 9112, 3.2.2: the absolute form
            self.path = "/" + self.path[len("http://") :].partition("/")[2]
        if not _PATH.fullmatch(self.path):
            return "the request target has characters that a URI must not have"
        # The parser leaves headers that it cannot read as the message's payload.
        damaged = self.headers.defects or self.headers.get_payload()
        if damaged or any(not _NAME.fullmatch(name) for name in self.headers):
            return "a header line is malformed"
        if any("\n" in value or "\r" in value or "\0" in value for value in self.headers.values()):
            return "a header line is folded, or has a control character"
        if self.request_version >= "HTTP/1.1" and len(self.headers.get_all("Host", [])) != 1:
            return "there must be one header Host"
        return self._lengths()

    def _lengths(self) -> str:
        lengths, codings = self.headers.get_all("Content-Length", []), self.headers.get_all("Transfer-Encoding", [])
        if codings:
            self.length = None
            unchunked = [coding for coding in codings if coding.strip().lower() != "chunked"]
            if lengths or unchunked or len(codings) > 1 or self.request_version < "HTTP/1.1":
                return "Transfer-Encoding must be absent, or chunked alone and without Content-Length"
            return ""
        if len(lengths) > 1 or not all(_LENGTH.fullmatch(length) for length in lengths):
            return f"Content-Length is not one number of bytes: {lengths}"
        self.length = int(lengths[0]) if lengths else 0
        return ""

    def _end_headers(self) -> None:
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _exactly(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            piece = self.rfile.read(min(left, PIECE))
            if not piece:
                raise self._broken(f"the body ended {left} of {size} bytes too early")
            left -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while size := self._chunk_size():
            yield from self._exactly(size)
            if self.rfile.readline(_LINE) not in (b"\r\n", b"\n"):
                raise self._broken("a chunk is longer than it says")
        for _ in range(_MOST_TRAILERS):
            if self.rfile.readline(_LINE) in (b"\r\n", b"\n", b""):
                return
        raise self._broken("too many trailers")

    def _chunk_size(self) -> int:
        found = _CHUNK.fullmatch(line := self.rfile.readline(_LINE))
        if found is None:
            raise self._broken(f"not a chunk's size: {line[:20]!r}")
        return int(found[1], 16)

    def _broken(self, why: str, status: int = 400) -> BrokenBody:
        self.close_connection = True
        return BrokenBody(why, status)

    def _drain(self) -> None:
        # An error may be answered before the body is read. The rest of the body would be read as the next request, and
        # closing a connection with unread input resets it before the caller has read the response. A caller that waits
        # for the response before it sends the body must not wait either.
        if self.body_read:
            return
        if self.length is None or self.length > _DRAIN:
            self.close_connection = True
        self.connection.settimeout(self.patience)
        try:
            size = 0
            for piece in self.pieces():
                size += len(piece)
                if size > _DRAIN:
                    return
        except BrokenBody:
            return
        finally:
            self.connection.settimeout(self.timeout)
