"""VALIDATION.md: a run that got no release never takes the place of one that did."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from gate.check import Rejection
from gate.report import validation_md
from gate.run.model import Facts
from gate.scan.exceptions.reading import load
from gate.verdict import ScenarioOutcome, Verdict

FIRST = """# Deployment notes

<!-- release-gate:begin v1.0.0:aws -->
## R

| Digest | sha256:ab |
<!-- release-gate:end v1.0.0:aws -->
"""


@pytest.fixture
def run(tmp_path):
    """A run that failed before it had a release."""
    verdict = Verdict("REHEARSAL FAILED", 1, ("AC1: a scenario",), {}, ())
    return SimpleNamespace(
        kind="full",
        root=tmp_path,
        reports=tmp_path / "reports",
        folder=tmp_path / "reports",
        target="aws",
        release=SimpleNamespace(release_tag="v1.0.0", repository="r"),
        facts=Facts(),
        results=SimpleNamespace(verdict=verdict),
        outcomes=[ScenarioOutcome("a scenario", 1, "failed", rejections=(Rejection("no such image: x|y", "", ""),))],
        started=datetime(2026, 11, 22, tzinfo=UTC),
    )


def test_a_failed_attempt_leaves_the_digest_that_others_deploy_from(run):
    """The release's section stands, and below it the attempt with its first cause, harmless in Markdown."""
    (run.root / "VALIDATION.md").write_text(FIRST)
    written = validation_md.write(run).path.read_text()
    assert "| Digest | sha256:ab |" in written
    assert "2026-11-22 00:00:00 UTC, REHEARSAL FAILED: 1 scenario in AC1: no such image: x" in written
    assert "x|y" not in written
    run.results = None
    assert validation_md.write(run).path.read_text().count("Later attempt") == 1


def test_without_a_release_before_it_an_attempt_is_the_section(run, monkeypatch):
    """Nothing stands there that could be lost."""
    monkeypatch.setattr(validation_md, "_released", lambda _run, title, _beside: f"## {title}: REHEARSAL FAILED")
    assert "## r v1.0.0, target aws: REHEARSAL FAILED" in validation_md.write(run).path.read_text()


REGISTER = """
version: 1
policy: {CRITICAL: never, HIGH: fixed or excepted, MEDIUM: monitor, LOW: monitor, INFORMATIONAL: monitor}
coverage: []
exceptions:
  - id: CVE-2026-0002
    package: pkg:deb/debian/libexample1@1.0-1
    target: local
    decision: not-affected
    justification: vulnerable_code_not_in_execute_path
    rationale: The function never parses this format.
    owner: platform-team
    reviewer: infra-security
    decided: 2026-11-01
    expires: 2026-12-20
    reference: https://example.com/review/1
"""


def test_the_exceptions_chapter_names_owner_reason_and_end(run, tmp_path):
    """The chapter said "None is in force" while one was: it read a fact that nobody wrote."""
    (tmp_path / "exceptions.yaml").write_text(REGISTER)
    run.exception_scope, run.facts.register = "local", load(tmp_path / "exceptions.yaml")
    assert not run.facts.register.faults
    chapter = validation_md._exceptions(run)
    for said in ("CVE-2026-0002", "platform-team", "never parses this format", "2026-12-20", "infra-security"):
        assert said in chapter
    run.exception_scope = "aws"
    assert validation_md._exceptions(run) == "None is in force."


def test_a_register_that_was_not_read_is_not_an_empty_one(run):
    """Silence about exceptions is said as what it is."""
    assert "was not read" in validation_md._exceptions(run)


def test_a_fact_that_the_run_does_not_know_of_cannot_be_written():
    """A misspelt name is an error where it is written, and no empty chapter later."""
    with pytest.raises(AttributeError):
        Facts().exceptions = ()


@pytest.mark.parametrize("place", ["local", "aws-rehearsal"])
def test_a_rehearsal_leaves_the_release_notes_of_the_repository_alone(run, place):
    """VALIDATION.md is a release's; a rehearsal's notes are beside its report."""
    run.target = place
    assert validation_md.document_of(run).path == run.folder / "VALIDATION.md"
    run.target = "aws"
    assert validation_md.document_of(run).path == run.root / "VALIDATION.md"
