"""How the engine is talked to: time limits and errors that docker-py leaves out, and downloads read as files."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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


def download(api: Any, path: str) -> Iterator[bytes]:
    """What the engine sends for a path, as it comes; silence for longer than the client's timeout is an error.

    docker-py's own downloads (`export`, `get_image`) remove the time limit from the connection once they have begun
    (`_stream_raw_result`), so that an engine that hangs in the middle would be waited for without end.

    Args:
        api: docker-py's APIClient.
        path: below the API's version, such as "/images/x/get".

    Raises:
        requests.exceptions.RequestException: the engine refused, hung or stopped (see `engine_errors`).
    """
    url = f"{api.base_url}/v{api.api_version}{path}"
    with api.get(url, stream=True, timeout=api.timeout) as answer:
        answer.raise_for_status()
        yield from answer.iter_content(_CHUNK)


@contextmanager
def tar_download(api: Any, path: str, command: str, what: str, limit: int) -> Iterator[io.BufferedReader]:
    """A tar archive that the engine sends, as a file that is read once, in this block.

    Args:
        api: docker-py's APIClient.
        path: see `download`.
        command: the docker command that downloads the same.
        what: is in the archive, for the message of an error.
        limit: see `as_file`.

    Raises:
        ImageUnavailable: no such image, or it is larger than the limit.
        EngineUnavailable: the engine does not answer, stops in the middle, or sends a damaged archive.
    """

    def chunks() -> Iterator[bytes]:
        # Around the download alone: an error in the reader's own code is not the engine's.
        with engine_errors(command):
            yield from download(api, path)

    try:
        yield as_file(chunks(), limit)
    except tarfile.TarError as damaged:
        raise EngineUnavailable(f"{what} cannot be read: {damaged}", where=command) from damaged


def as_file(chunks: Iterable[bytes], limit: int) -> io.BufferedReader:
    """A download as a binary file, to be read once from front to end.

    Args:
        chunks: what the engine sends.
        limit: bytes; reading past them raises `ImageUnavailable`.
    """
    return io.BufferedReader(_Chunks(chunks, limit), buffer_size=_CHUNK)


class _Chunks(io.RawIOBase):
    def __init__(self, chunks: Iterable[bytes], limit: int) -> None:
        self._chunks = iter(chunks)
        self._limit = self._left = limit
        self._unread = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._unread:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left -= len(chunk)
            if self._left < 0:
                raise ImageUnavailable(f"the image is larger than the {self._limit} bytes that the gate reads")
            self._unread = memoryview(chunk)
        size = min(len(buffer), len(self._unread))
        buffer[:size] = self._unread[:size]
        self._unread = self._unread[size:]
        return size
