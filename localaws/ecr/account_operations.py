"""The operations about the registry as a whole: login, registry policy, replication."""

from __future__ import annotations

import base64

from localaws.ecr.credentials import USER
from localaws.ecr.errors import EcrError
from localaws.ecr.operations import ApiCall, Parameters, operation


@operation("GetAuthorizationToken")
def get_authorization_token(call: ApiCall) -> Parameters:
    """A password for /v2/, and the registry's address: the one under which the caller reached us."""
    password, expires = call.ecr.passwords.issue(call.credential)
    token = base64.b64encode(f"{USER}:{password}".encode()).decode()
    endpoint = f"http://{call.host}"
    entry = {"authorizationToken": token, "expiresAt": expires.timestamp(), "proxyEndpoint": endpoint}
    return {"authorizationData": [entry]}


@operation("DescribeRegistry")
def describe_registry(call: ApiCall) -> Parameters:
    """The registry replicates nowhere."""
    return {"registryId": call.ecr.account, "replicationConfiguration": {"rules": []}}


@operation("GetRegistryPolicy")
def get_registry_policy(call: ApiCall) -> Parameters:
    """The registry has no policy, so nobody may replicate into it."""
    raise EcrError(
        "RegistryPolicyNotFoundException",
        f"Registry policy does not exist in the registry with id '{call.ecr.account}'",
    )
