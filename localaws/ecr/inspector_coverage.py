"""Amazon Inspector's ListCoverage for the images of this registry (Inspector2 model, ListCoverage).

Inspector lists images only under enhanced scanning, and only those whose repository a rule selects.
"""

from __future__ import annotations

from localaws.ecr.errors import EcrError
from localaws.ecr.operations import Ecr, Parameters
from localaws.ecr.scanning import frequency
from localaws.ecr.state import ImageState, RepositoryState, ScanState

PATH = "/coverage/list"
_FILTERS = {"resourceType", "ecrRepositoryName"}


def covered(ecr: Ecr, parameters: Parameters) -> Parameters:
    """The images that Inspector covers and the filters select.

    Raises:
        EcrError: a filter that is not modelled here.
    """
    wanted = _wanted(parameters.get("filterCriteria") or {})
    with ecr.store.reading() as account:
        if account.scan_type != "ENHANCED" or "AWS_ECR_CONTAINER_IMAGE" not in wanted.get(
            "resourceType", {"AWS_ECR_CONTAINER_IMAGE"}
        ):
            return {"coveredResources": []}
        found = [
            _resource(ecr, repository, image, frequency(account, repository)[0])
            for name, repository in account.repositories.items()
            if name in wanted.get("ecrRepositoryName", {name})
            for image in repository.images.values()
            if image.digest in repository.scans
        ]
    return {"coveredResources": found}


def _wanted(criteria: Parameters) -> dict[str, set[str]]:
    unknown = set(criteria) - _FILTERS
    if unknown or any(each["comparison"] != "EQUALS" for filters in criteria.values() for each in filters):
        raise EcrError("ValidationException", f"not modelled by the local target: these filters, {sorted(criteria)}")
    return {name: {each["value"] for each in filters} for name, filters in criteria.items()}


def _resource(ecr: Ecr, repository: RepositoryState, image: ImageState, often: str) -> Parameters:
    scan = repository.scans[image.digest]
    looked = {"lastScannedAt": scan.completed_at} if scan.completed_at is not None else {}
    tags = {"tags": list(image.tags)}
    return {
        "resourceType": "AWS_ECR_CONTAINER_IMAGE",
        "resourceId": f"{ecr.arn(repository.name)}/{image.digest}",
        "accountId": ecr.account,
        "scanType": "PACKAGE",
        "scanStatus": _status(scan, often),
        "resourceMetadata": {"ecrImage": tags, "ecrRepository": {"name": repository.name, "scanFrequency": often}},
        **looked,
    }


def _status(scan: ScanState, often: str) -> dict[str, str]:
    if scan.status == "FAILED":
        return {"statusCode": "INACTIVE", "reason": "INTERNAL_ERROR"}
    if scan.completed_at is None:
        return {"statusCode": "INACTIVE", "reason": "PENDING_INITIAL_SCAN"}
    if often == "CONTINUOUS_SCAN":
        return {"statusCode": "ACTIVE", "reason": "SUCCESSFUL"}
    return {"statusCode": "INACTIVE", "reason": f"SCAN_FREQUENCY_{often}"}
