"""The statement: PASSED for a GO and for nothing else, about one image, over the run's own files."""

import hashlib
import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from securesystemslib.dsse import Envelope

from gate.errors import WrongUse
from gate.evidence import signature
from gate.evidence.__main__ import main
from gate.evidence.redact import Redactor
from gate.evidence.statement import PREDICATE, attest, statement
from gate.evidence.store import ENVELOPE, STATEMENT, EvidenceStore
from gate.registry.permitted_calls import AwsCall
from gate.run import results
from gate.run.environment import ClockCheck
from gate.run.model import Facts
from gate.verdict import ScenarioOutcome
from tests.evidence.conftest import CALL, DIGEST, RELEASE, configured


def stated(folder):
    """The statement of a run's folder."""
    return json.loads((folder / STATEMENT).read_text())


@pytest.mark.parametrize(
    ("changed", "result"),
    [
        ({"target": "aws"}, "PASSED"),
        ({"target": "local"}, "WARNED"),
        ({"target": "aws", "endpoint_is_aws": False}, "WARNED"),
        ({"target": "aws", "kind": "rescan"}, "WARNED"),
        ({"target": "aws", "trouble": ("crash",)}, "FAILED"),
        ({"target": "local", "trouble": ("crash",)}, "FAILED"),
        ({"target": "aws", "kind": "partial", "expected": frozenset({"more"})}, "FAILED"),
        ({"target": "aws", "kind": "rescan", "proofs": ()}, "FAILED"),
    ],
)
def test_only_a_go_is_stated_as_passed(leave, tmp_path, changed, result):
    """A rehearsal or a quiet night is a warning, and whatever is neither has failed."""
    assert stated(leave(tmp_path, **changed))["predicate"]["result"] == result


def test_the_statement_is_an_in_toto_statement_about_the_published_digest(leave, tmp_path):
    """Type, subject and predicate type are those of the specification; the files are named with their hashes."""
    found = stated(leave(tmp_path, target="aws"))
    assert (found["_type"], found["predicateType"]) == ("https://in-toto.io/Statement/v1", PREDICATE)
    assert [s["digest"] for s in found["subject"]] == [{"sha256": DIGEST.removeprefix("sha256:")}]
    files = {entry["name"]: entry["digest"]["sha256"] for entry in found["predicate"]["configuration"]}
    assert set(files) == {"seal.json", "verdict.json"}
    for name, sha in files.items():
        assert sha == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()


def test_what_a_simulation_answered_is_not_among_the_passed(leave, tmp_path):
    """A policy that asks for a scenario among the passed does not find one that only a rehearsal has shown."""
    predicate = stated(leave(tmp_path))["predicate"]
    assert predicate["passedTests"] == ["scenario 1", "scenario 6"]
    assert "scenario 7" in predicate["warnedTests"]
    assert predicate["failedTests"] == []


def test_a_scenario_that_did_not_run_is_in_no_list(leave, tmp_path):
    """Failed and not run are told apart, and neither is a pass."""
    outcomes = (ScenarioOutcome("bad", 1, "failed"), ScenarioOutcome("never", 7, "not run", "why"))
    predicate = stated(leave(tmp_path, outcomes=outcomes))["predicate"]
    assert predicate["failedTests"] == ["bad"]
    assert "never" not in json.dumps(predicate)


def test_before_a_digest_exists_the_statement_is_about_the_built_image(leave, tmp_path):
    """A release that failed before its push is stated as failed all the same."""
    found = stated(leave(tmp_path, release={"digest": None, "image_id": "sha256:" + "e" * 64}, trouble=("crash",)))
    assert found["subject"][0]["digest"] == {"sha256": "e" * 64}


def test_without_an_image_there_is_no_statement(run_record):
    """A statement needs a subject; none is made up."""
    unknown = run_record(release={"digest": None})
    assert statement(unknown.stated(unknown.verdict()), {}, "app") is None


@pytest.mark.parametrize("kind", [Ed25519PrivateKey.generate, lambda: ec.generate_private_key(ec.SECP256R1())])
def test_a_signed_statement_is_a_dsse_envelope_by_the_key(leave, keys, tmp_path, kind):
    """The library's own verifier accepts it with the public key, for both kinds of key."""
    private, public = keys(tmp_path, kind())
    folder = leave(tmp_path / "run", key=private)
    envelope = Envelope.from_dict(json.loads((folder / ENVELOPE).read_text()))
    key = signature.public_key(public)
    assert set(envelope.verify([key], threshold=1)) == {key.keyid}
    assert envelope.payload == (folder / STATEMENT).read_bytes()
    assert envelope.payload_type == "application/vnd.in-toto+json"


