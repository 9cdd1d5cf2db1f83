"""Signing without a key of one's own, by sigstore's client: Fulcio's certificate for an OIDC identity, Rekor's entry.

What is signed is a sigstore bundle as the client makes it. Fulcio, Rekor and the roots of trust are those of sigstore's
public instance, by its TUF repository, or those that a trust configuration names (`ClientTrustConfig`, in JSON).
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from gate.errors import GateError, WrongUse

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig
    from sigstore.oidc import IdentityToken
    from sigstore.sign import Signer

OIDC, TOKEN = "oidc", "RELEASE_GATE_IDENTITY_TOKEN"
_NO_IDENTITY = (
    "in GitHub Actions give the job the permission id-token: write; elsewhere put a token for the audience sigstore "
    f"into {TOKEN}, or sign with a key (--sign key.pem, --sign awskms:ARN)"
)


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
        from sigstore import dsse

        try:
            signed: str = self._signer.sign_dsse(dsse.Statement(statement)).to_json()
            return signed.encode()
        except _sigstore_errors() as error:
            raise GateError(
                f"sigstore did not sign: {type(error).__name__}: {error}",
                where="Fulcio and Rekor, as the trust configuration names them",
                remedy="see https://status.sigstore.dev; then sign again: --promote TAG repeats nothing but the checks",
            ) from error

    @cached_property
    def _signer(self) -> Signer:
        """One certificate for all statements of a run; it is asked for at the end, for it lasts ten minutes."""
        from sigstore.sign import Signer, SigningContext

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
        from sigstore.models import Bundle

        try:
            _, signed = self._verifier.verify_dsse(Bundle.from_json(bundle), self._policy)
        except _damage():
            return False
        # Two readers of one JSON text may disagree about it.
        return bool(signed == payload)

    def named(self, bundle: bytes) -> bool:
        """Whether the bundle's certificate says that it is of this identity."""
        from sigstore.models import Bundle

        try:
            self._policy.verify(Bundle.from_json(bundle).signing_certificate)
        except _damage():
            return False
        return True

    @cached_property
    def _policy(self) -> Any:
        from sigstore.verify.policy import Identity as Policy

        return Policy(identity=self.identity, issuer=self.issuer)

    @cached_property
    def _verifier(self) -> Any:
        from sigstore.verify import Verifier

        return Verifier(trusted_root=_trusted(self.trust).trusted_root)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say whose certificate is believed."""
    parser.add_argument("--certificate-identity", metavar="ID", help="or the identity in the certificate that signed")
    parser.add_argument("--certificate-oidc-issuer", metavar="URL", help="with it: who vouched for the identity")
    parser.add_argument("--trust-config", type=Path, metavar="FILE", help="with it: sigstore's trust configuration "
                        "(default: the public instance, by its TUF repository)")  # fmt: skip


def believed(options: argparse.Namespace) -> Path | CertificateIdentity | None:
    """The public key's file, or the identity, that the options name.

    Raises:
        WrongUse: both, or half of an identity; or the trust configuration cannot be had.
    """
    half = (options.certificate_identity, options.certificate_oidc_issuer)
    if any(half) and (not all(half) or options.key):
        raise WrongUse("give --key, or --certificate-identity together with --certificate-oidc-issuer")
    if not any(half):
        key: Path | None = options.key
        return key
    return CertificateIdentity(*half, options.trust_config).ready()


def _identity() -> IdentityToken:
    from sigstore.oidc import IdentityError, IdentityToken, detect_credential

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
    from sigstore.models import ClientTrustConfig

    try:
        found = ClientTrustConfig.from_json(file.read_text("utf-8")) if file else ClientTrustConfig.production()
        _ = found.trusted_root, found.signing_config  # reading them checks them
    except (*_sigstore_errors(), *_damage()) as error:
        raise WrongUse(
            f"sigstore's roots of trust cannot be had: {type(error).__name__}: {error}",
            where=str(file or "sigstore's TUF repository"),
            remedy="check the network, or give a trust configuration (--trust-config FILE)",
        ) from error
    return found


def _sigstore_errors() -> tuple[type[Exception], ...]:
    from sigstore._internal.fulcio.client import ExpiredCertificate, FulcioClientError
    from sigstore._internal.rekor import RekorClientError
    from sigstore.errors import Error
    from sigstore.oidc import ExpiredIdentity

    return (Error, FulcioClientError, ExpiredCertificate, RekorClientError, ExpiredIdentity, OSError,
            requests.RequestException)  # fmt: skip


def _damage() -> tuple[type[Exception], ...]:
    """What reading a hostile bundle raises: sigstore's errors, and those of the readers below it."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.x509 import ExtensionNotFound
    from sigstore.errors import Error

    return (Error, InvalidSignature, UnsupportedAlgorithm, ExtensionNotFound, ValueError, LookupError, TypeError,
            AttributeError)  # fmt: skip
