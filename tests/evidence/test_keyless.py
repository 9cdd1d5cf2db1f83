"""Keyless signing: sigstore's own client against an instance on this machine, and whose certificate is believed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.attestation.admission import decide, stated
from gate.attestation.summary import statement
from gate.errors import EvidenceDamaged, GateError, WrongUse
from gate.evidence.__main__ import main
from gate.evidence.keyless import TOKEN, CertificateIdentity, Keyless
from gate.evidence.signature import bundled, opened, sign, signer
from gate.evidence.statement import attest
from gate.evidence.store import ENVELOPE
from tests.attestation.signers import DIGEST, NOW, OURS, REPOSITORY, signed, summary
from tests.evidence.sigstore_instance import IDENTITY, ISSUER, Instance, token

OTHER = IDENTITY.replace("release-gate.yml", "another.yml")
STATEMENT = statement(summary(), {"sha256": "c" * 64}, {"verdict.json": "d" * 64})


@pytest.fixture(scope="module")
def sigstore() -> Iterator[Instance]:
    """Fulcio and Rekor."""
    with Instance() as instance:
        yield instance


@pytest.fixture
def trust(sigstore: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its trust configuration; an identity token is in the environment."""
    monkeypatch.setenv(TOKEN, token())
    return sigstore.trust_config(tmp_path)


def of(trust: Path, identity: str = IDENTITY, issuer: str = ISSUER) -> CertificateIdentity:
    """Whose certificate is believed."""
    return CertificateIdentity(identity, issuer, trust).ready()


def answer(bundle: bytes, whose: CertificateIdentity) -> str:
    """What admission says of one bundle."""
    return decide([stated(bundle, whose, DIGEST, REPOSITORY)], NOW).answer


def test_what_an_identity_signs_is_admitted_by_its_certificate_and_by_no_other(trust: Path) -> None:
    """The bundle is stored as sigstore's client made it."""
    bundle = bundled(sign(STATEMENT, signer("oidc", trust)))
    assert opened(bundle).payload == STATEMENT
    assert json.loads(bundle)["verificationMaterial"]["certificate"]
    assert answer(bundle, of(trust)) == "admitted"
    assert answer(bundle, of(trust, OTHER)) == "other key"
    assert answer(bundle, of(trust, issuer="https://accounts.google.com")) == "other key"


def test_a_bundle_by_a_key_is_not_of_the_identity_and_the_other_way_round(trust: Path) -> None:
    """Neither kind of signature stands for the other."""
    assert answer(signed(summary()), of(trust)) == "other key"
    bundle = sign(STATEMENT, signer("oidc", trust))
    assert stated(bundle, OURS.public_key, DIGEST, REPOSITORY) == "other key"


def _payload(found: dict) -> None:
    content = statement(summary(verdict="NO-GO"), {"sha256": "c" * 64}, {})
    found["dsseEnvelope"]["payload"] = base64.b64encode(content).decode()


def _signature(found: dict) -> None:
    (each,) = found["dsseEnvelope"]["signatures"]
    each["sig"] = base64.b64encode(base64.b64decode(each["sig"])[:-1] + b"\0").decode()


def _time(found: dict) -> None:
    (entry,) = found["verificationMaterial"]["tlogEntries"]
    entry["integratedTime"] = str(int(entry["integratedTime"]) - 86_400)


