"""`docker pull` of a digest through the engine's API, for a run that verifies what is published already."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from gate.engine import CONNECTION_ERRORS
from gate.errors import AwsRefused, EngineUnavailable
from gate.registry.login import Login


class Engine(Protocol):
    """The calls of docker-py's APIClient that a pull needs."""

    def pull(
        self, repository: str, *, stream: bool, decode: bool, auth_config: dict[str, str]
    ) -> Iterable[dict[str, Any]]:
        """Pull, answering the engine's progress events."""

    def inspect_image(self, image: str) -> dict[str, Any]:
        """What the engine knows about an image."""


def pull(engine: Engine, login: Login, repository: str, digest: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Pull an image by digest and answer what the engine knows about it; the engine checks every digest.

    Raises:
        AwsRefused: the registry does not hand it out.
        EngineUnavailable: the engine does not answer.
    """
    name = f"{login.host}/{repository}@{digest}"
    credentials = {"username": login.username, "password": login.password}
    try:
        for event in engine.pull(name, stream=True, decode=True, auth_config=credentials):
            if "error" in event:
                raise AwsRefused(
                    f"The registry does not hand out {digest}: {event['error']}",
                    where=f"docker pull {name}",
                    remedy="grant ecr:BatchGetImage and ecr:GetDownloadUrlForLayer to the role that runs the gate",
                )
            if str(event.get("status", "")).startswith(("Pull complete", "Digest", "Status")):
                say(" ".join(str(event[key]) for key in ("id", "status") if event.get(key)))
        return engine.inspect_image(name)
    except CONNECTION_ERRORS as error:
        raise EngineUnavailable(f"The Docker engine cannot pull {digest}: {error}", where=name) from error