def test_the_sentence_names_the_key(leave, pair, tmp_path):
    """Whoever publishes the public key can compare its id."""
    folder = leave(tmp_path)
    assert signature.public_key(pair[1]).keyid in attest(folder, "app", signature.signer(pair[0]))


@pytest.mark.parametrize(
    "content",
    [
        lambda pem: b"",
        lambda pem: b"not a key",
        lambda pem: pem(rsa.generate_private_key(65537, 2048)),
        lambda pem: pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"locked")),
        lambda pem: pem(ec.generate_private_key(ec.SECP256K1())),
    ],
    ids=["empty", "garbage", "RSA", "locked", "other curve"],
)
def test_a_key_that_cannot_sign_is_refused_with_the_way_to_make_one(pem, tmp_path, content):
    """A person learns before the run what is wrong with the key."""
    path = tmp_path / "key.pem"
    path.write_bytes(content(pem))
    with pytest.raises(WrongUse, match="cannot be signed") as refused:
        signature.signer(path)
    assert "openssl genpkey" in refused.value.remedy


def test_a_private_key_is_no_key_to_check_with(pair):
    """Naming the private key by mistake is told, not tried."""
    with pytest.raises(WrongUse, match="no signature can be checked"):
        signature.public_key(pair[0])


def test_a_run_that_ends_leaves_a_folder_that_verifies(run_record, observe, pair, tmp_path, monkeypatch):
    """The run's own ending writes evidence, verdict and statement in the order that verification needs."""
    ended = run_record()
    said = []
    folder, kept = tmp_path / "reports", tmp_path / "reports" / "runs" / "now" / "evidence"
    store = EvidenceStore(folder / "evidence", "local", Redactor(), kept=kept)
    scan = SimpleNamespace(current_at=datetime(2026, 1, 2, 1, tzinfo=UTC))
    facts = Facts(**ended.release, scan_report=scan)
    run = SimpleNamespace(
        options=SimpleNamespace(target="local", sign=pair[0], image_context=tmp_path),
        kind="full", folder=folder, store=store, facts=facts,
        root=tmp_path, expected=ended.expected, outcomes=list(ended.outcomes), proofs=ended.proofs, errors=[],
        call_log=SimpleNamespace(calls=(AwsCall(**CALL),)), clock=ClockCheck(), scans=folder / "rescan" / "scans",
        endpoint_is_aws=True, publishes=True, scenarios=(), reports=folder,
        endpoint_recorder=SimpleNamespace(endpoints=(SimpleNamespace(service="ecr", is_aws=False),)),
        configuration=configured(), overridden=(), engine="20.10", not_part=(), key=signature.signer(pair[0]),
        started=datetime(2026, 1, 2, tzinfo=UTC), provenance="simulated", results=None,
        release=SimpleNamespace(repository_uri="app", **RELEASE), terminal=SimpleNamespace(progress=said.append),
    )  # fmt: skip
    notes = SimpleNamespace(path=tmp_path / "VALIDATION.md", key="v1", section=lambda: "what was written")
    monkeypatch.setattr(results, "write_notes", lambda run: notes)
    monkeypatch.setattr(results, "mend", lambda path: None)
    (folder / STATEMENT).write_text("of an earlier run")
    results.begin(run)
    assert not (folder / STATEMENT).exists()
    observe(store)
    (folder / "evidence" / "zip-baseline.json").write_text("kept by its own writer")
    (folder / "report.html").write_text("report")
    run.results = results.conclude(run)
    results.finish(run, run.results)
    assert json.loads((folder / "report.sarif").read_text())["runs"][0]["results"] == []
    assert "is signed by the key" in said[0]
    assert main([str(folder), "--key", str(pair[1])]) == 0
    assert main([str(kept.parent), "--key", str(pair[1])]) == 0


def test_an_encrypted_key_signs_with_its_passphrase_from_the_environment(pem, tmp_path, monkeypatch):
    """It is in no file and on no command line; a wrong one is refused without being told."""
    path = tmp_path / "key.pem"
    path.write_bytes(pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"locked")))
    monkeypatch.setenv(signature.PASSPHRASE, "locked")
    signed = signature.sign(b"{}", signature.signer(path))
    assert signature.opened(signed).payload == b"{}"
    monkeypatch.setenv(signature.PASSPHRASE, "another")
    with pytest.raises(WrongUse) as refused:
        signature.signer(path)
    assert "another" not in str(refused.value)
