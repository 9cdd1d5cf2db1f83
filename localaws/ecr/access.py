"""The check of access: MiniStack checks who signed a call and whether IAM and repository policies allow it.

It is asked in two ways. A control call is forwarded unchanged, `Host` included, so that its signature is
checked as it was made. Where MiniStack cannot see the resource in the call (it knows `repositoryName` only), and
for the registry protocol, whose requests carry no signature, a question is asked in the principal's own name: a
call of that action on that repository, signed with its credential. A question changes nothing that matters:
MiniStack's own repositories only mirror names and policies, and no image is ever read from there.
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
# MiniStack's errors from before an operation is dispatched: the caller is not who it says.
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
class Answer:
    """An HTTP answer, whole."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def is_denial(self) -> bool:
        """Whether the check knows the caller not, or allows it not; in any protocol, so its word is looked for."""
        return self.status == _FORBIDDEN or any(code.encode() in self.body for code in _NOT_AUTHENTICATED)

    def error(self) -> tuple[str, str]:
        """The error's code and message in the JSON protocol; two empty strings when there is none."""
        try:
            data = json.loads(self.body or b"{}")
        except ValueError:
            return "", ""
        code = str(data.get("__type") or data.get("code") or "").rpartition("#")[2]
        return code, str(data.get("message") or data.get("Message") or "")


class Access:
    """Asks MiniStack."""

    def __init__(self, endpoint: str, region: str, account: str) -> None:
        self._host = endpoint.removeprefix("http://")
        self._region = region
        # MiniStack takes an account's number for the access key of its root, which never ends.
        self._root = Credential(account, "local")

    def forward(self, method: str, path: str, headers: Headers, body: bytes) -> Answer:
        """Pass a request on unchanged."""
        connection = http.client.HTTPConnection(self._host, timeout=_TIMEOUT)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                if name.lower() not in ("connection", "transfer-encoding", "content-length", "expect"):
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        except (OSError, http.client.HTTPException) as silence:
            raise EcrError("ServerException", f"the check of access does not answer: {silence}", 503) from silence
        finally:
            connection.close()

    def denial(self, headers: Headers, body: bytes) -> str | None:
        """Why the check refuses this control call, which it receives as it was signed; None when it allows it.

        Raises:
            EcrError: the signature or the access key is wrong, or the check failed.
        """
        answer = self.forward("POST", "/", headers, body)
        return None if self._allowed(answer) else answer.error()[1]

    def require(self, credential: Credential, action: str, repository: str) -> None:
        """Let the principal pass that may do this to the repository (`*`: to all of them).

        Raises:
            EcrError: AccessDeniedException with IAM's own sentence, or an expired credential.
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
            raise EcrError("ServerException", f"the check of access failed: {answer.status}", 500)
        # Names are unique in an account whatever the path, so the whole ARN is compared.
        return answer.status == 200 and f"<Arn>{arn}</Arn>".encode() in answer.body  # noqa: PLR2004  HTTP's OK

    def mirror(self, repository: str, policy: str | None, *, exists: bool) -> None:
        """Let the check know the same repository and policy as this registry does."""
        name = {"repositoryName": repository}
        if not exists:
            self._settle("DeleteRepository", {**name, "force": True}, "RepositoryNotFoundException")
            return
        self._settle("CreateRepository", name, "RepositoryAlreadyExistsException")
        if policy is None:
            self._settle("DeleteRepositoryPolicy", name, "RepositoryPolicyNotFoundException")
        else:
            self._settle("SetRepositoryPolicy", {**name, "policyText": policy})

    def _settle(self, action: str, parameters: dict[str, Any], already: str = "") -> None:
        answer = self._call(self._root, action, parameters)
        code, message = answer.error()
        if answer.status != 200 and code != already:  # noqa: PLR2004  HTTP's OK
            raise EcrError("ServerException", f"{action} for the check of access failed: {code} {message}", 500)

    def _allowed(self, answer: Answer) -> bool:
        code, message = answer.error()
        if answer.status >= _SERVER_ERROR:
            raise EcrError("ServerException", f"the check of access failed: {answer.status} {code} {message}", 500)
        if code in _NOT_AUTHENTICATED:
            raise EcrError(code, message, answer.status)
        return not (answer.status == _FORBIDDEN or code == _DENIED)

    def _call(self, credential: Credential, action: str, parameters: dict[str, Any]) -> Answer:
        headers = {"Content-Type": _JSON, "X-Amz-Target": TARGET + action}
        return self._sign(credential, "ecr", headers, json.dumps(parameters).encode())

    def _sign(self, credential: Credential, service: str, headers: dict[str, str], body: bytes) -> Answer:
        sent = {**headers, "Host": self._host}
        request = AWSRequest(method="POST", url=f"http://{self._host}/", data=body, headers=sent)
        signer = SigV4Auth(
            Credentials(credential.access_key, credential.secret_key, credential.token), service, self._region
        )
        signer.add_auth(request)
        return self.forward("POST", "/", list(request.headers.items()), body)