def _proof(found: dict) -> None:
    found["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["rootHash"] = base64.b64encode(b"0" * 32).decode()


def _no_entry(found: dict) -> None:
    found["verificationMaterial"]["tlogEntries"] = []


@pytest.mark.parametrize("change", [_payload, _signature, _time, _proof, _no_entry])
def test_an_altered_bundle_is_never_admitted(trust: Path, change) -> None:
    """Payload, signature, the log's time and proof."""
    found = json.loads(sign(STATEMENT, signer("oidc", trust)))
    change(found)
    assert answer(json.dumps(found).encode(), of(trust)) in ("tampered", "other key")


def test_another_instance_vouches_for_nobody(trust: Path, tmp_path: Path) -> None:
    """The same identity, by a Fulcio that is not the believed one."""
    bundle = sign(STATEMENT, signer("oidc", trust))
    (tmp_path / "other").mkdir()
    with Instance() as other:
        assert answer(bundle, of(other.trust_config(tmp_path / "other"))) == "tampered"


def test_two_statements_in_one_text_are_not_told_apart_by_their_reader(trust: Path) -> None:
    """A JSON text with the same key twice: what is believed is what was signed, or nothing."""
    good = sign(STATEMENT, signer("oidc", trust)).decode()
    other = json.loads(good)
    _payload(other)
    forged = good[:-1] + ', "dsseEnvelope": ' + json.dumps(other["dsseEnvelope"]) + "}"
    assert answer(forged.encode(), of(trust)) in ("tampered", "other key")
    reverse = '{"dsseEnvelope": ' + json.dumps(other["dsseEnvelope"]) + ", " + good[1:]
    assert answer(reverse.encode(), of(trust)) in ("admitted", "tampered", "other key")


@pytest.mark.parametrize("path", ["/api/v2/signingCert", "/api/v1/log/entries"])
def test_an_instance_that_refuses_is_said(sigstore: Instance, trust: Path, path: str) -> None:
    """No statement is signed by half."""
    sigstore.refuses = {path}
    try:
        with pytest.raises(GateError, match="sigstore did not sign"):
            sign(STATEMENT, signer("oidc", trust))
    finally:
        sigstore.refuses = set()


def test_without_an_identity_nothing_begins(trust: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None at hand, an expired one, one that is none."""
    for name in ("ACTIONS_ID_TOKEN_REQUEST_URL", "GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv(TOKEN)
    monkeypatch.setattr("sigstore.oidc.id.detect_credential", lambda _: None)
    with pytest.raises(WrongUse, match="there is no OIDC identity to sign as"):
        Keyless(trust)
    for bad in (token(lasts=-60), "no token"):
        monkeypatch.setenv(TOKEN, bad)
        with pytest.raises(WrongUse, match="OIDC identity cannot be used"):
            Keyless(trust)


@pytest.mark.parametrize("content", ["", "{}", '{"mediaType": "x"}'])
def test_a_trust_configuration_that_is_none_is_refused(trust: Path, content: str) -> None:
    """Nobody is believed by default."""
    trust.write_text(content)
    with pytest.raises(WrongUse, match="roots of trust cannot be had"):
        CertificateIdentity(IDENTITY, ISSUER, trust).ready()
    with pytest.raises(WrongUse, match="roots of trust cannot be had"):
        Keyless(trust)


def test_a_folder_is_verified_by_the_identity(leave, trust: Path, tmp_path: Path, capsys) -> None:
    """`make verify` and admission believe the same certificate."""
    folder = leave(tmp_path / "run")
    said = attest(folder, REPOSITORY, signer("oidc", trust))
    assert said == f"statement.intoto.json is signed by the certificate of {IDENTITY} ({ISSUER})"
    options = [str(folder), "--certificate-oidc-issuer", ISSUER, "--trust-config", str(trust)]
    assert main([*options, "--certificate-identity", IDENTITY]) == 0, capsys.readouterr().out
    assert main([*options, "--certificate-identity", OTHER]) == 1
    assert "the signature is not by the given identity" in capsys.readouterr().out
    assert main([str(folder)]) == 3
    assert main(options) == 2
    found = json.loads((folder / ENVELOPE).read_text())
    _payload(found)
    (folder / ENVELOPE).write_text(json.dumps(found))
    assert main([*options, "--certificate-identity", IDENTITY]) == 1


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[]", b"\xff", b'{"dsseEnvelope": 3}', b'{"dsseEnvelope": {"signatures": 1}}']
)
def test_what_is_no_bundle_is_damaged(raw: bytes) -> None:
    """Whatever its shape."""
    with pytest.raises(EvidenceDamaged):
        opened(raw)
