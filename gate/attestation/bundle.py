"""A signed statement in a sigstore bundle, the form in which cosign stores attestations in a registry.

Specifications: sigstore protobuf-specs, "sigstore_bundle.proto", version 0.3; DSSE 1.0. A bundle that was signed with a
key names it by a hint; it holds no certificate and no entry of a transparency log.
"""

from __future__ import annotations

import json
from typing import Any

from gate.errors import EvidenceDamaged
from gate.evidence.signature import opened

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def bundled(envelope: bytes) -> bytes:
    """The bundle around what `gate.evidence.signature.sign` made: a DSSE envelope, or a bundle by an identity."""
    found = json.loads(envelope)
    if found.get("mediaType") == MEDIA_TYPE:
        return envelope  # made by sigstore's client
    (signature,) = found["signatures"]
    return json.dumps(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": signature["keyid"]}, "tlogEntries": []},
            "dsseEnvelope": found,
        }
    ).encode()


def envelope_in(raw: bytes) -> Any:
    """The DSSE envelope in a bundle (securesystemslib's `Envelope`).

    Raises:
        EvidenceDamaged: it is no bundle of this version with a signed in-toto Statement in it.
    """
    try:
        found = json.loads(raw)["mediaType"]
        if found != MEDIA_TYPE:
            raise ValueError(f"its media type is {found!r}")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EvidenceDamaged(f"this is no sigstore bundle: {type(error).__name__}: {error}") from error
    return opened(raw)
