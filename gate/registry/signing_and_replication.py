"""What ECR does by itself with a pushed image: managed signing and replication. Pure.

Sources: botocore's model of ECR (SigningConfiguration, ReplicationConfiguration, the statuses of an image); ECR user
guide, "Managed signing" and "Private image replication".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gate.check import ACCEPTED, CheckResult, Rejection, check, reject
from gate.registry.tags import matches

# The statuses of signing and of replication in ECR's model; any other word is unknown, which is a no.
WAITING, ENDED = "IN_PROGRESS", ("COMPLETE", "FAILED")
_CONFIGURATION = "the registry's signing configuration (GetSigningConfiguration)"


@dataclass(frozen=True)
class Progress:
    """How far ECR is with an image.

    Attributes:
        status: in ECR's words; "" where ECR states none.
        failure: the code and the reason of a failure.
    """

    status: str = ""
    failure: str = ""

    def __str__(self) -> str:
        said = {"": "no status at all", WAITING: "still IN_PROGRESS at the end of --scan-timeout"}
        return said.get(self.status, self.status) + (f" ({self.failure})" if self.failure else "")


@dataclass(frozen=True)
class ImageSigning:
    """Managed signing of one image.

    Attributes:
        profiles: the signing profiles (ARN) with which ECR signs what is pushed to the repository.
        statuses: of this image, by profile.
    """

    profiles: tuple[str, ...] = ()
    statuses: Mapping[str, Progress] = field(default_factory=dict)


@dataclass(frozen=True)
class Destination:
    """Where a registry replicates to."""

    region: str
    account: str

    def __str__(self) -> str:
        return f"{self.region} of the account {self.account}"


@dataclass(frozen=True)
class Replica:
    """An image at a destination of replication.

    Attributes:
        status: what the source registry says of it.
        held: the image's status in the destination's own answer, "absent" where it answers that there is none;
            "" where the destination could not be asked.
        unasked: why it could not.
    """

    destination: Destination
    status: Progress
    held: str = ""
    unasked: str = ""


def signing_profiles(rules: Iterable[Mapping[str, Any]], repository: str) -> tuple[str, ...]:
    """The profiles of the signing rules that cover a repository.

    Raises:
        ValueError: a filter is of a kind that is not known.
    """
    return tuple(dict.fromkeys(str(rule["signingProfileArn"]) for rule in rules if _covers(rule, repository)))


def destinations(rules: Iterable[Mapping[str, Any]], repository: str) -> tuple[Destination, ...]:
    """Where the replication rules that cover a repository lead.

    Raises:
        ValueError: a filter is of a kind that is not known.
    """
    places = (place for rule in rules if _covers(rule, repository) for place in rule["destinations"])
    return tuple(dict.fromkeys(Destination(str(place["region"]), str(place["registryId"])) for place in places))


def _covers(rule: Mapping[str, Any], repository: str) -> bool:
    filters = rule.get("repositoryFilters") or []
    return not filters or any(_selects(each["filterType"], each["filter"], repository) for each in filters)


def _selects(kind: str, pattern: str, repository: str) -> bool:
    if kind == "WILDCARD_MATCH":
        return matches(pattern, repository)
    if kind == "PREFIX_MATCH":
        return repository.startswith(pattern)
    raise ValueError(f"the filter {kind} {pattern!r} is not known")


_SOME = "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/"


@check(2, known_bad=lambda: (ImageSigning((f"{_SOME}other",), {f"{_SOME}other": Progress("COMPLETE")}), _SOME + "own"))
def check_signed(found: ImageSigning, reviewed: str) -> CheckResult:
    """Whether ECR has signed the image with the reviewed profile, or neither is configured.

    Args:
        found: what the registry is set to, and how far it is with the image.
        reviewed: the ARN of the reviewed signing profile; "": there is none.
    """
    if not found.profiles and not reviewed:
        return ACCEPTED
    foreign = CheckResult.of(_foreign(each, reviewed) for each in found.profiles if each != reviewed)
    if reviewed not in found.profiles:
        return foreign + (_not_signing(reviewed) if reviewed else ACCEPTED)
    progress = found.statuses.get(reviewed, Progress())
    return foreign + (ACCEPTED if progress.status == "COMPLETE" else _unsigned(reviewed, progress))


def _foreign(profile: str, reviewed: str) -> Rejection:
    known = f"which is not the reviewed one ({reviewed})" if reviewed else "and nobody has reviewed it"
    return Rejection(
        f"ECR signs what is pushed to the repository with the profile {profile}, {known}",
        _CONFIGURATION,
        "find out in CloudTrail who set it (PutSigningConfiguration) and correct it; a profile that the team does use "
        "is stated as signing_profile in pytest.ini",
    )


def _not_signing(reviewed: str) -> CheckResult:
    return reject(
        f"No signing rule of the registry covers the repository with the reviewed profile {reviewed}: "
        "what is pushed to it is not signed",
        _CONFIGURATION,
        "find out in CloudTrail who took it away (DeleteSigningConfiguration), set it again, and publish again",
    )


def _unsigned(profile: str, progress: Progress) -> CheckResult:
    return reject(
        f"ECR has not signed the image with {profile}: {progress}",
        "DescribeImageSigningStatus",
        "a failure is mostly a missing signer:SignPayload of whoever pushed; ECR signs at push, so publish again; "
        "IN_PROGRESS: run again",
    )


_BAD = (Replica(Destination("eu-west-1", "111122223333"), Progress("FAILED")),)


@check(2, known_bad=lambda: (_BAD, "sha256:" + "a" * 64))
def check_replicated(replicas: Sequence[Replica], digest: str) -> CheckResult:
    """Whether every destination of replication holds the digest; what a destination itself answers decides."""
    return CheckResult.of(
        Rejection(
            f"{each.destination} does not hold {digest}: {_said(each)}",
            "DescribeImageReplicationStatus" if not each.held else f"DescribeImages in {each.destination}",
            "the destination's registry policy has to allow ecr:ReplicateImage and ecr:CreateRepository to this "
            "account, and no rule there may expire the image; then publish again. IN_PROGRESS: run again, or raise "
            "--scan-timeout",
        )
        for each in replicas
        if each.held != "ACTIVE" and (each.held or each.status.status != "COMPLETE")
    )


def _said(replica: Replica) -> str:
    source = f"ECR states {replica.status}"
    if not replica.held:
        return f"{source}; it could not be asked itself: {replica.unasked}" if replica.unasked else source
    there = "it has no such image" if replica.held == "absent" else f"its status there is {replica.held}"
    return f"{there}, while {source}"
