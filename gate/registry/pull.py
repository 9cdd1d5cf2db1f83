"""Pulling from the registry: the login in memory, a blob, `docker pull`. No Docker configuration is touched."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests

from gate.aws.calls import readable
from gate.engine import CONNECTION_ERRORS
from gate.errors import AwsRefused, EngineUnavailable

_LIMIT = 4 * 1024 * 1024  # bytes; an image config is some kilobytes


@dataclass(frozen=True)
class Login:
    """The registry's address and the password for it.

    Attributes:
        endpoint: as GetAuthorizationToken names it, with its scheme.
        expires_at: when the password ends, twelve hours after it was given.
    """

    endpoint: str
    username: str = field(repr=False)
    password: str = field(repr=False)
    expires_at: datetime

    @property
    def host(self) -> str:
        """The registry host, as it stands before a repository name."""
        return self.endpoint.split("://", 1)[-1].rstrip("/")

    @property
    def secrets(self) -> tuple[str, str]:
        """What must never be written down: the password, and the token that holds it."""
        return self.password, base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


def read_login(answer: Mapping[str, Any]) -> Login:
    """Read the answer of GetAuthorizationToken.

    Raises:
        AwsRefused: it holds no token, or one that cannot be read.
    """
    with readable("GetAuthorizationToken"):
        data = answer["authorizationData"][0]
        username, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
        return Login(data["proxyEndpoint"], username, password, data["expiresAt"])


def fetch_blob(login: Login, repository: str, digest: str) -> bytes:
    """Read a small blob (an image config) over the registry's own protocol and hold it against its digest.

    Raises:
        AwsRefused: it is not handed out, is too large, or is not what its digest names.
    """
    url = f"{login.endpoint.rstrip('/')}/v2/{repository}/blobs/{digest}"
    try:
        with requests.get(url, auth=(login.username, login.password), timeout=30, stream=True) as answer:
            answer.raise_for_status()
            content = b"".join(up_to(_LIMIT, answer, "an image config"))
    except requests.RequestException as error:
        raise AwsRefused(
            f"The registry does not hand out the image config {digest}: {error}",
            where=url,
            remedy="grant ecr:GetDownloadUrlForLayer on the repository to the role that runs the gate",
        ) from error
    if hashlib.sha256(content).hexdigest() != digest.removeprefix("sha256:"):
        raise AwsRefused(f"The registry answers {digest} with bytes that have another digest", where=url)
    return content


def up_to(limit: int, answer: requests.Response, what: str) -> Iterator[bytes]:
    """The parts of an answer of at most `limit` bytes.

    Raises:
        AwsRefused: it is longer.
    """
    read = 0
    for chunk in answer.iter_content(64 * 1024):
        read += len(chunk)
        if read > limit:
            raise AwsRefused(f"The registry answers {what} of more than {limit} bytes", where=answer.url)
        yield chunk


def pull(engine: Any, login: Login, repository: str, digest: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Pull an image by digest and answer what the engine knows about it; the engine checks every digest.

    Args:
        engine: docker-py's APIClient.
        login: for the registry; nothing of it is written anywhere.
        repository: the repository's name, without the host.
        digest: of the image.
        say: is given progress, one line each.

    Raises:
        AwsRefused: the registry does not hand it out.
        EngineUnavailable: the engine does not answer.
    """
    name = f"{login.host}/{repository}@{digest}"
    credentials = {"username": login.username, "password": login.password}
    try:
        for event in engine.pull(name, stream=True, decode=True, auth_config=credentials):
            if "error" in event:
                raise AwsRefused(
                    f"The registry does not hand out {digest}: {event['error']}",
                    where=f"docker pull {name}",
                    remedy="grant ecr:BatchGetImage and ecr:GetDownloadUrlForLayer to the role that runs the gate",
                )
            if str(event.get("status", "")).startswith(("Pull complete", "Digest", "Status")):
                say(" ".join(str(event[key]) for key in ("id", "status") if event.get(key)))
        return dict(engine.inspect_image(name))
    except CONNECTION_ERRORS as error:
        raise EngineUnavailable(f"The Docker engine cannot pull {digest}: {error}", where=name) from error
