"""The engine: a connection with a time limit on every call, and what the gate asks of it."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http import HTTPStatus
from typing import Any

import docker
from docker.errors import APIError

from gate.engine.capabilities import ANOTHER_ENGINE, EMULATE, emulated, lacks_processor, missing_capabilities
from gate.engine.image import SAVED_BYTES, InspectedImage, inspect
from gate.engine.leftovers import owner_label, sweep
from gate.engine.saved_image import SavedImage
from gate.engine.transport import engine_errors, limit_every_call, saved
from gate.errors import EngineUnavailable, ImageUnavailable
from gate.text import plain

TIMEOUT_SECONDS = 120
# How long an inspection container lives at most, should the gate be killed; an image has one of these commands.
_LIFE_SECONDS = 3600
_SLEEPERS = (
    ["sleep", str(_LIFE_SECONDS)],
    ["python3", "-c", f"import time; time.sleep({_LIFE_SECONDS})"],
    ["/var/lang/bin/python3", "-c", f"import time; time.sleep({_LIFE_SECONDS})"],
)


def connect(timeout: int = TIMEOUT_SECONDS, environment: Mapping[str, str] | None = None) -> Engine:
    """Connect to the engine of DOCKER_HOST or the local socket.

    Args:
        timeout: seconds that any one call may take.
        environment: where DOCKER_HOST is looked up; by default this process's environment.

    Raises:
        EngineUnavailable: it does not answer.
    """
    host = (os.environ if environment is None else environment).get("DOCKER_HOST", "")
    if host.startswith("ssh://"):
        raise EngineUnavailable(
            f"DOCKER_HOST is {plain(host)}, and the gate speaks to an engine by a socket or by TCP",
            where="docker version",
            remedy="forward its socket: ssh -nNT -L engine.sock:/var/run/docker.sock USER@HOST, and DOCKER_HOST=unix://"
            "$PWD/engine.sock",
        )
    with engine_errors("docker version"):
        client = docker.from_env(timeout=timeout, environment=environment)
        if client.api.base_url.startswith("http+docker"):
            # A socket has no proxy. Requests would iterate over os.environ to find one, while pytest and the local
            # target change variables in other threads: some calls would fail.
            client.api.trust_env = False
        with client.api.get(f"{client.api.base_url}/_ping") as answer:
            answer.raise_for_status()
            # Docker 23 and newer answer 2; older ones use BuildKit only when asked to; Podman has no such header.
            buildkit = answer.headers.get("Builder-Version") == "2"
    return Engine(client, timeout, buildkit=buildkit)


class Engine:
    """A Docker engine that answered.

    Attributes:
        client: docker-py's client, for build, push and the sandbox; its errors are raised within `engine_errors`.
        timeout: seconds that any one call may take.
        buildkit: whether it prefers BuildKit to the classic builder (`Builder-Version`, Docker Engine API, SystemPing).
    """

    def __init__(
        self, client: docker.DockerClient, timeout: float = TIMEOUT_SECONDS, *, buildkit: bool = False
    ) -> None:
        self.client, self.timeout, self.buildkit = client, timeout, buildkit
        self._measured: dict[str, SavedImage] = {}
        limit_every_call(client.api, timeout)

    def close(self) -> None:
        """Close the connection."""
        self.client.close()

    def version(self) -> str:
        """The engine's own version.

        Raises:
            EngineUnavailable: the engine does not answer.
        """
        with engine_errors("docker version"):
            return str(self.client.version().get("Version") or "unknown: the engine does not say")

    def require_capabilities(self) -> None:
        """Report at once what this engine cannot do, in place of one failure per scenario.

        Raises:
            EngineUnavailable: it cannot do something that the gate needs, or does not answer.
        """
        with engine_errors("docker info"):
            missing = tuple(missing_capabilities(self.client.version(), self.client.info()))
        if missing:
            raise EngineUnavailable(f"this Docker engine cannot run the gate: it cannot {', or '.join(missing)}",
                                    where="docker info", remedy=ANOTHER_ENGINE)  # fmt: skip

    def require_processor(self, platform: str) -> None:
        """Report at once that images for a platform cannot run here, in place of a build that fails half-way.

        An engine on another machine is taken to emulate what it needs: its kernel cannot be asked.

        Raises:
            EngineUnavailable: it cannot run them, or does not answer.
        """
        if not str(self.client.api.base_url).startswith("http+docker://"):
            return
        with engine_errors("docker info"):
            info = self.client.info()
            said = lacks_processor(platform, info, emulated(info))
        if said:
            raise EngineUnavailable(said, where="docker info", remedy=EMULATE)

    def image(self, reference: str) -> InspectedImage:
        """The image as the engine describes it.

        Raises:
            ImageUnavailable: the engine has no such image.
            EngineUnavailable: the engine does not answer.
        """
        with engine_errors(f"docker image inspect {reference}"):
            return inspect(self.client, reference, self._measured)

    def built(self, image_id: str, tag: str) -> InspectedImage:
        """The image that a build left.

        With containerd's store BuildKit answers the digest of the configuration, by which that store finds nothing;
        there it is looked up by its tag.

        Args:
            image_id: as the build answered it.
            tag: under which it was built.

        Raises:
            ImageUnavailable: neither of the two names that image.
            EngineUnavailable: the engine does not answer.
        """
        try:
            return self.image(image_id)
        except ImageUnavailable:
            found = self.image(tag)
        if found.image_id == image_id:
            return found
        raise ImageUnavailable(f"the build made {image_id}, and {tag} already names {found.image_id}",
                               where=f"docker image inspect {tag}",
                               remedy="run again while nothing else builds under this name")  # fmt: skip

    def sweep(self) -> tuple[str, ...]:
        """Remove the containers, networks, volumes and images of dead owners; returns what was removed.

        Raises:
            EngineUnavailable: the engine does not answer.
        """
        with engine_errors(f"removing leftovers labelled {next(iter(owner_label()))}"):
            return sweep(self.client)

    @contextmanager
    def inspection(self, reference: str) -> Iterator[str]:
        """A container of the image that only sleeps, to be looked into (`gate.engine.host`); removed at the end.

        It has no network, runs as root so that every file can be looked at, and ends by itself after an hour.

        Raises:
            ImageUnavailable: no such image, or it holds neither `sleep` nor a Python to keep it running.
            EngineUnavailable: the engine does not answer.
        """
        container = self._started(reference)
        try:
            yield container
        finally:
            self.remove(container)

    def saved(self, reference: str, limit: int = SAVED_BYTES) -> AbstractContextManager[io.BufferedReader]:
        """The image with all its layers as the tar stream of `docker save`, of at most so many bytes (`saved`)."""
        return saved(self.client.api, reference, limit)

    def remove(self, container: str) -> None:
        """Remove a container with its anonymous volumes, running or not; one that is gone is no error.

        Raises:
            EngineUnavailable: the engine does not answer.
        """
        with engine_errors(f"docker rm {container[:12]}"):
            try:
                self.client.api.remove_container(container, v=True, force=True)
            except APIError as refusal:
                # It is gone, or another removal is under way.
                if refusal.status_code not in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
                    raise

    def _started(self, reference: str) -> str:
        refusals = []
        for command in _SLEEPERS:
            container = self._created(reference, command)
            try:
                self.client.api.start(container)
            except APIError as refusal:
                # "executable file not found": the next command may exist.
                self.remove(container)
                refusals.append(str(refusal.explanation))
                continue
            except BaseException:
                self.remove(container)
                raise
            return container
        raise ImageUnavailable("the image holds neither `sleep` nor a Python that starts, so it cannot be looked into",
                               where=reference, remedy=" | ".join(refusals))  # fmt: skip

    def _created(self, reference: str, command: list[str]) -> str:
        api = self.client.api
        with engine_errors(f"docker create {reference}"):
            created: dict[str, Any] = api.create_container(
                reference,
                entrypoint=command,
                command=[],
                user="0:0",
                labels=owner_label(),
                # The proxies of the user's Docker configuration do not belong to the image.
                use_config_proxy=False,
                host_config=api.create_host_config(network_mode="none", pids_limit=512, mem_limit="2g"),
            )
            return str(created["Id"])
