"""The AWS session of a run, by the ordinary chain; each client that is made from it is looked at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from gate.errors import WrongUse

if TYPE_CHECKING:
    from gate.run.model import Run


def session_for(run: Run) -> Any:
    """A boto3 session by the ordinary chain: --profile, AWS_PROFILE, SSO, assumed roles, environment.

    Each client is looked at from the first one on, which may be made to find the credentials.

    Raises:
        WrongUse: the profile is unknown, or no region or credentials are found. A wrong region is not corrected
            here: the run must see that it would have gone elsewhere.
    """
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        # AWS_REGION is the first that the AWS CLI and the other SDKs look at; boto3 looks at AWS_DEFAULT_REGION only.
        # A profile is for AWS: the local target gives its own credentials.
        profile = run.options.profile if run.options.target == "aws" else None
        session = boto3.Session(profile_name=profile, region_name=os.environ.get("AWS_REGION") or None)
        run.clients.attach(session, run.release.account)
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
