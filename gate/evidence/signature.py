"""Signing a statement and checking its signature: a DSSE envelope, by securesystemslib, alone or in a sigstore bundle.

The bundle is the form in which cosign stores attestations in a registry. Specifications: sigstore protobuf-specs,
"sigstore_bundle.proto", version 0.3; DSSE 1.0. A bundle that was signed with a key names it by a hint; it holds no
certificate and no entry of a transparency log.
"""

from __future__ import annotations

import argparse
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error as SigningError
from securesystemslib.signer import AWSSigner, CryptoSigner, Signer, SSlibKey  # type: ignore[attr-defined]

from gate.check import ACCEPTED, CheckResult, check, reject
from gate.errors import EvidenceDamaged, GateError, WrongUse
from gate.evidence.reading import RUN_AGAIN
from gate.evidence.store import ENVELOPE, STATEMENT

if TYPE_CHECKING:
    # sigstore takes a second to import: only where somebody signs by identity, or believes one.
    from gate.evidence.keyless import CertificateIdentity, Keyless

# The media type that the in-toto attestation framework gives a Statement in an envelope.
PAYLOAD_TYPE = "application/vnd.in-toto+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
# How far the clock of the machine that signed may be ahead of this one's.
SKEW = timedelta(minutes=5)
_AFTER = "do not rely on this statement: " + RUN_AGAIN
OIDC, KMS, PASSPHRASE = "oidc", "awskms:", "RELEASE_GATE_KEY_PASSPHRASE"
Key: TypeAlias = "Signer | Keyless"
Whose: TypeAlias = "SSlibKey | CertificateIdentity"
_SIGNS = "an Ed25519 or ECDSA (P-256, P-384, P-521) key"


def signer(key: str | Path, trust: Path | None = None) -> Key:
    """What signs: the key in a PEM file, a key in AWS KMS ("awskms:" and its ARN, ID or alias), or an OIDC identity.

    The passphrase of an encrypted PEM file is taken from the environment and kept in memory only. A KMS key is asked
    for its public part here (kms:GetPublicKey), and signs with kms:Sign.

    Raises:
        WrongUse: it cannot be read or used, or is of another kind.
    """
    name = str(key)
    if name == OIDC:
        from gate.evidence.keyless import Keyless

        return Keyless(trust)
    try:
        if name.startswith(KMS):
            arn = name.removeprefix(KMS)
            return AWSSigner(arn, AWSSigner.import_(arn)[1])
        return _in_file(Path(name))
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm, SigningError, ClientError, BotoCoreError) as error:
        raise WrongUse(
            f"the evidence cannot be signed with this key: {error}",
            where=name,
            remedy=f"name {_SIGNS} in PEM: openssl genpkey -algorithm ed25519 -out key.pem (the passphrase of an "
            f"encrypted one in {PASSPHRASE}); or {KMS}ARN of a key that signs by ECC_NIST_P256 or RSA",
        ) from error


def _in_file(path: Path) -> Signer:
    passphrase = os.environ.get(PASSPHRASE, "")
    content = path.read_bytes()
    # cryptography refuses a passphrase for a key that has none.
    locked = b"ENCRYPTED" in content
    key = load_pem_private_key(content, password=passphrase.encode() or None if locked else None)
    if not isinstance(key, Ed25519PrivateKey | EllipticCurvePrivateKey):
        raise ValueError(f"it is not {_SIGNS}")
    return CryptoSigner(key)


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
    from gate.evidence.keyless import CertificateIdentity

    return CertificateIdentity(*half, options.trust_config).ready()


