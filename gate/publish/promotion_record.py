"""The record of a promotion: kept from before the first tag is given, so that a run that is killed can be explained."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gate.check import CheckResult, NoGo, Rejection, check
from gate.errors import EvidenceDamaged, GateError
from gate.evidence.store import readable
from gate.publish.promotion_checks import ReleaseTags
from gate.publish.publication import ACCEPTED, BEGUN, FILE, REFUSED, Promotion
from gate.registry.repository import StoredImage, naming

if TYPE_CHECKING:
    from gate.publish.publication import Publication
    from gate.publish.push_and_promote import Publisher
    from gate.registry.ecr import EcrRepository
    from gate.run.model import Run
    from gate.verdict import Verdict


def begin(run: Run, pushed: Publication, earlier: Sequence[Promotion]) -> None:
    """Record what is about to be done, before it is done."""
    named = pushed.before.naming() if pushed.before else {}
    before = named.get(run.release.rolling_tag, "")
    # The digest to which a run gave the tag and was then cut short was never accepted: the tag is not put back to it.
    never_accepted = {each.digest: each for each in unaccepted(earlier, named, ReleaseTags.of(run.release).published)}
    seen = set()
    while before in never_accepted and before not in seen:
        seen.add(before)
        before = never_accepted[before].rolling_before
    _keep(
        run,
        Promotion(
            run=run.started.isoformat(timespec="seconds"),
            place=run.target,
            repository=run.release.repository,
            digest=pushed.digest,
            release_tag=run.release.release_tag,
            rolling_tag=run.release.rolling_tag,
            rolling_before="" if before == pushed.digest else before,
            by_name=run.promotes,
            repository_created=pushed.before.repository.created_at.isoformat() if pushed.before else "",
        ),
    )


def settle(run: Run, verdict: Verdict) -> None:
    """Record whether the release was accepted."""
    if run.facts.promotion is None:
        return
    refused = is_refused(run, verdict)
    reason = verdict.reasons[0] if refused and verdict.reasons else ""
    _keep(run, replace(run.facts.promotion, state=REFUSED if refused else ACCEPTED, reason=reason))


def is_refused(run: Run, verdict: Verdict) -> bool:
    """Whether a release with this verdict must not stay behind the rolling tag; a rehearsal may be incomplete."""
    return verdict.word in {"NO-GO", "REHEARSAL FAILED"} or (run.target == "aws" and verdict.word == "INCOMPLETE")


def withdraw(run: Run, ecr: EcrRepository, publisher: Publisher) -> None:
    """Let the rolling tag name again what it named before this run; the release tag never moves."""
    promotion = run.facts.promotion
    if promotion is None:
        return
    try:
        run.facts.standing = _put_back(promotion, publisher, naming(ecr.images()))
        named = naming(ecr.images())
    except (GateError, NoGo) as error:
        run.facts.standing = f"{promotion.rolling_tag} could not be put back: {str(error).splitlines()[0]}"
        run.errors.append(run.facts.standing)
        return
    run.facts.tags = tuple(sorted(tag for tag, digest in named.items() if digest == promotion.digest))


def _put_back(promotion: Promotion, publisher: Publisher, named: Mapping[str, str]) -> str:
    rolling, before = promotion.rolling_tag, promotion.rolling_before
    if not rolling:
        rest = "the release has no tag that moves"
    elif named.get(rolling) == promotion.digest and before:
        publisher.put_back(before, rolling)
        rest = f"{rolling} was put back to {before}"
    elif named.get(rolling) == promotion.digest:
        rest = f"{rolling} names it too: it named nothing before, so there is nothing to put it back to"
    else:
        rest = f"{rolling} names {named.get(rolling, 'nothing')}"
    held = named.get(promotion.release_tag)
    tag = f"{promotion.release_tag} names the refused {held}" if held == promotion.digest else (
        f"{promotion.release_tag} names {held or 'nothing'}"
    )  # fmt: skip
    return f"{tag}; {rest}"


def _keep(run: Run, promotion: Promotion) -> None:
    run.facts.promotion = promotion
    run.store.attach(FILE, readable(asdict(promotion)))


def read_all(run: Run) -> tuple[Promotion, ...]:
    """The promotions that earlier full runs recorded for this repository and place, oldest first.

    Raises:
        EvidenceDamaged: a record cannot be read: what it would say may be that a release was refused.
    """
    own = run.started.isoformat(timespec="seconds")
    about = (run.target, run.release.repository)
    every = (each for _, each in recorded(run.reports))
    return tuple(each for each in every if (each.place, each.repository) == about and each.run != own)


def recorded(reports: Path) -> Iterator[tuple[Path, Promotion]]:
    """Each recorded promotion with the folder of its run, oldest first.

    Raises:
        EvidenceDamaged: a record cannot be read.
    """
    for path in sorted((reports / "runs").glob(f"*/evidence/{FILE}")):
        yield path.parents[1], _read(path)


def _read(path: Path) -> Promotion:
    try:
        promotion = Promotion(**json.loads(path.read_text(encoding="utf-8")))
        if promotion.state not in {BEGUN, ACCEPTED, REFUSED}:
            raise ValueError(f"{promotion.state!r} is no state")
        if promotion.repository_created:
            datetime.fromisoformat(promotion.repository_created)
    except (OSError, ValueError, TypeError) as error:
        raise EvidenceDamaged(f"the record of an earlier promotion cannot be read: {error}", where=path.name) from error
    return promotion


def unaccepted(
    promotions: Iterable[Promotion], named: Mapping[str, str], tags: tuple[str, ...]
) -> tuple[Promotion, ...]:
    """Those never accepted whose digest one of the tags still names; a later record of a digest counts. Pure.

    A release tag that was refused is never used again: once the next one is released, it no longer matters.
    """
    latest = {each.digest: each for each in promotions}
    tagged = {named.get(tag) for tag in tags}
    return tuple(each for each in latest.values() if each.state != ACCEPTED and each.digest in tagged)


def tags_of_later(promotions: Sequence[Promotion]) -> tuple[str, ...]:
    """The release tags of what was released after the last accepted promotion, and was not accepted. Pure."""
    later: list[str] = []
    for each in promotions:
        if each.state == ACCEPTED:
            later.clear()
        elif not each.by_name:
            later.append(each.release_tag)
    return tuple(later)


def release_before(promotions: Sequence[Promotion], digest: str, created: datetime) -> Promotion | None:
    """The last accepted promotion of another digest in this very repository, None if there is none. Pure.

    Args:
        promotions: the recorded ones, oldest first.
        digest: the one that is released or promoted now.
        created: when ECR created the repository.
    """
    for each in reversed(promotions):
        here = each.repository_created and datetime.fromisoformat(each.repository_created) == created
        if here and each.state == ACCEPTED and each.digest != digest:
            return each
    return None


def _known_bad_before() -> tuple[Promotion, StoredImage | None]:
    digest = "sha256:" + "a" * 64
    before = Promotion("2026-01-02T03:04:05+00:00", "aws", "app", digest, "v1.0.0", "latest", "", ACCEPTED)
    return before, StoredImage(digest, ("v1.0.0",), 1, datetime.min, "", "ARCHIVED")


@check(2, known_bad=_known_bad_before)
def check_release_before(before: Promotion, image: StoredImage | None) -> CheckResult:
    """Whether the release before can be pulled under its tag, so that it can be rolled back to.

    Args:
        before: the record of its promotion.
        image: its image in the registry now, None if the digest is not there.
    """
    said = (
        "is not in the registry"
        if image is None
        else f"has the status {image.status}"
        if image.status != "ACTIVE"
        else f"does not carry its tag {before.release_tag}"
        if before.release_tag not in image.tags
        else ""
    )
    rejection = Rejection(
        f"The release before this one, {before.release_tag} ({before.digest}), {said}: it cannot be rolled back to",
        "DescribeImages",
        "restore it (aws ecr update-image-storage-class --target-storage-class STANDARD …), or push that digest again "
        "under its tag; or promote another accepted release (--promote), which then is the one to go back to",
    )
    return CheckResult.of([rejection] if said else [])


def sentence_of(promotion: Promotion, named: Mapping[str, str]) -> str:
    """One promotion that was not accepted, and what names its digest now, as a sentence. Pure."""
    tags = [tag for tag in promotion.tags if named.get(tag) == promotion.digest]
    how = f"was refused ({promotion.reason})" if promotion.state == REFUSED else "was cut short before its verdict"
    verb = "name" if len(tags) > 1 else "names"
    return f"the release of {promotion.digest} by the run of {promotion.run} {how}, and {' and '.join(tags)} {verb} it"


def _known_bad() -> tuple[tuple[Promotion, ...], dict[str, str], tuple[str, ...], str]:
    digest = "sha256:" + "a" * 64
    refused = Promotion("2026-01-02T03:04:05+00:00", "aws", "app", digest, "v1.0.0", "latest", "", REFUSED, "AC7")
    return (refused,), {"v1.0.0": digest}, ("v1.0.0", "latest"), ""


@check(2, known_bad=_known_bad)
def check_unaccepted(
    promotions: tuple[Promotion, ...], named: Mapping[str, str], tags: tuple[str, ...], checked: str
) -> CheckResult:
    """Whether no published tag names a release that was refused or cut short.

    Args:
        promotions: the recorded ones.
        named: the digest that each tag names now.
        tags: the published tags of the release.
        checked: the digest that this run itself releases and checks, "" if it only looks.
    """
    return CheckResult.of(
        Rejection(
            f"A release that was not accepted stands in the registry: {sentence_of(each, named)}",
            f"{FILE} of that run under reports/runs/",
            "mend what refused it and run the release again: the same image is checked anew and completed, another "
            "one needs the next release tag; until then deploy the digest of the release before",
        )
        for each in unaccepted(promotions, named, tags)
        if each.digest != checked
    )
