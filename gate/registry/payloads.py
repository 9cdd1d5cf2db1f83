"""What a signature or attestation that cosign stores under a tag says it is about: its manifest does not say it. Pure.

Sources: the "simple signing" payload as cosign's signature specification gives it; DSSE 1.0 envelopes with an in-toto
Statement, whose subjects have digests.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from gate.registry.manifest import StoredManifest

SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"


def to_read(stored: StoredManifest) -> tuple[str, ...]:
    """The digests of the blobs that tell what this manifest is about; none where its `subject` does, or nothing can."""
    try:
        document = json.loads(stored.body)
        return () if document.get("subject") else tuple(layer["digest"] for layer in _layers(document))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()


def subjects(document: Mapping[str, Any], payloads: Mapping[str, str]) -> set[str]:
    """The digests that every signature and attestation in a manifest speaks of; empty where one cannot be read."""
    found = [_subjects(layer["mediaType"], payloads.get(layer["digest"], "")) for layer in _layers(document)]
    return set.intersection(*found) if found else set()


def _layers(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [layer for layer in document.get("layers", []) if layer["mediaType"] in (SIMPLE_SIGNING, ENVELOPE)]


def _subjects(kind: str, text: str) -> set[str]:
    try:
        payload = json.loads(text)
        if kind == SIMPLE_SIGNING:
            return {str(payload["critical"]["image"]["docker-manifest-digest"])}
        statement = json.loads(base64.b64decode(payload["payload"]))
        return {f"sha256:{subject['digest']['sha256']}" for subject in statement["subject"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()