def public_key(path: Path) -> SSlibKey:
    """The public key in a PEM file.

    Raises:
        WrongUse: it cannot be read, or is of another kind.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
        if not isinstance(key, Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey):
            raise ValueError(f"it is not {_SIGNS} or an RSA key")
        return SSlibKey.from_crypto(key)
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise WrongUse(
            f"no signature can be checked with this key: {error}",
            where=str(path),
            remedy="name the public key in PEM: openssl pkey -in key.pem -pubout -out pub.pem",
        ) from error


def name_of(key: Key) -> str:
    """Whose signature it makes, for a sentence."""
    return f"the key {key.public_key.keyid}" if isinstance(key, Signer) else key.name


def sign(payload: bytes, key: Key) -> bytes:
    """The payload in a signed envelope, as JSON; what an identity signs is a sigstore bundle around it.

    Raises:
        GateError: the key's owner does not answer, or refuses.
    """
    if not isinstance(key, Signer):
        return key.sign(payload)
    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    try:
        envelope.sign(key)
    except (SigningError, ClientError, BotoCoreError) as error:
        raise GateError(f"{name_of(key)} did not sign: {type(error).__name__}: {error}", where="--sign") from error
    return (json.dumps(envelope.to_dict(), indent=2) + "\n").encode()


def bundled(envelope: bytes) -> bytes:
    """The sigstore bundle around what `sign` made: a DSSE envelope, or a bundle by an identity already."""
    found = json.loads(envelope)
    if found.get("mediaType") == BUNDLE:
        return envelope
    (signature,) = found["signatures"]
    material = {"publicKey": {"hint": signature["keyid"]}, "tlogEntries": []}
    return json.dumps({"mediaType": BUNDLE, "verificationMaterial": material, "dsseEnvelope": found}).encode()


def opened(raw: bytes, media_type: str = "") -> Any:
    """The envelope in a file, or in a sigstore bundle (securesystemslib's `Envelope`).

    Raises:
        EvidenceDamaged: it is not a DSSE envelope around an in-toto Statement, or nobody signed it, or it is not of the
            media type that is asked for.
    """
    try:
        found = json.loads(raw)
        if media_type and found["mediaType"] != media_type:
            raise ValueError(f"its media type is {found['mediaType']!r}")
        inner = found.get("dsseEnvelope", found)
        # DSSE leaves the key's id to the signer, and sigstore's client gives none: the certificate says who signed.
        envelope = Envelope.from_dict({**inner, "signatures": [{"keyid": "", **each} for each in inner["signatures"]]})
        if envelope.payload_type != PAYLOAD_TYPE:
            raise ValueError(f"its payload is {envelope.payload_type!r}, not {PAYLOAD_TYPE!r}")
        if not envelope.signatures:
            raise ValueError("it holds no signature")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, SigningError) as error:
        raise EvidenceDamaged(f"the signed envelope cannot be read: {type(error).__name__}: {error}") from error
    return envelope


def signed_by(raw: bytes, whose: Whose) -> bool:
    """Whether this key, or a certificate of this identity, signed what the envelope or bundle holds.

    Raises:
        EvidenceDamaged: it is neither.
    """
    envelope = opened(raw)
    if not isinstance(whose, SSlibKey):
        return whose.signed(raw, envelope.payload)
    try:
        envelope.verify([whose], threshold=1)
    except SigningError:
        return False
    return True


def names(raw: bytes, whose: Whose) -> bool:
    """Whether the envelope or bundle says that it is of this key or identity."""
    return whose.keyid in opened(raw).signatures if isinstance(whose, SSlibKey) else whose.named(raw)


def described(whose: Whose) -> str:
    """A key or an identity, for a sentence."""
    return f"key {whose.keyid}" if isinstance(whose, SSlibKey) else f"identity {whose}"


@check(8, known_bad=lambda: (b'{"payload": "", "payloadType": "", "signatures": []}', b"{}", None))
def signed(envelope: bytes, statement: bytes, whose: Whose | None) -> CheckResult:
    """The envelope holds this very statement, and this key or identity (None: not asked) signed it."""
    try:
        found = opened(envelope)
    except EvidenceDamaged as damage:
        return reject(damage.cause, where=ENVELOPE, remedy=_AFTER)
    result = ACCEPTED
    if found.payload != statement:
        result += reject(f"what is signed is not {STATEMENT}: the signature is over another payload", ENVELOPE, _AFTER)
    if whose is not None and not signed_by(envelope, whose):
        result += reject(_unsigned(envelope, whose), ENVELOPE,
                         "take the public key from its owner, not from this folder; " + _AFTER)  # fmt: skip
    return result


def _unsigned(envelope: bytes, whose: Whose) -> str:
    if names(envelope, whose):
        return f"the signature that names the given {described(whose)} does not fit: payload or signature was altered"
    others = ", ".join(filter(None, opened(envelope).signatures)) or "a certificate of another"
    return f"the signature is not by the given {described(whose)}; it names {others}"
