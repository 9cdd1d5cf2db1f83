"""`make verify` and `make admit` agree: what a folder proves and what its statements in the registry allow is the same.

Folders and registries are drawn: forged, swapped, dropped, aged and replayed, with the key and without it.
"""

from __future__ import annotations

import base64
import json
import tempfile
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from gate.attestation.admission import decide, stated
from gate.attestation.attach import _summary
from gate.attestation.summary import Summary, statement
from gate.evidence.__main__ import main
from gate.evidence.signature import bundled, sign
from gate.evidence.store import ENVELOPE
from gate.verdict import CRITERIA
from tests.attestation.signers import DIGEST, NOW, OTHER, OURS, REPOSITORY, THEIRS, signed, summary, write_keys
from tests.evidence.conftest import DIGEST as OF_THE_RUN
from tests.evidence.conftest import ENDED as WHEN
from tests.evidence.conftest import REPOSITORY as RUNS_REPOSITORY
from tests.evidence.conftest import edit, leave, run_record, seal_again

ENDED = datetime.fromisoformat(WHEN)
DAMAGE = ("none", "word", "validity", "digest", "signature dropped", "another folder's signature")


@dataclass(frozen=True)
class Drawn:
    """A run, who signed it, what became of it, and when it is asked about.

    Attributes:
        outcome: passed, or the way in which it did not.
        damage: what somebody without the key did to folder and registry.
        sealed: whether he made every hash of the folder fit again.
    """

    target: str
    outcome: str
    signer: str
    damage: str
    sealed: bool
    age: timedelta


RUNS = st.builds(
    Drawn,
    target=st.sampled_from(["aws", "aws", "local"]),
    outcome=st.sampled_from(["passed", "passed", "failed", "partial"]),
    signer=st.sampled_from(["ours", "ours", "theirs", "nobody"]),
    damage=st.sampled_from(("none", "none", *DAMAGE)),
    sealed=st.booleans(),
    age=st.one_of(st.just(timedelta(hours=22)), st.timedeltas(timedelta(hours=-40), timedelta(hours=60))),
)


def outcomes(drawn: Drawn) -> dict[str, Any]:
    """What the run's record says otherwise than a good run's."""
    whole = run_record(target=drawn.target)
    failed = tuple(
        replace(each, status="failed") if each.criterion == max(CRITERIA) else each for each in whole.outcomes
    )
    changed = {"passed": {}, "failed": {"outcomes": failed}, "partial": {"kind": "partial"}}[drawn.outcome]
    return {"target": drawn.target, **changed}


def key_of(name: str, folder: Path) -> Path | None:
    """The private key's file."""
    (folder / name).mkdir(exist_ok=True)
    key = {"ours": OURS, "theirs": THEIRS}.get(name)
    return write_keys(folder / name, key._private_key)[0] if key else None


def damaged(bundle: bytes, damage: str) -> list[bytes]:
    """What stands in the registry after somebody without the key did the same to it as to the folder."""
    if damage in ("none", "another folder's signature", "signature dropped"):
        return [bundle] if damage == "none" else []
    found = json.loads(bundle)
    payload = json.loads(base64.b64decode(found["dsseEnvelope"]["payload"]))
    own = payload["predicate"]["releaseGate"]
    if damage == "word":
        own.update(verdict="GO", target="aws", validUntil=(ENDED + timedelta(days=9)).isoformat())
        payload["predicate"]["verificationResult"] = "PASSED"
    elif damage == "validity":
        own["validUntil"] = "2030-01-01T00:00:00+00:00"
    else:
        payload["subject"][0]["digest"]["sha256"] = "a" * 64
    found["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    return [json.dumps(found).encode()]


def damage_folder(folder: Path, drawn: Drawn, elsewhere: Path) -> None:
    """The same to the folder."""
    changes: dict[str, Any] = {
        "word": lambda v: v.update(verdict="GO"),
        "validity": lambda v: v.update(valid_until="2030-01-01T00:00:00+00:00"),
        "digest": lambda v: v["release"].update(digest="sha256:" + "a" * 64),
    }
    envelope = (folder / ENVELOPE).read_bytes() if (folder / ENVELOPE).exists() else None
    if drawn.damage in changes:
        edit(folder / "verdict.json", changes[drawn.damage])
    if drawn.damage == "signature dropped":
        (folder / ENVELOPE).unlink(missing_ok=True)
    if drawn.damage == "another folder's signature":
        (folder / ENVELOPE).write_bytes((elsewhere / ENVELOPE).read_bytes())
    if drawn.sealed and drawn.damage in changes:
        seal_again(folder)
        if envelope:
            (folder / ENVELOPE).write_bytes(envelope)


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RUNS)
def test_verify_and_admit_agree_about_a_run(drawn: Drawn) -> None:
    """A GO that can be relied on is one for both; whatever else it is, it is one for neither."""
    with tempfile.TemporaryDirectory() as place:
        at = Path(place)
        (at / "ours").mkdir()
        public = write_keys(at / "ours", OURS._private_key)[1]
        folder = leave(at / "run", key_of(drawn.signer, at), **outcomes(drawn))
        document = json.loads((folder / "verdict.json").read_text())
        run: Any = SimpleNamespace(facts=SimpleNamespace(digest=OF_THE_RUN), target=drawn.target,
                                   release=SimpleNamespace(repository_uri=RUNS_REPOSITORY))  # fmt: skip
        said = _summary(run, document)
        bundles = stored(said, drawn)
        elsewhere = leave(at / "other", key_of("ours", at), target="local")
        damage_folder(folder, drawn, elsewhere)
        now = ENDED + drawn.age
        code = main(
            [str(folder), "--key", str(public), "--expect", "GO", "--digest", OF_THE_RUN, "--target", "aws"], now
        )
        found = [stated(each, OURS.public_key, OF_THE_RUN, RUNS_REPOSITORY) for each in bundles]
        answer = decide(found, now)
    event(f"admitted: {answer.admitted}")
    assert (code == 0) == answer.admitted, (drawn, code, answer)


