"""Lifecycle policies: read strictly, evaluated as ECR does, played forward over the release."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.registry.lifecycle import UnreadablePolicy, evaluate, read_policy
from gate.registry.lifecycle_simulation import check_lifecycle
from gate.registry.repository import StoredImage

NOW = datetime(2025, 10, 18, 12, tzinfo=UTC)


def rule(priority=1, status="any", count=("imageCountMoreThan", 5), action="expire", **selection):
    """One rule of a policy."""
    kind, number = count
    unit = {} if kind == "imageCountMoreThan" else {"countUnit": "days"}
    chosen = {"tagStatus": status, "countType": kind, "countNumber": number, **unit, **selection}
    target = {"targetStorageClass": "archive"} if action == "transition" else {}
    return {"rulePriority": priority, "selection": chosen, "action": {"type": action, **target}}


def policy(*rules):
    """A policy as text."""
    return json.dumps({"rules": list(rules)})


def image(name, *tags, age=0, **more):
    """An image pushed some days ago."""
    return StoredImage(f"sha256:{name}", tags, 1, NOW - timedelta(days=age), "", "ACTIVE", **more)


RELEASE = image("release", "v1.0.0", "latest", "candidate")


def checked(text, *others, release=RELEASE):
    """What the check says of the release under this policy ("" for accepted)."""
    result = check_lifecycle(text, (release, *others), release.digest, ("latest", "candidate"), NOW, 100, 365)
    return "\n".join(map(str, result.rejections))


def test_row_10_any_tag_keep_the_newest_five_is_refused_after_five_more_pushes():
    """The rule of October 2025: the message names the release, the fifth push and the rule."""
    words = checked(policy(rule()))
    for each in ("expires the release", "v1.0.0", RELEASE.digest, "after 5 more pushes", "imageCountMoreThan 5"):
        assert each in words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (policy(rule(count=("imageCountMoreThan", 100))), "after 100 more pushes"),
        (policy(rule(count=("sinceImagePushed", 365))), "within 365 days"),
        (policy(rule(count=("sinceImagePulled", 30))), "within 365 days"),
        (policy(rule(count=("sinceImagePulled", 30), action="transition")), "archives the release"),
        (policy(rule(status="tagged", tagPrefixList=["v"], count=("imageCountMoreThan", 30))), "after 30 more pushes"),
        (policy(rule(status="tagged", tagPatternList=["v*.0"], count=("sinceImagePushed", 90))), "within 365 days"),
        (policy(rule(status="tagged", tagPatternList=["latest"], count=("sinceImagePushed", 90))), "within 365 days"),
        (policy(rule(status="tagged", tagPatternList=["v*", "l*"], count=("imageCountMoreThan", 3))), "after 3 more"),
        (policy(rule(1, "tagged", tagPrefixList=["dev"]), rule(2)), "rule 2"),
    ],
)
def test_policies_that_end_the_release_in_time_are_refused(text, words):
    """By count, by age, by pulls; by prefix or pattern; while it is `latest` or after; expired or archived."""
    assert words in checked(text)


@pytest.mark.parametrize(
    "text",
    [
        None,
        policy(),
        policy(rule(count=("imageCountMoreThan", 101))),
        policy(rule(count=("sinceImagePushed", 366))),
        policy(rule(status="untagged", count=("sinceImagePushed", 1))),
        policy(rule(status="tagged", tagPrefixList=["dev-"], count=("imageCountMoreThan", 1))),
        policy(rule(status="tagged", tagPatternList=["v2*"])),
        policy(rule(status="tagged", tagPatternList=["v1.0.0"], count=("imageCountMoreThan", 1))),
        policy(rule(status="tagged", tagPatternList=["v*", "dev*"])),
        policy(rule(1, "tagged", ("imageCountMoreThan", 999), tagPrefixList=["v"]), rule(2)),
        policy(rule(storageClass="archive", count=("sinceImageTransitioned", 90))),
    ],
)
def test_policies_that_spare_the_release_are_accepted(text):
    """Other tags, longer times, and a rule of its own before a greedy one are no false alarm."""
    assert checked(text) == ""


def test_a_rule_that_a_lower_number_shields_from_is_found_by_priority_and_not_by_place():
    """The order of the rules in the text does not matter; their priorities do."""
    shield = rule(1, "tagged", ("imageCountMoreThan", 999), tagPrefixList=["v"])
    greedy = rule(2, count=("imageCountMoreThan", 1))
    assert checked(policy(greedy, shield)) == ""
    assert "rule 1" in checked(policy({**shield, "rulePriority": 3}, {**greedy, "rulePriority": 1}))


def test_newer_images_that_are_there_already_count():
    """With three newer images, two more pushes are enough for a rule that keeps five."""
    newer = [image(f"n{n}", f"x{n}", age=-1) for n in range(3)]
    assert "after 2 more pushes" in checked(policy(rule()), *newer)
    assert "now, at its next evaluation" in checked(policy(rule(count=("imageCountMoreThan", 3))), *newer)


def test_age_counts_from_the_push():
    """An image that is 20 days old has 345 days left under a 365-day rule."""
    old = image("release", "v1.0.0", age=20)
    assert "within 365 days" in checked(policy(rule(count=("sinceImagePushed", 385))), release=old)
    assert checked(policy(rule(count=("sinceImagePushed", 386))), release=old) == ""
    assert "now" in checked(policy(rule(count=("sinceImagePushed", 20))), release=old)


def test_a_release_that_is_not_there_is_refused():
    """Nothing can be said about an image that ECR does not list."""
    result = check_lifecycle(None, (), "sha256:gone", (), NOW, 100, 365)
    assert "sha256:gone is not among" in str(result.rejections[0])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "{}",
        '{"rules": {}}',
        '{"rules": [], "more": 1}',
        policy({}),
        policy(rule(), rule()),
        policy({**rule(), "surprise": 1}),
        policy(rule(novelty=1)),
        policy(rule(status="sometimes")),
        policy(rule(status="tagged")),
        policy(rule(status="any", tagPrefixList=["v"])),
        policy(rule(status="tagged", tagPrefixList="v")),
        policy(rule(status="tagged", tagPrefixList=["v*"])),
        policy(rule(status="tagged", tagPatternList=[""])),
        policy(rule(count=("imageCountMoreThan", 0))),
        policy(rule(count=("imageCountMoreThan", "5"))),
        policy(rule(count=("imageCountMoreThan", True))),
        policy(rule(count=("sinceForever", 5))),
        policy(rule(count=("sinceImagePushed", 5), countUnit="weeks")),
        policy(rule(storageClass="cellar")),
        policy({**rule(), "action": {"type": "delete"}}),
        policy({**rule(), "action": {"type": "transition", "targetStorageClass": "tape"}}),
        policy({**rule(), "action": None}),
        "[" * 100_000,
    ],
)
def test_a_policy_with_anything_unknown_is_a_no_go(text):
    """What cannot be read for certain is not taken for harmless."""
    with pytest.raises(UnreadablePolicy):
        read_policy(text)
    assert checked(text)


def test_an_image_belongs_to_the_first_rule_that_selects_it_and_is_still_counted_by_later_ones():
    """ECR's two sentences about priorities, on three images."""
    rules = read_policy(
        policy(
            rule(1, "tagged", ("imageCountMoreThan", 1), tagPrefixList=["p"]),
            rule(2, "any", ("imageCountMoreThan", 2)),
        )
    )
    images = [
        image("new", "x", age=1),
        image("p-new", "p2", age=2),
        image("p-old", "p1", age=3),
        image("old", "y", age=4),
    ]
    fate = {digest: acting.priority for digest, acting in evaluate(rules, images, NOW).items()}
    # "old" is the fourth by age, so rule 2 ends it; "p-old" is rule 1's, and "p-new" is nobody's to end but rule 1's.
    assert fate == {"sha256:p-old": 1, "sha256:old": 2}


