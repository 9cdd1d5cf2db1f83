"""The wording of the scenarios about the registry: what its tags name, and what may become of them."""

from pytest_bdd import given, parsers, then, when

from gate.check import require
from gate.image.contract import below
from gate.publish.promotion_checks import ReleaseTags, as_tagged, check_trial
from gate.publish.promotion_record import (
    check_release_before,
    check_unaccepted,
    release_before,
    tags_of_later,
)
from gate.registry.changes import Comparison, to_inspect
from gate.registry.lifecycle_simulation import check_lifecycle
from gate.registry.manifest import check_admission, check_bytes, check_same_config
from gate.registry.permitted_calls import check_changes
from gate.registry.repository import naming
from gate.registry.repository_checks import check_active, check_identity, check_otherwise_unchanged
from gate.registry.tags import check_mutability, check_same_digest


@given("the release as published")
def release_as_published(published, release, evidence):
    """One digest through the whole run."""
    evidence.add(
        "published release",
        {
            "digest": published.digest,
            "tags": published.tags,
            "pushed at": published.pushed_at,
            "compressed bytes": published.compressed_bytes,
            "uncompressed bytes": published.uncompressed_bytes,
        },
        asked=f"aws ecr describe-images --repository-name {release.repository} --region {release.region}",
    )


@given("the repository of the release")
def repository_of_release(ecr, evidence):
    """Its settings are checked whatever became of the image."""
    evidence.add("repository asked about", {"name": ecr.name}, asked="pytest.ini, repository")


@given("the checked digest in the registry")
def digest_in_registry(registry_image, release, evidence):
    """Behind the candidate tag while it is checked for the others; behind its tags once it is released."""
    evidence.add(
        "checked digest in the registry",
        {"digest": registry_image.digest, "tags": registry_image.tags, "pushed at": registry_image.pushed_at},
        asked=f"aws ecr describe-images --repository-name {release.repository} --region {release.region}",
    )


@when("the layers of its manifest are summed up")
def compressed_summed(registry_image, ecr, evidence):
    """What ECR counts, and what a pull moves."""
    asked = f"aws ecr describe-images --repository-name {ecr.name} --image-ids imageDigest={registry_image.digest}"
    evidence.add("compressed size", {"bytes": registry_image.compressed_bytes}, asked=asked)


@then(parsers.parse("together the compressed layers are below {limit:d} GB"))
def compressed_below(registry_image, limit):
    """The compressed size is never the larger one; it is documented for those who pull."""
    require(below(registry_image.compressed_bytes, limit, "compressed"))


@when("ECR describes its repository", target_fixture="repository")
def ecr_describes_repository(ecr, evidence):
    """Identity and settings, now."""
    asked = f"aws ecr describe-repositories --repository-names {ecr.name}"
    return evidence.add("repository", ecr.describe(), asked=asked)


@then("account, region and name are those of the release")
def repository_is_the_releases(repository, release):
    """And ARN and URI follow from them."""
    require(check_identity(repository, release.account, release.region, release.repository))


@when("ECR lists every image of the repository", target_fixture="images")
def ecr_lists_images(ecr, evidence):
    """All pages, archived images too."""
    asked = f"aws ecr describe-images --repository-name {ecr.name} --filter imageStatus=ANY"
    return evidence.add("images", ecr.images(), asked=asked)


@then(parsers.parse("the {kind} tag is on an image whose status is ACTIVE"))
def tag_is_on_active_image(images, release, kind):
    """An archived image answers DescribeImages, and no pull."""
    tag = {"release": release.release_tag, "rolling": release.rolling_tag}[kind]
    require(check_active(next((image for image in images if tag in image.tags), None), tag))


@then("each published tag names the checked digest")
def both_tags_name_checked_digest(images, release, published):
    """Each tag alone proves nothing about the other."""
    require(check_same_digest(naming(images), ReleaseTags.of(release).published, published.digest))


@when("its manifest is read from the registry", target_fixture="manifest")
def manifest_read(ecr, registry_image, evidence):
    """By digest, in every media type that a registry may hold."""
    asked = f"aws ecr batch-get-image --repository-name {ecr.name} --image-ids imageDigest={registry_image.digest}"
    return evidence.add("manifest", ecr.manifest(registry_image.digest), asked=asked)


@then("manifest, config and every layer have a media type that Lambda admits")
def lambda_admits(manifest, registry_image, release):
    """No index, no attestations, no zstd, no foreign layers."""
    require(check_admission(manifest, registry_image.platform, release.platform))


@then("it is one image for one platform")
def one_platform(manifest, ecr, release, evidence):
    """As the config in the registry itself states it."""
    config = ecr.config(manifest)
    evidence.add("image config", config, asked=f"docker manifest inspect -v {release.repository_uri}@{manifest.digest}")
    require(check_admission(manifest, config.platform, release.platform))


@then("by digest and config it is the checked image")
def manifest_is_checked_image(manifest, registry_image):
    """The bytes are what the digest names; the config is the image's identity, however layers were compressed."""
    require(check_bytes(manifest) + check_same_config(manifest, registry_image.config_digest))


