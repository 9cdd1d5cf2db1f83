"""The stored statements are what other tools read: sigstore's published models, DSSE, in-toto, SLSA's VSA."""

from __future__ import annotations

import base64
import json

import jsonschema
import pytest
from google.protobuf.json_format import Parse
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message
from sigstore_models.bundle.v1 import Bundle

from gate.attestation.attach import CYCLONEDX
from gate.attestation.summary import PREDICATE, read, statement
from gate.evidence.signature import BUNDLE
from gate.evidence.statement import about
from tests.attestation.signers import DIGEST, OURS, REPOSITORY, signed, summary

# SLSA 1.0, "Verification Summary Attestation (VSA)", "Schema": required fields and their types.
VSA = {
    "type": "object",
    "required": ["verifier", "timeVerified", "resourceUri", "policy", "verificationResult", "verifiedLevels"],
    "properties": {
        "verifier": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "format": "uri"}}},
        "timeVerified": {"type": "string", "format": "date-time"},
        "resourceUri": {"type": "string"},
        "policy": {"type": "object", "required": ["uri"]},
        "inputAttestations": {"type": "array", "items": {"type": "object", "required": ["digest"]}},
        "verificationResult": {"enum": ["PASSED", "FAILED"]},
        "verifiedLevels": {"type": "array", "items": {"type": "string", "pattern": "^(?!SLSA_)[A-Z_]+$"}},
        "slsaVersion": {"type": "string"},
    },
}


@pytest.mark.parametrize("verdict", ["GO", "NO-GO", "REHEARSAL PASSED", "NOT CLEAN"])
def test_a_bundle_is_one_by_sigstores_models(verdict: str) -> None:
    """Bundle 0.3 with a key's hint; the envelope's signature is the key's over DSSE's encoding of the payload."""
    raw = signed(summary(verdict))
    found = Bundle.from_json(raw)
    envelope = found.dsse_envelope
    assert envelope is not None
    assert (found.media_type, envelope.payload_type) == (BUNDLE, "application/vnd.in-toto+json")
    payload = base64.b64decode(json.loads(raw)["dsseEnvelope"]["payload"])
    # DSSE 1.0, "PAE".
    encoded = b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload)
    (signature,) = json.loads(raw)["dsseEnvelope"]["signatures"]
    OURS._private_key.public_key().verify(base64.b64decode(signature["sig"]), encoded)


@pytest.mark.parametrize(("verdict", "result"), [("GO", "PASSED"), ("NO-GO", "FAILED"), ("NOT CLEAN", "FAILED")])
def test_a_summary_is_a_vsa(verdict: str, result: str) -> None:
    """Its predicate by SLSA's schema, its statement by in-toto's own reader; read back, it says the same."""
    raw = statement(summary(verdict), {"sha256": "c" * 64}, {"verdict.json": "d" * 64})
    Statement.copy_from_pb(Parse(raw, Message())).validate()
    found = json.loads(raw)
    assert (found["_type"] if "_type" in found else found["type"]) == "https://in-toto.io/Statement/v1"
    jsonschema.validate(found["predicate"], VSA, format_checker=jsonschema.FormatChecker())
    assert (found["predicateType"], found["predicate"]["verificationResult"]) == (PREDICATE, result)
    assert read(raw) == summary(verdict)


def test_another_verifiers_summary_is_none_of_ours() -> None:
    """A VSA of another tool beside the image is not taken for the gate's word."""
    raw = statement(summary(), {}, {}).replace(b"release-gate", b"another-tool")
    assert read(raw) is None


def test_an_sbom_is_a_statement_about_the_digest() -> None:
    """Whatever the predicate: the subject is the image."""
    found = about(CYCLONEDX, {"bomFormat": "CycloneDX"}, REPOSITORY, DIGEST)
    assert found["subject"] == [{"name": REPOSITORY, "digest": {"sha256": "a" * 64}}]
    assert read(json.dumps(found).encode()) is None