def test_a_thousand_images_and_fifty_rules_are_judged_quickly():
    """ECR's own limit of rules on a full repository takes seconds at most."""
    rules = [rule(n, "tagged", ("imageCountMoreThan", 9), tagPatternList=[f"team{n}-*"]) for n in range(1, 50)]
    others = [image(f"o{n}", f"team{n % 49}-{n}", age=n) for n in range(1000)]
    began = time.monotonic()
    assert "after" in checked(policy(*rules, rule(50)), *others)
    assert time.monotonic() - began < 5


def readable(text):
    """Whether the text is a policy."""
    try:
        read_policy(text)
    except UnreadablePolicy:
        return False
    return True


COUNTS = st.tuples(st.sampled_from(["imageCountMoreThan", "sinceImagePushed"]), st.integers(1, 400))
TAGGED = st.lists(st.sampled_from(["v", "v1", "l", "dev"]), min_size=1, max_size=2)
ANY_RULE = st.one_of(
    st.builds(lambda count: rule(1, "any", count), COUNTS),
    st.builds(lambda count: rule(1, "untagged", count), COUNTS),
    st.builds(lambda count, tags: rule(1, "tagged", count, tagPrefixList=tags), COUNTS, TAGGED),
)
POLICIES = st.lists(ANY_RULE, max_size=4).map(
    lambda rules: policy(*({**each, "rulePriority": place} for place, each in enumerate(rules, 1)))
)