def stored(said: Summary, drawn: Drawn) -> list[bytes]:
    """The run's statement in the registry; nobody stores one that nobody signed, or of a part."""
    signer = {"ours": OURS, "theirs": THEIRS}.get(drawn.signer)
    if signer is None or drawn.outcome == "partial":
        return []
    return damaged(bundled(sign(statement(said, {}, {}), signer)), drawn.damage)


DECISIVE = ("GO", "NO-GO", "NOT CLEAN")


class Registry(RuleBasedStateMachine):
    """A repository to which statements are pushed by anybody, deleted, copied from elsewhere and kept for days."""

    history: Any = Bundle("history")

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.stored: list[bytes] = []
        # What the gate itself said of this digest and is still stored: the only thing that may count.
        self.ours: list[Summary] = []

    @rule(target=history, verdict=st.sampled_from([*DECISIVE, "REHEARSAL PASSED", "INCOMPLETE", "UNKNOWN", "CLEAN"]))
    def the_gate_speaks(self, verdict: str) -> tuple[bytes, Summary]:
        """A run ends now, and stores what it says."""
        said = summary(
            verdict, made_at=self.now, valid_until=self.now + timedelta(hours=24) if verdict == "GO" else None
        )
        self._store(signed(said), said)
        return signed(said), said

    @rule(verdict=st.sampled_from(DECISIVE), ahead=st.integers(-48, 48))
    def a_stranger_speaks(self, verdict: str, ahead: int) -> None:
        """With a key of his own."""
        self.stored.append(signed(replace(summary(verdict), made_at=self.now + timedelta(hours=ahead)), THEIRS))

    @rule(what=history, word=st.sampled_from([b"GO", b"NO-GO"]))
    def somebody_forges(self, what: tuple[bytes, Summary], word: bytes) -> None:
        """Another word and a longer validity under the signature of an old statement."""
        found = json.loads(what[0])
        payload = json.loads(base64.b64decode(found["dsseEnvelope"]["payload"]))
        until = (self.now + timedelta(days=9)).isoformat()
        payload["predicate"]["releaseGate"] |= {"verdict": word.decode(), "target": "aws", "validUntil": until}
        payload["predicate"] |= {"timeVerified": self.now.isoformat(),
                                 "verificationResult": "PASSED" if word == b"GO" else "FAILED"}  # fmt: skip
        content = json.dumps(payload).encode()
        found["dsseEnvelope"]["payload"] = base64.b64encode(content).decode()
        self.stored.append(json.dumps(found).encode())

    @rule(verdict=st.sampled_from(DECISIVE), of=st.sampled_from([{"digest": OTHER}, {"repository": REPOSITORY + "-2"}]))
    def somebody_swaps(self, verdict: str, of: dict[str, str]) -> None:
        """The gate's own statement about another image, or another repository, is stored here."""
        until = self.now + timedelta(hours=24) if verdict == "GO" else None
        self.stored.append(signed(summary(verdict, made_at=self.now, valid_until=until, **of)))

    @rule(what=history)
    def somebody_replays(self, what: tuple[bytes, Summary]) -> None:
        """What was said of this digest once is stored once more."""
        self._store(*what)

    @rule(what=consumes(history))
    def somebody_deletes(self, what: tuple[bytes, Summary]) -> None:
        """Every copy of a statement."""
        self.stored = [each for each in self.stored if each != what[0]]
        self.ours = [each for each in self.ours if each != what[1]]

    @rule(hours=st.floats(0.1, 30))
    def time_passes(self, hours: float) -> None:
        """And a GO ends."""
        self.now += timedelta(hours=hours)

    @invariant()
    def only_the_last_word_of_the_gate_counts(self) -> None:
        """Whatever anybody did, and in whatever order it is listed."""
        decisive = sorted((each for each in self.ours if each.verdict in DECISIVE), key=lambda each: each.made_at)
        last = decisive[-1] if decisive else None
        due = bool(last and last.verdict == "GO" and last.valid_until and last.valid_until > self.now)
        for order in (self.stored, self.stored[::-1]):
            found = [stated(each, OURS.public_key, DIGEST, REPOSITORY) for each in order]
            # Two words of one moment: no clock of a registry tells which was the later.
            if len({each.verdict for each in decisive if last and each.made_at == last.made_at}) < 2:
                assert decide(found, self.now).admitted == due

    def _store(self, bundle: bytes, said: Summary) -> None:
        self.stored.append(bundle)
        self.ours.append(said)


TestRegistry = Registry.TestCase
TestRegistry.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
