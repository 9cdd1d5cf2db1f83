"""Whether the release outlives the repository's lifecycle policy: a simulation of coming pushes and days. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain

from gate.check import ACCEPTED, CheckResult, check, reject
from gate.registry.artifacts import named_by
from gate.registry.lifecycle import Rule, UnreadablePolicy, evaluate, read_policy
from gate.registry.repository import StoredImage

_WHERE = "the repository's lifecycle policy"
_START = datetime(2025, 1, 1, tzinfo=UTC)
_RECENT = 5  # the number of latest pushes from which it follows what is stored with one today
_HEX = re.compile("[0-9a-f]{64}")


def _known_bad() -> tuple[str, tuple[StoredImage, ...], str, tuple[str, ...], datetime, int, int]:
    keep_five = (
        '{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan",'
        ' "countNumber": 5}, "action": {"type": "expire"}}]}'
    )
    image = StoredImage("sha256:" + "a" * 64, ("v1.0.0", "latest"), 1, _START, "", "ACTIVE")
    return keep_five, (image,), image.digest, ("latest",), _START, 100, 365


@check(2, known_bad=_known_bad)
def check_lifecycle(
    policy: str | None,
    images: Sequence[StoredImage],
    released: str,
    rolling: tuple[str, ...],
    now: datetime,
    pushes: int,
    days: int,
) -> CheckResult:
    """Whether no lifecycle rule expires or archives the release within so many pushes or days.

    The worst case is assumed: each pushed image meets the tag requirements of the
    rule that the release belongs to, brings as many referrers with it (signatures, attestations, SBOMs: they are
    stored as images and counted as such) as the repository's recent images have, and none of them has been expired
    before the release is looked at.

    Args:
        policy: the repository's lifecycle policy, None if it has none.
        images: all images of the repository now.
        released: the digest of the release.
        rolling: the tags that the next push takes away from the release.
        now: the time of the check (UTC).
        pushes: how many future pushes the release must outlive.
        days: how many days the release must outlive.
    """
    try:
        rules = read_policy(policy)
    except UnreadablePolicy as error:
        return reject(str(error), _WHERE, "correct the policy, or have this gate taught the new property")
    release = next((image for image in images if image.digest == released), None)
    if release is None:
        return reject(f"The release {released} is not among the repository's images", "DescribeImages",
                      "find out in CloudTrail who deleted it, and release again")  # fmt: skip
    others = [image for image in images if image.digest != released]
    referrers = _referrers_of_one(release, others)
    alone = replace(release, tags=tuple(tag for tag in release.tags if tag not in rolling))
    for standing in (release, alone):
        ended = _ends(rules, standing, others, referrers, now, pushes, days)
        if ended:
            return _reject(*ended, release, len(referrers), pushes)
    return ACCEPTED


def _ends(
    rules: Sequence[Rule],
    release: StoredImage,
    others: list[StoredImage],
    referrers: Sequence[StoredImage],
    now: datetime,
    pushes: int,
    days: int,
) -> tuple[Rule, int, int] | None:
    """The rule that ends the release, after how many pushes and days; the earliest found. None if none does."""
    # Only the first rule that selects an image can act on it, and it counts whatever it selects: no other matters.
    owner = next((rule for rule in rules if rule.selects(release)), None)
    if owner is None:
        return None
    coming = _pushes(owner, release, referrers, now, pushes)

    def ended(count: int, at: datetime) -> bool:
        return release.digest in evaluate([owner], [release, *others, *chain(*coming[:count])], at)

    if ended(pushes, now):
        # No push saves an image, so the first that ends it can be searched for: the last if no other.
        return owner, bisect_left(range(pushes), True, key=lambda count: ended(count, now)), 0
    return (owner, 0, days) if ended(pushes, now + timedelta(days=days)) else None


def _pushes(
    owner: Rule, release: StoredImage, referrers: Sequence[StoredImage], now: datetime, count: int
) -> list[list[StoredImage]]:
    """What each push to come stores that meets the requirements of the rule that the release belongs to."""
    start = max(now, release.pushed_at)
    fresh = replace(release, last_pulled_at=None, activated_at=None)
    made = []
    for number in range(1, count + 1):
        at, hexadecimal = start + timedelta(seconds=number), f"{number:064x}"
        image = replace(fresh, digest=f"push-{number}", tags=_tags(owner, number), pushed_at=at)
        beside = [
            replace(each, digest=f"push-{number}-{place}", pushed_at=at,
                    tags=tuple(_HEX.sub(hexadecimal, tag) for tag in each.tags))
            for place, each in enumerate(referrers)
        ]  # fmt: skip
        made.append([stored for stored in (image, *beside) if owner.selects(stored)])
    return made


def _referrers_of_one(release: StoredImage, others: list[StoredImage]) -> list[StoredImage]:
    """The referrers of that recent image which has the most, and what refers to these."""
    owned: dict[str, list[StoredImage]] = {}
    for image in others:
        for subject in {image.subject, *(named_by(tag) or "" for tag in image.tags)} - {""}:
            owned.setdefault(subject, []).append(image)
    referrers = {image.digest for images in owned.values() for image in images}
    pushed = [image for image in others if image.digest not in referrers]
    recent = sorted(pushed, key=lambda image: image.pushed_at, reverse=True)[:_RECENT]
    return max((_all_of(image.digest, owned) for image in (release, *recent)), key=len)


def _all_of(digest: str, owned: Mapping[str, list[StoredImage]]) -> list[StoredImage]:
    found: dict[str, StoredImage] = {}
    waiting = list(owned.get(digest, ()))
    while waiting:
        image = waiting.pop()
        if image.digest not in found:
            found[image.digest] = image
            waiting += owned.get(image.digest, ())
    return list(found.values())


def _tags(rule: Rule, number: int) -> tuple[str, ...]:
    # A pattern without a wildcard is one tag, which only one image can carry: pushes do not multiply it.
    # Where no pattern is open, the image of a push carries no tag that the rule looks for.
    open_patterns = [pattern for pattern in rule.patterns if "*" in pattern]
    if rule.tag_status == "any":
        return (f"push-{number}",)
    return tuple(pattern.replace("*", f"push{number}") for pattern in open_patterns)


def _reject(rule: Rule, pushes: int, days: int, release: StoredImage, referrers: int, limit: int) -> CheckResult:
    fate = "expires" if rule.action == "expire" else "archives"
    when = f"after {pushes} more pushes" if pushes else f"within {days} days" if days else "now, at its next evaluation"
    beside = f"; each push stores {referrers} signatures or other referrers as well" if pushes and referrers else ""
    return reject(
        f"The lifecycle policy {fate} the release ({', '.join(release.tags) or 'untagged'}, {release.digest})"
        f" {when}: {rule}{beside}",
        _WHERE,
        f"before it, put a rule that selects the release tags and keeps more than {limit} of them,"
        " or narrow this rule to tags that are no release",
    )
