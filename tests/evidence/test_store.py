"""The evidence folder: whole files, in order, sealed by their hashes."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.check import reject
from gate.evidence.redact import Redactor
from gate.evidence.store import EvidenceStore, canonical


def store(folder):
    """An evidence store at a fixed time."""
    return EvidenceStore(folder, "local", Redactor(), lambda: datetime(2026, 1, 2, tzinfo=UTC))


def test_a_record_is_on_disk_the_moment_it_is_recorded(tmp_path):
    """A killed run keeps what it had: the file is there, whole, before the next line runs."""
    record = store(tmp_path).record("Chrome's version", {"b": 1, "a": [2]}, asked="chrome --version", criterion=1)
    [path] = tmp_path.iterdir()
    assert path.name == "001-chrome-s-version.json"
    content = json.loads(path.read_text())
    assert content["sha256"] == record.sha256 == hashlib.sha256(canonical({"a": [2], "b": 1})).hexdigest()
    assert content["at"] == "2026-01-02T00:00:00.000+00:00"
    assert content["provenance"] == "real"


def test_dataclasses_and_foreign_values_are_recorded_as_json(tmp_path):
    """Frozen facts go in as they are; bytes are recorded by length and hash."""
    record = store(tmp_path).record("facts", {"judgement": reject("because", "there", "so"), "raw": b"ab"}, asked="")
    assert record.answer["judgement"]["rejections"][0]["cause"] == "because"
    assert record.answer["raw"] == f"2 bytes, sha256:{hashlib.sha256(b'ab').hexdigest()}"


def test_the_index_names_every_file_with_its_hash(tmp_path):
    """Sealing covers records and attachments alike, and not the index itself."""
    evidence = store(tmp_path)
    evidence.record("one", "x", asked="")
    evidence.attach("page.png", b"png")
    index = evidence.seal()
    assert set(index) == {"001-one.json", "page.png"}
    assert index["page.png"] == hashlib.sha256(b"png").hexdigest()
    assert json.loads((tmp_path / "index.json").read_text()) == index


@pytest.fixture(scope="module")
def any_store(tmp_path_factory):
    """A store for values of every kind."""
    return store(tmp_path_factory.mktemp("evidence"))


# Lone surrogates too: so Python holds the bytes of a name that is no text.
TEXTS = st.text(st.characters(codec=None), max_size=20)


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=6,
    ),
    title=TEXTS,
)
def test_whatever_was_observed_reads_back_and_has_its_hash(any_store, value, title):
    """Unicode, control characters and bytes that are no text: the file is whole, and nothing in it is lost."""
    record = any_store.record(title, value, asked=title)
    content = json.loads((any_store.folder / record.file_name).read_text(encoding="utf-8"))
    assert content["answer"] == record.answer
    assert content["sha256"] == hashlib.sha256(canonical(content["answer"])).hexdigest()
