"""The ECR operations that are answered here, what each one is given, and the pages of their answers."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from localaws.behaviours import Behaviours
from localaws.ecr.blobs import Blobs
from localaws.ecr.credentials import Credential, RegistryPasswords
from localaws.ecr.errors import invalid
from localaws.ecr.state import RepositoryState
from localaws.ecr.store import Store

if TYPE_CHECKING:
    from localaws.ecr.authorization import Authorizer
    from localaws.ecr.scanning import Scans

Parameters = dict[str, Any]


@dataclass(frozen=True)
class Ecr:
    """The registry of one account in one region: all that an operation may use."""

    account: str
    region: str
    store: Store
    blobs: Blobs
    passwords: RegistryPasswords
    scans: Scans
    clock: Callable[[], datetime]
    behaviours: Callable[[], Behaviours] = Behaviours

    def arn(self, repository: str) -> str:
        """The ARN of a repository."""
        return f"arn:aws:ecr:{self.region}:{self.account}:repository/{repository}"

    def identity(self, repository: str) -> Parameters:
        """The two fields with which most answers about a repository begin."""
        return {"registryId": self.account, "repositoryName": repository}


@dataclass(frozen=True)
class ApiCall:
    """One authorised call of an operation.

    Attributes:
        host: the `host:port` under which the caller reached us.
        authorizer: the authorization check.
    """

    ecr: Ecr
    parameters: Parameters
    credential: Credential
    host: str
    authorizer: Authorizer

    @contextmanager
    def reading(self) -> Iterator[RepositoryState]:
        """The repository that the call names, for reading.

        Raises:
            EcrError: RepositoryNotFoundException.
        """
        with self.ecr.store.reading_repository(*self.named) as repository:
            yield repository

    @contextmanager
    def changing(self) -> Iterator[RepositoryState]:
        """The repository that the call names, for a change (see `Store.changing`).

        Raises:
            EcrError: RepositoryNotFoundException.
        """
        with self.ecr.store.changing_repository(*self.named) as repository:
            yield repository

    @property
    def identity(self) -> Parameters:
        """The registry and the repository that the call names."""
        return self.ecr.identity(self.parameters["repositoryName"])

    @property
    def named(self) -> tuple[str, str | None]:
        """The repository's name and the registry's id, where one is given, as `Store.find` takes them."""
        return self.parameters["repositoryName"], self.parameters.get("registryId")


Operation = Callable[[ApiCall], Parameters]
OPERATIONS: dict[str, Operation] = {}


def operation(name: str) -> Callable[[Operation], Operation]:
    """Register a function under the operation's name in the ECR API."""

    def enter(function: Operation) -> Operation:
        OPERATIONS[name] = function
        return function

    return enter


def page(
    entries: list[Any], parameters: Parameters, *, default: int = 100, most: int = 1000
) -> tuple[list[Any], Parameters]:
    """One page of the entries, and `nextToken` as long as there are more.

    Raises:
        EcrError: InvalidParameterException for a size outside 1 to `most`, or a token that was not issued here.
    """
    size = parameters.get("maxResults", default)
    if not 1 <= size <= most:
        raise invalid(f"Invalid parameter at 'maxResults': {size} is not between 1 and {most}")
    try:
        start = int(base64.b64decode(parameters.get("nextToken") or "MA==", validate=True))
    except ValueError:
        raise invalid(
            "Invalid parameter at 'nextToken' failed to satisfy constraint: 'the token is not one of ours'"
        ) from None
    end = start + size
    rest = {"nextToken": base64.b64encode(str(end).encode()).decode()} if end < len(entries) else {}
    return entries[start:end], rest
