"""One HTTP request and its answer; bodies stream, whether they come with a length or in chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler

PIECE = 256 * 1024
_DRAIN = 1024 * 1024
_LINE = 1024


class BodyTooLarge(Exception):
    """The request's body is larger than its operation allows."""


class BrokenBody(ConnectionError):
    """The caller went away, or sent a body that is not what its headers say."""


class Exchange(BaseHTTPRequestHandler):
    """A request as the door sees it; subclasses say what to do with it."""

    protocol_version = "HTTP/1.1"
    # What is no HTTP at all gets an answer that is: by it clients that tried TLS first (containerd) know to go without.
    default_request_version = "HTTP/1.0"
    disable_nagle_algorithm = True
    timeout = 300
    body_read = False

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: headers hold passwords, and the access is judged elsewhere."""

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return "chunked" in self.headers.get("Transfer-Encoding", "").lower()

    def pieces(self) -> Iterator[bytes]:
        """The request's body, piece by piece.

        Raises:
            BrokenBody: it ended too early.
        """
        self.body_read = True
        if not self.is_chunked:
            yield from self._exactly(int(self.headers.get("Content-Length") or 0))
            return
        while size := self._chunk_size():
            yield from self._exactly(size)
            self.rfile.readline(_LINE)
        while self.rfile.readline(_LINE).strip():  # trailers
            pass

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
        """Send a whole answer."""
        self._leave_nothing_unread()
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self._end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def relay(self, response: HTTPResponse, headers: Iterable[tuple[str, str]]) -> None:
        """Send the registry's answer on, piece by piece; its length stays what the registry said."""
        self._leave_nothing_unread()
        self.send_response_only(response.status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", response.headers.get("Content-Length", "0"))
        self._end_headers()
        while self.command != "HEAD" and (piece := response.read(PIECE)):
            self.wfile.write(piece)

    def _end_headers(self) -> None:
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size:
            piece = self.rfile.read(min(size, PIECE))
            if not piece:
                self.close_connection = True
                raise BrokenBody("the caller went away in the middle of the body")
            size -= len(piece)
            yield piece

    def _chunk_size(self) -> int:
        line = self.rfile.readline(_LINE)
        try:
            return int(line.partition(b";")[0], 16)
        except ValueError as garbage:
            self.close_connection = True
            raise BrokenBody(f"not a chunk's size: {line[:20]!r}") from garbage

    def _leave_nothing_unread(self) -> None:
        # A refusal may come before the body was read. What is left of it would be taken for the next request,
        # and closing on unread input resets the connection before the caller has read the refusal.
        if self.body_read:
            return
        left = int(self.headers.get("Content-Length") or 0)
        if left > _DRAIN or self.is_chunked:
            self.close_connection = True
        try:
            size = 0
            for piece in self.pieces():
                size += len(piece)
                if size > _DRAIN:
                    return
        except BrokenBody:
            return
