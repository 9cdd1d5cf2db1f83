"""Replication to other regions of the account (user guide, "Private image replication").

What a rule covers when it is pushed is there at once. A destination in this account answers DescribeImages; its images
are this registry's own, so nothing can be changed there. Another account answers nothing.
"""

from __future__ import annotations

from typing import Any

from localaws.ecr import identifiers, images
from localaws.ecr.errors import EcrError
from localaws.ecr.operations import ApiCall, Ecr, Parameters, operation


@operation("PutReplicationConfiguration")
def put_configuration(call: ApiCall) -> Parameters:
    """Set where pushes are replicated to."""
    with call.ecr.store.changing() as account:
        account.replication_rules = call.parameters["replicationConfiguration"]["rules"]
    return {"replicationConfiguration": call.parameters["replicationConfiguration"]}


@operation("DescribeRegistry")
def describe_registry(call: ApiCall) -> Parameters:
    """The registry, and where it replicates to."""
    with call.ecr.store.reading() as account:
        rules = account.replication_rules
    return {"registryId": call.ecr.account, "replicationConfiguration": {"rules": rules}}


@operation("DescribeImageReplicationStatus")
def describe_status(call: ApiCall) -> Parameters:
    """Whether an image has reached each destination."""
    with call.reading() as repository:
        image = identifiers.image(repository, call.parameters["imageId"], call.ecr.account)
    states = [{"region": region, "registryId": account, "status": "COMPLETE"} for region, account in image.replicas]
    about = {"repositoryName": repository.name, "imageId": {"imageDigest": image.digest}}
    return {**about, "replicationStatuses": states}


def replicas(ecr: Ecr, name: str) -> list[list[str]]:
    """The destinations of an image that is pushed to a repository now."""
    with ecr.store.reading() as account:
        covering = [rule for rule in account.replication_rules if _covers(rule, name)]
    places = [[each["region"], each["registryId"]] for rule in covering for each in rule["destinations"]]
    return [list(each) for each in dict.fromkeys(map(tuple, places))]


def images_in(ecr: Ecr, region: str, operation_name: str, parameters: Parameters) -> Parameters | None:
    """DescribeImages in another region, for images by their digests; None where nothing was replicated there."""
    if operation_name != "DescribeImages" or not parameters.get("imageIds"):
        return None
    named, account = parameters["repositoryName"], parameters.get("registryId", ecr.account)
    if account != ecr.account:
        raise EcrError("AccessDeniedException", f"no policy of the account {account} allows ecr:DescribeImages there")
    with ecr.store.reading() as state:
        repository = state.repositories.get(named)
        stored = repository.images.values() if repository else ()
        held = [each for each in stored if [region, account] in each.replicas]
        if repository is None or not held:
            return None
        digests = [each.get("imageDigest") for each in parameters["imageIds"]]
        found = [images.described(ecr, repository, each) for each in held if each.digest in digests]
    if len(found) < len(set(digests)):
        raise EcrError("ImageNotFoundException", f"The image with imageId {parameters['imageIds']} does not exist")
    return {"imageDetails": found}


def _covers(rule: dict[str, Any], name: str) -> bool:
    filters = rule.get("repositoryFilters") or [{"filter": ""}]
    return any(name.startswith(each["filter"]) for each in filters)
