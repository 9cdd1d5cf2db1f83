"""Before anything else on AWS: the session, the caller, account and region, and the permissions that the run needs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from gate.aws.calls import ask
from gate.aws.endpoints import check_endpoints
from gate.aws.errors import AwsNotFound
from gate.aws.retry import client_config
from gate.caller_permissions.granted import GrantedPermissions
from gate.caller_permissions.required import PermissionState, PermissionStatus, check_permissions, required_by
from gate.check import ACCEPTED, CheckResult, reject
from gate.errors import AwsRefused, GateError, WrongUse, one_line
from gate.publish.promotion_checks import AwsCaller, check_caller

if TYPE_CHECKING:
    from gate.run.model import Run

# A person waits for the first word of a run.
_CONFIG = client_config(attempts=4)
_ASKED = "aws sts get-caller-identity; aws iam simulate-principal-policy …; and each read once, about nothing"


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
        run.endpoint_recorder.attach(session, run.release.account)
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


def identify(run: Run) -> None:
    """Find the credentials, and hold account and region against the release; nothing to do on the local target.

    Raises:
        WrongUse: no usable credentials, an unknown profile, or another account or region than pytest.ini's.
    """
    if run.options.target != "aws":
        return
    run.session = session_for(run)
    run.call_log.attach(run.session)
    for service in sorted({need.service for need in required_by(run.publishes, run.release)}):
        # Made now, so that the run knows from its beginning whether all of them lead to AWS.
        run.session.client(service, config=_CONFIG)
    caller = _caller(run)
    refused = check_caller(caller, run.release.account, run.release.region).rejections
    if refused:
        raise WrongUse("; ".join(each.cause for each in refused), remedy=refused[0].remedy)
    run.facts.identity = caller.arn
    run.terminal.progress(f"{caller} in account {caller.account}, {caller.region}")
    if elsewhere := run.endpoint_recorder.elsewhere:
        where = "; ".join(map(str, elsewhere))
        run.terminal.progress(f"not AWS: {where}. Whatever comes of this, it is a rehearsal")


def _caller(run: Run) -> AwsCaller:
    client = run.session.client("sts", config=_CONFIG)
    try:
        return ask(
            client,
            "get_caller_identity",
            "the caller",
            lambda found: AwsCaller(found["Account"], found["Arn"], run.session.region_name, run.options.profile or ""),
        )
    except AwsRefused as refusal:
        raise WrongUse(refusal.cause, remedy=refusal.remedy) from refusal


def permissions(run: Run) -> CheckResult:
    """Whether repository and permissions are there, as far as that can be known; recorded as evidence."""
    if run.options.target != "aws":
        return ACCEPTED
    if unidentified := run.facts.unidentified:
        return reject(unidentified.cause, unidentified.where, unidentified.remedy)
    try:
        statuses = _statuses(run)
        repository = _repository(run)
    except GateError as error:
        return reject(error.cause, error.where, error.remedy)
    known = {each.permission.action: {"state": each.state.value, "why": each.why} for each in statuses}
    answer = {"calls that it took": len(run.call_log.calls), "permissions": known}
    run.store.record("preflight", answer, asked=_ASKED, criterion=8, provenance=run.provenance)
    _tell(run, statuses)
    policy = f"docs/policies/{'publish' if run.publishes else 'verify'}.json"
    missing = check_permissions(statuses, run.facts.identity, policy)
    if run.publishes:
        return check_endpoints(run.endpoint_recorder.endpoints, run.publishes) + repository + missing
    # A run that only verifies goes on: only the scenarios that need a missing permission fail.
    for each in missing.rejections:
        run.terminal.progress(one_line(each.cause))
    return repository


def _statuses(run: Run) -> tuple[PermissionStatus, ...]:
    run.terminal.waiting_for("each required permission is checked")
    try:
        found = GrantedPermissions(lambda service: run.session.client(service, config=_CONFIG), run.release,
                         run.facts.identity)  # fmt: skip
        return found.of(required_by(run.publishes, run.release))
    finally:
        run.terminal.done_waiting()


def _repository(run: Run) -> CheckResult:
    release, client = run.release, run.session.client("ecr", config=_CONFIG)
    about = f"the repository {release.repository} in account {release.account}, {release.region}"
    try:
        ask(
            client,
            "describe_repositories",
            about,
            dict,
            ("RepositoryNotFoundException",),
            registryId=release.account,
            repositoryNames=[release.repository],
        )
    except AwsNotFound as absent:
        return reject(absent.cause, absent.where, "create it first, or correct account, region or name in pytest.ini")
    except AwsRefused:
        # The missing permission is among the statuses.
        return ACCEPTED
    return ACCEPTED


def _tell(run: Run, statuses: tuple[PermissionStatus, ...]) -> None:
    granted = sum(each.state is PermissionState.GRANTED for each in statuses)
    unknown = [each.permission.action for each in statuses if each.state is PermissionState.UNKNOWN]
    rest = f"; {PermissionState.UNKNOWN.value}: {', '.join(unknown)}" if unknown else ""
    run.terminal.progress(f"permissions: {granted} of {len(statuses)} are granted{rest}")
