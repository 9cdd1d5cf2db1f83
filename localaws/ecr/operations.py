"""The ECR operations that are answered here, and what each one is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from localaws.behaviours import Behaviours
from localaws.ecr.blobs import Blobs
from localaws.ecr.credentials import Credential, Passwords
from localaws.ecr.store import Store

if TYPE_CHECKING:
    from localaws.ecr.access import Access
    from localaws.ecr.scanning import Scans

Parameters = dict[str, Any]


@dataclass(frozen=True)
class Ecr:
    """The registry of one account in one region: all that an operation may use."""

    account: str
    region: str
    store: Store
    blobs: Blobs
    passwords: Passwords
    scans: Scans
    clock: Callable[[], datetime]
    behaviours: Callable[[], Behaviours] = Behaviours

    def arn(self, repository: str) -> str:
        """The ARN of a repository."""
        return f"arn:aws:ecr:{self.region}:{self.account}:repository/{repository}"

    def uri(self, repository: str) -> str:
        """The repository's address on AWS; pushes go to the login's `proxyEndpoint`."""
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com/{repository}"


@dataclass(frozen=True)
class Call:
    """One authorised call of an operation.

    Attributes:
        host: the `host:port` under which the caller reached us.
        access: the check of access.
    """

    ecr: Ecr
    parameters: Parameters
    credential: Credential
    host: str
    access: Access


Operation = Callable[[Call], Parameters]
OPERATIONS: dict[str, Operation] = {}


def operation(name: str) -> Callable[[Operation], Operation]:
    """Enter a function on the list of checks under the operation's name in the ECR API."""

    def enter(function: Operation) -> Operation:
        OPERATIONS[name] = function
        return function

    return enter
