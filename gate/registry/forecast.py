"""Whether the release outlives the repository's lifecycle policy: the policy played forward. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gate.judgement import ACCEPTED, Judgement, Rejection, judge, reject
from gate.registry.lifecycle import Rule, UnreadablePolicy, evaluate, read_policy
from gate.registry.repository import StoredImage

_START = datetime(2025, 1, 1, tzinfo=UTC)


def _known_bad() -> tuple[str, tuple[StoredImage, ...], str, tuple[str, ...], datetime]:
    keep_five = (
        '{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan",'
        ' "countNumber": 5}, "action": {"type": "expire"}}]}'
    )
    image = StoredImage("sha256:" + "a" * 64, ("v1.0.0", "latest"), 1, _START, "", "ACTIVE")
    return keep_five, (image,), image.digest, ("latest",), _START


@judge(2, known_bad=_known_bad)
def judge_lifecycle(
    policy: str | None,
    images: Sequence[StoredImage],
    released: str,
    rolling: tuple[str, ...],
    now: datetime,
    pushes: int = 100,
    days: int = 365,
) -> Judgement:
    """Whether no lifecycle rule expires or archives the release within so many pushes or days.

    Every future is the worst that the pushes can make it: each pushed image meets the tag requirements of the
    rule that the release belongs to, and none of them has been expired before the release is looked at.

    Args:
        policy: the repository's lifecycle policy, None if it has none.
        images: all images of the repository now.
        released: the digest of the release.
        rolling: the tags that the next push takes away from the release.
        now: the moment of judgement (UTC).
        pushes: how many future pushes the release must outlive.
        days: how many days the release must outlive.
    """
    where = "the repository's lifecycle policy"
    try:
        rules = read_policy(policy)
    except UnreadablePolicy as error:
        return reject(str(error), where, "correct the policy, or have this gate taught the new property")
    release = next((image for image in images if image.digest == released), None)
    if release is None:
        return reject(f"The release {released} is not among the repository's images", "DescribeImages",
                      "find out in CloudTrail who deleted it, and release again")  # fmt: skip
    others = [image for image in images if image.digest != released]
    alone = replace(release, tags=tuple(tag for tag in release.tags if tag not in rolling))
    for standing in (release, alone):
        ended = _ends(rules, standing, others, now, pushes, days)
        if ended:
            return _verdict(*ended, release, where)
    return ACCEPTED


def _ends(
    rules: Sequence[Rule], release: StoredImage, others: list[StoredImage], now: datetime, pushes: int, days: int
) -> tuple[Rule, int, int] | None:
    """The rule that ends the release, after how many pushes and days; the earliest found. None if none does."""
    # Only the first rule that selects an image can act on it, and it counts whatever it selects: no other matters.
    owner = next((rule for rule in rules if rule.selects(release)), None)
    if owner is None:
        return None
    coming = _pushes(owner, release, now, pushes)

    def ended(count: int, at: datetime) -> bool:
        return release.digest in evaluate([owner], [release, *others, *coming[:count]], at)

    if ended(len(coming), now):
        # No push saves an image, so the first that ends it can be searched for: the last if no other.
        return owner, bisect_left(range(len(coming)), True, key=lambda count: ended(count, now)), 0
    return (owner, 0, days) if ended(len(coming), now + timedelta(days=days)) else None


def _pushes(owner: Rule, release: StoredImage, now: datetime, count: int) -> list[StoredImage]:
    """Images to come that meet the requirements of the rule that the release belongs to, where any can."""
    start = max(now, release.pushed_at)
    made = (
        replace(
            release,
            digest=f"push-{number}",
            tags=_tags(owner, number),
            pushed_at=start + timedelta(seconds=number),
            last_pulled_at=None,
        )
        for number in range(1, count + 1)
    )
    return [image for image in made if owner.selects(image)]


def _tags(rule: Rule, number: int) -> tuple[str, ...]:
    # A pattern without a wildcard is one tag, which only one image can carry: pushes do not multiply it.
    open_patterns = [pattern for pattern in rule.patterns if "*" in pattern]
    if rule.tag_status == "any":
        return (f"push-{number}",)
    return tuple(pattern.replace("*", f"push{number}") for pattern in open_patterns)


def _verdict(rule: Rule, pushes: int, days: int, release: StoredImage, where: str) -> Judgement:
    fate = "expires" if rule.action == "expire" else "archives"
    when = f"after {pushes} more pushes" if pushes else f"within {days} days" if days else "now, at its next evaluation"
    return Judgement.of(
        [
            Rejection(
                f"The lifecycle policy {fate} the release ({', '.join(release.tags) or 'untagged'}, {release.digest})"
                f" {when}: {rule}",
                where,
                "before it, put a rule that selects the release tags and keeps more than 100 of them,"
                " or narrow this rule to tags that are no release",
            )
        ]
    )
