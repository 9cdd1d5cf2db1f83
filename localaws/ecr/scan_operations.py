"""The operations about scanning: settings, StartImageScan and DescribeImageScanFindings."""

from __future__ import annotations

import uuid

from localaws.ecr import findings as shapes
from localaws.ecr import identifiers
from localaws.ecr.errors import EcrError, invalid
from localaws.ecr.operations import ApiCall, Parameters, operation, page
from localaws.ecr.scanning import frequency
from localaws.ecr.state import ImageState, RegistryState, RepositoryState, ScanState

_SCAN_TYPES = {"BASIC": {"SCAN_ON_PUSH", "MANUAL"}, "ENHANCED": {"SCAN_ON_PUSH", "CONTINUOUS_SCAN", "MANUAL"}}


@operation("StartImageScan")
def start(call: ApiCall) -> Parameters:
    """Start a basic scan."""
    with call.reading() as repository:
        image = _image(call, repository)
        about = {**call.identity, "imageId": _identity(call, image)}
    scan = call.ecr.scans.start(repository.name, image)
    return {**about, "imageScanStatus": _status(scan)}


@operation("DescribeImageScanFindings")
def describe_findings(call: ApiCall) -> Parameters:
    """The status of the newest scan, and its findings once it is complete."""
    with call.ecr.store.reading() as account:
        repository = call.ecr.store.find(account, *call.named)
        image = _image(call, repository)
        scan = repository.scans.get(image.digest)
        if scan is None or scan.enhanced != (account.scan_type == "ENHANCED"):
            raise _not_scanned(call, repository, image)
        answer = {**call.identity, "imageId": _identity(call, image)}
        answer["imageScanStatus"] = _status(scan)
        if scan.enhanced and scan.status == "PENDING":
            # Inspector answers so for an image that it has not scanned yet: a final status, and no findings.
            final = "ACTIVE" if frequency(account, repository)[0] == "CONTINUOUS_SCAN" else "COMPLETE"
            return answer | {"imageScanStatus": {"status": final}, "imageScanFindings": {"findings": []}}
        return answer if scan.completed_at is None else answer | _findings(call, repository, image, scan)


@operation("GetRegistryScanningConfiguration")
def get_configuration(call: ApiCall) -> Parameters:
    """Basic or enhanced, and for which repositories."""
    with call.ecr.store.reading() as account:
        return {"registryId": call.ecr.account, "scanningConfiguration": _configuration(account)}


@operation("PutRegistryScanningConfiguration")
def put_configuration(call: ApiCall) -> Parameters:
    """Choose basic or enhanced scanning; images that the rules select are scanned at once, as Inspector does."""
    wanted = call.parameters.get("scanType", "BASIC")
    rules = call.parameters.get("rules", [])
    if wanted not in _SCAN_TYPES or not {rule["scanFrequency"] for rule in rules} <= _SCAN_TYPES[wanted]:
        raise invalid(f"Invalid parameter at 'rules': {wanted} scanning has not all of these frequencies: {rules}")
    with call.ecr.store.changing() as account:
        account.scan_type, account.scan_rules = wanted, rules
        answer = {"registryScanningConfiguration": _configuration(account)}
        standing = [(name, image) for name, each in account.repositories.items() for image in each.images.values()]
    for name, image in standing if wanted == "ENHANCED" else []:
        call.ecr.scans.on_push(name, image)
    return answer


@operation("BatchGetRepositoryScanningConfiguration")
def batch_get_configuration(call: ApiCall) -> Parameters:
    """How each of these repositories is scanned."""
    found, failures = [], []
    with call.ecr.store.reading() as account:
        for name in call.parameters["repositoryNames"]:
            repository = account.repositories.get(name)
            if repository is None:
                reason = f"The repository with name '{name}' does not exist"
                failures.append(
                    {"repositoryName": name, "failureCode": "REPOSITORY_NOT_FOUND", "failureReason": reason}
                )
                continue
            often, filters = frequency(account, repository)
            scanned = {"scanOnPush": often == "SCAN_ON_PUSH", "scanFrequency": often, "appliedScanFilters": filters}
            found.append({"repositoryArn": call.ecr.arn(name), "repositoryName": name, **scanned})
    return {"scanningConfigurations": found, "failures": failures}


def _configuration(account: RegistryState) -> Parameters:
    return {"scanType": account.scan_type, "rules": account.scan_rules}


def _image(call: ApiCall, repository: RepositoryState) -> ImageState:
    return identifiers.image(repository, call.parameters["imageId"], call.ecr.account)


def _identity(call: ApiCall, image: ImageState) -> Parameters:
    return {**call.parameters["imageId"], "imageDigest": image.digest}


def _status(scan: ScanState) -> Parameters:
    return {"status": scan.status, "description": scan.description}


def _findings(call: ApiCall, repository: RepositoryState, image: ImageState, scan: ScanState) -> Parameters:
    everything = call.ecr.store.read_findings(repository.name, image.digest)
    if scan.enhanced:
        everything = [shapes.as_inspector(finding) for finding in everything]
    entries, rest = page(everything, call.parameters)
    findings: Parameters = {
        "imageScanCompletedAt": scan.completed_at,
        "vulnerabilitySourceUpdatedAt": scan.advisories_at,
        "findingSeverityCounts": shapes.counts(everything),
    }
    if scan.enhanced:
        resource = _resource(call, repository, image)
        findings["enhancedFindings"] = [
            shapes.enhanced(entry, call.ecr.account, _arn(call, image, entry), resource, scan.requested_at)
            for entry in entries
        ]
    else:
        findings["findings"] = [shapes.basic(entry) for entry in entries]
    return {"imageScanFindings": findings, **rest}


def _arn(call: ApiCall, image: ImageState, finding: shapes.Json) -> str:
    # A finding has the same ARN in every scan.
    package = f"{finding['manager']} {finding['package']} {finding['version']} {finding['path']}"
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{image.digest} {finding['id']} {package}")
    return f"arn:aws:inspector2:{call.ecr.region}:{call.ecr.account}:finding/{name.hex}"


def _resource(call: ApiCall, repository: RepositoryState, image: ImageState) -> shapes.Json:
    details = {
        "imageHash": image.digest,
        "imageTags": list(image.tags),
        "pushedAt": image.pushed_at,
        "registry": call.ecr.account,
        "repositoryName": repository.name,
    }
    identity = {"type": "AWS_ECR_CONTAINER_IMAGE", "id": f"{call.ecr.arn(repository.name)}/{image.digest}"}
    return {**identity, "details": {"awsEcrContainerImage": details}}


def _not_scanned(call: ApiCall, repository: RepositoryState, image: ImageState) -> EcrError:
    tag = call.parameters["imageId"].get("imageTag", "")
    return EcrError(
        "ScanNotFoundException",
        f"Image scan does not exist for the image with '{{imageDigest:'{image.digest}', imageTag:'{tag}'}}' in the "
        f"repository with name '{repository.name}' in the registry with id '{call.ecr.account}'",
    )
