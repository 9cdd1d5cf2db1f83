"""What a run stores beside its image, and when it stores nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gate.attestation import attach as attaching
from gate.attestation.attach import CYCLONEDX, OPENVEX, SPDX, SUMMARY, TEST_RESULT, attach_run, statements
from gate.attestation.summary import read
from gate.errors import AwsRefused
from tests.attestation.signers import DIGEST, REPOSITORY

FINISHED = datetime(2026, 11, 27, 11, tzinfo=UTC)


class Registry:
    """Takes statements, or refuses them."""

    def __init__(self, refuses: bool = False) -> None:
        self.stored: list[str] = []
        self.refuses = refuses

    def attach(self, subject: str, bundle: bytes, predicate_type: str, made_at: datetime) -> str:
        """Keep the predicate type."""
        if self.refuses:
            raise AwsRefused("the registry is full")
        assert (subject, made_at) == (DIGEST, FINISHED)
        self.stored.append(predicate_type)
        return "sha256:0"


class Terminal:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def progress(self, line: str) -> None:
        """A line."""
        self.said.append(line)

    def waiting_for(self, what: str) -> None:
        """Nothing takes long here."""

    def done_waiting(self) -> None:
        """Nothing was waited for."""


def run_of(folder: Path, verdict: str = "REHEARSAL PASSED", **changed: Any) -> Any:
    """A concluded run with everything on disk that it leaves."""
    document = {"verdict": verdict, "finished": FINISHED.isoformat(), "valid_until": None, "reasons": ["CVE-1"],
                "release": {"digest": DIGEST, "tags": ["v1.0.0", "latest"]}}  # fmt: skip
    (folder / "verdict.json").write_text(json.dumps(document))
    for name in ("seal.json", "statement.intoto.json", "exceptions.openvex.json", "a.cdx.json"):
        (folder / name).write_text("{}")
    pairs = [{"spdxElementId": a, "relatedSpdxElement": b} for a, b in ("PF", "DP")]
    spdx = {"files": [{"SPDXID": "F"}], "relationships": pairs}
    (folder / "a.spdx.json").write_text(json.dumps(spdx))
    candidate = SimpleNamespace(sbom=SimpleNamespace(path=folder / "a.cdx.json"))
    made = {
        "kind": "full", "publishes": True, "target": "local", "root": folder, "folder": folder, "terminal": Terminal(),
        "store": SimpleNamespace(folder=folder), "release": SimpleNamespace(repository_uri=REPOSITORY, repository="r"),
        "facts": SimpleNamespace(digest=DIGEST, candidate=candidate), "release_client": object(), "key": object(),
        "options": SimpleNamespace(sign=str(folder / "key.pem"), no_attach=False),
        "results": SimpleNamespace(verdict=SimpleNamespace(word=verdict)),
    }  # fmt: skip
    return SimpleNamespace(**{**made, **changed})


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The registry that each run of these tests meets; what is signed is not looked at here."""
    found = Registry()
    monkeypatch.setattr(attaching, "_registry", lambda _: found)
    monkeypatch.setattr(attaching, "sign", lambda payload, _: payload)
    monkeypatch.setattr(attaching, "bundled", lambda envelope: envelope)
    return found


def test_a_release_stores_everything_and_its_verdict_last(tmp_path: Path, registry: Registry) -> None:
    """SBOM in both forms, exceptions, scenarios, verdict."""
    run = run_of(tmp_path)
    attach_run(run)
    assert registry.stored == [CYCLONEDX, SPDX, OPENVEX, TEST_RESULT, SUMMARY]
    assert "5 signed statements are stored" in run.terminal.said[-1]


def test_the_summary_says_what_the_verdict_says(tmp_path: Path) -> None:
    """A rehearsal is marked as one; the SBOM in SPDX holds packages and no files."""
    found = dict(statements(run_of(tmp_path), json.loads((tmp_path / "verdict.json").read_text())))
    said = read(found[SUMMARY])
    assert said is not None
    assert (said.verdict, said.target, said.valid_until, said.tags) == (
        "REHEARSAL PASSED", "local", None, ("v1.0.0", "latest")
    )  # fmt: skip
    assert json.loads(found[SPDX])["predicate"] == {
        "relationships": [{"spdxElementId": "D", "relatedSpdxElement": "P"}]
    }


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"kind": "partial"}, "decides nothing"),
        ({"results": None}, "decides nothing"),
        ({"publishes": False}, "only looks and changes nothing"),
        ({"options": SimpleNamespace(sign="k", no_attach=True)}, "--no-attach"),
        ({"facts": SimpleNamespace(digest="", candidate=None)}, "no digest of it"),
    ],
)
def test_nothing_is_stored_without_a_reason_being_said(
    tmp_path: Path, registry: Registry, changed: dict[str, Any], sentence: str
) -> None:
    """A part, a run that only looks, a refused build."""
    run = run_of(tmp_path, **changed)
    attach_run(run)
    assert registry.stored == []
    assert sentence in run.terminal.said[-1]


def test_a_night_that_is_not_clean_takes_a_go_back(tmp_path: Path, registry: Registry) -> None:
    """It publishes nothing, and stores its statement; a clean night has nothing to take back."""
    attach_run(run_of(tmp_path, "NOT CLEAN", kind="rescan", publishes=False))
    assert registry.stored[-1] == SUMMARY
    (tmp_path / "clean").mkdir()
    before = list(registry.stored)
    attach_run(run_of(tmp_path / "clean", "CLEAN", kind="rescan", publishes=False))
    assert registry.stored == before


def test_a_registry_that_refuses_changes_no_verdict(tmp_path: Path, registry: Registry) -> None:
    """It is said, with the cause."""
    registry.refuses = True
    run = run_of(tmp_path)
    attach_run(run)
    assert "could not be stored beside the image: the registry is full" in run.terminal.said[-1]
