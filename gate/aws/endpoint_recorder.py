"""Records the endpoint of every AWS client of a run: when the client is made, and with each request that it sends."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

from gate.aws.endpoints import Endpoint


class EndpointRecorder:
    """Records the endpoints of the AWS clients of one run.

    It uses botocore's events, so it also records the clients that a session makes itself, to assume a role or to renew
    a login.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._endpoints: dict[Endpoint, None] = {}

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Each endpoint of a client or request, and each registry that ECR named; in the order recorded."""
        with self._lock:
            return tuple(self._endpoints)

    @property
    def elsewhere(self) -> tuple[Endpoint, ...]:
        """Those that are not endpoints of AWS."""
        return tuple(each for each in self.endpoints if not each.is_aws)

    def attach(self, session: Any, account: str) -> None:
        """Record every client that this boto3 session makes from now on; repeating this changes nothing.

        Args:
            session: a session that has not made any client yet.
            account: the account whose registry ECR should name.
        """
        mine = f"endpoint recorder {id(self)}"  # botocore registers nothing twice under one identifier
        session.events.register("creating-client-class", self._record_class, f"{mine}, client")
        record = partial(self._record_registry, account)
        session.events.register_last("after-call.ecr.GetAuthorizationToken", record, f"{mine}, registry")

    def _record_class(self, base_classes: list[type], **_: Any) -> None:
        record = self._record_client

        class RecordedClient:
            """A client that is recorded as soon as it is made."""

            def __init__(self, *arguments: Any, **named: Any) -> None:
                super().__init__(*arguments, **named)
                record(self)

        base_classes.insert(0, RecordedClient)

    def _record_client(self, client: Any) -> None:
        self._record(client.meta, client.meta.endpoint_url)
        # Endpoint rules may give a request another host than its client has; this handler runs after all others.
        client.meta.events.register_last(
            "request-created", lambda request, **_: self._record(client.meta, _without_path(request.url))
        )

    def _record(self, meta: Any, url: str) -> None:
        model = meta.service_model
        self._enter(Endpoint(str(model.service_name), str(meta.region_name or ""), url, str(model.endpoint_prefix)))

    def _record_registry(self, account: str, parsed: Mapping[str, Any], context: Mapping[str, Any], **_: Any) -> None:
        region = str(context.get("client_region", ""))
        given = parsed.get("authorizationData")
        for each in given if isinstance(given, list) else ():
            address = each.get("proxyEndpoint") if isinstance(each, Mapping) else None
            self._enter(Endpoint("ecr", region, str(address), registry_of=account))

    def _enter(self, endpoint: Endpoint) -> None:
        with self._lock:
            self._endpoints[endpoint] = None


def _without_path(url: str) -> str:
    scheme, _, rest = url.partition("://")
    ends = [place for mark in "/?#" if (place := rest.find(mark)) >= 0]
    return f"{scheme}://{rest[: min(ends)] if ends else rest}"
