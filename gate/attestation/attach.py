"""The statements of a run beside its image: the verdict, and what the image consists of and is excused from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]

from gate.attestation.bundle import bundled
from gate.attestation.referrers import Referrers
from gate.evidence.signature import sign

# Predicate types as cosign's `--type` knows them ("cyclonedx", "spdxjson", "openvex").
CYCLONEDX, SPDX, OPENVEX = "https://cyclonedx.org/bom", "https://spdx.dev/Document", "https://openvex.dev/ns"


@dataclass(frozen=True)
class Attached:
    """One statement in the registry: its predicate type and the digest of the referrer that holds it."""

    predicate_type: str
    referrer: str


def about(predicate_type: str, predicate: Mapping[str, Any], repository: str, digest: str) -> bytes:
    """An in-toto Statement about an image, in JSON."""
    subject = ResourceDescriptor(name=repository, digest={"sha256": digest.removeprefix("sha256:")})
    made = Statement([subject.pb], predicate_type, dict(predicate))
    made.validate()
    return json.dumps(MessageToDict(made.pb), ensure_ascii=False, sort_keys=True).encode()


def attach(
    registry: Referrers, digest: str, statements: Iterable[tuple[str, bytes]], signer: CryptoSigner, made_at: datetime
) -> tuple[Attached, ...]:
    """Sign each statement and store it beside the image.

    Args:
        registry: of the image's repository.
        digest: of the image.
        statements: predicate type and in-toto Statement. The verdict comes last: whoever finds it finds the rest.
        signer: securesystemslib's.
        made_at: when the run ended.

    Raises:
        AwsRefused: the registry does not take one.
    """
    return tuple(
        Attached(kind, registry.attach(digest, bundled(sign(statement, signer)), kind, made_at))
        for kind, statement in statements
    )
