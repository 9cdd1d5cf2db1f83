"""`docker push` through the engine's API: login in memory, progress per layer, patience with a tired registry."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from docker.errors import APIError, NotFound

from gate.engine import CONNECTION_ERRORS
from gate.errors import AwsRefused, EngineUnavailable, ImageUnavailable
from gate.registry.login import Login
from gate.registry.progress import PushProgress

PAUSES = (1.0, 4.0, 15.0)  # seconds before the second, third and fourth attempt

# What `docker push` prints last; Podman sends it without the `aux` that repeats it for programs.
_TOLD = re.compile(r"\S+: digest: (sha256:[0-9a-f]{64}) size: \d+\s*")

_REFUSED = re.compile(
    r"unauthorized|no basic auth|denied|forbidden|authentication required|expired|tag invalid|TAG_INVALID|immutable"
    r"|name unknown|does not exist|not found|\b40[0134]\b",
    re.IGNORECASE,
)
_TRANSIENT = re.compile(
    r"\b(429|50[0234])\b|received unexpected HTTP status: 5|toomanyrequests|too many requests|throttl|rate exceeded"
    r"|connection reset|connection refused|broken pipe|unexpected EOF|\bEOF\b|i/o timeout|TLS handshake timeout"
    r"|timeout exceeded|timed out|server misbehaving|temporar|internal server error|service unavailable|bad gateway"
    r"|unexpected end of JSON|invalid character",
    re.IGNORECASE,
)


class Engine(Protocol):
    """The calls of docker-py's APIClient that a push needs."""

    def tag(self, image: str, repository: str, tag: str) -> bool:
        """Give an image another name."""

    def push(
        self, repository: str, tag: str, *, stream: bool, decode: bool, auth_config: dict[str, str]
    ) -> Iterable[dict[str, Any]]:
        """Push, answering the engine's progress events."""

    def inspect_image(self, image: str) -> dict[str, Any]:
        """What the engine knows about an image."""

    def remove_image(self, image: str, *, noprune: bool) -> Any:
        """Take a name from an image."""


@dataclass(frozen=True)
class Patience:
    """How a push deals with time: sleeps are injected, so that tests need none.

    Attributes:
        sleep: waits so many seconds.
        clock: seconds, never jumping.
        limit: seconds after which a push that still runs is given up.
        pauses: seconds before each further attempt.
    """

    sleep: Callable[[float], None]
    clock: Callable[[], float]
    limit: float = 1800.0
    pauses: tuple[float, ...] = PAUSES


def push(
    engine: Engine, image: str, login: Login, repository: str, tag: str, say: Callable[[str], None], patience: Patience
) -> str:
    """Push an image under a tag and answer the digest of the manifest that the registry now holds.

    Args:
        engine: the Docker engine that holds the image.
        image: the image's ID.
        login: for the registry; nothing of it is written anywhere.
        repository: the repository's name, without the host.
        tag: the tag to push.
        say: told of progress, one line each.
        patience: how often and how long to try.

    Raises:
        AwsRefused: the registry refused, or did not recover within the attempts.
        EngineUnavailable: the engine does not answer.
        ImageUnavailable: the engine does not hold the image.
    """
    name = f"{login.host}/{repository}"
    had_names = _name_locally(engine, image, name, tag)
    try:
        return _with_patience(lambda: _push_once(engine, name, tag, login, say, patience), name, tag, say, patience)
    finally:
        # Taking the only name from an image deletes the image, which may be all that its owner has of it.
        if had_names:
            _forget(engine, f"{name}:{tag}", say)


def _name_locally(engine: Engine, image: str, name: str, tag: str) -> bool:
    try:
        had_names = bool(engine.inspect_image(image).get("RepoTags"))
        engine.tag(image, name, tag)
    except NotFound as error:
        raise ImageUnavailable(f"The Docker engine holds no image {image}", remedy="build it again") from error
    except CONNECTION_ERRORS as error:
        raise EngineUnavailable(f"The Docker engine cannot tag {image}: {error}") from error
    return had_names


def _forget(engine: Engine, name: str, say: Callable[[str], None]) -> None:
    try:
        engine.remove_image(name, noprune=True)
    except CONNECTION_ERRORS as error:
        say(f"the local name {name} could not be removed: {error}")


