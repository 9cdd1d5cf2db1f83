"""Credentials of the seeded roles, issued as AWS issues them."""

from __future__ import annotations

import base64
import json
import os
import time
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.loaders import create_loader

from localaws.seed.release import OIDC_AUDIENCE, SeededRelease

_TWELVE_HOURS = 43200
_SESSION = "rehearsal"
_MODELS = create_loader()


@dataclass(frozen=True)
class AccessKeys:
    """Temporary credentials of one role."""

    access_key: str
    secret_key: str
    token: str

    def environment(self) -> dict[str, str]:
        """The variables that every AWS client reads."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_SESSION_TOKEN": self.token,
        }


def workflow_token(provider: str, subject: str) -> str:
    """A token as an identity provider such as GitHub issues it to a workflow.

    MiniStack reads the claims and does not check the signature.
    """
    claims = {
        "iss": f"https://{provider}",
        "aud": OIDC_AUDIENCE,
        "sub": subject,
        "exp": int(time.time()) + _TWELVE_HOURS,
    }
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    return ".".join((*encoded, base64.urlsafe_b64encode(b"unsigned").decode()))


def of_the_workflow(sts: Any, release: SeededRelease, role: str, subject: str) -> AccessKeys:
    """Credentials by AssumeRoleWithWebIdentity, as the release workflow (or another one) takes them."""
    answer = sts.assume_role_with_web_identity(
        RoleArn=release.role_arn(role),
        RoleSessionName=_SESSION,
        WebIdentityToken=workflow_token(release.provider, subject),
        DurationSeconds=_TWELVE_HOURS,
    )
    return _keys(answer)


def of_role(sts: Any, arn: str) -> AccessKeys:
    """A role's credentials, by AssumeRole."""
    return _keys(sts.assume_role(RoleArn=arn, RoleSessionName=_SESSION, DurationSeconds=_TWELVE_HOURS))


def root_session(release: SeededRelease) -> boto3.Session:
    """A session as MiniStack's root of the account, whose keys the gateway refuses."""
    return session(AccessKeys(release.account, "local", ""), release.region)


def session(keys: AccessKeys, region: str) -> boto3.Session:
    """A session with these credentials, whatever the caller's own AWS configuration and proxies are."""
    clean = botocore.session.Session()
    # Botocore's defaults replace what AWS_… variables and the files below the caller's home would set.
    settings = clean.get_component("config_store")
    for name, (_, _, default, _) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
        settings.set_config_variable(name, default)
    for name, value in (("config_file", os.devnull), ("credentials_file", os.devnull), ("region", region)):
        settings.set_config_variable(name, value)
    # 127.0.0.1 is never reached through a proxy.
    clean.set_default_client_config(Config(proxies={}))
    # Reading the services' models is the slow part of making a client: it is done once for all sessions.
    clean.register_component("data_loader", _MODELS)
    return boto3.Session(
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token or None,
        region_name=region,
        botocore_session=clean,
    )


def _keys(answer: dict[str, Any]) -> AccessKeys:
    issued = answer["Credentials"]
    return AccessKeys(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
