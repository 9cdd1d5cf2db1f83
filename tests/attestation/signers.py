"""Keys, and bundles that they signed, for the tests of admission."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from securesystemslib.signer import CryptoSigner

from gate.attestation.summary import Summary, statement
from gate.evidence.signature import bundled, sign

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
REPOSITORY = "654654307503.dkr.ecr.ap-northeast-2.amazonaws.com/naver-sms-automation"
OURS, THEIRS = CryptoSigner(Ed25519PrivateKey.generate()), CryptoSigner(Ed25519PrivateKey.generate())


def summary(verdict: str = "GO", *, hours_ago: float = 1, **changed: object) -> Summary:
    """A summary of a run that ended some hours ago; a GO's validity is 24 hours from then."""
    made = NOW - timedelta(hours=hours_ago)
    local = verdict.startswith("REHEARSAL")
    made_up = {
        "digest": DIGEST, "repository": REPOSITORY, "verdict": verdict, "target": "local" if local else "aws",
        "made_at": made, "valid_until": made + timedelta(hours=24) if verdict == "GO" else None,
        "reason": "" if verdict in ("GO", "REHEARSAL PASSED", "CLEAN") else "CVE-1 is CRITICAL", "tags": ("v1.0.0",),
    }  # fmt: skip
    return Summary(**{**made_up, **changed})  # type: ignore[arg-type]


def signed(said: Summary, signer: CryptoSigner = OURS) -> bytes:
    """The summary in a bundle signed by a key."""
    return bundled(sign(statement(said, {"sha256": "c" * 64}, {"verdict.json": "d" * 64}), signer))


def write_keys(folder: Path, key: Ed25519PrivateKey) -> tuple[Path, Path]:
    """A private key and its public one as PEM files."""
    private, public = folder / "key.pem", folder / "pub.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public
