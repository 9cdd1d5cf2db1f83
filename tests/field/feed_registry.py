"""Feeds the answers of ECR about a repository and its images to their reader and checks."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gate.check import CheckResult
from gate.registry.changes import Comparison, InspectedManifests, to_inspect
from gate.registry.ecr import EcrRepository
from gate.registry.lifecycle_simulation import check_lifecycle
from gate.registry.manifest import StoredManifest, check_admission, check_bytes
from gate.registry.repository import RepositorySnapshot
from gate.registry.repository_checks import check_active, check_identity, check_otherwise_unchanged
from gate.registry.tags import check_mutability, check_same_digest
from tests.field.wire import REGION, client

ACCOUNT, NAME = "654654307503", "team/app"
RELEASE, ROLLING, CANDIDATE = "v1.0.0", "latest", "candidate"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OCI = "application/vnd.oci.image.manifest.v1+json"
_REPOSITORY = {
    "registryId": ACCOUNT,
    "repositoryName": NAME,
    "repositoryArn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{NAME}",
    "repositoryUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{NAME}",
    "createdAt": "2025-01-01T00:00:00Z",
}


def digest(name: str) -> str:
    """The digest that stands for a short name; a digest for itself."""
    return name if name.startswith("sha256:") else "sha256:" + hashlib.sha256(name.encode()).hexdigest()


def _ecr(**answers: Any) -> EcrRepository:
    return EcrRepository(client("ecr", answers), ACCOUNT, NAME)


def repository(scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """DescribeRepositories: `given` is what differs from the release's own repository."""
    found = _ecr(DescribeRepositories={"repositories": [{**_REPOSITORY, **given}]}).describe()
    if scenario == "The repository is the one of the release's account and region":
        return check_identity(found, ACCOUNT, REGION, NAME)
    return check_mutability(found.mutability, RELEASE, (ROLLING, CANDIDATE), NAME)


def manifest(_scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """BatchGetImage: `body` of the manifest, its `media_type`, and the `platform` that its config states."""
    stored = _stored(given["body"], given.get("media_type", given["body"].get("mediaType", OCI)))
    return check_bytes(stored) + check_admission(stored, given.get("platform", "linux/amd64"))


def _stored(document: dict[str, Any], media_type: str) -> StoredManifest:
    body = json.dumps(document)
    named = "sha256:" + hashlib.sha256(body.encode()).hexdigest()
    image = {"imageId": {"imageDigest": named}, "imageManifest": body, "imageManifestMediaType": media_type}
    return _ecr(BatchGetImage={"images": [image]}).manifest(named)


def _image(raw: dict[str, Any]) -> dict[str, Any]:
    """An image of DescribeImages; names become digests, and what is left out is as of an ordinary image."""
    usual = {"imageSizeInBytes": 400_000_000, "imageStatus": "ACTIVE", "imageManifestMediaType": OCI,
             "imagePushedAt": "2026-11-22T11:00:00Z"}  # fmt: skip
    named = {key: digest(raw[key]) for key in ("imageDigest", "subjectManifestDigest") if key in raw}
    return {**usual, **raw, **named}


def lifecycle(_scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """A lifecycle policy: `rules`, and the repository's `images`, of which the one named "release" is the release."""
    policy = {"lifecyclePolicyText": json.dumps({"rules": given["rules"]})}
    images = given.get("images") or [{"imageDigest": "release", "imageTags": [RELEASE, ROLLING, CANDIDATE]}]
    ecr = _ecr(GetLifecyclePolicy=policy, DescribeImages={"imageDetails": [_image(each) for each in images]})
    return check_lifecycle(ecr.lifecycle_policy(), ecr.images(), digest("release"), (ROLLING, CANDIDATE), NOW, 100, 365)


def listing(scenario: str, given: dict[str, Any], _folder: Path) -> CheckResult:
    """The repository `before` and `after` a release: images, and whatever else of its settings.

    Of each: `images`, `rules`, `repository` (what differs of DescribeRepositories), `tags` of the resource;
    `manifests`: bodies of new images, which take the place of the names in `images`.
    """
    manifests = {name: _stored(body, body.get("mediaType", OCI)) for name, body in given.get("manifests", {}).items()}
    digests = {name: each.digest for name, each in manifests.items()}
    before, after = (_snapshot(given[when], digests) for when in ("before", "after"))
    released = digest("release")
    if scenario == "Both tags name the digest that was built and checked":
        return check_same_digest(after.naming(), (RELEASE, ROLLING), released)
    if scenario == "A published tag names an image that can be pulled":
        return check_active(after.image(after.naming().get(RELEASE, "")), RELEASE)
    known = {each.digest: each for each in manifests.values()}
    looked = InspectedManifests(
        {each: known[each] for each in to_inspect(before, after, released) if each in known}, {}
    )
    moved = (RELEASE, ROLLING, CANDIDATE)
    return check_otherwise_unchanged(Comparison(before, after, moved, released, looked, NOW))


def _snapshot(given: dict[str, Any], digests: dict[str, str]) -> RepositorySnapshot:
    images = [
        {**each, "imageDigest": digests.get(each["imageDigest"], each["imageDigest"])} for each in given["images"]
    ]
    absent = {"__type": "LifecyclePolicyNotFoundException"}
    policy = {"lifecyclePolicyText": json.dumps({"rules": given["rules"]})} if "rules" in given else absent
    return _ecr(
        DescribeRepositories={"repositories": [{**_REPOSITORY, "imageTagMutability": "MUTABLE",
                                                **given.get("repository", {})}]},
        DescribeImages={"imageDetails": [_image(each) for each in images]},
        GetLifecyclePolicy=policy,
        GetRepositoryPolicy={"__type": "RepositoryPolicyNotFoundException"},
        ListTagsForResource={"tags": [{"Key": key, "Value": each} for key, each in given.get("tags", {}).items()]},
    ).snapshot()  # fmt: skip
