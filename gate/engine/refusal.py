"""Refusals of engines that word them otherwise than Docker."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any


def worded(answer: Any) -> Any:
    """The answer itself, with the `message` that docker-py reads from every refusal (Docker Engine API, ErrorResponse).

    Podman leaves it out of some of its own, and docker-py then ends in a KeyError that says nothing.

    Args:
        answer: a `requests.Response`; what it refuses with is read whole, which is short.
    """
    if answer.status_code < HTTPStatus.BAD_REQUEST:
        return answer
    try:
        said = answer.json()
    except ValueError:
        return answer
    if not isinstance(said, dict) or "message" not in said:
        found = said if isinstance(said, dict) else {}
        message = found.get("error") or found.get("cause") or answer.text
        answer._content = json.dumps({**found, "message": str(message)}).encode()
    return answer
