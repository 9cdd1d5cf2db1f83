"""A promotion is on record from before its first tag, and what was never accepted is told until it is gone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from gate.errors import AwsRefused, EvidenceDamaged
from gate.evidence.redact import Redactor
from gate.evidence.store import EvidenceStore
from gate.publish import promotion_record
from gate.publish.promotion_record import check_release_before, check_unaccepted, release_before, unaccepted
from gate.publish.publication import ACCEPTED, BEGUN, FILE, REFUSED, Promotion
from gate.registry.repository import StoredImage
from gate.run.model import Facts
from gate.verdict import Verdict

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
TAGS = ("v1.0.0", "latest")
CREATED = datetime(2025, 10, 1, 9, tzinfo=timezone(timedelta(hours=9)))
OURS = Promotion("2026-01-02T03:04:05+00:00", "aws", "app", A, "v1.0.0", "latest", B)


class Registry:
    """A registry of which only the tags are known; it stands for the publisher too."""

    def __init__(self, **naming):
        self.naming, self.refuses = dict(naming), False

    def images(self):
        """An image for each tag."""
        return [SimpleNamespace(digest=digest, tags=(tag,)) for tag, digest in self.naming.items()]

    def put_back(self, digest, tag):
        """Move a tag."""
        if self.refuses:
            raise AwsRefused("PutImage was refused", remedy="see")
        self.naming[tag] = digest


def run_in(folder, minute=5, kind="full", place="aws"):
    """A run of its own folder, begun at this minute."""
    started = datetime(2026, 1, 2, 3, minute, tzinfo=UTC)
    kept = folder / "runs" / f"{started:%Y%m%dT%H%M}" / "evidence"
    store = EvidenceStore(folder / "evidence", "aws", Redactor(), kept=kept)
    release = SimpleNamespace(repository="app", release_tag="v1.0.0", rolling_tag="latest", candidate_tag="candidate")
    return SimpleNamespace(started=started, target=place, promotes=False,
                           release=release, store=store, facts=Facts(), errors=[],
                           reports=folder, kind=kind)  # fmt: skip


def pushed(digest, **naming):
    """The candidate, and what the tags named before it."""
    return SimpleNamespace(
        digest=digest, before=SimpleNamespace(naming=lambda: naming, repository=SimpleNamespace(created_at=CREATED))
    )


def verdict(word, *reasons):
    """A verdict."""
    return Verdict(word, 0 if word == "GO" else 1, reasons, {}, ())


def test_a_promotion_is_on_disk_before_the_first_tag_and_settled_with_the_verdict(tmp_path):
    """Each of its states survives the run."""
    run = run_in(tmp_path)
    promotion_record.begin(run, pushed(A, latest=B), promotion_record.read_all(run))
    (left,) = promotion_record.read_all(run_in(tmp_path, 9))
    assert (left.state, left.rolling_before, left.tags) == (BEGUN, B, ("v1.0.0", "latest"))
    promotion_record.settle(run, verdict("NO-GO", "AC2: both tags"))
    (left,) = promotion_record.read_all(run_in(tmp_path, 9))
    assert (left.state, left.reason) == (REFUSED, "AC2: both tags")
    promotion_record.settle(run, verdict("GO"))
    assert promotion_record.read_all(run_in(tmp_path, 9))[0].state == ACCEPTED


def test_a_run_that_gave_no_tag_leaves_no_record(tmp_path):
    """There is nothing to explain."""
    run = run_in(tmp_path)
    promotion_record.settle(run, verdict("NO-GO", "AC5"))
    assert promotion_record.read_all(run_in(tmp_path, 9)) == ()


@pytest.mark.parametrize(
    ("naming", "left", "said"),
    [
        ({"v1.0.0": A, "latest": A}, {"v1.0.0": A, "latest": B}, f"v1.0.0 names the refused {A}; latest was put back"),
        ({"v1.0.0": A, "latest": B}, {"v1.0.0": A, "latest": B}, f"latest names {B}"),
        ({"latest": B}, {"latest": B}, "v1.0.0 names nothing"),
        ({"v1.0.0": A, "latest": C}, {"v1.0.0": A, "latest": C}, f"latest names {C}"),
    ],
    ids=["both given", "cut between the tags", "before the first", "somebody moved it since"],
)
def test_a_refused_release_gives_latest_back_wherever_it_ended(tmp_path, naming, left, said):
    """Only what names the refused digest is moved, and only to what it named before."""
    run, registry = run_in(tmp_path), Registry(**naming)
    promotion_record.begin(run, pushed(A, latest=B), promotion_record.read_all(run))
    promotion_record.withdraw(run, registry, registry)
    assert registry.naming == left
    assert said in run.facts.standing
    assert run.facts.tags == tuple(sorted(tag for tag, digest in left.items() if digest == A))


def test_a_first_release_has_nothing_to_go_back_to(tmp_path):
    """The page says so."""
    run, registry = run_in(tmp_path), Registry(**{"v1.0.0": A, "latest": A})
    promotion_record.begin(run, pushed(A), promotion_record.read_all(run))
    promotion_record.withdraw(run, registry, registry)
    assert "nothing to put it back to" in run.facts.standing
    assert registry.naming == {"v1.0.0": A, "latest": A}


def test_a_tag_that_cannot_be_put_back_is_part_of_the_verdict(tmp_path):
    """And of the page."""
    run, registry = run_in(tmp_path), Registry(**{"v1.0.0": A, "latest": A})
    promotion_record.begin(run, pushed(A, latest=B), promotion_record.read_all(run))
    registry.refuses = True
    promotion_record.withdraw(run, registry, registry)
    assert run.errors == ["latest could not be put back: PutImage was refused"]
    assert run.facts.standing == run.errors[0]


def test_after_a_kill_the_next_run_goes_back_to_the_last_accepted_digest(tmp_path):
    """Not to what the killed run had given the tag to, however many were killed."""
    promotion_record.begin(run_in(tmp_path, 1), pushed(A, latest=B), ())
    promotion_record.begin(run_in(tmp_path, 2), pushed(C, **{"latest": A, "v1.0.0": A}), ())
    last = run_in(tmp_path, 3)
    promotion_record.begin(last, pushed(C, **{"latest": C, "v1.0.0": A}), promotion_record.read_all(last))
    assert last.facts.promotion.rolling_before == B


def test_the_same_image_released_again_is_no_state_to_go_back_to(tmp_path):
    """An accepted release that is checked again and refused then stays where it is."""
    run = run_in(tmp_path)
    promotion_record.begin(run, pushed(A, latest=A), promotion_record.read_all(run))
    assert run.facts.promotion.rolling_before == ""


def test_only_what_a_tag_still_names_and_nobody_accepted_stands():
    """A later record of the same digest counts; another place or a moved tag does not."""
    refused, accepted = replace(OURS, state=REFUSED), replace(OURS, state=ACCEPTED)
    assert unaccepted([refused], {"latest": A}, TAGS) == (refused,)
    assert unaccepted([refused, accepted], {"latest": A}, TAGS) == ()
    assert unaccepted([accepted, refused], {"latest": A}, TAGS) == (refused,)
    assert unaccepted([OURS], {"v1.0.0": A}, TAGS) == (OURS,)
    assert unaccepted([OURS], {"v1.0.0": B, "latest": C}, TAGS) == ()
    assert unaccepted([OURS], {"v1.0.0": A, "v1.0.1": B, "latest": B}, ("v1.0.1", "latest")) == (), "it is superseded"


def test_a_refused_or_unfinished_release_behind_a_tag_is_refused_every_night():
    """Both states, with the tags that name it; not when the run itself releases that digest."""
    for state, words in ((REFUSED, "was refused (AC7 said no)"), (BEGUN, "was cut short before its verdict")):
        left = replace(OURS, state=state, reason="AC7 said no" if state == REFUSED else "")
        (rejection,) = check_unaccepted((left,), {"v1.0.0": A, "latest": A}, TAGS, "").rejections
        assert words in rejection.cause
        assert "v1.0.0 and latest name it" in rejection.cause
        assert check_unaccepted((left,), {"v1.0.0": A}, TAGS, A).accepted
    assert check_unaccepted((OURS,), {"v1.0.0": B}, TAGS, "").accepted
    assert check_unaccepted((), {"v1.0.0": A}, TAGS, "").accepted


@pytest.mark.parametrize("content", ["", "[]", '{"run": 1}', '{"state": "maybe"}'])
def test_a_record_that_cannot_be_read_is_no_silence(tmp_path, content):
    """What it would say may be a refusal."""
    run = run_in(tmp_path)
    promotion_record.begin(run, pushed(A), promotion_record.read_all(run))
    (run.store.kept / FILE).write_text(content)
    with pytest.raises(EvidenceDamaged, match="earlier promotion cannot be read"):
        promotion_record.read_all(run_in(tmp_path, 9))


def test_another_place_or_repository_has_its_own_promotions(tmp_path):
    """A rehearsal's refusal says nothing about AWS."""
    promotion_record.begin(run_in(tmp_path, 1, place="local"), pushed(A), ())
    assert promotion_record.read_all(run_in(tmp_path, 9)) == ()