@given(POLICIES, st.integers(0, 100), st.integers(0, 365))
def test_no_push_and_no_day_within_the_horizon_ends_an_accepted_release(text, pushes, days):
    """Whatever the policy: if the check says yes, then ECR's evaluation at any point on the way spares the release."""
    if checked(text):
        return
    rules = read_policy(text)
    at = NOW + timedelta(days=days)
    for standing in (RELEASE, StoredImage(RELEASE.digest, ("v1.0.0",), 1, NOW, "", "ACTIVE")):
        later = [image(f"p{n}", f"v1.{n}", f"l{n}", f"dev{n}", age=-1) for n in range(pushes)]
        assert RELEASE.digest not in evaluate(rules, [standing, *later], at)


@given(
    st.text()
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda i: (
            st.lists(i)
            | st.dictionaries(
                st.sampled_from(["rules", "selection", "action", "rulePriority", "tagStatus", "countType"]), i
            )
        ),
    ).map(json.dumps)
)
def test_foreign_text_never_crashes_the_judge(text):
    """Anything that is no policy gets a sentence."""
    assert readable(text) or checked(text)


def referrers(subject, *kinds, age=0):
    """What signing stores beside an image, a minute later: untagged, or under cosign's tags."""
    at, signature = NOW - timedelta(days=age) + timedelta(minutes=1), "application/vnd.cncf.notary.signature"
    return [
        StoredImage(f"sha256:{subject}-{number}", (kind,) if kind else (), 4000, at, "", "ACTIVE",
                    artifact_type=signature, subject="" if kind else f"sha256:{subject}")
        for number, kind in enumerate(kinds)
    ]  # fmt: skip


HEX = "ab" * 32


@pytest.mark.parametrize(
    ("text", "others", "words"),
    [
        # One signature with each push: a rule that keeps 101 lasts for 50 pushes, not for 100.
        (policy(rule(count=("imageCountMoreThan", 101))), referrers("release", ""), "after 50 more pushes"),
        (policy(rule(count=("imageCountMoreThan", 9))), referrers("release", "", ""), "after 3 more pushes"),
        # Signatures of an older image tell what the next pushes will store, before the release has its own.
        (policy(rule(count=("imageCountMoreThan", 150))), [image("old", "v0.9", age=9), *referrers("old", "", age=9)],
         "after 75 more pushes"),
        # A signature of an SBOM is stored as well.
        (policy(rule(count=("imageCountMoreThan", 12))), [*referrers("release", ""), *referrers("release-0", "", "")],
         "after 3 more pushes"),
    ],
)  # fmt: skip
def test_the_forecast_counts_what_each_push_really_stores(text, others, words):
    """ECR counts a signature as an image of its own."""
    assert words in checked(text, *others)
    assert "signatures" in checked(text, *others)


def test_a_referrer_counts_only_where_the_rule_selects_it():
    """Cosign's tags meet a rule for every tag, and none for release tags; untagged referrers meet neither."""
    release = StoredImage(f"sha256:{HEX}", ("v1.0.0", "latest"), 1, NOW, "", "ACTIVE")
    cosign, managed = referrers("x", f"sha256-{HEX}.sig"), referrers(HEX, "")
    every_tag = policy(rule(status="tagged", tagPatternList=["*"], count=("imageCountMoreThan", 150)))
    release_tags = policy(rule(status="tagged", tagPrefixList=["v"], count=("imageCountMoreThan", 101)))
    assert "after 75 more pushes" in checked(every_tag, *cosign, release=release)
    assert checked(every_tag, *managed, release=release) == ""
    assert checked(release_tags, *cosign, *managed, release=release) == ""
    assert checked(policy(rule(count=("imageCountMoreThan", 202))), *managed, release=release) == ""


def test_signatures_of_long_ago_and_of_what_is_gone_are_no_measure():
    """What the recent pushes store is; a repository that signed once does not sign for ever."""
    recent = [image(f"r{n}", f"v0.{n}", age=n) for n in range(1, 6)]
    old = [image("old", "v0.0.1", age=100), *referrers("old", "", "", "", age=100), *referrers("gone", "", age=1)]
    assert checked(policy(rule(count=("imageCountMoreThan", 111))), *recent, *old) == ""


def test_what_was_restored_from_the_archive_counts_from_then():
    """ECR's guide: `last_activated_at` is taken for the time of the push, and of the last pull."""
    restored = image("release", "v1.0.0", age=400, activated_at=NOW)
    assert checked(policy(rule(count=("sinceImagePushed", 380))), release=restored) == ""
    assert "within 365 days" in checked(policy(rule(count=("sinceImagePulled", 300))), release=restored)
    newer = [image(f"n{n}", f"x{n}", age=3) for n in range(4)]
    assert "after 5 more pushes" in checked(policy(rule(count=("imageCountMoreThan", 5))), *newer, release=restored)
