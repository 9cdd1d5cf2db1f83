"""A Docker engine that hangs: passes every call on to the real one, but for those that it never answers."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_HEAD_ENDS = b"\r\n\r\n"


def _real() -> str:
    return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


@contextmanager
def stalling_engine(folder: Path, pattern: str) -> Iterator[tuple[str, list[str]]]:
    """An engine on a socket in the folder; answers its DOCKER_HOST, and the calls that hang as they come.

    Args:
        folder: where the socket goes.
        pattern: a regular expression; a call whose first line holds it is never answered.
    """
    hung: list[str] = []
    path = folder / "docker.sock"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen(64)
        threading.Thread(target=_serve, args=(door, re.compile(pattern), hung), daemon=True).start()
        yield f"unix://{path}", hung
        # Wakes the thread that accepts.
        door.shutdown(socket.SHUT_RDWR)


def _serve(door: socket.socket, pattern: re.Pattern[str], hung: list[str]) -> None:
    with suppress(OSError):  # the door was closed
        while True:
            caller, _ = door.accept()
            threading.Thread(target=_answer, args=(caller, pattern, hung), daemon=True).start()


def _answer(caller: socket.socket, pattern: re.Pattern[str], hung: list[str]) -> None:
    with caller:
        head = b""
        while _HEAD_ENDS not in head:
            if not (more := caller.recv(65536)):
                return
            head += more
        first = head.partition(b"\r\n")[0].decode()
        if pattern.search(first):
            hung.append(first)
            while caller.recv(65536):  # until the caller gives up
                continue
            return
        # One call for each connection, so that each one's first line is seen; an upgraded one is one call anyhow.
        if b"upgrade" not in head.lower():
            head = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(_real())
            engine.sendall(head)
            threading.Thread(target=_copy, args=(caller, engine), daemon=True).start()
            _copy(engine, caller)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):  # either side has gone
        while part := source.recv(1 << 16):
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)
