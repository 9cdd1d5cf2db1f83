"""The credentials that were issued here, and the registry passwords bound to them.

Callers reach STS and IAM through the same gateway as ECR, so the gateway sees each credential when it is issued, and
can sign calls to the authorization check with it. They are kept in memory only.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from localaws.ecr.errors import EcrError, RegistryError

PASSWORD_LIFE = timedelta(hours=12)
USER = "AWS"


@dataclass(frozen=True)
class Credential:
    """An access key with what is needed to sign as its principal."""

    access_key: str
    secret_key: str
    token: str | None = None


@dataclass(frozen=True)
class _Password:
    credential: Credential
    expires: datetime


class IssuedCredentials:
    """The credentials that STS and IAM have issued since the start."""

    def __init__(self, credentials: tuple[Credential, ...] = ()) -> None:
        self._by_key = {credential.access_key: credential for credential in credentials}

    def add(self, credential: Credential) -> None:
        """Add a credential that has just been issued."""
        self._by_key[credential.access_key] = credential

    def owner_of(self, access_key: str) -> Credential:
        """The credential of an access key.

        Raises:
            EcrError: UnrecognizedClientException: it was not issued here.
        """
        credential = self._by_key.get(access_key)
        if credential is None:
            raise EcrError(
                "UnrecognizedClientException",
                f"The security token included in the request is invalid: {access_key or 'an empty access key'} was not "
                "issued by this local target since it started. Take the credentials it printed, or assume a role "
                "through it.",
            )
        return credential


class RegistryPasswords:
    """Registry passwords: random, valid for twelve hours, each bound to the principal that asked for it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._issued: dict[str, _Password] = {}

    def issue(self, credential: Credential) -> tuple[str, datetime]:
        """A new password for this principal, and when it expires."""
        password, expires = secrets.token_urlsafe(48), self._clock() + PASSWORD_LIFE
        with self._lock:
            self._issued[password] = _Password(credential, expires)
        return password, expires

    def owner_of(self, user: str, password: str) -> Credential:
        """The principal that a password is bound to.

        Raises:
            RegistryError: UNAUTHORIZED for an unknown password, DENIED for one that has expired.
        """
        with self._lock:
            found = self._issued.get(password)
        if user != USER or found is None:
            raise RegistryError("UNAUTHORIZED", "authentication required: the user or password is wrong", 401)
        if self._clock() >= found.expires:
            raise RegistryError("DENIED", "Your authorization token has expired. Reauthenticate and try again.", 403)
        return found.credential
