"""Which release may be promoted by name, and which release a night is about."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from gate.check import Rejection
from gate.errors import WrongUse
from gate.publish.earlier_runs import accepted_release, standing_tag
from gate.publish.promotion_checks import ReleaseTags, check_accepted
from gate.publish.promotion_record import tags_of_later
from gate.publish.publication import ACCEPTED, BEGUN, FILE, REFUSED, AcceptedRelease, Promotion
from gate.registry.repository import StoredImage
from gate.run.connections import Connections

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
OURS = Promotion("2026-01-02T03:04:05+00:00", "aws", "app", A, "v1.0.0", "latest", "", ACCEPTED)
TAGS = ReleaseTags("v1.0.0", "latest", "candidate")


@pytest.fixture
def run(tmp_path):
    """A run on AWS, with a reports folder."""
    return SimpleNamespace(reports=tmp_path, target="aws", release=SimpleNamespace(repository="app"))


@pytest.fixture
def leave(tmp_path, monkeypatch):
    """Leaves a run that released; it passes its own checks unless the test says otherwise."""
    objections = []
    result = SimpleNamespace(result=SimpleNamespace(rejections=objections))
    monkeypatch.setattr("gate.evidence.verify_run.verify", lambda _folder: (result,))

    def made(name, word="GO", kind="full", digest=A, **changed):
        folder = tmp_path / "runs" / name
        (folder / "evidence").mkdir(parents=True)
        (folder / "evidence" / FILE).write_text(json.dumps(asdict(replace(OURS, **changed))))
        release = {"digest": digest, "image_id": "sha256:i", "uncompressed_bytes": 5}
        (folder / "verdict.json").write_text(json.dumps({"verdict": word, "kind": kind, "release": release}))
        return folder

    made.objections = objections
    return made


def test_a_release_with_an_intact_go_is_found_by_its_tag(run, leave):
    """Other tags, places and repositories, and promotions by name, are passed over."""
    leave("1")
    leave("2", release_tag="v1.1.0", digest=B)
    leave("3", place="local")
    leave("4", repository="other")
    leave("5", by_name=True, state=REFUSED)
    assert accepted_release(run, "v1.0.0") == AcceptedRelease("v1.0.0", A, "sha256:i", 5, "1")


def test_a_rehearsal_is_promoted_by_a_rehearsal_that_passed(run, leave):
    """On the local target, and never by a GO of AWS."""
    run.target = "local"
    leave("1")
    with pytest.raises(WrongUse, match="no run that is recorded here has released it on local"):
        accepted_release(run, "v1.0.0")
    leave("2", word="REHEARSAL PASSED", place="local")
    assert accepted_release(run, "v1.0.0").run == "2"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"word": "NO-GO", "state": REFUSED, "reason": "AC7: critical"}, "ended with NO-GO, because of AC7: critical"),
        ({"state": BEGUN, "word": "INCOMPLETE"}, "ended with INCOMPLETE; only a recorded GO is promoted"),
        ({"word": "INCOMPLETE"}, "only a recorded GO"),
        ({"word": "REHEARSAL PASSED"}, "only a recorded GO"),
        ({"kind": "promotion"}, "only a recorded GO"),
        ({"digest": B}, "only a recorded GO"),
    ],
)
def test_the_last_run_that_released_it_must_have_said_go(run, leave, changed, said):
    """An earlier GO of the same tag does not help."""
    leave("1")
    leave("2", **changed)
    with pytest.raises(WrongUse, match=said):
        accepted_release(run, "v1.0.0")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"verdict": "GO"}'])
def test_a_verdict_that_cannot_be_read_is_no_go(run, leave, content):
    """It is named in one sentence."""
    (leave("1") / "verdict.json").write_text(content)
    with pytest.raises(WrongUse, match=r"--promote v1\.0\.0: .*verdict\.json"):
        accepted_release(run, "v1.0.0")


def test_evidence_that_was_altered_is_no_go(run, leave):
    """Whatever verdict.json says."""
    leave("1")
    leave.objections.append(Rejection("evidence/1.json was altered", "", ""))
    with pytest.raises(WrongUse, match=r"not as that run left it: evidence/1\.json was altered"):
        accepted_release(run, "v1.0.0")


def test_a_record_of_a_promotion_that_cannot_be_read_is_no_silence(run, leave):
    """It may be the one that refused the release."""
    leave("1")
    (leave("2") / "evidence" / FILE).write_text("{")
    with pytest.raises(WrongUse, match="cannot be read"):
        accepted_release(run, "v1.0.0")


def test_the_tag_in_the_registry_must_name_the_accepted_digest():
    """Moved, or gone, it is refused."""
    assert check_accepted(A, A, "v1.0.0").accepted
    for held, words in ((B, f"names {B}"), (None, "names nothing")):
        (rejection,) = check_accepted(held, A, "v1.0.0").rejections
        assert words in rejection.cause


def images(*tagged):
    """Images, each pushed a day after the one before: a digest and its tags."""
    first = datetime(2026, 1, 1, tzinfo=UTC)
    return tuple(
        StoredImage(digest, tags, 1, first + timedelta(days=number), "", "ACTIVE")
        for number, (digest, tags) in enumerate(tagged)
    )


V1, V2 = (A, ("v1.0.0",)), (B, ("v1.1.0",))
NEXT = replace(OURS, digest=B, release_tag="v1.1.0")


@pytest.mark.parametrize(
    ("stored", "promotions", "stands"),
    [
        (images((A, ("v1.0.0", "latest"))), (OURS,), "v1.0.0"),
        (images((A, ("v1.0.0", "latest"))), (), "v1.0.0"),
        (images(V1, (B, ("v1.1.0", "latest"))), (OURS, NEXT), "v1.1.0"),
        (images(V1, (B, ("v1.1.0", "latest", "candidate"))), (), "v1.1.0"),
        (images((A, ("v1.0.0", "latest")), V2), (OURS, NEXT, replace(OURS, by_name=True)), "v1.0.0"),
        (images((C, ("v0.9.0", "latest")), V1), (replace(OURS, digest=C, release_tag="v0.9.0"),), "v0.9.0"),
        (images((C, ("v0.9.0", "latest")), V1), (replace(OURS, state=REFUSED),), "v0.9.0"),
        (images((B, ("v1.1.0", "other", "latest")), V1), (replace(NEXT, digest=B),), "v1.1.0"),
        (images((A, ()), (B, ("v1.1.0", "nightly", "latest"))), (NEXT,), "v1.1.0"),
        (images(V1, (B, ("v1.1.0", "sha-0a1b2c3", "main", "latest"))), (), "v1.1.0"),
        (images(V1, (B, ("v1.1.0", "v1.2.0", "latest"))), (), "v1.0.0"),
        # Moved back by hand: the last accepted release is looked at, and the checks say where latest points.
        (images((A, ("v1.0.0", "latest")), V2), (OURS, NEXT), "v1.1.0"),
        (images((C, ("v0.9.0", "latest")), V1), (), "v1.0.0"),
        # Nothing is known of a release tag for it, or it is published under none.
        (images(V1, (B, ("latest",))), (OURS,), "v1.0.0"),
        (images(V1, (B, ("x", "y", "latest"))), (OURS,), "v1.0.0"),
        (images(V1), (OURS,), "v1.0.0"),
        ((), (), "v1.0.0"),
    ],
)
def test_a_night_is_about_the_release_that_the_rolling_tag_names(stored, promotions, stands):
    """By the records, or by the registry; never about an older one than the last accepted."""
    assert standing_tag(TAGS, stored, promotions) == stands


def test_what_was_refused_after_the_release_that_stands_is_told_under_its_own_tag():
    """Not what was refused before, and no promotion by name."""
    refused = replace(NEXT, state=REFUSED)
    assert tags_of_later((OURS, refused)) == ("v1.1.0",)
    assert tags_of_later((OURS, replace(NEXT, state=BEGUN))) == ("v1.1.0",)
    assert tags_of_later((refused, OURS)) == ()
    assert tags_of_later((OURS, replace(refused, by_name=True))) == ()


@dataclass(frozen=True)
class Stated:
    """The keys of pytest.ini that are about tags."""

    repository: str = "app"
    release_tag: str = "v1.0.0"
    rolling_tag: str = "latest"
    candidate_tag: str = "candidate"


@pytest.mark.parametrize("record", [None, "{"])
def test_a_night_says_that_it_is_about_another_release_than_pytest_ini_states(tmp_path, record):
    """Also where a record of a promotion cannot be read: that is the affair of the scenario about promotions."""
    if record:
        (tmp_path / "runs" / "1" / "evidence").mkdir(parents=True)
        (tmp_path / "runs" / "1" / "evidence" / FILE).write_text(record)
    said, recorded = [], []
    run = SimpleNamespace(
        release=Stated(), reports=tmp_path, target="aws", provenance="real", facts=SimpleNamespace(remarks=[]),
        started=datetime(2026, 1, 3, tzinfo=UTC), terminal=SimpleNamespace(progress=said.append),
        store=SimpleNamespace(record=lambda title, answer, **_: recorded.append(answer)),
    )  # fmt: skip
    stored = images(V1, (B, ("v1.1.0", "latest")))
    client = SimpleNamespace(release=run.release, tags=TAGS, ecr=SimpleNamespace(images=lambda: stored))
    Connections(run)._look_at_what_stands(client)
    assert (run.release.release_tag, client.release) == ("v1.1.0", run.release)
    assert said == run.facts.remarks
    assert f"pytest.ini states v1.0.0, and the release that stands is v1.1.0 ({B})" in said[0]
    assert recorded[0]["stands"] == "v1.1.0"


def test_a_night_about_the_release_that_pytest_ini_states_says_nothing(tmp_path):
    """It is the ordinary case."""
    run = SimpleNamespace(release=Stated(), reports=tmp_path, target="aws", started=datetime(2026, 1, 3, tzinfo=UTC))
    client = SimpleNamespace(tags=TAGS, ecr=SimpleNamespace(images=lambda: images((A, ("v1.0.0", "latest")))))
    Connections(run)._look_at_what_stands(client)
    assert run.release == Stated()
