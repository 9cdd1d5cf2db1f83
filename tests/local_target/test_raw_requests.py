"""Requests that no well-meant client sends: each is answered or ended in time, and none leaves a traceback."""

from __future__ import annotations

import base64
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from localaws.target import LocalTarget
from tests.local_target.registry_client import RegistryClient, login

pytestmark = pytest.mark.docker

CASES = yaml.safe_load(Path(__file__).with_name("requests.yaml").read_text(encoding="utf-8"))
AT_MOST = 3.0  # seconds for an answer; a body that is promised and does not come is waited for one second
WAITS = 0.3


@pytest.fixture(scope="module")
def place(target: LocalTarget, owner: Any) -> Any:
    """What the requests use: a login, a repository, and a blob of thirteen bytes."""
    owner.create_repository(repositoryName="raw/requests")
    registry = RegistryClient(target.registry, login(owner))
    yield {
        "registry": registry,
        "host": f"Host: {target.registry}\n",
        "auth": f"Authorization: Basic {base64.b64encode(':'.join(registry.login or ()).encode()).decode()}\n",
        "repository": "raw/requests",
        "blob": registry.upload("raw/requests", b"thirteen byte"),
    }
    owner.delete_repository(repositoryName="raw/requests", force=True)


@pytest.mark.parametrize("case", CASES, ids=[each["name"] for each in CASES])
def test_a_raw_request_is_answered_in_time(case: dict[str, Any], place: dict[str, Any], target: LocalTarget) -> None:
    """With its status, or not before the request is complete; the next caller is served, and the log is empty."""
    registry = place["registry"]
    if "{upload}" in case["send"]:
        place = {**place, "upload": registry.ask("POST", "/v2/raw/requests/blobs/uploads/").headers["Location"]}
    answer, took = _exchange(case, place, target.registry)
    if case.get("status") == "waits":
        assert (answer, took >= WAITS) == ("", True)
    elif "status" in case:
        assert answer.split(" ")[1:2] == [str(case["status"])], answer
        assert took < AT_MOST
    assert case.get("holds", "") in answer
    assert registry.ask("GET", "/v2/").status == 200
    assert "Traceback" not in (target.state / "ecr.log").read_text()


def _exchange(case: dict[str, Any], place: dict[str, Any], host: str) -> tuple[str, float]:
    """The response, and after how many seconds it came."""
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=WAITS if case.get("status") == "waits" else 10) as sender:
        for piece in [case["send"], *case.get("pieces", [])]:
            filled = piece.format(**place).replace("\r\n", "\n").replace("\n", "\r\n")
            sender.sendall(filled.encode("latin-1"))
            time.sleep(0.1 if "pieces" in case else 0)
        if case.get("then") == "leave":
            return "", 0.0
        if case.get("then") == "cut":
            sender.shutdown(socket.SHUT_WR)
        began, answer, holds = time.monotonic(), b"", case.get("holds", "\r\n\r\n").encode()
        try:
            while holds not in answer and (piece := sender.recv(65536)):
                answer += piece
        except TimeoutError:
            pass
        return answer.decode("latin-1"), time.monotonic() - began
