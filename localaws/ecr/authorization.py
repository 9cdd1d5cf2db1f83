"""The authorization check: MiniStack checks who signed a call and whether IAM and repository policies allow it.

It is asked in two ways. A control call is forwarded unchanged, `Host` included, so that its signature can be verified.
Where MiniStack does not see the resource in the call (it reads `repositoryName` only), and for the registry protocol,
whose requests have no signature, a call of the same action on that repository is signed with the principal's credential
and sent. What that call changes in MiniStack has no effect: its repositories only mirror names and policies, and no
image is read from there.
"""

from __future__ import annotations

import http.client
import json
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from localaws.ecr.credentials import Credential
from localaws.ecr.errors import EcrError

TARGET = "AmazonEC2ContainerRegistry_V20150921."
_JSON = "application/x-amz-json-1.1"
_FORM = "application/x-www-form-urlencoded"
Headers = Iterable[tuple[str, str]]
_TIMEOUT = 30.0
_SERVER_ERROR = 500
_FORBIDDEN = 403
_DENIED = "AccessDeniedException"
# MiniStack's errors from before it dispatches an operation: the caller is not authenticated.
_NOT_AUTHENTICATED = frozenset(
    {
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
        "UnsupportedSignature",
    }
)


@dataclass(frozen=True)
class UpstreamResponse:
    """An HTTP response of MiniStack."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def is_denial(self) -> bool:
        """Whether the caller is not authenticated or not allowed; the code is looked for in any protocol's body."""
        return self.status == _FORBIDDEN or any(code.encode() in self.body for code in _NOT_AUTHENTICATED)

    def error(self) -> tuple[str, str]:
        """The error's code and message in the JSON protocol; two empty strings for none."""
        try:
            data = json.loads(self.body or b"{}")
        except ValueError:
            return "", ""
        code = str(data.get("__type") or data.get("code") or "").rpartition("#")[2]
        return code, str(data.get("message") or data.get("Message") or "")


class Authorizer:
    """Asks MiniStack whether a call is allowed."""

    def __init__(self, endpoint: str, region: str, account: str) -> None:
        self._host = endpoint.removeprefix("http://")
        self._region = region
        # MiniStack takes the account's number as the access key of its root, which does not expire.
        self._root = Credential(account, "local")

    def forward(self, method: str, path: str, headers: Headers, body: bytes) -> UpstreamResponse:
        """Send a request on unchanged."""
        connection = http.client.HTTPConnection(self._host, timeout=_TIMEOUT)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                if name.lower() not in ("connection", "transfer-encoding", "content-length", "expect"):
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return UpstreamResponse(response.status, response.getheaders(), response.read())
        except (OSError, http.client.HTTPException) as error:
            raise EcrError("ServerException", f"the authorization check does not answer: {error}", 503) from error
        finally:
            connection.close()

    def denial(self, headers: Headers, body: bytes) -> str | None:
        """Why the check refuses this control call, which it receives as it was signed; None if it is allowed.

        Raises:
            EcrError: the signature or the access key is wrong, or the check failed.
        """
        answer = self.forward("POST", "/", headers, body)
        return None if self._allowed(answer) else answer.error()[1]

    def require(self, credential: Credential, action: str, repository: str) -> None:
        """Refuse a principal that may not do this to the repository (`*`: to all of them).

        Raises:
            EcrError: AccessDeniedException with IAM's own message, or an expired credential.
        """
        answer = self._call(credential, action, {"repositoryName": repository})
        if not self._allowed(answer):
            raise EcrError(_DENIED, answer.error()[1])

    def has_principal(self, arn: str) -> bool:
        """Whether the account has the role or user with this ARN.

        Raises:
            EcrError: the check failed.
        """
        kind, _, path = arn.rpartition(":")[2].partition("/")
        name = path.rpartition("/")[2]
        action, parameter = {"role": ("GetRole", "RoleName"), "user": ("GetUser", "UserName")}[kind]
        body = urllib.parse.urlencode({"Action": action, "Version": "2010-05-08", parameter: name}).encode()
        answer = self._sign(self._root, "iam", {"Content-Type": _FORM}, body)
        if answer.status >= _SERVER_ERROR:
            raise EcrError("ServerException", f"the authorization check failed: {answer.status}", 500)
        # Names are unique in an account whatever their path, so the whole ARN is compared.
        return answer.status == 200 and f"<Arn>{arn}</Arn>".encode() in answer.body  # noqa: PLR2004  HTTP's OK

    def mirror(self, repository: str, policy: str | None, *, exists: bool) -> None:
        """Give MiniStack the same repository and policy as this registry has."""
        name = {"repositoryName": repository}
        if not exists:
            self._ensure("DeleteRepository", {**name, "force": True}, "RepositoryNotFoundException")
            return
        self._ensure("CreateRepository", name, "RepositoryAlreadyExistsException")
        if policy is None:
            self._ensure("DeleteRepositoryPolicy", name, "RepositoryPolicyNotFoundException")
        else:
            self._ensure("SetRepositoryPolicy", {**name, "policyText": policy})

    def _ensure(self, action: str, parameters: dict[str, Any], already: str = "") -> None:
        answer = self._call(self._root, action, parameters)
        code, message = answer.error()
        if answer.status != 200 and code != already:  # noqa: PLR2004  HTTP's OK
            raise EcrError("ServerException", f"{action} for the authorization check failed: {code} {message}", 500)

    def _allowed(self, answer: UpstreamResponse) -> bool:
        code, message = answer.error()
        if answer.status >= _SERVER_ERROR:
            raise EcrError("ServerException", f"the authorization check failed: {answer.status} {code} {message}", 500)
        if code in _NOT_AUTHENTICATED:
            raise EcrError(code, message, answer.status)
        return not (answer.status == _FORBIDDEN or code == _DENIED)

    def _call(self, credential: Credential, action: str, parameters: dict[str, Any]) -> UpstreamResponse:
        headers = {"Content-Type": _JSON, "X-Amz-Target": TARGET + action}
        return self._sign(credential, "ecr", headers, json.dumps(parameters).encode())

    def _sign(self, credential: Credential, service: str, headers: dict[str, str], body: bytes) -> UpstreamResponse:
        sent = {**headers, "Host": self._host}
        request = AWSRequest(method="POST", url=f"http://{self._host}/", data=body, headers=sent)
        signer = SigV4Auth(
            Credentials(credential.access_key, credential.secret_key, credential.token), service, self._region
        )
        signer.add_auth(request)
        return self.forward("POST", "/", list(request.headers.items()), body)
