"""Answers of an engine that break off or hang end in an error in time; every error of an engine has a message."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import docker
import pytest
import requests
from docker.errors import APIError, create_api_error_from_http_exception

from gate.aws.retry import TimeSource
from gate.engine import Engine
from gate.engine.transport import saved, with_message
from gate.errors import EngineUnavailable
from gate.registry.pull import Login, pull
from gate.registry.push import push

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b'{"status": "Pushing", "id": "a1"}\r\n'
LOGIN = Login("https://registry.example/", "AWS", "secret", datetime(2030, 1, 1, tzinfo=UTC))
TIMEOUT = 1


def chunk(content: bytes) -> bytes:
    """One piece of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(content), content)


# What comes of an answer, and whether the connection then ends or stays open.
BROKEN = {
    "ends between pieces": (HEAD + chunk(EVENT), True),
    "ends within a piece": (HEAD + chunk(EVENT)[:-9], True),
    "ends within a line": (HEAD + chunk(EVENT) + chunk(EVENT[:9]), True),
    "is silent": (HEAD + chunk(EVENT), False),
    "is silent within a piece": (HEAD + chunk(EVENT)[:-9], False),
    "ends in its head": (HEAD[:7], True),
    "is no HTTP": (b"\x00\xff garbage\r\n\r\n", True),
}


@pytest.fixture(params=BROKEN)
def engine(request, tmp_path):
    """An engine whose every answer is so, on a socket of its own."""
    content, ends = BROKEN[request.param]
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen(8)
        threading.Thread(target=_serve, args=(door, content, ends), daemon=True).start()
        client = docker.DockerClient(base_url=f"unix://{path}", version="1.41", timeout=TIMEOUT)
        began = time.monotonic()
        yield Engine(client, TIMEOUT)
        # The fixture ends after the test: whatever it asked took no longer than its timeouts.
        assert time.monotonic() - began < 5 * TIMEOUT
        client.close()
        door.shutdown(socket.SHUT_RDWR)


def _serve(door: socket.socket, content: bytes, ends: bool) -> None:
    held = []
    while True:
        try:
            caller, _ = door.accept()
        except OSError:
            return
        caller.recv(65536)
        caller.sendall(content)
        if ends:
            caller.shutdown(socket.SHUT_RDWR)
        held.append(caller)  # open until the test is over


@pytest.mark.slow
def test_a_download_ends_in_time_and_is_never_taken_for_whole(engine):
    """docker-py's own download waits for ever for the rest."""
    with pytest.raises(EngineUnavailable, match="does not answer"), saved(engine.client.api, "x", 1000) as file:
        file.read()


@pytest.mark.slow
def test_a_push_ends_in_time(engine, monkeypatch):
    """A half event, or none, is the engine's silence and no digest."""
    monkeypatch.setattr(engine.client.api, "inspect_image", lambda _image: {"RepoTags": []})
    monkeypatch.setattr(engine.client.api, "tag", lambda *_: True)
    patience = TimeSource(sleep=lambda _: None)
    with pytest.raises(EngineUnavailable, match="stopped answering during the push"):
        push(engine.client.api, "x", LOGIN, "repo", "v1", lambda _: None, patience)


@pytest.mark.slow
def test_a_pull_ends_in_time(engine):
    """Likewise."""
    with pytest.raises(EngineUnavailable, match="cannot pull"):
        pull(engine.client.api, LOGIN, "repo", "sha256:" + "0" * 64, lambda _: None)


@pytest.mark.slow
def test_looking_into_an_image_ends_in_time(engine):
    """A question with a short answer."""
    with pytest.raises(EngineUnavailable, match="does not answer"):
        engine.image("x")


def test_the_socket_is_gone(tmp_path: Path):
    """An engine that stopped altogether."""
    client = docker.DockerClient(base_url=f"unix://{tmp_path / 'none.sock'}", version="1.41", timeout=TIMEOUT)
    with pytest.raises(EngineUnavailable, match="does not answer"):
        Engine(client, TIMEOUT).image("x")


def _answer(status: int, body: bytes) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer._content, answer.reason = status, body, "Internal Server Error"
    return answer


def _said(answer: requests.Response) -> str:
    """What docker-py makes of it."""
    with pytest.raises(requests.HTTPError) as refused:
        with_message(answer).raise_for_status()
    with pytest.raises(APIError) as raised:
        create_api_error_from_http_exception(refused.value)
    return str(raised.value.explanation)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"message": "no such image"}', "no such image"),
        (b'{"cause": "x", "message": "no such image", "response": 404}', "no such image"),
        (b'{"errorDetail": {}, "error": "HTTP response to HTTPS client"}', "HTTP response to HTTPS client"),
        (b'{"cause": "not found", "response": 404}', "not found"),
        (b"{}", "{}"),
        (b'["odd"]', "odd"),
        (b"null", "null"),
        (b"plain words", "plain words"),
        (b"", ""),
    ],
)
def test_every_refusal_says_something(body: bytes, words: str) -> None:
    """Whatever key the message stands under, or none."""
    assert words in _said(_answer(500, body))


@pytest.mark.parametrize("status", [200, 204, 304])
def test_what_is_no_refusal_is_left_alone(status: int) -> None:
    """Its body may be a stream of gigabytes."""
    answer = _answer(status, b"{}")
    assert with_message(answer) is answer
    assert answer._content == b"{}"