def _with_patience(
    attempt: Callable[[], str], name: str, tag: str, say: Callable[[str], None], patience: Patience
) -> str:
    for pause in patience.pauses:
        try:
            return attempt()
        except _Transient as error:
            say(f"push of {name}:{tag}: {error}; trying again in {pause:g} s")
            patience.sleep(pause)
    try:
        return attempt()
    except _Transient as error:
        raise AwsRefused(
            f"The registry did not take the push of {tag}, after {len(patience.pauses) + 1} attempts: {error}",
            where=f"docker push {name}:{tag}",
            remedy="run the release again: layers that arrived are kept, and the tags are not moved before the scan",
        ) from error


class _Transient(Exception):
    """The registry was unwell; trying again may help."""


def _push_once(
    engine: Engine, name: str, tag: str, login: Login, say: Callable[[str], None], patience: Patience
) -> str:
    credentials = {"username": login.username, "password": login.password}
    deadline = patience.clock() + patience.limit
    try:
        events = engine.push(name, tag, stream=True, decode=True, auth_config=credentials)
        digest = _follow(_until(deadline, events, patience), say, patience.clock, f"{name}:{tag}")
        digest = digest or _held_as(engine, f"{name}:{tag}")
    except APIError as error:
        raise _engine_said(error, name, tag) from error
    except CONNECTION_ERRORS as error:
        raise EngineUnavailable(
            f"The Docker engine stopped answering during the push of {tag}: {error}",
            where=f"docker push {name}:{tag}",
            remedy="check the engine (`docker info`), then run the release again",
        ) from error
    if digest is None:
        # A stream that ends without a digest was cut off: nothing says that the registry holds the image.
        raise _Transient("the push ended without the digest of what was pushed")
    return digest


def _held_as(engine: Engine, name: str) -> str | None:
    """The digest of what was pushed, from an engine that tells none (Docker 26 with containerd's image store).

    There an image's ID is the digest of the manifest itself, so nothing else can have been pushed. Whether all of it
    arrived, the registry says: its manifest is read next.
    """
    held = engine.inspect_image(name)
    digests = [each.partition("@")[2] for each in held.get("RepoDigests") or ()]
    return held["Id"] if held.get("Id") in digests else None


def _engine_said(error: APIError, name: str, tag: str) -> Exception:
    if error.status_code is not None and error.status_code < 500:  # noqa: PLR2004
        return ImageUnavailable(f"The Docker engine does not push {name}:{tag}: {error.explanation or error}")
    return _sorted_out(str(error.explanation or error), f"{name}:{tag}")


def _until(deadline: float, events: Iterable[dict[str, Any]], patience: Patience) -> Iterator[dict[str, Any]]:
    for event in events:
        if patience.clock() > deadline:
            raise AwsRefused(
                f"The push did not end within {patience.limit:g} s", remedy="check the network's upload, run again"
            )
        yield event


def _follow(
    events: Iterable[dict[str, Any]], say: Callable[[str], None], clock: Callable[[], float], pushed: str
) -> str | None:
    progress = PushProgress(say, clock)
    digest = None
    for event in events:
        if "error" in event:
            raise _sorted_out(str(event["error"]), pushed)
        progress.take(event)
        told = _TOLD.fullmatch(str(event.get("status", "")))
        digest = (event.get("aux") or {}).get("Digest") or (told and told[1]) or digest
    return digest


def _sorted_out(message: str, pushed: str) -> Exception:
    """Which kind of failure the registry's message is; what is not known to pass is not tried again."""
    if not _REFUSED.search(message) and _TRANSIENT.search(message):
        return _Transient(message)
    return AwsRefused(
        f"The registry refused the push of {pushed.rsplit(':', 1)[-1]}: {message}",
        where=f"docker push {pushed}",
        remedy=_remedy(message),
    )


def _remedy(message: str) -> str:
    said = message.lower()
    if "immutable" in said or "tag invalid" in said or "tag_invalid" in said:
        return "the tag cannot move in this repository: exclude the rolling tags from immutability (AC2 says how)"
    if "expired" in said or "no basic auth" in said or "unauthorized" in said or "authentication" in said:
        return "the login was not accepted: log in to AWS again, then run the release again"
    if "denied" in said or "403" in said:
        return "grant the pushing role ecr:InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload, PutImage"
    return "read the registry's message; it is not one that passes by itself"
