"""Pages of an answer, as ECR cuts them."""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

from localaws.ecr.errors import invalid
from localaws.ecr.operations import Parameters

T = TypeVar("T")
_DEFAULT = 100
_MOST = 1000


def page(
    entries: list[T], parameters: Parameters, *, default: int = _DEFAULT, most: int = _MOST
) -> tuple[list[T], Parameters]:
    """One page of the entries, and `nextToken` as long as there are more.

    Raises:
        EcrError: InvalidParameterException for a size outside 1 to `most`, or a token that is not ours.
    """
    size = parameters.get("maxResults", default)
    if not 1 <= size <= most:
        raise invalid(f"Invalid parameter at 'maxResults': {size} is not between 1 and {most}")
    start = _offset(parameters.get("nextToken"))
    rest = {"nextToken": _token(start + size)} if start + size < len(entries) else {}
    return entries[start : start + size], rest


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"offset:{offset}".encode()).decode()


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        kind, _, offset = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if kind == "offset":
            return int(offset)
    except (binascii.Error, ValueError):
        pass
    raise invalid("Invalid parameter at 'nextToken' failed to satisfy constraint: 'the token is not one of ours'")
