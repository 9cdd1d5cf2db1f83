"""A proxy in front of the gateway that breaks chosen answers, for tests only.

    with FaultInjectingProxy(target.registry) as proxy:
        proxy.faults.append(InjectedFault(operation="PutImage", status=503, times=2))
        ecr = target.session().client("ecr", endpoint_url=proxy.endpoint)

Signatures stay valid (the `Host` header is passed on unchanged), and GetAuthorizationToken names this proxy as the
registry, so pushes come through it too. Which requests a fault affects is decided by counting.
"""

from __future__ import annotations

import http.client
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer

from localaws.ecr.exchange import PIECE, BrokenBody, Exchange

ALWAYS = 1_000_000_000
_TIMEOUT = 300.0


@dataclass
class InjectedFault:
    """A fault, and the requests that it affects.

    Attributes:
        method: regular expression for the whole HTTP method.
        path: regular expression found in the path with its query.
        operation: the AWS operation's name, as in `X-Amz-Target`; "" for any request.
        skip: how many matching requests pass unchanged first.
        times: how many are affected after that.
        delay: seconds to wait before anything else.
        status: answer this status with `body` instead of asking the gateway.
        body: the body of that answer.
        content_type: and its media type.
        cut_to: send so many bytes of the real answer's body and then close; None sends all of it.
        reset: reset the connection instead of answering.
    """

    method: str = ".*"
    path: str = ""
    operation: str = ""
    skip: int = 0
    times: int = 1
    delay: float = 0.0
    status: int | None = None
    body: bytes = b""
    content_type: str = "application/x-amz-json-1.1"
    cut_to: int | None = None
    reset: bool = False

    def affects(self, request: ProxiedRequest) -> bool:
        """Whether the fault affects this request; each match is counted."""
        if not (re.fullmatch(self.method, request.method) and re.search(self.path, request.path)):
            return False
        if self.operation and self.operation != request.operation:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


@dataclass(frozen=True)
class ProxiedRequest:
    """A request that came to the proxy."""

    method: str
    path: str
    operation: str


@dataclass
class FaultInjectingProxy:
    """A context manager; listens on a free port of 127.0.0.1.

    Attributes:
        upstream: the gateway's `host:port`.
        faults: the first that affects a request is applied.
        seen: every request, in order.
    """

    upstream: str
    faults: list[InjectedFault] = field(default_factory=list)
    seen: list[ProxiedRequest] = field(default_factory=list)

    def __enter__(self) -> FaultInjectingProxy:
        self._lock = threading.Lock()
        self._server = _Server(self)
        # It looks every so many seconds whether it was shut down.
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="fault proxy", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def registry(self) -> str:
        """Its `host:port`."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def endpoint(self) -> str:
        """Its address for AWS clients."""
        return f"http://{self.registry}"

    def fault_for(self, request: ProxiedRequest) -> InjectedFault | None:
        """The fault to apply to this request."""
        with self._lock:
            self.seen.append(request)
            return next((fault for fault in self.faults if fault.affects(request)), None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: FaultInjectingProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Relay)
        self.proxy = proxy


class _Relay(Exchange):
    server: _Server

    def _answer(self) -> None:
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        fault = self.server.proxy.fault_for(ProxiedRequest(self.command, self.path, target)) or InjectedFault()
        time.sleep(fault.delay)
        try:
            if fault.reset:
                self._reset()
            elif fault.status is not None:
                self.answer(fault.status, [("Content-Type", fault.content_type)], fault.body)
            else:
                self._relay_upstream(fault.cut_to)
        except (BrokenBody, ConnectionError, http.client.HTTPException):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815

    def _reset(self) -> None:
        # Lingering for zero seconds makes the kernel send RST instead of closing normally (socket(7), SO_LINGER).
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _relay_upstream(self, cut_to: int | None) -> None:
        connection = http.client.HTTPConnection(self.server.proxy.upstream, timeout=_TIMEOUT)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("connection", "expect"):
                    connection.putheader(name, value)
            connection.endheaders(self.pieces(), encode_chunked=self.length is None)
            self._send_back(connection.getresponse(), cut_to)
        finally:
            connection.close()

    def _send_back(self, response: http.client.HTTPResponse, cut_to: int | None) -> None:
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() != "connection":
                self.send_header(name, value)
        self.end_headers()
        left = ALWAYS if cut_to is None else cut_to
        while self.command != "HEAD" and (piece := response.read(min(PIECE, left))):
            self.wfile.write(piece)
            left -= len(piece)
        if cut_to is not None:
            self.close_connection = True