@then("the tag mutability keeps the release tag and lets every other tag move")
def mutability_keeps_release_tag(repository, release):
    """One setting with its filters has to serve both kinds of tag."""
    rolling = ReleaseTags.of(release).moving
    require(check_mutability(repository.mutability, release.release_tag, rolling, release.repository))


@when("its promotion is looked at")
def promotion_looked_at(published, release, evidence):
    """Overwriting is tried by the publishing run, on a target where that may be tried."""
    asked = f"aws ecr put-image --image-tag {release.release_tag} with another manifest"
    evidence.add("overwrite trial", published.overwrite_trial, asked=asked)


@then("the registry refused to overwrite the release tag where that was tried")
def overwriting_refused(published, release):
    """Whatever the setting says."""
    require(check_trial(published.overwrite_trial, release.release_tag))


@when("the repository's lifecycle policy is played forward", target_fixture="lifecycle")
def lifecycle_played_forward(ecr, evidence):
    """The policy as text, None where none is set."""
    policy = ecr.lifecycle_policy()
    asked = f"aws ecr get-lifecycle-policy --repository-name {ecr.name}"
    evidence.add("lifecycle policy", {"policy": policy}, asked=asked)
    return {"policy": policy, "images": ecr.images()}


@then(
    parsers.parse(
        "the release, under its tags, is neither expired nor archived within {pushes:d} pushes or {days:d} days"
    ),
)
def release_outlives(lifecycle, registry_image, release, now, pushes, days):
    """In the worst future that so many pushes can make; the tags are taken as given, which is decided after this."""
    tags, digest = ReleaseTags.of(release), registry_image.digest
    policy, images = lifecycle["policy"], as_tagged(lifecycle["images"], digest, tags.all)
    require(check_lifecycle(policy, images, released=digest, rolling=tags.moving, now=now(), pushes=pushes, days=days))


@when("the accepted release before it is looked for", target_fixture="before")
def release_before_looked_for(earlier_promotions, registry_image, ecr, evidence):
    """By the records of this very repository; a first release has none."""
    found = release_before(earlier_promotions, registry_image.digest, ecr.describe().created_at)
    answer = {"found": found or "there is no accepted release before this one on record"}
    evidence.add("release before", answer, asked="reports/runs/*/evidence/promotion.json")
    return found


@then(
    parsers.parse(
        "there is none, or it can be pulled, Lambda admits it, and it is kept for {pushes:d} pushes and {days:d} days"
    )
)
def release_before_is_kept(before, ecr, registry_image, release, now, pushes, days):
    """Its tags are taken as they are once this digest has the release's."""
    if before is None:
        return
    rolling = ReleaseTags.of(release).moving
    images = as_tagged(ecr.images(), registry_image.digest, ReleaseTags.of(release).all)
    require(check_release_before(before, next((each for each in images if each.digest == before.digest), None)))
    manifest = ecr.manifest(before.digest)
    require(check_bytes(manifest) + check_admission(manifest, release.platform, release.platform))
    policy, digest = ecr.lifecycle_policy(), before.digest
    require(check_lifecycle(policy, images, released=digest, rolling=rolling, now=now(), pushes=pushes, days=days))


@when("the repository is compared with what it was before", target_fixture="comparison")
def repository_compared(published, ecr, release, now, evidence):
    """A run that only verifies compares with its own beginning."""
    before, after = published.before or published.after, ecr.snapshot()
    looked = ecr.look_at(to_inspect(before, after, published.digest))
    evidence.add("repository", {"before": before, "now": after, "looked at": looked}, asked="aws ecr describe-…")
    return Comparison(before, after, ReleaseTags.of(release).all, published.digest, looked, now())


@then("only the release's own tags and image are different")
def only_release_differs(comparison, evidence):
    """Settings, policies, other tags and images stay as they were, but for what explains itself."""
    explained = {f"{each.what} {each.name}": each.explained for each in comparison.changes() if each.explained}
    evidence.add("changes that explain themselves", explained, asked="aws ecr describe-images, batch-get-image")
    require(check_otherwise_unchanged(comparison))


@when("the log of all AWS calls is read", target_fixture="calls")
def ledger_read(call_log, evidence):
    """Every call, reads too."""
    return evidence.add("AWS call log", call_log.calls, asked="every AWS call of this run, through botocore's events")


@then("every call that changes something is part of a push, a tag or a scan")
def changes_allowed(calls, release):
    """An operation that nobody classified counts as a change."""
    require(check_changes(calls, release.repository))


@when("the records of earlier promotions are read", target_fixture="promotions")
def promotions_read(earlier_promotions, evidence):
    """Those that full runs left in reports/runs; without any, nothing is known against what is published."""
    return evidence.add("earlier promotions", earlier_promotions, asked="reports/runs/*/evidence/promotion.json")


@then("no published tag names a digest that was never accepted")
def nothing_refused_stands(promotions, ecr, release, run, nightly):
    """What this run itself releases is decided by all its scenarios."""
    own = run.facts.promotion.digest if run.facts.promotion else ""
    # A night is about the release that stands; one that was refused after it has another release tag.
    later = tags_of_later(promotions) if nightly else ()
    tags = (*ReleaseTags.of(release).published, *later)
    require(check_unaccepted(promotions, naming(ecr.images()), tags, own))
