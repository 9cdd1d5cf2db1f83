"""A Docker engine that hangs or stops: passes every call on to the real one, but for those that meet a pattern."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_HEAD_ENDS = b"\r\n\r\n"
# How much of a body comes before the answer breaks off: of each answer that is broken here there is more.
HALF = 20
# What becomes of a call that meets the pattern.
SILENT, RESET = "it is never answered", "the connection is reset"
CUT, STUCK = "half an answer, then the connection ends", "half an answer, then silence"
GONE = "the connection ends, and the engine takes no other call"


def _real() -> str:
    return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


@contextmanager
def stalling_engine(folder: Path, pattern: str, becomes: str = SILENT) -> Iterator[tuple[str, list[str]]]:
    """An engine on a socket in the folder; answers its DOCKER_HOST, and the calls that were harmed as they come.

    Args:
        folder: where the socket goes.
        pattern: a regular expression; a call whose first line holds it is harmed.
        becomes: what becomes of it: `SILENT`, `RESET`, `CUT`, `STUCK` or `GONE`.
    """
    path = folder / "docker.sock"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen(64)
        engine = _Engine(door, re.compile(pattern), becomes)
        threading.Thread(target=engine.serve, daemon=True).start()
        yield f"unix://{path}", engine.harmed
        engine.close()
        path.unlink()


@dataclass
class _Engine:
    door: socket.socket
    pattern: re.Pattern[str]
    becomes: str
    harmed: list[str] = field(default_factory=list)

    def serve(self) -> None:
        with suppress(OSError):  # the door was closed
            while True:
                caller, _ = self.door.accept()
                threading.Thread(target=self._answer, args=(caller,), daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):  # it is gone already
            # Wakes the thread that accepts; whoever comes now is refused.
            self.door.shutdown(socket.SHUT_RDWR)

    def _answer(self, caller: socket.socket) -> None:
        with caller:
            head = b""
            while _HEAD_ENDS not in head:
                if not (more := caller.recv(65536)):
                    return
                head += more
            first = head.partition(b"\r\n")[0].decode()
            if not self.pattern.search(first):
                _pass_on(head, caller)
                return
            self.harmed.append(first)
            if self.becomes == GONE:
                self.close()
            elif self.becomes in (CUT, STUCK):
                _pass_on(head, caller, HALF)
            if self.becomes in (SILENT, STUCK):
                _wait_for_the_end(caller)
            with suppress(OSError):  # the caller has gone
                # Closing would not end it while a thread still reads from it.
                caller.shutdown(socket.SHUT_RDWR)


def _pass_on(head: bytes, caller: socket.socket, most: int | None = None) -> None:
    """Ask the real engine, and answer as it does; of the answer's body `most` bytes at most."""
    # One call for each connection, so that each one's first line is seen; an upgraded one is one call anyhow.
    if b"upgrade" not in head.lower():
        head = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    with socket.socket(socket.AF_UNIX) as engine:
        engine.connect(_real())
        engine.sendall(head)
        threading.Thread(target=_copy, args=(caller, engine), daemon=True).start()
        if most is None:
            _copy(engine, caller)
        else:
            _copy_part(engine, caller, most)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):  # either side has gone
        while part := source.recv(1 << 16):
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)


def _copy_part(source: socket.socket, sink: socket.socket, most: int) -> None:
    held, sent = b"", 0
    with suppress(OSError):  # either side has gone
        while part := source.recv(1 << 16):
            held += part
            head, end, body = held.partition(_HEAD_ENDS)
            allowed = head + end + body[:most]
            sink.sendall(allowed[sent:])
            sent = len(allowed)
            if len(body) >= most:
                return


def _wait_for_the_end(caller: socket.socket) -> None:
    with suppress(OSError):
        while caller.recv(1 << 16):  # until the caller gives up
            continue
