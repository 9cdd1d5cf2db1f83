"""Steps about what ECR does by itself with a pushed image: managed signing and replication."""

from pytest_bdd import then, when

from gate.check import require
from gate.registry.signing_and_replication import check_replicated, check_signed


@when("its managed signing is read", target_fixture="signing")
def signing_read(release_client, registry_image, run, release, evidence):
    """The registry's rules for the repository, and how far they are with the image."""
    found = release_client.managed.signing(registry_image.digest, run.options.scan_timeout)
    said = found if found.profiles else "no signing rule covers the repository: ECR signs nothing that is pushed to it"
    name = release.repository
    asked = f"aws ecr get-signing-configuration; aws ecr describe-image-signing-status --repository-name {name}"
    evidence.add("managed signing", {"found": said, "reviewed profile": release.signing_profile or "none"}, asked=asked)
    return found


@then("every profile that signs here is the reviewed one, and has signed it")
def signed_by_reviewed(signing, release):
    """Where nothing is configured and no profile is stated, there is nothing to hold against each other."""
    require(check_signed(signing, release.signing_profile))


@when("its replication is read", target_fixture="replicas")
def replication_read(release_client, registry_image, run, release, evidence):
    """The registry's rules for the repository, ECR's word about each destination, and the destination's own."""
    found = release_client.managed.replication(registry_image.digest, run.options.scan_timeout)
    said = found or "no replication rule covers the repository: it is nowhere else"
    name = release.repository
    asked = f"aws ecr describe-registry; aws ecr describe-image-replication-status --repository-name {name}"
    evidence.add("replication", {"found": said}, asked=asked)
    return found


@then("each destination that a rule names holds this digest")
def replicated(replicas, registry_image):
    """A destination that lets itself be asked decides; of any other, ECR's status."""
    require(check_replicated(replicas, registry_image.digest))
