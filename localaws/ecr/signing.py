"""Managed signing: ECR stores a signature beside each image that is pushed (user guide, "Managed signing").

The artifact has the form of a Notation signature (Notary Project, "Signature specification"), but no signature.
"""

from __future__ import annotations

import json
from typing import Any

from localaws.ecr import identifiers
from localaws.ecr.errors import EcrError
from localaws.ecr.manifest import OCI
from localaws.ecr.mutability import matches
from localaws.ecr.operations import ApiCall, Ecr, Parameters, operation
from localaws.ecr.state import ImageState

SIGNATURE = "application/vnd.cncf.notary.signature"
_ENVELOPE = "application/jose+json"


@operation("PutSigningConfiguration")
def put_configuration(call: ApiCall) -> Parameters:
    """Set which pushes are signed."""
    with call.ecr.store.changing() as account:
        account.signing_rules = call.parameters["signingConfiguration"]["rules"]
    return {"signingConfiguration": call.parameters["signingConfiguration"]}


@operation("GetSigningConfiguration")
def get_configuration(call: ApiCall) -> Parameters:
    """Which pushes are signed."""
    with call.ecr.store.reading() as account:
        return _configured(call.ecr, account.signing_rules)


@operation("DeleteSigningConfiguration")
def delete_configuration(call: ApiCall) -> Parameters:
    """Stop signing."""
    with call.ecr.store.changing() as account:
        answer = _configured(call.ecr, account.signing_rules)
        account.signing_rules = []
    return answer


@operation("DescribeImageSigningStatus")
def describe_status(call: ApiCall) -> Parameters:
    """Whether an image has been signed, for each rule that covers it."""
    with call.ecr.store.reading() as account:
        repository = call.ecr.store.find(account, *call.named)
        image = identifiers.image(repository, call.parameters["imageId"], call.ecr.account)
        about = {**call.identity, "imageId": {**call.parameters["imageId"], "imageDigest": image.digest}}
        status = {"status": "COMPLETE" if _is_signed(list(repository.images.values()), image) else "IN_PROGRESS"}
        if image.signing_failed:
            status = {
                "status": "FAILED",
                "failureCode": "AccessDenied",
                "failureReason": "no signer:SignPayload",
            }
        rules = [rule for rule in account.signing_rules if _covers(rule, repository.name)]
    statuses = [{"signingProfileArn": rule["signingProfileArn"], **status} for rule in rules]
    return {**about, "signingStatuses": statuses}


def signature(ecr: Ecr, name: str, image: ImageState, *, always: bool) -> bytes | None:
    """The manifest of the signature to store for a pushed image, with its blobs stored; None if none is due.

    Args:
        ecr: the registry.
        name: the repository.
        image: the pushed image.
        always: sign without a rule.
    """
    with ecr.store.changing() as account:
        due = always or any(_covers(rule, name) for rule in account.signing_rules)
        if not due or image.subject or _is_signed(list(account.repositories[name].images.values()), image):
            return None
        image.signing_failed = ecr.behaviours().signing_fails
        if image.signing_failed:
            return None
    # As long as a signature with its certificates.
    header = {"note": "stored by the local target, which signs nothing", "x5c": ["0" * 3000]}
    envelope = {"payload": image.digest, "signature": "", "header": header}
    parts = [(SIGNATURE, b"{}"), (_ENVELOPE, json.dumps(envelope).encode())]
    config, layer = (
        {"mediaType": kind, "digest": ecr.blobs.put(name, content), "size": len(content)} for kind, content in parts
    )
    subject = {
        "mediaType": image.media_type,
        "digest": image.digest,
        "size": len(ecr.blobs.manifest(name, image.digest)),
    }
    whole = {"schemaVersion": 2, "mediaType": OCI, "config": config, "layers": [layer], "subject": subject}
    return json.dumps(whole).encode()


def _is_signed(images: list[ImageState], image: ImageState) -> bool:
    return any(each.subject == image.digest and each.artifact == SIGNATURE for each in images)


def _covers(rule: dict[str, Any], name: str) -> bool:
    filters = rule.get("repositoryFilters") or [{"filter": "*"}]
    return any(matches(each["filter"], name) for each in filters)


def _configured(ecr: Ecr, rules: list[dict[str, Any]]) -> Parameters:
    if not rules:
        raise EcrError(
            "SigningConfigurationNotFoundException",
            f"Signing configuration does not exist in the registry with id '{ecr.account}'",
        )
    return {"registryId": ecr.account, "signingConfiguration": {"rules": rules}}
