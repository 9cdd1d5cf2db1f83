"""A service that is unwell: whatever it answers, or does not, is a sentence and never a crash, nor a yes."""

from __future__ import annotations

import functools
import socket
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from botocore.config import Config

from gate.access.reader import AccountReader
from gate.aws.calls import ask, readable
from gate.caller_permissions.__main__ import ROOT
from gate.caller_permissions.granted import GrantedPermissions
from gate.caller_permissions.required import PermissionState, required_by
from gate.errors import AwsRefused
from gate.legacy.reader import ZipFunction
from gate.registry.ecr import EcrRepository
from gate.registry.pull import Login, fetch_blob
from gate.release_file import release_of

pytestmark = pytest.mark.slow

ACCOUNT, REGION, NAME = "654654307503", "ap-northeast-2", "naver-sms-automation"
DIGEST = "sha256:" + "0" * 64
# What it does with every request: status, body, and how many bytes it says that the body has (None: as many).
UNWELL = {
    "500": (500, b'{"__type": "InternalFailure"}', None),
    "429": (429, b'{"__type": "TooManyRequestsException"}', None),
    "503 without a body": (503, b"", None),
    "garbage": (200, b"<html>\x1b[2J\xff\x00 at your service", None),
    "JSON of another kind": (200, b'["not", {"an": "answer"}]', None),
    "an empty answer": (200, b"{}", None),
    "brackets without end": (200, b"[" * 100_000, None),
    "half a body": (200, b'{"repositories": [{"repositoryAr', 9_000),
    "nothing": (0, b"", None),
}


@pytest.fixture(scope="module", params=UNWELL)
def unwell(request):
    """The address of a service that does this with every request."""
    status, body, length = UNWELL[request.param]

    class Handler(BaseHTTPRequestHandler):
        def _answer(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if status:
                self.send_response(status)
                self.send_header("Content-Length", str(length or len(body)))
                self.end_headers()
                self.wfile.write(body)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_WR)

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, *_):
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # a caller that has gone
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def client(unwell):
    """Makes a client of a service there, that asks once."""
    session = boto3.Session("AKIAEXAMPLE", "secret", region_name=REGION)
    once = Config(retries={"total_max_attempts": 1}, read_timeout=2)
    return functools.cache(lambda service: session.client(service, endpoint_url=unwell, config=once))


READS = {
    "repository": lambda c, _: EcrRepository(c("ecr"), ACCOUNT, NAME).describe(),
    "images": lambda c, _: EcrRepository(c("ecr"), ACCOUNT, NAME).images(),
    "lifecycle": lambda c, _: EcrRepository(c("ecr"), ACCOUNT, NAME).lifecycle_policy(),
    "policy": lambda c, _: EcrRepository(c("ecr"), ACCOUNT, NAME).repository_policy(),
    "manifest": lambda c, _: EcrRepository(c("ecr"), ACCOUNT, NAME).manifest(DIGEST),
    "login": lambda c, _: EcrRepository(c("ecr"), ACCOUNT, NAME).login(),
    "blob": lambda _, at: fetch_blob(Login(at, "AWS", "x", datetime(2030, 1, 1, tzinfo=UTC)), NAME, DIGEST),
    "access": lambda c, _: _account(c).access_facts().identities,
    "zip function": lambda c, _: _zip_function(c).snapshot(),
}


def _account(client):
    return AccountReader(client("iam"), client("ecr"), account=ACCOUNT, region=REGION, repository=NAME, function="f")


def _zip_function(client):
    now = lambda: datetime(2026, 1, 1, tzinfo=UTC)  # noqa: E731
    clients = (client(service) for service in ("lambda", "events", "scheduler"))
    return ZipFunction(*clients, "zip", sleep=lambda _: None, now=now)


@pytest.mark.parametrize("read", READS)
def test_every_reading_of_it_is_a_refusal_in_a_sentence(client, unwell, read):
    """Read back, never believed: no garbage is an empty list, a policy that is not there, or a crash."""
    with pytest.raises(AwsRefused) as refusal:
        READS[read](client, unwell)
    assert refusal.value.cause
    assert all(line.isprintable() for line in str(refusal.value).split("\n"))


def test_its_caller_is_not_known(client):
    """STS answers in XML, which is read by another parser."""
    with pytest.raises(AwsRefused), readable("GetCallerIdentity"):
        ask(client("sts"), "get_caller_identity", "the caller", dict)["Account"]


def test_finding_out_permissions_ends_and_believes_no_error(client, request):
    """A permission is there when a call was let in, never because it failed in another way than by a refusal."""
    held = GrantedPermissions(client, release_of(ROOT / "pytest.ini"), f"arn:aws:iam::{ACCOUNT}:role/x").of(
        required_by(False, release_of(ROOT / "pytest.ini"))
    )
    states = {each.state for each in held}
    assert PermissionState.UNKNOWN in states
    if UNWELL[request.node.callspec.params["unwell"]][0] != 200:
        assert PermissionState.GRANTED not in states
