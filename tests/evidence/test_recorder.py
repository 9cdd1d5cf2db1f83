"""AC8 reads the record of the run as it stands on the disk, and not what the run remembers of it."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from gate.errors import EvidenceDamaged
from gate.evidence import recorder
from gate.evidence.redact import Redactor
from gate.evidence.store import EvidenceStore
from gate.publish.publishing_run import FILE, note_publication, recorded_steps
from gate.publish.release_log import LoggedStep

PUSH = LoggedStep(
    1, "docker push app:candidate", "arn:aws:iam::111122223333:role/ci", "2026-01-02", 1.0, "done: sha256:a"
)


@pytest.fixture
def run(tmp_path):
    """A run that published a digest and noted one step."""
    store = EvidenceStore(tmp_path, "local", Redactor())
    facts = SimpleNamespace(publication=SimpleNamespace(digest="sha256:a", steps=(PUSH,)))
    found = SimpleNamespace(store=store, facts=facts, target="local", steps=[], promotes=False)
    note_publication(found, "sha256:a", (PUSH,))
    return found


def file_of(run) -> Path:
    """The file with the steps."""
    return run.store.folder / FILE


def test_the_steps_are_those_on_the_disk(run):
    """As they were noted, and as somebody has edited them since."""
    assert [step.command for step in recorded_steps(run)] == [PUSH.command]
    file_of(run).write_text(file_of(run).read_text().replace("docker push", "docker pull"))
    assert [step.command for step in recorded_steps(run)] == ["docker pull app:candidate"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"steps": 3}', '{"steps": [{"command": "docker push"}]}', '{"steps": [']
)
def test_a_record_without_readable_steps_is_no_record(run, text):
    """Whatever the run remembers."""
    file_of(run).write_text(text)
    with pytest.raises(EvidenceDamaged):
        recorded_steps(run)


def test_a_record_that_is_gone_is_told(run):
    """It is missing."""
    file_of(run).unlink()
    with pytest.raises(EvidenceDamaged, match="missing"):
        recorded_steps(run)


def test_the_digest_of_a_record_is_the_one_on_the_disk(run):
    """Edited, it is another; taken out, it is none; without the file there is no record."""
    run.store.digest = "sha256:a"
    record = run.store.record("manifest", {}, asked="…", criterion=2)
    path = run.store.folder / record.file_name
    assert recorder.digests_of([record], run.store.folder) == {record.file_name: "sha256:a"}
    written = json.loads(path.read_text())
    path.write_text(json.dumps({**written, "digest": "sha256:b"}))
    assert recorder.digests_of([record], run.store.folder) == {record.file_name: "sha256:b"}
    path.write_text(json.dumps({key: value for key, value in written.items() if key != "digest"}))
    assert recorder.digests_of([record], run.store.folder) == {record.file_name: ""}
    path.unlink()
    with pytest.raises(EvidenceDamaged, match="missing"):
        recorder.digests_of([record], run.store.folder)
