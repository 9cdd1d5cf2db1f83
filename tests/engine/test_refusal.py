"""Refusals that are worded otherwise than Docker's become sentences all the same."""

from __future__ import annotations

import pytest
import requests
from docker.errors import APIError, create_api_error_from_http_exception

from gate.engine.refusal import worded


def _answer(status: int, body: bytes) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer._content, answer.reason = status, body, "Internal Server Error"
    return answer


def _said(answer: requests.Response) -> str:
    """What docker-py makes of it."""
    with pytest.raises(requests.HTTPError) as refused:
        worded(answer).raise_for_status()
    with pytest.raises(APIError) as told:
        create_api_error_from_http_exception(refused.value)
    return str(told.value.explanation)


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
    """Whatever key it stands under, or none."""
    assert words in _said(_answer(500, body))


@pytest.mark.parametrize("status", [200, 204, 304])
def test_what_is_no_refusal_is_left_alone(status: int) -> None:
    """Its body may be a stream of gigabytes."""
    answer = _answer(status, b"{}")
    assert worded(answer) is answer
    assert answer._content == b"{}"
