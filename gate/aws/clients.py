"""Every client of a run, and where it asks: seen when it is made, and again with each request that it sends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from gate.aws.endpoints import Endpoint


class ClientRecorder:
    """The clients that are made from the sessions of one run, whoever makes them.

    The names are taken from botocore's events, so that a client need not be known to be looked at: a session's own, to
    assume a role or to renew a login, is as well.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._endpoints: dict[Endpoint, None] = {}
        self._sessions: list[Any] = []

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Each address that a client was made for, asked, or was given as the registry; in the order seen."""
        with self._lock:
            return tuple(self._endpoints)

    @property
    def elsewhere(self) -> tuple[Endpoint, ...]:
        """Those that are not AWS's own."""
        return tuple(each for each in self.endpoints if not each.is_aws)

    def attach(self, session: Any, account: str) -> None:
        """Look at every client that is made from this boto3 session hereafter; once, however often it is attached.

        Args:
            session: the session; nothing may have been made from it before.
            account: the account whose registry ECR has to name.
        """
        if any(session is each for each in self._sessions):
            return
        self._sessions.append(session)
        session.events.register("creating-client-class", self._look_at_each)
        look = partial(self._look_at_registry, account)
        session.events.register_last("after-call.ecr.GetAuthorizationToken", look)

    def _look_at_each(self, base_classes: list[type], **_: Any) -> None:
        base_classes.insert(0, _looked_at(self._made))

    def _made(self, client: Any) -> None:
        self._note(client.meta, client.meta.endpoint_url)
        # Endpoint rules may lead each request elsewhere than the client as a whole; the last to see it is this.
        client.meta.events.register_last(
            "request-created", lambda request, **_: self._note(client.meta, _without_path(request.url))
        )

    def _note(self, meta: Any, url: str) -> None:
        model = meta.service_model
        self._enter(Endpoint(str(model.service_name), str(meta.region_name or ""), url, str(model.endpoint_prefix)))

    def _look_at_registry(self, account: str, parsed: Mapping[str, Any], context: Mapping[str, Any], **_: Any) -> None:
        region = str(context.get("client_region", ""))
        given = parsed.get("authorizationData")
        for each in given if isinstance(given, list) else ():
            address = each.get("proxyEndpoint") if isinstance(each, Mapping) else None
            self._enter(Endpoint("ecr", region, str(address), registry_of=account))

    def _enter(self, endpoint: Endpoint) -> None:
        with self._lock:
            self._endpoints[endpoint] = None


def _looked_at(made: Callable[[Any], None]) -> type:
    class LookedAt:
        """A client that is looked at as soon as it is made."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            made(self)

    return LookedAt


def _without_path(url: str) -> str:
    scheme, _, rest = url.partition("://")
    ends = [place for mark in "/?#" if (place := rest.find(mark)) >= 0]
    return f"{scheme}://{rest[: min(ends)] if ends else rest}"
