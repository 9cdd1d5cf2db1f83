"""The Runtime API that the sandbox serves, spoken to as a runtime does."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from gate.runtime.runtime_api import SIDECAR

pytestmark = pytest.mark.slow

API = "/2018-06-01/runtime"


class Sidecar:
    """The sidecar's script as a process of its own."""

    def __init__(self, life: int = 60) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        plan = {"port": self.port, "event": '{"action": "healthcheck"}', "limit": 60, "life": life, "arn": "arn:x"}
        plan["mark"] = "M"
        command = [sys.executable, "-I", "-S", "-c", SIDECAR, json.dumps(plan)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.line()["what"] == "listening"

    def line(self) -> dict[str, Any]:
        """The next line of its log."""
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline().removeprefix("M")))

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """One request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, API + path, body, headers)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()


@pytest.fixture
def sidecar() -> Iterator[Sidecar]:
    """A sidecar that is ended afterwards."""
    started = Sidecar()
    yield started
    started.process.kill()
    started.process.communicate()


def test_event_carries_every_header_that_the_runtime_needs(sidecar: Sidecar) -> None:
    """The event comes once it is allowed, with the headers without which awslambdaric crashes."""
    sidecar.process.send_signal(signal.SIGUSR1)
    status, headers, body = sidecar.ask("GET", "/invocation/next")
    assert (status, json.loads(body)) == (200, {"action": "healthcheck"})
    needed = ("aws-request-id", "deadline-ms", "invoked-function-arn", "trace-id", "invocation-id")
    assert [name for name in needed if not headers.get(f"lambda-runtime-{name}")] == []
    assert headers["content-length"] == str(len(body))
    assert [sidecar.line()["what"], sidecar.line()["id"]] == ["next", headers["lambda-runtime-aws-request-id"]]


def test_event_waits_until_it_is_allowed(sidecar: Sidecar) -> None:
    """A request is logged at once; no event is handed out before the signal."""
    connection = http.client.HTTPConnection("127.0.0.1", sidecar.port, timeout=1)
    connection.request("GET", f"{API}/invocation/next")
    assert sidecar.line()["what"] == "next"
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()


@pytest.mark.parametrize(
    ("path", "what"),
    [("/invocation/abc/response", "response"), ("/invocation/abc/error", "error"), ("/init/error", "init error")],
)
def test_what_is_posted_is_accounted_for(sidecar: Sidecar, path: str, what: str) -> None:
    """Responses and errors are accepted with 202 and logged with their text."""
    assert sidecar.ask("POST", path, b'{"a": 1}')[0] == 202
    line = sidecar.line()
    assert (line["what"], line["body"], line.get("id", "abc")) == (what, '{"a": 1}', "abc")


def test_body_in_chunks_is_read(sidecar: Sidecar) -> None:
    """A response in chunks is accepted."""
    assert sidecar.ask("POST", "/invocation/abc/response", iter([b"ab", b"cd"]))[0] == 202
    assert sidecar.line()["body"] == "abcd"


def test_response_over_six_megabytes_is_refused(sidecar: Sidecar) -> None:
    """A response over Lambda's limit is an error, not a success."""
    headers = {"Content-Length": str(7 << 20), "Expect": "100-continue"}
    connection = http.client.HTTPConnection("127.0.0.1", sidecar.port, timeout=10)
    connection.request("POST", f"{API}/invocation/abc/response", headers=headers)
    connection.close()
    line = sidecar.line()
    assert line["what"] == "error"
    assert "Function.ResponseSizeTooLarge" in line["body"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/invocation/last"), ("POST", "/restore/next")])
def test_unknown_call_is_refused(sidecar: Sidecar, method: str, path: str) -> None:
    """What the Runtime API does not have is answered 404."""
    assert sidecar.ask(method, path, b"" if method == "POST" else None)[0] == 404


def test_sidecar_outlives_nobody() -> None:
    """The sidecar ends by itself after its life, also when the gate was killed."""
    abandoned = Sidecar(life=1)
    assert abandoned.process.communicate(timeout=20)[0] == ""
    assert abandoned.process.returncode == 3


def test_way_out_is_noticed() -> None:
    """On a host with a route the sidecar's log names it, so the check works."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            routed = True
        except OSError:
            routed = False
    source = SIDECAR.replace('if __name__ == "__main__":\n    main()', "print(json.dumps(routes_out()))")
    found = subprocess.run([sys.executable, "-I", "-S", "-c", source, "{}"], capture_output=True, text=True, check=True)
    assert ("192.0.2.1" in json.loads(found.stdout)) is routed
