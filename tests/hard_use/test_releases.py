"""The life of releases on the local target, as docs/releases.md tells it: next release, night, rollback, hotfix."""

from __future__ import annotations

import json

import pytest

from tests.hard_use.runs import Gate

# Nine whole runs one after the other.
pytestmark = [pytest.mark.docker, pytest.mark.soak]

WRONG_USE = 4


@pytest.fixture(scope="module")
def gate(tmp_path_factory) -> Gate:
    """One gate, whose registry and records each of these runs takes over from the one before."""
    return Gate(tmp_path_factory.mktemp("releases"))


def released(gate: Gate, *arguments: str) -> str:
    """Release, and answer the digest."""
    code, said = gate.run(*arguments)
    found = gate.results("full")
    assert (code, found.word) == (0, "REHEARSAL PASSED"), said
    return str(found.verdict["release"]["digest"])


def night_about(gate: Gate, tag: str, digest: str) -> str:
    """A night that is clean, and about this release; answers what it said."""
    code, said = gate.run("-m", "rescan")
    found = gate.results("rescan")
    assert (code, found.word) == (0, "CLEAN"), said
    assert (found.verdict["release"]["digest"], {tag, "latest"} <= set(found.verdict["release"]["tags"])) == (
        digest,
        True,
    )
    return said


def test_a_next_release_its_night_and_a_rollback_without_rebuilding(gate):
    """pytest.ini states v1.0.0 throughout; the rollback moves `latest`, pushes nothing, and the night follows it."""
    first = released(gate)
    second = released(gate, "--keep", "--release-tag", "v1.1.0")
    assert first != second
    said = night_about(gate, "v1.1.0", second)
    assert "pytest.ini states v1.0.0, and the release that stands is v1.1.0" in said
    assert "pytest.ini states v1.0.0" in gate.results("rescan").verdict["remarks"][0]

    code, said = gate.run("--promote", "v1.0.0")
    found = gate.results("promotion")
    assert (code, found.word) == (0, "REHEARSAL PASSED"), said
    assert found.verdict["release"]["digest"] == first
    assert sorted(found.verdict["release"]["tags"]) == ["latest", "v1.0.0"]
    calls = next(r for r in found.evidence.values() if r["title"] == "every AWS call of the run")["answer"]
    # The last one is the attempt to overwrite the release tag, which is refused.
    assert [call["operation"] for call in calls if call["operation"] == "PutImage"] == ["PutImage"] * 2
    promotion = json.loads((found.folder / "evidence" / "promotion.json").read_text())
    assert (promotion["rolling_before"], promotion["by_name"], promotion["state"]) == (second, True, "accepted")
    night_about(gate, "v1.0.0", first)


def test_a_hotfix_after_the_rollback_and_a_promotion_that_is_refused(gate):
    """The hotfix takes `latest`; a release whose evidence was altered, or that nobody released, is not promoted."""
    if not (gate.reports / "promotion").exists():
        pytest.skip("the runs before did not end")
    third = released(gate, "--keep", "--release-tag", "v1.0.1")
    night_about(gate, "v1.0.1", third)
    for record in (gate.reports / "runs").glob("*/evidence/promotion.json"):
        if json.loads(record.read_text())["release_tag"] == "v1.1.0":
            (record.parent / "steps.json").write_text("{}")
    for tag, words in (
        ("v1.1.0", "not as that run left it"),
        ("v2.0.0", "no run that is recorded here has released it"),
    ):
        code, said = gate.run("--promote", tag)
        assert (code, words in said) == (WRONG_USE, True), said
    assert gate.results("full").verdict["release"]["digest"] == third, "nothing was cleared"
