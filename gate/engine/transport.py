"""How the engine is talked to: time limits and errors that docker-py leaves out, and `docker save` read as a file."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from typing import Any

from docker.errors import APIError, DockerException, ImageNotFound, StreamParseError
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from gate.errors import EngineUnavailable, ImageUnavailable

# What docker-py raises when the engine does not answer, or not to the end. A stream lets urllib3's errors through, and
# half a line of JSON is no DockerException.
CONNECTION_ERRORS = (DockerException, StreamParseError, RequestException, HTTPError, OSError)
_NO_REFERENCE = "invalid reference format"
_START = "start it (`systemctl start docker`, or Docker Desktop), or let DOCKER_HOST name one that answers"
_CHUNK = 1 << 20


@contextmanager
def engine_errors(command: str) -> Iterator[None]:
    """Turn what docker-py raises in this block into the gate's own errors.

    Args:
        command: what is asked, as a docker command line.

    Raises:
        ImageUnavailable: the engine has no such image.
        EngineUnavailable: it refused, did not answer, or not in time.
    """
    try:
        yield
    except ImageNotFound as missing:
        raise ImageUnavailable(f"the Docker engine has no such image: {missing.explanation}", where=command,
                               remedy="build or pull it first, or correct the reference") from missing  # fmt: skip
    except APIError as refusal:
        if _NO_REFERENCE in str(refusal.explanation):
            raise ImageUnavailable(f"this is not a valid image reference: {refusal.explanation}", where=command,
                                   remedy="correct the reference") from refusal  # fmt: skip
        said = refusal.explanation or refusal
        raise EngineUnavailable(f"the Docker engine refused: {said}", where=command) from refusal
    except CONNECTION_ERRORS as error:
        raise EngineUnavailable(f"the Docker engine does not answer: {error}", where=command, remedy=_START) from error


def limit_every_call(api: Any, timeout: float) -> None:
    """Give every call of docker-py a time limit: some of its calls (a pull) wait without one."""
    request = api.request

    def limited(*arguments: Any, **options: Any) -> Any:
        return with_message(request(*arguments, **{**options, "timeout": options.get("timeout") or timeout}))

    api.request = limited


def with_message(answer: Any) -> Any:
    """The answer itself; an error of the engine always with the `message` that docker-py reads (ErrorResponse).

    Podman leaves it out of some errors, and docker-py then ends in a KeyError that names no cause.

    Args:
        answer: a `requests.Response`; the body of an error is read whole, which is short.
    """
    if answer.status_code < HTTPStatus.BAD_REQUEST:
        return answer
    try:
        body = answer.json()
    except ValueError:
        return answer
    if not isinstance(body, dict) or "message" not in body:
        found = body if isinstance(body, dict) else {}
        message = found.get("error") or found.get("cause") or answer.text
        answer._content = json.dumps({**found, "message": str(message)}).encode()
    return answer


@contextmanager
def saved(api: Any, reference: str, limit: int) -> Iterator[io.BufferedReader]:
    """The image with all its layers as the tar stream of `docker save`, to be read once in this block.

    docker-py's own download (`get_image`) removes the time limit from the connection once it has begun
    (`_stream_raw_result`), so that an engine that hangs in the middle would be waited for without end.

    Args:
        api: docker-py's APIClient.
        reference: the image.
        limit: bytes; reading past them is an error.

    Raises:
        ImageUnavailable: no such image, or it is larger than the limit.
        EngineUnavailable: the engine does not answer, stops in the middle, or sends a damaged archive.
    """
    command, url = f"docker save {reference}", f"{api.base_url}/v{api.api_version}/images/{reference}/get"
    with ExitStack() as opened:
        # Around the download alone: an error in the reader's own code is not the engine's.
        with engine_errors(command):
            answer = opened.enter_context(api.get(url, stream=True, timeout=api.timeout))
            answer.raise_for_status()
        try:
            yield io.BufferedReader(_Limited(answer.iter_content(_CHUNK), command, limit), buffer_size=_CHUNK)
        except tarfile.TarError as damaged:
            raise EngineUnavailable(f"the layers of {reference} cannot be read: {damaged}", where=command) from damaged


class _Limited(io.RawIOBase):
    def __init__(self, chunks: Iterator[bytes], command: str, limit: int) -> None:
        self._chunks, self._command, self._limit, self._left = chunks, command, limit, limit
        self._unread = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._unread:
            with engine_errors(self._command):
                self._unread = memoryview(next(self._chunks, b""))
            self._left -= len(self._unread)
        if self._left < 0:
            raise ImageUnavailable(f"the image is larger than the {self._limit} bytes that the gate reads")
        size = min(len(buffer), len(self._unread))
        buffer[:size], self._unread = self._unread[:size], self._unread[size:]
        return size
