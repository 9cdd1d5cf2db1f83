"""The AWS session of a run, by the ordinary chain, and whether it really leads to AWS."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from gate.errors import WrongUse
from gate.options import Options

_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


def session_for(options: Options) -> Any:
    """A boto3 session by the ordinary chain: --profile, AWS_PROFILE, SSO, assumed roles, environment.

    Raises:
        WrongUse: the profile is unknown, or no region or credentials are found. A wrong region is not corrected
            here: the run must see that it would have gone elsewhere.
    """
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        # AWS_REGION is the first that the AWS CLI and the other SDKs look at; boto3 looks at AWS_DEFAULT_REGION only.
        session = boto3.Session(profile_name=options.profile, region_name=os.environ.get("AWS_REGION") or None)
        credentials = session.get_credentials()
    except BotoCoreError as error:
        raise WrongUse(f"the AWS configuration cannot be used: {error}", remedy="see `aws configure list`") from error
    if session.region_name is None:
        raise WrongUse(
            "no AWS region is configured",
            remedy="export AWS_REGION (pytest.ini names the release's), or set a region in the profile",
        )
    if credentials is None:
        raise WrongUse(
            "there are no AWS credentials",
            remedy="sign in (`aws sso login`), name a --profile, or rehearse with --target local",
        )
    return session


def asks_aws(session: Any) -> bool:
    """Whether the session's clients go to AWS itself and not to an emulator that the environment names."""
    services = ("ecr", "sts", "iam", "lambda", "events")
    hosts = (urlsplit(session.client(service).meta.endpoint_url).hostname or "" for service in services)
    return all(host.endswith(_AWS_DOMAINS) for host in hosts)
