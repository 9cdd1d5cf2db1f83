"""Signing without a key of one's own, by sigstore's client: Fulcio's certificate for an OIDC identity, Rekor's entry.

What is signed is a sigstore bundle as the client makes it. Fulcio, Rekor and the roots of trust are those of sigstore's
public instance, by its TUF repository, or those that a trust configuration names (`ClientTrustConfig`, in JSON).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import requests
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import ExtensionNotFound
from sigstore import dsse
from sigstore._internal.fulcio.client import ExpiredCertificate, FulcioClientError
from sigstore._internal.rekor import RekorClientError
from sigstore.errors import Error
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.oidc import ExpiredIdentity, IdentityError, IdentityToken, detect_credential
from sigstore.sign import Signer, SigningContext
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

from gate.errors import GateError, WrongUse

TOKEN = "RELEASE_GATE_IDENTITY_TOKEN"  # noqa: S105 - the name of a variable
_NO_IDENTITY = (
    "in GitHub Actions give the job the permission id-token: write; elsewhere put a token for the audience sigstore "
    f"into {TOKEN}, or sign with a key (--sign key.pem, --sign awskms:ARN)"
)

_REFUSED = (Error, FulcioClientError, ExpiredCertificate, RekorClientError, ExpiredIdentity, OSError,
            requests.RequestException)  # fmt: skip
# What reading a hostile bundle raises: sigstore's errors, and those of the readers below it.
_DAMAGE = (Error, InvalidSignature, UnsupportedAlgorithm, ExtensionNotFound, ValueError, LookupError, TypeError,
           AttributeError)  # fmt: skip


class Keyless:
    """Signs as the OIDC identity that the surroundings give; each statement is entered in the transparency log.

    Args:
        trust: a file with sigstore's trust configuration; None: the public instance.

    Raises:
        WrongUse: there is no identity, or the trust configuration cannot be read.
    """

    def __init__(self, trust: Path | None = None) -> None:
        self._trust = trust
        token = _identity()  # refused now rather than at the end of a long run
        self.name = f"the certificate of {token.identity} ({token.issuer})"
        if trust:
            _trusted(trust)

    def sign(self, statement: bytes) -> bytes:
        """The statement in a sigstore bundle.

        Raises:
            GateError: Fulcio or Rekor does not answer, or refuses.
        """
        try:
            signed: str = self._signer.sign_dsse(dsse.Statement(statement)).to_json()
            return signed.encode()
        except _REFUSED as error:
            raise GateError(
                f"sigstore did not sign: {type(error).__name__}: {error}",
                where="Fulcio and Rekor, as the trust configuration names them",
                remedy="see https://status.sigstore.dev; then sign again: --promote TAG repeats nothing but the checks",
            ) from error

    @cached_property
    def _signer(self) -> Signer:
        """One certificate for all statements of a run; it is asked for at the end, for it lasts ten minutes."""
        return Signer(_identity(), SigningContext.from_trust_config(_trusted(self._trust)))


@dataclass(frozen=True)
class CertificateIdentity:
    """Whose signature counts: a certificate's identity and the OIDC issuer that vouched for it.

    Attributes:
        trust: a file with sigstore's trust configuration; None: the public instance, which is asked over the network.
    """

    identity: str
    issuer: str
    trust: Path | None = None

    def __str__(self) -> str:
        return f"{self.identity} ({self.issuer})"

    def ready(self) -> CertificateIdentity:
        """This identity, once the roots of trust are there: what nobody can check is not "signed by another".

        Raises:
            WrongUse: they cannot be had.
        """
        _ = self._verifier
        return self

    def signed(self, bundle: bytes, payload: bytes) -> bool:
        """Whether a certificate of this identity signed this very payload of the bundle, and the log has it."""
        try:
            _, signed = self._verifier.verify_dsse(Bundle.from_json(bundle), self._policy)
        except _DAMAGE:
            return False
        # Two readers of one JSON text may disagree about it.
        return bool(signed == payload)

    def named(self, bundle: bytes) -> bool:
        """Whether the bundle's certificate says that it is of this identity."""
        try:
            self._policy.verify(Bundle.from_json(bundle).signing_certificate)
        except _DAMAGE:
            return False
        return True

    @cached_property
    def _policy(self) -> Any:
        return Identity(identity=self.identity, issuer=self.issuer)

    @cached_property
    def _verifier(self) -> Any:
        return Verifier(trusted_root=_trusted(self.trust).trusted_root)


def _identity() -> IdentityToken:
    try:
        token = os.environ.get(TOKEN) or detect_credential()
        if token:
            return IdentityToken(token)
    except (IdentityError, requests.RequestException) as error:
        raise WrongUse(
            f"the OIDC identity cannot be used: {error}", where="--sign oidc", remedy=_NO_IDENTITY
        ) from error
    raise WrongUse("there is no OIDC identity to sign as", where="--sign oidc", remedy=_NO_IDENTITY)


def _trusted(file: Path | None) -> ClientTrustConfig:
    try:
        found = ClientTrustConfig.from_json(file.read_text("utf-8")) if file else ClientTrustConfig.production()
        _ = found.trusted_root, found.signing_config  # reading them checks them
    except (*_REFUSED, *_DAMAGE) as error:
        raise WrongUse(
            f"sigstore's roots of trust cannot be had: {type(error).__name__}: {error}",
            where=str(file or "sigstore's TUF repository"),
            remedy="check the network, or give a trust configuration (--trust-config FILE)",
        ) from error
    return found
