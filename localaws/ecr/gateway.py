"""The endpoint of the local target: ECR's two protocols are answered here, other AWS calls are sent on to MiniStack."""

from __future__ import annotations

import sys
import urllib.parse
from http.client import HTTPException
from http.server import ThreadingHTTPServer
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser

from localaws.ecr.api import Api
from localaws.ecr.authorization import TARGET, Authorizer, UpstreamResponse
from localaws.ecr.credentials import Credential, IssuedCredentials
from localaws.ecr.errors import EcrError
from localaws.ecr.exchange import BodyTooLarge, BrokenBody, Exchange
from localaws.ecr.inspector_coverage import PATH as COVERAGE
from localaws.ecr.registry_protocol import RegistryProtocol
from localaws.ecr.scope import Scope, scope_of

_JSON = [("Content-Type", "application/x-amz-json-1.1")]
_XML = [("Content-Type", "text/xml")]
_CBOR = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
_REST_XML = frozenset({"s3", "cloudfront", "route53"})
_ECR_BODY = 8 * 1024 * 1024
_OTHER_BODY = 80 * 1024 * 1024  # a zip function's code, base64
# The operations that issue credentials, by service: the gateway learns them from the responses.
_ISSUING = {
    "sts": {"AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "GetSessionToken", "GetFederationToken"},
    "iam": {"CreateAccessKey"},
}


class Gateway(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, api: Api, registry: RegistryProtocol, authorizer: Authorizer, issued: IssuedCredentials, region: str
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.api = api
        self.registry = registry
        self.authorizer = authorizer
        self.issued = issued
        self.region = region
        self.models = {name: ServiceModel(Loader().load_service_model(name, "service-2")) for name in _ISSUING}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log an error, unless the caller closed the connection or timed out."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Request(Exchange):
    server: Gateway

    def _answer(self) -> None:
        signed = self.headers.get("Authorization", "").startswith("AWS4-")
        if (self.path == "/v2" or self.path.startswith(("/v2/", "/v2?"))) and not signed:
            self.server.registry.answer(self)
            return
        try:
            if self.headers.get("X-Amz-Target", "").startswith(TARGET):
                body = self.server.api.answer(self.headers.items(), self.body(_ECR_BODY))
                self.answer(200, _JSON, body)
            else:
                self._forward()
        except EcrError as refusal:
            self._refuse(refusal)
        except BodyTooLarge as refusal:
            self._refuse(EcrError("RequestEntityTooLargeException", str(refusal), 413))
        except BrokenBody as broken:
            self.refuse_body(broken)
        except (HTTPException, OSError) as error:
            self._refuse(EcrError("ServerException", f"the registry does not answer: {error}", 500))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815

    def _refuse(self, refusal: EcrError) -> None:
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("application/x-www-form-urlencoded"):
            self.answer(refusal.status, _XML, refusal.xml())
        elif "smithy-protocol" in self.headers:
            self.answer(refusal.status, _CBOR, refusal.cbor())
        elif self._scopes and self._scopes[0].service in _REST_XML:
            self.answer(refusal.status, _XML, refusal.rest_xml())
        else:
            self.answer(refusal.status, [*_JSON, ("X-Amzn-ErrorType", refusal.code)], refusal.body())

    def _forward(self) -> None:
        if self.path.startswith("/_"):
            raise EcrError("UnknownOperationException", f"{self.path} is not an AWS API", 404)
        for scope in self._scopes:
            # MiniStack takes some access keys for its root's and does not check their signatures.
            self.server.issued.owner_of(scope.access_key)
            scope.refuse_another_region(self.server.region)
        body = self.body(_OTHER_BODY)
        answer = self.server.authorizer.forward(self.command, self.path, self.headers.items(), body)
        if not answer.is_denial:
            answer = self._answer_instead(body) or answer
        self._learn(body, answer)
        self.answer(answer.status, answer.headers, answer.body)

    def _answer_instead(self, body: bytes) -> UpstreamResponse | None:
        """The response for what MiniStack does not have: Inspector's coverage; other services raise an EcrError."""
        if self.path == COVERAGE:
            return UpstreamResponse(200, _JSON, self.server.api.coverage(body))
        for scope in self._scopes:
            scope.refuse_another_service()
        return None

    @property
    def _scopes(self) -> list[Scope]:
        """The scopes of the signatures in the header and in the query; one that cannot be read is empty."""
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        presigned = [f"Credential={scope}" for scope in query.get("X-Amz-Credential", [])]
        return [scope_of(place) for place in [self.headers.get("Authorization", ""), *presigned] if place]

    def _learn(self, body: bytes, answer: UpstreamResponse) -> None:
        action = urllib.parse.parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
        for service, actions in _ISSUING.items():
            if action in actions and answer.status == 200:  # noqa: PLR2004  HTTP's OK
                self.server.issued.add(_credential(self.server.models[service], action, answer))


def _credential(model: ServiceModel, action: str, answer: UpstreamResponse) -> Credential:
    response = {"body": answer.body, "headers": dict(answer.headers), "status_code": answer.status}
    parsed = create_parser("query").parse(response, model.operation_model(action).output_shape)
    issued = parsed.get("Credentials") or parsed["AccessKey"]
    return Credential(issued["AccessKeyId"], issued["SecretAccessKey"], issued.get("SessionToken"))
