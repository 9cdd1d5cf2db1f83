"""The registry protocol, spoken by hand: logins, refusals, and layers that stream through."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.target import LocalTarget
from tests.local_target.registry_client import DOCKER, INDEX, RegistryClient, digest, login, manifest
from tests.seeded import SEEDED

pytestmark = pytest.mark.docker

MEGABYTE = 1024 * 1024
LAYER_MEGABYTES = 250
MOST_MEGABYTES = 150  # the story of the local target: layers stream through


@pytest.fixture
def registry(target: LocalTarget, owner: Any) -> RegistryClient:
    """The administrator's registry protocol."""
    return RegistryClient(target.registry, login(owner))


@pytest.mark.parametrize("guess", [None, ("AWS", "wrong"), ("somebody", "else"), ("AWS", "")])
def test_without_an_issued_password_every_request_is_refused(
    target: LocalTarget, guess: tuple[str, str] | None
) -> None:
    """401 with a Basic challenge, at the ping and at every path."""
    registry = RegistryClient(target.registry, guess)
    for method, path in (("GET", "/v2/"), ("PUT", f"/v2/{SEEDED.repository}/manifests/v1"), ("GET", "/v2/x/tags/list")):
        refused = registry.ask(method, path, b"x" * 10)
        assert (refused.status, refused.code) == (401, "UNAUTHORIZED")
        assert refused.headers["WWW-Authenticate"].startswith("Basic ")


def test_a_password_is_valid_for_the_user_aws_only(target: LocalTarget, registry: RegistryClient) -> None:
    """As on ECR, the user's name is AWS."""
    assert registry.login is not None
    assert registry.ask("GET", "/v2/").status == 200
    assert RegistryClient(target.registry, ("aws", registry.login[1])).ask("GET", "/v2/").status == 401


def test_an_unknown_repository_is_name_unknown(registry: RegistryClient) -> None:
    """For reading and for writing: 404 NAME_UNKNOWN."""
    for method, path in (("POST", "/v2/none/blobs/uploads/"), ("GET", "/v2/none/manifests/latest")):
        refused = registry.ask(method, path)
        assert (refused.status, refused.code) == (404, "NAME_UNKNOWN")


def test_an_overwritten_immutable_tag_is_tag_invalid(registry: RegistryClient) -> None:
    """HTTP 400 TAG_INVALID, also for the same digest; the rolling tags move."""
    pushed = manifest(registry, SEEDED.repository, "immutable")
    path = f"/v2/{SEEDED.repository}/manifests"
    assert registry.ask("PUT", f"{path}/v9.0.0", pushed, {"Content-Type": DOCKER}).status == 201
    refused = registry.ask("PUT", f"{path}/v9.0.0", pushed, {"Content-Type": DOCKER})
    assert (refused.status, refused.code) == (400, "TAG_INVALID")
    for _ in range(2):
        assert registry.ask("PUT", f"{path}/candidate", pushed, {"Content-Type": DOCKER}).status == 201


def test_a_manifest_has_the_digest_of_its_push(registry: RegistryClient, repository: str) -> None:
    """A push by another digest is refused and stores nothing."""
    pushed, headers = manifest(registry, repository, "by digest"), {"Content-Type": DOCKER}
    path = f"/v2/{repository}/manifests"
    assert registry.ask("PUT", f"{path}/sha256:{'0' * 64}", pushed, headers).code == "DIGEST_INVALID"
    assert registry.ask("GET", f"{path}/{digest(pushed)}").code == "MANIFEST_UNKNOWN"
    assert registry.ask("PUT", f"{path}/{digest(pushed)}", pushed, headers).status == 201
    assert registry.ask("GET", f"{path}/{digest(pushed)}").body == pushed


def test_a_manifest_without_its_layers_is_refused(registry: RegistryClient, repository: str) -> None:
    """The layers must be in the repository."""
    lost = {"mediaType": "x", "size": 1, "digest": f"sha256:{'0' * 64}"}
    body = json.dumps({"schemaVersion": 2, "mediaType": DOCKER, "config": lost, "layers": [lost]}).encode()
    refused = registry.ask("PUT", f"/v2/{repository}/manifests/v1", body, {"Content-Type": DOCKER})
    assert refused.code == "MANIFEST_BLOB_UNKNOWN"


