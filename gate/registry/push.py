"""`docker push` through the engine's API: login in memory, progress per layer, retries where the registry is unwell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from docker.errors import APIError, NotFound

from gate.aws.retry import TimeSource
from gate.engine import CONNECTION_ERRORS
from gate.errors import AwsRefused, EngineUnavailable, ImageUnavailable
from gate.registry.pull import Login

_FIRST_LINE_AFTER, _NEXT_LINE_AFTER = 2.0, 10.0  # seconds, of what is said while a push goes on
_THERE = ("Pushed", "Layer already exists", "Mounted from")
PAUSES = (1.0, 4.0, 15.0)  # seconds before the second, third and fourth attempt
_LIMIT = 1800  # seconds after which a push that still runs is given up

# What `docker push` prints last; Podman sends it without the `aux` that repeats it for programs.
_PRINTED = re.compile(r"\S+: digest: (sha256:[0-9a-f]{64}) size: \d+\s*")

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


def push(
    engine: Any, image: str, login: Login, repository: str, tag: str, say: Callable[[str], None], time: TimeSource
) -> str:
    """Push an image under a tag and answer the digest of the manifest that the registry now holds.

    Args:
        engine: docker-py's APIClient.
        image: the image's ID.
        login: for the registry; nothing of it is written anywhere.
        repository: the repository's name, without the host.
        tag: the tag to push.
        say: is given progress, one line each.
        time: the clock, and the sleep between two attempts.

    Raises:
        AwsRefused: the registry refused, or did not recover within the attempts.
        EngineUnavailable: the engine does not answer.
        ImageUnavailable: the engine does not hold the image.
    """
    return _Push(engine, login, f"{login.host}/{repository}", tag, say, time).run(image)


class _Transient(Exception):
    """The registry was unwell; trying again may help."""


@dataclass(frozen=True)
class _Push:
    """One push, attempted several times."""

    engine: Any
    login: Login
    repository: str
    tag: str
    say: Callable[[str], None]
    time: TimeSource

    @property
    def name(self) -> str:
        return f"{self.repository}:{self.tag}"

    def run(self, image: str) -> str:
        try:
            had_names = bool(self.engine.inspect_image(image).get("RepoTags"))
            self.engine.tag(image, self.repository, self.tag)
        except NotFound as error:
            raise ImageUnavailable(f"The Docker engine holds no image {image}", remedy="build it again") from error
        except CONNECTION_ERRORS as error:
            raise EngineUnavailable(f"The Docker engine cannot tag {image}: {error}") from error
        try:
            return self._with_retries()
        finally:
            # Taking the only name from an image deletes the image, which may be all that its owner has of it.
            if had_names:
                self._remove_name()

    def _remove_name(self) -> None:
        try:
            self.engine.remove_image(self.name, noprune=True)
        except CONNECTION_ERRORS as error:
            self.say(f"the local name {self.name} could not be removed: {error}")

    def _with_retries(self) -> str:
        last = None
        for pause in (0.0, *PAUSES):
            if last:
                self.say(f"push of {self.name}: {last}; trying again in {pause:g} s")
                self.time.sleep(pause)
            try:
                return self._once()
            except _Transient as error:
                last = error
        raise AwsRefused(
            f"The registry did not take the push of {self.tag}, after {len(PAUSES) + 1} attempts: {last}",
            where=f"docker push {self.name}",
            remedy="run the release again: layers that arrived are kept, and no tag is moved before the scan",
        ) from last

    def _once(self) -> str:
        credentials = {"username": self.login.username, "password": self.login.password}
        deadline = self.time.monotonic() + _LIMIT
        try:
            events = self.engine.push(self.repository, self.tag, stream=True, decode=True, auth_config=credentials)
            digest = self._follow(events, deadline) or self._held_as()
        except APIError as error:
            raise self._refused_by_engine(error) from error
        except CONNECTION_ERRORS as error:
            raise EngineUnavailable(
                f"The Docker engine stopped answering during the push of {self.tag}: {error}",
                where=f"docker push {self.name}",
                remedy="check the engine (`docker info`), then run the release again",
            ) from error
        if digest is None:
            # A stream that ends without a digest was cut off: nothing says that the registry holds the image.
            raise _Transient("the push ended without the digest of what was pushed")
        return digest

    def _follow(self, events: Iterable[dict[str, Any]], deadline: float) -> str | None:
        progress, digest = PushProgress(self.say, self.time.monotonic), None
        for event in events:
            if self.time.monotonic() > deadline:
                late = f"The push did not end within {_LIMIT} s"
                raise AwsRefused(late, remedy="check the network's upload, run again")
            if "error" in event:
                raise _classified(str(event["error"]), self.name)
            progress.take(event)
            printed = _PRINTED.fullmatch(str(event.get("status", "")))
            digest = (event.get("aux") or {}).get("Digest") or (printed and printed[1]) or digest
        return digest

    def _held_as(self) -> str | None:
        """The digest of what was pushed, from an engine that does not report it (Docker 26, containerd's store).

        There an image's ID is the digest of the manifest itself, so nothing else can have been pushed. Whether all of
        it arrived, the registry says: its manifest is read next.
        """
        held = self.engine.inspect_image(self.name)
        digests = [each.partition("@")[2] for each in held.get("RepoDigests") or ()]
        return held["Id"] if held.get("Id") in digests else None

    def _refused_by_engine(self, error: APIError) -> Exception:
        said = error.explanation or error
        if error.status_code is not None and error.status_code < 500:  # noqa: PLR2004
            return ImageUnavailable(f"The Docker engine does not push {self.name}: {said}")
        return _classified(str(said), self.name)


class PushProgress:
    """Says how far a push has come: after two seconds, then every ten; what the registry holds already needs none."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._say, self._clock = say, clock
        self._due = clock() + _FIRST_LINE_AFTER
        self._there: dict[str, bool] = {}
        self._sent: dict[str, int] = {}
        self._retried: set[str] = set()

    def take(self, event: dict[str, Any]) -> None:
        """Take in one event of the engine."""
        layer, status = str(event.get("id", "")), str(event.get("status", ""))
        if not layer or not status:
            return
        # The engine counts down by itself, a line a second, before it sends a layer once more.
        if status.startswith("Retrying") and layer not in self._retried:
            self._retried.add(layer)
            self._say(f"layer {layer} is sent once more")
        self._there[layer] = status.startswith(_THERE)
        sent = (event.get("progressDetail") or {}).get("current")
        self._sent[layer] = sent if isinstance(sent, int) else self._sent.get(layer, 0)
        if self._clock() >= self._due:
            self._due = self._clock() + _NEXT_LINE_AFTER
            there, sum_mb = sum(self._there.values()), sum(self._sent.values()) / 1e6
            self._say(f"{there} of {len(self._there)} layers are in the registry, {sum_mb:.0f} MB sent")


def _classified(message: str, pushed: str) -> Exception:
    """The kind of failure that the registry's message is; what is not known to pass by itself is not tried again."""
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
        return "the tag cannot move in this repository: exclude the tags that move from immutability (AC2 says how)"
    if "expired" in said or "no basic auth" in said or "unauthorized" in said or "authentication" in said:
        return "the login was not accepted: log in to AWS again, then run the release again"
    if "denied" in said or "403" in said:
        return "grant the pushing role ecr:InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload, PutImage"
    return "read the registry's message; it is not one that passes by itself"
