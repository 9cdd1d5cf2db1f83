"""VALIDATION.md: a run that got no release never takes the place of one that did."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from gate.run import notes
from gate.verdict import Verdict

FIRST = """# Deployment notes

<!-- release-gate:begin v1.0.0:local -->
## R

| Digest | sha256:ab |
<!-- release-gate:end v1.0.0:local -->
"""


@pytest.fixture
def run(tmp_path):
    """A run that failed before it had a release."""
    verdict = Verdict("REHEARSAL FAILED", 1, ("no such image: x|y",), {}, ())
    return SimpleNamespace(
        kind="full",
        root=tmp_path,
        reports=tmp_path / "reports",
        folder=tmp_path / "reports",
        place="local",
        release=SimpleNamespace(release_tag="v1.0.0", repository="r"),
        facts={},
        results=SimpleNamespace(verdict=verdict),
        started=datetime(2026, 11, 22, tzinfo=UTC),
    )


def test_a_failed_attempt_leaves_the_digest_that_others_deploy_from(run):
    """The release's section stands, and below it the attempt with its first reason, harmless in Markdown."""
    (run.root / "VALIDATION.md").write_text(FIRST)
    written = notes.write(run).path.read_text()
    assert "| Digest | sha256:ab |" in written
    assert "2026-11-22 00:00:00 UTC, REHEARSAL FAILED: no such image: x" in written
    assert "x|y" not in written
    run.results = None
    assert notes.write(run).path.read_text().count("Later attempt") == 1


def test_without_a_release_before_it_an_attempt_is_the_section(run, monkeypatch):
    """Nothing stands there that could be lost."""
    monkeypatch.setattr(notes, "_notes", lambda *_: None)
    monkeypatch.setattr(notes, "render", lambda title, _notes: f"## {title}: REHEARSAL FAILED")
    assert "## r v1.0.0, target local: REHEARSAL FAILED" in notes.write(run).path.read_text()
