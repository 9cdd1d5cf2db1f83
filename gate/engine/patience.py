"""The time limits that docker-py leaves out: an engine that falls silent is waited for so long, and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gate.engine.refusal import worded

_CHUNK = 1 << 20


def bound(api: Any, timeout: float) -> None:
    """Give a time limit to every call of docker-py's: it asks some (a pull) with `timeout=None`, which is for ever."""
    unbound = api.request

    def request(*what: Any, **how: Any) -> Any:
        return worded(unbound(*what, **{**how, "timeout": how.get("timeout") or timeout}))

    api.request = request


def download(api: Any, path: str) -> Iterator[bytes]:
    """What the engine sends for a path, as it comes; silence for longer than the client's timeout is an error.

    docker-py's own downloads (`export`, `get_image`) take the time limit off the connection once they have begun
    (`_stream_raw_result`): an engine that falls silent in the middle would be waited for for ever.

    Args:
        api: docker-py's APIClient.
        path: below the API's version, such as "/images/x/get".

    Raises:
        requests.exceptions.RequestException: the engine refused, fell silent or stopped (see `gate.engine.asking`).
    """
    url = f"{api.base_url}/v{api.api_version}{path}"
    with api.get(url, stream=True, timeout=api.timeout) as answer:
        answer.raise_for_status()
        yield from answer.iter_content(_CHUNK)
