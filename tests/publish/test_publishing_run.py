"""What the publishing run left behind: found by digest and place, and believed only as it was left."""

import json
from types import SimpleNamespace

import pytest

from gate.errors import EvidenceDamaged
from gate.evidence.store import INDEX
from gate.publish.earlier_runs import publishing_run
from gate.publish.release_log import STEPS

BUILD = {"command": "docker build --tag x image", "identity": "engine", "at": "now", "seconds": 3.0, "outcome": "done: sha256:i"}  # fmt: skip  # noqa: E501
PUSH = {**BUILD, "command": "docker push x", "outcome": "done: sha256:d"}


@pytest.fixture
def run(tmp_path):
    """A run on AWS, with a reports folder."""
    return SimpleNamespace(reports=tmp_path, target="aws")


@pytest.fixture
def leave(tmp_path, monkeypatch):
    """Leaves the record of a run, which passes its own checks unless a test says otherwise."""
    monkeypatch.setattr("gate.evidence.verify_run.verify", lambda _folder: ())

    def made(name, digest="sha256:d", place="aws", steps=(BUILD, PUSH), log="built"):
        folder = tmp_path / "runs" / name / "evidence"
        folder.mkdir(parents=True)
        (folder / STEPS).write_text(json.dumps({"digest": digest, "place": place, "steps": list(steps)}))
        if log:
            (folder / "build.log").write_text(log)
        return folder

    return made


def test_the_last_run_that_published_the_digest_is_found(run, leave):
    """Later runs of other digests, and rehearsals of the same one, are passed over."""
    leave("1")
    wanted = leave("2")
    leave("3", digest="sha256:other")
    leave("4", place="aws-rehearsal")
    found = publishing_run(run, "sha256:d")
    assert found.evidence == wanted
    assert [step.command for step in found.steps] == [BUILD["command"], PUSH["command"]]
    assert (found.build.image_id, found.build.command) == ("sha256:i", BUILD["command"])


def test_none_is_a_sentence_that_says_what_to_do(run):
    """No folder at all."""
    with pytest.raises(EvidenceDamaged, match="no record of the run that published sha256:d is here, so") as refused:
        publishing_run(run, "sha256:d")
    assert "artefact" in refused.value.remedy


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"digest": "sha256:d", "place": "aws"}', "null"])
def test_an_unreadable_record_is_named_and_is_no_record(run, leave, content):
    """It may have been the one."""
    (leave("7") / STEPS).write_text(content)
    with pytest.raises(EvidenceDamaged, match=r"is here \(7 cannot be read\)"):
        publishing_run(run, "sha256:d")


def test_a_record_that_is_not_as_it_was_left_is_refused(run, leave, monkeypatch):
    """Hashes and verdict are checked first: here there is not even a seal."""
    monkeypatch.undo()
    folder = leave_plain(run.reports)
    assert not (folder / INDEX).exists()
    with pytest.raises(EvidenceDamaged, match=r"is not as that run left it: seal\.json is missing"):
        publishing_run(run, "sha256:d")


@pytest.mark.parametrize("left", [{"steps": (PUSH,)}, {"log": ""}])
def test_a_run_that_built_nothing_proves_no_build(run, leave, left):
    """It checked an image that existed, or kept no log."""
    leave("1", **left)
    with pytest.raises(EvidenceDamaged, match="no record of building it"):
        _ = publishing_run(run, "sha256:d").build


def leave_plain(reports):
    """A record without the hashes that a run seals it with."""
    folder = reports / "runs" / "1" / "evidence"
    folder.mkdir(parents=True)
    (folder / STEPS).write_text(json.dumps({"digest": "sha256:d", "place": "aws", "steps": [BUILD]}))
    (folder.parent / "verdict.json").write_text("{}")
    return folder