@pytest.mark.parametrize("content_type", ["text/plain", "application/vnd.docker.distribution.manifest.v1+json", INDEX])
def test_an_invalid_manifest_is_refused(registry: RegistryClient, repository: str, content_type: str) -> None:
    """An unknown media type and an index without entries are MANIFEST_INVALID."""
    refused = registry.ask(
        "PUT", f"/v2/{repository}/manifests/v1", b'{"schemaVersion": 2}', {"Content-Type": content_type}
    )
    assert (refused.status, refused.code) == (400, "MANIFEST_INVALID")


def test_an_oversized_manifest_is_refused(registry: RegistryClient, repository: str) -> None:
    """ECR takes manifests of at most 4 MiB."""
    refused = registry.ask("PUT", f"/v2/{repository}/manifests/v1", b" " * (4 * MEGABYTE + 1), {"Content-Type": DOCKER})
    assert (refused.status, refused.code) == (413, "SIZE_INVALID")


@pytest.mark.parametrize("method", ["DELETE", "PATCH"])
def test_a_manifest_cannot_be_deleted_by_tag(registry: RegistryClient, method: str) -> None:
    """Images are deleted through the API, not over the registry protocol."""
    refused = registry.ask(method, f"/v2/{SEEDED.repository}/manifests/latest")
    assert (refused.status, refused.code) == (405, "UNSUPPORTED")


def test_a_mount_request_begins_an_upload(registry: RegistryClient, repository: str, owner: Any) -> None:
    """Mounting a layer of another repository is not modelled."""
    blob = registry.upload(SEEDED.repository, b"mine alone")
    answer = registry.ask("POST", f"/v2/{repository}/blobs/uploads/?mount={blob}&from={SEEDED.repository}")
    assert answer.status == 202
    assert registry.ask("HEAD", f"/v2/{repository}/blobs/{blob}").status == 404


def test_a_truncated_upload_leaves_no_blob(registry: RegistryClient, repository: str) -> None:
    """A digest that the content does not have is refused."""
    begun = registry.ask("POST", f"/v2/{repository}/blobs/uploads/")
    refused = registry.ask("PUT", f"{begun.headers['Location']}&digest={digest(b'whole')}", b"who")
    assert (refused.status, refused.code) == (400, "DIGEST_INVALID")
    assert registry.ask("HEAD", f"/v2/{repository}/blobs/{digest(b'whole')}").status == 404


def test_several_requests_use_one_connection(registry: RegistryClient) -> None:
    """After an error that came before the body was read, the connection can still be used."""
    connection = http.client.HTTPConnection(registry.host, timeout=10)
    for _ in range(3):
        connection.request("PUT", "/v2/none/manifests/x", b"x" * 1000)
        response = connection.getresponse()
        assert (response.status, b"UNAUTHORIZED" in response.read()) == (401, True)
    connection.close()


def test_a_large_layer_streams_through(target: LocalTarget, registry: RegistryClient, repository: str) -> None:
    """250 MB in chunks up, and down again: the gateway's memory stays under 150 MB."""
    piece = os.urandom(MEGABYTE)

    def pieces() -> Iterator[bytes]:
        for number in range(LAYER_MEGABYTES):
            yield number.to_bytes(8, "big") + piece[8:]

    whole = hashlib.sha256()
    for each in pieces():
        whole.update(each)
    begun = registry.ask("POST", f"/v2/{repository}/blobs/uploads/")
    sent = registry.ask("PATCH", begun.headers["Location"], pieces(), chunked=True)
    assert sent.status == 202
    blob = f"sha256:{whole.hexdigest()}"
    assert registry.ask("PUT", f"{sent.headers['Location']}&digest={blob}").status == 201
    got = registry.ask("GET", f"/v2/{repository}/blobs/{blob}")
    assert hashlib.sha256(got.body).hexdigest() == whole.hexdigest()
    assert _gateway_peak_megabytes() < MOST_MEGABYTES


def _gateway_peak_megabytes() -> int:
    """The highest resident memory of the gateway's process since it started (proc(5), VmHWM)."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        except (FileNotFoundError, ProcessLookupError):
            continue
        if b"localaws.ecr" in command and int(status["PPid"]) == os.getpid():
            return int(status["VmHWM"].split()[0]) // 1024
    raise AssertionError("the gateway's process is not there")
