"""Signing a statement and checking its signature: a DSSE envelope, by securesystemslib."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

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
from gate.errors import EvidenceDamaged, WrongUse
from gate.evidence.reading import RUN_AGAIN
from gate.evidence.store import ENVELOPE, STATEMENT

# The media type that the in-toto attestation framework gives a Statement in an envelope.
PAYLOAD_TYPE = "application/vnd.in-toto+json"
_AFTER = "do not rely on this statement: " + RUN_AGAIN
KMS, PASSPHRASE = "awskms:", "RELEASE_GATE_KEY_PASSPHRASE"
_SIGNS = "an Ed25519 or ECDSA (P-256, P-384, P-521) key"


def signer(key: str | Path) -> Signer:
    """The private key in a PEM file, or a key in AWS KMS ("awskms:" and its ARN, ID or alias), which never leaves it.

    The passphrase of an encrypted PEM file is taken from the environment and kept in memory only. A KMS key is asked
    for its public part here (kms:GetPublicKey), and signs with kms:Sign.

    Raises:
        WrongUse: it cannot be read or used, or is of another kind.
    """
    name = str(key)
    try:
        return _in_kms(name.removeprefix(KMS)) if name.startswith(KMS) else _in_file(Path(name))
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


def _in_kms(key: str) -> Signer:
    _, public = AWSSigner.import_(key)
    return AWSSigner(key, public)


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


def sign(payload: bytes, key: Signer) -> bytes:
    """The payload in a signed envelope, as JSON."""
    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(key)
    return (json.dumps(envelope.to_dict(), indent=2) + "\n").encode()


def opened(raw: bytes) -> Any:
    """The envelope in a file (securesystemslib's `Envelope`).

    Raises:
        EvidenceDamaged: it is not a DSSE envelope around an in-toto Statement, or nobody signed it.
    """
    try:
        envelope = Envelope.from_dict(json.loads(raw))
        if envelope.payload_type != PAYLOAD_TYPE:
            raise ValueError(f"its payload is {envelope.payload_type!r}, not {PAYLOAD_TYPE!r}")
        if not envelope.signatures:
            raise ValueError("it holds no signature")
    except (KeyError, TypeError, ValueError, AttributeError, SigningError) as error:
        raise EvidenceDamaged(f"the signed envelope cannot be read: {type(error).__name__}: {error}") from error
    return envelope


def signed_by(envelope: Any, key: SSlibKey) -> bool:
    """Whether this key signed the envelope's payload."""
    try:
        envelope.verify([key], threshold=1)
    except SigningError:
        return False
    return True


@check(8, known_bad=lambda: (b'{"payload": "", "payloadType": "", "signatures": []}', b"{}", None))
def signed(envelope: bytes, statement: bytes, key: Any) -> CheckResult:
    """The envelope holds this very statement, and the key (securesystemslib's; None: not asked) signed it."""
    try:
        found = opened(envelope)
    except EvidenceDamaged as damage:
        return reject(damage.cause, where=ENVELOPE, remedy=_AFTER)
    result = ACCEPTED
    if found.payload != statement:
        result += reject(f"what is signed is not {STATEMENT}: the signature is over another payload", ENVELOPE, _AFTER)
    if key is not None and not signed_by(found, key):
        names = ", ".join(found.signatures)
        cause = f"the signature is not by the given key {key.keyid}; it names {names}"
        if key.keyid in found.signatures:
            cause = f"the signature that names the given key {key.keyid} does not fit: payload or signature was altered"
        result += reject(cause, ENVELOPE, "take the public key from its owner, not from this folder; " + _AFTER)
    return result
