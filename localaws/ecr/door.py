"""The one door: ECR's two protocols are answered here, every other AWS call is passed on to MiniStack."""

from __future__ import annotations

import sys
import urllib.parse
from http.client import HTTPException
from http.server import ThreadingHTTPServer
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser

from localaws.ecr.access import TARGET, Access, Answer
from localaws.ecr.api import Api, access_key
from localaws.ecr.coverage import PATH as COVERAGE
from localaws.ecr.credentials import Credential, Issued
from localaws.ecr.errors import EcrError
from localaws.ecr.exchange import BodyTooLarge, BrokenBody, Exchange
from localaws.ecr.v2 import RegistryProtocol

_JSON = [("Content-Type", "application/x-amz-json-1.1")]
_XML = [("Content-Type", "text/xml")]
_ECR_BODY = 8 * 1024 * 1024
_OTHER_BODY = 80 * 1024 * 1024  # a zip function's code, base64
# Whatever hands out credentials, by service: their answers teach the door who is who.
_ISSUING = {
    "sts": {"AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "GetSessionToken", "GetFederationToken"},
    "iam": {"CreateAccessKey"},
}


class Door(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, api: Api, registry: RegistryProtocol, access: Access, issued: Issued) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.api = api
        self.registry = registry
        self.access = access
        self.issued = issued
        self.models = {name: ServiceModel(Loader().load_service_model(name, "service-2")) for name in _ISSUING}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that goes away is its own affair; anything else is a fault and goes to the log."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Request(Exchange):
    server: Door

    def _answer(self) -> None:
        self.body_read = False
        signed = self.headers.get("Authorization", "").startswith("AWS4-")
        if self.path.startswith("/v2") and not signed:
            self.server.registry.answer(self)
            return
        try:
            if self.headers.get("X-Amz-Target", "").startswith(TARGET):
                body = self.server.api.answer(self.headers.items(), self.body(_ECR_BODY))
                self.answer(200, _JSON, body)
            else:
                self._pass_on()
        except EcrError as refusal:
            self._refuse(refusal)
        except BodyTooLarge as refusal:
            self._refuse(EcrError("RequestEntityTooLargeException", str(refusal), 413))
        except BrokenBody:
            self.close_connection = True
        except (HTTPException, OSError) as silence:
            self._refuse(EcrError("ServerException", f"the registry behind does not answer: {silence}", 500))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815

    def _refuse(self, refusal: EcrError) -> None:
        if self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            self.answer(refusal.status, _XML, refusal.xml())
        else:
            self.answer(refusal.status, [*_JSON, ("X-Amzn-ErrorType", refusal.code)], refusal.body())

    def _pass_on(self) -> None:
        if self.path.startswith("/_"):
            raise EcrError("UnknownOperationException", f"{self.path} is not an AWS API", 404)
        self._refuse_unchecked_root()
        body = self.body(_OTHER_BODY)
        answer = self.server.access.forward(self.command, self.path, self.headers.items(), body)
        if self.path == COVERAGE and answer.status != 403:  # noqa: PLR2004  HTTP's "forbidden"
            answer = Answer(200, _JSON, self.server.api.coverage(body))
        self._learn(body, answer)
        self.answer(answer.status, answer.headers, answer.body)

    def _refuse_unchecked_root(self) -> None:
        # MiniStack takes some access keys for the account's root and does not check their signatures.
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        scopes = [f"Credential={scope}" for scope in query.get("X-Amz-Credential", [])]
        for place in [self.headers.get("Authorization", ""), *scopes]:
            if place:
                self.server.issued.owner_of(access_key(place))

    def _learn(self, body: bytes, answer: Answer) -> None:
        action = urllib.parse.parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
        for service, actions in _ISSUING.items():
            if action in actions and answer.status == 200:  # noqa: PLR2004  HTTP's OK
                self.server.issued.add(_credential(self.server.models[service], action, answer))


def _credential(model: ServiceModel, action: str, answer: Answer) -> Credential:
    response = {"body": answer.body, "headers": dict(answer.headers), "status_code": answer.status}
    parsed = create_parser("query").parse(response, model.operation_model(action).output_shape)
    issued = parsed.get("Credentials") or parsed["AccessKey"]
    return Credential(issued["AccessKeyId"], issued["SecretAccessKey"], issued.get("SessionToken"))
