"""Whether a digest may be deployed: each state of a repository has its answer, and nothing but a valid GO is a yes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.attestation.admission import Admission, decide, stated
from tests.attestation.signers import DIGEST, NOW, OTHER, OURS, REPOSITORY, THEIRS, signed, summary


def ask(*bundles: bytes, digest: str = DIGEST, repository: str = REPOSITORY) -> Admission:
    """The answer about a digest beside which these bundles are stored."""
    found = [stated(each, OURS.public_key, digest, repository) for each in bundles]
    return decide(found, NOW)


def altered(bundle: bytes) -> bytes:
    """The bundle with another verdict in its payload, under the old signature."""
    found = json.loads(bundle)
    payload = base64.b64decode(found["dsseEnvelope"]["payload"]).replace(b"NO-GO", b"GO   ").replace(b"CVE", b"cve")
    found["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    return json.dumps(found).encode()


GO, NO_GO = signed(summary()), signed(summary("NO-GO", hours_ago=3))

STATES: dict[str, tuple[list[bytes], str, str]] = {
    "a valid GO": ([GO], "admitted", "valid until"),
    "nothing is stored": ([], "none", "no statement of the gate"),
    "the GO has ended": ([signed(summary(hours_ago=25))], "expired", "ended at 2026-11-27T11:00:00"),
    "a rehearsal": ([signed(summary("REHEARSAL PASSED"))], "rehearsal", "only a rehearsal"),
    "another key": ([signed(summary(), THEIRS)], "other key", "signed by others than the given key or identity"),
    "a GO of another digest": ([signed(summary(digest=OTHER))], "other digest", "another digest or repository"),
    "a GO of another repository": ([signed(summary(repository=REPOSITORY + "-2"))], "other digest", "another"),
    "altered after it was signed": ([altered(NO_GO)], "tampered", "altered after it was signed"),
    "a night took it back": ([signed(summary(hours_ago=5)), signed(summary("NOT CLEAN"))], "superseded", "CVE-1"),
    "a NO-GO alone": ([NO_GO], "refused", "NO-GO"),
    "only INCOMPLETE": ([signed(summary("INCOMPLETE"))], "refused", "there is no GO"),
    "of tomorrow": ([signed(summary(hours_ago=-2))], "future", "in the future"),
    # Harmless: what does not take a GO away.
    "a NO-GO, then a GO": ([NO_GO, GO], "admitted", "valid until"),
    "a GO beside a stranger's NO-GO": ([GO, signed(summary("NO-GO", hours_ago=0), THEIRS)], "admitted", "GO of"),
    "a GO beside an older rehearsal": ([signed(summary("REHEARSAL PASSED", hours_ago=9)), GO], "admitted", "GO of"),
    "a GO, then a CLEAN night": ([GO, signed(summary("CLEAN", hours_ago=0))], "admitted", "GO of"),
    "a GO, then a night that knows nothing": ([GO, signed(summary("UNKNOWN", hours_ago=0))], "admitted", "GO of"),
    "a GO beside what is no bundle": ([GO, b"\x00", b"{}", b"[]"], "admitted", "GO of"),
    "another machine's clock is a minute ahead": ([signed(summary(hours_ago=-1 / 60))], "admitted", "GO of"),
    "NOT CLEAN, mended, a new GO": ([signed(summary("NOT CLEAN", hours_ago=9)), GO], "admitted", "GO of"),
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_answer(state: str) -> None:
    """The word, and a sentence that says why."""
    bundles, word, sentence = STATES[state]
    for order in (bundles, bundles[::-1]):
        answer = ask(*order)
        assert (answer.answer, answer.admitted) == (word, word == "admitted")
        assert sentence in answer.sentence


@given(st.binary(max_size=400))
def test_no_bytes_are_a_go(content: bytes) -> None:
    """Whatever is stored: it admits nothing, and raises nothing."""
    assert not ask(content).admitted


@given(st.data())
def test_a_changed_bundle_is_no_go(data: st.DataObject) -> None:
    """One byte of a signed GO is another: it admits only if what was signed is as it was."""
    place = data.draw(st.integers(0, len(GO) - 1))
    changed = GO[:place] + bytes([data.draw(st.integers(0, 255))]) + GO[place + 1 :]
    answer = ask(changed)
    assert not answer.admitted or answer.summary == summary()


@given(st.lists(st.sampled_from(sorted(STATES)), max_size=4), st.timedeltas(timedelta(hours=27), timedelta(days=9)))
def test_no_mixture_of_old_statements_is_a_go(names: list[str], later: timedelta) -> None:
    """Everything that was ever stored, replayed a day later, admits nothing."""
    bundles = [bundle for name in names for bundle in STATES[name][0]]
    found = [stated(each, OURS.public_key, DIGEST, REPOSITORY) for each in bundles]
    assert not decide(found, NOW + later).admitted


@pytest.mark.parametrize(
    "wrong",
    [lambda s: s.replace(b"PASSED", b"FAILED"), lambda s: s.replace(b'"verdict": "GO"', b'"verdict": "GOOD"'),
     lambda s: s.replace(b'"target": "aws"', b'"target": "local"')],
)  # fmt: skip
def test_a_statement_that_contradicts_itself_is_no_go(wrong: Callable[[bytes], bytes]) -> None:
    """Although it is signed by the right key: the signer's own defect is no yes."""
    from gate.attestation.summary import statement
    from gate.evidence.signature import bundled, sign

    made = statement(summary(), {}, {})
    assert wrong(made) != made
    assert ask(bundled(sign(wrong(made), OURS))).answer == "tampered"