def test_an_incomplete_rehearsal_keeps_its_tag_and_an_incomplete_release_does_not(tmp_path):
    """On AWS only a GO stays behind `latest`."""
    assert not promotion_record.is_refused(run_in(tmp_path, place="local"), verdict("INCOMPLETE"))
    assert promotion_record.is_refused(run_in(tmp_path), verdict("INCOMPLETE"))


def test_the_release_before_is_the_last_accepted_of_another_digest_in_this_repository(tmp_path):
    """Refused ones, the digest itself, and those of a repository that was made anew since are passed over."""
    promotion_record.begin(run_in(tmp_path, 1), pushed(A), ())
    (recorded,) = promotion_record.read_all(run_in(tmp_path, 9))
    first = replace(recorded, state=ACCEPTED)
    second = replace(first, digest=B, release_tag="v1.1.0")
    created = CREATED.astimezone(UTC)
    assert release_before((first, second), C, created) == second
    assert release_before((first, second), B, created) == first
    assert release_before((first, replace(second, state=REFUSED)), C, created) == first
    assert release_before((first, replace(second, repository_created="")), C, created) == first
    assert release_before((first, second), C, created + timedelta(seconds=1)) is None
    assert release_before((first,), A, created) is None
    assert release_before((), A, created) is None


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (None, "is not in the registry"),
        (StoredImage(A, ("v1.0.0",), 1, CREATED, "", "ARCHIVED"), "has the status ARCHIVED"),
        (StoredImage(A, ("other",), 1, CREATED, "", "ACTIVE"), "does not carry its tag v1.0.0"),
        (StoredImage(A, ("v1.0.0", "old"), 1, CREATED, "", "ACTIVE"), ""),
    ],
)
def test_the_release_before_must_be_there_to_go_back_to(image, words):
    """Under its own tag, and so that it can be pulled."""
    found = check_release_before(OURS, image)
    assert found.accepted is not bool(words)
    assert not words or words in found.rejections[0].cause


def test_a_record_whose_moment_cannot_be_read_is_no_silence(tmp_path):
    """Of when the repository was created."""
    run = run_in(tmp_path)
    promotion_record.begin(run, pushed(A), ())
    path = run.store.kept / promotion_record.FILE
    path.write_text(path.read_text().replace(CREATED.isoformat(), "long ago"))
    with pytest.raises(EvidenceDamaged, match="long ago"):
        promotion_record.read_all(run_in(tmp_path, 9))
