"""A run's folder as a run leaves it, made with the gate's own writers."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gate.check import SelfTest
from gate.evidence.redact import Redactor
from gate.evidence.run_record import CONFIGURATION as CONFIGURED
from gate.evidence.run_record import TITLE, Configuration, RunRecord, run_record_in
from gate.evidence.seal import seal_folder, seal_in
from gate.evidence.signature import signer
from gate.evidence.statement import attest
from gate.evidence.store import INDEX, SEAL, EvidenceStore, canonical
from gate.run.results import document, write_verdict
from gate.verdict import CRITERIA, ScenarioOutcome, StepOutcome

REPOSITORY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
ENDED = "2026-01-02T03:00:00+00:00"
MANIFEST = '{"schemaVersion": 2}'
DIGEST = f"sha256:{hashlib.sha256(MANIFEST.encode()).hexdigest()}"
CALL = {"at": "2026-01-02T00:00:00+00:00", "service": "ecr", "operation": "PutImage", "resource": "app:v1.0.0", "outcome": "ok", "seconds": 0.1}  # fmt: skip  # noqa: E501
RELEASE = {"repository": "app", "zip_function": "old", "function_memory_mb": "512"}


def run_record(**changed):
    """Nine passed scenarios: AC1 and AC6 about the image itself, the others as real as the target."""
    target = changed.get("target", "local")
    around = "simulated" if target == "local" else "real"
    outcomes = tuple(
        ScenarioOutcome(f"scenario {n}", n, "passed", provenance="real" if n in {1, 6} else around, steps=(step(n),))
        for n in CRITERIA
    )
    given = {
        "target": target,
        "kind": "full",
        "endpoint_is_aws": True,
        "expected": frozenset(o.name for o in changed.get("outcomes", outcomes)),
        "outcomes": outcomes,
        "proofs": (SelfTest("a check", True, "no"),),
        "trouble": (),
        "release": {
            "digest": DIGEST,
            "tags": ["latest", "v1.0.0"],
            "size_bytes": 300,
            "uncompressed_bytes": 900,
            "image_id": "sha256:" + "e" * 64,
        },
        "started": "2026-01-02T00:00:00+00:00",
        "scan_completed_at": "2026-01-02T01:00:00+00:00",
    }
    return RunRecord(**{**given, **changed})


def step(number):
    """A passed step that left one record."""
    return StepOutcome("Then", "it holds", "passed", 0.1, (number,))


OBSERVED = {
    2: ("manifest", {"digest": DIGEST, "body": MANIFEST}),
    3: ("images", [{"digest": DIGEST, "tags": ["latest", "v1.0.0"], "size_bytes": 300}]),
    7: ("scan behind latest", {
        "digest": DIGEST, "mode": "BASIC", "findings": [{"id": "CVE-1", "severity": "HIGH", "closed": False}],
        "completed_at": "2026-01-02T01:00:00+00:00", "read_at": "2026-01-02T02:00:00+00:00",
    }),
}  # fmt: skip


def configured(**changed):
    """The configuration of a run, by the names of its record."""
    given = {
        "release": dict(RELEASE), "stated": dict(RELEASE), "given": {}, "ini_file": "", "settings": {}, "plugins": (),
        "python_flags": (), "claims": (), "pinned": tuple(f"scenario {n}" for n in CRITERIA), "pin_sha256": "a" * 64,
        "command_line": ("features/",), "options": {"target": "local"}, "environment": ("PATH",),
        "gate": {"commit": "c" * 40, "work tree": "clean", "changed": []}, "versions": {"pytest": "9"},
    }  # fmt: skip
    return Configuration(**{**given, **changed})


def observe(store, observed=None):
    """Record what each scenario rests on."""
    for number in CRITERIA:
        title, answer = {**OBSERVED, **(observed or {})}.get(number, ("look", {"seen": number}))
        store.record(title, answer, asked="aws …", criterion=number, scenario=f"scenario {number}")


def leave(folder, key=None, observed=None, configuration=None, notes=None, **changed):
    """Write a whole run, in the order in which a run does."""
    target = changed.get("target", "local")
    store = EvidenceStore(folder / "evidence", target, Redactor(), lambda: NOW)
    observe(store, observed)
    store.attach("page.png", b"png")
    store.record("every AWS call of the run", [CALL], asked="")
    store.record(CONFIGURED, configuration or configured(), asked="")
    ended = run_record_in(store.record(TITLE, run_record(**changed), asked="").answer)
    files = [{"file": f"evidence/{name}", "sha256": sha} for name, sha in store.seal().items()]
    write_verdict(folder, {**document(ended, ended.verdict()), "finished": ENDED, "evidence": files})
    (folder / "report.html").write_text("<html>the report</html>")
    (folder / "junit.xml").write_text("<testsuites/>")
    (folder / "report.sarif").write_text('{"version": "2.1.0", "runs": []}')
    (folder / "build.log").write_text("built")
    seal_folder(folder, folder / "rescan" / "scans", notes, NOW)
    attest(folder, REPOSITORY, signer(key) if key else None)
    return folder


def write(path, content):
    """Write a JSON file."""
    path.write_text(json.dumps(content))


def edit(path, change):
    """Change a JSON file by a function of its content."""
    content = json.loads(path.read_text())
    change(content)
    write(path, content)


def seal_again(folder):
    """Make every hash fit once more, as a careful forger without the key would."""
    for path in (folder / "evidence").glob("[0-9]*.json"):
        edit(path, lambda r: r.update(sha256=hashlib.sha256(canonical(r["answer"])).hexdigest()))
    index = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "evidence").iterdir())
        if path.name != "index.json"
    }
    (folder / "evidence" / INDEX).write_text(json.dumps(index))
    files = [{"file": f"evidence/{name}", "sha256": sha} for name, sha in index.items()]
    edit(folder / "verdict.json", lambda found: found.update(evidence=files))
    notes = seal_in(json.loads((folder / SEAL).read_text())).notes if (folder / SEAL).exists() else None
    seal_folder(folder, folder / "rescan" / "scans", notes, NOW)
    attest(folder, REPOSITORY, None)


def pem(key, lock=None):
    """A private key as a PEM file holds it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock or NoEncryption())


def keys(folder, key):
    """A key pair as files: (private, public)."""
    private, public = folder / "key.pem", folder / "pub.pem"
    private.write_bytes(pem(key))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture(name="run_record")
def _account():
    """Makes a run record, with what a test changes."""
    return run_record


@pytest.fixture(name="leave")
def _leave():
    """Writes a whole run into a folder."""
    return leave


@pytest.fixture(name="observe")
def _observe():
    """Records what each scenario of a run record rests on."""
    return observe


@pytest.fixture(name="edit")
def _edit():
    """Changes a JSON file."""
    return edit


@pytest.fixture(name="seal_again")
def _seal_again():
    """Makes every hash of a folder fit once more."""
    return seal_again


@pytest.fixture
def run_folder(tmp_path) -> Path:
    """An unsigned rehearsal that passed."""
    return leave(tmp_path / "run")


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """An Ed25519 key pair."""
    return keys(tmp_path_factory.mktemp("keys"), Ed25519PrivateKey.generate())


@pytest.fixture(name="keys", scope="session")
def _keys():
    """Writes a key pair into a folder."""
    return keys


@pytest.fixture(name="pem", scope="session")
def _pem():
    """A private key as a PEM file holds it."""
    return pem
