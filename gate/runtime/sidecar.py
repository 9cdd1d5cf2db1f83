"""Lambda's Runtime API, served to the function on 127.0.0.1 of a network without any route.

This text is run inside the sandbox by the image's own Python (`python3 -I -S -c <text> <plan>`), so it imports the
standard library alone and nothing of the gate. It logs to standard output, one JSON object a line after the plan's
mark, what happened and when, in seconds since boot (the clock of /proc/<pid>/stat). It hands out an event for each
SIGUSR1 that it receives.

Protocol: AWS Lambda, "Using the Lambda runtime API", version 2018-06-01.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX = "/2018-06-01/runtime"
# Lambda quotas: a synchronous response is at most 6 MB; less of it is kept here.
RESPONSE_BYTES = 6 * 1024 * 1024
KEPT_CHARACTERS = 64 * 1024
# Documentation addresses (RFC 5737, RFC 3849) and those that hand out credentials on EC2 and ECS.
OUTSIDE = (
    (socket.AF_INET, "192.0.2.1"),
    (socket.AF_INET, "169.254.169.254"),
    (socket.AF_INET, "169.254.170.2"),
    (socket.AF_INET6, "2001:db8::1"),
)

permits = threading.Semaphore(0)
log_lock = threading.Lock()
plan = json.loads(sys.argv[1])


def log(what: str, **facts: object) -> None:
    """Write one line of the log."""
    line = json.dumps({"what": what, "at": time.clock_gettime(time.CLOCK_BOOTTIME), **facts})
    with log_lock:
        print(plan["mark"] + line, flush=True)


def routes_out() -> list[str]:
    """The outside addresses that can be routed to; connecting a UDP socket shows it and sends nothing."""
    found = []
    for family, address in OUTSIDE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))
        except OSError:
            continue
        found.append(address)
    return found


def trace(now: float) -> str:
    """An X-Ray trace header that asks for nothing to be recorded."""
    return f"Root=1-{int(now):08x}-{uuid.uuid4().hex[:24]};Parent={uuid.uuid4().hex[:16]};Sampled=0"


class RuntimeApi(BaseHTTPRequestHandler):
    """The four calls of the Runtime API; any other is answered 404."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: standard error is kept for errors."""

    def do_GET(self) -> None:
        """Hand out the next event, once the host allows it."""
        if self.path != PREFIX + "/invocation/next":
            self.answer(404, b"{}")
            return
        log("next")
        permits.acquire()
        request, now = str(uuid.uuid4()), time.time()
        log("sent", id=request)
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request,
            "Lambda-Runtime-Deadline-Ms": str(int((now + plan["limit"]) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": plan["arn"],
            "Lambda-Runtime-Trace-Id": trace(now),
            "Lambda-Runtime-Invocation-Id": request,
        }
        self.answer(200, plan["event"].encode(), headers)

    def do_POST(self) -> None:
        """Take a response or an error."""
        body = self.body()
        if body is None:
            log(
                "error",
                id=self.path.split("/")[-2],
                body=json.dumps(
                    {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": "the response is over 6 MB"}
                ),
            )
            self.answer(413, b"{}")
        elif self.path == PREFIX + "/init/error":
            self.take("init error", body)
        elif self.path.endswith(("/response", "/error")) and self.path.startswith(PREFIX + "/invocation/"):
            self.take(self.path.rpartition("/")[2], body, id=self.path.split("/")[-2])
        else:
            self.answer(404, b"{}")

    def take(self, what: str, body: bytes, **facts: object) -> None:
        """Log what was posted, and accept it."""
        kind = self.headers.get("Lambda-Runtime-Function-Error-Type", "")
        log(what, type=kind, bytes=len(body), body=body.decode("utf-8", "replace")[:KEPT_CHARACTERS], **facts)
        self.answer(202, b'{"status": "OK"}')

    def body(self) -> "bytes | None":
        """What was posted; None when it is over the limit."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self.chunks()
        size = int(self.headers.get("Content-Length") or 0)
        return None if size > RESPONSE_BYTES else self.rfile.read(size)

    def chunks(self) -> "bytes | None":
        """A body in chunks (RFC 9112, 7.1)."""
        parts, total = [], 0
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            total += size
            if total > RESPONSE_BYTES:
                return None
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def answer(self, status: int, body: bytes, headers: "dict[str, str] | None" = None) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """One thread for each connection, none of which can keep the process alive."""

    daemon_threads = True


def main() -> None:
    """Serve until killed, and never longer than the plan's life."""
    # Blocked before the first thread and then waited for: a signal handler could run just before the wait.
    wanted = {signal.SIGUSR1, signal.SIGALRM}
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    signal.alarm(plan["life"])
    server = Server(("127.0.0.1", plan["port"]), RuntimeApi)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    log("listening", routes_out=routes_out())
    while signal.sigwait(wanted) == signal.SIGUSR1:
        permits.release()
    # The gate may have been killed: then the sandbox ends itself.
    os._exit(3)


if __name__ == "__main__":
    main()
